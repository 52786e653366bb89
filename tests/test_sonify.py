"""What each group of features sounds like: length, loudness, and that it keeps what the group describes."""

import numpy as np
import pytest

from acp_lib.features import sonify
from acp_lib.features.fast.compiled import librosa
from acp_lib.features.music import BLOCKS

SR = 22050
T = np.arange(3 * SR) / SR


def noise(level=0.1, seed=0):
    return level * np.random.default_rng(seed).standard_normal(len(T))


def tone(frequency, level=0.3):
    return level * np.sin(2 * np.pi * frequency * T)


SOUNDS = {
    "chord in noise": tone(220) + tone(277.18, 0.2) + noise(0.02),
    "drum": noise(0.5) * np.exp(-(T % 0.5) * 30),
    "loud": np.clip(5 * tone(440), -1, 1),
    "quiet": 1e-4 * (tone(440) + noise()),
    "short": tone(330)[:5000],
}


def rms(y):
    return np.sqrt(np.mean(np.square(y, dtype=float)))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:n_fft=", "ignore:Trying to estimate tuning")
@pytest.mark.parametrize("name", sonify.GROUPS)
@pytest.mark.parametrize("sound", SOUNDS)
def test_length_and_loudness_are_those_of_the_original(name, sound):
    y = SOUNDS[sound].astype(np.float32)
    found = sonify.group(name, y, SR)
    assert found.shape == y.shape and found.dtype == np.float32 and np.isfinite(found).all()
    peak = np.abs(found).max()
    assert peak < 0.99
    assert rms(found) == pytest.approx(rms(y), rel=0.02) or (peak > 0.97 and rms(found) < rms(y))


@pytest.mark.filterwarnings("ignore:Trying to estimate tuning")
@pytest.mark.parametrize("name", sonify.GROUPS)
def test_silence_stays_silent(name):
    assert not sonify.group(name, np.zeros(SR, np.float32), SR).any()


def test_there_is_a_sound_for_each_block():
    assert set(sonify.GROUPS) == set(BLOCKS)


@pytest.mark.slow
def test_the_seed_decides_the_noise():
    y = SOUNDS["chord in noise"]
    one, two, other = (sonify.group("mel", y, SR, seed=s) for s in (0, 0, 1))
    np.testing.assert_array_equal(one, two)
    assert np.abs(one - other).max() > 0.01


def test_another_group_is_refused():
    with pytest.raises(KeyError, match="rhythm"):
        sonify.group("rhythm", noise(), SR)


def pitch_classes(y):
    return librosa.feature.chroma_stft(y=y, sr=SR).mean(1)


def spectrum(y):
    return np.abs(np.fft.rfft(y)), np.fft.rfftfreq(len(y), 1 / SR)


@pytest.mark.slow
@pytest.mark.parametrize(("frequency", "pitch_class"), [(440, 9), (261.63, 0), (369.99, 6), (1760, 9)])
def test_chroma_keeps_the_pitch_class_and_not_the_octave(frequency, pitch_class):
    found = sonify.group("chroma", tone(frequency), SR)
    assert np.argmax(pitch_classes(found)) == pitch_class
    level, f = spectrum(found)
    octaves = librosa.midi_to_hz(pitch_class + 12 * np.arange(4, 8))
    strong = [level[np.abs(f - o) < 3].max() for o in octaves]
    assert min(strong) > 0.5 * max(strong) and max(strong) == pytest.approx(level.max())


def test_chroma_follows_the_music_in_time():
    y = np.where(T < 1.5, tone(440), tone(523.25))
    found = sonify.group("chroma", y, SR)
    assert [np.argmax(pitch_classes(half)) for half in np.split(found, 2)] == [9, 0]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mfcc", "mel"])
def test_mfcc_and_mel_keep_the_place_of_the_energy_and_no_pitch(name):
    def share(level, part):
        return np.sum(level[part] ** 2) / np.sum(level**2)

    for low, high in ((300, 600), (3000, 6000)):
        band = np.fft.rfft(noise())
        band[(np.fft.rfftfreq(len(T), 1 / SR) < low) | (np.fft.rfftfreq(len(T), 1 / SR) > high)] = 0
        level, f = spectrum(sonify.group(name, np.fft.irfft(band, len(T)), SR))
        assert share(level, (f > low / 1.4) & (f < high * 1.4)) > 0.8
    level, f = spectrum(sonify.group(name, tone(2000), SR))
    near = np.abs(f - 2000) < 150
    assert share(level, np.abs(f - 2000) < 2) < 0.2 < 0.5 < share(level, near), "a band of noise around the tone"


def test_contrast_keeps_the_peaks_and_drops_what_lies_between():
    tones = (150, 300, 600, 1200, 2400, 4800)
    y = sum(tone(f, 0.1) for f in tones) + noise(0.01)
    found, original = (spectrum(s / rms(s)) for s in (sonify.group("contrast", y, SR), y))
    peak = np.any([np.abs(original[1] - f) < 10 for f in tones], axis=0)
    valley = np.all([np.abs(original[1] - f) > 60 for f in tones], axis=0)
    assert found[0][peak].max() > 0.8 * original[0][peak].max()
    assert np.mean(found[0][valley] ** 2) < 0.3 * np.mean(original[0][valley] ** 2)


def test_tonnetz_drops_the_drum():
    y = tone(440, 0.1) + SOUNDS["drum"]
    level, f = spectrum(sonify.group("tonnetz", y, SR))
    before, _ = spectrum(y)
    near = np.abs(f - 440) < 5

    def share(s):
        return np.sum(s[near] ** 2) / np.sum(s**2)

    assert share(level) > 0.8 > 2 * share(before)
