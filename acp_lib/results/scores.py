"""One way to score answers: the mean over runs, with the two intervals that Table 4 has."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from acp_lib.experiment import evaluation


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
    low, high = evaluation.t_interval(values)
    ends = evaluation.cluster_bootstrap(np.mean(right, 0), *names, seed=seed)
    return {"ours": float(np.mean(values)), "values": values, "clustered": [100 * end for end in ends],
            "interval": [max(low, 0.0), min(high, 100.0)] if len(values) > 1 else None}
