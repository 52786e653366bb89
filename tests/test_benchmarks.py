"""The benchmarks' own arithmetic, and what they keep."""

import json

import numpy as np
import pandas as pd
import pytest

from acp_lib.features import music
from benchmarks import __main__ as bench
from benchmarks import compare, equality, growth, steps
from benchmarks import tags as tag_tables


@pytest.fixture
def clock(monkeypatch):
    """Functions that take as long as they say."""
    monkeypatch.setattr(compare, "seconds", lambda function: function())


def test_a_ratio_is_the_median_of_the_rounds(clock, capsys):
    plain, fast = iter([6.0, 2.0, 8.0]), iter([1.0, 1.0, 2.0, 2.0, 1.0, 3.0])
    row = compare.compare("step", lambda: next(plain), lambda: next(fast), 3, 3)
    assert (row["lowest"], row["ratio"], row["highest"]) == (1, 4, 6)
    assert (row["plain_ms"], row["fast_ms"]) == (6000, 2000)
    assert "4.00 times (1.00 to 6.00), wanted 3: met" in capsys.readouterr().out


def test_a_ratio_below_the_aim_is_said_so(clock, capsys):
    compare.compare("step", lambda: 1.0, lambda: 1.0, 2, 1.5)
    assert "1.00 times (1.00 to 1.00), wanted 1.5: NOT MET" in capsys.readouterr().out


def test_parts_are_kept_beside_those_that_are_there(tmp_path):
    target = tmp_path / "results" / "machine.json"
    bench.keep(target, {"music": [{"name": "a"}], "growth": [{"name": "b"}]}, {"date": "2026-01-01"})
    bench.keep(target, {"growth": [{"name": "c"}]}, {"date": "2026-02-02"})
    kept = json.loads(target.read_text())
    assert kept == {"music": {"date": "2026-01-01", "rows": [{"name": "a"}]},
                    "growth": {"date": "2026-02-02", "rows": [{"name": "c"}]}}


@pytest.mark.parametrize("argument", ["musik", "musik growth"])
def test_an_unknown_part_is_named(argument, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["benchmarks", *argument.split()])
    with pytest.raises(SystemExit):
        bench.main()
    assert "part 'musik'; expected some of music, pictures, networks, growth, tags" in capsys.readouterr().err


def test_deviations_are_in_units_of_what_is_allowed():
    plain = np.ones(193, np.float32)
    fast = plain.copy()
    fast[music.BLOCKS["chroma"].start] += 2 * 1.1e-4
    found = equality.errors(fast, plain)
    assert found.pop("chroma") == pytest.approx(2, rel=1e-2) and set(found.values()) == {0}


@pytest.mark.slow
def test_growth_measures_a_run(tmp_path):
    growth.corpus(tmp_path)
    made = growth.measured(tmp_path, "music", 2, 1)
    assert made["cpu_s"] > 0.05 and made["wall_s"] > 0.05 and made["peak_mib"] > 50
    repeated = growth.rows("music", 6)
    assert repeated["id"].is_unique and repeated["path"].value_counts().to_dict() == {
        "0.ogg": 2, "1.ogg": 2, "2.ogg": 1, "3.ogg": 1}
    assert isinstance(repeated, pd.DataFrame)


def test_a_tag_table_of_any_size_is_screened_and_scored(tmp_path):
    path = tag_tables.table(tmp_path / "lastfm_tags.db", tags=2000, tracks=300, rows=9000)
    done = tag_tables.measured(path)
    assert done["different tags"] == 2000 and done["track-tag rows"] == 9000
    assert 2000 * 0.005 < done["hold a string"] < 2000 * 0.02 and 0 < done["clean"] <= done["hold a string"]
    assert done["songs scored"] > 10 and done["wall_s"] > 0 and done["peak_mib"] > 50


def test_real_recordings_have_plain_librosas_numbers(real):
    """Four of the clips; `python -m benchmarks.equality` takes all."""
    paths = sorted((real / "real" / "music").rglob("*.ogg"))[::100]
    assert len(paths) == 4
    worst = pd.DataFrame([equality.compared(path) for path in paths]).max()
    assert worst.max() < 1, worst.to_dict()


def test_a_comparison_goes_on_where_it_was_stopped(tmp_path, monkeypatch, capsys):
    for name in ("a.wav", "b.wav", "c.wav", "notes.txt"):
        (tmp_path / name).touch()
    seen = []

    def compared(path):
        seen.append(path.name)
        if path.name == "c.wav" and len(seen) == 3:
            raise KeyboardInterrupt
        return dict.fromkeys(equality.music.BLOCKS, 0.25)

    monkeypatch.setattr(equality, "compared", compared)
    keep = tmp_path / "done.csv"
    arguments = [str(tmp_path), "--jobs", "1", "--keep", str(keep)]
    with pytest.raises(KeyboardInterrupt):
        equality.main(arguments)
    assert equality.main(arguments) == 0
    assert seen == ["a.wav", "b.wav", "c.wav", "c.wav"]
    assert "3 recordings" in capsys.readouterr().out
    keep.write_text(keep.read_text().replace("recording, by ", "recording, by another "))
    with pytest.raises(SystemExit):
        equality.main(arguments)
    assert "which other code has made" in capsys.readouterr().err


def test_steps_are_measured_in_turn_against_another_commit(monkeypatch, capsys):
    monkeypatch.setattr(steps, "laid_out", lambda commit, root: root)
    asked = []
    for name in steps.STEPS:
        monkeypatch.setitem(steps.STEPS, name, lambda root, name=name: asked.append((name, root.name)))
    seconds = iter(range(1, 100))
    monkeypatch.setattr(steps, "spent", lambda root, command: {"wall_s": next(seconds), "cpu_s": 1.0})
    rows = steps.run("abc", rounds=3)
    assert asked == 3 * [(name, side) for name in steps.STEPS for side in ("before", "after")]
    assert [row["name"] for row in rows] == list(steps.STEPS) and {row["against"] for row in rows} == {"abc"}
    assert (rows[0]["before"]["wall_s"], rows[0]["after"]["wall_s"]) == (9, 10)  # medians of 1, 9, 17 and 2, 10, 18
    assert f"{10 / 9:6.2f} times the wall time of abc, 1.00 times the processor time" in capsys.readouterr().out


def test_a_step_counts_the_processor_time_of_all_its_processes(tmp_path):
    busy = "import time\nwhile time.process_time() < 0.3: pass"
    both = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {busy!r}])\n{busy}"
    found = steps.spent(tmp_path, ("-c", both))
    assert 0.6 <= found["cpu_s"] < 5 and found["wall_s"] > 0.5
    with pytest.raises(RuntimeError, match="ended with 3: no luck"):
        steps.spent(tmp_path, ("-c", "print('no luck'); raise SystemExit(3)"))


def test_a_commit_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match="commit 'nowhere':.*; expected one of this project's"):
        steps.laid_out("nowhere", tmp_path)


@pytest.mark.parametrize("change", [steps.prose, steps.figure])
def test_what_steps_change_is_there_and_changes(change, tmp_path):
    for path in (steps.CHAPTER, steps.FIGURES):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes((steps.ROOT / path).read_bytes())
    change(tmp_path)
    assert [path for path in (steps.CHAPTER, steps.FIGURES)
            if (tmp_path / path).read_bytes() != (steps.ROOT / path).read_bytes()] == [
                steps.CHAPTER if change is steps.prose else steps.FIGURES]
