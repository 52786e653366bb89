"""The training loop: learning, early stopping, the best weights, repeatability, and what survives a kill."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from test_corpus import small
from torch import nn

from acp_lib import evaluation, training
from acp_lib.corpus import Corpus, Side
from acp_lib.profiles import load

QUICK = {"batch": 32, "pairs_per_epoch": 640, "learning_rate": 0.01, "epochs": 4, "patience": 4, "device": "cpu"}


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


def trained(seed=0, corpus=None, start=0, **options):
    """A trained network and its history."""
    model, fitted = Tiny(start), {k: options.pop(k) for k in ("checkpoint", "on_epoch") if k in options}
    return model, training.fit(model, corpus or small(), load(**QUICK | options), seed, **fitted)


@pytest.fixture(scope="module")
def unbroken():
    return trained()


def test_learns_to_compare_the_halves(unbroken):
    model, history = unbroken
    corpus = small()
    pairs = corpus.draw("test", "class_balanced", 1000, 5)
    found = evaluation.accuracy(evaluation.probability(model, corpus, pairs), pairs.truth)
    assert found > 0.8 and history[-1]["loss"] < history[0]["loss"]


def test_without_a_signal_nothing_is_learned():
    corpus = small(n=(400, 400), strength=0.0)
    model, _ = trained(corpus=corpus, epochs=2)
    pairs = corpus.draw("test", "class_balanced", 4000, 5)
    assert abs(evaluation.accuracy(evaluation.probability(model, corpus, pairs), pairs.truth) - 0.5) < 0.06


def test_history(unbroken):
    _, history = unbroken
    assert [h["epoch"] for h in history] == list(range(1, len(history) + 1))
    for record in history:
        assert list(record) == ["epoch", "loss", "accuracy", "val_loss", "val_accuracy"]
        assert 0 <= record["accuracy"] <= 1 and 0 <= record["val_accuracy"] <= 1
        assert record["loss"] > 0 and record["val_loss"] > 0
    assert json.loads(json.dumps(history, allow_nan=False)) == history


def test_the_weights_of_the_best_epoch_are_kept():
    corpus, seen = small(strength=1.0), []
    model = Tiny()
    history = training.fit(model, corpus, load(**QUICK | {"epochs": 8, "patience": 8, "learning_rate": 0.03}), 1,
                           on_epoch=lambda h: seen.append((len(h), state(model))))
    best = training.best_epoch(history)
    assert [n for n, _ in seen] == list(range(1, 9)) and best < 8, "a case in which the last epoch is not the best"
    assert state(model) == seen[best - 1][1] and not model.training
    pairs = corpus.draw("val", "class_balanced", training.EVALUATION_PAIRS, [0, 10])
    found = evaluation.accuracy(evaluation.probability(model, corpus, pairs), pairs.truth)
    assert found == max(h["val_accuracy"] for h in history)


@pytest.mark.parametrize(("values", "epochs", "patience", "best", "done"), [
    ([0.5], 5, 3, 1, False),
    ([0.5], 1, 3, 1, True),
    ([0.5, 0.6, 0.6], 9, 2, 2, False),
    ([0.5, 0.6, 0.6, 0.6], 9, 2, 2, True),  # equal is not better
    ([0.6, 0.5, 0.7], 9, 2, 3, False),
    ([0.6, 0.5, 0.55], 9, 2, 1, True),
    ([0.6, 0.5], 9, 1, 1, True),
    ([0.5, 0.6, 0.7], 3, 3, 3, True),
    ([0.5, 0.6, 0.7], 2, 9, 3, True),
])
def test_when_training_ends(values, epochs, patience, best, done):
    history = [{"val_accuracy": v} for v in values]
    assert training.best_epoch(history) == best
    assert training.finished(history, load(epochs=epochs, patience=patience)) == done


def test_training_begins_however_short_it_is():
    assert not training.finished([], load(epochs=1, patience=1))


@pytest.mark.parametrize("patience", [1, 3])
def test_stops_early(monkeypatch, patience):
    scores = iter([0.5, 0.7, 0.6, 0.7, 0.65, 0.6, 0.6, 0.6])
    monkeypatch.setattr(training, "_validate", lambda *_: {"val_loss": 1.0, "val_accuracy": next(scores)})
    _, history = trained(epochs=8, patience=patience, pairs_per_epoch=64)
    assert len(history) == 2 + patience and training.best_epoch(history) == 2


@pytest.mark.parametrize(("given", "expected"), [
    ({"pairs_per_epoch": 7}, 7), ({"batch": 64}, 6400), ({"batch": 2}, 200), ({"batch": 2, "n": 900}, 450),
])
def test_pairs_in_an_epoch(given, expected):
    corpus = small(n=(given.pop("n", 60), 12))
    assert training.pairs_per_epoch(corpus, load(**given)) == expected


# repeatability


def test_the_same_seed_gives_the_same_bits_and_another_does_not(unbroken):
    model, history = unbroken
    torch.rand(5)  # what was drawn before does not matter
    again, other = trained(), trained(seed=1)
    assert state(again[0]) == state(model) and again[1] == history
    assert state(other[0]) != state(model) and other[1] != history


def test_validation_pairs_are_the_same_for_all_seeds_and_follow_the_profiles(monkeypatch):
    drawn = []
    validate = training._validate
    monkeypatch.setattr(training, "_validate", lambda *a: drawn.append(a[2].digest) or validate(*a))
    for seed, of_profile in ((0, 0), (1, 0), (0, 1)):
        training.fit(Tiny(), small(), load(**QUICK | {"epochs": 1, "seed": of_profile}), seed)
    assert drawn[0] == drawn[1] != drawn[2]


def test_test_data_are_never_looked_at(unbroken):
    sides = []
    for s in (small().image, small().music):
        x = s.x.clone()
        x[s.rows("test")] = np.nan
        sides.append(Side(x, s.label, s.part))
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


SLOW = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_training import trained
from acp_lib import training
training.SECONDS = -1
def on_epoch(history):
    print(len(history), flush=True)
    time.sleep(0 if len(history) < 2 else 60)
trained(checkpoint=Path(sys.argv[2]), on_epoch=on_epoch)
"""


def test_a_process_that_is_killed_resumes_bit_for_bit(tmp_path, unbroken):
    checkpoint = tmp_path / "checkpoint"
    with subprocess.Popen([sys.executable, "-c", SLOW, Path(__file__).parent, checkpoint],
                          stdout=subprocess.PIPE) as process:
        assert [process.stdout.readline() for _ in range(2)] == [b"1\n", b"2\n"]
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL and checkpoint.exists()
    seen = []
    model, history = trained(checkpoint=checkpoint, on_epoch=lambda h: seen.append(len(h)))
    assert seen == [3, 4]
    assert state(model) == state(unbroken[0]) and history == unbroken[1]


# what goes wrong


@pytest.mark.parametrize("options", [{}, {"epochs": 1, "pairs_per_epoch": 32}, {"epochs": 2, "pairs_per_epoch": 32}])
def test_a_loss_that_is_not_finite_ends_the_run(options):
    with pytest.raises(FloatingPointError, match=r"(nan|inf) in validation in epoch 1; lower .* \(now 1e\+37\)"):
        trained(learning_rate=1e37, **options)


def test_features_that_are_not_finite_end_the_run():
    x = small().image.x.clone()
    x[::3] = np.inf
    with pytest.raises(FloatingPointError, match="look for extreme values in the features"):
        trained(corpus=Corpus(Side(x, small().image.label, small().image.part), small().music))


@pytest.mark.parametrize(("name", "there", "expected"), [
    ("cpu", True, "cpu"), ("cpu", False, "cpu"), ("auto", False, "cpu"), ("auto", True, "cuda"), ("cuda", True, "cuda"),
])
def test_device(monkeypatch, name, there, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")
    assert training.device(name) == expected


def test_a_gpu_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="device is 'cuda', but no GPU was found; expected auto or cpu"):
        trained(device="cuda")
