"""What the machine refuses, and files that nothing reads: one line with the place and the remedy; nothing half done."""

import errno
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import corpus, picture, sound

from acp_lib import profiles
from acp_lib.book import build as book
from acp_lib.book import rendering
from acp_lib.database import folder, manifest
from acp_lib.database.synthetic import media
from acp_lib.database.synthetic import tags as synthetic_tags
from acp_lib.engine import cache, commands, faults
from acp_lib.experiment.corpus import Modality
from acp_lib.features import audio, formats, shards

KINDS = {
    errno.ENOSPC: "make space there", errno.EDQUOT: "make space there", errno.EACCES: "let this user read and write",
    errno.EPERM: "let this user read and write", errno.EROFS: "name another place", errno.EMFILE: "ulimit -n",
    errno.ENFILE: "ulimit -n", errno.EEXIST: "a file stands where a folder is needed",
    errno.ENOTDIR: "move it away", errno.EIO: "failing disk", errno.ENOMEM: "fewer processes",
}
kinds = pytest.mark.parametrize(("number", "remedy"), KINDS.items(), ids=lambda v: errno.errorcode.get(v, ""))


def fails(number, *place):
    def fail(*_, **__):
        raise OSError(number, os.strerror(number), *place)

    return fail


# the line


@kinds
@pytest.mark.parametrize("place", [(), ("named.csv",)], ids=["no name", "a name"])
def test_what_is_refused_names_the_place_and_the_remedy(number, remedy, place):
    with pytest.raises(faults.Refused) as caught, faults.at(Path("work/x")):
        fails(number, *place)()
    text = str(caught.value)
    assert text.startswith(f"[Errno {number}] {os.strerror(number)}: '{place[0] if place else 'work/x'}'; ")
    assert remedy in text and "\n" not in text
    assert str(pickle.loads(pickle.dumps(caught.value))) == text, "a worker hands it over whole"
    assert faults.line(f"Traceback ...\nacp_lib.engine.faults.Refused: {text}\n") == text, "said once"


@pytest.mark.parametrize("error", [ValueError("x"), FileNotFoundError(errno.ENOENT, "none", "x"), OSError("no number")])
def test_other_errors_stay_as_they_are(error):
    with pytest.raises(type(error)) as caught, faults.at(Path("x")):
        raise error
    assert caught.value is error and faults.line(str(error)) == ""


@pytest.mark.parametrize(("text", "expected"), [
    ("", ""),
    ("Extension error:\n  OSError: [Errno 28] No space left on device\nfailed",
     f"[Errno 28] No space left on device; {faults.SPACE}"),
    ("[Errno 28] a\nPermissionError: [Errno 13] Permission denied: '/b'",
     f"[Errno 13] Permission denied: '/b'; {faults.PERMISSION}"),
    ("[Errno 28] a\nFileNotFoundError: [Errno 2] No such file: '/b'", f"[Errno 28] a; {faults.SPACE}"),
    ("[Errno x] and [errno 28]", ""),
])
def test_the_last_that_a_program_says_counts(text, expected):
    assert faults.line(text) == expected


# files and folders


@pytest.mark.slow
@kinds
def test_a_file_that_cannot_be_written_is_left_as_it_was(tmp_path, monkeypatch, number, remedy):
    target = tmp_path / "a.json"
    cache.write(target, "old")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fails(number))
        with pytest.raises(faults.Refused, match=rf"a\.json'; .*{remedy}"):
            cache.write(target, "new")
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"] and target.read_text() == "old"
    cache.write(target, "new")
    assert target.read_text() == "new"


@pytest.mark.slow
@kinds
def test_a_folder_that_cannot_be_filled_is_made_by_the_next(tmp_path, number, remedy):
    with pytest.raises(faults.Refused, match=rf"stage-1'; .*{remedy}"):
        cache.build_once(tmp_path / "stage-1", fails(number))
    assert [p.name for p in tmp_path.iterdir() if not p.name.endswith(".lock")] == []
    made = cache.build_once(tmp_path / "stage-1", lambda f: (f / "x").write_text("whole"))
    assert (made / "x").read_text() == "whole"


@pytest.mark.parametrize("make", [lambda path: cache.write(path, "x"), lambda path: cache.build_once(path, Path.touch)])
@pytest.mark.parametrize("below", ["work/a", "work/b/c"])
def test_a_work_folder_that_is_a_file(tmp_path, make, below):
    (tmp_path / "work").write_text("not a folder")
    with pytest.raises(faults.Refused, match="work.*'; a file stands where a folder is needed: move it away"):
        make(tmp_path / below)
    assert (tmp_path / "work").read_text() == "not a folder"


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002, 0o027], ids=oct)
def test_the_umask_is_kept_to(tmp_path, umask):
    before = os.umask(umask)
    try:
        cache.write(tmp_path / "new/file", "x")
        cache.build_once(tmp_path / "kept", lambda f: cache.write(f / "file", "x"))
    finally:
        os.umask(before)
    modes = {p.relative_to(tmp_path).as_posix(): p.stat().st_mode & 0o777 for p in tmp_path.rglob("*")}
    assert {modes["new/file"], modes["kept/file"]} == {0o666 & ~umask}
    assert {modes["new"], modes["kept"]} == {0o777 & ~umask}


WRITERS = {
    "x.flac": lambda path: media.write_audio(path, np.zeros(22050, np.float32)),
    "x.mp3": lambda path: media.write_audio(path, np.zeros(22050, np.float32)),
    "x.ogg": lambda path: media.write_audio(path, np.zeros(22050, np.float32)),
    "x.db": lambda path: synthetic_tags.write(path, {"TR1": {"sad": 100}}),
    "x.parquet": lambda path: pd.DataFrame({"a": range(100_000)}).to_parquet(path),
}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("name", WRITERS)
def test_whatever_writes_says_that_the_disk_is_full(tmp_path, name):
    def build(made):
        (made / name).symlink_to("/dev/full")
        WRITERS[name](made / name)

    with pytest.raises(faults.Refused, match=f"No space left on device.*; {re.escape(faults.SPACE)}"):
        cache.build_once(tmp_path / "kept", build)
    assert not (tmp_path / "kept").exists()


def test_features_with_classes_say_that_the_disk_is_full(tmp_path, monkeypatch):
    side = Modality(np.zeros((2, 3), np.float32), *(np.zeros(2, np.int64) for _ in range(3)))
    monkeypatch.setattr(os, "fsync", fails(errno.ENOSPC))
    with pytest.raises(faults.Refused, match="modality.safetensors'; make space"):
        side.save(tmp_path / "modality.safetensors")


# a machine at its end is no fault of the file that it reads

EXHAUSTED = pytest.mark.parametrize("number", sorted(faults.EXHAUSTED), ids=errno.errorcode.get)


@EXHAUSTED
@pytest.mark.parametrize("modality", ["image", "music"])
def test_no_file_is_a_reject_for_want_of_what_the_machine_has(tmp_path, monkeypatch, number, modality):
    (tmp_path / "a").write_bytes(b"x")
    monkeypatch.setattr(manifest, "open_upright", fails(number))
    monkeypatch.setattr(audio, "duration", fails(number))
    with pytest.raises(OSError, match=re.escape(os.strerror(number))):
        manifest._inspect(tmp_path, {"path": "a", "modality": modality, "id": "a"}, 60, 10)
    with pytest.raises(OSError, match=re.escape(os.strerror(number))):
        shards._tried(tmp_path, fails(number), tolerant=True)


def test_a_file_that_may_not_be_read_is_a_reject(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"x")
    monkeypatch.setattr(manifest, "open_upright", fails(errno.EACCES, f"{tmp_path}/a"))
    found = manifest._inspect(tmp_path, {"path": "a", "modality": "image", "id": "a"}, 60, 10)
    assert found == "cannot be read: PermissionError: [Errno 13] Permission denied: 'a'"
    assert shards._tried(tmp_path, fails(errno.EACCES), tolerant=True)[1].startswith("cannot be decoded: [Errno 13]")


def test_a_song_that_cannot_be_opened_says_why(tmp_path, monkeypatch):
    path = sound(tmp_path / "a.wav")
    monkeypatch.setattr(audio.soundfile, "SoundFile", lambda _: fails(0)())
    monkeypatch.setattr(Path, "open", fails(errno.EMFILE))
    with pytest.raises(OSError, match=f"Errno {errno.EMFILE}"):
        audio._opened(path, str(path))


# formats that nothing reads


@pytest.mark.slow
@pytest.mark.parametrize(("modality", "name", "expected"), [
    ("image", "a.heic", "HEIC is not read; convert it: magick a.heic a.png (ImageMagick)"),
    ("image", "A.HEIF", "HEIF is not read; convert it: magick A.HEIF A.png (ImageMagick)"),
    ("image", "images/awe/p 1.jxl", "JXL is not read; convert it: magick 'p 1.jxl' 'p 1.png' (ImageMagick)"),
    ("image", "a.nef", "NEF is not read; convert it: magick a.nef a.png (ImageMagick)"),
    ("image", "a.svg", "SVG is not read; convert it: magick a.svg a.png (ImageMagick)"),
    ("image", "$(x).pdf", "PDF is not read; convert it: magick '$(x).pdf' '$(x).png' (ImageMagick)"),
    ("image", "a.mov", ""), ("image", "a.jpg", ""), ("image", "heic", ""), ("image", "a.", ""),
    ("music", "a.m4a", "M4A is not read; convert it: ffmpeg -i a.m4a a.flac"),
    ("music", "a.b.WMA", "WMA is not read; convert it: ffmpeg -i a.b.WMA a.b.flac"),
    ("music", "a.aac", "AAC is not read; convert it: ffmpeg -i a.aac a.flac"),
    ("music", "a.webm", "WEBM is not read; convert it: ffmpeg -i a.webm a.flac"),
    ("music", "-y.mp4", "MP4 is not read; convert it: ffmpeg -i ./-y.mp4 ./-y.flac"),
    ("music", "a';x.wv", "WV is not read; convert it: ffmpeg -i 'a'\"'\"';x.wv' 'a'\"'\"';x.flac'"),
    ("music", "a.raw", ""), ("music", "booklet.pdf", ""), ("music", "a.flac", ""),
])
def test_advice(modality, name, expected):
    assert formats.advice(name, modality) == expected


@pytest.mark.slow
@pytest.mark.parametrize(("modality", "ending"), [("image", "heic"), ("image", "HEIF"), ("music", "m4a"),
                                                  ("music", "wma")])
@pytest.mark.parametrize("classes", ["all", "one"])
def test_a_folder_of_what_is_not_read_says_how_to_convert_it(tmp_path, modality, ending, classes):
    root = corpus(tmp_path / "mine", pictures=1, songs=1)
    top = root / folder.FOLDERS[modality]
    for file in list(top.rglob("*.*")):
        if classes == "all" or file.parent.name in ("sadness", "negative"):
            file.write_bytes(b"\0\0\0\x20ftyp????" + bytes(40))
            file.rename(file.with_suffix(f".{ending}"))
    files, _ = folder.scan(root)
    with pytest.raises(ValueError, match="no usable file") as caught:
        manifest.build(root, files, progress=False)
    text = str(caught.value)
    assert f"{ending.upper()} is not read; convert it: " in text and "\n" not in text
    assert ("(3 rejects; " if classes == "all" else "(1 rejects; ") in text
    assert f"mine/{top.name}" in text and ("class negative" in text) == (classes == "one")


@pytest.mark.slow
def test_of_the_rejects_one_of_the_class_that_is_missing_is_told(tmp_path):
    root = corpus(tmp_path / "mine", pictures=1, songs=1)
    (root / "images/awe/broken.jpg").write_bytes(b"x")
    picture(root / "images/sadness/p0.jpg").write_bytes(b"y" * 9)
    with pytest.raises(ValueError, match=r"class negative, .* \(1 rejects; images/sadness/p0.jpg: cannot be read: "):
        manifest.build(root, folder.scan(root)[0], progress=False)


# commands


@kinds
def test_a_command_tells_in_a_line_what_was_refused(capsys, number, remedy):
    assert commands.outcome(fails(number, "/there"), "acp_lib.features") == 1
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and remedy in err and "'/there'" in err
    assert err.startswith(f"error: [Errno {number}] ")


@pytest.mark.parametrize(("error", "code"), [
    (ValueError("wrong"), 2), (ImportError("none"), 2), (OSError("odd"), 2),
    (ValueError("no usable file (1 rejects; a.jpg: cannot be read: PermissionError: [Errno 13] Permission denied)"), 2),
])
def test_other_errors_lead_to_the_help(capsys, error, code):
    def work():
        raise error

    assert commands.outcome(work, "python -m acp_lib.features") == code
    assert capsys.readouterr().err == f"error: {error} (python -m acp_lib.features --help)\n"


READ = """
import sys
from acp_lib.engine import commands
def work():
    for i in range({lines}):
        print(i, flush={flush})
sys.exit(commands.outcome(work, "x"))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("lines", "flush"), [(100_000, False), (100_000, True), (10, False)])
def test_output_that_nobody_reads_to_its_end_stops_a_command(lines, flush):
    command = [sys.executable, "-c", READ.format(lines=lines, flush=flush)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=os.environ | {"PYTHONPATH": str(profiles.ROOT)}) as process:
        process.stdout.close()
        err = process.stderr.read()
    assert (process.returncode, err) == (141, "stopped; the same command goes on where it was\n")


@pytest.mark.slow
def test_a_command_whose_output_is_closed_does_its_work():
    work = "from acp_lib.engine import commands; raise SystemExit(commands.outcome(lambda: print('x'), 'x'))"
    done = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-c", work], stderr=subprocess.PIPE,
                          text=True, env=os.environ | {"PYTHONPATH": str(profiles.ROOT)}, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_no_file_gets_the_number_of_an_output_that_is_closed():
    work = ("from acp_lib.engine import commands; "
            "raise SystemExit(commands.outcome(lambda: open('/dev/null').fileno(), 'x'))")
    done = subprocess.run(["sh", "-c", 'exec "$@" >&- 2>&-', "sh", sys.executable, "-c", work], check=False,
                          env=os.environ | {"PYTHONPATH": str(profiles.ROOT)})
    assert done.returncode > 2


def test_a_pipe_that_breaks_elsewhere_is_an_error(capsys):
    assert commands.outcome(fails(errno.EPIPE), "x") == 2
    assert capsys.readouterr().err == "error: [Errno 32] Broken pipe (x --help)\n"


# the book


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("ACP_BUILD", str(tmp_path / "out"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(book.Chapter, "current", False)
    monkeypatch.setattr(book.Chapter, "key", "key")
    return book.Run(profiles.load("mini"), {})


class CellFailed(Exception):
    evalue = "[Errno 28] No space left on device: 'work/x'"


@pytest.mark.slow
@pytest.mark.parametrize(("error", "first"), [
    (CellFailed("----\n[Errno 13] of another\nValueError: the whole traceback"),
     f"error: [Errno 28] No space left on device: 'work/x'; {faults.SPACE}"),
    (OSError(errno.ENOSPC, "No space left on device"), "error: [Errno 28] No space left on device: '{executed}'; make"),
    (OSError(errno.EMFILE, "Too many open files"), "error: [Errno 24] Too many open files: '{executed}'; let more"),
    (PermissionError(errno.EACCES, "Permission denied", "there"), "error: [Errno 13] Permission denied: 'there'; let"),
    (ValueError("plain"), "plain"), (ValueError("9 rejects: [Errno 13] Permission denied"), "9 rejects: [Errno 13]"),
], ids=["in a cell", "full", "files", "mode", "other", "of a file"])
def test_a_chapter_that_fails_says_why_before_where(run, monkeypatch, error, first):
    import papermill

    def fail(*_, **__):
        raise error

    monkeypatch.setattr(papermill, "execute_notebook", fail)
    chapter = run.chapters[0]
    with pytest.raises(RuntimeError) as caught:
        book.execute(chapter, 10, bar=False)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith(first.format(executed=chapter.executed)) and len(lines) == 2
    assert lines[1] == f"01_database failed; the notebook up to the failing cell is {chapter.executed}"


@pytest.mark.slow
@pytest.mark.parametrize(("said", "first"), [
    ("reading\n\x1b[91mOSError: [Errno 28] No space left on device\x1b[39m\n",
     f"error: [Errno 28] No space left on device; {faults.SPACE}"),
    ("page.md:3: WARNING: odd", "page.md:3: WARNING: odd"),
])
def test_rendering_that_fails_says_why(run, monkeypatch, said, first):
    monkeypatch.setattr(rendering, "stage", lambda _: Path("source"))
    monkeypatch.setattr(rendering, "sphinx", lambda *_: (2, said))
    with pytest.raises(RuntimeError) as caught:
        rendering.render(run)
    assert str(caught.value).splitlines() == [
        first, f"rendering failed (exit code 2); the pages' sources are in {run.build / 'source'}"]


@pytest.mark.parametrize(("given", "home"), [
    (None, profiles.ROOT), ("", profiles.ROOT), ("/elsewhere", Path("/elsewhere")), ("rel", profiles.ROOT / "rel")])
def test_books_go_where_acp_output_says(monkeypatch, given, home):
    monkeypatch.delenv("ACP_BUILD", raising=False)
    if given is not None:
        monkeypatch.setenv("ACP_BUILD", given)
    assert profiles.load().home == home and profiles.load(seed=3).home == home / "_build/profiles/mini-seed-3"
    assert profiles.load().results_path == home / "_build/results"
    run = book.Run(profiles.load(), {})
    assert rendering.scrub(f"in {run.build}/source/x", run.hidden) == "in _build/source/x"


# --- files that another command wrote


@pytest.mark.parametrize(("error", "reason"), [
    (KeyError("data"), "KeyError: 'data'"), (ValueError("first\nsecond"), "ValueError: first"),
    (FileNotFoundError(errno.ENOENT, "No such file", "x"), "FileNotFoundError: No such file"),
])
def test_what_is_wrong_with_a_kept_file_is_named_with_its_place_and_the_remedy(error, reason):
    with pytest.raises(faults.Damaged) as found, faults.readable(Path("kept/x"), "make it anew"):
        raise error
    assert str(found.value) == f"kept/x cannot be used ({reason}); make it anew"
    with pytest.raises(faults.Damaged) as outer, faults.readable(Path("kept"), "export it"):
        raise found.value
    assert str(outer.value) == f"kept cannot be used ({reason}); export it"


@pytest.mark.parametrize("error", [OSError(errno.EMFILE, "Too many open files"), PermissionError(errno.EACCES, "no"),
                                   MemoryError()])
def test_what_the_machine_refuses_is_no_fault_of_a_file(error):
    with pytest.raises(type(error)) as found, faults.readable(Path("kept/x")):
        raise error
    assert found.value is error


# --- files that a command is told to write


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("folder", "read"):
        (tmp_path / name).mkdir()
    for name in ("file", "read/picture.png"):
        (tmp_path / name).write_text("held")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "link").symlink_to("read/picture.png")
    os.mkfifo(tmp_path / "pipe")
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize(("path", "wrong"), [
    ("", "--out is ''; give the name of a file"), ("folder", "is a folder"), ("loop", "a link that leads in a circle"),
    ("pipe", "is no file that can be replaced"), ("file/x", "lies below '{place}/file', a file"),
    ("file/a/x", "lies below '{place}/file', a file"), ("n" * 241, "is a name of 241 bytes, more than 240"),
    ("é" * 121, "is a name of 242 bytes, more than 240"), (os.devnull, "is no file that can be replaced"),
    ("read/picture.png", "is among what is read"), ("link", "is among what is read"),
])
def test_a_place_that_an_output_cannot_have_is_refused_beforehand(place, path, wrong):
    with pytest.raises(ValueError, match="^--out is ") as found:
        commands.target("--out", path, [place / "read"])
    assert wrong.format(place=place) in str(found.value) and "give the name" in str(found.value)


@pytest.mark.parametrize("path", ["file", "new", "folder/a/b/new", "read/new.png", "n" * 240])
def test_an_output_may_be_new_or_replace_a_file_that_is_not_read(place, path):
    assert commands.target("--out", path, [place / "read"]) == place / path
