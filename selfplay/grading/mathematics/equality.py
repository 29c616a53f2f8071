"""Whether two trees are equal: exactly, modulo a random prime, or to many digits at many points.

Fed by the kinds with trees of notation.py. Pure: the random choices are drawn by hashlib from the
two texts, so the same pair always gets the same answer, and swapping the two changes nothing for
rational functions. In this order:

1. The same tree is equal to itself.
2. Rational functions (numbers, unknowns, + - * /, whole exponents, factorials of numbers) are
   evaluated at one random point with coordinates up to 2^64, exactly while values stay below
   `MAX_BITS` bits, otherwise modulo one random prime of 127 bits. Two different functions pass for
   equal with probability at most D / 2^64 in the first case (D: the sum of their degrees, at most
   512 there), and at most D / 2^126 + B / 2^119 in the second (D at most 2 * `MAX_DEGREE`; B: bits
   of their coefficients, at most 2 * `MAX_HEIGHT`): never above 2^-55. Numbers alone that stay
   below the limit are compared exactly.
3. Anything else goes to numeric.py.

What this does not do: prove an identity. Nothing here loops for longer than the limits allow; an
expression beyond them raises AnswerError with the outcome timeout, before the work.
"""

import hashlib
import math
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache

from selfplay.grading.answers import AnswerError
from selfplay.grading.mathematics import numeric
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
from selfplay.grading.mathematics.trial import Trial, too_large

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
_SMALL_PRIMES = math.prod(p for p in range(3, 200) if all(p % q for q in range(2, p)))

Value = int | Fraction


class _NotRational(Exception):
    """The expression is no rational function."""


class _TooLarge(Exception):
    """A value beyond `MAX_BITS` bits."""


def equal(one: Tree, other: Tree, trial: Trial, domain: numeric.Domain = numeric.ANYWHERE) -> bool:
    """Whether two expressions are equal wherever the first has a value.

    Args:
        one: the expected expression; must have a value somewhere.
        other: the given expression; may be defined in more places than `one`, not in fewer.
        trial: the seed of the random choices, and the budget.
        domain: where the unknowns are, for expressions that are no rational functions.
    Returns:
        True only if they agree; an undecided case is False.
    Raises:
        AnswerError: `other` is too large to be evaluated within the limits, or has no value.
    """
    if one == other:
        return True
    values = values_at((one, other), trial)
    if values is not None:
        return values[0] == values[1]
    return numeric.equal(one, other, domain, trial)


def constant(tree: Tree) -> Value | None:
    """The exact value of an expression without unknowns; None if it is not rational.

    Raises:
        AnswerError: it is larger than `MAX_BITS` bits, or divides by zero.
    """
    try:
        return _value(tree, {}, 0)
    except _NotRational:
        return None
    except _TooLarge:
        raise too_large(f"a value of more than {MAX_BITS} bits") from None


def values_at(trees: tuple[Tree, ...], trial: Trial) -> list[Value] | None:
    """The values of rational functions at one common random point; None if one is not rational.

    Small values are exact; where one is larger than `MAX_BITS` bits, all are residues modulo the
    same random prime. Sums, products and equality of either kind may be compared by the caller,
    with the error bound at the head of this file.

    Raises:
        AnswerError: a degree or a coefficient beyond the limits, or a division by zero.
    """
    point = _Point(trial.seed)
    try:
        return [_value(tree, point, 0) for tree in trees]
    except _NotRational:
        return None
    except _TooLarge:
        return _residues(trees, point, trial.seed)


def undefined(detail: str) -> AnswerError:
    """An expression that has no finite value."""
    return AnswerError("undefined", detail)


class _Point(dict[str, int]):
    """A coordinate in [1, 2^64] for every unknown, drawn when it is first asked for."""

    def __init__(self, seed: bytes) -> None:
        super().__init__()
        self.seed = seed

    def __missing__(self, name: str) -> int:
        block = hashlib.blake2b(self.seed + name.encode(), digest_size=8).digest()
        self[name] = value = 1 + int.from_bytes(block, "big")
        return value


def _residues(trees: tuple[Tree, ...], point: Mapping[str, int], seed: bytes) -> list[Value] | None:
    try:
        for tree in trees:
            _size(tree)
        prime = _random_prime(seed)
        return [_value(tree, point, prime) % prime for tree in trees]
    except _NotRational:
        return None
    except _TooLarge:
        raise too_large(
            f"a degree above {MAX_DEGREE} or coefficients above {MAX_HEIGHT} bits"
        ) from None


@lru_cache(maxsize=64)
def _random_prime(seed: bytes) -> int:
    """A prime of 127 bits; a composite passes with probability below 4^-16."""
    for index in range(1, 100_000):
        block = hashlib.blake2b(seed + index.to_bytes(4, "big"), digest_size=16).digest()
        candidate = int.from_bytes(block, "big") >> 1 | 1 << 126 | 1
        if math.gcd(candidate, _SMALL_PRIMES) == 1 and _probably_prime(candidate):
            return candidate
    raise AssertionError("no prime among 100,000 odd numbers of 127 bits")


def _probably_prime(number: int) -> bool:
    """The test of Miller and Rabin to the first 16 prime bases."""
    odd = number - 1
    twos = (odd & -odd).bit_length() - 1
    odd >>= twos
    for base in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53):
        power = pow(base, odd, number)
        if power in (1, number - 1):
            continue
        for _ in range(twos - 1):
            power = power * power % number
            if power == number - 1:
                break
        else:
            return False
    return True


def _value(tree: Tree, point: Mapping[str, int], prime: int) -> Value:
    """The value at a point: exact if `prime` is 0, else the residue modulo it."""
    if type(tree) is Number:
        value = tree.value
        if not prime or type(value) is int:
            return value
        return _quotient(value.numerator, value.denominator, prime)
    if type(tree) is Variable:
        try:
            return point[tree.name]
        except KeyError:  # no unknown has a value in an exponent
            raise _NotRational from None
    if type(tree) is Sum:
        total: Value = 0
        for term in tree.terms:
            total += _value(term, point, prime)
        return total % prime if prime else _bounded(total)
    if type(tree) is Negate:
        return -_value(tree.operand, point, prime)
    if type(tree) is Product:
        above = _product(tree.factors, point, prime)
        if not tree.divisors:
            return above
        return _quotient(above, _product(tree.divisors, point, prime), prime)
    if type(tree) is Power:
        return _power(_value(tree.base, point, prime), _whole(tree.exponent), prime)
    if type(tree) is Constant and tree.name == "infinity":
        raise undefined("infinity is no number")
    if type(tree) is Call:
        return _call(tree, prime)
    raise _NotRational


def _product(factors: tuple[Tree, ...], point: Mapping[str, int], prime: int) -> Value:
    product = _value(factors[0], point, prime) if factors else 1
    for factor in factors[1:]:
        product *= _value(factor, point, prime)
        product = product % prime if prime else _bounded(product)
    return product


def _quotient(above: Value, below: Value, prime: int) -> Value:
    if below == 1:
        return above
    if prime:
        below %= prime
    if below == 0:
        raise undefined("division by zero")
    if prime:
        return int(above) * pow(int(below), -1, prime) % prime
    return Fraction(above) / below


def _power(base: Value, exponent: int, prime: int) -> Value:
    if exponent <= 0 and (base % prime if prime else base) == 0:
        raise undefined("0 to an exponent that is not positive")
    if prime:
        return pow(int(base), exponent, prime)
    bits = max(base.numerator.bit_length(), base.denominator.bit_length()) - 1
    if bits * abs(exponent) > MAX_BITS:
        raise _TooLarge
    return Fraction(base) ** exponent if exponent < 0 else base**exponent


def _whole(exponent: Tree) -> int:
    """An exponent that is a whole number, known beforehand."""
    value = exponent.value if type(exponent) is Number else _value(exponent, {}, 0)
    if value.denominator != 1:
        raise _NotRational
    if abs(value) > MAX_HEIGHT:
        raise too_large(f"an exponent above {MAX_HEIGHT}")
    return int(value)


def _call(tree: Call, prime: int) -> Value:
    """Functions that keep numbers rational; of numbers only."""
    if tree.function not in ("abs", "floor", "ceil", "factorial", "binomial"):
        raise _NotRational
    arguments = [_value(argument, {}, 0) for argument in tree.arguments]
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
        raise undefined("the factorial of what is not a natural number")
    if number > MAX_FACTORIAL:
        raise too_large(f"a factorial above {MAX_FACTORIAL}!")
    if not prime:
        if number > 1_500:  # 1,500! has 13,667 bits
            raise _TooLarge
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
        raise undefined("a binomial coefficient of what are not natural numbers")
    if above > 1_000:
        raise too_large("a binomial coefficient above 1,000")
    return math.comb(int(above), int(below))


def _bounded(value: Value) -> Value:
    if type(value) is int:
        if value.bit_length() > MAX_BITS:
            raise _TooLarge
        return value
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_FRACTION_BITS:
        raise _TooLarge
    return value


def _size(tree: Tree) -> tuple[int, int]:
    """Bounds of the degree and of the bits of the coefficients, above and below the line.

    The bits are those of the sum of the absolute coefficients, which products multiply.
    """
    match tree:
        case Number(value):
            size = 0, max(value.numerator.bit_length(), value.denominator.bit_length())
        case Variable():
            size = 1, 0
        case Negate(operand):
            size = _size(operand)
        case Sum(operands):
            sizes = [_size(operand) for operand in operands]
            size = sum(s[0] for s in sizes), sum(s[1] + 1 for s in sizes)
        case Product(factors, divisors):
            sizes = [_size(operand) for operand in factors + divisors]
            size = sum(s[0] for s in sizes), sum(s[1] for s in sizes)
        case Power(base, exponent):
            times = abs(_whole(exponent))
            degree, bits = _size(base)
            size = degree * times, bits * times
        case Call("factorial"):
            size = 0, MAX_FACTORIAL * 14
        case Call():
            size = 0, MAX_BITS
        case Constant():
            raise _NotRational
    if size[0] > MAX_DEGREE or size[1] > MAX_HEIGHT:
        raise _TooLarge
    return size
