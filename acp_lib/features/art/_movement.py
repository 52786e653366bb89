"""Movement: where lines and standing-out things lead the eye."""

import numpy as np

from acp_lib.features.art._planes import ANGLES, FAINT, TINY, means
from acp_lib.features.art._view import Picture, viewed


def movement(picture: Picture) -> np.ndarray:
    """Where lines and standing-out things lead the eye.

    In the place of Zhao et al.'s gaze scan paths: directions of the structure tensor, and jumps between the places
    that stand out most.

    Returns
    -------
    19 values

    3 : shares of horizontal, vertical and slanting lines, each within 22.5 degrees, weighted by strength
    2 : main direction: cosine, and sine without its sign, of the doubled mean angle, times how much the lines agree
    6 : in the picture and in its means over 4 and 8 pixels: logarithm of the change across over the change upwards,
        and of the slanting changes over both
    3 : coherence: its mean, its mean weighted by strength, and its standard deviation
    5 : `scanpath`: mean length of a jump, share of it that is horizontal, standard deviation of the lengths, and the
        first place's distance from the middle and height
    """
    view = viewed(picture)
    _, coherence = flow(view)
    cosine, sine = np.cos(ANGLES), np.sin(ANGLES)
    strength = np.sqrt(view.tensor[2].clip(0))
    kinds = [view.lines @ (cosine > np.sqrt(0.5)), view.lines @ (cosine < -np.sqrt(0.5))]
    weighted = (coherence * strength).sum() / (strength.sum() + TINY)
    changes = [value for window in (1, 4, 8) for value in _directions(means(view.lightness, window))]
    return np.array([*kinds, view.lines.sum() - sum(kinds), view.lines @ cosine, abs(view.lines @ sine), *changes,
                     coherence.mean(), weighted, coherence.std(), *_jumps(scanpath(view))])


def flow(picture: Picture) -> tuple[np.ndarray, np.ndarray]:
    """Direction of the lines about each pixel, and how far they are of one direction, by the structure tensor.

    Returns
    -------
    orientation : float32 [shape=(H, W)], radians from 0, horizontal, over pi / 2, upright, to pi, counter-clockwise
    coherence : float32 [shape=(H, W)], 0 (no line, or of all directions) to 1

    Chapter: Probes.
    """
    c, s, trace = viewed(picture).tensor
    return np.arctan2(s, c) / 2 % np.float32(np.pi), np.hypot(c, s) / (trace + FAINT)


def scanpath(picture: Picture, n: int = 6) -> np.ndarray:
    """Places in the order of their saliency, each keeping the next ones away from itself.

    A stand-in for where a viewer looks first, second and so on (winner takes all, with inhibition of return, as in Itti
    et al. 1998).

    Returns
    -------
    float [shape=(n, 2)], x and y from 0, left and top, to 1; all in the middle of a picture of one colour

    Chapter: Probes.
    """
    left = viewed(picture).salience.copy()
    if not left.any():
        return np.full((n, 2), 0.5)
    height, width = left.shape
    x, y = (np.arange(width)[None] + 0.5) / width, (np.arange(height)[:, None] + 0.5) / height
    path = np.empty((n, 2))
    for k in range(n):
        row, column = divmod(int(left.argmax()), width)
        path[k] = x[0, column], y[row, 0]
        left *= 1 - np.exp(-(np.square(x - path[k, 0]) + np.square(y - path[k, 1])) / (2 * 0.1**2))
    return path


def _directions(plane: np.ndarray) -> list[float]:
    across, up = np.abs(np.diff(plane, axis=1)).mean(), np.abs(np.diff(plane, axis=0)).mean()
    falling, rising = plane[1:, 1:] - plane[:-1, :-1], plane[1:, :-1] - plane[:-1, 1:]
    slanting = np.abs(falling).mean() + np.abs(rising).mean()
    return [np.log((across + 1e-3) / (up + 1e-3)), np.log((slanting + 1e-3) / (across + up + 1e-3))]


def _jumps(path: np.ndarray) -> list[float]:
    steps = np.diff(path, axis=0)
    lengths = np.hypot(*steps.T)
    across = np.abs(steps[:, 0]).sum() / (np.abs(steps).sum() + TINY)
    return [lengths.mean(), across, lengths.std(), np.hypot(*(path[0] - 0.5)), 0.5 - path[0, 1]]
