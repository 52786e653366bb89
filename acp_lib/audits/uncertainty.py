"""How sure one may be of an accuracy: where it varies, which of several differences are more than luck, and what wrong
labels leave to be reached.

Chapter: How sure are we.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from sklearn.calibration import calibration_curve
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, confusion_matrix, roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from acp_lib import streams
from acp_lib.emotions import CLASSES
from acp_lib.experiment import pairs as protocols

# --- where it varies


def components(groups: dict[str, Sequence[float]], *, among: Collection[str] | None = None, draws: int = 20_000,
               seed: int = 0) -> list[dict]:
    """Standard deviation of a result under each of several sources of luck, and their shares of the variance.

    A random-effects view: each group holds results that differ in the draw of one thing alone, so that its variance is
    that thing's, and the variances of independent things add up. Intervals are from a parametric bootstrap of normal
    results, turned round: (n - 1) s^2 over draws of chi-square with n - 1 degrees of freedom. Resampling ten values
    themselves would give intervals that are too short. Source: Weerahandi (1993), Generalized confidence intervals,
    Journal of the American Statistical Association 88.

    among : the sources whose variances make up the whole, all if none are named; a source that holds another one, as a
        seed holds initial weights, must not stand beside it

    Returns
    -------
    rows {"source", "n", "mean", "sd", "interval", "share", "share_interval"}; shares are None for sources that are not
    `among` them, and where nothing varies

    Raises
    ------
    ValueError
        For a group of fewer than two results.

    Chapter: How sure are we.
    """
    rng = streams.generator("variances", seed)
    for name, values in groups.items():
        if len(values) < 2:
            raise ValueError(f"{name} has {len(values)} results; expected two or more, which can differ")
    n = np.array([len(values) for values in groups.values()])
    found = np.array([np.var(values, ddof=1) for values in groups.values()])
    could = found * (n - 1) / rng.chisquare(n - 1, (draws, len(n)))
    counted = np.array([among is None or name in among for name in groups])
    total, totals = found[counted].sum(), could[:, counted].sum(1, keepdims=True)
    rows = []
    for k, (name, values) in enumerate(groups.items()):
        row = {"source": name, "n": len(values), "mean": float(np.mean(values)), "sd": float(np.sqrt(found[k])),
               "interval": _middle(np.sqrt(could[:, k])), "share": None, "share_interval": None}
        if total > 0 and counted[k]:
            row |= {"share": float(found[k] / total), "share_interval": _middle(could[:, k] / totals[:, 0])}
        rows.append(row)
    return rows


def _middle(draws: np.ndarray, level: float = 0.95) -> list[float]:
    return [float(e) for e in np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])]


# --- which differences are more than luck?


def holm(rows: list[dict]) -> list[dict]:
    """The same rows with "holm", their "p" corrected for the number of rows: times that of the rows whose p is not
    smaller, at least as large as theirs that are, at most 1. Source: Holm (1979).
    """
    p = np.array([row["p"] for row in rows], dtype=float)
    order = np.argsort(p)
    corrected = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1)[np.argsort(order)]
    return [row | {"holm": float(p)} for row, p in zip(rows, corrected, strict=True)]


# --- more than accuracy


def scores(truth: np.ndarray, probability: np.ndarray, bins: int = 10) -> dict:
    """What else there is to say of probabilities of "true": shares from 0 to 1.

    balanced : mean of the shares called right among true and among false pairs
    auc : how often a true pair gets more than a false one
    brier : mean squared distance of the probability from the answer, 0.25 for "one half" always
    ece : expected calibration error over bins of equally many pairs. Source: Guo et al. (2017).

    Chapter: How sure are we.
    """
    truth = np.asarray(truth) == 1
    said = probability > 0.5
    true, mean, n = reliability(truth, probability, bins)
    return {"accuracy": float(np.mean(said == truth)),
            "balanced": float((said[truth].mean() + 1 - said[~truth].mean()) / 2),
            "auc": float(roc_auc_score(truth, probability)), "brier": float(brier_score_loss(truth, probability)),
            "ece": float(np.average(np.abs(true - mean), weights=n))}


def sureness(probability: float, right: float, near: float = 0.02) -> str:
    """Whether answers are as sure as they should be, in words.

    probability : that is given to the answer, on average; right : share of right answers; near : no difference yet

    Chapter: How sure are we.
    """
    return ("overconfident" if probability > right + near else "underconfident" if probability <= right - near
            else "about as confident as they should be")


def reliability(truth: np.ndarray, probability: np.ndarray,
                bins: int = 10) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Share of true pairs, mean probability, and number of pairs in bins of equally many, empty ones left out.

    Chapter: How sure are we.
    """
    true, mean = calibration_curve(truth, probability, n_bins=bins, strategy="quantile")
    edges = np.quantile(probability, np.linspace(0, 1, bins + 1))
    n = np.bincount(np.searchsorted(edges[1:-1], probability), minlength=bins)
    return true, mean, n[n > 0]


# --- what wrong labels leave to be reached


def ceiling(image: np.ndarray, music: np.ndarray) -> float:
    """Accuracy on class-balanced pairs, against the labels, of who knows every true class, as a share.

    Parameters
    ----------
    image, music : P(true class | label) of each half [shape=(K, K)], a label a row

    Chapter: How sure are we.
    """
    same = np.eye(len(image), dtype=bool)
    seen = np.einsum("la,mb->lmab", image, music)  # for each two labels, how often which true classes are met
    true, false = seen[same].mean(0), seen[~same].mean(0)
    return float(np.maximum(true, false).sum() / 2)


def symmetric(noise: float, classes: int = 3) -> np.ndarray:
    """P(true class | label) where so many labels are wrong, each wrong class as often as another."""
    return np.where(np.eye(classes, dtype=bool), 1 - noise, noise / (classes - 1))


def symmetric_ceiling(image: np.ndarray | float, music: np.ndarray | float,
                      classes: int = 3) -> np.ndarray | float:
    """`ceiling` of symmetric noise of two rates, in closed form.

    A label is right with probability 1 - l and says nothing otherwise, l = K / (K - 1) times the noise; only if both
    say something does the pair's label: 1/2 + (1 - l) (1 - m) / 2.

    Chapter: How sure are we.
    """
    k = classes / (classes - 1)
    return (1 + (1 - k * np.asarray(image)) * (1 - k * np.asarray(music))) / 2


def symmetric_noise(accuracy: float, classes: int = 3) -> float:
    """The share of wrong labels in both halves at which `symmetric_ceiling` falls to an accuracy, a share above 1/2."""
    return float((1 - np.sqrt(2 * accuracy - 1)) * (classes - 1) / classes)


def simulated_ceiling(noise: float, n: int = 20_000, seed: int = 0) -> float:
    """`symmetric_ceiling` of one rate for both halves, by simulation: the share of n class-balanced pairs of noisy
    labels that someone calls right who knows the true classes.

    Chapter: How sure are we.
    """
    rng, classes = streams.generator("noisy labels", seed, str(noise)), len(CLASSES)
    truth = rng.integers(classes, size=(2, n))
    label = (truth + (rng.random((2, n)) < noise) * rng.integers(1, classes, size=(2, n))) % classes
    i, j, answer = protocols.draw("class_balanced", label[0], label[1], n, rng)
    return float(np.mean((truth[0][i] == truth[1][j]) == answer))


def wrong_labels(x: np.ndarray, label: np.ndarray, groups: np.ndarray, *, width: int = 50, folds: int = 5,
                 seed: int = 0) -> np.ndarray:
    """P(true class | label) as confident learning estimates it from features (K, K): rows of labels that occur.

    A logistic regression on the first principal components says for each sample, of a fold that it was not fitted on,
    how probable each class is. A sample counts as of another class than its label if that class is more probable for it
    than for the average sample with that label. Overlapping classes are so not taken for wrong labels, as long as the
    probabilities are honest. Source: Northcutt, Jiang and Chuang (2021), Confident learning, Journal of Artificial
    Intelligence Research 70.

    Parameters
    ----------
    x : features [shape=(n, width)]; label : class numbers [shape=(n,)]
    groups : what must not stand in two folds, such as songs [shape=(n,)]

    Chapter: How sure are we.
    """
    held, y = np.unique(label, return_inverse=True)
    model = make_pipeline(StandardScaler(), PCA(min(width, len(x) // 2, x.shape[1]), whiten=True,
                                                random_state=streams.number("components of features", seed)),
                          LogisticRegression(C=0.1, max_iter=1000))
    cut = StratifiedGroupKFold(folds, shuffle=True, random_state=streams.number("folds", seed))
    p = cross_val_predict(model, x, y, groups=groups, cv=cut, method="predict_proba")
    own = np.array([p[y == k, k].mean() for k in range(len(held))])
    sure = np.where(p >= own, p, -1)
    counted = sure.max(1) >= 0
    table = confusion_matrix(y[counted], sure[counted].argmax(1), labels=range(len(held)))
    return np.where(table.sum(1, keepdims=True) == 0, np.eye(len(held)),
                    table / np.maximum(table.sum(1, keepdims=True), 1))


def noise(given: np.ndarray, label: np.ndarray) -> float:
    """Share of wrong labels among samples, from P(true class | label) of the labels that occur."""
    shares = np.bincount(np.unique(label, return_inverse=True)[1]) / len(label)
    return float(1 - shares @ np.diag(given))
