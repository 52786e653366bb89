"""EmoMV-C's listed pairs: how its files are read, what is counted in them, and what is recorded and said of them."""

import json
import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from acp_lib.findings import emomv, front, frozen, record
from acp_lib.findings.emomv import EMOTIONS, ONCE, RELEASED
from acp_lib.findings.squares import ALONE, KINDS, TWO
from acp_lib.profiles import ROOT, load
from acp_lib.results import recorded


def name(k):
    return f"video{k:06}_01"


def lines(clips, first):
    """True pairs of some clips, and false ones of neighbours; each clip is a song, two emotions take turns."""
    emotion = [("Relax", "Fear")[k % 2] for k in range(clips)]
    true = [f"d/,{name(first + k)},1,{emotion[k]},{emotion[k]},0,0" for k in range(clips)]
    false = [f"d/,{name(first + k)}_PAIR_{name(first + (k ^ 1))},0,{emotion[k]},{emotion[k ^ 1]},0,0"
             for k in range(clips)]
    return [*true, *false]


class Tables(dict):
    """A file of h5py's, as far as it is used."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


@pytest.fixture()
def folder(tmp_path, monkeypatch):
    """The six files, with 40 and 24 pairs, under an h5py that reads NumPy's files."""
    home = tmp_path / "pairs"
    home.mkdir()
    rng = np.random.default_rng(0)
    for part, clips, first in (("train", 20, 0), ("test", 12, 50)):
        names = emomv.names(part)
        (home / names["labels"]).write_text("\n".join(lines(clips, first)) + "\n")
        for side, (_, width) in emomv.FEATURES.items():
            with (home / names[side]).open("wb") as f:
                np.save(f, rng.normal(size=(2 * clips, width)).astype(np.float32))
    monkeypatch.setitem(sys.modules, "h5py", SimpleNamespace(File=lambda path, mode: Tables(data=np.load(path))))
    return home


# --- reading


LINES = [  # fields; pictures, music, emotions, truth
    ("d/,rp1lHx8vCgc_02,1,Exciting,Exciting,0,0", ("rp1lHx8vCgc_02", "rp1lHx8vCgc_02", 0, 0, 1)),
    ("d/,R0cfZczo4yk_01_PAIR_5pzBs8jiIuI_03,0,Relax,Fear,4,1", ("R0cfZczo4yk_01", "5pzBs8jiIuI_03", 4, 1, 0)),
    ("d/,_gOX8OsZJXI_05_PAIR_-_E1SIayy9U_17,0,Tense,Sad,2,3", ("_gOX8OsZJXI_05", "-_E1SIayy9U_17", 2, 3, 0)),
]


@pytest.mark.parametrize(("line", "expected"), LINES)
@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_a_line_names_the_pictures_first(tmp_path, line, expected, end):
    path = tmp_path / "labels.csv"
    path.write_bytes((line + end).encode())
    found = emomv.labels(path)
    assert tuple(found[key][0] for key in ("image", "music", "image_label", "music_label", "truth")) == expected


@pytest.mark.parametrize("wrong", [
    "d/,short_02,1,Sad,Sad,3,3", "d/,rp1lHx8vCgc_02,2,Sad,Sad,3,3", "d/,rp1lHx8vCgc_02,1,Sad,Happy,3,3",
    "d/,rp1lHx8vCgc_02,1,Sad,Sad,3", "d/,rp1lHx8vCgc_02,1,Sad,Sad,3,3,3", "d/,rp1lHx8vCgc,1,Sad,Sad,3,3",
    "d/,rp1lHx8vCgc_02_PAIR_,0,Sad,Fear,3,1", "d/,rp1lHx8vCgc_02,,Sad,Sad,3,3", "folder,id,match,video,music,a,b"])
def test_a_line_that_reads_otherwise_is_named(tmp_path, wrong):
    path = tmp_path / "labels.csv"
    path.write_text(f"{LINES[0][0]}\n{wrong}\n")
    told = f"labels.csv, line 2 is '{wrong}'; expected folder, clip or clip_PAIR"
    with pytest.raises(ValueError, match=re.escape(told)):
        emomv.labels(path)


def test_both_parts_are_read_one_behind_the_other(folder):
    some = emomv.read(folder)
    assert len(some.truth) == 64 and some.test.tolist() == [False] * 40 + [True] * 24
    assert {side: x.shape for side, x in some.x.items()} == {"image": (64, 2304), "music": (64, 128)}
    assert [some.clip[side][20] for side in frozen.SIDES] == [name(0), name(1)]
    assert some.song["music"][20] == name(1)[:11]
    assert [EMOTIONS[some.label[side][20]] for side in frozen.SIDES] == ["Relax", "Fear"]


@pytest.mark.parametrize(("made", "said"), [
    (np.zeros((3, 128)), r"holds tables of \[\(3, 128\)\]; expected one of \(40, 128\)"),
    (np.zeros((40, 12)), r"holds tables of \[\(40, 12\)\]; expected one of \(40, 128\)"),
    (np.full((40, 128), np.nan), "of finite numbers")])
def test_features_of_another_shape_or_not_finite_are_refused(folder, made, said):
    with (folder / emomv.names("train")["music"]).open("wb") as f:
        np.save(f, made)
    with pytest.raises(ValueError, match=f"VGGish_DS3_TRAIN_MATCH_MISMATCH.h5 .*{said}"):
        emomv.read(folder)


def test_without_h5py_it_is_told_what_to_install(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ImportError, match="takes h5py to read, and it is not installed; install it: pip install h5py"):
        emomv.read(folder)


@pytest.mark.parametrize("part", emomv.PARTS)
@pytest.mark.parametrize("kind", ["labels", "image", "music"])
def test_a_file_that_is_not_there_is_named(folder, part, kind):
    absent = emomv.names(part)[kind]
    (folder / absent).unlink()
    with pytest.raises(ValueError, match=f"pairs has no file {absent}; expected the labels and features of EmoMV-C"):
        emomv.read(folder)


def test_a_true_hdf5_file_is_read(tmp_path):
    h5py = pytest.importorskip("h5py")
    x = np.random.default_rng(0).random((5, 3), np.float32)
    with h5py.File(tmp_path / "x.h5", "w") as f:
        f["default"] = x
    assert (emomv.features(tmp_path / "x.h5", (5, 3)) == x).all()


# --- what the pairs rest on


def test_what_the_pairs_rest_on_is_counted(folder):
    train, test = emomv.counted(emomv.read(folder))
    assert train == {"kind": "counts", "part": "train", "pairs": 40, "true": 20, "clips": 20, "songs": 20, "own": 20,
                     "two_songs": 20, "by_emotion": 40, "emotions": [0, 20, 0, 0, 20], "nothing": 50.0, "image": 50.0,
                     "music": 50.0, "shared": {"clips": 0, "songs": 0, "rows": 0}}
    assert (test["pairs"], test["true"], test["clips"]) == (24, 12, 12)


def test_what_parts_share_and_what_breaks_the_rule_is_counted(folder):
    path = folder / emomv.names("test")["labels"]
    given = path.read_text().replace(name(50), name(0)).replace(f"{name(51)},1,Fear,Fear", f"{name(51)},1,Fear,Relax")
    path.write_text(given.replace(f"{name(52)},1", f"{name(52)}_PAIR_{name(53)},1"))
    some = emomv.read(folder)
    some.x["music"][45] = some.x["music"][3]
    train, test = emomv.counted(some)
    assert train["shared"] == test["shared"] == {"clips": 1, "songs": 1, "rows": 1}
    assert (test["own"], test["two_songs"], test["by_emotion"]) == (11, 12, 23)
    assert [test["image"], test["music"]] == pytest.approx([100 * 13 / 24] * 2)  # one true pair less of an emotion


def test_features_tell_which_name_is_whose(folder):
    some = emomv.read(folder)
    for side, x in some.x.items():
        names, which = np.unique(some.clip[side], return_inverse=True)
        x[:] = np.random.default_rng(0).normal(size=(len(names), x.shape[1]))[which]
    assert [(r["first"], r["second"]) for r in emomv.follows(some)] == [(100, 0), (0, 100)]
    twice = emomv.twice(some)
    assert twice == {"kind": "twice", "image": {"clips": 32, "same": 32}, "music": {"clips": 32, "same": 32}}
    some.x["music"][some.truth == 0] += 1e-3
    assert emomv.twice(some)["music"] == {"clips": 32, "same": 0}


# --- what is recorded


@pytest.fixture()
def quick(monkeypatch):
    """Training that takes no time, and how often it was asked for."""
    asked = []

    def trained(listed, part, fc_width, options, seed, where):
        asked.append((fc_width, seed, options[0].epochs, options[1].learning_rate))
        n = int((part == 2).sum())
        return np.random.default_rng(seed).normal(size=(n, n)) + np.eye(n)

    monkeypatch.setattr(frozen, "trained", trained)
    monkeypatch.setattr(emomv, "FOLDS", 3)
    return asked


def complete(rows, seeds, folds):
    """Whether rows hold every number that a chapter asks for, and intervals that hold their value."""
    cells = [emomv.acp_net(c["fc_width"]) for c in emomv.CELLS]
    methods = [*cells, *(emomv.additive(c["fc_width"]) for c in emomv.CELLS), *ALONE.values(), TWO]
    for test, runs in ((RELEASED, seeds), (ONCE, folds)):
        some = [r for r in rows if r.get("test") == test]
        accuracy = {r["row"]: r for r in some if r["kind"] == "accuracy"}
        assert set(accuracy) == set(methods) and all(len(r["values"]) == runs for r in accuracy.values())
        assert {(r["row"], r["of"]) for r in some if r["kind"] == "squares"} == {
            (who, of) for who in (*cells, TWO) for of in KINDS}
        assert {r["row"] for r in some if r["kind"] == "less"} == {
            f"{emomv.acp_net(w)} less {other}" for w in (1.0, 0.25)
            for other in (emomv.additive(w), ALONE["music"], TWO)}
        assert {r["row"] for r in some if r["kind"] == "named"} == {"image", "music"}
        assert {r["row"]: len(r["values"]) for r in some if r["kind"] == "explained"} == dict.fromkeys(cells, runs)
        for r in some:
            if "interval" in r:
                low, high = r["interval"]
                assert low <= r["ours"] <= high and (r["kind"] == "less" or 0 <= low <= high <= 100)
    assert [r["part"] for r in rows if r["kind"] == "counts"] == list(emomv.PARTS)
    assert [r["side"] for r in rows if r["kind"] == "follows"] == ["image", "music"]
    assert sum(r["kind"] == "twice" for r in rows) == 1
    return True


@pytest.mark.slow
def test_the_command_records_everything_and_goes_on_where_it_was(folder, tmp_path, monkeypatch, quick, capsys):
    monkeypatch.chdir(tmp_path)
    command = ["emomv", "folder", *(f"-p {given}" for given in ("data pairs", "work work", "seeds 2", "epochs 3"))]
    command = [*" ".join(command).split(), "--out"]
    assert record.main([*command, "one.json"], "python -m acp_lib record") == 0
    assert len(quick) == 2 * (2 + 3) and {(w, e, rate) for w, _, e, rate in quick} == {(1.0, 3, 1e-4), (0.25, 3, 4e-4)}
    made = json.loads((tmp_path / "one.json").read_text("utf8"))
    assert complete(made["rows"], 2, 3) and set(recorded.ABOUT) < set(made)
    assert made["data"] == "EmoMV-C" and len(made["files"]) == 6 and str(tmp_path) not in json.dumps(made)
    assert made["settings"]["seeds"] == 2 and made["settings"]["folds"] == 3
    assert made["command"].endswith("record emomv folder -p data pairs -p work work -p seeds 2 -p epochs 3")
    assert record.main([*command, "two.json"], "python -m acp_lib record") == 0
    assert len(quick) == 10  # nothing is trained again
    assert json.loads((tmp_path / "two.json").read_text("utf8"))["rows"] == made["rows"]
    assert record.main(["4" if word == "3" else word for word in command] + ["three.json"]) == 0
    assert len(quick) == 20  # other settings are other networks


@pytest.mark.parametrize(("given", "said"), [
    (["emomv"], "no folder is given; give the one that holds the files of EmoMV-C"),
    (["emomv", "folder", "-p", "data", "."], "has no file DS3_TRAIN_MATCH_MISMATCH_labels.csv"),
    (["emomv", "folder", "-p", "data", "none"], "which is no folder"),
    (["emomv", "folder", "-p", "data", ".", "--to", "x"], "--to is x, of which emomv has no use: it is for transfer"),
    (["emomv", "folder", "-p", "data", ".", "--export", "x"], "--export is x, of which emomv has no use: it is for "),
])
def test_what_cannot_be_recorded_is_told_in_a_line(tmp_path, monkeypatch, capsys, given, said):
    monkeypatch.chdir(tmp_path)
    assert record.main([*given, "--out", "out.json"]) == 2
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1 and not (tmp_path / "out.json").exists()


def test_a_folder_is_needed():
    with pytest.raises(ValueError, match="emomv folder -p data FOLDER"):
        emomv.rows(load(profile="mini"))


# --- what is kept and said


@pytest.mark.parametrize(("pairs", "points"), [(96, 14.30), (456, 6.56), (10_000, 1.40)])
def test_how_much_so_many_pairs_tell(pairs, points):
    assert emomv.detectable(pairs) == pytest.approx(points, abs=0.005)


def row(kind, who, low, of=None, test=ONCE):
    return {"kind": kind, "row": who, "of": of, "test": test, "ours": low + 5, "interval": [low, low + 10]}


WORDS = [  # where intervals begin: of squares of the network and of two classifiers, of music and video alone
    ((45, 60), (55, 45),
     "late fusion gets more than half of the squares right; this is not shown for ACP-Net",
     "the music alone can give the pairs away, though the emotion of one half cannot"),
    ((51, 60), (45, 45), "ACP-Net and late fusion get more than half of the squares right",
     "neither half is shown to give the pairs away"),
    ((45, 50), (55, 52), "it is not shown that ACP-Net and late fusion get more than half of the "
     "squares right",
     "the pictures and the music alone can give the pairs away, though the emotion of one half cannot")]


@pytest.mark.parametrize(("crossed", "alone", "compares", "away"), WORDS)
def test_words_follow_the_numbers(crossed, alone, compares, away):
    rows = [row("squares", who, low, "both") for who, low in zip(("ACP-Net", TWO), crossed, strict=True)]
    rows += [row("squares", "ACP-Net", 90, "clip alone"), row("squares", TWO, 1, "both", RELEASED)]
    rows += [row("accuracy", who, low) for who, low in zip(("music alone", "video alone"), alone, strict=True)]
    assert emomv.comparing(rows) == compares and emomv.gives_away(rows) == away


def test_one_row_is_asked_for():
    assert emomv.one([row("less", "a", 1), row("less", "b", 1)], row="a")["row"] == "a"
    with pytest.raises(ValueError, match="2 rows have .*; expected one: record them anew, by acp record emomv"):
        emomv.one([row("less", "a", 1), row("less", "b", 1)], kind="less")


KEPT = recorded.read("emomv")


def test_what_is_kept_is_complete():
    kept, = KEPT
    assert all(kept[key] for key in (*recorded.ABOUT, "files", "settings")) and kept["data"] == emomv.NAME
    assert "record emomv folder -p data emomv_c" in kept["command"] and "/" not in kept["command"]
    assert complete(kept["rows"], kept["settings"]["seeds"], kept["settings"]["folds"])
    assert kept["settings"]["cells"] == list(emomv.CELLS) and kept["settings"]["folds"] == emomv.FOLDS
    assert {r["part"]: r["pairs"] for r in kept["rows"] if r["kind"] == "counts"} == {"train": 360, "test": 96}
    assert {r["pairs"] for r in kept["rows"] if r["kind"] == "accuracy"} == {96, 456}


def test_the_chapter_and_the_first_page_type_no_result_of_their_own():
    page = (ROOT / "notebooks/21_other_pairs.md").read_text("utf8").split("# Other people's pairs")[1]
    prose = re.sub(r"```.*?```|\{[\w:]+\}`[^`]*`", "", page.split("## Exercises")[0], flags=re.S)
    assert set(re.findall(r"\d+", prose)) == {"95"}  # the level of intervals
    assert 'recorded.read("emomv")' in page and "report.say(recorded.sentence(found))" in page
    said, = (s for s in front.sentences() if "EmoMV-C" in s)
    assert all(f"{emomv.one(KEPT[0]['rows'], kind='accuracy', row=who, test=ONCE)['ours']:.1f} %" in said
               for who in (ALONE["music"], "ACP-Net", TWO))


@pytest.mark.parametrize(("music", "lead"), [
    (55, "**One half can give a pair away where emotions are balanced**"),
    (45, "**Where emotions are balanced the music gives no pair away**")])
def test_the_first_page_follows_the_numbers(monkeypatch, music, lead):
    rows = [row("accuracy", who, low) for who, low in (("ACP-Net", 51), (ALONE["music"], music), (TWO, 58))]
    rows += [row("squares", "ACP-Net", 45, "both"), {"kind": "counts", "part": "train"}]
    kept = [{"data": "X", "rows": rows}]
    monkeypatch.setattr(recorded, "read", lambda study: kept if study == "emomv" else [])
    said = front.sentences()[-1]
    assert said.startswith(f"{lead}: on the music videos of X a music-only baseline ")
    assert f" {music + 5:.1f} % of the pairs, ACP-Net on 56.0 %" in said
    assert "classifiers on 63.0 %." in said and "it is not shown that ACP-Net gets more than half" in said


def test_rows_are_named_as_the_designs_are():
    song = {side: np.array([f"s{k}" for k in range(6)]) for side in frozen.SIDES}
    some = frozen.Listed({}, {}, {}, song, np.ones(6, int), np.arange(6) > 3)
    assert list(frozen.designs(some, 1, 2, 0)) == [RELEASED, ONCE]
