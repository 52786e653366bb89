"""Training and evaluation of ACP-Net against a Dataset, a DataLoader and a forward pass for each pair."""

from benchmarks.compare import compare  # isort: skip - sets the threads before numpy loads

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from acp_lib import profiles, streams
from acp_lib.experiment import evaluation, training
from acp_lib.experiment.corpus import Corpus, Modality, Pairs
from acp_lib.experiment.tasks import Correspondence
from acp_lib.models import ACPNet
from acp_lib.profiles.ledger import default


class PairData(Dataset):
    """The plain way: one pair an item."""

    def __init__(self, corpus: Corpus, pairs: Pairs):
        self.corpus, self.pairs = corpus, pairs

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, k: int):
        return (self.corpus.image.x[self.pairs.image[k]], self.corpus.music.x[self.pairs.music[k]],
                int(self.pairs.truth[k]))


def corpus(images: int, music: int, seed: int) -> Corpus:
    """Random features, all of them for training."""
    rng = np.random.default_rng(seed)
    return Corpus(*(Modality(torch.from_numpy(rng.standard_normal((n, width)).astype(np.float32)),
                             rng.integers(0, 3, n), np.zeros(n, int)) for n, width in ((images, 2048), (music, 193))))


def train_plainly(data: Corpus, profile: profiles.Profile, seed: list[int]) -> float:
    """One epoch of the loop that a tutorial would show; its mean loss."""
    model, total = network(), 0.0
    optimiser = torch.optim.Adam(model.parameters(), lr=profile.learning_rate)
    rng = streams.generator("pairs of an epoch", *seed, profile.pair_draw)
    pairs = data.draw("train", profile.pairs, profile.pairs_per_epoch, rng)
    for image, music, truth in DataLoader(PairData(data, pairs), batch_size=profile.batch):
        loss = nn.functional.cross_entropy(model(image, music), truth)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        total += loss.item() * len(truth)
    return total / len(pairs)


def train_ours(data: Corpus, profile: profiles.Profile, seed: list[int]) -> float:
    """The same epoch as `training.fit` does it."""
    model = network()
    optimiser = torch.optim.Adam(model.parameters(), lr=profile.learning_rate, fused=True)
    epoch = Correspondence(data, profile.pairing, profile.seed).epoch(seed, profile.batch)
    return training._epoch(model, optimiser, training._batches(epoch, 1, "cpu"), seed, "cpu")["loss"]


def network() -> ACPNet:
    """The same initial weights each time; without dropout, so that both ways give the same losses."""
    torch.manual_seed(0)
    return ACPNet(dropout=0.0)


def run(quick: bool) -> list[dict]:
    """One row a comparison."""
    torch.set_num_threads(1)
    data, batch = corpus(1000, 300, 1), default("batch")
    steps = 5 if quick else 20
    profile, seed = profiles.load("mini", batch=batch, pairs_per_epoch=steps * batch), [0, 1]
    plain, ours = train_plainly(data, profile, seed), train_ours(data, profile, seed)
    print(f"mean loss of {steps} steps: {plain:.7f} plainly, {ours:.7f} here")
    rows = [compare(f"{steps} training steps, batch {batch}", lambda: train_plainly(data, profile, seed),
                    lambda: train_ours(data, profile, seed), 3 if quick else 7, 1.2)]

    rng = np.random.default_rng(2)
    many = 4_000 if quick else 40_000
    pairs = Pairs(rng.integers(0, 1000, many), rng.integers(0, 300, many), rng.integers(0, 2, many))
    model = ACPNet().eval()

    def each():
        with torch.inference_mode():
            return torch.cat([model(data.image.x[pairs.image[k:k + 512]], data.music.x[pairs.music[k:k + 512]])
                              for k in range(0, many, 512)])

    same = (each().argmax(1) == evaluation.logits(model, data, pairs).argmax(1)).float().mean()
    print(f"equal predictions: {100 * same:.3f} % of {many:,}")
    return [*rows, compare(f"evaluation of {many:,} pairs", each, lambda: evaluation.logits(model, data, pairs),
                           2 if quick else 3, 5)]
