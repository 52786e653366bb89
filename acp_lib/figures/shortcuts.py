"""Figures of shortcuts: what is reached by who knows one half of a pair alone.

Chapter: Shortcuts.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from acp_lib.figures.page import drawn_to_fit, page_width, tell
from acp_lib.figures.style import BRANCHES, legend_below, name_rows, paper_line, table_in_words

SIDES = {"the picture": BRANCHES["image"], "the music": BRANCHES["music"]}
HALF = 0.14  # of the distance between the two guessers of a protocol


@drawn_to_fit
def guesser_accuracy(exact: pd.DataFrame, drawn: pd.DataFrame, learnt: pd.DataFrame, reported: float) -> Figure:
    """For each protocol what is reached by who knows one half: by the formula, in a draw, and trained (with intervals).

    exact, drawn : a row a protocol, a column a guesser; learnt : protocol, guesser, accuracy, low, high
    """
    fig, ax = plt.subplots(figsize=(page_width(), 0.55 * len(exact) + 1.4))
    for k, (who, colour) in enumerate(SIDES.items()):
        y = np.arange(len(exact)) + (HALF if k else -HALF)
        rows = learnt[learnt["guesser"] == who].set_index("protocol").loc[list(exact.index)]
        ax.plot(exact[who], y, "D", mfc="none", mec=colour, ms=10, label=f"class of {who} known: formula")
        ax.plot(drawn[who], y, "|", color=colour, ms=10, mew=1.5, label=f"class of {who} known: drawn pairs")
        ax.hlines(y, rows["low"], rows["high"], color=colour, lw=1.5)
        ax.plot(rows["accuracy"], y, "o", color=colour, ms=5, label=f"trained on {who} alone")
    paper_line(ax, reported, -0.72)
    name_rows(ax, [name.replace("_", " ") for name in exact.index], 0.6, 0.6)
    ax.set_xlabel("accuracy, %")
    legend_below(fig, 2)
    names, knows = [str(p).replace("_", " ") for p in exact.index], [f"{who} known" for who in exact]
    return tell(fig, [table_in_words(exact.to_numpy(), names, knows)])
