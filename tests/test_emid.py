"""EMID's Parquet files: the real schema, written here small; hostile names; media beside a CSV file."""

import csv
import unicodedata

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import PICTURES, picture, sound

from acp_lib.database import emid, folder
from acp_lib.database.manifest import build
from acp_lib.emotions import CLASSES, EMOTIONS
from acp_lib.profiles import load
from acp_lib.study import Study

MEDIA = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
SCHEMA = pa.schema([("Audio_Filename", MEDIA), *((n, pa.string()) for n in ("genre", "feeling", "emotion")),
                    *((f"Image{k}_{what}", MEDIA if what == "filename" else pa.string())
                      for k in (1, 2, 3) for what in ("filename", "tag", "text")), ("is_original_clip", pa.bool_())])
"""The features of the dataset card of ecnu-aigc/EMID."""
LETTERS = {"positive": "J", "neutral": "E", "negative": "K"}


@pytest.fixture(scope="module")
def media(tmp_path_factory):
    """Bytes of three pictures and three clips a class."""
    root = tmp_path_factory.mktemp("media")
    pictures = {e: [picture(root / f"{e}{i}.jpg", 10 * k + i).read_bytes() for i in range(3)]
                for k, e in enumerate(PICTURES)}
    clips = {c: [sound(root / f"{c}{i}.{end}", 10 * k + i, seconds=3).read_bytes() for i, end in
                 enumerate(("ogg", "flac", "wav"))] for k, c in enumerate(CLASSES)}
    return pictures, clips


def row(audio, letter, pictures, path="clip.ogg", **changes):
    """A row; pictures are (bytes, tag) pairs."""
    made = {"Audio_Filename": {"bytes": audio, "path": path}, "genre": letter, "feeling": "0.1 0.9", "emotion": "x",
            "is_original_clip": True}
    for k, (data, tag) in enumerate(pictures, 1):
        made |= {f"Image{k}_filename": {"bytes": data, "path": f"{k}.jpg"}, f"Image{k}_tag": tag, f"Image{k}_text": "a"}
    return made | changes


def rows(media):
    pictures, clips = media
    return [row(clips[c][i], LETTERS[c], [(p, e) for p in pictures[e]])
            for c, e in zip(CLASSES, PICTURES, strict=True) for i in range(3)]


def parquet(root, made, name="data/train-00000-of-00001.parquet"):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(made, schema=SCHEMA), root / name, row_group_size=4)
    return root


def extracted(root, tmp_path):
    (tmp_path / "out").mkdir()
    return emid.extract(root, tmp_path / "out", progress=False)


def test_the_letters_stand_for_13_feelings_each_with_a_class_and_a_reason():
    assert "".join(emid.feelings()) == "ABCDEFGHIJKLM"
    assert all(f["class"] in CLASSES and f["reason"] for f in emid.feelings().values())
    assert {f["class"] for f in emid.feelings().values()} == set(CLASSES)


@pytest.mark.parametrize(("row", "expected"), [
    ({"genre": "A"}, "positive"), ({"genre": " k "}, "negative"), ({"genre": "Calm, relaxing, serene"}, "neutral"),
    ({"genre": "serene"}, "neutral"), ({"genre": "rock", "feeling": "dreamy"}, "neutral"),
    ({"genre": None, "feeling": None, "emotion": "L"}, "negative"), ({"genre": "N"}, None), ({"genre": "AB"}, None),
    ({"genre": 7, "feeling": "[0.1, 0.9]"}, None), ({}, None),
])
def test_label(row, expected):
    assert emid.label(row) == expected


@pytest.mark.slow
def test_media_are_written_once_in_the_layout_of_a_folder(media, tmp_path):
    root = parquet(tmp_path / "emid", rows(media))
    out = extracted(root, tmp_path)
    assert {c: len(list((out / "music" / c).iterdir())) for c in CLASSES} == dict.fromkeys(CLASSES, 3)
    assert {e: len(list((out / "images" / e).iterdir())) for e in PICTURES} == dict.fromkeys(PICTURES, 3)  # not 9
    assert sorted(p.suffix for p in (out / "music/positive").iterdir()) == [".flac", ".ogg", ".wav"]
    files, bad = emid.scan(out)
    assert len(files) == 18 and not len(bad)
    assert set(files["title"][files["modality"] == "music"]) == {"clip.ogg"}
    table, unread = build(out, files, short_from=2.0, progress=False)
    assert len(table) == 18 and not len(unread)


@pytest.mark.slow
def test_several_files_and_row_groups_are_read_as_one(media, tmp_path):
    made = rows(media)
    root = parquet(parquet(tmp_path / "emid", made[:5], "data/train-00000-of-00002.parquet"), made[5:],
                   "data/train-00001-of-00002.parquet")
    out = extracted(root, tmp_path)
    assert sorted(p.stem for p in (out / "music").rglob("*.*")) == [f"{i:06d}" for i in range(1, 10)]


HOSTILE = ["../../../evil.ogg", "/etc/passwd", "a\0b.ogg", "..", "C:\\evil.ogg", "\u202egpj.ogg", "x" * 5000,
           "<script>alert(1)</script>.ogg", "", None]


@pytest.mark.slow
def test_names_in_the_file_lead_nowhere(media, tmp_path):
    pictures, clips = media
    (tmp_path / "evil.ogg").write_bytes(b"OggS not ours")
    made = rows(media) + [row(clips["neutral"][0], "E", [(pictures["awe"][0], "awe")] * 3, path=p) for p in HOSTILE]
    made += [row(None, "E", [(None, "awe")] * 3, path=p) for p in HOSTILE]  # only a name, which is no file of ours
    out = extracted(parquet(tmp_path / "emid", made), tmp_path)
    written = [p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()]
    assert len([p for p in written if p.startswith("music/neutral/")]) == 3 + len(HOSTILE)
    assert all(p.isascii() and len(p) < 60 for p in written)
    assert {p.name for p in tmp_path.iterdir()} == {"evil.ogg", "emid", "out"}
    files, bad = emid.scan(out)
    assert len(bad) == 4 * len(HOSTILE)
    assert bad["reason"].str.contains("no file of that name|neither bytes|leads out of the folder").all()
    assert bad["reason"].str.contains("leads out of the folder").sum() == 4
    titles = set(files["title"])
    assert "evil.ogg" in titles and not any("/" in t or "\\" in t for t in titles)


@pytest.mark.slow
def test_what_cannot_be_used_has_its_row_and_reason(media, tmp_path):
    pictures, clips = media
    shown = [(pictures["awe"][0], "awe"), (b"", "awe"), (pictures["awe"][1], "joy")]
    made = rows(media) + [row(clips["neutral"][0], "Z", shown), row(b"no sound", "E", shown)]
    out = extracted(parquet(tmp_path / "emid", made), tmp_path)
    files, bad = emid.scan(out)
    where = "train-00000-of-00001.parquet, row "
    assert bad.values.tolist() == [
        [where + "10", "none of the 13 feelings"],
        [where + "10", "picture 2: no bytes, and no file of that name below the folder"],
        [where + "10", "picture 3: none of the 8 emotions"],
        [where + "11", "picture 2: no bytes, and no file of that name below the folder"],
        [where + "11", "picture 3: none of the 8 emotions"]]
    _, unread = build(out, files, short_from=2.0, progress=False)
    assert unread["path"].tolist() == ["music/neutral/000011.bin"]


def test_names_of_files_that_lie_beside_a_csv(media, tmp_path):
    pictures, clips = media
    root = tmp_path / "emid"
    lines = []
    for c, e in zip(CLASSES, PICTURES, strict=True):
        for i, (p, s) in enumerate(zip(pictures[e], clips[c], strict=True)):
            for path, data in ((root / f"imageData/{e}_{i}.jpg", p), (root / f"musicData/{c}_{i}.ogg", s)):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            shown = [x for k in (1, 2, 3) for x in (f"{e}_{i}.jpg", e, "a, b" if k > 1 else "")]
            lines.append([f"{c}_{i}.ogg", LETTERS[c], "", "", *shown, True])
    with (root / "EMID_data.csv").open("w", newline="") as file:
        csv.writer(file).writerows([SCHEMA.names, *lines])
    files, bad = emid.scan(extracted(root, tmp_path))
    assert files["modality"].value_counts().to_dict() == {"image": 9, "music": 9} and not len(bad)
    assert set(files["emotion"]) == {"", *PICTURES} and set(PICTURES) < set(EMOTIONS)


@pytest.mark.parametrize(("make", "message"), [
    (lambda root: root.mkdir(), "emid holds neither a Parquet file nor EMID_data.csv; give the folder of EMID"),
    (lambda root: (root.mkdir(), (root / "a.parquet").write_bytes(b"PAR1 cut")), "a.parquet does not read: .*; fetch"),
    (lambda root: (root.mkdir(), pq.write_table(pa.table({"genre": ["A"]}), root / "a.parquet")),
     "a.parquet lacks the columns Audio_Filename, Image1_filename, Image1_tag.*; expected EMID's"),
    (lambda root: parquet(root, [row(None, "A", [(None, "awe")] * 3)]),
     "emid has nothing usable for images; the first of 4 reasons: train-.*row 1, music: no bytes"),
])
def test_what_is_not_emid_is_named(tmp_path, make, message):
    make(tmp_path / "emid")
    with pytest.raises(ValueError, match=message):
        extracted(tmp_path / "emid", tmp_path)


# --- media that lie beside a table


def named(tmp_path, name, *paths):
    """What a cell leads to in a folder of these files, each of which holds its own path."""
    root = tmp_path / "emid"
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(f"OggS {path}".encode())
    return emid._Media(root).read(name)


AWE, SAD = "images/awe/0001.png", "images/sadness/0001.png"
CAFE = "audio/Café song.ogg"


@pytest.mark.slow
@pytest.mark.parametrize(("name", "path"), [
    (AWE, AWE), (SAD, SAD), ("awe/0001.png", AWE), ("sadness\\0001.png", SAD), ("./images/awe/0001.png", AWE),
    ("/images/awe/0001.png", AWE), ("images//awe/./0001.png", AWE), ("images/x/../awe/0001.png", AWE),
    ("IMAGES/Awe/0001.PNG", AWE), ("EMID/images/awe/0001.png", AWE), (" images/awe/0001.png ", AWE),
    ("Café song.ogg", CAFE), ("café%20song.ogg", CAFE), (unicodedata.normalize("NFD", CAFE), CAFE),
    ("clips/Café song.ogg", CAFE), ("audio/Caf%C3%A9%20song.ogg", CAFE), ("top.png", "top.png"),
    ("elsewhere/top.png", "top.png"),
])
def test_a_name_leads_to_the_file_that_it_means(tmp_path, name, path):
    assert named(tmp_path, name, AWE, SAD, CAFE, "top.png") == f"OggS {path}".encode()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "reason"), [
    ("0001.png", f"several files of that name: '0001.png' may be {AWE}, {SAD}"),
    ("imgs/0001.png", "several files of that name"), ("fear/0001.png", "several files of that name"),
    ("0002.png", "no file of that name below the folder"), ("images/awe", "no file of that name"),
    (".hidden.png", "no file of that name"), ("001.png", "no file of that name"),
    ("../emid/images/awe/0001.png", "leads out of the folder"), ("/etc/top.png", "leads out of the folder"),
    ("C:\\top.png", "leads out of the folder"), ("\\\\host\\top.png", "leads out of the folder"),
    ("%2e%2e/top.png", "leads out of the folder"), ("images/../../top.png", "leads out of the folder"),
    ("", "neither bytes nor a file name"), (None, "neither bytes nor"), ({}, "neither bytes nor a file name"),
    ({"bytes": None, "path": None}, "neither bytes"), (7, "'7' is neither bytes nor a file name"),
    ([1, 2], "is neither bytes nor a file name"), ({"path": {"path": "top.png"}}, "is neither bytes nor a file name"),
])
def test_a_name_that_leads_to_no_file_or_several_has_its_reason(tmp_path, name, reason):
    assert reason in named(tmp_path, name, AWE, SAD, "top.png", ".hidden.png")


def test_one_file_is_not_given_to_names_in_two_folders(tmp_path):
    media = emid._Media(tmp_path)
    (tmp_path / "images").mkdir()
    (tmp_path / "images/1.png").write_bytes(b"x")
    assert media.read("awe/1.png") == media.read("1.png") == b"x"
    with pytest.raises(ValueError, match="'awe/1.png' and 'sadness/1.png' would both be .*/images/1.png; put the"):
        media.read("sadness/1.png")


def beside(root, media, folders=("imageData", "musicData"), **dialect):
    """EMID_data.csv with names of the same kind in each emotion's and class's folder, and the media beside it."""
    pictures, clips = media
    lines = []
    for c, e in zip(CLASSES, PICTURES, strict=True):
        for i, (p, s) in enumerate(zip(pictures[e], clips[c], strict=True)):
            for path, data in ((root / f"{folders[0]}/{e}/{i}.jpg", p), (root / f"{folders[1]}/{c}/{i}.ogg", s)):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            shown = [x for _ in range(3) for x in (f"{folders[0]}/{e}/{i}.jpg", e, "text")]
            lines.append([f"{folders[1]}/{c}/{i}.ogg", LETTERS[c], "", "", *shown, True])
    with (root / "EMID_data.csv").open("w", newline="", encoding=dialect.pop("encoding", "utf8")) as file:
        csv.writer(file, **dialect).writerows([SCHEMA.names, *lines])
    return root


@pytest.mark.slow
@pytest.mark.parametrize("dialect", [{}, {"delimiter": ";"}, {"delimiter": "\t", "encoding": "utf-16"},
                                     {"encoding": "utf-8-sig", "quoting": csv.QUOTE_ALL}])
def test_the_same_names_in_several_folders_and_any_kind_of_csv(media, tmp_path, dialect):
    out = extracted(beside(tmp_path / "emid", media, **dialect), tmp_path)
    for e in PICTURES:
        assert {p.read_bytes() for p in (out / "images" / e).iterdir()} == set(media[0][e])
    for c in CLASSES:
        assert {p.read_bytes() for p in (out / "music" / c).iterdir()} == set(media[1][c])
    assert not len(emid.scan(out)[1])


def test_hidden_files_and_folders_are_no_tables(media, tmp_path):
    root = parquet(tmp_path / "emid", rows(media))
    for name in ("data/._train-00000-of-00001.parquet", "._x.parquet", ".cache/y.parquet"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(b"Mac OS X")
    (root / "folder.parquet").mkdir()
    assert len(emid.scan(extracted(root, tmp_path))[0]) == 18


@pytest.mark.slow
def test_null_and_repeated_rows_are_rejects(media, tmp_path):
    made = rows(media)
    empty = {name: None for name in SCHEMA.names}
    bad = emid.scan(extracted(parquet(tmp_path / "emid", [*made, made[2], empty]), tmp_path))[1]
    where = "train-00000-of-00001.parquet, row "
    assert bad.values.tolist() == [
        [f"{where}10", f"stands twice: {where}3 is the same"], [f"{where}11", "none of the 13 feelings"],
        *([f"{where}11", f"picture {k}: none of the 8 emotions"] for k in (1, 2, 3))]


def test_rows_are_numbered_in_their_own_file(media, tmp_path):
    made = rows(media)
    root = parquet(parquet(tmp_path / "emid", made[:5], "a.parquet"), [*made[5:], row(None, "Z", []) | {
        f"Image{k}_{what}": None for k in (1, 2, 3) for what in ("filename", "tag")}], "b.parquet")
    assert emid.scan(extracted(root, tmp_path))[1]["path"].unique().tolist() == ["b.parquet, row 5"]


def test_columns_of_other_types_are_read_where_they_can_be(media, tmp_path):
    made = [r | {"more": {"deep": [1]}} for r in rows(media)]
    inferred = pa.Table.from_pylist(made)
    table = inferred.drop_columns(["feeling", "emotion", "is_original_clip"])
    (tmp_path / "emid").mkdir()
    pq.write_table(table, tmp_path / "emid/a.parquet")
    assert len(emid.scan(extracted(tmp_path / "emid", tmp_path))[0]) == 18


@pytest.mark.parametrize("at", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_damaged_or_cut_table_is_an_error_or_read(media, tmp_path, at):
    whole = (parquet(tmp_path / "emid", rows(media), "a.parquet") / "a.parquet").read_bytes()
    (tmp_path / "emid/a.parquet").write_bytes(whole[:int(at * len(whole))])
    with pytest.raises(ValueError, match="a.parquet does not read: .*; fetch it again"):
        extracted(tmp_path / "emid", tmp_path)


def test_text_that_is_no_utf8_is_an_error_with_the_name(tmp_path):
    (tmp_path / "emid").mkdir()
    bad = pa.array([b"caf\xe9"]).cast(pa.binary()).view(pa.string())
    pq.write_table(pa.table({name: bad for name in SCHEMA.names}), tmp_path / "emid/a.parquet")
    with pytest.raises(ValueError, match="a.parquet does not read: .*utf-8.*; fetch it again") as error:
        extracted(tmp_path / "emid", tmp_path)
    assert not isinstance(error.value, UnicodeError)


@pytest.mark.parametrize(("text", "message"), [
    ("", "EMID_data.csv is empty"), ("genre,emotion\nA,x\n", "EMID_data.csv lacks the columns Audio_Filename"),
    (",".join(SCHEMA.names) + "\na,b\n", "EMID_data.csv, line 2 has 2 fields, 14 were expected"),
])
def test_a_wrong_csv_is_named(tmp_path, text, message):
    (tmp_path / "emid").mkdir()
    (tmp_path / "emid/EMID_data.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        extracted(tmp_path / "emid", tmp_path)


@pytest.mark.slow
def test_the_profile_leads_to_a_manifest(media, tmp_path):
    root = parquet(tmp_path / "emid", rows(media))
    study = Study(load("emid", data=str(root), work=str(tmp_path / "work"), jobs=1), progress=False)
    table = study.listed
    assert table["modality"].value_counts().to_dict() == {"image": 9, "music": 9}
    assert study.root.parent == tmp_path / "work/cache" and folder.scan(study.root)[0].shape[0] == 18
    assert table["duration"].max() == pytest.approx(3, abs=0.01) and not study.synthetic
    assert study.data_name == "the folder 'emid'" and study.tags is None and study.samples.tag_lists == {}
    again = Study(load("emid", data=str(root), work=str(tmp_path / "work"), jobs=1), progress=False)
    assert again.root == study.root


def test_a_table_behind_a_broken_link_is_not_taken_for_none(media, tmp_path):
    root = parquet(tmp_path / "emid", rows(media))
    (root / "data/train-00001.parquet").symlink_to("../blobs/gone")
    with pytest.raises(ValueError, match="train-00001.parquet does not read: no such file: the link leads nowhere"):
        extracted(root, tmp_path)


@pytest.mark.slow
def test_the_ending_of_a_table_may_be_in_capitals(media, tmp_path):
    root = parquet(parquet(tmp_path / "emid", rows(media)[:3], "a.parquet"), rows(media)[3:], "B.PARQUET")
    assert len(list((extracted(root, tmp_path) / "music").rglob("*.*"))) == 9


def test_a_column_that_stands_twice_is_refused(media, tmp_path):
    root = parquet(tmp_path / "emid", rows(media))
    table = pa.Table.from_pylist(rows(media), schema=SCHEMA)
    pq.write_table(table.append_column("genre", pa.array(["A"] * len(table))), root / "twice.parquet")
    with pytest.raises(ValueError, match="twice.parquet does not read: column 'genre' stands twice"):
        extracted(root, tmp_path)
