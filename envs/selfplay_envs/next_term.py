"""Next term: p2 1,4,9,16 asks for the next value of a polynomial of degree 2, 25.

The letter and number state the family, so that the answer is unique: p1 to p4 are polynomials of
that degree in the place; r1 is a'=p*a+q; r2 is a''=p*a'+q*a; s2 is a''=p*a'+q*a+c, with whole p, q
and c. There is at least one term more than is needed to find them.
"""

import random
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from selfplay.grading import declare, grade_response
from selfplay.problem import ANSWER_OPEN, Environment, InvalidProblem, Knob, Problem, Verdict
from selfplay_envs.pace import Pace

KIND = declare({"kind": "integer"})
LARGEST = 99_999
"""Largest absolute value of a term."""
LARGEST_RULE = 300
"""Largest absolute value of a difference or coefficient that a sequence is posed with."""

_NUMBER = "(?:0|-?[1-9][0-9]{0,5})"
_TEXT = re.compile(rf"(p[1-4]|r[12]|s2) ({_NUMBER}(?:,{_NUMBER}){{2,9}})\Z")
_POSED = re.compile(rf"(p[1-4]|r[12]|s2):({_NUMBER}(?:,{_NUMBER}){{1,4}})\*([3-9])\Z")
_NEEDED = {"p1": 3, "p2": 4, "p3": 5, "p4": 6, "r1": 4, "r2": 5, "s2": 6}
"""Fewest terms, one of them redundant."""
_PARTS = {"p1": 2, "p2": 3, "p3": 4, "p4": 5, "r1": 3, "r2": 4, "s2": 5}
"""Numbers that a sequence is posed with."""
_RANK = {"p1": 1, "p2": 2, "r1": 3, "p3": 4, "r2": 5, "p4": 6, "s2": 7}
"""How advanced each family is, as the knob `family` counts."""


class Question(NamedTuple):
    """A family, the terms, and the numbers that pose it."""

    family: str
    terms: tuple[int, ...]
    rule: tuple[int, ...]
    """First value and differences; or first values and coefficients of a recurrence."""


class NextTerm(Environment):
    """Continue a sequence of a stated family."""

    name = "next_term"
    summary = "p2 1,4,9,16: the next term of a polynomial or recurrent sequence"
    instruction = (
        "Find the next term of the sequence. p1, p2, p3 or p4 before it says that it is given by a "
        "polynomial of that degree; r1 that each term is p times the one before plus q; r2 that it "
        "is p times the one before plus q times the one before that; s2 the same plus a constant "
        "c; all of p, q and c are integers. The answer is an integer."
    )
    verifier = "integer"
    guess_bound = 0.05
    crowded = 2
    knobs = {
        "family": Knob(
            (1, 2, 2, 3, 3, 4, 5, 6, 7),
            "kind",
            "1 p1, 2 p2, 3 r1, 4 p3, 5 r2, 6 p4, 7 s2",
        ),
        "largest": Knob(
            (99, 99, 299, 1999, 9999, 1999, 9999, 9999, 99999), "value", "larger terms and answers"
        ),
    }

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """A random rule of the latest family, as a proposer writes it."""
        family = next(name for name, rank in _RANK.items() if rank == knobs["family"])
        count = _NEEDED[family] + (family[0] == "r" and rng.random() < 0.5)
        return f"{family}:{','.join(map(str, _rule(family, knobs, rng)))}*{count}"

    def parse(self, text: str) -> Problem:
        """Read a sequence or its rule (p2:1,3,2*4 is p2 1,4,9,16); the gold is the next term."""
        question = _posed(text) if ":" in text else _read(text)
        gold = _continued(question.family, question.rule, len(question.terms) + 1)[-1]
        level = self.easiest(
            family=_RANK[question.family], largest=max(map(abs, (*question.terms, gold)))
        )
        text = f"{question.family} {','.join(map(str, question.terms))}"
        return Problem(self.name, level, text, signature=text, gold=str(gold))

    def pose(self, problem: Problem) -> str:
        """By its rule: few random numbers are of a family."""
        family, terms, rule = _read(problem.text)
        return f"{family}:{','.join(map(str, rule))}*{len(terms)}"

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if the answer is the next term."""
        return grade_response(KIND, problem.gold, response)

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """Rows of differences, then sums back up; or the coefficients, then the recurrence.

        3,5,7;2,2;7+2=9;16+9=25 for p2 1,4,9,16.
        """
        question = _read(problem.text)
        lines = _work_differences(question) if question.family[0] == "p" else _work(question)
        return f"{';'.join(Pace.draw(rng).skim(lines))}{ANSWER_OPEN}{problem.gold}"


def _differences(terms: Sequence[int]) -> list[int]:
    return [b - a for a, b in zip(terms, terms[1:], strict=False)]


def _posed(text: str) -> Question:
    """The sequence that a rule stands for."""
    found = _POSED.match(text)
    if found is None:
        raise InvalidProblem(f"malformed: {text[:40]!r} is not like 'p2:1,3,2*4'")
    family, count = found[1], int(found[3])
    rule = tuple(map(int, found[2].split(",")))
    if len(rule) != _PARTS[family]:
        raise InvalidProblem(f"malformed: {family} is posed with {_PARTS[family]} numbers")
    if max(map(abs, rule[1:])) > LARGEST_RULE or abs(rule[0]) > LARGEST:
        raise InvalidProblem("beyond the top level: large differences or coefficients")
    terms = _continued(family, rule, count)
    if max(map(abs, terms)) > LARGEST:
        raise InvalidProblem(f"beyond the top level: a term above {LARGEST}")
    return _read(f"{family} {','.join(map(str, terms))}")


def _read(text: str) -> Question:
    found = _TEXT.match(text)
    if found is None:
        raise InvalidProblem(f"malformed: {text[:40]!r} is not like 'p2 1,4,9,16'")
    family, terms = found[1], tuple(map(int, found[2].split(",")))
    if max(map(abs, terms)) > LARGEST:
        raise InvalidProblem(f"beyond the top level: a term above {LARGEST}")
    if len(terms) < _NEEDED[family]:
        raise InvalidProblem(f"not unique: {family} needs {_NEEDED[family]} terms")
    rule = _found(family, terms)
    if max(map(abs, rule[1:])) > LARGEST_RULE:
        raise InvalidProblem("beyond the top level: large differences or coefficients")
    if _continued(family, rule, len(terms)) != list(terms):
        raise InvalidProblem(f"no solution: the terms are not of the family {family}")
    return Question(family, terms, rule)


def _found(family: str, terms: tuple[int, ...]) -> tuple[int, ...]:
    """The only rule of the family that the first terms allow."""
    if family[0] == "p":
        rule: list[int] = []
        row: Sequence[int] = terms
        for _ in range(int(family[1]) + 1):
            rule.append(row[0])
            row = _differences(row)
        if rule[-1] == 0:
            raise InvalidProblem("not canonical: a polynomial of lower degree")
        return tuple(rule)
    if family == "r1":
        first, second = _differences(terms[:3])
        p = _whole(second, first)
        if p in (0, 1):
            raise InvalidProblem("not canonical: a polynomial of lower degree")
        return (terms[0], p, terms[1] - p * terms[0])
    row = terms if family == "r2" else _differences(terms)
    a, b, c, d = row[:4]
    # c = p*b + q*a and d = p*c + q*b, by Cramer's rule.
    determinant = b * b - a * c
    p, q = _whole(b * c - a * d, determinant), _whole(b * d - c * c, determinant)
    if q == 0:
        raise InvalidProblem("not canonical: a recurrence of the first order")
    if family == "r2":
        return (a, b, p, q)
    constant = terms[2] - p * terms[1] - q * terms[0]
    if constant == 0:
        raise InvalidProblem("not canonical: of the family r2")
    return (terms[0], terms[1], p, q, constant)


def _whole(above: int, below: int) -> int:
    if below == 0:
        raise InvalidProblem("not unique: the terms do not determine the rule")
    value = Fraction(above, below)
    if value.denominator != 1:
        raise InvalidProblem("no solution: the rule has no whole coefficients")
    return value.numerator


def _continued(family: str, rule: Sequence[int], count: int) -> list[int]:
    """So many terms by the rule; stops where they exceed all bounds."""
    if family[0] == "p":
        row, terms = list(rule), []
        for _ in range(count):
            terms.append(row[0])
            row = [value + after for value, after in zip(row, [*row[1:], 0], strict=True)]
        return terms
    if family == "r1":
        terms, (p, q) = [rule[0]], rule[1:]
        while len(terms) < count:
            terms.append(p * terms[-1] + q)
        return terms
    terms, (p, q, *constant) = list(rule[:2]), rule[2:]
    while len(terms) < count:
        terms.append(p * terms[-1] + q * terms[-2] + sum(constant))
    return terms


def _work_differences(question: Question) -> list[str]:
    rows: list[list[int]] = [list(question.terms)]
    for _ in range(int(question.family[1])):
        rows.append(_differences(rows[-1]))
    lines = [",".join(map(str, row)) for row in rows[1:]]
    step = rows[-1][-1]
    for row in reversed(rows[:-1]):
        lines.append(f"{row[-1]}{step:+d}={row[-1] + step}")
        step += row[-1]
    return lines


def _work(question: Question) -> list[str]:
    """The coefficients from the first terms, then the recurrence on the last ones."""
    family, terms, rule = question
    if family == "r1":
        first, second = _differences(terms[:3])
        _, p, q = rule
        return [
            f"p={second}/{first}={p}",
            f"q={terms[1]}{-p * terms[0]:+d}={q}",
            f"{p}*{terms[-1]}={p * terms[-1]}",
            f"{p * terms[-1]}{q:+d}",
        ]
    lines: list[str] = []
    row = list(terms)
    if family == "s2":
        row = _differences(terms)
        lines.append(",".join(map(str, row)))
    a, b, c, d = row[:4]
    p, q = rule[2:4]
    below = b * b - a * c
    lines += [
        f"D={b * b}{-a * c:+d}={below}",
        f"p=({b * c}{-a * d:+d})/{below}={p}",
        f"q=({b * d}{-c * c:+d})/{below}={q}",
        f"{p}*{row[-1]}{q * row[-2]:+d}={p * row[-1] + q * row[-2]}",
    ]
    if family == "s2":
        lines.append(f"{terms[-1]}{p * row[-1] + q * row[-2]:+d}")
    return lines


def _rule(family: str, knobs: Mapping[str, int], rng: random.Random) -> list[int]:
    """Random numbers that pose a sequence."""
    largest = knobs["largest"]
    match family:
        case "p1":
            return [rng.randint(0, 60), _signed(rng, 20)]
        case "p2":
            size = 12 if largest < 100 else 60
            return [rng.randint(-size, 2 * size), rng.randint(-size, size), _signed(rng, size)]
        case "p3" | "p4":
            size = (20, 12, 12, 9) if family == "p3" else (40, 30, 30, 20, 12)
            return [rng.randint(-n, n) for n in size[:-1]] + [_signed(rng, size[-1])]
        case "r1":
            p = (
                rng.randint(2, 4)
                if largest < 2000
                else rng.choice((-7, -6, -5, -4, -3, -2, 4, 5, 6, 7))
            )
            return [rng.randint(-120, 160), p, rng.choice((-1, 1)) * rng.randint(0, 300)]
        case "r2":
            starts = [rng.randint(-30, 30), rng.randint(-30, 30)]
            return [*starts, _signed(rng, 3), _signed(rng, 4)]
    starts = [rng.randint(-9, 9), rng.randint(-9, 9)]
    return [*starts, _signed(rng, 5), _signed(rng, 6), _signed(rng, 20)]


def _signed(rng: random.Random, largest: int) -> int:
    return rng.randint(1, largest) * rng.choice((-1, 1))
