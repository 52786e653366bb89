"""Findings: what was found where a book cannot run while one waits: on real pictures and music, on the released labels,
in hundreds of runs.

`record` runs a study and keeps its numbers in `recorded/`; each other module makes one, or says what it comes to.
"""
