"""Taylor series at 0 of the functions of `elementary`, exact, to a fixed number of terms.

Feeds limits.py. A series is the list of its coefficients, lowest power first. What this does not
do: negative powers, and functions whose series at 0 is not rational (e^(x+1), ln(x)).
"""

from fractions import Fraction

from selfplay.problem import InvalidProblem
from selfplay_envs import elementary
from selfplay_envs.elementary import Base, Sum

LENGTH = 9
"""Number of coefficients: powers 0 to 8."""

Series = list[Fraction]


def of_sum(total: Sum) -> Series:
    """The series of a sum.

    Raises:
        InvalidProblem: it has none with rational coefficients, or a division in it.
    """
    result = [Fraction(0)] * LENGTH
    for coefficient, factors in total:
        product = [coefficient, *[Fraction(0)] * (LENGTH - 1)]
        for base, power in factors:
            if power < 0:
                raise InvalidProblem("malformed: one fraction only, the whole of it")
            own = of_base(base)
            for _ in range(power):
                product = multiply(product, own)
        result = [a + b for a, b in zip(result, product, strict=True)]
    return result


def multiply(left: Series, right: Series) -> Series:
    """The product, cut off."""
    result = [Fraction(0)] * LENGTH
    for i, a in enumerate(left):
        if a:
            for j in range(LENGTH - i):
                if right[j]:
                    result[i + j] += a * right[j]
    return result


def of_base(base: Base) -> Series:
    """The series of x, a group or a function."""
    if base.name == elementary.X:
        return [Fraction(int(power == 1)) for power in range(LENGTH)]
    inner = of_sum(base.argument)
    if base.name == "":
        return inner
    if inner[0] != (1 if base.name == "ln" else 0):
        raise InvalidProblem("no solution: not a rational one, by a function away from its zero")
    slope = [power * inner[power] for power in range(1, LENGTH)] + [Fraction(0)]
    match base.name:
        case "e^":
            return _solve([Fraction(1)], slope, 1)
        case "ln":
            return _logarithm(inner, slope)
    sine, cosine = _circular(slope)
    return sine if base.name == "sin" else cosine


def _solve(start: Series, slope: Series, sign: int) -> Series:
    """The series s with s' = sign * slope * s."""
    result = start
    for power in range(1, LENGTH):
        total = sum((slope[i] * result[power - 1 - i] for i in range(power)), Fraction(0))
        result.append(sign * total / power)
    return result


def _circular(slope: Series) -> tuple[Series, Series]:
    """Sine and cosine together: each is the integral of the other one times the slope."""
    sine, cosine = [Fraction(0)], [Fraction(1)]
    for power in range(1, LENGTH):
        pairs = [(slope[i], power - 1 - i) for i in range(power)]
        up = sum((value * cosine[place] for value, place in pairs), Fraction(0))
        down = sum((value * sine[place] for value, place in pairs), Fraction(0))
        sine.append(up / power)
        cosine.append(-down / power)
    return sine, cosine


def _logarithm(inner: Series, slope: Series) -> Series:
    """The integral of slope/inner, where inner begins with 1."""
    quotient: Series = []
    for power in range(LENGTH - 1):
        known = sum((quotient[i] * inner[power - i] for i in range(power)), Fraction(0))
        quotient.append(slope[power] - known)
    return [Fraction(0), *(value / (power + 1) for power, value in enumerate(quotient))]


def order(series: Series) -> int | None:
    """The lowest power in it; None if all coefficients are 0."""
    return next((power for power, value in enumerate(series) if value), None)


def truncated(series: Series, power: int) -> Sum:
    """The terms up to a power, as a sum."""
    return tuple(
        elementary.monomial(value, i) for i, value in enumerate(series[: power + 1]) if value
    )
