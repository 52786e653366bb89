"""The lists and databases of the mini database: pictures' addresses, songs' scores, video ids and metadata."""

import sqlite3
from contextlib import closing
from pathlib import Path

from acp_lib import streams
from acp_lib.database.synthetic import tags as synthetic_tags
from acp_lib.database.synthetic.items import Item
from acp_lib.emotions import CLASSES, EMOTIONS

FIRST = ("Amber", "Paper", "Northern", "Quiet", "Velvet", "Copper", "Salt", "Winter", "Glass", "Second", "Little",
         "Harbour", "Marble", "Distant", "Cotton", "Silver")
LAST = ("Lanterns", "River", "Almanac", "Orchard", "Static", "Parade", "Meridian", "Foxes", "Telegram", "Gardens",
        "Engine", "Horizon", "Letters", "Window", "Tides", "Atlas")
"""Words of artists' names and songs' titles."""


def write_pictures(root: Path, pictures: list[Item], seed: int) -> None:
    """emotion,url,disagree,agree: five people were asked, and fewer agree with a label that is not the truth."""
    (root / "agg").mkdir(exist_ok=True)
    lists: dict[str, list[str]] = {e: [] for e in EMOTIONS}
    for p in pictures:
        rng = streams.generator("agreement on a picture", seed, p.index)
        agree = int(rng.binomial(5, 0.75 if p.label == p.truth else 0.3))
        url = f"http://pictures.example/{1 + p.index % 9}/{p.name}"
        lists[p.label].append(f"{p.label},{url},{5 - agree},{agree}\n")
    for emotion, lines in lists.items():
        (root / "agg" / f"{emotion}.csv").write_text("".join(lines), "utf8")


def write_songs(root: Path, songs: list[Item], seed: int) -> None:
    """Scores, video ids, tags and metadata."""
    tags = {s.name: synthetic_tags.carried(s, seed) for s in songs}
    about = [_about(s, seed) for s in songs]
    scores = ["_".join(str(sum(t in synthetic_tags.TAGS[c] for t in tags[s.name])) for c in CLASSES) for s in songs]
    rows = [f"{a['track_id']},{a['title']},{a['artist_name']},{score}\n" for a, score in
            zip(about, scores, strict=True)]
    (root / "SongEmotionScore.csv").write_text("".join(rows), "utf8")
    # ids of the right form that are evidently no one's; a song that was lost has none
    videos = [",".join([s.name] + [f"fake-{10 * s.index + k:06d}" for k in range(10) if s.fate != "lost"]) + "\n"
              for s in songs]
    (root / "YouTubeURLs.csv").write_text("".join(videos), "utf8")
    synthetic_tags.write(root / "lastfm_tags.db", tags | synthetic_tags.of_others(len(songs), seed))
    _write_tracks(root / "track_metadata.db", about)


def _write_tracks(path: Path, about: list[dict]) -> None:
    types = {str: "TEXT", float: "REAL", int: "INT"}
    columns = ", ".join(f"{name} {types[type(value)]}" for name, value in about[0].items())
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(f"CREATE TABLE songs ({columns.replace('track_id TEXT', 'track_id TEXT PRIMARY KEY')})")
        db.executemany(f"INSERT INTO songs VALUES ({', '.join('?' * len(about[0]))})",
                       [tuple(a.values()) for a in about])


def _about(song: Item, seed: int) -> dict:
    """A row of the Million Song Dataset's table `songs`."""
    rng = streams.generator("metadata of a song", seed, song.index)
    style = ("{}", "{} (12\" Mix)", "{}, Part {n}", "{}", "{} \"Live", "{}'s End")[song.index % 6]
    one, other = rng.permutation(len(FIRST))[:2]
    return {
        "track_id": song.name,
        "title": style.format(f"{FIRST[one]} {LAST[other]}", n=1 + song.index % 3),
        "song_id": f"SOSYNTH{song.index:011X}",
        "release": f"{FIRST[other]} Sessions",
        "artist_id": f"ARSYNTH{song.artist:011X}",
        "artist_mbid": f"00000000-0000-4000-8000-{song.artist:012x}",
        "artist_name": f"{FIRST[song.artist % 16]} {LAST[(7 * song.artist + song.artist // 16) % 16]}",
        "duration": round(float(rng.uniform(60, 300)), 5),
        "artist_familiarity": round(float(rng.random()), 6),
        "artist_hotttnesss": round(float(rng.random()), 6),
        "year": int(rng.integers(1960, 2011)),
        "track_7digitalid": 1_000_000 + song.index,
        "shs_perf": -1,
        "shs_work": 0,
    }
