"""Features of every sample of a manifest: in shards, on all cores, resumable.

A shard is a fixed stretch of the manifest, written under a temporary name and renamed, so a killed run loses the shards
it was at and no more, and the result does not depend on how many processes made it. A shard that does not read, or
holds other samples, is made anew.

Chapter: Hearing; Seeing.
"""

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from acp_lib.engine.cache import write
from acp_lib.engine.progress import bar
from acp_lib.engine.spread import isolated, spread_tasks
from acp_lib.features import audio, music

SHARD = {"music": 4, "image": 32}  # samples; a few seconds of work each
GPU_SHARD = 256  # pictures, which keep a GPU busy while other processes decode
WIDTH = {"music": 193, "image": 2048}
SCHEMA = pa.schema([("id", pa.string()), ("x", pa.list_(pa.float32())), ("reason", pa.string())])


@cache
def _extractor(weights: Path, precision: str, device: str):
    from acp_lib.features import image

    return image.frozen(weights, precision, device)


def music_vector(root: Path, row: dict) -> np.ndarray:
    """The 193-d vector of one manifest row."""
    y = audio.load(root / row["path"], start=row["start"], duration=row["duration"])
    return music.extract(y, audio.SR)


def _vectors(modality: str, root: Path, rows: list[dict], *, options: dict) -> list[tuple]:
    """(vector or None, reason) of each row."""
    if modality == "music":
        return [_tried(root, lambda row=row: music_vector(root, row)) for row in rows]
    import torch  # not needed for music, and slow to import

    from acp_lib.features import image

    size, network = options["size"], (options["weights"], options["precision"], options["device"])
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the processes share the cores
    try:
        found = [_tried(root, lambda row=row: image.read(root / row["path"], size)) for row in rows]
        pictures = [picture for picture, _ in found if picture is not None]
        vectors = iter(_extractor(*network)(np.stack(pictures)) if pictures else ())
    finally:
        torch.set_num_threads(threads)
    return [(None if picture is None else next(vectors), reason) for picture, reason in found]


def _tried(root: Path, decode: Callable[[], np.ndarray]) -> tuple[np.ndarray | None, str]:
    try:
        return decode(), ""
    except MemoryError:
        raise  # no fault of the file
    except Exception as error:  # a file that breaks its decoder is a reject, the rest goes on
        return None, f"cannot be decoded: {error}".replace(f"{root}/", "")


def shard_task(modality: str, root: Path, target: Path, rows: list[dict], *, options: dict, alone: bool = False) -> int:
    """Make one shard and return how many samples it holds. Idempotent: may run twice, anywhere, at once.

    alone : describe each sample in a process of its own, so that one which kills it is a reject and no more
    """
    found = (isolated(partial(_vectors, modality, root, options=options), rows) if alone
             else _vectors(modality, root, rows, options=options))
    vectors, reasons = zip(*found, strict=True)
    table = pa.table([_ids(rows), list(vectors), list(reasons)], schema=SCHEMA)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, write_page_checksum=True)
    write(target, sink.getvalue().to_pybytes())
    return len(rows)


def _ids(rows: list[dict]) -> list[str]:
    return [row["id"] for row in rows]


def _whole(target: Path, rows: list[dict]) -> pa.Table | None:
    """A shard, or None if it is not there, does not read, or holds other samples."""
    try:
        table = pq.ParquetFile(target, page_checksum_verification=True).read()
    except (OSError, ValueError, pa.ArrowException):  # a damaged file raises any of these
        return None
    return table if table.schema.equals(SCHEMA) and table["id"].to_pylist() == _ids(rows) else None


def extract(modality: str, root: Path, rows: pd.DataFrame, folder: Path, *, jobs: int = 1, progress: bool = True,
            scheduler: str = "", **options) -> tuple[np.ndarray, pd.DataFrame]:
    """(features, rejects) of manifest rows of one modality, shards kept in `folder`.

    Parameters
    ----------
    modality : "music" or "image"
    rows : manifest rows; features come in their order
    jobs : processes on this machine
    scheduler : address of a Dask scheduler, tcp://host:port; its workers must see `root` and `folder` under these paths
    options : for pictures, `weights` (path), `size`, and maybe `precision` (float32) and `device` (cpu)

    Returns
    -------
    float32 [shape=(len(rows), 193 or 2048)], NaN for a sample that could not be decoded; and a table path, reason.

    Paper: Section 4.  Chapter: Hearing; Seeing.
    """
    if modality == "image":
        options = {"precision": "float32", "device": "cpu", **options}
    records = rows.to_dict("records")
    size = GPU_SHARD if options.get("device") == "cuda" else SHARD[modality]
    shards = [(folder / f"{i // size:06d}.parquet", records[i:i + size]) for i in range(0, len(records), size)]
    tables = {target: _whole(target, part) for target, part in shards}
    todo = [(target, part) for target, part in shards if tables[target] is None]
    if todo:
        for target, _ in todo:
            target.unlink(missing_ok=True)  # a damaged one
        run = partial(shard_task, modality, root, options=options)
        with bar(total=len(records), what=f"{modality} features", unit="sample", shown=progress,
                 done=len(records) - sum(len(part) for _, part in todo)) as shown:
            for count in spread_tasks(run, todo, jobs, scheduler):
                shown.update(count)
            shown.update(shown.total - shown.n)  # what a process had made, and could not say any more
    tables |= {target: pq.read_table(target) for target, _ in todo}
    return _gather(rows, pa.concat_tables([SCHEMA.empty_table(), *tables.values()]), WIDTH[modality])


def _gather(rows: pd.DataFrame, table: pa.Table, width: int) -> tuple[np.ndarray, pd.DataFrame]:
    x = np.full((len(rows), width), np.nan, np.float32)
    x[table["x"].is_valid().to_numpy()] = pc.list_flatten(table["x"]).to_numpy().reshape(-1, width)
    bad = [(path, reason) for path, reason in zip(rows["path"], table["reason"].to_pylist(), strict=True) if reason]
    return x, pd.DataFrame(bad, columns=["path", "reason"])
