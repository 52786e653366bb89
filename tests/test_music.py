"""The 193 numbers: the fast way against the plain librosa recipe, and each of its steps against librosa's own."""

import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest
import scipy.ndimage
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from acp_lib.engine import processes
from acp_lib.features import audio, music
from acp_lib.features.fast import bands as _bands
from acp_lib.features.fast import cqt as _cqt
from acp_lib.features.fast import hpss as _hpss
from acp_lib.features.fast import stft as _stft
from acp_lib.features.fast import tuning as _tuning
from acp_lib.features.fast.compiled import librosa

SR = 22050
pytestmark = pytest.mark.filterwarnings("ignore:n_fft=", "ignore:Trying to estimate tuning")


def time(seconds, sr=SR):
    return np.arange(int(seconds * sr)) / sr


def melody(seconds, sr=SR):
    """Four detuned chords with overtones and a slow tremolo."""
    t = time(seconds, sr)
    roots = np.array([220.7, 174.9, 262.3, 196.4])[(t / 0.8).astype(int) % 4]
    phase = 2 * np.pi * np.cumsum(roots) / sr
    tones = sum(np.sin(phase * ratio * h) / h for ratio in (1, 1.2599, 1.4983) for h in (1, 2, 3, 4, 5))
    return (0.07 * tones * (1 + 0.5 * np.sin(2 * np.pi * 0.7 * t))).astype(np.float32)


def drums(seconds, sr=SR):
    y, random = np.zeros(int(seconds * sr)), np.random.default_rng(7)
    for start in range(0, len(y), int(0.43 * sr)):
        n = min(sr // 4, len(y) - start)
        y[start : start + n] += 0.5 * random.standard_normal(n) * np.exp(-np.arange(n) / (0.03 * sr))
    return y.astype(np.float32)


def noise(seconds, sr=SR, seed=0):
    return 0.2 * np.random.default_rng(seed).standard_normal(int(seconds * sr)).astype(np.float32)


def song(seconds, sr=SR):
    return melody(seconds, sr) + drums(seconds, sr)


def chirp(seconds=12, sr=SR):
    return (0.5 * librosa.chirp(fmin=40, fmax=10000, sr=sr, duration=seconds, linear=False)).astype(np.float32)


SIGNALS = {
    "song of three windows": lambda: song(20.5),
    "melody": lambda: melody(11),
    "noise": lambda: noise(11),
    "drums": lambda: drums(11),
    "sweep over octaves": chirp,
    "sweep over hertz": lambda: 0.5 * librosa.chirp(fmin=30, fmax=11000, sr=SR, duration=11, linear=True),
    "silence": lambda: np.zeros(10 * SR + 5),
    "clipped": lambda: np.clip(4 * song(10), -1, 1),
    "half silent": lambda: np.concatenate([song(6), np.zeros(5 * SR)]),
    "very quiet": lambda: 1e-5 * song(10),
    "16 bits": lambda: np.round(300 * song(10)) / 32768,
    "A, exactly": lambda: 0.5 * np.sin(2 * np.pi * 440 * time(10)),
    "above all octaves": lambda: 0.5 * np.sin(2 * np.pi * 10000 * time(10)),
    "direct current": lambda: np.full(10 * SR, 0.3),
    "clicks": lambda: (np.arange(10 * SR) % (SR // 2) == 0).astype(float),
}


def block_errors(a, b):
    """Largest |a - b| of each block in units of 1e-4 |b| + 1e-5 max |block of b|."""
    errors = {}
    for name, block in music.BLOCKS.items():
        x, y = a[block].astype(np.float64), b[block].astype(np.float64)
        allowed = 1e-4 * np.abs(y) + 1e-5 * np.abs(y).max()
        errors[name] = np.max(np.abs(x - y) / np.maximum(allowed, 1e-30))
    return errors


def agree(y, sr=SR, frame="librosa"):
    fast, plain = music.extract(y, sr, frame), music.reference(y, sr, frame)
    assert fast.shape == plain.shape == (193,) and fast.dtype == plain.dtype == np.float32
    assert np.isfinite(fast).all()
    errors = block_errors(fast, plain)
    assert max(errors.values()) < 1, errors


@pytest.mark.slow
@pytest.mark.parametrize("name", SIGNALS)
def test_extract_gives_the_numbers_of_reference(name):
    agree(SIGNALS[name]())


@pytest.mark.slow
@pytest.mark.parametrize("make", [lambda: song(20.5), lambda: np.zeros(11 * SR), lambda: drums(5), lambda: melody(1.5),
                                  lambda: song(1)[:2000], lambda: song(1)[:1]])
def test_extract_gives_the_numbers_of_reference_on_long_frames(make):
    agree(make(), frame="window")


@pytest.mark.parametrize(("seconds", "n_fft", "hop"), [(60, 220500, 110250), (10, 220500, 110250), (7, 154350, 77175),
                                                       (0.01, 2048, 1024)])
def test_a_long_frame_is_ten_seconds_or_all_there_is(seconds, n_fft, hop):
    assert music.long_frame(np.zeros(int(seconds * SR)), SR) == {"n_fft": n_fft, "hop_length": hop}


def test_frames_are_one_of_two():
    with pytest.raises(ValueError, match="frame is 'minute'; expected one of librosa, window"):
        music.extract(song(1), SR, "minute")


@pytest.mark.slow
def test_long_frames_do_not_see_what_changes_within_them():
    """A chord of four tones, and the same tones one after another, look alike to frames of ten seconds alone."""
    tones = [np.sin(2 * np.pi * f * time(16)) for f in (220, 311.1, 440, 622.3)]
    turn = (time(16) / 0.5).astype(int) % 4
    chord, arpeggio = (0.2 * sum(tones)).astype(np.float32), (0.4 * np.choose(turn, tones)).astype(np.float32)
    apart = {frame: np.abs(music.extract(chord, SR, frame) - music.extract(arpeggio, SR, frame))[music.BLOCKS["chroma"]]
             for frame in ("librosa", "window")}
    assert apart["window"].max() < 0.5 * apart["librosa"].max(), {k: v.round(2).tolist() for k, v in apart.items()}
    blocks = [music.extract(song(10), SR, frame)[music.BLOCKS["tonnetz"]] for frame in apart]
    np.testing.assert_array_equal(*blocks)  # which takes no length of frames


@pytest.mark.slow
@pytest.mark.parametrize("name", ["clip.mp3", "clip.ogg"])
def test_on_decoded_files(tmp_path, name):
    soundfile.write(tmp_path / name, song(10.5, 44100), 44100)
    agree(audio.load(tmp_path / name))


@pytest.mark.slow
@pytest.mark.parametrize("n", [1, 2, 100, 511, 1536, 2047, 2048, 5001, 44100, 220499, 220501, 250007])
def test_short_and_odd_lengths(n):
    agree(song(n / SR + 1)[:n])


@pytest.mark.slow
@pytest.mark.parametrize("sr", [12801, 16000, 22050.5, 44100, 48000])
def test_other_sampling_rates(sr):
    agree(song(3, int(sr)), sr)


@pytest.mark.slow
@pytest.mark.parametrize("n", [512, 700, 1535])
def test_two_or_three_frames_which_scipy_misreads(n):
    found = music.extract(song(1)[:n], SR)
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found, music.extract(song(1)[:n], SR))


@pytest.mark.slow
def test_strided_and_float64_input_is_left_alone():
    y = song(4).astype(np.float64)
    before = y.copy()
    np.testing.assert_array_equal(music.extract(y[::2], SR), music.extract(y[::2].astype(np.float32), SR))
    np.testing.assert_array_equal(y, before)
    y.flags.writeable = False
    music.extract(y, SR)


def test_no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        music.extract(np.zeros(100, np.float32), SR)
        music.extract(song(2), SR)


def bits(seed):
    return music.extract(song(10.5) + noise(10.5, seed=seed), SR).tobytes()


@pytest.mark.slow
def test_the_same_bits_in_every_process_and_thread():
    expected = [bits(0), bits(1)]
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(bits, [0, 1, 0, 1])) == expected * 2
    with ProcessPoolExecutor(2, mp_context=processes.context()) as pool:
        assert list(pool.map(bits, [0, 1])) == expected


def test_blocks_and_names():
    sizes = {name: block.stop - block.start for name, block in music.BLOCKS.items()}
    assert list(sizes.items()) == [("mfcc", 40), ("chroma", 12), ("contrast", 7), ("tonnetz", 6), ("mel", 128)]
    assert [block.start for block in music.BLOCKS.values()] == [0, 40, 52, 59, 65]
    assert len(music.NAMES) == len(set(music.NAMES)) == 193
    assert (music.NAMES[0], music.NAMES[40], music.NAMES[192]) == ("mfcc_0", "chroma_0", "mel_127")


@pytest.mark.slow
def test_each_block_is_the_feature_it_is_called():
    y = melody(10)
    found = music.extract(y, SR)
    np.testing.assert_allclose(found[music.BLOCKS["mel"]], librosa.feature.melspectrogram(y=y, sr=SR).mean(1), 1e-4)
    mfcc = librosa.feature.mfcc(y=y, sr=SR, n_mfcc=40).mean(1)
    np.testing.assert_allclose(found[music.BLOCKS["mfcc"]], mfcc, 1e-4, 1e-3)
    tonnetz = librosa.feature.tonnetz(y=librosa.effects.harmonic(y), sr=SR).mean(1)
    np.testing.assert_allclose(found[music.BLOCKS["tonnetz"]], tonnetz, 1e-4, 1e-6)


@pytest.mark.parametrize(
    ("seconds", "starts"),
    [(0.5, [0]), (10, [0]), (14.99, [0]), (15, [0, 5]), (60, range(0, 51, 5)), (64.9, range(0, 51, 5))],
)
def test_windows(seconds, starts):
    y = np.arange(int(seconds * SR), dtype=np.float32)
    cut = music.windows(y, SR)
    assert [w[0] for w in cut] == [s * SR for s in starts]
    assert {len(w) for w in cut} == {min(len(y), 10 * SR)}
    assert all(np.shares_memory(w, y) for w in cut)


@pytest.mark.parametrize("function", [music.extract, music.reference])
@pytest.mark.parametrize(
    ("y", "sr", "message"),
    [
        (np.zeros((2, 100)), SR, r"y has shape \(2, 100\); expected one dimension"),
        (np.float32(1), SR, r"y has shape \(\); expected one dimension"),
        (np.zeros(0), SR, "y is empty; expected at least one sample"),
        (np.array([0.0, np.nan, np.inf]), SR, "y holds 2 samples that are NaN or infinite, of 3; expected finite"),
        (np.zeros(100, np.int16), SR, "y has type int16; expected floating-point"),
        (np.zeros(100, complex), SR, "y has type complex128; expected floating-point"),
        (np.zeros(100), 0, "sr is 0; expected"),
        (np.zeros(100), -22050, "sr is -22050; expected"),
        (np.zeros(100), 8000, "sr is 8000; expected a sampling rate above 12800"),
        (np.zeros(100), float("nan"), "sr is nan; expected"),
        (np.zeros(100), "22050", "sr is '22050'; expected"),
        (np.zeros(100), None, "sr is None; expected"),
    ],
)
def test_wrong_input_is_named_with_its_value(function, y, sr, message):
    with pytest.raises(ValueError, match=message):
        function(y, sr)


GOLDEN = {
    "mfcc_0": -110.791,
    "mfcc_1": 70.0594,
    "mfcc_13": -11.5253,
    "mfcc_39": -0.0963787,
    "chroma_0": 0.419642,
    "chroma_7": 0.370335,
    "chroma_11": 0.380297,
    "contrast_0": 22.7274,
    "contrast_3": 22.7886,
    "contrast_6": 13.4511,
    "tonnetz_0": 0.181109,
    "tonnetz_3": 0.0934219,
    "tonnetz_5": -0.00976955,
    "mel_0": 61.5393,
    "mel_40": 20.9355,
    "mel_127": 0.0290136,
}


def test_golden_numbers():
    """A change of librosa, of numpy or of this code that changes what is measured shows here."""
    y = chirp() + melody(12) + 0.1 * noise(12, seed=193)
    found = dict(zip(music.NAMES, music.extract(y, SR), strict=True))
    np.testing.assert_allclose([found[name] for name in GOLDEN], list(GOLDEN.values()), rtol=1e-3)


# The steps, each against what it stands for.


@pytest.mark.parametrize("n", [1, 600, 5000, 70001])
def test_stft_and_its_inverse_have_librosas_bits(n):
    y = noise(n / SR + 1)[:n]
    spectrum, magnitude = _stft.stft(y)
    expected = librosa.stft(y)
    np.testing.assert_array_equal(spectrum.T, expected)
    np.testing.assert_array_equal(magnitude.T, np.abs(expected))
    scaled = np.ascontiguousarray(0.7 * spectrum)
    np.testing.assert_array_equal(_stft.istft([scaled[:5], scaled[5:]], n), librosa.istft(scaled.T, length=n))


@pytest.mark.slow
@pytest.mark.parametrize("taps", [1, 3, 7, 15, 31])
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_median_network(taps, data):
    group = (taps + 1) // 2
    values = list(data.draw(arrays(np.float32, taps + group - 1, elements=st.floats(0, 8, width=16))))
    steps, medians = _hpss.median_network(taps)
    for lower, a, b in steps:
        values.append(min(values[a], values[b]) if lower else max(values[a], values[b]))
    inputs = values[: taps + group - 1]
    assert [values[m] for m in medians] == [np.median(inputs[i : i + taps]) for i in range(group)]


def test_median_network_shares_its_work():
    assert len(_hpss.median_network()[0]) == 450  # 28 a median
    with pytest.raises(ValueError, match="taps is 30"):
        _hpss.median_network(30)


@pytest.mark.parametrize("shape", [(1, 1), (4, 1025), (14, 9), (16, 16), (31, 17), (47, 40), (100, 33), (431, 1)])
def test_running_median_is_scipys(shape):
    x = np.random.default_rng(3).random(shape, np.float32)
    expected = scipy.ndimage.median_filter(x, size=(31, 1), mode="reflect")
    np.testing.assert_array_equal(_hpss.running_median(x), expected)


@pytest.mark.parametrize("rows", [2, 3])
def test_running_median_of_few_rows(rows):
    x = np.random.default_rng(3).random((rows, 50), np.float32)  # here scipy 1.17 reads what was never written
    mirrored = np.pad(x, ((15, 15), (0, 0)), mode="symmetric")
    expected = [np.median(mirrored[i : i + 31], axis=0) for i in range(rows)]
    np.testing.assert_array_equal(_hpss.running_median(x), expected)


@pytest.mark.slow
@pytest.mark.parametrize("y", [song(4), np.zeros(9000, np.float32), song(1)[:1600], noise(2)], ids=len)
def test_harmonic_part_has_librosas_bits(y):
    spectrum, magnitude = _stft.stft(y)
    found = _hpss.harmonic(len(y), spectrum, magnitude, np.ascontiguousarray(magnitude.T))
    np.testing.assert_array_equal(found, librosa.effects.harmonic(y))


@pytest.mark.slow
@pytest.mark.parametrize("make", [song, melody, drums, noise, chirp])
@pytest.mark.parametrize("sr", [16000, 22050, 44100])
def test_tuning_is_librosas(make, sr):
    magnitude = np.abs(librosa.stft(make(4, sr)))
    for bins in (12, 36):
        expected = librosa.estimate_tuning(S=magnitude, sr=sr, bins_per_octave=bins)
        assert _tuning.tuning(np.ascontiguousarray(magnitude.T), sr, bins) == expected


def test_tuning_of_silence():
    assert _tuning.tuning(np.zeros((5, 1025), np.float32), SR, 12) == 0.0


@pytest.mark.slow
@given(arrays(np.float32, st.integers(1, 50), elements=st.floats(150, 4000, width=32)), st.sampled_from([12, 36]))
@settings(deadline=None)
def test_most_frequent_deviation_is_librosas(pitch, bins):
    assert _tuning.most_frequent(pitch, bins) == librosa.pitch_tuning(pitch, bins_per_octave=bins)


@pytest.mark.slow
@pytest.mark.parametrize("sr", [12801, 16000, 22050, 48000])
def test_bands_are_librosas(sr):
    magnitude = np.abs(librosa.stft(song(2, sr)))
    mel = librosa.feature.melspectrogram(S=magnitude**2, sr=sr)
    np.testing.assert_allclose(_bands.mel(magnitude, sr), mel, rtol=1e-5)
    np.testing.assert_allclose(_bands.decibel(mel), librosa.power_to_db(mel), atol=1e-4)
    expected = librosa.feature.spectral_contrast(S=magnitude, sr=sr)
    np.testing.assert_allclose(_bands.contrast(magnitude, sr), expected, atol=1e-6)


def test_mfcc_of_the_mean_is_the_mean_mfcc():
    mel = librosa.feature.melspectrogram(y=song(2), sr=SR)
    expected = librosa.feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=40).mean(axis=1)
    np.testing.assert_allclose(music._mfcc(mel), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("sr", [16000, 22050, 44100])
@pytest.mark.parametrize("tuning", [-0.5, -0.13, 0.0, 0.49])
def test_chroma_filters_are_librosas(sr, tuning):
    expected = librosa.filters.chroma(sr=sr, n_fft=2048, tuning=tuning)
    np.testing.assert_allclose(music._chroma_bank(float(sr), tuning), expected, atol=1e-6)


def test_tonnetz_is_linear_in_normalised_chroma():
    chroma = np.random.default_rng(5).random((12, 9))
    np.testing.assert_allclose(
        music._TONNETZ @ (chroma / chroma.sum(axis=0)), librosa.feature.tonnetz(chroma=chroma), atol=1e-12
    )


@pytest.mark.slow
@pytest.mark.parametrize("sr", [16000, 22050, 44100])
def test_wavelets_are_librosas_at_every_tuning(sr):
    for tuning in np.arange(-50, 50) / 100:
        frequencies = librosa.cqt_frequencies(252, fmin=librosa.note_to_hz("C1"), bins_per_octave=36, tuning=tuning)
        np.testing.assert_allclose(_cqt._frequencies(tuning), frequencies, rtol=1e-14)
        found, lengths = _cqt._wavelets(frequencies[-36:], sr)
        expected, expected_lengths = librosa.filters.wavelet(freqs=frequencies[-36:], sr=sr)
        np.testing.assert_allclose(found, expected, atol=1e-9)
        np.testing.assert_array_equal(lengths, expected_lengths)


def test_sparsified_is_librosas():
    x = np.random.default_rng(1).standard_normal((20, 300)).astype(np.complex64) ** 3
    np.testing.assert_array_equal(_cqt._sparsified(x), librosa.util.sparsify_rows(x, quantile=0.01).toarray())


@pytest.mark.slow
@pytest.mark.parametrize("tuning", [-0.5, -0.37, -0.01, 0.0, 0.25, 0.49])
def test_one_bank_of_symmetric_wavelets_serves_every_octave(tuning):
    y = noise(2)
    energy, _ = _cqt._fast_chroma(y, float(SR), tuning)
    expected = librosa.feature.chroma_cqt(y=y, sr=SR, tuning=tuning, norm=None)
    np.testing.assert_allclose(energy.T, expected, rtol=1e-4, atol=1e-5 * expected.max())


@pytest.mark.slow
@pytest.mark.parametrize("sr", [16000, 32000, 44100, 96000])
def test_constant_q_chroma_at_other_rates(sr):
    y = noise(1.3, sr)
    energy, _ = _cqt._fast_chroma(y, float(sr), 0.11)
    expected = librosa.feature.chroma_cqt(y=y, sr=sr, tuning=0.11, norm=None)
    np.testing.assert_allclose(energy.T, expected, rtol=1e-4, atol=1e-5 * expected.max())


@pytest.mark.slow
@pytest.mark.parametrize(("name", "expected"), [("melody", 0), ("noise", 0), ("drums", 0), ("above all octaves", 1)])
def test_only_where_rounding_would_show_librosas_transform_is_asked(monkeypatch, name, expected):
    calls, original = [], librosa.feature.chroma_cqt
    monkeypatch.setattr(librosa.feature, "chroma_cqt", lambda **kwargs: calls.append(1) or original(**kwargs))
    music.extract(SIGNALS[name](), SR)
    assert len(calls) == expected
