"""A figure to look through rankings: all pictures for a piece of music, all music for a picture, by each method.

Chapter: Retrieval.
"""

import base64
from collections.abc import Callable, Collection

import numpy as np

from acp_lib.audits.ranked import Ranked
from acp_lib.emotions import CLASSES
from acp_lib.engine.text import plain
from acp_lib.experiment.corpus import Corpus

WHOLE = 65535  # stands for 1


def data(ranked: Ranked, corpus: Corpus, *, picture: Callable[[int], tuple[str, str]], song: Callable[[int], str],
         heard: Collection[int] = ()) -> dict:
    """What book/_static/ranking.js asks for.

    Parameters
    ----------
    picture : from a row of the corpus to the address of a picture and to its name, which is anyone's
    song : from a row to its name
    heard : rows of the music that the page has players of, as `report.player` numbers them
    """
    pictures = [{"name": plain(name), "label": int(corpus.image.label[row]), "image": address}
                for row in ranked.image for address, name in [picture(int(row))]]
    songs = [{"name": plain(song(int(row))), "label": int(corpus.music.label[row])}
             | ({"row": int(row)} if row in heard else {}) for row in ranked.music]
    return {"pictures": pictures, "songs": songs, "classes": list(CLASSES),
            "methods": [{"name": plain(name), "scores": encoded(score)} for name, score in ranked.methods.items()]}


def encoded(share: np.ndarray) -> str:
    """Numbers from 0 to 1 as base64 of little-endian 16 bits each, row by row."""
    return base64.b64encode(np.rint(share * WHOLE).astype("<u2").tobytes()).decode()
