"""What became of each item that was to be fetched: a file of JSON lines that is only ever appended to.

A line is written whole in one call after its item is done, so a killed run loses what it was at and no more; a line
that a kill or a full disk tore is passed over.

Chapter: Building the database.
"""

import json
import os
from pathlib import Path
from typing import Self

from filelock import FileLock, Timeout

FETCHED, LOST, FAILED = "fetched", "lost", "failed"
"""Outcomes: the file is there; it is gone for good; it could not be had, for a reason that may pass."""

FOLDER = ".fetch"
UNFINISHED = ".fetching-"
"""How the names of files begin that are not whole yet; what a killed run leaves goes with the next."""


class Missed(Exception):
    """Why an item could not be had: a reason of a few words, the particulars, and whether trying again may help.

    after : seconds that a host asks to be left alone
    tries : how often it was tried
    """

    def __init__(self, reason: str, detail: str = "", *, passing: bool = False, after: float = 0.0):
        super().__init__(reason)
        self.reason, self.detail, self.passing, self.after, self.tries = reason, detail, passing, after, 1

    @property
    def outcome(self) -> str:
        return FAILED if self.passing else LOST


def inside(root: Path, path: Path) -> Path:
    """A path that is to be written to, or moved: the links and journals of a data folder may be other people's.

    Raises
    ------
    ValueError
        If it lies outside the data folder, or a link leads it there.
    """
    if not path.resolve().is_relative_to(root.resolve()):
        raise ValueError(f"{str(path)!r} leads out of the data folder, to {str(path.resolve())!r}; remove the link or "
                         "the journal's entry, or give the folder that it leads to")
    return path


class Journal:
    """The journal of one kind of item below a data folder, open for one process at a time.

    Parameters
    ----------
    root : the data folder; the journal is `<root>/.fetch/<kind>.jsonl`
    kind : pictures or songs
    """

    def __init__(self, root: Path, kind: str):
        self.root, self.path = root, path(root, kind)

    def __enter__(self) -> Self:
        """Raise ValueError where another process has it open, or it is not `inside` the data folder."""
        inside(self.root, self.path).parent.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(inside(self.root, self.path.with_suffix(".lock")))
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise ValueError(f"{self.root.name!r} is being fetched to by another process; wait for its "
                             "end, or stop it") from None
        self._file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":  # a torn line ends here
            os.write(self._file, b"\n")
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)
        self._lock.release()

    def add(self, **record: object) -> None:
        """Append a record; it has an `id`, and replaces earlier ones of that id."""
        line = json.dumps(record).encode() + b"\n"
        while line:
            line = line[os.write(self._file, line):]


def path(root: Path, kind: str) -> Path:
    return root / FOLDER / f"{kind}.jsonl"


def read(root: Path, kind: str) -> dict[str, dict]:
    """The last record of each id, the oldest first; empty without a journal."""
    found: dict[str, dict] = {}
    if not path(root, kind).is_file():
        return found
    with path(root, kind).open("rb") as lines:
        for line in lines:
            try:
                record = json.loads(line)
                found.pop(record["id"], None)
                found[record["id"]] = record
            except (ValueError, TypeError, KeyError, RecursionError):  # torn, or not of our writing
                continue
    return found


def done(record: dict | None, file: Path | None, again: str = "") -> bool:
    """Whether an item needs no asking. What failed for a reason that may pass is asked for again by every run.

    Parameters
    ----------
    record : its record, if it has one
    file : where it lies; a file that is gone or of another size is fetched again
    again : "all" to ask once more for what is lost, too
    """
    if record is None:
        return False
    if record["outcome"] == FETCHED:
        return file is not None and file.is_file() and file.stat().st_size == record["bytes"]
    return record["outcome"] == LOST and again != "all"
