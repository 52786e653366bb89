"""Other people's text where it is shown, on a page or a terminal: tags, titles, file names, and errors that quote them.

Chapter: all.
"""

import re
import unicodedata

LONGEST = 120  # characters of anyone's text in a cell
MESSAGE = 2000  # characters of an error on a terminal
COLOUR = re.compile(r"(\x1b\[[0-9;]*m)")


def _visible(text: str) -> str:
    return "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn"))


def plain(text: object, longest: int = LONGEST) -> str:
    """Anyone's text as one line: no control or invisible characters, none that turn the writing direction, cut if long.

    Chapter: all.
    """
    line = " ".join(_visible(re.sub(r"\s", " ", str(text))).split())
    return line if len(line) <= longest else line[:longest - 1] + "…"


def lines(text: str, colours: bool) -> str:
    """A text of several lines, such as a traceback, for a terminal: its control characters are the ends of lines and,
    where they are wanted, the codes that colour it.
    """
    parts = COLOUR.split(text)  # text and codes in turn
    parts[::2] = ["\n".join(_visible(line.expandtabs()) for line in part.split("\n")) for part in parts[::2]]
    return "".join(parts if colours else parts[::2])
