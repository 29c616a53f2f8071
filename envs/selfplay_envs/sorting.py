"""Sorting: down 5,3,19 asks for the list in descending order, 19,5,3.

The rules are, for numbers: up, down, last (by the last digit), sum (by the sum of the digits), mod7
(by the remainder of a division by 7); for words: abc (alphabetical), len (by length). What a rule
leaves equal ascends, numbers by value, words alphabetically. A list that is in order already is
refused, as the answer could be copied.
"""

import random
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from selfplay.grading import declare, grade_response
from selfplay.problem import ANSWER_OPEN, Environment, InvalidProblem, Knob, Problem, Verdict
from selfplay_envs.nearby import nearby
from selfplay_envs.pace import Pace

FEWEST = 4
"""Fewest items: of three, one order in five that are not in order would be a right guess."""
MODULI = (6, 12)
"""Smallest and greatest modulus that is drafted."""
LONGEST_WORD = 4
"""Most letters of a drafted word."""
STEMS = 0.5
"""Share of drafted words that begin like another one, so that a later letter decides."""

_KIND = declare({"kind": "text", "whitespace": "remove"})
_MAX_LENGTH = 120
_NUMBER = "(?:0|[1-9][0-9]{0,3})"
_NUMBERS = re.compile(rf"(up|down|last|sum|mod([2-9]|1[0-9])) ({_NUMBER}(?:,{_NUMBER})*)\Z")
_WORDS = re.compile(r"(abc|len) ([a-z]{1,6}(?:,[a-z]{1,6})*)\Z")
_RULES = {"up": 1, "down": 1, "last": 2, "abc": 3, "len": 4, "sum": 5, "mod": 6}
"""How advanced each is, as the knob `rule` counts."""


class Question(NamedTuple):
    """A rule and what it is to sort."""

    rule: str
    modulus: int
    """0 for all rules but mod."""
    items: tuple[str, ...]

    def __str__(self) -> str:
        """In canonical notation."""
        return f"{self.rule}{self.modulus or ''} {','.join(self.items)}"


class Sorting(Environment):
    """Sort a list by a stated rule."""

    name = "sorting"
    summary = "down 5,3,19: sort numbers or words by value, last digit, digit sum, length..."
    instruction = (
        "Sort the list by the rule before it: up (ascending), down (descending), last (by the last "
        "digit), sum (by the sum of the digits), mod7 (by the remainder on division by 7, likewise "
        "for other numbers), abc (words alphabetically), len (words by their length). What a rule "
        "leaves equal ascends by value or alphabetically. The answer is the list, separated by "
        "commas, such as 3,5,19."
    )
    verifier = "text"
    guess_bound = 0.05
    knobs = {
        "items": Knob((4, 5, 5, 6, 7, 8, 9, 10, 12), "items", "longer lists"),
        "rule": Knob(
            (1, 1, 2, 3, 4, 5, 6, 6, 6),
            "kind",
            "1 up and down, 2 last digit, 3 alphabetical, 4 length, 5 digit sum, 6 remainder",
        ),
        "largest": Knob((20, 99, 99, 99, 99, 99, 99, 199, 999), "value", "larger numbers"),
    }

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """Random numbers or words, with any rule that is allowed, mostly one of the latest."""
        rules = [name for name, needed in _RULES.items() if needed <= knobs["rule"]]
        rule = max(rng.choices(rules, k=2), key=lambda name: _RULES[name])
        count = knobs["items"]
        if rule in ("abc", "len"):
            return f"{rule} {','.join(_draft_words(count, rng))}"
        modulus = rng.randint(*MODULI) if rule == "mod" else 0
        items = [str(rng.randint(1, knobs["largest"])) for _ in range(count)]
        return str(Question(rule, modulus, tuple(items)))

    def parse(self, text: str) -> Problem:
        """Read a list with its rule; the gold is the list in order."""
        question = _read(text)
        if len(question.items) < FEWEST:
            raise InvalidProblem(f"trivial: {len(question.items)} items")
        words = question.rule in ("abc", "len")
        level = self.easiest(
            items=len(question.items),
            rule=_RULES[question.rule],
            largest=0 if words else max(map(int, question.items)),
        )
        ordered = _in_order(question)
        if ordered == list(question.items):
            raise InvalidProblem("trivial: in order already")
        return Problem(self.name, level, text, signature=text, gold=",".join(ordered))

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if the answer is the list in order; spaces do not count."""
        return grade_response(_KIND, problem.gold, response)

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """What is compared beside each item, or the items in groups by what is compared first.

        13:4;5:5;40:4 or 4:13,40;5:5 for sum 13,5,40. Numbers are grouped by their tens, or hundreds
        where one has any; words that are to be sorted alphabetically by their first letter.
        """
        question = _read(problem.text)
        computed = question.rule in ("last", "sum", "mod", "len")
        if computed and rng.random() < 0.5:
            worked = [f"{item}:{_first_key(question)(item)}" for item in question.items]
        else:
            worked = _groups(question)
        return f"{';'.join(Pace.draw(rng).skim(worked))}{ANSWER_OPEN}{problem.gold}"

    def estimate(self, problem: Problem) -> float:
        """Pairs of items to compare, with the work that the rule makes of each item."""
        question = _read(problem.text)
        count = len(question.items)
        return float(count * (count - 1) / 2 + count * _RULES[question.rule])

    def mutate(self, problem: Problem, rng: random.Random) -> Problem:
        """Two items exchanged, or one number changed."""
        if rng.random() < 0.5:
            return super().mutate(problem, rng)
        return nearby(self, problem, rng, _exchange)


def _read(text: str) -> Question:
    if len(text) <= _MAX_LENGTH:
        if found := _NUMBERS.match(text):
            rule = "mod" if found[2] else found[1]
            return Question(rule, int(found[2] or 0), tuple(found[3].split(",")))
        if found := _WORDS.match(text):
            return Question(found[1], 0, tuple(found[2].split(",")))
    raise InvalidProblem(f"malformed: {text[:40]!r} is not like 'down 5,3,19' or 'abc be,a,cd'")


def _first_key(question: Question) -> Callable[[str], int]:
    """What the rule computes from an item."""
    match question.rule:
        case "last":
            return lambda item: int(item[-1])
        case "sum":
            return lambda item: sum(map(int, item))
        case "mod":
            return lambda item: int(item) % question.modulus
        case "len":
            return len
    return int


def _in_order(question: Question) -> list[str]:
    if question.rule == "abc":
        return sorted(question.items)
    key = _first_key(question)
    # Words that are equally long are compared as texts, numbers by value.
    tie = str if question.rule == "len" else int
    ordered = sorted(question.items, key=lambda item: (key(item), tie(item)))
    return ordered[::-1] if question.rule == "down" else ordered


def _groups(question: Question) -> list[str]:
    """The items by what is compared first, each group in the order of the list."""
    groups: dict[int | str, list[str]] = {}
    place = max(10, 10 ** (max(map(len, question.items)) - 1))
    for item in question.items:
        match question.rule:
            case "abc":
                key = item[0]
            case "up" | "down":
                key = int(item) // place
            case _:
                key = _first_key(question)(item)
        groups.setdefault(key, []).append(item)
    ordered = sorted(groups.items(), reverse=question.rule == "down")
    return [f"{key}:{','.join(items)}" for key, items in ordered]


def _draft_words(count: int, rng: random.Random) -> list[str]:
    """Random letters; some words share their beginning with an earlier one."""
    words: list[str] = []
    for _ in range(count):
        stem = rng.choice(words)[: rng.randint(1, 3)] if words and rng.random() < STEMS else ""
        length = rng.randint(max(2, len(stem)), LONGEST_WORD)
        words.append(stem + "".join(rng.choices("abcdeghiklmnoprstuw", k=length - len(stem))))
    return words


def _exchange(text: str, rng: random.Random) -> str:
    rule, _, listed = text.partition(" ")
    items = listed.split(",")
    first, second = rng.sample(range(len(items)), 2)
    items[first], items[second] = items[second], items[first]
    return f"{rule} {','.join(items)}"
