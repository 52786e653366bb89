"""The fast log-spectrogram against librosa's."""

import numpy as np
import pytest

from acp_lib.features import spectrogram

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
    "short": RNG.standard_normal(700),
    "odd": RNG.standard_normal(33333),
}


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
