"""An executed chapter as a notebook for any viewer: its sentences with their numbers in place, where Sphinx puts them
on the pages of the book.

Chapter: How to read and rerun.
"""

import ast
import re

from nbformat import NotebookNode

ROLE = re.compile(r"\{glue:(text|md)\}`([^`:]+)(?::([^`]*))?`")
RECORD = "application/papermill.record/"
"""What the types of glued outputs begin with."""


def filled(notebook: NotebookNode) -> NotebookNode:
    """Replace the names of values in a notebook's Markdown by the values, where the notebook has them."""
    values = glued(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = ROLE.sub(lambda role: _text(role, values), cell.source)
    return notebook


def glued(notebook: NotebookNode) -> dict[str, dict[str, str]]:
    """By the name of a value: its representations by their type, such as "text/plain"."""
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", ()))
    return {output.metadata.scrapbook.name: {kind.removeprefix(RECORD): said for kind, said in output.data.items()}
            for output in outputs if "scrapbook" in output.get("metadata", {})}


def _text(role: re.Match, values: dict[str, dict[str, str]]) -> str:
    kind, name, form = role.groups()
    said = values.get(name, {}).get("text/markdown" if kind == "md" else "text/plain")
    if said is None:
        return role[0]
    if kind == "md":
        return said
    value = ast.literal_eval(said)
    return format(value, form) if form and not isinstance(value, str) else str(value)
