"""One training loop for all networks: early stopping on validation accuracy, the best weights kept, resumable.

Everything random in an epoch, its pairs and its dropout, comes from (seed, epoch), so a run that is killed and resumed
ends bit for bit where an unbroken one does.

Paper: Section 4, Database, experimental setup.
Chapter: ACP-Net.
"""

import json
import math
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import nn

from acp_lib import evaluation
from acp_lib.cache import write
from acp_lib.corpus import Corpus
from acp_lib.profiles import Profile

UPDATES = 100  # in an epoch, at least: small corpora would otherwise be stopped before they leave the first plateau
EVALUATION_PAIRS = 4000  # for validation
SECONDS = 60  # between two checkpoints, at least


def device(name: str) -> str:
    """The device of a profile: `auto` takes a GPU where there is one.

    Raises
    ------
    ValueError
        If `cuda` is asked for and there is none.
    """
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return "cpu"
    if not torch.cuda.is_available():
        raise ValueError("device is 'cuda', but no GPU was found; expected auto or cpu")
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # repeatable matrix products
    return "cuda"


def pairs_per_epoch(corpus: Corpus, profile: Profile) -> int:
    """Training pairs of an epoch: `pairs_per_epoch`; if that is 0, one a training picture, UPDATES batches at least."""
    return profile.pairs_per_epoch or max(len(corpus.image.rows("train")), UPDATES * profile.batch)


def fit(model: nn.Module, corpus: Corpus, profile: Profile, seed: int, *, checkpoint: Path | None = None,
        on_epoch: Callable[[list[dict]], None] = lambda history: None) -> list[dict]:
    """Train a network in place and leave it with the weights of its best epoch; return one record an epoch.

    Parameters
    ----------
    model : called as model(image, music), gives logits (B, 2)
    seed : of pairs and dropout
    checkpoint : file to resume from, written now and then, removed at the end
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
    where = device(profile.device)
    model.to(where)
    optimiser = torch.optim.Adam(model.parameters(), lr=profile.learning_rate, fused=True)
    validation = corpus.draw("val", profile.pairs, EVALUATION_PAIRS, [profile.seed, 10])
    history, best = _resume(checkpoint, model, optimiser)
    saved = time.monotonic()
    while not finished(history, profile):
        epoch = len(history) + 1
        record = {"epoch": epoch, **_epoch(model, optimiser, corpus, profile, [seed, epoch], where),
                  **_validate(model, corpus, validation)}
        if not math.isfinite(record["loss"] + record["val_loss"]):
            raise FloatingPointError(f"the loss is {record['loss']} in training and {record['val_loss']} in validation "
                                     f"in epoch {epoch}; lower learning_rate (now {profile.learning_rate}), or look "
                                     "for extreme values in the features")
        history.append(record)
        if best_epoch(history) == epoch:
            best = {k: v.detach().cpu().clone() for k, v in model.state_dict().items()}
        if checkpoint and time.monotonic() - saved > SECONDS:
            _save(checkpoint, model, optimiser, best, history)
            saved = time.monotonic()
        on_epoch(history)
    model.load_state_dict(best)
    model.eval()
    if checkpoint:
        checkpoint.unlink(missing_ok=True)
    return history


def best_epoch(history: list[dict]) -> int:
    """Number of the first epoch with the highest validation accuracy."""
    return 1 + int(np.argmax([h["val_accuracy"] for h in history]))


def finished(history: list[dict], profile: Profile) -> bool:
    """Whether the last epoch is reached, or the best one lies `patience` epochs back."""
    return bool(history) and (len(history) >= profile.epochs
                              or len(history) - best_epoch(history) >= profile.patience)


def _epoch(model, optimiser, corpus: Corpus, profile: Profile, seed: list[int], where: str) -> dict:
    model.train()
    torch.manual_seed(int(np.random.SeedSequence(seed).generate_state(1)[0]))
    pairs = corpus.draw("train", profile.pairs, pairs_per_epoch(corpus, profile), seed)
    images, music, truth = (torch.from_numpy(a).split(profile.batch) for a in (pairs.image, pairs.music, pairs.truth))
    loss_sum, right = torch.zeros((), device=where), torch.zeros((), device=where)
    for i, j, t in zip(images, music, truth, strict=True):
        t = t.to(where)
        logits = model(corpus.image.x[i].to(where), corpus.music.x[j].to(where))
        loss = nn.functional.cross_entropy(logits, t)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        loss_sum += loss.detach() * len(t)
        right += (logits.argmax(1) == t).sum()
    return {"loss": loss_sum.item() / len(pairs), "accuracy": right.item() / len(pairs)}


def _validate(model, corpus: Corpus, pairs) -> dict:
    logits = evaluation.logits(model, corpus, pairs).double()
    truth = torch.from_numpy(pairs.truth)
    return {"val_loss": nn.functional.cross_entropy(logits, truth).item(),
            "val_accuracy": (logits.argmax(1) == truth).double().mean().item()}


def _save(path: Path, model, optimiser, best: dict, history: list[dict]) -> None:
    tensors = {f"model.{k}": v for k, v in model.state_dict().items()} | {f"best.{k}": v for k, v in best.items()}
    tensors |= {f"adam.{i}.{k}": v for i, s in optimiser.state_dict()["state"].items() for k, v in s.items()}
    write(path, save({k: v.detach().cpu().contiguous() for k, v in tensors.items()},
                     {"history": json.dumps(history)}))


def _resume(path: Path | None, model, optimiser) -> tuple[list[dict], dict]:
    if not path or not path.exists():
        return [], {}
    with safe_open(path, "pt") as f:
        history, tensors = json.loads(f.metadata()["history"]), {k: f.get_tensor(k) for k in f.keys()}  # noqa: SIM118
    part = {name: {k.removeprefix(f"{name}."): v for k, v in tensors.items() if k.startswith(f"{name}.")}
            for name in ("model", "best", "adam")}
    model.load_state_dict(part["model"])
    state = optimiser.state_dict()
    for key, value in part["adam"].items():
        number, name = key.split(".")
        state["state"].setdefault(int(number), {})[name] = value
    optimiser.load_state_dict(state)
    return history, part["best"]
