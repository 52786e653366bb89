"""Probes: what a linear classifier finds, and the scores it is held against."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_circles

from acp_lib.emotions import EMOTIONS, regroup
from acp_lib.experiment.probes import Probed, linear, majority, picture_tasks, svm

PART = np.array(["train", "val", "test", "train", "train", "test"] * 30)
LABEL = np.array(["positive", "neutral", "negative"])[np.arange(180) // 6 % 3]


def points(strength: float, seed: int = 0):
    """Noise in four columns, of which the first three say the label."""
    place = (np.array(["positive", "neutral", "negative"]) == LABEL[:, None]) * strength
    return np.random.default_rng(seed).normal(size=(180, 4)) + np.pad(place, ((0, 0), (0, 1)))


@pytest.mark.parametrize("to", ["test", "val", "train"])
def test_separable_labels_are_found(to):
    found = linear(points(10), LABEL, PART, to=to)
    assert found.accuracy == found.balanced == 1 and found.recall(["positive", "negative"]) == [1, 1]
    np.testing.assert_array_equal(found.truth, LABEL[to == PART])


@pytest.mark.slow
def test_noise_is_at_chance():
    found = [linear(points(0, seed), LABEL, PART).balanced for seed in range(20)]
    assert np.mean(found) == pytest.approx(1 / 3, abs=0.05)


def test_scale_and_shift_of_features_and_constant_ones_do_not_matter():
    x = points(1)
    moved = np.column_stack([x * [1e-3, 1, 1e3, 10] + [0, 1e2, 5, -3], np.ones(180)])
    np.testing.assert_array_equal(linear(x, LABEL, PART).predicted, linear(moved, LABEL, PART).predicted)


def test_only_training_rows_are_learned_from():
    x, y = points(10), LABEL.copy()
    y[PART != "train"] = "positive"
    x[PART == "val"] = 1e6
    np.testing.assert_array_equal(linear(x, y, PART).predicted, linear(points(10), LABEL, PART).predicted)


def test_rare_labels_weigh_as_much_as_frequent_ones():
    y, part = np.array(["a"] * 18 + ["b"] * 2), np.array(["train", "test"])
    y, part = np.tile(y, 100), np.tile(part, 1000)
    x = np.random.default_rng(0).normal(size=(2000, 2)) + (y == "b")[:, None]
    assert linear(x, y, part).recall(["a", "b"]) == pytest.approx([0.76, 0.76], abs=0.1)  # half the distance is 0.71


def test_all_samples_weigh_the_same_where_that_is_asked_for():
    y, part = np.tile(["a"] * 9 + ["b"], 40), np.tile(["train"] * 10 + ["test"] * 10, 20)
    x = np.random.default_rng(0).normal(size=(400, 2)) + (y == "b")[:, None]
    plain, balanced = (linear(x, y, part, balanced=b) for b in (False, True))
    assert plain.accuracy > balanced.accuracy and plain.recall(["b"])[0] < balanced.recall(["b"])[0]


# the support vector machine


def test_the_machine_finds_separable_labels():
    found = svm(points(10), LABEL, PART)
    assert found.accuracy == 1 and found.correct.all()
    np.testing.assert_array_equal(found.truth, LABEL[PART == "test"])


def test_the_machine_finds_what_no_line_separates():
    x, y = make_circles(180, noise=0.05, factor=0.5, random_state=0)
    assert svm(x, y, PART).accuracy > 0.95 and linear(x, y, PART).accuracy < 0.7


@pytest.mark.slow
def test_the_machine_finds_nothing_in_noise():
    assert np.mean([svm(points(0, seed), LABEL, PART).accuracy for seed in range(10)]) == pytest.approx(1 / 3, abs=0.08)


@pytest.mark.slow
def test_the_machine_learns_from_training_rows_chooses_by_validation_and_never_sees_the_test():
    x, scale = points(1), np.array([1e-3, 1, 1e3, 10])
    found = svm(x, LABEL, PART).predicted
    np.testing.assert_array_equal(svm(x * scale + 5, LABEL, PART).predicted, found)
    y = np.where(PART == "test", "positive", LABEL)
    np.testing.assert_array_equal(svm(x, y, PART).predicted, found)
    held = np.where((PART == "val")[:, None], -x, x)
    assert (svm(held, LABEL, PART).predicted != found).any(), "another cost is chosen"


def test_accuracy_balanced_accuracy_and_recall():
    found = Probed(np.array(["a"] * 8 + ["b"] * 2), np.array(["a"] * 8 + ["a", "b"]))
    assert (found.accuracy, found.balanced) == (0.9, 0.75)
    assert found.recall(["b", "a"]) == [0.5, 1.0]


@pytest.mark.parametrize(("truth", "predicted", "songs", "expected"), [
    ([0, 0, 0], [0, 0, 1], "aaa", [(0, 0)]),  # the most
    ([1, 1], [2, 1], "aa", [(1, 1)]), ([2, 2], [2, 0], "aa", [(2, 0)]),  # a tie: the more positive
    ([0, 1, 1], [2, 1, 1], "abb", [(0, 2), (1, 1)]), ([1, 0, 1], [1, 2, 0], "bab", [(0, 2), (1, 0)]),
    ([0, 1, 0], [0, 0, 0], "aaa", [(0, 0), (1, 0)]),  # copies of a song under two labels
    ([2], [1], "a", [(2, 1)]),
])
def test_a_song_is_named_as_most_of_its_segments_are(truth, predicted, songs, expected):
    found = Probed(np.array(truth), np.array(predicted)).by_group(np.array(list(songs)))
    assert list(zip(found.truth.tolist(), found.predicted.tolist(), strict=True)) == expected
    assert found.accuracy == np.mean([t == p for t, p in expected])


def test_what_is_taken_for_what():
    found = Probed(np.array(list("aaaabbbbbbc")), np.array(list("aaabbbbaacc")))
    assert found.confusion(["a", "b", "c"]).tolist() == [[3, 1, 0], [2, 3, 1], [0, 0, 1]]
    assert found.most_confused(["a", "b", "c"]) == ("b", "a")  # two of six, where a goes wrong in one of four
    assert Probed(np.array(["a"]), np.array(["b"])).most_confused(["a", "b"]) == ("a", "b")


def test_eight_emotions_are_asked_where_all_eight_occur():
    rows = pd.DataFrame({"emotion": [*EMOTIONS, ""], "class": [*map(regroup, EMOTIONS), "neutral"]})
    tasks = picture_tasks(rows)
    assert list(tasks) == ["3 classes", "8 emotions"]
    assert tasks["3 classes"][0].tolist() == rows["class"].tolist() and tasks["3 classes"][1].all()
    label, used = tasks["8 emotions"]
    assert label[:8].tolist() == list(EMOTIONS) and used.tolist() == [True] * 8 + [False]
    assert list(picture_tasks(rows[1:])) == list(picture_tasks(rows.assign(emotion=""))) == ["3 classes"]


def test_the_recall_of_a_label_without_samples_is_unknown():
    found = Probed(np.array(["a", "b"]), np.array(["a", "c"]))
    np.testing.assert_array_equal(found.recall(["a", "b", "c"]), [1, 0, np.nan])


@pytest.mark.parametrize(("labels", "part", "expected"), [
    (["a", "a", "b", "a", "b"], ["train", "train", "train", "test", "test"], 0.5),
    (["a", "b", "b", "a", "a"], ["train", "train", "train", "test", "test"], 0.0),  # most frequent in training
    (["b", "a", "a", "b", "b"], ["train", "train", "val", "test", "test"], 0.0),  # a tie goes to the first name
])
def test_majority(labels, part, expected):
    assert majority(np.zeros(len(labels)), np.array(labels), np.array(part)).accuracy == expected


def test_majority_of_another_part():
    found = majority(np.zeros(3), np.array(["a", "a", "b"]), np.array(["train", "val", "test"]), to="val")
    assert found.accuracy == 1.0


@pytest.mark.parametrize(("truth", "predicted"), [
    (["a", "a", "a", "b"], ["a", "b", "a", "b"]), (["a", "b"], ["b", "a"]), (["a"] * 9 + ["b", "c"], ["a"] * 11),
    (["c", "a", "b"], ["c", "a", "b"]),
])
def test_weighed_answers_have_the_balanced_accuracy_as_their_mean(truth, predicted):
    found = Probed(np.array(truth), np.array(predicted))
    assert found.weighted.mean() == pytest.approx(found.balanced)
    assert ((found.weighted > 0) == found.correct).all()
