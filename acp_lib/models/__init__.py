"""The networks: nn.Modules and nothing else."""

from acp_lib.models.acp_net import ACPNet
from acp_lib.models.l3_net import L3Net

__all__ = ["ACPNet", "L3Net"]
