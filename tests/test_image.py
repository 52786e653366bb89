"""Reading pictures, and Inception-V3 with weights of every kind."""

import io
import pickle
from http.client import IncompleteRead
from urllib.error import URLError

import numpy as np
import pytest
import torch
from conftest import picture
from PIL import Image, ImageOps
from safetensors.torch import save_file

from acp_lib.features.image import WeightsUnavailable, bfloat16_cosine, extractor, frozen, read

QUARTERS = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]], np.uint8)
UPRIGHT = Image.fromarray(QUARTERS).resize((120, 120), Image.Resampling.NEAREST)


def corners(pixels):
    n = len(pixels)
    return [pixels[i, j].tolist() for i in (n // 8, -n // 8) for j in (n // 8, -n // 8)]


def close(pixels, expected=UPRIGHT, tolerance=12):
    difference = np.abs(np.array(corners(pixels)) - corners(np.asarray(expected.convert("RGB"))))
    return difference.max() <= tolerance


@pytest.mark.slow
@pytest.mark.parametrize(("name", "mode"), [
    ("a.png", "RGB"), ("a.jpg", "RGB"), ("a.png", "L"), ("a.jpg", "L"), ("a.png", "P"), ("a.gif", "P"),
    ("a.png", "RGBA"), ("a.png", "LA"), ("a.jpg", "CMYK"), ("a.bmp", "RGB"), ("a.webp", "RGB"), ("a.tif", "CMYK"),
])
def test_read_every_mode(tmp_path, name, mode):
    source = UPRIGHT.convert(mode)
    source.save(tmp_path / name)
    found = read(tmp_path / name)
    assert found.shape == (224, 224, 3) and found.dtype == np.uint8
    assert close(found, source, 40 if name.endswith(("jpg", "webp")) else 12)


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_16_bit_pictures_are_not_white(tmp_path, name):
    ramp = np.linspace(0, 65535, 100, dtype=np.uint16)[None].repeat(100, 0)
    Image.fromarray(ramp).save(tmp_path / name)
    found = read(tmp_path / name, 100)
    np.testing.assert_allclose(found[..., 1], ramp >> 8, atol=1)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_upright(tmp_path, orientation):
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # the transposition that a camera so held applies
    stored = UPRIGHT if orientation == 1 else UPRIGHT.transpose(Image.Transpose(undo[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "a.png", exif=exif)
    assert close(read(tmp_path / "a.png"))


def pillow(path, size):
    """A picture as Pillow alone reads it."""
    with Image.open(path) as file:
        upright = ImageOps.exif_transpose(file).convert("RGB")
        return np.asarray(upright.resize((size, size), Image.Resampling.BILINEAR)).astype(int)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(640, 480), (77, 640), (1500, 1000), (33, 20), (1, 1)])
@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("how", [{"quality": 95}, {"quality": 40, "progressive": True}, {"subsampling": 0}])
def test_a_jpeg_has_pillows_pixels_within_one_grey_level(tmp_path, size, mode, how):
    Image.open(picture(tmp_path / "a.png", 3, size=size)).convert(mode).save(tmp_path / "a.jpg", **how)
    for side in (224, 75):
        assert np.abs(read(tmp_path / "a.jpg", side) - pillow(tmp_path / "a.jpg", side)).max() <= 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_jpeg_is_turned_upright_as_pillow_turns_it(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.open(picture(tmp_path / "a.png", 3, size=(90, 60))).convert("RGB").save(tmp_path / "a.jpg", exif=exif)
    assert np.abs(read(tmp_path / "a.jpg") - pillow(tmp_path / "a.jpg", 224)).max() <= 1


def test_a_jpeg_that_ends_early_or_promises_too_much_is_refused(tmp_path, monkeypatch):
    Image.open(picture(tmp_path / "a.png", 3, size=(300, 200))).convert("RGB").save(tmp_path / "a.jpg")
    whole = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[:len(whole) // 2])
    with pytest.raises(OSError, match="truncated"):
        read(tmp_path / "cut.jpg")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20_000)
    with pytest.raises(Image.DecompressionBombError):
        read(tmp_path / "a.jpg")


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (1000, 3), (77, 640)])
def test_any_shape(tmp_path, size):
    path = picture(tmp_path / "a.png", size=size)
    assert read(path).shape == (224, 224, 3) and read(str(path), 299).shape == (299, 299, 3)


def test_resizing_is_antialiased(tmp_path):
    stripes = np.zeros((896, 896, 3), np.uint8)
    stripes[:, ::2] = 255
    Image.fromarray(stripes).save(tmp_path / "a.png")
    assert abs(read(tmp_path / "a.png")[5:-5, 5:-5].astype(int) - 127).max() <= 2


@pytest.mark.parametrize("data", [b"", b"no picture", b"\xff\xd8\xff\xe0 cut"])
def test_what_cannot_be_read_raises(tmp_path, data):
    (tmp_path / "a.jpg").write_bytes(data)
    with pytest.raises(OSError):
        read(tmp_path / "a.jpg")


# the network


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    return np.stack([read(picture(folder / "p.png", 100 + i), 96) for i in range(12)])


def calibrated(pictures, seed=5):
    return extractor("random", seed=seed).calibrate(pictures)


@pytest.mark.slow
def test_features_of_random_weights(pictures):
    network = calibrated(pictures)
    x = network(pictures)
    assert x.shape == (12, 2048) and x.dtype == np.float32 and np.isfinite(x).all()
    assert network.name == "random (seed 5)"
    np.testing.assert_array_equal(x, calibrated(pictures)(pictures))
    assert not np.array_equal(x, calibrated(pictures, seed=6)(pictures))
    np.testing.assert_allclose(network(pictures[:3]), x[:3], rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_random_weights_leave_the_global_generator_alone():
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    extractor("random", seed=2)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.slow
def test_calibration_wakes_the_features(pictures):
    raw, awake = extractor("random", seed=5)(pictures), calibrated(pictures)(pictures)
    assert np.ptp(raw, axis=0).max() < 0.2 * np.ptp(awake, axis=0).max()
    assert (np.ptp(awake, axis=0) > 0.1).mean() > 0.95 and 0.1 < awake.std() < 10


@pytest.mark.slow
def test_bfloat16_is_near_and_how_near_is_measured(pictures, weights):
    exact, rough = frozen(weights)(pictures), frozen(weights, "bfloat16")(pictures)
    assert rough.dtype == np.float32 and not np.array_equal(exact, rough)
    cosine = bfloat16_cosine(weights, pictures)
    assert cosine.shape == (12,) and 0.5 < cosine.min() < cosine.max() < 1
    lengths = np.linalg.norm(exact, axis=1) * np.linalg.norm(rough, axis=1)
    np.testing.assert_allclose(cosine, (exact * rough).sum(1) / lengths, rtol=1e-4)


@pytest.mark.slow
def test_fuse_computes_the_same_function(tmp_path):
    pictures = np.stack([read(picture(tmp_path / "p.png", i)) for i in range(8)])
    network = calibrated(pictures)
    before = network(pictures)
    after = network.fuse()(pictures)
    assert np.abs(after - before).max() < 1e-4 * np.abs(before).max()
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in network.model.modules())
    np.testing.assert_array_equal(network.fuse()(pictures), after)


@pytest.mark.slow
def test_fuse_is_exact_but_for_rounding(weights):
    network, x = extractor(weights), torch.rand(2, 3, 96, 96, dtype=torch.float64)
    network.model.double()
    with torch.inference_mode():
        before = network.model(x)
        torch.testing.assert_close(network.fuse().model(x), before, rtol=0, atol=1e-10 * float(before.max()))


@pytest.mark.slow
def test_what_is_saved_gives_equal_features(weights, pictures, tmp_path):
    network = extractor(weights)
    network.save(tmp_path / "again.safetensors")
    again = extractor(tmp_path / "again.safetensors")
    np.testing.assert_array_equal(again(pictures), network(pictures))
    assert again.name == "again"
    torch.save(network.model.state_dict(), tmp_path / "again.pth")
    np.testing.assert_array_equal(extractor(str(tmp_path / "again.pth"))(pictures), network(pictures))


@pytest.mark.slow
def test_classifier_and_auxiliary_weights_are_passed_over(weights, pictures, tmp_path):
    state = dict(extractor(weights).model.state_dict())
    state |= {"fc.weight": torch.zeros(1000, 2048), "AuxLogits.fc.bias": torch.zeros(1000)}
    torch.save(state, tmp_path / "full.pth")
    np.testing.assert_array_equal(extractor(tmp_path / "full.pth")(pictures), extractor(weights)(pictures))


@pytest.mark.slow
def test_views_and_an_empty_batch(weights, pictures):
    network = extractor(weights)
    np.testing.assert_array_equal(network(pictures[:2, :, ::-1]), network(pictures[:2, :, ::-1].copy()))
    assert network(pictures[:0]).shape == (0, 2048)


@pytest.mark.slow
@pytest.mark.parametrize(("images", "message"), [
    (np.zeros((2, 96, 96, 3), np.float32), r"images is float32 \(2, 96, 96, 3\); expected uint8 \(N, height, width"),
    (np.zeros((96, 96, 3), np.uint8), r"images is uint8 \(96, 96, 3\)"),
    (np.zeros((2, 3, 96, 96), np.uint8), r"images is uint8 \(2, 3, 96, 96\)"),
    (np.zeros((2, 96, 96, 4), np.uint8), r"images is uint8 \(2, 96, 96, 4\)"),
    (np.zeros((2, 74, 96, 3), np.uint8), "images are 74 x 96; Inception-V3 needs 75 x 75 or more"),
    ([[1]], "images is list"),
])
def test_wrong_images(weights, images, message):
    network = extractor(weights)
    for call in (network, network.calibrate):
        with pytest.raises(ValueError, match=message):
            call(images)


# weights that cannot be had


class Code:
    def __reduce__(self):
        return print, ("run",)


def saved(x):
    file = io.BytesIO()
    torch.save(x, file)
    return file.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "data", "message"), [
    ("none.pth", None, "weights is '.*none.pth', which is no file; expected imagenet, random, or the path"),
    ("text.pth", b"text", "weights file text.pth does not read as a state_dict of tensors alone"),
    ("text.safetensors", b"text", "weights file text.safetensors does not read"),
    ("empty.pth", b"", "weights file empty.pth does not read"),
    ("code.pth", pickle.dumps(Code(), 2), "weights file code.pth does not read .*: UnpicklingError"),
    ("code2.pth", saved({"x": Code()}), "weights file code2.pth does not read .*: UnpicklingError"),
    ("list.pth", saved([torch.zeros(2)]), "weights file list.pth does not read as a state_dict"),
    ("tensor.pth", saved(torch.zeros(2)), "weights file tensor.pth does not read as a state_dict"),
    ("nested.pth", saved({"state_dict": {}}), "weights file nested.pth does not fit Inception3"),
    ("numbers.pth", saved({1: torch.zeros(2)}), "weights file numbers.pth does not fit Inception3"),
])
def test_files_that_are_refused(tmp_path, capsys, name, data, message):
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(WeightsUnavailable, match=message):
        extractor(tmp_path / name)
    assert capsys.readouterr().out == ""


@pytest.mark.slow
def test_weights_of_another_shape(weights, tmp_path):
    state = extractor(weights).model.state_dict()
    state["Conv2d_1a_3x3.conv.weight"] = torch.zeros(32, 1, 3, 3)
    save_file({k: v.contiguous() for k, v in state.items()}, tmp_path / "grey.safetensors")
    with pytest.raises(WeightsUnavailable, match="grey.safetensors does not fit Inception3") as error:
        extractor(tmp_path / "grey.safetensors")
    assert "Conv2d_1a_3x3.conv.weight" in str(error.value)


@pytest.mark.slow
@pytest.mark.parametrize("fault", [
    URLError("no route"), TimeoutError("timed out"), IncompleteRead(b"x"),
    RuntimeError('invalid hash value (expected "0cc3c7bd", got "e3b0c442")'),  # a login page in the way
])
def test_imagenet_weights_that_cannot_be_fetched(monkeypatch, fault):
    def fail(*_, **__):
        raise fault

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", fail)
    monkeypatch.setattr("torch.hub.load_state_dict_from_url", fail)
    with pytest.raises(WeightsUnavailable, match="could not be fetched .*-p weights FILE.*-p weights random") as error:
        extractor("imagenet")
    assert str(fault) in str(error.value)
