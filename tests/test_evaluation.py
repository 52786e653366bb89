"""Scores and how sure one may be of them: embeddings used again against the plain way; intervals by hand."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from test_corpus import small, streamed
from test_training import Tiny

from acp_lib.experiment import evaluation
from acp_lib.experiment.corpus import Modality, Pairs, Pictures, Slices
from acp_lib.experiment.evaluation import (
    accuracy,
    cluster_bootstrap,
    embed,
    logits,
    paired_bootstrap,
    paired_t_test,
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


@given(st.lists(st.integers(0, 1000).map(lambda k: k / 10), min_size=2, max_size=12))
def test_interval_holds_the_mean_and_is_wider_for_a_higher_level(values):
    low, high = t_interval(values)
    lower, higher = t_interval(values, 0.99)
    assert lower <= low <= np.mean(values) + 1e-9 and np.mean(values) - 1e-9 <= high <= higher


def test_interval_covers_the_mean_as_often_as_it_says():
    rng = np.random.default_rng(0)
    held = [low <= 10 <= high for low, high in (t_interval(rng.normal(10, 2, 4)) for _ in range(1000))]
    assert np.mean(held) == pytest.approx(0.95, abs=0.025)


# pictures and songs drawn anew


def world(rng, pictures=40, songs=8, n=600, spread=0.15):
    """Answers whose chance of being right depends on their picture and their song; 0.6 on average over all others."""
    of_picture, of_song = rng.normal(0, spread, pictures), rng.normal(0, spread, songs)
    i, j = rng.integers(pictures, size=n), rng.integers(songs, size=n)
    return (rng.random(n) < np.clip(0.6 + of_picture[i] + of_song[j], 0, 1)).astype(float), i, j


def binomial(correct):
    half = 1.96 * np.sqrt(correct.mean() * (1 - correct.mean()) / len(correct))
    return correct.mean() - half, correct.mean() + half


def test_where_pairs_share_songs_the_clustered_interval_is_wider_and_covers_where_the_binomial_one_does_not():
    rng, held, width = np.random.default_rng(1), {"clustered": [], "binomial": []}, {"clustered": [], "binomial": []}
    for _ in range(150):
        correct, i, j = world(rng)
        for name, (low, high) in (("clustered", cluster_bootstrap(correct, i, j, draws=200)),
                                  ("binomial", binomial(correct))):
            held[name].append(low <= 0.6 <= high)
            width[name].append(high - low)
    assert np.mean(width["clustered"]) > 1.5 * np.mean(width["binomial"])
    assert 0.85 <= np.mean(held["clustered"]) <= 0.99  # 0.95 found, where 0.95 is meant
    assert np.mean(held["binomial"]) < 0.75  # 0.48 found


def test_independent_pairs_are_no_narrower_than_binomial():
    rng = np.random.default_rng(2)
    correct = (rng.random(500) < 0.6).astype(float)
    low, high = cluster_bootstrap(correct, np.arange(500), np.arange(500))
    assert low < correct.mean() < high and high - low > binomial(correct)[1] - binomial(correct)[0]


def test_clustered_by_hand():
    # both songs drawn: 1/2; one of them twice: 0 or 1
    low, high = cluster_bootstrap(np.array([0.0, 1.0]), np.array(["p", "p"]), np.array(["a", "b"]))
    assert (low, high) == (0.0, 1.0)
    assert cluster_bootstrap(np.array([0.0, 1.0]), np.array(["p", "p"]), np.array(["a", "b"]), level=0.4) == (0.5, 0.5)
    assert cluster_bootstrap(np.array([0.25, 0.75]), np.array(["p", "p"]), np.array(["a", "a"])) == (0.5, 0.5)


def test_clustered_repeats_itself_and_does_not_depend_on_names():
    correct, i, j = world(np.random.default_rng(0))
    found = cluster_bootstrap(correct, i, j, draws=100)
    names = np.array([f"picture {k:03}" for k in range(40)])[i]
    assert found == cluster_bootstrap(correct, i, j, draws=100) == cluster_bootstrap(correct, names, j, draws=100)
    assert found != cluster_bootstrap(correct, i, j, draws=100, seed=1)
    assert all(isinstance(v, float) for v in found)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30))
def test_clustered_stays_within_the_answers(rows):
    correct, i, j = (np.array(column) for column in zip(*rows, strict=True))
    low, high = cluster_bootstrap(correct.astype(float), i, j, draws=50)
    assert correct.min() <= low <= high <= correct.max()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.booleans())
def test_one_group_of_one_is_no_interval(values, twice):
    values = np.array(values)
    groups = [np.zeros(len(values))] * (2 if twice else 1)
    assert cluster_bootstrap(values, *groups, draws=20) == pytest.approx((values.mean(), values.mean()))


def test_one_group_by_hand():
    """Of two songs with one answer each, either both are drawn or one of them twice: means of 0, 1/2 and 1."""
    values, song = np.array([0.0, 0.0, 1.0, 1.0]), np.array(["a", "a", "b", "b"])
    assert cluster_bootstrap(values, song) == (0.0, 1.0) and cluster_bootstrap(values, song, level=0.4) == (0.5, 0.5)
    means = evaluation._resampled(values, [song], 4000, 0)
    assert set(means) == {0.0, 0.5, 1.0}
    assert [np.mean(means == m) for m in (0.0, 0.5, 1.0)] == pytest.approx([0.25, 0.5, 0.25], abs=0.03)


# two methods on the same pairs


def test_a_method_is_no_better_than_itself():
    correct, i, j = world(np.random.default_rng(3))
    assert paired_bootstrap(correct, correct, i, j, draws=200) == {"difference": 0.0, "interval": [0.0, 0.0], "p": 1.0}


def test_a_method_that_is_clearly_better_has_the_smallest_p_there_is():
    worse, i, j = world(np.random.default_rng(3))
    better = np.maximum(worse, np.random.default_rng(4).random(len(worse)) < 0.5)
    found = paired_bootstrap(better, worse, i, j, draws=400)
    assert found["p"] == 1 / 400 and found["difference"] == pytest.approx(better.mean() - worse.mean())
    assert 0 < found["interval"][0] < found["difference"] < found["interval"][1]


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=30))
def test_swapped_methods_differ_by_as_much_the_other_way(rows):
    one, other, i, j = (np.array(column) for column in zip(*rows, strict=True))
    found, swapped = paired_bootstrap(one, other, i, j, draws=40), paired_bootstrap(other, one, i, j, draws=40)
    assert swapped["difference"] == pytest.approx(-found["difference"]) and swapped["p"] == pytest.approx(found["p"])
    assert swapped["interval"] == pytest.approx([-v for v in found["interval"][::-1]])
    assert 1 / 40 <= found["p"] <= 1


def test_methods_that_differ_by_chance_are_seldom_told_apart():
    rng, ps = np.random.default_rng(5), []
    for _ in range(100):
        i = rng.integers(30, size=200)
        ps.append(paired_bootstrap(rng.random(200) < 0.6, rng.random(200) < 0.6, i, draws=100)["p"])
    assert np.mean(np.array(ps) < 0.05) < 0.13 and np.mean(ps) == pytest.approx(0.5, abs=0.12)


def test_shares_by_classes():
    """Pictures 0, 1, 2 are of classes 0, 1, 1; pieces of music 0, 1 of classes 2, 0."""
    corpus = SimpleNamespace(image=SimpleNamespace(label=np.array([0, 1, 1])),
                             music=SimpleNamespace(label=np.array([2, 0])))
    asked = Pairs(np.array([0, 1, 2, 1]), np.array([0, 0, 0, 1]), np.array([0, 0, 0, 0]))
    found = evaluation.by_classes(np.array([1.0, 0.5, 0.0, 1.0]), corpus, asked)
    np.testing.assert_array_equal(found, [[np.nan, np.nan, 1], [1, np.nan, 0.25], [np.nan] * 3])


def test_the_paired_t_test_by_hand():
    # differences of 1, 2 and 3: mean 2, standard error 1 / sqrt(3), two degrees of freedom
    t = 2 * np.sqrt(3)
    assert paired_t_test([61, 62, 63], [60, 60, 60]) == pytest.approx(2 * stats.t.sf(t, 2))
    assert paired_t_test([60, 60, 60], [61, 62, 63]) == pytest.approx(2 * stats.t.sf(t, 2))


@pytest.mark.parametrize(("one", "other"), [([60], [50]), ([60, 61], [50]), ([60, 61], [50, 51]), ([60, 60], [60, 60])])
def test_runs_without_seeds_in_common_or_without_spread_have_no_t_test(one, other):
    assert paired_t_test(one, other) is None
