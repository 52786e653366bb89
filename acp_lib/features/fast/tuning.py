"""librosa.estimate_tuning on a magnitude spectrogram, to the same hundredth of a bin.

The tuning is the place of the highest column of a histogram, so one peak that falls on the other side of a border can
move it. Hence each rounding of librosa.piptrack is kept.
"""

import numpy as np

from acp_lib.features.fast.compiled import compiled
from acp_lib.features.fast.stft import N_FFT


def tuning(magnitude: np.ndarray, sr: float, bins_per_octave: int) -> float:
    """Deviation from A = 440 Hz in fractions of a bin, from a magnitude spectrogram (frames, bins); 0.0 of silence."""
    frequencies = np.arange(N_FFT // 2 + 1) * (sr / N_FFT)
    first, last = np.searchsorted(frequencies, [150.0, min(4000.0, sr / 2)])
    pitch, height = _peaks(magnitude, magnitude.max(axis=1), first, last, float(sr))
    return most_frequent(pitch[height >= np.median(height)], bins_per_octave) if len(pitch) else 0.0


def most_frequent(pitch: np.ndarray, bins_per_octave: int) -> float:
    """The commonest deviation of frequencies in Hz from the nearest bin, to 0.01 of a bin: librosa.pitch_tuning."""
    deviation = np.mod(bins_per_octave * np.log2(pitch / (440.0 / 16)), 1.0)
    deviation[deviation >= 0.5] -= 1.0
    counts, edges = np.histogram(deviation, np.linspace(-0.5, 0.5, 101))
    return float(edges[np.argmax(counts)])


@compiled
def _peaks(magnitude: np.ndarray, loudest: np.ndarray, first: int, last: int,
           sr: float) -> tuple[np.ndarray, np.ndarray]:
    """Frequency and height of the local maxima above a tenth of their frame's maximum, parabolically interpolated."""
    frames = len(magnitude)
    pitch = np.empty(frames * (last - first) // 2 + frames, np.float32)
    height = np.empty_like(pitch)
    n = 0
    for i in range(frames):
        row = magnitude[i]
        least = np.float32(0.1) * loudest[i]
        for j in range(first, last):
            here = row[j]
            if here > least and here > row[j - 1] and here >= row[j + 1]:
                curve = np.float64(row[j + 1] + row[j - 1]) - 2 * np.float64(here)
                slope = np.float64(row[j + 1] - row[j - 1]) / 2
                shift = np.float32(0) if abs(slope) >= abs(curve) else np.float32(-slope / curve)
                pitch[n] = (j + np.float64(shift)) * sr / N_FFT
                gradient = (row[j + 1] - row[j - 1]) / np.float32(2)
                height[n] = here + (np.float32(0.5) * gradient) * shift
                n += 1
    return pitch[:n], height[:n]
