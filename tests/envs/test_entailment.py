"""Entailment: values and levels by hand, and a truth table as an independent route to the gold."""

import random
from itertools import product

import pytest
from selfplay_envs.entailment import Entailment

from selfplay.problem import InvalidProblem

ENVIRONMENT = Entailment()


def holds(premise, values):
    """The truth of a premise, straight from what its notation means."""

    def true(literal):
        return values[literal.lower()] == literal.islower()

    if ">" in premise:
        causes, target = premise.split(">")
        return true(target) or not all(map(true, causes))
    if "=" in premise:
        first, second = premise.split("=")
        return true(first) == true(second)
    return any(map(true, premise.split("|")))


def by_truth_table(text):
    letters = sorted({x for x in text.lower() if x.isalpha()})
    rows = [dict(zip(letters, row, strict=True)) for row in product((0, 1), repeat=len(letters))]
    rows = [row for row in rows if all(holds(premise, row) for premise in text.split(","))]
    seen = {letter: {row[letter] for row in rows} for letter in letters}
    return "".join("?" if len(seen[x]) == 2 else "FT"[seen[x].pop()] for x in letters)


@pytest.mark.parametrize(
    ("text", "level", "gold"),
    [
        ("a,a>B,b|c", 0, "TFT"),
        ("a=B,b>c,C", 0, "TFF"),
        ("a,a>b,c|d", 0, "TT??"),
        ("a,b,ab>c", 4, "TTT"),
        ("a>b,a>B", 3, "F?"),
        ("a|b,a|B,c|d", 3, "T???"),
        ("A|b|c,a,B,C|d", 4, "TFTT"),
    ],
)
def test_problems_by_hand(text, level, gold):
    problem = ENVIRONMENT.parse(text)
    assert (problem.level, problem.gold) == (level, gold)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "malformed"),
        ("a>", "malformed"),
        ("a>b>c", "malformed"),
        ("a>bc", "malformed"),
        ("abc>d", "malformed"),
        ("a,a>b\n", "malformed"),
        ("a>A,b", "malformed: a letter twice"),
        ("a,a>c", "not canonical: the letters"),
        ("a,A", "no solution"),
        ("a,a>b,b>A", "no solution"),
        ("a>b,b>c", "trivial: nothing follows"),
        ("a,b,C", "trivial: nothing follows"),
        ("a,a>b," + ",".join(f"{x}>{y}" for x in "cdef" for y in "ghij"), "beyond the top level"),
        ("a," * 80, "malformed"),
        # Each of the eight cases of a, b, c is excluded or leads to d.
        ("a|b|d,a|B|d,A|c|d,A|C|d", "beyond the top level: a supposition within"),
    ],
)
def test_refused_with_a_reason(text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        ENVIRONMENT.parse(text)


def test_other_spellings_are_read_as_the_canonical_one():
    problem = ENVIRONMENT.parse("d|B,ba>C,B=A,a,a")
    assert problem.text == "a,a=b,ab>C,B|d"
    assert problem == ENVIRONMENT.parse(problem.text)


def test_worked_solutions_at_every_pace():
    problem = ENVIRONMENT.parse("a,a>B,b|c")
    shown = {ENVIRONMENT.demonstrate(problem, random.Random(seed)) for seed in range(60)}
    assert shown == {
        "a>B:B;b|c:c<answer>TFT", "B;c<answer>TFT", "b|c:c<answer>TFT", "c<answer>TFT",
        "<answer>TFT",
    }  # fmt: skip
    problem = ENVIRONMENT.parse("a>b,a>C,b>c")
    shown = {ENVIRONMENT.demonstrate(problem, random.Random(seed)) for seed in range(60)}
    assert shown == {"a?bC!A<answer>F??", "a?Cb!A<answer>F??", "<answer>F??"}


@pytest.mark.parametrize("level", range(9))
def test_gold_agrees_with_a_truth_table(level):
    rng = random.Random(level)
    for _ in range(40):
        problem = ENVIRONMENT.generate(level, rng)
        assert problem.gold == by_truth_table(problem.text), problem.text


@pytest.mark.parametrize("level", range(9))
def test_each_worked_letter_is_one_that_the_gold_has(level):
    rng = random.Random(level)
    for _ in range(40):
        problem = ENVIRONMENT.generate(level, rng)
        worked, _ = ENVIRONMENT.demonstrate(problem, rng).split("<answer>")
        for line in filter(None, worked.split(";")):
            assert problem.gold[ord(line[-1].lower()) - ord("a")] == "FT"[line[-1].islower()]
