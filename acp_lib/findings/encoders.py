"""Then and now: the same pairs judged by way of other encoders, pictures by one and music by another, with every sample
tested once. Two classifiers need no training of networks and are told for each pair of encoders; ACP-Net is trained on
those that are asked for.

Chapter: Then and now.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from acp_lib.engine.cache import file_digest
from acp_lib.engine.text import number, span
from acp_lib.experiment import baselines, evaluation, intervals, runs
from acp_lib.experiment.corpus import Modality
from acp_lib.experiment.probes import Probed
from acp_lib.features.encoders import ENCODERS, vectors
from acp_lib.features.layout import VECTORS
from acp_lib.findings import encoded
from acp_lib.findings.folds import FOLDS, TWO, asked_of, dealt, pooled
from acp_lib.results import recorded, tables

if TYPE_CHECKING:
    from acp_lib.experiment.runs import Run
    from acp_lib.study import Study

BOOK = {"image": "Inception-V3", "music": "193 numbers"}
"""The encoders of the paper and of the book."""

ACP_NET = "ACP-Net"
RUNS = 1
"""Of ACP-Net in each fold: folds that differ tell what a run's luck brings."""

Names = tuple[str, str]
"""The encoder of pictures and that of music."""


def names(modality: str) -> list[str]:
    """The encoders of a modality, the book's first."""
    return [BOOK[modality], *(name for name, encoder in ENCODERS.items() if encoder.modality == modality)]


PAIRS: list[Names] = list(product(names("image"), names("music")))


def written(pair: Names) -> str:
    """A pair of encoders as it is written on a command line and in tables."""
    return " × ".join(pair)


def asked(given: Sequence[str]) -> list[Names]:
    """The pairs of encoders that were named.

    Raises
    ------
    ValueError
        For a name of none; the message lists those there are.
    """
    known = {written(pair): pair for pair in PAIRS}
    if wrong := [name for name in given if name not in known]:
        raise ValueError(f"{wrong[0]!r} is no pair of encoders; expected some of {', '.join(map(repr, known))}")
    return [known[name] for name in dict.fromkeys(given)]


def rows(study: Study, folder: Path, networks: Sequence[str] = (), without: Sequence[str] = (),
         folds: int = FOLDS) -> list[dict]:
    """What is recorded.

    Parameters
    ----------
    folder : of the encoders' files of weights
    networks : pairs of encoders that ACP-Net is trained on, as `written` has them; the book's is added
    without : encoders that are left out

    Returns
    -------
    rows of a "table", in per cent or points, with "ours", "interval", "variances" and "values" of `folds.pooled`:
    "encoder": no number, but "row" (its name), "modality", "width", "source", "licence", "learnt_from", "weights"
    "half": "row", "modality", how often the class is named right, all classes weighing the same; "half less": less the
    book's encoder
    "pairs": "image", "music", "row" (TWO or ACP_NET), and of ACP-Net "network"; "less": less the book's two encoders,
    judged by the same way. The first of them has "pairs", "pictures", "songs" and "protocol"

    Raises
    ------
    ValueError, ImportError
        For another pair, for another encoder to leave out, and as `vectors`.
    """
    if wrong := sorted(set(without) - set(ENCODERS)):
        raise ValueError(f"{wrong[0]!r} cannot be left out; expected some of {', '.join(ENCODERS)}")
    wanted = asked([written((BOOK["image"], BOOK["music"])), *networks]) if networks else []
    if wrong := [written(pair) for pair in wanted if set(pair) & set(without)]:
        raise ValueError(f"ACP-Net is to be trained on {wrong[0]}, of which one is left out; expected another pair")
    used = {modality: [name for name in names(modality) if name not in without] for modality in BOOK}
    x = {name: _described(study, folder, name) for some in used.values() for name in some}
    some = [_Fold(s, x) for s in dealt(study, folds)]
    runs.train([run for fold in some for pair in wanted for run in fold.planned(pair)], study.work)
    made = [{**{(image, music, TWO): fold.compared((image, music)) for image, music in product(*used.values())},
             **{(*pair, ACP_NET): fold.answers(pair) for pair in wanted}} for fold in some]
    return [*(_about(study, folder, name) for name in x), *_halves(some, used), *_pairs(some, made)]


def _described(study: Study, folder: Path, name: str) -> np.ndarray:
    """What an encoder makes of the samples of its modality, in the order of the manifest."""
    book = {own: modality for modality, own in BOOK.items()}
    if name in book:
        return study.features[book[name]]
    listed = study.manifest[study.manifest["modality"] == ENCODERS[name].modality]
    return vectors(name, folder, study.root, listed, study.work)


def _about(study: Study, folder: Path, name: str) -> dict:
    if name in BOOK.values():
        modality = next(m for m, own in BOOK.items() if own == name)
        image = modality == "image"
        return {"table": "encoder", "row": name, "modality": modality, "width": VECTORS[modality],
                "source": study.weights_name if image else "librosa", "licence": None if image else "ISC",
                "learnt_from": "ImageNet, 1000 kinds of things" if image else "nothing: signal processing",
                "weights": file_digest(study.weights) if image else None}
    encoder = ENCODERS[name]
    return {"table": "encoder", "row": name, "modality": encoder.modality, "width": encoder.width,
            "source": encoder.source, "licence": encoder.licence, "learnt_from": encoder.learnt_from,
            "weights": file_digest(encoder.weights(folder))}


class _Fold:
    """A fold as each encoder describes it, what a classifier makes of that, and the pairs that are asked."""

    def __init__(self, study: Study, x: dict[str, np.ndarray]) -> None:
        self.study, self.asked = study, asked_of(study)
        self.files = {name: encoded.side(study, m, x[name]) for m in BOOK for name in names(m) if name in x}
        self.sides = {name: Modality.read(path) for name, path in self.files.items()}
        self.said = {name: baselines.named(side) for name, side in self.sides.items()}
        self.groups = tables.groups(study, self.asked)

    def planned(self, pair: Names) -> list[Run]:
        """The runs of ACP-Net on a pair of encoders; on the book's those that all audits share."""
        if pair == tuple(BOOK.values()):
            return self.study.audited.planned("pairs", ACP_NET)[:RUNS]
        return encoded.planned(self.study, [self.files[name] for name in pair], RUNS)

    def compared(self, pair: Names) -> np.ndarray:
        """Whether two classifiers are right about each pair (1, n)."""
        image, music = (self.said[name] for name in pair)
        return ((image[self.asked.image] == music[self.asked.music]) == (self.asked.truth == 1))[None]

    def answers(self, pair: Names) -> np.ndarray:
        """Whether each run of ACP-Net is right about each pair (RUNS, n)."""
        return np.array([(evaluation.probability(run.model(), run.task.corpus, self.asked) > 0.5)  # type: ignore
                         == (self.asked.truth == 1) for run in self.planned(pair)])

    def named(self, name: str, modality: str) -> tuple[np.ndarray, np.ndarray]:
        """Whether each test sample is named right, weighed so that classes are alike, and its picture or song."""
        side, manifest = self.sides[name], self.study.manifest
        at = side.rows("test")
        own = manifest.loc[manifest["modality"] == modality, "group"].to_numpy()
        return Probed(side.label[at], self.said[name][at]).weighted, own[at]


def _halves(some: Sequence[_Fold], used: dict[str, list[str]]) -> list[dict]:
    found = []
    for modality, book in BOOK.items():
        sizes = [len(fold.named(book, modality)[0]) for fold in some]
        for name in used[modality]:
            own, known = ([fold.named(n, modality) for fold in some] for n in (name, book))
            about = {"row": name, "modality": modality}
            found.append({"table": "half", **about, "samples": sum(sizes),
                          **pooled([intervals.mean(right, group) for right, group in own], sizes)})
            if name != book:
                found.append({"table": "half less", **about, **pooled(
                    [intervals.difference(one, other, group)
                     for (one, group), (other, _) in zip(own, known, strict=True)], sizes)})
    return found


def _pairs(some: Sequence[_Fold], made: Sequence[dict]) -> list[dict]:
    sizes, found = [len(fold.asked) for fold in some], []
    network = {TWO: {}, ACP_NET: {"network": some[0].study.audited.network, "runs": RUNS * len(some)}}
    for image, music, way in made[0]:
        about = {"image": image, "music": music, "row": way, **network[way]}
        found.append({"table": "pairs", **about, **pooled(
            [intervals.mean(right[image, music, way], *fold.groups) for fold, right in zip(some, made, strict=True)],
            sizes)})
        if (book := tuple(BOOK.values())) != (image, music):
            found.append({"table": "less", **about, **pooled(
                [intervals.difference(right[image, music, way], right[*book, way], *fold.groups)
                 for fold, right in zip(some, made, strict=True)], sizes)})
    tested = {what: sum(len(set(fold.groups[k])) for fold in some) for k, what in enumerate(("pictures", "songs"))}
    found[0] |= {"protocol": some[0].study.profile.pairing.pairs, "pairs": sum(sizes), **tested}
    return found


# --- what is said of it


def gained(results: Sequence[dict], way: str, pair: Names | None = None) -> list[str]:
    """What each corpus gains by other encoders, in words: by a pair of them, or by that with the highest number; none
    of a corpus on which that was not tried.

    way : TWO or ACP_NET

    Chapter: Then and now.
    """
    found = []
    for result in results:
        some = [row for row in recorded.of(result, table="less", row=way)
                if pair in (None, (row["image"], row["music"]))]
        if some:
            less = max(some, key=lambda row: row["ours"])
            about = {key: less[key] for key in ("image", "music", "row")}
            own, = recorded.of(result, table="pairs", **about)
            book, = recorded.of(result, table="pairs", row=way, **BOOK)
            found.append(f"{result['data']}: {own['ours']:.1f} % by {written((less['image'], less['music']))} against "
                         f"{book['ours']:.1f} %, {number(less['ours'], sign='+')} points "
                         f"({span(less['interval'], sign='+')})")
    return found


def reservation(results: Sequence[dict]) -> str:
    """What a gain may be due to besides the other encoder, as a sentence; empty where the reference was whole.

    Chapter: the first page.
    """
    book = [row for result in results for row in recorded.of(result, table="encoder", row=BOOK["image"])]
    if not any("partial" in row["source"] for row in book):
        return ""
    return (" The reference is an Inception-V3 part of whose weights was missing, so part of a gain over it may be due "
            "to that.")


def told(results: Sequence[dict], table: str = "less", **wanted: object) -> str:
    """How many differences to the book's encoders are clear of zero, and which way, in words.

    Chapter: Then and now.
    """
    ends = [row["interval"] for result in results for row in recorded.of(result, table=table, **wanted)]
    more, fewer = sum(low > 0 for low, _ in ends), sum(high < 0 for _, high in ends)
    return f"{more} of {len(ends)} are clearly above zero and {fewer} clearly below"


def left_out(results: Sequence[dict]) -> str:
    """Which encoders were not tried, in words.

    Chapter: Then and now.
    """
    left = []
    for result in results:
        done = {row["row"] for row in recorded.of(result, table="encoder")}
        if some := [name for name in ENCODERS if name not in done]:
            left.append(f"{', '.join(some)} on {result['data']}")
    return "; ".join(left) or "none"


def missing(results: Sequence[dict]) -> str:
    """On which pairs of encoders ACP-Net was not trained, in words.

    Chapter: Then and now.
    """
    left = []
    for result in results:
        done = {(row["image"], row["music"]) for row in recorded.of(result, table="pairs", row=ACP_NET)}
        if some := [written(pair) for pair in PAIRS if pair not in done]:
            left.append(f"{result['data']}: {'all' if not done else ', '.join(some)}")
    return "; ".join(left) or "none"
