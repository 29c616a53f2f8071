"""Polynomial equations of degree 3 to 5: (x-2)(x+3)(2x-1)=0 has the solutions -3,1/2,2.

The left side is a product that is compared with 0, or a sum like x^3-6x^2+11x=6. All real solutions
are rational; multiple ones are listed once. A factor such as x^2+1 has none. A proposal may be a
product and the right side: (x-1)(x-2)(x-3):x is read as x^3-6x^2+12x-6=x.
"""

import random
import re
from collections.abc import Mapping
from fractions import Fraction

from selfplay.grading import declare, grade_response
from selfplay.problem import ANSWER_OPEN, Environment, InvalidProblem, Knob, Problem, Verdict
from selfplay_envs import polynomials, searches
from selfplay_envs.pace import Pace
from selfplay_envs.polynomials import Poly, Powers

KIND = declare({"kind": "set", "element": "rational"})
LEAST_DEGREE = 3
"""Quadratic equations are an environment of their own."""
UNREAL_SHARE = 0.25
"""Share of drafts of degree 5 with a factor that has no real root."""
RIGHT_SHARE = 0.92
"""Share of drafted sums whose right side is not 0; there are few small sums without one."""

_MAX_LENGTH = 70


class PolynomialEquations(Environment):
    """Find all real solutions of an equation of degree 3 to 5."""

    name = "polynomial_equations"
    summary = "solve x^3-6x^2+11x-6=0 or (x-2)(x^2-9)=0: rational solutions"
    instruction = (
        "Find all real solutions of the equation; all of them are rational. The answer lists the "
        "different values, separated by commas: integers or fractions such as -3/2."
    )
    verifier = "solution set"
    guess_bound = 0.05
    crowded = 3
    knobs = {
        "degree": Knob((3, 3, 3, 3, 3, 4, 4, 5, 5), "power", "higher powers"),
        "sum": Knob((1, 1, 2, 3, 3, 4, 4, 5, 5), "power", "higher powers not yet factored"),
        "root": Knob((9, 9, 9, 9, 9, 9, 12, 9, 20), "value", "larger numbers in solutions"),
        "rational": Knob((0, 1, 0, 0, 1, 0, 1, 0, 1), "0 or 1", "solutions that are fractions"),
    }

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """An equation made from its solutions."""
        rational, largest = knobs["rational"], knobs["root"]
        factors = []
        degree = knobs["degree"]
        if degree == 5 and rng.random() < UNREAL_SHARE:
            factors.append(((1, rng.randint(-2, 2), rng.randint(2, 6)), 1))
            degree -= 2
        for _ in range(degree):
            root = Fraction(
                rng.randint(-largest, largest), rng.choice((1, 1, 2, 3)[: 1 + 3 * rational])
            )
            factors.append((polynomials.linear(root), 1))
        if knobs["sum"] <= 2:
            # The last two factors are multiplied with each other, or all stay as they are.
            keep = len(factors) if knobs["sum"] == 1 else len(factors) - 2
            kept: Powers = tuple(factors[:keep])
            if keep < len(factors):
                kept = (*kept, (polynomials.product(1, factors[keep:]), 1))
            return f"{polynomials.write_product(1, _collected(kept))}=0"
        right = polynomials.trim((rng.randint(-9, 9), rng.randint(-20, 20)))
        right = right if rng.random() < RIGHT_SHARE else ()
        left = polynomials.add(polynomials.product(1, factors), right)
        return f"{polynomials.write(left)}={polynomials.write(right)}"

    def parse(self, text: str) -> Problem:
        """Read an equation; the gold has its solutions in ascending order."""
        if ":" in text:
            text = _with_factors(text)
        number, factors, right = _read(text)
        degree = sum((len(poly) - 1) * power for poly, power in factors)
        if degree < LEAST_DEGREE:
            raise InvalidProblem(f"trivial: degree {degree}; the least is {LEAST_DEGREE}")
        highest = max(len(poly) - 1 for poly, _ in factors)
        self.easiest(degree=degree, sum=highest, root=0, rational=0)
        roots: set[Fraction] = set()
        for poly, _ in _standard(factors, right):
            roots |= _roots(poly)
        if not roots:
            raise InvalidProblem(f"no solution: {text[:40]!r} has no real one")
        if roots == {0}:
            raise InvalidProblem("trivial: only 0 is a solution")
        gold = ",".join(map(str, sorted(roots)))
        level = self.easiest(
            degree=degree,
            sum=highest,
            root=max(map(int, re.findall("[0-9]+", gold))),
            rational=int("/" in gold),
        )
        # The order of the factors makes no other problem.
        signature = polynomials.write_product(number, sorted(factors)) if "(" in text else text
        return Problem(self.name, level, text, signature=signature, gold=gold)

    def pose(self, problem: Problem) -> str:
        """As a product where it is a sum: few random sums have rational solutions."""
        if "(" in problem.text:
            return problem.text
        _, factors, right = _read(problem.text)
        ((poly, _),) = _standard(factors, right)
        return f"{polynomials.write_product(*polynomials.factor(poly))}:{polynomials.write(right)}"

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if the answer is the set of solutions, in any order."""
        return grade_response(KIND, problem.gold, response)

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """Try small numbers, divide by what was found, go on with the quotient.

        1:-2;2:0;x^2-4x+3;1:0;x-3 for x^3-6x^2+11x-6=0: at 1 the value is -2, at 2 it is 0.
        """
        _, factors, right = _read(problem.text)
        lines: list[str] = []
        if right:
            ((poly, _),) = factors = _standard(factors, right)
            lines.append(f"{polynomials.write(poly)}=0")
        for poly, _ in factors:
            lines += searches.roots(poly)
        return f"{';'.join(Pace.draw(rng).skim(lines))}{ANSWER_OPEN}{problem.gold}"


def _collected(factors: Powers) -> Powers:
    """Equal factors as one power, so that the text is canonical."""
    powers: dict[Poly, int] = {}
    for poly, power in factors:
        powers[poly] = powers.get(poly, 0) + power
    # x itself is written in front.
    return tuple(sorted(powers.items(), key=lambda item: item[0] != (1, 0)))


def _read(text: str) -> tuple[int, Powers, Poly]:
    """The number and the factors on the left, and the right side; a sum is one factor."""
    sides = text.split("=") if len(text) <= _MAX_LENGTH else []
    right = polynomials.read(sides[1]) if len(sides) == 2 else None
    if right is None or polynomials.write(right) != sides[1]:
        raise InvalidProblem(f"malformed: {text[:40]!r} is not like 'x^3-7x=6' or '(x-2)(x^2-9)=0'")
    left = sides[0]
    if "(" not in left:
        poly = polynomials.read(left)
        if not poly or len(poly) < 2:
            raise InvalidProblem(f"malformed: {left[:40]!r} is no polynomial in x")
        if polynomials.write(poly) != left:
            raise InvalidProblem(f"not canonical: {left!r} is written {polynomials.write(poly)!r}")
        if len(right) > 2 or len(poly) <= len(right):
            raise InvalidProblem("malformed: the right side is a number or linear in x")
        return 1, ((poly, 1),), right
    product = polynomials.read_product(left)
    if product is None or any(len(poly) < 2 for poly, _ in product[1]):
        raise InvalidProblem(f"malformed: {left[:40]!r} is no product of polynomials in x")
    number, factors = product
    if polynomials.write_product(number, factors) != left or _collected(factors) != factors:
        raise InvalidProblem(f"not canonical: {left[:40]!r} has equal factors or needless signs")
    if number != 1 or right:
        raise InvalidProblem("malformed: a product has no number in front and is compared with 0")
    return number, factors, right


def _standard(factors: Powers, right: Poly) -> Powers:
    """The factors of the equation with 0 on the right."""
    if not right:
        return factors
    ((poly, _),) = factors
    return ((polynomials.add(poly, polynomials.scale(-1, right)), 1),)


def _roots(poly: Poly) -> set[Fraction]:
    """The real roots, or a refusal where one is irrational."""
    roots: set[Fraction] = set()
    for factor, _ in polynomials.factor(poly)[1]:
        if len(factor) == 2:
            roots.add(Fraction(-factor[1], factor[0]))
        elif len(factor) != 3 or factor[1] ** 2 > 4 * factor[0] * factor[2]:
            raise InvalidProblem("beyond the top level: a solution that is not rational")
    return roots


def _with_factors(text: str) -> str:
    """The equation that (x-1)(x-2)(x-3):x stands for."""
    product, _, right = text.partition(":")
    read, side = polynomials.read_product(product), polynomials.read(right)
    if read is None or side is None:
        raise InvalidProblem(f"malformed: {text[:40]!r} is not like '(x-1)(x-2)(x-3):x'")
    return f"{polynomials.write(polynomials.add(polynomials.product(*read), side))}={right}"
