"""One way to score answers: the mean over runs with its interval, and what a score is held against.

Chapter: ACP-Net.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from torch import nn

from acp_lib.experiment import evaluation, intervals
from acp_lib.experiment import pairs as protocols
from acp_lib.experiment.corpus import Corpus, Pairs

if TYPE_CHECKING:
    from acp_lib.study import Study


def of(study: Study, protocol: str | None = None) -> dict:
    """What an accuracy of this study's ACP-Net on test pairs is of, as every result that holds one says it.

    Returns
    -------
    {"network": as `Study.network`, "seeds": of its runs, "split": what is kept whole, "pairs": their protocol, by
    default the profile's, "n_pairs"}

    Chapter: ACP-Net.
    """
    p, pairs = study.profile, study.test_pairs(protocol)
    return {"network": study.network, "seeds": list(p.run_seeds), "split": p.splitting.split,
            "pairs": protocol or p.pairing.pairs, "n_pairs": len(pairs)}


def called(row: dict, short: bool = False) -> str:
    """The name of a row of results, with the network that it is of: "ACP-Net (main)", or "ACP-Net (audit, an eighth of
    the width)", which is "ACP-Net (audit)" in short.

    Chapter: ACP-Net; Baselines; Is it really cross-modal?
    """
    network = row.get("network")
    return f"{row['row']} ({network.split(',')[0] if short else network})" if network else row["row"]


def acp_net(study: Study) -> str:
    """The name of this study's network, as `called` has it.

    Chapter: Probes; What it gets right and wrong; Retrieval; Paper versus ours.
    """
    return called({"row": "ACP-Net", "network": study.network})


def scored(right: Sequence[np.ndarray], *names: np.ndarray) -> dict:
    """Accuracy in per cent, with its interval.

    Parameters
    ----------
    right : for each run, whether it is right about each item [shape=(n,)]
    names : clusters for `intervals.mean`, such as pictures and songs

    Returns
    -------
    {"ours": the mean, "interval", "variances": as in `intervals.Estimate.row`, over the clusters and, if there are
    several, over runs; "values": one per run}

    Chapter: ACP-Net.
    """
    return {**intervals.mean(right, *names).scaled(100).row(), "values": [100 * float(np.mean(r)) for r in right]}


def ranked(scores: dict[str, float]) -> list[str]:
    """Names from the highest score to the lowest; those of equal scores in the order in which they come.

    Chapter: Baselines.
    """
    return sorted(scores, key=lambda name: -scores[name])


def lies_above(row: dict, chance: float) -> bool:
    """Whether a row of `scored` of several runs is above chance, in per cent, with its whole interval.

    Chapter: ACP-Net.
    """
    return len(row["values"]) > 1 and row["interval"][0] > chance


def lies_below(row: dict, chance: float) -> bool:
    """Whether a row of `scored` is below chance, in per cent, with its whole interval.

    Chapter: Hearing; Retrieval.
    """
    return row["interval"][1] < chance


def way_to_the_best(ours: float, chance: float, best: float | None) -> float | None:
    """How far a score gets from chance to the best possible one, in per cent of the way; None where that is not known.

    Chapter: ACP-Net.
    """
    return None if best is None else 100 * (ours - chance) / (best - chance)


def by_protocol(models: Sequence[nn.Module], corpus: Corpus, drawn: dict[str, Pairs],
                manifest: pd.DataFrame) -> list[dict]:
    """The same networks scored on test pairs of several protocols, beside guessers who know one half only; in per cent.

    Parameters
    ----------
    models : networks of two branches, one a run
    drawn : by the name of the protocol, pairs of the test part
    manifest : of the corpus, for what pairs were drawn with

    Returns
    -------
    list of what `scored` gives, with {"protocol", "nothing", "picture", "music": what one gets who knows nothing, the
    picture's class or the music's}

    Chapter: ACP-Net.
    """
    rows = []
    for name, pairs in drawn.items():
        right = [(evaluation.probability(m, corpus, pairs) > 0.5) == (pairs.truth == 1) for m in models]
        joint = protocols.joint(name, *corpus.counts("test"))
        rows.append({"protocol": name, **scored(right, *evaluation.groups(manifest, pairs)),
                     "nothing": protocols.oracle(joint), "picture": protocols.oracle(joint, 0),
                     "music": protocols.oracle(joint, 1)})
    return rows
