"""What the chapters share, made before any of them runs.

Chapter: How to read and rerun.
"""

from acp_lib.audits import repeated
from acp_lib.engine.text import plain
from acp_lib.experiment import methods, runs
from acp_lib.profiles import Profile
from acp_lib.study import Study

STEPS = 5


def step(number: int, what: str) -> None:
    """Say which of the steps of making a book begins; the last one is the chapters and their pages."""
    print(f"{number} of {STEPS}: {what}", flush=True)


def prepare(profile: Profile) -> None:
    """Make, with visible progress, database, features and trained networks.

    Raises
    ------
    ValueError
        If data or weights cannot be used; the message says why and what to do.
    """
    step(1, "the database and its features")
    study = Study(profile)
    print(f"{len(study.manifest)} samples from {study.data_name}, {len(study.rejects)} rejected; "
          f"image features by {plain(study.weights_name)}", flush=True)
    study.raw("art")
    for number, groups in ((4, ["pairs"]), (5, ["image", "music"])):  # probes of ACP-Net's embeddings need it trained
        step(number - 2, f"the networks of Table {number}")
        plan = [run for group in groups for name in methods.GROUPS[group] for run in study.planned(group, name)]
        runs.train(plan, study.work)
        print(f"{len(plan)} runs of {'; '.join(dict.fromkeys(run.name for run in plan))}", flush=True)
    step(4, "the networks of the audits")
    print(f"{len(repeated.all_runs(study))} runs of ACP-Net for the audits", flush=True)
