"""Figures of classes that nobody named: how they come out of pairs, and out of clusters.

Chapter: Without emotion labels.
"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from acp_lib.figures.page import drawn_to_fit
from acp_lib.figures.style import COLOURS, abreast, leftmost, legend_below

SPACES = {"features": "0.55", "before training": COLOURS["neutral"], "after training": COLOURS["negative"]}


@drawn_to_fit
def classes_from_pairs(table: pd.DataFrame, classes: int) -> Figure:
    """How the classes come out of the first pairs of a list; see `structure.learnt_from`."""
    fig, axes = abreast(2, 2.9)
    axes[0].plot(table["pairs"], table["samples"], color="0.55", label="samples seen")
    axes[0].plot(table["pairs"], table["sets"], color=COLOURS["negative"], label="sets that true pairs connect")
    axes[0].axhline(classes, color="k", ls=":", lw=1, label="classes")
    axes[0].set(xscale="log", yscale="log", xlabel="pairs seen")
    axes[1].plot(table["pairs"], 100 * table["largest"], color=COLOURS["negative"], label="in the largest sets, %")
    axes[1].plot(table["pairs"], 100 * table["ari"], color=COLOURS["neutral"], ls="--", label="adjusted Rand index, %")
    axes[1].set(xscale="log", xlabel="pairs seen", ylim=(-5, 105))
    for ax in axes:
        ax.legend(fontsize="small")
    return fig


@drawn_to_fit
def cluster_agreement(table: pd.DataFrame) -> Figure:
    """Agreement (ARI) of k-means clusters with labels: a panel a modality and truth, a colour a space, a dot a start or
    run, a bar their mean; see `structure.cluster_agreement`.
    """
    panels = list(table.groupby(["modality", "truth"], sort=False).groups)
    fig, axes = abreast(len(panels), 3.2, sharey=True)
    for ax, (modality, truth) in zip(axes, panels, strict=True):
        rows = table[(table["modality"] == modality) & (table["truth"] == truth)]
        ks = sorted(rows["k"].unique())
        for s, (space, colour) in enumerate(SPACES.items()):
            for i, k in enumerate(ks):
                values = rows["ari"][(rows["space"] == space) & (rows["k"] == k)]
                x = i + 0.27 * (s - 1)
                ax.bar(x, values.mean(), 0.24, color=colour, alpha=0.35, label=space, lw=0)
                ax.plot(x + np.linspace(-0.07, 0.07, len(values)), values, ".", color=colour, ms=4)
        ax.axhline(0, color="k", ls=":", lw=1)
        ax.set_xticks(range(len(ks)), [f"{k} clusters" for k in ks])
        ax.set_title(f"{'pictures' if modality == 'image' else 'music'}, {truth}")
        ax.grid(axis="x", visible=False)
    leftmost(axes, "adjusted Rand index")
    legend_below(fig, 3)
    return fig
