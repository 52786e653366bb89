"""What is kept between runs: one folder a result, named by everything it was made from.

A result's key covers the source of each acp_lib module that its own module imports, directly or not, so a changed
function is never answered by an old result; and results of code that did not change are kept.
"""

import ast
import glob
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from filelock import FileLock

PACKAGE = Path(__file__).parents[1]


def digest(*parts) -> str:
    """16 hexadecimal digits that stand for any JSON-like values."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def file_digest(path: Path) -> str:
    """16 hexadecimal digits that stand for a file's bytes."""
    with Path(path).open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()[:16]


def _module_file(name: str) -> Path | None:
    path = PACKAGE.parent.joinpath(*name.split("."))
    return next((p for p in (path.with_suffix(".py"), path / "__init__.py") if p.is_file()), None)


@cache
def _known(name: str) -> tuple[frozenset[str], str]:
    """The acp_lib modules that one module's source names in its import statements; and a digest of the source and of
    the YAML files beside it that it names.
    """
    path, found, texts = _module_file(name), set(), set()
    for node in ast.walk(ast.parse(path.read_text("utf8"))):
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{a.name}" for a in node.names}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.add(node.value)
    files = [path, *(p for p in sorted(path.parent.glob("*.yml")) if p.name in texts)]
    imported = frozenset(m for m in found if m.split(".")[0] == "acp_lib" and _module_file(m))
    return imported, digest([file_digest(p) for p in files])


@cache
def code_key(*modules: str) -> str:
    """Digest of the source of these modules and all they import from acp_lib, with the YAML files they read; of the
    whole package if none is named.
    """
    if not modules:
        files = sorted(p for p in PACKAGE.rglob("*") if p.suffix in (".py", ".yml"))
        return digest([(p.relative_to(PACKAGE).as_posix(), file_digest(p)) for p in files])
    todo, seen = list(modules), set()
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += _known(name)[0]
    return digest([(name, _known(name)[1]) for name in sorted(seen)])


def build_once(folder: Path, build: Callable[[Path], None]) -> Path:
    """`folder`, made by `build(empty folder)` unless it exists.

    Another process that wants the same folder waits; a build that fails or is killed leaves nothing under that name,
    and what a killed one left elsewhere goes with the next.
    """
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            for left in folder.parent.glob(f".{glob.escape(folder.name)}-{'[a-z0-9_]' * 8}"):
                shutil.rmtree(left, ignore_errors=True)
            temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
            try:
                build(temporary)
                temporary.chmod(0o755)
                temporary.rename(folder)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
    return folder


def write(path: Path, data: bytes | str) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as f:
            f.write(data.encode() if isinstance(data, str) else data)
            f.flush()
            os.fsync(f.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).rename(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
