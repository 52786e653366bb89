"""Figures of what the paper leaves open: accuracy under many readings, and what each detail does to it.

Chapter: The garden of forking paths.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from acp_lib.figures.page import drawn_to_fit, page_width
from acp_lib.figures.style import BLUE, CHANCE, FALSE, OURS, PAPER, abreast, name_rows


@drawn_to_fit
def specification_curve(rows: list[dict], own: dict, reported: float) -> Figure:
    """Readings in the order of their accuracy, the mean of their runs (small dots), with 95 % intervals over runs,
    pictures and songs; below, what each one reads.

    rows : of `specifications.points`; own : the profile's reading, drawn red; reported : the paper's accuracy
    """
    rows = sorted(rows, key=lambda row: row["accuracy"])
    table = pd.DataFrame([row["reading"] for row in rows], dtype=object)
    lines = [(name, value) for name in table for value in sorted(table[name].unique(), key=lambda v: v != own[name])]
    fig, (top, below) = plt.subplots(2, 1, figsize=(page_width(), 2.6 + 0.17 * len(lines)), sharex=True,
                                     height_ratios=[2.4, 0.17 * len(lines)])
    drawn = [FALSE if row["reading"] == own else BLUE for row in rows]
    for x, (row, tint) in enumerate(zip(rows, drawn, strict=True)):
        top.plot([x, x], row["interval"], color=tint, lw=1.4, alpha=0.6)
        top.plot(x, row["accuracy"], "o", color=tint, ms=5)
        top.plot(np.full(len(row["values"]), x + 0.2), row["values"], ".", color=tint, ms=3, alpha=0.7)
        top.plot([x - 0.4, x + 0.4], [row["one_sided"]] * 2, color="0.35", lw=1.5)
    top.axhline(reported, **PAPER)
    top.annotate(f"paper, {reported}", (1, reported), xycoords=("axes fraction", "data"), ha="right", va="bottom",
                 fontsize="small")
    top.set_ylabel("accuracy, %")
    for y, (name, value) in enumerate(lines):
        has = np.flatnonzero((table[name] == value).to_numpy())
        below.plot(has, np.full(len(has), y), "s", ms=4.5, color="0.15" if value != own[name] else "0.65")
    firsts = [k for k, (name, _) in enumerate(lines) if not k or lines[k - 1][0] != name]
    for y in firsts[1:]:
        below.axhline(y - 0.5, color="0.8", lw=0.8)
    name_rows(below, [f"{name.replace('_', ' ')}: {_shown(value)}" if k in firsts else _shown(value)
                      for k, (name, value) in enumerate(lines)], letters=30, fontsize="x-small")
    below.set_xlabel("readings, in the order of their accuracy")
    below.grid(False)
    below.xaxis.set_major_locator(MaxNLocator(integer=True))
    return fig


@drawn_to_fit
def effects(panels: dict[str, list[dict]]) -> Figure:
    """What each value of a detail does to each of some outcomes, in points, with 95 % intervals; a panel an outcome.
    Coloured is a detail that is told from luck.

    panels : title -> rows of `specifications.effects`, in one order
    """
    first = next(iter(panels.values()))
    fig, axes = abreast(len(panels), 0.23 * len(first) + 1.1, sharey=True)
    for ax, (title, rows) in zip(axes, panels.items(), strict=True):
        ax.axvline(0, lw=1, **CHANCE)
        for y, row in enumerate(rows):
            if row["effect"] is None:
                continue
            tint = OURS if row["told"] else "0.55"
            if row["interval"]:
                ax.plot(row["interval"], [y, y], color=tint, lw=1.4)
            ax.plot(row["effect"], y, "o", color=tint, ms=5)
        reach = max((abs(e) for row in rows for e in (row["effect"] or 0, *(row["interval"] or ()))), default=1)
        ax.set(title=title, xlabel="points", xlim=(-min(1.1 * reach, 45), min(1.1 * reach, 45)))
        ax.grid(axis="y", visible=False)
    name_rows(axes[0], [f"{r['detail'].replace('_', ' ')}: {_shown(r['value'])}" for r in first],
              letters=30, fontsize="x-small")
    return fig


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float | int) else str(value).replace("_", " ")
