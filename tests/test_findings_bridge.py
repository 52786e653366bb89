"""The bridge between naming classes and judging pairs: the law by enumeration and in closed form, what the paper's two
tables take by it, and predictions held against pairs whose truth is known.
"""

from itertools import product
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from conftest import manifest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from acp_lib import paper
from acp_lib.audits import uncertainty
from acp_lib.emotions import CLASSES
from acp_lib.experiment import baselines, corpus, intervals, splits
from acp_lib.experiment.pairs import PROTOCOLS, draw, joint
from acp_lib.findings import bridge, halves
from acp_lib.findings.bridge import Answers, Named
from acp_lib.results import recognition

by_protocol = pytest.mark.parametrize("protocol", PROTOCOLS)
counts = st.lists(st.integers(1, 500), min_size=3, max_size=3).map(np.array)
shares = st.floats(0, 1)


def tables(k: int = 3):
    """Probabilities of each name for each class."""
    return arrays.arrays(float, (k, k), elements=st.floats(0.01, 1)).map(lambda x: x / x.sum(1, keepdims=True))


# the law


def enumerated(table, image, music):
    """The same as a sum over everything that can happen."""
    k = range(len(table))
    return sum(table[c, d] * image[c, a] * music[d, b] for c, d, a, b in product(k, k, k, k) if (a == b) == (c == d))


@pytest.mark.slow
@by_protocol
@given(p=counts, q=counts, image=tables(), music=tables())
def test_the_law_is_what_can_happen_summed_up(protocol, p, q, image, music):
    table = joint(protocol, p, q)
    assert bridge.compared(table, image, music) == pytest.approx(enumerated(table, image, music))


@pytest.mark.slow
@given(image=tables(2), music=tables(2))
def test_the_law_holds_for_two_classes(image, music):
    table = joint("rejection", np.array([3, 7]), np.array([5, 5]))
    assert bridge.compared(table, image, music) == pytest.approx(enumerated(table, image, music))


@pytest.mark.slow
@by_protocol
def test_the_law_is_what_a_draw_finds(protocol):
    rng = np.random.default_rng(0)
    image, music = (rng.dirichlet([1, 1, 2], 3) for _ in range(2))
    classes = [rng.permutation(np.repeat(range(3), n)) for n in ([900, 300, 600], [200, 500, 400])]
    i, j, truth = draw(protocol, *classes, 200_000, rng)
    said = [(rng.random((len(at), 1)) > np.cumsum(table, 1)[of[at]]).sum(1)
            for of, at, table in ((classes[0], i, image), (classes[1], j, music))]
    law = bridge.compared(joint(protocol, *map(np.bincount, classes)), image, music)
    assert np.mean((said[0] == said[1]) == truth) == pytest.approx(law, abs=0.006)


@pytest.mark.slow
@by_protocol
@given(p=counts, q=counts, image=shares, music=shares)
def test_symmetric_errors_need_only_the_share_of_true_pairs(protocol, p, q, image, music):
    table = joint(protocol, p, q)
    true, agree = np.trace(table), image * music + (1 - image) * (1 - music) / 2
    expected = true * agree + (1 - true) * (1 + agree) / 2
    assert bridge.symmetric(image, music, table) == pytest.approx(expected)
    if protocol != "uniform":  # half of the pairs are true
        assert expected == pytest.approx(1 / 4 + 3 * agree / 4)
        above = [(3 * share - 1) / 2 for share in (image, music)]  # what lies above chance is multiplied
        assert 2 * expected - 1 == pytest.approx(above[0] * above[1])


@pytest.mark.slow
@given(image=shares, music=shares)
def test_wrong_labels_and_wrong_names_lower_the_accuracy_by_one_formula(image, music):
    table = joint("class_balanced", [1, 1, 1], [1, 1, 1])
    assert bridge.symmetric(image, music, table) == pytest.approx(uncertainty.symmetric_ceiling(1 - image, 1 - music))


@by_protocol
@pytest.mark.parametrize(("image", "music", "expected"), [(1.0, 1.0, 1.0), (1 / 3, 0.9, None), (0.9, 1 / 3, None)])
def test_who_knows_all_is_right_and_who_knows_nothing_of_a_half_guesses(protocol, image, music, expected):
    table = joint(protocol, [5, 3, 2], [1, 4, 2])
    true = np.trace(table)
    assert bridge.symmetric(image, music, table) == pytest.approx(expected or (true + 2 * (1 - true)) / 3)


@pytest.mark.slow
@by_protocol
@given(p=counts, q=counts, image=shares, music=shares.filter(lambda m: abs(m - 1 / 3) > 0.02))
def test_the_accuracy_that_is_needed_gives_what_was_wanted(protocol, p, q, image, music):
    table = joint(protocol, p, q)
    found = bridge.needed(bridge.symmetric(image, music, table), music, table)
    assert found == pytest.approx(image, abs=1e-6)


@pytest.mark.parametrize(("pairs", "music"), [(0.8, 0.7), (0.3, 0.6), (0.6, 1 / 3), (0.5, 1 / 3)])
def test_what_no_accuracy_gives_is_no_number(pairs, music):
    assert bridge.needed(pairs, music, joint("class_balanced", [1, 1, 1], [1, 1, 1])) is None


@pytest.mark.parametrize("shapes", [((3, 3), (3, 3), (2, 2)), ((3, 3), (3,), (3, 3)), ((3, 2), (3, 2), (3, 2)),
                                    ((3, 3), (4, 3), (3, 3))])
def test_tables_of_other_classes_are_refused(shapes):
    with pytest.raises(ValueError, match="expected three squares over the same classes"):
        bridge.compared(*map(np.ones, shapes))


@pytest.mark.parametrize(("image", "music", "named"), [(61.7, 0.5, "image is 61.7"), (0.5, -0.1, "music is -0.1"),
                                                       (np.nan, 0.5, "image is nan")])
def test_accuracies_are_shares(image, music, named):
    with pytest.raises(ValueError, match=f"{named}; expected an accuracy from 0 to 1"):
        bridge.symmetric(image, music, np.eye(3) / 3)


# predicted and measured, where the truth is known


TRUTH = [np.array([[0.7, 0.2, 0.1], [0.3, 0.5, 0.2], [0.2, 0.2, 0.6]]),
         np.array([[0.5, 0.3, 0.2], [0.2, 0.6, 0.2], [0.1, 0.4, 0.5]])]
SIZES = ([40, 20, 30], [12, 9, 14])  # pictures and songs of each class
SEGMENTS = 4


def world(seed: int, alike: float, n_pairs: int = 3000, protocol: str = "rejection"):
    """Names that are drawn by TRUTH: once for validation, once for the test. A song's segments, and the two names of a
    sample, are the same in a share `alike` of the songs and pictures.
    """
    rng = np.random.default_rng(seed)
    known, tested = [], []
    for table, sizes, segments in zip(TRUTH, SIZES, (1, SEGMENTS), strict=True):
        truth = np.repeat(np.repeat(range(3), sizes), segments)
        group = np.repeat(np.arange(sum(sizes)), segments)
        shared, sticks = rng.random(sum(sizes)), rng.random(sum(sizes)) < alike
        for held in (known, tested):
            u = np.where(sticks[group], shared[group], rng.random(len(group)))
            held.append(Named(truth, (u[:, None] > np.cumsum(table, 1)[truth]).sum(1), group))
    image, music = tested
    i, j, truth = draw(protocol, image.truth, music.truth, n_pairs, rng)
    right = (image.said[i] == music.said[j]) == truth
    answers = Answers(image.truth[i], music.truth[j], right, (image.group[i], music.group[j]))
    return joint(protocol, *SIZES), known, answers


@pytest.mark.slow
@pytest.mark.parametrize("alike", [0.0, 0.5, 1.0])
def test_intervals_hold_the_truth_about_as_often_as_they_say(alike):
    """The prediction's interval the accuracy under the law, and the difference's no difference."""
    table, held, errors = joint("rejection", *SIZES), {"predicted": 0, "difference": 0}, []
    law, n = bridge.compared(table, *TRUTH), 150
    for seed in range(n):
        _, known, answers = world(seed, alike)
        predicted, difference = bridge.predicted(table, *known), bridge.difference(table, *known, answers)
        assert difference.value == pytest.approx(predicted.value - answers.accuracy.value)
        errors.append((predicted.value - law, difference.value, predicted.error, difference.error))
        for name, found, truth in (("predicted", predicted, law), ("difference", difference, 0)):
            low, high = found.interval()
            held[name] += low <= truth <= high
    off, apart, error, error_apart = np.array(errors).T
    assert abs(off.mean()) < 4 * off.std() / np.sqrt(n), "the law is not biased"
    assert error.mean() == pytest.approx(off.std(), rel=0.2)
    assert error_apart.mean() == pytest.approx(apart.std(), rel=0.25)
    assert all(0.9 * n <= k < n for k in held.values()), held


def test_what_both_numbers_share_is_not_taken_for_independent():
    """Where the same names stand behind both, the difference is better known than the sum of two variances."""
    table, known, answers = world(1, alike=1.0)
    apart = bridge.difference(table, *known, answers).error
    assert apart < 0.6 * np.hypot(bridge.predicted(table, *known).error, answers.accuracy.error)


@pytest.mark.slow
def test_the_error_of_a_prediction_is_that_of_leaving_out_one_song_or_picture_at_a_time():
    table, (image, music), _ = world(3, alike=0.5)
    squares = 0.0
    for left, other, turned in ((image, music, False), (music, image, True)):
        found = []
        for name in np.unique(left.group):
            keep = left.group != name
            some = Named(left.truth[keep], left.said[keep], left.group[keep])
            both = (other, some) if turned else (some, other)
            found.append(bridge.compared(table, *(half.shares(3) for half in both)))
        squares += (len(found) - 1) * np.var(found)
    assert bridge.predicted(table, image, music).error == pytest.approx(np.sqrt(squares), rel=0.03)


def test_a_class_of_one_song_tells_nothing_of_others():
    table, (image, music), answers = world(0, alike=0.0)
    one = np.where(music.truth == 1, -1, music.group)
    lone = Named(music.truth, music.said, one)
    for found in (bridge.predicted(table, image, lone), bridge.difference(table, image, lone, answers)):
        assert found.error == np.inf and found.row()["variances"] is None
    assert bridge.predicted(table, image, lone).interval() == (0, 1)


# a whole study in small


class Tiny:
    """As much of a study as the audit asks for: features that show their class through noise."""

    def __init__(self, table: pd.DataFrame, noise: float, fold: int, folds: int = 3) -> None:
        self.manifest, self.made = table, (table, noise)
        rng = np.random.default_rng(7)
        x = {m: np.eye(6)[[CLASSES.index(c) for c in own["class"]]] + noise * rng.standard_normal((len(own), 6))
             for m, own in table.groupby("modality")}
        self.corpus = corpus.build(table, splits.assign_split(table, draw=fold, folds=folds), x, "zscore")
        self.fold = fold

    def variant(self, folds: int, split_draw: int, pair_draw: int) -> "Tiny":
        assert pair_draw == split_draw  # folds that drew the same classes would share that luck
        return Tiny(*self.made, split_draw, folds)

    def test_pairs(self, protocol: str):
        return self.corpus.draw("test", protocol, 1500, np.random.default_rng(self.fold))


@pytest.fixture(scope="module")
def found():
    return bridge.rows(Tiny(manifest(songs=36, segments=3, pictures=120), 1.0, 0), folds=3)


@pytest.mark.slow
def test_every_sample_is_named_once_in_validation_and_once_in_the_test(found):
    pictures, songs = (row for row in found if row["what"] == "half")
    assert (pictures["row"], pictures["groups"], songs["row"], songs["groups"]) == ("image", 120, "music", 36)
    for row, n in ((pictures, 40), (songs, 36)):
        assert row["classes"] == list(CLASSES)
        assert np.sum(row["validation"], 1).tolist() == np.sum(row["test"], 1).tolist() == [n] * 3
        for part in ("validation", "test"):
            right = 100 * np.trace(row[part]) / np.sum(row[part])
            assert row[f"{part}_accuracy"]["ours"] == pytest.approx(right) and 40 < right < 99


@pytest.mark.slow
def test_the_law_predicts_the_pairs_of_every_protocol(found):
    rows = [row for row in found if row["what"] == "protocol"]
    assert [row["row"] for row in rows] == list(PROTOCOLS) and len(found) == 2 + len(PROTOCOLS)
    for row in rows:
        low, high = row["difference"]["interval"]
        assert low < 0 < high < 15 and row["n_pairs"] == 4500
        assert row["difference"]["ours"] == pytest.approx(row["predicted"]["ours"] - row["measured"]["ours"])
        assert row["predicted"]["interval"][0] < row["predicted"]["ours"] < row["predicted"]["interval"][1]
        assert row["symmetric"] == pytest.approx(row["predicted"]["ours"], abs=3)
        assert row["true"] == pytest.approx(100 / 3 if row["row"] == "uniform" else 50)


@pytest.mark.slow
def test_the_measured_accuracy_is_that_of_the_baseline():
    study = Tiny(manifest(songs=36, segments=3, pictures=120), 1.0, 1)
    row = next(r for r in bridge.judged([study]) if r["row"] == "uniform")
    asked = study.test_pairs("uniform")
    right = baselines.two_classifiers(study.corpus, asked, "uniform", 0) == (asked.truth == 1)
    assert row["measured"]["ours"] == pytest.approx(100 * right.mean()) and row["n_pairs"] == 1500


@pytest.mark.slow
def test_two_classes_are_named_as_two():
    table = manifest(songs=36, segments=2, pictures=90)
    rows = bridge.rows(Tiny(table[table["class"] != "neutral"].reset_index(drop=True), 1.0, 0), folds=3)
    assert rows[0]["classes"] == ["positive", "negative"] and np.shape(rows[1]["test"]) == (2, 2)
    assert all(row["difference"]["interval"][0] < 0 < row["difference"]["interval"][1] for row in rows[2:])


@pytest.mark.slow
def test_a_protocol_that_draws_no_pairs_is_left_out_with_its_reason():
    table = manifest(songs=36, segments=2, pictures=90)
    table = table[(table["modality"] == "music") | (table["class"] == "neutral")].reset_index(drop=True)
    rows = bridge.rows(Tiny(table, 1.0, 0), folds=3)
    left = {row["row"]: row["reason"] for row in rows if row["what"] == "left out"}
    assert left and all(name in reason and "pairs can be drawn" in reason for name, reason in left.items())
    assert {row["row"] for row in rows[2:]} == set(PROTOCOLS)


def test_no_split_is_an_error():
    with pytest.raises(ValueError, match="studies is empty; expected one or more splits"):
        bridge.judged([])


def test_the_summary_counts_what_agrees_and_names_what_is_left_out():
    apart = [(-1.0, [[1, 9]]), (2.0, [[1, 9]]), (2.5, [[1, 9]]), (-3.0, [[1, 9]]), (1.0, None)]
    rows = [{"what": "half", "row": "image"},
            *({"what": "protocol", "row": "uniform", "difference": {
                "ours": ours, "interval": [ours - 2, ours + 2], "variances": variances}} for ours, variances in apart),
            {"what": "left out", "row": "rejection", "reason": "no pairs"}]
    results = [{"data": "A", "rows": rows}, {"data": "B", "rows": rows[:2]}]
    assert bridge.summary(results) == {"asked": 5, "agrees": 3, "largest": 3.0}
    assert bridge.left_out(results) == "rejection on A (no pairs)"
    assert bridge.summary([]) == {"asked": 0, "agrees": 0, "largest": None} and bridge.left_out([]) == "none"


# what the paper's tables say of one another


def test_emotions_are_named_within_and_beyond_their_class():
    assert halves.emotions(1.0).tolist() == np.eye(3).tolist()
    np.testing.assert_allclose(halves.emotions(1 / 8), [[3 / 8, 1 / 8, 4 / 8]] * 3)
    np.testing.assert_allclose(halves.emotions(0.3), [[0.5, 0.1, 0.4], [0.3, 0.3, 0.4], [0.3, 0.1, 0.6]])


def test_what_the_papers_accuracy_on_pairs_takes():
    rows = {row["protocol"]: row for row in halves.by_paper()}
    assert tuple(rows) == PROTOCOLS
    for name, row in rows.items():
        table = halves.paper_joints()[name]
        assert (row["pairs"], row["music"]) == (61.67, 63.5)
        assert bridge.symmetric(row["needed"] / 100, 0.635, table) == pytest.approx(0.6167)
        by_emotion = bridge.compared(table, halves.emotions(row["emotions"] / 100), uncertainty.symmetric(0.365))
        assert by_emotion == pytest.approx(0.6167)
    agree = (0.6167 - 0.25) / 0.75  # by hand: t, and from it the accuracy on pictures
    assert rows["class_balanced"]["needed"] == pytest.approx(100 * (agree - 0.1825) / (0.635 - 0.1825))
    assert rows["uniform"]["true"] == pytest.approx(30.6, abs=0.05)


def test_what_the_papers_accuracies_on_emotions_come_to():
    rows = {row["row"]: row for row in halves.pictures_by_paper()}
    assert {name: row["emotions"] for name, row in rows.items()} == paper.RECOGNITION["image"]
    assert rows["Random"]["pairs"] == pytest.approx(50), "who names at random says nothing of a pair"
    assert all(row["emotions"] < row["classes"] < 100 for row in rows.values())
    assert sorted(rows, key=lambda n: rows[n]["pairs"]) == sorted(rows, key=lambda n: rows[n]["emotions"])


@pytest.mark.parametrize(("acp", "other", "said"), [
    (60.0, 58.0, "ACP-Net's 61.0 % is 1.0 points more than the 60.0 % that comparing the classes predicted from its "
     "own features would give; of the paper's classifiers of emotions, none would reach 61.0 %"),
    (60.0, 61.0, "of the paper's classifiers of emotions, AlexNet (61.0 %) would reach 61.0 %"),
    (62.0, 58.0, "ACP-Net's 61.0 % is no more than the 62.0 % that comparing the classes predicted from its own "
     "features would give; of the paper's classifiers of emotions, ACP-Net features + MLP (62.0 %) would reach 61.0 %"),
])
def test_the_implication_is_worded_by_the_numbers(acp, other, said):
    rows = [{"protocol": "uniform", "pairs": 61.0}, {"protocol": "class_balanced", "pairs": 61.0}]
    pictures = [{"row": "AlexNet", "pairs": other}, {"row": recognition.ACP_NET, "pairs": acp}]
    assert said in halves.implication(rows, pictures)


def test_the_networks_halves_are_taken_from_table_5(monkeypatch):
    given_names = {"image": "Inception-V3 features, linear", "music": "193 numbers, linear"}
    rows = [{"row": name, "what": f"{what}, 3 classes", "classes": list(CLASSES),
             "confusion": (n * np.eye(3) + 1).tolist()}
            for m, what in recognition.WORDS.items() for name, n in
            ((recognition.ACP_NET, 3), ("ACP-Net features, linear", 1), (given_names[m], 6))]
    monkeypatch.setattr(halves.tables, "load", lambda study, number: rows)
    table = manifest(songs=36, segments=1, pictures=90)
    study = SimpleNamespace(profile=SimpleNamespace(pairing=SimpleNamespace(pairs="class_balanced")),
                            corpus=Tiny(table, 1.0, 0).corpus)
    found = halves.of_network(study)
    balanced = joint("class_balanced", [1, 1, 1], [1, 1, 1])
    for row, right in zip(found, (4 / 6, 2 / 4, 7 / 9), strict=True):
        assert (row["image"], row["music"]) == pytest.approx((100 * right, 100 * right))
        assert row["law"] == pytest.approx(100 * bridge.symmetric(right, right, balanced))


@pytest.mark.parametrize(("interval", "said"), [
    ([61.0, 65.0], "its CI lies above this number, whose own uncertainty is not counted"),
    ([50.0, 59.0], "its CI lies below this number, whose own uncertainty is not counted"),
    ([59.0, 61.0], "so many pairs cannot tell the two apart"), ([60.0, 61.0], "so many pairs cannot"),
    ([-np.inf, np.inf], "so many pairs cannot"),
])
def test_the_network_is_above_its_halves_by_its_whole_interval(interval, said):
    assert halves.against({"interval": interval}, 60.0).startswith(said)


@pytest.mark.slow
def test_estimates_are_written_as_every_other(found):
    for row in found[2:]:
        assert intervals.of_row(row["difference"]).value == row["difference"]["ours"]
