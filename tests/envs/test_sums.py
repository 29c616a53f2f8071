"""Sums: values and levels by hand; adding up with sympy, and the closed form at many n."""

import random

import pytest
import sympy
from selfplay_envs.sums import Sums
from sympy.parsing import sympy_parser

from selfplay.problem import InvalidProblem

ENVIRONMENT = Sums()


def to_sympy(text: str) -> sympy.Expr:
    """What one of our own texts means to sympy; never used on anything else."""
    rules = (
        *sympy_parser.standard_transformations,
        sympy_parser.convert_xor,
        sympy_parser.implicit_multiplication,
    )
    return sympy_parser.parse_expr(text, transformations=rules)


@pytest.mark.parametrize(
    ("text", "level", "gold"),
    [
        ("sum 1..4 3k+1", 0, "34"),
        ("sum 0..5 k", 2, "15"),
        ("sum 1..4 k^2", 1, "30"),
        ("sum 1..3 k^2", 1, "14"),
        ("sum 1..99 k", 3, "4950"),
        ("sum 1..3 1/(k(k+1))", 5, "3/4"),
        ("sum 1..10 k^2", 4, "385"),
        ("sum 1..n k", 6, "(n^2+n)/2"),
        ("sum 1..n 3k^2", 6, "(2n^3+3n^2+n)/2"),
        ("sum 1..4 2^k", 5, "30"),
        ("sum 1..n 2^k", 7, "2*2^n-2"),
        ("sum 1..n k*2^k", 7, "(2n-2)*2^n+2"),
        ("sum 1..n (2k+1)*3^k", 7, "3n*3^n"),
        ("sum 1..n k^3", 8, "(n^4+2n^3+n^2)/4"),
        ("sum 1..2 1/(k(k+2))", 5, "11/24"),
    ],
)
def test_problems_by_hand(text, level, gold):
    problem = ENVIRONMENT.parse(text)
    assert (problem.level, problem.gold) == (level, gold)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1..4 3k+1", "malformed: '1..4 3k\\+1' is not like"),
        ("sum 1..4 3x+1", "malformed"),
        ("sum 1..4 3n+1", "malformed: '3n\\+1' is no polynomial"),
        ("sum 1..4 k/2", "malformed"),
        ("sum 01..4 k", "malformed"),
        ("sum 1..4 k+1+k", "not canonical: .* is written 'sum 1..4 2k\\+1'"),
        ("sum 1..4 (k)*2^k", "not canonical"),
        ("sum 1..4 1*2^k", "not canonical"),
        ("sum 2..n k", "not canonical: a sum up to n begins at 1"),
        ("sum 1..4 7", "trivial: a sum of equal numbers"),
        ("sum 4..4 k", "trivial: no range"),
        ("sum 1..999 k", "trivial: no range"),
        ("sum 1..n 1/(k(k+1))", "no solution"),
        ("sum 0..9 1/(k(k+1))", "no solution"),
        ("sum 1..4 1/((k+3)(k+1))", "no solution"),
        ("sum 1..4 100k", "beyond the top level: a number above 99"),
        ("sum 1..4 k^5", "beyond the top level"),
    ],
)
def test_refused_with_a_reason(text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        ENVIRONMENT.parse(text)


@pytest.mark.parametrize(
    ("text", "careful"),
    [
        ("sum 1..4 3k+1", {"4+7=11;11+10=21;21+13=34<answer>34",
                           "4,7,10,13;4+7=11;11+10=21;21+13=34<answer>34"}),
        ("sum 1..20 3k+1", {"20*21/2=210;3*210=630;1*20=20;630+20<answer>650"}),
        ("sum 1..3 1/(k(k+2))", {"1/1+1/2=3/2;1/5+1/4=9/20;3/2-9/20=21/20;1/2*21/20<answer>21/40"}),
        ("sum 1..n 2k+3", {"2k:n^2+n;3:3n<answer>n^2+4n"}),
    ],
)  # fmt: skip
def test_careful_worked_solutions(text, careful):
    problem = ENVIRONMENT.parse(text)
    shown = {ENVIRONMENT.demonstrate(problem, random.Random(seed)) for seed in range(40)}
    assert careful <= shown


def test_any_equal_closed_form_is_right():
    problem = ENVIRONMENT.parse("sum 1..n k")
    assert ENVIRONMENT.grade(problem, "<answer>n(n+1)/2").correct
    assert not ENVIRONMENT.grade(problem, "<answer>n(n-1)/2").correct
    problem = ENVIRONMENT.parse("sum 1..n 2^k")
    assert ENVIRONMENT.grade(problem, "<answer>2^(n+1)-2").correct


@pytest.mark.parametrize("level", range(9))
def test_gold_agrees_with_adding_up(level):
    rng = random.Random(level)
    for _ in range(30):
        problem = ENVIRONMENT.generate(level, rng)
        _, places, formula = problem.text.split(" ")
        first, last = places.split("..")
        summand = sympy.lambdify(sympy.Symbol("k"), to_sympy(formula))
        for n in (1, 2, 3, 7, 12) if last == "n" else (int(last),):
            total = sum(summand(sympy.Integer(k)) for k in range(int(first), n + 1))
            assert to_sympy(problem.gold).subs({"n": n}) == total
