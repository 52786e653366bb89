"""Plain papermill reads the chapters, which are MyST Markdown: `papermill notebooks/05_acp_net.md out.ipynb`.

papermill finds this handler through the `papermill.io` entry points in pyproject.toml, by how the path starts.

It writes parameters into a notebook as Python, their names as they are; in a file of parameters (`-f`, `-y`) these are
other people's text, so what is no name is refused.

Chapter: How to read and rerun.
"""

import keyword
import warnings
from pathlib import Path

import jupytext
from papermill.iorw import LocalHandler
from papermill.translators import PythonTranslator, papermill_translators

LOCAL = LocalHandler()
warnings.filterwarnings("ignore", message=r"The specified file \(.*\.md\) does not end in one of")


class Named(PythonTranslator):
    """papermill's own, for names alone."""

    @classmethod
    def assign(cls, name: object, str_val: str) -> str:
        if not (isinstance(name, str) and name.isidentifier()) or keyword.iskeyword(name):
            raise ValueError(f"parameter {name!r} is no name in Python; expected one of the notebook's parameters")
        return super().assign(name, str_val)


papermill_translators.register("python", Named)


class MystHandler:
    """papermill's handler of local files, which hands a `.md` chapter over as the notebook it stands for."""

    write, listdir, pretty_path = LOCAL.write, LOCAL.listdir, LOCAL.pretty_path

    @staticmethod
    def read(path: str) -> str:
        """Text of a notebook file; a `.md` file is converted to `.ipynb` on the way."""
        text = LOCAL.read(path)
        return jupytext.writes(jupytext.reads(text, fmt="md:myst"), fmt="ipynb") if Path(path).suffix == ".md" else text
