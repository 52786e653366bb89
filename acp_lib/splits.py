"""Training, validation and test sets, 70:10:20.

Paper: Section 4.
Chapter: Splits and pairs.
"""

import numpy as np
import pandas as pd

from acp_lib.emotions import CLASSES
from acp_lib.profiles import RATIOS

PARTS = ("train", "val", "test")


def units(table: pd.DataFrame, by: str) -> pd.Series:
    """What is kept whole: the artist where known (`artist`), the song or set of equal pictures (`song`), or nothing
    (`segment`).
    """
    if by == "segment":
        return table["id"]
    if by == "artist":
        return table["artist"].where(table["artist"] != "", table["group"])
    return table["group"]


def deal(table: pd.DataFrame, *, by: str = "song", seed: int = 0, ratios=RATIOS) -> pd.Series:
    """The part of each manifest row: train, val or test, stratified by modality and class.

    Within a class, shuffled units are dealt one by one to the part that lacks most of its share of samples. A unit
    whose samples have several classes (an artist's songs) counts for its most frequent one.

    Raises
    ------
    ValueError
        If a class of a modality has fewer than three units, so that some part would lack it.

    Paper: Section 4, ratios 70:10:20.  Chapter: Splits and pairs.
    """
    rng = np.random.default_rng([seed, 70])
    part = pd.Series("", index=table.index)
    unit = units(table, by)
    for modality in ("image", "music"):
        rows = table[table["modality"] == modality]
        main = rows["class"].groupby(unit[rows.index]).agg(lambda c: c.mode().iloc[0])
        size = unit[rows.index].value_counts()
        for label in CLASSES:
            members = sorted(main.index[main == label])
            if 0 < len(members) < 3:
                raise ValueError(f"class {label} has {len(members)} {modality} units to split (by {by}); give it 3 or "
                                 "more, so that training, validation and test each hold one")
            members = [members[i] for i in rng.permutation(len(members))]
            part.update(_deal_units(members, size, unit[rows.index], ratios))
    return part


def _deal_units(members: list, size: pd.Series, unit: pd.Series, ratios) -> pd.Series:
    held, target = np.zeros(3), np.array(ratios) * size[members].sum()
    chosen = {}
    for i, member in enumerate(members):
        # the first three units go one to each part, so that none is empty however large they are
        where = i if i < 3 else int(np.argmax((target - held) / target))
        chosen[member] = PARTS[where]
        held[where] += size[member]
    return unit.map(chosen).dropna()
