"""Additive approximations: exact for what adds, and far below what compares."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_baselines import separable
from test_corpus import saved
from torch import nn

from acp_lib.audits import additive
from acp_lib.experiment import baselines, pairs, tasks, training
from acp_lib.experiment.corpus import Corpus, Modality, Pairs
from acp_lib.experiment.methods import CONTROLS, blinded, with_random_labels
from acp_lib.models._branches import TwoBranches
from acp_lib.profiles import load


def linear(image: int = 6, music: int = 5, width: int = 8, seed: int = 0) -> TwoBranches:
    """A network that can only add."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return TwoBranches(nn.Linear(image, width), nn.Linear(music, width), nn.Sequential(nn.Linear(2 * width, 2)),
                           {"image": (image,), "music": (music,)}).eval()


class Equal(nn.Module):
    """True if and only if both of the first three numbers say the same class."""

    def __init__(self):
        super().__init__()
        first = nn.Linear(6, 3, bias=True)  # of one-hot halves: 2 where both are the class
        first.weight.data = torch.cat([torch.eye(3), torch.eye(3)], 1)
        first.bias.data = -torch.ones(3)
        last = nn.Linear(3, 2)
        last.weight.data, last.bias.data = torch.tensor([[0.0] * 3, [2.0] * 3]), torch.tensor([0.0, -1.0])
        self.image = self.music = nn.Identity()
        self.fusion = nn.Sequential(first, nn.ReLU(), last)

    def embed_image(self, x):
        return x[:, :3]

    embed_music = embed_image


# what adding can get


@pytest.mark.slow
@pytest.mark.parametrize("classes", [[1, 1], [1, 1, 1], [1, 0, 1], [1, 1, 1, 1], [9, 1, 4]])
def test_adding_gets_three_quarters_of_class_balanced_pairs(classes):
    """The formula of the chapter, and the trying of all answers."""
    table, k = pairs.joint("class_balanced", classes, classes), np.count_nonzero(classes)
    assert additive.additive_oracle(table) == pytest.approx(75)
    called = [1 / 2 + n / (2 * k) - n * (n - 1) / (4 * k * (k - 1)) for n in range(k + 1)]
    assert max(called) == called[-1] == pytest.approx(0.75) and called == sorted(called)


counts = st.lists(st.integers(1, 50), min_size=3, max_size=3)


@pytest.mark.slow
@settings(max_examples=25)
@given(counts, counts, st.sampled_from(pairs.PROTOCOLS), st.integers(0, 1000))
def test_no_sum_gets_more_and_knowing_less_is_no_better(images, music, protocol, seed):
    table, rng = pairs.joint(protocol, images, music), np.random.default_rng(seed)
    best = additive.additive_oracle(table)
    assert best <= 100 + 1e-9
    assert best >= max(pairs.oracle(table, 0), pairs.oracle(table, 1), pairs.oracle(table)) - 1e-9
    a, b, threshold = rng.standard_normal(3), rng.standard_normal(3), rng.standard_normal()
    says = a[:, None] + b[None] > threshold
    assert 100 * table[says == np.eye(3, dtype=bool)].sum() <= best + 1e-9


# the projection


@pytest.mark.parametrize("cells", [10**9, 500])  # the whole grid, and a part of it
def test_of_what_adds_nothing_is_lost(cells):
    corpus = separable(noise=0.5)
    asked = corpus.draw("test", "class_balanced", 2000, np.random.default_rng(3))
    added, own, explained, n, m = additive.emap(linear(), corpus, asked, cells=cells)
    assert np.abs(added - own).max() < 1e-6
    assert explained == pytest.approx(1, abs=1e-6)
    assert ((added > 0) == (own > 0)).mean() == 1
    whole = len(set(asked.image)), len(set(asked.music))
    assert ((n, m) == whole) if cells == 10**9 else (n < whole[0] and m < whole[1])


def test_of_what_compares_all_is_lost_under_balanced_pairs():
    corpus = separable()
    asked = corpus.draw("test", "class_balanced", 6000, np.random.default_rng(3))
    added, own, explained, *_ = additive.emap(Equal().eval(), corpus, asked)
    truth = asked.truth == 1
    assert ((own > 0) == truth).mean() == 1
    assert ((added > 0) == truth).mean() < 0.76
    assert explained < 0.05


def test_the_projection_is_the_least_squares_fit():
    corpus = separable(60, noise=0.7)
    net = linear()
    net.fusion = nn.Sequential(net.fusion[0], nn.Tanh(), nn.Linear(2, 2))
    i, j = (a.ravel() for a in np.meshgrid(corpus.image.rows("test"), corpus.music.rows("test"), indexing="ij"))
    grid = Pairs(i, j, np.zeros(len(i), int))
    added, own, explained, *_ = additive.emap(net.eval(), corpus, grid)
    design = np.concatenate([np.eye(len(set(i)))[np.unique(i, return_inverse=True)[1]],
                             np.eye(len(set(j)))[np.unique(j, return_inverse=True)[1]]], 1)
    fit = design @ np.linalg.lstsq(design, own, rcond=None)[0]
    np.testing.assert_allclose(added, fit, atol=1e-6)
    assert explained == pytest.approx(1 - ((own - fit) ** 2).sum() / ((own - own.mean()) ** 2).sum(), abs=1e-6)


def test_a_planted_shortcut_is_all_that_there_is():
    """Music of a rare class makes most pairs true if they are image-anchored: one half, hence a sum, explains all."""
    corpus = separable(360)
    few = np.flatnonzero((corpus.music.label == 0) | (np.arange(360) // 9 % 6 == 0))
    skewed = Corpus(corpus.image, Modality(corpus.music.x[few], corpus.music.label[few], corpus.music.part[few]))
    known = skewed.draw("train", "image_anchored", 6000, np.random.default_rng(1))
    asked = skewed.draw("test", "image_anchored", 3000, np.random.default_rng(2))
    said = baselines.predict_unimodal(skewed.music, known.music, known.truth, asked.music)
    half = (said == (asked.truth == 1)).mean()
    assert half > 0.6
    rule = [known.truth[skewed.music.label[known.music] == k].mean() - 0.5 for k in range(3)]
    net = linear()  # a network that has learnt nothing but this rule
    for layer in (net.music, net.fusion[0]):
        layer.weight.data.zero_()
        layer.bias.data.zero_()
    net.music.weight.data[0, :3] = torch.tensor(rule)
    net.fusion[0].weight.data[1, 8] = 1.0
    added, own, explained, *_ = additive.emap(net, skewed, asked)
    truth = asked.truth == 1
    assert ((own > 0) == truth).mean() == pytest.approx(half, abs=0.02)
    assert ((added > 0) == truth).mean() == ((own > 0) == truth).mean() and explained == pytest.approx(1)


def by_hand(f, weight_image, weight_music) -> additive.Grid:
    f, rows, columns = np.array(f, float), np.arange(len(f)), np.arange(len(f[0]))
    return additive.Grid(f, f, rows, columns, np.array(weight_image), np.array(weight_music), rows, columns)


@pytest.mark.parametrize(("f", "weights", "parts", "explained"), [
    ([[1, 0], [0, 1]], ([0.5, 0.5], [0.5, 0.5]), ([0.5, 0.5], [0.5, 0.5], 0.5), 0),  # compares
    ([[1, 2], [3, 4]], ([0.5, 0.5], [0.5, 0.5]), ([1.5, 3.5], [2, 3], 2.5), 1),  # adds
    ([[4, 0], [0, 0]], ([0.25, 0.75], [0.5, 0.5]), ([2, 0], [1, 0], 0.5), 4 / 7),  # 0.75 + 0.25 of 1.75
    ([[7, 7], [7, 7]], ([0.5, 0.5], [0.5, 0.5]), ([7, 7], [7, 7], 7), 1),
])
def test_the_projection_by_hand(f, weights, parts, explained):
    held = by_hand(f, *weights)
    for found, expected in zip(additive.projection(held), parts, strict=True):
        np.testing.assert_allclose(found, expected)
    assert additive.explained(held) == pytest.approx(explained)


def test_a_grid_holds_every_combination_and_weighs_samples_as_often_as_they_stand_in_pairs():
    corpus = separable(60, noise=0.5)
    asked = Pairs(np.array([5, 2, 5, 9]), np.array([7, 7, 1, 4]), np.zeros(4, int))
    whole = additive.grid(linear(), corpus, asked)
    assert whole.weight_image.tolist() == [0.25, 0.5, 0.25] and whole.weight_music.tolist() == [0.25, 0.25, 0.5]
    assert whole.i.tolist() == [1, 0, 1, 2] and whole.j.tolist() == [2, 2, 0, 1]
    f = additive.margins(linear(), corpus, np.array([2, 5, 9]), np.array([1, 4, 7]))
    for found in (whole.across, whole.down, whole.block):
        np.testing.assert_array_equal(found, f)
    part = additive.grid(linear(), corpus, asked, cells=6, seed=1)  # one of three on either side
    assert part.across.shape == (3, 1) and part.down.shape == (1, 3)
    np.testing.assert_allclose(part.across, f[:, part.music], atol=1e-6)
    np.testing.assert_allclose(part.down, f[part.pictures], atol=1e-6)
    assert part.weight_image.tolist() == part.weight_music.tolist() == [1.0] and part.block.shape == (1, 1)


# controls


def test_only_controls_above_chance_fail():
    rows = [{"row": "ACP-Net", "interval": [60, 70]}, {"row": additive.CONTROLS[0], "interval": [50.5, 56]},
            {"row": additive.CONTROLS[1], "interval": [44, 49]}, {"row": additive.CONTROLS[2], "interval": [49, 58]}]
    assert additive.failed(rows, 50) == [additive.CONTROLS[0]] and additive.failed(rows[2:], 50) == []


def test_labels_of_training_and_validation_are_dealt_and_those_of_the_test_stay():
    side = separable().image
    dealt = with_random_labels(side, 4)
    for k, part in enumerate(("train", "val", "test")):
        rows = side.rows(part)
        assert sorted(dealt.label[rows]) == sorted(side.label[rows])
        same = np.mean(dealt.label[rows] == side.label[rows])
        assert same == 1 if k == 2 else same < 0.6
    np.testing.assert_array_equal(side.label, separable().image.label)
    assert not blinded(side).x.any() and side.x.any()


def trained(corpus: Corpus, folder, name: str | None) -> float:
    """Accuracy of a small network of two branches after a short training, as it is or as a control."""
    inputs = saved(corpus, folder)
    profile = load(batch=32, pairs_per_epoch=1600, epochs=8, patience=8, test_pairs=2000, learning_rate=0.003)
    task = tasks.Correspondence(inputs.corpus, profile.pairing, profile.seed) if name is None else \
        CONTROLS[name].task(inputs, CONTROLS[name].options(profile), 0)
    torch.manual_seed(0)
    net = TwoBranches(nn.Sequential(nn.Linear(6, 32), nn.ReLU()), nn.Sequential(nn.Linear(5, 32), nn.ReLU()),
                      nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 2)), {"image": (6,), "music": (5,)})
    training.fit(net, task, profile.training, 0)
    answers = task.predictions(net)
    return float((answers["truth"] == answers["predicted"]).mean())


@pytest.mark.slow
def test_controls_are_at_chance_where_the_network_is_not(tmp_path):
    corpus = separable(600, noise=0.3)
    assert trained(corpus, tmp_path, None) > 0.8
    for name in CONTROLS:
        room = 0.12 if name == "random labels" else 0.05
        assert trained(corpus, tmp_path, name) == pytest.approx(0.5, abs=room), name


def test_embeddings_are_standardised_over_training():
    found = additive.with_embeddings(linear(), separable(noise=0.5))
    for side in (found.image, found.music):
        known = side.x[side.rows("train")]
        assert known.mean(0).abs().max() < 1e-5 and side.x.shape[1] == 8
