"""Other people's text that reaches no shell, terminal or script: names, errors, parameters, captions, YAML."""

import json
import os
import re
import shutil
import subprocess
from types import SimpleNamespace

import numpy as np
import pytest
from bs4 import BeautifulSoup
from click.testing import CliRunner
from conftest import sound
from papermill.cli import papermill
from test_report import PARSER

import acp_lib.book.papermill  # noqa: F401 - as papermill's entry point imports it
from acp_lib import profiles
from acp_lib.book import build, rendering, report
from acp_lib.database import emid, metadata, names
from acp_lib.engine import commands
from acp_lib.engine.text import lines, plain
from acp_lib.features.__main__ import tell
from acp_lib.profiles import ROOT, ledger

TEXTS = ["<script>alert(1)</script>", "`<script>alert(1)</script>", "``` <img src=x onerror=alert(1)>", "a|`b` <i>",
         '"><img src=x onerror=alert(1)>', "[x](javascript:alert(1))", "`[x](javascript:alert(1))", "{glue:text}`n`",
         "`{{7*7}}", "```{code-cell}\nprint(1)\n```", "`$\\href{javascript:alert(1)}{x}$", "</script><script>alert(1)",
         "$(touch pwned)", ";touch pwned", "`touch pwned`", "-rf", "--config=x", '=HYPERLINK("http://x")', "../x",
         "..%2f", "/etc/passwd", "\\\\host\\share", "CON", "%s%n{0}"]
CODES = ["\x1b]0;title\x07", "\x1b[2J", "\x1b[8mhidden", "\x9b2J", "a\nerror: forged", "a\rerror: forged", "a\x08b",
         "nul\0", "\u202egpj.exe", "a\u2066b", "a\u200bb", "\u2028error: forged", "a\x85b", "\x1bP1;1q"]
BAD = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")


def markup(markdown):
    """What a page makes of Markdown, without the elements that Markdown of our own has."""
    page = BeautifulSoup(PARSER.render(markdown), "html.parser")
    return page, [tag.name for tag in page.find_all(True) if tag.name not in ("p", "ul", "li", "code", "a")]


# pages


@pytest.mark.parametrize("text", TEXTS)
def test_a_value_as_code_ends_no_code(text):
    page, named = markup(report.code(text))
    assert not named and not page.find_all("a") and page.get_text().strip() == plain(text)


@pytest.mark.parametrize("text", TEXTS[:5])
def test_a_file_of_weights_is_named_as_text(text):
    values = {name: detail.default for name, detail in ledger.details().items()}
    found = report.departures(SimpleNamespace(**values | {"alexnet_weights": f"/home/me/{text}"}))
    page, named = markup(found)
    assert not named and "home" not in page.get_text() and [a["href"] for a in page.find_all("a")] == [
        "#ledger-alexnet-weights"]


@pytest.mark.parametrize("text", CODES)
def test_no_kind_of_a_table_holds_codes(monkeypatch, text):
    found = []
    monkeypatch.setattr(report, "display", lambda data, raw: found.append(data))
    report.table([{"Tag": text}], "tab-x", "c")
    assert not any(BAD.search(kind.replace("\n", "")) for kind in found[0].values())
    assert len(found[0]["text/plain"].splitlines()) == 2


@pytest.mark.slow
@pytest.mark.parametrize("text", [*TEXTS[:5], *CODES[:3], "\u202egpj.exe"])
def test_the_announcement_of_a_book_is_text(text):
    run = build.Run(profiles.load("folder", data=text), {"data": text})
    line = next(part for part in rendering.config(run).splitlines() if "announcement" in part)
    assert not BeautifulSoup(line, "html.parser").find_all(True) and "\\e" not in line and "\\u202" not in line


# terminals and logs


@pytest.mark.parametrize("text", CODES)
def test_an_error_is_one_line_without_codes(capsys, text):
    def work():
        raise ValueError(f"corpus/images/{text} is not a label")

    assert commands.outcome(work, "acp_lib.features") == 2
    told = capsys.readouterr().err
    assert told.endswith("--help)\n") and not BAD.search(told[:-1])
    assert not [line for line in told.splitlines()[1:] if line]


@pytest.mark.parametrize("text", CODES)
def test_rejects_are_told_a_line_each(capsys, text):
    import pandas as pd

    bad = pd.DataFrame([(f"music/{text}", f"cannot be read: {text}")], columns=["path", "reason"])
    study = SimpleNamespace(extraction=SimpleNamespace(vectors=lambda _: (np.zeros((1, 193)), bad)))
    tell("music", study)
    told = capsys.readouterr().out
    assert told.count("\n") == 2 and not BAD.search(told.replace("\n", ""))


@pytest.mark.parametrize(("text", "coloured", "bare"), [
    ("\x1b[31mValueError\x1b[0m: x\n  at y", "\x1b[31mValueError\x1b[0m: x\n  at y", "ValueError: x\n  at y"),
    ("a\x1b]0;t\x07b", "a]0;tb", "a]0;tb"), ("a\x1b[2Jb", "a[2Jb", "a[2Jb"), ("a\rb", "ab", "ab"),
    ("a\tb", "a       b", "a       b"),
    ("\u202ea\x9bb", "ab", "ab"), ("\x1b[\x1b[0m2J", "[\x1b[0m2J", "[2J"),
])
def test_a_traceback_keeps_its_lines_and_colours_alone(text, coloured, bare):
    assert (lines(text, True), lines(text, False)) == (coloured, bare)


# parameters


@pytest.mark.slow
@pytest.mark.parametrize("name", ["import os; os.system('touch pwned'); x", "x\nimport os", "a.b", "a[0]", "x = 1; y",
                                  "", "class", "print(1) #"])
def test_a_parameter_that_is_no_name_is_refused(tmp_path, monkeypatch, name):
    monkeypatch.chdir(ROOT)
    done = CliRunner().invoke(papermill, ["notebooks/05_acp_net.md", str(tmp_path / "out.ipynb"), "--prepare-only",
                                          "-y", json.dumps({name: 1})])
    assert isinstance(done.exception, ValueError) and "is no name in Python" in str(done.exception)
    assert not (tmp_path / "out.ipynb").exists()


@pytest.mark.slow
@pytest.mark.parametrize("value", ['x" + __import__("os").system("touch pwned") + "', "\\", "a\nimport os", "'''",
                                   "\u2028"])
def test_a_parameters_value_is_a_text(tmp_path, monkeypatch, value):
    monkeypatch.chdir(ROOT)
    done = CliRunner().invoke(papermill, ["notebooks/05_acp_net.md", str(tmp_path / "out.ipynb"), "--prepare-only",
                                          "-y", json.dumps({"data": value})])
    cells = json.loads((tmp_path / "out.ipynb").read_text("utf8"))["cells"]
    cell, = [c for c in cells if "injected-parameters" in c["metadata"].get("tags", ())]
    held = {}
    exec("".join(cell["source"]), {"__builtins__": {}}, held)
    assert done.exit_code == 0 and held == {"data": value}


@pytest.mark.parametrize("text", ["!!python/object/apply:os.system ['touch pwned']", "!!python/name:os.system ''",
                                  "!!python/object/new:os.system [touch pwned]"])
def test_a_parameters_file_makes_no_object(tmp_path, monkeypatch, text):
    monkeypatch.chdir(ROOT)
    (tmp_path / "p.yml").write_text(f"data: {text}\n")
    done = CliRunner().invoke(papermill, ["notebooks/05_acp_net.md", str(tmp_path / "out.ipynb"), "--prepare-only",
                                          "-f", str(tmp_path / "p.yml")])
    assert "could not determine a constructor" in str(done.exception) and not (ROOT / "pwned").exists()


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
@pytest.mark.parametrize("text", ["$(shell touch pwned)", "`touch pwned`", "$$(touch pwned)", '"; touch pwned; "',
                                  "a b", "--config=x"])
@pytest.mark.parametrize("name", ["DATA", "WEIGHTS"])
def test_make_hands_a_folders_name_on_as_it_stands(tmp_path, name, text):
    python = tmp_path / "venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > told\n')
    python.chmod(0o755)
    for file in ("Makefile", "requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / file, tmp_path)
    (tmp_path / "venv/.installed").touch()
    subprocess.run(["make", "-s", "book", "VENV=venv", f"{name}={text}"], cwd=tmp_path, check=True,
                   env={k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "ARGS", "DATA", "WEIGHTS")})
    assert (tmp_path / "told").read_text().splitlines()[-3:] == ["-p", name.lower(), text]
    assert not (tmp_path / "pwned").exists()


# names and tables


@pytest.mark.parametrize(("url", "name"), [
    ("http://h/CON.jpg", "_.jpg"), ("http://h/nul", "_"), ("http://h/lpt1.x.png", "_.x.png"),
    ("http://h/. con.jpg", "_.jpg"),
    ("http://h/icon.jpg", "icon.jpg"), ("http://h/console.jpg", "console.jpg"), ("http://h/a\u061cb.jpg", "a_b.jpg"),
    ("http://h/a\u00adb.jpg", "a_b.jpg"), ("http://h/a\u2060b", "a_b"), ("http://h/a\U000e0041b", "a_b"),
])
def test_names_of_devices_and_invisible_characters(url, name):
    assert names.safe(url) == name


@pytest.mark.parametrize("title", ["x\r\n000009.ogg,forged,", 'a"b,c', "=HYPERLINK(1)", "\n", "'; --", "a\rb"])
def test_a_title_forges_no_row_of_a_table(tmp_path, title):
    emid._write_csv(tmp_path / "metadata.csv", ["id", "title", "tags"], [("1.ogg", title, "A"), ("2.ogg", "two", "B")])
    rows = metadata.read(tmp_path)[1].values()
    assert {row["id"]: row["title"] for row in rows} == {"1.ogg": title.strip(), "2.ogg": "two"}


def test_a_player_of_a_hostile_file_name_reads_the_file_alone(tmp_path):
    from acp_lib.features import audio

    file = sound(tmp_path / "$(touch pwned);-rf `x` \x1b]0;t.wav")
    assert len(audio.load(file)) and [p.name for p in tmp_path.iterdir()] == [file.name]
