"""Sorting: values and levels by hand, and insertion by pairwise comparison as another route."""

import random

import pytest
from selfplay_envs.sorting import Sorting

from selfplay.problem import InvalidProblem, Outcome

ENVIRONMENT = Sorting()


def before(one, other, rule):
    """Whether one item must stand before the other, from the meaning of the rule."""
    if rule == "abc":
        return one < other
    if rule == "len":
        return len(one) < len(other) or (len(one) == len(other) and one < other)
    x, y = int(one), int(other)
    if rule == "up":
        return x < y
    if rule == "down":
        return x > y
    if rule == "last":
        return x % 10 < y % 10 or (x % 10 == y % 10 and x < y)
    if rule == "sum":
        a, b = (sum(n // 10**place % 10 for place in range(4)) for n in (x, y))
        return a < b or (a == b and x < y)
    modulus = int(rule.removeprefix("mod"))
    a, b = x - x // modulus * modulus, y - y // modulus * modulus
    return a < b or (a == b and x < y)


def by_insertion(text):
    rule, listed = text.split(" ")
    ordered = []
    for item in listed.split(","):
        place = 0
        while place < len(ordered) and not before(item, ordered[place], rule):
            place += 1
        ordered.insert(place, item)
    return ",".join(ordered)


@pytest.mark.parametrize(
    ("text", "level", "gold"),
    [
        ("up 5,3,19,8", 0, "3,5,8,19"),
        ("down 5,3,19,8", 0, "19,8,5,3"),
        ("down 5,3,5,8", 0, "8,5,5,3"),
        ("up 5,3,21,8", 1, "3,5,8,21"),
        ("last 35,13,40,5", 2, "40,13,5,35"),
        ("abc be,a,cd,ab", 3, "a,ab,be,cd"),
        ("len be,a,cd,ab", 4, "a,ab,be,cd"),
        ("sum 13,5,40,4", 5, "4,13,40,5"),
        ("mod7 13,7,8,14", 6, "7,14,8,13"),
        ("up 5,3,100,8", 7, "3,5,8,100"),
    ],
)
def test_problems_by_hand(text, level, gold):
    problem = ENVIRONMENT.parse(text)
    assert (problem.level, problem.gold) == (level, gold)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "malformed"),
        ("up", "malformed"),
        ("up 5,3,,8", "malformed"),
        ("up 5, 3,4,8", "malformed"),
        ("up 05,3,4,8", "malformed"),
        ("up -5,3,4,8", "malformed"),
        ("up 5,3,4,8\n", "malformed"),
        ("up b,a,c,d", "malformed"),
        ("abc 5,3,4,8", "malformed"),
        ("len Be,a,cd,ab", "malformed"),
        ("mod1 5,3,4,8", "malformed"),
        ("mod07 5,3,4,8", "malformed"),
        ("random 5,3,4,8", "malformed"),
        ("up 5,3,4", "trivial: 3 items"),
        ("up 3,4,5,8", "trivial: in order already"),
        ("up 3,3,3,3", "trivial: in order already"),
        ("up 1000,4,5,8", "beyond the top level: .*largest 1000"),
        ("up 13,12,11,10,9,8,7,6,5,4,3,2,1", "beyond the top level: items 13"),
        ("up " + "5,3," * 60 + "1", "malformed"),
    ],
)
def test_refused_with_a_reason(text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        ENVIRONMENT.parse(text)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("3,5,8,19", Outcome.CORRECT),
        ("3, 5, 8, 19", Outcome.CORRECT),
        ("3,5,19,8", Outcome.WRONG),
        ("3,5,8", Outcome.WRONG),
        ("358 19", Outcome.WRONG),
        ("3,5,8,19 or 19,8,5,3", Outcome.WRONG),
    ],
)
def test_grading_by_hand(answer, outcome):
    verdict = ENVIRONMENT.grade(ENVIRONMENT.parse("up 5,3,19,8"), f"<answer>{answer}")
    assert verdict.outcome is outcome


def test_words_that_mean_something_to_the_grader_are_words():
    problem = ENVIRONMENT.parse("abc or,and,not,nan")
    assert problem.gold == "and,nan,not,or"
    assert ENVIRONMENT.grade(problem, "<answer>and,nan,not,or").correct


@pytest.mark.parametrize(
    ("text", "keys", "groups"),
    [
        ("sum 13,5,40,4", "13:4;5:5;40:4;4:4", "4:13,40,4;5:5"),
        ("last 35,13,40,5", "35:5;13:3;40:0;5:5", "0:40;3:13;5:35,5"),
        ("down 5,3,19,8", None, "1:19;0:5,3,8"),
        ("up 5,300,19,250", None, "0:5,19;2:250;3:300"),
        ("abc be,a,cd,ab", None, "a:a,ab;b:be;c:cd"),
    ],
)
def test_worked_solutions_by_hand(text, keys, groups):
    problem = ENVIRONMENT.parse(text)
    shown = {ENVIRONMENT.demonstrate(problem, random.Random(seed)) for seed in range(60)}
    assert f"{groups}<answer>{problem.gold}" in shown
    assert f"<answer>{problem.gold}" in shown
    assert keys is None or f"{keys}<answer>{problem.gold}" in shown


@pytest.mark.parametrize("level", range(9))
def test_gold_agrees_with_insertion(level):
    rng = random.Random(level)
    for _ in range(200):
        problem = ENVIRONMENT.generate(level, rng)
        assert problem.gold == by_insertion(problem.text), problem.text
