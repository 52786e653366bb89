"""From user tags to song labels: which tags speak of emotion, which of those mislead, and what a song's tags add up to.

Paper: Section 2, Music data collection and labeling; Table 2.
Chapter: Building the database.
"""

import re
import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path

import pandas as pd
import yaml

from acp_lib.emotions import CLASSES

SUBSTRINGS = {
    "happy": "positive", "joyous": "positive", "energetic": "positive",
    "soothing": "neutral", "relax": "neutral", "calm": "neutral",
    "sad": "negative", "pain": "negative",
}
"""Paper: Section 2, the strings a relevant tag contains, and their class."""


def label(pos: int, neu: int, neg: int) -> str | None:
    """The class of a song with so many distinct emotion tags a class: the dominant one, a tie to the more positive.

    None if all three are 0.

    Raises
    ------
    ValueError
        For a negative score.

    Paper: Section 2.  Chapter: Building the database.
    """
    scores = (pos, neu, neg)
    if min(scores) < 0:
        raise ValueError(f"scores are {scores}; expected three counts of at least 0")
    return CLASSES[scores.index(max(scores))] if max(scores) else None


@cache
def rules() -> list[tuple[str, re.Pattern]]:
    """(reason, pattern) of each clean-up rule, in order; the first that matches drops the tag."""
    text = (Path(__file__).parent / "tag_rules.yml").read_text("utf8")
    return [(r["reason"], re.compile(r["pattern"], re.IGNORECASE)) for r in yaml.safe_load(text)]


def screen(tag: str) -> tuple[str | None, str]:
    """(class, "") of a tag that speaks of one emotion class; (None, reason) of any other.

    Paper: Section 2; the paper removed ambiguous tags by hand, here `tag_rules.yml` does.
    Chapter: Building the database.
    """
    classes = {c for s, c in SUBSTRINGS.items() if s in tag}
    if not classes:
        return None, "holds none of the strings"
    for reason, pattern in rules():
        if pattern.search(tag):
            return None, reason
    return (classes.pop(), "") if len(classes) == 1 else (None, "strings of two classes")


def read_lastfm(path: Path) -> pd.DataFrame:
    """Every distinct tag of a Last.fm tag database and its frequency, the number of tracks that carry it.

    Columns tag, frequency, most frequent first.

    Raises
    ------
    ValueError
        If the file is not a database with the tables tags(tag) and tid_tag(tid, tag, val).
    """
    return _query(path, """SELECT tags.tag AS tag, COUNT(*) AS frequency FROM tid_tag
                           JOIN tags ON tags.ROWID = tid_tag.tag WHERE typeof(tags.tag) = 'text'
                           GROUP BY tid_tag.tag ORDER BY frequency DESC, tags.tag""")


def _query(path: Path, query: str) -> pd.DataFrame:
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
            db.text_factory = lambda text: text.decode(errors="replace")
            return pd.read_sql_query(query, db)
    except (sqlite3.Error, pd.errors.DatabaseError) as error:
        cause = error.__cause__ or error  # without the text of the query
        raise ValueError(f"{path.name} does not read as a Last.fm tag database: {cause}; expected SQLite with the "
                         "tables tids(tid), tags(tag) and tid_tag(tid, tag, val)") from None


def screened(table: pd.DataFrame) -> pd.DataFrame:
    """The table of tags with the columns `class` (missing where dropped) and `reason`."""
    verdicts = [screen(tag) for tag in table["tag"]]
    return table.assign(**{"class": [c for c, _ in verdicts], "reason": [r for _, r in verdicts]})


def scores(path: Path) -> pd.DataFrame:
    """Track, positive, neutral, negative: distinct clean emotion tags of each track of a Last.fm tag database."""
    clean = screened(read_lastfm(path)).dropna(subset="class")[["tag", "class"]].drop_duplicates()
    carried = _query(path, """SELECT DISTINCT tids.tid AS track, tags.tag AS tag FROM tid_tag
                              JOIN tids ON tids.ROWID = tid_tag.tid JOIN tags ON tags.ROWID = tid_tag.tag
                              WHERE typeof(tags.tag) = 'text'""").merge(clean, on="tag")
    counts = pd.crosstab(carried["track"], carried["class"]).reindex(columns=list(CLASSES), fill_value=0)
    return counts.rename_axis(columns=None).reset_index()
