"""Accuracies of this run with all that is known of their luck, as other chapters read them.

Chapter: How sure are we.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from acp_lib.audits import repeated, uncertainty
from acp_lib.emotions import CLASSES
from acp_lib.experiment import evaluation, intervals
from acp_lib.results import store, tables
from acp_lib.results.scores import of, scored

if TYPE_CHECKING:
    from acp_lib.study import Study

OTHERS = ("L3-Net", "Spectrogram-ACP")


def load(study: Study) -> list[dict]:
    """Rows "what" = "accuracy" (in per cent, ACP-Net of the audits: over runs, pictures and songs, and "over_runs" and
    "over_items" alone), "difference" (in points, of it and each other way of Table 4, "p" by itself and "holm") and
    "component" (standard deviation in points, and share of what initial weights, pairs and split bring), each with
    `scores.of` of the audited networks.

    Chapter: How sure are we.
    """
    return store.load(study, "how_sure", lambda s: [{**row, **of(s.audited)} for row in _rows(s)])


def right(study: Study) -> dict[str, list[np.ndarray]]:
    """For each method, for each of its runs, whether it was right about each frozen evaluation pair; ACP-Net is that of
    the audits.
    """
    trained = study.trained("pairs", *OTHERS)
    found = {"ACP-Net": [run.correct for run in study.audited.runs]}
    found |= {name: [run.correct for run in trained[name]] for name in OTHERS}
    return found | {name: [study.baselines[name].to_numpy()] for name in study.baselines}


def _rows(study: Study) -> list[dict]:
    said, names = right(study), tables.groups(study, study.test_pairs())
    own = said.pop("ACP-Net")
    whole = {"what": "accuracy", "row": "ACP-Net", **scored(own, *names)}
    whole |= {"over_runs": [float(e) for e in evaluation.t_interval(whole["values"])] if len(own) > 1 else None,
              "over_items": list(intervals.mean(np.mean(own, 0), *names).scaled(100).interval()),
              "stuck": tables.stuck(study, study.audited.runs)}
    compared = []
    for name, other in said.items():
        found = intervals.difference(own, other, *names).scaled(100)
        compared.append({"what": "difference", "row": name, **found.row(), "p": found.p()})
    return [whole, *uncertainty.holm(compared), *components(study)]


def components(study: Study) -> list[dict]:
    """The rows "what" = "component" of `load`, and in per cent their "values", one a run.

    Chapter: How sure are we.
    """
    groups = repeated.accuracies(study)
    return [{"what": "component", "row": row.pop("source"), "values": groups[name], **row}
            for name, row in zip(groups, uncertainty.components(groups, among=repeated.DRAWS), strict=True)]


def mislabelled(study: Study) -> dict[str, dict[str, np.ndarray]]:
    """P(true class | label) of "image" and "music" over the training part: "estimated" from the features and, where the
    data is synthetic, "known"; nothing where a class is missing or has a single song.

    Chapter: How sure are we.
    """
    found = {}
    for modality in ("image", "music"):
        side, rows = getattr(study.corpus, modality), study.manifest[study.manifest["modality"] == modality]
        train = side.rows("train")
        label, groups = side.label[train], rows["group"].to_numpy()[train]
        fewest = pd.Series(groups).groupby(label).nunique().min()
        if len(set(label)) < len(CLASSES) or fewest < 2:
            return {}
        estimated = uncertainty.wrong_labels(side.x[train].numpy(), label, groups, folds=int(min(5, fewest)),
                                             seed=study.profile.seed)
        found[modality] = {"label": label, "estimated": estimated}
        if study.synthetic:
            truth = pd.read_csv(study.root / "truth.csv").drop_duplicates("id").set_index("id")
            names = rows["id"].str.split("#").str[0].iloc[train]
            true = truth["true_class"].reindex(names).to_numpy()
            counts = pd.crosstab(label, pd.Series(true).map({c: k for k, c in enumerate(CLASSES)})).reindex(
                index=range(3), columns=range(3), fill_value=0).to_numpy(float)
            found[modality]["known"] = counts / counts.sum(1, keepdims=True)
    return found


def wrong(found: dict[str, dict[str, np.ndarray]]) -> dict[str, dict[str, float]]:
    """From what `mislabelled` found: for each way that gives it for both halves, the share of wrong labels of "image"
    and "music", and the "ceiling" that they leave, shares; empty where nothing was found.

    Chapter: How sure are we.
    """
    ways = [way for way in ("estimated", "known") if found and all(way in side for side in found.values())]
    return {way: {modality: uncertainty.noise(side[way], side["label"]) for modality, side in found.items()}
            | {"ceiling": uncertainty.ceiling(found["image"][way], found["music"][way])} for way in ways}
