"""Quadratic equations: values and levels by hand, and sympy's roots as an independent route."""

import random
import re

import pytest
import sympy
from selfplay_envs.quadratic_equations import QuadraticEquations

from selfplay.problem import InvalidProblem, Outcome

ENVIRONMENT = QuadraticEquations()


@pytest.mark.parametrize(
    ("text", "level", "gold"),
    [
        ("x^2-5x+6=0", 0, "2,3"),
        ("x^2-5x=-6", 0, "2,3"),
        ("x^2-6x+9=0", 0, "3"),
        ("x^2=49", 0, "-7,7"),
        ("x^2+3x=0", 0, "-3,0"),
        ("x^2-3x+6=2x", 1, "2,3"),
        ("x^2-12x=0", 2, "0,12"),
        ("2x^2-10x+12=0", 3, "2,3"),
        ("2x^2-5x+2=0", 4, "1/2,2"),
        ("-x^2+5x-6=0", 0, "2,3"),
        ("x^2-2x-1=0", 7, "1-sqrt(2),1+sqrt(2)"),
        ("x^2-x-1=0", 7, "(1-sqrt(5))/2,(1+sqrt(5))/2"),
        ("x^2=5", 7, "-sqrt(5),sqrt(5)"),
        ("x^2=12", 7, "-2sqrt(3),2sqrt(3)"),
        ("3x^2=1", 8, "-sqrt(3)/3,sqrt(3)/3"),
    ],
)
def test_problems_by_hand(text, level, gold):
    problem = ENVIRONMENT.parse(text)
    assert (problem.level, problem.gold) == (level, gold)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x^2+1=0", "no solution"),
        ("x^2=0", "trivial"),
        ("3x+4=0", "malformed"),
        ("x^3=8", "malformed"),
        ("0=x^2-4", "malformed"),
        ("x^2=x^2-4", "malformed"),
        ("x^2-5x+6", "malformed"),
        ("y^2-4=0", "malformed"),
        ("x^2-5x+6=0=0", "malformed"),
        ("x^2-٤=0", "malformed"),
        ("6-5x+x^2=0", "not canonical"),
        ("x^2-5x+6=00", "not canonical"),
        ("1x^2-4=0", "not canonical"),
        ("21x^2-21=0", "beyond the top level: lead 21"),
        ("x^2-10000=0", "beyond the top level: .*root 100"),
        ("(x-2)(x-3)", "malformed"),
        ("(x-2)(x-3):", "malformed"),
        ("(x-2)(x-3)(x-4):0", "malformed"),
        ("(x-2):0", "malformed"),
    ],
)
def test_refused_with_a_reason(text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        ENVIRONMENT.parse(text)


@pytest.mark.parametrize(
    ("posed", "text"),
    [
        ("(x-3)(x-2):0", "x^2-5x+6=0"),
        ("(x-3)(x-2):2x", "x^2-3x+6=2x"),
        ("3(x-1)(2x-1):x-5", "6x^2-8x-2=x-5"),
        ("-2x(x-1):0", "-2x^2+2x=0"),
    ],
)
def test_a_product_poses_the_equation(posed, text):
    problem = ENVIRONMENT.parse(text)
    assert ENVIRONMENT.parse(posed) == problem
    assert ENVIRONMENT.pose(problem) == posed


@pytest.mark.parametrize(
    ("text", "answer", "outcome"),
    [
        ("x^2-5x+6=0", "3,2", Outcome.CORRECT),
        ("x^2-5x+6=0", "x=2 or x=3", Outcome.CORRECT),
        ("x^2-5x+6=0", "{2,3}", Outcome.CORRECT),
        ("x^2-5x+6=0", "2", Outcome.WRONG),
        ("x^2-5x+6=0", "2,3,4", Outcome.WRONG),
        ("x^2-5x+6=0", "(5-1)/2,(5+1)/2", Outcome.UNPARSABLE),
        ("x^2-2x-1=0", "1+sqrt(2),1-sqrt(2)", Outcome.CORRECT),
        ("x^2-2x-1=0", "x=1+sqrt(2) or x=1-sqrt(2)", Outcome.CORRECT),
        ("x^2-2x-1=0", "(2-sqrt(8))/2,(2+sqrt(8))/2", Outcome.CORRECT),
        ("x^2-2x-1=0", "(2-sqrt(4+4))/2,(2+sqrt(4+4))/2", Outcome.UNPARSABLE),
        ("x^2-2x-1=0", "-0.41421356,2.41421356", Outcome.WRONG),
    ],
)
def test_notations_and_work_that_is_left(text, answer, outcome):
    verdict = ENVIRONMENT.grade(ENVIRONMENT.parse(text), f"<answer>{answer}")
    assert verdict.outcome is outcome


@pytest.mark.parametrize(
    ("text", "workings"),
    [
        ("x^2-5x+6=0", {"1,6:7;2,3:5", "5^2-4*1*6=1;1=1^2;(5-1)/2=2;(5+1)/2=3"}),
        ("x^2+3x=0", {"x(x+3)=0"}),
        ("2x^2-5x=-2", {"2x^2-5x+2=0;5^2-4*2*2=9;9=3^2;(5-3)/4=1/2;(5+3)/4=2"}),
        (
            "x^2-2x-1=0",
            {
                "2^2-4*1*-1=8;8=2^2*2;(2-2sqrt(2))/2=1-sqrt(2);(2+2sqrt(2))/2=1+sqrt(2)",
            },
        ),
    ],
)
def test_worked_solutions(text, workings):
    problem = ENVIRONMENT.parse(text)
    shown = {ENVIRONMENT.demonstrate(problem, random.Random(seed)) for seed in range(60)}
    careful = {f"{working}<answer>{problem.gold}" for working in workings}
    assert careful | {f"<answer>{problem.gold}"} <= shown


def _expression(text):
    # Our own text, so sympify is safe.
    return sympy.sympify(re.sub(r"(\d)(?=[xs])", r"\1*", text.replace("^", "**")))


@pytest.mark.parametrize("level", range(9))
def test_gold_agrees_with_sympy(level):
    rng = random.Random(level)
    for _ in range(30):
        problem = ENVIRONMENT.generate(level, rng)
        left, right = map(_expression, problem.text.split("="))
        roots = sympy.roots(sympy.Poly(left - right, sympy.Symbol("x")))
        golds = [_expression(one) for one in problem.gold.split(",")]
        assert len(golds) == len(roots)
        assert all(any(sympy.simplify(gold - root) == 0 for root in roots) for gold in golds)
        assert sorted(golds, key=float) == golds
