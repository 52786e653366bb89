"""`make bench`: every comparison, each measured in one run against what it is compared with.

    python -m benchmarks                     all of it, some minutes
    python -m benchmarks --quick             shorter sounds and fewer rounds, within two minutes
    python -m benchmarks music --json FILE   one part, the results also as JSON
"""

from benchmarks.compare import machine  # isort: skip - sets the threads before numpy loads

import argparse
import importlib
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

PARTS = ("music", "pictures", "networks")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of {', '.join(PARTS)}; all if none is named")
    parser.add_argument("--quick", action="store_true", help="within two minutes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results to this file")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"part {sorted(unknown)[0]!r}; expected some of {', '.join(PARTS)}")
    about = machine()
    print(", ".join(f"{key} {value}" for key, value in about.items()))
    rows = [row for part in options.parts or PARTS for row in importlib.import_module(f"benchmarks.{part}").run(
        options.quick)]
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        made = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "quick": options.quick, "machine": about, "rows": rows}
        options.json.write_text(json.dumps(made, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
