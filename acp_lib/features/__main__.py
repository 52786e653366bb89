"""Features of a whole corpus: sharded, resumable, on all cores or on a Dask cluster.

Chapter: How to read and rerun.
"""

import argparse
import sys
import time
from typing import TYPE_CHECKING

from acp_lib.engine import commands
from acp_lib.engine.text import MESSAGE, plain
from acp_lib.features.layout import KINDS, VECTORS

if TYPE_CHECKING:
    from acp_lib.study import Study

EXAMPLES = """\
examples:
  %(prog)s folder -p data my_corpus                       music and pictures, on all cores
  %(prog)s imac -p data imac --only music --jobs 8
  %(prog)s imac -p data imac --only pixels               what L3-Net sees; slices: what it hears
  %(prog)s imac -p data /mnt/imac -p work /mnt/work --scheduler tcp://head:8786

Shards that are there already are kept, so a run that was stopped goes on where it was. On a cluster every worker must
see the data and the work folder under the same paths; start workers with one thread each.
"""


def arguments(prog: str) -> argparse.ArgumentParser:
    parser = commands.parser(prog, __doc__, EXAMPLES)
    parser.add_argument("--only", choices=tuple(KINDS), metavar="KIND",
                        help=f"one of {', '.join(KINDS)} (music and image)")
    return commands.add_spreading(parser)


def main(argv: list[str] | None = None, prog: str = "python -m acp_lib.features") -> int:
    """Exit code: as `commands.outcome`."""
    options = arguments(prog).parse_args(argv)

    def work() -> None:
        profile = commands.profile(options, jobs=options.jobs)
        from acp_lib.features import shards  # only now: --help should not wait for it
        from acp_lib.study import Study

        study = Study(profile, scheduler=options.scheduler)
        for kind in [options.only] if options.only else VECTORS:
            if kind in VECTORS:
                tell(kind, study)
            else:
                made = shards.Shards(study.raw(kind))
                print(f"{kind}: {len(made):,} samples of shape {made.shape[1:]}")

    return commands.outcome(work, prog)


def tell(modality: str, study: "Study") -> None:
    """Extract the features of music or pictures, and say how many there are and what was rejected."""
    start = time.monotonic()
    x, bad = study.extraction.vectors(modality)
    print(f"{modality}: {len(x):,} samples of {x.shape[1]} numbers, {len(bad):,} rejected, "
          f"{time.monotonic() - start:.1f} s")
    for path, reason in bad.itertuples(index=False):
        print(f"  {plain(path, MESSAGE)}: {plain(reason, MESSAGE)}")


if __name__ == "__main__":
    sys.exit(main())
