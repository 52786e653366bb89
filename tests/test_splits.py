"""Splits: whole units, ratios, classes, seeds."""

import pandas as pd
import pytest
from conftest import manifest
from hypothesis import given, settings
from hypothesis import strategies as st

from acp_lib.emotions import CLASSES
from acp_lib.experiment.splits import PARTS, assign_split, deal, siblings_in_training, torn, units


def sides(part: pd.Series, by: pd.Series) -> int:
    """On how many sides of the split the unit lies that lies on most."""
    return part.groupby(by).nunique().max()


@pytest.mark.slow
@pytest.mark.parametrize(("by", "column"), [("song", "group"), ("artist", "artist"), ("segment", "id")])
def test_no_unit_on_two_sides_and_every_class_in_every_part(by, column):
    table = manifest(artists=10)
    part = assign_split(table, by=by)
    music = table["modality"] == "music"
    assert set(part) == set(PARTS)
    assert sides(part[music], table[column][music]) == 1
    assert (part.groupby([table["modality"], table["class"]]).nunique() == 3).all()


@pytest.mark.slow
def test_by_artist_keeps_songs_whole_and_by_segment_does_not():
    table = manifest(songs=60, segments=4, artists=20)
    music = table["modality"] == "music"
    assert sides(assign_split(table, by="artist")[music], table["group"][music]) == 1
    assert sides(assign_split(table, by="segment")[music], table["group"][music]) > 1


def test_units_are_dealt_to_the_part_that_lacks_most_of_its_share():
    size = pd.Series({"a": 2, "b": 1, "c": 1, "d": 4, "e": 2})
    dealt = deal(list("abcde"), size, (0.7, 0.1, 0.2))
    # the first three one to each part; then training lacks 5 of 7, test 1 of 2; then training 1 of 7, test 1 of 2
    assert dealt == {"a": 0, "b": 1, "c": 2, "d": 0, "e": 2}
    assert deal(["b", "a"], size, (0.7, 0.1, 0.2)) == {"b": 0, "a": 1}


def test_torn_units_and_siblings_in_training_by_hand():
    table = pd.DataFrame({"id": list("pqabcdef"), "modality": ["image"] * 2 + ["music"] * 6, "artist": "",
                          "group": ["P", "P", "A", "A", "A", "B", "B", "C"]})
    part = pd.Series(["train", "test", "train", "test", "test", "val", "test", "test"])
    assert torn(table, part, "song") == 3 and torn(table, part, "segment") == 0  # P, A and B
    assert siblings_in_training(table, part) == pytest.approx(2 / 4)  # of b, c, e, f the first two; B is in validation


@pytest.mark.slow
def test_no_sibling_is_in_training_where_songs_are_kept_whole():
    table = manifest(songs=60, segments=4, artists=20)
    for by in ("song", "artist"):
        part = assign_split(table, by=by)
        assert siblings_in_training(table, part) == torn(table, part, by) == 0
    assert siblings_in_training(table, assign_split(table, by="segment")) > 0.9


def test_golden_split():
    part = assign_split(manifest(), seed=3)
    assert part.value_counts().to_dict() == {"train": 84, "test": 24, "val": 12}
    assert "".join(p[1] for p in part[:30]) == "rreerrarrerarerarererrrrerrrrr"


@pytest.mark.slow
@given(st.integers(0, 2**32), st.lists(st.integers(1, 8), min_size=9, max_size=60),
       st.sampled_from(["song", "segment"]))
@settings(max_examples=20)
def test_shares_are_near_70_10_20(seed, sizes, by):
    rows = [{"id": f"{i}#{j}", "modality": "music", "class": CLASSES[i % 3], "group": str(i), "artist": ""}
            for i, n in enumerate(sizes) for j in range(n)]
    table = pd.DataFrame(rows)
    part = assign_split(table, by=by, seed=seed)
    assert sides(part, units(table, by)) == 1
    pd.testing.assert_series_equal(part, assign_split(table, by=by, seed=seed))
    for label, held in part.groupby(table["class"]):
        largest = max(n for i, n in enumerate(sizes) if CLASSES[i % 3] == label) if by == "song" else 1
        for name, ratio in zip(PARTS, (0.7, 0.1, 0.2), strict=True):
            assert -2 * largest <= (held == name).sum() - ratio * len(held) <= largest
        assert set(held) == set(PARTS)


@pytest.mark.slow
def test_the_seed_decides_and_the_rows_order_does_not():
    table = manifest()
    assert assign_split(table, seed=1).tolist() != assign_split(table, seed=2).tolist()
    shuffled = table.sample(frac=1, random_state=0)
    pd.testing.assert_series_equal(assign_split(shuffled, seed=1).sort_index(), assign_split(table, seed=1))
    pd.testing.assert_series_equal(assign_split(table.set_axis(table.index + 7), seed=1).reset_index(drop=True),
                                   assign_split(table, seed=1))


@pytest.mark.slow
def test_one_modality_does_not_change_when_the_other_grows():
    small, large = manifest(songs=30), manifest(songs=60)
    images = assign_split(small)[small["modality"] == "image"].tolist()
    assert assign_split(large)[large["modality"] == "image"].tolist() == images


@pytest.mark.slow
@pytest.mark.parametrize("by", ["song", "artist"])
def test_equal_pictures_stay_together(by):
    table = manifest(pictures=90)
    table.loc[:29, "group"] = [f"copy{i // 2}" for i in range(30)]
    table.loc[:59:2, "artist"] = [f"photographer {i % 7}" for i in range(30)]
    part = assign_split(table, by=by, seed=5)
    assert sides(part, table["group"]) == 1
    if by == "artist":
        known = table["artist"] != ""
        assert sides(part[known], table["artist"][known]) == 1


@pytest.mark.slow
@pytest.mark.parametrize(("by", "songs", "artists", "message"), [
    ("song", 8, 0, "class negative has 2 music units to split .by song., and test got none of them; give it 3 or more"),
    ("song", 6, 0, "class positive has 2 music units"),
    ("artist", 30, 6, "class positive has 2 music units to split .by artist."),
    ("artist", 30, 1, "class positive has 1 music units .*val got none"),
])
def test_fewer_than_three_units_are_refused(by, songs, artists, message):
    with pytest.raises(ValueError, match=message):
        assign_split(manifest(songs=songs, artists=artists), by=by)


def test_a_painter_who_sings_is_two_units():
    table = manifest(artists=10).replace({"artist": {"": "artist 1"}})
    assert table["modality"].groupby(units(table, "artist")).nunique().max() == 1


def test_another_unit_is_refused():
    with pytest.raises(ValueError, match="split is 'album'; expected one of song, artist, segment"):
        assign_split(manifest(), by="album")


def test_three_units_a_class_give_one_to_each_part():
    table = manifest(songs=9, segments=1, pictures=9)
    assert (assign_split(table).groupby([table["modality"], table["class"]]).apply(sorted)
            .map(lambda p: p == sorted(PARTS))).all()


def test_a_class_that_neither_modality_has_is_no_error():
    table = manifest()
    table = table[table["class"] != "neutral"]
    assert set(assign_split(table)) == set(PARTS)


@pytest.mark.slow
@pytest.mark.parametrize("folds", [3, 5])
@pytest.mark.parametrize("by", ["song", "artist", "segment"])
def test_folds_test_each_sample_once_and_validate_with_the_next_fold(folds, by):
    table = manifest(songs=60, segments=3, pictures=40, artists=30)
    parts = pd.DataFrame({draw: assign_split(table, by=by, folds=folds, draw=draw) for draw in range(folds)})
    assert ((parts == "test").sum(axis=1) == 1).all() and ((parts == "val").sum(axis=1) == 1).all()
    assert (parts.eq("test").idxmax(axis=1) == (parts.eq("val").idxmax(axis=1) + 1) % folds).all()
    assert torn(table, parts[0], by) == 0
    held = table.groupby([table["modality"], table["class"], parts.eq("test").idxmax(axis=1)]).size().unstack()
    assert (held.max(axis=1) - held.min(axis=1)).max() <= (1 if by == "segment" else 3 * 3)


@pytest.mark.parametrize("folds", [1, 2])
def test_folds_that_leave_nothing_to_train_on_are_refused(folds):
    with pytest.raises(ValueError, match=f"folds is {folds}; expected 0, or 3 or more"):
        assign_split(manifest(), folds=folds)


def test_a_class_with_fewer_units_than_folds_is_refused():
    with pytest.raises(ValueError, match="give it 5 or more of its own, so that each of 5 folds holds one"):
        assign_split(manifest(songs=9, segments=1, pictures=9), folds=5)
