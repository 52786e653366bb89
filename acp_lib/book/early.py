"""The pages that show nothing of a run, rendered while a first `make book` still computes: the findings on real data,
the guide, the glossary, the ledger. In the place of each other page one says that it is to come.

Chapter: How to read and rerun.
"""

import re
import shutil
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import yaml
from filelock import FileLock

from acp_lib.book import rendering
from acp_lib.profiles import ROOT

if TYPE_CHECKING:
    from acp_lib.book.build import Run

LATER = "article", "data_card", "status", "teaching"
"""The pages in book/ that show a run's results, or lead to parts of the chapters."""
HEAD = re.compile(r"^(?:\(.+\)=\n+)?# .+$", re.MULTILINE)
TO_COME = ("This page is to come. When `make book` has printed where the book lies, load the page again. If it was "
           "stopped, the same command goes on where it was.")
ANNOUNCED = "This book is being made; some of its pages are still to come."
NOT_THERE = re.compile(r'<code class="xref std std-numref[^>]*><span class="pre">(tab|fig)-[\w-]+</span></code>')
KINDS = {"tab": "table to come", "fig": "figure to come"}


def begin(run: "Run") -> None:
    """Render these pages beside what else goes on; it ends with the program, if not before."""
    Thread(target=render, args=(run,), daemon=True).start()


def render(run: "Run") -> None:
    """Render these pages, if there is no book yet, and print where they lie; those of the whole book replace them.
    What goes wrong is told when that is rendered.
    """
    html, folder = run.build / "html", run.build / "early"
    made = folder / "_build/html"
    run.build.mkdir(parents=True, exist_ok=True)
    with suppress(RuntimeError, OSError), FileLock(run.build / ".early.lock"):
        if html.exists():
            return
        try:
            shutil.rmtree(folder, ignore_errors=True)
            code, _ = rendering.sphinx(stage(run, folder / "source"), "--path-output", folder, "-q")
            if code or not (made / "index.html").exists():
                return
            (made / ".buildinfo").unlink(missing_ok=True)  # or Sphinx would take these pages for the book's
            for page in made.rglob("*.html"):
                page.write_text(NOT_THERE.sub(lambda found: KINDS[found[1]], page.read_text("utf8")), "utf8")
            with FileLock(run.build / ".render.lock"):
                if not html.exists():
                    made.rename(html)
                    print(f"first pages {html / 'index.html'}", flush=True)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def stage(run: "Run", folder: Path) -> Path:
    """Fill the folder that these pages are rendered from; its files have the names that they have in the whole book."""
    settings = yaml.safe_load(rendering.config(run))
    settings["html"]["announcement"] = ANNOUNCED
    made = {Path("_config.yml"): yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)}
    made |= {Path(f"book/{name}.md"): to_come((ROOT / f"book/{name}.md").read_text("utf8")) for name in LATER}
    made |= {Path(f"notebooks/{c.name}.ipynb"): notebook(to_come(c.text)) for c in run.chapters}
    return rendering.fill(folder, {path: text.encode() for path, text in made.items()})


def to_come(text: str) -> str:
    """What stands in the place of a page: its label and its title, and when it comes."""
    head = HEAD.search(text)
    assert head, "every page has a title"
    return f"{head[0]}\n\n{TO_COME}\n"


def notebook(text: str) -> str:
    """A notebook of one cell of text."""
    import nbformat

    return nbformat.writes(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)]))
