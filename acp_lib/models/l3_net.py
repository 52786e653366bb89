"""L3-Net, the paper's first baseline: two small convolutional networks on raw pictures and log-spectrograms.

Paper: Section 4, Results on affective correspondence; architecture of Arandjelovic and Zisserman (2017).
"""

import torch
from torch import nn

from acp_lib.models._shapes import expect, expect_pairs

CHANNELS = (64, 128, 256, 512)
IMAGE = (3, 224, 224)
SPECTROGRAM = (1, 257, 199)


def trunk(inputs: int, channels=CHANNELS) -> nn.Sequential:
    """Blocks of two 3x3 convolutions, each with batch norm and ReLU; 2x2 pooling between blocks, global at the end.

    (B, inputs, height, width) to (B, channels[-1]).
    """
    net = nn.Sequential()
    for i, outputs in enumerate(channels):
        if i:
            net.append(nn.MaxPool2d(2))
        for width in (inputs, outputs):
            net.extend([nn.Conv2d(width, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()])
        inputs = outputs
    return net.extend([nn.AdaptiveMaxPool2d(1), nn.Flatten()])


class L3Net(nn.Module):
    """Look, listen and learn: 9,508,738 parameters, trained end to end.

    Paper: Section 4.
    """

    def __init__(self):
        super().__init__()
        self.image, self.audio = trunk(IMAGE[0]), trunk(SPECTROGRAM[0])
        self.fusion = nn.Sequential(nn.Linear(2 * CHANNELS[-1], 128), nn.ReLU(), nn.Linear(128, 2))

    def forward(self, image: torch.Tensor, spectrogram: torch.Tensor) -> torch.Tensor:
        """Pictures (B, 3, 224, 224) in [-1, 1] and log-spectrograms (B, 1, 257, 199) to logits (B, 2): false, true.

        Raises
        ------
        ValueError
            For other shapes, or batches of two lengths.
        """
        expect_pairs(image, spectrogram)
        seen = self.image(expect("image", image, *IMAGE))
        heard = self.audio(expect("spectrogram", spectrogram, *SPECTROGRAM))
        return self.fusion(torch.cat([seen, heard], 1))
