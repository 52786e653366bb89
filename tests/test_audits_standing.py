"""What ACP-Net is shown to do: each step by whole intervals, one sentence, and no page that says more."""

import re

import numpy as np
import pytest
from test_project import CHAPTERS, PROSE, cells

from acp_lib.audits import standing, verdicts
from acp_lib.audits.verdicts import HOLDS, OPEN
from acp_lib.profiles import ROOT

NETWORK = "audit, an eighth of the width"


def rows(lowest=55.0, chance=50.0, one_sided=52.0, halves=(1.0, 1.0), gap=1.0):
    """A result by the lower ends of its intervals; every mean lies 4 points higher, every upper end 8."""
    ends = {"ACP-Net": lowest, **dict(zip(standing.HALVES.values(), halves, strict=True)), standing.ADDITIVE: gap}
    found = [{"row": name, "ours": end + 4, "interval": [end, end + 8], "variances": [[(4 / 1.9599)**2, 1e6]],
              "network": NETWORK, "pairs": "class_balanced"} for name, end in ends.items()]
    found[0] |= {"chance": chance, "one_sided": one_sided}
    return found


CASES = [
    ({"lowest": 49.0}, "chance"), ({"lowest": 50.0}, "chance"),
    ({"lowest": 49.0, "gap": 9.0}, "chance"),  # a gap of who is no better than chance is none
    ({"lowest": 51.0}, "one-sided"), ({"lowest": 52.0}, "one-sided"), ({"halves": (-1.0, 1.0)}, "one-sided"),
    ({"halves": (1.0, 0.0)}, "one-sided"), ({"halves": (-1.0, -1.0), "gap": 9.0}, "one-sided"),
    ({"gap": -1.0}, "additive"), ({"gap": 0.0}, "additive"), ({"lowest": 75.0, "gap": -0.1}, "additive"),
    ({}, "compares"), ({"gap": 0.1}, "compares"),
    ({"lowest": 67.0, "chance": 66.7, "one_sided": 66.9}, "compares"),
]


@pytest.mark.parametrize(("changes", "step"), CASES)
def test_each_step_needs_its_whole_interval_and_all_steps_below(changes, step):
    assert standing.reached(rows(**changes)) == step


@pytest.mark.parametrize(("changes", "step"), CASES)
def test_the_sentence_says_what_is_shown_and_of_which_network(changes, step):
    said = standing.said(rows(**changes), "made-up data")
    assert said.startswith(f"On made-up data ACP-Net ({NETWORK}) is right on ")
    assert [name for name, words in standing.STEPS.items() if f"So {words}." in said] == [step]
    assert ("compares" in said) == (step == "compares")


def test_the_sentence_in_full():
    assert standing.said(rows(), "made-up data") == (
        "On made-up data ACP-Net (audit, an eighth of the width) is right on 59.0 % of the class-balanced test "
        "pairs (95 % CI over runs, pictures and songs 55.0 to 63.0); its lead over its best additive approximation is "
        "+5.0 points (+1.0 to +9.0). So it does more than add up its judgements of the two halves: it compares.")


@pytest.mark.slow
@pytest.mark.parametrize(("changes", "step"), CASES)
def test_no_verdict_says_more_than_the_sentence(changes, step):
    found = rows(**changes)
    judged = {c.value["row"]["row"]: verdicts.judge([c], lambda name: found)[0].outcome for c in verdicts.claims()
              if c.value and c.value["file"] == "standing"}
    assert set(judged) == {row["row"] for row in found}
    if step == "compares":
        assert set(judged.values()) == {HOLDS}
    elif step == "additive":
        assert judged[standing.ADDITIVE] == OPEN and judged["ACP-Net"] == HOLDS
    elif step == "chance":
        assert judged["ACP-Net"] == OPEN


# intervals


def measured(runs: int, luck: float, seed: int = 0):
    """A network whose runs differ by `luck`, and its halves, on 600 pairs of 40 pictures and 20 songs."""
    rng = np.random.default_rng(seed)
    pictures, songs = rng.integers(0, 40, 600).astype(str), rng.integers(0, 20, 600).astype(str)
    share = np.clip(0.65 + luck * rng.standard_normal((runs, 1)), 0, 1)
    network = (rng.random((runs, 600)) < share).astype(float)
    return standing.measured(network, {"a guesser": rng.random(600) < 0.5, "itself": network}, pictures, songs), network


def test_differences_are_taken_run_by_run_on_the_same_pairs():
    found, network = measured(5, 0.05)
    assert [row["row"] for row in found] == ["ACP-Net", "a guesser", "itself"]
    assert found[0]["ours"] == pytest.approx(100 * network.mean())
    assert found[0]["values"] == pytest.approx(100 * network.mean(1))
    assert (found[2]["ours"], found[2]["values"], found[2]["interval"]) == (0, [0] * 5, [0, 0])
    assert found[1]["interval"][0] < found[1]["ours"] < found[1]["interval"][1]


def test_the_interval_grows_with_the_luck_of_runs_pictures_and_songs():
    width = {luck: np.ptp(measured(5, luck)[0][0]["interval"]) for luck in (0.0, 0.1)}
    assert width[0.1] > 1.5 * width[0.0]
    assert np.ptp(measured(2, 0.1)[0][0]["interval"]) > width[0.1]  # of two runs less is known than of five
    rng, songs = np.random.default_rng(1), np.repeat(np.arange(10), 60).astype(str)
    by_song = (rng.random(10) < 0.6).astype(float)[songs.astype(int)]  # right about some songs, and never about others
    right, pictures = np.tile(by_song, (4, 1)), rng.integers(0, 40, 600).astype(str)
    for some in (right, right[:1]):
        assert np.ptp(standing.measured(some, {}, pictures, songs)[0]["interval"]) > 40  # ten songs are ten answers


# pages


OVERSAID = re.compile(
    r"compar\w+ (?:nothing|anything)|[Oo]nly a comparison|comes from comparing|"
    r"(?:shown|[Tt]hat) (?:it|the network|these\s+networks|ACP-Net) compares?|[Ii]t compares|really compares?|"
    r"learns? to compare", re.S)
"""What the one sentence alone may say of a network; and what is untrue of guessers of one half, as who adds compares
nothing either.
"""
HOME = {ROOT / "acp_lib/audits/standing.py", ROOT / "notebooks/12_cross_modal.md"}


@pytest.mark.slow
def test_no_page_says_by_itself_that_a_network_compares():
    spoken = {*CHAPTERS, *PROSE, *(ROOT / "acp_lib").rglob("*.py"), ROOT / "acp_lib/audits/verdicts.yml"} - HOME
    found = {}
    for path in spoken:
        text = re.sub(r"^  quote: .*$", "", path.read_text("utf8"), flags=re.M)  # the paper's words
        text = re.sub(r"not yet show that the network compares", "", re.sub(r"\s+", " ", text))
        found[path.name] = [m[0] for m in OVERSAID.finditer(text)]
    assert len(found) > 100 and {name: said for name, said in found.items() if said} == {}


SHOWN = ["05_acp_net", "06_baselines", "12_cross_modal", "16_forking_paths", "90_paper_versus_ours", "91_verdicts"]


@pytest.mark.slow
@pytest.mark.parametrize("name", SHOWN)
def test_chapters_that_say_what_it_does_show_the_one_sentence(name):
    path = ROOT / f"notebooks/{name}.md"
    assert any("standing=standing.sentence(study)" in cell.source for cell in cells(path, "code"))
    assert "{glue:text}`standing`" in path.read_text("utf8")
