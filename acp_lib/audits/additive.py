"""What adding up two judgements can get, and what it gets of a network: its best additive approximation.

Paper: Section 3, Table 4.
Chapter: Is it really cross-modal?
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from torch import nn

from acp_lib import streams
from acp_lib.audits import retrained
from acp_lib.emotions import CLASSES, EMOTIONS, regroup
from acp_lib.experiment import baselines, evaluation
from acp_lib.experiment.corpus import Corpus, Pairs
from acp_lib.experiment.methods import embedded, labels
from acp_lib.experiment.pairs import joint
from acp_lib.results import store
from acp_lib.results.scores import of, scored

if TYPE_CHECKING:
    from acp_lib.study import Study

CELLS = 4_000_000
"""Pairs that a network is asked for one projection, about; of a larger grid a part is drawn."""


# --- what adding up can get


def additive_oracle(table: np.ndarray) -> float:
    """Best accuracy in per cent of a scorer that adds numbers for the classes of picture and music and says "true"
    above a threshold.

    The pairs that a sum calls true are nested: music that matches one class of pictures matches every class with a
    higher number. All 2^(K * K) answers are tried.

    table : probability of each pair of classes, as `pairs.joint` gives it
    """
    k, best = len(table), 0.0
    true = np.eye(k, dtype=bool)
    for bits in product((False, True), repeat=k * k):
        says = np.array(bits).reshape(k, k)
        ordered = says[np.argsort(says.sum(1))]
        if not (ordered[:-1] & ~ordered[1:]).any():
            best = max(best, table[says == true].sum())
    return 100 * float(best)


# --- the projection


def margins(model: nn.Module, corpus: Corpus, image: np.ndarray, music: np.ndarray) -> np.ndarray:
    """Logit of "true" minus that of "false" for all pairs of these samples: float64 (len(image), len(music))."""
    i, j = (a.ravel() for a in np.meshgrid(image, music, indexing="ij"))
    said = evaluation.logits(model, corpus, Pairs(i, j, np.zeros(len(i), int))).double().numpy()
    return (said[:, 1] - said[:, 0]).reshape(len(image), len(music))


@dataclass(frozen=True)
class Grid:
    """What a network answers, f, to combinations of the pictures and the music of a list of pairs.

    Means over pictures are taken over `pictures`, those over music over `music`: over all, or over some where there are
    too many combinations. A sample weighs as often as it stands in the list.

    across : f of every picture with `music` [shape=(n, m')]
    down : f of `pictures` with every piece of music [shape=(n', m)]
    pictures, music : rows of `across` and columns of `down` [shapes=(n',), (m',)]
    weight_image, weight_music : their weights, which sum to 1 [shapes=(n',), (m',)]
    i, j : row of `across` and column of `down` of each pair [shape=(pairs,)]

    Chapter: Is it really cross-modal?
    """

    across: np.ndarray
    down: np.ndarray
    pictures: np.ndarray
    music: np.ndarray
    weight_image: np.ndarray
    weight_music: np.ndarray
    i: np.ndarray
    j: np.ndarray

    @property
    def block(self) -> np.ndarray:
        """f of `pictures` with `music` [shape=(n', m')]."""
        return self.across[self.pictures]


def grid(model: nn.Module, corpus: Corpus, pairs: Pairs, cells: int = CELLS, seed: int = 0) -> Grid:
    """A network's margins for all combinations of the pairs' halves; of more than `cells`, for a part of either side
    with all of the other, drawn by `seed`.

    Chapter: Is it really cross-modal?
    """
    (image, i, times_i), (music, j, times_j) = (np.unique(x, return_inverse=True, return_counts=True)
                                                for x in (pairs.image, pairs.music))
    some_i, some_j = np.arange(len(image)), np.arange(len(music))
    if len(image) * len(music) <= cells:
        across = down = margins(model, corpus, image, music)
    else:
        rng = streams.generator("part of a grid", seed)
        some_i = _some(len(image), max(1, cells // (2 * len(music))), rng)
        some_j = _some(len(music), max(1, cells // (2 * len(image))), rng)
        across, down = margins(model, corpus, image, music[some_j]), margins(model, corpus, image[some_i], music)
    return Grid(across, down, some_i, some_j, times_i[some_i] / times_i[some_i].sum(),
                times_j[some_j] / times_j[some_j].sum(), i, j)


def _some(n: int, most: int, rng: np.random.Generator) -> np.ndarray:
    return np.sort(rng.permutation(n)[:most])


def projection(f: Grid) -> tuple[np.ndarray, np.ndarray, float]:
    """The additive function nearest to f, by_image[i] + by_music[j] - mean, in these three parts.

    This is the least-squares fit; it exactly reproduces a network that only adds.

    Chapter: Is it really cross-modal?
    """
    by_image = f.across @ f.weight_music  # mean of f(i, j') over the music j'
    by_music = f.weight_image @ f.down  # mean of f(i', j) over the pictures i'
    mean = f.weight_image @ f.block @ f.weight_music  # of f(i', j') over both
    return by_image, by_music, mean


def explained(f: Grid) -> float:
    """Share of the variance of f over its combinations that adding accounts for; 1 where f does not vary.

    Chapter: Is it really cross-modal?
    """
    by_image, by_music, mean = projection(f)
    added = by_image[f.pictures][:, None] + by_music[f.music][None] - mean
    weight = np.outer(f.weight_image, f.weight_music)
    spread = (weight * (f.block - mean) ** 2).sum()
    return float(1 - (weight * (f.block - added) ** 2).sum() / spread) if spread > 0 else 1.0


def emap(model: nn.Module, corpus: Corpus, pairs: Pairs, *, cells: int = CELLS,
         seed: int = 0) -> tuple[np.ndarray, np.ndarray, float, int, int]:
    """Margins of pairs by the network's additive projection over all combinations of their halves.

    Returns
    -------
    margins of the pairs by the projection [shape=(n,)], the network's own [shape=(n,)], share of its variance over the
    combinations that adding accounts for, pictures and pieces of music that were averaged over

    Source: Hessel and Lee (2020), Algorithm 1 (EMAP).
    Chapter: Is it really cross-modal?
    """
    f = grid(model, corpus, pairs, cells, seed)
    by_image, by_music, mean = projection(f)
    own = evaluation.logits(model, corpus, pairs).double().numpy()
    return by_image[f.i] + by_music[f.j] - mean, own[:, 1] - own[:, 0], explained(f), *f.block.shape


def emap_table(study: Study) -> pd.DataFrame:
    """For each audited ACP-Net: seed, explained (share of variance), pictures, music, and lists over the test pairs:
    network and additive (right or not), agree (share of pairs on which both say the same).
    """
    audited = study.audited
    asked, trained = audited.test_pairs(), audited.runs

    def make() -> list[dict]:
        rows = []
        for run in trained:
            added, own, explained, n, m = emap(run.model(), audited.corpus, asked, seed=run.seed)
            truth = asked.truth == 1
            rows.append({"seed": run.seed, "explained": explained, "pictures": n, "music": m,
                         "network": ((own > 0) == truth).tolist(), "additive": ((added > 0) == truth).tolist(),
                         "agree": float(np.mean((own > 0) == (added > 0)))})
        return rows

    return store.table(study, __name__, "emap", [[run.folder.name for run in trained], asked.digest], make)


# --- what the network is to be held against

CONTROLS = ("ACP-Net trained on random labels", "ACP-Net that sees no picture", "ACP-Net that hears no music",
            "ACP-Net before training")
"""Rows of `compared` that must be at chance."""
TOLD = ("two ridge classifiers, compared", "two perceptrons, compared")
"""Rows of `compared` that are trained on class labels, on bare features."""


def untrained(study: Study) -> dict[str, list[np.ndarray]]:
    """Whether each audited network before its training, and two ridge classifiers on its embeddings before and after,
    are right about the test pairs: a list of bool (n,) for each, one a seed.
    """
    audited = study.audited
    asked, corpus, p = audited.test_pairs(), audited.corpus, audited.profile
    protocol = p.pairing.pairs
    trained = audited.runs

    def make() -> list[dict]:
        rows = []
        for run in trained:
            blank = run.untrained().eval()
            said = evaluation.probability(blank, corpus, asked) > 0.5
            rows.append({"network": (said == (asked.truth == 1)).tolist(),
                         **{name: (baselines.two_classifiers(with_embeddings(model, corpus), asked, protocol, p.seed)
                                   == (asked.truth == 1)).tolist()
                            for name, model in (("before", blank), ("after", run.model()))}})
        return rows

    table = store.table(study, __name__, "untrained", [[r.folder.name for r in trained], asked.digest], make)
    names = {"network": "ACP-Net before training", "before": "two classifiers on its embeddings before training",
             "after": "two classifiers on its embeddings after training"}
    return {names[column]: [np.asarray(right, bool) for right in table[column]] for column in names}


def with_embeddings(model: nn.Module, corpus: Corpus) -> Corpus:
    """The corpus with a network's embeddings, standardised over the training part, in the place of the features."""
    return Corpus(*(embedded(model, getattr(corpus, modality), modality) for modality in ("image", "music")))


def named(study: Study) -> list[np.ndarray]:
    """Whether two perceptrons that were trained on the labels, one a modality, and are compared, are right about the
    test pairs: one bool (n,) a seed.

    They are those of Table 5 on the bare features; where they name eight emotions, the class of the emotion counts.
    """
    asked, found = study.test_pairs(), []
    probes = {m: study.trained(m, name)[name] for m, name in
              (("image", "Inception-V3 features + MLP"), ("music", "193 numbers + MLP"))}
    for pair in zip(*probes.values(), strict=True):
        said = []
        for modality, run, wanted in zip(probes, pair, (asked.image, asked.music), strict=True):
            number = run.predictions.set_index("item")["predicted"]
            if labels(getattr(study.corpus, modality))[1] == EMOTIONS:
                number = number.map(lambda e: CLASSES.index(regroup(EMOTIONS[e])))
            said.append(number.reindex(wanted).to_numpy())
        found.append((said[0] == said[1]) == (asked.truth == 1))
    return found


def compared(study: Study) -> list[dict]:
    """Everything of this chapter on the same frozen test pairs: "row", its name; `scores.scored` on pictures and songs;
    and `scores.of`, of the networks.
    """
    emap, asked = emap_table(study), study.test_pairs()
    controls = retrained.controls(study)
    told = {"ACP-Net": [np.asarray(v, bool) for v in emap["network"]],
            "its additive approximation": [np.asarray(v, bool) for v in emap["additive"]],
            "ACP-Net trained on random labels": [run.correct for run in controls["random labels"]],
            "ACP-Net that sees no picture": [run.correct for run in controls["music alone"]],
            "ACP-Net that hears no music": [run.correct for run in controls["picture alone"]],
            **untrained(study), "two ridge classifiers, compared":
            [study.baselines["two classifiers, compared"].to_numpy()], "two perceptrons, compared": named(study)}
    names = evaluation.groups(study.manifest, asked)
    networks = {what: of(study.audited.variant(seeds=len(right))) for what, right in told.items()
                if what.startswith("ACP-Net")}
    return [{"row": what, "paper": None, **scored(right, *names), **networks.get(what, {})}
            for what, right in told.items()]


def failed(rows: list[dict], chance: float) -> list[str]:
    """The controls among the rows of `compared` that lie above chance, in per cent, with their whole interval.

    Chapter: Is it really cross-modal?
    """
    return [row["row"] for row in rows if row["row"] in CONTROLS and row["interval"][0] > chance]


def ceilings(images: np.ndarray, music: np.ndarray, protocols: tuple[str, ...]) -> dict[str, float]:
    """`additive_oracle` of each protocol for so many samples of each class."""
    return {name: additive_oracle(joint(name, images, music)) for name in protocols}
