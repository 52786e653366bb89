"""The command `acp`: the ways to call it and what each gives; what is loaded; where paths start and state goes."""

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import acp_lib
from acp_lib import profiles
from acp_lib.__main__ import COMMANDS, main
from acp_lib.profiles import ROOT, places

OLD = {"book": "acp_lib.book", "features": "acp_lib.features", "database": "acp_lib.database",
       "audits": "acp_lib.audits", "distributed": "acp_lib.distributed", "bench": "benchmarks",
       "record": "acp_lib.findings.record", "match": "acp_lib.matching"}
RUNS = ("book", "features", "audits", "distributed")
SLOW = ("scipy.stats", "scipy.sparse", "sklearn", "librosa", "numba", "matplotlib", "sphinx")
HEAVY = ("torch", "librosa", "scipy", "sklearn", "sphinx", "nbclient", "pandas", "matplotlib", "numba", "jupytext")


def called(capsys, *arguments, prog="acp"):
    """Exit code, standard output and standard error of the command in this process."""
    try:
        code = main(list(arguments), prog)
    except SystemExit as stop:
        code = stop.code
    return code, *capsys.readouterr()


# the ways to call it


def test_help_lists_every_command_with_a_line_and_all_exit_codes(capsys):
    code, out, _ = called(capsys, "--help")
    assert code == 0 and set(OLD) == set(COMMANDS)
    for name, (_, about) in COMMANDS.items():
        assert f"\n  {name:13}{about}\n" in out
    for number in (0, 1, 2, 130, 143, 129):
        assert f"\n  {number:<5}" in out
    assert "examples:" in out and all(variable in out for variable in places.VARIABLES)


def test_the_readme_lists_the_exit_codes_and_variables():
    text = (ROOT / "README.md").read_text("utf8")
    assert all(f"| `{word}` |" in text for word in (0, 1, 2, 130, 143, 129, *places.VARIABLES))


def test_its_version_is_the_librarys(capsys):
    assert called(capsys, "--version") == (0, f"acp {acp_lib.__version__}\n", "")
    assert f"version: {acp_lib.__version__}\n" in (ROOT / "CITATION.cff").read_text("utf8")


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_examples_by_its_name_and_the_same_help_as_before(capsys, monkeypatch, name):
    monkeypatch.setenv("PYTHONPATH", "")  # put back after the test
    code, out, _ = called(capsys, name, "--help")
    assert code == 0 and f"usage: acp {name} [-h]" in out and "examples:\n" in out
    assert f"\n  acp {name} " in out or name == "distributed" and "torchrun" in out
    with pytest.raises(SystemExit) as stop:
        importlib.import_module(COMMANDS[name][0]).main(["--help"])
    old = capsys.readouterr().out
    assert stop.value.code == 0 and f"usage: python -m {OLD[name]} " in old
    assert old.replace(f"python -m {OLD[name]}", f"acp {name}").split() == out.split()


@pytest.mark.slow
@pytest.mark.parametrize(("arguments", "message"), [
    ("", "acp: error: command is ''; expected one of book, features, database"),
    ("boook", "acp: error: command is 'boook'; did you mean 'book'?"),
    ("feature --help", "acp: error: command is 'feature'; did you mean 'features'?"),
    ("databse validate x", "acp: error: command is 'databse'; did you mean 'database'?"),
    ("audit", "acp: error: command is 'audit'; did you mean 'audits'?"),
    ("Book", "acp: error: command is 'Book'; did you mean 'book'?"),
    ("zzz", "acp: error: command is 'zzz'; expected one of book, features, database"),
    ("--nonsense book", "acp: error: "),
    ("book mini -p nonsense 1", "error: unknown parameter 'nonsense'; expected some of"),
    ("book mini --nonsense", "acp book: error: unrecognized arguments: --nonsense"),
    ("book -j two", "acp book: error: argument -j/--jobs: invalid int value: 'two'"),
    ("book maxi", "error: profile is 'maxi'; expected one of"),
    ("book folder", "error: data is empty; profile 'folder' needs the folder of your pictures and music "
                    "(-p data FOLDER)"),
    ("book mini -p data x", f"error: data is '{Path.cwd() / 'x'}', but profile 'mini' makes its own; for your pictures "
                            "and music take profile 'folder'"),
    *((f"{name} folder -p data x", f"error: data is '{Path.cwd() / 'x'}', which is no folder; give the one that holds")
      for name in RUNS),
    *((f"{name} mini -p weights x", f"error: weights is '{Path.cwd() / 'x'}', which is no file; expected imagenet, ")
      for name in RUNS),
    ("features folder -p dat x", "error: unknown parameter 'dat'"),
    ("features mini --only smells", "acp features: error: argument --only: invalid choice: 'smells'"),
    ("audits mini -p seed x", "error: seed is 'x'; expected int"),
    ("database", "acp database: error: the following arguments are required: WHAT"),
    ("database pictres x", "acp database: error: argument WHAT: invalid choice: 'pictres'"),
    ("database validate nowhere", f"error: '{Path.cwd() / 'nowhere'}' is no folder"),
    ("database songs a/../nowhere", f"error: '{Path.cwd() / 'nowhere'}' is no folder"),
    ("database validate /nowhere", "error: '/nowhere' is no folder"),
    ("distributed mini", "error: this command is started by torchrun"),
    ("bench smells", "acp bench: error: part 'smells'"),
])
def test_what_is_wrong_is_refused_with_the_way_it_was_called(capsys, monkeypatch, arguments, message):
    monkeypatch.setenv("PYTHONPATH", "")
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    code, out, err = called(capsys, *arguments.split())
    last, command = err.splitlines()[-1], arguments.split()[0] if arguments else ""
    assert code == 2 and out == "" and last.startswith(message)
    assert last.startswith("acp") or last.endswith(" --help)") and f"(acp {command}" in last


def test_an_interruption_while_a_command_is_loaded_is_no_traceback(capsys, monkeypatch):
    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(importlib, "import_module", interrupt)
    assert called(capsys, "book") == (130, "", "stopped; the same command goes on where it was\n")


# processes: as users call it


def run(*command, cwd=ROOT, **environment):
    return subprocess.run([sys.executable, *map(str, command)], cwd=cwd, text=True, capture_output=True,
                          env=os.environ | {"PYTHONPATH": str(ROOT)} | environment, check=False)


LOADED = """
import sys
from acp_lib.__main__ import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print(*[name for name in %r if name in sys.modules], file=sys.stderr)
"""


@pytest.mark.slow
@pytest.mark.parametrize("arguments", ["--help", "--version", "boook", "book mini -p nonsense 1",
                                       *(f"{name} --help" for name in COMMANDS),
                                       *(f"{name} folder -p data {no}" for name in RUNS for no in ("no", "/dev/null")),
                                       *(f"{name} mini -p weights no" for name in RUNS)])
def test_nothing_heavy_is_loaded_for_help_and_refusals(tmp_path, arguments):
    done = run("-c", LOADED % (HEAVY,), *arguments.split(), cwd=tmp_path)
    assert done.returncode == 0 and done.stderr.splitlines()[-1] == "", done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("module", "unneeded"), [
    ("acp_lib.engine.commands", HEAVY), ("acp_lib.book.build", HEAVY), ("acp_lib.engine.processes", HEAVY),
    ("acp_lib.models", ("torchvision", "pandas", "scipy", "sklearn", *HEAVY[5:])),
    ("acp_lib.database.samples", ("torch", "scipy.stats", "sklearn", "matplotlib", "numba", "librosa")),
    ("acp_lib.inputs", ("torch", "scipy.stats", "sklearn", "matplotlib", "numba", "librosa")),
    ("acp_lib.experiment.training", ("torchvision", *SLOW)), ("acp_lib.study", ("torchvision", *SLOW)),
])
def test_a_module_brings_only_what_it_needs(tmp_path, module, unneeded):
    done = run("-c", f"import sys, {module}; print(*sorted(set({unneeded!r}) & set(sys.modules)))", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "\n"), done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("module", ["acp_lib", *OLD.values()])
def test_modules_answer_as_they_are_called(module):
    done = run("-m", module, "--help")
    assert done.returncode == 0 and f"usage: python -m {module} " in done.stdout, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("flags", ["-O", "-OO", "-W error", "-X dev -W ignore", "-B", "-P -X utf8"])
@pytest.mark.parametrize("arguments", ["--help", "book --help"])
def test_python_may_be_called_with_whatever_options(tmp_path, flags, arguments):
    done = run(*flags.split(), "-m", "acp_lib", *arguments.split(), cwd=tmp_path)
    assert done.returncode == 0 and done.stdout.startswith("usage: python -m acp_lib") and done.stderr == ""


# paths and state


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """A folder in no project, and nothing set that would put things elsewhere."""
    for variable in places.VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def installed(nowhere, monkeypatch):
    """A library that lies apart from any project."""
    monkeypatch.setattr(places, "ROOT", nowhere / "site-packages")
    return nowhere


def project(folder: Path) -> Path:
    (folder / "acp_lib").mkdir(parents=True)
    (folder / "notebooks").mkdir()
    (folder / "_toc.yml").touch()
    return folder


@pytest.mark.parametrize(("given", "wanted"), [
    ("mine", "{here}/mine"), ("./mine", "{here}/mine"), ("a/../mine", "{here}/mine"), (".", "{here}"),
    ("..", "{here.parent}"), ("/data/mine", "/data/mine"), ("~/mine", "{home}/mine"),
    ("a b/\u97f3", "{here}/a b/\u97f3"),
])
def test_a_path_starts_where_the_user_stands_in_whatever_option(nowhere, given, wanted):
    wanted = wanted.format(here=nowhere, home=Path.home())
    values = dict.fromkeys(profiles.FILES + profiles.SPOTS, given)
    p = profiles.load("folder", **values)
    assert {name: getattr(p, name) for name in values} == dict.fromkeys(values, wanted)
    os.chdir("/")
    assert p.changed(seed=3).data == wanted and p.work_path == Path(wanted)


@pytest.mark.slow
@pytest.mark.parametrize(("library", "arguments", "code", "said"), [
    (ROOT, "--help", 0, ""), (ROOT, "features folder -p data /no", 2, "error: data is '/no', which is no folder"),
    (ROOT, "features folder -p data no", 2, "error: the folder that you stand in is gone; go to one that is there"),
    (ROOT, "book folder -p data ../no", 2, "error: the folder that you stand in is gone"),
    (ROOT, "database validate no", 2, "error: the folder that you stand in is gone"),
    ("", "features mini --only music", 2, "error: the folder that you stand in is gone"),
])
def test_a_folder_that_is_gone_is_no_place_to_stand_in(tmp_path, library, arguments, code, said):
    if not library:
        shutil.copytree(ROOT / "acp_lib", tmp_path / "lib/acp_lib")
    (tmp_path / "gone").mkdir()
    script = f"cd gone && rmdir ../gone && exec {sys.executable} -m acp_lib {arguments}"
    places_of = {"PYTHONPATH": str(library or tmp_path / "lib"), "ACP_WORK": "", "ACP_BUILD": "", "ACP_RESULTS": ""}
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, text=True, capture_output=True,
                          env=os.environ | places_of, check=False)
    assert done.returncode == code and done.stderr.startswith(said) and done.stderr.count("\n") == min(code, 1)


def test_a_link_keeps_its_name_and_words_are_no_paths(nowhere):
    (nowhere / "store-7").mkdir()
    (nowhere / "mine").symlink_to("store-7")
    p = profiles.load("folder", data="mine", weights="random", alexnet_weights="imagenet")
    assert p.data == str(nowhere / "mine") and p.tag.startswith("folder-data-store-7")
    assert (p.weights, p.alexnet_weights, p.work) == ("random", "imagenet", "")


def test_of_a_path_only_the_last_part_is_shown_and_stands_in_keys(nowhere):
    from acp_lib.experiment import methods

    some = {"data": "/a/mine", "alexnet_weights": "/b/net.pth", "weights": "random", "seed": 3, "results": ""}
    assert profiles.shown(some) == some | {"data": "mine", "alexnet_weights": "net.pth"}
    frozen = methods.method("image", "AlexNet, frozen")
    here, there = (frozen.options(profiles.load(alexnet_weights=f"{folder}/net.pth")) for folder in ("/here", "/there"))
    assert here.named == there.named and here.convolution != there.convolution


def test_the_library_of_a_checkout_keeps_all_in_it_wherever_the_user_stands(nowhere):
    project(nowhere / "another")
    for folder in (nowhere, nowhere / "another"):
        os.chdir(folder)
        p = profiles.load()
        assert (p.work_path, p.home, p.results_path) == (ROOT / "_work", ROOT, ROOT / "_build/results")


@pytest.mark.parametrize("stands", ["", "notebooks"])
def test_an_installed_library_keeps_all_in_the_project_that_the_user_stands_in(installed, stands):
    os.chdir(project(installed / "clone") / stands)
    p = profiles.load(seed=3)
    assert p.work_path == installed / "clone/_work" and p.home == installed / "clone/_build/profiles/mini-seed-3"


def test_an_installed_library_elsewhere_keeps_all_in_the_users_caches(installed):
    from platformdirs import user_cache_path

    p, caches = profiles.load(), user_cache_path("acp_lib")
    assert (p.work_path, p.results_path) == (caches / "_work", caches / "_build/results")
    assert "site-packages" not in p.work_path.parts
    if sys.platform == "linux":
        assert caches == installed / "caches/acp_lib"


@pytest.mark.parametrize("variable", places.VARIABLES)
@pytest.mark.parametrize("path", ["there", "/there"])
def test_a_variable_puts_each_elsewhere_and_an_option_has_the_last_word(nowhere, monkeypatch, variable, path):
    monkeypatch.setenv(variable, path)
    p, option, there = profiles.load(seed=3), variable[4:].lower(), nowhere / path
    found = {"work": p.work_path, "build": p.home, "results": p.results_path}
    wanted = {"work": there, "build": there / "_build/profiles/mini-seed-3", "results": there / "mini-seed-3"}
    assert found[option] == wanted[option] and places.settled() == {variable: str(there)}
    again = profiles.load(seed=3, **{option: "said"})
    said = {"work": again.work_path, "build": again.home, "results": again.results_path}[option]
    assert said.is_relative_to(nowhere / "said")


def test_books_do_not_share_a_folder_of_results_that_a_variable_names(nowhere, monkeypatch):
    monkeypatch.setenv("ACP_RESULTS", "r")
    assert profiles.load().results_path != profiles.load(seed=3).results_path


def test_where_things_are_put_is_in_no_tag_and_no_key(nowhere):
    put = profiles.load(work="w", build="b", results="r")
    assert put.tag == profiles.load().tag and set(profiles.SPOTS) <= set(profiles.PLACES)


@pytest.mark.parametrize(("command", "code"), [("book", 2), ("bench", 2)])
def test_an_installed_library_has_no_chapters_and_says_so(installed, capsys, command, code):
    found, out, err = called(capsys, command)
    assert (found, out) == (code, "") and err.count("\n") == 1
    assert err.startswith("error: this needs a checkout of the project") and "git clone" in err
    assert str(installed / "site-packages") in err and err.endswith(f"(acp {command} --help)\n")


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_make_takes_paths_from_where_it_runs():
    done = subprocess.run(["make", "-n", "book", "DATA=mine"], cwd=ROOT, capture_output=True, text=True)
    command, = (line for line in done.stdout.splitlines() if "-m acp_lib.book" in line)
    assert "cd " not in command and '-p data "$DATA"' in done.stdout
    assert command.startswith("exec "), "a signal to make would stop at the shell"
