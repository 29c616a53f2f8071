"""Inequalities in x: 2x+3<11, -3<2x+1<=7, |2x-3|>=5, x^2-5x+6>0, (x-1)(x+2)(x-4)<=0.

The answer is the set of solutions: x<4, -1<=x<4, x<-1 or x>4. Everything is exact. Inequalities
that hold for no number are refused as "no solution", those that hold for all as trivial.
"""

import random
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from selfplay.grading import declare
from selfplay.problem import ANSWER_OPEN, Environment, InvalidProblem, Knob, Problem, Verdict
from selfplay_envs import polynomials, surds, worked_out
from selfplay_envs.pace import Pace
from selfplay_envs.polynomials import Poly, Powers

KIND = declare({"kind": "interval", "variable": "x"})
LARGEST_FACTOR = 6
"""Largest drafted factor of x in a linear side."""
FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
"""The relation after both sides change sign."""

_MAX_LENGTH = 60
_RELATION = re.compile(r"([<>]=?)")
_NUMBER = re.compile(r"(?:0|-?[1-9][0-9]{0,4})\Z")
_LINEAR, _NEGATIVE, _BOTH, _COMPOUND, _ABSOLUTE, _QUADRATIC, _PRODUCT = range(1, 8)


class Statement(NamedTuple):
    """An inequality as it was read."""

    form: int
    """What the knob `form` counts."""
    poly: Poly
    """The middle of a compound one, inside the bars, or left less right; the product."""
    ends: tuple[int, ...]
    """The numbers beside the middle or the bars; empty where the right side is moved over."""
    relations: tuple[str, ...]
    sides: tuple[Poly, ...] = ()
    """Left and right, where they are polynomials."""
    factors: Powers = ()
    """The factors of a product."""


class Inequalities(Environment):
    """Solve an inequality."""

    name = "inequalities"
    summary = "solve 2x+3<11: linear, compound, absolute values, quadratic, products"
    instruction = (
        "Solve the inequality for x over the real numbers; bars mean the absolute value. The "
        "answer is all its solutions, like x<5, -1<=x<5, x<-1 or x>=5, with exact, worked-out ends "
        "such as 7/2 or 1-sqrt(3)."
    )
    verifier = "solution set"
    guess_bound = 0.1
    crowded = 5
    knobs = {
        "form": Knob(
            (1, 2, 3, 4, 5, 6, 6, 7, 8),
            "kind",
            "1 linear, 2 with a negative factor, 3 x on both sides, 4 compound, 5 absolute value, "
            "6 quadratic, 7 product, 8 product of four",
        ),
        "largest": Knob((40, 40, 50, 60, 60, 99, 160, 20, 999), "value", "larger numbers"),
        "rational": Knob((0, 0, 0, 0, 0, 0, 1, 0, 1), "0 or 1", "ends that are fractions"),
        "surd": Knob((0, 0, 0, 0, 0, 0, 0, 0, 1), "0 or 1", "ends with square roots"),
    }

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """An inequality of the hardest form that is allowed, mostly made from its ends."""
        form, rational = knobs["form"], knobs["rational"]
        relation = rng.choice(tuple(FLIPPED))
        if form >= _PRODUCT and not (knobs["surd"] and rng.random() < 0.5):
            return f"{_draft_product(form - _PRODUCT + 3, rational, rng)}{relation}0"
        if form >= _QUADRATIC:
            if knobs["surd"]:
                left: Poly = (rng.randint(1, 5), rng.randint(-15, 15), rng.randint(-20, 20))
            else:
                left = (rng.choice((1, 1, 1, -1)),)
                for _ in range(2):
                    top = rng.randint(2, 3) if rational else 1
                    left = polynomials.multiply(left, (top, _signed(rng, 9)))
            right: Poly = (rng.randint(-5, 5), rng.randint(-20, 20))
            if not rational:
                right = (rng.choice((0, _signed(rng, 4))), rng.randint(-15, 15))
            right = polynomials.trim(right)
            left = polynomials.add(left, right)
            return f"{polynomials.write(left)}{relation}{polynomials.write(right)}"
        factor = rng.randint(1 if form == _LINEAR else 2, LARGEST_FACTOR)
        outside = _signed(rng, 20) if form != _LINEAR or rng.random() < 0.9 else 0
        low = rng.randint(-9, 9)
        at_low = factor * low + outside
        at_high = at_low + factor * rng.randint(1, 12)
        other = rng.choice(("<", "<="))
        match form:
            case 1:
                return f"{polynomials.write((factor, outside))}{relation}{at_low}"
            case 2:
                left = (-factor, outside)
                return f"{polynomials.write(left)}{relation}{polynomials.value(left, low)}"
            case 3:
                right = (rng.choice([n for n in range(-6, 7) if n not in (0, factor)]), 0)
                right = (right[0], at_low - right[0] * low)
                sides = polynomials.write((factor, outside)), polynomials.write(right)
                return relation.join(sides)
            case 4:
                middle = polynomials.write((factor, outside))
                return f"{at_low}{other}{middle}{rng.choice(('<', '<='))}{at_high}"
        half = factor * rng.randint(1, 9)
        return f"|{polynomials.write((factor, factor * low))}|{relation}{half}"

    def parse(self, text: str) -> Problem:
        """Read an inequality; the gold is the set of its solutions."""
        statement = _read(text)
        needs = {
            "form": statement.form + (len(statement.factors) > 3),
            "largest": max(map(int, re.findall("[0-9]+", text)), default=1),
        }
        self.easiest(rational=0, surd=0, **needs)
        gold = _solve(statement)
        if not gold:
            raise InvalidProblem(f"no solution: {text[:40]!r} holds for no number")
        if gold == text:
            raise InvalidProblem(f"trivial: {text[:40]!r} is solved already")
        level = self.easiest(rational=int("/" in gold), surd=int("sqrt" in gold), **needs)
        return Problem(self.name, level, text, signature=text, gold=gold)

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if the answer is the same set, in any notation, with its ends worked out."""
        return worked_out.grade_ends(KIND, problem.gold, response)

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """Equivalent inequalities, 2x<8 for 2x+3<11; a table of signs for a product."""
        lines = _work(_read(problem.text))
        return f"{';'.join(Pace.draw(rng).skim(lines))}{ANSWER_OPEN}{problem.gold}"


def _signed(rng: random.Random, largest: int) -> int:
    return rng.randint(1, largest) * rng.choice((1, -1))


def _draft_product(count: int, rational: int, rng: random.Random) -> str:
    """Linear factors with different roots, one of them perhaps squared."""
    roots: set[Fraction] = set()
    while len(roots) < count:
        roots.add(Fraction(_signed(rng, 15), rng.randint(1, 3 if rational else 1)))
    power = rng.choice((1, 1, 1, 2))
    factors = [(polynomials.linear(root), 1) for root in sorted(roots, key=lambda _: rng.random())]
    factors[0] = (factors[0][0], power)
    return polynomials.write_product(1, factors)


def _read(text: str) -> Statement:
    parts = _RELATION.split(text) if len(text) <= _MAX_LENGTH else []
    if len(parts) == 5 and _NUMBER.match(parts[0]) and _NUMBER.match(parts[4]):
        low, high = int(parts[0]), int(parts[4])
        middle = _read_side(parts[2])
        if len(middle) != 2:
            raise InvalidProblem(f"malformed: {parts[2]!r} is not linear")
        if parts[1][0] != "<" or parts[3][0] != "<":
            raise InvalidProblem("not canonical: a compound inequality ascends")
        return Statement(_COMPOUND, middle, (low, high), (parts[1], parts[3]))
    if len(parts) != 3:
        raise InvalidProblem(f"malformed: {text[:40]!r} is not like '2x+3<11'")
    left, relation, right = parts
    if left.startswith("|") and left.endswith("|") and _NUMBER.match(right):
        inside = _read_side(left[1:-1])
        if len(inside) != 2:
            raise InvalidProblem(f"malformed: {inside!r} is not linear")
        return Statement(_ABSOLUTE, inside, (int(right),), (relation,))
    if "(" in left:
        return _read_product(left, relation, right)
    sides = _read_side(left), _read_side(right)
    poly = polynomials.add(sides[0], polynomials.scale(-1, sides[1]))
    degree = max(map(len, (*sides, poly))) - 1
    if degree > 2 or len(sides[0]) < 2 or len(poly) < 2:
        raise InvalidProblem(f"malformed: {text[:40]!r} is not linear or quadratic in x")
    linear = _BOTH if len(sides[1]) == 2 else _NEGATIVE if "-x" in text or poly[0] < 0 else _LINEAR
    return Statement(linear if degree == 1 else _QUADRATIC, poly, (), (relation,), sides)


def _read_product(left: str, relation: str, right: str) -> Statement:
    found = polynomials.read_product(left)
    if found is None or right != "0":
        raise InvalidProblem(f"malformed: {left[:40]!r} is no product, or is not compared with 0")
    number, factors = found
    if polynomials.write_product(number, factors) != left:
        raise InvalidProblem(f"not canonical: {left[:40]!r}")
    if number != 1 or any(len(poly) != 2 or power > 2 for poly, power in factors):
        raise InvalidProblem("malformed: a product has linear factors, at most squared")
    if not 2 <= len(factors) <= 4 or len({Fraction(b, a) for (a, b), _ in factors}) < len(factors):
        raise InvalidProblem("malformed: a product has two to four factors with different roots")
    product = polynomials.product(1, factors)
    return Statement(_PRODUCT, product, (), (relation,), factors=factors)


def _read_side(text: str) -> Poly:
    poly = polynomials.read(text)
    if poly is None:
        raise InvalidProblem(f"malformed: {text[:40]!r} is no side such as 2x+3")
    if polynomials.write(poly) != text:
        raise InvalidProblem(f"not canonical: {text[:40]!r} is written {polynomials.write(poly)!r}")
    return poly


def _solve(statement: Statement) -> str:
    """The set of solutions as text, "" if there are none."""
    poly, relation = statement.poly, statement.relations[0]
    if statement.form in (_COMPOUND, _ABSOLUTE):
        a, b = poly
        values = (
            statement.ends if len(statement.ends) == 2 else (-statement.ends[0], *statement.ends)
        )
        ends = sorted({Fraction(value - b, a) for value in values})
    elif statement.form == _QUADRATIC and len(poly) == 3:
        roots = surds.quadratic_roots(*poly)
        if any("sqrt" in root for root in roots):
            outside = (poly[0] > 0) == (relation[0] == ">")
            equal = relation[1:]
            low, high = roots
            if outside:
                return f"x<{equal}{low} or x>{equal}{high}"
            return f"{low}<{equal}x<{equal}{high}"
        ends = list(map(Fraction, roots))
    elif statement.form == _PRODUCT:
        ends = sorted(Fraction(-b, a) for (a, b), _ in statement.factors)
    else:
        ends = [Fraction(-poly[1], poly[0])]
    return _union(statement, ends)


def _holds(statement: Statement, x: Fraction) -> bool:
    value = Fraction(0)
    for coefficient in statement.poly:
        value = value * x + coefficient
    match statement.form, statement.ends:
        case _, (low, high):
            return _compare(low, statement.relations[0], value) and _compare(
                value, statement.relations[1], high
            )
        case _, (bound,):
            return _compare(abs(value), statement.relations[0], bound)
    return _compare(value, statement.relations[0], 0)


def _compare(left: Fraction | int, relation: str, right: Fraction | int) -> bool:
    if left == right:
        return len(relation) == 2
    return (left < right) == (relation[0] == "<")


def _union(statement: Statement, ends: Sequence[Fraction]) -> str:
    """The solutions, from which gaps between the ends and which ends belong to them."""
    if not ends:
        if _holds(statement, Fraction(0)):
            raise InvalidProblem("trivial: every number is a solution")
        return ""
    between = [(a + b) / 2 for a, b in zip(ends, ends[1:], strict=False)]
    samples = [ends[0] - 1, *between, ends[-1] + 1]
    gaps = [_holds(statement, sample) for sample in samples]
    points = [_holds(statement, end) for end in ends]
    if all(gaps) and all(points):
        raise InvalidProblem("trivial: every number is a solution")
    pieces, start = [], "" if gaps[0] else None
    for i, end in enumerate(ends):
        if start is not None and points[i] and gaps[i + 1]:
            continue
        if start is not None:
            pieces.append(f"{start}x<{'=' * points[i]}{end}")
        elif points[i] and not gaps[i + 1]:
            pieces.append(f"x={end}")
        start = f"{end}<{'=' * points[i]}" if gaps[i + 1] else None
    if start is not None:
        end, equal = start.rstrip("<="), "=" if start.endswith("=") else ""
        pieces.append(f"x>{equal}{end}")
    return " or ".join(pieces)


def _work(statement: Statement) -> list[str]:
    poly, relation = statement.poly, statement.relations[0]
    match statement.form:
        case 4:
            low, high = statement.ends
            first, second = statement.relations
            moved = (
                f"{low - poly[1]}{first}{polynomials.write((poly[0], 0))}{second}{high - poly[1]}"
            )
            if not poly[1]:
                return []
            return [*(f"{end}{-poly[1]:+d}={end - poly[1]}" for end in (low, high)), moved]
        case 5:
            (bound,) = statement.ends
            inside, alone = polynomials.write(poly), polynomials.write((poly[0], 0))
            if relation[0] == "<":
                lines = [f"-{bound}{relation}{inside}{relation}{bound}"]
                moved = f"{-bound - poly[1]}{relation}{alone}{relation}{bound - poly[1]}"
            else:
                back = FLIPPED[relation]
                lines = [f"{inside}{back}-{bound} or {inside}{relation}{bound}"]
                moved = f"{alone}{back}{-bound - poly[1]} or {alone}{relation}{bound - poly[1]}"
            return [*lines, moved] if poly[1] else lines
        case 6:
            return _work_quadratic(statement)
        case 7:
            return _signs(statement)
    left, right = statement.sides
    lines = []
    right_factor = right[0] if len(right) == 2 else 0
    number = right[-1] if right else 0
    if right_factor:
        lines.append(f"{left[0]}{-right_factor:+d}={left[0] - right_factor}")
    if left[1]:
        lines.append(f"{number}{-left[1]:+d}={number - left[1]}")
    factor = left[0] - right_factor
    if factor != 1 and lines:
        lines.append(f"{polynomials.write((factor, 0))}{relation}{number - left[1]}")
    return lines


def _work_quadratic(statement: Statement) -> list[str]:
    """Everything to the left, the discriminant, the roots, and which way the parabola opens."""
    poly = statement.poly
    lines = [f"{polynomials.write(poly)}{statement.relations[0]}0"] if statement.sides[1] else []
    if len(poly) == 3:
        a, b, c = poly
        lines.append(f"{abs(b)}^2-4*{a}*{c}={surds.discriminant(a, b, c)}")
        lines.append(f"x={','.join(surds.quadratic_roots(a, b, c))}")
        lines.append("opens up" if a > 0 else "opens down")
    return lines


def _signs(statement: Statement) -> list[str]:
    """The signs of the factors from left to right: x<-2:---=-;-2<x<1:-+-=+."""
    ends = sorted(Fraction(-b, a) for (a, b), _ in statement.factors)
    samples = [
        ends[0] - 1,
        *((a + b) / 2 for a, b in zip(ends, ends[1:], strict=False)),
        ends[-1] + 1,
    ]
    names = [f"x<{ends[0]}", *(f"{a}<x<{b}" for a, b in zip(ends, ends[1:], strict=False))]
    lines = [f"x={','.join(map(str, ends))}"]
    for name, sample in zip([*names, f"x>{ends[-1]}"], samples, strict=True):
        signs = [
            "+" if power == 2 or a * sample + b > 0 else "-" for (a, b), power in statement.factors
        ]
        total = "-" if signs.count("-") % 2 else "+"
        lines.append(f"{name}:{''.join(signs)}={total}")
    return lines
