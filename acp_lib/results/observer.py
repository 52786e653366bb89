"""What the best possible observer says of single pairs of the mini database: who sees the point that each item
expresses, and knows how the points of each label are spread. `Study.bayes_rate` is the share that is then right.

Chapter: What it gets right and wrong; Retrieval.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from acp_lib.emotions import CLASSES, REGROUPING
from acp_lib.experiment.corpus import Pairs
from acp_lib.experiment.pairs import joint

if TYPE_CHECKING:
    from acp_lib.study import Study

PLACES = {"image": "places", "music": "music_places"}  # of the labels, in truth.json


def likelihoods(ids: pd.Series, made: pd.DataFrame, about: dict, modality: str) -> np.ndarray:
    """How likely each class, as a label, makes the point of each sample, up to a factor: (N, 3).

    ids : of the samples; all segments of a song, "song#1" and so on, have its point
    made : the database's own record, a row a picture or song: "id", "valence", "arousal", "dominance"
    about : how it was made, `Study.truth`

    Chapter: What it gets right and wrong.
    """
    places, spread, noise = about[PLACES[modality]], about["spread"][modality], about["noise"]
    centre = np.array(list(places.values()))
    point = made.set_index("id").loc[ids.str.split("#").str[0], ["valence", "arousal", "dominance"]].to_numpy(float)
    apart = ((point[:, None, :centre.shape[1]] - centre) ** 2).sum(-1) / spread**2
    mixed = np.where(np.eye(len(centre), dtype=bool), 1 - noise, noise / (len(centre) - 1))  # P(truth | label)
    number = np.array([[about["counts"][modality][label] * (c == REGROUPING.get(label, label)) for c in CLASSES]
                       for label in places], float)
    return np.exp((apart.min(1, keepdims=True) - apart) / 2) @ mixed.T @ (number / number.sum(0))


def probability(study: Study, pairs: Pairs) -> np.ndarray | None:
    """What the best possible observer gives to each pair being true, if pairs are drawn by the profile's protocol (n,);
    None where nobody knows how the data came about.

    Chapter: What it gets right and wrong; Retrieval.
    """
    if study.truth is None:
        return None
    made, manifest = pd.read_csv(study.root / "truth.csv"), study.manifest
    image, music = (likelihoods(manifest["id"][manifest["modality"] == m], made, study.truth, m) for m in PLACES)
    each = image[pairs.image][:, :, None] * music[pairs.music][:, None] * joint(
        study.profile.pairing.pairs, *study.corpus.counts("test"))  # (n, class of the picture, class of the music)
    return np.trace(each, axis1=1, axis2=2) / each.sum((1, 2))
