"""Score pictures against songs by a trained ACP-Net: which songs fit a picture, which pictures fit a song.

Chapter: How to read and rerun.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from acp_lib.engine import commands
from acp_lib.engine.cache import write
from acp_lib.engine.text import MESSAGE, plain
from acp_lib.profiles.places import existing

if TYPE_CHECKING:
    from acp_lib.matching.scores import Matches

EXAMPLES = """\
examples:
  %(prog)s photo.jpg song.mp3                                one pair, by the networks of the mini book
  %(prog)s photo.jpg songs --top 5 --page match.html         the songs that fit a picture best
  %(prog)s photos song.mp3 folder -p data my_corpus          the pictures that fit a song best
  %(prog)s photos songs folder -p data my_corpus --csv all.csv --json all.json

The networks are those of the book of the same profile and settings; what is not there yet is made. Files that cannot be
used are named with the reason, and the rest is ranked. Hidden files are passed over, links are followed.
"""
PATHS = (("pictures", "a picture, or a folder with all that lies in it"),
         ("songs", "a song, or a folder with all that lies in it"))
KEPT = {"csv": "the whole table", "json": "the same, with what was refused and whose word it is",
        "page": "an HTML page with thumbnails and players, which needs no other file"}


def arguments(prog: str) -> argparse.ArgumentParser:
    parser = commands.parser(prog, __doc__, EXAMPLES, paths=PATHS)
    parser.add_argument("--top", type=commands.count, default=10, metavar="N",
                        help="matches that the terminal and the page show for each picture or song (10)")
    for name, about in KEPT.items():
        parser.add_argument(f"--{name}", metavar="FILE", help=f"write {about}")
    return parser


def _kept(options: argparse.Namespace, given: list[Path]) -> dict[str, Path]:
    """Where each of KEPT that was asked for is written; raises ValueError for a place that it cannot have."""
    asked = {name: path for name in KEPT if (path := getattr(options, name)) is not None}
    kept = {name: commands.target(f"--{name}", path, given) for name, path in asked.items()}
    if len(set(kept.values())) < len(kept):
        raise ValueError(f"--{' and --'.join(kept)} name the same file; give each its own")
    return kept


def main(argv: list[str] | None = None, prog: str = "python -m acp_lib.matching") -> int:
    """Exit code: as `commands.outcome`."""
    options = arguments(prog).parse_args(argv)

    def work() -> None:
        given = [existing(path) for path in (options.pictures, options.songs)]
        kept, profile = _kept(options, given), commands.profile(options)
        from acp_lib.matching import scores, told  # only now: --help should not wait for it
        from acp_lib.study import Study

        found = scores.matched(Study(profile), *given)
        for line in told.refusals(found):
            print(f"refused: {line}", file=sys.stderr)
        print(told.terminal(found, options.top))
        for name, path in kept.items():
            write(path, _text(name, found, options.top))
            print(f"{name}: {plain(path, MESSAGE)}")

    return commands.outcome(work, prog)


def _text(name: str, found: "Matches", top: int) -> str:
    if name == "page":
        from acp_lib.matching.page import page  # brings what chapters show things with, slow to load

        return page(found, top)
    from acp_lib.matching import told

    return told.as_csv(found) if name == "csv" else told.as_json(found)


if __name__ == "__main__":
    sys.exit(main())
