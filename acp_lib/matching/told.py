"""Matches in words: on a terminal, on a page, and in files.

Chapter: How to read and rerun.
"""

import csv
import json
import re

import pandas as pd

from acp_lib.engine.text import MESSAGE, plain
from acp_lib.features import audio
from acp_lib.matching.scores import Matches

FORMULA = re.compile(r"[=+\-@\t\r]")
"""How a cell begins that a spreadsheet would run."""


def cautions(about: dict) -> list[str]:
    """What must be known before a score is believed: that the data was synthetic, or that the networks are not shown to
    be right more often than by chance, or nothing is known of that.
    """
    said = []
    if about["synthetic"]:
        said.append(f"WARNING: these networks were trained on SYNTHETIC data, {about['data']}: pictures and songs made "
                    "on the spot. What they say of a real photograph or recording means nothing.")
    low, high = about["test_interval"]
    if low == high:
        said.append(f"WARNING: how good these networks are is not known: of their own test pairs they call "
                    f"{_right(about)}. An interval without width says nothing: the test part has too few pictures and "
                    "songs to differ. Give them more.")
    elif low <= about["test_chance"]:
        said.append(f"WARNING: these networks are not shown to know more than chance: of their own test pairs they "
                    f"call {_right(about)}. Give them more pictures and songs, or more epochs.")
    return said


def _right(about: dict) -> str:
    low, high = about["test_interval"]
    return (f"{about['test_accuracy']:.1%} right (95 % CI {100 * low:.1f} to {100 * high:.1f}; chance "
            f"{about['test_chance']:.1%})")


def sentences(about: dict) -> dict[str, str]:
    """Whose word a score is, an entry a subject."""
    n, seeds = len(about["seeds"]), ", ".join(map(str, about["seeds"]))
    several = f"the mean over {n} networks (seeds {seeds}), and beside it the lowest and the highest alone"
    said = (f"of {about['test_pairs']:,} test pairs, {about['test_true']:.0%} of them true, "
            f"{_right(about)}; calibration error {about['test_calibration_error']:.3f}, "
            f"before calibration {about['test_calibration_error_before']:.3f}")
    last = about["settings"]["last_segment"]
    rest = f"a rest of {last:g} s or more is one of them" if last < audio.SEGMENT else "a rest is not heard"
    return {
        "network": f"{about['network']}, {about['width']}, profile {about['profile']}; "
                   + (several if n > 1 else f"one network (seed {seeds})"),
        "trained on": f"{about['data']}{' (SYNTHETIC)' if about['synthetic'] else ''}, fingerprint "
                      f"{about['data_fingerprint']}",
        "pictures seen by": f"Inception-V3, {about['image_weights']} ({about['image_weights_digest']})",
        "probability": f"of a pair drawn like those of validation, {about['validation_true']:.0%} of them true; "
                       f"temperature {about['temperature']:.3g}, fitted on {about['validation_pairs']:,} validation "
                       "pairs",
        "how good": said,
        "met in training": ", ".join(f"{n:,} of the {what}" for what, n in about["met_in_training"].items()),
        "songs": f"heard by the minute, or whole if shorter, and the mean over minutes counts; {rest}"}


def heading(found: Matches, name: str, rows: pd.DataFrame, top: int) -> str:
    """What a ranking is of."""
    what = {"picture": "songs", "song": "pictures"}[found.query]
    part = f", the first {top} of {len(rows):,}" if len(rows) > top else ""
    return f"{what.capitalize()} for {plain(name)}{part}"


def shown(row: dict) -> dict[str, str]:
    """A row of `Matches.table` as texts: probability, networks, heard."""
    return {"probability": f"{row['probability']:.3f}", "networks": f"{row['lowest']:.3f} to {row['highest']:.3f}",
            "heard": f"{row['seconds']:.0f} s"}


def refusals(found: Matches) -> list[str]:
    """A line for each file that could not be used."""
    return [f"{plain(path, MESSAGE)}, as a {what}: {plain(reason, MESSAGE)}"
            for path, reason, what in found.refused[["path", "reason", "taken_for"]].itertuples(index=False)]


def terminal(found: Matches, top: int) -> str:
    """The rankings, `top` matches each, and whose word they are."""
    what = {"picture": "song", "song": "picture"}[found.query]
    parts = []
    for name, rows in found.table.groupby(found.query, sort=False):
        best = rows.head(top).to_dict("records")
        table = pd.DataFrame([{"place": row[f"place_of_{what}"], **shown(row), what: plain(row[what])} for row in best])
        parts.append(f"{heading(found, str(name), rows, top)}\n{table.to_string(index=False)}")
    said = "\n".join(f"{name}: {plain(text, MESSAGE)}" for name, text in sentences(found.about).items())
    warnings = cautions(found.about)
    return "\n\n".join([*warnings, *parts, said, *warnings])


def as_csv(found: Matches) -> str:
    """The whole table, with the data that the networks were trained on in each row; a name that a spreadsheet would run
    as a formula begins with an apostrophe. Texts are quoted, for names that hold a line's end.
    """
    names = found.table[["picture", "song"]].map(lambda name: f"'{name}" if FORMULA.match(name) else name)
    trained = {f"trained_on_{key}": found.about[key] for key in ("data", "synthetic", "data_fingerprint")}
    return found.table.assign(**names, **trained).to_csv(index=False, float_format="%.6g", quoting=csv.QUOTE_NONNUMERIC)


def as_json(found: Matches) -> str:
    """The whole table, what was refused, and `Matches.about`; names as they are."""
    rows = {name: json.loads(table.to_json(orient="records", double_precision=6))
            for name, table in (("matches", found.table), ("refused", found.refused))}
    return json.dumps({"about": found.about, **rows}, indent=1, ensure_ascii=False)
