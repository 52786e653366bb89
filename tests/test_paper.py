"""What the paper says and cites, and that the book says it so."""

import re

import pytest
from test_project import CHAPTERS, PROSE

from acp_lib import paper
from acp_lib.emotions import CLASSES
from acp_lib.profiles import ROOT

BIBLIOGRAPHY = (ROOT / "book/references.bib").read_text("utf8")
KEYS = re.findall(r"^@\w+\{(\w+),$", BIBLIOGRAPHY, re.M)
PAGES = {path.stem: path.read_text("utf8") for path in [*PROSE, *CHAPTERS]}


def cited(text: str) -> set[str]:
    """The keys of all references of a page; the article, which has a list of its own, gives them a prefix."""
    named = re.findall(r"\{cite:\w\}`([^`]+)`", text)
    return {key.strip().removeprefix("article-") for keys in named for key in keys.split(",")}


@pytest.mark.slow
@pytest.mark.parametrize("key", KEYS)
def test_every_reference_is_cited(key):
    assert [page for page, text in PAGES.items() if key in cited(text)], f"{key} is in references.bib alone"


def test_every_citation_has_its_reference():
    assert len(KEYS) == len(set(KEYS)) > 30
    assert set().union(*map(cited, PAGES.values())) <= set(KEYS)


def test_the_rows_that_the_paper_quotes_are_cited_where_they_are_compared():
    assert set(paper.QUOTED) < set(paper.RECOGNITION["image"])
    for key in paper.QUOTED.values():
        assert key in cited(PAGES["08_probes"])
        entry = BIBLIOGRAPHY.split(f"{{{key},")[1].split("\n}")[0]
        assert int(re.search(r"year += \{(\d+)\}", entry)[1]) < 2019, "it may know the paper's split"
    assert paper.QUOTED["AlexNet, fine-tuned"] in cited(PAGES["91_verdicts"])


def test_the_clips_stand_in_the_order_of_fig_3():
    """Section 4: a low tempo song with negative label in the top row, then upbeat country, then a soothing song."""
    assert sorted(paper.EXAMPLES) == sorted(CLASSES)
    page = PAGES["07_right_and_wrong"]
    rows = re.findall(r"caption: A (\w+) clip and .*, Fig. 3 of the paper, (\w+) row\.\n[^:]*:text[^:]*"
                      r"name: fig-(\w+)\n", page)
    assert rows == [(c, n, c) for c, n in zip(paper.EXAMPLES, ("first", "second", "third"), strict=True)]
    for call in (r'^show\("(\w+)"\);$', r'^play\("(\w+)"\)$', r"`share_(\w+)`"):
        assert tuple(dict.fromkeys(re.findall(call, page, re.M))) == paper.EXAMPLES


def test_the_training_is_called_what_the_paper_calls_it():
    """Abstract: "without explicitly being trained with emotion labels"."""
    page = PAGES["13_without_labels"]
    assert '"without explicitly being trained with emotion labels"' in page and "unsupervised" not in page.lower()
