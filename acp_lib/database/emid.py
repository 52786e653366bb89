"""EMID, the Emotionally paired Music and Image Dataset, as it lies on the Hugging Face hub: ecnu-aigc/EMID.

    <data>/**/*.parquet     Audio_Filename, genre, feeling, emotion, and for N = 1, 2, 3: ImageN_filename, ImageN_tag,
                            ImageN_text; is_original_clip
    <data>/EMID_data.csv    the same without the media, where there is no Parquet file

Audio_Filename and ImageN_filename hold the media, a struct of `bytes` and `path`, or the name of a file below <data>:
its path, or as much of its end as no other file shares. A name that may be several files is none of them.
`genre` is one of the letters A to M, which stand for the 13 feelings of music of Cowen et al. (2020); the file
emid_classes.yml gives each a class. ImageN_tag is one of Mikels' eight emotions.

`extract` writes the media once, a record batch at a time, into a folder of the layout that `acp_lib.database.folder`
reads. Files are named by what they hold and where they stood, never by the names that the tables give them.

Sources: the dataset card; Zou et al. (arXiv 2308.07622).  Chapter: Building the database.
"""

import csv
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache, cached_property
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import yaml

from acp_lib.database import folder, text
from acp_lib.database.lookup import Files, listed, loose, plain, within
from acp_lib.database.manifest import rejects
from acp_lib.database.walk import walk
from acp_lib.emotions import EMOTIONS
from acp_lib.engine.cache import write
from acp_lib.engine.progress import bar

LABELS = ("genre", "feeling", "emotion")
"""Columns that may name the feeling, the first that does counts; the card has it in `genre`."""
UNREAD = "does not read: "
NEEDED = ("Audio_Filename", "genre", *(f"Image{k}_{what}" for k in (1, 2, 3) for what in ("filename", "tag")))
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
    found = walk(root)
    unread = dict(found.bad)
    files = sorted([*found.files, *unread])
    own = [p for p in files if _is_parquet(Path(p))] or [p for p in files if p.split("/")[-1] == "EMID_data.csv"]
    return {path: f"{UNREAD}{unread[path]}" if path in unread else _wrong(root / path) for path in own}


def _is_parquet(path: Path) -> bool:
    return path.suffix.lower() == ".parquet"


def _wrong(path: Path) -> str:
    try:
        names = pa.parquet.read_schema(path).names if _is_parquet(path) else text.table(path, NEEDED)[0]
    except (pa.ArrowException, OSError, ValueError) as error:
        return f"{UNREAD}{error}"
    if twice := [name for name in (*NEEDED, *LABELS) if names.count(name) > 1]:
        return f"{UNREAD}column {twice[0]!r} stands twice"
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
    return pa.parquet.read_metadata(path).num_rows if _is_parquet(path) else len(text.table(path, NEEDED)[1])


def _rows(path: Path) -> Iterator[dict]:
    """The rows of a table, the columns that are used alone."""
    if not _is_parquet(path):
        yield from text.table(path, NEEDED)[1].values()
        return
    try:
        for batch in pa.parquet.ParquetFile(path).iter_batches(BATCH, columns=[*NEEDED, *LABELS]):
            yield from batch.to_pylist()
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path.name} does not read: {error}; fetch it again") from None


class _Media:
    """The media of EMID's rows, which are in its cells or in files below its folder."""

    def __init__(self, root: Path):
        self.root, self._asked = root, dict[str, str]()

    @cached_property
    def _files(self) -> Files:
        return Files(walk(self.root).files)

    def read(self, cell: object) -> bytes | str:
        """The bytes of a cell, or the reason why there are none."""
        if isinstance(cell, dict):
            cell = cell.get("bytes") or cell.get("path")
        if isinstance(cell, bytes):
            return cell
        if not cell:
            return "neither bytes nor a file name"
        return self._named(cell) if isinstance(cell, str) else f"{str(cell)[:40]!r} is neither bytes nor a file name"

    def _named(self, name: str) -> bytes | str:
        try:
            found = self._files.find(name, anywhere=True)
        except ValueError as error:
            return f"no bytes, and {error}"
        if len(found) > 1:
            return f"no bytes, and several files of that name: {name[:80]!r} may be {listed(found)}"
        if not found:
            return "no bytes, and no file of that name below the folder"
        self._claim(found[0], plain(name))
        return (self.root / found[0]).read_bytes()

    def _claim(self, path: str, name: str) -> None:
        """Refuse a file that names in different folders would share."""
        before = self._asked.setdefault(path, name)
        if not (within(loose(before), loose(name)) or within(loose(name), loose(before))):
            raise ValueError(f"{before!r} and {name!r} would both be {self.root.name}/{path}; put the files into the "
                             "folders that the tables name")


def _ending(data: bytes) -> str:
    kind = next((e for start, e in KINDS.items() if data.startswith(start)), "bin")
    return "webp" if kind == "wav" and data[8:12] == b"WEBP" else kind


def extract(root: Path, target: Path, progress: bool = True) -> Path:
    """Write EMID's media and labels into the empty folder `target`, which then has the layout of `folder`.

    A picture that stands in several rows is written once for each of its emotions. What cannot be used goes into
    rejects.parquet, with its row and the reason.

    Raises
    ------
    ValueError
        If there is no table, one does not read, none has EMID's columns, or nothing in them can be used.
    """
    own, others = _sorted_out(root)
    writing = _Extraction(_Media(root), target)
    with bar(what="reading EMID", unit="row", shown=progress, total=None) as shown:
        for path in own:
            for number, row in enumerate(_rows(path), 1):
                writing.add(row, f"{path.name}, row {number}")
                shown.update()
    about, bad = writing.about, others + writing.bad
    if missing := [name for name in folder.FOLDERS.values() if not (target / name).is_dir()]:
        first = f"; the first of {len(bad):,} reasons: {bad[0][0]}, {bad[0][1]}" if bad else ""
        raise ValueError(f"{root.name} has nothing usable for {missing[0]}{first}; fetch its Parquet files again")
    _write_csv(target / "metadata.csv", ["id", "title", "tags"], about)
    rejects(bad).to_parquet(target / "rejects.parquet")
    return target


def _write_csv(path: Path, names: list[str], rows: Iterable[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf8", errors="replace", newline="") as file:
        csv.writer(file).writerows([names, *rows])


class _Extraction:
    """What `extract` has written into a folder, and could not use."""

    def __init__(self, media: _Media, target: Path):
        self.media, self.target, self.number = media, target, 0
        self.about: list[tuple[str, str, str]] = []
        self.bad: list[tuple[str, str]] = []
        self._seen: dict[bytes, str] = {}

    def add(self, row: dict, where: str) -> None:
        """Write a row's media."""
        self.number += 1
        key = hashlib.sha256(repr(row).encode(errors="surrogatepass")).digest()
        if key in self._seen:
            self.bad.append((where, f"stands twice: {self._seen[key]} is the same"))
            return
        self._seen[key] = where
        if reason := self._song(row):
            self.bad.append((where, reason))
        for k in (1, 2, 3):
            if reason := self._picture(row[f"Image{k}_filename"], row[f"Image{k}_tag"]):
                self.bad.append((where, f"picture {k}: {reason}"))

    def _song(self, row: dict) -> str:
        kind, value = label(row), row["Audio_Filename"]
        if kind is None:
            return "none of the 13 feelings"
        if isinstance(data := self.media.read(value), str):
            return f"music: {data}"
        name = f"{kind}/{self.number:06d}.{_ending(data)}"
        write(self.target / "music" / name, data)
        title = str(value.get("path") or "" if isinstance(value, dict) else value)
        self.about.append((name, title.replace("\\", "/").rpartition("/")[2], str(row.get("genre") or "")))
        return ""

    def _picture(self, cell: object, tag: object) -> str:
        emotion, data = str(tag or "").strip().lower(), self.media.read(cell)
        if emotion not in EMOTIONS:
            return "none of the 8 emotions"
        if isinstance(data, str):
            return data
        path = self.target / "images" / emotion / f"{hashlib.sha256(data).hexdigest()[:16]}.{_ending(data)}"
        if not path.exists():
            write(path, data)
        return ""


def scan(root: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(candidates, rejects) of a folder that `extract` filled; raises as `folder.scan` does."""
    files, bad = folder.scan(root)
    return files, pd.concat([pd.read_parquet(root / "rejects.parquet"), bad], ignore_index=True)
