"""The training runs of the audits: seeds, draws and readings, side by side here or on a Dask cluster.

Chapter: How to read and rerun.
"""

import argparse
import sys

from acp_lib.engine import commands

EXAMPLES = """\
examples:
  %(prog)s mini                                            on all cores
  %(prog)s imac -p data imac -p audit_runs 96 --jobs 8
  %(prog)s imac -p data /mnt/imac -p work /mnt/work --scheduler tcp://head:8786

Runs that are there already are kept, so a command that was stopped goes on where it was; the book finds them all. On a
cluster every worker must see the data and the work folder under the same paths; start workers with one thread each.
"""


def arguments(prog: str) -> argparse.ArgumentParser:
    parser = commands.parser(prog, __doc__, EXAMPLES)
    return commands.add_spreading(parser)


def main(argv: list[str] | None = None, prog: str = "python -m acp_lib.audits") -> int:
    """Exit code: as `commands.outcome`."""
    options = arguments(prog).parse_args(argv)

    def work() -> None:
        profile = commands.profile(options, jobs=options.jobs)
        from acp_lib.audits import repeated  # only now: --help should not wait for it
        from acp_lib.study import Study

        made = repeated.all_runs(Study(profile, scheduler=options.scheduler))
        print(f"{len(made)} runs of ACP-Net, {sum(len(run.history) for run in made)} epochs")

    return commands.outcome(work, prog)


if __name__ == "__main__":
    sys.exit(main())
