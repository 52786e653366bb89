"""The paper's numbers beside this run's, as the texts of one table, and what their agreement is about.

Paper: Tables 1 to 5.  Chapter: Paper versus ours; Verdicts.
"""

from __future__ import annotations

from collections.abc import Sequence

from acp_lib.engine.text import number, span
from acp_lib.results.scores import called

LABELS = {1: "tab-regrouping", 2: "tab-tags", 3: "tab-database", 4: "tab-correspondence"}
"""Where the book shows each of the paper's tables; Table 5 is several there."""


PAPERS_DIGITS = {4: 2, 5: 1}
"""Decimals of accuracies in the paper's tables."""


def beside(table: int, rows: Sequence[dict]) -> list[dict]:
    """One of the five tables, a row each: {"what", "paper", "ours", "label"}.

    what : class or modality, and the row's name
    paper, ours : as `text` has them, accuracies of the paper with its decimals, of this run with one and, where
        known, the 95 % CI; None where none is
    label : of the book's table that tells more

    Chapter: Paper versus ours.
    """
    found = []
    for row in rows:
        group = row["class"] if table == 2 else row.get("what", row.get("class"))
        ours = text(row["ours"], table, 1)
        if row["ours"] is not None and row.get("interval"):
            ours = f"{ours} ({span(row['interval'])})"
        found.append({"what": ": ".join(filter(None, (group, called(row)))),
                      "paper": text(row["paper"], table, PAPERS_DIGITS.get(table, 0)), "ours": ours,
                      "label": label(table, row)})
    return found


def text(value: list[str] | tuple[str, ...] | float | None, table: int, digits: int) -> str | float | None:
    """A value of one of the five tables: emotions with commas, accuracies with their decimals, counts as they are."""
    if isinstance(value, list | tuple):
        return ", ".join(value)
    return number(value, digits) if table >= 4 and value is not None else value


def label(table: int, row: dict) -> str:
    """Label of the table of this book that shows a row of the paper's table of that number."""
    if table in LABELS:
        return LABELS[table]
    if "random labels" in row["row"]:
        return "tab-controls"
    return "tab-emotion-pictures" if row["what"].startswith("picture") else "tab-emotion-music"


def about(synthetic: bool, source: str) -> str:
    """What results say something about, in words; `source` is the profile's.

    Chapter: Paper versus ours; Verdicts.
    """
    if synthetic:
        return "the code and the method, not about IMAC: the data is synthetic"
    return "the available part of IMAC" if source == "imac" else "the data of this run, which is not IMAC"
