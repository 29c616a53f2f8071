"""Multiplying out: values and levels by hand, and sympy's expansion as an independent route."""

import random
import re

import pytest
import sympy
from selfplay_envs.polynomial_expand import PolynomialExpand

from selfplay.problem import InvalidProblem, Outcome

ENVIRONMENT = PolynomialExpand()


@pytest.mark.parametrize(
    ("text", "level", "gold"),
    [
        ("(x+2)(x-3)", 0, "x^2-x-6"),
        ("(x-2)(x+2)", 0, "x^2-4"),
        ("(x+3)^2", 0, "x^2+6x+9"),
        ("3(x+2)(x-3)", 0, "3x^2-3x-18"),
        ("5(x+2)(x-3)", 1, "5x^2-5x-30"),
        ("-(x+2)(x-3)", 0, "-x^2+x+6"),
        ("x(x+2)(x-3)", 2, "x^3-x^2-6x"),
        ("(x+1)^3", 2, "x^3+3x^2+3x+1"),
        ("(3x+1)(x^2-x+1)", 3, "3x^3-2x^2+2x+1"),
        ("(x+2)(x-3)-(x-1)^2", 4, "x-7"),
        ("(x+2y)(x-3y)", 5, "x^2-xy-6y^2"),
        ("(x+y+1)^2", 5, "x^2+2xy+y^2+2x+2y+1"),
        ("(x-1)(x+1)(x^2+1)", 7, "x^4-1"),
        ("(x+1)^5", 8, "x^5+5x^4+10x^3+10x^2+5x+1"),
    ],
)
def test_problems_by_hand(text, level, gold):
    problem = ENVIRONMENT.parse(text)
    assert (problem.level, problem.gold) == (level, gold)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x^2-4", "malformed"),
        ("(x+2)", "trivial: there is nothing to multiply"),
        ("(x+2)(x-2)-(x-2)(x+2)", "trivial: everything cancels"),
        ("(x+2)(x+2)", "not canonical: .x.2. twice"),
        ("(2+x)(x-3)", "not canonical"),
        ("(x+2)(3)", "not canonical: .3. needs no parentheses"),
        ("1(x+2)(x-3)", "not canonical"),
        ("+(x+2)(x-3)", "malformed"),
        ("(x+2)*(x-3)", "malformed"),
        ("(x+2)(x-3)+", "malformed"),
        ("(x+2)(x-3)^1", "malformed"),
        ("((x+2))(x-3)", "malformed"),
        ("(x+z)(x-3)", "malformed"),
        ("(x+٢)(x-3)", "malformed"),
        ("(x+2)^9(x+1)", "beyond the top level: a degree above 9"),
        ("(x+2)^6", "beyond the top level: degree 6"),
        ("(x+13)(x-3)", "beyond the top level: .*number 13"),
    ],
)
def test_refused_with_a_reason(text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        ENVIRONMENT.parse(text)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("x^2-x-6", Outcome.CORRECT),
        ("-6-x+x^2", Outcome.CORRECT),
        ("x^2 - x - 6", Outcome.CORRECT),
        ("x^{2}-x-6", Outcome.CORRECT),
        ("x^2+x-6", Outcome.WRONG),
        ("(x+2)(x-3)", Outcome.UNPARSABLE),
        ("x^2-3x+2x-6", Outcome.UNPARSABLE),
        ("x^2-x-2*3", Outcome.UNPARSABLE),
        ("x^2-x-2\\cdot 3", Outcome.UNPARSABLE),
    ],
)
def test_terms_must_be_collected(answer, outcome):
    assert (
        ENVIRONMENT.grade(ENVIRONMENT.parse("(x+2)(x-3)"), f"<answer>{answer}").outcome is outcome
    )


def test_signature_ignores_the_order_of_the_factors():
    texts = ("(x+2)(x-3)-(x-1)^2", "-(x-1)^2+(x-3)(x+2)")
    assert len({ENVIRONMENT.parse(text).signature for text in texts}) == 1


@pytest.mark.parametrize(
    ("text", "careful"),
    [
        ("(x+2)(x-3)", "x^2-3x+2x-6"),
        ("3(x+2)(x-3)", "3x+6;3x^2-9x+6x-18"),
        (
            "(x+2)(x-3)-(x-1)^2",
            "x^2-3x+2x-6;x^2-x-6;-x^2+x+x-1;-x^2+2x-1;x^2-x-6-x^2+2x-1",
        ),
    ],
)
def test_worked_solutions(text, careful):
    problem = ENVIRONMENT.parse(text)
    shown = {ENVIRONMENT.demonstrate(problem, random.Random(seed)) for seed in range(30)}
    assert {f"{careful}<answer>{problem.gold}", f"<answer>{problem.gold}"} <= shown


def _expression(text):
    # Our own text, so sympify is safe.
    text = re.sub(r"\^(\d)", r"**\1 ", text).strip()
    text = re.sub(r"(?<=[\dxy)]) ?(?=[xy(])", "*", text)
    return sympy.sympify(re.sub(r"\*\*(\d)\*", r"**\1*", text))


@pytest.mark.parametrize("level", range(9))
def test_gold_agrees_with_sympy(level):
    rng = random.Random(level)
    for _ in range(40):
        problem = ENVIRONMENT.generate(level, rng)
        expanded = sympy.expand(_expression(problem.text))
        assert expanded == _expression(problem.gold), problem
        assert len(expanded.as_ordered_terms()) == len(re.findall("[-+]?[^-+]+", problem.gold))
