"""What takes ACP-Net off its plateau: how samples are dealt, what is recorded, and what is said of it."""

import json
import shutil
from collections import Counter

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save
from scipy import stats
from test_corpus import small

from acp_lib import streams
from acp_lib.experiment.corpus import Corpus
from acp_lib.experiment.splits import PARTS
from acp_lib.findings import courses, plateau, record
from acp_lib.profiles.groups import Pairing
from acp_lib.results import recorded

CELL = {"fc_width": 0.125, "learning_rate": 1e-3, "batch": 8, "dropout_at": "fusion"}
TRAIN, VAL, TEST = range(3)


def material(seed: int = 0) -> plateau.Material:
    """A corpus whose songs have two segments each."""
    corpus = small((2048, 193), n=(120, 96))
    groups = {"image": np.array([f"p{k}" for k in range(len(corpus.image.part))]),
              "music": np.array([f"s{k // 2}" for k in range(len(corpus.music.part))])}
    for name, names in groups.items():  # whole songs, of one class each, in one part
        side = getattr(corpus, name)
        _, first, where = np.unique(names, return_index=True, return_inverse=True)
        side.label[:], side.part[:] = side.label[first][where], side.part[first][where]
    return plateau.Material(corpus, groups, {"data": "Made up", "synthetic": True, "data_fingerprint": "0",
                                             "image_weights": "random", "seed": seed})


@pytest.fixture(scope="module")
def folds() -> list[Corpus]:
    return [plateau.folded(material(), fold, {}, 4) for fold in range(4)]


@pytest.mark.parametrize("side", ["image", "music"])
def test_the_test_part_stays_as_it_was_and_is_never_trained_or_chosen_on(folds, side):
    was = getattr(material().corpus, side).part == TEST
    assert was.any()
    for corpus in folds:
        assert ((getattr(corpus, side).part == TEST) == was).all()


@pytest.mark.parametrize("side", ["image", "music"])
def test_each_other_sample_is_judged_on_in_one_fold_and_trained_on_in_the_others(folds, side):
    parts = np.array([getattr(corpus, side).part for corpus in folds])
    rest = parts[0] != TEST
    assert ((parts[:, rest] == VAL).sum(0) == 1).all()
    assert ((parts[:, rest] == TRAIN).sum(0) == len(folds) - 1).all()


def test_songs_stay_whole(folds):
    names = material().groups["music"]
    for corpus in folds:
        assert (pd.Series(corpus.music.part).groupby(names).nunique() == 1).all()


@pytest.mark.parametrize("side", ["image", "music"])
def test_features_are_scaled_by_the_training_part_alone(folds, side):
    for corpus in folds:
        one = getattr(corpus, side)
        assert torch.allclose(one.x[one.rows("train")].mean(0), torch.zeros(one.x.shape[1]), atol=1e-4)


@pytest.mark.parametrize("side", ["image", "music"])
def test_shares_of_the_songs_are_nested_and_keep_all_classes(side):
    held = [plateau.folded(material(), 0, {side: share}, 4) for share in (0.3, 0.6, 1.0)]
    rows = [set(getattr(corpus, side).rows("train")) for corpus in held]
    assert rows[0] < rows[1] < rows[2]
    assert len(rows[0]) == pytest.approx(0.3 * len(rows[2]), abs=6)
    for corpus in held:
        one = getattr(corpus, side)
        assert set(one.label[one.rows("train")]) == {0, 1, 2}
        assert (one.rows("val") == getattr(held[2], side).rows("val")).all()
    other = "music" if side == "image" else "image"
    assert (getattr(held[0], other).part == getattr(held[2], other).part).all()


def test_material_comes_back_as_it_was_saved(tmp_path):
    before = material()
    before.save(tmp_path)
    after = plateau.Material.read(tmp_path)
    assert after.about == before.about
    for name, names in before.groups.items():
        assert (after.groups[name] == names).all()
        assert torch.equal(getattr(after.corpus, name).x, getattr(before.corpus, name).x)


@pytest.mark.parametrize("kept", [7, 40, 1000])
def test_pairs_that_are_kept_come_again_in_every_epoch_equally_often_and_in_another_order(folds, kept):
    task = plateau.Kept(folds[0], Pairing(pairs_per_epoch=200), 3, kept)
    one, two = ([*zip(*epoch.rows, epoch.target, strict=True)] for epoch in (task.epoch([3, e], 8) for e in (1, 2)))
    often = Counter(one)
    assert len(one) == len(two) == 200 and one != two
    if kept < 200:
        drawn = task.corpus.draw("train", "class_balanced", kept, streams.generator("pairs kept", 3))
        assert often.keys() == Counter(two).keys() == set(zip(drawn.image, drawn.music, drawn.truth, strict=True))
        asked = Counter(zip(drawn.image, drawn.music, drawn.truth, strict=True))
        assert all(abs(n / asked[pair] - 200 / kept) <= 1 for pair, n in often.items())


def test_no_pairs_that_are_kept_means_new_ones_each_epoch(folds):
    options = Pairing(pairs_per_epoch=200)
    one, two = (task.epoch([3, 1], 8) for task in (plateau.Kept(folds[0], options, 3), plateau.Correspondence(
        folds[0], options, 3)))
    assert all((a == b).all() for a, b in zip([*one.rows, one.target], [*two.rows, two.target], strict=True))


@pytest.mark.slow
def test_a_run_for_each_fold_with_its_setting_its_course_and_two_classifiers():
    rows = plateau.trained(material(), CELL, {}, "cpu", folds=2, epochs=2)
    assert [row["fold"] for row in rows] == [0, 1]
    for row in rows:
        assert row.items() >= CELL.items() and len(row["curve"]) == 2
        assert row["level"] == pytest.approx(np.mean(row["curve"]), abs=0.06) and 0 <= row["two"] <= 100
        assert row["best"] == pytest.approx(max(row["curve"]), abs=0.06)


@pytest.mark.parametrize(("accuracy", "left"), [([0.5, 0.56, 0.5], 2), ([0.5, 0.55, 0.54], None), ([0.6], 1)])
def test_a_run_has_left_once_it_is_right_on_training_pairs(accuracy, left):
    history = [{"epoch": k, "accuracy": a, "val_accuracy": 0.5} for k, a in enumerate(accuracy, 1)]
    assert plateau._course(history)["left"] == left


def rows(level: float, left: list[int | None], **more) -> list[dict]:
    return [{**CELL, "fold": k, "image": 70, "music": 40, "updates": 100, "left": e, "level": level + k, "best": 60,
             "curve": [50], "two": 55.0, **more} for k, e in enumerate(left)]


def test_settings_are_compared_by_how_many_left_and_where_they_came_to():
    made = [{"data": "A", "rows": rows(60, [3, 5, None]) + rows(50, [None, None, 9], dropout_at="hidden")}]
    table = courses.compared(made)
    assert table["left"].tolist() == [2, 1] and table["runs"].tolist() == [3, 3]
    assert table["median"].tolist()[0] == 5 and pd.isna(table["median"][1])
    assert [courses.until(row) for row in table.itertuples()] == [500, None]
    assert [courses.place(row) for row in table.itertuples()] == ["fusion", "each hidden layer"]
    assert table["level"].tolist() == [61, 51] and table["two"].tolist() == [55, 55]


def test_the_number_of_samples_is_told_by_what_was_varied():
    made = [{"data": "A", "rows": [*rows(50, [1, 1], music=10), *rows(58, [1, 1], image=20), *rows(60, [1, 1])]}]
    table = courses.by_samples(made)
    assert table[["varied", "samples", "level"]].to_numpy().tolist() == [
        ["music", 10, 50.5], ["music", 40, 60.5], ["image", 20, 58.5], ["image", 70, 60.5]]
    assert table["lead"].tolist() == pytest.approx([-4.5, 5.5, 3.5, 5.5])


def test_the_number_of_pairs_is_that_kept_or_all_that_were_drawn():
    made = [{"data": "A", "rows": [*rows(50, [1, 1], pairs=500), *rows(60, [1, 1], pairs=0, curve=[50] * 3)]}]
    table = courses.by_pairs(made)
    assert table[["varied", "samples", "anew", "level"]].to_numpy().tolist() == [
        ["pairs", 500, False, 50.5], ["pairs", 2400, True, 60.5]]


def kept(data: str, **levels: list[float]) -> dict:
    """A recorded result with these levels in each fold by the number of pairs that came again; n0: drawn anew."""
    return {"data": data, "rows": [{"fold": fold, "pairs": int(n[1:]), "level": level}
                                   for n, some in levels.items() for fold, level in enumerate(some)]}


def test_what_new_pairs_gain_is_told_by_folds():
    results = [kept("A", n0=[60, 61, 65], n8=[58, 60, 60]), kept("B", n0=[55, 55, 55], n8=[56, 56, 56])]
    reach = stats.t.ppf(0.975, 2) * np.std([2, 1, 5], ddof=1) / 3 ** 0.5
    assert courses.gained(results, 8) == f"A, +2.7 ± {reach:.1f}; B, -1.0 ± 0.0"
    assert courses.most(results, 8) == pytest.approx(8 / 3 + reach)


ENOUGH = [  # levels in two folds by the number of pairs that came again, where new ones reach 60 in both; the answer
    ({"n8": [50, 50], "n16": [55, 55], "n32": [60.5, 59.5]}, 32),
    ({"n8": [50, 50], "n16": [60, 60], "n32": [60, 60]}, 16),
    ({"n8": [59, 61], "n16": [61, 61], "n32": [60, 60]}, 8),
    ({"n8": [60, 60], "n16": [55, 55], "n32": [60, 60]}, 32)]


@pytest.mark.parametrize(("levels", "said"), ENOUGH)
def test_pairs_are_enough_from_the_number_on_over_which_new_ones_gain_nowhere(levels, said):
    same = dict.fromkeys(("n0", *levels), [60, 60])
    assert courses.enough([kept("A", **same), kept("B", n0=[60, 60], **levels)]) == said


def test_pairs_over_which_new_ones_always_gain_are_not_enough():
    with pytest.raises(ValueError, match=r"gain over each number of pairs that was tried, \[8, 16\]"):
        courses.enough([kept("A", n0=[60, 60], n8=[60, 60], n16=[59, 59])])


@pytest.mark.parametrize("modality", ["image", "music"])
def test_a_class_that_some_fold_would_lack_is_refused(modality):
    some = material()
    plateau.refuse_few(some, 8)
    side, groups = getattr(some.corpus, modality), some.groups[modality]
    held = side.part != TEST
    fewest = min(len(set(groups[held & (side.label == k)])) for k in range(3))
    plateau.refuse_few(plateau.Material(some.corpus, {modality: groups}, {}), fewest)
    with pytest.raises(ValueError, match=rf"^{fewest} different samples of {modality} outside the test part are .*; "
                                         rf"expected {fewest + 1} or more"):
        plateau.refuse_few(plateau.Material(some.corpus, {modality: groups}, {}), fewest + 1)


@pytest.fixture
def recording(tmp_path, monkeypatch):
    material().save(tmp_path / "features")
    asked: list[dict] = []
    inner = plateau.trained

    def counted(some, cell, *more, **options):
        asked.append(cell)
        if len(asked) == 2 and not (tmp_path / "stop").exists():
            (tmp_path / "stop").touch()
            raise KeyboardInterrupt
        return inner(some, cell, *more, **options, folds=2)

    monkeypatch.setattr(plateau, "trained", counted)
    monkeypatch.setitem(plateau.STUDIES, "plateau", lambda: [(CELL, {}), (CELL | {"dropout_at": "hidden"}, {})])
    out = tmp_path / "made.json"
    return asked, ["plateau", "--material", str(tmp_path / "features"), "--epochs", "1", "--device", "cpu",
                   "--out", str(out)]


@pytest.mark.slow
def test_a_study_that_was_stopped_goes_on_and_says_what_it_is(recording, tmp_path):
    asked, command = recording
    assert record.main(command, "acp record") == 130
    assert not (tmp_path / "made.json").exists()
    assert record.main(command, "acp record") == 0
    assert [cell["dropout_at"] for cell in asked] == ["fusion", "hidden", "hidden"]
    made = json.loads((tmp_path / "made.json").read_text("utf8"))
    assert set(recorded.ABOUT) < set(made) and made["data"] == "Made up" and len(made["rows"]) == 4
    assert made["command"] == f"acp record plateau --material {tmp_path / 'features'} --epochs 1 --device cpu"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["features", "made.json", "stop"]


@pytest.mark.slow
def test_a_study_that_was_stopped_takes_nothing_of_other_material(recording, tmp_path):
    asked, command = recording
    assert record.main(command, "acp record") == 130
    other = material()
    other.corpus.image.x[0] += 1
    other.save(tmp_path / "features")
    assert record.main(command, "acp record") == 0
    assert [cell["dropout_at"] for cell in asked] == ["fusion", "hidden", "fusion", "hidden"]


@pytest.mark.slow
def test_a_study_that_ended_beside_another_takes_nothing_from_it(recording, tmp_path, monkeypatch):
    monkeypatch.setattr(plateau, "trained", lambda *_, **__: shutil.rmtree(tmp_path / "made.parts", True) or [{"x": 1}])
    assert record.main(recording[1], "acp record") == 0
    assert len(json.loads((tmp_path / "made.json").read_text("utf8"))["rows"]) == 2


def spoil(path, change):
    held = load_file(path)
    change(held)
    path.write_bytes(save(held))


SPOILT = [
    ("a file is cut off", lambda f: (f / "image.safetensors").write_bytes((f / "image.safetensors").read_bytes()[:99]),
     "SafetensorError: "),
    ("groups are missing", lambda f: (f / "music.csv").write_text("group\ns1\n"),
     "ValueError: music has features (96, 193), 96 classes, 96 parts and 1 groups; expected as many of each"),
    ("no groups", lambda f: (f / "music.csv").write_text("name\ns1\n"), "KeyError: 'group'"),
    ("an empty table", lambda f: (f / "image.csv").write_text(""), "EmptyDataError: "),
    ("other sides", lambda f: shutil.copy(f / "image.safetensors", f / "music.safetensors"), "expected as many of "),
    ("no parts", lambda f: spoil(f / "image.safetensors", lambda held: held.pop("part")), "TypeError: "),
    ("no numbers", lambda f: spoil(f / "image.safetensors", lambda held: held["x"].fill_(torch.nan)),
     "ValueError: features of image are not finite"),
    ("another width", lambda f: spoil(f / "image.safetensors", lambda held: held.update(x=torch.zeros(120, 5))),
     "ValueError: image has features (120, 5)"),
    ("about what", lambda f: (f / "about.json").write_text('{"data": "A"}'),
     "ValueError: about.json says nothing of data_fingerprint, synthetic"),
    ("a list", lambda f: (f / "about.json").write_text("[1]"), "ValueError: about.json holds no names with values"),
    ("half a file", lambda f: (f / "about.json").write_text('{"data'), "JSONDecodeError: "),
    ("gone", lambda f: (f / "about.json").unlink(), "FileNotFoundError: No such file or directory"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("spoilt", "said"), [row[1:] for row in SPOILT], ids=[row[0] for row in SPOILT])
def test_material_that_cannot_be_used_is_named_with_the_remedy(tmp_path, capsys, spoilt, said):
    folder = tmp_path / "features"
    material().save(folder)
    spoilt(folder)
    assert record.main(["plateau", "--material", str(folder), "--out", str(tmp_path / "made.json")], "acp record") == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert f"{folder} cannot be used (" in told and said in told
    assert told.startswith("error: ") and "; export the features anew, by --export" in told


def test_epochs_must_be_some(recording, capsys):
    assert record.main([*recording[1], "--epochs", "0"], "acp record") == 2
    assert "--epochs is 0" in capsys.readouterr().err


@pytest.mark.parametrize(("dates", "said"), [(["2026-01-02"], "Recorded 2026-01-02 on H"),
                                             (["2026-01-02", "2026-01-05"], "Recorded 2026-01-02 to 2026-01-05 on H")])
def test_a_page_says_when_where_and_by_which_command_a_result_was_recorded(dates, said):
    made = [{"date": date, "hardware": "H", "command": "acp record x"} for date in dates]
    assert recorded.sentence(made) == f"{said} by `acp record x`, not computed with this book."


def test_several_commands_are_folded_below_the_sentence():
    made = [{"date": "2026-01-02", "hardware": "H", "command": f"acp record {what}"} for what in "bab"]
    said, rest = recorded.sentence(made).split("\n", 1)
    assert said == "Recorded 2026-01-02 on H, not computed with this book."
    assert "The 2 commands" in rest and "\n~~~bash\nacp record a\nacp record b\n~~~\n" in rest
    assert rest.count("<details") == rest.count("</details>") == 1


def test_what_the_settings_come_to():
    glorot = rows(50, [None, None], dropout_at="hidden", initialisation="glorot")
    made = [{"data": "A", "rows": [*rows(60, [2, 2]), *rows(63, [9, 11], dropout_at="hidden"), *glorot]}]
    for row in made[0]["rows"]:
        row.setdefault("initialisation", "pytorch")
    assert courses.summary(courses.compared(made)) == {
        "fusion_updates": 200, "hidden_updates": 1000, "glorot_fusion_left": 0, "glorot_fusion_runs": 0,
        "glorot_hidden_left": 0, "glorot_hidden_runs": 2, "apart": pytest.approx(3)}


KEPT = sorted(path for study in plateau.STUDIES for path in (recorded.FOLDER / study).glob("*.json"))


@pytest.mark.parametrize("path", KEPT, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_what_is_kept_is_whole(path):
    made = json.loads(path.read_text("utf8"))
    assert all(made[key] for key in ("command", "date", "hardware", "versions", "data", "data_fingerprint"))
    jobs = plateau.STUDIES[path.parent.name]()
    assert len(made["rows"]) == plateau.FOLDS * len(jobs)
    for (cell, _), k in zip(jobs, range(0, len(made["rows"]), plateau.FOLDS), strict=True):
        own = made["rows"][k:k + plateau.FOLDS]
        assert [row["fold"] for row in own] == list(range(plateau.FOLDS))
        assert all(row.items() >= cell.items() and len(row["curve"]) == made["epochs"] for row in own)
    assert PARTS == ("train", "val", "test")


def test_settings_stand_side_by_side_with_a_column_for_each_corpus():
    tried = courses.compared(recorded.read("plateau"))
    rows = courses.side_by_side(tried)
    names = list(dict.fromkeys(tried["data"]))
    assert len(rows) == 1 + len(tried) / len(names) and all(list(row)[4:] == names for row in rows)
    first = tried.iloc[0]
    updates = int(first["median"] * first["updates"])
    assert rows[0][first["data"]] == (f"{first['left']} of {first['runs']}, {updates:,} "
                                      f"updates: {first['level']:.1f} ± {first['reach']:.1f}")
    never = next(r for r in tried.itertuples() if r.median is None or r.median != r.median)
    words = f"{never.left} of {never.runs}: {never.level:.1f} ± {never.reach:.1f}"
    assert any(row[never.data] == words for row in rows)
    assert rows[-1]["Dropout"] == "two classifiers" and float(rows[-1][names[0]]) > 50
