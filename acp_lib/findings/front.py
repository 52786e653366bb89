"""What the book found, for its first page: a few sentences, each with the table that it rests on, and what can be
reached without comparing the halves of a pair.

Chapter: the first page.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from acp_lib import paper
from acp_lib.audits import additive, shortcuts
from acp_lib.database import released
from acp_lib.emotions import CLASSES
from acp_lib.experiment.pairs import PROTOCOLS
from acp_lib.findings import emomv, encoders, halves, labels, power, real, simulation, transfer
from acp_lib.findings.folds import TWO
from acp_lib.findings.real import between
from acp_lib.results import recorded
from acp_lib.results.scores import called

REPORTED = f"{paper.CORRESPONDENCE['ACP-Net']:.2f}"


def sentences() -> list[str]:
    """The findings as Markdown, from the recorded results and the paper's own numbers."""
    return [*_real(), *_networks(), *_transfer(), *_law(), *_power(), *_labels(), *_songs(), *_pairs(), *_encoders(),
            *_simulated()]


def shortcuts_by_protocol() -> tuple[dict[str, float], dict[str, float]]:
    """By protocol of pairs, with the classes of the paper's Table 3, the best accuracy in per cent of a one-sided
    baseline, and of a scorer that adds up both halves.
    """
    pictures, songs = (np.array([table[c] for c in CLASSES]) for table in (paper.IMAGES, paper.SONGS))
    best = shortcuts.guessers(pictures, songs)[list(shortcuts.KNOWS)].max(axis=1)
    return best.to_dict(), additive.ceilings(pictures, songs, PROTOCOLS)


def caption() -> str:
    """What `shortcuts_by_protocol` shows, as Markdown."""
    one_sided, adding = shortcuts_by_protocol()
    passed, added = (sum(v > paper.CORRESPONDENCE["ACP-Net"] for v in some.values()) for some in (one_sided, adding))
    below = f"all {added}" if added == len(adding) else str(added)
    return (f"**The paper does not say how its pairs were drawn.** With its class proportions, under {passed} of "
            f"{len(one_sided)} pair protocols a guesser who knows the class of one half of each pair, and nothing "
            f"of the other, passes {REPORTED} % (dots, {{ref}}`chapter-splits`). Under {below} one who knows both and "
            "merely adds up does (circles, {ref}`chapter-cross-modal`). These are upper bounds; a network has to guess "
            "the class. Accuracies in per cent.")


def _real() -> Iterator[str]:
    if not (corpora := real.corpora()):
        return
    (low, high), (least, most) = (real.range_of(corpora, name) for name in ("ACP-Net", TWO))
    lead = ("On real photographs and recordings ACP-Net scores less than in the paper"
            if high < paper.CORRESPONDENCE["ACP-Net"] else "ACP-Net was tested on real photographs and recordings")
    yield (f"**{lead}.** At the paper's width it is right on {between(low, high)} % of the class-balanced pairs of "
           f"corpora that pair published photographs with published music "
           f"({real.listed([r['data'] for r in corpora])}, {{ref}}`chapter-real`); the paper reports {REPORTED} % on "
           f"its database, IMAC. {real.stuck(corpora)}. Late fusion of two classifiers, which are trained on class "
           f"labels, scores {between(least, most)} % ({{numref}}`tab-real-4`).")
    lead, rest = real.adds_up(corpora).split("add up", 1)
    yield (f"**{lead[0].upper()}{lead[1:]}add up**{rest} (by the audit network; the corpora share "
           "pictures or music with one another, {ref}`chapter-real`).")


def _networks() -> Iterator[str]:
    rows = real.whole(recorded.read("networks"))
    if said := real.orders(rows):
        yield (f"**{real.overtaken(rows) or 'The networks in their order'}**, with all their channels, smaller inputs "
               f"than the paper's, and one run a fold ({{numref}}`tab-real-networks`). {' '.join(said)} Corpora that "
               "share pictures or music are no independent tests.")


def _transfer() -> Iterator[str]:
    if crossed := recorded.read("transfer"):
        asked = [row for r in crossed for row in r["rows"] if row["row"] == "ACP-Net"]
        yield (f"**Trained on one corpus** it is right on {between(*real.extremes(asked))} % of the pairs of another, "
               f"{transfer.clear(asked, len(crossed))} ({{numref}}`tab-transfer`).")


def _law() -> Iterator[str]:
    own = {row["protocol"]: row for row in halves.by_paper()}["class_balanced"]
    yield (f"**What {REPORTED} % takes.** With the paper's {own['music']} % on music, late fusion reaches it if it "
           f"scores {own['needed']:.1f} % on three classes of pictures, half of the pairs are true and errors are "
           "spread evenly over the wrong classes ({numref}`tab-needed`).")


def _power() -> Iterator[str]:
    if told := power.sentence(recorded.read("power")):
        yield f"**How much luck one run leaves.** {told} ({{ref}}`chapter-power`)."


def _labels() -> Iterator[str]:
    for result in recorded.read("labels"):
        rows = [row for row in result["rows"] if row["kind"] == "stability"]
        two = labels.one(rows, what="two tags")
        every, single = (labels.one(rows, songs=kind, dropped=0.5) for kind in ("all", "one tag"))
        yield (f"**The labels of the songs rest on few tags.** {100 * single['n'] / every['n']:.0f} % of the songs "
               "with released scores carry one emotion tag ({numref}`tab-dropped`). Where there are several, two tags "
               f"of a song are of one class in {100 * two['value']:.0f} % of cases, against "
               f"{100 * two['chance']:.0f} % by chance ({{ref}}`chapter-released-labels`).")


def _songs() -> Iterator[str]:
    left = released.survival(released.labelled(released.released()), paper.SONGS)
    lead = "**The paper's songs are not a random sample of those scored.** " * (left.p < 0.05)
    share = left.rows.set_index("row")["share"]
    yield (f"{lead}The paper counts {100 * share['positive']:.0f} % of the songs that released scores make positive, "
           f"and {100 * share['negative']:.0f} % of the negative ones (p = {left.p:.1g}, {{numref}}`tab-survival`).")


def _pairs() -> Iterator[str]:
    for result in recorded.read("emomv"):
        rows = [row for row in result["rows"] if row.get("test") == emomv.ONCE]
        alone, network, two = (emomv.one(rows, kind="accuracy", row=name)
                               for name in (emomv.ALONE["music"], emomv.acp_net(1.0), emomv.TWO))
        lead = ("One half can give a pair away where emotions are balanced" if emomv.above(alone) else
                "Where emotions are balanced the music gives no pair away")
        yield (f"**{lead}**: on the music videos of {result['data']} a music-only baseline is right on "
               f"{alone['ours']:.1f} % of the pairs, ACP-Net on {network['ours']:.1f} %, and late fusion of two "
               f"classifiers on {two['ours']:.1f} %. Where true pairs are crossed two by two, in squares, so that one "
               f"half tells nothing, {emomv.comparing(rows)} ({{numref}}`fig-other-pairs`).")


def _encoders() -> Iterator[str]:
    kept = recorded.read("encoders")
    if best := encoders.gained(kept, encoders.TWO):
        yield ("**With other encoders** than the paper's and all else as before, late fusion of two classifiers scores "
               f"at best: {'; '.join(best)} ({{numref}}`fig-then-and-now`).{_trained(kept)}"
               f"{encoders.reservation(kept)} The highest of several is partly luck, and the music encoders have "
               "learnt labels of moods, perhaps on these songs ({ref}`chapter-then-and-now`).")


def _trained(kept: Sequence[dict]) -> str:
    """What the network gains by the same encoders."""
    best = encoders.gained(kept, encoders.ACP_NET)
    names = dict.fromkeys(called(row) for result in kept for row in recorded.of(result, table="pairs")
                          if row["row"] == encoders.ACP_NET)
    return f" {real.listed(list(names))} gets: {'; '.join(best)}." if best else ""


def _simulated() -> Iterator[str]:
    kept = recorded.read("simulation")
    for result in simulation.full(kept):
        yield (f"**Simulated, not measured**: {simulation.sentence(result)} ({{numref}}`tab-simulation-p`). Real "
               f"halves contradict the simulator in {simulation.failures(kept)} ({{numref}}`tab-simulation-check`); "
               f"ACP-Net itself is checked in {simulation.by_network(kept)} cases.")
