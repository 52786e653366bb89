"""Shared parts of the command lines: a profile, and parameters that replace some of its values.

Chapter: How to read and rerun.
"""

import argparse
import errno
import os
import select
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from acp_lib import profiles
from acp_lib.engine import faults
from acp_lib.engine.text import MESSAGE, plain
from acp_lib.profiles import Profile, places
from acp_lib.profiles.groups import WORDS


def parser(prog: str, description: str, examples: str, what: Sequence[str] = (),
           paths: Sequence[tuple[str, str]] = ()) -> argparse.ArgumentParser:
    """A parser for `prog PROFILE [-p NAME VALUE]...`, or `prog WHAT PROFILE ...` where several things can be done.

    what : the actions to choose from, if there are several
    paths : (name, help) of the arguments before the profile
    """
    made = argparse.ArgumentParser(prog=prog, description=description, epilog=examples,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)
    if what:
        made.add_argument("what", choices=what, help=f"one of {', '.join(what)}", metavar="WHAT")
    for name, about in paths:
        made.add_argument(name, metavar=name.upper(), help=about)
    made.add_argument("profile", nargs="?", default="mini", help=f"one of {', '.join(profiles.NAMES)} (mini)")
    made.add_argument("-p", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"), dest="given",
                      help="a parameter and its value, instead of the profile's; may be repeated")
    return made


def add_spreading(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Add the options for work on several processes or a cluster, --jobs and --scheduler, and return the parser."""
    parser.add_argument("--jobs", type=int, help="processes on this machine (one a core)")
    parser.add_argument("--scheduler", default="", metavar="ADDRESS", help="a Dask scheduler: tcp://host:port")
    return parser


LONGEST = 240  # bytes of a file's name, which is longer while it is being written


def target(option: str, path: str | Path, inputs: Sequence[Path] = ()) -> Path:
    """The file that an option says to write, whole; to be asked for before the work is done that fills it.

    inputs : files and folders that the command reads, in which nothing may be replaced

    Raises
    ------
    ValueError
        If no file can stand there, something other than a file does, or the file is one of the inputs.
    """
    if not str(path):
        raise ValueError(f"{option} is ''; give the name of a file")
    whole = Path(places.absolute(str(path)))
    wrong = _unfit(whole)
    if not wrong and whole.exists() and any(whole.resolve().is_relative_to(given.resolve()) for given in inputs):
        wrong = "is among what is read"
    if wrong:
        raise ValueError(f"{option} is {str(path)!r}, which {wrong}; give the name of a new file")
    return whole


def _unfit(path: Path) -> str:
    """Why no file can be written to a path; empty where one can."""
    if len(os.fsencode(path.name)) > LONGEST:
        return f"is a name of {len(os.fsencode(path.name))} bytes, more than {LONGEST}"
    try:
        path.resolve(strict=True)
    except (RuntimeError, OSError) as error:
        if isinstance(error, RuntimeError) or error.errno == errno.ELOOP:
            return "is a link that leads in a circle"
    if path.is_dir():
        return "is a folder"
    if path.exists() and not path.is_file():
        return "is no file that can be replaced"
    above = next(folder for folder in path.parents if folder.exists())
    return "" if above.is_dir() else f"lies below {str(above)!r}, a file"


def count(text: str) -> int:
    """Parse a whole number of 1 or more; the type of an option.

    Raises
    ------
    ValueError, argparse.ArgumentTypeError
        For any other text.
    """
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number}; expected 1 or more")
    return number


def given(options: argparse.Namespace) -> dict:
    """The parameters of a command line by name.

    Raises
    ------
    ValueError
        For a name that no profile has, or a text that cannot be read as its type.
    """
    return {name: profiles.parse(name, text) for name, text in options.given}


def begin_in_checkout() -> None:
    """Make the project's modules importable for this process and its children, and fix the paths of results, whatever
    the working directory.

    Raises
    ------
    ValueError
        If the library is installed without the project.
    """
    folder = str(places.checkout())
    sys.path.insert(0, folder)
    os.environ |= places.settled()
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [folder, os.environ.get("PYTHONPATH")]))


def profile(options: argparse.Namespace, **more: object) -> Profile:
    """The profile that a command line describes; `more` are values of other options, None for those not given.

    Raises
    ------
    ValueError
        For unknown names or values, and for a missing data folder or weights file. Paths are checked here because a
        command would need them only later.
    """
    made = profiles.load(**{"profile": options.profile, **more} | given(options))
    made.database.folder, made.work_path, made.home  # noqa: B018 - raise where there is no such place
    for name in ("weights", "alexnet_weights"):
        if (path := made.flat[name]) not in WORDS and not Path(path).is_file():
            raise ValueError(f"{name} is {path!r}, which is no file; expected {', '.join(WORDS)}, or the path of a "
                             ".safetensors or .pth state_dict of torchvision's network")
    return made


def told(error: Exception, prog: str = "") -> str:
    """One line that reports an error, made safe for a terminal, and names the command that has help."""
    return f"error: {plain(error, MESSAGE)}" + (f" ({prog} --help)" if prog else "")


class Stopped(KeyboardInterrupt):
    """A signal asked this process to end, or the reader of its output is gone. It acts like Ctrl-C, so that unfinished
    work is cleaned up.
    """

    def __init__(self, number: int = signal.SIGINT) -> None:
        super().__init__(f"signal {number}")
        self.number = number


@contextmanager
def stoppable() -> Iterator[None]:
    """A block in which a request to end, a closed terminal, or a closed output pipe (`| head`) raises `Stopped`;
    signals that were ignored stay ignored.
    """
    def stop(number: int, _: object) -> None:
        raise Stopped(number)

    before = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGHUP)}
    for number, handler in before.items():
        if handler is signal.SIG_DFL:
            signal.signal(number, stop)
    try:
        yield
        if sys.stdout:  # none where it was closed (>&-)
            sys.stdout.flush()
    except BrokenPipeError as error:
        if not _unread():
            raise
        with suppress(OSError), Path(os.devnull).open("w") as nowhere:  # for what is left to print
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        raise Stopped(signal.SIGPIPE) from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _unread() -> bool:
    """Whether the output is a pipe without a reader."""
    with suppress(OSError):  # no file behind it, in a test or a notebook
        pipe = select.poll()
        pipe.register(sys.stdout.fileno(), 0)
        return any(event & (select.POLLERR | select.POLLHUP) for _, event in pipe.poll(0))
    return False


def outcome(work: Callable[[], int | None], prog: str) -> int:
    """Run a command that was called as `prog`, and report in one line why it failed.

    Returns
    -------
    the exit code: the value of `work`, or 0; 1 if the machine refused something, such as disk space; 2 for a wrong
    argument or unusable data; 130 if it was interrupted, 143 or 129 if it was asked to end or its terminal closed, 141
    if its output has no reader
    """
    _open_all()
    try:
        with stoppable():
            return work() or 0
    except (ValueError, ImportError, OSError) as error:
        said = faults.line(str(error)) if isinstance(error, OSError) else ""
        _tell(told(ValueError(said)) if said else told(error, prog))
        return 1 if said else 2
    except KeyboardInterrupt as error:
        from acp_lib.engine.processes import kill_all  # only here: --help should not wait for it

        kill_all()  # one that still imports would hear of nothing
        _tell("stopped; the same command goes on where it was")
        return 128 + (error.number if isinstance(error, Stopped) else signal.SIGINT)


def _open_all() -> None:
    """Open what is closed of input, output and errors (`>&-`), lest another file gets its number."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _tell(text: str) -> None:
    with suppress(OSError):  # the terminal may be gone
        print(text, file=sys.stderr)
