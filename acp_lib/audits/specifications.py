"""ACP-Net under many readings of what the paper leaves open: a specification curve over the ledger.

A reading gives each swept detail of the ledger one of its values. Readings are full training runs with one seed, so
that what moves the result is the reading. Source: Simonsohn, Simmons and Nelson (2020), Specification curve analysis,
Nature Human Behaviour 4.

Chapter: The garden of forking paths.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import statsmodels.formula.api as smf
from scipy import stats
from statsmodels.stats.multitest import multipletests

from acp_lib import paper
from acp_lib.audits import retrained
from acp_lib.experiment import baselines, intervals, runs
from acp_lib.experiment.pairs import joint, oracle
from acp_lib.experiment.runs import Run
from acp_lib.profiles import ledger
from acp_lib.results import store, tables

if TYPE_CHECKING:
    from acp_lib.study import Study

COSTLIER = 2
"""Times the profile's own batch that a swept one may be: an epoch has as many updates, so it costs as much more."""
NEAR = 1.0
"""Points within which an accuracy counts as the paper's."""
DESIGNS = 300
"""Random balanced designs of which the best is taken."""


def levels(study: Study) -> tuple[dict[str, list], list[dict]]:
    """The values of each swept detail, the study's own first; and the values that are left out, each with the reason.

    Chapter: The garden of forking paths.
    """
    found, left = {}, []
    for name, detail in ledger.swept().items():
        own = getattr(study.profile, detail.parameter)
        found[detail.parameter] = [own]
        for value in (detail.default, *detail.alternatives):
            reason = "" if value == own else _impossible(study, detail.parameter, value)
            if reason:
                left.append({"detail": name, "value": value, "reason": reason})
            elif value not in found[detail.parameter]:
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
    """n readings of `levels`: the study's own; where that leaves half of them, each change by itself; and a balanced
    rest, in which each value of a detail stands about equally often, as little tied to other details' as can be found.

    Chapter: The garden of forking paths.
    """
    own = {name: some[0] for name, some in values.items()}
    single = [own | {name: v} for name, some in values.items() for v in some[1:]]
    made = [own, *(single if 2 * (1 + len(single)) <= n else [])]
    rng, best = np.random.default_rng([seed, 2020]), (-np.inf, np.zeros((0, len(values)), int))
    for _ in range(DESIGNS):
        drawn = np.array([_dealt(len(some), n - len(made), rng) for some in values.values()]).T
        best = max(best, (_untied(drawn), drawn), key=lambda one: one[0])
    return made + [{name: some[k] for (name, some), k in zip(values.items(), row, strict=True)} for row in best[1]]


def _dealt(k: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """Numbers below k in random order, each about equally often (n,)."""
    return rng.permutation(np.concatenate([rng.permutation(k) for _ in range(-(-n // k))])[:n])


def _untied(drawn: np.ndarray) -> float:
    """How well the effects of details (columns) can be told apart in readings (rows): log determinant of the values'
    correlations, low where some are nearly tied, and lower where a reading is repeated.
    """
    x = np.concatenate([column[:, None] == np.arange(1, column.max(initial=0) + 1) for column in drawn.T], 1)
    x = (x - x.mean(0)) / np.where(x.std(0) > 0, x.std(0), 1)
    ties = np.linalg.slogdet(x.T @ x / len(x) + 0.01 * np.eye(x.shape[1]))[1]
    return ties - 10 * (len(drawn) - len(np.unique(drawn, axis=0)))


def studies(study: Study) -> Iterator[tuple[dict, Study]]:
    """Each reading with the study that follows it, of one run; one at a time, as each may hold a corpus of its own.

    Chapter: The garden of forking paths.
    """
    base = study.audited.variant(seeds=1)
    readings = design(levels(base)[0], study.profile.auditing.audit_runs, study.profile.seed)
    return ((reading, base.variant(**reading)) for reading in readings)


def planned(study: Study) -> list[Run]:
    """The run of each reading, trained or not."""
    return [s.planned("pairs", "ACP-Net")[0] for _, s in studies(study)]


def points(study: Study) -> list[dict]:
    """One row a reading: its values, accuracy with the interval over pictures and songs, and what it is held against,
    all in per cent; runs that are not there are trained. Of a reading whose training came to no end: why it "diverged",
    and nothing else.

    one_sided : the best accuracy of who knows the true class of one half of a pair, or neither
    two : two classifiers, compared
    excess : accuracy beyond `one_sided`; gap : beyond `two`, with its interval

    Chapter: The garden of forking paths.
    """
    plan = planned(study)
    runs.train(plan, study.work, {run.folder for run in plan})
    rows: list[dict] = []
    cache: dict[tuple[str, str], np.ndarray] = {}
    for reading, s in studies(study):
        pairs, (run,) = s.test_pairs(), s.planned("pairs", "ACP-Net")
        if run.diverged:
            rows.append({"reading": reading, "diverged": run.diverged})
            continue
        names = tables.groups(study, pairs)
        key = (s.corpus_key, pairs.digest)
        if key not in cache:
            cache[key] = baselines.two_classifiers(s.corpus, pairs, s.profile.pairing.pairs, s.profile.seed) == (
                pairs.truth == 1)
        table = joint(s.profile.pairing.pairs, *s.corpus.counts("test"))
        guess = max(oracle(table, axis) for axis in (None, 0, 1))
        ends = list(intervals.mean(run.correct, *names).scaled(100).interval())
        gap = intervals.difference(run.correct, cache[key], *names).scaled(100)
        accuracy = 100 * float(run.correct.mean())
        rows.append({"reading": reading, "accuracy": accuracy, "interval": ends, "one_sided": guess,
                     "excess": accuracy - guess, "two": 100 * float(cache[key].mean()),
                     "gap": gap.value, "gap_interval": list(gap.interval()),
                     "epochs": len(run.history), "n_pairs": len(pairs)})
    return rows


def load(study: Study) -> list[dict]:
    """Rows "row" = "reading" or "diverged" as `points` gives them, and before them how many readings ("count" of
    "readings", those that diverged among them) beat the one-sided guesser, beat two classifiers, both by their whole
    interval, and lie within NEAR points of the paper.

    Chapter: The garden of forking paths; Verdicts.
    """
    return store.load(study, "specifications", _rows)


def _rows(study: Study) -> list[dict]:
    every = points(study)
    counts = statements([row for row in every if "diverged" not in row])
    return [{"row": name, "count": n, "readings": len(every)} for name, n in counts.items()] + [
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


def effects(readings: Sequence[dict], values: Sequence[float], own: dict) -> list[dict]:
    """What each value of a detail does: mean over the readings that have it minus mean over those with `own`'s, with
    Welch's 95 % interval, None where one of the two is a single reading.

    Chapter: The garden of forking paths.
    """
    table, y, rows = pd.DataFrame(list(readings), dtype=object), np.asarray(values, float), []
    for name in table:
        usual = y[(table[name] == own[name]).to_numpy()]
        for value in table[name].unique():
            if value == own[name]:
                continue
            these = y[(table[name] == value).to_numpy()]
            row = {"detail": name, "value": value, "n": len(these), "effect": None, "interval": None}
            if len(usual):
                row["effect"] = float(these.mean() - usual.mean())
            if min(len(usual), len(these)) > 1 and np.ptp(usual) + np.ptp(these) > 0:
                row["interval"] = [float(e) for e in stats.ttest_ind(these, usual, equal_var=False)
                                   .confidence_interval(0.95)]
            rows.append(row)
    return rows


def importance(readings: Sequence[dict], values: Sequence[float]) -> list[dict]:
    """For each detail the share of the variance between readings that its values explain, adjusted for their number,
    and the p of the F test that they explain none, as it is and by Holm's correction; the largest share first.

    Each detail is looked at by itself, which a balanced design allows.

    Chapter: The garden of forking paths.
    """
    table = pd.DataFrame(list(readings), dtype=object).astype(str)
    rows = []
    for name in table:
        fit = smf.ols("y ~ C(x)", pd.DataFrame({"y": np.asarray(values, float), "x": table[name]})).fit()
        rows.append({"detail": name, "values": int(table[name].nunique()), "share": float(max(fit.rsquared_adj, 0)),
                     "p": float(fit.f_pvalue) if np.isfinite(fit.f_pvalue) else 1.0})
    for row, p in zip(rows, multipletests([r["p"] for r in rows], method="holm")[1], strict=True):
        row["holm"] = float(p)
    return sorted(rows, key=lambda row: -row["share"])


def balance(readings: Sequence[dict]) -> float:
    """The largest Cramér's V between two details of some readings: 0 where none is tied to another, 1 at worst."""
    table = pd.DataFrame(list(readings), dtype=object).astype(str)
    return max((float(stats.contingency.association(pd.crosstab(table[a], table[b]).to_numpy(), method="cramer"))
                for a, b in combinations(table, 2)), default=0.0)
