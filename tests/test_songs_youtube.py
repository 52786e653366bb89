"""Fetching songs: which video is taken, what is noted, and yt-dlp itself against a server on this machine."""

import shutil
import sys
import threading
from pathlib import Path

import pytest
from conftest import picture, sound
from server import Server, body, in_turn

from acp_lib.database import imac
from acp_lib.database.__main__ import main
from acp_lib.database.acquire import attrition, journal
from acp_lib.database.acquire import songs as songs_youtube
from acp_lib.database.acquire.journal import Missed
from acp_lib.features import audio

A, B, C, D = (x * 11 for x in "abcd")
SCORES = "".join(f"TR{i},title,artist,{score}\n" for i, score in enumerate(
    ["1_0_0", "0_2_0", "0_0_3", "2_2_0", "0_0_0", "5_0_0"]))


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "SongEmotionScore.csv").write_text(SCORES)
    return folder


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return sound(tmp_path_factory.mktemp("clip") / "song.ogg", seconds=11)


def lists(root: Path, *rows: str) -> None:
    (root / "YouTubeURLs.csv").write_text("".join(f"{row}\n" for row in rows))


class Host:
    """Gives the videos that it has, and for the others what is told."""

    def __init__(self, clip: Path, has: set[str] = frozenset(), **missed: Missed | list):
        self.clip, self.has, self.missed, self.asked, self.lock = clip, set(has), missed, [], threading.Lock()

    def __call__(self, video: str, folder: Path) -> Path:
        assert not list(folder.iterdir())
        with self.lock:
            self.asked.append(video)
        if video not in self.has:
            (folder / "song.webm.part").write_bytes(b"half")
            raise self.missed.get(video) or Missed("video unavailable")
        return Path(shutil.copy(self.clip, folder / f"song{self.clip.suffix}"))


def fetch(root: Path, host, **options) -> dict[str, dict]:
    return songs_youtube.fetch(root, download=host, progress=False, pause=0.0, **options)


@pytest.mark.slow
def test_the_first_video_that_works_is_taken(root, clip):
    lists(root, f"TR0,{A},{B},{C}", f"TR1,{D}", "TR2")
    host = Host(clip, {B, C})
    records = fetch(root, host, jobs=1)
    assert host.asked == [A, B, D]
    assert {i: (r["outcome"], r["reason"], r["video"], r["class"]) for i, r in records.items()} == {
        "TR0": ("fetched", "", B, "positive"), "TR1": ("lost", "video unavailable", "", "neutral"),
        "TR2": ("lost", "no video is listed", "", "negative"), "TR3": ("lost", "no video is listed", "", "positive"),
        "TR4": ("lost", "no video is listed", "", "unlabelled"), "TR5": ("lost", "no video is listed", "", "positive")}
    assert [p.name for p in (root / "music").iterdir()] == ["TR0.ogg"]
    assert records["TR0"]["bytes"] == clip.stat().st_size and records["TR1"]["detail"] == f"{D}: video unavailable"
    picture(root / "images/awe/p.jpg")
    assert imac.scan(root)[0]["path"].tolist() == ["images/awe/p.jpg", "music/TR0.ogg"]
    fetch(root, host)
    assert len(host.asked) == 3


def test_what_may_pass_is_tried_again_and_does_not_lead_to_the_second_best(root, clip):
    lists(root, f"TR0,{A},{B}", f"TR1,{C}")
    host = Host(clip, {B, C}, **{A: Missed("connection failed", passing=True)})
    records = fetch(root, host, jobs=1, tries=3)
    assert host.asked == [A, A, A, C] and (records["TR0"]["outcome"], records["TR0"]["tries"]) == ("failed", 3)
    host.has.add(A)
    assert fetch(root, host)["TR0"]["video"] == A and len(host.asked) == 5


def test_most_videos_decide_the_reason(root, clip):
    lists(root, f"TR0,{A},{B},{C}")
    host = Host(clip, **{A: Missed("private video"), B: Missed("too long"), C: Missed("too long")})
    record = fetch(root, host)["TR0"]
    assert record["reason"] == "too long" and record["detail"].startswith(f"{A}: private video; {B}: too long")


def test_a_host_that_wants_to_be_left_alone_ends_the_run(root, clip):
    lists(root, *(f"TR{i}0,{A}" for i in range(9)))
    host = Host(clip, **{A: Missed(songs_youtube.TOO_OFTEN, passing=True)})
    with pytest.raises(ValueError, match="5 songs in a row were not given: asked too often; wait some hours"):
        fetch(root, host, jobs=1, tries=1)
    assert len(host.asked) < 9 and set(journal.read(root, "songs")) < {f"TR{i}0" for i in range(9)}


@pytest.mark.slow
def test_a_run_that_was_stopped_goes_on(root, clip):
    lists(root, *(f"TR{i}0,{x}" for i, x in enumerate([A, B, C, D])))
    host = Host(clip, {A, B, D})

    def stopped(video, folder):
        if video == C:
            raise KeyboardInterrupt
        return host(video, folder)

    with pytest.raises(KeyboardInterrupt):
        fetch(root, stopped, jobs=1)
    done = list(host.asked)
    assert done[:2] == [A, B]
    (root / "music" / f"{journal.UNFINISHED}TR30").mkdir(exist_ok=True)  # as a kill leaves it
    host.has.add(C)
    fetch(root, host, jobs=1)
    assert sorted(host.asked) == [A, B, C, D]
    assert sorted(p.name for p in (root / "music").iterdir()) == [f"TR{i}0.ogg" for i in range(4)]


def test_songs_that_were_brought_by_hand_are_kept(root, clip):
    lists(root, f"TR0,{A}", f"TR1,{B}")
    (root / "music").mkdir()
    shutil.copy(clip, root / "music/TR0.ogg")
    host = Host(clip, {A, B})
    assert fetch(root, host)["TR0"]["detail"] == "was there already" and host.asked == [B]
    (root / "music/TR1.ogg").unlink()
    fetch(root, host)
    assert host.asked == [B, B]


def test_sound_that_libsndfile_does_not_read_is_kept_as_it_is(root, tmp_path):
    webm = tmp_path / "song.webm"
    webm.write_bytes(b"\x1aE\xdf\xa3" + bytes(1000))
    lists(root, f"TR0,{A}")
    record = fetch(root, Host(webm, {A}))["TR0"]
    assert (record["outcome"], record["file"]) == ("fetched", "TR0.webm")
    found = attrition.table(root)
    assert found[found["reason"].str.startswith("fetched")].values.tolist() == [
        ["songs", "positive", "fetched, not readable by libsndfile", 1]]


def test_attrition_counts_every_track_once(root, clip):
    lists(root, f"TR0,{A}", f"TR1,{B}", f"TR0,{C}", f"TR9,{D}")
    fetch(root, Host(clip, {A}))
    with (root / "YouTubeURLs.csv").open("a") as f:
        f.write(f"TR8,{A}\n")
    found = attrition.table(root)
    assert {(c, r): n for _, c, r, n in found.itertuples(index=False)} == {
        ("positive", "fetched"): 1, ("positive", "listed twice"): 1, ("positive", "no video is listed"): 2,
        ("neutral", "video unavailable"): 1, ("negative", "no video is listed"): 1,
        ("unlabelled", "video unavailable"): 1, ("unlabelled", "no video is listed"): 1,
        ("unlabelled", "not tried yet"): 1}


# the list


@pytest.mark.slow
@pytest.mark.parametrize("field", ["", "short", "a" * 12, "aaaaaaaaaa/", "aaaaaaaaaa ", "../../../aa", "ааааааааааа",
                                   "-" * 10, "a" * 10 + "\x00", "https://a.b"])
def test_ids_that_are_none_are_left_out(root, field):
    lists(root, f"TR0,{field},{A},{A}")
    assert songs_youtube.listed(root)["videos"][0] == [A]


@pytest.mark.slow
@pytest.mark.parametrize("track", ["", "..", "../TR0", "TR 0", "TR/0", "-rf", "T" * 65, ".TR0", "TR0\x00", "track id"])
def test_tracks_that_are_no_file_names(root, track):
    lists(root, f"TR0,{A}", f"{track},{B}")
    with pytest.raises(ValueError, match=r"YouTubeURLs.csv, line 2 begins with .*; expected a track id"):
        songs_youtube.listed(root)


def test_the_authors_list(real):
    found = songs_youtube.listed(real / "imac")
    rows = found[:4153]
    assert len(found) == 4159 and found["id"].is_unique and (rows["videos"].str.len() == 0).sum() == 5
    assert set(found["class"]) == {"positive", "neutral", "negative"}
    assert attrition.table(real / "imac")["n"].sum() == 4159


# yt-dlp


@pytest.fixture
def site(clip):
    with Server({f"/{A}": body(clip.read_bytes(), "audio/ogg")}) as running:
        yield running


def generic(site: Server, **options):
    return songs_youtube.youtube(address=site.url("/{}.ogg"), extractors=("generic",), **options)


@pytest.mark.slow
def test_yt_dlp_fetches_a_song(root, clip, site):
    lists(root, f"TR0,{B},{A}", f"TR1,{C}")
    site.predictions[f"/{C}"] = in_turn(body(b"", status=503), body(clip.read_bytes(), "audio/ogg"))
    records = fetch(root, generic(site), tries=5)
    assert {i: records[i]["outcome"] for i in ("TR0", "TR1")} == {"TR0": "fetched", "TR1": "fetched"}, records
    assert records["TR0"]["video"] == A and site.asked[f"/{B}.ogg"] == 1
    for i in (0, 1):
        assert (root / f"music/TR{i}.ogg").read_bytes() == clip.read_bytes()
        assert audio.duration(root / f"music/TR{i}.ogg") == pytest.approx(11)
    assert sorted(p.name for p in (root / "music").iterdir()) == ["TR0.ogg", "TR1.ogg"]


@pytest.mark.slow
def test_yt_dlp_is_told_to_leave_long_videos(root, site, monkeypatch):
    import yt_dlp

    def long(self, url):
        return {"id": "x", "title": "x", "url": site.url(f"/{A}.ogg"), "duration": 1201, "ext": "ogg"}

    monkeypatch.setattr(yt_dlp.extractor.generic.GenericIE, "_real_extract", long)
    lists(root, f"TR0,{A}")
    assert fetch(root, generic(site))["TR0"]["reason"] == "too long" and not site.asked
    assert fetch(root, generic(site, longest=1300), again="all")["TR0"]["outcome"] == "fetched"


@pytest.mark.slow
def test_yt_dlp_asks_no_other_site(root, site):
    """The address of a song is YouTube's; what it leads to elsewhere is not followed."""
    lists(root, f"TR0,{A}")
    record = fetch(root, songs_youtube.youtube(address=site.url("/{}.ogg")))["TR0"]
    assert (record["outcome"], record["reason"]) == ("failed", "yt-dlp failed") and not site.asked


@pytest.mark.slow
def test_a_full_disk_ends_the_run(root, site, monkeypatch):
    import yt_dlp

    def full(*_, **__):
        raise yt_dlp.utils.DownloadError("ERROR: unable to write data: [Errno 28] No space left on device")

    monkeypatch.setattr(yt_dlp.YoutubeDL, "extract_info", full)
    lists(root, f"TR0,{A}")
    with pytest.raises(OSError, match="No space left"):
        fetch(root, generic(site))
    assert "TR0" not in journal.read(root, "songs")


def test_without_yt_dlp(root, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "yt_dlp", None)
    lists(root, f"TR0,{A}")
    assert main(["songs", str(root)]) == 2
    assert 'not installed; install it with pip install "acp-lib[songs]"' in capsys.readouterr().err


def test_command_line(root, clip, monkeypatch, capsys):
    monkeypatch.setattr(songs_youtube, "youtube", lambda longest, stopped: Host(clip, {A}) if longest == 600 else None)
    lists(root, f"TR0,{A}", f"TR1,{B}")
    assert main(["songs", str(root), "--longest", "10", "--jobs", "1"]) == 0
    out = capsys.readouterr().out
    assert "1 songs: fetched (positive 1)" in out and "1 songs: video unavailable (neutral 1)" in out
