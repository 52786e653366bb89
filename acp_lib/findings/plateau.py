"""What takes ACP-Net off the plateau that "same or different" starts on, and how much music and how many pictures it
needs: on validation data alone, so that a setting may be chosen by it.

The test part of a corpus stays out. The rest is dealt anew into folds of whole songs, each once the validation part, so
that all of it is judged on; each fold has a run with a seed of its own. The features, and no media, travel to a machine
with a GPU: `Material`.

Chapter: ACP-Net.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch

from acp_lib import streams
from acp_lib.emotions import CLASSES
from acp_lib.engine.cache import digest, write
from acp_lib.engine.faults import readable
from acp_lib.experiment import baselines, together
from acp_lib.experiment.corpus import Corpus, Modality, scaled
from acp_lib.experiment.splits import PARTS
from acp_lib.experiment.tasks import UPDATES, Batches, Correspondence
from acp_lib.features.layout import VECTORS
from acp_lib.models import ACPNet
from acp_lib.profiles.groups import Pairing, Training

if TYPE_CHECKING:
    from acp_lib.study import Study

FOLDS = 8
EPOCHS = 50
LEFT = 0.55
"""Accuracy on training pairs from which a run has left the plateau, as a mean over an epoch."""

LAST = 10  # epochs whose mean validation accuracy is the level that a run reaches
SHARES = (0.1, 0.2, 0.4, 0.7, 1.0)
"""Of the songs, or of the pictures, that are trained on."""

PLACES = ("fusion", "hidden", "not_embeddings")
WHOLE = {"fc_width": 1.0, "learning_rate": 1e-4, "batch": 128}
QUARTER = {"fc_width": 0.25, "learning_rate": 4e-4, "batch": 128}
CELLS: list[dict] = [
    *({**QUARTER, "dropout_at": at, "initialisation": init} for init in ("pytorch", "glorot") for at in PLACES),
    {**QUARTER, "dropout": 0.0},
    *({**WHOLE, "dropout_at": at} for at in PLACES[:2]),
    *({**QUARTER, "learning_rate": 1e-3, "dropout_at": at} for at in PLACES[:2]),
    {**WHOLE, "dropout": 0.0},
]
"""Settings that are tried; what one does not name is the ledger's default. WHOLE is the paper's width and rate."""


KEPT = (500, 2000, 8000, 32000)
"""Pairs that are drawn once and come again in every epoch."""

Job = tuple[dict, dict[str, float]]
"""A setting, in which "pairs" may say how many are drawn once, and the share of the songs or pictures."""


@dataclass(frozen=True)
class Kept(Correspondence):
    """The same training pairs in every epoch, in another order; 0 draws new ones for each, as `Correspondence` does."""

    kept: int = 0

    def epoch(self, seed: Sequence[int], batch: int, share: tuple[int, int] = (0, 1)) -> Batches:
        """The batches of an epoch: each pair as often as any other, but for one."""
        if not self.kept:
            return super().epoch(seed, batch, share)
        pairs = self.corpus.draw("train", self.options.pairs, self.kept, streams.generator("pairs kept", self.seed))
        rng, n = streams.generator("order of pairs kept", *seed), self.pairs_per_epoch(batch)
        order = np.concatenate([rng.permutation(self.kept) for _ in range(math.ceil(n / self.kept))])[:n]
        return Batches((self.corpus.image, self.corpus.music), (pairs.image[order], pairs.music[order]),
                       pairs.truth[order], size=batch, seed=seed, share=share)


@dataclass(frozen=True, eq=False)
class Material:
    """A corpus with the name of the song or picture that each sample is kept whole by, and where it comes from."""

    corpus: Corpus
    groups: dict[str, np.ndarray]
    about: dict

    @classmethod
    def of(cls, study: Study) -> Material:
        """That of a study, as it was split."""
        table = study.manifest
        groups = {m: table.loc[table["modality"] == m, "group"].to_numpy(str) for m in ("image", "music")}
        about = {key: study.provenance[key] for key in ("data", "synthetic", "data_fingerprint", "image_weights")}
        return cls(study.corpus, groups, {**about, "seed": study.profile.seed})

    def save(self, folder: Path) -> None:
        """Write features, classes, parts and names, and no media."""
        for name, names in self.groups.items():
            getattr(self.corpus, name).save(folder / f"{name}.safetensors")
            write(folder / f"{name}.csv", pd.DataFrame({"group": names}).to_csv(index=False))
        write(folder / "about.json", json.dumps(self.about, ensure_ascii=False))

    @classmethod
    def read(cls, folder: Path) -> Material:
        """What `save` wrote; raises Damaged if it is not all there, or does not fit together."""
        with readable(folder, "export the features anew, by --export"):
            corpus = Corpus(**{m: Modality.read(folder / f"{m}.safetensors") for m in VECTORS})
            groups = {m: pd.read_csv(folder / f"{m}.csv", dtype=str)["group"].to_numpy(str) for m in VECTORS}
            about = json.loads((folder / "about.json").read_text("utf8"))
            for name, width in VECTORS.items():
                _fits(name, getattr(corpus, name), len(groups[name]), width)
            if not isinstance(about, dict):
                raise ValueError("about.json holds no names with values")
            if gone := {"data", "synthetic", "data_fingerprint"} - about.keys():
                raise ValueError(f"about.json says nothing of {', '.join(sorted(gone))}")
            return cls(corpus, groups, about)

    @property
    def key(self) -> str:
        """Stands for all that is trained on, whatever it was made from and by."""
        parts = [part for m in VECTORS for side in (getattr(self.corpus, m),)
                 for part in (side.x.numpy(), side.label, side.part, self.groups[m])]
        return digest([sha256(np.ascontiguousarray(part).tobytes()).hexdigest() for part in parts])


def _fits(name: str, side: Modality, groups: int, width: int) -> None:
    if tuple(side.x.shape) != (n := len(side.label), width) or groups != n or len(side.part) != n:
        raise ValueError(f"{name} has features {tuple(side.x.shape)}, {n} classes, {len(side.part)} parts and {groups} "
                         f"groups; expected as many of each, and features of {width} numbers")
    if not torch.isfinite(side.x).all():
        raise ValueError(f"features of {name} are not finite")


def refuse_few(material: Material, folds: int = FOLDS) -> None:
    """Raise ValueError where a class has fewer songs, or pictures, outside the test part than there are folds: some
    fold would be judged without it.
    """
    for name, groups in material.groups.items():
        side: Modality = getattr(material.corpus, name)
        held = side.part != PARTS.index("test")
        for k, label in enumerate(CLASSES):
            if (n := len(set(groups[held & (side.label == k)]))) < folds:
                raise ValueError(f"{n} different samples of {name} outside the test part are {label}; expected {folds} "
                                 "or more of each class, one for each fold: give more samples")


def dealt(groups: np.ndarray, label: np.ndarray, folds: int, rng: np.random.Generator) -> np.ndarray:
    """The fold of each sample: groups stay whole, and each class is spread evenly over the folds [shape=(n,)]."""
    order, _, where = _shuffled(groups, label, rng)
    fold = np.empty(len(order), int)
    fold[order] = np.arange(len(order)) % folds
    return fold[where]


def _shuffled(groups: np.ndarray, label: np.ndarray,
              rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The numbers of the groups in random order, class after class; the class of each; and which one each sample is of.
    """
    names, first, where = np.unique(groups, return_index=True, return_inverse=True)
    order = rng.permutation(len(names))
    return order[np.argsort(label[first][order], kind="stable")], label[first], where


def folded(material: Material, fold: int, shares: dict[str, float], folds: int = FOLDS) -> Corpus:
    """The corpus with one fold of its training and validation parts as validation part, and a share of the groups of
    the others as training part; features are scaled by these. What is left over belongs to no part.
    """
    sides = {}
    for name, groups in material.groups.items():
        side: Modality = getattr(material.corpus, name)
        held = side.part != PARTS.index("test")
        of = np.full(len(side.part), -1)
        of[held] = dealt(groups[held], side.label[held], folds, streams.generator("folds of a plateau", name))
        rest = np.flatnonzero(held & (of != fold))
        part = np.full(len(side.part), -1)
        part[side.part == PARTS.index("test")] = PARTS.index("test")
        part[of == fold] = PARTS.index("val")
        part[rest[_chosen(groups[rest], side.label[rest], shares.get(name, 1.0),
                          streams.generator("songs of a plateau", name, fold))]] = PARTS.index("train")
        x = scaled(side.x.numpy(), np.flatnonzero(part == PARTS.index("train")), "zscore")
        sides[name] = Modality(torch.from_numpy(x), side.label, part, side.emotion)
    return Corpus(**sides)


def _chosen(groups: np.ndarray, label: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Which samples belong to a share of the groups of each class; the larger share holds the smaller one."""
    order, label_of, where = _shuffled(groups, label, rng)
    rank = np.empty(len(order))
    for k in np.unique(label_of):
        own = order[label_of[order] == k]
        rank[own] = np.arange(len(own)) / len(own)
    return rank[where] < share


def trained(material: Material, cell: dict, shares: dict[str, float], where: str, *, folds: int = FOLDS,
            epochs: int = EPOCHS) -> list[dict]:
    """One run for each fold, side by side, with a setting and a share of the samples.

    Returns
    -------
    rows of the setting with "fold", "image" and "music" (training samples), "left" (epoch, or None), "level" (mean
    validation accuracy of the last epochs), "best" (highest), "curve", "two" (two classifiers that are compared) and
    "updates" (an epoch); accuracies in per cent
    """
    corpora, two = _folds(material, tuple(shares.items()), folds)
    options = Training(batch=cell["batch"], learning_rate=cell["learning_rate"])
    updates = UPDATES["pairs"]
    pairing = Pairing(epochs=epochs, patience=epochs, pairs_per_epoch=updates * options.batch)
    tasks = [Kept(corpus, pairing, fold, cell.get("pairs", 0)) for fold, corpus in enumerate(corpora)]
    network = {key: value for key, value in cell.items() if key not in ("batch", "learning_rate", "pairs")}
    models = []
    for fold in range(folds):
        torch.manual_seed(streams.number("initial weights of a plateau", fold))
        models.append(ACPNet(**network))
    histories = together.fit(models, tasks, options, list(range(folds)), where=where)
    return [{**cell, "fold": fold, **_counts(task.corpus), "updates": updates, **_course(history), "two": two[fold]}
            for fold, (task, history) in enumerate(zip(tasks, histories, strict=True))]


@lru_cache(maxsize=1)
def _folds(material: Material, shares: tuple, folds: int) -> tuple[list[Corpus], list[float]]:
    """The folded corpora, and what two classifiers, compared, get on the validation pairs of each, in per cent."""
    corpora = [folded(material, fold, dict(shares), folds) for fold in range(folds)]
    return corpora, [_two(Correspondence(corpus, Pairing(), fold)) for fold, corpus in enumerate(corpora)]


def _counts(corpus: Corpus) -> dict[str, int]:
    return {"image": len(corpus.image.rows("train")), "music": len(corpus.music.rows("train"))}


def _course(history: list[dict]) -> dict:
    curve = [100 * h["val_accuracy"] for h in history]
    left = next((h["epoch"] for h in history if h["accuracy"] > LEFT), None)
    return {"left": left, "level": round(float(np.mean(curve[-LAST:])), 2), "best": round(max(curve), 2),
            "curve": [round(c, 1) for c in curve]}


def _two(task: Correspondence) -> float:
    asked = task.pairs("val")
    said = baselines.two_classifiers(task.corpus, asked, task.options.pairs, task.seed)
    return round(100 * float(np.mean(said == (asked.truth == 1))), 2)


def settings(cells: Sequence[dict] = CELLS) -> list[Job]:
    """Each setting, with all samples."""
    return [(cell, {}) for cell in cells]


def samples(shares: Sequence[float] = SHARES) -> list[Job]:
    """Each share of the songs with all pictures, and of the pictures with all songs: at a quarter of the width, since
    wider networks come to the same accuracy, and with dropout in the fusion.
    """
    cell, every = {**QUARTER, "dropout_at": "fusion"}, product(("music", "image"), shares)
    return [(cell, {name: share}) for name, share in every if name == "music" or share < 1]


def pairs(kept: Sequence[int] = KEPT) -> list[Job]:
    """Each number of pairs that are drawn once, and new ones for every epoch, with all samples."""
    cell = {**QUARTER, "dropout_at": "fusion"}
    return [({**cell, "pairs": n}, {}) for n in (*kept, 0)]


STUDIES: dict[str, Callable[[], list[Job]]] = {"plateau": settings, "samples": samples, "pairs": pairs}
"""What can be recorded."""
