"""Number bases: 241 b5 to b10 is 71; 2a+1f b16 is 49; digits above 9 are letters.

Either a number is to be written in another base, or two numbers of one base are added, subtracted
or multiplied. Difficulty is the kind, the bases and the number of digits.
"""

import random
import re
from collections.abc import Mapping
from typing import NamedTuple

from selfplay.grading import declare, grade_response
from selfplay.problem import ANSWER_OPEN, Environment, InvalidProblem, Knob, Problem, Verdict
from selfplay_envs.pace import Pace

KIND = declare({"kind": "text", "case": "ignore", "whitespace": "remove"})
LARGEST_BASE = 36
"""As many digits as there are figures and letters."""
TO_TEN, FROM_TEN, SUM, BETWEEN, PRODUCT = range(1, 6)
"""Values of the knob `kind`."""

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_NUMBER = "(?:0|[1-9a-z][0-9a-z]{0,11})"
_BASE = "([1-9][0-9]?)"
_CONVERSION = re.compile(rf"({_NUMBER}) b{_BASE} to b{_BASE}\Z")
_ARITHMETIC = re.compile(rf"({_NUMBER})([-+*])({_NUMBER}) b{_BASE}\Z")


class Question(NamedTuple):
    """One or two numbers in a base."""

    first: str
    base: int
    operator: str
    """What to do with a second number; "" for a conversion."""
    second: str
    target: int
    """The base of the answer."""

    def __str__(self) -> str:
        """In canonical notation."""
        if self.operator:
            return f"{self.first}{self.operator}{self.second} b{self.base}"
        return f"{self.first} b{self.base} to b{self.target}"


class NumberBases(Environment):
    """Write and compute numbers in other bases than ten."""

    name = "number_bases"
    summary = "241 b5 to b10: conversions between bases, arithmetic in them"
    instruction = (
        "Write the number, given in the base after the first b, in the base after the second b; or "
        "compute the sum, difference or product of two numbers of that base, in that base. Digits "
        "above 9 are the letters a, b, c and so on. The answer is the number alone, such as 3f, "
        "without its base and without zeros in front."
    )
    verifier = "text"
    guess_bound = 0.05
    crowded = 3
    knobs = {
        "kind": Knob((1, 1, 2, 3, 3, 4, 4, 3, 5), "kind",
                     "1 to base 10, 2 from it, 3 sums and differences, 4 other bases, 5 "
                     "products"),
        "base": Knob((9, 9, 9, 9, 16, 9, 16, 16, 36), "value", "larger bases"),
        "digits": Knob((3, 4, 3, 5, 5, 5, 5, 12, 12), "digits", "longer numbers"),
    }  # fmt: skip

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """Random numbers with about as many digits as allowed."""
        return str(_draft(knobs, rng))

    def parse(self, text: str) -> Problem:
        """Read the numbers; the gold is the answer in its base."""
        question = _read(text)
        level = self.easiest(
            kind=_kind(question),
            base=max(base for base in (2, question.base, question.target) if base != 10),
            digits=max(len(question.first), len(question.second)),
        )
        if question.base == question.target and not question.operator:
            raise InvalidProblem("trivial: the same base")
        value = _value(question)
        if value < 0:
            raise InvalidProblem("no solution: a negative difference")
        gold = _written(value, question.target)
        if gold in (question.first, question.second):
            raise InvalidProblem("trivial: the answer stands in the statement")
        sides = sorted((question.first, question.second)) if question.operator in ("+", "*") else ()
        signature = f"{question.operator.join(sides)} b{question.base}" if sides else text
        return Problem(self.name, level, text, signature=signature, gold=gold)

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if the answer is the number; capital letters and spaces do not matter."""
        return grade_response(KIND, problem.gold, response)

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """Multiply and add digit by digit; divide with remainder; or column by column.

        2*5+4=14;14*5+1=71 for 241 b5 to b10, and 71=14*5+1;14=2*5+4;2=0*5+2 for the way back.
        """
        question = _read(problem.text)
        if question.operator:
            lines = _columns(question) if question.operator != "*" else _partial_products(question)
        else:
            lines = _to_ten(question.first, question.base) if question.base != 10 else []
            if question.target != 10:
                lines += _from_ten(int(question.first, question.base), question.target)
        return f"{';'.join(Pace.draw(rng).skim(lines))}{ANSWER_OPEN}{problem.gold}"


def _read(text: str) -> Question:
    if conversion := _CONVERSION.match(text):
        first, base, target = conversion.groups()
        question = Question(first, int(base), "", "", int(target))
    elif arithmetic := _ARITHMETIC.match(text):
        first, operator, second, base = arithmetic.groups()
        question = Question(first, int(base), operator, second, int(base))
    else:
        raise InvalidProblem(f"malformed: {text[:40]!r} is not like '241 b5 to b10' or '2a+1f b16'")
    for base in (question.base, question.target):
        if not 2 <= base <= LARGEST_BASE:
            raise InvalidProblem(f"malformed: no base {base}, from 2 to {LARGEST_BASE} there are")
    digits = question.first + question.second
    if max(map(_DIGITS.index, digits)) >= question.base:
        raise InvalidProblem(f"malformed: {max(digits)!r} is no digit in base {question.base}")
    if "0" in (question.first, question.second) or (question.operator == "*" and "1" in
                                                    (question.first, question.second)):  # fmt: skip
        raise InvalidProblem("trivial: nothing is to be done")
    return question


def _kind(question: Question) -> int:
    """What the knob `kind` has to allow."""
    if question.operator:
        return PRODUCT if question.operator == "*" else SUM
    return TO_TEN if question.target == 10 else FROM_TEN if question.base == 10 else BETWEEN


def _value(question: Question) -> int:
    first = int(question.first, question.base)
    if not question.operator:
        return first
    second = int(question.second, question.base)
    match question.operator:
        case "+":
            return first + second
        case "-":
            return first - second
    return first * second


def _written(value: int, base: int) -> str:
    digits = ""
    while value or not digits:
        value, digit = divmod(value, base)
        digits = _DIGITS[digit] + digits
    return digits


def _to_ten(number: str, base: int) -> list[str]:
    """Horner's rule, digit by digit."""
    total, lines = _DIGITS.index(number[0]), []
    if number[0] > "9":
        lines.append(f"{number[0]}={total}")
    for letter in number[1:]:
        digit = _DIGITS.index(letter)
        lines.append(f"{total}*{base}+{digit}={total * base + digit}")
        total = total * base + digit
    return lines


def _from_ten(value: int, base: int) -> list[str]:
    """Divisions with remainder; the remainders are the digits, the last one first."""
    lines = []
    while value:
        quotient, digit = divmod(value, base)
        name = f":{_DIGITS[digit]}" if digit > 9 else ""
        lines.append(f"{value}={quotient}*{base}+{digit}{name}")
        value = quotient
    return lines


def _columns(question: Question) -> list[str]:
    """A column after the other from the right, with what is carried or borrowed."""
    width = max(len(question.first), len(question.second))
    rows = zip(question.first.zfill(width)[::-1], question.second.zfill(width)[::-1], strict=True)
    carry, lines = 0, []
    for upper, lower in rows:
        total = _DIGITS.index(upper) + carry
        total += _DIGITS.index(lower) * (1 if question.operator == "+" else -1)
        carried = f"{carry:+d}" if carry else ""
        carry, digit = divmod(total, question.base)
        shown = f"{upper}{question.operator}{lower}{carried}={total}"
        lines.append(f"{shown}:{_DIGITS[digit]}" + (f" c{carry}" if carry else ""))
    return lines


def _partial_products(question: Question) -> list[str]:
    """The first number times each digit of the second, then the sums, all in the base."""
    base, first = question.base, int(question.first, question.base)
    total, lines = 0, []
    for place, digit in enumerate(reversed(question.second)):
        product = first * _DIGITS.index(digit)
        lines.append(f"{question.first}*{digit}={_written(product, base)}")
        shifted = product * base**place
        if total and shifted:
            lines.append(f"{_written(total, base)}+{_written(shifted, base)}="
                         f"{_written(total + shifted, base)}")  # fmt: skip
        total += shifted
    return lines


def _draft(knobs: Mapping[str, int], rng: random.Random) -> Question:
    kind, largest, digits = knobs["kind"], knobs["base"], knobs["digits"]
    least = 5 if kind == BETWEEN else 11 if largest > 9 else 3
    base = rng.randint(least, largest)
    match kind:
        case 1:
            return Question(_random(rng, base, digits), base, "", "", 10)
        case 2:
            return Question(_random(rng, 10, digits), 10, "", "", base)
        case 4:
            other = rng.choice([n for n in range(4, largest + 1) if n not in (10, base)])
            return Question(_random(rng, base, digits), base, "", "", other)
        case 3:
            return _sum(rng, base, digits)
    first, second = _random(rng, base, 5), _random(rng, base, 4)
    if rng.random() < 0.15:
        return _sum(rng, base, digits)
    return Question(first, base, "*", second, base)


def _sum(rng: random.Random, base: int, digits: int) -> Question:
    first, second = (_random(rng, base, rng.randint(digits - 1, digits)) for _ in "12")
    operator = rng.choice("+-")
    if operator == "-" and int(first, base) < int(second, base):
        first, second = second, first
    return Question(first, base, operator, second, base)


def _random(rng: random.Random, base: int, digits: int) -> str:
    first = _DIGITS[rng.randrange(1, base)]
    return first + "".join(_DIGITS[rng.randrange(base)] for _ in range(digits - 1))
