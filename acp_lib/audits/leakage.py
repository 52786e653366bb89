"""Leakage: what a model may know of test samples because something of them stands in training.

Chapter: Leakage.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import imagehash
import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from PIL import Image
from scipy.ndimage import maximum_filter

from acp_lib import streams
from acp_lib.audits import retrained
from acp_lib.engine.text import number, span
from acp_lib.experiment import baselines, evaluation, probes, runs, splits
from acp_lib.experiment import corpus as corpora
from acp_lib.experiment.splits import PARTS
from acp_lib.features import audio
from acp_lib.features.fast.compiled import librosa
from acp_lib.features.picture import open_upright
from acp_lib.results import store
from acp_lib.results.scores import of

if TYPE_CHECKING:
    from acp_lib.study import Study

ALIKE = 8
"""Bits of 64 in which two perceptual hashes of the same picture may differ."""

SECONDS, HOP, FAN, REACH = 30.0, 1024, 6, 64
SHARED = 0.05
"""Share of the landmarks of a piece that another one must have at one offset to be the same recording."""

QUIET = -45  # decibels under the loudest, from which a peak may be noise
CANDIDATES = 3
CHUNK = 512
CLASSIFIERS = "two classifiers, compared"


# --- accuracy on splits that keep more or less whole


def accuracy(study: Study) -> list[dict]:
    """Accuracy of the audited ACP-Net, and of two ridge classifiers that are compared, for each way to split.

    Each draw of a split has training and test pairs of its own, and a network of another seed.

    Returns
    -------
    dicts: "split", "method", "row" (both, for readers), and in per cent "values", one a draw, "ours", their mean, and
    "interval" by `over_draws`
    """
    rows, p = [], study.profile
    found = {by: some for by, some in retrained.by_split(study).items() if not isinstance(some, str)}
    runs.train([retrained.drawn(s) for some in found.values() for s in some], study.work)
    for by, some in found.items():
        right: dict[str, list[float]] = {"ACP-Net": [], CLASSIFIERS: []}
        for s in some:
            asked = s.test_pairs()
            said = baselines.two_classifiers(s.corpus, asked, p.pairing.pairs, p.seed)
            right["ACP-Net"].append(100 * float(retrained.drawn(s).correct.mean()))
            right[CLASSIFIERS].append(100 * float(np.mean(said == (asked.truth == 1))))
        rows += [{"split": by, "method": method, "row": f"{method}, by {by}", "paper": None, "values": values,
                  "ours": float(np.mean(values)), "interval": np.clip(over_draws(values), 0, 100).tolist(),
                  **(of(some[-1]) if method == "ACP-Net" else {})}  # its seeds are those of all draws
                 for method, values in right.items()]
    return rows


def over_draws(values: Sequence[float] | np.ndarray) -> list[float]:
    """95 % interval for the mean of results, or of differences, on several draws of a split.

    Draws share most of their samples, so Student's interval for independent results would be too narrow. The variance
    of the mean is taken as (1 / draws + test / training) times that of a draw. Source: Nadeau and Bengio (2003),
    Inference for the generalization error, Machine Learning 52.

    Raises
    ------
    ValueError
        For fewer than two draws.

    Chapter: Leakage.
    """
    if len(values) < 2:
        raise ValueError(f"values has {len(values)} draws of a split; expected two or more, which can differ")
    train, _, test = splits.RATIOS
    mean, wider = float(np.mean(values)), float(np.sqrt(1 + len(values) * test / train))
    return [mean + wider * (end - mean) for end in evaluation.t_interval(values)]


def compared(manifest: pd.DataFrame, features: dict[str, np.ndarray], by: str, *, seed: int = 0, draw: int = 0,
             n: int = 4000) -> float:
    """Share of class-balanced test pairs that two ridge classifiers, compared, call right if samples are dealt so.

    manifest, features : as for `corpus.build`
    by, draw : as for `splits.assign_split`
    """
    part = splits.assign_split(manifest, by=by, seed=seed, draw=draw)
    built = corpora.build(manifest, part, features, "zscore")
    asked = built.draw("test", "class_balanced", n, streams.generator("pairs of a split", seed, draw))
    right = baselines.two_classifiers(built, asked, "class_balanced", seed) == (asked.truth == 1)
    return float(right.mean())


def recognised(x: np.ndarray, manifest: pd.DataFrame, by: str, *, seed: int = 0, labels: int = 2,
               draws: int = 5) -> list[float]:
    """A linear probe's balanced accuracy on labels that are given at random to whole songs: one value for each draw.

    Such a label is not a property of the music: a probe that beats chance, 1 / `labels`, has recognised the song.

    x, manifest : features and manifest rows of the music [shape=(N, width)], [N]
    by : the unit that the split keeps whole

    Source: Hewitt and Liang (2019), control tasks.
    """
    group, found = manifest["group"].to_numpy(), []
    for draw in range(draws):
        part = splits.assign_split(manifest, by=by, seed=seed, draw=draw).to_numpy()
        names, of = np.unique(group, return_inverse=True)
        dealt = streams.generator("labels dealt to songs", seed, draw).permutation(np.arange(len(names)) % labels)[of]
        found.append(probes.linear(x, dealt, part).balanced)
    return found


def gain(rows: list[dict], method: str) -> dict:
    """What a method gains where segments are dealt instead of songs: "gain" in points, and its "interval" over draws.

    rows : as `accuracy` gives them

    Returns
    -------
    both None where one of the two splits is missing

    Chapter: Leakage.
    """
    by = {row["split"]: row["values"] for row in rows if row["method"] == method}
    if not {"segment", "song"} <= set(by):
        return {"gain": None, "interval": None}
    gained = np.subtract(by["segment"], by["song"])
    return {"gain": float(gained.mean()), "interval": over_draws(gained)}


def gain_in_words(gained: dict) -> str:
    """What follows from a `gain`: the word is chosen by the whole interval.

    Chapter: Leakage.
    """
    if gained["interval"] is None:
        return "was not trained on both splits"
    low, high = gained["interval"]
    what = "clearly gains" if low > 0 else "clearly loses" if high < 0 else "neither clearly gains nor clearly loses"
    return f"{what}: {number(gained['gain'], sign='+')} points (95 % CI over draws {span((low, high), sign='+')})"


def learnt_in_words(rows: list[dict], method: str, chance: float) -> str:
    """Whether a method could show a leak at all: on which splits its whole interval over draws lies above chance.

    rows : as `accuracy` gives them; chance : in per cent

    Chapter: Leakage.
    """
    above = [row["split"] for row in rows if row["method"] == method and row["interval"][0] > chance]
    if not above:
        return "is clearly above chance on no split, and a method that has learnt nothing cannot show a leak"
    return f"is clearly above chance on the split by {' and by '.join(above)}, and can show a leak there"


def recognised_in_words(coins: list[dict]) -> str:
    """What follows from `coin_labels`: where songs are recognised, by the whole interval.

    Chapter: Leakage.
    """
    found = [row["split"] for row in coins if row["interval"][0] > 50]
    if not found:
        return "on no split are they predicted clearly better than by chance, so no song is shown to be recognised"
    where = f"on the split by {' and by '.join(found)} they are predicted clearly better than by chance"
    if not any(row["sibling"] for row in coins if row["split"] in found):
        return f"{where}, though no test segment has a sibling in training: some songs are almost copies of others"
    return f"{where}: there the features of a test segment identify its song, and so what was learnt about the song"


def with_sibling(group: np.ndarray, part: np.ndarray) -> float:
    """Share of test samples of whose group (a song's segments) some stand in the training part.

    group, part : name of the group, and train, val or test, of each sample [shape=(N,)]

    Chapter: Leakage.
    """
    return float(np.isin(group[part == "test"], group[part == "train"]).mean())


def coin_labels(study: Study) -> list[dict]:
    """For each way to split that the data has: the share of test segments with a "sibling" in training, how often coin
    labels are "named", over draws, with a 95 % "interval"; all in per cent. See `recognised`.

    Chapter: Leakage.
    """
    is_music = study.manifest["modality"] == "music"
    music, p = study.manifest[is_music].reset_index(drop=True), study.profile
    rows = []
    for by, found in retrained.by_split(study).items():
        if isinstance(found, str):
            continue
        part = study.part[is_music] if by == p.split else splits.assign_split(music, by=by, seed=p.seed)
        named = [100 * share for share in recognised(study.corpus.music.x.numpy(), music, by, seed=p.seed)]
        rows.append({"split": by, "sibling": 100 * with_sibling(music["group"].to_numpy(), part.to_numpy()),
                     "named": float(np.mean(named)), "interval": np.clip(over_draws(named), 0, 100).tolist()})
    return rows


# --- the same picture


def picture_hash(picture: Image.Image) -> int:
    """64 bits that stay nearly the same if an RGB picture is resized, compressed again or slightly cropped."""
    bits = imagehash.phash(picture).hash
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def hashes(paths: Sequence[Path], jobs: int = 1) -> np.ndarray:
    """`picture_hash` of each file: uint64 (N,)."""
    def hashed(path: Path) -> int:
        return picture_hash(open_upright(path))

    return np.array(Parallel(jobs, prefer="threads")(delayed(hashed)(path) for path in paths), np.uint64)


def near(one: np.ndarray, other: np.ndarray, most: int = ALIKE) -> np.ndarray:
    """Index pairs (i, j) whose hashes one[i] and other[j] differ in at most `most` bits, and the number of bits:
    int (n, 3)."""
    found = []
    for k in range(0, len(one), CHUNK):
        bits = np.bitwise_count(one[k:k + CHUNK, None] ^ other[None])
        i, j = np.nonzero(bits <= most)
        found.append(np.column_stack([i + k, j, bits[i, j]]))
    return np.concatenate(found).astype(int) if found else np.zeros((0, 3), int)


def worn(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """The picture as somebody else might have put it online: smaller, a little cropped, compressed again."""
    picture = picture.convert("RGB")
    w, h = picture.size
    left, top, right, bottom = (int(c) for c in (
        rng.uniform(0, 0.02) * w, rng.uniform(0, 0.02) * h, w * (1 - rng.uniform(0, 0.02)),
        h * (1 - rng.uniform(0, 0.02))))
    picture = picture.crop((left, top, right, bottom))
    picture = picture.resize((max(32, int(0.7 * w)), max(32, int(0.7 * h))), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=60)
    return Image.open(io.BytesIO(buffer.getvalue()))


# --- the same recording


@dataclass(frozen=True)
class Landmarks:
    """Pairs of spectral peaks of a piece: what they are (frequencies and distance, as one number) and when."""

    what: np.ndarray
    when: np.ndarray


def landmarks(y: np.ndarray) -> Landmarks:
    """The landmarks of a sound at `audio.SR`: each strong peak of its spectrogram with the next few peaks after it.

    They survive compression, noise and a cut. Source: Wang (2003), An Industrial-Strength Audio Search Algorithm.
    """
    s = librosa.power_to_db(np.abs(librosa.stft(y, n_fft=2048, hop_length=HOP)) ** 2, ref=np.max)[:512]
    peak = (s == maximum_filter(s, (31, 9))) & (s > np.median(s)) & (s > QUIET)
    t, f = np.nonzero(peak.T)
    what, when = [], []
    for step in range(1, FAN + 1):
        distance = t[step:] - t[:-step]
        held = (distance > 0) & (distance < REACH)
        what.append((f[:-step] // 2 << 16 | f[step:] // 2 << 8 | distance)[held])
        when.append(t[:-step][held])
    return Landmarks(np.concatenate(what).astype(np.int64), np.concatenate(when).astype(np.int64))


def shared(one: Landmarks, other: Landmarks) -> float:
    """Share of the landmarks of the poorer piece that both have at one and the same offset in time, 0 to 1."""
    if not len(one.what) or not len(other.what):
        return 0.0
    order = np.argsort(other.what, kind="stable")
    first, last = (np.searchsorted(other.what[order], one.what, side) for side in ("left", "right"))
    number = last - first
    i = np.repeat(np.arange(len(one.what)), number)
    j = order[np.repeat(first, number) + np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number)]
    offset = other.when[j] - one.when[i]
    if not len(offset):
        return 0.0
    at = np.bincount(offset - offset.min())
    together = np.convolve(at, np.ones(3), "same").max()  # a cut need not fall on a frame
    return float(min(1.0, together / min(len(one.what), len(other.what))))


def noisy(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The sound as somebody else might have put it online: later in, quieter, with some noise."""
    start = int(rng.uniform(0.3, 2) * audio.SR)
    return 0.7 * y[start:] + rng.normal(0, 0.02 * max(y.std(), 1e-6), len(y) - start).astype(np.float32)


def nearest(x: np.ndarray, group: np.ndarray, one: np.ndarray, other: np.ndarray, k: int = CANDIDATES) -> np.ndarray:
    """For each of the rows `one` the k of `other` with the highest cosine, of other groups: (n, 2) rows of x."""
    unit = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
    found = []
    for start in range(0, len(one), CHUNK):
        rows = one[start:start + CHUNK]
        cosine = unit[rows] @ unit[other].T
        cosine[group[rows][:, None] == group[other][None]] = -np.inf
        best = np.argsort(-cosine, axis=1, kind="stable")[:, :k]
        i = np.repeat(np.arange(len(rows)), best.shape[1])
        held = np.isfinite(cosine[i, best.ravel()])
        found.append(np.column_stack([rows[i], other[best.ravel()]])[held])
    return np.concatenate(found) if found else np.zeros((0, 2), int)


# --- both, in a study


def pictures(study: Study, planted: int = 100) -> dict:
    """Equal and nearly equal pictures on two sides of the split; and whether the search finds what was planted.

    Returns
    -------
    dict: "tested" test pictures; of them those with an "equal" one, or else one "alike", in training or validation;
    "pairs" that were compared; "examples", a list of (test row, other row, bits); worn copies of test pictures that
    were "planted", and how many of them were "found", within ALIKE bits of their originals
    """
    rows = study.manifest[study.manifest["modality"] == "image"].reset_index(drop=True)
    part = study.corpus.image.part

    def make() -> list[dict]:
        paths = [study.root / path for path in rows["path"]]
        return [{"hash": str(h)} for h in hashes(paths, study.profile.processes)]

    table = store.table(study, __name__, "picture_hashes", rows[["id", "sha"]].values.tolist(), make)
    known = table["hash"].map(int).to_numpy(np.uint64)
    test, others = (np.flatnonzero((part == PARTS.index("test")) == side) for side in (True, False))
    found = near(known[test], known[others])
    alike = np.column_stack([test[found[:, 0]], others[found[:, 1]], found[:, 2]])
    equal = rows["sha"].to_numpy()[alike[:, 0]] == rows["sha"].to_numpy()[alike[:, 1]]
    rng = streams.generator("planted pictures", study.profile.seed)
    chosen = rng.permutation(test)[:planted]
    hit = 0
    for i in chosen:
        copy = worn(open_upright(study.root / rows["path"][i]), rng)
        hit += int(np.bitwise_count(np.uint64(picture_hash(copy)) ^ known[i])) <= ALIKE
    return {"tested": len(test), "pairs": len(test) * len(others), "equal": len(set(alike[equal, 0])),
            "alike": len(set(alike[~equal, 0]) - set(alike[equal, 0])), "planted": len(chosen), "found": hit,
            "examples": alike[np.argsort(alike[:, 2], kind="stable")].tolist()}


def recordings(study: Study, planted: int = 20) -> dict:
    """The same for music: equal files, and other songs that share landmarks, among the nearest by their 193 numbers.

    Returns
    -------
    as `pictures`, with shares of landmarks in the place of bits; and the "highest" share of those that were not
    planted, the lowest of those that were
    """
    rows = study.manifest[study.manifest["modality"] == "music"].reset_index(drop=True)
    side, group = study.corpus.music, rows["group"].to_numpy()
    test, others = (np.flatnonzero((side.part == PARTS.index("test")) == own) for own in (True, False))
    piece = rows["sha"] + "@" + rows["start"].astype(str)
    equal = set(test[piece[test].isin(set(piece[others]))])
    asked = nearest(side.x.numpy(), group, test, others)

    def prints(row: int) -> Landmarks:
        return landmarks(study.load_clip(rows.iloc[row], SECONDS))

    def make() -> list[dict]:
        needed = np.unique(asked)
        work = Parallel(study.profile.processes, prefer="threads")
        made = dict(zip(needed, work(delayed(prints)(i) for i in needed), strict=True))
        found = [{"test": int(i), "other": int(j), "shared": shared(made[i], made[j]), "planted": False}
                 for i, j in asked]
        rng = streams.generator("planted recordings", study.profile.seed)
        for i in rng.permutation(test)[:planted]:
            y = study.load_clip(rows.iloc[i], SECONDS)
            found.append({"test": int(i), "other": int(i), "planted": True,
                          "shared": shared(landmarks(noisy(y, rng)), landmarks(y))})
        return found

    about = [study.corpus_key, rows[["id", "sha"]].values.tolist(), study.profile.seed, planted]
    table = store.table(study, __name__, "recordings", about, make)
    own, real = table[table["planted"]], table[~table["planted"]].sort_values("shared", ascending=False)
    alike = real[real["shared"] >= SHARED]
    return {"tested": len(test), "pairs": len(real), "equal": len(equal), "alike": len(set(alike["test"]) - equal),
            "planted": len(own), "found": int((own["shared"] >= SHARED).sum()),
            "highest": float(real["shared"].max()) if len(real) else 0.0,
            "lowest_planted": float(own["shared"].min()) if len(own) else 0.0,
            "examples": alike[["test", "other", "shared"]].values.tolist()}
