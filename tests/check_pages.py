"""What must hold of every rendered book: `python tests/check_pages.py _build/html`.

Every local link, picture and anchor exists; no page asks another host for anything; no path of this machine shows; none
is too heavy; every page of the table of contents is there.
"""

import re
import sys
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parents[1]
BASE64 = re.compile(r"[A-Za-z0-9+/=]{200,}")
HERE = {str(ROOT), str(Path.home()), tempfile.gettempdir()} - {"/"}
MACHINE = re.compile("|".join([r"(?<![\w.~])/(?:home|Users|root)/\w",
                               *(rf"(?<![.~]){re.escape(p)}(?![\w-])" for p in HERE)]))
INLINE_URL = re.compile(r"https?://(?!www\.w3\.org/)[\w.-]+")
CSS_URL = re.compile(r"""(?:url\(\s*["']?|@import\s+["'])((?:https?:)?//[^"')\s]+)""")
MEDIA = re.compile(r"data:(?:audio|image)/[\w+.-]+;base64,[A-Za-z0-9+/=]+")
HEAVIEST = 1_500_000  # bytes of a page with its scripts and styles, but without its sounds and pictures
LOADED = {"script": ["src"], "link": ["href"], "img": ["src", "srcset"], "audio": ["src"], "video": ["src", "poster"],
          "source": ["src", "srcset"], "iframe": ["src"], "embed": ["src"], "object": ["data"]}


class Page:
    """One HTML file, parsed."""

    def __init__(self, path: Path, root: Path):
        self.path, self.name = path, path.relative_to(root).as_posix()
        self.text = path.read_text("utf8")
        self.soup = BeautifulSoup(BASE64.sub("BASE64", self.text), "html.parser")
        self.anchors = {tag["id"] for tag in self.soup.find_all(id=True)}


def read(root: Path) -> dict[Path, Page]:
    """Every page of a rendered book by its path."""
    files = [p for p in Path(root).resolve().rglob("*.html") if "_static" not in p.parts]
    return {p: Page(p, Path(root).resolve()) for p in files}


def named(tag, attribute: str) -> list[str]:
    """What an attribute of a tag names; `srcset` names several."""
    value = tag.get(attribute) or ""
    return [part.split()[0] for part in value.split(",") if part.strip()] if attribute == "srcset" else [value]


def links(root: Path, pages: dict[Path, Page]) -> list[str]:
    """Local links that lead to no file of the book or no anchor."""
    bad, root = [], Path(root).resolve()
    for path, page in pages.items():
        tags = [(tag, attribute) for name, attributes in {**LOADED, "a": ["href"]}.items()
                for tag in page.soup.find_all(name) for attribute in attributes]
        for url in {url for tag, attribute in tags for url in named(tag, attribute) if url}:
            parts = urlsplit(url)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not (target.exists() and target.is_relative_to(root)):
                bad.append(f"{page.name}: no file for {url}")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
                bad.append(f"{page.name}: no anchor for {url}")
    return bad


def hosts(root: Path, pages: dict[Path, Page]) -> list[str]:
    """Whatever a page or a style sheet would fetch from another host."""
    bad = []
    for page in pages.values():
        for name, attributes in LOADED.items():
            for tag in page.soup.find_all(name):
                urls = [url for a in attributes for url in named(tag, a)]
                bad += [f"{page.name}: {name} loads {u}" for u in urls if urlsplit(u).netloc and "canonical" not in
                        (tag.get("rel") or [])]
        for tag in page.soup.find_all("script", src=False):
            bad += [f"{page.name}: a script names {u}" for u in INLINE_URL.findall(tag.get_text())]
        styles = [tag.get_text() for tag in page.soup.find_all("style")]
        styles += [tag["style"] for tag in page.soup.find_all(style=True)]
        bad += [f"{page.name}: a style loads {u}" for text in styles for u in CSS_URL.findall(text)]
    for sheet in Path(root).rglob("*.css"):
        bad += [f"{sheet.name}: loads {u}" for u in CSS_URL.findall(sheet.read_text("utf8"))]
    return bad


def machine_paths(root: Path) -> list[str]:
    """Paths of this machine in a page or in a file offered for download."""
    files = [p for p in Path(root).rglob("*") if p.suffix in (".html", ".ipynb", ".md", ".json", ".txt")]
    return [f"{p.relative_to(root)}: shows {m[0]}" for p in files
            for m in MACHINE.finditer(BASE64.sub("", p.read_text("utf8")))]


def missing(root: Path, toc: Path = ROOT / "_toc.yml") -> list[str]:
    """Pages of the table of contents that were not rendered."""
    from sphinx_external_toc.parsing import parse_toc_yaml

    return [f"{d}.html: missing" for d in parse_toc_yaml(toc) if not (Path(root) / f"{d}.html").exists()]


def loaded(page: Page) -> list[tuple[str, int]]:
    """The scripts and styles of a book that a page loads, with their sizes in bytes."""
    tags = [*page.soup.find_all("script", src=True), *page.soup.find_all("link", rel="stylesheet")]
    files = {(page.path.parent / urlsplit(tag.get("src") or tag["href"]).path).resolve() for tag in tags}
    return [(file.name, file.stat().st_size) for file in sorted(files) if file.is_file()]


def heavy(pages: dict[Path, Page]) -> list[str]:
    """Pages that weigh too much."""
    weights = {page.name: len(MEDIA.sub("", page.text).encode()) + sum(size for _, size in loaded(page))
               for page in pages.values()}
    return [f"{name}: {n:,} bytes; expected {HEAVIEST:,} at most" for name, n in weights.items() if n > HEAVIEST]


def problems(root: Path, pages: dict[Path, Page] | None = None) -> list[str]:
    """All that is wrong with a rendered book, one line each; its pages are read unless they are given."""
    pages = read(root) if pages is None else pages
    return sorted({*links(root, pages), *hosts(root, pages), *machine_paths(root), *heavy(pages), *missing(root)})


if __name__ == "__main__":
    found = problems(Path(sys.argv[1] if len(sys.argv) > 1 else "_build/html"))
    print("\n".join(found) or "every page, link and anchor is there; nothing comes from another host")
    sys.exit(bool(found))
