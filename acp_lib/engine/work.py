"""Where stages keep their results, and the resources that they use.

Chapter: How to read and rerun.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from acp_lib.engine.cache import build_once


@dataclass(frozen=True)
class Work:
    """The folder of kept results, the number of processes on this machine or the Dask scheduler, and whether to show
    progress.
    """

    cache: Path
    jobs: int = 1
    progress: bool = True
    scheduler: str = ""

    def folder(self, stage: str, key: str) -> Path:
        """The folder of a stage's result."""
        return self.cache / f"{stage}-{key}"

    def once(self, stage: str, key: str, build: Callable[[Path], object]) -> Path:
        """The folder of a stage's result, made by `build(empty folder)` unless it exists."""
        return build_once(self.folder(stage, key), build)
