"""Two ways to do the same thing, run in turn in one process on one thread, in seconds of processor time: what else the
machine does takes none of it, and what it does to caches and memory falls on both.
"""

import importlib.metadata
import os
import platform
import re
import statistics
import time
from pathlib import Path

for name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
    os.environ[f"{name}_NUM_THREADS"] = "1"  # before numpy is loaded

PACKAGES = ("numpy", "scipy", "numba", "librosa", "soundfile", "soxr", "pillow", "torch", "torchvision")


def seconds(function) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def spent(function) -> float:
    """Seconds of processor time of this process."""
    start = time.process_time()
    function()
    return time.process_time() - start


def peak() -> float:
    """Peak memory of this process in MiB; NaN where there is no /proc. (What getrusage says, a child inherits.)"""
    status = Path("/proc/self/status")
    return int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]) / 1024 if status.exists() else float("nan")


def compare(name: str, plain, fast, rounds: int, wanted: float) -> dict:
    """Medians of both, and of the ratios of the single rounds, beside the ratio that is wanted."""
    plain_times, fast_times = [], []
    for _ in range(rounds):
        before = spent(fast)
        plain_times.append(spent(plain))
        fast_times.append((before + spent(fast)) / 2)
    ratios = [p / f for p, f in zip(plain_times, fast_times, strict=True)]
    row = {"name": name, "plain_ms": 1e3 * statistics.median(plain_times),
           "fast_ms": 1e3 * statistics.median(fast_times), "ratio": statistics.median(ratios), "lowest": min(ratios),
           "highest": max(ratios), "rounds": rounds, "wanted": wanted}
    verdict = "met" if row["ratio"] >= wanted else "NOT MET"
    print(f"{name:46}{row['plain_ms']:10.1f} ms{row['fast_ms']:9.1f} ms{row['ratio']:7.2f} times "
          f"({row['lowest']:.2f} to {row['highest']:.2f}), wanted {wanted:g}: {verdict}", flush=True)
    return row


def floor(name: str, function, rounds: int, of: str = "") -> dict:
    """What bare arithmetic takes, for comparison; `of` names the row of `compare` that cannot take less."""
    row = {"name": name, "fast_ms": 1e3 * statistics.median(spent(function) for _ in range(rounds)), "rounds": rounds,
           **({"of": of} if of else {})}
    print(f"{name:46}{'':13}{row['fast_ms']:9.1f} ms   the floor", flush=True)
    return row


def machine() -> dict:
    """Hardware and versions that the numbers depend on, and how many processes wanted to run at the start, as a mean
    over a minute: where they are more than the cores, wall times say little.
    """
    import torch

    cpu = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), cpu)
    versions = {package: importlib.metadata.version(package) for package in PACKAGES}
    return {"cpu": cpu, "instructions": torch.backends.cpu.get_cpu_capability(), "cores": os.cpu_count(),
            "load": round(os.getloadavg()[0], 1), "python": platform.python_version(), "threads": 1} | versions
