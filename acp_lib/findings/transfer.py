"""From one corpus to another: networks that were trained on the pictures and songs of one are asked about the pairs of
another, as they are. Only the classes are common; features are scaled by the corpus that was trained on.

Chapter: Real pictures, real music.
"""

from __future__ import annotations

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
from acp_lib.experiment.splits import PARTS
from acp_lib.findings.folds import FOLDS, TWO, dealt

if TYPE_CHECKING:
    from acp_lib.study import Study


def carried(study: Study, other: Study) -> Corpus:
    """The training and validation parts of one study, and all samples of the other as the test part; samples that both
    hold, by what is in their files, are no test. Features are scaled by the training part.

    Raises
    ------
    ValueError
        If the two see their pictures with different weights.
    """
    seen = [s.provenance["image_weights_digest"] for s in (study, other)]
    if seen[0] != seen[1]:
        raise ValueError(f"pictures are seen with {study.weights_name} there and with {other.weights_name} here; give "
                         "both corpora the same weights")
    return Corpus(*(_side(study, other, name) for name in ("image", "music")))


def _side(study: Study, other: Study, name: str) -> Modality:
    side, asked = getattr(study.corpus, name), getattr(other.corpus, name)
    part = np.where(side.part == PARTS.index("test"), -1, side.part)
    files = [s.manifest.loc[s.manifest["modality"] == name, "sha"] for s in (study, other)]
    new = np.where(files[1].isin(set(files[0])), -1, PARTS.index("test"))
    part, label = np.concatenate([part, new]), np.concatenate([side.label, asked.label])
    x = np.concatenate([study.features[name], other.features[name]])
    train = np.flatnonzero(part == PARTS.index("train"))
    return Modality(torch.from_numpy(scaled(x, train, study.profile.features.scaling)), label, part)


def rows(study: Study, other: Study, folds: int = FOLDS) -> list[dict]:
    """How often the audited networks of each fold of a corpus, and what needs no network, are right about pairs of
    another corpus.

    Returns
    -------
    rows in per cent, or points for "less" rows: "row", the rest of `intervals.Estimate.row` over runs, pictures and
    songs at once, "values" (one a run), and "p" of chance, or of no difference
    """
    some = dealt(study, folds)
    runs.train([run for s in some for run in s.audited.planned("pairs", "ACP-Net")], study.work)
    protocol, seed = study.profile.pairing.pairs, study.profile.seed
    right: dict[str, list[np.ndarray]] = {}
    for s in some:
        corpus = carried(s, other)
        asked = corpus.draw("test", protocol, study.profile.pairing.test_pairs,
                            streams.generator("pairs of another corpus", seed))  # the same of each fold
        for run in s.audited.runs:
            added, own, *_ = additive.emap(run.model(), corpus, asked, seed=run.seed)
            right.setdefault("ACP-Net", []).append((own > 0) == (asked.truth == 1))
            right.setdefault(ADDITIVE, []).append((added > 0) == (asked.truth == 1))
        for name, held in baselines.correct(corpus, asked, protocol, seed).items():
            right.setdefault(str(name), []).append(held.to_numpy())
    names = evaluation.groups(pd.concat([study.manifest, other.manifest]), asked)
    chance, network = oracle(joint(protocol, *corpus.counts("test"))), {"network": some[0].audited.network}
    found = [{"row": name, **_row(intervals.mean(said, *names), chance),
              "values": [round(100 * float(np.mean(r)), 2) for r in said]} for name, said in right.items()]
    found[0] |= {**network, "pairs": len(asked), "protocol": protocol, "chance": chance,
                 "pictures": len(set(names[0])), "songs": len(set(names[1]))}
    return found + [{"row": f"ACP-Net less {name}", **network,
                     **_row(intervals.difference(right["ACP-Net"], right[name], *names), 0)}
                    for name in (ADDITIVE, TWO)]


def _row(estimate: Estimate, than: float) -> dict:
    found = estimate.scaled(100)
    return {**found.row(), "p": found.p(than)}
