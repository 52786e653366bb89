"""Figures: each a function from results to a matplotlib Figure.

Chapter: all.
"""

import copy
import textwrap
from collections.abc import Sequence
from pathlib import Path

import librosa
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
import torch
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from matplotlib.patches import ConnectionPatch, FancyArrowPatch, FancyBboxPatch, Rectangle
from matplotlib.ticker import MaxNLocator
from PIL import Image, ImageOps
from torch import nn

from acp_lib.emotions import CLASSES, COLOURS, regroup
from acp_lib.features import art as art_features
from acp_lib.features.music import BLOCKS
from acp_lib.features.spectrogram import HOP

TRUE, FALSE = "#2f7d32", "#b3261e"
PALETTE = [COLOURS[c] for c in CLASSES]
BRANCHES = {"image": "#3b6ea8", "music": "#a8683b", "fusion": "#5c5c6e"}
WIDTH = 8.0  # inches


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
    with Image.open(path) as picture:
        return np.asarray(ImageOps.fit(ImageOps.exif_transpose(picture).convert("RGB"), (size, size)))


def _bare(ax) -> None:
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    sns.despine(ax=ax, left=True, bottom=True)


def _cells(ax, values: np.ndarray, rows: Sequence[str] | None, columns: Sequence[str] | None, *, cmap: str = "mako_r",
           square: bool = True, written: bool = True, size: float | str = "medium", **shown) -> ScalarMappable:
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
                    color="0.15" if light > 0.4 else "white")
    return mesh


def _slant(ax, degrees: float) -> None:
    plt.setp(ax.get_xticklabels(), rotation=degrees, ha="right", rotation_mode="anchor")


# --- Building the database


def contact_sheet(rows: dict[str, Sequence[Path]]) -> Figure:
    """Pictures in rows; each row's name, a label, stands on its left in its colour."""
    columns = max(map(len, rows.values()))
    fig, axes = plt.subplots(len(rows), columns, squeeze=False,
                             figsize=(WIDTH, WIDTH * 1.02 * len(rows) / (columns + 1)))
    for line, (name, paths) in zip(axes, rows.items(), strict=True):
        for ax in line:
            _bare(ax)
        for ax, path in zip(line, paths, strict=False):
            ax.imshow(thumbnail(path, 160))
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", color=colour(name), weight="bold")
    return fig


def song_scores(scores: pd.DataFrame) -> Figure:
    """How many songs have so many tags of one class and of another; ties lie on the diagonal."""
    fig, axes = plt.subplots(1, 3, figsize=(WIDTH, 2.9))
    top = int(scores[list(CLASSES)].to_numpy().max())
    for ax, (a, b) in zip(axes, (("positive", "neutral"), ("positive", "negative"), ("neutral", "negative")),
                          strict=True):
        counts = pd.crosstab(scores[b], scores[a]).reindex(range(top + 1), columns=range(top + 1), fill_value=0)
        _cells(ax, np.ma.masked_equal(counts.to_numpy(), 0), range(top + 1), range(top + 1), written=top < 8,
               norm=LogNorm(1, max(2, len(scores))), size=5.5 if counts.to_numpy().max() > 99 else 9)
        ax.invert_yaxis()
        ax.set(xlabel=f"{a} tags", ylabel=f"{b} tags")
    return fig


# --- Hearing


def listening(clips: dict[str, np.ndarray], sr: int) -> Figure:
    """For one clip of each class: the waveform, and each group of features over time."""
    draw = {
        "waveform": None,
        "mel, dB": lambda y: librosa.power_to_db(librosa.feature.melspectrogram(y=y, sr=sr), ref=np.max),
        "MFCC": lambda y: librosa.feature.mfcc(y=y, sr=sr, n_mfcc=40)[1:],
        "chroma": lambda y: librosa.feature.chroma_stft(y=y, sr=sr),
        "contrast": lambda y: librosa.feature.spectral_contrast(y=y, sr=sr),
        "tonnetz": lambda y: librosa.feature.tonnetz(y=librosa.effects.harmonic(y), sr=sr),
    }
    fig, axes = plt.subplots(len(draw), len(clips), figsize=(WIDTH, 8), sharex=True, squeeze=False,
                             height_ratios=[0.7, 1.5, 1.1, 1, 0.8, 0.8])
    shown = {what: [f(y) for y in clips.values()] for what, f in draw.items() if f}
    spread = np.concatenate(shown["MFCC"], axis=1).std(1, keepdims=True)  # the first coefficients would hide the rest
    shown["MFCC"] = [coefficients / np.maximum(spread, 1e-9) for coefficients in shown["MFCC"]]
    for column, (label, y) in enumerate(clips.items()):
        axes[0, column].plot(np.arange(len(y)) / sr, y, color=COLOURS[label], lw=0.3)
        axes[0, column].set(ylim=(-1, 1), yticks=[], title=label)
        for row, images in enumerate(shown.values(), 1):
            low, high = np.percentile(np.concatenate(images, axis=1), [1, 99])
            axes[row, column].imshow(images[column], aspect="auto", origin="lower", cmap="magma", vmin=low, vmax=high,
                                     extent=(0, len(y) / sr, 0, len(images[column])), interpolation="nearest")
            axes[row, column].set(yticks=[])
            axes[row, column].grid(False)
        axes[-1, column].set_xlabel("seconds")
    for row, what in enumerate(draw):
        axes[row, 0].set_ylabel(what, rotation=0, ha="right", va="center")
    return fig


def class_means(x: np.ndarray, label: np.ndarray) -> Figure:
    """Mean of each of the 193 standardised features in each class."""
    z = (x - x.mean(0)) / np.where(x.std(0) > 0, x.std(0), 1)
    held = [c for c in CLASSES if (label == c).any()]
    means = np.array([z[label == c].mean(0) for c in held])
    fig, axes = plt.subplots(len(BLOCKS), 1, figsize=(WIDTH, 4.6))
    reach = np.abs(means).max()
    for ax, (name, block) in zip(axes, BLOCKS.items(), strict=True):
        mesh = ax.imshow(means[:, block], aspect="auto", cmap="vlag", vmin=-reach, vmax=reach, interpolation="nearest")
        ax.set(yticks=range(len(held)), yticklabels=held, xticks=[])
        ax.set_title(f"{name} ({block.stop - block.start})", loc="left")
        ax.grid(False)
    fig.colorbar(mesh, ax=axes, label="mean, in standard deviations", shrink=0.6)
    return fig


# --- Seeing


def recall_bars(recall: dict[str, dict[str, float]], chance: float) -> Figure:
    """Share called right of each label, one panel a classifier, with chance as a line."""
    fig, axes = plt.subplots(1, len(recall), figsize=(WIDTH, 2.8), sharey=True, squeeze=False)
    for ax, (title, shares) in zip(axes[0], recall.items(), strict=True):
        names = list(shares)
        ax.bar(names, [100 * v for v in shares.values()],
               color=[colour(n) for n in names])
        ax.axhline(100 * chance, color="k", ls=":", lw=1)
        ax.set(title=title, ylim=(0, 100))
        _slant(ax, 40)
        ax.grid(axis="x", visible=False)
    axes[0, 0].set_ylabel("called right, %")
    return fig


def confusion(counts: np.ndarray, names: Sequence[str]) -> Figure:
    """Confusion matrix in per cent of the true class (rows)."""
    share = 100 * counts / np.maximum(counts.sum(1, keepdims=True), 1)
    fig, ax = plt.subplots(figsize=(WIDTH, 0.42 * len(names) + 1.6))
    _cells(ax, share, names, names, square=False, vmin=0, vmax=100)
    ax.set(xlabel="predicted", ylabel="true")
    _slant(ax, 40)
    return fig


def neighbours(rows: list[tuple[Path, str, list[tuple[Path, str]]]]) -> Figure:
    """One row a query: the picture (bold), then its nearest neighbours, each framed in the colour of its class."""
    columns = 1 + max(len(found) for _, _, found in rows)
    fig, axes = plt.subplots(len(rows), columns, figsize=(WIDTH, WIDTH * len(rows) / columns * 1.08), squeeze=False)
    for line, (query, emotion, found) in zip(axes, rows, strict=True):
        for ax, (path, name) in zip(line, [(query, emotion), *found], strict=False):
            _bare(ax)
            ax.imshow(thumbnail(path))
            _frame(ax, colour(name))
            ax.set_title(name, fontsize="small", weight="normal")
        line[0].set_title(emotion, fontsize="small", fontweight="bold")
    return fig


def _frame(ax, colour: str, width: float = 4) -> None:
    ax.add_patch(Rectangle((0, 0), 1, 1, transform=ax.transAxes, fill=False, ec=colour, lw=width, clip_on=False))


# --- Splits and pairs


def joints(tables: dict[str, np.ndarray]) -> Figure:
    """Probability of each pair of classes under each protocol, in per cent."""
    fig, axes = plt.subplots(1, len(tables), figsize=(WIDTH * 1.15, 2.5), sharey=True)
    for ax, (name, table) in zip(axes, tables.items(), strict=True):
        _cells(ax, 100 * table, CLASSES, CLASSES, vmin=0, vmax=40)
        for k in range(len(CLASSES)):
            ax.add_patch(Rectangle((k, k), 1, 1, fill=False, ec=TRUE, lw=2))
        ax.set_title(name.replace("_", "\n"), fontsize="small")
        ax.set_xlabel("music")
        _slant(ax, 60)
    axes[0].set_ylabel("picture")
    return fig


def shortcuts(table: pd.DataFrame, reported: float) -> Figure:
    """What guessers reach under each protocol (protocol, guesser, accuracy); the line is the paper's accuracy."""
    fig, ax = plt.subplots(figsize=(WIDTH, 3))
    sns.stripplot(table, x="accuracy", y="protocol", hue="guesser", ax=ax, size=8, jitter=False, dodge=True,
                  palette="dark")
    ax.axvline(reported, color="k", ls="--", lw=1)
    ax.text(reported, -0.65, f"ACP-Net in the paper, {reported}", ha="center", va="bottom", fontsize="small")
    ax.set(xlabel="accuracy, %", ylabel="", yticks=range(table["protocol"].nunique()))
    ax.set_yticklabels([p.replace("_", " ") for p in table["protocol"].unique()])
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1), title="knows")
    return fig


def leak(shares: dict[str, float]) -> Figure:
    """Share of test segments that have a sibling in training, for each way to split."""
    fig, ax = plt.subplots(figsize=(WIDTH, 1.6))
    bars = ax.barh(list(shares), [100 * s for s in shares.values()], color=[FALSE, TRUE, TRUE])
    ax.bar_label(bars, fmt="%.0f %%", padding=4)
    ax.set(xlabel="test segments with another segment of the same song in training, %", xlim=(0, 105))
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    return fig


# --- ACP-Net


def network(model: nn.Module) -> Figure:
    """ACP-Net as its modules are: every box is a layer with its width, what stands between boxes below it.

    Paper: Fig. 2.  Chapter: ACP-Net.
    """
    fig, ax = plt.subplots(figsize=(WIDTH, 3.7))
    _joined(ax, model)
    return fig


def _joined(ax, model: nn.Module) -> None:
    """Draw a network of two branches, with its number of parameters."""
    top = _chain(ax, model.image, 0, 2.5, "image", model.inputs["image"])
    low = _chain(ax, model.music, 0, 0, "music", model.inputs["music"])
    join = max(top, low) + 0.1
    for x, y in ((top, 2.5), (low, 0)):
        _arrow(ax, (x - 0.42, y), (join, 1.25 + 0.3 * np.sign(y - 1.25)))
    ax.text(join, 1.25, "concat", ha="center", va="center", fontsize="small")
    end = _chain(ax, model.fusion, join + 0.1, 1.25, "fusion")
    ax.text(end - 0.35, 1.25, "true\nor\nfalse?", ha="left", va="center", weight="bold", fontsize="small")
    total = sum(p.numel() for p in model.parameters())
    ax.set_title(f"{total:,} parameters", loc="right", weight="normal", fontsize="small", color="0.35")
    ax.set(xlim=(-0.75, end + 0.45), ylim=(-1.0, 3.2))
    ax.axis("off")


def _arrow(ax, start: tuple[float, float], stop: tuple[float, float]) -> None:
    ax.add_patch(FancyArrowPatch(start, stop, arrowstyle="-|>", mutation_scale=9, color="0.45", lw=1, shrinkA=0,
                                 shrinkB=0))


def _box(ax, x: float, y: float, text: str, colour: str, width: float = 0.7, height: float = 1.0) -> None:
    ax.add_patch(FancyBboxPatch((x - width / 2, y - height / 2), width, height, fc=colour, ec="none",
                                boxstyle="round,pad=0,rounding_size=.08"))
    ax.text(x, y, text, ha="center", va="center", color="white", fontsize=8.5, linespacing=1.3)


def _chain(ax, layers: nn.Sequential, x: float, y: float, name: str, inputs: tuple[int, ...] | None = None) -> float:
    """Draw the layers of one branch from x on, a box for each that has weights; return where the next thing may stand.

    inputs : shape of what the branch takes; None where it stands in the figure already
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
                ax.text(x, y + height / 2 + 0.06, f"{before[1]}×{before[2]}", ha="center", va="bottom", fontsize=6.5,
                        color="0.35")
            _arrow(ax, (x - 0.52, y), (x - 0.36, y))
            _box(ax, x, y, words, BRANCHES[name], height=height)
            below = 0
        elif not isinstance(layer, nn.Flatten):
            below += 1
            ax.text(x, y - height / 2 - 0.19 * below, _word(layer), ha="center", va="center", fontsize=6.5,
                    color="0.35")
    return x + 0.8


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


def _sizes(layers: nn.Sequential, inputs: tuple[int, ...] | None) -> list[tuple[int, ...] | None]:
    """Shape of one item before each layer, without computing anything."""
    if not inputs:
        return [None] * len(layers)
    x, found = torch.empty(1, *inputs, device="meta"), []
    for layer in copy.deepcopy(layers).to("meta").eval():
        found.append(tuple(x.shape[1:]))
        x = layer(x)
    return found


def curves(histories: dict[int, list[dict]], best: dict[int, int], bayes: float | None) -> Figure:
    """Loss and accuracy over epochs, a line a seed; a dot marks the epoch whose weights were kept."""
    fig, axes = plt.subplots(1, 2, figsize=(WIDTH, 3))
    for (seed, history), colour in zip(histories.items(), sns.color_palette("viridis", len(histories)), strict=True):
        for ax, what in zip(axes, ("loss", "accuracy"), strict=True):
            _course(ax, history, what, best[seed], color=colour, label=f"seed {seed}")
    axes[0].axhline(np.log(2), color="0.4", ls=":", lw=1)
    axes[0].set(xlabel="epoch", ylabel="cross-entropy")
    axes[1].axhline(50, color="0.4", ls=":", lw=1)
    if bayes:
        axes[1].axhline(bayes, color=TRUE, ls="-.", lw=1)
        axes[1].text(1, bayes, "best possible", va="bottom", fontsize="small", color=TRUE)
    axes[1].set(xlabel="epoch", ylabel="accuracy, %")
    for ax in axes:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    fig.legend(*_unique(axes[1]), loc="outside lower center", ncols=5, fontsize="small")
    return fig


def _course(ax, history: list[dict], what: str, kept: int, **style) -> None:
    """Loss, or accuracy in percent, over epochs: training dashed, validation solid, a dot at the epoch `kept`."""
    table = pd.DataFrame(history).set_index("epoch")[[what, f"val_{what}"]] * (100 if what == "accuracy" else 1)
    ax.plot(table[what], lw=1, ls="--", alpha=0.7, marker="." if len(table) == 1 else "", color=style["color"])
    ax.plot(table[f"val_{what}"], lw=1.6, **style)
    ax.plot(kept, table[f"val_{what}"][kept], "o", ms=5, color=style["color"])


def scatter(ax, xy: np.ndarray, label: np.ndarray, marker: str = "o") -> None:
    """Points (N, 2) in the colours of their classes."""
    for c in CLASSES:
        ax.scatter(*xy[label == c].T, s=14, color=COLOURS[c], marker=marker, alpha=0.75, lw=0, label=c)
    ax.set(xticks=[], yticks=[])


def idea(spaces: dict[str, list[tuple[np.ndarray, np.ndarray, str]]], thumbnails: list[tuple[tuple, Path]]) -> Figure:
    """Picture space, common space and music space side by side.

    spaces : title -> list of (points (N, 2), class names (N,), marker); thumbnails lie in the first space

    Paper: Fig. 1.  Chapter: ACP-Net.
    """
    fig, axes = plt.subplots(1, 3, figsize=(WIDTH * 1.1, 3.3), width_ratios=[1, 1.15, 1])
    for ax, (title, clouds) in zip(axes, spaces.items(), strict=True):
        for xy, label, marker in clouds:
            scatter(ax, xy, label, marker)
        ax.set_title(title)
    for (x, y), path in thumbnails:
        axes[0].add_artist(AnnotationBbox(OffsetImage(thumbnail(path, 48), zoom=0.42), (x, y), pad=0.12))
    for start, stop in ((axes[0], axes[1]), (axes[2], axes[1])):
        side = 1 if start is axes[0] else 0
        fig.add_artist(ConnectionPatch((side, 0.5), (1 - side, 0.5), "axes fraction", "axes fraction", axesA=start,
                                       axesB=stop, arrowstyle="-|>", color="0.35", mutation_scale=14))
    axes[1].legend(*_unique(axes[1]), loc="lower center", ncols=3, bbox_to_anchor=(0.5, -0.2), fontsize="small")
    return fig


def _unique(ax) -> tuple[list, list]:
    handles, labels = ax.get_legend_handles_labels()
    first = {label: handle for handle, label in zip(handles, labels, strict=True)}
    return list(first.values()), list(first)


# --- Baselines


def towers(models: dict[str, nn.Module]) -> Figure:
    """Networks of two branches below one another, drawn as `network` does: a convolution's box has its kernel and its
    channels, above it stands the size of the map that it slides over.

    Paper: Table 4.  Chapter: Baselines.
    """
    fig, axes = plt.subplots(len(models), figsize=(WIDTH, 3.2 * len(models)), squeeze=False)
    for ax, (name, model) in zip(axes[:, 0], models.items(), strict=True):
        _joined(ax, model)
        ax.set_ylim(-1.2, 3.2)
        ax.set_title(name, loc="left")
    return fig


def raw_inputs(picture: Path, pixels: np.ndarray, heard: np.ndarray, frames: int, start: int,
               starts: Sequence[int]) -> Figure:
    """What the networks without features take: a picture, and the log-spectrogram of a clip with its stretches marked.

    picture : the file; pixels : the same as it is fed, uint8 (side, side, 3)
    heard : log-spectrogram (bins, frames in all)
    frames : of a stretch
    start, starts : where a training stretch begins, and those that are averaged over
    """
    fig, axes = plt.subplot_mosaic([["file", "pixels", "crop"], ["heard"] * 3], figsize=(WIDTH, 5.2),
                                   height_ratios=[1.15, 1])
    for name, image, title in (("file", thumbnail(picture, 384), "a picture"),
                               ("pixels", pixels, f"as it is seen, {len(pixels)}×{len(pixels[0])}")):
        axes[name].imshow(image, interpolation="nearest")
        _bare(axes[name])
        axes[name].set_title(title, fontsize="small")
    low, high = np.percentile(heard, [1, 99.9])
    look = {"aspect": "auto", "origin": "lower", "cmap": "magma", "vmin": low, "vmax": high, "interpolation": "nearest"}
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


def training_curves(histories: dict[str, dict[int, list[dict]]], best: dict[str, dict[int, int]], chance: float,
                    bayes: float | None) -> Figure:
    """Loss (above) and accuracy (below) over epochs, a column a network, a colour a seed: training dashed, validation
    solid, a dot at the epoch that was kept.
    """
    fig, axes = plt.subplots(2, len(histories), figsize=(WIDTH, 4.6), sharex="col", sharey="row", squeeze=False)
    for column, (name, made) in zip(axes.T, histories.items(), strict=True):
        for (seed, history), colour in zip(made.items(), sns.color_palette("viridis", len(made)), strict=True):
            for ax, what in zip(column, ("loss", "accuracy"), strict=True):
                _course(ax, history, what, best[name][seed], color=colour, label=f"seed {seed}")
        column[0].axhline(np.log(2), color="0.4", ls=":", lw=1)
        column[1].axhline(chance, color="0.4", ls=":", lw=1)
        if bayes:
            column[1].axhline(bayes, color=TRUE, ls="-.", lw=1, label="best possible")
        column[0].set_title(name)
        column[1].set_xlabel("epoch")
        column[1].xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
    axes[0, 0].set_ylabel("cross-entropy")
    axes[1, 0].set_ylabel("accuracy, %")
    fig.legend(*_unique(axes[1, 0]), loc="outside lower center", ncols=6, fontsize="small")
    return fig


def correspondence(rows: list[dict], chance: float, bayes: float | None) -> Figure:
    """Accuracy of each row of Table 4 in per cent: intervals over seeds (thick) and over pictures and songs (thin), the
    paper's values, and lines for chance and the best possible.

    Paper: Table 4.  Chapter: Baselines.
    """
    fig, ax = plt.subplots(figsize=(WIDTH, 0.36 * len(rows) + 1.3))
    ax.axvline(chance, color="0.4", ls=":", lw=1.2, label="chance")
    if bayes:
        ax.axvline(bayes, color=TRUE, ls="-.", lw=1.2, label="best possible")
    for y, row in enumerate(rows):
        _dot(ax, y, row, "95 % over pictures and songs")
    ax.set(yticks=range(len(rows)), ylim=(len(rows) - 0.4, -0.6), xlabel="accuracy, %")
    ax.set_yticklabels([r["row"] for r in rows])
    ax.grid(axis="y", visible=False)
    fig.legend(*_unique(ax), loc="outside lower center", ncols=3, fontsize="small")
    return fig


def _dot(ax, y: float, row: dict, drawn: str) -> None:
    """A row's value with its two intervals, and the paper's; `drawn` is what the thin one is over, for the legend."""
    ax.plot(row["clustered"], [y, y], color=COLOURS["negative"], lw=1.2, label=drawn)
    if row["interval"]:
        ax.plot(row["interval"], [y, y], color=COLOURS["negative"], lw=5, alpha=0.35, label="95 % over seeds")
    ax.plot(row["ours"], y, "o", color=COLOURS["negative"], ms=7, label="this run")
    if row["paper"] is not None:
        ax.plot(row["paper"], y, "D", color="0.25", ms=6, label="paper")


SHARED = {"both right": TRUE, "only the first": BRANCHES["image"], "only the second": BRANCHES["music"],
          "neither": "0.8"}


def kappas(rows: list[dict]) -> Figure:
    """For each two methods the shares of pairs that both, one, the other or neither called right, and their kappa.

    rows : {"first", "second", "kappa" (None where it has no value), and a share from 0 to 1 for each of SHARED}
    """
    fig, ax = plt.subplots(figsize=(WIDTH, 0.25 * len(rows) + 0.9))
    table = 100 * pd.DataFrame(rows)[list(SHARED)].to_numpy(float)
    left = np.cumsum(table, axis=1) - table
    for k, (name, fill) in enumerate(SHARED.items()):
        bars = ax.barh(range(len(rows)), table[:, k], left=left[:, k], color=fill, height=0.8, label=name, lw=0)
        ax.bar_label(bars, [f"{v:.0f}" if v >= 4 else "" for v in table[:, k]], label_type="center", fontsize="x-small",
                     color="k" if name == "neither" else "w")
    for y, row in enumerate(rows):
        ax.text(102, y, "–" if row["kappa"] is None else f"{row['kappa']:.2f}", va="center", fontsize="small")
    ax.text(102, -1, "kappa", va="center", fontsize="small", weight="bold")
    ax.set(yticks=range(len(rows)), ylim=(len(rows) - 0.5, -0.5), xlim=(0, 100), xlabel="% of the test pairs")
    ax.set_yticklabels([f"{r['first']} / {r['second']}" for r in rows], fontsize="small")
    ax.grid(False)
    fig.legend(*_unique(ax), loc="outside lower center", ncols=4, fontsize="small")
    return fig


def class_tables(accuracy: dict[str, np.ndarray]) -> Figure:
    """`class_table` of several methods side by side."""
    fig, axes = plt.subplots(1, len(accuracy), figsize=(WIDTH, 3.1), sharey=True, squeeze=False)
    for ax, (name, table) in zip(axes[0], accuracy.items(), strict=True):
        _class_map(ax, table)
        ax.set_title(name)
        _slant(ax, 40)
    axes[0, 0].set_ylabel("class of the picture")
    fig.supxlabel("class of the music", fontsize="medium")
    return fig


# --- Right and wrong


def predictions(clip: np.ndarray, sr: int, pictures: list[tuple[Path, str, bool, bool]], colour: str) -> Figure:
    """A clip's spectrogram and pictures beside it; a tick where true was predicted, a cross where false was.

    pictures : (path, its emotion or class, predicted true, prediction right); wrong predictions have a dashed red frame

    Paper: Fig. 3.  Chapter: What it gets right and wrong.
    """
    fig, axes = plt.subplots(1, 1 + len(pictures), figsize=(WIDTH * 1.1, 1.75),
                             width_ratios=[1.9] + [1] * len(pictures))
    mel = librosa.power_to_db(librosa.feature.melspectrogram(y=clip, sr=sr), ref=np.max)
    axes[0].imshow(mel, aspect="auto", origin="lower", cmap="magma", extent=(0, len(clip) / sr, 0, len(mel)))
    axes[0].set(yticks=[], xlabel="seconds", ylabel="mel bands")
    axes[0].grid(False)
    _frame(axes[0], colour, 2.5)
    for ax, (path, name, said, right) in zip(axes[1:], pictures, strict=True):
        _bare(ax)
        ax.imshow(thumbnail(path, 160))
        ax.add_patch(Rectangle((0, 0), 1, 1, transform=ax.transAxes, fill=False, lw=3, clip_on=False,
                               ec=TRUE if right else FALSE, ls="-" if right else "--"))
        ax.text(0.94, 0.06, "✓" if said else "✗", transform=ax.transAxes, ha="right", va="bottom", fontsize=15,
                weight="bold", color="white", bbox={"boxstyle": "circle,pad=0.12", "fc": TRUE if said else FALSE,
                                                    "ec": "none"})
        ax.set_title(f"{name}\n{'right' if right else 'wrong'}", fontsize="x-small", weight="normal")
    return fig


def class_table(accuracy: np.ndarray) -> Figure:
    """Accuracy for each class of picture (rows) and of music (columns), in per cent."""
    fig, ax = plt.subplots(figsize=(WIDTH, 3.4))
    mesh = _class_map(ax, accuracy)
    fig.colorbar(mesh, cax=ax.inset_axes([1.06, 0, 0.05, 1]), label="called right, %")
    ax.set(xlabel="class of the music", ylabel="class of the picture")
    return fig


def _class_map(ax, accuracy: np.ndarray) -> ScalarMappable:
    return _cells(ax, 100 * accuracy, CLASSES, CLASSES, cmap="vlag_r", vmin=0, vmax=100)


def paper_and_ours(rows: list[dict]) -> Figure:
    """The paper's value and this run's with its interval, a line a row."""
    fig, ax = plt.subplots(figsize=(WIDTH, 0.42 * len(rows) + 1))
    for y, row in enumerate(rows):
        ax.plot(row["paper"], y, "D", color="0.35", ms=7, label="paper")
        if row["ours"] is not None:
            if row.get("interval"):
                ax.plot(row["interval"], [y, y], color=COLOURS["negative"], lw=3, alpha=0.5)
            ax.plot(row["ours"], y, "o", color=COLOURS["negative"], ms=8, label="this run")
    ax.set(yticks=range(len(rows)), xlabel="%")
    ax.set_yticklabels([r["row"] for r in rows])
    ax.invert_yaxis()
    ax.legend(*_unique(ax), loc="upper left", bbox_to_anchor=(1, 1))
    return fig


# --- Principles of art


def principles(pictures: dict[str, Path | np.ndarray]) -> Figure:
    """What each principle of art measures of a picture, a row a picture: its name -> file or uint8 (H, W, 3).

    Balance: bright where lines meet their mirror image. Emphasis: bright where something stands out. Harmony: hues, and
    the template that fits them best, behind them. Variety: area and mean colour of each colour name. Gradation: dark
    where tones change gradually, bright where back and forth. Movement: directions of lines, and the first places that
    stand out, in their order.

    Paper: Table 5.  Chapter: Probes.
    """
    columns = ["", *art_features.PRINCIPLES]
    fig, axes = plt.subplots(len(pictures), len(columns), squeeze=False, figsize=(WIDTH, 1.26 * len(pictures) + 0.15))
    for line, (name, picture) in zip(axes, pictures.items(), strict=True):
        shown = picture if isinstance(picture, np.ndarray) else thumbnail(picture, 224)
        wheel = line[3].get_subplotspec()
        line[3].remove()
        line[3] = fig.add_subplot(wheel, projection="polar")
        for ax in (*line[:3], *line[4:]):
            _bare(ax)
        line[0].imshow(shown)
        line[0].set_ylabel(name, fontsize="small")
        _over(line[1], shown, art_features.symmetry(shown), "viridis")
        _over(line[2], shown, art_features.saliency(shown), "inferno")
        _hues(line[3], shown)
        _swatches(line[4], shown)
        line[5].imshow(np.log1p(art_features.variation(shown)), cmap="mako", vmin=0, vmax=3, aspect="auto",
                       extent=(0, shown.shape[1], shown.shape[0], 0))
        line[5].set_box_aspect(shown.shape[0] / shown.shape[1])
        _lines(line[6], shown)
    for ax, principle in zip(axes[0], columns, strict=True):
        ax.set_title(principle, fontsize="small")
    return fig


def _grey(picture: np.ndarray) -> np.ndarray:
    return 0.5 + 0.5 * np.asarray(ImageOps.grayscale(Image.fromarray(picture))) / 255


def _over(ax, picture: np.ndarray, values: np.ndarray, colours: str) -> None:
    """Values from 0 to 1 as colours, lighter where the picture is."""
    tint = plt.get_cmap(colours)(values)[..., :3]
    ax.imshow(np.clip(tint * (0.35 + 0.65 * _grey(picture)[..., None]), 0, 1))


def _hues(ax, picture: np.ndarray) -> None:
    shares = art_features.hues(picture).reshape(32, 8).sum(1)
    name, turn, _ = art_features.template_fit(picture)
    for centre, width in art_features.SECTORS.get(name, ()):
        ax.bar(np.radians(centre + turn), 1.25, np.radians(width), color="0.85", lw=0)
    middle = (np.arange(32) + 0.5) / 32
    ax.bar(2 * np.pi * middle, np.sqrt(shares / max(shares.max(), 1e-9)), 2 * np.pi / 32, lw=0,
           color=plt.get_cmap("hsv")(middle))
    ax.set(xticks=[], yticks=[], ylim=(-0.25, 1.25))
    ax.spines["polar"].set_color("0.8")
    ax.text(0, -0.25, name, ha="center", va="center", fontsize="small", weight="bold")


def _swatches(ax, picture: np.ndarray) -> None:
    shares, colours = art_features.palette(picture)
    top = 1.0
    for k in np.argsort(-shares, kind="stable"):
        ax.add_patch(Rectangle((0, top - shares[k]), 1, shares[k], fc=colours[k] / 255, lw=0))
        if shares[k] > 0.1:
            ax.text(0.5, top - shares[k] / 2, art_features.NAMES[k], ha="center", va="center", fontsize="xx-small",
                    color="k" if colours[k] @ (0.3, 0.6, 0.1) > 110 else "w")
        top -= shares[k]
    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.set_box_aspect(picture.shape[0] / picture.shape[1])


def _lines(ax, picture: np.ndarray, across: int = 18) -> None:
    orientation, coherence = art_features.flow(picture)
    height, width = coherence.shape
    step = max(height, width) // across
    y, x = np.mgrid[step // 2:height:step, step // 2:width:step]
    reach = 0.5 * step * coherence[y, x]
    along, up = reach * np.cos(orientation[y, x]), reach * np.sin(orientation[y, x])
    gap = np.full(x.shape, np.nan)
    ax.imshow(_grey(picture), cmap="gray", vmin=0, vmax=1)
    ax.plot(np.stack([x - along, x + along, gap], -1).ravel(), np.stack([y + up, y - up, gap], -1).ravel(),
            color=BRANCHES["image"], lw=1.1, solid_capstyle="butt")
    path = art_features.scanpath(picture) * (width, height)
    ax.plot(*path.T, color=FALSE, lw=0.7)
    ax.scatter(*path.T, s=np.linspace(26, 6, len(path)), color=FALSE, zorder=3, lw=0)
    ax.set(xlim=(0, width), ylim=(height, 0))


# --- Probes


def recognition(panels: dict[str, list[dict]], bayes: Sequence[float | None]) -> Figure:
    """Accuracy of each row of Table 5 in per cent, a panel a modality: intervals over seeds (thick) and over what was
    drawn (thin), the paper's values, and lines for chance, the most frequent label and the best possible.

    panels : title -> rows, "Random" and "The most frequent" among them
    bayes : for each panel what the best possible observer gets right, in per cent, where it is known

    Paper: Table 5.  Chapter: Probes.
    """
    shown = [[r for r in rows if r["row"] not in ("Random", "The most frequent")] for rows in panels.values()]
    heights = [len(rows) + 1 for rows in shown]
    fig, axes = plt.subplots(len(panels), figsize=(WIDTH, 0.32 * sum(heights) + 0.9), sharex=True, squeeze=False,
                             height_ratios=heights)
    for ax, (title, rows), lines, best in zip(axes[:, 0], panels.items(), shown, bayes, strict=True):
        known = {r["row"]: r["ours"] for r in rows}
        ax.axvline(known["Random"], color="0.4", ls=":", lw=1.2, label="chance")
        ax.axvline(known["The most frequent"], color="0.4", ls="--", lw=1.2, label="the most frequent")
        if best:
            ax.axvline(best, color=TRUE, ls="-.", lw=1.2, label="best possible")
        for y, row in enumerate(lines):
            _dot(ax, y, row, "95 % over samples")
        ax.set(yticks=range(len(lines)), ylim=(len(lines) - 0.4, -0.6), xlim=(0, 100))
        ax.set_yticklabels([r["row"] for r in lines], fontsize="small")
        ax.set_title(title, loc="left")
        ax.grid(axis="y", visible=False)
    axes[-1, 0].set_xlabel("accuracy, %")
    handles = {label: handle for ax in axes[:, 0] for handle, label in zip(*_unique(ax), strict=True)}
    fig.legend(handles.values(), handles, loc="outside lower center", ncols=4, fontsize="small")
    return fig


def _wrapped(text: str, width: int) -> str:
    return textwrap.fill(text, width, break_on_hyphens=False)


def recalls(panels: dict[str, list[dict]]) -> Figure:
    """Share of each label called right (columns) by each row of Table 5, in per cent, a panel a modality."""
    heights = [len(rows) for rows in panels.values()]
    fig, axes = plt.subplots(len(panels), figsize=(WIDTH, 0.3 * sum(heights) + 1.15 * len(panels)), squeeze=False,
                             height_ratios=heights)
    for ax, (title, rows) in zip(axes[:, 0], panels.items(), strict=True):
        _cells(ax, np.array([r["recall"] for r in rows], float), [r["row"] for r in rows], rows[0]["classes"],
               square=False, vmin=0, vmax=100, size="small")
        ax.set_title(title, loc="left")
        ax.tick_params(axis="both", rotation=0, labelsize="small")
        if len(rows[0]["classes"]) > len(CLASSES):
            _slant(ax, 25)
        for label in ax.get_xticklabels():
            label.set_color(colour(label.get_text()))
    return fig


def confusions(rows: list[dict]) -> Figure:
    """A confusion matrix for each row of Table 5, in per cent of the true label (lines)."""
    names, columns = rows[0]["classes"], min(len(rows), 3 if len(rows) < 7 else 4)
    lines = -(-len(rows) // columns)
    fig, axes = plt.subplots(lines, columns, figsize=(WIDTH, 1.95 * lines + 0.7), squeeze=False)
    for k, ax in enumerate(axes.flat):
        if k >= len(rows):
            ax.axis("off")
            continue
        counts = np.array(rows[k]["confusion"])
        below = k + columns >= len(rows)
        _cells(ax, 100 * counts / np.maximum(counts.sum(1, keepdims=True), 1), None if k % columns else names,
               names if below else None, vmin=0, vmax=100, written=len(names) < 5)
        ax.set_title(_wrapped(rows[k]["row"], 22), fontsize="x-small")
        ax.tick_params(labelsize="x-small", rotation=0)
        if below:
            _slant(ax, 60)
    fig.supxlabel("predicted", fontsize="small")
    fig.supylabel("true", fontsize="small")
    return fig


def probe_curves(histories: dict[str, list[list[dict]]], columns: int = 4) -> Figure:
    """Accuracy over epochs, a panel a method, a colour a run: training dashed, validation solid, a dot at its best."""
    lines = -(-len(histories) // columns)
    fig, axes = plt.subplots(lines, columns, figsize=(WIDTH, 1.75 * lines + 0.3), sharey=True, squeeze=False)
    for ax, (name, made) in zip(axes.flat, histories.items(), strict=False):
        for history, colour in zip(made, sns.color_palette("viridis", len(made)), strict=True):
            _course(ax, history, "accuracy", max(history, key=lambda e: e["val_accuracy"])["epoch"], color=colour)
        ax.set_title(_wrapped(name, 23), fontsize="x-small")
        ax.set_ylim(0, 100)
        ax.tick_params(labelsize="x-small")
        ax.xaxis.set_major_locator(MaxNLocator(4, integer=True, min_n_ticks=1))
    for ax in axes.flat[len(histories):]:
        ax.axis("off")
    fig.supxlabel("epoch", fontsize="small")
    fig.supylabel("accuracy, %", fontsize="small")
    return fig


def two_maps(maps: dict[str, np.ndarray], label: np.ndarray, modality: np.ndarray) -> Figure:
    """Maps of pictures (circles) and music (triangles), a line a map: on the left by class, on the right by modality.

    maps : title -> points (N, 2)
    label, modality : of each point: its class, and "image" or "music"
    """
    fig, axes = plt.subplots(len(maps), 2, figsize=(WIDTH, 3.1 * len(maps) + 0.3), squeeze=False)
    for line, (title, xy) in zip(axes, maps.items(), strict=True):
        for kind, marker in (("image", "o"), ("music", "^")):
            own = modality == kind
            scatter(line[0], xy[own], label[own], marker)
            line[1].scatter(*xy[own].T, s=14, color=BRANCHES[kind], marker=marker, alpha=0.75, lw=0,
                            label="picture" if kind == "image" else "music")
        line[1].set(xticks=[], yticks=[])
        line[0].set_ylabel(title, fontsize="small")
    axes[0, 0].set_title("coloured by class")
    axes[0, 1].set_title("coloured by modality")
    for ax in axes[-1]:
        ax.legend(*_unique(ax), loc="upper center", ncols=3, bbox_to_anchor=(0.5, -0.02), fontsize="small")
    return fig


def across(rows: list[tuple[Path | np.ndarray, str, list[tuple[Path | np.ndarray, str]]]], sr: int) -> Figure:
    """One row a query (bold): a picture and the sounds nearest to it, or a sound and its pictures; frames show classes.

    rows : (query, its label, [(neighbour, its label), ...]); pictures as files, sounds as samples at `sr`
    """
    columns = 1 + max(len(found) for _, _, found in rows)
    fig, axes = plt.subplots(len(rows), columns, figsize=(WIDTH, WIDTH * len(rows) / columns * 1.05), squeeze=False)
    for line, (query, label, found) in zip(axes, rows, strict=True):
        for ax in line:
            _bare(ax)
        for ax, (item, name) in zip(line, [(query, label), *found], strict=False):
            if isinstance(item, np.ndarray):
                mel = librosa.feature.melspectrogram(y=item, sr=sr, hop_length=2048, n_mels=48)  # coarse: a thumbnail
                ax.imshow(librosa.power_to_db(mel, ref=np.max), aspect="auto", origin="lower", cmap="magma",
                          interpolation="nearest")
                ax.set_box_aspect(1)
            else:
                ax.imshow(thumbnail(item, 160))
            _frame(ax, colour(name), 3)
            ax.set_title(name, fontsize="small", weight="normal")
        line[0].set_title(label, fontsize="small", fontweight="bold")
    return fig


# --- What it costs


def ratios(rows: list[dict]) -> Figure:
    """How many times faster than the plain way each comparison came out, with its range and what was aimed at."""
    fig, ax = plt.subplots(figsize=(WIDTH, 0.32 * len(rows) + 0.9))
    for y, row in enumerate(reversed(rows)):
        drawn = TRUE if row["ratio"] >= row["wanted"] else FALSE
        ax.plot([row["lowest"], row["highest"]], [y, y], color=drawn, lw=1.5)
        ax.plot(row["ratio"], y, "o", color=drawn, ms=6)
        ax.plot([row["wanted"]] * 2, [y - 0.35, y + 0.35], color="0.3", lw=2)
    ax.axvline(1, color="0.6", ls=":", lw=1)
    ax.set_xscale("log")
    ticks = [t for t in (1, 2, 5, 10, 20, 50, 100) if t <= 1.5 * max(row["highest"] for row in rows)]
    ax.set_xticks(ticks, ticks)
    ax.minorticks_off()
    ax.set(yticks=range(len(rows)), yticklabels=[row["name"] for row in reversed(rows)], xlabel="times faster")
    return fig


def growth(sizes: pd.DataFrame) -> Figure:
    """Processor seconds and peak memory (cpu_s, peak_mib) over the number of samples, a colour a modality."""
    fig, axes = plt.subplots(1, 2, figsize=(WIDTH, 3))
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
        ax.set_xticks(ticks, ticks)
    axes[1].legend()
    return fig
