"""Jupyter kernels that are forked from the server of `processes`, so that a chapter need not import everything anew.

Torch, scipy and their like take longer to import than most chapters have to do.

Chapter: How to read and rerun.
"""

import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from threading import Thread
from uuid import uuid4

from jupyter_client import AsyncKernelManager
from jupyter_client.provisioning import LocalProvisioner

from acp_lib.engine import processes

NEEDED = ["acp_lib.audits.leakage", "acp_lib.audits.structure", "acp_lib.book.chapter", "acp_lib.engine.commands",
          "acp_lib.features.sonify", "acp_lib.figures.baselines", "acp_lib.figures.probes", "ipykernel.ipkernel",
          "ipykernel.kernelapp", "jupytext", "sklearn.manifold", "sphinx_external_toc.parsing", "statsmodels.api"]
"""Modules that chapters import, and those of the command that starts them, whose module each process imports."""

LAUNCHER = "ipykernel_launcher"


class Forked:
    """What a provisioner uses of `subprocess.Popen`, over a forked process."""

    stdin = stdout = stderr = None

    def __init__(self, arguments: list[str], folder: str, environment: Mapping[str, str]):
        context = processes.context(NEEDED)
        self.process = context.Process(target=serve, args=(arguments, folder, dict(environment)))
        self.process.start()
        self.pid, self.terminate, self.kill = self.process.pid, self.process.terminate, self.process.kill

    def poll(self) -> int | None:
        """The exit code; None while it runs."""
        return self.process.exitcode

    def wait(self) -> int:
        """The exit code, when there is one."""
        self.process.join()
        return self.process.exitcode

    def send_signal(self, number: int) -> None:
        """Send a signal to a process that still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)


def serve(arguments: list[str], folder: str, environment: Mapping[str, str]) -> None:
    """Be a kernel: in this process, which leads a group of its own, until it is told to stop or its parent dies."""
    os.setsid()
    processes.surround(environment)
    os.chdir(folder)
    Thread(target=_end_with, args=(multiprocessing.parent_process(),), daemon=True).start()
    from ipykernel.kernelapp import IPKernelApp

    IPKernelApp.launch_instance([*arguments, f"--IPKernelApp.parent_handle={os.getppid()}",
                                 "--matplotlib=inline"])  # which both would have read from the environment


def _end_with(parent) -> None:
    parent.join()
    os.killpg(0, signal.SIGKILL)


class Provisioner(LocalProvisioner):
    """Starts Python kernels of this environment by a fork, others as ever."""

    async def launch_kernel(self, cmd: list[str], **options):
        """Start the kernel that `cmd` would."""
        if cmd[0] != sys.executable or LAUNCHER not in cmd:
            return await super().launch_kernel(cmd, **options)
        folder = options.get("cwd") or str(Path.cwd())
        self.process = Forked(cmd[cmd.index(LAUNCHER) + 1:], folder, options["env"])
        self.pid = self.pgid = self.process.pid
        self.cwd = folder
        return self.connection_info


class Manager(AsyncKernelManager):
    """Manages a kernel that `Provisioner` starts."""

    async def _async_pre_start_kernel(self, **options):
        self.kernel_id = self.kernel_id or str(uuid4())
        if self.provisioner is None:
            self.provisioner = Provisioner(kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self)
        return await super()._async_pre_start_kernel(**options)
