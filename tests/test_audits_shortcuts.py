"""Shortcuts: the paper's class proportions to the decimal, the page's formula, and planted shortcuts."""

import json
import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
from bokeh.embed import components
from hypothesis import given
from hypothesis import strategies as st
from test_baselines import separable

from acp_lib import paper
from acp_lib.audits import shortcuts
from acp_lib.emotions import CLASSES
from acp_lib.experiment import pairs
from acp_lib.experiment.corpus import Corpus, Modality
from acp_lib.figures import explorer

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


def test_the_page_knows_the_protocols_of_the_ledger():
    assert shortcuts.EXPLORED == ("class_balanced", "uniform", "rejection", "image_anchored", "music_anchored")
    assert set(shortcuts.EXPLORED) <= set(pairs.PROTOCOLS)


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
def test_the_page_computes_what_the_library_computes():
    rng = np.random.default_rng(0)
    cases = [PAPER, *rng.integers(1, 1000, (40, 2, 3))]
    given = json.dumps([[side.tolist() for side in case] for case in cases])
    script = f"{shortcuts.ORACLES}\nconsole.log(JSON.stringify({given}.map(([p, q]) => oracles(p, q))))"
    done = subprocess.run(["node", "-e", script], capture_output=True, text=True, check=True)
    for case, found in zip(cases, json.loads(done.stdout), strict=True):
        expected = shortcuts.guessers(*case)
        assert set(found) == set(shortcuts.EXPLORED)
        for name, row in found.items():
            assert row == pytest.approx(expected.loc[name, list(shortcuts.KNOWS)].to_dict(), abs=1e-9)


def test_the_page_asks_nobody_and_starts_from_the_first_preset():
    script, place = components(explorer.model({"paper": PAPER, "even": ([1] * 3, [1] * 3)}, 61.67))
    assert "http://" not in script + place and "https://" not in script + place
    shown = shortcuts.guessers(*PAPER).loc[list(shortcuts.EXPLORED), "the music"]
    assert all(f"{value:.1f}" in script for value in shown)


def test_what_the_explorer_makes_is_the_same_each_time():
    def made():
        script, place = components(explorer.model({"even": ([1] * 3, [1] * 3)}, 61.67))
        return place, re.sub(r"\bp\d+\b", "p", explorer.repeatable(place + script))

    one, other = made(), made()
    assert one[0] != other[0] and one[1] == other[1]
    assert one[1].count("explorer-1") >= 2, "the place and the script that fills it"



@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
def test_what_moves_the_page_is_javascript():
    for code in (explorer.MOVE, explorer.CHOOSE):
        subprocess.run(["node", "-e", f"new Function('cb_obj', {json.dumps(code)})"], check=True)


def test_two_free_numbers_stand_for_three_proportions():
    first, second = explorer.free(PAPER[0])
    share = np.array([first, (100 - first) * second / 100, (100 - first) * (100 - second) / 100])
    np.testing.assert_allclose(share, 100 * PAPER[0] / PAPER[0].sum())


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
    table = shortcuts.guessers(*PAPER).loc[list(shortcuts.EXPLORED)]
    assert shortcuts.passing(table, reported) == expected
