"""Is a folder of data whole: files that are missing, changed or cannot be read; and what became of what the lists name.

Chapter: Building the database.
"""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from acp_lib.database import emid, folder, imac, manifest, metadata
from acp_lib.database.sources import EMID, SOURCES, Source
from acp_lib.database.walk import walk

SCORES = "SongEmotionScore.csv"
COLUMNS = ["source", "what", "listed", "there", "missing", "changed", "unreadable"]
KINDS = {imac.NO_FILE: imac.NO_FILE, "its label": "not agreed on", "all three": "without a tag"}
"""How a manifest's reason begins, and what it is called in a count, where that is not its text up to a colon."""


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files(root: Path, sources: Iterable[Source] = SOURCES.values()) -> pd.DataFrame:
    """Every file with a known checksum, and whether a folder holds it: source, file, what, rows, state.

    state : "as released", "changed" or "missing"
    """
    rows = []
    for source in sources:
        for remote in source.fixed:
            path = root / remote.path
            state = "missing" if not path.is_file() else \
                "as released" if _sha256(path) == remote.sha256 else "changed"
            rows.append({"source": source.name, "file": remote.path, "what": remote.what, "rows": remote.rows,
                         "state": state})
    return pd.DataFrame(rows, columns=["source", "file", "what", "rows", "state"])


def validate(root: Path, *, jobs: int = 1, progress: bool = True) -> pd.DataFrame:
    """Count what a folder of data lacks: the released files, then pictures and songs, each of which is opened; of
    metadata.csv, columns and rows, of which `missing` fit nothing; of EMID's Parquet files, the rows.

    Returns
    -------
    DataFrame with source, what, listed, there, missing, changed, unreadable; `there` counts what is whole

    Raises
    ------
    ValueError
        If the folder has the layout of no source or of two, or a list does not read.

    Chapter: Building the database.
    """
    kind = layout(root)
    if kind == "emid":
        return pd.DataFrame([_rows_of_emid(root)], columns=COLUMNS)
    released = kind == "imac"
    rows = [_released(root)] if released else []
    found, bad = (imac if released else folder).scan(root)
    samples, unread = manifest.inspected(root, found, jobs=jobs, progress=progress)
    reasons = pd.concat([bad, unread], ignore_index=True)
    for modality, what in (("image", "pictures"), ("music", "songs")):
        there = len({s["path"] for s in samples if s["modality"] == modality})
        top = (f"{folder.FOLDERS[modality]}/", *(["agg/"] if modality == "image" else []))
        why = reasons["reason"][reasons["path"].str.startswith(top)]
        rows.append((kind, what, there + len(why), there,
                     int(why.str.startswith(("no such file", imac.NO_FILE)).sum()), 0,
                     int(why.str.startswith("cannot be read").sum())))
    if not released:
        columns, about = metadata.read(root)
        for what, listed, start in (("columns", columns, metadata.COLUMN), ("rows", about, metadata.ROW)):
            missing = int(reasons["path"].str.startswith(start).sum())
            if columns:
                rows.append(("folder", f"{what} of metadata", len(listed), len(listed) - missing, missing, 0, 0))
    return pd.DataFrame(rows, columns=COLUMNS)


def layout(root: Path) -> str:
    """Which source's layout a folder has: "folder", "imac" or "emid".

    Raises
    ------
    ValueError
        If it has none, or EMID's and another, with what was seen.
    """
    if not root.is_dir():
        raise ValueError(f"data is {root.name!r}, which is no folder; give the one that holds your pictures and music")
    own = [name for name in (SCORES, *folder.FOLDERS.values()) if os.path.lexists(root / name)]
    tables = emid.tables(root)
    whole = [path for path, wrong in tables.items() if not wrong]
    if own and whole:
        raise ValueError(f"{root.name} holds {' and '.join(own)}, and {whole[0]}, which is a table of EMID's; put each "
                         "data set into a folder of its own")
    if own:
        return "imac" if own[0] == SCORES else "folder"
    if whole or any(wrong.startswith(emid.UNREAD) for wrong in tables.values()):
        return "emid"
    seen = ", ".join(list(walk(root).files)[:5]) or "no file"
    raise ValueError(f"{root.name} holds neither images and music, nor {SCORES}, nor a table of EMID's, but {seen}; "
                     "give a folder that does")


def _released(root: Path) -> tuple:
    count = files(root)["state"].value_counts()
    states = (int(count.get(state, 0)) for state in ("as released", "missing", "changed"))
    return ("imac", "released files", int(count.sum()), *states, 0)


def _rows_of_emid(root: Path) -> tuple:
    tables = emid.tables(root)
    there = sum(emid.n_rows(root / path) for path, wrong in tables.items() if not wrong)
    unreadable = sum(wrong.startswith(emid.UNREAD) for wrong in tables.values())
    listed = EMID.remotes[0].rows or 0
    return ("emid", "rows", listed, there, max(0, listed - there), 0, unreadable)


def losses(rejects: pd.DataFrame, classes: dict[str, str] | None = None) -> pd.DataFrame:
    """What was rejected, counted: what, class, reason, n, most first.

    Parameters
    ----------
    rejects : path and reason
    classes : class of a song by its track id, for songs that lie in no folder of their class

    Chapter: Building the database.
    """
    rows = []
    for path, reason in rejects[["path", "reason"]].itertuples(index=False):
        top, *rest = path.split("/")
        what = {"images": "pictures", "agg": "pictures", "music": "songs"}.get(top, "rows")
        label = manifest.label_of(rest[0]) if len(rest) > 1 else None
        kind = next((v for k, v in KINDS.items() if reason.startswith(k)), None)
        kind = kind or ("too short" if " s long; " in reason else reason.partition(":")[0][:60])
        known = label[1] if label else (classes or {}).get(Path(rest[0]).stem if rest else "", "")
        rows.append((what, known or "", kind if top != "agg" else "row of a list that does not read"))
    counted = pd.DataFrame(rows, columns=["what", "class", "reason"]).value_counts().rename("n").reset_index()
    return counted.sort_values(["n", "what", "class", "reason"], ascending=[False, True, True, True], ignore_index=True)
