"""Pictures, spectrograms and art features on shards: each item as if made alone, read where it lies, resumed."""

import operator
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
from conftest import corpus

from acp_lib.database import folder, manifest
from acp_lib.features import art as art_features
from acp_lib.features import audio, image, raw, spectrogram

OPTIONS = {"pixels": {"size": 32}, "art": {"size": 32}, "slices": {"bins": 16}}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return corpus(tmp_path_factory.mktemp("corpus"), pictures=17, songs=1, seconds=10)


@pytest.fixture(scope="module")
def table(root):
    return manifest.build(root, folder.scan(root)[0], progress=False)[0]


@pytest.fixture(scope="module")
def make(root, table):
    """Shards of one kind in a folder."""
    def made(kind, target, **more):
        rows = table[table["modality"] == raw.KINDS[kind]]
        return raw.make(kind, root, rows, target, **{"progress": False, **OPTIONS[kind], **more})

    return made


@pytest.fixture(scope="module")
def pixels(make, tmp_path_factory):
    return make("pixels", tmp_path_factory.mktemp("work") / "pixels")


def names(target):
    return sorted(p.name for p in target.iterdir())


def files(target):
    return {p.name: p.read_bytes() for p in target.iterdir()}


def alone(kind, root, row):
    """One item, made without shards."""
    if kind == "slices":
        return spectrogram.pooled(audio.load(root / row["path"], duration=10.0), audio.SR, 16).T
    picture = image.read(root / row["path"], 32)
    return art_features.extract(picture) if kind == "art" else picture


@pytest.mark.parametrize(("kind", "dtype", "shape", "parts"), [
    ("pixels", np.uint8, (32, 32, 3), 2), ("art", np.float32, (art_features.WIDTH,), 2),
    ("slices", np.float16, (2400, 16), 1),
])
def test_shards_hold_what_is_made_of_each_item_alone(make, root, table, tmp_path, kind, dtype, shape, parts):
    target = make(kind, tmp_path / "new" / kind)
    rows = table[table["modality"] == raw.KINDS[kind]].to_dict("records")
    held = raw.Shards(target)
    assert len(held) == len(rows) == (3 if kind == "slices" else 51)
    assert held.shape == shape and held[np.array([0])].dtype == dtype
    assert names(target) == [f"{i:06d}.npy" for i in range(parts)]
    which = np.array([len(rows) - 1, 0, 1])
    np.testing.assert_array_equal(held[which], np.stack([alone(kind, root, rows[i]) for i in which]))


def test_a_short_clip_is_repeated(make, tmp_path):
    one, = raw.Shards(make("slices", tmp_path))[np.array([0])]
    frames = 1 + 10 * audio.SR // 551
    np.testing.assert_array_equal(one[frames:2 * frames], one[:frames])
    assert not np.array_equal(one[1:frames], one[:frames - 1])


def test_items_are_read_where_they_lie(pixels):
    held = raw.Shards(pixels)
    assert all(isinstance(m, np.memmap) and m.mode == "r" for m in held.maps)
    assert [len(m) for m in held.maps] == [50, 1]
    one, other = held.lazily(np.array([50, 3]))
    assert np.shares_memory(one, held.maps[1]) and np.shares_memory(other, held.maps[0])
    assert not np.shares_memory(held[np.array([3])], held.maps[0])


def test_the_number_of_processes_does_not_matter(make, tmp_path, monkeypatch):
    monkeypatch.setattr(raw, "SHARD", 1)
    one, two = (files(make("slices", tmp_path / str(jobs), jobs=jobs)) for jobs in (1, 2))
    assert one == two and len(one) == 3


@pytest.mark.parametrize("lost", [0, 1])
def test_what_is_there_is_not_made_again(make, pixels, tmp_path, lost):
    whole = files(make("pixels", tmp_path))
    before = {p.name: p.stat().st_mtime_ns for p in tmp_path.iterdir()}
    gone = f"{lost:06d}.npy"
    (tmp_path / gone).unlink()
    assert files(make("pixels", tmp_path)) == whole == files(pixels)
    after = {p.name: p.stat().st_mtime_ns for p in tmp_path.iterdir()}
    assert {name for name in whole if after[name] != before[name]} == {gone}


def test_a_shard_that_fails_leaves_no_file(make, root, table, tmp_path):
    rows = table[table["modality"] == "image"].head(1).assign(path="images/awe/none.jpg")
    with pytest.raises(FileNotFoundError):
        raw.make("pixels", root, rows, tmp_path / "x", progress=False, size=32)
    assert not (tmp_path / "x").exists()


def test_another_process_opens_the_files_itself(pixels):
    held, rows = raw.Shards(pixels), np.array([50, 0, 7])
    assert len(pickle.dumps(held)) < 1000
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        np.testing.assert_array_equal(pool.submit(operator.getitem, held, rows).result(), held[rows])
