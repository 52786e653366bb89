"""Audits: does the claim hold?

Each module asks one question and answers it with numbers: on the mini database, where the truth is known, and unchanged
on any other data.
"""
