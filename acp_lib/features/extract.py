"""Features of every sample of a manifest: in shards, on all cores, resumable.

A shard is a fixed stretch of the manifest, written under a temporary name and renamed, so a killed run loses the shards
it was at and no more, and the result does not depend on how many processes made it.

Chapter: Hearing; Seeing.
"""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from joblib import Parallel, delayed, parallel_config
from tqdm import tqdm

from acp_lib.cache import write
from acp_lib.features import audio, music

SHARD = {"music": 4, "image": 32}  # samples; a few seconds of work each
SCHEMA = pa.schema([("id", pa.string()), ("x", pa.list_(pa.float32())), ("reason", pa.string())])


@cache
def _extractor(weights: Path):
    import torch  # not needed for music, and slow to import

    from acp_lib.features import image

    torch.set_num_threads(1)
    return image.extractor(weights).fuse()


def music_vector(root: Path, row: dict) -> np.ndarray:
    """The 193-d vector of one manifest row."""
    y = audio.load(root / row["path"], start=row["start"], duration=row["duration"])
    return music.extract(y, audio.SR)


def _vectors(modality: str, root: Path, rows: list[dict], options: dict):
    """Yield (vector or None, reason) for each row."""
    if modality == "music":
        for row in rows:
            try:
                yield music_vector(root, row), ""
            except Exception as error:  # a file that breaks its decoder is a reject, the rest goes on
                yield None, f"cannot be decoded: {error}".replace(f"{root}/", "")
        return
    from acp_lib.features import image

    pictures = [image.read(root / row["path"], options["size"]) for row in rows]
    yield from ((x, "") for x in _extractor(options["weights"])(np.stack(pictures)))


def shard_task(modality: str, root: Path, rows: list[dict], target: Path, options: dict) -> int:
    """Make one shard and return how many samples it holds. Idempotent: may run twice, anywhere, at once."""
    vectors, reasons = zip(*_vectors(modality, root, rows, options), strict=True)
    table = pa.table([[row["id"] for row in rows], list(vectors), list(reasons)], schema=SCHEMA)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    write(target, sink.getvalue().to_pybytes())
    return len(rows)


def extract(modality: str, root: Path, rows: pd.DataFrame, folder: Path, *, jobs: int = 1, progress: bool = True,
            **options) -> tuple[np.ndarray, pd.DataFrame]:
    """(features, rejects) of manifest rows of one modality, shards kept in `folder`.

    Parameters
    ----------
    modality : "music" or "image"
    rows : manifest rows; features come in their order
    options : for pictures, `weights` (path) and `size`

    Returns
    -------
    float32 [shape=(len(rows), 193 or 2048)], NaN for a sample that could not be decoded; and a table path, reason.

    Paper: Section 4.  Chapter: Hearing; Seeing.
    """
    records, size = rows.to_dict("records"), SHARD[modality]
    shards = [(folder / f"{i // size:06d}.parquet", records[i:i + size]) for i in range(0, len(records), size)]
    todo = [(target, part) for target, part in shards if not target.exists()]
    if todo:
        with (parallel_config("loky", n_jobs=jobs, inner_max_num_threads=1),
              tqdm(total=len(records), desc=f"{modality} features", unit="sample", disable=not progress,
                   initial=len(records) - sum(len(part) for _, part in todo)) as bar):
            tasks = (delayed(shard_task)(modality, root, part, target, options) for target, part in todo)
            for count in Parallel(return_as="generator_unordered")(tasks):
                bar.update(count)
    table = pa.concat_tables([pq.read_table(target) for target, _ in shards])
    return _gather(rows, table)


def _gather(rows: pd.DataFrame, table: pa.Table) -> tuple[np.ndarray, pd.DataFrame]:
    found = table["x"].to_pylist()
    width = next((len(x) for x in found if x is not None), 0)
    x = np.array([np.full(width, np.nan) if v is None else v for v in found], "float32")
    bad = [(path, reason) for path, reason in zip(rows["path"], table["reason"].to_pylist(), strict=True) if reason]
    return x, pd.DataFrame(bad, columns=["path", "reason"])
