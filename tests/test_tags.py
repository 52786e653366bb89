"""From tags to song labels, on small SQLite files written here."""

import sqlite3
from contextlib import closing

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acp_lib.database import tags
from acp_lib.emotions import CLASSES


@pytest.mark.parametrize(("scores", "expected"), [
    ((1, 0, 0), "positive"), ((0, 1, 0), "neutral"), ((0, 0, 1), "negative"),
    ((2, 1, 3), "negative"), ((1, 3, 2), "neutral"), ((9, 8, 8), "positive"),
    ((1, 1, 0), "positive"), ((1, 0, 1), "positive"), ((1, 1, 1), "positive"), ((0, 2, 2), "neutral"),
    ((1, 2, 2), "neutral"),
    ((0, 0, 0), None),
])
def test_label(scores, expected):
    assert tags.label(*scores) == expected


@pytest.mark.parametrize("scores", [(-1, 0, 0), (3, -2, 0), (0, 0, -1)])
def test_negative_scores_are_refused(scores):
    with pytest.raises(ValueError, match=r"scores are \(.*-.*\); expected three counts of at least 0"):
        tags.label(*scores)


@given(*[st.integers(0, 9)] * 3)
def test_a_label_is_a_dominant_class_and_none_more_positive_is_dominant(pos, neu, neg):
    scores, found = (pos, neu, neg), tags.label(pos, neu, neg)
    if found is None:
        assert scores == (0, 0, 0)
    else:
        k = CLASSES.index(found)
        assert scores[k] == max(scores) and max(scores[:k], default=-1) < scores[k]


TABLE_2 = {
    "this will always make me happy": "positive", "so energetic": "positive",
    "makes me energetic and wanna dance": "positive", "joyous": "positive",
    "soothing for the ear to hear": "neutral", "cool and relaxing music": "neutral", "calmness": "neutral",
    "sad": "negative", "makes me sad": "negative", "for the painfully alone": "negative",
}


@pytest.mark.parametrize(("tag", "label"), TABLE_2.items())
def test_table_2_of_the_paper(tag, label):
    assert tags.screen(tag) == (label, "")


@pytest.mark.parametrize(("tag", "reason"), [
    ("rock", "holds none of the strings"), ("", "holds none of the strings"),
    ("Happy", "holds none of the strings"),  # searched as written
    ("spain", "a place, a name or another word"), ("painting", "a place, a name or another word"),
    ("sade", "a place, a name or another word"), ("crusade", "a place, a name or another word"),
    ("happysad", "a contradiction of two classes"), ("sad but happy", "a contradiction of two classes"),
    ("unhappy", "a negation"), ("not sad", "a negation"), ("never calm", "a negation"),
    ("calm and sad", "strings of two classes"), ("relaxed happy", "strings of two classes"),
])
def test_dirty_tags_are_dropped_with_a_reason(tag, reason):
    found, why = tags.screen(tag)
    assert found is None and why.startswith(reason)


@given(st.text() | st.lists(st.sampled_from([*tags.SUBSTRINGS, " ", "not ", "x", "\0"])).map("".join))
def test_every_tag_is_kept_or_dropped_with_a_reason(tag):
    label, reason = tags.screen(tag)
    assert (label in CLASSES and reason == "") or (label is None and reason)


HOSTILE = ["<script>alert(1)</script> happy", "sad\0tail", "\u202ecalm", "happy" * 2000, "x" * 10_000 + " sad",
           "soothing\n\t", "'; DROP TABLE tags; -- calm", "\U0001f600 joyous", "sad \u0301"]


def database(path, carried):
    """A Last.fm tag database of (track, tag) pairs."""
    tracks = list(dict.fromkeys(t for t, _ in carried))
    names = list(dict.fromkeys(n for _, n in carried))
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript("CREATE TABLE tids (tid TEXT); CREATE TABLE tags (tag TEXT);"
                         "CREATE TABLE tid_tag (tid INT, tag INT, val FLOAT);")
        db.executemany("INSERT INTO tids VALUES (?)", [(t,) for t in tracks])
        db.executemany("INSERT INTO tags VALUES (?)", [(n,) for n in names])
        db.executemany("INSERT INTO tid_tag VALUES (?, ?, 100)",
                       [(tracks.index(t) + 1, names.index(n) + 1) for t, n in carried])
    return path


@pytest.fixture
def lastfm(tmp_path):
    return database(tmp_path / "lastfm.db", [
        ("TR1", "happy"), ("TR1", "joyous"), ("TR1", "sad"), ("TR1", "rock"), ("TR2", "sad"), ("TR2", "spain"),
        ("TR3", "unhappy"), ("TR3", "rock"), ("TR4", "calm"), ("TR4", "sad"), ("TR4", "happy")])


def test_frequencies(lastfm):
    assert tags.read_lastfm(lastfm).values.tolist() == [
        ["sad", 3], ["happy", 2], ["rock", 2], ["calm", 1], ["joyous", 1], ["spain", 1], ["unhappy", 1]]


def test_screened(lastfm):
    table = tags.screened(tags.read_lastfm(lastfm)).set_index("tag")
    assert table["class"].dropna().to_dict() == {"sad": "negative", "happy": "positive", "calm": "neutral",
                                                 "joyous": "positive"}
    assert (table["reason"] == "").tolist() == table["class"].notna().tolist()


def test_scores_count_distinct_clean_tags(lastfm):
    with closing(sqlite3.connect(lastfm)) as db, db:
        db.execute("INSERT INTO tid_tag VALUES (1, 1, 50)")  # twice the same
        db.execute("INSERT INTO tags VALUES ('joyous')")  # twice the same text
        db.execute("INSERT INTO tid_tag VALUES (1, 8, 50)")
    assert tags.scores(lastfm).values.tolist() == [["TR1", 2, 0, 1], ["TR2", 0, 0, 1], ["TR4", 1, 1, 1]]
    assert list(tags.scores(lastfm).columns) == ["track", *CLASSES]


def test_without_one_emotion_tag(tmp_path):
    table = tags.scores(database(tmp_path / "x.db", [("TR1", "rock")]))
    assert list(table.columns) == ["track", *CLASSES] and not len(table)


def test_hostile_tags_are_data(tmp_path):
    path = database(tmp_path / "x.db", [("TR1", tag) for tag in HOSTILE])
    assert sorted(tags.read_lastfm(path)["tag"]) == sorted(HOSTILE)
    assert tags.scores(path).values.tolist() == [["TR1", 3, 3, 3]]


def test_tags_that_are_no_text_or_not_utf8(tmp_path):
    path = database(tmp_path / "x.db", [("TR1", "happy")])
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE other (tag)")
        db.execute("DROP TABLE tags")
        db.execute("ALTER TABLE other RENAME TO tags")
        db.execute("INSERT INTO tags VALUES (NULL), (7), (x'736164'), (CAST(x'73616420ff' AS TEXT))")
        db.execute("DELETE FROM tid_tag")
        db.execute("INSERT INTO tid_tag VALUES (1, 1, 1), (1, 2, 1), (1, 3, 1), (1, 4, 1)")
    assert tags.read_lastfm(path).values.tolist() == [["sad \ufffd", 1]]
    assert tags.scores(path).values.tolist() == [["TR1", 0, 0, 1]]


@pytest.mark.parametrize("function", [tags.read_lastfm, tags.scores])
@pytest.mark.parametrize("make", ["missing", "text", "empty", "other tables", "folder"])
def test_what_is_no_tag_database_is_named(tmp_path, function, make):
    path = tmp_path / "odd #1 ?.db"
    if make == "text":
        path.write_text("not a database, but long enough to be taken for one" * 100)
    elif make == "empty":
        path.touch()
    elif make == "folder":
        path.mkdir()
    elif make == "other tables":
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("CREATE TABLE songs (x)")
    with pytest.raises(ValueError, match=r"odd #1 \?.db does not read as a Last.fm tag database: .*; expected SQLite"):
        function(path)
    assert path.exists() == (make != "missing")


def test_scores_without_tracks(lastfm):
    with closing(sqlite3.connect(lastfm)) as db, db:
        db.execute("DROP TABLE tids")
    with pytest.raises(ValueError, match="no such table: tids"):
        tags.scores(lastfm)


def test_odd_file_names(tmp_path):
    path = database(tmp_path / "a b#?%41.db", [("TR1", "sad")])
    assert tags.scores(path).values.tolist() == [["TR1", 0, 0, 1]]


@pytest.mark.parametrize(("name", "label"), [("happy", "positive"), ("soothing", "neutral"), ("calm", "neutral"),
                                             ("sad", "negative"), ("pain", "negative")])
def test_most_of_the_authors_clean_tags_are_kept(real, name, label):
    lines = (real / "imac" / f"clean_tags_{name}.txt").read_text("utf8").splitlines()
    table = tags.screened(pd.DataFrame({"tag": [line.lower() for line in lines]}))
    kept = (table["class"] == label).mean()
    assert kept > 0.9, table[table["class"] != label].to_string()
