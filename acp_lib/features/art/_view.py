"""A picture, and what several principles need of it, each computed once."""

from functools import cached_property

import numpy as np
import scipy.fft
import scipy.ndimage as ndi
from PIL import Image

from acp_lib.features.art import _colour
from acp_lib.features.art._planes import TINY, blur, resized, shares, slope

SMALLEST = 16
"""Pixels a side that a picture needs."""

GREY = 0.05  # saturation below which a hue is not seen


class View:
    """What several principles need of one picture, each computed once."""

    def __init__(self, picture: np.ndarray):
        if not isinstance(picture, np.ndarray) or picture.dtype != np.uint8 or picture.ndim != 3 \
                or picture.shape[2] != 3 or min(picture.shape[:2]) < SMALLEST:
            raise ValueError(f"picture is {getattr(picture, 'dtype', type(picture).__name__)} {np.shape(picture)}; "
                             f"expected uint8 (H, W, 3) of {SMALLEST} pixels or more a side: convert it to RGB, or "
                             "enlarge it")
        self.picture = np.ascontiguousarray(picture)
        self.shape = picture.shape[:2]

    @cached_property
    def lab(self) -> np.ndarray:
        """CIELAB [shape=(3, H, W)], all three in hundreds: lightness 0 to 1, a and b about -1 to 1."""
        return _colour.lab(self.picture.reshape(-1, 3).T).reshape(3, *self.shape)

    @property
    def lightness(self) -> np.ndarray:
        return self.lab[0]

    @cached_property
    def saturation(self) -> np.ndarray:
        """Largest less smallest of R, G and B, 0 to 1: dark pixels have little, whatever their ratio."""
        r, g, b = self.picture.transpose(2, 0, 1)
        most, least = np.maximum(np.maximum(r, g), b), np.minimum(np.minimum(r, g), b)
        return (most - least).astype(np.float32) / 255

    @cached_property
    def hues(self) -> np.ndarray:
        """Saturation in each of 256 hues of HSV, red first, sums to 1, or to 0 where the picture is grey."""
        hue = np.asarray(Image.fromarray(self.picture).convert("HSV").getchannel(0))
        weight = np.where(self.saturation < GREY, 0, self.saturation)
        return shares(np.bincount(hue.ravel(), weight.ravel(), 256))

    @cached_property
    def slopes(self) -> tuple[np.ndarray, np.ndarray]:
        """Lightness a pixel along x and along y."""
        return slope(self.lightness, 1), slope(self.lightness, 0)

    @cached_property
    def edges(self) -> np.ndarray:
        """Steepness of the lightness, a pixel."""
        return np.hypot(*self.slopes)

    @cached_property
    def tensor(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Structure tensor of the lightness: cosine and sine part of the lines' doubled angle, and its trace."""
        x, y = self.slopes
        xx, yy, xy = (blur(part, 3) for part in (x * x, y * y, x * y))
        return yy - xx, 2 * xy, xx + yy

    @cached_property
    def lines(self) -> np.ndarray:
        """Edge strength in each of 256 steps of the doubled angle of lines, sums to 1, or 0 without edges."""
        c, s, _ = self.tensor
        angle = (np.arctan2(s, c) * (128 / np.pi)).astype(np.int64) & 255
        return shares(np.bincount(angle.ravel(), np.sqrt(np.hypot(c, s)).ravel(), 256))

    @cached_property
    def salience(self) -> np.ndarray:
        """Saliency at the size at which it is computed, the shorter side 64 pixels or less."""
        scale = max(1, min(self.shape) / 64)
        size = [round(n / scale) for n in self.shape]
        return _spectral_residual(np.stack([resized(plane, size) for plane in self.lab]))

    @cached_property
    def saliency(self) -> np.ndarray:
        return resized(self.salience, self.shape)

    @cached_property
    def named(self) -> np.ndarray:
        """Number of each pixel's colour name."""
        r, g, b = (self.picture >> 3).astype(np.intp).transpose(2, 0, 1)
        return _colour.name_table()[r << 10 | g << 5 | b]

    @cached_property
    def name_counts(self) -> np.ndarray:
        """Pixels of each colour name."""
        return np.bincount(self.named.ravel(), minlength=len(_colour.NAMES))

    @cached_property
    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """x (1, W) and y (H, 1) from -1 at one border to 1 at the other, upwards."""
        height, width = self.shape
        return (np.linspace(-1, 1, width, dtype=np.float32)[None],
                np.linspace(1, -1, height, dtype=np.float32)[:, None])


Picture = np.ndarray | View
"""A picture as `art.extract` takes it; or the view of one, which is looked at once by all."""


def viewed(picture: Picture) -> View:
    """The view of a picture; raises ValueError for what is none."""
    return picture if isinstance(picture, View) else View(picture)


def _spectral_residual(planes: np.ndarray) -> np.ndarray:
    spectrum = scipy.fft.dctn(planes, axes=(1, 2))  # by a Fourier transform, borders that differ would stand out
    amplitude = np.abs(spectrum)
    amplitude = np.maximum(amplitude, 1e-3 * amplitude.mean((1, 2), keepdims=True) + TINY)
    log = np.log(amplitude)
    trend = ndi.uniform_filter(log, (1, 3, 3), mode="reflect")
    power = np.square(scipy.fft.idctn(np.exp(log - trend) * spectrum / amplitude, axes=(1, 2)))
    contrast = planes.std((1, 2))
    found = blur(np.tensordot(contrast, power, 1), 2.5)
    return found / found.max() if contrast.max() > 1e-4 else np.zeros_like(found)
