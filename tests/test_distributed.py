"""One network on several processes: torchrun itself, and what is refused."""

import os
import signal
import subprocess
import sys

import pytest
from conftest import corpus

from acp_lib import distributed
from acp_lib.engine import commands
from acp_lib.profiles import ROOT, load
from acp_lib.study import Study

SETTINGS = {"weights": "random", "device": "cpu", "seeds": 1, "epochs": 1, "pairs_per_epoch": 64, "batch": 32,
            "test_pairs": 20, "first_layer": "input", "image_size": 75, "jobs": 1}


@pytest.mark.slow
def test_two_processes_make_the_run_that_a_study_finds(tmp_path):
    profile = load("folder", data=str(corpus(tmp_path / "corpus", 4, 4)), work=str(tmp_path / "work"), **SETTINGS)
    given = [text for name in (*SETTINGS, "data", "work") for text in ("-p", name, str(getattr(profile, name)))]
    done = subprocess.run([sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m",
                           "acp_lib.distributed", "folder", *given], cwd=ROOT, capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)
    assert done.returncode == 0, done.stderr
    run, = Study(profile, progress=False).planned("pairs", "ACP-Net")
    assert len(run.history) == 1 and len(run.correct) == 20
    assert f"ACP-Net, seed 0: 1 epochs, {100 * run.correct.mean():.2f} % of the test pairs" in done.stdout


@pytest.mark.parametrize(("error", "code", "said"), [
    (ValueError("no"), 2, "error: no (python -m acp_lib.distributed --help)"), (KeyboardInterrupt(), 130, "stopped; "),
    (OSError(28, "No space left on device", "/x"), 1, "error: [Errno 28] No space left on device: "),
    (commands.Stopped(signal.SIGTERM), 143, "stopped; "), (ImportError("x"), 2, "error: x "),
])
def test_its_exit_codes_are_those_of_every_command(monkeypatch, capsys, error, code, said):
    def train(*_):
        raise error

    monkeypatch.setenv("LOCAL_RANK", "0")
    monkeypatch.setattr(distributed, "train", train)
    assert distributed.main(["mini"]) == code
    assert capsys.readouterr().err.startswith(said)


@pytest.mark.parametrize(("arguments", "message"), [
    (["mini"], "started by torchrun"),
    (["mini", "-p", "epocs", "2"], "unknown parameter 'epocs'"),
    (["folder"], "data is empty"),
    (["mini", "--method", "L3"], "--method is 'L3'; expected one of L3-Net, Spectrogram-ACP, ACP-Net"),
])
def test_what_is_refused(arguments, message, capsys, monkeypatch):
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    if "--method" in arguments:
        monkeypatch.setenv("LOCAL_RANK", "0")
    assert distributed.main(arguments) == 2
    assert message in capsys.readouterr().err
