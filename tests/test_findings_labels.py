"""What the released labels are worth: tags dropped and drawn anew, rules for ties, another data set, what is kept."""

import re
from functools import partial
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score

from acp_lib import paper
from acp_lib.audits import uncertainty
from acp_lib.database import imac, released, tags
from acp_lib.emotions import CLASSES
from acp_lib.findings import labels, stability, valence
from acp_lib.profiles import ROOT
from acp_lib.results import recorded

SCORES = st.lists(st.tuples(*[st.integers(0, 4)] * 3).filter(any), min_size=1, max_size=6).map(np.array)
RELEASED = released.released()
CELLS, SONGS = RELEASED[list(CLASSES)].to_numpy(), RELEASED["songs"].to_numpy()


def table(scores, artists=29):
    """Songs with these scores, of so many artists in turn."""
    made = pd.DataFrame(scores, columns=list(CLASSES))
    return made.assign(track=[f"T{k}" for k in range(len(made))], artist=[f"A{k % artists}" for k in range(len(made))],
                       **{"class": [tags.label(*map(int, row)) for row in scores]})


RNG = np.random.default_rng(0)
MADE = table(RNG.multinomial(1, [0.4, 0.3, 0.3], 90) + RNG.poisson([0.4, 0.5, 0.3], (90, 3)))


# labels


@pytest.mark.parametrize("scores", [(2, 0, 0), (1, 1, 0), (0, 2, 2), (1, 0, 1), (1, 1, 1), (0, 1, 3), (0, 0, 0)])
def test_a_label_is_that_of_the_papers_rule(scores):
    said = tags.label(*scores)
    assert stability.labels(np.array([scores])) == [CLASSES.index(said) if said else stability.NONE]


@pytest.mark.parametrize(("scores", "order", "label"), [
    ((1, 1, 0), (1, 0, 2), 1), ((1, 1, 1), (2, 1, 0), 2), ((0, 2, 2), (0, 2, 1), 2), ((3, 2, 2), (2, 1, 0), 0),
    ((1, 0, 1), (1, 2, 0), 2), ((0, 0, 0), (2, 1, 0), stability.NONE)])
def test_a_tie_goes_to_the_first_in_order(scores, order, label):
    assert stability.labels(np.array([scores]), order) == [label]


@pytest.mark.parametrize(("scores", "kind"), [
    ((1, 0, 0), "one tag"), ((1, 1, 0), "tie"), ((2, 2, 2), "tie"), ((2, 1, 0), "ahead by one tag"),
    ((2, 1, 1), "ahead by one tag"), ((2, 0, 0), "ahead by two or more"), ((1, 4, 2), "ahead by two or more")])
def test_each_song_is_of_one_margin(scores, kind):
    found = stability.kinds(np.array([scores]))
    assert set(found) == {"all", CLASSES[int(stability.labels(np.array(scores)))], kind}


# tags dropped


@pytest.mark.parametrize(("scores", "dropped", "p"), [
    ((1, 0, 0), 0.3, (0.7, 0, 0, 0.3)), ((0, 0, 2), 0.5, (0, 0, 0.75, 0.25)),
    ((1, 1, 0), 0.5, (0.5, 0.25, 0, 0.25)),  # both left: a tie, positive
    ((0, 1, 1), 0.2, (0, 0.8, 0.16, 0.04)), ((2, 1, 0), 0.5, (0.75, 0.125, 0, 0.125)),
    ((1, 1, 1), 0.5, (0.5, 0.25, 0.125, 0.125)), ((0, 3, 1), 0.0, (0, 1, 0, 0)), ((2, 0, 5), 1.0, (0, 0, 0, 1))])
def test_what_dropping_leaves_by_hand(scores, dropped, p):
    assert stability.thinned(np.array([scores]), dropped)[0] == pytest.approx(p)


@pytest.mark.slow
@given(SCORES, st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_something_or_nothing_is_left(scores, dropped):
    p = stability.thinned(scores, dropped)
    assert p.sum(1) == pytest.approx(np.ones(len(p))) and (p >= 0).all()
    assert p[:, stability.NONE] == pytest.approx(dropped ** scores.sum(1))
    assert (p[:, :3][scores == 0] == 0).all()  # no class comes out of nothing


def test_what_dropping_leaves_by_simulation():
    scores, rng = np.array([3, 2, 1]), np.random.default_rng(1)
    left = rng.binomial(scores, 0.6, (40_000, 3))
    shares = np.bincount(stability.labels(left), minlength=4) / len(left)
    assert stability.thinned(scores[None], 0.4)[0] == pytest.approx(shares, abs=0.01)


def test_survivors_are_a_share_of_the_songs_that_still_have_a_tag():
    rows = stability.surviving(np.array([(1, 0, 0), (1, 1, 0)] * 10), np.repeat(np.arange(10), 2))
    at = {(r["dropped"], r["songs"]): r for r in rows}
    assert at[0.5, "all"]["lost"] == pytest.approx(0.375)
    assert at[0.5, "all"]["value"] == pytest.approx((0.5 + 0.5) / (0.5 + 0.75))
    assert at[0.5, "tie"]["value"] == pytest.approx(2 / 3) and at[0.5, "one tag"]["value"] == pytest.approx(1)
    assert {songs for _, songs in at} == {"all", "positive", "one tag", "tie"}
    assert len({r["dropped"] for r in rows}) == len(stability.DROPPED)


def test_no_pair_is_lost_where_labels_cannot_change():
    rows = stability.ceilings(np.tile(2 * np.eye(3, dtype=int), (20, 1)), np.arange(60), draws=3)
    assert [r["value"] for r in rows] == pytest.approx([1] * len(stability.DROPPED))


# tags drawn anew


@pytest.mark.parametrize(("scores", "agree"), [((2, 0, 0), 1), ((1, 1, 0), 0), ((2, 1, 0), 1 / 3), ((2, 2, 0), 1 / 3),
                                               ((3, 0, 1), 0.5), ((1, 1, 1), 0)])
def test_how_often_two_tags_agree(scores, agree):
    assert stability.two_tags(np.array([scores, (1, 0, 0)])) == pytest.approx([agree])


@pytest.mark.slow
@pytest.mark.parametrize("alpha", [(1.0, 1.0, 1.0), (0.8, 1.0, 0.7), (4.0, 2.0, 6.0)])
def test_the_distribution_of_shares_is_found_again(alpha):
    rng = np.random.default_rng(2)
    scores = np.array([rng.multinomial(4, rng.dirichlet(alpha)) for _ in range(6000)])
    assert stability.fitted(scores) == pytest.approx(alpha, rel=0.15)


@pytest.mark.parametrize("scores", [[(1, 0, 0)] * 5, [(0, 1, 0), (0, 0, 1)]])
def test_songs_of_one_tag_do_not_tell_how_mixed_tags_are(scores):
    with pytest.raises(ValueError, match="no song has two tags"):
        stability.fitted(np.array(scores))


@pytest.mark.parametrize("alpha", [(1, 1, 1), (0.3, 0.3, 0.3), (2, 1, 0.5), (8, 7, 6), (1, 12, 1)])
def test_how_probable_it_is_that_a_share_is_the_largest(alpha):
    drawn = np.random.default_rng(3).dirichlet(alpha, 60_000).argmax(1)
    found = stability.largest(np.array(alpha, float))
    assert found == pytest.approx(np.bincount(drawn, minlength=3) / len(drawn), abs=0.01)
    assert found.sum() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("scores", [(1, 0, 0), (0, 2, 1), (1, 1, 0)])
def test_what_comes_out_if_tags_are_drawn_anew(scores):
    alpha = np.array([0.8, 1.0, 0.7])
    own, n, rng = alpha + scores, sum(scores), np.random.default_rng(4)
    drawn = rng.multinomial(n, rng.dirichlet(own, 30_000))
    shares = np.bincount(stability.labels(drawn), minlength=3) / len(drawn)
    found = stability.redrawn(np.array([scores]), alpha)[0]
    assert found == pytest.approx(shares, abs=0.012)
    if n == 1:
        assert found == pytest.approx(own / own.sum())


@pytest.mark.slow
@pytest.mark.parametrize(("apart", "low", "high"), [(0.02, 0.95, 1.0), (50.0, 0.3, 0.7)])
def test_pure_songs_have_labels_that_last_and_mixed_ones_have_not(apart, low, high):
    rng = np.random.default_rng(5)
    scores = np.array([rng.multinomial(3, rng.dirichlet([apart] * 3)) for _ in range(800)])
    again, right, pairs = stability.worth(scores, np.ones(len(scores)))
    assert low <= again <= high and low <= right <= high and again <= right
    assert pairs == pytest.approx(uncertainty.symmetric_ceiling(0, 1 - right), abs=0.03)


# intervals


def test_artists_are_drawn_with_all_their_songs():
    values = np.repeat(np.random.default_rng(6).random(40), 5)  # five songs alike of each artist
    row, = stability.bootstrapped({"what": "x"}, ["value"], np.mean, [values], np.repeat(np.arange(40), 5), 2000)
    low, high = row["interval"]
    reach = 1.96 * values[::5].std() / np.sqrt(40)
    assert row["value"] == values.mean() and (high - low) / 2 == pytest.approx(reach, rel=0.1)
    assert low < row["value"] < high


# ties


def test_each_rule_for_ties_by_hand():
    scores = np.array([(1, 1, 0), (1, 0, 1), (0, 1, 1), (1, 1, 1), (2, 1, 0)])
    rows = {r["rule"]: r for r in labels.broken(scores)}
    made = {rule: tuple(r[c] for c in CLASSES) + (r["changed"],) for rule, r in rows.items()}
    assert made == {
        "positive > neutral > negative": (4, 1, 0, 0), "positive > negative > neutral": (4, 0, 1, 1),
        "neutral > positive > negative": (2, 3, 0, 2), "neutral > negative > positive": (1, 3, 1, 3),
        "negative > positive > neutral": (2, 0, 3, 3), "negative > neutral > positive": (1, 1, 3, 4),
        "left out": (1, 0, 0, 4), "at random": (2, 1, 1, 2)}  # 2.33, 1.33, 1.33; 2.17 changed
    assert not any(r["possible"] for r in rows.values())
    assert labels.rule(list(rows.values())).startswith("no rule gives as many")


def test_rules_for_ties_by_the_released_scores():
    rows = {r["rule"]: r for r in labels.broken(np.repeat(CELLS, SONGS, 0))}
    by = {name: {c: rows[rule][c] for c in CLASSES} for name, rule in
          (("paper", "positive > neutral > negative"), ("strict", "left out"))}
    assert by == {"paper": released.labelled(RELEASED), "strict": released.labelled(RELEASED, strict=True)}
    assert rows["left out"]["changed"] == 431 == rows["negative > neutral > positive"]["changed"]
    assert [rule for rule, r in rows.items() if r["possible"]] == ["positive > neutral > negative", "at random"]
    assert rows["positive > neutral > negative"]["chi2"] == pytest.approx(16.0, abs=0.05)


@pytest.mark.slow
@given(SCORES)
@settings(max_examples=60, deadline=None)
def test_rules_only_move_songs_that_tie(scores):
    tied = ((scores == scores.max(1, keepdims=True)).sum(1) > 1).sum()
    for row in labels.broken(scores):
        assert 0 <= row["changed"] <= tied
        if row["rule"] not in ("at random", "left out"):
            assert sum(row[c] for c in CLASSES) == len(scores)


@pytest.mark.parametrize(("rows", "said"), [
    ([("a", True, 3.0, 0.22), ("b", False, None, None)], r"1 of 2 rules .* most evenly under a \(a: χ² = 3.0\)$"),
    ([("a", True, 9.0, 0.01), ("b", True, 2.0, 0.4)], r"2 of 2 .* most evenly under b \(b: χ² = 2.0; a: χ² = 9.0\)$"),
    ([("a", True, 16.0, 0.0003)], r"1 of 1 .* \(a: χ² = 16.0\); even so, the classes lose unequal shares$"),
    ([("a", False, None, None)], "no rule gives")])
def test_what_is_said_of_rules(rows, said):
    assert re.match(said, labels.rule([dict(zip(("rule", "possible", "chi2", "p"), row, strict=True)) for row in rows]))


# another data set


HEAD = ",".join(valence.COLUMNS)


@pytest.fixture
def deezer(tmp_path):
    def write(*lines, head=HEAD):
        (tmp_path / "d.csv").write_text("\n".join([head, *lines]) + "\n")
        return tmp_path / "d.csv"
    return write


def test_songs_are_joined_by_track(deezer):
    songs = table([(1, 0, 0), (0, 2, 0), (0, 0, 1)])
    path = deezer("T2,0_0_1,-1.5,2e-1,train", "", "T0,1_0_0,0.5,-0.25,test", head=HEAD + ",split")
    found = valence.joined(path, songs)
    assert found[["track", "class", "valence", "arousal"]].values.tolist() == [
        ["T2", "negative", -1.5, 0.2], ["T0", "positive", 0.5, -0.25]]


@pytest.mark.parametrize(("lines", "wrong"), [
    (["T9,1_0_0,1,1"], "line 2 is 'T9,1_0_0,1,1', but the scores lack it"), (["T0,0_1_0,1,1"], "its score is 1_0_0"),
    (["T0,1_0_0,1,1", "", "T0,1_0_0,1,1"], "line 4 is .*, but it stands there twice"), (["T0,1_0_0,1"], "are numbers"),
    (["T0,1_0_0,nan,1"], "are numbers"), (["T0,1_0_0,1,inf"], "are numbers"), (["T0,1_0_0,,1"], "are numbers"),
    (["T0"], "its score is 1_0_0"), ([], "holds no song")])
def test_a_line_that_does_not_fit_is_named(deezer, lines, wrong):
    with pytest.raises(ValueError, match=f"d.csv.*{wrong}.*expected {HEAD}"):
        valence.joined(deezer(*lines), table([(1, 0, 0)]))


@pytest.mark.parametrize("head", ["", "track,score,valence,arousal", HEAD[:-1], HEAD + "s"])
def test_other_columns_are_refused(deezer, head):
    with pytest.raises(ValueError, match="d.csv begins with .*; expected the columns MSD_track_id"):
        valence.joined(deezer(head=head), table([(1, 0, 0)]))


def test_the_area_under_the_curve_is_that_of_ranks():
    rng = np.random.default_rng(7)
    value, label = rng.normal(size=60).round(1), rng.integers(0, 3, 60)
    own = valence.auc(value, label)
    glad, sad = value[label == 0], value[label == 2]
    assert own == pytest.approx(stats.mannwhitneyu(glad, sad).statistic / (len(glad) * len(sad)))
    assert own == roc_auc_score(label[label != 1] == 0, value[label != 1])


@pytest.mark.parametrize(("values", "label", "share"), [
    ([1, 1, 2, 2], [0, 0, 1, 1], 1), ([1, 2, 1, 2], [0, 0, 1, 1], 0), ([0, 2, 2, 4], [0, 0, 1, 1], 0.5)])
def test_the_share_that_classes_explain(values, label, share):
    assert valence.explained(np.array(values, float), np.array(label)) == pytest.approx(share)


@pytest.mark.slow
@pytest.mark.parametrize("truth", list(permutations(range(3))))
def test_the_order_of_columns_is_found_whichever_it_is(truth):
    """Songs whose valence and arousal are those of the class that column `truth[k]` stands for."""
    rng, column = np.random.default_rng(8), np.repeat([0, 1, 2], 40)
    meant = np.array(truth)[column]
    songs = table(np.eye(3, dtype=int)[column]).assign(
        valence=np.array([1.0, 0.0, -1.0])[meant] + rng.normal(0, 0.3, 120),
        arousal=np.array([1.0, -1.0, 0.0])[meant] + rng.normal(0, 0.3, 120))
    orders = [r for r in valence.against(songs, draws=5) if r["what"] == "auc"]
    best = max(orders, key=lambda r: r["value"])
    assert len(orders) == 6 and best["columns"] == [CLASSES[k] for k in truth] and best["falls"] and best["calmest"]
    said = "the order as named: only in this order" if truth == (0, 1, 2) else "another order"
    assert valence.order(orders).startswith(said)


def test_an_order_that_others_fit_as_well_is_not_it_alone():
    rows = [{"columns": list(CLASSES), "value": 0.9, "falls": True, "calmest": True},
            {"columns": ["positive", "negative", "neutral"], "value": 0.8, "falls": True, "calmest": True}]
    assert "not it alone" in valence.order(rows)


# the command


@pytest.fixture
def files(tmp_path, deezer):
    scores = tmp_path / "s.csv"
    scores.write_text("".join(f"{t},x,{a},{p}_{u}_{n}\n" for t, a, p, u, n in
                              MADE[["track", "artist", *CLASSES]].itertuples(index=False)))
    rng = np.random.default_rng(9)
    return scores, deezer(*(f"{t},{p}_{u}_{n},{rng.normal():.3f},{rng.normal():.3f}" for t, p, u, n in
                            MADE[["track", *CLASSES]].itertuples(index=False)))


@pytest.mark.slow
def test_the_command_records_what_it_counted_in_which_files(files, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(stability, "DROPPED", (0.5,))
    monkeypatch.setattr(labels, "rows", partial(labels.rows, draws=3))
    out = tmp_path / "out.json"
    assert labels.main(["--scores", str(files[0]), "--deezer", str(files[1]), "--out", str(out)]) == 0
    assert "rows in" in capsys.readouterr().out
    monkeypatch.setattr(recorded, "FOLDER", tmp_path / "kept")
    (tmp_path / "kept/labels").mkdir(parents=True)
    out.rename(tmp_path / "kept/labels/imac.json")
    made, = recorded.read("labels")
    assert made["command"] == "python -m acp_lib.findings.labels --scores s.csv --deezer d.csv"
    assert set(made["files"]) == {"s.csv", "d.csv"} and made["data"] == "IMAC"
    assert {r["kind"] for r in made["rows"]} == {"stability", "ties", "deezer"}
    assert str(tmp_path) not in str(made)


@pytest.mark.slow
@pytest.mark.parametrize(("change", "said"), [
    (lambda text: "", "the positive songs are of 0 artists; expected 10 or more"),
    (lambda text: re.sub(r"A\d+", "A1", text), "songs are of 1 artists; expected 10 or more in each class"),
    (lambda text: "".join(f"T{k},x,A{k},{['1_0_0', '0_1_0', '0_0_1'][k % 3]}\n" for k in range(60)),
     "no song has two tags"),
    (lambda text: text.replace("_", "-"), "s.csv, line 1 is")])
def test_scores_that_cannot_be_used_are_told_in_a_line(files, tmp_path, capsys, change, said):
    files[0].write_text(change(files[0].read_text()))
    assert labels.main(["--scores", str(files[0]), "--out", str(tmp_path / "out.json")]) == 2
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1 and not (tmp_path / "out.json").exists()


def test_a_file_that_is_not_there_is_named(tmp_path, capsys):
    assert labels.main(["--scores", str(tmp_path / "none.csv")]) in (1, 2)
    assert "none.csv" in capsys.readouterr().err


def test_help_has_examples(capsys):
    with pytest.raises(SystemExit) as stop:
        labels.main(["--help"])
    assert stop.value.code == 0 and "examples:\n  python -m acp_lib.findings.labels --scores" in capsys.readouterr().out


# what is kept


KEPT, = recorded.read("labels")
ROWS = KEPT["rows"]


def test_what_is_kept_is_whole():
    assert all(KEPT[key] for key in (*recorded.ABOUT, "files")) and "/" not in " ".join(KEPT["files"])
    count = pd.DataFrame(ROWS).groupby(["kind", "what"], dropna=False).size().to_dict()
    kinds = len(stability.kinds(CELLS))
    assert {what: n for (kind, what), n in count.items() if kind == "stability"} == {
        "dropped": kinds * len(stability.DROPPED), "pairs, dropped": len(stability.DROPPED), "two tags": 1,
        "redrawn": len(stability.FITTED) * len(stability.WORTH)}
    assert {what: n for (kind, what), n in count.items() if kind == "deezer"} == {"mean": 6, "explained": 2, "auc": 6}
    assert [r["rule"] for r in ROWS if r["kind"] == "ties"] == [r["rule"] for r in labels.broken(CELLS)]
    for row in ROWS:
        if "value" in row:
            low, high = row["interval"]
            assert low <= row["value"] <= high and len(row["interval"]) == 2


@pytest.mark.slow
def test_what_is_kept_follows_from_the_scores_that_the_package_holds():
    """Values do not hang on artists, which the package lacks; intervals do."""
    scores = np.repeat(CELLS, SONGS, 0)
    by = {(r["dropped"], r["songs"]): r for r in ROWS if r.get("what") == "dropped"}
    for row in stability.surviving(scores, np.arange(len(scores))):
        kept = by[row["dropped"], row["songs"]]
        assert [kept[key] for key in ("n", "lost", "value")] == pytest.approx(
            [row[key] for key in ("n", "lost", "value")], rel=1e-5)
    for of, tagged in stability.FITTED.items():
        kept = [labels.one(ROWS, what="redrawn", learnt=of, of=name)["value"] for name in stability.WORTH]
        assert kept == pytest.approx(stability.worth(CELLS, SONGS.astype(float), *tagged), abs=1e-3)
    n = CELLS.sum(1)
    assert labels.one(ROWS, what="two tags")["value"] == pytest.approx(
        np.average(stability.two_tags(CELLS), weights=SONGS[n > 1]), rel=1e-5)
    for row in labels.broken(scores):
        kept = labels.one(ROWS, rule=row["rule"])
        assert {key: kept[key] for key in (*CLASSES, "changed", "possible")} == {
            key: row[key] for key in (*CLASSES, "changed", "possible")}


def test_the_chapter_types_no_result_of_its_own():
    page = (ROOT / "notebooks/20_released_labels.md").read_text("utf8").split("# What the released labels are worth")[1]
    prose = re.sub(r"```.*?```|\{[\w:]+\}`[^`]*`", "", page.split("## Exercises")[0], flags=re.S)
    assert set(re.findall(r"\d+", prose)) == {"95"}  # the level of intervals
    assert 'recorded.read("labels")' in page and "report.say(recorded.sentence(found))" in page


def test_rows_are_asked_for_by_what_they_hold():
    assert labels.one(ROWS, rule="left out")["changed"] == 431
    for wanted in ({"rule": "none"}, {"kind": "ties"}):
        with pytest.raises(ValueError, match="rows have .*; expected one: record them anew, by python -m"):
            labels.one(ROWS, **wanted)


@pytest.mark.parametrize(("accuracy", "said"), [(50, "below the CI"), (61.67, "within the CI"),
                                                (70, "above the CI")])
def test_where_an_accuracy_lies(accuracy, said):
    assert labels.beside(accuracy, {"interval": [0.6, 0.65]}) == said


def test_what_is_kept_is_what_the_true_files_give(real):
    path = real / "imac" / "imac_x_deezer_valence.csv"
    if not path.is_file():
        pytest.skip(f"imac/ of ACP_REAL_DATA has no {path.name}")
    songs = imac.songs(real / "imac" / "SongEmotionScore.csv")
    found = labels.rows(songs, valence.joined(path, songs), draws=2)
    about = [{key: v for key, v in row.items() if key not in ("value", "interval", "chi2", "p")} for row in found]
    kept = [{key: v for key, v in row.items() if key not in ("value", "interval", "chi2", "p")} for row in ROWS]
    for row, was in zip(about, kept, strict=True):
        assert row.keys() == was.keys()
        assert all(row[key] == (pytest.approx(was[key], rel=1e-4) if isinstance(was[key], float) else was[key])
                   for key in row)
    assert [r.get("value", 0) for r in found] == pytest.approx([r.get("value", 0) for r in ROWS], abs=1e-3)
    sure = [r["interval"] for r in found if r.get("what") in ("dropped", "two tags", "mean")]  # by a formula
    assert np.array(sure) == pytest.approx(np.array([r["interval"] for r in ROWS if r.get("what") in (
        "dropped", "two tags", "mean")]), abs=1e-4)
    assert sum(r["n"] for r in found if r.get("what") == "mean" and r["of"] == "valence") == 981
    assert sum(paper.SONGS.values()) < len(songs)
