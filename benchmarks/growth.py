"""Cost of the run over a manifest against the number of samples: processor time, peak memory, gain of a second process.

Each size is a run of its own, `acp_lib.features.extract` on repeated copies of a few files, in a fresh process. What it
loads, compiles and tabulates for each of the files once is not counted.
"""

from benchmarks.compare import peak, seconds  # isort: skip - sets the threads before numpy loads

import json
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd

BASE = {"music": 4, "image": 12}  # samples; the others are multiples
TIMES = (1, 4, 16, 64)


def corpus(root: Path) -> None:
    """Four songs of a minute and eight pictures."""
    from benchmarks.music import song, write
    from benchmarks.pictures import jpegs

    for i in range(4):
        write(root / f"{i}.ogg", song(60, 22050, i), 22050)
    jpegs(root, 8, 1)


def rows(modality: str, n: int) -> pd.DataFrame:
    names = [f"{i % 4}.ogg" if modality == "music" else f"{i % 8}.jpg" for i in range(n)]
    return pd.DataFrame({"id": [f"s{i:06}" for i in range(n)], "path": names, "start": 0.0, "duration": 60.0})


def measured(root: Path, modality: str, n: int, jobs: int) -> dict:
    """Wall seconds of n samples with `jobs` processes; processor seconds and peak memory of this one."""
    from acp_lib.engine.work import Work
    from acp_lib.features import shards

    options = {} if modality == "music" else {"weights": root / "weights.safetensors", "size": 224}
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder)
        shards.vectors(modality, root, rows(modality, 8), Work(kept, 1, False), kept / "first", **options)
        spent = time.process_time()
        wall = seconds(lambda: shards.vectors(modality, root, rows(modality, n), Work(kept, jobs, False), kept / "all",
                                              **options))
    return {"wall_s": wall, "cpu_s": time.process_time() - spent, "peak_mib": peak()}


def _apart(*what) -> dict:
    done = subprocess.run([sys.executable, "-m", "benchmarks.growth", *map(str, what)], check=True, text=True,
                          capture_output=True)
    return json.loads(done.stdout.splitlines()[-1])


def run(quick: bool) -> list[dict]:
    """One row a size; and one a second process."""
    from acp_lib.features import image

    found = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        corpus(root)
        image.extractor("random").save(root / "weights.safetensors")
        for modality, base in BASE.items():
            base = base // 4 if quick else base
            sizes = {k: _apart(root, modality, k * base, 1) for k in (TIMES[::2] if quick else TIMES)}
            for k, row in sizes.items():
                name = f"{modality}, {k * base} samples"
                found.append({"name": name, "modality": modality, "samples": k * base, **row})
                print(f"{name:46}{row['cpu_s']:8.2f} s of processor time, {1000 * row['cpu_s'] / (k * base):6.1f} ms a "
                      f"sample, peak {row['peak_mib']:5.0f} MiB", flush=True)
            least, most = sizes[TIMES[0]], sizes[TIMES[-1]]
            dearer = most["cpu_s"] / least["cpu_s"] * TIMES[0] / TIMES[-1]
            print(f"{modality}: a sample of {TIMES[-1]} times as many costs {dearer:.3f} times as much (within 10 % "
                  f"wanted: {'met' if abs(dearer - 1) <= 0.1 else 'NOT MET'}), peak memory "
                  f"{most['peak_mib'] / least['peak_mib']:.3f} times")
            if not quick:
                found.append({"name": f"{modality}, 2 processes for 1", "modality": modality,
                              "gain": _gain(root, modality, TIMES[2] * base, sizes[TIMES[2]])})
                print(f"{found[-1]['name']:46}{found[-1]['gain']:8.2f} times, by their processor time", flush=True)
    return found


def _gain(root: Path, modality: str, n: int, alone: dict) -> float:
    """How many times the work of one process two do side by side, each with n samples of its own: by the processor time
    that sharing caches and memory adds, whatever else the machine does.
    """
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: _apart(root, modality, n, 1)["cpu_s"], range(2)))
    return 2 * alone["cpu_s"] / (sum(both) / 2)


if __name__ == "__main__":
    where, kind, count, processes = sys.argv[1:]
    print(json.dumps(measured(Path(where), kind, int(count), int(processes))))
