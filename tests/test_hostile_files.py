"""Other people's files: links, journals, lists, pictures, weights and tables that try to be more than data."""

import json
import os
import pickle
import struct
import zipfile
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from conftest import corpus, picture
from server import Server, body
from server import picture as picture_bytes

from acp_lib.database import emid, folder, manifest
from acp_lib.database.__main__ import main
from acp_lib.database.acquire import journal, pictures, songs
from acp_lib.database.acquire.addresses import Policy, Refused
from acp_lib.database.acquire.client import _retry_after
from acp_lib.database.acquire.journal import Missed
from acp_lib.features import image
from acp_lib.features.picture import open_upright
from acp_lib.features.shards import _whole
from acp_lib.results import store

DEEP = b"[" * 200_000


@pytest.fixture
def root(tmp_path):
    """A data folder beside a file and a folder that are none of it."""
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim/id_rsa.jpg").write_text("precious")
    (tmp_path / "data/music").mkdir(parents=True)
    (tmp_path / "data/agg").mkdir()
    (tmp_path / "data/agg/awe.csv").write_text("awe,http://127.0.0.1/id_rsa.jpg,0,1\n")
    (tmp_path / "data/YouTubeURLs.csv").write_text("TR0,aaaaaaaaaaa\n")
    yield tmp_path / "data"
    assert (tmp_path / "victim/id_rsa.jpg").read_text() == "precious"
    assert {p.name for p in tmp_path.iterdir()} == {"victim", "data"}
    assert [p.name for p in (tmp_path / "victim").iterdir()] == ["id_rsa.jpg"]


def lost(video, folder):
    raise Missed("video unavailable")


# paths


@pytest.mark.slow
@pytest.mark.parametrize("track", ["x/../../victim", "/etc/passwd", "../../victim/*", "**", "..", ".", "*", "TR0/..",
                                   "-rf", "$(touch pwned)", "~", "\x1b]0;t\x07"])
def test_a_track_id_that_is_a_path_leads_nowhere(root, track):
    (root / "music/.fetching-x").symlink_to(".")
    (root / "SongEmotionScore.csv").write_text(f"{track},title,artist,1_0_0\n")
    records = songs.fetch(root, download=lost, progress=False)
    assert records[track]["reason"] == "no video is listed" and records["TR0"]["reason"] == "video unavailable"


@pytest.mark.parametrize("link", [".fetch", ".fetch/pictures.jsonl", ".fetch/pictures.lock", "images", "images/awe"])
def test_pictures_are_not_written_through_links(root, link):
    (root / link).parent.mkdir(exist_ok=True)
    (root / link).symlink_to(root.parent / "victim" / ("id_rsa.jpg" if "." in link[1:] else ""))
    with Server({"/": body(picture_bytes(1))}) as site:
        (root / "agg/awe.csv").write_text(f"awe,{site.url('/id_rsa.jpg')},0,1\n")
        with pytest.raises(ValueError, match="leads out of the data folder.*remove the link"):
            pictures.fetch(root, policy=Policy(private=True), progress=False)
        assert not site.asked


@pytest.mark.parametrize("link", [".fetch", ".fetch/songs.jsonl", "music"])
def test_songs_are_not_written_through_links(root, link):
    (root / "music").rmdir()
    (root / link).parent.mkdir(exist_ok=True)
    (root / link).symlink_to(root.parent / "victim" / ("id_rsa.jpg" if "." in link[1:] else ""))
    with pytest.raises(ValueError, match="leads out of the data folder"):
        songs.fetch(root, download=lost, progress=False)


def test_the_list_of_copies_is_not_written_through_a_link(root, capsys):
    picture(root / "images/awe/p.jpg")
    (root / ".fetch").symlink_to(root.parent / "victim")
    assert main(["copies", str(root), "--jobs", "1"]) == 2 and "leads out" in capsys.readouterr().err


def test_a_folder_that_is_a_link_itself_is_no_way_out(root):
    (root.parent / "data2").symlink_to(root)
    assert pictures.fetch(root.parent / "data2", progress=False)["awe/id_rsa.jpg"]["reason"] == "address refused"
    (root.parent / "data2").unlink()


@pytest.mark.parametrize("name", ["../../victim/id_rsa.jpg", "out/id_rsa.jpg", "absolute"])
def test_an_entry_of_a_journal_moves_nothing_from_outside(root, name):
    name = str(root.parent / "victim/id_rsa.jpg") if name == "absolute" else name
    (root / "images").mkdir()
    (root / "images/out").symlink_to(root.parent / "victim")
    (root / ".fetch").mkdir()
    entry = {"outcome": "lost", "reason": "x", "sha": "ab", "hash": "0", "size": [1, 1], "bytes": 1}
    (root / ".fetch/pictures.jsonl").write_text("".join(
        json.dumps(entry | {"id": name if not i else f"awe/{i}.jpg", "url": f"http://h/{i}"}) + "\n" for i in range(5)))
    with pytest.raises(ValueError, match="leads out of the data folder"):
        pictures.fetch(root, progress=False)


@pytest.mark.slow
def test_a_folder_that_names_a_variable_is_not_what_yt_dlp_makes_of_it(tmp_path, monkeypatch):
    pytest.importorskip("yt_dlp")
    monkeypatch.setenv("ELSEWHERE", "x")
    (tmp_path / "$ELSEWHERE").mkdir()
    with pytest.raises(ValueError, match="names a variable of the environment; rename the folder"):
        songs.youtube()("aaaaaaaaaaa", tmp_path / "$ELSEWHERE")


NAMES = ["$(touch pwned).jpg", ";touch pwned.jpg", "a|b.jpg", "`touch pwned`.jpg", "-rf", "--config=x.jpg", "a\nb.jpg",
         "a\rb.jpg", "\u202egpj.exe", "n" * 251 + ".jpg", "%2e%2e%2f", "CON", "\x1b]0;t\x07.jpg", "=HYPERLINK(1).jpg",
         "{glue:text}`n`.jpg",
         "<script>.jpg", "%s%n.jpg", "\\\\host\\share.jpg"]


@pytest.mark.slow
def test_names_of_files_are_names_whatever_they_hold(tmp_path):
    root = corpus(tmp_path / "data", pictures=1, songs=1)
    for name in NAMES:
        picture(tmp_path / "p.jpg").rename(root / "images/awe" / name)
    for name, data in {"a.jpg": b"<svg onload='alert(1)'/>", "b.png": b"<html><script>", "c.gif": b"PK\3\4"}.items():
        (root / "images/awe" / name).write_bytes(data)
    (root / "images/awe/loop.jpg").symlink_to("loop.jpg")
    os.mkfifo(root / "images/awe/pipe.jpg")
    table, bad = manifest.build(root, folder.scan(root)[0], progress=False)
    assert set(table["id"][table["emotion"] == "awe"]) == {"awe/p0.jpg", *(f"awe/{name}" for name in NAMES)}
    assert sorted(bad["path"]) == ["images/awe/a.jpg", "images/awe/b.png", "images/awe/c.gif"]
    assert [p.name for p in tmp_path.iterdir()] == ["data"] and not list(tmp_path.rglob("pwned"))


# pictures


def record(tag: tuple[int, int], data: bytes) -> bytes:
    return bytes([0x1C, *tag]) + struct.pack(">H", len(data)) + data


@pytest.mark.parametrize("compression", [b"\1", b"\5"])
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a"])
def test_no_picture_starts_another_program(tmp_path, monkeypatch, name, compression):
    (tmp_path / "gs").write_text(f"#!/bin/sh\ntouch {tmp_path}/pwned\n")
    (tmp_path / "gs").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    program = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n%%EOF\n"
    head = {(3, 60): b"\1\0", (3, 65): b"\1", (3, 20): b"\0\x0a", (3, 30): b"\0\x0a", (3, 120): compression}
    (tmp_path / name).write_bytes(b"".join(record(*field) for field in head.items()) + record((8, 10), program))
    with pytest.raises(ValueError, match="a program and not run; save it as a PNG"):
        open_upright(tmp_path / name)
    assert not (tmp_path / "pwned").exists()


# weights


X = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
HEADERS = {
    "overlap": {"x": X, "y": X}, "beyond": {"x": X | {"shape": [200], "data_offsets": [0, 800]}},
    "before": {"x": X | {"data_offsets": [-8, 0]}}, "huge": {"x": X | {"shape": [2**62, 2**62]}},
    "unknown": {"x": X | {"dtype": "object"}}, "list": [X], "script": {"__metadata__": {"a": 1}, "x": X},
}


@pytest.mark.parametrize("kind", [*HEADERS, "deep", "length"])
def test_safetensors_whose_header_lies(tmp_path, kind):
    head = DEEP if kind == "deep" else json.dumps(HEADERS.get(kind, {})).encode()
    size = 2**63 if kind == "length" else len(head)
    (tmp_path / "w.safetensors").write_bytes(size.to_bytes(8, "little") + head + bytes(8))
    with pytest.raises(image.WeightsUnavailable, match="w.safetensors does not read as a state_dict"):
        image.state(tmp_path / "w.safetensors")
    assert _whole(tmp_path / "w.safetensors", [{"id": "a"}], True) is None


class Command:
    def __init__(self, command: str):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


@pytest.mark.parametrize("save", [torch.save, lambda made, path: path.write_bytes(pickle.dumps(made, 2))])
def test_no_pickle_is_run(tmp_path, save):
    save({"x": Command(f"touch {tmp_path}/pwned")}, tmp_path / "w.pth")
    with pytest.raises(image.WeightsUnavailable, match="w.pth does not read"):
        image.state(tmp_path / "w.pth")
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_a_zip_bomb_is_not_unpacked(tmp_path, monkeypatch, compression):
    torch.save({"x": torch.zeros(2**18)}, tmp_path / "w.pth")
    assert image.state(tmp_path / "w.pth")["x"].shape == (2**18,)
    with zipfile.ZipFile(tmp_path / "w.pth") as plain, zipfile.ZipFile(tmp_path / "bomb.pth", "w", compression) as bomb:
        for part in plain.namelist():
            bomb.writestr(part, plain.read(part))
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("it was unpacked"))
    with pytest.raises(image.WeightsUnavailable, match="bomb.pth does not read"):
        image.state(tmp_path / "bomb.pth")


# results, journals, tables


def test_json_without_an_end_is_damage(tmp_path):
    (tmp_path / "table1.json").write_bytes(DEEP)
    assert store.read(tmp_path, "table1") is None
    (tmp_path / ".fetch").mkdir()
    journal.path(tmp_path, "songs").write_bytes(DEEP + b'\n{"id": "a"}\n')
    assert journal.read(tmp_path, "songs") == {"a": {"id": "a"}}


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "..", "", ".", "x\0y", "C:\\x", "..%2fx"])
def test_a_media_name_of_a_table_leads_nowhere(tmp_path, name):
    (tmp_path / "emid").mkdir()
    columns = ["Audio_Filename", *(f"Image{k}_filename" for k in (1, 2, 3))]
    tags = {"genre": "A"} | {f"Image{k}_tag": "awe" for k in (1, 2, 3)}
    pq.write_table(pa.Table.from_pylist([dict.fromkeys(columns, name) | tags]), tmp_path / "emid/a.parquet")
    with pytest.raises(ValueError, match="has nothing usable for images; the first of 4 reasons"):
        emid.extract(tmp_path / "emid", tmp_path / "out", progress=False)
    assert [p.name for p in tmp_path.iterdir()] == ["emid"]


# answers of hosts


@pytest.mark.parametrize("value", ["Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "9" * 400, "-5", "\xb2", "\0",
                                   "Mon, 01 Jan 2030 00:00:00 -999999999999999999999", "Mon, 32 Jan 2030", "1e9"])
def test_how_long_a_host_wants_to_be_left_alone_is_a_number(value):
    assert 0 <= _retry_after(SimpleNamespace(headers={"Retry-After": value})) < 1e9


@pytest.mark.parametrize("to", [
    "file:///etc/passwd", "http://127.0.0.1/", "http://[::1]/", "http://169.254.169.254/latest", "//169.254.169.254/x",
    "http://2130706433/", "http://017700000001/", "http://0177.0.0.1/", "http://0x7f.1/", "http://[::ffff:7f00:1]/",
    "javascript:alert(1)", "data:text/html,x", "http://user@10.0.0.1/", "gopher://h/x",
])
def test_a_redirect_that_is_refused(to):
    with pytest.raises(Refused):
        Policy().check(to, Policy().check("http://public.test/p.jpg"))
