"""The pages: executed copies of the chapters, without what belongs to this machine, and what Sphinx makes of them.

Chapter: How to read and rerun.
"""

import gc
import html
import json
import os
import re
import shutil
import sys
from contextlib import suppress
from importlib.metadata import distributions
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import yaml
from filelock import FileLock

from acp_lib.book import printed
from acp_lib.engine import faults, processes
from acp_lib.engine.cache import digest, file_digest, imported, shown_key, write
from acp_lib.engine.text import lines, plain
from acp_lib.profiles import ROOT
from acp_lib.results import recorded

if TYPE_CHECKING:
    from acp_lib.book.build import Chapter, Run

VARIABLES = ("ACP_REPOSITORY_URL", "SOURCE_DATE_EPOCH", "DOCUTILSCONFIG")
"""Of the environment, what Sphinx and the extensions of the book read."""


def scrub(value: Any, hidden: dict[str, str]) -> Any:
    """Any JSON value with this machine's paths replaced by their names; long base64 runs are left as they are."""
    paths = "|".join(re.escape(p) for p in sorted(hidden, key=len, reverse=True))
    pattern = re.compile(rf"[A-Za-z0-9+/=\n]{{200,}}|(?<![.~])(?:{paths})(?![\w-])")

    def walk(v: Any) -> Any:
        if isinstance(v, dict):
            return {k: walk(x) for k, x in v.items()}
        if isinstance(v, list):
            return [walk(x) for x in v]
        return pattern.sub(lambda m: hidden.get(m[0], m[0]), v) if isinstance(v, str) else v

    return walk(value)


def publish(chapter: "Chapter") -> str:
    """Text of the executed notebook as the book shows and offers it: no path, clock time or process of this machine.

    How long it took is told, for the line of the page that says what the chapter takes.
    """
    import nbformat

    notebook = nbformat.read(chapter.executed, 4)
    notebook.metadata = {k: v for k, v in notebook.metadata.items() if k in ("kernelspec", "language_info")}
    notebook.metadata |= {"acp_seconds": seconds} if (seconds := chapter.last["seconds"]) else {}
    if not chapter.run.given:  # then papermill's cell repeats the default
        notebook.cells = [c for c in notebook.cells if "injected-parameters" not in c.metadata.get("tags", ())]
    for cell in notebook.cells:
        cell.metadata = {k: v for k, v in cell.metadata.items() if k in ("tags", "mystnb")}
        if "outputs" in cell:  # warnings and bars of this machine
            cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
    return json.dumps(scrub(notebook, chapter.run.hidden), indent=1, ensure_ascii=False) + "\n"


def config(run: "Run") -> str:
    """`_config.yml` for executed copies."""
    settings = yaml.safe_load((ROOT / "_config.yml").read_text("utf8"))
    settings["execute"]["execute_notebooks"] = "off"
    settings["sphinx"]["config"] |= {"acp_printed": list(run.printed), "acp_results": str(run.profile.results_path)}
    if run.profile.tag != "mini":
        given = "".join(f" · {k} {plain(v)}" for k, v in scrub(run.given, run.hidden).items())
        settings["html"]["announcement"] = f"Profile {run.profile.profile}{html.escape(given)}"
    return yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)


def status(run: "Run") -> str:
    """The status page with this run's times in the place of Jupyter Book's own."""
    rows = "\n".join(f"| {{doc}}`../notebooks/{c.name}` | {c.last['seconds']} |" for c in run.chapters)
    table = f"| Chapter | Seconds |\n|---|---:|\n{rows}"
    return re.sub(r"```{nb-exec-table}\n```", lambda _: table, (ROOT / "book" / "status.md").read_text("utf8"))


def files(folder: Path) -> list[Path]:
    """The files below a folder in their order, without what Python compiles beside them."""
    return [p for p in sorted(folder.rglob("*")) if p.is_file() and "__pycache__" not in p.parts]


def stage(run: "Run") -> Path:
    """Fill the folder that is rendered; files that did not change keep their times, so that only changes render."""
    made = {Path("_config.yml"): config(run).encode(), Path("book/status.md"): status(run).encode()}
    made |= {Path("notebooks") / f"{c.name}.ipynb": publish(c).encode() for c in run.chapters}
    return fill(run.build / "source", made)


def fill(folder: Path, made: dict[Path, bytes]) -> Path:
    """Leave in a folder these files, the table of contents and the other files of the book, and nothing else."""
    wanted = {Path("_toc.yml"): (ROOT / "_toc.yml").read_bytes()}
    wanted |= {p.relative_to(ROOT): p.read_bytes() for p in files(ROOT / "book")} | made
    for path in [p for p in files(folder) if p.relative_to(folder) not in wanted]:
        path.unlink()
    for path, data in wanted.items():
        if not (folder / path).exists() or (folder / path).read_bytes() != data:
            write(folder / path, data)
    return folder


def program() -> str:
    """Digest of what makes pages, other than their sources: Sphinx does not see that it has changed."""
    extensions = sorted((ROOT / "book" / "_ext").glob("*.py"))
    packages = sorted(f"{d.name} {d.version}" for d in distributions())
    return digest(shown_key(imported("\n".join(p.read_text("utf8") for p in extensions))),
                  [file_digest(p) for p in (*extensions, ROOT / "CITATION.cff")], recorded.fingerprint(), packages,
                  sys.version, [os.environ.get(name, "") for name in VARIABLES])


def sources(run: "Run") -> str:
    """Digest of what pages are made from."""
    read = [*files(run.build / "source"), *sorted(run.profile.results_path.glob("*.json"))]
    return digest([(str(p), file_digest(p)) for p in read])


def pages(run: "Run") -> str:
    """Digest of the pages as they are: their names, sizes and times."""
    return digest([(str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in files(run.build / "html")])


def sphinx(*arguments: str | Path) -> tuple[int | None, str]:
    """What `jupyter-book build` with these arguments ends with, and what it says of errors; it runs in a process that
    has been forked, where processes are, because the first page, when it is made anew, needs as much
    imported as the chapters.
    """
    context = cast(ForkServerContext, processes.context())
    hearing, errors = context.Pipe(duplex=False)
    started = context.Process(target=_sphinx, args=([str(a) for a in arguments], errors, dict(os.environ)), daemon=True)
    started.start()
    errors.close()
    try:
        with open(hearing.fileno(), "rb", closefd=False) as pipe:
            said = pipe.read().decode("utf8", "replace")
        started.join()
    except BaseException:
        started.kill()  # before another rendering may begin
        started.join()
        raise
    return started.exitcode, said


def _sphinx(arguments: list[str], errors: Connection, environment: dict[str, str]) -> None:
    processes.surround(environment)
    processes.end_with_parent()
    os.dup2(errors.fileno(), 2)
    errors.close()
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    gc.freeze()  # sphinx_external_toc looks at all objects but these, some of which must not be looked at
    from jupyter_book.cli.main import main

    main(["build", *arguments])


def render(run: "Run") -> Path:
    """Render the staged copy, unless the pages are those that it gives; return the first page.

    Raises
    ------
    RuntimeError
        If Sphinx warns or fails, or left no first page.
    """
    run.build.mkdir(parents=True, exist_ok=True)
    with FileLock(run.build / ".render.lock"):
        index, record = run.build / "html" / "index.html", run.build / ".rendered.json"
        source = stage(run)
        made = {"program": run.program, "sources": sources(run)}
        known = json.loads(record.read_text("utf8")) if record.exists() else {}
        if index.exists() and known == made | {"pages": pages(run)}:
            for kind in run.printed:
                print(f"{kind} {index.with_name(f'{kind}.pdf')}", flush=True)
            return index
        record.unlink(missing_ok=True)
        if known.get("program") != run.program:
            shutil.rmtree(run.build / ".doctrees", ignore_errors=True)  # so that every page is made again
        for old in (index, *(index.with_name(f"{kind}.pdf") for kind in printed.KINDS)):
            old.unlink(missing_ok=True)  # so that an old one is no sign of success
        code, errors = sphinx(source, "--path-output", run.profile.home, "-W", "-n", "--keep-going", "-q")
        if code or not index.exists():
            shutil.rmtree(run.build / ".doctrees", ignore_errors=True)  # the next build must see the warnings again
            index.unlink(missing_ok=True)
            said = faults.line(lines(errors, False))
            raise RuntimeError(f"{f'error: {said}' if said else errors}\nrendering failed (exit code "
                               f"{code}); the pages' sources are in {run.build / 'source'}")
        for kind in run.printed:
            print(f"{kind} {printed.write(index.parent, kind)}", flush=True)
        with suppress(OSError):  # without it the next run renders once more
            write(record, json.dumps(made | {"pages": pages(run)}))
    return index
