"""The open details of the paper: what it leaves unsaid, and what is done here instead.

`ledger.yml` beside this file is the record. Where a profile has the detail as an option, its default and its choices
stand there (`groups.py`) and are taken from there; the file adds status, source and meaning.

Chapter: The ledger of open details.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from acp_lib import profiles
from acp_lib.profiles import OPTIONS

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
    field: str = ""  # the profile's option; empty: the same name

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise ValueError(f"ledger entry {self.name!r} has status {self.status!r}; expected one of {STATUSES}")

    @property
    def parameter(self) -> str:
        """The option of a profile that decides it, where there is one."""
        return self.field or self.name


@dataclass(frozen=True)
class Departure:
    """A detail that a profile's file decides in another way than the ledger's default, and the reason given there."""

    name: str
    default: object
    value: object
    reason: str


@cache
def details() -> dict[str, Detail]:
    """Every detail by name, in the order of the file."""
    text = (Path(__file__).parent / "ledger.yml").read_text("utf8")
    return {name: _detail(name, entry) for name, entry in yaml.safe_load(text).items()}


def _detail(name: str, entry: dict) -> Detail:
    """A record of the file, completed by the profile's option."""
    if option := OPTIONS.get(entry.get("field", name)):
        others = [choice for choice in option.choices if choice != option.default]
        entry = {"default": option.default, "alternatives": others, **entry}
    return Detail(name, **entry)


def swept() -> dict[str, Detail]:
    """The details whose alternatives are tried in the specification curve.

    Chapter: The garden of forking paths.
    """
    return {name: detail for name, detail in details().items() if detail.alternatives and not detail.unswept}


def default(name: str) -> Any:
    """The default of one detail.

    Raises
    ------
    KeyError
        If the ledger has no such entry.
    """
    return details()[name].default


def departures(name: str) -> list[Departure]:
    """What a profile's file decides in another way than the ledger, each with the comment on its line.

    Chapter: The ledger of open details.
    """
    said = profiles.read(name)
    reasons = dict(re.findall(r"^(\w+):.*?  # (.+)$", (profiles.FOLDER / f"{name}.yml").read_text("utf8"), re.M))
    return [Departure(d.name, d.default, said[d.parameter], reasons.get(d.parameter, ""))
            for d in details().values() if said.get(d.parameter, d.default) != d.default]
