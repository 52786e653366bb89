"""What became of the pictures and songs that the lists name: how many there are, and why the others are not.

Chapter: Building the database.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd

from acp_lib.database import imac
from acp_lib.database.acquire import journal
from acp_lib.database.acquire import pictures as download
from acp_lib.database.acquire import songs as songs_youtube
from acp_lib.database.acquire.journal import FETCHED

COLUMNS = ["what", "class", "reason", "n"]
THERE, NOT_TRIED, TWICE, REMOVED = "there already", "not tried yet", "listed twice", "fetched, and removed since"


def _reason(record: dict | None, file: Path | None) -> str:
    there = file is not None and file.is_file()
    if record is None or record["outcome"] != FETCHED:
        return THERE if there else record["reason"] if record else NOT_TRIED
    if not there:
        return REMOVED
    return f"{FETCHED}, {record['reason']}" if record["reason"] else FETCHED


def _reasons(root: Path, kind: str, rows: pd.DataFrame, file: Callable[[str], Path | None]) -> Iterator[tuple]:
    """Kind, class and reason of every row of the lists."""
    known, seen = journal.read(root, kind), set()
    for row in rows.to_dict("records"):
        record = known.get(row["id"])
        same = record if record and record.get("url") == row.get("url") else None
        yield kind, row["class"], TWICE if row["id"] in seen else _reason(same, file(row["id"]))
        seen.add(row["id"])


def table(root: Path) -> pd.DataFrame:
    """what (pictures, songs), class, reason, n: every row of the lists counts once, what was fetched among them.

    Reasons are those of the journals; and `there already` for files without an entry in one, `not tried yet`, `listed
    twice`, `fetched, and removed since`. Pictures come from agg/, songs from YouTubeURLs.csv and SongEmotionScore.csv;
    without the list there are no rows.

    Raises
    ------
    ValueError
        If a list does not read.
    """
    rows: list[tuple] = []
    if (root / "agg").is_dir():
        rows += _reasons(root, "pictures", download.listed(root), lambda i: root / "images" / i)
    if (root / "YouTubeURLs.csv").is_file():
        rows += _reasons(root, "songs", songs_youtube.listed(root), imac.song_files(root / "music").get)
    if not rows:
        return pd.DataFrame(columns=COLUMNS).astype({"n": int})
    counted = pd.DataFrame(rows, columns=COLUMNS[:-1]).value_counts(sort=False).rename("n").reset_index()
    return counted.sort_values(["what", "class", "n", "reason"], ascending=[True, True, False, True], ignore_index=True)
