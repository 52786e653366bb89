"""Fetching the pictures of URL lists: many at a time but few from each host, resumable, and honest about what was lost.

    <data>/agg/<emotion>.csv            the lists
    <data>/images/<emotion>/<name>      what was fetched, each file whole (`names.files`)
    <data>/.fetch/pictures.jsonl        what became of each picture (`journal`)
    <data>/.fetch/placeholders/...      what hosts sent in the place of pictures that are gone

Chapter: Building the database.
"""

import asyncio
import hashlib
import io
import os
import random
import shutil
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import aiohttp
import pandas as pd
from aiohttp.abc import AbstractResolver
from PIL import Image
from yarl import URL

from acp_lib.database import copies, imac
from acp_lib.database.acquire import journal
from acp_lib.database.acquire.addresses import Policy, Refused, Resolver
from acp_lib.database.acquire.journal import FAILED, FETCHED, LOST, UNFINISHED, Missed
from acp_lib.emotions import regroup
from acp_lib.engine.progress import bar
from acp_lib.features.picture import open_upright

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF")  # decoders that start no other program
GONE = "photo_unavailable"
"""How the file's name begins to which Flickr redirects for pictures that are gone."""
PLACEHOLDER = "placeholder picture"
AGENT = "acp-lib (reproduction of a paper's data set)"
REDIRECTS = (301, 302, 303, 307, 308)
MAY_PASS = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Limits:
    """What one run may take: requests at once, seconds, bytes, pixels, and how often it tries.

    placeholder : a picture that comes for so many URLs stands for pictures that are gone
    """

    together: int = 32
    per_host: int = 8
    connect: float = 10.0
    read: float = 15.0
    total: float = 60.0
    body: int = 25 * 2**20
    pixels: int = 50_000_000
    redirects: int = 5
    tries: int = 4
    pause: float = 1.0
    longest_pause: float = 60.0
    placeholder: int = 5


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
    table = imac.picture_lists(root / "agg")
    numbers = table[["disagree", "agree"]].apply(pd.to_numeric, errors="coerce")
    return pd.DataFrame({"id": table["file"], "class": table["emotion"].map(regroup),
                         "url": table["url"].fillna("").astype(str), "agreed": numbers["agree"] > numbers["disagree"]})


@dataclass(frozen=True)
class Found:
    """A picture file that decodes whole: digest (`cache.file_digest`) and length of its bytes; hash, width and height
    of the picture turned upright.
    """

    sha: str
    bytes: int
    hash: str
    size: tuple[int, int]


def look(path: Path, pixels: int) -> Found:
    """Decode a picture file whole.

    Raises
    ------
    Missed
        If it is no picture of a known format, has more than so many pixels, or does not decode to its end.
    """
    data = path.read_bytes()
    try:
        picture = open_upright(io.BytesIO(data), formats=FORMATS, pixels=pixels)
        with Image.open(io.BytesIO(data), formats=FORMATS) as file:
            file.verify()
        return Found(hashlib.sha256(data).hexdigest()[:16], len(data), copies.fingerprint(picture), picture.size)
    except Image.DecompressionBombError as error:
        raise Missed("too many pixels", str(error)) from None
    except Image.UnidentifiedImageError:
        raise Missed("not a picture", f"it begins with {data[:24]!r}") from None
    except MemoryError:
        raise  # no fault of the file
    except Exception as error:  # whatever a hostile file makes a decoder raise
        raise Missed("does not decode whole", f"{type(error).__name__}: {error}"[:200]) from None


class _Host:
    """A host that is asked for few things at a time, and for none while it wants to be left alone."""

    def __init__(self, together: int):
        self._slots = asyncio.Semaphore(together)
        self._quiet_until = 0.0

    def leave_alone(self, seconds: float) -> None:
        self._quiet_until = max(self._quiet_until, time.monotonic() + seconds)

    async def __aenter__(self) -> None:
        await self._slots.acquire()
        try:
            while (left := self._quiet_until - time.monotonic()) > 0:
                await asyncio.sleep(left)
        except BaseException:
            self._slots.release()
            raise

    async def __aexit__(self, *_) -> None:
        self._slots.release()


def _retry_after(answer: aiohttp.ClientResponse) -> float:
    """Seconds that a host asks to be left alone; 0 if it does not say."""
    text = answer.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    with suppress(ValueError, TypeError):
        when = parsedate_to_datetime(text)
        return max((when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds(), 0.0)
    return 0.0


@contextmanager
def _network_faults() -> Iterator[None]:
    """Turn what aiohttp raises into Missed; a disk that is full, say, stays what it is."""
    try:
        yield
    except Refused as error:
        raise Missed("address refused", str(error)) from None
    except aiohttp.InvalidURL as error:
        raise Missed("address refused", f"no URL: {error}") from None
    except TimeoutError:
        raise Missed("timed out", passing=True) from None
    except aiohttp.ClientPayloadError as error:
        raise Missed("ended early", str(error)[:200], passing=True) from None
    except aiohttp.ClientConnectorDNSError as error:
        raise Missed("host not found", str(error)[:200], passing=True) from None
    except (aiohttp.ClientError, ConnectionError) as error:
        raise Missed("connection failed", f"{type(error).__name__}: {error}"[:200], passing=True) from None


class Client:
    """Fetches one picture at a time into a file, from many tasks at once.

    Use as an asynchronous context. Proxies, cookies and passwords of the environment are not used: a proxy would look
    names up itself, behind the back of `policy`.
    """

    def __init__(self, limits: Limits, policy: Policy, resolver: AbstractResolver | None = None):
        self.limits = limits
        self.policy = policy
        self._resolver = resolver
        self._hosts = defaultdict(lambda: _Host(limits.per_host))

    async def __aenter__(self) -> "Client":
        limits = self.limits
        self._decoders = ThreadPoolExecutor(os.cpu_count())
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=limits.together, resolver=Resolver(self.policy, self._resolver)),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=limits.connect, sock_read=limits.read),
            headers={"User-Agent": AGENT, "Accept": "image/*", "Accept-Encoding": "identity"},
            cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, auto_decompress=False)
        return self

    async def __aexit__(self, *_) -> None:
        await self._session.close()
        self._decoders.shutdown()

    async def look(self, path: Path) -> Found:
        """`look`, beside other work."""
        return await asyncio.get_running_loop().run_in_executor(self._decoders, look, path, self.limits.pixels)

    async def fetch(self, url: str, into: Path) -> tuple[Found, int]:
        """Fetch a picture into a file, which holds it whole afterwards, and say how often it was tried.

        Raises
        ------
        Missed
            If it cannot be had. The file may hold anything then.
        """
        for tried in range(1, self.limits.tries + 1):
            try:
                await self._follow(url, into)
                return await self.look(into), tried
            except Missed as missed:
                if not missed.passing or tried == self.limits.tries:
                    missed.tries = tried
                    raise
                pause = self.limits.pause * 2 ** (tried - 1) * random.uniform(0.5, 1.5)  # noqa: NPY002 - no result of it
                await asyncio.sleep(min(max(pause, missed.after), self.limits.longest_pause))
        raise AssertionError("unreachable")

    async def _follow(self, url: str, into: Path) -> None:
        """Ask for a URL and for what it redirects to, each checked first."""
        address = None
        for _ in range(self.limits.redirects + 1):
            with _network_faults():
                address = self.policy.check(url, address)
                if address.name.lower().startswith(GONE):
                    raise Missed(PLACEHOLDER, f"redirected to {address}"[:200])
                async with self._hosts[address.raw_host, address.port], asyncio.timeout(self.limits.total):
                    url = await self._ask(address, into)
            if url is None:
                return
        raise Missed("too many redirects", f"more than {self.limits.redirects}")

    async def _ask(self, address: URL, into: Path) -> str | None:
        """One request: where it redirects to, or None after its body was written."""
        async with self._session.get(address, allow_redirects=False) as answer:
            if answer.status in REDIRECTS and "Location" in answer.headers:
                return answer.headers["Location"]
            if answer.status != 200:
                after = min(_retry_after(answer), self.limits.longest_pause)
                if answer.status in (429, 503):
                    self._hosts[address.raw_host, address.port].leave_alone(after)
                raise Missed(f"HTTP {answer.status}", passing=answer.status in MAY_PASS, after=after)
            await self._write(answer, into)

    async def _write(self, answer: aiohttp.ClientResponse, into: Path) -> None:
        most, length = self.limits.body, 0
        if (answer.content_length or 0) > most:
            raise Missed("too large", f"{answer.content_length} bytes announced")
        with into.open("wb") as f:
            async for chunk in answer.content.iter_chunked(2**16):
                length += len(chunk)
                if length > most:
                    raise Missed("too large", f"more than {most} bytes")
                f.write(chunk)


class _Run:
    """One call of `fetch`: where files go, what is written down about them, and the bar that shows it."""

    def __init__(self, root: Path, client: Client, log: journal.Journal, shown):
        self.root, self.client, self.log, self.shown = root, client, log, shown
        self.outcomes = dict.fromkeys((FETCHED, LOST, FAILED), 0)

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
        unfinished = self._path(absent[0]).with_name(f"{UNFINISHED}{os.urandom(8).hex()}")
        try:
            found, tries = await self.client.fetch(url, unfinished)
            for item in absent[1:]:
                copied = self._path(item).with_name(f"{UNFINISHED}{os.urandom(8).hex()}")
                shutil.copyfile(unfinished, copied)
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

    async def _there_already(self, item: Item) -> Found | None:
        """What lies in an item's place: of a run that was killed before it could note it, or brought by hand."""
        if item.other or not self._path(item).is_file():
            return None
        try:
            return await self.client.look(self._path(item))
        except Missed:
            return None

    def _note(self, item: Item, outcome: str, start: float, *, reason: str = "", detail: str = "", tries: int = 0,
              found: Found | None = None) -> None:
        more = {"bytes": found.bytes, "sha": found.sha, "hash": found.hash, "size": found.size} if found else {
            "bytes": 0, "sha": "", "hash": "", "size": None}
        self.log.add(id=item.id, url=item.url, **{"class": item.label}, outcome=outcome, reason=reason, detail=detail,
                     tries=tries, seconds=round(time.monotonic() - start, 3), **more)
        self.outcomes[outcome] += 1
        self.shown.set_postfix(self.outcomes, refresh=False)
        self.shown.update()


async def _all(root: Path, todo: dict[str, list[Item]], log: journal.Journal, client: Client, shown) -> None:
    waiting = iter(todo.items())  # shared by the workers: each takes the next when it is free

    async def worker(run: _Run) -> None:
        for url, items in waiting:
            await run.picture(url, items)

    async with client:
        run = _Run(root, client, log, shown)
        try:
            async with asyncio.TaskGroup() as tasks:
                for _ in range(min(client.limits.together, len(todo))):
                    tasks.create_task(worker(run))
        except* Exception as errors:
            raise errors.exceptions[0] from None


def fetch(root: Path, *, limits: Limits | None = None, policy: Policy | None = None, agreed: bool = False,
          again: str = "", progress: bool = True, resolver: AbstractResolver | None = None) -> dict[str, dict]:
    """Fetch what the lists of `root` name and the journal does not know, and return the journal's records by id.

    Parameters
    ----------
    policy : which addresses may be asked; by default those of the public network
    agreed : only pictures with whose emotion more people agreed than not
    again : "failed" to ask once more for what failed for reasons that may pass, "all" for what is lost too

    Raises
    ------
    ValueError
        If there are no lists, one does not read, or another process fetches to the same folder.
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
            asyncio.run(_all(root, todo, log, Client(limits, policy or Policy(), resolver), shown))
        _put_placeholders_aside(root, log, limits.placeholder)
    return journal.read(root, "pictures")


def _tidy(root: Path, emotions: set[str]) -> None:
    """Make the folders, and remove what a killed run left unfinished."""
    for emotion in sorted(emotions):
        folder = root / "images" / emotion
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(f"{UNFINISHED}*"):
            left.unlink()


def placeholders(records: dict[str, dict], least: int) -> dict[str, int]:
    """The ids of pictures that came for `least` different URLs or more, and for how many.

    The same picture is one with the same bytes; or with the same hash and the same width and height, for hosts that
    compress it anew.
    """
    urls = defaultdict(set)
    for record in records.values():
        for key in _keys(record):
            urls[key].add(record["url"])
    counts = {i: max((len(urls[key]) for key in _keys(r)), default=0) for i, r in records.items()}
    return {i: n for i, n in counts.items() if n >= least}


def _keys(record: dict) -> list[tuple]:
    return [(record["sha"],), (record["hash"], *record["size"])] if record["sha"] else []


def _put_placeholders_aside(root: Path, log: journal.Journal, least: int) -> None:
    """Note placeholders as lost, and move them out of `images`; what a killed run noted and did not move, too."""
    records = journal.read(root, "pictures")
    found = placeholders(records, least)
    for i, count in found.items():
        if records[i]["outcome"] == FETCHED:
            log.add(**records[i] | {"outcome": LOST, "reason": PLACEHOLDER,
                                    "detail": f"the same picture came for {count} URLs"})
    for i in found:
        source = root / "images" / i
        if source.is_file():
            target = root / journal.FOLDER / "placeholders" / i
            target.parent.mkdir(parents=True, exist_ok=True)
            source.rename(target)
