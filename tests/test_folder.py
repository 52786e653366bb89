"""Anyone's own pictures and songs."""

import os
import sys

import pytest
from conftest import corpus, picture, sound

from acp_lib.database import folder
from acp_lib.database.manifest import CANDIDATE, build


@pytest.fixture
def root(tmp_path):
    return corpus(tmp_path / "mine", pictures=1, songs=1)


def paths(root):
    return folder.scan(root)[0]["path"].tolist()


def test_scan(root):
    files, bad = folder.scan(root)
    assert list(files.columns) == CANDIDATE and not len(bad)
    assert files["path"].tolist() == ["images/awe/p0.jpg", "images/contentment/p0.jpg", "images/sadness/p0.jpg",
                                      "music/negative/s0.flac", "music/neutral/s0.ogg", "music/positive/s0.wav"]
    assert files.iloc[0].to_dict() == {"id": "awe/p0.jpg", "modality": "image", "path": "images/awe/p0.jpg",
                                       "emotion": "awe", "class": "positive", "artist": "", "title": "p0"}


def test_nested_and_uppercase_folders_and_classes_for_pictures(tmp_path):
    picture(tmp_path / "images/Awe/2019/june/x.PNG".replace("PNG", "png"))
    picture(tmp_path / "images/NEGATIVE/y.jpg")
    sound(tmp_path / "music/Positive/album/disc 1/z.wav")
    sound(tmp_path / "music/negative/z.wav")
    files, _ = folder.scan(tmp_path)
    found = files.set_index("id")[["emotion", "class"]].T.to_dict("list")
    assert found == {"Awe/2019/june/x.png": ["awe", "positive"], "NEGATIVE/y.jpg": ["", "negative"],
                     "Positive/album/disc 1/z.wav": ["", "positive"], "negative/z.wav": ["", "negative"]}


def test_pictures_labelled_with_classes_alone(tmp_path):
    for label in ("positive", "negative"):
        picture(tmp_path / "images" / label / "a.jpg", len(label))
        sound(tmp_path / "music" / label / "a.wav", len(label))
    table, bad = build(tmp_path, folder.scan(tmp_path)[0], progress=False)
    assert table["emotion"].eq("").all() and table["class"].nunique() == 2 and not len(bad)


def test_hidden_files_and_folders_are_skipped(root):
    before = paths(root)
    for name in ("images/.DS_Store", "images/awe/.hidden.jpg", "images/awe/Thumbs.db", "music/neutral/desktop.ini",
                 "images/.cache/x.jpg", "music/neutral/.parts/x.ogg"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("x")
    files, bad = folder.scan(root)
    assert files["path"].tolist() == before and not len(bad)


def test_a_file_outside_the_label_folders_is_a_reject(root):
    (root / "images/notes.txt").write_text("x")
    assert folder.scan(root)[1].values.tolist() == [["images/notes.txt", "lies outside the label folders"]]


@pytest.mark.skipif(sys.platform != "linux", reason="file systems elsewhere refuse such names")
def test_a_name_that_is_not_utf8_is_a_reject(root):
    (root / os.fsdecode(b"images/awe/caf\xe9.jpg")).write_bytes(b"x")
    assert folder.scan(root)[1].values.tolist() == [["images/awe/caf?.jpg", "its name is not UTF-8; rename it"]]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["l\u00e4rm & <b>.jpg", "\u202egpj.jpg", "a'b\"c.jpg", "new\nline.jpg", "100%.jpg"])
def test_odd_names_are_data(root, name):
    picture(root / "images/awe" / "x.jpg").rename(root / "images/awe" / name)
    table, bad = build(root, folder.scan(root)[0], progress=False)
    assert f"awe/{name}" in set(table["id"]) and not len(bad)


@pytest.mark.slow
@pytest.mark.parametrize(("make", "message"), [
    ("images/joy/", r"mine/images/joy is not a label; rename the folder to one of awe, .*negative, or move it out"),
    ("music/awe/", r"mine/music/awe is not a label; rename the folder to one of positive, neutral, negative, or move"),
    ("images/fear/", r"mine/images/fear is empty; put files of that label in it, or remove the folder"),
    ("music/Neutral/.keep", r"mine/music/Neutral is empty; put files"),
])
def test_wrong_folders_are_named_with_the_remedy(root, make, message):
    (root / make).parent.mkdir(exist_ok=True)
    (root / make).touch() if not make.endswith("/") else (root / make).mkdir(exist_ok=True)
    with pytest.raises(ValueError, match=message):
        folder.scan(root)


def test_missing_folders(root, tmp_path):
    with pytest.raises(ValueError, match="data is 'nowhere', which is no folder; give one that holds images/"):
        folder.scan(tmp_path / "nowhere")
    (root / "music").rename(root / "songs")
    with pytest.raises(ValueError, match="mine has no folder 'music'; expected mine/images/.* and mine/music/<class>"):
        folder.scan(root)


def test_one_class_alone_is_refused_when_it_is_built(tmp_path):
    picture(tmp_path / "images/awe/a.jpg")
    sound(tmp_path / "music/positive/a.wav")
    with pytest.raises(ValueError, match="holds class positive alone"):
        build(tmp_path, folder.scan(tmp_path)[0], progress=False)


# metadata.csv


@pytest.mark.slow
@pytest.mark.parametrize("text", [
    "id,artist,title\nawe/p0.jpg,Ann,Peak\ns0.wav,\"Bob, Jr.\",\n",
    "\ufeffid,artist,title,tags,licence\r\nawe/p0.jpg,Ann,Peak,x,CC0\r\ns0.wav,\"Bob, Jr.\",,,\r\n",
    "title,id,artist\nPeak,awe/p0.jpg,Ann\n,s0.wav,\"Bob, Jr.\"\n",
    "id,artist,title\nawe/p0.jpg,Ann,Peak,\ns0.wav,\"Bob, Jr.\",,\n",  # one comma too many in each row
])
def test_metadata(root, text):
    (root / "metadata.csv").write_text(text, encoding="utf-8")
    files = folder.scan(root)[0].set_index("id")
    assert files.loc["awe/p0.jpg", ["artist", "title"]].tolist() == ["Ann", "Peak"]
    assert files.loc["positive/s0.wav", ["artist", "title"]].tolist() == ["Bob, Jr.", "s0"]
    assert files.loc["sadness/p0.jpg", ["artist", "title"]].tolist() == ["", "p0"]


def test_metadata_is_text(root):
    (root / "metadata.csv").write_text("id,artist,title\npositive/s0,007,NA\nawe/p0,<b>x</b>,\n")
    files = folder.scan(root)[0].set_index("id")
    assert files.loc["positive/s0.wav", ["artist", "title"]].tolist() == ["007", "NA"]
    assert files.loc["awe/p0.jpg", ["artist", "title"]].tolist() == ["<b>x</b>", "p0"]


def test_real_pictures_and_clips(real):
    files, bad = folder.scan(real / "real")
    assert not len(bad)
    assert files.groupby("modality")["class"].value_counts().unstack().to_dict("index") == {
        "image": {"negative": 224, "neutral": 56, "positive": 168},
        "music": {"negative": 62, "neutral": 150, "positive": 169}}
    table, bad = build(real / "real", files, progress=False)
    assert len(table) + len(bad) == 448 + 381 and not len(bad)
