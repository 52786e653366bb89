"""EMID, the Emotionally paired Music and Image Dataset, as it lies on the Hugging Face hub: ecnu-aigc/EMID.

    <data>/**/*.parquet     Audio_Filename, genre, feeling, emotion, and for N = 1, 2, 3: ImageN_filename, ImageN_tag,
                            ImageN_text; is_original_clip
    <data>/EMID_data.csv    the same without the media, where there is no Parquet file

Audio_Filename and ImageN_filename hold the media, a struct of `bytes` and `path`, or the name of a file below <data>.
`genre` is one of the letters A to M, which stand for the 13 feelings of music of Cowen et al. (2020); the file
emid_classes.yml gives each a class. ImageN_tag is one of Mikels' eight emotions.

`extract` writes the media once, a record batch at a time, into a folder of the layout that `acp_lib.database.folder`
reads. Files are named by what they hold and where they stood, never by the names that the tables give them.

Sources: the dataset card; Zou et al. (arXiv 2308.07622).  Chapter: Building the database.
"""

import csv
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path, PurePosixPath

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import yaml

from acp_lib.database import folder
from acp_lib.database.manifest import rejects
from acp_lib.database.walk import walk
from acp_lib.emotions import EMOTIONS
from acp_lib.engine.cache import write
from acp_lib.engine.progress import bar

NEEDED = ("Audio_Filename", "genre", *(f"Image{k}_{what}" for k in (1, 2, 3) for what in ("filename", "tag")))
UNREAD = "does not read: "
LABELS = ("genre", "feeling", "emotion")
"""Columns that may name the feeling, the first that does counts; the card has it in `genre`."""
BATCH = 64  # rows read at once, each with four media
KINDS = {b"\xff\xd8\xff": "jpg", b"\x89PNG": "png", b"GIF8": "gif", b"OggS": "ogg", b"fLaC": "flac", b"ID3": "mp3",
         b"\xff\xfb": "mp3", b"\xff\xf3": "mp3", b"\xff\xf2": "mp3", b"RIFF": "wav"}
"""How a file begins, and the ending that it gets; a RIFF file may also be a WebP picture."""


@cache
def feelings() -> dict[str, dict]:
    """The 13 feelings by letter: name, class, reason."""
    return yaml.safe_load((Path(__file__).parent / "emid_classes.yml").read_text("utf8"))


@cache
def _classes() -> dict[str, str]:
    """Class by letter, whole name, and each word of a name, in lower case."""
    found: dict[str, str] = {}
    for letter, about in feelings().items():
        name = about["name"].lower()
        found |= dict.fromkeys([letter.lower(), name, *name.split(", ")], about["class"])
    return found


def label(row: dict) -> str | None:
    """The class of a row's music; None if none of its columns names one of the 13 feelings."""
    names = (str(row.get(column) or "").strip().lower() for column in LABELS)
    return next((_classes()[name] for name in names if name in _classes()), None)


def tables(root: Path) -> dict[str, str]:
    """What is wrong with each Parquet file below a folder, or with each EMID_data.csv where there is none, by path:
    nothing with a table of EMID's, which has its columns.
    """
    files = walk(root).files
    found = [p for p in files if p.endswith(".parquet")] or [p for p in files if p.split("/")[-1] == "EMID_data.csv"]
    return {path: _wrong(root / path) for path in found}


def _wrong(path: Path) -> str:
    try:
        names = pa.parquet.read_schema(path).names if path.suffix == ".parquet" else pa.csv.open_csv(path).schema.names
    except (pa.ArrowException, OSError) as error:
        return f"{UNREAD}{error}"
    lacking = [name for name in NEEDED if name not in names]
    return f"lacks the columns {', '.join(lacking)}" if lacking else ""


def _sorted_out(root: Path) -> tuple[list[Path], list[tuple[str, str]]]:
    """EMID's tables below a folder, and (path, reason) of the others; raises as `extract` does."""
    found = tables(root)
    if not found:
        raise ValueError(f"{root.name} holds neither a Parquet file nor EMID_data.csv; give the folder of EMID, "
                         "https://huggingface.co/datasets/ecnu-aigc/EMID")
    bad = [(path, wrong) for path, wrong in found.items() if wrong]
    for path, wrong in bad:
        if wrong.startswith(UNREAD):
            raise ValueError(f"{path} {wrong}; fetch it again")
    if len(bad) == len(found):
        raise ValueError(f"{' '.join(bad[0])}; expected EMID's, {', '.join(NEEDED)}")
    return [root / path for path, wrong in found.items() if not wrong], bad


def n_rows(path: Path) -> int:
    """How many rows a table has."""
    return pa.parquet.read_metadata(path).num_rows if path.suffix == ".parquet" else sum(
        batch.num_rows for batch in _batches(path))


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    try:
        if path.suffix == ".parquet":
            yield from pa.parquet.ParquetFile(path).iter_batches(BATCH)
        else:
            yield from pa.csv.open_csv(path)
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{path.name} does not read: {error}; fetch it again") from None


@cache
def _by_name(root: Path) -> dict[str, Path]:
    return {path.split("/")[-1]: root / path for path in walk(root).files}


def _media(value: object, root: Path) -> bytes | str:
    """The bytes of a cell, or the reason why there are none."""
    if isinstance(value, dict):
        value = value.get("bytes") or value.get("path")
    if isinstance(value, bytes):
        return value
    if not value:
        return "neither bytes nor a file name"
    path = _by_name(root).get(PurePosixPath(str(value)).name)  # wherever it lies; no name leads out of the folder
    return path.read_bytes() if path else "no bytes, and no file of that name below the folder"


def _ending(data: bytes) -> str:
    kind = next((e for start, e in KINDS.items() if data.startswith(start)), "bin")
    return "webp" if kind == "wav" and data[8:12] == b"WEBP" else kind


def extract(root: Path, target: Path, progress: bool = True) -> Path:
    """Write EMID's media and labels into the empty folder `target`, which then has the layout of `folder`.

    A picture that stands in several rows is written once for each of its emotions. What cannot be used goes into
    rejects.csv, with its row and the reason.

    Raises
    ------
    ValueError
        If there is no table, one does not read, none has EMID's columns, or nothing in them can be used.
    """
    about: list[tuple[str, ...]] = []
    own, bad = _sorted_out(root)
    number = 0
    with bar(what="reading EMID", unit="row", shown=progress, total=None) as shown:
        for path in own:
            for batch in _batches(path):
                for row in batch.to_pylist():
                    number += 1
                    about += _write_song(row, root, target, f"{path.name}, row {number}", number, bad)
                    _write_pictures(row, root, target, f"{path.name}, row {number}", bad)
                shown.update(batch.num_rows)
    if missing := [name for name in folder.FOLDERS.values() if not (target / name).is_dir()]:
        first = f"; the first of {len(bad):,} reasons: {bad[0][0]}, {bad[0][1]}" if bad else ""
        raise ValueError(f"{root.name} has nothing usable for {missing[0]}{first}; fetch its Parquet files again")
    _write_csv(target / "metadata.csv", ["id", "title", "tags"], about)
    _write_csv(target / "rejects.csv", ["path", "reason"], bad)
    return target


def _write_song(row: dict, root: Path, target: Path, where: str, number: int,
                bad: list[tuple[str, str]]) -> list[tuple[str, ...]]:
    kind, value = label(row), row["Audio_Filename"]
    data = _media(value, root)
    if kind is None:
        bad.append((where, "none of the 13 feelings"))
        return []
    if isinstance(data, str):
        bad.append((where, f"music: {data}"))
        return []
    name = f"{kind}/{number:06d}.{_ending(data)}"
    write(target / "music" / name, data)
    title = str(value.get("path") or "" if isinstance(value, dict) else value)
    return [(name, title.replace("\\", "/").rpartition("/")[2], str(row.get("genre") or ""))]


def _write_pictures(row: dict, root: Path, target: Path, where: str, bad: list[tuple[str, str]]) -> None:
    for k in (1, 2, 3):
        tag, data = str(row[f"Image{k}_tag"] or "").strip().lower(), _media(row[f"Image{k}_filename"], root)
        if tag not in EMOTIONS:
            bad.append((where, f"picture {k}: none of the 8 emotions"))
        elif isinstance(data, str):
            bad.append((where, f"picture {k}: {data}"))
        else:
            path = target / "images" / tag / f"{hashlib.sha256(data).hexdigest()[:16]}.{_ending(data)}"
            if not path.exists():
                write(path, data)


def _write_csv(path: Path, names: list[str], rows: Iterable[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf8", errors="replace", newline="") as file:
        csv.writer(file).writerows([names, *rows])


def scan(root: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(candidates, rejects) of a folder that `extract` filled; raises as `folder.scan` does."""
    files, bad = folder.scan(root)
    unread = pd.read_csv(root / "rejects.csv", dtype=str, keep_default_na=False)
    return files, pd.concat([rejects(list(unread.itertuples(index=False, name=None))), bad], ignore_index=True)
