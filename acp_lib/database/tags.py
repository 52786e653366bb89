"""From user tags to song labels: which tags speak of emotion, which of those mislead, and what a song's tags add up to.

Tags come from `lastfm_tags.db` (SQLite: tids(tid), tags(tag), tid_tag(tid, tag, val); in the last both are ROWIDs) or
`lastfm_unique_tags.txt` (a tag, a tab and its frequency a line). `clean_tags_<string>.txt`, a tag a line, are the
authors' own clean lists, of which five survive; against these the rules are measured.

Paper: Section 2, Music data collection and labeling; Table 2.
Chapter: Building the database.
"""

import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from acp_lib.database import text
from acp_lib.database.walk import given
from acp_lib.emotions import CLASSES

SUBSTRINGS = {
    "happy": "positive", "joyous": "positive", "energetic": "positive",
    "soothing": "neutral", "relax": "neutral", "calm": "neutral",
    "sad": "negative", "pain": "negative",
}
"""Paper: Section 2, the strings a relevant tag contains, and their class; searched as written (see the ledger)."""

NO_STRING = "holds none of the strings"
TWO_CLASSES = "strings of two classes"
TABLES = ("lastfm_tags.db", "lastfm_unique_tags.txt")
"""Files that may hold a table of tags; the first that is there is read."""


def label(pos: int, neu: int, neg: int) -> str | None:
    """The class of a song, from its number of distinct tags of each class: the most frequent class; a tie goes to the
    more positive one. None if all three numbers are 0.

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


# --- which tags count


@dataclass(frozen=True)
class Rule:
    """A kind of tag that holds a string and is dropped all the same."""

    name: str
    reason: str
    pattern: re.Pattern
    source: str
    examples: tuple[str, ...]


@cache
def rules() -> tuple[Rule, ...]:
    """The clean-up rules of `tag_rules.yml`, in order; the first that matches drops the tag. `<string>` is any of
    SUBSTRINGS there.
    """
    entries = yaml.safe_load((Path(__file__).parent / "tag_rules.yml").read_text("utf8"))
    any_string = f"(?:{'|'.join(SUBSTRINGS)})"
    return tuple(Rule(e["name"], e["reason"], re.compile(e["pattern"].replace("<string>", any_string), re.IGNORECASE),
                      e["source"], tuple(e["examples"])) for e in entries)


def screen(tag: str) -> tuple[str | None, str]:
    """(class, "") for a tag that expresses one emotion class; (None, reason) for any other tag.

    Paper: Section 2; the paper removed ambiguous tags by hand, here `tag_rules.yml` does.
    Chapter: Building the database.
    """
    classes = {c for s, c in SUBSTRINGS.items() if s in tag}
    if not classes:
        return None, NO_STRING
    for rule in rules():
        if rule.pattern.search(tag):
            return None, rule.reason
    return (classes.pop(), "") if len(classes) == 1 else (None, TWO_CLASSES)


def screened(table: pd.DataFrame) -> pd.DataFrame:
    """The table of tags with the columns `class` (missing where dropped) and `reason`."""
    verdicts = [screen(tag) for tag in table["tag"]]
    return table.assign(**{"class": [c for c, _ in verdicts], "reason": [r for _, r in verdicts]})


def dropped(table: pd.DataFrame | None) -> pd.DataFrame:
    """What each rule drops of a screened table: rule, reason, tags, frequency, examples (most frequent first), source.

    Rules that drop nothing are listed too. Without a table there are no counts, and the examples are the rules' own.

    Chapter: Building the database.
    """
    named = [(r.name, r.reason, r.source) for r in rules()]
    named.append(("two classes", TWO_CLASSES, "Section 2 puts a string into one class; a tag with two has none."))
    if table is None:
        own = {r.reason: list(r.examples) for r in rules()}
        return pd.DataFrame([{"rule": name, "reason": reason, "tags": None, "frequency": None,
                              "examples": own.get(reason, []), "source": source} for name, reason, source in named])
    groups = dict(list(table[table["class"].isna()].groupby("reason")))
    rows = []
    for name, reason, source in named:
        held = groups.get(reason, table[:0])
        rows.append({"rule": name, "reason": reason, "tags": len(held), "frequency": int(held["frequency"].sum()),
                     "examples": held["tag"].tolist()[:4], "source": source})
    return pd.DataFrame(rows)


# --- tables of tags


@contextmanager
def opened(path: Path, what: str, tables: str) -> Iterator[sqlite3.Connection]:
    """An SQLite file, opened for reading; one that does not read as `what`, with `tables`, ends in a ValueError."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
            db.text_factory = lambda value: value.decode(errors="replace")
            yield db
    except sqlite3.Error as error:
        raise ValueError(f"{path.name} does not read as {what}: {error}; expected SQLite with the {tables}") from None


_lastfm = partial(opened, what="a Last.fm tag database",
                  tables="tables tids(tid), tags(tag) and tid_tag(tid, tag, val)")
_HOLDS = "typeof(tag) = 'text' AND (" + " OR ".join(f"instr(tag, '{s}') > 0" for s in SUBSTRINGS) + ")"


def read_lastfm(path: Path) -> pd.DataFrame:
    """Every tag of a Last.fm tag database that holds one of the strings, and its frequency, the number of tracks that
    carry it; the database does the selecting.

    Columns tag, frequency, most frequent first.

    Raises
    ------
    ValueError
        If the file is not a database with the tables tags(tag) and tid_tag(tid, tag, val).
    """
    with _lastfm(path) as db:
        rows = db.execute(f"""WITH held AS MATERIALIZED (SELECT ROWID AS id, tag FROM tags WHERE {_HOLDS})
                              SELECT held.tag, COUNT(*) AS frequency FROM tid_tag JOIN held ON held.id = tid_tag.tag
                              GROUP BY held.id ORDER BY frequency DESC, held.tag""").fetchall()
    return pd.DataFrame(rows, columns=["tag", "frequency"])


def read_unique(path: Path) -> pd.DataFrame:
    """The same of a text file with a tag, a tab and its frequency a line.

    Raises
    ------
    ValueError
        For a line that does not end in a tab and a count, with its number; or as `text.read` raises.
    """
    rows = []
    for number, line in enumerate(text.lines(path), 1):
        tag, tab, count = line.rpartition("\t")
        if not line.strip():
            continue
        if not (tab and count.strip().isdecimal()):
            raise ValueError(f"{path.name}, line {number} is {line.rstrip()[:80]!r}; expected a tag, a tab and its "
                             "frequency")
        if any(s in tag for s in SUBSTRINGS):
            rows.append((tag, int(count)))
    table = pd.DataFrame(rows, columns=["tag", "frequency"])
    return table.sort_values(["frequency", "tag"], ascending=[False, True], ignore_index=True)


def table_file(root: Path) -> Path | None:
    """The table of tags in a folder of data, if it has one."""
    return next((root / name for name in TABLES if given(root / name)), None)


def read(path: Path) -> pd.DataFrame:
    """Tags and frequencies of either kind of file; see `read_lastfm` and `read_unique`."""
    return read_lastfm(path) if path.suffix == ".db" else read_unique(path)


def count(path: Path) -> int:
    """How many tags a table of either kind holds, whatever they are about."""
    if path.suffix != ".db":
        return sum(bool(line.strip()) for line in text.lines(path))
    with _lastfm(path) as db:
        return db.execute("SELECT COUNT(*) FROM tags").fetchone()[0]


def scores(path: Path) -> pd.DataFrame:
    """Track, positive, neutral, negative: distinct clean emotion tags of each track of a Last.fm tag database.

    Python decides about the tags that hold a string, the database counts.

    Paper: Section 2.  Chapter: Building the database.
    """
    with _lastfm(path) as db:
        held = pd.DataFrame(db.execute(f"SELECT ROWID, tag FROM tags WHERE {_HOLDS}").fetchall(), columns=["id", "tag"])
        clean = screened(held).dropna(subset="class")
        word = pd.factorize(clean["tag"])[0]  # the same text under two numbers is one tag
        db.execute("CREATE TEMP TABLE clean (id INTEGER PRIMARY KEY, word INT, class TEXT)")
        db.executemany("INSERT INTO clean VALUES (?, ?, ?)",
                       zip(clean["id"].tolist(), word.tolist(), clean["class"], strict=True))
        sums = ", ".join(f"COUNT(DISTINCT CASE class WHEN '{c}' THEN word END)" for c in CLASSES)
        rows = db.execute(f"""SELECT tids.tid, {sums} FROM tid_tag JOIN clean ON clean.id = tid_tag.tag
                              JOIN tids ON tids.ROWID = tid_tag.tid GROUP BY tids.tid""").fetchall()
    return pd.DataFrame(rows, columns=["track", *CLASSES])


# --- against the authors' lists


def clean_lists(root: Path) -> dict[str, list[str]]:
    """The authors' clean tags by string, of the files `clean_tags_<string>.txt` that a folder holds."""
    return {s: [line for line in text.lines(path) if line] for s in SUBSTRINGS
            if given(path := root / f"clean_tags_{s}.txt")}


def compared(lists: dict[str, list[str]], table: pd.DataFrame | None = None) -> pd.DataFrame:
    """The rules against the authors' lists, one row a string.

    Recall is the share of a list that the rules keep in the list's class; precision, of the table's tags that hold the
    string and that the rules keep in its class, the share that stands in the list. Without a table of tags to choose
    from, as the authors had, there is nothing that a rule could keep wrongly, and precision is missing.

    Parameters
    ----------
    lists : `clean_lists`
    table : tags that the authors chose from, as `read` gives them

    Returns
    -------
    DataFrame with string, class, authors, kept, recall, ours, both, precision (shares from 0 to 1)

    Chapter: Building the database.
    """
    rows = []
    for string, tags in lists.items():
        kept = _kept_tags(string, tags)
        row = {"string": string, "class": SUBSTRINGS[string], "authors": len(tags), "kept": len(kept),
               "recall": len(kept) / len(tags) if tags else np.nan, "ours": None, "both": None, "precision": np.nan}
        if table is not None:
            ours = _kept_tags(string, table["tag"])
            both = len(set(ours) & set(tags))
            row |= {"ours": len(ours), "both": both, "precision": both / len(ours) if ours else np.nan}
        rows.append(row)
    return pd.DataFrame(rows, columns=["string", "class", "authors", "kept", "recall", "ours", "both", "precision"])


def listed_twice(lists: dict[str, list[str]], label: str) -> int:
    """How many entries of the authors' lists of one class repeat a tag that another of these lists has.

    Chapter: Building the database.
    """
    listed = [t for s, tags in lists.items() if SUBSTRINGS[s] == label for t in tags]
    return len(listed) - len(set(listed))


def _kept_tags(string: str, tags: Iterable[str]) -> list[str]:
    return [t for t in tags if string in t and screen(t)[0] == SUBSTRINGS[string]]


def disagreements(lists: dict[str, list[str]]) -> pd.DataFrame:
    """Every tag of the authors' lists that the rules drop or put into another class: string, tag, ours, reason.

    Chapter: Building the database.
    """
    rows = [{"string": s, "tag": t, "ours": found, "reason": reason} for s, tags in lists.items() for t in tags
            for found, reason in [screen(t)] if found != SUBSTRINGS[s]]
    return pd.DataFrame(rows, columns=["string", "tag", "ours", "reason"])


def in_another_case(lists: dict[str, list[str]]) -> tuple[int, int]:
    """Of the authors' tags: how many hold a capital letter, and how many hold their string in capitals alone.

    The second is 0 if the strings were searched as written.
    """
    tags = [(s, t) for s, listed in lists.items() for t in listed]
    return sum(t != t.lower() for _, t in tags), sum(s not in t for s, t in tags)
