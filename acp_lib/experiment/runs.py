"""Training runs: one for each method and seed, side by side in processes of one thread, each kept when it is done.

One thread a run, because then a run gives the same numbers however many of them share a machine.

Paper: Section 4.
Chapter: ACP-Net; Baselines; Probes; The garden of forking paths.
"""

import json
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import FIRST_EXCEPTION, wait
from dataclasses import dataclass
from functools import cached_property, partial
from multiprocessing import parent_process
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file, save_file
from torch import distributed, nn

from acp_lib.engine.cache import build_once, write
from acp_lib.engine.processes import pool
from acp_lib.engine.progress import bar
from acp_lib.engine.spread import spread_tasks
from acp_lib.experiment import methods, training
from acp_lib.experiment.methods import Inputs, Method
from acp_lib.experiment.tasks import Task
from acp_lib.profiles import Profile


@dataclass(frozen=True)
class Run:
    """One training run: a method, a seed, the data, and the folder that holds what came of it."""

    group: str
    name: str
    seed: int
    folder: Path
    inputs: Inputs

    @property
    def method(self) -> Method:
        """How it is trained."""
        return methods.method(self.group, self.name)

    @cached_property
    def history(self) -> list[dict]:
        """One record an epoch, as `training.fit` gives it."""
        return json.loads((self.folder / "history.json").read_text("utf8"))

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """What it said of each test pair or sample: the task's `predictions`."""
        return pd.read_parquet(self.folder / "test.parquet")

    @property
    def probability(self) -> np.ndarray:
        """What the network gives to each of the frozen evaluation pairs being true (n,)."""
        return self.predictions["probability"].to_numpy()

    @property
    def memorised(self) -> float:
        """Share of the training samples that a probe names right."""
        table = pd.read_parquet(self.folder / "train.parquet")
        return float((table["truth"] == table["predicted"]).mean())

    @property
    def correct(self) -> np.ndarray:
        """Whether it was right about each test pair or sample (n,)."""
        return (self.predictions["truth"] == self.predictions["predicted"]).to_numpy()

    @property
    def diverged(self) -> str:
        """What stopped it, where `train_all` was told to go on all the same; else nothing."""
        note = _beside(self, "diverged")
        return note.read_text("utf8") if note.exists() else ""

    def task(self, profile: Profile) -> Task:
        """What it was trained for, with the data."""
        return self.method.task(self.inputs, profile, self.seed)

    def model(self, profile: Profile) -> nn.Module:
        """The trained network, ready to predict."""
        model = network(self, profile, self.task(profile))
        model.load_state_dict(load_file(self.folder / "model.safetensors"))
        return model.eval()


def network(run: Run, profile: Profile, task: Task | None = None) -> nn.Module:
    """A run's network with the initial weights of its seed, or of another draw."""
    with torch.random.fork_rng():
        drawn = [run.seed, profile.init_draw]  # torch's generator takes 32 bits of a seed and drops the others
        torch.manual_seed(int(np.random.SeedSequence(drawn).generate_state(1)[0]) if profile.init_draw else run.seed)
        return run.method.build(profile, task)


def settings(method: Method, profile: Profile) -> dict:
    """The part of a profile that a run depends on, beside its data."""
    return methods.options(profile, *method.settings) | {"device": training.device(profile.device).split(":")[0]}


def train(profile: Profile, runs: Sequence[Run], *, progress: bool = True, scheduler: str = "") -> None:
    """Make the runs that are not there yet, with a progress bar over the epochs of all of them.

    Raises
    ------
    FloatingPointError
        If a run's loss is no longer finite.
    """
    train_all([(profile, run) for run in runs], progress=progress, scheduler=scheduler)


def train_all(plan: Sequence[tuple[Profile, Run]], *, progress: bool = True, scheduler: str = "",
              tolerant: Collection[Path] = ()) -> None:
    """The same for runs of several profiles, which differ in what a run depends on; also on a Dask cluster, whose
    workers have one thread each and see the data and the work folder under the same paths. Where the loss of a run in
    one of the folders `tolerant` is no longer finite, that is noted as `Run.diverged`, and the others go on.

    Chapter: The garden of forking paths.
    """
    todo = [(p, r) for p, r in {r.folder: (p, r) for p, r in plan}.values()
            if not r.folder.exists() and not (r.folder in tolerant and r.diverged)]
    if not todo:
        return
    what, make = ", ".join(dict.fromkeys(r.name for _, r in todo)), partial(_made, frozenset(tolerant))
    if scheduler:
        tasks = [(r.folder, [(p, r)]) for p, r in todo]
        for _ in bar(spread_tasks(partial(_each, make), tasks, scheduler=scheduler), total=len(tasks), what=what,
                     unit="run", shown=progress):
            pass
        return
    first = todo[0][0]
    workers = 1 if training.device(first.device) == "cuda" else min(first.processes, len(todo))
    with (pool(workers) as executor,
          bar(total=sum(r.method.epochs(p) for p, r in todo), what=what, unit="epoch", shown=progress) as shown):
        pending = {executor.submit(make, p, run) for p, run in todo}
        while pending:
            done, pending = wait(pending, timeout=1, return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()
            _show(shown, todo)


def _each(make: Callable, folder: Path, plan: list[tuple[Profile, Run]], alone: bool = False) -> int:
    """Make the runs of a task of `spread`; `alone`, after a death, is no different."""
    for profile, run in plan:
        make(profile, run)
    return len(plan)


def _made(tolerant: Collection[Path], profile: Profile, run: Run) -> None:
    """Make a run; or, in a folder of `tolerant`, note why it came to no end, unless that is noted already."""
    try:
        if not (run.folder in tolerant and run.diverged):
            train_run(profile, run)
    except FloatingPointError as error:
        if run.folder not in tolerant:
            raise
        write(_beside(run, "diverged"), str(error))


def _show(shown, plan: Sequence[tuple[Profile, Run]]) -> None:
    """A run that stopped early takes what it did not need off the bar's total."""
    done = [len(r.history) if r.folder.exists() else _epochs(r) for _, r in plan]
    shown.total = sum(n if r.folder.exists() or r.diverged else r.method.epochs(p)
                      for n, (p, r) in zip(done, plan, strict=True))
    shown.update(sum(done) - shown.n)


def _beside(run: Run, what: str) -> Path:
    return run.folder.with_name(f".{run.folder.name}.{what}")


def _epochs(run: Run) -> int:
    try:
        return int(_beside(run, "epochs").read_text())
    except (OSError, ValueError):
        return 0


def _tell(run: Run, epochs: int) -> None:
    if (parent := parent_process()) and not parent.is_alive():
        raise SystemExit(f"{run.name}, seed {run.seed}: nobody waits for this run any more")
    write(_beside(run, "epochs"), str(epochs))


def train_run(profile: Profile, run: Run) -> None:
    """Train, test and keep one run. A killed one resumes from its checkpoint when it is called again.

    Under torchrun all processes call it at once; the first keeps what came of it.
    """
    torch.set_num_threads(1)

    def make(folder: Path | None) -> None:
        task = run.task(profile)
        model = network(run, profile, task)
        history = training.fit(model, task, profile, run.seed, checkpoint=_beside(run, "checkpoint"),
                               on_epoch=lambda h: _tell(run, len(h)))
        if folder is None:
            return
        with training.precision(profile):
            task.predictions(model).to_parquet(folder / "test.parquet")
            if not run.method.pairs:
                task.predictions(model, "train").to_parquet(folder / "train.parquet")
        write(folder / "history.json", json.dumps(history, indent=1))
        save_file({k: v.cpu().contiguous() for k, v in model.state_dict().items()}, folder / "model.safetensors")

    try:
        if training.rank_and_size()[0]:
            make(None)
        else:
            build_once(run.folder, make)
    finally:
        _beside(run, "epochs").unlink(missing_ok=True)
    if distributed.is_initialized():
        distributed.barrier()
