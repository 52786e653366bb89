"""Vectors on a plane: lengths, components and edges worked out by hand."""

import numpy as np
import pytest

from acp_lib.results.projection import EDGES, on_a_plane, unit_scale


def test_unit_scale_centres_and_makes_the_root_mean_square_length_one():
    found = unit_scale(np.array([[1.0, 5.0], [7.0, 13.0]]))  # the mean is (4, 9); both lie 5 from it
    np.testing.assert_allclose(found, [[-0.6, -0.8], [0.6, 0.8]])
    cloud = unit_scale(np.random.default_rng(0).normal(3, 9, (50, 6)))
    np.testing.assert_allclose(cloud.mean(0), 0, atol=1e-12)
    assert np.mean(np.sum(cloud**2, 1)) == pytest.approx(1)


def test_the_two_directions_of_most_variance_are_kept_of_all_clouds_together():
    axes = np.meshgrid(np.linspace(-50, 50, 21), np.linspace(-9, 9, 21), [-0.1, 0.1])
    across, along, deep = (axis.ravel() for axis in axes)
    grid = np.stack([deep, along, across], 1)  # of directions that are independent, those of most variance last
    left = across < 0
    one, other = on_a_plane(grid[left], grid[~left])
    assert one.shape == (left.sum(), 2) and other.shape == ((~left).sum(), 2)
    for component, column in ((0, across), (1, along)):
        edges = np.quantile(column, EDGES)
        for cloud, plain in ((one, column[left]), (other, column[~left])):
            sign = np.sign(cloud[:, component] @ plain)
            np.testing.assert_allclose(sign * cloud[:, component], np.clip(plain, *edges), atol=1e-9)


def test_outliers_lie_at_the_edge():
    line = np.stack([np.arange(101.0), np.zeros(101)], 1)
    line[-1, 0] = 1e6
    x = on_a_plane(line)[0][:, 0]
    width = (EDGES[1] - EDGES[0]) * 100
    assert np.ptp(x) == pytest.approx(width) and np.ptp(x[10:90]) == pytest.approx(79)
