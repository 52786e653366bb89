"""Features of a whole manifest: shards, processes, interruptions, files that cannot be decoded."""

import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch
from conftest import corpus

from acp_lib.database import folder, manifest
from acp_lib.features import audio, extract, image, music


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return corpus(tmp_path_factory.mktemp("corpus"), pictures=12, songs=2, seconds=10)


@pytest.fixture(scope="module")
def table(root):
    return manifest.build(root, folder.scan(root)[0], progress=False)[0]


@pytest.fixture
def run(root, table, weights):
    """Extract one modality into a folder."""
    def extracted(modality, target, rows=None, where=root, **options):
        rows = table[table["modality"] == modality] if rows is None else rows
        if modality == "image":
            options = {"weights": weights, "size": 75, **options}
        return extract.extract(modality, where, rows, target, **{"progress": False, **options})

    return extracted


def rows(table, modality):
    return table[table["modality"] == modality]


def shards(target):
    return sorted(p.name for p in target.iterdir())


def test_music(run, root, table, tmp_path):
    x, bad = run("music", tmp_path)
    assert x.shape == (6, 193) and x.dtype == np.float32 and not len(bad)
    first = rows(table, "music").iloc[0]
    np.testing.assert_array_equal(x[0], music.extract(audio.load(root / first["path"], duration=10.0), audio.SR))
    assert shards(tmp_path) == ["000000.parquet", "000001.parquet"]
    assert pq.read_table(tmp_path / "000001.parquet")["id"].to_pylist() == rows(table, "music")["id"].tolist()[4:]


def test_image(run, root, table, tmp_path, weights):
    x, bad = run("image", tmp_path)
    assert x.shape == (36, 2048) and x.dtype == np.float32 and not len(bad)
    pictures = np.stack([image.read(root / path, 75) for path in rows(table, "image")["path"][:32]])
    np.testing.assert_array_equal(x[:32], image.extractor(weights).fuse()(pictures))
    assert len(np.unique(x, axis=0)) == 36 and shards(tmp_path) == ["000000.parquet", "000001.parquet"]


@pytest.mark.parametrize("modality", ["music", "image"])
def test_the_number_of_processes_does_not_matter(run, tmp_path, modality):
    one, two = (run(modality, tmp_path / str(jobs), jobs=jobs)[0] for jobs in (1, 2))
    np.testing.assert_array_equal(one, two)
    for name in shards(tmp_path / "1"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


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

    def vector(root, row):
        asked.append(row["path"])
        return np.full(193, len(row["path"]) + row["start"], np.float32)

    monkeypatch.setattr(extract, "music_vector", vector)
    return asked


@pytest.fixture
def many(table):
    """Rows for five shards."""
    return pd.concat([rows(table, "music")] * 3, ignore_index=True).assign(
        id=[f"s{i:02}" for i in range(18)], start=np.arange(18.0))


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


@pytest.mark.parametrize("kind", ["gone", "empty", "cut", "text", "zeros"])
def test_a_damaged_shard_is_made_anew_and_no_other(run, tmp_path, counted, many, kind):
    first, _ = run("music", tmp_path, many)
    counted.clear()
    damage(tmp_path / "000002.parquet", kind)
    second, bad = run("music", tmp_path, many)
    assert counted == many["path"][8:12].tolist() and not len(bad)
    np.testing.assert_array_equal(first, second)
    assert run("music", tmp_path, many)[0].shape == (18, 193) and len(counted) == 4


def test_a_shard_with_a_flipped_bit_is_never_read_as_another(tmp_path, counted, many):
    part, target = many[:4].to_dict("records"), tmp_path / "shard"
    extract.shard_task("music", tmp_path, target, part, options={})
    whole, data = extract._whole(target, part), target.read_bytes()
    found = []
    for at in range(0, len(data), 23):
        target.write_bytes(data[:at] + bytes([data[at] ^ 128]) + data[at + 1:])
        found.append(extract._whole(target, part))
    assert whole is not None and found.count(None) > len(found) / 2
    assert all(table is None or table.equals(whole) for table in found)


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
from acp_lib.features import extract
def vector(root, row):
    time.sleep(0.05)
    return np.full(193, row["start"], np.float32)
extract.music_vector = vector
extract.extract("music", Path("."), pd.read_parquet(sys.argv[1]), Path(sys.argv[2]), progress=False)
"""


def test_a_killed_run_loses_no_whole_shard(run, tmp_path, counted, many):
    many.to_parquet(tmp_path / "rows.parquet")
    target = tmp_path / "shards"
    with subprocess.Popen([sys.executable, "-c", SLOW, tmp_path / "rows.parquet", target]) as process:
        while not (target / "000001.parquet").exists() and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    done = len(list(target.glob("0*.parquet")))
    assert 2 <= done < 5
    times = {p.name: p.stat().st_mtime_ns for p in target.glob("0*.parquet")}
    x, _ = run("music", target, many)
    assert counted == many["path"][4 * done:].tolist()
    assert x[: 4 * done, 0].tolist() == list(range(4 * done))
    assert all((target / name).stat().st_mtime_ns == t for name, t in times.items())


KILLED = """
import os, random, signal, sys, time
from pathlib import Path
import pandas as pd
from acp_lib.features import audio, extract
root, rows, target = Path(sys.argv[1]), pd.read_parquet(sys.argv[2]), Path(sys.argv[3])
extract.music_vector(root, rows.iloc[0].to_dict())  # compiled here, once, and not after each fork
moments = random.Random(20)
for kill in range(20):
    child = os.fork()
    if not child:
        extract.extract("music", root, rows, target, progress=False)
        os._exit(0)
    time.sleep(moments.uniform(0, 0.5))
    os.kill(child, signal.SIGKILL)
    ended = os.waitpid(child, 0)[1]
    whole = len(list(target.glob("0*.parquet")))
    print(os.WIFSIGNALED(ended), whole, len(list(target.iterdir())) - whole if target.exists() else 0, flush=True)
"""


def test_twenty_kills_at_random_moments_leave_the_same_files(run, root, table, tmp_path, capsys):
    """Each run goes on where the killed one was; what is there at the end has the bits of an undisturbed run."""
    first = rows(table, "music").iloc[:1]
    many = pd.concat([first] * 400, ignore_index=True).assign(
        id=[f"s{i:03}" for i in range(400)], start=np.arange(400) / 1000, duration=3.0)
    many.to_parquet(tmp_path / "rows.parquet")
    out = subprocess.run([sys.executable, "-c", KILLED, root, tmp_path / "rows.parquet", tmp_path / "killed"],
                         check=True, capture_output=True, text=True).stdout
    lines = [line.split() for line in out.splitlines()]
    kills, whole = sum(line[0] == "True" for line in lines), [int(line[1]) for line in lines]
    assert len(lines) == 20 and kills >= 10 and whole == sorted(whole) and len(set(whole)) >= 2
    run("music", tmp_path / "killed", many, where=root)
    run("music", tmp_path / "whole", many, where=root, jobs=2)
    made = [{p.name: p.read_bytes() for p in (tmp_path / name).glob("0*.parquet")} for name in ("killed", "whole")]
    assert len(made[0]) == 100 and made[0] == made[1]
    with capsys.disabled():
        print(f"\n{kills} of 20 runs killed; whole shards after each: {whole}; parts left over: {lines[-1][2]}")


@pytest.fixture
def broken(root, tmp_path):
    """The corpus after a picture and a song went bad since the manifest was made."""
    copy = tmp_path / "broken"
    shutil.copytree(root, copy)
    (copy / "images/awe/p3.jpg").write_bytes(b"no picture")
    (copy / "music/neutral/s0.ogg").write_bytes(b"no sound")
    (copy / "music/positive/s1.wav").unlink()
    return copy


def test_a_sample_that_cannot_be_decoded_is_a_row_of_nan_and_a_reject(run, broken, table, tmp_path):
    for modality, lost in (("image", ["images/awe/p3.jpg"]),
                           ("music", ["music/neutral/s0.ogg", "music/positive/s1.wav"])):
        x, bad = run(modality, tmp_path / modality, where=broken)
        assert bad["path"].tolist() == lost
        assert bad["reason"].str.startswith("cannot be decoded: ").all()
        assert not bad["reason"].str.contains(str(broken), regex=False).any()
        assert np.isnan(x).all(1).tolist() == rows(table, modality)["path"].isin(lost).tolist()
        assert np.isnan(x).any(1).sum() == len(lost)


def test_the_rest_is_not_moved_by_a_lost_picture(run, broken, tmp_path):
    whole, holed = run("image", tmp_path / "a")[0], run("image", tmp_path / "b", where=broken)[0]
    kept = ~np.isnan(holed).any(1)
    np.testing.assert_allclose(holed[kept], whole[kept], rtol=1e-3, atol=2e-3)  # batches fall otherwise


@pytest.mark.parametrize(("modality", "width"), [("music", 193), ("image", 2048)])
def test_if_none_can_be_decoded(run, table, tmp_path, modality, width):
    x, bad = run(modality, tmp_path / "shards", where=tmp_path / "nowhere")
    n = len(rows(table, modality))
    assert x.shape == (n, width) and x.dtype == np.float32 and np.isnan(x).all() and len(bad) == n


def test_no_samples(run, table, tmp_path):
    x, bad = run("music", tmp_path, table[:0])
    assert x.shape == (0, 193) and list(bad.columns) == ["path", "reason"]
