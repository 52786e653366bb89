"""Training runs: what their folders hold, one process or two, errors of workers, what a killed run leaves."""

import json
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save
from test_corpus import saved, small

from acp_lib.engine import processes
from acp_lib.engine.faults import Damaged
from acp_lib.engine.processes import THREADS
from acp_lib.engine.work import Work
from acp_lib.experiment import evaluation, methods, runs, tasks, training
from acp_lib.experiment.runs import Run
from acp_lib.experiment.tasks import Correspondence
from acp_lib.profiles import load

QUICK = {"batch": 64, "pairs_per_epoch": 128, "test_pairs": 60, "epochs": 1, "first_layer": "input"}


@pytest.fixture(scope="module", autouse=True)
def few_validation_pairs():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tasks, "VALIDATION_PAIRS", 200)
        yield


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return saved(small((2048, 193), (24, 24)), tmp_path_factory.mktemp("corpus"))


@pytest.fixture
def threads(monkeypatch):
    """Workers that start at once, because they are threads."""
    monkeypatch.setattr(processes, "ProcessPoolExecutor", lambda n, **_: ThreadPoolExecutor(n))


def planned(folder, inputs, seed=0, group="pairs", name="ACP-Net", /, **options):
    """A run of a method, ACP-Net if none is named, with these options of a profile."""
    return Run(group, name, seed, folder, inputs, methods.method(group, name).options(load(**options)))


def some(folder, inputs, *seeds, **options):
    return [planned(folder / f"acp_net-{s}", inputs, s, **QUICK | options) for s in seeds]


def quiet(jobs=1, scheduler=""):
    """What runs are trained with."""
    return Work(Path("nowhere"), jobs, progress=False, scheduler=scheduler)


def empty(run):
    """A run without training."""
    run.folder.mkdir(parents=True)
    (run.folder / "history.json").write_text("[]")


def files(run):
    return {p.name: p.read_bytes() for p in run.folder.iterdir()}


@pytest.fixture(scope="module")
def alone(corpus, tmp_path_factory):
    """Two runs that were made in this process."""
    made = some(tmp_path_factory.mktemp("alone"), corpus, 3, 4)
    for run in made:
        runs.train_run(run)
    return made


@pytest.mark.slow
def test_what_a_run_keeps(corpus, alone):
    data, profile, run = corpus.corpus, load(**QUICK), alone[0]
    assert set(files(run)) == {"history.json", "model.safetensors", "test.parquet"}
    assert run.history == json.loads((run.folder / "history.json").read_text())
    assert [h["epoch"] for h in run.history] == [1]
    table = pd.read_parquet(run.folder / "test.parquet")
    pairs = Correspondence(data, profile.pairing, profile.seed).pairs("test")
    assert list(table.columns) == ["image", "music", "truth", "probability", "predicted"]
    pd.testing.assert_frame_equal(run.predictions, table)
    for column in ("image", "music", "truth"):
        np.testing.assert_array_equal(table[column], getattr(pairs, column))
    np.testing.assert_array_equal(run.correct, (run.probability > 0.5) == (pairs.truth == 1))
    model = run.model()
    assert not model.training
    np.testing.assert_array_equal(run.probability, evaluation.probability(model, data, pairs))


@pytest.mark.slow
def test_nothing_but_the_folder_is_left(alone):
    names = {p.name for p in alone[0].folder.parent.iterdir()}
    assert {n for n in names if not n.endswith(".lock")} == {"acp_net-3", "acp_net-4"}


@pytest.mark.slow
def test_two_processes_give_what_one_gives(tmp_path, corpus, alone):
    """The workers draw 4,000 validation pairs, so their weights alone are compared: one epoch leaves no choice."""
    both = some(tmp_path, corpus, 3, 4)
    runs.train(both, quiet(2))
    for run, expected in zip(both, alone, strict=True):
        for name in ("model.safetensors", "test.parquet"):
            assert files(run)[name] == files(expected)[name]
    assert files(both[0])["model.safetensors"] != files(both[1])["model.safetensors"]


@pytest.mark.slow
def test_what_is_there_is_not_made_again(tmp_path, corpus, threads, monkeypatch):
    seen = []
    monkeypatch.setattr(runs, "train_run", lambda run: seen.append(run.seed) or empty(run))
    some(tmp_path, corpus, 1)[0].folder.mkdir()
    runs.train(some(tmp_path, corpus, 0, 1, 2), quiet())
    assert seen == [0, 2]
    monkeypatch.setattr(processes, "ProcessPoolExecutor", None)
    runs.train(some(tmp_path, corpus, 0, 1, 2), quiet())


@pytest.mark.slow
def test_no_more_workers_than_runs_or_jobs(tmp_path, corpus, monkeypatch):
    asked = []
    monkeypatch.setattr(runs, "train_run", empty)
    monkeypatch.setattr(processes, "ProcessPoolExecutor", lambda n, **_: asked.append(n) or ThreadPoolExecutor(n))
    for jobs, seeds in ((1, 3), (2, 3), (8, 3)):
        runs.train(some(tmp_path / str(jobs), corpus, *range(seeds)), quiet(jobs))
    assert asked == [1, 2, 3]


@pytest.mark.slow
@pytest.mark.parametrize("fails", [False, True])
def test_the_environment_is_as_before(tmp_path, corpus, threads, monkeypatch, fails):
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    monkeypatch.delenv("NUMBA_NUM_THREADS", raising=False)
    before, seen = dict(os.environ), []

    def one(run):
        seen.append([os.environ[name] for name in THREADS])
        if fails:
            raise RuntimeError

    monkeypatch.setattr(runs, "train_run", one)
    try:
        runs.train(some(tmp_path, corpus, 0), quiet())
    except RuntimeError:
        assert fails
    assert seen == [["1"] * 4] and dict(os.environ) == before


@pytest.mark.slow
def test_an_error_in_a_worker_reaches_the_caller_and_leaves_no_folder(tmp_path, corpus, threads):
    with pytest.raises(FloatingPointError, match="lower learning_rate"):
        runs.train(some(tmp_path, corpus, 0, learning_rate=1e37), quiet())
    assert [p.name for p in tmp_path.iterdir() if not p.name.endswith(".lock")] == []


@pytest.mark.slow
def test_after_an_error_no_further_run_is_begun(tmp_path, corpus, threads, monkeypatch):
    begun = []

    def one(run):
        begun.append(run.seed)
        time.sleep(0.05)
        raise FloatingPointError("the loss is nan")

    monkeypatch.setattr(runs, "train_run", one)
    with pytest.raises(FloatingPointError):
        runs.train(some(tmp_path, corpus, *range(20)), quiet())
    assert begun[0] == 0 and len(begun) < 10


class Killed(BaseException):
    pass


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was(tmp_path, corpus, monkeypatch):
    whole, = some(tmp_path / "whole", corpus, 0, epochs=2)
    runs.train_run(whole)
    monkeypatch.setattr(training, "SECONDS", -1)
    killed, = some(tmp_path / "killed", corpus, 0, epochs=2)
    fit = training.fit

    def until_killed(*args, on_epoch, **options):
        def raising(history):
            on_epoch(history)
            raise Killed

        return fit(*args, on_epoch=raising, **options)

    monkeypatch.setattr(training, "fit", until_killed)
    with pytest.raises(Killed):
        runs.train_run(killed)
    assert not killed.folder.exists()
    assert (killed.folder.parent / ".acp_net-0.checkpoint").exists()
    epochs = []
    monkeypatch.setattr(training, "fit", lambda *a, on_epoch, **o: fit(
        *a, on_epoch=lambda h: epochs.append(h[-1]["epoch"]) or on_epoch(h), **o))
    runs.train_run(killed)
    assert epochs == [2] and files(killed) == files(whole)
    assert {p.name for p in killed.folder.parent.iterdir() if not p.name.endswith(".lock")} == {"acp_net-0"}


# what a run depends on


@pytest.mark.slow
def test_each_draw_of_initial_weights_is_another_and_the_same_again(tmp_path, corpus):
    def first(draw):
        run, = some(tmp_path, corpus, 0, init_draw=draw)
        return run.untrained().state_dict()["fusion.0.weight"]

    assert all(torch.equal(first(k), first(k)) for k in range(3))
    assert not any(torch.equal(first(a), first(b)) for a, b in ((0, 1), (0, 2), (1, 2)))


def test_networks_start_from_their_seed_and_leave_the_generator_alone(tmp_path, corpus):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one, two, other = (run.untrained().state_dict()["fusion.0.weight"] for run in some(tmp_path, corpus, 5, 5, 6))
    assert torch.equal(one, two) and not torch.equal(one, other)
    assert torch.equal(torch.get_rng_state(), before)


PAIRS = ("pairs", "ACP-Net")
L3 = ("pairs", "L3-Net")
CNN = ("music", "Spectrogram + CNN")
FINE = ("image", "AlexNet, fine-tuned")
PROBE = ("image", "ACP-Net features + MLP")
PLAIN = ("music", "193 numbers + MLP")


@pytest.mark.slow
@pytest.mark.parametrize(("method", "change", "differs"), [
    (PAIRS, {"dropout": 0.1}, True), (PAIRS, {"first_layer": "dense"}, True), (PAIRS, {"seed": 1}, True),
    (PAIRS, {"batch": 32}, True), (PAIRS, {"patience": 2}, True), (PAIRS, {"test_pairs": 61}, True),
    (PAIRS, {"pairs": "uniform"}, True), (PAIRS, {"precision": "bfloat16"}, True),
    (PAIRS, {"seeds": 9}, False), (PAIRS, {"jobs": 3}, False), (PAIRS, {"results": "x"}, False),
    (PAIRS, {"work": "x"}, False), (PAIRS, {"raw_size": 96}, False), (PAIRS, {"width": 0.5}, False),
    (PAIRS, {"probe_epochs": 3}, False), (PAIRS, {"crops": 2}, False),
    (L3, {"raw_size": 96}, True), (L3, {"bins": 64}, True), (L3, {"frames": 20}, True), (L3, {"crops": 2}, True),
    (L3, {"width": 0.5}, True), (L3, {"epochs": 9}, True), (L3, {"dropout": 0.1}, False),
    (L3, {"alexnet_weights": "x"}, True),
    (CNN, {"probe_epochs": 9}, True), (CNN, {"probe_patience": 9}, True), (CNN, {"crops": 2}, True),
    (CNN, {"dropout": 0.1}, True), (CNN, {"epochs": 9}, False), (CNN, {"test_pairs": 9}, False),
    (CNN, {"raw_size": 96}, True), (CNN, {"dropout_at": "hidden"}, True),
    (FINE, {"alexnet_weights": "x"}, True), (FINE, {"raw_size": 96}, True), (FINE, {"width": 0.5}, True),
    (FINE, {"bins": 64}, True), (FINE, {"dropout": 0.1}, False), (FINE, {"patience": 9}, False),
    (PROBE, {"probed_at": "before_relu"}, True), (PROBE, {"initialisation": "glorot"}, True),
    (FINE, {"initialisation": "glorot"}, False),
    (PROBE, {"dropout_at": "hidden"}, True), (PROBE, {"width": 0.5}, False), (PROBE, {"pairs": "uniform"}, False),
    (PLAIN, {"dropout": 0.1}, True), (PLAIN, {"learning_rate": 0.1}, True), (PLAIN, {"first_layer": "dense"}, True),
])
def test_a_run_depends_on_whole_groups_of_options_and_on_no_other(method, change, differs):
    one, two = (methods.method(*method).options(load(**QUICK | more)).named for more in ({}, change))
    assert (one != two) == differs


@pytest.mark.slow
@pytest.mark.parametrize(("name", "spoilt", "read"), [
    ("model.safetensors", lambda p: p.write_bytes(p.read_bytes()[:-9]), lambda run: run.model()),
    ("model.safetensors", lambda p: p.write_bytes(b""), lambda run: run.model()),
    ("model.safetensors", lambda p: p.write_bytes(save({"image.0.weight": torch.zeros(2)})), lambda run: run.model()),
    ("history.json", lambda p: p.write_text("[{"), lambda run: run.history),
    ("test.parquet", lambda p: p.write_bytes(b"PAR1"), lambda run: run.predictions),
    ("test.parquet", lambda p: p.unlink(), lambda run: run.predictions),
])
def test_a_kept_run_that_is_damaged_is_named_with_the_remedy(alone, tmp_path, name, spoilt, read):
    folder = shutil.copytree(alone[0].folder, tmp_path / "run")
    spoilt(folder / name)
    with pytest.raises(Damaged) as found:
        read(replace(alone[0], folder=folder))
    said = str(found.value)
    assert said.startswith(f"{folder / name} cannot be used (") and "\n" not in said
    assert said.endswith("; remove the folder that holds it, and it is made anew")
