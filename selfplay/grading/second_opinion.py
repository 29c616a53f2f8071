"""The other grader of an audit: math-verify, in a helper process (worker.py).

Run as a module; needs the extra `audit`. It never decides a reward: it is lenient where a reward
must not be, and slow. What it parses is a model's text, with a library that reads LaTeX for a
living; that is why it runs in forks that are killed.
"""

import logging
from typing import Any

from selfplay.grading.worker import Helper, serve

SECONDS = 10.0
"""Deadline of one opinion."""


def helper() -> Helper:
    """The process that has opinions."""
    return Helper(__name__)


def opinion(other: Helper, gold: str, answer: str) -> bool:
    """Whether math-verify takes an answer for equal to the gold.

    Raises:
        TimeoutError: it took longer than `SECONDS`.
        HelperError: it is not installed, or failed.
    """
    return bool(other.ask({"gold": gold, "answer": answer}, SECONDS))


def _compare(question: dict[str, str]) -> Any:
    from math_verify import parse, verify

    gold, answer = (parse(f"${question[name]}$", parsing_timeout=0) for name in ("gold", "answer"))
    return verify(gold, answer, timeout_seconds=0)


if __name__ == "__main__":
    import math_verify  # noqa: F401 (imported once, before the forks)

    logging.getLogger("math_verify").setLevel(logging.ERROR)  # our deadline is the better one
    serve(_compare)
