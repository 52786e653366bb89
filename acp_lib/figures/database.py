"""Figures of the database: its pictures, and the scores that give a song its class.

Chapter: Building the database.
"""

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from acp_lib.emotions import CLASSES
from acp_lib.figures.style import WIDTH, bare, cells, colour, thumbnail


def contact_sheet(rows: dict[str, Sequence[Path]]) -> Figure:
    """Pictures in rows; each row's name, a label, stands on its left in its colour."""
    columns = max(map(len, rows.values()))
    fig, axes = plt.subplots(len(rows), columns, squeeze=False,
                             figsize=(WIDTH, WIDTH * 1.02 * len(rows) / (columns + 1)))
    for line, (name, paths) in zip(axes, rows.items(), strict=True):
        for ax in line:
            bare(ax)
        for ax, path in zip(line, paths, strict=False):
            ax.imshow(thumbnail(path, 160))
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", color=colour(name), weight="bold")
    return fig


def song_scores(scores: pd.DataFrame) -> Figure:
    """How many songs have so many tags of one class and of another; ties lie on the diagonal.

    scores : a row a song, a column a class
    """
    fig, axes = plt.subplots(1, 3, figsize=(WIDTH, 2.9))
    top = int(scores[list(CLASSES)].to_numpy().max())
    numbers = [str(n) for n in range(top + 1)]
    for ax, (a, b) in zip(axes, (("positive", "neutral"), ("positive", "negative"), ("neutral", "negative")),
                          strict=True):
        counts = pd.crosstab(scores[b], scores[a]).reindex(range(top + 1), columns=range(top + 1), fill_value=0)
        cells(ax, np.ma.masked_equal(counts.to_numpy(), 0), numbers, numbers, written=top < 8,
              norm=LogNorm(1, max(2, len(scores))), size=5.5 if counts.to_numpy().max() > 99 else 9)
        ax.invert_yaxis()
        ax.set(xlabel=f"{a} tags", ylabel=f"{b} tags")
    return fig
