"""Table 5, read: rows by hand."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from acp_lib.emotions import CLASSES, EMOTIONS
from acp_lib.experiment import intervals
from acp_lib.results import recognition


def row(name: str, what: str = "picture, 8 classes", **more) -> dict:
    return {"row": name, "what": what, "paper": None, "ours": 50.0, **more}


MUSIC = "music, 3 classes"
ROWS = [row("Random", paper=12.5, ours=12.5), row("Art-based features + SVM", paper=46.5, ours=60.0),
        row("AlexNet, fine-tuned", paper=58.6, ours=40.0), row("ACP-Net features + MLP", paper=40.4, memorised=90.0),
        row("ACP-Net features + MLP, random labels", ours=12.0, memorised=30.0),
        row("193 numbers + MLP", MUSIC, ours=70.0, memorised=80.0),
        row("193 numbers + MLP, random labels", MUSIC, ours=33.0, memorised=60.0)]


def test_rows_of_a_modality_come_without_its_controls_unless_they_are_asked_for():
    pictures, music = (recognition.of_modality(ROWS, m) for m in ("image", "music"))
    assert (len(pictures), [r["row"] for r in music]) == (4, ["193 numbers + MLP"])
    assert len(recognition.of_modality(ROWS, "image", controls=True)) == 5
    assert (recognition.asked_for(pictures), recognition.asked_for(music)) == ("8 classes", "3 classes")
    assert recognition.asked_for([row("Random", "picture, 3 classes (paper: 8)")]) == "3 classes (paper: 8)"


def test_the_class_of_the_emotion_that_was_named():
    counts = np.zeros((8, 8), int)
    awe, amusement, contentment, fear = (EMOTIONS.index(e) for e in ("awe", "amusement", "contentment", "fear"))
    counts[awe, awe], counts[awe, amusement], counts[awe, fear] = 4, 3, 1  # 7 of 8 in the class, 4 right
    counts[contentment, contentment], counts[fear, contentment] = 1, 1
    found = recognition.within_classes(row("x", classes=list(EMOTIONS), confusion=counts.tolist()))
    assert found == {"Method": "x", "Emotion right, %": pytest.approx(50), "Its class right, %": pytest.approx(80),
                     "Emotion right where the class is, %": pytest.approx(62.5)}


@pytest.mark.parametrize(("counts", "right", "within"), [([[2, 1, 0], [0, 3, 0], [2, 0, 0]], 62.5, 100),
                                                         ([[0, 1, 0], [0, 0, 1], [1, 0, 0]], 0, 0)])
def test_classes_have_no_emotions_within(counts, right, within):
    found = recognition.within_classes(row("x", classes=list(CLASSES), confusion=counts))
    assert list(found.values())[1:] == [pytest.approx(right), pytest.approx(right), within]


def test_selectivity_is_what_real_labels_give_above_random_ones_where_samples_are_met_again():
    found = recognition.selectivity(ROWS)
    assert [(r["Of"], r["Probe"], r["Selectivity"]) for r in found] == [
        ("pictures", "ACP-Net features + MLP", 60.0), ("music", "193 numbers + MLP", 20.0)]
    assert [r["Test, real labels, %"] for r in found] == [50.0, 70.0]
    assert [(r["Training, real labels, %"], r["Training, random labels, %"]) for r in found] == [(90.0, 30.0),
                                                                                                (80.0, 60.0)]


def test_methods_of_the_paper_in_order():
    pictures = recognition.of_modality(ROWS, "image")
    assert recognition.order(pictures, "paper") == ["AlexNet, fine-tuned", "Art-based features + SVM",
                                                    "ACP-Net features + MLP"]
    assert recognition.order(pictures, "ours") == ["Art-based features + SVM", "ACP-Net features + MLP",
                                                   "AlexNet, fine-tuned"]


def test_the_embedding_is_held_against_its_features_on_the_same_samples():
    items = np.array([3, 1, 0, 2])

    def run(correct):
        return SimpleNamespace(correct=np.array(correct, bool), predictions=pd.DataFrame({"item": items}))

    runs = {"ACP-Net features + MLP": [run([1, 1, 0, 0]), run([1, 0, 0, 0])], "193 numbers + MLP": [run([1, 1, 1, 0])]}
    table = pd.DataFrame({"modality": ["image"] + ["music"] * 4, "group": ["p", "a", "a", "b", "b"]})
    study = SimpleNamespace(trained=lambda modality: runs, manifest=table, profile=SimpleNamespace(seed=4))
    found = recognition.against(study, "music", recognition.ACP_NET, "193 numbers + MLP")
    assert found.value == pytest.approx(100 * ((1 + 0.5 + 0 + 0) / 4 - 3 / 4))
    songs = np.array(["b", "a", "a", "b"])
    assert found == intervals.difference([[1, 1, 0, 0], [1, 0, 0, 0]], [[1, 1, 1, 0]], songs).scaled(100)


def test_naming_the_most_frequent_training_label_is_a_method_too():
    """Of the training part class 1 is the most frequent, which two of three test samples have; one has no label."""
    said = SimpleNamespace(correct=np.array([True, True, False]), predictions=pd.DataFrame({"item": [5, 6, 7]}))
    side = SimpleNamespace(label=np.array([1, 1, 0, -1, -1, 1, 0, 1]), part=np.array([0, 0, 0, 0, 0, 2, 2, 2]),
                           emotion=None)
    table = pd.DataFrame({"modality": "music", "group": list("abcdefgh")})
    study = SimpleNamespace(trained=lambda modality: {recognition.ACP_NET: [said]}, manifest=table,
                            corpus=SimpleNamespace(music=side))
    found = recognition.against(study, "music", recognition.ACP_NET, recognition.FREQUENT)
    assert found == intervals.difference([1, 1, 0], [1, 0, 1], np.arange(3)).scaled(100)


# phrases


def test_labels_are_the_papers_or_not():
    assert recognition.same_task(list(EMOTIONS)) == "the paper's eight emotions"
    assert recognition.same_task(list(CLASSES)).startswith("3 classes and not the paper's eight emotions")


@pytest.mark.parametrize(("interval", "above"), [([40, 60], True), ([30, 60], False), ([20, 60], False)])
def test_above_guessing_if_the_interval_is(interval, above):
    said = recognition.above_guessing(row("x", interval=interval), 30)
    assert said == f"{'lies' if above else 'does not lie'} above the majority-class baseline and chance"


@pytest.mark.parametrize(("interval", "word"), [((0.01, 0.2), " better "), ((-0.2, -0.01), " worse "),
                                                ((0.0, 0.2), "cannot be told"), ((-0.1, 0.1), "cannot be told")])
def test_what_the_gap_says(interval, word):
    assert word in recognition.reads_more(interval)
