"""Small abstract pictures whose expression is set by valence, arousal and dominance.

A picture is one of a few scenes (hills, sea, confetti, strokes, lights, towers). Which scene, its layout, size and
orientation are free of the emotion; colour and form are set by it, after the literature on both.

Sources of the cues: Valdez and Mehrabian (1994, Journal of Experimental Psychology: General 123) for saturation and
brightness; Itten (1961, The Art of Color) and Machajdik and Hanbury (2010, ACM Multimedia) for hue, contrast, texture
and composition; Bar and Neta (2006, Psychological Science 17) for curved against sharp form.

Paper: stands in for the pictures of Section 2.  Chapter: Building the database.
"""

import colorsys
import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from acp_lib.database.synthetic.items import CENTROIDS

OVERSAMPLING = 2
HUES = {"awe": 205, "amusement": 45, "excitement": 335, "contentment": 130, "fear": 275, "disgust": 75, "anger": 4,
        "sadness": 225}
"""The hue that goes with each emotion, degrees."""


@dataclass(frozen=True)
class Look:
    """The expressive properties of a picture."""

    hue: float  # turns
    spread: float  # turns between the hues of a palette
    saturation: float
    brightness: float
    contrast: float  # range of brightness in the palette
    angularity: float  # 0 curves, 1 corners
    density: float  # number of things, relative
    grain: float  # standard deviation, grey levels
    haze: float  # 0 clear, 1 fog
    height: float  # where things gather, 0 top, 1 bottom

    @classmethod
    def draw(cls, valence: float, arousal: float, dominance: float, rng: np.random.Generator) -> "Look":
        v, a, d = (math.tanh(0.9 * x) / 0.9 for x in (valence, arousal, dominance))
        e = rng.normal(0, 1, 10)
        return cls(
            hue=_hue(valence, arousal, dominance) + 0.025 * e[0],
            spread=0.05 + 0.04 * _sigmoid(2 * a + 1.5 * v) + 0.01 * abs(e[1]),
            saturation=_clip(0.50 + 0.24 * a + 0.14 * v + 0.05 * e[2], 0.06, 0.95),
            brightness=_clip(0.58 + 0.27 * v - 0.06 * a - 0.06 * d + 0.03 * e[3], 0.18, 0.92),
            contrast=_clip(0.40 + 0.20 * a - 0.06 * v + 0.04 * e[4], 0.12, 0.75),
            angularity=_sigmoid(-4.0 * v + 1.5 * a + 0.4 * e[5]),
            density=2 ** (1.1 * a + 0.15 * e[6]),
            grain=2.0 + 12 * _sigmoid(-3.5 * v + 1.5 * a - 1.0 + 0.3 * e[7]),
            haze=_sigmoid(-3.5 * a - 0.5 * v - 0.5 + 0.3 * e[8]),
            height=_clip(0.55 - 0.18 * v + 0.08 * d + 0.03 * e[9], 0.25, 0.8),
        )

    def colour(self, place: float, tone: float) -> tuple[int, int, int]:
        """A colour of the palette: `place` -1 to 1 across its hues, `tone` -1 to 1 from dark to light."""
        value = _clip(self.brightness + 0.5 * self.contrast * tone, 0.04, 1.0)
        saturation = _clip(self.saturation * (1 - 0.25 * tone), 0, 1)
        red, green, blue = colorsys.hsv_to_rgb((self.hue + self.spread * place) % 1, saturation, value)
        return round(255 * red), round(255 * green), round(255 * blue)


def draw(valence: float, arousal: float, dominance: float, rng: np.random.Generator) -> Image.Image:
    """A picture.

    Parameters
    ----------
    valence, arousal, dominance : a place in the space of emotions; about -1 to 1, larger values saturate
    rng : decides everything else; the same generator state gives the same picture

    Returns
    -------
    RGB, or L for one in thirty; sides of 200 to 320 pixels

    Paper: stands in for the pictures of Section 2.  Chapter: Building the database.
    """
    look = Look.draw(valence, arousal, dominance, rng)
    scene = SCENES[int(rng.integers(len(SCENES)))]
    size = (int(rng.integers(200, 321)), int(rng.integers(200, 321)))
    canvas = _gradient(look, (size[0] * OVERSAMPLING, size[1] * OVERSAMPLING), rng)
    canvas = scene(canvas, look, rng)
    picture = _finish(canvas.resize(size, Image.Resampling.BOX), look, rng)
    return picture.convert("L") if rng.random() < 1 / 30 else picture


def hills(canvas: Image.Image, look: Look, rng: np.random.Generator) -> Image.Image:
    """Ridges before a sky with a sun or moon."""
    width, height = canvas.size
    pen = ImageDraw.Draw(canvas, "RGBA")
    _sun(pen, look, canvas.size, rng)
    ridges = int(rng.integers(3, 6))
    for k in range(ridges):
        depth = (k + 1) / ridges
        base = height * (look.height + (1.02 - look.height) * (k + 0.3) / ridges)
        line = base + height * 0.10 * (1.2 - 0.5 * depth) * _ridge(width, look, rng)
        fill = _mix(look.colour(0, 1), look.colour(rng.uniform(-1, 1), 0.5 - 1.5 * depth), 1 - look.haze * (1 - depth))
        _below(pen, line, canvas.size, fill)
    return canvas


def sea(canvas: Image.Image, look: Look, rng: np.random.Generator) -> Image.Image:
    """Rows of waves under a sky."""
    width, height = canvas.size
    pen = ImageDraw.Draw(canvas, "RGBA")
    _sun(pen, look, canvas.size, rng)
    rows = round(7 + 5 * _clip(look.density, 0.4, 2.2))
    for k in range(rows):
        depth = k / rows
        base = height * (look.height + (1 - look.height) * depth)
        line = base + height * (0.012 + 0.03 * depth) * math.sqrt(look.density) * _ridge(width, look, rng)
        tone = 0.7 - 1.4 * depth + 0.5 * (-1) ** k * (1 - 0.6 * look.haze)
        _below(pen, line, canvas.size, look.colour(0.6 * (-1) ** k, tone))
    return canvas


def confetti(canvas: Image.Image, look: Look, rng: np.random.Generator) -> Image.Image:
    """Scattered pieces, round or pointed."""
    pen = ImageDraw.Draw(canvas, "RGBA")
    for _ in range(round(45 * _clip(look.density, 0.35, 2.4))):
        radius = canvas.width * 0.016 * rng.lognormal(0.6, 0.45)
        fill = (*look.colour(rng.uniform(-1, 1), rng.uniform(-1, 1)), round(235 - 130 * look.haze))
        pen.polygon(_blob(_position(canvas.size, look, rng), radius, look, rng), fill=fill)
    return canvas


def strokes(canvas: Image.Image, look: Look, rng: np.random.Generator) -> Image.Image:
    """Brush strokes: arcs that flow or zigzags that break."""
    width, height = canvas.size
    pen = ImageDraw.Draw(canvas, "RGBA")
    slope = rng.uniform(-0.5, 0.5)
    for _ in range(round(22 * _clip(look.density, 0.4, 2.4))):
        x0, y0 = _position(canvas.size, look, rng)
        length = width * rng.uniform(0.25, 0.7)
        x = np.linspace(-0.5, 0.5, 40)
        y = y0 + slope * length * x + height * 0.05 * (0.6 + 0.5 * look.density) * _ridge(40, look, rng)
        fill = (*look.colour(rng.uniform(-1, 1), rng.uniform(-1, 1)), round(225 - 110 * look.haze))
        line = list(zip((x0 + length * x).tolist(), y.tolist(), strict=True))
        pen.line(line, fill=fill, width=round(width * rng.uniform(0.008, 0.03)), joint="curve")
    return canvas


def lights(canvas: Image.Image, look: Look, rng: np.random.Generator) -> Image.Image:
    """Out-of-focus lights, with a few in focus."""
    pen = ImageDraw.Draw(canvas, "RGBA")
    for sharp in (False, True):
        for _ in range(round(16 * _clip(look.density, 0.4, 2.2))):
            radius = canvas.width * rng.uniform(0.03, 0.11) * (0.4 if sharp else 1)
            fill = (*look.colour(rng.uniform(-1, 1), rng.uniform(-0.3, 1)), 110)
            pen.polygon(_blob(_position(canvas.size, look, rng), radius, look, rng), fill=fill)
        if not sharp:  # blurred small: the same to the eye and an order of magnitude cheaper
            small = canvas.reduce(4).filter(ImageFilter.GaussianBlur(2 + 5 * look.haze))
            canvas = small.resize(canvas.size, Image.Resampling.BILINEAR)
            pen = ImageDraw.Draw(canvas, "RGBA")
    return canvas


def towers(canvas: Image.Image, look: Look, rng: np.random.Generator) -> Image.Image:
    """Upright forms, from rounded trees to spikes."""
    width, height = canvas.size
    pen = ImageDraw.Draw(canvas, "RGBA")
    _sun(pen, look, canvas.size, rng)
    for layer in range(3):
        base = height * (look.height + (1 - look.height) * (0.35 + 0.32 * layer))
        for _ in range(round(9 * _clip(look.density, 0.5, 2.0))):
            x, half = rng.uniform(0, width), width * rng.uniform(0.02, 0.055)
            top = base - height * rng.uniform(0.12, 0.38)
            colour = look.colour(rng.uniform(-1, 1), rng.uniform(-0.3, 0.3) + 0.5 - 0.6 * layer)
            fill = _mix(look.colour(0, 1), colour, 1 - look.haze * (0.7 - 0.3 * layer))
            shoulder = top + half * (1 + 3 * look.angularity)
            outline = ((x - half, base), (x - half, shoulder), (x, top), (x + half, shoulder), (x + half, base))
            pen.polygon(outline, fill)
            round_top = half * (1 - look.angularity)
            pen.ellipse((x - half, shoulder - round_top * 1.6, x + half, shoulder + round_top * 1.6), fill)
        line = base + height * 0.015 * _ridge(width, look, rng)
        _below(pen, line, canvas.size, look.colour(0.3, 0.1 - 0.45 * layer))
    return canvas


SCENES = (hills, sea, confetti, strokes, lights, towers)


def _gradient(look: Look, size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    top, bottom = look.colour(rng.uniform(-1, 0.2), rng.uniform(-0.2, 0.3)), look.colour(rng.uniform(-0.2, 1), 0.9)
    rows = np.linspace(0, 1, 64)[:, None, None]
    column = (np.array(top) * (1 - rows) + np.array(bottom) * rows).astype(np.uint8)
    return Image.fromarray(column).resize(size, Image.Resampling.BILINEAR)


def _finish(picture: Image.Image, look: Look, rng: np.random.Generator) -> Image.Image:
    """Haze over all of it, then grain."""
    pixels = np.asarray(picture, np.float32)
    pixels = pixels + 0.25 * look.haze * (np.array(look.colour(0, 0.8), np.float32) - pixels)
    grain = rng.standard_normal(pixels.shape[:2], np.float32)[:, :, None]
    return Image.fromarray(np.clip(pixels + look.grain * grain, 0, 255).astype(np.uint8))


def _ridge(points: int, look: Look, rng: np.random.Generator) -> np.ndarray:
    """A line of unit height from curves and corners in the proportion of the angularity."""
    x = np.linspace(0, 1, points)
    waves = sum(np.sin(2 * np.pi * (f * x + rng.random())) / f for f in rng.uniform(0.6, 3.0, 3))
    corners = np.sort(rng.random(round(8 + 8 * look.density)))
    jagged = np.interp(x, np.concatenate(([0], corners, [1])), rng.uniform(-1.4, 1.4, len(corners) + 2))
    return (1 - look.angularity) * waves * 0.7 + look.angularity * jagged


def _blob(centre: tuple[float, float], radius: float, look: Look, rng: np.random.Generator) -> list[tuple]:
    """A disc whose outline is drawn in and out into a splinter as the angularity grows."""
    points = 20
    angle = 2 * np.pi * np.arange(points) / points + rng.uniform(0, 2 * np.pi)
    spike = np.where(np.arange(points) % 5 == 0, 1.7, 0.55)
    reach = radius * ((1 - look.angularity) + look.angularity * spike * rng.uniform(0.7, 1.3, points))
    x, y = centre[0] + reach * np.cos(angle), centre[1] + reach * np.sin(angle)
    return list(zip(x.tolist(), y.tolist(), strict=True))


def _sun(pen: ImageDraw.ImageDraw, look: Look, size: tuple[int, int], rng: np.random.Generator) -> None:
    x, y = size[0] * rng.uniform(0.15, 0.85), size[1] * look.height * rng.uniform(0.3, 0.8)
    radius = size[0] * rng.uniform(0.05, 0.1)
    for k in range(6, 0, -1):
        reach = radius * (1 + 0.45 * (k - 1))
        alpha = 255 if k == 1 else round(26 * (1 - 0.5 * look.haze))
        pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=(*look.colour(0.8, 1.2), alpha))


def _below(pen: ImageDraw.ImageDraw, line: np.ndarray, size: tuple[int, int], fill: tuple[int, ...]) -> None:
    x = np.linspace(0, size[0], len(line))[::4]
    outline = [*zip(x.tolist(), line[::4].tolist(), strict=True), (size[0], line[-1]), size, (0, size[1])]
    pen.polygon(outline, fill=fill)


def _position(size: tuple[int, int], look: Look, rng: np.random.Generator) -> tuple[float, float]:
    return size[0] * rng.uniform(-0.05, 1.05), size[1] * (look.height + 0.27 * rng.normal())


def _mix(one: tuple[int, ...], other: tuple[int, ...], share: float) -> tuple[int, ...]:
    return tuple(round(a + (b - a) * share) for a, b in zip(one, other, strict=True))


def _hue(valence: float, arousal: float, dominance: float) -> float:
    """The mean direction of the hues of the emotions near a point, in turns."""
    z = np.array((valence, arousal, dominance))
    weights = np.array([math.exp(-np.sum((z - CENTROIDS["image"][e]) ** 2) / (2 * 0.25**2)) for e in HUES]) + 1e-9
    angles = np.radians(list(HUES.values()))
    return math.atan2(float(weights @ np.sin(angles)), float(weights @ np.cos(angles))) / (2 * math.pi)


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def _clip(x: float, low: float, high: float) -> float:
    return min(max(float(x), low), high)
