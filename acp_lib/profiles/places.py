"""Where things are: paths start where the user stands; what is made lies in the project or, where there is none, in the
user's folder of caches. It is never put beside an installed library.

The project is the checkout that this library lies in or, of an installed one, the one that the user stands in.

Chapter: How to read and rerun.
"""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The folder that this library lies in: a checkout, or where packages are installed."""

VARIABLES = ("ACP_WORK", "ACP_BUILD", "ACP_RESULTS")
"""Variables of the environment that put elsewhere what is made, where no option does."""


def here() -> Path:
    """The folder that the user stands in.

    Raises
    ------
    ValueError
        If it was removed or unmounted meanwhile.
    """
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise ValueError("the folder that you stand in is gone; go to one that is there (cd), and give the same command"
                         ) from None


def absolute(path: str) -> str:
    """A path as a user gives it, whole; links keep their names, unless `..` goes back from where one leads."""
    given = os.path.expanduser(path)  # noqa: PTH111 - Path's raises for unknown users
    if not os.path.isabs(given):  # noqa: PTH117
        given = str(here() / given)
    return os.path.realpath(given) if ".." in Path(given).parts else os.path.abspath(given)  # noqa: PTH100


def existing(path: str | os.PathLike) -> Path:
    """A file or folder that a user names, whole.

    Raises
    ------
    ValueError
        If it is not there, or a link leads nowhere.
    """
    whole = Path(absolute(os.fspath(path)))
    if not os.path.exists(whole):  # noqa: PTH110 - Path's raises for names that are too long, and null characters
        raise ValueError(f"{str(whole)!r} is no file or folder; check its name, and where you stand")
    return whole


def named(variable: str) -> str:
    """The path that one of VARIABLES holds, whole; empty where it is not set."""
    return absolute(path) if (path := os.environ.get(variable)) else ""


def settled() -> dict[str, str]:
    """VARIABLES that are set, as they mean the same to processes that start elsewhere."""
    return {variable: path for variable in VARIABLES if (path := named(variable))}


def state() -> Path:
    """The folder in which `_work` and `_build` are made, unless they are put elsewhere."""
    if is_checkout(ROOT):
        return ROOT
    at = here()
    if found := next((folder for folder in (at, *at.parents) if is_checkout(folder)), None):
        return found
    from platformdirs import user_cache_path  # only here: most commands run in a project

    return user_cache_path("acp_lib")


def is_checkout(folder: Path) -> bool:
    """Whether a folder holds the book and its library."""
    return (folder / "_toc.yml").is_file() and (folder / "acp_lib").is_dir()


def checkout() -> Path:
    """The project that this library is part of, for what no installed library has: chapters and benchmarks.

    Raises
    ------
    ValueError
        Where the library is installed apart from it.
    """
    if is_checkout(ROOT):
        return ROOT
    raise ValueError(f"this needs a checkout of the project, with its chapters, and acp_lib is installed in {ROOT}; "
                     "get one with git clone, and give the command in its folder as python -m acp_lib ...")
