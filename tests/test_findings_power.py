"""Power: components recovered, the stated power met, and a form that says what the library says."""

import json
import math
import re
import shutil
from dataclasses import asdict, fields, replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from chromium import computed, framed
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from acp_lib import paper, streams
from acp_lib.experiment import crossed, intervals
from acp_lib.figures import calculator, live
from acp_lib.findings import power
from acp_lib.findings.power import Components, Design, half_width, needed, ratio, smallest
from acp_lib.results import tables

PARTS = Components(4.0, 100.0, 64.0, 25.0, 36.0, 25.0, 900.0)
NAMES = [f.name for f in fields(Components)]
variances = st.builds(Components, *[st.floats(0, 3000)] * 7)
counts = st.integers(1, 100_000)
designs = st.builds(Design, st.integers(1, 50), counts, counts, counts)


def drawn(rng, parts: Components, design: Design):
    """Answers of runs to pairs of a picture and a song drawn at random, and the pairs."""
    runs, pictures, songs, n = (int(k) for k in asdict(design).values())
    i, j = rng.integers(pictures, size=n), rng.integers(songs, size=n)

    def effect(name, *shape):
        return math.sqrt(getattr(parts, name)) * rng.standard_normal(shape)

    common = effect("picture", pictures)[i] + effect("song", songs)[j] + effect("pair", pictures, songs)[i, j]
    return (common + effect("run", runs, 1) + effect("own_picture", runs, pictures)[:, i]
            + effect("own_song", runs, songs)[:, j] + effect("own_pair", runs, pictures, songs)[:, i, j]), i, j


# components from answers


def test_two_runs_of_a_whole_table_are_the_mean_squares_of_analysis_of_variance():
    """Balanced: each component is a difference of mean squares, by the textbook."""
    rng = np.random.default_rng(0)
    r, p, s = 3, 5, 4
    i, j = (a.ravel() for a in np.meshgrid(range(p), range(s), indexing="ij"))
    y = rng.normal(size=(r, p, s))

    def square(*kept):
        """The mean square of an interaction."""
        away, free = 0.0, 1
        for k in range(2 ** len(kept)):
            some = [a for b, a in enumerate(kept) if k >> b & 1]
            mean = y.mean(tuple(a for a in range(3) if a not in some), keepdims=True)
            away = away + (-1) ** (len(kept) - len(some)) * mean
        free = math.prod(y.shape[a] - 1 for a in kept)
        return (np.broadcast_to(away, y.shape)**2).sum() / free

    m = {kept: square(*kept) for kept in ((0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2))}
    last = m[0, 1, 2]
    expected = {"run": (m[0,] - m[0, 1] - m[0, 2] + last) / (p * s),
                "picture": (m[1,] - m[0, 1] - m[1, 2] + last) / (r * s),
                "song": (m[2,] - m[0, 2] - m[1, 2] + last) / (r * p), "pair": (m[1, 2] - last) / r,
                "own_picture": (m[0, 1] - last) / s, "own_song": (m[0, 2] - last) / p, "own_pair": last}
    found = {name: e.value for name, e in crossed.components(y.reshape(r, -1), i, j).items()}
    assert found == pytest.approx(expected) and list(found) == NAMES


@pytest.mark.slow
@pytest.mark.parametrize("parts", [PARTS, Components(0, 0, 0, 0, 0, 0, 2000), Components(25, 400, 0, 0, 0, 100, 1500)])
def test_components_of_uneven_data_are_found_without_bias(monkeypatch, parts):
    """Means alone: the errors of each take most of the time."""
    rng, rounds = np.random.default_rng(1), 60
    monkeypatch.setattr(crossed, "_jackknifed", lambda values, codes, factor: (np.zeros(7), 1.0))
    found = np.array([[e.value for e in crossed.components(*drawn(rng, parts, Design(4, 40, 25, 400))).values()]
                      for _ in range(rounds)])
    error = found.std(0, ddof=1) / math.sqrt(rounds)
    assert (np.abs(found.mean(0) - [getattr(parts, name) for name in NAMES]) < 4 * error).all()


@pytest.mark.slow
def test_intervals_of_components_hold_the_truth():
    rng, rounds = np.random.default_rng(2), 40
    held = {name: 0 for name in NAMES}
    for _ in range(rounds):
        for name, e in crossed.components(*drawn(rng, PARTS, Design(4, 40, 25, 400))).items():
            held[name] += e.interval()[0] <= getattr(PARTS, name) <= e.interval()[1]
    assert min(held.values()) >= stats.binom.ppf(0.001, rounds, 0.9), held


def test_pairs_that_are_asked_twice_change_nothing_but_weights():
    """A pair drawn twice is the same pair: nothing is left that could be called noise between the two."""
    y, i, j = drawn(np.random.default_rng(3), PARTS, Design(4, 30, 20, 300))
    once, twice = crossed.components(y, i, j), crossed.components(np.tile(y, 2), np.tile(i, 2), np.tile(j, 2))
    for name in NAMES:
        assert twice[name].value == pytest.approx(once[name].value, rel=0.02, abs=5)


def test_the_order_of_runs_and_items_and_their_names_are_nothing():
    y, i, j = drawn(np.random.default_rng(4), PARTS, Design(3, 12, 9, 80))
    order = np.random.default_rng(5).permutation(80)
    one = crossed.components(y, i, j)
    other = crossed.components(y[::-1, order] + 7, np.array([f"p{k:02}" for k in i])[order], j[order])
    for name in NAMES:
        assert one[name].value == pytest.approx(other[name].value)
        assert one[name].error == pytest.approx(other[name].error)


@pytest.mark.parametrize(("runs", "pictures", "songs", "unknown", "nothing"), [
    (1, 20, 15, {"run"}, {"own_picture", "own_song", "own_pair"}),
    (4, 20, 1, {"song"}, {"pair", "own_song", "own_pair"}),
    (4, 1, 15, {"picture"}, {"pair", "own_picture", "own_pair"}),
    (4, 1, 1, {"picture", "song", "pair"}, {"own_picture", "own_song", "own_pair"}),
    (1, 1, 1, {"run", "picture", "song", "pair", "own_picture", "own_song", "own_pair"}, set()),
])
def test_what_is_there_once_is_not_known_and_the_rest_is(runs, pictures, songs, unknown, nothing):
    y, i, j = drawn(np.random.default_rng(6), PARTS, Design(runs, pictures, songs, 100))
    found = crossed.components(y, i, j)
    assert {name for name, e in found.items() if math.isnan(e.value)} == unknown
    assert {name for name, e in found.items() if e.value == 0} == nothing


def test_pictures_of_one_pair_each_cannot_be_told_from_their_pairs():
    rng = np.random.default_rng(7)
    found = crossed.components(rng.random((3, 50)), np.arange(50), np.arange(50) % 7)
    unknown = {name for name, e in found.items() if math.isnan(e.value)}
    assert unknown == {"picture", "pair", "own_picture", "own_pair"}


def test_answers_that_are_all_equal_vary_by_nothing():
    found = crossed.components(np.ones((3, 60)), np.arange(60) % 7, np.arange(60) % 11)
    assert all(e.value == pytest.approx(0) and e.error == pytest.approx(0) for e in found.values())


@pytest.mark.parametrize(("runs", "known"), [(1, True), (2, False), (3, True)])
def test_two_runs_tell_no_interval(runs, known):
    y, i, j = drawn(np.random.default_rng(8), PARTS, Design(runs, 20, 15, 100))
    assert np.isfinite(crossed.components(y, i, j)["song"].error) == known


@pytest.mark.parametrize(("answers", "pictures", "message"), [
    (np.zeros((2, 0)), [], "expected runs x items"), (np.zeros((1, 2, 3)), [0, 1, 2], "expected runs x items"),
    (np.zeros((2, 3)), [0, 1], "answers to 3 items, and names of 2"),
])
def test_answers_that_are_none_are_refused(answers, pictures, message):
    with pytest.raises(ValueError, match=message):
        crossed.components(answers, np.array(pictures), np.array(pictures))


# what a design tells


@pytest.mark.parametrize(("parts", "design", "variance"), [
    (Components(4, 0, 0, 0), Design(2, 9, 9, 9), 2.0),
    (Components(0, 0, 0, 2400), Design(1, math.inf, math.inf, 100), 24.0),
    (Components(0, 0, 0, 0, 0, 0, 2400), Design(3, math.inf, math.inf, 100), 8.0),
    (Components(0, 0, 64, 0), Design(5, 1, 16, math.inf), 4.0),
    (Components(0, 0, 64, 0), Design(5, 1, 16, 4), 64 * (1 / 4 + 3 / 4 / 16)),
    (Components(0, 100, 0, 0, 50), Design(5, 10, 1, math.inf), 11.0),
    (Components(0, 100, 64, 25), Design(1, 1, 1, 1), 189.0),
])
def test_the_variance_by_hand(parts, design, variance):
    assert parts.variance(design) == pytest.approx(variance)
    assert half_width(parts, design) == pytest.approx(1.959964 * math.sqrt(variance))
    assert smallest(parts, design) == pytest.approx(2.801582 * math.sqrt(variance), rel=1e-5)


@pytest.mark.slow
def test_the_variance_is_that_of_simulated_means():
    rng, design = streams.generator("test of power", 0), Design(3, 12, 8, 60)
    means = [drawn(rng, PARTS, design)[0].mean() for _ in range(4000)]
    assert np.var(means) == pytest.approx(PARTS.variance(design), rel=4 * math.sqrt(2 / 4000))


@pytest.mark.slow
@pytest.mark.parametrize("design", [Design(1, 30, 20, 200), Design(3, 60, 40, 400), Design(10, 40, 60, 300)])
def test_the_stated_power_is_met(design):
    """By a test that knows the variance: the share of simulations that find the difference."""
    rng, rounds = streams.generator("test of power", 1), 1500
    effect = smallest(PARTS, design)
    means = np.array([drawn(rng, PARTS, design)[0].mean() for _ in range(rounds)])
    for true, stated in ((effect, 0.8), (effect / 2, power.power(effect / 2, PARTS, design)), (0.0, 0.05)):
        found = np.mean(np.abs(means + true) > half_width(PARTS, design))
        assert found == pytest.approx(stated, abs=4 * math.sqrt(stated * (1 - stated) / rounds))


@pytest.mark.slow
def test_the_books_own_test_comes_close_where_there_are_runs_and_songs_enough():
    """It has to estimate the variance, which costs some power."""
    rng, rounds, design = streams.generator("test of power", 2), 150, Design(10, 80, 80, 600)
    effect = smallest(PARTS, design)
    found = [intervals.mean(effect + y, i, j, least=-math.inf, most=math.inf).p() < 0.05
             for y, i, j in (drawn(rng, PARTS, design) for _ in range(rounds))]
    assert 0.6 < np.mean(found) < 0.8 + 4 * math.sqrt(0.16 / rounds)


@pytest.mark.slow
@given(variances, designs, st.floats(0.1, 50), st.sampled_from(NAMES), st.floats(1.01, 3))
def test_more_of_anything_tells_more_and_more_variance_less(parts, design, effect, name, times):
    before = power.power(effect, parts, design)
    for what, n in asdict(design).items():
        assert power.power(effect, parts, replace(design, **{what: times * n})) >= before - 1e-12
        assert half_width(parts, replace(design, **{what: times * n})) <= half_width(parts, design) + 1e-12
    assert power.power(effect * times, parts, design) >= before - 1e-12
    assert power.power(-effect, parts, design) == before
    more = replace(parts, **{name: times * getattr(parts, name) + 1})
    assert power.power(effect, more, design) <= before + 1e-12


@pytest.mark.slow
@given(variances, designs, st.floats(0.1, 50), st.sampled_from(["runs", "pictures", "songs", "pairs"]),
       st.sampled_from([0.5, 0.8, 0.95]))
def test_the_number_needed_is_enough_and_one_less_is_not(parts, design, effect, what, wanted):
    n = needed(effect, parts, design, what, wanted)
    if math.isinf(n):
        assert power.power(effect, parts, replace(design, **{what: 1e15})) <= wanted + 1e-6
    else:
        assert n == int(n) >= 1
        assert power.power(effect, parts, replace(design, **{what: n})) >= wanted - 1e-9
        assert n == 1 or power.power(effect, parts, replace(design, **{what: n - 1})) < wanted + 1e-9


@pytest.mark.parametrize(("parts", "runs", "expected"), [
    (Components(4, 0, 100, 0), 1, math.inf),  # runs alone: a standard error of 2 points
    (Components(4, 0, 100, 0), 100, 1145),
    (Components(0, 0, 0, 0), 1, 1),
    (Components(math.nan, 0, 100, 0), 1, math.nan),
    (Components(0, math.nan, 100, 0), 1, math.nan),
])
def test_songs_for_one_point(parts, runs, expected):
    found = needed(1.0, parts, Design(runs, 100, 20, math.inf))
    assert found == pytest.approx(expected, rel=0.001, nan_ok=True)


@pytest.mark.parametrize(("wanted", "errors"), [(0.8, 2.801582), (0.5, 1.959853), (0.9, 3.241515), (0.999, 5.050196)])
def test_standard_errors_for_a_power(wanted, errors):
    assert ratio(wanted) == pytest.approx(errors, abs=2e-5)


def test_no_luck_and_no_difference():
    nothing, design = Components(0, 0, 0, 0), Design(1, 1, 1, 1)
    assert power.power(0.1, nothing, design) == 1 and power.power(0, nothing, design) == 0.05
    assert power.power(0, PARTS, design) == pytest.approx(0.05) and half_width(nothing, design) == 0
    assert math.isnan(power.power(1, Components(math.nan, 0, 0, 0), design))


@pytest.mark.parametrize(("wrong", "message"), [
    (lambda: Design(0, 1, 1, 1), "runs is 0; expected 1 or more"),
    (lambda: Design(1, 1, -3, 1), "songs is -3"), (lambda: Design(1, 1, 1, math.nan), "pairs is nan"),
    (lambda: needed(0, PARTS, Design(1, 1, 1, 1)), "effect is 0"),
    (lambda: needed(math.nan, PARTS, Design(1, 1, 1, 1)), "effect is nan"),
    (lambda: ratio(0.05), "power is 0.05"), (lambda: ratio(1.0), "power is 1.0"), (lambda: ratio(0.8, 0), "level of 0"),
])
def test_designs_and_wishes_that_are_none_are_refused(wrong, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        wrong()


# the paper


def test_the_papers_test_part_and_difference():
    assert asdict(power.papers(3)) == {"runs": 3, "pictures": 17_879, "songs": 762, "pairs": 17_879}
    assert power.CLAIMED == 4.5 == power.EFFECTS[-1]
    assert sum(paper.SONGS.values()) == 3812


def row(what="difference", name="L3-Net", parts=PARTS, **more):
    return {"row": name, "what": what, "network": "audit, an eighth of the width", "runs": 3, "pictures": 90,
            "songs": 40, "n_pairs": 500, **more,
            "components": {k: None if math.isnan(v) else v for k, v in asdict(parts).items()}}


@pytest.mark.parametrize(("run", "word"), [(1.0, "would"), (9.0, "would not"), (math.nan, "cannot be said to")])
def test_what_the_paper_could_say_hangs_on_its_runs(run, word):
    found = power.verdict(row(parts=replace(PARTS, run=run)))
    assert found["word"] == word and found["wanted"] < found["limit"]
    at_limit = replace(PARTS, run=found["limit"]**2)
    assert half_width(at_limit, power.papers()) == pytest.approx(4.5)
    assert power.power(4.5, replace(PARTS, run=found["wanted"]**2), power.papers()) == pytest.approx(0.8)


def test_items_alone_may_be_too_much():
    found = power.verdict(row(parts=Components(0, 0, 9e4, 0)))
    assert (found["limit"], found["wanted"], found["word"]) == (None, None, "would not")
    assert (found["most"], found["share"]) == ("songs", 100)


def test_of_what_is_not_known_nothing_is_said_to_be_most():
    found = power.verdict(row(parts=Components(math.nan, math.nan, math.nan, math.nan)))
    assert (found["most"], found["word"]) == ("nothing known", "cannot be said to")
    assert math.isnan(found["share"]) and math.isnan(found["power"])


def test_the_table_asks_for_songs_pictures_and_runs_of_each_difference():
    found = power.table([{"data": "A", "rows": [row("accuracy", "ACP-Net"), row()]},
                         {"data": "B", "rows": [row(parts=replace(PARTS, run=math.nan))]}])
    asked = [*(("songs", n) for n in power.RUNS), *(("pictures", n) for n in power.RUNS), ("runs", None)]
    assert [(r["data"], r["what"], r["runs"]) for r in found] == [(d, *a) for d in "AB" for a in asked]
    assert {r["difference"] for r in found} == {"ACP-Net (audit) minus L3-Net"}
    for some in (found[:3], found[3:6]):
        fewer = [r["needed"][4.5] for r in some]
        assert fewer == sorted(fewer, reverse=True) and some[0]["needed"][1.0] == math.inf
    runs = found[6]["needed"][2.0]
    assert power.power(2.0, PARTS, power.papers(runs)) >= 0.8 > power.power(2.0, PARTS, power.papers(runs - 1))
    assert power.number(found[7]["needed"][1.0]) == "not known"


def spread(far, **more):
    """A row whose run component has an interval that ends there."""
    return row(**more) | {"spans": {"run": None if far is None else [0.0, far]}}


def test_what_one_run_tells_is_said_with_the_spread_that_few_runs_leave_open():
    def detected(run):
        return 100 * power.power(4.5, replace(PARTS, run=run), power.papers())

    parts = [replace(PARTS, run=run) for run in (-1.5, 4.0, 400.0, math.nan)]
    a = {"data": "A", "rows": [spread(900.0, what="accuracy", name="ACP-Net", parts=parts[2]),
                               spread(9.0, parts=parts[0], runs=6), spread(None, parts=parts[2])]}
    b = {"data": "B", "rows": [spread(25.0, name=power.TWO, parts=parts[1]), spread(None, parts=parts[3])]}
    assert power.sentence([a, b]) == (
        "Whether one run on a test part of the paper's size can show a lead of 4.5 points depends on how far apart "
        "runs lie. If answers vary as they do where ACP-Net (audit, an eighth of the width) is compared with other "
        f"methods on A and B, such a lead is detected in {detected(4.0):.0f} to {detected(0.0):.0f} % of cases if the "
        f"estimated spread of runs is right, and in {detected(25.0):.0f} to {detected(9.0):.0f} % if it is at the "
        "upper end of its 95 % CI; 3 to 6 runs are too few to estimate it well")
    assert " on A, such a lead" in power.sentence([a]) and power.sentence([{**b, "rows": b["rows"][1:]}]) == ""
    assert power.sentence([]) == ""


@pytest.mark.parametrize(("n", "text"), [(math.inf, "no number is enough"), (math.nan, "not known"), (1234, "1,234")])
def test_a_number_that_is_needed_in_words(n, text):
    assert power.number(n) == text


def study(own: list, other: list, two: np.ndarray) -> SimpleNamespace:
    """One whose ACP-Net, whose L3-Net and whose two classifiers were right about these pairs."""
    audited, l3 = ([SimpleNamespace(correct=right) for right in some] for some in (own, other))

    def trained(group, *names):
        assert group == "pairs" and names == ("L3-Net",)
        return {"L3-Net": l3}

    return SimpleNamespace(test_pairs=lambda: None, audited=SimpleNamespace(runs=audited), trained=trained,
                           baselines=pd.DataFrame({power.TWO: two}))


@pytest.mark.slow
@pytest.mark.parametrize(("own", "other", "runs"), [(4, 1, 4), (4, 3, 3), (1, 1, 1), (2, 5, 2)])
def test_rows_of_a_study_can_be_recorded(monkeypatch, own, other, runs):
    rng = np.random.default_rng(9)
    i, j = rng.integers(20, size=300), rng.integers(12, size=300)
    first, second, two = ([(rng.random(300) < 0.6) for _ in range(n)] for n in (own, other, 1))
    monkeypatch.setattr(tables, "groups", lambda study, pairs: (i, j))
    monkeypatch.setattr(power, "of", lambda study: {"network": "audit, half the width", "n_pairs": 300})
    some = study(first, second, two[0])
    found = power.rows(some)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert [(r["what"], r["row"]) for r in found] == [
        ("accuracy", "ACP-Net"), ("difference", "L3-Net"), ("difference", power.TWO)]
    assert [r["runs"] for r in found] == [own, runs, own]
    assert found[0]["ours"] == pytest.approx(100 * np.mean(first))
    for r in found:
        assert list(r["components"]) == list(r["spans"]) == NAMES
        assert (r["components"]["run"] is None) == (r["runs"] == 1)
        assert all(0 <= low <= high for low, high in (s for s in r["spans"].values() if s))
        assert asdict(power.own_design(r)) == {"runs": r["runs"], "pictures": 20, "songs": 12, "pairs": 300}
        assert min(v for v in asdict(Components.of_row(r)).values() if not math.isnan(v)) >= 0
    assert power.title(found[0]) == "ACP-Net (audit)" and power.title(found[1]) == "ACP-Net (audit) minus L3-Net"
    assert power.rows(some, ["ACP-Net"]) == [found[0], found[2]]  # and no other network is trained


# the page


def results(*names, **more):
    return [{"data": name, "rows": [row("accuracy", "ACP-Net"), row(**more)]} for name in names or ("this run",)]


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
def test_the_page_computes_what_the_library_computes():
    rng = np.random.default_rng(10)
    cases = [(Components(*(rng.random(7) * 10.0 ** rng.integers(-1, 4))), Design(*map(int, rng.integers(1, 5000, 4))),
              float(rng.uniform(0.1, 30))) for _ in range(200)]
    asked = json.dumps([[asdict(c), asdict(d), effect] for c, d, effect in cases])
    found = computed("power", f"{asked}.map(([c, d, effect]) => [acp.power(effect, c, d, {power.quantile()}), "
                     f"acp.reach(c, d, {power.quantile()}), acp.needed(effect, c, d, 'songs', {ratio()})])")
    assert {n is None for _, _, n in found} == {True, False}  # infinity is null in JSON
    for (c, d, effect), (likely, reach, songs) in zip(cases, found, strict=True):
        assert likely == pytest.approx(power.power(effect, c, d), abs=1e-6)
        assert reach == pytest.approx(half_width(c, d))
        assert (math.inf if songs is None else songs) == needed(effect, c, d)


def test_the_form_is_labelled_and_tells_what_it_found_aloud():
    page = BeautifulSoup(calculator.parts(results())[1], "html.parser")
    labels = {label["for"]: label.text for label in page.find_all("label")}
    asked = page.find_all(["input", "select"])
    assert len(asked) == 13 and {e["id"] for e in asked} == set(labels) and all(labels.values())
    assert {e["name"] for e in asked} == {"of", *calculator.FIELDS, *NAMES} and list(calculator.COMPONENTS) == NAMES
    told = page.find("output")
    assert told["aria-live"] == "polite" and set(told["for"]) == set(labels)
    assert all(f.find("legend").text for f in page.find_all("fieldset"))


@pytest.mark.parametrize("name", ["</script><script>alert(1)</script>", "'\"\\<img src=x onerror=alert(1)>",
                                  "\x1b[31m", "</option></select>"])
def test_names_of_data_are_text(name):
    made = form(*results(name))
    page = BeautifulSoup(made, "html.parser")
    assert len(page.find_all("script")) == 1 and not page.find_all("img") and "\x1b" not in made
    assert "http://" not in made and "https://" not in made


def form(*more: dict) -> str:
    return live.box("power", *calculator.parts(more or results()))


def told(browser, tmp_path, moves: list[dict], *more) -> list[str]:
    """What the form tells at first, and after each of some moves: fields and what is put in."""
    file = tmp_path / "form.html"
    file.write_text(framed(form(*more)), "utf8")
    browser.open(file, 360)
    return [browser.text("output"), *(browser.value(f"""(() => {{
        for (const [name, value] of Object.entries({json.dumps(move)})) {{
          const e = document.getElementById("acp-power").elements[name];
          if (name === "of") e.selectedIndex = value; else e.value = value;
          e.dispatchEvent(new Event("input", {{bubbles: true}}));
        }}
        return document.querySelector("output").value;
    }})()""") for move in moves)]


@pytest.mark.slow
def test_the_form_says_in_a_browser_what_the_library_computes(browser, tmp_path):
    moves = [{"songs": 40, "runs": 10}, {"pictures": 300, "pairs": 1000, "effect": 12}, {"effect": 1, "runs": 1},
             {"of": 0, "effect": 4.5}, {"song": 20, "run": 0}]
    other = row("accuracy", "ACP-Net", Components(1.0, 20.0, 300.0, 0.0, 5.0, 60.0, 1500.0))
    found = told(browser, tmp_path, moves, {"data": "this", "rows": [other, row()]})
    parts, asked = PARTS, asdict(power.papers()) | {"effect": power.CLAIMED}
    for text, move in zip(found, [{}, *moves], strict=True):
        parts = Components.of_row(other) if "of" in move else parts
        parts = replace(parts, **{k: v**2 for k, v in move.items() if k in NAMES})
        asked |= {k: v for k, v in move.items() if k in asked}
        design, effect = Design(**{k: v for k, v in asked.items() if k != "effect"}), asked["effect"]
        reach = half_width(parts, design)
        assert text == (f"Power {100 * power.power(effect, parts, design):.0f} %. 95 % interval: "
                        f"±{reach:.{2 if reach < 1 else 1}f} points. "
                        f"Songs for 80 % power: {power.number(needed(effect, parts, design))}.")
    assert any("no number is enough" in text for text in found) and len(set(found)) == len(found)


@pytest.mark.slow
def test_a_field_that_cannot_be_used_is_named(browser, tmp_path):
    moves = [{"songs": 0}, {"songs": 762, "runs": ""}, {"runs": 1, "effect": 0}, {"effect": 2, "song": -1},
             {"of": 0}, {"of": 1}]
    unknown = row(parts=replace(PARTS, run=math.nan))
    assert told(browser, tmp_path, [], {"data": "x", "rows": [unknown]}) == ["Run: give a number of 0 or more."]
    found = told(browser, tmp_path, moves, {"data": "x", "rows": [row(), unknown]})
    assert found[1:5] == ["Songs: give a number of 1 or more.", "Runs of each method: give a number of 1 or more.",
                          "Difference, points: give a number above 0.", "Song: give a number of 0 or more."]
    assert found[5].startswith("Power ") and found[6] == "Run: give a number of 0 or more."
