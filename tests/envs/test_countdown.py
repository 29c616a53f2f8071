"""Countdown: values and levels by hand, and brute force as an independent route to the gold."""

import random
from itertools import permutations

import pytest
from selfplay_envs.countdown import Countdown

from selfplay.problem import InvalidProblem, Outcome, Problem

ENVIRONMENT = Countdown()


def all_values(values):
    """Every value of an expression with + - * over all the values, signs and all."""
    if len(values) == 1:
        return set(values)
    found = set()
    for x, y, *rest in permutations(values):
        for value in (x + y, x - y, x * y):
            found |= all_values((value, *rest))
    return found


@pytest.mark.parametrize(
    ("text", "level", "gold"),
    [
        ("3,5 make 8", 0, "3+5"),
        ("3,5 make 2", 0, "5-3"),
        ("3,5 make 15", 3, "3*5"),
        ("5,45 make 40", 8, "45-5"),
        ("3,5,7 make 9", 1, "5+7-3"),
        ("3,5,7 make 22", 3, "3*5+7"),
        ("3*5+7", 3, "3*5+7"),
        ("2,2 make 4", 0, "2+2"),
        ("5,5 make 0", 0, "5-5"),
        ("4,7,7 make 4", 1, "4+7-7"),
        ("3,4,50,50 make 12", 8, "3*4+50-50"),
    ],
)
def test_problems_by_hand(text, level, gold):
    problem = ENVIRONMENT.parse(text)
    assert problem.level == level
    assert ENVIRONMENT.grade(problem, f"<answer>{gold}").correct
    if len(gold) < 7:
        assert problem.gold == gold


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("7,5,3 make 22", "not canonical"),
        ("3, 5, 7 make 22", "malformed"),
        ("3,5,7 make", "malformed"),
        ("3*(5", "malformed"),
        ("-3+5", "malformed: '-3\\+5': a variable or a sign"),
        ("5/3", "malformed: '3,5 make 5/3'"),
        ("5/0", "malformed"),
        ("x+3", "malformed"),
        ("7", "trivial: 7 alone"),
        ("12/4", "no solution"),
        ("3,5,7make 22", "malformed"),
        ("-3,5 make 2", "malformed"),
        ("3,5 make ٢", "malformed"),
        ("3,5 make 5", "no solution"),
        ("5 make 5", "trivial"),
        ("5 make 6", "trivial"),
        ("0,6 make 5", "trivial: zero"),
        ("3,5 make 4", r"no solution: '3,5 make 4' with \+ - \*"),
        ("4,12 make 3", "no solution"),  # 12/4: the search has no division
        ("20,50 make 1000", "beyond the top level: the target 1000"),
        ("1,51 make 52", "beyond the top level: numbers 2, largest 51"),
        ("1,1,1,1,1,1 make 6", "beyond the top level: numbers 6"),
    ],
)
def test_refused_with_a_reason(text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        ENVIRONMENT.parse(text)


@pytest.mark.parametrize(
    ("answer", "outcome", "reason"),
    [
        ("3*5+7", Outcome.CORRECT, "reached"),
        ("7+(5*3)", Outcome.CORRECT, "reached"),
        ("3(5)+7", Outcome.CORRECT, "reached"),
        ("22", Outcome.WRONG, "other numbers"),
        ("3*5+7+0", Outcome.WRONG, "other numbers"),
        ("3*5+5", Outcome.WRONG, "other numbers"),
        ("35-7", Outcome.WRONG, "other numbers"),
        ("3+5+7", Outcome.WRONG, "other value"),
        ("3*5+7=22", Outcome.CORRECT, "reached"),
        ("3*5+7=21", Outcome.UNPARSABLE, "not an expression"),
        ("3*5--7", Outcome.CORRECT, "reached"),
        ("3\\cdot5 + 7", Outcome.CORRECT, "reached"),
        ("3*5+7*x", Outcome.UNPARSABLE, "not an expression"),
        ("3/(5-7+2)", Outcome.WRONG, "other numbers"),
    ],
)
def test_grading_by_hand(answer, outcome, reason):
    verdict = ENVIRONMENT.grade(ENVIRONMENT.parse("3,5,7 make 22"), f"<answer>{answer}")
    assert (verdict.outcome, verdict.reason) == (outcome, reason)


def test_division_counts_in_answers():
    problem = Problem("countdown", 3, "2,6,6 make 9", "", "6+6/2")
    assert ENVIRONMENT.grade(problem, "<answer>6+6/2").correct
    assert ENVIRONMENT.grade(problem, "<answer>6/(2/6)").reason == "other value"
    zero = Problem("countdown", 2, "5,5,10 make 10", "", "5-5+10")
    assert ENVIRONMENT.grade(zero, "<answer>10/(5-5)").reason == "not an expression"


def test_an_unreadable_problem_is_the_graders_failure():
    broken = Problem("countdown", 0, "nonsense", "", "")
    assert ENVIRONMENT.grade(broken, "<answer>1").outcome is Outcome.ERROR


@pytest.mark.parametrize("numbers", [(3, 5), (2, 3, 7), (4, 4, 9), (1, 2, 3, 8), (6, 6, 6, 6)])
def test_search_finds_exactly_what_brute_force_finds(numbers):
    reachable = {v for v in all_values(numbers) if 0 <= v <= 999}
    found = set()
    for target in range(1000):
        try:
            problem = ENVIRONMENT.parse(f"{','.join(map(str, numbers))} make {target}")
        except InvalidProblem:
            continue
        found.add(target)
        assert ENVIRONMENT.grade(problem, f"<answer>{problem.gold}").correct
    assert found == reachable


def test_search_with_five_numbers_finds_what_brute_force_finds():
    numbers = (2, 3, 7, 11, 13)
    reachable = all_values(numbers)
    for target in range(14, 999, 7):
        try:
            ENVIRONMENT.parse(f"{','.join(map(str, numbers))} make {target}")
        except InvalidProblem:
            assert target not in reachable
        else:
            assert target in reachable


def test_an_expression_poses_the_problem_that_it_solves():
    assert ENVIRONMENT.parse("7+5*3") == ENVIRONMENT.parse("3,5,7 make 22")
    assert ENVIRONMENT.pose(ENVIRONMENT.parse("3,5,7 make 22")) == "3*5+7"
    assert ENVIRONMENT.parse("(3-8)*5") == ENVIRONMENT.parse("3,5,8 make 25")


@pytest.mark.parametrize(
    ("text", "careful", "brisk"),
    [
        (
            "3,5,7 make 5",  # room for one try
            "5+7-3=12-3=9;3+7-5=10-5=5<answer>3+7-5",
            "3+7-5=10-5=5<answer>3+7-5",
        ),
        (
            "3,5,7 make 22",  # -3-5+7 is below 0, no target
            "3+5+7=8+7=15;5+7-3=12-3=9;3+7-5=10-5=5;3+5-7=8-7=1;3*5+7=15+7=22<answer>3*5+7",
            "3*5+7=15+7=22<answer>3*5+7",
        ),
        ("20,24 make 4", "20+24=44;24-20=4<answer>24-20", "24-20=4<answer>24-20"),
    ],
)
def test_worked_solutions_at_every_pace(text, careful, brisk):
    problem = ENVIRONMENT.parse(text)
    shown = {ENVIRONMENT.demonstrate(problem, random.Random(seed)) for seed in range(30)}
    assert shown == {careful, brisk, f"<answer>{problem.gold}"}
