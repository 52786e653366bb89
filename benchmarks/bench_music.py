"""How many times faster the music features and the decoder are than librosa: `python -m benchmarks.bench_music`.

Both sides run in turn in one process on one thread, so that what else the machine does falls on both alike.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import tempfile
import time
from pathlib import Path

for name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
    os.environ[f"{name}_NUM_THREADS"] = "1"  # before numpy is loaded

import librosa  # noqa: E402
import numpy as np  # noqa: E402
import soundfile  # noqa: E402

from acp_lib.features import audio, music  # noqa: E402


def song(seconds: float, sr: int, seed: int) -> np.ndarray:
    """Chords with overtones over drums, tuned a little off: (n, 2)."""
    random = np.random.default_rng(seed)
    t = np.arange(int(seconds * sr)) / sr
    roots = 110 * 2 ** ((random.integers(0, 24, 200) + random.uniform(-0.3, 0.3)) / 12)
    phase = 2 * np.pi * np.cumsum(roots[(t / 0.6).astype(int) % 200]) / sr
    y = sum(np.sin(phase * ratio * h) / h for ratio in (1, 1.2599, 1.4983) for h in (1, 2, 3, 5))
    y = 0.05 * y + 0.2 * random.standard_normal(len(t)) * np.exp(-30 * (t % 0.3))
    return np.stack([y, 0.7 * y], axis=1)


def write(path: Path, y: np.ndarray, sr: int) -> None:
    with soundfile.SoundFile(path, "w", sr, y.shape[1]) as file:
        for i in range(0, len(y), sr):
            file.write(y[i : i + sr])  # libsndfile 1.2.2 crashes on a minute of OGG at once


def seconds(function) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def compare(name: str, plain, fast, rounds: int) -> dict:
    """Run both in turn; medians, and the spread of the ratios of the single rounds."""
    plain_times, fast_times = [], []
    for _ in range(rounds):
        before = seconds(fast)
        plain_times.append(seconds(plain))
        fast_times.append((before + seconds(fast)) / 2)
    ratios = [p / f for p, f in zip(plain_times, fast_times, strict=True)]
    row = {
        "name": name,
        "plain_ms": 1e3 * statistics.median(plain_times),
        "fast_ms": 1e3 * statistics.median(fast_times),
        "ratio": statistics.median(ratios),
        "lowest": min(ratios),
        "highest": max(ratios),
        "rounds": rounds,
    }
    print(
        f"{name:42}{row['plain_ms']:9.1f} ms{row['fast_ms']:9.1f} ms{row['ratio']:8.1f} times "
        f"({row['lowest']:.1f} to {row['highest']:.1f}, {rounds} rounds)",
        flush=True,
    )
    return row


def machine() -> dict:
    cpu = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), cpu)
    packages = ("numpy", "scipy", "numba", "librosa", "soundfile", "soxr")
    versions = {package: importlib.metadata.version(package) for package in packages}
    return {"cpu": cpu, "cores": os.cpu_count(), "python": platform.python_version(), "threads": 1} | versions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="20-second segments and 3 rounds")
    parser.add_argument("--json", type=Path, help="write the results to this file")
    options = parser.parse_args()
    length, rounds = (20, 3) if options.quick else (60, 7)

    about = machine()
    print(", ".join(f"{key} {value}" for key, value in about.items()))
    y = song(length, audio.SR, seed=1).mean(axis=1).astype(np.float32)
    first = seconds(lambda: music.extract(y, audio.SR))
    print(f"first call of extract in this process: {first:.2f} s")
    music.reference(y[: audio.SR], audio.SR)  # librosa compiles on first use
    rows = [
        compare(
            f"193 numbers of {length} s",
            lambda: music.reference(y, audio.SR),
            lambda: music.extract(y, audio.SR),
            rounds,
        )
    ]
    with tempfile.TemporaryDirectory() as folder:
        for suffix in ("wav", "flac", "mp3", "ogg"):
            path = Path(folder) / f"song.{suffix}"
            write(path, song(length, 44100, seed=2), 44100)
            audio.load(path), librosa.load(path)
            name = f"{length} s of stereo 44.1 kHz {suffix} to mono 22.05"
            rows.append(compare(name, lambda p=path: librosa.load(p), lambda p=path: audio.load(p), 3 * rounds))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps({"machine": about, "first_call_s": first, "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
