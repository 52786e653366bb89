"""Training runs of ACP-Net: one a seed, side by side in processes of one thread each, each kept when it is done.

One thread a run, because then a run gives the same numbers however many of them share a machine.

Paper: Section 4.
Chapter: ACP-Net.
"""

import json
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ProcessPoolExecutor, wait
from dataclasses import dataclass
from functools import cached_property
from multiprocessing import get_context, parent_process
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file, save_file

from acp_lib import evaluation, training
from acp_lib.cache import kept, write
from acp_lib.corpus import Corpus, Pairs
from acp_lib.models import ACPNet
from acp_lib.profiles import Profile
from acp_lib.progress import bar
from acp_lib.threads import one_each

MODEL = ("activation", "first_layer", "dropout", "dropout_at")
TRAINING = ("seed", "pairs", "pairs_per_epoch", "batch", "learning_rate", "epochs", "patience", "test_pairs")


@dataclass(frozen=True)
class Run:
    """One training run and the folder that holds what came of it."""

    seed: int
    folder: Path

    @cached_property
    def history(self) -> list[dict]:
        """One record an epoch, as `training.fit` gives it."""
        return json.loads((self.folder / "history.json").read_text("utf8"))

    @cached_property
    def probability(self) -> np.ndarray:
        """What the network gives to each of the frozen evaluation pairs being true (n,)."""
        return pd.read_parquet(self.folder / "test.parquet")["probability"].to_numpy()

    def model(self, profile: Profile) -> ACPNet:
        """The trained network, ready to predict."""
        model = network(profile, self.seed)
        model.load_state_dict(load_file(self.folder / "model.safetensors"))
        return model.eval()


def settings(profile: Profile) -> dict:
    """The part of a profile that a run depends on, beside its corpus."""
    return {k: getattr(profile, k) for k in (*MODEL, *TRAINING)} | {"device": training.device(profile.device)}


def network(profile: Profile, seed: int) -> ACPNet:
    """ACP-Net with the initial weights of a seed."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return ACPNet(**{k: getattr(profile, k) for k in MODEL})


def test_pairs(corpus: Corpus, profile: Profile, protocol: str) -> Pairs:
    """The frozen evaluation pairs: the same for every run and every model of a profile."""
    return corpus.draw("test", protocol, profile.test_pairs, [profile.seed, 20])


def train(corpus: Path, profile: Profile, runs: Sequence[Run], *, progress: bool = True) -> None:
    """Make the runs that are not there yet, with a progress bar over the epochs of all of them.

    Raises
    ------
    FloatingPointError
        If a run's loss is no longer finite.
    """
    todo = [r for r in runs if not r.folder.exists()]
    if not todo:
        return
    workers = 1 if training.device(profile.device) == "cuda" else min(profile.processes, len(todo))
    with (one_each(), ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool,
          bar(total=len(todo) * profile.epochs, what="ACP-Net", unit="epoch", shown=progress) as shown):
        pending = {pool.submit(one, corpus, profile, run) for run in todo}
        try:
            while pending:
                done, pending = wait(pending, timeout=1, return_when=FIRST_EXCEPTION)
                for future in done:
                    future.result()
                _show(shown, profile, todo)
        except BaseException:
            pool.shutdown(cancel_futures=True)  # begin no further run
            raise


def _show(shown, profile: Profile, runs: Sequence[Run]) -> None:
    """A run that stopped early takes what it did not need off the bar's total."""
    done = [len(r.history) if r.folder.exists() else _epochs(r) for r in runs]
    shown.total = sum(n if r.folder.exists() else profile.epochs for n, r in zip(done, runs, strict=True))
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
        raise SystemExit(f"seed {run.seed}: nobody waits for this run any more")
    write(_beside(run, "epochs"), str(epochs))


def one(corpus: Path, profile: Profile, run: Run) -> None:
    """Train, test and keep one run. A killed one resumes from its checkpoint when it is called again."""
    torch.set_num_threads(1)

    def make(folder: Path) -> None:
        data, model = Corpus.read(corpus), network(profile, run.seed)
        history = training.fit(model, data, profile, run.seed, checkpoint=_beside(run, "checkpoint"),
                               on_epoch=lambda h: _tell(run, len(h)))
        pairs = test_pairs(data, profile, profile.pairs)
        p = evaluation.probability(model, data, pairs)
        pd.DataFrame({"image": pairs.image, "music": pairs.music, "truth": pairs.truth, "probability": p}).to_parquet(
            folder / "test.parquet")
        write(folder / "history.json", json.dumps(history, indent=1))
        save_file({k: v.cpu().contiguous() for k, v in model.state_dict().items()}, folder / "model.safetensors")

    try:
        kept(run.folder, make)
    finally:
        _beside(run, "epochs").unlink(missing_ok=True)
