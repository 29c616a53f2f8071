"""Linear systems: values and levels by hand, and sympy's solver as an independent route."""

import random
import re

import pytest
import sympy
from selfplay_envs.linear_systems import LinearSystems

from selfplay.problem import InvalidProblem

ENVIRONMENT = LinearSystems()


@pytest.mark.parametrize(
    ("text", "level", "gold"),
    [
        ("x+y=5,x-y=1", 0, "3,2"),
        ("2x+y=13,x-y=-1", 0, "4,5"),
        ("3x+2y=12,x-y=-1", 1, "2,3"),
        ("2x+3y=1,x+y=1", 1, "2,-1"),
        ("x+y+z=6,x-y+z=2,x+y-z=0", 4, "1,2,3"),
        ("x+y=3,y+z=5,x+z=4", 4, "1,2,3"),
        ("x+y+z+w=10,x-y=-1,y-z=-1,z-w=-1", 7, "1,2,3,4"),
        ("2x+y=1,x-y=1", 8, "2/3,-1/3"),
    ],
)
def test_problems_by_hand(text, level, gold):
    problem = ENVIRONMENT.parse(text)
    assert (problem.level, problem.gold) == (level, gold)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x+y=5", "malformed"),
        ("x+y=5,x-y", "malformed"),
        ("x+y=5,x-y=1=2", "malformed"),
        ("x+z=5,x-z=1", "malformed: 'z' in a system of 2 equations"),
        ("x+y=5,x-y=01", "malformed"),
        ("x+y=5,x-y=-0", "malformed"),
        ("x+y=5,x-y=1,", "malformed"),
        ("x+y=5, x-y=1", "malformed"),
        ("x+y=5,x-٢y=1", "malformed"),
        ("x+y=5,1x-y=1", "not canonical: '1x-y=1' is written 'x-y=1'"),
        ("y+x=5,x-y=1", "not canonical: 'y\\+x=5' is written 'x\\+y=5'"),
        ("x+x+y=5,x-y=1", "not canonical"),
        ("x+y=5,x=1", "trivial: 'x=1' has one unknown"),
        ("x+y=5,2x+2y=11", "no solution"),
        ("x+y=5,2x+2y=10", "not unique"),
        ("x+y+z=5,x+y+z=6,x+y+z=6", "no solution"),
        ("x+y=5,x+10y=1", "beyond the top level: .*coefficient 10"),
        ("x+y=500,x-y=100", "beyond the top level: .*solution 300"),
        ("3,2:x+y", "malformed"),
        ("3:x+y,x-y", "malformed"),
        ("3,2:x+y=5,x-y", "malformed"),
        ("3,2:y+x,x-y", "not canonical"),
        ("a,b:x+y,x-y", "malformed"),
        ("3,2:x+y,2x+2y", "not unique"),
    ],
)
def test_refused_with_a_reason(text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        ENVIRONMENT.parse(text)


def test_a_solution_in_front_poses_the_system():
    problem = ENVIRONMENT.parse("x+y=5,x-y=1")
    assert ENVIRONMENT.pose(problem) == "3,2:x+y,x-y"
    assert ENVIRONMENT.parse("3,2:x+y,x-y") == problem
    fractional = ENVIRONMENT.parse("2x+y=1,x-y=1")
    assert ENVIRONMENT.pose(fractional) == fractional.text


def test_names_and_brackets_are_fine_and_another_order_is_wrong():
    problem = ENVIRONMENT.parse("x+y=5,x-y=1")
    for answer in ("3,2", "(3, 2)", "x=3,y=2", "y=2,x=3"):
        assert ENVIRONMENT.grade(problem, f"<answer>{answer}").correct
    for answer in ("2,3", "3", "x+y=5,x-y=1", "3,2,0"):
        assert not ENVIRONMENT.grade(problem, f"<answer>{answer}").correct


@pytest.mark.parametrize(
    ("text", "workings"),
    [
        ("x+y=5,x-y=1", {"2y=4;y=2;x=5-2=3", "2x=6;x=3;y=5-3=2"}),
        ("2x+y=13,x-y=-1", {"2x-2y=-2;3y=15;y=5;x=-1+5=4", "3x=12;x=4;y=13-8=5"}),
    ],
)
def test_worked_solutions(text, workings):
    problem = ENVIRONMENT.parse(text)
    shown = {ENVIRONMENT.demonstrate(problem, random.Random(seed)) for seed in range(60)}
    careful = {f"{working}<answer>{problem.gold}" for working in workings}
    assert careful | {f"<answer>{problem.gold}"} <= shown


def _expression(text):
    # Our own text, so sympify is safe.
    return sympy.sympify(re.sub(r"(\d)(?=[a-z])", r"\1*", text))


@pytest.mark.parametrize("level", range(9))
def test_gold_and_every_line_agree_with_sympy(level):
    rng = random.Random(level)
    for _ in range(30):
        problem = ENVIRONMENT.generate(level, rng)
        equations = [
            sympy.Eq(*map(_expression, part.split("="))) for part in problem.text.split(",")
        ]
        unknowns = sympy.symbols("x y z w")[: len(equations)]
        (solution,) = sympy.linsolve(equations, unknowns)
        assert problem.gold == ",".join(map(str, solution))
        values = dict(zip(unknowns, solution, strict=True))
        working, _, _ = ENVIRONMENT.demonstrate(problem, rng).partition("<answer>")
        for line in filter(None, working.split(";")):
            assert len({_expression(side).subs(values) for side in line.split("=")}) == 1
