"""`make bench`: every comparison, each measured in one run against what it is compared with.

A file of results holds the newest rows of each part; the book draws those in benchmarks/results.
"""

from benchmarks.compare import machine  # isort: skip - sets the threads before numpy loads

import argparse
import importlib
import json
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from acp_lib.engine import commands
from acp_lib.engine.cache import write
from acp_lib.engine.faults import readable

EXAMPLES = """\
examples:
  %(prog)s                     all of it, some minutes; kept in benchmarks/results
  %(prog)s --quick             less of everything, a minute or three; not kept
  %(prog)s music --json FILE   one part, kept in another file
  %(prog)s gpu                 training on a GPU, a few minutes; kept in benchmarks/results/<gpu>.json
  %(prog)s steps --against v1  making the book, against an earlier commit: half an hour
"""
PARTS = ("music", "alternatives", "pictures", "networks", "training", "growth", "stages", "tags", "downloads")
STEPS = "steps"
"""What takes too long to be among them, and needs another commit."""

GPU = "gpu"
"""What needs a GPU, and has a file of results of its own."""

RESULTS = Path(__file__).parent / "results"


def main(argv: list[str] | None = None, prog: str = "python -m benchmarks") -> int:
    parser = argparse.ArgumentParser(prog=prog, description=__doc__, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of {', '.join(PARTS)}; all of these if none "
                        f"is named; or {STEPS}, or {GPU}")
    parser.add_argument("--quick", action="store_true", help="less of everything, nothing kept")
    parser.add_argument("--against", metavar="COMMIT", help="of steps: an earlier state of this project")
    parser.add_argument("--json", type=Path, metavar="FILE",
                        help="write the results to this file (benchmarks/results/<cpu>.json)")
    options = parser.parse_args(argv)
    if unknown := set(options.parts) - {*PARTS, STEPS, GPU}:
        parser.error(f"part {sorted(unknown)[0]!r}; expected some of {', '.join((*PARTS, STEPS, GPU))}")
    if (STEPS in options.parts) != bool(options.against):
        parser.error(f"--against is {options.against!r}; expected a commit for {STEPS}, and nothing for other parts")
    if GPU in options.parts and len(options.parts) > 1:
        parser.error(f"{GPU} beside other parts; expected it alone, since its results have a file of their own")
    try:
        about = machine() | (importlib.import_module("benchmarks.gpu").card() if GPU in options.parts else {})
    except ValueError as error:
        parser.error(str(error))
    print(", ".join(f"{key} {value}" for key, value in about.items()))
    name = re.sub(r"[^a-z0-9]+", "-", str(about.get("gpu") or f"{about['cpu']} {about['cores']} cores").lower())
    target = options.json or (None if options.quick else RESULTS / f"{name}.json")
    try:
        before = kept(target) if target else {}
    except ValueError as error:
        parser.error(str(error))
    made = {part: importlib.import_module(f"benchmarks.{part}").run(options.against if part == STEPS else options.quick)
            for part in options.parts or PARTS}
    if target:
        keep(target, before, made, {"date": f"{datetime.now(UTC):%Y-%m-%d}", "quick": options.quick, **about})
    return 0


def kept(target: Path) -> dict[str, dict]:
    """The parts that a file of results holds; none if it is not there.

    Raises
    ------
    ValueError
        If it holds something else, or no file can be written there.
    """
    commands.target("--json", target)
    if not target.exists():
        return {}
    with readable(target, "move it away, or name another file"):
        parts = json.loads(target.read_text("utf8"))
        if not isinstance(parts, dict) or not all(isinstance(part, dict) and "rows" in part for part in parts.values()):
            raise ValueError("it holds no parts of a benchmark")
        return parts


def keep(target: Path, before: dict[str, dict], made: dict[str, list[dict]], about: dict) -> None:
    """Write parts to a file of results, beside the parts that it held."""
    write(target, json.dumps(before | {part: {**about, "rows": rows} for part, rows in made.items()}, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
