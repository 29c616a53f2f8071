"""Derivatives: values and levels by hand, and sympy as an independent route."""

import random

import pytest
import sympy
from selfplay_envs.derivatives import Derivatives
from sympy.parsing import sympy_parser

from selfplay.problem import InvalidProblem

ENVIRONMENT = Derivatives()
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
        ("d/dx 3x^2+2x", 0, "6x+2"),
        ("d/dx x^3-x", 1, "3x^2-1"),
        ("d/dx 2x^5+x", 2, "10x^4+1"),
        ("d/dx 4(3x+2)^4", 3, "48(3x+2)^3"),
        ("d/dx (2x+3)(x^2-1)", 4, "6x^2+6x-2"),
        ("d/dx x*(x+1)", 4, "2x+1"),
        ("d/dx 3sin(2x)+ln(x+5)", 5, "6cos(2x)+1/(x+5)"),
        ("d/dx x^2*sin(3x)", 6, "2x*sin(3x)+3x^2*cos(3x)"),
        ("d/dx e^x/x", 6, "-e^x/x^2+e^x/x"),
        ("d/dx 2e^(x^2)", 7, "4x*e^(x^2)"),
        ("d/dx (sin(3x))^4", 7, "12(sin(3x))^3*cos(3x)"),
        ("d/dx ln(cos(2x))", 8, "-2sin(2x)/cos(2x)"),
        ("d2/dx x^4+x^3", 8, "12x^2+6x"),
        ("d2/dx sin(2x)", 8, "-4sin(2x)"),
    ],
)
def test_problems_by_hand(text, level, gold):
    problem = ENVIRONMENT.parse(text)
    assert (problem.level, problem.gold) == (level, gold)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("3x^2", "malformed: '3x\\^2' is not like 'd/dx"),
        ("d/dx 3y", "malformed"),
        ("d/dx ", "malformed"),
        ("d/dx (x+1", "malformed: a parenthesis is not closed"),
        ("d/dx x+", "malformed"),
        ("d/dx sin x", "malformed"),
        ("d/dx sin(sin(sin(sin(x))))", "malformed: nested too deep"),
        ("d/dx x^99", "malformed: '99' is no power"),
        ("d/dx 2x+x", "not canonical: '2x\\+x' is written '3x'"),
        ("d/dx sin(x)*x", "not canonical"),
        ("d/dx (2x)^2", "not canonical: the group"),
        ("d/dx 1x^2", "not canonical"),
        ("d/dx x^2*sin(2)", "trivial: a function of a number"),
        ("d/dx 3x+1", "trivial: the derivative is a number"),
        ("d/dx 2e^x", "trivial: its own derivative"),
        ("d/dx 100x^2", "beyond the top level: the number 100"),
        ("d/dx x^7", "beyond the top level"),
        ("d/dx x^5+x^4+x^3+x^2+x", "beyond the top level"),
    ],
)
def test_refused_with_a_reason(text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        ENVIRONMENT.parse(text)


@pytest.mark.parametrize(
    ("text", "answer", "correct"),
    [
        ("d/dx 3x^2+2x", "2(3x+1)", True),
        ("d/dx 3x^2+2x", "d/dx 3x^2+2x", False),
        ("d/dx 3x^2+2x", "6x", False),
        ("d/dx x^2*sin(3x)", "x(2sin(3x)+3x*cos(3x))", True),
        ("d/dx 2e^(x^2)", "4x*exp(x^2)", True),
        ("d/dx 2e^(x^2)", "2e^(x^2)", False),
    ],
)
def test_any_equal_form_is_right(text, answer, correct):
    verdict = ENVIRONMENT.grade(ENVIRONMENT.parse(text), f"<answer>{answer}")
    assert verdict.correct is correct


def test_signature_ignores_the_order_of_terms():
    one, other = (ENVIRONMENT.parse(f"d/dx {text}") for text in ("3x^2+2x", "2x+3x^2"))
    assert one.signature == other.signature


@pytest.mark.parametrize(
    ("text", "careful"),
    [
        ("d/dx 3x^2+2x", "3x^2:6x;2x:2<answer>6x+2"),
        ("d/dx 2e^(x^2)", "x^2:2x<answer>4x*e^(x^2)"),
        (
            "d/dx (2x+3)(x^2-1)",
            "2x+3:2;x^2-1:2x;(2x+3)(x^2-1):2x^2-2+2x*(2x+3)<answer>6x^2+6x-2",
        ),
    ],
)
def test_careful_worked_solution(text, careful):
    problem = ENVIRONMENT.parse(text)
    shown = {ENVIRONMENT.demonstrate(problem, random.Random(seed)) for seed in range(30)}
    assert careful in shown


@pytest.mark.parametrize("level", range(9))
def test_gold_and_every_line_agree_with_sympy(level):
    rng = random.Random(level)
    for _ in range(12):
        problem = ENVIRONMENT.generate(level, rng)
        prefix, text = problem.text.split(" ")
        order = 2 if prefix == "d2/dx" else 1
        pairs = [(text, problem.gold, order)]
        working, _, _ = ENVIRONMENT.demonstrate(problem, rng).partition("<answer>")
        pairs += [(*line.split(":"), 1) for line in working.split(";") if ":" in line]
        for function, derivative, times in pairs:
            difference = to_sympy(function).diff(X, times) - to_sympy(derivative)
            at = {X: sympy.Rational(rng.randint(20, 90), 61)}
            assert abs(sympy.N(difference.subs(at), 30)) < 1e-12 * (
                1 + abs(sympy.N(to_sympy(derivative).subs(at), 30))
            )
