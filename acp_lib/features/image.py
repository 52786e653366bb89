"""Frozen Inception-V3 features of pictures: the 2048 values of the last pooling layer.

There is never a silent fallback to other weights. `imagenet` means torchvision's; `random` is a seeded network whose
batch norm is calibrated on given pictures (of the training split); anything else is a file, safetensors or a state_dict
that is read without unpickling code.

Paper: Section 3, Image subnetwork.
Chapter: Seeing.
"""

import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from http.client import HTTPException
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.io import ImageReadMode, decode_jpeg
from torchvision.models import Inception_V3_Weights, WeightsEnum, inception_v3
from torchvision.models.inception import BasicConv2d
from torchvision.transforms.v2 import functional as F

from acp_lib import streams
from acp_lib.engine.cache import write
from acp_lib.engine.faults import Refused, at
from acp_lib.features import picture

WIDTH = 2048
SIZE = 224
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
BATCH = 8  # larger batches fall out of a core's cache


def read(path: Path | str, size: int = SIZE) -> np.ndarray:
    """A picture as uint8 [shape=(size, size, 3)], upright, RGB, resized to a square with antialiasing.

    The picture is that of `picture.open_upright`. Colour and grey JPEG files, by far the most frequent, are resized by
    torchvision, which agrees with Pillow within one grey level and is twice as fast; upright ones are also decoded by
    it, to equal pixels.

    Raises
    ------
    Exception
        As for `picture.open_upright`.

    Paper: Section 4, each image is resized to 224 x 224 x 3.  Chapter: Seeing.
    """
    with picture.opened(path) as file:
        if file.format != "JPEG" or file.mode not in ("RGB", "L"):
            return np.asarray(picture.upright(file).resize((size, size), Image.Resampling.BILINEAR))
        pixels = _decoded_jpeg(Path(path), file)
        if pixels is None:
            pixels = torch.from_numpy(np.array(picture.upright(file))).permute(2, 0, 1)
    return F.resize(pixels, [size, size], antialias=True).permute(1, 2, 0).contiguous().numpy()


def _decoded_jpeg(path: Path, file: Image.Image) -> torch.Tensor | None:
    """The pixels of an upright JPEG file, uint8 (3, height, width); None if only Pillow can decode them."""
    with suppress(RuntimeError):  # Pillow says better what is wrong with a file, and reads more of them
        if picture.turn(file) is None:
            pixels = decode_jpeg(torch.from_numpy(np.fromfile(path, np.uint8)), ImageReadMode.RGB)
            return pixels if pixels.shape[1:] == file.size[::-1] else None
    return None


def describe(root: Path, row: dict, *, size: int, **network: object) -> np.ndarray:
    """The picture of one manifest row, as the network receives it: uint8 (size, size, 3)."""
    with one_thread():
        return read(root / row["path"], size)


def describe_batch(pictures: np.ndarray, *, weights: Path, precision: str = "float32", device: str = "cpu",
                   **_: object) -> np.ndarray:
    """The frozen network's features of pictures (N, size, size, 3): float32 (N, 2048)."""
    with one_thread():
        return _frozen(weights, precision, device)(pictures)


@contextmanager
def one_thread() -> Iterator[None]:
    """A block in which torch computes on one thread, as the processes share the cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class WeightsUnavailable(ValueError):
    """The named image weights cannot be loaded; the message gives the remedy."""


class Extractor:
    """Inception-V3 without its classifier.

    `extractor(images)` takes uint8 [shape=(N, H, W, 3)] and gives float32 [shape=(N, 2048)].
    """

    def __init__(self, model: nn.Module, name: str, device: str = "cpu") -> None:
        self.name = name
        self.device = device
        self.dtype = torch.float32
        self.model = model.eval().to(device).to(memory_format=torch.channels_last)

    def __call__(self, images: np.ndarray) -> np.ndarray:
        batches = torch.from_numpy(np.ascontiguousarray(validate(images))).split(BATCH if self.device == "cpu" else 256)
        with torch.inference_mode():
            return torch.cat([self.model(self._prepare(b)).float().cpu() for b in batches]).numpy()

    def _prepare(self, images: torch.Tensor) -> torch.Tensor:
        x = F.to_dtype(images.to(self.device).permute(0, 3, 1, 2), torch.float32, scale=True)
        return F.normalize(x, MEAN, STD).to(self.dtype, memory_format=torch.channels_last)

    def calibrate(self, images: np.ndarray) -> "Extractor":
        """Set each batch norm's mean and variance to those of its input over these uint8 pictures; returns itself.

        This goes layer by layer, because the input of each layer depends on those before it. Random weights need it:
        otherwise their activations vanish.
        """
        x = self._prepare(torch.from_numpy(np.ascontiguousarray(validate(images))))
        norms = [m for m in self.model.modules() if isinstance(m, nn.BatchNorm2d)]
        for m in norms:
            m.momentum, m.training = 1.0, True  # one pass in which each layer sees what the calibrated ones before give
        with torch.inference_mode():
            self.model(x)
        for m in norms:
            m.training = False
        return self

    def fuse(self) -> "Extractor":
        """Fold each batch norm into its convolution: the same function, a sixth less work; returns itself."""
        for block in self.model.modules():
            if isinstance(block, BasicConv2d) and isinstance(block.bn, nn.BatchNorm2d):
                block.conv, block.bn = fuse_conv_bn_eval(block.conv, block.bn), nn.Identity()
        self.model.to(memory_format=torch.channels_last)
        return self

    def halve(self) -> "Extractor":
        """Compute in bfloat16, after `fuse`: twice as fast where a processor has it, but see `bfloat16_cosine`; returns
        itself.
        """
        self.dtype = torch.bfloat16
        self.model.to(self.dtype)
        return self

    def save(self, path: Path) -> None:
        """Write the network's tensors as safetensors."""
        write(path, save({k: v.contiguous() for k, v in self.model.state_dict().items()}, {"name": self.name}))


def validate(images: np.ndarray) -> np.ndarray:
    """Return the array if it is a batch of uint8 pictures.

    Raises
    ------
    ValueError
        For another type or shape; the message gives both.
    """
    if not (isinstance(images, np.ndarray) and images.dtype == np.uint8 and images.ndim == 4 and images.shape[3] == 3):
        found = f"{images.dtype} {images.shape}" if isinstance(images, np.ndarray) else type(images).__name__
        raise ValueError(f"images is {found}; expected uint8 (N, height, width, 3)")
    if min(images.shape[1:3]) < 75:
        raise ValueError(f"images are {images.shape[1]} x {images.shape[2]}; Inception-V3 needs 75 x 75 or more")
    return images


def _network() -> nn.Module:
    with torch.random.fork_rng():
        model = inception_v3(weights=None, transform_input=True, aux_logits=False, init_weights=False)
    model.fc, model.dropout = nn.Identity(), nn.Identity()
    return model


def _random(seed: int) -> nn.Module:
    model, rng = _network(), torch.Generator().manual_seed(streams.number("random Inception", seed))
    for m in model.modules():
        if isinstance(m, nn.Conv2d):
            nn.init.kaiming_normal_(m.weight, nonlinearity="relu", generator=rng)
    return model


def state(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a weights file, safetensors or a state_dict; nothing else is unpickled.

    Raises
    ------
    WeightsUnavailable
        If the file does not exist or cannot be read.
    """
    if not path.is_file():
        raise WeightsUnavailable(f"weights is {str(path)!r}, which is no file; expected imagenet, random, or the path "
                                 "of a .safetensors or .pth state_dict of torchvision's network")
    try:
        if zipfile.is_zipfile(path) and (size := _unpacked(path)) > path.stat().st_size:
            raise ValueError(f"it unpacks to {size} bytes, and torch.save packs nothing")
        found = load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
        return {str(k): v for k, v in found.items()}
    except Exception as error:  # both readers raise many kinds
        raise WeightsUnavailable(f"weights file {path.name} does not read as a state_dict of tensors alone: "
                                 f"{type(error).__name__}") from None


def _unpacked(path: Path) -> int:
    """Total size in bytes of the files in a ZIP archive, such as a .pth file, according to its directory."""
    with zipfile.ZipFile(path) as file:
        return sum(part.file_size for part in file.infolist())


def fitted(model: nn.Module, weights: dict[str, torch.Tensor], path: Path) -> nn.Module:
    """Load the tensors of a file into the model and return it.

    Raises
    ------
    WeightsUnavailable
        If the tensors do not fit this network.
    """
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        why = f"weights file {path.name} does not fit {type(model).__name__}: {error}"
        raise WeightsUnavailable(why[:600]) from None
    return model


def pretrained(build: Callable[..., nn.Module], weights: WeightsEnum, option: str) -> nn.Module:
    """A torchvision network with its ImageNet weights; `option` is the option that selects other weights.

    Raises
    ------
    WeightsUnavailable
        If the weights cannot be downloaded, with the remedy.
    Refused
        If they cannot be stored, for example on a full disk.
    """
    try:
        with at(Path(torch.hub.get_dir())):
            return build(weights=weights)
    except Refused:
        raise
    except (OSError, HTTPException, RuntimeError) as error:  # no connection, a broken one, a file of another hash
        raise WeightsUnavailable(
            f"the ImageNet weights of {build.__name__} could not be fetched ({error}); connect to the network once, "
            f"give the file of a state_dict (-p {option} FILE), or untrained ones (-p {option} random)") from None


def _from_file(path: Path) -> nn.Module:
    return fitted(_network(), {k: v for k, v in state(path).items() if not k.startswith(("fc.", "AuxLogits."))}, path)


def _imagenet() -> nn.Module:
    model = pretrained(inception_v3, Inception_V3_Weights.IMAGENET1K_V1, "weights")
    model.fc, model.dropout, model.AuxLogits = nn.Identity(), nn.Identity(), nn.Identity()
    return model


def extractor(weights: str | Path, *, seed: int = 0, device: str = "cpu") -> Extractor:
    """Inception-V3 with weights `imagenet`, `random` (by `seed`; then call `calibrate`), or from a file.

    Raises
    ------
    WeightsUnavailable
        If the weights cannot be loaded, with the remedy.

    Paper: Section 3.  Chapter: Seeing.
    """
    if weights == "random":
        return Extractor(_random(seed), f"random (seed {seed})", device)
    if weights == "imagenet":
        return Extractor(_imagenet(), "ImageNet (torchvision IMAGENET1K_V1)", device)
    return Extractor(_from_file(Path(weights)), Path(weights).stem, device)


def frozen(weights: str | Path, precision: str = "float32", device: str = "cpu") -> Extractor:
    """The extractor that is used for a corpus: fused, in `float32` or `bfloat16`."""
    made = extractor(weights, device=device).fuse()
    return made.halve() if precision == "bfloat16" else made


@cache
def _frozen(weights: Path, precision: str, device: str) -> Extractor:
    return frozen(weights, precision, device)


def bfloat16_cosine(weights: str | Path, images: np.ndarray, device: str = "cpu") -> np.ndarray:
    """Cosine between each picture's features in bfloat16 and in float32 [shape=(N,)].

    Chapter: Seeing.
    """
    exact, rough = (frozen(weights, precision, device)(images).astype(float) for precision in ("float32", "bfloat16"))
    return (exact * rough).sum(1) / np.linalg.norm(exact, axis=1) / np.linalg.norm(rough, axis=1)
