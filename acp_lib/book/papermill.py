"""Plain papermill reads the chapters, which are MyST Markdown: `papermill notebooks/05_acp_net.md out.ipynb`.

papermill picks a handler by how a path starts, which for a local file may be anything. So this module, which papermill
loads for its entry point in pyproject.toml, teaches the one handler of local files to read MyST Markdown, and to put
numbers into the sentences of what it writes, where no page will.

It writes parameters into a notebook as Python, their names as they are; in a file of parameters (`-f`, `-y`) these are
other people's text, so what is no name is refused.

Chapter: How to read and rerun.
"""

import keyword
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import jupytext
import nbformat
from papermill.exceptions import PapermillException
from papermill.iorw import papermill_io
from papermill.translators import PythonTranslator, papermill_translators

from acp_lib.book.filled import filled

LOCAL = papermill_io.get_handler("local")
_for_pages: ContextVar[bool] = ContextVar("notebooks are for pages", default=False)
SCHEME = "file://"


@contextmanager
def for_pages() -> Iterator[None]:
    """A block whose notebooks keep the names of values in their sentences, for Sphinx to put the values there."""
    token = _for_pages.set(True)
    try:
        yield
    finally:
        _for_pages.reset(token)


def _reader(read: Callable[[str], str]) -> Callable[[str], str]:
    def read_notebook(path: str) -> str:
        """Text of a notebook file; a `.md` file is converted to `.ipynb` on the way."""
        text = read(path)
        return jupytext.writes(jupytext.reads(text, fmt="md:myst"), fmt="ipynb") if Path(path).suffix == ".md" else text

    return read_notebook


def _writer(write: Callable[[str, str], None]) -> Callable[[str, str], None]:
    def write_notebook(text: str, path: str) -> None:
        """Write a notebook file, which a `.md` file, a chapter it may be, is not."""
        if Path(path).suffix == ".md":
            raise PapermillException(f"the output is {path!r}, but papermill writes .ipynb files; name one")
        if "{glue:" in text and not _for_pages.get():
            text = nbformat.writes(filled(nbformat.reads(text, 4)))
        write(text, path)

    return write_notebook


LOCAL.read, LOCAL.write = _reader(LOCAL.read), _writer(LOCAL.write)
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
    """papermill's handler of paths that start with `file://`."""

    @staticmethod
    def path(url: str) -> str:
        """The local path of a file's address, and any other as it is."""
        return url2pathname(urlsplit(url).path) if url.startswith(SCHEME) else url

    @classmethod
    def read(cls, url: str) -> str:
        return LOCAL.read(cls.path(url))

    @classmethod
    def write(cls, text: str, url: str) -> None:
        LOCAL.write(text, cls.path(url))

    @classmethod
    def listdir(cls, url: str) -> list[str]:
        return LOCAL.listdir(cls.path(url))

    @classmethod
    def pretty_path(cls, url: str) -> str:
        return LOCAL.pretty_path(cls.path(url))
