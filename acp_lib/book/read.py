"""Importing this module reads the code of all modules of acp_lib that are imported, so that processes forked afterwards
know it as it was then. Keys of results need it, and reading it anew would take each kernel as long as many cells.

Chapter: How to read and rerun.
"""

from acp_lib.engine import cache

cache.read_imported()
