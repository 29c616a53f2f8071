"""Knights and knaves: values and levels by hand, and trying everything as an independent route."""

import random
from itertools import product

import pytest
from selfplay_envs.knights_and_knaves import KnightsAndKnaves

from selfplay.problem import InvalidProblem

ENVIRONMENT = KnightsAndKnaves()


def fitting(text):
    """All answers for which each speaker is a knight exactly if what it says is true."""
    parts = text.split(",")
    found = []
    for kinds in product("KN", repeat=len(parts)):

        def true(literal, kinds=kinds):
            return (kinds[ord(literal.lower()) - ord("a")] == "K") == literal.islower()

        for part in parts:
            speaker, said = part.split(":")
            if "=" in said:
                value = true(said[0]) == true(said[2])
            else:
                value = (all if "&" in said else any)(true(x) for x in said if x.isalpha())
            if true(speaker) != value:
                break
        else:
            found.append("".join(kinds))
    return found


@pytest.mark.parametrize(
    ("text", "level", "gold"),
    [
        # If a is a knight then so is b, who says that a is a knave: so a lies, and b does not.
        ("a:a&b,b:A", 0, "NK"),
        ("a:A|b,b:a", 0, "KK"),
        ("a:b=c,b:a,c:B", 0, "NNK"),
        ("a:B|C,b:A&c,c:a=b", 2, "KNN"),
    ],
)
def test_problems_by_hand(text, level, gold):
    problem = ENVIRONMENT.parse(text)
    assert (problem.level, problem.gold) == (level, gold)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "malformed"),
        ("a:b,", "malformed"),
        ("a:b&c|d,b:a", "malformed"),
        ("a:b=c=d,b:a", "malformed"),
        ("A:b,b:a", "malformed"),
        ("a:b,b:a\n", "malformed"),
        ("a:b&B,b:a", "malformed: a letter twice"),
        ("a:a,b:a&A", "trivial: a speaks of nobody else"),
        ("a:A,b:a", "trivial: a speaks of nobody else"),
        ("b:a,a:b", "not canonical: each of a, b, c... speaks once"),
        ("a:b,a:B,b:a", "not canonical: each"),
        ("a:b&c,b:a", "not canonical: each"),
        ("a:A|B,b:a", "no solution"),
        ("a:b,b:a", "not unique: 2 assignments fit"),
        ("a:b=c,b:C,c:A&B", "not unique: 2 assignments fit"),
        (",".join(f"{x}:a|b" for x in "abcdefghij") + ",k:a", "malformed"),
        ("a:b," * 30 + "b:a", "malformed"),
    ],
)
def test_refused_with_a_reason(text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        ENVIRONMENT.parse(text)


def test_other_spellings_are_read_as_the_canonical_one():
    problem = ENVIRONMENT.parse("a:C=B,b:a,c:B")
    assert problem == ENVIRONMENT.parse("a:b=c,b:a,c:B")
    assert ENVIRONMENT.parse("a:b&a,b:A").text == "a:a&b,b:A"


def test_worked_solutions_at_every_pace():
    problem = ENVIRONMENT.parse("a:a&b,b:A")
    shown = {ENVIRONMENT.demonstrate(problem, random.Random(seed)) for seed in range(30)}
    assert shown == {"a?b!Ab<answer>NK", "A?b<answer>NK", "Ab<answer>NK", "<answer>NK"}
    problem = ENVIRONMENT.parse("a:B|C,b:A&c,c:a=b")
    shown = {ENVIRONMENT.demonstrate(problem, random.Random(seed)) for seed in range(60)}
    assert shown == {
        "a?BC<answer>KNN", "A?bc!aBC<answer>KNN", "aBC<answer>KNN", "<answer>KNN",
    }  # fmt: skip


@pytest.mark.parametrize("level", range(9))
def test_gold_is_the_only_answer_that_fits(level):
    rng = random.Random(level)
    for _ in range(40):
        problem = ENVIRONMENT.generate(level, rng)
        assert fitting(problem.text) == [problem.gold], problem.text


def test_texts_are_refused_for_the_right_reason():
    rng = random.Random(0)
    for _ in range(300):
        text = ENVIRONMENT.draft(ENVIRONMENT.at(2), rng)
        right = fitting(text)
        if len(right) != 1:
            reason = "not unique" if right else "no solution"
            with pytest.raises(InvalidProblem, match=reason):
                ENVIRONMENT.parse(text)
