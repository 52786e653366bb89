"""Streams of random numbers: one for each purpose, so that what is drawn for one tells nothing of another.

A stream has a key: the name of its purpose, and what tells one use from the next, a seed and an epoch, say. Where keys
differ, streams do. With numbers alone they would not: the tenth epoch of a seed and a purpose of number 10 would be one
stream, and so would (7,) and (7, 0), since NumPy fills a seed up with zeros.

A test sees to it that nothing else in the library seeds anything, and that no two places share a name.

Chapter: ACP-Net.
"""

import hashlib
from operator import index

import numpy as np


def sequence(purpose: str, *key: int | str) -> np.random.SeedSequence:
    """The seed of a stream: SHA-256 of its key.

    Parameters
    ----------
    purpose : its name, which no other place in the library uses
    key : whole numbers and words, as many as it takes

    Raises
    ------
    TypeError
        For a number that is not whole.
    """
    whole = (purpose, *(k if isinstance(k, str) else int(index(k)) for k in key))
    return np.random.SeedSequence(int.from_bytes(hashlib.sha256(repr(whole).encode()).digest(), "big"))


def generator(purpose: str, *key: int | str) -> np.random.Generator:
    """A generator at the beginning of a stream; see `sequence`."""
    return np.random.default_rng(sequence(purpose, *key))


def number(purpose: str, *key: int | str) -> int:
    """A seed of 32 bits, for what takes nothing else: PyTorch, which drops the others, and scikit-learn."""
    return int(sequence(purpose, *key).generate_state(1)[0])
