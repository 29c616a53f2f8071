"""Quadratic equations: x^2-5x+6=0 has the solutions 2,3.

Both sides are polynomials, the left one has a square. The answer is the set of real solutions;
equations without one are refused. Solutions are whole at the bottom, then fractions, then like
1-sqrt(2). A proposal may be a product and the right side: (x-2)(x-3):2x is read as x^2-3x+6=2x.
"""

import random
import re
from collections.abc import Mapping
from fractions import Fraction
from math import isqrt

from selfplay.grading import declare, grade_response
from selfplay.problem import ANSWER_OPEN, Environment, InvalidProblem, Knob, Problem, Verdict
from selfplay_envs import polynomials, searches, surds, worked_out
from selfplay_envs.pace import Pace
from selfplay_envs.polynomials import Poly

RATIONAL = declare({"kind": "set", "element": "rational"})
SURD = declare({"kind": "set", "element": {"kind": "expression", "functions": ["sqrt"]}})
SEARCH_SHARE = 0.6
"""Share of worked solutions that look for two numbers with the right product and sum, where the
leading coefficient is 1 and the solutions are whole; the others use the discriminant."""

_MAX_LENGTH = 60


class QuadraticEquations(Environment):
    """Find all real solutions of a quadratic equation."""

    name = "quadratic_equations"
    summary = "solve x^2-5x+6=0: whole, rational, then irrational solutions"
    instruction = (
        "Find all real solutions of the equation. The answer lists the different values, separated "
        "by commas: integers, fractions such as -3/2, or exact roots such as (1-sqrt(5))/2."
    )
    verifier = "solution set"
    guess_bound = 0.1
    crowded = 3
    knobs = {
        "lead": Knob((1, 1, 1, 5, 9, 12, 20, 1, 20), "value", "larger leading coefficients"),
        "linear": Knob((0, 1, 1, 1, 1, 1, 1, 1, 1), "0 or 1", "x on the right side too"),
        "root": Knob((9, 9, 15, 15, 9, 9, 20, 40, 99), "value", "larger numbers in solutions"),
        "rational": Knob((0, 0, 0, 0, 1, 1, 1, 1, 1), "0 or 1", "solutions that are fractions"),
        "surd": Knob((0, 0, 0, 0, 0, 0, 0, 1, 1), "0 or 1", "solutions with square roots"),
    }

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """An equation made from its solutions, or for square roots from its coefficients."""
        largest = knobs["root"]
        if knobs["surd"]:
            middle, last = rng.randint(-20, 20), rng.randint(-30, 20)
            poly: Poly = (rng.randint(1, knobs["lead"]), middle, last)
        else:
            factors = []
            for _ in range(2):
                below = rng.randint(1, isqrt(knobs["lead"]) + 1) if knobs["rational"] else 1
                root = Fraction(rng.randint(-largest, largest), below)
                factors.append((polynomials.linear(root), 1))
            lead = polynomials.product(1, factors)[0]
            times = rng.randint(1, max(1, min(5, knobs["lead"] // lead)))
            poly = polynomials.product(times, factors)
        constant = rng.randint(-9, 9) if rng.random() < 0.8 else 0
        linear = rng.choice((0, *range(-9, 10))) if knobs["linear"] else 0
        right = polynomials.trim((linear, constant))
        return f"{polynomials.write(polynomials.add(poly, right))}={polynomials.write(right)}"

    def parse(self, text: str) -> Problem:
        """Read an equation; the gold has its solutions in ascending order."""
        if ":" in text:
            text = _with_factors(text)
        left, right = _read(text)
        poly = _standard(left, right)
        lead, linear = abs(poly[0]), int(len(right) == 2)
        self.easiest(lead=lead, linear=linear, root=0, rational=0, surd=0)
        if not (roots := surds.quadratic_roots(*poly)):
            raise InvalidProblem(f"no solution: {text[:40]!r} has no real one")
        gold = ",".join(roots)
        if not poly[1] and not poly[2]:
            raise InvalidProblem("trivial: only 0 is a solution")
        level = self.easiest(
            lead=lead,
            linear=linear,
            root=max(map(int, re.findall("[0-9]+", gold))),
            rational=int("/" in gold),
            surd=int("sqrt" in gold),
        )
        return Problem(self.name, level, text, signature=text, gold=gold)

    def pose(self, problem: Problem) -> str:
        """As a product where the solutions are rational: few random equations have such."""
        left, right = _read(problem.text)
        if "sqrt" in problem.gold:
            return problem.text
        product = polynomials.write_product(*polynomials.factor(_standard(left, right)))
        return f"{product}:{polynomials.write(right)}"

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if the answer is the set of solutions, in any order, worked out."""
        if "sqrt" in problem.gold:
            return worked_out.grade_ends(SURD, problem.gold, response)
        return grade_response(RATIONAL, problem.gold, response)

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """Everything to the left, then a search for two numbers, or the discriminant.

        1,6:7;2,3:5 for x^2-5x+6=0: pairs with the product 6, until the sum is 5.
        """
        left, right = _read(problem.text)
        poly = _standard(left, right)
        lines = [f"{polynomials.write(poly)}=0"] if right else []
        content, reduced = polynomials.primitive(poly)
        if content != 1:
            lines.append(f"{polynomials.write(reduced)}=0")
        pace, search = Pace.draw(rng), rng.random() < SEARCH_SHARE
        found = searches.quadratic(reduced) if search and reduced[0] == 1 else []
        lines += found or _formula(reduced, problem.gold)
        return f"{';'.join(pace.skim(lines))}{ANSWER_OPEN}{problem.gold}"


def _read(text: str) -> tuple[Poly, Poly]:
    sides = text.split("=") if len(text) <= _MAX_LENGTH else []
    if len(sides) != 2:
        raise InvalidProblem(f"malformed: {text[:40]!r} is not like 'x^2-5x+6=0'")
    polys = []
    for side in sides:
        poly = polynomials.read(side)
        if poly is None:
            raise InvalidProblem(f"malformed: {side[:40]!r} is no polynomial in x")
        if polynomials.write(poly) != side:
            raise InvalidProblem(
                f"not canonical: {side[:40]!r} is written {polynomials.write(poly)!r}"
            )
        polys.append(poly)
    left, right = polys
    if len(left) != 3 or len(right) > 2:
        raise InvalidProblem("malformed: a square is on the left, and only there")
    return left, right


def _standard(left: Poly, right: Poly) -> Poly:
    """The left side less the right one."""
    return polynomials.add(left, polynomials.scale(-1, right))


def _with_factors(text: str) -> str:
    """The equation that (x-2)(x-3):2x stands for."""
    product, _, right = text.partition(":")
    read = polynomials.read_product(product)
    side = polynomials.read(right)
    if read is None or side is None:
        raise InvalidProblem(f"malformed: {text[:40]!r} is not like '(x-2)(x-3):2x'")
    left = polynomials.add(polynomials.product(*read), side)
    return f"{polynomials.write(left)}={right}"


def _formula(poly: Poly, gold: str) -> list[str]:
    a, b, c = poly
    under = surds.discriminant(a, b, c)
    root = isqrt(under)
    lines = [f"{abs(b)}^2-4*{a}*{c}={under}"]
    if root * root == under:
        lines.append(f"{under}={root}^2")
        for sign in "-+" if root else "+":
            top = -b - root if sign == "-" else -b + root
            lines.append(f"({-b}{sign}{root})/{2 * a}={Fraction(top, 2 * a)}")
        return lines
    outside, inside = surds.square_part(under)
    if outside > 1:
        lines.append(f"{under}={outside}^2*{inside}")
    times = "" if outside == 1 else str(outside)
    lines += [
        f"({-b}{sign}{times}sqrt({inside}))/{2 * a}={one}"
        for sign, one in zip("-+", gold.split(","), strict=True)
    ]
    return lines
