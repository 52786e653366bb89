"""The paper's five tables, its numbers beside this run's; each row says what it was made from.

Chapter: Paper versus ours.
"""

from collections.abc import Callable

import numpy as np

from acp_lib import evaluation, report
from acp_lib.baselines import BASELINES
from acp_lib.emotions import CLASSES, EMOTIONS, REGROUPING
from acp_lib.pairs import joint, oracle
from acp_lib.pipeline import Study

PAPER_TAGS = {  # Paper: Table 2
    "positive": {"this will always make me happy": 1, "so energetic": 26, "makes me energetic and wanna dance": 3,
                 "joyous": 103},
    "neutral": {"soothing for the ear to hear": 18, "cool and relaxing music": 14, "calmness": 43},
    "negative": {"sad": 873, "makes me sad": 89, "for the painfully alone": 34},
}
PAPER_CLEAN_TAGS = {"positive": 952, "neutral": 752, "negative": 1267}  # Paper: Section 2
PAPER_IMAGES = {"positive": 32868, "neutral": 10796, "negative": 45731}  # Paper: Table 3
PAPER_SONGS = {"positive": 1342, "neutral": 1511, "negative": 959}  # Paper: Table 3
PAPER_HOURS = 270  # Paper: Section 2, approximate
PAPER_CORRESPONDENCE = {"L3-Net": 57.17, "Spectrogram-ACP": 55.84, "ACP-Net": 61.67}  # Paper: Table 4
PAPER_EMOTION = {  # Paper: Table 5
    "picture, 8 classes": {"Random": 12.5, "Art-based features + SVM": 46.5, "AlexNet": 58.6,
                           "ACP-Net features + MLP": 40.4},
    "music, 3 classes": {"Random": 33.3, "Spectrogram + CNN": 47.8, "ACP-Net features + MLP": 63.5},
}
NOT_BUILT = "not built yet"


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
    """Example tags and clean tags in all: the paper's frequencies and those of this run's tag database."""
    found = study.tags
    counts = {} if found is None else dict(zip(found["tag"], found["frequency"], strict=True))
    rows = [{"row": tag, "class": label, "what": "tag", "paper": n, "ours": counts.get(tag, 0) if counts else None}
            for label, tags in PAPER_TAGS.items() for tag, n in tags.items()]
    for label, n in PAPER_CLEAN_TAGS.items():
        ours = None if found is None else int((found["class"] == label).sum())
        rows.append({"row": f"clean {label} tags", "class": label, "what": "clean tags", "paper": n, "ours": ours})
    return rows


def table3(study: Study) -> list[dict]:
    """Pictures and songs of each class, and hours of music."""
    table = study.manifest
    pictures = table[table["modality"] == "image"]
    music = table[table["modality"] == "music"]
    songs = music.drop_duplicates("group")
    rows = []
    for what, held, paper in (("pictures", pictures, PAPER_IMAGES), ("songs", songs, PAPER_SONGS)):
        rows += [{"row": c, "what": what, "paper": paper[c], "ours": int((held["class"] == c).sum())} for c in CLASSES]
        rows.append({"row": "all", "what": what, "paper": sum(paper.values()), "ours": len(held)})
    rows.append({"row": "all", "what": "hours of music", "paper": PAPER_HOURS,
                 "ours": round(music["duration"].sum() / 3600, 2)})
    return rows


def table4(study: Study) -> list[dict]:
    """Accuracy of correspondence on the frozen evaluation pairs, in per cent; below the paper's rows, what it lacks."""
    rows = [{"row": name, "paper": value, "ours": None, "status": NOT_BUILT}
            for name, value in PAPER_CORRESPONDENCE.items() if name != "ACP-Net"]
    rows.append({"row": "ACP-Net", "paper": PAPER_CORRESPONDENCE["ACP-Net"], **acp_net(study)})
    return rows + [{"row": name, "paper": None, **baseline(study, name)} for name in BASELINES]


def row_of(rows: list[dict], name: str) -> dict:
    """The row of that name.

    Raises
    ------
    KeyError
        If there is none.
    """
    return {row["row"]: row for row in rows}[name]


def _clustered(study: Study, correct: np.ndarray) -> list[float]:
    """Interval in per cent over other pictures and songs, for the share of runs that called each test pair right."""
    pairs = study.test_pairs()
    groups = study.manifest["group"].to_numpy()
    is_image = (study.manifest["modality"] == "image").to_numpy()
    ends = evaluation.clustered(correct, groups[is_image][pairs.image], groups[~is_image][pairs.music],
                                seed=study.profile.seed)
    return [100 * end for end in ends]


def baseline(study: Study, name: str) -> dict:
    """Accuracy of one of the baselines, which have no seeds to vary."""
    pairs = study.test_pairs()
    correct = BASELINES[name](study.corpus, pairs, study.profile.pairs, study.profile.seed) == (pairs.truth == 1)
    return {"ours": 100 * float(correct.mean()), "interval": None, "clustered": _clustered(study, correct)}


def acp_net(study: Study) -> dict:
    """ACP-Net's accuracy: mean over seeds with both intervals, and what it is to be held against."""
    pairs = study.test_pairs()
    right = [(run.probability > 0.5) == (pairs.truth == 1) for run in study.runs]
    values = [100 * float(r.mean()) for r in right]
    low, high = evaluation.interval(values)
    within = [max(low, 0.0), min(high, 100.0)] if len(values) > 1 else None
    return {"ours": float(np.mean(values)), "values": values, "seeds": [r.seed for r in study.runs],
            "interval": within, "clustered": _clustered(study, np.mean(right, 0)),
            "pairs": study.profile.pairs, "n_pairs": len(pairs),
            "chance": oracle(joint(study.profile.pairs, *study.corpus.counts("test"))), "bayes": study.bayes_rate()}


def table5(study: Study) -> list[dict]:
    """Emotion recognition, in per cent. Chance follows from the number of classes."""
    chance = {"picture, 8 classes": 100 / len(EMOTIONS), "music, 3 classes": 100 / len(CLASSES)}
    rows = []
    for what, methods in PAPER_EMOTION.items():
        for name, value in methods.items():
            built = {"ours": chance[what]} if name == "Random" else {"ours": None, "status": NOT_BUILT}
            rows.append({"row": name, "what": what, "paper": value, **built})
    return rows


TABLES: dict[int, Callable[[Study], list[dict]]] = {1: table1, 2: table2, 3: table3, 4: table4, 5: table5}


def load(study: Study, number: int) -> list[dict]:
    """The rows of one of the five tables: read from the results if they are this run's, made and saved if not.

    Chapter: Paper versus ours.
    """
    folder, name = study.profile.results_path, f"table{number}"
    rows = report.load(folder, name)
    if not rows or rows[0].get("provenance") != study.provenance:
        rows = [{**row, "provenance": study.provenance} for row in TABLES[number](study)]
        report.save(folder, name, rows)
    return rows
