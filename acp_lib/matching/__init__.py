"""Matching: a trained network put to use on anyone's pictures and songs.

`files` says what of them can be used, `scores` what the network makes of it, `page` shows it.
"""
