"""Text that people bring: its encoding, its lines, its tables of separated values. Nothing else reads such files.

Chapter: Building the database.
"""

import codecs
import csv
import io
import re
from collections.abc import Collection, Iterator
from pathlib import Path

MARKS = {codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32",
         codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
"""What a file may begin with, and its encoding; one mark of UTF-32 begins as UTF-16's does."""
AGREED = "ßâäçéëíîóôöúü".encode("latin-1")
"""Letters whose bytes are the same letter in cp1250, cp1252, cp1254, Latin-1, -2 and -9; those of ñ and à are not."""
UNCLEAR = re.compile(rb"(?!(?<=[a-z])[%b]|(?<=[A-Z])[%b](?=[a-z]))[\x80-\xff]" % (AGREED, AGREED))
"""A byte beyond ASCII that is none of these letters beside a small one. Those are clear: on an old Mac they would be
capitals or signs within a word, and outside the West words of two scripts.
"""
SEPARATORS = ",;\t|"


def read(path: Path, errors: str = "strict") -> str:
    """The text of a file in UTF-8, UTF-16 or UTF-32, or in an 8-bit encoding of which one reading alone can be right.

    errors : "surrogateescape" keeps bytes that do not decode as lone surrogates

    Raises
    ------
    ValueError
        For any other bytes, with their place.
    """
    data = path.read_bytes()
    encoding = next((name for mark, name in MARKS.items() if data.startswith(mark)), None) or _unmarked(data)
    try:
        return data.decode(encoding, errors).lstrip("\ufeff")
    except UnicodeDecodeError as error:
        number = len(re.findall(rb"\r\n?|\n", data[:error.start])) + 1
        shown = data[max(0, error.start - 12):error.start + 4]
        raise ValueError(f"{path.name}, line {number}, byte {error.start + 1}: {shown!r} is no {encoding.upper()}, and "
                         "no other encoding is certain; save the file as UTF-8") from None


def _unmarked(data: bytes) -> str:
    """The encoding of a file that does not begin with a mark."""
    for high, name in ((1, "utf-16-le"), (0, "utf-16-be")):  # of most text, every other byte is 0, and no other is
        if not len(data) % 2 and data[high::2].count(0) > len(data) // 4 and 0 not in data[1 - high::2]:
            return name
    try:
        data.decode()
    except UnicodeDecodeError:
        return "utf-8" if UNCLEAR.search(data) else "cp1252"
    return "utf-8"


def lines(path: Path, errors: str = "strict") -> list[str]:
    """The lines of a file, without their ends; raises as `read` does. A lone CR ends a line where there is no LF."""
    text = read(path, errors)
    return [line.removesuffix("\r") for line in text.split("\n")] if "\n" in text else text.split("\r")


def table(path: Path, columns: Collection[str]) -> tuple[list[str], dict[int, dict[str, str]]]:
    """A table of separated values: its columns, and its rows by the number of the line in which each begins.

    Values are text, without blanks around them. A column that differs in case alone from one of `columns` has its name.
    The separator is that by which most of `columns` stand in the first line, a comma if there are several. Lines
    without a value are passed over, and empty fields at the end of a line.

    Raises
    ------
    ValueError
        If the file does not decode or is empty; for a column that stands twice, a line that has more or fewer fields
        than the first, or a quoted field that does not end, with the number of the line.
    """
    text = re.sub(r"\Asep=.(?=[\r\n])", "", read(path))  # as Excel writes it
    known = {name.casefold(): name for name in columns}
    found = {separator: _header(text, separator) for separator in SEPARATORS}
    separator = max(found, key=lambda s: len({name.casefold() for name in found[s]} & known.keys()))
    rows = _rows(path, text, separator)
    begin, first = next(rows, (0, []))
    if not first:
        raise ValueError(f"{path.name} is empty; write names of columns into its first line, such as "
                         f"{','.join(columns)}, or remove it")
    while not first[-1]:
        first.pop()
    names = [known.get(name.casefold(), name) for name in first]
    if twice := {name for name in names if name and names.count(name) > 1}:
        raise ValueError(f"{path.name}, line {begin}: column {min(twice)!r} stands twice; remove one of them")
    return names, {number: dict(zip(names, _fitted(row, names, f"{path.name}, line {number}"), strict=True))
                   for number, row in rows}


def _fitted(row: list[str], names: list[str], where: str) -> list[str]:
    """A row with as many fields as there are columns: fields beyond these count only if they hold anything."""
    extra = [field for field in row[len(names):] if field]
    if extra or len(row) < len(names):
        raise ValueError(f"{where} has {len(row)} fields, {len(names)} were expected ({', '.join(names)}): "
                         f"{[field[:40] for field in row[:8]]}; put a field that holds the separator into quotes, "
                         "write a separator for an empty field, remove a line that is no row")
    return row[:len(names)]


def _header(text: str, separator: str) -> list[str]:
    """The first row; none where it does not read."""
    try:
        return next(_rows(Path(), text, separator))[1]
    except (ValueError, StopIteration):
        return []


def _rows(path: Path, text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Number of the line, and fields, of each row that holds anything."""
    csv.field_size_limit(2**31 - 1)  # the module's own is 128 KiB
    lines, begin = io.StringIO(text, newline=""), 1
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=True)
    try:
        for row in reader:
            fields = [field.strip() for field in row]
            if any(fields):
                yield begin, fields
            begin = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(f"{path.name}, line {begin} does not read: {error}; end a quoted field with a quote, and "
                         "write each quote within it twice") from None
