"""Tasks on many processes, here or on a Dask cluster; a task that kills its process loses only itself.

A task makes one file and may be repeated. The work of a killed process is repeated separately, item by item, to find
the item that killed it.

Chapter: Hearing; Seeing.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import partial
from pathlib import Path

from acp_lib.engine.processes import pool

Task = tuple[Path, list]
"""A file to be made, and the items it is made from."""


def spread_tasks(run: Callable, tasks: Sequence[Task], jobs: int = 1, scheduler: str = "") -> Iterator[int]:
    """Call run(target, items) for every task; yield how many items each has made, in any order, none left out.

    A task whose process died is repeated as run(target, items, alone=True), unless it had made its file.

    Raises
    ------
    ImportError
        If a scheduler is given and Dask is not installed.
    """
    silent = dict(tasks)
    for target, count in _dask(run, tasks, scheduler) if scheduler else _here(run, tasks, jobs):
        silent.pop(target, None)
        yield count
    for target, items in silent.items():
        yield len(items) if target.exists() else run(target, items, alone=True)
        _mark(target).unlink(missing_ok=True)


def _here(run: Callable, tasks: Sequence[Task], jobs: int) -> Iterator[tuple[Path, int]]:
    """Run all tasks that can be done; if a process dies, the tasks that had not started continue in new processes."""
    if jobs == 1:
        yield from ((target, run(target, items)) for target, items in tasks)
        return
    while tasks:
        with suppress(BrokenProcessPool), pool(min(jobs, len(tasks))) as executor:
            for future in as_completed([executor.submit(_begun, run, *t) for t in tasks]):
                yield future.result()
        left = [t for t in tasks if not t[0].exists() and not _mark(t[0]).exists()]
        if len(left) == len(tasks):
            raise RuntimeError("processes die before they begin; is there enough memory for so many (jobs)?")
        tasks = left


def _mark(target: Path) -> Path:
    return target.with_name(f".{target.name}.begun")


def _begun(run: Callable, target: Path, items: list) -> tuple[Path, int]:
    """Run a task with a mark file that is removed at the end: a remaining mark names a task whose process died."""
    _mark(target).parent.mkdir(parents=True, exist_ok=True)
    _mark(target).touch()
    count = run(target, items)
    _mark(target).unlink(missing_ok=True)
    return target, count


def _dask(run: Callable, tasks: Sequence[Task], scheduler: str) -> Iterator[tuple[Path, int]]:
    try:
        from dask.distributed import Client, KilledWorker, as_completed
    except ImportError:
        raise ImportError("a scheduler needs Dask: pip install 'acp-lib[cluster]'") from None
    with Client(scheduler) as client:
        futures = client.map(partial(_unless_made, run), tasks, pure=False)
        for future in as_completed(futures):
            if isinstance(future.exception(), KilledWorker):
                continue
            yield future.result()
            future.release()


def _unless_made(run: Callable, task: Task) -> tuple[Path, int]:
    """Run a task unless its file exists: Dask repeats tasks that a lost worker finished without reporting."""
    target, items = task
    return target, len(items) if target.exists() else run(target, items)


def spread_items(describe: Callable[[list], list[tuple]], items: Sequence, jobs: int = 1,
                 size: int = 16) -> Iterator[tuple]:
    """describe([item])[0] for every item, in their order; (None, reason) for one that kills its process.

    Items go to the processes in groups of `size`. The items of a killed process are repeated one by one; with one job
    the work is done in this process, which is then unprotected.
    """
    left = [list(items[i:i + size]) for i in range(0, len(items), size)]
    if jobs == 1:
        for part in left:
            yield from describe(part)
        return
    while left:
        with pool(min(jobs, len(left))) as executor:
            try:
                for future in [executor.submit(describe, part) for part in left]:
                    yield from future.result()
                    left.pop(0)
            except BrokenProcessPool:
                yield from isolated(describe, left.pop(0))


def isolated(describe: Callable[[list], list[tuple]], items: Sequence) -> list[tuple]:
    """describe([item])[0] for every item, in separate processes; (None, reason) for an item that kills its process."""
    results: list[tuple] = []
    while len(results) < len(items):
        with pool(1) as executor:
            try:
                for item in items[len(results):]:
                    results.append(executor.submit(describe, [item]).result()[0])
            except BrokenProcessPool:
                results.append((None, "killed the process that read it"))
    return results
