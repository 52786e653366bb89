"""Results: rows as JSON beside the book, each with what it was made from; and tables that are kept between runs.

Chapter: How to read and rerun; Verdicts.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from acp_lib.engine.cache import code_key, digest, read_table, write

if TYPE_CHECKING:
    from acp_lib.study import Study


def load(study: Study, name: str, make: Callable[[Study], list[dict]]) -> list[dict]:
    """The rows of a result: read if they are this run's, made and saved if not.

    Chapter: How sure are we; The garden of forking paths; Paper versus ours; Verdicts.
    """
    rows = known(study, name)
    if rows is None:
        rows = [{**row, "provenance": study.provenance} for row in make(study)]
        save(study.profile.results_path, name, rows)
    return rows


def known(study: Study, name: str) -> list[dict] | None:
    """The rows of a result if they are there and this run's.

    Chapter: Verdicts.
    """
    rows = read(study.profile.results_path, name)
    return rows if rows and rows[0].get("provenance") == study.provenance else None


def save(folder: Path, name: str, rows: list[dict]) -> None:
    """Write the rows of a result as `name`.json, whole or not at all.

    Raises
    ------
    ValueError
        If a value is NaN or infinite, which JSON has no word for.
    """
    write(folder / f"{name}.json", json.dumps(rows, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def read(folder: Path, name: str) -> list[dict] | None:
    """What `save` wrote, or None where there is no such file, or a damaged one."""
    with suppress(OSError, ValueError, RecursionError):
        return json.loads((folder / f"{name}.json").read_text("utf8"))
    return None


def flattened(provenance: dict) -> dict:
    """What a result was made from as one list of names and values: "settings: seed", "version: torch".

    Chapter: Paper versus ours.
    """
    flat: dict[str, Any] = {}
    for name, value in provenance.items():
        if isinstance(value, dict):
            flat |= {f"{'version' if name == 'versions' else name}: {inner}": v for inner, v in value.items()}
        else:
            flat[name] = value
    return flat


def table(study: Study, module: str, stage: str, about: list, make: Callable[[], list[dict]]) -> pd.DataFrame:
    """The rows of `make()`, computed once and kept in the work folder.

    Parameters
    ----------
    module : `__name__` of the module whose code, with all that it imports, the rows depend on
    stage : what they are, the beginning of their folder's name
    about : all else that they depend on
    """
    folder = study.work.once(stage, digest(stage, about, code_key(module)),
                             lambda new: pd.DataFrame(make()).to_parquet(new / "rows.parquet"))
    return read_table(folder / "rows.parquet")
