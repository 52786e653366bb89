"""Every accuracy that the book gives for ACP-Net on pairs, and why they differ: which network, runs, split and pairs.

Chapter: Paper versus ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from acp_lib.audits import additive, how_sure, leakage, specifications, standing
from acp_lib.experiment import pairs as protocols
from acp_lib.results import scores, tables

if TYPE_CHECKING:
    from acp_lib.study import Study

CHAPTERS = {"table4": "chapter-baselines", "protocols": "chapter-acp-net", "leakage": "chapter-leakage",
            "standing": "chapter-cross-modal", "cross_modal": "chapter-cross-modal", "how_sure": "chapter-how-sure",
            "specifications": "chapter-forking-paths"}
"""Results that hold accuracies of ACP-Net on pairs, and the chapter that tells of each."""
ASIDE = "difference"
"""What a row is, in "what", that is a difference and no accuracy."""


def results(study: Study) -> dict[str, list[dict]]:
    """The rows of each of CHAPTERS, read or made."""
    asked = {name: study.test_pairs(name) for name in protocols.PROTOCOLS}
    other = [{"row": "ACP-Net", "values": None, **row, **scores.of(study, row["protocol"])} for row in
             scores.by_protocol([run.model() for run in study.runs], study.corpus, asked, study.manifest)]
    return {"table4": tables.load(study, 4), "protocols": other, "leakage": leakage.accuracy(study),
            "standing": standing.load(study)[:1], "cross_modal": additive.compared(study),
            "how_sure": how_sure.load(study), "specifications": specifications.load(study)}


def accuracies(found: Mapping[str, Iterable[dict]]) -> list[dict]:
    """One row for each accuracy of ACP-Net, in per cent; the readings of a specification curve are one row together.

    found : as `results` gives it

    Returns
    -------
    {"where": the chapter's label, "what": is trained, or drawn anew, "network", "runs", "seeds": "0 to 9", "split",
    "pairs": protocol, "n_pairs", "ours", "interval"}; of the readings also "range": the lowest and the highest

    Raises
    ------
    ValueError
        For an accuracy that does not say which network it is of.
    """
    listed = []
    for name, rows in found.items():
        kept = [row for row in rows if is_accuracy(row)]
        if unnamed := [row["row"] for row in kept if not row.get("network")]:
            raise ValueError(f"{name} has an accuracy of ACP-Net, {unnamed[0]!r}, and no network; expected what "
                             "`scores.of` gives")
        listed += [_line(name, row) for row in kept if row["row"] != "reading"]
        if readings := [row for row in kept if row["row"] == "reading"]:
            listed += [_line(name, readings[0] | {"row": "the profile's own reading"}), _readings(name, readings)]
    return listed


def is_accuracy(row: dict) -> bool:
    """Whether a row of CHAPTERS is an accuracy of ACP-Net on pairs, and no difference of two."""
    named = row["row"].startswith("ACP-Net") and row.get("what") != ASIDE and " against " not in row["row"]
    return named or row["row"] == "reading" or row.get("what") == "component"


def _line(name: str, row: dict) -> dict:
    drawn = row.get("what") == "component"
    values, seeds = row.get("values"), row["seeds"][:1] if drawn and row["row"] != "seed" else row["seeds"]
    value = row["mean"] if drawn else row["accuracy"] if "accuracy" in row else row["ours"]
    return {"where": CHAPTERS[name], "what": f"{row['row']} redrawn" if drawn else row["row"],
            "network": row["network"], "runs": len(values or seeds), "seeds": _ends(seeds),
            "split": row["split"], "pairs": row["pairs"], "n_pairs": row["n_pairs"], "ours": value,
            "interval": None if drawn else row.get("interval")}


def _ends(seeds: list[int]) -> str:
    return str(seeds[0]) if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"


def _readings(name: str, rows: list[dict]) -> dict:
    """All readings as one line: their mean, and the lowest and the highest."""
    said = [row["accuracy"] for row in rows]
    same = {key: ", ".join(sorted({str(row[key]) for row in rows})) for key in ("split", "pairs")}
    seeds = [seed for row in rows for seed in row["seeds"]]
    low, high = min(said), max(said)
    return {"where": CHAPTERS[name], "what": f"mean of {len(rows)} readings, {low:.1f} to {high:.1f} %", **same,
            "network": rows[0]["network"], "runs": len(seeds), "seeds": _ends(sorted(set(seeds))),
            "n_pairs": rows[0]["n_pairs"], "ours": float(np.mean(said)), "interval": None, "range": [low, high]}
