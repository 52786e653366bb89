"""librosa is loaded by one process at a time: in a new environment they would compile over each other."""

import ast
import os
import subprocess
import sys
from multiprocessing import get_context

import pytest
from test_project import MODULES

from acp_lib.features.fast.compiled import one_at_a_time

USE = """
import numpy as np
from acp_lib.features.fast.compiled import librosa
librosa.estimate_tuning(y=np.random.default_rng(0).normal(size=22050).astype("float32"), sr=22050)
"""


@pytest.mark.parametrize("module", [m for m in MODULES if m != "acp_lib.features.fast.compiled"])
def test_every_module_takes_librosa_from_one_place(module):
    nodes = list(ast.walk(ast.parse(MODULES[module].read_text("utf8"))))
    names = [a.name for n in nodes if isinstance(n, ast.Import) for a in n.names]
    names += [str(n.module) for n in nodes if isinstance(n, ast.ImportFrom)]
    assert not [n for n in names if n.split(".")[0] == "librosa"]


def test_processes_that_compile_at_once_leave_what_the_next_can_load(tmp_path):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}

    def use() -> subprocess.Popen:
        return subprocess.Popen([sys.executable, "-W", "ignore", "-c", USE], env=environment)

    assert [p.wait() for p in [use() for _ in range(3)]] == [0, 0, 0]
    assert use().wait() == 0
    assert list(tmp_path.rglob("*.nbc")), "nothing was kept: the test shows nothing"


def _enter(folder, ready, leave):
    with one_at_a_time(folder):
        ready.set()
        leave.wait()


def test_the_second_waits_for_the_first(tmp_path):
    tmp_path.chmod(0o555)
    context = get_context("spawn")
    events = [(context.Event(), context.Event()) for _ in range(2)]
    processes = [context.Process(target=_enter, args=(tmp_path, *pair)) for pair in events]
    processes[0].start()
    assert events[0][0].wait(60)
    processes[1].start()
    assert not events[1][0].wait(5), "both are within"
    events[0][1].set()
    assert events[1][0].wait(60)
    events[1][1].set()
    assert [(p.join(), p.exitcode) for p in processes] == [(None, 0)] * 2
