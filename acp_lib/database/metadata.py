"""What a corpus says of its files: metadata.csv, and the pictures and songs that its rows mean.

Chapter: Building the database.
"""

import warnings
from collections.abc import Iterable
from pathlib import Path

from acp_lib.database import text
from acp_lib.database.lookup import Files, listed
from acp_lib.database.walk import given

FILE = "metadata.csv"
COLUMNS = ("id", "artist", "title", "tags", "licence")
ROW, COLUMN = f"{FILE}, line ", f"{FILE}, column "
"""How the rejects of rows and of columns are named."""


def read(root: Path) -> tuple[list[str], dict[int, dict[str, str]]]:
    """Columns, and rows by the number of their line; none of either without the file.

    Raises
    ------
    ValueError
        If the file does not read as `text.table` says or, a broken link say, at all; or has no column `id`.
    """
    if not given(root / FILE):
        return [], {}
    columns, rows = text.table(root / FILE, COLUMNS)
    if "id" not in columns:
        raise ValueError(f"{root.name}/{FILE} has the columns {columns}; expected one named 'id'")
    return columns, rows


def fitted(root: Path, paths: Iterable[str],
           tops: tuple[str, ...]) -> tuple[dict[str, dict[str, str]], list[tuple[str, str]]]:
    """The rows by the path of the file that each means; and (where, reason) of rows and columns that fit nothing, which
    a warning counts, too.

    An id is a path below one of the folders `tops`, or as much of its end as no other file shares (`Files.find`).

    Raises
    ------
    ValueError
        As `read` does; or if two rows that differ mean one file, with the lines of both.
    """
    columns, rows = read(root)
    files, lines = Files(paths if rows else (), tops), dict[str, int]()
    about: dict[str, dict[str, str]] = {}
    bad = [(f"{COLUMN}{name[:40]!r}", f"is not read: expected {', '.join(COLUMNS)}")
           for name in columns if name not in COLUMNS]
    for number, row in rows.items():
        found, reason = _meant(files, row["id"], " or ".join(tops))
        first = lines.setdefault(found or row["id"], number)
        if rows[first] | {"id": ""} != row | {"id": ""}:
            raise ValueError(f"{root.name}/{FILE}, lines {first} and {number} say different things of "
                             f"{found or row['id']!r}; leave one of them")
        if reason:
            bad.append((f"{ROW}{number}", reason))
        else:
            about[found] = row
    if bad:
        unfit = sum(where.startswith(ROW) for where, _ in bad)
        warnings.warn(f"{root.name}/{FILE}: {unfit} of {len(rows)} rows and {len(bad) - unfit} of {len(columns)} "
                      f"columns fit nothing, such as {bad[0][0]}: {bad[0][1]}", stacklevel=2)
    return about, bad


def _meant(files: Files, name: str, where: str) -> tuple[str, str]:
    """The file that an id means, or the reason why there is none."""
    try:
        found = files.find(name)
    except ValueError as error:
        return "", f"its id leads nowhere: {error}"
    if not found:
        return "", f"its id names no file below {where}: {name[:80]!r}"
    if len(found) > 1:
        return "", f"its id names several files, write the path: {name[:80]!r}, {listed(found)}"
    return found[0], ""
