"""Limits: x->2 (x^2-4)/(x-2) is 4; at infinity; (1-cos(3x))/x^2 and deeper cancellations at 0.

A problem is one fraction whose parts both vanish at the number, or are polynomials of the same
degree at infinity (oo), so that the limit is a rational number other than 0. The gold comes from
Taylor series and leading coefficients. Difficulty is the kind, the powers and how many orders
cancel.
"""

import random
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from selfplay.grading import declare, grade_response
from selfplay.problem import ANSWER_OPEN, Environment, InvalidProblem, Knob, Problem, Verdict
from selfplay_envs import elementary, polynomials, series
from selfplay_envs.elementary import Sum, Term
from selfplay_envs.pace import Pace
from selfplay_envs.polynomials import Poly

KIND = declare({"kind": "rational"})
FARTHEST = 12
"""Largest absolute value of the number that x tends to."""
LARGEST = 9999
"""Largest number in a fraction."""
POINT, INFINITY, DEGREES, FUNCTIONS, SERIES = range(1, 6)
"""Values of the knob `kind`."""

_TEXT = re.compile(r"x->(oo|0|-?[1-9][0-9]?) (\S{3,100})\Z")


class Question(NamedTuple):
    """A fraction, and where its limit is asked for."""

    at: int | None
    """None for infinity."""
    above: Sum
    below: Sum

    def __str__(self) -> str:
        """In canonical notation."""
        at = "oo" if self.at is None else self.at
        above, below = elementary.write(self.above), elementary.write(self.below)
        if len(self.above) > 1:
            above = f"({above})"
        single = len(self.below) == 1 and self.below[0].coefficient == 1
        if not single or len(self.below[0].factors) > 1:
            below = f"({below})"
        return f"x->{at} {above}/{below}"


class Limits(Environment):
    """Find the limit of a fraction."""

    name = "limits"
    summary = "x->2 (x^2-4)/(x-2): limits of fractions, at numbers, infinity and by series"
    instruction = (
        "Find the limit of the fraction as x tends to the number after the arrow; oo is infinity. "
        "The functions are sin, cos, ln (natural) and e^. The answer is an integer or a fraction "
        "such as -9/2."
    )
    verifier = "rational"
    guess_bound = 0.12
    crowded = 2
    knobs = {
        "kind": Knob(
            (1, 1, 2, 3, 4, 3, 5, 3, 5),
            "kind",
            "1 over x-a, 2 infinity, 3 other polynomials, 4 functions, 5 sums of functions",
        ),
        "degree": Knob((2, 2, 2, 2, 2, 3, 3, 4, 6), "power", "higher powers"),
        "orders": Knob((1, 1, 1, 1, 2, 1, 3, 2, 5), "orders", "more orders cancel"),
        "lead": Knob((1, 5, 99, 99, 99, 99, 99, 99, 99), "value", "larger leading coefficients"),
    }

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """A fraction with common factors, or a sum of functions less its first Taylor terms."""
        return str(_draft(knobs, rng))

    def parse(self, text: str) -> Problem:
        """Read a fraction; the gold is its limit."""
        question = _read(text)
        degree = max(_power(question.above), _power(question.below))
        self.easiest(kind=POINT, degree=degree, orders=1, lead=1)
        gold, orders = _limit(question)
        kind = _kind(question)
        level = self.easiest(
            kind=kind,
            degree=degree,
            orders=orders,
            lead=abs(_polynomial(question.above)[0]) if kind == POINT else 1,
        )
        signature = "|".join(
            [
                str(question.at),
                elementary.ordered(question.above),
                elementary.ordered(question.below),
            ]
        )
        return Problem(self.name, level, text, signature=signature, gold=str(gold))

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if the answer equals the limit."""
        return grade_response(KIND, problem.gold, response)

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """Cancel and insert, or differentiate both parts; leading terms; or Taylor series.

        x+2;2+2=4 or 2x/1;4/1=4 for x->2 (x^2-4)/(x-2).
        """
        question = _read(problem.text)
        kind = _kind(question)
        if kind >= FUNCTIONS:
            lines = _expand(question)
        elif kind == INFINITY:
            lines = _leading(question)
        else:
            lines = rng.choice((_cancel, _differentiate))(question)
        return f"{';'.join(Pace.draw(rng).skim(lines))}{ANSWER_OPEN}{problem.gold}"


def _read(text: str) -> Question:
    found = _TEXT.match(text)
    parts = _halves(found[2]) if found else []
    if found is None or len(parts) != 2:
        raise InvalidProblem(f"malformed: {text[:40]!r} is not like 'x->2 (x^2-4)/(x-2)'")
    at = None if found[1] == "oo" else int(found[1])
    if abs(at or 0) > FARTHEST:
        raise InvalidProblem(f"beyond the top level: x tends to {at}")
    question = Question(at, *(elementary.read(_bare(part)) for part in parts))
    if max(map(elementary.largest, question[1:])) > LARGEST:
        raise InvalidProblem(f"beyond the top level: a number above {LARGEST}")
    if str(question) != text:
        raise InvalidProblem(f"not canonical: {text[:40]!r} is written {str(question)[:60]!r}")
    return question


def _halves(text: str) -> list[str]:
    """What the slashes outside of groups divide."""
    depth, halves = 0, [""]
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == "/" and depth == 0:
            halves.append("")
        else:
            halves[-1] += letter
    return halves


def _bare(text: str) -> str:
    """Without parentheses around the whole."""
    depth = 0
    for i, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0 and i < len(text) - 1:
            return text
    return text[1:-1] if text[:1] == "(" else text


def _power(total: Sum) -> int:
    """The highest degree of a term, functions and what is in them aside."""
    return max(
        (
            sum(abs(p) * (_power(b.argument) if b.name == "" else 1) for b, p in term.factors)
            for term in total
        ),
        default=0,
    )


def _kind(question: Question) -> int:
    """What the knob `kind` has to allow."""
    above, below = elementary.expanded(question.above), elementary.expanded(question.below)
    if above is None or below is None:
        simple = len(question.above) <= 2 and len(question.below) <= 2
        return FUNCTIONS if simple and _count(question) <= 2 else SERIES
    if question.at is None:
        return INFINITY
    return POINT if len(below) == 2 and below[0] == 1 else DEGREES


def _count(question: Question) -> int:
    """The number of functions."""
    return str(question).count("n(") + str(question).count("cos") + str(question).count("e^")


def _polynomial(total: Sum) -> Poly:
    """The coefficients."""
    flat = elementary.expanded(total)
    if not flat:
        raise InvalidProblem("no solution: functions at another number than 0")
    return flat


def _limit(question: Question) -> tuple[Fraction, int]:
    """The limit, and how many orders cancel."""
    if question.at is None:
        above, below = (_polynomial(part) for part in (question.above, question.below))
        if len(above) != len(below):
            raise InvalidProblem("no solution: the degrees differ, the limit is 0 or infinite")
        if len(below) == 1:
            raise InvalidProblem("trivial: the limit of a number")
        return Fraction(above[0], below[0]), 1
    if question.at == 0:
        top, bottom = series.of_sum(question.above), series.of_sum(question.below)
    else:
        top, bottom = (
            [Fraction(value) for value in _shifted(_polynomial(part), question.at)]
            for part in (question.above, question.below)
        )
    high, low = series.order(top), series.order(bottom)
    if high is None or low is None or high != low:
        raise InvalidProblem("no solution: the limit is 0, infinite or of a too high order")
    if low == 0:
        raise InvalidProblem("trivial: nothing cancels, insert the number")
    return top[low] / bottom[low], low


def _shifted(poly: Poly, at: int) -> list[int]:
    """The coefficients in powers of x-at, lowest first, by repeated division."""
    result: list[int] = []
    while poly:
        quotient, rest = _divided(poly, at)
        result.append(rest)
        poly = quotient
    return result


def _divided(poly: Poly, at: int) -> tuple[Poly, int]:
    """Quotient and remainder of the division by x-at."""
    values = []
    for coefficient in poly:
        values.append(coefficient + at * (values[-1] if values else 0))
    return tuple(values[:-1]), values[-1]


def _cancel(question: Question) -> list[str]:
    """Both parts without their common factors, then with the number inserted."""
    assert question.at is not None
    above, below = _polynomial(question.above), _polynomial(question.below)
    lines: list[str] = []
    while polynomials.value(below, question.at) == 0:
        above, below = _divided(above, question.at)[0], _divided(below, question.at)[0]
        lines.append(_fraction(above, below))
    return [*lines, _inserted(above, below, question.at)]


def _differentiate(question: Question) -> list[str]:
    """Both parts differentiated until the lower one does not vanish, then the number inserted."""
    assert question.at is not None
    above, below = _polynomial(question.above), _polynomial(question.below)
    lines: list[str] = []
    while polynomials.value(below, question.at) == 0:
        above, below = _slope(above), _slope(below)
        lines.append(_fraction(above, below))
    return [*lines, _inserted(above, below, question.at)]


def _slope(poly: Poly) -> Poly:
    top = len(poly) - 1
    return tuple(value * (top - i) for i, value in enumerate(poly[:-1]))


def _fraction(above: Poly, below: Poly) -> str:
    if below == (1,):
        return polynomials.write(above)
    top, bottom = polynomials.write(above), polynomials.write(below)
    return f"({top})/({bottom})" if len(below) > 1 else f"({top})/{bottom}"


def _inserted(above: Poly, below: Poly, at: int) -> str:
    """2*3-1=5, for 2x-1 at 3: each term, then the sum."""
    shown = []
    for poly in (above, below):
        terms = [value * at ** (len(poly) - 1 - i) for i, value in enumerate(poly) if value]
        total = str(sum(terms))
        text = "+".join(map(str, terms)).replace("+-", "-")
        shown.append(f"{text}={total}" if len(terms) > 1 else total)
    return shown[0] if below == (1,) else ";".join(shown)


def _leading(question: Question) -> list[str]:
    """The leading term of each part that is a product, then the fraction of both."""
    parts = (question.above, question.below)
    leads = [elementary.write(elementary.polynomial(_polynomial(part))[:1]) for part in parts]
    lines = [
        f"{elementary.write(part)}:{lead}"
        for part, lead in zip(parts, leads, strict=True)
        if len(part) == 1
    ]
    return [*lines, f"{leads[0]}/({leads[1]})"]


def _expand(question: Question) -> list[str]:
    """The series of each function, then the first term of both parts."""
    _, order = _limit(question)
    lines: list[str] = []
    for part in (question.above, question.below):
        for term in part:
            for base, _ in term.factors:
                if base.name in elementary.FUNCTIONS:
                    shown = series.truncated(series.of_base(base), order)
                    lines.append(f"{elementary.written_factor(base)}:{elementary.write(shown)}")
    first = [
        elementary.write(series.truncated(series.of_sum(part), order))
        for part in (question.above, question.below)
    ]
    above = f"({first[0]})" if "/" in first[0] else first[0]
    below = first[1] if first[1][0] == "x" else f"({first[1]})"
    return [*dict.fromkeys(lines), f"{above}/{below}"]


def _draft(knobs: Mapping[str, int], rng: random.Random) -> Question:
    match knobs["kind"]:
        case 1:
            at = _signed(rng, FARTHEST)
            other = (rng.randint(min(2, knobs["lead"]), knobs["lead"]), _signed(rng, 15))
            return _question(at, polynomials.multiply((1, -at), other), (1, -at))
        case 2:
            return _at_infinity(rng, knobs["degree"])
        case 3:
            at = _signed(rng, 9)
            common = polynomials.product(1, [((1, -at), knobs["orders"])])
            rest = knobs["degree"] - knobs["orders"]
            above, below = (
                polynomials.multiply(common, _random(rng, degree))
                for degree in (rest, rng.randint(1, max(1, rest - 1)))
            )
            return _question(at, above, below)
        case 4:
            return _simple(rng)
    return _deep(rng, knobs["orders"])


def _question(at: int | None, above: Poly, below: Poly) -> Question:
    return Question(at, elementary.polynomial(above), elementary.polynomial(below))


def _random(rng: random.Random, degree: int) -> Poly:
    """A polynomial without gaps."""
    lead = rng.randint(1, 6)
    return (lead, *(_signed(rng, 9) for _ in range(degree)))


def _at_infinity(rng: random.Random, degree: int) -> Question:
    """One part a product of groups in half of the cases, terms in any order."""
    degree = rng.randint(2, degree)
    parts: list[Sum] = []
    for _ in "12":
        if rng.random() < 0.5:
            groups = [
                elementary.of_sum(elementary.polynomial(_random(rng, 1))) for _ in range(degree)
            ]
            parts.append((elementary.times(*groups),))
        else:
            terms = list(elementary.polynomial((_signed(rng, 9), *_random(rng, degree)[1:])))
            rng.shuffle(terms)
            parts.append(tuple(terms))
    return Question(None, parts[0], parts[1])


def _simple(rng: random.Random) -> Question:
    """One function over another one or a power of x, both of first or second order."""
    order = rng.randint(1, 2)
    above = _vanishing(rng, order)
    below = _vanishing(rng, order)
    if rng.random() < 0.5:
        below = (elementary.monomial(rng.randint(1, 20), order),)
    return Question(0, above, below)


def _vanishing(rng: random.Random, order: int) -> Sum:
    """A multiple of a function that vanishes at 0 to this order."""
    number, factor = _signed(rng, 20), rng.randint(2, 12)
    argument = elementary.polynomial((factor, 0))
    names = ("sin", "e^", "ln") if order == 1 else ("cos",)
    name = rng.choice(names)
    if name == "ln":
        argument = elementary.polynomial((factor, 1))
    term = Term(Fraction(number), (elementary.apply(name, argument),))
    if name in ("sin", "ln"):
        return (term,)
    return (term, elementary.monomial(-number, 0))


def _deep(rng: random.Random, orders: int) -> Question:
    """A sum or product of two functions less its first terms, over a power of that order."""
    order = rng.randint(max(2, orders - 2), orders)
    one, other = (_factor(rng) for _ in "12")
    if rng.random() < 0.4:
        total = (elementary.times(Term(Fraction(_signed(rng, 5))), one, other),)
    else:
        total = elementary.collect(
            elementary.times(Term(Fraction(_signed(rng, 5))), factor) for factor in (one, other)
        )
    first = series.truncated(series.of_sum(total), order - 1)
    above = elementary.collect([*total, *(t._replace(coefficient=-t.coefficient) for t in first)])
    below = elementary.monomial(rng.randint(1, 4), order)
    if rng.random() < 0.4:
        sine = elementary.apply("sin", elementary.polynomial((rng.randint(2, 5), 0)))
        below = elementary.times(elementary.monomial(1, order - 1), Term(Fraction(1), (sine,)))
    return Question(0, above, (below,))


def _factor(rng: random.Random) -> Term:
    """A function of a multiple of x, with factors for which Taylor terms are simple."""
    factor = rng.choice((1, 2, 2, 3, 4, 6)) * rng.choice((-1, 1, 1))
    name = rng.choice(elementary.FUNCTIONS)
    argument = elementary.polynomial((abs(factor), 0) if name in ("sin", "cos") else (factor, 0))
    if name == "ln":
        argument = elementary.polynomial((factor, 1))
    return Term(Fraction(1), (elementary.apply(name, argument),))


def _signed(rng: random.Random, largest: int) -> int:
    return rng.randint(1, largest) * rng.choice((-1, 1))
