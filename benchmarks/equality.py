"""The 193 numbers of real recordings, the fast way against plain librosa: the worst deviation of each block.

    python -m benchmarks.equality FOLDER               every sound below the folder, on all cores; 6 s of work each
    python -m benchmarks.equality FOLDER --every 20    each twentieth
    python -m benchmarks.equality FOLDER --keep a.csv  what a.csv holds is not compared again, and what is done is added
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed, parallel_config

from acp_lib.engine.cache import code_key, write
from acp_lib.engine.progress import bar
from acp_lib.features import audio, music


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


def known(path: Path | None) -> pd.DataFrame:
    """What an earlier run left in a file: one row a recording, by its name, and one column a block.

    Raises
    ------
    ValueError
        If other code made it; its heading says which.
    """
    code = f"recording, by {code_key('acp_lib.features.music')}"
    if path is None or not path.exists():
        return pd.DataFrame(columns=list(music.BLOCKS), index=pd.Index([], name=code), dtype=float)
    table = pd.read_csv(path, index_col=0)
    if table.index.name != code:
        raise ValueError(f"--keep is {path}, which other code has made; give another file, or remove it")
    return table


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.equality", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="take each Nth recording")
    parser.add_argument("--jobs", type=int, default=-1, help="processes (one a core)")
    parser.add_argument("--keep", type=Path, metavar="CSV", help="file of what is done, read and added to")
    options = parser.parse_args(argv)
    paths = sorted(p for p in options.folder.rglob("*") if p.suffix.lower() in (".wav", ".flac", ".mp3", ".ogg"))
    names = {path: str(path.relative_to(options.folder)) for path in paths[::options.every]}
    if not names:
        parser.error(f"{options.folder} holds no wav, flac, mp3 or ogg file")
    try:
        table = known(options.keep)
    except ValueError as error:
        parser.error(str(error))
    todo = [path for path, name in names.items() if name not in table.index]
    with parallel_config("loky", n_jobs=options.jobs, inner_max_num_threads=1):
        made = Parallel(return_as="generator")(delayed(compared)(path) for path in todo)
        for path, found in zip(todo, bar(made, total=len(todo), what="comparing", unit="clip"), strict=True):
            table.loc[names[path]] = found
            if options.keep:
                write(options.keep, table.to_csv())
    table = table.loc[list(names.values())]
    summary = pd.DataFrame({"worst": table.max(), "median": table.median(), "clip": table.idxmax()})
    print(f"{len(table)} recordings; deviation in units of what is allowed, 1 is the limit")
    print(summary.to_string(float_format="{:.4f}".format))
    return int(table.max().max() >= 1)


if __name__ == "__main__":
    sys.exit(main())
