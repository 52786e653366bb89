"""Figures of music: what its features are made of, and how they differ between classes.

Chapter: Hearing.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from acp_lib.emotions import CLASSES
from acp_lib.features.fast.compiled import librosa
from acp_lib.features.music import BLOCKS
from acp_lib.figures.page import drawn_to_fit, page_width
from acp_lib.figures.style import COLOURS, SPECTROGRAM, log_mel


@drawn_to_fit
def features_over_time(clips: dict[str, np.ndarray], sr: int) -> Figure:
    """For one clip of each class: the waveform, and each group of features over time.

    clips : class -> samples (n,) at `sr`
    """
    draw = {
        "waveform": None,
        "mel, dB": lambda y: log_mel(y, sr),
        "MFCC": lambda y: librosa.feature.mfcc(y=y, sr=sr, n_mfcc=40)[1:],
        "chroma": lambda y: librosa.feature.chroma_stft(y=y, sr=sr),
        "contrast": lambda y: librosa.feature.spectral_contrast(y=y, sr=sr),
        "tonnetz": lambda y: librosa.feature.tonnetz(y=librosa.effects.harmonic(y), sr=sr),
    }
    fig, axes = plt.subplots(len(draw), len(clips), figsize=(page_width(), 8), sharex=True, squeeze=False,
                             height_ratios=[0.7, 1.5, 1.1, 1, 0.8, 0.8])
    shown = {what: [f(y) for y in clips.values()] for what, f in draw.items() if f}
    spread = np.concatenate(shown["MFCC"], axis=1).std(1, keepdims=True)  # the first coefficients would hide the rest
    shown["MFCC"] = [coefficients / np.maximum(spread, 1e-9) for coefficients in shown["MFCC"]]
    for column, (label, y) in enumerate(clips.items()):
        axes[0, column].plot(np.arange(len(y)) / sr, y, color=COLOURS[label], lw=0.3)
        axes[0, column].set(ylim=(-1, 1), yticks=[], title=label)
        for row, images in enumerate(shown.values(), 1):
            low, high = np.percentile(np.concatenate(images, axis=1), [1, 99])
            axes[row, column].imshow(images[column], **SPECTROGRAM, vmin=low, vmax=high, interpolation="nearest",
                                     extent=(0, len(y) / sr, 0, len(images[column])))
            axes[row, column].set(yticks=[])
            axes[row, column].grid(False)
        axes[-1, column].set_xlabel("seconds")
    for row, what in enumerate(draw):
        axes[row, 0].set_ylabel(what, rotation=0, ha="right", va="center")
    return fig


@drawn_to_fit
def feature_means(x: np.ndarray, label: np.ndarray) -> Figure:
    """Mean of each of the 193 standardised features in each class.

    x, label : features (N, 193) and classes (N,)
    """
    z = (x - x.mean(0)) / np.where(x.std(0) > 0, x.std(0), 1)
    held = [c for c in CLASSES if (label == c).any()]
    means = np.array([z[label == c].mean(0) for c in held])
    fig, axes = plt.subplots(len(BLOCKS), 1, figsize=(page_width(), 4.6))
    reach = np.abs(means).max()
    for ax, (name, block) in zip(axes, BLOCKS.items(), strict=True):
        mesh = ax.imshow(means[:, block], aspect="auto", cmap="vlag", vmin=-reach, vmax=reach, interpolation="nearest")
        ax.set(yticks=range(len(held)), yticklabels=held, xticks=[])
        ax.set_title(f"{name} ({block.stop - block.start})", loc="left")
        ax.grid(False)
    fig.colorbar(mesh, ax=axes, label="mean, in standard deviations", shrink=0.6)
    return fig
