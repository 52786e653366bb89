"""Results of audits that are kept, named by what they were made from.

Chapter: Shortcuts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pandas as pd

from acp_lib.engine.cache import build_once, code_key, digest

if TYPE_CHECKING:
    from acp_lib.study import Study


def table(study: Study, module: str, stage: str, about: list, make: Callable[[], list[dict]]) -> pd.DataFrame:
    """The rows of `make()`, read where they are kept.

    Parameters
    ----------
    module : `__name__` of the module whose code, with all that it imports, the rows depend on
    stage : what they are, the beginning of their folder's name
    about : all else that they depend on
    """
    folder = study.profile.work_path / "cache" / f"{stage}-{digest(stage, about, code_key(module))}"
    build_once(folder, lambda new: pd.DataFrame(make()).to_parquet(new / "rows.parquet"))
    return pd.read_parquet(folder / "rows.parquet")
