"""The value of a rational function at a point: exactly, or modulo a prime; bounded either way.

Feeds equality.py, which draws the points and the primes. Rational functions are made of numbers,
unknowns, + - * /, whole exponents, and of abs, floor, ceil, factorials and binomial coefficients of
numbers. Every value is checked to be small before the next operation; `size` says beforehand
whether a function is small enough to be evaluated modulo a prime.
"""

import math
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache

from selfplay.grading.answers import AnswerError
from selfplay.grading.mathematics.trees import (
    Call,
    Constant,
    Negate,
    Number,
    Power,
    Product,
    Sum,
    Tree,
    Variable,
)
from selfplay.grading.mathematics.trial import too_large

MAX_BITS = 16_384
"""Largest integer that is computed exactly, in bits."""
MAX_FRACTION_BITS = 4_096
"""The same for fractions, where each operation takes a greatest common divisor."""
MAX_DEGREE = 1_000_000
"""Largest degree of a rational function, and largest exponent."""
MAX_HEIGHT = 4_000_000
"""Largest size of the coefficients of a rational function, in bits, as bounded beforehand."""
MAX_FACTORIAL = 10_000
"""Largest number whose factorial is taken exactly."""

Value = int | Fraction


class NotRational(Exception):
    """The expression is no rational function."""


class OutOfBounds(Exception):
    """A value, a degree or coefficients beyond the limits of this module."""


def _undefined(detail: str) -> AnswerError:
    """An expression that has no finite value."""
    return AnswerError("undefined", detail)


def value_at(tree: Tree, point: Mapping[str, int], prime: int = 0) -> Value:
    """The value of a rational function.

    Args:
        tree: the function.
        point: the values of its unknowns.
        prime: 0 for the exact value, else a prime: all values are residues modulo it then.
    Raises:
        NotRational: it is no rational function, or an unknown has no value.
        OutOfBounds: an exact value beyond `MAX_BITS` bits.
        AnswerError: a division by zero, an exponent or a factorial beyond the limits.
    """
    if type(tree) is Number:
        value = tree.value
        if not prime or type(value) is int:
            return value
        return _quotient(value.numerator, value.denominator, prime)
    if type(tree) is Variable:
        try:
            return point[tree.name]
        except KeyError:  # no unknown has a value in an exponent
            raise NotRational from None
    if type(tree) is Sum:
        total: Value = 0
        for term in tree.terms:
            total += value_at(term, point, prime)
        return total % prime if prime else _bounded(total)
    if type(tree) is Negate:
        return -value_at(tree.operand, point, prime)
    if type(tree) is Product:
        above = _product(tree.factors, point, prime)
        if not tree.divisors:
            return above
        return _quotient(above, _product(tree.divisors, point, prime), prime)
    if type(tree) is Power:
        return _power(value_at(tree.base, point, prime), _whole(tree.exponent), prime)
    if type(tree) is Constant and tree.name == "infinity":
        raise _undefined("infinity is no number")
    if type(tree) is Call:
        return _call(tree, prime)
    raise NotRational


def _product(factors: tuple[Tree, ...], point: Mapping[str, int], prime: int) -> Value:
    product = value_at(factors[0], point, prime) if factors else 1
    for factor in factors[1:]:
        product *= value_at(factor, point, prime)
        product = product % prime if prime else _bounded(product)
    return product


def _quotient(above: Value, below: Value, prime: int) -> Value:
    if below == 1:
        return above
    if prime:
        below %= prime
    if below == 0:
        raise _undefined("division by zero")
    if prime:
        return int(above) * pow(int(below), -1, prime) % prime
    return Fraction(above) / below


def _power(base: Value, exponent: int, prime: int) -> Value:
    if exponent <= 0 and (base % prime if prime else base) == 0:
        raise _undefined("0 to an exponent that is not positive")
    if prime:
        return pow(int(base), exponent, prime)
    bits = max(base.numerator.bit_length(), base.denominator.bit_length()) - 1
    if bits * abs(exponent) > MAX_BITS:
        raise OutOfBounds
    return Fraction(base) ** exponent if exponent < 0 else base**exponent


def _whole(exponent: Tree) -> int:
    """An exponent that is a whole number, known beforehand."""
    value = exponent.value if type(exponent) is Number else value_at(exponent, {})
    if value.denominator != 1:
        raise NotRational
    if abs(value) > MAX_HEIGHT:
        raise too_large(f"an exponent above {MAX_HEIGHT}")
    return int(value)


def _call(tree: Call, prime: int) -> Value:
    """Functions that keep numbers rational; of numbers only."""
    if tree.function not in ("abs", "floor", "ceil", "factorial", "binomial"):
        raise NotRational
    arguments = [value_at(argument, {}) for argument in tree.arguments]
    match tree.function:
        case "abs":
            value: Value = abs(arguments[0])
        case "floor":
            value = math.floor(arguments[0])
        case "ceil":
            value = math.ceil(arguments[0])
        case "factorial":
            return _factorial(arguments[0], prime)
        case _:
            value = _binomial(*arguments)
    return _quotient(value.numerator, value.denominator, prime) if prime else value


def _factorial(number: Value, prime: int) -> int:
    if number.denominator != 1 or number < 0:
        raise _undefined("the factorial of what is not a natural number")
    if number > MAX_FACTORIAL:
        raise too_large(f"a factorial above {MAX_FACTORIAL}!")
    if not prime:
        if number > 1_500:  # 1,500! has 13,667 bits
            raise OutOfBounds
        return math.factorial(int(number))
    return _factorial_modulo(int(number), prime)


@lru_cache(maxsize=1024)  # one answer may hold hundreds, each of which is needed often
def _factorial_modulo(number: int, prime: int) -> int:
    product = 1
    for factor in range(2, number + 1):
        product = product * factor % prime
    return product


def _binomial(above: Value, below: Value) -> int:
    if above.denominator != 1 or below.denominator != 1 or above < 0 or below < 0:
        raise _undefined("a binomial coefficient of what are not natural numbers")
    if above > 1_000:
        raise too_large("a binomial coefficient above 1,000")
    return math.comb(int(above), int(below))


def _bounded(value: Value) -> Value:
    if type(value) is int:
        if value.bit_length() > MAX_BITS:
            raise OutOfBounds
        return value
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_FRACTION_BITS:
        raise OutOfBounds
    return value


def size(tree: Tree) -> tuple[int, int]:
    """Bounds of the degree and of the bits of the coefficients, above and below the line.

    The bits are those of the sum of the absolute coefficients, which products multiply.

    Raises:
        NotRational: the expression is no rational function.
        OutOfBounds: a degree above `MAX_DEGREE` or more than `MAX_HEIGHT` bits.
    """
    match tree:
        case Number(value):
            found = 0, max(value.numerator.bit_length(), value.denominator.bit_length())
        case Variable():
            found = 1, 0
        case Negate(operand):
            found = size(operand)
        case Sum(operands):
            sizes = [size(operand) for operand in operands]
            found = sum(s[0] for s in sizes), sum(s[1] + 1 for s in sizes)
        case Product(factors, divisors):
            sizes = [size(operand) for operand in factors + divisors]
            found = sum(s[0] for s in sizes), sum(s[1] for s in sizes)
        case Power(base, exponent):
            times = abs(_whole(exponent))
            degree, bits = size(base)
            found = degree * times, bits * times
        case Call("factorial"):
            found = 0, MAX_FACTORIAL * 14
        case Call():
            found = 0, MAX_BITS
        case Constant():
            raise NotRational
    if found[0] > MAX_DEGREE or found[1] > MAX_HEIGHT:
        raise OutOfBounds
    return found
