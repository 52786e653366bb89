"""What the measured costs mean for other corpora."""

import json

import pandas as pd
import pytest

from acp_lib.profiles import ROOT
from acp_lib.results import cost

SIZES = pd.DataFrame({"modality": ["music", "music", "image", "image"], "samples": [10, 40, 10, 20],
                      "cpu_s": [5.0, 16.0, 1.0, 1.0], "peak_mib": [100.0, 110.0, 200.0, 250.0]})


def test_the_first_machine_on_which_growth_was_measured(tmp_path):
    with pytest.raises(FileNotFoundError, match="measures growth; expected one that `acp bench` keeps"):
        cost.measured(tmp_path)
    for name, part, rows in (("a", "music", []), ("b", "growth", [1]), ("c", "growth", [2])):
        parts = {part: {"rows": rows}}
        (tmp_path / f"{name}.json").write_text(json.dumps(parts))
    assert cost.measured(tmp_path) == {"growth": {"rows": [1]}}


def test_the_projects_own_results_have_all_that_the_chapter_needs():
    parts = cost.measured(ROOT / "benchmarks" / "results")
    compared, floors = cost.compared(parts)
    assert len(compared) > 5 and all({"plain_ms", "fast_ms", "wanted", "lowest", "highest"} <= set(r) for r in compared)
    assert floors and set(cost.efficiency(parts["growth"]["rows"])) == {"music", "image"}


def test_comparisons_and_floors():
    plain, floor, other = {"name": "a", "fast_ms": 1, "ratio": 2}, {"name": "b", "fast_ms": 1}, {"samples": 3}
    assert cost.compared({"x": {"rows": [plain, other]}, "y": {"rows": [floor]}}) == ([plain], [floor])


def test_the_largest_run_tells_the_cost_of_a_sample():
    assert cost.per_sample(SIZES).to_dict() == {"music": 0.4, "image": 0.05}


def test_a_neighbour_slows_a_process_and_never_speeds_it():
    rows = [{"modality": "music", "gain": 1.8}, {"modality": "image", "gain": 2.1}, {"modality": "image", "samples": 3}]
    assert cost.efficiency(rows) == {"music": 0.9, "image": 1}


def test_hours_by_the_formula():
    """1,800 minutes at 2 s and 3,600 pictures at 0.5 s, of which a process keeps half: 2 h and 1 h of one core."""
    counts, seconds, kept = {"music": 1800, "image": 3600}, {"music": 2, "image": 0.5}, {"music": 0.5, "image": 0.5}
    assert cost.hours(counts, seconds, kept, 1) == pytest.approx(3)
    assert cost.hours(counts, seconds, kept, 4) == pytest.approx(0.75)


@pytest.mark.parametrize(("hours", "text"), [
    (0.5 / 60, "30.0 s"), (1 / 60, "1.0 min"), (0.5, "30.0 min"), (1, "1.0 h"), (47.9, "47.9 h"), (48, "2.0 days"),
])
def test_durations(hours, text):
    assert cost.duration(hours) == text


def test_growth_of_memory_is_that_of_the_modality_that_grows_most():
    assert cost.memory_growth(SIZES) == pytest.approx(1.25)


def test_what_nothing_but_its_floors_would_reach():
    """Floors of one comparison add up; a comparison without any is left out."""
    compared = [{"name": "a", "plain_ms": 30}, {"name": "b", "plain_ms": 7}]
    floors = [{"name": "x", "fast_ms": 4, "of": "a"}, {"name": "y", "fast_ms": 6, "of": "a"},
              {"name": "z", "fast_ms": 1}]
    assert cost.at_most(compared, floors) == {"a": 3}
    assert cost.at_most(compared, floors[2:]) == {}  # as older results have them


def test_rows_of_all_parts_and_none_of_an_older_machine():
    parts = {"x": {"rows": [{"name": "a", "stage": 1}, {"name": "b", "skipped": "no wheel"}]},
             "y": {"rows": [{"stage": 2}]}}
    assert [row["stage"] for row in cost.rows(parts, "stage")] == [1, 2] and cost.rows(parts, "share") == []
    assert cost.skipped(parts) == "b (no wheel)" and cost.skipped({}) == "nothing"


def test_growth_of_stages():
    """One in proportion, one with the square; memory in KiB an item."""
    sizes = [{"stage": stage, "unit": "items", "items": n, "cpu_s": 2e-3 * n**power / 100**(power - 1),
              "peak_mib": 100 + grows * n / 1024}
             for stage, power, grows in (("even", 1, 0), ("square", 2, 3)) for n in (6400, 100, 1600, 400)]
    even, square = cost.stages(sizes)
    assert even["dearer"] == pytest.approx(1) and even["exponent"] == pytest.approx(1) and even["kib"] == 0
    assert square["dearer"] == pytest.approx(64) and square["exponent"] == pytest.approx(2)
    assert square["kib"] == pytest.approx(3) and (square["least"], square["most"]) == (100, 6400)
    assert square["each"] == pytest.approx(2e-3) and cost.stages([]) == []


@pytest.mark.parametrize(("kib", "items"), [(1, 16 * 2**20), (16, 2**20), (0, float("inf")), (-1, float("inf"))])
def test_how_many_items_a_memory_holds(kib, items):
    assert cost.fitting(kib) == items


@pytest.mark.parametrize(("differ", "text"), [({"a": 1e-7, "b": 2.4e-4}, "2e-04"), (None, None)])
def test_the_largest_difference(differ, text):
    assert cost.largest({"largest_difference": differ}) == text


def test_a_file_of_a_gpu_is_no_machine_on_which_growth_was_measured(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"gpu": {"gpu": "a card", "rows": []}}))
    (tmp_path / "b.json").write_text(json.dumps({"growth": {"rows": [1]}}))
    assert cost.measured(tmp_path) == {"growth": {"rows": [1]}}
    assert [part["gpu"] for part in cost.on_gpus(tmp_path)] == ["a card"]


def test_what_a_gpu_comes_to():
    run = {"network": "ACP-Net", "precision": "float32", "runs": 1, "pairs_per_s": 10.0}
    rows = [{"name": "peak, float32", "peak_tflops": 50.4, "peak_gbytes": 2000.0}, run, run | {"pairs_per_s": 50.0},
            run | {"precision": "bfloat16", "pairs_per_s": 1.0}, run | {"runs": 16, "pairs_per_s": 100.0},
            {"nccl_ms": 2.0, "nccl_alone_ms": 1.5, "largest_weight_difference": 0.0},
            {"points": -0.02, "points_interval": [-0.5, 0.46], "seeds": 5}]
    said = cost.on_gpu({"date": "2026-01-02", "gpu": "a card", "torch": "2", "cuda": "13", "rows": rows})
    assert "Measured 2026-01-02 on one a card, torch 2, CUDA 13. Its peaks: 50 TFLOP/s in float32; copying" in said
    assert "a run is 5.0 times as fast, and 16 runs as one graph see 2.0 times as many pairs a second" in said
    assert "takes 2.0 ms instead of 1.5. The largest difference of a weight afterwards is 0." in said
    assert "is -0.02 points (95 % CI -0.50 to +0.46; 5 seeds each)." in said


def test_the_projects_gpu_was_measured_whole():
    for part in cost.on_gpus(ROOT / "benchmarks" / "results"):
        assert not part["quick"] and {"date", "torch", "cuda", "cudnn"} <= set(part)
        trained = [row for row in part["rows"] if "gpu_epoch_s" in row]
        peaks = {row["name"].removeprefix("peak, "): row["peak_tflops"] for row in part["rows"] if "peak_tflops" in row}
        tops = {"ACP-Net": peaks, "L3-Net": peaks | {"float32": peaks["TF32"]}}  # which convolutions are computed in
        assert {row["network"] for row in trained} == {"ACP-Net", "L3-Net"} and max(row["runs"] for row in trained) > 1
        for row in trained:
            assert row["gpu_epoch_s"] == pytest.approx(row["runs"] * row["pairs"] / row["pairs_per_s"])
            assert 0 < row["gpu_share"] < 1 and 0 < row["update_share"] < 1
            top = 1e12 * tops[row["network"]][row["precision"]]
            assert row["gpu_share"] == pytest.approx(row["flop"] * row["pairs_per_s"] / top)
