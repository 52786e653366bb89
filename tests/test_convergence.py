"""When runs leave the plateau, by hand."""

import pytest

from acp_lib.results.convergence import Convergence, convergence, leaving_epoch


def history(*accuracies):
    return [{"epoch": k, "val_accuracy": v} for k, v in enumerate(accuracies, 1)]


@pytest.mark.parametrize(("accuracies", "expected"), [
    ((0.5, 0.6, 0.4), 2), ((0.56,), 1), ((0.5, 0.55, 0.55), None), ((0.5, 0.55, 0.551), 3), ((), None),
])
def test_a_run_leaves_the_plateau_in_its_first_epoch_above_it(accuracies, expected):
    assert leaving_epoch(history(*accuracies), 0.55) == expected


def test_some_runs():
    runs = [history(0.5, 0.5, 0.7, 0.7), history(0.5, 0.5), history(0.6, 0.5, 0.5), history(0.5, 0.5, 0.5, 0.8)]
    found = convergence(runs, 0.55, epochs=4)
    assert found == Convergence(left=(3, None, 1, 4), stopped=2)
    assert (found.runs, found.epochs, found.first, found.last) == (4, [1, 3, 4], 1, 4)


def test_runs_that_never_leave():
    found = convergence([history(0.5, 0.5)] * 3, 0.55, epochs=2)
    assert (found.runs, found.epochs, found.first, found.last, found.stopped) == (3, [], None, None, 0)
