"""The authors' database: song scores, picture lists, and what was fetched of them."""

import sqlite3
from contextlib import closing

import pytest
from conftest import picture, sound

from acp_lib.database import imac, validate
from acp_lib.database.manifest import build
from acp_lib.emotions import CLASSES
from acp_lib.experiment.splits import assign_split
from acp_lib.profiles import load
from acp_lib.study import Study

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


@pytest.mark.slow
def test_songs_are_read_without_quoting(root):
    table = imac.songs(root / "SongEmotionScore.csv")
    assert table["title"].tolist() == ["Welcome", '"Heroes" (live', "One, Two, Three", "Tie", "Nothing", "It's"]
    assert table["artist"].tolist() == ["Frankie", 'David "Bowie', "Len Barry", "Someone", "Nobody", "A'ha"]
    assert table["class"].fillna("none").tolist() == ["positive", "neutral", "negative", "positive", "none", "neutral"]
    assert table[["positive", "neutral", "negative"]].iloc[2].tolist() == [1, 0, 3]


@pytest.mark.slow
def test_ties_are_songs_without_a_single_dominant_class(root, tmp_path):
    songs = imac.scored(root)
    assert len(songs) == 6 and imac.ties(songs) == 3  # TR4 and TR6, and TR5, whose scores are all 0
    assert imac.ties(songs[songs["track"] == "TR3"]) == 0
    nothing = imac.scored(tmp_path / "none")
    assert imac.lengths(tmp_path / "none", ["TR1"]) is None
    assert not len(nothing) and list(nothing.columns) == list(songs.columns) and imac.ties(nothing) == 0


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


@pytest.mark.slow
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


@pytest.mark.slow
def test_picture_lists(root):
    (root / "agg").mkdir()
    (root / "agg/awe.csv").write_text("awe,https://host/1/p.jpg,1,4\nawe,https://host/2/gone.jpg?size=b,0,5\n")
    (root / "agg/sadness.csv").write_text("sadness,http://host/p.jpg,2,3\n")
    lists = imac.read_pictures(root / "agg")[0]
    assert lists["agree"].tolist() == [4, 5, 3] and lists["emotion"].tolist() == ["awe", "awe", "sadness"]
    files, _ = imac.scan(root)
    pictures = files[files["modality"] == "image"]
    assert pictures["path"].tolist() == ["images/awe/p.jpg", "images/awe/gone.jpg", "images/sadness/p.jpg"]
    assert pictures["class"].tolist() == ["positive", "positive", "negative"]


@pytest.mark.slow
@pytest.mark.parametrize(("text", "message"), [
    ("joy,https://host/p.jpg,1,4\n", "agg holds no row that reads: agg/awe.csv, line 1: names the emotion 'joy'; "
                                     "expected one of awe, .*; expected emotion,url,disagree,agree"),
    ("", "agg holds no row that reads; expected emotion,url,disagree,agree"),
    (None, "agg holds no list; put agg/<emotion>.csv there, or remove it"),
])
def test_wrong_picture_lists(root, text, message):
    (root / "agg").mkdir()
    if text is not None:
        (root / "agg/awe.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        imac.scan(root)


WRONG = {
    "emotion,url,disagree,agree": "names the emotion 'emotion'; expected one of awe",
    ",https://host/p.jpg,1,4": "names the emotion ''; expected one of awe",
    "awe,https://host/p.jpg,1": "3 fields; expected emotion,url,disagree,agree",
    "awe": "1 fields; expected emotion,url,disagree,agree",
    "awe,https://host/p.jpg,one,4": "counts 'one' and '4'; expected two whole numbers",
    f"awe,https://host/p.jpg,{'9' * 5000},4": "counts '99999999999999999999' and '4'; expected two whole numbers",
    "awe,https://host/p.jpg,1,-4": "counts '1' and '-4'; expected two whole numbers",
    "awe,https://host/p.jpg,1.0,4": "counts '1.0' and '4'",
}


@pytest.mark.slow
@pytest.mark.parametrize(("line", "reason"), WRONG.items(), ids=range(len(WRONG)))
def test_a_row_that_does_not_read_is_a_reject_and_no_end(root, line, reason):
    (root / "agg").mkdir()
    (root / "agg/awe.csv").write_text(f"awe,https://host/p.jpg,1,4\n{line}\n\ncontentment,https://host/p.jpg,1,4\n")
    files, bad = imac.scan(root)
    assert files["path"][:2].tolist() == ["images/awe/p.jpg", "images/contentment/p.jpg"]
    assert bad["path"][0] == "agg/awe.csv, line 2" and bad["reason"][0].startswith(reason)


ODD = ["https://host/..", "https://host/", "", "https://[", "https://host/a\0b.jpg", "https://host/" + "x" * 5000,
       "https://host/a,b.jpg", "https://host/%2e%2e", "https://host/..%2f..%2fetc", "https://host/\u202egpj.exe",
       "https://host/<script>alert(1)<script>.jpg", "https://host/a\\..\\b.jpg"]


@pytest.mark.slow
def test_no_address_leads_out_of_its_folder(root):
    (root / "agg").mkdir()
    (root / "agg/awe.csv").write_bytes(b"\xff\n" + "".join(f"awe,{url},0,5\n" for url in ODD).encode())
    files, bad = imac.scan(root)
    assert len(bad) == 1 + 3  # the line that is no text, and the songs without audio
    for path in files["path"][files["modality"] == "image"]:
        assert (root / path).resolve().parent == root / "images/awe" and (root / path).name not in ("", ".", "..")
        assert not (root / path).exists()  # an answer, whatever the name
    with pytest.raises(ValueError, match="images holds no usable file"):
        build(root, files, progress=False)


@pytest.mark.slow
def test_pictures_that_most_agreed_on(root):
    (root / "agg").mkdir()
    (root / "agg/awe.csv").write_text("awe,http://h/p.jpg,1,4\nawe,http://h/q.jpg,2,2\nawe,http://h/r.jpg,3,2\n")
    assert (imac.scan(root)[0]["modality"] == "image").sum() == 3  # the paper counts them all
    files, bad = imac.scan(root, agreement="majority")
    assert files["id"][files["modality"] == "image"].tolist() == ["awe/p.jpg"]
    assert bad[bad["reason"] == imac.NOT_AGREED]["path"].tolist() == ["images/awe/q.jpg", "images/awe/r.jpg"]


@pytest.mark.slow
def test_a_song_without_audio_says_whether_a_video_is_listed(root):
    (root / "YouTubeURLs.csv").write_text("TR1,a,b\nTR4,c,,d\nTR6,\n")
    assert imac.videos(root / "YouTubeURLs.csv") == {"TR1": ["a", "b"], "TR4": ["c", "d"], "TR6": []}
    reasons = imac.scan(root)[1].set_index("path")["reason"].to_dict()
    assert reasons == {"music/TR4": imac.NO_FILE, "music/TR5": "all three scores are 0", "music/TR6": imac.NO_VIDEO}


def million(path, rows):
    """A metadata database of the Million Song Dataset: track, title, artist id and name, duration."""
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE songs (track_id TEXT PRIMARY KEY, title TEXT, song_id TEXT, release TEXT, artist_id "
                   "TEXT, artist_mbid TEXT, artist_name TEXT, duration REAL)")
        db.executemany("INSERT INTO songs VALUES (?, ?, 'S', 'R', ?, 'M', ?, ?)", rows)
    return path


@pytest.mark.slow
def test_the_metadata_tell_artists_apart(root):
    million(root / "track_metadata.db", [
        ("TR1", "a", "AR1", "Frankie", 200.5), ("TR2", "b", "AR2", "Frankie", 10.0), ("TR3", "c", "AR3", "Len", 1.0),
        ("TR4", "d", "AR3", "Len feat. X", 1.0), ("TR5", "e", "AR3", "Len", 1.0), ("TR9", "z", "AR9", "Other", 1.0)])
    found = imac.metadata(root / "track_metadata.db", ["TR1", "TR3", "TR3", "TR7"])
    assert found["artist_id"].to_dict() == {"TR1": "AR1", "TR3": "AR3"} and found.loc["TR1", "duration"] == 200.5
    files = imac.scan(root)[0].set_index("id")["artist"]
    assert files[["TR1", "TR2", "TR3"]].tolist() == ["Frankie (AR1)", "Frankie (AR2)", "Len"]
    assert imac.lengths(root, ["TR1", "TR2", "TR7"]).to_dict() == {"TR1": 200.5, "TR2": 10.0}
    (root / "track_metadata.db").write_bytes(b"no database" * 100)
    with pytest.raises(ValueError, match="track_metadata.db does not read as the Million Song Dataset's .*; expected"):
        imac.scan(root)


@pytest.mark.parametrize("field", ["x" * 200_000, '"' * 7, "a\0b", "\u202eeltit", "<b>'\"&amp;</b>"])
def test_hostile_titles_are_text(tmp_path, field):
    (tmp_path / "s.csv").write_text(f"TR1,{field},{field},1_0_0\nTR2,b,c,0_1_0\n")
    table = imac.songs(tmp_path / "s.csv")
    assert table["title"].tolist() == [field, "b"] and table["artist"].tolist() == [field, "c"]


@pytest.mark.slow
def test_without_scores_or_music(root):
    for path in (root / "music").iterdir():
        path.unlink()
    (root / "music").rmdir()
    files, bad = imac.scan(root)
    assert set(files["modality"]) == {"image"} and len(bad) == 6
    (root / "SongEmotionScore.csv").unlink()
    with pytest.raises(ValueError, match="has no SongEmotionScore.csv; give the folder .*profile 'folder'"):
        imac.scan(root)


def test_the_authors_songs(real):
    table = imac.songs(real / "imac" / "SongEmotionScore.csv")
    assert len(table) == 4159 and table["track"].is_unique
    assert table["class"].value_counts().to_dict() == {"neutral": 1631, "positive": 1501, "negative": 1027}
    scores = table[["positive", "neutral", "negative"]]
    assert (scores.eq(scores.max(axis=1), axis=0).sum(axis=1) > 1).sum() == 431


def test_the_authors_videos(real):
    table = imac.videos(real / "imac" / "YouTubeURLs.csv")
    assert len(table) == 4153 and sum(not ids for ids in table.values()) == 5
    assert max(map(len, table.values())) == 10
    assert set(table) <= set(imac.songs(real / "imac" / "SongEmotionScore.csv")["track"])


@pytest.mark.parametrize(("name", "count"), [("happy", 880), ("soothing", 80), ("calm", 257), ("sad", 1049),
                                             ("pain", 218)])
def test_the_authors_clean_tags(real, name, count):
    lines = (real / "imac" / f"clean_tags_{name}.txt").read_text("utf8").splitlines()
    assert len(lines) == count


def authors_folder(root, songs=3, missing=5):
    """The authors' files in their layout, pictures by emotion, and audio for few of the songs."""
    lines, urls = [], []
    for k, (label, score) in enumerate(zip(CLASSES, ("2_1_0", "0_1_0", "0_1_2"), strict=True)):
        for i in range(songs + missing):
            track = f"TR{label[:3].upper()}{i:013d}"
            lines.append(f"{track},Title, \"{i},Artist,{score}\n")
            urls.append(f"{track},id{i},\n")
            if i < songs:
                sound(root / f"music/{track}.ogg", 10 * k + i)
    for k, emotion in enumerate(("awe", "contentment", "sadness")):
        for i in range(3):
            picture(root / "images" / emotion / f"p{i}.jpg", 10 * k + i)
    (root / "SongEmotionScore.csv").write_text("".join(lines))
    (root / "YouTubeURLs.csv").write_text("".join(urls[1:]))
    return root


def parts(study):
    """train, val or test for each row of the source's manifest."""
    options = study.profile.splitting
    return assign_split(study.listed, by=options.split, seed=study.profile.seed, draw=options.split_draw)


@pytest.mark.slow
def test_the_profile_works_where_most_media_are_missing(tmp_path):
    root = authors_folder(tmp_path / "imac")
    study = Study(load("imac", data=str(root), work=str(tmp_path / "work"), jobs=1), progress=False)
    assert study.listed["modality"].value_counts().to_dict() == {"image": 9, "music": 9}
    assert set(parts(study)) == {"train", "val", "test"}
    classes = dict(imac.songs(root / "SongEmotionScore.csv")[["track", "class"]].to_numpy())
    lost = validate.losses(study.samples.rejects, classes)
    assert {tuple(row) for row in lost.to_numpy()} == {("songs", c, "no audio file", 5) for c in CLASSES}


@pytest.mark.slow
def test_too_few_songs_to_split_are_named_with_the_remedy(tmp_path):
    root = authors_folder(tmp_path / "imac")
    next((root / "music").glob("TRNEG*")).unlink()
    study = Study(load("imac", data=str(root), work=str(tmp_path / "work"), jobs=1), progress=False)
    with pytest.raises(ValueError, match="class negative has 2 music units to split .*; give it 3 or more of its own"):
        parts(study)


@pytest.mark.slow
def test_a_class_without_any_audio_is_named(tmp_path):
    root = authors_folder(tmp_path / "imac")
    for path in (root / "music").glob("TRNEG*"):
        path.unlink()
    with pytest.raises(ValueError, match="imac/music has no usable file of class negative, which the other"):
        Study(load("imac", data=str(root), work=str(tmp_path / "work"), jobs=1), progress=False).listed  # noqa: B018
