"""The mini database: the layout of IMAC, the same bytes each time, and what is known about it."""

import json
import sqlite3
from collections import Counter
from contextlib import closing

import numpy as np
import pandas as pd
import pytest
import soundfile
from PIL import Image

from acp_lib.database import imac, manifest, synthetic, tags
from acp_lib.database.synthetic import images as synthetic_images
from acp_lib.database.synthetic import media
from acp_lib.database.synthetic import music as synthetic_music
from acp_lib.database.synthetic import tags as synthetic_tags
from acp_lib.emotions import CLASSES, EMOTIONS, REGROUPING, regroup
from acp_lib.engine.cache import file_digest
from acp_lib.features import audio

IMAGES, SONGS = 32, 10


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return synthetic.make(tmp_path_factory.mktemp("data") / "mini", n_images=IMAGES, n_songs=SONGS, jobs=2,
                          progress=False)


@pytest.fixture(scope="module")
def read(root):
    """(manifest, all rejects) as the book's first chapter gets them."""
    files, bad = imac.scan(root)
    table, worse = manifest.build(root, files, progress=False)
    return table, pd.concat([bad, worse], ignore_index=True)


@pytest.fixture(scope="module")
def truth(root):
    return pd.read_csv(root / "truth.csv").set_index("id")


def digests(root):
    return {p.relative_to(root).as_posix(): file_digest(p) for p in root.rglob("*") if p.is_file()}


@pytest.mark.slow
def test_the_same_bytes_for_any_number_of_processes(root, tmp_path):
    again = synthetic.make(tmp_path, n_images=IMAGES, n_songs=SONGS, jobs=1, progress=False)
    assert digests(again) == digests(root)


def test_another_seed_gives_other_items():
    one, other = (synthetic.plan("image", 32, seed) for seed in (0, 1))
    assert one == synthetic.plan("image", 32, 0)
    assert [i.point for i in one] != [i.point for i in other]
    assert [i.label for i in one] != [i.label for i in other]


@pytest.mark.slow
def test_every_usable_item_becomes_a_sample(read, truth):
    table, bad = read
    kept = table.groupby("modality")["group"].nunique()
    assert kept["image"] == IMAGES and kept["music"] == SONGS
    assert (table["modality"] == "image").sum() == IMAGES + synthetic.COPIES
    songs = table[table["modality"] == "music"]
    assert Counter(songs.groupby("group").size()) == Counter(1 + (i % 6 == 3) for i in range(SONGS))
    assert songs["duration"].between(30, 60).all() and (songs["duration"] == 60).sum() >= SONGS // 3
    ids = set(table["id"].where(table["modality"] == "image", table["group"]))
    assert len(truth) == len(ids) + len(bad) and ids < set(truth.index)


@pytest.mark.slow
def test_the_manifest_holds_the_labels_of_the_truth(read, truth):
    table, _ = read
    known = truth.loc[table["id"].str.split("#").str[0]]
    assert list(known["label_class"]) == list(table["class"])
    assert list(known["label_emotion"].fillna("")) == list(table["emotion"])
    assert list(known["modality"]) == list(table["modality"])


@pytest.mark.slow
def test_what_is_planted_is_found(read):
    _, bad = read
    expected = {"no such file": 3, "truncated": 1, "no audio file": 3, "cannot open": 1, "s long": 1}
    assert {part: bad["reason"].str.contains(part).sum() for part in expected} == expected
    assert len(bad) == sum(expected.values())


@pytest.mark.slow
def test_copies_share_their_group(read):
    table, _ = read
    sizes = table[table["modality"] == "image"].groupby("group").size()
    assert (sizes == 2).sum() == synthetic.COPIES and sizes.max() == 2


@pytest.mark.slow
def test_artists_have_several_songs(read):
    table, _ = read
    songs = table[table["modality"] == "music"].drop_duplicates("group")
    assert songs.groupby("artist").size().max() == synthetic.SONGS_PER_ARTIST


@pytest.mark.slow
def test_scores_agree_with_the_tags(root):
    released = imac.songs(root / "SongEmotionScore.csv").set_index("track")
    own = tags.scores(root / "lastfm_tags.db").set_index("track").loc[released.index]
    assert [tags.label(*row) for row in own[list(CLASSES)].values.tolist()] == list(released["class"])
    assert (own[["positive", "neutral"]] == released[["positive", "neutral"]]).all(axis=None)
    assert (own["negative"] - released["negative"]).isin([0, 1]).all()  # "full spainy" slips through, as in the paper


@pytest.mark.slow
@pytest.mark.parametrize("label", CLASSES)
def test_tags_of_a_song_add_up_to_its_label(label):
    ties = 0
    for i in range(60):
        song = synthetic.Item("music", i, "", label, label, (0.0, 0.0))
        score = [sum(t in synthetic.TAGS[c] for t in synthetic_tags.carried(song, 0)) for c in CLASSES]
        assert tags.label(*score) == label
        ties += score.count(max(score)) > 1
    assert (ties >= 6) if label != "negative" else (ties == 0)


def test_clean_tags_are_kept_and_misleading_ones_dropped():
    for label, clean in synthetic.TAGS.items():
        assert {tags.screen(t)[0] for t in clean} == {label}
    assert [t for t in synthetic.MISLEADING if tags.screen(t)[0]] == []
    assert {tags.screen(t)[1] for t in synthetic.MISLEADING} - {""}
    assert {tags.screen(t)[0] for t in synthetic.GENRES} == {None}


@pytest.mark.slow
def test_tag_database_has_the_schema_of_lastfm(root):
    with closing(sqlite3.connect(root / "lastfm_tags.db")) as db:
        lowest, highest, count = db.execute("SELECT MIN(val), MAX(val), COUNT(*) FROM tid_tag").fetchone()
        tracks = [t for t, in db.execute("SELECT tid FROM tids")]
        (joined,) = db.execute("""SELECT COUNT(*) FROM tid_tag JOIN tids ON tids.ROWID = tid_tag.tid
                                  JOIN tags ON tags.ROWID = tid_tag.tag""").fetchone()
        carried = {t for t, in db.execute("SELECT tag FROM tags WHERE ROWID IN (SELECT tag FROM tid_tag)")}
    assert 0 <= lowest <= highest == 100 and joined == count
    assert len(tracks) == len(set(tracks)) > SONGS + len(synthetic.PLANTED["music"])
    assert carried & set(synthetic.MISLEADING) and carried & set(synthetic.GENRES)


@pytest.mark.slow
def test_track_database_matches_the_score_file(root):
    released = imac.songs(root / "SongEmotionScore.csv")
    with closing(sqlite3.connect(root / "track_metadata.db")) as db:
        about = pd.read_sql_query("SELECT * FROM songs", db)
    assert list(about["track_id"]) == list(released["track"])
    assert list(about["title"]) == list(released["title"]) and list(about["artist_name"]) == list(released["artist"])
    assert released["title"].str.count('"').mod(2).any(), "no title with a lone quote"
    assert ",".join(about.columns) == (
        "track_id,title,song_id,release,artist_id,artist_mbid,artist_name,duration,artist_familiarity,"
        "artist_hotttnesss,year,track_7digitalid,shs_perf,shs_work")


@pytest.mark.slow
def test_video_ids_have_the_form_of_real_ones(root):
    rows = [line.split(",") for line in (root / "YouTubeURLs.csv").read_text().splitlines()]
    assert len(rows) == SONGS + len(synthetic.PLANTED["music"])
    assert {len(v) for _, *videos in rows for v in videos} == {11}
    assert {len(videos) for _, *videos in rows} == {0, 10}


@pytest.mark.slow
def test_picture_lists_name_reserved_hosts(root):
    lists = imac.read_pictures(root / "agg")[0]
    assert set(lists["emotion"]) == set(EMOTIONS)
    assert lists["url"].str.startswith("http://pictures.example/").all()
    assert (lists["agree"] + lists["disagree"]).eq(5).all()


@pytest.mark.slow
def test_pictures_decode(read, root):
    table, _ = read
    for path in table["path"][table["modality"] == "image"]:
        with Image.open(root / path) as picture:
            assert picture.format == "JPEG" and picture.mode in ("RGB", "L")
            assert np.asarray(picture.convert("RGB")).std() > 1
            assert min(picture.size) >= 200 and max(picture.size) <= 320


@pytest.mark.slow
def test_songs_decode(read, root):
    table, _ = read
    songs = table[table["modality"] == "music"].drop_duplicates("group")
    assert {p.rsplit(".")[-1] for p in songs["path"]} == {"mp3", "ogg", "flac"}
    for path in songs["path"]:
        y = audio.load(root / path, duration=60.0)
        assert np.isfinite(y).all() and 0.02 < np.abs(y).max() < 1
        assert -45 < 20 * np.log10(np.sqrt(np.mean(y**2))) < -10


@pytest.mark.slow
def test_ogg_pages_keep_sound_and_have_a_fixed_number(tmp_path):
    y = synthetic_music.song(0.5, 0.5, np.random.default_rng(0), 12.0)
    for name in ("a.ogg", "b.ogg"):
        media.write_audio(tmp_path / name, y)
    assert (tmp_path / "a.ogg").read_bytes() == (tmp_path / "b.ogg").read_bytes()
    z, _ = soundfile.read(tmp_path / "a.ogg")
    assert len(z) == len(y) and np.corrcoef(y, z)[0, 1] > 0.95


def test_labels_have_the_proportions_of_table_3():
    pictures, songs = synthetic.counts("image", 720), synthetic.counts("music", 108)
    held = Counter()
    for emotion, n in pictures.items():
        held[regroup(emotion)] += n
    for found, modality in ((held, "image"), (songs, "music")):
        share, total = synthetic.SHARES[modality], sum(found.values())
        for c in CLASSES:
            assert found[c] / total == pytest.approx(share[c] / sum(share.values()), abs=0.01)
    assert (sum(pictures.values()), sum(songs.values())) == (720, 108)


@pytest.mark.parametrize(("n_images", "n_songs"), [(80, 30), (720, 108), (16, 9)])
def test_every_label_occurs(n_images, n_songs):
    pictures, songs = synthetic.counts("image", n_images), synthetic.counts("music", n_songs)
    assert tuple(pictures) == EMOTIONS and min(pictures.values()) >= min(12, n_images // 16)
    assert tuple(songs) == CLASSES and min(songs.values()) >= min(3, n_songs // 9)
    assert sum(pictures.values()) == n_images and sum(songs.values()) == n_songs


def test_too_few_are_refused():
    with pytest.raises(ValueError, match="n_images is 15; expected 16"):
        synthetic.counts("image", 15)
    with pytest.raises(ValueError, match="n_songs is 8; expected 9"):
        synthetic.counts("music", 8)


@pytest.mark.slow
def test_bayes_rates():
    rates = synthetic.bayes_rates()
    assert 0.87 <= rates["pair_class_balanced"] <= 0.91
    assert 0.92 <= rates["image_3"] <= 0.95 and 0.90 <= rates["music_3"] <= 0.94
    assert 0.5 < rates["image_8"] < rates["image_3"]
    assert max(rates.values()) < 1 - synthetic.NOISE / 2
    assert rates == synthetic.bayes_rates()
    balanced = synthetic.bayes_rates(balanced=True)
    assert balanced["image_3"] < rates["image_3"]  # the prior of the most frequent class helps


@pytest.mark.slow
def test_bayes_rates_fall_with_the_noise():
    rates = [synthetic.bayes_rates(noise=n, balanced=True, draws=8000) for n in (0.0, 0.08, 0.2, 0.4)]
    for key in rates[0]:
        values = [r[key] for r in rates]
        assert values == sorted(values, reverse=True)
    assert all(rates[-1][k] > c for k, c in (("pair_class_balanced", 0.5), ("image_8", 1 / 8), ("music_3", 1 / 3)))


@pytest.mark.slow
def test_the_best_observer_of_many_songs_scores_the_bayes_rate():
    items = [i for i in synthetic.plan("music", 6000, 0) if i.fate == "kept"]
    points, label = np.array([i.point for i in items]), np.array([CLASSES.index(i.label) for i in items])
    centroids = np.array(list(synthetic.CENTROIDS["music"].values()))
    likelihood = np.exp(-((points[:, None] - centroids) ** 2).sum(-1) / 2 / synthetic.STANDARD_DEVIATION["music"] ** 2)
    mixed = (1 - synthetic.NOISE * 1.5) * likelihood + synthetic.NOISE / 2 * likelihood.sum(1, keepdims=True)
    found = np.mean((mixed * np.bincount(label)).argmax(1) == label)
    assert found == pytest.approx(synthetic.bayes_rates(n_songs=6000)["music_3"], abs=0.02)


@pytest.mark.slow
def test_noise_is_as_stated():
    items = synthetic.plan("music", 6000, 0) + synthetic.plan("image", 6000, 0)
    assert np.mean([i.label != i.truth for i in items]) == pytest.approx(synthetic.NOISE, abs=0.01)


@pytest.mark.slow
def test_truth_file_says_what_was_planted(root, truth):
    about = json.loads((root / "truth.json").read_text())
    assert about["planted"]["image"] == {"lost": 3, "truncated": 1} and about["planted"]["copies"] == synthetic.COPIES
    assert about["bayes"] == synthetic.bayes_rates(IMAGES, SONGS)
    assert about["clean_tags"]["neutral"] == list(synthetic.TAGS["neutral"])
    pictures = truth[truth["modality"] == "image"]
    assert [REGROUPING[e] for e in pictures["true_emotion"]] == list(pictures["true_class"])


def test_pictures_differ_with_the_emotion_and_not_with_the_call():
    draw = [np.asarray(synthetic_images.draw(v, 0.5, 0.0, np.random.default_rng(3)).convert("L")) for v in (-1, -1, 1)]
    assert (draw[0] == draw[1]).all() and draw[2].mean() > draw[0].mean() + 20


@pytest.mark.slow
def test_songs_differ_with_the_emotion():
    calm, lively = (synthetic_music.song(0.4, a, np.random.default_rng(3), 12.0) for a in (-1.0, 1.0))
    assert calm.dtype == np.float32 and calm.shape == (12 * synthetic_music.SAMPLE_RATE,)
    assert np.std(lively) > 1.5 * np.std(calm)
    with pytest.raises(ValueError, match="seconds"):
        synthetic_music.song(0, 0, np.random.default_rng(0), 0)
