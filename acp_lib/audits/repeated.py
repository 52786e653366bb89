"""ACP-Net trained again and again: with other seeds; with another draw of one thing and all else as it is; and under
other readings of what the paper leaves open. And all else that the audits train.

    acp audits mini                                                       all of these runs, on all cores
    acp audits imac -p data /mnt/imac -p work /mnt/work --scheduler tcp://head:8786

Chapter: How sure are we; The garden of forking paths.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from acp_lib.audits import retrained, specifications
from acp_lib.experiment import runs
from acp_lib.experiment.runs import Run

if TYPE_CHECKING:
    from acp_lib.study import Study

DRAWS = {"initial weights": "init_draw", "pairs": "pair_draw", "split": "split_draw"}
"""What is drawn anew by itself, and the field of a profile that numbers the draw."""


def drawn(study: Study, name: str) -> list[Study]:
    """Studies of one run each, which differ in the draw of one of DRAWS and in nothing else.

    Chapter: How sure are we.
    """
    base = study.audited.variant(seeds=1)
    return [base.variant(**{DRAWS[name]: k}) for k in range(study.profile.auditing.audit_draws)]


def accuracies(study: Study) -> dict[str, Sequence[float]]:
    """Accuracy in per cent of each run: with other seeds, and for each of DRAWS; trained where it is not there.

    Another seed draws the initial weights, the training pairs and what dropout drops. Another draw of pairs draws
    those of training, validation and test; another draw of the split leaves nothing but the samples as they were.

    Chapter: How sure are we.
    """
    runs.train(_drawn(study), study.work)
    seeds = [100 * float(run.correct.mean()) for run in study.audited.runs]
    found: dict[str, Sequence[float]] = {"seed": seeds}
    for name in DRAWS:
        found[name] = [100 * float(s.runs[0].correct.mean()) for s in drawn(study, name)]
    return found


def _drawn(study: Study) -> list[Run]:
    studies = [study.audited, *(s for name in DRAWS for s in drawn(study, name))]
    return [run for s in studies for run in s.planned("pairs", "ACP-Net")]


def all_runs(study: Study) -> list[Run]:
    """Everything that the audits train again, each folder once; of the readings what could be trained.

    Raises
    ------
    FloatingPointError
        If the loss of another run than a reading is no longer finite.

    Chapter: How to read and rerun.
    """
    owed, readings = [*_drawn(study), *retrained.planned(study)], specifications.planned(study)
    tolerant = {run.folder for run in readings} - {run.folder for run in owed}
    runs.train([*owed, *readings], study.work, tolerant)
    return list({run.folder: run for run in (*owed, *readings)}.values())
