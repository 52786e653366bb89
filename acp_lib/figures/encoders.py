"""The figure of other encoders: accuracy on pairs by what pictures and music are described with.

Chapter: Then and now.
"""

from collections.abc import Sequence

from matplotlib.figure import Figure

from acp_lib.figures.page import drawn_to_fit
from acp_lib.figures.style import BLUE, CHANCE, OURS, PAPER, abreast, legend_below, name_rows
from acp_lib.findings.encoders import ACP_NET, PAIRS, TWO, written
from acp_lib.results.recorded import of

WAYS = {TWO: (BLUE, "two classifiers, compared", -0.14), ACP_NET: (OURS, "ACP-Net, a quarter of the width", 0.14)}


@drawn_to_fit
def pairs(results: Sequence[dict], reported: float, chance: float = 50) -> Figure:
    """Accuracy on pairs of two classifiers and of ACP-Net for each pair of encoders, a panel a corpus, with intervals;
    dashed is what the paper reports for ACP-Net.

    results : recorded, as `encoders.rows` makes them
    """
    fig, axes = abreast(len(results), 0.42 * len(PAIRS) + 1.4, sharex=True, sharey=True)
    for ax, result in zip(axes, results, strict=True):
        ax.axvline(chance, label="chance", **CHANCE)
        ax.axvline(reported, label="ACP-Net in the paper, on IMAC", **PAPER)
        for y, (image, music) in enumerate(PAIRS):
            for way, (tint, label, aside) in WAYS.items():
                for row in of(result, table="pairs", row=way, image=image, music=music):
                    ax.plot(row["interval"], [y + aside] * 2, color=tint, lw=3, alpha=0.5)
                    ax.plot(row["ours"], y + aside, "o", color=tint, ms=6, label=label)
        ax.set(title=result["data"], xlabel="right about pairs, %")
        name_rows(ax, [written(pair).replace(" × ", "\n× ") for pair in PAIRS], 0.6, 0.6, fontsize="small")
    legend_below(fig, 2)
    return fig
