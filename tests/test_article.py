"""The article: its numbers come from results alone, and synthetic and real data are told apart."""

import json
import re
from types import SimpleNamespace

import pytest
from conftest import extension_of_the_book

from acp_lib import paper
from acp_lib.audits import verdicts
from acp_lib.audits.standing import ADDITIVE, HALVES
from acp_lib.findings.article import Article, cell, counted, told
from acp_lib.findings.folds import TWO
from acp_lib.profiles import ROOT
from acp_lib.results import recorded, store

TEXT = (ROOT / "book/article.md").read_text("utf8")


def scored(row, ours, **more):
    half = {"interval": [ours - 5, ours + 5], "variances": [[4.0, 9.0], [2.0, 9.0]], "values": [ours - 1, ours + 1]}
    return {"row": row, "ours": ours, "seeds": [0, 1], "pairs": "class_balanced", "n_pairs": 4321, "network": "main",
            "split": "song", "paper": paper.CORRESPONDENCE.get(row), **half, **more}


@pytest.fixture(params=[("mini", True), ("folder", False), ("imac", False)], ids=lambda p: p[0])
def folder(tmp_path, request):
    profile, synthetic = request.param
    source = {"provenance": {"data": f"data of {profile}", "synthetic": synthetic, "profile": profile}}
    four = [scored("ACP-Net", 71.23), scored("L3-Net", 66.0), scored("picture alone", 49.1),
            scored("music alone", 50.4), scored(TWO, 80.5)]
    standing = [scored("ACP-Net", 70.2, chance=50.0, one_sided=50.0),
                *(scored(name, 20.0) for name in (*HALVES.values(), ADDITIVE))]
    for name, rows in (("table4", four), ("standing", standing)):
        store.save(tmp_path, name, [row | source for row in rows])
    return SimpleNamespace(path=tmp_path, profile=profile, synthetic=synthetic)


def test_sentences_hold_no_number_of_their_own():
    """But for the names of networks and of the interval, 95 %."""
    prose = re.sub(r"^---.*?---|```.*?\n|\{[\w:]+\}`[^`]*`|\]\(#[\w-]+\)|L3-Net|V3|95 %", "", TEXT, flags=re.S)
    assert re.findall(r"\d+", prose) == []


@pytest.mark.slow
def test_every_value_that_the_text_names_is_there(folder):
    named = set(re.findall(r"\{acp\}`(\w+)`", TEXT))
    values = Article(folder.path).values()
    assert len(named) > 20 and named <= set(values) and all(isinstance(v, str) and v for v in values.values())


def test_values_are_those_of_the_results(folder):
    values = Article(folder.path).values()
    assert {k: values[k] for k in ("main", "two", "alone", "runs", "pairs", "protocol", "reported", "data")} == {
        "main": "71.2 % (66.2 to 76.2)", "two": "80.5 % (75.5 to 85.5)", "alone": "49.1 and 50.4 %", "runs": "2",
        "pairs": "4,321", "protocol": "class-balanced", "reported": "61.67 %", "data": f"data of {folder.profile}"}
    assert "70.2 %" in values["standing"] and f"data of {folder.profile}" in values["standing"]


@pytest.mark.slow
def test_numbers_follow_a_change_of_the_results(folder):
    before = Article(folder.path).values()
    rows = json.loads((folder.path / "table4.json").read_text("utf8"))
    store.save(folder.path, "table4", [{**rows[0], **scored("ACP-Net", 55.5)}, *rows[1:]])
    after = Article(folder.path).values()
    assert {k for k in before if before[k] != after[k]} == {"main"} and after["main"] == "55.5 % (50.5 to 60.5)"


@pytest.mark.slow
def test_synthetic_data_are_called_so_wherever_they_are_shown(folder):
    article = Article(folder.path)
    head = "This run, synthetic" if folder.synthetic else "This run"
    assert all(head in row for row in (*article.accuracies(), *article.claims()))
    about = article.values()["about"]
    assert ("synthetic" in about and "no results on IMAC" in about) == folder.synthetic
    assert ("not the paper's" in about) == (folder.profile == "folder")
    assert "{acp}`about`" in TEXT.split("## Introduction")[0] and "{acp}`about`" in TEXT.split("## Results")[1]


@pytest.mark.slow
def test_the_tables_hold_every_method_claim_and_corpus(folder):
    article, corpora = Article(folder.path), [r["data"] for r in recorded.read("folds")]
    four, claims = article.accuracies(), article.claims()
    assert {"ACP-Net (main)", "L3-Net", TWO, ADDITIVE} <= {row["Method"] for row in four}
    own = next(row for row in four if row["Method"] == "L3-Net")
    assert own["Paper, IMAC"] == "57.17" and "66.0 (61.0 to 71.0)" in own.values()
    assert [row["Claim"] for row in claims] == [claim.claim for claim in verdicts.claims()]
    assert all({f"{data}, real" for data in corpora} <= set(row) for row in (*four, *claims))
    chance = next(row for row in claims if "better than chance" in row["Claim"])
    assert all(chance[f"{data}, real"].split(" (")[0] in verdicts.OUTCOMES for data in corpora)


@pytest.mark.parametrize("name", ["table4", "standing"])
def test_results_that_are_not_there_are_asked_for(folder, name):
    (folder.path / f"{name}.json").unlink()
    with pytest.raises(ValueError, match=rf"{name}\.json has no rows in .*; run the chapters first"):
        Article(folder.path)


@pytest.mark.parametrize(("row", "text", "sentence"), [
    ({"ours": 74.52, "interval": [68.06, 81.0]}, "74.5 (68.1 to 81.0)", "74.5 % (68.1 to 81.0)"),
    ({"ours": 74.52}, "74.5", "74.5 %"), ({"ours": 50.0, "interval": None}, "50.0", "50.0 %"),
])
def test_an_accuracy_in_a_cell_and_in_a_sentence(row, text, sentence):
    assert (cell(row), told(row)) == (text, sentence)


def test_verdicts_are_counted_without_arithmetic():
    def one(rule, outcome):
        return SimpleNamespace(claim=SimpleNamespace(rule=rule), outcome=outcome)

    judged = [one("above", "holds"), one("above", "holds"), one("every", "undecided"), one("arithmetic", "holds")]
    assert counted(judged, False) == "2 holds, 1 undecided"
    assert counted(judged, True) == "2 the method works, 1 undecided"


def test_pages_that_read_results_are_read_after_those_that_make_them():
    extension, names = extension_of_the_book("acp_book"), ["book/article", "a", "notebooks/91", "z"]
    app = SimpleNamespace(config=SimpleNamespace(acp_result_readers=["notebooks/91", "book/article"]))
    extension.results_last(app, None, names)
    assert names == ["a", "z", "book/article", "notebooks/91"]
