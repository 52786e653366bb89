"""The 193 numbers that describe one music segment: MFCC, chroma, spectral contrast, tonnetz and mel spectrum.

`reference` is the plain librosa recipe, written to be read. `extract` computes the same numbers, more than 20 times
faster.

Paper: Section 4, Database, experimental setup.  Chapter: Hearing.
"""

import math
from functools import cache, lru_cache
from pathlib import Path
from threading import Lock
from typing import TypedDict, Unpack

import numpy as np
import scipy.fft
from threadpoolctl import ThreadpoolController

from acp_lib.features import audio
from acp_lib.features.fast import bands as _bands
from acp_lib.features.fast import cqt as _cqt
from acp_lib.features.fast import hpss as _hpss
from acp_lib.features.fast.compiled import librosa
from acp_lib.features.fast.stft import N_FFT, stft
from acp_lib.features.fast.tuning import tuning
from acp_lib.features.layout import BLOCKS

WINDOW = 10.0
"""Length of a window in seconds."""

HOP = 5.0
"""Seconds from one window to the next."""

FRAMES = ("librosa", "window")
"""Frames of the spectra: librosa's frames of 2,048 samples, or the whole window of 10 s."""

NAMES = tuple(f"{name}_{i}" for name, block in BLOCKS.items() for i in range(block.stop - block.start))
"""One name for each of the 193 numbers."""

LOWEST_SR = 12800
"""Sampling rates in Hz must exceed this: the last band of spectral contrast begins at 6,400 Hz."""


class Frame(TypedDict, total=False):
    """Length of a frame and distance between frames in samples, as arguments of librosa's functions."""

    n_fft: int
    hop_length: int


def windows(y: np.ndarray, sr: float) -> list[np.ndarray]:
    """Cut a segment (n,) into windows of 10 s, one every 5 s: 11 windows for a minute. They are views, not copies.

    A remainder at the end that no whole window covers is dropped; a segment shorter than 10 s is one window.

    y : samples (n,); sr : sampling rate in Hz

    Paper: Section 4, Database, experimental setup.  Chapter: Hearing.
    """
    length, hop = int(WINDOW * sr), int(HOP * sr)
    return [y[i : i + length] for i in range(0, max(len(y) - length, 0) + 1, hop)]


def reference(y: np.ndarray, sr: float, frame: str = "librosa") -> np.ndarray:
    """The 193 numbers of one segment, computed with librosa's own functions: float32 (193,).

    With librosa's frames, each number is a mean over time within a window, then over the windows; with `frame`
    "window", it is a mean over frames of 10 s. Arguments and errors as for `extract`. For 512 to 1,535 samples (two or
    three frames) the result is unreliable: scipy's median filter reads uninitialised memory.

    Paper: Section 4, Database, experimental setup.  Chapter: Hearing.
    """
    y = _checked(y, sr, frame)
    described = ([_describe(y, sr, **long_frame(y, sr))] if frame == "window" else
                 [_describe(window, sr) for window in windows(y, sr)])
    return np.stack(described).mean(axis=0, dtype=np.float64).astype(np.float32)


def _describe(y: np.ndarray, sr: float, **frame: Unpack[Frame]) -> np.ndarray:
    spectrum = np.abs(librosa.stft(y, **frame))
    features = [
        librosa.feature.mfcc(y=y, sr=sr, n_mfcc=40, **frame),
        librosa.feature.chroma_stft(S=spectrum, sr=sr),
        librosa.feature.spectral_contrast(S=spectrum, sr=sr),
        librosa.feature.tonnetz(y=librosa.effects.harmonic(y), sr=sr),  # takes no length of frames
        librosa.feature.melspectrogram(y=y, sr=sr, **frame),
    ]
    return np.concatenate([feature.mean(axis=1) for feature in features])


def long_frame(y: np.ndarray, sr: float) -> Frame:
    """Frames of 10 s, one every 5 s; a shorter segment is one frame."""
    n_fft = max(min(int(WINDOW * sr), len(y)), N_FFT)
    return {"n_fft": n_fft, "hop_length": n_fft // 2}


def extract(y: np.ndarray, sr: float, frame: str = "librosa") -> np.ndarray:
    """The 193 numbers of one segment, in the order of `BLOCKS`: float32 (193,). Equal to `reference`, but faster.

    Parameters
    ----------
    y : floating-point samples (n,), in [-1, 1]; float32 samples are not copied
    sr : sampling rate in Hz, above `LOWEST_SR`; the paper's features use 22,050
    frame : "librosa" for its frames of 2,048 samples in windows of 10 s, "window" for frames of 10 s

    Raises
    ------
    ValueError
        If `y` is not one-dimensional, not floating-point, empty or not finite, `sr` is out of range, or `frame` is not
        one of `FRAMES`.

    Paper: Section 4, Database, experimental setup.  Chapter: Hearing.
    """
    y = _checked(y, sr, frame)
    _keep_freed_memory()
    with _LOCK, _blas().limit(limits=1):
        windowed = [_whole(y, sr)] if frame == "window" else [_features(window, sr) for window in windows(y, sr)]
    return np.stack(windowed).mean(axis=0, dtype=np.float64).astype(np.float32)


def describe(root: Path, row: dict, *, frame: str = "librosa") -> np.ndarray:
    """The vector of one manifest row: float32 (193,)."""
    return extract(audio.listed(root, row), audio.SR, frame)


@cache
def _keep_freed_memory() -> None:
    """Allocate and free a block near glibc's largest threshold, once per process.

    From then on glibc keeps freed arrays of up to that size instead of returning them to the kernel, which would
    allocate and clear 2,000 pages again for each window: a sixth of the time. Other allocators are not affected.
    """
    np.empty(30 << 20, np.uint8)


_LOCK = Lock()  # the number of threads is the whole process's; two calls must not restore it for each other


@cache
def _blas() -> ThreadpoolController:
    """Control of the matrix products' threads. With one of them the last bits are the same wherever this runs."""
    return ThreadpoolController().select(user_api="blas")


def _features(y: np.ndarray, sr: float) -> np.ndarray:
    """The result of `_describe`, with one spectrogram for everything except the tonnetz."""
    spectrum, frames = stft(y)
    bins = np.ascontiguousarray(frames.T)
    mel = _bands.mel(bins, sr)
    return np.concatenate(
        [
            _mfcc(mel),
            _chroma(frames, bins, sr),
            _bands.contrast(bins, sr).mean(axis=1),
            _tonnetz(_hpss.harmonic(len(y), spectrum, frames, bins), sr),
            mel.mean(axis=1),
        ]
    )


def _whole(y: np.ndarray, sr: float) -> np.ndarray:
    """The result of `_describe` with `long_frame`."""
    size = long_frame(y, sr)
    long = np.abs(librosa.stft(y, **size))
    mel = _long_mel_bank(float(sr), size["n_fft"]) @ long**2
    mfcc = librosa.feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=40)
    chroma, contrast = librosa.feature.chroma_stft(S=long, sr=sr), librosa.feature.spectral_contrast(S=long, sr=sr)
    spectrum, frames = stft(y)
    tonnetz = _tonnetz(_hpss.harmonic(len(y), spectrum, frames, np.ascontiguousarray(frames.T)), sr)
    return np.concatenate([*(f.mean(axis=1) for f in (mfcc, chroma, contrast)), tonnetz, mel.mean(axis=1)])


@lru_cache(1)  # 56 MB, and half of the time
def _long_mel_bank(sr: float, n_fft: int) -> np.ndarray:
    return librosa.filters.mel(sr=sr, n_fft=n_fft)


def _mfcc(mel: np.ndarray) -> np.ndarray:
    # the cosine transform is linear: of the mean, once, instead of each frame
    return scipy.fft.dct(_bands.decibel(mel).mean(axis=1), norm="ortho")[:40]


def _chroma(frames: np.ndarray, bins: np.ndarray, sr: float) -> np.ndarray:
    chroma = _chroma_bank(float(sr), tuning(frames, sr, 12)) @ bins
    return _normalised(chroma, chroma.max(axis=0)).mean(axis=1)


@lru_cache(128)  # all 100 values that a tuning can take: 6 MB
def _chroma_bank(sr: float, tuning: float) -> np.ndarray:
    """librosa.filters.chroma: Gaussian weights of each bin's distance to the 12 classes, less for far octaves."""
    octave = np.log2(np.arange(1, N_FFT) * (sr / N_FFT) / (440 / 16 * 2 ** (tuning / 12)))
    place = 12 * np.concatenate([[octave[0] - 1.5], octave])
    width = np.append(np.maximum(np.diff(place), 1), 1)
    distance = np.remainder(place - np.arange(3, 15)[:, None] + 6, 12) - 6  # from C; octaves count from A
    weights = np.exp(-2 * (distance / width) ** 2)
    weights *= np.exp(-0.5 * ((place / 12 - 5) / 2) ** 2) / np.linalg.norm(weights, axis=0)
    return weights[:, : N_FFT // 2 + 1].astype(np.float32)


def _tonnetz(harmonic: np.ndarray, sr: float) -> np.ndarray:
    _, frames = stft(harmonic)
    chroma = _cqt.chroma(harmonic, sr, tuning(frames, sr, _cqt.BINS_PER_OCTAVE)).T
    chroma = _normalised(chroma, chroma.max(axis=0))
    return _TONNETZ @ _normalised(chroma, chroma.sum(axis=0)).mean(axis=1)


def _tonnetz_bank() -> np.ndarray:
    """Sines and cosines on the circles of fifths, minor and major thirds: (6, 12), as in librosa.feature.tonnetz."""
    angle = np.outer([7 / 6, 3 / 2, 2 / 3], np.arange(12)) * np.pi
    return np.stack([np.sin(angle), np.cos(angle)], axis=1).reshape(6, 12) * [[1], [1], [1], [1], [0.5], [0.5]]


_TONNETZ = _tonnetz_bank()


def _normalised(x: np.ndarray, length: np.ndarray) -> np.ndarray:
    """x divided by its length in each frame; unchanged where the length is tiny, like librosa.util.normalize."""
    return x / np.where(length < np.finfo(np.float32).tiny, np.float32(1), length)


def _checked(y: np.ndarray, sr: float, frame: str) -> np.ndarray:
    """float32 samples, or ValueError."""
    if frame not in FRAMES:
        raise ValueError(f"frame is {frame!r}; expected one of {', '.join(FRAMES)}")
    if isinstance(sr, bool) or not isinstance(sr, (int, float, np.integer, np.floating)) or not math.isfinite(sr):
        raise ValueError(f"sr is {sr!r}; expected a sampling rate in Hz, such as 22050")
    if sr <= LOWEST_SR:
        raise ValueError(f"sr is {sr!r}; expected a sampling rate above {LOWEST_SR} Hz, such as 22050")
    y = np.asarray(y)
    if y.ndim != 1:
        raise ValueError(f"y has shape {y.shape}; expected one dimension, the samples of a mono signal")
    if not len(y):
        raise ValueError("y is empty; expected at least one sample")
    if not np.issubdtype(y.dtype, np.floating):
        raise ValueError(f"y has type {y.dtype}; expected floating-point samples in [-1, 1]")
    bad = np.count_nonzero(~np.isfinite(y))
    if bad:
        raise ValueError(f"y holds {bad} samples that are NaN or infinite, of {len(y)}; expected finite numbers")
    return y.astype(np.float32, copy=False)
