"""Cost of what follows the features against the size of a corpus: processor time, peak memory, all on made-up arrays.

Each size of a stage is a process of its own, in which the stage is run once to warm up and then again and again, until
it has taken half a second, and the least counts; a long run counts as it is. Its input is made beforehand.
"""

from benchmarks.compare import peak, spent  # isort: skip - sets the threads before numpy loads

import json
import subprocess
import sys
from collections.abc import Callable

import numpy as np

from acp_lib.results import cost

TIMES = (1, 4, 16, 64)
LEAST, LONG = 0.5, 5.0  # seconds that are measured at least; and of a run of which loading is no part worth a word
Work = Callable[[], object]


def draw(n: int) -> Work:
    """One pair for each of n pictures, of which there are five for each piece of music."""
    from acp_lib.experiment import pairs

    rng = np.random.default_rng(0)
    images, music = rng.integers(0, 3, n), rng.integers(0, 3, n // 5)
    return lambda: pairs.draw("class_balanced", images, music, n, rng)


def train(n: int) -> Work:
    """An epoch of ACP-Net at a quarter of its width, a pair for each of n pictures."""
    import torch

    from acp_lib import profiles
    from acp_lib.experiment import training
    from acp_lib.experiment.tasks import Correspondence
    from acp_lib.models import ACPNet
    from benchmarks.networks import corpus

    torch.set_num_threads(1)
    profile = profiles.load("mini", pairs_per_epoch=n)
    data, model = corpus(n, n // 5, 1), ACPNet(fc_width=0.25)
    optimiser = torch.optim.Adam(model.parameters(), fused=True)

    def work() -> None:
        epoch = Correspondence(data, profile.pairing, 0).epoch([0, 1], profile.batch)
        training._epoch(model, optimiser, training._batches(epoch, 1, "cpu"), [0, 1], "cpu")

    return work


def _answers(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Answers of five runs to n pairs (5, n), and the picture and the song of each: two and ten pairs each have."""
    rng = np.random.default_rng(0)
    return (rng.random((5, n)) < 0.6).astype(float), rng.integers(0, n // 2, n), rng.integers(0, n // 10, n)


def interval(n: int) -> Work:
    """The interval of an accuracy over five runs, pictures and songs of n pairs."""
    from acp_lib.experiment import intervals

    right, *names = _answers(n)
    return lambda: intervals.mean(right, *names).interval()


def components(n: int) -> Work:
    """What runs, pictures and songs bring to its variance."""
    from acp_lib.experiment import crossed

    right, *names = _answers(n)
    return lambda: crossed.components(right, *names)


def bootstrap(n: int) -> Work:
    """A hundred draws of runs, pictures and songs."""
    from acp_lib.audits import curve

    right, *names = _answers(n)
    return lambda: curve.resampled([right], [tuple(names)], draws=100)


def retrieve(n: int) -> Work:
    """Music for each of n test pictures among n / 5, scored and ranked."""
    from functools import partial

    from acp_lib.audits import retrieval
    from acp_lib.experiment.corpus import Corpus, Modality
    from benchmarks.networks import corpus

    made = corpus(n, n // 5, 1)
    tested = Corpus(*(Modality(side.x[:, :193], side.label, np.full(len(side.label), 2))
                      for side in (made.image, made.music)))
    score = partial(retrieval.products, retrieval.unit(tested.image), retrieval.unit(tested.music))
    return lambda: retrieval.scored(tested, score, *retrieval.asked(tested, "image", 0), "image", 0)


def copies(n: int) -> Work:
    """Near copies among the hashes of n pictures, of which one in ten is a copy."""
    from acp_lib.database import copies

    rng = np.random.default_rng(0)
    words = rng.integers(0, 2**64, (n, 2), np.uint64)
    words[n - n // 10:] = words[:n // 10] ^ np.uint64(0b10110)
    hashes = [f"{a:016x}{b:016x}" for a, b in words.tolist()]
    return lambda: copies.groups(hashes)


def render(n: int) -> Work:
    """A table of n rows, five columns each, from the rows to HTML by the book's own parser."""
    from docutils.core import publish_string
    from myst_parser.parsers.docutils_ import Parser

    from acp_lib.book import report

    rows = [{"id": f"song_{i}", "path": f"music/{i}.mp3", "reason": "it <ends> & breaks off", "seconds": i / 7,
             "row": i}
            for i in range(n)]
    options = {"parser": Parser(), "writer_name": "html5",
               "settings_overrides": {"myst_enable_extensions": ["colon_fence"], "report_level": 5}}

    def work() -> None:
        shown: list[dict] = []
        kept, report.display = report.display, lambda data, raw: shown.append(data)
        try:
            report.table(rows, "tab-rows", "Rows")
        finally:
            report.display = kept
        page = publish_string(shown[0]["text/markdown"], **options)
        assert page.count(b"<tr") == n + 1, page[:500]

    return work


STAGES: dict[str, tuple[str, int, Callable[[int], Work]]] = {
    "drawing pairs": ("pairs", 20_000, draw), "training, quarter width": ("pairs", 1_280, train),
    "interval": ("pairs", 2_000, interval), "variance components": ("pairs", 1_000, components),
    "bootstrap, 100 draws": ("pairs", 1_000, bootstrap), "retrieval": ("test pictures", 200, retrieve),
    "near copies": ("pictures", 8_000, copies), "a table's rows": ("rows", 50, render)}
"""What is counted, the smallest number of it, and from a number to the work."""


def measured(stage: str, n: int) -> dict:
    """Processor seconds of a stage with n items, and the process's peak memory."""
    work = STAGES[stage][2](n)
    first, times = spent(work), []  # the first one loads and compiles
    while first < LONG and sum(times) < LEAST:
        times.append(spent(work))
    return {"cpu_s": min(times, default=first), "peak_mib": peak()}


def run(quick: bool) -> list[dict]:
    """One row a stage and a size."""
    found = []
    for stage, (unit, base, _) in STAGES.items():
        sizes = []
        for k in TIMES[:2] if quick else TIMES:
            done = subprocess.run([sys.executable, "-m", "benchmarks.stages", stage, str(k * base)], check=True,
                                  text=True, stdout=subprocess.PIPE)
            row = {"name": f"{stage}, {k * base:,} {unit}", "stage": stage, "unit": unit, "items": k * base,
                   **json.loads(done.stdout.splitlines()[-1])}
            sizes.append(row)
            print(f"{row['name']:46}{row['cpu_s']:10.4f} s of processor time, {1e6 * row['cpu_s'] / row['items']:9.2f} "
                  f"us each, peak {row['peak_mib']:5.0f} MiB", flush=True)
        times = cost.stages(sizes)[0]["dearer"]
        print(f"{stage}: one of {sizes[-1]['items'] // base} times as many costs {times:.3f} times as much (1.1 at "
              f"most wanted: {'met' if times <= 1.1 else 'NOT MET'})", flush=True)
        found += sizes
    return found


if __name__ == "__main__":
    print(json.dumps(measured(sys.argv[1], int(sys.argv[2]))))
