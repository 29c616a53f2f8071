"""The other grader of an audit: math-verify, in a helper process (worker.py).

Run as a module; needs the extra `audit`. It never decides a reward: it is lenient where a reward
must not be, and slow. What it parses is a model's text, with a library that reads LaTeX for a
living; that is why it runs in forks that are killed.
"""

import importlib
import logging
from collections.abc import Sequence

from selfplay.grading.worker import Helper, serve

SECONDS = 10.0
"""Deadline of one question."""


def helper() -> Helper:
    """The process that has opinions."""
    return Helper(__name__)


def opinions(other: Helper, pairs: Sequence[tuple[str, str]]) -> list[bool]:
    """Whether math-verify takes answers for equal to their golds.

    Args:
        other: from `helper`.
        pairs: gold and answer.
    Raises:
        TimeoutError: they took longer than `SECONDS` together.
        HelperError: it is not installed, or failed.
    """
    return other.ask([list(pair) for pair in pairs], SECONDS)


def _compare(pairs: list[list[str]]) -> list[bool]:
    from math_verify import parse, verify

    found = []
    for pair in pairs:
        gold, answer = (parse(f"${text}$", parsing_timeout=0) for text in pair)
        found.append(bool(verify(gold, answer, timeout_seconds=0)))
    return found


if __name__ == "__main__":
    importlib.import_module("math_verify")  # once, before the forks
    logging.getLogger("math_verify").setLevel(logging.ERROR)  # our deadline is the better one
    serve(_compare)
