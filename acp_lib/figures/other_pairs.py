"""Figures of pairs that others listed: who is right about them, and who compares.

Chapter: Other people's pairs.
"""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from acp_lib.figures.page import drawn_to_fit
from acp_lib.figures.style import BLUE, BRANCHES, CHANCE, OURS, abreast, legend_below, name_rows
from acp_lib.findings.emomv import ONCE, RELEASED
from acp_lib.findings.squares import KINDS

TESTS = {RELEASED: ("o", "0.45"), ONCE: ("s", OURS)}
MARKS = dict(zip(KINDS, (("D", OURS), ("v", BRANCHES["music"]), ("^", BLUE)), strict=True))
APART = 0.24  # of the distance between two rows


@drawn_to_fit
def accuracy_and_squares(rows: Sequence[dict]) -> Figure:
    """Accuracy of each way on the pairs as they are listed, by both ways of testing; beside it the share of squares
    that are got right, each pair tested once, by what tells right from wrong in them. With 95 % intervals.

    rows : as they were recorded, of "kind" "accuracy" and "squares"
    """
    fig, (ax, crossed) = abreast(2, 4.4, width_ratios=[4, 3])
    names = list(dict.fromkeys(row["row"] for row in rows if row["kind"] == "accuracy"))
    for k, (test, (mark, colour)) in enumerate(TESTS.items()):
        some = [row for row in rows if row["kind"] == "accuracy" and row["test"] == test]
        _marks(ax, some, names, k - 0.5, mark, colour, f"accuracy, {test}")
    ax.set(xlabel="right about pairs, %", title="The pairs as listed")
    compare = list(dict.fromkeys(row["row"] for row in rows if row["kind"] == "squares"))
    for k, (of, (mark, colour)) in enumerate(MARKS.items()):
        some = [row for row in rows if row["kind"] == "squares" and row["of"] == of and row["test"] == ONCE]
        _marks(crossed, some, compare, k - 1, mark, colour, f"squares, {of}")
    crossed.set(xlabel="right about squares, %", title="Halves crossed")
    for axes, listed in ((ax, names), (crossed, compare)):
        axes.axvline(50, label="chance", **CHANCE)
        name_rows(axes, [name.replace(", ", ",\n").replace(" at ", "\nat ") for name in listed], 0.6, 0.6,
                  fontsize="x-small")
    legend_below(fig, 3)
    return fig


def _marks(ax: Axes, rows: Sequence[dict], names: Sequence[str], place: float, mark: str, colour: str,
           label: str) -> None:
    y = [names.index(row["row"]) + APART * place for row in rows]
    ax.hlines(y, *zip(*(row["interval"] for row in rows), strict=True), color=colour, lw=2, alpha=0.6)
    ax.plot([row["ours"] for row in rows], y, mark, color=colour, ms=5, label=label)
