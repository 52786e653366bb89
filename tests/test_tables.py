"""The paper's five tables: its own arithmetic, this run's numbers beside it, results files that follow their origin."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from conftest import manifest
from test_corpus import shards, small

from acp_lib import paper
from acp_lib.database.tags import screen, screened
from acp_lib.emotions import CLASSES, EMOTIONS, regroup
from acp_lib.experiment import baselines, methods
from acp_lib.experiment.baselines import BASELINES
from acp_lib.experiment.methods import GROUPS
from acp_lib.profiles import load
from acp_lib.results import store, tables

TAGS = {"sad": 9, "joyous": 4, "calm": 3, "happy": 2, "happysad": 1, "rock": 50}


def run(seed: int, truth: np.ndarray, modality: str) -> SimpleNamespace:
    """The run of an even seed is right about nothing, or says the first class; that of an odd one is always right."""
    wrong = 1 - truth if modality == "pairs" else np.zeros_like(truth)
    answers = pd.DataFrame({"truth": truth, "predicted": truth if seed % 2 else wrong})
    correct = (answers["truth"] == answers["predicted"]).to_numpy()
    history = [{"epoch": 1, "val_accuracy": 0.5}, {"epoch": 2, "val_accuracy": 0.54 if seed % 2 else 0.9}]
    return SimpleNamespace(seed=seed, predictions=answers, correct=correct, history=history,
                           memorised=0.5 + 0.25 * seed, inputs=None, options=None)


class Counted(SimpleNamespace):
    """A study whose numbers were made by hand; it counts how often it is asked for what was trained."""

    asked = 0

    @property
    def baselines(self):
        return baselines.correct(self.corpus, self.test_pairs(), "class_balanced", 0)

    def trained(self, group, *names):
        self.asked += 1
        if group == "pairs":
            truth = self.test_pairs().truth
        else:
            side = getattr(self.corpus, group)
            label, rows = methods.labels(side)[0], side.rows("test")
            truth = label[rows[label[rows] >= 0]]
        return {name: [run(seed, truth, group) for seed in self.profile.run_seeds] for name in names or GROUPS[group]}


def with_emotions(corpus):
    """Every picture has one of its class's emotions; each emotion has training pictures, not each has test pictures."""
    of = [[k for k, e in enumerate(EMOTIONS) if regroup(e) == c] for c in CLASSES]
    emotion = [of[k][i // 6 % len(of[k])] for i, k in enumerate(corpus.image.label)]
    return replace(corpus, image=replace(corpus.image, emotion=np.array(emotion)))


@pytest.fixture
def study(tmp_path, monkeypatch):
    shards(tmp_path / "art", np.random.default_rng(0).normal(size=(60, 6)).astype(np.float32))
    monkeypatch.setattr(methods, "acp_net_embeddings",
                        lambda inputs, options, modality: getattr(small(strength=1.0), modality))
    table = manifest(songs=48, segments=1, pictures=60)
    table["emotion"] = [{"positive": "awe", "neutral": "", "negative": "fear"}[c] if m == "image" else ""
                        for c, m in zip(table["class"], table["modality"], strict=True)]
    table["duration"] = np.where(table["modality"] == "music", 60.0, 0.0)
    corpus, profile = with_emotions(small()), load(seeds=2, test_pairs=60, results=str(tmp_path))
    tags = screened(pd.DataFrame({"tag": list(TAGS), "frequency": list(TAGS.values())}))
    return Counted(manifest=table, corpus=corpus, profile=profile, tags=tags, provenance={"code": "a", "x": [1, 2.5]},
                   test_pairs=lambda _=None: corpus.draw("test", "class_balanced", 60, np.random.default_rng(0)),
                   network="main",
                   bayes_rate=lambda: 85.0,
                   raw=lambda kind: tmp_path / kind)


def test_the_papers_numbers_add_up():
    assert sum(paper.CLEAN_TAGS.values()) == 2971
    assert sum(paper.SONGS.values()) == 3812
    assert sum(paper.IMAGES.values()) == 89395
    assert 4 * 60 < paper.HOURS * 3600 / 3812 < 5 * 60
    assert max(paper.CORRESPONDENCE, key=paper.CORRESPONDENCE.get) == "ACP-Net"
    for numbers in (paper.TAGS, paper.CLEAN_TAGS, paper.IMAGES, paper.SONGS):
        assert tuple(numbers) == CLASSES


@pytest.mark.parametrize(("label", "tag"), [(c, t) for c, tags in paper.TAGS.items() for t in tags])
def test_the_papers_example_tags_pass_the_screening(label, tag):
    assert screen(tag) == (label, "")


@pytest.mark.slow
@pytest.mark.parametrize("number", tables.TABLES)
def test_every_row_has_both_columns_and_is_json(study, number, tmp_path):
    rows = tables.TABLES[number](study)
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows
    store.save(tmp_path, "rows", rows)
    assert store.read(tmp_path, "rows") == rows
    for row in rows:
        assert row["row"] and (row["ours"] is not None or number == 1) and (row["paper"] is not None or number > 3)
    assert len({(row["row"], row.get("what")) for row in rows}) == len(rows)


def values(table):
    """All numbers and lists in a dict of dicts."""
    return [x for v in table.values() for x in (values(v) if isinstance(v, dict) else [v])]


@pytest.mark.slow
@pytest.mark.parametrize(("number", "printed"), [
    (1, [[e for e in EMOTIONS if regroup(e) == c] for c in CLASSES]),
    (2, values(paper.TAGS) + values(paper.CLEAN_TAGS)),
    (3, [*values(paper.IMAGES), 89395, *values(paper.SONGS), 3812, paper.HOURS]),
    (4, values(paper.CORRESPONDENCE)), (5, values(paper.RECOGNITION)),
])
def test_each_number_that_the_paper_prints_has_one_row(study, number, printed):
    found = [row["paper"] for row in tables.TABLES[number](study) if row["paper"] is not None]
    assert sorted(found) == sorted(printed)


def test_table_1(study):
    rows = tables.table1(study)
    assert [e for row in rows for e in row["paper"]] == list(EMOTIONS)
    assert all(regroup(e) == row["row"] for row in rows for e in row["paper"])
    assert [row["ours"] for row in rows] == [["awe"], None, ["fear"]]


def test_table_2(study):
    ours = {row["row"]: row["ours"] for row in tables.table2(study)}
    assert (ours["sad"], ours["joyous"], ours["so energetic"]) == (9, 4, 0)
    assert [ours[f"clean {c} tags"] for c in CLASSES] == [2, 1, 1]
    assert [row["authors"] for row in tables.table2(study) if row["what"] == "clean tags"] == [880, 337, 1267]
    study.tags = None
    assert {row["ours"] for row in tables.table2(study)} == {None}


def test_table_3_counts_songs_once(study):
    study.manifest = pd.concat([study.manifest, study.manifest.tail(1).assign(id="s0047#1")], ignore_index=True)
    ours = {(row["what"], row["row"]): row["ours"] for row in tables.table3(study)}
    assert [ours["pictures", c] for c in (*CLASSES, "all")] == [20, 20, 20, 60]
    assert [ours["songs", c] for c in (*CLASSES, "all")] == [16, 16, 16, 48]
    assert ours["hours of music", "all"] == round(49 / 60, 2)
    released = [row["released"] for row in tables.table3(study) if row["what"] == "songs"]
    assert released == [1501, 1631, 1027, 4159]


@pytest.mark.slow
def test_table_4(study):
    rows = tables.table4(study)
    assert [r["row"] for r in rows] == ["L3-Net", "Spectrogram-ACP", "ACP-Net", *BASELINES]
    assert {r["row"] for r in rows if r["paper"] is None} == set(BASELINES)
    row = tables.row_of(rows, "ACP-Net")
    assert (row["paper"], row["ours"], row["values"], row["seeds"]) == (61.67, 50.0, [0.0, 100.0], [0, 1])
    assert row["best"] == 0  # the first run is right about nothing, but was the better one on validation pairs
    assert row["interval"] == [0, 100]  # 50 -+ 12.7 * 50, and no accuracy lies beyond
    assert row["variances"] == [[0, 1], [pytest.approx(50**2), 1]]  # half of the runs are right about every pair
    assert row["stuck"] == 1  # half of the mean is one kind of run, half the other
    assert (row["chance"], row["bayes"], row["n_pairs"], row["pairs"]) == (
        pytest.approx(50), 85.0, 60, "class_balanced")


@pytest.mark.slow
def test_of_one_run_no_luck_of_seeds_is_known(study):
    study.profile = load(seeds=1, test_pairs=60)
    row = tables.row_of(tables.table4(study), "ACP-Net")
    assert row["interval"] == [0, 0] and row["ours"] == 0 and len(row["variances"]) == 1


@pytest.mark.slow
def test_a_baseline_has_no_seeds_to_vary(study):
    row = tables.row_of(tables.table4(study), "always false")
    assert len(row["variances"]) == 1 and row["values"] == [row["ours"]] and row["interval"][0] < row["ours"]
    assert row["ours"] == pytest.approx(100 * (study.test_pairs().truth == 0).mean())


def of(rows, modality):
    return {row["row"]: row for row in rows if row["what"].startswith({"image": "picture"}.get(modality, modality))}


@pytest.mark.slow
def test_table_5_has_the_papers_rows_and_every_method_that_is_trained(study):
    rows = tables.table5(study)
    for modality, (word, names) in {"image": ("picture", EMOTIONS), "music": ("music", CLASSES)}.items():
        found = of(rows, modality)
        assert {r: v["paper"] for r, v in found.items() if v["paper"] is not None} == paper.RECOGNITION[modality]
        assert set(GROUPS[modality]) < set(found)
        assert {(v["what"], *v["classes"]) for v in found.values()} == {(f"{word}, {len(names)} classes", *names)}
        assert found["Random"]["ours"] == pytest.approx(paper.RECOGNITION[modality]["Random"], abs=0.05)
        last = [r for r in found if r.endswith("random labels")]
        assert list(found)[:2] == ["Random", "The most frequent"] and list(found)[-len(last):] == last
    assert len(of(rows, "image")) + len(of(rows, "music")) == len(rows)


@pytest.mark.slow
@pytest.mark.parametrize("modality", ["image", "music"])
def test_a_row_of_table_5_agrees_with_itself(study, modality):
    side = getattr(study.corpus, modality)
    counts = np.bincount(methods.labels(side)[0][side.rows("test")], minlength=len(methods.labels(side)[1]))
    for name, row in of(tables.table5(study), modality).items():
        if name == "Random":
            continue
        matrix, runs = np.array(row["confusion"]), len(row["values"])
        assert matrix.sum(1).tolist() == (runs * counts).tolist()
        assert row["ours"] == pytest.approx(100 * np.trace(matrix) / matrix.sum()) == np.mean(row["values"])
        share = [100 * d / s if s else None for d, s in zip(np.diag(matrix), matrix.sum(1), strict=True)]
        assert row["recall"] == [None if s is None else pytest.approx(s) for s in share]
        assert row["balanced"] == pytest.approx(np.mean([r for r in row["recall"] if r is not None]))
        assert ("by_song" in row) == (modality == "music")
        assert "by_song" not in row or row["by_song"] == pytest.approx(row["ours"])  # a segment a song
        assert row["interval"][0] <= row["ours"] <= row["interval"][1]
        assert len(row["variances"]) == (1 if runs == 1 else 2)


@pytest.mark.slow
def test_what_runs_say_stands_in_table_5(study):
    row = of(tables.table5(study), "music")["193 numbers + MLP, random labels"]
    assert (row["seeds"], row["memorised"], row["values"][1]) == ([0, 1], 62.5, 100.0)
    assert row["values"][0] == pytest.approx(100 / 3)  # the first class, of three that are equally frequent
    assert row["recall"] == pytest.approx([100, 50, 50])


@pytest.mark.slow
def test_probes_on_features_that_hold_the_class_beat_the_most_frequent(study):
    found = of(tables.table5(study), "music")
    assert found["193 numbers, linear"]["ours"] > 90 > found["The most frequent"]["ours"] + 50


@pytest.mark.slow
@pytest.mark.parametrize("kept", [None, [e for e in range(8) if EMOTIONS[e] != "awe"]])
def test_without_all_emotions_table_5_names_classes(study, kept):
    known = study.corpus.image.emotion
    emotion = None if kept is None else np.where(np.isin(known, kept), known, -1)
    study.corpus = replace(study.corpus, image=replace(study.corpus.image, emotion=emotion))
    found = of(tables.table5(study), "image")
    assert {(row["what"], *row["classes"]) for row in found.values()} == {("picture, 3 classes (paper: 8)", *CLASSES)}
    assert (found["Random"]["paper"], found["Random"]["ours"]) == (12.5, pytest.approx(100 / 3))


@pytest.mark.slow
def test_pictures_without_an_emotion_are_left_out_of_the_eight(study):
    emotion = study.corpus.image.emotion.copy()
    rows = study.corpus.image.rows("test")[:6]
    emotion[rows] = -1
    study.corpus = replace(study.corpus, image=replace(study.corpus.image, emotion=emotion))
    found = of(tables.table5(study), "image")
    left = len(study.corpus.image.rows("test")) - len(rows)
    assert [np.sum(found[name]["confusion"]) for name in ("The most frequent", "AlexNet, frozen")] == [left, 2 * left]


@pytest.mark.slow
def test_load_makes_once_and_anew_for_another_origin(study):
    rows = tables.load(study, 4)
    assert study.asked and all(row["provenance"] == study.provenance for row in rows)
    assert store.read(study.profile.results_path, "table4") == rows
    study.asked = 0
    assert tables.load(study, 4) == rows and not study.asked
    study.provenance = {"code": "b"}
    again = tables.load(study, 4)
    assert study.asked and again[0]["provenance"] == {"code": "b"}
    assert [{**r, "provenance": 0} for r in again] == [{**r, "provenance": 0} for r in rows]
    assert store.read(study.profile.results_path, "table4") == again


@pytest.mark.parametrize("rows", [[], [{"paper": 1, "ours": 2}]])
def test_results_of_unknown_origin_are_not_taken(study, rows):
    store.save(study.profile.results_path, "table1", rows)
    assert tables.load(study, 1)[0]["row"] == "positive"
