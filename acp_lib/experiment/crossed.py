"""Variance components of an answer due to runs, pictures, songs and their pairs: crossed random effects, for any number
of pairs per picture and song.

Answers that share a run, a picture or a song differ less than others. The mean squared difference of answers that share
the same factors is a sum of components, which gives one equation for each component.

Sources: Koch (1968), Some further remarks concerning "A general approach to the estimation of variance components",
Technometrics 10(3); Efron and Stein (1981), The jackknife estimate of variance, Annals of Statistics 9(3).

Chapter: How many songs it takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from acp_lib.experiment.intervals import Estimate

FACTORS = ("run", "picture", "song")
COMPONENTS = {("run",): "run", ("picture",): "picture", ("song",): "song", ("picture", "song"): "pair",
              ("run", "picture"): "own_picture", ("run", "song"): "own_song", FACTORS: "own_pair"}
"""The name of the component of each combination of factors."""
SHARED = [kind for n in range(3) for kind in combinations(FACTORS, n)]
"""The combinations of factors that two different answers can share."""
GROUPS = 40  # of the pictures, and of the songs, that the jackknife leaves out at once, at most

Codes = dict[tuple[str, ...], np.ndarray]
"""For each combination of factors a code for each answer; answers that share the factors have equal codes
[shape=(runs, n)].
"""


def components(answers: np.ndarray | Sequence[np.ndarray], pictures: np.ndarray,
               songs: np.ndarray) -> dict[str, Estimate]:
    """The variance components of answers, in the square of their unit.

    Parameters
    ----------
    answers : one row per run [shape=(runs, n)]; or differences of two methods' answers
    pictures, songs : name of the picture and of the song of each pair [shape=(n,)]

    Returns
    -------
    an estimate for each of COMPONENTS. It is unbiased and can be negative; it is NaN where the data cannot determine
    it, as with a single run, picture or song, or if each picture occurs in only one pair. With a single run, `picture`
    includes `own_picture`, and so on. The standard error is that of a jackknife over runs, pictures and songs; it is
    infinite where one of these has only two levels, and excludes runs where there is one.

    Raises
    ------
    ValueError
        Without answers, or for names of another length.
    """
    values = np.atleast_2d(np.asarray(answers, float))
    if values.ndim != 2 or not values.size:
        raise ValueError(f"answers have shape {np.shape(answers)}; expected runs x items, one or more of each")
    if other := [len(names) for names in (pictures, songs) if len(names) != values.shape[1]]:
        raise ValueError(f"there are answers to {values.shape[1]} items, and names of {other[0]}; expected as many")
    codes = _codes(np.arange(len(values))[:, None], *(np.unique(names, return_inverse=True)[1][None]
                                                      for names in (pictures, songs)))
    values = values - values.mean()
    found = _moments(values, codes)
    errors = [_jackknifed(values, codes, name) for name in FACTORS if codes[name,].any()] or [(found, 1.0)]
    return {name: Estimate(float(found[k]), tuple((float(v[k]), df) for v, df in errors), -np.inf, np.inf)
            for k, name in enumerate(COMPONENTS.values())}


def _codes(*levels: np.ndarray) -> Codes:
    """Codes from the level of each factor; the levels have shapes that broadcast."""
    found: Codes = {}
    shape = np.broadcast_shapes(*(level.shape for level in levels))
    for kind in (*SHARED, FACTORS):
        joint = np.zeros((1, 1), int)
        for level in (levels[FACTORS.index(name)] for name in kind):
            joint = joint * (level.max() + 1) + level
        found[kind] = np.broadcast_to(np.unique(joint, return_inverse=True)[1].reshape(joint.shape), shape)
    return found


def _jackknifed(values: np.ndarray, codes: Codes, factor: str) -> tuple[np.ndarray, float]:
    """The variance of each component due to sampling the levels of a factor, and its degrees of freedom: a jackknife
    that leaves out one group of levels at a time.
    """
    axis = 0 if factor == "run" else 1
    level = codes[factor,].take(0, 1 - axis)
    groups = int(min(level.max() + 1, GROUPS))
    if groups < 3:
        return np.full(len(COMPONENTS), np.inf), 1.0
    kept = [np.flatnonzero(level % groups != group) for group in range(groups)]
    left = np.array([_moments(values.take(some, axis), {kind: code.take(some, axis) for kind, code in codes.items()})
                     for some in kept])
    found = (1 - 1 / groups) * ((left - left.mean(0))**2).sum(0)
    return np.where(np.isnan(found), np.inf, found), groups - 1.0


def _moments(values: np.ndarray, codes: Codes) -> np.ndarray:
    """The components, in the order of COMPONENTS; NaN where the equations do not determine one."""
    alike = {kind: _alike(values.ravel(), code.ravel()) for kind, code in codes.items()}
    several = {name for name in FACTORS if alike[name,][0] < values.size**2}
    told = [set(kind) <= several for kind in COMPONENTS]
    found = np.array([0.0 if set(kind) & several else np.nan for kind in COMPONENTS])  # what is there once is nothing
    system, differ = [], []
    for kind in SHARED:
        count, differing = alike[kind]
        if count > values.size:  # each is alike to itself
            joined = [tuple(name for name in FACTORS if name in (*kind, *other)) for other in COMPONENTS]
            system.append([(count - alike[both][0]) / (count - values.size) for both in joined])
            differ.append(differing / (count - values.size))
    if any(told) and system:
        equations = np.array(system)[:, told]
        back = np.linalg.pinv(equations, rcond=1e-10)
        certain = np.isclose(np.diag(back @ equations), 1, atol=1e-6)
        found[told] = np.where(certain, back @ differ, np.nan)
    return found


def _alike(values: np.ndarray, code: np.ndarray) -> tuple[float, float]:
    """Number of ordered pairs of answers with equal codes, each answer paired with itself included, and the sum of half
    their squared differences.
    """
    size = np.bincount(code).astype(float)
    return float((size**2).sum()), float((size * np.bincount(code, values**2) - np.bincount(code, values)**2).sum())
