"""Fractions: values and levels by hand, and sympy's evaluation as an independent route."""

import random
import re

import pytest
import sympy
from selfplay_envs.fractions import Fractions

from selfplay.problem import InvalidProblem

ENVIRONMENT = Fractions()


@pytest.mark.parametrize(
    ("text", "level", "gold"),
    [
        ("1/2+1/3", 0, "5/6"),
        ("1/2-1/3", 0, "1/6"),
        ("1/3-1/2", 0, "-1/6"),
        ("2-1/2", 0, "3/2"),
        ("2/3*3/4", 1, "1/2"),
        ("1/2:3/4", 2, "2/3"),
        ("1/2+2/3*3/4", 3, "1"),
        ("(1/2+1/3)*3/5", 4, "1/2"),
        ("1/2-(1/3-1/4)", 4, "5/12"),
        ("1/2:1/3:1/4", 4, "6"),
    ],
)
def test_problems_by_hand(text, level, gold):
    problem = ENVIRONMENT.parse(text)
    assert (problem.level, problem.gold) == (level, gold)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1/2", "trivial: '1/2' has no operation"),
        ("1/2*1", "trivial: multiplies by 1"),
        ("2/4+1/3", "not canonical: '2/4' is written '1/2'"),
        ("4/2+1/3", "not canonical"),
        ("1/2+(1/3+1/4)", "not canonical"),
        ("(1/2)+1/3", "not canonical"),
        ("1/2:(1/3-1/3)", "no solution: it divides by zero"),
        ("1/2 + 1/3", "malformed"),
        ("1/2/3", "malformed"),
        ("-1/2+1/3", "malformed"),
        ("1/2+", "malformed"),
        ("(1/2+1/3", "malformed"),
        ("1/2+1/3)", "malformed"),
        ("1/0+1/3", "malformed"),
        ("1/2+1/٣", "malformed"),
        ("1/997+1/991", "beyond the top level"),
        ("1/2" + "+1/2" * 8, "beyond the top level: operations 8"),
    ],
)
def test_refused_with_a_reason(text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        ENVIRONMENT.parse(text)


@pytest.mark.parametrize(
    ("text", "careful"),
    [
        ("1/2+1/3", "1/2+1/3=3/6+2/6=5/6<answer>5/6"),
        ("1/2:3/4", "1/2:3/4=1/2*4/3=4/6=2/3<answer>2/3"),
        ("1/2-(1/3-1/2)", "1/3-1/2=2/6-3/6=-1/6;1/2-(-1/6)=3/6-(-1/6)=4/6=2/3<answer>2/3"),
    ],
)
def test_worked_solutions(text, careful):
    problem = ENVIRONMENT.parse(text)
    shown = {ENVIRONMENT.demonstrate(problem, random.Random(seed)) for seed in range(30)}
    assert {careful, f"<answer>{problem.gold}"} <= shown


def test_another_form_of_the_value_is_right_and_a_copy_is_not():
    problem = ENVIRONMENT.parse("1/2+1/3")
    assert ENVIRONMENT.grade(problem, "<answer>10/12").correct
    assert not ENVIRONMENT.grade(problem, "<answer>1/2+1/3").correct
    assert not ENVIRONMENT.grade(problem, "<answer>5/7").correct


def test_signature_ignores_the_order_of_sums_and_products():
    assert ENVIRONMENT.parse("1/2+2/3*3/4").signature == ENVIRONMENT.parse("3/4*2/3+1/2").signature
    assert ENVIRONMENT.parse("1/2-1/3").signature != ENVIRONMENT.parse("1/3-1/2").signature


def _sympy(text):
    # Our own text, so sympify is safe.
    return sympy.sympify(re.sub(r"(\d+)/(\d+)", r"Rational(\1,\2)", text).replace(":", "/"))


@pytest.mark.parametrize("level", range(9))
def test_gold_and_every_line_agree_with_sympy(level):
    rng = random.Random(level)
    for _ in range(50):
        problem = ENVIRONMENT.generate(level, rng)
        assert _sympy(problem.text) == sympy.Rational(problem.gold)
        working, _, answer = ENVIRONMENT.demonstrate(problem, rng).partition("<answer>")
        for line in filter(None, working.split(";")):
            assert len(set(map(_sympy, line.split("=")))) == 1
        assert answer == problem.gold
