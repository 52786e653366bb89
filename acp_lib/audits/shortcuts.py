"""What can be had from one half of a pair: guessers that look at no more, in theory, in a draw, and trained.

Paper: Section 3, and Section 2, Affective correspondence labeling.
Chapter: Shortcuts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from acp_lib import streams
from acp_lib.experiment import baselines, evaluation, pairs
from acp_lib.experiment.corpus import Corpus, Pairs
from acp_lib.results import store
from acp_lib.results.scores import scored

if TYPE_CHECKING:
    from acp_lib.study import Study

KNOWS = {"nothing": None, "the picture": 0, "the music": 1}
"""Who guesses, and the axis of `pairs.joint` that is known."""


def guessers(images: np.ndarray, music: np.ndarray) -> pd.DataFrame:
    """Accuracy in per cent under each protocol (rows): of "always true" and "always false", and the best for whoever
    knows nothing, the picture's class or the music's.

    images, music : how many samples each class has [shape=(K,)], none of them 0
    """
    rows = {}
    for name in pairs.PROTOCOLS:
        table = pairs.joint(name, images, music)
        true = 100 * np.trace(table)
        rows[name] = {"always true": true, "always false": 100 - true,
                      **{who: pairs.oracle(table, axis) for who, axis in KNOWS.items()}}
    return pd.DataFrame(rows).T


def drawn(images: np.ndarray, music: np.ndarray, n: int = 100_000, seed: int = 0) -> pd.DataFrame:
    """`guessers` of the picture and of the music found by drawing n pairs and scoring the best answer to each class.

    images, music : class number of each sample [shape=(N,)]
    """
    k = int(max(images.max(), music.max())) + 1
    rows = {}
    for name in pairs.PROTOCOLS:
        i, j, truth = pairs.draw(name, images, music, n, streams.generator("pairs of a guesser", seed, name))
        table = pairs.joint(name, np.bincount(images, minlength=k), np.bincount(music, minlength=k))
        seen = {"the picture": (0, images[i]), "the music": (1, music[j])}
        rows[name] = {who: 100 * np.mean(_best_answers(table, axis)[label] == truth)
                      for who, (axis, label) in seen.items()}
    return pd.DataFrame(rows).T


def _best_answers(table: np.ndarray, axis: int) -> np.ndarray:
    """1 for each class of which true pairs are the likelier ones, else 0."""
    true = np.diag(table)
    return (true > table.sum(1 - axis) - true).astype(int)


def learnt(corpus: Corpus, protocol: str, asked: Pairs, seed: int) -> dict[str, np.ndarray]:
    """Whether baselines trained on one half of the pairs of a protocol are right about pairs of the same protocol."""
    known = baselines.training_pairs(corpus, protocol, seed)
    said = {"the picture": baselines.predict_unimodal(corpus.image, known.image, known.truth, asked.image),
            "the music": baselines.predict_unimodal(corpus.music, known.music, known.truth, asked.music)}
    return {who: answer == (asked.truth == 1) for who, answer in said.items()}


def trained(study: Study) -> pd.DataFrame:
    """Accuracy of `learnt` under each protocol, on as many test pairs as the study has, with intervals over pictures
    and songs, in per cent: protocol, guesser, accuracy, low, high.
    """
    p = study.profile
    frozen = {name: study.test_pairs(name) for name in pairs.PROTOCOLS}

    def make() -> list[dict]:
        rows = []
        for name, asked in frozen.items():
            for who, right in learnt(study.corpus, name, asked, p.seed).items():
                found = scored([right], *evaluation.groups(study.manifest, asked))
                rows.append({"protocol": name, "guesser": who, "accuracy": found["ours"], "low": found["interval"][0],
                             "high": found["interval"][1]})
        return rows

    about = [study.corpus_key, p.seed, [asked.digest for asked in frozen.values()]]
    return store.table(study, __name__, "shortcuts", about, make)


def gains(learnt: pd.DataFrame, exact: pd.DataFrame) -> pd.DataFrame:
    """What trained guessers gain from one half of the pair over the likelier answer: protocol, guesser, "gain" in
    points, and whether it is "clear": the whole interval lies above what the likelier answer gets.

    learnt : as `trained` gives it
    exact : as `guessers` gives it

    Chapter: Shortcuts.
    """
    likelier = exact.loc[learnt["protocol"], "nothing"].to_numpy()
    return learnt[["protocol", "guesser"]].assign(gain=learnt["accuracy"] - likelier, clear=learnt["low"] > likelier)


def passing(exact: pd.DataFrame, reported: float) -> list[str]:
    """The protocols under which somebody who knows one half only gets more than `reported` per cent.

    exact : as `guessers` gives it

    Chapter: Shortcuts.
    """
    best = exact[list(KNOWS)].max(axis=1)
    return best.index[best > reported].tolist()
