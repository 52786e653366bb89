"""Harmony: how well the hues agree, and the directions of lines."""

from functools import cache

import numpy as np
import scipy.fft

from acp_lib.features.art._planes import ANGLES, entropy
from acp_lib.features.art._view import GREY, Picture, viewed

SECTORS = {
    "i": ((0, 18),), "I": ((0, 18), (180, 18)), "V": ((0, 93.6),), "L": ((0, 18), (90, 79.2)),
    "Y": ((0, 93.6), (180, 18)), "T": ((0, 180),), "X": ((0, 93.6), (180, 93.6)),
}
"""Hue templates from the narrowest to the widest: the centre and width of each sector, degrees (Cohen-Or et al. 2006).

Matsuda's eighth, N, has no sector: it is for pictures without hues.
"""

SLACK = 1.0  # degrees by which a narrow template may fit worse than a wide one


def harmony(picture: Picture) -> np.ndarray:
    """How well the hues agree, and the directions of lines.

    After the hue templates of Matsuda (1995) as Cohen-Or et al. (2006) use them. A line's angle is doubled, after which
    template i says that all lines are parallel, I that they are parallel or at right angles.

    Returns
    -------
    14 values

    7 : for each template in `SECTORS`, mean distance of a hue to the nearest sector at the best rotation, in half
        turns, 0 to 1
    1 : share of the picture that is grey, template N
    3 : concentration of the hues, 0 to 1, and its parts towards red and towards yellow-green, -1 to 1
    1 : entropy of the hues over its maximum
    2 : as the first seven, of lines, for i and I
    """
    view = viewed(picture)
    residuals = _misfits(view.hues).min(1) / 180
    first = np.exp(1j * ANGLES) @ view.hues
    lines = _misfits(view.lines)[:2].min(1) / 180
    return np.array([*residuals, (view.saturation < GREY).mean(), abs(first), first.real, first.imag,
                     entropy(view.hues), *lines])


def template_fit(picture: Picture) -> tuple[str, float, float]:
    """The hue template that fits a picture best: the narrowest within a degree of the best.

    Returns
    -------
    name : one in `SECTORS`, or N for a grey picture
    angle : rotation of the template, degrees from 0 to 360, counted from red over yellow
    residual : mean distance of a hue to the nearest sector, degrees

    Chapter: Probes.
    """
    view = viewed(picture)
    if not view.hues.any():
        return "N", 0.0, 0.0
    misfits = _misfits(view.hues)
    least = misfits.min(1)
    best = int(np.argmax(least <= least.min() + SLACK))
    return list(SECTORS)[best], _middle(misfits[best]), float(least[best])


def hues(picture: Picture) -> np.ndarray:
    """Share of the saturation in each of 256 hues, from red over yellow [shape=(256,)]; all 0 for a grey picture.

    Chapter: Probes.
    """
    return viewed(picture).hues


def _middle(misfit: np.ndarray) -> float:
    """Rotation, in degrees, in the middle of those that fit best: a few hues leave a wide sector play."""
    good = np.flatnonzero(misfit <= misfit.min() + 1e-9)
    off = (good - good[0] + 128) % 256 - 128
    return float((good[0] + off[np.abs(off) < 64].mean()) * 360 / 256 % 360)  # the opposite rotation may fit as well


def _misfits(shares: np.ndarray) -> np.ndarray:
    """Mean distance, in degrees, to each template at each of 256 rotations [shape=(7, 256)]."""
    turned = scipy.fft.irfft(scipy.fft.rfft(shares) * np.conj(_distances()), 256)
    return np.maximum(turned, 0)


@cache
def _distances() -> np.ndarray:
    """Spectra of the distance, in degrees, from each hue to each template's sectors."""
    hue = np.arange(256) * 360 / 256
    far = [np.min([np.maximum(np.abs((hue - centre + 180) % 360 - 180) - width / 2, 0) for centre, width in sectors], 0)
           for sectors in SECTORS.values()]
    return scipy.fft.rfft(np.array(far))
