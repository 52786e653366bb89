"""What `check_pages.py` finds in a rendered book, and that it is silent on a good one."""

import subprocess
import sys
import tempfile
from pathlib import Path

import check_pages
import pytest
from sphinx_external_toc.parsing import parse_toc_yaml

PAGES = [f"{document}.html" for document in parse_toc_yaml(check_pages.ROOT / "_toc.yml")]
PAGE = "book/how_to.html"
HOST = "https://elsewhere.example"
LONG = "QUJD" * 60 + "/tmp/"
GOOD = """<html><head>
<link rel="stylesheet" href="../_static/own.css"><link rel="canonical" href="https://elsewhere.example/"></head><body>
<h1 id="top">Title</h1><a href="#top">up</a> <a href="../book/intro.html#top">first</a> <a href="../a%20b.txt">text</a>
<a href="https://elsewhere.example/page">a link is followed by the reader alone</a>
<img src="../_static/p.svg" srcset="../_static/p.svg 1x, ../_static/p.svg 2x">
<audio src="data:audio/mpeg;base64,BASE64"></audio><script src="../_static/own.js"></script>
<p style="color: red">a folder/home/of words, ~/corpus, ../tmp, http://www.w3.org/2000/svg</p></body></html>
""".replace("BASE64", LONG)


@pytest.fixture
def book(tmp_path):
    """A small book without fault."""
    root = tmp_path / "html"
    for name in PAGES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(GOOD)
    (root / "_static").mkdir()
    (root / "_static/own.css").write_text("@import 'other.css'; p { background: url(p.svg) }")
    (root / "_static/own.js").write_text("// https://documentation.example")
    (root / "_static/p.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (root / "_static/macros.html").write_text(f"<script src='{HOST}/a.js'></script>")  # a template, not a page
    (root / "a b.txt").write_text("text")
    (tmp_path / "beside.html").write_text("no part of the book")
    return root


@pytest.mark.slow
def test_a_good_book_has_no_problem(book):
    assert check_pages.problems(book) == []
    assert set(check_pages.read(book)) == {book / name for name in PAGES}


FAULTS = {
    "link": ('<a href="gone.html">x</a>', "no file for gone.html"),
    "link with anchor": ('<a href="gone.html#top">x</a>', "no file for gone.html#top"),
    "outside": ('<a href="../../beside.html">x</a>', "no file for ../../beside.html"),
    "picture": ('<img src="../_images/gone.png">', "no file for ../_images/gone.png"),
    "second of a set": ('<img srcset="../_static/p.svg 1x, gone.svg 2x">', "no file for gone.svg"),
    "player": ('<audio><source src="gone.mp3"></audio>', "no file for gone.mp3"),
    "anchor here": ('<a href="#nowhere">x</a>', "no anchor for #nowhere"),
    "anchor there": ('<a href="intro.html#nowhere">x</a>', "no anchor for intro.html#nowhere"),
    "script": (f'<script src="{HOST}/a.js"></script>', f"script loads {HOST}/a.js"),
    "no scheme": ('<script src="//elsewhere.example/a.js"></script>', "script loads //elsewhere.example/a.js"),
    "style sheet": (f'<link rel="stylesheet" href="{HOST}/a.css">', f"link loads {HOST}/a.css"),
    "connection": (f'<link rel="preconnect" href="{HOST}">', f"link loads {HOST}"),
    "image": (f'<img src="{HOST}/a.png">', f"img loads {HOST}/a.png"),
    "image in a set": (f'<img srcset="../_static/p.svg 1x, {HOST}/a.png 2x">', f"img loads {HOST}/a.png"),
    "frame": (f'<iframe src="{HOST}/a"></iframe>', f"iframe loads {HOST}/a"),
    "inline script": (f"<script>fetch('{HOST}/a')</script>", f"a script names {HOST}"),
    "inline style": (f"<style>@import url('{HOST}/a.css');</style>", f"a style loads {HOST}/a.css"),
    "import": (f'<style>@import "{HOST}/a.css";</style>', f"a style loads {HOST}/a.css"),
    "style of a tag": (f'<p style="background: url({HOST}/a.png)">x</p>', f"a style loads {HOST}/a.png"),
    "home": (f"<p>read {Path.home()}</p>", "shows /"),
    "a home": ("<code>/home/someone/corpus</code>", "shows /home"),
    "a Mac's home": ("<code>'/Users/someone'</code>", "shows /Users"),
    "repository": (f"<p>{check_pages.ROOT}</p>", "shows /"),
    "temporary folder": (f"<p>in {tempfile.gettempdir()}/x</p>", "shows /"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("code", "problem"), FAULTS.values(), ids=FAULTS)
def test_a_fault_in_a_page_is_found(book, code, problem):
    (book / PAGE).write_text(GOOD.replace("</body>", f"{code}</body>"))
    found = check_pages.problems(book)
    assert found and all(f.startswith(f"{PAGE}: ") for f in found)
    assert any(f.startswith(f"{PAGE}: {problem}") for f in found)


def test_a_style_sheet_that_loads_from_another_host(book):
    (book / "_static/own.css").write_text(f"@font-face {{ src: url({HOST}/a.woff2) }}")
    assert check_pages.problems(book) == [f"own.css: loads {HOST}/a.woff2"]


@pytest.mark.slow
@pytest.mark.parametrize(("text", "expected"), [
    ("x" * 1_500_000, [f"{PAGE}: 1,500,048 bytes; expected 1,500,000 at most"]),
    ("é" * 800_000, [f"{PAGE}: 1,600,048 bytes; expected 1,500,000 at most"]), ("x" * 1_400_000, []),
    (f'<audio src="data:audio/mpeg;base64,{"QUJD" * 500_000}"></audio>', []),
    (f'{{"image": "data:image/jpeg;base64,{"QUJD" * 500_000}"}}', []),
    (f'{{"scores": "{"QUJD" * 500_000}"}}', [f"{PAGE}: 2,000,062 bytes; expected 1,500,000 at most"]),
])
def test_a_page_that_is_too_heavy_without_its_sounds_and_pictures(book, text, expected):
    (book / PAGE).write_text(f"<html><head><title>x</title></head><body>{text}</body>", "utf8")
    assert [line for line in check_pages.problems(book) if "bytes" in line] == expected


@pytest.mark.slow
@pytest.mark.parametrize("name", ["_sources/notebooks/a.ipynb", "_sources/book/a.md", "a.json"])
def test_a_path_in_a_file_for_download(book, name):
    (book / name).parent.mkdir(parents=True, exist_ok=True)
    (book / name).write_text(f'{{"text": "{tempfile.gettempdir()}/x"}}')
    found = check_pages.problems(book)
    assert found and all(f.startswith(f"{name}: shows /") for f in found)


def test_a_missing_page(book):
    (book / PAGES[-1]).unlink()
    assert check_pages.problems(book) == [f"{PAGES[-1]}: missing"]


def test_an_empty_folder_has_no_page(tmp_path):
    assert check_pages.problems(tmp_path) == sorted(f"{name}: missing" for name in PAGES)


@pytest.mark.slow
def test_exit_code_and_lines(book):
    def check():
        done = subprocess.run([sys.executable, check_pages.__file__, book], capture_output=True, text=True)
        return done.returncode, done.stdout.splitlines()

    assert check() == (0, ["every page, link and anchor is there; nothing comes from another host"])
    (book / PAGES[-1]).unlink()
    assert check() == (1, [f"{PAGES[-1]}: missing"])
