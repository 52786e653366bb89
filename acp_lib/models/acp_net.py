"""ACP-Net: two branches of fully connected layers into one space, and fusion layers that tell true from false pairs.

Paper: Section 3 and Fig. 2.
Chapter: ACP-Net.
"""

from collections.abc import Sequence
from functools import partial
from typing import cast

import torch
from torch import nn

from acp_lib.features.layout import VECTORS
from acp_lib.models._branches import TwoBranches
from acp_lib.profiles.groups import Activation, DropoutAt, FirstLayer, Initialisation, Network

IMAGE = (VECTORS["image"], 2048, 1024)
MUSIC = (VECTORS["music"], VECTORS["music"], 512, 2048, 1024)  # 193, 193, ... in the paper
FUSION = (2048, 2048, 512, 32, 2)
NARROWEST = 32  # a layer of few nodes, nearly half of them dropped, lets nothing through to learn from


def layers(widths: Sequence[int], *, dropout: float, first: str = "dense", last_activation: bool = True,
           last_dropout: bool = True) -> nn.Sequential:
    """Fully connected layers between the widths, each with ReLU and dropout; both can be left out of the last one."""
    steps = list(zip(widths, widths[1:], strict=False))[first == "input":]
    net = nn.Sequential()
    for i, (inputs, outputs) in enumerate(steps, 1):
        end = i == len(steps)
        net.append(nn.Linear(inputs, outputs))
        if not end or last_activation:
            net.append(nn.ReLU())
        if dropout and (not end or last_dropout):
            net.append(nn.Dropout(dropout))
    return net


def initialised(net: nn.Module, how: Initialisation) -> nn.Module:
    """Return the network with unchanged weights, or with redrawn ones: uniform within Glorot's bounds, and biases 0.

    Source: Glorot and Bengio (2010), Understanding the difficulty of training deep feedforward neural networks.
    """
    for layer in net.modules() if how == "glorot" else ():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(cast(torch.Tensor, layer.bias))
    return net


def narrower(widths: tuple[int, ...], share: float) -> tuple[int, ...]:
    """A share of each width, but none below NARROWEST."""
    return tuple(max(round(share * width), min(width, NARROWEST)) for width in widths)


class ACPNet(TwoBranches):
    """Affective correspondence prediction network, 14,842,020 parameters.

    Takes Inception-V3 features (B, 2048) and 193-d music vectors (B, 193); embeddings are (B, 1024).

    Parameters
    ----------
    activation : "relu", or "linear_embeddings" for embeddings without ReLU
    first_layer : "dense", or "input" if the first box of each branch and of the fusion represents its input
        (6,411,874 parameters)
    fc_width : share of the hidden layers' widths that is kept
    dropout : probability of dropping a node
    dropout_at : "fusion" (only there), "hidden" or "not_embeddings"
    initialisation : "pytorch", or "glorot" for the weights that Keras draws

    Raises
    ------
    ValueError
        For a value that is not among an option's choices.

    Paper: Section 3, Fig. 2.  Chapter: ACP-Net.
    """

    def __init__(self, *, activation: Activation = "relu", first_layer: FirstLayer = "dense", dropout: float = 0.4,
                 dropout_at: DropoutAt = "fusion", fc_width: float = 1.0,
                 initialisation: Initialisation = "pytorch") -> None:
        Network(activation, first_layer, dropout, dropout_at, fc_width, initialisation)  # raises where one is no choice
        kept = 2 if first_layer == "input" else 1  # widths that are the input's
        image, music = ((*widths[:kept], *narrower(widths[kept:], fc_width)) for widths in (IMAGE, MUSIC))
        fusion = (*[2 * image[-1]] * kept, *narrower(FUSION[kept:-1], fc_width), FUSION[-1])
        branch = partial(layers, dropout=0.0 if dropout_at == "fusion" else dropout, first=first_layer,
                         last_activation=activation == "relu", last_dropout=dropout_at == "hidden")
        super().__init__(branch(image), branch(music),
                         layers(fusion, dropout=dropout, first=first_layer, last_activation=False, last_dropout=False),
                         {"image": IMAGE[:1], "music": MUSIC[:1]})
        initialised(self, initialisation)
