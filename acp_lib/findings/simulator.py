"""Databases of pictures and music that were never seen or heard: feature vectors drawn from a model of real ones, as
many as the paper has, and ACP-Net trained on them.

The model of a modality is Gaussian: a mean for each class, and what samples of a class have in common, a few factors
and a remainder of each number by itself. Segments of a song share a part of both. Sample k is drawn from a stream of
its own, so that any part of a database can be made anywhere, again, and in any order; it lies on a disk in shards.

Chapter: What would IMAC have given? A simulation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.numpy import save

from acp_lib import paper, streams
from acp_lib.database import released
from acp_lib.emotions import CLASSES
from acp_lib.engine import devices
from acp_lib.engine.cache import code_key, digest, write
from acp_lib.engine.progress import bar
from acp_lib.engine.spread import spread_tasks
from acp_lib.engine.work import Work
from acp_lib.experiment import methods, splits
from acp_lib.experiment.corpus import Corpus, Modality, scaled
from acp_lib.experiment.runs import Run
from acp_lib.experiment.splits import PARTS
from acp_lib.experiment.tasks import Correspondence
from acp_lib.features.shards import Shards
from acp_lib.findings import stability
from acp_lib.profiles import Profile

FACTORS = 30
SHARD = 1024  # samples of a file
SEGMENTS = 60 * paper.HOURS  # a minute each
K = len(CLASSES)


# --- the model of a modality


@dataclass(frozen=True, eq=False)
class Model:
    """How samples of each class lie.

    mean : of each class [shape=(3, width)]; factors : [shape=(width, factors)]; residual : standard deviation of what
    the factors leave of each number [shape=(width,)]; between : share of the variance within a class that is the song's
    """

    mean: np.ndarray
    factors: np.ndarray
    residual: np.ndarray
    between: float = 0.0

    @cached_property
    def key(self) -> str:
        """Stands for all its numbers."""
        return digest(*(np.round(part, 9).tolist() for part in (self.mean, self.factors, self.residual)), self.between)

    def stronger(self, times: float) -> Model:
        """The same with the means of the classes so many times as far apart."""
        return replace(self, mean=times * self.mean)

    def standardised(self, share: np.ndarray) -> Model:
        """The same in units in which each number has mean 0 and variance 1 over all samples; share : of each class."""
        share = share / share.sum()
        away = self.mean - share @ self.mean
        scale = np.sqrt(share @ away**2 + (self.factors**2).sum(1) + self.residual**2)
        return replace(self, mean=away / scale, factors=self.factors / scale[:, None], residual=self.residual / scale)

    def drawn(self, modality: str, seed: int, samples: Sequence[tuple[int, int, int]]) -> np.ndarray:
        """Vectors of samples, each by its number, that of its song and its class: float32 (n, width)."""
        number, song, label = np.array(samples, int).reshape(-1, 3).T
        size = sum(self.factors.shape)
        z = np.array([streams.generator("simulated sample", seed, modality, k).standard_normal(size, np.float32)
                      for k in number])
        if self.between:
            shared = {k: streams.generator("simulated song", seed, modality, k).standard_normal(size, np.float32)
                      for k in np.unique(song)}
            z *= np.float32(np.sqrt(1 - self.between))
            z += np.float32(np.sqrt(self.between)) * np.array([shared[k] for k in song])
        k = self.factors.shape[1]
        return (self.mean.astype(np.float32)[label] + z[:, :k] @ self.factors.T.astype(np.float32)
                + z[:, k:] * self.residual.astype(np.float32))

    def likelihood(self, x: np.ndarray) -> np.ndarray:
        """Logarithm of how probable vectors are in each class, up to what is the same for all [shape=(n, 3)]."""
        slope = np.linalg.solve(self.factors @ self.factors.T + np.diag(self.residual**2), self.mean.T)
        return x @ slope - (self.mean.T * slope).sum(0) / 2


def fitted(x: np.ndarray, label: np.ndarray, factors: int = FACTORS, between: float = 0.0) -> Model:
    """The model of real vectors (n, width), standardised: factors are the largest principal components within classes,
    and the means of the classes are taken to differ along these alone, as far as they do there. How far apart they are
    is then to be tuned, `Model.stronger`: in so many dimensions means of few samples lie too far apart.

    Raises
    ------
    ValueError
        For a class without samples, or no more samples than classes.
    """
    if len(x) <= K or set(label) != set(range(K)):
        raise ValueError(f"there are {np.bincount(label, minlength=K).tolist()} samples of the classes; expected some "
                         f"of each, and more than {K} in all")
    x = scaled(x, np.arange(len(x)), "zscore").astype(np.float64)
    mean = np.array([x[label == c].mean(0) for c in range(K)])
    away, free = x - mean[label], len(x) - K
    axes = np.linalg.svd(away, full_matrices=False)[2][:min(factors, free)]
    loads = axes.T * np.sqrt(((away @ axes.T)**2).sum(0) / free)
    left = np.sqrt(np.maximum((away**2).sum(0) / free - (loads**2).sum(1), 1e-6))
    return Model((mean - mean.mean(0)) @ axes.T @ axes, loads, left, between)


# --- the database


def imac(seed: int, noise: float = 0.0, share: float = 1.0) -> pd.DataFrame:
    """A database of IMAC's size, or a share of it: "modality", "id", "group", "artist" and "class" as of a manifest;
    "number" and "song" of each sample, and "truth", the number of the class that it looks or sounds like.

    Pictures and songs of each class as in the paper's Table 3; its hours of music are dealt to songs at random, a
    minute at least. noise : 0: music sounds as it is labelled; 1: each song has a score of those that the authors
    released, whose label is its class, and sounds like the class that most of infinitely many tags would have, drawn by
    what `stability.fitted` tells of that score; between them: so many of the songs

    Paper: Table 3; Section 2.  Chapter: What would IMAC have given? A simulation.
    """
    rng, sides = streams.generator("a simulated database", seed), []
    for modality, counts in (("image", paper.IMAGES), ("music", paper.SONGS)):
        label = np.repeat(range(K), [max(round(share * counts[c]), 5) for c in CLASSES])
        truth, song = label, np.arange(len(label))
        if modality == "music":
            truth = _sounding(label, noise, rng)
            more = max(round(share * SEGMENTS) - len(song), 0)
            song = np.repeat(song, 1 + rng.multinomial(more, np.full(len(song), 1 / len(song))))
        sides.append(pd.DataFrame({"modality": modality, "number": range(len(song)), "song": song,
                                   "class": np.array(CLASSES)[label[song]], "truth": truth[song]}))
    table = pd.concat(sides, ignore_index=True)
    table["id"] = table["modality"].str[0] + table["number"].map("{:06d}".format)
    table["group"] = table["modality"].str[0] + "/" + table["song"].map("{:06d}".format)
    return table.assign(artist="")


def _sounding(label: np.ndarray, noise: float, rng: np.random.Generator) -> np.ndarray:
    """The class that each song of a label sounds like."""
    scores = released.released()
    cells, songs = scores[list(CLASSES)].to_numpy(int), scores["songs"].to_numpy(float)
    own = stability.labels(cells)
    right = stability.largest(stability.fitted(cells, songs) + cells)
    truth = label.copy()
    for c in range(K):
        held, = np.nonzero(label == c)
        weight = songs * (own == c)
        cell = rng.choice(len(cells), len(held), p=weight / weight.sum())
        among = (right[cell].cumsum(1) / right[cell].sum(1, keepdims=True) < rng.random((len(held), 1))).sum(1)
        truth[held] = np.where(rng.random(len(held)) < noise, np.minimum(among, K - 1), c)
    return truth


def parts(table: pd.DataFrame, split: str, seed: int) -> pd.DataFrame:
    """"modality", "label" and "part", both as numbers, of each sample once a database is split."""
    part = splits.assign_split(table, by=split, seed=seed)
    return pd.DataFrame({"modality": table["modality"], "label": table["class"].map(CLASSES.index),
                         "part": part.map(PARTS.index)})


def kept(model: Model, table: pd.DataFrame, modality: str, seed: int, work: Work) -> Path:
    """The folder with the shards of a modality of a database; those that are not there are made, here or on a cluster.
    """
    rows = table.loc[table["modality"] == modality, ["number", "song", "truth"]].to_numpy()
    key = digest(model.key, seed, rows.tolist(), code_key("acp_lib.findings.simulator"))
    folder = work.folder(f"simulated-{modality}", key)
    tasks = [(folder / f"{k // SHARD:06d}.safetensors", rows[k:k + SHARD].tolist()) for k in range(0, len(rows), SHARD)]
    if todo := [task for task in tasks if not task[0].is_file()]:
        with bar(total=len(rows), what=f"simulated {modality}", unit="sample", shown=work.progress,
                 done=len(rows) - sum(len(some) for _, some in todo)) as shown:
            for count in spread_tasks(partial(_shard, model, modality, seed), todo, work.jobs, work.scheduler):
                shown.update(count)
    return folder


def _shard(model: Model, modality: str, seed: int, target: Path, samples: list, alone: bool = False) -> int:
    """Make a shard, which `Shards` reads; half precision holds more than features tell."""
    x = model.drawn(modality, seed, samples).astype(np.float16)
    write(target, save({"x": x}, {"ids": "[]", "reasons": "[]", "checksum": ""}))
    return len(samples)


# --- networks


@dataclass(frozen=True)
class Streamed(Modality):
    """Vectors that are read where they lie, a batch at a time."""

    x: Shards  # type: ignore[assignment]

    def take(self, rows: np.ndarray, rng: np.random.Generator) -> torch.Tensor:
        return torch.from_numpy(self.x[rows].astype(np.float32))

    def views(self, rows: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(self.x[rows].astype(np.float32))[:, None]


def corpus(image: Path, music: Path, dealt: pd.DataFrame) -> Corpus:
    """A database whose shards lie in two folders, as `parts` has split it."""
    sides = [dealt[dealt["modality"] == modality] for modality in ("image", "music")]
    return Corpus(*(Streamed(Shards(folder), own["label"].to_numpy(), own["part"].to_numpy())
                    for folder, own in zip((image, music), sides, strict=True)))


@dataclass(frozen=True)
class SimulatedRun(Run):
    """A run of ACP-Net on a simulated database; all else is as in any run. dealt : file of `parts`."""

    dealt: Path = Path()

    @property
    def task(self) -> Correspondence:
        return Correspondence(corpus(self.inputs.image, self.inputs.music, pd.read_parquet(self.dealt)),
                              self.options.pairing, self.options.seed)


def planned(models: dict[str, Model], profile: Profile, work: Work, *, noise: float = 0.0,
            share: float = 1.0) -> SimulatedRun:
    """The run of a network on the database of the profile's seed, trained or not; with the profile's protocol, split,
    width and training. Shards are made if they are not there.
    """
    table, seed = imac(profile.seed, noise, share), profile.seed
    folders = {}
    for modality, model in models.items():
        own = table[table["modality"] == modality]
        held = model.standardised(np.bincount(own["truth"], minlength=K))
        folders[modality] = kept(held, table, modality, seed, work)
    split = profile.splitting.split
    about = [folders["image"].name, folders["music"].name, split, noise, share]
    dealt = work.once("simulated-parts", digest(*about, code_key("acp_lib.findings.simulator")),
                      lambda folder: parts(table, split, seed).to_parquet(folder / "parts.parquet"))
    options = methods.method("pairs", "ACP-Net").options(profile)
    device = devices.device(profile.execution.device)
    key = digest(dealt.name, options.named, device.split(":")[0],
                 code_key("acp_lib.experiment.runs", "acp_lib.findings.simulator"))
    return SimulatedRun("pairs", "ACP-Net", seed, work.folder("acp_net_simulated", key), methods.Inputs(**folders),
                        options, device, profile.processes, dealt / "parts.parquet")
