"""Pairs: what is drawn, how often, and what it gives away."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acp_lib.experiment import pairs
from acp_lib.experiment.pairs import PROTOCOLS, digest, draw, joint, oracle

IMAGES, MUSIC = np.array([32868, 10796, 45731]), np.array([1342, 1511, 959])  # the paper's Table 3

counts = st.lists(st.integers(1, 10**5), min_size=3, max_size=3).map(np.array)
protocols = st.sampled_from(PROTOCOLS)


@pytest.mark.slow
@given(protocols, counts, counts)
def test_joint_sums_to_one_and_has_the_protocols_marginals(protocol, images, music):
    table = joint(protocol, images, music)
    p, q = images / images.sum(), music / music.sum()
    assert table.shape == (3, 3) and (table >= 0).all()
    assert table.sum() == pytest.approx(1)
    true = np.trace(table)
    assert true == pytest.approx(p @ q if protocol == "uniform" else 0.5)
    if protocol in ("uniform", "image_anchored"):
        np.testing.assert_allclose(table.sum(1), p)
    if protocol in ("uniform", "music_anchored"):
        np.testing.assert_allclose(table.sum(0), q)
    if protocol == "class_balanced":
        np.testing.assert_allclose(table, np.where(np.eye(3), 1 / 6, 1 / 12))
    np.testing.assert_allclose(joint(protocol, 10 * images, 10 * music), table)


@pytest.mark.slow
@given(protocols, counts, counts)
def test_whoever_knows_more_is_not_worse(protocol, images, music):
    table = joint(protocol, images, music)
    for axis in (0, 1):
        assert 50 - 1e-9 <= oracle(table) <= oracle(table, axis) + 1e-9 <= 100 + 1e-6


ORACLE = {
    "uniform": (69.4, 69.4, 70.0),  # music knows best: P(same | the music is negative) = 0.5116
    "rejection": (50.0, 56.6, 67.3),
    "image_anchored": (50.0, 50.0, 68.8),
    "music_anchored": (50.0, 63.3, 50.0),
    "class_balanced": (50.0, 50.0, 50.0),
}


@pytest.mark.parametrize(("protocol", "expected"), ORACLE.items())
def test_oracles_on_the_papers_priors(protocol, expected):
    table = joint(protocol, IMAGES, MUSIC)
    assert [round(oracle(table, axis), 1) for axis in (None, 0, 1)] == list(expected)


@pytest.mark.slow
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_oracles_agree_with_brute_force(protocol):
    images, music = np.repeat(range(3), IMAGES), np.repeat(range(3), MUSIC)
    n = 400_000
    i, j, truth = draw(protocol, images, music, n, np.random.default_rng(0))
    table = joint(protocol, IMAGES, MUSIC)
    assert 100 * max(truth.mean(), 1 - truth.mean()) == pytest.approx(oracle(table), abs=0.3)
    for axis, seen in enumerate((images[i], music[j])):
        answer = np.array([truth[seen == c].mean() > 0.5 for c in range(3)])
        assert 100 * np.mean(answer[seen] == truth) == pytest.approx(oracle(table, axis), abs=0.3)


def test_on_uniform_pairs_the_music_knows_more_than_the_prior():
    table = joint("uniform", IMAGES, MUSIC)
    assert np.trace(table) == pytest.approx(0.306, abs=5e-4)
    assert table[2, 2] / table[:, 2].sum() == pytest.approx(0.5116, abs=5e-5)


@pytest.mark.slow
@given(protocols, st.integers(0, 2**32), st.integers(1, 200), st.data())
def test_a_pair_is_true_if_and_only_if_the_classes_are_equal(protocol, seed, n, data):
    held = data.draw(st.sampled_from([[0, 1, 2], [0, 1], [0, 2], [1, 2]]))
    images, music = (np.array(held + data.draw(st.lists(st.sampled_from(held)))) for _ in range(2))
    i, j, truth = draw(protocol, images, music, n, np.random.default_rng(seed))
    assert i.shape == j.shape == truth.shape == (n,)
    np.testing.assert_array_equal(truth, images[i] == music[j])
    again = draw(protocol, images, music, n, np.random.default_rng(seed))
    assert digest(i, j, truth) == digest(*again)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_draw_frequencies(protocol):
    rng = np.random.default_rng(1)
    images, music = rng.permutation(np.repeat(range(3), [5, 9, 2])), rng.permutation(np.repeat(range(3), [4, 1, 8]))
    i, j, _ = draw(protocol, images, music, 200_000, rng)
    found = np.histogram2d(images[i], music[j], bins=3)[0] / len(i)
    np.testing.assert_allclose(found, joint(protocol, [5, 9, 2], [4, 1, 8]), atol=0.005)
    within = np.bincount(i)[images == 1]
    assert len(within) == 9 and within.max() / within.min() < 1.15


def test_every_sample_is_drawn_and_none_beyond():
    images, music = np.array([2, 0, 1, 0]), np.array([1, 1, 0, 2, 2])
    i, j, _ = draw("class_balanced", images, music, 5000, np.random.default_rng(0))
    assert set(i) == set(range(4)) and set(j) == set(range(5))


def test_members_are_samples_of_the_wanted_class_each_as_often():
    classes, wanted = np.array([2, 0, 1, 0, 0]), np.repeat([0, 2, 1], [30000, 5, 5])
    found = pairs.members(classes, wanted, np.random.default_rng(0))
    np.testing.assert_array_equal(classes[found], wanted)
    assert np.bincount(found[:30000], minlength=5)[[1, 3, 4]] / 30000 == pytest.approx([1 / 3] * 3, abs=0.01)


@pytest.mark.parametrize(("protocol", "expected"), [
    ("uniform", [[0.15, 0.35], [0.15, 0.35]]),
    ("rejection", [[0.15, 0.35], [0.15, 0.35]]),  # half of the uniform pairs are true by themselves
    ("image_anchored", [[0.25, 0.25], [0.25, 0.25]]),
    ("music_anchored", [[0.15, 0.35], [0.15, 0.35]]),
    ("class_balanced", [[0.25, 0.25], [0.25, 0.25]]),
])
def test_probabilities_of_two_classes_by_hand(protocol, expected):
    np.testing.assert_allclose(pairs.probabilities(protocol, np.array([0.5, 0.5]), np.array([0.3, 0.7])), expected)


def test_golden_digest():
    i, j, truth = draw("class_balanced", np.arange(60) % 3, np.arange(40) % 3, 1000, np.random.default_rng(7))
    assert digest(i, j, truth) == "a1e4db14b69e28c1"
    assert digest(np.array([1, 2], np.int32)) == digest(np.array([1, 2], np.int64)) == digest(np.array([1, 9, 2])[::2])
    assert digest(np.array([1, 2])) != digest(np.array([2, 1]))


ALL = np.array([0, 1, 2])


@pytest.mark.parametrize(("arguments", "message"), [
    (("balanced", ALL, ALL, 5), "pairs is 'balanced'; expected one of class_balanced, uniform"),
    (("uniform", ALL, ALL, 0), "n is 0; expected 1 or more pairs"),
    (("uniform", ALL, ALL, -3), "n is -3; expected 1 or more pairs"),
    (("uniform", np.array([0, 3]), ALL, 5), r"images holds the class numbers \[3\]; expected 0 to 2"),
    (("rejection", ALL, np.array([1, 7, 3]), 5), r"music holds the class numbers \[3, 7\]; expected 0 to 2"),
    (("uniform", ALL, np.array([-1, 0]), 5), r"music holds the class numbers \[-1\]"),
    (("uniform", ALL, np.array([], int), 5), r"no uniform pairs .*\[1, 1, 1\] pictures and \[0, 0, 0\]"),
    (("class_balanced", np.zeros(3, int), np.zeros(3, int), 5), r"no class_balanced pairs .*\[3, 0, 0\].*both in"),
    (("class_balanced", np.array([0]), np.array([1]), 5), "no class_balanced pairs"),
    (("rejection", np.array([0, 1]), np.array([2, 2]), 5), "no rejection pairs"),
    (("image_anchored", ALL, np.array([0, 1]), 5), r"no image_anchored pairs .*\[1, 1, 1\] pictures and \[1, 1, 0\]"),
    (("music_anchored", np.array([0, 1]), ALL, 5), "no music_anchored pairs"),
    (("image_anchored", np.array([0, 1]), np.array([0]), 5), "no image_anchored pairs"),
])
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        draw(*arguments, np.random.default_rng(0))


def test_uniform_pairs_of_one_class_are_all_true():
    assert draw("uniform", np.zeros(2, int), np.zeros(2, int), 4, np.random.default_rng(0))[2].tolist() == [1] * 4
    assert pairs.oracle(joint("uniform", [2, 0, 0], [2, 0, 0])) == 100
