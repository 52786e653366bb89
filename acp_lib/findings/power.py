"""How many runs, pictures, songs and pairs it takes to tell a difference of two methods from none.

A mean over answers varies by which runs, pictures, songs and pairs are drawn. `crossed` estimates what each of them
brings; from this follows what any other design would tell. All numbers are in points, that is per cent, or points².

What this leaves out: a test has to estimate the variances, which costs power where runs or songs are few; and all
pictures, and all songs, are taken to be drawn as often as one another, whatever their class.

Chapter: How many songs it takes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import optimize
from scipy.special import ndtr, ndtri

from acp_lib import paper
from acp_lib.experiment import crossed, intervals
from acp_lib.experiment.splits import RATIOS
from acp_lib.findings import real
from acp_lib.results import store, tables
from acp_lib.results.scores import called, of

if TYPE_CHECKING:
    from acp_lib.study import Study

LEVEL = 0.05
POWER = 0.8
CLAIMED = round(paper.CORRESPONDENCE["ACP-Net"] - paper.CORRESPONDENCE["L3-Net"], 2)
"""By how many points the paper's ACP-Net is ahead of its L3-Net."""
EFFECTS = (1.0, 2.0, CLAIMED)
RUNS = (1, 3, 10)
OTHERS = ("L3-Net",)
TWO = "two classifiers, compared"
"""What ACP-Net is compared with."""


@dataclass(frozen=True)
class Design:
    """How many of each are drawn; infinite where that is all of them.

    Raises
    ------
    ValueError
        For less than one of anything.
    """

    runs: float
    pictures: float
    songs: float
    pairs: float

    def __post_init__(self) -> None:
        for name, n in asdict(self).items():
            if not n >= 1:
                raise ValueError(f"{name} is {n}; expected 1 or more")


def papers(runs: int = 1) -> Design:
    """The paper's test part. How many pairs it drew is not said: here, one for each picture."""
    pictures, songs = (round(RATIOS[2] * sum(n.values())) for n in (paper.IMAGES, paper.SONGS))
    return Design(runs, pictures, songs, pictures)


@dataclass(frozen=True)
class Components:
    """What each thing that is drawn brings to the variance of an answer, in points²; NaN where it is not known.

    run : how far runs lie apart on all items
    picture, song, pair : what an item brings in every run; pair: beyond its picture and its song
    own_picture, own_song, own_pair : what it brings in one run, beyond that
    """

    run: float
    picture: float
    song: float
    pair: float
    own_picture: float = 0.0
    own_song: float = 0.0
    own_pair: float = 0.0

    @classmethod
    def of_row(cls, row: dict) -> Components:
        """Those of a row of `rows`; estimates below 0 count as 0."""
        return cls(**{name: math.nan if v is None else max(v, 0.0) for name, v in row["components"].items()})

    def parts(self, design: Design) -> dict[str, float]:
        """What runs, pictures, songs and pairs bring to the variance of the mean of the answers, if each pair is a
        picture and a song drawn at random: it meets another pair of the same picture with a chance of 1 in `pictures`,
        and itself for sure.
        """
        def part(common: float, own: float, n: float) -> float:
            return (common + own / design.runs) * (1 / design.pairs + (1 - 1 / design.pairs) / n)

        return {"runs": self.run / design.runs, "pictures": part(self.picture, self.own_picture, design.pictures),
                "songs": part(self.song, self.own_song, design.songs),
                "pairs": part(self.pair, self.own_pair, design.pictures * design.songs)}

    def variance(self, design: Design) -> float:
        """Of the mean of the answers."""
        return sum(self.parts(design).values())


def quantile(level: float = LEVEL) -> float:
    """That of the normal distribution beyond which half of `level` lies."""
    return float(ndtri(1 - level / 2))


def half_width(components: Components, design: Design, level: float = LEVEL) -> float:
    """Of the interval that leaves out `level`, of an accuracy or of a difference; points."""
    return quantile(level) * math.sqrt(components.variance(design))


def power(effect: float, components: Components, design: Design, level: float = LEVEL) -> float:
    """Chance that a two-sided test at `level`, which knows the variance, finds a difference of `effect` points."""
    error = math.sqrt(components.variance(design))
    return _power(abs(effect) / error, level) if error else 1.0 if effect else level


def _power(errors: float, level: float) -> float:
    """That of a difference of so many standard errors."""
    reach = quantile(level)
    return float(ndtr(errors - reach) + ndtr(-errors - reach))


def ratio(wanted: float = POWER, level: float = LEVEL) -> float:
    """How many standard errors a difference must be, to be found with the wanted power.

    Raises
    ------
    ValueError
        If the power is not between the level and 1.
    """
    if not 0 < level < wanted < 1:
        raise ValueError(f"power is {wanted} at a level of {level}; expected 0 < level < power < 1")
    return float(optimize.brentq(lambda errors: _power(errors, level) - wanted, 0, 40, xtol=1e-13))


def smallest(components: Components, design: Design, wanted: float = POWER, level: float = LEVEL) -> float:
    """The smallest difference, in points, that is found with the wanted power."""
    return ratio(wanted, level) * math.sqrt(components.variance(design))


def needed(effect: float, components: Components, design: Design, what: str = "songs", wanted: float = POWER,
           level: float = LEVEL) -> float:
    """How many songs, or of which field of Design, find a difference with the wanted power, all else as in `design`.

    Returns
    -------
    a whole number; infinite where all else alone varies too much, NaN where a component is not known

    Raises
    ------
    ValueError
        For an effect of 0 or no number, or a power that is not between the level and 1.
    """
    if not abs(effect) > 0:
        raise ValueError(f"effect is {effect}; expected a difference in points other than 0")
    most = (effect / ratio(wanted, level))**2
    rest = components.variance(replace(design, **{what: math.inf}))
    each = components.variance(replace(design, **{what: 1})) - rest  # the variance is a line in 1 / n
    if math.isnan(rest + each):
        return math.nan
    return max(1, math.ceil(each / (most - rest) * (1 - 1e-12))) if rest < most else math.inf


def largest_run(components: Components, design: Design, error: float) -> float | None:
    """The standard deviation of runs, in points, up to which the standard error is no more than `error`; None where
    it is more even if runs lie not apart at all, or a component of the items is not known.
    """
    left = error**2 - replace(components, run=0.0).variance(design)
    return math.sqrt(left * design.runs) if left >= 0 else None


# --- a study


def rows(study: Study, networks: Sequence[str] = OTHERS) -> list[dict]:
    """The components of the accuracy of ACP-Net of the audits ("what" = "accuracy") and of how far it is ahead of each
    of other networks and of TWO ("what" = "difference", "row" the other). Where both have runs, those of the same place
    belong together, and what one has more is left out.

    networks : of Table 4, to compare with; ACP-Net itself counts for nothing

    Returns
    -------
    rows {"row", "what"; "ours", "interval", "variances" as `Estimate.row`, in per cent; "runs", "pictures", "songs";
    "components": of each field of Components the estimate in points², which may lie below 0, or None; "spans": its
    95 % interval, or None} with `scores.of`

    Chapter: How many songs it takes.
    """
    others, names = [name for name in networks if name != "ACP-Net"], tables.groups(study, study.test_pairs())
    own = np.array([run.correct for run in study.audited.runs], float)
    trained = study.trained("pairs", *others) if others else {}
    said = {name: [run.correct for run in some] for name, some in trained.items()}
    said[TWO] = [study.baselines[TWO].to_numpy()]
    compared = [("difference", name, _ahead(own, np.array(right, float))) for name, right in said.items()]
    return [{**_row(what, name, answers, *names), **of(study.audited)}
            for what, name, answers in (("accuracy", "ACP-Net", own), *compared)]


def _ahead(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """By how much one is ahead in each run; another that has a single answer is the same in all."""
    runs = len(one) if len(other) == 1 else min(len(one), len(other))
    return one[:runs] - other[:runs]


def _row(what: str, name: str, answers: np.ndarray, pictures: np.ndarray, songs: np.ndarray) -> dict:
    found = intervals.mean(answers, pictures, songs, least=0 if what == "accuracy" else -1).scaled(100)
    parts = {key: part.scaled(100**2) for key, part in crossed.components(answers, pictures, songs).items()}
    return {"row": name, "what": what, **found.row(), "runs": len(answers), "pictures": len(set(pictures)),
            "songs": len(set(songs)), "components": {key: _short(part.value) for key, part in parts.items()},
            "spans": {key: _ends(part.interval()) for key, part in parts.items()}}


def _short(value: float) -> float | None:
    return float(f"{value:.4g}") if math.isfinite(value) else None


def _ends(interval: tuple[float, float]) -> list[float | None] | None:
    """Those of an interval of a variance, which is never below 0; None where one is not known."""
    return [_short(max(end, 0.0)) for end in interval] if np.isfinite(interval).all() else None


def load(study: Study) -> list[dict]:
    """`rows`, kept beside the book.

    Chapter: How many songs it takes.
    """
    return store.load(study, "power", rows)


# --- what is said of it


def title(row: dict) -> str:
    """What a row of `rows` is of, in words.

    Chapter: How many songs it takes.
    """
    name = called({"row": "ACP-Net", "network": row["network"]}, short=True)
    return name if row["what"] == "accuracy" else f"{name} minus {row['row']}"


def own_design(row: dict) -> Design:
    """That of the test part, and of the runs, that a row of `rows` comes from."""
    return Design(row["runs"], row["pictures"], row["songs"], row["n_pairs"])


def table(results: Sequence[dict]) -> list[dict]:
    """How many songs, pictures and runs find each of EFFECTS with 80 % power, for the differences among rows of several
    results: all else as in the paper's test part, with each number of RUNS.

    results : {"data", "rows"} each, as `recorded.read` gives them

    Returns
    -------
    rows {"data", "difference", "what": "songs", "pictures" or "runs", "runs": None for the last, "needed": {effect:
    `needed`}}

    Chapter: How many songs it takes.
    """
    asked = [*((what, runs) for what in ("songs", "pictures") for runs in RUNS), ("runs", None)]
    return [{"data": result["data"], "difference": title(row), "what": what, "runs": runs,
             "needed": {effect: needed(effect, Components.of_row(row), papers(runs or 1), what) for effect in EFFECTS}}
            for result in results for row in result["rows"] if row["what"] == "difference" for what, runs in asked]


def number(n: float) -> str:
    """What `needed` gives, as text.

    Chapter: How many songs it takes.
    """
    return "not known" if math.isnan(n) else "no number is enough" if math.isinf(n) else f"{n:,}"


def verdict(row: dict, effect: float = CLAIMED) -> dict[str, Any]:
    """What the paper's test part, with one run of each method, could say of a difference if the components were those
    of a row of `rows`.

    Returns
    -------
    {"reach": half the width of its 95 % interval, "smallest": the difference that has 80 % power, "power": that of
    `effect`, "run": the standard deviation of runs, "limit": up to which one `effect` is significant, "wanted": and has
    80 % power, both None where none is small enough; "most": what brings most to the variance, "share": how much of it,
    in per cent; "word": "would" or "would not" be significant, or "cannot be said to" be}

    Chapter: How many songs it takes.
    """
    found, design = Components.of_row(row), papers()
    reach, parts = half_width(found, design), found.parts(design)
    known = {name: part for name, part in parts.items() if not math.isnan(part)} or {"nothing known": math.nan}
    most = max(known, key=lambda name: known[name])
    return {"reach": reach, "smallest": smallest(found, design), "power": power(effect, found, design),
            "run": math.sqrt(found.run), "limit": largest_run(found, design, effect / quantile()),
            "wanted": largest_run(found, design, effect / ratio()), "most": most,
            "share": 100 * known[most] / (sum(parts.values()) or 1.0),
            "word": "cannot be said to" if math.isnan(reach) else "would" if reach < effect else "would not"}


def sentence(results: Sequence[dict]) -> str:
    """How often the paper's test part and one run would detect CLAIMED points, if answers varied as in the differences
    among rows of several results: with the spread of runs as estimated there, and with the upper end of its interval,
    because few runs tell little of it. Empty where neither is known.

    results : as of `table`

    Chapter: How many songs it takes; the first page.
    """
    rows = [(result["data"], row) for result in results for row in result["rows"]
            if row["what"] == "difference" and row["components"]["run"] is not None and row["spans"]["run"]]
    if not rows:
        return ""
    estimated: list[float] = []
    farthest: list[float] = []
    for _, row in rows:
        found = Components.of_row(row)
        far = replace(found, run=max(found.run, row["spans"]["run"][1]))
        for powers, parts in ((estimated, found), (farthest, far)):
            powers.append(100 * power(CLAIMED, parts, papers()))
    names = dict.fromkeys(called({"row": "ACP-Net", "network": row["network"]}) for _, row in rows)
    made = [row["runs"] for _, row in rows]
    return (f"Whether one run on a test part of the paper's size can show a lead of {CLAIMED:g} points depends on how "
            f"far apart runs lie. If answers vary as they do where {real.listed(list(names))} is compared with other "
            f"methods on {real.listed(list(dict.fromkeys(data for data, _ in rows)))}, such a lead is detected in "
            f"{real.between(min(estimated), max(estimated), 0)} % of cases if the estimated spread of runs is right, "
            f"and in {real.between(min(farthest), max(farthest), 0)} % if it is at the upper end of its 95 % CI; "
            f"{real.between(min(made), max(made), 0)} runs are too few to estimate it well")
