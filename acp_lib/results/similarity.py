"""Which samples lie in the same direction of feature space: neighbours by cosine similarity.

Chapter: Seeing.
"""

import numpy as np

from acp_lib.emotions import present


def directions(x: np.ndarray, fitted: np.ndarray) -> np.ndarray:
    """Features standardised by the mean and the deviation of some rows, each row then scaled to length 1, so that the
    product of two rows is their cosine similarity.

    Parameters
    ----------
    x : features (N, width); a constant feature only has its mean subtracted
    fitted : whether a row is used for mean and deviation (N,)

    Chapter: Seeing.
    """
    spread = x[fitted].std(0)
    z = (x - x[fitted].mean(0)) / np.where(spread > 0, spread, 1)
    return z / np.linalg.norm(z, axis=1, keepdims=True)


def typical(z: np.ndarray, members: np.ndarray) -> int:
    """The one of some rows (their numbers) that is nearest to their mean.

    z : directions (N, width)

    Chapter: Seeing.
    """
    return int(members[np.argmax(z[members] @ z[members].mean(0))])


def nearest(z: np.ndarray, query: int, others: np.ndarray, k: int) -> np.ndarray:
    """The k of some other rows (their numbers) that are most similar to a row, the nearest first.

    z : directions (N, width)

    Chapter: Seeing.
    """
    return others[np.argsort(-(z[others] @ z[query]), kind="stable")[:k]]


def typical_and_nearest(z: np.ndarray, labels: np.ndarray, files: np.ndarray, k: int = 6) -> dict[str, tuple]:
    """For each label its typical row and the k rows nearest to that, whatever their labels; row numbers.

    Parameters
    ----------
    z : directions (N, width)
    labels, files : emotion or class, and digest of the file, of each row; copies of the typical row's file are left out

    Chapter: Seeing.
    """
    found = {}
    for label in present(labels):
        query = typical(z, np.flatnonzero(labels == label))
        found[label] = query, nearest(z, query, np.flatnonzero(files != files[query]), k)
    return found


def neighbours_of_own_label(z: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Share of rows whose nearest neighbour has the same label, and the expected share for a random neighbour.

    z : directions (N, width)

    Chapter: Seeing.
    """
    similarity = z @ z.T
    np.fill_diagonal(similarity, -1)
    shares = np.unique(labels, return_counts=True)[1] / len(labels)
    return float(np.mean(labels[similarity.argmax(1)] == labels)), float((shares**2).sum())
