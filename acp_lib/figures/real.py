"""Figures of what was recorded on real pictures and music.

Chapter: Real pictures, real music.
"""

from collections.abc import Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from acp_lib.figures.page import drawn_to_fit, page_width, side_by_side
from acp_lib.figures.style import BLUE, CHANCE, OURS, abreast, legend_below, name_rows

COLUMNS = 2


@drawn_to_fit
def correspondence(rows: Sequence[dict], results: Sequence[dict], chance: float = 50) -> Figure:
    """Accuracy of each way of Table 4 on each corpus, a panel a corpus, with intervals and the paper's numbers.

    rows : as `real.beside` gives them
    results : recorded, for the names of the corpora and their order

    Paper: Table 4.
    """
    names = [row["row"] for row in rows]
    columns = side_by_side(COLUMNS, 1)
    lines = -(-len(results) // columns)
    fig, axes = plt.subplots(lines, columns, sharex=True, sharey=True, squeeze=False,
                             figsize=(page_width(), lines * (0.26 * len(names) + 0.7) + 0.5))
    for ax in axes.flat[len(results):]:
        ax.remove()
    for ax, result in zip(axes.flat, results, strict=False):
        ax.axvline(chance, label="chance", **CHANCE)
        for y, row in enumerate(rows):
            if row["paper"] is not None:
                ax.plot(row["paper"], y, "D", color="0.35", ms=5, label="paper, on IMAC")
            if (own := row[result["data"]]) is not None:
                fill = OURS if row["row"].startswith("ACP-Net") else BLUE
                ax.plot(own["interval"], [y, y], color=fill, lw=3, alpha=0.5, label=None)
                ax.plot(own["ours"], y, "o", color=fill, ms=6, label=None)
        ax.set_title(result["data"])
        name_rows(ax, names, 0.6, 0.6, fontsize="small")
    for ax in axes[-1]:
        ax.set_xlabel("accuracy on pairs, %")
    legend_below(fig, 2)
    return fig


@drawn_to_fit
def leads(rows: Sequence[dict]) -> Figure:
    """By how many points ACP-Net leads each other network on each corpus, a panel a network, with intervals and the
    paper's lead.

    rows : as `real.whole` gives them, of one other network at least

    Paper: Table 4.
    """
    others = [row for row in rows if row["lead"] is not None]
    names = list(dict.fromkeys(row["row"] for row in others))
    most = max(sum(row["row"] == name for row in others) for name in names)
    fig, axes = abreast(len(names), 0.34 * most + 1.2, sharex=True)
    for ax, name in zip(axes, names, strict=True):
        own = [row for row in others if row["row"] == name]
        ax.axvline(0, label="no lead", **CHANCE)
        for y, row in enumerate(own):
            ax.plot(row["reported"], y, "D", color="0.35", ms=5, label="paper, on IMAC")
            ax.plot(row["lead_interval"], [y, y], color=OURS, lw=3, alpha=0.5, label=None)
            ax.plot(row["lead"], y, "o", color=OURS, ms=6, label="here")
        name_rows(ax, [row["data"] for row in own], 0.6, 0.6)
        ax.set(title=f"over {name}", xlabel="ACP-Net's lead, points")
        ax.tick_params(labelbottom=True)  # on a phone panels lie one below the other
    legend_below(fig, 3)
    return fig
