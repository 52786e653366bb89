"""Figures of uncertainty: how far runs spread, what probabilities are worth, and what wrong labels leave to be reached.

Chapter: How sure are we.
"""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from acp_lib import streams
from acp_lib.figures.page import drawn_to_fit, page_width, tell
from acp_lib.figures.style import BEST, BLUE, CHANCE, OURS, PAPER, TRUE, name_rows


@drawn_to_fit
def accuracy_spread(groups: dict[str, Sequence[float]], chance: float, bayes: float | None) -> Figure:
    """Accuracies in per cent of runs that differ in the draw of one thing each, with mean and standard deviation."""
    fig, ax = plt.subplots(figsize=(page_width(), 0.62 * len(groups) + 1.1))
    for y, values in enumerate(groups.values()):
        offset = 0.09 * streams.generator("jitter", y).uniform(-1, 1, len(values))
        mean, sd = np.mean(values), np.std(values, ddof=1)
        ax.plot([mean - sd, mean + sd], [y + 0.24] * 2, color=OURS, lw=3, alpha=0.6)
        ax.plot(mean, y + 0.24, "o", color=OURS, ms=5)
        ax.plot(values, y + offset, "o", color=BLUE, ms=5, alpha=0.7, mew=0)
    ax.axvline(chance, lw=1, **CHANCE)
    if bayes:
        ax.axvline(bayes, lw=1, **BEST)
        ax.text(bayes, -0.55, "best possible ", ha="right", va="center", fontsize="small", color=TRUE)
    name_rows(ax, [f"another {name}" if not name.endswith("s") else f"other {name}" for name in groups], above=0.7)
    ax.set_xlabel("accuracy, %")
    return tell(fig, (f"{name}: mean {np.mean(v):.1f}, standard deviation {np.std(v, ddof=1):.1f}"
                      for name, v in groups.items()))


@drawn_to_fit
def reliability_diagram(runs: Sequence[tuple[np.ndarray, np.ndarray]], probability: np.ndarray) -> Figure:
    """Share of true pairs over the mean probability in each bin, a line a run; below, how often each is given.

    runs : (share of true pairs, mean probability) of the bins, each (bins,)
    probability : of "true", of every pair
    """
    fig, (ax, low) = plt.subplots(2, 1, figsize=(page_width(0.62), 4.6), sharex=True, height_ratios=[3, 1])
    ax.plot([0, 1], [0, 1], lw=1, **CHANCE)
    for k, (true, mean) in enumerate(runs):
        ax.plot(mean, true, ".-", color=BLUE, lw=1, ms=5, alpha=0.55, label="a run" if not k else None)
    ax.set(ylabel="share of true pairs", ylim=(0, 1), xlim=(0, 1))
    ax.text(0.04, 0.9, "underconfident: true more often than predicted", fontsize="x-small", color="0.35")
    ax.text(0.96, 0.06, "overconfident", fontsize="x-small", color="0.35", ha="right")
    low.hist(probability, bins=np.linspace(0, 1, 41), color=BLUE, alpha=0.7, density=True)
    low.set(xlabel='probability given to "true"', ylabel="density")
    return fig


@drawn_to_fit
def label_noise_ceiling(noise: np.ndarray, ceiling: np.ndarray, simulated: Sequence[tuple[float, float]],
                        marks: dict[str, tuple[float, float]], reported: float) -> Figure:
    """Accuracy in per cent that wrong labels leave to a perfect observer over their share in both halves of a pair.

    noise, ceiling : the closed form; simulated : the same by simulation
    marks : what is known or estimated of this data; reported : the paper's accuracy
    """
    fig, ax = plt.subplots(figsize=(page_width(0.80), 3.4))
    ax.plot(100 * noise, ceiling, color=BLUE, lw=1.8, label="closed form")
    ax.plot(*np.transpose([(100 * a, b) for a, b in simulated]), "o", mfc="none", color=BLUE, ms=6, label="simulated")
    ax.axhline(reported, **PAPER)
    ax.text(100 * noise[0], reported + 0.8, f"ACP-Net in the paper, {reported}", fontsize="small")
    for (name, (x, y)), marker in zip(marks.items(), "D^s", strict=False):
        ax.plot(100 * x, y, marker, color=OURS, ms=8, label=name)
    ax.axhline(50, lw=1, **CHANCE)
    ax.set(xlabel="wrong labels, % of pictures and of songs", ylabel="accuracy, %", ylim=(48, 101))
    ax.legend(fontsize="small")
    return fig
