"""Probability: values and levels by hand, and drawing every single ball as an independent route."""

import itertools
import random
import re
from fractions import Fraction

import pytest
from selfplay_envs.probability import Probability

from selfplay.problem import InvalidProblem

ENVIRONMENT = Probability()


@pytest.mark.parametrize(
    ("text", "level", "gold"),
    [
        ("4r3b5g draw 1: b=1", 0, "1/4"),
        ("3r2b draw 2: r=2", 1, "3/10"),
        ("d6,d6: sum=7", 2, "1/6"),
        ("d6: sum<=2", 2, "1/3"),
        ("d6,d6: max>=5", 2, "5/9"),
        ("3r2b draw 3: r>=2", 4, "7/10"),
        ("1r1b back 2: r=1", 6, "1/2"),
        ("d6,d6,d6: sum=18", 5, "1/216"),
        ("1r1b1g back 2: r>=1 if b=1", 7, "1/2"),
        ("d6,d6: sum>=9 if max=6", 8, "7/11"),
    ],
)
def test_problems_by_hand(text, level, gold):
    problem = ENVIRONMENT.parse(text)
    assert (problem.level, problem.gold) == (level, gold)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("3r2b draw 2", "malformed: .* is not like"),
        ("3r2b draw 2: r=02", "malformed"),
        ("3r2b take 2: r=2", "malformed: .* is no urn and no dice"),
        ("2b3r draw 2: r=2", "malformed"),
        ("3r2b draw 2: g=1", "malformed: two colours"),
        ("3r draw 2: r=1", "malformed: two colours"),
        ("3r2b draw 2: sum=1", "malformed: two colours"),
        ("d6,d6: r=1", "malformed: dice have"),
        ("d8,d6: sum=7", "not canonical: dice ascend"),
        ("d1,d6: sum=7", "not canonical"),
        ("d6: max=3", "not canonical: the number on one die"),
        ("3r2b draw 2: r=3", "trivial: impossible or certain"),
        ("3r2b draw 2: r>=0", "trivial: impossible or certain"),
        ("3r2b draw 5: r=3", "trivial: all balls are drawn"),
        ("d6,d6: sum=7 if max=1", "trivial"),
        ("d6,d6: sum=7 if max<=9", "trivial: the condition always"),
        ("d6,d6: sum=7 if max=9", "no solution: the condition cannot hold"),
        ("21r2b draw 2: r=1", "beyond the top level: too many balls"),
        ("d20,d20,d20: sum=7", "beyond the top level: too many outcomes"),
        ("9r9b draw 6: r=3", "beyond the top level"),
    ],
)
def test_refused_with_a_reason(text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        ENVIRONMENT.parse(text)


@pytest.mark.parametrize(
    ("text", "careful"),
    [
        ("4r3b5g draw 1: b=1", "4+3+5=12;3/12<answer>1/4"),
        ("3r2b draw 3: r>=2", "3+2=5;3*2=6;1*1=1;6+1=7;C(5,3)=10;7/10<answer>7/10"),
        ("1r2b back 2: r=1", "1+2=3;2*1*2=4;3^2=9;4/9<answer>4/9"),
        ("d4,d6: sum=6", "1+1+1+1=4;4*6=24;4/24<answer>1/6"),
        ("d3,d3: sum>=5 if max=3", "1+1+3=5;0+1+2=3;3/5<answer>3/5"),
        ("1r1b1g back 2: r>=1 if b=1", "1+1+1=3;1b1g:2;1r1b:2*;2/4<answer>1/2"),
    ],
)
def test_careful_worked_solution(text, careful):
    problem = ENVIRONMENT.parse(text)
    assert careful in {ENVIRONMENT.demonstrate(problem, random.Random(seed)) for seed in range(30)}


def holds(event, outcome):
    """Whether an event holds for the colours that were drawn or the numbers that were rolled."""
    name, relation, number = re.fullmatch(r"([a-z]+)([<>]?=)([0-9]+)", event).groups()
    if name in "rbgy":
        value = outcome.count(name)
    else:
        value = {"sum": sum, "max": max, "min": min}[name](outcome)
    return {"=": value == int(number), "<=": value <= int(number), ">=": value >= int(number)}[
        relation
    ]


def by_listing(text):
    """The probability, from the list of all single outcomes in order."""
    experiment, events = text.split(": ")
    event, _, given = events.partition(" if ")
    if experiment[0] == "d":
        outcomes = itertools.product(*(range(1, int(die[1:]) + 1) for die in experiment.split(",")))
    else:
        urn, how, drawn = experiment.split(" ")
        balls = "".join(colour * int(n) for n, colour in re.findall(r"([0-9]+)([rbgy])", urn))
        if how == "back":
            outcomes = itertools.product(balls, repeat=int(drawn))
        else:
            outcomes = itertools.combinations(balls, int(drawn))
    possible = [outcome for outcome in outcomes if not given or holds(given, outcome)]
    return Fraction(sum(holds(event, outcome) for outcome in possible), len(possible))


@pytest.mark.parametrize("level", range(9))
def test_gold_agrees_with_listing_all_outcomes(level):
    rng = random.Random(level)
    for _ in range(12):
        problem = ENVIRONMENT.generate(level, rng)
        assert Fraction(problem.gold) == by_listing(problem.text)
