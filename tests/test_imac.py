"""The authors' database: song scores, picture lists, and what was fetched of them."""

import pytest
from conftest import picture, sound

from acp_lib.database import imac
from acp_lib.database.manifest import build

SCORES = """\
TR1,Welcome,Frankie,1_0_0
TR2,"Heroes" (live,David "Bowie,0_2_0
TR3,One, Two, Three,Len Barry,1_0_3
TR4,Tie,Someone,2_2_0
TR5,Nothing,Nobody,0_0_0
TR6,It's,A'ha,0_1_1
"""


@pytest.fixture
def root(tmp_path):
    (tmp_path / "SongEmotionScore.csv").write_text(SCORES)
    for i, emotion in enumerate(["awe", "contentment", "sadness"]):
        picture(tmp_path / "images" / emotion / "p.jpg", i)
    for i in (1, 2, 3):
        sound(tmp_path / f"music/TR{i}.ogg", i)
    return tmp_path


def test_songs_are_read_without_quoting(root):
    table = imac.songs(root / "SongEmotionScore.csv")
    assert table["title"].tolist() == ["Welcome", '"Heroes" (live', "One, Two, Three", "Tie", "Nothing", "It's"]
    assert table["artist"].tolist() == ["Frankie", 'David "Bowie', "Len Barry", "Someone", "Nobody", "A'ha"]
    assert table["class"].fillna("none").tolist() == ["positive", "neutral", "negative", "positive", "none", "neutral"]
    assert table[["positive", "neutral", "negative"]].iloc[2].tolist() == [1, 0, 3]


@pytest.mark.parametrize("text", ["\ufeffTR1,a,b,1_0_0\n", "TR1,a,b,1_0_0\r\n\r\n", "\nTR1,a,b,1_0_0", "TR1,,,1_0_0"])
def test_byte_order_mark_line_ends_and_empty_fields(tmp_path, text):
    (tmp_path / "s.csv").write_text(text, encoding="utf-8", newline="")
    assert imac.songs(tmp_path / "s.csv")[["track", "class"]].values.tolist() == [["TR1", "positive"]]


@pytest.mark.parametrize("line", ["TR2,a,b", "TR2,a,b,1_0", "TR2,a,b,1_0_0_0", "TR2,a,b,1_x_0", "TR2", "TR2,a,b,-1_0_0",
                                  "TR2,a,b,1_0_0,", "track,title,artist,score"])
def test_a_wrong_line_is_named(tmp_path, line):
    (tmp_path / "s.csv").write_text(f"TR1,a,b,1_0_0\n{line}\n")
    with pytest.raises(ValueError, match=r"s.csv, line 2 is '.*; expected track,title,artist,pos_neu_neg"):
        imac.songs(tmp_path / "s.csv")


def test_scan(root):
    files, bad = imac.scan(root)
    music = files[files["modality"] == "music"]
    assert music["id"].tolist() == ["TR1", "TR2", "TR3"]
    assert music["path"].tolist() == ["music/TR1.ogg", "music/TR2.ogg", "music/TR3.ogg"]
    assert music["class"].tolist() == ["positive", "neutral", "negative"]
    assert files["id"][:3].tolist() == ["awe/p.jpg", "contentment/p.jpg", "sadness/p.jpg"]
    assert bad.values.tolist() == [["music/TR4", "no audio file"], ["music/TR5", "all three scores are 0"],
                                   ["music/TR6", "no audio file"]]
    table, rejected = build(root, files, progress=False)
    assert len(table) == 6 and not len(rejected)


def test_picture_lists(root):
    (root / "agg").mkdir()
    (root / "agg/awe.csv").write_text("awe,https://host/1/p.jpg,1,4\nawe,https://host/2/gone.jpg?size=b,0,5\n")
    (root / "agg/sadness.csv").write_text("sadness,http://host/p.jpg,2,3\n")
    lists = imac.picture_lists(root / "agg")
    assert lists["agree"].tolist() == [4, 5, 3] and lists["emotion"].tolist() == ["awe", "awe", "sadness"]
    files, _ = imac.scan(root)
    pictures = files[files["modality"] == "image"]
    assert pictures["path"].tolist() == ["images/awe/p.jpg", "images/awe/gone.jpg", "images/sadness/p.jpg"]
    assert pictures["class"].tolist() == ["positive", "positive", "negative"]


@pytest.mark.parametrize(("text", "message"), [
    ("joy,https://host/p.jpg,1,4\n", r"agg names the emotions \['joy'\]; expected some of awe"),
    ("emotion,url,disagree,agree\nawe,https://host/p.jpg,1,4\n", r"agg names the emotions \['emotion'\]"),
    (",https://host/p.jpg,1,4\njoy,x,1,2\n", r"agg names the emotions \['', 'joy'\]"),
    (None, "agg holds no list; put agg/<emotion>.csv there, or remove it"),
])
def test_wrong_picture_lists(root, text, message):
    (root / "agg").mkdir()
    if text:
        (root / "agg/awe.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        imac.scan(root)


def test_without_scores_or_music(root):
    for path in (root / "music").iterdir():
        path.unlink()
    (root / "music").rmdir()
    files, bad = imac.scan(root)
    assert set(files["modality"]) == {"image"} and len(bad) == 6
    (root / "SongEmotionScore.csv").unlink()
    with pytest.raises(ValueError, match="has no SongEmotionScore.csv; give the folder .*PROFILE=folder"):
        imac.scan(root)


def test_the_authors_songs(real):
    table = imac.songs(real / "imac" / "SongEmotionScore.csv")
    assert len(table) == 4159 and table["track"].is_unique
    assert table["class"].value_counts().to_dict() == {"neutral": 1631, "positive": 1501, "negative": 1027}
    scores = table[["positive", "neutral", "negative"]]
    assert (scores.eq(scores.max(axis=1), axis=0).sum(axis=1) > 1).sum() == 431


@pytest.mark.parametrize(("name", "count"), [("happy", 880), ("soothing", 80), ("calm", 257), ("sad", 1049),
                                             ("pain", 218)])
def test_the_authors_clean_tags(real, name, count):
    lines = (real / "imac" / f"clean_tags_{name}.txt").read_text("utf8").splitlines()
    assert len(lines) == count
