"""From tags to song labels, on small SQLite files written here."""

import sqlite3
import time
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


@pytest.mark.slow
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


@pytest.mark.slow
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
        ["sad", 3], ["happy", 2], ["calm", 1], ["joyous", 1], ["spain", 1], ["unhappy", 1]]  # and not "rock"
    assert tags.count(lastfm) == 7


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


@pytest.mark.slow
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


# --- the rules


@pytest.mark.parametrize("rule", tags.rules(), ids=lambda r: r.name)
def test_a_rule_drops_its_own_examples_and_says_who_names_them(rule):
    assert rule.source.endswith(".") and rule.examples
    for tag in rule.examples:
        assert tags.screen(tag.lower()) == (None, rule.reason), tag


def test_names_and_reasons_of_rules_are_unique():
    for what in ("name", "reason"):
        found = [getattr(rule, what) for rule in tags.rules()]
        assert len(set(found)) == len(found)


@pytest.mark.parametrize("tag", ["full spainy", "sad and happening", "saddest", "calma", "happy go lucky",
                                 "nothing but sad", "painless", "sadistic"])
def test_what_only_looks_like_a_rules_tag_is_kept(tag):
    assert tags.screen(tag)[0] in CLASSES


NEGATED = """
not happy|not so happy|not very happy|not really that happy|not at all happy|not_so_happy|not-so-happy|notsad
not a sad song|never happy|never been so happy|never felt so happy|never ever calm|nobody is happy|nothing sad
nothing is so calm|no pain|no sad songs|no more sad songs|no more pain|no sadness|no more calming down
no longer happy|no reason to be sad|no sad or painful songs|neither happy nor joyous|not sad and painful
hardly soothing|rarely relaxed|isn't happy|isn’t happy|isnt happy|i ain't happy|I-will-survive-but-I-aint-happy
this doesnt make me happy|don't be sad|dont be so sad|dont make me sad|can't be happy|cant be happy|cannot be calm
won't get sad|wasn't so sad|couldn't be happy|without pain|without any sadness|w/o pain|less sad|less painful
unhappy|tired-unhappy|uncalm|un-happy|unrelaxed|non-relaxing|non happy|nonhappy|anti-happy|anti sad|antisad
far from happy|anything but calm|anything but sad|not unhappy|not sad not painful
""".strip().replace("\n", "|").split("|")
NOT_NEGATED = """
happy songs for unhappy people|sadness is not pain but it hurts in another way|not-so-sad sad songs|sad but not sad
sad-not-sad|suicide is painless|painless|painkiller|sadomasochism|endless sadness|neverending sadness
neverfail happy|happy careless|nothing but sadness|not only sad|not just calm|not good when sad|no wait kinda sad
dont worry be happy|dontworrybehappysong|don't worry Be happy|pain that wont quit|the sadness will never end
sad-- realy- I dont think so|happy for no reason|sweet and happy and probably no
this is not the pain i see in others|please world stop being such a sad place|cant stop feeling sad
can't stop being happy|too sad|so sad too bad|why so sad|sad but not sorry|happy and free|never let me go sad
there was never any place for someone like me to be totally happy|not for everyone but so soothing
do not weep for the sun rises and the sea is calm once more|another sad song|noble sadness|note: calm|knot of pain
casino calm|nonstop happy|unbelievably sad|under a calm sky|until sad|unique and sad|antic happy|antidote to calm
lessons in pain|bless the happy|relentless pain|wanting calm|font of calm|want to be happy|cantata calm
""".strip().replace("\n", "|").split("|")


@pytest.mark.slow
@pytest.mark.parametrize("tag", NEGATED)
def test_a_tag_of_which_every_string_is_negated_is_dropped(tag):
    assert tags.screen(tag) == (None, "a negation")


@pytest.mark.slow
@pytest.mark.parametrize("tag", NOT_NEGATED)
def test_a_tag_with_a_string_that_nothing_negates_is_kept(tag):
    assert tags.screen(tag)[0] in CLASSES and tags.screen(tag)[1] == ""


def test_a_long_tag_of_negations_takes_no_time():
    began = time.perf_counter()
    for tag in ("no so so so " * 2000 + "sad", "not sad " * 2000 + "sad", "never " * 2000 + "x", "un" * 5000 + "happy"):
        tags.screen(tag)
    assert time.perf_counter() - began < 2


def test_without_a_table_rules_are_shown_with_their_own_examples(lastfm):
    counted, found = tags.dropped(tags.screened(tags.read_lastfm(lastfm))), tags.dropped(None)
    assert list(found.columns) == list(counted.columns) and found["rule"].tolist() == counted["rule"].tolist()
    assert found["tags"].isna().all() and found["frequency"].isna().all()
    assert found["examples"].tolist() == [*(list(r.examples) for r in tags.rules()), []]


def test_what_each_rule_dropped(lastfm):
    found = tags.dropped(tags.screened(tags.read_lastfm(lastfm))).set_index("rule")
    assert found["tags"].to_dict() == {"country": 1, "typing error": 0, "painting": 0, "proper name": 0,
                                       "another word": 0, "contradiction": 0, "negation": 1, "two classes": 0}
    assert found.loc["negation", "examples"] == ["unhappy"] and found.loc["negation", "frequency"] == 1
    assert found["source"].str.endswith(".").all()


# --- tables of tags


def test_a_list_of_unique_tags(tmp_path):
    path = tmp_path / "lastfm_unique_tags.txt"
    path.write_text("rock\t101071\nsad\t873\r\n\nso\tsad\t2\nSad\t9\nspain\t873\n\u202ecalm<b>\t1\n", "utf8")
    assert tags.read(path).values.tolist() == [["sad", 873], ["spain", 873], ["so\tsad", 2], ["\u202ecalm<b>", 1]]
    assert tags.count(path) == 6 and tags.table_file(tmp_path) == path
    database(tmp_path / "lastfm_tags.db", [("TR1", "sad")])
    assert tags.table_file(tmp_path).name == "lastfm_tags.db" and tags.table_file(tmp_path / "none") is None


@pytest.mark.parametrize("line", ["sad", "sad\t", "sad\tmany", "\t-1", "sad 3"])
def test_a_wrong_line_of_such_a_list_is_named(tmp_path, line):
    (tmp_path / "u.txt").write_text(f"rock\t3\n{line}\n")
    with pytest.raises(ValueError, match="u.txt, line 2 is .*; expected a tag, a tab and its frequency"):
        tags.read_unique(tmp_path / "u.txt")


# --- against the authors' lists


LISTS = {"sad": ["sad", "so sad", "sad but happy"], "pain": ["painting", "pain"]}


def test_recall_needs_the_lists_alone_and_precision_a_table():
    found = tags.compared(LISTS).set_index("string")
    assert found["kept"].to_dict() == {"sad": 2, "pain": 1} and found["precision"].isna().all()
    assert found["recall"].to_dict() == pytest.approx({"sad": 2 / 3, "pain": 0.5})
    table = pd.DataFrame({"tag": ["sad", "so sad", "sad thing", "saddle", "pain", "happy"], "frequency": 1})
    found = tags.compared(LISTS, table).set_index("string")
    assert found[["ours", "both"]].values.tolist() == [[3, 2], [1, 1]]
    assert found["precision"].to_dict() == pytest.approx({"sad": 2 / 3, "pain": 1.0})


def test_without_lists_there_is_nothing_to_compare():
    found = tags.compared({})
    assert not len(found) and list(found.columns) == list(tags.compared(LISTS).columns)


def test_tags_that_stand_in_two_lists_of_a_class():
    lists = {"sad": ["sad", "sad pain"], "pain": ["pain", "sad pain", "painful"], "happy": ["happy"]}
    assert tags.listed_twice(lists, "negative") == 1  # "sad pain"
    assert tags.listed_twice(lists, "positive") == tags.listed_twice({}, "negative") == 0


def test_disagreements_are_listed_with_their_reason():
    found = tags.disagreements(LISTS)
    assert found[["string", "tag"]].values.tolist() == [["sad", "sad but happy"], ["pain", "painting"]]
    assert found["reason"].str.startswith(("a contradiction", "a place")).all() and found["ours"].isna().all()
    assert list(tags.disagreements({}).columns) == list(found.columns)


def test_lists_are_read_by_their_names(tmp_path):
    (tmp_path / "clean_tags_sad.txt").write_text("sad\nSo sad\n")
    (tmp_path / "clean_tags_joyous.txt").write_text("joyous")
    (tmp_path / "clean_tags_rock.txt").write_text("rock")
    lists = tags.clean_lists(tmp_path)
    assert lists == {"joyous": ["joyous"], "sad": ["sad", "So sad"]}
    assert tags.in_another_case(lists) == (1, 0) and tags.in_another_case({"sad": ["SAD"]}) == (1, 1)


@pytest.fixture(scope="module")
def authors(real):
    return tags.clean_lists(real / "imac")


def test_the_authors_searched_as_written(authors):
    capitals, otherwise = tags.in_another_case(authors)
    assert capitals > 100 and otherwise == 0


def test_the_authors_negative_lists_are_the_papers_count(authors):
    assert {s: len(t) for s, t in authors.items()} == {"happy": 880, "soothing": 80, "calm": 257, "sad": 1049,
                                                       "pain": 218}
    assert len(authors["sad"]) + len(authors["pain"]) == 1267


def test_the_rules_keep_most_of_the_authors_tags_and_every_loss_is_named(authors):
    found = tags.compared(authors).set_index("string")
    assert (found["recall"] > 0.95).all() and found["kept"].sum() / found["authors"].sum() > 0.96
    lost = tags.disagreements(authors).groupby("string").size()
    assert lost.to_dict() == (found["authors"] - found["kept"]).to_dict()
    assert "sad but happy" in set(tags.disagreements(authors)["tag"]) and tags.screen("full spainy")[0] == "negative"


def test_what_rules_say_of_the_authors_lists_is_so(authors):
    lost = tags.disagreements(authors)
    by_rule = {r.name: lost[lost["reason"] == r.reason] for r in tags.rules()}
    assert {n: len(t) for n, t in by_rule.items() if n in ("country", "typing error", "painting", "proper name",
                                                          "another word")} == {
        "country": 0, "typing error": 0, "painting": 4, "proper name": 4, "another word": 4}
    assert set(by_rule["painting"]["string"]) == {"pain"} and by_rule["another word"]["string"].eq("sad").all()
    assert "not sad" in by_rule["negation"]["tag"].tolist() and len(by_rule["contradiction"]) > 20


def test_what_the_authors_name_as_irrelevant_is_in_no_list_of_theirs(authors):
    every = {t for listed in authors.values() for t in listed}
    assert not every & {"spain", "excalm", "happysad"}


def test_negations_are_in_the_authors_lists_as_the_rule_says(authors):
    every = {t for listed in authors.values() for t in listed}
    assert not every & {"unhappy", "not happy", "never happy", "no pain"}
    assert every >= {"not sad", "feel no pain", "dont worry be happy", "suicide is painless"}
    lost = tags.disagreements(authors)
    assert (lost["reason"] == "a negation").sum() == 8 and tags.compared(authors)["kept"].sum() == 2411
