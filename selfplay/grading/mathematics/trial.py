"""What judging one answer may draw on: its random choices and one budget of work.

Made by the kinds for each answer, handed down to equality.py and numeric.py.
"""

import hashlib
from dataclasses import dataclass

from selfplay.grading.answers import AnswerError
from selfplay.problem import Outcome

MAX_WORK = 60_000
"""Budget of one answer: nodes evaluated, each weighted by the digits that it is computed to."""


@dataclass
class Trial:
    """The seed and the work done so far; not frozen, as all parts of an answer share the budget.

    Counted and not timed, so that the verdict does not depend on the machine.
    """

    seed: bytes
    """What every random choice depends on, see `seed_of`."""
    work: float = 0.0
    """Work done so far."""

    def spend(self, work: float) -> None:
        """Count work.

        Raises:
            AnswerError: timeout, if it is more than `MAX_WORK` in all.
        """
        self.work += work
        if self.work > MAX_WORK:
            raise too_large("an answer that takes too long to evaluate")


def seed_of(one: str, other: str) -> bytes:
    """A digest of two texts that does not depend on their order."""
    texts = f"{one}\0{other}" if one < other else f"{other}\0{one}"
    return hashlib.blake2b(texts.encode("utf-8", "replace"), digest_size=32).digest()


def too_large(detail: str) -> AnswerError:
    """An answer whose evaluation would take longer than the budget; found out beforehand."""
    return AnswerError("too large", detail, Outcome.TIMEOUT)
