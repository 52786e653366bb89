"""The classifier of one modality, the paper's MLP on features; and the smallest picture that AlexNet takes.

Paper: Section 4, Results on emotion recognition; Table 5.
Chapter: Probes.
"""

import torch
from torch import nn

from acp_lib.models.acp_net import layers

HIDDEN = (512, 32)  # Paper: Section 4, for music; the ledger takes it for pictures too
ALEXNET_SIDE = 63
"""Side in pixels of the smallest picture that survives AlexNet's three poolings."""


class MLP(nn.Module):
    """Two hidden layers of 512 and 32 nodes: features (B, inputs) to logits (B, classes).

    Paper: Section 4.  Chapter: Probes.
    """

    def __init__(self, inputs: int, classes: int, *, dropout: float = 0.4) -> None:
        super().__init__()
        self.layers = layers((inputs, *HIDDEN, classes), dropout=dropout, last_activation=False, last_dropout=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features (B, inputs) to logits (B, classes)."""
        return self.layers(x)
