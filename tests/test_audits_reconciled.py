"""Every accuracy of ACP-Net says which network it is of, and one table lists all."""

import pytest

from acp_lib.audits import reconciled
from acp_lib.profiles import load
from acp_lib.results.scores import called
from acp_lib.study import Study

OF = {"network": "audit, half the width", "seeds": [0, 1], "split": "song", "pairs": "class_balanced", "n_pairs": 400}
MAIN = OF | {"network": "main", "seeds": [0, 1, 2]}
SCORED = {"ours": 60.0, "values": [59.0, 61.0], "interval": [50.0, 70.0]}


@pytest.mark.parametrize(("changes", "main", "audit"), [
    ({}, "main", "audit, an eighth of the width"), ({"audit_width": 0.25}, "main", "audit, a quarter of the width"),
    ({"audit_width": 0.5, "fc_width": 1.0}, "main", "audit, half the width"),
    ({"audit_width": 1.0, "fc_width": 1.0}, "main", "audit, the whole width"),
])
def test_a_study_knows_which_network_it_trains(changes, main, audit, monkeypatch):
    monkeypatch.setattr(Study, "weights", "random")  # nothing is extracted
    study = Study(load("mini", **changes), progress=False)
    audited = study.audited
    assert (study.network, study.variant(seeds=2).network, audited.network) == (main, main, audit)
    assert audited.variant(split="segment").variant(seeds=1).network == audit  # whatever else it changes


@pytest.mark.parametrize(("row", "whole", "short"), [
    ({"row": "ACP-Net"} | MAIN, "ACP-Net (main)", "ACP-Net (main)"),
    ({"row": "ACP-Net"} | OF, "ACP-Net (audit, half the width)", "ACP-Net (audit)"),
    ({"row": "ACP-Net, by song"} | OF, "ACP-Net, by song (audit, half the width)", "ACP-Net, by song (audit)"),
    ({"row": "L3-Net"}, "L3-Net", "L3-Net"),
])
def test_names_of_rows(row, whole, short):
    assert (called(row), called(row, short=True)) == (whole, short)


FOUND = {
    "table4": [{"row": "ACP-Net", **MAIN, **SCORED}, {"row": "L3-Net", **SCORED}, {"row": "always false", **SCORED}],
    "protocols": [{"row": "ACP-Net", **MAIN, "pairs": "uniform", "ours": 66.0, "values": None, "interval": None}],
    "leakage": [{"row": "ACP-Net, by segment", **OF, "split": "segment", **SCORED},
                {"row": "two classifiers, compared, by segment", **SCORED}],
    "cross_modal": [{"row": "ACP-Net that sees no picture", **OF, **SCORED},
                    {"row": "its additive approximation", **SCORED}],
    "how_sure": [{"what": "accuracy", "row": "ACP-Net", **OF, **SCORED},
                 {"what": "difference", "row": "L3-Net", **OF, "ours": 3.0},
                 {"what": "difference", "row": "ACP-Net before", **OF, "ours": 3.0},
                 {"what": "component", "row": "split", **OF, "values": [50.0, 60.0, 70.0], "mean": 60.0, "sd": 8.0,
                  "interval": [4.0, 40.0]}],
    "specifications": [{"row": "near the paper", "count": 1, "readings": 2},
                       {"row": "diverged", "reading": {}, "diverged": "in epoch 1"},
                       {"row": "reading", **OF, "accuracy": 60.0, "interval": [55.0, 65.0]},
                       {"row": "reading", **OF, "seeds": [0, 1, 2], "pairs": "uniform", "accuracy": 70.0,
                        "interval": [65.0, 75.0]}],
}
EXPECTED = [
    ("chapter-baselines", "ACP-Net", "main", 2, "0 to 2", "song", "class_balanced", 60.0, [50.0, 70.0]),
    ("chapter-acp-net", "ACP-Net", "main", 3, "0 to 2", "song", "uniform", 66.0, None),
    ("chapter-leakage", "ACP-Net, by segment",
     OF["network"], 2, "0 to 1", "segment", "class_balanced", 60.0, [50.0, 70.0]),
    ("chapter-cross-modal", "ACP-Net that sees no picture",
     OF["network"], 2, "0 to 1", "song", "class_balanced", 60.0, [50.0, 70.0]),
    ("chapter-how-sure", "ACP-Net", OF["network"], 2, "0 to 1", "song", "class_balanced", 60.0, [50.0, 70.0]),
    ("chapter-how-sure", "split redrawn", OF["network"], 3, "0", "song", "class_balanced", 60.0, None),
    ("chapter-forking-paths", "the profile's own reading",
     OF["network"], 2, "0 to 1", "song", "class_balanced", 60.0, [55.0, 65.0]),
    ("chapter-forking-paths", "mean of 2 readings, 60.0 to 70.0 %",
     OF["network"], 5, "0 to 2", "song", "class_balanced, uniform", 65.0, None),
]


def test_one_table_lists_every_accuracy_and_nothing_else():
    listed = reconciled.accuracies(FOUND)
    keys = ("where", "what", "network", "runs", "seeds", "split", "pairs", "ours", "interval")
    assert [tuple(row[key] for key in keys) for row in listed] == EXPECTED


@pytest.mark.parametrize(("name", "k"), [
    ("table4", 0), ("protocols", 0), ("leakage", 0), ("cross_modal", 0), ("how_sure", 0), ("how_sure", 3),
    ("specifications", 2), ("specifications", 3)])
def test_an_accuracy_that_does_not_say_its_network_is_refused(name, k):
    rows = [dict(row) for row in FOUND[name]]
    del rows[k]["network"]
    with pytest.raises(ValueError, match=f"{name} has an accuracy of ACP-Net, '{rows[k]['row']}', and no network"):
        reconciled.accuracies({name: rows})
