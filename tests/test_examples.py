"""Which clips, pictures and errors are shown: rules worked out by hand."""

import numpy as np
import pandas as pd
import pytest
import torch
from test_corpus import small
from test_training import Tiny

from acp_lib.emotions import CLASSES
from acp_lib.experiment import evaluation
from acp_lib.experiment.corpus import Corpus, Modality, Pairs
from acp_lib.results import examples


def test_some_rows_are_drawn_once_each_and_in_order():
    rows = np.arange(100, 200)
    found = examples.some(rows, 30, np.random.default_rng(0))
    assert len(set(found)) == 30 and (np.diff(found) > 0).all() and set(found) <= set(rows)
    assert examples.some(rows[:3], 30, np.random.default_rng(0)).tolist() == [100, 101, 102]


def test_all_pairs_of_pictures_and_clips_with_their_truth():
    labels = [0, 1, 2], [1, 1, 0]
    corpus = Corpus(*(Modality(torch.zeros(3, 1), np.array(label), np.zeros(3, int)) for label in labels))
    found = examples.all_pairs(corpus, np.array([1, 0]), np.array([2, 0]))
    assert [found.image.tolist(), found.music.tolist(), found.truth.tolist()] == [[1, 1, 0, 0], [2, 0, 2, 0],
                                                                                 [0, 1, 1, 0]]


@pytest.mark.parametrize(("shares", "expected"), [
    ({7: [1, 1], 8: [0, 0], 9: [1, 0]}, (9, 0.5)), ({7: [1, 1], 8: [0, 0]}, (8, 0.0)), ({4: [1, 0, 1, 1]}, (4, 0.75)),
    ({1: [1, 0], 2: [0, 1], 3: [1, 1], 4: [0, 1]}, (2, 0.5)),  # equal shares stay in the order of their rows
])
def test_the_median_clip(shares, expected):
    clips = np.repeat(list(shares), [len(s) for s in shares.values()])
    assert examples.median_clip(np.concatenate(list(shares.values())).astype(bool), clips) == expected


def test_typical_clips_are_test_clips_of_their_class():
    corpus, model = small(), Tiny().eval()
    pictures = corpus.image.rows("test")[:9]
    found = examples.typical_clips(model, corpus, pictures, np.random.default_rng(0))
    assert list(found) == list(CLASSES)
    for k, (row, share) in enumerate(found.values()):
        assert row in corpus.music.rows("test") and corpus.music.label[row] == k
        drawn = examples.all_pairs(corpus, pictures, np.array([row]))
        assert share == evaluation.accuracy(evaluation.probability(model, corpus, drawn), drawn.truth)
    few = examples.typical_clips(model, corpus, pictures, np.random.default_rng(0), most=1)
    assert list(few) == list(CLASSES)


def test_a_class_without_test_clips_has_no_typical_one():
    corpus = small()
    music = corpus.music
    part = np.where((music.label == 1) & (music.part == 2), 0, music.part)
    corpus = Corpus(corpus.image, Modality(music.x, music.label, part))
    found = examples.typical_clips(Tiny().eval(), corpus, corpus.image.rows("test"), np.random.default_rng(0))
    assert list(found) == ["positive", "negative"]


def test_errors_from_the_surest_to_the_least_sure():
    p, truth = np.array([0.9, 0.1, 0.6, 0.45, 0.9, 0.5, 0.05]), np.array([0, 1, 0, 0, 1, 1, 1])
    assert examples.errors(p, truth).tolist() == [6, 0, 1, 2, 5]  # 3 and 4 are right; one half is called false
    assert examples.errors(np.array([0.9]), np.array([1])).tolist() == []


def test_each_picture_and_each_piece_of_music_is_taken_once():
    pairs = Pairs(np.array([0, 0, 1, 2, 3]), np.array([5, 6, 5, 0, 6]), np.zeros(5))
    assert examples.without_repeats(np.arange(5), pairs, 8).tolist() == [0, 3, 4]  # music 0 is no picture 0
    assert examples.without_repeats(np.arange(5), pairs, 2).tolist() == [0, 3]
    assert examples.without_repeats(np.array([4, 1, 2]), pairs, 8).tolist() == [4, 2]
    assert pairs.image[examples.without_repeats(np.arange(0), pairs, 8)].tolist() == []


def test_segments_have_the_wrong_label_of_their_song():
    made = pd.DataFrame({"id": ["a.jpg", "s1", "s2"], "true_class": ["positive", "neutral", "negative"],
                         "label_class": ["positive", "negative", "negative"]})
    ids = pd.Series(["s1#0", "s1#60", "s2#0", "a.jpg", "unknown"])
    assert examples.mislabelled(ids, made).tolist() == [True, True, False, False, False]
