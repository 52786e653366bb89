"""What ACP-Net has been shown to do on this data, step by step: beat chance, beat one-sided baselines, beat its
additive approximation; only then it compares. All chapters state it with the one sentence that is made here.

Paper: Section 3, Table 4.
Chapter: Is it really cross-modal?
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from acp_lib.audits import additive
from acp_lib.engine.text import number, span
from acp_lib.experiment import evaluation, intervals
from acp_lib.experiment.pairs import joint, oracle
from acp_lib.results import store
from acp_lib.results.scores import called, of, scored
from acp_lib.results.tables import row_of

if TYPE_CHECKING:
    from acp_lib.study import Study

HALVES = {"picture alone": "who sees the picture alone", "music alone": "who hears the music alone"}
"""The trained guessers of `baselines.BASELINES` and what they are called here."""
ADDITIVE = "its best additive approximation"
TITLES = dict(zip(HALVES.values(), ("the trained image-only baseline", "the trained music-only baseline"), strict=True))
"""What tables call HALVES, where otherwise than results."""

STEPS = {
    "chance": "it has not been shown to beat chance",
    "one-sided": "it beats chance, but has not been shown to beat the one-sided baselines",
    "additive": "it beats the one-sided baselines, but has not been shown to do more than add up its judgements of the "
                "two halves",
    "compares": "it does more than add up its judgements of the two halves: it compares"}
"""What is said of a network that gets so far, from the lowest step to the highest."""


def measured(network: np.ndarray, others: dict[str, np.ndarray], *names: np.ndarray) -> list[dict]:
    """Rows in per cent and points: the accuracy of "ACP-Net", then its lead over each other method.

    network : whether each run was right about each pair [shape=(runs, n)]
    others : the same for the other methods [shapes=(n,) or (runs, n)]

    Returns
    -------
    {"row", "values": one per run, and the rest of `intervals.Estimate.row`, over runs, pictures and songs together}
    """
    return [{"row": "ACP-Net", **scored(list(network), *names)}] + [
        {"row": name, "values": (100 * (network - other).mean(1)).tolist(),
         **intervals.difference(network, other, *names).scaled(100).row()} for name, other in others.items()]


def load(study: Study) -> list[dict]:
    """Rows of `measured` for the audited networks, against the guessers of HALVES and ADDITIVE: the first with "chance"
    and "one_sided" (the best who knows the true class of one half), in per cent; the last, which is the gap, with
    "explained", the share of the variance of each run's logits that adding accounts for, in per cent.

    Chapter: Is it really cross-modal?; Verdicts.
    """
    return store.load(study, "standing", _rows)


def _rows(study: Study) -> list[dict]:
    audited, emap = study.audited, additive.emap_table(study)
    table = joint(study.profile.pairing.pairs, *study.corpus.counts("test"))
    right = {name: np.array(emap[name].tolist(), float) for name in ("network", "additive")}
    halves = {who: study.baselines[name].to_numpy(float) for name, who in HALVES.items()}
    rows = measured(right["network"], {**halves, ADDITIVE: right["additive"]},
                    *evaluation.groups(study.manifest, study.test_pairs()))
    rows[0] |= {"chance": oracle(table), "one_sided": max(oracle(table, axis) for axis in (0, 1))}
    rows[-1] |= {"explained": (100 * emap["explained"]).tolist()}
    return [{**row, **of(audited)} for row in rows]


def reached(rows: Sequence[dict]) -> str:
    """The highest of STEPS that has been shown. A step needs whole intervals above its bar, and all steps before it.

    rows : as `load` gives them

    Chapter: Is it really cross-modal?
    """
    network, *halves, gap = (row_of(list(rows), name) for name in ("ACP-Net", *HALVES.values(), ADDITIVE))
    lowest = network["interval"][0]
    if not lowest > network["chance"]:
        return "chance"
    if not (lowest > network["one_sided"] and all(row["interval"][0] > 0 for row in halves)):
        return "one-sided"
    return "compares" if gap["interval"][0] > 0 else "additive"


def sentence(study: Study) -> str:
    """What ACP-Net does on this data, in the words of all chapters.

    Chapter: ACP-Net; Baselines; Is it really cross-modal?; The garden of forking paths; Paper versus ours; Verdicts.
    """
    return said(load(study), study.data_name)


def said(rows: Sequence[dict], data: str) -> str:
    """The sentence that `rows`, as `load` gives them, allow of the data of that name."""
    network, gap = (row_of(list(rows), name) for name in ("ACP-Net", ADDITIVE))
    pairs = network["pairs"].replace("_", "-")
    return (f"On {data} {called(network)} is right on {network['ours']:.1f} % of the {pairs} test pairs (95 % CI "
            f"over runs, pictures and songs {span(network['interval'])}); its lead over {ADDITIVE} is "
            f"{number(gap['ours'], sign='+')} points ({span(gap['interval'], sign='+')}). So "
            f"{STEPS[reached(rows)]}.")
