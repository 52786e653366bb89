"""Tables 4 and 5 with every sample tested once: the corpus is dealt into folds of whole songs and equal pictures, and
each fold is the test part of networks of its own. For recorded studies of real pictures and music.

Paper: Section 4, Tables 4 and 5.
Chapter: Real pictures, real music.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from acp_lib import paper, streams
from acp_lib.audits import additive
from acp_lib.audits.standing import ADDITIVE, HALVES
from acp_lib.experiment import baselines, evaluation, intervals, runs
from acp_lib.experiment.corpus import Pairs
from acp_lib.experiment.intervals import Estimate
from acp_lib.experiment.methods import CORRESPONDENCE
from acp_lib.experiment.pairs import joint, oracle
from acp_lib.experiment.probes import Probed
from acp_lib.experiment.runs import Run
from acp_lib.results import answers, recognition, tables
from acp_lib.results.answers import Question
from acp_lib.study import AUDIT

if TYPE_CHECKING:
    from acp_lib.study import Study

FOLDS = 5
TWO = "two classifiers, compared"

Networks = dict[str, list[Run]]
"""The trained networks of a fold by the name of their method, the audited ones under AUDIT."""

Right = dict[str, np.ndarray]
"""By the name of a method: whether each run is right about each test pair of a fold [shape=(runs, pairs)]."""


def dealt(study: Study, folds: int = FOLDS) -> list[Study]:
    """A study for each fold, with initial weights of its own."""
    return [study.variant(folds=folds, split_draw=k, init_draw=k) for k in range(folds)]


def rows(study: Study, networks: Sequence[str] = tuple(CORRESPONDENCE), folds: int = FOLDS) -> list[dict]:
    """What is recorded; `networks` are those of Table 4 that are trained, and ACP-Net is one of them.

    Returns
    -------
    rows of a "table": 4, 5, or "standing", "how_sure" (differences of ACP-Net and others) or "recognition" as results
    of those names have them. All have "row", in per cent or points "ours", "interval" and "variances" of
    `intervals.pooled`, "values" (one a fold), and of ACP-Net its "network". Table 4: "paper", "runs", "stuck" (of
    networks). Table 5: "paper", "what", "runs", "samples", "balanced", "confusion" and "classes". The first row also
    "pairs", "pictures" and "songs" that were tested, and "protocol"
    """
    some, networks = dealt(study, folds), tuple(dict.fromkeys([*networks, "ACP-Net"]))
    runs.train([run for s in some for run in _planned(s, networks)], study.work)
    return [*_correspondence(some, networks), *(row for m in ("image", "music") for row in _recognition(some, m))]


def _planned(study: Study, networks: Sequence[str]) -> list[Run]:
    own = [run for name in networks for run in study.planned("pairs", name)]
    return own + study.audited.planned("pairs", "ACP-Net")


# --- Table 4


def asked_of(study: Study) -> Pairs:
    """The test pairs of a fold, drawn by themselves: folds that drew the same classes would share that luck."""
    p = study.profile
    rng = streams.generator("test pairs of a fold", p.seed, p.splitting.split_draw)
    return study.corpus.draw("test", p.pairing.pairs, p.pairing.test_pairs, rng)


def answers_of(study: Study, made: Networks, asked: Pairs) -> Right:
    """Of networks: whether each run is right about each pair. Each computes where it was trained."""
    truth, found = asked.truth == 1, {}
    for name, own in made.items():
        said = [evaluation.probability(run.model().to(run.device), run.task.corpus, asked) for run in own]  # type: ignore
        found[name] = np.array([(p > 0.5) == truth for p in said], float)
    return found


def _right(study: Study, made: Networks, asked: Pairs) -> Right:
    found = answers_of(study, made, asked)
    added = [additive.emap(run.model(), study.corpus, asked, seed=run.seed)[0] for run in made[AUDIT]]
    found[ADDITIVE] = np.array([(margin > 0) == (asked.truth == 1) for margin in added], float)
    said = baselines.correct(study.corpus, asked, study.profile.pairing.pairs, study.profile.seed)
    return found | {str(name): held.to_numpy(float)[None] for name, held in said.items()}


@dataclass(frozen=True)
class Judged:
    """What methods said about the test pairs of each fold.

    right : whether they were right, a fold; names : the picture and the song of each of its pairs
    """

    right: list[Right]
    names: list[tuple[np.ndarray, np.ndarray]]

    def scored(self, name: str) -> list[Estimate]:
        """A method's accuracy in each fold."""
        return [intervals.mean(r[name], *own) for r, own in zip(self.right, self.names, strict=True)]

    def less(self, one: str, other: str) -> list[Estimate]:
        """By how much one method is right more often than another, in each fold."""
        return [intervals.difference(r[one], r[other], *own) for r, own in zip(self.right, self.names, strict=True)]

    def row(self, table: object, name: str, folds: Sequence[Estimate], **more) -> dict:
        """A row of a table, of the estimates of all folds."""
        return {"table": table, "row": name, **pooled(folds, [len(own[0]) for own in self.names]), **more}

    def networks(self, some: Sequence[Study], made: Sequence[Networks], **more: dict) -> list[dict]:
        """Rows of Table 4 of the networks, each with the paper's number, its "runs" and how many of them are "stuck".

        more : by the name of a network, what else its row has
        """
        return [self.row(4, "ACP-Net" if name == AUDIT else name, self.scored(name),
                         paper=paper.CORRESPONDENCE.get(name),
                         runs=sum(len(r[name]) for r in self.right), **more.get(name, {}),
                         stuck=sum(tables.stuck(s, own[name]) for s, own in zip(some, made, strict=True)))
                for name in made[0]]

    def sizes(self, study: Study) -> dict:
        """How much was tested, of what protocol."""
        return {"pairs": sum(len(songs) for _, songs in self.names), "protocol": study.profile.pairing.pairs,
                **{what: sum(len(set(own[k])) for own in self.names) for k, what in enumerate(("pictures", "songs"))}}


def _correspondence(some: Sequence[Study], networks: Sequence[str]) -> list[dict]:
    made: list[Networks] = [{**s.trained("pairs", *networks), AUDIT: s.audited.runs} for s in some]
    asked = [asked_of(s) for s in some]
    right = [_right(s, own, pairs) for s, own, pairs in zip(some, made, asked, strict=True)]
    judged = Judged(right, [tables.groups(s, pairs) for s, pairs in zip(some, asked, strict=True)])
    network = {"ACP-Net": {"network": some[0].network}, AUDIT: {"network": some[0].audited.network}}
    found = judged.networks(some, made, **network)
    found += [judged.row(4, name, judged.scored(name), paper=paper.CORRESPONDENCE.get(name),
                         runs=sum(len(r[name]) for r in right)) for name in right[0] if name not in made[0]]
    found[0] |= judged.sizes(some[0])
    found += [judged.row("how_sure", other, judged.less(one, other), what="difference", **network[one])
              for one in reversed(network) for other in (*networks, TWO) if other != "ACP-Net"]
    joints = [joint(some[0].profile.pairing.pairs, *s.corpus.counts("test")) for s in some]
    chance = {"chance": max(oracle(table) for table in joints), "pairs": some[0].profile.pairing.pairs,
              "one_sided": max(oracle(table, axis) for table in joints for axis in (0, 1))}
    return found + [judged.row("standing", "ACP-Net", judged.scored(AUDIT), **network[AUDIT], **chance),
                    *(judged.row("standing", who, judged.less(AUDIT, name), **network[AUDIT])
                      for name, who in (*HALVES.items(), (ADDITIVE, ADDITIVE)))]


def pooled(folds: Sequence[Estimate], sizes: Sequence[int]) -> dict:
    """`intervals.pooled` of folds of so many items each, as a row in per cent, with "values" (one a fold)."""
    found = intervals.pooled(folds, sizes).scaled(100)
    return {**found.row(), "values": [round(100 * fold.value, 2) for fold in folds]}


# --- Table 5


def _recognition(some: Sequence[Study], modality: str) -> list[dict]:
    asked = [Question.of(s, modality) for s in some]
    if len({question.names for question in asked}) > 1:
        raise ValueError(f"some folds ask for {asked[0].what} and others for other labels of {modality}; expected each "
                         "of them in every fold: give more samples, or fewer folds")
    said = [answers.given(s, question, controls=False) for s, question in zip(some, asked, strict=True)]
    reported, labels, found = dict(paper.RECOGNITION[modality]), range(len(asked[0].names)), []
    sizes = [len(q.groups) for q in asked]
    for name in said[0]:
        probed = [given[name][0] for given in said]
        folds = [intervals.mean([p.correct for p in own], q.groups) for own, q in zip(probed, asked, strict=True)]
        every = [p for own in probed for p in own]
        found.append({"table": 5, "what": asked[0].what, "classes": list(asked[0].names), "row": name,
                      "paper": reported.get(name), **pooled(folds, sizes),
                      **({"network": some[0].network} if name.startswith("ACP-Net") else {}), "runs": len(every),
                      "samples": sum(sizes), "balanced": 100 * _balanced(every),
                      "confusion": np.sum([p.confusion(labels) for p in every], 0).tolist()})
    for m, one, other in recognition.COMPARED:
        if m == modality:
            right = [{name: [p.correct for p in given[name][0]] for name in (one, other)} for given in said]
            folds = [intervals.difference(r[one], r[other], q.groups) for r, q in zip(right, asked, strict=True)]
            found.append({"table": "recognition", "what": recognition.WORDS[m], "row": f"{one} against {other}",
                          "network": some[0].network, **pooled(folds, sizes)})
    return found


def _balanced(probed: Sequence[Probed]) -> float:
    """Mean over the classes of the share called right, of all folds and runs together."""
    return Probed(*(np.concatenate([getattr(p, name) for p in probed]) for name in ("truth", "predicted"))).balanced
