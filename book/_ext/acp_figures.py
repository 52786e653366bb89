"""Figures of chapters on a page: a notebook's drawing for a wide column and for a phone, by day and by night, which
opens at full size.

A notebook's SVG holds them all (acp_lib/figures/page.py). Each becomes a file of its own, of which a browser fetches
the one that it shows; the link around them leads to the wide one, and acp.js opens it in a dialog.
"""

import re
from html import escape
from pathlib import Path
from xml.etree import ElementTree as tree

from docutils import nodes
from sphinx.writers.html5 import HTML5Translator

NARROW = "(max-width: 600px)"  # as in acp.css
DRAWING = re.compile(r"[0-9a-f]{20}-(?:wide|narrow)(?:-night)?\.svg")  # as `files` names them
LAZY = {"loading": "lazy", "decoding": "async"}  # what is not shown is not fetched


def visit_image(writer: HTML5Translator, node: nodes.image) -> None:
    """An image as Sphinx writes it, but for what a notebook drew."""
    from acp_lib.figures import page

    source = Path(writer.builder.srcdir, node["uri"])
    if source.suffix != ".svg" or "jupyter_execute" not in source.parts:
        type(writer).visit_image(writer, node)
        return
    writer.builder.images.pop(node["uri"], None)  # the whole, which no page shows
    text = source.read_text("utf8")
    said, told = node.get("alt", ""), page.told(text)
    said = f"{said.rstrip('.')}. {told}" if told else said
    writer.body.append(markup(files(source.stem, page.drawings(text), writer), said))
    raise nodes.SkipNode


def depart_image(writer: HTML5Translator, node: nodes.image) -> None:
    type(writer).depart_image(writer, node)


def files(stem: str, drawings: dict[str, str], writer: HTML5Translator) -> dict[str, dict[str, str]]:
    """Write each drawing as a file; its name -> its address on the page, and its width and height in pixels."""
    folder, found = Path(writer.builder.outdir, writer.builder.imagedir), {}
    folder.mkdir(exist_ok=True)
    for name, drawing in drawings.items():
        file = folder / f"{stem[:20]}-{name}.svg"
        file.write_text(drawing, "utf8")
        root = tree.fromstring(drawing)
        size = {side: f"{float(root.get(side, '0').removesuffix('pt')) * 4 / 3:.0f}" for side in ("width", "height")}
        found[name] = {"address": f"{writer.builder.imgpath}/{file.name}", **size}
    return found


def markup(drawn: dict[str, dict[str, str]], alt: str) -> str:
    """HTML of a figure: by day and by night, each wide or narrow as the window is."""
    pictures = []
    for ending, theme in (("", "only-light"), ("-night", "only-dark")):
        parts = [tag("source", media=NARROW, srcset=one["address"], width=one["width"], height=one["height"])
                 for one in (drawn.get(f"narrow{ending}"),) if one]
        wide = drawn[f"wide{ending}"]
        parts.append(tag("img", src=wide["address"], alt=alt, width=wide["width"], height=wide["height"],
                         **{"class": theme}, **LAZY))
        pictures.append(f'<picture>{"".join(parts)}</picture>')
    link = tag("a", **{"class": "acp-figure"}, href=drawn["wide"]["address"], title="Enlarge this figure")
    return f"{link}{''.join(pictures)}</a>\n"


def tag(name: str, **attributes: str) -> str:
    """An opening tag; what attributes say is escaped."""
    said = (f'{key}="{escape(value, quote=True)}"' for key, value in attributes.items())
    return f"<{name} {' '.join(said)}>"


def clear(app, error: Exception | None) -> None:
    """Remove drawings of earlier builds that no page shows any more."""
    if error or app.builder.format != "html":
        return
    root = Path(app.outdir)
    shown = {name for page in root.rglob("*.html") for name in DRAWING.findall(page.read_text("utf8", "replace"))}
    for file in (root / app.builder.imagedir).glob("*.svg"):
        if DRAWING.fullmatch(file.name) and file.name not in shown:
            file.unlink()


def setup(app) -> dict:
    app.connect("build-finished", clear)
    app.add_node(nodes.image, override=True, html=(visit_image, depart_image))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
