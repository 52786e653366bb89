"""Record a study that takes too long for a book: trained once, here or on a machine with a GPU, and kept in the project
for chapters to show.

Chapter: How to read and rerun.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from acp_lib.engine import commands
from acp_lib.engine.cache import code_key, digest, write
from acp_lib.engine.faults import readable
from acp_lib.engine.progress import bar

if TYPE_CHECKING:
    from acp_lib.findings.plateau import Material

SETTINGS = {"plateau": "which settings take ACP-Net off its plateau",
            "samples": "accuracy by the number of songs and pictures",
            "pairs": "accuracy by the number of different training pairs"}
"""Studies that train on features alone, on another machine if need be."""

FOLDED = {"folds": "Tables 4 and 5, with every sample tested once",
          "networks": "Table 4's networks with all their channels, which takes a GPU, every sample tested once",
          "bridge": "what naming the classes of both halves predicts of pairs, by folds",
          "encoders": "pictures and music by other encoders, from files of weights in --encoders",
          "audits": "leakage by split, sources of luck, readings of the paper: tens of trainings",
          "simulation": "IMAC at its full size, by a simulator that is checked on the corpus: ACP-Net by reading",
          "power": "what runs, pictures and songs bring to the luck of a score",
          "transfer": "trained on one corpus, tested on another, --to, which shares no file with it"}
"""Studies of a whole profile: modules of this package whose `rows` make what is recorded."""

LISTED = {"emomv": "the pairs of EmoMV-C, as its authors listed them: what they rest on, and who compares"}
"""Studies of files that others made, in a folder: modules whose `rows` take a profile, and tell of themselves."""

EXAMPLES = """\
studies:
  %(studies)s

examples:
  %%(prog)s folds folder -p data my_corpus -p seeds 3 --name "mine"     trains here
  %%(prog)s plateau folder -p data my_corpus --export features/mine     features alone, for another machine
  %%(prog)s plateau --material features/mine                            trains there; no media and no librosa needed
  %%(prog)s emomv folder -p data emomv_c                                pairs of others, HDF5: pip install h5py

What is recorded goes to recorded/WHAT/DATA.json, or where --out says. A command that was stopped goes on where it was.
""" % {"studies": "\n  ".join(f"{name:10} {words}" for name, words in (SETTINGS | FOLDED | LISTED).items())}  # noqa: UP031


def arguments(prog: str) -> ArgumentParser:
    parser = commands.parser(prog, __doc__, EXAMPLES, tuple(SETTINGS | FOLDED | LISTED))
    parser.add_argument("--name", metavar="DATA", help="what the data is called (its folder's name)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where to keep the result (recorded/WHAT/DATA.json)")
    parser.add_argument("--to", metavar="FOLDER", help="of transfer: pictures and music of the corpus that is tested")
    parser.add_argument("--networks", nargs="+", metavar="NAME", help="of folds, networks and power: those of Table 4 "
                        "to train (all; of power L3-Net); of encoders: pairs of them, 'EfficientNet-Lite2 × musicnn', "
                        "on which to train ACP-Net (none); of simulation: readings, 'class_balanced, song' (all)")
    parser.add_argument("--size", type=float, default=1.0, metavar="SHARE", help="of simulation: of IMAC's size (1)")
    parser.add_argument("--encoders", type=Path, metavar="FOLDER", help="of encoders: the files of their weights")
    parser.add_argument("--without", nargs="+", default=(), metavar="NAME", help="of encoders: those to leave out")
    parser.add_argument("--export", type=Path, metavar="FOLDER", help="write the features there and train nothing")
    parser.add_argument("--material", type=Path, metavar="FOLDER", help="train on features that --export wrote")
    parser.add_argument("--epochs", type=int, default=50, help="of each run of plateau, samples and pairs (50)")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"),
                        help="where plateau, samples and pairs train (auto)")
    return parser


def main(argv: list[str] | None = None, prog: str = "python -m acp_lib.findings.record") -> int:
    """Exit code: as `commands.outcome`."""
    given = sys.argv[1:] if argv is None else argv
    options = arguments(prog).parse_args(given)
    told = [word for word, before in zip(given, ["", *given], strict=False) if "--out" not in (word, before)]
    command = f"{prog} {shlex.join(told)}"

    def work() -> None:
        _refuse(options)
        if options.what in SETTINGS:
            _settings(options, command)
        elif options.what in LISTED:
            _listed(options, command)
        else:
            _folded(options, command)

    return commands.outcome(work, prog)


APPLY = {"to": ("transfer",), "encoders": ("encoders",), "without": ("encoders",), "size": ("simulation",),
         "networks": ("folds", "networks", "power", "encoders", "simulation"),
         **dict.fromkeys(("export", "material", "epochs", "device"), tuple(SETTINGS))}
"""The studies that each option is of."""

NEEDED = {"transfer": "to", "encoders": "encoders"}


def _refuse(options: Namespace) -> None:
    """Raise ValueError for an option that the study does not have, lacks, or cannot take, before anything is made."""
    default = arguments("record").get_default
    for name, studies in APPLY.items():
        if (value := getattr(options, name)) != default(name) and options.what not in studies:
            raise ValueError(f"--{name} is {_shown(value)}, of which {options.what} has no use: it is for "
                             f"{', '.join(studies)}" + (f"; give -p {name}" if name in ("epochs", "device") else ""))
    if (needed := NEEDED.get(options.what)) and not getattr(options, needed):
        raise ValueError(f"--{needed} is {getattr(options, needed)!r}; expected a folder for {options.what}")
    if options.material and options.export:
        raise ValueError("--material has features that were written already; give --export without it")
    if options.material and (options.given or options.profile != default("profile")):
        raise ValueError("--material has features that are made already; give no profile and no -p beside it")
    if options.epochs < 1:
        raise ValueError(f"--epochs is {options.epochs}; expected 1 or more")
    if not 0 < options.size <= 1:
        raise ValueError(f"--size is {options.size:g}; expected a share above 0 and up to 1")
    if options.out:
        commands.target("--out", options.out)
    if options.name is not None and not options.out:
        _place(options.what, options.name)


def _shown(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _place(what: str, data: str) -> Path:
    """Where the result of a study of some data is kept.

    Raises
    ------
    ValueError
        If the name has no letter and no digit, no file can have it, or the result of other data has it.
    """
    from acp_lib.results import recorded

    if not (name := re.sub(r"[\W_]+", "_", data.lower()).strip("_")):
        raise ValueError(f"--name is {data!r}; expected a letter or a digit in it")
    path = commands.target("--name", recorded.FOLDER / what / f"{name}.json")
    if path.exists():
        with readable(path, "move it away, or give another --name"):
            held = json.loads(path.read_text("utf8"))["data"]
        if held != data:
            raise ValueError(f"--name is {data!r}, but {path.name} holds the result of {held!r}; give another name, or "
                             "a place by --out")
    return path


def _folded(options: Namespace, command: str) -> None:
    """Record what a module makes of a study; what it trains is kept in the work folder, and found again."""
    from acp_lib.engine.devices import device
    from acp_lib.results import recorded
    from acp_lib.study import Study

    study = Study(commands.profile(options))
    more = {"transfer": lambda: {"other": study.variant(data=options.to)},
            "encoders": lambda: {"folder": options.encoders, "networks": options.networks or (),
                                 "without": options.without},
            **dict.fromkeys(("folds", "networks", "power"),
                            lambda: {"networks": options.networks} if options.networks else {}),
            "simulation": lambda: {"share": options.size, "readings": options.networks or ()}}
    rows = import_module(f"acp_lib.findings.{options.what}").rows(study, **more.get(options.what, dict)())
    made = study.provenance
    said = {key: made[key] for key in ("data", "synthetic", "data_fingerprint", "image_weights", "image_weights_digest",
                                       "settings")}
    _save(options, rows, recorded.about(command, recorded.hardware(device(study.profile.execution.device))) | said)


def _listed(options: Namespace, command: str) -> None:
    """Record what a module makes of the files in the folder of a profile."""
    from acp_lib.engine.devices import device
    from acp_lib.results import recorded

    profile = commands.profile(options)
    rows, said = import_module(f"acp_lib.findings.{options.what}").rows(profile)
    _save(options, rows, recorded.about(command, recorded.hardware(device(profile.execution.device))) | said)


def _save(options: Namespace, rows: Sequence[dict], said: dict) -> Path:
    from acp_lib.results import recorded

    said |= {"data": options.name or said["data"]}
    path = options.out or _place(options.what, said["data"])
    recorded.save(path, said, rows)
    print(f"{len(rows)} rows in {path}")
    return path


def _settings(options: Namespace, command: str) -> None:
    from acp_lib.findings import plateau

    plateau.refuse_few(material := _material(options))
    if options.export:
        material.save(options.export)
        print(f"the features are in {options.export}; --material takes them")
    else:
        _trained(options, material, command)


def _material(options: Namespace) -> Material:
    from acp_lib.findings.plateau import Material  # only now: --help should not wait for PyTorch

    if options.material:
        return Material.read(options.material)
    from acp_lib.study import Study

    return Material.of(Study(commands.profile(options)))


def _trained(options: Namespace, material: Material, command: str) -> None:
    """Record what settings come to, each kept below the work folder until all are there."""
    from acp_lib.engine.devices import device
    from acp_lib.findings import plateau
    from acp_lib.results import recorded

    where, jobs = device(options.device), plateau.STUDIES[options.what]()
    about, key = material.about | {"epochs": options.epochs}, [code_key("acp_lib.findings.plateau"), material.key]
    parts = (options.out or recorded.FOLDER / options.what).with_suffix(".parts")
    rows, kept = [], []
    for job in bar(jobs, total=len(jobs), what=f"{options.what}, {about['data']}", unit="setting"):
        part = parts / f"{digest(job, about, key)}.json"
        rows += _part(part, partial(plateau.trained, material, job[0], job[1], where, epochs=options.epochs))
        kept.append(part)
    _save(options, rows, recorded.about(command, recorded.hardware(where)) | about)
    for part in kept:
        part.unlink(missing_ok=True)  # the same command may have run beside this one
    with suppress(OSError):  # another corpus may have parts there
        parts.rmdir()


def _part(path: Path, make: Callable[[], list[dict]]) -> list[dict]:
    """Rows that are kept at a path; made and written there if they are not."""
    with suppress(FileNotFoundError):
        return json.loads(path.read_text("utf8"))
    rows = make()
    write(path, json.dumps(rows))
    return rows


if __name__ == "__main__":
    sys.exit(main())
