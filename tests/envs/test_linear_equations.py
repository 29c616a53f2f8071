"""Linear equations: values and levels by hand, and sympy's solver as an independent route."""

import random
import re

import pytest
import sympy
from selfplay_envs.linear_equations import LinearEquations

from selfplay.problem import InvalidProblem

ENVIRONMENT = LinearEquations()


@pytest.mark.parametrize(
    ("text", "level", "gold"),
    [
        ("x+5=12", 0, "7"),
        ("3x=12", 0, "4"),
        ("3x+4=19", 0, "5"),
        ("2x-4=0", 0, "2"),
        ("x+5=3", 1, "-2"),
        ("-x=3", 1, "-3"),
        ("x+40=45", 8, "5"),
        ("2x=3", 8, "3/2"),
        ("8x+4=34", 8, "15/4"),
        ("5x-2=2x+7", 2, "3"),
        ("x=2x-7", 2, "7"),
        ("5x-2=2x+6", 8, "8/3"),
        ("3(x+2)=12", 4, "2"),
        ("3(x+2)-5=x", 8, "-1/2"),
        ("x=3(x+2)-5", 8, "-1/2"),
        ("3(x+2)-5=2(x-1)+9", 7, "6"),
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
        ("5:", "malformed"),
        ("5:7", "not canonical: no unknown on the left"),
        ("5:3x=2y", "malformed: '5:3x=2y' has a second unknown"),
        ("5:3x=2x=x", "malformed: '5:3x=2x=x' has a second unknown or a third side"),
        ("5:3x=2x+1", "malformed: '5:3x=2x\\+1' has a number on the right already"),
        ("5:3x=3x", "not unique"),
        ("99999:3x+4", "beyond the top level"),
        ("5:x", "trivial"),
        ("1/2:3x+4", "malformed"),
        ("x=5:3x+4", "malformed"),
        ("x+100=50", "beyond the top level: shape 1, largest 100"),
    ],
)
def test_refused_with_a_reason(text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        ENVIRONMENT.parse(text)


@pytest.mark.parametrize(
    ("text", "careful", "brisk"),
    [
        ("3x+4=19", "19-4=15;15/3=5<answer>5", "15/3=5<answer>5"),
        ("8x+4=34", "34-4=30;30/8=15/4<answer>15/4", "30/8=15/4<answer>15/4"),
        ("x+5=12", "12-5=7<answer>7", "<answer>7"),
        ("5y-2=2y+7", "5-2=3;7+2=9;9/3=3<answer>3", "7+2=9<answer>3"),
        (
            "3(x-2)+5=x",
            "3*-2=-6;-6+5=-1;3-1=2;0+1=1<answer>1/2",
            "-6+5=-1;0+1=1<answer>1/2",
        ),
    ],
)
def test_worked_solutions_at_every_pace(text, careful, brisk):
    problem = ENVIRONMENT.parse(text)
    shown = {ENVIRONMENT.demonstrate(problem, random.Random(seed)) for seed in range(30)}
    assert shown == {careful, brisk, f"<answer>{problem.gold}"}


def test_a_quotient_that_is_the_answer_needs_no_line():
    assert ENVIRONMENT.demonstrate(ENVIRONMENT.parse("-2x=3"), random.Random(0)) == "<answer>-3/2"


@pytest.mark.parametrize(
    ("posed", "text"),
    [
        ("5:3x+4", "3x+4=19"),
        ("5:3x+4=2x", "3x+4=2x+9"),
        ("-2:3(y+2)-5=2(y-1)", "3(y+2)-5=2(y-1)+1"),
        ("0:3x+4", "3x+4=4"),
    ],
)
def test_a_solution_in_front_poses_the_equation(posed, text):
    problem = ENVIRONMENT.parse(text)
    assert ENVIRONMENT.parse(posed) == problem
    assert ENVIRONMENT.pose(problem) == posed


def test_an_equation_with_a_fractional_solution_is_posed_as_it_is():
    assert ENVIRONMENT.pose(ENVIRONMENT.parse("2x=3")) == "2x=3"


def test_signature_ignores_the_letter_and_the_sides():
    texts = ("5x-2=2x+7", "5q-2=2q+7", "2x+7=5x-2", "2a+7=5a-2")
    assert len({ENVIRONMENT.parse(text).signature for text in texts}) == 1
    assert ENVIRONMENT.parse("5x+2=2x+7").signature != ENVIRONMENT.parse(texts[0]).signature


@pytest.mark.parametrize("level", range(9))
def test_gold_and_every_line_agree_with_sympy(level):
    rng = random.Random(level)
    for _ in range(30):
        problem = ENVIRONMENT.generate(level, rng)
        # Our own text, so sympify is safe; the letter is renamed as E and I mean others to it.
        product = re.sub(r"(\d)(?=[a-z(])", r"\1*", problem.text)
        left, right = (sympy.sympify(side) for side in re.sub("[a-z]", "x", product).split("="))
        assert sympy.solve(left - right, sympy.Symbol("x")) == [sympy.Rational(problem.gold)]
        working, _, answer = ENVIRONMENT.demonstrate(problem, rng).partition("<answer>")
        for line in filter(None, working.split(";")):
            left, right = map(sympy.sympify, line.split("="))
            assert left == right
        assert answer == problem.gold
