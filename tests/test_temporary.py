"""What passes lies in a process's own folder, and goes: with the process, or with the next where it was killed."""

import os
import signal
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest

from acp_lib.engine import temporary
from acp_lib.profiles import ROOT

DEAD = 999999999  # no process has this number


@pytest.fixture
def fresh(monkeypatch, tmp_path):
    """A system's folder for what passes in which this process has none of its own yet."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", "")
    monkeypatch.setattr(temporary, "folder", cache(temporary.folder.__wrapped__))
    return tmp_path


@pytest.fixture
def short():
    """A folder whose path leaves room for a socket's name, as that of a test may not."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        yield Path(name)


def test_folders_of_killed_processes_go_and_no_other(fresh):
    names = (f"acp-{os.getpid()}-abcd_123", f"acp-{DEAD}-abcd_123", "acp-12x-abcd", "acp-notes", f"acp-{DEAD}")
    for name in names:
        (fresh / name / "below").mkdir(parents=True)
    (fresh / f"acp-{DEAD}-abcdefgh").symlink_to(fresh / "acp-notes")
    made = temporary.folder()
    assert {p.name for p in fresh.iterdir()} >= {*names, made.name} - {f"acp-{DEAD}-abcd_123"}
    assert not (fresh / f"acp-{DEAD}-abcd_123").exists()
    assert (fresh / "acp-notes/below").exists(), "no link is followed"


def test_it_is_one_a_process():
    assert temporary.folder() is temporary.folder()
    assert temporary.OWN.fullmatch(temporary.folder().name)[1] == str(os.getpid())


COMMAND = """
import os, sys, tempfile, time
from acp_lib.engine import commands, temporary
from acp_lib.engine.processes import PRELOADED, pool
PRELOADED.clear()

def work():
    with pool(1) as executor:
        executor.submit(os.getpid).result()
        print(os.listdir(tempfile.gettempdir()), flush=True)
        {then}

if __name__ == "__main__":
    sys.exit(commands.outcome(work, "command"))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no socket of a server")
@pytest.mark.parametrize(("then", "number", "code"), [
    ("pass", None, 0), ("raise ValueError('no')", None, 2), ("raise OSError(28, 'No space left on device')", None, 1),
    ("raise RuntimeError('not foreseen')", None, 1), ("sys.exit(3)", None, 3),
    ("time.sleep(300)", signal.SIGTERM, 143), ("time.sleep(300)", signal.SIGINT, 130),
    ("time.sleep(300)", signal.SIGHUP, 129), ("time.sleep(300)", signal.SIGKILL, -9),
])
def test_nothing_is_left_of_a_command_that_ends_and_of_a_killed_one_what_the_next_clears(tmp_path, short, then, number,
                                                                                         code):
    (tmp_path / "command.py").write_text(COMMAND.format(then=then))
    given = os.environ | {"TMPDIR": str(short), "PYTHONPATH": str(ROOT)}

    def start():
        return subprocess.Popen([sys.executable, tmp_path / "command.py"], env=given, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True, preexec_fn=heard)

    with start() as command:
        assert command.stdout.readline().startswith(f"['acp-{command.pid}-"), "nothing lies beside it"
        if number:
            command.send_signal(number)
        assert command.wait(60) == code
    left = list(short.iterdir())
    if number != signal.SIGKILL:
        assert left == []
        return
    killed, = left
    with start() as again:
        assert killed.name not in again.stdout.readline()
        again.terminate()
    assert list(short.iterdir()) == []


def heard():
    """In the command: signals are heard of, also where whoever runs the tests ignores them."""
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


@pytest.mark.parametrize(("length", "inside"), [(1, True), (80, False)])
def test_a_folder_whose_path_is_too_long_for_a_socket_is_passed_over(fresh, short, monkeypatch, length, inside):
    top = short if inside else fresh / ("t" * length)
    top.mkdir(exist_ok=True)
    monkeypatch.setattr(tempfile, "tempdir", str(top))
    with temporary.here():
        used = Path(tempfile.gettempdir())
        assert (used.parent == top and temporary.OWN.fullmatch(used.name)) if inside else used == top
    assert tempfile.gettempdir() == str(top)


@pytest.mark.parametrize(("length", "lent"), [(1, True), (80, False)])
def test_what_a_process_starts_is_lent_its_folder_where_a_socket_has_room(fresh, short, monkeypatch, length, lent):
    top = short if lent else fresh / ("t" * length)
    top.mkdir(exist_ok=True)
    monkeypatch.setattr(tempfile, "tempdir", str(top))
    temporary.lend()
    own = Path(os.environ["JUPYTER_RUNTIME_DIR"])
    assert own.parent == top and own.is_dir() and (os.environ["TMPDIR"] == str(own)) == lent
