"""Refusals by the machine, such as no disk space, no permission or too many open files; and the remedies.

Chapter: How to read and rerun.
"""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ELSEWHERE = "or name another place: ACP_WORK for what is kept, ACP_BUILD for books, TMPDIR for what passes"
SPACE = f"make space there, {ELSEWHERE}; the same command then goes on"
PERMISSION = f"let this user read and write there, {ELSEWHERE}"
FILES = "let more files be open at once (ulimit -n 4096), or have fewer processes (jobs)"
FOLDER = f"a file stands where a folder is needed: move it away, {ELSEWHERE}"
REMEDIES = {
    errno.ENOSPC: SPACE, errno.EDQUOT: SPACE, errno.EFBIG: SPACE,
    errno.EACCES: PERMISSION, errno.EPERM: PERMISSION, errno.EROFS: PERMISSION,
    errno.EMFILE: FILES, errno.ENFILE: FILES,
    errno.ENOTDIR: FOLDER, errno.EEXIST: FOLDER,
    errno.EIO: f"look for a failing disk or network drive, {ELSEWHERE}",
    errno.ENOMEM: "have fewer processes (jobs), or a machine with more memory",
}
"""The remedy for each error number."""

EXHAUSTED = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM})
"""Errors about an exhausted resource of the machine, whichever file needed it."""

_SAID = re.compile(r"\[Errno (\d+)\] .*")  # as Python writes an error with a number, in a traceback or alone


class Refused(OSError):
    """An error of `REMEDIES` whose text names the place and the remedy wherever it is shown, for example in a notebook.
    """

    def __str__(self) -> str:
        return f"{super().__str__()}; {REMEDIES[self.errno or 0]}"


@contextmanager
def at(place: Path) -> Iterator[None]:
    """A block that reads or writes at `place`: refusals by the machine are raised as `Refused`."""
    try:
        yield
    except OSError as error:
        if error.errno not in REMEDIES or isinstance(error, Refused):
            raise
        raise Refused(error.errno, error.strerror, error.filename or str(place)) from error


class Damaged(ValueError):
    """A file that another command wrote and that cannot be used; says where it lies, why, and the remedy."""

    def __init__(self, path: Path, reason: str, remedy: str) -> None:
        super().__init__(f"{path} cannot be used ({reason}); {remedy}")
        self.reason = reason


@contextmanager
def readable(path: Path, remedy: str = "remove the folder that holds it, and it is made anew") -> Iterator[None]:
    """A block that reads a file or folder that another command wrote: whatever is wrong with it is raised as Damaged.
    What the machine refuses is raised as it is.
    """
    try:
        yield
    except Damaged as error:  # of a file in the folder
        raise Damaged(path, error.reason, remedy) from error
    except Exception as error:
        if exhausted(error) or (isinstance(error, OSError) and error.errno in REMEDIES):
            raise
        said = (error.strerror if isinstance(error, OSError) else str(error)) or ""
        raise Damaged(path, f"{type(error).__name__}: {said.partition(chr(10))[0]}", remedy) from error


def line(text: str) -> str:
    """The last line of an error, traceback or program output that names an error of `REMEDIES`, from its number on,
    with the remedy; empty if there is none.
    """
    for said in reversed(list(_SAID.finditer(text))):
        if remedy := REMEDIES.get(int(said[1])):
            return said[0] if remedy in said[0] else f"{said[0]}; {remedy}"
    return ""


def exhausted(error: BaseException) -> bool:
    """Whether an error is due to an exhausted resource of the machine, not to the file that was read."""
    return isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in EXHAUSTED)
