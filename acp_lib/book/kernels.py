"""Kernels that are forked from the server which has imported what chapters need, because that takes each kernel longer
than most chapters compute. Elsewhere than on Linux each starts anew.

Chapter: How to read and rerun.
"""

import os
import signal
import sys
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from subprocess import Popen
from typing import Any, cast
from uuid import uuid4

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import LocalProvisioner

from acp_lib.engine import processes

IMPORTED = ["ipykernel.kernelapp", "matplotlib.pyplot", "seaborn", "bs4", "scipy.optimize", "sklearn.linear_model",
            "sklearn.manifold", "sklearn.cluster", "sklearn.model_selection", "torch.func", "myst_nb.ext.glue",
            "acp_lib.book.chapter", "acp_lib.findings.front", "acp_lib.book.read"]
"""What most chapters and the first page import, beside `processes.PRELOADED`; the last one has read all code."""


class Process:
    """A forked process as jupyter_client asks it, by the names of `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, forked: BaseProcess) -> None:
        self._forked, self.pid = forked, forked.pid
        self.terminate, self.kill = forked.terminate, forked.kill

    def poll(self) -> int | None:
        return self._forked.exitcode

    def wait(self) -> int | None:
        self._forked.join()
        return self._forked.exitcode

    def send_signal(self, number: int) -> None:
        if self.pid and self.poll() is None:
            os.kill(self.pid, number)


class Forked(LocalProvisioner):
    """Starts a kernel by a fork."""

    async def launch_kernel(self, cmd: list[str], **given: Any) -> KernelConnectionInfo:
        arguments = cmd[cmd.index("ipykernel_launcher") + 1:]
        started = cast(ForkServerContext, processes.context())
        forked = started.Process(target=_kernel, args=(arguments, given.get("cwd"), dict(given["env"])))
        forked.start()
        self.process = cast(Popen, Process(forked))
        self.pid = self.pgid = forked.pid  # it leads a session of its own, so that Ctrl-C is not for it
        return self.connection_info


class Manager(AsyncKernelManager):
    """Manages a kernel of this package's environment that is forked where processes are."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        if processes.context().get_start_method() == "forkserver":
            self.kernel_id = str(uuid4())
            self.provisioner = Forked(kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self)


def _kernel(arguments: list[str], folder: str | None, environment: dict[str, str]) -> None:
    """What `python -m ipykernel_launcher` does, in a process that was forked."""
    os.setsid()
    processes.surround(environment)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    if folder:
        os.chdir(folder)
    sys.argv[1:] = arguments
    processes.end_with_parent()
    from ipykernel import kernelapp

    # what these two stand for was read from the environment when it was imported, before there was a kernel
    told = ["--matplotlib=inline", f"--IPKernelApp.parent_handle={os.getppid()}"]
    kernelapp.launch_new_instance(argv=[*arguments, *told])
