"""Sounds that are not what they say: lengths, levels, containers; and small sounds mutated at random.

Inspection and decoding agree on every file: it is listed with the length that decodes, or refused with a reason.
"""

import io
import os
import re
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import soundfile
from conftest import corpus
from conftest import manifest as listed_table

from acp_lib import study as study_module
from acp_lib.database import manifest
from acp_lib.engine.spread import isolated
from acp_lib.experiment import splits
from acp_lib.features import audio, containers, shards
from acp_lib.features.audio import LOUDEST, UnreadableAudio
from acp_lib.profiles import load as load_profile
from acp_lib.study import Study

RATE = 16000
MUTATIONS = int(os.environ.get("ACP_MUTATIONS", "50"))
FORMATS = {"wav": {}, "flac": {}, "ogg": {}, "mp3": {}, "aiff": {}, "float.wav": {"subtype": "FLOAT"},
           "opus.ogg": {"subtype": "OPUS"}, "adpcm.wav": {"subtype": "IMA_ADPCM"}}


def tone(seconds=3.0, seed=0, channels=1):
    rng, t = np.random.default_rng(seed), np.arange(int(seconds * RATE)) / RATE
    y = 0.3 * np.sin(2 * np.pi * rng.uniform(200, 900) * t) + rng.normal(0, 0.02, len(t))
    return np.repeat(y[:, None], channels, 1).astype(np.float32)


def encoded(name, y=None, **options):
    """The bytes of a file of this ending."""
    y, file = tone() if y is None else y, io.BytesIO()
    ending = name.rpartition(".")[2]
    options = {**FORMATS.get(name, {}), **options}
    with soundfile.SoundFile(file, "w", RATE, y.shape[1], format=ending.upper(), **options) as out:
        out.write(y)
    return file.getvalue()


def frames_only(data):
    """An MP3 without the frame that states its length."""
    first = containers.mpeg(data).first
    return data[first + containers._size(int.from_bytes(data[first:first + 4], "big")):]


def states(data, count):
    """An MP3 whose first frame states so many frames."""
    field = containers.mpeg(data).field
    return data[:field] + count.to_bytes(4, "big") + data[field + 4:]


def varying(seconds=9.0):
    """An MP3 of changing bit rate: silence, which takes few bits, then noise, which takes many."""
    y = np.random.default_rng(1).uniform(-0.5, 0.5, (int(seconds * RATE), 1)).astype(np.float32)
    y[: len(y) // 3] *= 1e-3
    return encoded("mp3", y, bitrate_mode="VARIABLE")


def id3(size):
    return b"ID3\4\0\0" + bytes(size >> s & 127 for s in (21, 14, 7, 0)) + bytes(size)


def cut(data, share):
    return data[: int(len(data) * share)]


MP3 = partial(encoded, "mp3")
LENGTHS = {  # what a file holds, and its seconds
    **{f"ordinary {name}": (name, partial(encoded, name), 3.0) for name in FORMATS},
    "mp3 that states 0 frames": ("mp3", lambda: states(MP3(), 0), 3.0),
    "mp3 that states 1 frame": ("mp3", lambda: states(MP3(), 1), 3.0),
    "mp3 that states 999,999 frames": ("mp3", lambda: states(MP3(), 999_999), 3.0),
    "mp3 that states all it can": ("mp3", lambda: states(MP3(), 2**32 - 1), 3.0),
    "mp3 without a count": ("mp3", lambda: frames_only(MP3()), 3.0),
    "mp3 of changing rate without a count": ("mp3", lambda: frames_only(varying()), 9.0),
    "the same, cut": ("mp3", lambda: cut(frames_only(varying()), 0.999), 9.0),
    "mp3 behind a large tag": ("mp3", lambda: id3(300_000) + MP3(), 3.0),
    "mp3 behind a large tag without a count": ("mp3", lambda: id3(300_000) + frames_only(MP3()), 3.0),
    "mp3 cut in the middle": ("mp3", lambda: cut(MP3(), 0.5), 1.35),
    "two mp3 in one": ("mp3", lambda: MP3() + MP3(), 6.1),
    "stereo mp3 without a count": ("mp3", lambda: frames_only(MP3(tone(channels=2))), 3.0),
    "wav of open length": ("wav", lambda: replaced(encoded("wav"), 40, b"\xff" * 4), 3.0),
    "wav cut in the middle": ("wav", lambda: cut(encoded("wav"), 0.5), 1.5),
    "wav with a chunk behind": ("wav", lambda: with_chunk(encoded("wav")), 3.0),
    "wav with junk behind": ("wav", lambda: encoded("wav") + b"\x80" * 5000, 3.0),
}


def replaced(data, at, new):
    return data[:at] + new + data[at + len(new):]


def with_chunk(data):
    more = b"LIST" + (4000).to_bytes(4, "little") + bytes(4000)
    return replaced(data + more, 4, (len(data) + len(more) - 8).to_bytes(4, "little"))


@pytest.mark.slow
@pytest.mark.parametrize("case", LENGTHS)
def test_a_file_is_as_long_as_what_decodes(tmp_path, case):
    name, make, seconds = LENGTHS[case]
    path = tmp_path / f"song.{name}"
    path.write_bytes(make())
    assert audio.duration(path) == pytest.approx(seconds, abs=0.12)
    assert len(audio.load(path)) / audio.SR == pytest.approx(audio.duration(path), abs=1e-3)


def chained():
    return encoded("ogg") + encoded("ogg", tone(seed=1))


def scaled(factor, **options):
    return encoded("float.wav", tone() * np.float32(factor), **options)


REFUSED = {
    "chained ogg": ("ogg", chained, "is 2 recordings in one file"),
    "chained opus": ("ogg", lambda: encoded("opus.ogg") * 1 + encoded("opus.ogg"), "recordings in one file"),
    "wav of no size": ("wav", lambda: replaced(encoded("wav"), 40, bytes(4)), "96000 bytes behind"),
    "wav without any size": ("wav", lambda: replaced(replaced(encoded("wav"), 4, bytes(4)), 40, bytes(4)),
                             "behind the"),
    "wav of less than it holds": ("wav", lambda: replaced(encoded("wav"), 40, (9000).to_bytes(4, "little")),
                                  "behind the"),
    "wav of no channels": ("wav", lambda: replaced(encoded("wav"), 22, bytes(2)), "cannot open"),
    "wav of no rate": ("wav", lambda: replaced(encoded("wav"), 24, bytes(4)), "cannot open|sampling rate of 0 Hz"),
    "wav of 7 Hz": ("wav", lambda: replaced(encoded("wav"), 24, (7).to_bytes(4, "little")), "7 Hz; expected 1000"),
    "wav of 1.9 GHz": ("wav", lambda: replaced(encoded("wav"), 24, b"\0\0\0p"), "sampling rate of"),
    **{f"raw samples in .{end}": (end, lambda: bytes(range(256)) * 200, "raw samples without a header")
       for end in ("raw", "RAW", "gsm", "vox", "au", "snd")},
    "silence": ("wav", lambda: encoded("wav", 0 * tone()), "silent throughout"),
    "silent flac": ("flac", lambda: encoded("flac", 0 * tone()), "silent throughout"),
    **{f"{kind} whose channels cancel": (kind, lambda kind=kind: encoded(kind, tone(channels=2) * [1, -1]),
                                         "silent when its 2 channels are mixed, since they cancel one another out")
       for kind in ("wav", "flac", "float.wav")},
    "nothing": ("wav", lambda: encoded("wav", tone()[:0]), "no samples"),
    "flac that says 3 times its length": ("flac", lambda: replaced(encoded("flac"), 22, (144000).to_bytes(4, "big")),
                                          "damaged, or shorter than its header says"),
    "cut flac": ("flac", lambda: cut(encoded("flac"), 0.5), "damaged, or shorter than its header says"),
    "flac of 50 days": ("flac", lambda: replaced(encoded("flac"), 21, b"\xff" * 5),
                        "does not say|cannot hold|cannot open"),
    **{f"floats times {f:g}": ("wav", partial(scaled, f), "times full scale; expected 10 at most: scale")
       for f in (128.0, 32768.0, 1e30)},
    "doubles times 1e200": ("wav", lambda: encoded("wav", tone() * np.float64(1e200), subtype="DOUBLE"),
                            "NaN or infinite|times full scale"),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_sound_as_it_should_be_is_refused_with_a_reason(tmp_path, case):
    name, make, reason = REFUSED[case]
    path = tmp_path / f"song.{name}"
    path.write_bytes(make())
    with pytest.raises(UnreadableAudio, match=reason) as error:
        audio.duration(path)
    assert "song." in str(error.value)
    assert any(remedy in str(error.value) for remedy in ("leave it out", "encode it", "expected a format"))


def test_channels_that_cancel_in_part_are_sound(tmp_path):
    path, y = tmp_path / "song.wav", tone(channels=2) * [1, -1]
    y[:100, 1] *= -1
    path.write_bytes(encoded("wav", y))
    assert audio.duration(path) == 3.0


@pytest.mark.parametrize(("factor", "fits"), [(1.5, True), (8.0, True), (40.0, False)])
def test_samples_beyond_a_level_are_refused_when_listed_and_when_decoded(tmp_path, factor, fits):
    path = tmp_path / "song.wav"
    path.write_bytes(scaled(factor))
    for read in (audio.duration, audio.load):
        if fits:
            read(path)
        else:
            with pytest.raises(UnreadableAudio, match=f"times full scale; expected {LOUDEST:g} at most"):
                read(path)


def test_one_sample_is_too_short(tmp_path):
    path = tmp_path / "song.wav"
    path.write_bytes(encoded("wav", tone()[5:6]))
    assert manifest._inspect(tmp_path, {"path": "song.wav", "modality": "music", "id": "x"}, 60, 10) == \
        "0.0 s long; a clip is used from 10 s up"


# --- nothing is lost in silence


@pytest.fixture
def lossy(tmp_path):
    """A corpus in which one class has songs that open, are listed, and do not decode where they were not looked at."""
    root = corpus(tmp_path / "mine", pictures=3, songs=3)
    flac = (root / "music/negative/s0.flac").read_bytes()
    for i in range(9):
        broken = bytearray(flac)
        broken[len(flac) // 4: len(flac) // 4 + 30000] = np.random.default_rng(i).bytes(30000)
        (root / f"music/negative/broken{i}.flac").write_bytes(broken)
    return root


@pytest.mark.slow
def test_a_class_keeps_its_share_and_every_loss_has_a_reason(lossy, tmp_path):
    options = {"data": str(lossy), "work": str(tmp_path / "work"), "results": str(tmp_path / "results"), "jobs": 1,
               "weights": "random", "image_size": 75, "device": "cpu"}
    study = Study(load_profile("folder", **options), progress=False)
    lost = set(study.listed["path"]) - set(study.manifest["path"])
    assert len(lost) == 9  # they are listed: their middle and end decode
    assert lost <= set(study.rejects["path"]) and study.rejects["reason"].str.len().min() > 20
    found = set(study.manifest["path"]) | set(study.rejects["path"])
    assert {f"music/negative/broken{i}.flac" for i in range(9)} <= found
    counts = pd.crosstab(study.manifest["class"], study.part)
    assert len(study.part) == len(study.manifest) and (counts > 0).all(axis=None)
    whole = study.listed["path"].isin(study.manifest["path"])
    assert study.manifest["id"].tolist() == study.listed["id"][whole].tolist()


@pytest.mark.slow
@pytest.mark.parametrize("lost", [[], [1, 4, 7, 10]])
def test_the_split_is_dealt_over_what_is_usable(monkeypatch, lost):
    table, name = listed_table(), "music"
    x = np.ones((int((table["modality"] == name).sum()), 193), np.float32)
    x[lost] = np.nan
    monkeypatch.setattr(study_module.Extraction, "vectors", lambda self, modality: (x, None))
    options = load_profile("mini")
    part = study_module._dealt_part(SimpleNamespace(listed=table, root=Path()), options.features, options.splitting, 3,
                                    None)
    usable = table.drop(table.index[table["modality"] == name][lost])
    assert part[usable.index].tolist() == splits.assign_split(usable, by=options.splitting.split, seed=3).tolist()
    assert part.isna().sum() == len(lost) and part.index.equals(table.index)


def test_features_that_are_not_finite_are_lost_with_a_reason():
    assert shards._finite(np.array([1.0, np.nan]), "")[1].startswith("its features are not finite")
    assert shards._finite(None, "why") == (None, "why")


# --- mutations


def mutated(seed):
    """A name and the bytes of a small sound with some bytes flipped, cut, doubled, or its header edited."""
    rng = np.random.default_rng([seed, 5])
    name = list(FORMATS)[seed % len(FORMATS)]
    data = bytearray(encoded(name, tone(1.5, seed % 3, 1 + seed % 2)))
    for _ in range(rng.integers(1, 4)):
        kind, at = rng.integers(5), int(rng.integers(len(data)))
        if kind == 0:
            for k in rng.integers(len(data), size=rng.integers(1, 30)):
                data[k] ^= 1 << rng.integers(8)
        elif kind == 1:
            del data[max(at, 50):]
        elif kind == 2:
            head = int(rng.integers(min(len(data), 200)))
            size = int(rng.choice([1, 2, 4]))
            data[head:head + size] = rng.choice([bytes(size), b"\xff" * size, rng.bytes(size)])
        elif kind == 3:
            data[at:at] = data[: int(rng.integers(1, 3000))]
        else:
            del data[at: at + int(rng.integers(1, 500))]
    return name, bytes(data)


def outcome(path):
    """What inspection and decoding make of a file: the reason why it is refused, or the length, if both agree."""
    began = time.perf_counter()
    spans = manifest._inspect(path.parent, {"path": path.name, "modality": "music", "id": "x"}, 0.1, 0.1)
    if isinstance(spans, str):
        assert len(spans) > 10
        found = f"refused: {spans}"
    else:
        try:
            y = audio.listed(path.parent, spans[-1])
            assert np.isfinite(y).all() and np.abs(y).max() < 2 * LOUDEST
            np.testing.assert_array_equal(y, audio.listed(path.parent, spans[-1]))
            assert abs(len(y) / audio.SR - spans[-1]["duration"]) < 0.02, (len(y) / audio.SR, spans)
            found = "read"
        except UnreadableAudio as error:
            found = f"lost: {error}"
    assert time.perf_counter() - began < 5
    return found


def memory(field):
    """This process's memory in MiB: VmRSS now, or its peak VmHWM. The worker of a test has had other peaks before."""
    return int(re.search(rf"{field}:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024


def outcomes(items):
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew, from what is held now
    found, held = [], memory("VmRSS")
    for folder_, seed in items:
        name, data = mutated(seed)
        path = folder_ / f"{seed}.{name}"
        path.write_bytes(data)
        try:
            found.append((outcome(path), ""))
        except Exception as error:
            found.append((None, f"{type(error).__name__}: {error}"))
        path.unlink()
    assert memory("VmHWM") - held < 500
    return found


@pytest.mark.slow
@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="no peak can be set back")
def test_mutated_sounds_are_read_as_listed_or_refused_with_a_reason(tmp_path):
    run = outcomes if MUTATIONS <= 50 else partial(isolated, outcomes)
    found = run([(tmp_path, seed) for seed in range(MUTATIONS)])
    wrong = [(seed, reason) for seed, (what, reason) in enumerate(found) if what is None]
    kinds = pd.Series([what.partition(":")[0] for what, _ in found if what is not None]).value_counts()
    print(kinds.to_dict(), f"{len(wrong)} wrong")
    assert not wrong, wrong[:20]
    assert kinds["read"] > MUTATIONS / 10
