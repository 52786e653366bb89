"""Features of a whole corpus: sharded, resumable, on all cores or on a Dask cluster.

Chapter: How to read and rerun.
"""

import argparse
import sys
import time

from acp_lib import commands
from acp_lib.features import extract, raw

EXAMPLES = """\
examples:
  python -m acp_lib.features folder -p data my_corpus                       music and pictures, on all cores
  python -m acp_lib.features imac -p data imac --only music --jobs 8
  python -m acp_lib.features imac -p data imac --only pixels               what L3-Net sees; slices: what it hears
  python -m acp_lib.features imac -p data /mnt/imac -p work /mnt/work --scheduler tcp://head:8786

Shards that are there already are kept, so a run that was stopped goes on where it was. On a cluster every worker must
see the data and the work folder under the same paths; start workers with one thread each.
"""


def arguments() -> argparse.ArgumentParser:
    parser = commands.parser("acp_lib.features", __doc__, EXAMPLES)
    parser.add_argument("--only", choices=(*extract.WIDTH, *raw.KINDS), metavar="KIND",
                        help=f"one of {', '.join((*extract.WIDTH, *raw.KINDS))} (music and image)")
    return commands.spread(parser)


def main(argv: list[str] | None = None) -> int:
    """Exit code: 0; 2 for a wrong argument or data that cannot be used; 130 if it was interrupted."""
    options = arguments().parse_args(argv)
    try:
        profile = commands.profile(options, jobs=options.jobs)
        from acp_lib.pipeline import Study  # only now: --help should not wait for it

        study = Study(profile, scheduler=options.scheduler)
        if options.only in raw.KINDS:
            made = raw.Shards(study.raw(options.only))
            print(f"{options.only}: {len(made):,} samples of shape {made.shape}")
            return 0
        for modality in [options.only] if options.only else ["music", "image"]:
            start = time.monotonic()
            x, bad = study.extracted(modality)
            print(f"{modality}: {len(x):,} samples of {x.shape[1]} numbers, {len(bad):,} rejected, "
                  f"{time.monotonic() - start:.1f} s")
            for path, reason in bad.itertuples(index=False):
                print(f"  {path}: {reason}")
    except (ValueError, ImportError) as error:
        print(f"error: {error} (python -m acp_lib.features --help)", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return commands.stopped()
    return 0


if __name__ == "__main__":
    sys.exit(main())
