"""The paper's numbers beside a run's: what each cell says, and where more is told."""

import pytest

from acp_lib.results import comparison, store


def test_rows_of_each_kind():
    emotions = {"row": "neutral", "paper": ["contentment"], "ours": None}
    tag = {"row": "sad", "class": "negative", "what": "tag", "paper": 873, "ours": 0}
    count = {"row": "all", "what": "songs", "paper": 3812, "ours": 30}
    network = {"row": "ACP-Net", "paper": 61.67, "ours": 55.1234, "interval": [50.04, 60.26]}
    single = {"row": "picture alone", "paper": None, "ours": 50.0, "interval": None}
    control = {"row": "193 numbers + MLP, random labels", "what": "music, 3 classes", "paper": None, "ours": 33.3}
    rows = (1, emotions), (2, tag), (3, count), (4, network), (4, single), (5, control)
    assert [comparison.beside(number, [row])[0] for number, row in rows] == [
        {"what": "neutral", "paper": "contentment", "ours": None, "label": "tab-regrouping"},
        {"what": "negative: sad", "paper": 873, "ours": 0, "label": "tab-tags"},
        {"what": "songs: all", "paper": 3812, "ours": 30, "label": "tab-database"},
        {"what": "ACP-Net", "paper": "61.67", "ours": "55.1 (50.0 to 60.3)", "label": "tab-correspondence"},
        {"what": "picture alone", "paper": None, "ours": "50.0", "label": "tab-correspondence"},
        {"what": "music, 3 classes: 193 numbers + MLP, random labels", "paper": None, "ours": "33.3",
         "label": "tab-controls"}]


@pytest.mark.parametrize(("what", "label"), [("picture, 8 classes", "tab-emotion-pictures"),
                                             ("music, 3 classes", "tab-emotion-music")])
def test_rows_of_table_5_are_told_of_by_modality(what, label):
    assert comparison.label(5, {"row": "Random", "what": what}) == label


def test_what_results_are_about():
    assert "not about IMAC: the data is synthetic" in comparison.about(True, "synthetic")
    assert comparison.about(False, "imac") == "the available part of IMAC"
    assert comparison.about(False, "folder") == comparison.about(False, "emid") == (
        "the data of this run, which is not IMAC")


def test_provenance_as_one_list():
    made = {"data": "mine", "settings": {"seed": 0, "epochs": 2}, "versions": {"torch": "2.1"}, "code": "ab"}
    assert store.flattened(made) == {
        "data": "mine", "settings: seed": 0, "settings: epochs": 2, "version: torch": "2.1", "code": "ab"}
