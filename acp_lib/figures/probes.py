"""Figures of emotion recognition: principles of art, and probes of pictures and of music.

Chapter: Probes; Controls for probes.
"""

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from PIL import Image, ImageOps

from acp_lib.emotions import CLASSES
from acp_lib.features import art
from acp_lib.figures.page import KEPT, drawn_to_fit, page_width, side_by_side, tell
from acp_lib.figures.style import (
    BEST,
    BRANCHES,
    CHANCE,
    FALSE,
    bare,
    cells,
    colour,
    dot,
    learning_curve,
    legend_below,
    name_rows,
    row_in_words,
    row_percent,
    slant,
    thumbnail,
    wrapped,
)

# --- principles of art


@drawn_to_fit
def principles_of_art(pictures: dict[str, Path | np.ndarray]) -> Figure:
    """What each principle of art measures of a picture, a row a picture: its name -> file or uint8 (H, W, 3).

    Balance: bright where lines meet their mirror image. Emphasis: bright where something stands out. Harmony: hues, and
    the template that fits them best, behind them. Variety: area and mean colour of each colour name. Gradation: dark
    where tones change gradually, bright where back and forth. Movement: directions of lines, and the first places that
    stand out, in their order.

    Paper: Table 5.
    """
    names = ["", *art.PRINCIPLES]
    columns = side_by_side(len(names), 3)
    lines = len(pictures) * -(-len(names) // columns)
    fig, axes = plt.subplots(lines, columns, squeeze=False,
                             figsize=(page_width(), 1.1 * page_width() / columns * lines + 0.15))
    for line, (name, picture) in zip(axes.reshape(len(pictures), -1), pictures.items(), strict=True):
        shown = picture if isinstance(picture, np.ndarray) else thumbnail(picture, 224)
        wheel = line[3].get_subplotspec()
        line[3].remove()
        line[3] = fig.add_subplot(wheel, projection="polar")
        for ax in (*line[:3], *line[4:]):
            bare(ax)
        line[0].imshow(shown)
        line[0].set_ylabel(name, fontsize="small")
        _over(line[1], shown, art.symmetry(shown), "viridis")
        _over(line[2], shown, art.saliency(shown), "inferno")
        _hues(line[3], shown)
        _swatches(line[4], shown)
        line[5].imshow(np.log1p(art.variation(shown)), cmap="mako", vmin=0, vmax=3, aspect="auto",
                       extent=(0, shown.shape[1], shown.shape[0], 0))
        line[5].set_box_aspect(shown.shape[0] / shown.shape[1])
        _lines(line[6], shown)
        if columns == len(names) and name != next(iter(pictures)):
            continue
        for ax, principle in zip(line, names, strict=False):
            ax.set_title(principle, fontsize="small")
    return fig


def _grey(picture: np.ndarray) -> np.ndarray:
    return 0.5 + 0.5 * np.asarray(ImageOps.grayscale(Image.fromarray(picture))) / 255


def _over(ax: Axes, picture: np.ndarray, values: np.ndarray, colours: str) -> None:
    """Values from 0 to 1 as colours, lighter where the picture is."""
    tint = plt.get_cmap(colours)(values)[..., :3]
    ax.imshow(np.clip(tint * (0.35 + 0.65 * _grey(picture)[..., None]), 0, 1))


def _hues(ax: Axes, picture: np.ndarray) -> None:
    shares = art.hues(picture).reshape(32, 8).sum(1)
    name, turn, _ = art.template_fit(picture)
    for centre, width in art.SECTORS.get(name, ()):
        ax.bar(np.radians(centre + turn), 1.25, np.radians(width), color="0.85", lw=0)
    middle = (np.arange(32) + 0.5) / 32
    ax.bar(2 * np.pi * middle, np.sqrt(shares / max(shares.max(), 1e-9)), 2 * np.pi / 32, lw=0,
           color=plt.get_cmap("hsv")(middle))
    ax.set(xticks=[], yticks=[], ylim=(-0.25, 1.25))
    ax.spines["polar"].set_color("0.8")
    ax.text(0, -0.25, name, ha="center", va="center", fontsize="small", weight="bold")


def _swatches(ax: Axes, picture: np.ndarray) -> None:
    shares, colours = art.palette(picture)
    top = 1.0
    for k in np.argsort(-shares, kind="stable"):
        ax.add_patch(Rectangle((0, top - shares[k]), 1, shares[k], fc=colours[k] / 255, lw=0, gid=KEPT))
        if shares[k] > 0.1:
            ax.text(0.5, top - shares[k] / 2, art.NAMES[k], ha="center", va="center", fontsize="xx-small",
                    color="k" if colours[k] @ (0.3, 0.6, 0.1) > 110 else "w", gid=KEPT)
        top -= shares[k]
    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.set_box_aspect(picture.shape[0] / picture.shape[1])


def _lines(ax: Axes, picture: np.ndarray, across: int = 18) -> None:
    orientation, coherence = art.flow(picture)
    height, width = coherence.shape
    step = max(height, width) // across
    y, x = np.mgrid[step // 2:height:step, step // 2:width:step]
    reach = 0.5 * step * coherence[y, x]
    along, up = reach * np.cos(orientation[y, x]), reach * np.sin(orientation[y, x])
    gap = np.full(x.shape, np.nan)
    ax.imshow(_grey(picture), cmap="gray", vmin=0, vmax=1)
    ax.plot(np.stack([x - along, x + along, gap], -1).ravel(), np.stack([y + up, y - up, gap], -1).ravel(),
            color=BRANCHES["image"], lw=1.1, solid_capstyle="butt")
    path = art.scanpath(picture) * (width, height)
    ax.plot(*path.T, color=FALSE, lw=0.7)
    ax.scatter(path[:, 0], path[:, 1], s=np.linspace(26, 6, len(path)), color=FALSE, zorder=3, lw=0)
    ax.set(xlim=(0, width), ylim=(height, 0))


# --- recognition


@drawn_to_fit
def learning_curves(histories: dict[str, list[list[dict]]], columns: int = 4) -> Figure:
    """Accuracy over epochs, a panel a method, a colour a run: training dashed, validation solid, a dot at its best."""
    columns = side_by_side(columns, 2)
    lines = -(-len(histories) // columns)
    fig, axes = plt.subplots(lines, columns, figsize=(page_width(), 1.75 * lines + 0.3), sharey=True, squeeze=False)
    for ax, (name, made) in zip(axes.flat, histories.items(), strict=False):
        for history, tint in zip(made, sns.color_palette("viridis", len(made)), strict=True):
            learning_curve(ax, history, "accuracy", max(history, key=lambda e: e["val_accuracy"])["epoch"], color=tint)
        ax.set_title(wrapped(name, 23), fontsize="x-small")
        ax.set_ylim(0, 100)
        ax.tick_params(labelsize="x-small")
        ax.xaxis.set_major_locator(MaxNLocator(4, integer=True, min_n_ticks=1))
    for ax in axes.flat[len(histories):]:
        ax.axis("off")
    fig.supxlabel("epoch", fontsize="small")
    fig.supylabel("accuracy, %", fontsize="small")
    return fig


@drawn_to_fit
def recognition_accuracy(panels: dict[str, list[dict]], bayes: Sequence[float | None]) -> Figure:
    """Accuracy of each row of Table 5 in per cent, a panel a modality: runs, intervals over runs and samples at
    once, the paper's values, and lines for chance, the most frequent label and the best possible.

    panels : title -> rows, "Random" and "The most frequent" among them
    bayes : for each panel what the best possible observer gets right, in per cent, where it is known

    Paper: Table 5.
    """
    shown = [[r for r in rows if r["row"] not in ("Random", "The most frequent")] for rows in panels.values()]
    heights = [len(rows) + 1 for rows in shown]
    fig, axes = plt.subplots(len(panels), figsize=(page_width(), 0.32 * sum(heights) + 0.9), sharex=True, squeeze=False,
                             height_ratios=heights)
    for ax, (title, rows), lines, best in zip(axes[:, 0], panels.items(), shown, bayes, strict=True):
        known = {r["row"]: r["ours"] for r in rows}
        ax.axvline(known["Random"], lw=1.2, label="chance", **CHANCE)
        ax.axvline(known["The most frequent"], color="0.4", ls="--", lw=1.2, label="majority class")
        if best:
            ax.axvline(best, lw=1.2, label="best possible", **BEST)
        for y, row in enumerate(lines):
            dot(ax, y, row, "seeds and samples")
        name_rows(ax, [r["row"] for r in lines], 0.6, 0.6, fontsize="small")
        ax.set_xlim(0, 100)
        ax.set_title(title, loc="left")
    axes[-1, 0].set_xlabel("accuracy, %")
    legend_below(fig, 4)
    return tell(fig, (f"{title}: {row_in_words(r['row'], r)}" for title, rows in panels.items() for r in rows))


@drawn_to_fit
def recall_by_label(panels: dict[str, list[dict]]) -> Figure:
    """Share of each label called right (columns) by each row of Table 5, in per cent, a panel a modality."""
    heights = [len(rows) for rows in panels.values()]
    fig, axes = plt.subplots(len(panels), squeeze=False, height_ratios=heights,
                             figsize=(page_width(), 0.3 * sum(heights) + 1.15 * len(panels)))
    for ax, (title, rows) in zip(axes[:, 0], panels.items(), strict=True):
        cells(ax, np.array([r["recall"] for r in rows], float), [r["row"] for r in rows], rows[0]["classes"],
              square=False, vmin=0, vmax=100, size="small")
        ax.set_title(title, loc="left")
        ax.tick_params(axis="both", rotation=0, labelsize="small")
        if len(rows[0]["classes"]) > len(CLASSES):
            slant(ax, 25)
        for label in ax.get_xticklabels():
            label.set_color(colour(label.get_text()))
    return fig


@drawn_to_fit
def confusion_matrices(rows: list[dict]) -> Figure:
    """A confusion matrix for each row of Table 5, in per cent of the true label (lines)."""
    names, columns = rows[0]["classes"], min(len(rows), side_by_side(3 if len(rows) < 7 else 4, 2))
    lines = -(-len(rows) // columns)
    fig, axes = plt.subplots(lines, columns, figsize=(page_width(), 1.95 * lines + 0.7), squeeze=False)
    for k, ax in enumerate(axes.flat):
        if k >= len(rows):
            ax.axis("off")
            continue
        below = k + columns >= len(rows)
        cells(ax, row_percent(np.array(rows[k]["confusion"])), None if k % columns else names,
              names if below else None, vmin=0, vmax=100, written=len(names) < 5)
        ax.set_title(wrapped(rows[k]["row"], 22), fontsize="x-small")
        ax.tick_params(labelsize="x-small", rotation=0)
        if below:
            slant(ax, 60)
    fig.supxlabel("predicted", fontsize="small")
    fig.supylabel("true", fontsize="small")
    return fig
