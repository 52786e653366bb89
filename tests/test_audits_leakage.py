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


def test_a_planted_signature_raises_the_score_of_segments_and_not_of_songs():
    table, features = signed(2.0)
    torn, whole = (leakage.compared(table, features, by) for by in ("segment", "song"))
    assert torn > 0.9 and whole == pytest.approx(0.5, abs=0.15)
    assert torn - whole > 0.3


def test_without_a_signature_no_split_is_better():
    table, features = signed(0.0)
    for by in ("segment", "song"):
        scores = [leakage.compared(table, features, by, draw=draw) for draw in range(4)]
        assert np.mean(scores) == pytest.approx(0.5, abs=0.1)


def test_coin_labels_are_named_where_a_song_can_be_recognised_and_met():
    music = manifest(songs=60, segments=4, pictures=0)
    for strength, by, expected in ((2.0, "segment", 1.0), (2.0, "song", 0.5), (0.0, "segment", 0.5)):
        x = signed(strength)[1]["music"]
        found = leakage.recognised(x, music, by)
        assert len(found) == 5 and np.mean(found) == pytest.approx(expected, abs=0.12), (strength, by)


# pictures


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


def test_a_split_that_the_data_cannot_have_is_named_with_its_reason():
    found = retrained.by_split(Some(manifest(songs=30, artists=0)))
    assert list(found)[0] == "song" and found["artist"] == "no artist is known"
    assert found["song"].changes == {"seeds": 7} and found["segment"].changes == {"seeds": 7, "split": "segment"}
    found = retrained.by_split(Some(manifest(songs=30, artists=2)))
    assert found["artist"].startswith("class ") and "units to split (by artist)" in found["artist"]
    assert retrained.by_split(Some(manifest(songs=30, artists=15)))["artist"].changes["split"] == "artist"


# what the chapter says of them


def test_the_gain_is_over_the_split_by_song_run_by_run():
    rows = [{"split": by, "method": method, "ours": float(np.mean(values)), "values": values}
            for by, method, values in (("song", "ACP-Net", [50.0, 60.0]), ("segment", "ACP-Net", [70.0, 84.0]),
                                       ("artist", "ACP-Net", [1.0, 2.0]), ("song", "compared", [40.0]),
                                       ("segment", "compared", [45.0]), ("song", "alone", [9.0]))]
    found = leakage.gain(rows, "ACP-Net")  # 20 and 24: mean 22, and 12.7 standard errors of 2 on either side
    assert found["gain"] == pytest.approx(22)
    assert found["interval"] == pytest.approx((22 - 2 * 12.7062, 22 + 2 * 12.7062), abs=1e-3)
    assert leakage.gain(rows, "compared") == {"gain": 5.0, "interval": None}
    assert leakage.gain(rows, "alone") == {"gain": None, "interval": None}


def test_siblings_stand_in_training():
    group, part = np.array(list("aabbccd")), np.array(["train", "test", "val", "test", "test", "test", "train"])
    assert leakage.with_sibling(group, part) == 0.25


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
