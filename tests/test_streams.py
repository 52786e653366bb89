"""Streams of random numbers: no two purposes share one, and nothing else in the library seeds anything."""

import ast
from collections import Counter
from functools import cache
from pathlib import Path

import jupytext
import numpy as np
import pytest
import torch
from test_corpus import saved, small
from test_runs import planned
from test_training import Tiny, fit

from acp_lib import streams
from acp_lib.experiment import baselines, pairs
from acp_lib.experiment.tasks import Correspondence
from acp_lib.profiles.groups import Pairing

ROOT = Path(__file__).parents[1]
OWN = ROOT / "acp_lib/streams.py"


def first(*key) -> bytes:
    return streams.sequence(*key).generate_state(4).tobytes()


# the key


KEYS = [(), (0,), (7,), (7, 0), (7, 0, 0), (7, 1), (71,), (7, "1"), ("7",), (7, 10), (7, 10, 0), (10, 7), (7, 20),
        (7, 30), (7, "val"), (7, "test"), (2**40,), (-1,)]


def test_streams_of_different_keys_differ():
    found = [first(purpose, *key) for purpose in ("a", "b", "7", "a, 7") for key in KEYS]
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(("one", "other"), [((7,), (np.int64(7),)), ((7, 1), (np.uint8(7), np.int32(1)))])
def test_a_number_is_the_same_of_any_kind(one, other):
    assert first("a", *one) == first("a", *other)


@pytest.mark.parametrize("value", [0.5, 7.0, None, [7]])
def test_a_key_of_anything_else_is_refused(value):
    with pytest.raises(TypeError):
        streams.generator("a", value)


def test_golden_numbers():
    assert streams.number("a", 0) == 2196953696
    assert streams.generator("a", 0).integers(1000, size=3).tolist() == [271, 965, 878]


# one purpose, one place


def code() -> dict[str, ast.Module]:
    """The code of the library and of its chapters; what solves an exercise is a reader's own."""
    found = {str(p.relative_to(ROOT)): p.read_text("utf8") for p in (ROOT / "acp_lib").rglob("*.py") if p != OWN}
    for p in (ROOT / "notebooks").glob("*.md"):
        taught = jupytext.reads(p.read_text("utf8").partition("\n## Exercises\n")[0], fmt="md:myst")
        found[p.name] = "\n".join(c.source for c in taught.cells if c.cell_type == "code")
    return {name: ast.parse(text) for name, text in found.items()}


@cache
def calls() -> list[tuple[str, ast.Call]]:
    return [(name, node) for name, tree in code().items() for node in ast.walk(tree) if isinstance(node, ast.Call)]


def is_stream(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in (
        "streams.generator", "streams.number", "streams.sequence")


def purposes() -> list[str]:
    return [ast.literal_eval(node.args[0]) for _, node in calls() if is_stream(node)]  # no name is made up as it runs


@pytest.mark.slow
def test_no_two_places_share_a_purpose():
    found = purposes()
    assert len(found) > 30 and {p: n for p, n in Counter(found).items() if n > 1} == {}


@pytest.mark.slow
def test_no_two_purposes_share_a_stream():
    found = [first(purpose, *key) for purpose in purposes() for key in KEYS]
    assert len(set(found)) == len(found)


SEEDING = {"default_rng", "SeedSequence", "RandomState", "PCG64", "Philox", "MT19937", "SFC64"}
SEEDED = {"manual_seed", "manual_seed_all", "seed"}


def seeds_by_hand(node: ast.Call) -> bool:
    """Whether a call makes a generator, or seeds one, with anything but a stream."""
    name = ast.unparse(node.func).split(".")[-1]
    given = [k.value for k in node.keywords if k.arg == "random_state"]
    given += node.args if name in SEEDED else []
    return name in SEEDING or not all(map(is_stream, given))


@pytest.mark.parametrize(("text", "expected"), [
    ("np.random.default_rng()", True), ("default_rng([seed, 10])", True), ("np.random.SeedSequence(3)", True),
    ("torch.manual_seed(seed)", True), ("torch.Generator().manual_seed(3)", True), ("random.seed(1)", True),
    ("KMeans(3, random_state=seed)", True), ("PCA(2, random_state=0)", True), ("x.sample(3, random_state=1)", True),
    ("np.random.RandomState(3)", True), ("np.random.PCG64(3)", True),
    ("torch.manual_seed(streams.number('a', seed))", False), ("PCA(2, random_state=streams.number('a'))", False),
    ("f(seed=3)", False), ("draw(rng)", False),
])
def test_what_counts_as_seeding_by_hand(text, expected):
    assert seeds_by_hand(ast.parse(text).body[0].value) is expected


@pytest.mark.slow
def test_nothing_else_seeds_by_hand():
    assert [f"{name}, line {node.lineno}: {ast.unparse(node)}" for name, node in calls() if seeds_by_hand(node)] == []


# what training draws


def state(rng: np.random.Generator) -> int:
    return rng.bit_generator.state["state"]["state"]


def test_no_epoch_draws_from_the_stream_of_frozen_pairs_or_of_guessers(monkeypatch):
    used, plain = [], pairs.draw
    monkeypatch.setattr(pairs, "draw", lambda *given: used.append(state(given[-1])) or plain(*given))
    corpus = small()
    task = Correspondence(corpus, Pairing(pairs_per_epoch=8, test_pairs=8), 0)
    for epoch in range(1, 41):
        task.epoch([0, epoch], 8)
    asked = [task.pairs(part) for part in ("val", "test")]
    baselines.picture_only(corpus, asked[1], "class_balanced", 0)
    assert len(used) == 43 == len(set(used))


def test_no_batch_draws_from_the_stream_of_its_epochs_pairs(monkeypatch):
    used, plain = [], pairs.draw
    monkeypatch.setattr(pairs, "draw", lambda *given: used.append(state(given[-1])) or plain(*given))
    corpus = small()
    monkeypatch.setattr(type(corpus.image), "take", lambda side, rows, rng: used.append(state(rng)) or side.x[rows])
    for epoch in (1, 2):
        batches = Correspondence(corpus, Pairing(pairs_per_epoch=64), 0).epoch([0, epoch], 16)
        for k in range(len(batches)):
            batches[k]
    assert len(used) == 2 + 2 * 2 * 4 and len(set(used)) == 2 + 2 * 4  # both halves of a batch draw from one


def test_no_epochs_dropout_has_the_seed_of_initial_weights(monkeypatch, tmp_path):
    made, model, used = saved(small(), tmp_path), Tiny(), []
    monkeypatch.setattr(torch, "manual_seed", used.append)
    for draw in range(4):
        planned(None, made, 5, init_draw=draw).untrained()
    fit(model, small(), 5, epochs=4, patience=4, pairs_per_epoch=64)
    assert len(used) == 8 == len(set(used))
