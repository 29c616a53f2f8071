"""Prime factorisation: values and levels by hand, and sympy as an independent route."""

import random

import pytest
import sympy
from selfplay_envs.factorisation import Factorisation

from selfplay.problem import InvalidProblem, Outcome

ENVIRONMENT = Factorisation()


@pytest.mark.parametrize(
    ("text", "level", "gold"),
    [
        ("84", 0, "2^2*3*7"),
        ("4", 0, "2^2"),
        ("97", None, None),
        ("1024", 1, "2^10"),
        ("169", 3, "13^2"),
        ("437", 4, "19*23"),
        ("6241", 8, "79^2"),
        ("510510", 8, "2*3*5*7*11*13*17"),
    ],
)
def test_problems_by_hand(text, level, gold):
    if gold is None:
        with pytest.raises(InvalidProblem, match="trivial: 97 is 1 or a prime"):
            ENVIRONMENT.parse(text)
        return
    problem = ENVIRONMENT.parse(text)
    assert (problem.level, problem.gold) == (level, gold)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1", "trivial"),
        ("999983", "trivial"),
        ("0", "malformed"),
        ("084", "malformed"),
        ("-84", "malformed"),
        ("84 ", "malformed"),
        ("٨٤", "malformed"),
        ("1000000", "malformed"),
        ("995006", "beyond the top level"),  # 2 times a prime: all up to its root must be tried
    ],
)
def test_refused_with_a_reason(text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        ENVIRONMENT.parse(text)


@pytest.mark.parametrize(
    "answer", ["2^2*3*7", "7*2^2*3", "2*2*3*7", "2^2 * 3 * 7", "2^2 \\cdot 3 \\cdot 7", "2*7*3*2"]
)
def test_spellings_of_the_product_that_are_right(answer):
    assert ENVIRONMENT.grade(ENVIRONMENT.parse("84"), f"<answer>{answer}").correct


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("84", Outcome.WRONG),
        ("4*3*7", Outcome.WRONG),
        ("1*2^2*3*7", Outcome.WRONG),
        ("2*3*7", Outcome.WRONG),
        ("2^2*21", Outcome.WRONG),
        ("2^2+80", Outcome.UNPARSABLE),
        ("2^99999*3", Outcome.UNPARSABLE),
        ("2^2*3*7=84", Outcome.UNPARSABLE),
    ],
)
def test_products_that_are_wrong(answer, outcome):
    assert ENVIRONMENT.grade(ENVIRONMENT.parse("84"), f"<answer>{answer}").outcome is outcome


@pytest.mark.parametrize(
    ("text", "careful", "brisk"),
    [
        ("84", "84/2=42;42/2=21;21/3=7", "84/2=42;42/2=21;21/3=7"),
        ("91", "91%3=1;91/7=13", "91/7=13"),
        ("49", "49%3=1;49/7=7", "49/7=7"),
    ],
)
def test_worked_solutions_at_every_pace(text, careful, brisk):
    problem = ENVIRONMENT.parse(text)
    shown = {ENVIRONMENT.demonstrate(problem, random.Random(seed)) for seed in range(30)}
    assert shown == {f"{working}<answer>{problem.gold}" for working in (careful, brisk, "")}


@pytest.mark.parametrize("level", range(9))
def test_gold_agrees_with_sympy(level):
    rng = random.Random(level)
    for _ in range(100):
        problem = ENVIRONMENT.generate(level, rng)
        factors = sympy.factorint(int(problem.text))
        assert problem.gold == "*".join(
            f"{p}^{k}" if k > 1 else str(p) for p, k in sorted(factors.items())
        )
