"""Counting: C(5,2)+P(4,2) is 22; sums, differences and products of numbers of arrangements.

C and P are combinations and permutations; W(3,2,1) counts the words of 3, 2 and 1 equal letters,
L(3,2) lattice paths, B(5,3) balls in boxes, D(5) permutations without fixed point, V(4,2) words
without two adjacent a, N(2,3,1) words whose first kind of letter is never adjacent to itself,
G(4,3,2,1) lattice paths that avoid a crossing, F(5,3) maps onto. Difficulty is which of them occur,
how many, and how large they are.
"""

import random
import re
from collections.abc import Callable, Mapping, Sequence
from math import comb, factorial, perm, prod
from typing import NamedTuple

from selfplay.grading import declare, grade_response
from selfplay.problem import ANSWER_OPEN, Environment, InvalidProblem, Knob, Problem, Verdict
from selfplay_envs.pace import Pace

KIND = declare({"kind": "integer"})
LARGEST = 30
"""Largest number in a text."""
SAMPLES = 60
"""Draws after which a small enough part has surely been found."""

_TEXT = re.compile(r"[CPWLBDVNGF]\([0-9,]{1,14}\)(?:[-+*][CPWLBDVNGF]\([0-9,]{1,14}\)){0,4}\Z")
_PART = re.compile(r"([-+*]?)([A-Z])\(([0-9,]+)\)")
_RANK = {"C": 1, "P": 1, "L": 2, "W": 2, "B": 3, "D": 4, "V": 4, "N": 5, "G": 5, "F": 6}
"""How advanced each is, as the knob `kind` counts."""


class Part(NamedTuple):
    """One number of arrangements, and the operator before it."""

    operator: str
    name: str
    numbers: tuple[int, ...]

    def __str__(self) -> str:
        """In canonical notation."""
        return f"{self.operator}{self.name}({','.join(map(str, self.numbers))})"


class Counting(Environment):
    """Count arrangements."""

    name = "counting"
    summary = "C(5,2)+P(4,2): combinations, words, lattice paths, onto maps"
    instruction = (
        "Compute the value; the answer is an integer. C(n,k) and P(n,k) count the ways to choose k "
        "of n things without and with order; W(a,b,...) the words of a letters of one kind, b of "
        "another and so on, all used; L(a,b) the shortest paths on a grid of a by b squares from "
        "corner to opposite corner; G(a,b,c,d) those of them that avoid the point (c,d), counted "
        "from the starting corner; B(n,k) the ways to put n equal balls into k different boxes; "
        "D(n) the permutations of n things without fixed point; V(n,k) the words of n letters from "
        "an alphabet of k without two adjacent a; N(a,b,...) the words as in W in which no two of "
        "the a letters of the first kind are adjacent; F(n,k) the maps of n things onto k things."
    )
    verifier = "integer"
    guess_bound = 0.05
    crowded = 3
    knobs = {
        "kind": Knob(
            (1, 2, 3, 2, 3, 4, 5, 6, 6),
            "kind",
            "1 C and P, 2 L and W, 3 B, 4 D and V, 5 N and G, 6 F",
        ),
        "parts": Knob((2, 2, 2, 3, 3, 3, 3, 3, 4), "numbers", "longer sums"),
        "largest": Knob(
            (60, 999, 999, 999, 999, 999, 9999, 9999, 999999), "value", "larger numbers"
        ),
    }

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """Random parts, at least one of the latest kind."""
        rank, largest, count = knobs["kind"], knobs["largest"], knobs["parts"]
        latest = rng.randrange(count)
        text = ""
        for i in range(count):
            operator = rng.choice("++-*" if largest > 99 else "++-") if text else ""
            ranks = (rank,) if i == latest else range(1, rank + 1)
            names = [name for name, own in _RANK.items() if own in ranks]
            text += str(_draft(operator, rng.choice(names), largest, rng))
        return text

    def parse(self, text: str) -> Problem:
        """Read the parts; the gold is the value of the whole."""
        parts = _read(text)
        self.easiest(kind=1, parts=len(parts), largest=1)
        values = [_value(part) for part in parts]
        level = self.easiest(
            kind=max(_RANK[part.name] for part in parts), parts=len(parts), largest=max(values)
        )
        if len(parts) == 1 and values[0] <= LARGEST:
            raise InvalidProblem("trivial: one small number")
        terms = _terms(parts, values)
        signature = " ".join(sorted(_signatures(parts)))
        return Problem(self.name, level, text, signature=signature, gold=str(sum(terms)))

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if the answer is the number."""
        return grade_response(KIND, problem.gold, response)

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """The value of each part by its formula, then the products, then the sum."""
        parts = _read(problem.text)
        values = [_value(part) for part in parts]
        lines = [_FORMULAS[part.name](part.numbers) for part in parts]
        lines = [
            f"{line}={value}" if line != str(value) else line
            for line, value in zip(lines, values, strict=True)
        ]
        shown = "".join(
            f"{part.operator}{value}" for part, value in zip(parts, values, strict=True)
        )
        if len(parts) > 1:
            lines.append(shown)
        terms = _terms(parts, values)
        if 1 < len(terms) < len(parts):
            lines.append("".join(f"{term:+d}" for term in terms).removeprefix("+"))
        return f"{';'.join(Pace.draw(rng).skim(lines))}{ANSWER_OPEN}{problem.gold}"


def _read(text: str) -> list[Part]:
    if not _TEXT.match(text):
        raise InvalidProblem(f"malformed: {text[:40]!r} is not like 'C(5,2)+P(4,2)'")
    parts = []
    for operator, name, listed in _PART.findall(text):
        if not re.fullmatch("[1-9][0-9]?(?:,[1-9][0-9]?)*", listed):
            raise InvalidProblem(f"malformed: {name}({listed})")
        part = Part(operator, name, tuple(map(int, listed.split(","))))
        if max(part.numbers) > LARGEST:
            raise InvalidProblem(f"beyond the top level: a number above {LARGEST}")
        if not _is_defined(part):
            raise InvalidProblem(f"malformed: {str(part)[:20]!r} is not defined or trivial")
        parts.append(part)
    return parts


def _is_defined(part: Part) -> bool:
    """Whether the numbers are as many and in such an order as the formula needs."""
    match part.name, part.numbers:
        case "C", (n, k):
            return k < n
        case (("P" | "F"), (n, k)):
            return 1 < k <= n
        case "L", (_, _):
            return True
        case (("B" | "V"), (n, k)):
            return n > 1 and k > 1
        case "D", (n,):
            return n > 2
        case "G", (a, b, c, d):
            return c <= a and d <= b and (c, d) != (a, b)
        case (("W" | "N"), numbers):
            return 1 < len(numbers) <= 4
    return False


def _words(numbers: Sequence[int]) -> int:
    return factorial(sum(numbers)) // prod(map(factorial, numbers))


def _value(part: Part) -> int:
    """How many arrangements there are."""
    match part.name, part.numbers:
        case "C", (n, k):
            return comb(n, k)
        case "P", (n, k):
            return perm(n, k)
        case "L", (a, b):
            return comb(a + b, a)
        case "B", (n, k):
            return comb(n + k - 1, n)
        case "D", (n,):
            return _derangements(n)[-1]
        case "V", (n, k):
            return _without_pairs(n, k)[-1]
        case "G", (a, b, c, d):
            return comb(a + b, a) - comb(c + d, c) * comb(a + b - c - d, a - c)
        case "F", (n, k):
            return sum((-1) ** i * comb(k, i) * (k - i) ** n for i in range(k))
        case "N", (first, *rest):
            return _words(rest) * comb(sum(rest) + 1, first)
    return _words(part.numbers)


def _derangements(n: int) -> list[int]:
    """Their numbers for 1 to n things."""
    values = [0, 1]
    while len(values) < n:
        values.append(len(values) * (values[-1] + values[-2]))
    return values


def _without_pairs(n: int, k: int) -> list[int]:
    """The numbers of words of 1 to n of k letters without aa."""
    values = [k, k * k - 1]
    while len(values) < n:
        values.append((k - 1) * (values[-1] + values[-2]))
    return values


def _terms(parts: Sequence[Part], values: Sequence[int]) -> list[int]:
    """The summands, products multiplied out."""
    terms: list[int] = []
    for part, value in zip(parts, values, strict=True):
        if part.operator == "*":
            terms[-1] *= value
        else:
            terms.append(-value if part.operator == "-" else value)
    return terms


def _signatures(parts: Sequence[Part]) -> list[str]:
    """A text for each summand, its factors in order."""
    groups: list[list[str]] = []
    for part in parts:
        bare = str(part._replace(operator=""))
        if part.operator == "*":
            groups[-1].append(bare)
        else:
            groups.append([bare])
            if part.operator == "-":
                groups[-1].insert(0, "-")
    return ["*".join(sorted(group)) for group in groups]


# The formulas as a worked solution writes them down.


def _choose(n: int, k: int) -> str:
    k = min(k, n - k)
    if k < 2:
        return str(comb(n, k))
    above = "*".join(str(n - i) for i in range(k))
    return f"{above}/{factorial(k)}"


def _of_words(numbers: Sequence[int]) -> str:
    """The letters placed kind after kind: 20*3 for 3, 2 and 1."""
    left = sum(numbers)
    factors = []
    for number in numbers[:-1]:
        factors.append(comb(left, number))
        left -= number
    return "*".join(map(str, factors)) or "1"


def _of_grid(numbers: Sequence[int]) -> str:
    a, b, c, d = numbers
    through = f"{comb(c + d, c)}*{comb(a + b - c - d, a - c)}"
    return f"{comb(a + b, a)}-{through}"


def _of_maps(numbers: Sequence[int]) -> str:
    n, k = numbers
    terms = [(-1) ** i * comb(k, i) * (k - i) ** n for i in range(k)]
    return "".join(f"{term:+d}" for term in terms).removeprefix("+")


_FORMULAS: Mapping[str, Callable[[Sequence[int]], str]] = {
    "C": lambda numbers: _choose(*numbers),
    "P": lambda numbers: "*".join(str(numbers[0] - i) for i in range(numbers[1])),
    "L": lambda numbers: _choose(sum(numbers), numbers[0]),
    "B": lambda numbers: _choose(sum(numbers) - 1, numbers[0]),
    "D": lambda numbers: ",".join(map(str, _derangements(numbers[0])[:-1])),
    "V": lambda numbers: ",".join(map(str, _without_pairs(*numbers)[:-1])),
    "W": _of_words,
    "N": lambda numbers: f"{_words(numbers[1:])}*{comb(sum(numbers[1:]) + 1, numbers[0])}",
    "G": _of_grid,
    "F": _of_maps,
}


def _draft(operator: str, name: str, largest: int, rng: random.Random) -> Part:
    """A random part of this name with a value within bounds; the last one tried if none is."""
    part = Part(operator, name, ())
    for _ in range(SAMPLES):
        part = Part(operator, name, _numbers(name, largest, rng))
        if _is_defined(part) and 1 < _value(part) <= largest:
            break
    return part


def _numbers(name: str, largest: int, rng: random.Random) -> tuple[int, ...]:
    most = 8 if largest < 100 else 12 if largest < 10_000 else 16
    match name:
        case "D":
            return (rng.randint(3, 9),)
        case "W" | "N":
            return tuple(rng.randint(1, 5) for _ in range(rng.randint(2, 4)))
        case "G":
            a, b = rng.randint(2, 8), rng.randint(2, 8)
            return (a, b, rng.randint(1, a), rng.randint(1, b))
        case "L" | "B":
            return (rng.randint(2, most - 2), rng.randint(2, most - 4))
        case "V":
            return (rng.randint(3, 9), rng.randint(2, 5))
        case "F":
            return (rng.randint(3, 8), rng.randint(2, 5))
    n = rng.randint(3, most)
    return (n, rng.randint(1 if name == "C" else 2, n - 1))
