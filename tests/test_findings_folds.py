"""Every sample tested once: what folds come to together, what is recorded of them, other corpora, and what is said."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from conftest import corpus as folder_corpus
from conftest import picture, sound

from acp_lib import streams
from acp_lib.audits import leakage, repeated, standing
from acp_lib.audits.verdicts import FAILS, HOLDS, MISSING, OPEN
from acp_lib.engine import processes
from acp_lib.experiment import baselines, evaluation, intervals, methods, tasks
from acp_lib.experiment.intervals import Estimate
from acp_lib.experiment.splits import PARTS
from acp_lib.figures.front import scorers
from acp_lib.findings import audits, folds, front, networks, real, record, transfer
from acp_lib.models import parameters
from acp_lib.profiles import load
from acp_lib.results import recorded
from acp_lib.study import MAIN, Study

# --- folds together


def estimate(value, *variances):
    return Estimate(value, tuple((v, 10.0) for v in variances), 0, 1)


POOLED = [  # folds, sizes, value, variance of items, of runs
    ([estimate(0.5, 0.01), estimate(0.5, 0.01)], [100, 100], 0.5, 0.005, 0.0),
    ([estimate(0.4, 0.01), estimate(0.8, 0.01)], [300, 100], 0.5, (9 + 1) / 16 * 0.01,
     2 * (9 / 16 * 0.01 + 1 / 16 * 0.09) - (9 + 1) / 16 * 0.01),
    ([estimate(0.5, 0.0, 0.004), estimate(0.5, 0.0, 0.008)], [50, 50], 0.5, 0.0, 0.003),  # runs that differ in a fold
    ([estimate(0.4, 0.0, 0.0), estimate(0.6, 0.0, 0.0)], [50, 50], 0.5, 0.0, 0.01),  # folds that differ
]


@pytest.mark.parametrize(("some", "sizes", "value", "items", "between"), POOLED)
def test_folds_are_pooled_by_their_sizes(some, sizes, value, items, between):
    found = intervals.pooled(some, sizes)
    assert found.value == pytest.approx(value)
    assert [v for v, _ in found.variances] == pytest.approx([items, between])


@pytest.mark.parametrize(("some", "sizes"), [([estimate(0.5, 0.1)], [3]), ([estimate(0.5, 0.1)] * 2, [3])])
def test_one_fold_and_sizes_of_another_length_are_refused(some, sizes):
    with pytest.raises(ValueError, match="expected two or more, as many of each"):
        intervals.pooled(some, sizes)


@pytest.mark.slow
@pytest.mark.parametrize(("runs", "luck"), [(1, 0.0), (1, 0.04), (3, 0.0), (3, 0.04)])
def test_intervals_of_pooled_folds_hold_the_truth_often_enough(runs, luck):
    """Answers with effects of pictures and songs, and of runs; 5 folds of 30 pictures and 16 songs."""
    held, rounds, size = 0, 300, 200
    rng = streams.generator("test of pooled folds", runs, int(100 * luck))
    for _ in range(rounds):
        some = []
        for _fold in range(5):
            picture, song = rng.integers(0, 30, size), rng.integers(0, 16, size)
            share = 0.6 + 0.1 * rng.standard_normal(30)[picture] + 0.1 * rng.standard_normal(16)[song]
            right = rng.random((runs, size)) < share + luck * rng.standard_normal((runs, 1))
            some.append(intervals.mean(right, picture, song))
        low, high = intervals.pooled(some, [size] * 5).interval()
        held += low < 0.6 < high
    assert 0.92 < held / rounds <= 1.0


# --- a small corpus, trained

QUICK = {"jobs": 1, "image_size": 75, "seeds": 1, "epochs": 1, "batch": 8, "pairs_per_epoch": 16, "test_pairs": 60,
         "device": "cpu", "probe_epochs": 1, "bins": 16, "frames": 16, "crops": 2, "raw_size": 32, "audit_seeds": 2,
         "fc_width": 0.125}


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    """Two small corpora that share half of their pictures, and all that depends on them, made in this process."""
    roots = [folder_corpus(tmp_path_factory.mktemp(name) / name, pictures=4, songs=3) for name in ("one", "other")]
    pictures, songs = (sorted(p for p in (roots[1] / name).rglob("*") if p.is_file()) for name in ("images", "music"))
    for k, path in enumerate(pictures[::2]):
        picture(path, seed=1000 + k)
    for k, path in enumerate(songs):
        sound(path, seed=1000 + k)
    work = tmp_path_factory.mktemp("work")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processes, "ProcessPoolExecutor", lambda n, **_: ThreadPoolExecutor(n))
        patch.setattr(tasks, "VALIDATION_PAIRS", 100)
        study = Study(load("folder", data=str(roots[0]), work=str(work), results=str(work / "results"),
                           weights="random", **QUICK), progress=False)
        yield study, study.variant(data=str(roots[1]))


@pytest.fixture(scope="module")
def rows(studies):
    return folds.rows(studies[0], folds=3)


@pytest.mark.slow
def test_every_sample_is_tested_once(studies, rows):
    some = folds.dealt(studies[0], 3)
    for name in ("image", "music"):
        parts = np.array([getattr(s.corpus, name).part for s in some])
        assert ((parts == PARTS.index("test")).sum(0) == 1).all()
    assert (rows[0]["pictures"], rows[0]["songs"], rows[0]["pairs"]) == (12, 9, 180)


@pytest.mark.slow
def test_runs_of_folds_begin_with_weights_of_their_own(studies):
    first = [s.planned("pairs", "ACP-Net")[0].untrained().state_dict()["fusion.0.weight"] for s in
             folds.dealt(studies[0], 3)]
    assert not any((first[0] == other).all() for other in first[1:])


@pytest.mark.slow
def test_the_tables_have_all_their_rows(rows):
    four = [row["row"] for row in rows if row["table"] == 4]
    assert four == ["L3-Net", "Spectrogram-ACP", "ACP-Net", "ACP-Net", "its best additive approximation",
                    "always false", "picture alone", "music alone", "two classifiers, compared"]
    assert [row["paper"] for row in rows if row["table"] == 4][:3] == [57.17, 55.84, 61.67]
    five = {(row["what"].split(",")[0], row["row"]) for row in rows if row["table"] == 5}
    assert {("picture", "ACP-Net features + MLP"), ("music", "Spectrogram + CNN"), ("music", "193 numbers, linear"),
            ("picture", "Art-based features + SVM")} <= five
    assert not any("random labels" in row["row"] for row in rows)
    assert all(len(row["values"]) == 3 for row in rows)
    json.dumps(rows, allow_nan=False)


@pytest.mark.slow
def test_a_row_is_the_mean_over_the_pairs_of_all_folds(studies, rows):
    some = folds.dealt(studies[0], 3)
    asked = [folds.asked_of(s) for s in some]
    right = [baselines.music_only(s.corpus, pairs, "class_balanced", s.profile.seed) == (pairs.truth == 1)
             for s, pairs in zip(some, asked, strict=True)]
    row, = (r for r in rows if r["table"] == 4 and r["row"] == "music alone")
    assert row["ours"] == pytest.approx(100 * np.mean(right))
    network, = (r for r in rows if r["table"] == 4 and r.get("network") == "main")
    assert network["ours"] == pytest.approx(100 * np.mean([
        evaluation.accuracy(evaluation.probability(s.runs[0].model(), s.corpus, pairs), pairs.truth)
        for s, pairs in zip(some, asked, strict=True)]))
    assert network["runs"] == 3 and 0 <= network["stuck"] <= 3


@pytest.mark.slow
def test_folds_draw_their_test_pairs_by_themselves(studies):
    one, other, _ = (folds.asked_of(s) for s in folds.dealt(studies[0], 3))
    assert (one.truth != other.truth).any()
    assert one.digest == folds.asked_of(folds.dealt(studies[0], 3)[0]).digest


@pytest.mark.slow
def test_confusions_count_each_sample_once_a_run(rows):
    for row in (r for r in rows if r["table"] == 5):
        assert np.sum(row["confusion"]) * 3 == row["samples"] * row["runs"]
        assert np.trace(row["confusion"]) / np.sum(row["confusion"]) == pytest.approx(row["ours"] / 100)


@pytest.mark.slow
def test_differences_are_those_of_their_rows(rows):
    at = {(r["row"], r.get("network")): r["ours"] for r in rows if r["table"] == 4}
    for row in (r for r in rows if r["table"] == "how_sure"):
        assert row["ours"] == pytest.approx(at["ACP-Net", row["network"]] - at[row["row"], None])
    gap, = (r for r in rows if r["table"] == "standing" and r["row"] == "its best additive approximation")
    assert gap["ours"] == pytest.approx(at["ACP-Net", gap["network"]] - at["its best additive approximation", None])


# --- another corpus


@pytest.mark.slow
def test_nothing_of_the_first_corpus_is_tested_on_and_nothing_of_the_other_is_scaled_by(studies):
    one, other = folds.dealt(studies[0], 3)[1], studies[1]
    carried = transfer.carried(one, other)
    shared = {"image": 6, "music": 0}
    for name in ("image", "music"):
        side, own, new = (getattr(c, name) for c in (carried, one.corpus, other.corpus))
        train, n = own.rows("train"), len(own.x)
        assert (side.rows("train") == train).all() and (side.rows("val") == own.rows("val")).all()
        assert (side.x[train].numpy() == own.x[train].numpy()).all()
        assert side.rows("test").min() >= n and len(side.rows("test")) == len(new.x) - shared[name]
        assert (side.label[n:] == new.label).all()
        x, known = other.features[name], one.features[name][train]
        spread = np.where(np.ptp(known, 0) == 0, 1, known.std(0))
        assert np.allclose(side.x[n:], (x - known.mean(0)) / spread, rtol=1e-3, atol=1e-3)


@pytest.mark.slow
def test_each_fold_is_asked_about_the_same_pairs_of_the_other_corpus(studies):
    found = transfer.rows(*studies, folds=3)
    assert [len(row["values"]) for row in found[:3]] == [6, 6, 3]  # two audited runs a fold; classifiers have one
    assert found[0]["row"] == "ACP-Net" and found[0]["chance"] == pytest.approx(50)
    assert found[0]["songs"] == 9 and found[0]["pictures"] == 6
    one, other = (found[k:k + len(found) // 2] for k in (0, len(found) // 2))
    assert {row["scaled"] for row in one} == {transfer.SCALED[0]}
    assert [row["row"] for row in one] == [row["row"] for row in other]
    assert one[-2]["ours"] == pytest.approx(one[0]["ours"] - one[1]["ours"])
    json.dumps(found, allow_nan=False)


@pytest.mark.slow
def test_halves_of_another_corpus_are_named_class_by_class(studies):
    found = {row["row"]: row for row in transfer.rows(*studies, folds=3) if row["scaled"] == transfer.SCALED[1]}
    side = transfer.carried(folds.dealt(studies[0], 3)[2], studies[1], transfer.SCALED[1]).music
    asked = side.rows("test")
    share = np.mean([(baselines.named(side)[asked] == c)[side.label[asked] == c].mean() for c in range(3)])
    assert found["music"]["values"][2] == pytest.approx(100 * share, abs=0.01) and found["music"]["classes"] == 3
    assert found["music"]["ours"] == pytest.approx(np.mean(found["music"]["values"]), abs=0.01)


@pytest.mark.slow
def test_another_corpus_can_be_scaled_by_itself(studies):
    one, other = folds.dealt(studies[0], 3)[1], studies[1]
    plain, own = (transfer.carried(one, other, by) for by in transfer.SCALED)
    for name in ("image", "music"):
        n, (a, b) = len(getattr(one.corpus, name).x), (getattr(c, name).x.numpy() for c in (plain, own))
        assert (a[:n] == b[:n]).all()
        varied = np.ptp(other.features[name], 0) > 0
        assert np.allclose(b[n:, varied].mean(0), 0, atol=1e-4) and np.allclose(b[n:, varied].std(0), 1, atol=1e-3)


@pytest.mark.slow
def test_other_weights_are_refused(studies):
    other = studies[1].variant()
    other.__dict__["provenance"] = {"image_weights_digest": "another"}
    with pytest.raises(ValueError, match="give both corpora the same weights"):
        transfer.carried(studies[0], other)


# --- what the audits train


@pytest.mark.slow
def test_audits_are_recorded_as_their_chapters_read_them(studies):
    study = studies[0].variant(audit_draws=2, audit_runs=4)
    found = audits.rows(study)
    assert json.loads(json.dumps(found, allow_nan=False)) == found  # what is kept is what was made
    assert all("provenance" not in row for row in found)
    gained = leakage.gain(recorded.of({"rows": found}, table="leakage"), "ACP-Net")
    assert gained["gain"] == leakage.gain(leakage.accuracy(study), "ACP-Net")["gain"]
    assert {row["row"] for row in recorded.of({"rows": found}, table="how_sure")} == {
        "seed", "initial weights", "pairs", "split"}
    assert {row["row"] for row in recorded.of({"rows": found}, table="specifications")} >= {
        "reading", "median", "near the paper"}
    assert recorded.of({"rows": found}, table="standing")[-1]["row"] == standing.ADDITIVE


# --- the command


@pytest.mark.slow
def test_the_command_records_folds_and_says_on_what(studies, tmp_path, monkeypatch, capsys):
    p = studies[0].profile
    monkeypatch.setattr(folds.rows, "__defaults__", (tuple(methods.CORRESPONDENCE), 3))
    given = {"data": p.database.data, "work": p.execution.work, "weights": "random", "results": str(tmp_path / "made")}
    given |= {name: p.flat[name] for name in QUICK}
    told = [word for name, value in given.items() for word in ("-p", name, str(value))]
    out = tmp_path / "made.json"
    command = ["folds", "folder", *told, "--name", "Mine & theirs", "--out", str(out), "--networks", "ACP-Net"]
    assert record.main(command, "acp record") == 0
    assert "rows in" in capsys.readouterr().out
    made = json.loads(out.read_text("utf8"))
    assert made["data"] == "Mine & theirs" and made["synthetic"] is False and len(made["data_fingerprint"]) == 16
    assert made["settings"]["fc_width"] == 0.125 and set(recorded.ABOUT) < set(made)
    assert str(out) not in made["command"] and made["command"].startswith("acp record folds folder -p data ")
    assert {row["table"] for row in made["rows"]} == {4, 5, "standing", "how_sure", "recognition"}
    assert "ACP-Net" in (names := {row["row"] for row in made["rows"]}) and "L3-Net" not in names


@pytest.mark.parametrize(("words", "said"), [
    (["transfer", "folder"], "--to is None; expected a folder for transfer"),
    (["folds", "mini", "--to", "x"], "--to is x, of which folds has no use: it is for transfer"),
    (["folds", "mini", "--material", "x"], "--material is x, of which folds has no use: it is for plateau, samples, "),
    (["pairs", "--to", "x"], "--to is x, of which pairs has no use"),
    (["networks", "--epochs", "3"], "--epochs is 3, of which networks has no use: it is for plateau, samples, pairs; "
     "give -p epochs"),
    (["bridge", "--networks", "L3-Net", "ACP-Net"], "--networks is L3-Net ACP-Net, of which bridge has no use"),
    (["folds", "--size", "0.5"], "--size is 0.5, of which folds has no use: it is for simulation"),
    (["pairs", "mini", "-p", "seed", "2", "--material", "x"], "give no profile and no -p beside it"),
    (["folds", "--name", "×"], "--name is '×'; expected a letter or a digit in it"),
    (["folds", "--name", "n" * 300], "--name is "),
    (["folds", "--name", "FI_4Q"], "--name is 'FI_4Q', but fi_4q.json holds the result of 'FI × 4Q'; give another"),
    (["folds", "--out", "."], "--out is '.', which is a folder; give the name of a new file"),
])
def test_options_of_other_studies_are_refused(words, said, capsys):
    assert record.main(words, "acp record") == 2
    assert said in capsys.readouterr().err


# --- what is said of it


def result(data, network=60.0, two=62.0, low=1.0):
    """A recorded result: ACP-Net, two classifiers, and their difference, by its lower end."""
    def row(table, name, value, **more):
        return {"table": table, "row": name, "ours": value, "interval": [value - 2, value + 2], "values": [value],
                "variances": [[(2 / 1.96)**2, 1e6]], "paper": None, **more}

    own = {"network": "audit, a quarter of the width"}
    return {"data": data, "rows": [
        row(4, "ACP-Net", network, network="main", stuck=1, runs=5), row(4, "two classifiers, compared", two),
        row(5, "Random", 1.0, what="music, 3 classes", classes=[1, 2, 3]),
        row("how_sure", "two classifiers, compared", network - two, what="difference", network="main"),
        row("how_sure", "L3-Net", low + 2, what="difference", **own),
        row("standing", "ACP-Net", network, chance=50.0, one_sided=50.0, pairs="class_balanced", **own),
        *(row("standing", name, low + 2, **own) for name in
          ("who sees the picture alone", "who hears the music alone", "its best additive approximation"))]}


def test_corpora_stand_side_by_side_with_the_paper_and_this_run():
    live = [{"row": "ACP-Net", "network": "main", "ours": 70.0, "paper": 61.67},
            {"row": "L3-Net", "ours": 1.0, "paper": 57.17}]
    found = real.beside([result("A"), result("B", network=58.0)], live, 4)
    assert [row["row"] for row in found] == ["ACP-Net (main)", "L3-Net", "two classifiers, compared"]
    assert found[0]["paper"] == 61.67 and found[1]["A"] is None and found[2]["this run"] is None
    assert [found[0][data]["ours"] for data in ("this run", "A", "B")] == [70.0, 60.0, 58.0]
    assert [row["row"] for row in real.beside([result("A")], [], 5, "music")] == ["Random"]
    assert real.beside([result("A")], [], 5, "picture") == []


@pytest.mark.parametrize(("table", "row", "said"), [
    (4, {"row": "ACP-Net", "network": "main"}, "58.0 to 60.0"), (4, {"row": "ACP-Net", "network": "audit"}, None),
    (4, {"row": "two classifiers, compared"}, "62.0"),
    (5, {"row": "Random", "what": "music, 3 classes"}, "1.0"),
    (5, {"row": "Random", "what": "picture, 8 classes"}, None), (3, {"row": "all", "what": "songs"}, None)])
def test_a_range_is_of_the_same_question_to_the_same_network(table, row, said):
    assert real.ranged([result("A"), result("B", network=58.0)], table, row) == said


FRONT = [  # by the results of two corpora: what the first page says
    ({"network": 56.0}, ["scores less than in the paper", "add up** its judgements of the two halves on both corpora"]),
    ({"network": 63.0}, ["was tested on real"]),
    ({"low": -9.0}, ["That it does more than add up** has been shown on none of 2 corpora"])]


@pytest.mark.parametrize(("changes", "said"), FRONT)
def test_the_first_page_follows_the_numbers(monkeypatch, changes, said):
    kept = {"folds": [result(name, **changes) for name in "AB"], "labels": recorded.read("labels"),
            "networks": [ordered("A", lead=-5.0)], **dict.fromkeys(("emomv", "encoders", "power", "simulation"), []),
            "transfer": [{"rows": [{"row": "ACP-Net", "ours": 52.0, "interval": [low, 53.0], "chance": 50.0}]}
                         for low in (49.0, 51.0)]}
    monkeypatch.setattr(recorded, "read", kept.__getitem__)
    text = "\n".join(front.sentences())
    assert all(part in text for part in said)
    assert ("52.0 % of the pairs of another, above chance by its whole CI in 1 of 2 tests (2 × 1, directions by ways "
            "of scaling), and below it in 0") in text
    assert "In 2 of its 10 runs no epoch exceeded 55 % on validation pairs." in text
    assert ("**Spectrogram-ACP is ahead of ACP-Net on A**, with all their channels, smaller inputs than the paper's, "
            "and one run a fold ({numref}`tab-real-networks`). ACP-Net's lead over Spectrogram-ACP is") in text
    assert "the paper's 63.5 % on music" in text and "67 % of the songs with released scores carry" in text
    assert "counts 89 % of the songs" in text and "p = 0.0003" in text


def test_the_first_page_says_nothing_of_what_was_not_recorded(monkeypatch):
    monkeypatch.setattr(recorded, "read", lambda study: [])
    assert len(front.sentences()) == 2  # of the paper's own numbers and the released scores


def test_words_follow_the_numbers():
    some = [result("A", network=63.0), result("B", network=58.0, low=-3.0)]
    assert real.behind(some) == ["B (-4.0 points, 95 % CI -6.0 to -2.0)"]
    assert real.range_of(some, "ACP-Net") == (58.0, 63.0)
    first, second = real.sentences(some)
    assert first.startswith("On A ") and ": it compares." in first
    assert second.startswith("On B ") and "has not been shown to beat the one-sided baselines" in second


@pytest.mark.parametrize(("names", "said"), [(["A"], "A"), (["A", "B"], "A and B"), (["A", "B", "C"], "A, B and C")])
def test_names_are_listed_as_in_a_sentence(names, said):
    assert real.listed(names) == said


@pytest.mark.parametrize(("some", "every", "said"), [
    (1, 1, "on the one corpus"), (2, 2, "on both corpora"), (4, 4, "on all 4 corpora"), (1, 2, "on 1 of 2 corpora")])
def test_on_how_many_corpora_something_holds(some, every, said):
    assert real.on_corpora(some, every) == said


@pytest.mark.parametrize(("frequent", "said"), [
    (20.0, ["On A the class", "20.0 % of cases", "one in 4", "chance, 25.0 %",
            "+15.0 points (95 % CI +10.0 to +20.0)"]),
    (30.0, [])])
def test_chance_is_the_bar_where_the_most_frequent_class_lies_below_it(frequent, said):
    about = {"table": 5, "what": "picture, 4 classes", "classes": [1, 2, 3, 4]}
    rows = [{**about, "row": "The most frequent", "ours": frequent},
            {**about, "row": "ACP-Net features + MLP", "ours": 40.0, "interval": [35.0, 45.0]}]
    told = real.unlike_chance([{"data": "A", "rows": rows}])
    assert all(part in told for part in said) and bool(told) == bool(said)


@pytest.mark.parametrize(("ends", "said"), [
    ([(48, 49), (47, 52)],
     "above chance by its whole CI in 0 of 2 tests (1 × 2, directions by ways of scaling), and below it in 1"),
    ([(48, 49), (51, 52)],
     "above chance by its whole CI in 1 of 2 tests (1 × 2, directions by ways of scaling), and below it in 1")])
def test_transfer_above_and_below_chance_is_counted(ends, said):
    assert transfer.clear([{"interval": list(one), "chance": 50.0} for one in ends], 1) == said


@pytest.mark.slow
def test_claims_are_judged_on_each_corpus_by_itself():
    found = real.judged([result("A", low=9.0), result("B", network=50.0, low=-9.0)])
    outcomes = {data: {v.claim.claim: v.outcome for v in some} for data, some in found.items()}
    assert set(outcomes["A"].values()) == {HOLDS, MISSING}
    assert outcomes["B"]["ACP-Net tells true from false better than chance"] == OPEN
    assert outcomes["B"]["It beats a trained image-only baseline"] == FAILS
    assert {claim for claim in outcomes["A"] for name in ("L3-Net", "AlexNet", "pectrogram") if name in claim} == {
        "ACP-Net outperforms L3-Net", "ACP-Net outperforms Spectrogram-ACP"}, "those of networks that are small here"


def test_what_probes_read_from_features_stands_beside_what_they_read_from_the_input():
    rows = [{"table": 5, "what": "music, 3 classes", "row": name, "ours": value} for name, value in
            (("ACP-Net features, linear", 56.8), ("193 numbers, linear", 59.9), ("193 numbers + MLP", 1.0))]
    assert real.learnt({"data": "A", "rows": rows}, "music") == "A, music: 56.8 % against 59.9 %"


@pytest.mark.parametrize("study", ["folds", "networks", "transfer"])
def test_what_is_recorded_is_complete(study):
    for made in recorded.read(study):
        assert set(recorded.ABOUT) | {"data", "data_fingerprint", "image_weights_digest", "settings"} <= set(made)
        assert made["synthetic"] is False and made["commit"] and "/" not in made["settings"].get("weights", "")
        for row in made["rows"]:
            low, high = row["interval"]
            assert low <= row["ours"] <= high and np.isfinite(row["ours"])
            assert row["ours"] == pytest.approx(intervals.of_row(row).value)
            assert np.mean(row["values"]) == pytest.approx(row["ours"], abs=1.5) if "values" in row else True


def test_a_name_is_of_one_data_in_all_that_is_recorded():
    named = {}
    for path in sorted(recorded.FOLDER.glob("*/*.json")):
        made = json.loads(path.read_text("utf8"))
        if "data_fingerprint" in made:
            named.setdefault(made["data"], set()).add(made["data_fingerprint"])
    assert len(named) > 4 and all(len(prints) == 1 for prints in named.values()), named


def test_recorded_audits_are_complete():
    for made in recorded.read("audits"):
        assert set(recorded.ABOUT) | {"data_fingerprint", "image_weights_digest", "settings"} <= set(made)
        assert made["synthetic"] is False
        p = made["settings"]
        assert all(len(row["values"]) == p["audit_draws"] for row in recorded.of(made, table="leakage"))
        assert {row["row"]: len(row["values"]) for row in recorded.of(made, table="how_sure")} == {
            "seed": p["audit_seeds"], **dict.fromkeys(repeated.DRAWS, p["audit_draws"])}
        said = recorded.of(made, table="specifications")
        assert sum(row["row"] in ("reading", "diverged") for row in said) == said[0]["readings"]


@pytest.mark.slow
def test_groups_of_two_corpora_stand_one_behind_the_other(studies):
    one, other = folds.dealt(studies[0], 3)[0], studies[1]
    carried = transfer.carried(one, other)
    asked = carried.draw("test", "class_balanced", 40, np.random.default_rng(0))
    pictures, songs = evaluation.groups(pd.concat([one.manifest, other.manifest]), asked)
    known = other.manifest["group"]
    assert set(pictures) <= set(known) and set(songs) <= set(known)


@pytest.mark.slow
def test_the_figure_of_the_first_page_shows_what_its_caption_says():
    one_sided, adding = front.shortcuts_by_protocol()
    passed = [name for name, value in one_sided.items() if value > 61.67]
    assert len(passed) == 4 and "under 4 of 5 pair protocols" in front.caption()
    assert min(adding.values()) == pytest.approx(75) and "Under all 5 one who knows both" in front.caption()
    svg = BeautifulSoup(scorers(one_sided, adding, 61.67), "html.parser")
    dots = [dot for dot in svg.find_all("circle") if dot["fill"] != "none"]
    line, = (x for x in svg.find_all("line") if x.get("stroke-dasharray"))
    assert [float(dot["cx"]) > float(line["x1"]) for dot in dots] == [name in passed for name in one_sided]
    assert all(f"{value:.1f}" in svg.get_text() for some in (one_sided, adding) for value in some.values())
    assert svg.svg["role"] == "img" and "uniform 70.0 and 86.0" in svg.svg["aria-label"]


# --- the networks at the paper's size, on a GPU


@pytest.fixture(scope="module")
def whole(studies):
    return networks.rows(studies[0], ("L3-Net", "Spectrogram-ACP"), folds=3)


@pytest.mark.slow
def test_networks_are_asked_the_pairs_of_the_folds(rows, whole):
    """The same runs as those of Tables 4 and 5, so the same numbers."""
    shared = {"ours", "interval", "variances", "values", "paper", "runs", "stuck"}
    for name in ("ACP-Net", "L3-Net", "Spectrogram-ACP"):
        own, known = (recorded.of({"rows": some}, table=4, row=name)[0] for some in (whole, rows))
        assert {key: own[key] for key in shared} == {key: known[key] for key in shared}
    assert {key: whole[0][key] for key in ("pairs", "pictures", "songs")} == {"pairs": 180, "pictures": 12, "songs": 9}
    leads = {r["row"]: r["ours"] for r in recorded.of({"rows": rows}, table="how_sure", network=MAIN)}
    assert {r["row"]: r["ours"] for r in recorded.of({"rows": whole}, table="how_sure")} == {
        name: leads[name] for name in ("L3-Net", "Spectrogram-ACP")}


@pytest.mark.slow
def test_networks_say_how_large_they_are(studies, whole):
    net = methods.method("pairs", "L3-Net")
    options = net.options(studies[0].profile)
    own = recorded.of({"rows": whole}, table=4, row="L3-Net")[0]
    assert own["parameters"] == parameters(net.build(options, None))
    assert own["inputs"] == "32×32 and 16×16" and own["epochs"] == 3


def ordered(data: str, name: str = "Spectrogram-ACP", lead: float = 1.0, reach: float = 2.0) -> dict:
    """What `networks` recorded of a corpus: ACP-Net, and by how much it leads another, in two folds."""
    ends = {"interval": [lead - reach, lead + reach], "values": [lead - 1, lead + 1],
            "variances": [[(reach / 1.96) ** 2, 1e6]]}
    scores = [{"table": 4, "row": row, "ours": ours, "runs": 2} for row, ours in (("ACP-Net", 56.0), (name, 50.0))]
    compared = {"table": "how_sure", "row": name, "ours": lead, "what": "difference", **ends}
    return {"data": data, "settings": {"epochs": 24}, "rows": [*scores, compared]}


def test_leads_over_whole_networks_stand_beside_the_papers():
    own, other = real.whole([ordered("A")])
    assert own["lead"] is None and own["data"] == "A" and real.orders([own]) == [] and own["most"] == 48
    assert (other["lead"], other["lead_interval"], other["leads"]) == (1.0, [-1.0, 3.0], [0.0, 2.0])
    assert other["reported"] == pytest.approx(5.83)


ORDERS = [  # leads on the corpora A, B, ...: what is said of where the interval lies, and of the paper's 5.83 points
    ([1.0], "is +1.0 to +1.0 points. Of the one interval, above zero: none; below zero: none; containing the paper's "
            "5.8 points: none."),
    ([-5.0, 5.0, 7.0], "is -5.0 to +7.0 points. Of the 3 intervals, above zero: 2 (B and C); below zero: 1 (A), where "
                       "the lead is negative in every fold; containing the paper's 5.8 points: 2 (B and C)."),
    ([-2.5, -0.5], "is -2.5 to -0.5 points. Of the 2 intervals, above zero: none; below zero: 1 (A), where the lead is "
                   "negative in every fold; containing the paper's 5.8 points: none.")]


@pytest.mark.parametrize(("leads", "said"), ORDERS)
def test_the_order_of_networks_is_told_by_intervals(leads, said):
    rows = real.whole([ordered(data, lead=lead) for data, lead in zip("ABC", leads, strict=False)])
    assert real.orders(rows) == [f"ACP-Net's lead over Spectrogram-ACP {said}"]
    assert [row["data"] for row in real.below(rows)] == [d for d, v in zip("ABC", leads, strict=False) if v < -2]


def test_folds_that_disagree_are_not_said_to_agree():
    own = ordered("A", lead=-3.0)
    own["rows"][-1]["values"] = [-6.1, 0.1]
    assert "below zero: 1 (A); containing" in real.orders(real.whole([own]))[0]


def test_networks_with_all_their_channels_take_the_place_of_smaller_ones(monkeypatch):
    small = [{"table": 4, "row": "Spectrogram-ACP", "ours": 40.0},
             {"table": 5, "row": "Spectrogram + CNN", "ours": 30.0},
             {"table": "how_sure", "row": "Spectrogram-ACP", "ours": 9.0, "what": "difference"}]
    kept = {"folds": [{"data": data, "rows": [*result(data)["rows"], *small]} for data in "AB"],
            "networks": [ordered("A", lead=-3.0)]}
    monkeypatch.setattr(recorded, "read", kept.__getitem__)
    a, b = real.corpora()
    assert a["rows"][0] == result("A")["rows"][0], "which says what was tested"
    assert [row["ours"] for row in recorded.of(a, table=4, row="Spectrogram-ACP")] == [50.0]
    assert [row["ours"] for row in recorded.of(a, table=4, row="ACP-Net")] == [60.0], "that of the folds"
    assert recorded.one("record", a["rows"], table="how_sure", row="Spectrogram-ACP", network=MAIN)["ours"] == -3.0
    assert [row["ours"] for row in recorded.of(b, table=4, row="Spectrogram-ACP")] == [40.0]
    assert not recorded.of(b, table="how_sure", row="Spectrogram-ACP"), "small ones are not compared"
    assert all(recorded.of(r, table=5, row="Spectrogram + CNN") for r in (a, b))


def test_spectrograms_are_held_against_late_fusion_of_the_numbers():
    some = [{"data": "A", "rows": [*result("A")["rows"], *ordered("A")["rows"]]}, result("B")]
    assert real.beyond(some) == "A, 50.0 against 62.0 %"


def test_a_small_network_has_no_range_beside_the_papers():
    row = {"table": 5, "row": "AlexNet, frozen", "what": "picture", "ours": 15.0}
    assert real.ranged([{"data": "A", "rows": [row]}], 5, row) is None
    assert real.ranged([{"data": "A", "rows": [row | {"row": "Random"}]}], 5, row | {"row": "Random"}) == "15.0"


def test_claims_about_networks_are_judged_where_they_have_all_their_channels(monkeypatch):
    kept = {"folds": [result(data) for data in "AB"], "networks": [ordered("A", lead=-4.0), ordered("B", lead=4.0)]}
    monkeypatch.setattr(recorded, "read", kept.__getitem__)
    judged = {data: {v.claim.claim: v.outcome for v in some} for data, some in real.judged(real.corpora()).items()}
    assert [judged[data]["ACP-Net outperforms Spectrogram-ACP"] for data in "AB"] == [FAILS, HOLDS]
    assert [judged[data]["ACP-Net outperforms L3-Net"] for data in "AB"] == [MISSING, MISSING]


def test_this_runs_audit_stands_beside_the_recorded_ones():
    audit = {"network": "audit, an eighth of the width"}
    rows = [{"row": "ACP-Net", "ours": 70.0, "interval": [60, 80], **audit}, {"row": "who hears", "ours": 20.0},
            {"row": standing.ADDITIVE, "ours": 15.0, "interval": [10, 20], **audit}]
    corpora = [{"data": "A", "rows": [rows[0] | {"table": 4, "ours": 55.0},
                                      {"table": 4, "row": standing.ADDITIVE, "ours": 50.0}]}]
    found = real.beside(corpora, real.audited(rows), 4)
    assert [(row["row"], row["A"]["ours"], row["this run"]["ours"]) for row in found] == [
        ("ACP-Net (audit)", 55.0, 70.0), (standing.ADDITIVE, 50.0, 55.0)]
    assert "interval" not in found[1]["this run"]
