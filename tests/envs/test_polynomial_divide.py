"""Division of polynomials: values and levels by hand, and sympy's division as another route."""

import random

import pytest
import sympy
from selfplay_envs import polynomials
from selfplay_envs.polynomial_divide import PolynomialDivide

from selfplay.problem import InvalidProblem, Outcome

ENVIRONMENT = PolynomialDivide()


@pytest.mark.parametrize(
    ("text", "level", "gold"),
    [
        ("(x^2+5x+11)/(x+2)", 0, "x+3,5"),
        ("(x^2-4)/(x-2)", 0, "x+2,0"),
        ("(x^2+50)/(x)", 1, "x,50"),
        ("(x^3-2x+5)/(x-2)", 2, "x^2+2x+2,9"),
        ("(2x^3+x^2-4)/(2x+1)", 3, "x^2,-4"),
        ("(x^3+2x^2+3x+4)/(x^2+1)", 4, "x+2,2x+2"),
        ("(x^4-1)/(x-1)", 4, "x^3+x^2+x+1,0"),
        ("(x^4+1)/(x^2-x+1)", 4, "x^2+x,-x+1"),
        ("(x^5+1)/(x^2+x)", 6, "x^3-x^2+x-1,x+1"),
        ("(x^6)/(x^3-1)", 8, "x^3+1,1"),
        ("(x^2+1)/(-x+1)", 0, "-x-1,2"),
    ],
)
def test_problems_by_hand(text, level, gold):
    problem = ENVIRONMENT.parse(text)
    assert (problem.level, problem.gold) == (level, gold)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("(x^2+5x+11)/(3)", "trivial"),
        ("(x+3)/(x+2)", "trivial"),
        ("(x^2+3)/(x^3+2)", "trivial"),
        ("(x^2+3)/(0)", "trivial"),
        ("(x^2+5x)/(2x+2)", "no solution: .* not whole"),
        ("x^2+5x+11/x+2", "malformed"),
        ("(x^2+5x+11)/(x+2)=", "malformed"),
        ("(x^2+5x+y)/(x+2)", "malformed"),
        ("(x^2+5x+١)/(x+2)", "malformed"),
        ("(5x+x^2+11)/(x+2)", "not canonical"),
        ("(x^2+5x+11)/(1x+2)", "not canonical"),
        ("(x^7+1)/(x+1)", "beyond the top level: dividend 7"),
        ("(5x^2+5)/(5x+1)", "beyond the top level: .*lead 5"),
        ("(x^2+1000)/(x+2)", "beyond the top level: .*number 1004"),
    ],
)
def test_refused_with_a_reason(text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        ENVIRONMENT.parse(text)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("x+3,5", Outcome.CORRECT),
        ("(x+3, 5)", Outcome.CORRECT),
        ("3+x,5", Outcome.CORRECT),
        ("5,x+3", Outcome.WRONG),
        ("x+4,5", Outcome.WRONG),
        ("x+5-2,5", Outcome.UNPARSABLE),
        ("x+3,11-6", Outcome.UNPARSABLE),
        ("0,x^2+5x+11", Outcome.WRONG),
    ],
)
def test_answers_are_worked_out(answer, outcome):
    problem = ENVIRONMENT.parse("(x^2+5x+11)/(x+2)")
    assert ENVIRONMENT.grade(problem, f"<answer>{answer}").outcome is outcome


@pytest.mark.parametrize(
    ("text", "workings"),
    [
        ("(x^2+5x+11)/(x+2)", {"x:3x+11;3:5", "5-2*1=3;11-2*3=5"}),
        ("(x^3+2x^2+3x+4)/(x^2+1)", {"x:2x^2+2x+4;2:2x+2"}),
    ],
)
def test_worked_solutions(text, workings):
    problem = ENVIRONMENT.parse(text)
    shown = {ENVIRONMENT.demonstrate(problem, random.Random(seed)) for seed in range(40)}
    careful = {f"{working}<answer>{problem.gold}" for working in workings}
    assert careful | {f"<answer>{problem.gold}"} <= shown


@pytest.mark.parametrize("level", range(9))
def test_gold_agrees_with_sympy(level):
    rng = random.Random(level)
    x = sympy.Symbol("x")
    for _ in range(60):
        problem = ENVIRONMENT.generate(level, rng)
        dividend, divisor = (
            sympy.Poly(polynomials.read(part), x) for part in problem.text[1:-1].split(")/(")
        )
        quotient, rest = (
            sympy.Poly(polynomials.read(part) or (0,), x) for part in problem.gold.split(",")
        )
        assert sympy.div(dividend, divisor) == (quotient, rest)
