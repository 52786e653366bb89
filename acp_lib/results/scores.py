"""One way to score answers: the mean over runs, with the two intervals that Table 4 has; what a score is held against.

Chapter: ACP-Net.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from torch import nn

from acp_lib.experiment import evaluation
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


def scored(right: Sequence[np.ndarray], *names: np.ndarray, seed: int = 0) -> dict:
    """Accuracy in per cent.

    Parameters
    ----------
    right : for each run whether it was right [shape=(n,)]
    names : groups of `evaluation.cluster_bootstrap`

    Returns
    -------
    {"ours": the mean, "values": one a run, "interval": over the runs, None for a single one, "clustered": over what was
    drawn}
    """
    values = [100 * float(np.mean(r)) for r in right]
    ends = evaluation.cluster_bootstrap(np.mean(right, 0), *names, seed=seed)
    return {"ours": float(np.mean(values)), "values": values, "clustered": [100 * end for end in ends],
            "interval": over_runs(values)}


def over_runs(values: Sequence[float]) -> list[float] | None:
    """Student's interval for the mean of accuracies in per cent, cut at 0 and 100; None for a single one.

    Chapter: ACP-Net.
    """
    low, high = evaluation.t_interval(values)
    return [max(low, 0.0), min(high, 100.0)] if len(values) > 1 else None


def ranked(scores: dict[str, float]) -> list[str]:
    """Names from the highest score to the lowest; those of equal scores in the order in which they come.

    Chapter: Baselines.
    """
    return sorted(scores, key=lambda name: -scores[name])


def lies_above(row: dict, chance: float) -> bool:
    """Whether a row of `scored` is above chance, in per cent, with both of its intervals; never so for a single run.

    Chapter: ACP-Net.
    """
    return row["interval"] is not None and row["interval"][0] > chance and row["clustered"][0] > chance


def lies_below(row: dict, chance: float) -> bool:
    """Whether a row of `scored` is below chance with every interval that it has; one run has none over runs.

    Chapter: Hearing; Retrieval.
    """
    ends = [row[name] for name in ("interval", "clustered") if row[name] is not None]
    return bool(ends) and all(high < chance for _, high in ends)


def way_to_the_best(ours: float, chance: float, best: float | None) -> float | None:
    """How far a score gets from chance to the best possible one, in per cent of the way; None where that is not known.

    Chapter: ACP-Net.
    """
    return None if best is None else 100 * (ours - chance) / (best - chance)


def by_protocol(models: Sequence[nn.Module], corpus: Corpus, drawn: dict[str, Pairs]) -> list[dict]:
    """The same networks scored on test pairs of several protocols, beside guessers who know one half only; in per cent.

    Parameters
    ----------
    models : networks of two branches, one a run
    drawn : by the name of the protocol, pairs of the test part

    Returns
    -------
    list of {"protocol", "ours": the mean over the runs, "interval": over the runs, "nothing", "picture", "music": what
    one gets who knows nothing, the picture's class or the music's}

    Chapter: ACP-Net.
    """
    rows = []
    for name, pairs in drawn.items():
        values = [100 * evaluation.accuracy(evaluation.probability(m, corpus, pairs), pairs.truth) for m in models]
        joint = protocols.joint(name, *corpus.counts("test"))
        rows.append({"protocol": name, "ours": float(np.mean(values)), "interval": over_runs(values),
                     "nothing": protocols.oracle(joint), "picture": protocols.oracle(joint, 0),
                     "music": protocols.oracle(joint, 1)})
    return rows
