"""When training runs leave the plateau they begin on, and how many of them are stopped early.

Chapter: ACP-Net; Baselines.
"""

from collections.abc import Sequence
from dataclasses import dataclass

BEYOND = 5.0
"""Points of validation accuracy above the likelier answer's at which a run has left the plateau."""


def plateau(chance: float) -> float:
    """Validation accuracy that a run has to exceed, a share from 0 to 1; `chance` of the validation part in per cent.

    Chapter: Baselines; How sure are we.
    """
    return (chance + BEYOND) / 100


@dataclass(frozen=True)
class Convergence:
    """What became of some training runs.

    left : for each run the first epoch above the plateau, counted from 1; None where there is none
    stopped : runs that ended before the last epoch they could have had

    Chapter: ACP-Net; Baselines.
    """

    left: tuple[int | None, ...]
    stopped: int

    @property
    def runs(self) -> int:
        """How many runs there are."""
        return len(self.left)

    @property
    def stuck(self) -> int:
        """How many never left the plateau."""
        return self.left.count(None)

    @property
    def epochs(self) -> list[int]:
        """The epochs in which runs left the plateau, in ascending order."""
        return sorted(e for e in self.left if e is not None)

    @property
    def first(self) -> int | None:
        """The epoch in which the first run left the plateau."""
        return min(self.epochs, default=None)

    @property
    def last(self) -> int | None:
        """The epoch in which the last of the runs that left the plateau did so."""
        return max(self.epochs, default=None)


def leaving_epoch(history: Sequence[dict], level: float) -> int | None:
    """The first epoch of a run with a validation accuracy above `level`, a share from 0 to 1; None without one.

    Chapter: ACP-Net; Baselines.
    """
    return next((record["epoch"] for record in history if record["val_accuracy"] > level), None)


def convergence(histories: Sequence[Sequence[dict]], level: float, epochs: int) -> Convergence:
    """What became of some runs.

    Parameters
    ----------
    histories : of each run one record an epoch, as `training.fit` gives them
    level : validation accuracy of the plateau, a share from 0 to 1; a run has left it when it is above
    epochs : most epochs of a run

    Chapter: ACP-Net; Baselines.
    """
    return Convergence(tuple(leaving_epoch(history, level) for history in histories),
                       sum(len(history) < epochs for history in histories))
