"""What a run is made of: a frozen, typed Profile, read from one of the YAML files in `profiles/`.

The YAML files are papermill parameter files (`papermill -f acp_lib/profiles/folder.yml ...`); a key that no Profile
has, or a value of another type, is refused and never ignored.

Chapter: How to read and rerun.
"""

import hashlib
import math
import os
import re
from dataclasses import dataclass, fields
from pathlib import Path

import yaml

from acp_lib.profiles.ledger import default, details

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).parent
NAMES = tuple(sorted(p.stem for p in FOLDER.glob("*.yml") if p.stem != "ledger"))
SOURCES = ("synthetic", "folder", "imac", "emid")
RATIOS = (0.7, 0.1, 0.2)  # Paper: Section 4, training, validation and test

CHOICES = {
    "source": SOURCES,
    "activation": ("relu", "linear_embeddings"),
    "first_layer": ("dense", "input"),
    "dropout_at": ("hidden", "fusion", "not_embeddings"),
    "pairs": ("class_balanced", "uniform", "rejection", "image_anchored", "music_anchored"),
    "split": ("song", "artist", "segment"),
    "agreement": ("all", "majority"),
    "scaling": ("zscore", "raw", "minmax", "logmel"),
    "decay": ("none", "plateau"),
    "precision": ("float32", "bfloat16"),
    "image_precision": ("float32", "bfloat16"),
    "width": (1.0, 0.5, 0.25, 0.125),
    "fc_width": (1.0, 0.5, 0.25, 0.125),
    "audit_width": (1.0, 0.5, 0.25, 0.125),
    "device": ("auto", "cpu", "cuda"),
}
AT_LEAST = {"seeds": 1, "epochs": 1, "patience": 1, "batch": 2, "test_pairs": 2, "n_images": 80, "n_songs": 30,
            "pairs_per_epoch": 0, "seed": 0, "jobs": 0, "image_size": 75, "last_segment": 10.0, "short_from": 1.0,
            "learning_rate": 0.0, "dropout": 0.0, "raw_size": 16, "bins": 16, "frames": 16, "crops": 1,
            "probe_epochs": 1, "probe_patience": 1, "init_draw": 0, "pair_draw": 0, "split_draw": 0, "audit_seeds": 2,
            "audit_draws": 2, "audit_runs": 4}
PLACES = ("data", "weights", "results", "work", "jobs", "device")
"""Fields that say where a run happens, not what it computes."""
FILES = ("data", "weights", "alexnet_weights")
"""Fields that may hold a path, of which only the last part is ever shown."""


@dataclass(frozen=True)
class Profile:
    """Everything a run depends on. Defaults of open details are the ledger's.

    Raises
    ------
    ValueError
        On construction, for a value of another type, outside its choices or its range; the message names the field,
        the value, and what was expected.
    """

    profile: str = "mini"
    source: str = "synthetic"
    data: str = ""  # folder that holds pictures and music; empty: the mini database, made on the spot
    weights: str = default("image_weights")  # imagenet, random, or a .safetensors or .pth file
    results: str = ""  # folder for the tables as JSON; empty: beside the book
    work: str = ""  # folder for what is kept between runs; empty: $ACP_WORK, or _work in the repository
    seed: int = 0  # of every random choice: data, split, initial weights, pairs
    seeds: int = 5  # training runs: seed, seed + 1, ...; same split and evaluation pairs
    jobs: int = 0  # processes; 0: one a core
    device: str = "auto"
    n_images: int = 720  # of the mini database
    n_songs: int = 108
    split: str = default("split")
    last_segment: float = default("last_segment")
    short_from: float = default("short_from")
    agreement: str = default("agreement")  # of those who were asked about a picture of IMAC's lists
    image_size: int = default("image_size")
    image_precision: str = default("image_precision")
    scaling: str = default("scaling")
    pairs: str = default("pairs")
    pairs_per_epoch: int = default("pairs_per_epoch")
    test_pairs: int = default("test_pairs")
    activation: str = default("activation")
    first_layer: str = default("first_layer")
    dropout: float = default("dropout")
    dropout_at: str = default("dropout_at")
    batch: int = default("batch")
    learning_rate: float = default("learning_rate")
    decay: str = default("decay")
    epochs: int = default("epochs")
    patience: int = default("patience")
    precision: str = default("precision")
    width: float = default("width")  # of the convolutional networks
    raw_size: int = default("raw_size")
    bins: int = default("bins")
    frames: int = default("frames")
    crops: int = default("crops")
    alexnet_weights: str = default("alexnet_weights")  # imagenet, random, or a file
    probe_epochs: int = default("probe_epochs")
    probe_patience: int = default("probe_patience")
    fc_width: float = default("fc_width")  # of ACP-Net
    init_draw: int = 0  # another draw of initial weights, pairs or split with all else as it is
    pair_draw: int = 0
    split_draw: int = 0
    audit_seeds: int = 10  # runs of the networks that audits train
    audit_draws: int = 10  # runs on each split, and of each thing that is drawn by itself
    audit_width: float = 1.0  # fc_width of the networks that audits train
    audit_runs: int = 48  # points of the specification curve

    def __post_init__(self):
        for f in fields(self):
            value = getattr(self, f.name)
            if f.type is float and type(value) is int:
                object.__setattr__(self, f.name, float(value))
            elif type(value) is not f.type:
                raise ValueError(f"{f.name} is {value!r} ({type(value).__name__}); expected {f.type.__name__}")
            if f.name in CHOICES and value not in CHOICES[f.name]:
                raise ValueError(f"{f.name} is {value!r}; expected one of {', '.join(map(str, CHOICES[f.name]))}")
            if f.type is float and not math.isfinite(value):
                raise ValueError(f"{f.name} is {value!r}; expected a finite number")
            if f.name in AT_LEAST and not value >= AT_LEAST[f.name]:
                raise ValueError(f"{f.name} is {value!r}; expected at least {AT_LEAST[f.name]}")
        if self.dropout >= 1:
            raise ValueError(f"dropout is {self.dropout!r}; expected a probability below 1")
        if self.source == "synthetic" and self.data:
            raise ValueError(f"data is {self.data!r}, but profile {self.profile!r} makes its own; for your "
                             f"pictures and music: make book PROFILE=folder DATA={self.data}")
        if self.source != "synthetic" and not self.data:
            raise ValueError(f"data is empty; profile {self.profile!r} needs the folder of your pictures and music: "
                             f"make book PROFILE={self.profile} DATA=folder")

    @property
    def processes(self) -> int:
        return self.jobs or os.cpu_count() or 1

    @property
    def run_seeds(self) -> list[int]:
        return [self.seed + i for i in range(self.seeds)]

    @property
    def tag(self) -> str:
        """Name of this run's folder: the profile, and what departs from it."""
        base = read(self.profile)
        parts = [self.profile]
        for f in fields(self):
            value = getattr(self, f.name)
            if f.name not in ("results", "work", "jobs", "profile") and value != base.get(f.name, f.default):
                parts += [f.name, Path(value).name if f.name in FILES else str(value)]
        tag = re.sub(r"[^\w.+-]+", "_", "-".join(parts))
        name = tag.encode()  # file systems count bytes
        short = f"{name[:87].decode(errors='ignore')}-{hashlib.sha256(name).hexdigest()[:12]}"
        return tag if len(name) <= 100 else short

    @property
    def home(self) -> Path:
        """Folder of this run's book: its pages are in `_build/html` below, its results in `_build/results`."""
        return ROOT if self.tag == "mini" else ROOT / "_build" / "profiles" / self.tag

    @property
    def results_path(self) -> Path:
        return resolve(self.results) if self.results else self.home / "_build" / "results"

    @property
    def work_path(self) -> Path:
        return resolve(self.work or os.environ.get("ACP_WORK", "_work"))


def resolve(path: str) -> Path:
    """A path as given on a command line; relative ones start at the repository, where `make` runs."""
    return (ROOT / Path(path).expanduser()).resolve()


def read(name: str) -> dict:
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


@dataclass(frozen=True)
class Departure:
    """A detail that a profile's file decides in another way than the ledger's default, and the reason given there."""

    name: str
    default: object
    value: object
    reason: str


def departures(name: str) -> list[Departure]:
    """What a profile's file decides in another way than the ledger, each with the comment on its line.

    Chapter: The ledger.
    """
    said = read(name)
    reasons = dict(re.findall(r"^(\w+):.*?  # (.+)$", (FOLDER / f"{name}.yml").read_text("utf8"), re.M))
    return [Departure(d.name, d.default, said[d.parameter], reasons.get(d.parameter, ""))
            for d in details().values() if said.get(d.parameter, d.default) != d.default]


def refuse_unknown(values) -> None:
    """Raise ValueError for a name that no Profile has, with the nearest names."""
    known = [f.name for f in fields(Profile)]
    if unknown := sorted(set(values) - set(known)):
        raise ValueError(f"unknown parameter {', '.join(map(repr, unknown))}; expected some of {', '.join(known)}")


def load(profile: str = "mini", **given) -> Profile:
    """A named profile with some values replaced; a None leaves the profile's own value.

    Raises
    ------
    ValueError
        For an unknown name or profile, or a value that does not fit.
    """
    refuse_unknown(given)
    if not isinstance(profile, str):
        raise ValueError(f"profile is {profile!r} ({type(profile).__name__}); expected str")
    return Profile(**{**read(profile), **{k: v for k, v in given.items() if v is not None}})


def parse(name: str, text: str):
    """The value of a parameter written on a command line, by the type of its field: `007` stays a string for a folder.

    Raises
    ------
    ValueError
        If no Profile has the name, or the text does not read as its type.
    """
    refuse_unknown([name])
    kind = next(f.type for f in fields(Profile) if f.name == name)
    try:
        return kind(text)
    except ValueError:
        raise ValueError(f"{name} is {text!r}; expected {kind.__name__}") from None
