"""Run the chapters of the book under one profile with papermill, then render the executed copies.

Profile -> jupytext -> papermill -> executed copies -> jupyter-book with execution off. A chapter whose source,
parameters, code and data did not change is kept; a failed one stops the build, prints its traceback and leaves the
notebook up to the failing cell.

Chapter: How to read and rerun.
"""

import argparse
import json
import logging
import os
import re
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock

from filelock import FileLock

from acp_lib.book import printed, rendering
from acp_lib.engine import commands, faults, processes, temporary
from acp_lib.engine.cache import digest, file_digest, imported, shown_key, write
from acp_lib.engine.processes import kill_all, one_thread
from acp_lib.engine.text import lines
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
CODE = re.compile(r"^```{code-cell}.*?^```$", re.MULTILINE | re.DOTALL)
IMPORTING = Lock()  # threads that import modules at once may find some of them half made
BENCHMARKS = ROOT / "benchmarks" / "results"
LAST = "90_"  # chapters so named read the results of the others


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
    def text(self) -> str:
        return self.source.read_text("utf8")

    @property
    def key(self) -> str:
        """Digest of all that the outputs of the executed copy depend on; the prose is not among it."""
        others = [c.last["key"] for c in self.run.chapters if c.name < LAST] if self.name >= LAST else []
        code = "\n".join(CODE.findall(self.text))
        measured = [file_digest(p) for p in sorted(BENCHMARKS.glob("*.json"))] if BENCHMARKS.parent.name in code else []
        return digest(code, shown_key(imported(code)), self.run.parameters, self.run.input_key, others, measured)

    @property
    def last(self) -> dict:
        return json.loads(self.record.read_text("utf8")) if self.record.exists() else {"key": None, "seconds": None}

    @property
    def computed(self) -> bool:
        """Whether the outputs of the executed copy are current."""
        known = self.executed.exists() and self.last["key"] == self.key
        return known and self.last.get("notebook") == file_digest(self.executed)  # no other run has written it since

    @property
    def current(self) -> bool:
        """Whether the executed copy is current, outputs and prose."""
        return self.computed and self.last.get("text") == digest(self.text)

    def keep(self, key: str, text: str, seconds: float) -> None:
        """Record what the executed copy was made from, and in how many seconds."""
        write(self.record, json.dumps({"key": key, "text": digest(text), "seconds": round(seconds, 1),
                                       "notebook": file_digest(self.executed)}))


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
        from acp_lib import inputs
        from acp_lib.results import recorded

        return digest(inputs.input_key(self.profile), recorded.fingerprint())

    @cached_property
    def program(self) -> str:
        """Digest of what makes pages, other than their sources, when it was first asked for."""
        return rendering.program()

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
    """Run one chapter unless its copy is current; return "ok", "prose" if nothing else had changed or "kept", and the
    seconds it took.

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
        if chapter.computed:
            retell(chapter)
            return "prose", 0.0
        with IMPORTING:
            import ipykernel.kernelspec  # noqa: F401  jupyter_client does, when it starts a kernel
            import jupytext
            import papermill
            from traitlets.config import Config

            from acp_lib.book import engine, kernels
            from acp_lib.book import papermill as myst
        logging.getLogger("papermill").setLevel(logging.ERROR)  # parameters are checked here and in the chapters
        chapter.record.unlink(missing_ok=True)
        key, text, start = chapter.key, chapter.text, time.monotonic()
        notebook = jupytext.reads(text, fmt="md:myst")
        try:
            with faults.at(chapter.executed), myst.for_pages():
                papermill.execute_notebook(
                    notebook, chapter.executed, chapter.run.parameters, kernel_name="python3",
                    progress_bar={"desc": chapter.name} if bar else False, execution_timeout=timeout, start_timeout=120,
                    engine_name=engine.NAME,
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
        chapter.keep(key, text, seconds)
        return "ok", seconds


def retell(chapter: Chapter) -> None:
    """Lay the chapter's prose, as it is now, around the outputs of its executed copy."""
    with IMPORTING:
        import jupytext
        import nbformat
    key, text = chapter.key, chapter.text
    notebook = nbformat.read(chapter.executed, 4)
    ran = [cell for cell in notebook.cells if cell.cell_type == "code"]
    added = [cell for cell in ran if "injected-parameters" in cell.metadata.get("tags", ())]  # papermill's
    own = iter([cell for cell in ran if cell not in added])
    notebook.cells = []
    for cell in jupytext.reads(text, fmt="md:myst").cells:
        notebook.cells.append(next(own) if cell.cell_type == "code" else cell)
        if "parameters" in cell.metadata.get("tags", ()):
            notebook.cells += added
    write(chapter.executed, nbformat.writes(notebook))
    chapter.keep(key, text, chapter.last["seconds"])


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
    print(f"{outcome:4} {chapter.name}" + (f" {seconds:.1f} s" if outcome == "ok" else ""), flush=True)


def choose(run: Run, names: list[str]) -> list[Chapter]:
    """The chapters named, by their whole name or its beginning; all if none is named."""
    for name in names:
        if sum(c.name.startswith(name) for c in run.chapters) != 1:
            raise ValueError(f"--only is {name!r}; expected one of {', '.join(c.name for c in run.chapters)}")
    return [c for c in run.chapters if not names or any(c.name.startswith(n) for n in names)]


def build(run: Run, *, only: list[str], jobs: int, timeout: int, rendered: bool) -> None:
    """All steps, or those asked for."""
    chapters = choose(run, only)
    if all(c.computed for c in chapters):
        processes.PRELOADED.clear()  # pages import what they need, most of them little
    else:
        before_chapters(run, whole=not only, rendered=rendered)
    execute_all(chapters, jobs, timeout)
    stale = [c.name for c in run.chapters if not c.current]
    if rendered and stale:
        print(f"not rendered: {', '.join(stale)} did not run on this code and data yet; run without --only. The "
              f"notebooks that ran are in {run.build / 'executed'}")
    elif rendered:
        print(f"book {rendering.render(run)}")


def before_chapters(run: Run, *, whole: bool, rendered: bool) -> None:
    """Have imported what chapters need; if the whole book is made, make what several of them need, and meanwhile the
    pages that wait for nothing.
    """
    from acp_lib.book import kernels

    processes.preload(kernels.IMPORTED)
    if not whole:
        return
    from acp_lib.book import early, prepare

    if rendered:
        early.begin(run)

    try:
        prepare.prepare(run.profile)
    except (ValueError, FloatingPointError) as error:  # data, weights or settings that cannot be used
        raise RuntimeError(commands.told(error)) from error
    prepare.step(prepare.STEPS, "the chapters and their pages")


def arguments(prog: str) -> argparse.ArgumentParser:
    parser = commands.parser(prog, __doc__, EXAMPLES)
    parser.add_argument("-j", "--jobs", type=int, default=1, help="chapters to run at once (1)")
    parser.add_argument("--only", nargs="+", default=[], metavar="CHAPTER",
                        help="run these chapters alone: 05_acp_net; pages are made once all have run")
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
    run.program  # noqa: B018 - of the code as it is now: what is changed meanwhile is rendered again
    try:
        temporary.lend()
        build(run, only=options.only, jobs=options.jobs, timeout=options.timeout, rendered=options.rendered)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0

