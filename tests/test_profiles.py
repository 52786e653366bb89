"""Profiles: YAML files, options in groups, types, names of runs."""

import hashlib
import os
import re
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acp_lib import profiles
from acp_lib.experiment import splits
from acp_lib.profiles import OPTIONS, ROOT, load, parse, places
from acp_lib.profiles.groups import GROUPS
from acp_lib.profiles.ledger import default, details

NEEDS = {"mini": {}, "folder": {"data": "/d"}, "imac": {"data": "/d"}, "emid": {"data": "/d"}}


@pytest.mark.parametrize("name", profiles.NAMES)
def test_every_profile_loads_with_the_ledgers_defaults_unless_it_departs(name):
    p, said = load(name, **NEEDS[name]), profiles.read(name)
    assert p.profile == name == said["profile"]
    for option in OPTIONS.values():
        known = default(option.name) if option.name in details() else option.default
        assert getattr(p, option.name) == {**said, **NEEDS[name]}.get(option.name, known), option.name


def test_mini_runs_offline_and_imac_is_the_papers_setting():
    mini, imac = load(), load("imac", data="d")
    assert (mini.profile, mini.source, mini.weights) == ("mini", "synthetic", "random")
    assert (imac.weights, imac.batch, imac.epochs, imac.learning_rate) == ("imagenet", 128, 50, 1e-4)
    assert (mini.alexnet_weights, imac.alexnet_weights) == ("random", "imagenet")
    assert (imac.width, imac.raw_size, imac.bins, imac.frames, imac.crops) == (1.0, 224, 257, 199, 12)
    assert (mini.precision, imac.precision) == ("float32", "bfloat16")
    assert splits.RATIOS == (0.7, 0.1, 0.2)


@pytest.mark.slow
@pytest.mark.parametrize(("given", "message"), [
    ({"epoch": 3}, r"unknown parameter 'epoch'; expected some of .*epochs"),
    ({"epochs": "3"}, r"epochs is '3' \(str\); expected int"),
    ({"epochs": 3.0}, r"epochs is 3.0 \(float\); expected int"),
    ({"epochs": True}, r"epochs is True \(bool\); expected int"),
    ({"data": 7}, r"data is 7 \(int\); expected str"),
    ({"data": Path("x")}, r"data is .*Path.*expected str"),
    ({"data": "a\0b"}, r"data is 'a\\x00b'; expected no null character, which no path holds"),
    ({"epochs": 0}, "epochs is 0; expected at least 1"),
    ({"seed": -1}, "seed is -1; expected at least 0"),
    ({"batch": 1}, "batch is 1; expected at least 2"),
    ({"image_size": 74}, "image_size is 74; expected at least 75"),
    ({"raw_size": 15}, "raw_size is 15; expected at least 16"),
    ({"bins": 15}, "bins is 15; expected at least 16"),  # a trunk that halves them four times
    ({"frames": 15}, "frames is 15; expected at least 16"),
    ({"crops": 0}, "crops is 0; expected at least 1"),
    ({"probe_epochs": 0}, "probe_epochs is 0; expected at least 1"),
    ({"probe_patience": 0}, "probe_patience is 0; expected at least 1"),
    ({"width": 0.3}, "width is 0.3; expected one of 1.0, 0.5, 0.25, 0.125"),
    ({"precision": "float16"}, "precision is 'float16'; expected one of float32, bfloat16"),
    ({"last_segment": 9.9}, "last_segment is 9.9; expected at least 10"),
    ({"short_from": 0.5}, "short_from is 0.5; expected at least 1"),
    ({"agreement": "some"}, "agreement is 'some'; expected one of all, majority"),
    ({"learning_rate": float("nan")}, "learning_rate is nan; expected a finite number"),
    ({"learning_rate": float("inf")}, "learning_rate is inf; expected a finite number"),
    ({"dropout": 1}, "dropout is 1.0; expected a probability below 1"),
    ({"dropout": -0.1}, "dropout is -0.1; expected at least 0"),
    ({"pairs": "balanced"}, "pairs is 'balanced'; expected one of class_balanced, uniform"),
    ({"split": "Song"}, "split is 'Song'; expected one of song, artist, segment"),
    ({"device": "tpu"}, "device is 'tpu'; expected one of auto, cpu, cuda"),
    ({"profile": "maxi"}, "profile is 'maxi'; expected one of .*mini"),
    ({"profile": 3}, r"profile is 3 \(int\); expected str"),
    ({"profile": "../mini"}, "profile is '../mini'; expected one of"),
    ({"profile": "folder"}, "data is empty; profile 'folder' needs the folder .*-p data FOLDER"),
    ({"source": "imac"}, "data is empty"),
])
def test_wrong_values_are_named(given, message):
    with pytest.raises(ValueError, match=message):
        load(**given)


def test_an_unknown_key_in_a_file_is_refused(tmp_path, monkeypatch):
    (tmp_path / "mini.yml").write_text("profile: mini\nepohcs: 3\n")
    monkeypatch.setattr(profiles, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match="unknown parameter 'epohcs'"):
        load("mini")


def test_values():
    assert load(epochs=None).epochs == load().epochs
    assert load(learning_rate=1).learning_rate == 1.0 and type(load(learning_rate=1).learning_rate) is float
    assert load(seed=4, seeds=3).run_seeds == [4, 5, 6]
    assert load(jobs=3).processes == 3 and load(jobs=0).processes >= 1
    for group, name in ((load(), "seed"), (load().training, "batch")):
        with pytest.raises(FrozenInstanceError):
            setattr(group, name, 1)


def test_every_option_stands_in_one_group_and_can_be_read_by_its_own_name():
    p = load("folder", data="d")
    for option in OPTIONS.values():
        holders = [name for name in GROUPS if option.name in vars(getattr(p, name))]
        assert holders == [option.group] * bool(option.group), option.name
        held = getattr(p, option.group) if option.group else p
        assert getattr(p, option.name) == vars(held)[option.name] == p.flat[option.name]
    assert list(p.flat) == list(OPTIONS) and not set(OPTIONS) & set(GROUPS)
    with pytest.raises(AttributeError, match="a profile has no 'epoch'"):
        p.epoch  # noqa: B018


def test_changed_options_leave_the_other_groups_alone():
    p = load()
    other = p.changed(seed=4, batch=32, epochs=2)
    assert {k: v for k, v in other.flat.items() if v != p.flat[k]} == {"seed": 4, "batch": 32, "epochs": 2}
    assert other == load(seed=4, batch=32, epochs=2) and p == load() and other.database is p.database
    assert p.changed() == p and hash(p.changed()) == hash(p)
    for values, message in (({"batch": 1}, "batch is 1; expected at least 2"), ({"epoch": 3}, "unknown parameter"),
                            ({"source": "imac"}, "data is empty"), ({"training": 3}, "unknown parameter 'training'")):
        with pytest.raises(ValueError, match=message):
            p.changed(**values)


@pytest.mark.parametrize(("name", "text", "value"), [
    ("data", "007", "007"), ("weights", "1e3", "1e3"), ("seed", "007", 7), ("data", "", ""), ("data", "true", "true"),
    ("learning_rate", "1e-3", 0.001), ("dropout", "0", 0.0), ("work", "yes", "yes"),
])
def test_parse_by_the_type_of_the_field(name, text, value):
    found = parse(name, text)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(("name", "text", "message"), [
    ("seed", "x", "seed is 'x'; expected int"), ("seed", "1.5", "seed is '1.5'; expected int"),
    ("epochs", "", "epochs is ''; expected int"), ("dropout", "half", "dropout is 'half'; expected float"),
    ("sede", "1", "unknown parameter 'sede'"),
])
def test_parse_refuses(name, text, message):
    with pytest.raises(ValueError, match=message):
        parse(name, text)


def digits(path):
    return hashlib.sha256(str(path).encode()).hexdigest()[:6]


@pytest.mark.slow
@pytest.mark.parametrize(("given", "tag"), [
    ({}, "mini"),
    ({"seed": 0, "batch": 64}, "mini"),
    ({"seed": 3, "epochs": 2}, "mini-seed-3-epochs-2"),
    ({"jobs": 7, "work": "w", "results": "r"}, "mini"),
    ({"profile": "folder", "data": "/somewhere/My corpus"}, f"folder-data-My_corpus-{digits('/somewhere/My corpus')}"),
    ({"profile": "folder", "data": "a/b", "weights": "w/v3.pth"},
     f"folder-data-b-{digits(ROOT / 'a/b')}-weights-v3.pth-{digits(ROOT / 'w/v3.pth')}"),
    ({"profile": "folder", "data": "/", "weights": "random"}, f"folder-data--{digits('/')}-weights-random"),
    ({"profile": "imac", "data": "/d", "alexnet_weights": "random"},
     f"imac-data-d-{digits('/d')}-alexnet_weights-random"),
    ({"learning_rate": 0.001}, "mini-learning_rate-0.001"),
])
def test_tag(given, tag):
    assert load(**given).tag == tag


@pytest.fixture
def two_places(tmp_path):
    """Two folders of one name, one of which has a link to it."""
    for place in ("a/mine", "b/mine"):
        (tmp_path / place).mkdir(parents=True)
    (tmp_path / "link").symlink_to("a/mine")
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("option", ["data", "weights", "alexnet_weights"])
@pytest.mark.parametrize(("one", "other"), [("a/mine", "b/mine"), ("a", "a/mine"), ("mine", "a/mine"), (".", "a")])
def test_places_of_one_name_have_books_of_their_own(two_places, option, one, other):
    tags = {load("folder", **{"data": "d", option: f"{two_places}/{place}"}).tag for place in (one, other)}
    assert len(tags) == 2


@pytest.mark.slow
@pytest.mark.parametrize("spelled", ["a/mine/", "a/./mine", "a/../a/mine", "b/../a//mine", "link", "link/",
                                     "link/../mine"])
@pytest.mark.parametrize("option", ["data", "weights"])
def test_one_place_has_one_tag_however_it_is_spelled(two_places, option, spelled):
    def tag(path):
        return load("folder", **{"data": "d", option: path}).tag

    expected = tag(f"{two_places}/a/mine")
    assert tag(f"{two_places}/{spelled}") == tag(os.path.relpath(two_places / "a/mine")) == expected
    assert "mine-" in expected


def test_the_folder_itself_and_the_home_folder_have_names(monkeypatch, tmp_path):
    tag = load("folder", data=".").tag
    assert tag == f"folder-data-{ROOT.name}-{digits(ROOT)}" == load("folder", data="./").tag
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load("folder", data="~/x").tag == load("folder", data=str(tmp_path / "x")).tag
    assert load("folder", data="~no one at all/x").tag.startswith("folder-data-x-")


def test_home_and_paths(tmp_path, monkeypatch):
    for variable in places.VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    assert load().home == ROOT
    assert load().results_path == ROOT / "_build/results"
    other = load(seed=3)
    assert other.home == ROOT / "_build/profiles/mini-seed-3"
    assert other.results_path == other.home / "_build/results"
    monkeypatch.chdir(tmp_path)
    assert load(results="r").results_path == tmp_path / "r"
    assert load(results=str(tmp_path)).results_path == tmp_path
    assert load().work_path == ROOT / "_work"
    monkeypatch.setenv("ACP_WORK", str(tmp_path))
    assert load().work_path == tmp_path
    assert load(work="w").work_path == tmp_path / "w"


@pytest.mark.slow
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1))
def test_a_tag_is_one_plain_folder_name(name):
    p = load("folder", data=name)
    assert re.fullmatch(r"[\w.+-]+", p.tag)
    assert len(p.tag.encode()) <= 100 and p.home.parent == ROOT / "_build/profiles"


def test_long_tags_stay_apart():
    tags = {load("folder", data="x" * 120 + end).tag for end in "abc"}
    assert len(tags) == 3
    assert len(load("folder", data="\u97f3" * 80).tag.encode()) <= 100
