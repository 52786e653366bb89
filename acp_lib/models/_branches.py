"""The base class of the three correspondence networks: two branches into one space, and fusion layers.

Paper: Section 3.
Chapter: ACP-Net; Baselines.
"""

import torch
from torch import nn


class TwoBranches(nn.Module):
    """A branch for pictures, one for music, and fusion layers on both embeddings side by side.

    Parameters
    ----------
    image, music : map a batch of `inputs[name]` to embeddings (B, width)
    fusion : maps two concatenated embeddings to logits (B, 2): false, true; its first layer is linear
    inputs : shape of one item of each modality, for checks

    Paper: Section 3.  Chapter: ACP-Net; Baselines.
    """

    def __init__(self, image: nn.Module, music: nn.Module, fusion: nn.Sequential,
                 inputs: dict[str, tuple[int, ...]]) -> None:
        super().__init__()
        self.image, self.music, self.fusion = image, music, fusion
        self.inputs = inputs

    def embed_image(self, image: torch.Tensor) -> torch.Tensor:
        """A batch of pictures to their embeddings (B, width)."""
        return self.image(expect("image", image, self.inputs["image"]))

    def embed_music(self, music: torch.Tensor) -> torch.Tensor:
        """A batch of music to its embeddings (B, width)."""
        return self.music(expect("music", music, self.inputs["music"]))

    def fuse(self, image: torch.Tensor, music: torch.Tensor) -> torch.Tensor:
        """Two embeddings (B, width) to logits (B, 2): false, true."""
        return self.fusion(torch.cat([image, music], 1))

    def forward(self, image: torch.Tensor, music: torch.Tensor) -> torch.Tensor:
        """Pictures and music to logits (B, 2): false, true.

        Raises
        ------
        ValueError
            For other shapes, or batches of different lengths.
        """
        if len(image) != len(music):
            raise ValueError(f"a batch of {len(image)} pictures and {len(music)} pieces of music; expected as many of "
                             "both")
        return self.fuse(self.embed_image(image), self.embed_music(music))


def parameters(net: nn.Module) -> int:
    """Number of trainable parameters of a network, or of a part of one.

    Chapter: ACP-Net; Baselines.
    """
    return sum(p.numel() for p in net.parameters())


def taken(net: TwoBranches) -> str:
    """Input sizes of a network for pictures and music, such as "2,048 and 193", or "64×64 and 48×50".

    Chapter: Baselines.
    """
    return " and ".join("×".join(map(str, shape[1:])) if len(shape) > 1 else f"{shape[0]:,}"
                        for shape in (net.inputs["image"], net.inputs["music"]))


def sizes(net: TwoBranches) -> list[dict]:
    """Layers with weights and parameters of both branches, of the fusion and in all.

    Returns
    -------
    list of {"Part", "Layers", "Parameters"}

    Chapter: ACP-Net.
    """
    parts = {"image branch": net.image, "music branch": net.music, "fusion": net.fusion, "in all": net}
    return [{"Part": name, "Layers": sum(isinstance(m, nn.Linear | nn.Conv2d) for m in part.modules()),
             "Parameters": parameters(part)} for name, part in parts.items()]


def expect(name: str, x: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    """Return `x` if it is a batch of floating-point items of this shape.

    Raises
    ------
    ValueError
        Otherwise, with the name, the actual and the expected shape.
    """
    if tuple(x.shape[1:]) != tuple(shape) or x.ndim != len(shape) + 1 or not x.is_floating_point():
        wanted = ", ".join(map(str, shape))
        raise ValueError(f"{name} is {x.dtype} {tuple(x.shape)}; expected floating point (batch, {wanted})")
    return x
