"""Figures of ACP-Net: its layers, how it learns, and where it puts pictures and music.

Chapter: ACP-Net.
"""

import copy
from pathlib import Path
from typing import cast

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from matplotlib.patches import ConnectionPatch, FancyArrowPatch, FancyBboxPatch
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter
from torch import nn

from acp_lib.figures.page import KEPT, drawn_to_fit, on_phone, page_width, side_by_side
from acp_lib.figures.style import BEST, BRANCHES, TRUE, abreast, leftmost, legend_below, scatter, thumbnail
from acp_lib.figures.style import learning_curves as draw_curves
from acp_lib.models._branches import TwoBranches


@drawn_to_fit
def architecture(model: TwoBranches) -> Figure:
    """ACP-Net as its modules are: every box is a layer with its width, what stands between boxes below it.

    Paper: Fig. 2.
    """
    fig, ax = plt.subplots(figsize=(page_width(), side_by_side(37, 52) / 10))
    draw_network(ax, model)
    return fig


@drawn_to_fit
def learning_curves(histories: dict[int, list[dict]], best: dict[int, int], bayes: float | None) -> Figure:
    """Loss and accuracy over epochs, a line a seed; a dot marks the epoch whose weights were kept.

    histories, best : seed -> its epochs, and the epoch that was kept
    bayes : what the best possible observer gets right, in per cent, where it is known
    """
    fig, axes = abreast(2, 3)
    draw_curves(axes[0], axes[1], histories, best, 50)
    if bayes:
        axes[1].axhline(bayes, lw=1, **BEST)
        axes[1].text(1, bayes, "best possible", va="bottom", fontsize="small", color=TRUE)
    for ax, what in zip(axes, ("cross-entropy", "accuracy, %"), strict=True):
        ax.set(xlabel="epoch", ylabel=what)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    legend_below(fig, 5)
    return fig


VARIED = {"music": "pieces of music trained on", "image": "pictures trained on", "pairs": "training pairs drawn"}


@drawn_to_fit
def by_samples(table: pd.DataFrame) -> Figure:
    """Accuracy over the number of songs, of pictures and of pairs that are trained on, a panel each: ACP-Net and two
    classifiers, compared.

    table : as `courses.by_samples` and `courses.by_pairs` give it
    """
    shown = {varied: what for varied, what in VARIED.items() if varied in set(table["varied"])}
    fig, axes = abreast(len(shown), 3.4, sharey=True)
    for ax, (varied, what) in zip(axes, shown.items(), strict=True):
        for colour, (data, some) in zip(BRANCHES.values(), table[table["varied"] == varied].groupby("data"),
                                        strict=False):
            ax.plot(some["samples"], some["level"], "o-", ms=4, color=colour, label=f"{data}: ACP-Net")
            ax.plot(some["samples"], some["two"], "s--", ms=4, color=colour, mfc="white",
                    label=f"{data}: late fusion")
        ax.axhline(50, lw=1, ls=":", color="grey")
        ax.set(xscale="log", xlabel=what)
        ax.xaxis.set_major_locator(LogLocator(subs=(1,) if varied == "pairs" else (1, 2, 5)))
        ax.xaxis.set_major_formatter("{x:,.0f}")
        ax.xaxis.set_minor_formatter(NullFormatter())
    leftmost(axes, "validation accuracy, %")
    legend_below(fig, 2)
    return fig


@drawn_to_fit
def feature_spaces(spaces: dict[str, list[tuple[np.ndarray, np.ndarray, str]]],
                   thumbnails: list[tuple[np.ndarray, Path]]) -> Figure:
    """Picture space, common space and music space side by side; on a phone below one another.

    spaces : title -> list of (points (N, 2), class names (N,), marker)
    thumbnails : (point, picture); they lie in the first space

    Paper: Fig. 1.
    """
    fig, axes = abreast(3, 3.3, width_ratios=[1, 1.15, 1])
    for ax, (title, clouds) in zip(axes, spaces.items(), strict=True):
        for xy, label, marker in clouds:
            scatter(ax, xy, label, marker)
        ax.set_title(title)
    for (x, y), path in thumbnails:
        axes[0].add_artist(AnnotationBbox(OffsetImage(thumbnail(path, 48), zoom=0.42), (x, y), pad=0.12))
    for start, side in ((axes[0], 1), (axes[2], 0)):
        begin, end = ((0.5, 1 - side), (0.5, side)) if on_phone() else ((side, 0.5), (1 - side, 0.5))
        fig.add_artist(ConnectionPatch(begin, end, "axes fraction", "axes fraction", axesA=start, axesB=axes[1],
                                       arrowstyle="-|>", color="0.35", mutation_scale=14))
    legend_below(fig, 3)
    return fig


# --- a network of two branches


def draw_network(ax: Axes, model: TwoBranches) -> None:
    """Draw a network of two branches, with its number of parameters.

    A convolution's box has its kernel and its channels; above it stands the size of the map that it slides over.

    model : both branches are nn.Sequential
    """
    top = _branch(ax, cast(nn.Sequential, model.image), 0, 2.5, "image", model.inputs["image"])
    low = _branch(ax, cast(nn.Sequential, model.music), 0, 0, "music", model.inputs["music"])
    join = max(top, low) + 0.1
    for x, y in ((top, 2.5), (low, 0)):
        _arrow(ax, (x - 0.42, y), (join, 1.25 + 0.3 * np.sign(y - 1.25)))
    ax.text(*_place(join, 1.25), "concat", ha="center", va="center", fontsize="small")
    end = _branch(ax, model.fusion, join + 0.1, 1.25, "fusion")
    ax.text(*_place(end - 0.35, 1.25), "true or false?" if on_phone() else "true\nor\nfalse?", va="center",
            ha="center" if on_phone() else "left", weight="bold", fontsize="small")
    total = sum(p.numel() for p in model.parameters())
    ax.set_title(f"{total:,} parameters", loc="right", weight="normal", fontsize="small", color="0.35")
    along, aside = (-0.75, end + 0.45), (-1.2, 3.2)
    ax.set(**{"xlim": (-0.9, 4.3), "ylim": (-end, 0.6)} if on_phone() else {"xlim": along, "ylim": aside})
    ax.axis("off")


def _place(x: float, y: float) -> tuple[float, float]:
    """Where lies what is x along the network, to the right or on a phone downwards, and y aside."""
    return (y, -x) if on_phone() else (x, y)


def _arrow(ax: Axes, start: tuple[float, float], stop: tuple[float, float]) -> None:
    ax.add_patch(FancyArrowPatch(_place(*start), _place(*stop), arrowstyle="-|>", mutation_scale=9, color="0.45", lw=1,
                                 shrinkA=0, shrinkB=0))


def _box(ax: Axes, x: float, y: float, text: str, colour: str, width: float = 0.7, height: float = 1.0) -> None:
    if on_phone():
        width, height, text = height + 0.2, 0.62 * width, text.replace("FC\n", "FC ")
        text = text if text.count("\n") > 1 else text.replace("\n", "  ")
    x, y = _place(x, y)
    ax.add_patch(FancyBboxPatch((x - width / 2, y - height / 2), width, height, fc=colour, ec="none",
                                boxstyle="round,pad=0,rounding_size=.08", gid=KEPT))
    ax.text(x, y, text, ha="center", va="center", color="white", fontsize=8.5, linespacing=1.3)


def _branch(ax: Axes, layers: nn.Sequential, x: float, y: float, name: str,
            inputs: tuple[int, ...] = ()) -> float:
    """Draw the layers of one branch from x on, a box for each that has weights; return where the next thing may stand.

    inputs : shape of what the branch takes; () where it stands in the figure already
    """
    if inputs:
        _box(ax, x, y, _source(name, inputs), "#7d7d88", width=1.3)
        x += 0.25
    below, height = 0, 1.0
    for layer, before in zip(layers, _sizes(layers, inputs), strict=True):
        if isinstance(layer, nn.Linear | nn.Conv2d):
            x += 0.9
            if isinstance(layer, nn.Linear):
                words, height = f"FC\n{layer.out_features}", 1.0
            else:
                words = f"{'×'.join(map(str, layer.kernel_size))}\n{layer.out_channels}"
                height = 0.62 + 0.5 * before[1] / inputs[1]
                _aside(ax, x, y, height, 0, f"{before[1]}×{before[2]}")
            _arrow(ax, (x - 0.52, y), (x - 0.36, y))
            _box(ax, x, y, words, BRANCHES[name], height=height)
            below = 0
        elif not isinstance(layer, nn.Flatten):
            below += 1
            _aside(ax, x, y, height, below, _word(layer))
    return x + 0.8


def _aside(ax: Axes, x: float, y: float, height: float, line: int, text: str) -> None:
    """A word beside a box: above it in line 0, below it in the others."""
    if on_phone():
        ax.text(y + height / 2 + 0.15, -x + 0.26 - 0.2 * line, text, va="center", fontsize=7.2, color="0.35")
    else:
        above = y + height / 2 + 0.06 if line == 0 else y - height / 2 - 0.19 * line
        ax.text(x, above, text, ha="center", va="center" if line else "bottom", fontsize=6.5, color="0.35")


def _source(name: str, shape: tuple[int, ...]) -> str:
    if len(shape) == 1:
        return "picture\nfrozen\nInception-V3" if name == "image" else f"music\n{shape[0]} numbers\nby librosa"
    return ("picture\n" if name == "image" else "log-\nspectrogram\n") + f"{shape[1]}×{shape[2]}"


def _word(layer: nn.Module) -> str:
    """A layer without weights of its own, in a word."""
    if isinstance(layer, nn.MaxPool2d):
        return f"pool {layer.kernel_size}×{layer.kernel_size}"
    if isinstance(layer, nn.Dropout):
        return f"drop {layer.p:g}"
    words = {nn.BatchNorm2d: "norm", nn.AdaptiveMaxPool2d: "global max", nn.AdaptiveAvgPool2d: "global mean"}
    return words.get(type(layer), type(layer).__name__)


def _sizes(layers: nn.Sequential, inputs: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Shape of one item before each layer, without computing anything; () where the first one's is not known."""
    if not inputs:
        return [()] * len(layers)
    x, found = torch.empty(1, *inputs, device="meta"), []
    for layer in copy.deepcopy(layers).to("meta").eval():
        found.append(tuple(x.shape[1:]))
        x = layer(x)
    return found
