"""Chains of equations: a=3,a+b=7,b+c=9 gives a, then b, then c.

A ladder (ladders.py): the answer has each unknown with its value, a3b4c5. All values are digits.
Unknowns follow each other in the alphabet from any letter on, after z comes a, so that short chains
show all letters.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from string import ascii_lowercase

from selfplay.problem import InvalidProblem, Problem
from selfplay_envs.ladders import Ladder, rungs

Value = int
"""From 0 to 9."""


class EquationChain(Ladder):
    """Solve for one unknown after the other."""

    name = "equation_chain"
    summary = "a=3,a+b=7,b+c=9 is a3b4c5: unknowns that follow from each other"
    instruction = (
        "Find the unknowns, which are digits from 0 to 9. The first equation gives one, each later "
        "one the sum of an unknown and the next one. The answer is each unknown with its value, in "
        "the order of the equations: for a=3,a+b=7 it is a3b4."
    )
    fewest = 3
    crowded = 3
    knobs = rungs(range(3, 27))
    symbol = re.compile(r"(?:[a-z]\+)?[a-z]=(?:0|[1-9][0-9]?)")
    separator = ","
    example = "a=3,a+b=7,b+c=9"
    exchangeable = ()

    def question(self, steps: int, rng: random.Random) -> str:
        """Random values, and a random first letter."""
        return _equations(rng.randrange(26), [rng.randrange(10) for _ in range(steps)])

    def parse(self, text: str) -> Problem:
        """As every ladder; chains that differ in their letters only are the same."""
        problem = super().parse(text)
        return replace(problem, signature=_equations(0, self._values(text)))

    def written(self, symbols: Sequence[str]) -> Iterator[str]:
        """The unknown and its value."""
        first, before = ascii_lowercase.index(symbols[0].partition("=")[0][-1]), 0
        for index, equation in enumerate(symbols):
            sides, _, right = equation.partition("=")
            if sides != _left(first, index):
                expected = _left(first, index) or "there is none"
                raise InvalidProblem(f"malformed: {sides} where {expected} comes")
            before = int(right) - before
            if not 0 <= before <= 9:
                raise InvalidProblem(f"no solution: {sides[-1]} is {before}, no digit")
            yield f"{sides[-1]}{before}"

    def changed(self, text: str, rng: random.Random) -> str:
        """Another value for one unknown: another right side alone mostly leaves no solution."""
        values = self._values(text)
        values[rng.randrange(len(values))] = rng.randrange(10)
        return _equations(ascii_lowercase.index(text[0]), values)

    def _values(self, text: str) -> list[Value]:
        return [int(step[1]) for step in self.trace(text)]


def _equations(first: int, values: Sequence[Value]) -> str:
    rights = [values[0], *(one + other for one, other in pairwise(values))]
    return ",".join(f"{_left(first, index)}={right}" for index, right in enumerate(rights))


def _left(first: int, index: int) -> str:
    """The left side of an equation: a, a+b, b+c and so on; empty when all letters are used."""
    letters = range(first + max(0, index - 1), first + index + 1)
    return "+".join(ascii_lowercase[at % 26] for at in letters) if index < 26 else ""
