"""The trained methods of Tables 4 and 5: for each its network, its inputs and its task.

Paper: Section 4, Tables 4 and 5.
Chapter: ACP-Net; Baselines; Probes; Is it really cross-modal?
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TypeVar, cast

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn

from acp_lib import streams
from acp_lib.emotions import CLASSES, EMOTIONS
from acp_lib.engine.faults import readable
from acp_lib.experiment import evaluation
from acp_lib.experiment.corpus import Corpus, Modality, Pictures, Slices
from acp_lib.experiment.tasks import Correspondence, Recognition, Task
from acp_lib.features.shards import Shards
from acp_lib.models import MLP, ACPNet, L3Net, SpectrogramACP, SpectrogramCNN
from acp_lib.profiles import Profile, shown

Net = TypeVar("Net", bound=nn.Module)


class Options(SimpleNamespace):
    """The option groups of a profile that a method receives, each under its name, and the profile's `seed`. A method
    cannot read any other option, so these identify its result.
    """

    seed: int

    @property
    def named(self) -> dict:
        """All values, as they enter a key."""
        return {name: value if name == "seed" else shown(asdict(value)) for name, value in vars(self).items()}


@dataclass(frozen=True)
class Inputs:
    """Paths of a study's data, for the process that trains on it."""

    image: Path
    music: Path
    pixels: Path | None = None
    slices: Path | None = None
    acp_net: Path | None = None  # a trained ACP-Net, for what is read from its embeddings

    @property
    def corpus(self) -> Corpus:
        """Both modalities, as feature vectors."""
        return Corpus(Modality.read(self.image), Modality.read(self.music))

    @property
    def pictures(self) -> Pictures:
        """Pixels instead of picture features."""
        known = Modality.read(self.image)
        return Pictures(_shards(self.pixels), known.label, known.part, known.emotion)

    def spectrograms(self, frames: int, crops: int) -> Slices:
        """Log-spectrograms instead of music features."""
        known = Modality.read(self.music)
        return Slices(_shards(self.slices), known.label, known.part, frames=frames, crops=crops)


def _shards(folder: Path | None) -> Shards:
    assert folder is not None, "the method does not say that it needs them"
    return Shards(folder)


@dataclass(frozen=True)
class Method:
    """One method, trained once for each seed.

    task : makes the task from the data, the options and the run's seed
    build : makes the network from the options and, for a probe, the task
    groups : option groups of a profile that it depends on, besides those of its task and of training
    needs : inputs besides the features: any of "pixels", "slices" and "acp_net"
    sees : the modalities whose features are inputs
    """

    task: Callable[[Inputs, Options, int], Task]
    build: Callable[..., nn.Module]
    groups: tuple[str, ...]
    needs: tuple[str, ...] = ()
    sees: tuple[str, ...] = ("image", "music")
    pairs: bool = True  # whether it judges pairs; a probe names emotions

    def options(self, profile: Profile) -> Options:
        """The options of a profile that the method depends on."""
        groups = ("training", "pairing" if self.pairs else "probing", *self.groups)
        return Options(seed=profile.seed, **{name: getattr(profile, name) for name in groups})

    def option_names(self) -> set[str]:
        """The names of the options that the method depends on."""
        held = vars(self.options(Profile()))
        return {f.name for group in held.values() if is_dataclass(group) for f in fields(group)}

    def epochs(self, options: Options) -> int:
        """Most epochs of a run."""
        return options.pairing.epochs if self.pairs else options.probing.probe_epochs


# --- true or false?


def _pairwise(read: Callable[[Inputs, Options, int], Corpus], build: Callable[[Options], nn.Module],
              groups: tuple[str, ...], needs: tuple[str, ...] = ()) -> Method:
    return Method(lambda inputs, o, seed: Correspondence(read(inputs, o, seed), o.pairing, o.seed),
                  lambda o, task: build(o), groups, needs)


def _vectors(inputs: Inputs, o: Options, seed: int) -> Corpus:
    return inputs.corpus


def _heard(inputs: Inputs, o: Options) -> Slices:
    return inputs.spectrograms(o.convolution.frames, o.convolution.crops)


def acp_net(o: Options) -> ACPNet:
    """ACP-Net with the options' widths, activation and dropout."""
    return ACPNet(**asdict(o.network))


def with_weights(model: Net, folder: Path) -> Net:
    """A network with the weights that a run kept in its folder, ready to predict."""
    with readable(path := folder / "model.safetensors"):
        model.load_state_dict(load_file(path))
    return model.eval()


def _l3_net(o: Options) -> L3Net:
    c = o.convolution
    return L3Net(width=c.width, size=c.raw_size, bins=c.bins, frames=c.frames)


def _spectrogram_acp(o: Options) -> SpectrogramACP:
    c = o.convolution
    return SpectrogramACP(width=c.width, bins=c.bins, frames=c.frames, **asdict(o.network))


CORRESPONDENCE = {
    "L3-Net": _pairwise(lambda inputs, o, seed: Corpus(inputs.pictures, _heard(inputs, o)), _l3_net, ("convolution",),
                        ("pixels", "slices")),
    "Spectrogram-ACP": _pairwise(lambda inputs, o, seed: replace(inputs.corpus, music=_heard(inputs, o)),
                                 _spectrogram_acp, ("convolution", "network"), ("slices",)),
    "ACP-Net": _pairwise(_vectors, acp_net, ("network",)),
}
"""Table 4."""


# --- which emotion?


def labels(side: Modality) -> tuple[np.ndarray, tuple[str, ...]]:
    """Label numbers (N,), -1 where a sample has none, and the names of the labels: the 8 emotions if the training part
    has all of them, else the 3 classes.
    """
    if side.emotion is not None and set(side.emotion[side.rows("train")]) >= set(range(len(EMOTIONS))):
        return side.emotion, EMOTIONS
    return side.label, CLASSES


def shuffled(label: np.ndarray, *key: int | str) -> np.ndarray:
    """The labels, permuted at random among the labelled samples: nothing can be learnt, only memorised.

    Parameters
    ----------
    label : label number of each sample, -1 for samples without one, which keep it [shape=(N,)]
    key : a seed, and whatever else identifies this permutation
    """
    mixed, held = label.copy(), np.flatnonzero(label >= 0)
    mixed[held] = label[streams.generator("labels dealt at random", *key).permutation(held)]
    return mixed


def acp_net_embeddings(inputs: Inputs, o: Options, modality: str) -> Modality:
    """A trained ACP-Net's embeddings of the samples of a modality, standardised; with `probed_at` "before_relu", the
    output of the branch's last linear layer.
    """
    assert inputs.acp_net is not None
    model = with_weights(acp_net(o), inputs.acp_net)
    if o.probing.probed_at == "before_relu":
        branch = cast(nn.Sequential, getattr(model, modality))
        last = max(k for k, layer in enumerate(branch) if isinstance(layer, nn.Linear))
        setattr(model, modality, branch[:last + 1])
    return embedded(model, Modality.read(getattr(inputs, modality)), modality)


def embedded(model: nn.Module, side: Modality, modality: str) -> Modality:
    """The samples of a modality with a network's embeddings as features, standardised over the training part."""
    x = evaluation.embed(getattr(model, f"embed_{modality}"), side, np.arange(len(side.x)))
    return side.with_features(x.cpu().numpy())


def _features(inputs: Inputs, o: Options, modality: str) -> Modality:
    return Modality.read(getattr(inputs, modality))


def _pixels(inputs: Inputs, o: Options, modality: str) -> Modality:
    return inputs.pictures


def _slices(inputs: Inputs, o: Options, modality: str) -> Modality:
    return _heard(inputs, o)


def _alexnet(o: Options, classes: int) -> nn.Module:
    from acp_lib.models.alexnet import AlexNet  # brings torchvision, slow to import and not needed by most chapters

    return AlexNet(classes, weights=o.convolution.alexnet_weights, width=o.convolution.width)


def _frozen_alexnet(inputs: Inputs, o: Options, modality: str) -> Modality:
    """The output of AlexNet's last hidden layer for each picture, standardised; the network itself is not trained."""
    side = inputs.pictures
    with torch.random.fork_rng():
        torch.manual_seed(streams.number("frozen AlexNet", o.seed))
        model = _alexnet(o, 0).eval()
    return side.with_features(evaluation.embed(model, side, np.arange(len(side.x))).numpy())


def _recognition(read: Callable, modality: str, random_labels: bool, inputs: Inputs, o: Options,
                 seed: int) -> Recognition:
    side = read(inputs, o, modality)
    label, names = labels(side)
    return Recognition(side, shuffled(label, seed, modality) if random_labels else label, names, o.probing)


def _mlp(o: Options, task: Recognition) -> nn.Module:
    return MLP(task.side.x.shape[1], len(task.names), dropout=o.network.dropout)


def _last_layer(o: Options, task: Recognition) -> nn.Module:
    return nn.Linear(task.side.x.shape[1], len(task.names))


def _tuned_alexnet(o: Options, task: Recognition) -> nn.Module:
    return _alexnet(o, len(task.names))


def _cnn(o: Options, task: Recognition) -> nn.Module:
    c = o.convolution
    return SpectrogramCNN(len(task.names), width=c.width, bins=c.bins, frames=c.frames, dropout=o.network.dropout)


def _probes(modality: str, features: str) -> dict[str, Method]:
    """MLPs on ACP-Net's embeddings and on the bare features, with true and with random labels."""
    made = {}
    for end, random_labels in (("", False), (", random labels", True)):
        for name, read, needs, sees in (("ACP-Net features", acp_net_embeddings, ("acp_net",), ("image", "music")),
                                        (features, _features, (), (modality,))):
            made[f"{name} + MLP{end}"] = Method(partial(_recognition, read, modality, random_labels), _mlp,
                                                ("network",), needs, sees, pairs=False)
    return made


def _raw_probe(modality: str, read: Callable, build: Callable, groups: tuple[str, ...], needs: str) -> Method:
    return Method(partial(_recognition, read, modality, False), build, groups, (needs,), (modality,), pairs=False)


PICTURES = {
    "AlexNet, fine-tuned": _raw_probe("image", _pixels, _tuned_alexnet, ("convolution",), "pixels"),
    "AlexNet, frozen": _raw_probe("image", _frozen_alexnet, _last_layer, ("convolution",), "pixels"),
    **_probes("image", "Inception-V3 features"),
}
"""Table 5, pictures: the methods that `training.fit` trains."""

MUSIC = {
    "Spectrogram + CNN": _raw_probe("music", _slices, _cnn, ("convolution", "network"), "slices"),
    **_probes("music", "193 numbers"),
}
"""Table 5, music."""


# --- what is left of a score without what it should come from


def blinded(side: Modality) -> Modality:
    """A side without information: all features 0."""
    return replace(side, x=torch.zeros_like(side.x))


def with_random_labels(side: Modality, *key: int | str) -> Modality:
    """A side whose classes are permuted at random within the training part and within the validation part; the test
    part keeps its classes. `key` as for `shuffled`.
    """
    label = side.label.copy()
    for part in ("train", "val"):
        rows = side.rows(part)
        label[rows] = shuffled(label[rows], *key, part)
    return replace(side, label=label)


def _control(change: Callable[[Corpus, int], Corpus]) -> Method:
    return _pairwise(lambda inputs, o, seed: change(inputs.corpus, seed), acp_net, ("network",))


CONTROLS = {
    "random labels": _control(lambda corpus, seed: Corpus(with_random_labels(corpus.image, seed, "image"),
                                                          with_random_labels(corpus.music, seed, "music"))),
    "picture alone": _control(lambda corpus, _: replace(corpus, music=blinded(corpus.music))),
    "music alone": _control(lambda corpus, _: replace(corpus, image=blinded(corpus.image))),
}
"""ACP-Net trained as usual, but on random classes, or with one half of the pair blanked."""

GROUPS = {"pairs": CORRESPONDENCE, "image": PICTURES, "music": MUSIC, "controls": CONTROLS}


def method(group: str, name: str) -> Method:
    """A method by its table and its name.

    Raises
    ------
    ValueError
        If there is no method of that name; the message lists the methods.
    """
    if name not in GROUPS[group]:
        raise ValueError(f"method is {name!r}; expected one of {', '.join(GROUPS[group])}")
    return GROUPS[group][name]
