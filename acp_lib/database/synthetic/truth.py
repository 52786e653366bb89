"""What is known of the mini database: every item's truth, and what the best possible observer scores."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from acp_lib import streams
from acp_lib.database.synthetic.items import CENTROIDS, COPIES, NOISE, PLANTED, STANDARD_DEVIATION, Item, counts
from acp_lib.database.synthetic.tags import MISLEADING, SLIPPED, TAGS
from acp_lib.emotions import CLASSES, EMOTIONS, regroup

COLUMNS = ["id", "modality", "true_class", "true_emotion", "label_class", "label_emotion", "valence", "arousal",
           "dominance"]


def bayes_rates(n_images: int = 720, n_songs: int = 320, *, noise: float = NOISE, balanced: bool = False,
                draws: int = 20_000) -> dict[str, float]:
    """What the best possible observer scores against the labels: one who sees each item's point and knows this package.

    The pictures and songs are drawn from the points alone, so nothing that sees only them can be expected to do better.

    Parameters
    ----------
    noise : share of labels that are not the truth
    balanced : the mean over the labels of the share recognised, instead of the share of all items
    draws : points a label, of a Monte Carlo integration with a fixed seed; its error is some 0.002

    Returns
    -------
    dict of fractions: "image_8" emotions, "image_3" and "music_3" classes, "pair_class_balanced" true or false pair

    Chapter: Building the database.
    """
    rng = streams.generator("points of the best observer")
    image, music = (_likelihoods(m, noise, draws, rng) for m in ("image", "music"))
    number, songs = (np.array(list(counts(*m).values()), float) for m in (("image", n_images), ("music", n_songs)))
    grouped = np.array([[number[i] * (regroup(e) == c) for c in CLASSES] for i, e in enumerate(EMOTIONS)])
    chosen = np.stack([rng.choice(len(EMOTIONS), draws, p=column / column.sum()) for column in grouped.T])
    classes = image[chosen, np.arange(draws)] @ (grouped / grouped.sum(0))  # (3, draws, 3)
    return {
        "pair_class_balanced": _best_of_pairs(classes, music),
        "image_8": _best(image, number, balanced),
        "image_3": _best(classes, grouped.sum(0), balanced),
        "music_3": _best(music, songs, balanced),
    }


def _likelihoods(modality: str, noise: float, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Points drawn under each label and how likely each label makes them: (K labels, draws, K labels)."""
    centroids, deviation = np.array(list(CENTROIDS[modality].values())), STANDARD_DEVIATION[modality]
    k = len(centroids)
    mixture = np.where(np.eye(k, dtype=bool), 1 - noise, noise / (k - 1))
    truth = np.stack([rng.choice(k, draws, p=row) for row in mixture])
    points = centroids[truth] + deviation * rng.standard_normal((k, draws, centroids.shape[1]))
    distance = ((points[:, :, None] - centroids) ** 2).sum(-1) / deviation ** 2
    return np.exp(-distance / 2) @ mixture.T


def _best(likelihood: np.ndarray, number: np.ndarray, balanced: bool) -> float:
    """Expected share of right answers if each point gets the label that is the most probable, `number` as prior."""
    prior = np.full(len(number), 1 / len(number)) if balanced else number / number.sum()
    right = (likelihood * prior).argmax(-1) == np.arange(len(number))[:, None]
    return float(prior @ right.mean(1))


def _best_of_pairs(image: np.ndarray, music: np.ndarray) -> float:
    """The same for pairs, half of them true, all classes equally frequent in both halves."""
    image, music = (x / x.sum(-1, keepdims=True) for x in (image, music))
    k = len(image)
    right = np.zeros((k, k))
    for i, j in np.ndindex(k, k):
        # half of the pairs are true and spread over k cells, the others over k * (k - 1)
        says = (image[i] * np.roll(music[j], 1 + i * k + j, axis=0)).sum(-1) > 1 / k
        right[i, j] = np.mean(says == (i == j))
    same = np.eye(k, dtype=bool)
    return float((right[same].mean() + right[~same].mean()) / 2)


def write(root: Path, pictures: list[Item], songs: list[Item], seed: int, n: tuple[int, int]) -> None:
    """truth.csv and truth.json of a database of n[0] usable pictures and n[1] usable songs."""
    rows = [_row(item) for item in pictures + songs]
    pd.DataFrame(rows, columns=COLUMNS).to_csv(root / "truth.csv", index=False, lineterminator="\n")
    about = {
        "seed": seed, "noise": NOISE, "spread": STANDARD_DEVIATION,
        "places": CENTROIDS["image"], "music_places": CENTROIDS["music"],
        "counts": {"image": counts("image", n[0]), "music": counts("music", n[1])},
        "planted": {**{m: Counter(fates) for m, fates in PLANTED.items()}, "copies": COPIES},
        "bayes": bayes_rates(*n), "bayes_balanced": bayes_rates(*n, balanced=True),
        "clean_tags": TAGS, "misleading_tags": MISLEADING, "slipped_tags": [SLIPPED],
    }
    (root / "truth.json").write_text(json.dumps(about, indent=1) + "\n", "utf8")


def _row(item: Item) -> tuple[str, ...]:
    labels = (item.truth, item.label)
    picture = item.modality == "image"
    (true, label), (true_emotion, emotion) = (map(regroup, labels), labels) if picture else (labels, ("", ""))
    point = (*(f"{x:.6f}" for x in item.point), "")[:3]
    return (item.id, item.modality, true, true_emotion, label, emotion, *point)
