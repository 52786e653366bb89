"""Music for a picture, pictures for a piece of music: the use that the paper proposes, scored as retrieval.

A sample of the other modality is relevant if it is of the query's class. Chance is exact: what is expected of a ranking
drawn at random.

Paper: Section 1.
Chapter: Retrieval.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from torch import nn

from acp_lib import streams
from acp_lib.audits.additive import margins, with_embeddings
from acp_lib.emotions import CLASSES
from acp_lib.experiment import intervals
from acp_lib.experiment.corpus import Corpus, Modality
from acp_lib.results import store
from acp_lib.results.scores import lies_below

if TYPE_CHECKING:
    from acp_lib.study import Study

DEPTHS = (1, 5, 10)
HUB_DEPTH = 10
CELLS = 4_000_000
"""Scores that are computed for one direction, about; of more queries a part is drawn."""

PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1)  # inverse strengths of logistic regression, chosen on the validation part
DIRECTIONS = {"image": "music", "music": "image"}
Score = Callable[[np.ndarray, np.ndarray], np.ndarray]
TITLES = {"image": "music for a picture", "music": "pictures for music"}


def average_precision(ranked: np.ndarray) -> np.ndarray:
    """Precision at the rank of each relevant item, averaged over the relevant items [shape=(Q,)]; mAP is its mean.

    ranked : whether the item at each rank is relevant, best rank first [shape=(Q, n)]

    Chapter: Retrieval.
    """
    place, hits = np.arange(1, ranked.shape[1] + 1), ranked.cumsum(1)
    precision = hits / place  # of the items down to each place
    return (ranked * precision).sum(1) / hits[:, -1]


def chance_average_precision(n: int, r: int) -> float:
    """The expected average precision of n items, r of them relevant, in random order.

    A relevant item has every rank with equal probability. At rank i, it is one of the first i items, and each of the
    i - 1 before it is relevant with probability (r - 1) / (n - 1). So the expected precision there is
    (1 + (i - 1) (r - 1) / (n - 1)) / i, and the expected average precision is the mean of this over all ranks.

    Chapter: Retrieval.
    """
    place = np.arange(1, n + 1)
    relevant = (r - 1) / (n - 1) if n > 1 else 0.0  # probability that another item is
    return float(np.mean((1 + (place - 1) * relevant) / place))


def measures(relevant: np.ndarray, score: np.ndarray, depths: tuple[int, ...] = DEPTHS) -> dict[str, np.ndarray]:
    """mAP, MRR, and at each depth precision (P), recall (R) and normalised discounted cumulative gain (nDCG), each for
    every query [shape=(Q,)].

    relevant : which of the items are, to each query, one or more of them [shape=(Q, n)]
    score : the higher the earlier [shape=(Q, n)]; equal scores are ranked in the order given, so shuffle first

    Raises
    ------
    ValueError
        If to some query no item is relevant.
    """
    if not relevant.any(1).all():
        raise ValueError("no item is relevant to some query; expected one or more")
    ranked = np.take_along_axis(relevant, np.argsort(-score, axis=1, kind="stable"), 1)
    place, hits = np.arange(1, ranked.shape[1] + 1), ranked.cumsum(1)
    every, discount = hits[:, -1], 1 / np.log2(place + 1)
    most = discount.cumsum()
    found = {"mAP": average_precision(ranked), "MRR": 1 / (1 + ranked.argmax(1))}
    for k in depths:
        held, gain = hits[:, :k][:, -1], ranked[:, :k] @ discount[:k]
        found |= {f"P@{k}": held / k, f"R@{k}": held / every, f"nDCG@{k}": gain / most[np.minimum(k, every) - 1]}
    return found


def chance(n: int, r: int, depths: tuple[int, ...] = DEPTHS) -> dict[str, float]:
    """What `measures` are expected to be for n items, r of them relevant, in an order drawn at random.

    Each place holds a relevant item with probability r / n, and two places both do with r (r - 1) / (n (n - 1)). Hence

    - P@k: r min(k, n) / (n k);  R@k: min(k, n) / n;
    - nDCG@k: r / n times the sum over i <= k of 1 / log2(i + 1), over the same sum for i <= min(k, r);
    - mAP: `chance_average_precision`;
    - MRR: the sum over i of 1 / i times the probability that the first relevant item stands at place i, which is r / n
      for i = 1 and falls by the factor (n - i - r + 1) / (n - i) from i to i + 1.

    Raises
    ------
    ValueError
        Unless 1 <= r <= n.
    """
    if not 1 <= r <= n:
        raise ValueError(f"{r} of {n} items are relevant; expected 1 to {n}")
    i = np.arange(1, n + 1)
    first = r / n * np.concatenate([[1.0], np.cumprod(np.maximum(n - i[:-1] - r + 1, 0) / (n - i[:-1]))])
    found = {"mAP": chance_average_precision(n, r), "MRR": np.sum(first / i)}
    discount = np.cumsum(1 / np.log2(i + 1))
    for k in depths:
        k_held = min(k, n)
        found |= {f"P@{k}": np.float64(r * k_held / (n * k)), f"R@{k}": np.float64(k_held / n),
                  f"nDCG@{k}": r / n * discount[k_held - 1] / discount[min(k_held, r) - 1]}
    return {name: float(value) for name, value in found.items()}


# --- ways to score


def class_probabilities(side: Modality) -> np.ndarray:
    """Probability of each class for every sample (N, 3), by logistic regression on the training part's labels."""
    x, fit, val = side.x.numpy(), side.rows("train"), side.rows("val")
    tried = [LogisticRegression(C=c, class_weight="balanced", max_iter=300).fit(x[fit], side.label[fit])
             for c in PENALTIES]
    held = tried[0].classes_
    best = min(tried, key=lambda m: log_loss(side.label[val], m.predict_proba(x[val]), labels=held))
    found = np.zeros((len(x), 3))
    found[:, held] = best.predict_proba(x)
    return found


def unit(side: Modality) -> np.ndarray:
    """Features of length 1 (N, width)."""
    return torch.nn.functional.normalize(side.x, dim=1).numpy()


def products(one: np.ndarray, other: np.ndarray, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """Scalar products of rows i of one and rows j of the other: (len(i), len(j))."""
    return one[i] @ other[j].T


def scored(corpus: Corpus, score: Score, queries: np.ndarray, items: np.ndarray, modality: str,
           seed: int) -> list[dict]:
    """`measures` of each query: query (its row), label, and theirs.

    score : from pictures and pieces of music, by their rows, to a matrix of scores
    queries, items : rows of `modality`, and of the other
    """
    side, other = getattr(corpus, modality), getattr(corpus, DIRECTIONS[modality])
    # so that no order of files decides between equals
    items = streams.generator("order of equals", seed, modality).permutation(items)
    table = _table(score, queries, items, modality)
    relevant = other.label[items] == side.label[queries][:, None]
    some = relevant.any(1)
    found = pd.DataFrame({"query": queries[some], "label": side.label[queries[some]],
                          **measures(relevant[some], table[some])})
    return found.to_dict("records")


def _table(score: Score, queries: np.ndarray, items: np.ndarray, modality: str) -> np.ndarray:
    """The score of each item for each query (Q, n)."""
    return score(queries, items) if modality == "image" else score(items, queries).T


def asked(corpus: Corpus, modality: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the test part that are queries, and those that are ranked for each of them."""
    queries, items = (getattr(corpus, m).rows("test") for m in (modality, DIRECTIONS[modality]))
    most = max(1, CELLS // len(items))
    return np.sort(streams.generator("queries", seed, modality).permutation(queries)[:most]), items


def ways(study: Study) -> list[tuple[str, int, Score]]:
    """Each way to score, with its seed."""
    found: list[tuple[str, int, Score]] = []
    for run in study.runs:
        model = run.model()
        space = with_embeddings(model, study.corpus)
        seen, heard = unit(space.image), unit(space.music)
        found += [("ACP-Net", run.seed, partial(margins, model, study.corpus)),
                  ("cosine of its embeddings", run.seed, partial(products, seen, heard))]
    one, other = class_probabilities(study.corpus.image), class_probabilities(study.corpus.music)
    return [*found, ("two classifiers, compared", study.profile.seed, partial(products, one, other))]


def results(study: Study) -> pd.DataFrame:
    """Each query's measures by each way to score, and what chance gives: modality (of the query), method, seed, query,
    label and the measures.
    """
    trained, p, corpus = study.runs, study.profile, study.corpus

    def make() -> list[dict]:
        rows, scorers = [], ways(study)
        for modality, across in DIRECTIONS.items():
            side, ranked = getattr(corpus, modality), getattr(corpus, across)
            queries, items = asked(corpus, modality, p.seed)
            for method, seed, score in scorers:
                about = {"modality": modality, "method": method, "seed": seed}
                rows += [about | row for row in scored(corpus, score, queries, items, modality, p.seed)]
            n, counts = len(items), np.bincount(ranked.label[items], minlength=3)
            rows += [{"modality": modality, "method": "chance", "seed": p.seed, "query": int(q),
                      "label": int(side.label[q]), **chance(n, int(counts[side.label[q]]))}
                     for q in queries if counts[side.label[q]]]
        return rows

    return store.table(study, __name__, "retrieval", [study.corpus_key, [r.folder.name for r in trained], p.seed], make)


# --- do the same few items stand at the top for every query?


def occurrences(score: np.ndarray, k: int = HUB_DEPTH) -> np.ndarray:
    """N_k: the number of queries for which each item is among the first k [shape=(n,)].

    score : higher scores are ranked first, equal ones in the given order [shape=(Q, n)]
    """
    return np.bincount(np.argsort(-score, axis=1, kind="stable")[:, :k].ravel(), minlength=score.shape[1])


def hubness(score: np.ndarray, k: int = HUB_DEPTH) -> dict[str, float]:
    """How unevenly the first k ranks are filled: the "skewness" of N_k over the items (0 if all are there equally
    often), the share of items that are "never" there, and the share of queries for which the "largest" hub is there.

    Source: Radovanovic, Nanopoulos and Ivanovic (2010), Hubs in space, Journal of Machine Learning Research 11.

    Chapter: Retrieval.
    """
    times = occurrences(score, k)
    return {"skewness": float(stats.skew(times)) if np.ptp(times) else 0.0, "never": float(np.mean(times == 0)),
            "largest": float(times.max() / len(score))}


def chance_hubness(queries: int, n: int, k: int = HUB_DEPTH) -> dict[str, float]:
    """What is expected of rankings drawn at random, where N_k is binomial: its "skewness", and the share of items that
    "never" stand among the first k of n.

    Chapter: Retrieval.
    """
    p = min(k, n) / n
    spread = np.sqrt(queries * p * (1 - p))
    return {"skewness": float((1 - 2 * p) / spread) if spread else 0.0, "never": float((1 - p) ** queries)}


def hubs(study: Study) -> pd.DataFrame:
    """`hubness` of each way to score, and what chance gives: modality (of the query), method, seed, skewness, never,
    largest.

    Chapter: Retrieval.
    """
    corpus, seed = study.corpus, study.profile.seed

    def make() -> list[dict]:
        rows, scorers = [], ways(study)
        for modality in DIRECTIONS:
            queries, items = asked(corpus, modality, seed)
            items = streams.generator("order of equals among hubs", seed, modality).permutation(items)
            rows += [{"modality": modality, "method": method, "seed": own,
                      **hubness(_table(score, queries, items, modality))} for method, own, score in scorers]
            rows.append({"modality": modality, "method": "chance", "seed": seed, "largest": np.nan,
                         **chance_hubness(len(queries), len(items))})
        return rows

    return store.table(study, __name__, "hubness", [study.corpus_key, [r.folder.name for r in study.runs], seed], make)


def macro(table: pd.DataFrame) -> pd.DataFrame:
    """Mean over the classes of the mean over their queries, for each modality, method and seed."""
    whole = table.drop(columns="query").groupby(["modality", "method", "seed", "label"], sort=False).mean()
    return whole.groupby(level=["modality", "method", "seed"], sort=False).mean().reset_index()


def one_of_each_class(corpus: Corpus, rng: np.random.Generator) -> dict[str, list[int]]:
    """Of "image" and of "music" a test sample of each class that has one, drawn: their rows.

    Chapter: Retrieval.
    """
    held = {m: getattr(corpus, m).rows("test") for m in DIRECTIONS}
    return {m: [int(rng.choice(some)) for k in range(len(CLASSES))
                for some in [held[m][getattr(corpus, m).label[held[m]] == k]] if len(some)] for m in held}


def highest(model: nn.Module, corpus: Corpus, modality: str, query: int, n: int,
            rng: np.random.Generator) -> list[tuple[int, float]]:
    """The n test samples of the other modality that a network ranks highest for a query: their rows, and the
    probability that it gives to "true"; `rng` decides between equals.

    Chapter: Retrieval.
    """
    others, one = rng.permutation(getattr(corpus, DIRECTIONS[modality]).rows("test")), np.array([query])
    score = margins(model, corpus, *((one, others) if modality == "image" else (others, one))).ravel()
    best = np.argsort(-score, kind="stable")[:n]
    return [(int(others[k]), 1 / (1 + np.exp(-score[k]))) for k in best]


def load(study: Study) -> list[dict]:
    """How far ACP-Net's mAP lies above chance, in hundredths, a row for each of TITLES: "ours" and the rest of
    `intervals.Estimate.row`, over runs, and queries with other pictures or other songs, at once.

    Chapter: Retrieval; Verdicts.
    """
    return store.load(study, "retrieval", _rows)


def _rows(study: Study) -> list[dict]:
    table, manifest = results(study), study.manifest
    names = {modality: manifest.loc[manifest["modality"] == modality, "group"].to_numpy() for modality in TITLES}
    return [{"row": title, "network": study.network, **ahead(table, modality, names[modality])}
            for modality, title in TITLES.items()]


def below_chance(table: pd.DataFrame, modality: str, method: str, names: Sequence[str],
                 groups: np.ndarray) -> list[str]:
    """Those of some measures by which a method lies below chance, with the whole interval of `ahead`.

    Chapter: Retrieval.
    """
    return [name for name in names
            if lies_below(ahead(table, modality, groups, method=method, measure=name), 0.0)]


def ahead(table: pd.DataFrame, modality: str, groups: np.ndarray, *, method: str = "ACP-Net",
          measure: str = "mAP") -> dict:
    """Mean over classes and runs of what a method's measure is above chance, in hundredths, as
    `intervals.Estimate.row`.

    table : as `results` gives it
    groups : of each sample of the modality, what it is drawn with as a whole [shape=(N,)]

    Chapter: Retrieval.
    """
    some = table[table["modality"] == modality]
    every = some[some["method"] == method].pivot(index="query", columns="seed", values=measure)
    queries = some[some["method"] == "chance"].set_index("query").loc[every.index]
    share = queries.groupby("label")[measure].transform("size") * queries["label"].nunique() / len(queries)
    lead = 100 * every.sub(queries[measure], axis=0).div(share, axis=0)  # so that a plain mean weighs classes alike
    return intervals.mean(lead.to_numpy().T, groups[every.index], least=-100, most=100).row()
