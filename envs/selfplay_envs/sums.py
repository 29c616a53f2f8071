"""Sums: sum 1..4 3k+1 is 34; sum 1..n k^2 asks for a closed form in n.

The summand is a polynomial in k, a polynomial times a power (k^2*3^k, (2k+1)*2^k), or a fraction
that telescopes, 1/(k(k+3)). Difficulty is the form, the degree, the number of summands and whether
a closed form is asked for.
"""

import random
import re
from collections.abc import Mapping
from fractions import Fraction
from math import comb, lcm
from typing import NamedTuple

from selfplay.grading import declare, grade_response
from selfplay.problem import ANSWER_OPEN, Environment, InvalidProblem, Knob, Problem, Verdict
from selfplay_envs import polynomials
from selfplay_envs.pace import Pace
from selfplay_envs.polynomials import Poly

NUMBER = declare({"kind": "rational"})
CLOSED = declare({"kind": "expression", "variables": ["n"]})
POLYNOMIAL, POWER, TELESCOPE = 1, 2, 3
"""Values of the knob `form`."""
SHORT = 8
"""Most summands that a worked solution adds one by one."""
MOST = 200
"""Most summands."""
LARGEST = 99
"""Largest number in a summand."""

_TEXT = re.compile(r"sum (0|[1-9][0-9]{0,2})\.\.(n|[1-9][0-9]{0,2}) (\S{1,50})\Z")
_POWER = re.compile(r"(.+)\*([2-9])\^k\Z")
_TELESCOPE = re.compile(r"([1-9][0-9]?)/\((k|\(k\+[1-9]\))(\(k\+[1-9]\))\)\Z")

Coefficients = tuple[Fraction, ...]
"""Of a polynomial, highest power first."""


class Question(NamedTuple):
    """A summand and its range."""

    first: int
    last: int | None
    """None for n."""
    poly: Poly
    """In k; the numerator of a fraction."""
    base: int = 1
    """What is raised to the power k."""
    shifts: tuple[int, int] | None = None
    """The summand is over (k+a)(k+b)."""

    def __str__(self) -> str:
        """In canonical notation."""
        poly = polynomials.write(self.poly, "k")
        if self.shifts:
            first, second = (f"(k+{shift})" if shift else "k" for shift in self.shifts)
            poly = f"{poly}/({first}{second})"
        elif self.base > 1 and self.poly == (1,):
            poly = f"{self.base}^k"
        elif self.base > 1:
            group = poly if sum(map(bool, self.poly)) == 1 else f"({poly})"
            poly = f"{group}*{self.base}^k"
        return f"sum {self.first}..{'n' if self.last is None else self.last} {poly}"

    @property
    def form(self) -> int:
        """What the knob `form` has to allow."""
        return TELESCOPE if self.shifts else POWER if self.base > 1 else POLYNOMIAL

    def summand(self, k: int) -> Fraction:
        """The value at k."""
        below = (k + self.shifts[0]) * (k + self.shifts[1]) if self.shifts else 1
        return Fraction(polynomials.value(self.poly, k) * self.base**k, below)


class Sums(Environment):
    """Add up the values of a formula."""

    name = "sums"
    summary = "sum 1..4 3k+1: polynomials, powers, telescopes, closed forms in n"
    instruction = (
        "Add the values of the formula for all whole k from the first to the last number of the "
        "range. If the last number is n, the answer is a formula in n such as n(n+1)/2, in any "
        "equal form; otherwise it is an integer or a fraction such as 3/4."
    )
    verifier = "rational or expression"
    guess_bound = 0.05
    crowded = 3
    knobs = {
        "form": Knob((1, 1, 1, 1, 1, 3, 1, 2, 3), "kind", "1 polynomial, 2 powers, 3 telescopes"),
        "degree": Knob((1, 2, 1, 1, 2, 0, 2, 2, 4), "power", "higher powers of k"),
        "count": Knob((4, 4, 6, 99, 50, 50, 50, 50, 200), "summands", "longer sums"),
        "closed": Knob((0, 0, 0, 0, 0, 0, 1, 1, 1), "0 or 1", "closed forms"),
    }

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """A random formula of the latest form."""
        return str(_draft(knobs, rng))

    def parse(self, text: str) -> Problem:
        """Read a range and a formula; the gold is the sum."""
        question = _read(text)
        if not question.poly or (len(question.poly) == 1 and question.form == POLYNOMIAL):
            raise InvalidProblem("trivial: a sum of equal numbers")
        count = 0 if question.last is None else question.last - question.first + 1
        level = self.easiest(
            form=question.form,
            degree=len(question.poly) - 1,
            count=count,
            closed=int(question.last is None),
        )
        gold = _closed(question) if question.last is None else str(_total(question))
        return Problem(self.name, level, text, signature=text, gold=gold)

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if the answer equals the sum, for all n where it is a closed form."""
        kind = CLOSED if "..n " in problem.text else NUMBER
        return grade_response(kind, problem.gold, response)

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """Short sums one by one; long ones by the sums of powers; telescopes by what is left.

        4+7=11;11+10=21;21+13=34 for sum 1..4 3k+1.
        """
        question = _read(problem.text)
        if question.last is None:
            lines = _work_closed(question)
        elif question.shifts:
            lines = _work_telescope(question, question.last)
        elif question.last - question.first < SHORT:
            lines = _one_by_one(question, question.last, rng)
        else:
            lines = _work_powers(question, question.last)
        return f"{';'.join(Pace.draw(rng).skim(lines))}{ANSWER_OPEN}{problem.gold}"

    def estimate(self, problem: Problem) -> float:
        """The length of the working, and 15 times that of the answer: how large numbers grow."""
        return super().estimate(problem) + 15.0 * len(problem.gold)


def _read(text: str) -> Question:
    found = _TEXT.match(text)
    if found is None or "x" in found[3]:
        raise InvalidProblem(f"malformed: {text[:40]!r} is not like 'sum 1..4 3k+1'")
    first = int(found[1])
    last = None if found[2] == "n" else int(found[2])
    if last is None and first != 1:
        raise InvalidProblem("not canonical: a sum up to n begins at 1")
    if last is not None and not first < last < first + MOST:
        raise InvalidProblem(f"trivial: no range of 2 to {MOST} summands")
    question = _with_formula(Question(first, last, ()), found[3])
    if max(map(abs, question.poly), default=0) > LARGEST:
        raise InvalidProblem(f"beyond the top level: a number above {LARGEST}")
    if str(question) != text:
        raise InvalidProblem(f"not canonical: {text[:60]!r} is written {str(question)[:60]!r}")
    return question


def _with_formula(question: Question, text: str) -> Question:
    if telescope := _TELESCOPE.match(text):
        first, second = (int(part.strip("(k+)") or 0) for part in telescope.groups()[1:])
        if question.last is None or not first < second or question.first + first == 0:
            raise InvalidProblem("no solution: shifts that do not ascend, by zero, or up to n")
        return question._replace(poly=(int(telescope[1]),), shifts=(first, second))
    base = 1
    if re.fullmatch(r"[2-9]\^k", text):
        text = f"1*{text}"
    if power := _POWER.match(text):
        text, base = power[1], int(power[2])
        if text.startswith("(") and text.endswith(")"):
            text = text[1:-1]
    poly = polynomials.read(text.replace("k", "x"))
    if poly is None:
        raise InvalidProblem(f"malformed: {text[:40]!r} is no polynomial in k like 3k^2-1")
    return question._replace(poly=poly, base=base)


def _total(question: Question) -> Fraction:
    assert question.last is not None
    places = range(question.first, question.last + 1)
    return sum((question.summand(k) for k in places), Fraction(0))


def _antidifference(poly: Poly, base: int) -> Coefficients:
    """The q with q(k)*base^k - q(k-1)*base^(k-1) = poly(k)*base^k and, for base 1, q(0) = 0."""
    # base*q(k) - q(k-1) = base*poly(k): the coefficients follow from the highest one downwards.
    size = len(poly) + (base == 1)
    q = [Fraction(0)] * size  # lowest power first
    wanted = [Fraction(0)] * size
    for power, value in enumerate(reversed(poly)):
        wanted[power] = Fraction(base * value)
    for power in range(size - 1, -1 if base > 1 else 0, -1):
        # (k-1)^j brings comb(j, i)*(-1)^(j-i) of each higher coefficient to the power i.
        place = power if base > 1 else power - 1
        known = sum((q[j] * comb(j, place) * (-1) ** (j - place) for j in range(power + 1, size)),
                    Fraction(0))  # fmt: skip
        divisor = base - 1 if base > 1 else power
        q[power] = (wanted[place] + known) / divisor
    return tuple(reversed(q))


def _closed(question: Question) -> str:
    """q(n)*base^n - q(0), over one denominator."""
    q = _antidifference(question.poly, question.base)
    below = lcm(*(value.denominator for value in q))
    poly = polynomials.trim(int(value * below) for value in q)
    text = polynomials.write(poly, "n")
    if question.base > 1:
        group = text if sum(map(bool, poly)) == 1 else f"({text})"
        power = f"{question.base}^n"
        text = power if group == "1" else f"{group}*{power}"
        constant = -int(q[-1] * below)
        text += f"{constant:+d}" if constant else ""
    if below == 1:
        return text
    return f"{text}/{below}" if sum(map(bool, poly)) == 1 == question.base else f"({text})/{below}"


def _one_by_one(question: Question, last: int, rng: random.Random) -> list[str]:
    """The summands, then running totals; or the totals alone."""
    values = [question.summand(k) for k in range(question.first, last + 1)]
    lines = [",".join(map(str, values))] if rng.random() < 0.5 else []
    total = values[0]
    for value in values[1:]:
        sign = "" if value < 0 else "+"
        lines.append(f"{total}{sign}{value}={total + value}")
        total += value
    return lines


def _work_powers(question: Question, last: int) -> list[str]:
    """The sum of each power of k times its coefficient; powers of a base by the antidifference."""
    if question.base > 1:
        return _by_antidifference(question, str(last))
    lines, parts = [], []
    degree = len(question.poly) - 1
    for i, coefficient in enumerate(question.poly):
        total = sum(k ** (degree - i) for k in range(question.first, last + 1))
        if coefficient:
            lines += _power_sum(question.first, last, degree - i, total)
            parts.append(f"{coefficient}*{total}={coefficient * total}")
    return [
        *lines,
        *parts,
        parts[0].rpartition("=")[2]
        + "".join(f"{int(part.rpartition('=')[2]):+d}" for part in parts[1:]),
    ]


def _power_sum(first: int, last: int, power: int, total: int) -> list[str]:
    """How the sum of a power of k is found, where the range begins at 1."""
    if power == 0 or first != 1:
        return [f"k^{power}:{total}"] if first != 1 and power else []
    after, odd = last + 1, 2 * last + 1
    match power:
        case 1:
            return [f"{last}*{after}/2={total}"]
        case 2:
            return [f"{last}*{after}*{odd}/6={total}"]
    return [f"k^{power}:{total}"]


def _by_antidifference(question: Question, last: str) -> list[str]:
    closed = _closed(question).replace("n", "k")
    return [f"F={closed}", f"F({last})"]


def _work_closed(question: Question) -> list[str]:
    """The closed form of each power of k; or a function whose differences are the summands."""
    if question.base > 1:
        return _by_antidifference(question, "n")
    lines = []
    degree = len(question.poly) - 1
    for i, coefficient in enumerate(question.poly):
        if coefficient:
            alone = Question(1, None, polynomials.trim([coefficient, *([0] * (degree - i))]))
            lines.append(f"{str(alone).removeprefix('sum 1..n ')}:{_closed(alone)}")
    return lines


def _work_telescope(question: Question, last: int) -> list[str]:
    """The fractions at both ends that do not cancel, then the factor in front."""
    assert question.shifts is not None
    low, high = question.shifts
    gap = min(high - low, last - question.first + 1)
    plus = [question.first + low + i for i in range(gap)]
    minus = [last + high - i for i in range(gap)]
    left = sum((Fraction(1, k) for k in plus), Fraction(0))
    right = sum((Fraction(1, k) for k in minus), Fraction(0))
    factor = Fraction(question.poly[0], high - low)
    lines = []
    if gap > 1:
        lines = ["+".join(f"1/{k}" for k in ks) + f"={total}"
                 for ks, total in ((plus, left), (minus, right))]  # fmt: skip
    lines.append(f"{left}-{right}={left - right}")
    return lines if factor == 1 else [*lines, f"{factor}*{left - right}"]


def _draft(knobs: Mapping[str, int], rng: random.Random) -> Question:
    degree, count = knobs["degree"], knobs["count"]
    closed = knobs["closed"] and (knobs["form"] < TELESCOPE or rng.random() < 0.8)
    form = knobs["form"]
    if form == TELESCOPE and degree:  # the top level has every form
        form = rng.choice((POLYNOMIAL, POWER)) if closed else TELESCOPE
    if form == TELESCOPE:
        first = rng.randint(1, 9)
        low = rng.randint(0, 6)
        last = first + rng.randint(4, min(count - 1, 40))
        return Question(first, last, (rng.randint(1, 20),), 1, (low, low + rng.randint(1, 3)))
    powers = form == POWER
    if powers and degree > 1:
        degree = rng.randint(2, 3) if degree > 2 else 2
    elif degree > 2:
        degree = rng.randint(3, degree)
    # Wide where there are few numbers to choose, and each of them is small work.
    wide = degree == 1 or (closed and not powers)
    lead, other = (30, 50) if wide and count != 4 else (12, 25)
    poly = (rng.randint(1, lead), *(rng.randint(-other, other) for _ in range(degree)))
    base = rng.randint(2, 9) if powers else 1
    if closed:
        return Question(1, None, poly, base)
    first = rng.randint(0, 5) if count < SHORT else 1
    low = {4: 3 if degree == 1 else 4, 6: 5}.get(count, 12)
    return Question(first, first + rng.randint(low, count) - 1, poly, base)
