"""Limits: values and levels by hand, and sympy's limits as an independent route."""

import random

import pytest
import sympy
from selfplay_envs.limits import Limits
from sympy.parsing import sympy_parser

from selfplay.problem import InvalidProblem

ENVIRONMENT = Limits()
X = sympy.Symbol("x")


def to_sympy(text: str) -> sympy.Expr:
    """What one of our own texts means to sympy; never used on anything else."""
    rules = (
        *sympy_parser.standard_transformations,
        sympy_parser.convert_xor,
        sympy_parser.implicit_multiplication,
    )
    return sympy_parser.parse_expr(text, local_dict={"e": sympy.E, "x": X}, transformations=rules)


@pytest.mark.parametrize(
    ("text", "level", "gold"),
    [
        ("x->2 (x^2-4)/(x-2)", 0, "4"),
        ("x->2 (x-2)/(x^2-4)", 3, "1/4"),
        ("x->5 (2x^2-9x-5)/(x-5)", 1, "11"),
        ("x->oo (3x^2+1)/(2x^2-x)", 2, "3/2"),
        ("x->oo (2x+1)(3x-1)/(1-x^2)", 2, "-6"),
        ("x->-1 (x^2-1)/(x^2+3x+2)", 3, "-2"),
        ("x->1 (x^2-2x+1)/(x^2-2x+1)", 4, "1"),
        ("x->0 sin(3x)/x", 4, "3"),
        ("x->0 (1-cos(3x))/x^2", 4, "9/2"),
        ("x->0 ln(2x+1)/sin(5x)", 4, "2/5"),
        ("x->0 (e^(2x)-1-2x)/x^2", 6, "2"),
        ("x->0 (sin(2x)-2x)/x^3", 6, "-4/3"),
        ("x->0 (e^x*cos(x)-1-x)/x^3", 6, "-1/3"),
    ],
)
def test_problems_by_hand(text, level, gold):
    problem = ENVIRONMENT.parse(text)
    assert (problem.level, problem.gold) == (level, gold)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("(x^2-4)/(x-2)", "malformed: .* is not like"),
        ("x->2 x^2", "malformed"),
        ("x->2 x/x/x", "malformed"),
        ("x->-oo 1/x", "malformed"),
        ("x->02 (x^2-4)/(x-2)", "malformed"),
        ("x->0 (1/x)/(1/x)", "not canonical"),
        ("x->2 ((x^2-4))/(x-2)", "not canonical"),
        ("x->2 (x^2-4)/(x-2)^2", "no solution"),
        ("x->2 (x-2)^2/(x-2)", "no solution"),
        ("x->oo x^2/(x-1)", "no solution: the degrees differ"),
        ("x->oo sin(x)/x", "no solution: functions at another number"),
        ("x->2 sin(x)/x", "no solution: functions at another number"),
        ("x->0 ln(x)/x", "no solution: not a rational one"),
        ("x->0 (e^(x+1)-1)/x", "no solution: not a rational one"),
        ("x->0 (x-x)/x", "not canonical"),
        ("x->2 (x+2)/(x-1)", "trivial: nothing cancels"),
        ("x->oo 3/(4)", "trivial: the limit of a number"),
        ("x->13 (x^2-169)/(x-13)", "beyond the top level: x tends to 13"),
        ("x->0 x^7/x^7", "beyond the top level"),
        ("x->0 x^9/x^9", "beyond the top level"),
        ("x->0 x*x^9/x^9", "not canonical"),
        ("x->0 (x/x-1)/x", "not canonical"),
        ("x->0 ((x+1)-1)/x", "not canonical: no product needs the group"),
        ("x->0 (e^(x^2)-1/x)/x", "malformed: one fraction only"),
    ],
)
def test_refused_with_a_reason(text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        ENVIRONMENT.parse(text)


@pytest.mark.parametrize(
    ("text", "careful"),
    [
        ("x->2 (x^2-4)/(x-2)", {"x+2;2+2=4<answer>4", "2x;4<answer>4"}),
        ("x->0 sin(3x)/x", {"sin(3x):3x;3x/x<answer>3"}),
        (
            "x->0 (1-cos(3x))/x^2",
            {"cos(3x):1-9x^2/2;(9x^2/2)/x^2<answer>9/2"},
        ),
    ],
)
def test_careful_worked_solutions(text, careful):
    problem = ENVIRONMENT.parse(text)
    shown = {ENVIRONMENT.demonstrate(problem, random.Random(seed)) for seed in range(40)}
    assert careful <= shown


@pytest.mark.parametrize("level", range(9))
def test_gold_agrees_with_sympy(level):
    rng = random.Random(level)
    for _ in range(3 if level in (6, 8) else 10):
        problem = ENVIRONMENT.generate(level, rng)
        at, text = problem.text.removeprefix("x->").split(" ")
        point = sympy.oo if at == "oo" else int(at)
        if level in (6, 8):  # sympy's limits of sums of functions take seconds: its series instead
            found = sympy.series(to_sympy(text), X, 0, 1).removeO()
        else:
            found = sympy.limit(to_sympy(text), X, point)
        assert found == sympy.Rational(problem.gold)
