"""Satisfiability: values and levels by hand, and all assignments as an independent route."""

import random
from itertools import combinations, product

import pytest
from selfplay_envs.satisfiability import Satisfiability

from selfplay.problem import InvalidProblem, Outcome

ENVIRONMENT = Satisfiability()


def satisfies(digits, text):
    """Whether every clause has a letter whose case and digit agree."""
    return all(
        any((digits[ord(x.lower()) - ord("a")] == "1") == x.islower() for x in clause)
        for clause in text.split(",")
    )


def assignments(letters):
    return ["".join(digits) for digits in product("01", repeat=letters)]


@pytest.mark.parametrize(
    ("text", "level", "gold"),
    [
        ("a,Ab,Bc", 0, "111"),
        ("A,aB,bc", 0, "001"),
        ("A,B,C,DE,de", 1, "00010"),  # or 00001
        ("aB,ab,AC,cd,e", 2, "11011"),  # a as 0 fails
        ("ab,aB,Ab,c,d", 2, "1111"),
        ("a,Ab,ABc", 3, "111"),
    ],
)
def test_problems_by_hand(text, level, gold):
    problem = ENVIRONMENT.parse(text)
    assert (problem.level, problem.gold) == (level, gold)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "malformed"),
        ("a,", "malformed"),
        ("a|b", "malformed"),
        ("a,bC\n", "malformed"),
        ("aA,b", "malformed: a letter twice in the clause aA"),
        ("ab,aB,Ac,AC,d", "no solution"),
        ("a,A,bc", "no solution"),
        ("ac,aC,Ac", "not canonical: the letters"),
        ("a,b,C", "trivial: .* tells every value"),
        ("ab,bc", "trivial: 5 of 8 assignments"),
        ("abcd,a", "beyond the top level: .*width 4"),
        (",".join(map("".join, combinations("ABCDEFGH", 2))), "beyond the top level: .*clauses 28"),
        ("ab," * 60 + "a", "malformed"),
    ],
)
def test_refused_with_a_reason(text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        ENVIRONMENT.parse(text)


def test_other_orders_are_read_as_the_canonical_one():
    problem = ENVIRONMENT.parse("cB,a,bA,a")
    assert problem == ENVIRONMENT.parse("a,Ab,Bc")
    assert problem.text == "a,Ab,Bc"


@pytest.mark.parametrize(
    ("answer", "outcome", "reason"),
    [
        ("111", Outcome.CORRECT, "satisfied"),
        ("110", Outcome.WRONG, "a clause fails"),
        ("11", Outcome.WRONG, "other number of letters"),
        ("1111", Outcome.WRONG, "other number of letters"),
        ("abc", Outcome.UNPARSABLE, "not digits 0 and 1"),
        ("1 1 1", Outcome.UNPARSABLE, "not digits 0 and 1"),
    ],
)
def test_grading_by_hand(answer, outcome, reason):
    verdict = ENVIRONMENT.grade(ENVIRONMENT.parse("a,Ab,Bc"), f"<answer>{answer}")
    assert (verdict.outcome, verdict.reason) == (outcome, reason)


def test_worked_solutions_at_every_pace():
    problem = ENVIRONMENT.parse("ab,aB,Ab,c,d")
    shown = {ENVIRONMENT.demonstrate(problem, random.Random(seed)) for seed in range(60)}
    assert shown == {
        "cda?b<answer>1111", "cdA?B!ab<answer>1111", "cdab<answer>1111", "<answer>1111",
    }  # fmt: skip


@pytest.mark.parametrize("level", range(9))
def test_exactly_what_satisfies_every_clause_is_right(level):
    rng = random.Random(level)
    for _ in range(20):
        problem = ENVIRONMENT.generate(level, rng)
        letters = len(problem.gold)
        right = [x for x in assignments(letters) if satisfies(x, problem.text)]
        assert problem.gold in right
        assert len(right) * 8 <= 2**letters
        for digits in rng.sample(assignments(letters), min(2**letters, 64)) + right:
            verdict = ENVIRONMENT.grade(problem, f"<answer>{digits}")
            assert verdict.correct == (digits in right)


@pytest.mark.parametrize("level", range(6))
def test_no_assignment_is_right_often(level):
    rng = random.Random(level)
    problems = [ENVIRONMENT.generate(level, rng) for _ in range(400)]
    for digits in assignments(ENVIRONMENT.at(level)["letters"]):
        right = sum(ENVIRONMENT.grade(p, f"<answer>{digits}").correct for p in problems)
        assert right < ENVIRONMENT.guess_bound * len(problems), digits
