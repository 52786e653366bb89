"""Which file of a folder a table means by a name.

Chapter: Building the database.
"""

import posixpath
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from urllib.parse import unquote


def loose(name: str) -> str:
    """What all spellings of a name share: in capitals, with %20, with accents as marks of their own."""
    return unicodedata.normalize("NFC", unquote(name)).casefold()


def plain(name: str) -> str:
    """A path below a folder, without `./`, `a/..`, backslashes and slashes in front.

    Raises
    ------
    ValueError
        If it leads out of the folder.
    """
    slashed = name.strip().replace("\\", "/")
    for spelled in (unquote(slashed), slashed):
        path = posixpath.normpath(spelled.lstrip("/"))
        if path.split("/")[0] == ".." or re.match("[A-Za-z]:/", spelled):
            raise ValueError(f"{name[:80]!r} leads out of the folder")
    return path


def within(path: str, end: str) -> bool:
    """Whether a path ends in the folders and the name of another."""
    return f"/{path}".endswith(f"/{end}")


def listed(found: list[str]) -> str:
    """A few of several files, for a message."""
    return ", ".join(found[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "")


class Files:
    """The files of a folder, to be found by names that differ from their paths.

    paths : relative to the folder, with slashes
    tops : folders in it that names may leave out
    """

    def __init__(self, paths: Iterable[str], tops: Collection[str] = ()):
        self._tops = ("", *(f"{top}/" for top in tops))
        self._loose = {path: loose(path) for path in paths}
        self._named = defaultdict[str, list[str]](list)
        for path, spelled in self._loose.items():
            name = posixpath.basename(spelled)
            for key in {name, posixpath.splitext(name)[0]}:
                self._named[key].append(path)

    def find(self, name: str, anywhere: bool = False) -> list[str]:
        """The files that a name fits best: none, one, or several that it fits as well.

        Whole paths count first, then their ends, each as written before other spellings; then a path in which the name
        ends; then paths without the file's ending.

        anywhere : at last the file's name counts alone, whatever folders stand before it

        Raises
        ------
        ValueError
            If the name leads out of the folder, as one does that begins with a slash and is no whole path.
        """
        asked = plain(name)
        for exact in (name, asked):
            if whole := [path for top in self._tops if (path := top + exact) in self._loose]:
                return whole
        spelled = loose(asked)
        near = self._named.get(posixpath.basename(spelled), [])
        wholes = {top + spelled for top in self._tops}
        rooted = name.strip().startswith(("/", "\\"))
        fits: list[Callable[[str, str], bool]] = [lambda path, other: other in wholes]
        if not rooted:
            fits += [lambda path, other: within(path, asked), lambda path, other: within(other, spelled),
                     lambda path, other: within(spelled, other),
                     lambda path, other: within(posixpath.splitext(other)[0], spelled)]
        if anywhere and not rooted:
            fits.append(lambda path, other: posixpath.basename(other) == posixpath.basename(spelled))
        for fit in fits:
            if found := [path for path in near if fit(path, self._loose[path])]:
                return found
        if rooted:
            raise ValueError(f"{name[:80]!r} leads out of the folder")
        return []
