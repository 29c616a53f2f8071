"""What a kind of answer is: what a gold makes of it, how it reads, when two values are the same.

scalars.py, symbolic.py, words.py, containers.py, sets.py, realsets.py, equations.py and schema.py
implement it; declare finds one by its declaration, __init__.py grades with it. Kinds are frozen,
hashable data.
"""

import re
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

from selfplay.grading.answers import AnswerError
from selfplay.grading.mathematics.symbols import normalise
from selfplay.grading.mathematics.trial import Trial

_SPACES = re.compile("  +")
"""Runs of spaces, which would make the patterns of the readers slow."""
_MARKDOWN = re.compile(r"(\*{1,2}|`)([^*`]+)\1")

MAX_FIELD = 1_000
"""Longest text in a declaration, in characters."""


class Kind(ABC):
    """A declared kind of answer; a subclass is a frozen dataclass whose fields are its options."""

    name: ClassVar[str]
    """The word for it in a declaration."""

    @abstractmethod
    def prepare(self, gold: str) -> tuple["Reader", Any]:
        """This kind with what was left open filled in from the gold, and the value of the gold.

        Raises:
            AnswerError: the gold is not of this kind.
        """

    def part(self) -> Self:
        """This kind for one element of a container, where `x = 5` does not stand for 5."""
        return self


class Reader(Kind):
    """A kind that can read an answer; all but `auto` can, which has to see the gold first."""

    def prepare(self, gold: str) -> tuple["Reader", Any]:
        """This kind and the value of the gold."""
        return self, self.read(gold)

    @abstractmethod
    def read(self, text: str) -> Any:
        """The value that a final answer stands for.

        Raises:
            AnswerError: not of this kind (unparsable), several values (ambiguous), or more work
                than is allowed (timeout).
        """

    @abstractmethod
    def same(self, expected: Any, given: Any, trial: Trial) -> bool:
        """Whether the given value is the expected one; random choices and work are the trial's.

        Raises:
            AnswerError: comparing them would take more work than is allowed.
        """


def without_markdown(text: str) -> str:
    """The text without one pair of **, * or ` around it."""
    marked = _MARKDOWN.fullmatch(text)
    return text if marked is None else marked[2].strip()


def _without_stop(text: str) -> str:
    return text[:-1].rstrip() if text.endswith(".") and not text.endswith("..") else text


def plain(text: str) -> str:
    """The normalised text without one final full stop and without ** or ` around it.

    Raises:
        AnswerError: a character that is not read, too long, or empty.
    """
    text = _without_stop(_SPACES.sub(" ", normalise(text)))
    if text[:1] in ("*", "`"):
        text = _without_stop(without_markdown(text))
    if not text:
        raise AnswerError("empty", "nothing is left of the answer")
    return text
