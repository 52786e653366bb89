"""Pools: what their processes see, and that an error leaves the rest undone."""

import os
import signal
import sys
import time

import pytest

from acp_lib.engine.processes import THREADS, pool


def surroundings():
    import torch

    return dict(os.environ), torch.get_num_threads(), os.getppid()


def late(path, seconds):
    time.sleep(seconds)
    path.touch()


def test_a_process_has_one_thread_and_the_environment_of_now(monkeypatch):
    for value in ("first", "second"):  # the server has started when the second is set
        monkeypatch.setenv("ACP_WORK", value)
        monkeypatch.setenv("OMP_NUM_THREADS", "3")
        before = dict(os.environ)
        with pool(1) as executor:
            seen, threads, _ = executor.submit(surroundings).result()
        assert seen == before | dict.fromkeys(THREADS, "1") and threads == 1
        assert dict(os.environ) == before


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every process starts anew")
def test_processes_come_from_one_server_that_has_imported_what_they_need():
    parents, modules = set(), set()
    for _ in range(2):
        with pool(1) as executor:
            parents.add(executor.submit(surroundings).result()[2])
            modules |= set(executor.submit(loaded).result())
    assert len(parents) == 1 and parents != {os.getpid()}
    assert {"acp_lib.experiment.runs", "torch._dynamo", "torchvision"} <= modules


def loaded():
    return list(sys.modules)


def test_an_error_leaves_what_is_not_begun(tmp_path):
    with pytest.raises(KeyError, match="stop"), pool(1) as executor:
        executor.submit(late, tmp_path / "begun", 1).add_done_callback(lambda _: None)
        for k in range(10):
            executor.submit(late, tmp_path / str(k), 0.2)
        raise KeyError("stop")
    assert len(list(tmp_path.iterdir())) <= 3  # one that runs, and those the pool has in hand


def test_an_interruption_ends_what_is_begun(tmp_path):
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt), pool(1) as executor:
        assert executor.submit(signal.getsignal, signal.SIGINT).result() == signal.SIG_IGN  # the asker decides
        executor.submit(late, tmp_path / "begun", 300)
        executor.submit(late, tmp_path / "next", 0)
        time.sleep(1)
        raise KeyboardInterrupt
    assert time.monotonic() - start < 200 and not list(tmp_path.iterdir())
