"""gcd and lcm: values and levels by hand, and lists of divisors and multiples as another route."""

import random
import re

import pytest
from selfplay_envs.gcd_lcm import GcdLcm

from selfplay.problem import InvalidProblem

ENVIRONMENT = GcdLcm()


@pytest.mark.parametrize(
    ("text", "level", "gold"),
    [
        ("gcd(12,18)", 0, "6"),
        ("lcm(4,6)", 1, "12"),
        ("gcd(200,150)", 2, "50"),
        ("gcd(34,55,21)", None, None),  # nothing in common
        ("gcd(12,18,27)", 3, "3"),
        ("lcm(4,6,10)", 4, "60"),
        ("gcd(lcm(4,6),18)", 4, "6"),
    ],
)
def test_problems_by_hand(text, level, gold):
    if gold is None:
        with pytest.raises(InvalidProblem, match="trivial"):
            ENVIRONMENT.parse(text)
        return
    problem = ENVIRONMENT.parse(text)
    assert (problem.level, problem.gold) == (level, gold)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("12", "trivial: '12' is a number alone"),
        ("gcd(8,9)", "trivial: nothing in common"),
        ("gcd(6,18)", "trivial: 6 is an argument"),
        ("lcm(6,18)", "trivial: 18 is an argument"),
        ("gcd(12,12)", "trivial: two arguments are equal"),
        ("gcd(lcm(4,6),12)", "trivial: two arguments are equal"),
        ("gcd(12)", "malformed"),
        ("gcd(12,18,24,30)", "malformed"),
        ("gcd(12,18", "malformed"),
        ("gcd(12,18))", "malformed"),
        ("gcd(12, 18)", "malformed"),
        ("gcd(0,18)", "malformed"),
        ("gcd(012,18)", "malformed"),
        ("gcd(12,-18)", "malformed"),
        ("gcd(12,١٨)", "malformed"),
        ("max(12,18)", "malformed"),
        ("gcd(" * 20 + "1", "malformed"),
        ("gcd(2002,4004)", "beyond the top level: pairs 1.*largest 4004"),
    ],
)
def test_refused_with_a_reason(text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        ENVIRONMENT.parse(text)


@pytest.mark.parametrize(
    ("text", "careful", "brisk"),
    [
        ("gcd(12,18)", "18%12=6;12%6=0<answer>6", "12%6=0<answer>6"),
        ("lcm(4,6)", "6%4=2;4%2=0;4/2*6=12<answer>12", "4%2=0<answer>12"),
    ],
)
def test_worked_solutions_at_every_pace(text, careful, brisk):
    problem = ENVIRONMENT.parse(text)
    shown = {ENVIRONMENT.demonstrate(problem, random.Random(seed)) for seed in range(30)}
    assert shown == {careful, brisk, f"<answer>{problem.gold}"}


def test_signature_ignores_the_order_of_the_arguments():
    texts = ("gcd(lcm(4,6),18)", "gcd(18,lcm(6,4))")
    assert len({ENVIRONMENT.parse(text).signature for text in texts}) == 1


def _slowly(text):
    """Calls without a call inside, replaced by their value until there is none."""
    while "(" in text:
        name, inside = re.search(r"(gcd|lcm)\(([0-9,]+)\)", text).groups()
        numbers = list(map(int, inside.split(",")))
        if name == "gcd":
            divisors = range(min(numbers), 0, -1)
            value = next(d for d in divisors if all(n % d == 0 for n in numbers))
        else:
            value = step = numbers.pop()
            while any(value % n for n in numbers):
                value += step
        text = text.replace(f"{name}({inside})", str(value))
    return text


@pytest.mark.parametrize("level", range(8))
def test_gold_agrees_with_lists_of_divisors_and_multiples(level):
    rng = random.Random(level)
    for _ in range(60):
        problem = ENVIRONMENT.generate(level, rng)
        assert problem.gold == _slowly(problem.text)
