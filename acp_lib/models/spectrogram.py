"""Networks with a spectrogram instead of the 193 numbers as input: ACP-Net with another music branch, and a classifier.

Paper: Section 4, Tables 4 and 5; the layers of the trunk are not given there, see the ledger.
Chapter: Baselines; Probes.
"""

from collections.abc import Sequence

import torch
from torch import nn

from acp_lib.models._branches import TwoBranches, expect
from acp_lib.models.acp_net import MUSIC, ACPNet, initialised, layers, narrower
from acp_lib.models.probes import HIDDEN
from acp_lib.profiles.groups import Activation, DropoutAt, FirstLayer, Initialisation

CHANNELS = (32, 64, 128, 256)


def trunk(channels: Sequence[int] = CHANNELS) -> nn.Sequential:
    """Blocks of a 3x3 convolution, batch norm, ReLU and 2x2 pooling; then global average pooling.

    (B, 1, bins, frames) to (B, channels[-1]).
    """
    net, inputs = nn.Sequential(), 1
    for outputs in channels:
        net.extend([nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True),
                    nn.MaxPool2d(2)])
        inputs = outputs
    return net.extend([nn.AdaptiveAvgPool2d(1), nn.Flatten()])


class SpectrogramACP(TwoBranches):
    """ACP-Net with log-spectrograms (B, 1, bins, frames) as music; pictures as in ACP-Net, embeddings (B, 1024).

    Parameters
    ----------
    width : share of the trunk's channels that is kept
    bins, frames : of the spectrogram
    activation, first_layer, dropout, dropout_at, fc_width, initialisation : of ACP-Net

    Paper: Section 4.  Chapter: Baselines.
    """

    def __init__(self, *, width: float = 1.0, bins: int = 257, frames: int = 199,
                 activation: Activation = "relu", first_layer: FirstLayer = "dense", dropout: float = 0.4,
                 dropout_at: DropoutAt = "fusion", fc_width: float = 1.0,
                 initialisation: Initialisation = "pytorch") -> None:
        acp = ACPNet(activation=activation, dropout=dropout, dropout_at=dropout_at, first_layer=first_layer,
                     fc_width=fc_width)
        channels = [round(width * c) for c in CHANNELS]
        widths = (channels[-1], *narrower(MUSIC[-1:], fc_width))
        last = layers(widths, dropout=0.0 if dropout_at == "fusion" else dropout,
                      last_activation=activation == "relu", last_dropout=dropout_at == "hidden")
        super().__init__(acp.image, trunk(channels).extend(last), acp.fusion,
                         {**acp.inputs, "music": (1, bins, frames)})
        initialised(self, initialisation)


class SpectrogramCNN(nn.Module):
    """The same trunk, layers of 512 and 32, and the classes: log-spectrograms (B, 1, bins, frames) to logits.

    Paper: Table 5, music.  Chapter: Probes.
    """

    def __init__(self, classes: int, *, width: float = 1.0, bins: int = 257, frames: int = 199,
                 dropout: float = 0.4) -> None:
        super().__init__()
        channels = [round(width * c) for c in CHANNELS]
        self.shape = (1, bins, frames)
        self.layers = trunk(channels).extend(layers((channels[-1], *HIDDEN, classes), dropout=dropout,
                                                    last_activation=False, last_dropout=False))

    def forward(self, spectrogram: torch.Tensor) -> torch.Tensor:
        """Log-spectrograms (B, 1, bins, frames) to logits (B, classes)."""
        return self.layers(expect("spectrogram", spectrogram, self.shape))
