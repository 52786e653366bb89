"""The open details of the paper: what it leaves unsaid, and what is done here instead.

`ledger.yml` beside this file is the record; the code's defaults are read from it, so that they cannot part.

Chapter: The ledger.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

STATUSES = ("paper", "found", "ours")


@dataclass(frozen=True)
class Detail:
    """One open detail: its default, what else a reader could have chosen, and on whose authority."""

    name: str
    default: object
    alternatives: list
    status: str
    what: str
    source: str
    unswept: str = ""  # why the alternatives are not swept
    field: str = ""  # of the profile; empty: the same name

    def __post_init__(self):
        if self.status not in STATUSES:
            raise ValueError(f"ledger entry {self.name!r} has status {self.status!r}; expected one of {STATUSES}")

    @property
    def parameter(self) -> str:
        """The field of a profile that decides it, where there is one."""
        return self.field or self.name


@cache
def details() -> dict[str, Detail]:
    """Every detail by name, in the order of the file."""
    text = (Path(__file__).parent / "ledger.yml").read_text("utf8")
    return {name: Detail(name, **entry) for name, entry in yaml.safe_load(text).items()}


def swept() -> dict[str, Detail]:
    """The details whose alternatives are tried in the specification curve.

    Chapter: The garden of forking paths.
    """
    return {name: detail for name, detail in details().items() if detail.alternatives and not detail.unswept}


def default(name: str):
    """The default of one detail.

    Raises
    ------
    KeyError
        If the ledger has no such entry.
    """
    return details()[name].default
