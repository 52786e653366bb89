"""Gradation: whether tones change gradually or back and forth."""

import numpy as np

from acp_lib.features.art._planes import TINY, means, slope
from acp_lib.features.art._view import Picture, View, viewed

WINDOWS = (4, 8, 16)
"""Pixels a side of the windows in which `gradation` compares variations."""


def gradation(picture: Picture) -> np.ndarray:
    """Whether tones change gradually or back and forth.

    After the relative total variation of Xu et al. (2012): in a window the total variation is that of all small
    changes, the inherent variation what is left when they cancel.

    Returns
    -------
    19 values

    14 : for lightness and for colour (a and b): mean total variation; in windows of 4, 8 and 16 pixels, standard
        deviation of the total variation over its mean, and mean logarithm of one more than the relative variation, 0
        to about 7
    5 : how much lightness and saturation rise from the bottom to the top, and over the width without the sign; share of
        the variance of lightness that this ramp explains, 0 to 1
    """
    view = viewed(picture)
    values = []
    for planes in (view.lab[:1], view.lab[1:]):
        found = _variations(planes)
        values.append(found[0][0].mean())
        for total, relative in found:
            values += [total.std() / (total.mean() + 1e-3), np.log1p(relative).mean()]
    return np.array([*values, *_ramps(view)])


def variation(picture: Picture, window: int = 8) -> np.ndarray:
    """Relative total variation of the lightness (Xu et al. 2012), window by window.

    Where tones change gradually it is 2 or less; where they go up and down, as in texture and noise, it is large.

    Parameters
    ----------
    picture : see `extract`
    window : pixels a side of a window, one of `WINDOWS`

    Returns
    -------
    float32 [shape=(ceil(H / window), ceil(W / window))], 0 and more

    Chapter: Probes.
    """
    if window not in WINDOWS:
        raise ValueError(f"window is {window!r}; expected one of {', '.join(map(str, WINDOWS))}")
    return _variations(viewed(picture).lab[:1])[WINDOWS.index(window)][1]


def _variations(planes: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Total and relative variation for each of `WINDOWS`, both (rows, columns)."""
    slopes = [[slope(plane, axis) for plane in planes] for axis in (1, 0)]
    found = []
    for window in WINDOWS:
        total = np.sum([[means(np.abs(s), window) for s in axis] for axis in slopes], axis=1)
        inherent = np.sum([[np.abs(means(s, window)) for s in axis] for axis in slopes], axis=1)
        found.append((total.sum(0), (total / (inherent + 1e-3)).sum(0)))
    return found


def _ramps(view: View) -> list[float]:
    x, y = view.places
    up, across = ([plane.mean(axis) @ at.ravel() / (at * at).sum() for plane in (view.lightness, view.saturation)]
                  for axis, at in ((1, y), (0, x)))
    explained = up[0]**2 * np.mean(y * y) + across[0]**2 * np.mean(x * x)
    return [2 * up[0], 2 * abs(across[0]), 2 * up[1], 2 * abs(across[1]), explained / (view.lightness.var() + TINY)]
