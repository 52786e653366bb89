"""A small IMAC made on the spot: pictures, songs, tags and lists in IMAC's layout, with known ground truth.

An item's label fixes, up to `NOISE`, its true emotion (of a song: its true class); a point of valence, arousal and
dominance is drawn around the place of that truth; the picture or the song is drawn from the point alone. So the best
score that anything can reach which sees only pictures and songs is known: `bayes_rates`.

    <root>/...          what `acp_lib.database.imac` reads
    <root>/truth.csv    id, modality, true and label class and emotion, valence, arousal, dominance of each item
    <root>/truth.json   the constants, the Bayes rates, what was planted

All names, titles, addresses and video ids are made up. A few things are planted that real collections hold too: files
that were lost or are broken, equal pictures under two names, tags that mislead.

Sources: Mikels et al. (2005, Behavior Research Methods 37) for the eight emotions; Russell and Mehrabian (1977, Journal
of Research in Personality 11) for the signs of their places, which are moved apart so that eight can be told.

Paper: stands in for the data of Section 2.  Chapter: Building the database.
"""

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from joblib import Parallel, delayed, parallel_config

from acp_lib import paper
from acp_lib.database.synthetic import images as synthetic_images
from acp_lib.database.synthetic import music as synthetic_music
from acp_lib.emotions import CLASSES, EMOTIONS, regroup
from acp_lib.engine.progress import bar

NOISE = 0.08
"""Share of labels that are not the truth."""

PLACES = {  # valence, arousal, dominance
    "awe": (0.55, 0.10, -0.55),
    "amusement": (0.75, 0.35, 0.25),
    "excitement": (0.55, 0.80, 0.45),
    "contentment": (0.45, -0.60, 0.20),
    "fear": (-0.55, 0.60, -0.65),
    "disgust": (-0.65, 0.10, 0.15),
    "anger": (-0.55, 0.65, 0.65),
    "sadness": (-0.60, -0.60, -0.35),
}
MUSIC_PLACES = {"positive": (0.55, 0.50), "neutral": (0.40, -0.60), "negative": (-0.60, -0.15)}
SPREAD = {"image": 0.22, "music": 0.20}
"""Standard deviation of the points around their place, in each direction: emotions overlap, and yet small networks
learn to compare within minutes.
"""

SHARES = {"image": paper.IMAGES, "music": paper.SONGS}
WITHIN = {  # pictures of each emotion that a later group could still fetch
    "awe": 2881, "amusement": 4724, "excitement": 2725, "contentment": 5130,
    "fear": 969, "disgust": 1591, "anger": 1176, "sadness": 2633,
}
FEWEST = {"image": 12, "music": 3}

LENGTHS = ((60, 70), (120, 135), (180, 190))
"""Seconds; one, two and three whole segments."""

CODINGS = {"mp3": "MPEG_LAYER_III", "ogg": "VORBIS", "flac": "PCM_16"}
ENDINGS = ("mp3", "flac", "ogg", "ogg", "ogg", "flac", "mp3", "ogg", "ogg", "flac", "ogg", "ogg")
"""Of songs in a row. FLAC takes the most space and MP3 the most time; MP3 goes to songs of one segment, because
libsndfile complains aloud when it seeks in one.
"""

BLOCK = 65536
"""Frames written at once: libsndfile 1.2.2 dies of a long OGG that comes in one piece."""

SONGS_PER_ARTIST = 3
PICTURES_PER_TASK = 24
COPIES = 4
PLANTED = {"image": ("lost", "lost", "lost", "truncated"), "music": ("lost", "lost", "lost", "unreadable", "short")}

TAGS = {  # the most frequent first
    "positive": (
        "happy", "energetic", "happy music", "joyous", "makes me happy", "so energetic", "energetic rock",
        "feel good happy", "happy songs", "makes me energetic and wanna dance", "high energetic", "joyous noise",
        "this will always make me happy", "happy driving", "happy fun ball", "happy place",
    ),
    "neutral": (
        "calm", "relaxing", "relax", "soothing", "calming", "cool and relaxing music", "relaxed", "calmness",
        "soothing voice", "soothing for the ear to hear", "calm down", "relaxing piano", "music to relax",
        "chill and relax", "oddly soothing", "Sunday relax",
    ),
    "negative": (
        "sad", "sad songs", "sadness", "makes me sad", "beautifully sad", "painful", "pain", "so sad", "sad love song",
        "for the painfully alone", "slow sad songs", "life is pain", "romantic pain", "sad true and beautiful",
        "painfully good", "mellow and rather sad",
    ),
}
MISLEADING = (
    "spain", "happysad", "unhappy", "sad but happy", "painting", "Sade", "not calm", "relaxing sadness", "happy pain",
    "made in Spain", "sade adu", "crusade", "never sad", "painted red", "energetic but calm",
)
SLIPPED = "full spainy"
"""A misleading tag that stands in the authors' own list of clean ones; here only songs labelled negative carry it."""

GENRES = (
    "rock", "pop", "electronic", "indie", "folk", "jazz", "ambient", "instrumental", "singer-songwriter", "acoustic",
    "80s", "female vocalists", "guitar", "experimental", "seen live", "favorites",
)
_FIRST = ("Amber", "Paper", "Northern", "Quiet", "Velvet", "Copper", "Salt", "Winter", "Glass", "Second", "Little",
          "Harbour", "Marble", "Distant", "Cotton", "Silver")
_LAST = ("Lanterns", "River", "Almanac", "Orchard", "Static", "Parade", "Meridian", "Foxes", "Telegram", "Gardens",
         "Engine", "Horizon", "Letters", "Window", "Tides", "Atlas")
_PLAN, _DRAW, _ARTIST, _TAGS, _DEAL, _RATES = range(6)  # streams of random numbers
_KIND = {"image": 0, "music": 1}
_TURNED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True)
class Item:
    """A picture or a song before it is drawn."""

    modality: str
    index: int
    name: str  # the picture's file name, the song's track id
    label: str  # an emotion; of a song, a class
    truth: str
    point: tuple[float, ...]
    fate: str = "kept"

    @property
    def id(self) -> str:
        """The id that it has in the manifest."""
        return f"{self.label}/{self.name}" if self.modality == "image" else self.name


def make(root: Path, *, seed: int = 0, n_images: int = 720, n_songs: int = 108, jobs: int = 2,
         progress: bool = True) -> Path:
    """Fill the folder `root` with a small IMAC and return it.

    The same bytes for the same `seed`, `n_images` and `n_songs`, whatever `jobs`. What is planted (`PLANTED`, `COPIES`)
    comes on top of the usable `n_images` pictures and `n_songs` songs.

    Raises
    ------
    ValueError
        If `n_images` is below 16 or `n_songs` below 9, so that some label would be missing.

    Paper: stands in for the data of Section 2.  Chapter: Building the database.
    """
    pictures, songs = plan("image", n_images, seed), plan("music", n_songs, seed)
    root.mkdir(parents=True, exist_ok=True)
    with parallel_config("loky", inner_max_num_threads=1):
        _draw_all(root, pictures, songs, seed, jobs, progress)
    copies = [replace(p, name=_picture_name(p.index + 500_000)) for p in pictures[:COPIES]]
    for original, copy in zip(pictures, copies, strict=False):
        _picture_path(root, copy).write_bytes(_picture_path(root, original).read_bytes())
    _write_picture_lists(root, pictures + copies, seed)
    _write_songs(root, songs, seed)
    _write_truth(root, pictures + copies, songs, seed, (n_images, n_songs))
    return root


def counts(modality: str, n: int) -> dict[str, int]:
    """How many of `n` pictures each emotion labels, or how many of `n` songs each class; most labels have their due.

    Raises
    ------
    ValueError
        If `n` is too small for each label to occur often enough.

    Paper: Table 3.
    """
    smallest = {"image": 16, "music": 9}[modality]
    if n < smallest:
        raise ValueError(f"n_{'images' if modality == 'image' else 'songs'} is {n}; expected {smallest} or more")
    labels, share = _labels(modality), np.array(list(SHARES[modality].values()), float)
    if modality == "image":
        whole = {c: sum(WITHIN[e] for e in EMOTIONS if regroup(e) == c) for c in CLASSES}
        share = np.array([SHARES["image"][regroup(e)] * WITHIN[e] / whole[regroup(e)] for e in EMOTIONS])
    least = min(FEWEST[modality], n // smallest)
    number = np.full(len(labels), least)
    for _ in range(n - number.sum()):
        number[np.argmax(share / share.sum() * n - number)] += 1
    return dict(zip(labels, number.tolist(), strict=True))


def plan(modality: str, n: int, seed: int) -> list[Item]:
    """All items of a modality, the usable ones first; nothing in a name or in the order tells the label."""
    deck = [label for label, k in counts(modality, n).items() for _ in range(k)]
    rng = np.random.default_rng([seed, _DEAL, _KIND[modality]])
    dealt = [deck[i] for i in rng.permutation(n)]
    extra = [deck[i] for i in rng.integers(n, size=len(PLANTED[modality]))]
    fates = ["kept"] * n + list(PLANTED[modality])
    return [_item(modality, i, label, fate, seed) for i, (label, fate) in
            enumerate(zip(dealt + extra, fates, strict=True))]


def _item(modality: str, index: int, label: str, fate: str, seed: int) -> Item:
    rng = np.random.default_rng([seed, _PLAN, _KIND[modality], index])
    others = [x for x in _labels(modality) if x != label]
    truth = label if rng.random() >= NOISE else str(rng.choice(others))
    point = np.array(_places(modality)[truth]) + SPREAD[modality] * rng.standard_normal(len(_places(modality)[truth]))
    name = _picture_name(index) if modality == "image" else f"TRSYNTH{index:011X}"
    return Item(modality, index, name, label, truth, tuple(point.tolist()), fate)


def _labels(modality: str) -> tuple[str, ...]:
    return EMOTIONS if modality == "image" else CLASSES


def _places(modality: str) -> dict[str, tuple[float, ...]]:
    return PLACES if modality == "image" else MUSIC_PLACES


def _picture_name(index: int) -> str:
    return f"{1_000_000_000 + index}_{hashlib.sha256(str(index).encode()).hexdigest()[:10]}.jpg"


# What the best observer scores


def bayes_rates(n_images: int = 720, n_songs: int = 108, *, noise: float = NOISE, balanced: bool = False,
                draws: int = 20_000) -> dict[str, float]:
    """What the best possible observer scores against the labels: one who sees each item's point and knows this module.

    The pictures and songs are drawn from the points alone, so nothing that sees only them can be expected to do better.

    Parameters
    ----------
    noise : share of labels that are not the truth
    balanced : the mean over the labels of the share recognised, instead of the share of all items
    draws : points a label, of a Monte Carlo integration with a fixed seed; its error is some 0.002

    Returns
    -------
    dict of fractions: "image_8" emotions, "image_3" and "music_3" classes, "pair_class_balanced" true or false pair

    Chapter: Building the database.
    """
    rng = np.random.default_rng([_RATES])
    image, music = (_scored(m, noise, draws, rng) for m in ("image", "music"))
    number = np.array(list(counts("image", n_images).values()), float)
    songs = np.array(list(counts("music", n_songs).values()), float)
    grouped = np.array([[number[i] * (regroup(e) == c) for c in CLASSES] for i, e in enumerate(EMOTIONS)])
    chosen = np.stack([rng.choice(len(EMOTIONS), draws, p=column / column.sum()) for column in grouped.T])
    classes = image[chosen, np.arange(draws)] @ (grouped / grouped.sum(0))  # (3, draws, 3)
    return {
        "pair_class_balanced": _best_pairs(classes, music),
        "image_8": _best(image, number, balanced),
        "image_3": _best(classes, grouped.sum(0), balanced),
        "music_3": _best(music, songs, balanced),
    }


def _scored(modality: str, noise: float, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Points drawn under each label and how likely each label makes them: (K labels, draws, K labels)."""
    places = np.array(list(_places(modality).values()))
    k = len(places)
    mixture = np.where(np.eye(k, dtype=bool), 1 - noise, noise / (k - 1))
    truth = np.stack([rng.choice(k, draws, p=row) for row in mixture])
    points = places[truth] + SPREAD[modality] * rng.standard_normal((k, draws, places.shape[1]))
    distance = ((points[:, :, None] - places) ** 2).sum(-1) / SPREAD[modality] ** 2
    return np.exp(-distance / 2) @ mixture.T


def _best(likelihood: np.ndarray, number: np.ndarray, balanced: bool) -> float:
    """Expected share of right answers if each point gets the label that is the most probable, `number` as prior."""
    prior = np.full(len(number), 1 / len(number)) if balanced else number / number.sum()
    right = (likelihood * prior).argmax(-1) == np.arange(len(number))[:, None]
    return float(prior @ right.mean(1))


def _best_pairs(image: np.ndarray, music: np.ndarray) -> float:
    """The same for pairs, half of them true, all classes equally frequent in both halves."""
    image, music = (x / x.sum(-1, keepdims=True) for x in (image, music))
    k, draws = image.shape[:2]
    right = np.zeros((k, k))
    for i in range(k):
        for j in range(k):
            # half of the pairs are true and spread over k cells, the others over k * (k - 1)
            says = (image[i] * np.roll(music[j], 1 + i * k + j, axis=0)).sum(-1) > 1 / k
            right[i, j] = np.mean(says == (i == j))
    same = np.eye(k, dtype=bool)
    return float((right[same].mean() + right[~same].mean()) / 2)


# Media


def _draw_all(root: Path, pictures: list[Item], songs: list[Item], seed: int, jobs: int, progress: bool) -> None:
    for emotion in EMOTIONS:
        (root / "images" / emotion).mkdir(parents=True, exist_ok=True)
    (root / "music").mkdir(exist_ok=True)
    packs = [pictures[i : i + PICTURES_PER_TASK] for i in range(0, len(pictures), PICTURES_PER_TASK)]
    # pictures spread evenly among the songs, which take longer, so that the bar's estimate holds
    spread = sorted((i / len(x), j, x[i]) for j, x in enumerate((packs, [[s] for s in songs])) for i in range(len(x)))
    done = Parallel(jobs, return_as="generator_unordered")(delayed(_draw)(root, x, seed) for *_, x in spread)
    with bar(total=len(pictures) + len(songs), what="making the mini database", unit="file", shown=progress) as shown:
        for n in done:
            shown.update(n)


def _draw(root: Path, items: list[Item], seed: int) -> int:
    for item in items:
        if item.fate != "lost":
            rng = np.random.default_rng([seed, _DRAW, _KIND[item.modality], item.index])
            (_draw_picture if item.modality == "image" else _draw_song)(root, item, seed, rng)
    return len(items)


def _picture_path(root: Path, item: Item) -> Path:
    return root / "images" / item.label / item.name


def _draw_picture(root: Path, item: Item, seed: int, rng: np.random.Generator) -> None:
    path = _picture_path(root, item)
    synthetic_images.draw(*item.point, rng).save(path, quality=int(rng.integers(80, 93)))
    if item.fate == "truncated":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])


def _draw_song(root: Path, item: Item, seed: int, rng: np.random.Generator) -> None:
    low, high = LENGTHS[item.index % len(LENGTHS)]
    seconds = 6.0 if item.fate == "short" else float(rng.uniform(low, high))
    path = root / "music" / f"{item.name}.{ENDINGS[item.index % len(ENDINGS)]}"
    if item.fate == "unreadable":
        path.write_text("<html><body>This video is not available.</body></html>\n", "utf8")
        return
    style = synthetic_music.Style.draw(np.random.default_rng([seed, _ARTIST, _artist(item)]))
    _write_audio(path, synthetic_music.song(*item.point, rng, seconds, style))


def _write_audio(path: Path, y: np.ndarray) -> None:
    kind = path.suffix[1:]
    with soundfile.SoundFile(path, "w", synthetic_music.SAMPLE_RATE, 1, CODINGS[kind], format=kind) as file:
        for start in range(0, len(y), BLOCK):
            file.write(y[start : start + BLOCK])
    if kind == "ogg":
        path.write_bytes(b"".join(_numbered(path.read_bytes())))


def _numbered(ogg: bytes) -> Iterator[bytes]:
    """The pages of an OGG stream with serial number 1, for which libsndfile takes a random one; see RFC 3533."""
    while ogg:
        segments = ogg[26]
        size = 27 + segments + sum(ogg[27 : 27 + segments])
        page = ogg[:14] + (1).to_bytes(4, "little") + ogg[18:22] + bytes(4) + ogg[26:size]
        yield page[:22] + _ogg_checksum(page) + page[26:]
        ogg = ogg[size:]


def _ogg_checksum(page: bytes) -> bytes:
    """zlib's checksum with the bits of each byte the other way round, and without its two inversions."""
    raw = zlib.crc32(page.translate(_TURNED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return raw.to_bytes(4, "big").translate(_TURNED)


# Lists and databases


def _write_picture_lists(root: Path, pictures: list[Item], seed: int) -> None:
    """emotion,url,disagree,agree: five people were asked, and fewer agree with a label that is not the truth."""
    (root / "agg").mkdir(exist_ok=True)
    lists = {e: [] for e in EMOTIONS}
    for p in pictures:
        rng = np.random.default_rng([seed, _TAGS, 0, p.index])
        agree = int(rng.binomial(5, 0.75 if p.label == p.truth else 0.3))
        url = f"http://pictures.example/{1 + p.index % 9}/{p.name}"
        lists[p.label].append(f"{p.label},{url},{5 - agree},{agree}\n")
    for emotion, lines in lists.items():
        (root / "agg" / f"{emotion}.csv").write_text("".join(lines), "utf8")


def _write_songs(root: Path, songs: list[Item], seed: int) -> None:
    tags = {s.name: _tags(s, seed) for s in songs}
    about = [_about(s, seed) for s in songs]
    scores = ["_".join(str(sum(t in TAGS[c] for t in tags[s.name])) for c in CLASSES) for s in songs]
    rows = [f"{a['track_id']},{a['title']},{a['artist_name']},{score}\n" for a, score in
            zip(about, scores, strict=True)]
    (root / "SongEmotionScore.csv").write_text("".join(rows), "utf8")
    # ids of the right form that are evidently no one's; a song that was lost has none
    videos = [",".join([s.name] + [f"fake-{10 * s.index + k:06d}" for k in range(10) if s.fate != "lost"]) + "\n"
              for s in songs]
    (root / "YouTubeURLs.csv").write_text("".join(videos), "utf8")
    _write_lastfm(root / "lastfm_tags.db", tags | _tags_of_others(len(songs), seed))
    _write_tracks(root / "track_metadata.db", about)


def _tags(song: Item, seed: int) -> dict[str, int]:
    """Tag -> weight (1 to 100): the label's class leads by the number of its tags, now and then tied with a less
    positive one.
    """
    rng = np.random.default_rng([seed, _TAGS, 1, song.index])
    lead, place = 1 + min(int(rng.poisson(0.8)), 5), CLASSES.index(song.label)
    chosen = _pick(TAGS[song.label], lead, rng)
    for rival, label in enumerate(CLASSES):
        most = lead if rival > place else lead - 1
        if rival != place:
            tie = rival > place and song.index % 10 == 5
            chosen += _pick(TAGS[label], lead if tie else min(int(rng.poisson(0.25)), most), rng)
    if song.index % 2 == 0:
        chosen.append(MISLEADING[song.index // 2 % len(MISLEADING)])
    if song.label == "negative" and song.index % 3 == 0:
        chosen.append(SLIPPED)
    chosen += _pick(GENRES, int(rng.integers(2, 7)), rng)
    return {chosen[i]: 100 if k == 0 else int(rng.integers(1, 100)) for k, i in enumerate(rng.permutation(len(chosen)))}


def _tags_of_others(n: int, seed: int) -> dict[str, dict[str, int]]:
    """Tracks that no tag of an emotion brought into the collection."""
    rng = np.random.default_rng([seed, _TAGS, 2])
    return {f"TRSYNTH{n + i:011X}": dict.fromkeys(_pick(GENRES, int(rng.integers(1, 5)), rng), 50) for i in range(n)}


def _pick(tags: tuple[str, ...], n: int, rng: np.random.Generator) -> list[str]:
    """`n` different tags, one more often the earlier it stands."""
    weight = 1 / np.arange(1, len(tags) + 1)
    return [tags[i] for i in rng.choice(len(tags), n, replace=False, p=weight / weight.sum())]


def _write_lastfm(path: Path, tags: dict[str, dict[str, int]]) -> None:
    number = {t: i for i, t in enumerate(dict.fromkeys(chain.from_iterable(tags.values())), 1)}
    links = [(i, number[t], val) for i, carried in enumerate(tags.values(), 1) for t, val in carried.items()]
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE tids (tid TEXT)")
        db.execute("CREATE TABLE tags (tag TEXT)")
        db.execute("CREATE TABLE tid_tag (tid INT, tag INT, val FLOAT)")
        db.executemany("INSERT INTO tids VALUES (?)", [(t,) for t in tags])
        db.executemany("INSERT INTO tags VALUES (?)", [(t,) for t in number])
        db.executemany("INSERT INTO tid_tag VALUES (?, ?, ?)", links)


def _write_tracks(path: Path, about: list[dict]) -> None:
    types = {str: "TEXT", float: "REAL", int: "INT"}
    columns = ", ".join(f"{name} {types[type(value)]}" for name, value in about[0].items())
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(f"CREATE TABLE songs ({columns.replace('track_id TEXT', 'track_id TEXT PRIMARY KEY')})")
        db.executemany(f"INSERT INTO songs VALUES ({', '.join('?' * len(about[0]))})",
                       [tuple(a.values()) for a in about])


def _artist(song: Item) -> int:
    return song.index // SONGS_PER_ARTIST


def _about(song: Item, seed: int) -> dict:
    """A row of the Million Song Dataset's table `songs`."""
    rng = np.random.default_rng([seed, _TAGS, 3, song.index])
    artist = _artist(song)
    style = ("{}", "{} (12\" Mix)", "{}, Part {n}", "{}", "{} \"Live", "{}'s End")[song.index % 6]
    one, other = rng.permutation(len(_FIRST))[:2]
    name = f"{_FIRST[artist % 16]} {_LAST[(7 * artist + artist // 16) % 16]}"
    return {
        "track_id": song.name,
        "title": style.format(f"{_FIRST[one]} {_LAST[other]}", n=1 + song.index % 3),
        "song_id": f"SOSYNTH{song.index:011X}",
        "release": f"{_FIRST[other]} Sessions",
        "artist_id": f"ARSYNTH{artist:011X}",
        "artist_mbid": f"00000000-0000-4000-8000-{artist:012x}",
        "artist_name": name,
        "duration": round(float(rng.uniform(60, 300)), 5),
        "artist_familiarity": round(float(rng.random()), 6),
        "artist_hotttnesss": round(float(rng.random()), 6),
        "year": int(rng.integers(1960, 2011)),
        "track_7digitalid": 1_000_000 + song.index,
        "shs_perf": -1,
        "shs_work": 0,
    }


def _write_truth(root: Path, pictures: list[Item], songs: list[Item], seed: int, n: tuple[int, int]) -> None:
    rows = [_truth_row(item) for item in pictures + songs]
    pd.DataFrame(rows).to_csv(root / "truth.csv", index=False, lineterminator="\n")
    planted = {m: {f: PLANTED[m].count(f) for f in dict.fromkeys(PLANTED[m])} for m in PLANTED}
    about = {
        "seed": seed, "noise": NOISE, "spread": SPREAD, "places": PLACES, "music_places": MUSIC_PLACES,
        "counts": {m: counts(m, k) for m, k in zip(_KIND, n, strict=True)},
        "planted": {**planted, "copies": COPIES},
        "bayes": bayes_rates(*n), "bayes_balanced": bayes_rates(*n, balanced=True),
        "clean_tags": TAGS, "misleading_tags": MISLEADING, "slipped_tags": [SLIPPED],
    }
    (root / "truth.json").write_text(json.dumps(about, indent=1) + "\n", "utf8")


def _truth_row(item: Item) -> dict:
    labels = [item.truth, item.label]
    emotions = labels if item.modality == "image" else ["", ""]
    classes = [regroup(e) for e in labels] if item.modality == "image" else labels
    point = [f"{x:.6f}" for x in item.point] + [""]
    return {"id": item.id, "modality": item.modality, "true_class": classes[0], "true_emotion": emotions[0],
            "label_class": classes[1], "label_emotion": emotions[1], "valence": point[0], "arousal": point[1],
            "dominance": point[2]}
