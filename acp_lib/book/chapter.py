"""The first call of every chapter: its parameters become a profile, and the page says what it ran on.

Chapter: all.
"""

import matplotlib.pyplot as plt
from IPython import get_ipython
from matplotlib.figure import Figure

from acp_lib import profiles
from acp_lib.book.report import escape, say
from acp_lib.figures import page, style
from acp_lib.study import Study

REMEMBERED = "_acp_parameters"
PASSED = str | int | float | list | dict | None


def given(names: dict) -> dict:
    """The parameters among a notebook's variables: when first asked, all public ones of a type that papermill passes.

    They are remembered under a private name, so that a reader may run the cell again when there are more variables.

    Chapter: How to read and rerun.
    """
    if REMEMBERED not in names:
        hidden = getattr(get_ipython(), "user_ns_hidden", {})
        names[REMEMBERED] = [k for k, v in names.items() if not k.startswith("_") and k not in (*hidden, "In", "Out")
                             and isinstance(v, PASSED)]
    return {k: names[k] for k in names[REMEMBERED]}


def begin(names: dict) -> Study:
    """The study that a chapter's parameters describe; call it as `chapter.begin(globals())`.

    Raises
    ------
    ValueError
        For a parameter that no profile has, or a value that does not fit: papermill itself would ignore it.

    Chapter: How to read and rerun.
    """
    study = Study(profiles.load(**given(names)), progress=False)
    style.theme()
    show_drawings()
    say(banner(study))
    return study


def show_drawings() -> None:
    """Let the notebook show figures as `page.svg` draws them, and in no other form.

    Chapter: How to read and rerun.
    """
    if not (shell := get_ipython()):
        return
    if "inline" in (backend := plt.get_backend()):
        plt.switch_backend(backend)  # now, and not with the first figure, it settles how it would show them
        plt.uninstall_repl_displayhook()  # it would draw each figure once more, for nobody
    formatters = shell.display_formatter.formatters
    formatters["image/svg+xml"].for_type(Figure, page.svg)
    formatters["image/png"].pop(Figure, None)


def banner(study: Study) -> str:
    """One line that names the data and the weights of this page."""
    table, p = study.listed, study.profile
    music = table[table["modality"] == "music"]
    pictures = int((table["modality"] == "image").sum())
    kind = ("**Synthetic data**, which says nothing about IMAC" if study.synthetic else
            f"Data: {escape(study.data_name)}")
    return (f":::{{div}} acp-ran-on\n{kind}: {pictures:,} pictures and {len(music):,} pieces of music from "
            f"{music['group'].nunique():,} songs; Inception-V3 with {escape(study.weights_name)}; profile "
            f"{escape(p.profile)}, seed {p.seed} ([data card](data-card)).\n:::\n")
