"""What is known of each source, and folders held against it: files missing, changed, unreadable."""

import hashlib
import re

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import corpus, picture, sound
from test_emid import SCHEMA
from test_imac import SCORES

from acp_lib.database import imac, sources, validate
from acp_lib.database.__main__ import main
from acp_lib.database.sources import SOURCES, Remote, Source
from acp_lib.profiles import ROOT

TINY = {"a.csv": b"1,2\n", "b.csv": b"3,4\n", "c.csv": b"5,6\n"}
SAMPLE = Source("sample", "A tiny source", "https://example.org", "none", "tiny", tuple(
    Remote(name, "numbers", hashlib.sha256(data).hexdigest(), 1) for name, data in TINY.items()), "nobody", "nothing")
"""A tiny index."""


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_a_source_says_all_that_a_reader_must_know(source):
    key = re.match(r"@\w+\{(\w+),", source.bibtex)[1]
    assert f"{{{key}," in (ROOT / "book/references.bib").read_text("utf8")
    assert source.home.startswith("http") and source.license_info and source.ask.endswith(".")
    assert source.known.endswith(".") and source.remotes
    assert all(re.fullmatch("[0-9a-f]{64}", r.sha256) for r in source.fixed)


def test_files_are_as_released_changed_or_missing(tmp_path):
    (tmp_path / "a.csv").write_bytes(TINY["a.csv"])
    (tmp_path / "b.csv").write_bytes(TINY["b.csv"] + b"\n")
    found = validate.files(tmp_path, [SAMPLE]).set_index("file")["state"]
    assert found.to_dict() == {"a.csv": "as released", "b.csv": "changed", "c.csv": "missing"}


def test_the_authors_files_are_as_released(real):
    found = validate.files(real / "imac")
    assert set(found["state"]) == {"as released"} and len(found) == 7
    for file, rows in zip(found["file"], found["rows"], strict=True):
        assert len((real / "imac" / file).read_text("utf8").splitlines()) == rows


@pytest.fixture
def root(tmp_path):
    (tmp_path / "SongEmotionScore.csv").write_text(SCORES)
    (tmp_path / "agg").mkdir()
    (tmp_path / "agg/awe.csv").write_text("awe,http://h/p.jpg,1,4\nawe,http://h/q.jpg,1,4\nawe,http://h/r.jpg,1,4\njoy\n")
    picture(tmp_path / "images/awe/p.jpg")
    (tmp_path / "images/awe/q.jpg").write_bytes(b"no picture")
    sound(tmp_path / "music/TR1.ogg")
    (tmp_path / "music/TR2.ogg").write_bytes(b"no sound")
    return tmp_path


def test_validate_counts_what_is_missing_changed_and_unreadable(root):
    found = validate.validate(root, progress=False)
    assert list(found.columns) == validate.COLUMNS
    assert found.values.tolist() == [["imac", "released files", 7, 0, 6, 1, 0], ["imac", "pictures", 4, 1, 1, 0, 1],
                                     ["imac", "songs", 6, 1, 3, 0, 1]]


@pytest.mark.slow
def test_validate_a_folder_and_what_is_none(tmp_path):
    found = validate.validate(corpus(tmp_path / "mine"), progress=False)
    assert found[["listed", "there", "missing", "unreadable"]].values.tolist() == [[9, 9, 0, 0]] * 2
    with pytest.raises(ValueError, match="data is 'none', which is no folder"):
        validate.validate(tmp_path / "none")


def test_validate_emid_counts_rows(tmp_path):
    pq.write_table(pa.Table.from_pylist([{"genre": "A"}] * 9, schema=SCHEMA), tmp_path / "a.parquet")
    (tmp_path / "b.parquet").write_bytes(b"cut off")
    row = validate.validate(tmp_path).iloc[0]
    assert (row["listed"], row["there"], row["missing"], row["unreadable"]) == (10738, 9, 10729, 1)
    assert sources.EMID.remotes[0].rows == 10738


@pytest.mark.slow
def test_the_command_prints_the_counts_and_names_what_changed(root, tmp_path, capsys):
    assert main(["validate", str(root), "--jobs", "1"]) == 0
    found = capsys.readouterr().out
    table = validate.validate(root, progress=False)
    assert table.to_string(index=False) in found and "changed: SongEmotionScore.csv" in found
    assert main(["validate", str(tmp_path / "none")]) == 2
    assert "is no folder" in capsys.readouterr().err


def test_authors_files_without_media_lack_every_song(tmp_path):
    (tmp_path / "SongEmotionScore.csv").write_text("TR1,a title,an artist,2_0_0\nTR2,a title,an artist,0_1_0\n")
    songs = validate.validate(tmp_path, progress=False).set_index("what").loc["songs"]
    assert (songs["listed"], songs["there"], songs["missing"]) == (2, 0, 2)


def test_losses_are_counted_by_class_and_reason():
    bad = pd.DataFrame([
        ("images/awe/p.jpg", "no such file"), ("images/fear/q.jpg", "no such file"),
        ("images/awe/r.jpg", "no such file"),
        ("images/awe/s.jpg", "cannot be read: UnidentifiedImageError: x"), ("music/TR1", imac.NO_FILE),
        ("music/TR2.ogg", "6.0 s long; a clip is used from 10 s up"), ("music/positive/a.wav", "cannot be read: y"),
        ("music/TR3", imac.NO_VIDEO), ("agg/awe.csv, line 7", "3 fields; expected"),
        ("train.parquet, row 7", "no bytes")], columns=["path", "reason"])
    found = validate.losses(bad, {"TR1": "neutral", "TR2": "negative"})
    assert found["n"].sum() == len(bad)
    assert found.values.tolist()[0] == ["pictures", "positive", "no such file", 2]
    rest = {tuple(row[:3]) for row in found.values.tolist()[1:]}
    assert rest == {
        ("pictures", "negative", "no such file"), ("pictures", "positive", "cannot be read"),
        ("pictures", "", "row of a list that does not read"), ("songs", "neutral", "no audio file"),
        ("songs", "negative", "too short"), ("songs", "positive", "cannot be read"), ("songs", "", "no audio file"),
        ("rows", "", "no bytes")}
    assert not len(validate.losses(bad[:0]))
