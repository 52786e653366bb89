"""The first call of every chapter: parameters, and the note that says what the page ran on."""

import math
from types import SimpleNamespace

import pandas as pd
import pytest
from conftest import corpus as folder_corpus
from IPython.core.formatters import DisplayFormatter

from acp_lib.book import chapter, report
from acp_lib.profiles import load
from acp_lib.study import SYNTHETIC, Study


class Shell:
    display_formatter = DisplayFormatter()
    user_ns_hidden = {"exit": 1, "quit": 2, "Out": {}}


@pytest.fixture
def shell(monkeypatch):
    monkeypatch.setattr(chapter, "get_ipython", Shell)


def notebook(**parameters):
    """The variables of a notebook whose parameters and imports have run."""
    return {"__name__": "__main__", "_i1": "profile = 'mini'", "_": "", "__doc__": None, "In": ["x"], "Out": {1: "x"},
            "exit": "hidden", "quit": "hidden", "math": math, "pd": pd, "say": report.say, "Study": Study,
            "CLASSES": ("a", "b"), **parameters}


def test_parameters_are_what_papermill_passes_and_nothing_else(shell):
    parameters = {"profile": "mini", "seed": None, "epochs": 3, "dropout": 0.5, "data": "", "list": [1], "map": {}}
    assert chapter.given(notebook(**parameters)) == parameters


def test_without_ipython():
    names = {k: v for k, v in notebook(profile="mini").items() if k not in Shell.user_ns_hidden}
    assert chapter.given(names) == {"profile": "mini"}


def test_parameters_are_remembered(shell):
    names = notebook(profile="mini", seed=None)
    assert chapter.given(names) == {"profile": "mini", "seed": None}
    names |= {"y": 3, "title": "found later", "seed": 5}
    assert chapter.given(names) == {"profile": "mini", "seed": 5}


@pytest.fixture
def said(monkeypatch):
    found = []
    monkeypatch.setattr(report, "display", lambda data, raw: found.append(data["text/markdown"]))
    monkeypatch.setattr(chapter.style, "theme", lambda: found.append("theme"))
    return found


@pytest.mark.parametrize(("parameters", "message"), [
    ({"epoch": 3}, "unknown parameter 'epoch'; expected some of .*epochs"),
    ({"epochs": "3"}, r"epochs is '3' \(str\); expected int"),
    ({"epochs": 3.5}, r"epochs is 3.5 \(float\); expected int"),
    ({"epochs": 0}, "epochs is 0; expected at least 1"),
    ({"seed": True}, r"seed is True \(bool\); expected int"),
    ({"data": ["a"]}, r"data is \['a'\] \(list\); expected str"),
    ({"pairs": "balanced"}, "pairs is 'balanced'; expected one of class_balanced"),
    ({"profile": "mimi"}, "profile is 'mimi'; expected one of"),
    ({"profile": "folder"}, "data is empty; profile 'folder' needs the folder of your pictures and music"),
])
def test_what_does_not_fit_is_refused(shell, said, parameters, message):
    with pytest.raises(ValueError, match=message):
        chapter.begin(notebook(**{"profile": "mini", **parameters}))
    assert not said


@pytest.mark.slow
def test_begin(shell, said, tmp_path):
    root = folder_corpus(tmp_path / "my *corpus*", pictures=1, songs=2)
    parameters = {"profile": "folder", "data": str(root), "work": str(tmp_path / "work"), "weights": "random"}
    names = notebook(**parameters, seed=None, epochs=2, split=None)
    for seed in (0, 7):
        study = chapter.begin(names)
        assert study.profile == load(**parameters, seed=seed, epochs=2) and not study.progress
        names["seed"] = 7  # a reader turns it and runs the cell again
    assert said[0] == said[2] == "theme"
    assert "Data: the folder 'my *corpus*':" in said[1].replace("\\", "")
    assert "my \\*corpus\\*" in said[1] and "profile folder, seed 0 (" in said[1] and "seed 7 (" in said[3]
    assert "3 pictures and 6 pieces of music from 6 songs;" in said[1]
    assert "seeded random weights" in said[1] and "ynthetic" not in said[1]


def test_the_banner_names_synthetic_data():
    table = pd.DataFrame({"modality": ["image"] * 3 + ["music"] * 4, "group": ["p", "q", "r", "s", "s", "t", "t"]})
    study = SimpleNamespace(listed=table, profile=load(seed=4), synthetic=True, data_name=SYNTHETIC,
                            weights_name="weights file a_b.pth")
    text = chapter.banner(study)
    assert "**Synthetic data**" in text and "says nothing about IMAC" in text and "[data card](data-card)" in text
    assert "3 pictures and 4 pieces of music from 2 songs;" in text
    assert "weights file a\\_b\\.pth" in text and "profile mini, seed 4 (" in text
    assert text.startswith(":::{div}") and text.endswith(":::\n") and text.count("\n") == 3  # one line
