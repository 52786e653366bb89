"""What a reader works with: exercises with folded solutions, and what a chapter takes and how it is cited.

The directives are named as in sphinx-exercise, and as JupyterLab's MyST knows them: `exercise`, `solution`, and
`solution-start` with `solution-end` around cells. Numbers and references are Sphinx's (`numref`). `more-start` and
`more-end` fold cells that few readers need, under the title that is given.
"""

from html import escape

from docutils import nodes
from docutils.parsers.rst import directives
from myst_nb.sphinx_ import NbMetadataCollector
from sphinx.transforms import SphinxTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

GRADES = ("Think", "Read", "Code")
WORDS_A_MINUTE = 200  # of prose with formulas: plain English is read at some 240 (Brysbaert 2019)
log = logging.getLogger(__name__)


class exercise(nodes.Admonition, nodes.Element):
    """A numbered question; its first child is its title."""


class fold(nodes.Admonition, nodes.Element):
    """What is open only when it is asked for; `summary` is what can be pressed."""


class fold_end(nodes.Element):
    """Where ends what began before it and is folded."""


UNREAD = nodes.literal_block, nodes.raw, nodes.comment, fold
"""Of these no word counts as prose."""


class Exercise(SphinxDirective):
    """An exercise of one of the GRADES, with the label that its solution and other pages name."""

    required_arguments, has_content = 1, True
    option_spec = {"label": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        grade = self.arguments[0]
        if grade not in GRADES:
            raise self.error(f"the exercise's grade is {grade!r}; expected one of {', '.join(GRADES)}")
        box = exercise("", nodes.title(grade, f"({grade})"), classes=["exercise", f"exercise-{grade.lower()}"])
        self.options["name"] = self.options.get("label", "")
        self.add_name(box)
        self.state.nested_parse(self.content, self.content_offset, box)
        return [box]


class Solution(SphinxDirective):
    """The folded solution of the exercise that its argument names."""

    required_arguments, has_content = 1, True
    option_spec = {"class": directives.class_option}  # `dropdown`, as elsewhere; here every solution is folded

    def run(self) -> list[nodes.Node]:
        box = fold("", classes=["solution"], summary="Solution", of=self.arguments[0],
                   gated=self.name == "solution-start")
        self.set_source_info(box)
        self.state.nested_parse(self.content, self.content_offset, box)
        return [box]


class More(SphinxDirective):
    """The beginning of what is folded under the title that its argument is."""

    required_arguments, final_argument_whitespace = 1, True

    def run(self) -> list[nodes.Node]:
        box = fold("", classes=["more"], summary=self.arguments[0], gated=True)
        self.set_source_info(box)
        return [box]


class End(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        end = fold_end()
        self.set_source_info(end)
        return [end]


class Folds(SphinxTransform):
    """Puts what stands between the two ends of a fold into it."""

    default_priority = 10  # before labels are looked for

    def apply(self, **_: object) -> None:
        for box in list(self.document.findall(fold)):
            if box.get("gated"):
                self.fill(box)
        for end in list(self.document.findall(fold_end)):
            log.warning("an end of a fold without its start before it", location=end)
            end.parent.remove(end)

    def fill(self, box: fold) -> None:
        after = box.parent.children[box.parent.index(box) + 1:]
        ends = [i for i, node in enumerate(after) if isinstance(node, fold_end)]
        if not ends or any(isinstance(node, exercise | fold) for node in after[:ends[0]]):
            log.warning("the fold %r has no end", box.get("of", box["summary"]), location=box)
            return
        for node in after[:ends[0]]:
            box.parent.remove(node)
            box += node
        box.parent.remove(after[ends[0]])


def answered(app, doctree: nodes.document) -> None:
    """Warn of a solution that names no exercise of its page, and of an exercise without a solution."""
    asked = {name: box for box in doctree.findall(exercise) for name in box["names"] or [""]}
    told = {box["of"]: box for box in doctree.findall(fold) if box.get("of")}
    for name in sorted(asked.keys() ^ told.keys()):
        what = "exercise %r has no solution" if name in asked else "a solution is of %r, which is no exercise here"
        log.warning(what, name, location=asked.get(name, told.get(name)))


def words(doctree: nodes.document) -> int:
    """How many words of prose a page has; cells and what they show, code, and what is folded are left out."""

    def counted(node: nodes.Node) -> bool:
        while node := node.parent:
            if isinstance(node, UNREAD) or "cell" in node.get("classes", ()):
                return False
        return True

    return sum(len(text.astext().split()) for text in doctree.findall(nodes.Text) if counted(text))


def seconds(env, name: str) -> float | None:
    """How long the chapter ran when this copy of the book was made: its notebook tells, or Jupyter Book."""
    told = env.metadata[name].get("acp_seconds") or (NbMetadataCollector.get_exec_data(env, name) or {}).get("runtime")
    return None if told is None else float(told)


def in_words(time: float) -> str:
    """A run time as a reader wants it."""
    return "less than a minute" if time < 50 else f"about {round(time / 60) or 1} minute{'s' if time >= 90 else ''}"


def names(people: list[dict]) -> str:
    """Authors of CITATION.cff, in one line."""
    return ", ".join(one.get("name") or f"{one['given-names']} {one['family-names']}" for one in people)


def citation(title: str, year: str, about: dict) -> list[str]:
    """The chapter, and the paper, as one cites them; `about` is CITATION.cff."""
    paper = about["preferred-citation"]
    where = f" {about['repository-code']}." if "repository-code" in about else ""
    titled = title if title.endswith("?") else f"{title}."
    return [f"{names(about['authors'])} ({year}). {titled} In: {about['title']}, version {about['version']}.{where}",
            f"{names(paper['authors'])} ({paper['year']}). {paper['title']}. {paper['collection-title']}. "
            f"{paper['identifiers'][0]['value']}."]


def run(chapter: str) -> list[nodes.Node]:
    """How a reader opens a chapter as a notebook: in a copy of the project, or by itself."""
    file = f"{chapter}.ipynb"
    return [nodes.paragraph("", "In a copy of the project, once make venv has run; choose Open With, Notebook:"),
            nodes.literal_block("", f".venv/bin/pip install jupyterlab\n.venv/bin/jupyter lab notebooks/{chapter}.md",
                                language="bash"),
            nodes.paragraph("", "", nodes.Text("Anywhere else: "), nodes.reference("", file, refuri=file),
                            nodes.Text(", a notebook whose first cell installs the project."))]


def head(app, doctree: nodes.document) -> None:
    """Below what a chapter opens with: how long it takes, how to run it, and how to cite it."""
    from acp_lib.profiles import ROOT
    from acp_lib.results import citation as file

    env, name = app.env, app.env.docname
    opening = next(doctree.findall(nodes.definition_list), None)
    if not name.startswith("notebooks/") or opening is None:
        return
    env.note_dependency(str(ROOT / "CITATION.cff"))
    count, ran = words(doctree), seconds(env, name)
    time = f"{max(1, round(count / WORDS_A_MINUTE))} minutes to read ({count:,} words)"
    time += "." if ran is None else f"; {in_words(ran)} to run, once what it shares with other chapters is there."
    opening += nodes.definition_list_item("", nodes.term("", "", nodes.strong("", "What it takes")),
                                          nodes.definition("", nodes.paragraph("", time)), classes=["acp-takes"])
    about = file.read()
    title = next(doctree.findall(nodes.title)).astext()
    lines = [nodes.paragraph("", line) for line in (about["message"], *citation(title, app.config.copyright, about))]
    at = opening.parent.index(opening) + 1
    opening.parent.insert(at, [fold("", *run(name.removeprefix("notebooks/")), classes=["run"],
                                    summary="How to run this chapter"),
                               fold("", *lines, classes=["cite"], summary="How to cite this chapter")])


def visit_box(writer, node: nodes.Element) -> None:
    writer.visit_admonition(node)


def leave_box(writer, node: nodes.Element) -> None:
    writer.depart_admonition(node)


def visit_fold(writer, node: fold) -> None:
    writer.body.append(writer.starttag(node, "details", CLASS="admonition fold"))
    writer.body.append(f'<summary class="admonition-title">{escape(node["summary"])}</summary>')


def leave_fold(writer, node: fold) -> None:
    writer.body.append("</details>\n")


def visit_fold_in_print(writer, node: fold) -> None:
    writer.visit_admonition(node)
    writer.body.append(f"{{{node['summary']}}}")


def setup(app) -> dict:
    app.config.numfig_format = {"exercise": "Exercise %s"} | app.config.numfig_format
    app.add_enumerable_node(exercise, "exercise", html=(visit_box, leave_box), latex=(visit_box, leave_box))
    app.add_node(fold, html=(visit_fold, leave_fold), latex=(visit_fold_in_print, leave_box))
    app.add_node(fold_end)
    app.add_directive("exercise", Exercise)
    for directive in ("solution", "solution-start"):
        app.add_directive(directive, Solution)
    app.add_directive("more-start", More)
    for directive in ("solution-end", "more-end"):
        app.add_directive(directive, End)
    app.add_transform(Folds)
    app.connect("doctree-read", answered)
    app.connect("doctree-read", head)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
