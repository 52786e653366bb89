"""What each method of Table 5 answers to the test samples of one modality.

Paper: Section 4, Results on emotion recognition; Table 5.
Chapter: Probes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from acp_lib.emotions import EMOTIONS
from acp_lib.experiment import methods, probes
from acp_lib.experiment.probes import Probed
from acp_lib.experiment.runs import Run
from acp_lib.experiment.splits import PARTS
from acp_lib.features.shards import Shards

if TYPE_CHECKING:
    from acp_lib.study import Study

INPUTS = {"image": "Inception-V3 features", "music": "193 numbers"}
CONTROL = "random labels"
"""What the names of methods hold that are trained on labels dealt at random."""


@dataclass(frozen=True)
class Question:
    """What is asked of one modality.

    label, part : class or emotion number, and train, val or test, of each sample that has a label [shape=(n,)]
    used : which samples of the modality these are [shape=(N,)]
    groups : the picture or song of each test sample
    names : of the labels
    """

    modality: str
    label: np.ndarray
    part: np.ndarray
    used: np.ndarray
    groups: np.ndarray
    names: tuple[str, ...]

    @classmethod
    def of(cls, study: Study, modality: str) -> Question:
        """That of a study: eight emotions where the training part has all of them, else three classes."""
        side, rows = getattr(study.corpus, modality), study.manifest[study.manifest["modality"] == modality]
        label, names = methods.labels(side)
        used, part = label >= 0, np.array(PARTS)[side.part]
        return cls(modality, label[used], part[used], used, rows["group"].to_numpy()[used & (part == "test")], names)

    @property
    def what(self) -> str:
        """What is asked, for readers."""
        words = f"{'picture' if self.modality == 'image' else 'music'}, {len(self.names)} classes"
        other = self.modality == "image" and len(self.names) != len(EMOTIONS)
        return f"{words} (paper: {len(EMOTIONS)})" if other else words


Answers = dict[str, tuple[list[Probed], list[Run]]]
"""By the name of a method: its answers, one a run, and the runs where it was trained with the loop."""


def given(study: Study, question: Question, controls: bool = True) -> Answers:
    """The answers of all methods, in the order of Table 5; those trained on random labels only if asked for."""
    modality = question.modality
    named = [name for name in methods.GROUPS[modality] if controls or CONTROL not in name]
    runs, features = study.trained(modality, *named), getattr(study.corpus, modality).x.numpy()
    embeddings = [methods.acp_net_embeddings(r.inputs, r.options, modality).x.numpy()
                  for r in runs["ACP-Net features + MLP"]]

    def fitted(probe: Callable, *inputs: np.ndarray, **options) -> tuple[list[Probed], list[Run]]:
        return [probe(x[question.used], question.label, question.part, **options) for x in inputs], []

    trained = {name: ([Probed(*r.predictions[["truth", "predicted"]].to_numpy().T) for r in made], made)
               for name, made in runs.items()}
    found = {"The most frequent": fitted(probes.majority, features)}
    if modality == "image":
        art = Shards(study.raw("art"))
        found["Art-based features + SVM"] = fitted(probes.svm, art[np.arange(len(art))])
    found |= {name: answers for name, answers in trained.items() if CONTROL not in name}
    found |= {"ACP-Net features, linear": fitted(probes.linear, *embeddings, balanced=False),
              f"{INPUTS[modality]}, linear": fitted(probes.linear, features, balanced=False)}
    return found | {name: answers for name, answers in trained.items() if CONTROL in name}
