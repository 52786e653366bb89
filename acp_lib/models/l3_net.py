"""L3-Net, the paper's first baseline: two small convolutional networks on raw pictures and log-spectrograms.

Paper: Section 4, Results on affective correspondence; architecture of Arandjelovic and Zisserman (2017).
Chapter: Baselines.
"""

from collections.abc import Sequence

from torch import nn

from acp_lib.models._branches import TwoBranches

CHANNELS = (64, 128, 256, 512)
HIDDEN = 128


def trunk(inputs: int, channels: Sequence[int] = CHANNELS) -> nn.Sequential:
    """Blocks of two 3x3 convolutions, each with batch norm and ReLU; 2x2 pooling between blocks, global at the end.

    (B, inputs, height, width) to (B, channels[-1]).
    """
    # ReLU in place: the layer before it needs its own output no more, and a ninth of a step's time goes with the copy
    net = nn.Sequential()
    for i, outputs in enumerate(channels):
        if i:
            net.append(nn.MaxPool2d(2))
        for width in (inputs, outputs):
            net.extend([nn.Conv2d(width, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)])
        inputs = outputs
    return net.extend([nn.AdaptiveMaxPool2d(1), nn.Flatten()])


class L3Net(TwoBranches):
    """Look, listen and learn: 9,508,738 parameters, trained end to end.

    Takes pictures (B, 3, size, size) in [-1, 1] and log-spectrograms (B, 1, bins, frames); embeddings are (B, 512).

    Parameters
    ----------
    width : share of the channels, of the embedding and of the hidden layer that is kept
    size, bins, frames : of the inputs; the parameters do not depend on them

    Paper: Section 4.  Chapter: Baselines.
    """

    def __init__(self, *, width: float = 1.0, size: int = 224, bins: int = 257, frames: int = 199) -> None:
        channels = [round(width * c) for c in CHANNELS]
        hidden = round(width * HIDDEN)
        fusion = nn.Sequential(nn.Linear(2 * channels[-1], hidden), nn.ReLU(), nn.Linear(hidden, 2))
        super().__init__(trunk(3, channels), trunk(1, channels), fusion,
                         {"image": (3, size, size), "music": (1, bins, frames)})
