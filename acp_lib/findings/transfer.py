"""From one corpus to another: networks that were trained on the pictures and songs of one are asked about the pairs of
another, as they are. Only the classes are common.

Chapter: Real pictures, real music.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch

from acp_lib import streams
from acp_lib.audits import additive
from acp_lib.audits.standing import ADDITIVE
from acp_lib.experiment import baselines, evaluation, intervals, runs
from acp_lib.experiment.corpus import Corpus, Modality, scaled
from acp_lib.experiment.intervals import Estimate
from acp_lib.experiment.pairs import joint, oracle
from acp_lib.experiment.probes import Probed
from acp_lib.experiment.splits import PARTS
from acp_lib.findings.folds import FOLDS, TWO, dealt

if TYPE_CHECKING:
    from acp_lib.study import Study


SCALED = "by the corpus trained on", "each corpus by itself"
"""How features are scaled: as at home, or, since corpora differ in how they were photographed and recorded, the asked
corpus by its own mean and deviation, which needs no labels."""


def carried(study: Study, other: Study, by: str = SCALED[0]) -> Corpus:
    """The training and validation parts of one study, and all samples of the other as the test part; samples that both
    hold, by what is in their files, are no test. Features are scaled as one of SCALED says.

    Raises
    ------
    ValueError
        If the two see their pictures with different weights.
    """
    seen = [s.provenance["image_weights_digest"] for s in (study, other)]
    if seen[0] != seen[1]:
        raise ValueError(f"pictures are seen with {study.weights_name} there and with {other.weights_name} here; give "
                         "both corpora the same weights")
    return Corpus(*(_side(study, other, name, by) for name in ("image", "music")))


def _side(study: Study, other: Study, name: str, by: str) -> Modality:
    side, asked = getattr(study.corpus, name), getattr(other.corpus, name)
    part = np.where(side.part == PARTS.index("test"), -1, side.part)
    files = [s.manifest.loc[s.manifest["modality"] == name, "sha"] for s in (study, other)]
    new = np.where(files[1].isin(set(files[0])), -1, PARTS.index("test"))
    part, label = np.concatenate([part, new]), np.concatenate([side.label, asked.label])
    train, kind = np.flatnonzero(part == PARTS.index("train")), study.profile.features.scaling
    x = scaled(np.concatenate([study.features[name], other.features[name]]), train, kind)
    if by == SCALED[1]:
        x[len(side.part):] = scaled(other.features[name], np.arange(len(new)), kind)
    return Modality(torch.from_numpy(x), label, part)


def clear(asked: Sequence[dict], directions: int) -> str:
    """In how many of some rows the interval of ACP-Net lies above chance, and in how many below, in words.

    directions : from one corpus to another, each of which has rows for several ways of scaling

    Chapter: Real pictures, real music; the first page.
    """
    above = sum(row["interval"][0] > row["chance"] for row in asked)
    below = sum(row["interval"][1] < row["chance"] for row in asked)
    ways = f" ({directions} × {len(asked) // directions}, directions by ways of scaling)" if directions else ""
    return f"above chance by its whole CI in {above} of {len(asked)} tests{ways}, and below it in {below}"


def rows(study: Study, other: Study, folds: int = FOLDS) -> list[dict]:
    """How often the audited networks of each fold of a corpus, and what needs no network, are right about pairs of
    another corpus; and how often each of two classifiers names the class of its half.

    Returns
    -------
    rows in per cent, or points for "less" rows: "scaled" (of SCALED), "row", the rest of `intervals.Estimate.row` over
    runs, pictures and songs at once, "values" (one a run), and "p" of chance, or of no difference. Of the halves,
    "picture" and "music", it is the balanced accuracy
    """
    some = dealt(study, folds)
    runs.train([run for s in some for run in s.audited.planned("pairs", "ACP-Net")], study.work)
    return [{"scaled": by, **row} for by in SCALED for row in _asked(some, other, by)]


def _asked(some: Sequence[Study], other: Study, by: str) -> list[dict]:
    protocol, seed, manifest = some[0].profile.pairing.pairs, some[0].profile.seed, pd.concat(
        [some[0].manifest, other.manifest])
    corpora = [carried(s, other, by) for s in some]
    asked = corpora[0].draw("test", protocol, some[0].profile.pairing.test_pairs,
                            streams.generator("pairs of another corpus", seed))  # the same of each fold
    right: dict[str, list[np.ndarray]] = {}
    for s, corpus in zip(some, corpora, strict=True):
        for run in s.audited.runs:
            added, own, *_ = additive.emap(run.model(), corpus, asked, seed=run.seed)
            right.setdefault("ACP-Net", []).append((own > 0) == (asked.truth == 1))
            right.setdefault(ADDITIVE, []).append((added > 0) == (asked.truth == 1))
        for name, held in baselines.correct(corpus, asked, protocol, seed).items():
            right.setdefault(str(name), []).append(held.to_numpy())
    names = evaluation.groups(manifest, asked)
    chance = oracle(joint(protocol, *corpora[0].counts("test")))
    network = {"network": some[0].audited.network}
    found = [{"row": name, **_row(intervals.mean(said, *names), chance),
              "values": [round(100 * float(np.mean(r)), 2) for r in said]} for name, said in right.items()]
    found[0] |= {**network, "pairs": len(asked), "protocol": protocol, "chance": chance,
                 "pictures": len(set(names[0])), "songs": len(set(names[1]))}
    return [*found, *(_half(corpora, manifest, name) for name in ("image", "music")),
            *({"row": f"ACP-Net less {name}", **network,
               **_row(intervals.difference(right["ACP-Net"], right[name], *names), 0)} for name in (ADDITIVE, TWO))]


def _half(corpora: Sequence[Corpus], manifest: pd.DataFrame, modality: str) -> dict:
    """How well the classifier of one half, fitted on each fold of the one corpus, names the classes of the other's."""
    sides = [getattr(corpus, modality) for corpus in corpora]
    asked = sides[0].rows("test")
    label, group = sides[0].label[asked], manifest.loc[manifest["modality"] == modality, "group"].to_numpy(str)[asked]
    right, classes = np.array([Probed(label, baselines.named(side)[asked]).weighted for side in sides]), len(set(label))
    return {"row": "picture" if modality == "image" else modality, "classes": classes,
            **_row(intervals.mean(right, group), 100 / classes), "values": (100 * right.mean(1)).round(2).tolist()}


def _row(estimate: Estimate, than: float) -> dict:
    found = estimate.scaled(100)
    return {**found.row(), "p": found.p(than)}
