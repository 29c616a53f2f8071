"""Selfplay: a language model teaches itself to reason on problems it is posed by its own proposer.

The command line is the way in (`selfplay --help`); `selfplay.problem` is all that the author of an
environment needs.
"""
