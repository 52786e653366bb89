"""How well pictures and songs fit, as a trained ACP-Net has it: a calibrated probability of each pair, and ranks.

    from acp_lib.matching.scores import match

    found = match("photo.jpg", "songs")                            # by the networks of the mini book
    found = match("photos", "song.mp3", "folder", data="my_corpus")
    found.table, found.refused, found.about

Chapter: How to read and rerun.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit

from acp_lib import profiles
from acp_lib.audits.additive import margins
from acp_lib.audits.uncertainty import scores as scored
from acp_lib.experiment import evaluation, intervals
from acp_lib.experiment.corpus import Corpus, Modality, scaled
from acp_lib.experiment.pairs import joint, oracle
from acp_lib.matching import files
from acp_lib.matching.files import Files
from acp_lib.profiles.places import existing
from acp_lib.results import tables
from acp_lib.results.scores import acp_net
from acp_lib.study import WIDTHS, Study

MOST = 5_000_000
"""Pairs of a picture and a segment of a song that are scored at once."""
SOFTEST, SHARPEST = 1000.0, 0.05
"""Bounds of the temperature."""
COLUMNS = ["picture", "song", "probability", "lowest", "highest", "place_of_song", "place_of_picture", "segments",
           "seconds"]


@dataclass(frozen=True)
class Matches:
    """What `match` found.

    table : a row a pair, COLUMNS; the best first, picture by picture, or the pictures of the one song
        probability, of 0 to 1, that the pair is true, by the mean of all networks; lowest, highest : by one alone
        place_of_song among the songs for this picture, place_of_picture among the pictures for this song; from 1,
        equals share one
        segments, seconds : of the song that were heard
    refused : "path", "reason" of all that could not be used, "picture" or "song" it was taken for
    about : what network said it, what it was trained on, and how often it is right; plain numbers and texts
    pictures, songs : what was scored
    """

    table: pd.DataFrame
    refused: pd.DataFrame
    about: dict[str, Any]
    pictures: Files
    songs: Files

    @property
    def query(self) -> str:
        """The column of what things are ranked for: "song" for one song and several pictures, else "picture"."""
        return "song" if len(self.songs.paths) == 1 < len(self.pictures.paths) else "picture"


def match(pictures: str | PathLike, songs: str | PathLike, profile: str = "mini", *, progress: bool = False,
          **options: Any) -> Matches:
    """Score each picture against each song by the networks of a profile, which are trained if they are not there.

    A song is cut into segments as those of the profile's data are, one a minute; its score is the mean over them, and
    over the networks of all seeds, of the log-odds of "true". That mean is divided by a temperature, which is fitted
    on the validation part, so it keeps its order, and so becomes a probability: of pairs that are drawn like those of
    validation, of which about half are true.

    Parameters
    ----------
    pictures, songs : a file, or a folder with all that lies in it
    profile, options : as of the book: data, seeds, weights, work and so on
    progress : whether bars are shown

    Raises
    ------
    ValueError
        For a path that leads nowhere; where no picture or no song can be used; for more than MOST pairs; for an unknown
        option.

    Source: Guo et al. (2017), On calibration of modern neural networks, ICML.
    Paper: Section 1.  Chapter: How to read and rerun.
    """
    return matched(Study(profiles.load(profile, **options), progress), existing(pictures), existing(songs))


def matched(study: Study, pictures: Path, songs: Path) -> Matches:
    """`match` by the networks of a study."""
    both = [files.opened(study, path, modality) for path, modality in ((pictures, "image"), (songs, "music"))]
    n, m = (len(side.samples) for side in both)
    if n * m > MOST:
        raise ValueError(f"{n:,} pictures and {m:,} segments of songs are {n * m:,} pairs; expected {MOST:,} at most: "
                         "give a part of them at a time")
    (seen, x), (heard, y) = (files.described(study, side) for side in both)
    t, about = _calibrated(study)
    corpus = Corpus(_scaled(study, "image", x), _scaled(study, "music", y))
    said = np.array([margins(run.model(), corpus, np.arange(len(x)), np.arange(len(y))) for run in study.runs])
    of = heard.samples["path"].map({path: k for k, path in enumerate(heard.paths)}).to_numpy()
    of_songs = np.stack([said[:, :, of == k].mean(2) for k in range(len(heard.paths))], 2)
    table = tabled(seen.paths, heard.paths, of_songs, t)
    lengths = heard.samples.groupby("path")["duration"].agg(segments="size", seconds="sum")
    known = set(study.manifest["sha"][study.part == "train"])
    about["met_in_training"] = {f"{files.NAMES[side.modality]}s": side.samples["path"][side.samples["sha"].isin(known)]
                                .nunique() for side in (seen, heard)}
    refused = pd.concat([given.refused.assign(taken_for=what) for given, what in ((seen, "picture"), (heard, "song"))],
                        ignore_index=True)
    return Matches(table.join(lengths, on="song")[COLUMNS], refused, about, seen, heard)


def tabled(pictures: Sequence[str], songs: Sequence[str], said: np.ndarray, t: float) -> pd.DataFrame:
    """`Matches.table` without what was heard of each song: the first seven COLUMNS.

    said : log-odds of "true" by each network [shape=(runs, len(pictures), len(songs))]; t : temperature, above 0
    """
    i, j = (a.ravel() for a in np.indices(said.shape[1:]))
    flat = said.reshape(len(said), -1)
    table = pd.DataFrame({"picture": np.array(pictures, object)[i], "song": np.array(songs, object)[j],
                          "probability": expit(flat.mean(0) / t), "lowest": expit(flat.min(0) / t),
                          "highest": expit(flat.max(0) / t), "odds": flat.mean(0)})
    for of, among in (("song", "picture"), ("picture", "song")):
        table[f"place_of_{of}"] = table.groupby(among)["odds"].rank(method="min", ascending=False).astype(int)
    one = len(songs) == 1
    order = [*([] if one else ["picture"]), "place_of_picture" if one else "place_of_song", "song", "picture"]
    return table.drop(columns="odds").loc[table.sort_values(order, kind="stable").index].reset_index(drop=True)


def temperature(said: np.ndarray, truth: np.ndarray) -> float:
    """What log-odds are to be divided by for the likelihood of what is true to be highest; SHARPEST to SOFTEST.

    said : log-odds of "true" [shape=(n,)]; truth : 1 or 0 [shape=(n,)]

    Source: Guo et al. (2017), On calibration of modern neural networks, ICML.  Chapter: How to read and rerun.
    """
    right = np.where(np.asarray(truth) == 1, said, -said)
    found = minimize_scalar(lambda log_t: np.logaddexp(0, -right / np.exp(log_t)).mean(), method="bounded",
                            bounds=(np.log(SHARPEST), np.log(SOFTEST)))
    return float(np.exp(found.x))


def _calibrated(study: Study) -> tuple[float, dict[str, Any]]:
    """The temperature of the mean of a study's networks, and `Matches.about`."""
    held = study.correspondence.pairs("val")
    logits = [evaluation.logits(run.model(), study.corpus, held).double().numpy() for run in study.runs]
    t = temperature(np.mean([x[:, 1] - x[:, 0] for x in logits], 0), held.truth)
    tested = study.test_pairs()
    odds = np.mean([logit(np.clip(run.probability, 1e-12, 1 - 1e-12)) for run in study.runs], 0)
    judged = {name: scored(tested.truth, expit(odds / at)) for name, at in (("raw", 1.0), ("calibrated", t))}
    made, p = study.provenance, study.profile
    right = intervals.mean(((odds > 0) == (tested.truth == 1))[None].astype(float), *tables.groups(study, tested))
    return t, {
        "network": acp_net(study), "width": WIDTHS[p.network.fc_width], "seeds": list(p.run_seeds),
        **{key: made[key] for key in ("profile", "data", "synthetic", "data_fingerprint", "image_weights",
                                      "image_weights_digest", "device", "settings", "code", "versions")},
        "temperature": t, "validation_pairs": len(held), "validation_true": float(held.truth.mean()),
        "test_pairs": len(tested), "test_true": float(tested.truth.mean()),
        "test_accuracy": judged["calibrated"]["accuracy"], "test_interval": list(right.interval()),
        "test_chance": oracle(joint(p.pairing.pairs, *study.corpus.counts("test"))) / 100,
        "test_calibration_error": judged["calibrated"]["ece"],
        "test_calibration_error_before": judged["raw"]["ece"]}


def _scaled(study: Study, modality: str, x: np.ndarray) -> Modality:
    """Features as the networks take them, scaled by the statistics of the study's training part."""
    known = study.features[modality][getattr(study.corpus, modality).rows("train")]
    both = scaled(np.concatenate([known, x]), np.arange(len(known)), study.profile.features.scaling)
    nothing = np.zeros(len(x), int)
    return Modality(torch.from_numpy(both[len(known):]), nothing, nothing)
