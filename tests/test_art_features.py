"""Principles of art: each reacts to what it is named after; values are finite and turn with the picture."""

import warnings

import hypothesis.strategies as st
import matplotlib.pyplot as plt
import numpy as np
import pytest
from conftest import picture
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays
from PIL import Image

from acp_lib.features import art, image
from acp_lib.figures import probes, style

SEED = 0
SIDE = 128
Y, X = np.mgrid[:SIDE, :SIDE] / (SIDE - 1)


def of(name, shown):
    return art.extract(shown)[art.PRINCIPLES[name]]


def grey(values):
    return np.repeat((255 * np.clip(values, 0, 1)).astype(np.uint8)[..., None], 3, -1)


def noise(*shape):
    return np.random.default_rng(SEED).integers(0, 256, (*(shape or (SIDE, SIDE)), 3), dtype=np.uint8)


def blob(x, y, radius=0.06, inside=(255, 255, 255), outside=(60, 60, 60)):
    there = np.hypot(X - x, Y - y) < radius
    return np.where(there[..., None], np.uint8(inside), np.uint8(outside))


def stripes(degrees, period=16):
    """Black and white lines that rise from the right of the horizontal by so many degrees."""
    angle = np.radians(degrees)
    across = (Y * np.cos(angle) + X * np.sin(angle)) * SIDE
    return grey(0.5 + 0.5 * np.sin(2 * np.pi * across / period))


def hued(degrees):
    """Pure colours of these hues, as many pixels of each."""
    hue = np.resize(np.asarray(degrees) % 360 * 256 / 360, SIDE * SIDE).reshape(SIDE, SIDE)
    hsv = np.stack([hue, np.full_like(hue, 255), np.full_like(hue, 255)], -1).astype(np.uint8)
    return np.asarray(Image.fromarray(hsv, "HSV").convert("RGB"))


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    path = picture(tmp_path_factory.mktemp("art") / "p.png", 4, size=(160, 128))
    return np.asarray(Image.open(path))


# --- Each principle


def test_balance_finds_mirror_images_and_half_turns():
    half = noise(SIDE, SIDE // 2)
    mirrored, turned = np.hstack([half, half[:, ::-1]]), np.hstack([half, half[::-1, ::-1]])
    left_right, half_turn, none = (of("balance", p)[:12].reshape(3, 4) for p in (mirrored, turned, noise()))
    assert np.allclose(left_right[0], 1, atol=1e-3) and np.abs(left_right[1:]).max() < 0.3
    assert np.allclose(half_turn[2], 1, atol=1e-3) and np.abs(half_turn[:2]).max() < 0.3
    assert np.abs(none).max() < 0.3


@pytest.mark.parametrize(("turn", "degrees", "low", "high"), [
    ("left-right", 90, 0.95, 1), ("left-right", 45, 0, 0.05), ("top-bottom", 0, 0.95, 1), ("top-bottom", 45, 0, 0.05),
    ("half turn", 45, 0.95, 1), ("half turn", 20, 0.95, 1),
])
def test_symmetry_map_is_of_directions(turn, degrees, low, high):
    assert low <= np.median(art.symmetry(stripes(degrees), turn)) <= high


def test_symmetry_map_shows_the_symmetric_place():
    shown = stripes(30)
    shown[:SIDE // 2] = stripes(90)[:SIDE // 2]
    found = art.symmetry(shown)
    assert found[16:48, 16:-16].min() > 0.9 and found[80:112, 16:-16].max() < 0.6


def test_balance_finds_rings():
    rings = of("balance", grey(0.5 + 0.5 * np.cos(12 * np.hypot(X - 0.5, Y - 0.5))))[12:16]
    spokes = of("balance", grey(0.5 + 0.5 * np.cos(8 * np.arctan2(Y - 0.5, X - 0.5))))[12:16]
    assert rings[0] > 0.8 and rings[3] > 0.95
    assert spokes[0] < 0.1 and spokes[3] < 0.1


def test_balance_finds_the_centre_of_mass():
    darkness = of("balance", blob(0.2, 0.2, 0.1, (0, 0, 0), (255, 255, 255)))[16:19]
    middle = of("balance", blob(0.5, 0.5, 0.1, (0, 0, 0), (255, 255, 255)))[16:19]
    assert darkness[:2] == pytest.approx([0.6 * np.sqrt(2), 0.6], abs=0.03)
    assert middle[:2] == pytest.approx([0, 0], abs=0.01) and middle[2] < 0.15


@pytest.mark.parametrize(("x", "y"), [(0.5, 0.5), (0.2, 0.7), (0.9, 0.1)])
@pytest.mark.parametrize(("inside", "outside"), [
    ((255, 255, 255), (60, 60, 60)), ((0, 0, 0), (230, 230, 230)), ((200, 60, 60), (60, 118, 60)),
])
def test_saliency_peaks_at_a_blob(x, y, inside, outside):
    found = art.saliency(blob(x, y, 0.06, inside, outside))
    assert found.shape == (SIDE, SIDE) and found.min() >= 0 and found.max() == pytest.approx(1, abs=0.05)
    row, column = np.unravel_index(found.argmax(), found.shape)
    assert np.hypot(column / SIDE - x, row / SIDE - y) < 0.08


def test_saliency_is_not_drawn_to_borders_that_differ():
    assert art.saliency(grey(0.8 * Y))[:4].mean() < 0.9  # a Fourier transform has its whole saliency there
    assert not art.saliency(np.full((64, 48, 3), 77, np.uint8)).any()


@pytest.mark.parametrize(("x", "y", "most"), [(0.5, 0.5, 0), (1 / 3, 2 / 3, 1), (0.96, 0.5, 2)])
def test_emphasis_says_where_it_lies(x, y, most):
    assert of("emphasis", blob(x, y))[:3].argmax() == most


@pytest.mark.parametrize(("inside", "outside", "index", "sign"), [
    ((255, 255, 255), (60, 60, 60), 7, 1), ((0, 0, 0), (200, 200, 200), 7, -1), ((200, 60, 60), (110, 110, 110), 8, 1),
    ((110, 110, 110), (200, 60, 60), 8, -1), ((200, 60, 60), (60, 118, 60), 10, 1),
    ((210, 200, 60), (60, 80, 200), 11, 1),
])
def test_emphasis_says_by_which_contrast(inside, outside, index, sign):
    assert sign * of("emphasis", blob(0.4, 0.6, 0.08, inside, outside))[index] > 0.1


def test_emphasis_has_ittens_contrasts():
    half = np.repeat(np.hstack([np.full((SIDE, 64), 0), np.full((SIDE, 64), 255)]).astype(np.uint8)[..., None], 3, -1)
    black_and_white = of("emphasis", half)[14:]
    assert black_and_white[[0, 4, 5, 6, 10]] == pytest.approx([0.5, 0.5, 0.5, 1, 0.5], abs=0.01)
    assert of("emphasis", hued([20, 30, 40]))[22] > 0.9 > -0.9 > of("emphasis", hued([200, 210, 220]))[22]  # warm, cold
    assert of("emphasis", hued([0, 180]))[23] == pytest.approx(1, abs=0.1)  # complementary
    assert of("emphasis", hued([0, 90]))[23] == pytest.approx(0, abs=0.1)


def sector(centre, width):
    return np.linspace(centre - width / 2, centre + width / 2, 97)


TEMPLATES = {
    "i": [0], "I": [0, 180], "V": sector(0, 88), "L": [*[0] * 50, *sector(90, 74)], "Y": [*[180] * 50, *sector(0, 88)],
    "T": sector(0, 174), "X": [*sector(0, 88), *sector(180, 88)],
}


@pytest.mark.slow
@pytest.mark.parametrize("turn", [0, 77, 200])
@pytest.mark.parametrize("name", TEMPLATES)
def test_harmony_finds_the_template_and_its_rotation(name, turn):
    shown = hued(np.asarray(TEMPLATES[name]) + turn)
    found, angle, residual = art.template_fit(shown)
    assert found == name and residual < 0.5
    period = 180 if name in "IX" else 360
    assert abs((angle - turn + period / 2) % period - period / 2) < 6
    mine = list(art.SECTORS).index(name)
    assert of("harmony", shown)[mine] < 0.5 / 180


def test_harmony_is_the_same_for_turned_hues():
    hues = (np.random.default_rng(SEED).choice(60, 12, replace=False) * 4 + 0.5) * 360 / 256
    here, there = (of("harmony", hued(hues + turn))[[*range(7), 8, 11]] for turn in (0, 45 * 360 / 256))
    assert there == pytest.approx(here, abs=0.01)


def test_harmony_knows_grey():
    shown = stripes(20)
    assert art.template_fit(shown) == ("N", 0, 0) and not art.hues(shown).any()
    assert of("harmony", shown)[7] == 1 and of("harmony", hued([3]))[7] == 0
    assert art.hues(hued([0, 90])).nonzero()[0] == pytest.approx([0, 64], abs=1)


def test_harmony_finds_parallel_and_upright_lines():
    upright, wild = np.where(X[..., None] < 0.5, stripes(20), stripes(110)), noise()
    one, two, none = (of("harmony", p)[12:] for p in (stripes(20), upright, wild))
    assert one.max() < 0.05
    assert two[1] < 0.05 and two[0] > 0.4
    assert none[0] > 0.3 and none[1] > 0.07


@pytest.mark.parametrize("n", [1, 2, 5, 11])
def test_variety_counts_flat_colours(n):
    names = art.NAMES[:n]
    colours = np.array([list(bytes.fromhex(art.EXAMPLES[name].split()[0])) for name in names], np.uint8)
    shown = np.repeat(np.repeat(colours, 12, 0)[None], 32, 0)
    shown = np.ascontiguousarray(shown) if n > 1 else np.full((32, 32, 3), colours[0])
    shares, means = art.palette(shown)
    assert shares == pytest.approx([1 / n] * n + [0] * (11 - n)) and (means[:n] == colours).all()
    values = of("variety", shown)
    assert values[:11] == pytest.approx(shares) and values[11] == pytest.approx(n / 11)
    assert values[12] == pytest.approx(np.log(n) / np.log(11), abs=1e-6)


@pytest.mark.parametrize(("rgb", "name"), [
    ((135, 206, 235), "blue"), ((34, 139, 34), "green"), ((255, 165, 0), "orange"), ((139, 69, 19), "brown"),
    ((255, 192, 203), "pink"), ((148, 0, 211), "purple"), ((178, 34, 34), "red"), ((255, 250, 240), "white"),
    ((255, 215, 0), "yellow"), ((105, 105, 105), "grey"), ((10, 10, 10), "black"), ((0, 0, 139), "blue"),
])
def test_names_are_those_people_use(rgb, name):
    shares, _ = art.palette(np.full((16, 16, 3), rgb, np.uint8))
    assert art.NAMES[shares.argmax()] == name


def test_variety_grows_with_kinds_of_edges():
    flat, lines, wild = (of("variety", p) for p in (grey(0 * X + 0.5), stripes(0), noise()))
    assert flat[14:21] == pytest.approx([1, 0, 0, 0, 0, 0, 0])
    assert lines[20] < 0.2 < 0.9 < wild[20]
    assert flat[13] == 0 and wild[13] > 0.9


@pytest.mark.parametrize("window", art.WINDOWS)
def test_gradation_tells_a_gradient_from_noise(window):
    across, slanting, wild, flat = (art.variation(p, window) for p in
                                    (grey(X), grey((X + Y) / 2), noise(), grey(0 * X + 0.5)))
    assert across.shape == (SIDE // window,) * 2
    assert across.min() > 0.7 and across.max() < 1.3
    assert slanting.max() < 2.6
    assert np.median(wild) > 3 and not flat.any()


def test_gradation_sees_noise_in_colour_and_ramps_in_tone():
    brighter, wild = of("gradation", grey(1 - Y)), of("gradation", noise())
    relative = [2, 4, 6, 9, 11, 13]
    assert (wild[relative] > brighter[relative] + 0.5).all()
    assert brighter[14:] == pytest.approx([1, 0, 0, 0, 1], abs=0.1)
    assert wild[18] < 0.01


def test_gradation_sees_texture_in_one_place():
    everywhere, corner = noise(), grey(0 * X + 0.5)
    corner[:32, :32] = everywhere[:32, :32]
    assert (of("gradation", corner)[[1, 3, 5]] > 1 + of("gradation", everywhere)[[1, 3, 5]]).all()


@pytest.mark.parametrize("degrees", [0, 20, 45, 90, 135, 170])
def test_movement_finds_the_direction_of_lines(degrees):
    orientation, coherence = art.flow(stripes(degrees))
    inner = np.s_[16:-16, 16:-16]
    off = np.abs((np.degrees(orientation[inner]) - degrees + 90) % 180 - 90)
    assert off.max() < 3 and coherence[inner].min() > 0.9 and coherence.max() <= 1
    values = of("movement", stripes(degrees))
    kind = 0 if min(degrees, 180 - degrees) < 22.5 else 1 if abs(degrees - 90) < 22.5 else 2
    assert values[:3].argmax() == kind and values[kind] > 0.9
    assert values[3] == pytest.approx(np.cos(np.radians(2 * degrees)), abs=0.15)
    assert values[4] == pytest.approx(abs(np.sin(np.radians(2 * degrees))), abs=0.15)
    steep = np.log((np.sin(np.radians(degrees)) + 1e-3) / (abs(np.cos(np.radians(degrees))) + 1e-3))
    assert np.clip(values[5], -1, 1) == pytest.approx(np.clip(steep, -1, 1), abs=0.1)


def test_movement_finds_no_direction_in_noise():
    _, coherence = art.flow(noise())
    assert coherence.mean() < 0.4
    assert np.abs(of("movement", noise())[3:5]).max() < 0.2


def test_scanpath_goes_from_one_thing_to_the_next():
    path = art.scanpath(np.maximum(blob(0.2, 0.3), blob(0.8, 0.6)), 2)
    assert np.abs(path[path[:, 0].argsort()] - [[0.2, 0.3], [0.8, 0.6]]).max() < 0.08
    assert (art.scanpath(grey(0 * X), 3) == 0.5).all()


# --- All of them


def test_widths_tile_the_vector(photo):
    assert list(art.PRINCIPLES) == ["balance", "emphasis", "harmony", "variety", "gradation", "movement"]
    assert art.WIDTH == 126 and [s.start for s in art.PRINCIPLES.values()] == [0, 25, 50, 64, 88, 107]
    values = art.extract(photo)
    assert values.shape == (art.WIDTH,) and values.dtype == np.float32
    for name, place in art.PRINCIPLES.items():
        assert values[place] == pytest.approx(getattr(art, name)(photo), abs=1e-6)


@pytest.mark.slow
@settings(max_examples=40)
@given(arrays(np.uint8, st.tuples(st.integers(16, 40), st.integers(16, 40), st.just(3))))
def test_any_picture_gives_finite_values(shown):
    values = art.extract(shown)
    assert values.shape == (art.WIDTH,) and np.isfinite(values).all()


@pytest.mark.slow
@pytest.mark.parametrize("shown", [
    *(np.full((*shape, 3), tone, np.uint8) for tone in (0, 128, 255) for shape in ((16, 16), (17, 50), (224, 224))),
    np.full((64, 64, 3), (255, 0, 0), np.uint8), noise(16, 16), noise(16, 300), noise(500, 333),
])
def test_plain_tiny_long_and_large_pictures_give_finite_values(shown):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values = art.extract(shown)
    assert np.isfinite(values).all() and np.abs(values).max() < 10


def test_mirrored_pictures_have_the_same_values(photo):
    here = art.extract(photo)
    assert art.extract(photo[:, ::-1]) == pytest.approx(here, abs=2e-3)
    upside_down = art.extract(photo[::-1])
    assert np.abs(upside_down) == pytest.approx(np.abs(here), abs=2e-3)
    assert upside_down[17] == pytest.approx(-here[17], abs=1e-5) and here[17] != 0  # the mass's height


def test_the_same_picture_gives_the_same_values_and_is_left_as_it_was(photo):
    before = photo.copy()
    once, again = art.extract(photo), art.extract(photo.copy())
    strided = np.repeat(photo, 2, 1)[:, ::2]
    assert (once == again).all() and (once == art.extract(strided)).all() and (photo == before).all()


@pytest.mark.parametrize("wrong", [
    np.zeros((32, 32, 3)), np.zeros((32, 32), np.uint8), np.zeros((32, 32, 4), np.uint8),
    np.zeros((15, 32, 3), np.uint8), np.zeros((2, 32, 32, 3), np.uint8), [[[0, 0, 0]]], None,
])
def test_what_is_no_picture_is_refused(wrong):
    for function in (art.extract, art.saliency, art.flow, art.palette, art.template_fit, art.variation, art.symmetry):
        with pytest.raises(ValueError, match="expected uint8"):
            function(wrong)


def test_unknown_turns_and_windows_are_refused(photo):
    with pytest.raises(ValueError, match="'diagonal'.*left-right"):
        art.symmetry(photo, "diagonal")
    with pytest.raises(ValueError, match="7; expected one of 4, 8, 16"):
        art.variation(photo, 7)


def test_photographs(real):
    paths = sorted((real / "real" / "images").glob("*/*.*"))[::10]
    values = np.stack([art.extract(image.read(path)) for path in paths])
    assert len(paths) > 10 and np.isfinite(values).all()
    assert (values.std(0) > 1e-4).all()  # each of them tells photographs apart


@pytest.mark.slow
def test_figure(photo, tmp_path):
    with warnings.catch_warnings(), plt.rc_context():
        warnings.simplefilter("error")
        plt.switch_backend("agg")
        style.theme()
        fig = probes.principles_of_art({"awe": picture(tmp_path / "p.png"), "wide": photo, "plain": grey(0 * X + 0.5)})
        fig.savefig(tmp_path / "out.png")
    titles = [ax.get_title() for ax in fig.axes]
    assert set(art.PRINCIPLES) <= set(titles) and len(fig.axes) == 3 * 7
    plt.close(fig)
