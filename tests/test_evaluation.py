"""Scores and how sure one may be of them: embeddings used again against the plain way; intervals by hand."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from test_corpus import small, streamed
from test_training import Tiny

from acp_lib.experiment import evaluation
from acp_lib.experiment.corpus import Modality, Pairs, Pictures, Slices
from acp_lib.experiment.evaluation import (
    accuracy,
    embed,
    logits,
    probability,
    t_interval,
)
from acp_lib.models import ACPNet, L3Net, SpectrogramACP


def naive(model, corpus, pairs):
    """Every pair through the whole network."""
    with torch.inference_mode():
        return model.eval()(corpus.image.x[pairs.image], corpus.music.x[pairs.music])


NETWORKS = {
    "small": (Tiny, (12, 6)),
    "ACP-Net": (ACPNet, (2048, 193)),
    "without first layers": (lambda: ACPNet(first_layer="input", activation="linear_embeddings"), (2048, 193)),
}


@pytest.mark.slow
@pytest.mark.parametrize(("make", "widths"), NETWORKS.values(), ids=NETWORKS)
def test_logits_are_those_of_the_whole_network_for_each_pair(make, widths):
    torch.manual_seed(0)
    model, corpus = make(), small(widths)
    pairs = corpus.draw("train", "uniform", 300, np.random.default_rng(3))
    plain = naive(model, corpus, pairs)
    found = logits(model, corpus, pairs)
    torch.testing.assert_close(found, plain, rtol=1e-5, atol=1e-5)
    assert torch.equal(found.argmax(1), plain.argmax(1)) and found.shape == (300, 2)


@pytest.mark.parametrize("chunk", [1, 7, 50, 64])
def test_the_chunk_does_not_matter(monkeypatch, chunk):
    model, corpus = Tiny(), small()
    pairs = corpus.draw("test", "class_balanced", 50, np.random.default_rng(0))
    whole = logits(model, corpus, pairs)
    monkeypatch.setattr(evaluation, "CHUNK", chunk)
    torch.testing.assert_close(logits(model, corpus, pairs), whole, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("training", [True, False])
def test_no_dropout_no_gradient_and_the_mode_is_left_as_it_was(training):
    model, corpus = Tiny(dropout=0.5).train(training), small()
    pairs = corpus.draw("test", "uniform", 20, np.random.default_rng(0))
    one, two = logits(model, corpus, pairs), logits(model, corpus, pairs)
    assert torch.equal(one, two) and not one.requires_grad and model.training == training


def test_probability_is_that_of_true():
    model, corpus = Tiny(), small()
    pairs = corpus.draw("test", "uniform", 40, np.random.default_rng(0))
    found = probability(model, corpus, pairs)
    expected = torch.softmax(naive(model, corpus, pairs), 1)[:, 1].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert found.dtype == np.float64 and ((found > 0) & (found < 1)).all()


@pytest.mark.parametrize(("p", "truth", "expected"), [
    ([0.9, 0.1], [1, 0], 1.0), ([0.9, 0.1], [0, 1], 0.0), ([0.5, 0.5], [1, 0], 0.5),  # one half is not a yes
    ([0.51, 0.6, 0.2, 0.3], [1, 0, 0, 0], 0.75), ([1.0], [1], 1.0),
])
def test_accuracy(p, truth, expected):
    assert accuracy(np.array(p), np.array(truth)) == expected


# pictures and spectrograms


def listener(network=L3Net, **options):
    torch.manual_seed(1)
    model = network(width=0.125, bins=16, frames=16, **options)
    for norm in (m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)):
        torch.nn.init.uniform_(norm.running_mean, -0.1, 0.1)
    return model.eval()


@pytest.fixture(scope="module")
def stream(tmp_path_factory):
    return streamed(tmp_path_factory.mktemp("stream") / "made")


@pytest.mark.slow
@pytest.mark.parametrize("chunk", [1, 5, 16, 100])
def test_embeddings_are_means_over_views_whatever_the_chunk(stream, monkeypatch, chunk):
    model, rows = listener(size=32), np.array([40, 3, 3, 17, 0, 29, 30])
    for kind in (Modality, Pictures, Slices):
        monkeypatch.setattr(kind, "chunk", chunk)
    with torch.inference_mode():
        views = stream.music.views(rows)
        heard = torch.stack([torch.stack([model.embed_music(view[None])[0] for view in one]).mean(0) for one in views])
        seen = model.embed_image(stream.image.views(rows)[:, 0])
    assert views.shape[1] == 3 and not torch.equal(views[:, 0], views[:, 1])
    torch.testing.assert_close(embed(model.embed_music, stream.music, rows), heard, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(embed(model.embed_image, stream.image, rows), seen, rtol=1e-4, atol=1e-5)
    features = small().image
    assert torch.equal(embed(lambda x: 2 * x, features, rows), 2 * features.x[rows])


@pytest.mark.slow
@pytest.mark.parametrize("heard", [1, 3])
def test_logits_of_streams_are_those_of_the_whole_network(stream, heard):
    """Of one view to the bit of rounding; of several, fused from the mean of their embeddings."""
    model = listener(size=32)
    corpus = replace(stream, music=replace(stream.music, crops=heard))
    pairs = corpus.draw("test", "uniform", 60, np.random.default_rng(3))
    with torch.inference_mode():
        images, views = corpus.image.views(pairs.image)[:, 0], corpus.music.views(pairs.music)
        music = torch.stack([model.embed_music(v) for v in views.unbind(1)]).mean(0)
        plain = model(images, views[:, 0]) if heard == 1 else model.fuse(model.embed_image(images), music)
    torch.testing.assert_close(logits(model, corpus, pairs), plain, rtol=1e-4, atol=1e-5)


def test_logits_where_the_music_alone_is_streamed(stream):
    model = listener(SpectrogramACP, first_layer="input")
    corpus = replace(small((2048, 6)), music=replace(stream.music, crops=1))
    pairs = corpus.draw("val", "uniform", 40, np.random.default_rng(3))
    with torch.inference_mode():
        plain = model(corpus.image.x[pairs.image], corpus.music.views(pairs.music)[:, 0])
    torch.testing.assert_close(logits(model, corpus, pairs), plain, rtol=1e-4, atol=1e-5)


def test_judging_does_not_move_batch_norm(stream):
    model = listener(size=32).train()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    logits(model, stream, stream.draw("test", "uniform", 20, np.random.default_rng(3)))
    assert model.training and all(torch.equal(v, before[k]) for k, v in model.state_dict().items())


# Student's t


@pytest.mark.parametrize(("values", "level", "expected"), [
    ([1, 2, 3, 4], 0.95, (2.5 - 3.182446 * 1.2909944 / 2, 2.5 + 3.182446 * 1.2909944 / 2)),
    ([60.0, 62.0], 0.95, (61 - 12.706205, 61 + 12.706205)),  # standard error 1
    ([60.0, 62.0], 0.5, (60.0, 62.0)),  # one degree of freedom: the quartiles lie one standard error away
    ([70.5, 70.5, 70.5], 0.95, (70.5, 70.5)),
    ([61.67], 0.95, (-np.inf, np.inf)),
])
def test_interval(values, level, expected):
    assert t_interval(values, level) == pytest.approx(expected, rel=1e-6)
    assert all(isinstance(v, float) for v in t_interval(np.array(values), level))


def test_no_values():
    with pytest.raises(ValueError, match="values is empty; expected the results of one or more runs"):
        t_interval([])


@pytest.mark.slow
@given(st.lists(st.integers(0, 1000).map(lambda k: k / 10), min_size=2, max_size=12))
def test_interval_holds_the_mean_and_is_wider_for_a_higher_level(values):
    low, high = t_interval(values)
    lower, higher = t_interval(values, 0.99)
    assert lower <= low <= np.mean(values) + 1e-9 and np.mean(values) - 1e-9 <= high <= higher


@pytest.mark.slow
def test_interval_covers_the_mean_as_often_as_it_says():
    rng = np.random.default_rng(0)
    held = [low <= 10 <= high for low, high in (t_interval(rng.normal(10, 2, 4)) for _ in range(1000))]
    assert np.mean(held) == pytest.approx(0.95, abs=0.025)


def test_shares_by_classes():
    """Pictures 0, 1, 2 are of classes 0, 1, 1; pieces of music 0, 1 of classes 2, 0."""
    corpus = SimpleNamespace(image=SimpleNamespace(label=np.array([0, 1, 1])),
                             music=SimpleNamespace(label=np.array([2, 0])))
    asked = Pairs(np.array([0, 1, 2, 1]), np.array([0, 0, 0, 1]), np.array([0, 0, 0, 0]))
    found = evaluation.by_classes(np.array([1.0, 0.5, 0.0, 1.0]), corpus, asked)
    np.testing.assert_array_equal(found, [[np.nan, np.nan, 1], [1, np.nan, 0.25], [np.nan] * 3])
