"""What chapters show: other people's text letter by letter, tables, players, and files of results."""

import base64
import html
import io
import json
import os
import re
import unicodedata
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import soundfile
import yaml
from bs4 import BeautifulSoup
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it.renderer import RendererHTML
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser

from acp_lib.book import report
from acp_lib.book.report import LONGEST, NOTHING, Markdown, escape, plain, shown
from acp_lib.engine.text import span
from acp_lib.profiles import ROOT, ledger
from acp_lib.results import store

EXTENSIONS = yaml.safe_load((ROOT / "_config.yml").read_text("utf8"))["parse"]["myst_enable_extensions"]
PARSER = create_md_parser(MdParserConfig(enable_extensions=set(EXTENSIONS)), RendererHTML)

HOSTILE = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "&lt;b&gt; &amp; &#x41;", "<!-- x -->", "a|b||c\\|d",
    "`code` ``more``", "```{code-cell}\nprint(1)\n```", ":::{note}\nx\n:::", "{{ secret }}", "{% raw %}",
    "{numref}`fig-x` {ref}`y`", "$x^2$ $$y$$ \\(z\\) \\begin{equation}", "[a](http://b.c) ![p](q.png) <http://x.y>",
    "[^1] [^1]: note", "[ref]: http://a.b", "**bold** __bold__ *i* _i_ ~~s~~", "# Title", "Title\n=====", "- item",
    "1. item", "1) item", "+ item", "> quote", "- [ ] task", "Term\n: definition", "a  \nb\\\nc", "---", "***", "+++",
    "% comment", "(target)=", "{#id .class}", "[span]{.x}", "| a | b |\n|---|---|", "\ttab", "    four spaces",
    'quotes "double" \'single\'', "back\\slash\\", "http://example.org www.example.org me@example.org",
    "@cite {cite:p}`x`",
    "caf\u00e9 \u6f22\u5b57 \U0001f600", "--- -- ... (c) (tm) +-",
]
INVISIBLE = ["\u202eabc", "\u200eabc\u200f", "\u2066abc\u2069", "a\x00bc", "a\x1b[31mbc", "\ufeffabc", "a\u00adbc",
             "ab\u200bc", "a\u200dbc", "abc\ue000", "abc\ufffe", "\U000e0041abc"]
TEXT = st.text(st.one_of(st.characters(), st.sampled_from("\\`*_{}[]()<>#+-.!|&$:~^\"'%@=/ \t\n\r1a")), max_size=200)


def rendered(markdown):
    """The text that the book's parser finds, or None if it finds anything but one paragraph of text."""
    tokens = PARSER.parse(markdown, {})
    if not tokens:
        return ""
    if [t.type for t in tokens] != ["paragraph_open", "inline", "paragraph_close"]:
        return None
    parts = tokens[1].children
    return "".join(t.content for t in parts) if {t.type for t in parts} == {"text"} else None


@pytest.mark.slow
@given(TEXT)
@example("x" * 10_000)
def test_escaped_text_is_shown_letter_by_letter(text):
    assert rendered(escape(text)) == plain(text)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_text(text):
    assert rendered(escape(text)) == plain(text) == re.sub(r"\s+", " ", text).strip()


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_text_within_a_sentence_and_a_table(text):
    assert rendered(f"Said by {escape(text)}, twice.") == f"Said by {plain(text)}, twice."
    assert cells(f"| a | b |\n| --- | --- |\n| {escape(text)} | 1 |\n") == [["a", "b"], [plain(text), "1"]]


@given(TEXT)
def test_plain_is_one_short_line_of_visible_characters(text):
    found = plain(text)
    assert len(found) <= LONGEST and found == found.strip() and plain(found) == found
    assert not any(c in found for c in "\n\r\t\x0b\x0c\u2028\u2029")
    assert {unicodedata.category(c) for c in found}.isdisjoint({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@pytest.mark.parametrize("text", INVISIBLE)
def test_what_cannot_be_seen_is_left_out(text):
    assert plain(text) in ("abc", "a[31mbc")


@pytest.mark.parametrize(("text", "expected"), [
    ("  a \n\t b  ", "a b"), ("", ""), (" \u2003\u2028 ", ""), ("\ud800x", "x"), (7, "7"), (None, "None"),
    ("x" * 120, "x" * 120), ("x" * 121, "x" * 119 + "\u2026"), ("x" * 10_000, "x" * 119 + "\u2026"),
])
def test_plain(text, expected):
    assert plain(text) == expected


def test_the_length_can_be_set():
    assert plain("abcdef", 4) == "abc\u2026" and escape("*****", 4) == "\\*\\*\\*\u2026"


# cells


@pytest.mark.parametrize(("value", "expected"), [
    (None, NOTHING), (float("nan"), NOTHING), (np.float32("nan"), NOTHING), (True, "yes"), (np.bool_(False), "no"),
    (0, "0"), (1234567, "1,234,567"), (np.int64(1200), "1,200"), (-5, "-5"), (10**30, f"{10**30:,}"), (2.0, "2.0"),
    (61.678, "61.7"), (np.float64(1234.56), "1,235"), (np.float32(0.25), "0.2"), (-0.04, "0.0"), (-0.06, "-0.1"),
    (14435.02, "14,435"), (999.94, "999.9"), (-1234.5, "-1,234"), (np.float64("inf"), "inf"),
    ("a|b", r"a\|b"), (Markdown("**a**|b"), "**a**|b"), ("", ""),
])
def test_shown(value, expected):
    assert shown(value) == expected


def test_decimals():
    assert [shown(1.005, 2), shown(61.666, 2), shown(2.5, 0), shown(7, 2)] == ["1.00", "61.67", "2", "7"]
    assert [report.percent(0.61666), report.percent(1), report.percent(0.5, 0)] == ["61.7", "100.0", "50"]


def test_an_interval_as_text():
    assert [report.span((54.46, 62.9)), report.span([-0.004, 1.25], 2), report.span(None)] == [
        "54.5 to 62.9", "0.00 to 1.25", None]
    assert [span((-0.04, 0.04), sign="+"), span((-2.25, 1234.5), sign="+")] == ["+0.0 to +0.0", "-2.2 to +1,234"]


def test_a_p_value_as_text():
    found = [report.p_value(p) for p in (0.05, 0.001, 0.00099, 1.0, None)]
    assert found == ["0.050", "0.001", "< 0.001", "1.000", None]


def test_values_as_code_and_links_to_the_ledger():
    assert [report.code(v) for v in (0.5, 1e-4, 64, "relu", None)] == ["`0.5`", "`0.0001`", "`64`", "`relu`", "`None`"]
    assert report.ledger_entry("fc_width") == "[`fc_width`](#ledger-fc-width)"
    assert isinstance(report.code(1), Markdown) and isinstance(report.ledger_entry("pairs"), Markdown)


def test_settings_that_are_not_the_ledgers_are_listed_with_links():
    own = {name: detail.default for name, detail in ledger.details().items()}
    assert report.departures(SimpleNamespace(**own, seed=3)) == "- All settings are those of the ledger."
    found = report.departures(SimpleNamespace(**own | {"epochs": 2, "pairs": "uniform"}))
    assert found == (f"- Settings (ledger's in brackets): [`pairs`](#ledger-pairs) `uniform` (`{own['pairs']}`), "
                     f"[`epochs`](#ledger-epochs) `2` (`{own['epochs']}`).")
    found = report.departures(SimpleNamespace(**own | {"epochs": 2, "pairs": "uniform"}), ["seed", "pairs"])
    assert found == f"- Settings (ledger's in brackets): [`pairs`](#ledger-pairs) `uniform` (`{own['pairs']}`)."


SIGNED = re.compile(r"\{[^{}\n]*:\+\.\d+f\}|\{glue:text\}`\w+:\+\.")


def test_no_page_can_show_a_zero_with_a_minus():
    pages = [*(ROOT / "notebooks").glob("*.md"), *(p for room in ("audits", "book", "findings", "results")
                                                   for p in (ROOT / "acp_lib" / room).glob("*.py"))]
    assert {p.name: found for p in pages if (found := SIGNED.findall(p.read_text("utf8")))} == {}
    assert SIGNED.search("f\"{gap:+.1f}\"") and SIGNED.search("{glue:text}`gap:+.1f`")
    assert not SIGNED.search("{gap:+z.1f}")


def test_a_song_is_called_by_its_title_and_artist():
    rows = pd.DataFrame({"id": ["s1", "s2", "s3"], "title": ["Blue", "", "Red"], "artist": ["", "Ann", "Bob"]})
    assert [report.song(row) for _, row in rows.iterrows()] == ["Blue", "s2, Ann", "Red, Bob"]


# tables


def cells(markdown):
    """Rows of a Markdown table's texts."""
    rows = []
    for token in PARSER.parse(markdown, {}):
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            assert {t.type for t in token.children} <= {"text"}
            rows[-1].append("".join(t.content for t in token.children))
    return rows


@pytest.fixture
def displayed(monkeypatch):
    """What was displayed, by its MIME types."""
    found = []
    monkeypatch.setattr(report, "display", lambda data, raw: found.append(data))
    return found


def directive(markdown):
    """Argument, name and body of the one directive that the parser finds."""
    token, = PARSER.parse(markdown, {})
    assert token.type == "colon_fence" and token.info.startswith("{table} ")
    name, body = token.content.split("\n\n", 1)
    return token.info.removeprefix("{table} "), name, body


def test_table(displayed):
    rows = [{"Tag": t, "Frequency": 1000 + i, "Share": None if i else 0.123, "Note": Markdown("*none*")}
            for i, t in enumerate(HOSTILE)]
    report.table(rows, "tab-tags", "Tags, see {numref}`tab-x`")
    caption, name, body = directive(displayed[0]["text/markdown"])
    assert (caption, name) == ("Tags, see {numref}`tab-x`", ":name: tab-tags")
    lines = body.splitlines()
    assert lines[:3:2] == ["| Tag | Frequency | Share | Note |", f"| {escape(HOSTILE[0])} | 1,000 | 0.1 | *none* |"]
    assert lines[1] == "| --- | ---: | ---: | --- |" and len(lines) == 2 + len(rows)
    found = cells(body.replace("*none*", "none"))
    assert [row[0] for row in found[1:]] == [plain(t) for t in HOSTILE]
    assert [row[1:] for row in found[2:]] == [[f"{1000 + i:,}", NOTHING, "none"] for i in range(1, len(rows))]


def test_the_html_of_a_table_holds_no_ones_markup(displayed):
    report.table([{"Tag": t} for t in HOSTILE], "tab-x", "a <b> & c")
    soup = BeautifulSoup(displayed[0]["text/html"], "html.parser")
    assert {tag.name for tag in soup.find_all(True)} == {"p", "table", "thead", "tbody", "tr", "th", "td"}
    assert [td.text for td in soup.find_all("td")] == [plain(t) for t in HOSTILE]
    assert soup.p.text == "a <b> & c"


def test_a_frame_and_its_rows_make_the_same_table_and_whole_numbers_stay_whole(displayed):
    rows = [{"a": 1, "b": "x", "c": True}, {"a": None, "b": None, "c": False}]
    report.table(rows, "tab-x", "c")
    report.table(pd.DataFrame(rows, dtype=object), "tab-x", "c")
    assert displayed[0] == displayed[1]
    assert cells(directive(displayed[0]["text/markdown"])[2]) == [["a", "b", "c"], ["1", "x", "yes"],
                                                                  [NOTHING, NOTHING, "no"]]


def test_say_shows_markdown_as_it_is(displayed):
    report.say("**12** of 13")
    assert displayed == [{"text/markdown": "**12** of 13", "text/plain": "**12** of 13"}]


def test_source_is_shown_as_it_stands_methods_without_their_indent(displayed):
    report.source(plain, Markdown, Shown.code)
    assert [shown["text/plain"].splitlines()[0] for shown in displayed] == [
        "def plain(text: object, longest: int = LONGEST) -> str:", "class Markdown(str):", "def code(self):"]
    assert displayed[2] == {"text/markdown": "```python\ndef code(self):\n    return 1\n```",
                            "text/plain": "def code(self):\n    return 1"}


class Shown:
    def code(self):
        return 1


class Told:
    """What it is,
    in two lines.

    x : of which a page says nothing
    """

    x = """not

    a docstring"""

    def code(self):
        """Short."""

    def more(self):
        """Longer.

        Paper: Section 4.
        """
        return self.x


def test_source_has_the_first_paragraph_of_each_docstring(displayed):
    report.source(Told)
    assert displayed[0]["text/plain"] == '''class Told:
    """What it is,
    in two lines."""

    x = """not

    a docstring"""

    def code(self):
        """Short."""

    def more(self):
        """Longer."""
        return self.x'''


# players


@pytest.mark.parametrize(("seconds", "sr"), [(3.0, 22050), (0.5, 44100), (1.0, 16000)])
def test_a_player_holds_the_sound_as_mp3(seconds, sr):
    t = np.arange(int(seconds * sr)) / sr
    y = 0.4 * np.sin(2 * np.pi * 440 * t)
    audio = BeautifulSoup(report.player(y, sr, "A440"), "html.parser").audio
    kind, data = audio["src"].split(",", 1)
    assert kind == "data:audio/mpeg;base64" and "controls" in audio.attrs and audio["aria-label"] == "A440"
    with soundfile.SoundFile(io.BytesIO(base64.b64decode(data, validate=True))) as file:
        assert (file.format, file.samplerate, file.channels) == ("MP3", sr, 1)
        found = file.read()
    assert abs(len(found) / sr - seconds) < 0.15
    middle = found[len(found) // 4: len(found) // 4 + sr // 5]
    assert np.argmax(np.abs(np.fft.rfft(middle))) == pytest.approx(440 / 5, abs=1)
    assert np.std(middle) == pytest.approx(0.4 / np.sqrt(2), rel=0.05)


@pytest.mark.slow
def test_a_minute_takes_less_than_a_megabyte():
    noise = 0.1 * np.random.default_rng(0).standard_normal(60 * 22050)
    assert len(report.player(noise, 22050, "noise")) < 1_000_000


@pytest.mark.slow
@pytest.mark.parametrize("label", HOSTILE)
def test_labels_of_players_are_text(displayed, label):
    code = report.player(np.zeros(1000), 22050, label)
    report.players([(label, code)])
    soup = BeautifulSoup(displayed[0]["text/html"], "html.parser")
    assert [tag.name for tag in soup.find_all(True)] == ["div", "span", "audio"]
    assert soup.span.text == soup.audio["aria-label"] == plain(label)
    assert set(soup.audio.attrs) == {"controls", "preload", "aria-label", "src"}
    assert html.escape(plain(label)) in displayed[0]["text/html"]


# files


@pytest.mark.slow
@settings(max_examples=30)
@given(st.lists(st.dictionaries(st.text(), st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
                                | st.text(st.characters(codec="utf-8")) | st.lists(st.integers()))))
def test_save_and_load(tmp_path_factory, rows):
    folder = tmp_path_factory.getbasetemp() / "results"
    store.save(folder, "table1", rows)
    assert store.read(folder, "table1") == rows == json.loads((folder / "table1.json").read_text("utf8"))


def test_nothing_to_load(tmp_path):
    assert store.read(tmp_path / "nowhere", "table1") is None


@pytest.mark.parametrize("value", [float("nan"), float("inf"), np.float64("nan"), [1.0, -np.inf]])
def test_nan_is_refused_and_the_old_file_stays(tmp_path, value):
    store.save(tmp_path, "table1", [{"ours": 1.0}])
    with pytest.raises(ValueError):
        store.save(tmp_path, "table1", [{"ours": 2.0}, {"ours": value}])
    assert store.read(tmp_path, "table1") == [{"ours": 1.0}]
    assert [p.name for p in tmp_path.iterdir()] == ["table1.json"]


def test_a_result_is_whole_or_the_old_one(tmp_path, monkeypatch):
    store.save(tmp_path, "table1", [{"ours": 1.0}])

    def full(*_):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError):
        store.save(tmp_path, "table1", [{"ours": 2.0}])
    assert store.read(tmp_path, "table1") == [{"ours": 1.0}]
    assert [p.name for p in Path(tmp_path).iterdir()] == ["table1.json"]
