"""Next term: values and levels by hand; interpolation and linear algebra by sympy."""

import random

import pytest
import sympy
from selfplay_envs.next_term import NextTerm

from selfplay.problem import InvalidProblem

ENVIRONMENT = NextTerm()


@pytest.mark.parametrize(
    ("text", "level", "gold"),
    [
        ("p1 3,7,11", 0, "15"),
        ("p1 3,7,11,15", 0, "19"),
        ("p2 1,4,9,16", 1, "25"),
        ("p2 100,121,144,169", 2, "196"),
        ("r1 3,7,15,31", 3, "63"),
        ("r1 1,-2,4,-8", 3, "16"),
        ("p3 0,1,8,27,64", 5, "125"),
        ("r2 1,1,2,3,5", 6, "8"),
        ("p4 0,1,16,81,256,625", 7, "1296"),
        ("s2 1,1,3,5,9,15", 8, "25"),
    ],
)
def test_problems_by_hand(text, level, gold):
    problem = ENVIRONMENT.parse(text)
    assert (problem.level, problem.gold) == (level, gold)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1,4,9,16", "malformed: .* is not like 'p2 1,4,9,16'"),
        ("p5 1,4,9,16", "malformed"),
        ("p1 03,7,11", "malformed"),
        ("p1 3,-0,11", "malformed"),
        ("p2 1,4,9", "not unique: p2 needs 4 terms"),
        ("r1 5,5,5,5", "not unique: the terms do not determine the rule"),
        ("r2 1,2,4,8,16", "not unique"),
        ("p2 1,4,9,17", "no solution: the terms are not of the family p2"),
        ("r1 2,4,7,11", "no solution: the rule has no whole coefficients"),
        ("p2 1,2,3,4", "not canonical: a polynomial of lower degree"),
        ("r1 1,2,3,4", "not canonical: a polynomial of lower degree"),
        ("r2 1,3,7,15,30", "no solution: the terms are not"),
        ("s2 1,1,2,3,5,8", "not canonical: of the family r2"),
        ("p1 1,500,999", "beyond the top level: large differences"),
        ("p1 100000,100001,100002", "beyond the top level: a term above"),
        ("r1:1,2*4", "malformed: r1 is posed with 3 numbers"),
        ("r1:1,2,3", "malformed: .* is not like 'p2:1,3,2"),
        ("r1:1,99,99*9", "beyond the top level: a term above"),
        ("r1:1,999,0*4", "beyond the top level: large differences"),
    ],
)
def test_refused_with_a_reason(text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        ENVIRONMENT.parse(text)


@pytest.mark.parametrize(
    ("posed", "text"),
    [
        ("p2:1,3,2*4", "p2 1,4,9,16"),
        ("r1:3,2,1*4", "r1 3,7,15,31"),
        ("r2:1,1,1,1*5", "r2 1,1,2,3,5"),
        ("s2:1,1,1,1,1*6", "s2 1,1,3,5,9,15"),
    ],
)
def test_a_rule_poses_the_sequence(posed, text):
    problem = ENVIRONMENT.parse(text)
    assert ENVIRONMENT.parse(posed) == problem
    assert ENVIRONMENT.pose(problem) == posed


@pytest.mark.parametrize(
    ("text", "careful"),
    [
        ("p1 3,7,11", "4,4;11+4=15<answer>15"),
        ("p2 1,4,9,16", "3,5,7;2,2;7+2=9;16+9=25<answer>25"),
        ("r1 3,7,15,31", "p=8/4=2;q=7-6=1;2*31=62;62+1<answer>63"),
        ("r2 1,1,2,3,5", "D=1-2=-1;p=(2-3)/-1=1;q=(3-4)/-1=1;1*5+3=8<answer>8"),
    ],
)
def test_careful_worked_solution(text, careful):
    problem = ENVIRONMENT.parse(text)
    assert careful in {ENVIRONMENT.demonstrate(problem, random.Random(seed)) for seed in range(30)}


@pytest.mark.parametrize("level", range(9))
def test_gold_agrees_with_sympy(level):
    rng = random.Random(level)
    n = sympy.Symbol("n")
    for _ in range(20):
        problem = ENVIRONMENT.generate(level, rng)
        family, listed = problem.text.split(" ")
        terms = [sympy.Integer(term) for term in listed.split(",")]
        if family[0] == "p":
            # All terms: the polynomial through them must be of the stated degree.
            poly = sympy.interpolate(terms, n)
            assert sympy.degree(poly, n) == int(family[1])
            assert poly.subs(n, len(terms) + 1) == int(problem.gold)
            continue
        order, constant = int(family[1]), family != "r2"
        rows = [
            [*terms[i : i + order][::-1], *([1] if constant else [])]
            for i in range(len(terms) - order)
        ]
        unknowns = sympy.symbols("p q c")[: order + constant]
        solved = sympy.linsolve((sympy.Matrix(rows), sympy.Matrix(terms[order:])), *unknowns)
        (rule,) = solved  # exactly one
        last = [*terms[-order:][::-1], *([1] if constant else [])]
        assert sum(a * b for a, b in zip(rule, last, strict=True)) == int(problem.gold)
