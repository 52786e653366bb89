"""The manifest: the one table that everything after the database reads. One row a sample.

A source lists candidate files (`CANDIDATE` columns); `build` opens each, cuts music into segments, and returns the
manifest and the rejects: a candidate ends in exactly one of the two.

Chapter: Building the database.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from acp_lib.database.walk import UNREADABLE, look
from acp_lib.emotions import CLASSES, EMOTIONS, regroup
from acp_lib.engine.cache import digest, file_digest
from acp_lib.engine.faults import exhausted
from acp_lib.engine.progress import bar
from acp_lib.engine.spread import spread_items
from acp_lib.features import audio, formats
from acp_lib.features.picture import open_upright

COLUMNS = ["id", "modality", "path", "start", "duration", "emotion", "class", "group", "artist", "title", "sha"]
CANDIDATE = ["id", "modality", "path", "emotion", "class", "artist", "title"]
REJECT = ["path", "reason"]
MODALITIES = ("image", "music")
CHANGED = f"{UNREADABLE}: it changed while it was read; run again when it is whole"


def candidates(rows: list[dict]) -> pd.DataFrame:
    """Rows of a source as a table with the columns CANDIDATE, empty text where a row has none."""
    return pd.DataFrame(rows, columns=CANDIDATE).fillna("").astype(str)


def rejects(rows: list[tuple[str, str]]) -> pd.DataFrame:
    """(path, reason) of what a source could not use."""
    return pd.DataFrame(rows, columns=REJECT).astype(str)


def _inspect(root: Path, row: dict, last_segment: float, short_from: float) -> list[dict] | str:
    """The samples of one candidate, or the reason why it has none; it may go or change while it is read."""
    before = look(root / row["path"])
    if isinstance(before, str):
        return before
    found = _opened(root, row, last_segment, short_from)
    after = look(root / row["path"])
    return found if after == before else after if isinstance(after, str) else CHANGED


def _opened(root: Path, row: dict, last_segment: float, short_from: float) -> list[dict] | str:
    path = root / row["path"]
    try:
        if row["modality"] == "image":
            open_upright(path)
            spans = [(0.0, 0.0)]
        else:
            seconds = audio.duration(path)
            spans = audio.segments(seconds, minimum=last_segment, short_from=short_from)
            if not spans:
                return f"{seconds:.1f} s long; a clip is used from {short_from:g} s up"
        sha = file_digest(path)
    except Exception as error:  # whatever a hostile file makes a decoder raise is a reject, not the end of the run
        if exhausted(error):
            raise
        why = formats.advice(row["path"], row["modality"]) or f"{type(error).__name__}: {error}"
        return f"{UNREADABLE}: {why}".replace(f"{root}/", "")
    group = sha if row["modality"] == "image" else row["id"]
    ids = [row["id"]] if len(spans) == 1 else [f"{row['id']}#{i}" for i in range(len(spans))]
    return [{**row, "id": i, "start": s, "duration": d, "group": group, "sha": sha}
            for i, (s, d) in zip(ids, spans, strict=True)]


def _inspect_all(root: Path, last_segment: float, short_from: float, rows: list[dict]) -> list[tuple]:
    """What `_inspect` finds of each row, and no further reason."""
    return [(_inspect(root, row, last_segment, short_from), "") for row in rows]


def inspected(root: Path, files: pd.DataFrame, *, last_segment: float = 60.0, short_from: float = 10.0, jobs: int = 1,
              progress: bool = True) -> tuple[list[dict], pd.DataFrame]:
    """Open every candidate and return (samples, rejects), whatever classes they have.

    A file that kills the process which opens it is a reject, too, where there are more jobs than one.
    """
    repeated = files["id"].duplicated()
    rows = files[~repeated].to_dict("records")
    work = spread_items(partial(_inspect_all, root, last_segment, short_from), rows, jobs)
    shown = bar(work, total=len(rows), what="reading the database", unit="file", shown=progress)
    found = [f"{UNREADABLE}: {why}" if why else what for what, why in shown]
    samples, seen = list[dict](), set[str]()
    bad = list[tuple[str, str]]()
    for row, what in zip(rows, found, strict=True):
        if isinstance(what, str):
            bad.append((row["path"], what))
        elif taken := [s["id"] for s in what if s["id"] in seen]:  # `x#1` is a file's name, and a segment's of x
            bad.append((row["path"], f"its id is that of another sample, {taken[0][:80]!r}; rename it"))
        else:
            samples += what
            seen |= {s["id"] for s in what}
    return samples, rejects(bad + [(p, "its id stands twice") for p in files["path"][repeated]])


def build(root: Path, files: pd.DataFrame, *, last_segment: float = 60.0, short_from: float = 10.0, jobs: int = 1,
          progress: bool = True) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Open every candidate and return (manifest, rejects); the options are those of `inspected`.

    A picture is one sample, a song one sample a 60 s segment. The group is the digest of a picture's bytes, or the id
    of the song (of exact copies, the first), so that copies stay on one side of a split.

    Raises
    ------
    ValueError
        If a class is missing from one modality, or fewer than two classes are left.

    Paper: Section 4.  Chapter: Building the database.
    """
    samples, bad = inspected(root, files, last_segment=last_segment, short_from=short_from, jobs=jobs,
                             progress=progress)
    table = pd.DataFrame(samples, columns=COLUMNS).sort_values(["modality", "id"], ignore_index=True)
    validate(table, root, bad)
    table["group"] = table.groupby(["modality", "sha"])["group"].transform("min")
    return table, bad


def validate(table: pd.DataFrame, root: Path | str = "", bad: pd.DataFrame | None = None) -> None:
    """Raise ValueError, with a reason of the rejects, unless both modalities hold the same two or three classes."""
    held = {m: set(table["class"][table["modality"] == m]) for m in MODALITIES}
    name = Path(root).name or "the database"
    for modality, other in (MODALITIES, MODALITIES[::-1]):
        folder = "images" if modality == "image" else "music"
        if not held[modality]:
            raise ValueError(f"{name}/{folder} holds no usable file{_first(bad, folder)}; put {modality} files below "
                             "it, a folder a class (or, in IMAC's layout, music/<track id>.* and images/<emotion>/*)")
        if missing := sorted(held[other] - held[modality]):
            raise ValueError(
                f"{name}/{folder} has no usable file of class {', '.join(missing)}, which the other modality has"
                f"{_first(bad, folder, missing)}; add some below {folder}/{missing[0]}, or take that class out of both")
    if len(held["image"]) < 2:
        raise ValueError(f"{name} holds class {held['image'].pop()} alone; correspondence needs two classes or more "
                         f"of {', '.join(CLASSES)}")
    if unknown := set(table["class"]) - set(CLASSES):
        raise ValueError(f"classes {sorted(unknown)} are none of {', '.join(CLASSES)}")


def _first(bad: pd.DataFrame | None, folder: str, classes: Sequence[str] = CLASSES) -> str:
    """How many files below a folder of pictures or music are rejects, and the reason of the first: of those that lie in
    folders of some classes, if there are any.
    """
    rows = bad[bad["path"].str.startswith(f"{folder}/")] if bad is not None else rejects([])
    labels = [label_of(path.split("/")[1]) for path in rows["path"]]
    own = [label is not None and label[1] in classes for label in labels]
    rows = rows[own] if any(own) else rows
    return "" if rows.empty else f" ({len(rows):,} rejects; {rows['path'].iloc[0]}: {rows['reason'].iloc[0]})"


def label_of(folder: str) -> tuple[str, str] | None:
    """(emotion, class) that a folder's name stands for, emotion empty for a class; None for any other name."""
    name = folder.strip().lower()
    if name in EMOTIONS:
        return name, regroup(name)
    return ("", name) if name in CLASSES else None


def finest_label(table: pd.DataFrame) -> pd.Series:
    """The emotion of each row, or its class where no emotion is known.

    Chapter: Building the database; Seeing.
    """
    return table["emotion"].where(table["emotion"] != "", table["class"])


def first_of_each_class(table: pd.DataFrame) -> dict[str, pd.Series]:
    """The first row of each class that the table holds, in the order of the classes: examples to look at or to hear.

    Chapter: Building the database; Hearing.
    """
    return {c: table[table["class"] == c].iloc[0] for c in CLASSES if (table["class"] == c).any()}


def fingerprint(table: pd.DataFrame) -> str:
    """Digest of every sample's id, label, artist and bytes: the same for the same database wherever it lies."""
    columns = ["id", "modality", "start", "duration", "emotion", "class", "artist", "sha"]
    return digest(table[columns].values.tolist())
