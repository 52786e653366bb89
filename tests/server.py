"""A web server on this machine that misbehaves as it is told, and counts what it is asked for."""

import asyncio
import io
import struct
import threading
import zlib
from collections import Counter
from collections.abc import Callable

import numpy as np
from aiohttp import web
from PIL import Image


def picture(seed: int, form: str = "JPEG", side: int = 40, **options) -> bytes:
    """A picture of random patches."""
    small = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    data = io.BytesIO()
    Image.fromarray(small).resize((side, side), Image.Resampling.NEAREST).save(data, form, **options)
    return data.getvalue()


def bomb(side: int = 60_000) -> bytes:
    """A PNG of some bytes that says it has so many pixels a side."""
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


class Server:
    """Answers by the function of the longest name that a path begins with; use as a context.

    asked : how often each path was asked for
    at_once : the most requests that were under way together
    """

    def __init__(self, answers: dict[str, Callable]):
        self.predictions = answers
        self.asked, self.at_once, self.under_way = Counter(), 0, 0

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked[request.path] += 1
        self.under_way += 1
        self.at_once = max(self.at_once, self.under_way)
        try:
            name = max((n for n in self.predictions if request.path.startswith(n)), key=len, default=None)
            return await self.predictions[name](request) if name else web.Response(status=404)
        finally:
            self.under_way -= 1

    def __enter__(self) -> "Server":
        started = threading.Event()

        async def serve() -> None:
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
            app = web.Application()
            app.router.add_route("*", r"/{path:[\s\S]*}", self._answer)
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self.port = site._server.sockets[0].getsockname()[1]
            started.set()
            await self._stop.wait()
            await runner.cleanup()

        self._thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
        self._thread.start()
        assert started.wait(30)
        return self

    def __exit__(self, *_) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"


def body(data: bytes, kind: str = "image/jpeg", status: int = 200, **headers) -> Callable:
    async def answer(request):
        return web.Response(body=data, content_type=kind, status=status, headers=headers)
    return answer


def redirect(to: str, status: int = 302) -> Callable:
    async def answer(request):
        return web.Response(status=status, headers={"Location": to})
    return answer


def in_turn(*answers: Callable) -> Callable:
    """Another answer each time; the last from then on."""
    left = list(answers)

    async def answer(request):
        return await (left.pop(0) if len(left) > 1 else left[0])(request)
    return answer


def drip(data: bytes, pause: float) -> Callable:
    """A byte at a time."""
    async def answer(request):
        response = web.StreamResponse(headers={"Content-Length": str(len(data)), "Content-Type": "image/jpeg"})
        await response.prepare(request)
        for i in range(len(data)):
            await response.write(data[i:i + 1])
            await asyncio.sleep(pause)
        return response
    return answer


async def silent(request) -> web.Response:
    await asyncio.sleep(3600)


async def reset(request) -> web.Response:
    request.transport.abort()
    return web.Response()


def truncated(data: bytes, told: int) -> Callable:
    """A body that ends before its announced length."""
    async def answer(request):
        response = web.StreamResponse(headers={"Content-Length": str(told), "Content-Type": "image/jpeg"})
        await response.prepare(request)
        await response.write(data)
        request.transport.close()
        return response
    return answer


async def endless(request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "image/jpeg"})
    await response.prepare(request)
    while True:
        await response.write(bytes(2**16))


async def numbered(request) -> web.Response:
    """`/<n>.jpg`: a small picture of its own for each number."""
    return web.Response(body=picture(int(request.path.rpartition("/")[2].partition(".")[0]), side=32),
                        content_type="image/jpeg")
