"""Probes: simple classifiers trained on fixed features, to measure what can be read from them.

Paper: Section 4, Results on emotion recognition; Table 5.
Chapter: Seeing; Probes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.linear_model import RidgeClassifierCV
from sklearn.metrics import confusion_matrix, recall_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from acp_lib.emotions import EMOTIONS

COSTS = np.logspace(-1, 2, 7)  # of an error of the support vector machine
STRENGTHS = np.logspace(0, 6, 13)  # of the ridge penalty, chosen on the training part


@dataclass(frozen=True)
class Probed:
    """True and predicted labels of held-out samples."""

    truth: np.ndarray
    predicted: np.ndarray

    @property
    def accuracy(self) -> float:
        """Share of samples predicted correctly."""
        return float(np.mean(self.truth == self.predicted))

    @property
    def correct(self) -> np.ndarray:
        """Whether each sample is predicted correctly (n,)."""
        return self.truth == self.predicted

    @property
    def balanced(self) -> float:
        """Mean recall over the classes; chance is one over their number."""
        return float(np.mean(self.recall(np.unique(self.truth))))

    def by_group(self, groups: np.ndarray) -> "Probed":
        """One prediction for each group of samples, such as the segments of a song: a majority vote; a tie goes to the
        first label in order, which for class numbers is the more positive one.

        groups : name of each sample's group [shape=(n,)]; a group with two true labels counts as two groups
        """
        votes = pd.crosstab([groups, self.truth], self.predicted)
        return Probed(votes.index.get_level_values(1).to_numpy(), votes.idxmax(axis=1).to_numpy())

    @property
    def weighted(self) -> np.ndarray:
        """Whether each sample is predicted correctly, weighted so that the mean is `balanced` (n,): for intervals."""
        names, of, times = np.unique(self.truth, return_inverse=True, return_counts=True)
        return self.correct * len(of) / (len(names) * times[of])

    def recall(self, labels: Sequence | np.ndarray) -> list[float]:
        """Recall of each label, NaN where it has no samples."""
        return recall_score(self.truth, self.predicted, labels=labels, average=None, zero_division=np.nan).tolist()

    def confusion(self, labels: Sequence) -> np.ndarray:
        """Number of samples of each true label (row) predicted as each label (column) [shape=(K, K)]."""
        return confusion_matrix(self.truth, self.predicted, labels=labels)

    def most_confused(self, labels: Sequence) -> tuple:
        """The true label, and the wrong one, of the most frequent error as a share of the true label's samples."""
        counts = self.confusion(labels)
        share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
        np.fill_diagonal(share, 0)
        true, given = np.unravel_index(share.argmax(), share.shape)
        return labels[true], labels[given]


def picture_tasks(rows: pd.DataFrame) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The recognition tasks on pictures, "3 classes", and "8 emotions" where all eight occur; for each task the label
    of every row and whether the row has one.

    rows : class and emotion, empty where none is known

    Chapter: Seeing.
    """
    classes, emotion = rows["class"].to_numpy(), rows["emotion"].to_numpy()
    tasks = {"3 classes": (classes, np.full(len(rows), True))}
    if set(emotion[emotion != ""]) == set(EMOTIONS):
        tasks["8 emotions"] = (emotion, emotion != "")
    return tasks


def linear(x: np.ndarray, labels: np.ndarray, part: np.ndarray, *, to: str = "test", balanced: bool = True) -> Probed:
    """A ridge classifier on standardised features, fitted on `train`.

    Parameters
    ----------
    x : features (N, width)
    labels, part : label and train, val or test of each sample
    to : the part that is predicted
    balanced : whether all classes have equal weight, whatever their numbers of samples

    Chapter: Seeing; Probes.
    """
    fit, held = part == "train", part == to
    model = make_pipeline(StandardScaler(), RidgeClassifierCV(STRENGTHS, class_weight="balanced" if balanced else None))
    model.fit(x[fit], labels[fit])
    return Probed(labels[held], model.predict(x[held]))


def svm(x: np.ndarray, labels: np.ndarray, part: np.ndarray) -> Probed:
    """A support vector machine with a Gaussian kernel on standardised features, its C chosen on `val`.

    Parameters
    ----------
    x : features (N, width)
    labels, part : label and train, val or test of each sample

    Paper: Table 5, art-based features.  Chapter: Probes.
    """
    fit, val, held = (part == name for name in ("train", "val", "test"))
    tried = [make_pipeline(StandardScaler(), SVC(C=c)).fit(x[fit], labels[fit]) for c in COSTS]
    best = max(tried, key=lambda model: model.score(x[val], labels[val]))
    return Probed(labels[held], best.predict(x[held]))


def majority(x: np.ndarray, labels: np.ndarray, part: np.ndarray, *, to: str = "test") -> Probed:
    """Majority-class baseline: always the most frequent training label. Arguments as of `linear`."""
    names, counts = np.unique(labels[part == "train"], return_counts=True)
    truth = labels[part == to]
    return Probed(truth, np.full_like(truth, names[counts.argmax()]))
