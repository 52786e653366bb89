"""Tasks: batches that are the same whoever loads them, pairs and samples of an epoch, when training ends."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from test_corpus import small, stream  # noqa: F401 - a fixture
from torch import nn
from torch.utils.data import DataLoader

from acp_lib.emotions import CLASSES
from acp_lib.experiment import evaluation, tasks, training
from acp_lib.experiment.corpus import Modality
from acp_lib.experiment.tasks import Batches, Correspondence, Recognition
from acp_lib.profiles import load
from acp_lib.profiles.groups import Pairing, Probing


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip((*one[0], one[1]), (*other[0], other[1]), strict=True))


def counted(n: int) -> Modality:
    """A side whose features are the numbers of its samples."""
    return Modality(torch.arange(n)[:, None], np.arange(n) % 3, np.arange(n) // 3 % 3)


def batches(n=20, size=6, share=(0, 1), seed=(1, 2)):
    """Numbers 0 to n - 1 in turn, and backwards, with themselves as classes."""
    side, rows = counted(n), np.arange(n)
    return Batches((side, side), (rows, rows[::-1].copy()), rows, size=size, seed=seed, share=share)


# batches


def test_an_epoch_is_cut_into_batches_in_its_order():
    made = batches()
    assert len(made) == 4
    inputs, target = made[1]
    assert [x.flatten().tolist() for x in inputs] == [[6, 7, 8, 9, 10, 11], [13, 12, 11, 10, 9, 8]]
    assert target.tolist() == [6, 7, 8, 9, 10, 11] and made[3][1].tolist() == [18, 19]


@pytest.mark.slow
@given(st.integers(1, 60), st.integers(1, 12))
def test_all_samples_are_in_an_epoch_once(n, size):
    made = batches(n, size)
    assert torch.cat([made[k][1] for k in range(len(made))]).tolist() == list(range(n))
    assert len(made) == math.ceil(n / size)


@pytest.mark.slow
@given(st.integers(1, 6), st.integers(1, 5), st.integers(1, 40))
def test_shares_interleave_to_the_whole_batch_and_leave_out_a_rest(of, part, n):
    whole, size = batches(n, of * part), of * part
    shares = [batches(n, size, (i, of)) for i in range(of)]
    assert {len(s) for s in shares} == ({n // size} if of > 1 else {len(whole)})
    for k in range(n // size):
        for inputs in range(2):
            parts = [s[k][0][inputs] for s in shares]
            assert all(len(p) == part for p in parts)
            assert torch.equal(torch.stack(parts, 1).flatten(0, 1), whole[k][0][inputs])
        assert torch.equal(torch.stack([s[k][1] for s in shares], 1).flatten(), whole[k][1])


def of_stream(corpus, seed=(3, 1), share=(0, 1)):
    rng = np.random.default_rng(0)
    rows = rng.integers(60, size=40), rng.integers(48, size=40)
    return Batches((corpus.image, corpus.music), rows, np.arange(40) % 2, size=8, seed=seed, share=share)


def test_a_batch_is_the_same_in_any_order_of_asking(stream):  # noqa: F811
    made, order = of_stream(stream), [4, 1, 0, 1, 3, 2]
    first = [made[k] for k in range(5)]
    again = of_stream(stream)
    assert all(same(again[k], first[k]) for k in order)
    assert not any(same(of_stream(stream, (3, 2))[k], first[k]) for k in range(5))


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_processes_that_read_ahead_change_nothing(stream, workers):  # noqa: F811
    made = of_stream(stream)
    loaded = list(DataLoader(made, batch_size=None, num_workers=workers, generator=torch.Generator()))
    assert len(loaded) == 5 and all(same(one, made[k]) for k, one in enumerate(loaded))


@pytest.mark.parametrize(("where", "sides", "ahead"), [
    ("cuda:0", "music", 2), ("cuda:0", "image", 0), ("cpu", "music", 0)])
def test_only_shards_are_read_ahead_and_only_for_a_gpu(stream, where, sides, ahead):  # noqa: F811
    """By forked processes: others would import PyTorch anew for every epoch."""
    rows = np.zeros(8, int)
    side = stream.music if sides == "music" else Modality(torch.zeros(8, 3), rows, rows)
    loader = training._batches(Batches((side,), (rows,), rows, size=4, seed=(0,)), 2, where)
    assert loader.num_workers == ahead and loader.pin_memory == where.startswith("cuda")
    assert not ahead or loader.multiprocessing_context.get_start_method() == "fork"


def test_batches_of_an_epoch_differ_in_what_is_random(stream):  # noqa: F811
    made = Batches((stream.music,), (np.zeros(64, int),), np.zeros(64, int), size=32, seed=(0,))
    assert not torch.equal(made[0][0][0], made[1][0][0])


def test_shares_of_a_batch_differ_in_what_is_random(stream):  # noqa: F811
    rows, side = np.zeros(64, int), stream.music
    one, other = (Batches((side,), (rows,), rows, size=64, seed=(0,), share=(i, 2))[0][0][0] for i in range(2))
    assert len(one) == len(other) == 32 and not torch.equal(one, other)


# pairs


def drawn(task, seed):
    made = task.epoch(seed, 128)
    return [np.asarray(a).tolist() for a in (*made.rows, made.target)]


def test_pairs_are_drawn_anew_in_each_epoch_and_again_for_the_same_seed():
    task = Correspondence(small(), Pairing(pairs_per_epoch=200), 0)
    assert drawn(task, [0, 1]) == drawn(task, [0, 1])
    assert len({str(drawn(task, seed)) for seed in ([0, 1], [0, 2], [1, 1])}) == 3


def test_pairs_of_an_epoch_are_training_pairs_and_say_the_truth():
    corpus = small()
    image, music, truth = drawn(Correspondence(corpus, Pairing(pairs_per_epoch=500), 0), [0, 1])
    assert set(image) <= set(corpus.image.rows("train")) and set(music) <= set(corpus.music.rows("train"))
    np.testing.assert_array_equal(truth, corpus.image.label[image] == corpus.music.label[music])


@pytest.mark.parametrize(("given", "expected"), [
    ({"pairs_per_epoch": 7}, 7), ({"batch": 64}, 6400), ({"batch": 2}, 200), ({"batch": 2, "n": 900}, 450),
])
def test_pairs_in_an_epoch(given, expected):
    n, batch = given.pop("n", 60), given.pop("batch", 128)
    task = Correspondence(small(n=(n, 12)), Pairing(**given), 0)
    assert task.pairs_per_epoch(batch) == expected == len(task.epoch([0], batch).target)


def test_frozen_pairs_follow_the_profiles_seed_and_protocol_alone():
    def task(**change):
        profile = load(**change)
        return Correspondence(small(), profile.pairing, profile.seed)

    def digests(part):
        return [task(**change).pairs(part, protocol).digest for change, protocol in (
            ({}, None), ({"seeds": 2, "batch": 8}, None), ({}, "class_balanced"), ({"seed": 1}, None),
            ({}, "uniform"), ({"pairs": "uniform"}, None))]

    for part in ("val", "test"):
        found = digests(part)
        assert found[0] == found[1] == found[2] and found[4] == found[5] and len(set(found)) == 3
    few = task(test_pairs=50)
    assert len(few.pairs("test")) == 50 and len(few.pairs("val")) == tasks.VALIDATION_PAIRS == 4000
    assert set(few.pairs("val").image) <= set(small().image.rows("val"))


# samples


def recognition(n=45, label=None, **options):
    side = counted(n)
    return Recognition(side, side.label if label is None else label, CLASSES, Probing(**options))


class Says(nn.Module):
    """Gives to each sample the logits of a class, by its number."""

    def __init__(self, said):
        super().__init__()
        self.said = nn.Parameter(torch.tensor(said), requires_grad=False)

    def forward(self, x):
        return nn.functional.one_hot(self.said[x.flatten()], 3).float()


@pytest.mark.slow
@given(st.integers(9, 200), st.integers(2, 40), st.integers(0, 2**32))
def test_each_training_sample_is_in_an_epoch_equally_often_and_no_other(n, size, seed):
    task = recognition(n)
    rows, target = task.epoch([seed, 1], size).rows[0], task.epoch([seed, 1], size).target
    train = task.side.rows("train")
    times = np.bincount(rows, minlength=n)
    assert set(rows) == set(train) and len(set(times[train])) == 1
    assert times[train[0]] == math.ceil(25 * size / len(train))
    np.testing.assert_array_equal(target, task.label[rows])
    assert len(rows) >= 25 * size > len(rows) - len(train)


def test_the_order_of_samples_follows_the_epoch():
    orders = [recognition().epoch(seed, 4).rows[0].tolist() for seed in ([0, 1], [0, 2], [1, 1], [0, 1])]
    assert orders[0] == orders[3] and len({str(o) for o in orders}) == 3
    train = len(recognition().side.rows("train"))
    assert sorted(orders[0][:train]) == sorted(orders[0][train:2 * train]) != orders[0][:train]


@pytest.mark.parametrize("part", ["train", "val", "test"])
def test_samples_without_a_label_appear_nowhere(part):
    label = np.where(np.arange(45) % 4 == 0, -1, np.arange(45) % 3)
    task, model = recognition(label=label), Says(np.arange(45) % 3)
    assert (label[task.rows(part)] >= 0).all()
    assert sorted(task.rows(part)) == [i for i in task.side.rows(part) if i % 4]
    assert -1 not in task.epoch([0, 1], 4).target and -1 not in task.judge(model, part)[1]
    assert task.predictions(model, part)["item"].tolist() == task.rows(part).tolist()


def test_answers_say_what_was_predicted_of_each_sample():
    said = np.arange(45) % 3
    said[[6, 15]] = [1, 2]
    task = recognition()
    table = task.predictions(Says(said))
    assert list(table.columns) == ["item", "truth", "predicted"]
    assert table["item"].tolist() == task.side.rows("test").tolist()
    assert table["truth"].tolist() == (table["item"] % 3).tolist()
    wrong = table[table["truth"] != table["predicted"]]
    assert wrong.values.tolist() == [[6, 0, 1], [15, 0, 2]]
    assert len(task.predictions(Says(said), "train")) == len(task.side.rows("train"))
    logits, truth = task.judge(Says(said), "test")
    assert logits.shape == (15, 3) and truth.tolist() == table["truth"].tolist()


def test_a_sample_is_judged_by_the_mean_over_its_views(stream):  # noqa: F811
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(256, 3))
    task = Recognition(stream.music, stream.music.label, CLASSES, Probing())
    views = stream.music.views(stream.music.rows("test"))
    expected = torch.stack([model(v) for v in views]).mean(1)
    torch.testing.assert_close(task.judge(model, "test")[0], expected.detach())


# the end


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
    assert tasks.best_epoch(history) == best
    assert tasks.ended(history, epochs, patience) == done
    pairs = Correspondence(small(), Pairing(epochs=epochs, patience=patience), 0)
    samples = recognition(probe_epochs=epochs, probe_patience=patience)
    assert pairs.finished(history) == samples.finished(history) == done


def test_training_begins_however_short_it_is():
    assert not tasks.ended([], 1, 1)


def test_answers_of_pairs_are_the_probabilities_of_the_test_pairs():
    from test_training import Tiny

    task = Correspondence(small(), Pairing(test_pairs=70), 0)
    table, pairs = task.predictions(Tiny().eval()), task.pairs("test")
    assert list(table.columns) == ["image", "music", "truth", "probability", "predicted"]
    for column in ("image", "music", "truth"):
        np.testing.assert_array_equal(table[column], getattr(pairs, column))
    np.testing.assert_array_equal(table["probability"], evaluation.probability(Tiny().eval(), small(), pairs))
    np.testing.assert_array_equal(table["predicted"], table["probability"] > 0.5)
    assert set(table["predicted"]) <= {0, 1}
