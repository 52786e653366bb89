"""The songs' tags: clean ones of each class, some that mislead, and the Last.fm database that holds them."""

import sqlite3
from contextlib import closing
from itertools import chain
from pathlib import Path

import numpy as np

from acp_lib import streams
from acp_lib.database.synthetic.items import Item
from acp_lib.emotions import CLASSES

TAGS = {  # the most frequent first
    "positive": (
        "happy", "energetic", "happy music", "joyous", "makes me happy", "so energetic", "energetic rock",
        "feel good happy", "happy songs", "makes me energetic and wanna dance", "high energetic", "joyous noise",
        "this will always make me happy", "happy driving", "happy fun ball", "happy place",
    ),
    "neutral": (
        "calm", "relaxing", "relax", "soothing", "calming", "cool and relaxing music", "relaxed", "calmness",
        "soothing voice", "soothing for the ear to hear", "calm down", "relaxing piano", "music to relax",
        "chill and relax", "oddly soothing", "Sunday relax",
    ),
    "negative": (
        "sad", "sad songs", "sadness", "makes me sad", "beautifully sad", "painful", "pain", "so sad", "sad love song",
        "for the painfully alone", "slow sad songs", "life is pain", "romantic pain", "sad true and beautiful",
        "painfully good", "mellow and rather sad",
    ),
}
MISLEADING = (
    "spain", "happysad", "unhappy", "sad but happy", "painting", "Sade", "not calm", "relaxing sadness", "happy pain",
    "made in Spain", "sade adu", "crusade", "never sad", "painted red", "energetic but calm",
)
SLIPPED = "full spainy"
"""A misleading tag that stands in the authors' own list of clean ones; here only songs labelled negative carry it."""

GENRES = (
    "rock", "pop", "electronic", "indie", "folk", "jazz", "ambient", "instrumental", "singer-songwriter", "acoustic",
    "80s", "female vocalists", "guitar", "experimental", "seen live", "favorites",
)


def carried(song: Item, seed: int) -> dict[str, int]:
    """Tag -> weight (1 to 100): the label's class leads by the number of its tags, now and then tied with a less
    positive one.
    """
    rng = streams.generator("tags of a song", seed, song.index)
    lead, rank = 1 + min(int(rng.poisson(0.8)), 5), CLASSES.index(song.label)
    chosen = _pick(TAGS[song.label], lead, rng)
    for rival, label in enumerate(CLASSES):
        most = lead if rival > rank else lead - 1
        if rival != rank:
            tie = rival > rank and song.index % 10 == 5
            chosen += _pick(TAGS[label], lead if tie else min(int(rng.poisson(0.25)), most), rng)
    if song.index % 2 == 0:
        chosen.append(MISLEADING[song.index // 2 % len(MISLEADING)])
    if song.label == "negative" and song.index % 3 == 0:
        chosen.append(SLIPPED)
    chosen += _pick(GENRES, int(rng.integers(2, 7)), rng)
    return {chosen[i]: 100 if k == 0 else int(rng.integers(1, 100)) for k, i in enumerate(rng.permutation(len(chosen)))}


def of_others(n: int, seed: int) -> dict[str, dict[str, int]]:
    """Tags of `n` tracks that no tag of an emotion brought into the collection."""
    rng = streams.generator("tags of other tracks", seed)
    return {f"TRSYNTH{n + i:011X}": dict.fromkeys(_pick(GENRES, int(rng.integers(1, 5)), rng), 50) for i in range(n)}


def _pick(tags: tuple[str, ...], n: int, rng: np.random.Generator) -> list[str]:
    """`n` different tags, one more often the earlier it stands."""
    weight = 1 / np.arange(1, len(tags) + 1)
    return [tags[i] for i in rng.choice(len(tags), n, replace=False, p=weight / weight.sum())]


def write(path: Path, tags: dict[str, dict[str, int]]) -> None:
    """A Last.fm tag database of tags and their weights by track."""
    number = {t: i for i, t in enumerate(dict.fromkeys(chain.from_iterable(tags.values())), 1)}
    links = [(i, number[t], val) for i, held in enumerate(tags.values(), 1) for t, val in held.items()]
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE tids (tid TEXT)")
        db.execute("CREATE TABLE tags (tag TEXT)")
        db.execute("CREATE TABLE tid_tag (tid INT, tag INT, val FLOAT)")
        db.executemany("INSERT INTO tids VALUES (?)", [(t,) for t in tags])
        db.executemany("INSERT INTO tags VALUES (?)", [(t,) for t in number])
        db.executemany("INSERT INTO tid_tag VALUES (?, ?, ?)", links)
        db.commit()
        path.write_bytes(db.serialize())
