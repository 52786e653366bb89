"""Single-threaded processes that share the cores, and end with the process that started them, however that ends.

On Linux they are forked from one server that has imported what they need, because importing torch and the like takes
longer than many tasks; on other systems each process imports for itself.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import active_children, forkserver, get_context, parent_process
from multiprocessing.context import BaseContext
from threading import Thread
from typing import TypeVar

import psutil

from acp_lib.engine import temporary

Given = TypeVar("Given")
Found = TypeVar("Found")
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
PRELOADED = ["torch", "torch._dynamo", "torchvision", "scipy.stats", "scipy.ndimage",
             "acp_lib.features.fast.compiled", "pandas", "safetensors.torch"]
"""Modules that tasks need and that are slow to import; the first optimiser imports the second."""
GRACE = 0.5  # seconds after which the death of a parent is noticed, at most


@contextmanager
def pool(processes: int) -> Iterator[ProcessPoolExecutor]:
    """An executor with this many processes. If its block ends with an exception, tasks that have not started are
    cancelled; if it is interrupted, running tasks are killed too.

    The processes have one thread each, which they read from the environment before numpy loads, and otherwise the
    current environment of this process.
    """
    others = active_children()
    with one_thread(), ProcessPoolExecutor(processes, mp_context=context(), initializer=_begin,
                                           initargs=(dict(os.environ),)) as executor:
        try:
            yield executor
        except BaseException as error:
            executor.shutdown(wait=False, cancel_futures=True)
            if not isinstance(error, Exception):
                for process in active_children():
                    if process not in others:
                        process.kill()
            raise


def _begin(environment: Mapping[str, str]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all of them; the one that asked decides
    surround(environment)
    end_with_parent()


def mapped(function: Callable[[Given], Found], items: Sequence[Given], jobs: int) -> Iterator[Found]:
    """function(item) for each item, in order; in `jobs` single-threaded processes, or in this one if `jobs` is 1."""
    if jobs == 1 or len(items) < 2:
        yield from map(function, items)
        return
    with pool(min(jobs, len(items))) as executor:
        yield from executor.map(function, items, chunksize=4)


def end_with_parent() -> None:
    """End this process and its children as soon as the process that requested it has ended."""
    parent = parent_process()
    assert parent is not None
    Thread(target=_end_after, args=(parent.join,), daemon=True).start()


def end_with(parent: int) -> None:
    """End this process and its children as soon as its parent, given by number, has ended."""
    def wait() -> None:
        while os.getppid() == parent:
            time.sleep(GRACE)

    Thread(target=_end_after, args=(wait,), daemon=True).start()


def _end_after(wait: Callable[[], None]) -> None:
    wait()
    kill_all()
    os.kill(os.getpid(), signal.SIGKILL)


def begun() -> list[psutil.Process]:
    """The running descendants of this process, without the resource trackers, which clean up after them and then end.
    """
    return [p for p in psutil.Process().children(recursive=True) if not _clears_up(p)]


def _clears_up(process: psutil.Process) -> bool:
    with suppress(psutil.Error):  # it has ended
        return any("multiprocessing.resource_tracker" in word for word in process.cmdline())
    return False


def kill_all(but: Collection[psutil.Process] = ()) -> None:
    """Kill the processes in `begun`, except those in `but`."""
    for process in begun():
        if process not in but:
            with suppress(psutil.NoSuchProcess):
                process.kill()


def preload(modules: Collection[str]) -> None:
    """Let the server import these modules too; to be called before the server runs."""
    PRELOADED.extend(name for name in modules if name not in PRELOADED)


def context() -> BaseContext:
    """The start method of processes on this system. With forks, the first call starts the server, which imports on."""
    if sys.platform != "linux":
        return get_context("spawn")
    found = get_context("forkserver")
    found.set_forkserver_preload(PRELOADED)  # of no effect once the server runs
    with one_thread(), no_interrupts(), temporary.here():
        forkserver.ensure_running()
    return found


@contextmanager
def no_interrupts() -> Iterator[None]:
    """Processes that start within the block ignore Ctrl-C, even while they are still importing."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def one_thread() -> Iterator[None]:
    """Processes that start within the block use one thread per library, unless they read the environment before."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ |= dict.fromkeys(THREADS, "1")
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)


def surround(environment: Mapping[str, str]) -> None:
    """Give this process the environment of the process that requested it, not that of the server."""
    os.environ.clear()
    os.environ.update(environment)
