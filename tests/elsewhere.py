"""What tests have done in other processes: each of these imports this file, which therefore imports little."""

import os
import signal
import time
from pathlib import Path

from acp_lib.engine.cache import build_once, write
from acp_lib.engine.spread import isolated


def describe(items):
    """Twice each item; a negative one kills the process."""
    for item in items:
        if item < 0:
            os.kill(os.getpid(), signal.SIGKILL)
    return [(2 * item, "") for item in items]


def task(target, items, *, alone=False):
    found = isolated(describe, items) if alone else describe(items)
    write(target, ",".join(str(value) for value, _ in found))
    return len(items)


def counted(target, items, *, alone=False):
    """Doubles the items and notes each call; the first that meets an item of 99 kills its process."""
    with (target.parent / "calls").open("a") as calls:
        calls.write(f"{target.name} {os.getpid()}\n")
    if 99 in items and not (killed := target.parent / "killed").exists():
        killed.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.05)
    return task(target, items, alone=alone)


def silenced(target, items, *, alone=False):
    """Makes its file; with three items, its process dies before it can say so."""
    count = task(target, items, alone=alone)
    if count == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return count


def broken(target, items, *, alone=False):
    raise ValueError("broken")


def enter(folder, come, ready, leave):
    """Go where one process at a time may be: say that it comes, that it is within, and wait until it may leave."""
    from acp_lib.features.fast.compiled import one_at_a_time

    come.set()
    with one_at_a_time(folder):
        ready.set()
        leave.wait()


def slow(folder: Path) -> None:
    (folder / "by").write_text(str(os.getpid()))
    time.sleep(0.3)
    with (folder.parent / "calls").open("a") as f:
        f.write("called\n")


def wanting(folder, queue):
    queue.put((build_once(folder, slow) / "by").read_text())
