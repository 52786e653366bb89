"""One walk over a folder of anyone's pictures and music: what lies there, and what of it cannot be read.

Links are followed wherever they lead, out of the folder too, as whoever made them put them there; one that leads back
to a folder that holds it is refused. What systems and programs leave behind (IGNORED) is passed over. All else is
either a file that can be opened or a reject with its reason. Listing, inspection, keys and `validate` start here.

Chapter: Building the database.
"""

import fnmatch
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from acp_lib.engine.cache import digest

IGNORED = (
    ".*", "*~", "~$*",  # hidden files and folders; copies that editors and Office keep
    "*.part", "*.partial", "*.crdownload", "*.download",  # what is still being fetched
    "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "$recycle.bin", "system volume information",
    "lost+found", "@eadir", "@__thumb", "@recycle", "#recycle", "#snapshot",  # of disks and network storage
)
"""Names of files and folders that are none of the data, in capitals or not."""

NO_FILE = "no such file"
UNREADABLE = "cannot be read"
LOOP = f"{UNREADABLE}: the link leads back to a folder that holds it; remove it"
NAME = "its name is not UTF-8; rename it"

_ignored = re.compile("|".join(map(fnmatch.translate, IGNORED))).match


@dataclass(frozen=True)
class Found:
    """What lies below a folder, by its path from there.

    files : size in bytes and time of the last change in ns of each file that can be opened, sorted
    folders : those that were entered or could not be, sorted; loops left out
    bad : (path, reason) of all that cannot be used, sorted
    """

    files: dict[str, tuple[int, int]]
    folders: list[str]
    bad: list[tuple[str, str]]


def walk(root: Path, start: str = "") -> Found:
    """All that lies below a folder, or below the folder `start` of it alone, which need not be there.

    Raises
    ------
    ValueError
        If that folder is there and cannot be read, with the reason; below it, what cannot be read is in `bad`.

    Chapter: Building the database.
    """
    root = Path(os.path.realpath(root))
    top = root / start
    files, folders, bad = dict[str, tuple[int, int]](), list[str](), list[tuple[str, str]]()

    def refuse(path: Path, reason: str) -> None:
        if path != top:
            bad.append((_text(path.relative_to(root).as_posix()), reason))
        elif reason != NO_FILE:
            raise ValueError(f"{Path(root.name, start).as_posix()}: {reason}")

    def enter(path: Path) -> bool:
        if reason := _misnamed(path) or (_loop(path) if path.is_symlink() else ""):
            refuse(path, reason)
        return not reason

    def failed(error: OSError) -> None:
        refuse(Path(error.filename), _reason(error, Path(error.filename)))

    if start:
        enter(top)
    for at, inner, names in os.walk(top, onerror=failed, followlinks=True):
        here = Path(at)
        inner[:] = [name for name in inner if not _ignored(name.lower()) and enter(here / name)]
        folders += [(here / name).relative_to(root).as_posix() for name in inner]
        for path in (here / name for name in names if not _ignored(name.lower())):
            if isinstance(state := look(path), str):
                refuse(path, state)
            else:
                files[path.relative_to(root).as_posix()] = state
    return Found(dict(sorted(files.items())), sorted(folders), sorted(bad))


def look(path: Path) -> tuple[int, int] | str:
    """Size in bytes and time of the last change in ns of a file that can be opened, or the reason why there is none."""
    if reason := _misnamed(path):
        return reason
    try:
        about = path.stat()
    except (OSError, ValueError) as error:  # a null character is no OSError
        return _reason(error, path)
    if not stat.S_ISREG(about.st_mode):
        return f"{UNREADABLE}: neither a file nor a folder"
    return (about.st_size, about.st_mtime_ns) if os.access(path, os.R_OK) else f"{UNREADABLE}: Permission denied"


def given(path: Path, folder: bool = False) -> bool:
    """Whether an optional file, or folder, is there.

    Raises
    ------
    ValueError
        If something of that name is there and cannot be read as one, such as a link that leads nowhere.
    """
    if not os.path.lexists(path):
        return False
    if not folder:
        wrong = state if isinstance(state := look(path), str) else ""
    elif path.is_dir():
        wrong = ""
    else:
        wrong = _reason(FileNotFoundError(), path) if not path.exists() else f"{UNREADABLE}: it is no folder"
    if wrong:
        raise ValueError(f"{path.parent.name}/{path.name}: {wrong}; or remove it, as it need not be there")
    return True


def listing(root: Path, start: str = "") -> str:
    """Digest of the names, sizes and times of all files of `walk`, and of what cannot be read; cheap, for deciding
    whether to look again.
    """
    found = walk(root, start)
    return digest(found.files, found.bad)


def _text(name: str) -> str:
    """A file name as text that can be written; a byte that is not UTF-8 becomes a question mark."""
    return name.encode(errors="replace").decode()


def _misnamed(path: Path) -> str:
    return NAME if _text(path.name) != path.name else ""


def _loop(folder: Path) -> str:
    """LOOP for a link that leads to a folder on the way to it, or to one that holds such a folder."""
    target = os.path.realpath(folder)
    return LOOP if any(Path(os.path.realpath(p)).is_relative_to(target) for p in folder.parents) else ""


def _reason(error: Exception, path: Path) -> str:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return f"{NO_FILE}: the link leads nowhere; fetch what it stands for" if path.is_symlink() else NO_FILE
    return f"{UNREADABLE}: {getattr(error, 'strerror', None) or error}"
