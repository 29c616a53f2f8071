"""Integrals: values and levels by hand; sympy as an independent route."""

import random

import pytest
import sympy
from selfplay_envs.integrals import Integrals
from sympy.parsing import sympy_parser

from selfplay.problem import InvalidProblem

ENVIRONMENT = Integrals()
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
        ("int 6x+2 dx", 0, "3x^2+2x"),
        ("int 3x^2+x dx", 1, "x^3+x^2/2"),
        ("int (x+1)(x-1) dx", 0, "x^3/3-x"),
        ("int 1..3 6x+2 dx", 4, "28"),
        ("int 0..1 x^2-x dx", 4, "-1/6"),
        ("int 4(2x+1)^3 dx", 2, "(2x+1)^4/2"),
        ("int 3/x dx", 5, "3ln(x)"),
        ("int 2/x^3 dx", 5, "-1/x^2"),
        ("int 6cos(3x)+e^(2x) dx", 5, "2sin(3x)+e^(2x)/2"),
        ("int 1/(2x+1) dx", 5, "ln(2x+1)/2"),
        ("int x*(x^2+1)^3 dx", 6, "(x^2+1)^4/8"),
        ("int 0..1 x*(x^2+1)^3 dx", 6, "15/8"),
        ("int (2x+1)*e^(x^2+x) dx", 6, "e^(x^2+x)"),
        ("int x*e^x dx", 7, "x*e^x-e^x"),
        ("int x*ln(x) dx", 7, "x^2*ln(x)/2-x^2/4"),
        ("int x^3*e^(2x) dx", 8, "x^3*e^(2x)/2-3x^2*e^(2x)/4+3x*e^(2x)/4-3e^(2x)/8"),
    ],
)
def test_problems_by_hand(text, level, gold):
    problem = ENVIRONMENT.parse(text)
    assert (problem.level, problem.gold) == (level, gold)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("int 6x+2", "malformed: 'int 6x\\+2' is not like"),
        ("6x+2", "malformed"),
        ("int 1..3 6y+2 dx", "malformed"),
        ("int -0..3 6x+2 dx", "malformed"),
        ("int 3..1 6x+2 dx", "not canonical: the limits 3..1 do not ascend"),
        ("int 6x+x dx", "not canonical"),
        ("int 7 dx", "trivial: the integral of a number"),
        ("int 2e^x dx", "trivial: its own antiderivative"),
        ("int 1..2 1/x dx", "beyond the top level: limits where the value is irrational"),
        ("int 1..2 e^x dx", "beyond the top level: limits"),
        ("int x^6 dx", "beyond the top level"),
        ("int 1000x dx", "beyond the top level: the number 1000"),
        ("int e^x*sin(x) dx", "beyond the top level: no rule here integrates that product"),
        ("int sin(x^2) dx", "beyond the top level"),
        ("int sin(ln(x)) dx", "beyond the top level: no rule here integrates nested"),
        ("int (sin(x))^2 dx", "beyond the top level: no rule here integrates a power"),
        ("int x/(x+1) dx", "beyond the top level: no rule here integrates that product"),
    ],
)
def test_refused_with_a_reason(text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        ENVIRONMENT.parse(text)


@pytest.mark.parametrize(
    ("text", "answer", "outcome"),
    [
        ("int 6x+2 dx", "3x^2+2x+7", "correct"),
        ("int 6x+2 dx", "3x^2+2x+C", "correct"),
        ("int 6x+2 dx", "x(3x+2)", "correct"),
        ("int 6x+2 dx", "3x^2+2", "wrong"),
        ("int 6x+2 dx", "3x^2+2x+y*x", "wrong"),
        ("int 6x+2 dx", "6x+2", "wrong"),
        ("int 6x+2 dx", "5", "wrong"),
        ("int 6x+2 dx", "int 6x+2 dx", "unparsable"),
        ("int 6x+2 dx", "3x^2+2x+arcsin(x)", "unparsable"),
        ("int 6x+2 dx", "+".join(["x"] * 280), "timeout"),
        ("int 3/x dx", "3ln|x|", "correct"),
        ("int 3/x dx", "3ln(2x)", "correct"),
        ("int 3/x dx", "ln(x^3)", "correct"),
        ("int 2x*cos(x^2+1) dx", "sin(x^2+1)-5", "correct"),
        ("int 4x*e^(x^2) dx", "2exp(x^2)", "correct"),
        ("int (2x+1)^2 dx", "4x^3/3+2x^2+x", "correct"),
        ("int 1..3 6x+2 dx", "56/2", "correct"),
        ("int 1..3 6x+2 dx", "3x^2+2x", "unparsable"),
    ],
)
def test_any_antiderivative_is_right(text, answer, outcome):
    assert ENVIRONMENT.grade(ENVIRONMENT.parse(text), f"<answer>{answer}").outcome == outcome


@pytest.mark.parametrize(
    ("text", "careful"),
    [
        ("int 6x+2 dx", "6x:3x^2;2:2x<answer>3x^2+2x"),
        ("int 1..3 6x+2 dx", "6x:3x^2;2:2x;3:27+6=33;1:3+2=5;33-5<answer>28"),
        ("int -1..1 6x dx", "6x:3x^2;1:3;-1:3;3-3<answer>0"),
        ("int x*e^(2x) dx", "x:1;e^(2x):e^(2x)/2<answer>x*e^(2x)/2-e^(2x)/4"),
    ],
)
def test_careful_worked_solution(text, careful):
    problem = ENVIRONMENT.parse(text)
    shown = {ENVIRONMENT.demonstrate(problem, random.Random(seed)) for seed in range(30)}
    assert careful in shown


@pytest.mark.parametrize("level", range(9))
def test_gold_agrees_with_sympy(level):
    rng = random.Random(level)
    for _ in range(12):
        problem = ENVIRONMENT.generate(level, rng)
        *limits, text = problem.text.removeprefix("int ").removesuffix(" dx").split(" ")
        function = to_sympy(text)
        if limits:
            lower, upper = map(int, limits[0].split(".."))
            assert function.integrate((X, lower, upper)) == sympy.Rational(problem.gold)
            continue
        difference = to_sympy(problem.gold).diff(X) - function
        at = {X: sympy.Rational(rng.randint(20, 90), 61)}
        size = 1 + abs(sympy.N(function.subs(at), 40))
        assert abs(sympy.N(difference.subs(at), 40)) < 1e-20 * size
