"""The best that can be done on a simulated database: an observer who knows the simulator, but not the samples' classes.

Chapter: What would IMAC have given? A simulation.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd
from scipy.special import logsumexp

from acp_lib import streams
from acp_lib.emotions import CLASSES
from acp_lib.experiment import pairs as protocols
from acp_lib.experiment.pairs import PROTOCOLS
from acp_lib.experiment.probes import Probed
from acp_lib.findings.simulator import K
from acp_lib.findings.tuned import SIDES, Tuned

ASKED = 3000
"""Samples of a modality of which it is asked, at most."""
PAIRS = 40_000
TIMES = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
"""How far apart classes lie, in times of what was tuned."""
STEP = 0.1


class Observer:
    """What is known of samples of a database, by how far apart classes lie.

    made : the simulator; table : of `simulator.imac`; seed : of the samples
    """

    def __init__(self, made: Tuned, table: pd.DataFrame, seed: int) -> None:
        self.made, self.seed, rng = made, seed, streams.generator("samples of an observer", seed)
        self.counts, self.asked, self.heard, self.share = {}, {}, {}, {}
        for m in SIDES:
            own = table[table["modality"] == m]
            label = own["class"].map(CLASSES.index).to_numpy()
            meets = pd.crosstab(label, own["truth"]).reindex(index=range(K), columns=range(K), fill_value=0).to_numpy()
            at = rng.choice(len(own), min(ASKED, len(own)), replace=False)
            self.counts[m], self.share[m] = meets.sum(1), meets.sum(0)
            self.heard[m] = np.log(np.maximum(meets / meets.sum(1, keepdims=True), 1e-12))
            self.asked[m] = own.iloc[at][["number", "song", "truth"]].to_numpy(), label[at]
        self.known = lru_cache(maxsize=None)(self._known)

    def _known(self, modality: str, times: float) -> np.ndarray:
        """Logarithm of how probable each sample is by its label [shape=(n, 3)], up to what is the same for all."""
        model = self.made.models[modality].stronger(times).standardised(self.share[modality])
        samples, _ = self.asked[modality]
        sounding = model.likelihood(model.drawn(modality, self.seed, [tuple(row) for row in samples.tolist()]))
        found = logsumexp(sounding[:, None] + self.heard[modality], axis=2)
        return found - found.max(1, keepdims=True)

    def row(self, protocol: str, image: float = 1.0, music: float = 1.0) -> dict[str, float]:
        """Per cent: "best" on pairs, "two" (naming both halves, and comparing), "one_sided" (the better half alone, and
        what the protocol tells); and "image" and "music", how often the label is named right, labels weighing alike.
        """
        by = {"image": self.known("image", image), "music": self.known("music", music)}
        table = protocols.joint(protocol, *(self.counts[m] for m in SIDES))
        (i, j, truth), p = self._pairs(protocol), {m: np.exp(known) for m, known in by.items()}
        same = (p["image"] * np.diag(table))[i] * p["music"][j]
        every = ((p["image"] @ table)[i] * p["music"][j]).sum(1)
        alone = [2 * (p[m] * np.diag(table)).sum(1) > (p[m] * table.sum(1 - k)).sum(1) for k, m in enumerate(SIDES)]
        said = {m: known.argmax(1) for m, known in by.items()}
        right = {"best": 2 * same.sum(1) > every, "two": said["image"][i] == said["music"][j]}
        found = {name: 100 * float(np.mean(says == (truth == 1))) for name, says in right.items()}
        found["one_sided"] = max(100 * float(np.mean(says[at] == (truth == 1)))
                                 for says, at in zip(alone, (i, j), strict=True))
        return found | {m: 100 * float(Probed(self.asked[m][1], said[m]).balanced) for m in SIDES}

    def _pairs(self, protocol: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Pairs of the samples, classes as often as the protocol draws them of the whole database."""
        table = protocols.joint(protocol, *(self.counts[m] for m in SIDES))
        rng = streams.generator("pairs of an observer", self.seed, protocol)
        cell = rng.choice(K * K, PAIRS, p=table.ravel())
        at = [protocols.members(self.asked[m][1], wanted, rng)
              for m, wanted in zip(SIDES, (cell // K, cell % K), strict=True)]
        return at[0], at[1], (cell // K == cell % K).astype(int)

    def slopes(self, protocol: str) -> dict[str, float]:
        """By modality, how many points the best gains if its classes lie twice as far apart, by a small step."""
        low, high = ([self.row(protocol, **{m: t})["best"] for m in SIDES] for t in (1 - STEP, 1 + STEP))
        return {m: (up - down) / (2 * STEP) for m, down, up in zip(SIDES, low, high, strict=True)}

    def needed(self, protocol: str, wanted: float, gap: float) -> dict[str, float | None]:
        """How far apart classes must lie, in times of what was tuned, for the best and a gap to come to a number; and
        how often a picture's and a song's label are then named right. None where none of TIMES comes to it.
        """
        some = [self.row(protocol, t, t) for t in TIMES]
        reach = np.maximum.accumulate([row["best"] + gap for row in some])
        if not reach[0] <= wanted <= reach[-1]:
            return {"needed": None, "needed_image": None, "needed_music": None}
        return {"needed": float(np.interp(wanted, reach, TIMES)),
                **{f"needed_{m}": float(np.interp(wanted, reach, [row[m] for row in some])) for m in SIDES}}

    def rows(self, noise: float) -> list[dict]:
        """Rows of "table": "observer", of each protocol and TIMES."""
        return [{"table": "observer", "pairs": protocol, "noise": noise, "times": t, **self.row(protocol, t, t)}
                for protocol in PROTOCOLS for t in TIMES]
