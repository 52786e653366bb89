"""Scores and what they are held against, by hand."""

import numpy as np
import pandas as pd
import pytest
from test_corpus import small
from test_training import Tiny

from acp_lib.experiment import intervals, pairs
from acp_lib.results import scores


def test_a_score_has_one_interval_over_runs_pictures_and_songs():
    rng = np.random.default_rng(0)
    right, i, j = rng.random((3, 60)) < 0.6, np.arange(60) % 20, np.arange(60) % 7
    found = scores.scored(list(right), i, j)
    assert found == {**intervals.mean(right, i, j).scaled(100).row(), "values": pytest.approx(100 * right.mean(1))}
    assert len(found["variances"]) == 2 and len(scores.scored([right[0]], i, j)["variances"]) == 1


@pytest.mark.parametrize(("interval", "values", "expected"), [
    ([51, 60], [55, 56], True), ([49, 60], [55, 56], False), ([50, 60], [55, 56], False), ([51, 60], [55], False),
])
def test_a_score_is_above_chance_if_its_interval_is_and_there_are_several_runs(interval, values, expected):
    assert scores.lies_above({"interval": interval, "values": values}, 50) is expected


@pytest.mark.parametrize(("interval", "expected"), [
    ([40, 49], True), ([40, 51], False), ([40, 50], False), ([51, 60], False), ([0, 100], False),
])
def test_a_score_is_below_chance_if_its_whole_interval_is(interval, expected):
    assert scores.lies_below({"interval": interval}, 50) is expected


@pytest.mark.parametrize(("ours", "best", "expected"), [(70, 90, 50), (50, 90, 0), (90, 90, 100), (40, 90, -25),
                                                        (70, None, None)])
def test_way_to_the_best(ours, best, expected):
    assert scores.way_to_the_best(ours, 50, best) == expected


def test_names_are_ranked_by_their_scores():
    assert scores.ranked({"a": 55.8, "b": 61.7, "c": 57.2, "d": 55.8}) == ["b", "c", "a", "d"]


def test_networks_are_scored_by_each_protocol():
    corpus, models = small(), [Tiny(seed).eval() for seed in (0, 1)]
    drawn = {name: corpus.draw("test", name, 200, np.random.default_rng(3)) for name in ("uniform", "class_balanced")}
    manifest = pd.DataFrame({"modality": ["image"] * 60 + ["music"] * 48, "group": [f"g{k}" for k in range(108)]})
    rows = scores.by_protocol(models, corpus, drawn, manifest)
    assert [row["protocol"] for row in rows] == ["uniform", "class_balanced"]
    for row, some in zip(rows, drawn.values(), strict=True):
        values = [100 * np.mean((m(corpus.image.x[some.image], corpus.music.x[some.music]).argmax(1) == 1).numpy()
                                == (some.truth == 1)) for m in models]
        assert row["ours"] == pytest.approx(np.mean(values))
        assert row["values"] == pytest.approx(values) and row["interval"][0] < row["ours"] < row["interval"][1]
    assert [rows[0][who] for who in ("nothing", "picture", "music")] == pytest.approx([200 / 3] * 3)
    assert [rows[1][who] for who in ("nothing", "picture", "music")] == pytest.approx([50] * 3)
    assert set(drawn) < set(pairs.PROTOCOLS)
