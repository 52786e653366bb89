"""What yt-dlp and ffmpeg say and do when a song does not come: what is lost, what may pass, what ends the run."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
import server as web
from conftest import sound
from server import Server, body
from test_songs_youtube import SCORES, A, B, C, Host, fetch, generic, lists

from acp_lib.database import imac
from acp_lib.database.__main__ import main
from acp_lib.database.acquire import attrition, journal, youtube
from acp_lib.database.acquire.journal import Missed

WORKS = """\
#!/bin/sh
case "$*" in
*-bsfs*|*-version*) echo "ffmpeg version 7.1 Copyright"; exit 0;;
*pipe:0*) cat > /dev/null; printf OggS; exit 0;;
esac
for last; do :; done
"""
FINDS = """\
case "$*" in
*-acodec*) ;;
*) echo "  Stream #0:0: Audio: opus, 48000 Hz" >&2; exit 1;;
esac
"""


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return sound(tmp_path_factory.mktemp("clip") / "song.ogg", seconds=1)


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "data"
    (folder / "music").mkdir(parents=True)
    (folder / "SongEmotionScore.csv").write_text(SCORES)
    return folder


def program(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text)
    path.chmod(0o755)
    return path


# what messages mean; their texts stand in public reports and in yt-dlp itself

GOOD = {
    "[youtube] aaa: Video unavailable. This video has been removed by the uploader": "video removed",
    "[youtube] aaa: This video has been removed by the user": "video removed",
    "[youtube] aaa: This video has been removed for violating YouTube's Terms of Service": "video removed",
    "[youtube] aaa: This video has been removed for violating YouTube's policy on nudity or sexual content":
        "video removed",
    "[youtube] aaa: Video unavailable. This video is no longer available": "video removed",
    "[youtube] aaa: This video is no longer available because the uploader has closed their YouTube account.":
        "account closed",
    "[youtube] aaa: Video unavailable\nThis video is no longer available because the YouTube account associated with "
    "this video has been terminated.": "account closed",
    "[youtube] aaa: This video is no longer available due to a copyright claim by SME": "blocked for copyright",
    "[youtube] aaa: Video unavailable. This video contains content from UMG, who has blocked it on copyright grounds":
        "blocked for copyright",
    "[youtube] aaa: Private video. Sign in if you've been granted access to this video. Use --cookies": "private video",
    "[youtube] aaa: This video is private. If the owner has granted you access, please sign in.": "private video",
    "[generic] Unable to download webpage: HTTP Error 404: Not Found (caused by <HTTPError 404: Not Found>)":
        "video removed",
    "unable to download webpage: HTTP Error 410: Gone": "video removed"}
PASSES = {
    "[youtube] aaa: Video unavailable": "video unavailable",
    "[youtube] aaa: Video unavailable. This content isn’t available.": "video unavailable",
    "[youtube] aaa: Video unavailable. Playback on other websites has been disabled by the video owner":
        "video unavailable",
    "[youtube] aaa: This video is not available": "video unavailable",
    "unable to download video data: HTTP Error 403: Forbidden": "yt-dlp failed",
    "[youtube] aaa: Requested format is not available. Use --list-formats for a list of available formats":
        "yt-dlp failed",
    "[youtube] aaa: nsig extraction failed: Some formats may be missing": "yt-dlp failed",
    "Unable to extract uploader id; please report this issue on https://yt-dl.org/bug": "yt-dlp failed",
    "[youtube] aaa: The following content is not available on this app.. Watch on the latest version of YouTube.":
        "yt-dlp failed",
    "[youtube] aaa: An extractor error has occurred. (caused by KeyError('contents'))": "yt-dlp failed",
    "unable to download video data: HTTP Error 404: Not Found": "yt-dlp failed",
    "something new": "yt-dlp failed",
    "": "yt-dlp failed",
    "[youtube] aaa: Sign in to confirm you’re not a bot. Use --cookies-from-browser": "asked too often",
    "[youtube] aaa: Sign in to confirm you're not a bot": "asked too often",
    "[youtube] aaa: Video unavailable. This content isn't available, try again later. The current session has been "
    "rate-limited by YouTube for up to an hour.": "asked too often",
    "unable to download video data: HTTP Error 429: Too Many Requests": "asked too often",
    "[youtube] aaa: reason. YouTube is requiring a captcha challenge before playback": "asked too often",
    "[youtube] aaa: Unable to download API page: [Errno -2] Name or service not known": "connection failed",
    "[youtube] aaa: Unable to download webpage: [Errno -3] Temporary failure in name resolution": "connection failed",
    "[youtube] aaa: Unable to download webpage: Failed to resolve 'www.youtube.com' ([Errno 11001] getaddrinfo failed)":
        "connection failed",
    "unable to download video data: The read operation timed out": "connection failed",
    "unable to download video data: <urlopen error [Errno 104] Connection reset by peer>": "connection failed",
    "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed": "connection failed",
    "unable to download webpage: HTTP Error 503: Service Unavailable": "connection failed",
    "content too short (expected 3000 bytes and served 1000)": "connection failed",
    "2097152 bytes read, 1048576 more expected": "connection failed",
    "[youtube] aaa: Premieres in 6 hours": "has yet to begin or end",
    "[youtube] aaa: This live event will begin in 2 days.": "has yet to begin or end",
    "[youtube] aaa: Sign in to confirm your age. This video may be inappropriate for some users.": "behind a login",
    "[youtube] aaa: Join this channel from your computer or Android app to get access to members-only content":
        "behind a login",
    "[youtube] aaa: This video requires payment to watch": "behind a login",
    "[youtube] aaa: The uploader has not made this video available in your country\nYou might want to use a VPN or a "
    "proxy server (with --proxy) to workaround.": "blocked in this country",
    "[youtube] aaa: Video unavailable. This video contains content from SME, who has blocked it in your country on "
    "copyright grounds": "blocked in this country",
    "Postprocessing: audio conversion failed: Conversion failed!": "sound not converted",
    "Postprocessing: WARNING: unable to obtain file audio codec with ffprobe": "sound not converted",
    "Postprocessing: ffprobe and ffmpeg not found. Please install or provide the path using --ffmpeg-location":
        "sound not converted"}


@pytest.mark.slow
@pytest.mark.parametrize(("message", "short", "passing"), [
    *((m, short, False) for m, short in GOOD.items()), *((m, short, True) for m, short in PASSES.items())])
def test_what_messages_mean(message, short, passing):
    missed = youtube.reason(f"ERROR: {message}")
    assert (missed.reason, missed.passing) == (short, passing)
    assert missed.detail == f"ERROR: {message}"[:300]


def test_nothing_that_lies_between_is_for_good():
    assert {m.reason for m in map(youtube.reason, GOOD)}.isdisjoint(youtube.REMEDIES)


def said(monkeypatch, *messages: str) -> None:
    """Let yt-dlp say these in turn, the last from then on."""
    import yt_dlp

    left = list(messages)

    def extract(*_, **__):
        raise yt_dlp.utils.DownloadError(f"ERROR: {left.pop(0) if len(left) > 1 else left[0]}")

    monkeypatch.setattr(yt_dlp.YoutubeDL, "extract_info", extract)


@pytest.mark.slow
@pytest.mark.parametrize(("message", "outcome"), [
    ("unable to download video data: HTTP Error 403: Forbidden", "failed"),
    ("[youtube] aaa: This video has been removed by the uploader", "lost")])
def test_the_next_run_asks_for_what_may_pass_alone_and_keeps_what_was_said(root, clip, monkeypatch, message, outcome):
    lists(root, f"TR0,{A}")
    with monkeypatch.context() as m:
        said(m, message)
        record = fetch(root, youtube.youtube())["TR0"]
    assert record["outcome"] == outcome and message in record["detail"] and A in record["detail"]
    host = Host(clip, {A})
    assert fetch(root, host)["TR0"]["outcome"] == ("fetched" if outcome == "failed" else "lost")
    assert host.asked == ([A] if outcome == "failed" else [])
    assert fetch(root, host, again="all")["TR0"]["outcome"] == "fetched"
    reasons = attrition.table(root).set_index("reason")["n"]
    assert reasons["fetched"] == 1 and reasons.sum() == 6


def test_a_video_that_may_come_back_does_not_keep_the_next_from_being_taken(root, clip):
    lists(root, f"TR0,{A},{B}", f"TR1,{A},{C}")
    host = Host(clip, {B}, **{A: Missed("behind a login", passing=True), C: Missed("private video")})
    records = fetch(root, host, jobs=1)
    assert host.asked == [A, B, A, C] and records["TR0"]["video"] == B
    assert (records["TR1"]["outcome"], records["TR1"]["reason"]) == ("failed", "behind a login")


def test_what_was_never_tried_comes_before_what_failed(root, clip):
    lists(root, f"TR0,{A}", f"TR1,{B}")
    fetch(root, Host(clip, **{x: Missed("behind a login", passing=True) for x in (A, B)}), jobs=1)
    lists(root, f"TR1,{B}", f"TR0,{A}", f"TR9,{C}")
    host = Host(clip, {A, B, C})
    fetch(root, host, jobs=1)
    assert host.asked == [C, A, B]


def test_a_track_that_gets_its_first_video_is_asked_for(root, clip):
    lists(root, "TR0", "TR1")
    assert fetch(root, Host(clip))["TR0"]["reason"] == "no video is listed"
    lists(root, f"TR0,{A}", "TR1")
    assert fetch(root, Host(clip, {A}))["TR0"]["outcome"] == "fetched"
    assert len(journal.path(root, "songs").read_text().splitlines()) == len(SCORES.splitlines()) + 1


# tools


@pytest.mark.slow
@pytest.mark.parametrize(("message", "remedy"), [
    ("Requested format is not available", r"yt-dlp failed; renew yt-dlp \(pip install -U"),
    ("HTTP Error 429: Too Many Requests", "asked too often; wait some hours"),
    ("[Errno -3] Temporary failure in name resolution", "connection failed; look at the network")])
def test_what_fails_for_every_song_ends_the_run_and_names_the_remedy(root, monkeypatch, message, remedy):
    lists(root, *(f"TR{i}0,{A}" if i % 2 else f"TR{i}0" for i in range(20)))  # those without a video say nothing
    said(monkeypatch, message)
    with pytest.raises(ValueError, match=f"videos of 5 songs in a row were not given: {remedy}") as error:
        fetch(root, youtube.youtube(), jobs=1, tries=1)
    assert message in str(error.value) and "\n" not in str(error.value)
    records = journal.read(root, "songs")
    assert [r["outcome"] for r in records.values() if r["reason"] != "no video is listed"] == ["failed"] * 5


def test_videos_that_are_gone_do_not_speak_against_the_tool(root, monkeypatch):
    lists(root, *(f"TR{i}0,{A}" for i in range(12)))
    said(monkeypatch, *["new", "new", "new", "new", "This video has been removed by the user"] * 2, "new", "new")
    assert len(fetch(root, youtube.youtube(), jobs=1)) == 12 + len(SCORES.splitlines())


@pytest.mark.parametrize("text", ["raise SyntaxError('needs a newer Python')", "import no_such_part", "1 / 0"])
def test_a_yt_dlp_that_does_not_start(root, tmp_path, monkeypatch, capsys, text):
    program(tmp_path / "lib", "yt_dlp.py", text)
    monkeypatch.syspath_prepend(tmp_path / "lib")
    monkeypatch.delitem(sys.modules, "yt_dlp", raising=False)
    lists(root, f"TR0,{A}")
    assert main(["songs", str(root)]) == 2
    told = capsys.readouterr().err
    assert "error: yt-dlp does not start (" in told and "install it anew with pip install" in told
    assert told.count("\n") == 1 and not journal.read(root, "songs")


@pytest.mark.slow
@pytest.mark.parametrize(("text", "what"), [
    ("#!/bin/sh\nkill -SEGV $$\n", "ended by SIGSEGV"), ("#!/bin/sh\nkill -KILL $$\n", "ended by SIGKILL"),
    ("#!/no/such/interpreter\n", "No such file"), ("no program", "Exec format error"),
    ("#!/bin/sh\necho 'ffmpeg: error while loading shared libraries: libx.so' >&2\nexit 127\n", "shared libraries"),
    ("#!/bin/sh\necho \"Unknown encoder 'libopus'\" >&2\nexit 1\n", "Unknown encoder 'libopus'"),
    ("#!/bin/sh\nexit 3\n", "ended with 3")])
def test_an_ffmpeg_that_does_not_work_ends_the_run(root, tmp_path, monkeypatch, capsys, text, what):
    monkeypatch.setenv("PATH", f"{program(tmp_path / 'bin', 'ffmpeg', text).parent}{os.pathsep}{os.environ['PATH']}")
    lists(root, f"TR0,{A}", f"TR1,{B}")
    assert main(["songs", str(root)]) == 2
    told = capsys.readouterr().err
    assert f"ffmpeg ({tmp_path}/bin/ffmpeg) does not work: " in told and what in told and "install a whole one" in told
    assert told.count("\n") == 1 and not journal.read(root, "songs")


@pytest.fixture
def site(clip):
    with Server({f"/{A}": body(clip.read_bytes(), "audio/webm"), f"/{B}": body(clip.read_bytes(), "audio/ogg")}) as run:
        yield run


def videos(site: Server, ending: str, **options):
    return youtube.youtube(address=site.url(f"/{{}}.{ending}"), extractors=("generic",), **options)


@pytest.mark.slow
def test_without_ffmpeg_what_needs_it_ends_the_run_before_it_is_fetched(root, site, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    lists(root, f"TR0,{A}")
    with pytest.raises(OSError, match="ffmpeg is not on the path, and the sound comes as .webm, .*; install it"):
        fetch(root, videos(site, "webm"))
    assert "TR0" not in journal.read(root, "songs") and list((root / "music").iterdir()) == []
    lists(root, f"TR0,{B}")
    assert fetch(root, generic(site))["TR0"]["file"] == "TR0.ogg"


@pytest.mark.slow
@pytest.mark.parametrize(("text", "outcome"), [
    (WORKS + FINDS + 'cp "${3#file:}" "${last#file:}" 2>/dev/null || cp "${5#file:}" "${last#file:}"\n', "fetched"),
    (WORKS + FINDS + "echo 'Conversion failed!' >&2\nexit 1\n", "failed")])
def test_a_conversion_by_an_ffmpeg_that_works(root, site, tmp_path, monkeypatch, text, outcome):
    monkeypatch.setenv("PATH", f"{program(tmp_path / 'bin', 'ffmpeg', text).parent}{os.pathsep}{os.environ['PATH']}")
    lists(root, f"TR0,{A}")
    record = fetch(root, videos(site, "webm"))["TR0"]
    assert record["outcome"] == outcome, record
    if outcome == "fetched":
        assert (record["file"], record["reason"]) == ("TR0.opus", "")
    else:
        assert record["reason"] == "sound not converted" and "Conversion failed!" in record["detail"]
    assert [p.name for p in (root / "music").iterdir()] == ["TR0.opus"] * (outcome == "fetched")


@pytest.mark.slow
def test_an_ffmpeg_that_breaks_while_it_is_used_ends_the_run(root, site, tmp_path, monkeypatch):
    flag = tmp_path / "broken"
    text = WORKS.replace("cat > /dev/null;", f"[ -e {flag} ] && kill -KILL $$;") + FINDS
    text += f"touch {flag}\nkill -KILL $$\n"
    monkeypatch.setenv("PATH", f"{program(tmp_path / 'bin', 'ffmpeg', text).parent}{os.pathsep}{os.environ['PATH']}")
    lists(root, f"TR0,{A}")
    with pytest.raises(OSError, match="ffmpeg .* does not work: ended by SIGKILL; install a whole one"):
        fetch(root, videos(site, "webm"))
    assert "TR0" not in journal.read(root, "songs") and list((root / "music").iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("info", [{"is_live": True}, {"live_status": "is_upcoming"}, {"live_status": "post_live"}])
def test_what_is_live_may_pass(root, site, monkeypatch, info):
    import yt_dlp

    monkeypatch.setattr(yt_dlp.extractor.generic.GenericIE, "_real_extract", lambda self, url: {
        "id": "x", "title": "x", "url": site.url(f"/{B}.ogg"), "ext": "ogg", **info})
    lists(root, f"TR0,{B}")
    assert fetch(root, generic(site))["TR0"]["outcome"] == "failed"


def test_a_song_that_is_cut_short_is_not_kept(root, site, clip):
    site.predictions[f"/{B}"] = web.truncated(clip.read_bytes()[:2000], len(clip.read_bytes()))
    lists(root, f"TR0,{B}")
    assert fetch(root, generic(site), tries=1)["TR0"]["outcome"] == "failed"
    assert list((root / "music").iterdir()) == []


# which file is the song

SIDECARS = ["info.json", "jpg", "webp", "png", "description", "part", "ytdl", "vtt", "en.vtt", "ogg.part", "webm.part",
            "webm.ytdl", "temp.opus", "f251.webm", "lrc", "txt"]


@pytest.mark.slow
@pytest.mark.parametrize("ending", SIDECARS)
def test_what_lies_beside_a_song_is_none(root, clip, ending):
    (root / f"music/TR0.{ending}").write_bytes(clip.read_bytes())
    assert "TR0" not in imac.song_files(root / "music")
    lists(root, f"TR0,{A}")
    found = attrition.table(root)
    assert found[found["reason"] == "not tried yet"]["n"].sum() == 6
    host = Host(clip, {A})
    assert fetch(root, host)["TR0"]["file"] == "TR0.ogg" and host.asked == [A]
    assert (root / f"music/TR0.{ending}").is_file()
    assert imac.song_files(root / "music")["TR0"].name == "TR0.ogg"


@pytest.mark.slow
@pytest.mark.parametrize(("endings", "counts"), [
    (["webm", "wav"], "wav"), (["ogg", "jpg"], "ogg"), (["m4a", "mp3", "webm"], "mp3"), (["opus", "flac"], "flac"),
    (["opus", "ogg.part"], "opus"), (["webm", "m4a"], "webm"), (["WAV", "ogg"], "WAV"),
    (["info.json", "webm"], "webm")])
def test_of_several_files_what_libsndfile_reads_counts(root, clip, endings, counts):
    for ending in endings:
        (root / f"music/TR0.{ending}").write_bytes(clip.read_bytes())
    assert imac.song_files(root / "music")["TR0"].name == f"TR0.{counts}"
    rows, _ = imac.scan(root)
    assert rows["path"].tolist() == [f"music/TR0.{counts}"]
    lists(root, f"TR0,{A}")
    host = Host(clip, {A})
    assert fetch(root, host)["TR0"]["file"] == f"TR0.{counts}" and host.asked == []


# stopping

SLOW = """
    import sys, yt_dlp
    from acp_lib.database.acquire import songs, youtube
    from acp_lib.database.__main__ import main
    made = youtube.youtube
    options = {{"address": {address!r}, "extractors": ("generic",)}}
    songs.youtube = lambda longest, stopped: made(longest, stopped=stopped, **options)
    sys.exit(main(["songs", {root!r}, "--jobs", "2"]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("stage", ["download", "silence", "ffmpeg"])
def test_a_run_that_is_stopped_ends_soon_and_leaves_nothing(root, clip, tmp_path, number, stage):
    pid, data = tmp_path / "pid", clip.read_bytes()
    text = WORKS + FINDS + f"echo $$ > {pid}\nexec sleep 300\n"
    program(tmp_path / "bin", "ffmpeg", text)
    lists(root, f"TR0,{A}", f"TR1,{B}")
    ending = "webm" if stage == "ffmpeg" else "ogg"
    answer = {"download": web.drip(data, 0.02), "silence": web.silent, "ffmpeg": body(data, "audio/webm")}[stage]
    with Server({"/": answer}) as site:
        code = textwrap.dedent(SLOW).format(address=site.url(f"/{{}}.{ending}"), root=str(root))
        run = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, start_new_session=True,
                               env=os.environ | {"PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"})
        until = time.monotonic() + 90
        under_way = pid.exists if stage == "ffmpeg" else lambda: bool(site.asked)
        while not under_way() and run.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(0.5)
        start = time.monotonic()
        run.send_signal(number)
        _, told = run.communicate(timeout=60)
        assert run.returncode == 128 + number, told
        assert "the same command goes on where it was" in told and time.monotonic() - start < 15  # of a busy core
        assert list((root / "music").iterdir()) == [] and not journal.read(root, "songs").get("TR0")
        with pytest.raises(ProcessLookupError):
            os.killpg(run.pid, 0)  # nobody of its session is left
    assert fetch(root, Host(clip, {A, B}))["TR0"]["outcome"] == "fetched"


