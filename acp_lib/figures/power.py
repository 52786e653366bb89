"""Figures of power: how likely a difference is found, by how many songs are tested on.

Chapter: How many songs it takes.
"""

from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure

from acp_lib.figures.page import drawn_to_fit
from acp_lib.figures.style import BLUE, BRANCHES, CHANCE, OURS, PAPER, abreast, leftmost, legend_below
from acp_lib.findings.power import EFFECTS, LEVEL, POWER, RUNS, Components, papers, power

LINES = dict(zip(EFFECTS, ((BRANCHES["music"], ":"), (BLUE, "--"), (OURS, "-")), strict=True))
SONGS = np.geomspace(10, 10_000, 61)


@drawn_to_fit
def power_by_songs(components: Components) -> Figure:
    """Power in per cent over the number of songs, a panel for each number of runs, a line for each difference; all else
    as in the paper's test part, whose songs are marked.
    """
    fig, axes = abreast(len(RUNS), 3.3, sharey=True)
    for ax, runs in zip(axes, RUNS, strict=True):
        design = papers(runs)
        for effect, (colour, style) in LINES.items():
            ax.plot(SONGS, [100 * power(effect, components, replace(design, songs=n)) for n in SONGS], color=colour,
                    ls=style, lw=1.8, label=f"{effect:g} point{'s' if effect != 1 else ''}")
        ax.axvline(design.songs, **PAPER, label=f"the paper's {design.songs:,} songs")
        ax.axhline(100 * POWER, lw=1, **CHANCE, label=f"{100 * POWER:g} %")
        ax.set(xscale="log", xlabel="songs", title=f"{runs} run{'s' if runs > 1 else ''}", ylim=(0, 102))
    leftmost(axes, f"power, % (two-sided {100 * LEVEL:g} %)")
    legend_below(fig, 5)
    return fig
