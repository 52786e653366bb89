"""Anyone's own pictures and songs.

    <data>/images/<one of the 8 emotions, or a class>/**     any format Pillow reads
    <data>/music/<positive, neutral or negative>/**          any format libsndfile reads
    <data>/metadata.csv                                      optional: id, artist, title, tags, licence

A file's id is its path below `images` or `music`; metadata.csv may name it so, or by the bare file name where no other
file has that name.

Chapter: Building the database.
"""

from pathlib import Path

import pandas as pd

from acp_lib.database import metadata
from acp_lib.database.manifest import candidates, label_of, rejects
from acp_lib.emotions import CLASSES, EMOTIONS

FOLDERS = {"image": "images", "music": "music"}


def _label_folders(root: Path, modality: str) -> dict[Path, tuple[str, str]]:
    top = root / FOLDERS[modality]
    if not top.is_dir():
        raise ValueError(f"{root.name} has no folder {FOLDERS[modality]!r}; expected {root.name}/images/<emotion or "
                         f"class> and {root.name}/music/<class>")
    labels = {}
    for folder in sorted(p for p in top.iterdir() if p.is_dir() and not p.name.startswith(".")):
        label = label_of(folder.name)
        if not label or (modality == "music" and label[0]):
            allowed = CLASSES if modality == "music" else (*EMOTIONS, *CLASSES)
            raise ValueError(f"{root.name}/{top.name}/{folder.name} is not a label; rename the folder to one of "
                             f"{', '.join(allowed)}, or move it out of {top.name}")
        labels[folder] = label
    return labels


def _hidden(file: Path, below: Path) -> bool:
    parts = file.relative_to(below).parts
    return parts[-1] in ("Thumbs.db", "desktop.ini") or any(part.startswith(".") for part in parts)


def scan_modality(root: Path, modality: str) -> tuple[list[dict], list[tuple[str, str]]]:
    """Candidate rows and (path, reason) pairs of `images` or `music` below a folder; raises as `scan` does."""
    top, rows = root / FOLDERS[modality], []
    labels = _label_folders(root, modality)
    bad = [(f.relative_to(root).as_posix(), "lies outside the label folders")
           for f in sorted(top.iterdir()) if f.is_file() and not _hidden(f, top)]
    for folder, (emotion, label) in labels.items():
        files = sorted(f for f in folder.rglob("*") if f.is_file() and not _hidden(f, folder))
        if not files:
            raise ValueError(f"{root.name}/{top.name}/{folder.name} is empty; put files of that label in it, or remove "
                             "the folder")
        for f in files:
            key = f.relative_to(top).as_posix()
            if (readable := key.encode(errors="replace").decode()) != key:
                bad.append((f"{top.name}/{readable}", "its name is not UTF-8; rename it"))
                continue
            rows.append({"id": key, "modality": modality, "path": f"{top.name}/{key}", "emotion": emotion,
                         "class": label, "title": f.stem})
    return rows, bad


def scan(root: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(candidates, rejects) of a folder of pictures and songs, and of the rows and columns of metadata.csv.

    Raises
    ------
    ValueError
        For a missing folder, a folder that is no label, a label folder without files, or a metadata.csv that does not
        read; the message names the path and the remedy.
    """
    if not root.is_dir():
        raise ValueError(f"data is {root.name!r}, which is no folder; give one that holds images/ and music/")
    pictures, bad_pictures = scan_modality(root, "image")
    songs, bad_songs = scan_modality(root, "music")
    about, unfit = metadata.fitted(root, (row["path"] for row in pictures + songs), tuple(FOLDERS.values()))
    for row in pictures + songs:
        row |= {k: v for k, v in about.get(row["path"], {}).items() if k in ("artist", "title") and v}
    return candidates(pictures + songs), rejects(bad_pictures + bad_songs + unfit)
