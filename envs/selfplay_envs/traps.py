"""Two environments in which nothing can be learnt, to see what a curriculum does with them.

`coin_flips` looks half solved for ever: its answers are fair coins, so a guess is right half of the
time, and a curriculum that seeks out pass rates near one half finds it most attractive. `one_way`
is never solved. Both draw answers from a hash of the question, so they are fixed, but nobody who
has not the hash function can tell them. A curriculum has to quarantine both, and spend its attempts
on what can be learnt.

What they are not: a task. Leave them out of a run that is to become good at something.
"""

import hashlib
import random
import re
from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from selfplay.grading import declare, grade_response
from selfplay.problem import ANSWER_OPEN, Environment, InvalidProblem, Knob, Problem, Verdict
from selfplay_envs.nearby import nearby

LETTERS = "abcdefghijklmnopqrstuvwxyz"
FEWEST = 6
"""Fewest letters of a text."""
HEX_DIGITS = 12
"""Hexadecimal digits of an answer of `one_way`."""

_KIND = declare({"kind": "text", "whitespace": "exact"})
_TEXT = re.compile("[a-z]+")


class Trap(Environment):
    """A text of random letters whose answer is drawn from its hash."""

    verifier = "text"
    knobs = {"letters": Knob((6, 7, 8, 10, 12, 14, 16, 20, 24), "letters", "longer texts")}
    asks: ClassVar[str]
    """The word in front of the letters."""

    @abstractmethod
    def answer(self, text: str) -> str:
        """What the hash of the question says."""

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """Random letters."""
        return f"{self.asks} {''.join(rng.choices(LETTERS, k=knobs['letters']))}"

    def parse(self, text: str) -> Problem:
        """Read the letters; the gold is drawn from the hash of the text."""
        asks, _, letters = text.partition(" ")
        if asks != self.asks or not _TEXT.fullmatch(letters):
            raise InvalidProblem(f"malformed: {text[:40]!r} is not like '{self.asks} qwertz'")
        if len(letters) < FEWEST:
            raise InvalidProblem(f"trivial: less than {FEWEST} letters")
        level = self.easiest(letters=len(letters))
        return Problem(self.name, level, text, signature=text, gold=self.answer(text))

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if the answer is the one drawn, character by character."""
        return grade_response(_KIND, problem.gold, response)

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """The answer alone: no working leads to it."""
        del rng
        return f"{ANSWER_OPEN}{problem.gold}"

    def estimate(self, problem: Problem) -> float:
        """Number of letters: all questions are equally hopeless, so it means nothing."""
        return float(len(problem.text))

    def mutate(self, problem: Problem, rng: random.Random) -> Problem:
        """One letter replaced."""
        return nearby(self, problem, rng, _replace_letter)


class CoinFlips(Trap):
    """The noise trap: half of all guesses are right, and no skill makes them more.

    It is for seeing that the curriculum quarantines it: its pass rate stays near one half, where
    there seems to be most to learn.
    """

    name = "coin_flips"
    summary = "Trap: the answer is a fair coin, h or t; half right for ever, nothing to learn"
    instruction = (
        "Guess how a fair coin fell that was thrown for these letters: h for heads or t for tails. "
        "Nothing in the letters tells. The answer is one letter, such as h."
    )
    guess_bound = 0.5
    asks = "coin"

    def answer(self, text: str) -> str:
        """One bit of the hash."""
        return "ht"[_hash(text)[0] & 1]


class OneWay(Trap):
    """The impossible trap: a hash that cannot be computed in the head.

    It is for seeing that the curriculum quarantines it: no attempt is ever right.
    """

    name = "one_way"
    summary = "Trap: the first 12 hexadecimal digits of a SHA-256; never solved"
    instruction = (
        "Compute the SHA-256 of the whole line below as ASCII. The answer is its first 12 "
        "hexadecimal digits, in lower case, such as 0123456789ab."
    )
    guess_bound = 0.01
    asks = "hash"

    def answer(self, text: str) -> str:
        """The first digits of the hash."""
        return _hash(text).hex()[:HEX_DIGITS]


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _replace_letter(text: str, rng: random.Random) -> str:
    place = rng.randrange(text.index(" ") + 1, len(text))
    return f"{text[:place]}{rng.choice(LETTERS)}{text[place + 1 :]}"
