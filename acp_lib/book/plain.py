"""Chapters as notebooks without outputs that install what they need, for Colab or any other environment.

`python -m acp_lib.book.plain FOLDER [ADDRESS]` writes all of them.

Chapter: How to read and rerun.
"""

import sys
from pathlib import Path

import jupytext
import nbformat

CHAPTERS = Path(__file__).resolve().parents[2] / "notebooks"

INSTALL = """\
# Where this project is not installed yet, as on Colab, this does it: some minutes. Elsewhere it does nothing.
from importlib.util import find_spec

if find_spec("acp_lib") is None:
    import sys
    from pathlib import Path

    _project = {project!r}  # where the project is: its address, or the folder of a copy
    if "://" in _project:
        !git clone --quiet --depth 1 {{_project}} acp
        _project = "acp"
    _project = str(Path(_project).resolve())
    %pip install --quiet --editable {{_project}}
    sys.path.insert(0, _project)
    if find_spec("acp_lib") is None:
        raise ImportError(f"{{_project}} does not hold this project; name its address or a copy of it in `_project`")"""
"""The first cell; a public name would pass for a parameter of the chapter."""


def notebook(chapter: Path, address: str = "") -> str:
    """Text of the notebook, in nbformat 4.

    Parameters
    ----------
    chapter : its source, MyST Markdown
    address : of the project's repository; without one, a copy of the project is looked for in the folder above
    """
    made = jupytext.read(chapter, fmt="md:myst")
    made.metadata = {"kernelspec": made.metadata["kernelspec"]}
    first = next(i for i, cell in enumerate(made.cells) if cell.cell_type == "code")
    install = nbformat.v4.new_code_cell(INSTALL.format(project=address or ".."))
    made.cells.insert(first, install)
    for number, cell in enumerate(made.cells):
        cell["id"] = f"cell-{number}"  # by chance they would differ each time
    return nbformat.writes(made) + "\n"


def write(folder: Path, address: str = "") -> None:
    """Write the notebook of each chapter into a folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    for chapter in sorted(CHAPTERS.glob("*.md")):
        (folder / f"{chapter.stem}.ipynb").write_text(notebook(chapter, address), "utf8")


if __name__ == "__main__":
    write(Path(sys.argv[1]), *sys.argv[2:3])
