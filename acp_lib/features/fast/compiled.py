"""How the kernels of this package are compiled, and librosa's before them.

librosa's modules compile as they are loaded, and numba keeps the machine code beside the source. Two processes that do
so at once leave parts which do not fit together, and every process that loads these crashes. So librosa is taken from
here, where one process at a time loads it.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import librosa
from numba import njit

if TYPE_CHECKING:
    from numba.core.dispatcher import Dispatcher

__all__ = ["compiled", "librosa"]
Kernel = TypeVar("Kernel", bound=Callable)


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """A block that processes enter one after another; the folder, by which they know of each other, may be read-only.

    Where there are no such locks, on Windows and on some network file systems, they do not wait.
    """
    handle = os.open(folder, os.O_RDONLY) if os.name == "posix" else None
    try:
        if handle is not None:
            import fcntl

            with suppress(OSError):
                fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        if handle is not None:
            os.close(handle)


with one_at_a_time(Path(librosa.__file__).parent):
    import librosa.effects
    import librosa.feature.inverse
    import librosa.feature.spectral


def compiled(function: Kernel, *, fastmath: bool | set[str] = False) -> "Dispatcher[Kernel]":
    """numba.njit, kept on disk between runs where there is a place for it, with numpy's rules for division by zero.

    Numba looks for that place in NUMBA_CACHE_DIR, beside the source file, and in the user's cache folder. If none can
    be written it refuses; then each process compiles for itself, in about 3 s.
    """
    try:
        return njit(cache=True, error_model="numpy", fastmath=fastmath)(function)
    except RuntimeError:
        return njit(error_model="numpy", fastmath=fastmath)(function)
