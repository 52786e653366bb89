"""What the audits train tens of times, on real pictures and music: where luck comes from, other readings of the paper,
and splits that tear songs apart.

Chapter: Leakage; How sure are we; The garden of forking paths.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from acp_lib.audits import how_sure, leakage, specifications, standing
from acp_lib.results import scores

if TYPE_CHECKING:
    from acp_lib.study import Study


def rows(study: Study) -> list[dict]:
    """What is recorded: the rows of a "table" as the audits give them to their chapters, on this study's own split.

    Returns
    -------
    rows of "table": "leakage" (`leakage.accuracy`), "coins" (`leakage.coin_labels`), "how_sure"
    (`how_sure.components`), "standing" and "specifications" (their `load`)
    """
    made = {"leakage": leakage.accuracy(study), "coins": leakage.coin_labels(study),
            "how_sure": [{**row, **scores.of(study.audited)} for row in how_sure.components(study)],
            "standing": standing.load(study), "specifications": specifications.load(study)}
    return [{"table": table, **{name: value for name, value in row.items() if name != "provenance"}}
            for table, some in made.items() for row in some]
