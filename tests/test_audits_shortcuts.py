"""Shortcuts: the paper's class proportions to the decimal, the page's formula, and planted shortcuts."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from chromium import computed
from hypothesis import given
from hypothesis import strategies as st
from test_baselines import separable

from acp_lib import paper
from acp_lib.audits import shortcuts
from acp_lib.emotions import CLASSES
from acp_lib.experiment import pairs
from acp_lib.experiment.corpus import Corpus, Modality

PAPER = [np.array([d[c] for c in CLASSES]) for d in (paper.IMAGES, paper.SONGS)]
counts = st.lists(st.integers(1, 1000), min_size=3, max_size=3).map(np.array)


@pytest.mark.parametrize(("protocol", "nothing", "picture", "music"), [
    ("uniform", 69.4, 69.4, 70.0),  # of negative music "true" is the likelier answer
    ("rejection", 50.0, 56.6, 67.3),
    ("image_anchored", 50.0, 50.0, 68.8),
    ("music_anchored", 50.0, 63.3, 50.0),
    ("class_balanced", 50.0, 50.0, 50.0),
])
def test_oracles_with_the_papers_proportions(protocol, nothing, picture, music):
    row = shortcuts.guessers(*PAPER).loc[protocol]
    assert [round(row[who], 1) for who in shortcuts.KNOWS] == [nothing, picture, music]
    assert round(row["always true"], 1) == (30.6 if protocol == "uniform" else 50.0)
    assert row["always true"] + row["always false"] == pytest.approx(100)


@pytest.mark.slow
@given(counts, counts)
def test_knowing_more_is_never_worse(images, music):
    table = shortcuts.guessers(images, music)
    for who in ("the picture", "the music"):
        assert (table[who] >= table["nothing"] - 1e-9).all()
    assert (table["nothing"] >= table[["always true", "always false"]].max(axis=1) - 1e-9).all()


def test_a_draw_finds_what_the_formula_says():
    images, music = (np.repeat(range(3), counts // 20) for counts in PAPER)
    drawn, exact = shortcuts.drawn(images, music, 200_000), shortcuts.guessers(*(c // 20 for c in PAPER))
    np.testing.assert_allclose(drawn, exact[list(drawn.columns)], atol=0.5)


def test_two_classes_are_enough():
    assert shortcuts.guessers([3, 1], [1, 3]).loc["music_anchored", "the picture"] == pytest.approx(75)
    assert shortcuts.guessers([4, 0, 4], [4, 0, 4]).loc["uniform", "the picture"] == pytest.approx(50)


# the page


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
def test_the_page_computes_what_the_library_computes():
    rng = np.random.default_rng(0)
    cases = [PAPER, *rng.integers(1, 1000, (40, 2, 3))]
    given = json.dumps([[side.tolist() for side in case] for case in cases])
    for case, found in zip(cases, computed("guessers", f"{given}.map(([p, q]) => acp.oracles(p, q))"), strict=True):
        expected = shortcuts.guessers(*case)
        assert set(found) == set(pairs.PROTOCOLS)
        for name, row in found.items():
            assert row == pytest.approx(expected.loc[name, list(shortcuts.KNOWS)].to_dict(), abs=1e-9)


# planted


def skewed(corpus: Corpus, every: int = 5) -> Corpus:
    """Fewer samples of two classes of the music: under some protocols, a shortcut."""
    label = corpus.music.label
    few = np.flatnonzero((label == 0) | (np.arange(len(label)) // 9 % every == 0))
    return Corpus(corpus.image, Modality(corpus.music.x[few], corpus.music.label[few], corpus.music.part[few]))


def scores(corpus: Corpus, protocol: str) -> dict[str, float]:
    asked = corpus.draw("test", protocol, 4000, np.random.default_rng([0, 20]))
    return {who: float(right.mean()) for who, right in shortcuts.learnt(corpus, protocol, asked, 0).items()}


def test_a_planted_shortcut_is_learnt_up_to_the_oracle():
    corpus = skewed(separable(720))
    exact = shortcuts.guessers(*corpus.counts("test"))
    for protocol, who in (("rejection", "the picture"), ("music_anchored", "the picture"),
                          ("image_anchored", "the music")):
        found = scores(corpus, protocol)
        assert exact.loc[protocol, who] > 60
        assert 100 * found[who] == pytest.approx(exact.loc[protocol, who], abs=3)


@pytest.mark.slow
@pytest.mark.parametrize("protocol", pairs.PROTOCOLS)
def test_what_is_learnt_is_what_the_oracle_knows(protocol):
    exact = shortcuts.guessers(*separable(720).counts("test"))
    for corpus, name in ((separable(720), protocol), (skewed(separable(720)), "class_balanced")):
        for who, found in scores(corpus, name).items():
            assert 100 * found == pytest.approx(exact.loc[name, who], abs=3.5), who


# what trained guessers gain


def test_gains_are_over_the_likelier_answer_and_clear_where_the_interval_is_above_it():
    learnt = pd.DataFrame([("uniform", "the picture", 75.0, 69.5, 80.0), ("uniform", "the music", 72.0, 68.0, 76.0),
                           ("rejection", "the music", 67.0, 60.0, 70.0), ("rejection", "the picture", 45.0, 30, 60)],
                          columns=["protocol", "guesser", "accuracy", "low", "high"])
    exact = pd.DataFrame({"nothing": {"rejection": 50.0, "uniform": 69.0}})
    found = shortcuts.gains(learnt, exact)
    assert found[["protocol", "guesser"]].equals(learnt[["protocol", "guesser"]])
    assert found["gain"].tolist() == [6.0, 3.0, 17.0, -5.0] and found["clear"].tolist() == [True, False, True, False]


@pytest.mark.parametrize(("reported", "expected"), [
    (61.67, ["uniform", "rejection", "image_anchored", "music_anchored"]), (69.0, ["uniform"]), (99.0, []),
])
def test_protocols_that_let_somebody_pass_who_knows_one_half(reported, expected):
    table = shortcuts.guessers(*PAPER).loc[list(pairs.PROTOCOLS)]
    assert shortcuts.passing(table, reported) == expected
