"""Figures of ACP-Net beside other methods: networks, learning curves, accuracies and agreement.

Chapter: Baselines.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from acp_lib.features.spectrogram import HOP
from acp_lib.figures.acp_net import draw_network
from acp_lib.figures.page import drawn_to_fit, on_phone, page_width, side_by_side, tell
from acp_lib.figures.style import (
    BEST,
    BRANCHES,
    CHANCE,
    SPECTROGRAM,
    TRUE,
    abreast,
    bare,
    class_accuracy,
    dot,
    leftmost,
    legend_below,
    name_rows,
    row_in_words,
    slant,
    table_in_words,
    thumbnail,
)
from acp_lib.figures.style import learning_curves as draw_curves
from acp_lib.models._branches import TwoBranches
from acp_lib.results.scores import called

SHARED = {"both right": TRUE, "only the first": BRANCHES["image"], "only the second": BRANCHES["music"],
          "neither": "0.8"}


@drawn_to_fit
def architectures(models: dict[str, TwoBranches]) -> Figure:
    """Networks of two branches below one another, each drawn as its modules are.

    Paper: Table 4.
    """
    fig, axes = plt.subplots(len(models), squeeze=False,
                             figsize=(page_width(), side_by_side(32, 60) / 10 * len(models)))
    for ax, (name, model) in zip(axes[:, 0], models.items(), strict=True):
        draw_network(ax, model)
        ax.set_title(name, loc="left")
    return fig


@drawn_to_fit
def raw_inputs(picture: Path, pixels: np.ndarray, heard: np.ndarray, frames: int, start: int,
               starts: Sequence[int]) -> Figure:
    """What the networks without features take: a picture, and the log-spectrogram of a clip with its stretches marked.

    picture : the file; pixels : the same as it is fed, uint8 (side, side, 3)
    heard : log-spectrogram (bins, frames in all)
    frames : of a stretch
    start, starts : where a training stretch begins, and those that are averaged over
    """
    places: list[Any] = [["file", "pixels", "crop"], ["heard"] * 3]
    if on_phone():
        places = [["file", "pixels"], ["crop"] * 2, ["heard"] * 2]
    fig, axes = plt.subplot_mosaic(places, figsize=(page_width(), 2.6 * len(places)))
    for name, image, title in (("file", thumbnail(picture, 384), "a picture"),
                               ("pixels", pixels, f"as input of the network, {len(pixels)}×{len(pixels[0])}")):
        axes[name].imshow(image, interpolation="nearest")
        bare(axes[name])
        axes[name].set_title(title, fontsize="small")
    low, high = np.percentile(heard, [1, 99.9])
    look = {**SPECTROGRAM, "vmin": low, "vmax": high, "interpolation": "nearest"}
    axes["crop"].imshow(heard[:, start:start + frames], **look,
                        extent=(HOP * start, HOP * (start + frames), 0, len(heard)))
    axes["crop"].set_title(f"a training stretch, {len(heard)}×{frames}", fontsize="small")
    ax, top = axes["heard"], len(heard)
    ax.imshow(heard, **look, extent=(0, HOP * heard.shape[1], 0, top))
    ax.add_patch(Rectangle((HOP * start, 0), HOP * frames, top, fill=False, ec="w", lw=1.6))
    for k, begin in enumerate(starts):
        ax.add_patch(Rectangle((HOP * begin, top * (1.04 + 0.07 * (k % 2))), HOP * frames, 0.05 * top,
                               fc=BRANCHES["music"], lw=0))
    ax.set(ylim=(0, 1.19 * top), xlabel="seconds")
    ax.set_title(f"the piece of music; framed: the training stretch; bars: the {len(starts)} test stretches",
                 fontsize="small")
    for name in ("heard", "crop"):
        axes[name].set(ylabel="bins", yticks=[0, len(heard)])
        axes[name].grid(False)
    return fig


@drawn_to_fit
def learning_curves(histories: dict[str, dict[int, list[dict]]], best: dict[str, dict[int, int]], chance: float,
                    bayes: float | None) -> Figure:
    """Loss (above) and accuracy (below) over epochs, a column a network, a colour a seed: training dashed, validation
    solid, a dot at the epoch that was kept.

    histories, best : network -> seed -> its epochs, and the epoch that was kept
    chance, bayes : accuracies in per cent; the best possible one where it is known
    """
    fig, axes = plt.subplots(2, len(histories), figsize=(page_width(), 4.6), sharex="col", sharey="row", squeeze=False)
    for column, (name, made) in zip(axes.T, histories.items(), strict=True):
        draw_curves(column[0], column[1], made, best[name], chance)
        if bayes:
            column[1].axhline(bayes, lw=1, label="best possible", **BEST)
        column[0].set_title(name)
        column[1].set_xlabel("epoch")
        column[1].xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
    axes[0, 0].set_ylabel("cross-entropy")
    axes[1, 0].set_ylabel("accuracy, %")
    legend_below(fig, 6)
    return fig


@drawn_to_fit
def correspondence_accuracy(rows: list[dict], chance: float, bayes: float | None,
                            over: str = "runs, pictures and songs") -> Figure:
    """Accuracy of each row of Table 4 in per cent: runs, intervals, the paper's values, and lines for chance and the
    best possible.

    over : what the intervals are over, for the legend

    Paper: Table 4.
    """
    fig, ax = plt.subplots(figsize=(page_width(), 0.36 * len(rows) + 1.3))
    ax.axvline(chance, lw=1.2, label="chance", **CHANCE)
    if bayes:
        ax.axvline(bayes, lw=1.2, label="best possible", **BEST)
    for y, row in enumerate(rows):
        dot(ax, y, row, over)
    name_rows(ax, [called(r, short=True) for r in rows], 0.6, 0.6)
    ax.set_xlabel("accuracy, %")
    legend_below(fig, 3)
    return tell(fig, (row_in_words(called(r, short=True), r) for r in rows))


@drawn_to_fit
def agreement(rows: list[dict]) -> Figure:
    """For each two methods the shares of pairs that both, one, the other or neither called right, and their kappa.

    rows : {"first", "second", "kappa" (None where it has no value), and a share from 0 to 1 for each of SHARED}
    """
    fig, ax = plt.subplots(figsize=(page_width(), side_by_side(25, 70) / 100 * len(rows) + 0.9))
    table = 100 * pd.DataFrame(rows)[list(SHARED)].to_numpy(float)
    left = np.cumsum(table, axis=1) - table
    for k, (name, fill) in enumerate(SHARED.items()):
        bars = ax.barh(range(len(rows)), table[:, k], left=left[:, k], color=fill, height=0.8, label=name, lw=0)
        ax.bar_label(bars, [f"{v:.0f}" if v >= 4 else "" for v in table[:, k]], label_type="center", fontsize="x-small",
                     color="k" if name == "neither" else "w")
    for y, row in enumerate(rows):
        ax.text(102, y, "–" if row["kappa"] is None else f"{row['kappa']:z.2f}", va="center", fontsize="small")
    ax.text(102, -1, "kappa", va="center", fontsize="small", weight="bold")
    name_rows(ax, [f"{r['first']} / {r['second']}" for r in rows], fontsize="small")
    ax.set(xlim=(0, 100), xlabel="% of the test pairs")
    ax.grid(False)
    legend_below(fig, 4)
    return fig


@drawn_to_fit
def accuracy_by_class(accuracy: dict[str, np.ndarray]) -> Figure:
    """Accuracy for each class of picture (rows) and of music (columns), in per cent, a panel a method.

    accuracy : method -> shares from 0 to 1 (3, 3)
    """
    fig, axes = abreast(len(accuracy), 3.1, columns=2, sharey=True)
    for ax, (name, table) in zip(axes, accuracy.items(), strict=True):
        class_accuracy(ax, table)
        ax.set_title(name)
        slant(ax, 40)
    leftmost(axes, "class of the picture")
    fig.supxlabel("class of the music", fontsize="medium")
    return tell(fig, (f"{name}: picture {table_in_words(100 * table)}" for name, table in accuracy.items()))
