"""Protocols: how pairs of a picture and a piece of music are drawn, and what a one-sided guesser can score.

A pair is true if and only if both halves are of the same class. The paper does not say how true and false pairs are
drawn, and this decides what a model can score that uses one modality alone.

Paper: Section 3, and Section 2, Affective correspondence labeling.
Chapter: Splits and pairs.
"""

import hashlib
from typing import get_args

import numpy as np

from acp_lib.emotions import CLASSES
from acp_lib.profiles.groups import Protocol

PROTOCOLS: tuple[str, ...] = get_args(Protocol)


def joint(protocol: str, images: np.ndarray, music: np.ndarray) -> np.ndarray:
    """Probability of each (class of the picture, class of the music) under a protocol.

    Parameters
    ----------
    images, music : np.ndarray [shape=(K,)], how many samples each class has

    Returns
    -------
    np.ndarray [shape=(K, K)], sums to 1

    Raises
    ------
    ValueError
        For an unknown protocol, or counts from which it cannot draw pairs, such as all samples in one class.

    Chapter: Splits and pairs.
    """
    if protocol not in PROTOCOLS:
        raise ValueError(f"pairs is {protocol!r}; expected one of {', '.join(PROTOCOLS)}")
    p, q = np.asarray(images, float), np.asarray(music, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        table = probabilities(protocol, p / p.sum(), q / q.sum())
    if not np.isfinite(table).all() or table[np.outer(p, q) == 0].any():
        raise ValueError(f"no {protocol} pairs can be drawn of {p.astype(int).tolist()} pictures and "
                         f"{q.astype(int).tolist()} pieces of music a class; expected both in the same two classes or "
                         "more")
    return table


def probabilities(protocol: str, p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """`joint` from the share of each class among pictures (p) and music (q) [shape=(K,)]; not finite where the protocol
    cannot draw pairs.

    Chapter: Splits and pairs.
    """
    same, both = np.eye(len(p), dtype=bool), np.outer(p, q)
    if protocol == "uniform":
        return both
    if protocol == "rejection":
        return np.where(same, both / both[same].sum(), both / both[~same].sum()) / 2
    if protocol == "image_anchored":
        other = np.where(same, 0, q)
        return p[:, None] * (same + other / other.sum(1, keepdims=True)) / 2
    if protocol == "music_anchored":
        return probabilities("image_anchored", q, p).T
    held = np.outer(p > 0, q > 0)
    return np.where(same, held / held[same].sum(), held / held[~same].sum()) / 2


def oracle(table: np.ndarray, axis: int | None = None) -> float:
    """Best possible accuracy, in per cent, of a guesser who knows at most the class of one half.

    Parameters
    ----------
    table : probability of each (class of the picture, class of the music), as `joint` gives it [shape=(K, K)]
    axis : the class that is known: 0 the picture's, 1 the music's, None neither

    Chapter: Splits and pairs.
    """
    true = np.diag(table)
    if axis is None:
        return 100 * max(true.sum(), 1 - true.sum())
    known = table.sum(1 - axis)
    return 100 * np.maximum(true, known - true).sum()


def draw(protocol: str, images: np.ndarray, music: np.ndarray, n: int,
         rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw n pairs: first both classes by `joint`, then a sample of each, uniformly.

    Parameters
    ----------
    images, music : np.ndarray of int [shape=(N,)], class number of each sample

    Returns
    -------
    image index, music index, truth : np.ndarray of int [shape=(n,)]

    Raises
    ------
    ValueError
        If n < 1, a class number is not 0, 1 or 2, or the protocol cannot draw pairs of these classes.

    Chapter: Splits and pairs.
    """
    if n < 1:
        raise ValueError(f"n is {n}; expected 1 or more pairs")
    k = len(CLASSES)
    for name, numbers in (("images", images), ("music", music)):
        if len(wrong := np.setdiff1d(numbers, range(k))):
            raise ValueError(f"{name} holds the class numbers {wrong.tolist()}; expected 0 to {k - 1}")
    table = joint(protocol, np.bincount(images, minlength=k), np.bincount(music, minlength=k))
    cell = rng.choice(k * k, n, p=table.ravel())
    truth = (cell // k == cell % k).astype(np.int64)
    return members(images, cell // k, rng), members(music, cell % k, rng), truth


def members(classes: np.ndarray, wanted: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """For each wanted class the index of a random sample of this class, all equally likely.

    classes : class number of each sample [shape=(N,)]; wanted : class numbers that occur among them [shape=(n,)]

    Chapter: Splits and pairs.
    """
    order = np.argsort(classes, kind="stable")
    counts = np.bincount(classes, minlength=len(CLASSES))
    starts = np.cumsum(counts) - counts
    return order[starts[wanted] + (rng.random(len(wanted)) * counts[wanted]).astype(np.int64)]


def digest(*columns: np.ndarray) -> str:
    """16 hexadecimal digits that identify a frozen list of pairs."""
    h = hashlib.sha256()
    for column in columns:
        h.update(np.ascontiguousarray(column, "<i8").tobytes())
    return h.hexdigest()[:16]
