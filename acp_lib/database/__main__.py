"""Fetching IMAC from its sources: pictures from URL lists, songs through yt-dlp; what came of it, and what it lacks.

Chapter: How to read and rerun.
"""

import argparse
import csv
import os
import sys
from pathlib import Path

from acp_lib.engine import commands
from acp_lib.engine.cache import write
from acp_lib.engine.commands import count
from acp_lib.engine.text import MESSAGE, plain
from acp_lib.profiles.places import absolute

EXAMPLES = """\
examples:
  %(prog)s pictures imac                  imac/agg/<emotion>.csv -> imac/images/<emotion>/
  %(prog)s pictures imac --agreed         only those with whose emotion more people agreed than not
  %(prog)s pictures imac --again all      and once more what is lost
  %(prog)s songs imac --jobs 2            imac/YouTubeURLs.csv -> imac/music/; needs yt-dlp
  %(prog)s attrition imac                 how many are there, and why the others are not
  %(prog)s copies imac                    pictures that are the same, or nearly
  %(prog)s validate imac                  missing, changed and unreadable items; any kind of data

A run that was stopped goes on where it was: what is done stands in imac/.fetch and is not asked for again; what failed
for a reason that may pass, a timeout, say, is.
"""


def arguments(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=prog, description=__doc__, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(dest="what", required=True, metavar="WHAT")

    def command(name: str, about: str) -> argparse.ArgumentParser:
        made = kinds.add_parser(name, help=about, description=about)
        made.add_argument("folder", metavar="FOLDER", help="the data folder, which holds the lists")
        return made

    def again(made: argparse.ArgumentParser) -> None:
        made.add_argument("--again", nargs="?", const="failed", default="", choices=("failed", "all"),
                          help="failed: ask once more for what failed for reasons that may pass, as every run does; "
                               "all: for what is lost, too")

    pictures = command("pictures", "fetch the pictures of the lists")
    pictures.add_argument("--agreed", action="store_true",
                          help="only pictures with whose emotion more people agreed than not")
    again(pictures)
    pictures.add_argument("--together", type=count, metavar="N", help="requests at once (32)")
    pictures.add_argument("--per-host", type=count, metavar="N", help="of these, to one host (8)")
    pictures.add_argument("--tries", type=count, metavar="N", help="for what may pass, such as a timeout (4)")
    pictures.add_argument("--largest", type=count, metavar="MB", help="of one picture (25)")
    pictures.add_argument("--placeholder", type=count, metavar="N",
                          help="a picture that comes for so many URLs stands for pictures that are gone (5)")
    pictures.add_argument("--allow-private", action="store_true",
                          help="ask addresses of this machine and its network, too: only for lists of your own")
    songs = command("songs", "fetch the songs of the list through yt-dlp")
    again(songs)
    songs.add_argument("--jobs", type=count, default=2, metavar="N", help="songs at once (2)")
    songs.add_argument("--longest", type=count, default=20, metavar="MINUTES", help="longer videos are not taken (20)")
    copies = command("copies", "list pictures that are the same as others, or nearly, in .fetch/copies.csv")
    copies.add_argument("--distance", type=int, choices=range(33), metavar="BITS",
                        help="of 128 in which the hashes of near copies may differ (10)")
    copies.add_argument("--jobs", type=count, default=os.cpu_count(), metavar="N", help="processes (one a core)")
    command("attrition", "count what became of every item of the lists")
    check = command("validate", "open every item and count what is missing, changed or unreadable")
    check.add_argument("--jobs", type=count, default=os.cpu_count(), metavar="N", help="files at once (one a core)")
    return parser


def _pictures(options: argparse.Namespace) -> None:
    from acp_lib.database.acquire import pictures as download
    from acp_lib.database.acquire.addresses import Policy

    given = {name: getattr(options, name) for name in ("together", "per_host", "tries", "placeholder")}
    given["body"] = options.largest and options.largest * 2**20
    limits = download.Limits(**{name: value for name, value in given.items() if value})
    download.fetch(options.folder, limits=limits, policy=Policy(private=options.allow_private), agreed=options.agreed,
                   again=options.again)
    _attrition(options, "pictures")


def _songs(options: argparse.Namespace) -> None:
    from acp_lib.database.acquire import songs as songs_youtube

    songs_youtube.fetch(options.folder, jobs=options.jobs, longest=60 * options.longest, again=options.again)
    _attrition(options, "songs")


def _copies(options: argparse.Namespace) -> None:
    from acp_lib.database import copies
    from acp_lib.database.acquire import journal

    distance = copies.DISTANCE if options.distance is None else options.distance
    found = copies.table(options.folder, distance, jobs=options.jobs, progress=True)
    target = journal.inside(options.folder, options.folder / journal.FOLDER / "copies.csv")
    write(target, found.to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC))  # names may hold a line's end
    counts = found["kind"].value_counts()
    print(f"{counts.get('exact', 0):,} exact and {counts.get('near', 0):,} near copies: {plain(target, MESSAGE)}")


def _attrition(options: argparse.Namespace, what: str = "") -> None:
    from acp_lib.database.acquire import attrition

    found = attrition.table(options.folder)
    if found.empty:
        raise ValueError(f"{options.folder.name!r} has neither agg/<emotion>.csv nor YouTubeURLs.csv; put the lists "
                         "there")
    found = found[found["what"] == what] if what else found
    for (kind, reason), rows in sorted(found.groupby(["what", "reason"]), key=lambda group: -group[1]["n"].sum()):
        classes = ", ".join(f"{c} {n:,}" for c, n in zip(rows["class"], rows["n"], strict=True))
        print(f"{rows['n'].sum():8,} {kind}: {plain(reason)} ({classes})")


def _validate(options: argparse.Namespace) -> None:
    from acp_lib.database import validate

    released = validate.files(options.folder)
    for row in released[released["state"] == "changed"].to_dict("records"):
        print(f"changed: {row['file']} ({row['what']})")
    print(validate.validate(options.folder, jobs=options.jobs).to_string(index=False))


def main(argv: list[str] | None = None, prog: str = "python -m acp_lib.database") -> int:
    """Exit code: as `commands.outcome`."""
    options = arguments(prog).parse_args(argv)

    def work() -> None:
        options.folder = Path(absolute(options.folder))
        if not options.folder.is_dir():
            raise ValueError(f"{str(options.folder)!r} is no folder; give the one that holds the lists")
        {"pictures": _pictures, "songs": _songs, "copies": _copies, "attrition": _attrition,
         "validate": _validate}[options.what](options)

    return commands.outcome(work, f"{prog} {options.what}")


if __name__ == "__main__":
    sys.exit(main())
