"""librosa.stft and librosa.istft with their defaults, laid out (frames, bins) so that each frame is contiguous."""

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import scipy.fft
from scipy.signal import get_window

from acp_lib.features.fast.compiled import compiled, librosa

N_FFT, HOP = 2048, 512
BINS = N_FFT // 2 + 1

BLOCK = 32
"""Frames worked on at once: half a megabyte, which stays in the second-level cache from one step to the next."""


@lru_cache
def hann() -> np.ndarray:
    return get_window("hann", N_FFT)


def stft(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Short-time Fourier transform of float32 (n,) and its magnitude: complex64 and float32 (1 + n // 512, 1025).

    The transform runs in float64, as librosa's does: in float32 the valleys of spectral contrast drown in rounding.
    """
    y = np.pad(y, N_FFT // 2)
    spectrum = np.empty((1 + (len(y) - N_FFT) // HOP, BINS), np.complex64)
    magnitude = np.empty(spectrum.shape, np.float32)
    frames = np.empty((BLOCK, N_FFT))
    for i in range(0, len(spectrum), BLOCK):
        block = spectrum[i : i + BLOCK]
        _windowed(y[i * HOP :], hann(), frames[: len(block)])
        block[:] = scipy.fft.rfft(frames[: len(block)])
        np.abs(block, out=magnitude[i : i + BLOCK])
    return spectrum, magnitude


@compiled
def _windowed(y: np.ndarray, window: np.ndarray, frames: np.ndarray) -> None:
    for i in range(len(frames)):
        for n in range(len(window)):
            frames[i, n] = window[n] * y[i * HOP + n]


def istft(blocks: Iterable[np.ndarray], length: int) -> np.ndarray:
    """Inverse of `stft` by weighted overlap-add, from runs of its frames: float32 (length,).

    Bit-identical to librosa.istft.
    """
    y, n_frames = np.zeros(length + N_FFT, np.float32), 0
    for block in blocks:
        _overlap_add(y[n_frames * HOP :], scipy.fft.irfft(block), hann())
        n_frames += len(block)
    y = y[N_FFT // 2 : N_FFT // 2 + length]
    weight = _window_sum(n_frames, length)
    return np.divide(y, weight, out=y, where=weight > np.finfo(np.float32).tiny)


@lru_cache(8)
def _window_sum(n_frames: int, length: int) -> np.ndarray:
    total = librosa.filters.window_sumsquare(window="hann", n_frames=n_frames, hop_length=HOP, n_fft=N_FFT)
    return librosa.util.fix_length(total[N_FFT // 2 :], size=length)


@compiled
def _overlap_add(y: np.ndarray, frames: np.ndarray, window: np.ndarray) -> None:
    # float32 sums of float64 products, frame after frame: any other order would change the last bit, and with it,
    # now and then, the tuning.
    for i in range(len(frames)):
        for n in range(len(window)):
            y[i * HOP + n] += window[n] * frames[i, n]
