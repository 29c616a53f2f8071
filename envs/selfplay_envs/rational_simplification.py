"""Fractions of polynomials in lowest terms: (x^2-1)/(x^2-3x+2) is (x+1)/(x-2).

Numerator and denominator are sums in parentheses with a common factor. A right answer has none: it
is compared with the gold after multiplying out, and may differ from it in sign above and below. A
proposal may have products: (x-1)(x+1):(x-1)(x-2) is read as (x^2-1)/(x^2-3x+2).
"""

import random
import re
from collections import Counter
from collections.abc import Mapping
from math import gcd

from selfplay.grading import AnswerError, Checker, declare, grade_response
from selfplay.problem import ANSWER_OPEN, Environment, InvalidProblem, Knob, Problem, Verdict
from selfplay_envs import polynomials, searches, worked_out
from selfplay_envs.pace import Pace
from selfplay_envs.polynomials import Poly, Powers

_MAX_LENGTH = 90
_MAX_ANSWER = 200
_TEXT = re.compile(r"\(([^()]{1,60})\)/\(([^()]{1,60})\)\Z")
_ATOM = re.compile(r"[0-9]+\Z|x(?:\^[0-9])?\Z|\([^()]+\)(?:\^[0-9])?\Z")
_INSIDE = re.compile(r"\(((?:[^()]|\([^()]*\))*)\)\Z")


def _fraction(text: str) -> tuple[Poly, Poly]:
    """Numerator and denominator, multiplied out, the denominator with a positive lead.

    Raises:
        AnswerError: not a fraction of polynomials, or one that others would read otherwise, such
            as x+1/x-2.
    """
    if len(text) > _MAX_ANSWER:
        raise AnswerError("too long", f"{len(text)} characters; {_MAX_ANSWER} are read")
    text = worked_out.plain(text)
    above, slash, below = text.partition("/")
    if slash and "(" not in above and re.search("[-+]", above[1:]):
        raise AnswerError("not a fraction", f"{above[:40]!r} needs parentheses")
    if slash and not _ATOM.match(below) and not _INSIDE.match(below):
        raise AnswerError("not a fraction", f"{below[:40]!r} needs parentheses")
    top, bottom = _side(above), _side(below) if slash else (1,)
    if not bottom:
        raise AnswerError("not a fraction", "the denominator is 0")
    sign = 1 if bottom[0] > 0 else -1
    return polynomials.scale(sign, top), polynomials.scale(sign, bottom)


def _side(text: str) -> Poly:
    """A collected sum or a product of such sums, multiplied out."""
    if (inside := _INSIDE.match(text)) is not None:
        text = inside[1]
    poly = polynomials.read(text)
    if poly is not None:
        if len(re.findall("[^-+]+", text)) > max(1, sum(map(bool, poly))):
            raise AnswerError("terms not collected", f"{text[:40]!r}")
        return poly
    product = polynomials.read_product(text)
    if product is None:
        raise AnswerError("not a fraction", f"{text[:40]!r} is no polynomial")
    return polynomials.product(*product)


KIND = Checker(
    form=declare({"kind": "text", "whitespace": "remove", "latex": True}),
    # The kind text reads a tuple, whose first element is the whole text.
    accepts=lambda gold, answer: _fraction(answer[0]) == _fraction(gold),
)
"""In lowest terms numerator and denominator are unique up to a common sign."""


class RationalSimplification(Environment):
    """Reduce a fraction of polynomials to lowest terms."""

    name = "rational_simplification"
    summary = "(x^2-1)/(x^2-3x+2) is (x+1)/(x-2): cancel common factors"
    instruction = (
        "Reduce the fraction to lowest terms. The answer is like x+4, (x+4)/(2x-3) or 5/(x^2+1): "
        "integer coefficients, and no common factor of numerator and denominator, numbers "
        "included."
    )
    verifier = "fraction in lowest terms"
    guess_bound = 0.1
    crowded = 2
    knobs = {
        "degree": Knob((2, 2, 2, 3, 3, 3, 4, 4, 5), "power", "higher powers"),
        "below": Knob((1, 2, 2, 2, 2, 3, 3, 4, 5), "power", "higher powers in the denominator"),
        "lead": Knob((1, 1, 9, 1, 6, 6, 4, 12, 36), "value", "larger leading coefficients"),
        "number": Knob((12, 9, 9, 12, 9, 9, 9, 9, 12), "value", "larger numbers in factors"),
        "part": Knob((1, 1, 1, 1, 1, 2, 2, 2, 2), "power", "irreducible factors of degree 2"),
    }

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """Common factors and others, multiplied out."""
        degree, below = knobs["degree"], knobs["below"]
        if below > 1 and rng.random() < 0.2:
            degree, below = below, degree
        common = rng.randint(1, max(1, min(degree, below) - 1))
        shared = _draft_factors(common, knobs, rng)
        sides = [
            shared + _draft_factors(one - common, knobs, rng)
            for one in (degree, max(below, common))
        ]
        numbers = [rng.choice((1, 1, 2, 3, 4)) if knobs["lead"] > 4 else 1 for _ in sides]
        texts = (
            polynomials.write(polynomials.product(number, side))
            for number, side in zip(numbers, sides, strict=True)
        )
        return "({})/({})".format(*texts)

    def parse(self, text: str) -> Problem:
        """Read a fraction; the gold is in lowest terms and multiplied out."""
        sides = _read(text)
        if any(len(side) < 2 for side in sides):
            raise InvalidProblem("trivial: a constant numerator or denominator")
        needs = {
            "degree": max(len(side) - 1 for side in sides),
            "below": min(len(side) - 1 for side in sides),
            "lead": max(abs(side[0]) for side in sides),
        }
        self.easiest(number=0, part=0, **needs)
        contents, factors = zip(*map(polynomials.factor, sides), strict=True)
        above, under = (Counter(dict(one)) for one in factors)
        divisor = gcd(*contents)
        if not above & under:
            raise InvalidProblem("trivial: no polynomial divides both")
        level = self.easiest(
            number=max(abs(value) for one in (*above, *under) for value in one),
            part=max(len(one) - 1 for one in (*above, *under)),
            **needs,
        )
        divisor = divisor if contents[1] > 0 else -divisor
        gold = _write(
            polynomials.product(contents[0] // divisor, (above - under).items()),
            polynomials.product(contents[1] // divisor, (under - above).items()),
        )
        text = "({})/({})".format(*map(polynomials.write, sides))
        return Problem(self.name, level, text, signature=text, gold=gold)

    def pose(self, problem: Problem) -> str:
        """With products: few random fractions have a common factor."""
        return ":".join(
            polynomials.write_product(*polynomials.factor(one)) for one in _read(problem.text)
        )

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if the answer is the fraction in lowest terms."""
        return grade_response(KIND, problem.gold, response)

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """Factor both sides, 1,2:3 or roots that are tried, then cancel: (x-1)(x+1)/((x-1)(x-2)).

        Where more than one factor is left, the answer is multiplied out.
        """
        lines, products = [], []
        reduced: list[Counter[Poly]] = []
        for poly in _read(problem.text):
            content, factors = polynomials.factor(poly)
            lines += _search(polynomials.primitive(poly)[1], factors)
            products.append((content, factors))
            reduced.append(Counter(dict(factors)))
        lines.append(_join(*products))
        divisor = gcd(products[0][0], products[1][0])
        above, below = (
            (number // divisor, tuple((one - other).items()))
            for (number, _), one, other in zip(products, reduced, reduced[::-1], strict=True)
        )
        if max(abs(above[0]) + sum(n for _, n in above[1]), abs(below[0]) + len(below[1])) > 2:
            lines.append(_join(above, below))
        return f"{';'.join(Pace.draw(rng).skim(lines))}{ANSWER_OPEN}{problem.gold}"


def _draft_factors(
    degree: int, knobs: Mapping[str, int], rng: random.Random
) -> list[tuple[Poly, int]]:
    factors: list[tuple[Poly, int]] = []
    while degree > 0:
        size = min(degree, rng.choice((1, 1, 1, knobs["part"])))
        first = rng.randint(1, 3 if knobs["lead"] > 9 else 2) if knobs["lead"] > 1 else 1
        middle = [rng.randint(-4, 4) for _ in range(size - 1)]
        factors.append(((first, *middle, rng.randint(1, knobs["number"]) * rng.choice((1, -1))), 1))
        degree -= size
    return factors


def _read(text: str) -> tuple[Poly, Poly]:
    """Numerator and denominator, from a fraction or from two products."""
    if len(text) > _MAX_LENGTH:
        raise InvalidProblem(f"malformed: {text[:40]!r}... is too long")
    if ":" in text:
        parts = text.split(":")
        products = [polynomials.read_product(part) for part in parts]
        if len(parts) != 2 or None in products:
            raise InvalidProblem(f"malformed: {text[:40]!r} is not like '(x-1)(x+1):(x-1)(x-2)'")
        polys = [polynomials.product(*one) for one in products if one is not None]
    else:
        found = _TEXT.match(text)
        if found is None:
            raise InvalidProblem(f"malformed: {text[:40]!r} is not like '(x^2-1)/(x-1)'")
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
    if not all(polys):
        raise InvalidProblem("trivial: numerator or denominator is 0")
    return polys[0], polys[1]


def _write(above: Poly, below: Poly) -> str:
    """x+4, (x+4)/(2x-3), 5/x: parentheses where they are needed."""
    top, bottom = polynomials.write(above), polynomials.write(below)
    if below == (1,):
        return top
    top = f"({top})" if re.search("[-+]", top[1:]) else top
    return f"{top}/{bottom if _ATOM.match(bottom) else f'({bottom})'}"


def _search(poly: Poly, factors: Powers) -> list[str]:
    """How the factors of one side are found, without tries in vain; nothing where there is one."""
    if len(factors) == 1 and factors[0][1] == 1:
        return []
    if len(poly) == 3 and poly[2]:
        return searches.pair(poly[0] * poly[2], poly[1], shown=1)[0]
    return searches.roots(poly, shown=0)


def _join(above: tuple[int, Powers], below: tuple[int, Powers]) -> str:
    """Two products as a fraction."""
    bottom = polynomials.write_product(*below)
    bottom = bottom if _ATOM.match(bottom) else f"({bottom})"
    return f"{polynomials.write_product(*above)}/{bottom}".removesuffix("/1")
