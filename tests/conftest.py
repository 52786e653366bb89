"""What several test files share: one thread a library, and small corpora written on the spot."""

import importlib.util
import os

os.environ.update(dict.fromkeys([f"{n}_NUM_THREADS" for n in ("OMP", "MKL", "OPENBLAS", "NUMBA")], "1"))
os.environ.update(ACP_BUILD="", ACP_RESULTS="")  # where the tests look

from pathlib import Path
from types import ModuleType

import chromium
import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import settings
from PIL import Image

from acp_lib.emotions import CLASSES
from acp_lib.profiles import ROOT

settings.register_profile("no deadline", deadline=None)  # machines differ, and share their cores
settings.load_profile("no deadline")

COMPILED = ROOT / "acp_lib/features/fast/__pycache__"

if not {"NUMBA_CACHE_DIR", "PYTEST_XDIST_WORKER"} & set(os.environ) and not list(COMPILED.glob("*.nbi")):
    # before the test processes part: librosa compiles once, and so do our own kernels
    from acp_lib.features import music

    music.extract(np.sin(np.arange(music.audio.SR, dtype=np.float32)), music.audio.SR)

PICTURES = ("awe", "contentment", "sadness")
FORMATS = {"positive": "wav", "neutral": "ogg", "negative": "flac"}


def picture(path: Path, seed: int = 0, size=(96, 80), mode: str = "RGB", **options) -> Path:
    """A smooth random picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    small = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    Image.fromarray(small).resize(size, Image.Resampling.BICUBIC).convert(mode).save(path, **options)
    return path


def sound(path: Path, seed: int = 0, seconds: float = 10.5, rate: int = 22050) -> Path:
    """A tone in noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng, t = np.random.default_rng(seed), np.arange(int(seconds * rate)) / rate
    y = 0.3 * np.sin(2 * np.pi * rng.uniform(110, 880) * t) + rng.normal(0, 0.05, len(t))
    soundfile.write(path, y.astype(np.float32), rate)
    return path


def corpus(root: Path, pictures: int = 3, songs: int = 3, seconds: float = 10.5) -> Path:
    """A folder corpus with so many pictures and songs a class; JPEG, and WAV, OGG or FLAC."""
    for k, (emotion, (label, ending)) in enumerate(zip(PICTURES, FORMATS.items(), strict=True)):
        for i in range(pictures):
            picture(root / "images" / emotion / f"p{i}.jpg", 100 * k + i)
        for i in range(songs):
            sound(root / "music" / label / f"s{i}.{ending}", 100 * k + i, seconds)
    return root


def manifest(songs: int = 30, segments: int = 2, pictures: int = 60, artists: int = 0) -> pd.DataFrame:
    """A manifest table without files behind it, classes in turn."""
    rows = [{"id": f"p{i:04}", "modality": "image", "class": CLASSES[i % 3], "emotion": PICTURES[i % 3],
             "group": f"sha{i}", "artist": ""} for i in range(pictures)]
    rows += [{"id": f"s{i:04}#{j}", "modality": "music", "class": CLASSES[i % 3], "emotion": "", "group": f"s{i:04}",
              "artist": f"artist {i % artists}" if artists else ""} for i in range(songs) for j in range(segments)]
    return pd.DataFrame(rows)


def extension_of_the_book(name: str) -> ModuleType:
    """A Sphinx extension of book/_ext, which is no package."""
    spec = importlib.util.spec_from_file_location(name, ROOT / f"book/_ext/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def real() -> Path:
    """Folder with `real/` (pictures and clips) and `imac/` (the authors' files), neither of which may be published."""
    folder = os.environ.get("ACP_REAL_DATA")
    if not folder:
        pytest.skip("ACP_REAL_DATA is not set to a folder that holds real/ and imac/")
    return Path(folder)


@pytest.fixture(scope="session")
def weights(tmp_path_factory) -> Path:
    """Calibrated random Inception-V3 weights."""
    from acp_lib.features import image

    folder = tmp_path_factory.mktemp("weights")
    pictures = np.stack([image.read(picture(folder / "p.png", i), 96) for i in range(16)])
    image.extractor("random", seed=5).calibrate(pictures).save(folder / "inception_v3.safetensors")
    return folder / "inception_v3.safetensors"


@pytest.fixture(scope="session")
def windows(tmp_path_factory):
    """The windows of a browser that are open, at most one: what a test ends with all that it began may be one."""
    found: list[chromium.Browser] = []
    yield found
    for window in found:
        window.close()


@pytest.fixture
def browser(windows, tmp_path_factory):
    """A window of a browser, left empty after each test: a page that stays open computes on; tests that ask for it skip
    where there is none.
    """
    if not chromium.CHROMIUM:
        pytest.skip("chromium is not installed")
    if windows and windows[0].ended:
        windows.pop().close()
    if not windows:
        windows.append(chromium.Browser(tmp_path_factory.mktemp("chromium")))
    yield windows[0]
    if not windows[0].ended:
        windows[0].send("Page.navigate", url="about:blank")
