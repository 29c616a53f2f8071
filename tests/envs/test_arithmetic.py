"""Arithmetic: values and levels by hand, and sympy as an independent route to the gold."""

import random

import pytest
import sympy
from selfplay_envs.arithmetic import Arithmetic

from selfplay.problem import InvalidProblem

ENVIRONMENT = Arithmetic()


@pytest.mark.parametrize(
    ("text", "level", "gold"),
    [
        ("12+3", 0, "15"),
        ("12+4", 8, "16"),
        ("3-12", 0, "-9"),
        ("3*4", 2, "12"),
        ("21+3", 8, "24"),
        ("1+2+3", 0, "6"),
        ("1+2+3+4", 1, "10"),
        ("2*(3+4)", 2, "14"),
        ("12+34*5", 8, "182"),
        ("(3+4)*(5-2)", 8, "21"),
        ("99-1-1-1", 8, "96"),
        ("1+2+3+4+5", 3, "15"),
        ("1+2+3+4-5+6", 5, "11"),
        ("1+2+3+4+5+6", 8, "21"),
        ("1+2+3+4+5+6+7", 8, "28"),
        ("0*5", 2, "0"),
    ],
)
def test_problems_by_hand(text, level, gold):
    problem = ENVIRONMENT.parse(text)
    assert (problem.level, problem.gold) == (level, gold)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("7", "trivial: '7' has no operation"),
        ("(7)", "trivial"),
        ("1+", "malformed"),
        ("x+1", "malformed"),
        ("6/2", "malformed"),
        ("-3+5", "malformed"),
        ("5--3", "malformed"),
        ("1 + 2", r"malformed: '1 \+ 2' has a space"),
        ("1+2+3+4+5+6+7+8+9+1", "beyond the top level: operations 9"),
        ("100+1", "beyond the top level: operations 1, largest 100"),
        ("99*9*9", "beyond the top level: operations 2, largest 99, multiply 1, result 8019"),
        ("13*14", r"beyond the top level: the product 13\*14"),
    ],
)
def test_refused_with_a_reason(text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        ENVIRONMENT.parse(text)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [("1+(2+3)", "1+2+3"), ("(1*2)+3", "1*2+3"), ("2(3+4)", "2*(3+4)"), ("((1+2))", "1+2")],
)
def test_needless_parentheses_are_dropped(text, canonical):
    assert ENVIRONMENT.parse(text) == ENVIRONMENT.parse(canonical)
    assert ENVIRONMENT.parse(text).text == canonical


def test_worked_solutions_at_every_pace():
    problem = ENVIRONMENT.parse("12+34*5-1-1")
    shown = {ENVIRONMENT.demonstrate(problem, random.Random(seed)) for seed in range(30)}
    assert shown == {
        "12+170-1-1=182-1-1=181-1=180<answer>180",
        "182-1-1=180<answer>180",
        "<answer>180",
    }


def test_signature_ignores_order_and_grouping():
    one, other = (ENVIRONMENT.parse(text) for text in ("2*(3+4)-5", "(4+3)*2-5"))
    assert one.signature == other.signature
    assert one.signature != ENVIRONMENT.parse("5-2*(3+4)").signature


@pytest.mark.parametrize("level", range(9))
def test_gold_agrees_with_sympy(level):
    rng = random.Random(level)
    for _ in range(50):
        problem = ENVIRONMENT.generate(level, rng)
        assert sympy.Integer(problem.gold) == sympy.sympify(problem.text)  # our own text


@pytest.mark.parametrize("level", range(2, 9))
def test_half_of_the_texts_have_no_parentheses(level):
    rng = random.Random(level)
    texts = [ENVIRONMENT.generate(level, rng).text for _ in range(400)]
    assert sum("(" in text for text in texts) < 200
    assert sum("(" in text for text in texts) > 10
    products = sum("*" in text for text in texts)
    assert products > 100 if ENVIRONMENT.at(level)["multiply"] else products == 0
