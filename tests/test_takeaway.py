"""What pages tell machines and offer to take away: descriptions, citations, notebooks, links to the repository."""

import json
import os
import re
import subprocess
import sys
from types import SimpleNamespace

import jupytext
import nbformat
import pytest
import yaml
from conftest import extension_of_the_book
from docutils.core import publish_doctree
from IPython.core.interactiveshell import InteractiveShell
from sphinx.errors import ExtensionError
from test_project import CHAPTERS

from acp_lib.book import chapter, plain
from acp_lib.book.printed import BROWSERS
from acp_lib.profiles import ROOT

HERE = "https://github.com/someone/acp"


@pytest.fixture(scope="module")
def pages():
    return extension_of_the_book("acp_pages")


# descriptions and citations


SENTENCE = "This is a sentence of some words, with which a page might begin. "
TITLE = "Title\n=====\n\n"


@pytest.mark.parametrize(("text", "told"), [
    (SENTENCE * 2, (SENTENCE * 2).strip()),
    ("Short.\n\nThen more words, which say what the page is for and about, and which reader wants it.\n\nAnd more.",
     "Short. Then more words, which say what the page is for and about, and which reader wants it."),
    ("No stop\n\nThen the next one.", "No stop. Then the next one."),
    ("- in a list\n\n.. note:: in a box\n\nOutside.\n\nPart\n----\n\nFurther down.", "Outside. Further down."),
    (SENTENCE * 9, (SENTENCE * 4).strip()),
    ("word " * 99, ("word " * 60).strip() + " …"),
    ("over\ntwo\nlines", "over two lines."), ("*italic* and ``code``?", "italic and code?"), ("", ""),
], ids=range(9))
def test_a_description_is_made_of_the_first_sentences_of_a_page(pages, text, told):
    found = pages.description(publish_doctree(TITLE + text, settings_overrides={"doctitle_xform": False}))
    assert found == told and len(found) <= pages.LONGEST + 2


def test_head_tags_hold_any_text_as_it_is(pages):
    doctree = publish_doctree(f'A "title" <b>\n=============\n\nIt says "x" & <y>. {SENTENCE}\n',
                              settings_overrides={"doctitle_xform": False})
    context, app = {"metatags": "<meta>"}, SimpleNamespace(config=SimpleNamespace(copyright="2026", html_title="Book"))
    pages.tell(app, "notebooks/05_acp_net", "page.html", context, doctree)
    assert context["metatags"].startswith("<meta>")
    assert '<meta name="description" content="It says &quot;x&quot; &amp; &lt;y&gt;.' in context["metatags"]
    assert '<meta name="citation_title" content="A &quot;title&quot; &lt;b&gt;" />' in context["metatags"]
    before = dict(context)
    pages.tell(app, "search", "search.html", context, None)
    assert context == before, "a page without text of its own"


def test_a_page_without_sentences_is_described_by_its_title(pages):
    doctree = publish_doctree(TITLE + "- a list", settings_overrides={"doctitle_xform": False})
    context, app = {}, SimpleNamespace(config=SimpleNamespace(copyright="2026", html_title="Book"))
    pages.tell(app, "book/references", "page.html", context, doctree)
    assert '<meta name="description" content="Title: Book" />' in context["metatags"]


@pytest.mark.parametrize(("authors", "told"), [
    ([{"name": "The authors"}], ["The authors"]),
    ([{"family-names": "Verma", "given-names": "Gaurav"}, {"name": "Others"}], ["Verma, Gaurav", "Others"]),
])
def test_a_chapter_is_cited_with_its_book_and_each_author(pages, authors, told):
    tags = pages.cited("Leakage", "2026", {"authors": authors, "title": "The book"})
    assert [value for name, value in tags if name == "citation_author"] == told
    assert {("citation_title", "Leakage"), ("citation_publication_date", "2026"),
            ("citation_inbook_title", "The book")} < set(tags)


# what the search shows of a page


ROUND = """<main role="main"><button>.pdf</button> Contents {0}</main>"""
FOUND = """<article class="bd-article"><section id="whole"><h1>Title<a class="headerlink" href="#whole">#</a></h1>
<p>First.</p><details class="cite"><summary>How to cite</summary>Cite</details><details><summary>Show the code</summary>
<pre>code</pre></details><dl><dt>Term</dt><dd>meaning</dd></dl>
<section id="part"><h2>Part</h2><p>Second <em>one</em>,</p>
<script>alert(1)</script> third.</section></section></article>"""


@pytest.mark.slow
@pytest.mark.parametrize(("html", "anchor", "text"), [
    (ROUND.format(FOUND), None, "Title First. Term meaning Part Second one, third."),
    (ROUND.format(FOUND), "#part", "Part Second one, third."),
    (ROUND.format(FOUND), "#gone", "Title First. Term meaning Part Second one, third."),
    ("<main role='main'>no article</main>", None, "by Sphinx"), ("", None, "by Sphinx"),
])
def test_an_excerpt_is_of_the_text_of_a_page(browser, tmp_path, html, anchor, text):
    (tmp_path / "search.html").write_text(
        "<!doctype html><script>const Search = {htmlToText: () => 'by Sphinx'};</script>"
        f"<script defer src='{(ROOT / 'book/_static/excerpts.js').as_uri()}'></script>")
    browser.open(tmp_path / "search.html")
    assert browser.value(f"Search.htmlToText({json.dumps(html)}, {json.dumps(anchor)})") == text


# the repository


@pytest.mark.parametrize(("given", "cited", "found"), [
    (HERE, "", HERE), (f"{HERE}/", "", HERE), (f"{HERE}.git", "", HERE), ("", f"{HERE}.git", HERE),
    (HERE, "https://gitlab.com/a/b", HERE), ("https://gitlab.com/a/b", "", "https://gitlab.com/a/b"), ("", "", ""),
])
def test_the_address_is_that_of_the_environment_or_of_the_citation(pages, monkeypatch, given, cited, found):
    monkeypatch.setenv("ACP_REPOSITORY_URL", given)
    monkeypatch.setattr(pages, "about", lambda: {"repository-code": cited} if cited else {})
    assert pages.address() == found
    config = SimpleNamespace(html_theme_options={})
    pages.repository(None, config)
    assert config.html_theme_options.get("repository_url", "") == found
    assert config.html_theme_options.get("use_issues_button", False) == bool(found)


@pytest.mark.parametrize("given", ["http://github.com/a/b", "https://github.com/a", "https://github.com/a/b/tree/main",
                                   "https://elsewhere.example/a/b", "git@github.com:a/b.git", "someone/acp"])
def test_an_address_that_no_button_could_lead_to_is_refused(pages, monkeypatch, given):
    monkeypatch.setenv("ACP_REPOSITORY_URL", given)
    with pytest.raises(ExtensionError, match="the repository's address is .*expected https://HOST/OWNER/NAME"):
        pages.address()


@pytest.mark.parametrize(("page", "url", "places"), [
    ("notebooks/05_acp_net", HERE, ["Binder", "Colab"]), ("book/intro", HERE, []), ("search", HERE, []),
    ("notebooks/05_acp_net", "", []), ("notebooks/05_acp_net", "https://gitlab.com/a/b", []),
])
def test_a_chapter_is_launched_where_its_repository_can_be_found(pages, page, url, places):
    found = pages.launches(page, url)
    assert [button["text"] for button in found] == places
    assert all("someone/acp" in button["url"] and button["url"].endswith("05_acp_net.ipynb") for button in found)


@pytest.mark.parametrize(("page", "printed", "texts"), [
    ("book/intro", [], [".md"]), ("notebooks/05_acp_net", [], [".md", "To run (.ipynb)"]),
    ("book/intro", ["book"], [".md", "Whole book (.pdf)"]),
    ("notebooks/05_acp_net", ["book"], [".md", "To run (.ipynb)", "Whole book (.pdf)"]),
])
def test_downloads_are_offered_where_they_are_made(pages, monkeypatch, page, printed, texts):
    monkeypatch.setenv("ACP_REPOSITORY_URL", "")
    group = {"label": "download-buttons", "buttons": [{"text": ".md"}]}
    context = {"header_buttons": [group, {"label": "fullscreen-button"}], "pathto": lambda path, _: f"../{path}"}
    pages.offer(SimpleNamespace(config=SimpleNamespace(acp_printed=printed)), page, "page.html", context, None)
    assert [button["text"] for button in group["buttons"]] == texts and len(context["header_buttons"]) == 2
    assert [b["url"] for b in group["buttons"] if "pdf" in b["text"]] == [f"../{kind}.pdf" for kind in printed]


# notebooks that install what they need


@pytest.mark.slow
@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_a_plain_notebook_is_the_chapter_with_a_cell_that_installs(path):
    made = nbformat.reads(plain.notebook(path, HERE), 4)
    nbformat.validate(made)
    code = [cell for cell in made.cells if cell.cell_type == "code"]
    assert f"_project = '{HERE}'" in code[0].source and not any(cell.outputs for cell in code)
    source = [cell.source for cell in jupytext.read(path, fmt="md:myst").cells]
    assert [cell.source for cell in made.cells if cell is not code[0]] == source
    assert made.metadata == {"kernelspec": made.metadata["kernelspec"]}
    assert plain.notebook(path, HERE) == plain.notebook(path, HERE)


@pytest.mark.slow
@pytest.mark.parametrize(("address", "there", "after", "commands", "error"), [
    (HERE, False, True, ["git clone --quiet --depth 1 " + HERE + " acp", "pip --editable {here}/acp"], None),
    ("", False, True, ["pip --editable {above}"], None), ("", False, False, ["pip --editable {above}"], ImportError),
    (HERE, True, True, [], None), ("", True, True, [], None),
])
def test_the_first_cell_installs_the_project_where_it_is_not(tmp_path, monkeypatch, address, there, after, commands,
                                                             error):
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    monkeypatch.setattr("sys.path", [])
    found, told, shell = [there, after], [], InteractiveShell()
    shell.system = lambda line: told.append(line.replace("{_project}", shell.user_ns["_project"]))
    shell.register_magic_function(lambda line: told.append(line.replace("install --quiet", "pip")), "line", "pip")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object() if found.pop(0) else None)
    done = shell.run_cell(plain.INSTALL.format(project=address or ".."), silent=True)
    assert [line.strip() for line in told] == [
        line.format(here=tmp_path / "notebooks", above=tmp_path) for line in commands]
    assert type(done.error_in_exec) is (error or type(None))
    assert chapter.given(dict(shell.user_ns)) == {}, "a chapter would take it for a parameter"


@pytest.mark.slow
def test_all_notebooks_are_written_by_one_command(tmp_path):
    """With what the workflow installs: the standard library, jupytext and nbformat."""
    code = "import runpy, sys; sys.modules |= dict.fromkeys(['numpy', 'torch', 'sphinx']); " \
           "sys.argv = ['plain', *sys.argv[1:]]; runpy.run_module('acp_lib.book.plain', run_name='__main__')"
    subprocess.run([sys.executable, "-c", code, tmp_path / "made", HERE], cwd=ROOT, check=True)
    assert sorted(p.stem for p in (tmp_path / "made").iterdir()) == [path.stem for path in CHAPTERS]
    assert (tmp_path / f"made/{CHAPTERS[0].stem}.ipynb").read_text("utf8") == plain.notebook(CHAPTERS[0], HERE)


def test_other_places_take_their_environment_from_the_project():
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text("utf8"))
    assert (ROOT / ".devcontainer" / container["build"]["dockerfile"]).samefile(ROOT / "Dockerfile")
    folder = re.search(r"^WORKDIR (.*)", (ROOT / "Dockerfile").read_text("utf8"), re.M)[1]
    assert container["containerEnv"]["VENV"] == f"{folder}/.venv"
    asked = (ROOT / ".binder/requirements.txt").read_text("utf8").split()
    assert asked[0] == "-r" and (ROOT / ".binder" / asked[1]).samefile(ROOT / "requirements.txt")
    assert os.access(ROOT / ".binder/postBuild", os.X_OK)


@pytest.mark.parametrize(("body", "after"), [
    ('<div class="citation" id="id1" role="doc-biblioentry">', '<div class="citation" id="id1" role="listitem">'),
    ('<a role="doc-backlink" href="#id1">1</a>', '<a role="doc-backlink" href="#id1">1</a>'), ("", ""),
])
def test_references_are_items_of_their_list(pages, body, after):
    context = {"body": body}
    pages.items(None, "book/references", "page.html", context, None)
    assert context["body"] == after


def test_ci_makes_sure_of_a_browser_so_that_no_test_that_needs_one_is_skipped_there():
    steps = yaml.safe_load((ROOT / ".github/workflows/tests.yml").read_text("utf8"))["jobs"]["test"]["steps"]
    asked = [k for k, step in enumerate(steps) if step.get("run", "").startswith("google-chrome --version")]
    assert asked and asked[0] < next(k for k, step in enumerate(steps) if step.get("run") == "make test")
    assert "google-chrome" in BROWSERS
