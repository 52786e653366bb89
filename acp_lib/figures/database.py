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
from acp_lib.figures.page import drawn_to_fit, page_width, side_by_side
from acp_lib.figures.style import abreast, bare, cells, colour, thumbnail


@drawn_to_fit
def contact_sheet(rows: dict[str, Sequence[Path]]) -> Figure:
    """Pictures in rows, on a phone at most four in each; a row's name, a label, stands on its left in its colour."""
    columns = max(map(len, rows.values()))
    columns = side_by_side(columns, min(columns, 4))
    fig, axes = plt.subplots(len(rows), columns, squeeze=False,
                             figsize=(page_width(), page_width() * 1.02 * len(rows) / (columns + 1)))
    for line, (name, paths) in zip(axes, rows.items(), strict=True):
        for ax in line:
            bare(ax)
        for ax, path in zip(line, paths, strict=False):
            ax.imshow(thumbnail(path, 160))
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", color=colour(name), weight="bold")
    return fig


@drawn_to_fit
def song_scores(scores: pd.DataFrame) -> Figure:
    """How many songs have so many tags of one class and of another; ties lie on the diagonal.

    scores : a row a song, a column a class
    """
    fig, axes = abreast(3, 2.9)
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
