"""The 193 numbers of real recordings, the fast way against plain librosa: the worst deviation of each block.

    python -m benchmarks.equality FOLDER             every sound below the folder, on all cores; 6 s of work each
    python -m benchmarks.equality FOLDER --every 20  each twentieth
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed, parallel_config

from acp_lib.features import audio, music
from acp_lib.progress import bar


def errors(fast: np.ndarray, plain: np.ndarray) -> dict[str, float]:
    """Largest |a - b| of each block in units of what is allowed: 1e-4 |b| + 1e-5 max |block of b|."""
    found = {}
    for name, block in music.BLOCKS.items():
        a, b = fast[block].astype(np.float64), plain[block].astype(np.float64)
        allowed = 1e-4 * np.abs(b) + 1e-5 * np.abs(b).max()
        found[name] = float(np.max(np.abs(a - b) / np.maximum(allowed, 1e-30)))
    return found


def compared(path: Path) -> dict[str, float]:
    """`errors` of a recording's first minute."""
    y = audio.load(path, duration=audio.SEGMENT)
    return errors(music.extract(y, audio.SR), music.reference(y, audio.SR))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.equality", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="take each Nth recording")
    parser.add_argument("--jobs", type=int, default=-1, help="processes (one a core)")
    options = parser.parse_args()
    paths = sorted(p for p in options.folder.rglob("*") if p.suffix.lower() in (".wav", ".flac", ".mp3", ".ogg"))
    paths = paths[::options.every]
    if not paths:
        parser.error(f"{options.folder} holds no wav, flac, mp3 or ogg file")
    with parallel_config("loky", n_jobs=options.jobs, inner_max_num_threads=1):
        made = Parallel(return_as="generator")(delayed(compared)(path) for path in paths)
        table = pd.DataFrame(bar(made, total=len(paths), what="comparing", unit="clip"), index=[p.name for p in paths])
    summary = pd.DataFrame({"worst": table.max(), "median": table.median(), "clip": table.idxmax()})
    print(f"{len(table)} recordings; deviation in units of what is allowed, 1 is the limit")
    print(summary.to_string(float_format="{:.4f}".format))
    return int(table.max().max() >= 1)


if __name__ == "__main__":
    sys.exit(main())
