"""Temporary files: each process that needs them has its own folder in the system's temporary folder, which is removed
with the process; folders of killed processes are removed by the next process that makes one.

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
    """The temporary folder of this process."""
    for left in Path(tempfile.gettempdir()).iterdir():
        if (process := OWN.fullmatch(left.name)) and not psutil.pid_exists(int(process[1])):
            shutil.rmtree(left, ignore_errors=True)
    made = Path(tempfile.mkdtemp(prefix=f"acp-{os.getpid()}-"))
    util.Finalize(None, shutil.rmtree, args=(made, True), exitpriority=-200)  # after what multiprocessing makes in it
    return made


@contextmanager
def here() -> Iterator[None]:
    """Within the block this process's temporary files go into its folder, if a socket path fits there."""
    before = tempfile.tempdir
    if len(str(folder())) <= SOCKET:
        tempfile.tempdir = str(folder())
    try:
        yield
    finally:
        tempfile.tempdir = before


def lend() -> None:
    """Let processes that are started from now on, mainly kernels, put temporary files and Jupyter's sockets into this
    process's folder, so that nothing remains when they are killed.
    """
    os.environ["JUPYTER_RUNTIME_DIR"] = str(folder())
    if len(str(folder() / folder().name)) <= SOCKET:  # theirs lie in it
        os.environ["TMPDIR"] = str(folder())
