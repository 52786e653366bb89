"""Train one method on several GPUs, of one machine or many: torchrun starts a process a GPU, each takes its share.

The book finds the trained networks and does not train them again.

Chapter: How to read and rerun.
"""

import argparse
import os
import sys
from datetime import timedelta

from acp_lib.engine import commands, devices
from acp_lib.profiles import Profile

EXAMPLES = """\
examples:
  torchrun --nproc-per-node 4 -m acp_lib.distributed imac -p data imac --method L3-Net
  torchrun --nproc-per-node 2 -m acp_lib.distributed mini -p device cpu --method ACP-Net

A run that was killed goes on at its last checkpoint when the same command is given again. Give the same profile and
parameters to the book afterwards; the batch is shared between the processes, so their number must divide it.
"""

PATIENCE = timedelta(days=7)  # while the first process extracts features


def arguments(prog: str) -> argparse.ArgumentParser:
    parser = commands.parser(prog, __doc__, EXAMPLES)
    parser.add_argument("--method", default="ACP-Net", metavar="NAME", help="as Table 4 names it (ACP-Net)")
    return parser


def main(argv: list[str] | None = None, prog: str = "python -m acp_lib.distributed") -> int:
    """Exit code: as `commands.outcome`; 2 also for a start without torchrun."""
    options = arguments(prog).parse_args(argv)

    def work() -> None:
        profile = commands.profile(options)
        if "LOCAL_RANK" not in os.environ:
            raise ValueError("this command is started by torchrun: torchrun --nproc-per-node 2 -m acp_lib.distributed")
        train(profile, options.method)

    return commands.outcome(work, prog)


def train(profile: Profile, method: str) -> None:
    """Make a method's runs, all processes of torchrun on each; the first prepares the data and keeps the results."""
    import torch  # only now, and the others: --help should not wait for them
    from torch import distributed

    from acp_lib.experiment import methods, runs, training
    from acp_lib.study import Study

    if method not in methods.CORRESPONDENCE:
        raise ValueError(f"--method is {method!r}; expected one of {', '.join(methods.CORRESPONDENCE)}")
    gpu = devices.device(profile.execution.device) != "cpu"
    if gpu:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if gpu else "gloo", timeout=PATIENCE)
    try:
        first = training.rank_and_size()[0] == 0
        if first:
            Study(profile).planned("pairs", method)
        distributed.barrier()
        wanted = Study(profile, progress=False).planned("pairs", method)
        for run in [run for run in wanted if not run.folder.exists()]:
            distributed.barrier()  # all have looked before the first keeps anything
            runs.train_run(run)
            if first:
                print(f"{method}, seed {run.seed}: {len(run.history)} epochs, "
                      f"{100 * run.correct.mean():.2f} % of the test pairs", flush=True)
    finally:
        distributed.destroy_process_group()


if __name__ == "__main__":
    sys.exit(main())
