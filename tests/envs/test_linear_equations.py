"""Linear equations: values and levels by hand, and sympy's solver as an independent route."""

import random
import re

import pytest
import sympy
from selfplay_envs.linear_equations import LinearEquations

from selfplay.problem import ProposalError

ENVIRONMENT = LinearEquations()


@pytest.mark.parametrize(
    ("text", "level", "gold"),
    [
        ("x+5=12", 0, "7"),
        ("3x=12", 0, "4"),
        ("3x+4=19", 1, "5"),
        ("2x-4=0", 1, "2"),
        ("x+5=3", 2, "-2"),
        ("-x=3", 2, "-3"),
        ("x+40=45", 8, "5"),
        ("2x=3", 7, "3/2"),
        ("8x+4=34", 8, "15/4"),
        ("5x-2=2x+7", 3, "3"),
        ("x=2x-7", 3, "7"),
        ("5x-2=2x+6", 7, "8/3"),
        ("3(x+2)=12", 5, "2"),
        ("3(x+2)-5=x", 7, "-1/2"),
        ("x=3(x+2)-5", 7, "-1/2"),
        ("3(x+2)-5=2(x-1)+9", 8, "6"),
    ],
)
def test_problems_by_hand(text, level, gold):
    problem = ENVIRONMENT.parse(text)
    assert (problem.level, problem.gold) == (level, gold)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x=5", "trivial"),
        ("12=3x", "not canonical: no unknown on the left"),
        ("3x+4", "malformed"),
        ("3x=4=5", "malformed"),
        ("4+3x=19", "malformed"),
        ("3x+y=19", "malformed"),
        ("3x=2y+1", "malformed: two unknowns, x and y"),
        ("٣x=12", "malformed"),
        ("1x=12", "not canonical: '1x=12' is written 'x=12'"),
        ("3x+0=12", "not canonical"),
        ("03x=12", "not canonical"),
        ("0x=12", "not canonical"),
        ("(x+1)=2", "not canonical: .* needs no group"),
        ("-(x+1)=2", "not canonical"),
        ("3(x+0)=6", "not canonical"),
        ("3x+1=3x+2", "no solution"),
        ("3x+1=3x+1", "not unique"),
        ("2(x+1)=2x+2", "not unique"),
        ("x+51=50", "beyond the top level: shape 1, largest 51"),
    ],
)
def test_refused_with_a_reason(text, reason):
    with pytest.raises(ProposalError, match=reason):
        ENVIRONMENT.parse(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("3x+4=19", "3x+4=19;3x=15;x=5<answer>5"),
        ("8x+4=34", "8x+4=34;8x=30;x=30/8=15/4<answer>15/4"),
        ("x+5=12", "x+5=12;x=7<answer>7"),
        ("-2x=3", "-2x=3;x=-3/2<answer>-3/2"),
        ("5y-2=2y+7", "5y-2=2y+7;3y-2=7;3y=9;y=3<answer>3"),
        ("3(x+2)-5=x", "3(x+2)-5=x;3x+6-5=x;3x+1=x;2x+1=0;2x=-1;x=-1/2<answer>-1/2"),
    ],
)
def test_worked_solutions(text, shown):
    assert ENVIRONMENT.demonstrate(ENVIRONMENT.parse(text), random.Random(0)) == shown


def test_signature_ignores_the_letter_and_the_sides():
    texts = ("5x-2=2x+7", "5q-2=2q+7", "2x+7=5x-2", "2a+7=5a-2")
    assert len({ENVIRONMENT.parse(text).signature for text in texts}) == 1
    assert ENVIRONMENT.parse("5x+2=2x+7").signature != ENVIRONMENT.parse(texts[0]).signature


@pytest.mark.parametrize("level", range(9))
def test_gold_and_every_line_agree_with_sympy(level):
    x = sympy.Symbol("x")
    rng = random.Random(level)
    for _ in range(15):
        problem = ENVIRONMENT.generate(level, rng)
        lines = ENVIRONMENT.demonstrate(problem, rng).partition("<answer>")[0].split(";")
        assert lines[0] == problem.text
        for line in lines:
            # Our own text, so sympify is safe; the letter is renamed as E and I mean others to it.
            product = re.sub(r"(\d)(?=[a-z(])", r"\1*", line)
            left, *rights = (sympy.sympify(s) for s in re.sub("[a-z]", "x", product).split("="))
            for right in rights:
                assert sympy.solve(left - right, x) == [sympy.Rational(problem.gold)]
