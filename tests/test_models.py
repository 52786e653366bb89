"""The networks: sizes, shapes, switches, weights, and that they learn."""

from http.client import IncompleteRead
from urllib.error import URLError

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision import models as torchvision
from torchvision.transforms.v2 import functional as F

from acp_lib.features.image import MEAN, STD, WeightsUnavailable
from acp_lib.models import MLP, ACPNet, L3Net, SpectrogramACP, SpectrogramCNN, alexnet, parameters, taken
from acp_lib.models import sizes as sizes_of
from acp_lib.models.alexnet import AlexNet
from acp_lib.models.probes import ALEXNET_SIDE

TRUNK = 388_800  # convolutions of 320, 18,496, 73,856 and 295,168; batch norms of 64, 128, 256 and 512
PARAMETERS = [
    (ACPNet, {}, 14_842_020),
    (ACPNet, {"first_layer": "input"}, 6_411_874),
    (ACPNet, {"activation": "linear_embeddings", "dropout_at": "hidden"}, 14_842_020),
    (L3Net, {}, 9_508_738),
    (L3Net, {"size": 32, "bins": 20, "frames": 30}, 9_508_738),
    (SpectrogramACP, {}, 6_294_528 + TRUNK + 263_168 + 5_261_922),  # pictures, trunk and its last layer, fusion
    (SpectrogramCNN, {"classes": 3}, TRUNK + 131_584 + 16_416 + 99),
    (AlexNet, {"classes": 8, "weights": "random"}, 61_100_840 - 4_097_000 + 32_776),  # but the last layer torchvision's
    (MLP, {"inputs": 2048, "classes": 8}, 1_049_088 + 16_416 + 264),
    (MLP, {"inputs": 193, "classes": 3}, 99_328 + 16_416 + 99),
]


@pytest.mark.slow
@pytest.mark.parametrize(("model", "options", "expected"), PARAMETERS)
def test_parameters(model, options, expected):
    assert sum(p.numel() for p in model(**options).parameters()) == expected


def inputs(n=4, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(n, 2048, generator=rng), torch.randn(n, 193, generator=rng)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"first_layer": "input"}, {"activation": "linear_embeddings"}])
def test_acp_net_shapes(options):
    model = ACPNet(**options).eval()
    image, music = inputs()
    one, other = model.embed_image(image), model.embed_music(music)
    assert one.shape == other.shape == (4, 1024)
    logits = model(image, music)
    assert logits.shape == (4, 2) and logits.dtype == torch.float32
    torch.testing.assert_close(logits, model.fuse(one, other))
    negative = bool((one < 0).any()), bool((other < 0).any())
    assert negative == ((True, True) if options.get("activation") == "linear_embeddings" else (False, False))


@pytest.mark.slow
@pytest.mark.parametrize(("build", "layers"), [(ACPNet, 10), (lambda **o: ACPNet(fc_width=0.25, **o), 10),
                                               (lambda **o: SpectrogramACP(bins=16, frames=16, **o), 11)])
def test_weights_are_drawn_within_glorots_bounds(build, layers):
    """Uniform within the root of 6 / (inputs + outputs), where PyTorch's own are within the root of 1 / inputs."""
    def spread(how):
        torch.manual_seed(0)
        held = [m for m in build(initialisation=how).modules() if isinstance(m, nn.Linear | nn.Conv2d)]
        window = [m.weight[0, 0].numel() for m in held]
        bounds = [(6 / (k * (m.weight.shape[0] + m.weight.shape[1]))) ** 0.5 for k, m in zip(window, held, strict=True)]
        return [(m.weight.abs().max() / b).item() for m, b in zip(held, bounds, strict=True)], [
            m.bias.abs().max().item() for m in held]

    (glorot, zeros), (own, biases) = spread("glorot"), spread("pytorch")
    assert len(glorot) == layers and all(0.9 < share <= 1 for share in glorot) and set(zeros) == {0.0}
    assert sum(share < 0.9 for share in own) >= layers - 3 and min(biases) > 0


@pytest.mark.slow
def test_pytorchs_own_weights_are_left_as_they_are():
    torch.manual_seed(3)
    named = ACPNet(initialisation="pytorch").state_dict()
    torch.manual_seed(3)
    assert all(torch.equal(named[name], w) for name, w in ACPNet().state_dict().items())
    with pytest.raises(ValueError, match="initialisation is 'he'; expected one of pytorch, glorot"):
        ACPNet(initialisation="he")


def test_an_empty_batch_and_a_batch_of_one():
    model = ACPNet()
    assert model(*inputs(0)).shape == (0, 2) and model(*inputs(1)).shape == (1, 2)


def sizes(found):
    """What every block's last layer gives."""
    return [tuple(shape[1:]) for kind, shape in found if kind in ("ReLU", "Flatten")]


def traced(branch, seen):
    """Have each layer of a branch note its kind and the shape that it gives."""
    for layer in branch:
        layer.register_forward_hook(lambda layer, _, out: seen.append((type(layer).__name__, out.shape)))


@pytest.fixture(scope="module")
def step():
    """One training step of L3-Net at full size: shapes of both branches, logits, gradients."""
    torch.manual_seed(0)
    model, image, music = L3Net(), [], []
    traced(model.image, image)
    traced(model.music, music)
    logits = model(torch.rand(1, 3, 224, 224) * 2 - 1, torch.randn(1, 1, 257, 199))
    nn.functional.cross_entropy(logits, torch.tensor([1])).backward()
    return image, music, logits, {name: p.grad for name, p in model.named_parameters()}


@pytest.mark.slow
def test_l3_net_shapes(step):
    image, music, logits, _ = step
    assert sizes(image) == [(64, 224, 224)] * 2 + [(128, 112, 112)] * 2 + [(256, 56, 56)] * 2 + [(512, 28, 28)] * 2 + [
        (512,)]
    assert sizes(music) == [(64, 257, 199)] * 2 + [(128, 128, 99)] * 2 + [(256, 64, 49)] * 2 + [(512, 32, 24)] * 2 + [
        (512,)]
    kinds = [kind for kind, _ in image]
    assert kinds == [kind for kind, _ in music] and kinds.count("Conv2d") == kinds.count("BatchNorm2d") == 8
    assert kinds.count("MaxPool2d") == 3 and logits.shape == (1, 2)


@pytest.mark.slow
def test_in_one_step_of_l3_net_at_full_size_all_parameters_get_a_gradient(step):
    gradients = step[3]
    assert len(gradients) == 68 and all(g is not None and g.isfinite().all() for g in gradients.values())
    assert [name for name, g in gradients.items() if not g.abs().sum() > 0] == []


def test_spectrogram_shapes():
    model, found = SpectrogramACP(dropout_at="hidden").eval(), []
    traced(model.music, found)
    with torch.inference_mode():
        assert model.embed_music(torch.randn(1, 1, 257, 199)).shape == (1, 1024)
        assert model.embed_image(torch.randn(1, 2048)).shape == (1, 1024)
    blocks = [(kind, tuple(shape[1:])) for kind, shape in found if kind in ("BatchNorm2d", "MaxPool2d")]
    assert blocks == [("BatchNorm2d", (32, 257, 199)), ("MaxPool2d", (32, 128, 99)),
                      ("BatchNorm2d", (64, 128, 99)), ("MaxPool2d", (64, 64, 49)),
                      ("BatchNorm2d", (128, 64, 49)), ("MaxPool2d", (128, 32, 24)),
                      ("BatchNorm2d", (256, 32, 24)), ("MaxPool2d", (256, 16, 12))]
    assert [(kind, tuple(shape[1:])) for kind, shape in found[-6:]] == [
        ("MaxPool2d", (256, 16, 12)), ("AdaptiveAvgPool2d", (256, 1, 1)), ("Flatten", (256,)), ("Linear", (1024,)),
        ("ReLU", (1024,)), ("Dropout", (1024,))]


@pytest.mark.slow
@pytest.mark.parametrize(("width", "channels"), [(1.0, 256), (0.5, 128), (0.125, 32)])
def test_narrower_networks_keep_a_share_of_their_channels(width, channels):
    l3 = L3Net(width=width, size=32, bins=16, frames=16)
    convolutions = [m for m in l3.modules() if isinstance(m, nn.Conv2d)]
    assert [m.out_channels for m in convolutions] == 2 * [round(width * c) for c in (64, 128, 256, 512) for _ in "ab"]
    assert (l3.fusion[0].in_features, l3.fusion[0].out_features) == (round(width * 1024), round(width * 128))
    acp, cnn = SpectrogramACP(width=width), SpectrogramCNN(3, width=width)
    linear = [m.in_features for m in (*acp.music, *cnn.layers) if isinstance(m, nn.Linear)]
    assert linear == [channels, channels, 512, 32]
    assert l3(torch.zeros(2, 3, 32, 32), torch.zeros(2, 1, 16, 16)).shape == (2, 2)


@pytest.mark.slow
@pytest.mark.parametrize(("options", "count"), [
    ({"fc_width": 0.5}, 4_774_690), ({"fc_width": 0.25}, 1_725_890),
    ({"fc_width": 0.25, "first_layer": "input"}, 816_610),
])
def test_a_narrower_acp_net_keeps_inputs_and_answers(options, count):
    model = ACPNet(**options)
    assert sum(p.numel() for p in model.parameters()) == count
    hearing = SpectrogramACP(**options, width=0.125, bins=16, frames=16)
    embedded = round(options["fc_width"] * 1024)
    for net, music in ((model, torch.zeros(2, 193)), (hearing, torch.zeros(2, 1, 16, 16))):
        assert net.embed_image(torch.zeros(2, 2048)).shape == net.embed_music(music).shape == (2, embedded)
        assert net(torch.zeros(2, 2048), music).shape == (2, 2)


@pytest.mark.slow
@pytest.mark.parametrize(("options", "last", "drops_last"), [
    ({"dropout_at": "hidden"}, "Dropout", True), ({}, "ReLU", False), ({"dropout_at": "not_embeddings"}, "ReLU", False),
    ({"activation": "linear_embeddings", "dropout_at": "hidden"}, "Dropout", True), ({"dropout": 0.0}, "ReLU", False),
])
def test_switches_of_acp_net_hold_where_it_hears_spectrograms(options, last, drops_last):
    model, plain = SpectrogramACP(**options), ACPNet(**options)
    assert type(model.music[-1]).__name__ == last and (drops(model.music) == [drops_last])
    assert any(isinstance(m, nn.ReLU) for m in model.music[18:]) == (options.get("activation") is None)
    assert str(model.image) == str(plain.image) and str(model.fusion) == str(plain.fusion)


@pytest.mark.slow
@pytest.mark.parametrize(("image", "music", "message"), [
    (torch.zeros(4, 2047), torch.zeros(4, 193), r"image is torch.float32 \(4, 2047\); expected .* \(batch, 2048\)"),
    (torch.zeros(4, 2048), torch.zeros(4, 192), r"music is torch.float32 \(4, 192\); expected .* \(batch, 193\)"),
    (torch.zeros(193, 2048), torch.zeros(193), r"music is torch.float32 \(193,\)"),
    (torch.zeros(4, 2048, 1), torch.zeros(4, 193), r"image is torch.float32 \(4, 2048, 1\)"),
    (torch.zeros(4, 2048, dtype=torch.int64), torch.zeros(4, 193), r"image is torch.int64 \(4, 2048\)"),
    (torch.zeros(4, 2048), torch.zeros(3, 193), "a batch of 4 pictures and 3 pieces of music"),
])
def test_wrong_shapes_are_refused(image, music, message):
    with pytest.raises(ValueError, match=message):
        ACPNet()(image, music)


@pytest.mark.slow
@pytest.mark.parametrize(("image", "sound", "message"), [
    ((2, 3, 224, 223), (2, 1, 257, 199), r"image is .*\(2, 3, 224, 223\); expected .*\(batch, 3, 224, 224\)"),
    ((2, 224, 224, 3), (2, 1, 257, 199), r"image is .*\(2, 224, 224, 3\)"),
    ((2, 3, 224, 224), (1, 1, 257, 199), "a batch of 2 pictures and 1 pieces"),
])
def test_l3_net_refuses_wrong_shapes(image, sound, message):
    with pytest.raises(ValueError, match=message):
        L3Net()(torch.zeros(image), torch.zeros(sound))


def test_l3_net_refuses_a_wrong_spectrogram():
    model = L3Net()
    model.image = nn.Identity()  # slow, and not what is tested
    with pytest.raises(ValueError, match=r"music is .*\(1, 1, 257, 200\); expected .*\(batch, 1, 257, 199\)"):
        model(torch.zeros(1, 3, 224, 224), torch.zeros(1, 1, 257, 200))


@pytest.mark.slow
@pytest.mark.parametrize(("make", "message"), [
    (lambda: SpectrogramCNN(3, bins=16, frames=20)(torch.zeros(2, 1, 16, 21)), r"spectrogram is .*\(2, 1, 16, 21\)"),
    (lambda: SpectrogramACP(bins=16, frames=20)(torch.zeros(2, 2048), torch.zeros(2, 16, 20)), r"music is .*\(2, 16,"),
    (lambda: SpectrogramACP(bins=16, frames=20)(torch.zeros(2, 193), torch.zeros(2, 1, 16, 20)), "image is .*193"),
])
def test_what_hears_spectrograms_refuses_wrong_shapes(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def drops(part: nn.Sequential) -> list[bool]:
    """For each fully connected layer, whether dropout follows before the next."""
    found = []
    for layer in part:
        if isinstance(layer, nn.Linear):
            found.append(False)
        elif isinstance(layer, nn.Dropout):
            assert layer.p == 0.4
            found[-1] = True
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("options", "image", "music", "fusion"), [
    ({"dropout_at": "hidden"}, [1, 1], [1, 1, 1, 1], [1, 1, 1, 0]),
    ({}, [0, 0], [0, 0, 0, 0], [1, 1, 1, 0]),
    ({"dropout_at": "not_embeddings"}, [1, 0], [1, 1, 1, 0], [1, 1, 1, 0]),
    ({"first_layer": "input", "dropout_at": "hidden"}, [1], [1, 1, 1], [1, 1, 0]),
    ({"first_layer": "input", "dropout_at": "not_embeddings"}, [0], [1, 1, 0], [1, 1, 0]),
    ({"dropout": 0.0}, [0, 0], [0, 0, 0, 0], [0, 0, 0, 0]),
])
def test_where_dropout_lies(options, image, music, fusion):
    model = ACPNet(**options)
    assert (drops(model.image), drops(model.music), drops(model.fusion)) == (image, music, fusion)


def test_logits_are_linear_and_hidden_layers_are_not():
    model = ACPNet()
    assert isinstance(model.fusion[-1], nn.Linear)
    for part in (model.image, model.music, model.fusion[:-1]):
        assert all(isinstance(after, nn.ReLU) for layer, after in zip(part, part[1:], strict=False)
                   if isinstance(layer, nn.Linear))


@pytest.mark.parametrize(("options", "message"), [
    ({"activation": "tanh"}, "activation is 'tanh'; expected one of relu, linear_embeddings"),
    ({"first_layer": "Dense"}, "first_layer is 'Dense'; expected one of dense, input"),
    ({"dropout_at": "all"}, "dropout_at is 'all'; expected one of fusion, hidden, not_embeddings"),
    ({"dropout": 1.5}, "dropout is 1.5; expected a probability below 1"),
    ({"fc_width": 0.3}, "fc_width is 0.3; expected one of 1.0, 0.5, 0.25, 0.125"),
])
def test_other_switches_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        ACPNet(**options)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_network_and_the_same_dropout():
    def run():
        torch.manual_seed(3)
        model = ACPNet()
        return model(*inputs())

    torch.testing.assert_close(run(), run(), rtol=0, atol=0)


def test_dropout_is_off_in_evaluation():
    model = ACPNet()
    assert not torch.equal(model(*inputs()), model(*inputs()))
    model.eval()
    torch.testing.assert_close(model(*inputs()), model(*inputs()), rtol=0, atol=0)


SMALL = torch.randn(8, 3, 32, 32, generator=torch.Generator().manual_seed(2))
HEARD = torch.randn(8, 1, 32, 32, generator=torch.Generator().manual_seed(3))


@pytest.mark.slow
@pytest.mark.parametrize(("build", "pairs", "rate", "steps"), [
    (lambda: ACPNet(dropout=0.0), inputs(8), 1e-4, 12),
    (lambda: L3Net(size=32, bins=32, frames=32), (SMALL, HEARD), 3e-4, 4),
    (lambda: SpectrogramACP(dropout=0.0, bins=32, frames=32), (inputs(8)[0], HEARD), 1e-3, 5),
])
def test_overfits_eight_pairs(build, pairs, rate, steps):
    torch.manual_seed(0)
    model, truth = build(), torch.tensor([0, 1] * 4)
    optimiser = torch.optim.Adam(model.parameters(), rate)
    for _ in range(steps):
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(*pairs), truth).backward()
        optimiser.step()
    for norm in (m for m in model.modules() if isinstance(m, nn.BatchNorm2d)):
        norm.momentum = 1.0  # so few steps do not settle its mean
    model(*pairs)
    assert (model.eval()(*pairs).argmax(1) == truth).all()


@pytest.mark.slow
def test_both_modalities_and_all_parameters_take_part():
    model, (image, music) = ACPNet(dropout=0.0), inputs(8)
    model(image, music).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())
    base = model(image, music)
    assert not torch.allclose(model(image.flip(0), music), base)
    assert not torch.allclose(model(image, music.flip(0)), base)


# classifiers


@pytest.fixture
def narrow(monkeypatch):
    """An AlexNet of torchvision's names at an eighth of its width: its weights are a file of 5 MB, not 240."""
    monkeypatch.setattr(alexnet, "alexnet", lambda: alexnet._narrowed(torchvision.alexnet(), 0.125))
    return alexnet.alexnet()


def test_the_mlp_is_two_hidden_layers():
    model = MLP(193, 3)
    assert [type(m).__name__ for m in model.layers] == ["Linear", "ReLU", "Dropout"] * 2 + ["Linear"]
    assert model(torch.randn(5, 193)).shape == (5, 3) and drops(MLP(193, 3, dropout=0.0).layers) == [False] * 3


@pytest.mark.slow
@pytest.mark.parametrize("width", [1.0, 0.5, 0.125])
def test_alexnet_at_any_width(width):
    model = AlexNet(8, weights="random", width=width)
    plain = [m for m in torchvision.alexnet().modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    made = [m for m in model.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    shapes = [tuple(round(width * k) if i < 2 and k != 3 else k for i, k in enumerate(m.weight.shape)) for m in plain]
    assert [tuple(m.weight.shape) for m in made] == [*shapes[:-1], (8, round(width * 4096))]
    assert width == 1 or model(torch.zeros(2, 3, 64, 64)).shape == (2, 8)


@pytest.mark.slow
def test_without_classes_alexnet_gives_its_last_hidden_layer():
    model = AlexNet(0, weights="random", width=0.125).eval()
    found = model(torch.rand(2, 3, 64, 64) * 2 - 1)
    assert found.shape == (2, 512) and (found >= 0).all() and (found > 0).any()


@pytest.mark.slow
@pytest.mark.parametrize("side", [16, 32, ALEXNET_SIDE - 1, ALEXNET_SIDE])
def test_alexnet_enlarges_what_is_too_small_for_it(side):
    model = AlexNet(0, weights="random", width=0.125).eval()
    pictures = torch.rand(2, 3, side, side) * 2 - 1
    large = pictures if side == ALEXNET_SIDE else nn.functional.interpolate(pictures, (63, 63), mode="bilinear")
    torch.testing.assert_close(model(pictures), model(large))
    with pytest.raises(RuntimeError, match="too small"):
        model.net(torch.zeros(1, 3, ALEXNET_SIDE - 1, ALEXNET_SIDE - 1))


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["safetensors", "pth"])
def test_alexnet_with_the_weights_of_a_file_is_torchvisions(narrow, tmp_path, ending):
    file = tmp_path / f"alexnet.{ending}"
    save_file(narrow.state_dict(), file) if ending == "safetensors" else torch.save(narrow.state_dict(), file)
    pictures = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
    hidden = nn.Sequential(narrow.features, narrow.avgpool, nn.Flatten(), *narrow.classifier[:-1]).eval()
    expected = hidden(F.normalize(F.to_dtype(pictures, torch.float32, scale=True), MEAN, STD))
    model = AlexNet(0, weights=str(file)).eval()
    torch.testing.assert_close(model(pictures / 127.5 - 1), expected, rtol=1e-4, atol=1e-5)
    new = AlexNet(3, weights=str(file)).net.classifier[-1]
    assert new.weight.shape == (3, 512)
    assert set(model.state_dict()) == {f"net.{k}" for k in narrow.state_dict() if not k.startswith("classifier.6")}


@pytest.mark.slow
@pytest.mark.parametrize(("weights", "width", "error", "message"), [
    ("imagenet", 0.5, ValueError, "width is 0.5 and alexnet_weights 'imagenet'; a narrower AlexNet has no weights but"),
    ("file.pth", 0.125, ValueError, "width is 0.125 and alexnet_weights 'file.pth'"),
    ("none.pth", 1.0, WeightsUnavailable, "weights is '.*none.pth', which is no file"),
    ("text.pth", 1.0, WeightsUnavailable, "weights file text.pth does not read as a state_dict"),
    ("other.pth", 1.0, WeightsUnavailable, "weights file other.pth does not fit AlexNet: (?s:.*)features.0.weight"),
])
def test_weights_that_alexnet_refuses(narrow, tmp_path, monkeypatch, weights, width, error, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.pth").write_text("text")
    torch.save({"layer": torch.zeros(2)}, tmp_path / "other.pth")
    with pytest.raises(error, match=message):
        AlexNet(8, weights=weights, width=width)


@pytest.mark.slow
@pytest.mark.parametrize("fault", [URLError("no route"), IncompleteRead(b"x"), RuntimeError("invalid hash value")])
def test_imagenet_weights_of_alexnet_that_cannot_be_fetched(monkeypatch, fault):
    def fail(*_, **__):
        raise fault

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", fail)
    advice = "of alexnet could not be .*-p alexnet_weights FILE.*-p alexnet_weights random"
    with pytest.raises(WeightsUnavailable, match=advice) as error:
        AlexNet(8)
    assert str(fault) in str(error.value)


# sizes


@pytest.mark.slow
def test_sizes_of_acp_net_by_hand():
    image = 2048 * 2048 + 2048 + 2048 * 1024 + 1024
    music = 193 * 193 + 193 + 193 * 512 + 512 + 512 * 2048 + 2048 + 2048 * 1024 + 1024
    fusion = 2048 * 2048 + 2048 + 2048 * 512 + 512 + 512 * 32 + 32 + 32 * 2 + 2
    assert sizes_of(ACPNet()) == [
        {"Part": "image branch", "Layers": 2, "Parameters": image},
        {"Part": "music branch", "Layers": 4, "Parameters": music},
        {"Part": "fusion", "Layers": 4, "Parameters": fusion},
        {"Part": "in all", "Layers": 10, "Parameters": image + music + fusion}]
    assert image + music + fusion == parameters(ACPNet()) == 14_842_020


def test_convolutions_count_as_layers_and_batch_norm_as_parameters():
    found = {row["Part"]: row for row in sizes_of(L3Net(width=0.125))}
    assert found["image branch"]["Layers"] == found["music branch"]["Layers"] == 8 and found["fusion"]["Layers"] == 2
    norm = nn.BatchNorm2d(7)
    assert parameters(norm) == 14 and parameters(nn.Sequential(nn.Conv2d(3, 7, 3), norm)) == 7 * 28 + 14


@pytest.mark.slow
def test_what_networks_take():
    nets = ACPNet(), L3Net(width=0.125, size=64, bins=48, frames=50), SpectrogramACP(width=0.125, bins=48, frames=50)
    assert [taken(net) for net in nets] == ["2,048 and 193", "64×64 and 48×50", "2,048 and 48×50"]
