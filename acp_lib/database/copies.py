"""Pictures that are the same as others: byte for byte, or to the eye.

A picture's hash is 128 bits, imagehash's dhash (is each spot brighter than its left neighbour?) and phash (signs of the
lowest frequencies), as 32 hexadecimal digits. The distance of two is the number of bits that differ.

Chapter: Building the database.
"""

from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path

import imagehash
import numpy as np
import pandas as pd
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from acp_lib.database.acquire import journal
from acp_lib.database.walk import walk
from acp_lib.engine.cache import file_digest
from acp_lib.engine.processes import mapped
from acp_lib.engine.progress import bar
from acp_lib.features.picture import open_upright

COLUMNS = ["path", "copy_of", "kind", "distance"]
MOST_AGREEING = 3  # bands: each more is some hundred sorts more
DISTANCE = 10  # bits; of 448 photographs the nearest two are 26 apart, a smaller or stronger compressed one 7 at most


def fingerprint(picture: Image.Image) -> str:
    """The hash of a picture, as `picture.open_upright` gives it: 32 hexadecimal digits."""
    grey = picture.convert("L")
    return f"{imagehash.dhash(grey)}{imagehash.phash(grey)}"


def _described(path: Path) -> tuple[str, str]:
    try:
        return file_digest(path), fingerprint(open_upright(path))
    except Exception:  # whatever a hostile file makes a decoder raise
        return file_digest(path), ""


def described(paths: Sequence[Path], *, jobs: int = 1, progress: bool = False) -> list[tuple[str, str]]:
    """Digest and hash of each picture file, the hash empty where it cannot be decoded."""
    work = mapped(_described, paths, jobs)
    return list(bar(work, total=len(paths), what="hashing pictures", unit="picture", shown=progress))


def _words(hashes: Iterable[str]) -> np.ndarray:
    """Hashes as uint64 [shape=(N, 2)]."""
    return np.array([(int(t[:16], 16), int(t[16:], 16)) for t in hashes], np.uint64).reshape(-1, 2)


def distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Bits that differ between hashes as uint64 [shape=(N, 2)]."""
    return np.bitwise_count(a ^ b).sum(axis=-1, dtype=int)


def pairs(words: np.ndarray, distance: int) -> np.ndarray:
    """All pairs (i, j), i < j, of different hashes that are at most `distance` bits apart [shape=(M, 2)].

    Of `distance` + k bands of bits two such hashes agree wholly in k at least, so only those that agree in some k bands
    are compared. The more hashes there are, the more bands must agree, so that few agree by chance: the time grows
    hardly faster than their number.

    Parameters
    ----------
    words : uint64 [shape=(N, 2)], no row twice
    """
    bits = np.unpackbits(np.ascontiguousarray(words.astype(">u8")).view(np.uint8), axis=1)
    agree = 1
    while agree < MOST_AGREEING and 128 * agree / (distance + agree) < np.log2(len(words) + 1):
        agree += 1
    bands = np.arange(128) % (distance + agree)  # neighbouring bits are alike, and go to different bands
    found = [np.empty((0, 2), int)]
    for some in combinations(range(distance + agree), agree):
        packed = np.packbits(bits[:, np.isin(bands, some)][:, :64], axis=1)  # of more bits the first, which agree, too
        key = np.ascontiguousarray(np.pad(packed, ((0, 0), (0, 8 - packed.shape[1])))).view(np.uint64).ravel()
        order = np.argsort(key, kind="stable")
        key = key[order]
        left, step = np.arange(len(order)), 0
        while len(left):  # each with the next that agrees, then with the one after, ...
            step += 1
            left = left[left + step < len(order)]
            left = left[key[left] == key[left + step]]
            i, j = order[left], order[left + step]
            near = distances(words[i], words[j]) <= distance
            found.append(np.column_stack([i[near], j[near]]))
    return np.unique(np.sort(np.concatenate(found), axis=1), axis=0)


def groups(hashes: Sequence[str], distance: int = DISTANCE) -> np.ndarray:
    """The group of each hash, numbered from 0 in the order in which they come [shape=(N,), int].

    Two hashes that are at most `distance` bits apart belong together, and so does what they are linked to by others; an
    empty hash (a picture that cannot be decoded) is alone.
    """
    hashes = list(hashes)
    known = sorted({t for t in hashes if t})
    linked = pairs(_words(known), distance)
    graph = coo_array((np.ones(len(linked)), (linked[:, 0], linked[:, 1])), shape=(len(known), len(known)))
    label = dict(zip(known, connected_components(graph, directed=False)[1].tolist(), strict=True)) if known else {}
    return pd.factorize(np.array([f"{label[t]}" if t else f"alone {i}" for i, t in enumerate(hashes)], object))[0]


def listed(paths: Sequence[str], shas: Sequence[str], hashes: Sequence[str], distance: int = DISTANCE) -> pd.DataFrame:
    """Every picture that is a copy of one that comes before it: path, copy_of, kind (exact, near), distance in bits.

    `copy_of` is the first of its group (`groups`). A near copy that is linked to it through others alone may be further
    from it than `distance`.
    """
    found = pd.DataFrame({"path": paths, "sha": shas, "hash": [t or "0" * 32 for t in hashes],
                          "group": groups(hashes, distance)})
    exact, near = found["sha"].duplicated(), found["group"].duplicated()
    same, like = found.groupby("sha").transform("first"), found.groupby("group").transform("first")
    found["copy_of"] = same["path"].where(exact, like["path"])
    found["kind"] = np.where(exact, "exact", "near")
    found["distance"] = np.where(exact, 0, distances(_words(found["hash"]), _words(like["hash"])))
    return found.loc[exact | near, COLUMNS].reset_index(drop=True)


def table(root: Path, distance: int = DISTANCE, *, jobs: int = 1, progress: bool = False) -> pd.DataFrame:
    """`listed` for all picture files below `<root>/images`, by path; the hashes of those that were fetched stand in the
    journal.

    Raises
    ------
    ValueError
        If there is no such folder.
    """
    if not (root / "images").is_dir():
        raise ValueError(f"{root.name!r} has no folder images; give the folder that holds images/<emotion>")
    files, noted = walk(root, "images").files, journal.read(root, "pictures")
    known = {p: (r["sha"], r["hash"]) for p, (size, _) in files.items()
             if (r := noted.get(p.removeprefix("images/"))) and r["outcome"] == journal.FETCHED and r["bytes"] == size}
    rest = [p for p in files if p not in known]
    known |= zip(rest, described([root / p for p in rest], jobs=jobs, progress=progress), strict=True)
    return listed(list(files), [known[p][0] for p in files], [known[p][1] for p in files], distance)
