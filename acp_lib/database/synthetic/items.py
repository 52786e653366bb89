"""What is to be drawn: of each picture and song the label, its truth, the point that it expresses, and its fate."""

import hashlib
from dataclasses import dataclass

import numpy as np

from acp_lib import paper, streams
from acp_lib.emotions import EMOTIONS, regroup

NOISE = 0.08
"""Share of labels that are not the truth."""

CENTROIDS: dict[str, dict[str, tuple[float, ...]]] = {
    "image": {  # valence, arousal, dominance
        "awe": (0.55, 0.10, -0.55),
        "amusement": (0.75, 0.35, 0.25),
        "excitement": (0.55, 0.80, 0.45),
        "contentment": (0.45, -0.60, 0.20),
        "fear": (-0.55, 0.60, -0.65),
        "disgust": (-0.65, 0.10, 0.15),
        "anger": (-0.55, 0.65, 0.65),
        "sadness": (-0.60, -0.60, -0.35),
    },
    "music": {"positive": (0.55, 0.50), "neutral": (0.40, -0.60), "negative": (-0.60, -0.15)},  # valence, arousal
}
"""Where the emotions of pictures and the classes of songs lie; their keys are the labels of each modality."""

STANDARD_DEVIATION = {"image": 0.22, "music": 0.20}
"""Of the points around their centroid, in each direction: emotions overlap, and yet small networks leave chance within
minutes.
"""

SHARES = {"image": paper.IMAGES, "music": paper.SONGS}
"""Items of each class, to which the classes here are proportional."""

FETCHABLE = {
    "awe": 2881, "amusement": 4724, "excitement": 2725, "contentment": 5130,
    "fear": 969, "disgust": 1591, "anger": 1176, "sadness": 2633,
}
"""Pictures of each emotion that a later group could still fetch; to these the emotions of a class are proportional."""

SMALLEST = {"image": 16, "music": 9}
"""Items that a database needs."""

FEWEST = {"image": 12, "music": 3}
"""Items of a label, where there are enough of all."""

SONGS_PER_ARTIST = 3
COPIES = 4
PLANTED = {"image": ("lost", "lost", "lost", "truncated"), "music": ("lost", "lost", "lost", "unreadable", "short")}
"""Fates of the items that come on top of the usable ones."""



@dataclass(frozen=True)
class Item:
    """A picture or a song before it is drawn."""

    modality: str
    index: int
    name: str  # the picture's file name, the song's track id
    label: str  # an emotion; of a song, a class
    truth: str
    point: tuple[float, ...]
    fate: str = "kept"

    @property
    def id(self) -> str:
        """The id that it has in the manifest."""
        return f"{self.label}/{self.name}" if self.modality == "image" else self.name

    @property
    def artist(self) -> int:
        """Number of the artist of a song."""
        return self.index // SONGS_PER_ARTIST


def counts(modality: str, n: int) -> dict[str, int]:
    """How many of `n` pictures each emotion labels, or how many of `n` songs each class; most labels have their due.

    Raises
    ------
    ValueError
        If `n` is too small for each label to occur often enough.

    Paper: Table 3.
    """
    if n < SMALLEST[modality]:
        raise ValueError(f"n_{'images' if modality == 'image' else 'songs'} is {n}; expected {SMALLEST[modality]} or "
                         "more")
    share: dict[str, float] = dict(SHARES["music"])
    if modality == "image":
        whole = {c: sum(FETCHABLE[e] for e in EMOTIONS if regroup(e) == c) for c in SHARES["image"]}
        share = {e: SHARES["image"][regroup(e)] * FETCHABLE[e] / whole[regroup(e)] for e in EMOTIONS}
    due = np.array(list(share.values()), float)
    due = due / due.sum() * n
    number = np.full(len(due), min(FEWEST[modality], n // SMALLEST[modality]))
    for _ in range(n - number.sum()):
        number[np.argmax(due - number)] += 1
    return dict(zip(share, number.tolist(), strict=True))


def plan(modality: str, n: int, seed: int) -> list[Item]:
    """All items of a modality, the usable ones first; nothing in a name or in the order tells the label."""
    deck = [label for label, k in counts(modality, n).items() for _ in range(k)]
    rng = streams.generator("labels of the items", seed, modality)
    dealt = [deck[i] for i in (*rng.permutation(n), *rng.integers(n, size=len(PLANTED[modality])))]
    fates = ["kept"] * n + list(PLANTED[modality])
    return [_item(modality, i, *x, seed) for i, x in enumerate(zip(dealt, fates, strict=True))]


def _item(modality: str, index: int, label: str, fate: str, seed: int) -> Item:
    rng = streams.generator("an item", seed, modality, index)
    others = [x for x in CENTROIDS[modality] if x != label]
    truth = label if rng.random() >= NOISE else str(rng.choice(others))
    centroid = np.array(CENTROIDS[modality][truth])
    point = centroid + STANDARD_DEVIATION[modality] * rng.standard_normal(len(centroid))
    name = picture_name(index) if modality == "image" else f"TRSYNTH{index:011X}"
    return Item(modality, index, name, label, truth, tuple(point.tolist()), fate)


def picture_name(index: int) -> str:
    """The file name of a picture by its number."""
    return f"{1_000_000_000 + index}_{hashlib.sha256(str(index).encode()).hexdigest()[:10]}.jpg"
