"""Figures about many runs: their spread, what intervals promise, readings of what the paper leaves open.

Chapter: How sure are we; The garden of forking paths; Verdicts.
"""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from acp_lib.emotions import COLOURS
from acp_lib.figures import BRANCHES, FALSE, TRUE, WIDTH

BLUE = BRANCHES["image"]


def accuracy_spread(groups: dict[str, Sequence[float]], chance: float, bayes: float | None) -> Figure:
    """Accuracies in per cent of runs that differ in the draw of one thing each, with mean and standard deviation.

    Chapter: How sure are we.
    """
    fig, ax = plt.subplots(figsize=(WIDTH, 0.62 * len(groups) + 1.1))
    for y, values in enumerate(groups.values()):
        offset = 0.09 * np.random.default_rng(y).uniform(-1, 1, len(values))
        mean, sd = np.mean(values), np.std(values, ddof=1)
        ax.plot([mean - sd, mean + sd], [y + 0.24] * 2, color=COLOURS["negative"], lw=3, alpha=0.6)
        ax.plot(mean, y + 0.24, "o", color=COLOURS["negative"], ms=5)
        ax.plot(values, y + offset, "o", color=BLUE, ms=5, alpha=0.7, mew=0)
    ax.axvline(chance, color="0.4", ls=":", lw=1)
    if bayes:
        ax.axvline(bayes, color=TRUE, ls="-.", lw=1)
        ax.text(bayes, -0.55, "best possible ", ha="right", va="center", fontsize="small", color=TRUE)
    ax.set(yticks=range(len(groups)), ylim=(len(groups) - 0.5, -0.7), xlabel="accuracy, %")
    ax.set_yticklabels([f"another {name}" if not name.endswith("s") else f"other {name}" for name in groups])
    ax.grid(axis="y", visible=False)
    return fig


def reliability(runs: Sequence[tuple[np.ndarray, np.ndarray]], probability: np.ndarray) -> Figure:
    """Share of true pairs over the mean probability in each bin, a line a run; below, how often each is given.

    Chapter: How sure are we.
    """
    fig, (ax, low) = plt.subplots(2, 1, figsize=(WIDTH * 0.62, 4.6), sharex=True, height_ratios=[3, 1])
    ax.plot([0, 1], [0, 1], color="0.4", ls=":", lw=1)
    for k, (true, mean) in enumerate(runs):
        ax.plot(mean, true, ".-", color=BLUE, lw=1, ms=5, alpha=0.55, label="a run" if not k else None)
    ax.set(ylabel="share of true pairs", ylim=(0, 1), xlim=(0, 1))
    ax.text(0.04, 0.9, "says too little: true more often than it thinks", fontsize="x-small", color="0.35")
    ax.text(0.96, 0.06, "says too much", fontsize="x-small", color="0.35", ha="right")
    low.hist(probability, bins=np.linspace(0, 1, 41), color=BLUE, alpha=0.7, density=True)
    low.set(xlabel='probability given to "true"', ylabel="density")
    return fig


def ceilings(noise: np.ndarray, ceiling: np.ndarray, simulated: Sequence[tuple[float, float]],
             marks: dict[str, tuple[float, float]], reported: float) -> Figure:
    """Accuracy in per cent that wrong labels leave to a perfect observer over their share in both halves of a pair.

    noise, ceiling : the closed form; simulated : the same by simulation
    marks : what is known or estimated of this data; reported : the paper's accuracy

    Chapter: How sure are we.
    """
    fig, ax = plt.subplots(figsize=(WIDTH * 0.8, 3.4))
    ax.plot(100 * noise, ceiling, color=BLUE, lw=1.8, label="closed form")
    ax.plot(*np.transpose([(100 * a, b) for a, b in simulated]), "o", mfc="none", color=BLUE, ms=6, label="simulated")
    ax.axhline(reported, color="k", ls="--", lw=1)
    ax.text(100 * noise[0], reported + 0.8, f"ACP-Net in the paper, {reported}", fontsize="small")
    for (name, (x, y)), marker in zip(marks.items(), "D^s", strict=False):
        ax.plot(100 * x, y, marker, color=COLOURS["negative"], ms=8, label=name)
    ax.axhline(50, color="0.4", ls=":", lw=1)
    ax.set(xlabel="wrong labels, % of pictures and of songs", ylabel="accuracy, %", ylim=(48, 101))
    ax.legend(fontsize="small")
    return fig


def _shown(value) -> str:
    return f"{value:g}" if isinstance(value, float | int) else str(value).replace("_", " ")


def specification_curve(rows: list[dict], own: dict, reported: float, outcome: str = "accuracy",
                        band: tuple[float, float] | None = None) -> Figure:
    """Readings in the order of their accuracy with 95 % intervals over pictures and songs; below, what each one reads.

    rows : of `specifications.points`; own : the profile's reading, drawn red
    reported : the paper's accuracy; band : where the middle of other seeds' accuracies lies

    Chapter: The garden of forking paths.
    """
    rows = sorted(rows, key=lambda row: row[outcome])
    table = pd.DataFrame([row["reading"] for row in rows], dtype=object)
    lines = [(name, value) for name in table for value in sorted(table[name].unique(), key=lambda v: v != own[name])]
    fig, (top, below) = plt.subplots(2, 1, figsize=(WIDTH, 2.6 + 0.17 * len(lines)), sharex=True,
                                     height_ratios=[2.4, 0.17 * len(lines)])
    drawn = [FALSE if row["reading"] == own else BLUE for row in rows]
    for x, (row, tint) in enumerate(zip(rows, drawn, strict=True)):
        top.plot([x, x], row["interval"], color=tint, lw=1.4, alpha=0.6)
        top.plot(x, row["accuracy"], "o", color=tint, ms=5)
        top.plot([x - 0.4, x + 0.4], [row["one_sided"]] * 2, color="0.35", lw=1.5)
    if band:
        top.axhspan(*band, color=COLOURS["negative"], alpha=0.12, lw=0)
    top.axhline(reported, color="k", ls="--", lw=1)
    top.annotate(f"paper, {reported}", (1, reported), xycoords=("axes fraction", "data"), ha="right", va="bottom",
                 fontsize="small")
    top.set_ylabel("accuracy, %")
    for y, (name, value) in enumerate(lines):
        has = np.flatnonzero((table[name] == value).to_numpy())
        below.plot(has, np.full(len(has), y), "s", ms=4.5, color="0.15" if value != own[name] else "0.65")
    firsts = [k for k, (name, _) in enumerate(lines) if not k or lines[k - 1][0] != name]
    for y in firsts[1:]:
        below.axhline(y - 0.5, color="0.8", lw=0.8)
    below.set(yticks=range(len(lines)), ylim=(len(lines) - 0.5, -0.5),
              xlabel="readings, in the order of their accuracy")
    below.set_yticklabels([f"{name.replace('_', ' ')}: {_shown(value)}" if k in firsts else _shown(value)
                           for k, (name, value) in enumerate(lines)], fontsize="x-small")
    below.grid(False)
    below.xaxis.set_major_locator(MaxNLocator(integer=True))
    return fig


def effects(panels: dict[str, list[dict]]) -> Figure:
    """What each value of a detail does to each of some outcomes, in points, with 95 % intervals; a panel an outcome.

    panels : title -> rows of `specifications.effects`, in one order

    Chapter: The garden of forking paths.
    """
    first = next(iter(panels.values()))
    fig, axes = plt.subplots(1, len(panels), figsize=(WIDTH, 0.23 * len(first) + 1.1), sharey=True, squeeze=False)
    for ax, (title, rows) in zip(axes[0], panels.items(), strict=True):
        ax.axvline(0, color="0.4", ls=":", lw=1)
        for y, row in enumerate(rows):
            if row["effect"] is None:
                continue
            clear = row["interval"] and (row["interval"][0] > 0 or row["interval"][1] < 0)
            tint = COLOURS["negative"] if clear else "0.55"
            if row["interval"]:
                ax.plot(row["interval"], [y, y], color=tint, lw=1.4)
            ax.plot(row["effect"], y, "o", color=tint, ms=5)
        reach = max((abs(e) for row in rows for e in (row["effect"] or 0, *(row["interval"] or ()))), default=1)
        ax.set(title=title, xlabel="points", xlim=(-min(1.1 * reach, 45), min(1.1 * reach, 45)))
        ax.grid(axis="y", visible=False)
    axes[0, 0].set(yticks=range(len(first)), ylim=(len(first) - 0.5, -0.5))
    axes[0, 0].set_yticklabels([f"{r['detail'].replace('_', ' ')}: {_shown(r['value'])}" for r in first],
                               fontsize="x-small")
    return fig


def verdicts(counts: pd.DataFrame) -> Figure:
    """How many claims (columns: verdicts) of each part of the paper (rows) came out how.

    Chapter: Verdicts.
    """
    fig, ax = plt.subplots(figsize=(WIDTH, 0.4 * len(counts) + 1.0))
    left = np.zeros(len(counts))
    for (name, column), tint in zip(counts.items(), sns.color_palette("deep", len(counts.columns)), strict=True):
        bars = ax.barh(counts.index, column, left=left, color=tint, label=name)
        ax.bar_label(bars, [f"{v:g}" if v else "" for v in column], label_type="center", color="w")
        left += column.to_numpy()
    ax.invert_yaxis()
    ax.set_xlabel("claims")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(axis="y", visible=False)
    fig.legend(loc="outside lower center", ncols=4, fontsize="small")
    return fig
