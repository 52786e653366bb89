"""What the 193 numbers consist of: the time of each part of one extraction, and what of it no code can leave out."""

from benchmarks.compare import spent  # isort: skip - sets the threads before numpy loads

import statistics
from collections.abc import Callable

import numpy as np
import scipy.fft

from acp_lib.features import audio, music
from acp_lib.features.fast import bands, cqt, hpss
from acp_lib.features.fast.stft import BLOCK, N_FFT, stft
from acp_lib.features.fast.tuning import tuning

Part = Callable[[], object]


def parts(y: np.ndarray) -> dict[str, Part]:
    """The parts of describing one window, each as a function; together they are all of it but some copies and means."""
    spectrum, frames = stft(y)
    bins = np.ascontiguousarray(frames.T)
    mel = bands.mel(bins, audio.SR)
    medians = hpss.running_median(frames), np.ascontiguousarray(hpss.running_median(bins).T)
    harmonic = hpss.harmonic(len(y), spectrum, frames, bins)
    heard = stft(harmonic)[1]
    tuned = tuning(heard, audio.SR, cqt.BINS_PER_OCTAVE)
    runs = [slice(i, i + BLOCK) for i in range(0, len(spectrum), BLOCK)]

    def filtered() -> None:
        sides = spectrum, frames, *medians
        hpss.istft((hpss._masked(*(side[run] for side in sides)) for run in runs), len(y))

    return {"spectra of the window and of its harmonic part": lambda: (stft(y), stft(harmonic)),
            "running medians": lambda: (hpss.running_median(frames), np.ascontiguousarray(hpss.running_median(bins).T)),
            "masking and the way back to samples": filtered,
            "constant-Q chroma": lambda: cqt.chroma(harmonic, audio.SR, tuned),
            "tunings": lambda: (tuning(frames, audio.SR, 12), tuning(heard, audio.SR, cqt.BINS_PER_OCTAVE)),
            "mel, MFCC, chroma, contrast": lambda: (bands.mel(bins, audio.SR), music._mfcc(mel),
                                                    bands.contrast(bins, audio.SR),
                                                    music._chroma(frames, bins, audio.SR))}


def bare(y: np.ndarray) -> dict[str, Part]:
    """What must be done whoever writes it: a frame's three transforms, the medians, and the products of constant Q."""
    spectrum, frames = stft(y)
    bins = np.ascontiguousarray(frames.T)
    windowed = np.random.default_rng(0).standard_normal((BLOCK, N_FFT))
    back = np.ascontiguousarray(spectrum[:BLOCK])
    skipped = cqt._skipped(audio.SR, 0.0)
    kernels = cqt._kernels(audio.SR / 2**skipped, 0.0)
    half = np.random.default_rng(0).standard_normal((len(spectrum), len(kernels[0]))).astype(np.float32)
    blocks = range(0, len(spectrum), BLOCK)

    def transforms() -> None:
        for i in blocks:
            n = min(BLOCK, len(spectrum) - i)
            scipy.fft.rfft(windowed[:n]), scipy.fft.rfft(windowed[:n]), scipy.fft.irfft(back[:n])

    return {"three Fourier transforms a frame": transforms,
            "medians": lambda: (hpss.running_median(frames), hpss.running_median(bins)),
            "products of constant Q": lambda: [half @ kernel for _ in range(cqt.OCTAVES) for kernel in kernels]}


def rows(y: np.ndarray, rounds: int, of: str) -> list[dict]:
    """A row a part, and the floor of the comparison `of`, for a whole segment: its first window's as often as it has
    windows.
    """
    windows = music.windows(y, audio.SR)
    own, least = parts(windows[0]), bare(windows[0])
    ways = {"whole": lambda: music._features(windows[0], audio.SR), **own, **least}
    times: dict[str, list[float]] = {name: [] for name in ways}
    for k in range(rounds + 1):
        for name, way in ways.items():
            if (took := spent(way)) and k:
                times[name].append(took)
    ms = {name: 1e3 * len(windows) * statistics.median(some) for name, some in times.items()}
    made = [{"name": name, "part": name, "part_ms": ms[name], "of_step": ms[name] / ms["whole"], "of": of,
             "rounds": rounds} for name in own]
    for row in made:
        print(f"{of}: {row['name']:48}{row['part_ms']:8.1f} ms, {100 * row['of_step']:5.1f} %", flush=True)
    total = sum(ms[name] for name in least)
    print(f"the floor, {total:.1f} ms: " + ", ".join(f"{name} {ms[name]:.1f}" for name in least))
    return [*made, {"name": f"of {of}: {', '.join(least)}", "fast_ms": total, "rounds": rounds, "of": of}]
