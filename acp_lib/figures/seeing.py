"""Figures of pictures: which ones look alike to Inception-V3, and what a linear probe reads from it.

Chapter: Seeing.
"""

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from acp_lib.figures.page import drawn_to_fit, page_width, tell
from acp_lib.figures.style import (
    abreast,
    cells,
    colour,
    leftmost,
    neighbour_rows,
    row_percent,
    slant,
    table_in_words,
    thumbnail,
)


@drawn_to_fit
def nearest_neighbours(rows: list[tuple[Path, str, list[tuple[Path, str]]]]) -> Figure:
    """One row a query: the picture (bold), then its nearest neighbours, each framed in the colour of its class.

    rows : (picture, its label, [(neighbour, its label), ...])
    """
    return neighbour_rows(rows, lambda ax, path: ax.imshow(thumbnail(path)), height=1.08, edge=4)


@drawn_to_fit
def recall_bars(recall: dict[str, dict[str, float]], chance: float) -> Figure:
    """Share called right of each label, one panel a classifier, with chance as a line.

    recall : classifier -> label -> share from 0 to 1; chance : a share as well
    """
    fig, axes = abreast(len(recall), 2.8, sharey=True)
    for ax, (title, shares) in zip(axes, recall.items(), strict=True):
        ax.bar(list(shares), [100 * v for v in shares.values()], color=[colour(n) for n in shares])
        ax.axhline(100 * chance, color="k", ls=":", lw=1)
        ax.set(title=title, ylim=(0, 100))
        slant(ax, 40)
        ax.grid(axis="x", visible=False)
    leftmost(axes, "recall, %")
    return fig


@drawn_to_fit
def confusion_matrix(counts: np.ndarray, names: Sequence[str]) -> Figure:
    """Confusion matrix in per cent of the true label (rows); counts (K, K), names (K,)."""
    fig, ax = plt.subplots(figsize=(page_width(), 0.42 * len(names) + 1.6))
    cells(ax, row_percent(counts), names, names, square=False, vmin=0, vmax=100)
    ax.set(xlabel="predicted", ylabel="true")
    slant(ax, 40)
    return tell(fig, [table_in_words(row_percent(counts), names, names)])
