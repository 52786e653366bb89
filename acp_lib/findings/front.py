"""What the book found, in a few sentences for its first page, each with the table that it rests on.

Chapter: the first page.
"""

from collections.abc import Iterator

from acp_lib import paper
from acp_lib.findings import emomv, halves, labels, real
from acp_lib.findings.folds import TWO
from acp_lib.findings.real import between
from acp_lib.results import recorded

REPORTED = f"{paper.CORRESPONDENCE['ACP-Net']:.2f}"


def sentences() -> list[str]:
    """The findings as Markdown, from the recorded results and the paper's own numbers."""
    return [*_real(), *_transfer(), *_law(), *_labels(), *_pairs()]


def _real() -> Iterator[str]:
    if not (corpora := recorded.read("folds")):
        return
    (low, high), (least, most) = (real.range_of(corpora, name) for name in ("ACP-Net", TWO))
    lead = ("On real photographs and recordings ACP-Net gets less than the paper's number"
            if high < paper.CORRESPONDENCE["ACP-Net"] else "ACP-Net has been tried on real photographs and recordings")
    yield (f"**{lead}.** On {', '.join(r['data'] for r in corpora)} it is right about {between(low, high)} % of "
           f"the pairs at the paper's width; the paper has {REPORTED} % on IMAC. Two plain classifiers that are told "
           f"the classes get {between(least, most)} % ({{numref}}`tab-real-4`).")
    gaps, n = [row["ours"] for row in real.compares(corpora)], len(corpora)
    if gaps:
        yield (f"**It does more than add up** what it thinks of either half, on {len(gaps)} of {n} such corpora: it is "
               f"right {between(min(gaps), max(gaps))} points more often than its own best additive approximation "
               "({ref}`chapter-real`).")
    else:
        yield f"**That it does more than add up** is shown on none of {n} such corpora ({{ref}}`chapter-real`)."


def _transfer() -> Iterator[str]:
    if crossed := recorded.read("transfer"):
        first = [r["rows"][0] for r in crossed]
        clear = sum(row["interval"][0] > row["chance"] for row in first)
        low, high = min(row["ours"] for row in first), max(row["ours"] for row in first)
        yield (f"**What it learns of one corpus** is right about {between(low, high)} % of the pairs of another, "
               f"and clearly more often than chance in {clear} of {len(crossed)} cases ({{numref}}`tab-transfer`).")


def _law() -> Iterator[str]:
    own = {row["protocol"]: row for row in halves.by_paper()}["class_balanced"]
    yield (f"**What {REPORTED} % takes**: whoever names {own['music']} % of the music right, as the paper's features "
           f"do, needs {own['needed']:.1f} % of the pictures, in three classes, to get there by comparing names, if "
           "half of the pairs are true and errors fall on each wrong class alike ({numref}`tab-needed`).")


def _labels() -> Iterator[str]:
    for result in recorded.read("labels"):
        rows = [row for row in result["rows"] if row["kind"] == "stability"]
        two = labels.one(rows, what="two tags")
        every, single = (labels.one(rows, songs=kind, dropped=0.5) for kind in ("all", "one tag"))
        yield (f"**The labels of the songs are thin**: {100 * single['n'] / every['n']:.0f} % of the songs whose "
               "scores were released carry one emotion tag ({numref}`tab-dropped`). Of songs of several tags two are "
               f"of one class in {100 * two['value']:.0f} % of the cases, where chance would give "
               f"{100 * two['chance']:.0f} % ({{ref}}`chapter-released-labels`).")


def _pairs() -> Iterator[str]:
    for result in recorded.read("emomv"):
        rows = [row for row in result["rows"] if row.get("test") == emomv.ONCE]
        alone, network, two = (emomv.one(rows, kind="accuracy", row=name)
                               for name in (emomv.ALONE["music"], emomv.acp_net(1.0), emomv.TWO))
        lead = ("One half can give a pair away where emotions are balanced" if emomv.above(alone) else
                "Where emotions are balanced the music gives no pair away")
        yield (f"**{lead}**: on the pairs of {result['data']}, which others listed, the music alone gets "
               f"{alone['ours']:.1f} %, ACP-Net {network['ours']:.1f} %, and two classifiers that are told emotions "
               f"{two['ours']:.1f} %. When halves are crossed so that one half tells nothing, {emomv.comparing(rows)} "
               "({numref}`fig-other-pairs`).")
