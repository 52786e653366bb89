"""Exercises and their solutions, the teacher's page, the glossary, and the block that says what a chapter takes."""

import re
from types import SimpleNamespace

import jupytext
import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup
from conftest import extension_of_the_book
from sphinx.application import Sphinx
from test_project import CHAPTERS

from acp_lib.profiles import ROOT

BOOK = ROOT / "book"


@pytest.fixture(scope="module")
def extension():
    return extension_of_the_book("acp_teaching")


# a page of its own


PAGE = """(chapter-one)=
# One chapter

**What you need**
: nothing.

Four words of prose.

```{code-cell} ipython3
1 + 1
```

## Exercises

:::{exercise} Think
:label: ex-one-a

Why?
:::

:::{solution} ex-one-a
:class: dropdown

Because.
:::

:::{exercise} Code
:label: ex-one-b

How much?
:::

:::{solution-start} ex-one-b
:class: dropdown
:::

```{code-cell} ipython3
6 * 7
```

So it is.

:::{solution-end}
:::

See {numref}`ex-one-b`.
"""


def rendered(folder, text: str, seconds: float | None = None) -> SimpleNamespace:
    """The page as an executed copy, rendered by Sphinx; warnings as text."""
    notebook = jupytext.reads(text, fmt="md:myst")
    notebook.metadata["language_info"] = {"name": "python", "pygments_lexer": "python"}
    if seconds:
        notebook.metadata["acp_seconds"] = seconds
    source, warnings = folder / "source", folder / "warnings.txt"
    (source / "notebooks").mkdir(parents=True)
    nbformat.write(notebook, source / "notebooks/01_one.ipynb")
    (source / "index.md").write_text("# Book\n\n```{toctree}\n:numbered: 1\n\nnotebooks/01_one\n```\n")
    settings = {"extensions": ["myst_nb", "acp_teaching"], "nb_execution_mode": "off", "numfig": True,
                "copyright": "2026",
                "numfig_secnum_depth": 1, "html_theme": "basic", "myst_enable_extensions": ["colon_fence", "deflist"]}
    with warnings.open("w") as stream, pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BOOK / "_ext"))
        Sphinx(source, None, folder / "html", folder / "trees", "html", settings, status=None, warning=stream).build()
    soup = BeautifulSoup((folder / "html/notebooks/01_one.html").read_text("utf8"), "html.parser")
    return SimpleNamespace(soup=soup, warnings=warnings.read_text())


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> SimpleNamespace:
    return rendered(tmp_path_factory.mktemp("page"), PAGE, 130.4)


@pytest.mark.slow
def test_exercises_are_numbered_by_chapter_and_named_by_their_grade(page):
    assert page.warnings == ""
    titles = [box.find(class_="admonition-title").get_text() for box in page.soup.select("div.exercise")]
    assert titles == ["Exercise 1.1 (Think)", "Exercise 1.2 (Code)"]
    assert page.soup.find("a", href="#ex-one-b").get_text() == "Exercise 1.2"


@pytest.mark.slow
def test_a_solution_is_folded_and_holds_its_cells(page):
    folds = page.soup.select("details.solution")
    assert [fold.summary.get_text() for fold in folds] == ["Solution", "Solution"]
    assert "Because." in folds[0].get_text() and not folds[0].has_attr("open")
    assert folds[1].select("div.cell") and "So it is." in folds[1].get_text() and "See" not in folds[1].get_text()


@pytest.mark.slow
def test_a_chapter_says_what_it_takes_and_how_it_is_cited(page):
    opening = page.soup.find("dl").get_text(" ", strip=True)
    assert re.search(r"What it takes 1 minutes? to read \(\d+ words\); about 2 minutes to run", opening)
    cite = page.soup.select_one("details.cite").get_text(" ", strip=True)
    about = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf8"))
    assert f"One chapter. In: {about['title']}, version {about['version']}." in cite and "Verma" in cite


@pytest.mark.slow
@pytest.mark.parametrize(("old", "new", "warning"), [
    (":::{solution} ex-one-a", ":::{solution} ex-gone", "exercise 'ex-one-a' has no solution"),
    (":::{solution} ex-one-a", ":::{solution} ex-gone", "a solution is of 'ex-gone', which is no exercise here"),
    (":::{solution-end}\n:::\n", "", "the fold 'ex-one-b' has no end"),
    (":::{solution-start} ex-one-b\n:class: dropdown\n:::\n", "", "an end of a fold without its start"),
    (":::{exercise} Code", ":::{exercise} Hard", "the exercise's grade is 'Hard'; expected one of Think, Read, Code"),
])
def test_what_does_not_fit_is_told(tmp_path, old, new, warning):
    assert old in PAGE
    assert warning in rendered(tmp_path, PAGE.replace(old, new)).warnings


@pytest.mark.slow
def test_what_few_need_is_folded_with_its_cells_and_is_no_prose(tmp_path):
    more = ":::{more-start} Every <b>rule</b>\n:::\n\n```{code-cell} ipython3\n'ruled'\n```\n\n:::{more-end}\n:::\n"
    made = rendered(tmp_path, PAGE.replace("## Exercises", f"{more}\nAfter it.\n\n## Exercises"))
    fold, = made.soup.select("details.more")
    assert not {"no end", "without its start"} & set(re.findall("no end|without its start", made.warnings))
    assert fold.summary.get_text() == "Every <b>rule</b>" and not fold.has_attr("open")
    assert fold.select("div.cell") and "After it." not in fold.get_text()
    assert len(made.soup.select("details.solution")) == 2


@pytest.mark.slow
@pytest.mark.parametrize(("time", "told"), [
    (0.4, "less than a minute"), (49, "less than a minute"), (55, "about 1 minute"), (89, "about 1 minute"),
    (91, "about 2 minutes"), (600, "about 10 minutes")])
def test_times_in_words(extension, time, told):
    assert extension.in_words(time) == told


# the chapters


EXERCISE = re.compile(r"^:::\{exercise\} (\w+)\n:label: (ex-[\w-]+)\n", re.M)
GRADES = ["Think", "Read", "Code"]
chapters = pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)


def exercises(path) -> dict[str, str]:
    """The grade of each exercise of a chapter, by its label, in the chapter's order."""
    return {label: grade for grade, label in EXERCISE.findall(path.read_text("utf8"))}


def solved(path) -> dict[str, list]:
    """The code cells in the solution of each exercise of a chapter."""
    found, of = {}, None
    for cell in jupytext.read(path, fmt="md:myst").cells:
        if of and cell.cell_type == "code":
            found[of].append(cell)
        for kind, label in re.findall(r"^:::\{(solution[\w-]*)\} ?([\w-]*)$", cell.source, re.M):
            of = label if kind == "solution-start" else None
            found |= {label: []} if label else {}
    return found


@chapters
def test_a_chapter_has_exercises_of_each_grade_in_its_last_section(path):
    asked = exercises(path)
    assert len(asked) >= 3 and sorted(asked.values(), key=GRADES.index) == list(asked.values())
    assert set(asked.values()) == set(GRADES)
    text = path.read_text("utf8")
    assert "{exercise}" not in text.split("\n## Exercises\n")[0]
    assert text.count("{exercise}") == len(asked)


@pytest.mark.slow
@chapters
def test_each_exercise_has_a_solution_and_those_in_code_are_run(path):
    asked, told = exercises(path), solved(path)
    assert list(told) == list(asked)
    assert [label for label in asked if bool(told[label]) != (asked[label] == "Code")] == []
    assert all(cell.metadata.get("tags", []) == [] for cells in told.values() for cell in cells)  # open, not skipped


def test_labels_of_exercises_are_unique_and_the_teachers_page_names_each():
    labels = [label for path in CHAPTERS for label in exercises(path)]
    assert len(labels) == len(set(labels)) >= 66
    page = (BOOK / "teaching.md").read_text("utf8")
    rows = page.split("## Exercises by topic")[1].splitlines()
    by_grade = {label: GRADES[i - 2] for row in rows if row.startswith("|") for i, cell in enumerate(row.split("|"))
                for label in re.findall(r"\{numref\}`(ex-[\w-]+)`", cell)}
    assert by_grade == {label: grade for path in CHAPTERS for label, grade in exercises(path).items()}


def test_references_to_exercises_lead_to_one():
    texts = [path.read_text("utf8") for path in [*CHAPTERS, *BOOK.glob("*.md")]]
    named = {label for text in texts for label in re.findall(r"`(ex-[\w-]+)`", text)}
    assert len(named) > 60 and named <= {label for path in CHAPTERS for label in exercises(path)}


# the glossary


TERM = re.compile(r"\{term\}`(?:[^`<]*<)?([^`<>]+)>?`")


def glossary() -> dict[str, str]:
    text = (BOOK / "glossary.md").read_text("utf8").partition(":sorted:")[2]
    return dict(re.findall(r"^(\S.*)\n((?:  .*\n)+)", text, re.M))


def test_the_glossary_is_short():
    terms = glossary()
    assert len(terms) >= 40 and len({name.lower() for name in terms}) == len(terms)
    assert [name for name, text in terms.items() if len(re.findall(r"[.?!](?=\s)", text)) > 2] == []


@chapters
def test_a_chapter_links_a_few_terms_once_each(path):
    used = TERM.findall(path.read_text("utf8"))
    assert 1 <= len(used) <= 6 and len(used) == len(set(used)) and set(used) <= set(glossary())
