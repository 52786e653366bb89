"""The paper's five tables, its numbers beside this run's; each row says what it was made from.

Chapter: Paper versus ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from acp_lib import paper
from acp_lib.database import released
from acp_lib.database.sources import IMAC
from acp_lib.database.tags import SUBSTRINGS
from acp_lib.emotions import CLASSES, EMOTIONS, REGROUPING
from acp_lib.experiment import evaluation
from acp_lib.experiment.baselines import BASELINES
from acp_lib.experiment.corpus import Pairs
from acp_lib.experiment.pairs import joint, oracle
from acp_lib.experiment.probes import Probed
from acp_lib.experiment.runs import Run
from acp_lib.results import convergence, store
from acp_lib.results.answers import Question, given
from acp_lib.results.scores import of, scored

if TYPE_CHECKING:
    from acp_lib.study import Study

SURVIVING = {r.path.removeprefix("clean_tags_").removesuffix(".txt"): r.rows for r in IMAC.remotes
             if r.rows and r.path.startswith("clean_tags_")}
"""How many tags the authors' clean lists hold, by string, as far as the lists survive."""


def table1(study: Study) -> list[dict]:
    """The regrouping: the emotions of each class, in the paper and in this run's manifest."""
    pictures = study.manifest[(study.manifest["modality"] == "image") & (study.manifest["emotion"] != "")]
    rows = []
    for label in CLASSES:
        held = set(pictures["emotion"][pictures["class"] == label])
        rows.append({"row": label, "paper": [e for e in EMOTIONS if REGROUPING[e] == label],
                     "ours": [e for e in EMOTIONS if e in held] or None})
    return rows


def table2(study: Study) -> list[dict]:
    """Example tags and clean tags in all: the paper's frequencies and those of this run's tag database; of clean tags
    also how many stand in those of the authors' lists that survive (`authors`).
    """
    found = study.tags
    counts = {} if found is None else dict(zip(found["tag"], found["frequency"], strict=True))
    rows = [{"row": tag, "class": label, "what": "tag", "paper": n, "ours": counts.get(tag, 0) if counts else None}
            for label, tags in paper.TAGS.items() for tag, n in tags.items()]
    for label, n in paper.CLEAN_TAGS.items():
        ours = None if found is None else int((found["class"] == label).sum())
        rows.append({"row": f"clean {label} tags", "class": label, "what": "clean tags", "paper": n, "ours": ours,
                     "authors": sum(k for s, k in SURVIVING.items() if SUBSTRINGS[s] == label)})
    return rows


def table3(study: Study) -> list[dict]:
    """Pictures and songs of each class, and hours of music; of songs also how many the authors' released scores give
    (`released`).
    """
    table = study.manifest
    pictures = table[table["modality"] == "image"]
    music = table[table["modality"] == "music"]
    songs = music.drop_duplicates("group")
    rows: list[dict] = []
    for what, held, reported in (("pictures", pictures, paper.IMAGES), ("songs", songs, paper.SONGS)):
        counts = held["class"].value_counts()
        rows += [{"row": c, "what": what, "paper": reported[c], "ours": int(counts.get(c, 0))} for c in CLASSES]
        rows.append({"row": "all", "what": what, "paper": sum(reported.values()), "ours": len(held)})
    labelled = released.labelled(released.released())
    for row in rows:
        if row["what"] == "songs":
            row["released"] = labelled.get(row["row"], sum(labelled.values()))
    rows.append({"row": "all", "what": "hours of music", "paper": paper.HOURS,
                 "ours": round(music["duration"].sum() / 3600, 2)})
    return rows


def table4(study: Study) -> list[dict]:
    """Accuracy of correspondence on the frozen evaluation pairs, in per cent; below the paper's rows, our baselines."""
    study.trained("pairs")
    rows = [{"row": name, "paper": value, **correspondence(study, name)}
            for name, value in paper.CORRESPONDENCE.items()]
    return rows + [{"row": name, "paper": None, **baseline(study, name)} for name in BASELINES]


def row_of(rows: list[dict], name: str) -> dict:
    """The row of that name.

    Raises
    ------
    KeyError
        If there is none.
    """
    return {row["row"]: row for row in rows}[name]


def groups(study: Study, pairs: Pairs) -> tuple[np.ndarray, np.ndarray]:
    """For each pair the picture and the song that it was drawn with, copies counting as one."""
    return evaluation.groups(study.manifest, pairs)


def baseline(study: Study, name: str) -> dict:
    """Accuracy of one of the baselines, which have no seeds to vary."""
    correct = [study.baselines[name].to_numpy()]
    return scored(correct, *groups(study, study.test_pairs()))


def correspondence(study: Study, name: str) -> dict:
    """Accuracy of a network of Table 4: mean over seeds with its interval, how many runs are "stuck", that of the run
    with the best validation accuracy (`best`), and what it is to be held against.
    """
    protocol, pairs = study.profile.pairing.pairs, study.test_pairs()
    trained = study.trained("pairs", name)[name]
    best = max(trained, key=lambda run: max(h["val_accuracy"] for h in run.history))
    return {**scored([run.correct for run in trained], *groups(study, pairs)), "stuck": stuck(study, trained),
            "best": 100 * float(best.correct.mean()),
            **{key: value for key, value in of(study).items() if key != "network" or name == "ACP-Net"},
            "chance": oracle(joint(protocol, *study.corpus.counts("test"))), "bayes": study.bayes_rate()}


def stuck(study: Study, trained: Sequence[Run]) -> int:
    """How many runs never left the plateau: a mean hides that runs are of two kinds.

    Chapter: Baselines; How sure are we.
    """
    level = convergence.plateau(oracle(joint(study.profile.pairing.pairs, *study.corpus.counts("val"))))
    return convergence.convergence([run.history for run in trained], level, 0).stuck


def table5(study: Study) -> list[dict]:
    """Emotion recognition of one modality, in per cent; below the paper's rows of each, what it lacks. `by_song` names
    each song by the most of its segments.
    """
    return [row for modality in ("image", "music") for row in _recognition(study, modality)]


def _recognition(study: Study, modality: str) -> list[dict]:
    question, reported = Question.of(study, modality), dict(paper.RECOGNITION[modality])
    about = {"what": question.what, "classes": list(question.names)}
    rows: list[dict] = [{"row": "Random", **about, "paper": reported.pop("Random"), "ours": 100 / len(question.names)}]
    for name, (probed, made) in given(study, question).items():
        row = {"row": name, **about, **({"network": study.network} if name.startswith("ACP-Net") else {}),
               "paper": reported.pop(name, None), **recognised(probed, question)}
        if made:
            row |= {"seeds": [r.seed for r in made], "memorised": 100 * float(np.mean([r.memorised for r in made]))}
        rows.append(row)
    return rows


def recognised(probed: Sequence[Probed], question: Question) -> dict:
    """What Table 5 says of the answers of runs, in per cent: as `scored`, "balanced", "recall", "confusion" (counts,
    all runs together) and, of music, "by_song".
    """
    labels, songs = range(len(question.names)), question.groups
    recall = np.mean([p.recall(labels) for p in probed], 0)
    by_song = {"by_song": 100 * float(np.mean([p.by_group(songs).accuracy for p in probed]))}
    return {**scored([p.correct for p in probed], songs), **(by_song if question.modality == "music" else {}),
            "balanced": 100 * float(np.mean([p.balanced for p in probed])),
            "confusion": np.sum([p.confusion(labels) for p in probed], 0).tolist(),
            "recall": [None if np.isnan(r) else 100 * float(r) for r in recall]}


TABLES: dict[int, Callable[[Study], list[dict]]] = {1: table1, 2: table2, 3: table3, 4: table4, 5: table5}


def load(study: Study, number: int) -> list[dict]:
    """The rows of one of the five tables: read from the results if they are this run's, made and saved if not.

    Chapter: Paper versus ours.
    """
    return store.load(study, f"table{number}", TABLES[number])
