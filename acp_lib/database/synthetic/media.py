"""The files of the mini database's pictures and songs, some of them broken on purpose."""

import io
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import soundfile

from acp_lib import streams
from acp_lib.database.synthetic import images as synthetic_images
from acp_lib.database.synthetic import music as synthetic_music
from acp_lib.database.synthetic.items import PLANTED, Item
from acp_lib.emotions import EMOTIONS
from acp_lib.engine.processes import mapped
from acp_lib.engine.progress import bar

SECONDS = ((60, 70), (30, 40), (30, 40), (120, 130), (30, 40), (30, 40))
"""Of songs in a row: one segment, most of them shorter than a minute to save time, and two, so that a split can part a
song.
"""

CODINGS = {"mp3": "MPEG_LAYER_III", "ogg": "VORBIS", "flac": "PCM_16"}
FORMATS = ("mp3", "flac", "flac", "ogg", "flac", "flac", "flac", "ogg", "flac", "flac", "ogg", "flac")
"""Of songs in a row. FLAC takes the most space, but OGG ten times and MP3 twenty times as long to write; MP3 goes to
songs of one segment, because libsndfile complains aloud when it seeks in one.
"""

BLOCK = 65536
"""Frames written at once: libsndfile 1.2.2 dies of a long OGG that comes in one piece."""

_BITS_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def draw(root: Path, items: list[Item], seed: int, jobs: int, progress: bool) -> None:
    """Draw and write all items that are not lost, in so many processes of one thread each."""
    for folder in (*(root / "images" / emotion for emotion in EMOTIONS), root / "music"):
        folder.mkdir(parents=True, exist_ok=True)
    n = {m: sum(item.modality == m for item in items) for m in PLANTED}
    # pictures spread evenly among the songs, which take longer, so that the bar's estimate holds
    spread = sorted(items, key=lambda item: item.index / n[item.modality])
    done = mapped(partial(_draw, root, seed), spread, jobs)
    list(bar(done, total=len(items), what="making the mini database", unit="file", shown=progress))


def _draw(root: Path, seed: int, item: Item) -> None:
    if item.fate != "lost":
        rng = streams.generator("a file", seed, item.modality, item.index)
        (_draw_picture if item.modality == "image" else _draw_song)(root, item, seed, rng)


def picture_path(root: Path, item: Item) -> Path:
    """Where a picture's file lies."""
    return root / "images" / item.label / item.name


def _draw_picture(root: Path, item: Item, seed: int, rng: np.random.Generator) -> None:
    path, (valence, arousal, dominance) = picture_path(root, item), item.point
    encoded = io.BytesIO()
    synthetic_images.draw(valence, arousal, dominance, rng).save(encoded, "JPEG", quality=int(rng.integers(80, 93)))
    data = encoded.getvalue()
    path.write_bytes(data[: len(data) // 3] if item.fate == "truncated" else data)


def _draw_song(root: Path, item: Item, seed: int, rng: np.random.Generator) -> None:
    (low, high), (valence, arousal) = SECONDS[item.index % len(SECONDS)], item.point
    seconds = 6.0 if item.fate == "short" else float(rng.uniform(low, high))
    path = root / "music" / f"{item.name}.{FORMATS[item.index % len(FORMATS)]}"
    if item.fate == "unreadable":
        path.write_text("<html><body>This video is not available.</body></html>\n", "utf8")
        return
    style = synthetic_music.Style.draw(streams.generator("style of an artist", seed, item.artist))
    write_audio(path, synthetic_music.song(valence, arousal, rng, seconds, style))


def write_audio(path: Path, y: np.ndarray) -> None:
    """Write sound in the format that the path's ending names; the same bytes for the same sound."""
    kind, encoded = path.suffix[1:], io.BytesIO()  # libsndfile itself would not say why it cannot write to a disk
    with soundfile.SoundFile(encoded, "w", synthetic_music.SAMPLE_RATE, 1, CODINGS[kind], format=kind) as file:
        for start in range(0, len(y), BLOCK):
            file.write(y[start : start + BLOCK])
    path.write_bytes(b"".join(_numbered(encoded.getvalue())) if kind == "ogg" else encoded.getvalue())


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
    raw = zlib.crc32(page.translate(_BITS_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return raw.to_bytes(4, "big").translate(_BITS_REVERSED)
