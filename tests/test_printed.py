"""The book as one PDF: how pages are made to stand together, and what a browser prints of them."""

import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil
import pypdf
import pytest
from bs4 import BeautifulSoup
from chromium import CHROMIUM

from acp_lib.book import build, printed
from acp_lib.profiles import ROOT

DOT = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
HEAD = """<html><head><link rel="stylesheet" href="{up}_static/own.css">
<script src="{up}_static/buttons.js"></script><script defer src="{up}_static/draws.js?v=1"></script></head><body>
<h1>In the margin</h1><article class="bd-article">"""
PAGES = {
    "start": """<h1 id="start">The whole<a class="headerlink" href="#start">#</a></h1><p>See
        <a href="notebooks/one.html">one</a>, <a href="notebooks/two.html#found">what two found</a>.</p>""",
    "notebooks/one": """<h1 id="title"><span class="section-number">1. </span>One</h1><h2 id="found">Found</h2>
        <p>Back to <a href="../start.html#start">the start</a>, on to <a href="two.html#found">two</a>, here to
        <a href="#found">what was found</a>, elsewhere to <a href="https://elsewhere.example/x">a host</a>; not to
        <a href="../_sources/one.ipynb">the notebook</a>.</p>
        <details class="cite"><summary>How to cite</summary>CITED</details>
        <details class="run"><summary>How to run</summary>RUN</details>
        <details class="hide"><summary>Show the code</summary>FOLDED</details>
        <details class="solution"><summary>Solution</summary>SOLVED</details>
        <audio aria-label="A song" src="data:audio/mpeg;base64,AA=="></audio>""",
    "notebooks/two": f"""<h1 id="title"><span class="section-number">2. </span>Two</h1><h2 id="found">Found</h2>
        <img alt="dot" src="{DOT}"><img alt="file" src="../_images/p.gif" srcset="../_images/p.gif 2x" loading="lazy">
        <label for="found">x</label>
        <div class="acp-live" data-figure="game"><p>GAME</p><script type="application/json">{{}}</script></div>""",
}


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A small rendered book, and its contents."""
    for name, text in PAGES.items():
        file = tmp_path / f"{name}.html"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"{HEAD.format(up='../' * name.count('/'))}{text}</article></body></html>", "utf8")
    for folder in ("_static", "_images"):
        (tmp_path / folder).mkdir()
    (tmp_path / "_static/own.css").write_text("")
    (tmp_path / "_static/draws.js").write_text("document.querySelector('.acp-live p').textContent = 'DRAWN';")
    parts = [("", ["start"]), ("Part & parcel", ["notebooks/one", "notebooks/two"])]
    monkeypatch.setattr(printed, "contents", lambda: parts)
    return tmp_path


def page(book: Path, name: str) -> BeautifulSoup:
    return BeautifulSoup(printed.Article(book, name, list(PAGES)).html(), "html.parser")


# pages that stand together


@pytest.mark.slow
@pytest.mark.parametrize(("text", "address"), [
    ("the start", "#start--start"), ("two", "#notebooks-two--found"), ("what was found", "#notebooks-one--found"),
    ("a host", "https://elsewhere.example/x"), ("the notebook", None), ("#", None),
])
def test_a_link_leads_to_its_page_among_the_others_or_is_text(book, text, address):
    assert {a.get_text(): a["href"] for a in page(book, "notebooks/one").select("a")}.get(text) == address
    assert text == "#" or text in page(book, "notebooks/one").get_text()


@pytest.mark.slow
def test_no_two_elements_have_one_id_and_every_link_has_its_end(book):
    whole = BeautifulSoup(printed.assembled(book, "book"), "html.parser")
    ids = Counter(tag["id"] for tag in whole.find_all(id=True))
    assert set(ids.values()) == {1} and ids.keys() >= {"start", "notebooks-one--title", "notebooks-two--title"}
    assert {a["href"].removeprefix("#") for a in whole.select("a[href^='#']")} <= ids.keys()
    assert whole.select_one("label")["for"] == "notebooks-two--found"


def test_answers_are_open_and_folded_code_and_ways_to_cite_and_run_are_left_out(book):
    found = page(book, "notebooks/one")
    assert found.select_one("details.solution").has_attr("open") and "SOLVED" in found.get_text()
    assert not [word for word in ("FOLDED", "CITED", "RUN", "Show the code") if word in found.get_text()]


def test_what_sounds_or_moves_has_a_note_that_says_where(book):
    one, two = (page(book, f"notebooks/{name}") for name in ("one", "two"))
    assert not one.select("audio") and one.select_one(".acp-printed").text == "to be heard in the book"
    told = two.select_one(".acp-live + .acp-printed").text
    assert told == "On the page “2. Two” of the book this figure can be worked."
    assert two.select_one(".acp-live script")["type"] == "application/json"


def test_files_are_found_from_anywhere(book):
    held, file = page(book, "notebooks/two").select("img")
    assert held["src"] == DOT and file["src"] == (book / "_images/p.gif").as_uri()
    assert not {"srcset", "loading"} & set(file.attrs)


def test_scripts_that_draw_are_loaded_once_and_others_are_not(book):
    whole = printed.assembled(book, "book")
    assert whole.count((book / "_static/draws.js").as_uri()) == 1
    assert "buttons.js" not in whole and (book / "_static/own.css").as_uri() in whole


def test_the_cover_lists_every_page_under_its_part(book):
    cover = BeautifulSoup(printed.assembled(book, "book"), "html.parser").select_one(".acp-cover")
    assert [a.get_text() for a in cover.select("a")] == ["The whole", "1. One", "2. Two"]
    assert [p.get_text() for p in cover.select(".acp-part")] == ["", "Part & parcel"]


def test_a_book_that_departs_says_so_on_its_cover(book):
    file = book / "start.html"
    file.write_text(file.read_text("utf8").replace(
        "<body>", '<body><div class="bd-header-announcement">Profile folder · data a &amp; b</div>'), "utf8")
    assert "Profile folder · data a &amp; b" in printed.assembled(book, "book").split("</div>")[0]


def test_a_page_without_its_text_is_told_of(book):
    (book / "start.html").write_text("<html><body></body></html>")
    with pytest.raises(RuntimeError, match="start.html has no article.bd-article; render the book anew"):
        printed.assembled(book, "book")


# the browser


@pytest.mark.slow
@pytest.mark.parametrize(("named", "message"), [
    ("", "neither Chromium nor Chrome is installed, and one of them prints the PDF; install it"),
    ("nowhere/chrome", "ACP_BROWSER is 'nowhere/chrome', which is no program, and"),
])
def test_without_a_browser_the_remedy_is_told_before_anything_runs(tmp_path, monkeypatch, capsys, named, message):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("ACP_BROWSER", named)
    monkeypatch.setattr(printed, "BROWSERS", printed.BROWSERS[:-1])  # the last is a path
    monkeypatch.setattr(build, "build", None)
    assert build.main(["mini", "--pdf", "book"]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and told.startswith(f"error: {message}") and "ACP_BROWSER" in told


@pytest.mark.parametrize("named", [True, False])
def test_the_browser_is_the_one_that_is_named_or_installed(tmp_path, monkeypatch, named):
    for name in ("mine", "google-chrome"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("ACP_BROWSER", "mine" if named else "")
    assert printed.browser() == str(tmp_path / ("mine" if named else "google-chrome"))


@pytest.mark.parametrize("arguments", [["--only", "05"], ["--no-render"]])
def test_a_part_of_a_book_is_not_printed(monkeypatch, capsys, arguments):
    monkeypatch.setattr(printed, "browser", str)
    monkeypatch.setattr(build, "build", None)
    assert build.main(["mini", "--pdf", "book", *arguments]) == 2
    assert "leave out --only and --no-render" in capsys.readouterr().err


@pytest.mark.slow
def test_a_browser_that_prints_nothing_is_told_of(book, tmp_path, monkeypatch):
    program = tmp_path / "broken"
    program.write_text("#!/bin/sh\necho out of order >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("ACP_BROWSER", str(program))
    with pytest.raises(RuntimeError, match=r"(?s)out of order.*the browser printed no book"):
        printed.write(book, "book")
    assert not (book / "book.pdf").exists()


def links(file: Path) -> tuple[list[int], list[str]]:
    """The pages to which links within a PDF lead, and the addresses of the others; every end must be there."""
    pdf, inner, outer = pypdf.PdfReader(file), [], []
    named = pdf.named_destinations
    for sheet in pdf.pages:
        for note in (n.get_object() for n in sheet.get("/Annots", ())):
            if "/Dest" in note:
                end = note["/Dest"]
                inner.append(pdf.get_destination_page_number(named[end]) if isinstance(end, str) else end[0])
            elif "/A" in note:
                outer.append(str(note["/A"]["/URI"]))
    return inner, outer


needs_a_browser = pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed")


@pytest.mark.slow
@needs_a_browser
def test_a_pdf_holds_every_page_with_links_outline_and_what_scripts_draw(book):
    file = printed.write(book, "book")
    assert file == book / "book.pdf"
    pdf = pypdf.PdfReader(file)
    texts = [sheet.extract_text() for sheet in pdf.pages]
    assert len(texts) == 1 + len(PAGES), "a cover, and a new sheet for each page"
    assert pdf.metadata.title == "The whole"
    inner, outer = links(file)
    assert inner == [1, 2, 3, 2, 3, 1, 3, 2] and outer == ["https://elsewhere.example/x"]
    chapters = [entry.title for entry in pdf.outline if not isinstance(entry, list)]
    assert [title.split() for title in chapters] == [["The", "whole"], ["1.", "One"], ["2.", "Two"]]
    whole = " ".join(" ".join(texts).split())
    assert all(word in whole for word in ("SOLVED", "DRAWN", "the notebook", "to be heard", "can be worked"))
    assert not [word for word in ("FOLDED", "GAME", "In the margin") if word in whole]
    assert str(book).encode() not in file.read_bytes()


@pytest.mark.slow
@needs_a_browser
@pytest.mark.parametrize("many", [3, 20])
def test_what_is_too_wide_shrinks_until_it_fits(book, many):
    cells = "".join(f"<td>{'x' * 20}</td>" for _ in range(many))
    file = book / "notebooks/two.html"
    table = f"<div><table><tr>{cells}<td>END</td></tr></table></div>"
    file.write_text(file.read_text("utf8").replace("</article>", f"{table}</article>"), "utf8")
    sheet, seen = pypdf.PdfReader(printed.write(book, "book")).pages[3], []

    def see(text, current, matrix, font, size):
        if "END" in text:
            seen.append(current[0] * matrix[4] + current[4])

    sheet.extract_text(visitor_text=see)
    assert len(seen) == 1 and 100 < seen[0] < float(sheet.mediabox.width)


@pytest.mark.slow
def test_the_browser_ends_with_the_command(book, tmp_path):
    program, number = tmp_path / "slow", tmp_path / "number"
    program.write_text(f"#!/bin/sh\necho $$ > {number}.new; mv {number}.new {number}\nexec sleep 60\n")
    program.chmod(0o755)
    code = ("import sys; from pathlib import Path; from acp_lib.book import printed; "
            "printed.assembled = lambda *_: ''; printed.write(Path(sys.argv[1]), 'book')")
    command = subprocess.Popen([sys.executable, "-c", code, book], cwd=ROOT,
                               env=os.environ | {"ACP_BROWSER": str(program)})
    end = time.monotonic() + 60
    while not number.exists() and time.monotonic() < end:
        time.sleep(0.05)
    slow = psutil.Process(int(number.read_text()))
    command.kill()
    command.wait()
    psutil.wait_procs([slow], timeout=20)
    assert not slow.is_running() or slow.status() == psutil.STATUS_ZOMBIE
