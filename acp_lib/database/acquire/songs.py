"""Fetching the songs: for each, the first of its video ids that works, its sound alone, through yt-dlp.

    <data>/YouTubeURLs.csv         MSD_track_id,id1,...,id10; alternatives, some tracks have none
    <data>/SongEmotionScore.csv    the tracks' classes
    <data>/music/<track>.<ending>  what was fetched
    <data>/.fetch/songs.jsonl      what became of each track (`journal`)

yt-dlp comes with `pip install "acp-lib[songs]"`. libsndfile reads neither WebM nor M4A, which is what YouTube sends;
with ffmpeg on the path the sound is put into an Ogg file, without a loss where it is Opus.

Chapter: Building the database.
"""

import os
import re
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import pandas as pd
import soundfile

from acp_lib.database import imac
from acp_lib.database.acquire import journal
from acp_lib.database.acquire.journal import FETCHED, UNFINISHED, Missed
from acp_lib.engine.cache import file_digest
from acp_lib.engine.progress import bar

TRACK = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{1,63}")
VIDEO = re.compile(r"[A-Za-z0-9_-]{11}")
ADDRESS = "https://www.youtube.com/watch?v={}"
LONGEST = 20 * 60  # seconds; what is longer is an album or a loop, hardly the song
LARGEST = 300 * 2**20  # bytes
PATIENCE = 5  # tracks in a row whose videos the host did not give because it was asked too often
CODECS = "mp3>mp3/flac>flac/wav>wav/ogg>vorbis/opus"  # by the ending of what comes: into what; all else into Opus

TOO_OFTEN = "asked too often"
REASONS = [  # what yt-dlp says, the reason, whether it may pass; the first that is found
    (r"not a bot|HTTP Error 429|rate.?limit|too many requests|try again later", TOO_OFTEN, True),
    (r"timed out|connection|resolve|name or service|is unreachable|HTTP Error 5\d\d|SSL|IncompleteRead|EOF occurred",
     "connection failed", True),
    (r"\bprivate\b", "private video", False),
    (r"\bage\b|sign in|log ?in|members|cookies", "behind a login", False),
    (r"\bcountry|\bgeo", "blocked in this country", False),
    (r"unavailable|not available|removed|terminated|deleted|does not exist|no longer|HTTP Error 4\d\d",
     "video unavailable", False),
]
DISK = re.compile(r"No space left|Disk quota|Read-only file system|Permission denied")

Download = Callable[[str, Path], Path]
"""Fetches the sound of a video id into an empty folder and returns the file's path, or raises Missed."""


def listed(root: Path) -> pd.DataFrame:
    """Every track: id, class (unlabelled without a score), videos (list of ids that are well formed).

    These are the rows of YouTubeURLs.csv, then the tracks of SongEmotionScore.csv that it lacks; a track that stands
    twice has two rows.

    Raises
    ------
    ValueError
        If there is no YouTubeURLs.csv, a line does not begin with a track id, or the scores do not read.
    """
    path = root / "YouTubeURLs.csv"
    if not path.is_file():
        raise ValueError(f"{root.name!r} has no YouTubeURLs.csv; put the authors' file there")
    videos: list[tuple[str, list[str]]] = []
    for number, track, ids in imac.video_rows(path):
        if not TRACK.fullmatch(track):
            raise ValueError(f"{path.name}, line {number} begins with {track[:80]!r}; expected a track id of letters "
                             "and digits, such as TRAAAAW128F429D538")
        videos.append((track, list(dict.fromkeys(i for i in ids if VIDEO.fullmatch(i)))))
    classes: dict[str, str] = {}
    if (scores := root / "SongEmotionScore.csv").is_file():
        classes = imac.songs(scores).set_index("track")["class"].fillna("unlabelled").to_dict()
    known = {track for track, _ in videos}
    videos += [(track, []) for track in classes if track not in known]
    return pd.DataFrame([(track, classes.get(track, "unlabelled"), ids) for track, ids in videos],
                        columns=["id", "class", "videos"])


def reason(message: str) -> Missed:
    """What a message of yt-dlp means."""
    for pattern, short, passing in REASONS:
        if re.search(pattern, message, re.I):
            return Missed(short, message[:300], passing=passing)
    return Missed("yt-dlp failed", message[:300])


class _Silent:
    """yt-dlp's logger: what it says is in its errors, too."""

    def debug(self, message: str) -> None: ...
    info = warning = error = debug


def youtube(longest: float = LONGEST, *, address: str = ADDRESS,
            extractors: tuple[str, ...] = ("youtube",)) -> Download:
    """A function that fetches by yt-dlp.

    Parameters
    ----------
    longest : seconds; what is longer is passed over
    address : where the video of an id is
    extractors : yt-dlp's, of the sites that may be asked

    Raises
    ------
    ImportError
        Without yt-dlp, with the remedy.
    """
    try:
        import yt_dlp
    except ImportError:
        raise ImportError('songs are fetched by yt-dlp, which is not installed; install it with pip install '
                          '"acp-lib[songs]", or put the songs into music/<track id>.<ending> yourself') from None
    convert = [{"key": "FFmpegExtractAudio", "preferredcodec": CODECS}] if shutil.which("ffmpeg") else []

    def download(video: str, folder: Path) -> Path:
        too_long, home = [], str(folder.resolve())
        if os.path.expandvars(home) != home:  # as yt-dlp will do, and then write elsewhere
            raise ValueError(f"{home!r} names a variable of the environment; rename the folder")

        def suits(info: dict, *, incomplete: bool = False) -> str | None:
            if info.get("is_live") or (info.get("duration") or 0) > longest:
                too_long.append(f"{info.get('duration')} s")
                return f"longer than {longest} s"
            return None

        options = {"format": "bestaudio[acodec=opus]/bestaudio/best", "outtmpl": {"default": "song.%(ext)s"},
                   "paths": {"home": home}, "match_filter": suits, "max_filesize": LARGEST,
                   "postprocessors": convert, "allowed_extractors": list(extractors), "noplaylist": True,
                   "socket_timeout": 20, "retries": 3, "fragment_retries": 3, "cachedir": False, "quiet": True,
                   "noprogress": True, "no_warnings": True, "logger": _Silent()}
        try:
            with yt_dlp.YoutubeDL(options) as client:
                client.extract_info(address.format(video))
        except yt_dlp.utils.DownloadError as error:
            if DISK.search(str(error)):
                raise OSError(str(error)) from None
            raise reason(re.sub(r"\x1b\[[\d;]*m", "", str(error))) from None
        if too_long:
            raise Missed("too long", too_long[0])
        made = [p for p in folder.glob("song.*") if p.suffix not in (".part", ".ytdl")]
        if not made:
            raise Missed("too large", f"more than {LARGEST} bytes")
        return made[0]

    return download


def _first(videos: list[str], folder: Path, download: Download, tries: int, pause: float) -> tuple[Path, str, int]:
    """The file of the first video that works, its id, and how often was tried.

    Raises
    ------
    Missed
        If none does, for the reason that most have; or at the first that fails for a reason that may pass, so that a
        later run is not left with the second best.
    """
    missed = []
    for video in videos:
        for tried in range(1, tries + 1):
            try:
                return download(video, folder), video, tried
            except Missed as error:
                shutil.rmtree(folder)
                folder.mkdir()
                if error.passing and tried < tries:
                    time.sleep(pause * 2 ** (tried - 1))
                    continue
                error.tries = tried
                if error.passing:
                    raise
                missed.append((video, error))
                break
    reasons = [error.reason for _, error in missed]
    raise Missed(Counter(reasons).most_common(1)[0][0], "; ".join(f"{v}: {e.reason}" for v, e in missed))


def _readable(path: Path) -> bool:
    try:
        return soundfile.info(path).frames > 0
    except soundfile.LibsndfileError:
        return False


def _song(track: str, label: str, videos: list[str], there: Path | None, music: Path, download: Download, tries: int,
          pause: float) -> dict:
    """Have one song, unless it is there, and return its record.

    A track with videos has an id that is a file name (`listed`); any other may be any text, and no path is made of it.
    """
    start, record = time.monotonic(), {"id": track, "class": label, "video": "", "file": "", "bytes": 0, "sha": "",
                                       "hash": "", "reason": "", "detail": "", "tries": 0}
    folder = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=music))
    try:
        if there is None:
            if not videos:
                raise Missed("no video is listed")
            made, record["video"], record["tries"] = _first(videos, folder, download, tries, pause)
            there = made.rename(music / f"{track}{made.suffix.lower()}")
        else:
            record["detail"] = "was there already"
        if not _readable(there):
            record["reason"] = "not readable by libsndfile"
        record |= {"outcome": FETCHED, "file": there.name, "bytes": there.stat().st_size, "sha": file_digest(there)}
    except Missed as missed:
        record |= {"outcome": missed.outcome, "reason": missed.reason, "detail": missed.detail, "tries": missed.tries}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return record | {"seconds": round(time.monotonic() - start, 3)}


def fetch(root: Path, *, download: Download | None = None, jobs: int = 2, longest: float = LONGEST, again: str = "",
          tries: int = 3, pause: float = 5.0, progress: bool = True) -> dict[str, dict]:
    """Fetch the songs that the journal does not know, and return its records by track.

    Parameters
    ----------
    download : a function as `youtube` returns
    jobs : songs at once
    longest : seconds; longer videos are passed over
    again : "failed" to try once more what failed for reasons that may pass, "all" for what is lost too

    Raises
    ------
    ValueError
        If the list does not read, another process fetches to the same folder, a link leads out of it, or the host wants
        to be left alone.
    ImportError
        Without yt-dlp.
    OSError
        If a file cannot be written.
    """
    rows = listed(root).drop_duplicates("id")
    download = download or youtube(longest)
    music = journal.inside(root, root / "music")
    music.mkdir(exist_ok=True)
    with journal.Journal(root, "songs") as log:
        for left in music.glob(f"{UNFINISHED}*"):
            shutil.rmtree(left, ignore_errors=True)
        known = journal.read(root, "songs")
        todo = [row for row in rows.itertuples(index=False, name=None)
                if not journal.done(r := known.get(row[0]), music / r["file"] if r and r["file"] else None, again)]
        refused, on_disk = 0, {p.stem: p for p in music.glob("*") if p.is_file()}
        with (bar(total=len(rows), what="fetching songs", unit="song", shown=progress, done=len(rows) - len(todo))
              as shown, ThreadPoolExecutor(jobs) as pool):
            work = [pool.submit(_song, track, label, videos, on_disk.get(track), music, download, tries, pause)
                    for track, label, videos in todo]
            try:
                for finished in as_completed(work):
                    record = finished.result()
                    log.add(**record)
                    shown.update()
                    refused = refused + 1 if record["reason"] == TOO_OFTEN else 0
                    if refused == PATIENCE:
                        raise ValueError(f"the videos of {PATIENCE} songs in a row were not given: {TOO_OFTEN}; wait "
                                         "some hours, and go on with --again and fewer --jobs")
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    return journal.read(root, "songs")
