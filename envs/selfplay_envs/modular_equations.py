"""Congruences: 3x=5 mod 7, 3x+4=2 mod 13, x=2 mod 3,x=3 mod 5, x^2+3x=7 mod 11.

A comma joins two or three linear congruences, with coprime moduli in ascending order, that must
all hold. All numbers are reduced. The answer is the least solution that is not negative. Linear
congruences have one solution up to the modulus, or they are refused; a quadratic one stands alone.
"""

import random
import re
from collections.abc import Mapping
from math import gcd
from typing import NamedTuple

from selfplay.grading import declare, grade_response
from selfplay.problem import ANSWER_OPEN, Environment, InvalidProblem, Knob, Problem, Verdict
from selfplay_envs import polynomials
from selfplay_envs.pace import Pace

KIND = declare({"kind": "integer"})
SMALLEST_MODULUS = 5
"""Least modulus of a congruence that stands alone: below it a guess is right too often."""
FEW_ADDITIONS = (2, 5)
"""Up to so many additions of the modulus a worked solution makes, in one style or the other; where
more are needed it goes Euclid's way."""
SQUARE_SHARE = 0.15
"""Share of drafts that are quadratic, where they are allowed."""
MOST = 3
"""Most congruences of one problem."""

_MAX_LENGTH = 80
_CONGRUENCE = re.compile(r"([0-9x^+]{1,20})=(0|[1-9][0-9]{0,2}) mod ([1-9][0-9]{0,2})\Z")


class Congruence(NamedTuple):
    """square*x^2+factor*x+constant=right mod modulus."""

    square: int
    factor: int
    constant: int
    right: int
    modulus: int


class ModularEquations(Environment):
    """Solve congruences for the least solution."""

    name = "modular_equations"
    summary = "solve 3x+4=2 mod 13: linear, systems, quadratic"
    instruction = (
        "Find the least integer x>=0 for which both sides leave the same remainder modulo the "
        "number after mod. Where congruences are joined by commas, x must satisfy all of them. "
        "The answer is the number x alone."
    )
    verifier = "integer"
    guess_bound = 0.2
    crowded = 3
    knobs = {
        "congruences": Knob((1, 1, 1, 1, 2, 2, 2, 3, 3), "congruences", "more of them"),
        "constant": Knob((0, 1, 1, 1, 0, 0, 1, 0, 1), "0 or 1", "a number beside the unknown"),
        "factor": Knob((6, 4, 9, 20, 1, 5, 9, 1, 20), "value", "larger factors of x"),
        "modulus": Knob((31, 16, 43, 61, 61, 31, 31, 43, 61), "value", "larger moduli"),
        "square": Knob((0, 0, 0, 0, 0, 0, 31, 31, 61), "value", "larger quadratic moduli"),
    }

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """Random congruences of the number that is asked for, or one with a square."""
        if knobs["square"] and rng.random() < SQUARE_SHARE:
            modulus = rng.randint(max(SMALLEST_MODULUS, knobs["square"] // 3), knobs["square"])
            constant = rng.randrange(modulus) if knobs["constant"] else 0
            square = rng.randint(1, min(3, knobs["factor"]))
            factor = rng.randrange(modulus)
            return _write(Congruence(square, factor, constant, rng.randrange(modulus), modulus))
        alone = knobs["congruences"] == 1
        moduli: list[int] = []
        while len(moduli) < knobs["congruences"]:
            modulus = rng.randint(SMALLEST_MODULUS if alone else 3, knobs["modulus"])
            if all(gcd(modulus, other) == 1 for other in moduli):
                moduli.append(modulus)
        return ",".join(_write(_random(modulus, alone, knobs, rng)) for modulus in sorted(moduli))

    def parse(self, text: str) -> Problem:
        """Read congruences; the gold is the least solution."""
        congruences = _read(text)
        square = max(c.modulus if c.square else 0 for c in congruences)
        level = self.easiest(
            congruences=len(congruences),
            constant=int(any(c.constant for c in congruences)),
            factor=max(c.square if c.square else c.factor for c in congruences),
            modulus=0 if square else max(c.modulus for c in congruences),
            square=square,
        )
        _refuse(congruences)
        if square:
            gold = next((x for x in range(square) if _holds(congruences[0], x)), None)
            if gold is None:
                raise InvalidProblem(f"no solution: {text[:40]!r} has none")
            if gold == 0:
                raise InvalidProblem("trivial: 0 is a solution")
        else:
            gold, modulus = 0, 1
            for congruence in congruences:
                inverse = pow(congruence.factor, -1, congruence.modulus)
                here = (congruence.right - congruence.constant) * inverse % congruence.modulus
                step = (here - gold) * pow(modulus, -1, congruence.modulus) % congruence.modulus
                gold, modulus = gold + modulus * step, modulus * congruence.modulus
        return Problem(self.name, level, text, signature=text, gold=str(gold))

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if the answer is the least solution."""
        return grade_response(KIND, problem.gold, response)

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """Add the modulus until the factor divides, or Euclid's descent; tries where squared.

        11+13=24;24/3=8 for 3x=11 mod 13. The descent: 17x=5 mod 100 wants y with 15y=12 mod 17, as
        then x is (5+100y)/17; and so on until few additions do it, then all the way back.
        """
        pace, few = Pace.draw(rng), rng.choice(FEW_ADDITIONS)
        congruences = _read(problem.text)
        if congruences[0].square:
            lines = _tries(congruences[0], int(problem.gold))
        else:
            lines, solution, modulus = [], 0, 1
            for congruence in congruences:
                here = _solve(congruence, few, lines)
                if modulus == 1:
                    solution = here
                else:
                    lines.append(_difference(here, solution, congruence.modulus))
                    right = (here - solution) % congruence.modulus
                    step = _divide(
                        modulus % congruence.modulus, right, congruence.modulus, few, lines
                    )
                    lines.append(f"{solution}+{modulus}*{step}={solution + modulus * step}")
                    solution += modulus * step
                modulus *= congruence.modulus
        return f"{';'.join(pace.skim(lines))}{ANSWER_OPEN}{problem.gold}"


def _read(text: str) -> list[Congruence]:
    parts = text.split(",") if len(text) <= _MAX_LENGTH else []
    if not 1 <= len(parts) <= MOST:
        raise InvalidProblem(f"malformed: {text[:40]!r} is not like '3x+4=2 mod 13'")
    congruences = list(map(_read_one, parts))
    for part, congruence in zip(parts, congruences, strict=True):
        if part != _write(congruence):
            raise InvalidProblem(f"not canonical: {part!r} is written {_write(congruence)!r}")
        if max(congruence[:4]) >= congruence.modulus:
            raise InvalidProblem(f"not canonical: a number of {part!r} is not reduced")
    return congruences


def _read_one(text: str) -> Congruence:
    found = _CONGRUENCE.match(text)
    left = polynomials.read(found[1]) if found else None
    if found is None or left is None or not 2 <= len(left) <= 3:
        raise InvalidProblem(f"malformed: {text[:40]!r} is not like '3x+4=2 mod 13'")
    square, factor, constant = (0,) * (3 - len(left)) + left
    return Congruence(square, factor, constant, int(found[2]), int(found[3]))


def _write(congruence: Congruence) -> str:
    left = polynomials.write(polynomials.trim(congruence[:3]))
    return f"{left}={congruence.right} mod {congruence.modulus}"


def _refuse(congruences: list[Congruence]) -> None:
    """Whatever is seen without solving."""
    moduli = [congruence.modulus for congruence in congruences]
    if moduli != sorted(set(moduli)):
        raise InvalidProblem(f"not canonical: the moduli {moduli} do not ascend")
    if any(gcd(a, b) > 1 for i, a in enumerate(moduli) for b in moduli[:i]):
        raise InvalidProblem(f"malformed: the moduli {moduli} are not coprime")
    alone = congruences[0] if len(congruences) == 1 else None
    if alone is None and any(congruence.square for congruence in congruences):
        raise InvalidProblem("malformed: a quadratic congruence stands alone")
    if alone is not None and alone.modulus < SMALLEST_MODULUS:
        raise InvalidProblem(f"trivial: modulo {alone.modulus} a guess is right too often")
    if alone is not None and alone[:3] == (0, 1, 0):
        raise InvalidProblem("trivial: the unknown already stands alone")
    for congruence in congruences:
        if not congruence.square and (shared := gcd(congruence.factor, congruence.modulus)) > 1:
            solvable = (congruence.right - congruence.constant) % shared == 0
            raise InvalidProblem(
                f"{'not unique' if solvable else 'no solution'}: {shared} divides "
                f"{congruence.factor} and {congruence.modulus}"
            )


def _holds(congruence: Congruence, x: int) -> bool:
    return (polynomials.value(congruence[:3], x) - congruence.right) % congruence.modulus == 0


def _random(modulus: int, alone: bool, knobs: Mapping[str, int], rng: random.Random) -> Congruence:
    constant = rng.randrange(modulus) if knobs["constant"] else 0
    factor = rng.randint(2 if alone else 1, max(1, min(knobs["factor"], modulus - 1)))
    return Congruence(0, factor, constant, rng.randrange(modulus), modulus)


def _difference(left: int, right: int, modulus: int) -> str:
    """2-4=-2=11 modulo 13."""
    plain = left - right
    reduced = f"={plain % modulus}" if plain % modulus != plain else ""
    return f"{left}-{right}={plain}{reduced}"


def _solve(congruence: Congruence, few: int, lines: list[str]) -> int:
    """The solution of a linear congruence; appends the lines."""
    right = congruence.right
    if congruence.constant:
        lines.append(_difference(right, congruence.constant, congruence.modulus))
        right = (right - congruence.constant) % congruence.modulus
    return _divide(congruence.factor, right, congruence.modulus, few, lines)


def _divide(factor: int, right: int, modulus: int, few: int, lines: list[str]) -> int:
    """x of factor*x=right; appends the lines, by additions of the modulus if they are few."""
    if factor == 1:
        return right
    additions = next(k for k in range(factor) if (right + k * modulus) % factor == 0)
    if additions <= few:
        for k in range(additions):
            total = right + k * modulus
            lines.append(f"{total}+{modulus}={total + modulus}")
        total = right + additions * modulus
        lines.append(f"{total}/{factor}={total // factor}")
        return total // factor
    # What to multiply the modulus with, so that the factor divides: a smaller congruence.
    smaller, wanted = modulus % factor, -right % factor
    lines.append(f"{smaller}x={wanted} mod {factor}")
    times = _divide(smaller, wanted, factor, few, lines)
    solution = (right + modulus * times) // factor
    lines.append(f"({right}+{modulus}*{times})/{factor}={solution}")
    return solution


def _tries(congruence: Congruence, solution: int) -> list[str]:
    """0:7;1:3;2:5, the left side less the right side for one x after the other."""
    return [
        f"{x}:{(polynomials.value(congruence[:3], x) - congruence.right) % congruence.modulus}"
        for x in range(solution + 1)
    ]
