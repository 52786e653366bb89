"""Whether the valence and arousal that Deezer published of songs agree with the labels of those that IMAC has, too.

Deezer's values were made from Last.fm tags, by a lexicon of the valence and arousal of words. The labels were made from
Last.fm tags, too, so that this is a check of consistency, and of the order in which scores are written, and no
independent truth. Source: Delbouys et al. (2018), Music mood detection based on audio and lyrics with deep neural net,
ISMIR.

Chapter: What the released labels are worth.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from acp_lib.database import text
from acp_lib.emotions import CLASSES
from acp_lib.experiment import intervals
from acp_lib.findings.stability import DRAWS, NONE, bootstrapped, counts, estimate, labels

AXES = ("valence", "arousal")
COLUMNS = ["MSD_track_id", "imac_pos_neu_neg", *(f"deezer_{axis}" for axis in AXES)]


def joined(path: Path, songs: pd.DataFrame) -> pd.DataFrame:
    """The songs of `songs` that Deezer's table has, with valence and arousal.

    Raises
    ------
    ValueError
        For a table with other columns, a value that is no number, a song that stands there twice, and one that `songs`
        lacks or whose score is another.
    """
    wanted = ",".join(COLUMNS)
    known = songs.drop_duplicates("track").set_index("track")
    score = dict(zip(known.index, ("_".join(map(str, row)) for row in counts(known)), strict=True))
    header, *lines = text.lines(path) or [""]
    if not f"{header},".startswith(f"{wanted},"):
        raise ValueError(f"{path.name} begins with {header[:80]!r}; expected the columns {wanted}")
    rows: dict[str, list[float]] = {}
    for number, line in enumerate(lines, 2):
        if not line.strip():
            continue
        track, given, *values = (*line.split(","), "")[:4]
        if wrong := ("it stands there twice" if track in rows else "the scores lack it" if track not in score else
                     f"its score is {score[track]}" if given != score[track] else
                     "" if all(map(_number, values)) and len(values) == 2 else "valence and arousal are numbers"):
            raise ValueError(f"{path.name}, line {number} is {line[:80]!r}, but {wrong}; expected {wanted} of songs of "
                             "the scores, each once")
        rows[track] = [float(v) for v in values]
    if not rows:
        raise ValueError(f"{path.name} holds no song; expected {wanted}, a song a line")
    return known.loc[list(rows)].reset_index().assign(**dict(zip(AXES, np.array(list(rows.values())).T, strict=True)))


def _number(given: str) -> bool:
    return bool(re.fullmatch(r"\s*[+-]?\d+(\.\d*)?(e[+-]?\d+)?\s*", given, re.IGNORECASE | re.ASCII))


def explained(values: np.ndarray, label: np.ndarray) -> float:
    """The share of a variance that lies between classes."""
    means = pd.Series(values).groupby(label).transform("mean")
    return float(np.var(means) / np.var(values))


def against(table: pd.DataFrame, draws: int = DRAWS) -> list[dict]:
    """Rows of what valence and arousal say of the labels: "mean" of each class; "explained", the share of variance that
    lies between classes; "auc", how often a positive song has a higher valence than a negative one, for each order in
    which the three columns of scores could be meant.

    table : as `joined` gives it

    Chapter: What the released labels are worth.
    """
    scores, artist = counts(table), table["artist"].to_numpy()
    own, rows = labels(scores), []
    for axis in AXES:
        values = table[axis].to_numpy()
        for k, c in enumerate(CLASSES):
            found = intervals.mean(values[own == k], artist[own == k], least=-np.inf, most=np.inf)
            rows.append({"what": "mean", "of": axis, "class": c, "n": int((own == k).sum()), **estimate(found)})
        rows += bootstrapped({"what": "explained"}, [axis], explained, [values, own], artist, draws)
    for order in permutations(range(NONE)):
        meant = labels(scores[:, order])
        means = table.groupby(meant)[list(AXES)].mean()
        about = {"what": "auc", "columns": [CLASSES[order.index(k)] for k in range(NONE)],
                 "falls": bool(means["valence"].is_monotonic_decreasing),
                 "calmest": bool(means["arousal"].idxmin() == 1)}
        rows += bootstrapped(about, ["value"], auc, [table["valence"].to_numpy(), meant], artist, draws)
    return rows


def auc(valence: np.ndarray, label: np.ndarray) -> float:
    """How often a positive song has a higher valence than a negative one."""
    some = np.isin(label, (0, 2))
    return float(roc_auc_score(label[some] == 0, valence[some]))


def order(orders: Sequence[dict]) -> str:
    """Whether valence and arousal bear out the order in which the columns of scores are named, in words, by the "auc"
    rows of `against`.

    Chapter: What the released labels are worth.
    """
    best = max(orders, key=lambda r: r["value"])
    fits = [r for r in orders if r["falls"] and r["calmest"]]
    named = tuple(best["columns"]) == CLASSES
    if named and fits == [best]:
        return ("the order as named: only in this order do all three hold: valence falls from positive through neutral "
                "to negative songs, neutral songs are the calmest, and positive songs lie above negative ones most "
                "often")
    if named:
        return "the order as named, by the valence of positive and negative songs; by all three classes not it alone"
    return f"another order, {', '.join(best['columns'])}"
