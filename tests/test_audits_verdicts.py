"""Verdicts: rules on tables of intervals, the paper's arithmetic, claims whose numbers are missing."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_project import CHAPTERS

from acp_lib.audits import verdicts
from acp_lib.audits.verdicts import DEPENDS, FAILS, HOLDS, MISSING, OPEN, Claim, judge


@pytest.mark.parametrize(("rule", "value", "interval", "than", "outcome"), [
    ("above", 60, (55, 65), 50, HOLDS), ("above", 60, (49, 71), 50, OPEN), ("above", 40, (35, 45), 50, FAILS),
    ("above", 2, (0, 4), 0, OPEN), ("above", -3, (-4, -2), 0, FAILS), ("above", 60, (60, 60), 60, OPEN),
    ("contains", 60, (55, 65), 61.67, HOLDS), ("contains", 60, (55, 61), 61.67, FAILS),
    ("every", 6, (6, 6), 6, HOLDS), ("every", 3, (3, 3), 6, DEPENDS), ("every", 0, (0, 0), 6, FAILS),
])
def test_rules(rule, value, interval, than, outcome):
    assert verdicts.RULES[rule](value, interval, than) == outcome


def claim(**changes):
    return Claim(**{"part": "p", "claim": "c", "quote": "q", "where": "chapter-probes", "rule": "above",
                    "value": {"file": "f", "row": {"row": "A"}, "value": "ours", "interval": ["interval", "clustered"]},
                    "than": {"file": "f", "row": {"row": "B"}, "value": "ours"}} | changes)


ROWS = [{"row": "A", "ours": 60.0, "interval": [58, 62], "clustered": [51, 69], "what": "picture, 8 classes"},
        {"row": "B", "ours": 55.0, "interval": None}, {"row": "C", "ours": None}]


@pytest.mark.parametrize(("changes", "outcome", "interval"), [
    ({}, OPEN, (51, 69)),
    ({"than": 50}, HOLDS, (51, 69)),
    ({"value": {"file": "f", "row": {"row": "A"}, "value": "ours", "interval": ["interval"]}}, HOLDS, (58, 62)),
    ({"value": {"file": "f", "row": {"row": "A", "what": "picture"}, "value": "ours"}}, HOLDS, None),
    ({"value": {"file": "f", "row": {"row": "A", "what": "music"}, "value": "ours"}}, MISSING, None),
    ({"value": {"file": "f", "row": {"row": "B"}, "value": "ours", "interval": ["interval"]}, "than": 50}, HOLDS, None),
    ({"value": {"file": "f", "row": {"row": "C"}, "value": "ours"}}, MISSING, None),
    ({"value": {"file": "none", "row": {"row": "A"}, "value": "ours"}}, MISSING, None),
    ({"than": {"file": "f", "row": {"row": "Z"}, "value": "ours"}}, MISSING, None),
    ({"rule": "contains", "than": None, "paper": 61.67}, HOLDS, (51, 69)),
    ({"rule": "contains", "than": None, "paper": 71.0}, FAILS, (51, 69)),
])
def test_claims_on_a_table_of_intervals(changes, outcome, interval):
    found = judge(claim(**changes), lambda name: ROWS if name == "f" else None)
    assert (found.outcome, found.interval) == (outcome, interval)


def test_counts_are_held_against_how_many_there_are():
    source = {"file": "s", "row": {"row": "beats"}, "value": "count", "of": "readings"}
    for count, outcome in ((8, HOLDS), (2, DEPENDS), (0, FAILS)):
        rows = [{"row": "beats", "count": count, "readings": 8}]
        assert judge(claim(rule="every", value=source, than=None), lambda name, rows=rows: rows).outcome == outcome


@pytest.mark.parametrize(("changes", "message"), [
    ({"rule": "guess"}, "rule of 'c' is 'guess'; expected one of arithmetic, above"),
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
        if c.rule == "contains":
            assert c.paper is not None, c.claim


def test_nothing_is_decided_without_numbers():
    found = [judge(c, lambda name: None) for c in verdicts.claims()]
    assert {v.outcome for v in found if v.claim.rule != "arithmetic"} == {MISSING}


def test_on_synthetic_data_no_claim_holds():
    for v in (judge(c, lambda name: None) for c in verdicts.claims()):
        for outcome in verdicts.OUTCOMES:
            words = verdicts.called(verdicts.Verdict(v.claim, outcome), synthetic=True)
            assert v.claim.rule == "arithmetic" or words not in (HOLDS, FAILS)
            assert verdicts.called(verdicts.Verdict(v.claim, outcome), synthetic=False) == outcome


# arithmetic


def test_the_papers_arithmetic():
    found = {c.function: judge(c, lambda name: None) for c in verdicts.claims() if c.rule == "arithmetic"}
    assert set(found) == set(verdicts.ARITHMETIC)
    assert {name: v.outcome for name, v in found.items()} == {
        "tags": HOLDS, "songs": HOLDS, "pictures": HOLDS, "minutes": HOLDS, "granularity": HOLDS, "rounding": FAILS,
        "majority": FAILS}
    numbers = {name: v.value for name, v in found.items()}
    assert (numbers["tags"], numbers["songs"], numbers["pictures"]) == (2971, 3812, 89395)
    assert numbers["majority"] == pytest.approx(39.64, abs=0.01) and numbers["minutes"] == pytest.approx(4.25, abs=0.01)


def test_granularity_of_table_4():
    assert verdicts.granularity(["57.17", "55.84", "61.67"]) == 1422


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
    (None, None), (2971, "2,971"), (1000.0, "1,000"), (999.0, "999.00"), (61.666, "61.67"), (-4.5, "-4.50"),
    (12345.5, "12345.50"),
])
def test_numbers_of_verdicts(value, words):
    assert verdicts.in_words(value) == words


def test_what_a_verdict_stands_on():
    assert verdicts.found(verdict(value=60.0, interval=(54.96, 65.04))) == "60.00 (55.0 to 65.0)"
    assert verdicts.found(verdict(value=60.0)) == "60.00"
    assert verdicts.found(verdict("arithmetic", value=2971, note="they add up")) == "they add up"
    assert verdicts.found(verdict(outcome=MISSING)) is None
    assert verdicts.rule(verdict(than=50)) == "above 50.00" and verdicts.rule(verdict()) == "above"
    assert verdicts.rule(verdict("contains", than=61.67)) == "contains"


def test_what_arithmetic_refutes():
    wrong = verdict("arithmetic", FAILS, note="it is not")
    assert verdicts.refuted([wrong, verdict("arithmetic", note="it is"), verdict(outcome=FAILS)]) == ["c (it is not)"]
