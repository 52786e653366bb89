"""One estimate over runs, pictures and songs: by hand, at its rate, and against what it replaces."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from acp_lib.experiment import intervals
from acp_lib.experiment.intervals import Estimate


def made(rng, runs=3, pictures=20, songs=10, n=200):
    i, j = rng.integers(pictures, size=n), rng.integers(songs, size=n)
    ease = 0.3 * rng.standard_normal(pictures)[i] + 0.3 * rng.standard_normal(songs)[j]
    return (ease + rng.standard_normal((runs, n)) > 0).astype(float), i, j


# by hand


def test_one_kind_of_cluster_of_equal_size_is_students_interval_of_their_means():
    rng = np.random.default_rng(0)
    clusters = rng.normal(0.5, 0.1, 12)
    found = intervals.mean(np.repeat(clusters, 4), np.repeat(np.arange(12), 4), least=-9, most=9)
    low, high = stats.t.interval(0.95, 11, clusters.mean(), stats.sem(clusters))
    assert found.interval() == pytest.approx((low, high))
    assert found.p(0.45) == pytest.approx(stats.ttest_1samp(clusters, 0.45).pvalue)


def test_runs_that_differ_in_nothing_but_their_mean_are_students_interval_of_runs():
    runs = np.array([0.0, 0.1, 0.3])
    found = intervals.mean(runs[:, None] + np.zeros((3, 40)), np.arange(40), np.arange(40) % 8)
    assert found.interval()[1] == pytest.approx(stats.t.interval(0.95, 2, runs.mean(), stats.sem(runs))[1])
    assert found.interval()[0] == 0  # where no accuracy can lie
    assert found.p(0.3) == pytest.approx(stats.ttest_1samp(runs, 0.3).pvalue)


def test_what_shares_a_picture_and_a_song_counts_once():
    """Pairs repeated within their own picture and song: two-way sums less what both share are one-way sums."""
    values, own = np.repeat(np.array([0.0, 1.0, 1.0, 0.0, 1.0]), 3), np.repeat(np.arange(5), 3)
    both, one = intervals.mean(values, own, own), intervals.mean(values, own)
    assert both.error == pytest.approx(one.error) and both.error == pytest.approx(stats.sem([0, 1, 1, 0, 1]))


def test_pictures_and_songs_by_hand():
    """2 x 2 pairs: leaving one out moves the mean of 1/2 by 1/4 for a picture or a song, by 1/6 for a pair that is 1/2
    off: two variances of 1/2 (1/16 + 1/16), less that of pairs, 3/4 (1/36 + 1/36).
    """
    values, i, j = np.array([1.0, 0.5, 0.5, 0.0]), np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    assert intervals.mean(values, i).error**2 == pytest.approx(1 / 16)
    assert intervals.mean(values, i, j).error**2 == pytest.approx(2 / 16 - 3 / 4 * 2 / 36)


@pytest.mark.parametrize(("ease", "apart", "items", "runs"), [
    ([0, 4, 8], [0, 0, 0], 16 / 3, 0), ([0, 4, 8], [1, 1, 1], 16 / 3, 1), ([0, 4, 8], [0, 1, 2], 15 / 3, 1),
    ([0, 4, 8], [1, 0, -1], 15 / 3, 0), ([0, 4, 8], [4, 4, 1], 13 / 3, 9), ([0, 1, 2], [0, 4, 8], 0, 16),
    ([4, 4, 4], [0, 1, 2], 0, 1),
])
def test_what_each_run_errs_about_other_pictures_counts_once_and_between_runs(ease, apart, items, runs):
    """Two runs, `apart` from their mean about three pictures: s²/3 of the ease, less s²/3 of what they lie apart."""
    values = np.array([np.add(ease, apart), np.subtract(ease, apart)])
    found = intervals.mean(values, np.arange(3), least=-99, most=99)
    assert [v for v, _ in found.variances] == pytest.approx([items, runs]) and found.variances[1][1] == 1


# what it says of luck that is not there, or cannot be told


def test_of_a_single_run_nothing_is_said_of_other_runs():
    right, i, j = made(np.random.default_rng(1))
    one, three = intervals.mean(right[0], i, j), intervals.mean(right, i, j)
    assert len(one.variances) == 1 and len(three.variances) == 2
    assert one == intervals.mean(right[:1], i, j)


def test_runs_that_agree_add_nothing():
    right, i, j = made(np.random.default_rng(1))
    same = np.repeat(right[:1], 4, 0)
    assert intervals.mean(same, i, j).interval() == pytest.approx(intervals.mean(right[0], i, j).interval())


@pytest.mark.parametrize("name", ["one song", "one picture"])
def test_what_is_there_once_tells_nothing_of_others(name):
    """A bootstrap over a single song gave an interval of no width."""
    right, i, j = made(np.random.default_rng(2))
    groups = (i, np.zeros_like(j)) if name == "one song" else (np.zeros_like(i), j)
    found = intervals.mean(right, *groups)
    assert found.interval() == (0.0, 1.0) and found.p(0.2) == 1.0 and found.row()["variances"] is None
    kept = intervals.of_row(found.row())
    assert found.equivalent(found.value, 0.3) == 0.5 and kept.interval() == (0.0, 1.0) and kept.p(0.2) == 1.0


def test_a_method_is_no_better_than_itself_and_surely_worse_than_one_that_is_always_right():
    right, i, j = made(np.random.default_rng(3))
    same = intervals.difference(right, right, i, j)
    assert (same.value, same.interval(), same.p()) == (0.0, (0.0, 0.0), 1.0)
    sure = intervals.difference(np.ones(200), np.zeros(200), i, j)
    assert (sure.value, sure.p()) == (1.0, 0.0)


def test_luck_that_both_methods_of_a_seed_share_is_none_of_the_difference():
    rng = np.random.default_rng(4)
    one, i, j = made(rng, runs=5)
    luck = np.array([-0.3, -0.1, 0.0, 0.1, 0.3])[:, None]
    paired = intervals.difference(one + luck, one.mean(0) + luck, i, j)
    torn = intervals.difference(one + luck, one.mean(0) + luck[::-1], i, j)
    assert paired.error < torn.error / 3


@pytest.mark.parametrize(("one", "other", "sources"), [(3, 1, 2), (1, 3, 2), (3, 3, 2), (10, 3, 2), (1, 1, 1)])
def test_methods_with_other_numbers_of_runs(one, other, sources):
    rng = np.random.default_rng(5)
    a, i, j = made(rng, runs=one)
    b = (rng.random((other, 200)) < 0.5).astype(float)
    found, back = intervals.difference(a, b, i, j), intervals.difference(b, a, i, j)
    assert len(found.variances) == sources and found.value == pytest.approx(a.mean() - b.mean())
    assert back.value == pytest.approx(-found.value) and back.error == pytest.approx(found.error)
    assert back.p() == pytest.approx(found.p())


# interval and p are one


@pytest.mark.slow
@given(st.integers(0, 10_000), st.sampled_from([1, 2, 3, 6]), st.floats(-1, 1))
@example(1966, 2, 0.0)  # all runs alike: no error but what rounding leaves
@example(61, 2, 1.0)  # rounding leaves a second source, too small to count
def test_p_is_below_the_level_exactly_where_the_interval_leaves_the_number_out(seed, runs, than):
    right, i, j = made(np.random.default_rng(seed), runs=runs)
    found = intervals.mean(right, i, j, least=-9, most=9)
    low, high = found.interval()
    assert (found.p(than) < 0.05) == (not low <= than <= high)
    assert found.p(high) == pytest.approx(0.05 if found.error else 1, abs=1e-6) and 0 <= found.p(than) <= 1


@pytest.mark.slow
@given(st.integers(0, 1000), st.sampled_from([1, 3]))
def test_names_and_order_do_not_matter_and_a_row_keeps_all(seed, runs):
    rng = np.random.default_rng(seed)
    right, i, j = made(rng, runs=runs)
    order = rng.permutation(200)
    found = intervals.mean(right, i, j)
    pictures, songs = np.array([f"p{k}" for k in i]), np.array([f"s{k}" for k in j])
    again = intervals.mean(right[:, order], pictures[order], songs[order])
    assert again.interval() == pytest.approx(found.interval())
    kept = intervals.of_row(found.scaled(100).row())
    assert kept.p(60) == pytest.approx(found.p(0.6), abs=1e-9)


@pytest.mark.parametrize(("value", "error", "than", "margin", "equal"), [
    (61.0, 0.5, 61.67, 2.25, True), (61.0, 1.5, 61.67, 2.25, False), (58.0, 0.1, 61.67, 2.25, False),
    (61.67, 1.3, 61.67, 2.25, True), (61.67, 1.4, 61.67, 2.25, False), (61.67, 100.0, 61.67, 2.25, False),
])
def test_equivalence_is_two_one_sided_tests(value, error, than, margin, equal):
    found = Estimate(value, ((error**2, 1e6),), -np.inf, np.inf)
    low, high = found.interval(0.9)
    assert (found.equivalent(than, margin) < 0.05) is equal is (than - margin < low and high < than + margin)


@pytest.mark.parametrize(("values", "groups", "words"), [
    (np.zeros((0, 3)), [np.arange(3)], r"answers have shape \(0, 3\)"), ([], [np.arange(0)], "answers have shape"),
    (np.zeros((2, 3)), [np.arange(4)], "answers to 3 items, and answers or groups of 4"),
    (np.zeros((2, 3)), [np.arange(3), np.arange(2)], "and answers or groups of 2"),
    (np.zeros((2, 3, 4)), [np.arange(3)], "expected runs x items"),
])
def test_what_does_not_fit_is_refused(values, groups, words):
    with pytest.raises(ValueError, match=words):
        intervals.mean(values, *groups)


def test_two_methods_on_other_items_are_refused():
    with pytest.raises(ValueError, match="answers to 3 items, and answers or groups of 2; expected as many"):
        intervals.difference(np.zeros((2, 3)), np.zeros((2, 2)), np.arange(3))


@pytest.mark.slow
@pytest.mark.parametrize("away", [1.0, 5.0, 8.0, 9.0, 20.0, 60.0, 1e6])
@pytest.mark.parametrize("dofs", [(400.0, 40.0), (1e6, 30.0), (1e6, 1e5), (60.0, 60.0), (1e9, 2.0)])
def test_p_is_known_however_far_the_number_lies(away, dofs):
    found = intervals.Estimate(away, ((0.5, dofs[0]), (0.5, dofs[1])), -np.inf, np.inf)
    by_itself = [2 * stats.t.sf(away, df) for df in dofs]
    assert min(by_itself) * 0.99 <= found.p() <= max(*by_itself, 1e-15) * 1.01
