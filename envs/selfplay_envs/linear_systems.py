"""Systems of linear equations: x+y=5,x-y=1 has the solution 3,2.

As many equations as unknowns, which are the first of x, y, z, w. An equation has at least two
unknowns, in that order, on the left and a number on the right. The answer is the tuple of values.
A proposal may begin with the solution: 3,2:x+y,x-y is read as the system that it solves.
"""

import random
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import gcd, lcm

from selfplay.grading import declare, grade_response
from selfplay.problem import ANSWER_OPEN, Environment, InvalidProblem, Knob, Problem, Verdict
from selfplay_envs.pace import Pace

UNKNOWNS = "xyzw"
KINDS = {
    count: declare({"kind": "tuple", "variables": list(UNKNOWNS[:count]), "element": "rational"})
    for count in (2, 3, 4)
}
"""By the number of unknowns."""
GAP_SHARE = 0.1
"""Share of drafted coefficients that are 0, from three unknowns on."""
RATIONAL_SHARE = 0.3
"""Share of drafts that are not made from a whole solution, where fractions are allowed."""

_MAX_LENGTH = 120
_SIDE = re.compile(r"(?:(?:\A|(?<=.)(?=[-+]))[-+]?[0-9]{0,3}[xyzw])+\Z")
_TERM = re.compile(r"([-+]?)([0-9]*)([xyzw])")
_NUMBER = re.compile(r"(?:0|-?[1-9][0-9]{0,4})\Z")

Row = tuple[int, ...]
"""The coefficients of x, y, ... and the number on the right."""


class LinearSystems(Environment):
    """Solve as many linear equations as there are unknowns."""

    name = "linear_systems"
    summary = "solve x+y=5,x-y=1: two to four unknowns"
    instruction = (
        "Solve the equations, which are separated by commas. The answer gives the values of the "
        "unknowns in the order x,y,z,w, as far as they occur, separated by commas: integers, or "
        "fractions such as -7/3."
    )
    verifier = "tuple of rationals"
    guess_bound = 0.02
    crowded = 1
    knobs = {
        "unknowns": Knob((2, 2, 2, 2, 3, 3, 3, 4, 4), "unknowns", "more unknowns and equations"),
        "coefficient": Knob((2, 3, 4, 5, 2, 3, 5, 2, 9), "value", "larger coefficients"),
        "solution": Knob((9, 9, 9, 12, 9, 9, 12, 9, 99), "value", "larger values"),
        "rational": Knob((0, 0, 0, 0, 0, 0, 0, 0, 1), "0 or 1", "solutions that are fractions"),
    }

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """Random equations through a random point."""
        count, largest = knobs["unknowns"], knobs["coefficient"]
        bound = min(20, knobs["solution"])
        point = [rng.randint(-bound, bound) for _ in range(count)]
        rational = knobs["rational"] and rng.random() < RATIONAL_SHARE
        rows = []
        for _ in range(count):
            left = [_coefficient(count, largest, rng) for _ in range(count)]
            value = sum(a * x for a, x in zip(left, point, strict=True))
            rows.append((*left, value + rng.randint(-3, 3) if rational else value))
        return ",".join(map(_write, rows))

    def parse(self, text: str) -> Problem:
        """Read a system, perhaps with its solution in front; the gold is the only solution."""
        if ":" in text:
            text = _with_solution(text)
        rows = _read(text)
        count = len(rows)
        needs = {"unknowns": count, "coefficient": max(abs(a) for row in rows for a in row[:-1])}
        self.easiest(solution=0, rational=0, **needs)
        solution = _solve(rows)
        level = self.easiest(
            solution=max(max(abs(x.numerator), x.denominator) for x in solution),
            rational=int(any(x.denominator > 1 for x in solution)),
            **needs,
        )
        # The order of the equations makes no other problem.
        signature = ",".join(sorted(text.split(",")))
        return Problem(self.name, level, text, signature, gold=",".join(map(str, solution)))

    def pose(self, problem: Problem) -> str:
        """With a whole solution in front: few systems with random numbers have one."""
        if "/" in problem.gold:
            return problem.text
        left = ",".join(part.partition("=")[0] for part in problem.text.split(","))
        return f"{problem.gold}:{left}"

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if all values are, in order or with their names."""
        kind = KINDS.get(problem.gold.count(",") + 1, KINDS[2])
        return grade_response(kind, problem.gold, response)

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """Eliminate one unknown after the other, from either end, then put the values in.

        2x-2y=-2;3y=15;y=5;2x=13-5=8;x=4 for 2x+y=13,x-y=-1. With two unknowns the multiplied
        equations are written too.
        """
        rows = _read(problem.text)
        order = list(range(len(rows)))
        if rng.random() < 0.5:
            order.reverse()
        lines: list[str] = []
        _solve(rows, order, lines)
        return f"{';'.join(Pace.draw(rng).skim(lines))}{ANSWER_OPEN}{problem.gold}"


def _coefficient(count: int, largest: int, rng: random.Random) -> int:
    if count > 2 and rng.random() < GAP_SHARE:
        return 0
    return rng.randint(1, largest) * rng.choice((1, 1, -1))


def _read(text: str) -> list[Row]:
    parts = text.split(",") if len(text) <= _MAX_LENGTH else []
    if not 2 <= len(parts) <= len(UNKNOWNS):
        raise InvalidProblem(f"malformed: {text[:40]!r} is not like 'x+y=5,x-y=1'")
    rows = []
    for part in parts:
        left, _, right = part.partition("=")
        if not _NUMBER.match(right):
            raise InvalidProblem(f"malformed: {part[:40]!r} is not like 'x+y=5'")
        rows.append((*_read_side(left, len(parts)), int(right)))
        if part != _write(rows[-1]):
            raise InvalidProblem(f"not canonical: {part!r} is written {_write(rows[-1])!r}")
        if sum(map(bool, rows[-1][:-1])) < 2:
            raise InvalidProblem(f"trivial: {part!r} has one unknown")
    return rows


def _read_side(text: str, count: int) -> Row:
    """The coefficients of the left side."""
    if len(text) > _MAX_LENGTH or not _SIDE.match(text):
        raise InvalidProblem(f"malformed: {text[:40]!r} is not like 'x-2y+z'")
    row = [0] * count
    for sign, digits, letter in _TERM.findall(text):
        if (place := UNKNOWNS.index(letter)) >= count:
            raise InvalidProblem(f"malformed: {letter!r} in a system of {count} equations")
        row[place] += int(f"{sign}{digits or 1}")
    return tuple(row)


def _with_solution(text: str) -> str:
    """The system that 3,2:x+y,x-y stands for."""
    values, _, sides = text.partition(":")
    point = values.split(",") if len(text) <= _MAX_LENGTH else []
    parts = sides.split(",")
    if not 2 <= len(point) == len(parts) <= len(UNKNOWNS) or not all(map(_NUMBER.match, point)):
        raise InvalidProblem(f"malformed: {text[:40]!r} is not like '3,2:x+y,x-y'")
    rows = [_read_side(part, len(parts)) for part in parts]
    for part, row in zip(parts, rows, strict=True):
        if part != _write_side(row):
            raise InvalidProblem(f"not canonical: {part!r} is written {_write_side(row)!r}")
    return ",".join(
        _write((*row, sum(a * int(x) for a, x in zip(row, point, strict=True)))) for row in rows
    )


def _write_side(row: Sequence[int]) -> str:
    terms = [
        f"{a:+d}{letter}".replace("+1" + letter, "+" + letter).replace("-1" + letter, "-" + letter)
        for a, letter in zip(row, UNKNOWNS, strict=False)
        if a
    ]
    return "".join(terms).removeprefix("+") or "0"


def _write(row: Row) -> str:
    return f"{_write_side(row[:-1])}={row[-1]}"


def _solve(
    rows: list[Row], order: Sequence[int] = (), lines: list[str] | None = None
) -> list[Fraction]:
    """The only solution, by elimination in the given order of the unknowns.

    Args:
        rows: the equations.
        order: the unknowns by number, the first is eliminated first; by default x, y, ...
        lines: the working is appended to it.
    Raises:
        InvalidProblem: there is no solution, or more than one.
    """
    lines = [] if lines is None else lines
    order = order or range(len(rows))
    scaled = len(rows) == 2
    left, pivots = list(rows), []
    for place in order:
        having = [row for row in left if row[place]]
        if not having:
            continue
        pivot = min(having, key=lambda row: abs(row[place]))
        left.remove(pivot)
        pivots.append((place, pivot))
        left = [_without(place, row, pivot, scaled, lines) for row in left]
    if any(row[-1] for row in left):
        raise InvalidProblem("no solution: the equations contradict each other")
    if len(pivots) < len(rows):
        raise InvalidProblem("not unique: an equation follows from the others")
    solution = [Fraction(0)] * len(rows)
    for place, pivot in reversed(pivots):
        known = [a * x for i, (a, x) in enumerate(zip(pivot, solution, strict=False)) if i != place]
        value = pivot[-1] - sum(known)
        solution[place] = value / pivot[place]
        lines += _put_in(place, pivot, [-one for one in known if one], solution[place])
    return solution


def _without(place: int, row: Row, pivot: Row, scaled: bool, lines: list[str]) -> Row:
    """The row less a multiple of the pivot, without the unknown, with a positive lead."""
    if not row[place]:
        return row
    common = lcm(row[place], pivot[place])
    mine, other = common // row[place], common // pivot[place]
    if scaled:
        for times, one in ((other, pivot), (mine, row)):
            # Whether to add or to subtract is seen from the signs.
            if abs(times) != 1:
                lines.append(_write(tuple(abs(times) * a for a in one)))
    row = tuple(mine * a - other * b for a, b in zip(row, pivot, strict=True))
    # With two unknowns the division is a step of its own.
    shared = 1 if scaled else gcd(*row) or 1
    lead = next((a for a in row if a), 1)
    row = tuple(a // (shared if lead > 0 else -shared) for a in row)
    lines.append(_write(row))
    return row


def _put_in(place: int, pivot: Row, known: list[Fraction], value: Fraction) -> list[str]:
    """2x=13-5=8 and x=4, without what stands there already."""
    letter, factor = UNKNOWNS[place], pivot[place]
    lines = []
    if known:
        terms = "".join(f"{'-' if one < 0 else '+'}{abs(one)}" for one in known)
        lines.append(f"{_write_side((0,) * place + (factor,))}={pivot[-1]}{terms}={factor * value}")
    if factor != 1:
        lines.append(f"{letter}={value}")
    return lines
