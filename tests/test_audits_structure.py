"""What pairs give away, and clusters."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from test_baselines import separable
from test_corpus import saved
from test_runs import QUICK, planned

from acp_lib.audits import structure
from acp_lib.experiment import probes
from acp_lib.experiment.corpus import Modality, Pairs
from acp_lib.experiment.pairs import PROTOCOLS
from acp_lib.experiment.probes import Probed
from acp_lib.experiment.splits import PARTS


@pytest.mark.slow
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_many_pairs_give_the_classes_away_exactly(protocol):
    corpus = separable()
    course = structure.learnt_from(corpus, corpus.draw("train", protocol, 4000, np.random.default_rng(0)))
    assert course["sets"].iloc[-1] == 3 and course["ari"].iloc[-1] == 1 and course["largest"].iloc[-1] == 1
    assert course["ari"].iloc[0] < 0.9 and course["pairs"].is_monotonic_increasing


@pytest.mark.slow
@given(st.integers(1, 400), st.sampled_from(PROTOCOLS), st.integers(0, 100))
def test_no_set_holds_two_classes(n, protocol, seed):
    corpus = separable(120)
    drawn = corpus.draw("train", protocol, n, np.random.default_rng(seed))
    image, of_image, music, of_music = structure.partition(drawn)
    number = np.concatenate([of_image, of_music])
    label = np.concatenate([corpus.image.label[image], corpus.music.label[music]])
    for one in set(number):
        assert len(set(label[number == one])) == 1


def test_false_pairs_alone_connect_nothing():
    image, of_image, music, of_music = structure.partition(Pairs(np.arange(4), np.arange(4), np.zeros(4, int)))
    assert len({*of_image, *of_music}) == 8 and image.tolist() == music.tolist() == [0, 1, 2, 3]


def test_classes_that_pairs_meet_are_counted_over_both_halves():
    corpus = separable(60)  # classes 0, 1, 2, 0, ...
    assert structure.classes_met(corpus, Pairs(np.array([0, 3]), np.array([6, 9]), np.ones(2, int))) == 1
    assert structure.classes_met(corpus, Pairs(np.array([0, 0]), np.array([1, 3]), np.array([0, 1]))) == 2


@pytest.mark.parametrize(("sets", "ari", "exact"), [(3, 1.0, True), (4, 1.0, False), (3, 0.99, False)])
def test_classes_are_recovered_if_the_sets_are_the_classes(sets, ari, exact):
    course = pd.DataFrame({"sets": [3, sets], "ari": [1.0, ari]})
    assert structure.recovered(course, 3) is exact


def side(noise: float, n: int = 480) -> Modality:
    rng = np.random.default_rng(1)
    label = np.arange(n) % 3
    x = 4 * np.eye(6)[label] + noise * rng.standard_normal((n, 6))
    emotion = 3 * label - label // 2 + np.arange(n) // 3 % 2
    return Modality(torch.from_numpy(x.astype(np.float32)), label, np.arange(n) // 3 % 3, np.minimum(emotion, 7))


@pytest.mark.slow
def test_clusters_that_are_there_are_found_and_others_are_not():
    clear = [r["ari"] for r in structure.cluster_agreement(side(0.3)) if r["k"] == 3 and r["truth"] == "classes"]
    assert len(clear) == structure.INITS and max(clear) == 1
    blurred = [r[m] for r in structure.cluster_agreement(side(100.0)) for m in ("ari", "ami")]
    assert np.abs(blurred).max() < 0.1


SPACES = ("features", "before training", "after training")


@pytest.mark.slow
@pytest.mark.parametrize(("bare", "before", "after", "gain", "clear", "has"), [
    (0.2, (0.3, 0.3), (0.5, 0.5), 0.2, 2, "has"), (0.2, (0.3, 0.3), (0.32, 0.32), 0.02, 0, "has not"),
    (0.6, (0.3, 0.3), (0.5, 0.5), -0.1, 0, "has not"), (0.3, (0.3, 0.3), (0.7, 0.3), 0.2, 1, "has, in 1 of 2 runs,"),
    (0.1, (0.1, 0.5), (0.3, 0.52), 0.11, 1, "has, in 1 of 2 runs,")])
def test_training_has_brought_classes_out_if_clusters_agree_better_than_in_both_other_spaces(
        bare, before, after, gain, clear, has):
    values = [(SPACES[0], 0, bare), *((SPACES[1], 1 + k, value) for k, value in enumerate(before)),
              *((SPACES[2], 1 + k, value) for k, value in enumerate(after))]
    rows = [{"modality": "image", "space": space, "seed": seed, "truth": "classes", "k": 3, "ari": value + d}
            for space, seed, value in values for d in (-0.1, 0.1)]
    other = [row | {"truth": "emotions", "k": 8, "ari": 9.0} for row in rows]
    table = pd.DataFrame(rows + other + [row | {"modality": "music", "ari": 9.0} for row in rows])
    found = structure.brought_out(table, "image")
    assert [found[name] for name in ("features", "before", "after")] == pytest.approx(
        [bare, np.mean(before), np.mean(after)])
    assert found["gain"] == pytest.approx(gain) and found["runs"] == 2
    assert (found["clear"], found["has"]) == (clear, has)
    assert structure.agreement(table, "image", "features", "emotions", 8) == 9
    assert np.isnan(structure.agreement(table, "music", "features", "emotions", 8))


@pytest.mark.slow
def test_emotions_are_held_against_where_there_are_more_of_them_than_classes():
    assert set(structure.truths(side(1.0))) == {"classes", "emotions"}
    music = separable().music
    assert set(structure.truths(music)) == {"classes"}
    few = Modality(music.x, music.label, music.part, music.label)
    assert set(structure.truths(few)) == {"classes"}
    unknown = side(0.3)
    unknown.emotion[::2] = -1
    assert all(np.isfinite(r["ari"]) for r in structure.cluster_agreement(unknown))


def nearest(x, labels, part, *, to="test"):
    """A probe with all the memory there is: the label of the nearest training sample."""
    fit, held = part == "train", part == to
    near = ((x[held][:, None] - x[fit][None]) ** 2).sum(2).argmin(1)
    return Probed(labels[held], labels[fit][near])


def songs(segments: int, songs: int = 240) -> tuple[Modality, np.ndarray]:
    """Songs at places of their own about the middle of their class, their segments close to them; split by song."""
    rng, of = np.random.default_rng(2), np.repeat(np.arange(songs), segments)
    place = 5 * np.eye(6)[np.arange(songs) % 3] + rng.standard_normal((songs, 6))
    x = (place[of] + 0.02 * rng.standard_normal((len(of), 6))).astype(np.float32)
    return Modality(torch.from_numpy(x), of % 3, of // 3 % 3), np.char.add("song", of.astype(str))


@pytest.mark.slow
@pytest.mark.parametrize("segments", [3, 2, 1])
def test_a_probe_that_memorises_gets_a_high_control_accuracy_and_a_linear_one_a_low_one(segments):
    """Where songs have one segment, as pictures do, on the training samples; else on other segments."""
    linear, memory = (structure.probed(*songs(segments), probe=probe) for probe in (probes.linear, nearest))
    assert memory["control"] > 0.95 and linear["control"] < 0.6
    assert linear["probe"] > 0.95 and memory["probe"] > 0.95  # both read the classes of new songs
    assert linear["known"] - linear["control"] > 0.4 and memory["known"] - memory["control"] < 0.05
    assert linear["recurring"] == (segments > 1)


def test_random_labels_say_nothing_on_songs_that_are_new():
    """Why a control task is not judged on test samples: not even who memorises everything can name them."""
    tracks, group = songs(3)
    dealt = np.random.default_rng(0).permutation(240)[np.unique(group, return_inverse=True)[1]] % 3
    assert nearest(tracks.x.numpy(), dealt, np.array(PARTS)[tracks.part]).balanced == pytest.approx(1 / 3, abs=0.12)


@pytest.mark.parametrize(("group", "part", "again", "share"), [
    ("aabbc", "ttttt", "tatat", 2 / 3), ("aaabc", "ttttt", "tattt", 1 / 3), ("abcde", "ttttt", "ttttt", 0),
    ("aabbc", "tvtst", "tvtst", 0), ("ababa", "stttt", "sttaa", 1.0)])
def test_one_other_sample_of_each_training_group_that_has_several_is_met_again(group, part, again, share):
    names = {"t": "train", "v": "val", "s": "test", "a": "again"}
    parts, found = structure.met_again(np.array(list(group)), np.array([names[p] for p in part]))
    assert "".join({v: k for k, v in names.items()}[p] for p in parts) == again and found == pytest.approx(share)


def test_few_copies_of_pictures_are_no_recurring_groups():
    assert structure.judged_on(0.05) == "the training samples themselves"
    assert structure.judged_on(0.5) == "other samples of the training groups"


@pytest.mark.parametrize(("known", "control", "said"), [
    (0.8, 1 / 3, "0 % of it could be memory"), (0.8, 0.2, "0 % of it could be memory"),
    (5 / 6, 7 / 12, "50 % of it could be memory"), (0.8, 0.8, "all of it could be memory"),
    (0.5, 0.9, "all of it could be memory"), (1 / 3, 0.9, "it reads nothing beyond guessing"),
    (0.2, 0.1, "it reads nothing beyond guessing")])
def test_how_much_could_be_memory(known, control, said):
    assert structure.memory_in_words(known, control, 1 / 3) == said


def test_listed_pairs_are_those_that_the_first_run_is_trained_on(tmp_path):
    inputs, given = saved(separable(120), tmp_path), QUICK | {"pairs_per_epoch": 0, "batch": 8}
    run = planned(tmp_path / "run", inputs, 5, **given)
    found = structure.pairs_of(SimpleNamespace(planned=lambda group, name: [run]), 2)
    trained = [run.task.epoch([5, epoch], 8) for epoch in (1, 2)]
    for column, parts in ((found.image, [e.rows[0] for e in trained]), (found.music, [e.rows[1] for e in trained]),
                          (found.truth, [e.target for e in trained])):
        np.testing.assert_array_equal(column, np.concatenate(parts))
    assert len(found) == 2 * 800
