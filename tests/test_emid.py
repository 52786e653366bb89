"""EMID's Parquet files: the real schema, written here small; hostile names; media beside a CSV file."""

import csv

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


def test_several_files_and_row_groups_are_read_as_one(media, tmp_path):
    made = rows(media)
    root = parquet(parquet(tmp_path / "emid", made[:5], "data/train-00000-of-00002.parquet"), made[5:],
                   "data/train-00001-of-00002.parquet")
    out = extracted(root, tmp_path)
    assert sorted(p.stem for p in (out / "music").rglob("*.*")) == [f"{i:06d}" for i in range(1, 10)]


HOSTILE = ["../../../evil.ogg", "/etc/passwd", "a\0b.ogg", "..", "C:\\evil.ogg", "\u202egpj.ogg", "x" * 5000,
           "<script>alert(1)</script>.ogg", "", None]


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
    assert len(bad) == 4 * len(HOSTILE) and bad["reason"].str.contains("no file of that name|neither bytes").all()
    titles = set(files["title"])
    assert "evil.ogg" in titles and not any("/" in t or "\\" in t for t in titles)


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
