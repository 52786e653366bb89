"""Whether a simulator is like the corpus: fitted and tuned on one half of it, does it give the accuracies of the other
half, which it has not seen, by number of songs and pictures?

Chapter: What would IMAC have given? A simulation.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from acp_lib.engine.cache import code_key, digest, write
from acp_lib.experiment import methods
from acp_lib.experiment.intervals import Estimate
from acp_lib.findings import plateau, tuned
from acp_lib.findings.plateau import Material
from acp_lib.findings.tuned import SIDES

if TYPE_CHECKING:
    from acp_lib.study import Study

SHARES = (0.25, 0.5, 1.0)
"""Of the songs and pictures of a half that classifiers are trained on, to check the simulator."""
NETWORK_SHARES = (1.0,)
"""The same of ACP-Net."""
NETWORK_EPOCHS = 3
"""Times those of the networks at full size, whose epochs are longer."""
DRAWN = range(100, 105)
"""Seeds of the databases that the simulator is checked with, none of which it was tuned on."""
BATCH = 64
WHERE = "cpu"


def rows(study: Study, between: float, networks: bool = True) -> list[dict]:
    """The simulator, fitted and tuned on one half of a corpus, held against the other half, both ways round; what each
    way and the networks came to is kept by itself, so that a stop loses one of them at most.

    Parameters
    ----------
    between : how alike segments of a song are, which matters where the corpus has several
    networks : whether ACP-Net is trained, too

    Returns
    -------
    rows in per cent for each half that it was "fitted" on, "share" of the other half that is trained on, about so many
    "pictures" and "songs" a fold, and "row": "image", "music" (balanced accuracy on classes), "two" (late fusion on
    class-balanced pairs), and maybe "ACP-Net" where the first half was fitted: the rest of `Estimate.row` for the real
    half; "simulated", the mean over databases of its size, with their "values"; and the "difference", real less
    simulated, whose interval is over the pictures and songs of both halves, and databases. The intervals of ACP-Net are
    over folds
    """
    options = methods.method("pairs", "ACP-Net").options(study.audited.profile).named
    parts = [(_classified, 0, None), *[(_trained, 0, options)] * networks, (_classified, 1, None)]
    found = []
    for make, half, about in parts:
        key = digest(study.corpus_key, between, make.__name__, half, about, code_key("acp_lib.findings.likeness"))
        folder = study.work.once("likeness", key, partial(_keep, make, study, between, half))
        found += json.loads((folder / "rows.json").read_text("utf8"))
    return found


def _keep(make: Callable[[Study, float, int], list[dict]], study: Study, between: float, half: int,
          folder: Path) -> None:
    write(folder / "rows.json", json.dumps(make(study, between, half)))


def _classified(study: Study, between: float, half: int) -> list[dict]:
    """Classifiers of the half that was not fitted."""
    own, other = _halves(study, half)
    made, fit, found = tuned.tuned(own, between), tuned.accuracies(own), []
    for share in SHARES:
        real = tuned.accuracies(other, share)
        drawn = [tuned.accuracies(tuned.alike(made.models, other, seed), share) for seed in DRAWN]
        found += [_row(real[name], [d[name].value for d in drawn], fit[name], fitted=half, share=share, row=name,
                       **_trained_on(other, share)) for name in real]
    return found


def _trained(study: Study, between: float, half: int) -> list[dict]:
    """ACP-Net on the half that was not fitted."""
    own, other = _halves(study, half)
    drawn, found = tuned.alike(tuned.tuned(own, between).models, other, DRAWN[0]), []
    for share in NETWORK_SHARES:
        levels, drawn_levels = (_levels(study, some, share) for some in (other, drawn))
        found.append(_row(_over(levels), drawn_levels, None, fitted=half, share=share, row="ACP-Net",
                          network=study.audited.network, **_trained_on(other, share)))
    return found


def _halves(study: Study, half: int) -> tuple[Material, Material]:
    """Half a corpus, and the other half."""
    both = tuned.halves(tuned.whole(study))
    return both[half], both[1 - half]


def _levels(study: Study, material: Material, share: float) -> list[float]:
    """What ACP-Net comes to in each fold: its mean validation accuracy in the last third of its epochs, from 0 to 1."""
    p = study.audited.profile
    cell = {"fc_width": p.network.fc_width, "learning_rate": p.training.learning_rate, "batch": BATCH,
            "dropout_at": p.network.dropout_at}
    epochs = NETWORK_EPOCHS * p.pairing.epochs
    made = plateau.trained(material, cell, dict.fromkeys(SIDES, share), WHERE, folds=tuned.FOLDS, epochs=epochs)
    return [float(np.mean(row["curve"][-p.pairing.epochs:])) / 100 for row in made]


def _over(values: Sequence[float]) -> Estimate:
    """The mean of values that know nothing of one another."""
    return Estimate(float(np.mean(values)), ((float(np.var(values, ddof=1)) / len(values), len(values) - 1.0),), 0, 1)


def _row(real: Estimate, drawn: Sequence[float], fit: Estimate | None, **about: object) -> dict:
    simulated = _over(drawn)
    known = (*real.variances, *simulated.variances, *(fit.variances if fit else ()))
    less = Estimate(real.value - simulated.value, known, -1, 1)
    return {"table": "check", **about, **real.scaled(100).row(), "simulated": 100 * simulated.value,
            "values": [round(100 * value, 2) for value in drawn], "difference": less.scaled(100).row()}


def _trained_on(material: Material, share: float) -> dict:
    """Pictures and songs that are trained on in a fold, about."""
    left = share * (1 - 1 / tuned.FOLDS)
    return {what: round(left * len(np.unique(material.groups[m]))) for m, what in zip(SIDES, ("pictures", "songs"),
                                                                                     strict=True)}
