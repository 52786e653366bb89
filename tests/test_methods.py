"""What is trained for Tables 4 and 5: labels, labels dealt at random, and every method from its data to its answers."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from test_corpus import saved, shards, small
from test_runs import planned

from acp_lib.emotions import CLASSES, EMOTIONS
from acp_lib.experiment import methods, runs, tasks
from acp_lib.experiment.corpus import Modality, Pictures, Slices
from acp_lib.experiment.methods import GROUPS, labels, shuffled
from acp_lib.experiment.tasks import Correspondence, Recognition
from acp_lib.models import alexnet
from acp_lib.profiles import load

QUICK = {"batch": 4, "pairs_per_epoch": 8, "test_pairs": 30, "epochs": 1, "probe_epochs": 1, "first_layer": "input",
         "raw_size": 64, "bins": 16, "frames": 16, "crops": 2, "width": 0.125}
ALL = [(group, name) for group in GROUPS for name in GROUPS[group]]
JUDGES = ("pairs", "controls")
RANDOM = [(group, name) for group, name in ALL if name.endswith(", random labels")]


# labels


def pictures(emotion, part=None):
    n = len(emotion)
    return Modality(torch.zeros(n, 1), np.arange(n) % 3, np.zeros(n, int) if part is None else part, np.array(emotion))


def test_emotions_are_told_apart_where_training_has_all_of_them():
    side = small().image
    label, names = labels(side)
    assert names == EMOTIONS and label is side.emotion
    with_unknown = pictures([*range(8), -1])
    assert labels(with_unknown)[1] == EMOTIONS and labels(with_unknown)[0].tolist() == [*range(8), -1]


@pytest.mark.parametrize("side", [
    small().music,  # has none
    pictures([0, 1, 2, 3, 4, 5, 6, 6]), pictures([-1] * 8),
    pictures([*range(8), 1], np.array([0] * 7 + [1, 2])),  # one of them in validation alone
])
def test_else_classes(side):
    label, names = labels(side)
    assert names == CLASSES and label is side.label


@pytest.mark.slow
@given(st.lists(st.integers(-1, 7), min_size=1, max_size=60), st.integers(0, 2**32))
def test_labels_dealt_at_random_are_the_same_labels(values, seed):
    label = np.array(values)
    found = shuffled(label, seed)
    assert sorted(found) == sorted(label)
    np.testing.assert_array_equal(found == -1, label == -1)
    np.testing.assert_array_equal(found, shuffled(label, seed))
    np.testing.assert_array_equal(label, values)


def test_each_seed_deals_labels_otherwise_and_none_as_they_were():
    label = np.arange(300) % 3
    dealt = [shuffled(label, seed) for seed in range(3)]
    assert len({d.tobytes() for d in dealt}) == 3
    for d in dealt:
        assert np.mean(d == label) == pytest.approx(1 / 3, abs=0.12)


# methods


@pytest.mark.parametrize("group", GROUPS)
def test_an_unknown_method_is_refused(group):
    with pytest.raises(ValueError, match="method is 'VGG'; expected one of ") as error:
        methods.method(group, "VGG")
    assert str(error.value).endswith(", ".join(GROUPS[group]))


def test_the_rows_of_the_papers_tables_are_there():
    assert {group: len(known) for group, known in GROUPS.items()} == {"pairs": 3, "image": 6, "music": 5,
                                                                           "controls": 3}
    assert list(GROUPS["pairs"]) == ["L3-Net", "Spectrogram-ACP", "ACP-Net"]
    assert all(methods.method(*one) is GROUPS[one[0]][one[1]] for one in ALL)
    assert [methods.method(*one).pairs for one in ALL] == [group in JUDGES for group, _ in ALL]


@pytest.mark.slow
@pytest.mark.parametrize("one", ALL)
def test_options_are_groups_of_a_profile_each_once_and_a_need_brings_its_own(one):
    method, profile = methods.method(*one), load(epochs=7, probe_epochs=3)
    options = method.options(profile)
    groups = ["training", "pairing" if method.pairs else "probing", *method.groups]
    assert len(set(groups)) == len(groups)
    assert set(vars(options)) == {"seed", *groups} == set(options.named)
    assert all(getattr(options, name) is getattr(profile, name) for name in groups)
    assert options.seed == options.named["seed"] == profile.seed
    known = [name for group in groups for name in options.named[group]]
    assert len(set(known)) == len(known)
    for need, field in (("pixels", "raw_size"), ("slices", "frames"), ("slices", "bins"), ("slices", "crops"),
                        ("acp_net", "first_layer")):
        assert need not in method.needs or field in known
    with pytest.raises(AttributeError):
        _ = options.splitting
    assert method.epochs(options) == (7 if method.pairs else 3)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A corpus, its shards and a trained ACP-Net."""
    folder, rng = tmp_path_factory.mktemp("made"), np.random.default_rng(0)
    inputs = saved(small((2048, 193), (60, 24)), folder)
    shards(folder / "pixels", rng.integers(0, 256, (60, 64, 64, 3), dtype=np.uint8))
    shards(folder / "slices", rng.normal(size=(24, 40, 16)).astype(np.float16))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tasks, "VALIDATION_PAIRS", 50)
        run = planned(folder / "acp_net", inputs, **QUICK)
        runs.train_run(run)
        yield replace(inputs, pixels=folder / "pixels", slices=folder / "slices", acp_net=run.folder)


@pytest.fixture(scope="module")
def done(made, tmp_path_factory):
    """Every method, trained for an epoch."""
    folder, found = tmp_path_factory.mktemp("done"), {}
    for k, (group, name) in enumerate(ALL):
        found[group, name] = planned(folder / str(k), made, 1, group, name, **QUICK)
        runs.train_run(found[group, name])
    return found


@pytest.mark.slow
@pytest.mark.parametrize("one", ALL)
def test_every_method_is_built_trained_and_answers(done, one):
    run = done[one]
    assert [h["epoch"] for h in run.history] == [1] and np.isfinite(run.history[0]["loss"])
    task, files = run.task, {p.name for p in run.folder.iterdir()}
    if one[0] in JUDGES:
        assert list(run.predictions.columns) == ["image", "music", "truth", "probability", "predicted"]
        assert isinstance(task, Correspondence) and len(run.predictions) == 30
        assert files == {"history.json", "model.safetensors", "test.parquet"}
        np.testing.assert_array_equal(run.predictions["image"], task.pairs("test").image)
    else:
        assert list(run.predictions.columns) == ["item", "truth", "predicted"]
        assert isinstance(task, Recognition) and task.names == (EMOTIONS if one[0] == "image" else CLASSES)
        assert run.predictions["item"].tolist() == task.rows("test").tolist()
        assert files == {"history.json", "model.safetensors", "test.parquet", "train.parquet"}
        learnt = pd.read_parquet(run.folder / "train.parquet")
        assert learnt["item"].tolist() == task.rows("train").tolist()
        assert run.memorised == (learnt["truth"] == learnt["predicted"]).mean()
        np.testing.assert_array_equal(learnt["truth"], task.label[learnt["item"]])
    np.testing.assert_array_equal(run.correct, run.predictions["truth"] == run.predictions["predicted"])
    pd.testing.assert_frame_equal(task.predictions(run.model()), run.predictions)


@pytest.mark.slow
@pytest.mark.parametrize(("group", "name"), RANDOM)
def test_random_labels_are_dealt_anew_for_each_seed_to_the_same_features(made, group, name):
    assert len(RANDOM) == 4
    plain = name.removesuffix(", random labels")
    mixed, other = (planned(None, made, s, group, name, **QUICK).task for s in (1, 2))
    task = planned(None, made, 1, group, plain, **QUICK).task
    assert torch.equal(mixed.side.x, task.side.x) and mixed.names == task.names
    assert sorted(mixed.label) == sorted(task.label) and mixed.label.tolist() != other.label.tolist()
    np.testing.assert_array_equal(mixed.label, shuffled(task.label, 1, group))


@pytest.mark.slow
def test_inputs_take_the_place_of_features_where_they_are_needed(made):
    plain, whole, half = (planned(None, made, 0, "pairs", name, **QUICK).task.corpus
                          for name in ("ACP-Net", "L3-Net", "Spectrogram-ACP"))
    assert type(plain.image) is type(plain.music) is Modality
    assert isinstance(whole.image, Pictures) and isinstance(whole.music, Slices)
    assert (whole.music.frames, whole.music.crops) == (16, 2)
    for one, other in ((plain.image, whole.image), (plain.music, whole.music)):
        for field in ("label", "part", "emotion"):
            np.testing.assert_array_equal(getattr(one, field), getattr(other, field))
    assert type(half.image) is Modality and isinstance(half.music, Slices)


@pytest.mark.slow
@pytest.mark.parametrize("modality", ["image", "music"])
def test_embeddings_are_those_of_the_trained_network_standardised_on_training(done, made, modality):
    run, corpus = planned(made.acp_net, made, **QUICK), made.corpus
    probe = planned(None, made, 0, modality, "ACP-Net features + MLP", **QUICK)
    side, model = methods.acp_net_embeddings(made, probe.options, modality), run.model()
    with torch.inference_mode():
        x = getattr(model, f"embed_{modality}")(getattr(corpus, modality).x)
    train = side.rows("train")
    mean, deviation = x[train].mean(0), x[train].std(0, correction=0)
    live = deviation > 1e-4
    assert live.sum() > 100 and side.x.shape == x.shape
    torch.testing.assert_close(side.x[:, live], ((x - mean) / deviation)[:, live], rtol=1e-2, atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("modality", ["image", "music"])
def test_embeddings_before_the_relu_keep_what_is_below_zero(made, modality):
    corpus, model = made.corpus, planned(made.acp_net, made, **QUICK).model()
    probes = [planned(None, made, 0, modality, "ACP-Net features + MLP", **QUICK | {"probed_at": at})
              for at in ("after_relu", "before_relu")]
    after, before = (methods.acp_net_embeddings(made, probe.options, modality).x for probe in probes)
    with torch.inference_mode():
        embedding = getattr(model, f"embed_{modality}")(getattr(corpus, modality).x)
    assert before.shape == after.shape == embedding.shape
    silent = (embedding == 0).all(0)  # after the ReLU a constant
    assert silent.any() and (after[:, silent] == 0).all() and (before[:, silent].std(0) > 0.1).all()
    open_ = (embedding > 0).all(0)
    torch.testing.assert_close(before[:, open_], after[:, open_], rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_a_weights_file_is_looked_for_where_it_was_named(made, tmp_path, monkeypatch):
    """A process may train in another folder than the command that names the file."""
    asked = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(alexnet, "AlexNet", lambda classes, weights, width: asked.append((classes, weights)))
    for weights in ("some/file.pth", str(tmp_path / "file.pth"), "random"):
        run = planned(None, made, 0, "image", "AlexNet, fine-tuned", **QUICK, alexnet_weights=weights)
        with monkeypatch.context() as elsewhere:
            elsewhere.chdir("/")
            run.untrained()
    assert asked == [(8, str(tmp_path / "some/file.pth")), (8, str(tmp_path / "file.pth")), (8, "random")]


@pytest.mark.slow
def test_a_frozen_alexnet_gives_all_seeds_the_same_and_leaves_the_generator_alone(made):
    torch.manual_seed(4)
    before = torch.get_rng_state()
    frozen = ("image", "AlexNet, frozen")
    one, two = (planned(None, made, s, *frozen, **QUICK).task.side for s in (1, 2))
    assert torch.equal(one.x, two.x) and one.x.shape == (60, 512) and torch.equal(torch.get_rng_state(), before)
    assert not torch.equal(one.x, planned(None, made, 1, *frozen, **QUICK | {"seed": 3}).task.side.x)
