"""Table 5, read: methods and controls, emotions within classes, and the embedding against what it was made of.

Paper: Section 4, Results on emotion recognition; Table 5.
Chapter: Probes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from acp_lib.emotions import CLASSES, EMOTIONS, regroup
from acp_lib.experiment import evaluation
from acp_lib.results.tables import INPUTS, row_of

if TYPE_CHECKING:
    from acp_lib.study import Study

ACP_NET = "ACP-Net features + MLP"
RANDOM_LABELS = ", random labels"
"""How the name of a control ends."""
WORDS = {"image": "picture", "music": "music"}


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

    Chapter: Probes.
    """
    counts = np.array(row["confusion"])
    of = np.array([CLASSES.index(name if name in CLASSES else regroup(name)) for name in row["classes"]])
    in_class = counts[of[:, None] == of].sum()
    return {"Method": row["row"], "Emotion right, %": 100 * np.trace(counts) / counts.sum(),
            "Its class right, %": 100 * in_class / counts.sum(),
            "Emotion right where the class is, %": 100 * np.trace(counts) / max(in_class, 1)}


def selectivity(rows: list[dict]) -> list[dict]:
    """Each probe on random labels beside the same one on real labels, in per cent of the training samples, and the gap
    between the two; and what it gets of test samples, where random labels can bring nothing, as no sample is met again.

    Source: after Hewitt and Liang (2019), whose random labels belong to words, which recur.  Chapter: Probes.
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


def against_features(study: Study, modality: str) -> dict:
    """How much more often the MLP is right on ACP-Net's embedding than on the features that it was made of, on the same
    test samples, as `evaluation.paired_bootstrap` gives it: shares from 0 to 1.

    Chapter: Probes.
    """
    runs = study.trained(modality)
    one, other = (np.mean([r.correct for r in runs[name]], axis=0) for name in (ACP_NET, f"{INPUTS[modality]} + MLP"))
    own = study.manifest.loc[study.manifest["modality"] == modality, "group"].to_numpy()
    tested = own[runs[ACP_NET][0].predictions["item"]]
    return evaluation.paired_bootstrap(one, other, tested, seed=study.profile.seed)


# --- phrases that depend on the outcome


def same_task(classes: list[str]) -> str:
    """Whether labels are the paper's eight emotions, so that its numbers for pictures can be compared.

    Chapter: Probes.
    """
    return ("the paper's eight emotions" if len(classes) == len(EMOTIONS) else
            f"{len(classes)} classes and not the paper's eight emotions, so its numbers cannot be compared")


def above_guessing(row: dict, guess: float) -> str:
    """Whether all of a row's intervals lie above what a guesser gets, in per cent.

    Chapter: Probes.
    """
    ends = [row[name] for name in ("clustered", "interval") if row[name] is not None]
    return ("lies clearly above guessing" if all(low > guess for low, _ in ends) else
            "does not lie clearly above guessing")


def reads_more(interval: tuple[float, float]) -> str:
    """What the interval of `against_features` says.

    Chapter: Probes.
    """
    low, high = interval
    if low > 0:
        return "in these runs it reads more from the embedding than from what that was made of"
    if high < 0:
        return "in these runs it reads less from the embedding than from what that was made of"
    return "this many test samples cannot tell the embedding from what it was made of"
