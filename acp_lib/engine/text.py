"""Text for pages and terminals: other people's text, such as tags, titles and file names, and numbers.

Chapter: all.
"""

import re
import unicodedata
from collections.abc import Sequence

LONGEST = 120  # characters of anyone's text in a cell
MESSAGE = 2000  # characters of an error on a terminal
COLOUR = re.compile(r"(\x1b\[[0-9;]*m)")


def _visible(text: str) -> str:
    return "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn"))


def plain(text: object, longest: int = LONGEST) -> str:
    """Anyone's text as one line, cut if long, without control characters, invisible ones and changes of direction.

    Chapter: all.
    """
    line = " ".join(_visible(re.sub(r"\s", " ", str(text))).split())
    return line if len(line) <= longest else line[:longest - 1] + "…"


def number(value: float, digits: int = 1, sign: str = "") -> str:
    """A number with `digits` decimals, but none from 1,000 on, and no minus before a zero.

    sign : "+" for differences

    Chapter: all.
    """
    return f"{value:{sign}z,.{digits if abs(value) < 1000 else 0}f}"


def span(ends: Sequence[float], digits: int = 1, sign: str = "") -> str:
    """An interval, "54.5 to 62.9", with its ends formatted by `number`.

    Chapter: all.
    """
    return f"{number(ends[0], digits, sign)} to {number(ends[1], digits, sign)}"


def lines(text: str, colours: bool) -> str:
    """A text of several lines, such as a traceback, for a terminal. Its only control characters are line ends and, if
    `colours`, colour codes.
    """
    parts = COLOUR.split(text)  # text and codes in turn
    parts[::2] = ["\n".join(_visible(line.expandtabs()) for line in part.split("\n")) for part in parts[::2]]
    return "".join(parts if colours else parts[::2])
