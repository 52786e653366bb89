"""Table 1 of the paper."""

import pytest

from acp_lib.emotions import CLASSES, EMOTIONS, REGROUPING, present, regroup


def test_classes_and_their_order():
    assert CLASSES == ("positive", "neutral", "negative")
    assert set(CLASSES) == set(REGROUPING.values())


@pytest.mark.parametrize(("emotions", "label"), [
    (("awe", "amusement", "excitement"), "positive"),
    (("contentment",), "neutral"),
    (("fear", "disgust", "anger", "sadness"), "negative"),
])
def test_table_1(emotions, label):
    assert tuple(e for e in EMOTIONS if regroup(e) == label) == emotions


@pytest.mark.parametrize("wrong", ["joy", "", "Awe", " awe", "positive", None, 3])
def test_other_emotions_are_refused(wrong):
    with pytest.raises(ValueError, match="expected one of awe, amusement") as error:
        regroup(wrong)
    assert repr(wrong) in str(error.value)


def test_present_labels_keep_the_books_order():
    assert present(["fear", "negative", "awe", "fear", "positive"]) == ["awe", "fear", "positive", "negative"]
    assert present([]) == present(["joy"]) == []
