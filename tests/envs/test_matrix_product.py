"""Matrix products: values and levels by hand, and sympy as an independent route."""

import random

import pytest
import sympy
from selfplay_envs.matrix_product import MatrixProduct

from selfplay.problem import InvalidProblem

ENVIRONMENT = MatrixProduct()


def to_sympy(text: str) -> sympy.Matrix:
    return sympy.Matrix([row.split(" ") for row in text.strip("[]").split(";")])


@pytest.mark.parametrize(
    ("text", "level", "gold"),
    [
        ("[1 2;3 4]*[5;6]", 0, "[17;39]"),
        ("[5 6]*[1 2;3 4]", 0, "[23 34]"),
        ("[1 2;-3 4]*[5;6]", 1, "[17;9]"),
        ("[1 2;3 4]*[0 1;1 0]", 2, "[2 1;4 3]"),
        ("[2 2;-3 4]*[0 1;1 0]", 3, "[2 2;4 -3]"),
        ("[1 2 3;4 5 6]*[1 2;3 4;5 6]", 4, "[22 28;49 64]"),
        ("[1 2;3 4]*[1 2;3 4]*[1;1]", 8, "[17;37]"),
    ],
)
def test_problems_by_hand(text, level, gold):
    problem = ENVIRONMENT.parse(text)
    assert (problem.level, problem.gold) == (level, gold)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[1 2;3 4]", "malformed: .* is not like"),
        ("[1 2;3 4][5;6]", "malformed"),
        ("[1 2;3 4]*", "malformed"),
        ("[1 2;3 4]*[]", "malformed"),
        ("[1 2;3]*[5;6]", "malformed"),
        ("[1 2;3 04]*[5;6]", "malformed"),
        ("[1 2;3 4] * [5;6]", "malformed"),
        ("[1,2;3,4]*[5;6]", "malformed"),
        ("[1 2;3 4]*[5 6]", "no solution: the sizes do not fit"),
        ("[1 0;0 1]*[5;6]", "trivial: the product is zero or one of the factors"),
        ("[1 1;1 1]*[1;-1]", "trivial"),
        ("[20 2;3 4]*[5;6]", "beyond the top level"),
        ("[1 1 1 1;1 1 1 1]*[1 2 3;3 4 5;5 6 7;7 8 9]*[1 2;3 4;5 6]*[1;2]", "beyond the top"),
    ],
)
def test_refused_with_a_reason(text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        ENVIRONMENT.parse(text)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("[17;39]", "correct"),
        ("[ 17 ; 39 ]", "correct"),
        ("[[17],[39]]", "correct"),
        ("[34/2;39]", "correct"),
        ("[17;38]", "wrong"),
        ("[17 39]", "wrong"),
        ("17;39", "unparsable"),
        ("[17;39] or [1;2]", "unparsable"),
        ("[1 2;3 4]*[5;6]", "unparsable"),
        ("[17;x]", "unparsable"),
        ("[1/0;39]", "unparsable"),
    ],
)
def test_answers(answer, outcome):
    problem = ENVIRONMENT.parse("[1 2;3 4]*[5;6]")
    assert ENVIRONMENT.grade(problem, f"<answer>{answer}").outcome == outcome


def test_careful_worked_solutions():
    problem = ENVIRONMENT.parse("[1 2;3 4]*[5;6]")
    shown = {ENVIRONMENT.demonstrate(problem, random.Random(seed)) for seed in range(30)}
    expected = {"5+12=17;15+24=39<answer>[17;39]", "15+24=39<answer>[17;39]", "<answer>[17;39]"}
    assert shown == expected


@pytest.mark.parametrize("level", range(9))
def test_gold_agrees_with_sympy(level):
    rng = random.Random(level)
    for _ in range(30):
        problem = ENVIRONMENT.generate(level, rng)
        first, *rest = map(to_sympy, problem.text.split("*"))
        for factor in rest:
            first = first * factor
        assert first == to_sympy(problem.gold)
