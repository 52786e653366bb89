"""From a file to samples: decode, mix to mono, resample to 22,050 Hz, cut into 60-second segments.

This module reads every format that libsndfile reads (WAV, FLAC, MP3, OGG, AIFF, ...), and only the requested stretch.
The length of a file is that of its decoded sound, whatever its header says; unusable files are refused with the reason.

Paper: Section 4, Database, experimental setup.  Chapter: Hearing.
"""

import io
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr

from acp_lib.features import containers

SR = 22050
"""Sampling rate of all features, in Hz: librosa's default."""

SEGMENT = 60.0
"""Length of one sample, in seconds."""

LOUDEST = 10.0
"""Maximum level of a sample, relative to full scale: 20 dB, far above clipping; samples on an integer scale exceed it.
"""

SILENT = 2.0**-15
"""Level, relative to full scale, that a file must exceed somewhere: one step of 16 bits."""

LOWEST_RATE, HIGHEST_RATE = 1000, 1_000_000
"""Range of allowed sampling rates of files, in Hz."""

DENSEST = 1000
"""Maximum number of samples that a header may claim per byte of the file: no real sound compresses so well."""

_BLOCK = 1 << 18  # frames decoded at once where a file is read through
_PROBE = 0.5  # seconds read in the middle and at the end
_TAIL = 30  # seconds before the end of an OGG file; libsndfile misses its mark when it seeks into the last page
_LEAD = 2  # seconds an MP3 is read ahead of its mark: each of its frames takes bits from those before it


class UnreadableAudio(ValueError):
    """A file without usable sound: missing, not audio, of unknown length, without samples, silent, by itself or when
    its channels are mixed, or with samples that are not finite or exceed `LOUDEST`.
    """


def load(path: str | os.PathLike, *, start: float = 0.0, duration: float | None = None, sr: int = SR) -> np.ndarray:
    """Decode a stretch of a file, mixed to mono and resampled: float32 (n,), in [-1, 1] unless the file exceeds it.

    Only the stretch of `duration` seconds from `start` is kept in memory (up to the end if None or if the file is
    shorter). For a whole file the result equals ``librosa.load(path, sr=sr, mono=True)[0]`` bit for bit. If the file's
    rate is not `sr`, the stretch is resampled alone, so its first and last milliseconds differ from a cut of the whole.

    Raises
    ------
    UnreadableAudio
        If the file cannot be decoded, the stretch holds no samples, or a sample is NaN, infinite or beyond `LOUDEST`.
    ValueError
        If `start`, `duration` or `sr` is out of range, or `start` lies beyond the end of the file.

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
    _level(y, path)
    return _resample(_mono(y), rate, sr)


def listed(root: Path, row: Mapping[str, Any], seconds: float = math.inf) -> np.ndarray:
    """The sound of a manifest row, at most `seconds` of it, mono at `SR`: float32 (n,).

    Raises UnreadableAudio as `load` does, and if the decoded sound is shorter than the row says.

    Chapter: Hearing.
    """
    wanted = min(row["duration"], seconds)
    y = load(root / row["path"], start=row["start"], duration=wanted)
    if len(y) < math.floor(wanted * SR) - SR // 100:
        raise UnreadableAudio(f"{row['path']} ends or breaks off {len(y) / SR:.2f} s after {row['start']:g} s, where "
                              f"{wanted:.2f} s are listed; download or encode it again, or leave it out")
    return y


def duration(path: str | os.PathLike) -> float:
    """Length in seconds of the sound that can be decoded from a file, not the length in its header.

    Samples are read in the middle and at the end. If these are missing or inconclusive, or the format can store any
    level, the whole file is decoded in blocks.

    Raises
    ------
    UnreadableAudio
        If the file cannot be opened as audio; has no samples; is silent throughout, by itself or when its channels are
        mixed; has a NaN, an infinite sample or one beyond `LOUDEST` among those that are read; or contains more sound
        than its header reveals.

    Paper: Section 4, Database, experimental setup.  Chapter: Hearing.
    """
    with _open(path) as file, _quiet():
        if file.subtype not in ("FLOAT", "DOUBLE") and _probed(file, path):
            return file.frames / file.samplerate
    with _open(path) as file:  # afresh: where a seek has failed, all that follow may fail
        return _decoded(file, path) / file.samplerate


def segments(
    duration: float, *, length: float = SEGMENT, minimum: float = SEGMENT, short_from: float = 10.0
) -> list[tuple[float, float]]:
    """Cut a file of `duration` seconds into (start, length) stretches that do not overlap, in seconds.

    Whole segments come first; the remainder is another segment if it lasts at least `minimum` (the ledger's
    `last_segment`). A file shorter than one whole segment is one segment if it lasts at least `short_from`, and none
    otherwise. All arguments are in seconds.

    Raises ValueError if a number is not finite, `duration` is negative or another argument is not positive.

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
    """Open the file; refuse it if its header cannot be right."""
    file = _mended(path)
    try:
        if reason := _unbelievable(file, path):
            raise UnreadableAudio(f"{path} {reason}")
    except BaseException:
        file.close()
        raise
    return file


def _mended(path: str | os.PathLike) -> soundfile.SoundFile:
    """Open the file; for an MP3 whose header states the wrong length, a copy in memory with the length of its frames.
    """
    try:
        file = _opened(path, os.fspath(path))
    except UnreadableAudio:  # which it may be for its header alone
        if Path(path).is_file() and (data := containers.mended_mpeg(path, 0)):
            return _opened(path, io.BytesIO(data))
        raise
    if file.format == "MP3" and (data := containers.mended_mpeg(path, file.frames)):
        file.close()
        return _opened(path, io.BytesIO(data))
    return file


def _opened(path: str | os.PathLike, what: str | bytes | io.BytesIO) -> soundfile.SoundFile:
    try:
        return soundfile.SoundFile(what)
    except TypeError as error:  # an ending by which soundfile asks for what a header would say
        raise UnreadableAudio(f"{path} holds raw samples without a header; encode it as WAV or FLAC") from error
    except (OSError, soundfile.LibsndfileError) as error:
        if not Path(path).is_file():
            raise UnreadableAudio(f"{path} is no file; check the path, or download it first") from error
        with Path(path).open("rb") as file:  # raises what libsndfile calls a system error by its name
            size = os.fstat(file.fileno()).st_size
        raise UnreadableAudio(
            f"cannot open {path} ({size} bytes) as audio: {error}; "
            "expected a format that libsndfile reads, such as WAV, FLAC, MP3 or OGG"
        ) from error


def _unbelievable(file: soundfile.SoundFile, path: str | os.PathLike) -> str:
    """What is impossible in a file's header, with the remedy; empty if nothing is."""
    again = "encode it again, or leave it out"
    if file.format == "RAW":  # which libsndfile takes some endings for, such as .gsm, .vox and .au, whatever they hold
        return "holds raw samples without a header; encode it as WAV or FLAC"
    if file.frames > 1 << 48:  # libsndfile's largest number, where a stream's header leaves the length open
        return f"does not say how long it is; {again}"
    if not LOWEST_RATE <= file.samplerate <= HIGHEST_RATE:
        return (f"has a sampling rate of {file.samplerate} Hz; expected {LOWEST_RATE} to {HIGHEST_RATE}; {again}")
    size = Path(path).stat().st_size
    if file.frames * file.channels > DENSEST * size:
        seconds = file.frames / file.samplerate
        return f"says that it is {seconds:.0f} s long, which its {size} bytes cannot hold; {again}"
    if file.format == "OGG" and (links := containers.chained_ogg(path)) > 1:
        return f"is {links} recordings in one file, of which the first alone would be read; split it, or {again}"
    if file.format in ("WAV", "WAVEX") and (rest := containers.behind_wav(path)):
        return f"holds {rest} bytes behind the end of the sound that its header states; {again}"
    return ""


@contextmanager
def _quiet() -> Iterator[None]:
    """A block in which libmpg123 cannot write to the terminal about frames that a seek has cut off."""
    terminal, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)
        os.close(nothing)


def _probed(file: soundfile.SoundFile, path: str | os.PathLike) -> bool:
    """Whether the header's length is right: samples decode at the end, and there or in the middle it is not silent."""
    count = min(file.frames, int(_PROBE * file.samplerate))
    loudest = 0.0
    for first in (file.frames // 2, file.frames - count):
        try:
            y = _read(file, first, count)
        except soundfile.LibsndfileError:
            return False
        if len(y) < min(count, file.frames - first) or not len(y):
            return False
        loudest = max(loudest, _heard(y, path))
    return loudest > SILENT


def _decoded(file: soundfile.SoundFile, path: str | os.PathLike) -> int:
    """Number of frames that decode; all of them are checked."""
    frames, loudest, heard = 0, 0.0, 0.0
    try:
        while len(y := file.read(_BLOCK, dtype="float32")):
            frames, loudest, heard = frames + len(y), max(loudest, _level(y, path)), max(heard, _loudest(_mono(y)))
    except soundfile.LibsndfileError as error:
        raise UnreadableAudio(f"cannot decode {path} to its end ({error}): it is damaged, or shorter than its header "
                              "says; download or encode it again, or leave it out") from error
    if not frames:
        raise UnreadableAudio(f"{path} holds no samples; download or encode it again, or leave it out")
    if loudest <= SILENT:
        raise UnreadableAudio(f"{path} is silent throughout; download it again, or leave it out")
    if heard <= SILENT:
        raise UnreadableAudio(f"{path} is silent when its {file.channels} channels are mixed, since they cancel one "
                              "another out; invert one of them, or leave it out")
    return frames


def _heard(y: np.ndarray, path: str | os.PathLike) -> float:
    """Level of the loudest sample of the mix, which is what features are made of; raises as `_level` does."""
    _level(y, path)
    return _loudest(_mono(y))


def _loudest(y: np.ndarray) -> float:
    return float(max(y.max(), -y.min()))


def _level(y: np.ndarray, path: str | os.PathLike) -> float:
    """Level of the loudest sample, relative to full scale; raises UnreadableAudio for impossible samples."""
    loudest = _loudest(y)
    if not math.isfinite(loudest):
        bad = int(np.count_nonzero(~np.isfinite(y)))
        raise UnreadableAudio(f"{path} holds {bad} samples that are NaN or infinite; encode it again, or leave it out")
    if loudest > LOUDEST:
        raise UnreadableAudio(f"{path} has a sample of {loudest:.3g} times full scale; expected {LOUDEST:g} at most: "
                              "scale its samples to [-1, 1], or leave it out")
    return loudest


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
