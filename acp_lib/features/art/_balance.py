"""Balance: how evenly a picture's weight is distributed."""

import numpy as np

from acp_lib.features.art._planes import FAINT, TINY, blur
from acp_lib.features.art._view import Picture, View, viewed

TURNS = ("left-right", "top-bottom", "half turn")


def balance(picture: Picture) -> np.ndarray:
    """How evenly the picture's weight is distributed: symmetry about its middle, and where the weight lies.

    After Zhao et al.'s bilateral, rotational and radial symmetry.

    Returns
    -------
    25 values

    12 : for the left-right and top-bottom mirror image and the half turn: correlation of the lightness, of the
        saturation and of the edges with the turned picture's, and agreement of the directions of lines, -1 to 1
    4 : radial symmetry: share of the variance of lightness, saturation and edges that lies between rings about the
        centre, 0 to 1, and how far slopes point to the centre (1) or around it (0)
    9 : for darkness, saturation and edges as weights: how far the centre of mass lies from the middle, 0 to 1.4, how
        far above it, -1 to 1, and how far the mass spreads about the middle, 0 to 1
    """
    view = viewed(picture)
    planes = (view.lightness, view.saturation, view.edges)
    turned = [value for turn in TURNS for value in
              (*(_correlation(plane, _turned(plane, turn)) for plane in planes), _agreement(view, turn))]
    x, y = view.places
    rings = np.minimum(np.sqrt((x * x + y * y) / 2) * 12, 11).astype(np.intp)
    radial = [_between(plane, rings) for plane in planes]
    masses = [_mass(weight, x, y) for weight in (1 - view.lightness, view.saturation, view.edges)]
    return np.concatenate([turned, radial, [_inward(view)], *masses])


def symmetry(picture: Picture, turn: str = "left-right") -> np.ndarray:
    """Where a picture's lines agree with those of its turned self: 1 the same direction, 0 none or across.

    Parameters
    ----------
    picture : see `extract`
    turn : one of `TURNS`

    Returns
    -------
    float32 [shape=(H, W)], 0 to 1; 0 where nothing is

    Chapter: Probes.
    """
    product, power = _products(viewed(picture), turn)
    return np.clip(blur(product, 3) / (blur(power, 3) + FAINT), 0, 1)


def _products(view: View, turn: str) -> tuple[np.ndarray, np.ndarray]:
    """Of the doubled line directions here and in the turned picture: product, and mean of squares."""
    if turn not in TURNS:
        raise ValueError(f"turn is {turn!r}; expected one of {', '.join(TURNS)}")
    c, s, _ = view.tensor
    strength = np.hypot(c, s)
    root = np.sqrt(strength) + TINY
    c, s = c / root, s / root
    sign = 1 if turn == "half turn" else -1  # a mirror turns rising lines into falling ones
    return c * _turned(c, turn) + sign * s * _turned(s, turn), (strength + _turned(strength, turn)) / 2


def _agreement(view: View, turn: str) -> float:
    product, power = _products(view, turn)
    return float(product.mean() / (power.mean() + TINY))


def _turned(plane: np.ndarray, turn: str) -> np.ndarray:
    return {"left-right": plane[:, ::-1], "top-bottom": plane[::-1], "half turn": plane[::-1, ::-1]}[turn]


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Correlation of planes of the same mean and variance; 1 for flat ones, which are equal."""
    mean = a.mean()
    variance = np.square(a - mean).mean()
    return float(((a - mean) * (b - mean)).mean() / variance) if variance > TINY**2 else 1.0


def _between(plane: np.ndarray, rings: np.ndarray) -> float:
    counts = np.bincount(rings.ravel(), minlength=12)
    means = np.bincount(rings.ravel(), plane.ravel(), 12) / np.maximum(counts, 1)
    return float(counts @ np.square(means - plane.mean()) / (plane.size * plane.var() + TINY))


def _inward(view: View) -> float:
    x, y = view.places
    along, down = view.slopes
    towards = np.square(along * x - down * y) / (x * x + y * y + TINY)
    return float(towards.sum() / (np.square(view.edges).sum() + TINY))


def _mass(weight: np.ndarray, x: np.ndarray, y: np.ndarray) -> list[float]:
    total = weight.sum() + TINY
    columns, rows = weight.sum(0) / total, weight.sum(1) / total
    across, up = float(columns @ x[0]), float(rows @ y[:, 0])
    spread = float(columns @ np.square(x[0]) + rows @ np.square(y[:, 0]))
    return [np.hypot(across, up), up, np.sqrt(spread / 2)]
