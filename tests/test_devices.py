"""Where networks compute: on a GPU if there is one, and without loading PyTorch where there can be none."""

import os
import subprocess
import sys

import pytest
import torch

from acp_lib.engine import devices
from acp_lib.profiles import ROOT


@pytest.mark.parametrize(("name", "there", "expected"), [
    ("cpu", True, "cpu"), ("cpu", False, "cpu"), ("auto", False, "cpu"), ("auto", True, "cuda"), ("cuda", True, "cuda"),
])
def test_device(monkeypatch, name, there, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")
    assert devices.device(name) == expected


@pytest.mark.slow
@pytest.mark.parametrize(("driver", "amd", "asked"), [
    ("no-such-driver.so", "none", False), ("libc.so.6", "none", True), ("no-such-driver.so", "", True),
])
def test_pytorch_is_loaded_only_where_there_is_a_driver(tmp_path, driver, amd, asked):
    (tmp_path / "torch.py").write_text("print('loaded')\nclass cuda:\n    is_available = lambda: False\n")
    program = ("import sys; from acp_lib.engine import devices; "
               "devices.DRIVERS, devices.AMD = sys.argv[1:2], devices.Path(sys.argv[2]); print(devices.device('auto'))")
    done = subprocess.run([sys.executable, "-c", program, driver, tmp_path / amd], capture_output=True, text=True,
                          check=True, env=os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"})
    assert done.stdout.split() == ["loaded"] * asked + ["cpu"]
