"""Kernels that are forked: what a notebook sees in one, and that none is left behind."""

import os
import signal
import subprocess
import sys
import time

import nbformat
import psutil
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError

from acp_lib import kernels
from acp_lib.engine import processes
from acp_lib.profiles import ROOT

pytestmark = pytest.mark.skipif(not processes.FORKS, reason="kernels are forked on Linux alone")

WAITING = """
import asyncio, sys
from acp_lib import kernels
from acp_lib.book import build as book

async def wait():
    manager = kernels.Manager(kernel_name="python3")
    await manager.start_kernel()
    client = manager.client()
    client.start_channels()
    await client.wait_for_ready()
    print(manager.provisioner.pid, flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    book.kill_all()

asyncio.run(wait())
"""


def notebook(folder, *cells, **options):
    """The executed cells' outputs."""
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    client = NotebookClient(made, kernel_name="python3", kernel_manager_class="acp_lib.kernels.Manager",
                            shutdown_kernel="immediate", resources={"metadata": {"path": str(folder)}}, **options)
    return [cell.outputs for cell in client.execute().cells]


def said(outputs):
    return "".join(o.get("text", "") for o in outputs)


def test_a_forked_kernel_is_like_any_other(tmp_path, monkeypatch):
    monkeypatch.setenv("ACP_WORK", "of now")
    torch, place, drawn, shell, late = notebook(
        tmp_path, "import sys; print('torch' in sys.modules)",
        "import os; print(os.getcwd(), os.environ['ACP_WORK'], os.getpgid(0) == os.getpid(), __name__)",
        "import matplotlib.pyplot as plt; plt.plot([1, 2]);", "!echo from a shell",
        "import warnings; warnings.warn('to stderr'); 1 + 1")
    assert said(torch) == "True\n"
    assert said(place).split("\n")[0] == f"{tmp_path} of now True __main__"
    assert [set(o["data"]) for o in drawn] == [{"image/png", "text/plain"}]
    assert said(shell).strip() == "from a shell"
    assert "to stderr" in said(late) and late[-1]["data"]["text/plain"] == "2"


def test_two_kernels_share_nothing_but_the_server(tmp_path):
    first, second = (notebook(tmp_path, "import os; print(os.getppid(), os.getpid(), 'x' in globals()); x = 1")
                     for _ in range(2))
    (server, one, _), (again, other, seen) = said(first[0]).split(), said(second[0]).split()
    assert server == again != str(os.getpid()) and one != other and seen == "False"
    assert not psutil.pid_exists(int(one)) and not psutil.pid_exists(int(other))


def test_a_kernel_that_dies_is_told(tmp_path):
    with pytest.raises(DeadKernelError):
        notebook(tmp_path, "import os; os._exit(3)")


def test_a_kernel_of_another_python_starts_as_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(kernels, "LAUNCHER", "another")
    (modules,) = notebook(tmp_path, "import sys; print('torch' in sys.modules)")
    assert said(modules) == "False\n"


@pytest.mark.parametrize("end", ["killed", "interrupted"])
def test_no_kernel_is_left_behind(tmp_path, end):
    process = subprocess.Popen([sys.executable, "-c", WAITING], cwd=ROOT, text=True, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(ROOT)})
    kernel = psutil.Process(int(process.stdout.readline()))
    assert kernel.is_running()
    if end == "killed":
        process.send_signal(signal.SIGKILL)
    else:
        process.stdin.write("\n")
        process.stdin.flush()
    until = time.monotonic() + 30
    while kernel.is_running() and time.monotonic() < until:
        time.sleep(0.1)
    assert not kernel.is_running()
    process.communicate(timeout=30)
