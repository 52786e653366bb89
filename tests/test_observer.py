"""The best possible observer: Bayes' rule by hand, and right as often as the database says."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from acp_lib.database.synthetic import truth
from acp_lib.database.synthetic.items import plan
from acp_lib.emotions import CLASSES
from acp_lib.experiment import pairs as protocols
from acp_lib.experiment.corpus import Pairs
from acp_lib.results import observer

N = {"image": 1500, "music": 1200}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The record of a mini database of that many pictures and songs; of each song two segments are in the manifest."""
    root, items = tmp_path_factory.mktemp("made"), {m: plan(m, n, 3) for m, n in N.items()}
    truth.write(root, items["image"], items["music"], 3, tuple(N.values()))
    rows = [{"id": item.id, "modality": "image", "class": c}
            for item, c in zip(items["image"], pd.read_csv(root / "truth.csv")["label_class"], strict=False)]  # first
    rows += [{"id": f"{item.id}#{k}", "modality": "music", "class": item.label}
             for item in items["music"] for k in (0, 1)]
    manifest = pd.DataFrame(rows)
    label = {m: manifest["class"][manifest["modality"] == m].map(CLASSES.index).to_numpy() for m in N}
    counts = tuple(np.bincount(some, minlength=3) for some in label.values())
    return SimpleNamespace(root=root, truth=json.loads((root / "truth.json").read_text("utf8")), manifest=manifest,
                           label=label, corpus=SimpleNamespace(counts=lambda part: counts))


def study(made, protocol):
    return SimpleNamespace(**vars(made), profile=SimpleNamespace(pairing=SimpleNamespace(pairs=protocol)))


def asked(made, protocol, n, seed=0):
    return Pairs(*protocols.draw(protocol, *made.label.values(), n, np.random.default_rng(seed)))


@pytest.mark.slow
@pytest.mark.parametrize("protocol", protocols.PROTOCOLS)
def test_a_probability_is_bayes_rule_over_all_labels_and_truths(made, protocol):
    drawn, about = asked(made, protocol, 25), made.truth
    found = observer.probability(study(made, protocol), drawn)
    table = pd.read_csv(made.root / "truth.csv").set_index("id")
    ids = {m: made.manifest["id"][made.manifest["modality"] == m].str.split("#").str[0].tolist() for m in N}
    joint = protocols.joint(protocol, *made.corpus.counts("test"))

    def likely(modality, name, c):
        """Density of a point under a class: the mean over its labels, as often as they are, and over their truths."""
        places = about["places" if modality == "image" else "music_places"]
        width = len(next(iter(places.values())))
        point = table.loc[name, ["valence", "arousal", "dominance"]].to_numpy(float)[:width]
        density = {k: stats.multivariate_normal.pdf(point, v, about["spread"][modality]**2) for k, v in places.items()}
        mine = [k for k in places if c in (k, truth.regroup(k) if modality == "image" else k)]
        weight = np.array([about["counts"][modality][k] for k in mine], float)
        noise = about["noise"] / (len(places) - 1)
        each = [sum((1 - about["noise"] if k == t else noise) * density[t] for t in places) for k in mine]
        return weight @ each / weight.sum()

    for p, i, j in zip(found, drawn.image, drawn.music, strict=True):
        whole = np.array([[joint[a, b] * likely("image", ids["image"][i], c) * likely("music", ids["music"][j], d)
                           for b, d in enumerate(CLASSES)] for a, c in enumerate(CLASSES)])
        assert p == pytest.approx(np.trace(whole) / whole.sum())


@pytest.mark.slow
def test_it_is_right_as_often_as_the_database_says_and_its_probabilities_are_kept(made):
    drawn = asked(made, "class_balanced", 40_000)
    p = observer.probability(study(made, "class_balanced"), drawn)
    assert np.mean((p > 0.5) == drawn.truth) == pytest.approx(made.truth["bayes"]["pair_class_balanced"], abs=0.02)
    for low in (0.0, 0.1, 0.8, 0.9):
        some = (p >= low) & (p < low + 0.1)
        assert some.sum() > 500 and drawn.truth[some].mean() == pytest.approx(p[some].mean(), abs=0.04)


def test_of_other_data_nobody_knows():
    assert observer.probability(SimpleNamespace(truth=None), Pairs(*np.zeros((3, 4), int))) is None
