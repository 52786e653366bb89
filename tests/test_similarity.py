"""Neighbours by cosine similarity, on points whose neighbours can be seen."""

import numpy as np
import pytest
from scipy.spatial.distance import cosine

from acp_lib.results.similarity import directions, nearest, neighbours_of_own_label, typical, typical_and_nearest

ANGLES = np.deg2rad([0, 10, 20, 90, 100, 180])
CIRCLE = np.stack([np.cos(ANGLES), np.sin(ANGLES)], 1)
LABELS = np.array(["awe", "awe", "awe", "fear", "fear", "awe"])


def test_products_of_directions_are_cosine_similarities_of_standardised_rows():
    x, fitted = np.random.default_rng(0).normal(3, [1, 10, 100], (20, 3)), np.arange(20) < 12
    z = directions(x, fitted)
    standard = (x - x[:12].mean(0)) / x[:12].std(0)
    assert np.linalg.norm(z, axis=1) == pytest.approx(np.ones(20))
    assert z[3] @ z[15] == pytest.approx(1 - cosine(standard[3], standard[15]))


def test_features_that_do_not_vary_say_nothing():
    x = np.random.default_rng(0).normal(size=(9, 2))
    with_constant = directions(np.column_stack([x, np.full(9, 7.0)]), np.full(9, True))
    np.testing.assert_allclose(with_constant, np.column_stack([directions(x, np.full(9, True)), np.zeros(9)]))


def test_the_typical_row_is_nearest_to_the_mean_and_neighbours_come_in_order():
    assert typical(CIRCLE, np.array([0, 1, 2])) == 1
    assert nearest(CIRCLE, 3, np.array([0, 1, 2, 4, 5]), 3).tolist() == [4, 2, 1]
    assert nearest(CIRCLE, 1, np.array([0, 2]), 6).tolist() == [0, 2]


def test_neighbours_of_each_label_without_copies_of_the_query():
    files = np.array(["a", "b", "b", "c", "d", "e"])
    found = typical_and_nearest(CIRCLE, np.where(LABELS == "awe", "awe", "negative"), files, k=2)
    assert list(found) == ["awe", "negative"]
    assert found["awe"][0] == 2 and found["awe"][1].tolist() == [0, 3]  # 1 is a copy
    assert found["negative"][0] in (3, 4)


def test_how_often_the_nearest_neighbour_has_the_same_label():
    share, expected = neighbours_of_own_label(CIRCLE, LABELS)
    assert share == pytest.approx(5 / 6)  # the last one's nearest neighbour is at 100 degrees
    assert expected == pytest.approx((4 / 6) ** 2 + (2 / 6) ** 2)
