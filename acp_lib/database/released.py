"""What the authors released of their songs' scores, and how many of those songs the paper still counts.

`imac_scores.yml` holds how many songs have which score, counted once in the authors' file, so that readers without the
file see the real distribution too.

Paper: Section 2, Table 3.  Chapter: Building the database.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from scipy.stats import binomtest, chi2_contingency

from acp_lib.database import tags
from acp_lib.emotions import CLASSES


@cache
def released() -> pd.DataFrame:
    """How many songs of the authors' score file have which score: positive, neutral, negative, songs."""
    made = yaml.safe_load((Path(__file__).parent / "imac_scores.yml").read_text("utf8"))
    return pd.DataFrame(made["scores"], columns=made["columns"])


def labelled(scores: pd.DataFrame, strict: bool = False) -> dict[str, int]:
    """Songs of each class by the paper's rule, or, `strict`, of those alone whose dominant class has no rival.

    scores : positive, neutral, negative, songs

    Chapter: Building the database.
    """
    three = scores[list(CLASSES)].to_numpy()
    names = np.array([tags.label(*map(int, row)) or "" for row in three])
    counted = (three == three.max(1, keepdims=True)).sum(1) == 1 if strict else np.ones(len(three), bool)
    return {c: int(scores["songs"][(names == c) & counted].sum()) for c in CLASSES}


@dataclass(frozen=True)
class Survival:
    """How many songs are left of those that were released, class by class.

    rows : a class, or "all", each: released, left, share, low, high (95 %, Wilson)
    chi2, dof, p : Pearson's test that the loss is the same in each class
    """

    rows: pd.DataFrame
    chi2: float
    dof: int
    p: float


def survival(released: dict[str, int], left: dict[str, int]) -> Survival:
    """Compare what is left with what there was.

    Raises
    ------
    ValueError
        If more is left of a class than there was: then it is no subset, and the labels were made by another rule.

    Chapter: Building the database.
    """
    for c in released:
        if not 0 <= left[c] <= released[c] or not released[c]:
            raise ValueError(f"{left[c]} songs of class {c} are left of {released[c]}; expected a part of them")
    there, kept = list(released.values()), [left[c] for c in released]
    n, k = (np.array([*x, sum(x)]) for x in (there, kept))
    low, high = np.transpose([binomtest(*some).proportion_ci(method="wilson") for some in zip(k, n, strict=True)])
    rows = pd.DataFrame({"row": [*released, "all"], "released": n, "left": k, "share": k / n, "low": low, "high": high})
    counts = np.array([k, n - k])[:, :-1]
    test = chi2_contingency(counts[counts.any(1)], correction=False)
    return Survival(rows, float(test.statistic), int(test.dof), float(test.pvalue))
