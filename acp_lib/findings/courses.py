"""What recorded runs of ACP-Net came to: by setting, and by the number of songs, pictures and pairs.

Chapter: ACP-Net.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from acp_lib.engine.text import number
from acp_lib.profiles.groups import Network

KEYS = ["fc_width", "learning_rate", "batch", "dropout", "dropout_at", "initialisation"]
DEFAULTS = {f.name: f.default for f in fields(Network) if f.name in KEYS}
"""Of settings that a row does not name."""


def compared(results: Sequence[dict]) -> pd.DataFrame:
    """A row for each setting and corpus: "data", the setting, "runs", "left" (how many left the plateau), "median" (the
    epoch; None where fewer than half left), "updates" (an epoch), "level", the "reach" of its interval over folds by
    Student's t, and "two".

    results : as `recorded.read` gives them

    Chapter: ACP-Net.
    """
    rows = []
    for result in results:
        table = pd.DataFrame([{**DEFAULTS, **row} for row in result["rows"]])
        for own, some in table.groupby(KEYS, sort=False):
            left = some["left"].fillna(np.inf)
            rows.append({"data": result["data"], **dict(zip(KEYS, own, strict=True)), "runs": len(some),
                         "left": int(np.isfinite(left).sum()),
                         "median": None if np.isinf(left.median()) else float(left.median()),
                         "updates": int(some["updates"].iloc[0]), "level": some["level"].mean(),
                         "reach": float(stats.t.ppf(0.975, len(some) - 1) * stats.sem(some["level"])),
                         "two": some["two"].mean()})
    return pd.DataFrame(rows)


def place(row: Any) -> str:
    """Where a setting drops, in words; a row of `compared`."""
    return "none" if row.dropout == 0 else {"fusion": "fusion", "hidden": "each hidden layer",
                                            "not_embeddings": "each but the embeddings"}[row.dropout_at]


def until(row: Any) -> int | None:
    """Updates until half of the runs had left, of a row of `compared`; None where fewer did."""
    return None if pd.isna(row.median) else int(row.median * row.updates)


def side_by_side(tried: pd.DataFrame) -> list[dict]:
    """A row for each setting of `compared`, and one for two classifiers, with what became of it on each corpus.

    Chapter: ACP-Net.
    """
    rows = []
    for _, own in tried.groupby(KEYS, sort=False):
        r = next(own.itertuples())
        rows.append({"Width": f"{r.fc_width:g}", "Rate": f"{r.learning_rate:g}", "Dropout": place(r),
                     "Weights": r.initialisation, **{r.data: _course_in_words(r) for r in own.itertuples()}})
    two = {data: f"{own['two'].mean():.1f}" for data, own in tried.groupby("data", sort=False)}
    return [*rows, {"Width": None, "Rate": None, "Dropout": "two classifiers", "Weights": None, **two}]


def _course_in_words(row: Any) -> str:
    updates = until(row)
    when = "" if updates is None else f", {updates:,} updates"
    return f"{row.left} of {row.runs}{when}: {row.level:.1f} ± {row.reach:.1f}"


def summary(tried: pd.DataFrame) -> dict[str, object]:
    """What the settings of `compared` come to, all corpora together: for dropout in the fusion and after each hidden
    layer, the median of updates until half had left; for Glorot's weights, how many left; and how far the levels of
    places of dropout lie apart, at most, at PyTorch's initial weights.

    Chapter: ACP-Net.
    """
    said: dict[str, object] = {}
    own = tried[(tried["dropout"] > 0) & (tried["initialisation"] == "pytorch")]
    for at in ("fusion", "hidden"):
        some = own[own["dropout_at"] == at]
        middle = (some["median"].astype(float).fillna(np.inf) * some["updates"]).median()
        said[f"{at}_updates"] = int(middle) if np.isfinite(middle) else "more than were made"
        glorot = tried[(tried["dropout"] > 0) & (tried["initialisation"] == "glorot") & (tried["dropout_at"] == at)]
        said |= {f"glorot_{at}_left": int(glorot["left"].sum()), f"glorot_{at}_runs": int(glorot["runs"].sum())}
    alike = own[own["left"] == own["runs"]].groupby(["data", "fc_width", "learning_rate"])["level"]
    said["apart"] = float((alike.max() - alike.min()).max())
    return said


def leads(table: pd.DataFrame) -> str:
    """What ACP-Net is ahead of two classifiers by with all samples, a corpus after the other; from `by_samples`."""
    last = table[table["varied"] == "music"].sort_values("samples").groupby("data").tail(1)
    return "; ".join(f"on {r.data} ACP-Net scores {r.level:.1f} % and late fusion {r.two:.1f} % (difference "
                     f"{number(r.lead, sign='+')}, standard error over the folds {r.error:.1f})"
                     for r in last.itertuples())


def by_samples(results: Sequence[dict]) -> pd.DataFrame:
    """A row for each corpus, modality ("varied") and number of training "samples": mean "level" of ACP-Net and of "two"
    classifiers over the folds, and how much more ACP-Net gets, "lead", with its standard error "error".

    Chapter: ACP-Net.
    """
    rows = []
    for result in results:
        table = pd.DataFrame(result["rows"])
        table["image_share"], table["music_share"] = (
            table[m] / table.groupby("fold")[m].transform("max") for m in ("image", "music"))
        for varied, other in (("music", "image"), ("image", "music")):
            some = table[table[f"{other}_share"] == 1]
            for _, own in some.groupby(some[f"{varied}_share"].round(1)):
                rows.append({"data": result["data"], "varied": varied, "samples": own[varied].mean(), **_over(own)})
    return pd.DataFrame(rows)


def by_pairs(results: Sequence[dict]) -> pd.DataFrame:
    """As `by_samples`, by the number of training pairs that were drawn; where each epoch draws its own, all of them.

    Chapter: ACP-Net.
    """
    rows = []
    for result in results:
        for n, own in pd.DataFrame(result["rows"]).groupby("pairs"):
            drawn = int((own["updates"] * own["batch"] * own["curve"].map(len)).max())
            rows.append({"data": result["data"], "varied": "pairs", "samples": n or drawn, "anew": not n, **_over(own)})
    return pd.DataFrame(sorted(rows, key=lambda row: (row["data"], row["samples"])))


def gained(results: Sequence[dict], kept: int) -> str:
    """What new pairs in each epoch gain over so many that come again, a corpus after the other, with the half-width of
    its 95 % interval over folds; of `pairs`.

    Chapter: ACP-Net.
    """
    return "; ".join(f"{result['data']}, {number(gain, sign='+')} ± {reach:.1f}"
                     for result in results for gain, reach in [_gain(result, kept)])


def most(results: Sequence[dict], kept: int) -> float:
    """The upper end of the interval of what new pairs gain over so many that come again, on the corpus where it is
    highest.

    Chapter: ACP-Net.
    """
    return max(gain + reach for gain, reach in (_gain(result, kept) for result in results))


def enough(results: Sequence[dict]) -> int:
    """The smallest number of pairs that were drawn from which on, on each corpus, the interval of what new ones gain
    does not lie above zero.

    Raises
    ------
    ValueError
        Without results, or if new pairs gain over each number.

    Chapter: ACP-Net.
    """
    tried = sorted({row["pairs"] for result in results for row in result["rows"]} - {0})
    helped = [n for n in tried if any(gain > reach for gain, reach in (_gain(result, n) for result in results))]
    if not (left := [n for n in tried if n > max(helped, default=0)]):
        raise ValueError(f"new pairs gain over each number of pairs that was tried, {tried}; record more pairs")
    return left[0]


def _gain(result: dict, kept: int) -> tuple[float, float]:
    """The mean over folds of what new pairs gain, and the half-width of its interval by Student's t."""
    levels = pd.DataFrame(result["rows"]).pivot(index="fold", columns="pairs", values="level")
    more = levels[0] - levels[kept]
    return float(more.mean()), float(stats.t.ppf(0.975, len(more) - 1) * stats.sem(more))


def _over(own: pd.DataFrame) -> dict:
    lead = own["level"] - own["two"]
    return {"level": own["level"].mean(), "two": own["two"].mean(), "lead": lead.mean(),
            "error": lead.std() / np.sqrt(len(own)), "left": int(own["left"].notna().sum()), "runs": len(own)}
