"""The manifest: from candidate files to samples and rejects."""

import os
import shutil

import pandas as pd
import pytest
from conftest import corpus, picture, sound
from hypothesis import given
from hypothesis import strategies as st

from acp_lib.database import folder
from acp_lib.database.manifest import (
    COLUMNS,
    REJECT,
    build,
    candidates,
    finest_label,
    fingerprint,
    first_of_each_class,
    label_of,
    validate,
)
from acp_lib.database.walk import listing


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return corpus(tmp_path_factory.mktemp("corpus"), pictures=2, songs=1)


def made(root, **options):
    return build(root, folder.scan(root)[0], progress=False, **options)


@pytest.mark.slow
def test_a_small_corpus(small):
    table, bad = made(small)
    assert list(table.columns) == COLUMNS and list(bad.columns) == REJECT and not len(bad)
    assert table["id"].tolist() == [
        "awe/p0.jpg", "awe/p1.jpg", "contentment/p0.jpg", "contentment/p1.jpg", "sadness/p0.jpg", "sadness/p1.jpg",
        "negative/s0.flac", "neutral/s0.ogg", "positive/s0.wav"]
    assert table["class"].tolist() == ["positive"] * 2 + ["neutral"] * 2 + ["negative"] * 3 + ["neutral", "positive"]
    assert table["emotion"].tolist() == ["awe"] * 2 + ["contentment"] * 2 + ["sadness"] * 2 + [""] * 3
    music = table[table["modality"] == "music"]
    assert (music["start"] == 0).all() and music["duration"].tolist() == pytest.approx([10.5] * 3, abs=0.01)
    assert (music["group"] == music["id"]).all()
    assert table["sha"].is_unique and table["sha"].str.len().eq(16).all()


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [2, 3])
def test_the_number_of_jobs_does_not_matter(small, jobs):
    pd.testing.assert_frame_equal(made(small, jobs=jobs)[0], made(small)[0])


@pytest.mark.slow
@pytest.mark.parametrize(("seconds", "last", "expected"), [
    (9.9, 60, []),
    (10, 60, [(0, 10)]),
    (59.5, 60, [(0, 59.5)]),
    (60, 60, [(0, 60)]),
    (119, 60, [(0, 60)]),
    (119, 30, [(0, 60), (60, 59)]),
    (121, 60, [(0, 60), (60, 60)]),
])
def test_songs_become_segments_and_short_clips_are_used_as_they_are(tmp_path, seconds, last, expected):
    root = corpus(tmp_path, pictures=1, songs=1)
    path = sound(root / "music/positive/x.wav", seconds=seconds, rate=8000)
    table, bad = made(root, last_segment=last)
    found = table[table["path"] == path.relative_to(root).as_posix()]
    assert list(zip(found["start"], found["duration"], strict=True)) == expected
    ids = ["positive/x.wav"] if len(expected) == 1 else [f"positive/x.wav#{i}" for i in range(len(expected))]
    assert found["id"].tolist() == ids and set(found["group"]) <= {"positive/x.wav"}
    reasons = [] if expected else [["music/positive/x.wav", "9.9 s long; a clip is used from 10 s up"]]
    assert bad.values.tolist() == reasons


def unreadable(root):
    """Files that are no samples, by the start of the reason."""
    (root / "images/awe/text.jpg").write_text("no picture")
    (root / "images/awe/empty.png").touch()
    whole = picture(root / "images/awe/cut.jpg", 99, size=(400, 300)).read_bytes()
    (root / "images/awe/cut.jpg").write_bytes(whole[: len(whole) // 2])
    (root / "music/neutral/noise.mp3").write_bytes(os.urandom(999))
    (root / "music/neutral/empty.wav").touch()
    flac = bytearray(sound(root / "music/negative/endless.flac", 99).read_bytes())
    flac[21:26] = bytes([flac[21] & 0xF0, 0, 0, 0, 0])  # the header's number of samples: unknown
    (root / "music/negative/endless.flac").write_bytes(flac)
    return {"images/awe/text.jpg": "cannot be read: UnidentifiedImageError",
            "images/awe/empty.png": "cannot be read: UnidentifiedImageError",
            "images/awe/cut.jpg": "cannot be read: OSError: image file is truncated",
            "music/neutral/noise.mp3": "cannot be read: UnreadableAudio",
            "music/neutral/empty.wav": "cannot be read: UnreadableAudio",
            "music/negative/endless.flac": "cannot be read: UnreadableAudio"}


@pytest.mark.slow
def test_unreadable_files_are_rejects_with_a_reason(tmp_path):
    root = corpus(tmp_path, pictures=1, songs=1)
    expected = unreadable(root)
    table, bad = made(root)
    assert len(table) == 6 and set(bad["path"]) == set(expected)
    for path, reason in zip(bad["path"], bad["reason"], strict=True):
        assert reason.startswith(expected[path]) and str(tmp_path) not in reason


def test_a_candidate_ends_in_exactly_one_of_the_two(small):
    files = folder.scan(small)[0]
    gone = candidates([{"id": "x", "modality": "image", "path": "images/awe/gone.jpg", "class": "positive"}])
    table, bad = build(small, pd.concat([files, files[-1:], gone], ignore_index=True), progress=False)
    assert len(table) == len(files) and table["id"].is_unique
    assert bad.values.tolist() == [["images/awe/gone.jpg", "no such file"],
                                   [files["path"].iloc[-1], "its id stands twice"]]


@pytest.mark.slow
def test_exact_copies_are_of_one_group(tmp_path):
    root = corpus(tmp_path, pictures=2, songs=2)
    shutil.copy(root / "images/awe/p0.jpg", root / "images/sadness/copy.jpg")
    shutil.copy(root / "music/positive/s1.wav", root / "music/neutral/copy.wav")
    table, _ = made(root)
    groups = table.set_index("id")["group"]
    assert groups["awe/p0.jpg"] == groups["sadness/copy.jpg"]
    assert groups["positive/s1.wav"] == groups["neutral/copy.wav"] == "neutral/copy.wav"
    assert groups.nunique() == len(table) - 2


ROW = {"modality": "image", "class": "positive"}


@pytest.mark.parametrize(("held", "message"), [
    ({"image": [], "music": []}, "corpus/images holds no usable file; put image files below it, a folder a class"),
    ({"image": ["positive", "neutral"], "music": []}, "corpus/music holds no usable file; put music files"),
    ({"image": ["positive", "neutral"], "music": ["positive"]},
     "corpus/music has no usable file of class neutral, .*add some below music/neutral, or take that"),
    ({"image": ["positive"], "music": ["positive", "negative"]}, "corpus/images has no usable file of class negative"),
    ({"image": ["positive"], "music": ["positive"]}, "corpus holds class positive alone; .*two classes or more"),
    ({"image": ["positive", "happy"], "music": ["positive", "happy"]}, "classes .'happy'. are none of positive"),
])
def test_validate_names_what_is_missing(held, message):
    table = pd.DataFrame([{"modality": m, "class": c} for m, classes in held.items() for c in classes],
                         columns=["modality", "class"])
    with pytest.raises(ValueError, match=message):
        validate(table, "somewhere/corpus")


def test_two_classes_are_enough():
    validate(pd.DataFrame([{"modality": m, "class": c} for m in ("image", "music") for c in ("neutral", "negative")]))


def test_candidates_fill_what_a_source_does_not_say():
    table = candidates([{"id": 1, "modality": "image", "path": "p", "class": "neutral", "artist": None}])
    assert table.to_dict("records") == [
        {"id": "1", "modality": "image", "path": "p", "emotion": "", "class": "neutral", "artist": "", "title": ""}]
    assert not len(candidates([]))


@pytest.mark.parametrize(("name", "label"), [
    ("awe", ("awe", "positive")), (" Sadness ", ("sadness", "negative")), ("NEUTRAL", ("", "neutral")),
    ("joy", None), ("", None),
])
def test_label_of(name, label):
    assert label_of(name) == label


# digests


@pytest.fixture
def copies(small, tmp_path):
    for name in ("a", "b"):
        shutil.copytree(small, tmp_path / name)
    return tmp_path / "a", tmp_path / "b"


def test_the_same_database_elsewhere_has_the_same_digests(copies):
    a, b = copies
    assert listing(a) == listing(b) and fingerprint(made(a)[0]) == fingerprint(made(b)[0])


@pytest.mark.slow
@pytest.mark.parametrize("change", ["touch", "add", "remove", "rename", "content"])
def test_listing_notices(copies, change):
    a, b = copies
    target = b / "images/awe/p0.jpg"
    if change == "touch":
        os.utime(target, ns=(0, 0))
    elif change == "add":
        (b / "metadata.csv").write_text("id\n")
    elif change == "remove":
        target.unlink()
    elif change == "rename":
        target.rename(target.with_name("p9.jpg"))
    else:
        target.write_bytes(target.read_bytes() + b"x")
    assert listing(a) != listing(b)


@pytest.mark.slow
@pytest.mark.parametrize(("column", "value"), [
    ("id", "x"), ("class", "neutral"), ("emotion", "fear"), ("sha", "0"), ("start", 1.0), ("duration", 9.0),
    ("artist", "someone"),  # decides a split by artist
])
def test_fingerprint_notices(small, column, value):
    table, _ = made(small)
    changed = table.copy()
    changed.loc[0, column] = value
    assert fingerprint(changed) != fingerprint(table)


def test_fingerprint_survives_parquet(small, tmp_path):
    table, _ = made(small)
    table.to_parquet(tmp_path / "manifest.parquet")
    assert fingerprint(pd.read_parquet(tmp_path / "manifest.parquet")) == fingerprint(table)


@pytest.mark.slow
@given(st.text())
def test_label_of_any_name_is_a_label_or_none(name):
    found = label_of(name)
    assert found is None or found[1] in ("positive", "neutral", "negative")


def test_the_finest_label_is_the_emotion_where_one_is_known(small):
    table = made(small)[0]
    assert finest_label(table).tolist() == ["awe"] * 2 + ["contentment"] * 2 + ["sadness"] * 2 + [
        "negative", "neutral", "positive"]


def test_the_first_of_each_class_in_the_order_of_the_classes(small):
    pictures = made(small)[0].query("modality == 'image'")
    found = first_of_each_class(pictures)
    assert list(found) == ["positive", "neutral", "negative"]
    assert [row["id"] for row in found.values()] == ["awe/p0.jpg", "contentment/p0.jpg", "sadness/p0.jpg"]
    assert list(first_of_each_class(pictures[pictures["class"] != "neutral"])) == ["positive", "negative"]


@pytest.mark.slow
def test_a_file_that_is_named_as_a_segment_of_another_is_a_reject(tmp_path):
    root = corpus(tmp_path / "mine", pictures=1, songs=1)
    sound(root / "music/positive/long.wav", seconds=130)
    shutil.copy(root / "music/positive/s0.wav", root / "music/positive/long.wav#1")
    table, bad = build(root, folder.scan(root)[0], progress=False)
    assert table["id"].is_unique
    assert bad.values.tolist() == [["music/positive/long.wav#1", "its id is that of another sample, "
                                    "'positive/long.wav#1'; rename it"]]
