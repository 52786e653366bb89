"""What is made of every sample of a manifest: shards, processes, interruptions, files that cannot be decoded; each item
as if made alone, and read where it lies.
"""

import operator
import pickle
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import corpus
from safetensors.numpy import load_file

from acp_lib.database import folder, manifest
from acp_lib.engine import processes
from acp_lib.engine.work import Work
from acp_lib.features import art, audio, image, music, shards, spectrogram
from acp_lib.features.layout import KINDS
from acp_lib.features.shards import Shard, Shards

OPTIONS = {"pixels": {"size": 32}, "art": {"size": 32}, "slices": {"bins": 16}}


def working(target, jobs: int = 1) -> Work:
    return Work(target, jobs, progress=False)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return corpus(tmp_path_factory.mktemp("corpus"), pictures=17, songs=2, seconds=10)


@pytest.fixture(scope="module")
def table(root):
    return manifest.build(root, folder.scan(root)[0], progress=False)[0]


@pytest.fixture
def run(root, table, weights):
    """The feature vectors of one modality, shards in a folder."""
    def extracted(modality, target, rows=None, where=root, jobs=1, **options):
        rows = table[table["modality"] == modality] if rows is None else rows
        if modality == "image":
            options = {"weights": weights, "size": 75, **options}
        return shards.vectors(modality, where, rows, working(target, jobs), target, **options)

    return extracted


@pytest.fixture(scope="module")
def make(root, table):
    """Shards of one kind of raw items in a folder, which is returned."""
    def made(kind, target, jobs=1):
        rows = table[table["modality"] == KINDS[kind].modality]
        shards.make(kind, root, rows, working(target, jobs), target, **OPTIONS[kind])
        return target

    return made


def rows(table, modality):
    return table[table["modality"] == modality]


def names(target):
    return sorted(p.name for p in target.iterdir())


def files(target):
    return {p.name: p.read_bytes() for p in target.iterdir()}


# feature vectors


@pytest.mark.slow
def test_music(run, root, table, tmp_path):
    x, bad = run("music", tmp_path)
    assert x.shape == (6, 193) and x.dtype == np.float32 and not len(bad)
    first = rows(table, "music").iloc[0]
    np.testing.assert_array_equal(x[0], music.extract(audio.load(root / first["path"], duration=10.0), audio.SR))
    assert names(tmp_path) == ["000000.safetensors", "000001.safetensors"]
    held = Shard(tmp_path / "000001.safetensors")
    assert held.ids == rows(table, "music")["id"].tolist()[4:] and held.reasons == ["", ""]


@pytest.mark.slow
def test_image(run, root, table, tmp_path, weights):
    x, bad = run("image", tmp_path)
    assert x.shape == (51, 2048) and x.dtype == np.float32 and not len(bad)
    pictures = np.stack([image.read(root / path, 75) for path in rows(table, "image")["path"][:32]])
    np.testing.assert_array_equal(x[:32], image.extractor(weights).fuse()(pictures))
    assert len(np.unique(x, axis=0)) == 51 and names(tmp_path) == ["000000.safetensors", "000001.safetensors"]


@pytest.mark.slow
@pytest.mark.parametrize("modality", ["music", "image"])
def test_the_number_of_processes_does_not_matter(run, tmp_path, modality):
    one, two = (run(modality, tmp_path / str(jobs), jobs=jobs)[0] for jobs in (1, 2))
    np.testing.assert_array_equal(one, two)
    for name in names(tmp_path / "1"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


@pytest.mark.slow
def test_threads_of_this_process_are_left_alone(run, tmp_path):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        run("image", tmp_path)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.fixture
def counted(monkeypatch):
    """Quick vectors in the place of the real ones, and the list of paths that were asked for."""
    asked = []

    def vector(root, row, **_):
        asked.append(row["path"])
        return np.full(193, len(row["path"]) + row["start"], np.float32)

    monkeypatch.setattr(music, "describe", vector)
    return asked


@pytest.fixture
def many(table):
    """Rows for five shards."""
    return pd.concat([rows(table, "music")] * 3, ignore_index=True).assign(
        id=[f"s{i:02}" for i in range(18)], start=np.arange(18.0))


@pytest.mark.slow
def test_a_second_run_computes_nothing(run, tmp_path, counted, many):
    first, _ = run("music", tmp_path, many)
    assert len(counted) == 18
    second, _ = run("music", tmp_path, many)
    assert len(counted) == 18
    np.testing.assert_array_equal(first, second)


def damage(path, kind):
    data = path.read_bytes()
    if kind == "gone":
        path.unlink()
    else:
        path.write_bytes({"empty": b"", "cut": data[: len(data) // 2], "text": b"text" * 100,
                          "zeros": bytes(len(data))}[kind])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["gone", "empty", "cut", "text", "zeros"])
def test_a_damaged_shard_is_made_anew_and_no_other(run, tmp_path, counted, many, kind):
    first, _ = run("music", tmp_path, many)
    counted.clear()
    damage(tmp_path / "000002.safetensors", kind)
    second, bad = run("music", tmp_path, many)
    assert counted == many["path"][8:12].tolist() and not len(bad)
    np.testing.assert_array_equal(first, second)
    assert run("music", tmp_path, many)[0].shape == (18, 193) and len(counted) == 4


@pytest.mark.slow
def test_a_shard_with_a_flipped_bit_is_never_read_as_another(tmp_path, monkeypatch, counted, many):
    def vector(root, row):
        if row["start"] == 1:
            raise ValueError("no sound in it")
        return np.full(193, row["start"], np.float32)

    monkeypatch.setattr(music, "describe", vector)
    part, target = many[:4].to_dict("records"), tmp_path / "shard"
    shards.make_shard("music", tmp_path, target, part, tolerant=True, options={})
    whole, data = shards._whole(target, part, True), target.read_bytes()
    assert whole.reasons == ["", "cannot be decoded: no sound in it", "", ""]
    expected, found = np.array(whole.x), []
    for at in range(len(data)):
        if at < 600 or not at % 23:
            target.write_bytes(data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1:])
            held = shards._whole(target, part, True)
            found.append(held)
            assert held is None or held.ids == whole.ids and held.reasons == whole.reasons and (
                held.x.dtype == np.float32 and np.array_equal(held.x, expected, equal_nan=True)), at
    assert found.count(None) > len(found) / 2


@pytest.mark.slow
def test_shards_of_other_samples_are_not_taken_for_these(run, tmp_path, counted, many):
    run("music", tmp_path, many)
    counted.clear()
    other = many.assign(id="x" + many["id"], start=many["start"] + 100)
    x, _ = run("music", tmp_path, other)
    assert len(counted) == 18 and x.min() >= 100


SLOW = """
import sys, time
from pathlib import Path
import numpy as np, pandas as pd
from acp_lib.engine.work import Work
from acp_lib.features import music, shards
def vector(root, row):
    time.sleep(0.05)
    return np.full(193, row["start"], np.float32)
music.describe = vector
target = Path(sys.argv[2])
shards.vectors("music", Path("."), pd.read_parquet(sys.argv[1]), Work(target, progress=False), target)
"""


@pytest.mark.slow
def test_a_killed_run_loses_no_whole_shard(run, tmp_path, counted, many):
    many.to_parquet(tmp_path / "rows.parquet")
    target = tmp_path / "shards"
    with subprocess.Popen([sys.executable, "-c", SLOW, tmp_path / "rows.parquet", target]) as process:
        while not (target / "000001.safetensors").exists() and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    done = len(list(target.glob("0*.safetensors")))
    assert 2 <= done < 5
    times = {p.name: p.stat().st_mtime_ns for p in target.glob("0*.safetensors")}
    x, _ = run("music", target, many)
    assert counted == many["path"][4 * done:].tolist()
    assert x[: 4 * done, 0].tolist() == list(range(4 * done))
    assert all((target / name).stat().st_mtime_ns == t for name, t in times.items())


KILLED = """
import os, random, signal, sys, time
from pathlib import Path
import pandas as pd
from acp_lib.engine.work import Work
from acp_lib.features import music, shards
root, rows, target = Path(sys.argv[1]), pd.read_parquet(sys.argv[2]), Path(sys.argv[3])
music.describe(root, rows.iloc[0].to_dict())  # compiled here, once, and not after each fork
start = time.monotonic()
for row in rows[:4].to_dict("records"):
    music.describe(root, row)
pace = time.monotonic() - start  # of a shard
moments = random.Random(20)
for kill in range(int(sys.argv[4])):
    child = os.fork()
    if not child:
        shards.vectors("music", root, rows, Work(target, progress=False), target)
        os._exit(0)
    time.sleep(moments.uniform(0, 6 * pace))
    os.kill(child, signal.SIGKILL)
    ended = os.waitpid(child, 0)[1]
    whole = len(list(target.glob("0*.safetensors")))
    print(os.WIFSIGNALED(ended), whole, len(list(target.iterdir())) - whole if target.exists() else 0, flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("number", "samples"), [(6, 120), pytest.param(20, 400, marks=pytest.mark.nightly)])
def test_kills_at_random_moments_leave_the_same_files(run, root, table, tmp_path, capsys, number, samples):
    """Each run goes on where the killed one was; what is there at the end has the bits of an undisturbed run."""
    first = rows(table, "music").iloc[:1]
    many = pd.concat([first] * samples, ignore_index=True).assign(
        id=[f"s{i:03}" for i in range(samples)], start=np.arange(samples) / 1000, duration=3.0)
    many.to_parquet(tmp_path / "rows.parquet")
    out = subprocess.run([sys.executable, "-c", KILLED, root, tmp_path / "rows.parquet", tmp_path / "killed",
                          str(number)], check=True, capture_output=True, text=True).stdout
    lines = [line.split() for line in out.splitlines()]
    kills, whole = sum(line[0] == "True" for line in lines), [int(line[1]) for line in lines]
    assert len(lines) == number and kills >= number / 2 and whole == sorted(whole) and len(set(whole)) >= 2
    run("music", tmp_path / "killed", many, where=root)
    run("music", tmp_path / "whole", many, where=root, jobs=2)
    made = [{p.name: p.read_bytes() for p in (tmp_path / name).glob("0*.safetensors")} for name in ("killed", "whole")]
    assert len(made[0]) == samples / 4 and made[0] == made[1]
    with capsys.disabled():
        print(f"\n{kills} of {number} runs killed; whole shards after each: {whole}; parts left over: {lines[-1][2]}")


@pytest.fixture
def broken(root, tmp_path):
    """The corpus after a picture and a song went bad since the manifest was made."""
    copy = tmp_path / "broken"
    shutil.copytree(root, copy)
    (copy / "images/awe/p3.jpg").write_bytes(b"no picture")
    (copy / "music/neutral/s0.ogg").write_bytes(b"no sound")
    (copy / "music/positive/s1.wav").unlink()
    return copy


@pytest.mark.slow
def test_a_sample_that_cannot_be_decoded_is_a_row_of_nan_and_a_reject(run, broken, table, tmp_path):
    for modality, lost in (("image", ["images/awe/p3.jpg"]),
                           ("music", ["music/neutral/s0.ogg", "music/positive/s1.wav"])):
        x, bad = run(modality, tmp_path / modality, where=broken)
        assert bad["path"].tolist() == lost
        assert bad["reason"].str.startswith("cannot be decoded: ").all()
        assert not bad["reason"].str.contains(str(broken), regex=False).any()
        assert np.isnan(x).all(1).tolist() == rows(table, modality)["path"].isin(lost).tolist()
        assert np.isnan(x).any(1).sum() == len(lost)


@pytest.mark.slow
def test_the_rest_is_not_moved_by_a_lost_picture(run, broken, tmp_path):
    whole, holed = run("image", tmp_path / "a")[0], run("image", tmp_path / "b", where=broken)[0]
    kept = ~np.isnan(holed).any(1)
    np.testing.assert_allclose(holed[kept], whole[kept], rtol=1e-3, atol=2e-3)  # batches fall otherwise


@pytest.mark.slow
@pytest.mark.parametrize(("modality", "width"), [("music", 193), ("image", 2048)])
def test_if_none_can_be_decoded(run, table, tmp_path, modality, width):
    x, bad = run(modality, tmp_path / "shards", where=tmp_path / "nowhere")
    n = len(rows(table, modality))
    assert x.shape == (n, width) and x.dtype == np.float32 and np.isnan(x).all() and len(bad) == n


@pytest.mark.slow
def test_no_samples(run, table, tmp_path):
    x, bad = run("music", tmp_path, table[:0])
    assert x.shape == (0, 193) and list(bad.columns) == ["path", "reason"]


@pytest.mark.slow
def test_a_sample_that_kills_its_process_is_a_reject_or_an_error(tmp_path, monkeypatch, many):
    monkeypatch.setattr(shards, "isolated", lambda describe, rows: [
        (None, "killed the process that read it") if row["start"] == 1 else (np.zeros(193, np.float32), "")
        for row in rows])
    part, target = many[:4].to_dict("records"), tmp_path / "shard"
    shards.make_shard("music", tmp_path, target, part, tolerant=True, options={}, alone=True)
    held = Shard(target)
    assert np.isnan(held.x).all(1).tolist() == [False, True, False, False]
    assert held.reasons[1] == "killed the process that read it" and held.ids == many["id"].tolist()[:4]
    target.unlink()
    with pytest.raises(RuntimeError, match=f"music of {part[1]['path']}: killed the process that read it"):
        shards.make_shard("music", tmp_path, target, part, tolerant=False, options={}, alone=True)
    assert not target.exists()


@pytest.mark.slow
def test_a_lack_of_memory_is_no_fault_of_the_file(run, tmp_path, monkeypatch):
    def full(root, row):
        raise MemoryError

    monkeypatch.setattr(music, "describe", full)
    with pytest.raises(MemoryError):
        run("music", tmp_path / "x")
    assert not (tmp_path / "x").exists()


@pytest.mark.slow
def test_a_gpu_is_given_more_at_once(run, tmp_path, counted, many):
    run("music", tmp_path, many, device="cuda")
    assert names(tmp_path) == ["000000.safetensors"] and len(counted) == 18


# pictures, spectrograms and art features


@pytest.fixture(scope="module")
def pixels(make, tmp_path_factory):
    return make("pixels", tmp_path_factory.mktemp("work") / "pixels")


def alone(kind, root, row):
    """One item, made without shards."""
    if kind == "slices":
        return spectrogram.pooled(audio.load(root / row["path"], duration=10.0), audio.SR, 16).T
    picture = image.read(root / row["path"], 32)
    return art.extract(picture) if kind == "art" else picture


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "dtype", "shape", "parts"), [
    ("pixels", np.uint8, (32, 32, 3), 2), ("art", np.float32, (art.WIDTH,), 2), ("slices", np.float16, (2400, 16), 1),
])
def test_shards_hold_what_is_made_of_each_item_alone(make, root, table, tmp_path, kind, dtype, shape, parts):
    target = make(kind, tmp_path / "new" / kind)
    those = rows(table, KINDS[kind].modality).to_dict("records")
    held = Shards(target)
    assert len(held) == len(those) == (6 if kind == "slices" else 51)
    assert held.shape == (len(those), *shape) and held[np.array([0])].dtype == dtype
    assert names(target) == [f"{i:06d}.safetensors" for i in range(parts)]
    first = load_file(target / "000000.safetensors")["x"]
    np.testing.assert_array_equal(first, held[np.arange(len(first))])
    which = np.array([len(those) - 1, 0, 1])
    np.testing.assert_array_equal(held[which], np.stack([alone(kind, root, those[i]) for i in which]))


@pytest.mark.slow
def test_a_short_clip_is_repeated(make, tmp_path):
    one, = Shards(make("slices", tmp_path))[np.array([0])]
    frames = 1 + 10 * audio.SR // 551
    np.testing.assert_array_equal(one[frames:2 * frames], one[:frames])
    assert not np.array_equal(one[1:frames], one[:frames - 1])


def test_items_are_read_where_they_lie(pixels):
    held = Shards(pixels)
    assert all(isinstance(m, np.memmap) and m.mode == "r" for m in held.maps)
    assert [len(m) for m in held.maps] == [50, 1]
    one, other = held.lazily(np.array([50, 3]))
    assert np.shares_memory(one, held.maps[1]) and np.shares_memory(other, held.maps[0])
    assert not np.shares_memory(held[np.array([3])], held.maps[0])


@pytest.mark.slow
def test_the_number_of_processes_does_not_matter_to_raw_items(make, tmp_path, monkeypatch):
    monkeypatch.setitem(KINDS, "slices", replace(KINDS["slices"], shard=1))
    one, two = (files(make("slices", tmp_path / str(jobs), jobs=jobs)) for jobs in (1, 2))
    assert one == two and len(one) == 6


@pytest.mark.slow
@pytest.mark.parametrize("lost", [0, 1])
@pytest.mark.parametrize("kind", ["gone", "empty", "cut", "text", "zeros"])
def test_what_is_there_is_not_made_again(make, pixels, tmp_path, lost, kind):
    shutil.copytree(pixels, tmp_path, dirs_exist_ok=True)
    whole = files(tmp_path)
    before = {p.name: p.stat().st_mtime_ns for p in tmp_path.iterdir()}
    gone = f"{lost:06d}.safetensors"
    damage(tmp_path / gone, kind)
    assert files(make("pixels", tmp_path)) == whole == files(pixels)
    after = {p.name: p.stat().st_mtime_ns for p in tmp_path.iterdir()}
    assert {name for name in whole if after[name] != before[name]} == {gone}


def test_a_shard_that_fails_leaves_no_file(root, table, tmp_path):
    lost = rows(table, "image").head(1).assign(path="images/awe/none.jpg")
    with pytest.raises(FileNotFoundError):
        shards.make("pixels", root, lost, working(tmp_path), tmp_path / "x", size=32)
    assert not (tmp_path / "x").exists()


@pytest.mark.slow
def test_another_process_opens_the_files_itself(pixels):
    held, which = Shards(pixels), np.array([50, 0, 7])
    assert len(pickle.dumps(held)) < 1000
    with ProcessPoolExecutor(1, mp_context=processes.context()) as pool:
        np.testing.assert_array_equal(pool.submit(operator.getitem, held, which).result(), held[which])
