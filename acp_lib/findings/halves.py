"""What the tables of pairs and of emotions say of one another, the paper's and this run's, by the law of `bridge`.

Paper: Tables 3, 4 and 5.
Chapter: What 61.67 % takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from acp_lib import paper
from acp_lib.audits import uncertainty
from acp_lib.emotions import CLASSES, EMOTIONS, REGROUPING
from acp_lib.experiment import pairs as protocols
from acp_lib.findings import bridge
from acp_lib.results import answers, recognition, tables

if TYPE_CHECKING:
    from acp_lib.study import Study

ACP_NET = "ACP-Net"
QUOTED = "AlexNet, fine-tuned"
"""The classifier of the paper's Table 5 whose accuracy the paper quotes from others."""


def paper_joints() -> dict[str, np.ndarray]:
    """`pairs.joint` of each protocol for the paper's pictures and songs (Table 3)."""
    counts = [np.array([table[label] for label in CLASSES]) for table in (paper.IMAGES, paper.SONGS)]
    return {name: protocols.joint(name, *counts) for name in protocols.PROTOCOLS}


def emotions(accuracy: float) -> np.ndarray:
    """How often a picture of each class is given each class by who names its emotion, one of eight, right in a share
    `accuracy`, and else each other emotion alike [shape=(3, 3)].
    """
    member = np.array([[REGROUPING[emotion] == label for label in CLASSES] for emotion in EMOTIONS], float)
    named = uncertainty.symmetric(1 - accuracy, len(EMOTIONS)) @ member
    return member.T @ named / member.sum(0)[:, None]


def by_paper() -> list[dict]:
    """What accuracy on pictures the paper's accuracy on pairs (Table 4) takes beside its accuracy on music (Table 5).

    Returns
    -------
    for each protocol, with as many samples of each class as the paper has, in per cent: {"protocol", "true": share of
    true pairs, "pairs", "music": the paper's, "needed": on three classes, "emotions": on eight emotions, if errors fall
    on each other one alike}; the last two are None where no accuracy would do

    Chapter: What 61.67 % takes.
    """
    pairs, music = paper.CORRESPONDENCE[ACP_NET], paper.RECOGNITION["music"][recognition.ACP_NET]
    found = []
    for name, joint in paper_joints().items():
        classes = bridge.needed(pairs / 100, music / 100, joint)
        eight = bridge.solved(pairs / 100, lambda image, joint=joint: _with_music(emotions(image), joint))  # type: ignore[misc]
        found.append({"protocol": name, "true": 100 * float(np.trace(joint)), "pairs": pairs, "music": music,
                      "needed": classes and 100 * classes, "emotions": eight and 100 * eight})
    return found


def _with_music(image: np.ndarray, joint: np.ndarray) -> float:
    """`bridge.compared` beside the paper's music."""
    music = paper.RECOGNITION["music"][recognition.ACP_NET] / 100
    return bridge.compared(joint, image, uncertainty.symmetric(1 - music, len(joint)))


def pictures_by_paper() -> list[dict]:
    """What the paper's accuracies on eight emotions (Table 5) come to beside its music.

    Returns
    -------
    for each of its rows about pictures, in per cent: {"row", "emotions": the paper's, which is the least that its
    accuracy on classes can be, since the right emotion has the right class; "classes": what it is if errors fall on
    each other emotion alike, "pairs": and what that gives on class-balanced pairs}

    Chapter: What 61.67 % takes.
    """
    joint, share = paper_joints()["class_balanced"], np.array([paper.IMAGES[label] for label in CLASSES], float)
    found = []
    for name, accuracy in paper.RECOGNITION["image"].items():
        table = emotions(accuracy / 100)
        found.append({"row": name, "emotions": accuracy, "classes": 100 * float(np.diag(table) @ share / share.sum()),
                      "pairs": 100 * _with_music(table, joint)})
    return found


def implication(rows: list[dict], pictures: list[dict]) -> str:
    """What `by_paper` and `pictures_by_paper` say of the paper's accuracy on class-balanced pairs, in words.

    Chapter: What 61.67 % takes.
    """
    wanted, = (row["pairs"] for row in rows if row["protocol"] == "class_balanced")
    only = {QUOTED: ", if its quoted accuracy, measured on other pictures or another split, held on IMAC's"}
    enough = [f"{row['row']} ({row['pairs']:.1f} %{only.get(row['row'], '')})" for row in pictures
              if row["pairs"] >= wanted]
    gets = tables.row_of(pictures, recognition.ACP_NET)["pairs"]
    own = f"{wanted - gets:.1f} points more than" if gets < wanted else "no more than"
    return (f"ACP-Net's {wanted} % is {own} the {gets:.1f} % that comparing the classes predicted from its own "
            f"features would give; of the paper's classifiers of emotions, {', '.join(enough) or 'none'} would "
            f"reach {wanted} % without a network trained on pairs")


def of_network(study: Study) -> list[dict]:
    """What the law gives for probes of Table 5, by what they name the test samples; per cent.

    Returns
    -------
    {"row", "image", "music": accuracies on classes, "law": on pairs of the profile's protocol}, for probes of ACP-Net's
    features and of those that it is given

    Chapter: What 61.67 % takes.
    """
    table = tables.load(study, 5)
    joint = protocols.joint(study.profile.pairing.pairs, *study.corpus.counts("test"))
    given = "ACP-Net's input, linear"
    found = []
    for name in (recognition.ACP_NET, "ACP-Net features, linear", given):
        counts = {}
        for m in bridge.HALVES:
            row = f"{answers.INPUTS[m]}, linear" if name == given else name
            counts[m] = recognition.by_class(tables.row_of(recognition.of_modality(table, m), row))
        found.append({"row": name, **{m: 100 * float(np.trace(n) / n.sum()) for m, n in counts.items()},
                      "law": 100 * bridge.compared(joint, *map(bridge.shares, counts.values()))})
    return found


def against(network: dict, law: float) -> str:
    """Whether a row of `scores.scored` lies above or below what the law gives, in per cent, with its whole interval.

    Chapter: What 61.67 % takes.
    """
    low, high = network["interval"]
    if low > law:
        return "its CI lies above this number, whose own uncertainty is not counted"
    if high < law:
        return "its CI lies below this number, whose own uncertainty is not counted"
    return "so many pairs cannot tell the two apart"
