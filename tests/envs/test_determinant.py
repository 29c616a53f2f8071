"""Determinants: values and levels by hand, and sympy as an independent route."""

import random

import pytest
import sympy
from selfplay_envs.determinant import Determinant

from selfplay.problem import InvalidProblem

ENVIRONMENT = Determinant()


@pytest.mark.parametrize(
    ("text", "level", "gold"),
    [
        ("|1 2;3 4|", 0, "-2"),
        ("|-1 2;3 4|", 1, "-10"),
        ("|11 0;1 2|", 2, "22"),
        ("|1 2 3;4 0 2;3 1 1|", 3, "14"),
        ("|0 1 0;0 0 1;1 0 0|", 3, "1"),
        ("|1 2 3;4 5 6;7 8 9|", 5, "0"),
        ("|-1 2 3;4 5 6;7 8 9|", 5, "6"),
        ("|0 1 0 0;1 0 0 0;0 0 0 1;0 0 1 0|", 6, "1"),
        ("|2 1 1 1;1 2 1 1;1 1 2 1;1 1 1 2|", 7, "5"),
    ],
)
def test_problems_by_hand(text, level, gold):
    problem = ENVIRONMENT.parse(text)
    assert (problem.level, problem.gold) == (level, gold)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1 2;3 4", "malformed: .* is not like"),
        ("|1 2;3|", "malformed"),
        ("|1 2 3;4 5 6|", "malformed"),
        ("|7|", "malformed"),
        ("||", "malformed"),
        ("|", "malformed"),
        ("|1  2;3 4|", "malformed"),
        ("|01 2;3 4|", "malformed"),
        ("|1 -0;3 4|", "malformed"),
        ("|" + ";".join(["1 1 1 1 1"] * 5) + "|", "malformed"),
        ("|0 0;3 4|", "trivial: a row or column of zeros"),
        ("|0 1;0 4|", "trivial"),
        ("|31 2;3 4|", "beyond the top level"),
    ],
)
def test_refused_with_a_reason(text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        ENVIRONMENT.parse(text)


@pytest.mark.parametrize(
    ("text", "careful"),
    [
        ("|1 2;3 4|", "1*4=4;2*3=6;4-6<answer>-2"),
        ("|1 2 3;4 0 2;3 1 1|", "0-2=-2;4-6=-2;4+0=4;-2+4+12<answer>14"),
    ],
)
def test_careful_worked_solution(text, careful):
    problem = ENVIRONMENT.parse(text)
    shown = {ENVIRONMENT.demonstrate(problem, random.Random(seed)) for seed in range(30)}
    assert careful in shown


@pytest.mark.parametrize("level", range(9))
def test_gold_and_the_last_line_agree_with_sympy(level):
    rng = random.Random(level)
    for _ in range(40):
        problem = ENVIRONMENT.generate(level, rng)
        rows = [list(map(int, row.split(" "))) for row in problem.text.strip("|").split(";")]
        assert sympy.Matrix(rows).det() == int(problem.gold)
        working, _, answer = ENVIRONMENT.demonstrate(problem, rng).partition("<answer>")
        for line in filter(None, working.split(";")):
            left, _, right = line.partition("=")
            if right:
                assert sympy.sympify(left) == int(right)
        assert answer == problem.gold
