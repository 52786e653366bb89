"""Figures: each a function from results to a matplotlib Figure; a module a chapter, and `style` for what they share.

Chapter: all.
"""
