"""Training several runs of one network in one process: their weights are stacked, so that one step trains all of them.

Each run keeps its own samples, initial weights, dropout and early stopping, as if trained by `training.fit`; only the
random numbers of dropout come in another order. One small network leaves a GPU mostly idle, so as many runs as fit into
its memory take little longer than one.

Paper: Section 4.
Chapter: What it costs; How sure are we.
"""

import copy
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn
from torch.func import functional_call, stack_module_state, vmap

from acp_lib import streams
from acp_lib.experiment.tasks import Correspondence, best_epoch
from acp_lib.models._branches import TwoBranches
from acp_lib.profiles.groups import Training

WARM = 3  # steps before a step is recorded as a graph of kernels
CHUNK = 2048  # pairs of each run that are fused at once

Tensors = dict[str, torch.Tensor]


class Stack:
    """Networks of one shape with stacked weights: parameters (R, ...).

    models : the networks whose weights are stacked; `unstack` copies them back
    """

    def __init__(self, models: Sequence[TwoBranches], where: str) -> None:
        weights, buffers = stack_module_state(list(models))  # type: ignore[arg-type]
        self.weights: Tensors = {k: v.detach().to(where).requires_grad_() for k, v in weights.items()}
        self.buffers: Tensors = {k: v.to(where) for k, v in buffers.items()}
        self.shape = copy.deepcopy(models[0]).to("meta")

    def __call__(self, method: str, *inputs: torch.Tensor) -> torch.Tensor:
        """The output of a method of the networks, such as `embed_image`, for each run on its own inputs (R, ...)."""
        called = _Called(self.shape, method)

        def one(weights: Tensors, buffers: Tensors, *x: torch.Tensor) -> torch.Tensor:
            named = [{f"model.{k}": v for k, v in held.items()} for held in (weights, buffers)]
            return functional_call(called, tuple(named), x)

        return vmap(one, randomness="different")(self.weights, self.buffers, *inputs)

    def train(self, training: bool) -> None:
        """Switch dropout on or off."""
        self.shape.train(training)

    def unstack(self, weights: Tensors, models: Sequence[nn.Module]) -> None:
        """Copy stacked weights back into the networks, and set these to evaluation mode."""
        for r, model in enumerate(models):
            model.load_state_dict({k: v[r].detach().cpu() for k, v in (weights | self.buffers).items()})
            model.eval()


class _Called(nn.Module):
    def __init__(self, model: nn.Module, method: str) -> None:
        super().__init__()
        self.model, self.method = model, method

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return getattr(self.model, self.method)(*inputs)


class Features:
    """The features of the runs' tasks on a device, each corpus stored once; rows are looked up by run."""

    def __init__(self, tasks: Sequence[Correspondence], where: str) -> None:
        corpora = list({id(task.corpus): task.corpus for task in tasks}.values())
        of = [[id(c) for c in corpora].index(id(task.corpus)) for task in tasks]
        self.which = torch.tensor(of, device=where)[:, None]
        self.image = torch.stack([c.image.x for c in corpora]).to(where)
        self.music = torch.stack([c.music.x for c in corpora]).to(where)

    def pairs(self, image: torch.Tensor, music: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Features (R, B, width) of rows (R, B)."""
        return self.image[self.which, image], self.music[self.which, music]


class _Step:
    """One update of all runs; on a GPU a recorded graph of kernels, which is faster than launching them one by one."""

    def __init__(self, stack: Stack, features: Features, options: Training, where: str) -> None:
        runs, self.options, self.where = len(features.which), options, where
        self.stack, self.features = stack, features
        self.optimiser = torch.optim.Adam(stack.weights.values(), lr=options.learning_rate, fused=True,
                                          capturable=where != "cpu")
        self.rows = torch.zeros(3, runs, options.batch, dtype=torch.long, device=where)
        self.sums = torch.zeros(2, runs, device=where)  # of the loss, of right answers
        self.graph = self._recorded() if where != "cpu" else None

    def __call__(self, rows: torch.Tensor) -> None:
        """rows : pictures, pieces of music and answers (3, R, B)"""
        if self.graph is None or rows.shape != self.rows.shape:
            self._update(rows)
        else:
            self.rows.copy_(rows)
            self.graph.replay()

    def _update(self, rows: torch.Tensor) -> None:
        image, music, truth = rows
        with torch.autocast(self.where.split(":")[0], torch.bfloat16, enabled=self.options.precision == "bfloat16",
                            cache_enabled=False):
            logits = self.stack("forward", *self.features.pairs(image, music)).float()
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), truth.flatten(), reduction="none")
        loss = loss.unflatten(0, truth.shape)
        self.optimiser.zero_grad(set_to_none=False)
        loss.mean(1).sum().backward()
        self.optimiser.step()
        self.sums += torch.stack([loss.detach().sum(1), (logits.argmax(2) == truth).sum(1).float()])

    def _recorded(self) -> torch.cuda.CUDAGraph:
        kept = {k: v.detach().clone() for k, v in self.stack.weights.items()}
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        self.stack.train(True)
        with torch.cuda.stream(side):
            for _ in range(WARM):
                self._update(self.rows)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._update(self.rows)
        with torch.no_grad():  # the steps that warmed it up count for nothing
            for k, v in kept.items():
                self.stack.weights[k].copy_(v)
            for state in self.optimiser.state.values():
                for v in state.values():
                    v.zero_()
        return graph


def fit(models: Sequence[TwoBranches], tasks: Sequence[Correspondence], options: Training, seeds: Sequence[int], *,
        where: str = "cpu", on_epoch: Callable[[list[list[dict]]], None] = lambda histories: None) -> list[list[dict]]:
    """Train networks of one shape side by side and leave each with the weights of its best epoch.

    Parameters
    ----------
    models, tasks, seeds : one for each run; tasks may have different pairs, and different corpora of equal size
    options : of all runs; learning-rate decay is refused, because the rates of the runs would diverge
    where : device
    on_epoch : called with the histories after each epoch

    Returns
    -------
    the history of each run, as `training.fit` returns it

    Raises
    ------
    ValueError
        For lists of different lengths, for a decay, or for tasks with different numbers of pairs per epoch.
    FloatingPointError
        If the loss of a run is no longer finite.

    Paper: Section 4.  Chapter: What it costs.
    """
    _refuse(models, tasks, options, seeds)
    stack, features = Stack(models, where), Features(tasks, where)
    step = _Step(stack, features, options, where)
    known = _rows([[pairs.image, pairs.music, pairs.truth] for pairs in (task.pairs("val") for task in tasks)], where)
    histories: list[list[dict]] = [[] for _ in tasks]
    best = {k: v.detach().clone() for k, v in stack.weights.items()}
    while not all(ended := [task.finished(h) for task, h in zip(tasks, histories, strict=True)]):
        records = _epoch(step, tasks, seeds, 1 + max(map(len, histories)))
        for r, loss in enumerate(zip(*_judged(stack, features, known), strict=True)):
            records[r] |= dict(zip(("val_loss", "val_accuracy"), loss, strict=True))
        better = []
        for r, record in enumerate(records):
            if not ended[r]:
                _refuse_infinite(record, r)
                histories[r].append(record)
            better.append(not ended[r] and best_epoch(histories[r]) == record["epoch"])
        chosen = torch.tensor(better, device=where)
        for k, v in stack.weights.items():
            best[k] = torch.where(chosen.view(-1, *[1] * (v.ndim - 1)), v.detach(), best[k])
        on_epoch(histories)
    stack.unstack(best, models)
    return histories


def _refuse(models: Sequence, tasks: Sequence[Correspondence], options: Training, seeds: Sequence[int]) -> None:
    if not len(models) == len(tasks) == len(seeds):
        raise ValueError(f"{len(models)} models, {len(tasks)} tasks and {len(seeds)} seeds; expected as many of each")
    if options.decay != "none":
        raise ValueError(f"decay is {options.decay!r}; expected 'none' for runs that are trained side by side")
    if len(sizes := {task.pairs_per_epoch(options.batch) for task in tasks}) > 1:
        raise ValueError(f"the tasks have {sorted(sizes)} pairs an epoch; expected as many of each")


def _refuse_infinite(record: dict, run: int) -> None:
    if not np.isfinite(record["loss"] + record["val_loss"]):
        raise FloatingPointError(f"the loss of run {run} is {record['loss']} in training and {record['val_loss']} in "
                                 f"validation in epoch {record['epoch']}; lower learning_rate")


def _rows(lists: Sequence[Sequence[np.ndarray]], where: str) -> torch.Tensor:
    """Pictures, pieces of music and answers of all runs: (3, R, n)."""
    return torch.from_numpy(np.array(lists)).transpose(0, 1).contiguous().to(where)


def _epoch(step: _Step, tasks: Sequence[Correspondence], seeds: Sequence[int], epoch: int) -> list[dict]:
    batch = step.options.batch
    drawn = [task.epoch([seed, epoch], batch) for task, seed in zip(tasks, seeds, strict=True)]
    rows = _rows([[*one.rows, one.target] for one in drawn], step.where)
    step.stack.train(True)
    step.sums.zero_()
    torch.manual_seed(streams.number("dropout side by side", *seeds, epoch))
    for some in rows.split(batch, 2):
        step(some)
    sums = (step.sums / rows.shape[2]).tolist()
    return [{"epoch": epoch, "loss": loss, "accuracy": right} for loss, right in zip(*sums, strict=True)]


def _judged(stack: Stack, features: Features, known: torch.Tensor) -> tuple[list[float], list[float]]:
    """Loss and accuracy of each run on its own pairs (3, R, n)."""
    logits, truth = scores(stack, features, *known[:2]).double(), known[2]
    loss = nn.functional.cross_entropy(logits.flatten(0, 1), truth.flatten(), reduction="none")
    loss = loss.unflatten(0, truth.shape)
    return loss.mean(1).tolist(), (logits.argmax(2) == truth).double().mean(1).tolist()


@torch.no_grad()
def scores(stack: Stack, features: Features, image: torch.Tensor, music: torch.Tensor) -> torch.Tensor:
    """Logits (R, n, 2) of pairs given by their rows (R, n); each sample passes through its branch once."""
    stack.train(False)
    which = features.which[:, 0]
    seen, heard = stack("embed_image", features.image[which]), stack("embed_music", features.music[which])
    runs = torch.arange(len(which), device=which.device)[:, None]
    return torch.cat([stack("fuse", seen[runs, i], heard[runs, j]).float()
                      for i, j in zip(image.split(CHUNK, 1), music.split(CHUNK, 1), strict=True)], 1)
