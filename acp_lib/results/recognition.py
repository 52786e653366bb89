"""Table 5, read: methods and controls, emotions within classes, and the embedding against what it was made of.

Paper: Section 4, Results on emotion recognition; Table 5.
Chapter: Probes; Controls for probes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from acp_lib.emotions import CLASSES, EMOTIONS, regroup
from acp_lib.experiment import intervals, methods
from acp_lib.experiment.intervals import Estimate
from acp_lib.experiment.splits import PARTS
from acp_lib.results import store
from acp_lib.results.tables import row_of

if TYPE_CHECKING:
    from acp_lib.study import Study

ACP_NET = "ACP-Net features + MLP"
RANDOM_LABELS = ", random labels"
"""How the name of a control ends."""
WORDS = {"image": "picture", "music": "music"}
FREQUENT = "The most frequent"
COMPARED = (("image", ACP_NET, FREQUENT), ("music", ACP_NET, FREQUENT), ("image", "AlexNet, fine-tuned", ACP_NET),
            ("music", ACP_NET, "Spectrogram + CNN"))
"""What the paper's words about Table 5 compare: modality, and the two methods."""


def of_modality(rows: list[dict], modality: str, *, controls: bool = False) -> list[dict]:
    """The rows of Table 5 about one modality; those trained on random labels only where `controls` asks for them.

    Chapter: Probes.
    """
    return [row for row in rows if row["what"].startswith(WORDS[modality])
            and (controls or not row["row"].endswith(RANDOM_LABELS))]


def asked_for(rows: list[dict]) -> str:
    """How many labels the rows of one modality were asked for: "8 classes".

    Chapter: Probes.
    """
    return rows[0]["what"].split(", ", 1)[1]


def within_classes(row: dict) -> dict:
    """How often a row has the emotion right, how often its class, and the emotion where it has the class, in per cent.

    Where the labels are the classes themselves, there is nothing to be told within them.

    Chapter: Controls for probes.
    """
    counts = np.array(row["confusion"])
    in_class = np.trace(by_class(row))
    return {"Method": row["row"], "Emotion right, %": 100 * np.trace(counts) / counts.sum(),
            "Its class right, %": 100 * in_class / counts.sum(),
            "Emotion right where the class is, %": 100 * np.trace(counts) / max(in_class, 1)}


def by_class(row: dict) -> np.ndarray:
    """How many samples of each class (rows) a row gives each class, its emotions taken together [shape=(3, 3)].

    Chapter: What 61.67 % takes.
    """
    of = [CLASSES.index(name if name in CLASSES else regroup(name)) for name in row["classes"]]
    member = np.eye(len(CLASSES), dtype=int)[of]
    return member.T @ np.array(row["confusion"]) @ member


def selectivity(rows: list[dict]) -> list[dict]:
    """Each probe on random labels beside the same one on real labels, in per cent of the training samples, and the gap
    between the two; and what it gets of test samples, where random labels can bring nothing, as no sample is met again.

    Source: after Hewitt and Liang (2019), whose random labels belong to words, which recur.
    Chapter: Controls for probes.
    """
    found = []
    for modality in WORDS:
        some = of_modality(rows, modality, controls=True)
        for control in (row for row in some if row["row"].endswith(RANDOM_LABELS)):
            real = row_of(some, control["row"].removesuffix(RANDOM_LABELS))
            found.append({"Of": "pictures" if modality == "image" else "music", "Probe": real["row"],
                          "Test, real labels, %": real["ours"], "Training, real labels, %": real["memorised"],
                          "Training, random labels, %": control["memorised"],
                          "Selectivity": real["memorised"] - control["memorised"]})
    return found


def order(rows: list[dict], column: str) -> list[str]:
    """The methods of which the paper has a number, chance aside, from best to worst by `column`: "paper" or "ours".

    Chapter: Probes.
    """
    quoted = [row for row in rows if row["paper"] is not None and row["row"] != "Random"]
    return [row["row"] for row in sorted(quoted, key=lambda row: -row[column])]


def against(study: Study, modality: str, one: str, other: str) -> Estimate:
    """How much more often one method of Table 5 is right than another on the same test samples, in points, over runs
    (of the same seeds) and pictures, or songs, at once. The most frequent training label is a method, too.

    Chapter: Probes; Verdicts.
    """
    runs = study.trained(modality)
    items = runs[ACP_NET][0].predictions["item"].to_numpy()
    own = study.manifest.loc[study.manifest["modality"] == modality, "group"].to_numpy()

    def right(name: str) -> list[np.ndarray]:
        if name == FREQUENT:
            side = getattr(study.corpus, modality)
            label = methods.labels(side)[0]
            known = label[(np.array(PARTS)[side.part] == "train") & (label >= 0)]
            return [label[items] == np.bincount(known).argmax()]
        return [pd.Series(r.correct, r.predictions["item"])[items].to_numpy() for r in runs[name]]

    return intervals.difference(right(one), right(other), own[items]).scaled(100)


def load(study: Study) -> list[dict]:
    """Differences between methods of Table 5, a row for each of COMPARED: "what" (the modality), "row" ("... against
    ...") and the rest of `intervals.Estimate.row`, in points.

    Chapter: Verdicts.
    """
    return store.load(study, "recognition", lambda s: [
        {"what": WORDS[m], "row": f"{one} against {other}", **against(s, m, one, other).row()}
        for m, one, other in COMPARED])


# --- phrases that depend on the outcome


def same_task(classes: list[str]) -> str:
    """Whether labels are the paper's eight emotions, so that its numbers for pictures can be compared.

    Chapter: Probes.
    """
    return ("the paper's eight emotions" if len(classes) == len(EMOTIONS) else
            f"{len(classes)} classes and not the paper's eight emotions, so its numbers cannot be compared")


def above_guessing(row: dict, guess: float) -> str:
    """Whether a row's interval lies above what a guesser gets, in per cent.

    Chapter: Probes.
    """
    lies = "lies" if row["interval"][0] > guess else "does not lie"
    return f"{lies} above the majority-class baseline and chance"


def reads_more(interval: tuple[float, float]) -> str:
    """What the interval of `against` says of ACP-Net's features and those that they were made of.

    Chapter: Probes.
    """
    low, high = interval
    if low > 0:
        return "in these runs the embedding predicts better than its input"
    if high < 0:
        return "in these runs the embedding predicts worse than its input"
    return "with this many test samples, the embedding cannot be told from its input"
