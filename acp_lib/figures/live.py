"""Figures that compute while they are read: a box with data, which a script of the book draws in.

The scripts lie in book/_static, one a figure, beside `acp.js`, which says what they share; the book loads them on pages
that have such a box (book/_ext/acp_book.py). Nothing is asked of a server. Where no script runs, as on a terminal or in
a notebook that was downloaded, what the box holds is shown, and the tables beside it remain.

Chapter: Shortcuts; How many songs it takes; What it gets right and wrong; Retrieval.
"""

import base64
import html
import io
import json
from pathlib import Path

from IPython.display import display
from PIL import Image

from acp_lib.figures.style import thumbnail

FIGURES = ("game", "guessers", "power", "ranking")
"""The live figures; each has its script."""


def box(figure: str, data: object, held: str = "") -> str:
    """HTML of a live figure.

    Parameters
    ----------
    figure : one of FIGURES
    data : what its script documents, as JSON can hold it; texts in it are anyone's, and end no script
    held : HTML of what the box holds before the script draws, escaped; a sentence if left out

    Raises
    ------
    ValueError
        For another figure, or a number that is NaN or infinite.
    """
    if figure not in FIGURES:
        raise ValueError(f"figure is {figure!r}; expected one of {', '.join(FIGURES)}")
    code = json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    held = held or f"<p>{html.escape(INSTEAD)}</p>"
    return (f'<div class="acp-live" data-figure="{figure}">{held}\n'
            f'<script type="application/json">{code}</script></div>')


INSTEAD = "A figure that a browser draws on the book's page, where scripts run."


def show(figure: str, data: object, held: str = "") -> None:
    """Show `box`."""
    display({"text/html": box(figure, data, held), "text/plain": INSTEAD}, raw=True)


def picture(path: Path, size: int) -> str:
    """A square crop of a picture, `size` pixels wide, as the address of a JPEG that holds it."""
    buffer = io.BytesIO()
    Image.fromarray(thumbnail(path, size)).save(buffer, "JPEG", quality=80, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
