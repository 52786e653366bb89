"""Figures of splits and pairs: segments that leak, and what a protocol of pairs gives away.

Chapter: Splits and pairs.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from acp_lib.emotions import CLASSES
from acp_lib.figures.page import drawn_to_fit, page_width, tell
from acp_lib.figures.style import FALSE, TRUE, abreast, aside, cells, leftmost, paper_line, slant


@drawn_to_fit
def leaked_segments(shares: dict[str, float]) -> Figure:
    """Share of test segments that have a sibling in training, for each way to split."""
    fig, ax = plt.subplots(figsize=(page_width(), 1.6))
    bars = ax.barh(list(shares), [100 * s for s in shares.values()], color=[FALSE, TRUE, TRUE])
    ax.bar_label(bars, fmt="%.0f %%", padding=4)
    ax.set(xlabel="test segments with another segment of the same song in training, %", xlim=(0, 105))
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    return tell(fig, (f"{name} {100 * share:.0f} %" for name, share in shares.items()))


@drawn_to_fit
def joint_probabilities(tables: dict[str, np.ndarray]) -> Figure:
    """Probability of each pair of classes under each protocol, in per cent; true pairs are framed.

    tables : protocol -> probabilities (3, 3), a row a class of picture, a column a class of music
    """
    fig, axes = abreast(len(tables), 2.5, columns=2, sharey=True)
    for ax, (name, table) in zip(axes, tables.items(), strict=True):
        cells(ax, 100 * table, CLASSES, CLASSES, vmin=0, vmax=40)
        for k in range(len(CLASSES)):
            ax.add_patch(Rectangle((k, k), 1, 1, fill=False, ec=TRUE, lw=2))
        ax.set_title(name.replace("_", "\n"), fontsize="small")
        ax.set_xlabel("music")
        slant(ax, 60)
    leftmost(axes, "picture")
    return fig


@drawn_to_fit
def guesser_accuracy(table: pd.DataFrame, reported: float) -> Figure:
    """What guessers reach under each protocol (protocol, guesser, accuracy); the line is the paper's accuracy."""
    fig, ax = plt.subplots(figsize=(page_width(), 3))
    sns.stripplot(table, x="accuracy", y="protocol", hue="guesser", ax=ax, size=8, jitter=False, dodge=True,
                  palette="dark")
    paper_line(ax, reported, -0.65)
    protocols = table["protocol"].unique()
    ax.set_yticks(range(len(protocols)), [p.replace("_", " ") for p in protocols])
    ax.set(xlabel="accuracy, %", ylabel="")
    aside(ax, title="knows")
    return fig
