"""One training loop for all networks: early stopping on validation accuracy, the best weights kept, resumable.

Everything random in an epoch, its samples and its dropout, comes from (seed, epoch), so a run that is killed and
resumed ends bit for bit where an unbroken one does. Under torchrun every process takes its share of each batch.

Paper: Section 4, Database, experimental setup.
Chapter: ACP-Net.
"""

import json
import math
import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader

from acp_lib import streams
from acp_lib.engine.cache import write
from acp_lib.experiment.tasks import Batches, Task, best_epoch
from acp_lib.profiles.groups import Training

SECONDS = 60  # between two checkpoints, at least
DECAY = 3  # epochs without a lower validation loss that a learning rate outlasts


def rank_and_size() -> tuple[int, int]:
    """(number of this process, number of processes) under torchrun; (0, 1) elsewhere."""
    return (distributed.get_rank(), distributed.get_world_size()) if distributed.is_initialized() else (0, 1)


def precision(kind: str, where: str) -> AbstractContextManager:
    """The context in which networks compute on a device: float32, or bfloat16 where that is precise enough."""
    if kind == "float32":
        return nullcontext()
    return torch.autocast(where.split(":")[0], torch.bfloat16,
                          cache_enabled=False)  # it would keep weights as they were before the optimiser's steps


def fit(model: nn.Module, task: Task, options: Training, seed: int, *, where: str = "cpu", readers: int = 1,
        checkpoint: Path | None = None, on_epoch: Callable[[list[dict]], None] = lambda history: None) -> list[dict]:
    """Train a network in place and leave it with the weights of its best epoch; return one record per epoch.

    Parameters
    ----------
    model : maps the inputs of the task's batches to logits (B, classes)
    seed : of samples and dropout
    where : device, as `device` returns it
    readers : maximum number of processes that read batches ahead for a GPU
    checkpoint : file to resume from, written from time to time, removed at the end
    on_epoch : called with the history after each epoch

    Returns
    -------
    list of {"epoch", "loss", "accuracy", "val_loss", "val_accuracy"}, accuracies from 0 to 1

    Raises
    ------
    FloatingPointError
        If the loss of training or validation is no longer finite.

    Paper: Section 4, Adam at 1e-4, at most 50 epochs, early stopping on validation accuracy.  Chapter: ACP-Net.
    """
    model.to(where).to(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(model.parameters(), lr=options.learning_rate, fused=True)
    history, best = _resume(checkpoint, model, optimiser)
    net = _data_parallel(model, options.batch, where)
    saved = time.monotonic()
    while not task.finished(history):
        epoch = len(history) + 1
        for group in optimiser.param_groups:
            group["lr"] = rate(options, history)
        batches = _batches(task.epoch([seed, epoch], options.batch, rank_and_size()), readers, where)
        with precision(options.precision, where):
            record = _broadcast({**_epoch(net, optimiser, batches, [seed, epoch], where), **_validate(model, task)},
                                where)
        if not math.isfinite(record["loss"] + record["val_loss"]):
            raise FloatingPointError(f"the loss is {record['loss']} in training and {record['val_loss']} in validation "
                                     f"in epoch {epoch}; lower learning_rate (now {options.learning_rate}), or look "
                                     "for extreme values in the features")
        history.append({"epoch": epoch, **record})
        if best_epoch(history) == epoch:
            best = {k: v.detach().cpu().clone() for k, v in model.state_dict().items()}
        if checkpoint and rank_and_size()[0] == 0 and time.monotonic() - saved > SECONDS:
            _save(checkpoint, model, optimiser, best, history)
            saved = time.monotonic()
        on_epoch(history)
    model.load_state_dict(best)
    model.eval()
    if checkpoint:
        checkpoint.unlink(missing_ok=True)
    return history


def rate(options: Training, history: list[dict]) -> float:
    """Learning rate of the epoch after `history`; computed from `history` alone, so that a resumed run has the same.

    Paper: Section 4, "initialized at"; see decay in the ledger.  Chapter: The garden of forking paths.
    """
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=options.learning_rate)
    if options.decay == "plateau":
        schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, factor=0.1, patience=DECAY)
        for record in history:
            schedule.step(record["val_loss"])
    return optimiser.param_groups[0]["lr"]


def _data_parallel(model: nn.Module, batch: int, where: str) -> nn.Module:
    """The network itself, or a wrapper that averages gradients over the processes of torchrun."""
    processes = rank_and_size()[1]
    if processes == 1:
        return model
    if batch % processes:
        raise ValueError(f"batch is {batch}, which {processes} processes cannot share evenly; give a multiple")
    return DistributedDataParallel(model, [where] if where.startswith("cuda") else None)


def _broadcast(record: dict, where: str) -> dict:
    """The first process's record, sent to all processes, so that all stop at the same epoch."""
    if rank_and_size()[1] == 1:
        return record
    values = torch.tensor(list(record.values()), dtype=torch.float64, device=where)
    distributed.broadcast(values, 0)
    return dict(zip(record, values.tolist(), strict=True))


def _batches(epoch: Batches, readers: int, where: str) -> DataLoader:
    """An epoch's batches; for a GPU, processes read ahead what lies in shards, which does not change the batches.

    The processes are forked, where they can be: others would import PyTorch anew for every epoch.
    """
    gpu = where.startswith("cuda")
    ahead = min(readers, 8) if gpu and epoch.from_shards else 0
    return DataLoader(epoch, batch_size=None, generator=torch.Generator(), num_workers=ahead, pin_memory=gpu,
                      multiprocessing_context="fork" if ahead and hasattr(os, "fork") else None)


def _epoch(model: nn.Module, optimiser: torch.optim.Optimizer, batches: DataLoader, seed: list[int],
           where: str) -> dict:
    model.train()
    torch.manual_seed(streams.number("dropout", *seed, rank_and_size()[0]))
    sums = torch.zeros(3, device=where)  # of the loss, of right answers, of samples
    for inputs, target in batches:
        inputs, target = [x.to(where, non_blocking=True) for x in inputs], target.to(where, non_blocking=True)
        loss, right = step(model, optimiser, inputs, target)
        sums += torch.stack([loss * len(target), right, torch.full_like(right, len(target))])
    if rank_and_size()[1] > 1:
        distributed.all_reduce(sums)
    loss, right, n = sums.tolist()
    return {"loss": loss / n, "accuracy": right / n}


def step(model: nn.Module, optimiser: torch.optim.Optimizer, inputs: list[torch.Tensor],
         target: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """One update of the weights on a batch. Returns, both from before the update, the mean loss and the number of
    samples predicted correctly.

    Parameters
    ----------
    inputs : of the network, one tensor for each modality [shapes=(B, ...)]
    target : class numbers [shape=(B,)]

    Chapter: ACP-Net.
    """
    logits = model(*inputs).float()
    loss = nn.functional.cross_entropy(logits, target)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return loss.detach(), (logits.argmax(1) == target).sum()


def _validate(model: nn.Module, task: Task) -> dict:
    model.eval()
    found, known = task.judge(model, "val")
    logits, truth = found.double(), torch.from_numpy(known)
    return {"val_loss": nn.functional.cross_entropy(logits, truth).item(),
            "val_accuracy": (logits.argmax(1) == truth).double().mean().item()}


def _save(path: Path, model: nn.Module, optimiser: torch.optim.Optimizer, best: dict, history: list[dict]) -> None:
    tensors = {f"model.{k}": v for k, v in model.state_dict().items()} | {f"best.{k}": v for k, v in best.items()}
    tensors |= {f"adam.{i}.{k}": v for i, s in optimiser.state_dict()["state"].items() for k, v in s.items()}
    write(path, save({k: v.detach().cpu().contiguous() for k, v in tensors.items()},
                     {"history": json.dumps(history)}))


def _resume(path: Path | None, model: nn.Module, optimiser: torch.optim.Optimizer) -> tuple[list[dict], dict]:
    if not path or not path.exists():
        return [], {}
    with safe_open(path, "pt") as f:
        history, tensors = json.loads(f.metadata()["history"]), {k: f.get_tensor(k) for k in f.keys()}  # noqa: SIM118
    part = {name: {k.removeprefix(f"{name}."): v for k, v in tensors.items() if k.startswith(f"{name}.")}
            for name in ("model", "best", "adam")}
    model.load_state_dict(part["model"])
    state, parameters = optimiser.state_dict(), optimiser.param_groups[0]["params"]
    for key, value in part["adam"].items():
        number, name = key.split(".")
        laid_out = torch.empty_like(parameters[int(number)]).copy_(value) if value.ndim else value
        state["state"].setdefault(int(number), {})[name] = laid_out  # as the parameter lies in memory
    optimiser.load_state_dict(state)
    return history, part["best"]
