"""String rewriting: values and levels by hand, and lists of letters as an independent route."""

import random

import pytest
from selfplay_envs.string_rewriting import StringRewriting

from selfplay.problem import InvalidProblem

ENVIRONMENT = StringRewriting()


def rewritten(text):
    """The strings after each step, letter by letter."""
    start, listed = text.split(":")
    rules = [tuple(map(list, rule.split(">"))) for rule in listed.split(",")]
    string, found = list(start), []
    while len(found) < 50:
        places = [
            (number, place)
            for number, (left, _) in enumerate(rules)
            for place in range(len(string))
            if string[place : place + len(left)] == left
        ]
        if not places:
            break
        number, place = min(places)
        left, right = rules[number]
        string = [*string[:place], *right, *string[place + len(left) :]]
        found.append("".join(string))
    return found


@pytest.mark.parametrize(
    ("text", "level", "gold"),
    [
        ("abba:ab>ba", 0, "bbaa"),  # baba, bbaa
        ("aabb:ab>ba,bb>b", 4, "baa"),  # abab, baab, baba, bbaa, baa
        ("abcc:ab>ca,ac>ba", 2, "cbba"),  # cacc, cbac, cbba
        ("abbc:bb>c,ac>cb,cc>ab", 3, "cbc"),  # acc, cbc
    ],
)
def test_problems_by_hand(text, level, gold):
    problem = ENVIRONMENT.parse(text)
    assert (problem.level, problem.gold) == (level, gold)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "malformed"),
        ("aabb", "malformed"),
        ("aabb:", "malformed"),
        ("aabb:ab>", "malformed"),
        ("aabb:>ab", "malformed"),
        ("aabb:ab>ba,", "malformed"),
        ("AABB:AB>BA", "malformed"),
        ("aabb:ab>ba\n", "malformed"),
        ("aabb:aaaaa>b", "malformed"),
        ("abcde:ab>ba", "beyond the top level: 5 different letters"),
        ("aabb:ab>ab", "trivial: ab>ab can be applied for ever"),
        ("aabb:a>ba", "trivial: a>ba can be applied for ever"),
        ("aabb:ab>ba,bab>a", "trivial: the rule for bab never comes after that for ab"),
        ("aabb:ab>ba,ab>b", "trivial: the rule for ab never comes after that for ab"),
        ("aabb:ba>ab", "trivial: less than two steps"),
        ("abab:aa>b", "trivial: less than two steps"),
        ("aaaa:aa>b", "trivial: bb is left"),
        ("aabb:a>b", "trivial: the result bbbb is one letter"),
        ("ababbabb:ba>b,ab>b", "trivial"),
        ("aabbbb:bb>b", "trivial: the result aab stands in aabbbb"),
        ("aaab:a>b,b>a", "beyond the top level: .*steps 10"),
        ("aaabbbb:ab>ba", "beyond the top level: .*steps 10"),
        ("a" * 13 + ":aa>b", "beyond the top level: length 13"),
        ("ab" * 30 + ":ab>ba", "malformed"),
    ],
)
def test_refused_with_a_reason(text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        ENVIRONMENT.parse(text)


def test_letters_are_named_in_order():
    problem = ENVIRONMENT.parse("zyyz:zy>yz")
    assert problem == ENVIRONMENT.parse("abba:ab>ba")
    assert problem.text == "abba:ab>ba"


def test_worked_solutions_at_every_pace():
    problem = ENVIRONMENT.parse("abba:ab>ba")
    shown = {ENVIRONMENT.demonstrate(problem, random.Random(seed)) for seed in range(60)}
    assert shown == {
        "1baba;1bbaa<answer>bbaa", "baba;bbaa<answer>bbaa", "1bbaa<answer>bbaa",
        "bbaa<answer>bbaa", "<answer>bbaa",
    }  # fmt: skip


@pytest.mark.parametrize("level", range(9))
def test_gold_agrees_with_rewriting_letter_by_letter(level):
    rng = random.Random(level)
    for _ in range(100):
        problem = ENVIRONMENT.generate(level, rng)
        steps = rewritten(problem.text)
        assert 2 <= len(steps) <= ENVIRONMENT.at(level)["steps"]
        assert problem.gold == steps[-1], problem.text
