"""Log-spectrograms, 100 ms windows every 25 ms: the music input of the paper's baselines.

Paper: Section 4, Results on affective correspondence, baselines.
Chapter: Hearing.
"""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import scipy.fft
import scipy.signal

from acp_lib.features import audio
from acp_lib.features.fast.compiled import compiled, librosa

WINDOW, HOP = 0.1, 0.025
"""Seconds."""

FLOOR = 80.0
"""Values are clipped at this many decibels below the loudest point."""

BLOCK = 64  # frames transformed at once, an even number: they stay in a core's cache

FRAMES = 2400
"""Frames in a minute."""


def reference(y: np.ndarray, sr: int) -> np.ndarray:
    """The log-spectrogram by librosa: decibels re its maximum, float32 (bins, frames). See `extract`."""
    power = np.abs(librosa.stft(y, n_fft=_samples(WINDOW, sr), hop_length=_samples(HOP, sr))) ** 2
    return librosa.power_to_db(power, ref=np.max, top_db=FLOOR)


def extract(y: np.ndarray, sr: int) -> np.ndarray:
    """The same as `reference`, in blocks of frames and in single precision: faster, equal to 0.01 dB.

    Parameters
    ----------
    y : np.ndarray [shape=(n,)], mono sound
    sr : sampling rate, Hz

    Returns
    -------
    float32 [shape=(1 + window // 2, 1 + n // hop)], decibels from -80 to 0

    Raises
    ------
    ValueError
        If y is not a sound of one channel with at least one sample.

    Paper: Section 4.  Chapter: Hearing.
    """
    return _decibels(np.concatenate(list(_powers(y, sr)))).T


def pooled(y: np.ndarray, sr: int, bins: int = 257, frames: int = FRAMES) -> np.ndarray:
    """What the convolutional networks hear: log(max(S, 1e-12)) / 5 of mean magnitudes S in `bins` bands of equal width.

    Sound shorter than `frames` frames is repeated, what is longer is cut.

    Parameters
    ----------
    y : np.ndarray [shape=(n,)], mono sound
    sr : sampling rate, Hz

    Returns
    -------
    float16 [shape=(bins, frames)]

    Raises
    ------
    ValueError
        If y is not a sound of one channel with at least one sample, or there are fewer bins than bands.

    Source: Arandjelovic and Zisserman (2017) for 257 x 199.  Chapter: Baselines.
    """
    total = 1 + _samples(WINDOW, sr) // 2
    if not 1 <= bins <= total:
        raise ValueError(f"bins is {bins}; expected 1 to {total}, the bins of a {WINDOW} s window at {sr} Hz")
    edges = np.linspace(0, total, bins + 1).astype(int)
    means = np.concatenate([np.add.reduceat(np.sqrt(s), edges[:-1], axis=1) / np.diff(edges) for s in _powers(y, sr)])
    heard = np.log(np.maximum(means, 1e-12)) / 5
    return np.take(heard, np.arange(frames), axis=0, mode="wrap").T.astype(np.float16)


def describe(root: Path, row: dict, *, bins: int) -> np.ndarray:
    """The pooled log-spectrogram of one manifest row, float16 (frames, bins): a crop in time is one stretch of it."""
    return pooled(audio.listed(root, row), audio.SR, bins).T


def _powers(y: np.ndarray, sr: int) -> Iterator[np.ndarray]:
    """Blocks (up to BLOCK frames, bins) of the short-time Fourier transform's squared magnitude.

    Two frames are transformed at once, as the real and the imaginary part of one: a window of 2,205 samples, at
    22,050 Hz, is odd and twice divisible by 7, for which the FFT of real numbers has no short way.
    """
    if not isinstance(y, np.ndarray) or y.ndim != 1 or not len(y):
        raise ValueError(f"y has the shape {np.shape(y)}; expected (n,) with one sample or more")
    width, hop = _samples(WINDOW, sr), _samples(HOP, sr)
    y = np.pad(np.asarray(y, np.float32), width // 2)
    window = (scipy.signal.get_window("hann", width) / 2).astype(np.float32)
    frames = 1 + (len(y) - width) // hop
    for start in range(0, frames, BLOCK):
        n = min(BLOCK, frames - start)
        yield _parted(scipy.fft.fft(_paired(y[start * hop:], window, hop, n), overwrite_x=True), n)


@compiled
def _paired(y: np.ndarray, window: np.ndarray, hop: int, frames: int) -> np.ndarray:
    """Windowed frames 0, 2, 4, ... + i times frames 1, 3, 5, ..., the last with zeros if it is alone."""
    width = len(window)
    pairs = np.empty(((frames + 1) // 2, width), np.complex64)
    for i in range(len(pairs)):
        even = y[2 * i * hop:]
        odd = y[(2 * i + 1) * hop:] if 2 * i + 1 < frames else np.zeros(width, np.float32)
        for k in range(width):
            pairs[i, k] = complex(window[k] * even[k], window[k] * odd[k])
    return pairs


@compiled
def _parted(pairs: np.ndarray, frames: int) -> np.ndarray:
    """Squared magnitudes (frames, bins) from the transforms of pairs of half frames: sums and differences of mirror
    images.
    """
    width = pairs.shape[1]
    power = np.empty((2 * len(pairs), 1 + width // 2), np.float32)
    for i in range(len(pairs)):
        for k in range(power.shape[1]):
            here, mirror = pairs[i, k], pairs[i, width - k if k else 0]
            re, im = here.real + mirror.real, here.imag - mirror.imag
            power[2 * i, k] = re * re + im * im
            re, im = here.real - mirror.real, here.imag + mirror.imag
            power[2 * i + 1, k] = re * re + im * im
    return power[:frames]


def _decibels(power: np.ndarray) -> np.ndarray:
    least = 1e-10  # librosa's
    loudest = max(float(power.max()), least)
    floor = max(loudest * 10 ** (-FLOOR / 10), least)
    np.maximum(power, floor, out=power)
    np.log10(power, out=power)
    power *= 10
    power -= 10 * math.log10(loudest)
    return power


def _samples(seconds: float, sr: int) -> int:
    return int(seconds * sr)
