"""Exact and near copies: the hash, the index against plain comparison, groups, the table."""

import io
from itertools import combinations

import numpy as np
import pytest
from conftest import picture
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from acp_lib.database import copies


def word(bits) -> str:
    return f"{sum(1 << int(b) for b in bits):032x}"


HASHES = st.builds(word, st.sets(st.integers(0, 127), max_size=6))  # few bits set: often near


def plain(texts, distance):
    """Groups by comparing all with all."""
    label = list(range(len(texts)))
    for i, a in enumerate(texts):
        for j, b in enumerate(texts):
            if a and b and (int(a, 16) ^ int(b, 16)).bit_count() <= distance:
                old, new = label[j], label[i]
                label = [new if x == old else x for x in label]
    return [label.index(x) for x in label]  # by the first of each


@pytest.mark.slow
@given(st.lists(HASHES | st.just(""), max_size=25), st.integers(0, 8))
def test_groups_are_those_of_comparing_all_with_all(texts, distance):
    found = copies.groups(texts, distance)
    first = [found.tolist().index(g) for g in found]
    assert first == plain(texts, distance)
    assert list(dict.fromkeys(found.tolist())) == list(range(len(set(found.tolist()))))


@pytest.mark.slow
@pytest.mark.parametrize("distance", [0, 1, 4, 10])
def test_every_planted_copy_is_found_and_no_other(distance):
    rng = np.random.default_rng(distance)
    originals = [word(rng.choice(128, 64, replace=False)) for _ in range(3000)]  # some 64 bits apart
    near, far = [], []
    for text in originals[:300]:
        for group, bits in ((near, distance), (far, distance + 1)):
            turned = sum(1 << int(b) for b in rng.choice(128, bits, replace=False))
            group.append(f"{int(text, 16) ^ turned:032x}")
    groups = copies.groups([*originals, *near], distance)
    assert len(set(groups.tolist())) == 3000 and (groups[3000:] == groups[:300]).all()
    assert len(set(copies.groups([*originals, *far], distance).tolist())) == 3300


@pytest.mark.slow
@pytest.mark.parametrize(("n", "agreeing"), [(300, 1), (4000, 2), (4000, 3)])
def test_the_index_finds_what_comparing_all_with_all_does(n, agreeing, monkeypatch):
    """However many bands must agree; 4,000 hashes ask for two, and for three where that is not enough."""
    rng = np.random.default_rng(n + agreeing)
    words = rng.integers(0, 2**64, (n, 2), np.uint64)
    words[n // 2:] = words[:n - n // 2]
    for _ in range(12):  # bits turned, the same one twice now and then: 1 to 12 in all
        row, bit = np.arange(n // 2, n), rng.integers(0, 64, n - n // 2).astype(np.uint64)
        words[row, rng.integers(0, 2, len(row))] ^= np.uint64(1) << bit
    words = np.unique(words, axis=0)
    if agreeing == 3:
        monkeypatch.setattr(np, "log2", lambda x: 28.0)  # as of 300 million hashes
    drawn = []
    monkeypatch.setattr(copies, "combinations", lambda bands, k: drawn.append(k) or combinations(bands, k))
    found = copies.pairs(words, copies.DISTANCE)
    near = [np.flatnonzero(copies.distances(words[i], words[i + 1:]) <= copies.DISTANCE) for i in range(len(words))]
    assert found.tolist() == [[i, i + 1 + j] for i, others in enumerate(near) for j in others.tolist()]
    assert len(found) > n // 10 and drawn == [agreeing]


def test_no_hash():
    assert copies.groups([]).tolist() == [] and copies.groups(["", ""]).tolist() == [0, 1]


def test_links_make_one_group():
    chain = [word(range(n)) for n in (0, 8, 16, 24, 60)]
    assert copies.groups(chain, 8).tolist() == [0, 0, 0, 0, 1]
    found = copies.listed(list("abcde"), list("ABCDE"), chain, 8)
    assert found.values.tolist() == [["b", "a", "near", 8], ["c", "a", "near", 16], ["d", "a", "near", 24]]


def changed(path, change):
    with Image.open(path) as image:
        made = change(image.convert("RGB"))
    data = io.BytesIO()
    made.save(data, "JPEG", quality=50)
    return data.getvalue()


CHANGES = {"compressed": lambda p: p, "half": lambda p: p.resize((p.width // 2, p.height // 2)),
           "grey": lambda p: p.convert("L"), "squashed": lambda p: p.resize((120, 120))}


@pytest.fixture
def root(tmp_path):
    for i in range(20):
        picture(tmp_path / "images" / ("awe", "fear")[i % 2] / f"p{i:02}.png", i, (320, 240))
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("kind", CHANGES)
def test_a_picture_that_was_made_smaller_or_grey_is_a_near_copy(root, kind):
    (root / "images/fear/q.jpg").write_bytes(changed(root / "images/awe/p00.png", CHANGES[kind]))
    found = copies.table(root)
    assert found[["path", "copy_of", "kind"]].values.tolist() == [["images/fear/q.jpg", "images/awe/p00.png", "near"]]
    assert 0 <= found["distance"][0] <= copies.DISTANCE


@pytest.mark.slow
def test_other_pictures_are_no_copies(root):
    assert len(copies.table(root)) == 0 and list(copies.table(root)) == ["path", "copy_of", "kind", "distance"]
    (root / "images/fear/q.jpg").write_bytes(changed(root / "images/awe/p00.png", lambda p: p.rotate(90, expand=True)))
    assert len(copies.table(root)) == 0


@pytest.mark.slow
def test_exact_copies_and_files_that_do_not_decode(root):
    for name in ("a", "b"):
        (root / f"images/fear/broken-{name}.jpg").write_bytes(b"no picture")
    (root / "images/fear/x.png").write_bytes((root / "images/awe/p00.png").read_bytes())
    (root / "images/fear/.hidden.png").write_bytes((root / "images/awe/p00.png").read_bytes())
    assert copies.table(root, jobs=2).values.tolist() == [
        ["images/fear/broken-b.jpg", "images/fear/broken-a.jpg", "exact", 0],
        ["images/fear/x.png", "images/awe/p00.png", "exact", 0]]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_any_mode_has_a_hash(mode):
    assert len(copies.fingerprint(Image.new(mode, (40, 30)))) == 32


def test_real_photographs(real):
    """No two of the photographs are near; each is a near copy of itself made smaller."""
    paths = sorted((real / "real/images").rglob("*.jpg"))
    texts = [text for _, text in copies.described(paths, jobs=2)]
    assert len(set(copies.groups(texts).tolist())) == len(paths) == 448
    small = []
    for path in paths[::8]:
        with Image.open(io.BytesIO(changed(path, lambda p: p.resize((p.width // 2, p.height // 2))))) as image:
            small.append(copies.fingerprint(image))
    assert copies.groups([*texts, *small])[448:].tolist() == list(range(0, 448, 8))
