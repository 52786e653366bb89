"""Baselines for ACP-Net: a constant answer, one-sided baselines, and late fusion of two classifiers.

Chapter: ACP-Net.
"""

import numpy as np
import pandas as pd
from sklearn.linear_model import RidgeClassifierCV, RidgeCV

from acp_lib import streams
from acp_lib.experiment.corpus import Corpus, Modality, Pairs
from acp_lib.experiment.probes import STRENGTHS

PAIRS = 10_000  # that a one-sided guesser learns from


def always_false(corpus: Corpus, pairs: Pairs, protocol: str, seed: int) -> np.ndarray:
    """"False" for every pair: bool (n,)."""
    return np.zeros(len(pairs), bool)


def predict_unimodal(side: Modality, seen: np.ndarray, truth: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Predict "true" or "false" for pairs by a ridge regression on one side's features: bool (n,).

    The regression is fitted on training pairs. A sample that occurs in several pairs enters once, with the mean of
    their answers and their number as its weight, so that the penalty is not chosen on copies.

    Parameters
    ----------
    seen, truth : sample and truth of each training pair
    asked : sample of each pair to predict
    """
    rows, where, times = np.unique(seen, return_inverse=True, return_counts=True)
    answer = np.bincount(where, 2 * truth - 1) / times
    model = RidgeCV(STRENGTHS).fit(side.x[rows].numpy(), answer, sample_weight=times)
    rows, where = np.unique(asked, return_inverse=True)
    return model.predict(side.x[rows].numpy())[where] > 0


def training_pairs(corpus: Corpus, protocol: str, seed: int) -> Pairs:
    """The training pairs of the one-sided baselines, the same for both sides."""
    return corpus.draw("train", protocol, PAIRS, streams.generator("pairs to guess by", seed))


def picture_only(corpus: Corpus, pairs: Pairs, protocol: str, seed: int) -> np.ndarray:
    """Image-only baseline: ridge regression of "true or false", trained on pairs of the same protocol."""
    drawn = training_pairs(corpus, protocol, seed)
    return predict_unimodal(corpus.image, drawn.image, drawn.truth, pairs.image)


def music_only(corpus: Corpus, pairs: Pairs, protocol: str, seed: int) -> np.ndarray:
    """Music-only baseline, as `picture_only`."""
    drawn = training_pairs(corpus, protocol, seed)
    return predict_unimodal(corpus.music, drawn.music, drawn.truth, pairs.music)


def named(side: Modality) -> np.ndarray:
    """The class number that a ridge classifier predicts for each sample (N,). It is fitted on the labels of the
    training part, with equal weight for each class.
    """
    train = side.rows("train")
    model = RidgeClassifierCV(STRENGTHS, class_weight="balanced").fit(side.x[train].numpy(), side.label[train])
    return model.predict(side.x.numpy())


def two_classifiers(corpus: Corpus, pairs: Pairs, protocol: str, seed: int) -> np.ndarray:
    """Late fusion: predict the class of each half by `named`; answer "true" where both classes are the same.

    Unlike ACP-Net, the two classifiers are trained on class labels.
    """
    return named(corpus.image)[pairs.image] == named(corpus.music)[pairs.music]


BASELINES = {"always false": always_false, "picture alone": picture_only, "music alone": music_only,
             "two classifiers, compared": two_classifiers}


def correct(corpus: Corpus, pairs: Pairs, protocol: str, seed: int) -> pd.DataFrame:
    """Whether each of BASELINES, a column, is right about each pair, a row."""
    return pd.DataFrame({name: ask(corpus, pairs, protocol, seed) == (pairs.truth == 1)
                         for name, ask in BASELINES.items()})
