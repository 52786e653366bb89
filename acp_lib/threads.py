"""One thread a process where several processes share the cores."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

NAMES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


@contextmanager
def one_each() -> Iterator[None]:
    """Processes that are started meanwhile have one thread: they read it from the environment before numpy loads."""
    before = {name: os.environ.get(name) for name in NAMES}
    os.environ |= dict.fromkeys(NAMES, "1")
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)
