"""The value of an expression to any number of digits, at a point; every operation is bounded.

Feeds numeric.py. Each evaluator has an arithmetic context of its own, so this is safe in threads
and leaves mpmath.mp alone. Its work is counted by the trial that it is made for.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from mpmath.ctx_mp import MPContext

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
from selfplay.grading.mathematics.trial import Trial, too_large

MAX_EXPONENT = 4_000
"""Largest argument of an exponential, and of a factorial of what is no whole number."""
MAX_GAMMA_DIGITS = 250
"""Most digits that a factorial of what is no whole number is computed to."""
MAX_ANGLE = 10**12
"""Largest argument of sin, cos and tan: costs 12 of the 15 digits that need not agree."""

_LIMITS = {
    **dict.fromkeys(("exp", "sinh", "cosh", "tanh"), MAX_EXPONENT),
    **dict.fromkeys(("sin", "cos", "tan", "cot", "sec", "csc"), MAX_ANGLE),
}


def is_real(value: Any) -> bool:
    """Whether the imaginary part is nothing but rounding."""
    return abs(value.imag) <= abs(value) * 1e-25


class Evaluator:
    """Evaluates trees to a number of digits; counts its work."""

    def __init__(self, digits: int, trial: Trial, principal: bool) -> None:
        self.context: Any = MPContext()
        self.context.dps = digits
        self.tolerance = self.context.mpf(10) ** (15 - digits)
        self.principal = principal
        self.cost = 1 + (digits / 60) ** 1.6
        self.trial = trial

    def at(self, tree: Tree, point: Mapping[str, Fraction]) -> Any:
        """The value at a point as a number of mpmath; None where there is none."""
        coordinates = {name: self.number(value) for name, value in point.items()}
        try:
            value = self._value(tree, coordinates)
        except (ZeroDivisionError, ValueError, OverflowError) as error:
            if isinstance(error, AnswerError):
                raise
            return None
        return value if self.context.isfinite(value) else None

    def number(self, value: int | Fraction) -> Any:
        """An exact number, rounded to the digits of this evaluator."""
        return self.context.mpf(value.numerator) / value.denominator

    def _value(self, tree: Tree, point: Mapping[str, Any]) -> Any:
        self.trial.spend(self.cost * (6 if type(tree) in (Call, Power) else 1))
        match tree:
            case Number(value):
                return self.number(value)
            case Variable(name):
                return point[name]
            case Constant(name):
                return self._constant(name)
            case Negate(operand):
                return -self._value(operand, point)
            case Sum(terms):
                return self.context.fsum(self._value(term, point) for term in terms)
            case Product(factors, divisors):
                above = self.context.fprod(self._value(factor, point) for factor in factors)
                return above / self.context.fprod(self._value(d, point) for d in divisors)
            case Power(base, exponent):
                return self._power(self._value(base, point), exponent, point)
            case Call(function, arguments):
                return self._call(function, [self._value(a, point) for a in arguments])

    def _constant(self, name: str) -> Any:
        if name == "infinity":
            raise ZeroDivisionError("infinity is no number")
        return {"pi": +self.context.pi, "e": +self.context.e, "i": self.context.j}[name]

    def _power(self, base: Any, exponent: Tree, point: Mapping[str, Any]) -> Any:
        power = self._value(exponent, point)
        if base == 0 and not (power.imag == 0 and power.real > 0):
            raise ZeroDivisionError("0 to an exponent that is not positive")
        if base != 0:
            self._check(power * self.context.log(base), MAX_EXPONENT)
        match exponent:
            case Product((above,), (Number(int(below)),)) if below % 2 and not self.principal:
                if base.imag == 0 and base.real < 0:
                    return self._root(base, below) ** self._value(above, point)
        return base**power

    def _root(self, value: Any, index: Any) -> Any:
        """The real root where there is one, unless principal values are meant."""
        if index == 0:
            raise ZeroDivisionError("a root of index 0")
        if value != 0:
            self._check(self.context.log(value) / index, MAX_EXPONENT)
        odd = index.imag == 0 and index.real % 2 == 1
        if odd and not self.principal and value.imag == 0 and value.real < 0:
            return -((-value.real) ** (self.context.mpf(1) / index))
        return value ** (self.context.mpf(1) / index)

    def _call(self, function: str, arguments: list[Any]) -> Any:
        context = self.context
        value = arguments[0]
        match function:
            case "sqrt":
                return context.sqrt(value)
            case "root":
                return self._root(value, arguments[1])
            case "cbrt":
                return self._root(value, context.mpf(3))
            case "log_base":
                return context.log(value) / context.log(arguments[1])
            case "binomial" | "factorial":
                return self._factorial(function, arguments)
            case "abs":
                return abs(value)
            case "floor" | "ceil":
                return getattr(context, function)(value)
        if function in _LIMITS:
            self._check(value, _LIMITS[function])
            self._check(value.imag, MAX_EXPONENT)
        return getattr(context, function)(value)

    def _factorial(self, function: str, arguments: list[Any]) -> Any:
        """By the gamma function, whose tables take seconds to set up for a thousand digits."""
        if self.context.dps > MAX_GAMMA_DIGITS:
            raise too_large("a factorial to that many digits")
        self.trial.spend(self.cost * 150)
        for argument in arguments:
            self._check(argument, MAX_EXPONENT)
        if function == "binomial":
            return self.context.binomial(*arguments)
        return self.context.gamma(arguments[0] + 1)

    def _check(self, value: Any, limit: int) -> None:
        if abs(value) > limit:
            raise OverflowError(f"an argument above {limit}")
