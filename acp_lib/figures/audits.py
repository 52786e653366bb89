"""Figures of the audits: each a function from results to a matplotlib Figure.

Chapter: Shortcuts; Leakage; Is it really cross-modal?; Without emotion labels; Retrieval.
"""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from acp_lib.audits.retrieval import TITLES
from acp_lib.figures import BRANCHES, COLOURS, WIDTH

SIDES = {"the picture": BRANCHES["image"], "the music": BRANCHES["music"]}
SPACES = {"features": "0.55", "before training": COLOURS["neutral"], "after training": COLOURS["negative"]}
HALF = 0.14  # of the distance between the two guessers of a protocol


def guessers(exact: pd.DataFrame, drawn: pd.DataFrame, learnt: pd.DataFrame, reported: float) -> Figure:
    """For each protocol what is reached by who knows one half: by the formula, in a draw, and trained (with intervals).

    exact, drawn : a row a protocol, a column a guesser; learnt : protocol, guesser, accuracy, low, high
    """
    fig, ax = plt.subplots(figsize=(WIDTH, 0.55 * len(exact) + 1.4))
    for k, (who, colour) in enumerate(SIDES.items()):
        y = np.arange(len(exact)) + (HALF if k else -HALF)
        rows = learnt[learnt["guesser"] == who].set_index("protocol").loc[list(exact.index)]
        ax.plot(exact[who], y, "D", mfc="none", mec=colour, ms=10, label=f"knows the class of {who}: formula")
        ax.plot(drawn[who], y, "|", color=colour, ms=10, mew=1.5, label=f"knows the class of {who}: drawn")
        ax.hlines(y, rows["low"], rows["high"], color=colour, lw=1.5)
        ax.plot(rows["accuracy"], y, "o", color=colour, ms=5, label=f"trained on {who} alone")
    ax.axvline(reported, color="k", ls="--", lw=1)
    ax.text(reported, -0.72, f"ACP-Net in the paper, {reported}", ha="center", va="bottom", fontsize="small")
    ax.set(yticks=range(len(exact)), ylim=(len(exact) - 0.4, -0.6), xlabel="accuracy, %")
    ax.set_yticklabels([name.replace("_", " ") for name in exact.index])
    ax.grid(axis="y", visible=False)
    fig.legend(loc="outside lower center", ncols=2, fontsize="small")
    return fig


def projections(network: Sequence[float], additive: Sequence[float], chance: float, ceiling: float) -> Figure:
    """Accuracy in per cent of each run's network over that of its additive approximation; equal on the line."""
    fig, ax = plt.subplots(figsize=(WIDTH, 0.45 * WIDTH))
    ax.set_box_aspect(1)
    both = [*network, *additive, chance]
    low, high = min(both) - 2, max(both) + 3
    ax.plot([low, high], [low, high], color="0.6", lw=1, label="as often right")
    for value, style, label in ((chance, ":", "chance"), (ceiling, "-.", "the most that adding can get")):
        if value < high:
            ax.axvline(value, color="0.3", ls=style, lw=1.2, label=label)
    ax.plot(additive, network, "o", color=COLOURS["negative"], ms=7, alpha=0.8, label="a run")
    ax.set(xlim=(low, high), ylim=(low, high), xlabel="its additive approximation, % right", ylabel="network, % right")
    ax.legend(loc="upper left", bbox_to_anchor=(1.02, 1), fontsize="small")
    return fig


def given_away(table: pd.DataFrame, classes: int) -> Figure:
    """How the classes come out of the first pairs of a list; see `structure.learnt_from`."""
    fig, axes = plt.subplots(1, 2, figsize=(WIDTH, 2.9))
    axes[0].plot(table["pairs"], table["samples"], color="0.55", label="samples seen")
    axes[0].plot(table["pairs"], table["sets"], color=COLOURS["negative"], label="sets that true pairs connect")
    axes[0].axhline(classes, color="k", ls=":", lw=1, label="classes")
    axes[0].set(xscale="log", yscale="log", xlabel="pairs seen")
    axes[0].legend(fontsize="small")
    axes[1].plot(table["pairs"], 100 * table["largest"], color=COLOURS["negative"], label="in the largest sets, %")
    axes[1].plot(table["pairs"], 100 * table["ari"], color=COLOURS["neutral"], ls="--", label="adjusted Rand index, %")
    axes[1].set(xscale="log", xlabel="pairs seen", ylim=(-5, 105))
    axes[1].legend(fontsize="small")
    return fig


def clusterings(table: pd.DataFrame) -> Figure:
    """Agreement (ARI) of k-means clusters with labels: a panel a modality and truth, a colour a space, a dot a start or
    run, a bar their mean; see `structure.cluster_agreement`.
    """
    panels = list(table.groupby(["modality", "truth"], sort=False).groups)
    fig, axes = plt.subplots(1, len(panels), figsize=(WIDTH, 3.2), sharey=True, squeeze=False)
    for ax, (modality, truth) in zip(axes[0], panels, strict=True):
        rows = table[(table["modality"] == modality) & (table["truth"] == truth)]
        ks = sorted(rows["k"].unique())
        for s, (space, colour) in enumerate(SPACES.items()):
            for i, k in enumerate(ks):
                values = rows["ari"][(rows["space"] == space) & (rows["k"] == k)]
                x = i + 0.27 * (s - 1)
                ax.bar(x, values.mean(), 0.24, color=colour, alpha=0.35, label=space, lw=0)
                ax.plot(x + np.linspace(-0.07, 0.07, len(values)), values, ".", color=colour, ms=4)
        ax.axhline(0, color="k", ls=":", lw=1)
        ax.set(xticks=range(len(ks)), title=f"{'pictures' if modality == 'image' else 'music'}, {truth}")
        ax.set_xticklabels([f"{k} clusters" for k in ks])
        ax.grid(axis="x", visible=False)
    axes[0, 0].set_ylabel("adjusted Rand index")
    handles, names = axes[0, 0].get_legend_handles_labels()
    unique = dict(zip(names, handles, strict=True))
    fig.legend(unique.values(), unique.keys(), loc="outside lower center", ncols=3, fontsize="small")
    return fig


def rankings(table: pd.DataFrame, measure: str = "mAP") -> Figure:
    """A measure of each method, a panel a direction, a dot a run, and chance as a line; see `retrieval.macro`."""
    fig, axes = plt.subplots(1, 2, figsize=(WIDTH, 2.7), sharey=True)
    methods = [m for m in table["method"].unique() if m != "chance"]
    for ax, (modality, title) in zip(axes, TITLES.items(), strict=True):
        rows = table[table["modality"] == modality]
        for y, method in enumerate(methods):
            values = rows[measure][rows["method"] == method]
            ax.plot(values, [y] * len(values), "o", color=BRANCHES[modality], alpha=0.45, ms=6)
            ax.plot(values.mean(), y, "|", color=BRANCHES[modality], ms=20, mew=2)
        ax.axvline(rows[measure][rows["method"] == "chance"].mean(), color="k", ls=":", lw=1.2)
        ax.set(title=title, xlabel=measure, yticks=range(len(methods)), ylim=(len(methods) - 0.5, -0.5))
        ax.set_yticklabels(methods)
        ax.xaxis.set_major_locator(MaxNLocator(5))
        ax.grid(axis="y", visible=False)
    sns.despine(fig)
    return fig
