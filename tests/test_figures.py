"""Figures: each is drawn from small inputs without a warning; the network's says what the network is."""

import inspect
import warnings
from importlib import import_module
from pkgutil import iter_modules

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from conftest import picture
from matplotlib.figure import Figure
from torch import nn

from acp_lib import figures
from acp_lib.emotions import CLASSES, EMOTIONS
from acp_lib.experiment import pairs
from acp_lib.figures import (
    acp_net,
    baselines,
    bridge,
    common_space,
    cost,
    cross_modal,
    database,
    encoders,
    forking_paths,
    hearing,
    how_sure,
    labels,
    other_pairs,
    page,
    paper_versus_ours,
    power,
    probes,
    real,
    retrieval,
    right_and_wrong,
    seeing,
    shortcuts,
    simulation,
    splits,
    style,
    verdicts,
    without_labels,
)
from acp_lib.findings.emomv import ONCE, RELEASED
from acp_lib.findings.encoders import ACP_NET, PAIRS, TWO
from acp_lib.findings.power import Components
from acp_lib.findings.squares import KINDS
from acp_lib.models import ACPNet, L3Net, SpectrogramACP

SR = 22050
RNG = np.random.default_rng(0)
MEL = np.random.default_rng(1).lognormal(size=(30, 193))
LABEL = np.array(CLASSES)[np.arange(30) % 3]


@pytest.fixture(scope="module", autouse=True)
def look():
    """The figures' own look, on a screen that is not there."""
    with plt.rc_context(), plt.ioff():
        plt.switch_backend("agg")
        style.theme()
        yield


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    return [picture(folder / f"{i}.png", i, mode=mode) for i, mode in enumerate(("RGB", "L", "RGBA", "P"))]


def clip(seconds=4.0, frequency=440.0):
    t = np.arange(int(seconds * SR)) / SR
    return (0.3 * np.sin(2 * np.pi * frequency * t) + RNG.normal(0, 0.02, len(t))).astype(np.float32)


def history(n, seed):
    v = np.linspace(0.5, 0.8, n)
    return [{"epoch": i + 1, "loss": 0.7 - 0.1 * x, "accuracy": x, "val_loss": 0.7, "val_accuracy": x - 0.01 * seed}
            for i, x in enumerate(v)]


def idea():
    xy = RNG.normal(size=(30, 2))
    return {"pictures": [(xy, LABEL, "o")], "both": [(xy, LABEL, "o"), (-xy, LABEL, "^")], "music": [(xy, LABEL, "^")]}


def tags(most):
    return pd.DataFrame({c: RNG.integers(0, most + 1, 40) for c in CLASSES})


TABLE4 = [{"row": "L3-Net", "paper": 57.17, "ours": None},
          {"row": "one run", "paper": 61.67, "ours": 60.0, "interval": None},
          {"row": "ACP-Net", "paper": 61.67, "ours": 70.0, "interval": [65.0, 75.0]}]
COMPARED = [{"row": "ACP-Net", "paper": 61.67, "ours": 70.0, "interval": [60.0, 80.0], "values": [69.0, 71.0]},
            {"row": "always false", "paper": None, "ours": 50.0, "interval": [50.0, 50.0], "values": [50.0]}]
SHARES = {"first": "ACP-Net", "second": "two classifiers, compared", "both right": 0.5, "only the first": 0.2,
          "only the second": 0.27, "neither": 0.03, "kappa": 0.1}
GUESSERS = pd.DataFrame([{"protocol": p, "guesser": g, "accuracy": a} for p in pairs.PROTOCOLS
                         for g, a in (("nothing", 50.0), ("the music's class", 65.0))])
JOINTS = {p: pairs.joint(p, [5, 3, 8], [3, 4, 2]) for p in pairs.PROTOCOLS}
TWO_CLASSES = {p: pairs.joint(p, [5, 0, 8], [3, 0, 2]) for p in pairs.PROTOCOLS}


def recognised(*names, classes=EMOTIONS, **more):
    """Rows of Table 5: what all of them have, with chance on top."""
    counts = RNG.integers(0, 9, (len(classes), len(classes)))
    about = {"classes": list(classes), "paper": 46.5, "ours": 50.0, "interval": [35.0, 62.0], "values": [48.0, 52.0],
             "recall": [None, *[50.0] * (len(classes) - 1)], "confusion": counts.tolist(), **more}
    return [{"row": "Random", "ours": 12.5}] + [{"row": name, **about} for name in ("The most frequent", *names)]


EXACT = pd.DataFrame({who: 55.0 + np.arange(len(pairs.PROTOCOLS)) for who in shortcuts.SIDES}, list(pairs.PROTOCOLS))
LEARNT = pd.DataFrame([{"protocol": p, "guesser": who, "accuracy": 54.0, "low": 50.0, "high": 58.0}
                       for p in pairs.PROTOCOLS for who in shortcuts.SIDES])
CLUSTERED = pd.DataFrame([{"modality": m, "truth": truth, "k": k, "space": space, "ari": 0.1 * start}
                          for m, truth in (("image", "classes"), ("image", "emotions"), ("music", "classes"))
                          for k in (3, 8) for space in without_labels.SPACES for start in range(3)])
READINGS = [{"reading": {"dropout_at": at, "fc_width": width}, "accuracy": 60 + 5 * width, "interval": [55.0, 70.0],
             "values": [58.0, 62 + 10 * width], "one_sided": 56.0} for at in ("hidden", "all") for width in (0.5, 1.0)]
STABILITY = [*({"what": "dropped", "songs": c, "dropped": d, "value": 1 - d / 3, "interval": [0.8 - d / 3, 1]}
               for c in CLASSES for d in (0.1, 0.5)),
             *({"what": "pairs, dropped", "dropped": d, "value": 1 - d / 4, "interval": [0.7, 1]} for d in (0.1, 0.5)),
             *({"what": "redrawn", "learnt": songs, "of": of, "value": 0.6, "interval": [0.5, 0.65]}
               for songs in ("all songs", "some", "others") for of in ("label right", "pairs"))]
OWN = {"dropout_at": "hidden", "fc_width": 1.0}
BRIDGED: list[dict] = [
    *({"what": "half", "row": m, "classes": list(CLASSES), "test_accuracy": {"ours": 60.0, "interval": [50.0, 70.0]}}
      for m in ("image", "music")),
    *({"what": "protocol", "row": name, **{key: {"ours": 58.0 + k, "interval": [52.0, 64.0 + k]} for k, key in
                                           enumerate(("predicted", "measured"))}} for name in pairs.PROTOCOLS[:4]),
    {"what": "left out", "row": pairs.PROTOCOLS[4], "reason": "no pairs can be drawn"}]
BRIDGES = [{"data": data, "live": data == "mine", "rows": BRIDGED} for data in ("mine", "A", "B")]
TWO_NAMED = {"data": "two", "live": True, "rows": [{**row, "classes": ["a", "b"]} for row in BRIDGED[:2]]}
LISTED = [{"kind": kind, "row": who, "of": of, "test": test, "ours": 55.0 + k, "interval": [50.0, 60.0 + k]}
          for test in (RELEASED, ONCE) for k, who in enumerate(("ACP-Net", "music alone"))
          for kind, of in (("accuracy", None), *(("squares", of) for of in KINDS))]
LED = {"data": "A", "row": "L3-Net", "lead": 1.0, "lead_interval": [-1.0, 3.0], "reported": 4.5}
CORPORA = [{"row": name, "paper": paper, "A": {"row": name, "ours": 55.0, "interval": [52.0, 58.0]}, "B": other} for
           name, paper, other in (("ACP-Net (main)", 61.67, None), ("two classifiers", None,
                                                                     {"ours": 57.0, "interval": [55.0, 60.0]}))]
ENCODED = {"data": "A", "rows": [{"table": "pairs", "row": way, "image": image, "music": music, "ours": 55.0 + k,
                                  "interval": [52.0, 58.0 + k]} for k, (image, music) in enumerate(PAIRS)
                                 for way in ((TWO, ACP_NET) if k < 2 else (TWO,))]}
SIMULATED = {"data": "A", "rows": [
    *({"table": "check", "row": name, "fitted": k, "pictures": n, "songs": 2 * n, "ours": 50.0, "values": [51.0, 53.0],
       "interval": [45.0, 55.0], "simulated": 52.0} for name in ("image", "music", "two", "ACP-Net") for k in (0, 1)
      for n in (50, 200)),
    *({"table": "reading", "network": network, "pairs": pairs, "split": split, "noise": noise, "ours": 60.0,
       "interval": [58.0, 62.0], "best": 63.0, "guess": 50.0} for network, pairs, split, noise in (
           ("audit, half the width", "class_balanced", "song", 0.0), ("main", "class_balanced", "song", 0.0),
           ("audit, half the width", "class_balanced", "song", 1.0),
           ("audit, half the width", "uniform", "segment", 0.0))),
    *({"table": "observer", "pairs": "class_balanced", "noise": noise, "times": t, "best": 50 + 10 * t - noise}
      for noise in (0.0, 1.0) for t in (0.5, 1.0, 2.0))]}
PICTURES, MUSIC = recognised(*"abcdefg"), recognised("CNN", "MLP", classes=CLASSES, paper=None, values=[50.0])

CASES = [  # figure, what is special, arguments
    (database.contact_sheet, "", lambda p: [{"awe": p, "fear": p[:1]}]),
    (database.contact_sheet, "of one", lambda p: [{"positive": p[:1]}]),
    (database.song_scores, "", lambda p: [tags(5)]),
    (database.song_scores, "of many tags", lambda p: [tags(20)]),
    (hearing.features_over_time, "", lambda p: [{"positive": clip(), "negative": clip(3.5, 220)}, SR]),
    (hearing.features_over_time, "of one clip", lambda p: [{"neutral": clip()}, SR]),
    (hearing.features_over_time, "of silence", lambda p: [
        dict.fromkeys(CLASSES[:2], np.zeros(4 * SR, np.float32)), SR]),
    (hearing.feature_means, "", lambda p: [MEL, LABEL]),
    (hearing.feature_means, "of two classes", lambda p: [MEL, np.where(LABEL == "neutral", "positive", LABEL)]),
    (hearing.feature_means, "with a constant", lambda p: [MEL * (np.arange(193) > 3), LABEL]),
    (seeing.recall_bars, "", lambda p: [{"a": dict.fromkeys(EMOTIONS, 0.5), "b": {"neutral": 1}}, 0.125]),
    (seeing.recall_bars, "without samples", lambda p: [{"a": {"awe": 0.5, "fear": np.nan}}, 0.125]),
    (seeing.confusion_matrix, "", lambda p: [RNG.integers(0, 9, (8, 8)), EMOTIONS]),
    (seeing.confusion_matrix, "with an empty row", lambda p: [np.array([[3, 1], [0, 0]]), ["positive", "negative"]]),
    (seeing.nearest_neighbours, "", lambda p: [[(p[0], "awe", [(p[1], "fear"), (p[2], "neutral")]),
                                                (p[1], "awe", [])]]),
    (splits.joint_probabilities, "", lambda p: [JOINTS]),
    (splits.joint_probabilities, "of two classes", lambda p: [TWO_CLASSES]),
    (splits.guesser_accuracy, "", lambda p: [GUESSERS, 61.67]),
    (splits.leaked_segments, "", lambda p: [{"by segment": 0.98, "by song": 0.0, "by artist": 0.0}]),
    (acp_net.architecture, "", lambda p: [ACPNet()]),
    (acp_net.learning_curves, "", lambda p: [{0: history(5, 0), 7: history(3, 1)}, {0: 5, 7: 2}, 85.0]),
    (acp_net.learning_curves, "of one epoch", lambda p: [{0: history(1, 0)}, {0: 1}, None]),
    (acp_net.by_samples, "", lambda p: [pd.DataFrame([
        {"data": data, "varied": varied, "samples": n, "level": 55.0 + n / 9, "two": 60.0}
        for data in ("A", "B") for varied in ("image", "music") for n in (10, 40)])]),
    (acp_net.by_samples, "and pairs", lambda p: [pd.DataFrame([
        {"data": "A", "varied": varied, "samples": n, "level": 55.0, "two": 60.0}
        for varied in ("image", "music", "pairs") for n in (500, 512000)])]),
    (acp_net.feature_spaces, "", lambda p: [idea(), [((0, 0), p[0]), ((1, 1), p[1])]]),
    (right_and_wrong.predictions, "", lambda p: [clip(), SR, [(p[0], "awe", True, True), (p[1], "fear", False, False)],
                                                 "positive"]),
    (right_and_wrong.accuracy_by_class, "", lambda p: [RNG.random((3, 3))]),
    (right_and_wrong.accuracy_by_class, "of two classes", lambda p: [np.where(np.eye(3)[1] == 1, np.nan, np.eye(3))]),
    (paper_versus_ours.paper_and_ours, "", lambda p: [TABLE4]),
    (probes.principles_of_art, "", lambda p: [{"awe": p[0], "array": style.thumbnail(p[1], 64)}]),
    (baselines.architectures, "", lambda p: [{"L3-Net": L3Net(width=0.125),
                                              "Spectrogram-ACP": SpectrogramACP(frames=50)}]),
    (baselines.raw_inputs, "", lambda p: [p[0], np.zeros((32, 32, 3), np.uint8), RNG.normal(size=(48, 300)), 50, 9,
                                          range(0, 251, 25)]),
    (baselines.raw_inputs, "of silence", lambda p: [p[1], np.ones((32, 32, 3), np.uint8), np.zeros((16, 20)), 20, 0,
                                                    [0]]),
    (baselines.learning_curves, "", lambda p: [{k: {0: history(5, 0), 7: history(3, 1)} for k in "abc"},
                                               dict.fromkeys("abc", {0: 5, 7: 2}), 50.0, 85.0]),
    (baselines.learning_curves, "of one epoch", lambda p: [{"a": {0: history(1, 0)}}, {"a": {0: 1}}, 50.0, None]),
    (baselines.correspondence_accuracy, "", lambda p: [COMPARED, 50.0, 85.0]),
    (baselines.correspondence_accuracy, "without a bound", lambda p: [COMPARED[:1], 50.0, None]),
    (baselines.agreement, "", lambda p: [[SHARES, SHARES | {"kappa": None}]]),
    (baselines.accuracy_by_class, "", lambda p: [{k: RNG.random((3, 3)) for k in "abc"}]),
    (baselines.accuracy_by_class, "of one class", lambda p: [{"a": np.where(np.eye(3), 0.5, np.nan)}]),
    (probes.recognition_accuracy, "", lambda p: [{"pictures": PICTURES, "music": MUSIC}, [80.0, None]]),
    (probes.recall_by_label, "", lambda p: [{"pictures": PICTURES[1:], "music": MUSIC[1:]}]),
    (probes.confusion_matrices, "", lambda p: [PICTURES[1:]]),
    (probes.confusion_matrices, "of one row", lambda p: [MUSIC[1:2]]),
    (probes.learning_curves, "", lambda p: [{k: [history(5, 0), history(3, 1)] for k in "abcde"}]),
    (probes.learning_curves, "of one epoch", lambda p: [{"a long name, random labels": [history(1, 0)]}]),
    (common_space.embedding_maps, "", lambda p: [
        {k: RNG.normal(size=(30, 2)) for k in ("as they are", "centred")}, LABEL,
        np.array(["image", "music"])[np.arange(30) // 15]]),
    (common_space.cross_modal_neighbours, "", lambda p: [[
        (p[0], "awe", [(clip(), "positive"), (clip(2), "negative")]), (clip(), "neutral", [(p[1], "fear")]),
        (p[2], "neutral", [])], SR]),
    (cost.speedups, "", lambda p: [[{"name": f"step {i}", "ratio": r, "lowest": r / 2, "highest": 1.5 * r, "wanted": 2}
                                    for i, r in enumerate((1.5, 30.0))]]),
    (cost.growth, "", lambda p: [pd.DataFrame([{"modality": m, "samples": n, "cpu_s": n, "peak_mib": 400}
                                               for n in (9, 36) for m in ("music", "image")])]),
    (cost.stages, "", lambda p: [pd.DataFrame([{"stage": f"stage {k}", "items": n, "cpu_s": n**(1 + k / 9)}
                                               for k in range(8) for n in (5, 20, 80, 320)])]),
    (cost.stages, "where none was measured", lambda p: [pd.DataFrame([], columns=["stage", "items", "cpu_s"])]),
    (shortcuts.guesser_accuracy, "", lambda p: [EXACT, EXACT + 0.3, LEARNT, 61.67]),
    (cross_modal.additive_approximation, "", lambda p: [[70.0, 72.5], [60.0, 61.0], 50.0, 66.7]),
    (cross_modal.additive_approximation, "far below its ceiling", lambda p: [[50.0], [50.0], 50.0, 66.7]),
    (without_labels.classes_from_pairs, "", lambda p: [pd.DataFrame({
        "pairs": [1, 10, 100], "samples": [2, 18, 60], "sets": [1, 8, 3], "largest": [1.0, 0.5, 1.0],
        "ari": [0.0, 0.4, 1.0]}), 3]),
    (without_labels.cluster_agreement, "", lambda p: [CLUSTERED]),
    (without_labels.cluster_agreement, "of classes alone", lambda p: [CLUSTERED[CLUSTERED["truth"] == "classes"]]),
    (retrieval.ranking_quality, "", lambda p: [pd.DataFrame([
        {"modality": m, "method": way, "mAP": 0.3 + 0.1 * k + 0.01 * seed} for m in ("image", "music")
        for k, way in enumerate(("ACP-Net", "two classifiers, compared", "chance")) for seed in range(3)])]),
    (how_sure.accuracy_spread, "", lambda p: [{"seed": [60.0, 62.0, 61.0], "test pairs": [58.0, 63.0]}, 50.0, 85.0]),
    (how_sure.accuracy_spread, "without a bound", lambda p: [{"seed": [60.0, 62.0]}, 50.0, None]),
    (how_sure.reliability_diagram, "", lambda p: [[(np.linspace(0, 1, 9), np.linspace(0.1, 0.9, 9))] * 2,
                                                  RNG.random(60)]),
    (how_sure.label_noise_ceiling, "", lambda p: [np.linspace(0, 0.4, 9), np.linspace(100, 60, 9), [(0.1, 88.0)],
                                                  {"this data, known": (0.2, 79.0)}, 61.67]),
    (power.power_by_songs, "", lambda p: [Components(4.0, 100.0, 64.0, 25.0, 36.0, 25.0, 900.0)]),
    (power.power_by_songs, "of one run", lambda p: [Components(np.nan, 100.0, 64.0, 25.0)]),
    (forking_paths.specification_curve, "", lambda p: [READINGS, OWN, 61.67]),
    (forking_paths.specification_curve, "without the own", lambda p: [READINGS[:3], OWN, 61.67]),
    (forking_paths.effects, "", lambda p: [{title: [
        {"detail": "dropout_at", "value": "hidden", "effect": 2.0, "interval": [1.0, 3.0], "told": True},
        {"detail": "dropout_at", "value": "all", "effect": -1.0, "interval": [-3.0, 1.0], "told": False},
        {"detail": "fc_width", "value": 0.5, "effect": 60.0, "interval": None, "told": False},
        {"detail": "fc_width", "value": 0.25, "effect": None, "interval": None, "told": False}]
        for title in ("accuracy", "excess")}]),
    (bridge.predicted_and_measured, "", lambda p: [BRIDGES]),
    (bridge.predicted_and_measured, "without pairs", lambda p: [[TWO_NAMED]]),
    (bridge.what_it_takes, "", lambda p: [BRIDGES, 61.67, (63.5, 40.4, 59.7)]),
    (bridge.what_it_takes, "of two classes", lambda p: [[TWO_NAMED], 61.67, (63.5, 40.4, 59.7)]),
    (labels.stability, "", lambda p: [STABILITY, {"label right": 63.5, "pairs": 61.67}]),
    (labels.valence_and_arousal, "", lambda p: [[
        {"of": axis, "class": c, "value": k - 1.0, "interval": [k - 1.2, k - 0.9]}
        for axis in ("valence", "arousal") for k, c in enumerate(CLASSES)]]),
    (other_pairs.accuracy_and_squares, "", lambda p: [LISTED]),
    (other_pairs.accuracy_and_squares, "of one way", lambda p: [[row for row in LISTED if row["row"] == "ACP-Net"]]),
    (real.correspondence, "", lambda p: [CORPORA, [{"data": data} for data in "AB"]]),
    (real.correspondence, "of one corpus", lambda p: [CORPORA, [{"data": "A"}]]),
    (real.leads, "", lambda p: [[LED | {"row": name, "data": data} for name in ("L3-Net", "Spectrogram-ACP")
                                 for data in "ABC"]]),
    (real.leads, "of one network", lambda p: [[LED | {"row": "ACP-Net", "lead": None}, LED]]),
    (encoders.pairs, "", lambda p: [[ENCODED, {**ENCODED, "data": "B"}], 61.67]),
    (encoders.pairs, "of one corpus", lambda p: [[ENCODED], 61.67]),
    (simulation.likeness, "", lambda p: [[SIMULATED, {**SIMULATED, "data": "B"}]]),
    (simulation.readings, "", lambda p: [SIMULATED, 61.67, 1.0]),
    (verdicts.verdicts, "", lambda p: [pd.DataFrame({"holds": [2, 0], "open": [1, 3]}, index=["Data", "Results"])]),
]


def named(case):
    drawn, special, _ = case
    return f"{drawn.__module__.rpartition('.')[2]}.{drawn.__name__} {special}".strip()


@pytest.mark.slow
@pytest.mark.parametrize(("drawn", "special", "arguments"), CASES, ids=map(named, CASES))
def test_is_drawn_without_a_warning(paths, drawn, special, arguments):
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("error", UserWarning)
        warnings.filterwarnings("ignore", "Trying to estimate tuning from empty")  # librosa's word for silence
        warnings.simplefilter("ignore", DeprecationWarning)  # how an older matplotlib calls a newer pyparsing
        fig = drawn(*arguments(paths))
        assert isinstance(fig, Figure)
        fig.canvas.draw()
    assert plt.get_fignums() == [fig.number] and fig.axes


def test_every_figure_has_a_case():
    modules = [import_module(m.name) for m in iter_modules(figures.__path__, f"{figures.__name__}.")]
    drawn = {f for m in modules if m not in (page, style) for f in vars(m).values() if inspect.isfunction(f)
             and f.__module__ == m.__name__ and inspect.signature(f).return_annotation is Figure}
    assert drawn == {f for f, _, _ in CASES}


def test_a_class_has_a_colour():
    assert list(style.COLOURS) == list(CLASSES) and len(set(style.PALETTE)) == len(CLASSES)


def texts(fig):
    return [t.get_text() for t in fig.findobj(plt.Text) if t.get_text()]


def test_a_cell_without_a_number_stays_empty():
    shares = np.array([[0.5, np.nan, 0.25], [0.1, 0.9, 0.4], [0.3, 0.3, 0.3]])
    written = texts(right_and_wrong.accuracy_by_class(shares))
    assert {"50", "25", "90"} <= set(written) and "nan" not in written


@pytest.mark.slow
@pytest.mark.parametrize(("options", "count"), [
    ({"dropout_at": "hidden"}, "14,842,020"), ({"first_layer": "input", "dropout": 0.0}, "6,411,874"),
])
def test_the_network_is_drawn_as_its_modules_are(options, count):
    model = ACPNet(**options)
    found = texts(acp_net.architecture(model))
    layers = [m for m in model.modules() if isinstance(m, nn.Linear)]
    assert sorted(t for t in found if t.startswith("FC")) == sorted(f"FC\n{m.out_features}" for m in layers)
    assert f"{count} parameters" in found
    assert found.count("ReLU") == len(layers) - 1
    assert sum(t.startswith("drop") for t in found) == sum(t.endswith(" 0.4") for t in found) == (
        0 if "dropout" in options else len(layers) - 1)


@pytest.mark.slow
@pytest.mark.parametrize("model", [L3Net(width=0.125, size=64, bins=48, frames=50), SpectrogramACP(bins=48, frames=50)])
def test_towers_are_drawn_as_their_modules_are(model):
    found = texts(baselines.architectures({"the name": model}))
    kinds = [m for m in model.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    wanted = [f"3×3\n{m.out_channels}" if isinstance(m, nn.Conv2d) else f"FC\n{m.out_features}" for m in kinds]
    assert sorted(t for t in found if t.startswith(("FC\n", "3×3\n"))) == sorted(wanted)
    assert "the name" in found and f"{sum(p.numel() for p in model.parameters()):,} parameters" in found
    assert [found.count(word) for word in ("norm", "pool 2×2")] == [
        sum(isinstance(m, kind) for m in model.modules()) for kind in (nn.BatchNorm2d, nn.MaxPool2d)]
    assert "log-\nspectrogram\n48×50" in found and {"48×50", "24×25", "12×12", "6×6"} <= set(found)


def test_pictures_are_marked_by_what_was_said_and_whether_that_was_right(tmp_path):
    table = pd.DataFrame({"path": ["a.png", "b.png"], "emotion": ["awe", ""], "class": ["positive", "neutral"]})
    said, truth = np.array([True, True, False]), np.array([1, 0, 0])
    found = right_and_wrong.marked(tmp_path, table, np.array([1, 0, 0]), said, truth)
    assert found == [(tmp_path / "b.png", "neutral", True, True), (tmp_path / "a.png", "awe", True, False),
                     (tmp_path / "a.png", "awe", False, True)]


def test_ticks_crosses_and_frames_say_what_was_predicted_and_whether_it_was_right(paths):
    answers = [(True, True), (True, False), (False, True), (False, False)]
    shown = [(p, "awe", *a) for p, a in zip(paths, answers, strict=True)]
    fig = right_and_wrong.predictions(clip(), SR, shown, "neutral")
    shown = []
    for ax in fig.axes[1:]:
        frame = [r for r in ax.patches if isinstance(r, plt.Rectangle)][0]
        shown.append((ax.texts[0].get_text(), frame.get_linestyle(), ax.get_title()))
    assert shown == [("✓", "-", "awe: right"), ("✓", "--", "awe: wrong"), ("✗", "-", "awe: right"),
                     ("✗", "--", "awe: wrong")]


@pytest.mark.slow
def test_what_was_recorded_is_told_from_what_is_made_for_the_page():
    ax = bridge.what_it_takes(BRIDGES, 61.67, (63.5, 40.4, 59.7)).axes[0]
    marks = [(line.get_marker(), line.get_markerfacecolor()) for line in ax.lines if line.get_marker() in "osD"]
    assert marks == [("o", bridge.INK), ("s", "w"), ("D", "w")]
    names = [t.get_text() for t in ax.get_legend().get_texts()]
    assert names[:3] == ["mine", "A (recorded)", "B (recorded)"]


def test_squares_stand_beside_accuracy_a_mark_for_each_way_of_testing_and_each_kind():
    ax, crossed = other_pairs.accuracy_and_squares(LISTED).axes
    marks = [[line.get_xdata().tolist() for line in axes.lines if line.get_marker() not in (None, "None")]
             for axes in (ax, crossed)]
    assert marks == [[[55.0, 56.0]] * 2, [[55.0, 56.0]] * len(KINDS)]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["ACP-Net", "music alone"]


def test_a_dot_marks_the_epoch_that_was_kept():
    fig = acp_net.learning_curves({3: history(5, 0)}, {3: 4}, None)
    dots = [line.get_xydata().tolist() for ax in fig.axes for line in ax.lines if line.get_marker() == "o"]
    kept = history(5, 0)[3]
    assert dots == [[[4, kept["val_loss"]]], [[4, 100 * kept["val_accuracy"]]]]


def test_the_confusion_matrix_is_in_per_cent_of_its_rows():
    found = texts(seeing.confusion_matrix(np.array([[3, 1], [0, 5]]), ["positive", "negative"]))
    assert {"75", "25", "0", "100"} <= set(found)


def test_heat_map_of_song_scores_counts_every_song():
    table = pd.DataFrame({"positive": [1, 1, 0], "neutral": [0, 0, 2], "negative": [0, 0, 0]})
    fig = database.song_scores(table)
    first, data = fig.axes[0], np.ma.filled(fig.axes[0].collections[0].get_array().reshape(3, 3), 0)
    assert (first.get_xlabel(), first.get_ylabel()) == ("positive tags", "neutral tags")
    assert data.tolist() == [[0, 2, 0], [0, 0, 0], [1, 0, 0]]  # row: neutral, column: positive


@pytest.mark.parametrize(("size", "mode"), [((30, 200), "RGB"), ((200, 30), "L"), ((5, 5), "RGBA"), ((96, 96), "CMYK")])
def test_thumbnails_are_square_and_rgb(tmp_path, size, mode):
    ending = "jpg" if mode == "CMYK" else "png"
    found = style.thumbnail(picture(tmp_path / f"p.{ending}", size=size, mode=mode), 48)
    assert found.shape == (48, 48, 3) and found.dtype == np.uint8 and found.std() > 0
