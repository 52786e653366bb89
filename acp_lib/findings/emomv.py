"""The pairs of EmoMV-C, which others listed: what they rest on, what one half gives away, and who compares.

A true pair is a clip of a music video with its own sound; a false one the pictures of a clip with the sound of another.
The emotions were predicted by a network. Source: Thao, Roig and Herremans (2023), EmoMV: Affective music-video
correspondence learning datasets for classification and retrieval, Information Fusion 91.

Chapter: Other people's pairs.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from acp_lib.database import text
from acp_lib.engine.cache import code_key, digest, file_digest, write
from acp_lib.engine.progress import bar
from acp_lib.experiment import pairs
from acp_lib.findings import frozen, plateau, real, squares
from acp_lib.findings.frozen import SIDES, Design, Listed
from acp_lib.findings.squares import ALONE, TWO, Answers
from acp_lib.profiles.groups import Training
from acp_lib.results import recorded

if TYPE_CHECKING:
    from acp_lib.profiles import Profile

NAME = "EmoMV-C"
PARTS = {"train": "TRAIN", "test": "VAL"}
"""What the authors call their parts: they kept the second to judge by, and have no third."""

FEATURES = {"image": ("SlowFast", 2304), "music": ("VGGish", 128)}
EMOTIONS = ("Exciting", "Fear", "Tense", "Sad", "Relax")
CLIP = r"(.{11})_\d+"
COLUMNS = "folder, clip or clip_PAIR_clip, 1 or 0, emotion of the pictures, emotion of the music, and both as numbers"
KNOWS = {"nothing": None, "image": 0, "music": 1}
"""Who guesses, and the axis of a table of both emotions that is known."""

FOLDS = 5
CELLS = (plateau.WHOLE, plateau.QUARTER)
"""Width, learning rate and batch: the paper's, and a quarter of the width at four times the rate."""


def acp_net(fc_width: float) -> str:
    """What the network of a width is called in rows."""
    return "ACP-Net" if fc_width == 1 else f"ACP-Net at {fc_width:g} of its width"


def additive(fc_width: float) -> str:
    """What the best additive approximation of a network is called in rows."""
    return f"{acp_net(fc_width)}, its additive approximation"


# --- the files


def names(part: str) -> dict[str, str]:
    """The files of a part: "labels", and the features of each side."""
    end = f"DS3_{PARTS[part]}_MATCH_MISMATCH"
    return {"labels": f"{end}_labels.csv", **{side: f"{made}_{end}.h5" for side, (made, _) in FEATURES.items()}}


def labels(path: Path) -> dict[str, list]:
    """What a list of pairs says, a pair an item: "image" and "music" (clips), "image_label" and "music_label" (numbers
    of EMOTIONS), "truth".

    The clip that is named first gave the pictures; `follows` holds that against the features.

    Raises
    ------
    ValueError
        For a line that does not read so; the message names it.
    """
    found: dict[str, list] = {key: [] for key in ("image", "music", "image_label", "music_label", "truth")}
    for number, line in enumerate(csv.reader(text.lines(path)), 1):
        if not line:
            continue
        clips = re.fullmatch(f"({CLIP})(?:_PAIR_({CLIP}))?", line[1]) if len(line) == 7 else None
        if not clips or line[2] not in ("0", "1") or not {*line[3:5]} <= {*EMOTIONS}:
            raise ValueError(f"{path.name}, line {number} is {','.join(line)[:80]!r}; expected {COLUMNS}, emotions of "
                             f"{', '.join(EMOTIONS)}")
        found["image"].append(clips[1])
        found["music"].append(clips[3] or clips[1])
        found["truth"].append(int(line[2]))
        for side, emotion in zip(SIDES, line[3:5], strict=True):
            found[f"{side}_label"].append(EMOTIONS.index(emotion))
    return found


def features(path: Path, shape: tuple[int, int]) -> np.ndarray:
    """The one table of numbers in an HDF5 file: float32 of this shape.

    Raises
    ------
    ImportError
        Without h5py, which nothing else here needs.
    ValueError
        If the file holds something else, or numbers that are not finite.
    """
    try:
        import h5py
    except ImportError:
        raise ImportError(f"{path.name} is an HDF5 file, which takes h5py to read, and it is not installed; install "
                          "it: pip install h5py") from None
    with h5py.File(path, "r") as file:
        held = [np.asarray(file[name]) for name in file]
    if [x.shape for x in held] != [shape] or not np.isfinite(held[0]).all():
        raise ValueError(f"{path.name} holds tables of {[x.shape for x in held]}; expected one of {shape}, of finite "
                         "numbers, a row for each pair of the list")
    return held[0].astype(np.float32)


def read(folder: Path) -> Listed:
    """All pairs, those of the training part first.

    Raises
    ------
    ValueError, ImportError
        As `labels` and `features` do, and for a file that is not there.
    """
    if absent := [name for part in PARTS for name in names(part).values() if not (folder / name).is_file()]:
        raise ValueError(f"{folder.name} has no file {absent[0]}; expected the labels and features of {NAME}, of "
                         "github.com/ivyha010/EmoMV, in one folder")
    said = {part: labels(folder / names(part)["labels"]) for part in PARTS}
    x = {side: np.concatenate([features(folder / names(part)[side], (len(said[part]["truth"]), width))
                               for part in PARTS]) for side, (_, width) in FEATURES.items()}
    every = {key: np.concatenate([said[part][key] for part in PARTS]) for key in said["train"]}
    clip = {side: every[side] for side in SIDES}
    return Listed(x, {side: every[f"{side}_label"] for side in SIDES}, clip,
                  {side: np.array([c[:11] for c in clip[side]]) for side in SIDES}, every["truth"],
                  np.repeat([part == "test" for part in PARTS], [len(said[part]["truth"]) for part in PARTS]))


# --- what the pairs rest on


def counted(listed: Listed) -> list[dict]:
    """For each part: "pairs", "true", "clips", "songs", and of its true pairs how many are "own" (a clip with its own
    sound), of its false ones how many are of "two_songs", of all how many are "by_emotion" (true where both emotions
    are the same, and only there); "nothing", "image" and "music", the best accuracy in per cent for who knows nothing
    or the emotion of one half; and what is "shared" with the other part: clips, songs, rows of features.
    """
    rows: list[dict] = []
    for part in PARTS:
        held = listed.test == (part == "test")
        truth, k = listed.truth[held] == 1, len(EMOTIONS)
        clip, song, label = ({s: table[s][held] for s in SIDES} for table in (listed.clip, listed.song, listed.label))
        table = np.bincount(k * label["image"] + label["music"], minlength=k * k).reshape(k, k) / held.sum()
        shared = {what: len(_both(table, held) & _both(table, ~held))
                  for what, table in (("clips", listed.clip), ("songs", listed.song))}
        shared["rows"] = sum(len({r.tobytes() for r in x[held]} & {r.tobytes() for r in x[~held]})
                             for x in listed.x.values())
        rows.append({"kind": "counts", "part": part, "pairs": int(held.sum()), "true": int(truth.sum()),
                     "clips": len(_both(listed.clip, held)), "songs": len(_both(listed.song, held)),
                     "own": int((clip["image"] == clip["music"])[truth].sum()),
                     "two_songs": int((song["image"] != song["music"])[~truth].sum()),
                     "by_emotion": int(((label["image"] == label["music"]) == truth).sum()),
                     "emotions": np.bincount(label["music"], minlength=k).tolist(),
                     **{who: float(pairs.oracle(table, axis)) for who, axis in KNOWS.items()}, "shared": shared})
    return rows


def _both(named: dict[str, np.ndarray], held: np.ndarray) -> set:
    return {name for side in SIDES for name in named[side][held].tolist()}


def follows(listed: Listed) -> list[dict]:
    """Which of two names the features of each side go by: for false pairs, the share in per cent whose nearest true
    pair is of the song that is named "first", and "second".
    """
    true, false = (np.flatnonzero(listed.truth == k) for k in (1, 0))
    rows = []
    for side, x in listed.x.items():
        z = (x - x.mean(0)) / np.where(x.std(0) > 0, x.std(0), 1)
        z /= np.linalg.norm(z, axis=1, keepdims=True)
        near = listed.song[side][true][(z[false] @ z[true].T).argmax(1)]
        shares = {which: 100 * float(np.mean(listed.song[of][false] == near))
                  for which, of in zip(("first", "second"), SIDES, strict=True)}
        rows.append({"kind": "follows", "side": side, **shares})
    return rows


def twice(listed: Listed) -> dict:
    """Of clips that give a half to a true and to a false pair: for each side how many, and of how many the features
    are the same to the last bit.
    """
    row: dict = {"kind": "twice"}
    for side in SIDES:
        clip, x = listed.clip[side], listed.x[side]
        met = [(i, j) for i in np.flatnonzero(listed.truth == 1) for j in np.flatnonzero(listed.truth == 0)
               if clip[i] == clip[j]]
        row[side] = {"clips": len(met), "same": sum(bool((x[i] == x[j]).all()) for i, j in met)}
    return row


# --- what is recorded


def rows(profile: Profile) -> tuple[list[dict], dict]:
    """What is recorded of a folder, and what the record says of itself; what is trained is kept in the work folder.

    Returns
    -------
    rows of `counted`, `follows`, `twice`; of "test" "as released" and "every pair once" those of `squares.scores`,
    `squares.recognised`, `squares.compared`, and "explained" (how much of what a network answers is a sum, per cent, a
    run each)
    """
    folder = profile.database.folder
    if folder is None:
        raise ValueError(f"no folder is given; give the one that holds the files of {NAME}: emomv folder -p data "
                         "FOLDER")
    listed = read(folder)
    files = {name: file_digest(folder / name) for part in PARTS for name in names(part).values()}
    found = [*counted(listed), *follows(listed), twice(listed)]
    for test, design in frozen.designs(listed, profile.seeds, FOLDS, profile.seed).items():
        found += [{"test": test, **row} for row in _tested(listed, design, profile, [test, files])]
    settings = {key: getattr(profile, key) for key in ("seed", "seeds", "epochs", "patience")}
    return found, {"data": NAME, "files": files, "settings": settings | {"folds": FOLDS, "cells": list(CELLS)}}


def _tested(listed: Listed, design: Design, profile: Profile, about: list) -> Iterator[dict]:
    runs = [(fold, run) for fold, parts in enumerate(design) for run in range(len(parts))]
    answers: Answers = [{} for _ in design]
    explained: dict[str, list[float]] = {}
    for cell, (fold, run) in bar(list(product(CELLS, runs)), total=len(CELLS) * len(runs), what=about[0], unit="run"):
        margins = _kept(listed, design[fold][run], cell, profile, [*about, fold, run])
        adds, share = squares.added(margins)
        for name, f in ((acp_net(cell["fc_width"]), margins), (additive(cell["fc_width"]), adds)):
            answers[fold].setdefault(name, []).append(f)
        explained.setdefault(acp_net(cell["fc_width"]), []).append(round(100 * share, 2))
    for fold, run in runs:
        for name, f in squares.plain(listed, design[fold][run]).items():
            answers[fold].setdefault(name, []).append(f)
    less = [(acp_net(c["fc_width"]), other) for c in CELLS for other in (additive(c["fc_width"]), ALONE["music"], TWO)]
    yield from squares.scores(listed, design, answers, less)
    yield from squares.recognised(listed, design)
    compare = (*explained, TWO)  # of the others it is known: they add up
    yield from squares.compared(listed, design, [{name: own[name] for name in compare} for own in answers])
    yield from ({"kind": "explained", "row": name, "values": shares} for name, shares in explained.items())


def _kept(listed: Listed, part: np.ndarray, cell: dict, profile: Profile, about: list) -> np.ndarray:
    """What `frozen.trained` gives, made once: a command that was stopped goes on where it was."""
    from acp_lib.engine.devices import device

    key = digest(about, cell, part.tolist(), profile.seed, profile.epochs, profile.patience,
                 code_key("acp_lib.findings.frozen"))
    path = profile.work_path / "emomv" / f"{key}.json"
    if not path.is_file():
        training = Training(batch=cell["batch"], learning_rate=cell["learning_rate"])
        seed = profile.seed + sum(about[-2:])  # of a fold, or of a run
        made = frozen.trained(listed, part, cell["fc_width"], (profile.pairing, training), seed,
                              device(profile.execution.device))
        write(path, json.dumps(made.tolist()))
    return np.array(json.loads(path.read_text("utf8")))


# --- what the recorded rows say

RELEASED, ONCE = "as released", "every pair once"
"""How `frozen.designs` tests."""

one = partial(recorded.one, "acp record emomv")


def detectable(pairs: int, power: float = 0.8, level: float = 0.05) -> float:
    """By how many points an accuracy near one half must exceed it, to be told from it with this power by a two-sided
    test at this level on so many pairs that share nothing; pairs that share songs tell less.

    Chapter: Other people's pairs.
    """
    return float(100 * (ndtri(1 - level / 2) + ndtri(power)) * np.sqrt(0.25 / pairs))


def above(row: dict, than: float = 50.0) -> bool:
    """Whether a row of `squares` lies above a number with its whole interval.

    Chapter: Other people's pairs.
    """
    return row["interval"][0] > than


def comparing(rows: Sequence[dict], test: str = ONCE) -> str:
    """Which of the networks and the two classifiers compare, in words: those that get more than half of the squares
    right that own clip and emotion tell.

    Chapter: Other people's pairs.
    """
    found = {"late fusion" if row["row"] == TWO else row["row"]: above(row) for row in rows
             if row["kind"] == "squares" and row["test"] == test and row["of"] == "both"}
    shown, others = ([name for name, held in found.items() if held is told] for told in (True, False))
    who, rest = (real.listed(names) if names else "" for names in (shown, others))
    if not shown:
        return f"it is not shown that {rest} {_get(others)} more than half of the squares right"
    return (f"{who} {_get(shown)} more than half of the squares right"
            + (f"; this is not shown for {rest}" if others else ""))


def _get(names: Sequence[str]) -> str:
    return "get" if len(names) > 1 else "gets"


def gives_away(rows: Sequence[dict], test: str = ONCE) -> str:
    """Whether one side of the pairs gives them away though its emotion does not, in words.

    Chapter: Other people's pairs.
    """
    telling = [side for side, name in ALONE.items() if above(one(rows, kind="accuracy", row=name, test=test))]
    words = {"image": "the pictures", "music": "the music"}
    if not telling:
        return "neither half is shown to give the pairs away"
    return (f"{real.listed([words[side] for side in telling])} alone can give the pairs away, though the emotion of "
            "one half cannot")
