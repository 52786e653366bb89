"""Keys that follow the code, folders made once, files written whole."""

import ast
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import pytest
from elsewhere import wanting
from hypothesis import given
from hypothesis import strategies as st

from acp_lib.engine import cache, processes
from acp_lib.features.layout import KINDS

JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
                    lambda x: st.lists(x) | st.dictionaries(st.text(), x), max_leaves=5)


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize("change", [
    lambda path: path.write_bytes(b"two"), lambda path: cache.write(path, b"two"),
    lambda path: (path.unlink(), path.write_bytes(b"two")), lambda path: os.truncate(path, 2),
])
@pytest.mark.parametrize("settled", [cache.SETTLED, -1])
def test_a_file_that_changes_has_another_digest(tmp_path, monkeypatch, change, settled):
    """In place, replaced, and where its time of writing is what it was."""
    monkeypatch.setattr(cache, "SETTLED", settled)
    path = tmp_path / "a"
    path.write_bytes(b"one")
    before, written = cache.file_digest(path), path.stat().st_mtime_ns
    if settled < 0:
        time.sleep(0.02)  # longer than a tick of the clock
    change(path)
    os.utime(path, ns=(written, written))
    assert cache.file_digest(path) == cache._hashed(path) != before


def test_a_file_that_was_left_alone_is_not_read_again(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(b"one")
    monkeypatch.setattr(cache, "SETTLED", -1)
    before = cache.file_digest(path)
    monkeypatch.setattr(cache, "_hashed", None)
    assert cache.file_digest(path) == before


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
    """Files and versions are read anew; what a source of the same text says is known."""
    for known in (cache.code_key, cache._read, cache._version):
        known.cache_clear()


CHANGES = [
    ("experiment.splits", "experiment/splits.py", True),
    ("experiment.splits", "emotions.py", True),
    ("experiment.splits", "profiles/ledger.py", False),  # values of a profile are in each key themselves
    ("experiment.splits", "profiles/ledger.yml", False),
    ("experiment.splits", "profiles/groups.py", False),
    ("experiment.splits", "experiment/pairs.py", False),
    ("database.folder", "features/fast/hpss.py", False),
    ("database.folder", "features/audio.py", True),  # through the manifest
    ("database.folder", "database/tag_rules.yml", False),
    ("database.imac", "database/tag_rules.yml", True),
    ("features.music", "features/fast/hpss.py", True),
    ("features.pixels", "features/image.py", True),
    ("features.art", "features/image.py", True),  # imported within a function
    ("features.art", "features/art/_balance.py", True),
    ("features.shards", "features/music.py", False),  # the key of a kind names its module
    ("features.music", "profiles/ledger.yml", False),
    ("models", "models/_branches.py", True),  # through each of the networks
    ("experiment.runs", "experiment/tasks.py", True),  # through the methods
    ("experiment.runs", "engine/spread.py", False),  # when and where, not what
    ("features.music", "experiment/methods.py", False),
]


def change(path, text=None):
    """Change what a module does, or a file says."""
    with path.open("a") as f:
        f.write(text or ("\nCHANGED = 1\n" if path.suffix == ".py" else "\n# changed\n"))
    forget()


@pytest.mark.slow
@pytest.mark.parametrize(("module", "changed", "differs"), CHANGES)
def test_a_key_follows_what_the_module_imports_and_no_more(package, module, changed, differs):
    before, whole = cache.code_key(f"acp_lib.{module}"), cache.code_key()
    change(package / changed)
    assert (cache.code_key(f"acp_lib.{module}") != before) == differs
    assert cache.code_key() != whole


@pytest.mark.slow
def test_a_key_of_several_modules(package):
    one, other = "acp_lib.experiment.splits", "acp_lib.experiment.pairs"
    assert cache.code_key(one, other) == cache.code_key(other, one) != cache.code_key(one)


@pytest.mark.slow
def test_a_copy_elsewhere_has_the_same_key(package, monkeypatch):
    other = package.parent / "elsewhere" / "acp_lib"
    shutil.copytree(package, other)
    keys = []
    for folder in (package, other):
        monkeypatch.setattr(cache, "PACKAGE", folder)
        forget()
        keys.append((cache.code_key("acp_lib.features.music"), cache.code_key()))
    assert keys[0] == keys[1]


# keys that tell no more and no less than what a result was made from

AUDITS = {"additive", "leakage", "ranked", "retrieval", "shortcuts", "structure"}
MADE_BY = {"database": ["database.synthetic"], "emid": ["database.emid"], "weights": ["features.image"],
           **{f"manifest of {source}": [f"database.{source}"] for source in ("imac", "folder", "emid")},
           **{kind: ["features.shards", made.module.removeprefix("acp_lib.")] for kind, made in KINDS.items()},
           **{name: [f"experiment.{name}"] for name in ("corpus", "runs", "baselines")},
           **{name: [f"audits.{name}"] for name in sorted(AUDITS)}}
"""The modules in the key of each stage."""


def keys():
    forget()
    return {stage: cache.code_key(*(f"acp_lib.{module}" for module in modules)) for stage, modules in MADE_BY.items()}


def differing(before):
    """The stages whose keys are others than they were."""
    return {stage for stage, key in keys().items() if key != before[stage]}


@pytest.mark.slow
def test_every_stage_is_tried(package):
    """Each place of the library that asks for a key of code names a module that stands in MADE_BY."""
    asked = {m for path in package.rglob("*.py")
             for call in re.findall(r"code_key\(([^)]*)", path.read_text("utf8"))
             for m in re.findall(r'"acp_lib\.([\w.]+)"', call)}
    asked = {m for m in asked if not m.startswith("findings.")}  # kept but until a study is recorded
    assert asked and asked <= {module for modules in MADE_BY.values() for module in modules}
    audits = {p.stem for p in (package / "audits").glob("*.py") if "store.table(" in p.read_text("utf8")}
    assert audits == AUDITS


@pytest.mark.slow
def test_words_change_no_key(package):
    """Every docstring says something else, and no comment is left."""
    before, whole = keys(), cache.code_key()
    for path in package.rglob("*.py"):
        tree = ast.parse(path.read_text("utf8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Expr) and isinstance(word := node.value, ast.Constant):
                word.value = f"{word.value} In other words."
        path.write_text(ast.unparse(tree), "utf8")
    assert differing(before) == set() and cache.code_key() != whole


@pytest.mark.slow
@pytest.mark.parametrize("room", ["engine", "profiles", "figures", "book", "distributed.py"])
def test_what_changes_no_number_changes_no_key(package, room):
    before, whole = keys(), cache.code_key()
    for path in [package / room, *(package / room).rglob("*")]:
        if path.suffix in (".py", ".yml"):
            change(path)
    assert differing(before) == set() and cache.code_key() != whole


@pytest.mark.slow
@pytest.mark.parametrize(("text", "differs"), [
    ("if TYPE_CHECKING:\n    import seaborn\n    from acp_lib.study import Study\n", False),
    ("if typing.TYPE_CHECKING:\n    from acp_lib.study import Study\n", False),
    ("def late():\n    if TYPE_CHECKING:\n        import seaborn\n    return 1\n", True),  # for the function
    ("if TYPE_CHECKING:\n    import seaborn\nelse:\n    LIMIT = 3\n", True),
    ("if NEEDED:\n    import seaborn\n", True),
    ("import seaborn\n", True),
])
def test_an_import_for_type_checkers_adds_nothing(package, text, differs):
    before = keys()
    change(package / "features/music.py", f"\n{text}")
    assert differing(before) == ({"music"} if differs else set())


@pytest.mark.slow
def test_what_an_import_for_type_checkers_names_is_not_followed(package):
    own, others, _ = cache._read("acp_lib.audits.structure")
    assert "acp_lib.study" in (package / "audits/structure.py").read_text("utf8").replace(" import Study", "")
    assert "acp_lib.study" not in own and "acp_lib.results.store" in own and {"numpy", "pandas"} <= others


def released(monkeypatch, package):
    """As if another version of a package were installed."""
    monkeypatch.setattr(cache, "version", lambda name: "0.0.1" if name == package else version(name))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "expected"), [
    ("librosa", {"music", "slices", "leakage"}),
    ("torch", {"weights", "image", "pixels", "art", "corpus", "runs", "baselines", *AUDITS}),
    ("pillow", {"database", "weights", "image", "pixels", "art"}),
    ("seaborn", set()),
])
def test_another_version_of_a_package_changes_the_keys_of_what_imports_it(package, monkeypatch, name, expected):
    before = keys()
    released(monkeypatch, name)
    found = differing(before)
    assert expected <= found, "what computes with it"
    if name in ("librosa", "seaborn"):
        assert found == expected
    kept = {"librosa": set(MADE_BY) - expected, "torch": {"database", "music", "slices", "manifest of imac"},
            "pillow": {"music", "slices"}, "seaborn": set(MADE_BY)}
    assert not kept[name] & found


@pytest.mark.slow
def test_every_imported_package_has_a_version(package):
    """Its distribution is found under the name that it is imported by, or under the one in DISTRIBUTIONS."""
    modules = [".".join(p.relative_to(package.parent).with_suffix("").parts) for p in package.rglob("*.py")]
    imported = {name for module in modules for name in cache._read(module.removesuffix(".__init__"))[1]}
    assert {"numpy", "torch", "PIL", "yaml"} <= imported
    assert [name for name in sorted(imported) if importlib.util.find_spec(name) and not cache._version(name)] == []
    assert cache._version("no_such_package") == ""


@pytest.mark.slow
@pytest.mark.parametrize(("module", "name", "expected"), [
    ("features/fast/hpss.py", "harmonic", {"music"}),
    ("features/spectrogram.py", "pooled", {"slices"}),
    ("features/pixels.py", "describe", {"pixels"}),
    ("features/shards.py", "make_shard", {*KINDS, "corpus", "runs", "baselines"}),
    ("experiment/training.py", "fit", {"runs"}),
    ("database/synthetic/__init__.py", "make", {"database"}),
    ("database/emid.py", "scan", {"emid", "manifest of emid"}),
    ("experiment/baselines.py", "correct", {"baselines"}),
])
def test_the_code_of_a_function_changes_the_keys_of_what_computes_with_it(package, module, name, expected):
    before, path = keys(), package / module
    tree = ast.parse(path.read_text("utf8"))
    function, = (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name == name)
    function.body.insert(1, ast.parse("other = 1").body[0])
    path.write_text(ast.unparse(ast.fix_missing_locations(tree)), "utf8")
    assert differing(before) - AUDITS == expected


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


@pytest.mark.slow
def test_of_concurrent_processes_one_builds_and_all_get_it(tmp_path):
    context = processes.context()
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_what_is_imported_is_read_and_nothing_else(monkeypatch, tmp_path):
    """An editor's half-written file, or one that a notebook server keeps beside, is nobody's module."""
    shutil.copytree(cache.PACKAGE, tmp_path / "acp_lib", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("broken.py", ".#x.py", ".ipynb_checkpoints/x-checkpoint.py"):
        (tmp_path / "acp_lib" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "acp_lib" / name).write_text("def")
    monkeypatch.setattr(cache, "PACKAGE", tmp_path / "acp_lib")
    cache._read.cache_clear()
    cache.read_imported()
    assert 0 < cache._read.cache_info().currsize < len(list(cache.PACKAGE.rglob("*.py")))
    cache._read.cache_clear()
