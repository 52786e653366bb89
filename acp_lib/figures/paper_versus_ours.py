"""The figure that sets the paper's numbers beside this run's.

Chapter: Paper versus ours.
"""

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from acp_lib.figures.page import drawn_to_fit, page_width, tell
from acp_lib.figures.style import OURS, aside, name_rows, row_in_words
from acp_lib.results.scores import called


@drawn_to_fit
def paper_and_ours(rows: list[dict]) -> Figure:
    """The paper's value and this run's with its interval, a line a row.

    rows : "row" (its name), "paper", "ours" (None where there is none) and "interval" (or none)
    """
    fig, ax = plt.subplots(figsize=(page_width(), 0.42 * len(rows) + 1))
    for y, row in enumerate(rows):
        ax.plot(row["paper"], y, "D", color="0.35", ms=7, label="paper")
        if row["ours"] is not None:
            if row.get("interval"):
                ax.plot(row["interval"], [y, y], color=OURS, lw=3, alpha=0.5)
            ax.plot(row["ours"], y, "o", color=OURS, ms=8, label="this run")
    name_rows(ax, [called(r, short=True) for r in rows], letters=20)
    ax.set_xlabel("%")
    aside(ax)
    return tell(fig, (row_in_words(called(r, short=True), r) for r in rows))
