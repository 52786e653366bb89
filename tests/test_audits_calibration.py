"""Worlds in which the truth is known: what intervals hold and how often tests err, here in small and as recorded."""

import json

import numpy as np
import pytest
from scipy import stats
from test_audits_uncertainty import within

from acp_lib.audits import calibration
from acp_lib.audits.calibration import LEVEL, WORLDS, World
from benchmarks import calibration as command

RECORDED = calibration.recorded(command.KEPT)
ERRORS = ("accuracy", "difference", "one of three", "equivalence")


@pytest.mark.parametrize("world", [
    World(2000, 2000, 60_000, (0.5, 0.7)), World(2000, 2000, 60_000, (0.3, 0.4), 4, 0.0, (0.3, 0.3)),
    World(2000, 2000, 60_000, (0.3, 0.4), 4, 0.0, (0.3, 0.3), uneven=True),
], ids=World.name)
def test_simulated_accuracy_is_the_one_asked_for(world):
    rng = np.random.default_rng(2)
    i, j = world.drawn(rng)
    right = world.answers(rng, i, j)
    assert right.shape == (world.runs, 60_000) and right.mean() == pytest.approx(LEVEL, abs=0.03)


def test_uneven_worlds_ask_some_songs_more_often():
    rng = np.random.default_rng(0)
    even, uneven = (np.bincount(World(uneven=u).drawn(rng)[1], minlength=44) for u in (False, True))
    assert uneven.max() > 1.8 * even.max()


@pytest.mark.slow
def test_only_the_joint_interval_covers_when_runs_pictures_and_songs_differ():
    world = World(100, 40, 600, (0.3, 0.4), 3, 0.2, (0.2, 0.2))
    found = {r["interval"]: r for r in calibration.coverage(world, 120, calibration.NAIVE | calibration.JOINT)}
    joint = found.pop("runs, pictures and songs")
    assert joint["covered"] > 0.95 or within(joint["covered"], 0.95, 120)
    assert found["pairs independent"]["covered"] < 0.85 and found["pictures alone"]["covered"] < joint["covered"]


@pytest.mark.slow
def test_without_effects_the_plain_interval_covers():
    found, = calibration.coverage(World(spread=(0.0, 0.0)), 120, {"plain": calibration.NAIVE["pairs independent"]})
    assert found["covered"] > 0.95 or within(found["covered"], 0.95, 120)


@pytest.mark.slow
def test_students_interval_covers_at_its_rate_unless_some_runs_never_leave_their_plateau():
    found = calibration.of_runs(500, runs=10)
    assert found["rounds"] == 500 and within(found["covered"], 0.95, 500)
    assert calibration.of_runs(500, runs=10, stuck=0.1)["covered"] < 0.9


@pytest.mark.parametrize(("covered", "words"), [
    (0.95, "reaches its nominal coverage"), (0.92, "reaches its nominal coverage"),
    (0.98, "reaches its nominal coverage"),
    (0.90, "falls short of its nominal coverage"), (1.0, "exceeds its nominal coverage"),
])
def test_what_intervals_keep_in_words(covered, words):
    """Of 150 simulations the noise is 1.96 * sqrt(0.95 * 0.05 / 150) = 0.0349."""
    assert calibration.noise_of_a_share(0.95, 150) == pytest.approx(0.0349, abs=1e-4)
    assert calibration.kept(covered, 150) == words


# as recorded


def test_the_record_is_whole():
    assert [row["world"] for row in RECORDED["rows"]] == [world.name() for world in WORLDS]
    assert {"command", "date", "commit", "versions"} < set(RECORDED)
    assert RECORDED["command"].startswith("python -m benchmarks.calibration --rounds ")
    for row in RECORDED["rows"]:
        assert set(ERRORS) | {"rounds", "seed"} < set(row) and row["rounds"] >= 1000


@pytest.mark.parametrize("row", RECORDED["rows"], ids=lambda row: row["world"])
@pytest.mark.parametrize("what", ERRORS)
def test_recorded_errors_at_5_percent_are_6_at_most_but_for_noise(row, what):
    limit = 0.06 + 1.645 * np.sqrt(0.06 * 0.94 / row["rounds"])
    assert row[what] <= limit
    if what == "accuracy" and row["world"] != World(spread=(0.0, 0.0)).name():  # where nothing clusters it may be less
        assert row[what] >= 0.03 - 1.96 * np.sqrt(0.03 * 0.97 / row["rounds"])


@pytest.mark.slow
@pytest.mark.parametrize("k", [2, 7, 9])
def test_a_small_part_done_again_agrees_with_the_record(k):
    row = RECORDED["rows"][k]
    again = calibration.errors(WORLDS[k], 60, seed=1000 + k)
    for what in ERRORS:
        wrong = [round(found[what] * found["rounds"]) for found in (again, row)]
        table = [wrong, [again["rounds"] - wrong[0], row["rounds"] - wrong[1]]]
        assert stats.fisher_exact(table).pvalue > 1e-3, what


def test_a_record_of_other_worlds_is_refused(tmp_path):
    (tmp_path / "errors.json").write_text(json.dumps(RECORDED | {"rows": RECORDED["rows"][1:]}), "utf8")
    with pytest.raises(ValueError, match="errors.json and the worlds that are simulated differ in '144 × 44; SD 0, 0'"):
        calibration.recorded(tmp_path / "errors.json")


def test_the_command_keeps_what_it_found(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(calibration, "WORLDS", (World(20, 10, 60), World(20, 10, 60, runs=2)))
    assert command.main(["--rounds", "2", "--seed", "5", "--json", str(tmp_path / "e.json")]) == 0
    kept = json.loads((tmp_path / "e.json").read_text("utf8"))
    assert [row["seed"] for row in kept["rows"]] == [5, 6] and calibration.recorded(tmp_path / "e.json") == kept
    assert kept["command"] == "python -m benchmarks.calibration --rounds 2 --seed 5" and "numpy" in kept["versions"]
    assert capsys.readouterr().out.count("world ") == 2
    with pytest.raises(SystemExit):
        command.main(["--rounds", "0"])
