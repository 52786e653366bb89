"""Where what passes lies: a process that needs it has a folder of its own in the system's, which goes with the process;
what killed ones have left goes with the next that makes one.

Chapter: How to read and rerun.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from multiprocessing import util
from pathlib import Path

import psutil

OWN = re.compile(r"acp-(\d{1,9})-\w{8}")  # names of such folders, with the number of the process
SOCKET = 75  # characters of a folder's path, at most, for a pool to have its socket there


@cache
def folder() -> Path:
    """This process's own."""
    for left in Path(tempfile.gettempdir()).iterdir():
        if (process := OWN.fullmatch(left.name)) and not psutil.pid_exists(int(process[1])):
            shutil.rmtree(left, ignore_errors=True)
    made = Path(tempfile.mkdtemp(prefix=f"acp-{os.getpid()}-"))
    util.Finalize(None, shutil.rmtree, args=(made, True), exitpriority=-200)  # after what multiprocessing makes in it
    return made


@contextmanager
def here() -> Iterator[None]:
    """What this process makes for a while within the block lies in its own folder, where a socket has room there."""
    before = tempfile.tempdir
    if len(str(folder())) <= SOCKET:
        tempfile.tempdir = str(folder())
    try:
        yield
    finally:
        tempfile.tempdir = before


def lend() -> None:
    """Let what this process starts from now on, kernels above all, make in its folder what passes, so that nothing
    stays when they are killed; and Jupyter its sockets.
    """
    os.environ["JUPYTER_RUNTIME_DIR"] = str(folder())
    if len(str(folder() / folder().name)) <= SOCKET:  # theirs lie in it
        os.environ["TMPDIR"] = str(folder())
