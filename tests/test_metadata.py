"""metadata.csv: which file each row means, and what is said of rows and columns that mean none."""

import unicodedata
import warnings

import pytest
from conftest import corpus

from acp_lib.database import folder, metadata, validate
from acp_lib.database.__main__ import main

SONG = "music/positive/Ann/Café 50%.wav"
PATHS = ("images/awe/p0.jpg", "images/sadness/p0.jpg", "images/awe/one.jpg", "images/awe/A.jpg", "images/awe/a.jpg",
         SONG, "music/positive/s0.wav", "music/negative/s0.flac", "music/negative/Mr. B.mp3")
TOPS = ("images", "music")


def fitted(root, text, paths=PATHS):
    (root / "metadata.csv").write_text(text, "utf8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return metadata.fitted(root, paths, TOPS)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "path"), [
    ("awe/p0.jpg", "images/awe/p0.jpg"), ("images/awe/p0.jpg", "images/awe/p0.jpg"),
    ("mine/images/awe/p0.jpg", "images/awe/p0.jpg"), ("./awe/p0.jpg", "images/awe/p0.jpg"),
    ("/images/awe/p0.jpg", "images/awe/p0.jpg"), ("/awe/p0.jpg", "images/awe/p0.jpg"),
    ("images\\awe\\p0.jpg", "images/awe/p0.jpg"), ("awe//p0.jpg", "images/awe/p0.jpg"),
    ("sadness/../awe/p0.jpg", "images/awe/p0.jpg"), ("AWE/P0.JPG", "images/awe/p0.jpg"),
    ("awe/p0", "images/awe/p0.jpg"), ("one", "images/awe/one.jpg"), ("one.jpg", "images/awe/one.jpg"),
    ("One.JPG", "images/awe/one.jpg"), ("s0.wav", "music/positive/s0.wav"), ("negative/s0", "music/negative/s0.flac"),
    ("Mr. B", "music/negative/Mr. B.mp3"), ("Mr.%20B.mp3", "music/negative/Mr. B.mp3"),
    ("Café 50%", SONG), (unicodedata.normalize("NFD", "Café 50%.wav"), SONG), ("Ann\\CAFÉ 50%.WAV", SONG),
    ("positive/Ann/Caf%C3%A9%2050%25.wav", SONG),
    ("awe/A.jpg", "images/awe/A.jpg"), ("awe/a.jpg", "images/awe/a.jpg"),
])
def test_spellings_of_an_id(tmp_path, name, path):
    about, bad = fitted(tmp_path, f"id,artist\n{name},Ann\n")
    assert {p: row["artist"] for p, row in about.items()} == {path: "Ann"} and bad == []


@pytest.mark.slow
@pytest.mark.parametrize(("name", "reason"), [
    ("p0", "its id names several files, write the path: 'p0', images/awe/p0.jpg, images/sadness/p0.jpg"),
    ("s0", "its id names several files, write the path: 's0', music/positive/s0.wav, music/negative/s0.flac"),
    ("A", "its id names several files, write the path: 'A', images/awe/A.jpg, images/awe/a.jpg"),
    ("gone", "its id names no file below images or music: 'gone'"), ("p0.png", "its id names no file"),
    ("fear/one.jpg", "its id names no file"), ("ne", "its id names no file"), ("", "its id names no file"),
    ("# a comment", "its id names no file below images or music: '# a comment'"), ("a\0", "its id names no file"),
    ("../awe/one.jpg", "its id leads nowhere: '../awe/one.jpg' leads out of the folder"),
    ("/etc/one.jpg", "its id leads nowhere: '/etc/one.jpg' leads out"),
    ("C:\\one.jpg", "its id leads nowhere"), ("%2e%2e/one.jpg", "its id leads nowhere"),
])
def test_an_id_that_means_no_file_or_several_is_a_reject(tmp_path, name, reason):
    about, bad = fitted(tmp_path, f"id,artist\n{name},Ann\nmusic/positive/s0.wav,Bob\n")
    (where, found), = bad
    assert list(about) == ["music/positive/s0.wav"] and where == "metadata.csv, line 2" and found.startswith(reason)


@pytest.mark.parametrize(("rows", "wrong"), [
    ("one,Ann,A\none,Ann,A\n", None), ("one,Ann,A\nawe/one.jpg,Ann,A\n", None),
    ("one,Ann,A\none,Bob,A\n", "lines 2 and 3 say different things of 'images/awe/one.jpg'"),
    ("one,Ann,A\n\nawe/one.jpg,Ann,B\n", "lines 2 and 4 say different"),
    ("s0,Ann,A\ns0,Bob,B\n", "lines 2 and 3 say different things of 's0'"), ("gone,Ann,\ngone,Bob,\n", "lines 2 and 3"),
])
def test_two_rows_of_one_file(tmp_path, rows, wrong):
    text = f"id,artist,title\n{rows}"
    if wrong:
        with pytest.raises(ValueError, match=f"{tmp_path.name}/metadata.csv, {wrong}.*; leave one of them"):
            fitted(tmp_path, text)
    else:
        assert list(fitted(tmp_path, text)[0]) == ["images/awe/one.jpg"]


def test_a_table_without_ids_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"metadata.csv has the columns \['name', 'artist'\]; expected one named 'id'"):
        fitted(tmp_path, "name,artist\nx,y\n")


def test_no_table_and_a_header_alone_say_nothing(tmp_path):
    assert metadata.fitted(tmp_path, PATHS, TOPS) == ({}, [])
    assert fitted(tmp_path, "id,artist\n") == ({}, [])


@pytest.mark.slow
def test_what_fits_nothing_is_counted_where_it_is_made_and_by_validate(tmp_path, capsys):
    root = corpus(tmp_path / "mine", pictures=1, songs=1)
    (root / "metadata.csv").write_text("ID,Artist,mood\npositive/s0,Ann,x\ns0,Bob,y\ngone,Cy,z\n")
    with pytest.warns(UserWarning, match="mine/metadata.csv: 2 of 3 rows and 1 of 3 columns fit nothing, such as"):
        files, bad = folder.scan(root)
    assert files.set_index("id")["artist"]["positive/s0.wav"] == "Ann" and (files["artist"] != "").sum() == 1
    assert bad["path"].tolist() == ["metadata.csv, column 'mood'", "metadata.csv, line 3", "metadata.csv, line 4"]
    assert bad["reason"][0] == "is not read: expected id, artist, title, tags, licence"
    lost = validate.losses(bad)
    assert set(lost["what"]) == {"rows"} and lost["n"].sum() == 3
    with pytest.warns(UserWarning):
        assert main(["validate", str(root), "--jobs", "1"]) == 0
    printed = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["folder", "columns", "of", "metadata", "3", "2", "1", "0", "0"] in printed
    assert ["folder", "rows", "of", "metadata", "3", "1", "2", "0", "0"] in printed
