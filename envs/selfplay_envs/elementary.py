"""Elementary functions of x: compact text, exact derivatives, Taylor coefficients.

Shared by the environments of calculus. A function is a sum of terms; a term is a rational number
times factors; a factor is x, a group or sin, cos, e^, ln of a sum, to a whole power. `read` takes
what `write` writes, in one spelling, and refuses long, deep and large texts before it builds
anything. What this does not do: simplify beyond like terms and equal factors.
"""

import re
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import NamedTuple

from selfplay.problem import InvalidProblem
from selfplay_envs import polynomials

MAX_LENGTH = 90
"""Longest text that is read, in characters."""
MAX_DEPTH = 3
"""Deepest nesting that is read."""
MAX_POWER = 9
"""Highest power that is read."""

X = "x"
"""The base x, and the name of the plain group."""
FUNCTIONS = ("e^", "ln", "sin", "cos")
"""Names of the functions of one argument, in the order in which factors are written."""

_TOKEN = re.compile(r"sin|cos|ln|e\^|[1-9][0-9]{0,3}|[-+*/^()x]")


class Base(NamedTuple):
    """x (no argument), a group (name "") or a function of its argument."""

    name: str
    argument: "Sum" = ()


Factor = tuple[Base, int]
"""A base to a power other than 0."""


class Term(NamedTuple):
    """A number times factors."""

    coefficient: Fraction
    factors: tuple[Factor, ...] = ()


Sum = tuple[Term, ...]
"""Terms with different factors and coefficients other than 0; () is zero."""

_X = Base(X)


def monomial(coefficient: Fraction | int, power: int) -> Term:
    """A number times a power of x."""
    return Term(Fraction(coefficient), ((_X, power),) if power else ())


def polynomial(coefficients: Iterable[int]) -> Sum:
    """The polynomial with these coefficients, highest power first."""
    found = list(coefficients)
    top = len(found) - 1
    return tuple(monomial(value, top - i) for i, value in enumerate(found) if value)


def apply(name: str, argument: Sum, power: int = 1) -> Factor:
    """A function of a sum, or with the name "" the sum in a group, to a power."""
    return Base(name, argument), power


def times(*terms: Term) -> Term:
    """The product of terms, with powers of equal bases collected and factors in order."""
    coefficient = Fraction(1)
    powers: dict[Base, int] = {}
    for term in terms:
        coefficient *= term.coefficient
        for base, power in term.factors:
            powers[base] = powers.get(base, 0) + power
    factors = sorted(((base, power) for base, power in powers.items() if power), key=_place)
    return Term(coefficient, tuple(factors))


def _place(factor: Factor) -> tuple[int, str, int]:
    base, power = factor
    names = (X, "", *FUNCTIONS)
    return names.index(base.name), "" if base.name == X else write(base.argument), power


def collect(terms: Iterable[Term]) -> Sum:
    """The sum of terms, like ones added, in the order of their first occurrence."""
    found: dict[tuple[Factor, ...], Fraction] = {}
    for coefficient, factors in terms:
        found[factors] = found.get(factors, Fraction(0)) + coefficient
    return tuple(Term(value, factors) for factors, value in found.items() if value)


def of_sum(total: Sum, power: int = 1) -> Term:
    """A power of a sum as one term: a group, unless the sum has one term."""
    if len(total) == 1:
        coefficient, factors = total[0]
        return Term(coefficient**power, tuple((base, own * power) for base, own in factors))
    return Term(Fraction(1), (apply("", total, power),))


def derivative(total: Sum) -> Sum:
    """The derivative, like terms collected."""
    return collect(bare for term in total for part in _of_term(term) for bare in _opened(part))


def _opened(term: Term) -> Sum:
    """The terms of a group that stands alone, each times the coefficient."""
    match term.factors:
        case ((Base("", inner), 1),):
            return tuple(Term(term.coefficient * value, rest) for value, rest in inner)
    return (term,)


def expanded(total: Sum) -> tuple[int, ...] | None:
    """The coefficients of a sum of products of polynomials, or None; bounded by what is read."""
    result: polynomials.Poly = ()
    for coefficient, factors in total:
        if coefficient.denominator != 1:
            return None
        product: polynomials.Poly = (coefficient.numerator,)
        for base, power in factors:
            inner = coefficients((monomial(1, 1),) if base.name == X else base.argument)
            if inner is None or base.name not in (X, "") or power < 0:
                return None
            for _ in range(power):
                product = polynomials.multiply(product, inner)
        result = polynomials.add(result, product)
    return result


def _of_term(term: Term) -> Iterator[Term]:
    """The product rule."""
    for i, (base, power) in enumerate(term.factors):
        others = Term(term.coefficient * power, term.factors[:i] + term.factors[i + 1 :])
        if power != 1:
            others = times(others, Term(Fraction(1), ((base, power - 1),)))
        inner = of_base(base)
        if inner.coefficient:
            yield times(others, inner)


def of_base(base: Base) -> Term:
    """The derivative of a factor to the power 1, by the chain rule; coefficient 0 for zero."""
    if base.name == X:
        return Term(Fraction(1))
    inner = derivative(base.argument)
    if not inner:
        return Term(Fraction(0))
    outer = Term(Fraction(1))
    match base.name:
        case "e^":
            outer = Term(Fraction(1), ((base, 1),))
        case "ln":
            outer = of_sum(base.argument, -1)
        case "sin":
            outer = Term(Fraction(1), (apply("cos", base.argument),))
        case "cos":
            outer = Term(Fraction(-1), (apply("sin", base.argument),))
    return times(outer, of_sum(inner))


def coefficients(total: Sum) -> tuple[int, ...] | None:
    """Of a sum that is a polynomial with whole coefficients, highest power first; else None."""
    found: dict[int, int] = {}
    for coefficient, factors in total:
        power = factors[0][1] if factors else 0
        if len(factors) > 1 or (factors and factors[0][0] != _X):
            return None
        if power < 0 or coefficient.denominator != 1:
            return None
        found[power] = coefficient.numerator
    return tuple(found.get(power, 0) for power in range(max(found, default=-1), -1, -1))


def write(total: Sum) -> str:
    """The text: 3x^2*sin(2x)-(x+1)/2; 0 for zero."""
    parts = [_written(term) for term in total]
    return "".join(
        f"+{part}" if i and not part.startswith("-") else part for i, part in enumerate(parts)
    ) or "0"  # fmt: skip


def _written(term: Term) -> str:
    above = [(base, power) for base, power in term.factors if power > 0]
    below = [(base, -power) for base, power in term.factors if power < 0]
    coefficient = term.coefficient
    top = _product(abs(coefficient.numerator), above)
    bottom = _product(coefficient.denominator, below)
    sign = "-" if coefficient < 0 else ""
    if bottom == "1":
        return f"{sign}{top}"
    single = len(below) + (coefficient.denominator > 1) == 1
    return f"{sign}{top}/{bottom if single else f'({bottom})'}"


def _product(number: int, factors: list[Factor]) -> str:
    text = "" if number == 1 and factors else str(number)
    before = ""
    for i, (base, power) in enumerate(factors):
        # Only the number in front and a plain group are followed directly, the latter by another.
        if i and (base.name or before):
            text += "*"
        text += written_factor(base, power)
        before = base.name
    return text


def written_factor(base: Base, power: int = 1) -> str:
    """A factor to a positive power: x^2, (2x+1)^3, sin(3x), (ln(x))^2."""
    if base.name == X:
        text = X
    elif base.name == "":
        text = f"({write(base.argument)})"
    elif base == Base("e^", (monomial(1, 1),)):
        text = "e^x"
    else:
        text = f"{base.name}({write(base.argument)})"
    if power == 1:
        return text
    return f"{text}^{power}" if base.name in (X, "") else f"({text})^{power}"


def largest(total: Sum) -> int:
    """The largest number in it, powers aside."""
    found = [0]
    for coefficient, factors in total:
        found += [abs(coefficient.numerator), coefficient.denominator]
        found += [largest(base.argument) for base, _ in factors]
    return max(found)


def ordered(total: Sum) -> str:
    """A text that is equal for sums that differ in the order of their terms alone."""
    return " ".join(sorted(_written_sorted(term) for term in total))


def _written_sorted(term: Term) -> str:
    factors = sorted(f"{b.name}[{ordered(b.argument)}]^{power}" for b, power in term.factors)
    return "*".join([str(term.coefficient), *factors])


def read(text: str) -> Sum:
    """The sum that a text stands for; only what `write` writes is read, and whole coefficients.

    Raises:
        InvalidProblem: malformed or not canonical, with a reason.
    """
    tokens = _TOKEN.findall(text) if len(text) <= MAX_LENGTH else []
    if not tokens or "".join(tokens) != text:
        raise InvalidProblem(f"malformed: {text[:40]!r} is no function like 3x^2*sin(2x)-1")
    tokens.reverse()
    total = _read_sum(tokens, 0)
    if tokens:
        raise InvalidProblem(f"malformed: {tokens[-1]!r} at an odd place of {text[:40]!r}")
    if (canonical := write(total)) != text:
        raise InvalidProblem(f"not canonical: {text[:40]!r} is written {canonical[:60]!r}")
    return total


def _read_sum(tokens: list[str], level: int) -> Sum:
    """Reads from the end of the list, which it empties."""
    if level > MAX_DEPTH:
        raise InvalidProblem("malformed: nested too deep")
    terms: list[Term] = []
    while not terms or (tokens and tokens[-1] in "+-"):
        sign = tokens.pop() if tokens and tokens[-1] in ("-+" if terms else "-") else "+"
        term = _read_term(tokens, level)
        if _opened(term) != (term,):
            raise InvalidProblem(f"not canonical: no product needs the group {write((term,))[:40]}")
        terms.append(term._replace(coefficient=-term.coefficient) if sign == "-" else term)
    return collect(terms)


def _read_term(tokens: list[str], level: int) -> Term:
    parts: list[Term] = []
    if tokens and tokens[-1].isdigit():
        parts.append(Term(Fraction(int(tokens.pop()))))
    while not parts or (tokens and tokens[-1] not in "+-/)"):
        if parts and tokens[-1] == "*":
            tokens.pop()
        parts.append(_read_factor(tokens, level))
    if tokens and tokens[-1] == "/":
        tokens.pop()
        if tokens and tokens[-1].isdigit():
            parts.append(Term(Fraction(1, int(tokens.pop()))))
        else:
            ((base, power),) = _read_factor(tokens, level).factors
            parts.append(Term(Fraction(1), ((base, -power),)))
    return times(*parts)


def _read_factor(tokens: list[str], level: int) -> Term:
    token = tokens.pop() if tokens else "the end"
    if token == X:
        base = _X
    elif token == "e^" and tokens and tokens[-1] == X:
        tokens.pop()
        base = Base("e^", (monomial(1, 1),))
    elif token == "(" or token in FUNCTIONS:
        if token != "(" and (not tokens or tokens.pop() != "("):
            raise InvalidProblem(f"malformed: no ( after {token}")
        argument = _read_sum(tokens, level + 1)
        if not tokens or tokens.pop() != ")":
            raise InvalidProblem("malformed: a parenthesis is not closed")
        base = Base("" if token == "(" else token, argument)
    else:
        raise InvalidProblem(f"malformed: {token!r} where x, a group or a function should be")
    power = _read_power(tokens) if base.name in (X, "") else 1
    if base.name == "" and len(base.argument) < 2:
        base = _only_function(base, power)
    elif base.name in FUNCTIONS and not _varies(base.argument):
        raise InvalidProblem("trivial: a function of a number")
    return Term(Fraction(1), ((base, power),))


def _varies(total: Sum) -> bool:
    """Whether x occurs in it."""
    return any(term.factors for term in total)


def _only_function(base: Base, power: int) -> Base:
    """The function in a group of its own, (sin(3x))^2; other groups of one term need none."""
    match base.argument:
        case ((1, ((inner, 1),)),) if power > 1 and inner.name in FUNCTIONS:
            return inner
    raise InvalidProblem(f"not canonical: the group ({write(base.argument)[:40]})")


def _read_power(tokens: list[str]) -> int:
    if not tokens or tokens[-1] != "^":
        return 1
    tokens.pop()
    token = tokens.pop() if tokens else ""
    if not token.isdigit() or not 2 <= int(token) <= MAX_POWER:
        raise InvalidProblem(f"malformed: {token!r} is no power from 2 to {MAX_POWER}")
    return int(token)
