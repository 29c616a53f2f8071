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
from functools import lru_cache

from selfplay.grading.mathematics import numeric
from selfplay.grading.mathematics.rational import (
    MAX_BITS,
    MAX_DEGREE,
    MAX_HEIGHT,
    NotRational,
    OutOfBounds,
    Value,
    size,
    value_at,
)
from selfplay.grading.mathematics.trees import Tree
from selfplay.grading.mathematics.trial import Trial, too_large

_SMALL_PRIMES = math.prod(p for p in range(3, 200) if all(p % q for q in range(2, p)))


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
        return value_at(tree, {})
    except NotRational:
        return None
    except OutOfBounds:
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
        return [value_at(tree, point) for tree in trees]
    except NotRational:
        return None
    except OutOfBounds:
        return _residues(trees, point, trial.seed)


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
            size(tree)
        prime = _random_prime(seed)
        return [value_at(tree, point, prime) % prime for tree in trees]
    except NotRational:
        return None
    except OutOfBounds:
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
