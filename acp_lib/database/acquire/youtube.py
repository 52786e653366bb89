"""One video's sound through yt-dlp and ffmpeg: what they are told, and what it means when it does not come.

yt-dlp comes with `pip install "acp-lib[songs]"`. libsndfile reads neither WebM nor M4A, which is what YouTube sends;
ffmpeg puts the sound into an Ogg file, without a loss where it is Opus.

Chapter: Building the database.
"""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable
from concurrent.futures import CancelledError
from pathlib import Path
from types import ModuleType
from typing import Any

from acp_lib.database import imac
from acp_lib.database.acquire.journal import Missed

ADDRESS = "https://www.youtube.com/watch?v={}"
LONGEST = 20 * 60  # seconds; what is longer is an album or a loop, hardly the song
LARGEST = 300 * 2**20  # bytes
CODECS = "mp3>mp3/flac>flac/wav>wav/ogg>vorbis/opus"  # by the ending of what comes: into what; all else into Opus
READ = ("mp3", "flac", "wav", "ogg", "opus")  # endings that need no ffmpeg

TOO_OFTEN, CONNECTION, NOT_CONVERTED, UNKNOWN = (
    "asked too often", "connection failed", "sound not converted", "yt-dlp failed")
REMEDIES = {
    TOO_OFTEN: "wait some hours, and give the same command again, with fewer --jobs",
    CONNECTION: "look at the network, and give the same command again",
    NOT_CONVERTED: "renew ffmpeg and ffprobe, and give the same command again",
    UNKNOWN: 'renew yt-dlp (pip install -U "yt-dlp[default]"), have deno on the path for YouTube, and give the same '
             "command again"}
"""What helps where it is not the video that fails but what lies between; such a failure may pass for every video."""

REASONS = [  # what yt-dlp says, the reason, whether it may pass; the first that is found
    (r"not a bot|HTTP Error 429|rate.?limit|too many requests|try again later|captcha", TOO_OFTEN, True),
    (r"Postprocessing:|Preprocessing:|ffmpeg|ffprobe", NOT_CONVERTED, True),
    (r"\b(your|this) (country|region|location)\b|\bgeo.?restrict", "blocked in this country", True),
    (r"premieres|will begin|begins in|not yet (started|live)|is upcoming|is live", "has yet to begin or end", True),
    (r"private video|(video|content) is private", "private video", False),
    (r"account\b.*\bterminated|(closed|deleted) (their|its) (youtube )?(account|channel)", "account closed", False),
    (r"\bcopyright (claim|infringement|grounds|takedown|violation)", "blocked for copyright", False),
    (r"(video|content|upload) (has been|was) (removed|deleted|taken down)|removed by the (user|uploader)|"
     r"(video|content) (is no longer available|does not exist|doesn.?t exist)|"
     r"unable to download webpage: HTTP Error (404|410)", "video removed", False),
    (r"\bage\b|sign in|log ?in\b|\bmembers|payment|purchase|\brent\b|music premium", "behind a login", True),
    (r"timed? ?out|connection|connect to|resolve|name resolution|getaddrinfo|name or service|unreachable|no route|"
     r"HTTP Error 5\d\d|\bSSL\b|certificate|proxy|IncompleteRead|EOF occurred|content too short|bytes read|"
     r"did not get any data|remote end", CONNECTION, True),
    (r"video (is )?(unavailable|not available)|content isn.?t available", "video unavailable", True)]
"""Only what is known to be for good is lost; what is `UNKNOWN` may pass. YouTube also says `Video
unavailable`, without more, of videos that play elsewhere."""
DISK = re.compile(r"No space left|Disk quota|Read-only file system|Permission denied")

Download = Callable[[str, Path], Path]
"""Fetches the sound of a video id into an empty folder and returns the file's path, or raises Missed."""


def reason(message: str) -> Missed:
    """What a message of yt-dlp means; it is kept as the particulars."""
    for pattern, short, passing in REASONS:
        if re.search(pattern, message, re.IGNORECASE | re.DOTALL):
            return Missed(short, message[:300], passing=passing)
    return Missed(UNKNOWN, message[:300], passing=True)


def check_ffmpeg(program: str) -> None:
    """Let ffmpeg turn a tenth of a second of silence into Opus.

    Raises
    ------
    OSError
        If it does not, with what it did, and the remedy.
    """
    try:
        done = subprocess.run([program, "-v", "error", "-f", "s16le", "-ar", "48000", "-ac", "1", "-i", "pipe:0",
                               "-acodec", "libopus", "-f", "ogg", "pipe:1"], input=bytes(9600), capture_output=True,
                              timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        said = str(error)
    else:
        if done.returncode == 0:
            return
        if done.returncode < 0:
            said = f"ended by {signal.Signals(-done.returncode).name}"
        else:
            said = " ".join(done.stderr.decode(errors="replace").split())[-200:] or f"ended with {done.returncode}"
    raise OSError(f"ffmpeg ({program}) does not work: {said}; install a whole one, with libopus (apt install ffmpeg, "
                  "brew install ffmpeg), and give the same command again")


def _yt_dlp() -> ModuleType:
    try:
        import yt_dlp
    except Exception as error:  # whatever a broken installation raises
        if isinstance(error, ModuleNotFoundError) and error.name == "yt_dlp":
            raise ImportError('songs are fetched by yt-dlp, which is not installed; install it with pip install '
                              '"acp-lib[songs]", or put the songs into music/<track id>.<ending> yourself') from None
        raise ImportError(f"yt-dlp does not start ({type(error).__name__}: {error}); install it anew with pip install "
                          '-U --force-reinstall "yt-dlp[default]"') from None
    return yt_dlp


class _Video:
    """One video's turn: what yt-dlp calls while it works, each call an occasion to leave off."""

    def __init__(self, longest: float, convert: bool, check: Callable[..., None]):
        self.longest, self.convert, self.check = longest, convert, check
        self.refused: Exception | None = None

    def suits(self, info: dict, *, incomplete: bool = False) -> str | None:
        """Why a video is not to be fetched; yt-dlp's `match_filter`."""
        self.check()
        if info.get("is_live") or info.get("live_status") in ("is_live", "is_upcoming", "post_live"):
            self.refused = reason(f"it is live or upcoming: {info.get('live_status')}")
        elif (info.get("duration") or 0) > self.longest:
            self.refused = Missed("too long", f"{info['duration']} s")
        elif not self.convert and (info.get("ext") or READ[0]) not in READ:
            self.refused = OSError(f"ffmpeg is not on the path, and the sound comes as .{info['ext']}, which is not "
                                   "read without it; install it (apt install ffmpeg, brew install ffmpeg), and give "
                                   "the same command again")
        return str(self.refused) if self.refused else None

    def debug(self, message: str) -> None:
        """yt-dlp's logger. What it says is in its errors, too, but for this."""
        self.check()
        if "larger than max-filesize" in message:
            self.refused = Missed("too large", message.strip()[:300])

    info = warning = error = debug


def youtube(longest: float = LONGEST, *, address: str = ADDRESS, extractors: tuple[str, ...] = ("youtube",),
            stopped: Callable[[], bool] = lambda: False) -> Download:
    """A function that fetches by yt-dlp.

    Parameters
    ----------
    longest : seconds; what is longer is passed over
    address : where the video of an id is
    extractors : yt-dlp's, of the sites that may be asked
    stopped : whether what is under way is to leave off, by CancelledError

    Raises
    ------
    ImportError
        Without a yt-dlp that starts, with the remedy.
    OSError
        If there is an ffmpeg and it does not work, as `check_ffmpeg`. So does the function itself, if it needs ffmpeg.
    """
    yt_dlp = _yt_dlp()
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg:
        check_ffmpeg(ffmpeg)

    def check(*_: object) -> None:
        if stopped():
            raise yt_dlp.utils.DownloadCancelled

    def download(video: str, folder: Path) -> Path:
        turn, home = _Video(longest, bool(ffmpeg), check), str(folder.resolve())
        if os.path.expandvars(home) != home:  # as yt-dlp will do, and then write elsewhere
            raise ValueError(f"{home!r} names a variable of the environment; rename the folder")
        options: dict[str, Any] = {
            "format": "bestaudio[acodec=opus]/bestaudio/best", "outtmpl": {"default": "song.%(ext)s"},
            "paths": {"home": home}, "match_filter": turn.suits, "max_filesize": LARGEST,
            "postprocessors": [{"key": "FFmpegExtractAudio", "preferredcodec": CODECS}] if ffmpeg else [],
            "progress_hooks": [check], "postprocessor_hooks": [check], "allowed_extractors": list(extractors),
            "noplaylist": True, "socket_timeout": 20, "retries": 3, "fragment_retries": 3,
            "skip_unavailable_fragments": False, "cachedir": False, "quiet": True, "noprogress": True,
            "no_warnings": True, "logger": turn}
        try:
            with yt_dlp.YoutubeDL(options) as client:
                client.extract_info(address.format(video))
        except Exception as error:  # yt-dlp's own, and what it does not foresee
            missed = _missed(error, ffmpeg) if not stopped() else None
            raise missed or CancelledError from None
        if turn.refused:
            raise turn.refused
        made = imac.song_files(folder).get("song")
        if not made:
            raise reason(f"no sound came, but {sorted(p.name for p in folder.iterdir())}")
        return made

    return download


def _missed(error: Exception, ffmpeg: str | None) -> Missed | OSError:
    """What an exception out of yt-dlp means: for the video, or for all."""
    said = re.sub(r"\x1b\[[\d;]*m", "", str(error))
    if not type(error).__module__.startswith("yt_dlp"):
        said = f"{type(error).__name__}: {said}"
    if DISK.search(said):
        return OSError(said)
    missed = reason(said)
    if ffmpeg and missed.reason in (NOT_CONVERTED, UNKNOWN):  # yt-dlp stumbles over an ffmpeg that dies in silence
        check_ffmpeg(ffmpeg)
    return missed
