"""Which clips, pictures and errors are shown, by rules and not by hand.

Chapter: What it gets right and wrong.
"""

from collections import Counter

import numpy as np
import pandas as pd
from torch import nn

from acp_lib.emotions import CLASSES
from acp_lib.experiment import evaluation
from acp_lib.experiment.corpus import Corpus, Pairs


def some(rows: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """n of some rows, drawn without replacement, in ascending order; all of them where there are no more.

    Chapter: What it gets right and wrong.
    """
    return np.sort(rng.choice(rows, min(n, len(rows)), replace=False))


def all_pairs(corpus: Corpus, pictures: np.ndarray, clips: np.ndarray) -> Pairs:
    """Each of some pictures with each of some clips, the clips of a picture one after another.

    Chapter: What it gets right and wrong.
    """
    i, j = np.repeat(pictures, len(clips)), np.tile(clips, len(pictures))
    return Pairs(i, j, (corpus.image.label[i] == corpus.music.label[j]).astype(int))


def median_clip(right: np.ndarray, clips: np.ndarray) -> tuple[int, float]:
    """The clip with the median share of right answers, and that share; the lower one of two medians.

    right : whether each pair was judged correctly [shape=(n,)]
    clips : the clip of each pair [shape=(n,)]

    Chapter: What it gets right and wrong.
    """
    share = pd.Series(right).groupby(clips).mean().sort_values(kind="stable")
    middle = (len(share) - 1) // 2
    return int(share.index[middle]), float(share.iloc[middle])


def typical_clips(model: nn.Module, corpus: Corpus, pictures: np.ndarray, rng: np.random.Generator,
                  most: int = 200) -> dict[str, tuple[int, float]]:
    """For each class that has test clips its median clip when a network judges it with some pictures.

    most : clips of a class that are judged, drawn where there are more

    Returns
    -------
    class -> (row of the clip in `Corpus.music`, share of the pictures with which it was judged right)

    Chapter: What it gets right and wrong.
    """
    test, found = corpus.music.rows("test"), {}
    for k, label in enumerate(CLASSES):
        clips = test[corpus.music.label[test] == k]
        if len(clips):
            drawn = all_pairs(corpus, pictures, some(clips, most, rng))
            right = (evaluation.probability(model, corpus, drawn) > 0.5) == (drawn.truth == 1)
            found[label] = median_clip(right, drawn.music)
    return found


def errors(probability: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Indices of the wrong answers, the most confident errors first.

    probability : of each pair being true, by the network [shape=(n,)]

    Chapter: What it gets right and wrong.
    """
    wrong = np.flatnonzero((probability > 0.5) != (truth == 1))
    return wrong[np.argsort(-np.abs(probability[wrong] - 0.5), kind="stable")]


def without_repeats(rows: np.ndarray, pairs: Pairs, n: int) -> np.ndarray:
    """The first n of some pairs, without those whose picture or music came before.

    rows : which of the pairs, in the order in which they are taken

    Chapter: What it gets right and wrong.
    """
    pictures, music = set(), set()
    taken: list[int] = []
    for k in rows:
        if len(taken) < n and pairs.image[k] not in pictures and pairs.music[k] not in music:
            pictures.add(pairs.image[k])
            music.add(pairs.music[k])
            taken.append(k)
    return np.array(taken, int)


def mislabelled(ids: pd.Series, made: pd.DataFrame) -> np.ndarray:
    """Whether samples of the synthetic database are labelled with another class than they were made for: bool (N,).

    ids : of samples; all segments of a song, "song#1" and so on, have its label
    made : the database's own record, a row a picture or song: "id", "true_class", "label_class"

    Chapter: What it gets right and wrong.
    """
    wrong = set(made["id"][made["true_class"] != made["label_class"]])
    return ids.str.split("#").str[0].isin(wrong).to_numpy()


def rounds(pairs: Pairs, probability: np.ndarray, pictures: np.ndarray, songs: np.ndarray, rng: np.random.Generator, *,
           most: int = 3, fifths: int = 5) -> list[np.ndarray]:
    """Pairs for a reader to judge, ten a round: in each five true and five false ones, and of either kind one of each
    fifth between the hardest and the easiest for a network, drawn with equal chances; of those drawn the first is taken
    whose picture and song came up the least so far.

    So a round asks for all kinds of pairs alike, and a network may expect its accuracy over true and false ones.

    Parameters
    ----------
    pairs : of the test part
    probability : of each being true, by the network [shape=(n,)]
    pictures, songs : what each pair was drawn with, copies counting as one, as `evaluation.groups` has them

    Returns
    -------
    numbers of the pairs, an array a round, in the order in which they are asked; no round holds a pair twice. There are
    fewer rounds, or none, where there are not enough different pairs of either kind.

    Chapter: What it gets right and wrong.
    """
    once = np.unique(np.stack([pairs.image, pairs.music]), axis=1, return_index=True)[1]
    given = np.where(pairs.truth == 1, probability, 1 - probability)  # to the truth
    strata = []
    for truth in (1, 0):
        kind = rng.permutation(once[pairs.truth[once] == truth])
        strata += np.array_split(kind[np.argsort(given[kind], kind="stable")], fifths)
    seen: Counter = Counter()
    heard: Counter = Counter()
    asked = []
    for _ in range(min(most, *(len(stratum) for stratum in strata))):
        taken = []
        for k, stratum in enumerate(strata):
            drawn = rng.permutation(stratum)
            times = [seen[pictures[n]] + heard[songs[n]] for n in drawn]
            taken.append(drawn[np.argmin(times)])
            strata[k] = stratum[stratum != taken[-1]]
            seen[pictures[taken[-1]]] += 1
            heard[songs[taken[-1]]] += 1
        asked.append(rng.permutation(taken))
    return asked
