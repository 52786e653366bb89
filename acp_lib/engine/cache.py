"""Results that are kept between runs: one folder per result, named by a key of everything it was made from.

The key of a result covers the code of every acp_lib module that its own module imports, directly or not, and the
versions of the packages behind them. So an old result is never used after a change of code or of a package; and a
change that affects no number, such as a docstring, a progress bar or a figure, causes no recomputation.
"""

import ast
import glob
import hashlib
import json
import os
import re
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from acp_lib.engine.faults import at, readable

if TYPE_CHECKING:
    import pandas as pd

PACKAGE = Path(__file__).parents[1]
APART = ("acp_lib.engine", "acp_lib.profiles")
DISTRIBUTIONS = {"PIL": "pillow", "bs4": "beautifulsoup4", "sklearn": "scikit-learn", "yaml": "pyyaml",
                 "yt_dlp": "yt-dlp"}
"""Packages whose installed name differs from their import name."""
IMPORT = re.compile(r"^ *(?:from (acp_lib[\w.]*) import (\([^)]*\)|.*)|import (.*))", re.MULTILINE)
SETTLED = 2
"""Seconds after which another change of a file also changes its time stamp, however coarse the clock."""


def digest(*parts: object) -> str:
    """16 hexadecimal digits that identify JSON-like values."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def file_digest(path: Path) -> str:
    """16 hexadecimal digits that identify a file's bytes; for an unchanged file they are cached."""
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
    """The acp_lib modules and the third-party packages that a module imports; and a digest of its code, without
    docstrings and comments, and of the YAML files beside it that it names.
    """
    path = _module_file(name)
    assert path is not None, name
    names, texts, does = _parsed(path.read_text("utf8"))
    own = _ours(names)
    others = {n.split(".")[0] for n in names} - {"acp_lib"} - sys.stdlib_module_names
    files = [p for p in sorted(path.parent.glob("*.yml")) if p.name in texts]
    return own, frozenset(others), digest(does, [file_digest(p) for p in files])


def read_imported() -> None:
    """Read every module of acp_lib that is imported, as the keys of results would one after another."""
    for name in _ours(list(sys.modules)):
        _read(name)


def _ours(names: Iterable[str]) -> frozenset[str]:
    return frozenset(n for n in names if n.startswith("acp_lib.") and _module_file(n) and not n.startswith(APART))


@cache
def _parsed(source: str) -> tuple[frozenset[str], frozenset[str], str]:
    """The imports of a source text, its string constants, and its code without docstrings and comments."""
    tree = ast.parse(source)
    names, texts, left = set[str](), set[str](), list[ast.AST]([tree])
    while left:
        node = left.pop()
        _leave_out(node)
        left += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            names |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{a.name}" for a in node.names}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.add(node.value)
    return frozenset(names), frozenset(texts), ast.dump(tree)


def _leave_out(node: ast.AST) -> None:
    """Remove from a syntax tree what affects no result: docstrings, and code for type checkers only."""
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
    """Digest of the code of these modules, of everything they import from acp_lib, of the YAML files they read, and of
    the versions of the packages that those import; of all files of the library if no module is named.

    `acp_lib.engine` is left out because it decides when and where something is computed, never what; `acp_lib.profiles`
    is left out because its values are part of each key.
    """
    if not modules:
        files = sorted(p for p in PACKAGE.rglob("*") if p.suffix in (".py", ".yml"))
        return digest([(p.relative_to(PACKAGE).as_posix(), file_digest(p)) for p in files])
    seen = sorted(_behind(modules))
    packages = set[str]().union(*(_read(name)[1] for name in seen))
    return digest([(name, _read(name)[2]) for name in seen], sorted((p, _version(p)) for p in packages))


def shown_key(names: Iterable[str]) -> str:
    """Digest of everything that code which imports these modules can compute or show: the files of these acp_lib
    modules, of what they import, and of what other keys leave out.

    names : dotted; names that are not modules are ignored
    """
    files = {_module_file(name) for name in _behind(_ours(names))}
    files |= {p for p in PACKAGE.rglob("*.yml")}
    files |= {p for name in APART for p in PACKAGE.joinpath(name.removeprefix("acp_lib.")).glob("*.py")}
    return digest(sorted((p.relative_to(PACKAGE).as_posix(), file_digest(p)) for p in files if p))


def imported(text: str) -> set[str]:
    """Dotted names of all in acp_lib that a text's import statements may mean."""
    found = set()
    for module, names, modules in IMPORT.findall(text):
        found |= {module, *(f"{module}.{name}" for name in re.findall(r"\w+", names))} if module else set()
        found |= set(re.findall(r"\bacp_lib[\w.]*", modules))
    return found


def _behind(modules: Iterable[str]) -> set[str]:
    """These modules and everything that they import from acp_lib, except the packages in APART."""
    todo, seen = list(modules), set[str]()
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += _read(name)[0]
    return seen


@cache
def _version(package: str) -> str:
    """The installed version of the package with this import name; empty if it is not installed."""
    with suppress(PackageNotFoundError):
        return version(DISTRIBUTIONS.get(package, package))
    return ""


def build_once(folder: Path, build: Callable[[Path], object]) -> Path:
    """Return `folder`, after making it by `build(empty folder)` if it does not exist.

    Another process that needs the same folder waits. A build that fails or is killed leaves nothing under that name;
    the next build removes the temporary files of a killed one.

    Raises
    ------
    Refused
        For a full disk or a read-only place, for example; the message names the place and the remedy.
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


def read_table(path: Path) -> "pd.DataFrame":
    """A table that `build_once` kept; raises Damaged if it cannot be used."""
    import pandas as pd  # not for commands that only say how they are used

    with readable(path):
        return pd.read_parquet(path)


def _temporary(path: Path) -> Path:
    """A temporary name beside an unfinished file or folder; files made there get the mode of the umask."""
    return path.with_name(f".{path.name}-{secrets.token_hex(4)}")


def write(path: Path, data: bytes | str) -> None:
    """Write a file completely or not at all; raises Refused as `build_once` does."""
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
