"""Graph colouring: values and levels by hand, and all colourings as an independent route."""

import random
from itertools import product

import pytest
from selfplay_envs.graph_colouring import GraphColouring, _divisions

from selfplay.problem import InvalidProblem, Outcome

ENVIRONMENT = GraphColouring()
PATH = "ab,bc,cd,de,ef:2"
PRISM = "ab,ac,bc,bd,cd,ce,de,df,ef:3"
"""Triangles side by side: each letter decides the next."""


def proper(text):
    """Every right answer, by trying all."""
    edges, colours = text.split(":")
    letters = len({x for x in edges if x.isalpha()})
    pairs = [(ord(a) - ord("a"), ord(b) - ord("a")) for a, b in edges.split(",")]
    return [
        "".join(digits)
        for digits in product("123456789"[: int(colours)], repeat=letters)
        if all(digits[a] != digits[b] for a, b in pairs)
    ]


@pytest.mark.parametrize(
    ("text", "level", "gold"),
    [
        (PATH, 0, "121212"),
        ("ab,ac,ad,ae,af,ag:2", 0, "1222222"),
        (PRISM, 2, "123123"),
        ("ab,ac,bc,bd,cd,de,ce,ef,df,eg,fg,gh,fh:3", 4, "12312312"),
    ],
)
def test_problems_by_hand(text, level, gold):
    problem = ENVIRONMENT.parse(text)
    assert (problem.level, problem.gold) == (level, gold)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "malformed"),
        ("ab,bc", "malformed"),
        ("ab,bc:1", "malformed"),
        ("ab,bc:12", "malformed"),
        ("ab3,bc:3", "malformed"),
        ("ab,bc:3\n", "malformed"),
        ("ab,bc,ab:2", "malformed: an edge stands twice"),
        ("aa,ab:2", "not canonical: the letters of the edge aa"),
        ("ba,bc:2", "not canonical: the letters of the edge ba"),
        ("ab,bd:2", "not canonical: the letters of"),
        ("ab,ac,bc:2", "no solution: 2 colours are not enough"),
        ("ab,ac,ad,bc,bd,cd:3", "no solution: 3 colours"),
        ("ab,bc:3", "trivial"),
        ("ab,bc,cd,de,ef:3", "trivial: it can be coloured in more than"),
        ("ab,bc:4", "beyond the top level: .*colours 4"),
        (",".join(f"a{x}" for x in "bcdefghijklm") + ":2", "malformed"),
        ("ab,bc:2" * 40, "malformed"),
    ],
)
def test_refused_with_a_reason(text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        ENVIRONMENT.parse(text)


def test_edges_in_another_order_are_the_same_problem():
    assert ENVIRONMENT.parse("ef,de,cd,bc,ab:2") == ENVIRONMENT.parse(PATH)


@pytest.mark.parametrize(
    ("answer", "outcome", "reason"),
    [
        ("121212", Outcome.CORRECT, "coloured"),
        ("212121", Outcome.CORRECT, "coloured"),
        ("121211", Outcome.WRONG, "joined letters agree"),
        ("121213", Outcome.WRONG, "too many colours"),
        ("12121", Outcome.WRONG, "other number of letters"),
        ("1,2,1", Outcome.UNPARSABLE, "not digits"),
        ("010101", Outcome.UNPARSABLE, "not digits"),
    ],
)
def test_grading_by_hand(answer, outcome, reason):
    verdict = ENVIRONMENT.grade(ENVIRONMENT.parse(PATH), f"<answer>{answer}")
    assert (verdict.outcome, verdict.reason) == (outcome, reason)


def test_worked_solutions_by_hand():
    problem = ENVIRONMENT.parse(PATH)
    shown = {ENVIRONMENT.demonstrate(problem, random.Random(seed)) for seed in range(200)}
    assert "a1b1=2c2=1d1=2e2=1f1=2<answer>121212" in shown
    assert "b1a2c2d1e2f1<answer>212121" in shown
    assert "<answer>121212" in shown


def test_divisions_by_hand():
    # Stirling numbers of the second kind: S(4, k) = 1, 7, 6, 1 and S(7, k) = 1, 63, 301, ...
    assert [_divisions(4, k) for k in (1, 2, 3, 4, 9)] == [1, 8, 14, 15, 15]
    assert [_divisions(7, k) for k in (2, 3)] == [64, 365]


@pytest.mark.parametrize("level", range(8))
def test_exactly_what_gives_joined_letters_different_colours_is_right(level):
    rng = random.Random(level)
    for _ in range(4):
        problem = ENVIRONMENT.generate(level, rng)
        right = proper(problem.text)
        assert problem.gold in right
        letters, colours = len(problem.gold), problem.text[-1]
        others = ["".join(rng.choices("123"[: int(colours)], k=letters)) for _ in range(50)]
        for digits in [*others, *rng.sample(right, min(6, len(right)))]:
            verdict = ENVIRONMENT.grade(problem, f"<answer>{digits}")
            assert verdict.correct == (digits in right)


def test_texts_are_refused_for_the_right_reason():
    rng = random.Random(0)
    for _ in range(200):
        pairs = sorted({"".join(sorted(rng.sample("abcdef", 2))) for _ in range(10)} | {"af", "be"})
        text = f"{','.join(pairs)}:{rng.choice('23')}"
        if len(set("".join(pairs))) < 6:
            continue
        right = len({tuple(map(digits.index, digits)) for digits in proper(text)})
        try:
            ENVIRONMENT.parse(text)
            assert 0 < right <= _divisions(6, int(text[-1])) // 24
        except InvalidProblem as error:
            assert str(error).startswith("trivial" if right else "no solution"), (text, right)


@pytest.mark.parametrize("level", (0, 2))
def test_no_answer_is_right_often(level):
    rng = random.Random(level)
    problems = [ENVIRONMENT.generate(level, rng) for _ in range(300)]
    colours = "123"[: ENVIRONMENT.at(level)["colours"]]
    for digits in map("".join, product(colours, repeat=ENVIRONMENT.at(level)["letters"])):
        right = sum(ENVIRONMENT.grade(p, f"<answer>{digits}").correct for p in problems)
        assert right < ENVIRONMENT.guess_bound * len(problems), digits
