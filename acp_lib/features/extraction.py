"""The feature vectors of a study's samples, and the weights of the image network.

Chapter: Hearing; Seeing.
"""

import json
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from acp_lib import streams
from acp_lib.engine.cache import code_key, digest, file_digest, write
from acp_lib.engine.work import Work
from acp_lib.features import shards
from acp_lib.features.layout import KINDS, VECTORS
from acp_lib.profiles.groups import Features

CALIBRATION = 128  # training pictures that set the batch norm of random weights
COMPARED = 64  # training pictures on which bfloat16 features are held against float32 ones
COSINE = 0.999  # of the lowest of them


def training_pictures_needed(options: Features) -> bool:
    """Whether the picture features depend on the choice of training pictures."""
    return options.weights == "random" or options.image_precision == "bfloat16"


def weights_name(options: Features) -> str:
    """The image weights in words, for readers."""
    names = {"random": "seeded random weights, batch norm calibrated on training pictures",
             "imagenet": "torchvision's ImageNet weights"}
    return names.get(options.weights, f"weights file {Path(options.weights).name}")


class Extraction:
    """Feature vectors of listed samples.

    listed : manifest rows of both modalities
    training : the listed training pictures, if `training_pictures_needed`
    seed : of random weights, and of the choice of pictures that calibrate their batch norm
    device : cpu or cuda
    """

    def __init__(self, listed: pd.DataFrame, root: Path, options: Features, training: pd.DataFrame | None, seed: int,
                 device: str, work: Work) -> None:
        self.listed, self.root, self.options, self.training = listed, root, options, training
        self.seed, self.device, self.work = seed, device, work

    @cached_property
    def weights(self) -> Path:
        """The image network's weights as one safetensors file.

        Raises
        ------
        WeightsUnavailable
            If they cannot be loaded.
        """
        o = self.options
        if o.weights not in ("random", "imagenet"):
            from acp_lib.features import image  # torchvision is slow to import, and most chapters find the weights made

            path = Path(o.weights)
            image.extractor(path)  # raises where it does not fit
            return path
        about: list = [o.weights, code_key("acp_lib.features.image")]
        if o.weights == "random":
            shown = self._training_pictures(CALIBRATION)
            about += [self.seed, o.image_size, shown["sha"].tolist()]

        def make(folder: Path) -> None:
            from acp_lib.features import image

            network = image.extractor(o.weights, seed=self.seed)
            if o.weights == "random":
                network.calibrate(self._read(shown))
            network.save(folder / "inception_v3.safetensors")

        return self.work.once("weights", digest(*about), make) / "inception_v3.safetensors"

    def key(self, modality: str) -> str:
        """Key of the feature vectors of a modality."""
        rows = self.listed[self.listed["modality"] == modality]
        about = [rows[["id", "start", "duration", "sha"]].values.tolist(),
                 code_key("acp_lib.features.shards", KINDS[modality].module)]
        about += [file_digest(v) if isinstance(v, Path) else v for v in self._options(modality).values()]
        return digest(*about)

    def vectors(self, modality: str) -> tuple[np.ndarray, pd.DataFrame]:
        """Features of "image" or "music" in the order of `listed`, NaN for undecodable samples; and the rejects."""
        rows = self.listed[self.listed["modality"] == modality]
        return shards.vectors(modality, self.root, rows, self.work, self.work.folder(modality, self.key(modality)),
                              **self._options(modality))

    @cached_property
    def both(self) -> dict[str, tuple[np.ndarray, pd.DataFrame]]:
        """`vectors` of both modalities."""
        return {modality: self.vectors(modality) for modality in sorted(VECTORS)}

    @cached_property
    def usable(self) -> pd.Series:
        """Whether each listed sample could be decoded whole."""
        usable = pd.Series(True, index=self.listed.index)
        for modality, (x, _) in self.both.items():
            usable[self.listed["modality"] == modality] = ~np.isnan(x).any(1)
        return usable

    def _options(self, modality: str) -> dict:
        o = self.options
        if modality == "music":
            return {"frame": o.analysis_frame}
        if o.image_precision == "bfloat16" and (lowest := self._lowest_cosine) < COSINE:
            raise ValueError(f"image_precision is bfloat16, but with {weights_name(o)} it turns a picture's features "
                             f"to a cosine of {lowest:.5f} to those in float32; expected {COSINE} or more: set "
                             "image_precision to float32")
        return {"weights": self.weights, "size": o.image_size, "precision": o.image_precision, "device": self.device}

    @cached_property
    def _lowest_cosine(self) -> float:
        """The lowest cosine between features in bfloat16 and in float32 of some training pictures."""
        from acp_lib.features import image

        shown = self._training_pictures(COMPARED)
        key = digest(file_digest(self.weights), self.options.image_size, shown["sha"].tolist(), self.device,
                     code_key("acp_lib.features.image"))

        def make(folder: Path) -> None:
            cosine = image.bfloat16_cosine(self.weights, self._read(shown), self.device)
            write(folder / "cosine.json", json.dumps({"lowest": float(cosine.min())}))

        return json.loads((self.work.once("cosine", key, make) / "cosine.json").read_text())["lowest"]

    def _training_pictures(self, most: int) -> pd.DataFrame:
        assert self.training is not None
        return self.training.sample(min(len(self.training), most),
                                    random_state=streams.generator("pictures that stand for all", self.seed))

    def _read(self, rows: pd.DataFrame) -> np.ndarray:
        from acp_lib.features import image

        return np.stack([image.read(self.root / path, self.options.image_size) for path in rows["path"]])
