"""Polynomials in x with whole coefficients: exact arithmetic, factors, roots, compact text.

Shared by the environments about polynomials. A polynomial is the tuple of its coefficients, highest
power first, without zeros in front: (1, -1, -6) is x^2-x-6, () is zero. Everything is bounded:
`read` refuses long texts, numbers of more than MAX_DIGITS digits and powers above MAX_DEGREE.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import zip_longest
from math import gcd, isqrt

from selfplay.problem import InvalidProblem

MAX_DEGREE = 9
"""Highest power that is read."""
MAX_DIGITS = 7
"""Most digits of a coefficient that is read."""
MAX_LENGTH = 120
"""Longest polynomial or product that is read, in characters."""
MAX_FACTORED = 5
"""Highest degree of a polynomial that `factor` takes."""
MAX_CASES = 400_000
"""Most candidates for a quadratic factor that are looked at: well below a second."""

Poly = tuple[int, ...]
"""Coefficients, highest power first; the first is not zero."""
Powers = tuple[tuple[Poly, int], ...]
"""Factors with their exponents."""

_NUMBER = f"[0-9]{{1,{MAX_DIGITS}}}"
_TERM = rf"(?:(?:{_NUMBER})?x(?:\^[0-9])?|{_NUMBER})"
_SUM = re.compile(rf"-?{_TERM}(?:[-+]{_TERM})*\Z")
_PART = re.compile(r"([-+]?)([0-9]*)(x?)(?:\^([0-9]))?")
_GROUP = re.compile(r"\(([^()]{1,60})\)(?:\^([0-9]))?")
_PRODUCT = re.compile(
    rf"(-?)({_NUMBER})?(x?)(?:(?<=x)\^([0-9]))?((?:\([^()]{{1,60}}\)(?:\^[0-9])?)*)\Z"
)


def trim(coefficients: Iterable[int]) -> Poly:
    """The polynomial without the zeros in front."""
    kept = list(coefficients)
    start = next((i for i, value in enumerate(kept) if value), len(kept))
    return tuple(kept[start:])


def add(left: Poly, right: Poly) -> Poly:
    """The sum."""
    pairs = zip_longest(reversed(left), reversed(right), fillvalue=0)
    return trim(reversed([a + b for a, b in pairs]))


def scale(number: int, poly: Poly) -> Poly:
    """A multiple."""
    return tuple(number * value for value in poly) if number else ()


def multiply(left: Poly, right: Poly) -> Poly:
    """The product."""
    if not left or not right:
        return ()
    result = [0] * (len(left) + len(right) - 1)
    for i, a in enumerate(left):
        for j, b in enumerate(right):
            result[i + j] += a * b
    return tuple(result)


def product(number: int, factors: Iterable[tuple[Poly, int]]) -> Poly:
    """A number times powers of polynomials."""
    result = trim((number,))
    for poly, power in factors:
        for _ in range(power):
            result = multiply(result, poly)
    return result


def divide(dividend: Poly, divisor: Poly) -> tuple[Poly, Poly] | None:
    """Quotient and remainder, or None where the quotient has a coefficient that is not whole."""
    rest, quotient = list(dividend), []
    for i in range(len(dividend) - len(divisor) + 1):
        if rest[i] % divisor[0]:
            return None
        factor = rest[i] // divisor[0]
        quotient.append(factor)
        for j, value in enumerate(divisor):
            rest[i + j] -= factor * value
    return tuple(quotient), trim(rest)


def value(poly: Poly, x: int) -> int:
    """The value at x."""
    result = 0
    for coefficient in poly:
        result = result * x + coefficient
    return result


def primitive(poly: Poly) -> tuple[int, Poly]:
    """The content, with the sign of the leading coefficient, and what it leaves; not for zero."""
    content = gcd(*poly) if poly[0] > 0 else -gcd(*poly)
    return content, tuple(coefficient // content for coefficient in poly)


def linear(root: Fraction) -> Poly:
    """The factor that vanishes at a root: (2, -1) for 1/2."""
    return root.denominator, -root.numerator


@lru_cache(maxsize=4096)
def divisors(number: int) -> tuple[int, ...]:
    """The positive divisors of a number other than zero."""
    number = abs(number)
    small = [n for n in range(1, isqrt(number) + 1) if number % n == 0]
    return (*small, *(number // n for n in reversed(small) if n * n != number))


def root_factors(poly: Poly) -> Iterator[Poly]:
    """The linear factors of a polynomial other than zero, as often as each divides it."""
    while len(poly) > 1 and poly[-1] == 0:
        poly = poly[:-1]
        yield (1, 0)
    while len(poly) > 1 and (found := _root_factor(poly)) is not None:
        poly = _exact(poly, found)
        yield found


def _root_factor(poly: Poly) -> Poly | None:
    """One linear factor of a polynomial that does not vanish at 0."""
    if len(poly) == 2:
        return primitive(poly)[1]
    at_one, at_minus_one = value(poly, 1), value(poly, -1)
    if not at_one:
        return (1, -1)
    if not at_minus_one:
        return (1, 1)
    for q in divisors(poly[0]):
        for size in divisors(poly[-1]):
            for p in (size, -size):
                # The values at 1 and -1 are multiples of those of the factor: a quick sieve.
                if p in (q, -q) or at_one % (q - p) or at_minus_one % (q + p):
                    continue
                if gcd(p, q) == 1 and _divides((q, -p), poly):
                    return (q, -p)
    return None


def _exact(poly: Poly, factor: Poly) -> Poly:
    """The quotient of a division that leaves nothing."""
    divided = divide(poly, factor)
    assert divided is not None
    return divided[0]


def _divides(factor: Poly, poly: Poly) -> bool:
    divided = divide(poly, factor)
    return divided is not None and not divided[1]


def rational_roots(poly: Poly) -> list[Fraction]:
    """The different rational roots of a polynomial other than zero, in ascending order."""
    return sorted({Fraction(-b, a) for a, b in root_factors(poly)})


def factor(poly: Poly) -> tuple[int, Powers]:
    """The content and the irreducible factors over the integers, each with a positive lead.

    Args:
        poly: not zero, of degree up to MAX_FACTORED.
    Returns:
        content and factors in ascending order of degree and coefficients; their product is `poly`.

    Raises:
        InvalidProblem: the coefficients have so many divisors that it would take long.
    """
    assert 0 < len(poly) <= MAX_FACTORED + 1
    content, rest = primitive(poly)
    found: Counter[Poly] = Counter()
    for one in root_factors(rest):
        found[one] += 1
        rest = _exact(rest, one)
    # Without rational roots, degree 4 or 5 can still split off a quadratic factor.
    if len(rest) >= 5 and (split := _quadratic_factor(rest)) is not None:
        found[split] += 1
        rest = _exact(rest, split)
    if len(rest) > 1:
        found[rest] += 1
    return content, tuple(sorted(found.items(), key=lambda item: (len(item[0]), item[0])))


def _quadratic_factor(poly: Poly) -> Poly | None:
    """A quadratic factor of a polynomial without rational roots, by the values at 0, 1 and -1."""
    at_one, at_minus_one = value(poly, 1), value(poly, -1)
    cases = 4 * len(divisors(poly[0])) * len(divisors(poly[-1])) * len(divisors(at_one))
    if cases > MAX_CASES:
        raise InvalidProblem("beyond the top level: coefficients with too many divisors")
    for a in divisors(poly[0]):
        for size in divisors(poly[-1]):
            for c in (size, -size):
                for total in divisors(at_one):
                    for b in (total - a - c, -total - a - c):
                        low = a - b + c
                        if low and at_minus_one % low == 0 and _divides((a, b, c), poly):
                            return (a, b, c)
    return None


def write(poly: Poly, unknown: str = "x") -> str:
    """The canonical text: x^2-x-6; 0 for zero."""
    parts = []
    for i, coefficient in enumerate(poly):
        power = len(poly) - 1 - i
        if coefficient == 0:
            continue
        letter = "" if power == 0 else unknown if power == 1 else f"{unknown}^{power}"
        number = "" if letter and abs(coefficient) == 1 else str(abs(coefficient))
        parts.append(f"{'-' if coefficient < 0 else '+'}{number}{letter}")
    return "".join(parts).removeprefix("+") or "0"


def read(text: str) -> Poly | None:
    """A sum of terms in any order, or None; `write` tells whether the text was canonical."""
    if len(text) > MAX_LENGTH or not _SUM.match(text):
        return None
    coefficients = [0] * (MAX_DEGREE + 1)
    for sign, digits, letter, power in _PART.findall(text):
        if digits or letter:
            number = int(digits or "1")
            coefficients[-1 - (int(power or "1") if letter else 0)] += (
                -number if sign == "-" else number
            )
    return trim(coefficients)


def write_product(number: int, factors: Sequence[tuple[Poly, int]]) -> str:
    """A number times powers: 2x(x+2)^2(x-3); factors in the given order, x itself in front."""
    bare = "".join(_with_power("x", power) for poly, power in factors if poly == (1, 0))
    groups = "".join(
        _with_power(f"({write(poly)})", power) for poly, power in factors if poly != (1, 0)
    )
    sign = {1: "", -1: "-"}.get(number, str(number)) if bare or groups else str(number)
    return f"{sign}{bare}{groups}"


def _with_power(text: str, power: int) -> str:
    return text if power == 1 else f"{text}^{power}"


def read_product(text: str) -> tuple[int, Powers] | None:
    """What `write_product` wrote, or a spelling near it; None for anything else."""
    found = _PRODUCT.match(text) if 0 < len(text) <= MAX_LENGTH and text != "-" else None
    if found is None:
        return None
    sign, digits, letter, power, groups = found.groups()
    factors: list[tuple[Poly, int]] = [((1, 0), int(power or "1"))] if letter else []
    for inside, exponent in _GROUP.findall(groups):
        poly = read(inside)
        if not poly:
            return None
        factors.append((poly, int(exponent or "1")))
    if not all(power for _, power in factors):
        return None
    if sum((len(poly) - 1) * power for poly, power in factors) > MAX_DEGREE:
        return None
    return int(f"{sign}{digits or 1}"), tuple(factors)
