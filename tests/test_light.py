"""What a page loads: formulas as MathML, icons that are shown, and no more than a page may weigh."""

import re
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import check_pages
import pytest
from bs4 import BeautifulSoup
from conftest import extension_of_the_book
from docutils import nodes
from test_pages import GOOD, PAGE, book  # noqa: F401  a fixture
from test_project import CHAPTERS, PROSE

FORMULA = re.compile(r"\$\$(.+?)\$\$|(?<![\\$`\w])\$([^\s$](?:[^$\n]*[^\s$])?)\$(?!\d)", re.S)


@pytest.fixture(scope="module")
def light():
    return extension_of_the_book("acp_light")


def prose(path: Path) -> str:
    return re.sub(r"```.*?```|`[^`\n]+`", "", path.read_text("utf8"), flags=re.S)


FORMULAS = sorted({" ".join((a or b).split()) for path in [*CHAPTERS, *PROSE] for a, b in FORMULA.findall(prose(path))})


@pytest.mark.slow
def test_every_formula_of_the_book_is_written_as_mathml_sign_by_sign(light):
    assert len(FORMULAS) > 100
    for tex in FORMULAS:
        found = BeautifulSoup(light.formula(tex), "html.parser").math
        seen = re.sub(r"\s", "", found.get_text())
        plain = re.sub(r"\\(begin|end){\w+}|\\[a-zA-Z]+|\\.", "", tex)  # without commands
        assert sorted(re.findall(r"\d", seen)) == sorted(re.findall(r"\d", plain)), tex
        assert set(re.findall(r"[A-Za-z]", plain)) <= set(seen), tex
        assert not [n.get_text() for n in found.select("mfrac > mn:first-child") if len(n.get_text()) > 1
                    and n.get_text() not in tex.replace("frac", " ")], tex


@pytest.mark.parametrize(("tex", "parts"), [
    (r"\tfrac12 \sum_c x", ["1", "2"]), (r"\frac12 + y", ["1", "2"]), (r"\frac1N", ["1", "N"]),
    (r"\frac{k}{2K}", ["k", "2K"]), (r"\frac1{2K}", ["1", "2K"]), (r"\tfrac 3 4 t", ["3", "4"]),
    (r"\frac{12}{34}", ["12", "34"]), (r"\dfrac12", ["1", "2"]),
])
def test_a_fraction_of_single_signs_is_one(light, tex, parts):
    fraction = BeautifulSoup(light.formula(tex), "html.parser").mfrac
    assert [re.sub(r"\s", "", part.get_text()) for part in fraction.find_all(recursive=False)] == parts


@pytest.mark.parametrize(("node", "tag"), [(nodes.math, "math"), (nodes.math_block, "div")])
def test_a_command_that_is_not_known_is_told_and_shown_as_it_is(light, monkeypatch, node, tag):
    told = []
    monkeypatch.setattr(light.log, "warning", lambda text, *more, **_: told.append(text % more))
    for tex, known in ((r"a \le b", True), (r"\nosuchthing <b>", False)):
        writer = SimpleNamespace(body=[])
        with pytest.raises(nodes.SkipNode):
            light.visit_math(writer, node(tex, tex))
        page = BeautifulSoup("".join(writer.body), "html.parser")
        assert not page.b and bool(page.find("math")) == known and (not known or page.find(True).name == tag)
    assert len(told) == 1 and "nosuchthing" in told[0]


THEME = Path(find_spec("pydata_sphinx_theme").origin).parent / "theme/pydata_sphinx_theme"
SCRIPT = THEME / "static/scripts/fontawesome.js"


@pytest.mark.slow
@pytest.mark.parametrize(("names", "icons"), [
    ({"bars"}, {"bars"}), ({"search"}, {"magnifying-glass"}), ({"moon", "sun", "lg", "solid"}, {"moon", "sun"}),
    (set(), set())])
def test_the_script_of_icons_keeps_those_that_are_shown(light, names, icons):
    whole = SCRIPT.read_text("utf8")
    found = light.fewer_icons(whole, names)
    kept = {m[1] or m[2] for m in light.ICON.finditer(found)}
    assert kept == icons and len(light.ICON.findall(whole)) > 1500
    assert len(found) < 120_000 < len(whole)
    assert light.ICON.sub("", found) == light.ICON.sub("", whole), "all that is no icon is there"


def test_icons_are_looked_for_in_pages_and_scripts_and_replaced_where_the_book_lies(light, tmp_path):
    scripts = tmp_path / "_static/scripts"
    scripts.mkdir(parents=True)
    (scripts / "fontawesome.js").write_text(SCRIPT.read_text("utf8"), "utf8")
    (scripts / "theme.js").write_text('x = "<i class=\'fa-solid fa-xmark\'></i>"')
    (tmp_path / "a.html").write_text('<i class="fas fa-expand"></i> <i class="fa-solid fa-bars fa-lg"></i>')
    app = SimpleNamespace(outdir=str(tmp_path), builder=SimpleNamespace(format="html"))
    light.lighten(app, RuntimeError("failed"))
    assert (scripts / "fontawesome.js").stat().st_size > 1_000_000
    light.lighten(app, None)
    kept = {m[1] or m[2] for m in light.ICON.finditer((scripts / "fontawesome.js").read_text("utf8"))}
    assert kept == {"xmark", "expand", "bars"}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "tag"), [("own.js", ""), ("big.js", '<script src="../_static/big.js?v=1"></script>'),
                                           ("big.css", '<link rel="stylesheet" href="../_static/big.css">')])
@pytest.mark.parametrize("size", [1_000_000, 1_600_000])
def test_scripts_and_styles_count_as_the_weight_of_a_page(book, name, tag, size):  # noqa: F811
    (book / "_static" / name).write_text("x" * size)
    (book / PAGE).write_text(GOOD.replace("</head>", f"{tag}</head>"))
    heavy = [line for line in check_pages.problems(book) if "bytes" in line and line.startswith(PAGE)]
    assert bool(heavy) == (size > check_pages.HEAVIEST)
