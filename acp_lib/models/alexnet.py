"""torchvision's AlexNet with a new last layer, which the paper's table compares with ACP-Net's features.

It has its own module because torchvision is slow to import, and few chapters need it.

Paper: Section 4, Results on emotion recognition; Table 5.
Chapter: Probes.
"""

from pathlib import Path
from typing import cast

import torch
from torch import nn
from torchvision.models import AlexNet_Weights, alexnet

from acp_lib.features.image import MEAN, STD, fitted, pretrained, state
from acp_lib.models.probes import ALEXNET_SIDE


class AlexNet(nn.Module):
    """torchvision's AlexNet with a new last layer.

    Parameters
    ----------
    classes : outputs of the new last layer; 0 omits it, so that the output is the activations before it
    weights : imagenet, random, or the path of a state_dict of torchvision's alexnet
    width : share of the channels and nodes that is kept, for random weights only

    Raises
    ------
    WeightsUnavailable
        If the weights cannot be loaded or do not fit.
    ValueError
        For a narrower network with weights of the full one.

    Source: Krizhevsky (2014), One weird trick, for the network; the paper's table cites Rao, Xu and Xu (2016) for its
    accuracy.  Paper: Table 5, [27].  Chapter: Probes.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, classes: int, *, weights: str = "imagenet", width: float = 1.0) -> None:
        super().__init__()
        if width != 1 and weights != "random":
            raise ValueError(f"width is {width} and alexnet_weights {weights!r}; a narrower AlexNet has no weights but "
                             "random ones")
        if weights == "random":
            net = _narrowed(alexnet(), width)
        elif weights == "imagenet":
            net = pretrained(alexnet, AlexNet_Weights.IMAGENET1K_V1, "alexnet_weights")
        else:
            net = fitted(alexnet(), state(Path(weights)), Path(weights))
        classifier = cast(nn.Sequential, net.classifier)
        last = cast(nn.Linear, classifier[-1])
        classifier[-1] = nn.Linear(last.in_features, classes) if classes else nn.Identity()
        self.net = net
        self.register_buffer("mean", torch.tensor(MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(3, 1, 1), persistent=False)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Pictures (B, 3, side, side) in [-1, 1] to logits (B, classes), or to the activations before them; pictures
        smaller than ALEXNET_SIDE are enlarged to it.
        """
        if image.shape[-1] < ALEXNET_SIDE:
            image = nn.functional.interpolate(image, [ALEXNET_SIDE] * 2, mode="bilinear")
        return self.net(((image + 1) / 2 - self.mean) / self.std)


def _narrowed(net: nn.Module, width: float) -> nn.Module:
    """AlexNet with this share of its channels and nodes; the input keeps all of its channels."""
    for part in (cast(nn.Sequential, net.features), cast(nn.Sequential, net.classifier)):
        for i, layer in enumerate(part):
            if isinstance(layer, nn.Conv2d):
                inputs = layer.in_channels if layer.in_channels == 3 else round(width * layer.in_channels)
                kernel, stride, padding = (cast(tuple[int, int], size)
                                           for size in (layer.kernel_size, layer.stride, layer.padding))
                part[i] = nn.Conv2d(inputs, round(width * layer.out_channels), kernel, stride, padding)
            elif isinstance(layer, nn.Linear):
                part[i] = nn.Linear(round(width * layer.in_features), round(width * layer.out_features))
    return net
