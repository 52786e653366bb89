"""Where networks compute.

Chapter: How to read and rerun.
"""

import ctypes
import os
import sys
from contextlib import suppress
from pathlib import Path

DRIVERS = "libcuda.so.1", "nvcuda.dll"  # what PyTorch itself loads to find NVIDIA's GPUs
AMD = Path("/dev/kfd")


def device(name: str) -> str:
    """The device for a profile's option: `auto` uses a GPU if there is one; under torchrun each process has its own.

    Raises
    ------
    ValueError
        If `cuda` is required and there is no GPU.
    """
    there = name != "cpu" and _gpu()
    if name == "cuda" and not there:
        raise ValueError("device is 'cuda', but no GPU was found; expected auto or cpu")
    if not there:
        return "cpu"
    from torch import distributed

    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # repeatable matrix products
    return f"cuda:{os.environ['LOCAL_RANK']}" if distributed.is_initialized() else "cuda"


def _gpu() -> bool:
    """Whether PyTorch finds a GPU; where there is no driver, it is not loaded to be asked, which takes seconds."""
    if "torch" not in sys.modules and not _driver():
        return False
    import torch

    return torch.cuda.is_available()


def _driver() -> bool:
    for name in DRIVERS:
        with suppress(OSError):
            ctypes.CDLL(name)
            return True
    return AMD.exists()
