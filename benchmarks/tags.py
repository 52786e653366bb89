"""Screening and scoring a tag table as large as Last.fm's, within a minute and 2 GB, in a process of its own.

The table is made on the spot with the real one's schema and size; about as large a share of its tags holds one of the
paper's strings as in the authors' lists.
"""

from benchmarks.compare import seconds  # isort: skip - sets the threads before numpy loads

import json
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import numpy as np

FULL = {"tags": 522_366, "tracks": 505_216, "rows": 8_598_630}
"""The Last.fm data set of the Million Song Dataset, by its own page."""
SHARE = 0.01  # of tags that hold a string
MOST_SECONDS, MOST_MIB = 60, 2048
BLOCK = 500_000


def words(n: int, random: np.random.Generator) -> list[str]:
    """n different tags."""
    from acp_lib.database.tags import SUBSTRINGS, rules

    strings, dirty = list(SUBSTRINGS), [tag.lower() for rule in rules() for tag in rule.examples]
    found = []
    for i, kind in enumerate(random.random(n)):
        name = np.base_repr(i + 36 ** 3, 36).lower().translate(str.maketrans("aeiou", "01234"))  # holds no string
        if kind < 0.7 * SHARE:
            name = f"{random.choice(strings)} {name}"
        elif kind < SHARE:
            name = f"{random.choice(dirty)} {name}"
        found.append(name)
    return found


def table(path: Path, *, tags: int, tracks: int, rows: int) -> Path:
    """A tag database with so many different tags, tracks and rows; frequencies fall off as real ones do."""
    random = np.random.default_rng(0)
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; CREATE TABLE tids (tid TEXT);"
                         "CREATE TABLE tags (tag TEXT); CREATE TABLE tid_tag (tid INT, tag INT, val FLOAT);")
        db.executemany("INSERT INTO tids VALUES (?)", ((f"TR{i:016X}",) for i in range(tracks)))
        db.executemany("INSERT INTO tags VALUES (?)", ((w,) for w in words(tags, random)))
        for start in range(0, rows, BLOCK):
            n = min(BLOCK, rows - start)
            tid = random.integers(1, tracks + 1, n)
            tag = 1 + (tags * random.random(n) ** 4).astype(int)  # the lower numbers more often
            db.executemany("INSERT INTO tid_tag VALUES (?, ?, 100)", zip(tid.tolist(), tag.tolist(), strict=True))
        db.executescript("CREATE INDEX by_tid ON tid_tag (tid); CREATE INDEX by_tag ON tid_tag (tag);")
    return path


def measured(path: Path) -> dict:
    """Sizes, wall seconds and peak memory in MiB of screening a table's tags and scoring its tracks."""
    from acp_lib.database import tags
    from benchmarks.compare import peak

    made = {}

    def work():
        made["found"] = tags.screened(tags.read(path))
        made["songs"] = tags.scores(path)

    wall, found = seconds(work), made["found"]
    with closing(sqlite3.connect(path)) as db:
        rows = db.execute("SELECT COUNT(*) FROM tid_tag").fetchone()[0]
    return {"different tags": tags.count(path), "track-tag rows": rows, "hold a string": len(found),
            "clean": int(found["class"].notna().sum()), "songs scored": len(made["songs"]), "wall_s": wall,
            "peak_mib": peak()}


def run(quick: bool) -> list[dict]:
    """One row: the full size, or a tenth of it."""
    size = {k: n // 10 for k, n in FULL.items()} if quick else FULL
    with tempfile.TemporaryDirectory() as folder:
        path = table(Path(folder) / "lastfm_tags.db", **size)
        done = subprocess.run([sys.executable, "-m", "benchmarks.tags", str(path)], check=True, text=True,
                              capture_output=True)
    row = {"name": f"{size['tags']:,} tags, {size['rows']:,} rows", **json.loads(done.stdout.splitlines()[-1])}
    met = row["wall_s"] < MOST_SECONDS and row["peak_mib"] < MOST_MIB
    print(f"{row['name']:46}{row['wall_s']:8.2f} s, peak {row['peak_mib']:.0f} MiB, {row['clean']:,} of "
          f"{row['hold a string']:,} tags clean, {row['songs scored']:,} songs scored (within {MOST_SECONDS} s and "
          f"{MOST_MIB} MiB wanted: {'met' if met else 'NOT MET'})", flush=True)
    return [row]


if __name__ == "__main__":
    print(json.dumps(measured(Path(sys.argv[1]))))
