"""A figure that computes while it is read: what guessers get, for class proportions that a reader sets.

It is drawn by Bokeh's script, which the book brings along (book/_ext/acp_book.py); where that is not loaded, as in a
notebook that was downloaded, nothing is drawn and the tables beside it remain.

Chapter: Shortcuts.
"""

import re

import numpy as np
from bokeh.embed import components
from bokeh.layouts import column, row
from bokeh.models import Column, ColumnDataSource, CustomJS, FactorRange, Range1d
from bokeh.models.annotations import Span  # type checkers do not find it, and those below, one level up
from bokeh.models.widgets import Div, RadioButtonGroup, Slider
from bokeh.plotting import figure
from IPython.display import display

from acp_lib.audits.shortcuts import EXPLORED, ORACLES, guessers
from acp_lib.emotions import CLASSES
from acp_lib.figures.style import BRANCHES

DRAWN = {"nothing": ("#8c8c8c", "square", -0.22), "the picture": (BRANCHES["image"], "circle", 0.0),
         "the music": (BRANCHES["music"], "triangle", 0.22)}
FREE = {"image": "pictures", "music": "music"}
LEAST = 1  # per cent of a class
UUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")

MOVE = ORACLES + """
const said = {};
for (const modality of ["image", "music"]) {
  const [positive, neutral] = sliders[modality].map(s => s.value / 100);
  said[modality] = [positive, (1 - positive) * neutral, (1 - positive) * (1 - neutral)];
  shares[modality].text = said[modality].map((v, k) => `${names[k]} ${(100 * v).toFixed(1)} %`).join(", ");
}
const found = oracles(said.image, said.music);
for (const [who, source] of Object.entries(sources)) {
  source.data.accuracy = source.data.protocol.map(name => found[name][who]);
  source.data.text = source.data.accuracy.map(v => v.toFixed(1));
  source.change.emit();
}
"""

CHOOSE = """
const [image, music] = presets[cb_obj.active];
for (const [modality, counts] of [["image", image], ["music", music]]) {
  const all = counts.reduce((a, b) => a + b, 0);
  sliders[modality][0].value = 100 * counts[0] / all;
  sliders[modality][1].value = 100 * counts[1] / (counts[1] + counts[2]);
}
"""


def free(counts: np.ndarray) -> tuple[float, float]:
    """The two numbers that stand for three proportions, in per cent: the first class's, the second's of the others."""
    return 100 * counts[0] / np.sum(counts), 100 * counts[1] / np.sum(counts[1:])


def model(presets: dict[str, tuple[np.ndarray, np.ndarray]], reported: float) -> Column:
    """The figure as a Bokeh model.

    presets : name -> samples of each of three classes, of pictures and of music, none 0; the first is shown at first
    reported : accuracy in per cent at which a line stands
    """
    chosen = next(iter(presets.values()))
    table = guessers(*chosen)
    shown = [name.replace("_", " ") for name in EXPLORED]
    plot = figure(y_range=FactorRange(*shown[::-1]), x_range=Range1d(start=45, end=100), height=330,
                  sizing_mode="stretch_width", toolbar_location=None, tools="", x_axis_label="accuracy, %")
    plot.add_layout(Span(location=reported, dimension="height", line_dash="dashed", line_color="black"))
    sources = {}
    for who, (colour, marker, shift) in DRAWN.items():
        values = table[who].loc[list(EXPLORED)].tolist()
        sources[who] = ColumnDataSource({"protocol": list(EXPLORED), "accuracy": values,
                                         "y": [(name, -shift) for name in shown],
                                         "text": [f"{v:.1f}" for v in values]})
        plot.scatter("accuracy", "y", source=sources[who], size=10, marker=marker, color=colour,
                     legend_label=f"knows {who}")
        plot.text("accuracy", "y", "text", source=sources[who], x_offset=8, text_font_size="11px",
                  text_baseline="middle")
    plot.legend.location = "bottom_right"
    plot.grid.grid_line_alpha = 0.4
    sliders, shares = {}, {}
    for (modality, name), counts in zip(FREE.items(), chosen, strict=True):
        first, second = free(counts)
        sliders[modality] = [Slider(start=LEAST, end=100 - LEAST, step=0.1, value=value, title=f"{name}: {what}, %",
                                    sizing_mode="stretch_width")
                             for what, value in (("positive", first), ("neutral, of the rest", second))]
        shares[modality] = Div(text=", ".join(f"{c} {100 * n / np.sum(counts):.1f} %"
                                              for c, n in zip(CLASSES, counts, strict=True)))
    move = CustomJS(args={"sliders": sliders, "shares": shares, "sources": sources, "names": list(CLASSES)}, code=MOVE)
    for slider in [s for some in sliders.values() for s in some]:
        slider.js_on_change("value", move)
    buttons = RadioButtonGroup(labels=list(presets), active=0)
    buttons.js_on_change("active", CustomJS(args={"sliders": sliders, "presets": [
        [np.asarray(side, float).tolist() for side in counts] for counts in presets.values()]}, code=CHOOSE))
    sides = [column(*sliders[m], shares[m], sizing_mode="stretch_width") for m in FREE]
    return column(buttons, row(*sides, sizing_mode="stretch_width"), plot, sizing_mode="stretch_width")


def repeatable(html: str) -> str:
    """What Bokeh made, with numbers for its random names of elements, so that a page is the same each time."""
    for number, name in enumerate(dict.fromkeys(UUID.findall(html)), 1):
        html = html.replace(name, f"explorer-{number}")
    return html


def show(presets: dict[str, tuple[np.ndarray, np.ndarray]], reported: float) -> None:
    """Show `model` in the page."""
    script, place = components(model(presets, reported))
    display({"text/html": f'<div class="acp-bokeh">{repeatable(place + script)}</div>',
             "text/plain": "A figure that is drawn in the browser; its tables say the same at fixed proportions."},
            raw=True)
