"""Modular arithmetic: values and levels by hand, and unreduced integers as an independent route."""

import random

import pytest
from selfplay_envs.modular import Modular

from selfplay.problem import InvalidProblem

ENVIRONMENT = Modular()


@pytest.mark.parametrize(
    ("text", "level", "gold"),
    [
        ("3,-5 mod 7", 0, "5"),  # -2 + 7
        ("3,*3 mod 7", 0, "2"),  # 9 - 7
        ("3,*4 mod 9", 1, "3"),  # 12 - 9
        ("3,*5 mod 7", 8, "1"),
        ("3,+6 mod 13", 8, "9"),
        ("7,*8,+5 mod 13", 8, "9"),  # 56 = 4, 4 + 5
        ("0,+1,+1,+1 mod 5", 2, "3"),
        ("1,+1,+1,+1,+1,+1,+1,+1 mod 9", 7, "8"),
        ("1,+1,+1,+1,+1,+1,+1,+1 mod 20", 8, "8"),
    ],
)
def test_problems_by_hand(text, level, gold):
    problem = ENVIRONMENT.parse(text)
    assert (problem.level, problem.gold) == (level, gold)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("7 mod 13", "malformed"),
        ("7,8 mod 13", "malformed"),
        ("7,*8,+5 mod 13\n", "malformed"),
        ("7,/8 mod 13", "malformed"),
        ("07,*8 mod 13", "malformed"),
        ("7,*٨ mod 13", "malformed"),
        ("7,+13 mod 13", r"trivial: the step \+0"),
        ("7,*14 mod 13", r"trivial: the step \*1"),
        ("7,*1 mod 13", r"trivial: the step \*1"),
        ("7,+0 mod 13", r"trivial: the step \+0"),
        ("7,*0 mod 13", r"trivial: the step \*0"),
        ("1,+1 mod 2", "trivial: modulo 2"),
        ("1,+1 mod 21", "beyond the top level: steps 1, modulus 21"),
        ("1,*10 mod 13", "beyond the top level: .*factor 10"),
        ("1" + ",+1" * 9 + " mod 13", "beyond the top level: steps 9"),
        ("1" + ",+1" * 90 + " mod 13", "malformed"),
    ],
)
def test_refused_with_a_reason(text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        ENVIRONMENT.parse(text)


def test_numbers_are_reduced():
    problem = ENVIRONMENT.parse("20,*21,-18 mod 13")
    assert problem == ENVIRONMENT.parse("7,*8,-5 mod 13")
    assert problem.text == "7,*8,-5 mod 13"


@pytest.mark.parametrize(
    ("text", "careful", "brisk"),
    [
        ("7,*8,+5 mod 13", "7*8=56=4;4+5=9<answer>9", "4+5=9<answer>9"),
        ("3,-8 mod 13", "3-8=-5=8<answer>8", "<answer>8"),
        ("8,+5,+1 mod 13", "8+5=13=0;0+1=1<answer>1", "0+1=1<answer>1"),
    ],
)
def test_worked_solutions_at_every_pace(text, careful, brisk):
    problem = ENVIRONMENT.parse(text)
    shown = {ENVIRONMENT.demonstrate(problem, random.Random(seed)) for seed in range(30)}
    assert shown == {careful, brisk, f"<answer>{problem.gold}"}


@pytest.mark.parametrize("level", range(9))
def test_gold_agrees_with_reducing_once_at_the_end(level):
    rng = random.Random(level)
    for _ in range(200):
        problem = ENVIRONMENT.generate(level, rng)
        steps, modulus = problem.text.split(" mod ")
        start, *rest = steps.split(",")
        value = int(start)
        for step in rest:
            operand = int(step[1:])
            value = {"+": value + operand, "-": value - operand, "*": value * operand}[step[0]]
        assert int(problem.gold) == value % int(modulus)
