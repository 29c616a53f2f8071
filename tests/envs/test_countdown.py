"""Countdown: values and levels by hand, and brute force as an independent route to the gold."""

import random
from itertools import permutations

import pytest
from selfplay_envs.countdown import Countdown

from selfplay.problem import Outcome, Problem, ProposalError

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
        ("8 from 3,5", 0, "3+5"),
        ("2 from 3,5", 0, "5-3"),
        ("15 from 3,5", 2, "3*5"),
        ("40 from 5,45", 8, "45-5"),
        ("9 from 3,5,7", 1, "5+7-3"),
        ("22 from 3,5,7", 2, "3*5+7"),
        ("4 from 2,2", 0, "2+2"),
        ("12 from 3,4,50,50", 8, "3*4+50-50"),
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
        ("22 from 7,5,3", "not canonical"),
        ("22 from 3, 5, 7", "malformed"),
        ("22 from", "malformed"),
        ("22from 3,5,7", "malformed"),
        ("-2 from 3,5", "malformed"),
        ("٢ from 3,5", "malformed"),
        ("5 from 3,5", "trivial"),
        ("5 from 5", "trivial"),
        ("6 from 5", "trivial"),
        ("0 from 5,5", "trivial: zero"),
        ("5 from 0,6", "trivial: zero"),
        ("4 from 3,5", r"no solution: '4 from 3,5' with \+ - \*"),
        ("3 from 4,12", "no solution"),  # 12/4: the search has no division
        ("1000 from 20,50", "beyond the top level: the target 1000"),
        ("52 from 1,51", "beyond the top level: numbers 2, largest 51"),
        ("6 from 1,1,1,1,1,1", "beyond the top level: numbers 6"),
    ],
)
def test_refused_with_a_reason(text, reason):
    with pytest.raises(ProposalError, match=reason):
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
        ("3*5+7=22", Outcome.MALFORMED, "not an expression"),
        ("3*5--7", Outcome.MALFORMED, "not an expression"),
        ("3*5+7*x", Outcome.MALFORMED, "not an expression"),
        ("3/(5-7+2)", Outcome.WRONG, "other numbers"),
    ],
)
def test_grading_by_hand(answer, outcome, reason):
    verdict = ENVIRONMENT.grade(ENVIRONMENT.parse("22 from 3,5,7"), f"<answer>{answer}")
    assert (verdict.outcome, verdict.reason) == (outcome, reason)


def test_division_counts_in_answers():
    problem = Problem("countdown", 3, "9 from 2,6,6", "", "6+6/2")
    assert ENVIRONMENT.grade(problem, "<answer>6+6/2").correct
    assert ENVIRONMENT.grade(problem, "<answer>6/(2/6)").reason == "other value"
    zero = Problem("countdown", 2, "10 from 5,5,10", "", "5-5+10")
    assert ENVIRONMENT.grade(zero, "<answer>10/(5-5)").reason == "not an expression"


def test_an_unreadable_problem_is_the_graders_failure():
    broken = Problem("countdown", 0, "nonsense", "", "")
    assert ENVIRONMENT.grade(broken, "<answer>1").outcome is Outcome.ERROR


@pytest.mark.parametrize("numbers", [(3, 5), (2, 3, 7), (4, 4, 9), (1, 2, 3, 8), (6, 6, 6, 6)])
def test_search_finds_exactly_what_brute_force_finds(numbers):
    reachable = {v for v in all_values(numbers) if 0 < v <= 999} - set(numbers)
    found = set()
    for target in range(1, 1000):
        try:
            problem = ENVIRONMENT.parse(f"{target} from {','.join(map(str, numbers))}")
        except ProposalError:
            continue
        found.add(target)
        assert ENVIRONMENT.grade(problem, f"<answer>{problem.gold}").correct
    assert found == reachable


def test_search_with_five_numbers_finds_what_brute_force_finds():
    numbers = (2, 3, 7, 11, 13)
    reachable = all_values(numbers)
    for target in range(14, 999, 7):
        try:
            ENVIRONMENT.parse(f"{target} from {','.join(map(str, numbers))}")
        except ProposalError:
            assert target not in reachable
        else:
            assert target in reachable


def test_tries_of_a_demonstration_fail_and_the_last_one_does_not():
    problem = ENVIRONMENT.parse("22 from 3,5,7")
    counts = set()
    for seed in range(50):
        shown, _, answer = ENVIRONMENT.demonstrate(problem, random.Random(seed)).partition(
            "<answer>"
        )
        *tries, last = shown.split(";")
        assert last == "3*5+7=15+7=22"
        assert answer == "3*5+7"
        assert all(not attempt.endswith("=22") for attempt in tries)
        counts.add(len(tries))
    assert counts == {0, 1, 2}
