"""Modular arithmetic: 7,*8,+5 mod 13 starts at 7, multiplies by 8, adds 5, all modulo 13.

A comma reads "then". Operators are + - *. The canonical text has start and operands reduced modulo
the modulus; steps that change nothing (+0, -0, *1) or forget everything (*0) are refused.
"""

import random
import re
from collections.abc import Mapping, Sequence

from selfplay.grading import grade_integer
from selfplay.problem import ANSWER_OPEN, Environment, InvalidProblem, Knob, Problem, Verdict
from selfplay_envs.pace import Pace

SMALLEST_MODULUS = 5
"""Below it a guess is right too often."""
MAX_LENGTH = 100
"""Longest text that is read, in characters."""

_NUMBER = "(?:0|[1-9][0-9]{0,5})"
_TEXT = re.compile(rf"({_NUMBER})((?:,[-+*]{_NUMBER})+) mod ({_NUMBER})\Z")

Step = tuple[str, int]
"""An operator and its operand."""


class Modular(Environment):
    """Carry out a chain of operations modulo a number."""

    name = "modular"
    summary = "carry out 7,*8,+5 mod 13: a chain of + - * modulo a number"
    instruction = (
        "Start with the first number and carry out the steps from left to right, everything modulo "
        "the last number. The answer is a number from 0 to the modulus less one."
    )
    verifier = "integer"
    crowded = 4
    knobs = {
        "steps": Knob((2, 2, 3, 3, 4, 5, 6, 7, 8), "steps", "longer chains"),
        "modulus": Knob((7, 9, 7, 9, 9, 9, 9, 9, 20), "value", "larger moduli"),
        "factor": Knob((3, 4, 3, 4, 4, 4, 4, 4, 9), "value", "larger multipliers"),
    }

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """A chain of random steps."""
        modulus = rng.randint(SMALLEST_MODULUS, knobs["modulus"])
        parts = [str(rng.randrange(modulus))]
        for _ in range(knobs["steps"]):
            operator = rng.choice("+-*")
            operand = (
                rng.randint(2, min(knobs["factor"], modulus - 1))
                if operator == "*"
                else rng.randint(1, modulus - 1)
            )
            parts.append(f"{operator}{operand}")
        return f"{','.join(parts)} mod {modulus}"

    def parse(self, text: str) -> Problem:
        """Read a chain and reduce its numbers; the gold is its result."""
        start, steps, modulus = _read(text)
        if modulus < SMALLEST_MODULUS:
            raise InvalidProblem(f"trivial: modulo {modulus} a guess is right too often")
        start, steps = start % modulus, [(operator, n % modulus) for operator, n in steps]
        _refuse_trivial(steps)
        factor = max((operand for operator, operand in steps if operator == "*"), default=0)
        level = self.easiest(steps=len(steps), modulus=modulus, factor=factor)
        value = start
        for operator, operand in steps:
            value = _compute(value, operator, operand) % modulus
        parts = [str(start), *(f"{operator}{operand}" for operator, operand in steps)]
        text = f"{','.join(parts)} mod {modulus}"
        return Problem(self.name, level, text, signature=text, gold=str(value))

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if the answer is the result, from 0 to the modulus less one."""
        return grade_integer(problem.gold, response)

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """One step after the other, reduced where needed: 7*8=56=4;4+5=9."""
        value, steps, modulus = _read(problem.text)
        lines: list[str] = []
        for operator, operand in steps:
            result = _compute(value, operator, operand)
            line = f"{value}{operator}{operand}={result}"
            value = result % modulus
            lines.append(line if value == result else f"{line}={value}")
        return f"{';'.join(Pace.draw(rng).skim(lines))}{ANSWER_OPEN}{problem.gold}"


def _read(text: str) -> tuple[int, list[Step], int]:
    """The start, the steps and the modulus."""
    found = _TEXT.match(text) if len(text) <= MAX_LENGTH else None
    if found is None:
        raise InvalidProblem(f"malformed: {text[:40]!r} is not like '7,*8,+5 mod 13'")
    start, chain, modulus = found.groups()
    steps = [(step[0], int(step[1:])) for step in chain[1:].split(",")]
    return int(start), steps, int(modulus)


def _refuse_trivial(steps: Sequence[Step]) -> None:
    for operator, operand in steps:
        if operand == 0 or (operator == "*" and operand == 1):
            raise InvalidProblem(f"trivial: the step {operator}{operand}")


def _compute(value: int, operator: str, operand: int) -> int:
    if operator == "*":
        return value * operand
    return value + operand if operator == "+" else value - operand
