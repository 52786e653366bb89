"""The common space: what its places depend on and what lies near, worked out by hand or against scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn.manifold import trustworthiness
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.neighbors import KNeighborsClassifier

from acp_lib.audits import common_space, retrieval
from acp_lib.audits.common_space import CommonSpace
from acp_lib.emotions import CLASSES
from acp_lib.experiment import evaluation
from acp_lib.experiment.corpus import Corpus, Modality, Pairs
from acp_lib.models import ACPNet

RNG = np.random.default_rng(0)


def space(apart: float = 0.0, n: int = 60) -> CommonSpace:
    """Points of three classes in four columns; the fourth tells the modalities apart, `apart` from one another."""
    rows = {m: {"train": np.arange(n), "test": np.arange(n, 2 * n)} for m in common_space.MODALITIES}
    rng = np.random.default_rng(1)
    made = {m: {part: np.eye(4)[own % 3] + 0.1 * rng.standard_normal((n, 4)) + apart * (m == "music") * np.eye(4)[3]
                for part, own in rows[m].items()} for m in rows}
    return CommonSpace(rows, made)


LABEL = {m: np.array(CLASSES)[np.arange(120) % 3] for m in common_space.MODALITIES}
OWN = {m: np.array([f"{m} {k}" for k in range(120)]) for m in common_space.MODALITIES}


@pytest.fixture(scope="module")
def embedded():
    """A small network that nobody trained, features at random, and the space."""
    torch.manual_seed(0)
    sides, rng = [], np.random.default_rng(3)
    for width in (2048, 193):
        n = np.arange(90)
        x = rng.standard_normal((90, width)).astype(np.float32)
        sides.append(Modality(torch.from_numpy(x), n % 3, n // 3 % 3))
    model, corpus = ACPNet(fc_width=0.125).eval(), Corpus(*sides)
    return model, corpus, common_space.embed(model, corpus, seed=5)


# samples


def test_both_modalities_stand_over_one_another_with_what_is_known_of_each():
    some = space(n=2)
    assert some.both("test").shape == (4, 4) and some.modality("test").tolist() == ["image"] * 2 + ["music"] * 2
    np.testing.assert_array_equal(some.both("test")[2:], some.embeddings["music"]["test"])
    found = some.of("test", {"image": np.arange(4) * 10, "music": np.arange(4)})
    assert found.tolist() == [20, 30, 2, 3]


def test_centring_takes_away_the_training_mean_and_the_training_spread():
    rows = {m: {"train": np.arange(2), "test": np.arange(2, 3)} for m in common_space.MODALITIES}
    one = {"train": np.array([[0.0, 0], [2, 4]]), "test": np.array([[1.0, 7]])}  # mean (1, 2), variances 1 and 4
    some = CommonSpace(rows, {"image": one, "music": {"train": np.ones((2, 2)), "test": np.ones((1, 2))}})
    np.testing.assert_allclose(some.centred("image", "test"), [[0, 5 / np.sqrt(5)]])
    np.testing.assert_allclose(some.both("test", centred=True), [[0, np.sqrt(5)], [0, 0]])  # no spread, no distance


def test_samples_of_their_parts_are_embedded_and_the_same_ones_for_the_same_seed(embedded, monkeypatch):
    model, corpus, some = embedded
    for m in common_space.MODALITIES:
        side, encode = getattr(corpus, m), getattr(model, f"embed_{m}")
        for part in common_space.MOST:
            rows = some.rows[m][part]
            np.testing.assert_array_equal(rows, side.rows(part))  # fewer than are drawn at most
            with torch.inference_mode():
                np.testing.assert_allclose(some.embeddings[m][part], encode(side.x[rows]), atol=1e-5)
    monkeypatch.setattr(common_space, "MOST", {"train": 7, "test": 5})
    one, other, third = (common_space.embed(model, corpus, seed) for seed in (1, 1, 2))
    assert [len(set(one.rows["music"][part])) for part in ("train", "test")] == [7, 5]
    np.testing.assert_array_equal(one.rows["image"]["train"], other.rows["image"]["train"])
    assert one.rows["image"]["train"].tolist() != third.rows["image"]["train"].tolist()


# what the places depend on


def test_variance_between_groups_by_hand():
    x = np.array([[0.0], [2], [10], [12]])  # means 1 and 11 about 6: 4 * 25 of a total of 104
    assert common_space.variance_between(x, np.array(list("aabb"))) == pytest.approx(100 * 100 / 104)
    assert common_space.variance_between(x, np.array(list("aaaa"))) == 0
    assert common_space.variance_between(np.ones((4, 2)), np.array(list("abab"))) == 0


def test_the_nearest_neighbour_is_of_another_song():
    x, groups = np.array([[0.0], [0.1], [1], [5]]), np.array(list("aabb"))
    assert common_space.neighbour_agreement(x, groups, np.arange(4)) == 75  # the third lies nearest to the second
    assert common_space.neighbour_agreement(x, groups, np.array([0, 0, 1, 2])) == 25


@pytest.mark.slow
def test_neighbours_are_scikit_learns():
    x, groups = RNG.normal(size=(50, 3)), RNG.integers(3, size=50)
    found = [KNeighborsClassifier(1).fit(np.delete(x, i, 0), np.delete(groups, i)).predict(x[i:i + 1])[0]
             for i in range(50)]
    assert common_space.neighbour_agreement(x, groups, np.arange(50)) == pytest.approx(100 * np.mean(found == groups))


def test_agreement_by_chance():
    assert common_space.chance_agreement(np.array(list("aabc"))) == pytest.approx(100 * (1 / 4 + 2 / 16))


@pytest.mark.parametrize("apart", [0.0, 20.0])
def test_what_the_places_depend_on(apart):
    plain, centred, chance = common_space.placed_by(space(apart), LABEL, OWN)
    assert [row["Embeddings"] for row in (plain, centred, chance)] == ["as they are", "each modality centred",
                                                                       "by chance"]
    assert common_space.weighs_more(plain) == ("modality" if apart else "class")
    assert (plain["Modality read by a probe, %"] == 100) == bool(apart)
    assert common_space.weighs_more(centred) == "class" and centred["Variance between classes, %"] > 80
    assert plain["Nearest is of the same class, %"] == centred["Nearest is of the same class, %"] == 100
    assert (plain["Nearest is of the same modality, %"] == 100) == bool(apart)
    assert centred["Modality read by a probe, %"] == pytest.approx(50, abs=12)
    assert chance["Nearest is of the same modality, %"] == 50
    assert chance["Nearest is of the same class, %"] == pytest.approx(100 / 3)


@pytest.mark.slow
@pytest.mark.parametrize("n", [4, 60])
def test_a_map_keeps_neighbours_and_is_the_same_for_the_same_seed(n):
    x = np.eye(4)[np.arange(n) % 3] + 0.05 * np.random.default_rng(2).standard_normal((n, 4))
    xy = common_space.tsne_map(x, seed=3)
    assert xy.shape == (n, 2) and np.isfinite(xy).all()
    np.testing.assert_array_equal(xy, common_space.tsne_map(x, seed=3))
    if n == 60:
        assert trustworthiness(x, xy, n_neighbors=5) > 0.9
        assert common_space.neighbour_agreement(xy, np.arange(n) % 3, np.arange(n)) == 100


# neighbours across the modalities


def test_cosine_is_scikit_learns_and_nothing_lies_nowhere():
    a, b = RNG.normal(size=(4, 3)), RNG.normal(size=(5, 3))
    np.testing.assert_allclose(common_space.cosine(a, b), cosine_similarity(a, b))
    assert common_space.cosine(np.zeros((1, 3)), b).tolist() == [[0.0] * 5]


def test_scores_are_those_of_single_pairs(embedded):
    model, corpus, some = embedded
    found = common_space.scores(model, corpus, some)
    assert {name: score.shape for name, score in found.items()} == dict.fromkeys(found, (30, 30)) and len(found) == 3
    i, j = some.rows["image"]["test"][4], some.rows["music"]["test"][7]
    said = evaluation.probability(model, corpus, Pairs(np.array([i]), np.array([j]), np.array([1])))
    assert found['highest probability of "true"'][4, 7] == pytest.approx(said.item(), abs=1e-6)
    a, b = (some.centred(m, "test")[k] for m, k in (("image", 4), ("music", 7)))
    assert found["nearest, each modality centred"][4, 7] == pytest.approx(cosine_similarity([a], [b]).item(), abs=1e-5)
    a, b = (some.embeddings[m]["test"][k] for m, k in (("image", 4), ("music", 7)))
    assert found["nearest, as they are"][4, 7] == pytest.approx(cosine_similarity([a], [b]).item(), abs=1e-5)


def test_precision_by_hand_and_as_retrieval_has_it():
    relevant = np.array([[True, False, True, False], [False, True, False, False]])
    score = np.array([[0.1, 0.9, 0.8, 0.2], [0.5, 0.5, 0.5, 0.5]])  # equal scores stay in their order
    assert common_space.precision_at(score, relevant, 2).tolist() == [0.5, 0.5]
    assert common_space.precision_at(score, relevant, 1).tolist() == [0, 0]
    score, relevant = RNG.normal(size=(30, 12)), RNG.random((30, 12)) < 0.4
    relevant[:, 0] = True
    np.testing.assert_allclose(common_space.precision_at(score, relevant, 5),
                               retrieval.measures(relevant, score)["P@5"])


def test_where_there_are_fewer_items_all_of_them_count():
    assert common_space.precision_at(np.zeros((1, 2)), np.array([[True, False]])).tolist() == [0.5]


def test_a_query_of_each_class_is_its_median():
    label = np.array(["negative", "positive", "negative", "negative", "positive"])
    precision = np.array([0.8, 0.2, 0.2, 0.4, 0.2])
    assert common_space.median_queries(precision, label) == [1, 3]  # the lower of two equals; no neutral query


def test_the_best_hold_each_song_once():
    score, own = np.array([0.9, 0.8, 0.95, 0.1, 0.7]), np.array(["a", "b", "a", "c", "b"])
    assert common_space.best_once(score, own, 2).tolist() == [2, 1]
    assert common_space.best_once(score, own, 9).tolist() == [2, 1, 3]
