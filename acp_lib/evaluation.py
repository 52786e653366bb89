"""How right a network is, and how sure one may be of that.

Accuracies are shares from 0 to 1 here and per cent in tables.

Paper: Section 4, Table 4.
Chapter: ACP-Net.
"""

import numpy as np
import torch
from scipy import stats
from torch import nn

from acp_lib.corpus import Corpus, Pairs

CHUNK = 8192  # pairs that are fused at once


@torch.inference_mode()
def logits(model: nn.Module, corpus: Corpus, pairs: Pairs) -> torch.Tensor:
    """Logits (n, 2) of a list of pairs, by a network with `embed_image`, `embed_music` and `fusion`.

    Each picture and each piece of music goes through its branch once, however often it occurs, and through its half of
    the first fusion layer; only the rest is done for each pair.

    Chapter: ACP-Net.
    """
    training, device = model.training, next(model.parameters()).device
    model.eval()
    image, i = np.unique(pairs.image, return_inverse=True)
    music, j = np.unique(pairs.music, return_inverse=True)
    seen = model.embed_image(corpus.image.x[image].to(device))
    heard = model.embed_music(corpus.music.x[music].to(device))
    first, rest = model.fusion[0], model.fusion[1:]
    width = seen.shape[1]
    seen = nn.functional.linear(seen, first.weight[:, :width])
    heard = nn.functional.linear(heard, first.weight[:, width:], first.bias)
    parts = [rest(seen[i[k:k + CHUNK]] + heard[j[k:k + CHUNK]]).cpu() for k in range(0, len(i), CHUNK)]
    model.train(training)
    return torch.cat(parts)


def probability(model: nn.Module, corpus: Corpus, pairs: Pairs) -> np.ndarray:
    """Probability (n,) that the network gives to each pair being true."""
    return torch.softmax(logits(model, corpus, pairs).double(), 1)[:, 1].numpy()


def accuracy(p: np.ndarray, truth: np.ndarray) -> float:
    """Share of pairs that are called right, a pair being called true if its probability exceeds one half."""
    return float(np.mean((p > 0.5) == (truth == 1)))


def interval(values, level: float = 0.95) -> tuple[float, float]:
    """Student's t interval for the mean of independent runs; infinite for a single one.

    Raises
    ------
    ValueError
        Without values.
    """
    if not len(values):
        raise ValueError("values is empty; expected the results of one or more runs")
    if len(values) == 1:
        return -np.inf, np.inf
    mean, error = np.mean(values), stats.sem(values)
    if error == 0:
        return float(mean), float(mean)
    return tuple(float(v) for v in stats.t.interval(level, len(values) - 1, mean, error))


def clustered(correct: np.ndarray, pictures: np.ndarray, songs: np.ndarray, *, draws: int = 2000, seed: int = 0,
              level: float = 0.95) -> tuple[float, float]:
    """Bootstrap interval for the accuracy on other pictures and other songs: both are drawn with replacement.

    Pairs share pictures and songs, so they are not independent; weighting each pair by how often its picture and its
    song were drawn accounts for both. Source: Owen (2007), The pigeonhole bootstrap, Annals of Applied Statistics 1(2).

    Parameters
    ----------
    correct : share of runs that called each pair right [shape=(n,)]
    pictures, songs : what is drawn as a whole, one name a pair [shape=(n,)]
    """
    (names, i), (titles, j) = (np.unique(g, return_inverse=True) for g in (pictures, songs))
    rng = np.random.default_rng([seed, 2007])
    means = []
    for _ in range(draws):
        weight = (np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))[i]
                  * np.bincount(rng.integers(len(titles), size=len(titles)), minlength=len(titles))[j])
        if weight.any():
            means.append(np.average(correct, weights=weight))
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
