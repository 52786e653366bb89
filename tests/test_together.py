"""Several runs in one program: each the same as if it were trained alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from acp_lib.experiment import together, training
from acp_lib.experiment.corpus import Corpus, Modality, scaled
from acp_lib.experiment.tasks import Correspondence
from acp_lib.models import ACPNet
from acp_lib.profiles.groups import Pairing, Training

OPTIONS = Training(batch=16, learning_rate=1e-3)
PAIRING = Pairing(pairs_per_epoch=120, epochs=4, patience=2)


def side(rng: np.random.Generator, n: int, width: int) -> Modality:
    label = rng.permutation(np.arange(n) % 3)
    x = rng.standard_normal((n, width))
    x[:, :3] += 3 * np.eye(3)[label]
    part = np.repeat([0, 1, 2], [round(0.6 * n), round(0.2 * n), n - round(0.6 * n) - round(0.2 * n)])
    return Modality(torch.from_numpy(scaled(x, np.flatnonzero(part == 0), "zscore")), label, part)


def corpora(n: int) -> list[Corpus]:
    rng = np.random.default_rng(5)
    return [Corpus(side(rng, 60, 2048), side(rng, 45, 193)) for _ in range(n)]


def networks(n: int, dropout: float = 0.0) -> list[ACPNet]:
    made = []
    for seed in range(n):
        torch.manual_seed(seed)
        made.append(ACPNet(fc_width=0.125, dropout=dropout))
    return made


@pytest.fixture(scope="module")
def both() -> dict:
    """Three runs side by side, two of them on one corpus, and the same three one by one."""
    held = corpora(2)
    tasks = [Correspondence(held[k], PAIRING, seed) for k, seed in ((0, 0), (1, 1), (1, 2))]
    side_by_side, alone = networks(3), networks(3)
    histories = together.fit(side_by_side, tasks, OPTIONS, [7, 8, 9])
    expected = [training.fit(net, task, OPTIONS, seed) for net, task, seed in zip(alone, tasks, [7, 8, 9], strict=True)]
    return {"tasks": tasks, "histories": histories, "expected": expected, "nets": side_by_side, "alone": alone}


@pytest.mark.slow
@pytest.mark.parametrize("run", range(3))
def test_a_run_is_the_same_beside_others_as_alone(both, run):
    found, expected = both["histories"][run], both["expected"][run]
    assert [h["epoch"] for h in found] == [h["epoch"] for h in expected]
    for key in ("loss", "accuracy", "val_loss", "val_accuracy"):
        assert [h[key] for h in found] == pytest.approx([h[key] for h in expected], abs=2e-4), key


@pytest.mark.slow
@pytest.mark.parametrize("run", range(3))
def test_each_network_is_left_with_the_weights_of_its_own_best_epoch(both, run):
    found, expected = both["nets"][run].state_dict(), both["alone"][run].state_dict()
    assert not both["nets"][run].training
    for name, value in expected.items():
        assert torch.allclose(found[name], value, atol=2e-4), name
    accuracy = training._validate(both["nets"][run], both["tasks"][run])["val_accuracy"]
    assert accuracy == pytest.approx(max(h["val_accuracy"] for h in both["histories"][run]), abs=1e-3)


@pytest.mark.slow
def test_runs_stop_each_at_its_own_epoch(both):
    assert all(len(h) <= PAIRING.epochs for h in both["histories"])
    longest = max(map(len, both["histories"]))
    waiting = [h for h in both["histories"] if len(h) < longest]
    assert all(len(h) - 1 - int(np.argmax([e["val_accuracy"] for e in h])) == PAIRING.patience for h in waiting)


@pytest.mark.slow
def test_dropout_differs_between_runs_of_equal_weights_and_is_repeatable():
    task = Correspondence(corpora(1)[0], replace(PAIRING, epochs=1), 0)

    def losses() -> list[float]:
        torch.manual_seed(1)
        one = ACPNet(fc_width=0.125, dropout=0.5)
        twins = [one, ACPNet(fc_width=0.125, dropout=0.5)]
        twins[1].load_state_dict(one.state_dict())
        return [h[0]["loss"] for h in together.fit(twins, [task, task], OPTIONS, [3, 3])]

    first = losses()
    assert first[0] != first[1]
    assert losses() == first


@pytest.mark.slow
@pytest.mark.parametrize(("change", "message"), [
    ({"seeds": [1]}, "2 models, 2 tasks and 1 seeds"),
    ({"options": replace(OPTIONS, decay="plateau")}, "decay is 'plateau'"),
    ({"tasks": "uneven"}, "120, 136"),
])
def test_what_cannot_be_trained_side_by_side_is_refused(change, message):
    corpus = corpora(1)[0]
    tasks = [Correspondence(corpus, PAIRING, 0)] * 2
    if change.pop("tasks", None):
        tasks = [tasks[0], Correspondence(corpus, replace(PAIRING, pairs_per_epoch=136), 0)]
    given = {"models": networks(2), "tasks": tasks, "options": OPTIONS, "seeds": [1, 2]} | change
    with pytest.raises(ValueError, match=message):
        together.fit(**given)


@pytest.mark.slow
def test_a_loss_that_is_not_finite_is_named():
    corpus = corpora(1)[0]
    corpus.image.x[:] = torch.inf
    with pytest.raises(FloatingPointError, match="the loss of run 0 is nan"):
        together.fit(networks(1), [Correspondence(corpus, PAIRING, 0)], OPTIONS, [1])
