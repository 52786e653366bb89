"""The length of a sound file from its structure, where the length in its header may be wrong.

libsndfile takes lengths from headers and reads no further. The length of an MP3 is that of its frames; other files are
refused if more sound follows than their header states.

Source: ISO/IEC 11172-3 and 13818-3 (frames); RFC 3533 (pages of Ogg).  Chapter: Hearing.
"""

import os
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

_RATES = (44100, 48000, 32000)
_KBITS = {  # bit rates by (MPEG-1?, layer), in kbit/s
    (True, 1): (0, *range(32, 449, 32)),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_KBITS[False, 3] = _KBITS[False, 2]
_SAME = 0xFFFE0C00  # sync, version, layer and rate: what all frames of a stream share
_TOLERANCE = 2  # frames: some encoders count the one that holds the count, too


class Mpeg(NamedTuple):
    """The frames of an MPEG audio stream: where the first begins, how many hold sound, samples in each; and, where
    there is one, the count that its first frame states, and where that stands.
    """

    first: int
    frames: int
    samples: int
    stated: int | None
    field: int


def mended_mpeg(path: str | os.PathLike, stated: int) -> bytes | None:
    """The file with a header that states as many frames as there are; None where its own does.

    stated : samples a channel that the decoder expects
    """
    path = Path(path)
    about = path.stat()
    found = _counted(path, about.st_size, about.st_mtime_ns)
    if found is None or not found.frames:
        return None
    said = stated / found.samples if found.stated is None else found.stated
    slack = _TOLERANCE if found.stated is not None else _TOLERANCE + 8  # a decoder may leave out its own delay
    if abs(said - found.frames) <= slack:
        return None
    data = path.read_bytes()
    if found.stated is not None:
        return data[:found.field] + found.frames.to_bytes(4, "big") + data[found.field + 4:]
    return data[:found.first] + _count_frame(data[found.first:found.first + 4], found.frames) + data[found.first:]


@lru_cache(64)  # the segments of a song are read one after another
def _counted(path: Path, size: int, changed: int) -> Mpeg | None:
    return mpeg(path.read_bytes())


def mpeg(data: bytes) -> Mpeg | None:
    """Count the frames of an MPEG audio stream by their headers; None if there are none.

    Frames whose version, layer or rate differs from the first frame's, a truncated frame, and data between frames do
    not count.
    """
    first = _next(data, _behind_tags(data), None)
    if first is None:
        return None
    word = int.from_bytes(data[first:first + 4], "big")
    kind, count, at, total = word & _SAME, 0, first, len(data)
    sizes: dict[int, int] = {}  # of a frame, by its header
    while at + 4 <= total:
        word = int.from_bytes(data[at:at + 4], "big")
        size = sizes.get(word)
        if size is None:
            size = sizes[word] = _size(word) if word & _SAME == kind else 0
        if size:
            count += at + size <= total
            at += size
        elif (found := _next(data, at + 1, kind)) is None:
            break
        else:
            at = found
    stated, field = _stated(data[first:first + 192])
    return Mpeg(first, max(count - (field > 0), 0), _samples(kind), stated, first + field)


def _behind_tags(data: bytes) -> int:
    at = 0
    while data[at:at + 3] == b"ID3" and len(data) >= at + 10:
        a, b, c, d = (byte & 127 for byte in data[at + 6:at + 10])
        at += 10 + (a << 21 | b << 14 | c << 7 | d)
    return at


def _next(data: bytes, at: int, kind: int | None) -> int | None:
    """Position of the next frame of this kind, or of any kind, that is followed by another frame or by the end."""
    while (at := data.find(b"\xff", at)) >= 0:
        word = int.from_bytes(data[at:at + 4], "big")
        if (kind is None or word & _SAME == kind) and (size := _size(word)):
            behind = data[at + size:at + size + 4]
            if len(behind) < 4 or (int.from_bytes(behind, "big") ^ word) & _SAME == 0:
                return at
        at += 1
    return None


def _size(word: int) -> int:
    """Size in bytes of the frame with this header; 0 if it is not a frame header, or has a free bit rate."""
    version, layer, kbits, rate = word >> 19 & 3, 4 - (word >> 17 & 3), word >> 12 & 15, word >> 10 & 3
    if word >> 21 != 0x7FF or version == 1 or layer == 4 or kbits in (0, 15) or rate == 3:
        return 0
    bits = 1000 * _KBITS[version == 3, layer][kbits]
    hertz = _RATES[rate] >> {3: 0, 2: 1, 0: 2}[version]
    padding = word >> 9 & 1
    if layer == 1:
        return 4 * (12 * bits // hertz + padding)
    return (72 if layer == 3 and version != 3 else 144) * bits // hertz + padding


def _samples(word: int) -> int:
    version, layer = word >> 19 & 3, 4 - (word >> 17 & 3)
    return 384 if layer == 1 else 576 if layer == 3 and version != 3 else 1152


def _stated(frame: bytes) -> tuple[int | None, int]:
    """The number of frames stated in a first frame, and its position; (None, 0) if that frame contains sound."""
    for name, behind in ((b"Xing", 8), (b"Info", 8), (b"VBRI", 14)):
        at = frame.find(name, 4, 48)
        if at > 0 and (behind == 14 or len(frame) > at + 7 and frame[at + 7] & 1):
            return int.from_bytes(frame[at + behind:at + behind + 4], "big"), at + behind
    return None, 0


def _count_frame(header: bytes, frames: int) -> bytes:
    """A silent frame that states a number of frames, for a stream with this header."""
    word = int.from_bytes(header, "big") & 0xFFFF0FFF | 0x1E000  # without a checksum, at the highest bit rate
    word &= ~0x200
    version, mono = word >> 19 & 3, word >> 6 & 3 == 3
    side = (17 if mono else 32) if version == 3 else (9 if mono else 17)
    body = bytes(side) + b"Xing" + (1).to_bytes(4, "big") + frames.to_bytes(4, "big")
    return (word.to_bytes(4, "big") + body).ljust(_size(word), b"\0")


def chained_ogg(path: str | os.PathLike) -> int:
    """Number of recordings that are chained in an Ogg file."""
    data, at, links, inside = Path(path).read_bytes(), 0, 1, False
    while (at := data.find(b"OggS", at)) >= 0 and at + 27 <= len(data):
        begins = bool(data[at + 5] & 2)
        links += begins and inside
        inside = not begins
        at += 27 + data[at + 26] + sum(data[at + 27:at + 27 + data[at + 26]])
    return links


def behind_wav(path: str | os.PathLike) -> int:
    """Number of bytes that follow the sound of a RIFF file and are not a chunk, although they lie within the size that
    the file states; 0 if there are none, or the file is not RIFF.
    """
    with Path(path).open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        head = file.read(12)
        if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
            return 0
        stated, heard, at = int.from_bytes(head[4:8], "little") + 8, False, 12
        end = size if stated <= 44 else min(size, stated)
        while at + 8 < end:
            file.seek(at)
            chunk = file.read(8)
            if heard and not (chunk[:4].isascii() and chunk[:4].decode().isprintable()):
                return end - at
            heard = heard or chunk[:4] == b"data"
            length = int.from_bytes(chunk[4:], "little")
            at += 8 + length + length % 2
    return 0
