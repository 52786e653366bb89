"""Checks of what goes into a network, apart from the computation."""

import torch


def expect(name: str, x: torch.Tensor, *shape: int) -> torch.Tensor:
    """`x` itself if it is a batch of floating-point items of this shape.

    Raises
    ------
    ValueError
        With the name, the shape found and the shape expected.
    """
    if tuple(x.shape[1:]) != shape or x.ndim != len(shape) + 1 or not x.is_floating_point():
        wanted = ", ".join(map(str, shape))
        raise ValueError(f"{name} is {x.dtype} {tuple(x.shape)}; expected floating point (batch, {wanted})")
    return x


def expect_pairs(image: torch.Tensor, music: torch.Tensor) -> None:
    """Raise ValueError unless both batches are of one length."""
    if len(image) != len(music):
        raise ValueError(f"a batch of {len(image)} pictures and {len(music)} pieces of music; expected as many of both")
