"""Sums over bands of the spectrum: mel energies and spectral contrast, from magnitudes laid out (bins, frames)."""

from functools import lru_cache

import numpy as np

from acp_lib.features.fast.compiled import compiled, librosa
from acp_lib.features.fast.stft import BINS, N_FFT


def mel(magnitude: np.ndarray, sr: float) -> np.ndarray:
    """librosa.feature.melspectrogram, power: float32 (128, frames)."""
    return _mel(magnitude, *_mel_bank(float(sr)))


def contrast(magnitude: np.ndarray, sr: float) -> np.ndarray:
    """librosa.feature.spectral_contrast: (7, frames), in dB."""
    valley, peak = _extremes(magnitude, _contrast_bands(float(sr)))
    return decibel(peak.astype(np.float64)) - decibel(valley.astype(np.float64))


def decibel(power: np.ndarray) -> np.ndarray:
    """librosa.power_to_db: at least 1e-10, and no more than 80 dB below the largest value."""
    level = 10 / np.log(10, dtype=power.dtype) * np.log(np.maximum(power, 1e-10, dtype=power.dtype))
    return np.maximum(level, level.max() - 80)


@lru_cache
def _mel_bank(sr: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The mel filters, and the first bin of each and the one after its last: a filter is 0 nearly everywhere."""
    weights = librosa.filters.mel(sr=sr, n_fft=N_FFT)
    first = np.argmax(weights > 0, axis=1)
    last = np.where(weights.any(axis=1), BINS - np.argmax(weights[:, ::-1] > 0, axis=1), 0)
    return weights, first, last


@compiled
def _mel(magnitude: np.ndarray, weights: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    out = np.zeros((len(weights), magnitude.shape[1]), np.float32)
    for m in range(len(weights)):
        row = out[m]
        for j in range(first[m], last[m]):
            weight, values = weights[m, j], magnitude[j]
            for t in range(len(row)):
                row[t] += weight * (values[t] * values[t])
    return out


@lru_cache
def _contrast_bands(sr: float) -> np.ndarray:
    """Each octave band's first bin, the one after its last, and how many of its bins are a valley or a peak."""
    frequencies = np.arange(BINS) * (sr / N_FFT)
    edges = np.concatenate([[0.0], 200.0 * 2.0 ** np.arange(7)])
    bands = []
    for k in range(7):
        inside = np.flatnonzero((frequencies >= edges[k]) & (frequencies <= edges[k + 1]))
        first = inside[0] - (k > 0)
        last = BINS if k == 6 else inside[-1] + 1
        bands.append((first, last if k == 6 else last - 1, max(int(np.rint(0.02 * (last - first))), 1)))
    return np.array(bands)


@compiled
def _extremes(magnitude: np.ndarray, bands: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means of the few smallest and the few largest magnitudes of each band and frame: float32 (bands, frames) each.

    Each bin's row goes through a ladder of minima and one of maxima, all frames at once; no band is sorted. The sums
    run upwards in float32 as librosa's do: of an impulse the contrast is all rounding.
    """
    frames = magnitude.shape[1]
    valley, peak = np.zeros((len(bands), frames), np.float32), np.zeros((len(bands), frames), np.float32)
    fall, rise = np.empty(frames, np.float32), np.empty(frames, np.float32)
    for b in range(len(bands)):
        first, last, n = bands[b]
        least = np.empty((n, frames), np.float32)
        most = np.empty((n, frames), np.float32)
        least[:] = np.inf
        most[:] = -np.inf
        for j in range(first, last):
            fall[:] = magnitude[j]
            rise[:] = magnitude[j]
            for k in range(n):
                low, high = least[k], most[k]
                for t in range(frames):
                    u, v = low[t], fall[t]
                    low[t] = u if u < v else v
                    fall[t] = v if u < v else u
                    u, v = high[t], rise[t]
                    high[t] = v if u < v else u
                    rise[t] = u if u < v else v
        for k in range(n):
            for t in range(frames):
                valley[b, t] += least[k, t]
                peak[b, t] += most[n - 1 - k, t]
        for t in range(frames):
            valley[b, t] /= np.float32(n)
            peak[b, t] /= np.float32(n)
    return valley, peak
