"""Polynomial equations: values and levels by hand, and sympy's roots as an independent route."""

import random
import re

import pytest
import sympy
from selfplay_envs.polynomial_equations import PolynomialEquations

from selfplay.problem import InvalidProblem

ENVIRONMENT = PolynomialEquations()


@pytest.mark.parametrize(
    ("text", "level", "gold"),
    [
        ("(x-2)(x+3)(x-5)=0", 0, "-3,2,5"),
        ("x(x-2)^2=0", 0, "0,2"),
        ("(x-2)(x+3)(2x-1)=0", 1, "-3,1/2,2"),
        ("x(x^2-5x+6)=0", 2, "0,2,3"),
        ("(x+1)(x^2+1)=0", 2, "-1"),
        ("x^3-6x^2+11x-6=0", 3, "1,2,3"),
        ("x^3-6x^2+12x-6=x", 3, "1,2,3"),
        ("x^3=27", 3, "3"),
        ("2x^3-x^2-2x+1=0", 4, "-1,1/2,1"),
        ("x^4-5x^2+4=0", 5, "-2,-1,1,2"),
        ("x^4=16", 5, "-2,2"),
        ("4x^4-5x^2+1=0", 6, "-1,-1/2,1/2,1"),
        ("x^5-5x^3+4x=0", 7, "-2,-1,0,1,2"),
        ("2x^5-x^4+2x-1=0", None, None),
    ],
)
def test_problems_by_hand(text, level, gold):
    if gold is None:
        with pytest.raises(InvalidProblem, match="beyond the top level: a solution that is not"):
            ENVIRONMENT.parse(text)
        return
    problem = ENVIRONMENT.parse(text)
    assert (problem.level, problem.gold) == (level, gold)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x^2-4=0", "trivial: degree 2"),
        ("x^3=0", "trivial: only 0"),
        ("x^3=2", "beyond the top level: a solution that is not rational"),
        ("(x^2+1)(x^2+2)=0", "no solution"),
        ("x^6-1=0", "beyond the top level: degree 6"),
        ("x^3-6000x^2=0", "beyond the top level: .*root 6000"),
        ("x^3-1", "malformed"),
        ("x^3=x^2", "malformed"),
        ("(x-1)(x-2)(x-3)=1", "malformed"),
        ("2(x-1)(x-2)(x-3)=0", "malformed"),
        ("(x-1)(x-2)(3)=0", "malformed"),
        ("(x-1)(x-2)(y-3)=0", "malformed"),
        ("(x-1)(x-2)(x-٣)=0", "malformed"),
        ("(x-1)(x-2)(x-1)=0", "not canonical"),
        ("(x-1)(x-2)(-3+x)=0", "not canonical"),
        ("11x+x^3=0", "not canonical"),
        ("(x-1)(x-2)(x-3)", "malformed"),
        ("(x-1)(x-2)(x-3):", "malformed"),
        ("(x-1)(x-2):0", "trivial: degree 2"),
    ],
)
def test_refused_with_a_reason(text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        ENVIRONMENT.parse(text)


@pytest.mark.parametrize(
    ("posed", "text"),
    [
        ("(x-3)(x-2)(x-1):0", "x^3-6x^2+11x-6=0"),
        ("(x-3)(x-2)(x-1):x", "x^3-6x^2+12x-6=x"),
        ("(x-2)(x+3)(x-5)=0", "(x-2)(x+3)(x-5)=0"),
    ],
)
def test_a_product_poses_the_equation(posed, text):
    problem = ENVIRONMENT.parse(text)
    assert ENVIRONMENT.parse(posed) == problem
    assert ENVIRONMENT.pose(problem) == posed


def test_signature_ignores_the_order_of_the_factors():
    texts = ("(x-2)(x+3)(x-5)=0", "(x-5)(x-2)(x+3)=0")
    assert len({ENVIRONMENT.parse(text).signature for text in texts}) == 1


@pytest.mark.parametrize(
    ("text", "careful"),
    [
        ("(x-2)(x+3)(2x-1)=0", "x=2;x=-3;x=1/2"),
        ("x^3-9x^2+26x-24=0", "1:-6;-1:-60;2:0;x^2-7x+12;2:2;-2:30;3:0;x-4"),
        ("x^3-2x=x", None),
    ],
)
def test_worked_solutions(text, careful):
    if careful is None:
        with pytest.raises(InvalidProblem):
            ENVIRONMENT.parse(text)
        return
    problem = ENVIRONMENT.parse(text)
    shown = {ENVIRONMENT.demonstrate(problem, random.Random(seed)) for seed in range(30)}
    assert {f"{careful}<answer>{problem.gold}", f"<answer>{problem.gold}"} <= shown


def _expression(text):
    # Our own text, so sympify is safe.
    text = re.sub(r"([\dx)])(?=\()", r"\1*", re.sub(r"(\d)(?=x)", r"\1*", text))
    return sympy.sympify(text.replace("^", "**"))


@pytest.mark.parametrize("level", range(9))
def test_gold_agrees_with_sympy(level):
    rng = random.Random(level)
    for _ in range(40):
        problem = ENVIRONMENT.generate(level, rng)
        left, right = map(_expression, problem.text.split("="))
        roots = sympy.real_roots(sympy.Poly(left - right, sympy.Symbol("x")))
        assert problem.gold == ",".join(map(str, sorted(set(roots))))
