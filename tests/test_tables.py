"""The paper's five tables: its own arithmetic, this run's numbers beside it, results files that follow their origin."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from conftest import manifest
from test_corpus import small

from acp_lib import report, tables
from acp_lib.baselines import BASELINES
from acp_lib.database.tags import screen, screened
from acp_lib.emotions import CLASSES, EMOTIONS, regroup
from acp_lib.profiles import load

TAGS = {"sad": 9, "joyous": 4, "calm": 3, "happy": 2, "happysad": 1, "rock": 50}


class Counted(SimpleNamespace):
    """A study whose numbers were made by hand; `runs` counts how often it is asked for."""

    asked = 0

    @property
    def runs(self):
        self.asked += 1
        truth = self.test_pairs().truth
        wrong = [0.9 - 0.8 * truth, 0.1 + 0.8 * truth]  # all wrong, all right
        return [SimpleNamespace(seed=i, probability=p) for i, p in enumerate(wrong[:self.profile.seeds])]


@pytest.fixture
def study(tmp_path):
    table = manifest(songs=48, segments=1, pictures=60)
    table["emotion"] = [{"positive": "awe", "neutral": "", "negative": "fear"}[c] if m == "image" else ""
                        for c, m in zip(table["class"], table["modality"], strict=True)]
    table["duration"] = np.where(table["modality"] == "music", 60.0, 0.0)
    corpus, profile = small(), load(seeds=2, test_pairs=60, results=str(tmp_path))
    tags = screened(pd.DataFrame({"tag": list(TAGS), "frequency": list(TAGS.values())}))
    return Counted(manifest=table, corpus=corpus, profile=profile, tags=tags, provenance={"code": "a", "x": [1, 2.5]},
                   test_pairs=lambda: corpus.draw("test", "class_balanced", 60, 0), bayes_rate=lambda: 85.0)


def test_the_papers_numbers_add_up():
    assert sum(tables.PAPER_CLEAN_TAGS.values()) == 2971
    assert sum(tables.PAPER_SONGS.values()) == 3812
    assert sum(tables.PAPER_IMAGES.values()) == 89395
    assert 4 * 60 < tables.PAPER_HOURS * 3600 / 3812 < 5 * 60
    assert max(tables.PAPER_CORRESPONDENCE, key=tables.PAPER_CORRESPONDENCE.get) == "ACP-Net"
    for numbers in (tables.PAPER_TAGS, tables.PAPER_CLEAN_TAGS, tables.PAPER_IMAGES, tables.PAPER_SONGS):
        assert tuple(numbers) == CLASSES


@pytest.mark.parametrize(("label", "tag"), [(c, t) for c, tags in tables.PAPER_TAGS.items() for t in tags])
def test_the_papers_example_tags_pass_the_screening(label, tag):
    assert screen(tag) == (label, "")


@pytest.mark.parametrize("number", tables.TABLES)
def test_every_row_has_both_columns_and_is_json(study, number):
    rows = tables.TABLES[number](study)
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows
    for row in rows:
        assert row["row"] and "ours" in row and (row["paper"] is not None or row["row"] in BASELINES)
        assert row["ours"] is not None or number == 1 or row["status"] == tables.NOT_BUILT
    assert len({(row["row"], row.get("what")) for row in rows}) == len(rows)


def test_table_1(study):
    rows = tables.table1(study)
    assert [e for row in rows for e in row["paper"]] == list(EMOTIONS)
    assert all(regroup(e) == row["row"] for row in rows for e in row["paper"])
    assert [row["ours"] for row in rows] == [["awe"], None, ["fear"]]


def test_table_2(study):
    ours = {row["row"]: row["ours"] for row in tables.table2(study)}
    assert (ours["sad"], ours["joyous"], ours["so energetic"]) == (9, 4, 0)
    assert [ours[f"clean {c} tags"] for c in CLASSES] == [2, 1, 1]
    study.tags = None
    assert {row["ours"] for row in tables.table2(study)} == {None}


def test_table_3_counts_songs_once(study):
    study.manifest = pd.concat([study.manifest, study.manifest.tail(1).assign(id="s0047#1")], ignore_index=True)
    ours = {(row["what"], row["row"]): row["ours"] for row in tables.table3(study)}
    assert [ours["pictures", c] for c in (*CLASSES, "all")] == [20, 20, 20, 60]
    assert [ours["songs", c] for c in (*CLASSES, "all")] == [16, 16, 16, 48]
    assert ours["hours of music", "all"] == round(49 / 60, 2)


def test_table_4(study):
    rows = tables.table4(study)
    assert [r["row"] for r in rows[:3]] == ["L3-Net", "Spectrogram-ACP", "ACP-Net"]
    row = tables.row_of(rows, "ACP-Net")
    assert (row["paper"], row["ours"], row["values"], row["seeds"]) == (61.67, 50.0, [0.0, 100.0], [0, 1])
    assert row["interval"] == [0, 100]  # 50 -+ 12.7 * 50, and no accuracy lies beyond
    assert row["clustered"] == [50.0, 50.0]  # half of the runs are right about every pair
    assert (row["chance"], row["bayes"], row["n_pairs"], row["pairs"]) == (
        pytest.approx(50), 85.0, 60, "class_balanced")


def test_one_run_has_no_interval_over_seeds(study):
    study.profile = load(seeds=1, test_pairs=60)
    row = tables.row_of(tables.table4(study), "ACP-Net")
    assert row["interval"] is None and row["ours"] == 0 and row["clustered"] == [0, 0]


def test_table_5():
    rows = {(row["what"], row["row"]): row for row in tables.table5(None)}
    assert rows["picture, 8 classes", "Random"]["ours"] == rows["picture, 8 classes", "Random"]["paper"] == 12.5
    assert rows["music, 3 classes", "Random"]["ours"] == pytest.approx(33.3, abs=0.05)
    assert len(rows) == 7


def test_load_makes_once_and_anew_for_another_origin(study):
    rows = tables.load(study, 4)
    assert study.asked and all(row["provenance"] == study.provenance for row in rows)
    assert report.load(study.profile.results_path, "table4") == rows
    study.asked = 0
    assert tables.load(study, 4) == rows and not study.asked
    study.provenance = {"code": "b"}
    again = tables.load(study, 4)
    assert study.asked and again[0]["provenance"] == {"code": "b"}
    assert [{**r, "provenance": 0} for r in again] == [{**r, "provenance": 0} for r in rows]
    assert report.load(study.profile.results_path, "table4") == again


@pytest.mark.parametrize("rows", [[], [{"paper": 1, "ours": 2}]])
def test_results_of_unknown_origin_are_not_taken(study, rows):
    report.save(study.profile.results_path, "table1", rows)
    assert tables.load(study, 1)[0]["row"] == "positive"
