"""`make bench`: every comparison, each measured in one run against what it is compared with."""

import sys

from benchmarks.bench_music import main

if __name__ == "__main__":
    sys.exit(main())
