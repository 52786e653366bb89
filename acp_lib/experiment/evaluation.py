"""A network's answers and accuracy on pairs, and an interval over runs.

Accuracies are shares from 0 to 1 here and per cent in tables.

Paper: Section 4, Table 4.
Chapter: ACP-Net.
"""

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
import pandas as pd
import scipy
import torch
from torch import nn

from acp_lib.emotions import CLASSES
from acp_lib.experiment.corpus import Corpus, Modality, Pairs
from acp_lib.models._branches import TwoBranches

CHUNK = 8192  # pairs that are fused at once


@torch.inference_mode()
def logits(model: nn.Module, corpus: Corpus, pairs: Pairs) -> torch.Tensor:
    """Logits (n, 2) of a two-branch network for a list of pairs.

    Each picture and each piece of music passes once, however often it occurs, through its branch and its half of the
    first fusion layer; only the remaining layers are computed for each pair.

    Chapter: ACP-Net.
    """
    image, i = np.unique(pairs.image, return_inverse=True)
    music, j = np.unique(pairs.music, return_inverse=True)
    training, branches = model.training, cast(TwoBranches, model)
    model.eval()
    seen = embed(branches.embed_image, corpus.image, image, _device(model))
    heard = embed(branches.embed_music, corpus.music, music, _device(model))
    first, rest = cast(nn.Linear, branches.fusion[0]), branches.fusion[1:]
    width = seen.shape[1]
    seen = nn.functional.linear(seen, first.weight[:, :width])
    heard = nn.functional.linear(heard, first.weight[:, width:], first.bias)
    parts = [rest(seen[i[k:k + CHUNK]] + heard[j[k:k + CHUNK]]).float().cpu() for k in range(0, len(i), CHUNK)]
    model.train(training)
    return torch.cat(parts)


def _device(model: nn.Module) -> torch.device:
    return next(model.parameters()).device


@torch.inference_mode()
def embed(encode: Callable, side: Modality, rows: np.ndarray, device: str | torch.device = "cpu") -> torch.Tensor:
    """The mean of `encode` over the views of each sample: (len(rows), width), on the device.

    Chapter: ACP-Net; Baselines.
    """
    parts = []
    for k in range(0, len(rows), side.chunk):
        x = side.views(rows[k:k + side.chunk]).to(device)
        parts.append(encode(x.flatten(0, 1)).float().unflatten(0, x.shape[:2]).mean(1))
    return torch.cat(parts)


def probability(model: nn.Module, corpus: Corpus, pairs: Pairs) -> np.ndarray:
    """The network's probability that each pair is true (n,)."""
    return torch.softmax(logits(model, corpus, pairs).double(), 1)[:, 1].numpy()


def accuracy(p: np.ndarray, truth: np.ndarray) -> float:
    """Share of correct answers; the answer is "true" where the probability exceeds one half."""
    return float(np.mean((p > 0.5) == (truth == 1)))


def by_classes(right: np.ndarray, corpus: Corpus, pairs: Pairs) -> np.ndarray:
    """Accuracy for each class of picture (row) and of music (column): (3, 3), NaN where there are no pairs.

    right : whether each pair was judged correctly, or in what share of the runs [shape=(n,)]

    Chapter: Baselines; How sure are we.
    """
    labels = [corpus.image.label[pairs.image], corpus.music.label[pairs.music]]
    classes = range(len(CLASSES))
    return pd.Series(right).groupby(labels).mean().unstack().reindex(index=classes, columns=classes).to_numpy(float)


def t_interval(values: Sequence[float] | np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Student's t interval for the mean of independent runs; infinite for a single one.

    It treats the items as fixed; `intervals` also covers the sampling of pictures and songs.

    Raises
    ------
    ValueError
        Without values.
    """
    if not len(values):
        raise ValueError("values is empty; expected the results of one or more runs")
    if len(values) == 1:
        return -np.inf, np.inf
    mean, error = np.mean(values), scipy.stats.sem(values)
    if error == 0:
        return float(mean), float(mean)
    low, high = scipy.stats.t.interval(level, len(values) - 1, mean, error)
    return float(low), float(high)


def groups(manifest: pd.DataFrame, pairs: Pairs) -> tuple[np.ndarray, np.ndarray]:
    """Name of the picture and of the song of each pair; copies have the same name."""
    names, is_image = manifest["group"].to_numpy(), (manifest["modality"] == "image").to_numpy()
    return names[is_image][pairs.image], names[~is_image][pairs.music]
