"""Antiderivatives of the functions of `elementary` that the rules of a first course integrate.

Feeds integrals.py. Term by term: a polynomial times at most one other factor. What this does not
do: nested functions, powers of sin and cos, partial fractions; these are refused with a reason.
"""

from fractions import Fraction

from selfplay.problem import InvalidProblem
from selfplay_envs import elementary
from selfplay_envs.elementary import Base, Sum, Term

POWERS, GROUP, LINEAR, SUBSTITUTION, PARTS = range(1, 6)
"""Rules, easiest first: powers of x, a power of a linear group, a function of a linear one."""


def _special(term: Term) -> tuple[Base, int]:
    """The one factor that is no part of a polynomial; x to the power 0 where there is none."""
    found = [
        (base, power)
        for base, power in term.factors
        if power < 0 or base.name in elementary.FUNCTIONS or (base.name == "" and power > 1)
    ]
    if len(found) > 1:
        raise InvalidProblem("beyond the top level: no rule here integrates that product")
    return found[0] if found else (Base(elementary.X), 0)


def split(term: Term) -> tuple[Sum, tuple[Base, int]]:
    """The polynomial and the other factor of a term."""
    other = _special(term)
    rest = tuple(factor for factor in term.factors if factor != other)
    flat = elementary.expanded((Term(Fraction(1), rest),))
    if flat is None:
        raise InvalidProblem("beyond the top level: no rule here integrates that product")
    number = term.coefficient
    return tuple(Term(number * value, own) for value, own in elementary.polynomial(flat)), other


def _inner(base: Base) -> Sum:
    """The derivative of what stands in a group or function."""
    if elementary.coefficients(base.argument) is None:
        raise InvalidProblem("beyond the top level: no rule here integrates nested functions")
    return elementary.derivative(base.argument)


def _ratio(poly: Sum, inner: Sum) -> Fraction | None:
    """The number that turns the one polynomial into the other, if there is one."""
    ratio = poly[0].coefficient / inner[0].coefficient
    scaled = [Term(ratio * term.coefficient, term.factors) for term in inner]
    return ratio if set(scaled) == set(poly) else None


def rule_of(term: Term) -> int:
    """What the knob `rule` has to allow."""
    poly, (base, power) = split(term)
    if base.name == elementary.X:
        return POWERS if power >= 0 else LINEAR
    inner = _inner(base)
    if base.name != "ln" and inner and _ratio(poly, inner) is not None:
        if any(own.factors for own in inner):
            return SUBSTITUTION
        return GROUP if base.name == "" and power > 0 else LINEAR
    return PARTS


def parts_of(term: Term) -> int:
    """How often the rule of parts is used: the degree of the polynomial, 1 for a logarithm."""
    if rule_of(term) != PARTS:
        return 0
    poly, (base, _) = split(term)
    return 1 if base.name == "ln" else len(elementary.coefficients(poly) or (1,)) - 1


def integral(total: Sum) -> Sum:
    """An antiderivative.

    Raises:
        InvalidProblem: there is no rule for a term.
    """
    return elementary.collect(part for term in total for part in _of_term(term))


def _of_term(term: Term) -> Sum:
    poly, (base, power) = split(term)
    if base.name == elementary.X:
        return tuple(_of_power(own, base, power) for own in poly)
    rule = rule_of(term)
    if rule != PARTS:
        ratio = _ratio(poly, _inner(base))
        assert ratio is not None
        outer = _outer(base, power)
        return (outer._replace(coefficient=outer.coefficient * ratio),)
    if base.name == "ln" and power == 1 and elementary.write(base.argument) == "x":
        return tuple(part for own in poly for part in _with_logarithm(own, base))
    slope = elementary.coefficients(base.argument)
    if base.name not in ("e^", "sin", "cos") or power != 1 or slope is None or len(slope) != 2:
        raise InvalidProblem("beyond the top level: no rule here integrates that product")
    parts: list[Term] = []
    outer, sign = Term(Fraction(1), ((base, 1),)), 1
    while poly:
        ((inner, _),) = outer.factors
        step = _outer(inner, 1)
        outer = step._replace(coefficient=step.coefficient * outer.coefficient / slope[0])
        parts += [elementary.times(Term(Fraction(sign)), own, outer) for own in poly]
        poly, sign = elementary.derivative(poly), -sign
    return elementary.collect(parts)


def _of_power(term: Term, base: Base, power: int) -> Term:
    """Of c*x^n, perhaps over a power of x."""
    whole = elementary.times(term, Term(Fraction(1), ((base, power),) if power < 0 else ()))
    exponent = whole.factors[0][1] if whole.factors else 0
    if exponent == -1:
        return Term(whole.coefficient, (elementary.apply("ln", (elementary.monomial(1, 1),)),))
    return elementary.monomial(whole.coefficient / (exponent + 1), exponent + 1)


def _outer(base: Base, power: int) -> Term:
    """An antiderivative of a function or of a power of a group, with respect to its argument."""
    match base.name:
        case "" if power == -1:
            return Term(Fraction(1), (elementary.apply("ln", base.argument),))
        case "":
            return Term(Fraction(1, power + 1), ((base, power + 1),))
        case "e^" if power == 1:
            return Term(Fraction(1), ((base, 1),))
        case "sin" if power == 1:
            return Term(Fraction(-1), (elementary.apply("cos", base.argument),))
        case "cos" if power == 1:
            return Term(Fraction(1), (elementary.apply("sin", base.argument),))
    raise InvalidProblem("beyond the top level: no rule here integrates a power of a function")


def _with_logarithm(term: Term, base: Base) -> Sum:
    """Of c*x^n*ln(x)."""
    whole = _of_power(term, Base(elementary.X), 0)
    power = whole.factors[0][1]
    rest = whole._replace(coefficient=-whole.coefficient / power)
    return (elementary.times(whole, Term(Fraction(1), ((base, 1),))), rest)


def value(total: Sum, x: int) -> Fraction:
    """The value of a sum of powers of x and of groups, at a whole number."""
    result = Fraction(0)
    for coefficient, factors in total:
        product = coefficient
        for base, power in factors:
            if base.name in elementary.FUNCTIONS or power < 0:
                raise InvalidProblem("beyond the top level: limits where the value is irrational")
            inner = Fraction(x) if base.name == elementary.X else value(base.argument, x)
            product *= inner**power
        result += product
    return result
