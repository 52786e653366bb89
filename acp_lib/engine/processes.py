"""Processes of one thread each that share the cores.

On Linux they are forked from one server that has imported what they need, because torch and its like take longer to
import than many a task takes; elsewhere each starts anew.
"""

import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children, forkserver, get_context
from multiprocessing.context import BaseContext

FORKS = sys.platform == "linux"
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
NEEDED = ["acp_lib.experiment.runs", "acp_lib.features.extract", "acp_lib.features.image", "acp_lib.features.art",
          "torch._dynamo"]  # the last one comes with the first optimiser


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


def context(also: Sequence[str] = ()) -> BaseContext:
    """How processes start here. Where that is by a fork, the first call starts the server, which goes on importing,
    beside what it needs, the modules `also`."""
    if not FORKS:
        return get_context("spawn")
    found = get_context("forkserver")
    found.set_forkserver_preload([*NEEDED, *also])  # of no effect once the server runs
    with one_thread():
        forkserver.ensure_running()
    return found


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
