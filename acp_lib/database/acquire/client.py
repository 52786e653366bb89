"""Asking for pictures over HTTP: many at a time but few from each host, only at addresses that may be asked, each file
whole and decoded before it counts.

Chapter: Building the database.
"""

import asyncio
import hashlib
import io
import os
import random
import re
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver
from PIL import Image
from yarl import URL

from acp_lib.database import copies
from acp_lib.database.acquire.addresses import Policy, Refused, Resolver
from acp_lib.database.acquire.journal import Missed
from acp_lib.features.picture import open_upright

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "JPEG2000")  # decoders that start no other program
OTHERS = [  # how files begin that no such decoder takes, and what they are
    (rb"(\xef\xbb\xbf)?(\s|<\?xml.*?\?>|<!--.*?-->)*<(!doctype html|html|head|body|title)\b", "a web page"),
    (rb"(\xef\xbb\xbf)?(\s|<\?xml.*?\?>|<!.*?>)*<svg\b", "an SVG drawing, which is not read"),
    (rb"....ftyp(hei|hev|mif|msf)", "an HEIC picture, which is not read"),
    (rb"....ftypavi", "an AVIF picture, which this Pillow does not read"),
    (rb"\xff\x0a|\0\0\0\x0cJXL ", "a JPEG XL picture, which is not read")]
NO_PICTURE, BROKEN = "not a picture", "does not decode whole"
GONE = "photo_unavailable"
"""How the file's name begins to which Flickr redirects for pictures that are gone."""
PLACEHOLDER = "placeholder picture"
AGENT = "acp-lib (reproduction of a paper's data set)"
REDIRECTS = (301, 302, 303, 307, 308)
FOR_GOOD = (400, 401, 402, 403, 404, 405, 406, 410, 414, 415, 451, 501, 505)
"""Answers that say that the host does not give the picture; unless it says when to ask again. All others may pass."""
FAULTS: list[tuple[type[Exception], str, bool]] = [
    (Refused, "address refused", False), (aiohttp.InvalidURL, "address refused", False),
    (TimeoutError, "timed out", True), (aiohttp.ClientPayloadError, "ended early", True),
    (aiohttp.ClientConnectorDNSError, "host not found", True), (aiohttp.ClientError, "connection failed", True),
    (ConnectionError, "connection failed", True),
]
"""What the network raises, the reason, whether it may pass; the first that fits."""


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
class Decoded:
    """A picture file that decodes whole: length and digest (`cache.file_digest`) of its bytes, digest of its pixels,
    hash, width, height.
    """

    bytes: int = 0
    sha: str = ""
    pixels: str = ""
    hash: str = ""
    size: tuple[int, int] | None = None


def decoded(path: Path, pixels: int) -> Decoded:
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
        return Decoded(len(data), _digest(data), _digest(picture.tobytes()), copies.fingerprint(picture), picture.size)
    except MemoryError:
        raise  # no fault of the file
    except Image.DecompressionBombError as error:
        raise Missed("too many pixels", str(error)) from None
    except Image.UnidentifiedImageError:
        kinds = (kind for begin, kind in OTHERS if re.match(begin, data[:2000], re.IGNORECASE | re.DOTALL))
        raise Missed(next(kinds, NO_PICTURE), f"it begins with {data[:24]!r}") from None
    except Exception as error:  # whatever a hostile file makes a decoder raise
        raise Missed(BROKEN, f"{type(error).__name__}: {error}"[:200]) from None


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


class _Host:
    """A host that is asked for few things at a time, and for none while it wants to be left alone."""

    def __init__(self, together: int):
        self._slots = asyncio.Semaphore(together)
        self._quiet_until = 0.0

    def leave_alone(self, seconds: float) -> None:
        self._quiet_until = max(self._quiet_until, time.monotonic() + seconds)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        async with self._slots:
            while (left := self._quiet_until - time.monotonic()) > 0:
                await asyncio.sleep(left)
            yield


def _retry_after(answer: aiohttp.ClientResponse) -> float:
    """Seconds that a host asks to be left alone; 0 if it does not say."""
    text = answer.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    with suppress(ValueError, TypeError, OverflowError):
        when = parsedate_to_datetime(text)
        return max((when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds(), 0.0)
    return 0.0


@contextmanager
def _network_faults() -> Iterator[None]:
    """Turn what aiohttp raises into Missed; a disk that is full, say, stays what it is."""
    try:
        yield
    except tuple(kind for kind, *_ in FAULTS) as error:
        reason, passing = next((reason, passing) for kind, reason, passing in FAULTS if isinstance(error, kind))
        raise Missed(reason, f"{type(error).__name__}: {error}"[:200], passing=passing) from None


class Client:
    """Fetches one picture at a time into a file, from many tasks at once.

    Use as an asynchronous context. Proxies, cookies and passwords of the environment are not used: a proxy would look
    names up itself, behind the back of `policy`.
    """

    def __init__(self, limits: Limits, policy: Policy, resolver: AbstractResolver | None = None):
        self.limits = limits
        self.policy = policy
        self._resolver = resolver
        self._hosts: defaultdict[tuple[str | None, int | None], _Host] = defaultdict(lambda: _Host(limits.per_host))

    async def __aenter__(self) -> Self:
        limits = self.limits
        self._decoders = ThreadPoolExecutor(os.cpu_count())
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=limits.together, resolver=Resolver(self.policy, self._resolver)),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=limits.connect, sock_read=limits.read),
            headers={"User-Agent": AGENT, "Accept": "image/*", "Accept-Encoding": "identity"},
            cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()
        self._decoders.shutdown()

    async def decoded(self, path: Path) -> Decoded:
        """`decoded`, beside other work."""
        return await asyncio.get_running_loop().run_in_executor(self._decoders, decoded, path, self.limits.pixels)

    async def fetch(self, url: str, into: Path) -> tuple[Decoded, int]:
        """Fetch a picture into a file, which holds it whole afterwards, and say how often it was tried.

        Raises
        ------
        Missed
            If it cannot be had. The file may hold anything then.
        """
        for tried in range(1, self.limits.tries + 1):
            try:
                return await self._once(url, into), tried
            except Missed as missed:
                if not missed.passing or tried == self.limits.tries:
                    missed.tries = tried
                    raise
                pause = self.limits.pause * 2 ** (tried - 1) * random.uniform(0.5, 1.5)  # noqa: NPY002 - no result of it
                await asyncio.sleep(min(max(pause, missed.after), self.limits.longest_pause))
        raise AssertionError("unreachable")

    async def _once(self, url: str, into: Path) -> Decoded:
        """One try. Where the host did not say how long the body is, what does not decode may have been cut short; what
        came encoded, which nobody asked for, may be right another time.
        """
        answer = await self._follow(url, into)
        try:
            return await self.decoded(into)
        except Missed as missed:
            told = answer.content_length is not None or "chunked" in answer.headers.get("Transfer-Encoding", "").lower()
            encoded = answer.headers.get("Content-Encoding", "identity").strip().lower() != "identity"
            missed.passing = (encoded or not told) and missed.reason in (NO_PICTURE, BROKEN)
            raise

    async def _follow(self, url: str, into: Path) -> aiohttp.ClientResponse:
        """Ask for a URL and for what it redirects to, each checked first; the answer whose body was written."""
        address: URL | None = None
        for _ in range(self.limits.redirects + 1):
            with _network_faults():
                address = self.policy.check(url, address)
                if address.name.lower().startswith(GONE):
                    raise Missed(PLACEHOLDER, f"redirected to {address}"[:200])
                async with self._host(address).turn(), asyncio.timeout(self.limits.total):
                    answer = await self._ask(address, into)
            if answer.status == 200:
                return answer
            url = answer.headers["Location"]
        raise Missed("too many redirects", f"more than {self.limits.redirects}")

    def _host(self, address: URL) -> _Host:
        return self._hosts[address.raw_host, address.port]

    async def _ask(self, address: URL, into: Path) -> aiohttp.ClientResponse:
        """One request: the answer, which is a redirect, or whose body was written."""
        async with self._session.get(address, allow_redirects=False) as answer:
            if answer.status in REDIRECTS and "Location" in answer.headers:
                return answer
            if answer.status != 200:
                after = min(_retry_after(answer), self.limits.longest_pause)
                if answer.status in (429, 503):
                    self._host(address).leave_alone(after)
                raise Missed(f"HTTP {answer.status}", passing=answer.status not in FOR_GOOD or after > 0, after=after)
            await self._write(answer, into)
            return answer

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
