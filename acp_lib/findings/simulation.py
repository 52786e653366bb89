"""IMAC, simulated at its full size: whether a simulator gives the accuracies of real samples that it has not seen, and what
ACP-Net then scores on databases of IMAC's size under each reading of the paper.

Chapter: What would IMAC have given?
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from acp_lib.experiment.pairs import PROTOCOLS
from acp_lib.findings import simulator
from acp_lib.findings.simulator import SimulatedRun
from acp_lib.findings.tuned import Tuned

if TYPE_CHECKING:
    from acp_lib.study import Study

Reading = tuple[str, str]
"""A protocol of pairs, and what a split keeps whole."""

READINGS: list[Reading] = [*((protocol, "song") for protocol in PROTOCOLS), ("class_balanced", "segment"),
                           ("uniform", "segment")]
NOISES = (0.0, 1.0)
"""Of the labels of songs: as good as those of the corpus, and as uncertain as their released scores."""


def run(study: Study, made: Tuned, reading: Reading, noise: float, seed: int, share: float = 1.0,
        times: tuple[float, float] = (1.0, 1.0)) -> SimulatedRun:
    """The run of the audited ACP-Net on a simulated database, trained or not."""
    pairs, split = reading
    profile = study.audited.profile.changed(seed=seed, pairs=pairs, split=split)
    return simulator.planned(made.stronger(*times), profile, study.work, noise=noise, share=share)
