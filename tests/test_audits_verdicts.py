"""Verdicts: rules on tables of intervals, the paper's arithmetic, claims whose numbers are missing."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_project import CHAPTERS

from acp_lib.audits import verdicts
from acp_lib.audits.verdicts import DEPENDS, FAILS, HOLDS, MISSING, OPEN, OTHER, Claim, judge
from acp_lib.experiment.intervals import Estimate
from acp_lib.results import recognition


@pytest.mark.parametrize(("value", "than", "p", "outcome"), [
    (60, 50, 0.04, HOLDS), (60, 50, 0.05, OPEN), (60, 50, 1.0, OPEN), (40, 50, 0.001, FAILS), (40, 50, 0.2, OPEN),
    (50, 50, 0.0, OPEN), (2, 0, 0.049, HOLDS), (-2, 0, 0.049, FAILS),
])
def test_above(value, than, p, outcome):
    assert verdicts.above(value, than, p) == outcome


@pytest.mark.parametrize(("value", "error", "outcome"), [
    (61.0, 0.5, HOLDS),
    (61.0, 3.0, OPEN),  # its interval holds the paper's number, because it knows little
    (61.67, 30.0, OPEN), (63.5, 0.1, HOLDS), (64.5, 0.1, FAILS), (58.0, 0.5, FAILS), (58.0, 1.0, OPEN),
])
def test_equivalent(value, error, outcome):
    assert verdicts.equivalent(Estimate(value, ((error**2, 1e6),), 0, 100), 61.67, 2.25) == outcome


@pytest.mark.parametrize(("count", "items", "outcome"), [(6, 6, HOLDS), (3, 6, DEPENDS), (0, 6, FAILS)])
def test_every(count, items, outcome):
    assert verdicts.every(count, items) == outcome


def claim(**changes):
    about = {"part": "p", "claim": "c", "quote": "q", "where": "chapter-probes", "rule": "above", "than": 50,
             "value": {"file": "f", "row": {"row": "A"}}}
    return Claim(**about | ({"margin": 2.25} if changes.get("rule") == "equivalent" else {}) | changes)


def row(name, ours, error, **more):
    return {"row": name, "ours": ours, "interval": [ours - 1.96 * error, ours + 1.96 * error],
            "variances": [[error**2, 1e6]], **more}


ROWS = [row("A", 60.0, 2.0, what="picture, 8 classes"), row("B", 55.0, 2.0), row("C", 45.0, 1.0),
        {"row": "one song", "ours": 90.0, "interval": [0.0, 100.0], "variances": None}]


def of(name):
    return {"value": {"file": "f", "row": {"row": name}}}


def read(name):
    return ROWS if name == "f" else None


def alone(one, imac=True):
    return judge([one], read, imac)[0]


@pytest.mark.slow
@pytest.mark.parametrize(("changes", "outcome"), [
    ({}, HOLDS), ({"than": 57}, OPEN), (of("B"), HOLDS), (of("C"), FAILS), (of("one song"), OPEN),
    ({"value": {"file": "f", "row": {"row": "A", "what": "picture"}}}, HOLDS),
    ({"value": {"file": "f", "row": {"row": "A", "what": "music"}}}, MISSING),
    ({"value": {"file": "none", "row": {"row": "A"}}}, MISSING), (of("Z"), MISSING),
    ({"than": {"file": "f", "row": {"row": "C"}, "value": "ours"}}, HOLDS),
    ({"than": {"file": "f", "row": {"row": "Z"}, "value": "ours"}}, MISSING),
    ({"rule": "equivalent", "than": None, "paper": 60.5}, OPEN),  # 56 to 64 holds it, and says little
    ({"rule": "equivalent", "than": None, "paper": 60.5, "margin": 8}, HOLDS),
    ({"rule": "equivalent", "than": None, "paper": 71.0}, FAILS),
])
def test_claims_on_a_table_of_estimates(changes, outcome):
    found = alone(claim(**changes))
    assert found.outcome == outcome and (found.interval is None) == (outcome == MISSING)


def test_whoever_compares_often_pays_for_it():
    """p of B is 0.012: enough alone and among three others, not among five."""
    four = judge([claim(**of(name)) for name in "ABCA"], read)
    assert [v.outcome for v in four] == [HOLDS, HOLDS, FAILS, HOLDS] and four[1].p == pytest.approx(0.0124, abs=1e-3)
    six = judge([claim(**of("B"))] * 5, read)
    assert {v.outcome for v in six} == {OPEN} and six[0].p == pytest.approx(5 * 0.0124, abs=1e-3)
    assert six[0].interval[0] > 50  # so that the interval alone would have decided


def test_claims_without_numbers_count_among_the_comparisons():
    few, many = judge([claim(**of("B"))], read), judge([claim(**of("B")), *[claim(**of("Z"))] * 4], read)
    assert few[0].outcome == HOLDS and many[0].outcome == OPEN and many[0].p == pytest.approx(5 * few[0].p)


def test_a_number_is_the_papers_on_the_papers_data_alone():
    one = claim(rule="equivalent", than=None, paper=60.0, margin=8)
    assert (alone(one).outcome, alone(one, imac=False).outcome) == (HOLDS, OTHER)


def test_counts_are_held_against_how_many_there_are():
    source = {"file": "s", "row": {"row": "beats"}, "value": "count", "of": "readings"}
    for count, outcome in ((8, HOLDS), (2, DEPENDS), (0, FAILS)):
        rows = [{"row": "beats", "count": count, "readings": 8}]
        assert judge([claim(rule="every", value=source, than=None)], lambda name, rows=rows: rows)[0].outcome == outcome


@pytest.mark.parametrize(("changes", "message"), [
    ({"rule": "guess"}, "rule of 'c' is 'guess'; expected one of arithmetic, above"),
    ({"rule": "contains"}, "rule of 'c' is 'contains'; expected one of"),
    ({"rule": "equivalent", "margin": None}, "margin of 'c' is None; expected a number above 0"),
    ({"rule": "equivalent", "margin": 0}, "margin of 'c' is 0; expected a number above 0"),
    ({"rule": "arithmetic", "function": "magic"}, "function of 'c' is 'magic'; expected one of tags"),
])
def test_unknown_rules_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        claim(**changes)


def test_every_claim_of_the_file_is_complete():
    labels = {line[1:-2] for path in CHAPTERS for line in path.read_text("utf8").splitlines()
              if line.startswith("(chapter-")}
    texts = [c.claim for c in verdicts.claims()]
    assert len(texts) == len(set(texts)) >= 15
    for c in verdicts.claims():
        assert c.where in labels and c.quote, c.claim
        assert (c.value is None) == (c.rule == "arithmetic"), c.claim
        if c.rule == "above":
            assert c.than is not None, c.claim
            assert set(c.value) == {"file", "row"}, c.claim
        if c.rule == "equivalent":
            assert c.paper is not None and c.margin, c.claim


def test_no_claim_holds_one_method_against_the_mean_of_another():
    """Both have luck of their own: the claim is about the difference on the same samples."""
    for c in verdicts.claims():
        if c.rule == "above" and isinstance(c.than, dict):
            assert c.than["value"] == "chance", c.claim
    known = {f"{one} against {other}" for _, one, other in recognition.COMPARED}
    asked = {c.value["row"]["row"] for c in verdicts.claims() if c.value and c.value["file"] == "recognition"}
    assert asked == known


def test_nothing_is_decided_without_numbers():
    found = judge(verdicts.claims(), lambda name: None)
    assert {v.outcome for v in found if v.claim.rule != "arithmetic"} == {MISSING}


def test_on_synthetic_data_no_claim_holds():
    for v in judge(verdicts.claims(), lambda name: None):
        for outcome in verdicts.OUTCOMES:
            words = verdicts.called(verdicts.Verdict(v.claim, outcome), synthetic=True)
            assert v.claim.rule == "arithmetic" or words not in (HOLDS, FAILS)
            assert verdicts.called(verdicts.Verdict(v.claim, outcome), synthetic=False) == outcome


# arithmetic


def test_the_papers_arithmetic():
    found = {c.function: judge([c], lambda name: None)[0] for c in verdicts.claims() if c.rule == "arithmetic"}
    assert set(found) == set(verdicts.ARITHMETIC)
    assert {name: v.outcome for name, v in found.items()} == {
        "tags": HOLDS, "songs": HOLDS, "pictures": HOLDS, "minutes": HOLDS, "granularity": HOLDS, "rounding": FAILS,
        "majority": FAILS}
    numbers = {name: v.value for name, v in found.items()}
    assert (numbers["tags"], numbers["songs"], numbers["pictures"]) == (2971, 3812, 89395)
    assert numbers["majority"] == pytest.approx(39.64, abs=0.01) and numbers["minutes"] == pytest.approx(4.25, abs=0.01)


def test_granularity_of_table_4():
    assert verdicts.granularity(["57.17", "55.84", "61.67"]) == 1422


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(1, 300), st.integers(0, 300)), min_size=1, max_size=3))
def test_granularity_is_the_smallest_list_by_trying(shares):
    printed = [f"{100 * min(k, n) / n:.1f}" for n, k in shares]

    def possible(n):
        return all(any(abs(Fraction(100 * k, n) - Fraction(v)) <= Fraction(1, 20) for k in range(n + 1))
                   for v in printed)

    n = verdicts.granularity(printed)
    assert possible(n) and not any(possible(m) for m in range(1, n))


def test_granularity_of_nothing():
    with pytest.raises(ValueError, match="values is empty"):
        verdicts.granularity([])


# what the page shows


def verdict(rule="above", outcome=HOLDS, part="p", **values):
    about = {"rule": rule, "part": part} | ({"function": "tags"} if rule == "arithmetic" else {})
    return verdicts.Verdict(claim(**about), outcome, **values)


def test_counts_of_verdicts_by_part():
    judged = [*(verdict(part=part) for part in ("Second", "First", "Second")), verdict("arithmetic", part="Second")]
    counts = verdicts.by_part(judged, synthetic=True)
    assert counts.index.tolist() == ["Second", "First"]
    assert counts.to_dict() == {"arithmetic: holds": {"Second": 1, "First": 0},
                                "the method works": {"Second": 2, "First": 1}}


@pytest.mark.parametrize(("value", "words"), [
    (None, None), (2971, "2,971"), (1000.0, "1,000"), (999.0, "999"), (61.666, "61.67"), (-4.5, "-4.5"), (50, "50"),
    (12345.5, "12,345.5"),
])
def test_numbers_of_verdicts(value, words):
    assert verdicts.in_words(value) == words


def test_what_a_verdict_stands_on():
    assert verdicts.found(verdict(value=60.0, interval=(54.96, 65.04))) == "60.0 (55.0 to 65.0)"
    assert verdicts.found(verdict(value=60.0)) == "60.0"
    assert verdicts.found(verdict("every", value=5, than=16)) == "5 of 16 readings"
    assert verdicts.found(verdict("arithmetic", value=2971, note="they add up")) == "they add up"
    assert verdicts.found(verdict(outcome=MISSING)) is None
    assert verdicts.rule(verdict(than=50)) == "above 50" and verdicts.rule(verdict()) == "above"
    assert verdicts.rule(verdict("every", value=5, than=16)) == "every reading"
    assert verdicts.rule(verdict("equivalent", than=61.67)) == "equivalent 61.67 ± 2.25"


def test_what_arithmetic_refutes():
    wrong = verdict("arithmetic", FAILS, note="it is not")
    assert verdicts.refuted([wrong, verdict("arithmetic", note="it is"), verdict(outcome=FAILS)]) == ["c (it is not)"]
