"""Figures of the simulated IMAC: whether the simulator is like its corpus, and what a network scores at full size.

Chapter: What would IMAC have given? A simulation.
"""

from collections.abc import Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from acp_lib.figures.page import drawn_to_fit, page_width, side_by_side
from acp_lib.figures.style import BLUE, BRANCHES, CHANCE, OURS, PAPER, legend_below, name_rows
from acp_lib.findings.simulation import WORDS, written
from acp_lib.results import scores
from acp_lib.results.recorded import of
from acp_lib.study import MAIN

TINTS = {0.0: OURS, 1.0: BRANCHES["music"]}
NOISE = {0.0: "good labels", 1.0: "uncertain labels"}
MARKS = {False: "o", True: "s"}
"""Of a network, by whether it is the main one."""
REAL, SIMULATED = "the real half, 95 % CI", "simulated databases of its size"


@drawn_to_fit
def likeness(results: Sequence[dict]) -> Figure:
    """Accuracy by how many pictures, or songs, are trained on, real with 95 % intervals and simulated, a panel a
    classifier of a corpus; a shade the half that the simulator was fitted on.

    results : recorded, as `simulation.rows` makes them
    """
    across = side_by_side(len(WORDS), 2)
    down = len(results) * -(-len(WORDS) // across)
    fig, axes = plt.subplots(down, across, figsize=(page_width(), 2.3 * down + 0.9), sharey=True, squeeze=False)
    for line, result in zip(axes.reshape(len(results), -1), results, strict=True):
        for ax in line[len(WORDS):]:
            ax.set_axis_off()
        for ax, (name, title) in zip(line, WORDS.items(), strict=False):
            counted, rows = "pictures" if name == "image" else "songs", of(result, table="check", row=name)
            if not rows:
                ax.set_axis_off()
                continue
            for row in rows:
                x, alpha = row[counted] * (1.12 if row["fitted"] else 1), 0.55 if row["fitted"] else 1
                ax.plot([x, x], row["interval"], color=BLUE, lw=1.6, alpha=alpha)
                ax.plot(x, row["ours"], "o", color=BLUE, ms=6, alpha=alpha, label=REAL)
                ax.plot([x * 1.04] * len(row["values"]), row["values"], "_", color=OURS, ms=6, alpha=alpha)
                ax.plot(x * 1.04, row["simulated"], "D", mfc="w", color=OURS, ms=6, alpha=alpha, label=SIMULATED)
            ax.axhline(100 / 3 if name in ("image", "music") else 50, **CHANCE, label="chance")
            numbers = sorted({row[counted] for row in rows})
            ax.set(title=title, xlabel=counted, xscale="log", xlim=(numbers[0] / 1.4, numbers[-1] * 1.6))
            apart = [n for k, n in enumerate(numbers) if not k or n > 1.05 * numbers[k - 1]]  # halves may differ by one
            ax.set_xticks(apart, [f"{n:.0f}" for n in apart])
            ax.set_xticks([], minor=True)
        line[0].set_ylabel(f"{result['data']}\nright, %")
    legend_below(fig, 3)
    return fig


@drawn_to_fit
def readings(result: dict, reported: float, within: float) -> Figure:
    """Accuracy on simulated databases of IMAC's size, a row a reading of a network: ACP-Net with 95 % interval, who
    knows one true class, and the best observer; beside it what the best observer gets by how far classes lie apart.

    result : of one corpus; reported : the paper's accuracy, with a band of so many points around it
    """
    across = side_by_side(2, 1)
    fig, (left, right) = plt.subplots(2 // across, across, figsize=(page_width(), 9.2 / across),
                                      width_ratios=[1.25, 1][:across])
    rows = of(result, table="reading")
    called = {row["network"]: scores.called({**row, "row": "ACP-Net"}, short=True) for row in rows}
    left.axvspan(reported - within, reported + within, color="0.9", label=f"within {within:g} point of the paper")
    left.axvline(reported, **PAPER, label=f"the paper, {reported:g} %")
    for y, row in enumerate(rows):
        left.plot(row["interval"], [y, y], color=TINTS[row["noise"]], lw=1.8)
        left.plot(row["ours"], y, MARKS[row["network"] == MAIN], color=TINTS[row["noise"]], ms=7,
                  label=f"{called[row['network']]}, {NOISE[row['noise']]}")
        left.plot(row["best"], y, "D", color="0.25", mfc="w", ms=6, label="the best observer")
        left.plot(row["guess"], y, "|", color="k", ms=11, label="who knows one true class")
    name_rows(left, [written(row) for row in rows], 0.6, 0.6, fontsize="small")
    left.set_xlabel("right about simulated pairs, %")
    for noise, tint in TINTS.items():
        some = of(result, table="observer", pairs="class_balanced", noise=noise)
        right.plot([row["times"] for row in some], [row["best"] for row in some], color=tint,
                   label=f"the best observer, {NOISE[noise]}" if some else None)
        for row in of(result, table="reading", pairs="class_balanced", split="song", noise=noise):
            right.plot(1, row["ours"], MARKS[row["network"] == MAIN], color=tint, ms=7)
    right.axhline(reported, **PAPER)
    right.set(xlabel="how far classes lie apart,\ntimes the corpus's", ylabel="best on class-balanced\npairs, %")
    legend_below(fig, 2)
    return fig
