"""Probes: what can be read from features by a simple classifier that is trained on them.

Paper: Section 4, Results on emotion recognition; Table 5.
Chapter: Seeing.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import RidgeClassifierCV
from sklearn.metrics import balanced_accuracy_score, recall_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

STRENGTHS = np.logspace(0, 6, 13)  # of the ridge penalty, chosen on the training part


@dataclass(frozen=True)
class Probed:
    """True and predicted labels of held-out samples."""

    truth: np.ndarray
    predicted: np.ndarray

    @property
    def accuracy(self) -> float:
        """Share of samples called right."""
        return float(np.mean(self.truth == self.predicted))

    @property
    def balanced(self) -> float:
        """Mean over the classes of the share called right; chance is one over their number."""
        return float(balanced_accuracy_score(self.truth, self.predicted))

    def recall(self, labels) -> list[float]:
        """Share called right of each label, NaN where it has no sample."""
        return recall_score(self.truth, self.predicted, labels=labels, average=None, zero_division=np.nan).tolist()


def linear(x: np.ndarray, labels: np.ndarray, part: np.ndarray, *, to: str = "test") -> Probed:
    """A ridge classifier on standardised features, all classes weighing the same, fitted on `train`.

    Parameters
    ----------
    x : features (N, width)
    labels, part : label and train, val or test of each sample
    to : the part that is predicted

    Chapter: Seeing.
    """
    fit, held = part == "train", part == to
    model = make_pipeline(StandardScaler(), RidgeClassifierCV(STRENGTHS, class_weight="balanced"))
    model.fit(x[fit], labels[fit])
    return Probed(labels[held], model.predict(x[held]))


def majority(labels: np.ndarray, part: np.ndarray, *, to: str = "test") -> float:
    """Accuracy of always naming the most frequent training label."""
    names, counts = np.unique(labels[part == "train"], return_counts=True)
    return float(np.mean(labels[part == to] == names[counts.argmax()]))
