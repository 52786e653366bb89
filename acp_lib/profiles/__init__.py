"""What a run is made of: a frozen Profile of groups of options, read from one of the YAML files in this folder.

The YAML files are papermill parameter files (`papermill -f acp_lib/profiles/folder.yml ...`) with the options by their
own names, whatever group they are in; a name that no group has, or a value of another type, is refused.

Chapter: How to read and rerun.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from acp_lib.profiles import places
from acp_lib.profiles.groups import (
    GROUPS,
    WORDS,
    Auditing,
    Checked,
    Convolution,
    Database,
    Execution,
    Features,
    Network,
    Pairing,
    Probing,
    Splitting,
    Training,
    choices_of,
    kind_of,
    option,
)
from acp_lib.profiles.places import ROOT as ROOT

FOLDER = Path(__file__).parent
NAMES = tuple(sorted(p.stem for p in FOLDER.glob("*.yml") if p.stem != "ledger"))

FILES = ("data", "weights", "alexnet_weights")
"""Options that may hold a path, of which only the last part is ever shown."""

SPOTS = ("results", "build", "work")
"""Options that say where things are put."""

PLACES = ("data", "weights", *(f.name for f in fields(Execution)))
"""Options that say where a run happens or what it reads, not what it computes."""


@dataclass(frozen=True)
class Option:
    """One option of a profile: where it stands and what it may be."""

    name: str
    group: str  # empty: of the profile itself
    kind: type
    choices: tuple
    default: object


@dataclass(frozen=True)
class Profile(Checked):
    """Everything a run depends on, each stage's options in a group. Options can also be read by their own names, as
    notebooks do: `profile.epochs` is `profile.pairing.epochs`.

    Raises
    ------
    ValueError
        On construction, for values that do not fit one another; each group checks its own.
    """

    profile: str = "mini"  # from which the other options take their values
    seed: int = option(0, least=0)  # of every random choice: data, split, initial weights, pairs
    seeds: int = option(5, least=1)  # training runs: seed, seed + 1, ...; same split and evaluation pairs
    execution: Execution = field(default_factory=Execution)
    database: Database = field(default_factory=Database)
    splitting: Splitting = field(default_factory=Splitting)
    features: Features = field(default_factory=Features)
    pairing: Pairing = field(default_factory=Pairing)
    network: Network = field(default_factory=Network)
    convolution: Convolution = field(default_factory=Convolution)
    training: Training = field(default_factory=Training)
    probing: Probing = field(default_factory=Probing)
    auditing: Auditing = field(default_factory=Auditing)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.source == "synthetic" and self.data:
            raise ValueError(f"data is {self.data!r}, but profile {self.profile!r} makes its own; for your "
                             "pictures and music take profile 'folder'")
        if self.source != "synthetic" and not self.data:
            raise ValueError(f"data is empty; profile {self.profile!r} needs the folder of your pictures and music "
                             "(-p data FOLDER)")

    def __getattr__(self, name: str) -> Any:
        if (known := OPTIONS.get(name)) and known.group:
            return getattr(getattr(self, known.group), name)
        raise AttributeError(f"a profile has no {name!r}")

    @property
    def flat(self) -> dict[str, Any]:
        """Every option by its own name."""
        return {name: getattr(self, name) for name in OPTIONS}

    def changed(self, **values: Any) -> "Profile":
        """The same with some options, by their own names, replaced."""
        refuse_unknown(values)
        parts: dict[str, dict] = {}
        for name, value in values.items():
            parts.setdefault(OPTIONS[name].group, {})[name] = value
        own = parts.pop("", {})
        return replace(self, **own, **{group: replace(getattr(self, group), **some) for group, some in parts.items()})

    @property
    def processes(self) -> int:
        """How many processes share the work."""
        return self.execution.jobs or os.cpu_count() or 1

    @property
    def run_seeds(self) -> list[int]:
        """The seed of each training run."""
        return [self.seed + i for i in range(self.seeds)]

    @cached_property
    def tag(self) -> str:
        """Name of this run's folder: the profile, and what departs from it; a path by its last part and 6 hexadecimal
        digits that stand for the whole, however it is spelled.
        """
        base = read(self.profile)
        parts = [self.profile]
        for name, value in self.flat.items():
            if name not in (*SPOTS, "jobs", "profile") and value != base.get(name, OPTIONS[name].default):
                parts += [name, _readable(value) if name in FILES else str(value)]
        tag = re.sub(r"[^\w.+-]+", "_", "-".join(parts))
        encoded = tag.encode()  # file systems count bytes
        short = f"{encoded[:87].decode(errors='ignore')}-{hashlib.sha256(encoded).hexdigest()[:12]}"
        return tag if len(encoded) <= 100 else short

    @property
    def home(self) -> Path:
        """Folder of this run's book: its pages are in `_build/html` below, its results in `_build/results`."""
        folder = Path(self.execution.build or places.named("ACP_BUILD") or places.state())
        return folder if self.tag == "mini" else folder / "_build" / "profiles" / self.tag

    @property
    def results_path(self) -> Path:
        """Folder of the results."""
        if self.execution.results:
            return Path(self.execution.results)
        return Path(held, self.tag) if (held := places.named("ACP_RESULTS")) else self.home / "_build" / "results"

    @property
    def work_path(self) -> Path:
        """Folder of what is kept between runs."""
        return Path(self.execution.work or places.named("ACP_WORK") or places.state() / "_work")


def _readable(value: str) -> str:
    """A value of FILES that tells places of one name apart; what is no path stays as it is."""
    if value in WORDS:
        return value
    path = os.path.realpath(value)
    return f"{os.path.basename(path)}-{hashlib.sha256(os.fsencode(path)).hexdigest()[:6]}"  # noqa: PTH119


OPTIONS: dict[str, Option] = {
    f.name: Option(f.name, group, kind_of(f), choices_of(f), f.default)
    for group, made in {"": Profile, **GROUPS}.items() for f in fields(made) if f.name not in GROUPS}
"""Every option by its name, in the order of the groups."""


def shown(values: Mapping[str, Any]) -> dict[str, Any]:
    """Options by their own names; of files and folders the last part, which may be shown and stays when they move."""
    return {name: Path(value).name if name in FILES else value for name, value in values.items()}


def read(name: str) -> dict[str, Any]:
    """The values that one of the YAML files sets.

    Raises
    ------
    ValueError
        If there is no such profile, or the file sets what no Profile has.
    """
    if name not in NAMES:
        raise ValueError(f"profile is {name!r}; expected one of {', '.join(NAMES)}")
    values = yaml.safe_load((FOLDER / f"{name}.yml").read_text("utf8")) or {}
    refuse_unknown(values)
    return values


def refuse_unknown(values: Iterable[str]) -> None:
    """Raise ValueError for a name that no Profile has, with those there are."""
    if unknown := sorted(set(values) - set(OPTIONS)):
        raise ValueError(f"unknown parameter {', '.join(map(repr, unknown))}; expected some of {', '.join(OPTIONS)}")


def load(profile: str = "mini", **given: Any) -> Profile:
    """A named profile with some options replaced; a None leaves the profile's own value.

    Raises
    ------
    ValueError
        For an unknown name or profile, or a value that does not fit.
    """
    refuse_unknown(given)
    if not isinstance(profile, str):
        raise ValueError(f"profile is {profile!r} ({type(profile).__name__}); expected str")
    values = {**read(profile), **{k: v for k, v in given.items() if v is not None}}
    parts: dict[str, dict] = {group: {} for group in ("", *GROUPS)}
    for name, value in values.items():
        parts[OPTIONS[name].group][name] = value
    own = parts.pop("")
    return Profile(**own, **{group: GROUPS[group](**some) for group, some in parts.items()})


def parse(name: str, text: str) -> Any:
    """The value of an option written on a command line, by its type: `007` stays a string for a folder.

    Raises
    ------
    ValueError
        If no Profile has the name, or the text does not read as its type.
    """
    refuse_unknown([name])
    kind = OPTIONS[name].kind
    try:
        return kind(text)
    except ValueError:
        raise ValueError(f"{name} is {text!r}; expected {kind.__name__}") from None
