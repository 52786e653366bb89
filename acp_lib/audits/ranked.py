"""What each method says of every test picture with every piece of test music, for a reader to look through.

Chapter: Retrieval.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from acp_lib import streams
from acp_lib.audits import additive, retrieval
from acp_lib.results import examples, observer, scores, store

if TYPE_CHECKING:
    from acp_lib.study import Study

MOST = {"image": 150, "music": 100}
"""Test samples of each modality that are looked through; of more a part is drawn."""


@dataclass(frozen=True)
class Ranked:
    """Scores of test pictures with test music.

    image, music : rows of the corpus [shapes=(n,), (m,)]
    methods : by their names, the probability that the pair is true, of networks the mean over their runs
        [shape=(n, m)]
    """

    image: np.ndarray
    music: np.ndarray
    methods: dict[str, np.ndarray]


def load(study: Study) -> Ranked:
    """Scores by ACP-Net, main and of the audits, by the best additive approximation of the latter, by two classifiers
    that know the classes and, where the data is synthetic, by the best possible observer.

    Samples that occur in the frozen test pairs are looked through, since the approximation is one over these; MOST of
    them at most.

    Chapter: Retrieval.
    """
    audited, asked = study.audited, study.test_pairs()
    rng = streams.generator("samples to look through", study.profile.seed)
    image, music = (examples.some(np.unique(side), MOST[m], rng)
                    for m, side in (("image", asked.image), ("music", asked.music)))
    runs = {scores.called({"row": "ACP-Net", "network": s.network}, short=True): s.runs for s in (study, audited)}
    rows, columns = np.searchsorted(np.unique(asked.image), image), np.searchsorted(np.unique(asked.music), music)

    def make() -> list[dict]:
        found = {name: _mean([additive.margins(run.model(), study.corpus, image, music) for run in some])
                 for name, some in runs.items()}
        grids = (additive.grid(run.model(), study.corpus, asked, seed=run.seed) for run in audited.runs)
        found["additive approximation (audit)"] = _mean([added(f, rows, columns) for f in grids])
        one, other = (retrieval.class_probabilities(side) for side in (study.corpus.image, study.corpus.music))
        found["two classifiers, compared"] = retrieval.products(one, other, image, music)
        best = observer.probability(study, examples.all_pairs(study.corpus, image, music))
        if best is not None:
            found["best possible observer"] = best.reshape(len(image), len(music))
        return [{"method": name, "score": score.ravel().tolist()} for name, score in found.items()]

    about = [study.corpus_key, [r.folder.name for some in runs.values() for r in some], asked.digest,
             study.profile.seed, study.truth]
    table = store.table(study, __name__, "ranked", about, make)
    return Ranked(image, music, {name: np.reshape(score, (len(image), len(music)))
                                 for name, score in zip(table["method"], table["score"], strict=True)})


def _mean(margins: list[np.ndarray]) -> np.ndarray:
    """The mean over runs of the probabilities that margins stand for."""
    return np.mean(expit(margins), axis=0)


def added(f: additive.Grid, pictures: np.ndarray, music: np.ndarray) -> np.ndarray:
    """The additive projection of a network's margins for some rows with some columns of its grid: (n, m)."""
    by_image, by_music, mean = additive.projection(f)
    return by_image[pictures][:, None] + by_music[music] - mean
