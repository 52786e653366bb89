"""How the kernels of this package are compiled."""

from numba import njit


def compiled(function=None, **options):
    """numba.njit, kept on disk between runs where there is a place for it, with numpy's rules for division by zero.

    Numba looks for that place in NUMBA_CACHE_DIR, beside the source file, and in the user's cache folder. If none can
    be written it refuses; then each process compiles for itself, in about 3 s.
    """
    if function is None:
        return lambda function: compiled(function, **options)
    try:
        return njit(cache=True, error_model="numpy", **options)(function)
    except RuntimeError:
        return njit(error_model="numpy", **options)(function)
