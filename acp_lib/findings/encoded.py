"""ACP-Net on what other encoders make of pictures and music: the network of the paper with inputs of other widths.

Chapter: Then and now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from torch import nn

from acp_lib.engine import devices
from acp_lib.engine.cache import code_key, digest
from acp_lib.experiment import corpus, methods
from acp_lib.experiment.corpus import Modality
from acp_lib.experiment.methods import Inputs
from acp_lib.experiment.runs import Run
from acp_lib.experiment.tasks import Task
from acp_lib.models import ACPNet
from acp_lib.models.acp_net import initialised
from acp_lib.profiles.groups import Network

if TYPE_CHECKING:
    from acp_lib.study import Study


def network(image: int, music: int, options: Network) -> ACPNet:
    """ACP-Net for vectors of other widths: the first layer of either branch takes as many numbers, and all else is as
    it was.

    Chapter: Then and now.
    """
    net = ACPNet(**asdict(options))
    for branch, width in ((net.image, image), (net.music, music)):
        layers = cast(nn.Sequential, branch)
        layers[0] = initialised(nn.Linear(width, cast(nn.Linear, layers[0]).out_features), options.initialisation)
    net.inputs = {"image": (image,), "music": (music,)}
    return net


@dataclass(frozen=True)
class EncodedRun(Run):
    """A run of `network`, as wide as its vectors are; all else is as in any run of ACP-Net."""

    def built(self, task: Task | None = None) -> nn.Module:
        image, music = (Modality.read(path).x.shape[1] for path in (self.inputs.image, self.inputs.music))
        return network(image, music, self.options.network)


def side(study: Study, modality: str, x: np.ndarray) -> Path:
    """The samples of a modality by other vectors (N, width), in the order of the manifest, scaled by the training part:
    as one file, which `Modality.read` reads.
    """
    about = [sha256(np.ascontiguousarray(x).data).hexdigest(), modality, study.part.tolist(), study.corpus_key,
             study.profile.features.scaling, code_key("acp_lib.experiment.corpus")]

    def make(folder: Path) -> None:
        built = corpus.modality(study.manifest, study.part, x, study.profile.features.scaling, modality)
        built.save(folder / "modality.safetensors")

    return study.work.once(f"encoded-{modality}", digest(*about), make) / "modality.safetensors"


def planned(study: Study, sides: Sequence[Path], runs: int) -> list[Run]:
    """Runs of the audited ACP-Net, trained or not, on a file of pictures and one of music that `side` made."""
    profile = study.audited.profile
    image, music = sides
    options = methods.method("pairs", "ACP-Net").options(profile)
    device = devices.device(profile.execution.device)
    about = [[path.parent.name for path in sides], options.named, device.split(":")[0],
             code_key("acp_lib.experiment.runs"), code_key("acp_lib.findings.encoded")]
    return [EncodedRun("pairs", "ACP-Net", seed, study.work.folder("acp_net_encoded", digest(about, seed)),
                       Inputs(image, music), options, device, profile.processes)
            for seed in profile.run_seeds[:runs]]
