"""Probability: 4r3b5g draw 1: b=1 is 1/4; d6,d6: sum=7 is 1/6; conditions after "if".

An urn holds balls of two to four colours, of which some are drawn at once, or one after another and
put back; dice are rolled and their sum, max or min is looked at. An event compares one of these
numbers with another. Difficulty is the number of draws or dice, the comparison, putting back,
conditions.
"""

import random
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import product
from math import comb, factorial, prod
from typing import NamedTuple

from selfplay.grading import declare, grade_response
from selfplay.problem import ANSWER_OPEN, Environment, InvalidProblem, Knob, Problem, Verdict
from selfplay_envs.pace import Pace

KIND = declare({"kind": "rational"})
LARGEST = 20
"""Most balls of a colour and faces of a die."""
MOST_DRAWN = 6
"""Most balls that are drawn, and one more than there are dice at most."""
URN_SHARE = 0.85
"""Share of urns at the level that has dice too."""
THREE_SHARE = 0.85
"""Share of three dice where there may be four: there are few sets of four."""
MOST_OUTCOMES = 2_000
"""Most outcomes of the dice."""

_NUMBER = "(?:[1-9][0-9]?)"
_EVENT = r"(?:[rbgy]|sum|max|min)(?:=|<=|>=)[0-9]{1,2}"
_URN = re.compile(
    rf"({_NUMBER}r)?({_NUMBER}b)?({_NUMBER}g)?({_NUMBER}y)? (draw|back) ({_NUMBER})\Z"
)
_DICE = re.compile(rf"d{_NUMBER}(?:,d{_NUMBER}){{0,4}}\Z")
_TEXT = re.compile(rf"([^:]{{2,40}}): ({_EVENT})(?: if ({_EVENT}))?\Z")
_ONE = re.compile(r"([a-z]+)(=|<=|>=)([0-9]+)\Z")

Outcomes = Sequence[tuple[Mapping[str, int], int]]
"""What can be looked at, and in how many equally likely ways it comes about."""


class Event(NamedTuple):
    """A comparison."""

    name: str
    relation: str
    number: int

    def __str__(self) -> str:
        """In canonical notation."""
        return f"{self.name}{self.relation}{self.number}"

    def holds(self, values: Mapping[str, int]) -> bool:
        """Whether it is so."""
        value = values[self.name]
        if self.relation == "=":
            return value == self.number
        return value <= self.number if self.relation == "<=" else value >= self.number


class Question(NamedTuple):
    """An experiment and the event that is asked for, perhaps under a condition."""

    urn: Mapping[str, int]
    """Balls of each colour; empty for dice."""
    drawn: int
    back: bool
    """Whether each ball is put back."""
    dice: tuple[int, ...]
    event: Event
    given: Event | None

    @property
    def trials(self) -> int:
        """Draws or dice."""
        return self.drawn or len(self.dice)


class Probability(Environment):
    """Find the probability of an event."""

    name = "probability"
    summary = "4r3b5g draw 1: b=1, d6,d6: sum=7: urns, dice, conditions"
    instruction = (
        "Find the probability. 4r3b5g1y is an urn with 4 red, 3 blue, 5 green and 1 yellow "
        "balls; draw 2 takes 2 balls at once, back 2 one after another, each put back; r=1 is the "
        "event of exactly 1 red ball, r>=1 of at least 1, r<=1 of at most 1. d6,d8 are dice with 6 "
        "and 8 faces, and sum, max and min are those of the numbers rolled. After if stands a "
        "condition that is known to hold. The answer is a fraction such as 3/10."
    )
    verifier = "rational"
    guess_bound = 0.12
    crowded = 3
    knobs = {
        "trials": Knob((1, 2, 2, 3, 3, 4, 4, 4, 4), "draws", "more draws or dice"),
        "dice": Knob((0, 0, 1, 0, 0, 1, 0, 0, 1), "0 or 1", "dice as well as urns"),
        "compare": Knob((0, 0, 1, 0, 1, 1, 1, 1, 1), "0 or 1", "at least and at most"),
        "back": Knob((0, 0, 0, 0, 0, 0, 1, 1, 1), "0 or 1", "balls that are put back"),
        "given": Knob((0, 0, 0, 0, 0, 0, 0, 1, 1), "0 or 1", "conditions"),
    }

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """An urn or dice with a random event."""
        # At the level of four trials without conditions there are urns beside the dice.
        mixed = knobs["trials"] == 4 and not knobs["given"]
        if knobs["dice"] and not (mixed and rng.random() < URN_SHARE):
            return _draft_dice(knobs, rng)
        return _draft_urn(knobs, rng)

    def parse(self, text: str) -> Problem:
        """Read an experiment; the gold is the probability."""
        question = _read(text)
        events = [event for event in (question.event, question.given) if event]
        level = self.easiest(
            trials=question.trials,
            dice=int(bool(question.dice)),
            compare=int(any(event.relation != "=" for event in events)),
            back=int(question.back),
            given=int(question.given is not None),
        )
        favourable, possible = _count(question)
        if possible == 0:
            raise InvalidProblem("no solution: the condition cannot hold")
        if question.given and possible == _count(question._replace(given=None))[1]:
            raise InvalidProblem("trivial: the condition always holds")
        if favourable in (0, possible):
            raise InvalidProblem("trivial: impossible or certain")
        gold = str(Fraction(favourable, possible))
        return Problem(self.name, level, text, signature=text, gold=gold)

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if the answer equals the probability."""
        return grade_response(KIND, problem.gold, response)

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """The ways that count, one case after the other, then over how many there are.

        4+3+5=12;3/12 for 4r3b5g draw 1: b=1; for dice a case is the number on the first die.
        """
        question = _read(problem.text)
        lines = _work_dice(question) if question.dice else _work_urn(question)
        favourable, possible = _count(question)
        lines.append(f"{favourable}/{possible}")
        return f"{';'.join(Pace.draw(rng).skim(lines))}{ANSWER_OPEN}{problem.gold}"

    def estimate(self, problem: Problem) -> float:
        """The length of the working; for dice also the outcomes behind its sums, by eights."""
        question = _read(problem.text)
        return super().estimate(problem) + (prod(question.dice) / 8 if question.dice else 0.0)


def _read(text: str) -> Question:
    found = _TEXT.match(text)
    if found is None:
        raise InvalidProblem(f"malformed: {text[:40]!r} is not like '4r3b5g draw 1: b=1'")
    event = _read_event(found[2])
    given = _read_event(found[3]) if found[3] else None
    urn, dice = _URN.match(found[1]), _DICE.match(found[1])
    question = Question({}, 0, False, (), event, given)
    if urn:
        balls = {part[-1]: int(part[:-1]) for part in urn.groups()[:4] if part}
        question = question._replace(urn=balls, back=urn[5] == "back", drawn=int(urn[6]))
    elif dice:
        question = question._replace(dice=tuple(int(die[1:]) for die in found[1].split(",")))
    else:
        raise InvalidProblem(f"malformed: {found[1][:40]!r} is no urn and no dice")
    _refuse_odd(question)
    return question


def _read_event(text: str) -> Event:
    found = _ONE.match(text)
    if found is None or str(int(found[3])) != found[3]:
        raise InvalidProblem(f"malformed: the event {text!r}")
    return Event(found[1], found[2], int(found[3]))


def _refuse_odd(question: Question) -> None:
    """Refuse what is too large, or looks at what is not there."""
    names = {event.name for event in (question.event, question.given) if event}
    if question.dice:
        if names - {"sum", "max", "min"}:
            raise InvalidProblem("malformed: dice have sum, max and min")
        if list(question.dice) != sorted(question.dice) or question.dice[0] < 2:
            raise InvalidProblem("not canonical: dice ascend, from d2 on")
        if max(question.dice) > LARGEST or prod(question.dice) > MOST_OUTCOMES:
            raise InvalidProblem("beyond the top level: too many outcomes")
        if names != {"sum"} and len(question.dice) == 1:
            raise InvalidProblem("not canonical: the number on one die is its sum")
        return
    if len(question.urn) < 2 or not names <= question.urn.keys():
        raise InvalidProblem("malformed: two colours at least, and events of these")
    if max(question.urn.values()) > LARGEST or question.drawn > MOST_DRAWN:
        raise InvalidProblem("beyond the top level: too many balls")
    if not question.back and question.drawn >= sum(question.urn.values()):
        raise InvalidProblem("trivial: all balls are drawn")


def _outcomes(question: Question) -> Outcomes:
    """All that can happen."""
    if question.dice:
        return [
            ({"sum": sum(rolled), "max": max(rolled), "min": min(rolled)}, 1)
            for rolled in product(*(range(1, faces + 1) for faces in question.dice))
        ]
    colours, found = tuple(question.urn), []
    for counts in product(range(question.drawn + 1), repeat=len(colours)):
        if sum(counts) == question.drawn:
            ways = _ways(question, dict(zip(colours, counts, strict=True)))
            found.append((dict(zip(colours, counts, strict=True)), ways))
    return found


def _ways(question: Question, counts: Mapping[str, int]) -> int:
    """In how many equally likely ways so many balls of each colour are drawn."""
    if not question.back:
        return prod(comb(question.urn[colour], count) for colour, count in counts.items())
    orders = factorial(question.drawn) // prod(map(factorial, counts.values()))
    return orders * prod(question.urn[colour] ** count for colour, count in counts.items())


def _count(question: Question) -> tuple[int, int]:
    """The ways in which event and condition hold, and those in which the condition does."""
    possible = [
        (values, ways)
        for values, ways in _outcomes(question)
        if question.given is None or question.given.holds(values)
    ]
    favourable = sum(ways for values, ways in possible if question.event.holds(values))
    return favourable, sum(ways for _, ways in possible)


def _work_urn(question: Question) -> list[str]:
    """The ways of each number of balls of the colour, or of all colours under a condition."""
    total, colour = sum(question.urn.values()), question.event.name
    lines = ["+".join(map(str, question.urn.values())) + f"={total}"]
    if question.given is not None:
        for values, ways in _outcomes(question):
            if ways and question.given.holds(values):
                mark = "*" if question.event.holds(values) else ""
                shown = "".join(f"{count}{name}" for name, count in values.items() if count)
                lines.append(f"{shown}:{ways}{mark}")
        return lines
    if question.drawn == 1:
        return lines
    own, n = question.urn[colour], question.drawn
    others, cases = total - own, []
    for count in range(n + 1):
        if not question.event.holds({colour: count}):
            continue
        if question.back:
            factors = (comb(n, count), own**count, others ** (n - count))
        else:
            factors = (comb(own, count), comb(others, n - count))
        if all(factors):
            cases.append(prod(factors))
            lines.append("*".join(map(str, factors)) + f"={prod(factors)}")
    if len(cases) > 1:
        lines.append("+".join(map(str, cases)) + f"={sum(cases)}")
    every = f"{total}^{n}={total**n}" if question.back else f"C({total},{n})={comb(total, n)}"
    return [*lines, every]


def _work_dice(question: Question) -> list[str]:
    """The favourable and, under a condition, the possible outcomes for each first number."""
    lines = []
    for given_only in (True, False):
        if given_only and question.given is None:
            continue
        counts = [0] * question.dice[0]
        for rolled in product(*(range(1, faces + 1) for faces in question.dice)):
            values = {"sum": sum(rolled), "max": max(rolled), "min": min(rolled)}
            held = question.given is None or question.given.holds(values)
            counts[rolled[0] - 1] += held and (given_only or question.event.holds(values))
        lines.append("+".join(map(str, counts)) + f"={sum(counts)}")
    if question.given is None and len(question.dice) > 1:
        lines.append("*".join(map(str, question.dice)) + f"={prod(question.dice)}")
    return lines


def _draft_urn(knobs: Mapping[str, int], rng: random.Random) -> str:
    most = 15 if knobs["trials"] == 1 else 9
    colours = "rbgy" if knobs["trials"] > 2 and not knobs["given"] else "rbg"
    urn = {colour: rng.randint(1, most) for colour in colours}
    drawn, back = knobs["trials"], knobs["back"] and rng.random() < 0.7
    events = [
        _event(colour, rng.randint(0, drawn), knobs, rng) for colour in rng.sample(colours, 2)
    ]
    balls = "".join(f"{count}{colour}" for colour, count in urn.items())
    condition = f" if {events[1]}" if knobs["given"] else ""
    return f"{balls} {'back' if back else 'draw'} {drawn}: {events[0]}{condition}"


def _draft_dice(knobs: Mapping[str, int], rng: random.Random) -> str:
    count = knobs["trials"]
    if count == 4 and (not knobs["given"] or rng.random() < THREE_SHARE):
        count = 3
    most = 6 if count == 4 else 12
    dice = sorted(rng.randint(max(3, count), most) for _ in range(count))
    names = rng.sample(("sum", "max", "min"), 2)
    events = []
    for name in names:
        rolled = [rng.randint(1, faces) for faces in dice]
        number = {"sum": sum, "max": max, "min": min}[name](rolled)
        events.append(_event(name, number, knobs, rng))
    condition = f" if {events[1]}" if knobs["given"] else ""
    return f"{','.join(f'd{faces}' for faces in dice)}: {events[0]}{condition}"


def _event(name: str, number: int, knobs: Mapping[str, int], rng: random.Random) -> Event:
    compare = knobs["compare"] and rng.random() < 0.8
    return Event(name, rng.choice(("<=", ">=")) if compare else "=", number)
