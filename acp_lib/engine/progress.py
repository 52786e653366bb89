"""Progress bars with an estimate of the remaining time: updated often on a terminal, every 15 seconds in a log."""

import sys
from collections.abc import Iterable

from tqdm import tqdm


def bar(iterable: Iterable | None = None, *, total: int | None, what: str, unit: str, shown: bool = True,
        done: int = 0) -> tqdm:
    """A bar over `iterable`, or one that `update` advances; `done` of `total` were finished before."""
    return tqdm(iterable, total=total, desc=what, unit=unit, disable=not shown, initial=done,
                mininterval=0.2 if sys.stderr.isatty() else 15, dynamic_ncols=True)
