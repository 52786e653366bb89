"""Agreement of two methods: kappa against scikit-learn, shares by hand."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from acp_lib.results.agreement import kappa, kappa_between_runs, mean_kappa, overlap

ANSWERS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40)


def answers(text):
    return np.array([c == "t" for c in text])


@pytest.mark.parametrize(("one", "other", "expected"), [
    ("ttff", "ttff", 1), ("ttff", "fftt", -1), ("ttff", "tftf", 0), ("tttt", "ttff", 0), ("tttt", "ffff", 0),
    ("tttf", "ttff", 0.5),  # they agree on 3 of 4; by chance on 3/4 * 1/2 + 1/4 * 1/2 = 1/2
    ("tttt", "tttt", None), ("ffff", "ffff", None), ("t", "f", 0),
])
def test_kappa_by_hand(one, other, expected):
    assert kappa(answers(one), answers(other)) == (expected if expected is None else pytest.approx(expected))


@pytest.mark.slow
@given(ANSWERS)
def test_kappa_is_that_of_scikit_learn_and_the_same_both_ways(rows):
    one, other = (np.array(column) for column in zip(*rows, strict=True))
    assume(len(np.unique([one, other])) > 1)
    assert kappa(one, other) == pytest.approx(cohen_kappa_score(one, other), abs=1e-12)
    assert kappa(one, other) == pytest.approx(kappa(other, one), abs=1e-12)


def test_a_mean_leaves_out_what_has_no_kappa():
    same, half, other = answers("tttt"), answers("ttff"), answers("tftf")
    assert mean_kappa([(half, half), (same, same), (half, other)]) == pytest.approx(0.5)
    assert mean_kappa([(same, same)]) is None and mean_kappa([]) is None


def test_runs_of_one_method_are_compared_two_by_two():
    runs = [answers(t) for t in ("ttff", "ttff", "fftt")]
    assert kappa_between_runs(runs) == pytest.approx((1 - 1 - 1) / 3)
    assert kappa_between_runs(runs[:1]) is None


def test_overlap_by_hand():
    truth = np.array([1, 1, 0, 0])
    found = overlap([np.array([1, 1, 1, 0], bool)], [np.array([1, 0, 0, 0], bool)], truth)
    assert {k: found[k] for k in ("both right", "only the first", "only the second", "neither")} == {
        "both right": 0.25, "only the first": 0.5, "only the second": 0, "neither": 0.25}
    assert found["neither by chance"] == 0.25 * 0.75
    assert found["kappa"] == pytest.approx(kappa(answers("ttft"), answers("tftt")))  # what they said of the pairs


def test_overlap_is_a_mean_over_all_combinations_of_runs():
    rng = np.random.default_rng(0)
    one, other, truth = rng.random((3, 50)) < 0.7, rng.random((2, 50)) < 0.6, rng.random(50) < 0.5
    found = overlap(one, other, truth)
    each = [overlap([a], [b], truth) for a in one for b in other]
    for name in found:
        assert found[name] == pytest.approx(np.mean([e[name] for e in each])), name
    assert sum(found[k] for k in ("both right", "only the first", "only the second", "neither")) == pytest.approx(1)


def test_methods_that_say_the_same_of_everything_have_no_kappa():
    right = np.array([1, 0, 1], bool)
    assert overlap([right], [right], right)["kappa"] is None  # both say "true" to all
