"""The check of a simulator on a corpus is kept part by part: what is made once stays, whatever stops the rest."""

from types import SimpleNamespace

import pytest

from acp_lib.engine.work import Work
from acp_lib.findings import likeness
from acp_lib.profiles import Profile

EVERY = [("_classified", 0), ("_trained", 0), ("_classified", 1)]


@pytest.fixture
def made(monkeypatch):
    """What was made, in order; `made.stop` parts are made before a stop."""
    made = SimpleNamespace(parts=[], stop=None)

    def put_in(name):
        def make(study, between, half):
            if len(made.parts) == made.stop:
                raise KeyboardInterrupt
            made.parts.append((name, half))
            return [{"row": name, "fitted": half}]

        make.__name__ = name
        monkeypatch.setattr(likeness, name, make)

    for name in {name for name, _ in EVERY}:
        put_in(name)
    return made


@pytest.fixture
def study(tmp_path):
    return SimpleNamespace(work=Work(tmp_path, 1, False), corpus_key="A", audited=SimpleNamespace(profile=Profile()))


def parts(rows):
    return [(row["row"], row["fitted"]) for row in rows]


@pytest.mark.slow
@pytest.mark.parametrize("stop", range(3))
def test_a_stop_loses_the_part_it_was_at_and_no_more(made, study, stop):
    made.stop = stop
    with pytest.raises(KeyboardInterrupt):
        likeness.rows(study, 0.5)
    assert made.parts == EVERY[:stop]
    made.stop = None
    assert parts(likeness.rows(study, 0.5)) == made.parts == EVERY


@pytest.mark.slow
@pytest.mark.parametrize(("first", "then", "again"), [
    ({"networks": False}, {}, EVERY[1:2]), ({}, {"networks": False}, []),
    ({}, {"epochs": 7}, EVERY[1:2]), ({}, {"test_pairs": 7}, EVERY[1:2]), ({}, {"corpus": "B"}, EVERY),
    ({}, {"between": 0.6}, EVERY), ({}, {}, [])])
def test_a_part_is_made_again_if_it_hangs_on_what_changed(made, study, first, then, again):
    def run(networks=True, corpus="A", between=0.5, **options):
        study.corpus_key, study.audited = corpus, SimpleNamespace(profile=Profile().changed(**options))
        assert parts(likeness.rows(study, between, networks)) == (EVERY if networks else EVERY[::2])

    run(**first)
    made.parts.clear()
    run(**then)
    assert made.parts == again
