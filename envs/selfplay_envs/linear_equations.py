"""Linear equations in one unknown: 3x+4=19, 5x-2=2x+7, 3(x+2)-5=2(x-1)+9.

A side is a number, or a multiple of the unknown or of a group, then perhaps a number: 7, 3x+4, -x,
2(x-1)+9. The unknown is one letter and stands on the left side at least. The answer is the number
alone, 15/4 or 5, without x=.
"""

import random
import re
from collections.abc import Mapping
from typing import NamedTuple

import sympy

from selfplay.grading import grade_rational
from selfplay.problem import ANSWER_OPEN, Environment, InvalidProblem, Knob, Problem, Verdict
from selfplay_envs.pace import Pace

USUAL_UNKNOWN_SHARE = 0.98
"""Share of generated equations whose unknown is x."""
INTEGER_SHARE = 0.5
"""Share of generated equations with groups whose solution is an integer."""
LARGEST_COEFFICIENT = 5
"""Largest generated factor of the unknown or of a group, and number inside a group, on the left."""
LARGEST_RIGHT_FACTOR = 7
"""Largest generated factor on the right; a wider choice has equal factors less often."""
USUAL_SOLUTION = 9
"""Largest generated whole solution."""

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_MAX_LENGTH = 60
_NUMBER = re.compile(r"-?[0-9]{1,6}\Z")
_SOLUTION = re.compile(r"(-?[0-9]{1,6}):(.*)\Z")
_MULTIPLE = re.compile(r"(-?[0-9]{0,6})(?:([a-z])|\(([a-z])([-+][0-9]{1,6})\))([-+][0-9]{1,6})?\Z")


class Side(NamedTuple):
    """factor*(unknown+inside)+outside; a plain number has factor 0, no group has inside 0."""

    factor: int
    inside: int
    outside: int

    def expanded(self) -> "Side":
        """The same without a group."""
        return Side(self.factor, 0, self.factor * self.inside + self.outside)


class LinearEquations(Environment):
    """Solve a linear equation in one unknown."""

    name = "linear_equations"
    summary = "solve 3x+4=19: one unknown, groups, whole or rational solutions"
    instruction = (
        "Solve the equation for its unknown. The answer is the value alone: an integer, or a "
        "fraction such as 15/4."
    )
    verifier = "rational"
    crowded = 6
    knobs = {
        "shape": Knob(
            (2, 2, 3, 3, 4, 4, 5, 6, 6),
            "kind",
            "1 one step, 2 two steps, 3 unknown on both sides, 4 a group, 5 both, 6 two groups",
        ),
        "largest": Knob((24, 24, 24, 24, 24, 24, 24, 24, 99), "value", "larger numbers"),
        "rational": Knob((0, 0, 0, 0, 0, 0, 0, 0, 1), "0 or 1", "solutions that are fractions"),
        "negative": Knob((0, 1, 0, 1, 0, 1, 1, 1, 1), "0 or 1", "negative sides and solutions"),
    }

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """An equation made from its solution or, for fractions, from its numbers."""
        unknown = "x" if rng.random() < USUAL_UNKNOWN_SHARE else rng.choice(_LETTERS)
        shape, largest, negative = knobs["shape"], knobs["largest"], knobs["negative"]
        left = Side(
            _factor(rng, LARGEST_COEFFICIENT, negative),
            _signed(rng, LARGEST_COEFFICIENT) if shape >= 4 else 0,
            _signed(rng, largest),
        )
        if shape == 4 and rng.random() < 0.5:
            left = left._replace(outside=0)
        right = Side(
            _factor(rng, LARGEST_RIGHT_FACTOR, negative) if shape in (3, 5, 6) else 0,
            _signed(rng, LARGEST_COEFFICIENT) if shape == 6 else 0,
            rng.randint(-largest if negative else 0, largest),
        )
        if not knobs["rational"] or (shape >= 4 and rng.random() < INTEGER_SHARE):
            right = right._replace(outside=_outside_for_integer(left, right, knobs, rng))
        if shape == 5 and rng.random() < 0.5:
            left, right = right, left
        return f"{_write(left, unknown)}={_write(right, unknown)}"

    def parse(self, text: str) -> Problem:
        """Read an equation in canonical notation; the gold is its only solution.

        5:3x+4=2x is read as 3x+4=2x+9: the number on the right is what makes 5 the solution.
        """
        if ":" in text:
            text = _with_solution(text)
        left, right, _ = _read(text)
        solution = _solve(left, right)
        level = self.easiest(
            shape=_shape(left, right),
            largest=max(map(abs, (*left, *right))),
            rational=int(solution.q != 1),
            negative=int(text[0] == "-" or "=-" in text or solution.p < 0),
        )
        # Renaming the unknown or exchanging the sides leaves the problem the same.
        sides = sorted(_write(side, "x") for side in (left, right))
        return Problem(self.name, level, text, signature="=".join(sides), gold=str(solution))

    def pose(self, problem: Problem) -> str:
        """With a whole solution in front: few equations with random numbers have one."""
        left, right, unknown = _read(problem.text)
        if "/" in problem.gold:
            return problem.text
        sides = [_write(left, unknown)]
        if right.factor:
            sides.append(_write(right._replace(outside=0), unknown))
        return f"{problem.gold}:{'='.join(sides)}"

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if the answer equals the solution; 30/8 equals 15/4."""
        return grade_rational(problem.gold, response)

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """Multiply out, collect the factors, then the numbers, divide: 19-4=15;15/3=5 for 3x+4=19.

        Every line is plain arithmetic on numbers, in the notation of the other environments.
        """
        left, right, _ = _read(problem.text)
        lines: list[str] = []
        for side in (left, right):
            if side.inside:
                product = side.factor * side.inside
                lines.append(f"{side.factor}*{side.inside}={product}")
                if side.outside:
                    lines.append(f"{product}{side.outside:+d}={product + side.outside}")
        left, right = left.expanded(), right.expanded()
        factor, constant = left.factor - right.factor, right.outside - left.outside
        if right.factor:
            lines.append(f"{left.factor}{-right.factor:+d}={factor}")
        if left.outside:
            lines.append(f"{right.outside}{-left.outside:+d}={constant}")
        if (quotient := f"{constant}/{factor}") != problem.gold and factor != 1:
            lines.append(f"{quotient}={problem.gold}")
        return f"{';'.join(Pace.draw(rng).skim(lines))}{ANSWER_OPEN}{problem.gold}"


def _read(text: str) -> tuple[Side, Side, str]:
    """Both sides and the letter of the unknown."""
    sides = text.split("=") if len(text) <= _MAX_LENGTH else []
    if len(sides) != 2:
        raise InvalidProblem(f"malformed: {text[:40]!r} is not like '3x+4=19'")
    (left, left_unknown), (right, right_unknown) = map(_read_side, sides)
    if not left_unknown:
        raise InvalidProblem(f"not canonical: no unknown on the left of {text[:40]!r}")
    if right_unknown not in ("", left_unknown):
        raise InvalidProblem(f"malformed: two unknowns, {left_unknown} and {right_unknown}")
    wanted = f"{_write(left, left_unknown)}={_write(right, left_unknown)}"
    if text != wanted:
        raise InvalidProblem(f"not canonical: {text[:40]!r} is written {wanted!r}")
    return left, right, left_unknown


def _with_solution(text: str) -> str:
    """The equation that 5:3x+4=2x stands for."""
    found = _SOLUTION.match(text) if len(text) <= _MAX_LENGTH else None
    if found is None:
        raise InvalidProblem(f"malformed: {text[:40]!r} is not like '5:3x+4=2x'")
    solution, sides = int(found[1]), found[2].split("=")
    (left, unknown), (right, right_unknown) = map(_read_side, (*sides, "0")[:2])
    if len(sides) > 2 or right_unknown not in ("", unknown):
        raise InvalidProblem(f"malformed: {text[:40]!r} has a second unknown or a third side")
    if right.outside:
        raise InvalidProblem(f"malformed: {text[:40]!r} has a number on the right already")
    value = left.factor * (solution + left.inside) + left.outside
    right = right._replace(outside=value - right.factor * (solution + right.inside))
    return f"{_write(left, unknown)}={_write(right, unknown)}"


def _read_side(text: str) -> tuple[Side, str]:
    """A side and its unknown, "" if it is a number."""
    if _NUMBER.match(text):
        return Side(0, 0, int(text)), ""
    found = _MULTIPLE.match(text)
    if found is None:
        raise InvalidProblem(f"malformed: {text[:40]!r} is no side like 7, 3x+4 or 2(x-1)+9")
    factor, bare, grouped, inside, outside = found.groups()
    number = int(f"{factor}1") if factor in ("", "-") else int(factor)
    if grouped and (abs(number) < 2 or int(inside) == 0):
        raise InvalidProblem(f"not canonical: {text[:40]!r} needs no group")
    return Side(number, int(inside or 0), int(outside or 0)), bare or grouped


def _write(side: Side, unknown: str) -> str:
    if side.factor == 0:
        return str(side.outside)
    group = f"({unknown}{side.inside:+d})" if side.inside else unknown
    outside = f"{side.outside:+d}" if side.outside else ""
    factor = {1: "", -1: "-"}.get(side.factor, str(side.factor))
    return f"{factor}{group}{outside}"


def _solve(left: Side, right: Side) -> sympy.Rational:
    factor = left.factor - right.factor
    constant = right.expanded().outside - left.expanded().outside
    if factor == 0:
        raise InvalidProblem(
            "not unique: every number solves it" if constant == 0 else "no solution: none exists"
        )
    solution = sympy.Rational(constant, factor)
    assert isinstance(solution, sympy.Rational)  # its stubs think of division by zero
    return solution


def _shape(left: Side, right: Side) -> int:
    """The kind of equation, as the knob `shape` counts them."""
    groups = bool(left.inside) + bool(right.inside)
    if groups == 2:
        return 6
    if groups:
        return 5 if right.factor else 4
    if right.factor:
        return 3
    steps = (left.factor != 1) + (left.outside != 0)
    if steps == 0:
        raise InvalidProblem("trivial: the unknown already stands alone")
    return steps


def _outside_for_integer(
    left: Side, right: Side, knobs: Mapping[str, int], rng: random.Random
) -> int:
    """The number that gives the equation a whole solution; tries for one that is not too large."""
    largest = knobs["largest"]
    least = -USUAL_SOLUTION if knobs["negative"] else 0
    outside = largest + 1
    for _ in range(20):  # some pairs of sides have no small number: parse refuses what is left
        x = rng.randint(least, USUAL_SOLUTION)
        outside = left.factor * (x + left.inside) + left.outside - right.factor * (x + right.inside)
        if abs(outside) <= largest:
            break
    return outside


def _factor(rng: random.Random, largest: int, negative: int) -> int:
    factor = rng.randint(2, largest)
    return -factor if negative and rng.random() < 0.25 else factor


def _signed(rng: random.Random, largest: int) -> int:
    return rng.randint(1, largest) * rng.choice((-1, 1))
