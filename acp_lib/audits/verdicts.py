"""The paper's claims, one by one, each judged by a rule that was fixed beforehand.

`verdicts.yml` beside this file lists them. A rule is one of the functions in RULES; what it is given are numbers of
this run's results. On synthetic data a rule says whether the method works, never whether a claim about IMAC is true.

Chapter: Verdicts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import yaml

from acp_lib import paper
from acp_lib.audits import how_sure, retrieval, specifications, standing, uncertainty
from acp_lib.engine.text import number, span
from acp_lib.experiment import intervals
from acp_lib.experiment.intervals import Estimate
from acp_lib.results import recognition, store, tables

if TYPE_CHECKING:
    from acp_lib.study import Study

OUTCOMES = HOLDS, FAILS, OPEN, DEPENDS, MISSING, OTHER = (
    "holds", "does not hold", "undecided", "depends on the reading", "not in this run", "other data")
SYNTHETIC = {HOLDS: "the method works", FAILS: "not seen here"}
"""What outcomes are called on synthetic data, where otherwise."""
LEVEL = 0.05  # of every test
LEAST_PAIRS = 1000  # that a test list should have: the paper's part of 20 % holds many more samples


@dataclass(frozen=True)
class Claim:
    """One claim of the paper, where it is tested, and how it is judged.

    Raises
    ------
    ValueError
        For a rule or a function that there is not.
    """

    part: str
    claim: str
    quote: str
    where: str
    rule: str
    paper: float | None = None
    value: dict | None = None
    than: dict | float | None = None
    margin: float | None = None
    function: str = ""

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise ValueError(f"rule of {self.claim!r} is {self.rule!r}; expected one of {', '.join(RULES)}")
        if self.rule == "arithmetic" and self.function not in ARITHMETIC:
            raise ValueError(f"function of {self.claim!r} is {self.function!r}; expected one of "
                             f"{', '.join(ARITHMETIC)}")
        if self.rule == "equivalent" and not self.margin:
            raise ValueError(f"margin of {self.claim!r} is {self.margin}; expected a number above 0, in points")


@dataclass(frozen=True)
class Verdict:
    """What came out: the number, its interval, what it was held against, and the outcome, one of OUTCOMES.

    p : that the number is what it was held against, by Holm's correction over all claims of the rule "above"
    """

    claim: Claim
    outcome: str
    value: float | None = None
    interval: tuple[float, float] | None = None
    than: float | None = None
    p: float | None = None
    note: str = ""


# --- rules


def above(value: float, than: float, p: float) -> str:
    """Verdict on whether a value lies above another, by p for no difference, corrected for the number of comparisons.

    Chapter: Verdicts.
    """
    return OPEN if p >= LEVEL or value == than else HOLDS if value > than else FAILS


def equivalent(estimate: Estimate, than: float, margin: float) -> str:
    """Verdict on whether an estimate equals a number within a margin; a wide interval does not suffice.

    Chapter: Verdicts.
    """
    if estimate.equivalent(than, margin) < LEVEL:
        return HOLDS
    low, high = estimate.interval(1 - LEVEL)
    return FAILS if low > than + margin or high < than - margin else OPEN


def every(count: float, items: float) -> str:
    """Verdict on whether a statement that is true of `count` of `items` is true of all.

    Chapter: Verdicts.
    """
    return HOLDS if count == items else DEPENDS if count else FAILS


RULES = ("arithmetic", "above", "equivalent", "every")


# --- the paper's arithmetic: each (holds, number, in words)


def granularity(values: Sequence[str]) -> int:
    """The smallest number of pairs that can give all of these accuracies as printed, in per cent.

    Raises
    ------
    ValueError
        Without values.

    Paper: Table 4.  Chapter: Verdicts.
    """
    if not values:
        raise ValueError("values is empty; expected per cents as they are printed, such as '57.17'")
    half = [(Fraction(v), Fraction(1, 2 * 10 ** len(v.partition(".")[2]))) for v in values]
    return next(n for n in count(1)
                if all(math.ceil((v - h) * n / 100) <= math.floor((v + h) * n / 100) for v, h in half))


def tags_add_up() -> tuple[bool, float, str]:
    """Paper: Section 2, 2,971 clean tags."""
    total = sum(paper.CLEAN_TAGS.values())
    return total == 2971, total, f"they add up to {total:,}"


def songs_add_up() -> tuple[bool, float, str]:
    """Paper: Section 2, 3,812 songs."""
    total = sum(paper.SONGS.values())
    return total == 3812, total, f"they add up to {total:,}"


def pictures_add_up() -> tuple[bool, float, str]:
    """Paper: Section 2, more than 85,000 pictures."""
    total = sum(paper.IMAGES.values())
    return total > 85_000, total, f"they add up to {total:,}"


def minutes_a_song() -> tuple[bool, float, str]:
    """Paper: Section 2, about 270 hours."""
    minutes = 60 * paper.HOURS / sum(paper.SONGS.values())
    return 2 <= minutes <= 6, minutes, f"{minutes:.1f} minutes a song"


def one_list_of_pairs() -> tuple[bool, float, str]:
    """Paper: Table 4, three accuracies with two decimals."""
    n = granularity([f"{v:.2f}" for v in paper.CORRESPONDENCE.values()])
    return n >= LEAST_PAIRS, n, f"the smallest such list has {n:,} pairs; the paper does not say how many it used"


def rounded_alike() -> tuple[bool, float, str]:
    """Paper: Section 4 and Table 5."""
    rounded, printed = round(float(paper.RECOGNITION_IN_TEXT), 1), paper.RECOGNITION["music"]["ACP-Net features + MLP"]
    return rounded == printed, rounded, f"{paper.RECOGNITION_IN_TEXT} rounds to {rounded}, and the table has {printed}"


def largest_class() -> tuple[bool, float, str]:
    """Paper: Table 3, and "Random" of Table 5."""
    share = 100 * max(paper.SONGS.values()) / sum(paper.SONGS.values())
    printed = paper.RECOGNITION["music"]["Random"]
    return share <= printed, share, (f"{printed} % understates the {share:.1f} % majority-class baseline, the largest "
                                     "class of Table 3 for every song")


ARITHMETIC: dict[str, Callable[[], tuple[bool, float, str]]] = {
    "tags": tags_add_up, "songs": songs_add_up, "pictures": pictures_add_up, "minutes": minutes_a_song,
    "granularity": one_list_of_pairs, "rounding": rounded_alike, "majority": largest_class}


# --- claims and their numbers


@cache
def claims() -> tuple[Claim, ...]:
    """Every claim, in the order of the file.

    Chapter: Verdicts.
    """
    known = {f.name for f in fields(Claim)}
    entries = yaml.safe_load((Path(__file__).parent / "verdicts.yml").read_text("utf8"))
    for entry in entries:
        if unknown := sorted(set(entry) - known):
            raise ValueError(f"a claim of verdicts.yml has {', '.join(unknown)}; expected some of "
                             f"{', '.join(sorted(known))}")
    return tuple(Claim(**entry) for entry in entries)


def judge(some: Sequence[Claim], read: Callable[[str], list[dict] | None], imac: bool = True) -> list[Verdict]:
    """The verdict on each claim. Those of the rule "above" are a family: their p pay for their number by Holm's
    correction, in which a claim that this run has no number for counts, too.

    read : the rows of a result by its name, None where this run has none
    imac : whether the data is the paper's, the only one on which a number can be the paper's
    """
    family = [k for k, claim in enumerate(some) if claim.rule == "above"]
    held = {k: _held(some[k], read) for k in family}
    raw = [{"p": 1.0 if one is None else one[0].p(one[1])} for one in held.values()]
    corrected = dict(zip(family, (row["holm"] for row in uncertainty.holm(raw)), strict=True)) if raw else {}
    return [_compared(claim, held[k], corrected[k]) if k in held else _single(claim, read, imac)
            for k, claim in enumerate(some)]


def _compared(claim: Claim, held: tuple[Estimate, float] | None, p: float) -> Verdict:
    if held is None:
        return Verdict(claim, MISSING)
    estimate, than = held
    return Verdict(claim, above(estimate.value, than, p), estimate.value, estimate.interval(), than, p)


def _single(claim: Claim, read: Callable[[str], list[dict] | None], imac: bool) -> Verdict:
    """The verdict on a claim of any rule but "above"."""
    if claim.rule == "arithmetic":
        holds, number, words = ARITHMETIC[claim.function]()
        return Verdict(claim, HOLDS if holds else FAILS, number, note=words)
    assert claim.value is not None, "a rule is about a value"
    if claim.rule == "every":
        row = _row(read, claim.value)
        if row is None:
            return Verdict(claim, MISSING)
        count, items = float(row[claim.value["value"]]), float(row[claim.value["of"]])
        return Verdict(claim, every(count, items), count, than=items)
    held = _held(claim, read)
    if held is None:
        return Verdict(claim, MISSING)
    estimate, than = held
    assert claim.margin is not None, "checked when the claim was made"
    outcome = equivalent(estimate, than, claim.margin) if imac else OTHER
    return Verdict(claim, outcome, estimate.value, estimate.interval(), than)


def _held(claim: Claim, read: Callable[[str], list[dict] | None]) -> tuple[Estimate, float] | None:
    """The number of this run that a claim is about, and the one that it is held against; None without either."""
    assert claim.value is not None, "a rule is about a value"
    row = _row(read, claim.value)
    than = _number(read, claim.than) if claim.than is not None else claim.paper
    return None if row is None or than is None else (intervals.of_row(row), float(than))


def _row(read: Callable, source: dict) -> dict | None:
    """The first row whose texts begin as the source says."""
    for row in read(source["file"]) or ():
        if all(str(row.get(key, "")).startswith(text) if key == "what" else row.get(key) == text
               for key, text in source["row"].items()):
            return row
    return None


def _number(read: Callable, source: dict | float) -> float | None:
    if isinstance(source, dict):
        row = _row(read, source)
        return None if row is None else row.get(source["value"])
    return source


MADE = {"how_sure": how_sure.load, "recognition": recognition.load, "retrieval": retrieval.load,
        "specifications": specifications.load, "standing": standing.load}


def all_of(study: Study) -> list[Verdict]:
    """Every claim judged on a study: results are read, and those of MADE and the tables made where they are missing.

    Chapter: Verdicts.
    """
    @cache
    def read(name: str) -> list[dict] | None:
        if name in MADE:
            return MADE[name](study)
        return tables.load(study, int(name.removeprefix("table"))) if name.startswith("table") else store.known(
            study, name)

    return judge(claims(), read, study.profile.source == "imac")


def called(verdict: Verdict, synthetic: bool) -> str:
    """The outcome in words: what data decided is called otherwise where the data is synthetic.

    Chapter: Verdicts.
    """
    if not synthetic or verdict.claim.rule == "arithmetic":
        return verdict.outcome
    return SYNTHETIC.get(verdict.outcome, verdict.outcome)


def by_part(judged: Sequence[Verdict], synthetic: bool) -> pd.DataFrame:
    """How many claims of each part of the paper (rows) came out how (columns, those of arithmetic marked as such).

    Chapter: Verdicts.
    """
    parts = pd.Series([v.claim.part for v in judged], name="part")
    words = [("arithmetic: " if v.claim.rule == "arithmetic" else "") + called(v, synthetic) for v in judged]
    return pd.crosstab(parts, pd.Series(words, name="verdict")).reindex(parts.unique())


def in_words(value: float | None) -> str | None:
    """A number that a claim names, as it stands there, with two decimals at most; None where there is none."""
    return None if value is None else f"{value:,.2f}".rstrip("0").rstrip(".")


def found(verdict: Verdict) -> str | None:
    """What a verdict stands on: its note, or the number of this run with its interval.

    Chapter: Verdicts.
    """
    if verdict.note or verdict.value is None:
        return verdict.note or None
    if verdict.claim.rule == "every":
        return f"{in_words(verdict.value)} of {in_words(verdict.than)} readings"
    return number(verdict.value) + (f" ({span(verdict.interval)})" if verdict.interval else "")


def in_short(verdict: Verdict) -> str:
    """The outcome and, where data decided it, how far the number lies from what it was held against.

    Chapter: Real pictures, real music.
    """
    if verdict.value is None or verdict.than is None:
        return verdict.outcome
    return f"{verdict.outcome} ({number(verdict.value - verdict.than, sign='+')})"


def rule(verdict: Verdict) -> str:
    """The rule, with the number that this run's was held against where there is one beside the paper's own.

    Chapter: Verdicts.
    """
    if verdict.claim.rule == "every":
        return "every reading"
    than = in_words(verdict.than)
    margin = "" if verdict.claim.margin is None else f" ± {verdict.claim.margin:g}"
    return verdict.claim.rule + (f" {than}{margin}" if than else "")


def refuted(judged: Sequence[Verdict]) -> list[str]:
    """The claims that the paper's own arithmetic refutes, each with what it shows."""
    return [f"{v.claim.claim} ({v.note})" for v in judged if v.claim.rule == "arithmetic" and v.outcome == FAILS]
