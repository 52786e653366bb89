"""librosa is loaded by one process at a time: in a new environment they would compile over each other."""

import ast
import os
import subprocess
import sys

import pytest
from elsewhere import enter
from test_project import MODULES

from acp_lib.engine import processes

USE = """
import numpy as np
from acp_lib.features.fast.compiled import librosa
librosa.estimate_tuning(y=np.random.default_rng(0).normal(size=22050).astype("float32"), sr=22050)
"""


@pytest.mark.slow
@pytest.mark.parametrize("module", [m for m in MODULES if m != "acp_lib.features.fast.compiled"])
def test_every_module_takes_librosa_from_one_place(module):
    nodes = list(ast.walk(ast.parse(MODULES[module].read_text("utf8"))))
    names = [a.name for n in nodes if isinstance(n, ast.Import) for a in n.names]
    names += [str(n.module) for n in nodes if isinstance(n, ast.ImportFrom)]
    assert not [n for n in names if n.split(".")[0] == "librosa"]


@pytest.mark.slow
def test_processes_that_compile_at_once_leave_what_the_next_can_load(tmp_path):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}

    def use() -> subprocess.Popen:
        return subprocess.Popen([sys.executable, "-W", "ignore", "-c", USE], env=environment)

    assert [p.wait() for p in [use() for _ in range(2)]] == [0, 0]
    assert use().wait() == 0
    assert list(tmp_path.rglob("*.nbc")), "nothing was kept: the test shows nothing"


@pytest.mark.slow
def test_the_second_waits_for_the_first(tmp_path):
    tmp_path.chmod(0o555)
    context = processes.context()  # these have librosa before they begin
    events = [tuple(context.Event() for _ in range(3)) for _ in range(2)]
    entering = [context.Process(target=enter, args=(tmp_path, *three)) for three in events]
    (_, first, leave), (come, second, end) = events
    entering[0].start()
    assert first.wait(60)
    entering[1].start()
    assert come.wait(60) and not second.wait(2), "both are within"
    leave.set()
    assert second.wait(60)
    end.set()
    assert [(p.join(), p.exitcode) for p in entering] == [(None, 0)] * 2
