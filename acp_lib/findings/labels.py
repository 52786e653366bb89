"""What the labels of IMAC's songs are worth, by the scores that its authors released: what `stability` and `valence`
say of them, how ties were broken, and a command that records it.

Chapter: What the released labels are worth.
"""

from __future__ import annotations

import shlex
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from functools import partial
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd

from acp_lib import paper
from acp_lib.database import imac, released
from acp_lib.emotions import CLASSES
from acp_lib.engine import commands
from acp_lib.engine.cache import file_digest
from acp_lib.findings import stability, valence
from acp_lib.findings.stability import DRAWS, NONE, counts
from acp_lib.results import recorded

FEWEST = 10
EXAMPLES = """\
examples:
  %(prog)s --scores imac/SongEmotionScore.csv                           stability and ties
  %(prog)s --scores imac/SongEmotionScore.csv --deezer deezer.csv       and against Deezer's valence and arousal

The scores are on the authors' page. The other file has a song of theirs a line, under the header
MSD_track_id,imac_pos_neu_neg,deezer_valence,deezer_arousal. It takes a minute; neither file is kept, what is counted in
them goes to --out.
"""


# --- ties


def broken(scores: np.ndarray) -> list[dict]:
    """What each rule for ties makes of scores: six orders of the classes, of which the first that takes part in a tie
    gets it, ties left out, and a class of those tied at random, of which the mean is told.

    Returns
    -------
    rows {"rule", songs of each class, "changed" (songs whose label is not the paper's), "possible" (whether the paper's
    Table 3 has no more of any class), "chi2" and "p" (of the loss being the same in each class; None where it is not
    possible)}

    Chapter: What the released labels are worth.
    """
    top = scores == scores.max(1, keepdims=True)
    paper_rule, tied = np.eye(NONE)[stability.labels(scores)], top.sum(1) > 1
    rules = {" > ".join(CLASSES[k] for k in order): np.eye(NONE)[stability.labels(scores, order)]
             for order in permutations(range(NONE))}
    rules |= {"left out": np.where(tied[:, None], 0, top), "at random": top / top.sum(1, keepdims=True)}
    rows = []
    for rule, given in rules.items():
        made = {c: round(float(n)) for c, n in zip(CLASSES, given.sum(0), strict=True)}
        possible = all(made[c] >= paper.SONGS[c] for c in CLASSES)
        left = released.survival(made, paper.SONGS) if possible else None
        rows.append({"rule": rule, **made, "changed": round(float(len(given) - (given * paper_rule).sum())),
                     "possible": possible, "chi2": left and left.chi2, "p": left and left.p})
    return rows


# --- all of it


def rows(songs: pd.DataFrame, deezer: pd.DataFrame | None = None, draws: int = DRAWS) -> list[dict]:
    """All that is recorded, a row a number: "kind" is "stability", "ties" or, with a table of Deezer's, "deezer".

    songs : as `imac.songs` reads them; deezer : as `valence.joined` gives them

    Raises
    ------
    ValueError
        If a class has songs of fewer than FEWEST artists, over which intervals are taken.
    """
    songs = songs.dropna(subset="class")
    for name, table in {"the scores": songs, "Deezer's table": songs if deezer is None else deezer}.items():
        artists = table.groupby("class")["artist"].nunique().reindex(CLASSES, fill_value=0)
        if artists.min() < FEWEST:
            raise ValueError(f"{name}: the {artists.idxmin()} songs are of {artists.min()} artists; expected {FEWEST} "
                             "or more in each class, over which intervals are taken")
    scores, artist = counts(songs), songs["artist"].to_numpy()
    found = {"stability": [*stability.surviving(scores, artist), *stability.ceilings(scores, artist, draws),
                           *stability.reliability(scores, artist, draws)],
             "ties": broken(scores), "deezer": [] if deezer is None else valence.against(deezer, draws)}
    return [{"kind": kind, **{key: _rounded(value) for key, value in row.items()}}
            for kind, some in found.items() for row in some]


def _rounded(value: object) -> object:
    if isinstance(value, list):
        return [_rounded(v) for v in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


# --- what was recorded

one = partial(recorded.one, "python -m acp_lib.findings.labels")


def rule(ties: Sequence[dict]) -> str:
    """Which rules for ties can have been the paper's, in words, by rows of `broken`.

    Chapter: What the released labels are worth.
    """
    could = sorted((r for r in ties if r["possible"]), key=lambda r: r["chi2"])
    if not could:
        return "no rule gives as many songs in each class as the paper counts: it used another rule, or other songs"
    loss = "; ".join(f"{r['rule']}: χ² = {r['chi2']:.1f}" for r in could)
    uneven = "; even so, the classes lose unequal shares" if could[0]["p"] < 0.05 else ""
    return (f"{len(could)} of {len(ties)} rules give at least as many songs in each class as the paper counts. The "
            f"missing songs are spread most evenly under {could[0]['rule']} ({loss}){uneven}")


def beside(accuracy: float, ceiling: dict) -> str:
    """Where an accuracy in per cent lies beside a share with its interval, in words.

    Chapter: What the released labels are worth.
    """
    low, high = (100 * end for end in ceiling["interval"])
    return f"{'below' if accuracy < low else 'above' if accuracy > high else 'within'} the CI"


# --- recording


def main(argv: list[str] | None = None, prog: str = "python -m acp_lib.findings.labels") -> int:
    """Exit code: as `commands.outcome`."""
    parser = ArgumentParser(prog=prog, description=__doc__, epilog=EXAMPLES,
                            formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("--scores", type=Path, required=True, metavar="FILE", help="the authors' SongEmotionScore.csv")
    parser.add_argument("--deezer", type=Path, metavar="FILE", help="valence and arousal of songs of theirs")
    parser.add_argument("--out", type=Path, default=recorded.FOLDER / "labels" / "imac.json", metavar="FILE",
                        help="where to keep the result (recorded/labels/imac.json)")
    options = parser.parse_args(argv)

    def work() -> None:
        files = {name: path for name in ("scores", "deezer") if (path := getattr(options, name))}
        songs = imac.songs(options.scores)
        made = rows(songs, valence.joined(options.deezer, songs) if options.deezer else None)
        told = shlex.join([word for name, path in files.items() for word in (f"--{name}", path.name)])
        about = recorded.about(f"{prog} {told}", recorded.hardware("cpu"))
        recorded.save(options.out, about | {"data": "IMAC", "files": {path.name: file_digest(path)
                                                                      for path in files.values()}}, made)
        print(f"{len(made)} rows in {options.out}")

    return commands.outcome(work, prog)


if __name__ == "__main__":
    sys.exit(main())
