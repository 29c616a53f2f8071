"""Division with remainder: (x^2+5x+11)/(x+2) is x+3 with the remainder 5.

Dividend and divisor are sums in parentheses; quotient and remainder have whole coefficients. The
answer is the pair x+3,5: the remainder has a lower degree than the divisor, so it is unique.
"""

import random
import re
from collections.abc import Mapping

from selfplay.grading import declare
from selfplay.problem import ANSWER_OPEN, Environment, InvalidProblem, Knob, Problem, Verdict
from selfplay_envs import polynomials, worked_out
from selfplay_envs.pace import Pace
from selfplay_envs.polynomials import Poly

KIND = declare(
    {
        "kind": "tuple",
        "element": {"kind": "polynomial", "form": "expanded", "variables": ["x"]},
    }
)
HORNER_SHARE = 0.4
"""Share of worked solutions that compute with the coefficients alone, where x-a divides."""
EXACT_SHARE = 0.08
"""Share of drafts without a remainder."""

_MAX_LENGTH = 80
_TEXT = re.compile(r"\(([^()]{1,60})\)/\(([^()]{1,40})\)\Z")


class PolynomialDivide(Environment):
    """Divide a polynomial by another one."""

    name = "polynomial_divide"
    summary = "(x^2+5x+11)/(x+2) is x+3,5: quotient and remainder"
    instruction = (
        "Divide the first polynomial by the second one, with remainder. The answer is the quotient "
        "and the remainder, separated by a comma, each with its terms collected, like "
        "x^2-3x+1,4x-7 or 2x+5,0."
    )
    verifier = "pair of polynomials"
    guess_bound = 0.02
    crowded = 2
    knobs = {
        "dividend": Knob((2, 2, 3, 3, 4, 4, 5, 5, 6), "power", "higher powers in the dividend"),
        "divisor": Knob((1, 1, 1, 1, 2, 2, 2, 2, 3), "power", "higher powers in the divisor"),
        "lead": Knob((1, 1, 1, 3, 1, 2, 1, 3, 4), "value", "larger leading coefficient below"),
        "number": Knob(
            (40, 120, 99, 200, 200, 300, 300, 400, 999), "value", "larger numbers on the way"
        ),
    }

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """A divisor times a quotient, and a remainder."""
        largest = 5 if knobs["number"] <= 40 else 9
        lead = rng.randint(max(1, knobs["lead"] - 1), knobs["lead"])
        divisor = _random(knobs["divisor"], lead, largest, rng)
        lead = rng.randint(1, 3 if knobs["dividend"] < 5 else 5)
        quotient = _random(knobs["dividend"] - knobs["divisor"], lead, largest, rng)
        rest = polynomials.trim(rng.randint(-largest, largest) for _ in divisor[1:])
        if rng.random() < EXACT_SHARE:
            rest = ()
        dividend = polynomials.add(polynomials.multiply(quotient, divisor), rest)
        return f"({polynomials.write(dividend)})/({polynomials.write(divisor)})"

    def parse(self, text: str) -> Problem:
        """Read both polynomials; the gold is the quotient and the remainder."""
        dividend, divisor = _read(text)
        if len(divisor) < 2 or len(dividend) < 3 or len(dividend) < len(divisor):
            raise InvalidProblem("trivial: the divisor has an x, the dividend a square at least")
        needs = {
            "dividend": len(dividend) - 1,
            "divisor": len(divisor) - 1,
            "lead": abs(divisor[0]),
        }
        self.easiest(number=0, **needs)
        divided = polynomials.divide(dividend, divisor)
        if divided is None:
            raise InvalidProblem(
                f"no solution: {text[:40]!r} needs a coefficient that is not whole"
            )
        numbers = [*dividend, *divisor, *divided[0], *divided[1]]
        level = self.easiest(number=max(map(abs, numbers)), **needs)
        gold = ",".join(map(polynomials.write, divided))
        return Problem(self.name, level, text, signature=text, gold=gold)

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if both polynomials are."""
        return worked_out.grade_collected(KIND, problem.gold, response)

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """Long division, x:3x+11;3:5, or Horner's scheme, 5-2*1=3;11-2*3=5.

        A line of the first has a term of the quotient and what is left of the dividend; one of the
        second has the next coefficient of the quotient, and at last the remainder.
        """
        dividend, divisor = _read(problem.text)
        horner = rng.random() < HORNER_SHARE
        if horner and len(divisor) == 2 and divisor[0] == 1:
            lines = _horner(dividend, -divisor[1])
        else:
            lines = _long(dividend, divisor)
        return f"{';'.join(Pace.draw(rng).skim(lines))}{ANSWER_OPEN}{problem.gold}"


def _random(degree: int, lead: int, largest: int, rng: random.Random) -> Poly:
    """A polynomial of that degree that does not vanish at 0."""
    middle = [rng.randint(-largest, largest) for _ in range(degree - 1)]
    last = [rng.randint(1, largest) * rng.choice((1, -1))] if degree else []
    return (lead, *middle, *last)


def _read(text: str) -> tuple[Poly, Poly]:
    found = _TEXT.match(text) if len(text) <= _MAX_LENGTH else None
    if found is None:
        raise InvalidProblem(f"malformed: {text[:40]!r} is not like '(x^2+5x+11)/(x+2)'")
    polys = []
    for part in found.groups():
        poly = polynomials.read(part)
        if poly is None:
            raise InvalidProblem(f"malformed: {part[:40]!r} is no polynomial in x")
        if polynomials.write(poly) != part:
            raise InvalidProblem(
                f"not canonical: {part[:40]!r} is written {polynomials.write(poly)[:40]!r}"
            )
        polys.append(poly)
    return polys[0], polys[1]


def _long(dividend: Poly, divisor: Poly) -> list[str]:
    lines, rest = [], dividend
    while len(rest) >= len(divisor):
        term = (rest[0] // divisor[0],) + (0,) * (len(rest) - len(divisor))
        rest = polynomials.add(rest, polynomials.scale(-1, polynomials.multiply(term, divisor)))
        lines.append(f"{polynomials.write(term)}:{polynomials.write(rest)}")
    return lines


def _horner(dividend: Poly, root: int) -> list[str]:
    lines, value = [], dividend[0]
    for coefficient in dividend[1:]:
        lines.append(f"{coefficient}{root:+d}*{value}={coefficient + root * value}")
        value = coefficient + root * value
    return lines
