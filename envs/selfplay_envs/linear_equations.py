"""Linear equations in one unknown: 3x+4=19, 5x-2=2x+7, 3(x+2)-5=2(x-1)+9.

A side is a number, or a multiple of the unknown or of a group, then perhaps a number: 7, 3x+4, -x,
2(x-1)+9. The unknown is one letter and stands on the left side at least. The answer is the number
alone, 15/4 or 5, without x=.
"""

import random
import re
from typing import NamedTuple

import sympy

from selfplay.grading import grade_rational
from selfplay.problem import ANSWER_OPEN, Environment, Knob, Problem, ProposalError, Verdict
from selfplay_envs.levels import draw, easiest

USUAL_UNKNOWN_SHARE = 0.8
"""Share of generated equations whose unknown is x."""
INTEGER_SHARE = 0.5
"""Share of generated equations with groups whose solution is an integer."""
LARGEST_COEFFICIENT = 5
"""Largest generated factor of the unknown or of a group, and number inside a group."""
USUAL_SOLUTION = 12
"""Largest generated whole solution, unless the unknown has no factor."""

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_MAX_LENGTH = 60
_NUMBER = re.compile(r"-?[0-9]{1,6}\Z")
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
    knobs = {
        "shape": Knob(
            (1, 2, 2, 3, 3, 4, 4, 5, 6),
            "kind",
            "1 one step, 2 two steps, 3 unknown on both sides, 4 a group, 5 both, 6 two groups",
        ),
        "largest": Knob((20, 30, 20, 20, 20, 20, 30, 30, 50), "value", "larger numbers"),
        "rational": Knob((0, 0, 0, 0, 0, 0, 0, 1, 1), "0 or 1", "solutions that are fractions"),
        "negative": Knob((0, 0, 1, 0, 1, 0, 1, 1, 1), "0 or 1", "negative sides and solutions"),
    }

    def generate(self, level: int, rng: random.Random) -> Problem:
        """Draft an equation from its solution or, for fractions, from its numbers."""
        return draw(self, level, rng, _draft)

    def parse(self, text: str) -> Problem:
        """Read an equation in canonical notation; the gold is its only solution."""
        left, right, _ = _read(text)
        solution = _solve(left, right)
        level = easiest(
            self.knobs,
            _shape(left, right),
            max(map(abs, (*left, *right))),
            int(solution.q != 1),
            int(text[0] == "-" or "=-" in text or solution.p < 0),
        )
        # Renaming the unknown or exchanging the sides leaves the problem the same.
        sides = sorted(_write(side, "x") for side in (left, right))
        return Problem(self.name, level, text, signature="=".join(sides), gold=str(solution))

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if the answer equals the solution; 30/8 equals 15/4."""
        return grade_rational(problem.gold, response)

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """Multiply out, collect, move, divide, one step a time: 3x+4=19;3x=15;x=5."""
        left, right, unknown = _read(problem.text)
        lines = [problem.text]
        if left.inside or right.inside:
            lines.append(f"{_multiply_out(left, unknown)}={_multiply_out(right, unknown)}")
        left, right = left.expanded(), right.expanded()
        lines.append(f"{_write(left, unknown)}={_write(right, unknown)}")
        left, right = left._replace(factor=left.factor - right.factor), Side(0, 0, right.outside)
        lines.append(f"{_write(left, unknown)}={right.outside}")
        left, right = left._replace(outside=0), Side(0, 0, right.outside - left.outside)
        lines.append(f"{_write(left, unknown)}={right.outside}")
        lines.append(f"{unknown}={_quotient(right.outside, left.factor, problem.gold)}")
        # Steps with nothing to do repeat the line before; they are left out.
        return f"{';'.join(dict.fromkeys(lines))}{ANSWER_OPEN}{problem.gold}"


def _read(text: str) -> tuple[Side, Side, str]:
    """Both sides and the letter of the unknown."""
    sides = text.split("=") if len(text) <= _MAX_LENGTH else []
    if len(sides) != 2:
        raise ProposalError(f"malformed: {text[:40]!r} is not like '3x+4=19'")
    (left, left_unknown), (right, right_unknown) = map(_read_side, sides)
    if not left_unknown:
        raise ProposalError(f"not canonical: no unknown on the left of {text[:40]!r}")
    if right_unknown not in ("", left_unknown):
        raise ProposalError(f"malformed: two unknowns, {left_unknown} and {right_unknown}")
    wanted = f"{_write(left, left_unknown)}={_write(right, left_unknown)}"
    if text != wanted:
        raise ProposalError(f"not canonical: {text[:40]!r} is written {wanted!r}")
    return left, right, left_unknown


def _read_side(text: str) -> tuple[Side, str]:
    """A side and its unknown, "" if it is a number."""
    if _NUMBER.match(text):
        return Side(0, 0, int(text)), ""
    found = _MULTIPLE.match(text)
    if found is None:
        raise ProposalError(f"malformed: {text[:40]!r} is no side like 7, 3x+4 or 2(x-1)+9")
    factor, bare, grouped, inside, outside = found.groups()
    number = int(f"{factor}1") if factor in ("", "-") else int(factor)
    if grouped and (abs(number) < 2 or int(inside) == 0):
        raise ProposalError(f"not canonical: {text[:40]!r} needs no group")
    return Side(number, int(inside or 0), int(outside or 0)), bare or grouped


def _write(side: Side, unknown: str) -> str:
    if side.factor == 0:
        return str(side.outside)
    group = f"({unknown}{side.inside:+d})" if side.inside else unknown
    outside = f"{side.outside:+d}" if side.outside else ""
    factor = {1: "", -1: "-"}.get(side.factor, str(side.factor))
    return f"{factor}{group}{outside}"


def _multiply_out(side: Side, unknown: str) -> str:
    """The side with its group multiplied out, numbers not yet added up."""
    if not side.inside:
        return _write(side, unknown)
    return _write(Side(side.factor, 0, side.factor * side.inside), unknown) + (
        f"{side.outside:+d}" if side.outside else ""
    )


def _solve(left: Side, right: Side) -> sympy.Rational:
    factor = left.factor - right.factor
    constant = right.expanded().outside - left.expanded().outside
    if factor == 0:
        raise ProposalError(
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
        raise ProposalError("trivial: the unknown already stands alone")
    return steps


def _quotient(constant: int, factor: int, gold: str) -> str:
    """constant/factor as a worked step: `5`, or `30/8=15/4`, or `-15/4`."""
    if constant % factor == 0:
        return gold
    sign = "-" if (constant < 0) != (factor < 0) else ""
    raw = f"{sign}{abs(constant)}/{abs(factor)}"
    return raw if raw == gold else f"{raw}={gold}"


def _draft(at: dict[str, int], rng: random.Random) -> str:
    unknown = "x" if rng.random() < USUAL_UNKNOWN_SHARE else rng.choice(_LETTERS)
    shape, largest, negative = at["shape"], at["largest"], at["negative"]
    left = Side(
        _factor(rng, negative),
        _signed(rng, LARGEST_COEFFICIENT) if shape >= 4 else 0,
        _signed(rng, largest),
    )
    if shape == 1:
        left = rng.choice((left._replace(outside=0), left._replace(factor=1)))
    if shape == 4 and rng.random() < 0.5:
        left = left._replace(outside=0)
    right = Side(
        _factor(rng, negative) if shape in (3, 5, 6) else 0,
        _signed(rng, LARGEST_COEFFICIENT) if shape == 6 else 0,
        rng.randint(-largest if negative else 0, largest),
    )
    if not at["rational"] or (shape >= 4 and rng.random() < INTEGER_SHARE):
        right = right._replace(outside=_outside_for_integer(left, right, at, rng))
    if shape == 5 and rng.random() < 0.5:
        left, right = right, left
    return f"{_write(left, unknown)}={_write(right, unknown)}"


def _outside_for_integer(left: Side, right: Side, at: dict[str, int], rng: random.Random) -> int:
    """The number that gives the equation a whole solution; tries for one that is not too large."""
    largest = at["largest"]
    reach = largest if left.factor == 1 else USUAL_SOLUTION
    outside = largest + 1
    for _ in range(20):  # some pairs of sides have no small number: parse refuses what is left
        x = rng.randint(-reach if at["negative"] else 0, reach)
        outside = left.factor * (x + left.inside) + left.outside - right.factor * (x + right.inside)
        if abs(outside) <= largest:
            break
    return outside


def _factor(rng: random.Random, negative: int) -> int:
    factor = rng.randint(2, LARGEST_COEFFICIENT)
    return -factor if negative and rng.random() < 0.25 else factor


def _signed(rng: random.Random, largest: int) -> int:
    return rng.randint(1, largest) * rng.choice((-1, 1))
