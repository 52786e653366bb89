"""Importing this module reads all code of acp_lib once, so that processes forked afterwards know it: the keys of each
chapter's results need it, and reading it anew would take each kernel as long as many of its cells.

Chapter: How to read and rerun.
"""

from acp_lib.engine import cache

cache.read_all()
