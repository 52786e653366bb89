"""Figures of the law that ties pairs to their halves: predicted against measured, and what accuracy on pairs takes.

Chapter: What 61.67 % takes.
"""

from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from acp_lib.experiment.pairs import PROTOCOLS
from acp_lib.figures.page import drawn_to_fit, page_width
from acp_lib.figures.style import CHANCE, PAPER, aside
from acp_lib.findings.bridge import symmetric

MARKERS = "osD^vP*X"  # a corpus each
INK = "0.25"
MARGIN = 5  # points around the marks; an interval that is longer is cut
TINTS = dict(zip(PROTOCOLS, sns.color_palette("colorblind", len(PROTOCOLS)), strict=True))


@drawn_to_fit
def predicted_and_measured(results: Sequence[dict]) -> Figure:
    """Accuracy on pairs as the law predicts it and as it was measured, a mark for each corpus (its shape) and protocol
    (its colour), with 95 % intervals both ways; filled where it was made for this page, open where it was recorded.

    results : {"data", "live": whether it was made for this page, "rows": of `bridge.judged`}
    """
    fig, ax = plt.subplots(figsize=(page_width(), 5.0))
    ends = []
    for result, marker in _marked(results):
        for row in (row for row in result["rows"] if row["what"] == "protocol"):
            _cross(ax, row["predicted"], row["measured"], marker, TINTS[row["row"]], result["live"])
            ends += [row["predicted"]["ours"], row["measured"]["ours"]]
    low, high = max(min(ends, default=0) - MARGIN, 0), min(max(ends, default=100) + MARGIN, 100)
    ax.plot([low, high], [low, high], lw=1, **CHANCE)
    ax.set(xlabel="predicted from both halves, %", ylabel="measured on pairs, %", xlim=(low, high), ylim=(low, high),
           aspect="equal")
    protocols = [Line2D([], [], marker="o", ls="", color=tint, label=name.replace("_", " "))
                 for name, tint in TINTS.items()]
    aside(ax, handles=[*_names(results), *protocols])
    return fig


@drawn_to_fit
def what_it_takes(results: Sequence[dict], reported: float, own: tuple[float, float, float]) -> Figure:
    """Accuracy on class-balanced pairs over that on music and on pictures, three classes each, if errors are
    spread evenly over the wrong classes: lines of one accuracy, dashed the paper's; marks as in
    `predicted_and_measured`.

    results : as there; only corpora of three classes are drawn
    reported : the paper's accuracy on pairs
    own : the paper's accuracy on music; of pictures the least, and that of errors that are spread evenly over the other
        emotions, with a bar between the two
    """
    fig, ax = plt.subplots(figsize=(page_width(), 4.6))
    grid = np.linspace(34, 100, 67)
    balanced = (np.eye(3) + (1 - np.eye(3)) / 2) / 6
    pairs = 100 * np.array([[symmetric(y / 100, x / 100, balanced) for x in grid] for y in grid])
    lines = ax.contour(grid, grid, pairs, [52, 55, 60, 65, 70, 80, 90], colors="0.7", linewidths=1)
    ax.clabel(lines, fmt="%g %%", fontsize="x-small")
    style = {"colors": PAPER["color"], "linestyles": PAPER["ls"], "linewidths": 1.6}
    ax.clabel(ax.contour(grid, grid, pairs, [reported], **style), fmt=f"{reported} %%", fontsize="small")
    music, least, alike = own
    ax.plot([music, music], [least, alike], color="k", lw=3, solid_capstyle="butt")
    ax.plot(music, alike, "k_", ms=14, mew=2)
    said = f"the paper: {least:.1f} % at least,\n{alike:.1f} % if errors are spread evenly"
    paper = Line2D([], [], color="k", lw=3, label=said)
    shown = [r for r in results if len(r["rows"][0]["classes"]) == 3]
    for result, marker in _marked(shown):
        image, song = (row["test_accuracy"] for row in result["rows"][:2])
        _cross(ax, song, image, marker, INK, result["live"])
    ax.set(xlabel="accuracy on music, %", ylabel="accuracy on pictures, %", xlim=(34, 100), ylim=(34, 100))
    aside(ax, handles=[*_names(shown), paper])
    return fig


def _marked(results: Sequence[dict]) -> Iterator[tuple[dict, str]]:
    """Results, each with its marker."""
    yield from zip(results, cycle(MARKERS), strict=False)


def _names(results: Sequence[dict]) -> list[Line2D]:
    return [Line2D([], [], marker=marker, ls="", color=INK, mfc=INK if result["live"] else "w",
                   label=result["data"] + ("" if result["live"] else " (recorded)"))
            for result, marker in _marked(results)]


def _cross(ax: Axes, x: dict, y: dict, marker: str, colour: Any, live: bool) -> None:
    """A mark with both intervals, of rows of `Estimate.row`."""
    ax.plot(x["interval"], [y["ours"]] * 2, color=colour, lw=1, alpha=0.5)
    ax.plot([x["ours"]] * 2, y["interval"], color=colour, lw=1, alpha=0.5)
    ax.plot(x["ours"], y["ours"], marker, color=colour, mfc=colour if live else "w", ms=7, mew=1.5)
