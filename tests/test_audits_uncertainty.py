"""How sure: planted components of variance, many comparisons, ceilings, wrong labels."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from acp_lib.audits import how_sure, uncertainty
from acp_lib.experiment import pairs


def within(share: float, expected: float, rounds: int) -> bool:
    """Whether a share of so many rounds is one that the expected rate gives in all but one of 10,000 cases."""
    return stats.binomtest(round(share * rounds), rounds, expected).pvalue > 1e-4


# components of variance


def planted(rng, n=10, **sds):
    return {name: 60 + sd * rng.standard_normal(n) for name, sd in sds.items()}


def test_planted_components_are_recovered():
    found = uncertainty.components(planted(np.random.default_rng(0), 4000, seed=1.0, pairs=0.5, split=2.0))
    assert [row["sd"] for row in found] == pytest.approx([1.0, 0.5, 2.0], rel=0.05)
    assert [row["share"] for row in found] == pytest.approx([1 / 5.25, 0.25 / 5.25, 4 / 5.25], abs=0.02)
    assert sum(row["share"] for row in found) == pytest.approx(1)
    for row in found:
        assert row["interval"][0] < row["sd"] < row["interval"][1]
        assert row["share_interval"][0] < row["share"] < row["share_interval"][1]


@pytest.mark.slow
def test_intervals_of_components_hold_the_truth_at_their_rate():
    rng, held = np.random.default_rng(1), []
    for k in range(300):
        for row, sd, share in zip(uncertainty.components(planted(rng, a=1.0, b=2.0), draws=1000, seed=k), (1, 2),
                                  (0.2, 0.8), strict=True):
            held.append((row["interval"][0] <= sd <= row["interval"][1],
                         row["share_interval"][0] <= share <= row["share_interval"][1]))
    for rate in np.mean(held, 0):
        assert within(rate, 0.95, 600)


def test_without_variance_there_are_no_shares():
    found = uncertainty.components({"a": [3.0, 3.0], "b": [5.0, 5.0, 5.0]})
    assert [(r["sd"], r["share"], r["n"]) for r in found] == [(0, None, 2), (0, None, 3)]


def test_one_result_has_no_spread():
    with pytest.raises(ValueError, match="seed has 1 results; expected two or more"):
        uncertainty.components({"seed": [60.0]})


def test_a_seed_draws_initial_weights_which_count_once():
    groups = {"seed": [60.0, 64.0], "initial weights": [60.0, 62.0], "pairs": [60.0, 62.0]}
    seed, *others = uncertainty.components(groups, among=("initial weights", "pairs"))
    assert seed["share"] is None and seed["share_interval"] is None and seed["sd"] == pytest.approx(8**0.5)
    assert [row["share"] for row in others] == pytest.approx([0.5, 0.5])


# many comparisons


@pytest.mark.slow
def test_holm():
    found = uncertainty.holm([{"p": 0.01, "row": "a"}, {"p": 0.04, "row": "b"}, {"p": 0.03, "row": "c"}])
    assert [(r["row"], pytest.approx(r["holm"])) for r in found] == [("a", 0.03), ("b", 0.06), ("c", 0.06)]


@pytest.mark.slow
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.randoms())
def test_holm_never_favours_anything(p, chance):
    found = {k: row["holm"] for k, row in enumerate(uncertainty.holm([{"p": one} for one in p]))}
    order = sorted(found, key=lambda k: p[k])
    assert found[order[0]] == pytest.approx(min(1, len(p) * p[order[0]]))
    assert all(p[k] <= found[k] <= 1 for k in found)
    assert all(found[a] <= found[b] for a, b in pairwise(order))
    mixed = chance.sample(range(len(p)), len(p))
    again = uncertainty.holm([{"p": p[k]} for k in mixed])
    assert sorted(row["holm"] for row in again) == sorted(found.values())


# scores


def test_scores_of_known_answers():
    truth, honest = np.array([1, 1, 0, 0] * 50), np.array([0.9, 0.4, 0.2, 0.6] * 50)
    found = uncertainty.scores(truth, honest, bins=4)
    assert found["accuracy"] == found["balanced"] == 0.5
    assert found["auc"] == pytest.approx(0.75)
    assert found["brier"] == pytest.approx(np.mean([0.01, 0.36, 0.04, 0.36]))
    assert found["ece"] == pytest.approx(np.mean([0.1, 0.6, 0.2, 0.6]))


@pytest.mark.slow
@given(st.integers(0, 10**6))
def test_honest_probabilities_are_calibrated_and_exaggerated_ones_are_not(seed):
    rng = np.random.default_rng(seed)
    p = rng.random(4000)
    truth = rng.random(4000) < p
    assert uncertainty.scores(truth, p)["ece"] < 0.06
    assert uncertainty.scores(truth, np.where(p > 0.5, 0.99, 0.01))["ece"] > 0.15


def test_balanced_accuracy_does_not_pay_for_leaning():
    truth = np.array([1] * 10 + [0] * 90)
    found = uncertainty.scores(truth, np.full(100, 0.1), bins=1)
    assert found["accuracy"] == pytest.approx(0.9) and found["balanced"] == 0.5


@pytest.mark.parametrize(("probability", "words"), [
    (0.63, "overconfident"), (0.61, "about as confident as they should be"),
    (0.59, "about as confident as they should be"),
    (0.57, "underconfident"),
])
def test_sureness_in_words(probability, words):
    assert uncertainty.sureness(probability, 0.6) == words


def test_bins_hold_all_pairs():
    rng = np.random.default_rng(0)
    for p in (rng.random(500), np.round(rng.random(500), 1), np.full(500, 0.3)):
        true, mean, n = uncertainty.reliability(rng.random(500) < p, p)
        assert len(true) == len(mean) == len(n) and n.sum() == 500


# ceilings


@pytest.mark.slow
@given(st.floats(0, 0.6), st.floats(0, 0.6))
def test_the_closed_form_is_the_general_one(a, b):
    general = uncertainty.ceiling(uncertainty.symmetric(a), uncertainty.symmetric(b))
    assert uncertainty.symmetric_ceiling(a, b) == pytest.approx(general, abs=1e-9)


@pytest.mark.parametrize("noise", [(0.0, 0.0), (0.08, 0.08), (0.3, 0.1)])
def test_the_ceiling_is_what_a_perfect_observer_gets(noise):
    rng, n = np.random.default_rng(5), 60_000
    truth = rng.integers(3, size=(2, n))
    label = [(t + (rng.random(n) < e) * rng.integers(1, 3, size=n)) % 3 for t, e in zip(truth, noise, strict=True)]
    i, j, answer = pairs.draw("class_balanced", *label, n, rng)
    right = np.mean((truth[0][i] == truth[1][j]) == answer)
    assert right == pytest.approx(uncertainty.symmetric_ceiling(*noise), abs=5 * np.sqrt(0.25 / n))


@given(st.floats(0, 0.66))
def test_the_noise_that_leaves_an_accuracy(noise):
    assert uncertainty.symmetric_noise(uncertainty.symmetric_ceiling(noise, noise)) == pytest.approx(noise, abs=1e-6)


def test_the_simulated_ceiling_is_the_closed_form():
    for noise in (0.0, 0.16, 0.4):
        found = uncertainty.simulated_ceiling(noise, n=40_000)
        assert found == pytest.approx(uncertainty.symmetric_ceiling(noise, noise), abs=5 * np.sqrt(0.25 / 40_000))
    assert uncertainty.simulated_ceiling(0.2, 500, seed=3) == uncertainty.simulated_ceiling(0.2, 500, seed=3)


def test_noise_that_says_nothing_leaves_chance():
    assert uncertainty.symmetric_ceiling(2 / 3, 0.0) == pytest.approx(0.5)
    assert uncertainty.ceiling(np.full((3, 3), 1 / 3), np.eye(3)) == pytest.approx(0.5)


# wrong labels


def samples(noise: float, n: int = 600, seed: int = 0, apart: float = 4.0):
    """Features that say the true class, labels of which so many are wrong, and two samples a group."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.arange(n // 2) % 3, 2)
    x = rng.normal(size=(n, 12)) + apart * (np.arange(12) % 3 == truth[:, None])
    label = (truth + np.repeat((rng.random(n // 2) < noise) * rng.integers(1, 3, size=n // 2), 2)) % 3
    return x, label, np.arange(n) // 2, float(np.mean(label != truth))


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.1, 0.25])
def test_planted_wrong_labels_are_found(noise):
    x, label, groups, planted = samples(noise)
    given = uncertainty.wrong_labels(x, label, groups)
    assert given.sum(1) == pytest.approx(1)
    assert uncertainty.noise(given, label) == pytest.approx(planted, abs=0.05)
    clean = uncertainty.ceiling(np.eye(3), np.eye(3))
    assert uncertainty.ceiling(given, given) < clean - noise / 2


@pytest.mark.slow
def test_without_wrong_labels_none_are_found():
    x, label, groups, planted = samples(0.0)
    given = uncertainty.wrong_labels(x, label, groups)
    assert planted == 0 and uncertainty.noise(given, label) < 0.02
    assert uncertainty.ceiling(given, given) > 0.97


@pytest.mark.slow
def test_classes_that_overlap_are_not_taken_for_wrong_labels_alone():
    x, label, groups, _ = samples(0.0, apart=1.0)
    wrong = np.mean(x.reshape(len(x), 4, 3).mean(1).argmax(1) != label)
    assert uncertainty.noise(uncertainty.wrong_labels(x, label, groups), label) < wrong


# rows that the chapter shows


def test_wrong_labels_of_both_halves_and_what_they_leave():
    """Two of ten pictures are mislabelled, evenly, and no song: 1/2 + (1 - 0.3) / 2."""
    label, perfect = np.arange(9) % 3, np.eye(3)
    found = {"image": {"label": label, "estimated": uncertainty.symmetric(0.2), "known": perfect},
             "music": {"label": label, "estimated": perfect}}
    assert how_sure.wrong(found) == {"estimated": {"image": pytest.approx(0.2), "music": pytest.approx(0),
                                                   "ceiling": pytest.approx(0.85)}}
    assert how_sure.wrong({}) == {}
