"""What a page loads beside its own figures is small: formulas are MathML, which browsers draw themselves and screen
readers know, and of the theme's two thousand icons those remain that the book shows.
"""

import re
from html import escape
from pathlib import Path

from docutils import nodes
from docutils.utils.math import latex2mathml
from sphinx.util import logging

ICON = re.compile(r"""
    (?:"([\w-]+)"|(\w+)) : \[ \d+,\d+,          # its name, width and height
    \[([^\]]*)\], "[0-9a-f]*",                  # other names, its place in a font
    (?:"[^"]*"|\[[^\]]*\]) \] ,?                # its outlines""", re.X)
BARE = re.compile(r"\\([td]?frac) *(\d|[a-zA-Z])(?= *[\d{\\a-zA-Z]) *(\d|[a-zA-Z]|(?={))")  # \tfrac12: one sign each
NAME = re.compile(r"\bfa-([a-z0-9-]+)")
log = logging.getLogger(__name__)


def formula(tex: str, block: bool = False) -> str:
    """A formula of LaTeX as MathML. docutils takes all digits that follow a fraction for one number; LaTeX takes one.

    Raises
    ------
    ValueError
        For a command that docutils does not know; it is named.
    """
    braced = BARE.sub(lambda found: rf"\{found[1]}{{{found[2]}}}" + (f"{{{found[3]}}}" if found[3] else ""), tex)
    return latex2mathml.tex2mathml(braced, as_block=block)


def visit_math(writer, node: nodes.math | nodes.math_block) -> None:
    block = isinstance(node, nodes.math_block)
    try:
        written = formula(node.astext(), block)
    except ValueError as error:
        log.warning("a formula cannot be written as MathML: %s", error, location=node)
        written = f"<code>{escape(node.astext())}</code>"
    writer.body.append(f'<div class="math">{written}</div>\n' if block else written)
    raise nodes.SkipNode


def shown(folder: Path) -> set[str]:
    """The names of all icons that pages and scripts of a rendered book may show."""
    files = [p for ending in ("html", "js") for p in folder.rglob(f"*.{ending}") if p.name != "fontawesome.js"]
    return {name for file in files for name in NAME.findall(file.read_text("utf8"))}


def fewer_icons(script: str, names: set[str]) -> str:
    """The theme's script of icons without those that have none of the names."""

    def kept(found: re.Match) -> str:
        own = {found[1] or found[2], *re.findall(r'"([\w-]+)"', found[3])}
        return found[0] if own & names else ""

    return ICON.sub(kept, script)


def lighten(app, error) -> None:
    """Write the shorter script in the place of the theme's."""
    script = Path(app.outdir, "_static/scripts/fontawesome.js")
    if error is None and app.builder.format == "html" and script.exists():
        script.write_text(fewer_icons(script.read_text("utf8"), shown(Path(app.outdir))), "utf8")
        script.with_suffix(".js.map").unlink(missing_ok=True)


def setup(app) -> dict:
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math, None))
    app.config.html_math_renderer = "mathml"
    app.connect("build-finished", lighten)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
