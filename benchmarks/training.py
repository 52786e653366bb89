"""Training of ACP-Net at the paper's size: its share of what this processor can do in float32, and where the rest goes.

A pair takes about 6 operations a parameter: 2 forward, 2 for the gradient of the weights, 2 for that of the layer's
input. (The first layer of each branch needs no gradient of its input; these are counted all the same.)
"""

from benchmarks.compare import compare, spent  # isort: skip - sets the threads before numpy loads

import math
import statistics

import numpy as np
import torch
from torch import nn

from acp_lib import paper, profiles
from acp_lib.experiment import training
from acp_lib.experiment.corpus import Corpus, Modality
from acp_lib.experiment.evaluation import accuracy, probability
from acp_lib.experiment.splits import RATIOS
from acp_lib.experiment.tasks import Correspondence
from acp_lib.features.layout import VECTORS
from acp_lib.models import ACPNet
from acp_lib.profiles.ledger import default

PAIRS = math.ceil(RATIOS[0] * sum(paper.IMAGES.values()))  # an epoch of IMAC: one a training picture
SHARE = 0.8  # of the peak, wanted


class Step:
    """One step of training on a batch of random features, and its parts one by one."""

    def __init__(self, model: ACPNet, batch: int):
        random = torch.Generator().manual_seed(0)
        self.model = model
        self.optimiser = torch.optim.Adam(model.parameters(), lr=1e-4, fused=True)
        self.inputs = [torch.randn(batch, VECTORS[name], generator=random) for name in ("image", "music")]
        self.target = torch.randint(0, 2, (batch,), generator=random)

    def whole(self) -> None:
        training.step(self.model, self.optimiser, self.inputs, self.target)

    def forward(self) -> None:
        self.loss = nn.functional.cross_entropy(self.model(*self.inputs), self.target)

    def backward(self) -> None:
        self.optimiser.zero_grad()
        self.loss.backward()

    def update(self) -> None:
        self.optimiser.step()


def products(model: ACPNet, batch: int):
    """All matrix products of a step and nothing else, not even memory for their results, as a function."""
    layers = [m for m in model.modules() if isinstance(m, nn.Linear)]
    first = (model.image[0], model.music[0])
    made = []
    for layer in layers:
        weight, x, error = layer.weight.detach(), *(torch.randn(batch, n) for n in (layer.in_features,
                                                                                   layer.out_features))
        made += [(x, weight.T, torch.empty_like(error)), (error.T, x, torch.empty_like(weight))]
        if layer not in first:
            made.append((error, weight, torch.empty_like(x)))

    def work() -> None:
        for left, right, out in made:
            torch.mm(left, right, out=out)

    return work


def passes(n: int):
    """Going once over all that Adam reads and writes for n parameters, as a function: three arrays to and fro, one
    there.
    """
    arrays, gradient = [torch.ones(n) for _ in range(3)], torch.ones(n)

    def work() -> None:
        for array in arrays:
            array.mul_(1.0)
        gradient.sum()

    return work


def step(batch: int, side: int, rounds: int) -> list[dict]:
    """Rows of the peak, an epoch, the parts of a step, and the floors of these."""
    torch.manual_seed(0)
    model = ACPNet().train()
    parameters = sum(p.numel() for p in model.parameters())
    one, square = Step(model, batch), torch.randn(side, side)
    ways = {"peak": lambda: square @ square, "step": one.whole, "forward": one.forward, "backward": one.backward,
            "update": one.update, "products": products(model, batch), "memory": passes(parameters)}
    times: dict[str, list[float]] = {name: [] for name in ways}
    for k in range(rounds + 2):
        for name, way in ways.items():
            took = spent(way)
            if k > 1:  # what is allocated first is left out
                times[name].append(took)
    took = {name: statistics.median(some) for name, some in times.items()}
    peak = 2 * side**3 / took["peak"]
    share = 6 * parameters * batch / took["step"] / peak
    about = {"rounds": rounds, "batch": batch}
    epoch = {"name": f"ACP-Net, {PAIRS:,} pairs an epoch, batch {batch}", "parameters": parameters, "pairs": PAIRS,
             "epoch_s": took["step"] * PAIRS / batch, "peak_gflops": peak / 1e9, "peak_side": side, "share": share,
             "wanted_share": SHARE, **about}
    print(f"{epoch['name']:46}{epoch['epoch_s']:8.1f} s of processor time; {peak / 1e9:.1f} GFLOP/s in a product of "
          f"{side} x {side}, of which training gets {share:.3f} (wanted {SHARE}: "
          f"{'met' if share >= SHARE else 'NOT MET'})", flush=True)
    parts = [{"name": f"a step: {name}", "part": name, "part_ms": 1e3 * ms, "of_step": ms / took["step"], **about}
             for name, ms in (("whole", took["step"]), ("forward", took["forward"]), ("backward", took["backward"]),
                              ("update", took["update"]), ("its matrix products alone", took["products"]),
                              ("going over the update's memory alone", took["memory"]))]
    for row in parts:
        print(f"{row['name']:46}{row['part_ms']:8.1f} ms, {100 * row['of_step']:5.1f} % of a step", flush=True)
    return [epoch, *parts]


def classes(n: int, seed: int) -> Corpus:
    """Features that tell three classes, n samples a modality: 70:10:20."""
    random = np.random.default_rng(seed)
    sides = []
    for width in (VECTORS["image"], VECTORS["music"]):
        label, part = np.arange(n) % 3, np.repeat((0, 1, 2), (n * 7 // 10, n // 10, n - n * 7 // 10 - n // 10))
        x = 0.5 * np.random.default_rng(0).standard_normal((3, width))[label] + random.standard_normal((n, width))
        sides.append(Modality(torch.from_numpy(x.astype(np.float32)), label, part))
    return Corpus(*sides)


def learnt(precision: str, epochs: int, width: float = 0.25, n: int = 600, seed: int = 0, where: str = "cpu") -> float:
    """Accuracy on test pairs after training on `classes` in a precision."""
    profile = profiles.load("mini", precision=precision, epochs=epochs, batch=64, fc_width=width)
    task = Correspondence(classes(n, 1), profile.pairing, profile.seed)
    torch.manual_seed(seed)
    model = ACPNet(fc_width=width)
    training.fit(model, task, profile.training, profile.seed + seed, where=where)
    pairs = task.pairs("test")
    return accuracy(probability(model, task.corpus, pairs), pairs.truth)


def in_bfloat16(batch: int, rounds: int, epochs: int) -> list[dict]:
    """A step in bfloat16 against float32, and what each learns; the reason where the processor has none."""
    if not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        reason = f"this processor ({torch.backends.cpu.get_cpu_capability()}) has no bfloat16, and only imitates it"
        print(f"training in bfloat16 is not measured: {reason}")
        return [{"name": "training in bfloat16", "skipped": reason}]
    one = Step(ACPNet().train(), batch)

    def rough() -> None:
        with training.precision("bfloat16", "cpu"):
            one.whole()

    found = {kind: learnt(kind, epochs) for kind in ("float32", "bfloat16")}
    print(f"accuracy on a small task: {found['float32']:.4f} in float32, {found['bfloat16']:.4f} in bfloat16")
    return [{**compare("a training step in bfloat16", one.whole, rough, rounds, 1.5), **found}]


def run(quick: bool) -> list[dict]:
    """Rows of the share of the peak, of a step's parts, and of bfloat16."""
    torch.set_num_threads(1)
    batch = default("batch")
    return [*step(batch, 1024 if quick else 2048, 3 if quick else 20), *in_bfloat16(batch, 3 if quick else 10, 5)]
