"""Models of real pictures and music, tuned on the samples that they were fitted to: the simulator's classes lie as far
apart as makes classifiers that are trained on it as accurate as on these samples.

Chapter: What would IMAC have given? A simulation.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors.numpy import load_file, save

from acp_lib import streams
from acp_lib.engine.cache import code_key, digest, write
from acp_lib.experiment import baselines, intervals
from acp_lib.experiment.corpus import Corpus, Modality, scaled
from acp_lib.experiment.intervals import Estimate
from acp_lib.experiment.probes import Probed
from acp_lib.experiment.tasks import Correspondence
from acp_lib.features import audio, music
from acp_lib.findings import plateau
from acp_lib.findings.plateau import Material
from acp_lib.findings.simulator import FACTORS, Model, fitted
from acp_lib.profiles.groups import Pairing

if TYPE_CHECKING:
    from acp_lib.study import Study

SIDES = ("image", "music")
FOLDS = 4
TIMES = (0.7, 1.0, 1.3, 1.6, 2.0)
"""How far apart classes are tried, in times of what the means of the samples say."""
DRAWS = 4
"""Simulated databases for each of TIMES."""
SONGS = 60
"""Of which it is measured how alike segments of a song are."""


@dataclass(frozen=True)
class Tuned:
    """A model by modality; how far apart its classes were moved, in times of what their means say, with the standard
    error that the accuracies have to which this was tuned.
    """

    models: dict[str, Model]
    times: dict[str, float]
    errors: dict[str, float]

    def stronger(self, image: float, music: float) -> dict[str, Model]:
        """The models with classes so many times as far apart as tuned."""
        return {m: self.models[m].stronger(times) for m, times in zip(SIDES, (image, music), strict=True)}


def whole(study: Study) -> Material:
    """All samples of a study, none of them kept apart."""
    table = study.manifest
    groups = {m: table.loc[table["modality"] == m, "group"].to_numpy(str) for m in SIDES}
    sides = []
    for m in SIDES:
        x, known = study.features[m], getattr(study.corpus, m)
        at = np.arange(len(x))
        sides.append(Modality(torch.from_numpy(scaled(x, at, "zscore")), known.label, np.zeros(len(x), int)))
    return Material(Corpus(*sides), groups, {})


def halves(material: Material, draw: int = 0) -> list[Material]:
    """Two halves of whole songs and pictures, alike in their classes."""
    fold = {m: plateau.dealt(material.groups[m], getattr(material.corpus, m).label, 2,
                             streams.generator("halves of a corpus", m, draw)) for m in SIDES}
    found = []
    for k in range(2):
        sides = []
        for m in SIDES:
            side, held = getattr(material.corpus, m), np.flatnonzero(fold[m] == k)
            sides.append(Modality(side.x[held], side.label[held], side.part[held]))
        found.append(Material(Corpus(*sides), {m: material.groups[m][fold[m] == k] for m in SIDES}, {}))
    return found


def alike(models: dict[str, Model], material: Material, seed: int) -> Material:
    """Simulated samples of the same classes and groups as those of a material."""
    sides = []
    for m, model in models.items():
        label = getattr(material.corpus, m).label
        song = np.unique(material.groups[m], return_inverse=True)[1]
        x = model.drawn(m, seed, list(zip(range(len(label)), song.tolist(), label.tolist(), strict=True)))
        sides.append(Modality(torch.from_numpy(x), label, np.zeros(len(label), int)))
    return Material(Corpus(*sides), material.groups, {})


def accuracies(material: Material, share: float = 1.0, folds: int = FOLDS) -> dict[str, Estimate]:
    """How often a ridge classifier names pictures and music right, classes weighing alike, and how often both together
    are right about class-balanced pairs ("two"), trained on a share of the songs and pictures; each sample is judged
    once, over pictures and songs.
    """
    named: dict[str, list] = {m: [] for m in SIDES}
    asked = []
    for fold in range(folds):
        corpus = plateau.folded(material, fold, dict.fromkeys(SIDES, share), folds)
        said = {m: baselines.named(getattr(corpus, m)) for m in SIDES}
        for m in SIDES:
            side = getattr(corpus, m)
            rows = side.rows("val")
            named[m].append((side.label[rows], said[m][rows], material.groups[m][rows]))
        pairs = Correspondence(corpus, Pairing(), fold).pairs("val")
        right = (said["image"][pairs.image] == said["music"][pairs.music]) == (pairs.truth == 1)
        asked.append((right, material.groups["image"][pairs.image], material.groups["music"][pairs.music]))
    found = {}
    for m in SIDES:
        truth, given, group = map(np.concatenate, zip(*named[m], strict=True))
        found[m] = intervals.mean(Probed(truth, given).weighted, group)
    return found | {"two": intervals.mean(*map(np.concatenate, zip(*asked, strict=True)))}


def tuned(material: Material, between: float = 0.0, factors: int = FACTORS) -> Tuned:
    """Models of the samples of a material, by which classifiers come to the accuracies that they have on these samples,
    in cross-validation: a parabola is drawn through what TIMES give.
    """
    own = {m: fitted(getattr(material.corpus, m).x.numpy(), getattr(material.corpus, m).label, factors,
                     between if m == "music" else 0.0) for m in SIDES}
    wanted, times, errors = accuracies(material), {}, {}
    tried = [(t, accuracies(alike({m: own[m].stronger(t) for m in SIDES}, material, draw)))
             for t in TIMES for draw in range(DRAWS)]
    grid = np.linspace(0, 1.5 * TIMES[-1], 301)
    for m in SIDES:
        curve = np.polyval(np.polyfit([t for t, _ in tried], [found[m].value for _, found in tried], 2), grid)
        at = int(np.abs(curve - wanted[m].value).argmin())
        times[m] = float(grid[at])
        errors[m] = float(wanted[m].error / max(np.gradient(curve, grid)[at], 0.05))
    return Tuned({m: own[m].stronger(times[m]) for m in SIDES}, times, errors)


def of(study: Study) -> Tuned:
    """`tuned` on all samples of a study, kept in its work folder."""
    key = digest(study.corpus_key, FACTORS, code_key("acp_lib.findings.tuned"))

    def make(folder: Path) -> None:
        share = between(study)
        made = tuned(whole(study), share)
        for m, model in made.models.items():
            write(folder / f"{m}.safetensors", save({k: np.ascontiguousarray(getattr(model, k)) for k in
                                                     ("mean", "factors", "residual")}))
        write(folder / "about.json", json.dumps({"between": share, "times": made.times, "errors": made.errors}))

    folder = study.work.once("simulator", key, make)
    about = json.loads((folder / "about.json").read_text("utf8"))
    return Tuned({m: Model(**load_file(folder / f"{m}.safetensors"), between=about["between"] if m == "music" else 0.0)
                  for m in SIDES}, about["times"], about["errors"])


def between(study: Study, songs: int = SONGS) -> float:
    """How much of the variance within a class is the song's: the covariance of the two halves of a clip over their
    variance, summed over the numbers in the units of the corpus, for some songs of each class.
    """
    table = study.manifest[study.manifest["modality"] == "music"].groupby("group").head(1)
    some = table.groupby("class").head(max(songs // table["class"].nunique(), 2))
    pairs = []
    for row in some.itertuples():
        y = study.load_clip(row)
        pairs.append([music.extract(part, audio.SR) for part in np.array_split(y, 2)])
    x = np.array(pairs, np.float64) / np.maximum(study.features["music"].std(0), 1e-9)  # song, half, number
    for label in some["class"].unique():
        held = (some["class"] == label).to_numpy()
        x[held] -= x[held].mean((0, 1))
    return float(np.clip(2 * (x[:, 0] * x[:, 1]).sum() / (x**2).sum(), 0, 1))
