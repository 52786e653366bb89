"""Pools: what their processes see, that an error leaves the rest undone, and that nothing outlives its command."""

import fcntl
import os
import pty
import signal
import subprocess
import sys
import termios
import time

import psutil
import pytest

from acp_lib.engine.processes import THREADS, _clears_up, mapped, pool


def surroundings():
    import torch

    return dict(os.environ), torch.get_num_threads(), os.getppid()


def late(path, seconds):
    time.sleep(seconds)
    path.touch()


@pytest.mark.slow
def test_a_process_has_one_thread_and_the_environment_of_now(monkeypatch):
    for value in ("first", "second"):  # the server has started when the second is set
        monkeypatch.setenv("ACP_WORK", value)
        monkeypatch.setenv("OMP_NUM_THREADS", "3")
        before = dict(os.environ)
        with pool(1) as executor:
            seen, threads, _ = executor.submit(surroundings).result()
        assert seen == before | dict.fromkeys(THREADS, "1") and threads == 1
        assert dict(os.environ) == before


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every process starts anew")
def test_processes_come_from_one_server_that_has_imported_what_they_need():
    parents, modules = set(), set()
    for _ in range(2):
        with pool(1) as executor:
            parents.add(executor.submit(surroundings).result()[2])
            modules |= set(executor.submit(loaded).result())
    assert len(parents) == 1 and parents != {os.getpid()}
    assert {"torch._dynamo", "torchvision", "librosa.feature.spectral", "safetensors.torch"} <= modules


def loaded():
    return list(sys.modules)


@pytest.mark.slow
def test_an_error_leaves_what_is_not_begun(tmp_path):
    with pytest.raises(KeyError, match="stop"), pool(1) as executor:
        executor.submit(late, tmp_path / "begun", 1).add_done_callback(lambda _: None)
        for k in range(10):
            executor.submit(late, tmp_path / str(k), 0.2)
        raise KeyError("stop")
    assert len(list(tmp_path.iterdir())) <= 3  # one that runs, and those the pool has in hand


@pytest.mark.slow
def test_an_interruption_ends_what_is_begun(tmp_path):
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt), pool(1) as executor:
        assert executor.submit(signal.getsignal, signal.SIGINT).result() == signal.SIG_IGN  # the asker decides
        executor.submit(late, tmp_path / "begun", 300)
        executor.submit(late, tmp_path / "next", 0)
        time.sleep(1)
        raise KeyboardInterrupt
    assert time.monotonic() - start < 200 and not list(tmp_path.iterdir())


# nothing outlives the command that began it

POOL = """
import sys, time
from acp_lib.engine import commands
from acp_lib.engine.processes import PRELOADED, pool

def work():
    PRELOADED.clear()  # nothing of it is needed here
    with pool(2) as executor:
        asked = [executor.submit(time.sleep, 300) for _ in range(4)]
        executor.submit(time.sleep, 0)
        print("begun", flush=True)
        for future in asked:
            future.result()

if __name__ == "__main__":
    sys.exit(commands.outcome(work, "pool"))
"""

KERNEL = """
import asyncio, sys, time
import psutil
from jupyter_client.manager import AsyncKernelManager as Manager
from acp_lib.engine import commands, processes

def work():
    processes.PRELOADED.clear()
    manager = Manager(kernel_name="python3")
    asyncio.run(manager.start_kernel())
    client = manager.blocking_client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    client.execute("from time import sleep; from acp_lib.engine.processes import PRELOADED, pool; PRELOADED.clear()\\n"
                   "with pool(1) as executor: executor.submit(sleep, 300).result()")
    while len(psutil.Process().children(recursive=True)) < 4:  # kernel, tracker, its server, worker
        time.sleep(0.1)
    print("begun", flush=True)
    time.sleep(300)

if __name__ == "__main__":
    sys.exit(commands.outcome(work, "kernel"))
"""

FORKED_KERNEL = KERNEL.replace("jupyter_client.manager import AsyncKernelManager as", "acp_lib.book.kernels import"
                               ).replace("< 4:  #", "< 5:  # server,")

CHILD = """
import os, subprocess, sys, time
code = "import sys, time; from acp_lib.engine.processes import end_with; end_with(int(sys.argv[1])); time.sleep(300)"
with subprocess.Popen([sys.executable, "-c", code, str(os.getpid())]) as child:
    time.sleep(3)
    print("begun", flush=True)
    child.wait()
"""


def heard():
    """In the command: Ctrl-C and a closed terminal are heard of, also where whoever runs the tests ignores them."""
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


def at_terminal():
    """In the command: its standard input is its terminal."""
    heard()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.fixture
def begin(tmp_path):
    """Start a command and wait until it has begun; what it has started, when it is asked."""
    started = []

    def begun(code, **options):
        script = tmp_path / "command.py"
        script.write_text(code)
        process = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True,
                                   **{"preexec_fn": heard, **options})
        assert process.stdout.readline() == "begun\n"
        started.append(process)
        return process, [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]

    yield begun
    for process in started:
        process.kill()
        process.stdout.close()


def all_end(processes, seconds=60):
    """Whether all of them are gone within some seconds."""
    return not [p for p in psutil.wait_procs(processes, timeout=seconds)[1] if p.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [
    (signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGHUP, 128 + signal.SIGHUP), (signal.SIGINT, 128 + signal.SIGINT),
    (signal.SIGKILL, -signal.SIGKILL),
])
def test_nothing_outlives_a_command_however_it_ends(begin, number, code):
    command, family = begin(POOL, stderr=subprocess.DEVNULL)
    assert len(family) >= 3, "a command and two workers at least"
    command.send_signal(number)
    assert command.wait(60) == code
    assert all_end(family)


@pytest.mark.slow
def test_nothing_outlives_a_worker_that_is_killed_for_memory(begin):
    command, family = begin(POOL, stderr=subprocess.DEVNULL)
    worker = next(p for p in family if p.parent().pid != command.pid and p.pid != command.pid)
    worker.kill()
    assert command.wait(60) == 1, "the pool is broken, and the command says so"
    assert all_end(family)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no server")
def test_nothing_outlives_a_command_whose_server_is_killed(begin):
    command, family = begin(POOL, stderr=subprocess.DEVNULL)
    server = next(p for p in family if "forkserver" in " ".join(p.cmdline()) and p.parent().pid == command.pid)
    command.send_signal(signal.SIGSTOP)  # lest it end of its broken pool between the two, on a busy machine
    server.kill()
    command.terminate()
    command.send_signal(signal.SIGCONT)
    assert command.wait(60) == 128 + signal.SIGTERM
    assert all_end(family)


IMPORTING = """
import sys, time
from acp_lib.engine import commands
from acp_lib.engine.processes import PRELOADED, context

def work():
    PRELOADED[:] = ["slow"]
    context()
    print("begun", flush=True)
    time.sleep(300)

if __name__ == "__main__":
    sys.exit(commands.outcome(work, "importing"))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no server")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_server_that_still_imports_ends_with_the_command(begin, tmp_path, number):
    (tmp_path / "slow.py").write_text("import time; time.sleep(300)")
    command, family = begin(IMPORTING, stderr=subprocess.DEVNULL)
    assert any("forkserver" in " ".join(p.cmdline()) for p in family)
    command.send_signal(number)
    assert command.wait(60) == 128 + number
    assert all_end(family, 20)


@pytest.mark.slow
def test_what_clears_up_after_others_is_not_ended_with_them(begin):
    command, family = begin(POOL, stderr=subprocess.DEVNULL)
    trackers = [p for p in family if "resource_tracker" in " ".join(p.cmdline())]
    assert len(trackers) == 1 and not any(map(_clears_up, set(family) - set(trackers))) and _clears_up(trackers[0])


@pytest.mark.slow
def test_nothing_outlives_a_terminal_that_is_closed(begin):
    own, other = pty.openpty()
    command, family = begin(POOL, stdin=other, stderr=other, start_new_session=True, preexec_fn=at_terminal)
    os.close(other)
    os.close(own)
    assert command.wait(60) == 128 + signal.SIGHUP
    assert all_end(family)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("code,least", [(KERNEL, 5), (FORKED_KERNEL, 6)], ids=["started", "forked"])
def test_a_kernel_and_what_it_has_started_end_with_the_command(begin, code, least, number):
    command, family = begin(code, stderr=subprocess.DEVNULL)
    assert len(family) >= least, "a command, its server if it forks, a kernel, and what its pool has started"
    command.send_signal(number)
    command.wait(60)
    assert all_end(family)


@pytest.mark.slow
def test_a_child_ends_with_its_parent(begin):
    command, family = begin(CHILD)
    command.kill()
    command.wait(10)
    assert len(family) == 2 and all_end(family)


# the same for many items


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_many_items_come_back_in_their_order(jobs):
    assert list(mapped(abs, range(-9, 9), jobs)) == [abs(k) for k in range(-9, 9)]
    assert list(mapped(abs, [], jobs)) == [] and list(mapped(abs, [-1], jobs)) == [1]


@pytest.mark.slow
def test_one_job_is_this_process_and_two_are_others():
    mine = set(mapped(process, range(8), 1))
    others = set(mapped(process, range(8), 2))
    assert mine == {os.getpid()} and os.getpid() not in others and 1 <= len(others) <= 2


def process(_):
    return os.getpid()
