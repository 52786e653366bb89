"""Fetching pictures from a server that misbehaves: what is kept, what is lost and why; what a killed run repeats."""

import csv
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import server as web
from aiohttp.abc import AbstractResolver
from PIL import Image
from server import Server, body, in_turn, picture, redirect

from acp_lib.database import imac
from acp_lib.database.__main__ import main
from acp_lib.database.acquire import attrition, journal
from acp_lib.database.acquire import pictures as download
from acp_lib.database.acquire.addresses import Policy
from acp_lib.database.acquire.pictures import Limits
from acp_lib.engine.cache import file_digest

QUICK = {"connect": 5.0, "read": 1.0, "total": 2.0, "tries": 2, "pause": 0.01, "longest_pause": 1.0}


@pytest.fixture
def root(tmp_path):
    (tmp_path / "agg").mkdir()
    return tmp_path


@pytest.fixture
def site():
    """A server that is told what to answer."""
    with Server({}) as running:
        yield running


def lists(root: Path, urls: list[str], emotion: str = "awe") -> None:
    rows = "".join(f'{emotion},"{url}",1,4\n' for url in urls)
    (root / "agg" / f"{emotion}.csv").write_text(rows, "utf8", newline="\n")


def allowing(*servers: Server) -> Policy:
    return Policy(allow=frozenset(("127.0.0.1", s.port) for s in servers))


def fetch(root: Path, *servers: Server, limits: dict | None = None, **options) -> dict[str, dict]:
    return download.fetch(root, limits=Limits(**QUICK | (limits or {})), policy=allowing(*servers), progress=False,
                          **options)


def one(root: Path, site: Server, answer, path: str = "/p.jpg", **options) -> dict:
    """The record of a single picture."""
    site.predictions[path] = answer
    lists(root, [site.url(path)])
    return next(iter(fetch(root, site, **options).values()))


def files(root: Path) -> list[str]:
    """All files below `images`, unfinished ones too."""
    return sorted(p.relative_to(root / "images").as_posix() for p in (root / "images").rglob("*") if p.is_file())


def test_a_picture_arrives_whole_and_is_noted(root, site):
    record = one(root, site, body(picture(1)))
    assert (root / "images/awe/p.jpg").read_bytes() == picture(1)
    assert {k: record[k] for k in ("id", "class", "outcome", "reason", "bytes", "size", "tries")} == {
        "id": "awe/p.jpg", "class": "positive", "outcome": "fetched", "reason": "", "bytes": len(picture(1)),
        "size": [40, 40], "tries": 1}
    assert record["url"] == site.url("/p.jpg") and len(record["hash"]) == 32 and record["seconds"] >= 0
    assert record["sha"] == file_digest(root / "images/awe/p.jpg")
    fetch(root, site)
    assert site.asked == {"/p.jpg": 1}


@pytest.mark.slow
@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF"])
def test_formats(root, site, form):
    assert one(root, site, body(picture(2, form), "application/octet-stream"))["outcome"] == "fetched"


LOST = {
    "not found": (body(b"", status=404), "HTTP 404"),
    "gone": (body(b"", status=410), "HTTP 410"),
    "forbidden": (body(b"", status=403), "HTTP 403"),
    "nothing": (body(b""), "not a picture"),
    "a page": (body(b"<!doctype html><title>Gone</title>"), "a web page"),
    "PostScript": (body(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"), "not a picture"),
    "half a picture": (body(picture(1)[:-300]), "does not decode whole"),
    "half a PNG": (body(picture(1, "PNG")[:-60]), "does not decode whole"),
    "bomb": (body(web.bomb(), "image/png"), "too many pixels"),
    "bomb that Pillow warns of": (body(web.bomb(9500), "image/png"), "too many pixels"),
    "endless": (web.endless, "too large"),
    "large, and says so": (body(bytes(300_000)), "too large"),
    "a redirect without a target": (redirect(""), "too many redirects"),
    "to a file": (redirect("file:///etc/passwd"), "address refused"),
    "to another scheme": (redirect("ftp://127.0.0.1/p.jpg"), "address refused"),
    "to no URL": (redirect("http://["), "address refused"),
    "to a private address": (redirect("http://10.0.0.1/p.jpg"), "address refused"),
    "to the metadata of a cloud": (redirect("http://169.254.169.254/latest"), "address refused"),
    "to a loopback in disguise": (redirect("http://[::ffff:127.0.0.1]/p.jpg"), "address refused"),
    "to a name of this machine": (redirect("http://localhost/p.jpg"), "address refused"),
    "round and round": (redirect("/p.jpg"), "too many redirects"),
    "to what Flickr has for what is gone": (redirect("/images/photo_unavailable_l.png"), "placeholder picture"),
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("kind", LOST)
def test_lost_for_good(root, site, kind):
    answer, reason = LOST[kind]
    record = one(root, site, answer, limits={"body": 200_000, "redirects": 3})
    assert (record["outcome"], record["reason"]) == ("lost", reason), record
    assert files(root) == [] and record["tries"] == 1
    asked = site.asked.total()
    fetch(root, site, again="failed")
    assert site.asked.total() == asked


FAILED = {
    "slow": (web.drip(picture(1), 0.1), "timed out"),
    "silent": (web.silent, "timed out"),
    "truncated": (web.truncated(picture(1), 10_000), "ended early"),
    "reset": (web.reset, "connection failed"),
    "500": (body(b"", status=500), "HTTP 500"),
    "429": (body(b"", status=429, **{"Retry-After": "0"}), "HTTP 429"),
    "503 for a day": (body(b"", status=503, **{"Retry-After": "86400"}), "HTTP 503"),
    "503, in a way": (body(b"", status=503, **{"Retry-After": "soon"}), "HTTP 503"),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", FAILED)
def test_failed_and_tried_again_by_the_next_run(root, site, kind):
    answer, reason = FAILED[kind]
    record = one(root, site, answer)
    assert (record["outcome"], record["reason"], record["tries"]) == ("failed", reason, 2), record
    asked = 4 if kind == "reset" else 2  # aiohttp itself asks once more where a connection breaks
    assert files(root) == [] and site.asked == {"/p.jpg": asked}
    assert attrition.table(root)[["reason", "n"]].values.tolist() == [[reason, 1]]
    site.predictions["/p.jpg"] = body(picture(1))
    assert fetch(root, site)["awe/p.jpg"]["outcome"] == "fetched" and site.asked == {"/p.jpg": asked + 1}
    assert attrition.table(root)[["reason", "n"]].values.tolist() == [["fetched", 1]]


def test_what_is_lost_is_asked_for_again_only_with_all(root, site):
    assert one(root, site, body(b"", status=404))["outcome"] == "lost"
    site.predictions["/p.jpg"] = body(picture(1))
    assert fetch(root, site, again="failed")["awe/p.jpg"]["outcome"] == "lost"
    assert fetch(root, site, again="all")["awe/p.jpg"]["outcome"] == "fetched"


@pytest.mark.slow
@pytest.mark.parametrize("first", [[body(b"", status=500)], [web.reset, web.reset], [web.truncated(b"half", 100)],
                                   [body(b"", status=429, **{"Retry-After": "1"})]])
def test_a_second_try_that_works(root, site, first):
    record = one(root, site, in_turn(*first, body(picture(1))))
    assert (record["outcome"], record["tries"]) == ("fetched", 2)


@pytest.mark.slow
def test_a_host_that_wants_to_be_left_alone_is_for_all_its_pictures(root, site):
    """Retry-After holds for the host, not for the one picture; and no longer than `longest_pause`."""
    times = []

    async def busy(request):
        times.append(time.monotonic())
        return await (body(b"", status=429, **{"Retry-After": "1"}) if len(times) == 1 else body(picture(len(times))))(
            request)

    site.predictions["/"] = busy
    lists(root, [site.url(f"/{i}.jpg") for i in range(6)])
    records = fetch(root, site, limits={"per_host": 1})
    assert {r["outcome"] for r in records.values()} == {"fetched"} and site.asked.total() == 7
    assert times[1] - times[0] > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(root, site, status):
    site.predictions["/there/q.jpg"] = body(picture(3))
    assert one(root, site, redirect("/there/q.jpg", status))["outcome"] == "fetched"
    assert files(root) == ["awe/p.jpg"]


def test_a_redirect_to_a_server_that_was_not_allowed(root, site):
    with Server({"/q.jpg": body(picture(1))}) as other:
        record = one(root, site, redirect(other.url("/q.jpg")))
        assert record["reason"] == "address refused" and "127.0.0.1" in record["detail"] and not other.asked
        assert fetch(root, site, other, again="all")["awe/p.jpg"]["outcome"] == "fetched" and other.asked.total() == 1


class Names(AbstractResolver):
    """Says for each name what it is told, another thing each time."""

    def __init__(self, *addresses: str):
        self.addresses, self.asked = list(addresses), []

    async def resolve(self, host, port=0, family=0):
        address = self.addresses.pop(0) if len(self.addresses) > 1 else self.addresses[0]
        self.asked.append((host, address))
        return [{"hostname": host, "host": a, "port": port, "family": 10 if ":" in a else 2, "proto": 0, "flags": 0}
                for a in address.split()]

    async def close(self): ...


@pytest.mark.slow
@pytest.mark.parametrize("address", ["127.0.0.1", "8.8.8.8 127.0.0.1", "10.1.2.3", "::1", "::ffff:127.0.0.1",
                                     "fe80::1%eth0"])
def test_a_name_that_stands_for_a_private_address(root, site, address):
    lists(root, [f"http://pictures.test:{site.port}/p.jpg"])
    names = Names(address)
    record = fetch(root, site, resolver=names)["awe/p.jpg"]
    assert (record["outcome"], record["reason"]) == ("lost", "address refused") and "pictures.test" in record["detail"]
    assert names.asked and not site.asked


def test_a_name_whose_address_changes_gains_nothing(root, site):
    """The address that is checked is the one that is connected to, at each redirect anew."""
    lists(root, [f"http://pictures.test:{site.port}/p.jpg"])
    site.predictions["/p.jpg"] = redirect(f"http://rebound.test:{site.port}/q.jpg")
    policy = Policy(allow=frozenset({("pictures.test", site.port)}))
    record = download.fetch(root, limits=Limits(**QUICK), policy=policy, progress=False, resolver=Names("127.0.0.1"))
    assert record["awe/p.jpg"]["reason"] == "address refused" and site.asked == {"/p.jpg": 1}


def test_no_proxy_of_the_environment_is_used(root, site, monkeypatch):
    with Server({"/": body(picture(9))}) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url(""))
        monkeypatch.delenv("no_proxy", raising=False)
        assert one(root, site, body(picture(1)))["outcome"] == "fetched" and not proxy.asked


@pytest.mark.slow
def test_few_at_once_to_one_host(root, site):
    async def slow(request):
        await web.asyncio.sleep(0.02)
        return await web.numbered(request)

    site.predictions["/"] = slow
    lists(root, [site.url(f"/{i}.jpg") for i in range(40)])
    fetch(root, site, limits={"per_host": 3, "together": 16})
    assert 1 < site.at_once <= 3 and len(files(root)) == 40


HOSTILE = ["/a/../../../../etc/passwd", "/%2e%2e%2f%2e%2e%2fx.jpg", "/..%5c..%5cx.jpg", "/x%00.jpg",
           "/" + 300 * "n" + ".jpg", "/", "/.hidden.jpg", "/name", "/ünï/Ä%20ö.jpg", "/图片.jpg", "/a;b=c.jpg",
           "/a&b.jpg?x=/../y", "/-rf.jpg", "/con.jpg#frag", "/%0d%0aSet-Cookie:x.jpg", "/..", "/...", "/a b.jpg",
           "/\u202egpj.exe", "/<script>.jpg"]


def test_hostile_names_stay_in_their_folder(root, site):
    seeds = iter(range(1000))

    async def any_picture(request):
        return await body(picture(next(seeds)))(request)

    site.predictions["/"] = any_picture
    lists(root, [site.url(path) for path in HOSTILE])
    records = fetch(root, site)
    assert len(records) == len(HOSTILE) and {r["outcome"] for r in records.values()} == {"fetched"}, records
    assert len(files(root)) == len(HOSTILE) and all(f.startswith("awe/") and f.count("/") == 1 for f in files(root))
    assert {p.name for p in root.iterdir()} == {"agg", "images", ".fetch"}
    scanned = [row["path"] for row in imac._pictures(root)[0]]
    assert sorted(scanned) == [f"images/{f}" for f in files(root)]  # found where the source looks for them


def test_two_urls_of_one_name_do_not_overwrite_one_another(root, site):
    site.predictions |= {"/1/p.jpg": body(picture(1)), "/2/p.jpg": body(picture(2)), "/3/P.JPG": body(picture(3))}
    lists(root, [site.url(path) for path in ("/1/p.jpg", "/2/p.jpg", "/3/P.JPG")])
    fetch(root, site)
    kept = [row["path"] for row in imac._pictures(root)[0]]
    assert [(root / path).read_bytes() for path in kept] == [picture(1), picture(2), picture(3)]
    assert kept[0] == "images/awe/p.jpg" and len({path.lower() for path in kept}) == 3


def test_a_url_of_two_lists_is_asked_for_once(root, site):
    site.predictions["/p.jpg"] = body(picture(1))
    lists(root, [site.url("/p.jpg")] * 2)
    lists(root, [site.url("/p.jpg")], "fear")
    records = fetch(root, site)
    assert files(root) == ["awe/p.jpg", "fear/p.jpg"] and site.asked == {"/p.jpg": 1}
    assert [r["class"] for r in records.values()] == ["positive", "negative"]
    found = attrition.table(root)
    assert found[found["reason"] == "listed twice"]["n"].tolist() == [1] and found["n"].sum() == 3


def test_a_row_that_changed_its_url_is_fetched_anew(root, site):
    one(root, site, body(picture(1)), "/1/p.jpg")
    record = one(root, site, body(picture(2)), "/2/p.jpg")
    assert record["url"].endswith("/2/p.jpg") and (root / "images/awe/p.jpg").read_bytes() == picture(2)


def test_files_that_were_brought_by_hand_are_kept(root, site):
    lists(root, [site.url("/p.jpg"), site.url("/broken.jpg")])
    site.predictions["/broken.jpg"] = body(picture(2))
    (root / "images/awe").mkdir(parents=True)
    (root / "images/awe/p.jpg").write_bytes(picture(1))
    (root / "images/awe/broken.jpg").write_bytes(picture(2)[:-300])
    assert fetch(root, site)["awe/p.jpg"]["detail"] == "was there already"
    assert site.asked == {"/broken.jpg": 1} and (root / "images/awe/broken.jpg").read_bytes() == picture(2)


@pytest.mark.parametrize("damage", ["gone", "cut"])
def test_a_file_that_is_gone_or_cut_is_fetched_again(root, site, damage):
    one(root, site, body(picture(1)))
    path = root / "images/awe/p.jpg"
    path.unlink() if damage == "gone" else path.write_bytes(picture(1)[:-300])
    fetch(root, site)
    assert site.asked == {"/p.jpg": 2} and path.read_bytes() == picture(1)


def test_one_picture_for_many_urls_stands_for_pictures_that_are_gone(root, site):
    same = [f"/same/{i}.jpg" for i in range(5)]
    packed = [f"/packed/{i}.png" for i in range(5)]  # the same picture, in other bytes
    rare = [f"/rare/{i}.gif" for i in range(4)]
    site.predictions |= {"/same": body(picture(1)), "/rare": body(picture(2, "GIF")), "/own.jpg": body(picture(3))}
    site.predictions |= {path: body(picture(4, "PNG", compress_level=i)) for i, path in enumerate(packed)}
    assert len({picture(4, "PNG", compress_level=i) for i in range(5)}) > 2
    lists(root, [site.url(path) for path in [*same, *packed, *rare, "/own.jpg"]])
    records = fetch(root, site)
    lost = [i for i, r in records.items() if r["reason"] == "placeholder picture"]
    names = [p.rpartition("/")[2] for p in [*same, *packed]]
    assert sorted(lost) == sorted(f"awe/{name}" for name in names)
    assert {records[i]["detail"] for i in lost} == {"the same picture came for 5 URLs"}
    assert files(root) == sorted(["awe/own.jpg", *[f"awe/{i}.gif" for i in range(4)]])
    aside = sorted(p.name for p in (root / ".fetch/placeholders/awe").iterdir())
    assert aside == sorted(names)
    asked = site.asked.total()
    lists(root, [site.url(path) for path in [*same, *packed, *rare, "/own.jpg", "/same/new.jpg"]])
    assert fetch(root, site)["awe/new.jpg"]["reason"] == "placeholder picture"  # a known one from now on
    assert site.asked.total() == asked + 1
    (root / ".fetch/placeholders/awe/0.jpg").rename(root / "images/awe/0.jpg")  # by someone who knows better
    fetch(root, site, limits={"placeholder": 100})
    assert "awe/0.jpg" in files(root)


def test_a_run_killed_between_noting_a_placeholder_and_moving_it(root, site, monkeypatch):
    site.predictions["/"] = body(picture(1))
    lists(root, [site.url(f"/{i}.jpg") for i in range(5)])
    with monkeypatch.context() as m:
        m.setattr(Path, "rename", lambda self, to, real=Path.rename: real(self, to) if "placeholders" not in str(to)
                  else (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            fetch(root, site)
    assert len(files(root)) == 5
    fetch(root, site)
    assert files(root) == [] and site.asked.total() == 5


def test_only_pictures_that_most_agree_with(root, site):
    site.predictions["/"] = web.numbered
    rows = [(site.url("/1.jpg"), 1, 4), (site.url("/2.jpg"), 3, 2), (site.url("/3.jpg"), 2, "?")]
    (root / "agg/awe.csv").write_text("".join(f"awe,{url},{no},{yes}\n" for url, no, yes in rows))
    fetch(root, site, agreed=True)
    assert site.asked == {"/1.jpg": 1}
    assert attrition.table(root).values.tolist() == [["pictures", "positive", "fetched", 1],
                                                     ["pictures", "positive", "not tried yet", 1]]
    assert [where for where, _ in imac.read_pictures(root / "agg")[1]] == ["agg/awe.csv, line 3"]


def test_attrition_counts_every_row_once(root, site):
    site.predictions |= {"/ok": web.numbered, "/gone": body(b"", status=410), "/late": body(b"", status=500)}
    lists(root, [site.url(p) for p in ("/ok/1.jpg", "/ok/2.jpg", "/ok/2.jpg", "/gone/3.jpg", "/late/4.jpg", "/x.jpg")])
    lists(root, ["", "no url", "http://192.168.1.1/p.jpg", site.url("/ok/5.jpg")], "sadness")
    fetch(root, site)
    (root / "images/awe/2.jpg").unlink()
    with (root / "agg/awe.csv").open("a") as f:
        f.write(f"awe,{site.url('/ok/6.jpg')},0,5\nawe,{site.url('/ok/7.jpg')},0,5\n")
    (root / "images/awe/7.jpg").write_bytes(picture(7))
    found = attrition.table(root)
    assert list(found) == ["what", "class", "reason", "n"] and found["n"].sum() == 12
    counts = {(c, r): n for _, c, r, n in found.itertuples(index=False)}
    assert counts == {("positive", "fetched"): 1, ("positive", "fetched, and removed since"): 1,
                      ("positive", "listed twice"): 1, ("positive", "HTTP 410"): 1, ("positive", "HTTP 500"): 1,
                      ("positive", "HTTP 404"): 1, ("positive", "not tried yet"): 1, ("positive", "there already"): 1,
                      ("negative", "fetched"): 1, ("negative", "address refused"): 3}


def test_attrition_without_a_list(tmp_path):
    found = attrition.table(tmp_path)
    assert list(found) == ["what", "class", "reason", "n"] and len(found) == 0


def test_a_full_disk_ends_the_run_and_loses_no_picture(root, site, monkeypatch):
    def full(self, *_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as m:
        m.setattr(download.Client, "_write", full)
        with pytest.raises(OSError, match="No space left"):
            one(root, site, body(picture(1)))
    assert journal.read(root, "pictures") == {}
    assert fetch(root, site)["awe/p.jpg"]["outcome"] == "fetched"


# the journal


def test_a_torn_line_is_passed_over(root, site):
    site.predictions["/"] = web.numbered
    lists(root, [site.url(f"/{i}.jpg") for i in range(3)])
    fetch(root, site)
    path = journal.path(root, "pictures")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2]) + lines[2][:30])
    torn = json.loads(lines[2])["id"]
    assert len(journal.read(root, "pictures")) == 2
    (root / "images" / torn).unlink()
    assert len(fetch(root, site)) == 3 and site.asked.total() == 4
    assert len(path.read_bytes().splitlines()) == 4 and len(journal.read(root, "pictures")) == 3


@pytest.mark.parametrize("line", [b"null\n", b"[]\n", b'"text"\n', b"{}\n", b"\xff\xfe\n", b"\n", b'{"id": []}\n'])
def test_lines_that_are_no_records(tmp_path, line):
    path = journal.path(tmp_path, "songs")
    path.parent.mkdir()
    path.write_bytes(line + b'{"id": "a", "n": 1}\n' + line + b'{"id": "a", "n": 2}\n' + line[:-1])
    assert journal.read(tmp_path, "songs") == {"a": {"id": "a", "n": 2}}


def test_one_run_at_a_time(tmp_path):
    with journal.Journal(tmp_path, "pictures"), \
            pytest.raises(ValueError, match="is being fetched to by another process; wait for its end, or stop it"), \
            journal.Journal(tmp_path, "pictures"):
        pass


# the command line


def test_command_line(root, site, capsys):
    site.predictions |= {"/ok": web.numbered, "/gone": body(b"", status=404)}
    lists(root, [site.url(p) for p in ("/ok/1.jpg", "/ok/2.jpg", "/gone/3.jpg")])
    assert main(["pictures", str(root)]) == 0  # no private addresses
    assert "3 pictures: address refused (positive 3)" in capsys.readouterr().out and not site.asked
    assert main(["pictures", str(root), "--allow-private", "--again", "all", "--tries", "1", "--largest", "1"]) == 0
    out = capsys.readouterr().out
    assert "2 pictures: fetched (positive 2)" in out and "1 pictures: HTTP 404 (positive 1)" in out
    assert main(["attrition", str(root)]) == 0 and capsys.readouterr().out == out
    (root / "images/awe/co\rpy.jpg").write_bytes((root / "images/awe/1.jpg").read_bytes())
    assert main(["copies", str(root), "--jobs", "1"]) == 0
    with (root / ".fetch/copies.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [["path", "copy_of", "kind", "distance"],
                                          ["images/awe/co\rpy.jpg", "images/awe/1.jpg", "exact", "0"]]
    assert "1 exact and 0 near copies" in capsys.readouterr().out


@pytest.mark.parametrize(("given", "message"), [
    (["pictures", "nowhere"],
     "is no folder; give the one that holds the lists (python -m acp_lib.database pictures --help)"),
    (["pictures", "."], "has no folder agg; put the picture lists there"),
    (["songs", "."], "has no YouTubeURLs.csv; put the authors' file there"),
    (["copies", "."], "has no folder images"),
    (["attrition", "."], "has neither agg/<emotion>.csv nor YouTubeURLs.csv"),
])
def test_command_line_errors(tmp_path, monkeypatch, capsys, given, message):
    monkeypatch.chdir(tmp_path)
    assert main(given) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("given", [[], ["films", "."], ["pictures"], ["pictures", ".", "--tries", "0"],
                                   ["pictures", ".", "--again", "some"], ["copies", ".", "--distance", "-1"]])
def test_command_line_misuse(given):
    with pytest.raises(SystemExit) as error:
        main(given)
    assert error.value.code == 2


def test_help_has_examples(capsys):
    with pytest.raises(SystemExit) as error:
        main(["--help"])
    assert error.value.code == 0 and "python -m acp_lib.database songs imac" in capsys.readouterr().out


# many pictures, and kills


def command(root: Path) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-m", "acp_lib.database", "pictures", str(root), "--allow-private",
                             "--together", "16", "--per-host", "16"], stdout=subprocess.DEVNULL)


@pytest.mark.slow
@pytest.mark.parametrize("many", [1000, pytest.param(10_000, marks=pytest.mark.nightly)])
def test_a_run_killed_at_random_moments_asks_for_nothing_twice_that_it_had_noted(root, capsys, many):
    """Six kills. Noted pictures are never asked for again; those under way may be, once a kill."""
    lucky, kills, noted, again = random.Random(5), 6, 0, 0
    with Server({"/gone": body(b"", status=410), "/": web.numbered}) as site:
        urls = [site.url(f"/{'gone' if i % 10 == 9 else 'ok'}/{i}.jpg") for i in range(many)]
        lists(root, urls[::2])
        lists(root, urls[1::2], "fear")
        for kill in range(kills):
            process, wanted = command(root), noted + lucky.uniform(0.02, 0.14) * many
            while noted < wanted and process.poll() is None:
                time.sleep(0.01)
                noted = len(journal.path(root, "pictures").read_bytes().splitlines()) if site.asked else 0
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL, kill
            before = journal.read(root, "pictures")
            noted, asked = len(before), site.asked.copy()
            again += sum(asked.values()) - noted
        assert command(root).wait() == 0
        records = journal.read(root, "pictures")
        assert len(records) == many and {r["url"] for r in records.values()} == set(urls)
        repeated = {path: n for path, n in site.asked.items() if n > 1}
        after = {site.url(path) for path in site.asked if site.asked[path] > asked[path]}
        assert not after & {r["url"] for r in before.values()}
    assert len(site.asked) == many and site.asked.total() - many <= 16 * kills
    assert sum(r["outcome"] == "fetched" for r in records.values()) == many - many // 10
    assert len(files(root)) == many - many // 10  # nothing unfinished
    for path in random.Random(6).sample(files(root), 50):
        with Image.open(root / "images" / path) as image:
            image.load()
    found = attrition.table(root)
    assert found["n"].sum() == many and found[found["reason"] == "HTTP 410"]["n"].sum() == many // 10
    with capsys.disabled():
        print(f"\n{many:,} pictures, {kills} kills: {len(repeated)} asked for again, each under way at a kill")
