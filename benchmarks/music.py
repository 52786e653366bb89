"""Music: the 193 numbers, decoding and log-spectrograms against plain librosa."""

from benchmarks.compare import compare, floor, seconds  # isort: skip - sets the threads before numpy loads

import tempfile
from pathlib import Path

import numpy as np
import soundfile

from acp_lib.features import audio, music, spectrogram
from acp_lib.features.fast.compiled import librosa
from benchmarks import parts


def song(length: float, sr: int, seed: int) -> np.ndarray:
    """Chords with overtones over drums, tuned a little off: (n, 2)."""
    random = np.random.default_rng(seed)
    t = np.arange(int(length * sr)) / sr
    roots = 110 * 2 ** ((random.integers(0, 24, 200) + random.uniform(-0.3, 0.3)) / 12)
    phase = 2 * np.pi * np.cumsum(roots[(t / 0.6).astype(int) % 200]) / sr
    y = sum(np.sin(phase * ratio * h) / h for ratio in (1, 1.2599, 1.4983) for h in (1, 2, 3, 5))
    y = 0.05 * y + 0.2 * random.standard_normal(len(t)) * np.exp(-30 * (t % 0.3))
    return np.stack([y, 0.7 * y], axis=1)


def write(path: Path, y: np.ndarray, sr: int) -> None:
    """A sound file, written in blocks: libsndfile 1.2.2 crashes on a minute of OGG at once."""
    with soundfile.SoundFile(path, "w", sr, y.shape[1]) as file:
        for i in range(0, len(y), sr):
            file.write(y[i:i + sr])


def run(quick: bool) -> list[dict]:
    """One row a comparison."""
    length, rounds = (20, 3) if quick else (60, 7)
    y = song(length, audio.SR, seed=1).mean(axis=1).astype(np.float32)
    print(f"first call of extract in this process: {seconds(lambda: music.extract(y, audio.SR)):.2f} s")
    music.reference(y[:audio.SR], audio.SR)  # librosa compiles on first use
    rows = [
        compare(f"193 numbers of {length} s", lambda: music.reference(y, audio.SR),
                lambda: music.extract(y, audio.SR), rounds, 20),
        *parts.rows(y, 5 * rounds, f"193 numbers of {length} s"),
        compare(f"log-spectrogram of {length} s", lambda: spectrogram.reference(y, audio.SR),
                lambda: spectrogram.extract(y, audio.SR), 3 * rounds, 2),
    ]
    with tempfile.TemporaryDirectory() as folder:
        for suffix in ("wav", "flac", "mp3", "ogg"):
            path = Path(folder) / f"song.{suffix}"
            write(path, song(length, 44100, seed=2), 44100)
            audio.load(path), librosa.load(path)
            name = f"decode {length} s of 44.1 kHz stereo {suffix}"
            rows.append(compare(name, lambda p=path: librosa.load(p),
                                lambda p=path: audio.load(p), 3 * rounds, 1.5))
            rows.append(floor(f"decode {suffix} alone", lambda p=path: soundfile.read(p, dtype="float32"), 3 * rounds,
                              name))
    return rows
