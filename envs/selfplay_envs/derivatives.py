"""Derivatives: d/dx 3x^2+2x is 6x+2; products, powers, sin, cos, e^, ln and chains of them.

d2/dx asks for the second derivative. A function is a sum of terms as `elementary` writes them:
x^2*sin(3x), 4(3x+2)^3, e^(2x), ln(x^2+1), (cos(x))^2, (2x+1)/(x^2+3). Difficulty is the rule that
is needed, the highest power and the number of terms.
"""

import random
from collections.abc import Mapping
from fractions import Fraction

from selfplay.grading import declare, grade_response
from selfplay.problem import ANSWER_OPEN, Environment, InvalidProblem, Knob, Problem, Verdict
from selfplay_envs import elementary
from selfplay_envs.elementary import Sum, Term
from selfplay_envs.pace import Pace

KIND = declare({"kind": "expression", "variables": ["x"]})
LARGEST = 99
"""Largest number in a function."""
SPARSE_SHARE = 0.1
"""Share of drafted polynomials with a term less than the most."""
POLYNOMIAL, POWER, PRODUCT, FUNCTION, MIXED, CHAIN, NESTED = range(1, 8)
"""Values of the knob `rule`."""

_PREFIXES = {"d/dx ": 1, "d2/dx ": 2}
_LINE = 60
"""Longest line of a worked solution, in characters; longer ones are done in the head."""


class Derivatives(Environment):
    """Differentiate a function of x."""

    name = "derivatives"
    summary = "d/dx 3x^2+2x: polynomials, products, powers, sin, cos, e^, ln, chains"
    instruction = (
        "Differentiate the function after d/dx with respect to x; d2/dx asks for the second "
        "derivative. The functions are sin, cos, ln (natural) and e^. The answer is the derivative "
        "as an expression in x, such as 6x+2 or 2x*cos(x^2), in any equal form."
    )
    verifier = "expression"
    guess_bound = 0.02
    crowded = 3
    knobs = {
        "rule": Knob(
            (1, 1, 1, 2, 3, 4, 5, 6, 7),
            "kind",
            "1 polynomial, 2 power of a group, 3 product of groups, 4 function of a linear one, "
            "5 product with a function, 6 function of a polynomial, 7 nested",
        ),
        "power": Knob((2, 3, 5, 6, 6, 6, 6, 6, 6), "power", "higher powers"),
        "terms": Knob((3, 3, 4, 4, 4, 4, 4, 4, 4), "terms", "longer sums"),
        "order": Knob((1, 1, 1, 1, 1, 1, 1, 1, 2), "derivatives", "second derivatives"),
    }

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """A function for the latest rule that is allowed."""
        order = rng.randint(1, knobs["order"])
        prefix = "d/dx " if order == 1 else "d2/dx "
        return prefix + elementary.write(_draft(knobs, order, rng))

    def parse(self, text: str) -> Problem:
        """Read a function; the gold is its derivative, a polynomial multiplied out."""
        total, order = _read(text)
        rule = _rule(total)
        level = self.easiest(rule=rule, power=_power(total), terms=len(total), order=order)
        result = _derive(total, order)
        if not any(term.factors for term in result):
            raise InvalidProblem("trivial: the derivative is a number")
        gold = elementary.write(result)
        if gold == elementary.write(total):
            raise InvalidProblem("trivial: its own derivative")
        # Such as ln(-x^2), which is nowhere real, and towers of e^, which are too large.
        if rule >= FUNCTION and not grade_response(KIND, gold, f"{ANSWER_OPEN}{gold}").correct:
            raise InvalidProblem("no solution: the derivative has no value that can be compared")
        signature = f"{order} {elementary.ordered(total)}"
        return Problem(self.name, level, text, signature=signature, gold=gold)

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if the answer equals the derivative wherever that has a value."""
        return grade_response(KIND, problem.gold, response)

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """The derivative of each part, after a colon: 3x^2:6x;2x:2."""
        total, order = _read(problem.text)
        pace = Pace.draw(rng)
        lines: list[str] = []
        for _ in range(order):
            lines += _lines(total)
            total = _derive(total, 1)
            if order > 1:
                lines.append(elementary.write(total))
        written = [line for line in dict.fromkeys(lines) if len(line) <= _LINE]
        if written and written[-1].rpartition(":")[2] == problem.gold:
            written.pop()
        return f"{';'.join(pace.skim(written))}{ANSWER_OPEN}{problem.gold}"


def _read(text: str) -> tuple[Sum, int]:
    """The function, and how often it is to be differentiated."""
    for prefix, order in _PREFIXES.items():
        if text.startswith(prefix):
            total = elementary.read(text.removeprefix(prefix))
            if (largest := elementary.largest(total)) > LARGEST:
                raise InvalidProblem(f"beyond the top level: the number {largest}")
            return total, order
    raise InvalidProblem(f"malformed: {text[:40]!r} is not like 'd/dx 3x^2+2x'")


def _derive(total: Sum, order: int) -> Sum:
    """The derivative; multiplied out where no group is raised to a power."""
    for _ in range(order):
        flat = (
            elementary.expanded(total)
            if all(power == 1 for power in _powers_of_groups(total))
            else None
        )
        total = elementary.derivative(elementary.polynomial(flat) if flat else total)
    return total


def _powers_of_groups(total: Sum) -> list[int]:
    return [power for term in total for base, power in term.factors if base.name == ""]


def _rule(total: Sum) -> int:
    """What the knob `rule` has to allow."""
    return max((_rule_of(term) for term in total), default=POLYNOMIAL)


def _rule_of(term: Term) -> int:
    rule = POLYNOMIAL
    bases = [base for base, _ in term.factors if base.name != elementary.X]
    for base, power in term.factors:
        if power < 0:
            rule = max(rule, MIXED)
        if base.name == elementary.X:
            continue
        inner = elementary.coefficients(base.argument)
        if inner is None:
            return NESTED
        if base.name == "":
            rule = max(rule, PRODUCT if len(term.factors) > 1 else POWER)
        else:
            own = FUNCTION if len(inner) == 2 and power == 1 else CHAIN
            rule = max(rule, own, MIXED if len(term.factors) > 1 else own)
    if len(bases) > 2 or (rule == CHAIN and len(bases) > 1):
        return NESTED
    return rule


def _power(total: Sum) -> int:
    """The highest power in it."""
    return max(
        (max(abs(power), _power(base.argument)) for term in total for base, power in term.factors),
        default=0,
    )


def _lines(total: Sum) -> list[str]:
    """A line for every part that needs a rule of its own, innermost first, then for every term."""
    lines: list[str] = []
    for term in total:
        for base, power in term.factors:
            if base.name == elementary.X:
                continue
            inner = elementary.coefficients(base.argument)
            if inner is None:
                lines += _lines(base.argument)
            elif base.name and len(inner) > 2:
                lines.append(_line(base.argument))
            alone = (Term(Fraction(1), ((base, abs(power)),)),)
            lines.append(_line(alone if base.name or power > 1 else base.argument))
        if len(term.factors) == 1 and term.factors[0][0].name in elementary.FUNCTIONS:
            lines.pop()  # the line of the term says as much
        if term.factors:
            lines.append(_line((term,)))
    return lines


def _line(total: Sum) -> str:
    """A part and its derivative: 3x^2:6x."""
    return f"{elementary.write(total)}:{elementary.write(elementary.derivative(total))}"


def _draft(knobs: Mapping[str, int], order: int, rng: random.Random) -> Sum:
    match knobs["rule"]:
        case 1:
            return _polynomial(rng, rng.randint(2, knobs["power"]), knobs["terms"], 9)
        case 3:
            groups = [
                _group(rng, degree) for degree in rng.choice(((1, 2), (1, 3), (2, 2), (2, 3)))
            ]
            return (elementary.times(*groups),)
        case 2:
            group = elementary.apply("", _linear(rng), rng.randint(3, knobs["power"]))
            first = Term(Fraction(_number(rng, 9)), (group,))
            return (first, elementary.monomial(_signed(rng, 9), rng.randint(1, 3)))
        case 4:
            first, second = (_scaled(rng, _function(rng, _linear(rng, 1))) for _ in "12")
            last = elementary.monomial(_signed(rng, 9), rng.randint(1, 3))
            return elementary.collect([first, second, last])
        case 5:
            power = elementary.monomial(_signed(rng, 9), rng.randint(1, 4))
            return (
                elementary.times(power, _function(rng, _linear(rng))),
                elementary.monomial(_signed(rng, 9), rng.randint(1, 3)),
            )
        case 6:
            power = elementary.monomial(_signed(rng, 9), rng.randint(1, 3))
            inner = _polynomial(rng, rng.choice((2, 2, 3)), 2, 9)
            return (
                elementary.times(power, _function(rng, inner)),
                elementary.monomial(_signed(rng, 9), rng.randint(1, 3)),
            )
    first = elementary.monomial(_signed(rng, 9), 0 if order == 1 else rng.randint(1, 3))
    if order == 2:
        return (elementary.times(first, _function(rng, _linear(rng, 1))),)
    inside = _function(rng, _linear(rng, 1))
    inner = (inside, elementary.monomial(rng.randint(2, 9), 0))
    if rng.random() < 0.5:
        outer = _function(rng, _square(rng))
    else:
        ((base, _),) = _function(rng, _square(rng)).factors
        name = "sin" if base.name == "e^" else base.name
        outer = Term(Fraction(1), (elementary.apply(name, base.argument, rng.randint(2, 4)),))
    return (
        elementary.times(
            first, outer, _function(rng, inner, tower=inside.factors[0][0].name != "e^")
        ),
    )


def _square(rng: random.Random) -> Sum:
    """A quadratic function of two terms."""
    return elementary.polynomial((rng.randint(1, 5), *rng.choice(((0, 1), (1, 0)))))


def _function(rng: random.Random, argument: Sum, tower: bool = True) -> Term:
    """A random function of the argument, e^ only where that builds no tower."""
    name = rng.choice(elementary.FUNCTIONS if tower else elementary.FUNCTIONS[1:])
    return elementary.times(Term(Fraction(1), (elementary.apply(name, argument),)))


def _scaled(rng: random.Random, term: Term) -> Term:
    return term._replace(coefficient=term.coefficient * _signed(rng, 9))


def _linear(rng: random.Random, constant: int = 0) -> Sum:
    """A linear function; with a constant for sure, or in half of the cases."""
    number = _signed(rng, 9) if constant or rng.random() < 0.5 else 0
    return elementary.polynomial((rng.randint(2, 9), number)) if number else _multiple(rng)


def _multiple(rng: random.Random) -> Sum:
    return elementary.polynomial((rng.randint(2, 9), 0))


def _group(rng: random.Random, degree: int) -> Term:
    total = elementary.polynomial([rng.randint(1, 9), *([0] * (degree - 1)), _signed(rng, 15)])
    return elementary.of_sum(total)


def _polynomial(rng: random.Random, degree: int, terms: int, largest: int) -> Sum:
    """A polynomial of exactly this degree and at most so many terms."""
    powers = rng.sample(range(degree), min(degree, terms - 1 - (rng.random() < SPARSE_SHARE)))
    values = [_signed(rng, largest) if power in powers else 0 for power in range(degree)]
    return elementary.polynomial([_number(rng, largest), *reversed(values)])


def _number(rng: random.Random, largest: int) -> int:
    return rng.randint(1, largest)


def _signed(rng: random.Random, largest: int) -> int:
    return rng.randint(1, largest) * rng.choice((-1, 1))
