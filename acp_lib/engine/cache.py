"""What is kept between runs: one folder a result, named by everything it was made from.

A result's key covers what each acp_lib module does that its own module imports, directly or not, and the versions of
the packages behind them, so changed code or another release of a package is never answered by an old result; and what
changes no number, such as a docstring, a progress bar or a figure, makes nothing anew.
"""

import ast
import glob
import hashlib
import json
import os
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from filelock import FileLock

from acp_lib.engine.faults import at

PACKAGE = Path(__file__).parents[1]
APART = ("acp_lib.engine", "acp_lib.profiles")
DISTRIBUTIONS = {"PIL": "pillow", "bs4": "beautifulsoup4", "sklearn": "scikit-learn", "yaml": "pyyaml",
                 "yt_dlp": "yt-dlp"}
"""Packages that are installed under another name than they are imported by."""
SETTLED = 2
"""Seconds after which a file that changes again has another time of change, however coarse the clock is."""


def digest(*parts: object) -> str:
    """16 hexadecimal digits that stand for any JSON-like values."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def file_digest(path: Path) -> str:
    """16 hexadecimal digits that stand for a file's bytes; of one that was left alone since, they are remembered."""
    about = Path(path).stat()
    if time.time() - max(about.st_ctime, about.st_mtime) < SETTLED:
        return _hashed(path)
    return _remembered(path, about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns)


@lru_cache(maxsize=1000)
def _remembered(path: Path, *_: int) -> str:
    return _hashed(path)


def _hashed(path: Path) -> str:
    with Path(path).open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()[:16]


def _module_file(name: str) -> Path | None:
    path = PACKAGE.parent.joinpath(*name.split("."))
    return next((p for p in (path.with_suffix(".py"), path / "__init__.py") if p.is_file()), None)


@cache
def _read(name: str) -> tuple[frozenset[str], frozenset[str], str]:
    """What one module's source names in its import statements: modules of acp_lib and packages of others; and a digest
    of what it does, docstrings and comments left out, and of the YAML files beside it that it names.
    """
    path = _module_file(name)
    assert path is not None, name
    names, texts, does = _parsed(path.read_text("utf8"))
    own = _ours(names)
    others = {n.split(".")[0] for n in names} - {"acp_lib"} - sys.stdlib_module_names
    files = [p for p in sorted(path.parent.glob("*.yml")) if p.name in texts]
    return own, frozenset(others), digest(does, [file_digest(p) for p in files])


def _ours(names: Iterable[str]) -> frozenset[str]:
    return frozenset(n for n in names if n.startswith("acp_lib.") and _module_file(n) and not n.startswith(APART))


@cache
def _parsed(source: str) -> tuple[frozenset[str], frozenset[str], str]:
    """What a source imports; the texts in it; and what it does, without docstrings and comments."""
    tree = ast.parse(source)
    names, texts = set[str](), set[str]()
    for node in ast.walk(tree):
        _leave_out(node)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{a.name}" for a in node.names}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.add(node.value)
    return frozenset(names), frozenset(texts), ast.dump(tree)


def _leave_out(node: ast.AST) -> None:
    """Drop from a syntax tree what changes no result: docstrings, and what only type checkers read."""
    for block in ("body", "orelse"):
        statements = getattr(node, block, None)
        if isinstance(statements, list):
            setattr(node, block, [s for s in statements if not _says_nothing(s)])


def _says_nothing(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant) and isinstance(statement.value.value, str)
    return (isinstance(statement, ast.If) and not statement.orelse
            and ast.unparse(statement.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"))


@cache
def code_key(*modules: str) -> str:
    """Digest of what these modules do, with all they import from acp_lib and the YAML files they read, and of the
    versions of the packages that those import; of the whole library's files if none is named.

    What `acp_lib.engine` does is left out, as it decides when and where something is computed, never what; and
    `acp_lib.profiles`, whose values are part of each key themselves.
    """
    if not modules:
        files = sorted(p for p in PACKAGE.rglob("*") if p.suffix in (".py", ".yml"))
        return digest([(p.relative_to(PACKAGE).as_posix(), file_digest(p)) for p in files])
    seen = sorted(_behind(modules))
    packages = set[str]().union(*(_read(name)[1] for name in seen))
    return digest([(name, _read(name)[2]) for name in seen], sorted((p, _version(p)) for p in packages))


def shown_key(names: Iterable[str]) -> str:
    """Digest of all that code may compute or show which imports these modules: the files of those of acp_lib, of what
    they import, and of what other keys leave out.

    names : dotted; those that are no modules stand for nothing
    """
    files = {_module_file(name) for name in _behind(_ours(names))}
    files |= {p for p in PACKAGE.rglob("*.yml")}
    files |= {p for name in APART for p in PACKAGE.joinpath(name.removeprefix("acp_lib.")).glob("*.py")}
    return digest(sorted((p.relative_to(PACKAGE).as_posix(), file_digest(p)) for p in files if p))


def _behind(modules: Iterable[str]) -> set[str]:
    """These modules and all that they import from acp_lib, but for what stands apart."""
    todo, seen = list(modules), set[str]()
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += _read(name)[0]
    return seen


@cache
def _version(package: str) -> str:
    """The installed version of what is imported under a name; empty for what is not installed."""
    with suppress(PackageNotFoundError):
        return version(DISTRIBUTIONS.get(package, package))
    return ""


def build_once(folder: Path, build: Callable[[Path], object]) -> Path:
    """`folder`, made by `build(empty folder)` unless it exists.

    Another process that wants the same folder waits; a build that fails or is killed leaves nothing under that name,
    and what a killed one left elsewhere goes with the next.

    Raises
    ------
    Refused
        For a full disk or a place that may not be written, say; the message names it and the remedy.
    """
    if folder.exists():
        return folder
    with at(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):
            if not folder.exists():
                for left in folder.parent.glob(f".{glob.escape(folder.name)}-{'[a-z0-9_]' * 8}"):
                    shutil.rmtree(left, ignore_errors=True)
                temporary = _temporary(folder)
                try:
                    temporary.mkdir()
                    build(temporary)
                    temporary.rename(folder)
                finally:
                    shutil.rmtree(temporary, ignore_errors=True)
    return folder


def _temporary(path: Path) -> Path:
    """A name beside a file or folder that is not finished; what is made there has the mode that the umask gives."""
    return path.with_name(f".{path.name}-{secrets.token_hex(4)}")


def write(path: Path, data: bytes | str) -> None:
    """Write a file whole or not at all; raises Refused as `build_once` does."""
    temporary = _temporary(path)
    with at(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("xb") as f:
                f.write(data.encode() if isinstance(data, str) else data)
                f.flush()
                os.fsync(f.fileno())
            temporary.rename(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
