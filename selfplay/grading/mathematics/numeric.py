"""Equality of expressions with roots, logarithms and the like: to many digits, at many points.

Fed by equality.py with pairs that are no rational functions. The unknowns are drawn inside the
declared domain from a seed; each pair of values is computed by mpmath to W = 40 + S digits, where S
is the number of digits of the numbers written in both (so that 2^-99 is told from 2^-98, and x from
x + 10^-30), and again to 2 W digits. The values are equal if they agree to all but 15 digits, or
if their difference falls by 10^(W/2) when the digits are doubled, as that of two equal values does
and that of two different ones does not. This is evidence and no proof.

Real numbers are meant unless the expected expression contains i: odd roots of negative numbers are
real, and points where the expected expression has no real value count for nothing. Where it has
one, the given expression must have the same: ln(x^2) passes for 2 ln x, which is real in fewer
places, and ln x does not pass for ln|x|. In between, values may be complex: sqrt(x)^2 passes for x.

What this does not do: intervals. A value that is nothing but rounding, as 1/sin(pi), is a value.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from selfplay.grading.answers import AnswerError
from selfplay.grading.mathematics.evaluation import Evaluator, is_real
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
    children,
    nodes,
    variables,
)
from selfplay.grading.mathematics.trial import Trial, too_large
from selfplay.problem import Outcome

DIGITS = 40
"""Decimal digits of the first evaluation, beyond those of the numbers written."""
MAX_WRITTEN = 1_000
"""Most decimal digits of the numbers written, powers of numbers counted with their exponents."""
POINTS = 6
"""Points at which two expressions must agree."""
MIN_POINTS = 3
"""Fewest points with a value of the expected expression; with fewer it is undecided."""
MAX_TRIES = 48
"""Points that are drawn before giving up."""
_SPREAD = (2, 2, 1, 3, 1, 2, 6, 4, 10, 5, 8, 14)
"""The size of the k-th point is about 2 to this power: near 1 at first, farther out later."""


@dataclass(frozen=True)
class Range:
    """Where one unknown is."""

    low: Fraction | None = None
    """Lower end, not itself drawn; None: no end."""
    high: Fraction | None = None
    """Upper end, not itself drawn; None: no end."""
    whole: bool = False
    """Whether only whole numbers are meant."""


@dataclass(frozen=True)
class Domain:
    """Where the unknowns are; those without a range are real numbers."""

    ranges: tuple[tuple[str, Range], ...] = ()
    """Names with their ranges."""


ANYWHERE = Domain()


def equal(one: Tree, other: Tree, domain: Domain, trial: Trial) -> bool:
    """Whether `other` agrees with `one` at every drawn point where `one` has a real value.

    Args:
        one: the expected expression.
        other: the given expression.
        domain: where the unknowns are drawn.
        trial: the seed of the points, and the budget.
    Returns:
        True if they agreed at `POINTS` points (without unknowns: at the only one).
    Raises:
        AnswerError: more work than the budget, or fewer than `MIN_POINTS` points with a value.
    """
    names = sorted(variables(one) | variables(other))
    digits = DIGITS + written_digits(one) + written_digits(other)
    principal = any(node == Constant("i") for node in nodes(one))
    if not names:
        digits += _digits_before_point(one, trial)
    comparison = _Comparison(digits, trial, principal)
    if not names:
        verdict = comparison.agree(one, other, {})
        if verdict is None:
            raise AnswerError("undecided", "an expected number without a value", Outcome.TIMEOUT)
        return verdict
    agreed = 0
    for index in range(MAX_TRIES):
        verdict = comparison.agree(one, other, _point(names, domain, trial.seed, index))
        if verdict is False:
            return False
        agreed += verdict is True
        if agreed == POINTS:
            return True
    if agreed < MIN_POINTS:
        raise AnswerError("undecided", f"a value at {agreed} points only", Outcome.TIMEOUT)
    return True


def _digits_before_point(tree: Tree, trial: Trial) -> int:
    """How many more digits a large number needs for a small difference to be seen."""
    value = Evaluator(DIGITS, trial, False).at(tree, {})
    if value is None or value == 0:
        return 0
    exponent = int(0.302 * value.context.mag(value))
    if exponent > MAX_WRITTEN:
        raise too_large(f"a value of more than {MAX_WRITTEN} digits")
    return max(0, exponent)


def compare(one: Tree, other: Tree, trial: Trial) -> int:
    """The order of two real numbers that are known to differ: -1 or 1.

    Raises:
        AnswerError: one of them is not real, or more work than the budget.
    """
    evaluator = Evaluator(2 * (DIGITS + written_digits(one) + written_digits(other)), trial, False)
    left, right = evaluator.at(one, {}), evaluator.at(other, {})
    if left is None or right is None or not (is_real(left) and is_real(right)):
        raise AnswerError("undefined", "an end of an interval that is no real number")
    return -1 if left.real < right.real else 1


def approximation(tree: Tree) -> Fraction:
    """A real number to `DIGITS` digits or more.

    Raises:
        AnswerError: it has no real value, or takes more work than the budget.
    """
    evaluator = Evaluator(DIGITS + 10 + written_digits(tree), Trial(b""), False)
    value = None if variables(tree) else evaluator.at(tree, {})
    if value is None or not is_real(value):
        raise AnswerError("undefined", "an expression without a real value")
    mantissa, exponent = evaluator.context.frexp(value.real)
    bits = evaluator.context.prec
    return Fraction(int(evaluator.context.ldexp(mantissa, bits))) * Fraction(2) ** (exponent - bits)


def is_defined(tree: Tree, domain: Domain, trial: Trial) -> bool:
    """Whether an expression has a value at one of the drawn points at least."""
    names = sorted(variables(tree))
    evaluator = Evaluator(DIGITS + written_digits(tree), trial, False)
    tries = MAX_TRIES if names else 1
    return any(
        evaluator.at(tree, _point(names, domain, trial.seed, index)) is not None
        for index in range(tries)
    )


def written_digits(tree: Tree) -> int:
    """How many decimal digits the numbers in an expression have, powers of numbers included.

    Raises:
        AnswerError: more than `MAX_WRITTEN`.
    """
    bits = _written_bits(tree)
    if bits > MAX_WRITTEN * 3.33:
        raise too_large(f"numbers of more than {MAX_WRITTEN} digits")
    return int(bits * 0.302) + 1


def _written_bits(tree: Tree) -> float:
    match tree:
        case Number(value):
            return max(0, value.numerator.bit_length() + value.denominator.bit_length() - 2)
        case Power(base, exponent):
            inside = _written_bits(base)  # e^-200 is as tiny as a number; x^200 is not
            return inside + (inside + 2 * (not variables(base))) * _rough(exponent)
        case Call("exp", (argument,)):
            return 2 * _rough(argument)
        case Call("factorial", (argument,)):
            size = _rough(argument)
            return size * math.log2(size + 2)
    return sum(_written_bits(child) for child in children(tree))


def _rough(tree: Tree) -> float:
    """An upper bound of the size of a number, about; unknowns count as 1."""
    match tree:
        case Number(value):
            return float(min(value, 10**9))
        case Variable():
            return 1.0
        case Constant():
            return 3.2
        case Sum(terms):
            return min(1e9, sum(_rough(term) for term in terms))
        case Product(factors, _):
            return min(1e9, math.prod(_rough(factor) for factor in factors))
        case Power(base, exponent):
            power = _rough(exponent) * math.log(_rough(base) + 1)
            return 1e9 if power > 20 else math.exp(power)
        case Negate(operand):
            return _rough(operand)
        case Call("exp", (argument,)):
            return math.exp(min(20.0, _rough(argument)))
        case Call(_, arguments):
            return max(_rough(argument) for argument in arguments)


def _point(names: list[str], domain: Domain, seed: bytes, index: int) -> dict[str, Fraction]:
    ranges = dict(domain.ranges)
    return {
        name: _coordinate(ranges.get(name, Range()), seed + f"{index} {name}".encode(), index)
        for name in names
    }


def _coordinate(where: Range, seed: bytes, index: int) -> Fraction:
    """A number inside a range, with a denominator of 2^64 or, if whole, of 1."""
    block = hashlib.blake2b(seed, digest_size=9).digest()
    share = Fraction(int.from_bytes(block[:8], "big") | 1, 2**64)
    if where.low is not None and where.high is not None:
        value = where.low + share * (where.high - where.low)
    else:
        distance = share * 2 ** _SPREAD[index % len(_SPREAD)]
        if where.low is not None:
            value = where.low + distance
        elif where.high is not None:
            value = where.high - distance
        else:
            value = distance if block[8] & 1 else -distance
    if not where.whole:
        return value
    value = Fraction(math.floor(value) + 1)
    return value if where.high is None or value <= where.high else value - 1


class _Comparison:
    """Two evaluators, one to twice the digits of the other."""

    def __init__(self, digits: int, trial: Trial, principal: bool) -> None:
        self.digits = digits
        self.rough = Evaluator(digits, trial, principal)
        self.fine = Evaluator(2 * digits, trial, principal)
        self.trial = trial
        self.principal = principal
        self.confirmed = False

    def agree(self, one: Tree, other: Tree, point: Mapping[str, Fraction]) -> bool | None:
        """None where `one` has no value that counts."""
        expected = self.rough.at(one, point)
        if expected is None or (point and not self.principal and not is_real(expected)):
            return None
        given = self.rough.at(other, point)
        if given is None:
            return False
        difference = abs(expected - given)
        near = difference <= max(abs(expected), abs(given)) * self.rough.tolerance
        if near and self.confirmed:
            return True
        self.confirmed = self._agree_finely(one, other, point, difference)
        return self.confirmed

    def _agree_finely(
        self, one: Tree, other: Tree, point: Mapping[str, Fraction], difference: Any
    ) -> bool:
        finer = self._difference(self.fine, one, other, point)
        if finer is None or finer == 0:
            return finer is not None
        if difference == 0:  # by luck, so it says nothing on what more digits bring
            finest = Evaluator(4 * self.digits, self.trial, self.principal)
            difference, finer = finer, self._difference(finest, one, other, point)
        shrinkage = self.fine.context.mpf(10) ** (-self.digits // 2)
        return finer is not None and finer <= difference * shrinkage

    @staticmethod
    def _difference(
        evaluator: Evaluator, one: Tree, other: Tree, point: Mapping[str, Fraction]
    ) -> Any:
        """How far apart the values are; 0 if they agree to the evaluator's tolerance."""
        expected, given = evaluator.at(one, point), evaluator.at(other, point)
        if expected is None or given is None:
            return None
        difference = abs(expected - given)
        near = difference <= max(abs(expected), abs(given)) * evaluator.tolerance
        return 0 if near else difference
