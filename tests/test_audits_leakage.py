"""Leakage: planted signatures of songs, copies of pictures and recordings; and silence where there are none."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from conftest import manifest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from acp_lib.audits import leakage, retrained
from acp_lib.database.synthetic import images as synthetic_images
from acp_lib.emotions import CLASSES
from acp_lib.experiment import splits
from acp_lib.features import audio
from acp_lib.profiles import load


def signed(signature: float, seed: int = 0):
    """Songs of 4 segments whose features hold a signature of the song, none of its class; pictures show theirs."""
    table, rng = manifest(songs=60, segments=4, pictures=150), np.random.default_rng(seed)
    is_music = (table["modality"] == "music").to_numpy()
    label = table["class"].map(CLASSES.index).to_numpy()
    songs, of = np.unique(table["group"][is_music], return_inverse=True)
    own = rng.standard_normal((len(songs), 193))
    return table, {"image": np.eye(3)[label[~is_music]],
                   "music": signature * own[of] + rng.standard_normal((is_music.sum(), 193))}


@pytest.mark.slow
def test_a_planted_signature_raises_the_score_of_segments_and_not_of_songs():
    table, features = signed(2.0)
    torn, whole = (leakage.compared(table, features, by) for by in ("segment", "song"))
    assert torn > 0.9 and whole == pytest.approx(0.5, abs=0.15)
    assert torn - whole > 0.3


@pytest.mark.slow
def test_without_a_signature_no_split_is_better():
    table, features = signed(0.0)
    for by in ("segment", "song"):
        scores = [leakage.compared(table, features, by, draw=draw) for draw in range(4)]
        assert np.mean(scores) == pytest.approx(0.5, abs=0.1)


@pytest.mark.slow
def test_coin_labels_are_named_where_a_song_can_be_recognised_and_met():
    music = manifest(songs=60, segments=4, pictures=0)
    for strength, by, expected in ((2.0, "segment", 1.0), (2.0, "song", 0.5), (0.0, "segment", 0.5)):
        x = signed(strength)[1]["music"]
        found = leakage.recognised(x, music, by)
        assert len(found) == 5 and np.mean(found) == pytest.approx(expected, abs=0.12), (strength, by)


# pictures


@pytest.mark.slow
def test_a_worn_copy_is_near_and_others_are_not(tmp_path):
    rng, paths = np.random.default_rng(0), [tmp_path / f"{i}.png" for i in range(30)]
    for path in paths:
        synthetic_images.draw(*rng.uniform(-0.7, 0.7, 3), rng).save(path)
    known = leakage.hashes(paths)
    worn = []
    for path in paths:
        with Image.open(path) as image:
            worn.append(leakage.picture_hash(leakage.worn(image, rng)))
    found = leakage.near(np.array(worn, np.uint64), known)
    assert len({i for i, j, _ in found if i == j}) >= 28
    assert [(i, j) for i, j, _ in leakage.near(known, known) if i != j] == []


@pytest.mark.slow
@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=20), st.integers(0, 64))
def test_near_counts_bits(values, most):
    known = np.array(values, np.uint64)
    found = {(i, j): bits for i, j, bits in leakage.near(known, known, most).tolist()}
    assert found == {(i, j): (a ^ b).bit_count() for i, a in enumerate(values) for j, b in enumerate(values)
                     if (a ^ b).bit_count() <= most}


# recordings


def piece(seed: int, seconds: float = 12.0) -> np.ndarray:
    """Notes at random, two at once."""
    rng, t = np.random.default_rng(seed), np.arange(int(0.3 * audio.SR)) / audio.SR
    notes = [sum(np.sin(2 * np.pi * f * t) for f in 110 * 2 ** rng.uniform(0, 4, 2)) * np.exp(-6 * t)
             for _ in range(int(seconds / 0.3))]
    return np.concatenate(notes).astype(np.float32)


@pytest.mark.slow
def test_the_same_recording_shares_landmarks_and_others_do_not():
    pieces, rng = [piece(k) for k in range(6)], np.random.default_rng(0)
    prints = [leakage.landmarks(y) for y in pieces]
    again = [leakage.landmarks(leakage.noisy(y, rng)) for y in pieces]
    for i, one in enumerate(prints):
        for j, other in enumerate(again):
            assert (leakage.shared(one, other) >= leakage.SHARED) == (i == j), (i, j)
        assert leakage.shared(one, one) > 0.9


def test_silence_shares_nothing():
    empty = leakage.landmarks(np.zeros(5 * audio.SR, np.float32))
    assert leakage.shared(empty, leakage.landmarks(piece(0))) == 0 and leakage.shared(empty, empty) == 0


def test_the_nearest_are_of_other_songs():
    x, group = np.array([[1.0, 0], [1, 0.1], [1, 0.2], [0, 1]]), np.array(["a", "a", "b", "c"])
    found = leakage.nearest(x, group, np.array([0]), np.array([1, 2, 3]), k=2)
    assert found.tolist() == [[0, 2], [0, 3]]


# which splits there are


class Some:
    """As much of a study as is asked which splits it has."""

    def __init__(self, table, **changes):
        self.manifest = self.listed = table
        self.profile, self.changes = load(audit_draws=7), changes
        self.audited = self

    def variant(self, **changes):
        return Some(self.listed, **self.changes | changes)


@pytest.mark.slow
def test_a_split_that_the_data_cannot_have_is_named_with_its_reason():
    found = retrained.by_split(Some(manifest(songs=30, artists=0)))
    assert list(found)[0] == "song" and found["artist"] == "no artist is known"
    for by in ("song", "segment"):
        assert [s.changes for s in found[by]] == [{"split": by, "split_draw": k, "seeds": k + 1} for k in range(7)]
    found = retrained.by_split(Some(manifest(songs=30, artists=2)))
    assert found["artist"].startswith("class ") and "units to split (by artist)" in found["artist"]
    assert retrained.by_split(Some(manifest(songs=30, artists=15)))["artist"][0].changes["split"] == "artist"


def test_each_draw_of_a_split_has_a_seed_of_its_own_and_no_more_runs_than_draws():
    study = Some(manifest(songs=30, artists=0))
    study.planned = lambda group, name: [f"seed {k}" for k in range(study.changes["seeds"])]
    for k in range(3):
        study.changes = {"seeds": k + 1}
        assert retrained.drawn(study) == f"seed {k}"


def test_the_accuracy_on_a_split_is_over_draws_each_with_its_own_test_pairs(monkeypatch):
    def drawn(score, mine, seeds=2):
        asked = SimpleNamespace(truth=np.arange(10) % 2)
        run = SimpleNamespace(correct=np.arange(100) < score)
        return SimpleNamespace(test_pairs=lambda: asked, corpus=mine, seeds=seeds, planned=lambda *_: [None, run])

    studies = {"song": [drawn(50, 0, 1), drawn(60, 2)], "artist": "no artist is known", "segment": [drawn(99, 10)] * 2}
    trained = []
    monkeypatch.setattr(leakage.retrained, "by_split", lambda study: studies)
    monkeypatch.setattr(leakage.runs, "train", lambda plan, work: trained.extend(plan))
    monkeypatch.setattr(leakage, "of", lambda study: {"seeds": [*range(study.seeds)]})
    monkeypatch.setattr(leakage.baselines, "two_classifiers", lambda mine, asked, *_: np.where(
        np.arange(10) < mine, asked.truth == 1, asked.truth != 1))
    rows = leakage.accuracy(SimpleNamespace(profile=load(), work=None))
    assert len(trained) == 4
    assert [(row["row"], row["values"], row["ours"]) for row in rows] == [
        ("ACP-Net, by song", [50, 60], 55), ("two classifiers, compared, by song", [0, 20], 10),
        ("ACP-Net, by segment", [99, 99], 99), ("two classifiers, compared, by segment", [100, 100], 100)]
    assert [row.get("seeds") for row in rows] == [[0, 1], None] * 2  # of all draws; only a network has any
    assert rows[0]["interval"] == [0, 100] and rows[2]["interval"] == [99, 99]  # cut at what a share can be


# what the chapter says of them


def scored(by, method, values):
    return {"split": by, "method": method, "ours": float(np.mean(values)), "values": values,
            "interval": leakage.over_draws(values)}


def test_the_gain_is_over_the_split_by_song_draw_by_draw():
    rows = [scored("song", "ACP-Net", [50.0, 60.0]), scored("segment", "ACP-Net", [70.0, 84.0]),
            scored("artist", "ACP-Net", [1.0, 2.0]), scored("song", "alone", [9.0, 9.0])]
    found = leakage.gain(rows, "ACP-Net")  # 20 and 24: mean 22, and 12.7 standard errors of 2 on either side, widened
    assert found["gain"] == pytest.approx(22)
    wide = 2 * 12.7062 * (1 + 2 * 2 / 7) ** 0.5
    assert found["interval"] == pytest.approx([22 - wide, 22 + wide], abs=1e-3)
    assert leakage.gain(rows, "alone") == {"gain": None, "interval": None}


def test_one_draw_of_a_split_has_no_interval():
    with pytest.raises(ValueError, match="values has 1 draws of a split; expected two or more"):
        leakage.over_draws([60.0])


@pytest.mark.slow
@pytest.mark.parametrize(("signature", "at_most", "at_least"), [(0.0, 1 / 6, 0.0), (2.0, 1.0, 1.0)])
def test_a_leak_is_called_clear_where_it_was_planted_and_seldom_elsewhere(signature, at_most, at_least):
    """The whole chain on some databases: draws of two splits, their differences, the word."""
    clear = []
    for seed in range(6):
        table, features = signed(signature, seed)
        torn, whole = ([100 * leakage.compared(table, features, by, draw=draw, n=1000) for draw in range(3)]
                       for by in ("segment", "song"))
        found = leakage.gain([scored("segment", "x", torn), scored("song", "x", whole)], "x")
        clear.append(leakage.gain_in_words(found).startswith("clearly gains"))
    assert at_least <= np.mean(clear) <= at_most


@pytest.mark.parametrize(("gain", "interval", "said"), [
    (5.0, [1.0, 9.0], "clearly gains: +5.0 points (95 % CI over draws +1.0 to +9.0)"),
    (-5.0, [-9.0, -1.0], "clearly loses: -5.0"),
    (9.0, [-0.1, 18.1], "neither clearly gains nor clearly loses: +9.0 points"),
    (9.0, [0.0, 18.0], "neither clearly gains"),
    (None, None, "was not trained on both splits")])
def test_the_word_for_a_gain_is_chosen_by_its_whole_interval(gain, interval, said):
    assert leakage.gain_in_words({"gain": gain, "interval": interval}).startswith(said)


@pytest.mark.parametrize(("torn", "whole", "said"), [
    ([70.0, 71.0, 72.0], [60.0, 61.0, 62.0], "is clearly above chance on the split by segment and by song, and can"),
    ([70.0, 71.0, 72.0], [40.0, 70.0, 50.0], "is clearly above chance on the split by segment, and can"),
    ([50.0, 50.0, 62.0], [50.0, 50.0, 50.0], "is clearly above chance on no split, and a method that has")])
def test_a_method_can_show_a_leak_only_where_it_has_learnt_something(torn, whole, said):
    rows = [scored("segment", "x", torn), scored("song", "x", whole), scored("artist", "y", [99.0, 99.0])]
    assert leakage.learnt_in_words(rows, "x", 50).startswith(said)


@pytest.mark.parametrize(("segment", "song", "said"), [
    (70, 40, "on the split by segment they are predicted clearly better than by chance: there the features"),
    (49, 40, "on no split are they predicted clearly better than by chance, so no song is shown to be recognised"),
    (49, 55, "on the split by song they are predicted clearly better than by chance, though no test segment"),
    (70, 55, "on the split by song and by segment they are predicted clearly better than by chance: there the")])
def test_songs_are_said_to_be_recognised_only_where_they_are(segment, song, said):
    coins = [{"split": "song", "sibling": 0.0, "interval": [song, 90]},
             {"split": "segment", "sibling": 80.0, "interval": [segment, 90]}]
    assert leakage.recognised_in_words(coins).startswith(said)


def test_siblings_stand_in_training():
    group, part = np.array(list("aabbccd")), np.array(["train", "test", "val", "test", "test", "test", "train"])
    assert leakage.with_sibling(group, part) == 0.25


@pytest.mark.slow
def test_coin_labels_are_told_for_every_split_that_there_is():
    table, features = signed(2.0)
    study = Some(table)
    study.corpus = SimpleNamespace(music=SimpleNamespace(x=torch.from_numpy(features["music"])))
    study.part = splits.assign_split(table, by="song", seed=study.profile.seed)
    rows = {row["split"]: row for row in leakage.coin_labels(study)}
    assert set(rows) == {"song", "segment"} and rows["song"]["sibling"] == 0 and rows["segment"]["sibling"] > 80
    assert rows["segment"]["named"] > 90 and rows["segment"]["interval"][0] > 50
    assert rows["song"]["named"] == pytest.approx(50, abs=12)
    music = table[table["modality"] == "music"].reset_index(drop=True)
    shares = leakage.recognised(features["music"], music, "segment", seed=study.profile.seed)
    assert rows["segment"]["named"] == pytest.approx(100 * np.mean(shares))
