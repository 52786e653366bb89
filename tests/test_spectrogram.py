"""The fast log-spectrogram against librosa's; the pooled one against its definition."""

import numpy as np
import pytest

from acp_lib.features import spectrogram
from acp_lib.features.fast.compiled import librosa

SR = 22050
RNG = np.random.default_rng(0)
T = np.arange(6 * SR) / SR
SOUNDS = {
    "noise": 0.3 * RNG.standard_normal(6 * SR),
    "tones": 0.4 * np.sin(2 * np.pi * 220 * T) + 0.2 * np.sin(2 * np.pi * 3000 * T),
    "sweep": np.sin(2 * np.pi * (50 * T + 800 * T**2)),
    "clicks": (np.arange(6 * SR) % 5000 == 0).astype(float),
    "clipped": np.clip(3 * np.sin(2 * np.pi * 440 * T), -1, 1),
    "faint": 1e-6 * RNG.standard_normal(6 * SR),
    "silence": np.zeros(3 * SR),
    "half silence": np.where(T < 3, 0, 0.5 * np.sin(2 * np.pi * 500 * T)),
    "loud beside faint": RNG.standard_normal(6 * SR) * np.where(T % 1 < 0.5, 1e-3, 0.3),
    "short": RNG.standard_normal(700),
    "odd": RNG.standard_normal(33333),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SOUNDS)
def test_equal_to_librosa(name):
    y = SOUNDS[name].astype(np.float32)
    fast, plain = spectrogram.extract(y, SR), spectrogram.reference(y, SR)
    assert fast.shape == plain.shape and fast.dtype == np.float32
    above = plain > -79  # at the floor itself rounding decides
    assert np.abs(fast - plain)[above].max(initial=0) < 0.01
    assert np.abs(fast - plain).max() < 1


@pytest.mark.parametrize("sr", [16000, 22050, 44100])
def test_shape_at_any_rate(sr):
    made = spectrogram.extract(np.ones(sr, np.float32), sr)
    assert made.shape == (sr // 20 + 1, 1 + sr // int(0.025 * sr))
    assert made.max() == pytest.approx(0, abs=1e-4) and made.min() >= -80.001


@pytest.mark.parametrize("y", [np.zeros((2, 9)), np.zeros(0), [0.0]])
def test_what_is_no_sound_is_refused(y):
    with pytest.raises(ValueError, match="shape"):
        spectrogram.extract(y, SR)


# what networks hear


def defined(y, bins, frames):
    """The mean magnitude of each band, in logarithms, repeated or cut to `frames`; and what the loudest bin has."""
    magnitude = np.abs(librosa.stft(y.astype(np.float64), n_fft=2205, hop_length=551))
    edges = [int(1103 * k / bins) for k in range(bins + 1)]
    means = np.stack([magnitude[a:b].mean(0) for a, b in zip(edges, edges[1:], strict=False)])
    heard = np.log(np.maximum(means, 1e-12)) / 5
    return np.tile(heard, 1 + frames // heard.shape[1])[:, :frames], magnitude.max()


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(SOUNDS) - {"short"}))
@pytest.mark.parametrize(("bins", "frames"), [(257, 199), (1, 150), (48, 700), (1103, 150)])
def test_pooled_is_what_it_is_defined_to_be(name, bins, frames):
    y = SOUNDS[name].astype(np.float32)
    found, (expected, loudest) = spectrogram.pooled(y, SR, bins, frames), defined(y, bins, frames)
    assert found.shape == (bins, frames) and found.dtype == np.float16
    quiet = np.log(max(1e-4 * loudest, 1e-12)) / 5  # below, single precision is noise
    exact = expected >= quiet
    np.testing.assert_allclose(found[exact], expected[exact], atol=3e-3, rtol=1e-3)
    assert exact.any() and (found[~exact] < quiet + 0.01).all()


def test_silence_is_heard_as_the_least_there_is_and_a_minute_fills_the_frames():
    assert np.unique(spectrogram.pooled(np.zeros(SR, np.float32), SR, 16)) == np.float16(np.log(1e-12) / 5)
    clip = RNG.standard_normal(2 * SR).astype(np.float32)
    made = spectrogram.pooled(clip, SR, 16)
    frames = 1 + len(clip) // 551
    assert made.shape == (16, spectrogram.FRAMES) == (16, 2400)
    np.testing.assert_array_equal(made, made[:, np.arange(2400) % frames])
    minute = spectrogram.pooled(np.resize(clip, 60 * SR), SR, 16)
    np.testing.assert_array_equal(minute[:, :frames - 3], made[:, :frames - 3])


@pytest.mark.parametrize(("y", "bins", "message"), [
    (np.zeros(9), 1104, "bins is 1104; expected 1 to 1103, the bins of a 0.1 s window at 22050 Hz"),
    (np.zeros(9), 0, "bins is 0; expected 1 to 1103"),
    (np.zeros((2, 9)), 257, r"y has the shape \(2, 9\)"),
    (np.zeros(0), 257, r"y has the shape \(0,\)"),
])
def test_what_cannot_be_pooled_is_refused(y, bins, message):
    with pytest.raises(ValueError, match=message):
        spectrogram.pooled(y, SR, bins)
