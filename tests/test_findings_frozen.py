"""Pairs that others listed: groups of linked songs, folds, the network at other widths, and squares that only comparing
gets right.
"""

from collections import Counter

import numpy as np
import pytest
import torch

from acp_lib import streams
from acp_lib.experiment import intervals
from acp_lib.experiment.splits import PARTS
from acp_lib.findings import frozen, squares
from acp_lib.findings.frozen import Listed
from acp_lib.findings.squares import ALONE, KINDS, TWO
from acp_lib.models import ACPNet
from acp_lib.profiles.groups import Pairing, Training


def listed(clips=60, classes=3, test=16, seed=0, features=None):
    """As many true pairs as clips, each of a song of its own with its own sound, and as many false ones of neighbours
    of different classes; `features(side, label, clip, truth, rng)` makes the features.
    """
    rng = np.random.default_rng(seed)
    label = np.arange(clips) % classes
    partner = np.arange(clips) ^ 1  # its neighbour, which is of another class
    image, music = np.tile(np.arange(clips), 2), np.concatenate([np.arange(clips), partner])
    truth = np.repeat([1, 0], clips)
    made = features or (lambda side, label, clip, truth, rng: rng.normal(size=(len(label), 4)))
    sides = {"image": image, "music": music}
    x, labels = {s: made(s, label[c], c, truth, rng) for s, c in sides.items()}, {s: label[c] for s, c in sides.items()}
    return Listed(x, labels, {s: np.array([f"clip {k}" for k in c]) for s, c in sides.items()},
                  {s: np.array([f"song {k}" for k in c]) for s, c in sides.items()}, truth, image >= clips - test)


# --- groups and folds


LINKS = [  # songs of the pictures, of the music; which pairs are of one group
    ("abc", "abc", [{0}, {1}, {2}]),
    ("abc", "bca", [{0, 1, 2}]),
    ("aabd", "bccd", [{0, 1, 2}, {3}]),
    ("abab", "abba", [{0, 1, 2, 3}]),
    ("ab", "ca", [{0, 1}]),  # the same song on the other side
]


@pytest.mark.parametrize(("image", "music", "expected"), LINKS)
def test_pairs_that_a_song_links_are_of_one_group(image, music, expected):
    song = {"image": np.array(list(image)), "music": np.array(list(music))}
    group = frozen.linked(Listed({}, {}, {}, song, np.ones(len(image), int), np.zeros(len(image), bool)))
    found = {k: {i for i in range(len(image)) if group[i] == k} for k in group}
    assert sorted(map(sorted, found.values())) == sorted(map(sorted, expected))


@pytest.mark.parametrize(("sizes", "folds"), [
    ([1] * 12, 4), ([5, 1, 1, 1, 1, 1], 2), ([7, 3, 3, 1], 3), ([2, 2, 2], 3)])
def test_groups_stay_whole_and_folds_are_as_even_as_they_allow(sizes, folds):
    group = np.repeat(np.arange(len(sizes)), sizes)
    fold = frozen.dealt(group, folds, np.random.default_rng(0))
    assert all(len(set(fold[group == k])) == 1 for k in range(len(sizes))) and set(fold) == set(range(folds))
    size = Counter(fold.tolist())
    assert max(size.values()) <= max(max(sizes), -(-sum(sizes) // folds) + min(sizes) - 1)


def test_fewer_groups_than_folds_are_refused():
    with pytest.raises(ValueError, match="2 groups that share no song; expected 3 or more"):
        frozen.dealt(np.array([0, 0, 1]), 3, np.random.default_rng(0))


def test_each_design_keeps_songs_apart_and_tests_what_it_says():
    some = listed()
    made = frozen.designs(some, 3, 5, 0)
    assert [len(parts) for parts in made["as released"]] == [3] and len(made["every pair once"]) == 5
    for part in (p for design in made.values() for parts in design for p in parts):
        held = [{n for s in some.song.values() for n in s[part == k]} for k in range(len(PARTS))]
        assert all(held) and not any(held[i] & held[j] for i in range(3) for j in range(i))
    test = PARTS.index("test")
    assert all(((part == test) == some.test).all() for part in made["as released"][0])
    assert len({part.tobytes() for part in made["as released"][0]}) == 3  # another validation part each
    tested = np.sum([parts[0] == test for parts in made["every pair once"]], 0)
    assert tested.tolist() == [1] * len(some.truth)


# --- the network


@pytest.mark.slow
@pytest.mark.parametrize("width", [1.0, 0.25, 0.125])
def test_at_its_own_inputs_the_network_is_acp_net(width):
    ours, theirs = frozen.network(2048, 193, width), ACPNet(fc_width=width)
    theirs.load_state_dict(ours.state_dict())
    assert str(ours.fusion) == str(theirs.fusion) and str(ours.image) == str(theirs.image)
    x, y = torch.randn(3, 2048), torch.rand(3, 193)
    assert torch.equal(ours.eval()(x, y), theirs.eval()(x, y))


@pytest.mark.slow
@pytest.mark.parametrize(("image", "music"), [(2304, 128), (7, 5)])
def test_it_takes_features_of_other_widths(image, music):
    net = frozen.network(image, music, 0.125)
    assert net(torch.rand(2, image), torch.rand(2, music)).shape == (2, 2)
    assert net.inputs == {"image": (image,), "music": (music,)}
    assert frozen.network(image, music, 1.0).music[0].out_features == music


def encoded(side, label, clip, truth, rng):
    """The sound of false pairs leaves a trace; nothing tells an emotion."""
    x = rng.normal(size=(len(label), 6))
    if side == "music":
        x[:, 0] = 3.0 * truth + 0.3 * rng.normal(size=len(label))
    return x


@pytest.mark.slow
def test_a_network_that_follows_a_trace_is_right_and_only_adds_up():
    some = listed(clips=60, features=encoded)
    part = frozen.designs(some, 1, 4, 0)["as released"][0][0]
    options = Pairing(epochs=80, patience=80), Training(batch=32, learning_rate=2e-3)
    margins = frozen.trained(some, part, 0.125, options, 0)
    rows = np.flatnonzero(part == PARTS.index("test"))
    assert margins.shape == (len(rows), len(rows))
    assert squares.right(some, part, margins).mean() > 0.85
    assert squares.right(some, part, squares.added(margins)[0]).mean() > 0.85
    assert (margins == frozen.trained(some, part, 0.125, options, 0)).all()
    assert (margins != frozen.trained(some, part, 0.125, options, 1)).any()


def test_an_epoch_has_each_listed_training_pair_once_in_another_order():
    some = listed()
    part = frozen.designs(some, 1, 5, 0)["as released"][0][0]
    task = frozen.AsListed(some, some.corpus(part), Pairing())
    rows = [task.epoch([0, k], 16).rows for k in range(2)]
    train = np.flatnonzero(part == PARTS.index("train")).tolist()
    assert all((image == music).all() and sorted(image) == train for image, music in rows)
    assert rows[0][0].tolist() != rows[1][0].tolist()
    assert (task.epoch([0, 0], 16).target == some.truth[rows[0][0]]).all()


# --- what needs no network


def told(side, label, clip, truth, rng):
    return np.eye(3)[label] + 0.01 * rng.normal(size=(len(label), 3))


PLANTED = [  # what the features tell; right in per cent: video alone, music alone, two classifiers; within
    (told, 50, 50, 100, 1),
    (encoded, 50, 100, 50, 30),
]


@pytest.mark.parametrize(("features", "video", "music", "two", "within"), PLANTED)
def test_plain_ways_find_what_was_planted(features, video, music, two, within):
    some = listed(clips=96, test=30, features=features)
    part = frozen.designs(some, 1, 5, 0)["as released"][0][0]
    found = {name: 100 * squares.right(some, part, f).mean() for name, f in squares.plain(some, part).items()}
    assert found[ALONE["image"]] == pytest.approx(video, abs=30)
    assert found[ALONE["music"]] == pytest.approx(music, abs=1 if music == 100 else 30)
    assert found[TWO] == pytest.approx(two, abs=within)


def test_the_additive_approximation_is_the_sum_that_is_nearest():
    rng = np.random.default_rng(0)
    a, b, rest = rng.normal(size=(5, 1)), rng.normal(size=5), rng.normal(size=(5, 5))
    adds, share = squares.added(a + b)
    assert adds == pytest.approx(a + b) and share == pytest.approx(1)
    rest -= rest.mean(0) + rest.mean(1, keepdims=True) - rest.mean()
    adds, share = squares.added(a + b + rest)
    assert adds == pytest.approx(a + b)
    assert share == pytest.approx(np.var(a + b) / (np.var(a + b) + np.var(rest)))


# --- squares


def true_pairs(some):
    return np.flatnonzero(some.truth == 1)


def shares(some, f):
    rows = true_pairs(some)
    return {of: squares.squares([f], *how, rows).value for of, how in squares.kinds(some, rows).items()}


def cases():
    some = listed(clips=12)
    rows, rng = true_pairs(some), np.random.default_rng(1)
    label = some.label["image"][rows]
    same, own = (label[:, None] == label).astype(float), np.eye(len(rows))
    sums = 9 * rng.normal(size=(len(rows), 1)) + 9 * rng.normal(size=len(rows))
    return some, [  # answers; what they get of each of KINDS
        ("a sum", sums, (0.5, 0.5, 0.5)),
        ("one side", np.repeat(rng.normal(size=(len(rows), 1)), len(rows), 1), (0.5, 0.5, 0.5)),
        ("nothing", np.zeros_like(same), (0.5, 0.5, 0.5)),
        ("the emotion", same, (1.0, 0.5, 1.0)),
        ("the clip", own, (1.0, 1.0, 0.5)),
        ("the emotion, hidden in a sum", sums + 1e-3 * same, (1.0, 0.5, 1.0)),
        ("the clip, hidden in a sum", sums + 1e-3 * own, (1.0, 1.0, 0.5)),
        ("both", same + own, (1.0, 1.0, 1.0)),
        ("the wrong way round", -same - own, (0.0, 0.0, 0.0)),
    ]


SOME, CASES = cases()


@pytest.mark.parametrize(("f", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_only_what_compares_gets_more_than_half_of_the_squares(f, expected):
    assert tuple(shares(SOME, f).values()) == pytest.approx(expected) and tuple(shares(SOME, f)) == tuple(KINDS)


SMALL = [  # answers to three clips of three classes; the share of their three squares, by hand
    ([[1, 0, 0], [0, 0, 0], [0, 0, 0]], (1 + 1 + 0.5) / 3),
    ([[0, 2, 0], [0, 1, 0], [0, 0, 1]], (0 + 1 + 1) / 3),
    ([[0, 1, 1], [1, 0, 1], [1, 1, 3]], (0 + 1 + 1) / 3),
    ([[0, 1, 1], [1, 0, 1], [1, 1, 2]], (0 + 0.5 + 0.5) / 3),
]


@pytest.mark.parametrize(("f", "expected"), SMALL)
def test_squares_are_counted_as_by_hand(f, expected):
    own = np.eye(3, dtype=bool)
    found = squares.squares([np.array(f, float)], own, ~own, np.arange(3))
    assert found.value == pytest.approx(expected)


def test_halves_of_one_song_make_no_wrong_couple():
    some = listed(clips=6)
    for side in some.song.values():
        side[:] = np.where(np.isin(side, ["song 0", "song 1"]), "one song", side)
    rows = true_pairs(some)
    for correct, wrong in squares.kinds(some, rows).values():
        assert not wrong[0, 1] and not wrong[1, 0] and not (correct & wrong).any()


def test_no_square_at_all_is_told():
    own = np.eye(3, dtype=bool)
    with pytest.raises(ValueError, match="no two right combinations are crossed by wrong ones"):
        squares.squares([np.zeros((3, 3))], own, np.zeros_like(own), np.arange(3))


@pytest.mark.slow
def test_intervals_of_squares_hold_the_truth_often_enough():
    """Answers with effects of either half, of groups of three clips, and of single combinations; the truth is one half.
    """
    held, rounds, n = 0, 300, 30
    own, rng = np.eye(n, dtype=bool), streams.generator("test of squares")
    group = np.arange(n) // 3
    wrong = group[:, None] != group
    for _ in range(rounds):
        common = rng.normal(size=(n // 3, n // 3))[np.ix_(group, group)]
        f = common + rng.normal(size=(n, 1)) + rng.normal(size=n) + rng.normal(size=(n, n))
        low, high = squares.squares([f], own, wrong, group).interval()
        held += low <= 0.5 <= high
    assert 0.9 <= held / rounds <= 0.99


def test_folds_are_put_together_as_they_are_elsewhere():
    folds = [intervals.mean(np.array(right), np.arange(4)) for right in ([1, 1, 0, 1.0], [0, 1, 0, 1.0])]
    assert squares.together(folds, [4, 4])["ours"] == pytest.approx(62.5)
    assert squares.together(folds[:1], [4]) == folds[0].scaled(100).row()


@pytest.mark.slow
def test_rows_hold_every_method_and_every_kind():
    some = listed(clips=60, features=told)
    for test, design in frozen.designs(some, 2, 3, 0).items():
        answers = [{name: [squares.plain(some, p)[name] for p in parts] for name in (*ALONE.values(), TWO)}
                   for parts in design]
        rows = squares.scores(some, design, answers, [(TWO, ALONE["music"])])
        assert [(r["kind"], r["row"]) for r in rows] == [
            *(("accuracy", name) for name in (*ALONE.values(), TWO)), ("less", f"{TWO} less {ALONE['music']}")]
        by = {r["row"]: r for r in rows}
        assert by[TWO]["ours"] == 100 and len(by[TWO]["values"]) == sum(map(len, design))
        assert rows[-1]["ours"] == pytest.approx(100 - by[ALONE["music"]]["ours"])
        assert by[TWO]["pairs"] == (some.test.sum() if test == "as released" else len(some.truth))
        crossed = {(r["row"], r["of"]): r["ours"] for r in squares.compared(some, design, answers)}
        assert set(crossed) == {(name, of) for name in by if " less " not in name for of in KINDS}
        assert {crossed[name, of] for name in ALONE.values() for of in KINDS} == {50.0}
        assert [crossed[TWO, of] for of in KINDS] == [100, 50, 100]
        named = squares.recognised(some, design)
        assert [(r["row"], r["ours"]) for r in named] == [("image", 100), ("music", 100)]
        assert all(30 < r["likeliest"] < 45 for r in named)
