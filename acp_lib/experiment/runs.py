"""Training runs: one for each method and seed, in parallel processes with one thread each; every finished run is kept.

One thread per run, so that a run gives the same numbers however many runs share a machine.

Paper: Section 4.
Chapter: ACP-Net; Baselines; Probes; The garden of forking paths.
"""

import json
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import FIRST_EXCEPTION, wait
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from safetensors.torch import save
from torch import distributed, nn

from acp_lib import streams
from acp_lib.engine import devices
from acp_lib.engine.cache import build_once, read_table, write
from acp_lib.engine.faults import readable
from acp_lib.engine.processes import pool
from acp_lib.engine.progress import bar
from acp_lib.engine.spread import spread_tasks
from acp_lib.engine.work import Work
from acp_lib.experiment import methods, training
from acp_lib.experiment.methods import Inputs, Method, Options
from acp_lib.experiment.tasks import Recognition, Task

if TYPE_CHECKING:
    from tqdm import tqdm


NAMED = 3
"""Methods that a progress bar names."""


@dataclass(frozen=True)
class Run:
    """One training run: a method, a seed, the data, its options, the device, and the folder of its results."""

    group: str
    name: str
    seed: int
    folder: Path
    inputs: Inputs
    options: Options
    device: str = "cpu"
    readers: int = 1  # processes that read batches ahead for a GPU, at most

    @property
    def method(self) -> Method:
        """The method that is trained."""
        return methods.method(self.group, self.name)

    @property
    def most_epochs(self) -> int:
        """Maximum number of epochs."""
        return self.method.epochs(self.options)

    @cached_property
    def history(self) -> list[dict]:
        """One record per epoch, as `training.fit` returns them."""
        with readable(path := self.folder / "history.json"):
            return json.loads(path.read_text("utf8"))

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """The predictions for the test pairs or samples: the task's `predictions`."""
        return read_table(self.folder / "test.parquet")

    @property
    def probability(self) -> np.ndarray:
        """The network's probability that each frozen evaluation pair is true (n,)."""
        return self.predictions["probability"].to_numpy()

    @property
    def memorised(self) -> float:
        """A probe's accuracy on its training samples."""
        said = read_table(self.folder / "train.parquet")
        return float((said["truth"] == said["predicted"]).mean())

    @property
    def correct(self) -> np.ndarray:
        """Whether the run is right about each test pair or sample (n,)."""
        return (self.predictions["truth"] == self.predictions["predicted"]).to_numpy()

    @property
    def diverged(self) -> str:
        """Why the run diverged, if `train` tolerated that; else empty."""
        note = _beside(self, "diverged")
        return note.read_text("utf8") if note.exists() else ""

    @property
    def task(self) -> Task:
        """The run's task, with its data."""
        return self.method.task(self.inputs, self.options, self.seed)

    def untrained(self, task: Task | None = None) -> nn.Module:
        """The network with the initial weights of the run's seed, or of another draw."""
        draw = self.options.training.init_draw
        with torch.random.fork_rng():
            torch.manual_seed(streams.number("initial weights", self.seed, draw))
            return self.built(task)

    def built(self, task: Task | None = None) -> nn.Module:
        """The network, with whatever weights PyTorch draws next."""
        return self.method.build(self.options, task if task or self.method.pairs else self.task)

    def model(self) -> nn.Module:
        """The trained network, ready to predict."""
        return methods.with_weights(self.untrained(), self.folder)


def train(plan: Sequence[Run], work: Work, tolerant: Collection[Path] = ()) -> None:
    """Train the runs that are missing, with a progress bar over the epochs of all of them. On a Dask cluster the
    workers must have one thread each and see the data and the work folder under the same paths.

    tolerant : folders of runs whose loss may become infinite or NaN: `Run.diverged` records that, and the other runs
        continue

    Raises
    ------
    FloatingPointError
        If the loss of any other run is no longer finite.

    Chapter: ACP-Net; The garden of forking paths.
    """
    todo = [run for run in {run.folder: run for run in plan}.values()
            if not run.folder.exists() and not (run.folder in tolerant and run.diverged)]
    if not todo:
        return
    names, make = list(dict.fromkeys(run.name for run in todo)), partial(_made, frozenset(tolerant))
    what = "; ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
    if work.scheduler:
        tasks = [(run.folder, [run]) for run in todo]
        for _ in bar(spread_tasks(partial(_each, make), tasks, scheduler=work.scheduler), total=len(tasks), what=what,
                     unit="run", shown=work.progress):
            pass
        return
    workers = 1 if todo[0].device == "cuda" else min(work.jobs, len(todo))
    with (pool(workers) as executor,
          bar(total=sum(run.most_epochs for run in todo), what=what, unit="epoch", shown=work.progress) as shown):
        pending = {executor.submit(make, run) for run in todo}
        while pending:
            done, pending = wait(pending, timeout=1, return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()
            _show(shown, todo)


def _each(make: Callable[[Run], None], folder: Path, plan: list[Run], alone: bool = False) -> int:
    """Train the runs of a task of `spread_tasks`; `alone`, after the death of a process, changes nothing."""
    for run in plan:
        make(run)
    return len(plan)


def _made(tolerant: Collection[Path], run: Run) -> None:
    """Train a run; for a folder in `tolerant`, record a divergence unless it is recorded already."""
    try:
        if not (run.folder in tolerant and run.diverged):
            train_run(run)
    except FloatingPointError as error:
        if run.folder not in tolerant:
            raise
        write(_beside(run, "diverged"), str(error))


def _show(shown: "tqdm", plan: Sequence[Run]) -> None:
    """Update the progress bar; the epochs that a run saved by stopping early are subtracted from the total."""
    done = [len(run.history) if run.folder.exists() else _epochs(run) for run in plan]
    shown.total = sum(n if run.folder.exists() or run.diverged else run.most_epochs
                      for n, run in zip(done, plan, strict=True))
    shown.update(sum(done) - shown.n)


def _beside(run: Run, what: str) -> Path:
    return run.folder.with_name(f".{run.folder.name}.{what}")


def _epochs(run: Run) -> int:
    try:
        return int(_beside(run, "epochs").read_text())
    except (OSError, ValueError):
        return 0


def train_run(run: Run) -> None:
    """Train, test and keep one run. A killed run resumes from its checkpoint at the next call.

    Under torchrun all processes call this function together, and the first one writes the results.
    """
    torch.set_num_threads(1)
    options, where = run.options.training, devices.device(run.device)

    def make(folder: Path | None) -> None:
        task = run.task
        model = run.untrained(task)
        history = training.fit(model, task, options, run.seed, where=where, readers=run.readers,
                               checkpoint=_beside(run, "checkpoint"),
                               on_epoch=lambda h: write(_beside(run, "epochs"), str(len(h))))
        if folder is None:
            return
        with training.precision(options.precision, where):
            task.predictions(model).to_parquet(folder / "test.parquet")
            if isinstance(task, Recognition):
                task.predictions(model, "train").to_parquet(folder / "train.parquet")
        write(folder / "history.json", json.dumps(history, indent=1))
        write(folder / "model.safetensors", save({k: v.cpu().contiguous() for k, v in model.state_dict().items()}))

    try:
        if training.rank_and_size()[0]:
            make(None)
        else:
            build_once(run.folder, make)
    finally:
        _beside(run, "epochs").unlink(missing_ok=True)
    if distributed.is_initialized():
        distributed.barrier()
