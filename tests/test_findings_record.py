"""What was recorded can be made again: a small study of the mini database, by the command that stands in its file."""

import json
import shlex
from pathlib import Path

import pytest

from acp_lib.findings import record
from acp_lib.results import recorded

KEPT = json.loads((Path(__file__).parent / "recorded/bridge.json").read_text("utf8"))


@pytest.fixture(scope="module")
def again(tmp_path_factory):
    folder = tmp_path_factory.mktemp("again")
    command = shlex.split(KEPT["command"])[4:]  # what follows python -m acp_lib record
    with pytest.MonkeyPatch.context() as patch:
        for name in ("work", "results"):
            patch.setenv(f"ACP_{name.upper()}", str(folder / name))
        assert record.main([*command, "--out", str(folder / "made.json")], "python -m acp_lib record") == 0
    return json.loads((folder / "made.json").read_text("utf8"))


@pytest.mark.slow
def test_the_same_command_makes_it_again_from_the_same_data(again):
    alike = ["command", "data", "settings", "image_weights"]
    if again["versions"] == KEPT["versions"]:  # the files of the mini database hang on the libraries that write them
        alike.append("data_fingerprint")
    assert {key: again[key] for key in alike} == {key: KEPT[key] for key in alike}
    assert set(recorded.ABOUT) < set(again)


def test_it_has_the_same_rows_with_the_same_numbers(again):
    near = 0.01 if again["versions"] == KEPT["versions"] else 5  # points; other libraries may turn a few samples
    assert [row["row"] for row in again["rows"]] == [row["row"] for row in KEPT["rows"]]
    for made, kept in zip(again["rows"], KEPT["rows"], strict=True):
        for key in ("predicted", "measured", "validation_accuracy", "test_accuracy"):
            if key in kept:
                assert made[key]["ours"] == pytest.approx(kept[key]["ours"], abs=near)
    assert sum("measured" in row for row in KEPT["rows"]) >= 4
