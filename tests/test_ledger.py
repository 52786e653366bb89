"""The open details, and that code and profiles keep to them."""

import inspect

import pytest

from acp_lib import models, profiles
from acp_lib.experiment import pairs
from acp_lib.features import music
from acp_lib.profiles import ledger

DEFAULTS = {
    "activation": "relu", "first_layer": "dense", "dropout": 0.4, "dropout_at": "fusion", "pairs": "class_balanced",
    "split": "song", "scaling": "zscore", "last_segment": 60.0, "image_size": 224, "batch": 128, "epochs": 50,
    "patience": 5, "optimiser": "adam", "learning_rate": 0.0001, "image_weights": "imagenet",
    "alexnet_weights": "imagenet", "width": 1.0, "raw_size": 224, "bins": 257, "frames": 199, "crops": 12,
    "precision": "float32", "probe_epochs": 50, "probe_patience": 5,
    "short_from": 10.0, "agreement": "all", "initialisation": "pytorch", "analysis_frame": "librosa",
    "probed_at": "after_relu",
}
FREE = {"classes", "inputs", "weights", "size"}  # of a network, and no open detail by that name


@pytest.mark.parametrize(("name", "value"), DEFAULTS.items())
def test_golden_defaults(name, value):
    assert ledger.default(name) == value
    assert type(ledger.default(name)) is type(value)


@pytest.mark.parametrize("name", ["first_layer", "inception", "dropout", "image_size", "epochs", "learning_rate",
                                  "optimiser", "raw_size", "scored_unit"])
def test_what_the_paper_states(name):
    assert ledger.details()[name].status == "paper"


@pytest.mark.slow
@pytest.mark.parametrize("detail", ledger.details().values(), ids=lambda d: d.name)
def test_every_entry_is_complete(detail):
    assert detail.status in ledger.STATUSES
    assert detail.what.endswith(".") and detail.source.endswith(".")
    assert detail.default not in detail.alternatives


CHOSEN = [name for name in ledger.details() if name in profiles.OPTIONS and profiles.OPTIONS[name].choices]


@pytest.mark.parametrize("name", CHOSEN)
def test_choices_are_the_default_and_its_alternatives(name):
    detail = ledger.details()[name]
    assert [detail.default, *detail.alternatives] == list(profiles.OPTIONS[name].choices)


@pytest.mark.slow
@pytest.mark.parametrize("detail", ledger.details().values(), ids=lambda d: d.name)
def test_alternatives_are_values_of_a_profile_or_it_is_said_why_they_are_not_swept(detail):
    if detail.unswept:
        assert detail.alternatives, "nothing to be swept"
        assert detail.unswept.endswith(".")
        return
    for value in detail.alternatives:
        assert getattr(profiles.load(**{detail.parameter: value}), detail.parameter) == value


def test_what_is_swept_is_what_has_alternatives_and_no_reason_against():
    swept = ledger.swept()
    assert {"pairs", "split", "scaling", "decay", "dropout_at"} <= set(swept)
    assert not {"image_size", "width", "test_pairs", "epochs", "optimiser"} & set(swept)


@pytest.mark.parametrize("name", profiles.NAMES)
def test_no_profile_departs_from_a_default_without_a_reason(name):
    said = profiles.read(name)
    departed = {d.name: d for d in ledger.departures(name)}
    assert set(departed) == {d.name for d in ledger.details().values()
                             if d.parameter in said and said[d.parameter] != d.default}
    for d in departed.values():
        assert len(d.reason) > 8, f"{name}.yml sets {d.name}: {d.value} and does not say why, as `{d.name}: ...  # why`"


def test_a_departure_has_the_reason_on_its_line(tmp_path, monkeypatch):
    lines = ("profile: mini", "weights: random  # no network", "batch: 64", "epochs: 50  # as ever")
    (tmp_path / "mini.yml").write_text("\n".join(lines))
    monkeypatch.setattr(profiles, "FOLDER", tmp_path)
    assert [(d.name, d.default, d.value, d.reason) for d in ledger.departures("mini")] == [
        ("batch", 128, 64, ""), ("image_weights", "imagenet", "random", "no network")]


def test_the_code_has_the_ledgers_defaults():
    assert profiles.OPTIONS["pairs"].choices == pairs.PROTOCOLS
    assert profiles.OPTIONS["analysis_frame"].choices == music.FRAMES
    for detail in ledger.details().values():
        if option := profiles.OPTIONS.get(detail.parameter):
            assert option.default == detail.default, detail.name


@pytest.mark.parametrize("network", [name for name in models.__all__ if isinstance(getattr(models, name), type)])
def test_the_networks_have_the_ledgers_defaults(network):
    held = inspect.signature(getattr(models, network)).parameters
    assert {k: p.default for k, p in held.items() if k not in FREE} == {k: ledger.default(k) for k in held
                                                                       if k not in FREE}
    assert "size" not in held or held["size"].default == ledger.default("raw_size")
    assert "weights" not in held or held["weights"].default == ledger.default("alexnet_weights")


def test_wrong_entries():
    with pytest.raises(ValueError, match="'x' has status 'guess'; expected one of .*paper"):
        ledger.Detail("x", 1, [], "guess", "", "")
    with pytest.raises(KeyError, match="nonsense"):
        ledger.default("nonsense")
