"""Principles of art, measured by hand-made features: what a picture does with its elements, without a network.

After Zhao et al., "Exploring principles-of-art features for image emotion recognition", ACM Multimedia 2014, whose six
principles are kept. What stands for each was chosen anew where theirs needs a segmentation, an eye model or tables that
are not at hand, so the values are like theirs, not equal to them.

Paper: Section 4, Results on emotion recognition; Table 5, art-based emotion features.
Chapter: Probes.
"""

from itertools import accumulate
from pathlib import Path

import numpy as np

from acp_lib.features.art._balance import TURNS, balance, symmetry
from acp_lib.features.art._colour import EXAMPLES, NAMES
from acp_lib.features.art._emphasis import emphasis, saliency
from acp_lib.features.art._gradation import WINDOWS, gradation, variation
from acp_lib.features.art._harmony import SECTORS, harmony, hues, template_fit
from acp_lib.features.art._movement import flow, movement, scanpath
from acp_lib.features.art._variety import palette, variety
from acp_lib.features.art._view import View

__all__ = ["EXAMPLES", "NAMES", "PRINCIPLES", "SECTORS", "TURNS", "WIDTH", "WIDTHS", "WINDOWS", "balance", "describe",
           "emphasis", "extract", "flow", "gradation", "harmony", "hues", "movement", "palette", "saliency", "scanpath",
           "symmetry", "template_fit", "variation", "variety"]

WIDTHS = {"balance": 25, "emphasis": 25, "harmony": 14, "variety": 24, "gradation": 19, "movement": 19}
_ENDS = list(accumulate(WIDTHS.values()))

PRINCIPLES = {name: slice(end - WIDTHS[name], end) for name, end in zip(WIDTHS, _ENDS, strict=True)}
WIDTH = _ENDS[-1]


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
    view = View(picture)
    return np.concatenate([principle(view) for principle in
                           (balance, emphasis, harmony, variety, gradation, movement)]).astype(np.float32)


def describe(root: Path, row: dict, *, size: int) -> np.ndarray:
    """The art features of the picture of one manifest row: float32 (WIDTH,)."""
    from acp_lib.features import image  # brings torchvision, slow to import

    return extract(image.read(root / row["path"], size))
