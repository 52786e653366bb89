"""Decoding, mono, resampling and cutting into segments, on files written here."""

import math

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from acp_lib.features import audio
from acp_lib.features.audio import SR, UnreadableAudio
from acp_lib.features.fast.compiled import librosa


def noise(seconds, rate, channels=1, seed=0):
    shape = (int(seconds * rate), channels) if channels > 1 else int(seconds * rate)
    return np.random.default_rng(seed).uniform(-0.5, 0.5, shape).astype(np.float32)


@pytest.fixture
def written(tmp_path):
    def write(y, rate, name="sound.wav", **options):
        with soundfile.SoundFile(tmp_path / name, "w", rate, y.ndim if y.ndim == 1 else y.shape[1], **options) as file:
            for i in range(0, len(y), rate):
                file.write(y[i : i + rate])  # libsndfile 1.2.2 crashes on long OGG files written at once
        return tmp_path / name

    return write


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rate", "channels", "name"),
    [
        (22050, 1, "mono.wav"),
        (22050, 2, "stereo.flac"),
        (44100, 2, "stereo.wav"),
        (44100, 1, "mono.mp3"),
        (48000, 2, "stereo.ogg"),
        (8000, 1, "narrow.wav"),
        (11025, 6, "surround.wav"),
        (37123, 2, "odd_rate.wav"),
    ],
)
def test_a_whole_file_is_what_librosa_loads_to_the_bit(written, rate, channels, name):
    path = written(noise(2.345, rate, channels), rate, name)
    y = audio.load(path)
    assert y.dtype == np.float32 and y.ndim == 1 and y.flags.c_contiguous
    np.testing.assert_array_equal(y, librosa.load(path, sr=SR, mono=True)[0])


def test_another_target_rate(written):
    path = written(noise(1, 44100, 2), 44100)
    np.testing.assert_array_equal(audio.load(str(path), sr=16000), librosa.load(path, sr=16000)[0])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg"])
@pytest.mark.parametrize(("start", "count"), [(0, 1), (1, 5000), (30000, 22050), (2 * SR - 40, 40), (17, 3 * SR)])
def test_a_stretch_of_a_file_at_the_target_rate_is_sample_exact(written, name, start, count):
    path = written(noise(2, SR), SR, name)
    whole = audio.load(path)
    part = audio.load(path, start=start / SR, duration=count / SR)
    # an MP3 decoder that starts late differs in the last bit
    np.testing.assert_array_equal(part, whole[start : start + count])


def test_a_stretch_of_an_mp3_begins_where_it_should(written):
    path = written(noise(5, 44100), 44100, "a.mp3")
    whole = audio.load(path, sr=44100)
    part = audio.load(path, start=2.5, duration=1, sr=44100)
    np.testing.assert_allclose(part, whole[110250:154350], rtol=0, atol=1e-6)  # the decoder starts afresh


@pytest.mark.slow
@pytest.mark.parametrize("compression", [0.0, 0.99])
def test_a_stretch_of_an_mp3_is_decoded_as_in_the_whole(tmp_path, compression):
    path = tmp_path / "low.mp3"
    with soundfile.SoundFile(path, "w", SR, 1, "MPEG_LAYER_III", format="MP3", compression_level=compression) as file:
        for block in np.array_split(noise(70, SR), 70):
            file.write(block)
    whole = audio.load(path)
    for start in (30, 60):  # frames lean on earlier ones at low bit rates
        part = audio.load(path, start=start, duration=5)
        np.testing.assert_allclose(part, whole[start * SR : (start + 5) * SR], rtol=0, atol=1e-6)


@pytest.mark.slow
def test_the_end_of_a_long_ogg_is_sample_exact(written):
    path = written(noise(45, SR), SR, "long.ogg")  # libsndfile misses its mark in the last page
    whole = audio.load(path)
    for start in (SR, 20 * SR + 1, 44 * SR, 45 * SR - 100):
        np.testing.assert_array_equal(audio.load(path, start=start / SR, duration=0.1), whole[start : start + SR // 10])


def test_a_stretch_of_a_resampled_file_is_resampled_by_itself(written):
    y = noise(3, 44100)
    path = written(y, 44100, subtype="FLOAT")
    alone = written(y[44100 : 2 * 44100], 44100, "alone.wav", subtype="FLOAT")
    np.testing.assert_array_equal(audio.load(path, start=1, duration=1), audio.load(alone))
    assert len(audio.load(path, start=1, duration=1)) == SR


def test_silence_is_allowed_and_a_stretch_may_pass_the_end(written):
    path = written(np.zeros(SR), SR)
    np.testing.assert_array_equal(audio.load(path, start=0.5, duration=60), np.zeros(math.ceil(SR / 2)))


def test_only_the_stretch_is_decoded(written, monkeypatch):
    path, read = written(noise(20, SR), SR), []
    original = soundfile.SoundFile.read

    def spy(self, *args, **kwargs):
        out = original(self, *args, **kwargs)
        read.append(len(out))
        return out

    monkeypatch.setattr(soundfile.SoundFile, "read", spy)
    audio.load(path, start=10, duration=1)
    assert sum(read) == SR


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda p: None, "no file"),
        (lambda p: p.mkdir(), "no file"),
        (lambda p: p.write_bytes(b""), "0 bytes"),
        (lambda p: p.write_text("<html>404</html>"), "expected a format"),
        (lambda p: soundfile.write(p, np.zeros(0), SR), "no samples"),
        (lambda p: soundfile.write(p, np.array([0, np.nan, np.inf]), SR, subtype="FLOAT"), "2 samples"),
    ],
)
def test_unreadable_files_are_named(tmp_path, make, named):
    path = tmp_path / "song.wav"
    make(path)
    with pytest.raises(UnreadableAudio, match=named) as error:
        audio.load(path)
    assert "song.wav" in str(error.value)


@pytest.mark.parametrize(
    "wrong",
    [{"start": -1}, {"start": math.nan}, {"start": 1}, {"duration": 0}, {"duration": math.inf}, {"sr": 0}, {"sr": -5}],
)
def test_wrong_arguments_are_named_with_their_value(written, wrong):
    path = written(noise(1, SR), SR)
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=rf"{name} is {value}.*expected"):
        audio.load(path, **wrong)


def test_duration_comes_from_the_header(written):
    assert audio.duration(written(noise(2.5, 8000, 2), 8000)) == 2.5
    with pytest.raises(UnreadableAudio):
        audio.duration("absent.wav")


@pytest.mark.parametrize(
    ("seconds", "options", "expected"),
    [
        (0, {}, []),
        (9.99, {}, []),
        (10, {}, [(0, 10)]),
        (45.5, {}, [(0, 45.5)]),
        (59.999, {}, [(0, 59.999)]),
        (60, {}, [(0, 60)]),
        (119.99, {}, [(0, 60)]),
        (185, {}, [(0, 60), (60, 60), (120, 60)]),
        (185, {"minimum": 30}, [(0, 60), (60, 60), (120, 60)]),
        (215, {"minimum": 30}, [(0, 60), (60, 60), (120, 60), (180, 35)]),
        (5, {"short_from": 2}, [(0, 5)]),
        (3, {"length": 1.0, "minimum": 1.0}, [(0, 1), (1, 1), (2, 1)]),
    ],
)
def test_segments(seconds, options, expected):
    assert audio.segments(seconds, **options) == expected


@pytest.mark.slow
@given(st.floats(0, 5000), st.floats(1, 60), st.floats(1, 60))
def test_segments_do_not_overlap_and_stay_inside(seconds, minimum, short_from):
    cut = audio.segments(seconds, minimum=minimum, short_from=short_from)
    ends = [start + length for start, length in cut]
    assert all(start == end for (start, _), end in zip(cut[1:], ends, strict=False))
    assert not cut or (cut[0][0] == 0 and ends[-1] <= seconds + 1e-6)
    assert all(length == 60 for _, length in cut[:-1])
    assert bool(cut) == (seconds >= min(60 - 1e-7, short_from))


@pytest.mark.parametrize("wrong", [{"duration": -1}, {"duration": math.nan}, {"length": 0}, {"minimum": -3}])
def test_segments_name_wrong_numbers(wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=f"{name} is {value}"):
        audio.segments(**{"duration": 100.0} | wrong)
