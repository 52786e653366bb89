"""Plain papermill on the chapters: `papermill notebooks/05_acp_net.md out.ipynb -p seed 3`."""

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pandas as pd
import papermill
import pytest
from conftest import corpus
from papermill.exceptions import PapermillException
from papermill.iorw import load_notebook_node, papermill_io
from papermill.parameterize import parameterize_notebook
from test_book import SMALL, given, the_copy

from acp_lib import profiles
from acp_lib.book.papermill import MystHandler, for_pages
from acp_lib.profiles import ROOT

CHAPTER = "notebooks/06_baselines.md"
TINY = {"seeds": 1, "epochs": 1, "pairs_per_epoch": 64, "test_pairs": 200, "jobs": 1}
MINI = {"seed": 0} | {name: SMALL[name] for name in ("n_images", "n_songs")}
"""The database of the small book, which is made once."""
whole = pytest.mark.book


# the handler of MyST Markdown


SPELLINGS = [
    (".", CHAPTER), (".", f"./{CHAPTER}"), (".", f"notebooks/../{CHAPTER}"), (".", str(ROOT / CHAPTER)),
    (".", (ROOT / CHAPTER).as_uri()), (".", f"../{ROOT.name}/{CHAPTER}"), ("..", f"{ROOT.name}/{CHAPTER}"),
    ("..", f"./{ROOT.name}/{CHAPTER}"), ("notebooks", "06_baselines.md"), ("notebooks", "./06_baselines.md"),
    ("notebooks", "../notebooks/06_baselines.md"), ("book", f"../{CHAPTER}"), ("/", str(ROOT / CHAPTER)),
    ("/", str(ROOT / CHAPTER)[1:]),
]


@pytest.fixture
def registered(monkeypatch):
    """papermill as it is where this project's entry point alone is installed."""
    handlers = [pair for pair in papermill_io._handlers if pair[1] is not MystHandler]
    monkeypatch.setattr(papermill_io, "_handlers", [("file://", MystHandler), *handlers])


@pytest.mark.slow
@pytest.mark.parametrize(("folder", "path"), SPELLINGS)
def test_a_chapter_is_found_however_its_path_is_spelt(registered, monkeypatch, folder, path):
    monkeypatch.chdir(ROOT / folder)
    notebook = load_notebook_node(path)
    assert notebook.metadata.kernelspec.name == "python3" and "parameters" in notebook.cells[1].metadata.tags


@pytest.mark.slow
@pytest.mark.parametrize("kind", [str, Path], ids=["text", "Path"])
@pytest.mark.parametrize("cwd", [None, "."])
def test_paths_start_where_papermill_was_called(registered, monkeypatch, tmp_path, kind, cwd):
    """A chapter goes in, a notebook comes out, and the kernel's own folder is another thing."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "there").mkdir()
    (tmp_path / "notebooks/a.md").write_text((ROOT / CHAPTER).read_text("utf8"), "utf8")
    monkeypatch.chdir(tmp_path)
    papermill.execute_notebook(kind("notebooks/a.md"), kind("notebooks/out.ipynb"), {"seed": 3}, prepare_only=True,
                               cwd=cwd and tmp_path / "there")
    made = nbformat.read(tmp_path / "notebooks/out.ipynb", 4)
    assert any(c.source == "# Parameters\nseed = 3\n" for c in made.cells)
    again = papermill.execute_notebook("./notebooks/out.ipynb", str(tmp_path / "there/b.ipynb"), prepare_only=True)
    assert len(again.cells) >= len(made.cells) and (tmp_path / "there/b.ipynb").exists()


@pytest.mark.parametrize("path", ["s3://b/a.md", "gs://b/a.md", "https://host/a.md", "http://host/a.md", "abs://b/a.md",
                                  "adl://b/a.md", "hdfs://b/a.md", "https://github.com/o/r/blob/m/a.md", "-"])
def test_other_places_keep_their_handlers(registered, path):
    handler = papermill_io.get_handler(path)
    assert handler not in (MystHandler, papermill_io.get_handler("local"))


@pytest.mark.slow
@pytest.mark.parametrize("path", ["06_baselines.md", "./out.md", "{tmp}/out.md", "file://{tmp}/out.md"])
def test_no_notebook_is_written_over_a_chapter(registered, monkeypatch, tmp_path, path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PapermillException, match=r"output is .*\.md', but papermill writes \.ipynb files; name one"):
        papermill.execute_notebook(ROOT / CHAPTER, path.format(tmp=tmp_path), prepare_only=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("path", "error"), [("none.md", FileNotFoundError), ("none.ipynb", FileNotFoundError),
                                             ("file:///none.md", FileNotFoundError)])
def test_a_file_that_is_not_there(registered, path, error):
    with pytest.raises(error, match="none"):
        load_notebook_node(path)


@pytest.mark.slow
def test_help_tells_the_parameters_wherever_it_is_asked(tmp_path, monkeypatch):
    """papermill itself in a process of its own, with the entry point of pyproject.toml."""
    about = tmp_path / "site/acp_here-0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: acp-here\nVersion: 0\n")
    (about / "entry_points.txt").write_text("[papermill.io]\nfile:// = acp_lib.book.papermill:MystHandler\n")
    done = subprocess.run([sys.executable, "-m", "papermill", "--help-notebook", str(ROOT / CHAPTER)], cwd=tmp_path,
                          env=os.environ | {"PYTHONPATH": f"{about.parent}{os.pathsep}{ROOT}"}, capture_output=True,
                          text=True)
    assert done.returncode == 0 and "seed: int (default None)" in done.stdout, done.stderr


def test_a_chapter_is_read_as_the_notebook_it_stands_for():
    notebook = nbformat.reads(MystHandler.read(str(ROOT / CHAPTER)), 4)
    nbformat.validate(notebook)
    first = next(c for c in notebook.cells if c.cell_type == "code")
    assert first.metadata["tags"] == ["parameters", "hide-input"] and first.source.startswith("profile: str =")
    assert notebook.metadata["kernelspec"]["name"] == "python3"


def test_notebook_files_are_read_and_written_as_they_are(tmp_path):
    text = nbformat.writes(nbformat.v4.new_notebook())
    MystHandler.write(text, str(tmp_path / "a.ipynb"))
    assert MystHandler.read(str(tmp_path / "a.ipynb")) == text
    assert MystHandler.listdir(str(tmp_path)) == [str(tmp_path / "a.ipynb")]
    assert MystHandler.pretty_path("notebooks/a.ipynb") == "notebooks/a.ipynb"


# chapters


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return the_copy(tmp_path_factory.getbasetemp())


def execute(project, name: str, *arguments, chapter=CHAPTER, **values) -> SimpleNamespace:
    """One papermill run with its own folder of results, and of kept work unless `work` names one."""
    folder = project.folder.parent / name
    folder.mkdir()
    values = {"work": str(folder / "work"), "results": str(folder / "results")} | values
    done = project.run("papermill", chapter, folder / "out.ipynb", *arguments, *given(values))
    return SimpleNamespace(code=done.returncode, err=done.stderr, folder=folder, out=folder / "out.ipynb")


def acp_net(run) -> dict:
    """The row of ACP-Net in Table 4."""
    rows = json.loads((run.folder / "results/table4.json").read_text("utf8"))
    return next(row for row in rows if row["row"] == "ACP-Net")


def answers(run) -> list[list[float]]:
    """Of every ACP-Net that was trained, the main ones and the audits' own."""
    return sorted(pd.read_parquet(file)["probability"].tolist()
                  for file in run.folder.glob("work/cache/acp_net-*/test.parquet"))


@pytest.fixture(scope="module")
def runs(project):
    """The mini database, and from nothing a folder of pictures and songs with two seeds."""
    data = str(corpus(project.folder.parent / "mine"))
    own = TINY | {"data": data, "weights": "random", "image_size": 75}
    profile = ("-f", "acp_lib/profiles/folder.yml")
    with ThreadPoolExecutor(2) as pool:
        mini = pool.submit(execute, project, "mini", work=str(project.work), **MINI, **TINY)
        three = pool.submit(execute, project, "three", *profile, seed=3, **own)
        four = pool.submit(execute, project, "four", *profile, seed=4, **own)
        found = {"mini": mini.result(), "three": three.result(), "four": four.result()}
    for run in found.values():
        assert run.code == 0, run.err[-5000:]
    return found


@whole
@pytest.mark.parametrize("name", ["mini", "three", "four"])
def test_a_chapter_runs_alone(runs, name):
    notebook = nbformat.read(runs[name].out, 4)
    code = [c for c in notebook.cells if c.cell_type == "code"]
    assert all(c.execution_count for c in code)
    said = "".join(o.data.get("text/markdown", "") for c in code for o in c.outputs if "data" in o)
    assert ("**Synthetic data**" in said) == (name == "mini")
    assert f"seed {dict(mini=0, three=3, four=4)[name]} ([" in said and ":name: tab-correspondence" in said


@whole
def test_the_parameters_given_are_those_it_ran_with(runs):
    acp = acp_net(runs["mini"])
    assert acp["seeds"] == [0] and acp["n_pairs"] == 200 and 0 < acp["ours"] < 100 and len(acp["variances"]) == 1
    wanted = TINY | MINI
    assert acp["provenance"]["settings"].items() >= {k: v for k, v in wanted.items() if k != "jobs"}.items()
    own = acp_net(runs["three"])["provenance"]
    assert (own["profile"], own["data"], own["synthetic"]) == ("folder", "the folder 'mine'", False)
    assert own["settings"]["patience"] == profiles.read("folder")["patience"]


@whole
def test_another_seed_gives_another_table(runs):
    three, four = (acp_net(runs[name]) for name in ("three", "four"))
    assert (three["seeds"], four["seeds"]) == ([3], [4])
    assert three["provenance"]["data_fingerprint"] == four["provenance"]["data_fingerprint"]
    assert three["provenance"]["test_pairs_digest"] != four["provenance"]["test_pairs_digest"]
    assert answers(runs["three"]) != answers(runs["four"])


def begun(chapter: str, **values) -> None:
    """Run a chapter in this process as papermill would, up to the cell that checks its parameters."""
    notebook = parameterize_notebook(load_notebook_node(str(ROOT / chapter)), values)
    code, names = [c.source for c in notebook.cells if c.cell_type == "code"], {}
    for source in code[:1 + next(i for i, c in enumerate(code) if "chapter.begin(globals())" in c)]:
        exec(source, names)


REFUSED = "notebooks/04_splits_and_pairs.md"


@pytest.mark.slow
@pytest.mark.parametrize(("name", "value", "message"), [
    ("epocs", 3, "unknown parameter 'epocs'; expected some of profile"),
    ("epochs", "two", "epochs is 'two' (str); expected int"),
    ("pairs", "wrong", "pairs is 'wrong'; expected one of class_balanced"),
    ("data", "/nowhere", "data is '/nowhere', which is no folder"),
])
def test_a_parameter_that_does_not_fit_is_refused(registered, tmp_path, name, value, message):
    profile = {"profile": "folder"} if name == "data" else {}
    places = {place: str(tmp_path / place) for place in ("work", "results")}
    with pytest.raises(ValueError, match=re.escape(message)):
        begun(REFUSED, **{name: value}, **profile, **places)
    assert list(tmp_path.iterdir()) == []


@whole
def test_a_refusal_is_what_papermill_ends_with(project):
    run = execute(project, "refused", chapter=REFUSED, epocs=3)
    assert run.code == 1 and "ValueError: unknown parameter 'epocs'; expected some of profile" in run.err
    assert not (run.folder / "work").exists() and not (run.folder / "results").exists()


@whole
def test_papermill_lists_parameters_with_help(project):
    done = project.run("papermill", "--help-notebook", "notebooks/05_acp_net.md")
    assert done.returncode == 0, done.stderr
    words = " ".join(done.stdout.split())
    assert "seed: int (default None) of every random choice" in words
    assert "learning_rate: float (default None) of Adam" in words
    assert 'profile: str (default "mini") one of the profiles' in words


# numbers in the sentences of what is written


def glued(name, data, prefix="application/papermill.record/"):
    return nbformat.v4.new_output("display_data", {prefix + kind: said for kind, said in data.items()},
                                  metadata={"scrapbook": {"name": name, "mime_prefix": prefix}})


@pytest.fixture
def told():
    values = {"share": {"text/plain": "12.345"}, "n": {"text/plain": "'1,097'"}, "least": {"text/plain": "-0.01"},
              "none": {"text/plain": "'–'"}, "list": {"text/markdown": "- one\n- two", "text/plain": "<Markdown>"}}
    cell = nbformat.v4.new_code_cell("report.put()", outputs=[glued(name, data) for name, data in values.items()])
    text = ("{glue:text}`n` samples, {glue:text}`share:.1f` %, {glue:text}`least:+z.1f`, {glue:text}`none:.1f`, "
            "{glue:text}`gone` and {ref}`elsewhere`\n\n{glue:md}`list:myst`")
    notebook = nbformat.v4.new_notebook(cells=[cell, nbformat.v4.new_markdown_cell(text)])
    return nbformat.writes(notebook)


FILLED = "1,097 samples, 12.3 %, +0.0, –, {glue:text}`gone` and {ref}`elsewhere`\n\n- one\n- two"


def test_papermill_puts_numbers_into_the_sentences_of_what_it_writes(told, tmp_path):
    papermill_io.write(told, str(tmp_path / "out.ipynb"))
    written = nbformat.read(tmp_path / "out.ipynb", 4)
    assert written.cells[1].source == FILLED
    assert written.cells[0] == nbformat.reads(told, 4).cells[0]


def test_notebooks_for_pages_keep_the_names(told, tmp_path):
    with for_pages():
        papermill_io.write(told, str(tmp_path / "out.ipynb"))
    assert (tmp_path / "out.ipynb").read_text("utf8") == told
