"""What the encoders share: the files of weights that a user gives, and which stretches of music they hear.

Chapter: Then and now.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

Encode = Callable[[Path, dict], np.ndarray]
"""From the root of the data and a manifest row to a vector."""


def given(folder: Path, name: str, remedy: str) -> Path:
    """A file of weights in the folder that the user gives.

    Raises
    ------
    ValueError
        If it is not there, with the remedy.
    """
    path = folder / name
    if not path.is_file():
        raise ValueError(f"{path} is no file; expected {remedy}")
    return path


def spread(stretches: np.ndarray, most: int) -> np.ndarray:
    """No more than so many stretches (k, ...), evenly from the first to the last."""
    return stretches[np.linspace(0, len(stretches) - 1, min(len(stretches), most)).round().astype(int)]
