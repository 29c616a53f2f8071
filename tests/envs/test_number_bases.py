"""Number bases: values and levels by hand; int() with a base as an independent route."""

import random
import re

import pytest
from selfplay_envs.number_bases import NumberBases

from selfplay.problem import InvalidProblem

ENVIRONMENT = NumberBases()


@pytest.mark.parametrize(
    ("text", "level", "gold"),
    [
        ("241 b5 to b10", 0, "71"),
        ("1011 b2 to b10", 1, "11"),
        ("71 b10 to b5", 2, "241"),
        ("143+25 b7", 3, "201"),
        ("201-25 b7", 3, "143"),
        ("241 b5 to b2", 5, "1000111"),
        ("ff b16 to b10", 4, "255"),
        ("255 b10 to b16", 4, "ff"),
        ("2a+1f b16", 4, "49"),
        ("2a*1f b16", 8, "516"),
        ("zz+1 b36", 8, "100"),
    ],
)
def test_problems_by_hand(text, level, gold):
    problem = ENVIRONMENT.parse(text)
    assert (problem.level, problem.gold) == (level, gold)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("241", "malformed: .* is not like"),
        ("0241 b5 to b10", "malformed"),
        ("241 b05 to b10", "malformed"),
        ("251 b5 to b10", "malformed: '5' is no digit in base 5"),
        ("2a b10 to b5", "malformed: 'a' is no digit in base 10"),
        ("2A+1 b16", "malformed"),
        ("1 b1 to b10", "malformed: no base 1"),
        ("11 b37 to b10", "malformed: no base 37"),
        ("1111111111111 b2 to b10", "malformed"),
        ("241 b5 to b5", "trivial: the same base"),
        ("3 b5 to b10", "trivial: the answer stands"),
        ("0 b5 to b10", "trivial"),
        ("12*1 b5", "trivial: nothing is to be done"),
        ("12-13 b5", "no solution: a negative difference"),
        ("24-12 b5", "trivial: the answer stands in the statement"),
    ],
)
def test_refused_with_a_reason(text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        ENVIRONMENT.parse(text)


@pytest.mark.parametrize(
    ("text", "careful"),
    [
        ("241 b5 to b10", "2*5+4=14;14*5+1=71<answer>71"),
        ("71 b10 to b5", "71=14*5+1;14=2*5+4;2=0*5+2<answer>241"),
        ("241 b5 to b9", "2*5+4=14;14*5+1=71;71=7*9+8;7=0*9+7<answer>78"),
        ("ab b16 to b10", "a=10;10*16+11=171<answer>171"),
        ("171 b10 to b16", "171=10*16+11:b;10=0*16+10:a<answer>ab"),
        ("2a+1f b16", "a+f=25:9 c1;2+1+1=4:4<answer>49"),
        ("201-25 b7", "1-5=-4:3 c-1;0-2-1=-3:4 c-1;2-0-1=1:1<answer>143"),
        ("2a*1f b16", "2a*f=276;2a*1=2a;276+2a0=516<answer>516"),
    ],
)
def test_careful_worked_solution(text, careful):
    problem = ENVIRONMENT.parse(text)
    assert careful in {ENVIRONMENT.demonstrate(problem, random.Random(seed)) for seed in range(30)}


def test_capital_letters_are_right_and_zeros_in_front_are_not():
    problem = ENVIRONMENT.parse("171 b10 to b16")
    assert ENVIRONMENT.grade(problem, "<answer>AB").correct
    assert not ENVIRONMENT.grade(problem, "<answer>0ab").correct
    assert not ENVIRONMENT.grade(problem, "<answer>171").correct


@pytest.mark.parametrize("level", range(9))
def test_gold_agrees_with_int(level):
    rng = random.Random(level)
    for _ in range(50):
        problem = ENVIRONMENT.generate(level, rng)
        numbers, *bases = re.split(" (?:to )?b", problem.text)
        source, target = int(bases[0]), int(bases[-1])
        first, operator, second = re.fullmatch(r"(\w+)([-+*]?)(\w*)", numbers).groups()
        value = int(first, source)
        if operator:
            other = int(second, source)
            value = {"+": value + other, "-": value - other, "*": value * other}[operator]
        assert int(problem.gold, target) == value
        assert not problem.gold.startswith("0")
