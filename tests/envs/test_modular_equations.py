"""Congruences: values and levels by hand, and trying every x as an independent route."""

import random
import re

import pytest
from selfplay_envs.modular_equations import ModularEquations

from selfplay.problem import InvalidProblem

ENVIRONMENT = ModularEquations()


@pytest.mark.parametrize(
    ("text", "level", "gold"),
    [
        ("3x=5 mod 7", 0, "4"),
        ("3x+4=2 mod 13", 1, "8"),
        ("9x=1 mod 31", 2, "7"),
        ("17x=5 mod 61", 3, "29"),
        ("x=2 mod 3,x=3 mod 5", 4, "8"),
        ("x^2+3x=10 mod 11", 6, "2"),
        ("3x+1=2 mod 7,2x=5 mod 9", 6, "61"),
        ("x=2 mod 3,x=3 mod 5,x=2 mod 7", 7, "23"),
        ("3x=2 mod 5,2x+1=3 mod 7,5x=4 mod 11", 8, "344"),
    ],
)
def test_problems_by_hand(text, level, gold):
    problem = ENVIRONMENT.parse(text)
    assert (problem.level, problem.gold) == (level, gold)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x=5 mod 7", "trivial: the unknown already stands alone"),
        ("3x=2 mod 4", "trivial: modulo 4"),
        ("x^2=3x mod 7", "malformed"),
        ("x^2+x=0 mod 7", "trivial: 0 is a solution"),
        ("x^2=3 mod 7", "no solution"),
        ("4x=2 mod 6", "not unique: 2 divides 4 and 6"),
        ("4x=3 mod 6", "no solution: 2 divides 4 and 6"),
        ("9x=5 mod 7", "not canonical: a number of '9x=5 mod 7' is not reduced"),
        ("3x=7 mod 7", "not canonical"),
        ("1x=5 mod 7", "not canonical: '1x=5 mod 7' is written 'x=5 mod 7'"),
        ("4+3x=5 mod 7", "not canonical"),
        ("x=3 mod 5,x=2 mod 3", "not canonical: the moduli .* do not ascend"),
        ("x=3 mod 5,x=3 mod 5", "not canonical"),
        ("x=3 mod 4,x=1 mod 6", "malformed: the moduli .* are not coprime"),
        ("x^2=1 mod 5,x=1 mod 6", "malformed: a quadratic congruence stands alone"),
        ("x=2 mod 3,x=3 mod 5,x=2 mod 7,x=1 mod 11", "malformed"),
        ("3x=-2 mod 7", "malformed"),
        ("3x=5", "malformed"),
        ("5=5 mod 7", "malformed"),
        ("x^3=1 mod 7", "malformed"),
        ("3x=٥ mod 7", "malformed"),
        ("3x=5 mod 0", "malformed"),
        ("3x=5 mod 101", "beyond the top level: .*modulus 101"),
    ],
)
def test_refused_with_a_reason(text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        ENVIRONMENT.parse(text)


@pytest.mark.parametrize(
    ("text", "workings"),
    [
        ("3x+4=2 mod 13", {"2-4=-2=11;11+13=24;24/3=8"}),
        ("5x=1 mod 7", {"1+7=8;8+7=15;15/5=3"}),
        ("5x=2 mod 9", {"2+9=11;11+9=20;20/5=4"}),
        ("6x=1 mod 11", {"1+11=12;12/6=2"}),
        (
            "6x=1 mod 31",
            {
                "1+31=32;32+31=63;63+31=94;94+31=125;125+31=156;156/6=26",
                "1x=5 mod 6;(1+31*5)/6=26",
            },
        ),
        ("x=2 mod 3,x=3 mod 5", {"3-2=1;1+5=6;6/3=2;2+3*2=8"}),
        ("x^2+3x=10 mod 11", {"0:1;1:5;2:0"}),
    ],
)
def test_worked_solutions(text, workings):
    problem = ENVIRONMENT.parse(text)
    shown = {ENVIRONMENT.demonstrate(problem, random.Random(seed)) for seed in range(60)}
    careful = {f"{working}<answer>{problem.gold}" for working in workings}
    assert careful | {f"<answer>{problem.gold}"} <= shown


@pytest.mark.parametrize("level", range(9))
def test_gold_agrees_with_trying_every_number(level):
    rng = random.Random(level)
    for _ in range(40):
        problem = ENVIRONMENT.generate(level, rng)
        congruences = []
        for part in problem.text.split(","):
            left, right, modulus = re.fullmatch(r"(.*)=(\d+) mod (\d+)", part).groups()
            terms = {"x^2": 0, "x": 0, "": 0}
            for number, letter in re.findall(r"(\d*)(x\^2|x|)(?:\+|$)", left):
                terms[letter] += int(number or "1") if number or letter else 0
            congruences.append((*terms.values(), int(right), int(modulus)))
        x = 0
        while any((a * x * x + b * x + c - r) % m for a, b, c, r, m in congruences):
            x += 1
        assert problem.gold == str(x)
