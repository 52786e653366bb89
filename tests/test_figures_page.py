"""Figures on a page: legible on a phone, by day and by night, and what the book makes of a notebook's drawing."""

import base64
import io
import re
from types import SimpleNamespace
from xml.etree import ElementTree as tree

import matplotlib.pyplot as plt
import numpy as np
import pytest
from bs4 import BeautifulSoup
from conftest import extension_of_the_book
from docutils import nodes
from matplotlib.figure import Figure
from PIL import Image
from test_figures import CASES, closed, look, named, paths  # noqa: F401  fixtures

from acp_lib.figures import page, style

PHONE = 328  # pixels that a phone 360 wide leaves to a figure
LEAST = 7.0  # pixels: a letter's size on a phone
DRAWN = pytest.mark.parametrize(("drawn", "special", "arguments"), CASES, ids=map(named, CASES))


@pytest.fixture
def written(monkeypatch):
    """Draw a figure; its texts that come onto the paper."""
    put, draw = [], plt.Text.draw
    monkeypatch.setattr(plt.Text, "draw", lambda self, *given: put.append(self) or draw(self, *given))

    def texts(fig: Figure) -> list[plt.Text]:
        fig.draw_without_rendering()  # the layout
        put.clear()
        fig.canvas.draw()
        return [t for t in put if t.get_visible() and t.get_text().strip()]

    return texts


def cut(fig: Figure, texts: list[plt.Text]) -> list[str]:
    """Texts that leave the figure by more than a hair."""
    whole, hair = fig.bbox, 3
    boxes = [(t.get_text(), t.get_window_extent()) for t in texts if t.get_clip_box() is None or not t.get_clip_on()]
    return [text for text, box in boxes if box.x0 < whole.x0 - hair or box.x1 > whole.x1 + hair
            or box.y0 < whole.y0 - hair or box.y1 > whole.y1 + hair]


@pytest.mark.slow
def test_a_figure_is_the_readers_after_it_was_drawn():
    fig, ax = plt.subplots()
    canvas, dpi, engine = fig.canvas, fig.dpi, fig.get_layout_engine()
    first = page.svg(fig)
    assert (fig.canvas, fig.dpi, fig.get_layout_engine()) == (canvas, dpi, engine)
    top = ax.get_position().y1
    ax.set_title("one\ntwo\nthree\nfour")
    assert page.svg(fig) != first and ax.get_position().y1 < top


@pytest.mark.slow
def test_pictures_have_two_pixels_for_each_of_a_plain_screen():
    style.theme()
    fig, ax = plt.subplots(figsize=(4, 3))
    ax.imshow(np.random.default_rng(0).random((900, 900, 3)))
    drawn = tree.fromstring(page.svg(fig))
    image, = drawn.iter(f"{{{page.SVG}}}image")
    picture = Image.open(io.BytesIO(base64.b64decode(image.get(page.LINK).partition(",")[2])))
    assert picture.width == pytest.approx(2 * float(image.get("width")), abs=2)


@pytest.mark.slow
def test_a_figure_that_cannot_be_drawn_is_the_readers_still():
    fig, ax = plt.subplots()
    canvas, dpi, engine = fig.canvas, fig.dpi, fig.get_layout_engine()
    ax.set_title("$\\nothing{$")
    with pytest.raises(ValueError, match="nothing"):
        page.svg(fig)
    assert (fig.canvas, fig.dpi, fig.get_layout_engine()) == (canvas, dpi, engine)


@pytest.mark.slow
def test_a_picture_of_noise_is_shown():
    fig, ax = plt.subplots()
    ax.imshow(np.random.default_rng(0).uniform(size=(500, 500, 3)))
    assert "data:image/" in page.svg(fig)


@pytest.mark.slow
@DRAWN
def test_on_a_phone_letters_can_be_read_and_none_is_cut_off(paths, written, drawn, special, arguments):  # noqa: F811
    with page.narrowly():
        fig = drawn(*arguments(paths))
    assert fig.get_figwidth() == page.NARROW
    texts = written(fig)
    small = {t.get_text(): round(t.get_fontsize() * PHONE / 72 / page.NARROW, 1) for t in texts}
    assert {text: size for text, size in small.items() if size < LEAST} == {}
    assert cut(fig, texts) == []


@pytest.mark.slow
def test_on_a_phone_a_long_word_of_a_title_is_not_cut_off():
    @page.drawn_to_fit
    def titled() -> Figure:
        fig, axes = plt.subplots(1, 3, figsize=(page.page_width(), 2), sharey=True, layout="constrained")
        for ax in axes:
            ax.set_title("Spectrogram-ACP", weight="bold")
        return fig

    with page.narrowly():
        fig = titled()
    fig.draw_without_rendering()
    titles = [ax.title for ax in fig.axes]
    assert cut(fig, titles) == [] and {t.get_text() for t in titles} == {"Spectrogram-\nACP"}
    assert all(t.get_window_extent().width <= 1.03 * ax.get_window_extent().width
               for t, ax in zip(titles, fig.axes, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("at, names, higher", [
    ([0, 1, 2], ["a", "b", "c"], False), ([0, 1, 2], ["a\nb\nc\nd", "a\nb\nc\nd", "c"], True),
    ([0, 1, 50, 50.1], ["a", "b", "c", "d"], False), ([0, 1, 1], ["a", "b", "c"], False)],
    ids=["room", "none", "out of view", "one place"])
def test_on_a_phone_a_figure_is_so_high_that_names_of_rows_have_room(at, names, higher):
    @page.drawn_to_fit
    def named() -> Figure:
        fig, ax = plt.subplots(figsize=(page.page_width(), 2))
        ax.set_yticks(at, names)
        ax.set_ylim(-0.5, 2.5)
        return fig

    with page.narrowly():
        fig = named()
    fig.draw_without_rendering()
    assert (fig.get_figheight() > 2.01) == higher and fig.get_figheight() <= 2 * 1.02 * page.MOST
    if higher:
        boxes = sorted((t.get_window_extent() for t in fig.axes[0].get_yticklabels()), key=lambda box: box.y0)
        assert all(one.y1 <= other.y0 + 2 for one, other in zip(boxes, boxes[1:], strict=False))


def simple() -> Figure:
    return drawn_simply(7)


@page.drawn_to_fit
def drawn_simply(number: int) -> Figure:
    fig, ax = plt.subplots(figsize=(page.page_width(), 2))
    ax.plot([0, 1], [0, number], color=style.COLOURS["negative"])
    ax.imshow(np.random.default_rng(0).random((40, 40, 3)), extent=(0, 1, 0, 1))
    ax.text(0.5, 0.5, "kept", gid=page.KEPT)
    style.cells(ax, np.eye(2), ["a", "b"], ["c", "d"])
    return fig


@pytest.mark.slow
def test_a_drawing_holds_its_narrow_one_and_leaves_no_figure_behind():
    fig = simple()
    found = page.drawings(page.svg(fig))
    assert set(found) == {"wide", "wide-night", "narrow", "narrow-night"}
    widths = {name: float(tree.fromstring(text).get("width").removesuffix("pt")) / 72 for name, text in found.items()}
    assert widths == {"wide": 8, "wide-night": 8, "narrow": 4.4, "narrow-night": 4.4}
    assert plt.get_fignums() == [fig.number] and fig.get_figwidth() == page.WIDE
    assert page.svg(fig) == page.svg(fig) and page.page_width() == page.WIDE


def test_a_figure_that_nothing_draws_anew_has_one_width():
    fig, _ = plt.subplots()
    assert set(page.drawings(page.svg(fig))) == {"wide", "wide-night"}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["wide", "narrow"])
def test_by_night_the_page_shows_through_and_cells_and_pictures_stay(name):
    found = page.drawings(page.svg(simple()))
    day, night = found[name], found[f"{name}-night"]
    assert re.search(r'id="patch_1">\s*<path[^>]*style="fill: none"', day)
    colours = [set(re.findall("#[0-9a-f]{6}", text)) for text in (day, night)]
    assert style.COLOURS["negative"] in colours[0] - colours[1]

    def parts(text):
        return {group.get("id"): tree.tostring(group) for group in tree.fromstring(text).iter()
                if str(group.get("id")).startswith((page.KEPT, "QuadMesh", "image"))}

    assert parts(day) == parts(night) and len(parts(day)) >= 3


@pytest.mark.slow
def test_pictures_in_a_drawing_are_jpeg_unless_they_have_holes():
    fig, (ax, holes) = plt.subplots(1, 2)
    smooth = np.indices((200, 200)).sum(0)[..., None] % 256 * np.ones(3, int)
    ax.imshow(smooth.astype(np.uint8) + np.random.default_rng(0).integers(0, 9, (200, 200, 3), dtype=np.uint8))
    holes.imshow(np.random.default_rng(0).random((50, 50, 4)))
    kinds = re.findall(r'"data:(image/\w+);base64,([^"]+)"', page.svg(fig))
    assert [kind for kind, _ in kinds] == ["image/jpeg", "image/png"]
    for kind, code in kinds:
        assert Image.open(io.BytesIO(base64.b64decode(code))).format == kind.split("/")[1].upper()


@pytest.mark.parametrize(("day", "text", "night"), [
    ("#ffffff", False, "#121212"), ("#000000", False, "#e4e4e4"), ("#ffffff", True, "#ffffff"),
    ("#e0852b", False, "#e0852b"), ("#3d8f8b", False, "#3d8f8b"), ("#262626", True, None), ("#6a4c93", False, None),
    ("#6a4c93", True, None), ("#000080", False, None), ("#fbeedd", False, None), ("#7d7d7d", True, None),
])
def test_colours_by_night_stand_out_where_they_did(day, text, night):
    found = page.night(day, text)
    assert found == night or night is None
    rgb, dark = (np.array([int(c[i:i + 2], 16) for i in (1, 3, 5)], float) for c in (found, "#121212"))
    if day not in ("#ffffff", "#fbeedd"):
        assert page._contrast(rgb, dark) >= (4.5 if text and day != "#7d7d7d" else 3)
    assert page.night(day, text) == found and re.fullmatch("#[0-9a-f]{6}", found)


def test_classes_are_told_apart_by_night_and_by_the_colour_blind():
    """Machado, Oliveira and Fernandes (2009), A physiologically-based model for simulation of colour vision deficiency:
    both common kinds, at full strength.
    """
    blind = {"none": np.eye(3), "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                                           [-0.003882, -0.048116, 1.051998]],
             "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                        [-0.011820, 0.042940, 0.968881]]}
    for kind, seen in blind.items():
        for colours in (style.PALETTE, [page.night(c) for c in style.PALETTE]):
            rgb = np.array([[int(c[i:i + 2], 16) / 255 for i in (1, 3, 5)] for c in colours])
            linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ np.transpose(seen)
            shown = np.clip(linear, 0, 1) ** (1 / 2.4)
            apart = [np.linalg.norm(shown[a] - shown[b]) for a, b in ((0, 1), (0, 2), (1, 2))]
            assert min(apart) > 0.15, (kind, colours)


# in the book


@pytest.fixture(scope="module")
def extension():
    return extension_of_the_book("acp_figures")


def writer(folder):
    builder = SimpleNamespace(srcdir=folder, outdir=folder / "html", imagedir="_images", imgpath="../_images",
                              images={"jupyter_execute/abc.svg": "abc.svg", "p.png": "p.png"})
    (folder / "html").mkdir()
    return SimpleNamespace(builder=builder, body=[])


@pytest.mark.parametrize("error", [None, RuntimeError("no page")])
def test_drawings_that_no_page_shows_are_removed_once_all_is_rendered(extension, tmp_path, error):
    folder = tmp_path / "html/_images"
    app = SimpleNamespace(outdir=tmp_path / "html", builder=SimpleNamespace(format="html", imagedir="_images"))
    folder.mkdir(parents=True)
    kept = {f"{k * 20}-wide.svg" for k in "ab"} | {"logo.svg", "a-reader's-wide.svg", f"{'c' * 20}-wide.png"}
    old = {f"{'c' * 20}-{name}.svg" for name in ("wide", "wide-night", "narrow", "narrow-night")}
    for name in kept | old:
        (folder / name).touch()
    (tmp_path / "html/notebooks").mkdir()
    (tmp_path / "html/index.html").write_text(f'<img src="_images/{"a" * 20}-wide.svg">')
    (tmp_path / "html/notebooks/1.html").write_text(f'<img src="../_images/{"b" * 20}-wide.svg">')
    extension.clear(app, error)
    assert {p.name for p in folder.iterdir()} == (kept | old if error else kept)


@pytest.mark.slow
def test_the_book_shows_the_drawing_that_fits_window_and_theme(extension, tmp_path):
    made, source = writer(tmp_path), tmp_path / "jupyter_execute/abc.svg"
    source.parent.mkdir()
    source.write_text(page.svg(simple()), "utf8")
    with pytest.raises(nodes.SkipNode):
        extension.visit_image(made, nodes.image(uri="jupyter_execute/abc.svg", alt='a "curve" & <b>'))
    soup = BeautifulSoup("".join(made.body), "html.parser")
    link, = soup.find_all("a", class_="acp-figure")
    names = [(img["class"], img["src"]) for img in link.find_all("img")]
    assert names == [(["only-light"], "../_images/abc-wide.svg"), (["only-dark"], "../_images/abc-wide-night.svg")]
    assert [s["srcset"] for s in link.find_all("source")] == ["../_images/abc-narrow.svg",
                                                              "../_images/abc-narrow-night.svg"]
    assert {img["alt"] for img in link.find_all("img")} == {'a "curve" & <b>'} and not soup.find_all("b")
    assert {img["width"] for img in link.find_all("img")} == {"768"} and link["href"] == names[0][1]
    assert all((tmp_path / "html" / address[3:]).exists() for _, address in names)
    assert "jupyter_execute/abc.svg" not in made.builder.images and "p.png" in made.builder.images


TOLD = [  # figure -> what its alternative text says of the case's numbers
    ("right_and_wrong.predictions",
     "awe called true, right; fear called false, wrong."),
    ("baselines.correspondence_accuracy",
     "ACP-Net 70.0 (60.0 to 80.0), paper 61.67; always false 50.0 (50.0 to 50.0)."),
    ("paper_versus_ours.paper_and_ours",
     "L3-Net no value, paper 57.17; one run 60.0, paper 61.67;"),
    ("verdicts.verdicts",
     "Data: 2 holds, 1 open; Results: 3 open."),
    ("splits.leaked_segments",
     "by segment 98 %; by song 0 %; by artist 0 %."),
    ("cross_modal.additive_approximation",
     "network 70.0, additive 60.0; network 72.5, additive 61.0."),
    ("right_and_wrong.accuracy_by_class of two classes",
     "picture positive: positive 100, negative 0; neutral: positive 0,"),
    ("seeing.confusion_matrix with an empty row",
     "positive: positive 75, negative 25; negative: positive 0, negative 0."),
    ("how_sure.accuracy_spread without a bound",
     "seed: mean 61.0, standard deviation 1.4."),
    ("cost.speedups",
     "step 0 1.50 times, target 2; step 1 30.00 times, target 2."),
    ("probes.recognition_accuracy",
     "pictures: Random 12.5; pictures: The most frequent 50.0 (35.0 to 62.0), paper 46.5;"),
    ("shortcuts.guesser_accuracy",
     "class balanced: the picture known 55, the music known 55; uniform: the picture"),
    ("baselines.accuracy_by_class of one class",
     "a: picture positive: positive 50; neutral: neutral 50; negative: negative"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "told"), TOLD)
def test_the_alternative_text_tells_the_numbers_that_are_seen(paths, name, told):  # noqa: F811
    (drawn, _, arguments), = [case for case in CASES if named(case) == name]
    said = page.told(page.svg(drawn(*arguments(paths))))
    assert told in said and said.endswith(".") and "nan" not in said
