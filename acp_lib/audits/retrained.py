"""The networks that the audits train again: on other draws of other splits, on random labels, and blind to one half of
the pair.

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


def by_split(study: Study) -> dict[str, list[Study] | str]:
    """For each way to split `audit_draws` audited studies, each with a draw of the split and a run, `drawn`, of its
    own; or the reason why the data cannot be split so.

    The study's own way comes first, and its own draw.
    """
    p, own = study.profile, study.profile.splitting.split
    found: dict[str, list[Study] | str] = {}
    draws = [p.splitting.split_draw + k for k in range(p.auditing.audit_draws)]
    for by in sorted(splits.UNITS, key=lambda name: name != own):
        if by == "artist" and not artists(study):
            found[by] = NO_ARTIST
            continue
        try:
            for draw in draws:
                splits.assign_split(study.listed, by=by, seed=p.seed, draw=draw)
        except ValueError as error:
            found[by] = str(error)
        else:
            found[by] = [study.audited.variant(split=by, split_draw=draw, seeds=k + 1) for k, draw in enumerate(draws)]
    return found


def drawn(study: Study) -> Run:
    """ACP-Net's run of a study of `by_split`, trained or not: the last one, so that no two draws share a seed."""
    return study.planned("pairs", "ACP-Net")[-1]


def _few(study: Study) -> Study:
    return study.audited.variant(seeds=max(2, study.profile.auditing.audit_seeds // 3))


def controls(study: Study) -> dict[str, list[Run]]:
    """The runs of `methods.CONTROLS`, as small as those of other audits and a third as many: they are to be at chance,
    where runs are much alike.
    """
    return _few(study).trained("controls")


def planned(study: Study) -> list[Run]:
    """Everything that this module trains."""
    dealt = [drawn(s) for some in by_split(study).values() if not isinstance(some, str) for s in some]
    few = _few(study)
    return dealt + [run for name in methods.CONTROLS for run in few.planned("controls", name)]
