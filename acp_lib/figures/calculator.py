"""A form that computes while it is read: what a test part can tell, for numbers that a reader gives.

Chapter: How many songs it takes.
"""

import html
from collections.abc import Sequence
from dataclasses import asdict

from acp_lib.engine.text import plain
from acp_lib.figures import live
from acp_lib.findings.power import CLAIMED, papers, quantile, ratio, title

FIELDS = {"songs": "Songs", "pictures": "Pictures", "pairs": "Pairs", "runs": "Runs of each method",
          "effect": "Difference, points"}
"""What a reader gives, and how it is named."""
COMPONENTS = {"run": "Run", "picture": "Picture", "song": "Song", "pair": "Pair",
              "own_picture": "Picture, in one run", "own_song": "Song, in one run", "own_pair": "Pair, in one run"}


def parts(results: Sequence[dict]) -> tuple[dict, str]:
    """What book/_static/power.js asks for, and its form as HTML.

    results : {"data", "rows"} each, as `recorded.read` gives them, whose components a reader may choose from
    """
    found = [(result["data"], row) for result in results for row in result["rows"]]
    presets = [{name: None if v is None else max(v, 0.0) for name, v in row["components"].items()} for _, row in found]
    chosen = next((k for k, (_, row) in enumerate(found) if row["what"] == "difference"), 0)
    options = "".join(f"<option{' selected' * (k == chosen)}>{html.escape(plain(f'{title(row)}, {data}'))}</option>"
                      for k, (data, row) in enumerate(found))
    given = asdict(papers()) | {"effect": CLAIMED}
    asked = "".join(_field(name, label, f'min="{0 if name == "effect" else 1}" value="{given[name]:g}"')
                    for name, label in FIELDS.items())
    varied = "".join(_field(name, label, 'min="0"') for name, label in COMPONENTS.items())
    form = f"""<form id="acp-power" class="acp-form">
<div><label for="acp-power-of">How far things vary: as in</label>
<select id="acp-power-of" name="of">{options}</select></div>
<fieldset><legend>Test part</legend>{asked}</fieldset>
<details><summary>Standard deviations, points</summary><fieldset><legend>What each adds to an answer</legend>{varied}
</fieldset></details>
<output name="told" aria-live="polite" for="acp-power-of {' '.join(f'acp-power-{n}' for n in (*FIELDS, *COMPONENTS))}">
</output></form>"""
    return {"presets": presets, "names": FIELDS, "quantile": quantile(), "ratio": ratio()}, form


def _field(name: str, label: str, more: str) -> str:
    return (f'<div><label for="acp-power-{name}">{label}</label><input id="acp-power-{name}" name="{name}" '
            f'type="number" step="any" inputmode="decimal" {more}></div>')


def show(results: Sequence[dict]) -> None:
    """Show the form with its script; `results` as of `parts`."""
    live.show("power", *parts(results))
