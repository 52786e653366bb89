"""A form that computes while it is read: what a test part can tell, for numbers that a reader gives.

It needs no server and no other file; where scripts do not run, as in a terminal, the tables beside it remain.

Chapter: How many songs it takes.
"""

import html
import json
from collections.abc import Sequence
from dataclasses import asdict

from IPython.display import display

from acp_lib.engine.text import plain
from acp_lib.findings.power import CLAIMED, JAVASCRIPT, papers, title

FIELDS = {"songs": "Songs", "pictures": "Pictures", "pairs": "Pairs", "runs": "Runs of each method",
          "effect": "Difference, points"}
"""What a reader gives, and how it is named."""
COMPONENTS = {"run": "Run", "picture": "Picture", "song": "Song", "pair": "Pair",
              "own_picture": "Picture, in one run", "own_song": "Song, in one run", "own_pair": "Pair, in one run"}

SCRIPT = """
const form = document.getElementById("acp-power"), field = name => form.elements[name];
const whole = n => n.toLocaleString("en-US"), points = n => n.toFixed(n < 1 ? 2 : 1);
let c = {};
function choose() {
  c = {};
  for (const [name, v] of Object.entries(presets[field("of").selectedIndex])) {
    c[name] = v === null ? NaN : v;
    field(name).value = v === null ? "" : Number(Math.sqrt(v).toPrecision(3));
  }
}
function said() {
  const d = {};
  for (const e of form.querySelectorAll("input")) {
    const least = names[e.name] && e.name !== "effect" ? 1 : 0, n = e.value === "" ? NaN : Number(e.value);
    const bad = !(n >= least) || n === Infinity || (e.name === "effect" && n === 0);
    e.setAttribute("aria-invalid", bad);
    if (bad) {
      e.closest("details")?.setAttribute("open", "");
      return `${e.labels[0].textContent}: give a number ${least ? "of 1 or more" :
        e.name === "effect" ? "above 0" : "of 0 or more"}.`;
    }
    d[e.name] = n;
  }
  const more = needed(d.effect, c, d, "songs");
  return `Power ${(100 * power(d.effect, c, d)).toFixed(0)} %. 95 % interval: ±${points(half_width(c, d))} points. ` +
    `Songs for 80 % power: ${more === Infinity ? "no number is enough" : whole(more)}.`;
}
function show() { form.elements.told.value = said(); }
form.addEventListener("submit", event => event.preventDefault());
form.addEventListener("input", event => {
  const name = event.target.name;
  if (name === "of") choose();
  else if (name in c) c[name] = event.target.value === "" ? NaN : Number(event.target.value) ** 2;
  show();
});
choose();
show();
"""


def page(results: Sequence[dict]) -> str:
    """The form as HTML.

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
    parts = "".join(_field(name, label, 'min="0"') for name, label in COMPONENTS.items())
    code = json.dumps(presets).replace("<", "\\u003c")
    return f"""<form id="acp-power" class="acp-form">
<div><label for="acp-power-of">How far things vary: as in</label>
<select id="acp-power-of" name="of">{options}</select></div>
<fieldset><legend>Test part</legend>{asked}</fieldset>
<details><summary>Standard deviations, points</summary><fieldset><legend>What each adds to an answer</legend>{parts}
</fieldset></details>
<output name="told" aria-live="polite" for="acp-power-of {' '.join(f'acp-power-{n}' for n in (*FIELDS, *COMPONENTS))}">
</output></form>
<script>(() => {{
const presets = {code}, names = {json.dumps(FIELDS)};
{JAVASCRIPT}{SCRIPT}}})();</script>"""


def _field(name: str, label: str, more: str) -> str:
    return (f'<div><label for="acp-power-{name}">{label}</label><input id="acp-power-{name}" name="{name}" '
            f'type="number" step="any" inputmode="decimal" {more}></div>')


def show(results: Sequence[dict]) -> None:
    """Show `page`."""
    display({"text/html": page(results), "text/plain": "A form that computes in the browser; the table beside it says "
             "the same for some numbers."}, raw=True)
