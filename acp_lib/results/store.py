"""What audits hand to other chapters: rows as JSON beside the tables, each with what it was made from.

Chapter: Verdicts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from acp_lib.book import report

if TYPE_CHECKING:
    from acp_lib.study import Study


def load(study: Study, name: str, make: Callable[[Study], list[dict]]) -> list[dict]:
    """The rows of a result: read if they are this run's, made and saved if not.

    Chapter: How sure are we; The garden of forking paths; Verdicts.
    """
    rows = known(study, name)
    if rows is None:
        rows = [{**row, "provenance": study.provenance} for row in make(study)]
        report.save(study.profile.results_path, name, rows)
    return rows


def known(study: Study, name: str) -> list[dict] | None:
    """The rows of a result if they are there and this run's.

    Chapter: Verdicts.
    """
    rows = report.load(study.profile.results_path, name)
    return rows if rows and rows[0].get("provenance") == study.provenance else None
