"""IMAC, simulated at its full size: whether a simulator gives the accuracies of real samples that it has not seen, and
what ACP-Net then scores on databases of IMAC's size under each reading of the paper.

Chapter: What would IMAC have given? A simulation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from acp_lib import paper
from acp_lib.audits.specifications import NEAR
from acp_lib.engine.text import number, span
from acp_lib.experiment import intervals, runs
from acp_lib.experiment.intervals import Estimate
from acp_lib.experiment.pairs import PROTOCOLS, joint, oracle
from acp_lib.findings import likeness, observer, real, simulator, tuned
from acp_lib.findings.simulator import FACTORS, SimulatedRun
from acp_lib.findings.tuned import SIDES, Tuned
from acp_lib.results import recorded, scores
from acp_lib.study import MAIN

if TYPE_CHECKING:
    from acp_lib.study import Study

Reading = tuple[str, str]
"""A protocol of pairs, and what a split keeps whole."""

READINGS: list[Reading] = [*((protocol, "song") for protocol in PROTOCOLS), ("class_balanced", "segment"),
                           ("uniform", "segment")]
NOISES = (0.0, 1.0)
"""Of the labels of songs: as good as those of the corpus, and as uncertain as their released scores."""
LONGER = 2
"""Times as many epochs for one more run of the first reading, to see whether they matter."""
MAIN_TIMES = 2
"""Times as many epochs for the main network, whose learning rate is lower; one of them takes minutes."""

NONE = "none"
ABOUT = ("network", "pairs", "split", "noise")
"""What tells readings from one another, once trained."""
REPORTED = paper.CORRESPONDENCE["ACP-Net"]


def rows(study: Study, share: float = 1.0, readings: Sequence[str] = ()) -> list[dict]:
    """What is recorded.

    Parameters
    ----------
    study : its `seeds` are how many databases the first reading is tried on, each with a run of the audited network;
        its `epochs` (of the main one MAIN_TIMES as many), each in full, and `batch` are those of the runs
    share : of IMAC's size
    readings : as `asked`; the first is tried on all databases; on one of them with each of NOISES, by the main network,
        and the others, too

    Returns
    -------
    rows of a "table": "model", "check" (`likeness.rows`), "run", "reading" (`networks`), "observer"; without readings
    the check alone
    """
    if not (some := asked(readings)):
        several = study.manifest["group"].duplicated().any()  # else no two segments share anything
        return likeness.rows(study, tuned.between(study) if several else 0.0, networks=False)
    made = tuned.of(study)
    trained = networks(study, made, share, some)
    return [*(_model(study, made, m) for m in SIDES), *likeness.rows(study, made.models["music"].between),
            *trained]


def _model(study: Study, made: Tuned, modality: str) -> dict:
    label = getattr(study.corpus, modality).label
    return {"table": "model", "row": modality, "samples": len(label), "factors": FACTORS,
            "between": made.models[modality].between, "times": made.times[modality], "error": made.errors[modality]}


# --- at full size


def asked(given: Sequence[str]) -> list[Reading]:
    """The readings that were named, "class_balanced, song"; all if nothing is named, and none by "none".

    Raises
    ------
    ValueError
        For a name of none; the message lists those there are.
    """
    if list(given) in ([], [NONE]):
        return [] if given else READINGS
    known = {", ".join(reading): reading for reading in READINGS}
    if wrong := [name for name in given if name not in known]:
        raise ValueError(f"{wrong[0]!r} is no reading; expected some of {', '.join(map(repr, known))}")
    return [known[name] for name in dict.fromkeys(given)]


class Job(NamedTuple):
    """A run: whose network, on which pairs of which database, and for how many epochs."""

    study: Study
    reading: Reading
    noise: float
    seed: int
    epochs: int
    longer: bool = False

    def planned(self, made: Tuned, share: float = 1.0) -> SimulatedRun:
        """The run of ACP-Net on the simulated database, trained or not."""
        pairs, split = self.reading
        profile = self.study.profile.changed(seed=self.seed, pairs=pairs, split=split, epochs=self.epochs,
                                             patience=self.epochs)
        return simulator.planned(made.models, profile, self.study.work, noise=self.noise, share=share)


def networks(study: Study, made: Tuned, share: float, readings: Sequence[Reading]) -> list[dict]:
    """ACP-Net on databases of IMAC's size.

    Returns
    -------
    rows in per cent. "run": "network", as `Study.network`, "pairs", "split", "noise", "seed", whether it could go on
    "longer", the rest of `Estimate.row` over the pictures and songs of its database, and the "curve" of its validation
    accuracy. "reading", of each "network", "pairs", "split" and "noise": "ours" and "interval" over databases and runs;
    "values", one each; "sd", of a run on a database; "guess", of who knows one true class; what `Observer.row` has;
    "corpus", the standard error that comes from the samples that the simulator was tuned on; "near" and "near_corpus",
    how probable a run within NEAR of the paper's number is, without and with that error; and what `Observer.needed`
    has, for that number
    """
    seeds, (first, *others), small = study.profile.run_seeds, readings, study.audited
    epochs, good = study.profile.pairing.epochs, NOISES[0]
    jobs = [*(Job(small, first, good, seed, epochs) for seed in seeds),
            Job(study, first, good, seeds[0], MAIN_TIMES * epochs),
            *(Job(small, first, noise, seeds[0], epochs) for noise in NOISES[1:]),
            *(Job(small, reading, good, seeds[0], epochs) for reading in others),
            Job(small, first, good, seeds[0], LONGER * epochs, longer=True)]
    plan = [job.planned(made, share) for job in jobs]
    runs.train(plan, study.work)
    table = {(noise, seed): simulator.imac(seed, noise, share) for noise in NOISES for seed in seeds}
    seen = {noise: observer.Observer(made, table[noise, seeds[0]], seeds[0]) for noise in NOISES}
    every = [_run(one, job, table[job.noise, job.seed]) for one, job in zip(plan, jobs, strict=True)]
    own: dict[tuple, list[dict]] = {}
    for row in every:
        if not row["longer"]:
            own.setdefault(tuple(row[key] for key in ABOUT), []).append(row)
    luck = spread(list(own.values()))
    return [*every, *(_reading(some, seen[some[0]["noise"]], made, luck) for some in own.values()),
            *(row for noise in NOISES for row in seen[noise].rows(noise))]


def _run(one: SimulatedRun, job: Job, table: pd.DataFrame) -> dict:
    groups = [table.loc[table["modality"] == m, "song"].to_numpy()[one.predictions[m].to_numpy()] for m in SIDES]
    about = dict(zip(ABOUT, (job.study.network, *job.reading, job.noise), strict=True))
    return {"table": "run", **about, "seed": job.seed, "longer": job.longer,
            **intervals.mean(one.correct, *groups).scaled(100).row(),
            "curve": [round(100 * record["val_accuracy"], 2) for record in one.history]}


def spread(readings: Sequence[Sequence[dict]]) -> tuple[float, float]:
    """The variance of a run on a database about the mean of its reading, points squared, and its degrees of freedom: of
    readings with several runs; no less than what the pictures and songs of one bring.

    readings : the runs of each
    """
    known = [[row["ours"] for row in own] for own in readings if len(own) > 1]
    least = [variance for own in readings for row in own for variance in row["variances"]]
    free = sum(len(own) - 1 for own in known)
    found = sum(np.var(own) * len(own) for own in known) / max(free, 1)
    if found > (items := float(np.mean([variance for variance, _ in least]))):
        return float(found), float(free)
    return items, float(min(degrees for _, degrees in least))


def _reading(own: Sequence[dict], seen: observer.Observer, made: Tuned, luck: tuple[float, float]) -> dict:
    first, values = own[0], [row["ours"] for row in own]
    estimate = Estimate(float(np.mean(values)), ((luck[0] / len(values), luck[1]),), 0, 100)
    best = seen.row(first["pairs"])
    slopes = seen.slopes(first["pairs"])
    corpus = sum((slopes[m] * made.errors[m] / made.times[m])**2 for m in SIDES) if min(made.times.values()) else 0.0
    table = joint(first["pairs"], *(seen.counts[m] for m in SIDES))
    return {"table": "reading", **{key: first[key] for key in ABOUT},
            **estimate.row(), "values": values, "sd": float(np.sqrt(luck[0])),
            "guess": max(oracle(table, axis) for axis in (None, 0, 1)), **best,
            "corpus": float(np.sqrt(corpus)), "near": near(estimate, luck[0], 0.0),
            "near_corpus": near(estimate, luck[0], corpus),
            **seen.needed(first["pairs"], REPORTED, estimate.value - best["best"])}


def near(estimate: Estimate, luck: float, corpus: float, reported: float = REPORTED, within: float = NEAR) -> float:
    """The probability that a run on another database lies within so many points of a number.

    estimate : mean of a reading, whose variance and luck, that of a run, were told by the same runs; corpus : variance
        that comes from the samples that the simulator was tuned on, taken as normal

    Chapter: What would IMAC have given? A simulation.
    """
    (own, free), = estimate.variances
    total = own + luck + corpus
    if not total:
        return float(abs(estimate.value - reported) <= within)
    degrees = free * (total / (own + luck))**2 if own + luck else np.inf
    ends = (np.array([-within, within]) + reported - estimate.value) / np.sqrt(total)
    return float(np.diff(stats.t.cdf(ends, degrees))[0])


# --- what is said of it

WORDS = {"image": "pictures", "music": "music", "two": "late fusion", "ACP-Net": "ACP-Net"}
"""What is checked, for readers."""


def written(row: dict) -> str:
    """A reading in words; of the audited network unless it says so."""
    by = "" if row["split"] == "song" else f", split by {row['split']}"
    return (row["pairs"].replace("_", " ") + by + (", uncertain labels" if row["noise"] else "")
            + (", main network" if row["network"] == MAIN else ""))


def alike(results: Sequence[dict]) -> dict[str, object]:
    """How many checks there are ("asked"), in how many the real half's interval holds the simulated mean ("inside"),
    and how many `passed` ("agree"); and the largest difference, in words ("worst").

    Chapter: What would IMAC have given? A simulation.
    """
    every = [(result["data"], row) for result in results for row in recorded.of(result, table="check")]
    data, worst = max(every, key=lambda one: abs(one[1]["difference"]["ours"]))
    away = worst["difference"]
    return {"asked": len(every), "agree": sum(passed(row) for _, row in every),
            "inside": sum(row["interval"][0] <= row["simulated"] <= row["interval"][1] for _, row in every),
            "worst": f"{number(away['ours'], sign='+')} points ({span(away['interval'], sign='+')}), for "
                     f"{WORDS[worst['row']]} on {data}"}


def failures(results: Sequence[dict]) -> str:
    """How many checks did not pass, by corpus, in words: "1 of 9 checks on A and 4 of 8 on B".

    Chapter: the first page.
    """
    found = {result["data"]: recorded.of(result, table="check") for result in results}
    first, *others = ((sum(not passed(row) for row in rows), len(rows), data) for data, rows in found.items() if rows)
    return real.listed([f"{first[0]} of {first[1]} checks on {first[2]}",
                        *(f"{failed} of {asked} on {data}" for failed, asked, data in others)])


def by_network(results: Sequence[dict]) -> str:
    """How many of the checks are of ACP-Net: "1 of 37"; the others are of classifiers, which are trained much sooner.

    Chapter: What would IMAC have given? A simulation; the first page.
    """
    checks = [row["row"] for result in results for row in recorded.of(result, table="check")]
    return f"{checks.count('ACP-Net')} of {len(checks)}"


def compatible(results: Sequence[dict]) -> float | None:
    """The error, in points, that half of the checks that passed are compatible with, by the farther end of their
    intervals; None where none did.

    Chapter: What would IMAC have given? A simulation.
    """
    ends = [max(map(abs, row["difference"]["interval"])) for result in results
            for row in recorded.of(result, table="check") if passed(row)]
    return float(np.median(ends)) if ends else None


def passed(row: dict) -> bool:
    """Whether the interval of a check's difference holds zero.

    Chapter: What would IMAC have given? A simulation.
    """
    low, high = row["difference"]["interval"]
    return low <= 0 <= high


def sentence(result: dict) -> str:
    """What ACP-Net scores on class-balanced pairs of simulated databases, in words.

    Chapter: What would IMAC have given? A simulation.
    """
    rows = recorded.of(result, table="reading", pairs="class_balanced", split="song")
    small = next((row["network"] for row in rows if row["network"] != MAIN), None)
    good, bad = (recorded.one(result["command"], rows, network=small, noise=noise) for noise in NOISES)
    said = (f"on databases of IMAC's size that are simulated from {result['data']}, {_score(good)} of the "
            f"class-balanced pairs if songs are labelled as well as there, and on {bad['ours']:.1f} % if their "
            "labels are as uncertain as the released scores")
    return "; ".join([said, *(f"with good labels and after {_epochs(result, row)}, {_score(row)}"
                              for row in recorded.of({"rows": rows}, network=MAIN, noise=NOISES[0]))])


def _score(row: dict) -> str:
    return f"{scores.called({**row, 'row': 'ACP-Net'})} is right on {row['ours']:.1f} %"


def beside(result: dict) -> str:
    """What each network scores on the first reading, with its interval, runs and epochs, in words.

    Chapter: What would IMAC have given? A simulation.
    """
    first, *others = recorded.of(result, table="reading")
    alike = {key: first[key] for key in ("pairs", "split", "noise")}
    rows = [first, *recorded.of({"rows": others}, **alike)]
    return "; ".join(f"{scores.called({**row, 'row': 'ACP-Net'})} {row['ours']:.1f} % ({span(row['interval'])}; runs: "
                     f"{len(row['values'])}, of {_epochs(result, row)})" for row in rows)


def shifts(result: dict) -> str:
    """By how many points the audited network's run under every other reading differs from that under the first, on the
    same database, in words.

    Chapter: What would IMAC have given? A simulation.
    """
    first, *others = (row for row in recorded.of(result, table="reading") if row["network"] != MAIN)
    return "; ".join(f"{written(row)} {number(row['ours'] - first['values'][0], sign='+')}" for row in others)


def _epochs(result: dict, row: dict) -> str:
    """Of the first run of a reading, in words."""
    run, *_ = recorded.of(result, table="run", longer=False, **{key: row[key] for key in ABOUT})
    return f"{len(run['curve'])} epoch{'s' * (len(run['curve']) > 1)}"


def full(results: Sequence[dict]) -> list[dict]:
    """Those results that have networks at IMAC's size.

    Chapter: What would IMAC have given? A simulation.
    """
    return [result for result in results if recorded.of(result, table="reading")]


def told(results: Sequence[dict]) -> str:
    """`sentence` for all results that have one.

    Chapter: What would IMAC have given? A simulation; Verdicts.
    """
    return "; ".join(map(sentence, full(results))) or "nothing has been recorded"
