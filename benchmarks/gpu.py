"""Training on a GPU, at the paper's size: an epoch of ACP-Net and of L3-Net, its share of what the card can do, several
runs in one program, the way over NCCL, and what bfloat16 costs in accuracy.

Times are wall times: the processor only feeds the card.
"""

from benchmarks.networks import corpus  # isort: skip - sets the threads before numpy loads

import copy
import os
import statistics
import time
from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.flop_counter import FlopCounterMode

from acp_lib.engine import devices
from acp_lib.experiment import together, training
from acp_lib.experiment.evaluation import t_interval
from acp_lib.experiment.tasks import Correspondence
from acp_lib.models import ACPNet, L3Net
from acp_lib.models._branches import TwoBranches
from acp_lib.profiles.groups import Pairing, Training
from acp_lib.profiles.ledger import default
from benchmarks.training import PAIRS, learnt

BESIDE = 1, 4, 16
"""Runs in one program."""

KINDS = "float32", "bfloat16"
TF32 = "TF32"
"""What PyTorch computes convolutions of float32 numbers in, on cards that have it; products of matrices it does not."""

SEEDS = 5
Way = Callable[[], object]


def card() -> dict:
    """What the numbers depend on besides the machine.

    Raises
    ------
    ValueError
        If there is no GPU.
    """
    if not torch.cuda.is_available():
        raise ValueError("no GPU was found; gpu needs one that this PyTorch can use")
    return {"gpu": torch.cuda.get_device_name(), "cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version()}


def timed(ways: dict[str, Way], rounds: int, where: str) -> dict[str, float]:
    """Median seconds of wall time of each way, taken in turns after two rounds that do not count."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for k in range(rounds + 2):
        for name, way in ways.items():
            _wait(where)
            start = time.perf_counter()
            way()
            _wait(where)
            if k > 1:
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(some) for name, some in times.items()}


def _wait(where: str) -> None:
    if where != "cpu":
        torch.cuda.synchronize()


def peaks(side: int, rounds: int, where: str) -> dict[str, float]:
    """Operations a second in a product of two square matrices, by precision, and bytes a second in a copy ("bytes")."""
    random = {kind: torch.randn(side, side, device=where, dtype=getattr(torch, kind)) for kind in KINDS}
    target = torch.empty_like(random["float32"])

    def shorter() -> None:
        torch.backends.cuda.matmul.allow_tf32 = True
        _ = random["float32"] @ random["float32"]
        torch.backends.cuda.matmul.allow_tf32 = False

    took = timed({**{kind: lambda m=m: m @ m for kind, m in random.items()}, TF32: shorter,  # type: ignore[misc]
                  "bytes": lambda: target.copy_(random["float32"])}, rounds, where)
    return {**{kind: 2 * side**3 / took[kind] for kind in (*KINDS, TF32)}, "bytes": 2 * target.nbytes / took["bytes"]}


def operations(model: nn.Module, inputs: Sequence[torch.Tensor]) -> int:
    """Operations of a training step without its update: matrix products and convolutions, forward and backward."""
    with FlopCounterMode(display=False) as counted:
        model(*inputs).sum().backward()
    model.zero_grad()
    return counted.get_total_flops()


class Step:
    """One step of training as `training.fit` takes it, on one batch that lies on the device."""

    def __init__(self, model: nn.Module, inputs: list[torch.Tensor], kind: str, where: str) -> None:
        self.model = model.to(where).to(memory_format=torch.channels_last).train()
        self.inputs, self.kind, self.where = [x.to(where) for x in inputs], kind, where
        self.target = torch.arange(len(inputs[0]), device=where) % 2
        self.optimiser = torch.optim.Adam(model.parameters(), lr=1e-4, fused=True)

    def __call__(self) -> None:
        with training.precision(self.kind, self.where):
            training.step(self.model, self.optimiser, self.inputs, self.target)


def batch_of(model: nn.Module, batch: int) -> list[torch.Tensor]:
    """Random inputs of a network."""
    random, shapes = torch.Generator().manual_seed(0), cast(TwoBranches, model).inputs
    return [torch.randn(batch, *shapes[m], generator=random) for m in ("image", "music")]


def epochs(name: str, make: Callable[[], nn.Module], batch: int, rounds: int, where: str, peak: dict[str, float]
           ) -> list[dict]:
    """A row for each precision: an epoch of a network by the time of its steps, and its share of the peak, which for
    convolutions of float32 numbers is that of TF32.
    """
    model = make()
    inputs = batch_of(model, batch)
    convolves = any(isinstance(m, nn.Conv2d) for m in model.modules())
    best = peak | ({"float32": peak[TF32]} if convolves and torch.backends.cudnn.allow_tf32 else {})
    took = timed({kind: Step(make(), inputs, kind, where) for kind in KINDS}, rounds, where)
    about = {"network": name, "runs": 1, **needed(model, batch, where), "rounds": rounds}
    return [spoken(f"{name}, kernel by kernel", took[kind], best[kind], peak["bytes"], precision=kind, **about)
            for kind in KINDS]


def beside(runs: int, kind: str, batch: int, rounds: int, where: str, peak: dict[str, float],
           width: float = 1.0) -> dict:
    """A row of so many runs of ACP-Net that one program trains: updates alone, from features on the device."""
    options = Training(batch=batch, precision=kind)  # type: ignore[arg-type]
    tasks = [Correspondence(corpus(4000, 800, 1), Pairing(), 0)] * runs
    models = [ACPNet(fc_width=width) for _ in range(runs)]
    step = together._Step(together.Stack(models, where), together.Features(tasks, where), options, where)
    step.stack.train(True)
    rows = together._rows([[*one.rows, one.target] for one in (task.epoch([0, 1], batch) for task in tasks)], where)
    took = timed({"update": lambda: step(rows[:, :, :batch].contiguous())}, rounds, where)["update"]
    return spoken(f"ACP-Net, {runs} run{'s' * (runs > 1)} as one graph", took, peak[kind], peak["bytes"],
                  network="ACP-Net", runs=runs, precision=kind, **needed(models[0], batch, where), rounds=rounds)


def needed(model: nn.Module, batch: int, where: str) -> dict:
    """What a step of a network consists of: "parameters", "batch", and operations a pair ("flop")."""
    inputs = [x.to(where) for x in batch_of(model, batch)]
    return {"batch": batch, "parameters": sum(p.numel() for p in model.parameters()),
            "flop": operations(model.to(where), inputs) / batch}


def spoken(name: str, took: float, top: float, moved: float, **about) -> dict:
    """The row of a step that took so many seconds, printed: an epoch of each run, and Adam's seven passes over its
    memory.

    top : operations a second of the card; moved : bytes a second; about : with `needed`, "runs" and "precision"
    """
    pairs = about["runs"] * about["batch"] / took
    row = {"name": name, **about, "pairs": PAIRS, "pairs_per_s": pairs, "gpu_epoch_s": took * PAIRS / about["batch"],
           "gpu_share": about["flop"] * pairs / top,
           "update_share": 7 * 4 * about["runs"] * about["parameters"] / moved / took}
    print(f"{name:28}{about['precision']:9}{row['gpu_epoch_s']:9.2f} s an epoch of {PAIRS:,} pairs, "
          f"{pairs:12,.0f} pairs/s, {100 * row['gpu_share']:5.1f} % of the peak; bare memory of the updates "
          f"{100 * row['update_share']:5.1f} % of the time", flush=True)
    return row


def over_nccl(batch: int, rounds: int, where: str) -> list[dict]:
    """ACP-Net's step by itself and wrapped for several GPUs, with this one as the only one: the same loss, and what
    the way over NCCL costs.
    """
    os.environ |= {"MASTER_ADDR": "localhost", "MASTER_PORT": "29531"}
    distributed.init_process_group("nccl" if where != "cpu" else "gloo", rank=0, world_size=1)
    try:
        torch.manual_seed(0)
        alone = ACPNet(dropout=0.0)
        inputs = batch_of(alone, batch)
        plain = Step(alone, inputs, "float32", where)
        twin = Step(copy.deepcopy(alone), inputs, "float32", where)
        twin.model = DistributedDataParallel(twin.model, [0] if where != "cpu" else None)
        took = timed({"alone": plain, "wrapped": twin}, rounds, where)
        weights = zip(plain.model.parameters(), twin.model.parameters(), strict=True)
        apart = max(float((a - b).detach().abs().max()) for a, b in weights)
    finally:
        distributed.destroy_process_group()
    row = {"name": "a step over NCCL, one GPU", "nccl_alone_ms": 1e3 * took["alone"],
           "nccl_ms": 1e3 * took["wrapped"], "largest_weight_difference": apart, "batch": batch, "rounds": rounds}
    print(f"{row['name']}: {row['nccl_ms']:.2f} ms, {row['nccl_alone_ms']:.2f} ms without; weights differ by "
          f"{apart:.1e} at most")
    return [row]


def precise(seeds: int, where: str, length: int) -> list[dict]:
    """What small networks learn in each precision, from the same seeds: test accuracies in per cent."""
    found = {kind: [100 * learnt(kind, length, seed=seed, where=where) for seed in range(seeds)] for kind in KINDS}
    apart = np.subtract(found["bfloat16"], found["float32"])
    low, high = t_interval(apart)
    row = {"name": "bfloat16 less float32, test accuracy", **{f"accuracies_{kind}": found[kind] for kind in KINDS},
           "points": float(apart.mean()), "points_interval": [low, high], "seeds": seeds}
    print(f"{row['name']}: {row['points']:+.2f} points ({low:+.2f} to {high:+.2f}), {seeds} seeds; "
          f"{np.mean(found['float32']):.2f} % in float32")
    return [row]


def run(quick: bool) -> list[dict]:
    """Rows of all of it."""
    return measured(devices.device("cuda"), quick)


def measured(where: str, quick: bool) -> list[dict]:
    """Rows of the peaks, of epochs, of several runs in one program, of NCCL and of the precisions."""
    batch, rounds = default("batch"), 3 if quick else 30
    torch.manual_seed(0)
    peak = peaks(256 if quick else 8192, rounds, where)
    made: list[dict] = [{"name": f"peak, {kind}", "peak_tflops": peak[kind] / 1e12, "peak_gbytes": peak["bytes"] / 1e9}
                        for kind in (*KINDS, TF32)]
    print(", ".join(f"{row['name']} {row['peak_tflops']:.1f} TFLOP/s" for row in made),
          f"{peak['bytes'] / 1e9:.0f} GB/s")
    made += epochs("ACP-Net", ACPNet, batch, 10 * rounds, where, peak)
    made += [beside(runs, kind, batch, rounds if quick else 3 * rounds, where, peak, 0.125 if quick else 1.0)
             for kind in KINDS for runs in (BESIDE[:2] if quick else BESIDE)]
    small = {"width": 0.125, "size": 64, "bins": 48, "frames": 50} if quick else {}
    made += epochs("L3-Net", lambda: L3Net(**small), 4 if quick else 64, rounds, where, peak)
    made += over_nccl(batch, rounds, where)
    return made + precise(2 if quick else SEEDS, where, 2 if quick else 10)
