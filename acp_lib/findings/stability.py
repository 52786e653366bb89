"""How far the labels of songs hang on single tags: what is left of them when tags are dropped, what would come out if
as many were drawn anew, and the accuracy that nobody can exceed who is judged by such labels.

Dropping is too kind: a song of one tag keeps its label or loses it, and is never found to have a wrong one. Drawing
anew is harsh: a score counts different tags, so that a second listener who writes "sad" does not count, and the songs
of several tags, from which it is learnt how mixed tags are, may be more mixed than those of one.

Chapter: What the released labels are worth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd
from scipy import optimize, special, stats

from acp_lib import streams
from acp_lib.audits import uncertainty
from acp_lib.emotions import CLASSES
from acp_lib.experiment import intervals

DROPPED = (0.1, 0.2, 0.3, 0.4, 0.5)
NONE = len(CLASSES)
"""In place of a class: a song without any tag has none."""
FITTED = {"all songs": (1, np.inf), "songs of two tags": (2, 2), "songs of three tags or more": (3, np.inf)}
"""Songs, by fewest and most tags, from which it is learnt how mixed the tags of a song are."""
DRAWS = 200
"""Of artists, for intervals that no formula gives."""


def counts(songs: pd.DataFrame) -> np.ndarray:
    """Positive, neutral and negative tags of each song [shape=(n, 3)]; songs : as `imac.songs` reads them."""
    return songs[list(CLASSES)].to_numpy(int)


def labels(scores: np.ndarray, order: Sequence[int] = range(NONE)) -> np.ndarray:
    """The class number of each of some scores [shape=(..., 3)], a tie to the class that stands first in `order`; NONE
    where all are 0. In the order of CLASSES this is `tags.label`.
    """
    found = np.asarray(order)[scores[..., list(order)].argmax(-1)]
    return np.where(scores.any(-1), found, NONE)


# --- tags that are dropped


def thinned(scores: np.ndarray, dropped: float) -> np.ndarray:
    """How probable each class, and none, is for each song once each of its tags is dropped with a probability,
    independently of the others: exactly, over all that can be left [shape=(n, 4)].

    Chapter: What the released labels are worth.
    """
    left = np.arange(scores.max() + 1)
    p = stats.binom.pmf(left, scores[..., None], 1 - dropped)  # song, class, tags left
    to = np.eye(NONE + 1)[labels(np.stack(np.meshgrid(left, left, left, indexing="ij"), -1))]
    return np.einsum("na,nb,nc,abck->nk", p[:, 0], p[:, 1], p[:, 2], to, optimize=True)


def kinds(scores: np.ndarray) -> dict[str, np.ndarray]:
    """Which songs are of each class, and of each margin between the two highest scores; none that no song is of."""
    own, ranked = labels(scores), np.sort(scores, 1)
    lead, single = ranked[:, 2] - ranked[:, 1], scores.sum(1) == 1
    found = {"all": own < NONE, **{c: own == k for k, c in enumerate(CLASSES)}, "one tag": single}
    found |= {"tie": lead == 0, "ahead by one tag": (lead == 1) & ~single, "ahead by two or more": lead > 1}
    return {kind: held for kind, held in found.items() if held.any()}


def surviving(scores: np.ndarray, artist: np.ndarray) -> list[dict]:
    """For each share of tags that are dropped and each of `kinds`: "lost", the share of songs left without a tag, and
    "value", of the others the share that keeps its label, with its interval over artists.

    Chapter: What the released labels are worth.
    """
    own, rows = labels(scores), []
    for dropped in DROPPED:
        p = thinned(scores, dropped)
        same, left = p[np.arange(len(own)), own], 1 - p[:, NONE]
        for kind, held in kinds(scores).items():
            share = same[held].sum() / left[held].sum()
            each = share + (same[held] - share * left[held]) / left[held].mean()  # a ratio's, to first order
            rows.append({"what": "dropped", "dropped": dropped, "songs": kind, "n": int(held.sum()),
                         "lost": float(1 - left[held].mean()), **estimate(intervals.mean(each, artist[held]))})
    return rows


def ceilings(scores: np.ndarray, artist: np.ndarray, draws: int = DRAWS) -> list[dict]:
    """For each share of tags that are dropped: "value", the highest accuracy on class-balanced pairs for someone who
    knows the labels of all tags, where pictures are labelled right and songs by the tags that are left.
    """
    own, rows = np.eye(NONE)[labels(scores)], []
    for dropped in DROPPED:
        p = thinned(scores, dropped)[:, :NONE]
        rows += bootstrapped({"what": "pairs, dropped", "dropped": dropped}, ["value"],
                             lambda left, right: _pairs(left.T @ right), [p, own], artist, draws)
    return rows


def _pairs(met: np.ndarray) -> float:
    """`uncertainty.ceiling` where pictures are labelled right; met : how often a label meets a true class (3, 3)."""
    return uncertainty.ceiling(np.eye(NONE), met / met.sum(1, keepdims=True))


# --- tags that are drawn anew


def two_tags(scores: np.ndarray) -> np.ndarray:
    """For each song of two tags or more, how often two of its tags, drawn without putting back, are of one class."""
    n = scores.sum(1)
    return (scores * (scores - 1)).sum(1)[n > 1] / (n * (n - 1))[n > 1]


def fitted(scores: np.ndarray, songs: np.ndarray | None = None) -> np.ndarray:
    """The Dirichlet-multinomial that makes scores most probable, given the numbers of tags: its three parameters.

    Each song has shares of the three classes of its own, drawn from a Dirichlet distribution; each of its tags is of a
    class by these shares, independently. songs : how many have each score, one if none are given [shape=(n,)]

    Raises
    ------
    ValueError
        Without a song of several tags, which alone tell how mixed tags are.

    Source: Mosimann (1962), On the compound multinomial distribution, Biometrika 49.
    Chapter: What the released labels are worth.
    """
    songs, n = np.ones(len(scores)) if songs is None else songs, scores.sum(1)
    if not songs[n > 1].any():
        raise ValueError("no song has two tags, or as many as are asked for; expected some, which tell how mixed tags "
                         "are")

    def unlikely(log: np.ndarray) -> float:
        return -songs @ stats.dirichlet_multinomial.logpmf(scores, np.exp(log), n) / songs.sum()

    return np.exp(optimize.minimize(unlikely, np.zeros(NONE), bounds=[(-7, 7)] * NONE).x)


def largest(alpha: np.ndarray, nodes: int = 48) -> np.ndarray:
    """How probable it is that each of the shares of a Dirichlet distribution is the largest [shape=(..., 3)].

    Shares are gamma variables over their sum; the chance that the others are smaller is averaged over quantiles of one,
    by Gauss's rule.
    """
    place, weight = np.polynomial.legendre.leggauss(nodes)
    at = special.gammaincinv(alpha[..., None], (place + 1) / 2)
    below = special.gammainc(alpha[..., None, :, None], at[..., :, None, :])  # ..., one, another, node
    below[..., np.eye(NONE, dtype=bool), :] = 1
    return below.prod(-2) @ weight / 2


def redrawn(scores: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """How probable each class is as the label of each song, if as many tags as it has were drawn anew for it, by what
    its tags and the Dirichlet-multinomial tell of its shares [shape=(n, 3)].
    """
    found = np.zeros((len(scores), NONE))
    for n in np.unique(scores.sum(1)):
        could = np.array([(a, b, n - a - b) for a in range(n + 1) for b in range(n + 1 - a)])
        some = scores.sum(1) == n
        p = stats.dirichlet_multinomial.pmf(could, (alpha + scores[some])[:, None], n)
        found[some] = p @ np.eye(NONE)[labels(could)]
    return found


WORTH = {"label again": "songs whose label would stay the same if as many tags were redrawn",
         "label right": "songs whose label is the class of most tags, if there were infinitely many",
         "pairs": "class-balanced pairs whose labels agree with that class, if all pictures are labelled correctly"}


def worth(cells: np.ndarray, songs: np.ndarray, fewest: float = 1, most: float = np.inf) -> list[float]:
    """The shares that WORTH names, of songs that have each of some scores, learnt from those of so many tags.

    Chapter: What the released labels are worth.
    """
    n, own = cells.sum(1), labels(cells)
    alpha = fitted(cells, songs * ((fewest <= n) & (n <= most)))
    again, right = redrawn(cells, alpha), largest(alpha + cells)
    at = np.arange(len(own)), own
    return [songs @ again[at] / songs.sum(), songs @ right[at] / songs.sum(),
            _pairs((np.eye(NONE)[own] * songs[:, None]).T @ right)]


def _worth(cells: np.ndarray, tagged: tuple[float, float], which: np.ndarray) -> list[float]:
    return worth(cells, np.bincount(which, minlength=len(cells)).astype(float), *tagged)


def reliability(scores: np.ndarray, artist: np.ndarray, draws: int = DRAWS) -> list[dict]:
    """`two_tags` with what chance would give, and for each of FITTED the shares of `worth`.

    Chapter: What the released labels are worth.
    """
    cells, which = np.unique(scores, axis=0, return_inverse=True)
    which, rows = which.ravel(), []  # NumPy 2.0 alone gives it a column
    for of, tagged in FITTED.items():
        rows += bootstrapped({"what": "redrawn", "learnt": of}, list(WORTH), partial(_worth, cells, tagged), [which],
                             artist, draws)
    several = scores.sum(1) > 1
    shares = scores[several].sum(0) / scores[several].sum()
    return [*rows, {"what": "two tags", "n": int(several.sum()), "chance": float(shares @ shares),
                    **estimate(intervals.mean(two_tags(scores), artist[several]))}]


# --- intervals


def estimate(found: intervals.Estimate) -> dict:
    return {"value": found.value, "interval": [float(end) for end in found.interval()]}


def bootstrapped(about: dict, names: Sequence[str], statistic: Callable[..., float | list[float]],
                 songs: Sequence[np.ndarray], artist: np.ndarray, draws: int) -> list[dict]:
    """A row for each number that a statistic of songs gives, with its 95 % interval: artists are drawn anew, each with
    all its songs.

    songs : what the statistic takes, a song a row
    """
    which, rng = np.unique(artist, return_inverse=True)[1], streams.generator("songs of artists")
    held = np.split(np.argsort(which, kind="stable"), np.cumsum(np.bincount(which))[:-1])
    some = (np.concatenate([held[k] for k in rng.integers(len(held), size=len(held))]) for _ in range(draws))
    drawn = [np.atleast_1d(statistic(*(values[rows] for values in songs))) for rows in some]
    ends = np.quantile(drawn, [0.025, 0.975], axis=0).T.tolist()
    return [about | ({} if name == "value" else {"of": name}) | {"value": float(value), "interval": pair}
            for name, value, pair in zip(names, np.atleast_1d(statistic(*songs)), ends, strict=True)]
