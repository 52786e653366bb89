"""What pairs tell without naming emotions, and whether emotions can be found again in what was learnt from them.

Paper: Section 4, Results on emotion recognition.
Chapter: Without emotion labels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from acp_lib import streams
from acp_lib.audits.additive import with_embeddings
from acp_lib.emotions import CLASSES, EMOTIONS
from acp_lib.experiment import probes
from acp_lib.experiment.corpus import Corpus, Modality, Pairs
from acp_lib.experiment.methods import shuffled
from acp_lib.experiment.splits import PARTS
from acp_lib.results import store

if TYPE_CHECKING:
    from acp_lib.study import Study

INITS = 5
MODALITIES = ("image", "music")
CLEAR = 0.05
"""By how much an adjusted Rand index must rise to count as risen."""
RECURRING = 0.2
"""Share of the training groups that must have several samples for a control task to be judged on their others."""


# --- classes from pairs


def partition(pairs: Pairs) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The sets of samples that must be of one class because true pairs connect them.

    Returns
    -------
    the pictures in the pairs, and the number of each one's set; the same for the pieces of music
    """
    (image, i), (music, j) = (np.unique(x, return_inverse=True) for x in (pairs.image, pairs.music))
    true, n = pairs.truth == 1, len(image) + len(music)
    links = coo_array((np.ones(true.sum()), (i[true], len(image) + j[true])), shape=(n, n))
    number = connected_components(links, directed=False)[1]
    return image, number[:len(image)], music, number[len(image):]


def learnt_from(corpus: Corpus, pairs: Pairs, steps: int = 24) -> pd.DataFrame:
    """How far the first pairs of a list give the classes away, for growing numbers of them.

    Returns
    -------
    pairs, samples (that stood in them), sets (connected by true pairs), largest (share of samples that are in as many
    of the largest sets as there are classes), ari (adjusted Rand index of the sets with the classes)
    """
    rows = []
    for n in np.unique(np.geomspace(4, len(pairs), steps).astype(int)):
        image, of_image, music, of_music = partition(Pairs(pairs.image[:n], pairs.music[:n], pairs.truth[:n]))
        found = np.concatenate([of_image, of_music])
        truth = np.concatenate([corpus.image.label[image], corpus.music.label[music]])
        sizes = np.sort(np.bincount(found))[::-1]
        rows.append({"pairs": int(n), "samples": len(found), "sets": len(sizes),
                     "largest": float(sizes[:len(set(truth))].sum() / len(found)),
                     "ari": float(adjusted_rand_score(truth, found))})
    return pd.DataFrame(rows)


def pairs_of(study: Study, epochs: int = 1) -> Pairs:
    """The training pairs of the first epochs of the first run, in their order."""
    run = study.planned("pairs", "ACP-Net")[0]
    task, parts = run.task, []
    for epoch in range(1, epochs + 1):
        batches = task.epoch([run.seed, epoch], run.options.training.batch)
        parts.append((*batches.rows, batches.target))
    return Pairs(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def classes_met(corpus: Corpus, pairs: Pairs) -> int:
    """How many classes the halves of the pairs are of.

    Chapter: Without emotion labels.
    """
    return len(set(corpus.image.label[pairs.image]) | set(corpus.music.label[pairs.music]))


def recovered(course: pd.DataFrame, classes: int) -> bool:
    """Whether all pairs of a list give this many classes away exactly: the sets are the classes.

    course : as `learnt_from` gives it

    Chapter: Without emotion labels.
    """
    last = course.iloc[-1]
    return bool(last["sets"] == classes and last["ari"] == 1)


# --- classes from clusters


def truths(side: Modality) -> dict[str, np.ndarray]:
    """What clusters are held against: "classes" and, of pictures with known emotions, "emotions"; -1 where unknown."""
    found = {"classes": side.label}
    if side.emotion is not None and len(set(side.emotion[side.emotion >= 0])) > len(CLASSES):
        found["emotions"] = side.emotion
    return found


def clusters(side: Modality, k: int, *, inits: int = INITS, seed: int = 0) -> list[np.ndarray]:
    """k-means on the training samples' features, once for each start: the cluster of every sample (N,)."""
    x, found = side.x.numpy().astype(np.float64), []
    for start in range(inits):
        model = KMeans(k, n_init=1, random_state=streams.number("start of k-means", seed, start))
        found.append(model.fit(x[side.rows("train")]).predict(x))
    return found


def cluster_agreement(side: Modality, *, inits: int = INITS, seed: int = 0) -> list[dict]:
    """How well clusters of the test samples agree with their labels: k, truth, start, ari, ami.

    ARI and AMI are 1 for the same partition, and 0 on average for one at random.
    """
    rows, test = [], side.rows("test")
    for k in (len(CLASSES), len(EMOTIONS)):
        if k > len(side.rows("train")):
            continue
        for start, found in enumerate(clusters(side, k, inits=inits, seed=seed)):
            for name, label in truths(side).items():
                known = test[label[test] >= 0]
                rows.append({"k": k, "truth": name, "start": start,
                             "ari": float(adjusted_rand_score(label[known], found[known])),
                             "ami": float(adjusted_mutual_info_score(label[known], found[known]))})
    return rows


def met_again(group: np.ndarray, part: np.ndarray) -> tuple[np.ndarray, float]:
    """Parts with a sample of each training group (a song's segments) that has several taken from `train` to `again`;
    and the share of the training groups that this is.

    group, part : of each sample [shape=(N,)]
    """
    trained = pd.Series(group)[part == "train"]
    held = trained[trained.duplicated()].drop_duplicates().index
    parts = part.copy()
    parts[held] = "again"
    return parts, len(held) / trained.nunique()


def probed(side: Modality, group: np.ndarray, seed: int = 0, probe: Callable = probes.linear) -> dict:
    """How well a probe predicts the classes, and how much it could have memorised: balanced accuracies, 0 to 1.

    A control task assigns classes to whole groups at random. Such labels are not a property of the features: a probe
    that predicts them has memorised the groups. This is visible only where groups recur. So real and random labels are
    evaluated on other samples of the training groups or, where groups have one sample, on the training samples.

    Parameters
    ----------
    group : song or picture of each sample [shape=(N,)]
    probe : as `probes.linear`

    Returns
    -------
    {"probe": real classes on test samples, which are new; "known": real classes, and "control": random classes, both on
    samples of known groups; "recurring": share of the training groups that have several samples}

    Source: Hewitt and Liang (2019), whose control labels belong to words, which recur.
    """
    part, x = np.array(PARTS)[side.part], side.x.numpy()
    names, of = np.unique(group, return_inverse=True)
    first = np.unique(of, return_index=True)[1]
    dealt = shuffled(side.label[first], seed)[of]
    again, recurring = met_again(group, part)
    parts, to = (again, "again") if recurring >= RECURRING else (part, "train")
    known, control = (probe(x, label, parts, to=to).balanced for label in (side.label, dealt))
    return {"probe": probe(x, side.label, part).balanced, "known": known, "control": control, "recurring": recurring}


def judged_on(recurring: float) -> str:
    """On which samples `probed` judges known groups, in words.

    Chapter: Without emotion labels.
    """
    return "other samples of the training groups" if recurring >= RECURRING else "the training samples themselves"


def memory_in_words(known: float, control: float, chance: float) -> str:
    """How much of what a probe reads, by `probed`, it could have memorised. chance : one over the number of classes

    Chapter: Without emotion labels.
    """
    if known <= chance:
        return "it reads nothing beyond guessing"
    share = max(control - chance, 0) / (known - chance)
    return "all of it could be memory" if share >= 1 else f"{100 * share:.0f} % of it could be memory"


def found(study: Study) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`cluster_agreement` and `probed` of both modalities, for the features, and for the embeddings of each run's
    network before and after training: columns space, seed and modality beside theirs.
    """
    trained, p = study.runs, study.profile
    groups = {m: study.manifest["group"][study.manifest["modality"] == m].to_numpy() for m in MODALITIES}

    def spaces() -> Iterator[tuple[str, int, Corpus]]:
        yield "features", p.seed, study.corpus
        for run in trained:
            yield "before training", run.seed, with_embeddings(run.untrained().eval(), study.corpus)
            yield "after training", run.seed, with_embeddings(run.model(), study.corpus)

    def make() -> list[dict]:
        rows = []
        for space, seed, corpus in spaces():
            for m in MODALITIES:
                side, about = getattr(corpus, m), {"space": space, "seed": seed, "modality": m}
                rows += [about | row for row in cluster_agreement(side, seed=p.seed)]
                rows.append(about | {"truth": "probe", **probed(side, groups[m], seed)})
        return rows

    table = store.table(study, __name__, "structure",
                       [study.corpus_key, [r.folder.name for r in trained], p.seed], make)
    probe = table["truth"] == "probe"
    read = ["probe", "known", "control", "recurring"]
    return (table[~probe].drop(columns=read).astype({"k": int}),
            table.loc[probe, ["space", "seed", "modality", *read]])


def agreement(clustered: pd.DataFrame, modality: str, space: str, truth: str = "classes",
              k: int = len(CLASSES)) -> float:
    """Mean adjusted Rand index of k clusters with the labels of one modality in one space; NaN where there is none.

    clustered : as `found` gives it

    Chapter: Without emotion labels.
    """
    rows = clustered[(clustered["modality"] == modality) & (clustered["space"] == space) & (clustered["truth"] == truth)
                     & (clustered["k"] == k)]
    return float(rows["ari"].mean())


def brought_out(clustered: pd.DataFrame, modality: str) -> dict:
    """Whether training has made classes stand out: the `agreement` of as many clusters as classes in "features",
    "before" and "after" training; "gain", from the better of the first two to the third; "clear", in how many of the
    "runs" it is more than `CLEAR`; and that in words, "has".

    Chapter: Without emotion labels.
    """
    bare = clustered[clustered["space"] == "features"]
    features, before, after = (agreement(clustered, modality, space)
                               for space in ("features", "before training", "after training"))
    gains = []
    for seed in clustered.loc[clustered["space"] == "after training", "seed"].unique():
        run = pd.concat([bare, clustered[(clustered["seed"] == seed) & (clustered["space"] != "features")]])
        gains.append(agreement(run, modality, "after training")
                     - max(agreement(run, modality, "features"), agreement(run, modality, "before training")))
    clear = int(sum(gain > CLEAR for gain in gains))
    return {"features": features, "before": before, "after": after, "gain": after - max(features, before),
            "clear": clear, "runs": len(gains),
            "has": "has" if clear == len(gains) else f"has, in {clear} of {len(gains)} runs," if clear else "has not"}
