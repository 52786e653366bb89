"""Tasks over processes: results, resumption, and items that kill whoever touches them."""

import os
import subprocess
import sys
from collections import Counter

import pytest
from conftest import corpus
from elsewhere import broken, counted, describe, silenced, task
from test_corpus import saved, small

from acp_lib.database import folder as source
from acp_lib.database import manifest
from acp_lib.engine.spread import isolated, spread_items, spread_tasks
from acp_lib.engine.work import Work
from acp_lib.experiment import methods, runs
from acp_lib.experiment.runs import Run
from acp_lib.features import shards
from acp_lib.profiles import load

pytestmark = pytest.mark.slow

QUICK = {"batch": 64, "pairs_per_epoch": 128, "test_pairs": 60, "epochs": 1, "first_layer": "input", "device": "cpu"}


def calls(folder):
    """How often each task was begun."""
    return Counter(line.split()[0] for line in (folder / "calls").read_text().splitlines())


def tasks(folder, *lists):
    return [(folder / f"{i}.txt", items) for i, items in enumerate(lists)]


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_task_is_done_once(tmp_path, jobs):
    todo = tasks(tmp_path, [1, 2], [3], [4, 5, 6])
    assert sorted(spread_tasks(task, todo, jobs)) == [1, 2, 3]
    assert [t.read_text() for t, _ in todo] == ["2,4", "6", "8,10,12"]
    assert sorted(tmp_path.iterdir()) == [t for t, _ in todo]


def test_an_item_that_kills_its_process_costs_itself_alone(tmp_path):
    todo = tasks(tmp_path, *[[i, i + 1] for i in range(0, 12, 2)], [20, -1, 21], [30])
    assert sum(spread_tasks(task, todo, 2)) == sum(len(items) for _, items in todo)
    assert [t.read_text() for t, _ in todo[:6]] == [f"{2 * i},{2 * i + 2}" for i in range(0, 12, 2)]
    assert [t.read_text() for t, _ in todo[6:]] == ["40,None,42", "60"]


def test_a_killed_process_costs_no_more_than_its_own_task(tmp_path):
    todo = tasks(tmp_path, *[[i] for i in range(10)], [99], *[[i] for i in range(20, 30)])
    assert sum(spread_tasks(counted, todo, 2)) == len(todo)
    assert [t.read_text() for t, _ in todo] == [",".join(str(2 * i) for i in items) for _, items in todo]
    found = calls(tmp_path)
    repeated = {name: n for name, n in found.items() if n > 1}
    assert sum(found.values()) <= len(todo) + 2 and repeated.pop("10.txt") == 2  # and what the other process was at
    assert len(repeated) <= 1


def test_isolated_names_the_items_that_kill():
    assert isolated(describe, [1, -1, -2, 3]) == [
        (2, ""), (None, "killed the process that read it"), (None, "killed the process that read it"), (6, "")]


def test_items_come_in_their_order_and_one_that_kills_costs_itself_alone():
    items = [*range(40), -1, *range(40, 60)]
    found = list(spread_items(describe, items, jobs=2, size=8))
    assert found == [(None, "killed the process that read it") if i < 0 else (2 * i, "") for i in items]
    assert list(spread_items(describe, range(5), jobs=1)) == [(2 * i, "") for i in range(5)]
    assert list(spread_items(describe, [], jobs=2)) == []


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_of_a_task_is_not_swallowed(tmp_path, jobs):
    with pytest.raises(ValueError, match="broken"):
        list(spread_tasks(broken, tasks(tmp_path, [1], [2]), jobs))


@pytest.mark.parametrize("way", ["here", "cluster"])
def test_what_was_made_by_a_process_that_could_not_say_so_is_counted(tmp_path, request, way):
    todo = tasks(tmp_path, [1, 2], [3, 4, 5], [6])
    how = {"jobs": 2} if way == "here" else {"scheduler": request.getfixturevalue("cluster")}
    assert sum(spread_tasks(silenced, todo, **how)) == 6
    assert [t.read_text() for t, _ in todo] == ["2,4", "6,8,10", "12"]
    assert [p for p in tmp_path.iterdir() if "begun" in p.name] == []


@pytest.fixture(scope="module")
def cluster():
    """A scheduler and two workers, processes of their own as on a cluster."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    scheduler = subprocess.Popen([sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1",
                                  "--port", "0", "--no-dashboard"], stderr=subprocess.PIPE, text=True, env=env)
    address = next(line.split()[-1] for line in scheduler.stderr if "Scheduler at:" in line)
    workers = [subprocess.Popen([sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1",
                                 "--no-dashboard", "--host", "127.0.0.1"], stderr=subprocess.DEVNULL,
                                env=env) for _ in range(2)]
    yield address
    for process in (*workers, scheduler):
        process.terminate()
    for process in (*workers, scheduler):
        process.wait(30)


def test_a_cluster_gives_the_same_files(tmp_path, cluster):
    todo = tasks(tmp_path, [1, 2], [3], [4, -1, 6], [7])
    assert sum(spread_tasks(task, todo, scheduler=cluster)) == 7
    assert [t.read_text() for t, _ in todo] == ["2,4", "6", "8,None,12", "14"]


def test_a_worker_of_the_cluster_that_is_killed_costs_no_more_than_its_own_task(tmp_path, cluster):
    todo = tasks(tmp_path, *[[i] for i in range(40)], [99], *[[i] for i in range(60, 70)])
    assert sum(spread_tasks(counted, todo, scheduler=cluster)) == len(todo)
    assert [t.read_text() for t, _ in todo] == [",".join(str(2 * i) for i in items) for _, items in todo]
    found = calls(tmp_path)
    assert found.pop("40.txt") == 2 and set(found.values()) == {1}


def files(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir()}


def test_features_are_bit_identical_here_and_on_a_cluster(tmp_path, cluster, weights):
    root = corpus(tmp_path / "corpus")
    rows, _ = manifest.build(root, source.scan(root)[0], progress=False)
    ways = {"one": {}, "two": {"jobs": 2}, "cluster": {"scheduler": cluster}}
    for modality, options in (("music", {}), ("image", {"weights": weights, "size": 75})):
        made = {}
        for name, how in ways.items():
            folder = tmp_path / modality / name
            work = Work(folder, progress=False, **how)
            shards.vectors(modality, root, rows[rows["modality"] == modality], work, folder, **options)
            made[name] = files(folder)
        assert made["one"] and made["one"] == made["two"] == made["cluster"]


def test_training_runs_are_bit_identical_here_and_on_a_cluster(tmp_path, cluster):
    inputs, acp_net = saved(small((2048, 193), (24, 24)), tmp_path / "data"), methods.method("pairs", "ACP-Net")
    made = {}
    for name, scheduler in (("here", ""), ("there", cluster)):
        made[name] = [Run("pairs", "ACP-Net", seed, tmp_path / name / f"acp_net-{seed}", inputs,
                          acp_net.options(load(**QUICK, learning_rate=rate)))
                      for seed, rate in enumerate((1e-4, 1e-3, 1e37))]
        work = Work(tmp_path / name, progress=False, scheduler=scheduler)
        runs.train(made[name], work, tolerant={run.folder for run in made[name]})
    for here, there in zip(made["here"][:2], made["there"][:2], strict=True):
        assert files(here.folder) == files(there.folder) != {}
    assert made["here"][2].diverged == made["there"][2].diverged != ""
