"""Scores and what they are held against, by hand."""

import numpy as np
import pytest
from scipy import stats
from test_corpus import small
from test_training import Tiny

from acp_lib.experiment import pairs
from acp_lib.results import scores


def test_an_interval_over_runs_is_students_cut_at_the_ends_of_the_scale():
    reach = stats.t.ppf(0.975, 2) * np.std([60, 62, 64], ddof=1) / np.sqrt(3)
    assert scores.over_runs([60, 62, 64]) == pytest.approx([62 - reach, 62 + reach])
    assert scores.over_runs([0, 100]) == [0.0, 100.0] and scores.over_runs([60]) is None


@pytest.mark.parametrize(("interval", "clustered", "expected"), [
    ([51, 60], [52, 61], True), ([49, 60], [52, 61], False), ([51, 60], [50, 61], False), (None, [52, 61], False),
])
def test_a_score_is_above_chance_if_both_intervals_are(interval, clustered, expected):
    assert scores.lies_above({"interval": interval, "clustered": clustered}, 50) is expected


@pytest.mark.parametrize(("interval", "clustered", "expected"), [
    ([40, 49], [41, 48], True), ([40, 51], [41, 48], False), ([40, 49], [41, 50], False), (None, [41, 48], True),
    (None, [41, 51], False), (None, None, False), ([51, 60], [52, 61], False),
])
def test_a_score_is_below_chance_if_every_interval_is(interval, clustered, expected):
    assert scores.lies_below({"interval": interval, "clustered": clustered}, 50) is expected


@pytest.mark.parametrize(("ours", "best", "expected"), [(70, 90, 50), (50, 90, 0), (90, 90, 100), (40, 90, -25),
                                                        (70, None, None)])
def test_way_to_the_best(ours, best, expected):
    assert scores.way_to_the_best(ours, 50, best) == expected


def test_names_are_ranked_by_their_scores():
    assert scores.ranked({"a": 55.8, "b": 61.7, "c": 57.2, "d": 55.8}) == ["b", "c", "a", "d"]


def test_networks_are_scored_by_each_protocol():
    corpus, models = small(), [Tiny(seed).eval() for seed in (0, 1)]
    drawn = {name: corpus.draw("test", name, 200, np.random.default_rng(3)) for name in ("uniform", "class_balanced")}
    rows = scores.by_protocol(models, corpus, drawn)
    assert [row["protocol"] for row in rows] == ["uniform", "class_balanced"]
    for row, some in zip(rows, drawn.values(), strict=True):
        values = [100 * np.mean((m(corpus.image.x[some.image], corpus.music.x[some.music]).argmax(1) == 1).numpy()
                                == (some.truth == 1)) for m in models]
        assert row["ours"] == pytest.approx(np.mean(values))
        assert row["interval"] == pytest.approx(scores.over_runs(values))
    assert [rows[0][who] for who in ("nothing", "picture", "music")] == pytest.approx([200 / 3] * 3)
    assert [rows[1][who] for who in ("nothing", "picture", "music")] == pytest.approx([50] * 3)
    assert scores.by_protocol(models[:1], corpus, drawn)[0]["interval"] is None
    assert set(drawn) < set(pairs.PROTOCOLS)
