"""Guessers that have one half of a pair, or nothing, and two classifiers compared."""

import numpy as np
import pytest
import torch

from acp_lib.experiment.baselines import BASELINES
from acp_lib.experiment.corpus import Corpus, Modality


def separable(n: int = 240, noise: float = 0.0) -> Corpus:
    """Both modalities show their class plainly; noise hides it."""
    rng = np.random.default_rng(0)
    sides = []
    for width in (6, 5):
        label, part = np.arange(n) % 3, np.arange(n) // 3 % 3
        x = np.eye(width)[label] + noise * rng.standard_normal((n, width))
        sides.append(Modality(torch.from_numpy(x.astype(np.float32)), label, part))
    return Corpus(*sides)


def score(name: str, corpus: Corpus, protocol: str = "class_balanced") -> float:
    pairs = corpus.draw("test", protocol, 3000, np.random.default_rng(1))
    return float(np.mean(BASELINES[name](corpus, pairs, protocol, 0) == (pairs.truth == 1)))


def test_two_classifiers_solve_what_shows_its_class():
    assert score("two classifiers, compared", separable()) == 1
    assert score("two classifiers, compared", separable(noise=100)) == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("name", ["always false", "picture alone", "music alone"])
def test_one_half_says_nothing_about_class_balanced_pairs(name):
    assert score(name, separable()) == pytest.approx(0.5, abs=0.03)


def test_one_half_is_enough_where_classes_are_unbalanced():
    corpus = separable()
    few = np.flatnonzero((corpus.music.label == 0) | (np.arange(240) % 5 == 0))
    skewed = Corpus(corpus.image, Modality(corpus.music.x[few], corpus.music.label[few], corpus.music.part[few]))
    assert score("picture alone", skewed, "rejection") > 0.6
    assert score("always false", skewed, "uniform") > 0.6
