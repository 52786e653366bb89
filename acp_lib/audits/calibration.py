"""Whether intervals hold the truth as often as they promise, and tests err as seldom: in simulated test sets, where the
truth is known.

Chapter: How sure are we.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats
from scipy.special import ndtr

from acp_lib import streams
from acp_lib.experiment import evaluation, intervals

LEVEL = 0.62
"""Accuracy, over all pictures, songs and runs, of every made-up method."""
MARGIN = 0.1
"""By which the truth is missed where equivalence is tested."""


@dataclass(frozen=True)
class World:
    """Where made-up test sets come from. On the probit scale each picture, song and run adds a normal effect of its
    own, and so does each picture and each song in each run.

    spread : standard deviations of the effects of pictures and of songs; apart : of runs; own : of pictures and songs
        in a run
    uneven : whether some pictures and songs stand in many more pairs than others
    """

    pictures: int = 144
    songs: int = 44
    pairs: int = 1000
    spread: tuple[float, float] = (0.3, 0.4)
    runs: int = 1
    apart: float = 0.0
    own: tuple[float, float] = (0.0, 0.0)
    uneven: bool = False

    def name(self) -> str:
        """In words."""
        sd = f"SD {self.spread[0]:g}, {self.spread[1]:g}"
        runs = f"; {self.runs} runs, SD {self.apart:g}; {self.own[0]:g}, {self.own[1]:g}" if self.runs > 1 else ""
        return f"{self.pictures} × {self.songs}{', uneven' if self.uneven else ''}; {sd}{runs}"

    def drawn(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """The picture and the song of each pair."""
        def some(n: int) -> np.ndarray:
            weight = np.arange(1, n + 1) ** (-0.5 if self.uneven else 0.0)
            return rng.choice(n, self.pairs, p=weight / weight.sum())
        return some(self.pictures), some(self.songs)

    def answers(self, rng: np.random.Generator, i: np.ndarray, j: np.ndarray) -> np.ndarray:
        """Whether each run of a new method is right about each pair, of picture i and song j [shape=(runs, pairs)]."""
        def effect(sd: float, *shape: int) -> np.ndarray:
            return sd * rng.standard_normal(shape)
        ease = (effect(self.spread[0], self.pictures)[i] + effect(self.spread[1], self.songs)[j]
                + effect(self.apart, self.runs, 1) + effect(self.own[0], self.runs, self.pictures)[:, i]
                + effect(self.own[1], self.runs, self.songs)[:, j])
        variance = np.square([*self.spread, self.apart, *self.own]).sum()
        return rng.random(ease.shape) < ndtr(stats.norm.ppf(LEVEL) * np.sqrt(1 + variance) + ease)


WORLDS = (
    *(World(spread=sd) for sd in ((0.0, 0.0), (0.3, 0.4), (1.0, 0.6), (1.0, 1.0))),
    *(World(spread=sd, uneven=True) for sd in ((1.0, 1.0), (2.0, 2.0))),
    World(songs=30, spread=(1.0, 1.0)), World(songs=30, spread=(2.0, 2.0), uneven=True),
    *(World(runs=3, apart=apart, own=(0.3, 0.3)) for apart in (0.0, 0.2, 0.5)),
    World(spread=(1.0, 0.6), runs=3, apart=0.2, own=(0.3, 0.3)), World(runs=10, apart=0.2, own=(0.3, 0.3)))
"""What the book's intervals and tests are put to."""

Way = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[float, float]]


def _independent(right: np.ndarray, i: np.ndarray, j: np.ndarray) -> tuple[float, float]:
    low, high = stats.binomtest(round(float(right.mean()) * right.shape[1]), right.shape[1]).proportion_ci(0.95)
    return float(low), float(high)


NAIVE: dict[str, Way] = {
    "pairs independent": _independent,
    "pictures alone": lambda right, i, j: intervals.mean(right.mean(0), i).interval(),
    "songs alone": lambda right, i, j: intervals.mean(right.mean(0), j).interval(),
    "runs alone": lambda right, i, j: evaluation.t_interval(right.mean(1))}
"""Ways to an interval of an accuracy that leave some of the luck out; right (runs, n)."""
JOINT: dict[str, Way] = {"runs, pictures and songs": lambda right, i, j: intervals.mean(right, i, j).interval()}


def coverage(world: World, rounds: int, ways: dict[str, Way], seed: int = 0) -> list[dict]:
    """How often 95 % intervals for the accuracy over all pictures, songs and runs hold the truth.

    Returns
    -------
    rows {"interval", "rounds", "covered", "width"}, one for each of the ways

    Chapter: How sure are we.
    """
    rng = streams.generator("coverage", seed)
    ends: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(rounds):
        i, j = world.drawn(rng)
        right = world.answers(rng, i, j)
        for name, way in ways.items():
            ends[name].append(way(right, i, j))
    return [covered(name, some, LEVEL) for name, some in ends.items()]


def covered(name: str, ends: Sequence[tuple[float, float]], truth: float) -> dict:
    """A row of `coverage`."""
    low, high = np.array(ends).T
    return {"interval": name, "rounds": len(ends), "covered": float(np.mean((low <= truth) & (truth <= high))),
            "width": float(np.mean(high - low))}


def errors(world: World, rounds: int, seed: int = 0, at_once: int = 20) -> dict:
    """How often the book's intervals and tests are wrong, in shares of rounds: each at 5 %.

    at_once : rounds that share the pictures and songs of their pairs, to save time; their effects are drawn anew

    Returns
    -------
    {"world", "rounds"; "accuracy": its interval does not hold the truth; "difference": of two methods that are equally
    good one is found to be better; "one of three": of three such comparisons any, by Holm's correction, which rejects
    one if the smallest p is below a third of 5 %; "equivalence": an accuracy is found equal to one that is MARGIN away}

    Chapter: How sure are we.
    """
    rng, wrong = streams.generator("errors of tests", seed), []
    for first in range(0, rounds, at_once):
        i, j = world.drawn(rng)
        some = [np.array([world.answers(rng, i, j) for _ in range(min(at_once, rounds - first))], float)
                for _ in range(4)]
        own = intervals.stacked(some[:1], i, j)
        others = [intervals.stacked([some[0], -other], i, j) for other in some[1:]]
        wrong += list(zip(_away(own, LEVEL) > 0, _away(others[0], 0) > 0,
                          np.max([_away(one, 0, 0.05 / 3) for one in others], 0) > 0,
                          (np.abs(own[0] - LEVEL + MARGIN) < MARGIN) & (_away(own, LEVEL - 2 * MARGIN, 0.1) > 0)
                          & (_away(own, LEVEL, 0.1) > 0), strict=True))
    shares = (float(share) for share in np.mean(wrong, 0))
    return {"world": world.name(), "rounds": rounds,
            **dict(zip(("accuracy", "difference", "one of three", "equivalence"), shares, strict=True))}


def _away(found: tuple[np.ndarray, np.ndarray, np.ndarray], than: float, level: float = 0.05) -> np.ndarray:
    """How far a number lies outside of the intervals of `intervals.stacked`, which leave `level` out."""
    values, variances, dofs = found
    reach = intervals.quantiles(1 - level / 2, variances, dofs) * np.sqrt(variances.sum(1))
    return np.abs(values - than) - reach


def of_runs(rounds: int = 500, *, runs: int = 10, stuck: float = 0.0, seed: int = 0) -> dict:
    """A row of `coverage` for Student's interval over runs, whose accuracy is normal, but at chance for the share
    `stuck` of them.

    Chapter: How sure are we.
    """
    rng = streams.generator("coverage of t", seed)
    values = np.where(rng.random((rounds, runs)) < stuck, 0.5, LEVEL + 0.02 * rng.standard_normal((rounds, runs)))
    name = f"{runs} runs" + (f", {100 * stuck:g} % of them stuck at chance" if stuck else "")
    return covered(name, [evaluation.t_interval(row) for row in values], 0.5 * stuck + LEVEL * (1 - stuck))


def noise_of_a_share(share: float, n: int) -> float:
    """Half the width of the 95 % interval, by the normal approximation, for a share among n independent cases."""
    return float(1.96 * np.sqrt(share * (1 - share) / n))


def kept(covered: float, rounds: int, promised: float = 0.95) -> str:
    """What intervals did of what they promise, in words: a share of `rounds` simulations that differs from the promised
    one by less than its own 95 % noise is no difference.

    Chapter: How sure are we.
    """
    noise = noise_of_a_share(promised, rounds)
    return ("exceeds its nominal coverage" if covered > promised + noise else
            "falls short of its nominal coverage" if covered < promised - noise else "reaches its nominal coverage")


def recorded(file: Path) -> dict:
    """What `python -m benchmarks.calibration` kept: "command", "date", "commit", "versions", "seed", and "rows" of
    `errors` for each of WORLDS.

    Raises
    ------
    ValueError
        If a world is missing, or another one is there.

    Chapter: How sure are we.
    """
    found = json.loads(file.read_text("utf8"))
    names = [row["world"] for row in found["rows"]]
    if other := sorted(set(names) ^ {world.name() for world in WORLDS}):
        raise ValueError(f"{file.name} and the worlds that are simulated differ in {other[0]!r}; run "
                         f"{found['command']}")
    return found
