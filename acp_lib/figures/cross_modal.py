"""Figures of what a network does beyond adding up the two halves of a pair.

Chapter: Is it really cross-modal?
"""

from collections.abc import Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from acp_lib.figures.page import drawn_to_fit, page_width, side_by_side, tell
from acp_lib.figures.style import OURS, aside


@drawn_to_fit
def additive_approximation(network: Sequence[float], additive: Sequence[float], chance: float,
                           ceiling: float) -> Figure:
    """Accuracy in per cent of each run's network over that of its additive approximation; equal on the line."""
    fig, ax = plt.subplots(figsize=(page_width(), side_by_side(45, 90) / 100 * page_width()))
    ax.set_box_aspect(1)
    both = [*network, *additive, chance]
    low, high = min(both) - 2, max(both) + 3
    ax.plot([low, high], [low, high], color="0.6", lw=1, label="equal accuracy")
    for value, style, label in ((chance, ":", "chance"), (ceiling, "-.", "the most that adding can get")):
        if value < high:
            ax.axvline(value, color="0.3", ls=style, lw=1.2, label=label)
    ax.plot(additive, network, "o", color=OURS, ms=7, alpha=0.8, label="a run")
    ax.set(xlim=(low, high), ylim=(low, high), xlabel="accuracy of the additive approximation, %",
           ylabel="accuracy of the network, %")
    aside(ax)
    return tell(fig, (f"network {n:.1f}, additive {a:.1f}" for n, a in zip(network, additive, strict=True)))
