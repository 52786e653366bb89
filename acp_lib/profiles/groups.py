"""What can be chosen, in groups: each stage of a study is given the group it depends on, and no other.

Every option stands here once, with its default, its range and what it means. What the paper leaves open has an entry in
`ledger.yml` beside this file, with its status and source.

Chapter: How to read and rerun; The ledger of open details.
"""

import math
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Literal, TypeVar, get_args, get_origin

from acp_lib.profiles.places import absolute

Source = Literal["synthetic", "folder", "imac", "emid"]
Split = Literal["song", "artist", "segment"]
AnalysisFrame = Literal["librosa", "window"]
Scaling = Literal["zscore", "raw", "minmax", "logmel"]
Protocol = Literal["class_balanced", "uniform", "rejection", "image_anchored", "music_anchored"]
Activation = Literal["relu", "linear_embeddings"]
FirstLayer = Literal["dense", "input"]
DropoutAt = Literal["fusion", "hidden", "not_embeddings"]
Initialisation = Literal["pytorch", "glorot"]
ProbedAt = Literal["after_relu", "before_relu"]
Precision = Literal["float32", "bfloat16"]
SHARES = (1.0, 0.5, 0.25, 0.125)
WORDS = ("imagenet", "random")  # for weights, beside a file

Value = TypeVar("Value")


def option(default: Value, least: float) -> Value:
    """A field with a default and the lowest value that it may have."""
    return field(default=default, metadata={"least": least})


def share() -> float:
    """A field that is one of SHARES, the whole where nothing is said."""
    return field(default=1.0, metadata={"choices": SHARES})


def path(default: str = "", words: tuple[str, ...] = ()) -> str:
    """A field that holds a path, whole once it is set, or nothing, or one of some words."""
    return field(default=default, metadata={"words": ("", *words)})


@dataclass(frozen=True)
class Checked:
    """A group whose values are checked when it is made, and whose paths then start where the user stands.

    Raises
    ------
    ValueError
        On construction, for a value of another type, outside its choices or its range; the message names the option,
        the value, and what was expected.
    """

    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            kind, choices = kind_of(f), choices_of(f)
            if kind is float and type(value) is int:
                value = float(value)
                object.__setattr__(self, f.name, value)
            if type(value) is not kind:
                raise ValueError(f"{f.name} is {value!r} ({type(value).__name__}); expected {kind.__name__}")
            if isinstance(value, str) and "\0" in value:
                raise ValueError(f"{f.name} is {value!r}; expected no null character, which no path holds")
            if isinstance(value, str) and value not in f.metadata.get("words", (value,)):
                object.__setattr__(self, f.name, absolute(value))
            if choices and value not in choices:
                raise ValueError(f"{f.name} is {value!r}; expected one of {', '.join(map(str, choices))}")
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"{f.name} is {value!r}; expected a finite number")
            if "least" in f.metadata and not value >= f.metadata["least"]:
                raise ValueError(f"{f.name} is {value!r}; expected at least {f.metadata['least']}")


def kind_of(option: Field) -> type:
    """str, int or float, by an option's annotation."""
    kind = type(get_args(option.type)[0]) if get_origin(option.type) is Literal else option.type
    assert isinstance(kind, type), option.name
    return kind


def choices_of(option: Field) -> tuple:
    """The values that an option may take; empty where there are too many to list."""
    return get_args(option.type) if get_origin(option.type) is Literal else option.metadata.get("choices", ())


@dataclass(frozen=True)
class Execution(Checked):
    """Where and on what a study runs; nothing that it computes depends on these."""

    results: str = path()  # folder for the tables as JSON; empty: one of the book's own in $ACP_RESULTS, or beside it
    build: str = path()  # folder in which _build is made; empty: $ACP_BUILD, or the project
    work: str = path()  # folder for what is kept between runs; empty: $ACP_WORK, or _work in the project
    jobs: int = option(0, least=0)  # processes; 0: one a core
    device: Literal["auto", "cpu", "cuda"] = "auto"  # auto: the GPU if there is one


@dataclass(frozen=True)
class Database(Checked):
    """Where the samples come from, and how music is cut."""

    source: Source = "synthetic"  # how `data` is read; synthetic: the mini database, made on the spot
    data: str = path()  # folder that holds pictures and music; empty: the mini database, made on the spot
    n_images: int = option(720, least=80)  # of the mini database
    n_songs: int = option(320, least=30)  # of the mini database
    last_segment: float = option(60.0, least=10.0)  # seconds from which the rest of a song is a segment
    short_from: float = option(10.0, least=1.0)  # seconds from which a song shorter than a minute is one
    agreement: Literal["all", "majority"] = "all"  # of those who were asked about a picture of IMAC's lists

    @property
    def folder(self) -> Path | None:
        """The folder that holds pictures and music; None of the mini database, which is made.

        Raises
        ------
        ValueError
            If `data` is no folder.
        """
        if self.source == "synthetic":
            return None
        if not Path(self.data).is_dir():
            raise ValueError(f"data is {self.data!r}, which is no folder; give the one that holds your pictures and "
                             "music")
        return Path(self.data)


@dataclass(frozen=True)
class Splitting(Checked):
    """Training, validation and test, 70:10:20; or so many equal folds, of which one tests and one validates."""

    split: Split = "song"  # what is kept whole
    split_draw: int = option(0, least=0)  # another draw with all else as it is; of folds, the one that tests
    folds: int = option(0, least=0)  # 0: 70:10:20


@dataclass(frozen=True)
class Features(Checked):
    """How pictures are seen, and how both feature vectors are scaled."""

    weights: str = path("imagenet", WORDS)  # of Inception-V3: imagenet, random, or a .safetensors or .pth file
    image_size: int = option(224, least=75)  # pixels; Paper: Section 4
    image_precision: Precision = "float32"
    analysis_frame: AnalysisFrame = "librosa"  # frames within a window of 10 s, or the window itself
    scaling: Scaling = "zscore"  # fitted on the training part


@dataclass(frozen=True)
class Pairing(Checked):
    """The correspondence task: which pairs, how many, and when training on them ends."""

    pairs: Protocol = "class_balanced"
    pairs_per_epoch: int = option(0, least=0)  # 0: one a training picture, but at least 100 batches
    test_pairs: int = option(10000, least=2)
    pair_draw: int = option(0, least=0)  # another draw with all else as it is
    epochs: int = option(50, least=1)  # at most; Paper: Section 4
    patience: int = option(5, least=1)  # epochs without a better validation accuracy before a run stops


@dataclass(frozen=True)
class Network(Checked):
    """ACP-Net."""

    activation: Activation = "relu"
    first_layer: FirstLayer = "dense"  # whether the first box of Fig. 2 is a layer or the input
    dropout: float = option(0.4, least=0.0)  # Paper: Section 4
    dropout_at: DropoutAt = "fusion"
    fc_width: float = share()  # share of the hidden layers' widths
    initialisation: Initialisation = "pytorch"  # of the weights: that library's default, or that of Keras

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.dropout >= 1:
            raise ValueError(f"dropout is {self.dropout!r}; expected a probability below 1")


@dataclass(frozen=True)
class Convolution(Checked):
    """The networks that see pixels or hear spectrograms."""

    width: float = share()  # share of their channels
    raw_size: int = option(224, least=16)  # side of a picture, pixels; Paper: Section 4
    bins: int = option(257, least=16)  # of a spectrogram
    frames: int = option(199, least=16)  # that are heard at once
    crops: int = option(12, least=1)  # stretches of a piece that are averaged at the test
    alexnet_weights: str = path("imagenet", WORDS)  # imagenet, random, or a file


@dataclass(frozen=True)
class Training(Checked):
    """What all networks are trained with."""

    batch: int = option(128, least=2)
    learning_rate: float = option(0.0001, least=0.0)  # of Adam; Paper: Section 4
    decay: Literal["none", "plateau"] = "none"
    precision: Precision = "float32"  # of the arithmetic; the weights stay in float32
    init_draw: int = option(0, least=0)  # another draw of initial weights with all else as it is


@dataclass(frozen=True)
class Probing(Checked):
    """What emotion probes read, and when their training ends."""

    probed_at: ProbedAt = "after_relu"  # whether ACP-Net's embeddings are read after their ReLU or before it
    probe_epochs: int = option(50, least=1)
    probe_patience: int = option(5, least=1)


@dataclass(frozen=True)
class Auditing(Checked):
    """How many and how wide the networks are that audits train again."""

    audit_seeds: int = option(10, least=2)  # runs of ACP-Net with other seeds
    audit_draws: int = option(10, least=2)  # of each way to split, and of each thing that is drawn by itself
    audit_width: float = share()  # fc_width of these networks
    audit_runs: int = option(48, least=4)  # networks of the specification curve, three a reading


GROUPS: dict[str, type] = {
    "execution": Execution, "database": Database, "splitting": Splitting, "features": Features, "pairing": Pairing,
    "network": Network, "convolution": Convolution, "training": Training, "probing": Probing, "auditing": Auditing}
"""The groups of a Profile by the name of its field."""
