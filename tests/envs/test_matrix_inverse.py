"""Inverse matrices: values and levels by hand, and sympy as an independent route."""

import random

import pytest
import sympy
from selfplay_envs.matrix_inverse import MatrixInverse

from selfplay.problem import InvalidProblem

ENVIRONMENT = MatrixInverse()


def to_sympy(text: str) -> sympy.Matrix:
    return sympy.Matrix([row.split(" ") for row in text.strip("[]").split(";")])


@pytest.mark.parametrize(
    ("text", "level", "gold"),
    [
        ("inv [2 1;1 1]", 0, "[1 -1;-1 2]"),
        ("inv [2 -1;-1 1]", 1, "[1 1;1 2]"),
        ("inv [1 2;3 4]", 2, "[-2 1;3/2 -1/2]"),
        ("inv [5 -1;5 3]", 3, "[3/20 1/20;-1/4 1/4]"),
        ("inv [20 1;1 20]", 4, "[20/399 -1/399;-1/399 20/399]"),
        ("inv [1 2 3;0 1 4;0 0 1]", 5, "[1 -2 5;0 1 -4;0 0 1]"),
        ("inv [1 2 3;0 1 4;5 6 0]", 6, "[-24 18 5;20 -15 -4;-5 4 1]"),
        ("inv [2 0 1;0 1 0;0 1 1]", 7, "[1/2 1/2 -1/2;0 1 0;0 -1 1]"),
    ],
)
def test_problems_by_hand(text, level, gold):
    problem = ENVIRONMENT.parse(text)
    assert (problem.level, problem.gold) == (level, gold)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[2 1;1 1]", "malformed: .* is not like"),
        ("inv [2 1;1 1", "malformed"),
        ("inv [2]", "malformed"),
        ("inv [2 1 1;1 1 1]", "malformed"),
        ("inv [1 2;2 4]", "no solution: the determinant is zero"),
        ("inv [1 0;0 -1]", "trivial: its own inverse"),
        ("inv [0 2;3 0]", "trivial: one entry in each row"),
        ("inv [21 1;1 1]", "beyond the top level"),
        ("inv [9 0 1;0 9 1;1 0 9]", "beyond the top level"),
        ("inv [1 0 0 0;0 1 0 0;0 0 1 1;0 0 0 1]", "beyond the top level"),
    ],
)
def test_refused_with_a_reason(text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        ENVIRONMENT.parse(text)


@pytest.mark.parametrize(
    ("text", "careful"),
    [
        ("inv [2 1;1 1]", "2-1=1<answer>[1 -1;-1 2]"),
        ("inv [1 2;3 4]", "4-6=-2;[4 -2;-3 1]/-2<answer>[-2 1;3/2 -1/2]"),
    ],
)
def test_careful_worked_solution(text, careful):
    problem = ENVIRONMENT.parse(text)
    assert careful in {ENVIRONMENT.demonstrate(problem, random.Random(seed)) for seed in range(30)}


@pytest.mark.parametrize("level", range(9))
def test_gold_agrees_with_sympy(level):
    rng = random.Random(level)
    for _ in range(30):
        problem = ENVIRONMENT.generate(level, rng)
        matrix = to_sympy(problem.text.removeprefix("inv "))
        assert matrix * to_sympy(problem.gold) == sympy.eye(matrix.rows)
