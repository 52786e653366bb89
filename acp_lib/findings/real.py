"""What was recorded on real pictures and music, side by side: accuracies, sentences and verdicts.

Chapter: Real pictures, real music.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from acp_lib import paper
from acp_lib.audits import standing, verdicts
from acp_lib.audits.standing import ADDITIVE
from acp_lib.audits.verdicts import Verdict
from acp_lib.engine.text import number, span
from acp_lib.findings.folds import TWO
from acp_lib.results import convergence, recognition, recorded
from acp_lib.results.recorded import of
from acp_lib.results.scores import called
from acp_lib.study import MAIN

FED = "Inception-V3 features", "193 numbers"
PROBES = " + MLP", ", linear"
SHOWN = ("Random", "The most frequent", "Art-based features + SVM", "AlexNet, fine-tuned", "Spectrogram + CNN",
         *(name + probe for name in ("ACP-Net features", *FED) for probe in PROBES))
"""Rows of Table 5 that are shown: those of the paper, the guesser, and each probe on what ACP-Net is fed and on what it
makes of it."""

SMALL = "AlexNet", "Spectrogram + CNN"
"""What the names of networks begin with that are trained smaller than the paper's, and from random weights."""

CONVOLVED = "L3-Net", "Spectrogram-ACP"

LEVEL = 100 * convergence.plateau(50)
"""Validation accuracy on class-balanced pairs, in per cent, that a run must exceed to have left the plateau."""


def corpora() -> list[dict]:
    """What `folds` recorded, with L3-Net and Spectrogram-ACP of `networks`, which have all their channels, in place of
    any that are smaller: trained in the same folds, asked the same pairs.

    Chapter: Real pictures, real music; Paper versus ours; the first page; the article.
    """
    whole = {result["data"]: result["rows"] for result in recorded.read("networks")}
    return [{**result, "rows": _with(whole.get(result["data"], []), result["rows"])}
            for result in recorded.read("folds")]


def _with(networks: Sequence[dict], rows: Sequence[dict]) -> list[dict]:
    """Rows of `folds`, without comparisons with smaller networks, and without these where there are larger ones."""
    made = [{"network": MAIN, **row} if row["table"] == "how_sure" else row for row in networks
            if row["row"] in CONVOLVED]
    smaller = ("how_sure", 4) if made else ("how_sure",)
    return [row for row in rows if row["row"] not in CONVOLVED or row["table"] not in smaller] + made


def beside(results: Sequence[dict], live: Sequence[dict], table: int, what: str = "") -> list[dict]:
    """A row for each method of a table: "row" (its name), "paper" and, by the name of the data, the rows themselves.

    results : recorded; live : of this run, under "this run"
    what : how the question begins, of Table 5: "picture" or "music"

    Chapter: Real pictures, real music.
    """
    held = {"this run": list(live), **{result["data"]: of(result, table=table) for result in results}}
    names = dict.fromkeys(_name(row) for rows in held.values() for row in rows if _shown(row, what))
    found = []
    for name in names:
        own = {data: next((r for r in rows if _name(r) == name and _shown(r, what)), None)
               for data, rows in held.items()}
        reported = next((r["paper"] for r in own.values() if r and r.get("paper") is not None), None)
        found.append({"row": name, "paper": reported, **own})
    return found


def audited(rows: Sequence[dict]) -> list[dict]:
    """The audited ACP-Net of this run and its best additive approximation, as rows of Table 4 have them; the accuracy
    of the latter is the former's less its lead, and has no interval of its own.

    rows : of this run, as `standing.load` returns them

    Chapter: Real pictures, real music.
    """
    own, gap = (next(row for row in rows if row["row"] == name) for name in ("ACP-Net", ADDITIVE))
    return [own, {"row": ADDITIVE, "ours": own["ours"] - gap["ours"]}]


def _shown(row: dict, what: str) -> bool:
    return not what or (row["what"].startswith(what) and row["row"] in SHOWN)


def _name(row: dict) -> str:
    """Main networks of several widths share a line: what they are is said beside the table."""
    return called(row, short=True) if row["row"].startswith("ACP-Net") else row["row"]


def sentences(results: Sequence[dict]) -> list[str]:
    """What ACP-Net is shown to do on each corpus, by the steps and in the words of all chapters.

    Chapter: Real pictures, real music.
    """
    return [standing.said(of(result, table="standing"), result["data"]) for result in results]


def judged(results: Sequence[dict]) -> dict[str, list[Verdict]]:
    """The verdicts on the claims that are about ACP-Net's lead over chance or over another way, by corpus: the rules
    are those of the chapter of verdicts, and each corpus is a family of its own. No claim is judged about networks that
    are smaller here than the paper's.

    results : as `corpora` gives them

    Chapter: Real pictures, real music; Verdicts.
    """
    files = {"standing", "how_sure", "recognition"}
    some = [c for c in verdicts.claims() if c.rule == "above" and c.value and c.value["file"] in files
            and not any(name in c.value["row"]["row"] for name in SMALL)]

    def read(result: dict, table: str) -> list[dict]:
        return of(result, table=table)

    return {result["data"]: verdicts.judge(some, partial(read, result), imac=False) for result in results}


def range_of(results: Sequence[dict], name: str, table: object = 4, **wanted: object) -> tuple[float, float]:
    """The lowest and the highest number of a row over the corpora, in per cent or points.

    wanted : other values that the row must have, such as its "what"; of ACP-Net the main network comes first

    Chapter: Real pictures, real music.
    """
    return extremes(next(row for row in of(result, table=table) if row["row"] == name
                         and all(row.get(key) == value for key, value in wanted.items())) for result in results)


def extremes(rows: Iterable[dict]) -> tuple[float, float]:
    """The lowest and the highest "ours" of some rows.

    Chapter: Real pictures, real music.
    """
    found = [row["ours"] for row in rows]
    return min(found), max(found)


def between(low: float, high: float, digits: int = 1) -> str:
    """Two numbers as a range, one where they are the same with these decimals.

    Chapter: Real pictures, real music.
    """
    return " to ".join(dict.fromkeys(f"{value:.{digits}f}" for value in (low, high)))


def listed(names: Sequence[str]) -> str:
    """Names as a sentence has them: "A", "A and B", "A, B and C".

    Chapter: Real pictures, real music; the first page; the article.
    """
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def on_corpora(some: int, every: int) -> str:
    """On how many of the corpora something holds: "on both corpora", "on all 3 corpora", "on 1 of 2 corpora".

    Chapter: Real pictures, real music; the first page.
    """
    if some < every:
        return f"on {some} of {every} corpora"
    return {1: "on the one corpus", 2: "on both corpora"}.get(every, f"on all {every} corpora")


def stuck(results: Sequence[dict]) -> str:
    """In how many runs of the main ACP-Net no epoch scored more than on the plateau, in words.

    Chapter: Real pictures, real music; the first page; the article.
    """
    rows = [row for result in results for row in of(result, table=4, row="ACP-Net", network=MAIN)]
    held, made = (sum(row[key] for row in rows) for key in ("stuck", "runs"))
    return f"In {held} of its {made} runs no epoch exceeded {LEVEL:g} % on validation pairs"


def unlike_chance(results: Sequence[dict]) -> str:
    """Where the most frequent class of Table 5 is named right less often than by chance, so that chance is the bar,
    and how far a perceptron on ACP-Net's features lies above that; empty where it is so nowhere. Sentences.

    Chapter: Real pictures, real music.
    """
    said = []
    for result in results:
        for row in of(result, table=5, row="The most frequent"):
            chance = 100 / len(row["classes"])
            if row["ours"] < chance:
                own, = of(result, table=5, row=recognition.ACP_NET, what=row["what"])
                low, high = (end - chance for end in own["interval"])
                said.append(f"On {result['data']} the class that is the most frequent in the training part is right "
                            f"in {row['ours']:.1f} % of cases ({row['what']}), less than chance, one in "
                            f"{len(row['classes'])}. So chance, {chance:.1f} %, is the bar there: the lead of an MLP "
                            f"on ACP-Net's features over it is {number(own['ours'] - chance, sign='+')} points (95 % "
                            f"CI {span((low, high), sign='+')}).")
    return " ".join(said)


def ranged(results: Sequence[dict], table: int, row: dict) -> str | None:
    """The lowest and the highest number of a row of this run over the corpora, of one network and asked for as many
    classes: "53.0 to 55.3"; None where none has it, or where the network is small.

    Chapter: Paper versus ours.
    """
    alike = {"row", "what", "network"}
    found = [r["ours"] for result in results for r in of(result, table=table)
             if all(r.get(key) == row.get(key) for key in alike) and not row["row"].startswith(SMALL)]
    return between(min(found), max(found)) if found else None


def behind(results: Sequence[dict]) -> list[str]:
    """The corpora on which the main ACP-Net is right less often than two classifiers, by its mean, each with the
    difference and its interval.

    Chapter: Real pictures, real music.
    """
    return [f"{data} ({_points(row)})" for data, row in _leads(results, TWO).items() if row["ours"] < 0]


def whole(results: Sequence[dict]) -> list[dict]:
    """The networks that were trained with all their channels, a row each: "data", "row" (its name), "parameters",
    "inputs", "runs", "epochs" of all of them and the "most" that they could have had, "stuck", "ours" and "interval" of
    the accuracy, and of the others "lead", ACP-Net's, with its "lead_interval", "leads" (one a fold), and "reported",
    the paper's lead.

    results : recorded by `networks`

    Chapter: Real pictures, real music.
    """
    found = []
    for result in results:
        leads = {row["row"]: row for row in of(result, table="how_sure")}
        for row in of(result, table=4):
            lead = leads.get(row["row"])
            most = row["runs"] * result["settings"]["epochs"]
            found.append({"data": result["data"], **row, "most": most, "lead": lead and lead["ours"],
                          "lead_interval": lead and lead["interval"], "leads": lead and lead["values"],
                          "reported": lead and paper.CORRESPONDENCE["ACP-Net"] - paper.CORRESPONDENCE[row["row"]]})
    return found


def orders(rows: Sequence[dict]) -> list[str]:
    """By how much ACP-Net leads each other network of `whole`, on how many corpora that is beyond luck, and on how many
    the interval contains the paper's lead: a sentence or two for each network, none without one.

    Chapter: Real pictures, real music; the first page.
    """
    return [_order(name, [row for row in rows if row["row"] == name])
            for name in dict.fromkeys(row["row"] for row in rows if row["lead"] is not None)]


def _order(name: str, rows: Sequence[dict]) -> str:
    leads, reported = [row["lead"] for row in rows], rows[0]["reported"]
    every = f"Of the {len(rows)} intervals" if len(rows) > 1 else "Of the one interval"

    def some(holds: Callable[[float, float], bool]) -> str:
        data = [row["data"] for row in rows if holds(*row["lead_interval"])]
        return f"{len(data)} ({listed(data)})" if data else "none"

    behind = [value for row in below(rows) for value in row["leads"]]
    each = ", where the lead is negative in every fold" if behind and max(behind) < 0 else ""
    return (f"ACP-Net's lead over {name} is {span((min(leads), max(leads)), sign='+')} points. {every}, above zero: "
            f"{some(lambda low, high: low > 0)}; below zero: {some(lambda low, high: high < 0)}{each}; containing the "
            f"paper's {reported:.1f} points: {some(lambda low, high: low <= reported <= high)}.")


def below(rows: Sequence[dict]) -> list[dict]:
    """The rows of `whole` in which the other network is shown to be ahead of ACP-Net."""
    return [row for row in rows if row["lead"] is not None and row["lead_interval"][1] < 0]


def beyond(results: Sequence[dict]) -> str:
    """On each corpus the accuracy of Spectrogram-ACP and that of late fusion, which is given what ACP-Net is given.

    Chapter: Real pictures, real music.
    """
    said = []
    for result in results:
        rows = {row["row"]: row["ours"] for row in of(result, table=4)}
        if "Spectrogram-ACP" in rows:
            said.append(f"{result['data']}, {rows['Spectrogram-ACP']:.1f} against {rows[TWO]:.1f} %")
    return "; ".join(said)


def overtaken(rows: Sequence[dict]) -> str:
    """Which networks of `whole` are shown to be ahead of ACP-Net, and where: "L3-Net is ahead of ACP-Net on A and B".

    Chapter: Real pictures, real music; the first page.
    """
    ahead = {name: [row["data"] for row in below(rows) if row["row"] == name] for name in CONVOLVED}
    return "; ".join(f"{name} is ahead of ACP-Net on {listed(data)}" for name, data in ahead.items() if data)


def _leads(results: Sequence[dict], name: str) -> dict[str, dict]:
    """The row of the main ACP-Net's lead over another method, by corpus."""
    return {result["data"]: row for result in results for row in of(result, table="how_sure")
            if row["row"] == name and row["network"] == MAIN}


def _points(row: dict) -> str:
    return f"{number(row['ours'], sign='+')} points, 95 % CI {span(row['interval'], sign='+')}"


def learnt(result: dict, modality: str) -> str:
    """Whether a linear probe reads more from what ACP-Net makes of its input than from the input, in words.

    modality : "picture" or "music"

    Chapter: Real pictures, real music.
    """
    rows = {row["row"]: row["ours"] for row in of(result, table=5) if row["what"].startswith(modality)}
    fed = next(rows[name + PROBES[1]] for name in FED if name + PROBES[1] in rows)
    own = rows["ACP-Net features" + PROBES[1]]
    return f"{result['data']}, {modality}: {own:.1f} % against {fed:.1f} %"


def adds_up(results: Sequence[dict]) -> str:
    """On how many corpora ACP-Net is shown to do more than add up, and by how much, in words.

    Chapter: Real pictures, real music; the first page.
    """
    if not (gaps := [row["ours"] for row in compares(results)]):
        return f"that it does more than add up has been shown on none of {len(results)} corpora"
    return (f"it does more than add up its judgements of the two halves {on_corpora(len(gaps), len(results))}: there "
            f"its lead over its own best additive approximation is {between(min(gaps), max(gaps))} points")


def compares(results: Sequence[dict]) -> list[dict]:
    """Of the corpora on which ACP-Net is shown to compare, the row of its gap to its best additive approximation.

    Chapter: Real pictures, real music.
    """
    return [next(row for row in of(result, table="standing") if row["row"] == ADDITIVE) for result in results
            if standing.reached(of(result, table="standing")) == "compares"]
