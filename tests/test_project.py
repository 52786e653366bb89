"""Rules that the project's own files keep to: chapters, lock, Makefile, workflows."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from functools import cache
from graphlib import TopologicalSorter
from importlib.metadata import packages_distributions
from pathlib import Path

import jupytext
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from sphinx_external_toc.parsing import parse_toc_yaml

from acp_lib.book import chapter
from acp_lib.profiles import OPTIONS, ROOT, ledger

CHAPTERS = sorted((ROOT / "notebooks").glob("*.md"))
DOCUMENTS = [ROOT / f"{document}.md" for document in parse_toc_yaml(ROOT / "_toc.yml")]
PROSE = sorted((ROOT / "book").glob("*.md"))
TYPES = {option.name: option.kind.__name__ for option in OPTIONS.values()}
MADE = {".git", ".venv", "_build", "_work", "__pycache__", ".pytest_cache", ".ruff_cache", ".hypothesis",
        "build", "acp_lib.egg-info", "PKG-INFO", "setup.cfg"}  # the last three in a source distribution
OTHER_HOSTS = re.compile(r"jsdelivr|unpkg\.com|cdnjs|googleapis|gstatic|cloudflare|polyfill\.io|pythonhosted|pypi\.org")


def files() -> list[Path]:
    """Every file of the project that is not made by it, relative to its folder."""
    git = subprocess.run(["git", "-C", ROOT, "ls-files", "-coz", "--exclude-standard"], capture_output=True, text=True)
    listed = [Path(name) for name in git.stdout.split("\0") if name] if git.returncode == 0 else []
    listed = listed or [p.relative_to(ROOT) for p in ROOT.rglob("*") if not MADE & set(p.relative_to(ROOT).parts)]
    return sorted(p for p in listed if (ROOT / p).is_file() and p.suffix not in (".ipynb", ".pyc"))


def texts() -> dict[Path, str]:
    return {p: (ROOT / p).read_text("utf8") for p in files()}


# chapters


def test_the_table_of_contents_names_every_page_and_no_other():
    assert sorted(DOCUMENTS) == sorted([*PROSE, *CHAPTERS])
    assert [p for p in DOCUMENTS if p in CHAPTERS] == CHAPTERS  # read in the order of their numbers


chapters = pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)


@cache
def cells(path: Path, kind: str) -> list:
    """The cells of a chapter of one kind, in order; read once, for all to look at."""
    return [c for c in jupytext.read(path, fmt="md:myst").cells if c.cell_type == kind]


@pytest.mark.slow
@chapters
def test_one_cell_of_parameters_each_a_field_of_a_profile_with_a_comment(path):
    tagged = [i for i, c in enumerate(cells(path, "code")) if "parameters" in c.metadata.get("tags", [])]
    assert tagged == [0]
    source = cells(path, "code")[0].source
    named = {}
    for node, line in zip(ast.parse(source).body, source.splitlines(), strict=True):  # a line each
        assert isinstance(node, ast.AnnAssign) and re.search(r"  # \w.{5,}$", line), line
        named[node.target.id] = (node.annotation.id, ast.literal_eval(node.value))
    assert list(named)[:5] == ["profile", "seed", "data", "weights", "results"]
    assert {name: kind for name, (kind, _) in named.items()} == {name: TYPES[name] for name in named}
    assert {name: value for name, (_, value) in named.items()} == {name: None for name in named} | {"profile": "mini"}


@pytest.mark.slow
@chapters
def test_a_chapter_begins_by_checking_its_parameters(path):
    assert [i for i, c in enumerate(cells(path, "code")) if "chapter.begin(globals())" in c.source] == [1]


@pytest.mark.slow
@chapters
def test_nothing_but_parameters_would_pass_for_one_when_a_chapter_begins(path):
    names = {}
    exec(cells(path, "code")[1].source.split("study = ")[0], names)
    assert chapter.given({k: v for k, v in names.items() if k != "__builtins__"}) == {}


@pytest.mark.slow
@chapters
def test_a_kernel_that_lacks_the_library_is_told_of_in_the_traceback(path):
    lines = cells(path, "code")[1].source.splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("from acp_lib"))
    assert lines[first - 1].startswith("# not there? choose the kernel of this project's environment: .venv")


OPEN_LINES = 12  # of an open cell: more is folded, or is a function of the library


@pytest.mark.slow
@chapters
def test_every_cell_that_computes_is_on_the_page_and_open_ones_are_short(path):
    tags = [set(c.metadata.get("tags", [])) for c in cells(path, "code")]
    assert set().union(*tags) <= {"parameters", "hide-input"}
    shown = [c.source.splitlines() for c, own in zip(cells(path, "code"), tags, strict=True) if not own]
    assert len(shown) >= 3
    assert [lines for lines in shown if len(lines) > OPEN_LINES] == []


@pytest.mark.slow
@chapters
def test_values_that_sentences_show_are_named_once_and_before(path):
    known = []
    for cell in jupytext.read(path, fmt="md:myst").cells:
        if cell.cell_type == "code":
            calls = (n for n in ast.walk(ast.parse(cell.source)) if isinstance(n, ast.Call))
            known += [k.arg for call in calls if ast.unparse(call.func) == "report.put" for k in call.keywords]
        else:
            told = set(re.findall(r"\{glue:\w+\}`(\w+)[:`]", cell.source))
            assert told <= set(known) or None in known, told - set(known)  # None: names that a dict holds
    named = [name for name in known if name]
    assert len(named) == len(set(named))


@pytest.mark.slow
@chapters
def test_values_that_captions_show_are_named_by_the_chapter_or_shown_by_its_sentences(path):
    """A caption may stand before the cell that names its values; those that a dict holds are known by the sentences."""
    named = set(re.findall(r"\b(\w+)=", "\n".join(c.source for c in cells(path, "code"))))
    named |= set(re.findall(r"\{glue:\w+\}`(\w+)[:`]", "\n".join(c.source for c in cells(path, "markdown"))))
    captions = [c.metadata.get("mystnb", {}).get("figure", {}).get("caption", "") for c in cells(path, "code")]
    assert set(re.findall(r"\{glue:text\}`(\w+)[:`]", "\n".join(captions))) <= named
    assert all(len(re.findall("glue", caption)) == len(re.findall(r"\{glue:text\}`\w+(?::[^`]+)?`", caption))
               for caption in captions)


@chapters
def test_fixed_opening_and_closing(path):
    text = path.read_text("utf8")
    opening = text.split("```{code-cell}")[0]
    assert len(re.findall(r"^\(chapter-[\w-]+\)=\n# \S", opening, re.M)) == 1
    assert re.findall(r"^\*\*(What you will do|What you will learn|What you need)\*\*\n: \S", opening, re.M) == [
        "What you will do", "What you will learn", "What you need"]
    outside = re.sub(r"```.*?```", "", text, flags=re.S)
    assert len(re.findall(r"^# ", outside, re.M)) == 1
    assert re.findall(r"^#+ (.*)", outside, re.M)[-3:] == ["What was found", "What departs from the paper", "Exercises"]


@pytest.mark.slow
@chapters
def test_a_chapter_is_a_python_notebook_that_compiles(path):
    notebook = jupytext.read(path, fmt="md:myst")
    assert notebook.metadata["kernelspec"]["name"] == "python3"
    assert not any(c.get("outputs") for c in notebook.cells)
    for cell in cells(path, "code"):
        ast.parse(cell.source)


def test_no_line_of_prose_begins_like_a_comment():
    """MyST takes a line that begins with % for a comment, and leaves it out."""
    fenced = re.compile(r"^(`{3,})[^`\n]*\n.*?^\1`*$|\A---\n.*?^---$", re.S | re.M)
    lost = {p.name: re.findall(r"^ *%.*", fenced.sub("", p.read_text("utf8")), re.M) for p in [*PROSE, *CHAPTERS]}
    assert {name: lines for name, lines in lost.items() if lines} == {}


def test_labels_of_figures_and_tables_are_unique():
    text = "\n".join(p.read_text("utf8") for p in [*PROSE, *CHAPTERS])
    figures = re.findall(r"^ +name: (fig-[\w-]+)$", text, re.M)
    tables = re.findall(r'"(tab-[\w-]+)",\s+f?"', text)  # a caption follows
    assert len(figures) > 10 and len(figures) == len(set(figures))
    assert len(tables) > 10 and len(tables) == len(set(tables))


def test_pages_refer_by_label_to_labels_that_are_there():
    text = "\n".join(p.read_text("utf8") for p in [*PROSE, *CHAPTERS])
    assert re.findall(r"\]\([\w./]*\d\d_\w+\.md\)", text) == []  # staged chapters have another ending
    labels = set(re.findall(r"^\(([\w-]+)\)=$", text, re.M))
    assert set(re.findall(r"(?:\{ref\}`|\]\()(chapter-[\w-]+)[`)]", text)) <= labels


def test_references_to_the_ledger_lead_to_entries():
    text = "\n".join(p.read_text("utf8") for p in [*PROSE, *CHAPTERS])
    referred = {name.replace("-", "_") for name in re.findall(r"#ledger-([a-z-]+)\)", text)}
    assert len(referred) > 5 and referred <= set(ledger.details())


TITLES = {path: re.search(r"^# (.+?)(?:: .*)?$", path.read_text("utf8"), re.M)[1] for path in DOCUMENTS}
NUMBERED = [f"{k} {TITLES[path]}" for k, path in enumerate((p for p in DOCUMENTS if p in CHAPTERS), 1)]


def test_the_readme_lists_the_chapters_by_their_numbers():
    assert re.findall(r"^\| (\d+ .+?) \|", (ROOT / "README.md").read_text("utf8"), re.M) == NUMBERED


def test_the_first_page_lists_the_chapters_by_their_numbers():
    labels = {re.search(r"^\((chapter-[\w-]+)\)=$", path.read_text("utf8"), re.M)[1]: title
              for path, title in TITLES.items() if path in CHAPTERS}
    listed = re.findall(r"^(\d+)\. \{ref\}`(chapter-[\w-]+)`", (ROOT / "book/intro.md").read_text("utf8"), re.M)
    assert [f"{number} {labels[label]}" for number, label in listed] == NUMBERED


def test_prose_names_chapters_by_reference_and_only_the_first_by_its_number():
    """A number would be wrong once a chapter is added before it."""
    spoken = [(p, m[1]) for p, text in texts().items() if p.suffix in (".md", ".py", ".yml") and p.parts[0] != "tests"
              for m in re.finditer(r"\b[Cc]hapters? (\d+)", text)]
    assert spoken and {number for _, number in spoken} == {"1"} and NUMBERED[0] == "1 Building the database"


def test_docstrings_name_chapters_by_their_titles():
    known = {*TITLES.values(), "all", "the article", "the first page"}
    named = {(p, title) for p, text in texts().items() if p.suffix == ".py" and p.parts[0] == "acp_lib"
             for m in re.finditer(r"\bChapter: ([^\n]+?)\.\s", text) for title in m[1].split("; ")}
    assert len(named) > 100 and {(p, title) for p, title in named if title not in known} == set()


# files


def test_no_outputs_are_committed():
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert {"*.ipynb", "_build/", "_work/"} <= set(ignored)
    git = subprocess.run(["git", "-C", ROOT, "ls-files", "*.ipynb", "_build", "_work"], capture_output=True, text=True)
    assert git.stdout == ""


def test_no_file_names_another_host_to_load_from_or_this_folder():
    me = Path(__file__).resolve().relative_to(ROOT)
    wrong = [f"{p}: {m[0]}" for p, text in texts().items() if p != me for m in OTHER_HOSTS.finditer(text)]
    wrong += [f"{p}: {ROOT}" for p, text in texts().items() if f"{ROOT}/" in text]
    assert wrong == []


# the library's rooms


FLOORS = ("emotions", "paper", "profiles", "streams"), ("engine",), ("features",), ("database",), ("inputs",), (
    "models",), ("experiment",), ("study",), ("results",), ("audits",), ("findings",), ("figures",), (
    "book", "distributed"), ("matching",), ("__main__",)
FLOOR = {room: i for i, rooms in enumerate(FLOORS) for room in rooms}
"""Where each module or package of the library stands: it may import what stands below. The database opens pictures and
songs with the readers of `features`, which are given rows of its manifest and know nothing else of it.
"""
ALLOWED = {
    ("acp_lib.features.__main__", "acp_lib.study"),  # a command makes the features of a study, within a function
}
MODULES = {".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): p
           for p in sorted((ROOT / "acp_lib").rglob("*.py")) if p != ROOT / "acp_lib/__init__.py"}


def imported(path: Path) -> set[str]:
    """The modules of the library that one imports, within functions too; what only type checkers read is left out."""
    found, todo = set(), [ast.parse(path.read_text("utf8"))]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            todo += node.orelse
            continue
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path.name}: imports name their module whole"
            found |= {full if (full := f"{node.module}.{a.name}") in MODULES else node.module for a in node.names}
        todo += ast.iter_child_nodes(node)
    return found & set(MODULES)


@cache
def imports() -> dict[str, set[str]]:
    """What each module of the library imports of it."""
    return {module: imported(path) for module, path in MODULES.items()}


@pytest.mark.slow
def test_every_room_has_its_floor():
    assert {module.split(".")[1] for module in MODULES} == set(FLOOR)
    assert all(other in imports()[module] for module, other in ALLOWED), "an exception that is needed no more"


@pytest.mark.slow
@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_its_own_room_and_those_below(module):
    room = module.split(".")[1]
    wrong = {other for other in imports()[module] if (at := other.split(".")[1]) != room and FLOOR[at] >= FLOOR[room]}
    assert {(module, other) for other in wrong} <= ALLOWED


@pytest.mark.slow
def test_no_imports_run_in_a_circle():
    assert len(list(TopologicalSorter(imports()).static_order())) == len(MODULES)  # raises CycleError, which names it


# packages


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
OWN, *LOCK = (ROOT / "requirements.txt").read_text("utf8").splitlines()


def needed(asked: list[str]) -> list[Requirement]:
    """What a list of requirements asks for, extras of this project replaced by what they hold."""
    wanted = [Requirement(a) for a in asked]
    held = [r for w in wanted if w.name == PROJECT["name"] for extra in w.extras for r in needed(EXTRAS[extra])]
    return [w for w in wanted if w.name != PROJECT["name"]] + held


def test_the_lock_pins_everything():
    assert OWN.startswith("-e .")
    assert [line for line in LOCK if not re.fullmatch(r"==[\w.+]+", str(Requirement(line).specifier))] == []


def test_the_lock_covers_what_the_project_asks_for():
    pinned = [Requirement(line) for line in LOCK]
    for wanted in needed([*PROJECT["dependencies"], *EXTRAS["test"]]):
        found = [next(iter(p.specifier)).version for p in pinned if p.name == wanted.name]
        assert found and all(wanted.specifier.contains(version) for version in found), wanted


def test_the_lowest_versions_are_those_that_the_project_asks_for():
    lines = (ROOT / ".ci/lowest.txt").read_text("utf8").splitlines()
    pinned = {canonicalize_name(r.name): next(iter(r.specifier)).version for r in map(Requirement, lines)}
    wrong = [f"{wanted}: {found}" for wanted in needed([*PROJECT["dependencies"], *EXTRAS["test"]])
             if not (found := pinned.get(canonicalize_name(wanted.name), "")) or not wanted.specifier.contains(found)
             or not f"{found}.".startswith(f"{lowest(wanted)}.")]
    assert wrong == [], "make lock renews it"


def lowest(wanted: Requirement) -> str:
    return next(s.version for s in wanted.specifier if s.operator == ">=")


def test_the_lowest_the_pinned_and_the_newest_versions_are_tested():
    jobs = {name: yaml.safe_load((ROOT / f".github/workflows/{name}.yml").read_text("utf8"))["jobs"]
            for name in ("tests", "weekly")}
    ran = {job: "\n".join(step.get("run", "") for step in steps["steps"]) for job, steps in
           (jobs["tests"] | jobs["weekly"]).items()}
    assert "-c .ci/lowest.txt -e" in ran["lowest"] and "-c " not in ran["newest"]
    assert all("make test" in ran[job] for job in ("lowest", "test", "newest"))
    assert "make test-nightly" in ran["newest"]


def test_what_runs_at_night_is_a_longer_case_of_a_test_that_runs_by_day():
    marked = [line for p in (ROOT / "tests").glob("test_*.py") if p != Path(__file__)
              for line in p.read_text("utf8").splitlines() if "mark.nightly" in line]
    case = r"parametrize\(.*\[[^\[\]]+, pytest\.param\([^\[\]]*, marks=pytest\.mark\.nightly\)\]\)"
    assert marked and [line for line in marked if not re.search(case, line)] == []


SHIPPED, OTHER = ("acp_lib", "book", "notebooks"), ("tests", "benchmarks")
OURS = {"acp_lib", "benchmarks", *(p.stem for p in (ROOT / "tests").glob("*.py"))}

distributions = cache(packages_distributions)


@cache
def packages_imported(folder: str) -> set[str]:
    """The first part of every module that the code of a folder imports, Python's own and this project's left out."""
    code = [p.read_text("utf8") for p in (ROOT / folder).rglob("*.py")]
    code += [c.source for path in (ROOT / folder).rglob("*.md") if path in CHAPTERS for c in cells(path, "code")]
    nodes = [node for text in code for node in ast.walk(ast.parse(text))]
    names = {a.name for n in nodes if isinstance(n, ast.Import) for a in n.names}
    names |= {n.module for n in nodes if isinstance(n, ast.ImportFrom)}
    return {name.split(".")[0] for name in names} - OURS - sys.stdlib_module_names


@pytest.mark.slow
@pytest.mark.parametrize("folder", [*SHIPPED, *OTHER])
def test_what_is_imported_is_asked_for_by_name(folder):
    extras = [r for extra in EXTRAS if folder in OTHER or extra != "test" for r in EXTRAS[extra]]
    named = {canonicalize_name(r.name) for r in needed([*PROJECT["dependencies"], *extras])}
    provided = distributions()
    undeclared = {module for module in packages_imported(folder)  # one that is not installed goes by its name
                  if not named & {canonicalize_name(d) for d in provided.get(module, [module])}}
    assert undeclared == set() and packages_imported(folder)


def test_the_source_distribution_holds_every_file():
    """setuptools takes by itself only the modules of `acp_lib` and what it knows by name."""
    lines = [line.split() for line in (ROOT / "MANIFEST.in").read_text("utf8").splitlines() if not line.startswith("#")]
    whole = {folder for command, *folders in lines if command == "graft" for folder in folders}
    alone = [pattern for command, *patterns in lines if command == "include" for pattern in patterns]
    known = {"LICENSE", "pyproject.toml", "MANIFEST.in"}
    assert [p for p in files() if p.parts[0] not in whole | known and not any(fnmatch(str(p), a) for a in alone)] == []


def test_jupyter_book_stays_below_2():
    asked, = (r for r in map(Requirement, PROJECT["dependencies"]) if r.name == "jupyter-book")
    assert asked.specifier.contains("1.0.4.post1") and not asked.specifier.contains("2.0.0")


def test_jupyter_book_2_is_refused_with_what_to_do():
    """It takes `version: 1` alone; with a file that it could read, or none, it builds nothing and reports success."""
    guard = yaml.safe_load((ROOT / "myst.yml").read_text("utf8"))
    assert set(guard) == {"version"} and re.search(r"built by Jupyter Book 1: run `make book`", guard["version"])
    assert guard["version"].split("`")[1].split()[1] in TARGETS
    page = (ROOT / "book/troubleshooting.md").read_text("utf8")
    assert '"does not match 1 (at myst.yml#config)"' in page


def test_papermill_is_told_how_to_read_chapters():
    assert PROJECT["entry-points"]["papermill.io"] == {"file://": "acp_lib.book.papermill:MystHandler"}


# make, CI


MAKEFILE = (ROOT / "Makefile").read_text("utf8")
TARGETS = set(re.findall(r"^([a-z][\w-]*):", MAKEFILE, re.M))


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_make_help_lists_every_target():
    done = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {line.split()[0] for line in done.stdout.splitlines()[1:]} == TARGETS
    assert set(re.search(r"^\.PHONY: (.*)", MAKEFILE, re.M)[1].split()) == TARGETS


@pytest.mark.slow
def test_targets_that_files_speak_of_exist():
    spoken = [(p, target) for p, text in texts().items() if p.suffix in (".md", ".py", ".yml", ".yaml", "")
              for target in re.findall(r"(?:`|^\s*|run: |-> )make ([a-z][a-z-]+)\b(?!=)", text, re.M)]
    assert len(spoken) > 10 and {(p, t) for p, t in spoken if t not in TARGETS} == set()


def test_the_ci_command_runs_every_test():
    script = ROOT / ".ci/run"
    assert os.access(script, os.X_OK)
    assert re.search(r"^make test\b", script.read_text(), re.M)
    assert "set -euo pipefail" in script.read_text()


@pytest.mark.parametrize("path", sorted((ROOT / ".github/workflows").glob("*.yml")), ids=lambda p: p.stem)
def test_workflows_are_complete(path):
    flow = yaml.safe_load(path.read_text("utf8"))
    assert flow["name"] and flow[True] and flow["permissions"]["contents"] == "read"  # YAML reads `on` as true
    for job in flow["jobs"].values():
        for step in job["steps"]:
            assert ("run" in step) != ("uses" in step)
            action = step.get("uses", "")
            assert not action or re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", action), "by digest: a tag can be moved"
            assert "checkout" not in action or step["with"]["persist-credentials"] is False
            assert "${{" not in step.get("run", ""), "by env: a run would read the value as code"
            assert step.get("with", {}).get("cache") is None, "one cache of packages, by actions/cache"
    text = path.read_text("utf8")
    assert text.count("uses:") == len(re.findall(r"uses: \S+ # v\d+\.\d+\.\d+$", text, re.M))
    assert "concurrency" in flow and all(job["timeout-minutes"] <= 60 for job in flow["jobs"].values())


def test_citation_names_the_paper():
    assert "Affective Correspondence" in yaml.safe_load((ROOT / "CITATION.cff").read_text("utf8"))["title"]
