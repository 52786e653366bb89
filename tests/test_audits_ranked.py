"""What each method says of all test pictures with all test songs: the stored answers, and additive where it says so."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from test_corpus import small
from test_training import Tiny

from acp_lib.audits import additive, ranked, retrieval
from acp_lib.experiment import evaluation
from acp_lib.results import examples


def run(seed):
    model = Tiny(seed).eval()
    return SimpleNamespace(seed=seed, model=lambda: model, folder=Path(f"run{seed}"))


@pytest.fixture
def study(monkeypatch):
    """A study on a small corpus of nobody's making, with two runs of either network, whose tables are made at once."""
    monkeypatch.setattr(ranked.store, "table", lambda study, module, stage, about, make: pd.DataFrame(make()))
    corpus = small()
    asked = corpus.draw("test", "class_balanced", 300, np.random.default_rng(0))
    common = {"corpus": corpus, "test_pairs": lambda: asked, "corpus_key": "", "truth": None,
              "profile": SimpleNamespace(seed=0)}
    audited = SimpleNamespace(**common, network="audit, a quarter of the width", runs=[run(2), run(3)])
    return SimpleNamespace(**common, network="main", runs=[run(0), run(1)], audited=audited)


@pytest.mark.slow
def test_networks_say_what_they_said_of_the_frozen_pairs(study):
    found, asked = ranked.load(study), study.test_pairs()
    assert list(found.methods) == ["ACP-Net (main)", "ACP-Net (audit)", "additive approximation (audit)",
                                   "two classifiers, compared"]
    assert found.image.tolist() == np.unique(asked.image).tolist()
    assert found.music.tolist() == np.unique(asked.music).tolist()
    at = np.searchsorted(found.image, asked.image), np.searchsorted(found.music, asked.music)
    for name, runs in (("ACP-Net (main)", study.runs), ("ACP-Net (audit)", study.audited.runs)):
        stored = np.mean([evaluation.probability(r.model(), study.corpus, asked) for r in runs], axis=0)
        np.testing.assert_allclose(found.methods[name][at], stored, atol=1e-6)
    added = np.mean([expit(additive.emap(r.model(), study.corpus, asked)[0]) for r in study.audited.runs], axis=0)
    np.testing.assert_allclose(found.methods["additive approximation (audit)"][at], added, atol=1e-6)
    one, other = (retrieval.class_probabilities(side) for side in (study.corpus.image, study.corpus.music))
    np.testing.assert_allclose(found.methods["two classifiers, compared"], one[found.image] @ other[found.music].T)
    assert all(score.min() >= 0 and score.max() <= 1 for score in found.methods.values())


@pytest.mark.slow
def test_of_many_samples_a_part_is_looked_through_with_the_same_scores(study, monkeypatch):
    whole = ranked.load(study)
    monkeypatch.setattr(ranked, "MOST", {"image": 5, "music": 3})
    part = ranked.load(study)
    assert (len(part.image), len(part.music)) == (5, 3) and set(part.image) <= set(whole.image)
    at = np.ix_(np.searchsorted(whole.image, part.image), np.searchsorted(whole.music, part.music))
    for name, score in part.methods.items():
        np.testing.assert_allclose(score, whole.methods[name][at], atol=1e-6)


def test_the_best_possible_observer_is_there_where_it_is_known(study, monkeypatch):
    asked = []

    def probability(study, pairs):
        asked.append(pairs)
        return np.linspace(0, 1, len(pairs))

    monkeypatch.setattr(ranked.observer, "probability", probability)
    found = ranked.load(study)
    n, m = len(found.image), len(found.music)
    np.testing.assert_allclose(found.methods["best possible observer"], np.linspace(0, 1, n * m).reshape(n, m))
    expected = examples.all_pairs(study.corpus, found.image, found.music)
    assert asked[0].digest == expected.digest
