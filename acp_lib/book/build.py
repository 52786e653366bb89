"""Run the chapters of the book under one profile with papermill, then render the executed copies.

Profile -> jupytext -> papermill -> executed copies -> jupyter-book with execution off. A chapter whose source,
parameters, code and data did not change is kept; a failed one stops the build, prints its traceback and leaves the
notebook up to the failing cell.

Chapter: How to read and rerun.
"""

import argparse
import html
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import yaml
from filelock import FileLock

from acp_lib.book import printed
from acp_lib.engine import commands, faults, processes, temporary
from acp_lib.engine.cache import digest, file_digest, shown_key, write
from acp_lib.engine.processes import kill_all, one_thread
from acp_lib.engine.text import lines, plain
from acp_lib.profiles import FILES, ROOT, Profile

EXAMPLES = """\
examples:
  %(prog)s                                       the mini book, into _build/html
  %(prog)s mini -p seed 3 -p epochs 2 -j 2       another seed, shorter, two chapters at once
  %(prog)s folder -p data my_corpus              your own pictures and songs
  %(prog)s imac -p data imac --only 05_acp_net   one chapter on IMAC
  %(prog)s --pdf book article                    these as PDFs, too: _build/html/book.pdf, article.pdf
  %(prog)s -p build /scratch -p work /scratch    elsewhere: /scratch/_build/html
"""
IMPORT = re.compile(r"^ *(?:from (acp_lib[\w.]*) import (\([^)]*\)|.*)|import (.*))", re.MULTILINE)
IMPORTING = Lock()  # threads that import modules at once may find some of them half made
LAST = "90_"  # chapters so named read the results of the others
RENDER = """\
import sys
from acp_lib.engine.processes import end_with
end_with(int(sys.argv.pop(1)))
from jupyter_book.cli.main import main
main()
"""


def imported(text: str) -> set[str]:
    """Dotted names of all in acp_lib that a text's import statements may mean."""
    found = set()
    for module, names, modules in IMPORT.findall(text):
        found |= {module, *(f"{module}.{name}" for name in re.findall(r"\w+", names))} if module else set()
        found |= set(re.findall(r"\bacp_lib[\w.]*", modules))
    return found


@dataclass(frozen=True)
class Chapter:
    """One notebook of the book, and where its copies under one profile go."""

    name: str
    run: "Run"

    @property
    def source(self) -> Path:
        return ROOT / "notebooks" / f"{self.name}.md"

    @property
    def executed(self) -> Path:
        return self.run.build / "executed" / f"{self.name}.ipynb"

    @property
    def record(self) -> Path:
        """What the chapter last ran on; kept with the results, so that it goes when they are deleted."""
        return self.run.profile.results_path / ".runs" / f"{self.name}.json"

    @property
    def key(self) -> str:
        """Digest of all that the executed copy depends on."""
        others = [c.last["key"] for c in self.run.chapters if c.name < LAST] if self.name >= LAST else []
        text = self.source.read_text("utf8")
        return digest(text, shown_key(imported(text)), self.run.parameters, self.run.input_key, others)

    @property
    def last(self) -> dict:
        return json.loads(self.record.read_text("utf8")) if self.record.exists() else {"key": None, "seconds": None}

    @property
    def current(self) -> bool:
        known = self.executed.exists() and self.last["key"] == self.key
        return known and self.last.get("notebook") == file_digest(self.executed)  # no other run has written it since


@dataclass(frozen=True)
class Run:
    """One book: a profile, and what was given on the command line to depart from it."""

    profile: Profile
    given: dict
    printed: tuple[str, ...] = ()
    """What of `printed.KINDS` is offered as a PDF."""

    @property
    def build(self) -> Path:
        return self.profile.home / "_build"

    @property
    def parameters(self) -> dict:
        """What papermill passes to every chapter."""
        return {"profile": self.profile.profile, **self.given}

    @cached_property
    def chapters(self) -> list[Chapter]:
        """In reading order, those that read the others' results last."""
        from sphinx_external_toc.parsing import parse_toc_yaml

        documents = [Path(d) for d in parse_toc_yaml(ROOT / "_toc.yml")]
        return sorted((Chapter(d.name, self) for d in documents if d.parent.name == "notebooks"),
                      key=lambda c: c.name >= LAST)

    @cached_property
    def input_key(self) -> str:
        """Digest of what all chapters depend on: settings, data, weights, versions, and what is recorded."""
        from acp_lib import study
        from acp_lib.results import recorded

        return digest(study.input_key(self.profile), recorded.fingerprint())

    @cached_property
    def hidden(self) -> dict[str, str]:
        """Paths of this machine, and what stands for each in a published page."""
        given = [path for name in FILES if "/" in (path := self.profile.flat[name])]
        named = {form: Path(path).name for path in given for form in (path, os.path.realpath(path))}
        named |= dict.fromkeys((tempfile.gettempdir(), str(temporary.folder())), "tmp")
        named |= {str(Path.home()): "~", str(ROOT): ".", str(self.build): "_build",
                  str(self.profile.work_path): "work", str(self.profile.results_path): "results"}
        return {path: name for path, name in named.items() if "/" in path and len(path) > 1}


def execute(chapter: Chapter, timeout: int, *, bar: bool) -> tuple[str, float]:
    """Run one chapter unless its copy is current; return "ok" or "kept", and the seconds it took.

    Raises
    ------
    RuntimeError
        If a cell fails; the message holds the traceback, or what the machine refused and the remedy, and where the
        partial notebook lies.
    """
    chapter.executed.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{chapter.executed}.lock"):
        if chapter.current:
            return "kept", 0.0
        with IMPORTING:
            import ipykernel.kernelspec  # noqa: F401  jupyter_client does, when it starts a kernel
            import jupytext
            import papermill
            from traitlets.config import Config

            from acp_lib.book import kernels
        logging.getLogger("papermill").setLevel(logging.ERROR)  # parameters are checked here and in the chapters
        chapter.record.unlink(missing_ok=True)
        key, start = chapter.key, time.monotonic()
        notebook = jupytext.read(chapter.source, fmt="md:myst")
        try:
            with faults.at(chapter.executed):
                papermill.execute_notebook(
                    notebook, chapter.executed, chapter.run.parameters, kernel_name="python3",
                    progress_bar={"desc": chapter.name} if bar else False, execution_timeout=timeout, start_timeout=120,
                    kernel_manager_class=kernels.Manager,
                    resources={"metadata": {"path": str(chapter.source.parent)}},  # cwd would change all threads'
                    shutdown_kernel="immediate", extra_arguments=["--log-level=ERROR"],
                    config=Config(KernelManager=sockets(chapter.name)))
        except Exception as error:  # whatever stops a chapter is reported the same way
            text = told(error)
            hint = " (--timeout sets the limit)" if "timed out" in text.lower() else ""
            raise RuntimeError(f"{text}\n{chapter.name} failed{hint}; the notebook up to the failing cell is "
                               f"{chapter.executed}") from None
        seconds = time.monotonic() - start
        write(chapter.record, json.dumps({"key": key, "seconds": round(seconds, 1),
                                          "notebook": file_digest(chapter.executed)}))
        return "ok", seconds


def told(error: Exception) -> str:
    """What stopped a chapter: its traceback; of what the machine refused, the line that says so."""
    own = lines(getattr(error, "evalue", str(error)), False)  # of a failed cell, without its traceback
    if own.startswith("[Errno") and (said := faults.line(own)):
        return f"error: {said}"
    return lines(str(error), sys.stderr.isatty())


def sockets(name: str) -> dict:
    """Kernel settings: what connects to a kernel lies in this run's own folder, and so do its sockets, because kernels
    started at once can take one another's TCP ports; TCP where that folder's name is too long for a socket's.
    """
    address = Path(os.environ["JUPYTER_RUNTIME_DIR"], name)
    short = {"transport": "ipc", "ip": str(address)} if os.name == "posix" and len(str(address)) < 95 else {}
    return short | {"connection_file": f"{address}.json"}


def execute_all(chapters: list[Chapter], jobs: int, timeout: int) -> None:
    """Run the chapters, `jobs` at once, those that read the others' results after them; print a line for each."""
    bar = jobs == 1 and sys.stderr.isatty()
    waves = [c for c in chapters if c.name < LAST], [c for c in chapters if c.name >= LAST]
    with one_thread():  # more would wait for one another; and sums would depend on how many there are
        for some in waves:
            with ThreadPoolExecutor(jobs) as pool:
                futures = {pool.submit(execute, c, timeout, bar=bar): c for c in some}
                try:
                    for future in as_completed(futures):
                        announce(futures[future], *future.result())
                except BaseException as error:
                    pool.shutdown(wait=False, cancel_futures=True)
                    if not isinstance(error, Exception):  # Ctrl-C: chapters that run are not waited for
                        logging.disable()  # that their kernels died is no news
                        kill_all()
                    raise


def announce(chapter: Chapter, outcome: str, seconds: float) -> None:
    print(f"{outcome:5}{chapter.name}" + (f" {seconds:.1f} s" if outcome == "ok" else ""), flush=True)


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


def publish(chapter: Chapter) -> str:
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


def config(run: Run) -> str:
    """`_config.yml` for executed copies."""
    settings = yaml.safe_load((ROOT / "_config.yml").read_text("utf8"))
    settings["execute"]["execute_notebooks"] = "off"
    settings["sphinx"]["config"] |= {"acp_printed": list(run.printed), "acp_results": str(run.profile.results_path)}
    if run.profile.tag != "mini":
        given = "".join(f" · {k} {plain(v)}" for k, v in scrub(run.given, run.hidden).items())
        settings["html"]["announcement"] = f"Profile {run.profile.profile}{html.escape(given)}"
    return yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)


def status(run: Run) -> str:
    """The status page with this run's times in the place of Jupyter Book's own."""
    rows = "\n".join(f"| {{doc}}`../notebooks/{c.name}` | {c.last['seconds']} |" for c in run.chapters)
    table = f"| Chapter | Seconds |\n|---|---:|\n{rows}"
    return re.sub(r"```{nb-exec-table}\n```", lambda _: table, (ROOT / "book" / "status.md").read_text("utf8"))


def stage(run: Run) -> Path:
    """Fill the folder that is rendered; files that did not change keep their times, so that only changes render."""
    folder = run.build / "source"
    wanted = {Path("_config.yml"): config(run).encode(), Path("_toc.yml"): (ROOT / "_toc.yml").read_bytes()}
    wanted |= {p.relative_to(ROOT): p.read_bytes()
               for p in (ROOT / "book").rglob("*") if p.is_file() and "__pycache__" not in p.parts}
    wanted[Path("book/status.md")] = status(run).encode()
    wanted |= {Path("notebooks") / f"{c.name}.ipynb": publish(c).encode() for c in run.chapters}
    for path in [p for p in folder.rglob("*") if p.is_file() and p.relative_to(folder) not in wanted]:
        path.unlink()
    for path, data in wanted.items():
        if not (folder / path).exists() or (folder / path).read_bytes() != data:
            write(folder / path, data)
    return folder


def render(run: Run) -> Path:
    """Render the staged copy; return the first page.

    Raises
    ------
    RuntimeError
        If Sphinx warns or fails, or left no first page.
    """
    run.build.mkdir(parents=True, exist_ok=True)
    with FileLock(run.build / ".render.lock"):
        index = run.build / "html" / "index.html"
        for old in (index, *(index.with_name(f"{kind}.pdf") for kind in printed.KINDS)):
            old.unlink(missing_ok=True)  # so that an old one is no sign of success
        command = [sys.executable, "-c", RENDER, os.getpid(), "build", stage(run),
                   "--path-output", run.profile.home, "-W", "-n", "--keep-going", "-q"]
        done = subprocess.run([str(c) for c in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                              errors="replace")
        if done.returncode or not index.exists():
            shutil.rmtree(run.build / ".doctrees", ignore_errors=True)  # the next build must see the warnings again
            index.unlink(missing_ok=True)
            said = faults.line(lines(done.stderr, False))
            raise RuntimeError(f"{f'error: {said}' if said else done.stderr}\nrendering failed (exit code "
                               f"{done.returncode}); the pages' sources are in {run.build / 'source'}")
        for kind in run.printed:
            print(f"{kind} {printed.write(index.parent, kind)}", flush=True)
    return index


def choose(run: Run, names: list[str]) -> list[Chapter]:
    """The chapters named, by their whole name or its beginning; all if none is named."""
    for name in names:
        if sum(c.name.startswith(name) for c in run.chapters) != 1:
            raise ValueError(f"--only is {name!r}; expected one of {', '.join(c.name for c in run.chapters)}")
    return [c for c in run.chapters if not names or any(c.name.startswith(n) for n in names)]


def build(run: Run, *, only: list[str], jobs: int, timeout: int, rendered: bool) -> None:
    """All steps, or those asked for."""
    chapters = choose(run, only)
    todo = sum(not c.current for c in chapters)
    if todo and not only:
        from acp_lib.book.prepare import prepare

        try:
            prepare(run.profile)
        except (ValueError, FloatingPointError) as error:  # data, weights or settings that cannot be used
            raise RuntimeError(commands.told(error)) from error
    execute_all(chapters, jobs, timeout)
    stale = [c.name for c in run.chapters if not c.current]
    if rendered and stale:
        print(f"not rendered: {', '.join(stale)} did not run on this code and data yet; run without --only")
    elif rendered:
        print(f"book {render(run)}")


def arguments(prog: str) -> argparse.ArgumentParser:
    parser = commands.parser(prog, __doc__, EXAMPLES)
    parser.add_argument("-j", "--jobs", type=int, default=1, help="chapters to run at once (1)")
    parser.add_argument("--only", nargs="+", default=[], metavar="CHAPTER", help="run these chapters alone: 05_acp_net")
    parser.add_argument("--no-render", dest="rendered", action="store_false", help="stop when the chapters have run")
    parser.add_argument("--pdf", nargs="+", default=[], choices=printed.KINDS, dest="printed",
                        help="print this, too, as a PDF that every page links to")
    parser.add_argument("--timeout", type=int, default=3600, help="seconds that one cell may take (3600)")
    return parser


def main(argv: list[str] | None = None, prog: str = "python -m acp_lib.book") -> int:
    """Exit code: 1 if a chapter or the rendering failed; else as `commands.outcome`."""
    options = arguments(prog).parse_args(argv)
    return commands.outcome(lambda: follow(options), prog)


def follow(options: argparse.Namespace) -> int:
    """Do what a command line asks for; return the exit code."""
    os.environ.setdefault("JUPYTER_PREFER_ENV_PATH", "1")  # this Python's kernel, not one of the user's other ones
    profile = commands.profile(options)
    run = Run(profile, {name: profile.flat[name] for name in commands.given(options)}, tuple(options.printed))
    commands.begin_in_checkout()
    choose(run, options.only)
    run.input_key  # noqa: B018 - raises where the data is no folder, or the device is not there
    if run.printed:
        printed.browser()
        if options.only or not options.rendered:
            raise ValueError("--pdf prints the whole book, once it is rendered; leave out --only and --no-render")
    for name in ("jobs", "timeout"):
        if getattr(options, name) < 1:
            raise ValueError(f"--{name} is {getattr(options, name)}; expected at least 1")
    from acp_lib.book import kernels

    processes.preload(kernels.IMPORTED)
    try:
        temporary.lend()
        build(run, only=options.only, jobs=options.jobs, timeout=options.timeout, rendered=options.rendered)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0

