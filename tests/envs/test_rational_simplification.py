"""Lowest terms: values and levels by hand, and sympy's cancel as an independent route."""

import random

import pytest
import sympy
from selfplay_envs import polynomials
from selfplay_envs.rational_simplification import RationalSimplification

from selfplay.problem import InvalidProblem, Outcome

ENVIRONMENT = RationalSimplification()


@pytest.mark.parametrize(
    ("text", "level", "gold"),
    [
        ("(x^2-1)/(x-1)", 0, "x+1"),
        ("(x-1)/(x^2-1)", 0, "1/(x+1)"),
        ("(x^2-1)/(x^2-3x+2)", 1, "(x+1)/(x-2)"),
        ("(x^2+x)/(x^2)", 1, "(x+1)/x"),
        ("(2x^2-2)/(4x-4)", 2, "(x+1)/2"),
        ("(x^2-1)/(-x+1)", 0, "-x-1"),
        ("(x^3-x)/(x^2-1)", 3, "x"),
        ("(x^3-1)/(x^2-1)", 5, "(x^2+x+1)/(x+1)"),
        ("(2x^2+2)/(3x^2+3)", 5, "2/3"),
        ("(x^5-x)/(x^5+x^4+x^3+x^2)", 8, "(x-1)/x"),
    ],
)
def test_problems_by_hand(text, level, gold):
    problem = ENVIRONMENT.parse(text)
    assert (problem.level, problem.gold) == (level, gold)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("(x+1)/(x-1)", "trivial: no polynomial divides both"),
        ("(2x+2)/(4x-4)", "trivial: no polynomial divides both"),
        ("(x+1)/(2)", "trivial: a constant"),
        ("(0)/(x+1)", "trivial: numerator or denominator is 0"),
        ("(x+1)/(0)", "trivial: numerator or denominator is 0"),
        ("x^2-1/x-1", "malformed"),
        ("(x^2-1)/(x-1)+1", "malformed"),
        ("(x^2-y)/(x-1)", "malformed"),
        ("(x^2-١)/(x-1)", "malformed"),
        ("(-1+x^2)/(x-1)", "not canonical"),
        ("(x^6-1)/(x-1)", "beyond the top level: degree 6"),
        ("(x^2-169)/(x-13)", "beyond the top level: .*number 13"),
        ("(x-1):(x-1):(x-1)", "malformed"),
        ("(x-1):", "malformed"),
    ],
)
def test_refused_with_a_reason(text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        ENVIRONMENT.parse(text)


def test_products_pose_the_fraction():
    problem = ENVIRONMENT.parse("(x^2-1)/(x^2-3x+2)")
    assert ENVIRONMENT.pose(problem) == "(x-1)(x+1):(x-2)(x-1)"
    assert ENVIRONMENT.parse("(x+1)(x-1):(x-1)(x-2)") == problem


@pytest.mark.parametrize(
    ("text", "answer", "outcome"),
    [
        ("(x^2-1)/(x^2-3x+2)", "(x+1)/(x-2)", Outcome.CORRECT),
        ("(x^2-1)/(x^2-3x+2)", "(1 + x) / (x - 2)", Outcome.CORRECT),
        ("(x^2-1)/(x^2-3x+2)", "(-x-1)/(2-x)", Outcome.CORRECT),
        ("(x^2-1)/(x^2-3x+2)", "-(x+1)/(2-x)", Outcome.CORRECT),
        ("(x^2-1)/(x^2-3x+2)", "(x^2-1)/(x^2-3x+2)", Outcome.WRONG),
        ("(x^2-1)/(x^2-3x+2)", "(x-1)(x+1)/((x-1)(x-2))", Outcome.WRONG),
        ("(x^2-1)/(x^2-3x+2)", "(2x+2)/(2x-4)", Outcome.WRONG),
        ("(x^2-1)/(x^2-3x+2)", "(x-2)/(x+1)", Outcome.WRONG),
        ("(x^2-1)/(x^2-3x+2)", "x+1/x-2", Outcome.UNPARSABLE),
        ("(x^2-1)/(x^2-3x+2)", "(x+1)/x-2", Outcome.UNPARSABLE),
        ("(x^2-1)/(x^2-3x+2)", "(x+2-1)/(x-2)", Outcome.UNPARSABLE),
        ("(x^2-1)/(x^2-3x+2)", "(x+1)/(x-2)/1", Outcome.UNPARSABLE),
        ("(x^2-1)/(x^2-3x+2)", "(x+1)/0", Outcome.UNPARSABLE),
        ("(x^2-1)/(x-1)", "x+1", Outcome.CORRECT),
        ("(x^2-1)/(x-1)", "(x+1)", Outcome.CORRECT),
        ("(x^2-1)/(x-1)", "(x+1)/1", Outcome.CORRECT),
        ("(x^2-1)/(x-1)", "(x^2-1)/(x-1)", Outcome.WRONG),
        ("(x-1)/(x^2-1)", "1/(x+1)", Outcome.CORRECT),
        ("(2x^2-2)/(4x-4)", "(x+1)/2", Outcome.CORRECT),
        ("(2x^2-2)/(4x-4)", "(2x+2)/4", Outcome.WRONG),
        ("(x^3-7x+6)/(x^2-9)", "(x-1)(x-2)/(x-3)", Outcome.CORRECT),
    ],
)
def test_only_lowest_terms_are_right(text, answer, outcome):
    assert ENVIRONMENT.grade(ENVIRONMENT.parse(text), f"<answer>{answer}").outcome is outcome


@pytest.mark.parametrize(
    ("text", "careful"),
    [
        ("(x^2-1)/(x-1)", "1,-1:0;(x-1)(x+1)/(x-1)"),
        ("(2x^2-2)/(4x-4)", "1,-1:0;2(x-1)(x+1)/(4(x-1))"),
        ("(x^2+3x+2)/(2x^2-2)", "1,2:3;1,-1:0;(x+1)(x+2)/(2(x-1)(x+1));(x+2)/(2(x-1))"),
    ],
)
def test_worked_solutions(text, careful):
    problem = ENVIRONMENT.parse(text)
    shown = {ENVIRONMENT.demonstrate(problem, random.Random(seed)) for seed in range(30)}
    assert f"<answer>{problem.gold}" in shown
    assert any(one.startswith(careful) for one in shown), shown


@pytest.mark.parametrize("level", range(9))
def test_gold_agrees_with_sympy(level):
    rng = random.Random(level)
    x = sympy.Symbol("x")
    for _ in range(40):
        problem = ENVIRONMENT.generate(level, rng)
        sides = [sympy.Poly(polynomials.read(part), x) for part in problem.text[1:-1].split(")/(")]
        above, _, below = problem.gold.partition("/")
        own = [sympy.Poly(polynomials.read(part.strip("()") or "1"), x) for part in (above, below)]
        # sympy's cancel: an integer in front and coprime polynomials.
        number, top, bottom = sides[0].cancel(sides[1])
        factor = sympy.Rational(number)
        assert top * factor.p == own[0] and bottom * factor.q == own[1]
