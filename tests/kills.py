"""A small book of a folder, killed again and again and gone on with: is it the book that an undisturbed run makes?

`python tests/kills.py --kills 20 --seed 0` makes one book undisturbed, kills another's processes at random moments (in
turn the command and any process it has started), lets it go on each time, and compares the two. Takes minutes.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from difflib import unified_diff
from itertools import islice
from pathlib import Path

import nbformat
import psutil
from check_pages import read
from conftest import corpus
from test_book import SMALL, Copy, given
from tqdm import tqdm

GRACE = 30  # seconds that a process may outlive the command: one that still imports hears of nothing
VARIES = {"book/status", "notebooks/92_cost"}
"""Pages that tell how long this run took."""


class Book(Copy):
    """A copy of the project that makes the small book of a folder."""

    def __init__(self, folder: Path, data: Path):
        super().__init__(folder)
        self.command = [sys.executable, "-m", "acp_lib.book", "folder", "-j", "2",
                        *given({n: v for n, v in SMALL.items() if not n.startswith("n_")}),
                        *given({"data": data, "weights": "random"})]
        self.environment = os.environ | {"PYTHONPATH": str(self.folder), "ACP_WORK": str(self.work)}

    def start(self) -> psutil.Popen:
        return psutil.Popen(self.command, cwd=self.folder, env=self.environment, start_new_session=True,
                            stdout=subprocess.DEVNULL, stderr=(self.folder.parent / "errors").open("ab"))

    def left(self) -> list[str]:
        """Command lines of processes that still work for this book."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("ACP_WORK") == str(self.work) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(" ".join(process.cmdline())[:100])
            except psutil.Error:
                continue
        return found

    def found(self) -> dict:
        """What the book is: results, chapters' outputs and pages' texts by name, but for those that tell times."""
        build, = self.folder.glob("_build/profiles/folder-*/_build")
        results = {p.name: json.loads(p.read_text("utf8")) for p in build.glob("results/*.json")}
        outputs = {p.name: [c.get("outputs") for c in nbformat.read(p, 4).cells] for p in build.glob("executed/*.ipynb")
                   if f"notebooks/{p.stem}" not in VARIES}
        html = (build / "html").resolve()
        pages = {str(p.relative_to(html)): page.soup.get_text() for p, page in read(build / "html").items()
                 if str(p.relative_to(html).with_suffix("")) not in VARIES}
        kept = {str(p.relative_to(self.work)): p.read_bytes() for p in self.work.rglob("*.safetensors")}
        return results | outputs | pages | kept


def disturb(book: Book, kills: int, rng: random.Random) -> list[str]:
    """Kill so many times; what each left behind that it should not."""
    faults = []
    for number in tqdm(range(kills), unit="kill"):
        process = book.start()
        time.sleep(rng.uniform(2, 45))
        others = process.children(recursive=True) if number % 2 else []
        target = rng.choice(others) if others else process
        try:
            target.send_signal(signal.SIGKILL)
            if target is not process:  # what the command makes of it is its own affair, for a while
                process.wait(rng.uniform(1, 10))
        except (psutil.NoSuchProcess, psutil.TimeoutExpired):
            pass
        if process.poll() is None:
            process.kill()
        process.wait()
        until = time.monotonic() + GRACE
        while (left := book.left()) and time.monotonic() < until:
            time.sleep(0.5)
        faults += [f"kill {number}: {line} is left" for line in left]
    return faults


def shown(one: object, other: object) -> str:
    """Where two values differ."""
    texts = (json.dumps(v, indent=1, default=str).splitlines() for v in (one, other))
    return "\n".join(line[:300] for line in islice(unified_diff(*texts, "whole", "killed", n=1, lineterm=""), 40))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        data = corpus(Path(name) / "mine", pictures=10, songs=10, seconds=21)
        whole, killed = (Book(Path(name) / copy, data) for copy in ("whole", "killed"))
        for book in (whole, killed):
            faults = disturb(killed, options.kills, random.Random(options.seed)) if book is killed else []
            start = time.monotonic()
            if book.start().wait():
                print((book.folder.parent / "errors").read_text("utf8")[-3000:])
                return 1
            print(f"{book.folder.parent.name}: made in {time.monotonic() - start:.0f} s")
        one, other = whole.found(), killed.found()
    differ = sorted(n for n in one.keys() | other.keys() if one.get(n) != other.get(n))
    for name in differ:
        print(name, shown(one.get(name), other.get(name)), sep="\n")
    print("\n".join(faults), f"{options.kills} kills, {len(faults)} processes left, {len(one)} files compared, "
          f"{len(differ)} differ: {', '.join(differ)}", sep="\n")
    return int(bool(faults or differ))


if __name__ == "__main__":
    sys.exit(main())
