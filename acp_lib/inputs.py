"""What the numbers of a study come from, but the code: settings, data, weights, the device and versions.

PyTorch is not imported for it: a book of which nothing changed is told from any other in a moment.

Chapter: How to read and rerun.
"""

import platform
from importlib.metadata import version
from pathlib import Path

from acp_lib.database.samples import Samples
from acp_lib.engine.cache import digest, file_digest
from acp_lib.engine.devices import device
from acp_lib.engine.work import Work
from acp_lib.profiles import PLACES, Profile, shown

PACKAGES = ("torch", "torchvision", "librosa", "soundfile", "soxr", "numba", "numpy", "scipy", "pillow", "scikit-learn",
            "pandas")


def input_key(profile: Profile) -> str:
    """Stands for all that a chapter's numbers come from but code: settings, data, weights, versions. Cheap to compute.
    """
    settings = {k: v for k, v in shown(profile.flat).items() if k not in PLACES}
    samples = Samples(profile.database, profile.seed, Work(profile.work_path / "cache", profile.processes))
    weights = [file_digest(path) if (path := Path(name)).is_file() else name
               for name in (profile.features.weights, profile.convolution.alexnet_weights)]
    return digest(settings, samples.source_key, weights, device(profile.execution.device), versions())


def versions() -> dict[str, str]:
    """Python's version and those of the packages that numbers depend on."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
