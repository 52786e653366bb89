"""The networks, each an nn.Module."""

from acp_lib.models._branches import parameters, sizes, taken
from acp_lib.models.acp_net import ACPNet
from acp_lib.models.l3_net import L3Net
from acp_lib.models.probes import MLP
from acp_lib.models.spectrogram import SpectrogramACP, SpectrogramCNN

__all__ = ["MLP", "ACPNet", "L3Net", "SpectrogramACP", "SpectrogramCNN", "parameters", "sizes", "taken"]
