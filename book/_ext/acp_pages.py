"""What every page tells machines, and what it offers readers to take away or to run.

Nothing leads to the repository before its address is known: from $ACP_REPOSITORY_URL, or `repository-code` in
CITATION.cff.
"""

import html
import os
from pathlib import Path
from urllib.parse import quote, urlsplit

from docutils import nodes
from sphinx.errors import ExtensionError

LONGEST = 300  # characters of a description, about what search engines show
SHORTEST = 80
PRINTED = {"book": "Whole book (.pdf)", "article": "Article (.pdf)"}
HOSTS = ("github.com", "gitlab.com", "bitbucket.org")
BRANCH = "main"
NOTEBOOKS = "notebooks"  # of plain notebooks, a branch that .github/workflows/pages.yml makes
LAUNCHED = {
    "Binder": ("logo_binder.svg", "https://mybinder.org/v2/gh/{at}/{branch}?urlpath=lab/tree/notebooks/{name}.ipynb"),
    "Colab": ("logo_colab.png", "https://colab.research.google.com/github/{at}/blob/{notebooks}/{name}.ipynb"),
}
"""Where a chapter can be run, by the names and logos of the theme; both take projects on GitHub."""


def about() -> dict:
    """CITATION.cff."""
    from acp_lib.results import citation

    return citation.read()


def address() -> str:
    """Where the repository is, or nothing."""
    found = os.environ.get("ACP_REPOSITORY_URL") or about().get("repository-code", "")
    found = found.rstrip("/").removesuffix(".git")
    parts = urlsplit(found)
    if found and (parts.scheme != "https" or parts.netloc not in HOSTS or parts.path.count("/") != 2):
        raise ExtensionError(f"the repository's address is {found!r}; expected https://HOST/OWNER/NAME at one of "
                             f"{', '.join(HOSTS)}: set ACP_REPOSITORY_URL, or repository-code in CITATION.cff")
    return found


def repository(app, config) -> None:
    """Buttons that lead to the repository and to its issues."""
    if url := address():
        config.html_theme_options |= {"repository_url": url, "repository_branch": BRANCH,
                                      "use_repository_button": True, "use_issues_button": True}


def shortened(text: str, longest: int = LONGEST) -> str:
    """The first sentences of a text, or of a long one its first words."""
    text = " ".join(text.split())
    if len(text) <= longest:
        return text
    start = text[:longest + 1]
    end = max(start.rfind(mark) for mark in (". ", "? ", "! "))
    return start[:end + 1] if end >= SHORTEST else start[:start.rfind(" ")].rstrip(",;:") + " …"


def description(doctree: nodes.document) -> str:
    """What a page is about, from its first paragraphs; those in lists, tables and boxes do not count."""
    told = ""
    for paragraph in doctree.findall(nodes.paragraph):
        if isinstance(paragraph.parent, nodes.section) and len(told) < SHORTEST:
            text = paragraph.astext()
            told += text + ("" if text.endswith((".", "?", "!", ":")) else ".") + " "
    return shortened(told)


def cited(title: str, year: str, known: dict) -> list[tuple[str, str]]:
    """The tags by which reference managers know a chapter (Highwire Press); `known` is CITATION.cff."""
    people = [one.get("name") or f"{one['family-names']}, {one['given-names']}" for one in known["authors"]]
    return [("citation_title", title), *(("citation_author", one) for one in people),
            ("citation_publication_date", year), ("citation_inbook_title", known["title"]), ("citation_language", "en")]


def tell(app, page, template, context, doctree) -> None:
    """Description and citation, in the head of each page."""
    if doctree is None:
        return
    title = next(doctree.findall(nodes.title)).astext()
    tags = [("description", description(doctree) or f"{title}: {app.config.html_title}"),
            *cited(title, app.config.copyright, about())]
    context["metatags"] = context.get("metatags", "") + "".join(
        f'\n<meta name="{name}" content="{html.escape(value)}" />' for name, value in tags)


def items(app, page, template, context, doctree) -> None:
    """References are items of a list; the role that docutils gives them is withdrawn, and no item of a list."""
    context["body"] = context.get("body", "").replace('role="doc-biblioentry"', 'role="listitem"')


def offer(app, page, template, context, doctree) -> None:
    """Downloads: a chapter's notebook without outputs, and the PDFs that are made; and where it can be launched."""
    buttons = context.get("header_buttons", [])
    for group in (some for some in buttons if some.get("label") == "download-buttons"):
        if name := is_chapter(page):
            group["buttons"].append(link(f"{name}.ipynb", "To run (.ipynb)", "fas fa-play", "download-plain-button",
                                         "The notebook without outputs; it installs what it needs"))
        for kind in app.config.acp_printed:
            group["buttons"].append(link(context["pathto"](f"{kind}.pdf", 1), PRINTED[kind], "fas fa-book",
                                         f"download-{kind}-button", f"The {kind} as one PDF"))
    if places := launches(page, address()):
        buttons.insert(0, {"type": "group", "tooltip": "Run this chapter", "icon": "fas fa-rocket", "buttons": places,
                           "label": "launch-buttons"})


def link(url: str, text: str, icon: str, label: str, tooltip: str) -> dict:
    """A button as the theme wants it."""
    return {"type": "link", "url": url, "text": text, "icon": icon, "label": label, "tooltip": tooltip}


def is_chapter(page: str) -> str:
    """The name of a chapter's notebook; nothing for any other page."""
    folder, _, name = page.rpartition("/")
    return name if folder == "notebooks" else ""


def launches(page: str, url: str) -> list[dict]:
    """Buttons that run a chapter elsewhere, if the repository is where those places can find it."""
    name, at = is_chapter(page), urlsplit(url)
    if not name or at.netloc != "github.com":
        return []
    values = {"at": quote(at.path.strip("/")), "branch": BRANCH, "notebooks": NOTEBOOKS, "name": quote(name)}
    return [link(where.format(**values), title, f"_static/images/{logo}", f"launch-{title.lower()}", f"Run on {title}")
            for title, (logo, where) in LAUNCHED.items()]


def write_notebooks(app, error) -> None:
    """Beside each chapter's page its notebook without outputs; and numbers in the sentences of the one with outputs."""
    if error is not None or app.builder.format != "html":
        return
    import nbformat

    from acp_lib.book import plain
    from acp_lib.book.filled import filled

    plain.write(Path(app.outdir, "notebooks"), address())
    for path in Path(app.outdir, "_sources", "notebooks").glob("*.ipynb"):
        path.write_text(nbformat.writes(filled(nbformat.read(path, 4))) + "\n", "utf8")


def excerpts(app, page, template, context, doctree) -> None:
    """What the search shows of a page is from its text."""
    if template == "search.html":
        app.add_js_file("excerpts.js", loading_method="defer")  # once the search is there


def setup(app) -> dict:
    app.add_config_value("acp_printed", [], "html")
    app.connect("config-inited", repository)
    app.connect("html-page-context", tell)
    app.connect("html-page-context", items)
    app.connect("html-page-context", offer, priority=600)  # once the theme has made its buttons
    app.connect("html-page-context", excerpts)
    app.connect("build-finished", write_notebooks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
