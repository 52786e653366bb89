"""The book, and everything that is done apart from it, by one command. A module is loaded when its command is called.

Chapter: How to read and rerun.
"""

import argparse
import difflib
import importlib
import sys

from acp_lib import __version__
from acp_lib.engine import commands

COMMANDS = {
    "book": ("acp_lib.book.build", "run the chapters and render them"),
    "features": ("acp_lib.features.__main__", "features of a whole corpus, on all cores or a Dask cluster"),
    "database": ("acp_lib.database.__main__", "fetch IMAC from its sources, and check what is there"),
    "audits": ("acp_lib.audits.__main__", "the training runs of the audits, on all cores or a Dask cluster"),
    "record": ("acp_lib.findings.record", "a study too long for the book, kept in the project for chapters to show"),
    "match": ("acp_lib.matching.__main__", "score your own pictures against your own songs, and rank them"),
    "distributed": ("acp_lib.distributed", "train one network on several GPUs: torchrun -m acp_lib.distributed"),
    "bench": ("benchmarks.__main__", "each fast way against the plain one; in a checkout"),
}
"""What can be done: the module that does it, by its function main(arguments, name of the command), and what it is."""

ABOUT = """\
commands:
{commands}

examples:
  %(prog)s book                                     the mini book, into _build/html
  %(prog)s book folder -p data my_corpus            your own pictures and songs
  %(prog)s features folder -p data my_corpus        their features alone
  %(prog)s match photo.jpg songs                    which of the songs fit a picture best
  %(prog)s database validate my_corpus              what is missing, changed or unreadable
  %(prog)s COMMAND --help                           what else there is

Paths start where you stand. What is made lies in the project, the checkout that the library is part of or that you
stand in, or else in your folder of caches; -p work, -p build and -p results put it elsewhere, and so do ACP_WORK,
ACP_BUILD and ACP_RESULTS.

exit codes:
  0    done
  1    a chapter or the rendering failed, a disk is full, say, or something that was not foreseen; of book also: data
       that prove unusable while they are prepared
  2    a wrong argument, or data that cannot be used; of book, only what shows before it begins
  130  stopped by Ctrl-C
  143  asked to end (SIGTERM)
  129  its terminal was closed
  141  nobody reads what it prints (a pipe into head)
"""


def arguments(prog: str) -> argparse.ArgumentParser:
    lines = "\n".join(f"  {name:13}{about}" for name, (_, about) in COMMANDS.items())
    parser = argparse.ArgumentParser(prog=prog, usage="%(prog)s [--help] [--version] COMMAND ...",
                                     description=(__doc__ or "").partition("\n")[0],  # none by python -OO
                                     epilog=ABOUT.format(commands=lines),
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--version", action="version", version=f"acp {__version__}")
    parser.add_argument("command", nargs="?", default="", help=argparse.SUPPRESS)
    parser.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser


def main(argv: list[str] | None = None, prog: str = "acp") -> int:
    """Exit code: as `--help` lists them."""
    parser = arguments(prog)
    options = parser.parse_args(argv)
    if options.command not in COMMANDS:
        near = difflib.get_close_matches(options.command, COMMANDS, 1)
        parser.error(f"command is {options.command!r}; " + (f"did you mean {near[0]!r}?" if near else
                                                            f"expected one of {', '.join(COMMANDS)}"))
    (module, _), called = COMMANDS[options.command], f"{prog} {options.command}"

    def work() -> int:
        if not module.startswith("acp_lib."):
            commands.begin_in_checkout()
        return importlib.import_module(module).main(options.rest, called)

    return commands.outcome(work, called)


if __name__ == "__main__":
    sys.exit(main(prog="python -m acp_lib"))
