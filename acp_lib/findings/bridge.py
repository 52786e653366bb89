"""What naming the classes of a picture and of a song, and comparing the two names, gets on pairs: fixed by how
either half is named, whatever the protocol.

A picture and a song are drawn independently once their classes are, so what is named for them is independent, too. No
more is taken. J(c, d), how often a protocol draws which classes, and of each half how often a class gets which name,
A(c, a) and B(d, b), give the share of right answers: the sum of J(c, d) A(c, a) B(d, b) over all that fits, a = b where
c = d, and a != b where not.

Chapter: What 61.67 % takes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix

from acp_lib.audits import uncertainty
from acp_lib.emotions import CLASSES
from acp_lib.experiment import baselines, evaluation, intervals
from acp_lib.experiment import pairs as protocols
from acp_lib.experiment.corpus import Pairs
from acp_lib.experiment.intervals import Estimate
from acp_lib.findings.folds import FOLDS

if TYPE_CHECKING:
    from acp_lib.study import Study

HALVES = ("image", "music")

# --- the law


def compared(joint: np.ndarray, image: np.ndarray, music: np.ndarray) -> float:
    """Accuracy on pairs of late fusion: "true" where both halves are predicted to have the same class.

    Parameters
    ----------
    joint : probability of each class of picture and of music, as `pairs.joint` gives it [shape=(K, K)]
    image, music : probability of each predicted class (column) for each true class (row) [shape=(K, K)]

    Raises
    ------
    ValueError
        For tables of other shapes.

    Chapter: What 61.67 % takes.
    """
    if not np.shape(joint) == np.shape(image) == np.shape(music) == (len(joint),) * 2:
        raise ValueError(f"joint, image and music have the shapes {np.shape(joint)}, {np.shape(image)} and "
                         f"{np.shape(music)}; expected three squares over the same classes")
    agree = np.asarray(image) @ np.transpose(music)
    return float((joint * np.where(np.eye(len(joint), dtype=bool), agree, 1 - agree)).sum())


def symmetric(image: float, music: float, joint: np.ndarray) -> float:
    """`compared` for two accuracies, shares from 0 to 1: the errors of a half are spread evenly over the wrong classes.

    Chapter: What 61.67 % takes.
    """
    for name, value in (("image", image), ("music", music)):
        if not 0 <= value <= 1:
            raise ValueError(f"{name} is {value:g}; expected an accuracy from 0 to 1")
    return compared(joint, *(uncertainty.symmetric(1 - accuracy, len(joint)) for accuracy in (image, music)))


def needed(pairs: float, music: float, joint: np.ndarray) -> float | None:
    """The accuracy on pictures for which `symmetric` gives this accuracy on pairs, at this accuracy on music; shares.

    None if there is none: it would lie below 0 or above 1, or music is predicted at chance, so that pictures do not
    matter.

    Chapter: What 61.67 % takes.
    """
    return solved(pairs, lambda image: symmetric(image, music, joint))


def solved(wanted: float, law: Callable[[float], float]) -> float | None:
    """Where from 0 to 1 the law, which is linear in each half, gives what is wanted; None where it does nowhere."""
    never, always = law(0.0), law(1.0)
    if np.isclose(never, always, atol=1e-12):
        return None
    found = round((wanted - never) / (always - never), 12)
    return float(found) if 0 <= found <= 1 else None


# --- predicted and measured


def shares(counts: np.ndarray) -> np.ndarray:
    """Counts of names (columns) of each class (rows) as shares of it; 0 of a class without samples."""
    return counts / np.maximum(counts.sum(1, keepdims=True), 1)


@dataclass(frozen=True)
class Named:
    """Samples of one modality that classifiers have named: numbers of the true class and of the named one, of K, and
    what is drawn as a whole, the picture or the song; all (n,).
    """

    truth: np.ndarray
    said: np.ndarray
    group: np.ndarray

    @property
    def accuracy(self) -> Estimate:
        """Share that is named right, over pictures or songs."""
        return intervals.mean(self.truth == self.said, self.group)

    def counts(self, classes: int) -> np.ndarray:
        """How many samples of each class (rows) are given each name [shape=(K, K)]."""
        return confusion_matrix(self.truth, self.said, labels=range(classes))

    def shares(self, classes: int) -> np.ndarray:
        """Probability of each name for each class [shape=(K, K)]."""
        return shares(self.counts(classes))

    def pull(self, slope: np.ndarray) -> np.ndarray:
        """How much each sample moves a sum over slope * `shares` (n,): its influence, to first order, within its class,
        as the law is about given classes; corrected for there being few. Infinite in a class of one picture or song,
        which tells nothing of others.
        """
        per = pd.DataFrame({"truth": self.truth, "group": self.group}).groupby("truth")["group"]
        few, n = per.transform("nunique").to_numpy(), per.transform("size").to_numpy()
        away = slope[self.truth, self.said] - (slope * self.shares(len(slope))).sum(1)[self.truth]
        return np.where(few > 1, away * np.sqrt(few / np.maximum(few - 1, 1)) / n, np.inf)


@dataclass(frozen=True)
class Answers:
    """Pairs that were judged: the classes of both halves, whether the answer was right, and the picture and the song,
    all (n,).
    """

    image: np.ndarray
    music: np.ndarray
    right: np.ndarray
    groups: tuple[np.ndarray, np.ndarray]

    @property
    def accuracy(self) -> Estimate:
        """Share of right answers, over pictures and songs."""
        return intervals.mean(self.right, *self.groups)


def _brought(by: np.ndarray, groups: np.ndarray) -> tuple[float, float]:
    """The variance, with its degrees of freedom, that groups of items bring to a number which each moves by so much."""
    if not np.isfinite(by).all():
        return np.inf, 1.0
    found, = intervals.mean(len(by) * by, groups).variances
    return found


def _pulls(joint: np.ndarray, image: Named, music: Named) -> tuple[np.ndarray, np.ndarray]:
    """How much each picture and each piece of music moves what `compared` makes of their names."""
    signed, k = np.where(np.eye(len(joint), dtype=bool), joint, -joint), len(joint)
    return image.pull(signed @ music.shares(k)), music.pull(signed.T @ image.shares(k))


def predicted(joint: np.ndarray, image: Named, music: Named) -> Estimate:
    """What the law gives for named samples of both halves: over pictures and over songs, which are drawn apart.

    Chapter: What 61.67 % takes.
    """
    k = len(joint)
    sources = tuple(_brought(pull, half.group) for half, pull in zip((image, music), _pulls(joint, image, music),
                                                                     strict=True))
    return Estimate(compared(joint, image.shares(k), music.shares(k)), sources, 0, 1)


def difference(joint: np.ndarray, image: Named, music: Named, answers: Answers) -> Estimate:
    """`predicted` less what was measured on pairs of the same classes: over pictures and songs, of which the same may
    stand behind both numbers; it is then left out of both at once.

    Pictures and songs each bring a variance; what pairs bring that share both is in either, and taken off once, as in
    `intervals.mean`. Pairs are compared with those of the same two classes, since the protocol fixes how often these
    are drawn.

    Chapter: What 61.67 % takes.
    """
    k, n = len(joint), len(answers.right)
    cell = pd.Series(answers.right.astype(float)).groupby(answers.image * k + answers.music).transform("mean")
    moved = (cell - answers.right).to_numpy() / n
    codes = [np.unique(names, return_inverse=True)[1] for names in answers.groups]
    both, _ = _brought(moved, codes[0] * n + codes[1])
    own = [_brought(np.concatenate([pull, moved]), np.concatenate([half.group, groups])) for half, pull, groups in
           zip((image, music), _pulls(joint, image, music), answers.groups, strict=True)]
    apart = [variance for variance, _ in own]
    once = max(*apart, sum(apart) - both) / sum(apart) if 0 < sum(apart) < np.inf else 1
    value = compared(joint, image.shares(k), music.shares(k)) - float(answers.right.mean())
    return Estimate(value, tuple((once * variance, dof) for variance, dof in own), -1, 1)


def rows(study: Study, folds: int = FOLDS) -> list[dict]:
    """The law held against pairs: two ridge classifiers in cross-validation by whole songs, each sample tested once.

    Parameters
    ----------
    folds : of equal size; three or more, of which one is tested, one validates, and the rest is trained on

    Returns
    -------
    as `judged`

    Chapter: What 61.67 % takes.
    """
    return judged([study.variant(folds=folds, split_draw=k, pair_draw=k) for k in range(folds)])


def judged(studies: Sequence[Study]) -> list[dict]:
    """The law held against the test pairs of one or more splits of the same samples, all splits together.

    How each half errs is taken from the validation parts, how often each class is drawn from the test parts.

    Returns
    -------
    a row for each half, then one for each protocol; per cent
    {"what": "half", "row": "image" or "music", "classes", "groups": pictures or songs that are tested, "validation",
    "test": counts of `Named.counts`, "validation_accuracy", "test_accuracy": rows of `Estimate.row`}
    {"what": "protocol", "row", "n_pairs", "true": share of true pairs, "symmetric": what the two validation accuracies
    alone give, "predicted", "measured", "difference": rows of `Estimate.row`}
    {"what": "left out", "row", "reason"}, of a protocol that can draw no pairs of these classes

    Raises
    ------
    ValueError
        Without splits.

    Chapter: What 61.67 % takes.
    """
    if not studies:
        raise ValueError("studies is empty; expected one or more splits")
    splits = _Splits(studies)
    return [*map(splits.half, HALVES), *map(splits.protocol, protocols.PROTOCOLS)]


class _Splits:
    """Splits of the same samples, with what two classifiers of each name them."""

    def __init__(self, studies: Sequence[Study]) -> None:
        self.studies, self.manifest = studies, studies[0].manifest
        self.corpora = [study.corpus for study in studies]
        self.said = {m: [baselines.named(getattr(corpus, m)) for corpus in self.corpora] for m in HALVES}
        self.held = np.unique(np.concatenate([getattr(self.corpora[0], m).label for m in HALVES]))
        self.known = {m: self.named(m, "val") for m in HALVES}

    def named(self, modality: str, part: str) -> Named:
        own = self.manifest.loc[self.manifest["modality"] == modality, "group"].to_numpy(str)
        sides = [getattr(corpus, modality) for corpus in self.corpora]
        parts = [(side.label[at], said[at], own[at]) for side, said in zip(sides, self.said[modality], strict=True)
                 for at in [side.rows(part)]]
        truth, said, group = map(np.concatenate, zip(*parts, strict=True))
        return Named(self.number(truth), self.number(said), group)

    def number(self, label: np.ndarray) -> np.ndarray:
        """Class numbers among the classes that occur."""
        return np.searchsorted(self.held, label)

    def half(self, modality: str) -> dict:
        k, validation, test = len(self.held), self.known[modality], self.named(modality, "test")
        return {"what": "half", "row": modality, "classes": [CLASSES[c] for c in self.held],
                "groups": len(np.unique(test.group)), "validation": validation.counts(k).tolist(),
                "test": test.counts(k).tolist(), "validation_accuracy": validation.accuracy.scaled(100).row(),
                "test_accuracy": test.accuracy.scaled(100).row()}

    def protocol(self, name: str) -> dict:
        try:
            answers = self.answers([study.test_pairs(name) for study in self.studies])
        except ValueError as error:
            return {"what": "left out", "row": name, "reason": str(error)}
        joint = np.mean([protocols.joint(name, *corpus.counts("test")) for corpus in self.corpora], 0)
        joint, (image, music) = joint[np.ix_(self.held, self.held)], self.known.values()
        return {"what": "protocol", "row": name, "n_pairs": len(answers.right), "true": 100 * float(np.trace(joint)),
                "symmetric": 100 * symmetric(image.accuracy.value, music.accuracy.value, joint),
                "predicted": predicted(joint, image, music).scaled(100).row(),
                "measured": answers.accuracy.scaled(100).row(),
                "difference": difference(joint, image, music, answers).scaled(100).row()}

    def answers(self, drawn: Sequence[Pairs]) -> Answers:
        parts = [(corpus.image.label[pairs.image], corpus.music.label[pairs.music],
                  (image[pairs.image] == music[pairs.music]) == (pairs.truth == 1),
                  *evaluation.groups(self.manifest, pairs))
                 for corpus, image, music, pairs in zip(self.corpora, *self.said.values(), drawn, strict=True)]
        image, music, right, pictures, songs = map(np.concatenate, zip(*parts, strict=True))
        return Answers(self.number(image), self.number(music), right, (pictures, songs))


# --- what it comes to


def summary(results: Sequence[dict]) -> dict:
    """Of several corpora: how many times the law was "asked", once for each corpus and protocol where the interval of
    the difference is known; how often it "agrees", this interval holding zero; and the "largest" difference, in points.

    results : {"rows": of `judged`}

    Chapter: What 61.67 % takes.
    """
    apart = [row["difference"] for result in results for row in result["rows"] if row["what"] == "protocol"]
    known = [d["interval"] for d in apart if d["variances"]]
    return {"asked": len(known), "agrees": sum(low <= 0 <= high for low, high in known),
            "largest": max((abs(d["ours"]) for d in apart), default=None)}


def left_out(results: Sequence[dict]) -> str:
    """Which protocols could draw no pairs, of which data, and why.

    results : {"data", "rows": of `judged`}

    Chapter: What 61.67 % takes.
    """
    return "; ".join(f"{row['row']} on {result['data']} ({row['reason']})" for result in results
                     for row in result["rows"] if row["what"] == "left out") or "none"
