"""A trained network put to use: temperature, ranks, what is refused, and what a terminal, a page and files show."""

import base64
import csv
import io
import json
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import soundfile
from bs4 import BeautifulSoup
from conftest import corpus as folder_corpus
from conftest import picture, sound
from PIL import Image
from scipy.special import expit, logit
from test_acp import called
from test_study import profile, quick  # noqa: F401 - a fixture

from acp_lib.audits.additive import margins
from acp_lib.engine.text import plain
from acp_lib.matching import scores, told
from acp_lib.matching.page import QUERIES, SIDE, _Media, page
from acp_lib.matching.scores import match, tabled, temperature
from acp_lib.profiles import places
from acp_lib.study import Study

HOSTILE = ["<script>alert(1)<", '"><img src=x onerror=alert(1)>', "' onmouseover='alert(1)", "&lt;b&gt;", "a\u202egpj",
           "a\nerror: forged", "\x1b[2Jx", "=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\t=1", "`[x](javascript:1)", "%00",
           "a,b;c", "\u97f3 \u00e9"]
ODD_SONGS = {  # name: (how it is made, part of the reason)
    "empty.wav": (lambda p: p.touch(), "cannot open empty.wav (0 bytes) as audio"),
    "text.mp3": (lambda p: p.write_text("no sound"), "as audio"),
    "silence.wav": (lambda p: soundfile.write(p, np.zeros(22050 * 12), 22050), "is silent throughout"),
    "short.wav": (lambda p: sound(p, seconds=9.0), "9.0 s long; a clip is used from 10 s up"),
    "nothing.wav": (lambda p: soundfile.write(p, np.zeros(0), 22050), "holds no samples"),
    "film.mp4": (lambda p: p.write_bytes(b"\0\0\0\x18ftypmp42" + bytes(100)), "MP4 is not read; convert it: ffmpeg"),
    "nowhere.wav": (lambda p: p.symlink_to("gone"), "no such file: the link leads nowhere"),
    "pipe.wav": (os.mkfifo, "neither a file nor a folder"),
    "loop": (lambda p: p.symlink_to(p.parent), "the link leads back to a folder that holds it"),
    "picture.jpg": (picture, "as audio"),
}
ODD_PICTURES = {
    "empty.jpg": (lambda p: p.touch(), "cannot identify image file"),
    "text.png": (lambda p: p.write_text("no picture"), "cannot identify image file"),
    "half.png": (lambda p: p.write_bytes(picture(p).read_bytes()[:2000]), "truncated"),
    "song.wav": (sound, "cannot identify image file"),
    "film.mp4": (lambda p: p.write_bytes(b"\0\0\0\x18ftypmp42" + bytes(100)), "cannot identify image file"),
    "photo.heic": (lambda p: p.write_bytes(bytes(100)), "HEIC is not read; convert it: magick"),
    "nowhere.jpg": (lambda p: p.symlink_to("gone"), "no such file: the link leads nowhere"),
}
ELEMENTS = {"html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "p", "section", "div", "ol", "ul",
            "li", "span", "progress", "img", "audio", "a", "table", "tr", "th", "td"}
PASSED_OVER = (".hidden.wav", "Thumbs.db", "._s.wav", "x.wav.part")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return folder_corpus(tmp_path_factory.mktemp("data") / "mine")


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def study(data, work):
    return Study(profile(data, work, seeds=2), progress=False)


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """Pictures and songs, good and bad, below `pictures` and `songs`."""
    root = tmp_path_factory.mktemp("odd")
    for folder, made in (("pictures", ODD_PICTURES), ("songs", ODD_SONGS)):
        (root / folder / "below").mkdir(parents=True)
        for name, (make, _) in made.items():
            make(root / folder / name)
    for k in range(2):
        picture(root / f"pictures/below/p{k}.png", k)
        sound(root / f"songs/below/s{k}.wav", k)
    sound(root / "songs/one.wav", 7)
    (root / "songs/again.wav").symlink_to("one.wav")
    for name in PASSED_OVER:
        (root / "songs" / name).write_text("none of the songs")
    return root


@pytest.fixture(scope="module")
def found(study, odd):
    return scores.matched(study, odd / "pictures", odd / "songs")


# temperature


@pytest.mark.parametrize("times", [0.2, 0.5, 1.0, 2.0, 5.0, 30.0])
def test_a_temperature_undoes_that_log_odds_are_too_large_or_too_small(times):
    rng = np.random.default_rng(0)
    odds = rng.normal(0, 2, 20_000)
    truth = rng.random(20_000) < expit(odds)
    assert temperature(times * odds, truth) == pytest.approx(times, rel=0.05)


@pytest.mark.parametrize(("said", "truth", "least", "most"), [
    ([3, 2, -3, -2], [1, 1, 0, 0], 0, 0.06),  # no error: as sharp as may be
    ([3, 2, -3, -2], [0, 0, 1, 1], 900, 1000),  # nothing but errors: one half for all, in the same order
    ([4, 4, -4, -4], [1, 0, 1, 0], 900, 1000),  # no better than a coin
    ([4, 4, 4, -4, -4, -4], [1, 1, 0, 0, 0, 1], 4 / np.log(2) - 0.1, 4 / np.log(2) + 0.1),  # two of three are right
    ([0, 0, 0], [1, 0, 1], scores.SHARPEST, scores.SOFTEST),  # any will do
])
def test_a_temperature_is_as_sure_as_the_answers_are_right(said, truth, least, most):
    assert least <= temperature(np.array(said, float), np.array(truth)) <= most


@pytest.mark.parametrize("t", [scores.SHARPEST, 0.7, 1.0, 4.0, scores.SOFTEST])
def test_calibration_keeps_the_order(t):
    said = np.random.default_rng(1).normal(0, 1, (3, 1, 50))
    table = tabled(["p"], [f"s{k:02}" for k in range(50)], said, t)
    order = np.argsort(-said.mean(0)[0])
    assert table["song"].tolist() == [f"s{k:02}" for k in order] and table["place_of_song"].tolist() == [*range(1, 51)]
    assert (table["probability"].diff().dropna() <= 0).all() and table["probability"].between(0, 1).all()
    assert ((table["lowest"] <= table["probability"]) & (table["probability"] <= table["highest"])).all()


# ranks


@pytest.mark.parametrize(("said", "wanted"), [
    ([[[1, 3, 2]]], [("p0", "s1", 1, 1), ("p0", "s2", 2, 1), ("p0", "s0", 3, 1)]),
    ([[[1], [3], [2]]], [("p1", "s0", 1, 1), ("p2", "s0", 1, 2), ("p0", "s0", 1, 3)]),  # one song: its pictures
    ([[[0]]], [("p0", "s0", 1, 1)]),
    ([[[1, 2], [4, 3]]], [("p0", "s1", 1, 2), ("p0", "s0", 2, 2), ("p1", "s0", 1, 1), ("p1", "s1", 2, 1)]),
    ([[[5, 5, 1]]], [("p0", "s0", 1, 1), ("p0", "s1", 1, 1), ("p0", "s2", 3, 1)]),  # equals share a place
    ([[[9, 0]], [[0, 1]], [[0, 1]]], [("p0", "s0", 1, 1), ("p0", "s1", 2, 1)]),  # the mean over networks, not a vote
    ([[[800, 900]]], [("p0", "s1", 1, 1), ("p0", "s0", 2, 1)]),  # both probabilities are 1, their places are not
])
def test_the_best_comes_first(said, wanted):
    said = np.array(said, float)
    names = [[f"{letter}{k}" for k in range(n)] for letter, n in zip("ps", said.shape[1:], strict=True)]
    table = tabled(*names, said, 1.0)
    assert list(table[["picture", "song", "place_of_song", "place_of_picture"]].itertuples(index=False, name=None)
                ) == wanted
    of = table.set_index(["picture", "song"])
    for p, s in np.ndindex(said.shape[1:]):
        one = of.loc[(f"p{p}", f"s{s}")]
        assert one["probability"] == expit(said[:, p, s].mean())
        assert (one["lowest"], one["highest"]) == (expit(said[:, p, s].min()), expit(said[:, p, s].max()))


# a trained network


@pytest.mark.slow
def test_the_studys_own_files_get_what_its_networks_say_of_its_samples(study, data):
    own = scores.matched(study, data / "images", data / "music")
    n, m = len(study.corpus.image.label), len(study.corpus.music.label)
    wanted = np.mean([margins(r.model(), study.corpus, np.arange(n), np.arange(m)) for r in study.runs], 0)
    table = own.table.pivot(index="picture", columns="song", values="probability")
    names = {k: rows["path"].str.partition("/")[2] for k, rows in study.manifest.groupby("modality")}
    got = logit(table.loc[names["image"], names["music"]].to_numpy()) * own.about["temperature"]
    met = {k: rows["sha"].nunique() for k, rows in study.manifest[study.part == "train"].groupby("modality")}
    assert own.about["met_in_training"] == {"pictures": met["image"], "songs": met["music"]}
    assert np.ptp(wanted) > 0 and np.allclose(got, wanted, rtol=1e-3, atol=1e-5 * own.about["temperature"])


@pytest.mark.slow
def test_a_song_is_the_mean_of_its_segments_and_the_rest_is_not_heard(study, tmp_path):
    long, one = sound(tmp_path / "long/l.wav", 3, 125.0), picture(tmp_path / "p.png")
    y, rate = soundfile.read(long, dtype="int16")
    (tmp_path / "cut").mkdir()
    for k in range(2):
        soundfile.write(tmp_path / f"cut/{k}.wav", y[60 * k * rate:60 * (k + 1) * rate], rate)
    whole, cut = (scores.matched(study, one, tmp_path / name).table for name in ("long", "cut"))
    assert whole[["segments", "seconds"]].values.tolist() == [[2, 120.0]]
    assert cut["segments"].tolist() == [1, 1] and cut["seconds"].tolist() == [60.0, 60.0]
    assert logit(whole["probability"][0]) == pytest.approx(logit(cut["probability"]).mean(), abs=1e-6)


@pytest.mark.slow
def test_what_cannot_be_used_is_named_with_the_reason_and_the_rest_is_ranked(found, odd):
    assert set(found.table["picture"]) == {"below/p0.png", "below/p1.png"}
    assert set(found.table["song"]) == {"below/s0.wav", "below/s1.wav", "one.wav", "again.wav"}
    assert len(found.table) == 8 and not found.table.isna().any(axis=None)
    refused = found.refused.set_index(["taken_for", "path"])["reason"]
    for what, made in (("picture", ODD_PICTURES), ("song", ODD_SONGS)):
        assert set(refused[what].index) == set(made)
        for name, (_, why) in made.items():
            assert why in refused[what, name], name
    assert not [reason for reason in refused if str(odd) in reason]  # where things lie is nobody's matter
    assert len(told.refusals(found)) == len(refused)


@pytest.mark.slow
def test_a_song_that_breaks_off_is_refused_whole(study, tmp_path):
    path = sound(tmp_path / "songs/broken.flac", 5, 12.0)
    data = bytearray(path.read_bytes())
    data[len(data) // 5:len(data) // 5 + 2000] = bytes(2000)  # far from where it is probed
    path.write_bytes(data)
    sound(tmp_path / "songs/whole.flac", 6)
    found = scores.matched(study, picture(tmp_path / "p.png"), tmp_path / "songs")
    assert found.table["song"].tolist() == ["whole.flac"] and found.refused["path"].tolist() == ["broken.flac"]
    assert found.refused["reason"][0].startswith("cannot be decoded: ")


@pytest.mark.slow
@pytest.mark.parametrize(("pictures", "songs", "message"), [
    ("pictures/empty.jpg", "songs", "'pictures' holds no picture that can be used (empty.jpg: cannot be read: "),
    ("songs/below", "pictures/below", "'below' holds no picture that can be used (s0.wav: cannot be read: "),
    ("pictures", "songs/silence.wav", "'songs' holds no song that can be used (silence.wav: "),
    ("pictures", "nothing", "'nothing' holds no song that can be used (it is empty)"),
    ("nowhere", "songs", "nowhere' is no file or folder; check its name"),
    ("pictures", "songs/nowhere.wav", "nowhere.wav' is no file or folder; check its name"),
])
def test_nothing_to_score_is_an_error_before_anything_is_trained(odd, data, tmp_path, pictures, songs, message):
    (odd / "nothing").mkdir(exist_ok=True)
    options = {"data": str(data), "work": str(tmp_path / "fresh"), "weights": "random", "jobs": 1}
    with pytest.raises(ValueError) as error:
        match(odd / pictures, odd / songs, "folder", **options)
    assert message in str(error.value) and "\n" not in str(error.value)
    assert not list((tmp_path / "fresh").rglob("*.safetensors"))


@pytest.mark.slow
def test_more_pairs_than_fit_are_refused_with_their_number(study, odd, monkeypatch):
    monkeypatch.setattr(scores, "MOST", 7)
    with pytest.raises(ValueError, match="2 pictures and 4 segments of songs are 8 pairs; expected 7 at most"):
        scores.matched(study, odd / "pictures", odd / "songs")


@pytest.mark.slow
def test_it_is_said_whose_word_a_score_is(found, study):
    about, said = found.about, told.sentences(found.about)
    assert about["data_fingerprint"] == study.provenance["data_fingerprint"] in said["trained on"]
    assert "profile folder" in said["network"] and "seeds 0, 1" in said["network"]
    assert "the whole width" in said["network"] and "ACP-Net (main)" in said["network"]
    assert about["image_weights_digest"] in said["pictures seen by"]
    assert 0 <= about["test_accuracy"] <= 1 and scores.SHARPEST <= about["temperature"] <= scores.SOFTEST
    assert "SYNTHETIC" not in told.terminal(found, 3)
    assert said["met in training"] == "0 of the pictures, 0 of the songs" and said["songs"].endswith("is not heard")
    short = told.sentences(about | {"settings": about["settings"] | {"last_segment": 20.0}})
    assert short["songs"].endswith("a rest of 20 s or more is one of them")


@pytest.mark.slow
@pytest.mark.parametrize("show", [lambda f: told.terminal(f, 3), lambda f: page(f, 3), told.as_json, told.as_csv])
def test_synthetic_data_is_named_as_such_wherever_a_score_is_shown(found, show):
    made = scores.Matches(found.table, found.refused, found.about | {"synthetic": True, "data": "the mini database"},
                          found.pictures, found.songs)
    shown = show(made)
    assert "the mini database" in shown and ("SYNTHETIC" in shown or '"synthetic": true' in shown
                                             or "trained_on_synthetic" in shown.splitlines()[0])


@pytest.mark.slow
def test_how_often_networks_are_right_stands_beside_chance(found, study):
    about, (low, high) = found.about, found.about["test_interval"]
    assert low <= about["test_accuracy"] <= high
    assert study.profile.pairing.pairs == "class_balanced" and about["test_chance"] == pytest.approx(0.5)
    said = f"(95 % CI {100 * low:.1f} to {100 * high:.1f}; chance {about['test_chance']:.1%})"
    assert said in told.sentences(about)["how good"]


ABOUT = {"synthetic": False, "data": "mine", "test_accuracy": 0.55, "test_interval": [0.51, 0.59], "test_chance": 0.5}
CAUTIONS = [({}, []), ({"synthetic": True}, ["SYNTHETIC"]), ({"test_interval": [0.5, 0.6]}, ["more than chance"]),
            ({"test_interval": [0.4, 0.7]}, ["more than chance"]), ({"test_chance": 0.7}, ["more than chance"]),
            ({"test_interval": [0.55, 0.55]}, ["is not known"]), ({"test_interval": [0.4, 0.4]}, ["is not known"]),
            ({"synthetic": True, "test_interval": [0.4, 0.7]}, ["SYNTHETIC", "more than chance"])]


@pytest.mark.parametrize(("changes", "said"), CAUTIONS)
def test_networks_that_are_not_shown_to_beat_chance_come_with_a_warning(changes, said):
    told_of = told.cautions(ABOUT | changes)
    assert len(told_of) == len(said) and all(word in line for word, line in zip(said, told_of, strict=True))
    if {"more than chance", "is not known"} & set(said):
        assert "55.0% right (95 % CI " in told_of[-1]


# what is shown


@pytest.fixture(scope="module")
def hostile(study, tmp_path_factory):
    """Matches of files with the names of HOSTILE."""
    root = tmp_path_factory.mktemp("hostile")
    shutil.copytree(picture(root / "one/p.png").parent, root / "pictures")
    sound(root / "songs/s.wav")
    for k, name in enumerate(HOSTILE):
        picture(root / f"pictures/{name}.png", k)
        shutil.copy(root / "songs/s.wav", root / f"songs/{name}.wav")
        (root / f"songs/{name}.txt").write_text("x")
    return scores.matched(study, root / "pictures", root / "songs")


@pytest.mark.slow
def test_a_page_shows_any_name_as_text_and_asks_no_other_file(hostile):
    soup = BeautifulSoup(page(hostile, 30), "html.parser")
    assert {tag.name for tag in soup.find_all(True)} <= ELEMENTS
    assert not [tag for tag in soup.find_all(True) for name in tag.attrs if name.startswith("on")]
    assert all(tag["src"].startswith(("data:image/jpeg;base64,", "data:audio/mpeg;base64,"))
               for tag in soup.find_all(src=True))
    assert all(tag["href"].startswith("#song-") and soup.find(id=tag["href"][1:]) for tag in soup.find_all(href=True))
    assert "default-src 'none'" in soup.find("meta", {"http-equiv": "Content-Security-Policy"})["content"]
    text = soup.get_text()
    assert all(plain(name) in text for name in HOSTILE)
    assert len(soup.find_all("audio")) == len(HOSTILE) + 1 and len(soup.find_all("img")) == len(HOSTILE) + 1
    assert len(soup.find_all("li", class_="match")) == (len(HOSTILE) + 1) ** 2


@pytest.mark.slow
def test_a_name_with_a_carriage_return_stays_in_its_cell(found):
    made = scores.Matches(found.table.assign(picture="cr\rret.png"), found.refused, found.about, found.pictures,
                          found.songs)
    rows = list(csv.DictReader(io.StringIO(told.as_csv(made), newline="")))
    assert len(rows) == len(found.table) and {row["picture"] for row in rows} == {"cr\rret.png"}


@pytest.mark.parametrize(("size", "shown"), [((3000, 1), (SIDE, 1)), ((1, 3000), (1, SIDE)),
                                             ((40, 20), (SIDE, SIDE // 2)), ((1, 1), (SIDE, SIDE))])
def test_a_picture_has_a_thumbnail_however_thin_it_is(tmp_path, size, shown):
    Image.new("RGB", size).save(tmp_path / "p.png")
    media = _Media(SimpleNamespace(pictures=SimpleNamespace(root=tmp_path), songs=None))
    data = base64.b64decode(media.of("picture", "p.png").split("base64,")[1].split('"')[0])
    assert Image.open(io.BytesIO(data)).size == shown


@pytest.mark.slow
def test_a_terminal_is_given_no_control_characters(hostile):
    shown = told.terminal(hostile, 30) + "\n".join(told.refusals(hostile))
    assert not [c for c in shown if ord(c) < 32 and c != "\n"] and "\u202e" not in shown
    assert not [line for line in shown.splitlines() if line.startswith("error: forged")]


@pytest.mark.slow
def test_no_cell_of_a_csv_is_a_formula_and_json_has_the_names_as_they_are(hostile):
    rows = list(csv.DictReader(io.StringIO(told.as_csv(hostile), newline="")))
    assert len(rows) == len(hostile.table) and not [r for r in rows for cell in r.values() if cell[0] in "=+-@\t\r"]
    safe = {f"{name}.wav" if name[0] not in "=+-@\t" else f"'{name}.wav" for name in HOSTILE} | {"s.wav"}
    assert {r["song"] for r in rows} == safe
    held = json.loads(told.as_json(hostile))
    assert {r["song"] for r in held["matches"]} == {f"{name}.wav" for name in HOSTILE} | {"s.wav"}
    assert {r["path"] for r in held["refused"]} == {f"{name}.txt" for name in HOSTILE}
    assert held["about"] == json.loads(json.dumps(hostile.about))


@pytest.mark.slow
def test_a_page_of_many_pictures_shows_some_and_says_so(hostile, monkeypatch):
    monkeypatch.setattr("acp_lib.matching.page.QUERIES", 3)
    soup = BeautifulSoup(page(hostile, 2), "html.parser")
    assert len(soup.find_all("ol")) == 3 and len(soup.find_all("li", class_="match")) == 6 and QUERIES == 50
    assert f"the first 3 of {len(HOSTILE) + 1} pictures" in soup.get_text()
    assert "the first 2 of 17" in soup.get_text()


# the command


def options(data, work):
    """What `profile` of the tests has, as a command line."""
    p = profile(data, work, seeds=2)
    given = ["data", "work", "jobs", "weights", "image_size", "seeds", "epochs", "batch", "pairs_per_epoch",
             "test_pairs", "first_layer", "device"]
    return ["folder", *(word for name in given for word in ("-p", name, str(getattr(p, name))))]


@pytest.mark.slow
@pytest.mark.parametrize(("pictures", "songs", "heads", "rows"), [
    ("pictures/below/p0.png", "songs/one.wav", ["Songs for p0.png"], 1),
    ("pictures/below/p0.png", "songs", ["Songs for p0.png, the first 2 of 4"], 4),
    ("pictures", "songs/one.wav", ["Pictures for one.wav"], 2),
    ("pictures", "songs", [f"Songs for below/p{k}.png, the first 2 of 4" for k in range(2)], 8),
])
def test_a_command_ranks_files_and_folders(capsys, study, odd, data, work, tmp_path, pictures, songs, heads, rows):
    outputs = [w for kind, name in (("csv", "a.csv"), ("json", "b.json"), ("page", "c/d.html"))
               for w in (f"--{kind}", str(tmp_path / name))]
    study.runs  # noqa: B018 - trained
    code, out, err = called(capsys, "match", str(odd / pictures), str(odd / songs), *options(data, work), "--top", "2",
                            *outputs)
    assert code == 0, err
    assert [line for line in out.splitlines() if line.startswith(("Songs for ", "Pictures for "))] == heads
    assert "trained on: the folder 'mine', fingerprint " in out
    refused = [line for line in err.splitlines() if line.startswith("refused: ")]
    assert len(refused) == ("." not in pictures) * len(ODD_PICTURES) + ("." not in songs) * len(ODD_SONGS)
    assert len(pd.read_csv(tmp_path / "a.csv")) == len(json.loads((tmp_path / "b.json").read_text())["matches"]) == rows
    assert BeautifulSoup((tmp_path / "c/d.html").read_text("utf8"), "html.parser").find("h2").get_text() == heads[0]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv", "b.json", "c"]  # nothing half written is left


@pytest.mark.slow
@pytest.mark.parametrize(("arguments", "message"), [
    ("p.png", "acp match: error: the following arguments are required: SONGS"),
    ("nowhere s.wav", "error: '{here}/nowhere' is no file or folder; check its name, and where you stand"),
    ("p.png nowhere", "error: '{here}/nowhere' is no file or folder"),
    ("p.png s.wav maxi", "error: profile is 'maxi'; expected one of"),
    ("p.png s.wav folder", "error: data is empty; profile 'folder' needs the folder"),
    ("p.png s.wav mini -p nonsense 1", "error: unknown parameter 'nonsense'"),
    ("p.png s.wav --top 0", "acp match: error: argument --top: 0; expected 1 or more"),
    ("p.png s.wav --top many", "acp match: error: argument --top: invalid count value: 'many'"),
    ("p.png s.wav --csv s.wav", "error: --csv is 's.wav', which is among what is read; give the name of a new file"),
    (". s.wav --csv p.png", "error: --csv is 'p.png', which is among what is read; give the name of a new file"),
    ("p.png s.wav --csv=", "error: --csv is ''; give the name of a file"),
    ("p.png s.wav --page .", "error: --page is '.', which is a folder; give the name of a new file"),
    ("p.png s.wav --csv x --json x", "error: --csv and --json name the same file; give each its own"),
    ("t.png s.wav -p work w", "error: '{name}' holds no picture that can be used (t.png: cannot be read: "),
])
def test_a_command_refuses_what_it_cannot_do_in_a_line(capsys, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    picture(tmp_path / "p.png"), sound(tmp_path / "s.wav"), (tmp_path / "t.png").write_text("no picture")
    code, out, err = called(capsys, "match", *arguments.split())
    last = err.splitlines()[-1]
    assert (code, out) == (2, "") and last.startswith(message.format(here=tmp_path, name=tmp_path.name)), err


@pytest.mark.parametrize(("given", "there"), [("p", True), ("f", True), ("link", True), ("dead", False), ("no", False),
                                              ("p/x", False), ("a\0b", False), ("x" * 300, False)])
def test_a_path_that_is_named_is_there_or_an_error(tmp_path, monkeypatch, given, there):
    monkeypatch.chdir(tmp_path)
    Path("p").touch(), Path("f").mkdir(), Path("link").symlink_to("f"), Path("dead").symlink_to("gone")
    if there:
        assert places.existing(given) == tmp_path / given
    else:
        with pytest.raises(ValueError, match="is no file or folder"):
            places.existing(given)


def test_the_readmes_example_is_one_that_the_command_takes():
    text = (places.ROOT / "README.md").read_text("utf8")
    lines = [line.split("#")[0].split() for line in text.splitlines() if line.startswith(".venv/bin/acp match ")]
    assert len(lines) >= 3
    for words in lines:
        from acp_lib.matching.__main__ import arguments

        assert arguments("acp match").parse_args(words[2:]).profile in ("mini", "folder")
