"""Record a study that takes too long for a book: trained once, here or on a machine with a GPU, and kept in the project
for chapters to show.

Chapter: How to read and rerun.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from acp_lib.engine import commands
from acp_lib.engine.cache import code_key, digest, write
from acp_lib.engine.progress import bar

if TYPE_CHECKING:
    from acp_lib.audits.plateau import Material

EXAMPLES = """\
studies:
  plateau   which settings take ACP-Net off its plateau
  samples   accuracy by the number of songs and pictures

examples:
  %(prog)s plateau mini -p seed 201                                  trains here
  %(prog)s plateau folder -p data my_corpus --export features/mine   features alone, for another machine
  %(prog)s plateau --material features/mine                          trains there; no media and no librosa needed

What is recorded goes to recorded/WHAT/DATA.json, or where --out says. A command that was stopped goes on where it was.
"""
STUDIES = ("plateau", "samples")


def arguments(prog: str) -> ArgumentParser:
    parser = commands.parser(prog, __doc__, EXAMPLES, STUDIES)
    parser.add_argument("--export", type=Path, metavar="FOLDER", help="write the features there and train nothing")
    parser.add_argument("--material", type=Path, metavar="FOLDER", help="train on features that --export wrote")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where to keep the result (recorded/WHAT/DATA.json)")
    parser.add_argument("--epochs", type=int, default=50, help="of each run (50)")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"), help="where to train (auto)")
    return parser


def main(argv: list[str] | None = None, prog: str = "python -m acp_lib.audits.record") -> int:
    """Exit code: as `commands.outcome`."""
    given = sys.argv[1:] if argv is None else argv
    options = arguments(prog).parse_args(given)

    def work() -> None:
        if options.epochs < 1:
            raise ValueError(f"--epochs is {options.epochs}; expected 1 or more")
        material = _material(options)
        if options.export:
            material.save(options.export)
            print(f"the features are in {options.export}; --material takes them")
        else:
            told = [word for word, before in zip(given, ["", *given], strict=False) if "--out" not in (word, before)]
            _record(options, material, f"{prog} {shlex.join(told)}")

    return commands.outcome(work, prog)


def _material(options: Namespace) -> Material:
    from acp_lib.audits.plateau import Material  # only now: --help should not wait for PyTorch

    if options.material:
        return Material.read(options.material)
    from acp_lib.study import Study

    return Material.of(Study(commands.profile(options)))


def _record(options: Namespace, material: Material, command: str) -> None:
    from acp_lib.audits import plateau
    from acp_lib.experiment.training import device
    from acp_lib.results import recorded

    where, jobs = device(options.device), plateau.STUDIES[options.what]()
    name = re.sub("[^a-z0-9]+", "_", material.about["data"].lower()).strip("_")
    path = options.out or recorded.FOLDER / options.what / f"{name}.json"
    parts = path.with_suffix(".parts")
    rows = []
    for job in bar(jobs, total=len(jobs), what=f"{options.what}, {material.about['data']}", unit="setting"):
        part = parts / f"{digest(job, material.about, options.epochs, code_key('acp_lib.audits.plateau'))}.json"
        if not part.is_file():
            cell, shares = job
            write(part, json.dumps(plateau.trained(material, cell, shares, where, epochs=options.epochs)))
        rows += json.loads(part.read_text("utf8"))
    said = recorded.about(command, recorded.hardware(where)) | material.about | {"epochs": options.epochs}
    recorded.save(path, said, rows)
    shutil.rmtree(parts)
    print(f"{len(rows)} runs in {path}")


if __name__ == "__main__":
    sys.exit(main())
