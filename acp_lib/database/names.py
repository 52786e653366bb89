"""The file name of a picture that is fetched from a URL: one rule, for whoever writes such files or reads them.

Chapter: Building the database.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath
from urllib.parse import urlsplit

LONGEST = 120  # bytes in UTF-8; file systems end at 255, and a temporary name is longer
UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\ud800-\udfff\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff'
                    r'\ufff9-\ufffb\U000e0000-\U000e007f/\\:*?"<>|]'
                    r"|^[. ]*(?i:con|prn|aux|nul|com\d|lpt\d) *(?=\.|$)")  # names of devices, where files are moved to


def _mark(url: str, tried: int = 0) -> str:
    """Eight hexadecimal digits that stand for a URL; others for each further try."""
    return hashlib.sha256((url + " " * tried).encode(errors="surrogatepass")).hexdigest()[:8]


def _marked(name: str, url: str, tried: int = 0) -> str:
    stem, ending = PurePosixPath(name).stem, PurePosixPath(name).suffix
    ending = ending if len(ending.encode()) <= 8 else ""
    return stem.encode()[:LONGEST - 24].decode(errors="ignore") + "-" + _mark(url, tried) + ending


def safe(url: str) -> str:
    """The last part of a URL's path as a file name, without separators, control or invisible characters, or a leading
    dot; with the mark of the URL where it is too long or nothing is left of it.
    """
    try:
        last = urlsplit(url).path.rstrip("/").rpartition("/")[2]
    except ValueError:  # no URL at all; it is refused when it is asked for
        last = ""
    name = UNSAFE.sub("_", unicodedata.normalize("NFC", last)).lstrip(". ").rstrip(". ")
    if not name:
        return "picture-" + _mark(url)
    return name if len(name.encode()) <= LONGEST else _marked(name, url)


def files(emotions: Iterable[str], urls: Iterable[str]) -> list[str]:
    """`<emotion>/<name>` of each picture of a list, in its order.

    The name is the last part of the URL (`safe`). Of several URLs of one emotion with the same last part, the first in
    the list keeps it and the others gain the mark of their URL, so that rows added at the end rename nothing. Names
    that differ in case alone are the same.
    """
    owner: dict[tuple[str, str], str] = {}
    found = []
    for emotion, url in zip(emotions, urls, strict=True):
        url = url if isinstance(url, str) else ""  # pandas' NaN for an empty field
        name, tried = safe(url), 0
        while owner.setdefault((emotion, name.casefold()), url) != url:
            name, tried = _marked(safe(url), url, tried), tried + 1
        found.append(f"{emotion}/{name}")
    return found
