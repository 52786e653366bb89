"""Music features by what one would take instead: librosa in a pool of processes, torchaudio, Essentia, openSMILE.

Each is given the same minutes of sound, mono at 22,050 Hz and in memory, and asked for those of the 193 numbers that it
has: 40 MFCC and 128 mel bands of librosa's definition, means over time in windows of 10 s, averaged. openSMILE defines
its features otherwise, so of it only the time is told. None of the last three is a dependency; what is not installed is
left out, with the reason.
"""

from benchmarks.compare import machine  # isort: skip - sets the threads before numpy loads

import importlib.metadata
import os
import statistics
import time
from collections.abc import Callable, Sequence

import numpy as np
from joblib import Parallel, delayed, parallel_config

from acp_lib.features import audio, music
from acp_lib.features.fast import bands
from acp_lib.features.fast.compiled import librosa
from acp_lib.features.fast.stft import HOP, N_FFT, stft
from acp_lib.features.layout import BLOCKS

MFCC, MEL = 40, 128
SHARED = f"{MFCC} MFCC, {MEL} mel bands"
Describe = Callable[[np.ndarray], np.ndarray]
"""From a minute of samples to its features."""


def clips(seconds: float, n: int) -> list[np.ndarray]:
    """So many made-up songs."""
    from benchmarks.music import song

    return [song(seconds, audio.SR, seed).mean(axis=1).astype(np.float32) for seed in range(1, n + 1)]


def averaged(describe: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]) -> Describe:
    """MFCC and mel bands of each window by their means (40,) and (128,), averaged over the windows: (168,)."""
    return lambda y: np.mean([np.concatenate(describe(window)) for window in music.windows(y, audio.SR)], axis=0)


@averaged
def ours(window: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mel = bands.mel(np.ascontiguousarray(stft(window)[1].T), audio.SR)
    return music._mfcc(mel), mel.mean(axis=1)


@averaged
def plain(window: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return (librosa.feature.mfcc(y=window, sr=audio.SR, n_mfcc=MFCC).mean(1),
            librosa.feature.melspectrogram(y=window, sr=audio.SR).mean(1))


def by_torchaudio(package) -> Describe:
    """All windows as one batch."""
    import torch

    torch.set_num_threads(1)
    bank = package.transforms.MelSpectrogram(audio.SR, n_fft=N_FFT, hop_length=HOP, n_mels=MEL, norm="slaney",
                                             mel_scale="slaney", pad_mode="constant")
    decibel = package.transforms.AmplitudeToDB("power", 80.0)  # below the maximum of what it is given
    cosines = package.functional.create_dct(MFCC, MEL, "ortho").T

    def describe(y: np.ndarray) -> np.ndarray:
        mel = bank(torch.from_numpy(np.stack(music.windows(y, audio.SR))))
        loud = torch.stack([decibel(window) for window in mel])
        return torch.cat([(cosines @ loud).mean(2), mel.mean(2)], 1).mean(0).numpy()

    return describe


def by_essentia(package) -> Describe:
    """Frame by frame, as its manual shows it."""
    essentia = importlib.import_module("essentia.standard")
    window = essentia.Windowing(type="hann", size=N_FFT, normalized=False, zeroPhase=False)
    spectrum = essentia.Spectrum(size=N_FFT)
    bank = essentia.MelBands(numberBands=MEL, inputSize=N_FFT // 2 + 1, sampleRate=audio.SR, lowFrequencyBound=0,
                             highFrequencyBound=audio.SR / 2, warpingFormula="slaneyMel", weighting="linear",
                             normalize="unit_tri", type="power")
    cosine = essentia.DCT(inputSize=MEL, outputSize=MFCC, dctType=2)

    @averaged
    def describe(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        frames = essentia.FrameGenerator(np.pad(y, N_FFT // 2), frameSize=N_FFT, hopSize=HOP, startFromZero=True,
                                         lastFrameToEndOfFile=False)
        mel = np.array([bank(spectrum(window(frame))) for frame in frames])[:1 + len(y) // HOP]
        loud = 10 * np.log10(np.maximum(mel, 1e-10))
        loud = np.maximum(loud, loud.max() - 80)
        return np.mean([cosine(frame) for frame in loud], axis=0), mel.mean(axis=0)

    return describe


def by_opensmile(package) -> Describe:
    """The 6,373 numbers of ComParE 2016."""
    smile = package.Smile(feature_set=package.FeatureSet.ComParE_2016, feature_level=package.FeatureLevel.Functionals)
    return lambda y: smile.process_signal(y, audio.SR).to_numpy()[0]


def whole(y: np.ndarray) -> np.ndarray:
    """All 193 numbers, here."""
    return music.extract(y, audio.SR)


def wholly_plain(y: np.ndarray) -> np.ndarray:
    """All 193 numbers, by librosa."""
    return music.reference(y, audio.SR)


PACKAGES = {"torchaudio": (by_torchaudio, ours, SHARED, True), "essentia": (by_essentia, ours, SHARED, True),
            "opensmile": (by_opensmile, whole, "its 6,373 of ComParE 2016 against all 193 here", False)}
"""How a package describes a minute, what does so here, what both find, and whether that is the same."""


def loaded(name: str):
    """A package, or why it is not there."""
    try:
        return importlib.import_module(name)
    except Exception as error:  # whatever a package built for other versions raises
        return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _timed(describe: Describe, y: np.ndarray) -> tuple[np.ndarray, float]:
    start = time.process_time()
    found = describe(y)
    return found, time.process_time() - start


def taken(describe: Describe, sounds: Sequence[np.ndarray], pool: Parallel | None) -> tuple[np.ndarray, float, float]:
    """Features of sounds (n, width), and seconds of processor time and wall, in this process or a pool."""
    start = time.perf_counter()
    made = list(pool(delayed(_timed)(describe, y) for y in sounds) if pool else (_timed(describe, y) for y in sounds))
    wall = time.perf_counter() - start
    return np.stack([found for found, _ in made]), sum(cpu for _, cpu in made), wall


def largest(one: np.ndarray, other: np.ndarray, blocks: dict[str, slice]) -> dict[str, float]:
    """The largest difference in each block, in units of the block's own largest number."""
    return {name: float(np.abs(one[:, at] - other[:, at]).max() / np.abs(other[:, at]).max())
            for name, at in blocks.items()}


def against(name: str, other: Describe, here: Describe, features: str, sounds: Sequence[np.ndarray], rounds: int, *,
            blocks: dict[str, slice] | None = None, pool: Parallel | None = None, processes: int = 1) -> dict:
    """Both on the same sounds in turn: medians, and how many times the processor time the other takes."""
    ways = {"other": other, "here": here}
    for describe in ways.values():
        taken(describe, sounds, pool)  # loads and compiles
    made: dict[str, list] = {key: [] for key in ways}
    for _ in range(rounds):
        for key, describe in ways.items():
            made[key].append(taken(describe, sounds, pool))
    cost = {f"{key}_{kind}_s": statistics.median(run[at] for run in runs) / len(sounds)
            for key, runs in made.items() for at, kind in ((1, "cpu"), (2, "wall"))}
    differ = largest(made["here"][0][0], made["other"][0][0], blocks) if blocks else None
    row = {"name": name, "features": features, "sounds": len(sounds), "seconds": len(sounds[0]) / audio.SR,
           "processes": processes, "rounds": rounds, **cost, "times": cost["other_cpu_s"] / cost["here_cpu_s"],
           "largest_difference": differ}
    print(f"{name:34}{features:34}{cost['other_cpu_s']:8.3f} s ({cost['other_wall_s']:.3f} wall), here "
          f"{cost['here_cpu_s']:.3f} s ({cost['here_wall_s']:.3f} wall) a sound: {row['times']:.2f} times; largest "
          f"difference {max(differ.values()) if differ else float('nan'):.1e}", flush=True)
    return row


def run(quick: bool) -> list[dict]:
    """One row an alternative."""
    cores, rounds = os.cpu_count() or 1, 1 if quick else 5
    sounds, both = clips(20 if quick else 60, 1 if quick else 2), {"mfcc": slice(0, MFCC), "mel": slice(MFCC, None)}
    version = machine()["librosa"]
    rows = []
    with parallel_config("loky", n_jobs=cores, inner_max_num_threads=1), Parallel() as pool:
        rows.append(against(f"librosa {version}, pool of {cores}", wholly_plain, whole, "all 193 numbers",
                            sounds if quick else sounds * cores, 1 if quick else 2, blocks=BLOCKS, pool=pool,
                            processes=cores))
    rows.append(against(f"librosa {version}", plain, ours, SHARED, sounds, rounds, blocks=both))
    for name, (made, here, features, same) in PACKAGES.items():
        package = loaded(name)
        if isinstance(package, str):
            print(f"{name} is not measured: {package}", flush=True)
            rows.append({"name": name, "features": features, "skipped": package})
            continue
        title = f"{name} {importlib.metadata.version(name)}"
        rows.append(against(title, made(package), here, features, sounds, rounds, blocks=both if same else None))
    return rows
