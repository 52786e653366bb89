"""Figures of what the computations cost: how much faster than the plain way, and how cost grows with the data.

Chapter: What it costs.
"""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from acp_lib.figures.page import drawn_to_fit, on_phone, page_width, tell
from acp_lib.figures.style import BRANCHES, FALSE, TRUE, abreast, name_rows


@drawn_to_fit
def speedups(rows: list[dict]) -> Figure:
    """How many times faster than the plain way each comparison came out, with its range and what was aimed at.

    rows : "name", "ratio", "lowest", "highest", "wanted"
    """
    fig, ax = plt.subplots(figsize=(page_width(), 0.32 * len(rows) + 0.9))
    for y, row in enumerate(rows):
        drawn = TRUE if row["ratio"] >= row["wanted"] else FALSE
        ax.plot([row["lowest"], row["highest"]], [y, y], color=drawn, lw=1.5)
        ax.plot(row["ratio"], y, "o", color=drawn, ms=6)
        ax.plot([row["wanted"]] * 2, [y - 0.35, y + 0.35], color="0.3", lw=2)
    ax.axvline(1, color="0.6", ls=":", lw=1)
    ax.set_xscale("log")
    ticks = [t for t in (1, 2, 5, 10, 20, 50, 100) if t <= 1.5 * max(row["highest"] for row in rows)]
    ax.set_xticks(ticks, [str(t) for t in ticks])
    ax.minorticks_off()
    name_rows(ax, [row["name"] for row in rows], letters=20)
    ax.set_xlabel("times faster")
    return tell(fig, (f"{row['name']} {row['ratio']:.2f} times, target {row['wanted']:g}" for row in rows))


@drawn_to_fit
def growth(sizes: pd.DataFrame) -> Figure:
    """Processor seconds and peak memory (cpu_s, peak_mib) over the number of samples, a colour a modality."""
    fig, axes = abreast(2, 3)
    for modality, rows in sizes.sort_values("samples").groupby("modality"):
        drawn, first = {"color": BRANCHES[modality], "label": modality}, rows.iloc[0]
        axes[0].plot(rows["samples"], first["cpu_s"] / first["samples"] * rows["samples"], ls="--", lw=1,
                     color=drawn["color"])
        axes[0].plot(rows["samples"], rows["cpu_s"], "o", **drawn)
        axes[1].plot(rows["samples"], rows["peak_mib"], "o-", **drawn)
    axes[0].set(xscale="log", yscale="log", xlabel="samples", ylabel="processor time, s")
    axes[1].set(xscale="log", xlabel="samples", ylabel="peak memory, MiB", ylim=(0, 1.2 * sizes["peak_mib"].max()))
    ticks = sizes[sizes["modality"] == sizes["modality"].max()]["samples"].tolist()
    for ax in axes:
        ax.minorticks_off()
        ax.set_xticks(ticks, [str(t) for t in ticks])
    axes[1].legend()
    return fig


@drawn_to_fit
def stages(sizes: pd.DataFrame) -> Figure:
    """Processor time of each stage over its size, both as multiples of the smallest run's: along the dashed line where
    an item costs the same however many there are.

    sizes : "stage", "items", "cpu_s"
    """
    fig, ax = plt.subplots(figsize=(page_width(), 6 if on_phone() else 4.6))
    told, most = [], 1.0
    for k, (stage, rows) in enumerate(sizes.groupby("stage", sort=False)):
        rows = rows.sort_values("items")
        times, cost = (rows[name] / rows[name].iloc[0] for name in ("items", "cpu_s"))
        ax.plot(times, cost, marker="osDv^<>P"[k % 8], label=stage, color=f"C{k % 3}", ls=("-", ":", "-.")[k // 3 % 3],
                lw=1.2, ms=5)
        most = max(most, times.max())
        told.append(f"{stage}: {times.iloc[-1]:.0f} times the items take {cost.iloc[-1]:.1f} times the time")
    ax.plot([1, most], [1, most], color="0.3", ls="--", lw=1, label="in proportion")
    ticks = [4**k for k in range(8) if 4**k <= most]
    ax.set(xscale="log", yscale="log", xlabel="times the items", ylabel="times the processor time")
    ax.set_xticks(ticks, [str(t) for t in ticks])
    ax.set_yticks(ticks, [str(t) for t in ticks])
    ax.minorticks_off()
    fig.legend(loc="outside lower center", ncols=1 if on_phone() else 3, fontsize="small")
    return tell(fig, told)
