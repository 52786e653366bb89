"""musicnn's penultimate layer: 200 numbers of a piece of music, the mean over five stretches of 3 s from all of it.

The published network runs in TensorFlow 1; here it is written anew in PyTorch, with the weights of its package. It is
MSD_musicnn, and not MTT_musicnn, because MagnaTagATune's recordings are Magnatune's, as Emotify's are. The log-mel
spectrum is computed in float32; the package halves its precision first, and loud music would exceed what float16 holds.

Source: Pons and Serra (2019), musicnn: pre-trained convolutional neural networks for music audio tagging, ISMIR
late-breaking; the package's models.py and extractor.py.  Chapter: Then and now.
"""

import zipfile
from pathlib import Path

import numpy as np
import torch
from torch import nn

from acp_lib.features import audio
from acp_lib.features.encoders.checkpoint import read
from acp_lib.features.encoders.files import Encode, given, spread
from acp_lib.features.fast.compiled import librosa
from acp_lib.features.image import one_thread

SR = 16000
FRAME, HOP, BANDS = 512, 256, 96
FRAMES = 187  # of 3 s
STRETCHES = 5
TAGS = 50
FILE = "musicnn-0.1.0-py3-none-any.whl"
MODEL = "musicnn/MSD_musicnn"
WIDE, NARROW, MIDDLE, UNITS = 204, 51, 64, 200


def weights(folder: Path) -> Path:
    """The package's wheel in the folder; raises ValueError without it. It is read, and nothing in it is run."""
    return given(folder, FILE, f"the package's wheel: pip download --no-deps musicnn==0.1.0 -d {folder}")


def encoder(folder: Path) -> Encode:
    """From a manifest row to its vector: float32 (200,).

    Raises ValueError without the file, or if its weights do not fit.
    """
    net = Musicnn.read(weights(folder))

    def encode(root: Path, row: dict) -> np.ndarray:
        y = audio.load(root / row["path"], start=row["start"], duration=row["duration"], sr=SR)
        with torch.inference_mode(), one_thread():
            return net.penultimate(torch.from_numpy(patches(log_mel(y)))).mean(0).numpy()

    return encode


def log_mel(y: np.ndarray) -> np.ndarray:
    """Samples (n,) at 16,000 Hz to log10(1 + 10000 power) in mel bands: float32 (frames, 96)."""
    power = librosa.feature.melspectrogram(y=y, sr=SR, n_fft=FRAME, hop_length=HOP, n_mels=BANDS,
                                           pad_mode="reflect")  # librosa's default in 2019
    return np.log10(10000 * power.T + 1).astype(np.float32)


def patches(spectrum: np.ndarray) -> np.ndarray:
    """A spectrum (frames, 96) cut into stretches of 3 s, of which STRETCHES are heard (k, 187, 96); what is shorter
    than one is followed by silence.
    """
    spectrum = np.pad(spectrum, ((0, max(FRAMES - len(spectrum), 0)), (0, 0)))
    return spread(spectrum[:len(spectrum) // FRAMES * FRAMES].reshape(-1, FRAMES, BANDS), STRETCHES)


class _Filters(nn.Module):
    """A convolution, ReLU and batch norm, then the maximum over what is left of the bands: (B, 1, frames, bands) to
    (B, filters, frames). Time is padded with zeros, so that it stays as long.
    """

    def __init__(self, filters: int, frames: int, bands: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, filters, (frames, bands))
        self.norm = nn.BatchNorm2d(filters, eps=1e-3)
        self.pad = nn.ZeroPad2d((0, 0, (frames - 1) // 2, frames // 2))  # TensorFlow's "same"

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(torch.relu(self.conv(self.pad(x)))).amax(3)


class Musicnn(nn.Module):
    """The network; `forward` takes log-mel spectra (B, frames, 96) and gives the probability of each tag (B, 50)."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(1, eps=1e-3)
        self.front = nn.ModuleList([_Filters(WIDE, 7, 38), _Filters(WIDE, 7, 67),
                                    *(_Filters(NARROW, frames, 1) for frames in (128, 64, 32))])
        width = 2 * WIDE + 3 * NARROW
        self.middle = nn.ModuleList([_Filters(MIDDLE, 7, width), *(_Filters(MIDDLE, 7, MIDDLE) for _ in range(2))])
        pooled = 2 * (width + 3 * MIDDLE)
        self.pooled_norm = nn.BatchNorm1d(pooled, eps=1e-3)
        self.dense = nn.Linear(pooled, UNITS)
        self.dense_norm = nn.BatchNorm1d(UNITS, eps=1e-3)
        self.tags = nn.Linear(UNITS, TAGS)

    def penultimate(self, x: torch.Tensor) -> torch.Tensor:
        """What stands before the tags (B, 200), of spectra (B, frames, 96)."""
        x = self.norm(x[:, None])
        found = [torch.cat([filters(x) for filters in self.front], 1)]  # each (B, width, frames)
        for k, filters in enumerate(self.middle):
            made = filters(found[-1].transpose(1, 2)[:, None])
            found.append(made + found[-1] if k else made)
        every = torch.cat(found, 1)
        pooled = torch.stack([every.amax(2), every.mean(2)], 2).flatten(1)
        return self.dense_norm(torch.relu(self.dense(self.pooled_norm(pooled))))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.tags(self.penultimate(x)))

    @classmethod
    def read(cls, wheel: Path) -> "Musicnn":
        """With the weights that the package's wheel holds.

        Raises
        ------
        ValueError
            For a file that is no wheel of musicnn, or holds other tensors than the network has.
        """
        try:
            with zipfile.ZipFile(wheel) as held:
                index, data = (held.read(f"{MODEL}/.{end}") for end in ("index", "data-00000-of-00001"))
        except (zipfile.BadZipFile, KeyError) as error:
            raise ValueError(f"{wheel} is no wheel of musicnn ({error}); expected {FILE} as PyPI has it") from None
        return cls().with_weights(read(index, data), wheel)

    def with_weights(self, tensors: dict[str, np.ndarray], path: Path) -> "Musicnn":
        """The network itself with tensors of TensorFlow, by their names there; ready to be asked.

        Raises
        ------
        ValueError
            If one is missing or has another shape.
        """
        blocks = [*self.front, *self.middle]
        layers = {f"conv2d{_end(k)}": block.conv for k, block in enumerate(blocks)}
        layers |= {"dense": self.dense, "dense_1": self.tags}
        norms = [self.norm, *(block.norm for block in blocks), self.pooled_norm, self.dense_norm]
        layers |= {f"batch_normalization{_end(k)}": norm for k, norm in enumerate(norms)}
        for name, layer in layers.items():
            for theirs, ours in _NORM.items() if name.startswith("batch") else _LAYER.items():
                own, found = getattr(layer, ours), tensors.get(f"{name}/{theirs}")
                turned = None if found is None else np.transpose(found, _TURNED.get(found.ndim, (0,)))
                if turned is None or turned.shape != own.shape:
                    raise ValueError(f"{path} has {name}/{theirs} of shape {None if found is None else found.shape}; "
                                     f"expected {tuple(own.shape)} once turned, as musicnn 0.1.0 has it")
                own.data.copy_(torch.from_numpy(turned.copy()))
        return self.eval()


_NORM = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}
_LAYER = {"kernel": "weight", "bias": "bias"}
_TURNED = {4: (3, 2, 0, 1), 2: (1, 0)}  # kernels: TensorFlow has height, width, in, out; and in, out


def _end(k: int) -> str:
    return f"_{k}" if k else ""
