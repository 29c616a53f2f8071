"""Ladders and traps: traces by hand, second routes to each trace, levels, refusals, verdicts.

The second routes look at the question up to each step as a whole, where the environments go on from
what they wrote last.
"""

import hashlib
import random
import re
import string
from collections import Counter
from dataclasses import replace
from functools import reduce
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selfplay_envs.automaton import Automaton
from selfplay_envs.bubble_pass import BubblePass
from selfplay_envs.cancelling import Cancelling
from selfplay_envs.column_addition import ColumnAddition
from selfplay_envs.equation_chain import EquationChain
from selfplay_envs.register_machine import RegisterMachine
from selfplay_envs.running_sum import RunningSum
from selfplay_envs.traps import CoinFlips, OneWay
from selfplay_envs.walk import Walk

from selfplay.problem import InvalidProblem, Outcome

LADDERS = {
    one.name: one
    for one in (
        Walk(), Automaton(), RunningSum(), RegisterMachine(), ColumnAddition(), Cancelling(),
        BubblePass(), EquationChain(),
    )
}  # fmt: skip
TRAPS = [pytest.param(one, id=one.name) for one in (CoinFlips(), OneWay())]
BY_NAME = [pytest.param(one, id=one.name) for one in LADDERS.values()]

STEP = {
    "walk": "[SRLUDFBX][0-9]",
    "automaton": "[a-h][0-6]",
    "running_sum": "[+-][0-9][0-9]",
    "register_machine": "[idjkstum][0-4][0-4]",
    "column_addition": "[0-9]{3}[+.]",
    "cancelling": "[abAB]:[abAB]{0,4},",
    "bubble_pass": "[0-9]{2},",
    "equation_chain": "[a-z][0-9]",
}
"""What one step looks like."""


def prefixes(symbols):
    return [symbols[: end + 1] for end in range(len(symbols))]


def walked(text):
    far = {"R": 1, "L": -1, "U": 2, "D": -2, "F": 3, "B": -3, "X": 5}
    return [
        f"{so_far[-1]}{sum(so_far.count(move) * by for move, by in far.items()) % 10}"
        for so_far in prefixes(text)
    ]


def run(text):
    def composed(line, letter):
        """Slope and offset after one more letter; all maps are straight lines modulo 7."""
        slope, offset = {
            "a": (1, 1), "b": (3, 0), "c": (-1, 6), "d": (1, 4), "e": (2, 1), "f": (-2, 3),
            "g": (4, -1), "h": (-1, 3),
        }[letter]  # fmt: skip
        return slope * line[0], slope * line[1] + offset

    return [f"{so_far[-1]}{reduce(composed, so_far, (1, 0))[1] % 7}" for so_far in prefixes(text)]


def summed(text):
    terms = re.findall("..", text)
    return [f"{so_far[-1]}{sum(map(int, so_far)) % 10}" for so_far in prefixes(terms)]


def executed(text):
    def after(registers, instruction):
        """Without any remainder: that is taken at the end only."""
        a, b = registers
        return {
            "i": (a + 1, b), "d": (a - 1, b), "j": (a, b + 1), "k": (a, b - 1), "s": (b, a),
            "t": (a + b, b), "u": (a, a + b), "m": (a - b, b),
        }[instruction]  # fmt: skip

    found = []
    for so_far in prefixes(text):
        a, b = reduce(after, so_far, (0, 0))
        found.append(f"{so_far[-1]}{a % 5}{b % 5}")
    return found


def added(text):
    columns = text.split(",")
    one, other = (int("".join(column[row] for column in reversed(columns))) for row in (0, 1))
    found = []
    for place, column in enumerate(columns):
        unit = 10**place
        carried = one % (10 * unit) + other % (10 * unit) >= 10 * unit
        found.append(f"{column}{(one + other) // unit % 10}{'+' if carried else '.'}")
    return found


def cancelled(text):
    def reduced(word):
        for _ in word:
            for pair in ("aA", "Aa", "bB", "Bb"):
                word = word.replace(pair, "")
        return word

    return [f"{so_far[-1]}:{reduced(so_far)}," for so_far in prefixes(text)]


def passed(text):
    return ["".join(sorted((max(so_far[:-1]), so_far[-1]))) + "," for so_far in prefixes(text)[1:]]


def solved(text):
    rights = [int(equation.partition("=")[2]) for equation in text.split(",")]
    found = []
    for letter, so_far in zip(string.ascii_lowercase, prefixes(rights), strict=False):
        value = sum(so_far[::-1][::2]) - sum(so_far[::-1][1::2])  # signs in turn, the last one +
        found.append(f"{letter}{value}")
    return found


SECOND_ROUTE = {
    "walk": walked,
    "automaton": run,
    "running_sum": summed,
    "register_machine": executed,
    "column_addition": added,
    "cancelling": cancelled,
    "bubble_pass": passed,
    "equation_chain": solved,
}


def chained(values):
    """A chain of equations with these values."""
    equations = [f"a={values[0]}"]
    for place in range(1, len(values)):
        sides = "+".join(string.ascii_lowercase[place - 1 : place + 1])
        equations.append(f"{sides}={values[place - 1] + values[place]}")
    return ",".join(equations)


DIGITS = st.sampled_from(string.digits)
QUESTIONS = {
    "walk": st.text("SRLUDFBX", min_size=3, max_size=120),
    "automaton": st.text("abcdefgh", min_size=3, max_size=120),
    "running_sum": st.lists(
        st.tuples(st.sampled_from("+-"), DIGITS).map("".join), min_size=3, max_size=63
    ).map("".join),
    "register_machine": st.text("idjkstum", min_size=3, max_size=63),
    "column_addition": st.lists(
        st.tuples(DIGITS, DIGITS).map("".join), min_size=3, max_size=32
    ).map(",".join),
    "cancelling": st.text("abAB", min_size=4, max_size=38),
    "bubble_pass": st.text(string.digits, min_size=4, max_size=44),
    "equation_chain": st.lists(st.integers(0, 9), min_size=3, max_size=26).map(chained),
}


@pytest.mark.parametrize(
    ("name", "text", "level", "gold"),
    [
        ("walk", "RLSR", 0, "R1L0S0R1"),
        ("walk", "LLRSRR", 1, "L9L8R9S9R0R1"),
        ("walk", "UXFDB", 1, "U2X7F0D8B5"),
        ("automaton", "abca", 0, "a1b3c3a4"),
        ("automaton", "cbaacb", 1, "c6b4a5a6c0b0"),
        ("automaton", "defgh", 1, "d4e2f6g2h1"),  # 6-0, 3*6=18, 4+1, 5+1, 6-6, 3*0
        ("running_sum", "+3-7+0+4", 0, "+33-76+06+40"),
        ("running_sum", "-0+9+9-1-8", 1, "-00+99+98-17-89"),
        ("register_machine", "iiss", 0, "i10i20s02s20"),
        ("register_machine", "dsdtts", 2, "d40s04d44t34t24s42"),  # 4+4=8, 3+4=7
        ("register_machine", "jtukm", 1, "j01t11u12k11m01"),
        ("column_addition", "17,24,89", 0, "178.246.897+"),
        ("column_addition", "99,00,55,54", 1, "998+001.550+540+"),
        ("cancelling", "abBa", 0, "a:a,b:ab,B:a,a:aa,"),
        ("cancelling", "aAbBBb", 1, "a:a,A:,b:b,B:,B:B,b:,"),
        ("bubble_pass", "5273", 0, "25,57,37,"),
        ("bubble_pass", "001990", 1, "00,01,19,99,09,"),
        ("equation_chain", "a=3,a+b=7,b+c=9", 0, "a3b4c5"),
        ("equation_chain", "a=9,a+b=18,b+c=9,c+d=0", 1, "a9b9c0d0"),
    ],
)
def test_traces_by_hand(name, text, level, gold):
    problem = LADDERS[name].parse(text)
    assert (problem.level, problem.gold) == (level, gold)


@pytest.mark.parametrize("name", LADDERS)
@given(data=st.data())
def test_the_trace_agrees_with_a_second_route(name, data):
    text = data.draw(QUESTIONS[name])
    trace = SECOND_ROUTE[name](text)
    if name == "cancelling" and max(map(len, trace)) > len("a:abab,"):
        with pytest.raises(InvalidProblem, match="beyond the top level: a word of more than 4"):
            LADDERS[name].parse(text)
        return
    problem = LADDERS[name].parse(text)
    assert problem.gold == "".join(trace)
    assert LADDERS[name].estimate(problem) == len(trace)


@pytest.mark.parametrize("environment", BY_NAME)
def test_a_level_is_a_number_of_steps(environment):
    rng = random.Random(0)
    values = environment.knobs["steps"].values
    for level, (below, most) in enumerate(
        zip((environment.fewest - 1, *values), values, strict=False)
    ):
        problems = [environment.generate(level, rng) for _ in range(40)]
        found = {len(re.findall(STEP[environment.name], problem.gold)) for problem in problems}
        assert found == set(range(below + 1, most + 1)) and len(found) <= 2, level


@pytest.mark.parametrize(
    ("name", "kinds"),
    [("walk", 8), ("automaton", 8), ("register_machine", 8), ("running_sum", 20)],
)
def test_short_questions_repeat_themselves_and_long_ones_have_every_kind(name, kinds):
    environment, rng = LADDERS[name], random.Random(9)

    def found(steps):
        """How often each number of different symbols was drawn."""
        texts = [environment.question(steps, rng) for _ in range(300)]
        return Counter(len(set(environment.symbol.findall(text))) for text in texts)

    assert set(range(3, 8)) <= set(found(8))  # of at least four kinds, drawn eight times
    assert sum(count for number, count in found(8).items() if number <= 4) > 10
    assert max(found(60)) == kinds and min(found(60)) > 0.7 * kinds


@pytest.mark.parametrize("environment", BY_NAME)
def test_a_setting_has_no_more_steps_than_it_says(environment):
    for steps in range(environment.fewest, environment.knobs["steps"].values[-1] + 1):
        problem = environment.generate({"steps": steps}, random.Random(steps))
        assert environment.fewest <= environment.estimate(problem) <= steps
    with pytest.raises(ValueError, match=f"no questions of steps=0: {environment.fewest} are"):
        environment.generate({"steps": 0}, random.Random(0))


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        *((name, "", "malformed") for name in LADDERS),
        ("walk", "RL", "trivial: less than 3 steps"),
        ("walk", "RLSr", "malformed"),
        ("walk", "RL SR", "malformed"),
        ("walk", "RLSR\n", "malformed"),
        ("walk", "R" * 121, "beyond the top level: steps 121"),
        ("walk", "R" * 401, "beyond the top level: 401 characters"),
        ("automaton", "abci", "malformed"),
        ("automaton", "a" * 121, "beyond the top level: steps 121"),
        ("running_sum", "+3-7", "trivial: less than 3 steps"),
        ("running_sum", "3-7+0", "malformed"),
        ("running_sum", "+3-17+0", "malformed"),
        ("running_sum", "+3-\u0667+0", "malformed"),
        ("running_sum", "+1" * 64, "beyond the top level: steps 64"),
        ("register_machine", "ii", "trivial: less than 3 steps"),
        ("register_machine", "i" * 64, "beyond the top level: steps 64"),
        ("column_addition", "17,24", "trivial: less than 3 steps"),
        ("column_addition", "17,24,8", "malformed"),
        ("column_addition", "17,24,89,", "malformed"),
        ("column_addition", "172489", "malformed"),
        ("column_addition", ",".join(["11"] * 33), "beyond the top level: steps 33"),
        ("cancelling", "aAb", "trivial: less than 4 steps"),
        ("cancelling", "abab" + "a", "beyond the top level: a word of more than 4 letters"),
        ("cancelling", "aA" * 19 + "a", "beyond the top level: steps 39"),
        ("bubble_pass", "527", "trivial: less than 3 steps"),
        ("bubble_pass", "52,73", "malformed"),
        ("bubble_pass", "5" * 45, "beyond the top level: steps 44"),
        ("equation_chain", "a=3,a+b=7", "trivial: less than 3 steps"),
        ("equation_chain", "a=3,a+b=07,b+c=9", "malformed"),
        ("equation_chain", "a=3,a+c=7,b+c=9", "malformed: a.c where a.b comes"),
        ("equation_chain", "a=3,b+a=7,b+c=9", "malformed: b.a where a.b comes"),
        ("equation_chain", "a=3,a=3,b+c=9", "malformed: a where a.b comes"),
        ("equation_chain", "a=10,a+b=7,b+c=9", "no solution: a is 10, no digit"),
        ("equation_chain", "a=3,a+b=2,b+c=9", "no solution: b is -1, no digit"),
        ("equation_chain", chained([1] * 26) + ",z+a=2", "malformed: z.a where there is none"),
    ],
)  # fmt: skip
def test_refused_with_a_reason(name, text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        LADDERS[name].parse(text)


@pytest.mark.parametrize("environment", BY_NAME)
def test_a_wrong_answer_is_told_its_first_wrong_step(environment):
    rng = random.Random(1)
    problem = environment.generate(environment.level_count // 2, rng)
    steps = re.findall(STEP[environment.name], problem.gold)
    for number, step in enumerate(steps, start=1):
        told = f"step {number} of {len(steps)}"
        before = "".join(steps[: number - 1])
        for answer in (before + "?" + problem.gold[len(before) + 1 :], before + step[:-1], before):
            if answer:
                verdict = environment.grade(problem, f"<answer>{answer}")
                assert (verdict.outcome, verdict.reason) == (Outcome.WRONG, told)
    longer = environment.grade(problem, f"<answer>{problem.gold}{steps[-1]}")
    assert (longer.outcome, longer.reason) == (Outcome.WRONG, f"more than {len(steps)} steps")


@pytest.mark.parametrize("environment", BY_NAME)
@pytest.mark.parametrize(
    ("response", "outcome"),
    [
        ("<answer>{gold}", Outcome.CORRECT),
        ("so it is <answer> {gold}\n</answer> ", Outcome.CORRECT),
        ("<answer>{gold}</answer><answer>{gold}", Outcome.CORRECT),
        ("\\boxed{{{gold}}}", Outcome.CORRECT),
        ("{gold}", Outcome.UNPARSABLE),
        ("<answer>", Outcome.UNPARSABLE),
        ("<answer>{gold}</answer> I think", Outcome.UNPARSABLE),
        ("<answer>{gold}" + " " * 70_000, Outcome.UNPARSABLE),
        ("<answer>{other}</answer><answer>{gold}", Outcome.AMBIGUOUS),
        ("<answer>{gold} or {other}", Outcome.AMBIGUOUS),
        ("<answer>{other};{gold}", Outcome.AMBIGUOUS),
        ("<answer>{gold} or not", Outcome.AMBIGUOUS),
        ("<answer>{other}", Outcome.WRONG),
        ("<answer>{swapped}", Outcome.WRONG),
        ("<answer>{spaced}", Outcome.WRONG),
        ("<answer>{gold}{gold}", Outcome.WRONG),
        ("<answer>{gold}\x00", Outcome.WRONG),
        ("<answer>\ud800", Outcome.WRONG),
    ],
)  # fmt: skip
def test_nothing_but_the_trace_is_right(environment, response, outcome):
    rng = random.Random(2)
    problem, other = (environment.generate(3, rng) for _ in range(2))
    gold = problem.gold
    response = response.format(
        gold=gold,
        other=other.gold,
        # The case does not count where there are no letters: something else is changed then.
        swapped=gold.swapcase() if gold.swapcase() != gold else gold[::-1],
        spaced=f"{gold[:2]} {gold[2:]}",
    )
    assert environment.grade(problem, response).outcome is outcome


@pytest.mark.parametrize("environment", BY_NAME)
def test_a_problem_that_cannot_be_read_is_not_the_solvers_failure(environment):
    problem = replace(environment.generate(0, random.Random(8)), text="none")
    verdict = environment.grade(problem, "<answer>1")
    assert (verdict.outcome, verdict.reason) == (Outcome.ERROR, "unreadable problem")


@pytest.mark.parametrize("environment", BY_NAME)
def test_a_mutation_has_as_many_steps_and_changes_little(environment):
    rng = random.Random(3)
    for level in (1, environment.level_count - 1):
        problem = environment.generate(level, rng)
        for _ in range(20):
            other = environment.mutate(problem, rng)
            assert other.level == problem.level
            if environment.name == "equation_chain":  # one value stands in two right sides
                pairs = zip(
                    re.findall("..", problem.gold), re.findall("..", other.gold), strict=True
                )
            else:
                pairs = zip(problem.text, other.text, strict=True)
            assert sum(one != another for one, another in pairs) == 1, other.text


def test_the_digit_that_a_drafted_pass_carries_keeps_changing():
    rng = random.Random(4)
    environment = LADDERS["bubble_pass"]
    texts = [environment.generate(environment.level_count - 1, rng).text for _ in range(50)]
    carried = [[max(so_far) for so_far in prefixes(text)] for text in texts]
    assert min(len(set(digits)) for digits in carried) >= 4
    assert mean(len(set(digits[: len(digits) // 2])) for digits in carried) >= 3


@pytest.mark.parametrize("environment", TRAPS)
def test_a_trap_says_so_and_has_fixed_answers(environment):
    assert environment.summary.startswith("Trap:")
    assert environment.__doc__ and "quarantines" in environment.__doc__
    text = f"{environment.asks} abcdefgh"
    digest = hashlib.sha256(text.encode()).hexdigest()
    gold = {"coin_flips": "ht"[int(digest[:2], 16) % 2], "one_way": digest[:12]}[environment.name]
    assert environment.parse(text).gold == gold
    assert environment.grade(environment.parse(text), f"<answer>{gold}").correct


def test_the_coin_is_fair_and_one_letter_throws_it_anew():
    environment, rng = CoinFlips(), random.Random(5)
    problems = [environment.generate(level, rng) for level in range(9) for _ in range(200)]
    assert abs(sum(problem.gold == "h" for problem in problems) - 900) < 3 * (1800 / 4) ** 0.5
    near = [environment.mutate(problem, rng) for problem in problems]
    same = sum(problem.gold == other.gold for problem, other in zip(problems, near, strict=True))
    assert abs(same - 900) < 3 * (1800 / 4) ** 0.5


@pytest.mark.parametrize("environment", TRAPS)
@pytest.mark.parametrize(
    ("letters", "reason"),
    [
        ("abcde", "trivial: less than 6 letters"),
        ("abcdeF", "malformed"),
        ("abcdef ", "malformed"),
        ("abcdef\n", "malformed"),
        ("", "malformed"),
        ("a" * 25, "beyond the top level: letters 25"),
    ],
)
def test_a_trap_refuses_with_a_reason(environment, letters, reason):
    with pytest.raises(InvalidProblem, match=reason):
        environment.parse(f"{environment.asks} {letters}")


def test_there_is_no_one_way_to_be_near():
    environment = OneWay()
    problem = environment.generate(0, random.Random(6))
    for answer in (problem.gold[:-1], problem.gold + "0", problem.gold.upper() + "A", "0" * 12):
        assert environment.grade(problem, f"<answer>{answer}").outcome is Outcome.WRONG


def test_hedging_about_a_coin_does_not_pay():
    environment = CoinFlips()
    problem = environment.generate(0, random.Random(7))
    verdicts = Counter(
        environment.grade(problem, f"<answer>{answer}").outcome
        for answer in ("h or t", "t or h", "h,t", "h</answer><answer>t")
    )
    assert verdicts == {Outcome.AMBIGUOUS: 4}


def test_chains_of_equations_that_differ_in_their_letters_are_the_same_problem():
    chains = [EquationChain().parse(text) for text in ("a=3,a+b=7,b+c=9", "y=3,y+z=7,z+a=9")]
    assert [chain.gold for chain in chains] == ["a3b4c5", "y3z4a5"]
    assert chains[0].signature == chains[1].signature
