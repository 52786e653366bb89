"""Whether two methods that are right equally often are right about the same pairs.

Source: Cohen (1960), A coefficient of agreement for nominal scales, Educational and Psychological Measurement 20(1).
Chapter: Baselines.
"""

from collections.abc import Sequence
from itertools import combinations, product

import numpy as np


def kappa(one: np.ndarray, other: np.ndarray) -> float | None:
    """Cohen's kappa of two lists of answers, True or False [shape=(n,)]: 1 where they always agree, 0 where they
    agree as often as chance would have it; None where both give one and the same answer to everything.

    Chapter: Baselines.
    """
    agreed = np.mean(one == other)
    p, q = np.mean(one), np.mean(other)  # how often each says True
    by_chance = p * q + (1 - p) * (1 - q)
    return None if by_chance == 1 else float((agreed - by_chance) / (1 - by_chance))


def mean_kappa(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> float | None:
    """Mean of kappa over pairs of runs, without those that have none; None where no pair has one.

    Chapter: Baselines.
    """
    found = [k for one, other in pairs if (k := kappa(one, other)) is not None]
    return float(np.mean(found)) if found else None


def kappa_between_runs(answers: Sequence[np.ndarray]) -> float | None:
    """Mean kappa of each two runs of one method, which differ in nothing but the seed.

    Chapter: Baselines.
    """
    return mean_kappa(list(combinations(answers, 2)))


def overlap(one: Sequence[np.ndarray], other: Sequence[np.ndarray], truth: np.ndarray) -> dict:
    """Which pairs two methods are right about.

    Parameters
    ----------
    one, other : for each run of a method whether it was right about each pair [shape=(n,)]
    truth : whether each pair is true [shape=(n,)]

    Returns
    -------
    {"both right", "only the first", "only the second", "neither": shares of the pairs, means over the runs; "neither by
    chance": the share if the errors of one had nothing to do with those of the other; "kappa": mean over all pairs of a
    run of one and a run of the other}

    Chapter: Baselines.
    """
    a, b, truth = np.mean(one, 0), np.mean(other, 0), np.asarray(truth, bool)
    return {"both right": np.mean(a * b), "only the first": np.mean(a * (1 - b)),
            "only the second": np.mean((1 - a) * b),
            "neither": np.mean((1 - a) * (1 - b)), "neither by chance": np.mean(1 - a) * np.mean(1 - b),
            "kappa": mean_kappa([(x == truth, y == truth) for x, y in product(one, other)])}
