"""Processes of one thread each that share the cores, and end with the process that began them, however that ends.

On Linux they are forked from one server that has imported what they need, because torch and its like take longer to
import than many a task takes; elsewhere each starts anew.
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
"""What tasks import and takes long; the second comes with the first optimiser."""
GRACE = 0.5  # seconds after which the death of a parent is noticed, at most


@contextmanager
def pool(processes: int) -> Iterator[ProcessPoolExecutor]:
    """An executor of so many processes. Where its block ends by an exception, what is not begun is left; where it is
    interrupted, what is begun is, too.

    They have one thread each, which they read from the environment before numpy loads, and otherwise the environment of
    this process as it is now.
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
    """function(item) for each item, in order; in so many processes of one thread each, or, of one job, in this one."""
    if jobs == 1 or len(items) < 2:
        yield from map(function, items)
        return
    with pool(min(jobs, len(items))) as executor:
        yield from executor.map(function, items, chunksize=4)


def end_with_parent() -> None:
    """End this process, which began here or by a fork, and what it has started as soon as the one that asked for it has
    ended.
    """
    parent = parent_process()
    assert parent is not None
    Thread(target=_end_after, args=(parent.join,), daemon=True).start()


def end_with(parent: int) -> None:
    """End this process and what it has started as soon as its parent, a process by number, has ended."""
    def wait() -> None:
        while os.getppid() == parent:
            time.sleep(GRACE)

    Thread(target=_end_after, args=(wait,), daemon=True).start()


def _end_after(wait: Callable[[], None]) -> None:
    wait()
    kill_all()
    os.kill(os.getpid(), signal.SIGKILL)


def begun() -> list[psutil.Process]:
    """What this process has started and runs, and what that has started; not what clears up after these when they have
    ended, and ends then.
    """
    return [p for p in psutil.Process().children(recursive=True) if not _clears_up(p)]


def _clears_up(process: psutil.Process) -> bool:
    with suppress(psutil.Error):  # it has ended
        return any("multiprocessing.resource_tracker" in word for word in process.cmdline())
    return False


def kill_all(but: Collection[psutil.Process] = ()) -> None:
    """End what is `begun`, but for some."""
    for process in begun():
        if process not in but:
            with suppress(psutil.NoSuchProcess):
                process.kill()


def preload(modules: Collection[str]) -> None:
    """Have the server, which does not run yet, import these, too."""
    PRELOADED.extend(name for name in modules if name not in PRELOADED)


def context() -> BaseContext:
    """How processes start here. Where that is by a fork, the first call starts the server, which goes on importing."""
    if sys.platform != "linux":
        return get_context("spawn")
    found = get_context("forkserver")
    found.set_forkserver_preload(PRELOADED)  # of no effect once the server runs
    with one_thread(), no_interrupts(), temporary.here():
        forkserver.ensure_running()
    return found


@contextmanager
def no_interrupts() -> Iterator[None]:
    """What starts within the block does not hear Ctrl-C, not even while it is still importing."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def one_thread() -> Iterator[None]:
    """What starts within the block has one thread a library, unless it has read the environment before."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ |= dict.fromkeys(THREADS, "1")
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)


def surround(environment: Mapping[str, str]) -> None:
    """Give this process the environment of the one that asked for it, not that of the server."""
    os.environ.clear()
    os.environ.update(environment)
