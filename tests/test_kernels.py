"""Kernels that are forked: what runs in them is as in one that started anew."""

import json
import os
import sys
from multiprocessing import forkserver

import nbformat
import papermill
import pytest
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import v4

from acp_lib.book import kernels
from acp_lib.engine import processes
from acp_lib.profiles import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux alone")


@pytest.fixture(autouse=True, scope="module")
def server():
    """A server of its own, which imports what kernels need."""
    forkserver._forkserver._stop()
    before = list(processes.PRELOADED)
    processes.preload(kernels.IMPORTED)
    with processes.one_thread():
        yield
    processes.PRELOADED[:] = before
    forkserver._forkserver._stop()


def ran(folder, *sources: str, **options) -> list:
    """The outputs of cells that run in one forked kernel."""
    book = v4.new_notebook(cells=[v4.new_code_cell(source) for source in sources])
    out = folder / "out.ipynb"
    papermill.execute_notebook(book, out, kernel_name="python3", progress_bar=False, start_timeout=120,
                               resources={"metadata": {"path": str(folder)}}, shutdown_kernel="immediate",
                               extra_arguments=["--log-level=ERROR"],
                               **{"kernel_manager_class": kernels.Manager} | options)
    return [cell.outputs for cell in nbformat.read(out, 4).cells if cell.cell_type == "code"]


TOLD = """\
import json, os, signal, sys, __main__
import torch
print(json.dumps({
    "folder": os.getcwd(), "variable": os.environ.get("ACP_TOLD"), "threads": torch.get_num_threads(),
    "session": os.getsid(0) == os.getpid(), "main": __main__.__dict__ is globals(),
    "blocked": signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []),
    "book": "acp_lib.book.build" in sys.modules, "argv": sys.argv[1]}))
"""


@pytest.mark.slow
def test_a_kernel_is_as_one_that_started_anew(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("ACP_TOLD", "now")
    told, = ran(tmp_path, TOLD)
    assert capfd.readouterr().out == ""
    assert json.loads(told[0].text) == {
        "folder": str(tmp_path), "variable": "now", "threads": 1, "session": True, "main": True, "blocked": False,
        "book": False, "argv": "-f"}


@pytest.mark.slow
def test_figures_are_shown_and_what_is_last_is_told(tmp_path):
    drawn, last, magic = ran(tmp_path, "import matplotlib.pyplot as plt\nplt.plot([1, 2]);", "6 * 7", "%time 1")
    assert [sorted(o.data) for o in drawn] == [["image/png", "text/plain"]]
    assert last[0].data == {"text/plain": "42"} and "CPU times" in magic[0].text


@pytest.mark.slow
@pytest.mark.parametrize("manager", [kernels.Manager, AsyncKernelManager], ids=["forked", "started"])
def test_a_chapters_figures_are_drawings_in_every_kernel(tmp_path, monkeypatch, manager):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    shown = "import matplotlib.pyplot as plt\nplt.subplots();"
    for outputs in ran(tmp_path, "from acp_lib.book import chapter\nchapter.show_drawings()", shown, shown,
                       kernel_manager_class=manager)[1:]:
        assert [sorted(o.data) for o in outputs] == [["image/svg+xml", "text/plain"]]


@pytest.mark.slow
def test_a_kernel_can_have_processes_of_its_own(tmp_path):
    told, = ran(tmp_path, "from acp_lib.engine.processes import mapped\nprint(list(mapped(abs, [-1, -2, -3], 2)))")
    assert told[0].text == "[1, 2, 3]\n"


@pytest.mark.slow
def test_numbers_at_random_are_each_kernels_own(tmp_path):
    first, second = (ran(tmp_path, "import uuid; print(uuid.uuid4())")[0][0].text for _ in range(2))
    assert first != second


@pytest.mark.slow
def test_a_kernel_that_dies_is_noticed(tmp_path):
    with pytest.raises(DeadKernelError):
        ran(tmp_path, "import os; os.kill(os.getpid(), 9)")


@pytest.mark.slow
def test_a_cell_that_takes_too_long_is_ended(tmp_path):
    with pytest.raises(CellTimeoutError):
        ran(tmp_path, f"open({str(tmp_path / 'pid')!r}, 'w').write(str(__import__('os').getpid()))",
            "import time; time.sleep(600)", execution_timeout=3)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
