"""Descriptions of all samples of a manifest, in shards: computed on all cores or a cluster, resumable, memory-mapped.

A shard covers a fixed stretch of the manifest in one safetensors file, which is written under a temporary name and
renamed. So a killed run loses only the shards in progress, and the result does not depend on the number of processes. A
shard that is unreadable, or contains other samples, is made again.

Chapter: Hearing; Seeing; Baselines.
"""

import json
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd

from acp_lib.engine.cache import write
from acp_lib.engine.faults import exhausted
from acp_lib.engine.progress import bar
from acp_lib.engine.spread import isolated, spread_tasks
from acp_lib.engine.work import Work
from acp_lib.features.layout import KINDS, VECTORS

GPU_SHARD = 256  # pictures, which keep a GPU busy while other processes decode
TYPES = {"F32": np.float32, "F16": np.float16, "U8": np.uint8}
"""Types of the arrays in a shard, by their names in safetensors."""


class Shard:
    """One file: a memory-mapped array of items, the ids of their samples, and the reasons why some are missing.

    Raises
    ------
    ValueError, OSError, KeyError
        If it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(size).decode("utf8"))
        info, about = header["x"], header["__metadata__"]
        self.x = np.memmap(path, TYPES[info["dtype"]], "r", 8 + size + info["data_offsets"][0], tuple(info["shape"]))
        self.ids: list[str] = json.loads(about["ids"])
        self.reasons: list[str] = json.loads(about["reasons"])
        self.checksum: str = about["checksum"]

    def holds(self, rows: list[dict], checked: bool) -> bool:
        """Whether the shard belongs to these manifest rows and, if `checked`, has the checksum that was written."""
        return self.ids == _ids(rows) and len(self.x) == len(self.reasons) == len(rows) and not (
            checked and self.checksum != _checksum(self.x, self.reasons))


class Shards:
    """The arrays of a folder of shards as one memory-mapped array.

    `shards[rows]` copies these items into an array [shape=(len(rows), ...)]; `shape` is that of the whole array.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.maps = [Shard(path).x for path in _files(folder)]
        self.shape = (sum(map(len, self.maps)), *self.maps[0].shape[1:])

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        return np.stack(self.lazily(rows))

    def lazily(self, rows: np.ndarray) -> list[np.ndarray]:
        """The items as views of the files; reading a part of an item reads only that part of its file."""
        size = len(self.maps[0])
        return [self.maps[i // size][i % size] for i in rows]

    def __reduce__(self) -> tuple[type["Shards"], tuple[Path]]:
        return Shards, (self.folder,)  # another process opens the files itself


def make(kind: str, root: Path, rows: pd.DataFrame, work: Work, folder: Path, *, tolerant: bool = False,
         **options: object) -> list[Shard]:
    """Make the shards of manifest rows that are missing in `folder`, and return all shards.

    Parameters
    ----------
    kind : one of KINDS
    rows : manifest rows of that kind's modality
    work : on a cluster, workers must see `root` and `folder` under these paths
    tolerant : if True, an item that cannot be made is NaN, with a reason, instead of an error; and existing shards are
        read completely to verify their checksums
    options : of the kind's module

    Chapter: Hearing; Seeing; Baselines.
    """
    records = rows.to_dict("records")
    size = GPU_SHARD if options.get("device") == "cuda" else KINDS[kind].shard
    tasks = [(folder / f"{i // size:06d}.safetensors", records[i:i + size]) for i in range(0, len(records), size)]
    found = {target: _whole(target, part, tolerant) for target, part in tasks}
    todo = [(target, part) for target, part in tasks if found[target] is None]
    if todo:
        for target, _ in todo:
            target.unlink(missing_ok=True)  # a damaged one
        run = partial(make_shard, kind, root, tolerant=tolerant, options=options)
        with bar(total=len(records), what=f"{kind} features" if kind in VECTORS else kind, unit="sample",
                 shown=work.progress, done=len(records) - sum(len(part) for _, part in todo)) as shown:
            for count in spread_tasks(run, todo, work.jobs, work.scheduler):
                shown.update(count)
        found |= {target: Shard(target) for target, _ in todo}
    return [shard for shard in found.values() if shard is not None]


def vectors(modality: str, root: Path, rows: pd.DataFrame, work: Work, folder: Path,
            **options: object) -> tuple[np.ndarray, pd.DataFrame]:
    """Features and rejects of manifest rows of one modality; the shards are kept in `folder`.

    Parameters
    ----------
    modality : "music" or "image"
    rows : manifest rows; features come in their order
    options : for pictures `weights` (path), `size`, and optionally `precision` (float32) and `device` (cpu); for music
        optionally `frame` (librosa)

    Returns
    -------
    float32 [shape=(len(rows), 193 or 2048)], NaN for a sample that could not be decoded; and a table path, reason.

    Paper: Section 4.  Chapter: Hearing; Seeing.
    """
    shards = make(modality, root, rows, work, folder, tolerant=True, **options)
    x = np.concatenate([np.zeros((0, VECTORS[modality]), np.float32), *(shard.x for shard in shards)])
    reasons = [reason for shard in shards for reason in shard.reasons]
    bad = [(path, reason) for path, reason in zip(rows["path"], reasons, strict=True) if reason]
    return x, pd.DataFrame(bad, columns=["path", "reason"])


def make_shard(kind: str, root: Path, target: Path, rows: list[dict], *, tolerant: bool, options: dict,
               alone: bool = False) -> int:
    """Make one shard and return its number of items. Idempotent: may run several times, anywhere, concurrently.

    alone : describe each sample in a separate process, so that a sample which kills its process loses only itself
    """
    describe = partial(_described, kind, root, tolerant=tolerant, options=options)
    found = isolated(describe, rows) if alone else describe(rows)
    items, reasons = zip(*found, strict=True)
    if not tolerant and any(reasons):
        raise RuntimeError(f"{kind} of {rows[[bool(r) for r in reasons].index(True)]['path']}: "
                           f"{next(filter(None, reasons))}")
    lost = np.full(VECTORS.get(kind, 0), np.nan, np.float32)
    x = np.stack([lost if item is None else item for item in items])
    about = {"ids": json.dumps(_ids(rows)), "reasons": json.dumps(reasons), "checksum": _checksum(x, reasons)}
    write(target, _encoded(np.ascontiguousarray(x), about))
    return len(rows)


def _described(kind: str, root: Path, rows: list[dict], *, tolerant: bool, options: dict) -> list[tuple]:
    """(item or None, reason) of each row."""
    module = import_module(KINDS[kind].module)  # when it is needed: torchvision is slow to import
    found = [_tried(root, partial(module.describe, root, row, **options), tolerant) for row in rows]
    if batch := getattr(module, "describe_batch", None):
        held = [item for item, _ in found if item is not None]
        made = iter(batch(np.stack(held), **options) if held else ())
        found = [(None if item is None else next(made), reason) for item, reason in found]
    return [_finite(item, reason) for item, reason in found]


def _finite(item: np.ndarray | None, reason: str) -> tuple[np.ndarray | None, str]:
    """Reject an item whose numbers are not all finite, with a reason: there is never a NaN without a reason."""
    if item is None or np.isfinite(item).all():
        return item, reason
    return None, "its features are not finite numbers; look at the file, encode it again, or leave it out"


def _tried(root: Path, describe: Callable[[], np.ndarray], tolerant: bool) -> tuple[np.ndarray | None, str]:
    try:
        return describe(), ""
    except Exception as error:  # a file that breaks its decoder is a reject, the rest goes on
        if not tolerant or exhausted(error):
            raise
        return None, f"cannot be decoded: {error}".replace(f"{root}/", "")


def _whole(target: Path, rows: list[dict], checked: bool) -> Shard | None:
    """A shard, or None if it is missing, unreadable, or contains other samples."""
    try:
        shard = Shard(target)
    except (OSError, ValueError, KeyError, TypeError, OverflowError, MemoryError, RecursionError):  # a damaged file
        return None
    return shard if shard.holds(rows, checked) else None


def _encoded(x: np.ndarray, about: dict[str, str]) -> bytes:
    """A safetensors file whose bytes depend only on its content: that library's writer orders metadata at random."""
    name = next(name for name, kind in TYPES.items() if x.dtype == kind)
    info = {"dtype": name, "shape": x.shape, "data_offsets": [0, x.nbytes]}
    header = json.dumps({"__metadata__": about, "x": info}).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + x.tobytes()


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.safetensors"))


def _ids(rows: list[dict]) -> list[str]:
    return [row["id"] for row in rows]


def _checksum(x: np.ndarray, reasons: Sequence[str]) -> str:
    return f"{zlib.crc32(json.dumps(list(reasons)).encode(), zlib.crc32(np.ascontiguousarray(x).data)):08x}"
