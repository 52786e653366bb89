"""The real sources of IMAC: the authors' song scores, Image Emotion's picture lists, and the media that were fetched.

    <data>/SongEmotionScore.csv     MSD_track_id,title,artist,pos_neu_neg; no header, no quoting
    <data>/YouTubeURLs.csv          MSD_track_id,id1,...,id10; optional
    <data>/clean_tags_<string>.txt  the authors' clean tags; optional
    <data>/agg/<emotion>.csv        emotion,url,disagree,agree; optional
    <data>/lastfm_tags.db           or lastfm_unique_tags.txt; optional, for Table 2
    <data>/track_metadata.db        the Million Song Dataset's; optional, for artists and durations
    <data>/images/<emotion>/*       a picture is named as the last part of its URL (acp_lib.database.names)
    <data>/music/<MSD_track_id>.*

The embedded mini database has the same layout. Most of the media may be missing: what is listed and not there is a
reject, with the reason.

Paper: Section 2.  Chapter: Building the database.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

import pandas as pd

from acp_lib.database import folder, names, tags, text
from acp_lib.database.manifest import candidates, rejects
from acp_lib.database.walk import NO_FILE as ABSENT
from acp_lib.database.walk import given, look, walk
from acp_lib.emotions import CLASSES, EMOTIONS, regroup

LISTED = ["emotion", "url", "disagree", "agree"]  # fields of a picture list
NO_FILE = "no audio file"
NO_VIDEO = "no audio file, and no video is listed for it"
NOT_AGREED = "its label was not agreed on by most of those who were asked"
SOUNDS = (".wav", ".flac", ".opus", ".ogg", ".oga", ".mp3", ".aiff", ".aif", ".au", ".caf", ".w64", ".webm", ".m4a",
          ".mp4", ".mka", ".mkv", ".aac", ".wma")
"""How the names of songs end: first what libsndfile reads. Of several files of a track, the first of these counts."""


# --- songs


def songs(path: Path) -> pd.DataFrame:
    """The song scores: track, title, artist, positive, neutral, negative, class (missing where all scores are 0).

    Titles hold commas and lone quotes, so the file is read without quoting: first field, last two, what lies between.

    Raises
    ------
    ValueError
        For a line that does not end in `pos_neu_neg`, three counts, with its number; or as `text.read` raises.
    """
    rows = []
    for number, line in enumerate(text.lines(path), 1):
        if not line.strip():
            continue
        try:
            track, *title, artist, scores = line.split(",")
            positive, neutral, negative = (int(s) for s in scores.split("_"))
            label = tags.label(positive, neutral, negative)
        except ValueError:
            raise ValueError(f"{path.name}, line {number} is {line.strip()[:80]!r}; expected "
                             "track,title,artist,pos_neu_neg") from None
        rows.append((track, ",".join(title), artist, positive, neutral, negative, label))
    return pd.DataFrame(rows, columns=["track", "title", "artist", *CLASSES, "class"])


def scored(root: Path) -> pd.DataFrame:
    """`songs` of a folder of data, no rows where the folder has no song scores."""
    path = root / "SongEmotionScore.csv"
    return songs(path) if given(path) else pd.DataFrame(columns=["track", "title", "artist", *CLASSES, "class"])


def ties(scores: pd.DataFrame) -> int:
    """How many songs have no single dominant class, so that the rule for ties gives the label.

    scores : positive, neutral, negative, a song a row

    Chapter: Building the database.
    """
    three = scores[list(CLASSES)]
    return int((three.eq(three.max(axis=1), axis=0).sum(axis=1) > 1).sum())


def lengths(root: Path, tracks: Iterable[str]) -> pd.Series | None:
    """Seconds of those tracks whose length the Million Song Dataset knows; None where its table does not lie in `root`.

    Chapter: Building the database.
    """
    path = root / "track_metadata.db"
    return metadata(path, tracks)["duration"].dropna() if given(path) else None


def song_files(music: Path) -> dict[str, Path]:
    """The file of each track in a folder, as `by_track` has it.

    Chapter: Building the database.
    """
    files = {p.name: p for p in music.glob("*") if p.is_file()}
    return {track: files[name] for track, name in by_track(files).items()}


def by_track(paths: Iterable[str]) -> dict[str, str]:
    """The path of each track: `<track>` and one of `SOUNDS`, the first of them where there are several. Nothing else is
    a song: no picture or text beside it, no `.part`.
    """
    ending = {path: PurePosixPath(path).suffix.lower() for path in sorted(paths)}
    sounds = sorted((p for p, e in ending.items() if e in SOUNDS), key=lambda p: SOUNDS.index(ending[p]), reverse=True)
    return {PurePosixPath(path).stem: path for path in sounds}


def video_rows(path: Path) -> Iterator[tuple[int, str, list[str]]]:
    """Number of the line, track and alternative video ids of each row of YouTubeURLs.csv."""
    for number, line in enumerate(text.lines(path), 1):
        if line.strip():
            track, *ids = (field.strip() for field in line.split(","))
            yield number, track, [i for i in ids if i]


def videos(path: Path) -> dict[str, list[str]]:
    """The alternative video ids of each track, none for a track whose row is empty."""
    return {track: ids for _, track, ids in video_rows(path)}


def metadata(path: Path, tracks: Iterable[str]) -> pd.DataFrame:
    """artist_id, artist_name and duration (s) of some tracks by the Million Song Dataset, indexed by track.

    Raises
    ------
    ValueError
        If the file is not SQLite with the table songs(track_id, ..., artist_id, ..., artist_name, duration, ...).
    """
    with tags.opened(path, "the Million Song Dataset's metadata",
                     "table songs(track_id, artist_id, artist_name, duration, ...)") as db:
        db.execute("CREATE TEMP TABLE wanted (track TEXT PRIMARY KEY)")
        db.executemany("INSERT OR IGNORE INTO wanted VALUES (?)", ((t,) for t in tracks))
        rows = db.execute("SELECT track_id, artist_id, artist_name, duration FROM wanted "
                          "JOIN songs ON songs.track_id = wanted.track").fetchall()
    table = pd.DataFrame(rows, columns=["track", "artist_id", "artist", "duration"])
    return table.drop_duplicates("track").set_index("track")


def _artists(listed: pd.DataFrame, root: Path) -> pd.Series:
    """One name for each artist: where the metadata tells artists apart, those that share a name get their id behind it,
    and one that is spelled in several ways gets its most frequent name.
    """
    path = root / "track_metadata.db"
    if not given(path):
        return listed["artist"]
    known = metadata(path, listed["track"])
    known = known[known["artist_id"].fillna("") != ""]
    usual = known["artist"].fillna("").groupby(known["artist_id"]).agg(lambda n: n.mode().iloc[0])
    shared = usual.duplicated(keep=False)
    usual = usual.where(~shared, usual + " (" + usual.index + ")")
    return listed["track"].map(known["artist_id"].map(usual)).fillna(listed["artist"])


# --- pictures


def read_pictures(agg: Path) -> tuple[pd.DataFrame, list[tuple[str, str]]]:
    """(rows, rejects) of the URL lists: emotion, url, disagree, agree, and file, `<emotion>/<name>`; a list an emotion,
    no header.

    A row that does not read is a reject with the reason, not an end.

    Raises
    ------
    ValueError
        For a folder without lists, or lists of which no row reads.
    """
    rows, bad, files = [], [], sorted(agg.glob("*.csv"))
    for path in files:
        for number, line in enumerate(text.lines(path, errors="surrogateescape"), 1):
            if line.strip():
                row, where = _picture(line), f"{agg.name}/{path.name}, line {number}"
                rows.append(row) if isinstance(row, tuple) else bad.append((where, row))
    if not files:
        raise ValueError(f"{agg.name} holds no list; put {agg.name}/<emotion>.csv there, or remove it")
    if not rows:
        first = f": {': '.join(bad[0])}" if bad else ""
        raise ValueError(f"{agg.name} holds no row that reads{first}; expected emotion,url,disagree,agree")
    table = pd.DataFrame(rows, columns=LISTED)
    return table.assign(file=names.files(table["emotion"], table["url"])), bad


def _picture(line: str) -> tuple | str:
    """The fields of a list's line, or the reason why it has none."""
    if re.search("[\udc80-\udcff]", line):
        return "is no UTF-8: save the list as UTF-8"
    fields = [f.strip().strip('"') for f in line.split(",")]
    if len(fields) < 4:
        return f"{len(fields)} fields; expected emotion,url,disagree,agree"
    emotion, url, (disagree, agree) = fields[0].lower(), ",".join(fields[1:-2]), fields[-2:]
    if emotion not in EMOTIONS:
        return f"names the emotion {fields[0][:40]!r}; expected one of {', '.join(EMOTIONS)}"
    if not all(re.fullmatch("[0-9]{1,18}", count) for count in (disagree, agree)):
        return f"counts {disagree[:20]!r} and {agree[:20]!r}; expected two whole numbers"
    return emotion, url, int(disagree), int(agree)


def _pictures(root: Path, agreement: str = "all") -> tuple[list[dict], list[tuple[str, str]]]:
    if not given(root / "agg", folder=True):
        return folder.scan_modality(root, "image") if (root / "images").is_dir() else ([], [])
    listed, bad = read_pictures(root / "agg")
    rows = []
    for emotion, file, against, agree in listed[["emotion", "file", "disagree", "agree"]].itertuples(index=False):
        if agreement != "all" and agree <= against:
            bad.append((f"images/{file}", NOT_AGREED))
        else:
            rows.append({"id": file, "modality": "image", "path": f"images/{file}", "emotion": emotion,
                         "class": regroup(emotion), "title": PurePosixPath(file).stem})
    return rows, bad


# --- both


def _songs(paths: Iterable[str]) -> dict[str, str]:
    return by_track(path for path in paths if path.count("/") == 1)


def scan(root: Path, agreement: str = "all") -> tuple[pd.DataFrame, pd.DataFrame]:
    """(candidates, rejects) of a folder in IMAC's layout.

    Parameters
    ----------
    agreement : "all" listed pictures, or those whose label a "majority" agreed on (agree > disagree)

    Raises
    ------
    ValueError
        If the score file is missing or does not read.
    """
    scores = root / "SongEmotionScore.csv"
    if isinstance(state := look(scores), str):
        why = f" ({state})" if state != ABSENT else ""
        raise ValueError(f"data is {root.name!r}, which has no SongEmotionScore.csv{why}; give the folder that holds "
                         "the authors' files, or take profile 'folder' for your own pictures and songs")
    found = walk(root, "music")
    on_disk, unread = _songs(found.files), dict(found.bad)
    in_vain = _songs(unread)
    listed = root / "YouTubeURLs.csv"
    known = videos(listed) if given(listed) else None
    rows, bad = _pictures(root, agreement)
    table = songs(scores)
    for song in table.assign(artist=_artists(table, root)).to_dict("records"):
        track = song["track"]
        if pd.isna(song["class"]):
            bad.append((f"music/{track}", "all three scores are 0"))
        elif track not in on_disk and track in in_vain:
            bad.append((in_vain[track], unread[in_vain[track]]))
        elif track not in on_disk:
            bad.append((f"music/{track}", NO_FILE if known is None or known.get(track) else NO_VIDEO))
        else:
            rows.append({"id": track, "modality": "music", "path": on_disk[track], "class": song["class"],
                         "artist": song["artist"], "title": song["title"]})
    return candidates(rows), rejects(bad)
