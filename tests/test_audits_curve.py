"""Readings and luck: effects that were planted are found, others are not, and the words follow the numbers."""

import numpy as np
import pytest

from acp_lib.audits import curve, specifications

VALUES = {"a": [1, 2], "b": [10, 20, 30], "c": ["x", "y", "z"], "d": [0.4, 0.0]}


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(curve, "RESAMPLES", 499)


def runs(effects, sd, n=3, seed=0, stuck=0.0):
    """n runs of each reading, some of them stuck at 50."""
    rng = np.random.default_rng(seed)
    return [np.where(rng.random(n) < stuck, 50.0, 60 + effect + sd * rng.standard_normal(n)) for effect in effects]


# groups


@pytest.mark.parametrize(("groups", "p"), [
    ([[1, 2, 3], [11, 12, 13]], 2 / 20),  # the one of 20 ways to deal that separates them, and its mirror image
    ([[1, 2], [11, 12], [21, 22]], 6 / 90),
    ([[1, 2, 3], [1, 2, 3]], 1.0),
    ([[5, 5], [5, 5]], 1.0),
    ([[5, 6, 7]], 1.0),
    ([[1], [2]], 1.0),
    ([[1], [5, 6], [5, 6]], 1.0)])  # a single one tells nothing of its luck
def test_p_is_the_share_of_the_ways_to_deal_that_separate_as_much(groups, p):
    assert curve.apart(groups)["p"] == pytest.approx(p)


@pytest.mark.parametrize(("sizes", "least"), [((3, 3), 0.1), ((2, 2, 2), 1 / 15), ((4, 5), 1 / 126), ((10, 3), 1 / 286),
                                              ((30, 30), 1e-4), ((1, 1), 1.0)])
def test_the_least_p_that_sizes_allow_is_reached_by_groups_that_are_far_apart(sizes, least):
    found = curve.apart([1000.0 * k + np.arange(n) for k, n in enumerate(sizes)])
    assert found["least"] == pytest.approx(least) and found["p"] == pytest.approx(least)


@pytest.mark.slow
def test_what_readings_add_is_told_from_what_runs_do():
    found = curve.apart(runs(5 * np.random.default_rng(1).standard_normal(60), 2.0, n=4))
    assert found["between"] == pytest.approx(5, abs=1) and found["within"] == pytest.approx(2, abs=0.3)
    assert found["share"] == pytest.approx(25 / 29, abs=0.08) and found["p"] < 0.001


@pytest.mark.slow
@pytest.mark.parametrize("stuck", [0.0, 0.4])
def test_luck_of_runs_is_seldom_taken_for_an_effect_of_readings(stuck, quick):
    """Six readings that are one: with runs of SD 7, or some that never left the plateau."""
    wrong = [curve.apart(runs([0] * 6, 7.0, seed=seed, stuck=stuck))["p"] < 0.05 for seed in range(60)]
    assert np.mean(wrong) <= 0.12


# details


def outcome(rows, planted: float, seed: int = 0):
    rng = np.random.default_rng(seed)
    return [60 + planted * (row["c"] == "y") + rng.normal() for row in rows]


@pytest.mark.slow
def test_the_planted_choice_is_found():
    rows = specifications.design(VALUES, 17)
    found = curve.details(rows, outcome(rows, 6.0))
    assert found[0]["detail"] == "c" and found[0]["holm"] < 0.01 and found[0]["share"] > 0.5
    assert curve.told(found) == ["c"]
    effect, = (r for r in specifications.effects(rows, outcome(rows, 6.0), rows[0]) if r["value"] == "y")
    assert effect["interval"][0] < 6 < effect["interval"][1] and effect["interval"][0] > 3


@pytest.mark.slow
def test_where_nothing_matters_nothing_is_found(quick):
    rows = specifications.design(VALUES, 17)
    wrong = [bool(curve.told(curve.details(rows, outcome(rows, 0.0, seed)))) for seed in range(40)]
    assert np.mean(wrong) <= 0.12


# the median


def answers(levels, runs=3, pictures=30, songs=20, hard=0.0, seed=0):
    """Of each reading whether each run is right on all pairs; `hard` pictures are so for every reading."""
    rng = np.random.default_rng(seed)
    i, j = np.divmod(np.arange(pictures * songs), songs)
    ease = hard * rng.standard_normal(pictures)[i]
    right = [rng.random((runs, len(i))) < np.clip(level + ease, 0, 1) for level in levels]
    return right, [(i.astype(str), j.astype(str))] * len(levels)


def test_all_readings_are_drawn_with_the_same_pictures_and_songs():
    right, names = answers([0.5] * 6, hard=0.3)
    drawn = curve.resampled(right, names, draws=500)
    assert drawn.shape == (500, 6) and drawn.mean(0) == pytest.approx([r.mean() for r in right], abs=0.02)
    assert np.corrcoef(drawn.T)[np.triu_indices(6, 1)].min() > 0.5


def test_few_runs_vary_as_much_as_they_do():
    """The variance of the mean over three runs that are wholly right, wrong, wrong: their own variance over three."""
    right = [np.array([[1.0] * 50, [0.0] * 50, [0.0] * 50])]
    drawn = curve.resampled(right, [(np.arange(50), np.arange(50))], draws=4000)
    assert drawn.var() == pytest.approx(np.var([1, 0, 0], ddof=1) / 3, rel=0.08)


def test_a_single_run_and_readings_with_other_pairs_are_drawn():
    one, two = answers([0.9], runs=1, pictures=10)[0][0], answers([0.2], pictures=5, songs=4)[0][0]
    names = [answers([0.9], runs=1, pictures=10)[1][0], answers([0.2], pictures=5, songs=4)[1][0]]
    drawn = curve.resampled([one, two], names, draws=300)
    assert drawn.mean(0) == pytest.approx([one.mean(), two.mean()], abs=0.04) and np.isfinite(drawn).all()


@pytest.mark.parametrize(("level", "low", "high"), [(0.6, 0.0, 0.01), (0.5, 0.05, 1.0), (0.4, 0.9, 1.0)])
def test_the_median_reading_is_held_against_what_it_should_be_above(level, low, high):
    right, names = answers([level] * 5)
    excess = [100 * r.mean() - 50 for r in right]
    found = curve.median_above(excess, 100 * curve.resampled(right, names) - 50)
    assert low <= found["p"] <= high and found["median"] == pytest.approx(np.median(excess))
    assert found["interval"][0] < found["median"] < found["interval"][1]


@pytest.mark.slow
def test_hard_pictures_are_not_taken_for_an_effect():
    """Five readings that agree, for they share their pictures, are no five witnesses."""
    found = []
    for seed in range(40):
        right, names = answers([0.5] * 5, pictures=12, hard=0.3, seed=seed)
        excess = [100 * r.mean() - 50 for r in right]
        drawn = 100 * curve.resampled(right, names, draws=200, seed=seed) - 50
        found.append(curve.median_above(excess, drawn)["p"] < 0.05)
    assert np.mean(found) <= 0.2


# words


@pytest.mark.parametrize(("p", "said"), [
    (0.049, "lie further apart than runs of one reading (p = 0.049)"), (0.0001, "(p < 0.001)"),
    (0.05, "lie no further apart than runs of one reading would by luck (p = 0.050)")])
def test_readings_are_said_to_differ_only_if_they_do(p, said):
    words = curve.spread_in_words({"p": p, "between": 3.0, "within": 7.2})
    assert said in words and "standard deviation of 7.2 points" in words
    assert ("adds one of 3.0" in words) == (p < 0.05)


def test_a_single_reading_is_said_to_be_one():
    assert curve.spread_in_words(curve.apart([[60.0, 61.0]])).startswith("there are no two readings")


@pytest.mark.parametrize(("p", "said"), [(0.01, "is better than"), (0.3, "cannot be told from")])
def test_the_median_is_said_to_be_better_only_if_it_is(p, said):
    words = curve.median_in_words({"p": p, "median": 1.25, "interval": [-0.5, 3.0]})
    assert words.startswith(f"{said} the best one-sided baseline: +1.2 points (95 % CI over runs, ")
    assert words.endswith(f"pictures and songs -0.5 to +3.0; p = {p:.3f})")


def detail(name, holm, least=0.0001):
    return {"detail": name, "holm": holm, "share": 0.62, "least": least}


@pytest.mark.parametrize(("rows", "said", "never"), [
    ([detail("dropout", 0.01), detail("pairs", 0.27)], "those of `dropout` (62 % of the variance between readings, "
     "p = 0.010)", "pairs"),
    ([detail("dropout", 0.01), detail("pairs", 0.02)], "`dropout` (62 % of the variance between readings, p = 0.010), "
     "`pairs` (", "no detail"),
    ([detail("dropout", 0.27), detail("pairs", 0.9)], "no detail's effect can be told from luck (the smallest of 2 "
     "p-values, corrected by Holm's method, is p = 0.270)", "dropout"),
    ([detail("dropout", 0.2, 0.1), detail("pairs", 1.0, 0.1)], "; with 9 readings none could", "dropout"),
])
def test_a_detail_is_named_only_if_its_effect_survives(rows, said, never):
    words = curve.details_in_words(rows, 9)
    assert said in words and never not in words
    assert ("none could" in words) == (min(row["least"] for row in rows) * len(rows) >= 0.05)
