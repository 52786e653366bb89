"""How sure one may be of an accuracy: where it varies, whether intervals hold what they promise, which differences are
more than luck, and what wrong labels leave to be reached.

Chapter: How sure are we.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from scipy import stats
from sklearn.calibration import calibration_curve
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, confusion_matrix, roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from statsmodels.stats.multitest import multipletests

from acp_lib import streams
from acp_lib.emotions import CLASSES
from acp_lib.experiment import evaluation
from acp_lib.experiment import pairs as protocols

# --- where it varies


def components(groups: dict[str, Sequence[float]], *, draws: int = 20_000, seed: int = 0) -> list[dict]:
    """Standard deviation of a result under each of several sources of luck, and their shares of the variance.

    A random-effects view: each group holds results that differ in the draw of one thing alone, so that its variance is
    that thing's, and the variances of independent things add up. Intervals are from a parametric bootstrap of normal
    results, turned round: (n - 1) s^2 over draws of chi-square with n - 1 degrees of freedom. Resampling ten values
    themselves would give intervals that are too short. Source: Weerahandi (1993), Generalized confidence intervals,
    Journal of the American Statistical Association 88.

    Returns
    -------
    rows {"source", "n", "mean", "sd", "interval", "share", "share_interval"}; shares are None where nothing varies

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
    total, totals = found.sum(), could.sum(1, keepdims=True)
    rows = []
    for k, (name, values) in enumerate(groups.items()):
        row = {"source": name, "n": len(values), "mean": float(np.mean(values)), "sd": float(np.sqrt(found[k])),
               "interval": _middle(np.sqrt(could[:, k])), "share": None, "share_interval": None}
        if total > 0:
            row |= {"share": float(found[k] / total), "share_interval": _middle(could[:, k] / totals[:, 0])}
        rows.append(row)
    return rows


def _middle(draws: np.ndarray, level: float = 0.95) -> list[float]:
    return [float(e) for e in np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])]


# --- do intervals hold what they promise?


def simulated(rng: np.random.Generator, *, pictures: int, songs: int, pairs: int, spread: tuple[float, float],
              level: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whether a made-up method is right about each of some pairs, and the pairs' pictures and songs.

    Some pictures and songs are easier than others: on the probit scale each adds a normal effect of its own, with
    standard deviations `spread`, such that the accuracy over all pictures and songs is `level`.
    """
    i, j = rng.integers(pictures, size=pairs), rng.integers(songs, size=pairs)
    middle = stats.norm.ppf(level) * np.sqrt(1 + np.square(spread).sum())
    ease = middle + spread[0] * rng.standard_normal(pictures)[i] + spread[1] * rng.standard_normal(songs)[j]
    return rng.random(pairs) < stats.norm.cdf(ease), i, j


def intervals(draws: int, seed: int = 0) -> dict[str, Callable]:
    """Ways to a 95 % interval for an accuracy, each from `right`, the pairs' pictures and the pairs' songs.

    Chapter: How sure are we.
    """
    bootstrap = partial(evaluation.cluster_bootstrap, draws=draws, seed=seed)
    return {"pairs independent": lambda right, i, j: stats.binomtest(int(right.sum()), len(right)).proportion_ci(0.95),
            "pictures drawn": lambda right, i, j: bootstrap(right, i),
            "songs drawn": lambda right, i, j: bootstrap(right, j),
            "pictures and songs drawn": lambda right, i, j: bootstrap(right, i, j)}


def coverage(rounds: int = 200, *, pictures: int = 144, songs: int = 44, pairs: int = 1000, level: float = 0.62,
             spread: tuple[float, float] = (0.3, 0.4), draws: int = 300, seed: int = 0) -> list[dict]:
    """How often 95 % intervals for the accuracy over all pictures and songs hold the truth, in simulated test sets.

    Returns
    -------
    rows {"interval", "rounds", "covered", "width"} for the binomial interval, which takes pairs for independent, for
    bootstraps that draw pictures alone or songs alone, and for the one that draws both

    Chapter: How sure are we.
    """
    ways = intervals(draws, seed)
    rng = streams.generator("coverage", seed)
    ends: dict[str, list[tuple[float, ...]]] = {name: [] for name in ways}
    for _ in range(rounds):
        right, i, j = simulated(rng, pictures=pictures, songs=songs, pairs=pairs, spread=spread, level=level)
        for name, way in ways.items():
            ends[name].append(tuple(way(right, i, j)))
    return [_covered(name, some, level) for name, some in ends.items()]


def _covered(name: str, ends: list[tuple[float, ...]], truth: float) -> dict:
    low, high = np.array(ends).T
    return {"interval": name, "rounds": len(ends), "covered": float(np.mean((low <= truth) & (truth <= high))),
            "width": float(np.mean(high - low))}


def kept(covered: float, rounds: int, promised: float = 0.95) -> str:
    """What intervals did of what they promise, in words: a share of `rounds` simulations that differs from the promised
    one by less than its own 95 % noise is no difference.

    Chapter: How sure are we.
    """
    noise = noise_of_a_share(promised, rounds)
    return ("holds more often than it promises" if covered > promised + noise else
            "holds less often than it promises" if covered < promised - noise else "holds what it promises")


def noise_of_a_share(share: float, n: int) -> float:
    """Half the width of the 95 % interval, by the normal approximation, for a share among n independent cases."""
    return float(1.96 * np.sqrt(share * (1 - share) / n))


def coverage_of_t(rounds: int = 500, *, runs: int = 10, stuck: float = 0.0, seed: int = 0) -> dict:
    """The same for Student's interval over runs, whose accuracy is normal, but at chance for the share `stuck` of them.

    Chapter: How sure are we.
    """
    rng = streams.generator("coverage of t", seed)
    values = np.where(rng.random((rounds, runs)) < stuck, 0.5, 0.62 + 0.02 * rng.standard_normal((rounds, runs)))
    truth = 0.5 * stuck + 0.62 * (1 - stuck)
    name = f"{runs} runs" + (f", {100 * stuck:g} % of them stuck at chance" if stuck else "")
    return _covered(name, [evaluation.t_interval(row) for row in values], truth)


# --- which differences are more than luck?


def permutation_test(one: np.ndarray, other: np.ndarray, *groups: np.ndarray, resamples: int = 9999,
                     seed: int = 0) -> dict:
    """Whether two methods are equally often right, by a permutation test that swaps them within clusters.

    If they were equally good, it would not matter which of the two is called the first for all pairs of a song, or for
    all pairs of a picture. Both swaps are tried, and the larger p counts, because either alone takes the other kind of
    cluster for luck that averages out.

    Parameters
    ----------
    one, other : share of runs that called each pair right [shape=(n,)]
    groups : names of the clusters for each pair [shape=(n,)]: pictures, songs

    Returns
    -------
    {"difference", "p"}; p is two-sided and at least 1 / (resamples + 1)

    Chapter: How sure are we.
    """
    one, other = np.asarray(one, float), np.asarray(other, float)
    found = {"difference": float(np.mean(one - other)), "p": 1.0}
    if np.array_equal(one, other):
        return found
    return found | {"p": max(swapped_within(names, one, other, resamples, seed) for names in groups)}


def swapped_within(names: np.ndarray, one: np.ndarray, other: np.ndarray, resamples: int, seed: int) -> float:
    """p of a permutation test that swaps two methods for all pairs of a cluster at once; `names` are the clusters.

    Chapter: How sure are we.
    """
    which = np.unique(names, return_inverse=True)[1]
    sums = [np.bincount(which, weights=values) for values in (one, other)]  # right answers in each cluster
    if len(sums[0]) < 2:
        return 1.0  # one cluster can only change the sign
    test = stats.permutation_test(sums, lambda a, b, axis: (a - b).sum(axis), permutation_type="samples",
                                  vectorized=True, n_resamples=resamples, rng=streams.generator("swaps", seed))
    return float(test.pvalue)


def holm(rows: list[dict]) -> list[dict]:
    """The same rows with "holm", their "p" corrected for the number of rows. Source: Holm (1979)."""
    corrected = multipletests([row["p"] for row in rows], method="holm")[1]
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
    return ("too sure" if probability > right + near else "less sure than they could be" if probability <= right - near
            else "about as sure as they should be")


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
