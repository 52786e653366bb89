"""The common space: where ACP-Net puts pictures and music, what their places depend on, and what lies near to what.

Paper: Section 3, the embeddings of both branches.
Chapter: One map of both modalities.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.manifold import TSNE
from sklearn.metrics import pairwise_distances

from acp_lib import streams
from acp_lib.emotions import CLASSES
from acp_lib.experiment import evaluation, probes
from acp_lib.experiment.corpus import Corpus, Pairs
from acp_lib.models import ACPNet

MODALITIES = ("image", "music")
MOST = {"train": 2000, "test": 400}
"""Samples of each modality that are drawn of a part, at most."""
DEPTH = 5
"""Neighbours of a query that are judged."""
PERPLEXITY = 30.0
_TINY = 1e-12


@dataclass(frozen=True)
class CommonSpace:
    """Embeddings of samples of both modalities.

    rows : modality -> part -> rows of the corpus (n,)
    embeddings : modality -> part -> (n, width)
    """

    rows: dict[str, dict[str, np.ndarray]]
    embeddings: dict[str, dict[str, np.ndarray]]

    def centred(self, modality: str, part: str) -> np.ndarray:
        """Embeddings (n, width) less the mean of the modality's training samples, in units of their spread."""
        known = self.embeddings[modality]["train"]
        spread = np.sqrt(known.var(0).sum())
        return (self.embeddings[modality][part] - known.mean(0)) / max(spread, _TINY)

    def both(self, part: str, *, centred: bool = False) -> np.ndarray:
        """Embeddings of the pictures, and below them those of the music."""
        return np.concatenate([self.centred(m, part) if centred else self.embeddings[m][part] for m in self.rows])

    def modality(self, part: str) -> np.ndarray:
        """"image" or "music" for each row of `both`."""
        return np.repeat(list(self.rows), [len(self.rows[m][part]) for m in self.rows])

    def of(self, part: str, values: dict[str, np.ndarray]) -> np.ndarray:
        """For each row of `both` what `values` holds for its sample: modality -> a value a row of the corpus."""
        return np.concatenate([values[m][self.rows[m][part]] for m in self.rows])


def embed(model: ACPNet, corpus: Corpus, seed: int = 0) -> CommonSpace:
    """Embeddings of training and test samples, MOST of each at most, drawn without replacement.

    Chapter: One map of both modalities.
    """
    rng = streams.generator("samples of the common space", seed)
    rows, found = {}, {}
    for m in MODALITIES:
        side = getattr(corpus, m)
        rows[m] = {part: np.sort(rng.choice(side.rows(part), min(len(side.rows(part)), most), replace=False))
                   for part, most in MOST.items()}
        found[m] = {part: evaluation.embed(getattr(model, f"embed_{m}"), side, own).numpy()
                    for part, own in rows[m].items()}
    return CommonSpace(rows, found)


def tsne_map(x: np.ndarray, seed: int = 0) -> np.ndarray:
    """A plane map (N, 2) of points (N, width) by t-SNE, from their first two principal components on.

    The perplexity is PERPLEXITY, or a third of the other points where there are fewer.

    Chapter: One map of both modalities.
    """
    perplexity = max(1.0, min(PERPLEXITY, (len(x) - 1) / 3))
    return TSNE(2, perplexity=perplexity, init="pca", random_state=streams.number("t-SNE", seed)).fit_transform(x)


# --- what the places depend on


def variance_between(x: np.ndarray, groups: np.ndarray) -> float:
    """Per cent of the variance of points (N, width) that lies between the means of their groups (N,).

    Chapter: One map of both modalities.
    """
    total = ((x - x.mean(0)) ** 2).sum()
    means = sum((groups == g).sum() * ((x[groups == g].mean(0) - x.mean(0)) ** 2).sum() for g in np.unique(groups))
    return 100 * means / max(total, _TINY)


def neighbour_agreement(x: np.ndarray, groups: np.ndarray, own: np.ndarray) -> float:
    """Per cent of the points (N, width) whose nearest neighbour is of their group (N,).

    own : song or picture of each point (N,); points of the same are no neighbours

    Chapter: One map of both modalities.
    """
    far = pairwise_distances(x)
    far[own[:, None] == own] = np.inf
    return 100 * (groups[far.argmin(1)] == groups).mean()


def chance_agreement(groups: np.ndarray) -> float:
    """Per cent of pairs of samples, drawn with replacement, that are of one group.

    Chapter: One map of both modalities.
    """
    return 100 * sum((groups == g).mean() ** 2 for g in np.unique(groups))


def modality_probe(space: CommonSpace, *, centred: bool = False) -> float:
    """Balanced accuracy, in per cent, of a linear probe that is asked for the modality of test samples.

    Chapter: One map of both modalities.
    """
    parts = ("train", "test")
    kind = np.concatenate([space.modality(part) for part in parts])
    part = np.repeat(parts, [len(space.modality(name)) for name in parts])
    x = np.concatenate([space.both(name, centred=centred) for name in parts])
    return 100 * probes.linear(x, kind, part).balanced


def placed_by(space: CommonSpace, label: dict[str, np.ndarray], own: dict[str, np.ndarray]) -> list[dict]:
    """What the places of the test samples depend on: a row for the embeddings as they are, one after each modality was
    centred, one by chance; in per cent.

    label, own : modality -> class, and song or picture, of each sample of the corpus

    Chapter: One map of both modalities.
    """
    kind, named, who = space.modality("test"), space.of("test", label), space.of("test", own)
    rows = []
    for title, centred in (("as they are", False), ("each modality centred", True)):
        x = space.both("test", centred=centred)
        rows.append({"Embeddings": title, "Variance between modalities, %": variance_between(x, kind),
                     "Variance between classes, %": variance_between(x, named),
                     "Nearest is of the same modality, %": neighbour_agreement(x, kind, who),
                     "Nearest is of the same class, %": neighbour_agreement(x, named, who),
                     "Modality read by a probe, %": modality_probe(space, centred=centred)})
    return [*rows, {"Embeddings": "by chance", "Variance between modalities, %": None,
                    "Variance between classes, %": None, "Nearest is of the same modality, %": chance_agreement(kind),
                    "Nearest is of the same class, %": chance_agreement(named), "Modality read by a probe, %": 50.0}]


def weighs_more(row: dict) -> str:
    """"modality" or "class": between whose means more of the variance lies in a row of `placed_by`.

    Chapter: One map of both modalities.
    """
    by_modality = row["Variance between modalities, %"] > row["Variance between classes, %"]
    return "modality" if by_modality else "class"


# --- neighbours across the modalities


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cosine of the angle between each of a (n, width) and each of b (m, width): (n, m); 0 for a vector of zeros.

    Chapter: One map of both modalities.
    """
    a, b = (v / np.maximum(np.linalg.norm(v, axis=1, keepdims=True), _TINY) for v in (a, b))
    return a @ b.T


def scores(model: ACPNet, corpus: Corpus, space: CommonSpace) -> dict[str, np.ndarray]:
    """How well each test clip (column) goes with each test picture (row), in three ways: the cosine of the embeddings
    as they are, of the centred ones, and the probability that the network gives to the pair being true.

    Chapter: One map of both modalities.
    """
    pictures, clips = (space.rows[m]["test"] for m in MODALITIES)
    i, j = (a.ravel() for a in np.meshgrid(pictures, clips, indexing="ij"))
    truth = (corpus.image.label[i] == corpus.music.label[j]).astype(int)
    said = evaluation.probability(model, corpus, Pairs(i, j, truth))
    return {"nearest, as they are": cosine(*(space.embeddings[m]["test"] for m in MODALITIES)),
            "nearest, each modality centred": cosine(*(space.centred(m, "test") for m in MODALITIES)),
            'highest probability of "true"': said.reshape(len(pictures), len(clips))}


def precision_at(score: np.ndarray, relevant: np.ndarray, k: int = DEPTH) -> np.ndarray:
    """Precision at k of each query: the share of relevant ones among the k items with the highest scores (Q,).

    score, relevant : of each item to each query (Q, n); equal scores are ranked in the order given

    Chapter: One map of both modalities.
    """
    best = np.argsort(-score, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(relevant, best, 1).mean(1)


def median_queries(precision: np.ndarray, label: np.ndarray, classes: Sequence[str] = CLASSES) -> list[int]:
    """Of each class that has queries the one whose precision is the (lower) median of its class.

    precision, label : of each query (Q,)

    Chapter: One map of both modalities.
    """
    found = []
    for name in classes:
        rows = np.flatnonzero(label == name)
        if len(rows):
            found.append(int(rows[np.argsort(precision[rows], kind="stable")[(len(rows) - 1) // 2]]))
    return found


def best_once(score: np.ndarray, own: np.ndarray, n: int) -> np.ndarray:
    """The n items with the highest scores (items,), best first, each song or picture `own` (items,) once.

    Chapter: One map of both modalities.
    """
    order = np.argsort(-score, kind="stable")
    _, first = np.unique(own[order], return_index=True)
    return order[np.sort(first)[:n]]
