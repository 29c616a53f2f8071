"""Inequalities: values and levels by hand, and sympy's sets as an independent route."""

import random
import re

import pytest
import sympy
from selfplay_envs.inequalities import Inequalities

from selfplay.problem import InvalidProblem, Outcome

ENVIRONMENT = Inequalities()


@pytest.mark.parametrize(
    ("text", "level", "gold"),
    [
        ("2x+3<11", 0, "x<4"),
        ("x+3>=1", 0, "x>=-2"),
        ("3-2x<1", None, None),
        ("-2x+3<1", 1, "x>1"),
        ("5x-2<=2x+7", 2, "x<=3"),
        ("2x+1>3x-4", 2, "x<5"),
        ("-3<2x+1<=7", 3, "-2<x<=3"),
        ("|2x-4|<6", 4, "-1<x<5"),
        ("|2x-4|>=6", 4, "x<=-1 or x>=5"),
        ("|x+1|<=0", 4, "x=-1"),
        ("|x+1|>0", 4, "x<-1 or x>-1"),
        ("x^2-5x+6>0", 5, "x<2 or x>3"),
        ("x^2-5x+6<=0", 5, "2<=x<=3"),
        ("-x^2+4>0", 5, "-2<x<2"),
        ("x^2<=0", 5, "x=0"),
        ("2x+3<12", 6, "x<9/2"),
        ("2x^2-x<1", 6, "-1/2<x<1"),
        ("(x-1)(x+2)(x-4)<=0", 7, "x<=-2 or 1<=x<=4"),
        ("(x-1)^2(x+2)>=0", 7, "x>=-2"),
        ("(x-1)^2(x+2)<=0", 7, "x<=-2 or x=1"),
        ("(x-1)^2(x+2)>0", 7, "-2<x<1 or x>1"),
        ("x^2-2x-1<0", 8, "1-sqrt(2)<x<1+sqrt(2)"),
        ("-x^2+5<=0", 8, "x<=-sqrt(5) or x>=sqrt(5)"),
    ],
)
def test_problems_by_hand(text, level, gold):
    if gold is None:
        with pytest.raises(InvalidProblem, match="not canonical"):
            ENVIRONMENT.parse(text)
        return
    problem = ENVIRONMENT.parse(text)
    assert (problem.level, problem.gold) == (level, gold)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x<4", "trivial: 'x<4' is solved already"),
        ("-3<x<4", "trivial"),
        ("x^2+1>0", "trivial: every number is a solution"),
        ("|x+1|>=0", "trivial: every number"),
        ("x^2+1<0", "no solution"),
        ("|2x-4|<0", "no solution"),
        ("3<2x+1<1", "no solution"),
        ("2x+3=11", "malformed"),
        ("2x+3<", "malformed"),
        ("11>2+1", "not canonical"),
        ("2x<2x+1", "malformed"),
        ("2y<8", "malformed"),
        ("x^3<8", "malformed"),
        ("1>x>0", "malformed|not canonical"),
        ("7>2x+1>3", "not canonical: a compound"),
        ("1x+3<11", "not canonical"),
        ("3+2x<11", "not canonical"),
        ("|x^2-1|<3", "malformed"),
        ("(x-1)(x+2)<1", "malformed"),
        ("2(x-1)(x+2)<0", "malformed"),
        ("(x-1)(2x-2)<0", "malformed"),
        ("(x-1)^3(x+2)<0", "malformed"),
        ("2x<1000", "beyond the top level"),
        ("2x+٣<11", "malformed"),
    ],
)
def test_refused_with_a_reason(text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        ENVIRONMENT.parse(text)


@pytest.mark.parametrize(
    ("text", "answer", "outcome"),
    [
        ("2x+3<11", "(-oo,4)", Outcome.CORRECT),
        ("2x+3<11", "4>x", Outcome.CORRECT),
        ("2x+3<11", "x<=4", Outcome.WRONG),
        ("2x+3<11", "4", Outcome.WRONG),
        ("2x+3<11", "x<4 or x<2", Outcome.AMBIGUOUS),
        ("2x+3<11", "2x+3<11", Outcome.UNPARSABLE),
        ("2x+3<11", "x<(11-3)/2", Outcome.UNPARSABLE),
        ("x^2-5x+6>0", "x>3 or x<2", Outcome.CORRECT),
        ("x^2-5x+6>0", "(-oo,2)U(3,oo)", Outcome.CORRECT),
        ("x^2-2x-1<0", "(1-sqrt(2),1+sqrt(2))", Outcome.CORRECT),
        ("x^2-2x-1<0", "(2-sqrt(8))/2<x<(2+sqrt(8))/2", Outcome.CORRECT),
        ("x^2-2x-1<0", "(2-sqrt(4+4))/2<x<(2+sqrt(4+4))/2", Outcome.UNPARSABLE),
    ],
)
def test_notations_and_work_that_is_left(text, answer, outcome):
    verdict = ENVIRONMENT.grade(ENVIRONMENT.parse(text), f"<answer>{answer}")
    assert verdict.outcome is outcome


@pytest.mark.parametrize(
    ("text", "careful"),
    [
        ("-2x+3<1", "1-3=-2;-2x<-2"),
        ("5x-2<=2x+7", "5-2=3;7+2=9;3x<=9"),
        ("-3<2x+1<=7", "-3-1=-4;7-1=6;-4<2x<=6"),
        ("|2x-4|>=6", "2x-4<=-6 or 2x-4>=6;2x<=-2 or 2x>=10"),
        ("x^2-5x>-6", "x^2-5x+6>0;5^2-4*1*6=1;x=2,3;opens up"),
        ("(x-1)^2(x+2)>0", "x=-2,1;x<-2:+-=-;-2<x<1:++=+;x>1:++=+"),
    ],
)
def test_worked_solutions(text, careful):
    problem = ENVIRONMENT.parse(text)
    shown = {ENVIRONMENT.demonstrate(problem, random.Random(seed)) for seed in range(30)}
    assert {f"{careful}<answer>{problem.gold}", f"<answer>{problem.gold}"} <= shown


X = sympy.Symbol("x", real=True)


def _expression(text):
    # Our own text, so sympify is safe.
    text = re.sub(r"\|(.*)\|", r"Abs(\1)", text).replace("^", "**")
    return sympy.sympify(re.sub(r"(\d|\))(?=[x(s])", r"\1*", text), locals={"x": X})


def _set(text):
    """The set of a statement or of an answer: a union of chains."""
    union = sympy.EmptySet
    for part in text.split(" or "):
        sides = list(map(_expression, re.split("[<>]=?|=", part)))
        chain = sympy.Reals
        for left, relation, right in zip(
            sides, re.findall("[<>]=?|=", part), sides[1:], strict=False
        ):
            operator = relation if relation != "=" else "=="
            condition = sympy.Rel(left, right, operator)
            chain = chain & sympy.solveset(condition, X, sympy.Reals)
        union = union | chain
    return union


@pytest.mark.parametrize("level", range(9))
def test_gold_and_the_answer_of_every_demonstration_agree_with_sympy(level):
    rng = random.Random(level)
    for _ in range(12):
        problem = ENVIRONMENT.generate(level, rng)
        assert _set(problem.text) == _set(problem.gold), problem
