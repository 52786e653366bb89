"""How a figure comes onto a page: as SVG, drawn for a wide column and again for a phone, by day and by night.

A figure is drawn at one of two widths in inches, in letters of one size, so that a phone shows fewer things side by
side and no smaller letters. A notebook's output is the wide drawing, which holds the narrow one as metadata; the book
takes them apart (book/_ext/acp_figures.py) and shows what fits the window and the theme.

Chapter: all.
"""

import base64
import io
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial, wraps
from itertools import pairwise
from typing import ParamSpec
from weakref import WeakKeyDictionary, WeakSet
from xml.etree import ElementTree as tree

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from PIL import Image

P = ParamSpec("P")

WIDE, NARROW = 8.0, 4.4  # inches
NIGHT = (0x12, 0x12, 0x12), (0xE4, 0xE4, 0xE4)  # the theme's page and what is white on it by day, in the dark
SMALLEST = 0.8  # of the size that letters of a title have
MOST = 3.0  # times that a figure is made higher, so that names of rows have room
KEPT = "as-it-is"  # the gid of what keeps its colours in the dark: it lies on colours that stay
SVG = "http://www.w3.org/2000/svg"
LINK = "{http://www.w3.org/1999/xlink}href"

_width: ContextVar[float] = ContextVar("width", default=WIDE)
_told: WeakKeyDictionary[Figure, str] = WeakKeyDictionary()
_placed: WeakSet[Figure] = WeakSet()  # those in which everything has its place already
_again: WeakKeyDictionary[Figure, Callable[[], Figure]] = WeakKeyDictionary()

tree.register_namespace("", SVG)
tree.register_namespace("xlink", LINK[1:-5])


# --- drawing


def on_phone() -> bool:
    """Whether a figure is being drawn for a phone."""
    return _width.get() < WIDE


def page_width(share: float = 1.0) -> float:
    """The width of a figure that is being drawn, in inches: a share of a wide page, but the whole of a phone's."""
    return NARROW if on_phone() else WIDE * share


def side_by_side(wide: int, narrow: int) -> int:
    """How many things stand side by side: `wide` on a wide page, `narrow` on a phone."""
    return narrow if on_phone() else wide


@contextmanager
def narrowly() -> Iterator[None]:
    """Within it figures are drawn for a phone."""
    token = _width.set(NARROW)
    try:
        yield
    finally:
        _width.reset(token)


def drawn_to_fit(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Let a figure be drawn once more, for a phone."""
    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> Figure:
        fig = draw(*args, **kwargs)
        if on_phone():
            _break_lines(fig)
            _heighten(fig)
        else:
            _again[fig] = partial(drawn, *args, **kwargs)
        return fig

    return drawn


def _break_lines(fig: Figure) -> None:
    """Break titles and labels that are longer than their axes, between words; a word that is still longer gets smaller
    letters.
    """
    _place(fig)
    _placed.add(fig)
    for ax in fig.axes:
        box, room = ax.get_window_extent(), 1.02
        texts = {ax.xaxis.label: "width", ax.yaxis.label: "height", ax.title: "width"}
        for text, side in texts.items():
            share = getattr(text.get_window_extent(), side) / getattr(box, side)
            if share > room and text.get_text():
                width = max(8, int(len(text.get_text()) / share * room))
                text.set_text(textwrap.fill(text.get_text(), width, break_long_words=False))
                left = getattr(text.get_window_extent(), side) / getattr(box, side)
                text.set_fontsize(text.get_fontsize() * min(1.0, max(SMALLEST, 1 / left)))
                _placed.discard(fig)


def _heighten(fig: Figure) -> None:
    """Make a figure so high that the names of rows have room above one another."""
    if fig not in _placed:
        _place(fig)
        _placed.add(fig)
    most = max((_crowded(ax) for ax in fig.axes if ax.get_aspect() == "auto"), default=0.0)
    if most > 1:
        fig.set_figheight(1.02 * most * fig.get_figheight())
        _placed.discard(fig)


def _crowded(ax: Axes) -> float:
    """How high names beside the y axis are, in times of the room that they have; MOST at most."""
    low, high = sorted(ax.get_ylim())
    boxes = sorted((tick.label1.get_window_extent() for tick in ax.yaxis.get_major_ticks()
                    if tick.label1.get_text() and low <= tick.get_loc() <= high), key=lambda b: b.y0 + b.y1)
    pairs = [(one.height + other.height, other.y0 + other.y1 - one.y0 - one.y1) for one, other in pairwise(boxes)]
    return max((min(height / room, MOST) for height, room in pairs if room > 0), default=0.0)


def _place(fig: Figure) -> None:
    """Find the place of everything; where axes keep their proportions, the first search only finds how large they are.
    """
    engine, dpi = fig.get_layout_engine(), fig.dpi
    for _ in range(2 if any(ax.get_aspect() != "auto" for ax in fig.axes) else 1):
        if engine:
            engine.execute(fig)  # all that drawing would do for it
        else:
            fig.draw_without_rendering()
    fig.dpi = dpi  # what draws SVG leaves its own, at which pictures would have half their pixels


def tell(fig: Figure, parts: Iterable[str]) -> Figure:
    """Say in words what a figure shows, for who does not see it; it ends the alternative text. Returns the figure."""
    _told[fig] = "; ".join(parts) + "."
    return fig


def svg(fig: Figure) -> str:
    """A figure as SVG; in it lie what is told of it and, as metadata, its narrow drawing, if it can be drawn to fit."""
    root = _svg(fig)
    if fig in _told:
        tree.SubElement(root, f"{{{SVG}}}desc", {"id": "told"}).text = _told[fig]
    if fig in _again:
        with narrowly():
            narrow = _again[fig]()
        tree.SubElement(root, f"{{{SVG}}}metadata", {"id": "narrow"}).append(_svg(narrow))
        plt.close(narrow)
    return tree.tostring(root, encoding="unicode")


def _svg(fig: Figure) -> tree.Element:
    buffer, canvas, dpi, engine = io.StringIO(), fig.canvas, fig.dpi, fig.get_layout_engine()
    try:
        drawing = FigureCanvasSVG(fig)
        if fig not in _placed:
            _place(fig)
        fig.set_layout_engine("none")  # everything has its place; `savefig` would find it twice again
        drawing.print_svg(buffer, metadata={"Date": None, "Creator": None})
    finally:
        fig.set_canvas(canvas)
        fig.dpi = dpi
        if engine:
            fig.set_layout_engine(engine)
    root = tree.fromstring(buffer.getvalue())  # our own
    for held in root.findall(f"{{{SVG}}}metadata"):
        root.remove(held)
    for image in root.iter(f"{{{SVG}}}image"):
        image.set(LINK, _light(image.get(LINK, "")))
    return root


def _light(address: str) -> str:
    """A picture in a drawing as JPEG, if it has no transparent part and that is smaller."""
    picture = Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2])))
    if "A" in picture.getbands() and np.asarray(picture.getchannel("A")).min() < 255:
        return address
    buffer = io.BytesIO()
    try:
        picture.convert("RGB").save(buffer, "JPEG", quality=88, subsampling=0, optimize=True)
    except OSError:  # Pillow has too little room for one that is nothing but noise
        return address
    made = f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    return min(made, address, key=len)


# --- reading


def told(text: str) -> str:
    """What is told of a figure in what `svg` made; nothing where nothing is."""
    return tree.fromstring(text).findtext(f"{{{SVG}}}desc[@id='told']", "")


def drawings(text: str) -> dict[str, str]:
    """The drawings in what `svg` made: "wide" and, if it is there, "narrow", each with "-night" for the dark.

    The ground of the page shows through them.
    """
    root = tree.fromstring(text)
    found = {"wide": root}
    for held in root.findall(f"{{{SVG}}}metadata[@id='narrow']"):
        root.remove(held)
        found["narrow"] = held[0]
    made = {}
    for name, one in found.items():
        ground = one.find(f".//{{{SVG}}}g[@id='patch_1']/{{{SVG}}}path")
        if ground is not None:
            ground.set("style", "fill: none")
        made[name] = tree.tostring(one, encoding="unicode")
        _darken(one)
        made[f"{name}-night"] = tree.tostring(one, encoding="unicode")
    return made


COLOUR = re.compile(r"#[0-9a-f]{6}\b")


def _darken(part: tree.Element, text: bool = False) -> None:
    """Give a drawing the colours for a dark page; cells of a colour map, and what is written in them, keep theirs."""
    name = part.get("id", "")
    if name.startswith((KEPT, "QuadMesh")):
        return
    text = text or name.startswith("text")
    for attribute in ("style", "fill", "stroke", "stop-color"):
        if value := part.get(attribute):
            part.set(attribute, COLOUR.sub(lambda found: night(found[0], text), value))
    for child in part:
        _darken(child, text)


def night(colour: str, text: bool = False) -> str:
    """A colour "#rrggbb" for the dark: greys and pale tints from light to dark, what is too dark to be seen lighter,
    every other colour as it is; white text stays white.
    """
    rgb = np.array([int(colour[i:i + 2], 16) for i in (1, 3, 5)], float)
    low, high = np.array(NIGHT, float)
    if text and rgb.min() > 250:
        return colour
    spread = rgb.max() - rgb.min()
    if spread < 24 or rgb.min() > 200:  # a grey, or a tint of white
        mean = rgb.mean()
        turned = low + (high - low) * (1 - mean / 255) + (rgb - mean)
    else:
        turned = rgb
        while _contrast(turned, low) < (4.5 if text else 3.2):
            turned = turned + 0.05 * (255 - turned)
    return "#" + "".join(f"{round(float(v)):02x}" for v in np.clip(turned, 0, 255))


def _contrast(one: np.ndarray, other: np.ndarray) -> float:
    """Contrast of two colours (3,) by WCAG 2, 1 to 21."""
    dark, light = sorted(_luminance(c) for c in (one, other))
    return (light + 0.05) / (dark + 0.05)


def _luminance(rgb: np.ndarray) -> float:
    share = rgb / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))
