"""Progress bars with an estimate of the time left: lively on a terminal, a line every quarter of a minute in a log."""

import sys
from collections.abc import Iterable

from tqdm import tqdm


def bar(iterable: Iterable | None = None, *, total: int | None, what: str, unit: str, shown: bool = True,
        done: int = 0) -> tqdm:
    """A bar over `iterable`, or one that is moved with `update`; `done` of `total` were there already."""
    return tqdm(iterable, total=total, desc=what, unit=unit, disable=not shown, initial=done,
                mininterval=0.2 if sys.stderr.isatty() else 15, dynamic_ncols=True)
