"""Keys that follow the code, folders made once, files written whole."""

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acp_lib.engine import cache

JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
                    lambda x: st.lists(x) | st.dictionaries(st.text(), x), max_leaves=5)


@given(JSON)
def test_digest_is_16_digits_and_follows_the_value(value):
    found = cache.digest(value)
    assert len(found) == 16 and set(found) <= set("0123456789abcdef")
    assert found == cache.digest(value) != cache.digest(value, None)


def test_digest_golden_and_independent_of_order_of_keys():
    assert cache.digest({"a": 1, "b": 2}) == cache.digest({"b": 2, "a": 1})
    assert cache.digest(1) != cache.digest("1") != cache.digest(["1"])
    assert cache.digest("acp", 1, [2.5, None]) == "038145a281b68639"


def test_file_digest(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert cache.file_digest(tmp_path / "a") == "ba7816bf8f01cfea"


# keys of code


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of the library's source that a test may change."""
    folder = tmp_path / "acp_lib"
    shutil.copytree(cache.PACKAGE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(cache, "PACKAGE", folder)
    forget()
    yield folder
    forget()


def forget():
    cache.code_key.cache_clear()
    cache._known.cache_clear()


CHANGES = [
    ("splits", "splits.py", True),
    ("splits", "emotions.py", True),
    ("splits", "ledger.py", True),  # through profiles
    ("splits", "ledger.yml", True),
    ("splits", "pairs.py", False),
    ("database.folder", "features/_hpss.py", False),
    ("database.folder", "features/audio.py", True),  # through the manifest
    ("database.folder", "database/tag_rules.yml", False),
    ("database.imac", "database/tag_rules.yml", True),
    ("features.extract", "features/_hpss.py", True),  # through music
    ("features.extract", "features/image.py", True),  # imported within a function
    ("features.extract", "ledger.yml", False),
    ("models", "models/_branches.py", True),  # through each of the networks
    ("features.raw", "models/art_features.py", True),  # imported within a function
    ("runs", "tasks.py", True),  # through the methods
    ("features.extract", "methods.py", False),
]


@pytest.mark.parametrize(("module", "changed", "differs"), CHANGES)
def test_a_key_follows_what_the_module_imports_and_no_more(package, module, changed, differs):
    before, whole = cache.code_key(f"acp_lib.{module}"), cache.code_key()
    with (package / changed).open("a") as f:
        f.write("\n# changed\n")
    forget()
    assert (cache.code_key(f"acp_lib.{module}") != before) == differs
    assert cache.code_key() != whole


def test_a_key_of_several_modules(package):
    one, other = "acp_lib.experiment.splits", "acp_lib.experiment.pairs"
    assert cache.code_key(one, other) == cache.code_key(other, one) != cache.code_key(one)


def test_a_copy_elsewhere_has_the_same_key(package, monkeypatch):
    copied = cache.code_key("acp_lib.features.extract"), cache.code_key()
    monkeypatch.undo()
    forget()
    assert copied == (cache.code_key("acp_lib.features.extract"), cache.code_key())


# folders


def test_kept_builds_once(tmp_path):
    calls = []

    def build(folder):
        calls.append(folder)
        (folder / "x").write_text("made")

    for _ in range(2):
        assert (cache.build_once(tmp_path / "a" / "b", build) / "x").read_text() == "made"
    assert len(calls) == 1 and calls[0] != tmp_path / "a" / "b"
    assert [p.name for p in (tmp_path / "a").iterdir() if not p.name.endswith(".lock")] == ["b"]


def slow(folder):
    (folder / "by").write_text(str(os.getpid()))
    time.sleep(0.3)
    with (folder.parent / "calls").open("a") as f:
        f.write("called\n")


def wanting(folder, queue):
    queue.put((cache.build_once(folder, slow) / "by").read_text())


def test_of_concurrent_processes_one_builds_and_all_get_it(tmp_path):
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    workers = [context.Process(target=wanting, args=(tmp_path / "x", queue)) for _ in range(3)]
    for w in workers:
        w.start()
    makers = {queue.get(timeout=30) for _ in workers}
    for w in workers:
        w.join(30)
    assert len(makers) == 1 and (tmp_path / "calls").read_text() == "called\n"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failed_build_leaves_nothing_and_can_be_repeated(tmp_path, error):
    def build(folder):
        (folder / "half").write_text("x")
        raise error

    with pytest.raises(error):
        cache.build_once(tmp_path / "x", build)
    assert [p.name for p in tmp_path.iterdir() if not p.name.endswith(".lock")] == []
    assert cache.build_once(tmp_path / "x", lambda f: None) == tmp_path / "x"


KILLED = """
import sys, time
from pathlib import Path
from acp_lib.engine.cache import build_once
def build(folder):
    (folder / "half").write_text("x")
    print("building", flush=True)
    time.sleep(60)
build_once(Path(sys.argv[1]), build)
"""


def test_after_a_killed_build_nothing_is_left(tmp_path):
    other = tmp_path / ".x-y-abcdefgh"  # of a folder x-y
    other.mkdir()
    with subprocess.Popen([sys.executable, "-c", KILLED, tmp_path / "x"], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"building\n"
        process.send_signal(signal.SIGKILL)
    assert not (tmp_path / "x").exists()
    cache.build_once(tmp_path / "x", lambda folder: (folder / "whole").touch())
    assert [p.name for p in (tmp_path / "x").iterdir()] == ["whole"]
    assert {p.name for p in tmp_path.iterdir() if not p.name.endswith(".lock")} == {"x", other.name}


# files


@pytest.mark.parametrize("data", [b"\x00bytes", "text \u00fc", ""])
def test_write(tmp_path, data):
    target = tmp_path / "new" / "file"
    for before in (None, "old"):
        if before:
            target.write_text(before)
        cache.write(target, data)
        assert target.read_bytes() == (data.encode() if isinstance(data, str) else data)
    assert [p.name for p in target.parent.iterdir()] == ["file"]
    assert target.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("fault", ["encode", "rename", "fsync"])
def test_a_failed_write_leaves_the_old_file_alone(tmp_path, monkeypatch, fault):
    def fail(*_):
        raise OSError("no space left")

    (tmp_path / "file").write_text("old")
    if fault == "rename":
        monkeypatch.setattr(Path, "rename", fail)
    elif fault == "fsync":
        monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises((OSError, UnicodeEncodeError)):
        cache.write(tmp_path / "file", "\ud800" if fault == "encode" else "new")
    assert [p.name for p in tmp_path.iterdir()] == ["file"] and (tmp_path / "file").read_text() == "old"
