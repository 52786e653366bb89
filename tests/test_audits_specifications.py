"""Readings of the paper: a balanced design, effects that were planted and no others, runs of several profiles."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_corpus import saved, small
from test_runs import QUICK, planned, quiet

from acp_lib.audits import curve, specifications
from acp_lib.engine import processes
from acp_lib.experiment import runs, tasks
from acp_lib.experiment.corpus import Pairs, scaled
from acp_lib.profiles import ledger, load

VALUES = {"a": [1, 2], "b": [10, 20, 30, 40, 50], "c": ["x", "y", "z"], "d": [0.4, 0.0]}


@pytest.mark.slow
@settings(max_examples=20)
@given(st.dictionaries(st.sampled_from("abcdef"), st.lists(st.integers(0, 9), min_size=2, max_size=5, unique=True),
                       min_size=1, max_size=5), st.integers(2, 40))
def test_a_design_holds_the_own_reading_first_and_each_value_about_equally_often(values, n):
    with pytest.MonkeyPatch.context() as fewer:
        fewer.setattr(specifications, "DESIGNS", 10)
        made = specifications.design(values, n)
    assert len(made) == n and made[0] == {name: some[0] for name, some in values.items()}
    for name, some in values.items():
        found = Counter(row[name] for row in made)
        assert set(found) <= set(some) and max(found.values()) - min(found[v] for v in some) <= 1


@pytest.mark.slow
@pytest.mark.parametrize(("networks", "readings", "values"), [(4, 2, 2), (16, 6, 2), (24, 9, 3), (48, 17, 5)])
def test_networks_suffice_for_each_value_to_stand_several_times(networks, readings, values):
    study = Fake(artist="A", batch=64, epochs=20, patience=20, audit_runs=networks)
    levels, left = specifications.levels(study)
    assert max(len(some) for some in levels.values()) == values and specifications.number(study) == readings
    for name in levels:
        often = Counter(row[name] for row in specifications.design(levels, readings)).values()
        assert len(often) == len(levels[name]) and min(often) >= min(specifications.TIMES, readings // 2)
    few = [row["reason"] for row in left if "too few" in row["reason"] and "segments" not in row["reason"]]
    assert set(few) <= {f"{readings} readings are too few to try more than {values} values of a detail"}
    assert bool(few) == (networks < 48)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_design_and_another_one_another():
    one, two, other = (specifications.design(VALUES, 16, seed) for seed in (0, 0, 1))
    assert one == two != other


@pytest.mark.slow
def test_details_are_little_tied():
    assert specifications.balance(specifications.design(VALUES, 60)) < 0.35
    tied = [{"a": k % 2, "b": k % 2} for k in range(10)]
    assert specifications.balance(tied) > 0.99


def test_effects_without_enough_readings_have_no_interval():
    rows = [{"a": 1}, {"a": 1}, {"a": 2}]
    assert specifications.effects(rows, [50, 52, 60], {"a": 1}) == [
        {"detail": "a", "value": 2, "n": 1, "effect": 9.0, "interval": None, "told": False}]
    assert specifications.effects(rows, [50, 52, 60], {"a": 1}, ["a"])[0]["told"]


# training


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(tasks, "VALIDATION_PAIRS", 200)
    monkeypatch.setattr(processes, "ProcessPoolExecutor", lambda n, **_: ThreadPoolExecutor(n))


def scale(side, kind):
    x = side.x.numpy().copy()
    x[:, 0] *= 1e4  # one feature in another unit, and it says nothing
    x[:, 0] = np.random.default_rng(0).permutation(x[:, 0])
    return replace(side, x=torch.from_numpy(scaled(x, side.rows("train"), kind)))


@pytest.mark.slow
def test_a_curve_over_trained_networks_finds_the_scaling_that_matters(tmp_path, quick):
    """A feature in another unit drowns the others unless they are scaled; the activation makes no odds."""
    plain = small((2048, 193), (96, 96), strength=6.0)
    files = {}
    for kind in ("zscore", "raw"):
        scaled_so = replace(plain, image=scale(plain.image, kind), music=scale(plain.music, kind))
        files[kind] = saved(scaled_so, tmp_path / kind)
    values = {"scaling": ["zscore", "raw"], "activation": ["relu", "linear_embeddings"]}
    rows = specifications.design(values, 6)
    given = QUICK | {"epochs": 6, "patience": 6, "pairs_per_epoch": 640, "batch": 32, "learning_rate": 0.0005,
                     "test_pairs": 400, "fc_width": 0.25, "dropout": 0.0}
    plan = [planned(tmp_path / f"run-{k}", files[row["scaling"]], **given | row) for k, row in enumerate(rows)]
    runs.train(plan, quiet())
    found = [100 * run.correct.mean() for run in plan]
    by = {kind: np.mean([v for v, row in zip(found, rows, strict=True) if row["scaling"] == kind])
          for kind in values["scaling"]}
    assert by["zscore"] > by["raw"] + 15, found
    assert curve.details(rows, found)[0]["detail"] == "scaling"


@pytest.mark.slow
def test_runs_of_several_profiles_are_each_made_with_their_own(tmp_path, quick, monkeypatch):
    seen = []

    def one(run):
        run.folder.mkdir()
        (run.folder / "history.json").write_text("[]")
        seen.append((run.options.network.dropout, run.folder.name))

    monkeypatch.setattr(runs, "train_run", one)
    plan = [planned(tmp_path / name, None, **QUICK, dropout=d)
            for d, name in ((0.1, "a"), (0.2, "b"), (0.2, "b"), (0.3, "c"))]
    plan[3].folder.mkdir()
    runs.train(plan, quiet())
    assert sorted(seen) == [(0.1, "a"), (0.2, "b")]


def test_a_cluster_gets_each_run_once(tmp_path, monkeypatch):
    tried = []

    def spread(run, todo, jobs=1, scheduler=""):
        tried.append((scheduler, [target.name for target, _ in todo]))
        yield from (run(*task) for task in todo)

    monkeypatch.setattr(runs, "spread_tasks", spread)
    monkeypatch.setattr(runs, "train_run", lambda run: run.folder.mkdir())
    plan = [planned(tmp_path / str(s), None, s, **QUICK) for s in range(3)]
    plan[1].folder.mkdir()
    runs.train(plan, quiet(scheduler="tcp://head:8786"))
    assert tried == [("tcp://head:8786", ["0", "2"])]
    assert all(run.folder.is_dir() for run in plan)


@pytest.mark.slow
def test_a_reading_that_diverges_is_noted_once_and_the_others_go_on(tmp_path, quick):
    corpus = saved(small((2048, 193), (64, 64)), tmp_path / "corpus")
    plan = wild, tame = [planned(tmp_path / name, corpus, **QUICK | more)
                         for name, more in (("wild", {"learning_rate": 1e37}), ("tame", {}))]
    runs.train(plan, quiet(), {run.folder for run in plan})
    assert "lower learning_rate" in wild.diverged and not wild.folder.exists()
    assert tame.diverged == "" and len(tame.correct)
    note = next(tmp_path.glob(".wild.diverged"))
    written = note.stat().st_mtime_ns
    runs.train(plan, quiet(), {run.folder for run in plan})
    assert note.stat().st_mtime_ns == written
    with pytest.raises(FloatingPointError, match="lower learning_rate"):
        runs.train(plan, quiet())


def test_readings_that_diverged_count_among_all_of_them(monkeypatch):
    trained = {"reading": {"a": 1}, "accuracy": 62.0, "interval": [60, 64], "one_sided": 50, "gap_interval": [1, 3]}
    gone = {"reading": {"a": 2}, "diverged": "the loss is nan"}
    monkeypatch.setattr(specifications, "points", lambda study: ([trained, gone], {"median": 1.5}))
    rows = specifications._rows(None)
    assert [(row["count"], row["readings"]) for row in rows[:3]] == [(1, 2)] * 3
    assert rows[3] == {"row": "median", "median": 1.5}
    assert [row["row"] for row in rows[4:]] == ["reading", "diverged"]


class Trained:
    """A reading's study with runs that are there: so right on all pairs of 20 pictures with 20 songs, one a run."""

    profile, work, corpus_key, network = load(test_pairs=400), None, "corpus", "audit"
    manifest = pd.DataFrame({"modality": ["image"] * 20 + ["music"] * 20, "group": [f"g{i}" for i in range(40)]})
    corpus = SimpleNamespace(counts=lambda part: ([7, 7, 6], [7, 7, 6]))
    _pairs = Pairs(*(a.ravel() for a in np.divmod(np.arange(400), 20)), np.arange(400) % 2)

    def __init__(self, *shares, diverged=""):
        rng = np.random.default_rng(len(shares))
        self.made = [SimpleNamespace(folder=k, correct=rng.random(400) < share, diverged=diverged if not k else "")
                     for k, share in enumerate(shares)]

    def test_pairs(self, protocol=None):
        return self._pairs

    def planned(self, group, name):
        return self.made


@pytest.fixture
def two_readings(monkeypatch):
    def given(*studies):
        monkeypatch.setattr(specifications, "studies", lambda study: [({"a": k}, s) for k, s in enumerate(studies)])
        monkeypatch.setattr(specifications.runs, "train", lambda *_: None)
        monkeypatch.setattr(specifications.baselines, "two_classifiers", lambda *_: np.arange(400) % 4 < 2)
        return specifications.points(Trained(0.5))
    return given


def test_a_reading_is_the_mean_of_its_runs_and_its_interval_knows_that_they_differ(two_readings):
    (alike, stuck), median = two_readings(Trained(0.8, 0.8, 0.8), Trained(0.5, 0.9, 0.95))
    for row, runs_ in ((alike, 3), (stuck, 3)):
        assert len(row["values"]) == runs_ and row["accuracy"] == pytest.approx(np.mean(row["values"]))
        assert row["interval"][0] < row["accuracy"] < row["interval"][1]
        assert row["excess"] == pytest.approx(row["accuracy"] - row["one_sided"])
        assert row["gap"] == pytest.approx(row["accuracy"] - 50)
    assert np.diff(stuck["interval"]) > 2 * np.diff(alike["interval"])
    assert median["median"] == pytest.approx(np.median([alike["excess"], stuck["excess"]])) and median["p"] < 0.05


def test_a_reading_of_which_one_run_diverges_is_no_mean_of_the_others(two_readings):
    rows, median = two_readings(Trained(0.6, 0.6), Trained(0.9, 0.9, 0.9, diverged="the loss is nan"))
    assert rows[1] == {"reading": {"a": 1}, "diverged": "1 of 3 runs: the loss is nan"}
    assert median["median"] == rows[0]["excess"]
    with pytest.raises(FloatingPointError, match="every reading diverged.* 1 of 1 runs: nan"):
        two_readings(Trained(0.6, diverged="nan"))


@pytest.mark.slow
def test_the_own_reading_has_the_runs_that_audits_share_and_the_others_several_of_their_own():
    class Base(Fake):
        audited = property(lambda self: self)

    study = Base(artist="A", batch=64, epochs=20, patience=20, audit_runs=16, seeds=10)
    (own, first), *others = specifications.studies(study)
    assert first is study and own["batch"] == 64 and [s.profile.seeds for _, s in others] == [specifications.RUNS] * 5
    assert all(s.profile.batch == reading["batch"] for reading, s in others)
    assert sum(s.profile.seeds for _, s in others) <= 16


# what is swept


def test_swept_details_are_of_acp_net_and_their_values_are_accepted():
    assert set(ledger.swept()) == {"activation", "initialisation", "dropout", "dropout_at", "pairs", "split", "scaling",
                                   "batch", "patience", "decay"}
    for detail in ledger.swept().values():
        for value in detail.alternatives:
            assert getattr(load(**{detail.parameter: value}), detail.parameter) == value


class Fake:
    """A study of which nothing but its profile and one artist is known; it cannot be split by segment."""

    def __init__(self, artist="", **given):
        self.profile, self.split = load(**given), given.get("split")
        self.manifest = pd.DataFrame({"modality": ["image", "music"], "artist": ["", artist]})

    def variant(self, **changes):
        return type(self)(**changes)

    def test_pairs(self):
        if self.split == "segment":
            raise ValueError("too few segments")


def test_readings_that_cost_much_or_cannot_be_are_left_out_with_the_reason():
    levels, left = specifications.levels(Fake(batch=64, epochs=10, patience=10, audit_runs=48))
    assert levels["batch"] == [64, 128, 32] and levels["patience"] == [10, 5, 3]
    assert "split" not in levels
    assert {(row["detail"], row["value"]): row["reason"] for row in left} == {
        ("split", "artist"): "no artist is known", ("split", "segment"): "too few segments",
        ("batch", 256): "an epoch would cost 4 times as much",
        ("batch", 512): "an epoch would cost 8 times as much",
        ("patience", 15): "the same as none: training ends after 10 epochs"}
    levels, left = specifications.levels(Fake(artist="A", batch=64, epochs=10, patience=10, audit_runs=48))
    assert levels["split"] == ["song", "artist"] and "artist" not in [row["value"] for row in left]


def test_statements_are_counted():
    """The paper's accuracy is 61.67 per cent."""
    def row(low, guess, gap, accuracy):
        return {"interval": [low, 70.0], "one_sided": np.float64(guess), "gap_interval": [gap, 9.0],
                "accuracy": accuracy}

    rows = [row(55.0, 50.0, 1.0, 62.0), row(50.0, 50.0, -1.0, 60.5), row(60.0, 50.0, 0.0, 61.0)]
    assert specifications.statements(rows) == {
        "beats the one-sided": 2, "beats two classifiers": 1, "near the paper": 2}
    assert all(type(n) is int for n in specifications.statements(rows).values())  # JSON knows no others


def test_what_a_reading_changes():
    own = {"a": 1, "b": "x", "c": 0.5}
    assert specifications.changed(own, own) == {}
    assert specifications.changed({"a": 1, "b": "y", "c": 0.0}, own) == {"b": "y", "c": 0.0}
