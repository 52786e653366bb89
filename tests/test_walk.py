"""The folders of the world: links, what systems leave behind, what cannot be read, and what changes meanwhile."""

import os
import socket
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import PICTURES, corpus, picture
from test_emid import SCHEMA

from acp_lib.database import copies, emid, folder, imac, manifest, tags, validate
from acp_lib.database.walk import LOOP, listing, look, walk
from acp_lib.emotions import CLASSES
from acp_lib.profiles import load
from acp_lib.study import Study


@pytest.fixture
def root(tmp_path):
    """A corpus of names: nothing in it is decoded."""
    for path in (*(f"images/{e}/{e}.jpg" for e in PICTURES), *(f"music/{c}/{c}.wav" for c in CLASSES)):
        written(tmp_path / "mine" / path)
    return tmp_path / "mine"


def written(path, text="x"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def linked(path, target):
    """A link in the place of a file or a folder, which goes to `target`; a target that is there already stays."""
    if path.exists() and not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
    return path


def paths(root):
    return folder.scan(root)[0]["path"].tolist()


def reasons(root):
    return dict(folder.scan(root)[1].itertuples(index=False, name=None))


# what systems and programs leave behind


IGNORED = [".DS_Store", "._awe.jpg", ".hidden.jpg", ".git", ".ipynb_checkpoints", ".fetching-x.jpg", ".nfs0001",
           "Thumbs.db", "THUMBS.DB", "ehthumbs.db", "desktop.ini", "Desktop.ini", "Icon\r", "@eaDir", "@__thumb",
           "@Recycle", "#recycle", "#snapshot", "__MACOSX", "$RECYCLE.BIN", "System Volume Information", "lost+found",
           "x.jpg.part", "x.part", "x.jpg.crdownload", "x.partial", "x.download", "~$x.jpg", "x.jpg~"]


@pytest.mark.slow
@pytest.mark.parametrize("where", ["", "images", "images/awe", "music/neutral/deeper"])
@pytest.mark.parametrize("name", IGNORED)
def test_what_systems_leave_behind_is_neither_sample_nor_reject_nor_key(root, name, where):
    written(root / where / "x.txt")
    before, key = folder.scan(root), listing(root)
    at = root / where / name
    written(at)
    assert listing(root) == key
    os.utime(at, ns=(0, 0))
    assert listing(root) == key
    at.unlink()
    picture(at / "deeper/thumb.jpg")
    assert listing(root) == key
    after = folder.scan(root)
    assert all(a.equals(b) for a, b in zip(before, after, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("name", [
    "part.jpg", "x.part.jpg", "thumbs.db.jpg", "a~b.jpg", "~x.jpg", "eaDir/x.jpg", "#1.jpg", "@me.jpg", "$5.jpg",
    "lost found/x.jpg", "MACOSX/x.jpg", "recycle/x.jpg", "download/x.jpg", "x.y.jpg", "_DS_Store.jpg", "desktop/x.jpg"])
def test_names_that_look_alike_are_data(root, name):
    key = listing(root)
    written(root / "images/awe" / name)
    assert f"images/awe/{name}" in paths(root) and listing(root) != key


@pytest.mark.slow
@pytest.mark.parametrize("name", ["notes.txt", "cover.pdf", "x.xmp", "x.json", "no_ending"])
def test_a_file_of_another_kind_is_a_reject_with_the_reason(tmp_path, name):
    root = corpus(tmp_path, pictures=1, songs=1)
    written(root / "images/awe" / name)
    table, bad = manifest.build(root, folder.scan(root)[0], progress=False)
    assert len(table) == 6 and bad["path"].tolist() == [f"images/awe/{name}"]
    assert bad["reason"][0].startswith("cannot be read: ")


# links


LINKS = ["images", "music", "images/awe", "music/positive", "images/awe/june/day", "images/awe/awe.jpg",
         "music/neutral/neutral.wav"]
"""What is a link of the corpus."""


def changed(path):
    path.write_text("xx")


def touched(path):
    os.utime(path, ns=(0, 0))


def added(path):
    written(path.with_name("new" + path.suffix))


def deleted(path):
    path.unlink()


@pytest.fixture(params=LINKS)
def behind(request, root, tmp_path):
    """A corpus with a link, and a file behind it."""
    for path in ("images/awe/june/day/d.jpg", "music/positive/p.wav", "music/negative/n.wav"):
        written(root / path)
    link = linked(root / request.param, tmp_path / "elsewhere" / request.param)
    target = tmp_path / "elsewhere" / request.param
    return root, target if target.is_file() else sorted(p for p in target.rglob("*") if p.is_file())[0], link


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_are_followed(behind):
    root, file, link = behind
    assert link.is_symlink() and len(paths(root)) == 9 and not reasons(root)
    name = link.relative_to(root) if link.is_file() else link.relative_to(root) / file.relative_to(link.resolve())
    assert name.as_posix() in paths(root)


@pytest.mark.slow
@pytest.mark.parametrize("change", [changed, touched, added, deleted])
def test_a_change_behind_a_link_changes_the_key_and_what_is_listed(behind, change):
    root, file, link = behind
    before, key = set(paths(root)), listing(root)
    assert key == listing(root)
    change(file)
    if link.is_file() or not link.exists():  # beside the target of a link to a file lies nothing of the corpus
        assert (listing(root) != key) == (change is not added)
        assert link.exists() or reasons(root) == {link.relative_to(root).as_posix(): BROKEN}
        return
    assert listing(root) != key
    now = {Path(at, name).relative_to(root).as_posix() for at, _, names in os.walk(root, followlinks=True)
           for name in names}
    assert set(paths(root)) == now and (now == before) == (change in (changed, touched))


@pytest.mark.slow
def test_a_kept_digest_goes_with_the_picture_behind_the_link(tmp_path):
    root = corpus(tmp_path / "mine", pictures=2, songs=1)
    linked(root / "images", tmp_path / "pool")
    given = load("folder", data=str(root), work=str(tmp_path / "work"), jobs=1)
    before = Study(given, progress=False).listed.set_index("id")["sha"]
    picture(tmp_path / "pool/awe/p0.jpg", 77)
    (tmp_path / "pool/awe/p1.jpg").unlink()
    after = Study(given, progress=False).listed.set_index("id")["sha"]
    assert after["awe/p0.jpg"] != before["awe/p0.jpg"] and set(before.index) - set(after.index) == {"awe/p1.jpg"}
    assert (root / "images").is_symlink()


LOOPS = {
    "images/awe/loop": ".", "images/awe/up": "..", "images/awe/whole": "../..", "images/awe/above": "../../..",
    "images/sadness/deep/loop": "../../awe/back", "images/fear": "../images", "music/neutral/all": "../../images/..",
}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "target"), LOOPS.items())
def test_a_loop_is_refused_and_all_else_is_read(root, name, target):
    before = paths(root)
    if "back" in target:
        linked(root / "images/awe/back", root / "images/sadness")
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).symlink_to(target)
    found = reasons(root)
    assert set(found.values()) == {LOOP} and set(before) <= set(paths(root)) and len(paths(root)) < 10
    assert set(found) <= {path for path, _ in walk(root).bad}


def test_a_loop_through_a_folder_outside_ends(root, tmp_path):
    before = paths(root)
    written(tmp_path / "pool/p.jpg")
    (tmp_path / "pool/back").symlink_to(root / "images/awe")
    (root / "images/awe/pool").symlink_to(tmp_path / "pool")
    assert set(paths(root)) == {*before, "images/awe/pool/p.jpg"}
    assert reasons(root) == {"images/awe/pool/back": LOOP}


@pytest.mark.parametrize(("target", "reason"), [
    (".", "cannot be read: the link leads back to a folder that holds it"),
    ("gone", "no such file: the link leads nowhere"), ("images", "cannot be read: "),
])
def test_images_itself_may_lead_nowhere(root, target, reason):
    (root / "images").rename(root / "pictures")
    (root / "images").symlink_to(target)
    with pytest.raises(ValueError, match=f"^mine/images: .*({reason})"):
        folder.scan(root)


BROKEN = "no such file: the link leads nowhere; fetch what it stands for"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["images/awe/x.jpg", "images/awe/june", "images/fear", "music/positive/x.wav",
                                  "images/x.jpg"])
@pytest.mark.parametrize("target", ["../../.git/annex/objects/XX/YY/SHA256E-s9--0.jpg", "/nowhere/x", "gone",
                                    "awe.jpg/x"])
def test_a_broken_link_is_a_reject_and_mending_it_changes_the_key(root, name, target):
    before = paths(root)
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).symlink_to(target)
    assert reasons(root) == {name: BROKEN} and paths(root) == before
    key = listing(root)
    (root / name).unlink()
    assert listing(root) != key


def test_a_link_to_itself_is_a_reject(root):
    (root / "images/awe/x.jpg").symlink_to("x.jpg")
    assert reasons(root)["images/awe/x.jpg"].startswith("cannot be read: ")


# what cannot be read


@pytest.mark.parametrize("name", ["images/awe", "images/awe/june", "music/neutral", "music/neutral/album/disc 1"])
def test_a_folder_that_may_not_be_read_is_a_reject(root, monkeypatch, name):
    written(root / name / "x")
    scandir, key = os.scandir, listing(root)

    def refuse(path):
        if str(path) == str(root / name):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert reasons(root) == {name: "cannot be read: Permission denied"}
    assert not any(p.startswith(f"{name}/") for p in paths(root)) and listing(root) != key


@pytest.mark.parametrize("name", ["images", "music"])
def test_a_top_folder_that_may_not_be_read_is_an_error(root, monkeypatch, name):
    scandir = os.scandir

    def refuse(path):
        if str(path) == str(root / name):
            raise OSError(5, "Input/output error", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(ValueError, match=f"^mine/{name}: cannot be read: Input/output error$"):
        folder.scan(root)


@pytest.mark.parametrize("name", ["images/awe/awe.jpg", "music/neutral/neutral.wav"])
def test_a_file_that_may_not_be_read_is_a_reject_until_it_may(root, monkeypatch, name):
    before, key, access = paths(root), listing(root), os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != root / name and access(path, mode))
    assert reasons(root) == {name: "cannot be read: Permission denied"} and listing(root) != key
    monkeypatch.undo()
    assert not reasons(root) and paths(root) == before and listing(root) == key


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("mode", [0o000, 0o300, 0o400, 0o600])
def test_rights_of_the_system(root, mode):
    written(root / "images/awe/june/day/x.jpg")
    (root / "images/awe/june").chmod(mode)
    found = reasons(root)
    (root / "images/awe/june").chmod(0o700)
    assert found and all(r == "cannot be read: Permission denied" for r in found.values()) and not reasons(root)


def fifo(path):
    os.mkfifo(path)


def unix_socket(path):
    here = os.open(path.parent, os.O_RDONLY)
    socket.socket(socket.AF_UNIX).bind(f"/proc/self/fd/{here}/{path.name}")
    os.close(here)


def device(path):
    path.symlink_to("/dev/null")


@pytest.mark.skipif(sys.platform != "linux", reason="made by Linux's ways")
@pytest.mark.parametrize("make", [fifo, unix_socket, device])
def test_what_is_no_file_is_a_reject(root, make):
    make(root / "images/awe/x.jpg")
    assert reasons(root) == {"images/awe/x.jpg": "cannot be read: neither a file nor a folder"}


@pytest.mark.skipif(sys.platform != "linux", reason="file systems elsewhere refuse such names")
def test_names_that_are_not_utf8_are_rejects_one_by_one(root):
    for name in (b"images/awe/\xe8.jpg", b"images/awe/\xe9.jpg", b"images/awe/\xff/x.jpg", b"images/\xff/x.jpg"):
        written(root / os.fsdecode(name))
    assert folder.scan(root)[1].values.tolist() == [
        [path, "its name is not UTF-8; rename it"]
        for path in ("images/?", "images/awe/?", "images/awe/?.jpg", "images/awe/?.jpg")]
    assert len(listing(root)) == 16


def test_a_file_that_goes_while_the_folder_is_read_is_a_reject(root, monkeypatch):
    gone = root / "images/awe/awe.jpg"
    monkeypatch.setattr("acp_lib.database.walk.look", lambda path: (gone.unlink(missing_ok=True), look(path))[1])
    assert dict(walk(root, "images/awe").bad) == {"images/awe/awe.jpg": "no such file"}


# what goes or changes while it is read


def gone(path):
    path.unlink()


def grown(path):
    with path.open("ab") as file:
        file.write(b"more")


def replaced(path):
    path.unlink()
    path.mkdir()


def turned_into_a_broken_link(path):
    path.unlink()
    path.symlink_to("nowhere")


@pytest.mark.slow
@pytest.mark.parametrize(("change", "reason"), [
    (gone, "no such file"), (grown, manifest.CHANGED), (touched, manifest.CHANGED), (turned_into_a_broken_link, BROKEN),
    (replaced, "cannot be read: neither a file nor a folder")])
@pytest.mark.parametrize("when", ["before it is opened", "before its digest", "after its digest"])
@pytest.mark.parametrize(("name", "opener"), [("images/awe/p0.jpg", (manifest, "open_upright")),
                                              ("music/neutral/s0.ogg", (manifest.audio, "duration"))])
def test_what_goes_or_changes_while_it_is_read_is_a_reject(tmp_path, monkeypatch, name, opener, when, change, reason):
    root = corpus(tmp_path, pictures=1, songs=1)
    files, place = folder.scan(root)[0], (manifest, "file_digest") if "after" in when else opener
    function = getattr(*place)

    def meanwhile(path):
        mine = path == root / name
        if mine and "opened" in when:
            change(path)
        found = function(path)
        if mine and "opened" not in when:
            change(path)
        return found

    monkeypatch.setattr(*place, meanwhile)
    samples, bad = manifest.inspected(root, files, progress=False)
    assert bad.values.tolist() == [[name, reason]] and len(samples) == 5


# validate, and the other readers


def messy(root, outside):
    """A corpus with something of every kind; how many of each are whole."""
    corpus(root, pictures=2, songs=2)
    linked(root / "images/awe", outside / "awe")
    linked(root / "music/neutral/s0.ogg", outside / "s.ogg")
    picture(outside / "more/deep/x.png", 50)
    (root / "images/sadness/more").symlink_to(outside / "more")
    (root / "images/awe/loop").symlink_to("../..")
    (root / "images/awe/annex.jpg").symlink_to("../../.git/annex/objects/0.jpg")
    (root / "music/positive/annex.wav").symlink_to("gone")
    for name in ("images/awe/@eaDir/x.jpg", "images/.DS_Store", "music/neutral/x.mp3.part", "music/neutral/._s0.ogg",
                 "images/notes.txt", "images/awe/notes.pdf", "music/positive/x.cue", "metadata.parquet"):
        written(root / name)
    pq.write_table(pa.table({"id": ["awe/p0.jpg"], "genre": ["A"]}), root / "metadata.parquet")
    return {"pictures": (6 + 1, 4), "songs": (6, 2)}


@pytest.mark.slow
def test_validate_counts_what_becomes_samples_and_rejects(tmp_path):
    root = tmp_path / "mine"
    expected = messy(root, tmp_path / "outside")
    files, bad = folder.scan(root)
    table, unread = manifest.build(root, files, progress=False)
    found = validate.validate(root, progress=False).set_index("what")
    assert set(found["source"]) == {"folder"}
    for what, modality, top in (("pictures", "image", "images/"), ("songs", "music", "music/")):
        rejected = sum(p.startswith(top) for p in (*bad["path"], *unread["path"]))
        assert (found.loc[what, "there"], rejected) == expected[what]
        assert found.loc[what, "there"] == (table["modality"] == modality).sum()
        assert found.loc[what, "listed"] == found.loc[what, "there"] + rejected
    assert found["missing"].tolist() == [1, 1] and found["unreadable"].tolist() == [2, 1]
    assert not {*table["path"]} & {*bad["path"], *unread["path"]}


def test_copies_are_looked_for_among_the_same_files(tmp_path):
    picture(tmp_path / "images/awe/a.jpg")
    for name in ("images/awe/@eaDir/a.jpg", "images/awe/._a.jpg", "images/awe/.x/a.jpg", "images/__MACOSX/a.jpg"):
        picture(tmp_path / name)
    assert not len(copies.table(tmp_path))
    linked(tmp_path / "images/fear", picture(tmp_path / "pool/b.jpg").parent)
    assert copies.table(tmp_path)["path"].tolist() == ["images/fear/b.jpg"]


def test_songs_of_imac_that_cannot_be_read_say_why(tmp_path):
    written(tmp_path / "SongEmotionScore.csv", "".join(f"TR{i},a,b,1_0_0\n" for i in range(1, 6)))
    for name in ("TR1.ogg", ".TR2.ogg", "TR3.part", "._TR4.ogg"):
        written(tmp_path / "music" / name)
    (tmp_path / "music/TR5.ogg").symlink_to("gone")
    files, bad = imac.scan(tmp_path)
    assert files["path"].tolist() == ["music/TR1.ogg"]
    assert bad.values.tolist() == [*([f"music/TR{i}", imac.NO_FILE] for i in (2, 3, 4)), ["music/TR5.ogg", BROKEN]]


def test_what_was_noted_of_fetches_stays_in_the_key(root):
    def key():
        given = load("imac", data=str(root))
        return Study(given, progress=False).samples.source_key

    before = key()
    written(root / ".cache/x")
    assert key() == before
    written(root / ".fetch/songs.jsonl")  # chapter 1 shows it
    assert key() != before


# which data set a folder is


def emid_table(path, n=3):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist([{"genre": "A"}] * n, schema=SCHEMA), path)


def stray(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"id": ["x"], "genre": ["A"]}), path)


MAKERS = {"images": lambda r: written(r / "images/awe/x.jpg"), "music": lambda r: written(r / "music/positive/x.wav"),
          "scores": lambda r: written(r / "SongEmotionScore.csv", "TR1,a,b,1_0_0\n"),
          "stray": lambda r: stray(r / "export/metadata.parquet"), "cut": lambda r: written(r / "cut.parquet", "PAR1"),
          "emid": lambda r: emid_table(r / "data/train-0.parquet"), "text": lambda r: written(r / "notes.txt"),
          "mac": lambda r: written(r / "data/._train-0.parquet", "Mac OS X"),
          "hidden": lambda r: emid_table(r / ".cache/t.parquet"),
          "csv": lambda r: written(r / "EMID_data.csv", f"{','.join(SCHEMA.names)}\na.mp3{',' * (len(SCHEMA) - 1)}\n")}


def made(root, parts):
    root.mkdir()
    for part in parts.split():
        MAKERS[part](root)
    return root


@pytest.mark.slow
@pytest.mark.parametrize(("parts", "expected"), [
    ("images music", "folder"), ("images music stray", "folder"), ("images music cut", "folder"), ("images", "folder"),
    ("images music hidden mac", "folder"), ("scores", "imac"), ("scores images music", "imac"),
    ("scores stray", "imac"), ("emid", "emid"), ("emid stray", "emid"), ("emid mac cut", "emid"), ("csv", "emid"),
    ("cut", "emid"),
])
def test_the_layout_of_a_folder(tmp_path, parts, expected):
    assert validate.layout(made(tmp_path / "x", parts)) == expected


@pytest.mark.parametrize(("parts", "message"), [
    ("emid images music", "x holds images and music, and data/train-0.parquet, which is a table of EMID's; put each"),
    ("emid scores", "x holds SongEmotionScore.csv, and data/train-0.parquet, which is a table of EMID's"),
    ("csv music", "x holds music, and EMID_data.csv, which is"),
    ("stray", "nor a table of EMID's, but export/metadata.parquet; give a folder that does"),
    ("text hidden", "x holds neither images and music, nor SongEmotionScore.csv, .* but notes.txt"),
    ("", "but no file; give"),
])
def test_a_folder_that_is_two_data_sets_or_none_is_an_error_with_what_was_seen(tmp_path, parts, message):
    with pytest.raises(ValueError, match=message):
        validate.validate(made(tmp_path / "x", parts), progress=False)


@pytest.mark.parametrize(("parts", "there", "unreadable"), [
    ("emid", 3, 0), ("emid stray mac", 3, 0), ("emid cut", 3, 1), ("csv", 1, 0), ("cut", 0, 1)])
def test_rows_of_emid(tmp_path, parts, there, unreadable):
    found = validate.validate(made(tmp_path / "x", parts)).iloc[0]
    assert (found["source"], found["there"], found["unreadable"]) == ("emid", there, unreadable)


@pytest.mark.parametrize(("parts", "message"), [
    ("images music stray", "^export/metadata.parquet lacks the columns Audio_Filename, .*; expected EMID's"),
    ("emid cut stray", "^cut.parquet does not read: .*; fetch it again"),
    ("images music hidden", "^x holds neither a Parquet file nor EMID_data.csv"),
    ("emid stray", "nothing usable for images; the first of .*export/metadata.parquet, lacks the columns"),
])
def test_the_profile_takes_no_other_table_for_emids(tmp_path, parts, message):
    (tmp_path / "out").mkdir()
    with pytest.raises(ValueError, match=message):
        emid.extract(made(tmp_path / "x", parts), tmp_path / "out", progress=False)


# lists that need not be there


OPTIONAL = {"metadata.csv": lambda root: folder.scan(root), "SongEmotionScore.csv": imac.scored,
            "YouTubeURLs.csv": imac.scan, "track_metadata.db": imac.scan, "agg": imac.scan,
            "lastfm_tags.db": tags.table_file, "clean_tags_sad.txt": tags.clean_lists}


@pytest.mark.slow
@pytest.mark.parametrize("name", OPTIONAL)
@pytest.mark.parametrize("make", [lambda path: path.symlink_to("/nowhere/x"), os.mkfifo], ids=["link", "pipe"])
def test_a_list_that_is_there_and_cannot_be_read_is_not_taken_for_none(root, name, make):
    if OPTIONAL[name] is imac.scan:
        written(root / "SongEmotionScore.csv", "TRA,title,artist,1_0_0\n")
    make(root / name)
    with pytest.raises(ValueError, match=f"mine/{name}: .*(no such file|cannot be read): .*; or remove it"):
        OPTIONAL[name](root)


def test_folders_in_folders_take_no_longer_than_there_are(root, monkeypatch):
    asked = []
    monkeypatch.setattr("acp_lib.database.walk._loop", lambda path: asked.append(path) or "")
    written(root / "images/awe" / "/".join("d" * 50) / "x.jpg")
    walk(root, "images")
    assert not asked
