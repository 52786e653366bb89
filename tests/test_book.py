"""The book's engine: what it refuses, what it hides, and a whole small book from a clean copy of the project."""

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import check_pages
import chromium
import jupytext
import nbformat
import pypdf
import pytest
import yaml
from conftest import COMPILED, corpus, extension_of_the_book
from test_printed import links
from test_project import CHAPTERS, files

from acp_lib import inputs, profiles
from acp_lib import study as studies
from acp_lib.audits import reconciled
from acp_lib.book import build as book
from acp_lib.book import early, kernels, printed, rendering
from acp_lib.book import prepare as preparing
from acp_lib.engine import cache as caching
from acp_lib.engine import processes
from acp_lib.figures import live
from acp_lib.profiles import ROOT
from acp_lib.results import recorded

SMALL = {"n_images": 80, "n_songs": 30, "seeds": 2, "epochs": 1, "pairs_per_epoch": 128, "test_pairs": 400,
         "probe_epochs": 2, "audit_seeds": 2, "audit_draws": 2, "audit_runs": 4}
NAMES = [path.stem for path in CHAPTERS]
TRACE = "Traceback (most recent call last)"
whole = pytest.mark.book


def given(values: dict) -> list[str]:
    """Parameters as a command line has them."""
    return [word for name, value in values.items() for word in ("-p", name, str(value))]


class Copy:
    """A copy of the project, and the commands that are run in it.

    work : what is kept between runs, if that is to lie elsewhere
    """

    def __init__(self, folder: Path, work: Path | None = None):
        self.folder, self.work = folder.resolve() / "project", (work or folder / "work").resolve()
        for path in files():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / path, self.folder / path)
        machine_code = self.folder / COMPILED.relative_to(ROOT)
        machine_code.mkdir(exist_ok=True)
        for path in COMPILED.glob("*.nb?"):  # numba takes it for what lies beside it, which is equal and as old
            shutil.copy2(path, machine_code)

    def run(self, *command, **environment) -> subprocess.CompletedProcess:
        """A command with this Python, on one thread a process; what one process compiles the next ones take up."""
        one = dict.fromkeys((f"{n}_NUM_THREADS" for n in ("OMP", "MKL", "OPENBLAS", "NUMBA")), "1")
        own = {"PYTHONPATH": str(self.folder), "ACP_WORK": str(self.work), "PYTHONDONTWRITEBYTECODE": ""}
        return subprocess.run([sys.executable, "-m", *map(str, command)], cwd=self.folder, text=True,
                              capture_output=True, env=os.environ | one | own | environment)

    def book(self, *arguments, **values) -> subprocess.CompletedProcess:
        """The engine with the small book's parameters, some of them replaced."""
        return self.run("acp_lib.book", "mini", *given(SMALL | values), "-j", 2, *arguments)

    def home(self, **values) -> Path:
        """Folder of the book that `book` makes."""
        return self.folder / profiles.load("mini", **SMALL | values).home.relative_to(ROOT)


@cache
def the_copy(base: Path) -> Copy:
    """The one copy of a test process, in its temporary folder. What is kept between runs, the mini database above all,
    is that of all processes of the session.
    """
    session = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    return Copy(base / "copy", session / "work")


@pytest.fixture(scope="session")
def copy(tmp_path_factory) -> Copy:
    return the_copy(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session")
def made(copy) -> SimpleNamespace:
    """A small book, made from nothing."""
    done = copy.book()
    assert done.returncode == 0, done.stderr[-5000:]
    build = copy.home() / "_build"
    return SimpleNamespace(copy=copy, build=build, html=build / "html", results=build / "results", out=done.stdout,
                           pages=check_pages.read(build / "html"))


def page(made, name: str) -> check_pages.Page:
    return made.pages[made.html.resolve() / f"{name}.html"]


@pytest.mark.slow
@pytest.mark.parametrize(("file", "chapters"), [
    ("figures/power.py", ["19_power"]), ("figures/hearing.py", ["02_hearing"]),
    ("figures/retrieval.py", ["14_retrieval"]), ("audits/verdicts.yml", "all"), ("figures/style.py", "all"),
    ("profiles/__init__.py", "all"), ("engine/text.py", "all"), ("book/report.py", "all"), ("book/build.py", []),
    ("matching/page.py", []), ("findings/record.py", []),
])
def test_a_chapter_follows_the_files_that_it_may_compute_with_or_show(monkeypatch, file, chapters):
    run = book.Run(profiles.load("mini"), {})
    before = {c.name: c.key for c in run.chapters if c.name < book.LAST}
    real, changed_file = caching.file_digest, caching.PACKAGE / file
    monkeypatch.setattr(caching, "file_digest", lambda path: "changed" if path == changed_file else real(path))
    changed = [c.name for c in run.chapters if c.name in before and c.key != before[c.name]]
    assert changed == (list(before) if chapters == "all" else chapters)


@pytest.mark.slow
@pytest.mark.parametrize(("text", "names"), [
    ("from acp_lib import paper\n", ["acp_lib", "acp_lib.paper"]),
    ("from acp_lib.figures import power as drawn, style\n", ["acp_lib.figures.power", "acp_lib.figures.style"]),
    ("from acp_lib.figures import (\n    power,\n    style,\n)\nx = 1\n",
     ["acp_lib.figures.power", "acp_lib.figures.style"]),
    ("if here:\n    from acp_lib.study import Study\n", ["acp_lib.study"]),
    ("import numpy, acp_lib.paper as known\n", ["acp_lib.paper"]),
    ("from acp_lib.models (in prose, (not closed\nimport as you like: \"\n", []),
    ("from numpy import acp_lib\nprint('import acp_lib.paper')\n", []),
])
def test_what_a_chapter_imports_is_found_however_it_is_written(text, names):
    found = caching.imported(text)
    assert set(names) <= found and ("acp_lib.paper" in names or "acp_lib.paper" not in found)
    caching.shown_key(found)  # whatever it is


@pytest.mark.slow
def test_a_chapter_follows_what_is_recorded(monkeypatch, tmp_path):
    def key():
        return book.Run(profiles.load("mini"), {}).chapters[0].key

    monkeypatch.setattr(recorded, "FOLDER", tmp_path)
    before = key()
    (tmp_path / "folds.json").write_text("{}")
    assert key() != before


@pytest.fixture
def engine(tmp_path, monkeypatch):
    """`book.main` in this process, with nothing that it may run."""
    for name in ("PYTHONPATH", "JUPYTER_RUNTIME_DIR", "JUPYTER_PREFER_ENV_PATH", "TMPDIR"):
        monkeypatch.setenv(name, "")  # put back after the test
    monkeypatch.setenv("ACP_WORK", str(tmp_path / "work"))

    def refuse(*_):
        raise AssertionError("something ran")

    for module, name in ((book, "execute_all"), (rendering, "render"), (preparing, "prepare")):
        monkeypatch.setattr(module, name, refuse)
    yield book.main
    assert not (tmp_path / "work").exists()


# what is refused


@pytest.mark.slow
@pytest.mark.parametrize(("arguments", "message"), [
    ("mini -p nonsense 1", "unknown parameter 'nonsense'; expected some of profile, seed, seeds"),
    ("mini -p epochs two", "epochs is 'two'; expected int"),
    ("mini -p epochs 1.5", "epochs is '1.5'; expected int"),
    ("mini -p epochs 0", "epochs is 0; expected at least 1"),
    ("mini -p dropout nan", "dropout is nan; expected a finite number"),
    ("mini -p pairs wrong", "pairs is 'wrong'; expected one of class_balanced, uniform"),
    ("paper", "profile is 'paper'; expected one of emid, folder, imac, mini"),
    ("folder", "data is empty; profile 'folder' needs the folder of your pictures and music"),
    ("imac", "data is empty; profile 'imac' needs"),
    ("emid", "data is empty; profile 'emid' needs"),
    ("folder -p data nowhere", f"data is '{Path.cwd() / 'nowhere'}', which is no folder"),
    ("folder -p data Makefile", f"data is '{Path.cwd() / 'Makefile'}', which is no folder"),
    ("folder -p data . -p weights nowhere",
     f"weights is '{Path.cwd() / 'nowhere'}', which is no file; expected imagenet, random, or the path"),
    ("mini -p alexnet_weights tests",
     f"alexnet_weights is '{Path.cwd() / 'tests'}', which is no file; expected imagenet, random, or the path"),
    ("mini --only 99_none", "--only is '99_none'; expected one of 01_database"),
    ("mini --only 0", "--only is '0'; expected one of 01_database"),
    ("mini -j 0", "--jobs is 0; expected at least 1"),
    ("mini --timeout -1", "--timeout is -1; expected at least 1"),
])
def test_a_wrong_argument_is_refused_before_anything_runs(engine, capsys, arguments, message):
    assert engine(arguments.split()) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith(f"error: {message}")


@pytest.mark.parametrize("arguments", ["mini --nonsense", "mini -p epochs", "mini -j two", "mini folder"])
def test_what_is_no_command_line_is_refused(engine, capsys, arguments):
    with pytest.raises(SystemExit) as stop:
        engine(arguments.split())
    assert stop.value.code == 2 and "usage: python -m acp_lib.book" in capsys.readouterr().err


def test_help_names_options_and_examples(engine, capsys):
    with pytest.raises(SystemExit) as stop:
        engine(["--help"])
    out = capsys.readouterr().out
    assert stop.value.code == 0
    assert all(word in out for word in ("examples:", "--only", "--no-render", "--jobs", "emid, folder, imac, mini"))


@pytest.mark.slow
def test_data_and_weights_that_cannot_be_used_stop_with_one_line(tmp_path, monkeypatch, capsys):
    for name in ("JUPYTER_RUNTIME_DIR", "PYTHONPATH", "TMPDIR"):
        monkeypatch.setenv(name, "")
    monkeypatch.setattr(book, "execute_all", None)
    arguments = ["-p", "work", str(tmp_path / "work"), "-p", "results", str(tmp_path / "results"), "-p", "weights"]
    (tmp_path / "mine/music/neutral").mkdir(parents=True)
    corpus(tmp_path / "whole", pictures=3, songs=3)
    for data, weights, message in (("mine", "random", "error: mine has no folder 'images'; expected"),
                                   ("whole", __file__, "error: weights file test_book.py does not read as")):
        assert book.main(["folder", "-p", "data", str(tmp_path / data), *arguments, weights]) == 1
        err = capsys.readouterr().err
        assert err.splitlines()[-1].startswith(message) and TRACE not in err


@pytest.mark.slow
@pytest.mark.parametrize("module", ["book.__main__", "features.__main__", "audits.__main__"])
def test_an_interrupted_command_says_how_to_go_on(engine, monkeypatch, capsys, module):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(book, "build", interrupt)
    monkeypatch.setattr(studies, "Study", interrupt)
    assert importlib.import_module(f"acp_lib.{module}").main(["mini"]) == 130
    assert capsys.readouterr().err == "stopped; the same command goes on where it was\n"


def test_choose_takes_names_or_their_beginnings():
    run = book.Run(profiles.load("mini"), {})
    assert [c.name for c in run.chapters] == [c.name for c in book.choose(run, [])] == NAMES
    assert [c.name for c in book.choose(run, ["05", "01_database"])] == ["01_database", "05_acp_net"]


# what a published page hides and shows


def test_scrub_replaces_paths_and_nothing_else():
    hidden = {"/book": ".", "/book/data/mine": "mine", "/root": "~"}
    code = "QUJD" * 60 + "/book/"
    value = {"a": ["at /book/data/mine/x.jpg", "/bookshelf ../book/intro /book-2", 1, None], "b": "'/root/x' /book"}
    assert rendering.scrub(value, hidden) == {"a": ["at mine/x.jpg", "/bookshelf ../book/intro /book-2", 1, None],
                                              "b": "'~/x' ."}
    assert rendering.scrub(code, hidden) == code


def test_where_the_user_stands_hides_nothing_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "" not in book.Run(profiles.load("mini"), {}).hidden.values()


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run on someone's own folder whose book lies in `tmp_path`."""
    monkeypatch.setenv("ACP_BUILD", str(tmp_path))
    monkeypatch.setenv("ACP_WORK", str(tmp_path / "_work"))
    data = tmp_path / "some where/mine & co"
    data.mkdir(parents=True)
    values = {"data": str(data), "weights": "random", "results": str(tmp_path / "results"), "epochs": 2}
    return book.Run(profiles.load("folder", **values), values)


def test_hidden_covers_every_place_that_a_run_knows(run, tmp_path):
    places = [run.profile.data, str(tmp_path / "results"), str(tmp_path / "_work"), str(Path.home()),
              tempfile.gettempdir()]
    hidden = [rendering.scrub(f"{p}/x", run.hidden) for p in places]
    assert hidden == ["mine & co/x", "results/x", "work/x", "~/x", "tmp/x"]
    assert rendering.scrub("random", run.hidden) == "random"


def test_config_of_a_book_that_departs_says_so_on_every_page(run):
    settings = yaml.safe_load(rendering.config(run))
    assert settings["execute"]["execute_notebooks"] == "off"
    assert settings["html"]["announcement"] == (
        "Profile folder · data mine &amp; co · weights random · results results · epochs 2")
    plain = yaml.safe_load(rendering.config(book.Run(profiles.load("mini"), {})))
    assert "announcement" not in plain["html"]


@pytest.mark.slow
def test_publish_drops_what_belongs_to_this_machine(run, tmp_path):
    chapter = run.chapters[0]
    notebook = jupytext.read(chapter.source, fmt="md:myst")
    notebook.metadata["papermill"] = {"start_time": "today"}
    cell = notebook.cells[-2]
    cell.metadata["papermill"] = {"duration": 1}
    cell.outputs = [nbformat.v4.new_output("stream", name="stderr", text="a warning"),
                    nbformat.v4.new_output("stream", name="stdout", text=f"in {run.profile.data}\n")]
    chapter.executed.parent.mkdir(parents=True)
    nbformat.write(notebook, chapter.executed)
    book.write(chapter.record, json.dumps({"key": "", "seconds": 2.5}))
    published = json.loads(rendering.publish(chapter))
    assert set(published["metadata"]) <= {"kernelspec", "language_info", "acp_seconds"}
    assert published["metadata"]["acp_seconds"] == 2.5
    assert all(set(c["metadata"]) <= {"tags", "mystnb"} for c in published["cells"])
    assert [o["text"] for o in published["cells"][-2]["outputs"]] == ["in mine & co\n"]


def test_sockets_are_short_enough_for_the_system(monkeypatch, tmp_path):
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", "/tmp/acp-x")
    assert book.sockets("05") == {"transport": "ipc", "ip": "/tmp/acp-x/05", "connection_file": "/tmp/acp-x/05.json"}
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", "/tmp/" + "long" * 25)
    assert set(book.sockets("05")) == {"connection_file"}


@pytest.mark.parametrize("label", ["(chapter-x)=\n", ""])
def test_a_page_that_is_to_come_has_its_label_and_its_title(label):
    text = f"---\njupytext: 1\n---\n\n{label}# A title: *one*\n\nProse.\n\n## A part\n"
    assert early.to_come(text) == f"{label}# A title: *one*\n\n{early.TO_COME}\n"


@pytest.mark.slow
def test_pages_that_are_early_have_the_names_of_the_whole_books(run, monkeypatch):
    monkeypatch.setattr(rendering, "publish", lambda chapter: "{}")
    folders = early.stage(run, run.build / "early/source"), rendering.stage(run)
    first, whole_book = ({p.relative_to(folder) for p in rendering.files(folder)} for folder in folders)
    assert first == whole_book and len(first) > 40
    assert early.ANNOUNCED in (folders[0] / "_config.yml").read_text("utf8")
    kept = {path.stem for path in (folders[0] / "book").glob("*.md") if early.TO_COME not in path.read_text("utf8")}
    assert {"intro", "how_to", "glossary", "ledger"} <= kept and not kept & set(early.LATER)


@pytest.mark.parametrize("then", ["made", "fails", "no first page", "the book was faster", "was there"])
def test_early_pages_give_way_to_a_book_and_leave_nothing(run, monkeypatch, capsys, then):
    """Sphinx is stood in for by two pages."""
    asked = []

    def sphinx(source, _, folder, __):
        asked.append(source)
        pages = folder / "_build/html"
        (pages / "book").mkdir(parents=True)
        unknown = '<code class="xref std std-numref docutils"><span class="pre">tab-a-4</span></code>'
        (pages / "book/intro.html").write_text(f"({unknown})")
        (pages / ".buildinfo").write_text("")
        if then != "no first page":
            (pages / "index.html").write_text("early")
        if then == "the book was faster":
            whole_book(run.build / "html")
        return int(then == "fails"), "told later"

    def whole_book(folder):
        folder.mkdir(parents=True)
        (folder / "index.html").write_text("whole")

    monkeypatch.setattr(rendering, "sphinx", sphinx)
    if then == "was there":
        whole_book(run.build / "html")
    early.render(run)
    index, said = run.build / "html/index.html", capsys.readouterr()
    assert len(asked) == (then != "was there") and not (run.build / "early").exists()
    assert (index.read_text() if index.exists() else None) == {
        "made": "early", "fails": None, "no first page": None}.get(then, "whole")
    assert said.out == (f"first pages {index}\n" if then == "made" else "") and said.err == ""
    if then == "made":
        assert (index.parent / "book/intro.html").read_text() == "(table to come)"
        assert not (index.parent / ".buildinfo").exists()


@pytest.mark.slow
@pytest.mark.parametrize("changed", ["nothing", "source", "results", "page", "gone", "address", "citation",
                                     "extension"])
def test_pages_are_rendered_where_what_they_are_made_from_changed(run, monkeypatch, tmp_path, changed):
    """Sphinx is stood in for by one page."""
    monkeypatch.setattr(rendering, "ROOT", tmp_path)
    files = {"source": run.build / "source/a.md", "results": run.profile.results_path / "table4.json",
             "page": run.build / "html/b.html", "citation": tmp_path / "CITATION.cff",
             "extension": tmp_path / "book/_ext/acp_x.py"}
    for path in files.values():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1")
    asked = []

    def sphinx(*_):
        asked.append((run.build / ".doctrees").exists())
        (run.build / ".doctrees").mkdir(exist_ok=True)
        (run.build / "html/index.html").write_text("")
        (run.build / "source/__pycache__").mkdir(exist_ok=True)
        (run.build / "source/__pycache__/a.pyc").write_text(str(len(asked)))
        return 0, ""

    monkeypatch.setattr(rendering, "stage", lambda run: run.build / "source")
    monkeypatch.setattr(rendering, "sphinx", sphinx)
    assert rendering.render(run) == rendering.render(replace(run)) == run.build / "html/index.html" and asked == [False]
    if changed in files:
        files[changed].write_text("another")
    if changed == "gone":
        files["page"].unlink()
    if changed == "address":
        monkeypatch.setenv("ACP_REPOSITORY_URL", "https://github.com/a/b")
    rendering.render(replace(run))  # another run of the command
    assert len(asked) == (1 if changed == "nothing" else 2)
    seen = changed not in ("address", "citation", "extension")  # by Sphinx itself; else it has to read every page again
    assert asked == [False, seen][:len(asked)]


@pytest.mark.slow
def test_pages_whose_sources_changed_while_they_were_rendered_are_rendered_again(run, monkeypatch):
    source, asked = run.build / "source/a.md", []
    source.parent.mkdir(parents=True)
    source.write_text("0")

    def sphinx(*_):
        asked.append(1)
        (run.build / "html").mkdir(exist_ok=True)
        (run.build / "html/index.html").write_text("")
        source.write_text(str(min(len(asked), 2)))
        return 0, ""

    monkeypatch.setattr(rendering, "stage", lambda run: run.build / "source")
    monkeypatch.setattr(rendering, "sphinx", sphinx)
    for _ in range(4):
        rendering.render(run)
    assert len(asked) == 3


@pytest.mark.slow
def test_an_error_of_sphinx_is_told(run):
    code, said = rendering.sphinx("--no-such-option")
    assert code == 2 and "--no-such-option" in said


@pytest.mark.slow
def test_a_chapter_whose_prose_alone_changed_keeps_its_outputs(run, monkeypatch):
    chapter = book.Chapter("04_splits_and_pairs", run)
    ran = jupytext.read(chapter.source, fmt="md:myst")
    place = next(k for k, cell in enumerate(ran.cells) if "parameters" in cell.metadata.get("tags", ()))
    ran.cells.insert(place + 1, nbformat.v4.new_code_cell("seed = 3", metadata={"tags": ["injected-parameters"]}))
    for k, cell in enumerate(cell for cell in ran.cells if cell.cell_type == "code"):
        cell.outputs = [nbformat.v4.new_output("stream", text=f"output {k}")]
    chapter.executed.parent.mkdir(parents=True)
    nbformat.write(ran, chapter.executed)
    chapter.keep(chapter.key, chapter.text, 1.5)
    assert chapter.current

    text = chapter.text.replace("## 70 : 10 : 20\n", "## 70 : 10 : 20\n\nA sentence more.\n")
    monkeypatch.setattr(book.Chapter, "text", text)
    assert text != ran and chapter.computed and not chapter.current
    assert book.execute(chapter, 60, bar=False) == ("prose", 0.0) and chapter.current
    now = nbformat.read(chapter.executed, 4)
    assert any("A sentence more." in cell.source for cell in now.cells if cell.cell_type == "markdown")
    code = [[(cell.source, cell.outputs) for cell in some.cells if cell.cell_type == "code"] for some in (ran, now)]
    assert code[0] == code[1] and chapter.last["seconds"] == 1.5
    monkeypatch.setattr(book.Chapter, "text", text.replace("seed: int = None", "seed: int = 4"))
    assert not chapter.computed


# the Sphinx extension: the cache of plain `jupyter-book build .`


@pytest.fixture(scope="module")
def extension():
    return extension_of_the_book("acp_book")


@pytest.mark.slow
@pytest.mark.parametrize(("variable", "results"), [("ACP_BUILD", "_build/results"), ("ACP_RESULTS", "tables/mini")])
def test_the_cache_of_executed_chapters_follows_code_data_and_results(extension, tmp_path, monkeypatch, variable,
                                                                      results):
    monkeypatch.setenv("ACP_BUILD", str(tmp_path))
    monkeypatch.setenv(variable, str(tmp_path / results.removesuffix("_build/results").removesuffix("/mini")))

    def folder():
        config = SimpleNamespace(nb_execution_mode="cache", nb_execution_cache_path="")
        extension.fresh_cache(None, config)
        Path(config.nb_execution_cache_path).mkdir(parents=True, exist_ok=True)
        return Path(config.nb_execution_cache_path)

    first = folder()
    assert folder() == first and first.parent == tmp_path / "_build/.jupyter_cache"
    shutil.rmtree(tmp_path / results)
    second = folder()
    assert second != first and not first.exists()
    monkeypatch.setattr(inputs, "input_key", lambda profile: "another")
    assert folder() != second and not second.exists()


def test_the_cache_is_left_alone_where_nothing_is_executed(extension, tmp_path, monkeypatch):
    monkeypatch.setenv("ACP_BUILD", str(tmp_path))
    config = SimpleNamespace(nb_execution_mode="off")
    extension.fresh_cache(None, config)
    assert list(tmp_path.iterdir()) == [] and not hasattr(config, "nb_execution_cache_path")


@pytest.mark.parametrize(("body", "scripts"), [
    ("<p>game</p>", ["acp.js"]), (live.box("game", {}), ["acp.js", "game.js"]),
    (live.box("ranking", {}) + live.box("game", {}) * 2, ["acp.js", "game.js", "ranking.js"]),
    (live.box("power", {"a": '<div class="acp-live" data-figure="game"'}), ["acp.js", "power.js"]),
])
def test_a_page_loads_the_scripts_of_its_live_figures_once_it_is_read(extension, body, scripts):
    added = []
    app = SimpleNamespace(add_js_file=lambda name, loading_method: added.append((name, loading_method)))
    extension.scripts_where_needed(app, "page", "page.html", {"body": body}, None)
    assert added == [(name, "defer") for name in scripts] and all((ROOT / "book/_static" / n).exists() for n in scripts)


SETTINGS = """
import importlib.util, os, subprocess, sys
from pathlib import Path
spec = importlib.util.spec_from_file_location("acp_book", "book/_ext/acp_book.py")
extension = importlib.util.module_from_spec(spec)
spec.loader.exec_module(extension)
extension.own_library(Path.cwd())
ask = "from acp_lib import profiles; p = profiles.load(); print(p.results_path, p.work_path, p.home, profiles.ROOT)"
print(subprocess.run([sys.executable, "-c", ask], cwd="notebooks", capture_output=True, text=True).stdout)
"""


@pytest.mark.slow
def test_a_chapter_of_plain_jupyter_book_finds_things_where_the_reader_who_calls_it_put_them(tmp_path):
    given = {"ACP_RESULTS": "r", "ACP_WORK": "~/w", "ACP_BUILD": str(tmp_path), "PYTHONPATH": ""}
    done = subprocess.run([sys.executable, "-c", SETTINGS], cwd=ROOT, env=os.environ | given, capture_output=True,
                          text=True, check=True)
    assert done.stdout.split() == [str(ROOT / "r/mini"), str(Path.home() / "w"), str(tmp_path), str(ROOT)]


def test_readers_of_results_are_read_again_with_any_page_while_sphinx_runs_the_chapters(extension):
    app = SimpleNamespace(config=SimpleNamespace(acp_result_readers=["last", "gone"], nb_execution_mode="cache"))
    env = SimpleNamespace(found_docs={"first", "last"})
    assert extension.result_readers(app, env, set(), {"first"}, set()) == {"last"}
    assert extension.result_readers(app, env, set(), set(), set()) == set()


def test_readers_of_results_that_were_there_before_are_read_again_when_these_changed(extension, tmp_path):
    app = SimpleNamespace(config=SimpleNamespace(acp_result_readers=["last", "gone"], nb_execution_mode="off",
                                                 acp_results=str(tmp_path)))
    env, some = SimpleNamespace(found_docs={"first", "last"}), tmp_path / "table4.json"

    def again():
        return extension.result_readers(app, env, set(), {"first"}, set())

    assert again() == {"last"}  # nothing is known of them yet
    assert again() == set()
    for text in ("[]", "[1]"):
        some.write_text(text)
        assert again() == {"last"} and again() == set()
    some.unlink()
    assert again() == {"last"} and again() == set()


@pytest.mark.parametrize("computed, loaded", [((True, True), False), ((True, False), True)])
def test_what_chapters_need_is_loaded_if_one_has_to_run(monkeypatch, computed, loaded):
    chapters = [SimpleNamespace(name=str(i), computed=done, current=True) for i, done in enumerate(computed)]
    run = SimpleNamespace(chapters=chapters, profile=None)
    monkeypatch.setattr(processes, "PRELOADED", ["torch"])
    monkeypatch.setattr(preparing, "prepare", lambda profile: None)
    monkeypatch.setattr(book, "execute_all", lambda *given: None)
    book.build(run, only=[], jobs=1, timeout=1, rendered=False)
    assert (["torch", *kernels.IMPORTED] if loaded else []) == processes.PRELOADED


def test_every_parameter_is_described(extension):
    class Described(extension.Parameters):
        env = SimpleNamespace(note_reread=lambda: None)

        def __init__(self):
            """Nothing of a page is asked for."""

    rows = [line.split(" | ") for line in Described().text().splitlines() if "`" in line.split(" | ")[0]]
    assert len(rows) == len(profiles.OPTIONS) and all(row[-1].strip(" |") for row in rows)


# a whole small book


@whole
def test_no_page_is_wider_than_its_window_or_has_an_error_to_report(made, browser):
    drawn = chromium.pages(made.html)
    assert len(drawn) == len(made.pages) - 1, "all but the first file, which leads on"
    assert [line for path in drawn for line in chromium.problems(browser, path)] == []


@whole
def test_no_text_of_a_drawing_is_cut_off_and_names_of_rows_have_room(made, browser, tmp_path):
    assert len(list(made.html.glob("_images/*-narrow.svg"))) > 40
    assert chromium.drawings(browser, made.html, tmp_path) == []


@whole
def test_the_book_is_printed_with_every_page_and_links_that_lead_within_it(made, browser, tmp_path):
    file = printed.write(made.html, "book").rename(tmp_path / "book.pdf")  # the folder stays as it was rendered
    inner, outer = links(file)
    pdf = pypdf.PdfReader(file)
    assert len(inner) > 500 and max(inner) < len(pdf.pages) and all(url.startswith("http") for url in outer)
    told = ["".join(entry.title.split()) for entry in pdf.outline if not isinstance(entry, list)]
    documents = [document for _, some in printed.contents() for document in some]
    assert told == ["".join(printed.Article(made.html, d, documents).title.split()) for d in documents]
    assert str(made.html).encode() not in file.read_bytes()


@whole
def test_live_figures_are_drawn_where_their_scripts_are(made, browser):
    drawn = {name: sorted(set(re.findall(r'<div class="acp-live" data-figure="(\w+)"', p.text)))
             for path, p in made.pages.items() for name in [path.stem]}
    assert {name: figures for name, figures in drawn.items() if figures} == {
        "07_right_and_wrong": ["game"], "10_shortcuts": ["guessers"], "14_retrieval": ["ranking"],
        "19_power": ["power"]}
    for path in chromium.pages(made.html):
        p = made.pages[path.resolve()]
        loaded = [Path(tag["src"].split("?")[0]).stem for tag in p.soup.find_all("script", src=True)]
        scripts = [name for name in loaded if name in ("acp", *live.FIGURES)]
        assert scripts == ["acp", *drawn[path.stem]]
        if drawn[path.stem]:
            browser.open(path)
            assert browser.value("document.querySelector('.acp-live :is(button, input)') !== null"), path.stem


@whole
def test_pages_are_whole(made):
    assert check_pages.problems(made.html, made.pages) == []
    assert f"book {made.html / 'index.html'}" in made.out
    assert [line.split()[:2] for line in sorted(made.out.splitlines()) if line.startswith("ok ")] == [
        ["ok", name] for name in NAMES]


@whole
def test_no_page_is_left_that_is_to_come(made):
    assert [p for p in made.html.rglob("*.html") if early.ANNOUNCED in (said := p.read_text("utf8"))
            or early.TO_COME.split("`")[0] in said] == []
    assert not (made.build / "early").exists()


@whole
def test_pages_show_no_path(made):
    for file in made.html.rglob("*"):
        if file.suffix in (".html", ".ipynb", ".js", ".txt"):
            text = file.read_text("utf8")
            assert str(made.copy.folder) not in text and str(made.copy.work) not in text, file


@whole
@pytest.mark.parametrize("name", NAMES)
def test_every_chapter_says_what_it_ran_on(made, name):
    text = page(made, f"notebooks/{name}").soup.get_text(" ", strip=True)
    assert re.search(r"Synthetic data\s*, which says nothing about IMAC: \d", text)
    assert "seeded random weights" in text and "profile mini, seed 0 (" in text
    assert "Profile mini · n_images 80 · n_songs 30 · seeds 2 · epochs 1" in text  # what departs from the mini book


@whole
@pytest.mark.parametrize("name", NAMES)
def test_figures_and_tables_are_numbered_and_referred_to(made, name):
    found = page(made, f"notebooks/{name}")
    number = NAMES.index(name) + 1
    captions = [tag.get_text().split() for tag in found.soup.find_all(class_="caption-number")]
    for kind in ("Fig.", "Table"):
        own = [n for k, n in captions if k == kind]
        assert own == [f"{number}.{i + 1}" for i in range(len(own))]
    references = [tag.get_text() for tag in found.soup.find_all(class_="std-numref")]
    assert captions and references
    assert all(re.fullmatch(r"(Fig\.|Table|Exercise) \d+\.\d+", r) for r in references)
    assert "??" not in found.soup.find("article").get_text()
    read = "".join(text for text in found.soup.find_all(string=True) if not text.find_parent("pre"))  # code is quoted
    assert "{numref}" not in read and "{ref}" not in read and "{glue:" not in read


@whole
@pytest.mark.parametrize("name", NAMES)
def test_exercises_have_folded_solutions_and_code_shows_what_it_computed(made, name):
    soup = page(made, f"notebooks/{name}").soup
    asked, told = soup.select("div.exercise"), soup.select("details.solution")
    assert len(asked) == len(told) >= 3 and not any(fold.has_attr("open") for fold in told)
    computed = [fold for fold in told if fold.select("div.cell_input")]
    assert computed and all(fold.select_one("div.cell_output").get_text(strip=True) for fold in computed)
    opening = soup.find("article").get_text(" ", strip=True)
    assert re.search(r"What it takes \d+ minutes to read \([\d,]+ words\); (less than a|about \d+) minutes? to run",
                     opening)
    assert "How to cite this chapter" in opening


@whole
@pytest.mark.parametrize("name", NAMES)
def test_the_executed_notebook_can_be_downloaded(made, name):
    link = f"../_sources/notebooks/{name}.ipynb"
    assert link in [a.get("href") for a in page(made, f"notebooks/{name}").soup.find_all("a")]
    notebook = nbformat.read(made.html / "notebooks" / link, 4)
    code = [c for c in notebook.cells if c.cell_type == "code"]
    assert all(c.execution_count for c in code)
    outputs = [o for c in code for o in c.outputs]
    assert outputs and not [o for o in outputs if o.output_type == "error" or o.get("name") == "stderr"]
    injected, = (c.source for c in code if "injected-parameters" in c.metadata.get("tags", ()))
    assert "n_images = 80" in injected
    assert "{glue:" not in "".join(c.source for c in notebook.cells if c.cell_type == "markdown")


@whole
def test_players_hold_mp3(made):
    players = [tag for found in made.pages.values() for tag in found.soup.find_all("audio")]
    assert len(players) >= 6
    assert {tag["src"].split(",")[0] for tag in players} == {"data:audio/mpeg;base64"}
    assert all(tag["aria-label"] for tag in players)


@whole
def test_mathematics_and_fonts_are_local(made):
    assert any(found.soup.find("math") for found in made.pages.values())
    sources = {tag["src"] for found in made.pages.values() for tag in found.soup.find_all("script", src=True)}
    assert sources and not [s for s in sources if "://" in s]


@whole
def test_times_of_this_run_are_told(made):
    text = page(made, "book/status").soup.find("article").get_text(" ", strip=True)
    for name in NAMES:
        seconds = json.loads((made.results / f".runs/{name}.json").read_text())["seconds"]
        assert seconds > 0 and str(seconds) in text


@whole
@pytest.mark.parametrize("number", range(1, 6))
def test_results_hold_the_papers_value_ours_and_where_it_comes_from(made, number):
    rows = json.loads((made.results / f"table{number}.json").read_text("utf8"))
    assert rows and all({"paper", "ours", "provenance"} <= set(row) for row in rows)
    for row in rows:
        source = row["provenance"]
        assert source["settings"].items() >= (SMALL | {"seed": 0}).items()
        assert source["synthetic"] is True and source["data"] == "the synthetic mini database"
        assert {"python", "torch", "librosa", "numpy"} <= set(source["versions"])
        for name in ("data_fingerprint", "image_weights_digest", "test_pairs_digest", "code"):
            assert re.fullmatch("[0-9a-f]{16,64}", source[name]), name
    assert str(made.copy.folder) not in json.dumps(rows)


@whole
def test_every_result_with_a_score_of_acp_net_says_which_network_it_is_of(made):
    audited = ("standing", "how_sure", "power", "specifications")
    found = {path.stem: json.loads(path.read_text("utf8")) for path in made.results.glob("*.json")}
    held = {name: [row for row in rows if reconciled.is_accuracy(row)] for name, rows in found.items()}
    assert {name for name, rows in held.items() if rows} == {"table4", "table5", *audited}
    assert {row["network"] for name in ("table4", "table5") for row in held[name]} == {"main"}
    assert {row["network"] for name in audited for row in held[name]} == {
        "audit, an eighth of the width"}
    listed = reconciled.accuracies({name: rows for name, rows in found.items() if name in reconciled.CHAPTERS})
    text = page(made, "notebooks/90_paper_versus_ours").soup.get_text(" ")
    assert all(f"{row['ours']:.1f}" in text for row in listed)


@whole
def test_the_papers_numbers(made):
    one, two, three, four, five = (json.loads((made.results / f"table{n}.json").read_text("utf8")) for n in range(1, 6))
    assert {row["row"]: set(row["paper"]) for row in one} == {
        "positive": {"amusement", "awe", "excitement"}, "neutral": {"contentment"},
        "negative": {"anger", "disgust", "fear", "sadness"}}
    assert [(r["class"], r["paper"]) for r in two if r["what"] == "clean tags"] == [
        ("positive", 952), ("neutral", 752), ("negative", 1267)]
    assert {(r["what"], r["row"]): r["paper"] for r in three}[("songs", "all")] == 3812
    assert {r["row"]: r["paper"] for r in four if r["paper"]} == {
        "L3-Net": 57.17, "Spectrogram-ACP": 55.84, "ACP-Net": 61.67}
    assert [r["paper"] for r in five if r["paper"]] == [12.5, 46.5, 58.6, 40.4, 33.3, 47.8, 63.5]


@whole
def test_our_numbers(made):
    one, three, four = (json.loads((made.results / f"table{n}.json").read_text("utf8")) for n in (1, 3, 4))
    assert all(set(row["ours"]) == set(row["paper"]) for row in one)
    counts = {(r["what"], r["row"]): r["ours"] for r in three}
    for what in ("pictures", "songs"):
        assert counts[what, "all"] == sum(counts[what, c] for c in ("positive", "neutral", "negative"))
    assert 60 <= counts["pictures", "all"] <= 80 + 8 and 25 <= counts["songs", "all"] <= 30
    acp, = (row for row in four if row["row"] == "ACP-Net")
    assert 0 < acp["ours"] < 100 and acp["chance"] == 50 and acp["n_pairs"] == 400
    assert acp["seeds"] == [0, 1] and len(acp["values"]) == 2
    assert acp["ours"] == pytest.approx(sum(acp["values"]) / 2)
    low, high = acp["interval"]
    assert low <= acp["ours"] <= high and 0 <= acp["stuck"] <= 2
    shown = page(made, "notebooks/90_paper_versus_ours").soup.find("article").get_text(" ", strip=True)
    assert re.search(rf"ACP-Net \(main\) ?: 61.67 % in the paper on IMAC, {acp['ours']:.1f} % here", shown)


@whole
def test_a_second_run_keeps_every_chapter(made):
    start = time.monotonic()
    folders = [made.build / name for name in ("source", "html")]
    before = {p: p.stat().st_mtime_ns for folder in folders for p in folder.rglob("*")}
    done = made.copy.book()
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert sorted(lines[:-1]) == [f"kept {name}" for name in NAMES] and lines[-1] == f"book {made.html / 'index.html'}"
    assert before == {p: p.stat().st_mtime_ns for folder in folders for p in folder.rglob("*")}
    assert time.monotonic() - start < 120


# one chapter, again and again

OTHER = {"test_pairs": 300}  # a book of its own on the same features


def chapter(copy, name="04_splits_and_pairs", *arguments, **values) -> subprocess.CompletedProcess:
    return copy.book("--only", name, "--no-render", *arguments, **OTHER | values)


@pytest.fixture
def edit(copy):
    """Replaces text in a file of the copy, until the end of the test."""
    kept = {}

    def replace(path: str, old: str, new: str) -> None:
        file = copy.folder / path
        text = kept.setdefault(file, file.read_text("utf8"))
        assert text.count(old) == 1
        file.write_text(text.replace(old, new), "utf8")

    yield replace
    for file, text in kept.items():
        file.write_text(text, "utf8")


@whole
def test_a_chapter_runs_anew_when_the_library_or_its_source_changed(made, edit):
    def outcome():
        done = chapter(made.copy)
        assert done.returncode == 0, done.stderr
        return done.stdout.split()[:2]

    ran, kept = (["ok", "04_splits_and_pairs"], ["kept", "04_splits_and_pairs"])
    assert [outcome(), outcome()] == [ran, kept]
    edit("notebooks/04_splits_and_pairs.md", "## 70 : 10 : 20\n", "## 70 : 10 : 20\n\nA sentence more.\n")
    assert [outcome(), outcome()] == [["prose", kept[1]], kept]
    edit("acp_lib/paper.py", "HOURS = 270", "HOURS = 271")
    assert outcome() == ran
    executed = made.copy.home(**OTHER) / "_build/executed/04_splits_and_pairs.ipynb"
    executed.write_text(executed.read_text().replace('"execution_count": 1', '"execution_count": 2'))
    assert outcome() == ran  # that was no longer what the run had left


@whole
def test_a_cell_that_raises_stops_the_build(made, edit):
    edit("notebooks/04_splits_and_pairs.md", "## 70 : 10 : 20\n",
         '```{code-cell} ipython3\nprint("so far")\nraise KeyError("on purpose")\n```\n\n## 70 : 10 : 20\n')
    done = made.copy.book("--only", "04", **OTHER)
    executed = made.copy.home(**OTHER) / "_build/executed/04_splits_and_pairs.ipynb"
    assert done.returncode == 1
    assert TRACE in done.stderr and "KeyError: 'on purpose'" in done.stderr
    assert f"04_splits_and_pairs failed; the notebook up to the failing cell is {executed}" in done.stderr
    assert "\x1b" not in done.stderr.split(TRACE, 1)[1]
    assert not (made.copy.home(**OTHER) / "_build/html").exists()
    outputs = [o for c in nbformat.read(executed, 4).cells if c.cell_type == "code" for o in c.outputs]
    assert outputs[-1].output_type == "error" and "so far" in outputs[-2].text


@whole
def test_results_go_where_they_are_asked_for(made, tmp_path):
    done = chapter(made.copy, "01_database", results=tmp_path / "mine")
    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in (tmp_path / "mine").glob("*.json")) == [f"table{n}.json" for n in (1, 2, 3)]
    assert not list((made.copy.home(**OTHER) / "_build").glob("results/*.json"))
    for number in (1, 2, 3):
        there, here = (json.loads((folder / f"table{number}.json").read_text("utf8"))
                       for folder in (tmp_path / "mine", made.results))
        assert [row["ours"] for row in there] == [row["ours"] for row in here]
