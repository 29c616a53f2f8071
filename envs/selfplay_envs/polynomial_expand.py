"""Multiplying out: (x+2)(x-3) is x^2-x-6.

A text is a product of a number, powers of x and sums in parentheses with exponents, or a sum or a
difference of such products; a second unknown y comes in at the higher levels. The answer is the
polynomial with its terms collected.
"""

import random
import re
from collections.abc import Iterable, Mapping
from itertools import product as pairs

from selfplay.grading import declare
from selfplay.problem import ANSWER_OPEN, Environment, InvalidProblem, Knob, Problem, Verdict
from selfplay_envs import worked_out
from selfplay_envs.pace import Pace

KIND = declare({"kind": "polynomial", "form": "expanded", "variables": ["x", "y"]})
SQUARE_SHARE = 0.1
"""Share of drafted factors that repeat the one before."""
QUADRATIC_SHARE = 0.3
"""Share of drafted factors of degree 2, where there is room for one."""
MOST_SPREAD = 6
"""Most terms that a worked solution writes down before it collects them."""
MOST_TERMS = 40
"""Most terms of a result."""

_MAX_LENGTH = 70
_LETTERS = r"(?:x(?:\^[2-9])?(?:y(?:\^[2-9])?)?|y(?:\^[2-9])?)"
_MONOMIAL = rf"(?:[0-9]{{1,3}}{_LETTERS}?|{_LETTERS})"
_SUM = re.compile(rf"-?{_MONOMIAL}(?:[-+]{_MONOMIAL})*\Z")
_TERM = re.compile(r"([-+]?)([0-9]*)(?:(x)(?:\^([2-9]))?)?(?:(y)(?:\^([2-9]))?)?")
_PRODUCT = re.compile(
    r"([-+]?)([1-9][0-9]{0,2})?(x(?:\^[2-9])?)?((?:\([^()]{1,40}\)(?:\^[2-9])?)+)"
)
_GROUP = re.compile(r"\(([^()]{1,40})\)(?:\^([2-9]))?")

Power = tuple[int, int]
"""Exponents of x and y."""
Poly = dict[Power, int]
"""Coefficients, none of them zero."""
Product = tuple[int, list[Poly]]
"""A signed number and the factors, powers written out."""


class PolynomialExpand(Environment):
    """Multiply out and collect terms."""

    name = "polynomial_expand"
    summary = "(x+2)(x-3) is x^2-x-6: multiply out, collect terms"
    instruction = (
        "Multiply out and collect like terms. The answer is a polynomial without parentheses, with "
        "one term for each power, like 2x^2-5x+1 or x^2+xy-2y^2."
    )
    verifier = "polynomial"
    guess_bound = 0.02
    crowded = 3
    knobs = {
        "degree": Knob((2, 2, 3, 3, 2, 3, 3, 4, 5), "power", "higher powers"),
        "products": Knob((1, 1, 1, 1, 2, 1, 2, 1, 2), "products", "sums of products"),
        "lead": Knob((3, 9, 2, 5, 4, 5, 2, 5, 9), "value", "larger factors in front"),
        "number": Knob((9, 9, 6, 9, 9, 12, 9, 9, 12), "value", "larger numbers"),
        "letters": Knob((1, 1, 1, 1, 1, 2, 1, 2, 2), "unknowns", "a second unknown"),
    }

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """Random products of as high a degree as is allowed."""
        letters, count = knobs["letters"], knobs["products"]
        # Products of different degrees in x and y have no like terms: one of the two is enough.
        if letters == 2 and count > 1:
            letters, count = rng.choice(((1, count), (2, 1)))
        text = ""
        for i in range(count):
            degree = knobs["degree"] if i == 0 else 2
            written = _draft_product(degree, letters, knobs, rng)
            text += f"{rng.choice('+-')}{written}" if text else written
        return text

    def parse(self, text: str) -> Problem:
        """Read products; the gold is the expanded polynomial."""
        products = _read(text)
        degree = max(sum(map(_degree, factors)) for _, factors in products)
        monic = [abs(value) for _, factors in products for one in factors for value in one.values()]
        numbers = list(map(int, re.findall(r"(?<![\^0-9])[0-9]+", text)))
        needs = {
            "degree": degree,
            "products": len(products),
            "lead": _largest_lead(products),
            "number": max(*monic, *numbers, 1),
            "letters": 1 + ("y" in text),
        }
        level = self.easiest(**needs)
        result: Poly = {}
        for number, factors in products:
            result = _add(result, _expand(number, factors))
        if not result:
            raise InvalidProblem("trivial: everything cancels")
        if len(result) > MOST_TERMS:
            raise InvalidProblem(f"beyond the top level: {len(result)} terms")
        return Problem(
            environment=self.name,
            level=level,
            text=text,
            signature=_signature(products),
            gold=_write(result),
        )

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if the answer is the polynomial, multiplied out, with its terms collected."""
        return worked_out.grade_collected(KIND, problem.gold, response)

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """One factor after the other: all products of terms, then collected; 3x^2-x+6x-2."""
        products = _read(problem.text)
        lines: list[str] = []
        results = [_expand(number, factors, lines) for number, factors in products]
        if len(results) > 1:
            total = results[0]
            for one in results[1:]:
                lines.append(_join([total, one]))
                total = _add(total, one)
                lines.append(_write(total))
        if lines and lines[-1] == problem.gold:
            lines.pop()
        return f"{';'.join(Pace.draw(rng).skim(lines))}{ANSWER_OPEN}{problem.gold}"


def _degree(poly: Poly) -> int:
    return max(x + y for x, y in poly)


def _largest_lead(products: Iterable[Product]) -> int:
    """The largest number in front of a product or of the highest power in a group."""
    return max(
        max(abs(number), *(abs(one[max(one)]) for one in factors)) for number, factors in products
    )


def _add(left: Poly, right: Poly) -> Poly:
    total = dict(left)
    for power, value in right.items():
        total[power] = total.get(power, 0) + value
    return {power: value for power, value in total.items() if value}


def _times(left: Poly, right: Poly) -> list[Poly]:
    """All products of a term with a term, in order."""
    return [
        {(a + c, b + d): value * other}
        for ((a, b), value), ((c, d), other) in pairs(_ordered(left), _ordered(right))
    ]


def _ordered(poly: Poly) -> list[tuple[Power, int]]:
    """The terms, those of the highest degree first, among them the highest power of x first."""
    return sorted(poly.items(), key=lambda term: (-sum(term[0]), -term[0][0]))


def _expand(number: int, factors: list[Poly], lines: list[str] | None = None) -> Poly:
    """The product; the working is appended to `lines`."""
    lines = [] if lines is None else lines
    total = {power: number * value for power, value in factors[0].items()}
    if number not in (1, -1) or (number == -1 and len(factors) == 1):
        lines.append(_write(total))
    for factor in factors[1:]:
        terms = _times(total, factor)
        total = {}
        for term in terms:
            total = _add(total, term)
        if len(total) < len(terms) <= MOST_SPREAD:
            lines.append(_join(terms))
        lines.append(_write(total))
    return total


def _join(polys: Iterable[Poly]) -> str:
    """Polynomials one after the other, nothing collected."""
    text = ""
    for poly in polys:
        written = _write(poly)
        text += written if not text or written.startswith("-") else f"+{written}"
    return text


def _write(poly: Poly) -> str:
    parts = []
    for (x, y), value in _ordered(poly):
        letters = _power("x", x) + _power("y", y)
        number = "" if letters and abs(value) == 1 else str(abs(value))
        parts.append(f"{'-' if value < 0 else '+'}{number}{letters}")
    return "".join(parts).removeprefix("+") or "0"


def _power(letter: str, exponent: int) -> str:
    return "" if not exponent else letter if exponent == 1 else f"{letter}^{exponent}"


def _signature(products: list[Product]) -> str:
    """Equal where factors or products are in another order."""
    return "+".join(sorted(f"{n}*{'*'.join(sorted(map(_write, one)))}" for n, one in products))


def _read(text: str) -> list[Product]:
    products: list[Product] = []
    place = 0
    while place < len(text) <= _MAX_LENGTH:
        found = _PRODUCT.match(text, place)
        if found is None or found[1] == ("" if place else "+"):
            break
        sign, digits, bare, groups = found.groups()
        factors = [_read_sum(bare)] if bare else []
        written = []
        for inside, exponent in _GROUP.findall(groups):
            poly = _read_sum(inside)
            if len(poly) < 2:
                raise InvalidProblem(f"not canonical: ({inside[:40]}) needs no parentheses")
            if poly in factors:
                raise InvalidProblem(f"not canonical: ({inside[:40]}) twice; write one power")
            written.append(poly)
            factors += [poly] * int(exponent or "1")
        if digits == "1":
            raise InvalidProblem("not canonical: a needless factor 1")
        products.append((int(f"{sign}{digits or 1}"), factors))
        if len(factors) == 1 and not digits and sign != "-" and len(text) == found.end():
            raise InvalidProblem("trivial: there is nothing to multiply")
        place = found.end()
    if not products or place != len(text):
        raise InvalidProblem(f"malformed: {text[:40]!r} is not like '3(x+2)(x-3)'")
    if max(sum(map(_degree, factors)) for _, factors in products) > 9:
        raise InvalidProblem("beyond the top level: a degree above 9")
    return products


def _read_sum(text: str) -> Poly:
    if not _SUM.match(text):
        raise InvalidProblem(f"malformed: {text[:40]!r} is no sum such as 2x-3")
    poly: Poly = {}
    for sign, digits, x, x_power, y, y_power in _TERM.findall(text):
        if digits or x or y:
            power = (int(x_power or "1") if x else 0, int(y_power or "1") if y else 0)
            value = int(f"{sign}{digits or 1}")
            poly = _add(poly, {power: value})
    if _write(poly) != text:
        raise InvalidProblem(f"not canonical: {text[:40]!r} is written {_write(poly)[:40]!r}")
    return poly


def _draft_product(degree: int, letters: int, knobs: Mapping[str, int], rng: random.Random) -> str:
    """Factors of degree 1 and 2, equal ones as one power."""
    powers: dict[str, int] = {}
    left, last = degree, ""
    while left:
        if last and rng.random() < SQUARE_SHARE:
            powers[last] += 1
            left -= 1
            continue
        quadratic = left >= 2 and degree > 2 and letters == 1 and rng.random() < QUADRATIC_SHARE
        written = _draft_sum(2 if quadratic else 1, letters, knobs, rng)
        powers[written] = powers.get(written, 0) + 1
        last = "" if quadratic else written
        left -= 2 if quadratic else 1
    number = rng.randint(2, 9) if knobs["lead"] == 9 and rng.random() < 0.7 else 1
    groups = "".join(f"({one})" if n == 1 else f"({one})^{n}" for one, n in powers.items())
    return groups if number == 1 else f"{number}{groups}"


def _draft_sum(degree: int, letters: int, knobs: Mapping[str, int], rng: random.Random) -> str:
    def signed(largest: int) -> int:
        return rng.randint(1, largest) * rng.choice((1, -1))

    lead = rng.randint(1, min(5, knobs["lead"]))
    if degree == 2:
        return _write(_add({(2, 0): lead}, {(1, 0): signed(3), (0, 0): signed(knobs["number"])}))
    # With two letters like 2x-3y, so that the result has few terms.
    other = (0, 1) if letters == 2 else (0, 0)
    return _write({(1, 0): lead, other: signed(knobs["number"])})
