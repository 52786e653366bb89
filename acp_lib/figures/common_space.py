"""Figures of pictures and music in one space: maps of both, and what lies nearest to what.

Chapter: One map of both modalities; Retrieval.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from acp_lib.figures.page import drawn_to_fit, page_width, side_by_side
from acp_lib.figures.style import BRANCHES, SPECTROGRAM, log_mel, neighbour_rows, scatter, thumbnail, unique


@drawn_to_fit
def embedding_maps(maps: dict[str, np.ndarray], label: np.ndarray, modality: np.ndarray) -> Figure:
    """Maps of pictures (circles) and music (triangles), a line a map: on the left by class, on the right by modality.

    maps : title -> points (N, 2)
    label, modality : of each point: its class, and "image" or "music"
    """
    fig, axes = plt.subplots(len(maps), 2, figsize=(page_width(), 3.1 * len(maps) + 0.3), squeeze=False)
    for line, (title, xy) in zip(axes, maps.items(), strict=True):
        for kind, marker in (("image", "o"), ("music", "^")):
            own = modality == kind
            scatter(line[0], xy[own], label[own], marker)
            line[1].scatter(*xy[own].T, s=14, color=BRANCHES[kind], marker=marker, alpha=0.75, lw=0,
                            label="picture" if kind == "image" else "music")
        line[1].set(xticks=[], yticks=[])
        line[0].set_ylabel(title, fontsize="small")
    axes[0, 0].set_title("coloured by class", fontsize="small")
    axes[0, 1].set_title("coloured by modality", fontsize="small")
    for ax in axes[-1]:
        ax.legend(*unique(ax), loc="upper center", ncols=side_by_side(3, 1), bbox_to_anchor=(0.5, -0.02),
                  fontsize="small")
    return fig


@drawn_to_fit
def cross_modal_neighbours(rows: list[tuple[Path | np.ndarray, str, list[tuple[Path | np.ndarray, str]]]],
                           sr: int) -> Figure:
    """One row a query (bold): a picture and the sounds nearest to it, or a sound and its pictures; frames show classes.

    rows : (query, its label, [(neighbour, its label), ...]); pictures as files, sounds as samples (n,) at `sr`
    """
    def draw(ax: Axes, item: Path | np.ndarray) -> None:
        if isinstance(item, np.ndarray):
            ax.imshow(log_mel(item, sr, hop_length=2048, n_mels=48), **SPECTROGRAM, interpolation="nearest")  # coarse
            ax.set_box_aspect(1)
        else:
            ax.imshow(thumbnail(item, 160))

    return neighbour_rows(rows, draw, height=1.05, edge=3)
