"""Fetching the pictures of URL lists: resumable, and honest about what was lost.

    <data>/agg/<emotion>.csv            the lists
    <data>/images/<emotion>/<name>      what was fetched, each file whole (`names.files`)
    <data>/.fetch/pictures.jsonl        what became of each picture (`journal`)
    <data>/.fetch/placeholders/...      what hosts sent in the place of pictures that are gone

Chapter: Building the database.
"""

import asyncio
import os
import shutil
import time
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
from aiohttp.abc import AbstractResolver
from tqdm import tqdm

from acp_lib.database import imac
from acp_lib.database.acquire import journal
from acp_lib.database.acquire.addresses import Policy
from acp_lib.database.acquire.client import PLACEHOLDER, Client, Decoded, Limits
from acp_lib.database.acquire.journal import FAILED, FETCHED, LOST, UNFINISHED, Missed
from acp_lib.emotions import regroup
from acp_lib.engine.progress import bar


@dataclass(frozen=True)
class Item:
    """One row of a list: `<emotion>/<name>`, its class and its URL; and whether another URL's file is in its place."""

    id: str
    label: str
    url: str
    other: bool = False


def listed(root: Path) -> pd.DataFrame:
    """Every row of the picture lists: id (`<emotion>/<name>`), class, url, agreed (more people agree with the emotion
    than not). A URL that stands twice for an emotion has the same id twice.

    Raises
    ------
    ValueError
        If there are no lists, or one does not read.
    """
    if not (root / "agg").is_dir():
        raise ValueError(f"{root.name!r} has no folder agg; put the picture lists there, agg/<emotion>.csv")
    table = imac.read_pictures(root / "agg")[0]
    return pd.DataFrame({"id": table["file"], "class": table["emotion"].map(regroup), "url": table["url"],
                         "agreed": table["agree"] > table["disagree"]})


class _Run:
    """One call of `fetch`: where files go, what is written down about them, and the bar that shows it."""

    def __init__(self, root: Path, client: Client, log: journal.Journal, shown: tqdm):
        self.root, self.client, self.log, self.shown = root, client, log, shown
        self.outcomes = dict.fromkeys((FETCHED, LOST, FAILED), 0)

    async def all(self, todo: dict[str, list[Item]]) -> None:
        """Have the pictures of all URLs, each for the rows of the lists that ask for it."""
        waiting = iter(todo.items())  # shared by the workers: each takes the next when it is free

        async def work() -> None:
            for url, items in waiting:
                await self.picture(url, items)

        try:
            async with self.client, asyncio.TaskGroup() as tasks:
                for _ in range(min(self.client.limits.together, len(todo))):
                    tasks.create_task(work())
        except* Exception as errors:
            raise errors.exceptions[0] from None

    async def picture(self, url: str, items: list[Item]) -> None:
        """Have one picture, for each row of the lists that asks for it."""
        start, absent = time.monotonic(), []
        for item in items:
            found = await self._there_already(item)
            if found:
                self._note(item, FETCHED, start, detail="was there already", found=found)
            else:
                absent.append(item)
        if not absent:
            return
        unfinished = self._unfinished(absent[0])
        try:
            found, tries = await self.client.fetch(url, unfinished)
            for item in absent[1:]:
                shutil.copyfile(unfinished, copied := self._unfinished(item))
                copied.rename(self._path(item))
            unfinished.rename(self._path(absent[0]))
        except Missed as missed:
            for item in absent:
                self._note(item, missed.outcome, start, reason=missed.reason, detail=missed.detail, tries=missed.tries)
        else:
            for item in absent:
                self._note(item, FETCHED, start, found=found, tries=tries)
        finally:
            unfinished.unlink(missing_ok=True)

    def _path(self, item: Item) -> Path:
        return self.root / "images" / item.id

    def _unfinished(self, item: Item) -> Path:
        return self._path(item).with_name(f"{UNFINISHED}{os.urandom(8).hex()}")

    async def _there_already(self, item: Item) -> Decoded | None:
        """What lies in an item's place: of a run that was killed before it could note it, or brought by hand."""
        if item.other or not self._path(item).is_file():
            return None
        try:
            return await self.client.decoded(self._path(item))
        except Missed:
            return None

    def _note(self, item: Item, outcome: str, start: float, *, reason: str = "", detail: str = "", tries: int = 0,
              found: Decoded | None = None) -> None:
        self.log.add(id=item.id, url=item.url, **{"class": item.label}, outcome=outcome, reason=reason, detail=detail,
                     tries=tries, seconds=round(time.monotonic() - start, 3), **asdict(found or Decoded()))
        self.outcomes[outcome] += 1
        self.shown.set_postfix(self.outcomes, refresh=False)
        self.shown.update()


def fetch(root: Path, *, limits: Limits | None = None, policy: Policy | None = None, agreed: bool = False,
          again: str = "", progress: bool = True, resolver: AbstractResolver | None = None) -> dict[str, dict]:
    """Fetch what the lists of `root` name and the journal does not know, and return the journal's records by id.

    Parameters
    ----------
    policy : which addresses may be asked; by default those of the public network
    agreed : only pictures with whose emotion more people agreed than not
    again : "all" to ask once more for what is lost; what failed for reasons that may pass is asked for in any case

    Raises
    ------
    ValueError
        If there are no lists, one does not read, another process fetches to the same folder, or a link leads out of it.
    OSError
        If a file cannot be written.
    """
    limits = limits or Limits()
    rows = listed(root)
    with journal.Journal(root, "pictures") as log:
        wanted = rows[rows["agreed"]] if agreed else rows
        known, todo = journal.read(root, "pictures"), defaultdict(list)
        items = [Item(i, label, url, i in known and known[i]["url"] != url) for i, label, url in
                 wanted[["id", "class", "url"]].drop_duplicates("id").itertuples(index=False)]
        for item in items:
            if item.other or not journal.done(known.get(item.id), root / "images" / item.id, again):
                todo[item.url].append(item)
        _tidy(root, {item.id.partition("/")[0] for item in items})
        left = sum(map(len, todo.values()))
        with bar(total=len(items), what="fetching pictures", unit="picture", shown=progress,
                 done=len(items) - left) as shown:
            asyncio.run(_Run(root, Client(limits, policy or Policy(), resolver), log, shown).all(todo))
        _put_placeholders_aside(root, log, limits.placeholder)
    return journal.read(root, "pictures")


def _tidy(root: Path, emotions: set[str]) -> None:
    """Make the folders, and remove what a killed run left unfinished."""
    for emotion in sorted(emotions):
        folder = journal.inside(root, root / "images" / emotion)
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(f"{UNFINISHED}*"):
            left.unlink()


def placeholders(records: dict[str, dict], least: int) -> dict[str, int]:
    """The ids of pictures that came for `least` different URLs or more, and for how many.

    The same picture is one with the same bytes, or with the same pixels, for hosts that pack it anew. Pictures that
    merely look alike are not: two plain ones have one hash whatever their colours.
    """
    urls = defaultdict(set)
    for record in records.values():
        for key in _keys(record):
            urls[key].add(record["url"])
    counts = {i: max((len(urls[key]) for key in _keys(r)), default=0) for i, r in records.items()}
    return {i: n for i, n in counts.items() if n >= least}


def _keys(record: dict) -> list[tuple]:
    return [(key, *(record["size"] or ())) for name in ("sha", "pixels") if (key := record.get(name))]


def _put_placeholders_aside(root: Path, log: journal.Journal, least: int) -> None:
    """Note placeholders as lost, and move them out of `images`; what a killed run noted and did not move, too."""
    records = journal.read(root, "pictures")
    for i, count in placeholders(records, least).items():
        if records[i]["outcome"] == FETCHED:
            log.add(**records[i] | {"outcome": LOST, "reason": PLACEHOLDER,
                                    "detail": f"the same picture came for {count} URLs"})
        source = root / "images" / i
        if source.is_file():
            target = journal.inside(root, root / journal.FOLDER / "placeholders" / i)
            target.parent.mkdir(parents=True, exist_ok=True)
            journal.inside(root, source).rename(target)
