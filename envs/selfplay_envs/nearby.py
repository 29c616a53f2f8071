"""Mutations that change something else than a number of the text; shared by the environments."""

import random
from collections.abc import Callable

from selfplay.problem import MUTATIONS, Environment, InvalidProblem, Problem

Change = Callable[[str, random.Random], str]
"""Turns the text of a problem into one nearby, which need not be a problem."""


def nearby(
    environment: Environment, problem: Problem, rng: random.Random, change: Change
) -> Problem:
    """The first change that is another problem; a new one of the level where there is none.

    Args:
        environment: that of the problem.
        problem: to be changed.
        rng: drawn from.
        change: tried up to MUTATIONS times.
    """
    for _ in range(MUTATIONS):
        try:
            other = environment.parse(change(problem.text, rng))
        except InvalidProblem:
            continue
        if other.signature != problem.signature:
            return other
    return environment.generate(problem.level, rng)


def flip_letter(text: str, rng: random.Random) -> str:
    """The text with one letter in the other case: where upper case means not, one negation."""
    at = rng.choice([place for place, character in enumerate(text) if character.isalpha()])
    return f"{text[:at]}{text[at].swapcase()}{text[at + 1 :]}"
