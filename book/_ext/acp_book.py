"""What this book asks of Sphinx beyond Jupyter Book: an honest execution cache, its own scripts, the ledger."""

import hashlib
import platform
import re
import shutil
import sys
import uuid
from importlib.metadata import version
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective, SphinxRole

PACKAGES = ["acp-lib", "jupyter-book", "sphinx", "myst-nb", "papermill", "jupytext", "numpy", "scipy", "pandas",
            "librosa", "numba", "soundfile", "pillow", "torch", "torchvision", "scikit-learn", "matplotlib"]

FIGURE = re.compile(r'<div class="acp-live" data-figure="(\w+)"')  # as acp_lib/figures/live.py writes it


class MarkdownDirective(SphinxDirective):
    """A directive that writes Markdown."""

    def run(self) -> list[nodes.Node]:
        box = nodes.container(classes=[self.name])
        self.state.nested_parse(StringList(self.text().splitlines(), self.name), self.content_offset, box)
        return [box]


class Ledger(MarkdownDirective):
    """Every open detail of acp_lib/profiles/ledger.yml, one row each, with the anchor `ledger-NAME`."""

    def text(self) -> str:
        from acp_lib.profiles import ledger

        self.env.note_dependency(str(Path(ledger.__file__).with_name("ledger.yml")))
        rows = [["Detail", "Default", "Alternatives", "Status", "What it is, and where the paper stands"]]
        for d in ledger.details().values():
            others = ", ".join(f"`{a}`" for a in d.alternatives) or "–"
            status = f"[{d.status}]{{.status .status-{d.status}}}"
            name = d.name.replace("_", "-")
            what = f"{d.what} *{d.source}*" + (f" Not swept: {d.unswept}" if d.unswept else "")
            rows.append([f"[`{d.name}`]{{#ledger-{name}}}", f"`{d.default}`", others, status, what])
        return list_table(rows, "tab-ledger", "Every detail that the paper leaves open, and what is done here")


class Departures(MarkdownDirective):
    """Where the profiles decide a detail in another way than the ledger, with the reasons that their files give."""

    def text(self) -> str:
        from acp_lib import profiles
        from acp_lib.profiles import ledger

        rows = [["Profile", "Detail", "Ledger", "Profile's", "Why"]]
        for name in profiles.NAMES:
            self.env.note_dependency(str(profiles.FOLDER / f"{name}.yml"))
            rows += [[f"`{name}`", f"`{d.name}`", f"`{d.default}`", f"`{d.value}`", d.reason]
                     for d in ledger.departures(name)]
        return list_table(rows, "tab-departures", "Details that a profile decides in another way than the ledger")


class Findings(MarkdownDirective):
    """What was found, in sentences made of the recorded results."""

    def text(self) -> str:
        from acp_lib.findings import front
        from acp_lib.results import recorded

        for path in sorted(recorded.FOLDER.rglob("*.json")):
            self.env.note_dependency(str(path))
        return "\n".join(f"- {sentence}" for sentence in front.sentences())


class Front(MarkdownDirective):
    """The figure of the first page, with its caption."""

    def text(self) -> str:
        from acp_lib.figures import front as figures
        from acp_lib.findings import front

        figure = figures.scorers(*front.shortcuts_by_protocol(), float(front.REPORTED))
        return f"```{{raw}} html\n{figure}\n```\n\n{front.caption()}"


def results(config) -> Path:
    """The folder of the results of the book that is made."""
    from acp_lib import profiles

    return Path(config.acp_results or profiles.load("mini").results_path)


def article(env):
    """What the article says of the results of the book that is made; read once a page."""
    from acp_lib.findings.article import Article

    if "acp_article" not in env.temp_data:
        env.temp_data["acp_article"] = Article(results(env.config))
    return env.temp_data["acp_article"]


class ArticleTable(MarkdownDirective):
    """One of the tables of the article, by the name of its method and its letter; the content is the caption.

    The book would number tables through all pages without a number, so these have letters.
    """

    required_arguments, has_content = 2, True

    def text(self) -> str:
        from acp_lib.book.report import escape

        rows = getattr(article(self.env), self.arguments[0])()
        lines = [list(rows[0]), ["---"] * len(rows[0]),
                 *([escape(value) if value else "–" for value in row.values()] for row in rows)]
        body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        name, letter = self.arguments
        return f"(tab-article-{name})=\n**Table {letter}.** {' '.join(self.content)}\n\n{body}\n"


class ArticleValue(SphinxRole):
    """A number or a name of the article: {acp}`reported`."""

    def run(self):
        values = article(self.env).values()
        if self.text not in values:
            told = self.inliner.reporter.error(f"the article has no value {self.text!r}; expected one of "
                                               f"{', '.join(values)}", line=self.lineno)
            return [], [told]
        return [nodes.Text(values[self.text])], []


def list_table(rows: list[list[str]], name: str, caption: str) -> str:
    body = "\n".join("* " + "\n  ".join(f"- {cell}" for cell in row) for row in rows)
    return f"::::{{list-table}} {caption}\n:name: {name}\n:header-rows: 1\n:class: ledger\n\n{body}\n::::"


class Parameters(MarkdownDirective):
    """Every option of a Profile, with the mini profile's value and what is said of it where it is defined, or else in
    the ledger.
    """

    def text(self) -> str:
        from acp_lib import profiles
        from acp_lib.book.report import escape
        from acp_lib.profiles import groups, ledger

        self.env.note_reread()
        mini = profiles.load("mini")
        details = ledger.details()
        code = "".join(Path(module.__file__).read_text("utf8") for module in (profiles, groups))
        said = {name: d.what.partition(". ")[0].rstrip(".") for name, d in details.items()}
        said |= dict(re.findall(r"^    (\w+): .*?  # (.+)$", code, re.MULTILINE))
        rows, group = [], ""
        for option in profiles.OPTIONS.values():
            if option.group != group:
                group = option.group
                about = (groups.GROUPS[group].__doc__ or "").partition("\n")[0]
                rows.append(f"| | | | **{escape(about)}** |" if about else "| | | | |")
            anchor = option.name.replace("_", "-")
            name = f"[`{option.name}`](#ledger-{anchor})" if option.name in details else f"`{option.name}`"
            takes = ", ".join(f"`{c}`" for c in option.choices) or option.kind.__name__
            what = escape(said[option.name])
            rows.append(f"| {name} | `{getattr(mini, option.name)!r}` | {takes} | {what} |")
        table = "\n".join(["| Name | Mini profile | Takes | What it is |", "|---|---|---|---|", *rows])
        return f":::::{{table}} Parameters of every chapter\n:name: tab-parameters\n\n{table}\n:::::"


class Versions(MarkdownDirective):
    """The versions that the book was rendered with."""

    def text(self) -> str:
        self.env.note_reread()
        from acp_lib import __version__

        known = {"Python": platform.python_version(), "acp-lib": __version__}  # a checkout's own may not be installed
        rows = [(name, known.get(name) or version(name)) for name in ("Python", *PACKAGES)]
        return "| Package | Version |\n|---|---|\n" + "\n".join(f"| {name} | {number} |" for name, number in rows)


def own_library(root: Path) -> None:
    """Let pages and kernels import the acp_lib beside the book, installed or not, and know where things are."""
    if (root / "acp_lib").is_dir():
        sys.path.insert(0, str(root))
        from acp_lib.engine import commands

        commands.begin_in_checkout()


def fresh_cache(app, config) -> None:
    """Key the cache of executed notebooks by code, data and results: by itself it knows the notebooks' source alone."""
    if config.nb_execution_mode != "cache":
        return
    from acp_lib import inputs, profiles
    from acp_lib.engine.cache import code_key
    from acp_lib.results import recorded

    mini = profiles.load("mini")
    token = mini.results_path / ".token"  # goes with the results, so that they are then made again
    if not token.exists():
        token.parent.mkdir(parents=True, exist_ok=True)
        token.write_text(uuid.uuid4().hex)
    made_from = code_key() + inputs.input_key(mini) + recorded.fingerprint() + token.read_text()
    key = hashlib.sha256(made_from.encode()).hexdigest()[:16]
    caches = mini.home / "_build" / ".jupyter_cache"
    for old in caches.glob("*"):
        if old.is_dir() and old.name != key:
            shutil.rmtree(old)
    config.nb_execution_cache_path = str(caches / key)


def results_last(app, env, docnames):
    """Pages that read other pages' results are read after these."""
    docnames.sort(key=lambda name: name in app.config.acp_result_readers)


def result_readers(app, env, added, changed, removed):
    """Pages that read other pages' results are read again when these changed, or may while Sphinx runs the pages."""
    if app.config.nb_execution_mode == "off":
        before, env.acp_results = getattr(env, "acp_results", None), digests(results(app.config))
        again = env.acp_results != before
    else:
        again = added | changed | removed
    return set(app.config.acp_result_readers) & env.found_docs if again else set()


def digests(folder: Path) -> dict[str, str]:
    """Those of the results in a folder, by their names."""
    from acp_lib.engine.cache import file_digest

    return {p.name: file_digest(p) for p in sorted(folder.glob("*.json"))}


def scripts_where_needed(app, page, template, context, doctree) -> None:
    """What every page does with its figures and tables, and the scripts of live figures on pages that have one; once
    the page is read, so that they find it.
    """
    for name in ["acp", *sorted(set(FIGURE.findall(context.get("body", ""))))]:
        app.add_js_file(f"{name}.js", loading_method="defer")


def setup(app) -> dict:
    own_library(Path(app.srcdir))
    app.add_config_value("acp_result_readers", [], "")
    app.add_config_value("acp_results", "", "")  # the folder; empty: of the mini book
    app.add_directive("acp-ledger", Ledger)
    app.add_directive("acp-departures", Departures)
    app.add_directive("acp-parameters", Parameters)
    app.add_directive("acp-versions", Versions)
    app.add_directive("acp-findings", Findings)
    app.add_directive("acp-front", Front)
    app.add_directive("acp-article", ArticleTable)
    app.add_role("acp", ArticleValue())
    app.connect("config-inited", fresh_cache)
    app.connect("env-get-outdated", result_readers)
    app.connect("env-before-read-docs", results_last)
    app.connect("html-page-context", scripts_where_needed)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
