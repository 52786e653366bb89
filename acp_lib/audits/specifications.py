"""ACP-Net under many readings of what the paper leaves open: a specification curve over the ledger.

A reading gives each swept detail of the ledger one of its values. Each is trained with several seeds, because runs of
one reading differ, too; `curve` tells what is more than that. Source: Simonsohn, Simmons and Nelson (2020),
Specification curve analysis, Nature Human Behaviour 4.

Chapter: The garden of forking paths.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats

from acp_lib import paper, streams
from acp_lib.audits import curve, retrained
from acp_lib.experiment import baselines, intervals, runs
from acp_lib.experiment.pairs import joint, oracle
from acp_lib.experiment.runs import Run
from acp_lib.profiles import ledger
from acp_lib.results import scores, store, tables

if TYPE_CHECKING:
    from acp_lib.study import Study

COSTLIER = 2
"""Times the profile's own batch that a swept one may be: an epoch has as many updates, so it costs as much more."""
NEAR = 1.0
"""Points within which an accuracy counts as the paper's."""
DESIGNS = 300
"""Random balanced designs of which the best is taken."""
RUNS = 3
"""Runs of each reading but the profile's own, which has those that the audits share."""
TIMES = 3
"""How often each value of a detail should stand in a design, at least."""


def number(study: Study) -> int:
    """How many readings there are: the profile's own and what `audit_runs` networks suffice for.

    Chapter: The garden of forking paths.
    """
    return 1 + study.profile.auditing.audit_runs // RUNS


def levels(study: Study) -> tuple[dict[str, list], list[dict]]:
    """The values of each swept detail, the study's own first, at most as many as can stand TIMES times in a design, but
    two; and the values that are left out, each with the reason.

    Chapter: The garden of forking paths.
    """
    found, left, most = {}, [], max(2, number(study) // TIMES)
    for name, detail in ledger.swept().items():
        own = getattr(study.profile, detail.parameter)
        found[detail.parameter] = [own]
        for value in (detail.default, *detail.alternatives):
            if value in found[detail.parameter]:
                continue
            reason = _impossible(study, detail.parameter, value)
            if not reason and len(found[detail.parameter]) == most:
                reason = f"{number(study)} readings are too few to try more than {most} values of a detail"
            if reason:
                left.append({"detail": name, "value": value, "reason": reason})
            else:
                found[detail.parameter].append(value)
    return {name: values for name, values in found.items() if len(values) > 1}, left


def _impossible(study: Study, name: str, value: Any) -> str:
    """Why a value is not tried; empty where it is."""
    p = study.profile
    if name == "batch" and value > COSTLIER * p.training.batch:
        return f"an epoch would cost {value / p.training.batch:g} times as much"
    if name == "patience" and value >= p.pairing.epochs:
        return f"the same as none: training ends after {p.pairing.epochs} epochs"
    if value == "artist" and not retrained.artists(study):
        return retrained.NO_ARTIST  # such a split would be the one by song
    if name in ("split", "pairs"):
        try:
            study.variant(**{name: value}).test_pairs()
        except ValueError as error:
            return str(error)
    return ""


def design(values: dict[str, list], n: int, seed: int = 0) -> list[dict]:
    """n readings of `levels`, the study's own first: each value of a detail stands about equally often, as little tied
    to other details' as can be found.

    Chapter: The garden of forking paths.
    """
    rng, best = streams.generator("readings", seed), (-np.inf, np.zeros((n, len(values)), int))
    for _ in range(DESIGNS):
        drawn = np.array([_dealt(len(some), n, rng) for some in values.values()]).T
        best = max(best, (_untied(drawn), drawn), key=lambda one: one[0])
    return [{name: some[k] for (name, some), k in zip(values.items(), row, strict=True)} for row in best[1]]


def _dealt(k: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """Numbers below k, each about equally often: 0, the study's own, and the others in random order (n,)."""
    often = np.resize(np.arange(k), n)
    return np.concatenate([often[:1], rng.permutation(often[1:])])


def _untied(drawn: np.ndarray) -> float:
    """How well the effects of details (columns) can be told apart in readings (rows): log determinant of the values'
    correlations, low where some are nearly tied, and lower where a reading is repeated.
    """
    x = np.concatenate([column[:, None] == np.arange(1, column.max(initial=0) + 1) for column in drawn.T], 1)
    x = (x - x.mean(0)) / np.where(x.std(0) > 0, x.std(0), 1)
    ties = np.linalg.slogdet(x.T @ x / len(x) + 0.01 * np.eye(x.shape[1]))[1]
    return ties - 10 * (len(drawn) - len(np.unique(drawn, axis=0)))


def studies(study: Study) -> Iterator[tuple[dict, Study]]:
    """Each reading with the study that follows it, of RUNS runs, or, the study's own, of as many as the audits share;
    one at a time, as each may hold a corpus of its own.

    Chapter: The garden of forking paths.
    """
    base = study.audited
    own, *others = design(levels(base)[0], number(study), study.profile.seed)
    yield own, base
    yield from ((reading, base.variant(seeds=RUNS, **reading)) for reading in others)


def planned(study: Study) -> list[Run]:
    """The runs of each reading, trained or not."""
    return [run for _, s in studies(study) for run in s.planned("pairs", "ACP-Net")]


def points(study: Study) -> tuple[list[dict], dict]:
    """One row a reading: its values, accuracy, and what it is held against, all in per cent, with intervals over runs,
    pictures and songs together; runs that are not there are trained. Of a reading of which a run came to no end: why it
    "diverged", and nothing else. And `curve.median_above` of `excess`.

    accuracy : mean of "values", one a run
    one_sided : the best accuracy of who knows the true class of one half of a pair, or neither
    two : two classifiers, compared
    excess : accuracy beyond `one_sided`; gap : beyond `two`, with its interval

    Raises
    ------
    FloatingPointError
        If every reading diverged.

    Chapter: The garden of forking paths.
    """
    plan = planned(study)
    runs.train(plan, study.work, {run.folder for run in plan})
    rows: list[dict] = []
    names: list[tuple[np.ndarray, np.ndarray]] = []
    right: list[np.ndarray] = []
    cache: dict[tuple[str, str], np.ndarray] = {}
    for reading, s in studies(study):
        pairs, made = s.test_pairs(), s.planned("pairs", "ACP-Net")
        if stopped := [run.diverged for run in made if run.diverged]:
            rows.append({"reading": reading, "diverged": f"{len(stopped)} of {len(made)} runs: {stopped[0]}"})
            continue
        key = (s.corpus_key, pairs.digest)
        if key not in cache:
            cache[key] = baselines.two_classifiers(s.corpus, pairs, s.profile.pairing.pairs, s.profile.seed) == (
                pairs.truth == 1)
        table = joint(s.profile.pairing.pairs, *s.corpus.counts("test"))
        names.append(tables.groups(study, pairs))
        right.append(np.array([run.correct for run in made]))
        whole = intervals.mean(right[-1], *names[-1]).scaled(100)
        gap = intervals.difference(right[-1], cache[key], *names[-1]).scaled(100)
        guess = max(oracle(table, axis) for axis in (None, 0, 1))
        rows.append({"reading": reading, "values": [100 * float(v) for v in right[-1].mean(1)],
                     "accuracy": whole.value, "interval": list(whole.interval()), "one_sided": guess,
                     "excess": whole.value - guess, "two": 100 * float(cache[key].mean()), "gap": gap.value,
                     "gap_interval": list(gap.interval()), **scores.of(s)})
    if not right:
        raise FloatingPointError(f"every reading diverged; the profile's own: {rows[0]['diverged']}")
    trained = [row for row in rows if "diverged" not in row]
    drawn = 100 * curve.resampled(right, names, seed=study.profile.seed)
    return rows, curve.median_above([row["excess"] for row in trained],
                                    drawn - [row["one_sided"] for row in trained])


def load(study: Study) -> list[dict]:
    """Rows "row" = "reading" or "diverged" as `points` gives them, and before them how many readings ("count" of
    "readings", those that diverged among them) beat the one-sided guesser, beat two classifiers, both by their whole
    interval, and lie within NEAR points of the paper; and "median", that of the accuracy beyond one-sided guessers.

    Chapter: The garden of forking paths; Verdicts.
    """
    return store.load(study, "specifications", _rows)


def _rows(study: Study) -> list[dict]:
    every, median = points(study)
    counts = statements([row for row in every if "diverged" not in row])
    return [{"row": name, "count": n, "readings": len(every)} for name, n in counts.items()] + [
        {"row": "median", **median}] + [
        {"row": "diverged" if "diverged" in row else "reading", **row} for row in every]


def statements(readings: Sequence[dict]) -> dict[str, int]:
    """Of how many readings, rows of `points`, each statement is true.

    Chapter: The garden of forking paths.
    """
    reported = paper.CORRESPONDENCE["ACP-Net"]
    found = {"beats the one-sided": [row["interval"][0] > row["one_sided"] for row in readings],
             "beats two classifiers": [row["gap_interval"][0] > 0 for row in readings],
             "near the paper": [abs(row["accuracy"] - reported) <= NEAR for row in readings]}
    return {name: int(sum(true)) for name, true in found.items()}


def changed(reading: dict, own: dict) -> dict:
    """What a reading takes otherwise than the study's own."""
    return {name: value for name, value in reading.items() if value != own[name]}


def effects(readings: Sequence[dict], values: Sequence[float], own: dict, told: Collection[str] = ()) -> list[dict]:
    """What each value of a detail does: mean over the readings that have it minus mean over those with `own`'s, with
    Welch's 95 % interval, None where one of the two is a single reading; and whether the detail is one of those `told`
    from luck.

    Chapter: The garden of forking paths.
    """
    table, y, rows = pd.DataFrame(list(readings), dtype=object), np.asarray(values, float), []
    for name in table:
        usual = y[(table[name] == own[name]).to_numpy()]
        for value in table[name].unique():
            if value == own[name]:
                continue
            these = y[(table[name] == value).to_numpy()]
            row = {"detail": name, "value": value, "n": len(these), "effect": None, "interval": None,
                   "told": name in told}
            if len(usual):
                row["effect"] = float(these.mean() - usual.mean())
            if min(len(usual), len(these)) > 1 and np.ptp(usual) + np.ptp(these) > 0:
                row["interval"] = [float(e) for e in stats.ttest_ind(these, usual, equal_var=False)
                                   .confidence_interval(0.95)]
            rows.append(row)
    return rows


def balance(readings: Sequence[dict]) -> float:
    """The largest Cramér's V between two details of some readings: 0 where none is tied to another, 1 at worst."""
    table = pd.DataFrame(list(readings), dtype=object).astype(str)
    return max((float(stats.contingency.association(pd.crosstab(table[a], table[b]).to_numpy(), method="cramer"))
                for a, b in combinations(table, 2)), default=0.0)
