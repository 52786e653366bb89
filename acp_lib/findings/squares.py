"""Who is right about pairs that others listed, and who compares: by answers to all combinations of halves.

Of a sum of two judgements nothing is left in f(i, j) + f(k, l) - f(i, l) - f(k, j), so that only who compares gets more
than half of such squares right, whatever one half may give away.

Source: Hessel and Lee (2020), Does my multimodal model learn cross-modal interactions?, EMNLP, for what adds up.
Chapter: Other people's pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from acp_lib.audits import additive
from acp_lib.experiment import baselines, intervals
from acp_lib.experiment.intervals import Estimate
from acp_lib.experiment.splits import PARTS
from acp_lib.findings.frozen import SIDES, Design, Listed, linked

ALONE = {"image": "video alone", "music": "music alone"}
TWO = "two classifiers, compared"


def added(margins: np.ndarray) -> tuple[np.ndarray, float]:
    """The best additive approximation of answers to all combinations (m, m), and how much of their variance it
    accounts for.
    """
    rows, even = np.arange(len(margins)), np.full(len(margins), 1 / len(margins))
    f = additive.Grid(margins, margins, rows, rows, even, even, rows, rows)
    by_image, by_music, mean = additive.projection(f)
    return by_image[:, None] + by_music - mean, additive.explained(f)


def plain(listed: Listed, part: np.ndarray) -> dict[str, np.ndarray]:
    """What needs no network, as answers to all combinations of the halves of the test part, above 0 for "true"
    [shape=(m, m)]: ridge regressions of true or false that are given one side, and two ridge classifiers that are told
    the classes and compared.
    """
    corpus = listed.corpus(part)
    train, rows = (corpus.image.rows(name) for name in ("train", "test"))
    said = {s: 2.0 * baselines.predict_unimodal(getattr(corpus, s), train, listed.truth[train], rows) - 1
            for s in SIDES}
    named = {s: baselines.named(getattr(corpus, s))[rows] for s in SIDES}
    return {ALONE["image"]: np.repeat(said["image"][:, None], len(rows), 1),
            ALONE["music"]: np.repeat(said["music"][None], len(rows), 0),
            TWO: np.where(named["image"][:, None] == named["music"], 1.0, -1.0)}


def right(listed: Listed, part: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Whether answers to all combinations (m, m) are right about the pairs of the test part as listed (m,)."""
    return (np.diag(answers) > 0) == (listed.truth[part == PARTS.index("test")] == 1)


# --- squares

KINDS = {"both": "own clip against another of another emotion",
         "clip alone": "own clip against another of the same emotion",
         "emotion alone": "another song of the same emotion against one of another"}
"""What tells right from wrong in a square: what is true pairs own clip and own emotion, and one can be held fixed."""


def kinds(listed: Listed, rows: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """For each of KINDS which combinations of the halves of some pairs are right and which wrong (m, m), (m, m).

    rows : true pairs; halves of false ones may have been made otherwise
    """
    (label_i, label_j), (song_i, song_j) = ((held["image"][rows], held["music"][rows])
                                            for held in (listed.label, listed.song))
    own, alike = np.eye(len(rows), dtype=bool), label_i[:, None] == label_j
    apart = song_i[:, None] != song_j
    return {"both": (own, apart & ~alike), "clip alone": (own, apart & alike),
            "emotion alone": (apart & alike, apart & ~alike)}


def squares(answers: Sequence[np.ndarray], correct: np.ndarray, wrong: np.ndarray, group: np.ndarray) -> Estimate:
    """In what share of squares two right combinations get more, together, than the two wrong ones that cross them; a
    tie counts half, so that any sum of two judgements gets one half. Over runs and groups.

    Parameters
    ----------
    answers : of each run, to all combinations of some halves [shape=(m, m)]
    correct, wrong : as `kinds` gives them [shapes=(m, m)]
    group : of each half, which are drawn as a whole [shape=(m,)]

    Raises
    ------
    ValueError
        Where there is no such square.

    Source: Hoeffding (1948), A class of statistics with asymptotically normal distribution, for the interval: each
    combination counts by the mean of its squares.
    """
    i, j = np.nonzero(correct)
    crossed = wrong[np.ix_(i, j)]
    known = crossed & crossed.T
    if not known.any():
        raise ValueError("no two right combinations are crossed by wrong ones; expected halves of two classes and "
                         "several songs")
    values = []
    for f in answers:
        across = f[np.ix_(i, j)]
        lead = f[i, j][:, None] + f[i, j] - across - across.T
        won = np.where(np.abs(lead) < 1e-9, 0.5, lead > 0)
        share = won[known].mean()
        values.append(share + 2 * np.where(known, won - share, 0).sum(1) * len(i) / known.sum())
    return intervals.mean(values, group[i], group[j])


# --- over folds


def together(folds: Sequence[Estimate], sizes: Sequence[int]) -> dict:
    """What one fold, or all of them together, came to, in per cent or points: `Estimate.row`."""
    return (folds[0] if len(folds) == 1 else intervals.pooled(folds, sizes)).scaled(100).row()


Answers = list[dict[str, list[np.ndarray]]]
"""For each fold by the name of a method what each run answers to all combinations of the test part [shape=(m, m)]."""


def scores(listed: Listed, design: Design, answers: Answers, less: Sequence[tuple[str, str]] = ()) -> list[dict]:
    """How often each method is right about the pairs as listed, in per cent, and how much more often than another, in
    points: rows "accuracy" and "less", with "row" and what `together` gives; of the former "values", one a run.
    """
    group = linked(listed)
    rows = [np.flatnonzero(parts[0] == PARTS.index("test")) for parts in design]
    sizes, names = [len(r) for r in rows], [group[r] for r in rows]
    held = [{name: [right(listed, part, f) for part, f in zip(parts, own, strict=True)] for name, own in some.items()}
            for parts, some in zip(design, answers, strict=True)]
    found = [{"kind": "accuracy", "row": name, "pairs": sum(sizes),
              **together([intervals.mean(h[name], g) for h, g in zip(held, names, strict=True)], sizes),
              "values": [round(100 * float(r.mean()), 2) for h in held for r in h[name]]} for name in held[0]]
    differ = partial(zip, held, names, strict=True)
    return found + [{"kind": "less", "row": f"{one} less {other}", "pairs": sum(sizes),
                     **together([intervals.difference(h[one], h[other], g) for h, g in differ()], sizes)}
                    for one, other in less]


def recognised(listed: Listed, design: Design) -> list[dict]:
    """How often a ridge classifier names the class of each side of the pairs, in per cent: rows "named" with "row",
    the side, "likeliest", the share of the likeliest class, and what `together` gives.
    """
    group, found = linked(listed), []
    for side in SIDES:
        folds, sizes, label = [], [], listed.label[side]
        for parts in design:
            tested = np.flatnonzero(parts[0] == PARTS.index("test"))
            held = [(baselines.named(getattr(listed.corpus(part), side)) == label)[tested] for part in parts]
            folds.append(intervals.mean(held, group[tested]))
            sizes.append(len(tested))
        asked = label[np.concatenate([np.flatnonzero(parts[0] == PARTS.index("test")) for parts in design])]
        found.append({"kind": "named", "row": side, "likeliest": 100 * float(np.bincount(asked).max() / len(asked)),
                      **together(folds, sizes)})
    return found


def compared(listed: Listed, design: Design, answers: Answers) -> list[dict]:
    """How often each method gets squares right, in per cent: rows "squares" with "row", "of" (of KINDS) and what
    `together` gives.
    """
    group, sizes = linked(listed), []
    found: dict[tuple[str, str], list[Estimate]] = {}
    for parts, some in zip(design, answers, strict=True):
        tested = np.flatnonzero(parts[0] == PARTS.index("test"))
        true = listed.truth[tested] == 1
        sizes.append(int(true.sum()))
        for of, (correct, wrong) in kinds(listed, tested[true]).items():
            for name, own in some.items():
                f = [a[np.ix_(true, true)] for a in own]
                found.setdefault((name, of), []).append(squares(f, correct, wrong, group[tested[true]]))
    return [{"kind": "squares", "row": name, "of": of, "clips": sum(sizes), **together(folds, sizes)}
            for (name, of), folds in found.items()]
