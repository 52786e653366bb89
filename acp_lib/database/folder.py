"""Anyone's own pictures and songs.

    <data>/images/<one of the 8 emotions, or a class>/**     any format Pillow reads
    <data>/music/<positive, neutral or negative>/**          any format libsndfile reads
    <data>/metadata.csv                                      optional: id, artist, title, tags, licence

Which files are passed over, and where links lead, says `acp_lib.database.walk`.

A file's id is its path below `images` or `music`; metadata.csv may name it so, or by the bare file name where no other
file has that name.

Chapter: Building the database.
"""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import pandas as pd

from acp_lib.database import metadata
from acp_lib.database.manifest import candidates, label_of, rejects
from acp_lib.database.walk import walk
from acp_lib.emotions import CLASSES, EMOTIONS

FOLDERS = {"image": "images", "music": "music"}


def _labels(root: Path, top: str, names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """(emotion, class) of each folder of `images` or `music`, by name."""
    labels = {}
    for name in names:
        label = label_of(name)
        if not label or (top == FOLDERS["music"] and label[0]):
            allowed = CLASSES if top == FOLDERS["music"] else (*EMOTIONS, *CLASSES)
            raise ValueError(f"{root.name}/{top}/{name} is not a label; rename the folder to one of "
                             f"{', '.join(allowed)}, or move it out of {top}")
        labels[name] = label
    return labels


def scan_modality(root: Path, modality: str) -> tuple[list[dict], list[tuple[str, str]]]:
    """Candidate rows and (path, reason) pairs of `images` or `music` below a folder; raises as `scan` does."""
    top = FOLDERS[modality]
    found = walk(root, top)
    if not (root / top).is_dir():
        raise ValueError(f"{root.name} has no folder {top!r}; expected {root.name}/images/<emotion or class> and "
                         f"{root.name}/music/<class>")
    labels = _labels(root, top, (path.split("/")[1] for path in found.folders if path.count("/") == 1))
    if empty := sorted(set(labels) - {path.split("/")[1] for path in (*found.files, *dict(found.bad))}):
        raise ValueError(f"{root.name}/{top}/{empty[0]} is empty; put files of that label in it, or remove the folder")
    rows, bad = [], found.bad.copy()
    for path in found.files:
        _, folder, *below = path.split("/")
        if not below:
            bad.append((path, "lies outside the label folders"))
            continue
        key, stem, (emotion, label) = path.removeprefix(f"{top}/"), PurePosixPath(path).stem, labels[folder]
        rows.append({"id": key, "modality": modality, "path": path, "emotion": emotion, "class": label,
                     "title": stem})
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
