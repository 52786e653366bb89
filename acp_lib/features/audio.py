"""From a file to samples: decode, mix to mono, resample to 22,050 Hz, cut into 60-second segments.

Every format libsndfile reads (WAV, FLAC, MP3, OGG, AIFF, ...) is read here, and only the stretch that is asked for.

Paper: Section 4, Database, experimental setup.  Chapter: Hearing.
"""

import math
import os
from pathlib import Path

import numpy as np
import soundfile
import soxr

SR = 22050
"""Sampling rate of all features, in Hz: librosa's default."""

SEGMENT = 60.0
"""Length of one sample, in seconds."""

_TAIL = 30  # seconds before the end of an OGG file; libsndfile misses its mark when it seeks into the last page
_LEAD = 2  # seconds an MP3 is read ahead of its mark: each of its frames takes bits from those before it


class UnreadableAudio(ValueError):
    """A file that holds no usable sound: absent, not audio, without samples, or with samples that are not finite."""


def load(path: str | os.PathLike, *, start: float = 0.0, duration: float | None = None, sr: int = SR) -> np.ndarray:
    """Decode a stretch of a file, mixed to mono and resampled: float32 (n,), in [-1, 1] unless the file exceeds it.

    Only the stretch from `start` for `duration` seconds (to the end if None; less if the file ends before) is kept in
    memory. Of a whole file this is, bit for bit, ``librosa.load(path, sr=sr, mono=True)[0]``. Where the file's rate is
    not `sr` the stretch is resampled by itself, so its first and last milliseconds differ from a cut of the whole.

    Raises
    ------
    UnreadableAudio
        If the file cannot be decoded, the stretch holds no samples, or a sample is NaN or infinite.
    ValueError
        If `start`, `duration` or `sr` is out of range, or `start` lies behind the end of the file.

    Paper: Section 4, Database, experimental setup.  Chapter: Hearing.
    """
    if not (math.isfinite(start) and start >= 0):
        raise ValueError(f"start is {start!r}; expected a number of seconds from 0 up")
    if duration is not None and not (math.isfinite(duration) and duration > 0):
        raise ValueError(f"duration is {duration!r}; expected a number of seconds above 0, or None for the whole file")
    if not (math.isfinite(sr) and sr > 0):
        raise ValueError(f"sr is {sr!r}; expected a sampling rate in Hz above 0, such as {SR}")
    with _open(path) as file:
        rate, first = file.samplerate, _frame(start, file.samplerate)
        count = -1 if duration is None else _frame(duration, rate)
        if file.frames and first >= file.frames:
            end = file.frames / rate
            raise ValueError(f"start is {start} s, but {path} ends at {end:.3f} s; expected an earlier start")
        try:
            y = _read(file, first, count)
        except soundfile.LibsndfileError as error:
            raise UnreadableAudio(f"cannot decode {path}: {error}; decode it again or leave it out") from error
    if not len(y):
        raise UnreadableAudio(f"{path} holds no samples; download or encode it again, or leave it out")
    y = _mono(y)
    if not np.isfinite(y).all():
        bad = int(np.count_nonzero(~np.isfinite(y)))
        raise UnreadableAudio(f"{path} holds {bad} samples that are NaN or infinite; encode it again, or leave it out")
    return _resample(y, rate, sr)


def duration(path: str | os.PathLike) -> float:
    """Length of a file in seconds, from its header; nothing is decoded.

    Raises UnreadableAudio if the file cannot be opened as audio.

    Paper: Section 4, Database, experimental setup.  Chapter: Hearing.
    """
    with _open(path) as file:
        return file.frames / file.samplerate


def segments(
    duration: float, *, length: float = SEGMENT, minimum: float = SEGMENT, short_from: float = 10.0
) -> list[tuple[float, float]]:
    """Cut a file of `duration` seconds into (start, length) stretches that do not overlap, in seconds.

    Whole segments come first; what remains is a segment of its own if it lasts at least `minimum` (the ledger's
    `last_segment`). A file shorter than one whole segment is one segment if it lasts at least `short_from`, and none
    otherwise.

    Raises ValueError if a number is not finite, `duration` is negative or another is not above 0.

    Paper: Section 4, Database, experimental setup.  Chapter: Hearing.
    """
    for name, value, fits in (
        ("duration", duration, duration >= 0),
        ("length", length, length > 0),
        ("minimum", minimum, minimum > 0),
        ("short_from", short_from, short_from > 0),
    ):
        if not (math.isfinite(value) and fits):
            raise ValueError(f"{name} is {value!r}; expected a finite number of seconds above 0")
    whole = math.floor(duration / length + 1e-9)
    if not whole:
        return [(0.0, float(duration))] if duration >= short_from else []
    cut = [(i * length, length) for i in range(whole)]
    rest = duration - whole * length
    return [*cut, (whole * length, rest)] if rest >= minimum else cut


def _open(path: str | os.PathLike) -> soundfile.SoundFile:
    try:
        file = soundfile.SoundFile(os.fspath(path))
    except (OSError, soundfile.LibsndfileError) as error:
        if not Path(path).is_file():
            raise UnreadableAudio(f"{path} is no file; check the path, or download it first") from error
        size = Path(path).stat().st_size
        raise UnreadableAudio(
            f"cannot open {path} ({size} bytes) as audio: {error}; "
            "expected a format that libsndfile reads, such as WAV, FLAC, MP3 or OGG"
        ) from error
    if file.frames > 1 << 48:  # libsndfile's largest number, where a stream's header leaves the length open
        file.close()
        raise UnreadableAudio(f"{path} does not say how long it is; encode it again, or leave it out")
    return file


def _frame(seconds: float, rate: int) -> int:
    return math.floor(seconds * rate + 1e-6)  # so that k / rate is sample k, whatever the rounding


def _read(file: soundfile.SoundFile, first: int, count: int) -> np.ndarray:
    """`count` frames (all if -1) from frame `first`."""
    behind = {"OGG": file.frames - _TAIL * file.samplerate, "MP3": first - _LEAD * file.samplerate}
    start = max(0, min(first, behind.get(file.format, first)))
    file.seek(start)
    # in one call: soundfile seeks after each, and that makes an MP3 decoder forget
    return file.read(count if count < 0 else first - start + count, dtype="float32")[first - start:]


def _mono(y: np.ndarray) -> np.ndarray:
    if y.ndim == 1:
        return y
    if y.shape[1] == 2:
        return (y[:, 0] + y[:, 1]) * np.float32(0.5)  # what np.mean computes, without its strided reduction
    return np.mean(y.T, axis=0)


def _resample(y: np.ndarray, rate: int, sr: int) -> np.ndarray:
    if rate == sr:
        return y
    expected = math.ceil(len(y) * (float(sr) / rate))
    out = soxr.resample(y, rate, sr, quality="HQ")[:expected]
    return np.pad(out, (0, expected - len(out))) if len(out) < expected else out
