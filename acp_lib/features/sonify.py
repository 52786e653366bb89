"""Sonification: the content of each group of the 193 numbers, made audible.

Each function maps a sound (n,) to one of the same length that keeps what the feature describes and little else.

Chapter: Hearing.
"""

import numpy as np

from acp_lib import streams
from acp_lib.features.fast.compiled import librosa

BANDS = 200 * 2.0 ** np.arange(0, 6)  # Hz: librosa's octave bands of spectral contrast
PEAKS = 0.02  # share of a band that counts as its peaks, librosa's default


def _vocoded(y: np.ndarray, sr: int, mel: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Noise with the spectral envelope of a mel spectrogram (128, t): timbre without pitch."""
    filters = librosa.filters.mel(sr=sr, n_fft=2048)
    envelope = filters.T @ mel / np.maximum(filters.sum(0), 1e-9)[:, None]
    noise = librosa.stft(rng.standard_normal(len(y)).astype(np.float32))
    return librosa.istft(np.sqrt(envelope) * noise[:, :mel.shape[1]], length=len(y))


def mfcc(y: np.ndarray, sr: int, rng: np.random.Generator) -> np.ndarray:
    """The smoothed envelope that 40 cepstral coefficients keep."""
    coefficients = librosa.feature.mfcc(y=y, sr=sr, n_mfcc=40)
    return _vocoded(y, sr, librosa.feature.inverse.mfcc_to_mel(coefficients), rng)


def chroma(y: np.ndarray, sr: int, rng: np.random.Generator) -> np.ndarray:
    """Twelve pitch classes, each as the same note in several octaves at once."""
    strength = librosa.feature.chroma_stft(y=y, sr=sr) ** 2
    gain = np.array([np.interp(np.arange(len(y)), 512 * np.arange(strength.shape[1]), row) for row in strength])
    t = np.arange(len(y)) / sr
    notes = librosa.midi_to_hz(np.arange(12)[:, None] + 12 * np.arange(4, 8))
    return sum(g * np.sin(2 * np.pi * f * t) for g, octaves in zip(gain, notes, strict=True) for f in octaves)


def contrast(y: np.ndarray, sr: int, rng: np.random.Generator) -> np.ndarray:
    """The peaks of each octave band alone: what stands out from its surroundings."""
    spectrum, f = librosa.stft(y), librosa.fft_frequencies(sr=sr)
    kept = np.zeros_like(spectrum)
    for low, high in zip([0, *BANDS], [*BANDS, sr], strict=True):
        band = (f >= low) & (f < high)
        if band.any():
            level = np.abs(spectrum[band])
            edge = np.sort(level, 0)[-max(1, round(PEAKS * len(level)))]
            kept[band] = np.where(level >= edge, spectrum[band], 0)
    return librosa.istft(kept, length=len(y))


def tonnetz(y: np.ndarray, sr: int, rng: np.random.Generator) -> np.ndarray:
    """The harmonic part: the sound without attacks and drums."""
    return librosa.effects.harmonic(y)


def mel(y: np.ndarray, sr: int, rng: np.random.Generator) -> np.ndarray:
    """The energy in 128 bands, without pitch."""
    return _vocoded(y, sr, librosa.feature.melspectrogram(y=y, sr=sr), rng)


GROUPS = {"mfcc": mfcc, "chroma": chroma, "contrast": contrast, "tonnetz": tonnetz, "mel": mel}


def group(name: str, y: np.ndarray, sr: int, *, seed: int = 0) -> np.ndarray:
    """The sound of one group of features, with the loudness of the original: float32 (n,).

    Raises
    ------
    KeyError
        For a name that is not in GROUPS.

    Chapter: Hearing.
    """
    out = np.asarray(GROUPS[name](y, sr, streams.generator("noise of a sonification", seed, name)), np.float32)
    out = out * np.sqrt(np.mean(np.square(y, dtype=float)) / max(np.mean(np.square(out, dtype=float)), 1e-12))
    return (out / max(1.0, np.abs(out).max() / 0.98)).astype(np.float32)
