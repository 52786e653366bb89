"""What `acp bench` measured, and what it means for a corpus of any size.

Chapter: What it costs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd


def measured(folder: Path) -> dict[str, dict]:
    """Results of the first machine, a JSON file of a folder each, on which growth was measured: part -> {"rows", ...}.

    Raises
    ------
    FileNotFoundError
        If there is none.

    Chapter: What it costs.
    """
    for path in sorted(folder.glob("*.json")):
        parts = json.loads(path.read_text("utf8"))
        if "growth" in parts:
            return parts
    raise FileNotFoundError(f"no result in {folder} measures growth; expected one that `acp bench` keeps")


def compared(parts: Mapping[str, dict]) -> tuple[list[dict], list[dict]]:
    """Rows that hold a fast way against a plain one, by their "ratio"; and rows of what bounds fast ways from below.

    Chapter: What it costs.
    """
    rows = [row for part in parts.values() for row in part["rows"]]
    return [row for row in rows if "ratio" in row], [row for row in rows if "fast_ms" in row and "ratio" not in row]


def per_sample(sizes: pd.DataFrame) -> pd.Series:
    """Seconds of processor time a sample, by modality, in the largest run of each ("samples", "cpu_s")."""
    largest = sizes.sort_values("samples").groupby("modality").last()
    return largest["cpu_s"] / largest["samples"]


def efficiency(rows: list[dict]) -> dict[str, float]:
    """Share of its speed that a process keeps beside another, by modality: half the "gain" of two, at most 1."""
    return {row["modality"]: min(row["gain"] / 2, 1) for row in rows if "gain" in row}


def hours(counts: Mapping[str, float], cost: Mapping[str, float], kept: Mapping[str, float], cores: int) -> float:
    """How long all features of a corpus take.

    counts : samples of each modality; cost : seconds of processor time a sample; kept : `efficiency`

    Chapter: What it costs.
    """
    return sum(counts[m] * cost[m] / kept[m] for m in counts) / cores / 3600


def duration(hours: float) -> str:
    """Hours as text, in the unit that suits them.

    Chapter: What it costs.
    """
    if hours < 1 / 60:
        return f"{3600 * hours:.1f} s"
    return f"{60 * hours:.1f} min" if hours < 1 else f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} days"


def memory_growth(sizes: pd.DataFrame) -> float:
    """Peak memory of a modality's last run over that of its first, for the modality where it is largest."""
    return float(max(peaks.iloc[-1] / peaks.iloc[0] for _, peaks in sizes.groupby("modality")["peak_mib"]))
