"""The article about this reproduction: its numbers by name, and its two tables, from the results of a book and from
what was recorded on real data.

Chapter: the article.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from acp_lib import __version__, paper
from acp_lib.audits import standing, verdicts
from acp_lib.engine.text import number, span
from acp_lib.findings import real
from acp_lib.findings.folds import TWO
from acp_lib.profiles import ledger
from acp_lib.results import citation, recorded, store
from acp_lib.results.tables import row_of


class Article:
    """What the article says of the results in a folder.

    folder : of one book's results
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.corpora, self.networks = folder, real.corpora(), recorded.read("networks")
        self.four, self.standing = self.rows("table4"), self.rows("standing")
        made = self.four[0]["provenance"]
        self.data, self.synthetic, self.imac = made["data"], made["synthetic"], made["profile"] == "imac"
        self.judged = verdicts.judge(verdicts.claims(), self._read, self.imac)

    def _read(self, name: str) -> list[dict] | None:
        return store.read(self.folder, name)

    def rows(self, name: str) -> list[dict]:
        """The rows of a result.

        Raises
        ------
        ValueError
            If there are none.
        """
        if rows := self._read(name):
            return rows
        raise ValueError(f"{name}.json has no rows in {self.folder.name}, and the article is about them; run the "
                         "chapters first")

    def values(self) -> dict[str, str]:
        """Each number and each name that the article's sentences show."""
        main = row_of(self.four, "ACP-Net")
        alone = [row["ours"] for row in self.four if row["row"] in ("picture alone", "music alone")]
        details = Counter(detail.status for detail in ledger.details().values())
        arithmetic = [v for v in self.judged if v.claim.rule == "arithmetic"]
        known = citation.read()
        reported = paper.CORRESPONDENCE
        found = {
            "title": known["title"], "version": __version__, "licence": known["license"],
            "authors": ", ".join(one.get("name") or f"{one['given-names']} {one['family-names']}"
                                 for one in known["authors"]),
            "reported": f"{reported['ACP-Net']:.2f} %", "reported_l3": f"{reported['L3-Net']:.2f} %",
            "reported_spectrogram": f"{reported['Spectrogram-ACP']:.2f} %",
            "images": f"{sum(paper.IMAGES.values()):,}", "songs": f"{sum(paper.SONGS.values()):,}",
            "data": self.data, "main": told(main), "network": main["network"], "runs": str(len(main["seeds"])),
            "pairs": f"{main['n_pairs']:,}", "protocol": str(main["pairs"]).replace("_", "-"),
            "two": told(row_of(self.four, TWO)), "alone": f"{number(min(alone))} and {number(max(alone))} %",
            "standing": standing.said(self.standing, self.data), "about": self._about(),
            "details": str(sum(details.values())), "ours": str(details["ours"]), "swept": str(len(ledger.swept())),
            "claims": str(len(self.judged)), "arithmetic": str(len(arithmetic)),
            "holding": counted(self.judged, self.synthetic),
            "corpora": real.listed([r["data"] for r in self.corpora] or ["no corpus"]),
            "recorded_on": "; ".join(sorted({r["hardware"] for r in [*self.corpora, *self.networks]})) or "no machine"}
        if self.corpora:
            low, high = real.range_of(self.corpora, "ACP-Net")
            ahead = real.overtaken(real.whole(self.networks))
            found |= {"real": f"{real.between(low, high)} %",
                      "real_two": f"{real.between(*real.range_of(self.corpora, TWO))} %",
                      "real_order": ahead or "no other network is shown to be ahead",
                      "real_standing": " ".join(real.sentences(self.corpora)), "real_stuck": real.stuck(self.corpora),
                      "none_of_them": "Neither" if len(self.corpora) == 2 else "None of them"}
        return found

    def _about(self) -> str:
        if self.synthetic:
            return ("These data are synthetic: pictures and songs made on the spot with known emotions. Numbers from "
                    "them show whether method and code work, and are no results on IMAC")
        return "These data are real" + ("" if self.imac else ", and not the paper's")

    def accuracies(self) -> list[dict]:
        """Table 4 of the paper: a row a method, the paper's number, this run's and those of each recorded corpus."""
        return [{"Method": row["row"], "Paper, IMAC": verdicts.in_words(row["paper"]),
                 f"This run{', synthetic' * self.synthetic}": cell(row["this run"]),
                 **{f"{r['data']}, real": cell(row[r["data"]]) for r in self.corpora}}
                for row in real.beside(self.corpora, self.four, 4)]

    def claims(self) -> list[dict]:
        """The paper's claims: a row each, with the verdict of arithmetic or this run, and of each recorded corpus."""
        there = {data: {v.claim.claim: verdicts.in_short(v) for v in some}
                 for data, some in real.judged(self.corpora).items()}
        return [{"Claim": verdict.claim.claim, "Paper": verdicts.in_words(verdict.claim.paper),
                 f"This run{', synthetic' * self.synthetic}": verdicts.called(verdict, self.synthetic),
                 **{f"{data}, real": known.get(verdict.claim.claim) for data, known in there.items()}}
                for verdict in self.judged]


def cell(row: dict | None) -> str | None:
    """An accuracy in per cent with its interval, where it has one: "74.5 (68.1 to 81.0)"; None without a row."""
    if row is None or row["ours"] is None:
        return None
    return number(row["ours"]) + (f" ({span(row['interval'])})" if row.get("interval") else "")


def told(row: dict) -> str:
    """An accuracy as a sentence has it: "74.5 % (68.1 to 81.0)"."""
    value, _, interval = (cell(row) or "").partition(" ")
    return f"{value} % {interval}".strip()


def counted(judged: Sequence[verdicts.Verdict], synthetic: bool) -> str:
    """How often data came to each verdict: "9 the method works, 2 undecided"."""
    words = Counter(verdicts.called(v, synthetic) for v in judged if v.claim.rule != "arithmetic")
    return ", ".join(f"{n} {word}" for word, n in words.most_common())
