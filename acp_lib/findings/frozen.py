"""Pairs that others listed, as features alone: how they are dealt so that no song is in two parts, and ACP-Net trained
on them. Row k of either side is the half of pair k.

Chapter: Other people's pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import nn

from acp_lib import streams
from acp_lib.audits import additive
from acp_lib.experiment import evaluation, training
from acp_lib.experiment.corpus import Corpus, Modality, Pairs, scaled
from acp_lib.experiment.splits import PARTS
from acp_lib.experiment.tasks import Batches, ended
from acp_lib.models._branches import TwoBranches
from acp_lib.models.acp_net import FUSION, IMAGE, MUSIC, layers, narrower
from acp_lib.profiles.groups import Network, Pairing, Training

SIDES = ("image", "music")


@dataclass(frozen=True, eq=False)
class Listed:
    """Pairs in a list; by the name of each side its features (n, width), classes, clips and songs (n,).

    truth : whether each pair is true, 1 or 0 [shape=(n,)]
    test : whether it is of the part that is kept for the test [shape=(n,)]
    """

    x: dict[str, np.ndarray]
    label: dict[str, np.ndarray]
    clip: dict[str, np.ndarray]
    song: dict[str, np.ndarray]
    truth: np.ndarray
    test: np.ndarray

    def asked(self, rows: np.ndarray) -> Pairs:
        """Some of the pairs as they are listed."""
        return Pairs(rows, rows, self.truth[rows])

    def corpus(self, part: np.ndarray) -> Corpus:
        """Both sides, scaled by the training part; part : number of PARTS of each pair [shape=(n,)]."""
        train = np.flatnonzero(part == PARTS.index("train"))
        return Corpus(*(Modality(torch.from_numpy(scaled(self.x[s], train, "zscore")), self.label[s], part)
                        for s in SIDES))


def linked(listed: Listed) -> np.ndarray:
    """The number of the group of each pair: pairs are of one group if a song leads from one to the other, on whatever
    side it stands [shape=(n,)].
    """
    n = len(listed.truth)
    names, song = np.unique(np.concatenate([listed.song[s] for s in SIDES]), return_inverse=True)
    edges = coo_array((np.ones(n), (song[:n], song[n:])), shape=(len(names), len(names)))
    return connected_components(edges, directed=False)[1][song[:n]]


def dealt(group: np.ndarray, folds: int, rng: np.random.Generator) -> np.ndarray:
    """The fold of each pair: groups stay whole, the largest are dealt first, each to the smallest fold [shape=(n,)].

    Raises
    ------
    ValueError
        For fewer groups than folds.
    """
    names, where, size = np.unique(group, return_inverse=True, return_counts=True)
    if len(names) < folds:
        raise ValueError(f"the pairs fall into {len(names)} groups that share no song; expected {folds} or more, one "
                         "a fold")
    fold, full = np.empty(len(names), int), np.zeros(folds)
    for one in sorted(rng.permutation(len(names)), key=lambda k: -size[k]):
        fold[one] = full.argmin()
        full[fold[one]] += size[one]
    return fold[where]


Design = list[list[np.ndarray]]
"""For each fold, that is each set of pairs that is tested, what its runs were given: numbers of PARTS (n,)."""


def designs(listed: Listed, runs: int, folds: int, seed: int) -> dict[str, Design]:
    """How the pairs are tested: "as released", the part that its authors kept, by several runs, each with another of
    so many folds of the rest to validate on; and "every pair once", a fold at a time, with the next to validate on.
    """
    group, numbers = linked(listed), {name: PARTS.index(name) for name in PARTS}
    rest, kept = ~listed.test, []
    for run in range(runs):
        part = np.full(len(group), numbers["test"])
        fold = dealt(group[rest], folds, streams.generator("validation of listed pairs", seed, run))
        part[rest] = np.where(fold == 0, numbers["val"], numbers["train"])
        kept.append(part)
    fold = dealt(group, folds, streams.generator("folds of listed pairs", seed))
    every = [[np.select([fold == k, fold == (k + 1) % folds], [numbers["test"], numbers["val"]], numbers["train"])]
             for k in range(folds)]
    return {"as released": [kept], "every pair once": every}


# --- ACP-Net


def network(image: int, music: int, fc_width: float) -> TwoBranches:
    """ACP-Net as `models.ACPNet` has it where nothing is chosen, for features of other widths."""
    own = Network(fc_width=fc_width)
    seen, heard = (image, *narrower(IMAGE[1:], fc_width)), (music, *narrower((music, *MUSIC[2:]), fc_width))
    fusion = (seen[-1] + heard[-1], *narrower(FUSION[1:-1], fc_width), FUSION[-1])
    return TwoBranches(layers(seen, dropout=0.0), layers(heard, dropout=0.0),
                       layers(fusion, dropout=own.dropout, last_activation=False, last_dropout=False),
                       {"image": (image,), "music": (music,)})


@dataclass(frozen=True)
class AsListed:
    """A task for `training.fit`: the pairs of a part as they are listed, each once an epoch."""

    listed: Listed
    corpus: Corpus
    options: Pairing

    def epoch(self, seed: Sequence[int], batch: int, share: tuple[int, int] = (0, 1)) -> Batches:
        """The batches of an epoch."""
        rng = streams.generator("listed pairs of an epoch", *seed)
        pairs = self.listed.asked(rng.permutation(self.corpus.image.rows("train")))
        return Batches((self.corpus.image, self.corpus.music), (pairs.image, pairs.music), pairs.truth, size=batch,
                       seed=seed, share=share)

    def judge(self, model: nn.Module, part: str) -> tuple[torch.Tensor, np.ndarray]:
        """Logits (n, 2) of the pairs of a part, and which of them are true (n,)."""
        pairs = self.listed.asked(self.corpus.image.rows(part))
        return evaluation.logits(model, self.corpus, pairs), pairs.truth

    def finished(self, history: list[dict]) -> bool:
        """Whether training has come to its end."""
        return ended(history, self.options.epochs, self.options.patience)


def trained(listed: Listed, part: np.ndarray, fc_width: float, options: tuple[Pairing, Training], seed: int,
            where: str = "cpu") -> np.ndarray:
    """What an ACP-Net that was trained on the pairs of a part answers to all combinations of the halves of the test
    part: the logit of "true" minus that of "false" [shape=(m, m)].
    """
    corpus = listed.corpus(part)
    torch.manual_seed(streams.number("initial weights for listed pairs", seed))
    model = network(listed.x["image"].shape[1], listed.x["music"].shape[1], fc_width)
    training.fit(model, AsListed(listed, corpus, options[0]), options[1], seed, where=where)  # type: ignore[arg-type]
    rows = corpus.image.rows("test")
    return additive.margins(model, corpus, rows, rows)
