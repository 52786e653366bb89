"""How this project is cited."""

from functools import cache

import yaml

from acp_lib.profiles import ROOT


@cache
def read() -> dict:
    """CITATION.cff: who made this project, what it is called and how it is cited."""
    return yaml.safe_load((ROOT / "CITATION.cff").read_text("utf8"))
