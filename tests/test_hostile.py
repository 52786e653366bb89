"""Other people's text in a rendered page: tags, titles, artists, ids and file names that try to be more than text."""

import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import chromium
import pytest
import yaml
from bs4 import BeautifulSoup
from conftest import PICTURES, picture, sound
from test_book import copy, given  # noqa: F401 - a fixture

from acp_lib.emotions import CLASSES
from acp_lib.profiles import ROOT

SCRIPT = "<script>document.title='RAN'</script>"
TEXTS = (
    SCRIPT, "<img src=x onerror=document.title='RAN'>", "\"><svg onload=document.title='RAN'>",
    "[click](javascript:document.title='RAN')", "<javascript:document.title='RAN'>", "```{raw} html", "{{ 7 * 7 }}",
    "$\\href{javascript:document.title='RAN'}{x}$", "{eval-rst}`.. raw:: html`", "a | b \\| c", "\u202egpj.exe\u202c",
    "nul\0byte", "long " * 2000, "'; DROP TABLE songs; --", "# heading", "<!-- comment", "&lt;b&gt; &amp; &#60;i&#62;",
)
PARAMETERS = {"weights": "random", "image_size": 75, "seeds": 1, "epochs": 1, "batch": 8, "pairs_per_epoch": 16,
              "test_pairs": 50, "device": "cpu", "jobs": 1}
pytestmark = pytest.mark.book


def hostile(root):
    """IMAC's layout, small, each text of it hostile."""
    lines, tracks = [], []
    for k, (label, score) in enumerate(zip(CLASSES, ("1_0_0", "0_1_0", "0_0_1"), strict=True)):
        for i in range(4):
            tracks.append(f"TR{label[:3].upper()}{i}")
            sound(root / f"music/{tracks[-1]}.ogg", 10 * k + i)
            lines.append(f"{tracks[-1]},{TEXTS[4 * k + i]},{TEXTS[-1 - k]},{score}\n")
    lines += [f"{text},{text},{text},1_0_0\n" for text in TEXTS]  # no file has such a name: all are rejects
    (root / "SongEmotionScore.csv").write_text("".join(lines), "utf8")
    (root / "YouTubeURLs.csv").write_text("".join(f"{t},x\n" for t in tracks), "utf8")
    for k, emotion in enumerate(PICTURES):
        for i in range(4):
            picture(root / "images" / emotion / f"p{i}.jpg", 10 * k + i)
    (root / "images/awe/<img src=x onerror=document.title='RAN'>.jpg").write_bytes(b"no picture")
    (root / "clean_tags_sad.txt").write_text("".join(f"not sad {text}\n" for text in TEXTS if "\0" not in text), "utf8")
    with closing(sqlite3.connect(root / "lastfm_tags.db")) as db, db:
        db.executescript("CREATE TABLE tids (tid TEXT); CREATE TABLE tags (tag TEXT);"
                         "CREATE TABLE tid_tag (tid INT, tag INT, val FLOAT); INSERT INTO tids VALUES ('TRPOS0');")
        for i, text in enumerate(TEXTS, 1):
            db.execute("INSERT INTO tags VALUES (?)", (f"{('spain', 'unhappy', 'sade', 'paint')[i % 4]} {text}",))
            db.execute("INSERT INTO tid_tag VALUES (1, ?, 100)", (i,))
    return root


@pytest.fixture(scope="module")
def page(copy, tmp_path_factory):  # noqa: F811
    """Chapter 1 on hostile data, run as a book's chapter and rendered alone."""
    root, base = hostile(tmp_path_factory.mktemp("data") / "imac"), tmp_path_factory.mktemp("page")
    values = PARAMETERS | {"data": root, "results": base / "results"}
    done = copy.run("acp_lib.book", "imac", *given(values), "--only", "01_database", "--no-render")
    assert done.returncode == 0, done.stderr[-5000:]
    executed, = (copy.folder / "_build/profiles").glob("imac-*/_build/executed/01_database.ipynb")
    source = base / "source"
    shutil.copytree(ROOT / "book", source / "book", ignore=shutil.ignore_patterns("__pycache__"))
    (source / "notebooks").mkdir()
    shutil.copy2(executed, source / "notebooks")
    settings = yaml.safe_load((ROOT / "_config.yml").read_text("utf8"))
    settings["execute"]["execute_notebooks"] = "off"
    (source / "_config.yml").write_text(yaml.safe_dump(settings))
    (source / "_toc.yml").write_text("format: jb-book\nroot: notebooks/01_database\n")
    rendered = subprocess.run([sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", source,
                               "--path-output", base, "-q"], capture_output=True, text=True)
    html = base / "_build/html/notebooks/01_database.html"
    assert html.exists(), rendered.stderr[-5000:]
    return html


def test_every_text_is_shown_letter_by_letter(page):
    article = BeautifulSoup(page.read_text("utf8"), "html.parser").find("article")
    shown = re.sub(r"\s+", " ", article.get_text())
    for text in ("<script>document.title=", "<img src=x onerror=document.title=", "<svg onload=document.title=",
                 "[click](javascript:document.title=", "```{raw} html", "{{ 7 * 7 }}", "$\\href{javascript:",
                 "{eval-rst}`.. raw:: html`", "a | b \\| c", "gpj.exe", "nulbyte", "# heading", "<!-- comment",
                 "&lt;b&gt; &amp; &#60;i&#62;", "DROP TABLE songs"):
        assert f"music/{text}" in shown or text in shown, text
    assert "not sad <script>" in shown and re.search("(spain|unhappy|sade|paint) (<|\"|`|\\[)", shown)
    assert not re.search("[\u202a-\u202e\u2066-\u2069\0]", page.read_text("utf8"))
    assert max(map(len, re.findall(r"(?:long ?)+", shown))) <= 125


def test_no_text_became_markup(page):
    soup = BeautifulSoup(page.read_text("utf8"), "html.parser")
    article = soup.find("article")
    assert not [s for s in soup.find_all("script") if "RAN" in s.get_text()]
    assert not [t for t in soup.find_all(True) for k, v in t.attrs.items() if k.startswith("on") and "RAN" in str(v)]
    assert not [t for t in soup.find_all(True) if any("javascript:" in str(t.get(k)) for k in ("href", "src"))]
    assert not [i for i in article.find_all("img") if i.get("src") == "x"]
    assert "49" not in [cell.get_text(strip=True) for cell in article.find_all("td")]
    assert not [h for h in article.find_all(re.compile("h[1-6]")) if h.get_text(strip=True).startswith("heading")]


def title(browser: str, html, profile) -> str:
    """The title of a page after a browser has run it."""
    done = subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}",
                           "--virtual-time-budget=3000", "--dump-dom", html.as_uri()], capture_output=True, text=True,
                          timeout=180)
    return BeautifulSoup(done.stdout, "html.parser").find("title").get_text(strip=True)


def test_no_script_runs_in_a_browser(page, tmp_path):
    browser = chromium.CHROMIUM
    if not browser:
        pytest.skip("chromium is not installed")
    assert title(browser, page, tmp_path / "one").startswith("Building the database")
    planted = page.with_name("planted.html")
    planted.write_text(page.read_text("utf8").replace("</article>", f"{SCRIPT}</article>"), "utf8")
    assert title(browser, planted, tmp_path / "two") == "RAN"  # what the test would see
