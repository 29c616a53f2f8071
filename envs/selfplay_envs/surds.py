"""Roots of quadratics as compact text.

Shared by the environments whose answers may hold square roots.
"""

from fractions import Fraction
from math import gcd, isqrt


def discriminant(a: int, b: int, c: int) -> int:
    """That of ax^2+bx+c."""
    return b * b - 4 * a * c


def quadratic_roots(a: int, b: int, c: int) -> tuple[str, ...]:
    """The different real roots of ax^2+bx+c as text, in ascending order.

    Args:
        a: not zero.
        b: any.
        c: any.
    Returns:
        Fractions in lowest terms where the discriminant is a square, else like (1-2sqrt(3))/5.
    """
    under = discriminant(a, b, c)
    if under < 0:
        return ()
    if a < 0:
        a, b = -a, -b
    root = isqrt(under)
    if root * root == under:
        pair = sorted({Fraction(-b - root, 2 * a), Fraction(-b + root, 2 * a)})
        return tuple(map(str, pair))
    outside, inside = square_part(under)
    shared = gcd(b, outside, 2 * a)
    return tuple(_surd(-b // shared, sign, outside // shared, inside, 2 * a // shared)
                 for sign in "-+")  # fmt: skip


def square_part(number: int) -> tuple[int, int]:
    """k and d of k*sqrt(d), the root of a positive number, with k as large as possible."""
    outside, inside = 1, number
    for factor in range(2, isqrt(number) + 1):
        while inside % (factor * factor) == 0:
            outside, inside = outside * factor, inside // (factor * factor)
    return outside, inside


def _surd(whole: int, sign: str, outside: int, inside: int, below: int) -> str:
    root = f"{'' if outside == 1 else outside}sqrt({inside})"
    if whole:
        text = f"{whole}{sign}{root}"
        return text if below == 1 else f"({text})/{below}"
    return f"{sign.strip('+')}{root}{'' if below == 1 else f'/{below}'}"
