"""What hosts answer for a picture, and what becomes of it: status codes, encodings, formats, bodies that are cut."""

import gzip
import io
import zlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import server as web
from PIL import Image, features
from server import body, in_turn, picture
from test_download import fetch, files, lists, one, root, site  # noqa: F401 - fixtures

from acp_lib.database.acquire import attrition, client, pictures

# ruff: noqa: F811 - fixtures by their names

FOR_GOOD = [400, 401, 402, 403, 404, 405, 406, 410, 414, 415, 451, 501, 505]
MAY_PASS = [202, 204, 206, 300, 302, 304, 408, 409, 418, 420, 421, 423, 425, 429, 444, 499, 500, 502, 503, 504, 507,
            508, 509, 520, 521, 522, 523, 524, 525, 526, 527, 529, 530, 561, 598, 599]


@pytest.mark.slow
@pytest.mark.parametrize(("status", "outcome"), [*((s, "lost") for s in FOR_GOOD), *((s, "failed") for s in MAY_PASS)])
def test_status_codes(root, site, status, outcome):
    record = one(root, site, body(b"", status=status), limits={"tries": 1})
    assert (record["outcome"], record["reason"]) == (outcome, f"HTTP {status}")
    assert attrition.table(root)[["reason", "n"]].values.tolist() == [[f"HTTP {status}", 1]]
    site.predictions["/p.jpg"] = body(picture(1))
    assert fetch(root, site)["awe/p.jpg"]["outcome"] == ("fetched" if outcome == "failed" else "lost")
    assert fetch(root, site, again="all")["awe/p.jpg"]["outcome"] == "fetched"


class Answer:
    def __init__(self, text: str):
        self.headers = {"Retry-After": text}


def later(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(("text", "least", "most"), [
    ("7", 7, 7), ("0", 0, 0), (" 3 ", 3, 3), ("-5", 0, 0), ("soon", 0, 0), ("", 0, 0), ("1.5", 0, 0),
    ("9" * 400, 1e8, 1e9), ("٣", 0, 0), (3600, 600, 3600), (-90, 0, 0),
    ("Wed, 21 Oct 9999 07:28:00 GMT", 1e9, 1e12),
    ("Fri, 31 Dec 9999 23:59:59 -2359", 0, 1e12), ("Mon, 01 Jan 0001 00:00:00 +2359", 0, 0),
    ("Wed, 99 Foo 2015 77:28:00 GMT", 0, 0), ("Wed, 21 Oct 2015 07:28:00", 0, 0)])
def test_how_long_a_host_wants_to_be_left_alone(text, least, most):
    text = later(text) if isinstance(text, int) else text
    assert least <= client._retry_after(Answer(text)) <= most


@pytest.mark.slow
@pytest.mark.parametrize("status", [403, 404, 503])
def test_an_answer_that_says_when_to_ask_again_may_pass(root, site, status):
    record = one(root, site, in_turn(body(b"", status=status, **{"Retry-After": "1"}), body(picture(1))))
    assert (record["outcome"], record["tries"]) == ("fetched", 2)


# encodings

DATA = picture(1)
RAW = zlib.compressobj(wbits=-15)
ENCODED = {
    "gzip": ("gzip", gzip.compress(DATA)), "x-gzip level 1": ("gzip", gzip.compress(DATA, 1)),
    "deflate": ("deflate", zlib.compress(DATA)),
    "deflate without a header": ("deflate", RAW.compress(DATA) + RAW.flush()),
    "identity": ("identity", DATA)}


def encoded(data: bytes, name: str):
    async def answer(request):
        response = web.web.StreamResponse(headers={"Content-Encoding": name, "Content-Length": str(len(data)),
                                                   "Content-Type": "image/jpeg"})
        await response.prepare(request)
        await response.write(data)
        return response
    return answer


@pytest.mark.slow
@pytest.mark.parametrize("kind", ENCODED)
def test_encoded_bodies_are_decoded(root, site, kind):
    name, data = ENCODED[kind]
    assert one(root, site, encoded(data, name))["outcome"] == "fetched"
    assert (root / "images/awe/p.jpg").read_bytes() == DATA


@pytest.mark.parametrize("name", ["br", "zstd", "gzip", "deflate"])
def test_what_is_encoded_otherwise_than_it_says_may_pass(root, site, name):
    """Neither of the first two was asked for."""
    record = one(root, site, encoded(b"\x28\xb5\x2f\xfd" + bytes(50), name))
    assert record["outcome"] == "failed" and files(root) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gzip", "deflate"])
def test_what_is_small_only_while_it_is_packed(root, site, name):
    bomb = gzip.compress(bytes(50_000_000)) if name == "gzip" else zlib.compress(bytes(50_000_000))
    record = one(root, site, encoded(bomb, name), limits={"body": 200_000})
    assert len(bomb) < 200_000 and (record["outcome"], record["reason"]) == ("lost", "too large") and files(root) == []


# formats


@pytest.mark.parametrize("form", [pytest.param("AVIF", marks=pytest.mark.skipif(
    not features.check("avif"), reason="this Pillow reads no AVIF")), "JPEG2000", "MPO"])
def test_other_formats_that_are_read(root, site, form):
    data = io.BytesIO()
    Image.open(io.BytesIO(DATA)).save(data, form)
    assert one(root, site, body(data.getvalue(), "image/jpeg"))["outcome"] == "fetched"


PAGES = [b"<!doctype html><title>Gone</title>", b"<html>", b"\n\n  <HTML lang=en>",
         b"\xef\xbb\xbf<!DOCTYPE HTML PUBLIC>", b"<?xml version='1.0'?>\n<!DOCTYPE html>",
         b"<!-- cached --><html>", b"<head></head>"]
REFUSED = [*((data, "a web page") for data in PAGES),
           (b"\0\0\0\x18ftypheic" + bytes(99), "an HEIC picture, which is not read"),
           (b"\0\0\0\x1cftypmif1" + bytes(99), "an HEIC picture, which is not read"),
           (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing, which is not read"),
           (b"<?xml version='1.0'?><!-- a --><svg/>", "an SVG drawing, which is not read"),
           (b"\xff\x0a" + bytes(99), "a JPEG XL picture, which is not read"),
           (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(99), "a JPEG XL picture, which is not read"),
           (b"GIF, or so", "not a picture"), (b"{}", "not a picture"), (b"", "not a picture"),
           (b"%PDF-1.7", "not a picture")]


@pytest.mark.slow
@pytest.mark.parametrize(("data", "reason"), REFUSED)
def test_what_is_no_picture_is_refused_with_the_reason(root, site, data, reason):
    record = one(root, site, body(data))
    assert (record["outcome"], record["reason"]) == ("lost", reason) and files(root) == []
    assert repr(data[:24]) in record["detail"] and site.asked.total() == 1


# bodies that are cut


def cut(data: bytes, kept: int, how: str):
    """A body that breaks off after so many bytes: of an announced length, in chunks, or until the connection ends."""
    head = {"length": f"Content-Length: {len(data)}\r\n", "chunks": "Transfer-Encoding: chunked\r\n", "close": ""}[how]

    async def answer(request):
        sent = data[:kept] if how != "chunks" else b"%x\r\n%b\r\n" % (kept, data[:kept]) if kept else b""
        request.transport.write(b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nConnection: close\r\n"
                                + head.encode() + b"\r\n" + sent)
        await web.asyncio.sleep(0.05)
        request.transport.close()
        return web.web.Response()
    return answer


@pytest.mark.slow
@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP"])
@pytest.mark.parametrize("how", ["length", "chunks", "close"])
@pytest.mark.parametrize("kept", [0, 10, 200])
def test_a_body_that_is_cut_is_asked_for_again_and_never_kept(root, site, form, how, kept):
    data = picture(1, form)
    record = one(root, site, in_turn(cut(data, kept, how), body(data)))
    assert (record["outcome"], record["tries"]) == ("fetched", 2), record
    site.predictions["/q.jpg"] = cut(data, kept, how)
    lists(root, [site.url("/q.jpg")])
    assert fetch(root, site)["awe/q.jpg"]["outcome"] == "failed" and files(root) == ["awe/p.jpg"]


def test_a_body_without_a_length_counts_if_it_decodes_whole(root, site):
    record = one(root, site, cut(DATA, len(DATA), "close"))
    assert (record["outcome"], record["tries"]) == ("fetched", 1)
    assert (root / "images/awe/p.jpg").read_bytes() == DATA


def test_a_page_without_a_length_is_lost_at_once(root, site):
    assert one(root, site, cut(PAGES[0], 99, "close"))["reason"] == "a web page" and site.asked.total() == 1


# placeholders


def plain(colour, form: str = "PNG", size=(40, 40), **options) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", size, colour).save(data, form, **options)
    return data.getvalue()


COLOURS = ["red", "green", "blue", "black", "white", "yellow"]
TOLD_APART = {
    "plain ones of different colours": [plain(c) for c in COLOURS],
    "the same as JPEG": [plain(c, "JPEG") for c in COLOURS],
    "one colour, of different sizes": [plain("red", size=(40, 30 + i)) for i in range(5)],
    "one number of pixels, of different sides": [plain("red", size=(240 // n, n)) for n in (4, 8, 10, 12, 60)],
    "nearly black": [plain((i, 0, 0)) for i in range(5)],
    "four of one": [plain("red")] * 4}
ONE = {"the same bytes": [plain("red")] * 5,
       "the same pixels, packed anew": [plain("red", compress_level=i) for i in range(5)],
       "the same pixels, in other formats": [plain("red", f) for f in ("PNG", "BMP", "GIF", "TIFF")]
                                            + [plain("red", "WEBP", lossless=True)]}


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "lost"), [*((k, False) for k in TOLD_APART), *((k, True) for k in ONE)])
def test_one_picture_for_many_urls_and_pictures_that_are_merely_alike(root, site, kind, lost):
    given = (ONE if lost else TOLD_APART)[kind]
    site.predictions |= {f"/{i}.png": body(data, "image/png") for i, data in enumerate(given)}
    lists(root, [site.url(f"/{i}.png") for i in range(len(given))])
    fetch(root, site)
    assert attrition.table(root)[["reason", "n"]].values.tolist() == [
        ["placeholder picture" if lost else "fetched", len(given)]]
    assert len(files(root)) == (0 if lost else len(given))


def test_records_of_older_journals_are_known_by_their_bytes():
    old = {f"a{i}": {"sha": "x", "hash": "0" * 32, "size": [4, 4], "url": f"u{i}"} for i in range(5)}
    assert len(pictures.placeholders(old, 5)) == 5
    assert pictures.placeholders({i: r | {"sha": i} for i, r in old.items()}, 5) == {}
