"""A figure that computes while it is read: what guessers get, for class proportions that a reader sets.

Chapter: Shortcuts.
"""

from collections.abc import Sequence

import numpy as np

from acp_lib.emotions import CLASSES
from acp_lib.engine.text import plain
from acp_lib.figures import live


def data(presets: dict[str, tuple[Sequence[int], Sequence[int]]], reported: float) -> dict:
    """What book/_static/guessers.js asks for.

    presets : name -> samples of each of three classes, of pictures and of music, none 0; the first is shown at first
    reported : accuracy in per cent at which a line stands
    """
    return {"classes": list(CLASSES), "reported": reported,
            "presets": [[plain(name), *(np.asarray(side).tolist() for side in counts)]
                        for name, counts in presets.items()]}


def show(presets: dict[str, tuple[Sequence[int], Sequence[int]]], reported: float) -> None:
    """Show the figure; arguments as of `data`."""
    live.show("guessers", data(presets, reported))
