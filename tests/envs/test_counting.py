"""Counting: values and levels by hand, and listing all arrangements as an independent route."""

import itertools
import random
import re

import pytest
from selfplay_envs.counting import Counting

from selfplay.problem import InvalidProblem

ENVIRONMENT = Counting()


@pytest.mark.parametrize(
    ("text", "level", "gold"),
    [
        ("C(5,2)+P(4,2)", 0, "22"),
        ("C(5,2)*P(4,2)", 0, "120"),
        ("C(9,4)+P(4,2)", 1, "138"),
        ("W(3,2,1)-L(3,2)", 1, "50"),
        ("B(5,3)+C(5,2)", 2, "31"),
        ("C(5,2)+C(5,2)*C(5,2)", 3, "110"),
        ("D(5)+V(3,2)", 5, "49"),
        ("N(2,2,1)+C(5,2)", 6, "28"),
        ("G(2,2,1,1)+C(5,2)", 6, "12"),
        ("F(4,2)+F(4,3)", 7, "50"),
        ("P(9,5)", 8, "15120"),
    ],
)
def test_problems_by_hand(text, level, gold):
    problem = ENVIRONMENT.parse(text)
    assert (problem.level, problem.gold) == (level, gold)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("5+3", "malformed: .* is not like"),
        ("C(5,2)+", "malformed"),
        ("C(5,2)+3", "malformed"),
        ("C(5,02)", "malformed"),
        ("C(5)", "malformed: 'C\\(5\\)' is not defined"),
        ("C(2,5)", "malformed"),
        ("G(2,2,3,1)", "malformed"),
        ("W(3)", "malformed"),
        ("C(5,2)", "trivial: one small number"),
        ("C(31,2)", "beyond the top level: a number above 30"),
        ("C(30,15)", "beyond the top level"),
        ("F(30,30)", "beyond the top level"),
        ("+".join(["C(5,2)"] * 5), "beyond the top level"),
        ("+".join(["C(5,2)"] * 6), "malformed"),
    ],
)
def test_refused_with_a_reason(text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        ENVIRONMENT.parse(text)


def test_signature_ignores_the_order_of_summands_and_factors():
    texts = ("C(5,2)*P(4,2)+D(4)", "D(4)+P(4,2)*C(5,2)")
    assert len({ENVIRONMENT.parse(text).signature for text in texts}) == 1
    assert (
        ENVIRONMENT.parse("C(5,2)-P(4,2)").signature != ENVIRONMENT.parse("P(4,2)-C(5,2)").signature
    )


@pytest.mark.parametrize(
    ("text", "careful"),
    [
        ("C(5,2)+P(4,2)", "5*4/2=10;4*3=12;10+12<answer>22"),
        ("W(3,2,1)-L(3,2)", "20*3=60;5*4/2=10;60-10<answer>50"),
        ("D(5)+C(4,1)*C(5,2)", "0,1,2,9=44;4;5*4/2=10;44+4*10;44+40<answer>84"),
        ("G(3,2,1,1)*F(4,2)", "10-2*3=4;16-2=14;4*14<answer>56"),
    ],
)
def test_careful_worked_solution(text, careful):
    problem = ENVIRONMENT.parse(text)
    assert careful in {ENVIRONMENT.demonstrate(problem, random.Random(seed)) for seed in range(30)}


def listed(name, numbers):
    """The number of arrangements, by making them all."""
    n, *rest = numbers
    letters = "".join(letter * number for letter, number in zip("abcd", numbers, strict=False))
    match name:
        case "C":
            return len(list(itertools.combinations(range(n), rest[0])))
        case "P":
            return len(list(itertools.permutations(range(n), rest[0])))
        case "W":
            return len(set(itertools.permutations(letters)))
        case "N":
            return sum("aa" not in "".join(w) for w in set(itertools.permutations(letters)))
        case "L" | "G":
            a, b, *avoided = numbers
            reached = {(0, 0): 1}
            for x, y in itertools.product(range(a + 1), range(b + 1)):
                if (x, y) != (0, 0):
                    ways = reached.get((x - 1, y), 0) + reached.get((x, y - 1), 0)
                    reached[x, y] = 0 if [x, y] == avoided else ways
            return reached[a, b]
        case "B":
            return sum(sum(balls) == n for balls in itertools.product(range(n + 1), repeat=rest[0]))
        case "D":
            orders = itertools.permutations(range(n))
            return sum(all(i != value for i, value in enumerate(order)) for order in orders)
        case "V":
            words = itertools.product("abcdefghi"[: rest[0]], repeat=n)
            return sum("aa" not in "".join(word) for word in words)
    return sum(
        len(set(images)) == rest[0] for images in itertools.product(range(rest[0]), repeat=n)
    )


@pytest.mark.parametrize(
    "part",
    ["C(7,3)", "P(6,3)", "P(4,4)", "W(3,2,1)", "W(2,2,1,2)", "L(4,3)", "L(1,5)", "B(5,3)", "B(2,4)",
     "D(3)", "D(4)", "D(6)", "V(2,2)", "V(5,2)", "V(4,3)", "N(2,3,1)", "N(4,2)", "N(1,2,2)",
     "N(3,2,2)", "G(4,3,2,1)", "G(3,3,3,1)", "F(5,3)", "F(4,4)", "F(6,2)"],
)  # fmt: skip
def test_every_formula_agrees_with_making_a_list(part):
    name, numbers = part[0], tuple(map(int, part[2:-1].split(",")))
    problem = ENVIRONMENT.parse(f"{part}+C(30,1)")
    assert int(problem.gold) - 30 == listed(name, numbers)


@pytest.mark.parametrize("level", range(9))
def test_gold_is_the_value_of_the_expression(level):
    rng = random.Random(level)
    for _ in range(50):
        problem = ENVIRONMENT.generate(level, rng)
        total, product = 0, 0
        for operator, part in re.findall(r"([-+*]?)([A-Z]\([0-9,]+\))", problem.text):
            value = int(ENVIRONMENT.parse(f"{part}+C(30,1)").gold) - 30
            if operator == "*":
                product *= value
            else:
                total, product = total + product, -value if operator == "-" else value
        assert total + product == int(problem.gold)
