"""The rendered book, or its article, as one PDF: pages one after another in a single one, which a browser prints.

Links between pages become links within the PDF. What is folded as an answer is open, what is folded as code is left
out, and what sounds or moves has a note beside it.

Chapter: How to read and rerun.
"""

import html
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml
from bs4 import BeautifulSoup, Tag

from acp_lib import __version__
from acp_lib.engine import temporary
from acp_lib.profiles import ROOT

KINDS = {"book": None, "article": ["book/article"]}
"""What can be printed: the pages that it has; None: all, in the order of the table of contents, behind a cover."""

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge",
            "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
           "--no-pdf-header-footer", "--generate-pdf-document-outline", "--export-tagged-pdf",
           "--virtual-time-budget=600000")  # scripts have done, mathematics above all; time passes while they rest
LEFT_OUT = ("a.headerlink, details.cite, details.run, details.hide, script:not([type='application/json']), "
            "div.cell:has(> details.hide):not(:has(.cell_output))")
REFERS = ("for", "aria-labelledby", "aria-describedby", "aria-controls")
"""Attributes that name ids of their own page."""

LEFT = ("Solutions of the exercises are open here. Folded code is left out; the book offers each chapter as a notebook "
        "with all of it. What sounds or can be worked is in the book alone.")
PRINT = """\
import subprocess, sys
from acp_lib.engine.processes import end_with
end_with(int(sys.argv.pop(1)))
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace")
sys.exit(done.stderr if done.returncode else 0)
"""
FIT = """\
addEventListener("load", () => {
  for (const one of document.querySelectorAll("table, .acp-live, math[display=block], mjx-container[display]")) {
    const room = one.parentElement.getBoundingClientRect().width, needs = one.scrollWidth || one.clientWidth;
    if (needs > room + 1) one.style.zoom = room / needs;
  }
});
"""
"""What is wider than a page shrinks until it fits."""


def browser() -> str:
    """The program that prints: what ACP_BROWSER names, or the first of BROWSERS that is installed.

    Raises
    ------
    ValueError
        If there is none.
    """
    named = os.environ.get("ACP_BROWSER")
    for name in [named] if named else BROWSERS:
        if found := shutil.which(name):
            return found
    lacking = f"ACP_BROWSER is {named!r}, which is no program" if named else "neither Chromium nor Chrome is installed"
    raise ValueError(f"{lacking}, and one of them prints the PDF; install it (apt install chromium), or name a browser "
                     "that is built on Chromium in ACP_BROWSER")


def anchor(document: str, name: str = "") -> str:
    """The id in the PDF of an element of a page, or of the page itself."""
    return "--".join(filter(None, [document.replace("/", "-"), name]))


class Article:
    """One page of a rendered book, to stand among others.

    root : folder of the rendered book
    document : name of the page, without its ending
    among : names of the pages that stand together
    """

    def __init__(self, root: Path, document: str, among: Sequence[str]) -> None:
        self.root, self.document, self.among = root.resolve(), document, among
        self.page = BeautifulSoup((root / f"{document}.html").read_text("utf8"), "html.parser")
        self.body = self._one("article.bd-article")
        for tag in self.body.select(LEFT_OUT):
            tag.decompose()
        self.title = " ".join(self._one("article.bd-article h1").get_text().split())

    def _one(self, selector: str) -> Tag:
        found = self.page.select_one(selector)
        if found is None:
            raise RuntimeError(f"{self.document}.html has no {selector}; render the book anew")
        return found

    def html(self) -> str:
        """The article as HTML whose ids and links hold wherever it stands among the others."""
        for tag in self.body.select("details"):
            tag["open"] = ""
        for tag in self.body.select("audio"):
            tag.replace_with(self._note("span", "to be heard in the book"))
        for tag in self.body.select(".acp-live"):
            tag.insert_after(self._note("p", f"On the page “{self.title}” of the book this figure can be worked."))
        for tag in self.body.find_all(True):
            self._name(tag)
            self._lead(tag)
        return f'<article class="bd-article" id="{anchor(self.document)}">{self.body.decode_contents()}</article>'

    def address(self, url: str) -> str:
        """An address that the page names, from anywhere."""
        parts = urlsplit(url)
        return url if parts.scheme or parts.netloc else self._file(parts.path).as_uri()

    def _file(self, path: str) -> Path:
        return (self.root / self.document).parent.joinpath(unquote(path)).resolve()

    def _note(self, kind: str, text: str) -> Tag:
        note = self.page.new_tag(kind, attrs={"class": "acp-printed"})
        note.string = text
        return note

    def _name(self, tag: Tag) -> None:
        """Ids of two pages may be the same, and differ among the others."""
        for name in ("id", *REFERS):
            if name in tag.attrs:
                value = tag[name]
                words = value if isinstance(value, list) else str(value).split()
                tag[name] = " ".join(anchor(self.document, word) for word in words)

    def _lead(self, tag: Tag) -> None:
        """A link to a page among the others leads to it, one to another host stays, and any other one is text."""
        if "src" in tag.attrs:
            tag["src"] = self.address(str(tag["src"]))
        del tag["srcset"], tag["loading"]
        parts = urlsplit(str(tag.get("href", "")))
        if tag.name != "a" or parts.scheme or parts.netloc:
            return
        file = self._file(parts.path) if parts.path else self.root / self.document
        target = file.relative_to(self.root).with_suffix("").as_posix()
        if target in self.among:
            tag["href"] = "#" + anchor(target, unquote(parts.fragment))
        else:
            tag.unwrap()


def contents() -> list[tuple[str, list[str]]]:
    """The parts of the book: the caption of each, and its pages; the first page is a part without one."""
    from sphinx_external_toc.parsing import parse_toc_yaml

    root = parse_toc_yaml(ROOT / "_toc.yml").root
    return [("", [root.docname]), *((str(part.caption), [str(item) for item in part.items]) for part in root.subtrees)]


def cover(articles: Sequence[Article]) -> str:
    """A cover: what the book is called, on what it was made, what a PDF leaves out, and its contents."""
    titles = {article.document: html.escape(article.title) for article in articles}
    lists = [f'<p class="acp-part">{html.escape(caption)}</p><ul>' +
             "".join(f'<li><a href="#{anchor(d)}">{titles[d]}</a></li>' for d in documents) + "</ul>"
             for caption, documents in contents()]
    announced = articles[0].page.select_one(".bd-header-announcement")
    settings = yaml.safe_load((ROOT / "_config.yml").read_text("utf8"))
    about = f"{settings['author']}, {settings['copyright']}. Version {__version__}."
    ran = f"<p><strong>{html.escape(announced.get_text(' ', strip=True))}</strong></p>" if announced else ""
    return (f'<div class="acp-cover"><p class="acp-title">{titles[articles[0].document]}</p>'
            f'<p>{html.escape(about)}</p>{ran}<p>{LEFT}</p><nav aria-label="Contents">{"".join(lists)}</nav></div>')


def assembled(root: Path, kind: str) -> str:
    """What is printed, as one page of HTML.

    Parameters
    ----------
    root : folder of the rendered book
    kind : one of KINDS
    """
    documents = KINDS[kind] or [d for _, some in contents() for d in some]
    articles = [Article(root, document, documents) for document in documents]
    sheets = [articles[0].address(str(tag["href"])) for tag in articles[0].page.select('head link[rel="stylesheet"]')]
    sheets.append((ROOT / "book/_static/print.css").as_uri())
    links = "".join(f'<link rel="stylesheet" href="{html.escape(url)}">' for url in sheets)
    front = cover(articles) if KINDS[kind] is None else ""
    body = "".join(article.html() for article in articles)
    return (f'<!doctype html><html lang="en" data-theme="light" data-mode="light"><head><meta charset="utf-8">'
            f"<title>{html.escape(articles[0].title)}</title>{links}{scripts(articles)}<script>{FIT}</script></head>"
            f'<body class="acp-{kind}">{front}{body}</body></html>')


def scripts(articles: Sequence[Article]) -> str:
    """The scripts that draw live figures, each once: a page loads them when it is read."""
    names = dict.fromkeys(article.address(str(tag["src"])) for article in articles
                          for tag in article.page.select("head script[defer]"))
    return "".join(f'<script defer src="{html.escape(name)}"></script>' for name in names)


def write(root: Path, kind: str) -> Path:
    """Print one of KINDS into the folder of the rendered book; return the file.

    Raises
    ------
    ValueError
        If there is no browser.
    RuntimeError
        If it leaves no PDF.
    """
    here = temporary.folder()
    page, made = here / f"{kind}.html", here / f"{kind}.pdf"
    page.write_text(assembled(root, kind), "utf8")
    command = [browser(), *OPTIONS, f"--user-data-dir={here / 'browser'}", f"--print-to-pdf={made}", page.as_uri()]
    done = subprocess.run([sys.executable, "-c", PRINT, str(os.getpid()), *command], stderr=subprocess.PIPE, text=True,
                          errors="replace")
    if done.returncode or not made.exists():
        raise RuntimeError(f"{done.stderr}\nthe browser printed no {kind} (exit code {done.returncode}): {command[0]}")
    return Path(shutil.move(made, root / f"{kind}.pdf"))
