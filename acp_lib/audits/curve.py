"""What a specification curve says as a whole: whether readings lie further apart than runs of one reading do, whether
their median is above what it is held against, and to which details that can be put down; and each of these in words.

Source: Simonsohn, Simmons and Nelson (2020), Specification curve analysis, Nature Human Behaviour 4.

Chapter: The garden of forking paths.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import factorial, prod

import numpy as np
import pandas as pd
from scipy import stats

from acp_lib import streams
from acp_lib.audits import uncertainty
from acp_lib.engine.text import number, span

LEVEL = 0.05
RESAMPLES = 9999
AT_ONCE = 100  # bootstrap draws


# --- do groups differ?


def apart(groups: Sequence[Sequence[float] | np.ndarray]) -> dict:
    """Whether groups of results lie further apart than their members do: a permutation test of the F statistic.

    If groups made no difference, results could be reassigned to them at random. All ways to
    deal them are tried, or RESAMPLES where there are more. No result need be normal: runs that never left the plateau
    lie apart from the others.

    groups : results of each group; one of a single result, whose luck is not known, is left out

    Returns
    -------
    {"p", "least": about the smallest p that groups of these sizes can give, "share": of the variance, from 0 to 1, that
    the groups explain, adjusted for their number, "between", "within": standard deviations of what groups add and of
    results within a group}; where there are no two groups p and least are 1, the others None

    Chapter: The garden of forking paths.
    """
    held = [np.asarray(group, float) for group in groups if len(group) > 1]
    if len(held) < 2:
        return {"p": 1.0, "least": 1.0, "share": None, "between": None, "within": None}
    every, sizes = np.concatenate(held), [len(group) for group in held]
    n, k, total = len(every), len(held), np.var(every, ddof=1)
    ways = factorial(n) // prod(map(factorial, sizes)) // prod(map(factorial, Counter(sizes).values()))
    centred = [group - every.mean() for group in held]
    within = sum(((group - group.mean()) ** 2).sum() for group in held) / (n - k)
    between = (_between(*centred, axis=0) - (k - 1) * within) / (n - np.square(sizes).sum() / n)
    p = stats.permutation_test(centred, _between, vectorized=True, n_resamples=RESAMPLES, alternative="greater",
                               rng=streams.generator("effects of a detail")).pvalue if np.ptp(every) > 1e-9 else 1.0
    return {"p": float(p), "least": max(1 / ways, 1 / (RESAMPLES + 1)), "within": float(np.sqrt(within)),
            "between": float(np.sqrt(max(between, 0))), "share": float(max(1 - within / total, 0)) if total else 0.0}


def _between(*groups: np.ndarray, axis: int) -> np.ndarray:
    """Sum of squares between groups of results whose mean is 0; F grows with it, as the sum of all squares is given."""
    return np.sum([group.shape[axis] * group.mean(axis) ** 2 for group in groups], axis=0)


def details(readings: Sequence[dict], values: Sequence[float]) -> list[dict]:
    """For each detail what `apart` finds between the readings that take one value of it and those that take another,
    with "holm", p corrected for the number of details, and "values", how many; the smallest p first.

    A reading, not a run, is what is dealt: the runs of a reading share all its other details as well. Each detail is
    looked at by itself, which a balanced design allows.

    values : of each reading, the mean over its runs

    Chapter: The garden of forking paths.
    """
    table, y = pd.DataFrame(list(readings), dtype=object).astype(str), np.asarray(values, float)
    rows = []
    for name in table:
        groups = [y[where] for where in table.groupby(name).indices.values()]
        rows.append({"detail": name, "values": len(groups), **apart(groups)})
    return sorted(uncertainty.holm(rows), key=lambda row: (row["p"], -(row["share"] or 0)))


def told(rows: Sequence[dict]) -> list[str]:
    """The details, rows of `details`, whose effect can be told from luck.

    Chapter: The garden of forking paths.
    """
    return [row["detail"] for row in rows if row["holm"] < LEVEL]


# --- other runs, pictures and songs


def resampled(values: Sequence[np.ndarray], names: Sequence[tuple[np.ndarray, ...]], *, draws: int = 1000,
              seed: int = 0) -> np.ndarray:
    """The mean of each reading with other runs, pictures and songs: (draws, readings).

    In a draw all readings are given the same pictures and songs, since what is hard for one is so for others. Of a
    reading's n runs n - 1 are drawn, with replacement: drawn n times, a few runs
    vary too little. Source: Rao and Wu (1988), Resampling inference with complex survey data, Journal of the American
    Statistical Association 83.

    Parameters
    ----------
    values : of each reading, for each run and pair, whether it was right, or a difference of two such [shape=(runs, n)]
    names : of each reading, for each thing that is drawn as a whole, its name for each pair [shape=(n,)]

    Chapter: The garden of forking paths.
    """
    rng = streams.generator("the curve redrawn", seed)
    kinds = [np.unique(np.concatenate(one)) for one in zip(*names, strict=True)]
    where = [[np.searchsorted(kind, one) for kind, one in zip(kinds, own, strict=True)] for own in names]
    parts = []
    for first in range(0, draws, AT_ONCE):
        size = min(AT_ONCE, draws - first)
        weights = [rng.multinomial(len(kind), np.full(len(kind), 1 / len(kind)), size=size) for kind in kinds]
        means = np.empty((size, len(values)))
        for k, (own, right) in enumerate(zip(where, values, strict=True)):
            weight = np.prod([w[:, which] for w, which in zip(weights, own, strict=True)], axis=0, dtype=float)
            n = len(right)
            chosen = rng.multinomial(max(n - 1, 1), np.full(n, 1 / n), size=size) / max(n - 1, 1)
            total = weight.sum(1)
            means[:, k] = ((weight @ np.asarray(right, float).T) * chosen).sum(1) / np.where(total > 0, total, np.nan)
        parts.append(means)
    made = np.concatenate(parts)
    return made[~np.isnan(made).any(1)]


def median_above(values: Sequence[float], drawn: np.ndarray) -> dict:
    """Whether the median reading is above 0, by a test of all readings at once.

    If no reading had an effect, each would lie about 0 as its draws lie about its own value, all of them together.

    values : of each reading, as far as it is above what it is held against [shape=(readings,)]
    drawn : the same, drawn anew [shape=(draws, readings)]

    Returns
    -------
    {"median", "interval": of 95 %, "p": one-sided, at least 1 / (draws + 1)}

    Chapter: The garden of forking paths.
    """
    median, null = float(np.median(values)), np.median(drawn - np.asarray(values), axis=1)
    low, high = np.quantile(np.median(drawn, axis=1), [0.025, 0.975])
    return {"median": median, "interval": [float(low), float(high)],
            "p": float((1 + np.sum(null >= median)) / (1 + len(null)))}


# --- in words


def _p(p: float) -> str:
    return f"p = {p:.3f}" if p >= 0.001 else "p < 0.001"


def spread_in_words(found: dict) -> str:
    """What follows from `apart` of the runs of each reading.

    Chapter: The garden of forking paths.
    """
    if found["within"] is None:
        return "there are no two readings with several runs to compare"
    runs = f"runs that differ only in their seed have a standard deviation of {found['within']:.1f} points"
    if found["p"] < LEVEL:
        return (f"readings lie further apart than runs of one reading ({_p(found['p'])}): {runs}, and the reading "
                f"adds one of {found['between']:.1f}")
    return f"readings lie no further apart than runs of one reading would by luck ({_p(found['p'])}): {runs}"


def median_in_words(found: dict) -> str:
    """What follows from `median_above` of the accuracy beyond the best one-sided guesser.

    Chapter: The garden of forking paths.
    """
    how = "is better than" if found["p"] < LEVEL else "cannot be told from"
    return (f"{how} the best one-sided baseline: {number(found['median'], sign='+')} points (95 % CI over runs, "
            f"pictures and songs {span(found['interval'], sign='+')}; {_p(found['p'])})")


def details_in_words(rows: Sequence[dict], readings: int) -> str:
    """What follows from `details`, in Markdown.

    Chapter: The garden of forking paths.
    """
    if names := told(rows):
        held = [f"`{row['detail']}` ({100 * row['share']:.0f} % of the variance between readings, {_p(row['holm'])})"
                for row in rows if row["detail"] in names]
        return f"the effects that can be told from luck are those of {', '.join(held)}"
    least = f"the smallest of {len(rows)} p-values, corrected by Holm's method, is {_p(rows[0]['holm'])}"
    none = f"no detail's effect can be told from luck ({least})"
    possible = min(row["least"] for row in rows) * len(rows)
    return none if possible < LEVEL else f"{none}; with {readings} readings none could, however large"
