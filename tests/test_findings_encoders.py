"""Other encoders on the same pairs: the better one is found, ACP-Net takes what it is given, and what is said of it."""

import json
from dataclasses import asdict
from itertools import product

import numpy as np
import pytest
import torch
from conftest import corpus as folder_corpus

from acp_lib.experiment import baselines, intervals, probes
from acp_lib.features.encoders import ENCODERS
from acp_lib.findings import encoded, encoders, folds, record
from acp_lib.findings.encoders import ACP_NET, BOOK, PAIRS, TWO, written
from acp_lib.models import ACPNet
from acp_lib.profiles import load
from acp_lib.profiles.groups import Network
from acp_lib.results import recorded
from acp_lib.results.recorded import of
from acp_lib.study import Study

QUICK = {"jobs": 1, "image_size": 75, "seeds": 1, "epochs": 1, "batch": 8, "pairs_per_epoch": 16, "test_pairs": 60,
         "device": "cpu", "audit_seeds": 2, "audit_width": 0.125, "fc_width": 0.125}
GOOD = ("EfficientNet-Lite2", "musicnn")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    work = tmp_path_factory.mktemp("work")
    root = folder_corpus(tmp_path_factory.mktemp("root"), pictures=4, songs=4)
    return Study(load(profile="folder", data=str(root), work=str(work), results=str(work / "results"),
                      weights="random", **QUICK), progress=False)


@pytest.fixture(scope="module")
def planted(study):
    """What each encoder gives: GOOD tell the class, the others nothing."""
    rng, found = np.random.default_rng(1), {}
    for modality, book in BOOK.items():
        rows = study.manifest[study.manifest["modality"] == modality]
        label = rows["class"].map({"positive": 0, "neutral": 1, "negative": 2}).to_numpy()
        for name in encoders.names(modality):
            width = 20 if name == book else ENCODERS[name].width
            found[name] = rng.standard_normal((len(rows), width)).astype(np.float32)
            if name in GOOD:
                found[name][:, :3] += 8 * np.eye(3, dtype=np.float32)[label]
                found[name][:, 3:] = 0
    return found


@pytest.fixture
def told(planted, monkeypatch, tmp_path):
    monkeypatch.setattr(encoders, "_described", lambda study, folder, name: planted[name])
    monkeypatch.setattr(encoders, "_about", lambda study, folder, name: {"table": "encoder", "row": name})
    return tmp_path


@pytest.mark.slow
def test_the_better_encoders_are_found(study, told):
    found = {"rows": encoders.rows(study, told, folds=3), "data": "A"}
    at = {(row["image"], row["music"]): row for row in of(found, table="pairs", row=TWO)}
    assert list(at) == PAIRS and at[GOOD]["ours"] == 100
    assert all(row["ours"] < 90 for pair, row in at.items() if pair != GOOD)
    assert of(found, table="half", row=GOOD[1])[0]["ours"] == 100
    less, = of(found, table="less", image=GOOD[0], music=GOOD[1])
    assert less["ours"] == pytest.approx(100 - at[tuple(BOOK.values())]["ours"]) and less["interval"][0] > 0
    assert len(of(found, table="less")) == len(PAIRS) - 1 and len(of(found, table="half less")) == 3
    first = at[tuple(BOOK.values())]
    assert (first["pairs"], first["pictures"], first["songs"]) == (180, 12, 12)
    assert encoders.gained([found], TWO)[0].startswith(f"A: 100.0 % by {written(GOOD)} against ")
    assert json.loads(json.dumps(found, allow_nan=False)) == found


@pytest.mark.slow
def test_a_row_is_the_mean_over_the_pairs_of_all_folds(study, told, planted):
    row, = of({"rows": encoders.rows(study, told, folds=3)}, table="pairs", image=BOOK["image"], music="YAMNet")
    right, sizes = [], []
    for s in folds.dealt(study, 3):
        asked = folds.asked_of(s)
        image, music = (baselines.named(encoded.Modality.read(encoded.side(s, m, planted[n])))
                        for m, n in (("image", BOOK["image"]), ("music", "YAMNet")))
        right.append((image[asked.image] == music[asked.music]) == (asked.truth == 1))
        sizes.append(len(asked))
    assert row["ours"] == pytest.approx(100 * np.mean(np.concatenate(right)))
    assert row["values"] == pytest.approx([100 * r.mean() for r in right], abs=0.01)


@pytest.mark.slow
def test_halves_weigh_all_classes_alike(study, told, planted):
    row, = of({"rows": encoders.rows(study, told, folds=3)}, table="half", row="YAMNet")
    each, sizes = [], []
    for s in folds.dealt(study, 3):
        side = encoded.Modality.read(encoded.side(s, "music", planted["YAMNet"]))
        at = side.rows("test")
        sizes.append(len(at))
        each.append(100 * probes.Probed(side.label[at], baselines.named(side)[at]).balanced)
    assert row["ours"] == pytest.approx(np.average(each, weights=sizes)) and row["samples"] == 12


@pytest.mark.slow
def test_acp_net_is_trained_on_what_is_asked_for_and_on_the_books(study, told, planted, monkeypatch):
    x = {"image": planted[BOOK["image"]], "music": planted[BOOK["music"]]}
    monkeypatch.setattr(encoders._Fold, "planned", lambda fold, pair: encoded.planned(
        fold.study, [fold.files[name] for name in pair], 1))  # the book's vectors are planted here, too
    found = {"rows": encoders.rows(study, told, [written(GOOD)], folds=3), "data": "A"}
    made = of(found, table="pairs", row=ACP_NET)
    assert [(row["image"], row["music"]) for row in made] == [tuple(BOOK.values()), GOOD]
    assert all(row["runs"] == 3 and len(row["values"]) == 3 and row["network"].startswith("audit") for row in made)
    less, = of(found, table="less", row=ACP_NET)
    assert less["ours"] == pytest.approx(made[1]["ours"] - made[0]["ours"])
    assert encoders.missing([found]) == "A: " + ", ".join(
        written(pair) for pair in PAIRS if pair not in (GOOD, tuple(BOOK.values())))
    one, other, *_ = (encoded.planned(s, [encoded.side(s, m, v) for m, v in x.items()], 1)[0]
                      for s in folds.dealt(study, 3))
    weights = [run.untrained().state_dict()["image.0.weight"] for run in (one, other)]
    assert weights[0].shape[1] == 20 and (weights[0] != weights[1]).any()  # each fold begins with its own
    assert (one.untrained().state_dict()["image.0.weight"] == weights[0]).all()
    assert one.options.training.learning_rate == study.profile.training.learning_rate  # as wide as the main one here


@pytest.mark.slow
def test_the_books_pair_is_the_network_that_all_audits_share(study, told, planted):
    fold = encoders._Fold(folds.dealt(study, 3)[1], planted)
    assert fold.planned(tuple(BOOK.values())) == fold.study.audited.planned("pairs", ACP_NET)[:1]


@pytest.mark.slow
@pytest.mark.parametrize(("image", "music", "first"), [(1280, 200, "dense"), (2048, 1024, "dense"),
                                                       (1280, 200, "input")])
@pytest.mark.parametrize("initialisation", ["pytorch", "glorot"])
def test_only_the_first_layers_have_other_widths(image, music, first, initialisation):
    options = Network(first_layer=first, fc_width=0.25, initialisation=initialisation)
    own, plain = encoded.network(image, music, options), ACPNet(**asdict(options))
    changed = {name for name, x in own.state_dict().items() if x.shape != plain.state_dict()[name].shape}
    assert changed == {name for name, width in (("image.0.weight", image), ("music.0.weight", music))
                       if width != plain.state_dict()[name].shape[1]}
    assert own(torch.rand(4, image), torch.rand(4, music)).shape == (4, 2)
    assert (own.image[0].bias == 0).all().item() == (initialisation == "glorot")
    with pytest.raises(ValueError, match=f"expected floating point \\(batch, {image}\\)"):
        own(torch.rand(4, image + 1), torch.rand(4, music))


@pytest.mark.slow
def test_an_encoder_can_be_left_out(study, told):
    found = {"rows": encoders.rows(study, told, without=["musicnn"], folds=3)}
    assert not any("musicnn" in row.values() for row in found["rows"]) and len(of(found, table="pairs")) == 4
    assert [row["row"] for row in of(found, table="half")] == [BOOK["image"], GOOD[0], BOOK["music"], "YAMNet"]


@pytest.mark.slow
@pytest.mark.parametrize(("networks", "without", "said"), [
    ((), ["193 numbers"], "'193 numbers' cannot be left out; expected some of EfficientNet-Lite2, musicnn, YAMNet"),
    ([written(GOOD)], ["musicnn"], "ACP-Net is to be trained on EfficientNet-Lite2 × musicnn, of which one is left"),
    (["a"], (), "'a' is no pair of encoders")])
def test_what_cannot_be_asked_for_is_refused(study, told, networks, without, said):
    with pytest.raises(ValueError, match=said):
        encoders.rows(study, told, networks, without)


def test_pairs_are_asked_for_by_name():
    assert encoders.asked([written(GOOD), written(PAIRS[0]), written(GOOD)]) == [GOOD, PAIRS[0]]
    with pytest.raises(ValueError, match="'ResNet × musicnn' is no pair of encoders; expected some of 'Inc"):
        encoders.asked(["ResNet × musicnn"])


@pytest.mark.parametrize(("words", "said"), [
    (["encoders", "folder"], "--encoders is None; expected a folder for encoders"),
    (["folds", "folder", "--encoders", "x"], "--encoders is x, of which folds has no use: it is for encoders"),
])
def test_the_folder_of_weights_is_of_this_study_alone(words, said, capsys):
    assert record.main(words, "acp record") == 2
    assert said in capsys.readouterr().err


# --- what is said


def difference(low, high, **more):
    return {"table": "less", "row": TWO, "ours": (low + high) / 2, "interval": [low, high], **more}


def test_differences_are_counted_by_their_intervals():
    some = [{"rows": [difference(1, 2), difference(-1, 1)]}, {"rows": [difference(-3, -1), difference(0.5, 9)]}]
    assert encoders.told(some, row=TWO) == "2 of 4 are clearly above zero and 1 clearly below"
    assert encoders.told(some, row=ACP_NET) == "0 of 0 are clearly above zero and 0 clearly below"


def test_nothing_is_said_of_what_was_not_tried():
    result = {"data": "A", "rows": [{"table": "pairs", "row": TWO, **BOOK, "ours": 50.0}]}
    assert encoders.gained([result], ACP_NET) == []
    assert encoders.missing([result]) == "A: all"
    assert encoders.left_out([result]) == "EfficientNet-Lite2, musicnn, YAMNet on A"
    result["rows"] += [{"table": "encoder", "row": name} for name in ("EfficientNet-Lite2", "YAMNet")]
    assert encoders.left_out([result]) == "musicnn on A" and encoders.left_out([]) == "none"


# --- what is kept


def test_what_is_recorded_is_complete():
    for made in recorded.read("encoders"):
        assert set(recorded.ABOUT) | {"data", "data_fingerprint", "image_weights_digest", "settings"} <= set(made)
        assert made["synthetic"] is False and made["commit"] and " /" not in made["command"]
        about = {row["row"]: row for row in of(made, table="encoder")}
        used = {m: [name for name in encoders.names(m) if name in about] for m in BOOK}
        assert list(about) == [*used["image"], *used["music"]] and all(len(some) > 1 for some in used.values())
        assert all(about[name]["licence"] == encoder.licence and len(about[name]["weights"]) == 16
                   for name, encoder in ENCODERS.items() if name in about)
        at = {(row["image"], row["music"], row["row"]): row for row in of(made, table="pairs")}
        assert [tuple(pair) for *pair, way in at if way == TWO] == list(product(*used.values()))
        for row in made["rows"]:
            if row["table"] != "encoder":
                low, high = row["interval"]
                assert low <= row["ours"] <= high and row["ours"] == pytest.approx(intervals.of_row(row).value)
                assert len(row["values"]) == folds.FOLDS
        for row in of(made, table="less"):
            book = at[(*BOOK.values(), row["row"])]
            assert row["ours"] == pytest.approx(at[row["image"], row["music"], row["row"]]["ours"] - book["ours"])
