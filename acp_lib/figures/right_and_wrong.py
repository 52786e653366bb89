"""Figures of single answers: which pictures ACP-Net takes for a clip's, and which classes it confuses.

Chapter: What it gets right and wrong.
"""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from acp_lib.figures.page import drawn_to_fit, on_phone, page_width, side_by_side, tell
from acp_lib.figures.style import (
    COLOURS,
    FALSE,
    SPECTROGRAM,
    TRUE,
    bare,
    class_accuracy,
    frame,
    log_mel,
    table_in_words,
    thumbnail,
)


@drawn_to_fit
def predictions(clip: np.ndarray, sr: int, pictures: list[tuple[Path, str, bool, bool]], label: str) -> Figure:
    """A clip's spectrogram and pictures beside it, on a phone below it; a tick where true was predicted, a cross where
    false was.

    clip, label : samples (n,) at `sr`, and their class
    pictures : (path, its emotion or class, predicted true, prediction right); wrong predictions have a dashed red frame

    Paper: Fig. 3.
    """
    fig = plt.figure(figsize=(page_width(), side_by_side(44, 118) / 100 * page_width()))
    half = -(-len(pictures) // 2)  # the pictures stand in two lines
    below, beside = {"nrows": 2, "height_ratios": [2, 7]}, {"ncols": 2, "width_ratios": [2, 3]}
    places: dict[str, Any] = below if on_phone() else beside
    heard, seen = fig.subfigures(**places, squeeze=False).flat
    ax, mel = heard.subplots(), log_mel(clip, sr)
    ax.imshow(mel, **SPECTROGRAM, extent=(0, len(clip) / sr, 0, len(mel)))
    ax.set(yticks=[], xlabel="seconds", ylabel="mel bands")
    ax.grid(False)
    frame(ax, COLOURS[label], 2.5)
    words = [(name, "true" if said else "false", "right" if right else "wrong") for _, name, said, right in pictures]
    axes = seen.subplots(2, half, squeeze=False).flat
    for ax in axes[len(pictures):]:
        ax.remove()
    for ax, (path, name, said, right) in zip(axes, pictures, strict=False):
        bare(ax)
        ax.imshow(thumbnail(path, 224))
        frame(ax, TRUE if right else FALSE, 3, "-" if right else "--")
        ax.text(0.94, 0.06, "✓" if said else "✗", transform=ax.transAxes, ha="right", va="bottom", fontsize=17,
                weight="bold", color="white", bbox={"boxstyle": "circle,pad=0.12", "fc": TRUE if said else FALSE,
                                                    "ec": "none"})
        title = name, "right" if right else "wrong"
        ax.set_title((":\n" if on_phone() else ": ").join(title), fontsize="small", weight="normal")
    return tell(fig, (f"{name} called {said}, {right}" for name, said, right in words))


@drawn_to_fit
def accuracy_by_class(accuracy: np.ndarray) -> Figure:
    """Accuracy, from 0 to 1 (3, 3), for each class of picture (rows) and of music (columns), in per cent."""
    fig, ax = plt.subplots(figsize=(page_width(), 3.4))
    mesh = class_accuracy(ax, accuracy)
    fig.colorbar(mesh, cax=ax.inset_axes((1.06, 0, 0.05, 1)), label="accuracy, %")
    ax.set(xlabel="class of the music", ylabel="class of the picture")
    return tell(fig, [f"picture {table_in_words(100 * accuracy)}"])


def marked(root: Path, pictures: pd.DataFrame, rows: np.ndarray, said: np.ndarray,
           truth: np.ndarray) -> list[tuple[Path, str, bool, bool]]:
    """Pictures as `predictions` takes them.

    root : folder of the pictures
    pictures : rows of the manifest; rows : which of them are shown, each with a clip [shape=(n,)]
    said, truth : whether each pair was called true, and whether it is [shape=(n,)]
    """
    return [(root / pictures["path"][i], pictures["emotion"][i] or pictures["class"][i], bool(s), bool(s) == bool(t))
            for i, s, t in zip(rows, said, truth, strict=True)]
