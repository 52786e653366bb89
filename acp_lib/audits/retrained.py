"""The networks that the audits train again: on other splits, on random labels, and blind to one half of the pair.

Chapter: Leakage; Is it really cross-modal?
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from acp_lib.experiment import methods, splits
from acp_lib.experiment.runs import Run

if TYPE_CHECKING:
    from acp_lib.study import Study


NO_ARTIST = "no artist is known"


def artists(study: Study) -> bool:
    """Whether the artist of any piece of music is known."""
    return bool(((study.manifest["modality"] == "music") & (study.manifest["artist"] != "")).any())


def by_split(study: Study) -> dict[str, Study | str]:
    """The audited study with `audit_draws` runs for each way to split, or the reason why the data cannot be split so.

    The study's own split comes first.
    """
    own = study.profile.splitting.split
    found: dict[str, Study | str] = {}
    audited = study.audited.variant(seeds=study.profile.auditing.audit_draws)
    for by in sorted(splits.UNITS, key=lambda name: name != own):
        if by == "artist" and not artists(study):
            found[by] = NO_ARTIST
            continue
        try:
            splits.assign_split(study.listed, by=by, seed=study.profile.seed, draw=study.profile.splitting.split_draw)
        except ValueError as error:
            found[by] = str(error)
        else:
            found[by] = audited if by == own else audited.variant(split=by)
    return found


def _few(study: Study) -> Study:
    return study.audited.variant(seeds=max(2, study.profile.auditing.audit_seeds // 3))


def controls(study: Study) -> dict[str, list[Run]]:
    """The runs of `methods.CONTROLS`, as small as those of other audits and a third as many: they are to be at chance,
    where runs are much alike.
    """
    return _few(study).trained("controls")


def planned(study: Study) -> list[Run]:
    """Everything that this module trains."""
    dealt = [run for s in by_split(study).values() if not isinstance(s, str) for run in s.planned("pairs", "ACP-Net")]
    few = _few(study)
    return dealt + [run for name in methods.CONTROLS for run in few.planned("controls", name)]
