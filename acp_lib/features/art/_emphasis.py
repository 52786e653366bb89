"""Emphasis: how far something stands out, where it stands, and by which contrast."""

from functools import cache

import numpy as np
import scipy.fft
import scipy.ndimage as ndi

from acp_lib.features.art._planes import ANGLES, TINY, entropy, shares
from acp_lib.features.art._view import Picture, View, viewed


def emphasis(picture: Picture) -> np.ndarray:
    """How far something stands out, where it stands, and by which contrast.

    Saliency after Hou and Zhang (2007), rate of focused attention after Sun et al. (2009), contrasts after Itten as in
    Machajdik and Hanbury (2010).

    Returns
    -------
    25 values

    3 : rate of focused attention: share of saliency at the centre, at the crossings of the thirds and along the rim
    4 : share of the area that is salient, three times the mean or more; entropy of saliency over its maximum; share of
        saliency in its top tenth; mean over maximum; all 0 to 1
    7 : salient region less the rest: lightness, saturation, edges, a and b, -1 to 1; distance of the two mean colours;
        and the lightness difference without its sign
    11 : contrasts of the whole: standard deviation of lightness, saturation, a and b; shares that are dark, light,
        dull, vivid, and, weighted by saturation, warm; complementary hues; extension, the share of the commonest name
    """
    view = viewed(picture)
    salient, mass = view.saliency, shares(view.salience)
    region = salient >= min(3 * salient.mean(), 0.999 * salient.max()) if salient.max() else salient > 0
    ordered = np.sort(mass.ravel())[::-1]
    focus = (_masks(*mass.shape) * mass).sum((1, 2))
    spread = [region.mean(), entropy(mass), ordered[:max(1, mass.size // 10)].sum(),
              salient.mean() / (salient.max() + TINY)]
    return np.concatenate([focus, spread, _contrast(view, region), _itten(view)])


def saliency(picture: Picture) -> np.ndarray:
    """What stands out by the spectral residual (Hou and Zhang 2007): the spectrum less its own smooth trend.

    Computed at 64 pixels, as which size of things stands out depends on it, and added over lightness, a and b.

    Returns
    -------
    float32 [shape=(H, W)], 0 to 1, its maximum; all 0 for a picture of one colour

    Chapter: Probes.
    """
    return viewed(picture).saliency


@cache
def _masks(height: int, width: int) -> np.ndarray:
    x, y = np.linspace(-1, 1, width)[None], np.linspace(-1, 1, height)[:, None]
    centre = np.exp(-(x**2 + y**2) / (2 * 0.3**2))
    thirds = np.exp(-(np.square(np.abs(x) - 1 / 3) + np.square(np.abs(y) - 1 / 3)) / (2 * 0.15**2))
    rim = (np.maximum(np.abs(x), np.abs(y)) > 0.8).astype(float)
    return np.stack([centre, thirds, rim])


def _contrast(view: View, region: np.ndarray) -> list[float]:
    if not region.any() or region.all():
        return [0.0] * 7
    planes = (view.lightness, view.saturation, view.edges, *view.lab[1:])
    inside, whole = (np.array([plane[part].mean() for plane in planes]) for part in (region, ...))
    difference = (inside - whole) / (1 - region.mean())
    return [*difference, np.hypot(difference[3], difference[4]), abs(difference[0])]


def _itten(view: View) -> list[float]:
    light, vivid = view.lightness, view.saturation
    blurred = ndi.uniform_filter1d(view.hues, 15, mode="wrap")
    opposite = scipy.fft.irfft(np.square(np.abs(scipy.fft.rfft(blurred))))
    return [light.std(), vivid.std(), *(plane.std() for plane in view.lab[1:]),
            (light < 0.25).mean(), (light > 0.75).mean(), (vivid < 0.1).mean(), (vivid > 0.5).mean(),
            view.hues @ np.cos(ANGLES - np.pi / 6), opposite[128] / (opposite[0] + TINY),
            view.name_counts.max() / view.named.size]
