"""Searches for roots and factors, step by step as worked solutions write them.

Shared by the environments about polynomials. What is tried in vain is written down too, but not all
of it: a worked solution has to stay short.
"""

from fractions import Fraction

from selfplay_envs import polynomials
from selfplay_envs.polynomials import Poly

MOST_PAIRS = 4
"""Most pairs of numbers that are shown of a search for a product and a sum: the last ones."""
MOST_MISSES = 2
"""Most values that are shown for one root before it is found."""


def pair(
    product: int, total: int, shown: int = MOST_PAIRS
) -> tuple[list[str], tuple[int, int] | None]:
    """Two numbers with a given product and sum: 1,6:7;2,3:5 for 6 and 5.

    Args:
        product: not zero.
        total: the sum.
        shown: so many of the last pairs that were tried are shown.
    Returns:
        The last lines and the pair; no lines and None where there is no such pair.
    """
    lines: list[str] = []
    for low in polynomials.divisors(product):
        # The larger number has the sign of the sum, so one sign of each pair is enough.
        second = abs(product) // low if total > 0 else -(abs(product) // low)
        first = product // second
        lines.append(f"{first},{second}:{first + second}")
        if first + second == total:
            return lines[-shown:], (first, second)
    return [], None


def quadratic(poly: Poly) -> list[str]:
    """The search for both roots of x^2+bx+c; no lines where they are not whole."""
    _, b, c = poly
    if not c:
        return [polynomials.write_product(1, [((1, 0), 1), ((1, b), 1)]) + "=0"]
    return pair(c, -b)[0]


def roots(poly: Poly, shown: int = MOST_MISSES) -> list[str]:
    """Small numbers are put in, what is found is divided out: 1:-2;2:0;x^2-4x+3;1:0;x-3.

    Args:
        poly: without a common factor of its coefficients.
        shown: most values that are shown for one root before it is found.
    Returns:
        The lines; none for a polynomial without rational roots.
    """
    lines: list[str] = []
    found = [Fraction(-b, a) for a, b in polynomials.root_factors(poly)]
    # Whole ones first, small ones first: in this order they are tried.
    found.sort(key=lambda root: (root.denominator, abs(root), root < 0))
    if len(poly) == 2:
        return [f"x={found[0]}"]
    seen: set[int] = set()
    for root in found:
        if len(poly) == 2:
            break
        if root.denominator == 1 and root:
            lines += _misses(poly, int(root), seen)[:shown]
        divided = polynomials.divide(polynomials.primitive(poly)[1], polynomials.linear(root))
        assert divided is not None
        poly = divided[0]
        lines += [f"{root}:0", polynomials.write(poly)]
    return lines


def _misses(poly: Poly, root: int, seen: set[int]) -> list[str]:
    """The values at the divisors of the last coefficient that come before the root.

    Args:
        poly: whose root it is.
        root: to be found.
        seen: values that were tried before, to which the new ones are added.
    """
    last = next(value for value in reversed(poly) if value)
    tried = []
    for size in polynomials.divisors(last):
        for x in (size, -size):
            if x == root:
                return tried[-MOST_MISSES:]
            if x not in seen:
                seen.add(x)
                tried.append(f"{x}:{polynomials.value(poly, x)}")
    return []
