"""The same for many items, over processes that end with the one that began them."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from acp_lib.engine.processes import pool

Given = TypeVar("Given")
Found = TypeVar("Found")


def mapped(function: Callable[[Given], Found], items: Sequence[Given], jobs: int) -> Iterator[Found]:
    """function(item) for each item, in order; in so many processes of one thread each, or, of one job, in this one."""
    if jobs == 1:
        yield from map(function, items)
        return
    with pool(jobs) as executor:
        yield from executor.map(function, items, chunksize=8)
