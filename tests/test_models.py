"""The networks: sizes, shapes, switches, and that they learn."""

import pytest
import torch
from torch import nn

from acp_lib.models import ACPNet, L3Net

PARAMETERS = [
    (ACPNet, {}, 14_842_020),
    (ACPNet, {"first_layer": "input"}, 6_411_874),
    (ACPNet, {"activation": "linear_embeddings", "dropout_at": "fusion"}, 14_842_020),
    (L3Net, {}, 9_508_738),
]


@pytest.mark.parametrize(("model", "options", "expected"), PARAMETERS)
def test_parameters(model, options, expected):
    assert sum(p.numel() for p in model(**options).parameters()) == expected


def inputs(n=4, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(n, 2048, generator=rng), torch.randn(n, 193, generator=rng)


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


def test_an_empty_batch_and_a_batch_of_one():
    model = ACPNet()
    assert model(*inputs(0)).shape == (0, 2) and model(*inputs(1)).shape == (1, 2)


def test_l3_net_shapes():
    model = L3Net().eval()
    with torch.inference_mode():
        assert model(torch.zeros(1, 3, 224, 224), torch.zeros(1, 1, 257, 199)).shape == (1, 2)


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
    with pytest.raises(ValueError, match=r"spectrogram is .*\(1, 1, 257, 200\); expected .*\(batch, 1, 257, 199\)"):
        model(torch.zeros(1, 3, 224, 224), torch.zeros(1, 1, 257, 200))


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


@pytest.mark.parametrize(("options", "image", "music", "fusion"), [
    ({}, [1, 1], [1, 1, 1, 1], [1, 1, 1, 0]),
    ({"dropout_at": "fusion"}, [0, 0], [0, 0, 0, 0], [1, 1, 1, 0]),
    ({"dropout_at": "not_embeddings"}, [1, 0], [1, 1, 1, 0], [1, 1, 1, 0]),
    ({"first_layer": "input"}, [1], [1, 1, 1], [1, 1, 0]),
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
    ({"dropout_at": "all"}, "dropout_at is 'all'; expected one of hidden, fusion, not_embeddings"),
    ({"dropout": 1.5}, "dropout probability .* 1.5"),
])
def test_other_switches_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        ACPNet(**options)


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


def test_overfits_eight_pairs():
    torch.manual_seed(0)
    model, (image, music) = ACPNet(dropout=0.0), inputs(8)
    truth = torch.tensor([0, 1] * 4)
    optimiser = torch.optim.Adam(model.parameters(), 1e-4)
    for _ in range(12):
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(image, music), truth).backward()
        optimiser.step()
    assert (model.eval()(image, music).argmax(1) == truth).all()


def test_both_modalities_and_all_parameters_take_part():
    model, (image, music) = ACPNet(dropout=0.0), inputs(8)
    model(image, music).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())
    base = model(image, music)
    assert not torch.allclose(model(image.flip(0), music), base)
    assert not torch.allclose(model(image, music.flip(0)), base)
