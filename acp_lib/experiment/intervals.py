"""Confidence intervals and p-values for a mean of answers, or the difference of two means, over runs, pictures and
songs together.

Answers are a matrix, runs x items; an item is a pair of a picture and a song, or a single sample. Items that share a
picture or a song have correlated errors, and so have all items of a run. The variance of the mean has two parts: one
due to pictures and songs, from sums over their clusters, and one between runs. Interval and p use both.

Sources: Cameron, Gelbach and Miller (2011), Robust inference with multiway clustering, Journal of Business & Economic
Statistics 29(2); MacKinnon, Nielsen and Webb (2023), Cluster-robust inference: a guide to empirical practice, Journal
of Econometrics 232(2), for the jackknife; Cochran and Cox (1957), Experimental Designs, 4.14, for the quantile.

Chapter: How sure are we.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import optimize, special

TINY = 1e-12
SMALLEST = 1e-15  # p: of less, 1 - p / 2 is 1, whose quantile is infinite


@dataclass(frozen=True)
class Estimate:
    """A mean, and its variance due to each independent source.

    variances : (variance, degrees of freedom) due to pictures and songs, then due to runs where there are several; a
        variance is infinite where the data cannot determine it, as with a single song
    least, most : bounds of the value
    """

    value: float
    variances: tuple[tuple[float, float], ...]
    least: float
    most: float

    @property
    def error(self) -> float:
        """The standard error; 0 where only rounding errors are left."""
        found = float(np.sqrt(sum(v for v, _ in self.variances)))
        return 0.0 if found < TINY else found

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Two-sided confidence interval, clipped to the bounds of the value."""
        reach = self._quantile((1 + level) / 2) * self.error if self.error else 0.0
        return max(self.value - reach, self.least), min(self.value + reach, self.most)

    def p(self, than: float = 0.0) -> float:
        """Two-sided p for the hypothesis that the mean is `than`: below 0.05 where the unclipped 95 % interval excludes
        it.
        """
        away = abs(self.value - than)
        if not self.error or not np.isfinite(self.error) or away < TINY:
            return float(not self.error < away)
        low, high = (2 * float(special.stdtr(df, -away / self.error)) for df in self._ends())

        def beyond(p: float) -> float:
            return self._quantile(1 - p / 2) - away / self.error

        low = max(low, SMALLEST)
        if high - low < SMALLEST or beyond(high) >= 0:
            return high
        if beyond(low) <= 0:  # all but rounding comes from the source of the most degrees of freedom
            return low
        return float(optimize.brentq(beyond, low, high))

    def equivalent(self, than: float, margin: float) -> float:
        """p for the hypothesis that the mean differs from `than` by `margin` or more: the larger of two one-sided p.

        Source: Schuirmann (1987), Journal of Pharmacokinetics and Biopharmaceutics 15(6).
        """
        if abs(self.value - than) >= margin:
            return 1.0
        return max(self.p(than - margin), self.p(than + margin)) / 2

    def scaled(self, times: float) -> Estimate:
        """The same in another unit, such as per cent."""
        return replace(self, value=times * self.value, least=times * self.least, most=times * self.most,
                       variances=tuple((times**2 * v, df) for v, df in self.variances))

    def row(self) -> dict:
        """For a table: {"ours", "interval", "variances"}, the last None where one is infinite."""
        known = np.isfinite(self.error)
        return {"ours": self.value, "interval": list(self.interval()),
                "variances": [list(part) for part in self.variances] if known else None}

    def _ends(self) -> tuple[float, float]:
        """The largest and the smallest degrees of freedom among the sources with variance."""
        found = [df for v, df in self.variances if v > 0]
        return max(found), min(found)

    def _quantile(self, at: float) -> float:
        variances, dofs = np.array(self.variances).T
        return float(quantiles(at, variances, dofs)) if np.isfinite(variances).all() else np.inf


def of_row(row: dict) -> Estimate:
    """The estimate behind a row of `Estimate.row`; bounded by its interval where the error is unknown, else unbounded.
    """
    if row["variances"] is None:
        return Estimate(row["ours"], ((np.inf, 1.0),), *row["interval"])
    return Estimate(row["ours"], tuple((v, df) for v, df in row["variances"]), -np.inf, np.inf)


def mean(values: np.ndarray | Sequence[np.ndarray], *groups: np.ndarray, least: float = 0,
         most: float = 1) -> Estimate:
    """Estimate the mean of answers; its error covers the sampling of runs and of clusters.

    Parameters
    ----------
    values : answers, one row per run [shape=(runs, n)]; with a single run the error excludes the variance between runs
    groups : one or two kinds of clusters (pictures, songs): the name of each item's cluster [shape=(n,)]
    least, most : bounds of the mean

    Raises
    ------
    ValueError
        Without values, or for groups of another length.
    """
    return _estimate([_matrix(values)], groups, least, most)


def difference(one: np.ndarray | Sequence[np.ndarray], other: np.ndarray | Sequence[np.ndarray],
               *groups: np.ndarray) -> Estimate:
    """Estimate the difference of two methods' means on the same items, `one` minus `other`.

    Parameters
    ----------
    one, other : one row per run [shape=(runs, n)]; rows with the same index have the same seed, so that luck shared by
        both cancels; the numbers of rows may differ
    groups : as for `mean`

    Raises
    ------
    ValueError
        Without values, or for groups or methods of another length.
    """
    return _estimate([_matrix(one), -_matrix(other)], groups, -1, 1)


def pooled(folds: Sequence[Estimate], sizes: Sequence[int]) -> Estimate:
    """The mean over all items of folds that share no picture and no song; each fold has its own runs.

    The variances due to pictures and songs add up. The variance due to runs and training samples is estimated in two
    ways, from the runs within each fold where there are several and from the differences between folds; the larger one
    is used. Folds share most of their training samples, so the second underestimates the variance due to these.

    folds : the estimate of each fold; sizes : its number of items

    Raises
    ------
    ValueError
        For fewer than two folds, or sizes of another length.
    """
    if len(folds) < 2 or len(folds) != len(sizes):
        raise ValueError(f"there are {len(folds)} folds and {len(sizes)} sizes; expected two or more, as many of each")
    share = np.array(sizes) / sum(sizes)
    value = float(share @ [fold.value for fold in folds])
    sources = np.array([[(s**2 * v, df) for v, df in fold.variances]
                        for s, fold in zip(share, folds, strict=True)]).transpose(1, 0, 2)
    items, *runs = (_summed(*source.T) for source in sources)
    apart = (share**2 * (np.array([fold.value for fold in folds]) - value)**2).sum() * len(folds) / (len(folds) - 1)
    between = max([*runs, (max(float(apart) - items[0], 0.0), len(folds) - 1.0)])
    return Estimate(value, (items, between), folds[0].least, folds[0].most)


def _summed(variances: np.ndarray, dofs: np.ndarray) -> tuple[float, float]:
    """A sum of variances, and Satterthwaite's degrees of freedom."""
    total, spent = float(variances.sum()), float((variances**2 / dofs).sum())
    return total, total**2 / spent if np.isfinite(total) and spent > 0 else float(dofs.min())


def _matrix(values: np.ndarray | Sequence[np.ndarray]) -> np.ndarray:
    found = np.atleast_2d(np.asarray(values, float))
    if found.ndim != 2 or not found.size:
        raise ValueError(f"answers have shape {np.shape(values)}; expected runs x items, one or more of each")
    return found


def _estimate(parts: Sequence[np.ndarray], groups: Sequence[np.ndarray], least: float, most: float) -> Estimate:
    value, variances, dofs = (found[0] for found in stacked([part[None] for part in parts], *groups))
    return Estimate(float(value), tuple(zip(variances.tolist(), dofs.tolist(), strict=True)), least, most)


def stacked(parts: Sequence[np.ndarray], *groups: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Estimate sums of means for many lists of answers to the same items at once.

    Parameters
    ----------
    parts : the terms of the sum: answers, one row per run [shape=(lists, runs, n)], each term with its own number of
        runs; rows with the same index belong together
    groups : as for `mean`

    Returns
    -------
    values [shape=(lists,)]; their variances and the degrees of freedom of these [shape=(lists, 1 or 2)]

    Raises
    ------
    ValueError
        For groups or parts of another length.
    """
    n = parts[0].shape[2]
    if other := [m for m in (*(part.shape[2] for part in parts), *map(len, groups)) if m != n]:
        raise ValueError(f"there are answers to {n} items, and answers or groups of {other[0]}; expected as many")
    clusters = [np.unique(g, return_inverse=True)[1] for g in groups]
    if len(clusters) == 2:
        clusters.append(np.unique(clusters[0] * n + clusters[1], return_inverse=True)[1])  # what shares both
    summed = np.sum([part.mean(1) for part in parts], 0)
    found = [_of_items(summed, clusters, len(groups))]
    if several := [part for part in parts if part.shape[1] > 1]:
        between, both, df = _of_runs(several, clusters)
        found = [(np.maximum(found[0][0] - both, 0), found[0][1]), (between, df)]
    variances, dofs = np.array(found).transpose(1, 2, 0)
    return summed.mean(1), variances, dofs


def _of_items(values: np.ndarray, clusters: Sequence[np.ndarray], ways: int) -> tuple[np.ndarray, np.ndarray]:
    """The variance due to clusters of the mean of each row of values (k, n), and Satterthwaite's degrees of freedom.
    """
    of = [_jackknifed(values, which) for which in clusters]
    total = np.fmax.reduce(np.array([*of[:ways], sum(of[:ways]) - sum(of[ways:])]))
    spent = sum(v**2 / _dof(which) for v, which in zip(of[:ways], clusters, strict=False))
    known = np.isfinite(total) & (spent > 0)
    return total, np.maximum(1.0, np.divide(total**2, spent, out=np.ones_like(total), where=known))


def _dof(which: np.ndarray) -> float:
    """Number of clusters minus one; clusters of unequal size count as fewer."""
    size = np.bincount(which).astype(float)
    return max(float((size**2).sum()**2 / (size**4).sum()) - 1, 1e-3)


def _jackknifed(values: np.ndarray, which: np.ndarray) -> np.ndarray:
    """Jackknife variance, leaving out one cluster at a time, of the mean of each row of values (k, n): (k,)."""
    size = np.bincount(which)
    if len(size) == 1:
        return np.full(len(values), np.inf)
    left = (values - values.mean(1, keepdims=True)) / len(which)
    sums = np.add.reduceat(left[:, np.argsort(which, kind="stable")], np.cumsum(size) - size, axis=1)
    return (1 - 1 / len(size)) * ((sums / (1 - size / len(which)))**2).sum(1)


def _of_runs(parts: Sequence[np.ndarray],
             clusters: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The variance of the mean between runs, the part of it that the sums over clusters contain too, and the degrees of
    freedom of the first.

    Each run errs on different pictures and songs. This contributes to the variance between runs and to the sums over
    clusters, so it must be subtracted once. It is subtracted from the cluster sums, which are estimated well; a few
    runs give so rough an estimate that subtracting it there would too often leave too little.
    """
    lists, n, most = len(parts[0]), parts[0].shape[2], max(part.shape[1] for part in parts)
    apart, own, dofs = np.zeros((lists, most, n)), [], []
    for part in parts:
        k = part.shape[1]
        away = (part - part.mean(1, keepdims=True)) / np.sqrt(k * (k - 1))
        apart[:, :k] += away
        own.append((away.mean(2)**2).sum(1))
        dofs.append(k - 1)
    between = (apart.mean(2)**2).sum(1)
    by = [_jackknifed(apart.reshape(-1, n), which).reshape(lists, most).sum(1) for which in clusters]
    again = by[0] if len(by) == 1 else by[0] + by[1] - by[2]
    df = np.full(lists, float(min(dofs)))
    if len(set(dofs)) > 1:
        spent = sum(v**2 / d for v, d in zip(own, dofs, strict=True))
        df = np.divide(sum(own)**2, spent, out=df, where=spent > 0)
    return between, np.where(np.isfinite(again), again, 0), df


def quantiles(at: float, variances: np.ndarray, dofs: np.ndarray) -> np.ndarray:
    """Student's quantiles of the sources, averaged with their variances (..., sources) as weights: accurate for few
    runs, where a single number of degrees of freedom would give intervals that are too narrow.
    """
    return (variances * special.stdtrit(dofs, at)).sum(-1) / variances.sum(-1)
