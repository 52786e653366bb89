"""The benchmarks' own arithmetic, and what they keep."""

import importlib.metadata
import json
import sys
import time

import numpy as np
import pandas as pd
import pytest
import torch

from acp_lib.features import music
from acp_lib.models import ACPNet, L3Net
from acp_lib.results import cost
from benchmarks import __main__ as bench
from benchmarks import alternatives, compare, equality, gpu, growth, parts, stages, steps, training
from benchmarks import tags as tag_tables


@pytest.fixture
def clock(monkeypatch):
    """Functions that take as long as they say."""
    monkeypatch.setattr(compare, "spent", lambda function: function())


def test_a_ratio_is_the_median_of_the_rounds(clock, capsys):
    plain, fast = iter([6.0, 2.0, 8.0]), iter([1.0, 1.0, 2.0, 2.0, 1.0, 3.0])
    row = compare.compare("step", lambda: next(plain), lambda: next(fast), 3, 3)
    assert (row["lowest"], row["ratio"], row["highest"]) == (1, 4, 6)
    assert (row["plain_ms"], row["fast_ms"]) == (6000, 2000)
    assert "4.00 times (1.00 to 6.00), wanted 3: met" in capsys.readouterr().out


def test_a_ratio_below_the_aim_is_said_so(clock, capsys):
    compare.compare("step", lambda: 1.0, lambda: 1.0, 2, 1.5)
    assert "1.00 times (1.00 to 1.00), wanted 1.5: NOT MET" in capsys.readouterr().out


def test_a_floor_says_whose_it_is(clock):
    assert compare.floor("decoder", lambda: 0.5, 3, "decode") == {"name": "decoder", "fast_ms": 500, "rounds": 3,
                                                                "of": "decode"}
    assert "of" not in compare.floor("decoder", lambda: 0.5, 3)


@pytest.mark.slow
def test_processor_time_does_not_pass_while_a_process_waits():
    assert compare.spent(lambda: time.sleep(0.2)) < 0.1 < compare.seconds(lambda: time.sleep(0.2))


def test_a_machine_says_its_instructions_and_how_busy_it_is():
    about = compare.machine()
    assert about["instructions"] and about["load"] >= 0 and about["cores"] >= 1


def test_parts_are_kept_beside_those_that_are_there(tmp_path):
    target = tmp_path / "results" / "machine.json"
    bench.keep(target, bench.kept(target), {"music": [{"name": "a"}], "growth": [{"name": "b"}]},
               {"date": "2026-01-01"})
    bench.keep(target, bench.kept(target), {"growth": [{"name": "c"}]}, {"date": "2026-02-02"})
    kept = json.loads(target.read_text())
    assert kept == {"music": {"date": "2026-01-01", "rows": [{"name": "a"}]},
                    "growth": {"date": "2026-02-02", "rows": [{"name": "c"}]}}


@pytest.mark.parametrize("argument", ["musik", "musik growth"])
def test_an_unknown_part_is_named(argument, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["benchmarks", *argument.split()])
    with pytest.raises(SystemExit):
        bench.main()
    assert f"part 'musik'; expected some of {', '.join(bench.PARTS)}" in capsys.readouterr().err


def test_deviations_are_in_units_of_what_is_allowed():
    plain = np.ones(193, np.float32)
    fast = plain.copy()
    fast[music.BLOCKS["chroma"].start] += 2 * 1.1e-4
    found = equality.errors(fast, plain)
    assert found.pop("chroma") == pytest.approx(2, rel=1e-2) and set(found.values()) == {0}


@pytest.mark.slow
def test_training_is_held_against_the_peak():
    epoch, *parts_of_it = training.step(4, 64, 2)
    assert epoch["parameters"] == 14_842_020 and epoch["pairs"] == training.PAIRS
    step_s = parts_of_it[0]["part_ms"] / 1e3
    assert epoch["epoch_s"] == pytest.approx(step_s * epoch["pairs"] / 4)
    assert epoch["share"] == pytest.approx(6 * 14_842_020 * 4 / step_s / (1e9 * epoch["peak_gflops"]))
    assert [row["part"] for row in parts_of_it[:4]] == ["whole", "forward", "backward", "update"]
    assert all(row["part_ms"] > 0 and row["of_step"] > 0 for row in parts_of_it)


@pytest.mark.slow
def test_the_products_of_a_step_are_those_of_its_layers():
    """Two a layer, and a third where the layer's input is another's output; as many operations as they should be."""
    model, counted = ACPNet(fc_width=0.125), []
    work = training.products(model, 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "mm", lambda a, b, out: counted.append((out.shape == (len(a), b.shape[1]), a.numel()
                                                                     * b.shape[1])))
        work()
    weights = {name: p.numel() for name, p in model.named_parameters() if p.ndim == 2}
    first = weights["image.0.weight"] + weights["music.0.weight"]
    assert all(fits for fits, _ in counted) and len(counted) == 3 * len(weights) - 2
    assert sum(n for _, n in counted) == 3 * (3 * sum(weights.values()) - first)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_small_task_is_learnt_in_either_precision(precision):
    assert training.learnt(precision, 3, n=300) > 0.7


def test_no_bfloat16_is_said_with_the_reason(monkeypatch, capsys):
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: False)
    row, = training.in_bfloat16(4, 1, 1)
    assert "has no bfloat16" in row["skipped"] and row["skipped"] in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("stage", stages.STAGES)
def test_a_stage_is_measured_at_any_size(stage, monkeypatch):
    monkeypatch.setattr(stages, "LEAST", 0.0)
    made = stages.measured(stage, 60)
    assert made["cpu_s"] >= 0 and made["peak_mib"] > 50


def test_a_long_run_is_not_repeated_and_a_short_one_counts_by_its_least(monkeypatch):
    monkeypatch.setattr(stages, "spent", lambda work: work())
    monkeypatch.setitem(stages.STAGES, "short", ("items", 1, lambda n: iter([9 * 0.5, 0.3, 0.2, 0.1]).__next__))
    monkeypatch.setitem(stages.STAGES, "long", ("items", 1, lambda n: iter([6.0]).__next__))
    assert stages.measured("short", 1)["cpu_s"] == 0.2 and stages.measured("long", 1)["cpu_s"] == 6.0


def test_how_much_dearer_an_item_becomes():
    sizes = [{"stage": "a", "unit": "items", "items": n, "cpu_s": s, "peak_mib": 1.0}
             for n, s in ((10, 1.0), (40, 8.0))]
    assert cost.stages(sizes)[0]["dearer"] == 2


@pytest.mark.slow
def test_the_parts_of_193_numbers(capsys):
    y, = alternatives.clips(11, 1)
    *made, floor = parts.rows(y, 1, "193 numbers")
    assert len(made) == 6 and {row["of"] for row in [*made, floor]} == {"193 numbers"}
    assert 0.5 < sum(row["of_step"] for row in made) < 1.5
    assert floor["fast_ms"] < 1.5 * sum(row["part_ms"] for row in made)


def test_alternatives_are_timed_on_the_same_sounds(capsys):
    sounds, asked = [np.full(22050, 0.5, np.float32), np.full(22050, 0.25, np.float32)], []

    def describe(times):
        return lambda y: asked.append(times) or np.array([times * y[0], 1.0])

    row = alternatives.against("a 1.0", describe(1.1), describe(1.0), "two numbers", sounds, 2,
                               blocks={"a": slice(0, 1), "b": slice(1, 2)})
    assert row["largest_difference"] == {"a": pytest.approx(0.1 / 1.1), "b": 0} and row["sounds"] == 2
    assert row["seconds"] == 1 and row["processes"] == 1 and asked.count(1.1) == asked.count(1.0) == 6
    assert "a 1.0" in capsys.readouterr().out


@pytest.mark.slow
def test_librosas_shared_features_are_ours():
    y, = alternatives.clips(12, 1)
    found = alternatives.largest(alternatives.ours(y)[None], alternatives.plain(y)[None],
                                 {"mfcc": slice(0, 40), "mel": slice(40, None)})
    assert max(found.values()) < 1e-5 and len(alternatives.ours(y)) == 168


@pytest.mark.parametrize(("name", "reason"), [("no_such_package", "ModuleNotFoundError"),
                                              ("broken", "RuntimeError: built for CUDA 1")])
def test_a_package_that_is_not_there_is_left_out_with_the_reason(name, reason, tmp_path, monkeypatch):
    (tmp_path / "broken.py").write_text("raise RuntimeError('built for\\n CUDA 1')")
    monkeypatch.syspath_prepend(tmp_path)
    assert reason in alternatives.loaded(name)


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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_step_counts_the_processor_time_of_all_its_processes(tmp_path):
    busy = "import time\nwhile time.process_time() < 0.3: pass"
    both = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {busy!r}])\n{busy}"
    found = steps.spent(tmp_path, ("-c", both))
    assert 0.6 <= found["cpu_s"] < 5 and found["wall_s"] > 0.5
    orphan = f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {busy!r}], stdout=subprocess.DEVNULL)"
    if sys.platform == "linux":
        assert steps.spent(tmp_path, ("-c", orphan))["cpu_s"] >= 0.3
    with pytest.raises(RuntimeError, match="ended with 3: no luck"):
        steps.spent(tmp_path, ("-c", "print('no luck'); raise SystemExit(3)"))


@pytest.mark.slow
def test_the_first_page_is_awaited_where_there_was_none(tmp_path):
    begun = "import pathlib, time\np = pathlib.Path('_build/html/index.html')\np.parent.mkdir(parents=True)\n"
    first = steps.spent(tmp_path, ("-c", f"{begun}p.write_text('')\ntime.sleep(3)"))
    assert first["page_s"] < 2.5 < 3 < first["wall_s"]
    assert "page_s" not in steps.spent(tmp_path, ("-c", "pass"))
    assert "page_s" not in steps.spent(tmp_path / "_build", ("-c", "import time\ntime.sleep(0.5)"))


def test_a_commit_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match="commit 'nowhere':.*; expected one of this project's"):
        steps.laid_out("nowhere", tmp_path)


@pytest.mark.parametrize("change", [steps.prose, steps.figure])
def test_what_steps_change_is_there_and_changes(change, tmp_path):
    for path in (steps.CHAPTER, steps.FIGURES[0]):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes((steps.ROOT / path).read_bytes())
    change(tmp_path)
    assert [path for path in (steps.CHAPTER, steps.FIGURES[0])
            if (tmp_path / path).read_bytes() != (steps.ROOT / path).read_bytes()] == [
                steps.CHAPTER if change is steps.prose else steps.FIGURES[0]]


def test_a_commit_laid_out_has_its_own_reader_of_chapters(monkeypatch, tmp_path):
    """papermill finds it by what an installation leaves; that of this environment is another commit's."""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "a-b"\n[project.entry-points."papermill.io"]\n'
                                             '"x/" = "a_b.read:Handler"\n')
    steps.introduce(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    found = [point.value for point in importlib.metadata.entry_points(group="papermill.io", name="x/")]
    assert found == ["a_b.read:Handler"]


# --- on a GPU, measured here on the processor


PEAK = {"float32": 1e12, "bfloat16": 1e12, gpu.TF32: 5e11, "bytes": 1e10}


def test_the_operations_of_a_step_are_three_products_a_layer_but_two_in_the_first():
    net = torch.nn.Sequential(torch.nn.Linear(5, 7), torch.nn.Linear(7, 3))
    assert gpu.operations(net, [torch.randn(4, 5)]) == 2 * 4 * (2 * 5 * 7 + 3 * 7 * 3)
    assert all(p.grad is None for p in net.parameters())


@pytest.mark.slow
@pytest.mark.parametrize(("make", "peak"), [(lambda: ACPNet(fc_width=0.125), "float32"),
                                            (lambda: L3Net(width=0.125, size=32, bins=16, frames=16), gpu.TF32)])
def test_an_epoch_is_held_against_the_peak_of_its_precision(monkeypatch, make, peak):
    monkeypatch.setattr(gpu, "KINDS", ("float32",))
    row, = gpu.epochs("a network", make, 4, 1, "cpu", PEAK)
    step = 4 / row["pairs_per_s"]
    assert row["gpu_epoch_s"] == pytest.approx(step * training.PAIRS / 4)
    assert row["gpu_share"] == pytest.approx(4 * row["flop"] / step / PEAK[peak])
    assert row["update_share"] == pytest.approx(28 * row["parameters"] / 1e10 / step)


@pytest.mark.slow
def test_runs_in_one_program_are_counted_together():
    row = gpu.beside(2, "float32", 8, 1, "cpu", PEAK, width=0.125)
    assert row["gpu_epoch_s"] == pytest.approx(2 * training.PAIRS / row["pairs_per_s"]) and row["runs"] == 2


@pytest.mark.slow
def test_a_step_wrapped_for_several_processes_learns_the_same():
    row, = gpu.over_nccl(8, 1, "cpu")
    assert row["largest_weight_difference"] == 0 and row["nccl_ms"] > 0


def test_precisions_are_compared_seed_by_seed(monkeypatch):
    monkeypatch.setattr(gpu, "learnt", lambda kind, epochs, seed, where: 0.9 - seed / 100 - (kind == "bfloat16") / 50)
    row, = gpu.precise(3, "cpu", 1)
    assert row["points"] == pytest.approx(-2) and row["points_interval"] == pytest.approx([-2, -2])


@pytest.mark.parametrize(("told", "error"), [("gpu", "no GPU was found"), ("gpu music", "gpu beside other parts")])
def test_a_gpu_is_measured_by_itself_and_where_there_is_one(monkeypatch, capsys, told, error):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit):
        bench.main(told.split())
    assert error in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(("held", "said"), [("[1, 2]", "it holds no parts of a benchmark"),
                                            ('{"music": ', "JSONDecodeError"),
                                            ('{"music": 1}', "it holds no parts of a benchmark")])
def test_a_file_of_something_else_is_refused_before_anything_is_measured(tmp_path, capsys, monkeypatch, held, said):
    monkeypatch.setattr(tag_tables, "run", lambda quick: pytest.fail("it was measured"))
    target = tmp_path / "held.json"
    target.write_text(held)
    for path, reason in ((target, said), (tmp_path, "which is a folder")):
        with pytest.raises(SystemExit):
            bench.main(["tags", "--json", str(path)])
        assert str(path) in (told := capsys.readouterr().err) and reason in told
    assert target.read_text() == held
