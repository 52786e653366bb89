"""What several principles do with a plane of values [shape=(H, W)], or with a histogram of shares."""

from collections.abc import Sequence

import numpy as np
import scipy.ndimage as ndi
from PIL import Image

TINY = 1e-6
FAINT = 1e-5
"""Squared slope, about one of 256 levels a pixel: less has no direction to speak of."""

ANGLES = 2 * np.pi * np.arange(256) / 256
"""The 256 steps of a turn."""


def slope(plane: np.ndarray, axis: int) -> np.ndarray:
    """Change a pixel, half that between a pixel's two neighbours; at a border that beside it."""
    plane = np.moveaxis(plane, axis, 0)
    inner = (plane[2:] - plane[:-2]) / 2
    return np.ascontiguousarray(np.moveaxis(np.concatenate([inner[:1], inner, inner[-1:]]), 0, axis))


def blur(plane: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur."""
    return ndi.gaussian_filter(plane, sigma, mode="nearest", truncate=3)


def resized(plane: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """Mean over boxes where smaller, between the nearest where larger."""
    how = Image.Resampling.BOX if shape[0] < plane.shape[0] else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(plane).resize((shape[1], shape[0]), how))


def means(plane: np.ndarray, window: int) -> np.ndarray:
    """Means over windows side by side; those at the right and lower border may be smaller."""
    return np.asarray(Image.fromarray(plane).reduce(window))


def shares(counts: np.ndarray) -> np.ndarray:
    """Counts over their sum; all 0 where there are none."""
    total = counts.sum()
    return counts / total if total > 0 else np.zeros(counts.shape)


def entropy(parts: np.ndarray) -> float:
    """Entropy of shares over its maximum, 0 to 1."""
    held = parts[parts > 0]
    return float(-(held * np.log(held)).sum() / np.log(parts.size)) if held.size else 0.0
