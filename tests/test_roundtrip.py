"""A chapter opened as a notebook, run and saved again is the same file: nobody commits what nobody edited."""

import shutil
from pathlib import Path

import nbformat
import pytest
from jupytext.cli import jupytext

from acp_lib.profiles import ROOT

CHAPTERS = sorted((ROOT / "notebooks").glob("*.md"))
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE = {"name": "python", "version": "3.12.1", "file_extension": ".py", "mimetype": "text/x-python",
            "nbconvert_exporter": "python", "pygments_lexer": "ipython3",
            "codemirror_mode": {"name": "ipython", "version": 3}}
WIDGETS = {"application/vnd.jupyter.widget-state+json": {"state": {"a": {}}, "version_major": 2, "version_minor": 0}}
CELL = {"collapsed": False, "deletable": False, "editable": True, "format": "text/markdown", "name": "a",
        "jupyter": {"source_hidden": True}, "papermill": {"status": "completed"}, "scrolled": True, "trusted": True,
        "slideshow": {"slide_type": ""}, "vscode": {"languageId": "python"}, "execution": {"iopub.status.busy": "now"}}


def as_read(notebook) -> None:
    """Nothing was run."""


def as_run(notebook) -> None:
    """What kernels, widgets, JupyterLab, VS Code and papermill leave in the file."""
    notebook.metadata |= {"kernelspec": KERNEL, "language_info": LANGUAGE, "widgets": WIDGETS, "vscode": {},
                          "papermill": {"duration": 3.5}, "toc-autonumbering": True}
    for cell in notebook.cells:
        cell.metadata |= CELL | {"tags": cell.metadata.get("tags", [])}
    for count, cell in enumerate(c for c in notebook.cells if c.cell_type == "code"):
        cell.execution_count = count
        cell.outputs = [nbformat.v4.new_output("stream", text="said\n"),
                        nbformat.v4.new_output("display_data", {"image/png": "aGVsbG8="}, metadata={"w": 1})]


@pytest.fixture
def copy(request, tmp_path) -> Path:
    """A chapter in a folder with the project's settings of jupytext."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "notebooks").mkdir()
    return Path(shutil.copy(request.param, tmp_path / "notebooks"))


chapters = pytest.mark.parametrize("copy", CHAPTERS, ids=lambda p: p.stem, indirect=True)


@pytest.mark.slow
@chapters
@pytest.mark.parametrize("change", [as_read, as_run], ids=lambda f: f.__name__)
def test_a_chapter_comes_back_from_a_notebook_as_it_was(copy, change):
    before, notebook_file = copy.read_bytes(), copy.with_suffix(".ipynb")
    jupytext(["--quiet", "--to", "ipynb", str(copy)])
    notebook = nbformat.read(notebook_file, 4)
    change(notebook)
    nbformat.write(notebook, notebook_file)
    copy.unlink()
    jupytext(["--quiet", "--to", "md:myst", str(notebook_file)])
    assert copy.read_bytes() == before, "see 'Chapters keep the form in which jupytext saves them' in CONTRIBUTING.md"


@pytest.mark.slow
@chapters
def test_sync_leaves_a_chapter_as_it_was(copy):
    before = copy.read_bytes()
    jupytext(["--quiet", "--sync", str(copy)])
    assert copy.read_bytes() == before
    assert list(copy.parent.iterdir()) == [copy]


@pytest.mark.slow
@pytest.mark.parametrize("copy", CHAPTERS[:1], ids=lambda p: p.stem, indirect=True)
def test_an_edit_in_the_notebook_reaches_the_chapter(copy):
    before, notebook_file = copy.read_text("utf8"), copy.with_suffix(".ipynb")
    jupytext(["--quiet", "--to", "ipynb", str(copy)])
    notebook = nbformat.read(notebook_file, 4)
    cell = next(c for c in notebook.cells if c.metadata.get("tags") == ["hide-input"])
    cell.metadata["tags"], cell.source = ["hide-input", "mine"], cell.source + "\nedited = 1"
    nbformat.write(notebook, notebook_file)
    jupytext(["--quiet", "--to", "md:myst", str(notebook_file)])
    after = copy.read_text("utf8").splitlines()
    assert sorted(set(after) - set(before.splitlines())) == [":tags: [hide-input, mine]", "edited = 1"]
    assert len(after) == len(before.splitlines()) + 1
