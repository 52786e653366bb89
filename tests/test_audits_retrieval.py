"""Retrieval: measures against scikit-learn and by hand, exact chance against simulation, planted and absent order."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import average_precision_score, ndcg_score
from test_audits_additive import linear
from test_baselines import separable

from acp_lib.audits import retrieval
from acp_lib.experiment import evaluation
from acp_lib.experiment.corpus import Pairs


@pytest.mark.parametrize(("ranked", "expected"), [
    ([1, 0, 0], {"mAP": 1, "MRR": 1, "P@1": 1, "R@1": 1, "nDCG@5": 1, "P@5": 1 / 5}),
    ([0, 1, 1], {"mAP": (1 / 2 + 2 / 3) / 2, "MRR": 1 / 2, "P@1": 0, "R@1": 0, "R@5": 1}),
    ([0, 0, 0, 1], {"mAP": 1 / 4, "MRR": 1 / 4, "nDCG@5": 1 / np.log2(5)}),
    ([1], {"mAP": 1, "MRR": 1, "P@1": 1, "R@1": 1, "nDCG@1": 1}),
])
def test_measures_by_hand(ranked, expected):
    found = retrieval.measures(np.array([ranked], bool), -np.arange(len(ranked), dtype=float)[None])
    assert {name: found[name].item() for name in expected} == pytest.approx(expected)


def test_average_precision_by_hand():
    ranked = np.array([[1, 0, 1, 0], [0, 1, 1, 1], [0, 0, 0, 1]], bool)
    assert retrieval.average_precision(ranked) == pytest.approx([(1 + 2 / 3) / 2, (1 / 2 + 2 / 3 + 3 / 4) / 3, 1 / 4])


@pytest.mark.parametrize(("n", "r"), [(1, 1), (2, 1), (4, 4), (6, 1), (7, 3)])
def test_average_precision_by_chance_is_its_mean_over_all_orders(n, r):
    orders = np.array(list(permutations([k < r for k in range(n)])))
    assert retrieval.chance_average_precision(n, r) == pytest.approx(retrieval.average_precision(orders).mean())


@pytest.mark.slow
@settings(max_examples=40)
@given(st.integers(2, 40), st.integers(1, 4), st.floats(0.05, 1), st.integers(0, 1000))
def test_measures_are_scikit_learns(n, queries, share, seed):
    rng = np.random.default_rng(seed)
    relevant, score = rng.random((queries, n)) < share, rng.permuted(np.tile(np.arange(float(n)), (queries, 1)), axis=1)
    relevant[:, rng.integers(n)] = True
    found = retrieval.measures(relevant, score)
    for q in range(queries):
        assert found["mAP"][q] == pytest.approx(average_precision_score(relevant[q], score[q]))
        for k in retrieval.DEPTHS:
            expected = ndcg_score(relevant[q][None].astype(float), score[q][None], k=k)
            assert found[f"nDCG@{k}"][q] == pytest.approx(expected)


def test_a_query_without_anything_relevant_is_refused():
    with pytest.raises(ValueError, match="no item is relevant"):
        retrieval.measures(np.array([[True, False, False], [False] * 3]), np.zeros((2, 3)))


@pytest.mark.parametrize(("n", "r"), [(1, 1), (2, 1), (5, 5), (12, 9), (25, 7)])
def test_chance_is_what_a_simulation_gives(n, r):
    rng, relevant = np.random.default_rng([n, r]), np.arange(n) < r
    drawn = retrieval.measures(np.tile(relevant, (400, 1)), rng.random((400, n)))
    for name, value in retrieval.chance(n, r).items():
        some = drawn[name]
        assert value == pytest.approx(some.mean(), abs=4.5 * some.std() / np.sqrt(len(some)) + 1e-9), name


@pytest.mark.parametrize(("n", "r"), [(3, 0), (3, 4), (0, 0)])
def test_chance_needs_something_relevant(n, r):
    with pytest.raises(ValueError, match="items are relevant"):
        retrieval.chance(n, r)


def rows(corpus, score, modality="image"):
    side, other = (corpus.image, corpus.music) if modality == "image" else (corpus.music, corpus.image)
    return retrieval.scored(corpus, score, side.rows("test"), other.rows("test"), modality, 0)


@pytest.mark.parametrize("modality", retrieval.DIRECTIONS)
def test_a_perfect_score_ranks_perfectly_and_none_ranks_at_chance(modality):
    corpus = separable(240)
    one, other = (retrieval.class_probabilities(side) for side in (corpus.image, corpus.music))
    perfect = rows(corpus, lambda i, j: one[i] @ other[j].T, modality)
    assert [r["mAP"] for r in perfect] == pytest.approx([1.0] * len(corpus.image.rows("test")))
    equal = rows(corpus, lambda i, j: np.zeros((len(i), len(j))), modality)
    ranked = corpus.music.label[corpus.music.rows("test")]
    n, r = len(ranked), int((ranked == 0).sum())
    assert np.mean([q["mAP"] for q in equal]) == pytest.approx(retrieval.chance(n, r)["mAP"], abs=0.06)


def test_one_test_sample_of_each_class_that_has_one_is_drawn():
    corpus = separable(90)
    corpus.music.label[corpus.music.label == 2] = 1
    chosen = retrieval.one_of_each_class(corpus, np.random.default_rng(0))
    assert [corpus.image.label[i] for i in chosen["image"]] == [0, 1, 2]
    assert [corpus.music.label[j] for j in chosen["music"]] == [0, 1]
    for modality, rows in chosen.items():
        assert set(rows) <= set(getattr(corpus, modality).rows("test"))


@pytest.mark.parametrize("modality", retrieval.DIRECTIONS)
def test_the_highest_are_those_with_the_highest_probability(modality):
    corpus = separable(90, noise=0.7)
    query = int(getattr(corpus, modality).rows("test")[4])
    found = retrieval.highest(linear(), corpus, modality, query, 5, np.random.default_rng(0))
    others = getattr(corpus, retrieval.DIRECTIONS[modality]).rows("test")
    same = np.full(len(others), query)
    pairs = Pairs(*((same, others) if modality == "image" else (others, same)), np.zeros(len(others), int))
    p = evaluation.probability(linear(), corpus, pairs)
    order = np.argsort(-p)[:5]
    assert [row for row, _ in found] == others[order].tolist()
    assert [value for _, value in found] == pytest.approx(p[order])


def test_equals_are_ranked_by_the_draw():
    corpus = separable(90)  # samples of a class are all alike
    first = {tuple(row for row, _ in retrieval.highest(linear(), corpus, "image", 6, 3, np.random.default_rng(seed)))
             for seed in range(4)}
    assert len(first) > 1 and len({tuple(corpus.music.label[list(rows)]) for rows in first}) == 1


def test_probabilities_are_of_all_three_classes():
    found = retrieval.class_probabilities(separable(noise=0.5).image)
    assert found.shape == (240, 3)
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-5)


def test_macro_weighs_classes_alike():
    table = pd.DataFrame({"modality": "image", "method": "m", "seed": 0, "query": range(4), "label": [0, 0, 0, 1],
                          "mAP": [0.0, 0.0, 0.0, 1.0]})
    assert retrieval.macro(table)["mAP"].tolist() == [0.5]


def leads(score, seeds=(0, 1)):
    """`retrieval.ahead` of one ranking by every seed, on corpora that differ in nothing."""
    corpus, found = separable(240), []
    side, ranked = corpus.image, corpus.music.rows("test")
    for seed in seeds:
        found += [{"modality": "image", "method": "ACP-Net", "seed": seed, **r} for r in rows(corpus, score)]
    for q in side.rows("test"):
        r = int((corpus.music.label[ranked] == side.label[q]).sum())
        found.append({"modality": "image", "method": "chance", "seed": 0, "query": int(q), "label": int(side.label[q]),
                      **retrieval.chance(len(ranked), r)})
    return retrieval.ahead(pd.DataFrame(found), "image", np.arange(len(side.label)))


def test_a_network_that_ranks_by_class_is_ahead_of_chance_and_one_that_does_not_is_not():
    corpus = separable(240)
    one, other = (retrieval.class_probabilities(side) for side in (corpus.image, corpus.music))
    perfect = leads(lambda i, j: one[i] @ other[j].T)
    n = len(corpus.music.rows("test"))
    most = 100 * (1 - retrieval.chance(n, n // 3)["mAP"])
    assert perfect["ours"] == pytest.approx(most, abs=0.5)
    assert perfect["variances"][1][0] == pytest.approx(0, abs=1e-9)  # both runs are alike
    assert perfect["interval"][0] > 0.9 * most
    rng = np.random.default_rng(0)
    idle = leads(lambda i, j: rng.random((len(i), len(j))))
    assert idle["interval"][0] < 0 < idle["interval"][1] and abs(idle["ours"]) < 5


def test_classes_weigh_alike_in_what_a_network_is_ahead():
    chance = {"modality": "image", "method": "chance", "seed": 0, "mAP": 0.25}
    table = pd.DataFrame([row for query, (label, value) in enumerate([(0, 0.35), (0, 0.35), (0, 0.35), (1, 0.75)])
                          for row in ({"modality": "image", "method": "ACP-Net", "seed": 0, "query": query,
                                       "label": label, "mAP": value}, {**chance, "query": query, "label": label})])
    found = retrieval.ahead(table, "image", np.arange(4))
    assert found["ours"] == pytest.approx((10 + 50) / 2) and len(found["variances"]) == 1


# hubs


@pytest.mark.parametrize(("score", "times"), [
    ([[3, 2, 1, 0]] * 4, [4, 4, 0, 0]),  # the same two for every query
    ([[3, 2, 1, 0], [0, 1, 2, 3]], [1, 1, 1, 1]), ([[0, 0, 0, 0]], [1, 1, 0, 0]), ([[1, 5, 3, 2]], [0, 1, 1, 0]),
])
def test_how_often_an_item_stands_at_the_top(score, times):
    assert retrieval.occurrences(np.array(score, float), 2).tolist() == times


def test_hubness_by_hand():
    same = retrieval.hubness(np.tile([5.0, 4, 3, 2, 1, 0], (7, 1)), 1)  # N_1 is 7, 0, 0, 0, 0, 0
    assert same == pytest.approx({"skewness": stats.skew([7, 0, 0, 0, 0, 0]), "never": 5 / 6, "largest": 1.0})
    assert retrieval.hubness(np.eye(5), 1) == {"skewness": 0.0, "never": 0.0, "largest": 0.2}


@pytest.mark.slow
@pytest.mark.parametrize(("queries", "n", "k"), [(30, 20, 5), (12, 40, 10), (200, 25, 10)])
def test_hubness_by_chance_is_what_a_simulation_gives(queries, n, k):
    rng = np.random.default_rng(0)
    times = np.concatenate([retrieval.occurrences(rng.random((queries, n)), k) for _ in range(400)])
    expected = retrieval.chance_hubness(queries, n, k)
    assert expected["skewness"] == pytest.approx(stats.skew(times), abs=0.1)
    assert expected["never"] == pytest.approx(np.mean(times == 0), abs=0.01)


def test_all_items_stand_among_as_many_places():
    assert retrieval.chance_hubness(9, 4, 10) == {"skewness": 0.0, "never": 0.0}


@pytest.mark.parametrize(("lead", "expected"), [(-0.2, ["mAP"]), (0.2, []), (0.0, [])])
def test_measures_below_chance_are_named(lead, expected):
    rng = np.random.default_rng(0)
    chance = {"modality": "image", "method": "chance", "seed": 0, "mAP": 0.4, "MRR": 0.5}
    table = pd.DataFrame([{**chance, "query": q, "label": q % 3, "method": m, "mAP": 0.4 + (m == "m") * (lead + noise),
                           "MRR": 0.5 + (m == "m") * noise}
                          for q, noise in enumerate(0.05 * rng.standard_normal(60)) for m in ("m", "chance")])
    assert retrieval.below_chance(table, "image", "m", ["mAP", "MRR"], np.arange(60)) == expected
