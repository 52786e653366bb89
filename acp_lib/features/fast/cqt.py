"""The chromagram that librosa.feature.tonnetz starts from: 7 octaves of constant-Q bins, folded to 12 classes."""

import math
from functools import lru_cache, partial

import numpy as np
import scipy.fft
from scipy.signal import get_window

from acp_lib.features.fast.compiled import compiled, librosa

OCTAVES, BINS_PER_OCTAVE = 7, 36
_HOP = 512
_C1 = 440 * 2 ** (-45 / 12)
_DOUBT = 3000.0
"""Mean ratio of what frames could give to what they give from which rounding to float32 could be seen. Music has 5 to
50, a tone above all octaves 70,000: there librosa's own transform takes over."""


def chroma(y: np.ndarray, sr: float, tuning: float) -> np.ndarray:
    """Energy per pitch class of float32 (n,), not normalised: float32 (frames, 12).

    Equals the sums that librosa.feature.chroma_cqt forms before it normalises, for the given tuning.
    """
    energy, reach = _fast_chroma(y, float(sr), round(float(tuning), 9))
    doubt = reach / np.maximum(energy.max(axis=1), np.finfo(np.float32).tiny)
    if doubt.mean() < _DOUBT:
        return energy
    return librosa.feature.chroma_cqt(y=y, sr=sr, tuning=tuning, norm=None).T


def _fast_chroma(y: np.ndarray, sr: float, tuning: float) -> tuple[np.ndarray, np.ndarray]:
    """The same by float32 matrix products, and the norms of each frame, summed over the octaves: what it could give."""
    skipped = _skipped(sr, tuning)
    y = _decimate(y, 2**skipped) if skipped else y
    hop, (cosines, sines) = _HOP >> skipped, _kernels(sr / 2**skipped, tuning)
    energy = np.zeros((1 + len(y) // hop, 12), np.float32)
    reach = np.zeros(len(energy), np.float32)
    for octave in range(OCTAVES):
        even, odd, norm = _halves(np.pad(y, len(cosines)), 2 * len(cosines), hop)
        n = min(len(energy), len(even))  # rounding up may give the lower octaves another frame
        energy, reach = energy[:n], reach[:n] + norm[:n]
        _add_magnitudes(even @ cosines, odd @ sines, energy)
        if octave < OCTAVES - 1:
            y, hop = _decimate(y, 2), hop // 2
    return energy, reach


def _decimate(y: np.ndarray, factor: int) -> np.ndarray:
    return librosa.resample(y, orig_sr=factor, target_sr=1, res_type="soxr_hq", scale=True)


@partial(compiled, fastmath={"reassoc", "nsz"})
def _halves(y: np.ndarray, size: int, hop: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sums and differences of each frame's opposite samples, (frames, size // 2) each; Euclidean norms (frames,)."""
    frames, half = 1 + (len(y) - size) // hop, size // 2
    even = np.empty((frames, half), np.float32)
    odd = np.empty((frames, half), np.float32)
    norm = np.empty(frames, np.float32)
    for t in range(frames):
        frame, e, o = y[t * hop : t * hop + size], even[t], odd[t]
        for m in range(half - 1):
            a, b = frame[half + 1 + m], frame[half - m]
            e[m], o[m] = a + b, a - b
        e[half - 1], o[half - 1] = frame[0] + frame[1], frame[0] - frame[1]
        energy = np.float32(0)
        for n in range(size):
            energy += frame[n] * frame[n]
        norm[t] = np.sqrt(energy)
    return even, odd, norm


@compiled
def _add_magnitudes(real: np.ndarray, imaginary: np.ndarray, out: np.ndarray) -> None:
    """Add one octave's 36 magnitudes to 12 classes; the bin below a semitone and the bin above count to it."""
    for t in range(len(out)):
        for j in range(real.shape[1]):
            re, im = np.float64(real[t, j]), np.float64(imaginary[t, j])
            out[t, (j + 1) // 3 % 12] += np.float32(np.sqrt(re * re + im * im))


def _frequencies(tuning: float) -> np.ndarray:
    bins = np.arange(OCTAVES * BINS_PER_OCTAVE)
    return _C1 * 2.0 ** ((tuning + bins) / BINS_PER_OCTAVE)


@lru_cache
def _skipped(sr: float, tuning: float) -> int:
    """How many halvings of the rate leave the highest octave whole, as librosa counts them."""
    _, highest = librosa.filters.wavelet_lengths(freqs=_frequencies(tuning), sr=sr)
    spare = max(0, math.ceil(math.log2(sr / 2 / highest)) - 2)
    return min(spare, max(0, int(math.log2(_HOP)) - OCTAVES + 1))


@lru_cache(128)  # all 100 values that a tuning can take: 15 MB
def _kernels(sr: float, tuning: float) -> tuple[np.ndarray, np.ndarray]:
    """The 36 wavelets of the highest octave over time: cosines and sines, float32 (half a frame, 36) each.

    Half the rate and half the frequencies give the same wavelets, so these serve every octave. librosa multiplies each
    frame's spectrum by sparse spectra of the wavelets; both steps are linear, so one matrix over time does both. Each
    wavelet is symmetric but for a phase, which its magnitude forgets: rotated to zero phase, its cosine part needs only
    the sums and its sine part only the differences of opposite samples, half the products.
    """
    wavelets, lengths = _wavelets(_frequencies(tuning)[-BINS_PER_OCTAVE:], sr)
    size = wavelets.shape[1]
    spectra = scipy.fft.fft(wavelets * (lengths[:, None] / size).astype(np.float32))[:, : size // 2 + 1]
    kernels = scipy.fft.fft(_sparsified(spectra).astype(np.complex128), n=size) / np.sqrt(lengths)[:, None]
    opposite = kernels[:, (1 - np.arange(size)) % size]
    symmetric = kernels * np.exp(-0.5j * np.angle(np.sum(kernels * opposite, axis=1, keepdims=True)))
    half = np.roll(symmetric, size // 2 - 1, axis=1)[:, : size // 2]
    return np.ascontiguousarray(half.real.T, np.float32), np.ascontiguousarray(half.imag.T, np.float32)


def _wavelets(frequencies: np.ndarray, sr: float) -> tuple[np.ndarray, np.ndarray]:
    """librosa.filters.wavelet without its checks of each row: complex64 (filters, length); lengths."""
    lengths, _ = librosa.filters.wavelet_lengths(freqs=frequencies, sr=sr)
    size = 2 ** math.ceil(math.log2(lengths.max()))
    out = np.zeros((len(lengths), size), np.complex64)
    for row, frequency, length in zip(out, frequencies, lengths, strict=True):
        wave = np.exp(2j * np.pi * frequency / sr * np.arange(-length // 2, length // 2))
        wave *= _hann(len(wave))
        first = (size - len(wave)) // 2
        row[first : first + len(wave)] = wave / np.abs(wave).sum()
    return out, lengths


@lru_cache(1024)
def _hann(length: int) -> np.ndarray:
    return get_window("hann", length)


def _sparsified(x: np.ndarray, quantile: float = 0.01) -> np.ndarray:
    """librosa.util.sparsify_rows, dense: the smallest entries that hold 1 % of each row's magnitude become 0."""
    magnitude = np.abs(x)
    ascending = np.sort(magnitude, axis=1)
    share = np.cumsum(ascending / magnitude.sum(axis=1, keepdims=True), axis=1)
    least = np.take_along_axis(ascending, np.argmin(share < quantile, axis=1)[:, None], axis=1)
    return np.where(magnitude >= least, x, 0)
