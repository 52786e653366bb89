"""Principles of art, measured by hand-made features: what a picture does with its elements, without a network.

After Zhao et al., "Exploring principles-of-art features for image emotion recognition", ACM Multimedia 2014, whose six
principles are kept. What stands for each was chosen anew where theirs needs a segmentation, an eye model or tables that
are not at hand, so the values are like theirs, not equal to them.

Paper: Section 4, Results on emotion recognition; Table 5, art-based emotion features.
Chapter: Probes.
"""

from functools import cache, cached_property
from itertools import accumulate
from pathlib import Path

import numpy as np
import scipy.fft
import scipy.ndimage as ndi
from PIL import Image

WIDTHS = {"balance": 25, "emphasis": 25, "harmony": 14, "variety": 24, "gradation": 19, "movement": 19}
_ENDS = list(accumulate(WIDTHS.values()))

PRINCIPLES = {name: slice(end - WIDTHS[name], end) for name, end in zip(WIDTHS, _ENDS, strict=True)}
WIDTH = _ENDS[-1]

SMALLEST = 16
"""Pixels a side that a picture needs."""

TURNS = ("left-right", "top-bottom", "half turn")

SECTORS = {
    "i": ((0, 18),), "I": ((0, 18), (180, 18)), "V": ((0, 93.6),), "L": ((0, 18), (90, 79.2)),
    "Y": ((0, 93.6), (180, 18)), "T": ((0, 180),), "X": ((0, 93.6), (180, 93.6)),
}
"""Hue templates from the narrowest to the widest: the centre and width of each sector, degrees (Cohen-Or et al. 2006).

Matsuda's eighth, N, has no sector: it is for pictures without hues.
"""

GREY = 0.05  # saturation below which a hue is not seen
SLACK = 1.0  # degrees by which a narrow template may fit worse than a wide one

EXAMPLES = {
    "black": "000000 141414 1a1a2a 2a1a1a 1a261a", "blue": "0000ff 1e50c8 000080 6496e6 87beeb 00a0dc 2d5078 1e3c64",
    "brown": "78461e 5a321e 8c5a32 a07850 462d1e 6e5a3c", "grey": "808080 5a5a5a a5a5a5 c0c0c0 404040",
    "green": "00a000 008040 00c800 64a046 5a782d 284628 96dc78 00785a 40e0a0", "orange": "ff8000 f0a03c e66e1e d2691e",
    "pink": "ff69b4 ffb4c8 f096a0 e65a96 ff00c8", "purple": "800080 643296 a050c8 b496dc 3c1e50 502878",
    "red": "ff0000 c81414 960000 dc3c3c 780f19", "white": "ffffff f0f0f0 fff5e6 e6f0fa dcdcdc",
    "yellow": "ffff00 f0d232 fff08c c8b400 e6d77d",
}
"""Pictures' colours by the eleven basic colour names of Berlin and Kay: sRGB examples of each."""

NAMES = tuple(EXAMPLES)

WINDOWS = (4, 8, 16)
"""Pixels a side of the windows in which `gradation` compares variations."""

_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
_WHITE = _XYZ.sum(1, keepdims=True)
_LEVELS = np.arange(256) / 255
_LINEAR = np.where(_LEVELS <= 0.04045, _LEVELS / 12.92, ((_LEVELS + 0.055) / 1.055) ** 2.4).astype(np.float32)

_TINY = 1e-6
_FAINT = 1e-5  # squared slope, about one of 256 levels a pixel: less has no direction to speak of


def describe(root: Path, row: dict, *, size: int) -> np.ndarray:
    """The art features of the picture of one manifest row: float32 (WIDTH,)."""
    from acp_lib.features import image  # brings torchvision, slow to import

    return extract(image.read(root / row["path"], size))


def extract(picture: np.ndarray) -> np.ndarray:
    """All six principles of a picture, in the order of `PRINCIPLES`.

    Parameters
    ----------
    picture : np.ndarray of uint8 [shape=(H, W, 3)], sRGB, 16 pixels or more a side; its size matters, so have one size

    Returns
    -------
    float32 [shape=(WIDTH,)], finite

    Raises
    ------
    ValueError
        If it is anything else.

    Paper: Section 4, Table 5.  Chapter: Probes.
    """
    view = _view(picture)
    return np.concatenate([principle(view) for principle in
                           (balance, emphasis, harmony, variety, gradation, movement)]).astype(np.float32)


class _View:
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
        return _lab(self.picture.reshape(-1, 3).T).reshape(3, *self.shape)

    @cached_property
    def lightness(self) -> np.ndarray:
        return self.lab[0]

    @cached_property
    def saturation(self) -> np.ndarray:
        """Largest less smallest of R, G and B, 0 to 1: dark pixels have little, whatever their ratio."""
        r, g, b = self.picture.transpose(2, 0, 1)
        most, least = np.maximum(np.maximum(r, g), b), np.minimum(np.minimum(r, g), b)
        return (most - least).astype(np.float32) / 255

    @cached_property
    def hue(self) -> np.ndarray:
        """Of HSV, 256 steps a turn, red at 0."""
        return np.asarray(Image.fromarray(self.picture).convert("HSV").getchannel(0))

    @cached_property
    def hues(self) -> np.ndarray:
        """Saturation in each of 256 hues, sums to 1, or to 0 where the picture is grey."""
        weight = np.where(self.saturation < GREY, 0, self.saturation)
        return _shares(np.bincount(self.hue.ravel(), weight.ravel(), 256))

    @cached_property
    def slopes(self) -> tuple[np.ndarray, np.ndarray]:
        """Lightness a pixel along x and along y."""
        return _slope(self.lightness, 1), _slope(self.lightness, 0)

    @cached_property
    def edges(self) -> np.ndarray:
        """Steepness of the lightness, a pixel."""
        return np.hypot(*self.slopes)

    @cached_property
    def tensor(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Structure tensor of the lightness: cosine and sine part of the lines' doubled angle, and its trace."""
        x, y = self.slopes
        xx, yy, xy = (_blur(part, 3) for part in (x * x, y * y, x * y))
        return yy - xx, 2 * xy, xx + yy

    @cached_property
    def lines(self) -> np.ndarray:
        """Edge strength in each of 256 steps of the doubled angle of lines, sums to 1, or 0 without edges."""
        c, s, _ = self.tensor
        angle = (np.arctan2(s, c) * (128 / np.pi)).astype(np.int64) & 255
        return _shares(np.bincount(angle.ravel(), np.sqrt(np.hypot(c, s)).ravel(), 256))

    @cached_property
    def salience(self) -> np.ndarray:
        """Saliency at the size at which it is computed, the shorter side 64 pixels or less."""
        scale = max(1, min(self.shape) / 64)
        size = [round(n / scale) for n in self.shape]
        return _residual(np.stack([_resized(plane, size) for plane in self.lab]))

    @cached_property
    def saliency(self) -> np.ndarray:
        return _resized(self.salience, self.shape)

    @cached_property
    def named(self) -> np.ndarray:
        """Number of each pixel's colour name."""
        r, g, b = (self.picture >> 3).astype(np.intp).transpose(2, 0, 1)
        return _name_table()[r << 10 | g << 5 | b]

    @cached_property
    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """x (1, W) and y (H, 1) from -1 at one border to 1 at the other, upwards."""
        height, width = self.shape
        return (np.linspace(-1, 1, width, dtype=np.float32)[None],
                np.linspace(1, -1, height, dtype=np.float32)[:, None])


def _view(picture) -> _View:
    return picture if isinstance(picture, _View) else _View(picture)


# --- Balance


def balance(picture: np.ndarray) -> np.ndarray:
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
    view = _view(picture)
    planes = (view.lightness, view.saturation, view.edges)
    turned = [value for turn in TURNS for value in
              (*(_correlation(plane, _turned(plane, turn)) for plane in planes), _agreement(view, turn))]
    x, y = view.places
    rings = np.minimum(np.sqrt((x * x + y * y) / 2) * 12, 11).astype(np.intp)
    radial = [_between(plane, rings) for plane in planes]
    masses = [_mass(weight, x, y) for weight in (1 - view.lightness, view.saturation, view.edges)]
    return np.concatenate([turned, radial, [_inward(view)], *masses])


def symmetry(picture: np.ndarray, turn: str = "left-right") -> np.ndarray:
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
    product, power = _products(_view(picture), turn)
    return np.clip(_blur(product, 3) / (_blur(power, 3) + _FAINT), 0, 1)


def _products(view: _View, turn: str) -> tuple[np.ndarray, np.ndarray]:
    """Of the doubled line directions here and in the turned picture: product, and mean of squares."""
    if turn not in TURNS:
        raise ValueError(f"turn is {turn!r}; expected one of {', '.join(TURNS)}")
    c, s, _ = view.tensor
    strength = np.hypot(c, s)
    root = np.sqrt(strength) + _TINY
    c, s = c / root, s / root
    sign = 1 if turn == "half turn" else -1  # a mirror turns rising lines into falling ones
    return c * _turned(c, turn) + sign * s * _turned(s, turn), (strength + _turned(strength, turn)) / 2


def _agreement(view: _View, turn: str) -> float:
    product, power = _products(view, turn)
    return float(product.mean() / (power.mean() + _TINY))


def _turned(plane: np.ndarray, turn: str) -> np.ndarray:
    return {"left-right": plane[:, ::-1], "top-bottom": plane[::-1], "half turn": plane[::-1, ::-1]}[turn]


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Correlation of planes of the same mean and variance; 1 for flat ones, which are equal."""
    mean = a.mean()
    variance = np.square(a - mean).mean()
    return float(((a - mean) * (b - mean)).mean() / variance) if variance > _TINY**2 else 1.0


def _between(plane: np.ndarray, rings: np.ndarray) -> float:
    counts = np.bincount(rings.ravel(), minlength=12)
    means = np.bincount(rings.ravel(), plane.ravel(), 12) / np.maximum(counts, 1)
    return float(counts @ np.square(means - plane.mean()) / (plane.size * plane.var() + _TINY))


def _inward(view: _View) -> float:
    x, y = view.places
    along, down = view.slopes
    towards = np.square(along * x - down * y) / (x * x + y * y + _TINY)
    return float(towards.sum() / (np.square(view.edges).sum() + _TINY))


def _mass(weight: np.ndarray, x: np.ndarray, y: np.ndarray) -> list[float]:
    total = weight.sum() + _TINY
    columns, rows = weight.sum(0) / total, weight.sum(1) / total
    across, up = float(columns @ x[0]), float(rows @ y[:, 0])
    spread = float(columns @ np.square(x[0]) + rows @ np.square(y[:, 0]))
    return [np.hypot(across, up), up, np.sqrt(spread / 2)]


# --- Emphasis


def emphasis(picture: np.ndarray) -> np.ndarray:
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
    view = _view(picture)
    salient, mass = view.saliency, _shares(view.salience)
    region = view.saliency >= min(3 * salient.mean(), 0.999 * salient.max()) if salient.max() else salient > 0
    ordered = np.sort(mass.ravel())[::-1]
    spread = [region.mean(), _entropy(mass), ordered[:max(1, mass.size // 10)].sum(),
              salient.mean() / (salient.max() + _TINY)]
    return np.concatenate([_focus(mass), spread, _contrast(view, region), _itten(view)])


def saliency(picture: np.ndarray) -> np.ndarray:
    """What stands out by the spectral residual (Hou and Zhang 2007): the spectrum less its own smooth trend.

    Computed at 64 pixels, as which size of things stands out depends on it, and added over lightness, a and b.

    Returns
    -------
    float32 [shape=(H, W)], 0 to 1, its maximum; all 0 for a picture of one colour

    Chapter: Probes.
    """
    return _view(picture).saliency


def _residual(planes: np.ndarray) -> np.ndarray:
    spectrum = scipy.fft.dctn(planes, axes=(1, 2))  # by a Fourier transform, borders that differ would stand out
    amplitude = np.abs(spectrum)
    amplitude = np.maximum(amplitude, 1e-3 * amplitude.mean((1, 2), keepdims=True) + _TINY)
    log = np.log(amplitude)
    trend = ndi.uniform_filter(log, (1, 3, 3), mode="reflect")
    power = np.square(scipy.fft.idctn(np.exp(log - trend) * spectrum / amplitude, axes=(1, 2)))
    contrast = planes.std((1, 2))
    found = _blur(np.tensordot(contrast, power, 1), 2.5)
    return found / found.max() if contrast.max() > 1e-4 else np.zeros_like(found)


@cache
def _masks(height: int, width: int) -> np.ndarray:
    x, y = np.linspace(-1, 1, width)[None], np.linspace(-1, 1, height)[:, None]
    centre = np.exp(-(x**2 + y**2) / (2 * 0.3**2))
    thirds = np.exp(-(np.square(np.abs(x) - 1 / 3) + np.square(np.abs(y) - 1 / 3)) / (2 * 0.15**2))
    rim = (np.maximum(np.abs(x), np.abs(y)) > 0.8).astype(float)
    return np.stack([centre, thirds, rim])


def _focus(mass: np.ndarray) -> np.ndarray:
    return (_masks(*mass.shape) * mass).sum((1, 2))


def _contrast(view: _View, region: np.ndarray) -> list[float]:
    if not region.any() or region.all():
        return [0.0] * 7
    planes = (view.lightness, view.saturation, view.edges, view.lab[1], view.lab[2])
    share = region.mean()
    inside = np.array([plane[region].mean() for plane in planes])
    whole = np.array([plane.mean() for plane in planes])
    difference = (inside - whole) / (1 - share)
    return [*difference, np.hypot(difference[3], difference[4]), abs(difference[0])]


def _itten(view: _View) -> list[float]:
    light, vivid = view.lightness, view.saturation
    angle = 2 * np.pi * np.arange(256) / 256
    opposite = scipy.fft.irfft(np.square(np.abs(scipy.fft.rfft(_blurred_turn(view.hues)))))
    return [light.std(), vivid.std(), view.lab[1].std(), view.lab[2].std(),
            (light < 0.25).mean(), (light > 0.75).mean(), (vivid < 0.1).mean(), (vivid > 0.5).mean(),
            view.hues @ np.cos(angle - np.pi / 6), opposite[128] / (opposite[0] + _TINY), palette(view)[0].max()]


def _blurred_turn(shares: np.ndarray) -> np.ndarray:
    return ndi.uniform_filter1d(shares, 15, mode="wrap")


# --- Harmony


def harmony(picture: np.ndarray) -> np.ndarray:
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
    view = _view(picture)
    residuals = _misfits(view.hues).min(1) / 180
    first = np.exp(2j * np.pi * np.arange(256) / 256) @ view.hues
    lines = _misfits(view.lines)[:2].min(1) / 180
    return np.array([*residuals, (view.saturation < GREY).mean(), abs(first), first.real, first.imag,
                     _entropy(view.hues), *lines])


def template_fit(picture: np.ndarray) -> tuple[str, float, float]:
    """The hue template that fits a picture best: the narrowest within a degree of the best.

    Returns
    -------
    name : one in `SECTORS`, or N for a grey picture
    angle : rotation of the template, degrees from 0 to 360, counted from red over yellow
    residual : mean distance of a hue to the nearest sector, degrees

    Chapter: Probes.
    """
    view = _view(picture)
    if not view.hues.any():
        return "N", 0.0, 0.0
    misfits = _misfits(view.hues)
    least = misfits.min(1)
    best = int(np.argmax(least <= least.min() + SLACK))
    return list(SECTORS)[best], _middle(misfits[best]), float(least[best])


def hues(picture: np.ndarray) -> np.ndarray:
    """Share of the saturation in each of 256 hues, from red over yellow [shape=(256,)]; all 0 for a grey picture.

    Chapter: Probes.
    """
    return _view(picture).hues


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


# --- Variety


def variety(picture: np.ndarray) -> np.ndarray:
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
    view = _view(picture)
    shares, _ = palette(view)
    cubes = (view.picture >> 4).astype(np.intp)
    cubes = np.bincount((cubes[..., 0] << 8 | cubes[..., 1] << 4 | cubes[..., 2]).ravel(), minlength=4096)
    steps = np.searchsorted([0.005, 0.01, 0.02, 0.04, 0.08], view.edges.ravel())
    return np.concatenate([
        shares, [(shares >= 0.01).mean(), _entropy(shares), _entropy(_shares(cubes))],
        np.bincount(steps, minlength=6) / steps.size, [_entropy(view.lines)], _pieces(view.edges > 0.04)])


def palette(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Share of each of the eleven basic colour names, and the mean colour of the pixels of that name.

    Returns
    -------
    shares : float [shape=(11,)], sums to 1
    colours : uint8 [shape=(11, 3)], black for names without a pixel

    Chapter: Probes.
    """
    view = _view(picture)
    names = view.named.ravel()
    counts = np.bincount(names, minlength=len(NAMES))
    sums = [np.bincount(names, view.picture[..., k].ravel(), len(NAMES)) for k in range(3)]
    return counts / names.size, (np.array(sums).T / np.maximum(counts, 1)[:, None]).round().astype(np.uint8)


@cache
def _name_table() -> np.ndarray:
    """Number of the name of each colour of five bits a channel: that of the nearest example in CIELAB."""
    channel = (np.arange(32) * 8 + 4).astype(np.uint8)
    colours = np.stack(np.meshgrid(channel, channel, channel, indexing="ij")).reshape(3, -1)
    examples = [(k, bytes.fromhex(code)) for k, codes in enumerate(EXAMPLES.values()) for code in codes.split()]
    places = _lab(np.array([list(code) for _, code in examples], np.uint8).T)
    # the squared distance less what all examples share
    nearest = np.argmin(np.square(places).sum(0)[:, None] - 2 * places.T @ _lab(colours), axis=0)
    return np.array([k for k, _ in examples], np.uint8)[nearest]


def _pieces(strong: np.ndarray) -> list[float]:
    label, n = ndi.label(strong, np.ones((3, 3)))
    if not n:
        return [0.0] * 3
    logs = np.log(np.bincount(label.ravel())[1:]) / np.log(strong.size)
    return [min(50 * n / strong.size, 1), np.median(logs), logs.std()]


# --- Gradation


def gradation(picture: np.ndarray) -> np.ndarray:
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
    view = _view(picture)
    values = []
    for planes in (view.lab[:1], view.lab[1:]):
        found = _variations(planes)
        values.append(found[0][0].mean())
        for total, relative in found:
            values += [total.std() / (total.mean() + 1e-3), np.log1p(relative).mean()]
    return np.array([*values, *_ramp(view)])


def variation(picture: np.ndarray, window: int = 8) -> np.ndarray:
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
    return _variations(_view(picture).lab[:1])[WINDOWS.index(window)][1]


def _variations(planes: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Total and relative variation for each of `WINDOWS`, both (rows, columns)."""
    slopes = [[_slope(plane, axis) for plane in planes] for axis in (1, 0)]
    found = []
    for window in WINDOWS:
        total = [sum(_means(np.abs(s), window) for s in axis) for axis in slopes]
        inherent = [sum(np.abs(_means(s, window)) for s in axis) for axis in slopes]
        found.append((sum(total), sum(t / (i + 1e-3) for t, i in zip(total, inherent, strict=True))))
    return found


def _ramp(view: _View) -> list[float]:
    x, y = view.places
    values, explained = [], 0.0
    for plane in (view.lightness, view.saturation):
        up = plane.mean(1) @ y[:, 0] / (y * y).sum()
        across = plane.mean(0) @ x[0] / (x * x).sum()
        if plane is view.lightness:
            explained = (up**2 * np.mean(y * y) + across**2 * np.mean(x * x)) / (plane.var() + _TINY)
        values += [2 * up, 2 * abs(across)]
    return [*values, explained]


# --- Movement


def movement(picture: np.ndarray) -> np.ndarray:
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
    view = _view(picture)
    _, coherence = flow(view)
    angle = 2 * np.pi * np.arange(256) / 256
    c, s = view.lines @ np.cos(angle), abs(view.lines @ np.sin(angle))
    strength = np.sqrt(view.tensor[2].clip(0))
    kinds = [view.lines @ (np.cos(angle) > np.sqrt(0.5)), view.lines @ (np.cos(angle) < -np.sqrt(0.5))]
    weighted = (coherence * strength).sum() / (strength.sum() + _TINY)
    changes = [value for window in (1, 4, 8) for value in _directions(_means(view.lightness, window))]
    return np.array([*kinds, view.lines.sum() - sum(kinds), c, s, *changes, coherence.mean(), weighted,
                     coherence.std(), *_jumps(scanpath(view))])


def flow(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Direction of the lines about each pixel, and how far they are of one direction, by the structure tensor.

    Returns
    -------
    orientation : float32 [shape=(H, W)], radians from 0, horizontal, over pi / 2, upright, to pi, counter-clockwise
    coherence : float32 [shape=(H, W)], 0 (no line, or of all directions) to 1

    Chapter: Probes.
    """
    c, s, trace = _view(picture).tensor
    return np.arctan2(s, c) / 2 % np.float32(np.pi), np.hypot(c, s) / (trace + _FAINT)


def scanpath(picture: np.ndarray, n: int = 6) -> np.ndarray:
    """Places in the order of their saliency, each keeping the next ones away from itself.

    A stand-in for where a viewer looks first, second and so on (winner takes all, with inhibition of return, as in Itti
    et al. 1998).

    Returns
    -------
    float [shape=(n, 2)], x and y from 0, left and top, to 1; all in the middle of a picture of one colour

    Chapter: Probes.
    """
    left = _view(picture).salience.copy()
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
    across = np.abs(steps[:, 0]).sum() / (np.abs(steps).sum() + _TINY)
    return [lengths.mean(), across, lengths.std(), np.hypot(*(path[0] - 0.5)), 0.5 - path[0, 1]]


# --- Shared


def _lab(colours: np.ndarray) -> np.ndarray:
    """CIELAB in hundreds (3, n), white D65, of uint8 (3, n)."""
    xyz = (_XYZ / _WHITE).astype(np.float32) @ _LINEAR[colours]
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), xyz * np.float32(24389 / 27 / 116) + np.float32(16 / 116))
    x, y, z = f
    return np.stack([1.16 * y - 0.16, 5 * (x - y), 2 * (y - z)])


def _slope(plane: np.ndarray, axis: int) -> np.ndarray:
    """Change a pixel, half that between a pixel's two neighbours; at a border that beside it."""
    plane = np.moveaxis(plane, axis, 0)
    inner = (plane[2:] - plane[:-2]) / 2
    return np.ascontiguousarray(np.moveaxis(np.concatenate([inner[:1], inner, inner[-1:]]), 0, axis))


def _blur(plane: np.ndarray, sigma: float) -> np.ndarray:
    return ndi.gaussian_filter(plane, sigma, mode="nearest", truncate=3)


def _resized(plane: np.ndarray, shape) -> np.ndarray:
    """Mean over boxes where smaller, between the nearest where larger."""
    how = Image.Resampling.BOX if shape[0] < plane.shape[0] else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(plane).resize((shape[1], shape[0]), how))


def _means(plane: np.ndarray, window: int) -> np.ndarray:
    """Means over windows side by side; those at the right and lower border may be smaller."""
    return np.asarray(Image.fromarray(plane).reduce(window))


def _shares(counts: np.ndarray) -> np.ndarray:
    total = counts.sum()
    return counts / total if total > 0 else np.zeros(counts.shape)


def _entropy(shares: np.ndarray) -> float:
    """Entropy over its maximum, 0 to 1."""
    held = shares[shares > 0]
    return float(-(held * np.log(held)).sum() / np.log(shares.size)) if held.size else 0.0
