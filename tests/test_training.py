"""The training loop: learning, early stopping, the best weights, repeatability, what survives a kill, two processes."""

import json
import os
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch
from test_corpus import reread, saved, side, small, streamed
from test_runs import planned
from torch import distributed, multiprocessing, nn

from acp_lib import streams
from acp_lib.emotions import CLASSES
from acp_lib.engine import processes
from acp_lib.experiment import evaluation, runs, tasks, training
from acp_lib.experiment.corpus import Corpus, Modality
from acp_lib.experiment.tasks import Correspondence, Recognition
from acp_lib.models import MLP, L3Net
from acp_lib.profiles import load
from acp_lib.profiles.groups import Training

QUICK = {"batch": 32, "pairs_per_epoch": 640, "learning_rate": 0.01, "epochs": 4, "patience": 4}


class Tiny(nn.Module):
    """ACP-Net's shape in small: two branches, concatenation, fusion."""

    def __init__(self, seed: int = 0, widths=(12, 6), dropout: float = 0.1):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.image, self.music = (nn.Sequential(nn.Linear(w, 16), nn.ReLU()) for w in widths)
            self.fusion = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Dropout(dropout), nn.Linear(32, 2))

    def embed_image(self, image):
        return self.image(image)

    def embed_music(self, music):
        return self.music(music)

    def forward(self, image, music):
        return self.fusion(torch.cat([self.embed_image(image), self.embed_music(music)], 1))


def state(model):
    return {k: v.numpy().tobytes() for k, v in model.state_dict().items()}


def fit(model, corpus, seed=0, *, checkpoint=None, on_epoch=lambda history: None, **options):
    """The history of a network that is trained on the pairs of a corpus."""
    profile = load(**QUICK | options)
    task = Correspondence(corpus, profile.pairing, profile.seed)
    return training.fit(model, task, profile.training, seed, checkpoint=checkpoint, on_epoch=on_epoch)


def trained(seed=0, corpus=None, start=0, **options):
    """A trained network and its history."""
    model = Tiny(start)
    return model, fit(model, corpus or small(), seed, **options)


def convolved(corpus, seed=0, start=0, **fitted):
    """A trained L3-Net, narrow and on small inputs that are read from shards."""
    with torch.random.fork_rng():
        torch.manual_seed(start)
        model = L3Net(width=0.125, size=32, bins=16, frames=16)
    return model, fit(model, corpus, seed, batch=16, pairs_per_epoch=56, epochs=3, **fitted)


@pytest.fixture(scope="module")
def unbroken():
    return trained()


@pytest.mark.slow
def test_learns_what_no_half_tells_by_itself(unbroken):
    model, history = unbroken
    corpus = small()
    pairs = corpus.draw("test", "class_balanced", 1000, np.random.default_rng(5))
    found = evaluation.accuracy(evaluation.probability(model, corpus, pairs), pairs.truth)
    assert found > 0.8 and history[-1]["loss"] < history[0]["loss"]


def test_an_epoch_is_the_step_that_the_chapter_spells_out_taken_for_each_batch():
    profile = load(**QUICK | {"epochs": 1})
    model, _ = trained(seed=7, epochs=1)
    plain = Tiny()
    adam = torch.optim.Adam(plain.parameters(), lr=profile.learning_rate)
    batches = Correspondence(small(), profile.pairing, profile.seed).epoch([7, 1], profile.batch)
    torch.manual_seed(streams.number("dropout", 7, 1, 0))
    for (image, music), truth in (batches[k] for k in range(len(batches))):
        loss = torch.nn.functional.cross_entropy(plain(image, music), truth)
        adam.zero_grad()
        loss.backward()
        adam.step()
    for one, other in zip(model.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_without_a_signal_nothing_is_learned():
    corpus = small(n=(400, 400), strength=0.0)
    model, _ = trained(corpus=corpus, epochs=2)
    pairs = corpus.draw("test", "class_balanced", 4000, np.random.default_rng(5))
    assert abs(evaluation.accuracy(evaluation.probability(model, corpus, pairs), pairs.truth) - 0.5) < 0.06


def test_history(unbroken):
    _, history = unbroken
    assert [h["epoch"] for h in history] == list(range(1, len(history) + 1))
    for record in history:
        assert list(record) == ["epoch", "loss", "accuracy", "val_loss", "val_accuracy"]
        assert 0 <= record["accuracy"] <= 1 and 0 <= record["val_accuracy"] <= 1
        assert record["loss"] > 0 and record["val_loss"] > 0
    assert json.loads(json.dumps(history, allow_nan=False)) == history


@pytest.mark.slow
def test_the_weights_of_the_best_epoch_are_kept():
    corpus, seen = small(strength=1.0), []
    model = Tiny()
    history = fit(model, corpus, 1, epochs=8, patience=8, learning_rate=0.03,
                  on_epoch=lambda h: seen.append((len(h), state(model))))
    best = tasks.best_epoch(history)
    assert [n for n, _ in seen] == list(range(1, 9)) and best < 8, "a case in which the last epoch is not the best"
    assert state(model) == seen[best - 1][1] and not model.training
    pairs = Correspondence(corpus, load().pairing, 0).pairs("val", "class_balanced")
    found = evaluation.accuracy(evaluation.probability(model, corpus, pairs), pairs.truth)
    assert found == max(h["val_accuracy"] for h in history)


@pytest.mark.parametrize("patience", [1, 3])
def test_stops_early(monkeypatch, patience):
    scores = iter([0.5, 0.7, 0.6, 0.7, 0.65, 0.6, 0.6, 0.6])
    monkeypatch.setattr(training, "_validate", lambda *_: {"val_loss": 1.0, "val_accuracy": next(scores)})
    _, history = trained(epochs=8, patience=patience, pairs_per_epoch=64)
    assert len(history) == 2 + patience and tasks.best_epoch(history) == 2


def test_classes_are_learned_by_the_same_loop():
    profile, known = load(**QUICK | {"probe_epochs": 3, "epochs": 1}), side(8, 90, 3, 4.0)
    task = Recognition(known, known.label, CLASSES, profile.probing)
    torch.manual_seed(0)
    model = MLP(8, 3, dropout=0.1)
    history = training.fit(model, task, profile.training, 0)
    table = task.predictions(model)
    assert len(history) == 3 and history[-1]["val_accuracy"] > 0.9
    assert (table["truth"] == table["predicted"]).mean() > 0.9


# precision


def test_bfloat16_computes_coarser_and_comes_near(unbroken):
    model, history = trained(precision="bfloat16")
    assert all(p.dtype == torch.float32 for p in model.parameters())
    assert state(model) != state(unbroken[0])
    for one, other in zip(history, unbroken[1], strict=True):
        assert one["loss"] == pytest.approx(other["loss"], abs=0.02) and one["loss"] != other["loss"]
        assert one["val_accuracy"] == pytest.approx(other["val_accuracy"], abs=0.02)


def test_networks_run_in_the_precision_of_the_profile():
    seen, model = [], Tiny()
    model.fusion[0].register_forward_hook(lambda *a: seen.append((model.training, a[2].dtype)))
    fit(model, small(), precision="bfloat16", epochs=1, pairs_per_epoch=32)
    assert seen == [(True, torch.bfloat16)]
    with training.precision("bfloat16", "cpu"):
        assert model(small().image.x[:2], small().music.x[:2]).dtype == torch.bfloat16
    with training.precision("float32", "cpu"):
        assert model(small().image.x[:2], small().music.x[:2]).dtype == torch.float32


# repeatability


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bits_and_another_does_not(unbroken):
    model, history = unbroken
    torch.rand(5)  # what was drawn before does not matter
    again, other = trained(), trained(seed=1)
    assert state(again[0]) == state(model) and again[1] == history
    assert state(other[0]) != state(model) and other[1] != history


def test_validation_pairs_are_the_same_for_all_seeds_and_follow_the_profiles(monkeypatch):
    drawn = []
    logits = evaluation.logits
    monkeypatch.setattr(evaluation, "logits", lambda *a: drawn.append(a[2].digest) or logits(*a))
    for seed, of_profile in ((0, 0), (1, 0), (0, 1)):
        options = load(**QUICK | {"epochs": 1})
        training.fit(Tiny(), Correspondence(small(), options.pairing, of_profile), options.training, seed)
    assert len(drawn) == 3 and drawn[0] == drawn[1] != drawn[2]


def test_test_data_are_never_looked_at(unbroken):
    sides = []
    for s in (small().image, small().music):
        x = s.x.clone()
        x[s.rows("test")] = np.nan
        sides.append(Modality(x, s.label, s.part))
    model, history = trained(corpus=Corpus(*sides))
    assert state(model) == state(unbroken[0]) and history == unbroken[1]


# kill and resume


class Killed(BaseException):
    pass


def kill_after(epoch):
    def on_epoch(history):
        if len(history) == epoch:
            raise Killed

    return on_epoch


@pytest.mark.slow
@pytest.mark.parametrize("epoch", [1, 2, 3, 4])
def test_resumed_is_bit_for_bit_unbroken(tmp_path, monkeypatch, unbroken, epoch):
    monkeypatch.setattr(training, "SECONDS", -1)
    checkpoint = tmp_path / "run" / "checkpoint"
    with pytest.raises(Killed):
        trained(checkpoint=checkpoint, on_epoch=kill_after(epoch))
    seen = []
    model, history = trained(start=9, checkpoint=checkpoint, on_epoch=lambda h: seen.append(len(h)))
    assert seen == list(range(epoch + 1, 5))
    assert state(model) == state(unbroken[0]) and history == unbroken[1]
    assert list(checkpoint.parent.iterdir()) == []


@pytest.mark.slow
def test_killed_twice_and_epochs_after_the_checkpoint_are_repeated(tmp_path, monkeypatch, unbroken):
    checkpoint = tmp_path / "checkpoint"
    for seconds, epoch in ((-1, 1), (1000, 3), (-1, 3)):
        monkeypatch.setattr(training, "SECONDS", seconds)
        with pytest.raises(Killed):
            trained(checkpoint=checkpoint, on_epoch=kill_after(epoch))
    model, history = trained(checkpoint=checkpoint)
    assert state(model) == state(unbroken[0]) and history == unbroken[1]


def test_no_checkpoint_before_its_time(tmp_path):
    def on_epoch(history):
        assert not (tmp_path / "checkpoint").exists()

    trained(checkpoint=tmp_path / "checkpoint", on_epoch=on_epoch, epochs=2)
    assert list(tmp_path.iterdir()) == []


# networks of convolutions, on pictures and spectrograms that are read from shards


@pytest.fixture(scope="module")
def stream(tmp_path_factory):
    return streamed(tmp_path_factory.mktemp("stream") / "made")


@pytest.fixture(scope="module")
def unbroken_convolutions(stream):
    return convolved(stream)


@pytest.mark.slow
def test_convolutions_repeat_themselves_and_lie_in_memory_as_they_like_it(stream, unbroken_convolutions):
    model, history = unbroken_convolutions
    weight = model.image[3].weight
    assert weight.is_contiguous(memory_format=torch.channels_last) and not weight.is_contiguous()
    again, other = convolved(stream), convolved(stream, seed=1)
    assert state(again[0]) == state(model) and again[1] == history != other[1]


@pytest.mark.slow
@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_resumed_convolutions_are_bit_for_bit_unbroken(tmp_path, monkeypatch, stream, unbroken_convolutions, epoch):
    monkeypatch.setattr(training, "SECONDS", -1)
    with pytest.raises(Killed):
        convolved(stream, checkpoint=tmp_path / "checkpoint", on_epoch=kill_after(epoch))
    seen = []
    model, history = convolved(stream, start=9, checkpoint=tmp_path / "checkpoint",
                               on_epoch=lambda h: seen.append(len(h)))
    assert seen == list(range(epoch + 1, 4))
    assert state(model) == state(unbroken_convolutions[0]) and history == unbroken_convolutions[1]


def deadly(folder, checkpoint, told):
    """Train on what `streamed` wrote into a folder, noting each epoch, and die in the second."""
    training.SECONDS = -1

    def on_epoch(history):
        with told.open("a") as f:
            f.write(f"{len(history)}\n")
        if len(history) == 2:
            os.kill(os.getpid(), signal.SIGKILL)

    convolved(reread(folder), checkpoint=checkpoint, on_epoch=on_epoch)


@pytest.mark.slow
def test_a_process_that_is_killed_resumes_bit_for_bit(tmp_path, stream, unbroken_convolutions):
    checkpoint, told = tmp_path / "checkpoint", tmp_path / "told"
    process = processes.context().Process(target=deadly, args=(stream.image.x.folder.parent, checkpoint, told))
    process.start()
    process.join()
    assert (process.exitcode, told.read_text()) == (-signal.SIGKILL, "1\n2\n") and checkpoint.exists()
    told.unlink()
    seen = []
    model, history = convolved(stream, checkpoint=checkpoint, on_epoch=lambda h: seen.append(len(h)))
    assert seen == [3]
    assert state(model) == state(unbroken_convolutions[0]) and history == unbroken_convolutions[1]
    assert list(tmp_path.iterdir()) == []


# several processes


SHARED = {"epochs": 3, "pairs_per_epoch": 96, "batch": 32}


def of_two(rank, folder, run):
    """What each of two processes does: one run by hand, one that is kept, and a batch that they cannot share."""
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    try:
        model = Tiny(dropout=0.0)
        history = fit(model, small(), **SHARED)
        runs.train_run(run)
        try:
            fit(Tiny(), small(), batch=33)
        except ValueError as error:
            refused = str(error)
        training._validate = lambda *_: {"val_loss": 1.0, "val_accuracy": 0.5 + rank * next(better)}
        better = iter(np.arange(6) / 100)
        agreed = fit(Tiny(), small(), **SHARED | {"epochs": 6, "patience": 2})
        torch.save((history, model.state_dict(), refused, training.rank_and_size(), agreed), folder / f"{rank}.pth")
    finally:
        distributed.destroy_process_group()


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    options = QUICK | {"epochs": 1, "pairs_per_epoch": 64, "first_layer": "input", "test_pairs": 50}
    run = planned(folder / "run", saved(small((2048, 193), (24, 24)), folder / "corpus"), 5, **options)
    method = processes.context().get_start_method()
    multiprocessing.start_processes(of_two, (folder, run), nprocs=2, start_method=method)
    return run, [torch.load(folder / f"{rank}.pth") for rank in range(2)]


@pytest.mark.slow
def test_two_processes_have_one_history_and_one_network(two):
    one, other = two[1]
    assert one[0] == other[0] and len(one[0]) == 3
    assert all(torch.equal(v, other[1][k]) for k, v in one[1].items())
    assert [one[3], other[3]] == [(0, 2), (1, 2)]


@pytest.mark.slow
def test_where_two_processes_judge_otherwise_the_first_decides_when_to_stop(two):
    one, other = (found[4] for found in two[1])
    assert one == other and [h["val_accuracy"] for h in one] == [0.5] * 3


@pytest.mark.slow
def test_two_processes_learn_what_one_learns_from_the_same_batches(two):
    model = Tiny(dropout=0.0)
    history = fit(model, small(), **SHARED)
    for found, expected in zip(two[1][0][0], history, strict=True):
        assert found == pytest.approx(expected, rel=1e-4, abs=0.002)
    for name, value in model.state_dict().items():
        torch.testing.assert_close(two[1][0][1][name], value, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_the_first_of_two_processes_keeps_the_run(two):
    run = two[0]
    assert len(run.history) == 1 and len(run.predictions) == 50
    left = {p.name for p in run.folder.parent.iterdir() if "run" in p.name and not p.name.endswith(".lock")}
    assert left == {"run"}


@pytest.mark.slow
def test_a_batch_that_two_processes_cannot_share_is_refused(two):
    assert {found[2] for found in two[1]} == {"batch is 33, which 2 processes cannot share evenly; give a multiple"}


# what goes wrong


@pytest.mark.parametrize("options", [{}, {"epochs": 1, "pairs_per_epoch": 32}, {"epochs": 2, "pairs_per_epoch": 32}])
def test_a_loss_that_is_not_finite_ends_the_run(options):
    with pytest.raises(FloatingPointError, match=r"(nan|inf) in validation in epoch 1; lower .* \(now 1e\+37\)"):
        trained(learning_rate=1e37, **options)


def test_features_that_are_not_finite_end_the_run():
    x = small().image.x.clone()
    x[::3] = np.inf
    with pytest.raises(FloatingPointError, match="look for extreme values in the features"):
        trained(corpus=Corpus(Modality(x, small().image.label, small().image.part), small().music))


def test_a_gpu_that_is_not_there_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    run = planned(tmp_path / "run", saved(small((2048, 193), (24, 24)), tmp_path / "corpus"), **QUICK)
    with pytest.raises(ValueError, match="device is 'cuda', but no GPU was found; expected auto or cpu"):
        runs.train_run(replace(run, device="cuda"))
    assert not run.folder.exists()


# a rate that falls


@pytest.mark.parametrize(("decay", "losses", "falls"), [
    ("none", [1.0] * 9, 0), ("plateau", [], 0), ("plateau", [1, 0.9, 0.8, 0.7, 0.6, 0.5], 0), ("plateau", [1.0] * 4, 0),
    ("plateau", [1.0] * 5, 1), ("plateau", [1.0] * 9, 2), ("plateau", [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5], 0),
])
def test_the_rate_falls_on_a_plateau_of_the_validation_loss(decay, losses, falls):
    history = [{"val_loss": loss} for loss in losses]
    assert training.rate(Training(decay=decay, learning_rate=0.01), history) == pytest.approx(0.01 / 10**falls)


@pytest.mark.slow
def test_a_fallen_rate_stops_the_learning(monkeypatch):
    seen = []
    monkeypatch.setattr(training, "rate", lambda options, history: seen.append(len(history)) or 0.0)
    model, history = trained()
    assert seen == list(range(len(history))) and len(history) > 1
    assert state(model) == state(Tiny(0)), "with a rate of 0 nothing is learned"
