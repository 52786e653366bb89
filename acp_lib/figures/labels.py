"""Figures of what the released labels are worth: what is left of them without some tags, and where they lie on the
plane of valence and arousal.

Chapter: What the released labels are worth.
"""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from acp_lib.emotions import CLASSES
from acp_lib.figures.page import drawn_to_fit, page_width, side_by_side
from acp_lib.figures.style import BLUE, PAPER, abreast, colour, name_rows, unique


@drawn_to_fit
def stability(rows: Sequence[dict], reported: dict[str, float]) -> Figure:
    """Labels that stand over the share of tags that are dropped, a line a class, and the ceiling of pairs; beside it
    what would come of tags drawn anew, a marker for the songs that it was learnt from.

    rows : of the kind "stability"; reported : the paper's accuracy, in per cent, beside some of what is expected
    """
    fig, (ax, anew) = abreast(2, 3.4, width_ratios=[3, 4])
    for c in CLASSES:
        _over_dropped(ax, [r for r in rows if r.get("songs") == c], color=colour(c), marker="o", label=c)
    _over_dropped(ax, [r for r in rows if r["what"] == "pairs, dropped"], color=BLUE, ls="--", label="pairs, at most")
    ax.set(xlabel="tags dropped, %", ylabel="%", title="Tags dropped")
    ax.legend(fontsize="x-small")
    drawn = [r for r in rows if r["what"] == "redrawn"]
    names, sources = (list(dict.fromkeys(r[key] for r in drawn)) for key in ("of", "learnt"))
    for k, (source, marker) in enumerate(zip(sources, "os^", strict=False)):
        some = [r for r in drawn if r["learnt"] == source]
        x, ends = (100 * np.array([r[key] for r in some]) for key in ("value", "interval"))
        anew.errorbar(x, [names.index(r["of"]) + 0.2 * (k - 1) for r in some], xerr=np.abs(ends.T - x), fmt=marker,
                      color=BLUE, ms=5, mfc="none" if k else BLUE, lw=1, label=source)
    for name, accuracy in reported.items():
        anew.plot([accuracy] * 2, names.index(name) + np.array([-0.4, 0.4]), **PAPER, label="the paper's accuracy")
    name_rows(anew, names)
    anew.set(xlabel="%", title="Tags redrawn")
    fig.legend(*unique(anew), loc="outside lower center", ncols=side_by_side(4, 2), fontsize="x-small")
    return fig


def _over_dropped(ax: Axes, rows: Sequence[dict], **look) -> None:
    x = [100 * r["dropped"] for r in rows]
    ax.plot(x, [100 * r["value"] for r in rows], ms=4, lw=1.5, **look)
    ax.fill_between(x, *(100 * np.array([r["interval"] for r in rows])).T, color=look["color"], alpha=0.15, lw=0)


@drawn_to_fit
def valence_and_arousal(rows: Sequence[dict]) -> Figure:
    """Mean valence and arousal of the songs of each class, with intervals; rows : "mean" of the kind "deezer"."""
    fig, ax = plt.subplots(figsize=(page_width(0.50), 3.2))
    for c in CLASSES:
        at = {r["of"]: r for r in rows if r["class"] == c}
        x, y = at["valence"], at["arousal"]
        reach = [np.abs(np.array([r["interval"]]).T - r["value"]) for r in (x, y)]
        ax.errorbar(x["value"], y["value"], xerr=reach[0], yerr=reach[1], fmt="o", color=colour(c))
        ax.annotate(c, (x["value"], y["value"]), (6, 6), textcoords="offset points", fontsize="small", color=colour(c))
    ax.axhline(0, color="0.7", lw=0.8)
    ax.axvline(0, color="0.7", lw=0.8)
    ax.set(xlabel="valence", ylabel="arousal")
    ax.margins(0.4, 0.25)
    return fig
