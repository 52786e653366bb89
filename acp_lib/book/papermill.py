"""Plain papermill reads the chapters, which are MyST Markdown: `papermill notebooks/05_acp_net.md out.ipynb`.

papermill finds this handler through the `papermill.io` entry points in pyproject.toml, by how the path starts.

Chapter: How to read and rerun.
"""

import warnings
from pathlib import Path

import jupytext
from papermill.iorw import LocalHandler

LOCAL = LocalHandler()
warnings.filterwarnings("ignore", message=r"The specified file \(.*\.md\) does not end in one of")


class MystHandler:
    """papermill's handler of local files, which hands a `.md` chapter over as the notebook it stands for."""

    write, listdir, pretty_path = LOCAL.write, LOCAL.listdir, LOCAL.pretty_path

    @staticmethod
    def read(path: str) -> str:
        """Text of a notebook file; a `.md` file is converted to `.ipynb` on the way."""
        text = LOCAL.read(path)
        return jupytext.writes(jupytext.reads(text, fmt="md:myst"), fmt="ipynb") if Path(path).suffix == ".md" else text
