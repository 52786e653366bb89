"""CIELAB, and the eleven basic colour names."""

from functools import cache

import numpy as np

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

_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
_WHITE = _XYZ.sum(1, keepdims=True)
_LEVELS = np.arange(256) / 255
_LINEAR = np.where(_LEVELS <= 0.04045, _LEVELS / 12.92, ((_LEVELS + 0.055) / 1.055) ** 2.4).astype(np.float32)


def lab(colours: np.ndarray) -> np.ndarray:
    """CIELAB in hundreds (3, n), white D65, of uint8 (3, n)."""
    xyz = (_XYZ / _WHITE).astype(np.float32) @ _LINEAR[colours]
    x, y, z = np.where(xyz > 216 / 24389, np.cbrt(xyz), xyz * np.float32(24389 / 27 / 116) + np.float32(16 / 116))
    return np.stack([1.16 * y - 0.16, 5 * (x - y), 2 * (y - z)])


@cache
def name_table() -> np.ndarray:
    """Number of the name of each colour of five bits a channel: that of the nearest example in CIELAB."""
    channel = (np.arange(32) * 8 + 4).astype(np.uint8)
    colours = np.stack(np.meshgrid(channel, channel, channel, indexing="ij")).reshape(3, -1)
    examples = [(k, bytes.fromhex(code)) for k, codes in enumerate(EXAMPLES.values()) for code in codes.split()]
    known = lab(np.array([list(code) for _, code in examples], np.uint8).T)
    # the squared distance less what all examples share
    nearest = np.argmin(np.square(known).sum(0)[:, None] - 2 * known.T @ lab(colours), axis=0)
    return np.array([k for k, _ in examples], np.uint8)[nearest]
