"""Small pictures for the convolutional networks.

Chapter: Baselines.
"""

from pathlib import Path

import numpy as np

from acp_lib.features import image


def describe(root: Path, row: dict, *, size: int) -> np.ndarray:
    """The picture of a manifest row: uint8 (size, size, 3)."""
    return image.read(root / row["path"], size)
