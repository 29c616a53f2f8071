"""Factoring: values and levels by hand, and sympy's factor_list as an independent route."""

import random

import pytest
import sympy
from selfplay_envs import polynomials
from selfplay_envs.polynomial_factor import PolynomialFactor

from selfplay.problem import InvalidProblem, Outcome

ENVIRONMENT = PolynomialFactor()


@pytest.mark.parametrize(
    ("text", "level", "gold"),
    [
        ("x^2-x-6", 0, "(x-3)(x+2)"),
        ("x^2+6x+9", 0, "(x+3)^2"),
        ("x^2-4x", 0, "x(x-4)"),
        ("3x^2-3x-18", 1, "3(x-3)(x+2)"),
        ("-x^2+x+6", 0, "-(x-3)(x+2)"),
        ("2x^2+5x-3", 2, "(x+3)(2x-1)"),
        ("x^3-6x^2+11x-6", 3, "(x-3)(x-2)(x-1)"),
        ("x^3-1", 6, "(x-1)(x^2+x+1)"),
        ("x^4+4", 6, "(x^2-2x+2)(x^2+2x+2)"),
        ("x^4-x^2+1", None, None),
        ("x^5-x^4+2x-2", None, None),
        ("x^5-1", None, None),
        ("x^5+x^4+1", 8, "(x^2+x+1)(x^3-x+1)"),
    ],
)
def test_problems_by_hand(text, level, gold):
    if gold is None:  # irreducible, or with an irreducible factor of degree 4
        with pytest.raises(InvalidProblem, match="trivial|beyond the top level"):
            ENVIRONMENT.parse(text)
        return
    problem = ENVIRONMENT.parse(text)
    assert (problem.level, problem.gold) == (level, gold)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x+3", "trivial: the degree"),
        ("7", "trivial: the degree"),
        ("0", "trivial: the degree"),
        ("x^2+1", "trivial: 'x\\^2\\+1' is irreducible"),
        ("x^6-1", "beyond the top level: degree 6"),
        ("7x^2-7", "beyond the top level: .*content 7"),
        ("x^2-400", "beyond the top level: .*number 20"),
        ("x^2-x-6=0", "malformed"),
        ("(x-3)(x+2", "malformed"),
        ("(x-3)/(x+2)", "malformed"),
        ("x^2-x-٦", "malformed"),
        ("-6-x+x^2", "not canonical"),
        ("x^2-2x+x-6", "not canonical"),
        ("x" * 71, "malformed"),
    ],
)
def test_refused_with_a_reason(text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        ENVIRONMENT.parse(text)


def test_a_product_poses_the_polynomial():
    problem = ENVIRONMENT.parse("x^2-x-6")
    assert ENVIRONMENT.pose(problem) == "(x-3)(x+2)"
    assert ENVIRONMENT.parse("(x+2)(x-3)") == problem


@pytest.mark.parametrize(
    ("text", "answer", "outcome"),
    [
        ("x^2-x-6", "(x+2)(x-3)", Outcome.CORRECT),
        ("x^2-x-6", "(2+x)*(x-3)", Outcome.CORRECT),
        ("x^2-x-6", "(3-x)(-x-2)", Outcome.CORRECT),
        ("x^2-x-6", "-(3-x)(x+2)", Outcome.CORRECT),
        ("x^2-x-6", "\\left(x+2\\right)(x-3)", Outcome.CORRECT),
        ("x^2-x-6", "x^2-x-6", Outcome.UNPARSABLE),
        ("x^2-x-6", "(x^2-x-6)", Outcome.WRONG),
        ("x^2-x-6", "1(x^2-x-6)", Outcome.WRONG),
        ("x^2-x-6", "(x+2)(x+3)", Outcome.WRONG),
        ("x^2-x-6", "(x-3)(x+2)(x+1)", Outcome.WRONG),
        ("x^2-x-6", "(x-3)(x+2)=0", Outcome.UNPARSABLE),
        ("x^2-x-6", "(x-3)(x+2)/1", Outcome.UNPARSABLE),
        ("3x^2-3x-18", "3(x-3)(x+2)", Outcome.CORRECT),
        ("3x^2-3x-18", "(3x-9)(x+2)", Outcome.UNPARSABLE),
        ("3x^2-3x-18", "(x-3)(x+2)", Outcome.WRONG),
        ("3x^2-3x-18", "(3)(x-3)(x+2)", Outcome.UNPARSABLE),
        ("x^2+6x+9", "(x+3)(x+3)", Outcome.CORRECT),
        ("x^2+6x+9", "(x+3)^{2}", Outcome.CORRECT),
        ("x^2-4x", "(x)(x-4)", Outcome.CORRECT),
        ("x^3-x", "x(x^2-1)", Outcome.WRONG),
    ],
)
def test_only_irreducible_factors_are_right(text, answer, outcome):
    assert ENVIRONMENT.grade(ENVIRONMENT.parse(text), f"<answer>{answer}").outcome is outcome


@pytest.mark.parametrize(
    ("text", "careful"),
    [
        ("x^2-x-6", "1,-6:-5;2,-3:-1"),
        ("2x^2+5x-3", "-1,6:5;2x^2-x+6x-3"),
        ("3x^2-3x-18", "3(x^2-x-6);1,-6:-5;2,-3:-1"),
        ("x^3-9x^2+26x-24", "1:-6;-1:-60;2:0;x^2-7x+12;2:2;-2:30;3:0;x-4"),
    ],
)
def test_worked_solutions(text, careful):
    problem = ENVIRONMENT.parse(text)
    shown = {ENVIRONMENT.demonstrate(problem, random.Random(seed)) for seed in range(30)}
    assert {f"{careful}<answer>{problem.gold}", f"<answer>{problem.gold}"} <= shown


@pytest.mark.parametrize("level", range(9))
def test_gold_agrees_with_sympy(level):
    rng = random.Random(level)
    for _ in range(60):
        problem = ENVIRONMENT.generate(level, rng)
        poly = sympy.Poly(polynomials.read(problem.text), sympy.Symbol("x"))
        content, factors = sympy.factor_list(poly)
        number, own = polynomials.read_product(problem.gold)
        assert number == content * 1
        assert sorted((tuple(map(int, one.all_coeffs())), n) for one, n in factors) == sorted(own)
