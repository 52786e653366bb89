"""What chapters show beside figures: numbered tables, sentences with numbers, players.

Tags, titles and file names are other people's text: whatever is not marked as `Markdown` is escaped.

Chapter: all.
"""

import ast
import base64
import html
import inspect
import io
import numbers
import re
import textwrap
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from IPython.display import Markdown as display_markdown
from IPython.display import display
from myst_nb import glue

from acp_lib.engine import text as texts
from acp_lib.engine.text import LONGEST, plain
from acp_lib.profiles import FILES, OPTIONS, Profile, ledger

NOTHING = "–"


class Markdown(str):
    """Text of a chapter's own, shown as the Markdown it is."""


def escape(text: str, longest: int = LONGEST) -> str:
    """Anyone's text as Markdown that shows it letter by letter.

    Chapter: all.
    """
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", plain(text, longest))


def shown(value: object, digits: int = 1) -> str:
    """A value as the text of a table cell."""
    if isinstance(value, Markdown):
        return value
    if value is None or (isinstance(value, numbers.Real) and value != value):
        return NOTHING
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, numbers.Integral):
        return f"{value:,}"
    return texts.number(float(value), digits) if isinstance(value, numbers.Real) else escape(str(value))


def table(rows: pd.DataFrame | list[dict], name: str, caption: str, *, digits: int = 1) -> None:
    """Show a table, numbered in the book and referred to as {numref}`name`.

    Parameters
    ----------
    rows : a dict each, or a table; columns of numbers are set flush right; texts are escaped, `Markdown` ones are not
    caption : Markdown
    digits : decimals of numbers that are not whole

    Chapter: all.
    """
    frame = pd.DataFrame(rows, dtype=object)  # others turn whole numbers to floats, Markdown to plain text
    cells = [[shown(v, digits) for v in row] for row in frame.to_numpy()]
    right = [all(v is None or isinstance(v, numbers.Real) for v in frame[c]) for c in frame.columns]
    lines = [[str(c) for c in frame.columns], ["---:" if r else "---" for r in right], *cells]
    body = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    markdown = f":::::{{table}} {caption}\n:name: {name}\n\n{body}\n:::::\n"
    clean = frame.map(lambda v: plain(v) if isinstance(v, str) else v)
    page = clean.to_html(index=False, na_rep=NOTHING)
    display({"text/markdown": markdown, "text/html": f"<p>{html.escape(caption)}</p>{page}",
             "text/plain": clean.to_string(index=False)}, raw=True)


def say(text: str) -> None:
    """Show a paragraph of Markdown, for sentences whose numbers come from this run."""
    display({"text/markdown": text, "text/plain": text}, raw=True)


def put(**values: object) -> None:
    """Name values for the page's own sentences: {glue:text}`name` in Markdown shows one, {glue:text}`name:.1f` a number
    with one decimal, {glue:text}`name:+z.1f` a difference (z: no minus before a zero), {glue:md}`name` `Markdown`.

    Whole numbers come with separators of thousands; anyone's text shows letter by letter; None is a dash.

    Chapter: all.
    """
    for name, value in values.items():
        if isinstance(value, Markdown):
            value = display_markdown(str(value))
        elif isinstance(value, str):
            value = plain(value, 10 * LONGEST)
        elif isinstance(value, numbers.Real) and not isinstance(value, bool | np.bool_ | numbers.Integral):
            value = NOTHING if value != value else float(value)
        else:
            value = shown(value)
        glue(name, value, display=False)


def source(*things: Callable) -> None:
    """Show the source of functions and classes of the library, as it runs here; of each docstring the first paragraph.

    Chapter: all.
    """
    for thing in things:
        code = _brief(textwrap.dedent(inspect.getsource(thing)).rstrip())
        display({"text/markdown": f"```python\n{code}\n```", "text/plain": code}, raw=True)


def _brief(code: str) -> str:
    lines = code.split("\n")
    known = [n for n in ast.walk(ast.parse(code)) if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    for text in sorted((n.body[0] for n in known if ast.get_docstring(n)), key=lambda t: t.lineno, reverse=True):
        last = text.end_lineno or text.lineno
        blank = next((k for k in range(text.lineno, last) if not lines[k].strip()), None)
        if blank is not None:
            lines[blank - 1:last] = [lines[blank - 1] + '"""']
    return "\n".join(lines)


def percent(share: float, digits: int = 1) -> str:
    """A share from 0 to 1 as per cent, without the sign."""
    return texts.number(100 * share, digits)


def span(ends: Sequence[float] | None, digits: int = 1) -> str | None:
    """An interval as text, "54.5 to 62.9"; None where there is none.

    Chapter: all.
    """
    return None if ends is None else texts.span(ends, digits)


def song(row: pd.Series) -> str:
    """Title and artist of a piece of music, a row of the manifest; its id where it has no title. It is anyone's text.

    Chapter: Building the database; What it gets right and wrong; One map of both modalities; Retrieval.
    """
    return f"{row['title'] or row['id']}" + (f", {row['artist']}" if row["artist"] else "")


def code(value: object) -> Markdown:
    """A value as code, numbers without zeros at their end; a text that would end the code, or a cell, as text.

    Chapter: The garden of forking paths.
    """
    text = f"{value:g}" if isinstance(value, float) else plain(value)
    return Markdown(escape(text) if re.search("[`|]", text) else f"`{text}`")


def ledger_entry(name: str) -> Markdown:
    """A link to a detail's entry in the ledger.

    Chapter: The garden of forking paths.
    """
    return Markdown(f"[`{name}`](#ledger-{name.replace('_', '-')})")


def _shown(profile: Profile, name: str) -> object:
    value = getattr(profile, name)
    return Path(value).name if name in FILES else value


def departures(profile: Profile, names: Collection[str] | None = None) -> str:
    """One item of a Markdown list: the settings that differ from the ledger's, each with a link to its entry. Of a file
    the name is shown.

    names : of the settings that are looked at; all of the ledger's if left out

    Chapter: ACP-Net; Baselines; Probes; Controls for probes; One map of both modalities.
    """
    own = [f"{ledger_entry(name)} {code(_shown(profile, name))} ({code(d.default)})"
           for name, d in ledger.details().items()
           if name in (OPTIONS if names is None else names) and getattr(profile, name) != d.default]
    return f"- Settings (ledger's in brackets): {', '.join(own)}." if own else "- All settings are those of the ledger."


def p_value(p: float | None) -> str | None:
    """A p-value with three decimals; None where there is none.

    Chapter: Baselines; How sure are we; The garden of forking paths.
    """
    return None if p is None else f"{p:.3f}" if p >= 0.001 else "< 0.001"


def sound(y: np.ndarray, sr: int) -> str:
    """The address of an MP3 that holds a sound, mono samples (n,) at `sr`.

    Chapter: all.
    """
    buffer = io.BytesIO()
    with soundfile.SoundFile(buffer, "w", sr, 1, format="MP3", subtype="MPEG_LAYER_III", bitrate_mode="VARIABLE",
                             compression_level=0.7) as file:
        for block in np.array_split(np.asarray(y, np.float32), max(1, len(y) // 65536)):
            file.write(block)
    return f"data:audio/mpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def player(y: np.ndarray, sr: int, label: str, song: int | None = None) -> str:
    """HTML of a player that holds a sound as MP3; `label` is anyone's text.

    song : its number among the music, by which a live figure of the page finds the player

    Chapter: all.
    """
    name = html.escape(plain(label), quote=True)
    found = "" if song is None else f' data-song="{int(song)}"'
    return f'<audio controls preload="metadata" aria-label="{name}"{found} src="{sound(y, sr)}"></audio>'


def players(sounds: list[tuple[str, str]]) -> None:
    """Show (label, player) pairs under one another, labels escaped."""
    rows = "".join(f'<div class="acp-player"><span>{html.escape(plain(label))}</span>{code}</div>'
                   for label, code in sounds)
    display({"text/html": rows, "text/plain": ", ".join(plain(label) for label, _ in sounds)}, raw=True)

