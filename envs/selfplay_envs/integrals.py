"""Integrals: int 6x+2 dx is 3x^2+2x up to a constant; int 1..3 6x+2 dx is the number 28.

The function is a sum of terms as `elementary` writes them. The rules, easiest first: powers of x
and products of polynomials; a power of a linear group; sin, cos, e^ of a linear function and 1/x;
substitution, x*(x^2+1)^3; by parts, x^2*e^(3x). A definite integral is asked for where its value is
rational without doubt. Any antiderivative is right: the answer is differentiated.
"""

import random
import re
from collections.abc import Mapping
from fractions import Fraction

from selfplay.grading import Checker, declare, grade_response
from selfplay.problem import ANSWER_OPEN, Environment, InvalidProblem, Knob, Problem, Verdict
from selfplay_envs import elementary
from selfplay_envs.antiderivatives import (
    PARTS,
    POWERS,
    SUBSTITUTION,
    integral,
    parts_of,
    rule_of,
    split,
    value,
)
from selfplay_envs.differentiation import same_derivative
from selfplay_envs.elementary import Base, Sum, Term
from selfplay_envs.pace import Pace

FUNCTION = Checker(declare({"kind": "expression"}), same_derivative)
VALUE = declare({"kind": "rational"})
FRACTIONAL_SHARE = 0.25
"""Share of drafted definite integrals with fractions on the way."""
LARGEST = 999
"""Largest number in a function."""

_TEXT = re.compile(r"int (?:(-?[0-9])\.\.([0-9]) )?(\S{1,80}) dx\Z")


class Integrals(Environment):
    """Integrate a function of x."""

    name = "integrals"
    summary = "int 6x+2 dx: polynomials, definite integrals, substitution, by parts"
    instruction = (
        "Integrate the function of x between int and dx. Without limits the answer is an "
        "antiderivative such as 3x^2+2x, in any form and with any constant. With limits, "
        "int 1..3 6x+2 dx is the integral from 1 to 3, and the answer a number such as 28 or 5/6. "
        "The functions are sin, cos, ln (natural) and e^."
    )
    verifier = "expression, differentiated"
    unique = False
    guess_bound = 0.05
    crowded = 2
    knobs = {
        "rule": Knob(
            (1, 1, 2, 1, 1, 3, 4, 5, 5),
            "kind",
            "1 polynomial, 2 power of a linear group, 3 function of a linear one, "
            "4 substitution, 5 by parts",
        ),
        "power": Knob((1, 2, 5, 4, 2, 5, 5, 5, 5), "power", "higher powers"),
        "terms": Knob((2, 3, 2, 4, 3, 3, 3, 3, 4), "terms", "longer sums"),
        "definite": Knob((0, 0, 0, 0, 1, 0, 1, 0, 1), "0 or 1", "limits"),
        "parts": Knob((0, 0, 0, 0, 0, 0, 0, 2, 4), "power", "more often by parts"),
    }

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """A function for the latest rule that is allowed."""
        limits = ""
        exact = knobs["rule"] in (POWERS, SUBSTITUTION)
        definite = knobs["definite"] and exact and (knobs["rule"] == POWERS or rng.random() < 0.4)
        if definite:
            lower = rng.randint(-3, 3) if knobs["rule"] == POWERS else rng.randint(-1, 1)
            limits = f"{lower}..{lower + rng.randint(1, 4 if knobs['rule'] == POWERS else 2)} "
        return f"int {limits}{elementary.write(_draft(knobs, bool(definite), rng))} dx"

    def parse(self, text: str) -> Problem:
        """Read a function and its limits; the gold is an antiderivative or the value."""
        total, limits = _read(text)
        parts = max((parts_of(term) for term in total), default=0)
        # Before anything is computed: powers bound the work.
        level = self.easiest(
            rule=max((rule_of(term) for term in total), default=POWERS),
            power=max((abs(p) for term in total for _, p in term.factors), default=0),
            terms=len(total),
            definite=int(limits is not None),
            parts=parts,
        )
        if not any(term.factors for term in total):
            raise InvalidProblem("trivial: the integral of a number")
        result = integral(total)
        gold = elementary.write(result)
        if limits is not None:
            gold = str(value(result, limits[1]) - value(result, limits[0]))
        elif gold == elementary.write(total):
            raise InvalidProblem("trivial: its own antiderivative")
        elif not grade_response(FUNCTION, gold, f"{ANSWER_OPEN}{gold}").correct:
            raise InvalidProblem("no solution: the function has no value that can be compared")
        signature = f"{limits or ''} {elementary.ordered(total)}"
        return Problem(self.name, level, text, signature=signature, gold=gold)

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if the answer has the derivative that is asked for, or is the value."""
        kind = VALUE if ".." in problem.text else FUNCTION
        return grade_response(kind, problem.gold, response)

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """The integral of each term after a colon, then the values at the limits.

        6x:3x^2;2:2x;3:27+6=33;1:3+2=5;33-5 for int 1..3 6x+2 dx.
        """
        total, limits = _read(problem.text)
        lines: list[str] = []
        for term in total:
            if rule_of(term) == SUBSTITUTION:
                _, (base, _) = split(term)
                inner = elementary.write(elementary.derivative(base.argument))
                lines.append(f"{elementary.write(base.argument)}:{inner}")
            elif rule_of(term) == PARTS:
                lines += _by_parts(term)
            lines.append(f"{elementary.write((term,))}:{elementary.write(integral((term,)))}")
        if limits is not None:
            values = [value(integral(total), limit) for limit in reversed(limits)]
            for limit, there in zip(reversed(limits), values, strict=True):
                summands = [value((term,), limit) for term in integral(total)]
                shown = "+".join(map(str, summands)).replace("+-", "-")
                line = f"{limit}:{shown}"
                lines.append(f"{line}={there}" if len(summands) > 1 else line)
            lines.append(f"{values[0]}-{values[1]}".replace("--", "+"))
        if len(total) == 1 and limits is None:
            lines.pop()  # the answer says as much
        return f"{';'.join(Pace.draw(rng).skim(lines))}{ANSWER_OPEN}{problem.gold}"


def _read(text: str) -> tuple[Sum, tuple[int, int] | None]:
    """The function and its limits, if any."""
    found = _TEXT.match(text)
    if found is None or found[1] == "-0":
        raise InvalidProblem(f"malformed: {text[:40]!r} is not like 'int 1..3 6x+2 dx'")
    total = elementary.read(found[3])
    if (largest := elementary.largest(total)) > LARGEST:
        raise InvalidProblem(f"beyond the top level: the number {largest}")
    if found[1] is None:
        return total, None
    lower, upper = int(found[1]), int(found[2])
    if lower >= upper:
        raise InvalidProblem(f"not canonical: the limits {lower}..{upper} do not ascend")
    return total, (lower, upper)


def _by_parts(term: Term) -> list[str]:
    """The derivatives of the polynomial, then the integral of the other factor: x^2:2x:2."""
    poly, (base, _) = split(term)
    if base.name == "ln":
        return [f"{elementary.write(poly)}:{elementary.write(integral(poly))}"]
    derivatives = []
    while poly:
        derivatives.append(elementary.write(poly))
        poly = elementary.derivative(poly)
    factor = (Term(Fraction(1), ((base, 1),)),)
    return [
        ":".join(derivatives),
        f"{elementary.write(factor)}:{elementary.write(integral(factor))}",
    ]


def _draft(knobs: Mapping[str, int], definite: bool, rng: random.Random) -> Sum:
    match knobs["rule"]:
        case 1:
            degree = knobs["power"] if knobs["power"] < 4 else rng.randint(3, 4)
            return _polynomial(rng, degree, knobs["terms"], definite)
        case 2:
            term = Term(
                Fraction(_signed(rng, 9)),
                (elementary.apply("", _linear(rng), rng.randint(2, knobs["power"])),),
            )
            return (term, elementary.monomial(_signed(rng, 9), rng.randint(0, 3)))
        case 3:
            return elementary.collect((_function(rng), _function(rng)))
        case 4:
            return elementary.collect(
                (
                    _substitution(rng, definite),
                    elementary.monomial(_signed(rng, 9), rng.randint(1, 2)),
                )
            )
    degree = knobs["parts"]
    power = elementary.monomial(_signed(rng, 9), rng.randint(max(1, degree - 1), degree))
    if degree > 2 and rng.random() < 0.5:
        return (_parts_term(rng, power), _substitution(rng, definite))
    return elementary.collect(
        (_parts_term(rng, power), elementary.monomial(_signed(rng, 20), rng.randint(1, 3)))
    )


def _parts_term(rng: random.Random, power: Term) -> Term:
    name = rng.choice(("e^", "sin", "cos", "e^", "sin", "cos", "ln"))
    argument = elementary.polynomial((1, 0)) if name == "ln" else _linear(rng, constant=False)
    return elementary.times(power, Term(Fraction(1), (elementary.apply(name, argument),)))


def _substitution(rng: random.Random, definite: bool) -> Term:
    """A multiple of u'*f(u) for a quadratic or cubic u."""
    inside = [rng.randint(1, 5), *rng.choice(((0,), (0, 0))), _signed(rng, 9)]
    total = elementary.polynomial(inside)
    inner = elementary.derivative(total)[0]
    number = Fraction(_signed(rng, 9))
    if rng.random() < 0.5:  # without the factor that the rule brings out
        inner = inner._replace(coefficient=Fraction(1))
    name = "" if definite else rng.choice(("", "", "e^", "sin", "cos"))
    power = rng.choice((2, 3, 4) if definite else (-2, -1, 2, 3, 4, 5)) if name == "" else 1
    return elementary.times(Term(number), inner, Term(Fraction(1), ((Base(name, total), power),)))


def _function(rng: random.Random) -> Term:
    """A multiple of a function of a linear one, or of one over it."""
    number = Term(Fraction(_signed(rng, 9)))
    name = rng.choice(("e^", "sin", "cos", ""))
    factor = elementary.apply(name, _linear(rng), -1 if name == "" else 1)
    return elementary.times(number, Term(Fraction(1), (factor,)))


def _linear(rng: random.Random, constant: bool = True) -> Sum:
    return elementary.polynomial((rng.randint(2, 9), _signed(rng, 9) if constant else 0))


def _polynomial(rng: random.Random, degree: int, terms: int, definite: bool) -> Sum:
    """A polynomial of this degree, its antiderivative mostly with whole coefficients."""
    numbers = []
    fractional = definite and rng.random() < FRACTIONAL_SHARE
    kept = {degree, *rng.sample(range(degree), min(degree, terms - 1))}
    for power in range(degree, -1, -1):
        largest = max(2, (40, 40, 30, 20, 20)[degree] // (power + 1))
        step = 1 if fractional else power + 1
        numbers.append(_signed(rng, largest) * step if power in kept else 0)
    numbers[0] = abs(numbers[0])
    return elementary.polynomial(numbers)


def _signed(rng: random.Random, largest: int) -> int:
    return rng.randint(1, largest) * rng.choice((-1, 1))
