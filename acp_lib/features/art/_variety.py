"""Variety: how many kinds of colours and of edges there are."""

import numpy as np
import scipy.ndimage as ndi

from acp_lib.features.art._colour import NAMES
from acp_lib.features.art._planes import entropy, shares
from acp_lib.features.art._view import Picture, viewed


def variety(picture: Picture) -> np.ndarray:
    """How many kinds of colours and of edges there are.

    After Zhao et al.'s colour names and distribution of gradients.

    Returns
    -------
    24 values, 0 to 1

    11 : share of each basic colour name, in the order of `NAMES`
    3 : number of names with a hundredth or more, over 11; entropy of the names and of 4096 cubes of RGB, over the
        maximum
    6 : share of pixels by steepness: below 0.005, 0.01, 0.02, 0.04 and 0.08 of the lightness a pixel, and above
    1 : entropy of the directions of lines, over its maximum
    3 : pieces of connected strong edge: their number over a fiftieth of the pixels, the median logarithm of their
        lengths over that of the picture's, and its standard deviation
    """
    view = viewed(picture)
    named = view.name_counts / view.named.size
    r, g, b = (view.picture >> 4).astype(np.intp).transpose(2, 0, 1)
    cubes = np.bincount((r << 8 | g << 4 | b).ravel(), minlength=4096)
    steps = np.searchsorted([0.005, 0.01, 0.02, 0.04, 0.08], view.edges.ravel())
    return np.concatenate([
        named, [(named >= 0.01).mean(), entropy(named), entropy(shares(cubes))],
        np.bincount(steps, minlength=6) / steps.size, [entropy(view.lines)], _pieces(view.edges > 0.04)])


def palette(picture: Picture) -> tuple[np.ndarray, np.ndarray]:
    """Share of each of the eleven basic colour names, and the mean colour of the pixels of that name.

    Returns
    -------
    shares : float [shape=(11,)], sums to 1
    colours : uint8 [shape=(11, 3)], black for names without a pixel

    Chapter: Probes.
    """
    view = viewed(picture)
    names, counts = view.named.ravel(), view.name_counts
    sums = [np.bincount(names, view.picture[..., k].ravel(), len(NAMES)) for k in range(3)]
    return counts / names.size, (np.array(sums).T / np.maximum(counts, 1)[:, None]).round().astype(np.uint8)


def _pieces(strong: np.ndarray) -> list[float]:
    label, n = ndi.label(strong, np.ones((3, 3)))
    if not n:
        return [0.0] * 3
    logs = np.log(np.bincount(label.ravel())[1:]) / np.log(strong.size)
    return [min(50 * n / strong.size, 1), np.median(logs), logs.std()]
