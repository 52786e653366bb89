"""The real sources of IMAC: the authors' song scores, Image Emotion's picture lists, and the media that were fetched.

    <data>/SongEmotionScore.csv     MSD_track_id,title,artist,pos_neu_neg; no header, no quoting
    <data>/YouTubeURLs.csv          MSD_track_id,id1,...,id10; optional
    <data>/agg/<emotion>.csv        emotion,url,disagree,agree; optional
    <data>/lastfm_tags.db           optional, for Table 2
    <data>/images/<emotion>/*       a picture is named as the last part of its URL (acp_lib.database.names)
    <data>/music/<MSD_track_id>.*

The embedded mini database has the same layout.

Paper: Section 2.  Chapter: Building the database.
"""

import csv
from pathlib import Path, PurePosixPath

import pandas as pd

from acp_lib.database import folder, names, tags
from acp_lib.database.manifest import candidates, rejects
from acp_lib.emotions import EMOTIONS, regroup


def songs(path: Path) -> pd.DataFrame:
    """The song scores: track, title, artist, positive, neutral, negative, class (missing where all scores are 0).

    Titles hold lone quotes, so the file is read without quoting: first field, last two, and what lies between.

    Raises
    ------
    ValueError
        For a line that does not end in `pos_neu_neg`, three counts, with its number.
    """
    rows = []
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as f:
        for number, line in enumerate(csv.reader(f, quoting=csv.QUOTE_NONE), 1):
            if not line:
                continue
            try:
                track, *title, artist, scores = line
                positive, neutral, negative = (int(s) for s in scores.split("_"))
                label = tags.label(positive, neutral, negative)
            except ValueError:
                raise ValueError(f"{path.name}, line {number} is {','.join(line)[:80]!r}; expected "
                                 "track,title,artist,pos_neu_neg") from None
            rows.append((track, ",".join(title), artist, positive, neutral, negative, label))
    return pd.DataFrame(rows, columns=["track", "title", "artist", "positive", "neutral", "negative", "class"])


def picture_lists(agg: Path) -> pd.DataFrame:
    """The URL lists: emotion, url, disagree, agree; one file an emotion, no header. And file: <emotion>/<name>.

    Raises
    ------
    ValueError
        For an emotion that is none of the eight, or a folder without lists.
    """
    columns, files = ["emotion", "url", "disagree", "agree"], sorted(agg.glob("*.csv"))
    if not files:
        raise ValueError(f"{agg.name} holds no list; put {agg.name}/<emotion>.csv there, or remove it")
    table = pd.concat([pd.read_csv(p, header=None, names=columns) for p in files], ignore_index=True)
    if unknown := set(table["emotion"].fillna("")) - set(EMOTIONS):
        raise ValueError(f"{agg.name} names the emotions {sorted(unknown)}; expected some of {', '.join(EMOTIONS)}")
    return table.assign(file=names.files(table["emotion"], table["url"]))


def _pictures(root: Path) -> tuple[list[dict], list[tuple[str, str]]]:
    if not (root / "agg").is_dir():
        return folder.scan_modality(root, "image")
    listed = picture_lists(root / "agg")
    return [{"id": file, "modality": "image", "path": f"images/{file}", "emotion": e, "class": regroup(e),
             "title": PurePosixPath(file).stem} for e, file in zip(listed["emotion"], listed["file"], strict=True)], []


def scan(root: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(candidates, rejects) of a folder in IMAC's layout.

    Raises
    ------
    ValueError
        If the score file is missing or does not read.
    """
    scores = root / "SongEmotionScore.csv"
    if not scores.is_file():
        raise ValueError(f"data is {root.name!r}, which has no SongEmotionScore.csv; give the folder that holds the "
                         "authors' files, or PROFILE=folder for your own pictures and songs")
    on_disk = {p.stem: p.relative_to(root).as_posix() for p in sorted((root / "music").glob("*")) if p.is_file()}
    rows, bad = _pictures(root)
    for song in songs(scores).to_dict("records"):
        track = song["track"]
        if pd.isna(song["class"]):
            bad.append((f"music/{track}", "all three scores are 0"))
        elif track not in on_disk:
            bad.append((f"music/{track}", "no audio file"))
        else:
            rows.append({"id": track, "modality": "music", "path": on_disk[track], "class": song["class"],
                         "artist": song["artist"], "title": song["title"]})
    return candidates(rows), rejects(bad)
