"""Training, validation and test sets, 70:10:20.

Paper: Section 4.
Chapter: Splits and pairs.
"""

from collections.abc import Sequence
from typing import get_args

import numpy as np
import pandas as pd
import scipy

from acp_lib import streams
from acp_lib.emotions import CLASSES
from acp_lib.profiles.groups import Split

PARTS = ("train", "val", "test")
RATIOS = (0.7, 0.1, 0.2)  # Paper: Section 4
UNITS: tuple[str, ...] = get_args(Split)
"""The units that a split can keep whole."""


def units(table: pd.DataFrame, by: str) -> pd.Series:
    """The unit of each row that is kept whole: the artist where known (`artist`), the song or set of equal files
    (`song`), or the single segment (`segment`). Artists that share an equal file count as one; pictures and music never
    share a unit.

    Raises
    ------
    ValueError
        For another `by`.
    """
    if by not in UNITS:
        raise ValueError(f"split is {by!r}; expected one of {', '.join(UNITS)}")
    if by == "segment":
        return table["id"]
    if by == "song":
        return table["group"]
    artist = table["modality"] + table["artist"].where(table["artist"] != "", "/" + table["group"])
    (i, groups), (j, artists) = pd.factorize(table["group"]), pd.factorize(artist)
    links = scipy.sparse.coo_array((np.ones(len(table)), (i, len(groups) + j)), shape=(len(groups) + len(artists),) * 2)
    whole = scipy.sparse.csgraph.connected_components(links, directed=False)[1][i]
    return table["group"].groupby(whole).transform("min")


def assign_split(table: pd.DataFrame, *, by: str = "song", seed: int = 0, draw: int = 0, folds: int = 0) -> pd.Series:
    """The part of each manifest row: train, val or test, stratified by modality and class; 70:10:20, or by folds.

    Within a class, units are shuffled and assigned one by one to the part that is furthest below its share of samples.
    A unit whose samples have several classes (an artist's songs) counts as its most frequent class. Each `draw` gives
    another split. With `folds`, the samples are divided once into equal folds: fold number `draw` is the test part and
    the next fold is validation, so the draws 0 to `folds` - 1 test each sample once.

    Raises
    ------
    ValueError
        If a part lacks a class of a modality, which always happens if the class has fewer units than there are parts
        or folds; for one or two folds.

    Paper: Section 4, ratios 70:10:20.  Chapter: Splits and pairs.
    """
    names, ratios = _shares(folds, draw)
    rng = streams.generator("split", seed, 0 if folds else draw)
    place = pd.Series(-1, index=table.index)
    unit = units(table, by)
    for modality in (name for name in ("image", "music") if (table["modality"] == name).any()):
        rows = table[table["modality"] == modality]
        main = pd.crosstab(unit[rows.index], rows["class"]).idxmax(axis=1)
        size = unit[rows.index].value_counts()
        for label in CLASSES:
            members = sorted(main.index[main == label])
            members = [members[i] for i in rng.permutation(len(members))]
            place.update(unit[rows.index].map(deal(members, size, ratios)).dropna().astype(int))
        for label in CLASSES:
            held = rows.index[rows["class"] == label]
            if len(held) and (lacking := [name for i, name in enumerate(names) if i not in set(place[held])]):
                hold = f"each of {folds} folds holds" if folds else "training, validation and test each hold"
                whole = f" (by {by})" if modality == "music" else ""
                raise ValueError(f"class {label} has {unit[held].nunique()} {modality} units to split{whole}, and "
                                 f"{lacking[0]} got none of them; give it {len(ratios)} or more of its own, so that "
                                 f"{hold} one")
    return place.map(dict(enumerate(names)))


def _shares(folds: int, draw: int) -> tuple[list[str], tuple[float, ...]]:
    """The name of the part that receives each share of the units, and the shares."""
    if not folds:
        return list(PARTS), RATIOS
    if folds < 3:
        raise ValueError(f"folds is {folds}; expected 0, or 3 or more: one to test, one to validate, the rest to train")
    names = ["train"] * folds
    names[draw % folds], names[(draw + 1) % folds] = "test", "val"
    return names, (1 / folds,) * folds


def deal(members: list, size: pd.Series, ratios: Sequence[float]) -> dict:
    """Assign the units of one class to parts, in the given order, each to the part that is furthest below its share;
    return the number of the part of each unit.

    Parameters
    ----------
    members : shuffled units; size : number of samples of each unit
    ratios : share of each part, such as training, validation and test

    Chapter: Splits and pairs.
    """
    held, target = np.zeros(len(ratios)), np.array(ratios) * size[members].sum()
    chosen = {}
    for i, member in enumerate(members):
        # the first units go one to each part, so that none is empty however large they are
        where = i if i < len(ratios) else int(np.argmax((target - held) / target))
        chosen[member] = where
        held[where] += size[member]
    return chosen


def torn(table: pd.DataFrame, part: pd.Series, by: str) -> int:
    """Number of units, as defined by `units`, with samples in more than one part of a split.

    Chapter: Splits and pairs.
    """
    return int((part.groupby(units(table, by)).nunique() > 1).sum())


def siblings_in_training(table: pd.DataFrame, part: pd.Series) -> float:
    """Share, from 0 to 1, of the test segments of music that have another segment of their song in training.

    Chapter: Splits and pairs.
    """
    song = table["group"][table["modality"] == "music"]
    side = part[song.index]
    return float(song[side == "test"].isin(song[side == "train"]).mean())
