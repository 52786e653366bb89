"""Names that checks outside this repository call, and what they give."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from acp_lib.emotions import CLASSES, regroup
from acp_lib.features import audio, image, music
from acp_lib.models import ACPNet, L3Net
from acp_lib.profiles import ROOT


def test_emotions():
    assert CLASSES == ("positive", "neutral", "negative")
    assert regroup("awe") == "positive" and regroup("contentment") == "neutral" and regroup("sadness") == "negative"


@pytest.mark.parametrize(("scores", "expected"), [
    ((2, 0, 0), "positive"), ((0, 3, 1), "neutral"), ((1, 2, 3), "negative"), ((1, 1, 0), "positive"),
    ((0, 2, 2), "neutral"), ((1, 1, 1), "positive"), ((0, 0, 0), None),
])
def test_song_labels(scores, expected):
    from acp_lib.database.tags import label

    assert label(*scores) == expected


@pytest.mark.slow
def test_the_193_numbers_of_a_minute_are_the_plain_recipes():
    assert {k: (b.start, b.stop) for k, b in music.BLOCKS.items()} == {
        "mfcc": (0, 40), "chroma": (40, 52), "contrast": (52, 59), "tonnetz": (59, 65), "mel": (65, 193)}
    t = np.arange(60 * audio.SR) / audio.SR
    chord = sum(np.sin(2 * np.pi * f * t * (1 + 0.0001 * np.sin(3 * t))) for f in (220, 277.18, 329.63))
    beat = np.random.default_rng(0).standard_normal(len(t)) * np.exp(-(t % 0.5) * 20)
    y = (0.15 * chord * (1 + 0.3 * np.sin(t)) + 0.2 * beat).astype(np.float32)
    a, b = music.extract(y, audio.SR), music.reference(y, audio.SR)
    assert a.shape == b.shape == (193,) and a.dtype == b.dtype == np.float32
    for block in music.BLOCKS.values():
        assert (np.abs(a[block] - b[block]) <= 1e-4 * np.abs(b[block]) + 1e-5 * np.abs(b[block]).max()).all()


@pytest.mark.slow
def test_inception_features(weights):
    extractor = image.extractor(weights)
    pictures = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), dtype=np.uint8)
    found = np.asarray(extractor(pictures))
    assert found.shape == (2, 2048) and np.isfinite(found).all() and not np.array_equal(found[0], found[1])


@pytest.mark.slow
def test_networks():
    model = ACPNet().eval()
    picture, sound = torch.randn(3, 2048), torch.randn(3, 193)
    with torch.inference_mode():
        assert model(picture, sound).shape == (3, 2)
        assert model.embed_image(picture).shape == model.embed_music(sound).shape == (3, 1024)
        assert L3Net().eval()(torch.zeros(1, 3, 224, 224), torch.zeros(1, 1, 257, 199)).shape == (1, 2)


@pytest.mark.slow
def test_the_books_command():
    help_ = subprocess.run([sys.executable, "-m", "acp_lib.book", "--help"], capture_output=True, text=True, cwd=ROOT,
                           check=True).stdout
    for word in ("profile", "-p NAME VALUE", "-j", "mini", "folder", "imac"):
        assert word in help_
    wrong = subprocess.run([sys.executable, "-m", "acp_lib.book", "mini", "-p", "epoch", "3"], capture_output=True,
                           text=True, cwd=ROOT, check=False)
    assert wrong.returncode == 2 and "unknown parameter 'epoch'" in wrong.stderr
