"""The tasks of training: to predict whether a pair corresponds, or the emotion of one modality.

A task supplies epochs cut into batches and evaluates a network on a part; `training.fit` needs nothing else.

Chapter: ACP-Net; Baselines; Probes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import Dataset

from acp_lib import streams
from acp_lib.experiment import evaluation
from acp_lib.experiment.corpus import Corpus, Modality, Pairs
from acp_lib.profiles.groups import Pairing, Probing

UPDATES = {"pairs": 100, "items": 25}
"""Minimum number of updates per epoch: otherwise training on a small corpus would stop before it leaves the plateau."""

VALIDATION_PAIRS = 4000


class Batches(Dataset):
    """An epoch's samples cut into batches. Batch k is the same in any process and any order of loading.

    Parameters
    ----------
    sides, rows : for each input of the network its modality and the indices of the samples [shape=(n,)]
    target : class numbers [shape=(n,)]
    size : samples in a batch
    seed : of the random choices in a batch
    share : (number of this process, number of processes) where several processes divide every batch
    """

    def __init__(self, sides: Sequence[Modality], rows: Sequence[np.ndarray], target: np.ndarray, *, size: int,
                 seed: Sequence[int], share: tuple[int, int] = (0, 1)) -> None:
        self.sides, self.rows, self.target, self.size, self.seed, self.share = sides, rows, target, size, seed, share

    @property
    def from_shards(self) -> bool:
        """Whether a side is read from files, sample by sample."""
        return not all(isinstance(side.x, torch.Tensor) for side in self.sides)

    def __len__(self) -> int:
        whole = len(self.target) // self.size
        return whole if self.share[1] > 1 else math.ceil(len(self.target) / self.size)  # a rest may not be divisible

    def __getitem__(self, k: int) -> tuple[list[torch.Tensor], torch.Tensor]:
        which = slice(k * self.size + self.share[0], (k + 1) * self.size, self.share[1])
        rng = streams.generator("batch", *self.seed, k, self.share[0])
        inputs = [side.take(rows[which], rng) for side, rows in zip(self.sides, self.rows, strict=True)]
        return inputs, torch.from_numpy(self.target[which])


@dataclass(frozen=True)
class Correspondence:
    """True or false? Training pairs are redrawn for each epoch; validation and test pairs are drawn once, by `seed`.

    Paper: Section 3.  Chapter: Splits and pairs.
    """

    corpus: Corpus
    options: Pairing
    seed: int

    def epoch(self, seed: Sequence[int], batch: int, share: tuple[int, int] = (0, 1)) -> Batches:
        """The batches of an epoch."""
        o, corpus = self.options, self.corpus
        rng = streams.generator("pairs of an epoch", *seed, o.pair_draw)
        pairs = corpus.draw("train", o.pairs, self.pairs_per_epoch(batch), rng)
        return Batches((corpus.image, corpus.music), (pairs.image, pairs.music), pairs.truth, size=batch, seed=seed,
                       share=share)

    def pairs_per_epoch(self, batch: int) -> int:
        """The option of that name; if it is 0, one pair per training picture, but at least UPDATES batches."""
        return self.options.pairs_per_epoch or max(len(self.corpus.image.rows("train")), UPDATES["pairs"] * batch)

    def judge(self, model: nn.Module, part: str) -> tuple[torch.Tensor, np.ndarray]:
        """Logits (n, 2) for the pairs of `val` or `test`, and whether each pair is true (n,)."""
        pairs = self.pairs(part)
        return evaluation.logits(model, self.corpus, pairs), pairs.truth

    def pairs(self, part: str, protocol: str | None = None) -> Pairs:
        """The frozen pairs of `val` or `test`: the same for every run and every network of a profile."""
        o = self.options
        n = VALIDATION_PAIRS if part == "val" else o.test_pairs
        rng = streams.generator("frozen pairs", self.seed, part, o.pair_draw)
        return self.corpus.draw(part, protocol or o.pairs, n, rng)

    def predictions(self, model: nn.Module) -> pd.DataFrame:
        """A network's predictions for the test pairs: image, music, truth, probability of "true", predicted."""
        pairs = self.pairs("test")
        p = evaluation.probability(model, self.corpus, pairs)
        return pd.DataFrame({"image": pairs.image, "music": pairs.music, "truth": pairs.truth, "probability": p,
                             "predicted": (p > 0.5).astype(np.int64)})

    def finished(self, history: list[dict]) -> bool:
        """Whether training is finished."""
        return ended(history, self.options.epochs, self.options.patience)


@dataclass(frozen=True)
class Recognition:
    """Which class? An epoch has every training sample once, or several times where that gives too few updates.

    label : class number of each of the side's samples, -1 for samples to leave out [shape=(N,)]
    names : of the classes

    Paper: Section 4, Results on emotion recognition.  Chapter: Probes.
    """

    side: Modality
    label: np.ndarray
    names: tuple[str, ...]
    options: Probing

    def rows(self, part: str) -> np.ndarray:
        """Labelled samples of a part."""
        held = self.side.rows(part)
        return held[self.label[held] >= 0]

    def epoch(self, seed: Sequence[int], batch: int, share: tuple[int, int] = (0, 1)) -> Batches:
        """The batches of an epoch."""
        rng, rows = streams.generator("samples of an epoch", *seed), self.rows("train")
        passes = math.ceil(UPDATES["items"] * batch / len(rows))
        order = np.concatenate([rng.permutation(rows) for _ in range(passes)])
        return Batches((self.side,), (order,), self.label[order], size=batch, seed=seed, share=share)

    def predictions(self, model: nn.Module, part: str = "test") -> pd.DataFrame:
        """A network's predictions for the samples of a part: item, truth, predicted."""
        logits, truth = self.judge(model, part)
        return pd.DataFrame({"item": self.rows(part), "truth": truth, "predicted": logits.argmax(1).numpy()})

    def judge(self, model: nn.Module, part: str) -> tuple[torch.Tensor, np.ndarray]:
        """Logits (n, classes) of the labelled samples of a part, and their classes (n,)."""
        rows = self.rows(part)
        return evaluation.embed(model, self.side, rows, next(model.parameters()).device).cpu(), self.label[rows]

    def finished(self, history: list[dict]) -> bool:
        """Whether training is finished."""
        return ended(history, self.options.probe_epochs, self.options.probe_patience)


Task = Correspondence | Recognition


def best_epoch(history: list[dict]) -> int:
    """Number, from 1, of the first epoch with the highest validation accuracy."""
    return 1 + int(np.argmax([h["val_accuracy"] for h in history]))


def ended(history: list[dict], epochs: int, patience: int) -> bool:
    """Whether training ends: `epochs` are reached, or the best epoch was `patience` epochs ago."""
    return bool(history) and (len(history) >= epochs or len(history) - best_epoch(history) >= patience)
