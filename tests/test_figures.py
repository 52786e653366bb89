"""Figures: each is drawn from small inputs without a warning; the network's says what the network is."""

import inspect
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from conftest import picture
from matplotlib.figure import Figure
from torch import nn

from acp_lib import figures
from acp_lib.emotions import CLASSES, COLOURS, EMOTIONS
from acp_lib.experiment import pairs
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
        figures.theme()
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
COMPARED = [{"row": "ACP-Net", "paper": 61.67, "ours": 70.0, "interval": [65.0, 75.0], "clustered": [60.0, 80.0]},
            {"row": "always false", "paper": None, "ours": 50.0, "interval": None, "clustered": [50.0, 50.0]}]
SHARES = {"first": "ACP-Net", "second": "two classifiers, compared", "both right": 0.5, "only the first": 0.2,
          "only the second": 0.27, "neither": 0.03, "kappa": 0.1}
GUESSERS = pd.DataFrame([{"protocol": p, "guesser": g, "accuracy": a} for p in pairs.PROTOCOLS
                         for g, a in (("nothing", 50.0), ("the music's class", 65.0))])
JOINTS = {p: pairs.joint(p, [5, 3, 8], [3, 4, 2]) for p in pairs.PROTOCOLS}
TWO_CLASSES = {p: pairs.joint(p, [5, 0, 8], [3, 0, 2]) for p in pairs.PROTOCOLS}


def recognised(*names, classes=EMOTIONS, **more):
    """Rows of Table 5: what all of them have, with chance on top."""
    counts = RNG.integers(0, 9, (len(classes), len(classes)))
    about = {"classes": list(classes), "paper": 46.5, "ours": 50.0, "interval": [40.0, 60.0], "clustered": [35.0, 62.0],
             "recall": [None, *[50.0] * (len(classes) - 1)], "confusion": counts.tolist(), **more}
    return [{"row": "Random", "ours": 12.5}] + [{"row": name, **about} for name in ("The most frequent", *names)]


PICTURES, MUSIC = recognised(*"abcdefg"), recognised("CNN", "MLP", classes=CLASSES, paper=None, interval=None)

CASES = {
    "contact_sheet": lambda p: figures.contact_sheet({"awe": p, "fear": p[:1]}),
    "contact_sheet of one": lambda p: figures.contact_sheet({"positive": p[:1]}),
    "song_scores": lambda p: figures.song_scores(tags(5)),
    "song_scores of many tags": lambda p: figures.song_scores(tags(20)),
    "listening": lambda p: figures.listening({"positive": clip(), "negative": clip(3.5, 220)}, SR),
    "listening to one clip": lambda p: figures.listening({"neutral": clip()}, SR),
    "listening to silence": lambda p: figures.listening(dict.fromkeys(CLASSES[:2], np.zeros(4 * SR, np.float32)), SR),
    "class_means": lambda p: figures.class_means(MEL, LABEL),
    "class_means of two classes": lambda p: figures.class_means(MEL, np.where(LABEL == "neutral", "positive", LABEL)),
    "class_means with a constant": lambda p: figures.class_means(MEL * (np.arange(193) > 3), LABEL),
    "recall_bars": lambda p: figures.recall_bars({"a": dict.fromkeys(EMOTIONS, 0.5), "b": {"neutral": 1}}, 0.125),
    "recall_bars without samples": lambda p: figures.recall_bars({"a": {"awe": 0.5, "fear": np.nan}}, 0.125),
    "confusion": lambda p: figures.confusion(RNG.integers(0, 9, (8, 8)), EMOTIONS),
    "confusion with an empty row": lambda p: figures.confusion(np.array([[3, 1], [0, 0]]), ["positive", "negative"]),
    "neighbours": lambda p: figures.neighbours([(p[0], "awe", [(p[1], "fear"), (p[2], "neutral")]), (p[1], "awe", [])]),
    "joints": lambda p: figures.joints(JOINTS),
    "joints of two classes": lambda p: figures.joints(TWO_CLASSES),
    "shortcuts": lambda p: figures.shortcuts(GUESSERS, 61.67),
    "leak": lambda p: figures.leak({"by segment": 0.98, "by song": 0.0, "by artist": 0.0}),
    "network": lambda p: figures.network(ACPNet()),
    "curves": lambda p: figures.curves({0: history(5, 0), 7: history(3, 1)}, {0: 5, 7: 2}, 85.0),
    "curves of one epoch": lambda p: figures.curves({0: history(1, 0)}, {0: 1}, None),
    "idea": lambda p: figures.idea(idea(), [((0, 0), p[0]), ((1, 1), p[1])]),
    "predictions": lambda p: figures.predictions(clip(), SR, [(p[0], "awe", True, True), (p[1], "fear", False, False)],
                                                 COLOURS["positive"]),
    "class_table": lambda p: figures.class_table(RNG.random((3, 3))),
    "class_table of two classes": lambda p: figures.class_table(np.where(np.eye(3)[1] == 1, np.nan, np.eye(3))),
    "paper_and_ours": lambda p: figures.paper_and_ours(TABLE4),
    "principles": lambda p: figures.principles({"awe": p[0], "array": figures.thumbnail(p[1], 64)}),
    "towers": lambda p: figures.towers({"L3-Net": L3Net(width=0.125), "Spectrogram-ACP": SpectrogramACP(frames=50)}),
    "raw_inputs": lambda p: figures.raw_inputs(p[0], np.zeros((32, 32, 3), np.uint8), RNG.normal(size=(48, 300)), 50, 9,
                                               range(0, 251, 25)),
    "raw_inputs of silence": lambda p: figures.raw_inputs(p[1], np.ones((32, 32, 3), np.uint8), np.zeros((16, 20)), 20,
                                                          0, [0]),
    "training_curves": lambda p: figures.training_curves(
        {k: {0: history(5, 0), 7: history(3, 1)} for k in "abc"}, dict.fromkeys("abc", {0: 5, 7: 2}), 50.0, 85.0),
    "training_curves of one epoch": lambda p: figures.training_curves({"a": {0: history(1, 0)}}, {"a": {0: 1}}, 50.0,
                                                                      None),
    "correspondence": lambda p: figures.correspondence(COMPARED, 50.0, 85.0),
    "correspondence without a bound": lambda p: figures.correspondence(COMPARED[:1], 50.0, None),
    "agreement": lambda p: figures.kappas([SHARES, SHARES | {"kappa": None}]),
    "class_tables": lambda p: figures.class_tables({k: RNG.random((3, 3)) for k in "abc"}),
    "class_tables of one class": lambda p: figures.class_tables({"a": np.where(np.eye(3), 0.5, np.nan)}),
    "recognition": lambda p: figures.recognition({"pictures": PICTURES, "music": MUSIC}, [80.0, None]),
    "recalls": lambda p: figures.recalls({"pictures": PICTURES[1:], "music": MUSIC[1:]}),
    "confusions": lambda p: figures.confusions(PICTURES[1:]),
    "confusions of one row": lambda p: figures.confusions(MUSIC[1:2]),
    "probe_curves": lambda p: figures.probe_curves({k: [history(5, 0), history(3, 1)] for k in "abcde"}),
    "probe_curves of one epoch": lambda p: figures.probe_curves({"a long name, random labels": [history(1, 0)]}),
    "two_maps": lambda p: figures.two_maps({k: RNG.normal(size=(30, 2)) for k in ("as they are", "centred")}, LABEL,
                                           np.array(["image", "music"])[np.arange(30) // 15]),
    "across": lambda p: figures.across([(p[0], "awe", [(clip(), "positive"), (clip(2), "negative")]),
                                        (clip(), "neutral", [(p[1], "fear")]), (p[2], "neutral", [])], SR),
    "ratios": lambda p: figures.ratios([
        {"name": f"step {i}", "ratio": r, "lowest": r / 2, "highest": 1.5 * r, "wanted": 2} for i, r in
        enumerate((1.5, 30.0))]),
    "growth": lambda p: figures.growth(pd.DataFrame([
        {"modality": m, "samples": n, "cpu_s": n, "peak_mib": 400} for n in (9, 36) for m in ("music", "image")])),
}


@pytest.mark.parametrize("name", CASES)
def test_is_drawn_without_a_warning(paths, name):
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("error", UserWarning)
        warnings.filterwarnings("ignore", "Trying to estimate tuning from empty")  # librosa's word for silence
        fig = CASES[name](paths)
        assert isinstance(fig, Figure)
        fig.canvas.draw()
    assert plt.get_fignums() == [fig.number] and fig.axes


def test_every_figure_has_a_case():
    drawn = {name for name, f in vars(figures).items() if inspect.isfunction(f) and f.__module__ == figures.__name__
             and inspect.signature(f).return_annotation is Figure}
    assert drawn == {name.split()[0] for name in CASES}


def texts(fig):
    return [t.get_text() for t in fig.findobj(plt.Text) if t.get_text()]


def test_a_cell_without_a_number_stays_empty():
    written = texts(figures.class_table(np.array([[0.5, np.nan, 0.25], [0.1, 0.9, 0.4], [0.3, 0.3, 0.3]])))
    assert {"50", "25", "90"} <= set(written) and "nan" not in written


@pytest.mark.parametrize(("options", "count"), [
    ({}, "14,842,020"), ({"first_layer": "input", "dropout": 0.0}, "6,411,874"),
])
def test_the_network_is_drawn_as_its_modules_are(options, count):
    model = ACPNet(**options)
    found = texts(figures.network(model))
    layers = [m for m in model.modules() if isinstance(m, nn.Linear)]
    assert sorted(t for t in found if t.startswith("FC")) == sorted(f"FC\n{m.out_features}" for m in layers)
    assert f"{count} parameters" in found
    assert found.count("ReLU") == len(layers) - 1
    assert sum(t.startswith("drop") for t in found) == sum(t.endswith(" 0.4") for t in found) == (
        0 if options else len(layers) - 1)


@pytest.mark.parametrize("model", [L3Net(width=0.125, size=64, bins=48, frames=50), SpectrogramACP(bins=48, frames=50)])
def test_towers_are_drawn_as_their_modules_are(model):
    found = texts(figures.towers({"the name": model}))
    kinds = [m for m in model.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    wanted = [f"3×3\n{m.out_channels}" if isinstance(m, nn.Conv2d) else f"FC\n{m.out_features}" for m in kinds]
    assert sorted(t for t in found if t.startswith(("FC\n", "3×3\n"))) == sorted(wanted)
    assert "the name" in found and f"{sum(p.numel() for p in model.parameters()):,} parameters" in found
    assert [found.count(word) for word in ("norm", "pool 2×2")] == [
        sum(isinstance(m, kind) for m in model.modules()) for kind in (nn.BatchNorm2d, nn.MaxPool2d)]
    assert "log-\nspectrogram\n48×50" in found and {"48×50", "24×25", "12×12", "6×6"} <= set(found)


def test_ticks_crosses_and_frames_say_what_was_predicted_and_whether_it_was_right(paths):
    verdicts = [(True, True), (True, False), (False, True), (False, False)]
    fig = figures.predictions(clip(), SR, [(p, "awe", *v) for p, v in zip(paths, verdicts, strict=True)], "k")
    shown = []
    for ax in fig.axes[1:]:
        frame = [r for r in ax.patches if isinstance(r, plt.Rectangle)][0]
        shown.append((ax.texts[0].get_text(), frame.get_linestyle(), ax.get_title()))
    assert shown == [("✓", "-", "awe\nright"), ("✓", "--", "awe\nwrong"), ("✗", "-", "awe\nright"),
                     ("✗", "--", "awe\nwrong")]


def test_a_dot_marks_the_epoch_that_was_kept():
    fig = figures.curves({3: history(5, 0)}, {3: 4}, None)
    dots = [line.get_xydata().tolist() for ax in fig.axes for line in ax.lines if line.get_marker() == "o"]
    kept = history(5, 0)[3]
    assert dots == [[[4, kept["val_loss"]]], [[4, 100 * kept["val_accuracy"]]]]


def test_the_confusion_matrix_is_in_per_cent_of_its_rows():
    found = texts(figures.confusion(np.array([[3, 1], [0, 5]]), ["positive", "negative"]))
    assert {"75", "25", "0", "100"} <= set(found)


def test_heat_map_of_song_scores_counts_every_song():
    table = pd.DataFrame({"positive": [1, 1, 0], "neutral": [0, 0, 2], "negative": [0, 0, 0]})
    fig = figures.song_scores(table)
    first, data = fig.axes[0], np.ma.filled(fig.axes[0].collections[0].get_array().reshape(3, 3), 0)
    assert (first.get_xlabel(), first.get_ylabel()) == ("positive tags", "neutral tags")
    assert data.tolist() == [[0, 2, 0], [0, 0, 0], [1, 0, 0]]  # row: neutral, column: positive


@pytest.mark.parametrize(("size", "mode"), [((30, 200), "RGB"), ((200, 30), "L"), ((5, 5), "RGBA"), ((96, 96), "CMYK")])
def test_thumbnails_are_square_and_rgb(tmp_path, size, mode):
    ending = "jpg" if mode == "CMYK" else "png"
    found = figures.thumbnail(picture(tmp_path / f"p.{ending}", size=size, mode=mode), 48)
    assert found.shape == (48, 48, 3) and found.dtype == np.uint8 and found.std() > 0
