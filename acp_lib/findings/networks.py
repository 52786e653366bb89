"""The networks of Table 4 with all their channels, each sample tested once: for a machine with a GPU.

Pictures and songs are dealt into the folds of `folds`, and the same pairs are asked. L3-Net and Spectrogram-ACP are too
large for a processor at whole width; here they stand beside ACP-Net, trained on the same card.

Paper: Section 4, Table 4.
Chapter: Real pictures, real music.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from acp_lib.experiment import runs
from acp_lib.experiment.methods import CORRESPONDENCE
from acp_lib.findings.folds import FOLDS, Judged, answers_of, asked_of, dealt
from acp_lib.models import parameters, taken
from acp_lib.models._branches import TwoBranches
from acp_lib.results import tables

if TYPE_CHECKING:
    from acp_lib.study import Study


def rows(study: Study, networks: Sequence[str] = tuple(CORRESPONDENCE), folds: int = FOLDS) -> list[dict]:
    """What is recorded; ACP-Net is always one of the networks.

    Returns
    -------
    rows of table 4 of `folds`, each with the network's "parameters" and what it is given ("inputs"), and how many
    "epochs" its runs took together; and rows of "how_sure", ACP-Net less each of the others
    """
    some, networks = dealt(study, folds), tuple(dict.fromkeys(["ACP-Net", *networks]))
    runs.train([run for s in some for name in networks for run in s.planned("pairs", name)], study.work)
    made = [s.trained("pairs", *networks) for s in some]
    asked = [asked_of(s) for s in some]
    judged = Judged([answers_of(s, own, pairs) for s, own, pairs in zip(some, made, asked, strict=True)],
                    [tables.groups(s, pairs) for s, pairs in zip(some, asked, strict=True)])
    about = {}
    for name, (run, *_) in made[0].items():
        net = cast(TwoBranches, run.built())
        about[name] = {"parameters": parameters(net), "inputs": taken(net),
                       "epochs": sum(len(own.history) for fold in made for own in fold[name])}
    found = judged.networks(some, made, **about)
    found[0] |= judged.sizes(some[0])
    return found + [judged.row("how_sure", other, judged.less("ACP-Net", other), what="difference")
                    for other in networks[1:]]
