"""What was recorded can be made again: small studies of the mini database, by the commands in their files."""

import json
import shlex
from pathlib import Path

import pytest

from acp_lib.findings import record
from acp_lib.results import recorded

FILES = sorted((Path(__file__).parent / "recorded").glob("*.json"))
KEPT = {path.stem: json.loads(path.read_text("utf8")) for path in FILES}
NUMBERS = ("predicted", "measured", "validation_accuracy", "test_accuracy")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("again")


@pytest.fixture(scope="module", params=KEPT)
def both(request, folder):
    """What was kept of a study, and what its command makes now; studies share the mini database."""
    kept = KEPT[request.param]
    command = shlex.split(kept["command"])[4:]  # what follows python -m acp_lib record
    with pytest.MonkeyPatch.context() as patch:
        for name in ("work", "results"):
            patch.setenv(f"ACP_{name.upper()}", str(folder / name))
        assert record.main([*command, "--out", str(folder / "made.json")], "python -m acp_lib record") == 0
    return kept, json.loads((folder / "made.json").read_text("utf8"))


@pytest.mark.slow
def test_the_same_command_makes_it_again_from_the_same_data(both):
    kept, again = both
    alike = ["command", "data", "settings", "image_weights"]
    if again["versions"] == kept["versions"]:  # the files of the mini database hang on the libraries that write them
        alike.append("data_fingerprint")
    assert {key: again[key] for key in alike} == {key: kept[key] for key in alike}
    assert set(recorded.ABOUT) < set(again)


def numbers(row: dict) -> dict:
    """The accuracies of a row, those of its parts too."""
    return {key: row[key]["ours"] for key in NUMBERS if key in row} | {
        key: row[key] for key in ("ours", "simulated", "best", "two", "image", "music") if key in row}


@pytest.mark.slow
def test_it_has_the_same_rows_with_the_same_numbers(both):
    kept, again = both
    same = again["versions"] == kept["versions"]  # other libraries may turn a few samples
    assert [row.get("row") for row in again["rows"]] == [row.get("row") for row in kept["rows"]]
    found = [numbers(row) for row in kept["rows"]]
    assert sum(map(len, found)) >= 4
    for made, known in zip(again["rows"], found, strict=True):
        assert numbers(made) == pytest.approx(known, abs=0.01 if same else 5)
