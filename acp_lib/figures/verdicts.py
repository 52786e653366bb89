"""The figure of verdicts on the paper's claims.

Chapter: Verdicts.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from acp_lib.figures.page import drawn_to_fit, page_width, tell
from acp_lib.figures.style import legend_below


@drawn_to_fit
def verdicts(counts: pd.DataFrame) -> Figure:
    """How many claims (columns: verdicts) of each part of the paper (rows) came out how."""
    fig, ax = plt.subplots(figsize=(page_width(), 0.4 * len(counts) + 1.0))
    left = np.zeros(len(counts))
    for (name, column), tint in zip(counts.items(), sns.color_palette("deep", len(counts.columns)), strict=True):
        bars = ax.barh(counts.index, column, left=left, color=tint, label=name)
        ax.bar_label(bars, [f"{v:g}" if v else "" for v in column], label_type="center", color="w")
        left += column.to_numpy()
    ax.invert_yaxis()
    ax.set_xlabel("claims")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(axis="y", visible=False)
    legend_below(fig, 4)
    said = ((part, ", ".join(f"{n:g} {name}" for name, n in row.items() if n)) for part, row in counts.iterrows())
    return tell(fig, (f"{part}: {words}" for part, words in said))
