"""How the kernels of this package are compiled."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from numba import njit

if TYPE_CHECKING:
    from numba.core.dispatcher import Dispatcher

Kernel = TypeVar("Kernel", bound=Callable)


def compiled(function: Kernel, *, fastmath: bool | set[str] = False) -> "Dispatcher[Kernel]":
    """numba.njit, kept on disk between runs where there is a place for it, with numpy's rules for division by zero.

    Numba looks for that place in NUMBA_CACHE_DIR, beside the source file, and in the user's cache folder. If none can
    be written it refuses; then each process compiles for itself, in about 3 s.
    """
    try:
        return njit(cache=True, error_model="numpy", fastmath=fastmath)(function)
    except RuntimeError:
        return njit(error_model="numpy", fastmath=fastmath)(function)
