"""What the baselines take beside the features of ACP-Net: pictures, spectrograms and art features, in shards that are
read where they lie.

A shard is a stretch of the manifest as one .npy file, written under a temporary name and renamed; it is opened as a
memory map, so that a run holds a batch in memory and never the data set.

Chapter: Baselines.
"""

import io
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from acp_lib.engine.cache import write
from acp_lib.engine.progress import bar
from acp_lib.engine.spread import spread_tasks
from acp_lib.features import audio, spectrogram

SHARD = 50
"""Items of a file: few enough to be quick to write, many enough to keep the files few."""

KINDS = {"pixels": "image", "art": "image", "slices": "music"}
"""What is made, and of which modality."""


class Shards:
    """The arrays of a folder of shards as one, read through memory maps.

    `shards[rows]` copies those items into an array [shape=(len(rows), ...)].
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.maps = [np.load(path, mmap_mode="r") for path in sorted(folder.glob("*.npy"))]
        self.shape = self.maps[0].shape[1:]

    def __len__(self) -> int:
        return sum(map(len, self.maps))

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        return np.stack(self.lazily(rows))

    def lazily(self, rows: np.ndarray) -> list[np.ndarray]:
        """The items where they lie; reading a part of one reads no more of its file."""
        return [self.maps[i // SHARD][i % SHARD] for i in rows]

    def __reduce__(self):
        return Shards, (self.folder,)  # another process opens the files itself


def _item(kind: str, root: Path, row: dict, options: dict) -> np.ndarray:
    if kind == "slices":
        y = audio.load(root / row["path"], start=row["start"], duration=row["duration"])
        return spectrogram.pooled(y, audio.SR, **options).T  # a crop in time is then one stretch of the file
    from acp_lib.features import art as art_features
    from acp_lib.features import image  # brings torchvision, which music does not need

    picture = image.read(root / row["path"], **options)
    return art_features.extract(picture) if kind == "art" else picture


def shard_task(kind: str, root: Path, target: Path, rows: list[dict], *, options: dict, alone: bool = False) -> int:
    """Make one shard and return how many items it holds. Idempotent: may run twice, anywhere, at once."""
    buffer = io.BytesIO()
    np.save(buffer, np.stack([_item(kind, root, row, options) for row in rows]))
    write(target, buffer.getvalue())
    return len(rows)


def make(kind: str, root: Path, rows: pd.DataFrame, folder: Path, *, jobs: int = 1, progress: bool = True,
         scheduler: str = "", **options) -> Path:
    """Make the shards of manifest rows that are not in `folder` yet, and return it.

    Parameters
    ----------
    kind : one of KINDS
    rows : manifest rows of that modality, all of which can be decoded
    options : `size` of pictures, `bins` of slices

    Chapter: Baselines.
    """
    records = rows.to_dict("records")
    tasks = [(folder / f"{i // SHARD:06d}.npy", records[i:i + SHARD]) for i in range(0, len(records), SHARD)]
    todo = [task for task in tasks if not task[0].exists()]
    if todo:
        with bar(total=len(records), what=kind, unit="sample", shown=progress,
                 done=len(records) - sum(len(part) for _, part in todo)) as shown:
            for count in spread_tasks(partial(shard_task, kind, root, options=options), todo, jobs, scheduler):
                shown.update(count)
    return folder
