"""What is trained: for each method of Tables 4 and 5 its network, what it sees and hears, and its task.

Paper: Section 4, Tables 4 and 5.
Chapter: ACP-Net; Baselines; Probes; Is it really cross-modal?
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn

from acp_lib.emotions import CLASSES, EMOTIONS
from acp_lib.experiment import evaluation
from acp_lib.experiment.corpus import Corpus, Modality, Pictures, Slices, scaled
from acp_lib.experiment.tasks import Correspondence, Recognition, Task
from acp_lib.features.raw import Shards
from acp_lib.models import MLP, ACPNet, L3Net, SpectrogramACP, SpectrogramCNN
from acp_lib.profiles import Profile, resolve

ACP = ("activation", "first_layer", "dropout", "dropout_at", "fc_width")
HEARING = ("width", "bins", "frames")
ALWAYS = ("seed", "init_draw", "batch", "learning_rate", "decay", "precision")
PAIRS = ("pairs", "pairs_per_epoch", "pair_draw", "epochs", "patience", "test_pairs")
PROBES = ("probe_epochs", "probe_patience")


@dataclass(frozen=True)
class Inputs:
    """Where the data of a study lies, for the process that trains on it."""

    corpus: Path
    pixels: Path | None = None
    slices: Path | None = None
    acp_net: Path | None = None  # a trained ACP-Net, for what is read from its embeddings

    def read(self, profile: Profile, needs: tuple[str, ...] = ()) -> Corpus:
        """The corpus, with pictures or spectrograms themselves in the place of their features where they are needed."""
        found = Corpus.read(self.corpus)
        image, music = found.image, found.music
        if "pixels" in needs:
            image = Pictures(Shards(self.pixels), image.label, image.part, image.emotion)
        if "slices" in needs:
            music = Slices(Shards(self.slices), music.label, music.part, frames=profile.frames, crops=profile.crops)
        return replace(found, image=image, music=music)


@dataclass(frozen=True)
class Method:
    """One way to answer, as it is trained once a seed.

    task : what is trained for, from the data
    build : the network, from the profile and the task
    needs : which of "pixels", "slices" and "acp_net" it is made from, beside the features
    settings : the fields of a profile that it depends on
    """

    task: Callable[[Inputs, Profile, int], Task]
    build: Callable[[Profile, Task], nn.Module]
    needs: tuple[str, ...]
    settings: tuple[str, ...]

    @property
    def pairs(self) -> bool:
        """Whether it judges pairs; a probe names emotions."""
        return "pairs" in self.settings

    def epochs(self, profile: Profile) -> int:
        """Most epochs of a run."""
        return profile.epochs if self.pairs else profile.probe_epochs


def options(profile: Profile, *names: str) -> dict:
    """Some fields of a profile by name."""
    return {name: getattr(profile, name) for name in names}


# --- true or false?


def _pairwise(build: Callable[[Profile], nn.Module], needs: tuple[str, ...], settings: tuple[str, ...]) -> Method:
    return Method(lambda inputs, profile, seed: Correspondence(inputs.read(profile, needs), profile),
                  lambda profile, task: build(profile), needs, (*ALWAYS, *PAIRS, *settings))


CORRESPONDENCE = {
    "L3-Net": _pairwise(lambda p: L3Net(size=p.raw_size, **options(p, *HEARING)), ("pixels", "slices"),
                        ("raw_size", "crops", *HEARING)),
    "Spectrogram-ACP": _pairwise(lambda p: SpectrogramACP(**options(p, *HEARING, *ACP)), ("slices",),
                                 ("crops", *HEARING, *ACP)),
    "ACP-Net": _pairwise(lambda p: ACPNet(**options(p, *ACP)), (), ACP),
}
"""Table 4."""


# --- which emotion?


def labels(side: Modality) -> tuple[np.ndarray, tuple[str, ...]]:
    """Class numbers (N,), -1 without one, and the classes' names: the 8 emotions where the training part has all of
    them, else the 3 classes.
    """
    if side.emotion is not None and set(side.emotion[side.rows("train")]) >= set(range(len(EMOTIONS))):
        return side.emotion, EMOTIONS
    return side.label, CLASSES


def shuffled(label: np.ndarray, seed: int) -> np.ndarray:
    """The same labels dealt to the samples at random: there is nothing left to learn but the samples themselves."""
    mixed, held = label.copy(), np.flatnonzero(label >= 0)
    mixed[held] = label[np.random.default_rng([seed, 60]).permutation(held)]
    return mixed


def _vectors(side: Modality, x: np.ndarray) -> Modality:
    """A side with other features, standardised over the training part."""
    return Modality(torch.from_numpy(scaled(x, side.rows("train"), "zscore")), side.label, side.part, side.emotion)


def acp_net_embeddings(inputs: Inputs, profile: Profile, modality: str) -> Modality:
    """The embeddings that a trained ACP-Net gives to the samples of a modality, standardised."""
    corpus = inputs.read(profile)
    model = ACPNet(**options(profile, *ACP))
    model.load_state_dict(load_file(inputs.acp_net / "model.safetensors"))
    side = getattr(corpus, modality)
    x = evaluation.embed(getattr(model.eval(), f"embed_{modality}"), side, np.arange(len(side.x)))
    return _vectors(side, x.numpy())


def _features(inputs: Inputs, profile: Profile, modality: str) -> Modality:
    return getattr(inputs.read(profile), modality)


def _pixels(inputs: Inputs, profile: Profile, modality: str) -> Modality:
    return inputs.read(profile, ("pixels",)).image


def _slices(inputs: Inputs, profile: Profile, modality: str) -> Modality:
    return inputs.read(profile, ("slices",)).music


def _weights(profile: Profile) -> str:
    given = profile.alexnet_weights
    return given if given in ("imagenet", "random") else str(resolve(given))


def _alexnet(profile: Profile, classes: int) -> nn.Module:
    from acp_lib.models.alexnet import AlexNet  # brings torchvision, slow to import and not needed by most chapters

    return AlexNet(classes, weights=_weights(profile), width=profile.width)


def _frozen_alexnet(inputs: Inputs, profile: Profile, modality: str) -> Modality:
    """What AlexNet's last hidden layer gives to each picture, standardised; the network itself is not trained."""
    side = _pixels(inputs, profile, modality)
    with torch.random.fork_rng():
        torch.manual_seed(profile.seed)
        model = _alexnet(profile, 0).eval()
    return _vectors(side, evaluation.embed(model, side, np.arange(len(side.x))).numpy())


def _recognition(read: Callable, modality: str, random_labels: bool, inputs: Inputs, profile: Profile,
                 seed: int) -> Recognition:
    side = read(inputs, profile, modality)
    label, names = labels(side)
    return Recognition(side, shuffled(label, seed) if random_labels else label, names, profile)


def _mlp(profile: Profile, task: Recognition) -> nn.Module:
    return MLP(task.side.x.shape[1], len(task.names), dropout=profile.dropout)


def _last_layer(profile: Profile, task: Recognition) -> nn.Module:
    return nn.Linear(task.side.x.shape[1], len(task.names))


def _tuned_alexnet(profile: Profile, task: Recognition) -> nn.Module:
    return _alexnet(profile, len(task.names))


def _cnn(profile: Profile, task: Recognition) -> nn.Module:
    return SpectrogramCNN(len(task.names), **options(profile, *HEARING, "dropout"))


def _probe(modality: str, read: Callable, build: Callable, needs: tuple[str, ...] = (), settings: tuple[str, ...] = (),
           *, random_labels: bool = False) -> Method:
    return Method(partial(_recognition, read, modality, random_labels), build, needs, (*ALWAYS, *PROBES, *settings))


_ALEXNET = ("alexnet_weights", "raw_size", "width")

PICTURES = {
    "AlexNet, fine-tuned": _probe("image", _pixels, _tuned_alexnet, ("pixels",), _ALEXNET),
    "AlexNet, frozen": _probe("image", _frozen_alexnet, _last_layer, ("pixels",), _ALEXNET),
    "ACP-Net features + MLP": _probe("image", acp_net_embeddings, _mlp, ("acp_net",), ACP),
    "Inception-V3 features + MLP": _probe("image", _features, _mlp, (), ("dropout",)),
    "ACP-Net features + MLP, random labels": _probe("image", acp_net_embeddings, _mlp, ("acp_net",), ACP,
                                                    random_labels=True),
    "Inception-V3 features + MLP, random labels": _probe("image", _features, _mlp, (), ("dropout",),
                                                         random_labels=True),
}
"""Table 5, pictures: what is trained with the loop."""

MUSIC = {
    "Spectrogram + CNN": _probe("music", _slices, _cnn, ("slices",), (*HEARING, "crops", "dropout")),
    "ACP-Net features + MLP": _probe("music", acp_net_embeddings, _mlp, ("acp_net",), ACP),
    "193 numbers + MLP": _probe("music", _features, _mlp, (), ("dropout",)),
    "ACP-Net features + MLP, random labels": _probe("music", acp_net_embeddings, _mlp, ("acp_net",), ACP,
                                                    random_labels=True),
    "193 numbers + MLP, random labels": _probe("music", _features, _mlp, (), ("dropout",), random_labels=True),
}
"""Table 5, music."""

# --- what is left of a score without what it should come from


def blinded(side: Modality) -> Modality:
    """A side of which nothing can be told: all features 0."""
    return replace(side, x=torch.zeros_like(side.x))


def with_random_labels(side: Modality, seed: int) -> Modality:
    """A side whose classes are dealt to the samples of training, and to those of validation, at random; those of the
    test part stay.
    """
    label = side.label.copy()
    for k, part in enumerate(("train", "val")):
        rows = side.rows(part)
        label[rows] = shuffled(label[rows], seed + k)
    return replace(side, label=label)


def _control(change: Callable[[Corpus, int], Corpus]) -> Method:
    return Method(lambda inputs, profile, seed: Correspondence(change(inputs.read(profile), seed), profile),
                  lambda profile, task: ACPNet(**options(profile, *ACP)), (), (*ALWAYS, *PAIRS, *ACP))


CONTROLS = {
    "random labels": _control(lambda corpus, seed: Corpus(with_random_labels(corpus.image, 4 * seed),
                                                          with_random_labels(corpus.music, 4 * seed + 2))),
    "picture alone": _control(lambda corpus, _: replace(corpus, music=blinded(corpus.music))),
    "music alone": _control(lambda corpus, _: replace(corpus, image=blinded(corpus.image))),
}
"""ACP-Net, trained as ever, on classes dealt at random, or blind to one half of the pair."""

GROUPS = {"pairs": CORRESPONDENCE, "image": PICTURES, "music": MUSIC, "controls": CONTROLS}


def method(group: str, name: str) -> Method:
    """A method by its table and its name.

    Raises
    ------
    ValueError
        If there is none of that name; the message lists those there are.
    """
    if name not in GROUPS[group]:
        raise ValueError(f"method is {name!r}; expected one of {', '.join(GROUPS[group])}")
    return GROUPS[group][name]
