"""Figures of single answers: which pictures ACP-Net takes for a clip's, and which classes it confuses.

Chapter: What it gets right and wrong.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from acp_lib.figures.style import (
    COLOURS,
    FALSE,
    SPECTROGRAM,
    TRUE,
    WIDTH,
    bare,
    class_accuracy,
    frame,
    log_mel,
    thumbnail,
)


def predictions(clip: np.ndarray, sr: int, pictures: list[tuple[Path, str, bool, bool]], label: str) -> Figure:
    """A clip's spectrogram and pictures beside it; a tick where true was predicted, a cross where false was.

    clip, label : samples (n,) at `sr`, and their class
    pictures : (path, its emotion or class, predicted true, prediction right); wrong predictions have a dashed red frame

    Paper: Fig. 3.
    """
    fig, axes = plt.subplots(1, 1 + len(pictures), figsize=(WIDTH * 1.1, 1.75),
                             width_ratios=[1.9] + [1] * len(pictures))
    mel = log_mel(clip, sr)
    axes[0].imshow(mel, **SPECTROGRAM, extent=(0, len(clip) / sr, 0, len(mel)))
    axes[0].set(yticks=[], xlabel="seconds", ylabel="mel bands")
    axes[0].grid(False)
    frame(axes[0], COLOURS[label], 2.5)
    for ax, (path, name, said, right) in zip(axes[1:], pictures, strict=True):
        bare(ax)
        ax.imshow(thumbnail(path, 160))
        frame(ax, TRUE if right else FALSE, 3, "-" if right else "--")
        ax.text(0.94, 0.06, "✓" if said else "✗", transform=ax.transAxes, ha="right", va="bottom", fontsize=15,
                weight="bold", color="white", bbox={"boxstyle": "circle,pad=0.12", "fc": TRUE if said else FALSE,
                                                    "ec": "none"})
        ax.set_title(f"{name}\n{'right' if right else 'wrong'}", fontsize="x-small", weight="normal")
    return fig


def accuracy_by_class(accuracy: np.ndarray) -> Figure:
    """Accuracy, from 0 to 1 (3, 3), for each class of picture (rows) and of music (columns), in per cent."""
    fig, ax = plt.subplots(figsize=(WIDTH, 3.4))
    mesh = class_accuracy(ax, accuracy)
    fig.colorbar(mesh, cax=ax.inset_axes((1.06, 0, 0.05, 1)), label="accuracy, %")
    ax.set(xlabel="class of the music", ylabel="class of the picture")
    return fig


def marked(root: Path, pictures: pd.DataFrame, rows: np.ndarray, said: np.ndarray,
           truth: np.ndarray) -> list[tuple[Path, str, bool, bool]]:
    """Pictures as `predictions` takes them.

    root : folder of the pictures
    pictures : rows of the manifest; rows : which of them are shown, each with a clip [shape=(n,)]
    said, truth : whether each pair was called true, and whether it is [shape=(n,)]
    """
    return [(root / pictures["path"][i], pictures["emotion"][i] or pictures["class"][i], bool(s), bool(s) == bool(t))
            for i, s, t in zip(rows, said, truth, strict=True)]
