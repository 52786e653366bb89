"""Figures of retrieval: how well each method ranks the other modality.

Chapter: Retrieval.
"""

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from acp_lib.audits.retrieval import TITLES
from acp_lib.figures.page import drawn_to_fit
from acp_lib.figures.style import BRANCHES, abreast, name_rows


@drawn_to_fit
def ranking_quality(table: pd.DataFrame, measure: str = "mAP") -> Figure:
    """A measure of each method, a panel a direction, a dot a run, and chance as a line; see `retrieval.macro`."""
    fig, axes = abreast(2, 2.7, sharey=True)
    methods = [m for m in table["method"].unique() if m != "chance"]
    for ax, (modality, title) in zip(axes, TITLES.items(), strict=True):
        rows = table[table["modality"] == modality]
        for y, method in enumerate(methods):
            values = rows[measure][rows["method"] == method]
            ax.plot(values, [y] * len(values), "o", color=BRANCHES[modality], alpha=0.45, ms=6)
            ax.plot(values.mean(), y, "|", color=BRANCHES[modality], ms=20, mew=2)
        ax.axvline(rows[measure][rows["method"] == "chance"].mean(), color="k", ls=":", lw=1.2)
        name_rows(ax, methods)
        ax.set(title=title, xlabel=measure)
        ax.xaxis.set_major_locator(MaxNLocator(5))
    sns.despine(fig)
    return fig
