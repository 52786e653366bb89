"""Results that were recorded: studies too long for a book that is made while one waits, kept in the project as JSON.

Each says when and by which command it was made, on what, with which versions, and from which data; a chapter that shows
one says that it was recorded.

Chapter: How to read and rerun.
"""

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from acp_lib.engine.cache import digest, file_digest, write
from acp_lib.profiles import ROOT

FOLDER = ROOT / "recorded"
ABOUT = ("command", "date", "commit", "hardware", "versions")
"""What each recorded result says of itself."""

PACKAGES = ("numpy", "scipy", "scikit-learn", "torch")


def about(command: str, hardware: str) -> dict:
    """What a result that is recorded now says of itself."""
    git = None
    with suppress(OSError):
        git = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return {"command": command, "date": f"{datetime.now(UTC):%Y-%m-%d}",
            "commit": (git.stdout.strip() or None) if git else None, "hardware": hardware,
            "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}}


def hardware(where: str) -> str:
    """The name of a device, as `devices.device` names it: what a result was computed on."""
    if where.startswith("cuda"):
        import torch

        return torch.cuda.get_device_name()
    return f"{os.cpu_count()} cores, {platform.machine()}"


def save(path: Path, said: dict, rows: Sequence[dict]) -> None:
    """Write a result, a row a line so that changes can be read; whole or not at all.

    Raises
    ------
    ValueError
        If a value is NaN or infinite.
    """
    lines = ",\n  ".join(json.dumps(row, ensure_ascii=False, allow_nan=False) for row in rows)
    head = json.dumps(said, ensure_ascii=False, allow_nan=False)[:-1]
    write(path, f'{head},\n "rows": [\n  {lines}\n ]}}\n')


def read(study: str) -> list[dict]:
    """The results of a study, in the order of their names: each what `save` wrote.

    Chapter: ACP-Net.
    """
    return [json.loads(path.read_text("utf8")) for path in sorted((FOLDER / study).glob("*.json"))]


def fingerprint() -> str:
    """Digest of all that is recorded."""
    files = sorted(FOLDER.rglob("*.json"))
    return digest([(path.relative_to(FOLDER).as_posix(), file_digest(path)) for path in files])


def of(result: dict, /, **wanted: object) -> list[dict]:
    """The rows of a recorded result that have some values.

    Chapter: Then and now; What would IMAC have given? A simulation.
    """
    return [row for row in result["rows"] if all(row.get(key) == value for key, value in wanted.items())]


def one(command: str, rows: Sequence[dict], /, **wanted: object) -> dict:
    """The one row that has some values.

    command : by which rows are recorded

    Raises
    ------
    ValueError
        If none has them, or several do.

    Chapter: What the released labels are worth; Other people's pairs.
    """
    found = of({"rows": rows}, **wanted)
    if len(found) != 1:
        raise ValueError(f"{len(found)} rows have {wanted}; expected one: record them anew, by {command}")
    return found[0]


def sentence(results: Sequence[dict]) -> str:
    """When, on what and by which commands results were recorded, as Markdown; several commands are folded.

    Chapter: all.
    """
    if not results:
        return "Nothing has been recorded yet."
    dates = sorted({r["date"] for r in results})
    machines = "; ".join(sorted({r["hardware"] for r in results}))
    commands = sorted({r["command"] for r in results})
    said = f"Recorded {dates[0]}" + (f" to {dates[-1]}" if len(dates) > 1 else "") + f" on {machines}"
    if len(commands) == 1:
        return f"{said} by `{commands[0]}`, not computed with this book."
    return "\n".join([f"{said}, not computed with this book.", "", '<details class="admonition fold">',
                      f'<summary class="admonition-title">The {len(commands)} commands that make these results again'
                      "</summary>", "", "~~~bash", *commands, "~~~", "", "</details>"])
