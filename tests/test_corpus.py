"""What networks are trained on: scaling fitted on training rows alone, pairs within a part, files that read back,
pictures and spectrograms that are read from shards.
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import manifest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from safetensors.numpy import save_file

from acp_lib.emotions import CLASSES, EMOTIONS, regroup
from acp_lib.experiment.corpus import SCALINGS, Corpus, Modality, Pictures, Slices, build, scaled
from acp_lib.experiment.methods import Inputs
from acp_lib.experiment.pairs import PROTOCOLS
from acp_lib.experiment.splits import PARTS, assign_split
from acp_lib.features.layout import BLOCKS
from acp_lib.features.shards import Shards

FLOATS = st.integers(-1000, 1000).map(lambda k: k / 8)
EMOTION = [[k for k, e in enumerate(EMOTIONS) if regroup(e) == c] for c in CLASSES]


def side(width: int, n: int, seed: int, strength: float) -> Modality:
    """Noise whose first columns say the class; classes and parts in turn, half of the rows for training."""
    rng, label = np.random.default_rng(seed), np.arange(n) % 3
    x = rng.normal(size=(n, width)) + strength * (np.arange(width) % 6 == label[:, None])
    return Modality(torch.from_numpy(x.astype(np.float32)), label, np.array([0, 1, 0, 2])[np.arange(n) // 3 % 4])


def small(widths=(12, 6), n=(60, 48), seed: int = 0, strength: float = 4.0) -> Corpus:
    """A corpus with a planted class signal; of emotions each part has all."""
    image, music = (side(w, k, 2 * seed + i, strength) for i, (w, k) in enumerate(zip(widths, n, strict=True)))
    emotion = np.array([EMOTION[c][i // 6 % len(EMOTION[c])] for i, c in enumerate(image.label)])
    return Corpus(replace(image, emotion=emotion), music)


def saved(corpus: Corpus, folder: Path) -> Inputs:
    """The two files of a corpus."""
    folder.mkdir(parents=True, exist_ok=True)
    inputs = Inputs(folder / "image.safetensors", folder / "music.safetensors")
    corpus.image.save(inputs.image)
    corpus.music.save(inputs.music)
    return inputs


def shards(folder: Path, items: np.ndarray, size: int = 50) -> Shards:
    """An array as a folder of shards."""
    folder.mkdir(parents=True)
    for i in range(0, len(items), size):
        part = items[i:i + size]
        about = {"ids": json.dumps([str(i + k) for k in range(len(part))]), "reasons": json.dumps([""] * len(part)),
                 "checksum": ""}
        save_file({"x": part}, folder / f"{i // size:06d}.safetensors", about)
    return Shards(folder)


def streamed(folder: Path, size: int = 32, bins: int = 16, frames: int = 40, cut: int = 16, crops: int = 3,
             n=(60, 48)) -> Corpus:
    """`small` with pictures and spectrograms of noise on shards; their brightness and loudness say the class."""
    rng, known = np.random.default_rng(8), small(n=n)
    bright = known.image.label[:, None, None, None] * 80
    pixels = rng.integers(0, 96, (n[0], size, size, 3)) + bright
    loud = known.music.label[:, None, None] - 1
    slices = rng.normal(size=(n[1], frames, bins)) / 2 + loud
    shards(folder / "pixels", pixels.astype(np.uint8))
    shards(folder / "slices", slices.astype(np.float16))
    return reread(folder, cut, crops, n)


def reread(folder: Path, cut: int = 16, crops: int = 3, n=(60, 48)) -> Corpus:
    """What `streamed` wrote."""
    (image, music), held = (small(n=n).image, small(n=n).music), [Shards(folder / k) for k in ("pixels", "slices")]
    return Corpus(Pictures(held[0], image.label, image.part, image.emotion),
                  Slices(held[1], music.label, music.part, frames=cut, crops=crops))


@pytest.fixture(scope="module")
def stream(tmp_path_factory):
    return streamed(tmp_path_factory.mktemp("stream") / "made")


# scaling


@pytest.mark.slow
@pytest.mark.parametrize("kind", SCALINGS)
@given(arrays(np.float32, (9, 4), elements=FLOATS), arrays(np.float32, (3, 4), elements=FLOATS))
def test_rows_outside_of_training_do_not_move_the_scaling(kind, x, other):
    train = np.arange(6)
    changed = x.copy()
    changed[6:] = other
    one, two = scaled(x, train, kind), scaled(changed, train, kind)
    assert one.dtype == np.float32 and one.shape == x.shape
    np.testing.assert_array_equal(one[train], two[train])
    np.testing.assert_array_equal(two[6:], scaled(np.concatenate([x[:6], other, x[6:]]), train, kind)[6:9])


@pytest.mark.parametrize(("kind", "low", "high"), [("zscore", None, None), ("minmax", 0, 1), ("raw", None, None)])
def test_what_each_scaling_does(kind, low, high):
    x = np.random.default_rng(0).normal(5, 3, (50, 4)).astype(np.float32)
    train = np.arange(0, 50, 2)
    found = scaled(x, train, kind)
    if kind == "raw":
        np.testing.assert_array_equal(found, x)
    elif kind == "minmax":
        np.testing.assert_allclose([found[train].min(0), found[train].max(0)], [[low] * 4, [high] * 4], atol=1e-6)
    else:
        np.testing.assert_allclose([found[train].mean(0), found[train].std(0)], [[0] * 4, [1] * 4], atol=1e-6)
        assert (np.abs(found[1::2].mean(0)) > 1e-6).all()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["zscore", "minmax", "logmel"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(value=st.floats(-100, 100), n=st.integers(2, 40))
def test_a_feature_that_is_constant_in_training_keeps_its_distance(kind, dtype, value, n):
    x = np.full((n + 1, 1), value, dtype)
    x[n] += 2
    found = scaled(x, np.arange(n), kind)
    np.testing.assert_allclose(found[:n], 0, atol=1e-6)
    np.testing.assert_allclose(found[n], x[n] - x[0], rtol=1e-5)


def test_logarithms_are_taken_of_the_mel_block_of_music_alone():
    rng = np.random.default_rng(0)
    music, picture = rng.lognormal(size=(20, 193)), rng.lognormal(size=(20, 2048))
    music[:, 192], train, mel = 0.0, np.arange(15), BLOCKS["mel"]
    original = music.copy()
    found, plain = scaled(music, train, "logmel"), scaled(music, train, "zscore")
    np.testing.assert_array_equal(found[:, :mel.start], plain[:, :mel.start])
    decibel = 10 * np.log10(music[:, mel.start:192])
    expected = (decibel - decibel[train].mean(0)) / decibel[train].std(0)
    np.testing.assert_allclose(found[:, mel.start:192], expected, atol=1e-5)
    assert (found[:, 192] == 0).all()
    np.testing.assert_array_equal(music, original)
    np.testing.assert_array_equal(scaled(picture, train, "logmel"), scaled(picture, train, "zscore"))


def test_another_scaling_is_refused():
    with pytest.raises(ValueError, match="scaling is 'z-score'; expected one of zscore, raw, minmax, logmel"):
        scaled(np.zeros((2, 2)), np.arange(2), "z-score")


# corpora


@pytest.mark.slow
def test_build_keeps_the_manifests_order_whatever_it_is():
    table = manifest().sample(frac=1, random_state=1)
    part = assign_split(table, seed=2)
    number = {key: i for i, key in enumerate(table["id"])}
    features = {m: np.array([[number[i], 0] for i in table["id"][table["modality"] == m]], np.float32)
                for m in ("image", "music")}
    built = build(table, part, features, "raw")
    for modality, made in (("image", built.image), ("music", built.music)):
        rows = table[table["modality"] == modality]
        assert made.x[:, 0].tolist() == [number[i] for i in rows["id"]]
        assert [("positive", "neutral", "negative")[k] for k in made.label] == rows["class"].tolist()
        assert [PARTS[k] for k in made.part] == part[rows.index].tolist()
        assert modality == "music" or [EMOTIONS[k] for k in made.emotion] == rows["emotion"].tolist()
    assert built.music.emotion is None


def test_a_picture_of_which_the_class_alone_is_known_has_no_emotion():
    table = manifest(pictures=30)
    table.loc[:9, "emotion"] = ""
    features = {"image": np.zeros((30, 2)), "music": np.zeros((60, 2))}
    emotion = build(table, assign_split(table), features, "zscore").image.emotion
    assert emotion[:10].tolist() == [-1] * 10 and emotion.dtype == np.int64
    assert emotion[10:13].tolist() == [EMOTIONS.index(e) for e in ("contentment", "sadness", "awe")]


@pytest.mark.slow
def test_build_fits_the_scaling_on_training_rows():
    table = manifest()
    part = assign_split(table)
    features = {m: np.random.default_rng(0).normal(3, 2, ((table["modality"] == m).sum(), 5)).astype(np.float32)
                for m in ("image", "music")}
    built = build(table, part, features, "zscore")
    for made in (built.image, built.music):
        np.testing.assert_allclose(made.x[made.rows("train")].mean(0), 0, atol=1e-5)
        assert made.x.dtype == torch.float32 and (made.x[made.rows("test")].mean(0).abs() > 1e-5).all()


def test_rows_and_counts():
    corpus = small(n=(24, 12))
    assert np.concatenate([corpus.image.rows(p) for p in PARTS]).tolist() != list(range(24))
    assert sorted(np.concatenate([corpus.image.rows(p) for p in PARTS])) == list(range(24))
    assert [c.tolist() for c in corpus.counts("train")] == [[4, 4, 4], [2, 2, 2]]
    assert [c.tolist() for c in corpus.counts("test")] == [[2, 2, 2], [1, 1, 1]]


def test_save_and_read(tmp_path):
    corpus = small()
    read = saved(corpus, tmp_path).corpus
    for one, other in ((corpus.image, read.image), (corpus.music, read.music)):
        assert torch.equal(one.x, other.x) and one.x.dtype == other.x.dtype
        for a, b in ((one.label, other.label), (one.part, other.part), (one.emotion, other.emotion)):
            np.testing.assert_array_equal(a, b)
            assert a is b is None or a.dtype == b.dtype
    assert set(read.image.emotion) == set(range(8)) and read.music.emotion is None
    one, other = (c.draw("test", "uniform", 50, np.random.default_rng(1)) for c in (read, corpus))
    assert one.digest == other.digest


# pairs


@pytest.mark.slow
@given(st.sampled_from(PARTS), st.sampled_from(PROTOCOLS), st.integers(1, 200), st.integers(0, 2**40))
def test_pairs_lie_within_a_part_and_say_the_truth(part, protocol, n, seed):
    corpus = small()
    pairs = corpus.draw(part, protocol, n, np.random.default_rng([seed, 7]))
    assert len(pairs) == n == len(pairs.image) == len(pairs.music)
    assert set(pairs.image) <= set(corpus.image.rows(part)) and set(pairs.music) <= set(corpus.music.rows(part))
    np.testing.assert_array_equal(pairs.truth, corpus.image.label[pairs.image] == corpus.music.label[pairs.music])
    assert pairs.digest == corpus.draw(part, protocol, n, np.random.default_rng([seed, 7])).digest


def test_the_seed_the_part_and_the_protocol_decide():
    corpus = small()
    drawn = [corpus.draw(*how, np.random.default_rng(seed)).digest for *how, seed in (
        ("test", "uniform", 300, 1), ("test", "uniform", 300, 2), ("train", "uniform", 300, 1),
        ("test", "class_balanced", 300, 1), ("test", "uniform", 299, 1))]
    assert len(set(drawn)) == len(drawn)


def test_golden_pairs():
    assert small().draw("test", "class_balanced", 100, np.random.default_rng([0, 20])).digest == "91f6ac3b4b062473"


@pytest.mark.parametrize(("change", "message"), [
    (np.zeros_like, r"no class_balanced pairs can be drawn of \[15, 0, 0\] pictures and \[12, 0, 0\] pieces of music"),
    (lambda label: label + 1, r"images holds the class numbers \[3\]; expected 0 to 2"),
])
def test_classes_that_cannot_be_paired_are_refused(change, message):
    corpus = Corpus(*(Modality(s.x, change(s.label), s.part) for s in (small().image, small().music)))
    with pytest.raises(ValueError, match=message):
        corpus.draw("test", "class_balanced", 10, np.random.default_rng(0))


def test_labels_of_a_table_with_another_index():
    table = manifest(pictures=30)
    table.index = pd.RangeIndex(100, 100 + len(table))
    part, features = assign_split(table), {"image": np.zeros((30, 2)), "music": np.zeros((60, 2))}
    assert build(table, part, features, "zscore").image.label.tolist() == [0, 1, 2] * 10


# batches


def test_features_are_handed_out_as_they_are():
    made, rows = small().image, np.array([7, 0, 7])
    assert torch.equal(made.take(rows, np.random.default_rng(0)), made.x[[7, 0, 7]])
    assert torch.equal(made.views(rows), made.x[[7, 0, 7]][:, None])


def test_pictures_are_scaled_exactly_and_lie_in_memory_as_convolutions_like_it(tmp_path):
    pixels = np.zeros((3, 32, 32, 3), np.uint8)
    pixels[1], pixels[2, 4, 5, 1] = 255, 51
    known = side(1, 3, 0, 0)
    made = Pictures(shards(tmp_path / "p", pixels), known.label, known.part).views(np.arange(3))
    assert made.shape == (3, 1, 3, 32, 32) and made.dtype == torch.float32
    assert (made[0] == -1).all() and (made[1] == 1).all()
    assert made[2, 0, 1, 4, 5] == torch.tensor(51 / 127.5 - 1, dtype=torch.float32) and (made[2] == -1).sum() == 3071
    assert made.flatten(0, 1).is_contiguous(memory_format=torch.channels_last)


@pytest.mark.slow
def test_about_every_other_picture_is_mirrored_and_nothing_else_is_done_to_it(stream):
    rows = np.random.default_rng(1).integers(60, size=1000)
    taken, plain = stream.image.take(rows, np.random.default_rng(2)), stream.image.views(rows)[:, 0]
    same, mirrored = (taken == plain).all((1, 2, 3)), (taken == plain.flip(3)).all((1, 2, 3))
    assert (same ^ mirrored).all() and 430 < mirrored.sum() < 570
    assert torch.equal(plain, stream.image.views(rows)[:, 0])


def test_stretches_are_taken_from_anywhere_within_a_spectrogram(stream):
    rows, music = np.arange(48).repeat(10), stream.music
    taken = music.take(rows, np.random.default_rng(0))
    assert taken.shape == (480, 1, 16, 16) and taken.dtype == torch.float32
    whole = music.x[rows].astype(np.float32).transpose(0, 2, 1)
    windows = np.lib.stride_tricks.sliding_window_view(whole, 16, axis=2)  # rows, bins, starts, frames
    found = (windows == taken[:, 0].numpy()[:, :, None]).all((1, 3))
    assert (found.sum(1) == 1).all() and set(found.argmax(1)) == set(range(25))


@pytest.mark.parametrize(("frames", "crops", "starts"), [
    (16, 3, [0, 12, 24]), (16, 12, [0, 2, 4, 7, 9, 11, 13, 15, 17, 20, 22, 24]), (40, 12, [0] * 12), (16, 1, [0]),
    (39, 2, [0, 1]),
])
def test_views_are_evenly_spaced_from_the_first_frame_to_the_last(stream, frames, crops, starts):
    music, rows = replace(stream.music, frames=frames, crops=crops), np.array([5, 0])
    assert music.starts().tolist() == starts
    views = music.views(rows)
    assert views.shape == (2, crops, 1, 16, frames)
    for one, stored in zip(views, music.x[rows], strict=True):
        expected = np.stack([stored[a:a + frames].T for a in starts])
        np.testing.assert_array_equal(one[:, 0], expected.astype(np.float32))


def test_a_training_batch_is_cut_where_the_same_generator_says(stream):
    rows, music = np.arange(48), stream.music
    taken, starts = music.take(rows, np.random.default_rng(6)), music.drawn_starts(48, np.random.default_rng(6))
    assert starts.min() >= 0 and starts.max() <= 40 - 16 and len(set(starts)) > 10
    for one, stored, a in zip(taken, music.x[rows], starts, strict=True):
        np.testing.assert_array_equal(one[0], stored[a:a + 16].T.astype(np.float32))


def test_the_generator_decides_what_is_random(stream):
    rows = np.arange(40)
    for made in (stream.image, stream.music):
        one, two, other = (made.take(rows, np.random.default_rng(seed)) for seed in (3, 3, 4))
        assert torch.equal(one, two) and not torch.equal(one, other)


def test_more_frames_than_a_segment_has_are_refused_with_their_number(stream):
    assert len(replace(stream.music, frames=40).starts())
    with pytest.raises(ValueError, match="frames is 41; a segment's spectrogram has 40, so give 40 at most"):
        replace(stream.music, frames=41)
