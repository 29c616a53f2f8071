"""Factoring: x^2-x-6 is (x-3)(x+2).

The factors are irreducible over the integers; a common factor of all coefficients stands in front.
A right answer has the very factors of the gold, in any order and up to signs that cancel: the
polynomial itself is no answer. A proposal may be a product: (x-3)(x+2) is read as x^2-x-6.
"""

import random
from collections import Counter
from collections.abc import Mapping

from selfplay.grading import AnswerError, Checker, declare, grade_response
from selfplay.problem import ANSWER_OPEN, Environment, InvalidProblem, Knob, Problem, Verdict
from selfplay_envs import polynomials, searches, worked_out
from selfplay_envs.pace import Pace
from selfplay_envs.polynomials import Poly

LEAST_DEGREE = 2
"""Least degree of a polynomial that is worth factoring."""

_MAX_LENGTH = 70


def _factors(text: str) -> tuple[int, Counter[Poly]]:
    """The number in front and the factors with positive leads, as often as they occur.

    Raises:
        AnswerError: no product, or a factor with a common factor of its own.
    """
    text = worked_out.plain(text)
    product = polynomials.read_product(text)
    if product is None:
        raise AnswerError("not factored", f"{text[:40]!r} is not like 2(x-3)(x+2)^2")
    number, powers = product
    count: Counter[Poly] = Counter()
    for poly, power in powers:
        content, rest = polynomials.primitive(poly)
        if abs(content) != 1 or len(poly) < 2:
            raise AnswerError("not factored", f"{poly} has a common factor or no unknown")
        number *= content**power
        count[rest] += power
    return number, count


KIND = Checker(
    form=declare({"kind": "text", "whitespace": "remove", "latex": True}),
    # The kind text reads a tuple, whose first element is the whole text.
    accepts=lambda gold, answer: _factors(answer[0]) == _factors(gold),
)
"""Factoring into irreducible factors is unique up to order and signs."""


class PolynomialFactor(Environment):
    """Factor a polynomial over the integers."""

    name = "polynomial_factor"
    summary = "x^2-x-6 is (x-3)(x+2): irreducible factors over the integers"
    instruction = (
        "Factor the polynomial completely over the integers. The answer is a product like "
        "2x(x-3)^2(3x+1): a common factor of all coefficients in front, then factors with integer "
        "coefficients that cannot be factored further."
    )
    verifier = "irreducible factors"
    guess_bound = 0.02
    crowded = 6
    knobs = {
        "degree": Knob((2, 2, 2, 3, 3, 3, 4, 4, 5), "power", "higher powers"),
        "content": Knob((1, 5, 1, 1, 3, 5, 1, 3, 5), "value", "larger common factors"),
        "lead": Knob((1, 1, 6, 1, 1, 12, 6, 12, 24), "value", "larger leading coefficients"),
        "number": Knob((15, 12, 9, 9, 12, 9, 9, 9, 15), "value", "larger numbers in factors"),
        "part": Knob((1, 1, 1, 1, 1, 1, 2, 2, 3), "power", "irreducible factors of degree above 1"),
    }

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """A product of random factors, multiplied out."""
        number, lead, left = knobs["number"], knobs["lead"], knobs["degree"]
        factors: list[tuple[Poly, int]] = []
        while left:
            degree = min(left, knobs["part"], rng.choice((1, 1, 2)) if left < 5 else 2)
            first = rng.choice([d for d in polynomials.divisors(lead) if d <= 4])
            lead //= first
            middle = [rng.randint(-5, 5) for _ in range(degree - 1)]
            factors.append(((first, *middle, rng.randint(1, number) * rng.choice((1, -1))), 1))
            left -= degree
        content = rng.randint(1, knobs["content"]) * (rng.choice((1, -1)) if number > 9 else 1)
        return polynomials.write(polynomials.product(content, factors))

    def parse(self, text: str) -> Problem:
        """Read a polynomial, or a product that is multiplied out; the gold is its factors."""
        poly = _read(text)
        degree = len(poly) - 1
        if degree < LEAST_DEGREE:
            raise InvalidProblem(f"trivial: the degree of {text[:40]!r} is below {LEAST_DEGREE}")
        content, reduced = polynomials.primitive(poly)
        needs = {"degree": degree, "content": abs(content), "lead": reduced[0]}
        self.easiest(number=0, part=0, **needs)
        _, factors = polynomials.factor(poly)
        if content == 1 and len(factors) == 1 and factors[0][1] == 1:
            raise InvalidProblem(f"trivial: {text[:40]!r} is irreducible")
        level = self.easiest(
            number=max(abs(value) for factor, _ in factors for value in factor),
            part=max(len(factor) - 1 for factor, _ in factors),
            **needs,
        )
        text = polynomials.write(poly)
        gold = polynomials.write_product(content, factors)
        return Problem(self.name, level, text, signature=text, gold=gold)

    def pose(self, problem: Problem) -> str:
        """As the product: few random polynomials have factors."""
        return problem.gold

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if the answer has the irreducible factors, in any order."""
        return grade_response(KIND, problem.gold, response)

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """Common factor first; for a square two numbers with the right product and sum.

        -1,6:5;2x^2-x+6x-3 for 2x^2+5x-3: the product is 2*-3. Above that roots are tried, and the
        polynomial is divided by what was found.
        """
        poly = _read(problem.text)
        content, reduced = polynomials.primitive(poly)
        lines = []
        if content != 1:
            lines.append(polynomials.write_product(content, [(reduced, 1)]))
        if len(reduced) == 3 and reduced[2]:
            a, b, c = reduced
            tried, found = searches.pair(a * c, b)
            lines += tried
            if found and a != 1:
                middle = "".join(f"{one:+d}x" for one in found)
                lines.append(f"{a}x^2{middle}{c:+d}".replace("+1x", "+x").replace("-1x", "-x"))
        else:
            lines += searches.roots(reduced)
        return f"{';'.join(Pace.draw(rng).skim(lines))}{ANSWER_OPEN}{problem.gold}"


def _read(text: str) -> Poly:
    """The polynomial; a product is multiplied out."""
    if len(text) > _MAX_LENGTH:
        raise InvalidProblem(f"malformed: {text[:40]!r}... is too long")
    if "(" in text:
        product = polynomials.read_product(text)
        if product is None:
            raise InvalidProblem(f"malformed: {text[:40]!r} is not like '2(x-3)(x+2)^2'")
        return polynomials.product(*product)
    poly = polynomials.read(text)
    if poly is None:
        # x^2 and 3x^2 are products without a group.
        raise InvalidProblem(f"malformed: {text[:40]!r} is not like 'x^2-x-6'")
    if polynomials.write(poly) != text:
        raise InvalidProblem(f"not canonical: {text[:40]!r} is written {polynomials.write(poly)!r}")
    return poly
