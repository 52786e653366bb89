"""Tasks over many processes, here or on a Dask cluster, where one that kills its process costs no more than itself.

A task makes one file and may be repeated. What a killed process had in hand is done again, apart from the others and
item by item, so that the item which is to blame is found.

Chapter: Hearing; Seeing.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky import get_reusable_executor
from joblib.externals.loky.process_executor import BrokenProcessPool as BrokenLoky

from acp_lib.threads import one_each

Task = tuple[Path, list]
"""A file to be made, and the items it is made from."""


def spread(run: Callable, tasks: Sequence[Task], jobs: int = 1, scheduler: str = "") -> Iterator[int]:
    """Call run(target, items) for every task; yield what each returns, in any order.

    A task whose process died is called again as run(target, items, alone=True).

    Raises
    ------
    ImportError
        If a scheduler is given and Dask is not installed.
    """
    here = (lambda t: _dask(run, t, scheduler)) if scheduler else (lambda t: _loky(run, t, jobs))
    yield from here(tasks)
    for target, items in tasks:
        if not target.exists():
            yield run(target, items, alone=True)


def _loky(run: Callable, tasks: Sequence[Task], jobs: int) -> Iterator[int]:
    """All tasks that can be done; after a death, the tasks that were not begun go on in new processes."""
    if jobs == 1:
        yield from (run(*task) for task in tasks)
        return
    try:
        while tasks:
            with parallel_config("loky", n_jobs=jobs, inner_max_num_threads=1), suppress(BrokenLoky):
                yield from Parallel(return_as="generator_unordered")(delayed(_begun)(run, *t) for t in tasks)
            left = [t for t in tasks if not t[0].exists() and not _mark(t[0]).exists()]
            if len(left) == len(tasks):
                raise RuntimeError("processes die before they begin; is there enough memory for so many (jobs)?")
            tasks = left
    finally:
        get_reusable_executor().shutdown()  # its processes hold a network each


def _mark(target: Path) -> Path:
    return target.with_name(f".{target.name}.begun")


def _begun(run: Callable, target: Path, items: list) -> int:
    """Run a task between two marks, so that one left over names a task whose process died."""
    _mark(target).parent.mkdir(parents=True, exist_ok=True)
    _mark(target).touch()
    result = run(target, items)
    _mark(target).unlink(missing_ok=True)
    return result


def _dask(run: Callable, tasks: Sequence[Task], scheduler: str) -> Iterator[int]:
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


def _unless_made(run: Callable, task: Task) -> int:
    """Run a task whose file is not there: what a lost worker had finished, but not said, Dask asks for again."""
    target, items = task
    return len(items) if target.exists() else run(target, items)


def isolated(describe: Callable[[list], list[tuple]], items: Sequence) -> list[tuple]:
    """describe([item])[0] for every item, in processes of their own; (None, reason) for one that kills its process."""
    results: list[tuple] = []
    with one_each():
        while len(results) < len(items):
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                try:
                    for item in items[len(results):]:
                        results.append(pool.submit(describe, [item]).result()[0])
                except BrokenProcessPool:
                    results.append((None, "killed the process that read it"))
    return results
