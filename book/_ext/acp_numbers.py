"""Numbered references to other pages. Sphinx reads the whole of the other page for each of them, which took a third of
the time in which this book is rendered; here a page is read once.
"""

from functools import cache
from typing import Any

from docutils import nodes
from sphinx.domains.std import StandardDomain
from sphinx.environment import BuildEnvironment


class Remembering:
    """An environment whose trees are read once, for what changes none of them."""

    def __init__(self, env: BuildEnvironment):
        self._env, self.get_doctree = env, cache(env.get_doctree)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._env, name)


class Standard(StandardDomain):
    """Sphinx's own, but that the trees in which numbers are looked up stay in memory."""

    def __init__(self, env: BuildEnvironment):
        super().__init__(env)
        self._remembering = Remembering(env)

    def resolve_xref(self, env, fromdocname, builder, typ, target, node, contnode) -> nodes.Element | None:
        known = self._remembering if typ == "numref" else env
        return super().resolve_xref(known, fromdocname, builder, typ, target, node, contnode)


def setup(app) -> dict:
    app.add_domain(Standard, override=True)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
