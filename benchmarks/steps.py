"""What a person waits for, against another commit: the book, and the book again after a change.

Both commits are laid out in folders of their own and take turns, in this environment, which counts for neither.
Processor time is that of all processes that a step began; elsewhere than on Linux, of those that it waited for.
"""

from __future__ import annotations

import ctypes
import io
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import psutil

ROOT = Path(__file__).parent.parent
CHAPTER = "notebooks/04_splits_and_pairs.md"
FIGURES = ("acp_lib/figures/splits.py", "acp_lib/figures.py")
"""Where a commit draws the figures of that chapter: the first that it has."""

PR_SET_CHILD_SUBREAPER = 36  # of linux/prctl.h
BOOK = ("-m", "acp_lib.book", "mini", "-j", "2")
PAGE = Path("_build/html/index.html")


def nothing(root: Path) -> None:
    """No change."""


def anew(root: Path) -> None:
    """As it is cloned: nothing is kept."""
    for name in ("_work", "_build"):
        shutil.rmtree(root / name, ignore_errors=True)


def prose(root: Path) -> None:
    """One more sentence in a chapter."""
    _append(root / CHAPTER, f"A sentence more, {time.time_ns()}.")


def figure(root: Path) -> None:
    """One more name in a module of figures, which is code."""
    _append(next(path for name in FIGURES if (path := root / name).exists()), f"_MORE = {time.time_ns()}")


def _append(path: Path, line: str) -> None:
    path.write_text(path.read_text("utf8") + f"\n{line}\n", "utf8")


STEPS: dict[str, Callable[[Path], None]] = {
    "make book, the first time": anew, "make book, no change": nothing, "make book, a sentence more": prose,
    "make book, a figure's code": figure}
"""What is changed before the book is made."""


def laid_out(commit: str, root: Path) -> Path:
    """The files of a commit in a folder of their own.

    Raises
    ------
    ValueError
        For a commit that git does not know.
    """
    made = subprocess.run(["git", "-C", ROOT, "archive", commit], capture_output=True)
    if made.returncode:
        raise ValueError(f"commit {commit!r}: {made.stderr.decode(errors='replace').strip()}; expected one of this "
                         "project's, with its history")
    with tarfile.open(fileobj=io.BytesIO(made.stdout)) as archive:
        archive.extractall(root, filter="data")
    introduce(root)
    return root


def named(commit: str) -> str:
    """The short name of a commit, which means the same tomorrow; what git does not know stays as it is."""
    found = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "--verify", "--quiet", f"{commit}^{{commit}}"],
                           capture_output=True, text=True)
    return found.stdout.strip() or commit


def introduce(root: Path) -> None:
    """Lay beside the files what an installation would: papermill finds a commit's own reader of chapters by it."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf8"))["project"]
    about = root / f"{project['name'].replace('-', '_')}-0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 0\n")
    (about / "entry_points.txt").write_text("".join(
        f"[{group}]\n" + "".join(f"{name} = {where}\n" for name, where in named.items())
        for group, named in project.get("entry-points", {}).items()))


def _adopt(orphans: bool) -> None:
    """Whether processes whose parent ends become this one's: the time of those that it waits for is counted."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, int(orphans), 0, 0, 0)


def spent(root: Path, command: tuple[str, ...]) -> dict[str, float]:
    """Wall and processor seconds of a Python command in a folder; and "page_s", those until the book's first page was
    there, if it was not there before.

    Raises
    ------
    RuntimeError
        If it failed; the message ends with the last it said.
    """
    kept = {key: value for key, value in os.environ.items() if not key.startswith("ACP_")}
    own, page, seen = set(psutil.Process().children()), root / PAGE, {}
    awaited = not page.exists()
    _adopt(True)
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with tempfile.TemporaryFile("w+") as said:
        started = subprocess.Popen([sys.executable, *command], cwd=root, env={**kept, "PYTHONPATH": str(root)},
                                   stdout=said, stderr=subprocess.STDOUT)
        while awaited and not seen and started.poll() is None:
            time.sleep(0.2)
            if page.exists():
                seen["page_s"] = time.perf_counter() - began
        code, wall = started.wait(), time.perf_counter() - began
        said.seek(0)
        told = said.read()
    while left := set(psutil.Process().children()) - own:
        psutil.wait_procs(left)
    _adopt(False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if code:
        raise RuntimeError(f"{' '.join(command)} in {root} ended with {code}: {told[-2000:]}")
    return {"wall_s": wall, **seen,
            "cpu_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}


def run(against: str, rounds: int = 1, command: tuple[str, ...] = BOOK) -> list[dict]:
    """One row a step: "before" and "after" with the median wall and processor seconds, and their commits, "against" and
    "commit".
    """
    against = named(against)
    with tempfile.TemporaryDirectory() as folder:
        commits = {"before": against, "after": "HEAD"}
        sides = {side: laid_out(commit, Path(folder) / side) for side, commit in commits.items()}
        found: dict[str, dict[str, list]] = {step: {side: [] for side in sides} for step in STEPS}
        for _ in range(rounds):
            for step, change in STEPS.items():
                for side, root in sides.items():
                    change(root)
                    found[step][side].append(spent(root, command))
                    print(f"{step:28}{side:8}" + "".join(f"{name} {s:8.1f}  " for name, s in
                                                        found[step][side][-1].items()), flush=True)
    rows = [{"name": step, "against": against, "commit": named("HEAD"), "rounds": rounds,
             **{side: {key: statistics.median(one[key] for one in every) for key in every[0]}
                for side, every in both.items()}} for step, both in found.items()]
    for row in rows:
        wall, cpu = (row["after"][key] / row["before"][key] for key in ("wall_s", "cpu_s"))
        print(f"{row['name']:28}{wall:6.2f} times the wall time of {against}, {cpu:.2f} times the processor time")
    return rows
