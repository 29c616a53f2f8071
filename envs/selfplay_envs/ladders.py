"""Ladders: a level is a number of steps, there are many levels, and the answer is every step.

The question is a row of symbols. In each step something is written that depends on the next symbol
and on what was written last, and the answer is the whole trace: all that was written, compared
exactly. Neighbouring levels differ by one or two steps, so who climbs has to make every step more
reliable and learns no new skill on the way. walk.py, automaton.py, running_sum.py,
register_machine.py, column_addition.py, cancelling.py, bubble_pass.py and equation_chain.py have
the subclasses.
"""

import random
import re
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar

from selfplay.grading import AnswerError, final_answer, unreadable
from selfplay.problem import (
    ANSWER_OPEN,
    Environment,
    InvalidProblem,
    Knob,
    Outcome,
    Problem,
    Verdict,
)
from selfplay_envs.nearby import nearby

DIGITS = "0123456789"
MAX_TEXT = 400
"""Longest text that is read, in characters; the longest question has 178."""

_CORRECT = Verdict(Outcome.CORRECT, "equal")
_HEDGED = Verdict(Outcome.AMBIGUOUS, "several values")
_BETWEEN_ANSWERS = re.compile(r"[\s;|/&]+")
"""No trace has any of these."""


def rungs(steps: Iterable[int]) -> Mapping[str, Knob]:
    """The knobs of a ladder: most steps at each level, ascending."""
    return {"steps": Knob(tuple(steps), "steps", "more steps")}


def drawn(kinds: Sequence[str], steps: int, rng: random.Random) -> list[str]:
    """Random symbols: all kinds of them, or only some, at least half as many as there are steps.

    A short question of a few kinds repeats itself as a long one of all kinds does. Where short ones
    hardly ever do, a small model learns to find its place by the last symbol alone, and loses it
    in longer ones.
    """
    fewest = min(len(kinds), max(2, steps // 2))
    return rng.choices(rng.sample(kinds, rng.randint(fewest, len(kinds))), k=steps)


class Ladder(Environment):
    """Questions that are answered step by step; a level is a number of steps.

    A subclass sets the attributes below and those of an Environment, and defines `question` and
    `written`. `grade` is strict: nothing but the whole trace is right.
    """

    verifier = "trace"
    guess_bound = 0.02
    fewest: ClassVar[int]
    """Fewest steps of a question; level 0 has these up to its number of steps."""
    symbol: ClassVar[re.Pattern[str]]
    """One symbol of a question."""
    separator: ClassVar[str] = ""
    """What stands between two symbols."""
    example: ClassVar[str]
    """A question, for the refusal of texts that are none."""
    exchangeable: ClassVar[tuple[str, ...]]
    """Sets of characters; a mutation replaces a character by another one of its set."""

    @abstractmethod
    def question(self, steps: int, rng: random.Random) -> str:
        """A random question of that many steps."""

    @abstractmethod
    def written(self, symbols: Sequence[str]) -> Iterator[str]:
        """What is written in each step.

        Args:
            symbols: of the question, in order.
        Raises:
            InvalidProblem: these symbols are no question.
        """

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """A question with more steps than the level below has, and no more than are allowed."""
        most = knobs["steps"]
        if most < self.fewest:
            raise ValueError(
                f"{self.name} has no questions of steps={most}: {self.fewest} are the fewest."
            )
        below = (steps + 1 for steps in self.knobs["steps"].values if steps < most)
        return self.question(rng.randint(max(below, default=self.fewest), most), rng)

    def parse(self, text: str) -> Problem:
        """Read a question and answer it; the gold is the whole trace."""
        trace = self.trace(text)
        if len(trace) < self.fewest:
            raise InvalidProblem(f"trivial: less than {self.fewest} steps")
        level = self.easiest(steps=len(trace))
        return Problem(self.name, level, text, signature=text, gold="".join(trace))

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if the answer is the trace, character by character.

        The reason of a wrong one is its first wrong step, such as "step 7 of 12".
        """
        try:
            answer = final_answer(response)
        except AnswerError as error:
            return unreadable(error)
        if answer == problem.gold:
            return _CORRECT
        if problem.gold in _BETWEEN_ANSWERS.split(answer):
            return _HEDGED
        try:
            trace = self.trace(problem.text)
        except InvalidProblem:  # not made by `parse`: ours, not the solver's
            return Verdict(Outcome.ERROR, "unreadable problem")
        return Verdict(Outcome.WRONG, _first_wrong(trace, answer))

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """The answer alone: it is the working."""
        del rng
        return f"{ANSWER_OPEN}{problem.gold}"

    def estimate(self, problem: Problem) -> float:
        """Number of steps."""
        return float(len(self.trace(problem.text)))

    def mutate(self, problem: Problem, rng: random.Random) -> Problem:
        """One character of the question replaced."""
        return nearby(self, problem, rng, self.changed)

    def changed(self, text: str, rng: random.Random) -> str:
        """The text with one character replaced; need not be a question."""
        places = [
            (place, characters)
            for place, character in enumerate(text)
            for characters in self.exchangeable
            if character in characters
        ]
        place, characters = rng.choice(places)
        return f"{text[:place]}{rng.choice(characters)}{text[place + 1 :]}"

    def trace(self, text: str) -> list[str]:
        """What is written in each step.

        Raises:
            InvalidProblem: the text is no question.
        """
        if len(text) > MAX_TEXT:
            raise InvalidProblem(f"beyond the top level: {len(text)} characters")
        symbols = self.symbol.findall(text)
        if not symbols or self.separator.join(symbols) != text:
            raise InvalidProblem(f"malformed: {text[:40]!r} is not like {self.example!r}")
        return list(self.written(symbols))


def _first_wrong(trace: Sequence[str], answer: str) -> str:
    """Where an answer leaves the trace."""
    end = 0
    for number, step in enumerate(trace, start=1):
        if not answer.startswith(step, end):
            return f"step {number} of {len(trace)}"
        end += len(step)
    return f"more than {len(trace)} steps"
