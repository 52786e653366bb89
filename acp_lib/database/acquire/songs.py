"""Fetching the songs: for each, the first of its video ids that works, its sound alone.

    <data>/YouTubeURLs.csv         MSD_track_id,id1,...,id10; alternatives, some tracks have none
    <data>/SongEmotionScore.csv    the tracks' classes
    <data>/music/<track>.<ending>  what was fetched; of several files of a track, one counts (`imac.song_files`)
    <data>/.fetch/songs.jsonl      what became of each track (`journal`)

Chapter: Building the database.
"""

import re
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Collection
from concurrent.futures import CancelledError
from itertools import count
from multiprocessing.pool import ThreadPool  # whose threads do not keep a command that is to end
from pathlib import Path
from threading import Event

import pandas as pd
import psutil
import soundfile

from acp_lib.database import imac
from acp_lib.database.acquire import journal
from acp_lib.database.acquire.journal import FETCHED, UNFINISHED, Missed
from acp_lib.database.acquire.youtube import CONNECTION, LONGEST, REMEDIES, TOO_OFTEN, Download, youtube
from acp_lib.engine import processes
from acp_lib.engine.cache import file_digest
from acp_lib.engine.progress import bar

TRACK = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{1,63}")
VIDEO = re.compile(r"[A-Za-z0-9_-]{11}")
PATIENCE = 5  # tracks in a row that fail for what lies between, before the run ends
NO_VIDEO = "no video is listed"
SOON = (TOO_OFTEN, CONNECTION)  # what may pass while a run lasts
GRACE = 3.0  # seconds in which songs that are under way leave off


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


class _Fetcher:
    """What has one song at a time, in several threads, until it is told to stop."""

    def __init__(self, music: Path, there: dict[str, Path], download: Download, stop: Event, tries: int, pause: float):
        self.music, self.there, self.download, self.stop = music, there, download, stop
        self.tries, self.pause = tries, pause

    def attempt(self, row: tuple[str, str, list[str]]) -> dict | BaseException:
        """The record of a song; or what ends the run."""
        try:
            return self._song(*row)
        except BaseException as error:
            return error

    def _song(self, track: str, label: str, videos: list[str]) -> dict:
        """A track with videos has an id that is a file name (`listed`); any other may be any text, and no path is made
        of it.
        """
        start, record = time.monotonic(), {"id": track, "class": label, "video": "", "file": "", "bytes": 0, "sha": "",
                                           "hash": "", "reason": "", "detail": "", "tries": 0}
        there = self.there.get(track)
        folder = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=self.music))
        try:
            if there is None:
                made, record["video"], record["tries"] = self._first(videos, folder)
                there = made.rename(self.music / f"{track}{made.suffix.lower()}")
            else:
                record["detail"] = "was there already"
            if not _readable(there):
                record["reason"] = "not readable by libsndfile"
            record |= {"outcome": FETCHED, "file": there.name, "bytes": there.stat().st_size, "sha": file_digest(there)}
        except Missed as missed:
            record |= {"outcome": missed.outcome, "reason": missed.reason, "detail": missed.detail,
                       "tries": missed.tries}
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return record | {"seconds": round(time.monotonic() - start, 3)}

    def _first(self, videos: list[str], folder: Path) -> tuple[Path, str, int]:
        """The file of the first video that works, its id, and how often was tried.

        Raises
        ------
        Missed
            If none does; or at the first that fails for a reason of `SOON`, so that a later run is not left with the
            second best.
        """
        missed: dict[str, Missed] = {}
        for video in videos:
            try:
                made, tries = self._video(video, folder)
                return made, video, tries
            except Missed as error:
                missed[video] = error
                if error.reason in SOON:
                    break
        raise _together(missed)

    def _video(self, video: str, folder: Path) -> tuple[Path, int]:
        for tried in count(1):
            if self.stop.is_set():
                break
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            try:
                return self.download(video, folder), tried
            except Missed as error:
                error.tries = tried
                if error.reason not in SOON or tried == self.tries:
                    raise
            self.stop.wait(self.pause * 2 ** (tried - 1))
        raise CancelledError


def _together(missed: dict[str, Missed]) -> Missed:
    """What the failures of all videos of a song come to: the reason that most have, of those that may pass soon, or
    else that may pass, or else of all; and what was said of each.
    """
    errors = list(missed.values())
    decide = [e for e in errors if e.reason in SOON] or [e for e in errors if e.passing] or errors
    if not decide:
        found = Missed(NO_VIDEO)
        found.tries = 0
        return found
    said = (f"{video}: {e.reason}" + f" ({e.detail})" * bool(e.detail) for video, e in missed.items())
    found = Missed(Counter(e.reason for e in decide).most_common(1)[0][0], "; ".join(said), passing=decide[0].passing)
    found.tries = errors[-1].tries
    return found


def _readable(path: Path) -> bool:
    try:
        return soundfile.info(path).frames > 0
    except soundfile.LibsndfileError:
        return False


def _leave_off(music: Path, others: Collection[psutil.Process]) -> None:
    """Wait a little for the songs that are under way, end the programs that they have begun, and clear away the rest.
    """
    until = time.monotonic() + GRACE
    while any(music.glob(f"{UNFINISHED}*")) and time.monotonic() < until:
        processes.kill_all(but=others)
        time.sleep(0.05)
    processes.kill_all(but=others)
    _tidy(music)


def _tidy(music: Path) -> None:
    for left in music.glob(f"{UNFINISHED}*"):
        shutil.rmtree(left, ignore_errors=True)


def fetch(root: Path, *, download: Download | None = None, jobs: int = 2, longest: float = LONGEST, again: str = "",
          tries: int = 3, pause: float = 5.0, progress: bool = True) -> dict[str, dict]:
    """Fetch the songs that are not there, and return the journal's records by track. What was never tried comes first,
    then what failed for a reason that may pass, the oldest first.

    However it ends, within seconds no program that it has begun is left, and no half file.

    Parameters
    ----------
    download : a function as `youtube` returns
    jobs : songs at once
    longest : seconds; longer videos are passed over
    again : "all" to try once more what is lost; what failed for reasons that may pass is tried in any case
    tries : how often a video is asked for that fails for a reason of `SOON`
    pause : seconds after the first of these; twice as many after each

    Raises
    ------
    ValueError
        If the list does not read, another process fetches to the same folder, a link leads out of it, the host wants
        to be left alone, or `PATIENCE` songs in a row fail for a reason that lies with yt-dlp, ffmpeg or the network.
    ImportError
        Without yt-dlp.
    OSError
        If a file cannot be written, or ffmpeg is needed and does not work.
    """
    rows = listed(root).drop_duplicates("id")
    with_videos = set(rows.loc[rows["videos"].str.len() > 0, "id"])
    stop, others = Event(), processes.begun()
    download = download or youtube(longest, stopped=stop.is_set)
    music = journal.inside(root, root / "music")
    music.mkdir(exist_ok=True)
    with journal.Journal(root, "songs") as log:
        _tidy(music)
        known, there = journal.read(root, "songs"), imac.song_files(music)
        known = {i: r for i, r in known.items() if r["reason"] != NO_VIDEO or i not in with_videos}
        todo = [row for row in rows.itertuples(index=False, name=None)
                if not journal.done(known.get(row[0]), there.get(row[0]), again)]
        age = {track: n for n, track in enumerate(known)}
        todo.sort(key=lambda row: age.get(row[0], -1))
        fetcher, refused = _Fetcher(music, there, download, stop, tries, pause), 0
        with (bar(total=len(rows), what="fetching songs", unit="song", shown=progress, done=len(rows) - len(todo))
              as shown, ThreadPool(jobs) as pool):
            try:
                for record in pool.imap_unordered(fetcher.attempt, todo):
                    if isinstance(record, BaseException):
                        raise record
                    log.add(**record)
                    shown.update()
                    if record["tries"]:
                        refused = refused + 1 if record["reason"] in REMEDIES else 0
                    if refused == PATIENCE:
                        raise ValueError(_blame(record))
            except BaseException:
                stop.set()
                _leave_off(music, others)
                raise
    return journal.read(root, "songs")


def _blame(record: dict) -> str:
    return (f"the videos of {PATIENCE} songs in a row were not given: {record['reason']}; {REMEDIES[record['reason']]} "
            f"(the last: {' '.join(record['detail'].split())[:200]})")
