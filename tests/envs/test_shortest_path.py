"""Shortest path: values and levels by hand, and all simple paths as an independent route."""

import random

import pytest
from selfplay_envs.shortest_path import ShortestPath

from selfplay.problem import InvalidProblem, Outcome

ENVIRONMENT = ShortestPath()


def lengths(text):
    """The length of every path without a repeated letter, by path; nothing shared with the code."""
    edges, ends = text.split(":")
    weights = {}
    for part in edges.split(","):
        weights[part[0], part[1]] = weights[part[1], part[0]] = int(part[2:])
    found = {}

    def extend(path, length):
        if path[-1] == ends[1]:
            found[path] = length
            return
        for (one, other), weight in weights.items():
            if one == path[-1] and other not in path:
                extend(path + other, length + weight)

    extend(ends[0], 0)
    return found


@pytest.mark.parametrize(
    ("text", "level", "gold"),
    [
        ("ab3,ac9,bc1:ac", 0, "abc"),
        ("ab3,ac9,bc1:ca", 0, "cba"),
        ("ab1,ac2,bd2,cd1:ad", 0, "abd"),  # acd is as short
        ("ab1,bc1,cd1,ad9:ad", 0, "abcd"),
        ("ab1,bc1,cd1,de1:ae", 1, "abcde"),
        ("ab10,bc1:ac", 8, "abc"),
    ],
)
def test_problems_by_hand(text, level, gold):
    problem = ENVIRONMENT.parse(text)
    assert (problem.level, problem.gold) == (level, gold)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "malformed"),
        ("ab3,bc1", "malformed"),
        ("ab3,bc1:abc", "malformed"),
        ("ab0,bc1:ac", "malformed"),
        ("ab03,bc1:ac", "malformed"),
        ("ab3,bc1:ac\n", "malformed"),
        ("ab3,bc1,ab4:ac", "malformed: the edge ab stands twice"),
        ("aa3,ab1:ab", "not canonical: the letters of the edge aa"),
        ("ba3,bc1:ac", "not canonical: the letters of the edge ba"),
        ("ab3,bd1:ad", "not canonical: the letters of 'ab3,bd1:ad'"),
        ("ab3,bc1:aa", "trivial: from a to itself"),
        ("ab3,ac4,bc1:ac", "trivial: the edge ac is shortest"),
        ("ab3,cd1:ac", "no solution: c cannot be reached"),
        ("ab3,bc1:ad", "no solution: d cannot be reached"),
        ("ab100,bc1:ac", "beyond the top level: .*largest 100"),
        ("ab1,bc1,cd1,de1,ef1,fg1,gh1,hi1,ij1:aj", "beyond the top level: .*steps 9"),
        ("ab1," * 60 + "bc1:ac", "malformed"),
    ],
)
def test_refused_with_a_reason(text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        ENVIRONMENT.parse(text)


def test_edges_in_another_order_are_the_same_problem():
    assert ENVIRONMENT.parse("bc1,ac9,ab3:ac") == ENVIRONMENT.parse("ab3,ac9,bc1:ac")


@pytest.mark.parametrize(
    ("answer", "outcome", "reason"),
    [
        ("abd", Outcome.CORRECT, "shortest"),
        ("acd", Outcome.CORRECT, "shortest"),
        ("abad", Outcome.WRONG, "no such edge"),
        ("ababd", Outcome.WRONG, "longer"),
        ("ab", Outcome.WRONG, "other ends"),
        ("dba", Outcome.WRONG, "other ends"),
        ("a-b-d", Outcome.UNPARSABLE, "not letters"),
        ("3", Outcome.UNPARSABLE, "not letters"),
    ],
)
def test_grading_by_hand(answer, outcome, reason):
    problem = ENVIRONMENT.parse("ab1,ac2,bd2,cd1:ad")
    verdict = ENVIRONMENT.grade(problem, f"<answer>{answer}")
    assert (verdict.outcome, verdict.reason) == (outcome, reason)


def test_worked_solutions_at_every_pace():
    problem = ENVIRONMENT.parse("ab3,ac9,bc1:ac")
    shown = {ENVIRONMENT.demonstrate(problem, random.Random(seed)) for seed in range(60)}
    assert shown == {
        "a0:b3c9;b3:c4;c4<answer>abc", "b3:c4<answer>abc", "ab3;abc4<answer>abc",
        "abc4<answer>abc", "<answer>abc",
    }  # fmt: skip


@pytest.mark.parametrize("level", range(9))
def test_exactly_the_shortest_of_all_paths_are_right(level):
    rng = random.Random(level)
    for _ in range(15):
        problem = ENVIRONMENT.generate(level, rng)
        found = lengths(problem.text)
        least = min(found.values())
        assert found[problem.gold] == least
        paths = list(found)
        for path in rng.sample(paths, min(30, len(paths))):
            verdict = ENVIRONMENT.grade(problem, f"<answer>{path}")
            assert verdict.correct == (found[path] == least), (problem.text, path)
