"""What `acp bench` measured, and what it means for a corpus of any size.

Chapter: What it costs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from acp_lib.engine.text import number, span

COLUMNS = ["stage", "unit", "items", "cpu_s", "peak_mib"]


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


def on_gpus(folder: Path) -> list[dict]:
    """What `acp bench gpu` kept of each GPU, a JSON file of a folder each: "rows", "gpu", "date", versions.

    Chapter: What it costs.
    """
    parts = [json.loads(path.read_text("utf8")).get("gpu") for path in sorted(folder.glob("*.json"))]
    return [part for part in parts if part]


def on_gpu(part: dict) -> str:
    """What the rows of a GPU come to, as Markdown: its peaks, what several runs in one program gain, what the way to
    several cards costs, and whether bfloat16 learns as much.

    Chapter: What it costs.
    """
    rows = part["rows"]
    peaks = [row for row in rows if "peak_tflops" in row]
    plain, *stacked = [r for r in rows if r.get("network") == "ACP-Net" and r["precision"] == "float32"]
    alone, most = stacked[0], stacked[-1]
    wrapped, rough = next(r for r in rows if "nccl_ms" in r), next(r for r in rows if "points" in r)
    return (f"Measured {part['date']} on one {part['gpu']}, torch {part['torch']}, CUDA {part['cuda']}. Its peaks: "
            + ", ".join(f"{row['peak_tflops']:.0f} TFLOP/s in {row['name'].removeprefix('peak, ')}" for row in peaks)
            + f"; copying memory, {peaks[0]['peak_gbytes']:,.0f} GB/s.\n\n"
            "- ACP-Net is too small for this card: launching its kernels one by one takes longer than they run. As one "
            f"recorded graph of kernels a run is {alone['pairs_per_s'] / plain['pairs_per_s']:.1f} times as fast, and "
            f"{most['runs']} runs as one graph see {most['pairs_per_s'] / alone['pairs_per_s']:.1f} times as many "
            "pairs a second as one.\n"
            "- A step that is wrapped for several cards, over NCCL and with this card alone, takes "
            f"{wrapped['nccl_ms']:.1f} ms instead of {wrapped['nccl_alone_ms']:.1f}. The largest difference of a "
            f"weight afterwards is {wrapped['largest_weight_difference']:.2g}.\n"
            "- On a small task of three planted classes, test accuracy in bfloat16 less that in float32 is "
            f"{number(rough['points'], 2, '+')} points (95 % CI {span(rough['points_interval'], 2, '+')}; "
            f"{rough['seeds']} seeds each).")


def compared(parts: Mapping[str, dict]) -> tuple[list[dict], list[dict]]:
    """Rows that hold a fast way against a plain one, by their "ratio"; and rows of what bounds fast ways from below.

    Chapter: What it costs.
    """
    rows = [row for part in parts.values() for row in part["rows"]]
    return [row for row in rows if "ratio" in row], [row for row in rows if "fast_ms" in row and "ratio" not in row]


def at_most(compared: list[dict], floors: list[dict]) -> dict[str, float]:
    """How many times faster than the plain way each comparison could become if nothing but its floors were left, by the
    name of the comparison; those without a floor are left out.

    Chapter: What it costs.
    """
    bounds = pd.DataFrame([row for row in floors if "of" in row], columns=["of", "fast_ms"])
    least = bounds.groupby("of")["fast_ms"].sum()
    return {row["name"]: row["plain_ms"] / least[row["name"]] for row in compared if row["name"] in least}


def rows(parts: Mapping[str, dict], key: str) -> list[dict]:
    """Rows of all parts that hold something; none of a machine on which it was not measured.

    Chapter: What it costs.
    """
    return [row for part in parts.values() for row in part["rows"] if key in row]


def skipped(parts: Mapping[str, dict]) -> str:
    """What was not measured, and why, as a sentence's end.

    Chapter: What it costs.
    """
    return "; ".join(f"{row['name']} ({row['skipped']})" for row in rows(parts, "skipped")) or "nothing"


def largest(row: Mapping) -> str | None:
    """The largest of a row's differences, as text; None where the features are other ones.

    Chapter: What it costs.
    """
    return f"{max(row['largest_difference'].values()):.0e}" if row["largest_difference"] else None


def fitting(kib: float, gib: float = 16) -> float:
    """How many items that take so much memory each fit into so much of it; infinite if none was seen to take any.

    Chapter: What it costs.
    """
    return gib * 2**20 / kib if kib > 0 else float("inf")


def stages(sizes: list[dict]) -> list[dict]:
    """How the cost of each stage grows, from rows of COLUMNS, several sizes of each.

    Returns
    -------
    a row a stage: "stage", "unit", "least" and "most" items, "each" at least and "each_of_most" (seconds), "dearer"
    (their ratio), "exponent" of a straight line through the logarithms of time and items, "kib" of memory that an item
    takes

    Chapter: What it costs.
    """
    found = []
    for stage, made in pd.DataFrame(sizes, columns=COLUMNS).groupby("stage", sort=False):
        made = made.sort_values("items")
        first, last = made.iloc[0], made.iloc[-1]
        each, most = first["cpu_s"] / first["items"], last["cpu_s"] / last["items"]
        kib = 1024 * (last["peak_mib"] - first["peak_mib"]) / (last["items"] - first["items"])
        exponent = float(np.polyfit(np.log(made["items"]), np.log(made["cpu_s"]), 1)[0])
        found.append({"stage": stage, "unit": first["unit"], "least": int(first["items"]), "most": int(last["items"]),
                      "each": each, "each_of_most": most, "dearer": most / each, "exponent": exponent, "kib": kib})
    return found


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
