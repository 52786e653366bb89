"""The intervals and tests of the book put to the test in full, in every world of `acp_lib.audits.calibration`; some
minutes. What comes out is kept in recorded/calibration, for the chapter "How sure are we".

    python -m benchmarks.calibration
"""

import argparse
import sys
from pathlib import Path

from acp_lib.audits import calibration
from acp_lib.results import recorded
from acp_lib.results.recorded import hardware

KEPT = recorded.FOLDER / "calibration" / "errors.json"


def main(argv: list[str] | None = None, prog: str = "python -m benchmarks.calibration") -> int:
    parser = argparse.ArgumentParser(prog=prog, description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1000, help="simulated test sets of each world (1000)")
    parser.add_argument("--seed", type=int, default=0, help="of the first world; each has the next one (0)")
    parser.add_argument("--json", type=Path, default=KEPT, metavar="FILE", help="where to keep the result")
    options = parser.parse_args(argv)
    if options.rounds < 1:
        parser.error(f"argument --rounds: {options.rounds}; expected 1 or more")
    rows = []
    for k, world in enumerate(calibration.WORLDS):
        rows.append({**calibration.errors(world, options.rounds, options.seed + k), "seed": options.seed + k})
        print(", ".join(f"{key} {value}" for key, value in rows[-1].items()), flush=True)
    said = recorded.about(f"{prog} --rounds {options.rounds} --seed {options.seed}", hardware("cpu"))
    recorded.save(options.json, said, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
