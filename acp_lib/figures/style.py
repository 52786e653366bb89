"""What all figures share: colours, the look of axes, and the parts that several of them are built from.

Chapter: all.
"""

import textwrap
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import ImageOps

from acp_lib.emotions import CLASSES, regroup
from acp_lib.engine.text import number, span
from acp_lib.features.picture import open_upright
from acp_lib.figures.page import KEPT, on_phone, page_width, side_by_side

Item = TypeVar("Item")  # what is drawn: a picture file, or samples

COLOURS = {"positive": "#e0852b", "neutral": "#3d8f8b", "negative": "#6a4c93"}
"""One colour a class in every figure; told apart by colour-blind readers and in greyscale."""
PALETTE = [COLOURS[c] for c in CLASSES]
BRANCHES = {"image": "#3b6ea8", "music": "#a8683b", "fusion": "#5c5c6e"}
TRUE, FALSE = "#2f7d32", "#b3261e"
BLUE = BRANCHES["image"]
OURS = COLOURS["negative"]  # what this run found, beside what the paper reports

CHANCE: dict[str, Any] = {"color": "0.4", "ls": ":"}
BEST: dict[str, Any] = {"color": TRUE, "ls": "-."}  # what the best possible observer gets right
PAPER: dict[str, Any] = {"color": "k", "ls": "--", "lw": 1}
SPECTROGRAM: dict[str, Any] = {"aspect": "auto", "origin": "lower", "cmap": "magma"}


def theme() -> None:
    """One look for all figures."""
    sns.set_theme("notebook", "whitegrid", palette=PALETTE, font_scale=1.0, rc={
        "figure.dpi": 144, "figure.constrained_layout.use": True, "axes.spines.top": False, "axes.spines.right": False,
        "grid.alpha": 0.4, "axes.titlesize": "medium", "axes.titleweight": "bold", "legend.frameon": False,
        "svg.hashsalt": "acp"})


def colour(label: str) -> str:
    """The colour of a class, or of an emotion's class."""
    return COLOURS[label if label in CLASSES else regroup(label)]


def thumbnail(path: Path, size: int = 96) -> np.ndarray:
    """A square crop of a picture as uint8 (size, size, 3)."""
    return np.asarray(ImageOps.fit(open_upright(path), (size, size)))


def log_mel(samples: np.ndarray, sr: int, **settings) -> np.ndarray:
    """Mel spectrogram in dB below its maximum (bands, frames), for the eye alone."""
    from acp_lib.features.fast.compiled import librosa  # takes seconds, which pages without sound need not wait

    return librosa.power_to_db(librosa.feature.melspectrogram(y=samples, sr=sr, **settings), ref=np.max)


def row_percent(counts: np.ndarray) -> np.ndarray:
    """Counts (rows, columns) in per cent of their row; 0 in an empty one."""
    return 100 * counts / np.maximum(counts.sum(1, keepdims=True), 1)


# --- axes


def bare(ax: Axes) -> None:
    """Leave nothing of the axes but their place and their labels."""
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    sns.despine(ax=ax, left=True, bottom=True)


def frame(ax: Axes, colour: str, width: float = 4, style: str = "-") -> None:
    """A frame around the axes."""
    ax.add_patch(Rectangle((0, 0), 1, 1, transform=ax.transAxes, fill=False, ec=colour, lw=width, ls=style,
                           clip_on=False))


def slant(ax: Axes, degrees: float) -> None:
    """Turn the names below the axes, so that long ones find room."""
    plt.setp(ax.get_xticklabels(), rotation=degrees, ha="right", rotation_mode="anchor")


def name_rows(ax: Axes, names: Sequence[str], above: float = 0.5, below: float = 0.5, letters: int = 18,
              **text) -> None:
    """Make the y axis a list: row k lies at y = k and the first one on top, with some room above and below; on a phone
    names have at most so many letters in a line.
    """
    ax.set_yticks(range(len(names)), [wrapped(name, side_by_side(60, letters)) for name in names], **text)
    ax.set_ylim(len(names) - 1 + below, -above)
    ax.grid(axis="y", visible=False)


def wrapped(text: str, width: int) -> str:
    """Text in lines of at most `width` letters; where there are lines, they stay."""
    return "\n".join(textwrap.fill(line, width, break_on_hyphens=False) for line in text.splitlines())


def paper_line(ax: Axes, reported: float, y: float) -> None:
    """A vertical line at the accuracy that the paper reports for ACP-Net, named at the height y."""
    ax.axvline(reported, **PAPER)
    ax.text(reported, y, f"ACP-Net in the paper, {reported}", ha="center", va="bottom", fontsize="small")


def unique(*axes: Axes) -> tuple[list[Artist], list[str]]:
    """Handles and labels for a legend, each label once, with the last of its handles."""
    found: dict[str, Artist] = {}
    for ax in axes:
        handles, labels = ax.get_legend_handles_labels()
        found |= dict(zip(labels, handles, strict=True))
    return list(found.values()), list(found)


def aside(ax: Axes, **legend) -> None:
    """A legend beside the axes; on a phone below them. `legend` as ax.legend takes it."""
    if "handles" not in legend:
        legend |= dict(zip(("handles", "labels"), unique(ax), strict=True))
    if not on_phone():
        ax.legend(**legend, fontsize="small", loc="upper left", bbox_to_anchor=(1.02, 1))
    else:
        if own := ax.get_legend():
            own.remove()
        labels = legend.get("labels") or [str(handle.get_label()) for handle in legend["handles"]]
        _legend(cast(Figure, ax.get_figure()), _narrow(labels, 2), **legend)


def legend_below(fig: Figure, columns: int) -> None:
    """One legend for all axes, below them."""
    handles, labels = unique(*fig.axes)
    _legend(fig, side_by_side(columns, _narrow(labels, columns)), handles=handles, labels=labels)


def _narrow(labels: Iterable[str], columns: int) -> int:
    """How many columns of a legend fit a phone."""
    longest = max((len(line) for label in labels for line in label.splitlines()), default=0)
    return 1 if longest > 24 else min(columns, 2)


def _legend(fig: Figure, columns: int, **legend) -> None:
    made = fig.legend(**legend, loc="outside lower center", ncols=columns, fontsize="small")
    if on_phone():  # what is narrow may be high
        fig.set_figheight(fig.get_figheight() + 0.2 * len(made.get_texts()) / columns)


def abreast(n: int, height: float, *, columns: int = 1, **settings) -> tuple[Figure, np.ndarray]:
    """A figure with n axes (n,) side by side, `height` inches high; on a phone `columns` of them, the others below.

    settings : as plt.subplots takes them; width ratios hold side by side alone
    """
    columns = side_by_side(n, min(n, columns))
    lines = -(-n // columns)
    if lines > 1:
        settings.pop("width_ratios", None)
    fig, axes = plt.subplots(lines, columns, figsize=(page_width(), height * lines), squeeze=False, **settings)
    for ax in axes.flat[n:]:
        ax.remove()
    return fig, axes.flat[:n]


def leftmost(axes: Iterable[Axes], label: str) -> None:
    """Label the y axis of those that have nothing on their left."""
    for ax in axes:
        if (place := ax.get_subplotspec()) and place.is_first_col():
            ax.set_ylabel(label)


# --- parts of figures


def cells(ax: Axes, values: np.ndarray, rows: Sequence[str] | None, columns: Sequence[str] | None, *,
          cmap: str = "mako_r", square: bool = True, written: bool = True, size: float | str = "medium",
          **shown) -> ScalarMappable:
    """A table as coloured cells with the numbers in them, the first line on top; what is masked or no number is left
    out, and so are names that are None.

    seaborn's heatmap draws the whole figure once for each of its axes.
    """
    values = np.ma.masked_invalid(values)
    mesh = ax.pcolormesh(values, cmap=cmap, edgecolors="white", linewidth=0.5, **shown)
    ax.set(xlim=(0, values.shape[1]), ylim=(values.shape[0], 0), aspect="equal" if square else "auto")
    for axis, names in ((ax.yaxis, rows), (ax.xaxis, columns)):
        axis.set_ticks([] if names is None else np.arange(len(names)) + 0.5, [] if names is None else names)
    ax.tick_params(length=0)
    ax.grid(False)
    sns.despine(ax=ax, left=True, bottom=True)
    if written:
        for (i, j), value in np.ma.ndenumerate(values):
            light = sns.utils.relative_luminance(mesh.cmap(mesh.norm(value)))
            ax.text(j + 0.5, i + 0.5, f"{value:.0f}", ha="center", va="center", size=size,
                    color="0.15" if light > 0.4 else "white", gid=KEPT)
    return mesh


def class_accuracy(ax: Axes, accuracy: np.ndarray) -> ScalarMappable:
    """Accuracy from 0 to 1 for each class of picture (rows) and of music (columns) as cells, in per cent."""
    return cells(ax, 100 * accuracy, CLASSES, CLASSES, cmap="vlag_r", vmin=0, vmax=100)


def row_in_words(name: str, row: dict) -> str:
    """A row in words: its name, this run's value with its interval, and the paper's."""
    said = "no value" if row["ours"] is None else number(row["ours"], 1)
    said += f" ({span(row['interval'], 1)})" if row.get("interval") else ""
    return f"{name} {said}" + (f", paper {row['paper']:g}" if row.get("paper") is not None else "")


def table_in_words(values: np.ndarray, rows: Sequence[str] = CLASSES, columns: Sequence[str] = CLASSES) -> str:
    """A table of numbers in words, row by row; what is no number is left out."""
    lines = [", ".join(f"{c} {v:.0f}" for c, v in zip(columns, line, strict=True) if v == v) for line in values]
    return "; ".join(f"{name}: {line}" for name, line in zip(rows, lines, strict=True) if line)


def dot(ax: Axes, y: float, row: dict, over: str) -> None:
    """A row's accuracy with its interval, each run a small mark, and the paper's value.

    row : "ours", "interval", "values" (one a run), "paper" (or None)
    over : what the interval is over, for the legend
    """
    ax.plot(row["interval"], [y, y], color=OURS, lw=1.6, label=f"95 % CI over {over}")
    if len(row["values"]) > 1:
        ax.plot(row["values"], [y] * len(row["values"]), "|", color=OURS, ms=11, label="a run")
    ax.plot(row["ours"], y, "o", color=OURS, ms=7, label="this run")
    if row["paper"] is not None:
        ax.plot(row["paper"], y, "D", color="0.25", ms=6, label="paper")


def learning_curve(ax: Axes, history: list[dict], what: str, kept: int, **style) -> None:
    """Loss, or accuracy in per cent, over epochs: training dashed, validation solid, a dot at the epoch `kept`."""
    table = pd.DataFrame(history).set_index("epoch")[[what, f"val_{what}"]] * (100 if what == "accuracy" else 1)
    ax.plot(table[what], lw=1, ls="--", alpha=0.7, marker="." if len(table) == 1 else "", color=style["color"])
    ax.plot(table[f"val_{what}"], lw=1.6, **style)
    ax.plot(kept, table[f"val_{what}"][kept], "o", ms=5, color=style["color"])


def learning_curves(loss: Axes, accuracy: Axes, histories: dict[int, list[dict]], best: dict[int, int],
                    chance: float) -> None:
    """Learning curves of a network, a colour a seed, with lines for the loss of a coin and for chance.

    histories, best : seed -> its epochs, and the epoch whose weights were kept
    """
    for (seed, history), tint in zip(histories.items(), sns.color_palette("viridis", len(histories)), strict=True):
        for ax, what in ((loss, "loss"), (accuracy, "accuracy")):
            learning_curve(ax, history, what, best[seed], color=tint, label=f"seed {seed}")
    loss.axhline(np.log(2), lw=1, **CHANCE)
    accuracy.axhline(chance, lw=1, **CHANCE)


def scatter(ax: Axes, xy: np.ndarray, label: np.ndarray, marker: str = "o") -> None:
    """Points (N, 2) in the colours of their classes, label (N,)."""
    for c in CLASSES:
        x, y = xy[label == c].T
        ax.scatter(x, y, s=14, color=COLOURS[c], marker=marker, alpha=0.75, lw=0, label=c)
    ax.set(xticks=[], yticks=[])


def neighbour_rows(rows: Sequence[tuple[Item, str, Sequence[tuple[Item, str]]]], draw: Callable[[Axes, Item], object],
                   *, height: float, edge: float) -> Figure:
    """One row a query: the query (bold), then its nearest neighbours, each framed in the colour of its class; on a
    phone a row goes on below.

    rows : (query, its label, [(neighbour, its label), ...])
    draw : draws a query or a neighbour into axes
    height : of a panel, by its width; edge : width of the frames
    """
    most = 1 + max(len(found) for _, _, found in rows)
    columns = side_by_side(most, min(most, 2 if most < 5 else 3))
    lines = len(rows) * -(-most // columns)
    fig, axes = plt.subplots(lines, columns, figsize=(page_width(), page_width() * lines / columns * height),
                             squeeze=False)
    for ax in axes.flat:
        bare(ax)
    for line, (query, label, found) in zip(axes.reshape(len(rows), -1), rows, strict=True):
        for ax, (item, name) in zip(line, [(query, label), *found], strict=False):
            draw(ax, item)
            frame(ax, colour(name), edge)
            ax.set_title(name, fontsize="small", weight="normal")
        line[0].set_title(label, fontsize="small", fontweight="bold")
    return fig
