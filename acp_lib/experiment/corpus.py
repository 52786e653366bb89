"""The data of training and testing: scaled features, classes and parts of both modalities, and pairs of samples.

Chapter: Splits and pairs; ACP-Net.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file, save

from acp_lib.emotions import CLASSES, EMOTIONS
from acp_lib.engine.cache import write
from acp_lib.engine.faults import readable
from acp_lib.experiment import pairs
from acp_lib.experiment.splits import PARTS
from acp_lib.features.layout import BLOCKS
from acp_lib.features.shards import Shards
from acp_lib.profiles.groups import Scaling

SCALINGS: tuple[str, ...] = get_args(Scaling)


@dataclass(frozen=True)
class Pairs:
    """A list of pairs: rows of `Corpus.image` and `Corpus.music`, and whether the pair is true (1) or false (0)."""

    image: np.ndarray
    music: np.ndarray
    truth: np.ndarray

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def digest(self) -> str:
        return pairs.digest(self.image, self.music, self.truth)


@dataclass(frozen=True)
class Modality:
    """One modality in the order of the manifest: features (N, width), class and part numbers (N,); of pictures also the
    emotion numbers (N,), -1 where only the class is known.
    """

    x: torch.Tensor  # one item a sample, first axis N
    label: np.ndarray
    part: np.ndarray
    emotion: np.ndarray | None = None

    chunk = 8192
    """Samples that are embedded at once."""

    def rows(self, part: str) -> np.ndarray:
        """Indices of the samples of a part."""
        return np.flatnonzero(self.part == PARTS.index(part))

    def take(self, rows: np.ndarray, rng: np.random.Generator) -> torch.Tensor:
        """A training batch (len(rows), ...); its random choices come from `rng`."""
        return self.x[rows]

    def views(self, rows: np.ndarray) -> torch.Tensor:
        """The views of each sample, over which evaluation averages: (len(rows), views, ...)."""
        return self.x[rows][:, None]

    def with_features(self, x: np.ndarray) -> "Modality":
        """The same samples with other features (N, width), standardised over the training part."""
        return Modality(torch.from_numpy(scaled(x, self.rows("train"), "zscore")), self.label, self.part, self.emotion)

    def save(self, path: Path) -> None:
        """Write features, labels and parts as one safetensors file."""
        write(path, save({key: torch.tensor(np.asarray(getattr(self, key)))
                          for key in ("x", "label", "part", "emotion") if getattr(self, key) is not None}))

    @classmethod
    def read(cls, path: Path) -> "Modality":
        """Read a file written by `save`; raises Damaged if it cannot be used."""
        with readable(path):
            held = load_file(path)
            return cls(held.pop("x"), **{key: value.numpy() for key, value in held.items()})


@dataclass(frozen=True)
class Pictures(Modality):
    """Pictures from shards of uint8, scaled to [-1, 1]: (N, 3, side, side). In training half are mirrored at random."""

    x: Shards  # type: ignore[assignment]  # as a tensor, but each item is read where it lies

    chunk = 64

    def take(self, rows: np.ndarray, rng: np.random.Generator) -> torch.Tensor:
        return self._scaled(rows, rng.random(len(rows)) < 0.5)

    def views(self, rows: np.ndarray) -> torch.Tensor:
        return self._scaled(rows, np.zeros(len(rows), bool))[:, None]

    def _scaled(self, rows: np.ndarray, mirrored: np.ndarray) -> torch.Tensor:
        pictures = torch.from_numpy(self.x[rows]).permute(0, 3, 1, 2)
        pictures = torch.where(torch.from_numpy(mirrored)[:, None, None, None], pictures.flip(3), pictures)
        return pictures.contiguous(memory_format=torch.channels_last).to(torch.float32) / 127.5 - 1


@dataclass(frozen=True)
class Slices(Modality):
    """Log-spectrograms from shards: one random crop in training, `crops` evenly spaced ones in evaluation.

    (N, 1, bins, frames).
    """

    x: Shards  # type: ignore[assignment]
    frames: int = 199
    crops: int = 12

    chunk = 16

    def __post_init__(self) -> None:
        if self.frames > (most := self.x.shape[1]):
            raise ValueError(f"frames is {self.frames}; a segment's spectrogram has {most}, so give {most} at most")

    def take(self, rows: np.ndarray, rng: np.random.Generator) -> torch.Tensor:
        return self._cut(rows, self.drawn_starts(len(rows), rng)[:, None])[:, 0]

    def views(self, rows: np.ndarray) -> torch.Tensor:
        return self._cut(rows, np.tile(self.starts(), (len(rows), 1)))

    def drawn_starts(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """The first frames of n training crops: int (n,).

        Chapter: Baselines.
        """
        return rng.integers(self.x.shape[1] - self.frames + 1, size=n)

    def starts(self) -> np.ndarray:
        """The first frames of the crops in evaluation: int (crops,).

        Chapter: Baselines.
        """
        return np.linspace(0, self.x.shape[1] - self.frames, self.crops).round().astype(int)

    def _cut(self, rows: np.ndarray, starts: np.ndarray) -> torch.Tensor:
        """(rows, views, 1, bins, frames)"""
        cut = [[one[a:a + self.frames].T[None] for a in at]
               for one, at in zip(self.x.lazily(rows), starts, strict=True)]
        return torch.from_numpy(np.array(cut, np.float32))


@dataclass(frozen=True)
class Corpus:
    """The samples of both modalities.

    Chapter: Splits and pairs.
    """

    image: Modality
    music: Modality

    def counts(self, part: str) -> tuple[np.ndarray, np.ndarray]:
        """Samples of each class in a part, of pictures and of music."""
        image, music = (np.bincount(s.label[s.rows(part)], minlength=len(CLASSES)) for s in (self.image, self.music))
        return image, music

    def draw(self, part: str, protocol: str, n: int, rng: np.random.Generator) -> Pairs:
        """n pairs within a part by a protocol of `pairs`."""
        images, music = self.image.rows(part), self.music.rows(part)
        i, j, truth = pairs.draw(protocol, self.image.label[images], self.music.label[music], n, rng)
        return Pairs(images[i], music[j], truth)


def scaled(x: np.ndarray, train: np.ndarray, kind: str) -> np.ndarray:
    """Features (N, width) after a scaling fitted on the rows `train` alone: float32.

    zscore: mean 0 and standard deviation 1; minmax: 0 to 1; raw: as they are; logmel: the mel block of music vectors in
    decibels, then zscore. A feature that is constant in training has that constant subtracted and is not divided.

    Raises
    ------
    ValueError
        For another kind.

    Paper: not stated; see the ledger.  Chapter: Splits and pairs.
    """
    if kind not in SCALINGS:
        raise ValueError(f"scaling is {kind!r}; expected one of {', '.join(SCALINGS)}")
    x = np.asarray(x, np.float64)
    if kind == "logmel" and x.shape[1] == BLOCKS["mel"].stop:
        x = x.copy()
        x[:, BLOCKS["mel"]] = 10 * np.log10(np.maximum(x[:, BLOCKS["mel"]], 1e-10))
    if kind == "raw":
        return x.astype(np.float32)
    known = x[train]
    shift, scale = (known.min(0), np.ptp(known, 0)) if kind == "minmax" else (known.mean(0), known.std(0))
    constant = np.ptp(known, 0) == 0  # not scale == 0: the deviation of equal numbers can round to something
    return ((x - shift) / np.where(constant, 1, scale)).astype(np.float32)


def build(manifest: pd.DataFrame, part: pd.Series, features: dict[str, np.ndarray], scaling: str) -> Corpus:
    """A corpus of manifest rows.

    Parameters
    ----------
    part : train, val or test for each manifest row
    features : "image" and "music", one row for each of the manifest's rows of that modality, in its order
    scaling : one of SCALINGS
    """
    return Corpus(*(modality(manifest, part, features[name], scaling, name) for name in ("image", "music")))


def modality(manifest: pd.DataFrame, part: pd.Series, features: np.ndarray, scaling: str, name: str) -> Modality:
    """One modality, "image" or "music", of manifest rows; arguments as of `build`."""
    rows = manifest["modality"] == name
    numbers = part[rows].map(PARTS.index).to_numpy()
    x = scaled(features, np.flatnonzero(numbers == 0), scaling)
    emotion = manifest["emotion"][rows].map({e: i for i, e in enumerate(EMOTIONS)}).fillna(-1).to_numpy(np.int64)
    return Modality(torch.from_numpy(x), manifest["class"][rows].map(CLASSES.index).to_numpy(), numbers,
                    emotion if name == "image" else None)
