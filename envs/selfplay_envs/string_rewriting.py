"""String rewriting: aabb:ab>ba,bb>b rewrites aabb until no rule applies; here to baa.

In every step the first rule whose left side occurs anywhere is applied, at its leftmost occurrence.
Letters are named in the order in which they first occur in the text; other names are read as these.
A text that is not finished after as many steps as the top level allows is refused.
"""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from string import ascii_lowercase

from selfplay.grading import declare, grade_response
from selfplay.problem import ANSWER_OPEN, Environment, InvalidProblem, Knob, Problem, Verdict
from selfplay_envs.nearby import nearby
from selfplay_envs.pace import Pace

SHORTEST = 3
"""Shortest result: of shorter ones there are so few that a guess is right too often."""
MOST_LETTERS = 4
"""Most different letters."""
DRAFTS = 8
"""Strings with rules that a draft tries for one with enough steps."""
LEAST_SHARE = 0.6
"""Least steps of a draft, as a share of those allowed."""
RANDOM_SHARE = 0.3
"""Share of drafted rules whose left side need not occur in the string."""

_KIND = declare({"kind": "text"})
_MAX_LENGTH = 80
_SIDE = "[a-z]{1,4}"
_TEXT = re.compile(rf"([a-z]{{2,40}}):({_SIDE}>{_SIDE}(?:,{_SIDE}>{_SIDE})*)\Z")

Rule = tuple[str, str]
"""What is replaced, and by what."""


class StringRewriting(Environment):
    """Rewrite a string by rules until none applies."""

    name = "string_rewriting"
    summary = "abbab:ab>ba,bb>a: rewrite the string by the rules until none applies"
    instruction = (
        "Rewrite the string before the colon by the rules after it; ab>ba replaces ab by ba. In "
        "each step apply the first rule in the list whose left side occurs anywhere in the string, "
        "once, at its leftmost occurrence; stop when no rule applies. The answer is the final "
        "string."
    )
    verifier = "text"
    guess_bound = 0.05
    knobs = {
        "length": Knob((6, 7, 8, 8, 9, 10, 11, 11, 12), "letters", "longer strings"),
        "rules": Knob((2, 2, 2, 3, 3, 3, 3, 4, 4), "rules", "more rules"),
        "steps": Knob((2, 2, 3, 4, 5, 6, 7, 8, 9), "steps", "more steps"),
        "longest": Knob((7, 8, 9, 9, 10, 11, 12, 12, 13), "letters", "longer strings on the way"),
    }

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """A random string with random rules that take about as many steps as are allowed."""
        text = ""
        for _ in range(DRAFTS):
            letters = ascii_lowercase[: rng.randint(2, MOST_LETTERS)]
            start = "".join(rng.choices(letters, k=knobs["length"]))
            rules = _draft_rules(start, letters, knobs["rules"], rng)
            text = _canonical(start, rules)
            steps = sum(1 for _ in islice(_steps(start, rules), knobs["steps"] + 1))
            if knobs["steps"] * LEAST_SHARE <= steps <= knobs["steps"]:
                break
        return text

    def parse(self, text: str) -> Problem:
        """Read a string and rules, name their letters in order; the gold is the final string."""
        start, rules = _read(text)
        self.easiest(length=len(start), rules=len(rules), steps=0, longest=0)
        for index, rule in enumerate(rules):
            if reason := _useless(rule, rules[:index]):
                raise InvalidProblem(f"trivial: {reason}")
        most = self.knobs["steps"].values[-1]
        strings = [start, *islice(_steps(start, rules), most + 1)]
        level = self.easiest(
            length=len(start),
            rules=len(rules),
            steps=len(strings) - 1,
            longest=max(map(len, strings)),
        )
        gold = strings[-1]
        if len(strings) < 3:
            raise InvalidProblem("trivial: less than two steps")
        if len(gold) < SHORTEST:
            raise InvalidProblem(f"trivial: {gold} is left, a result of less than {SHORTEST}")
        if len(set(gold)) == 1:
            raise InvalidProblem(f"trivial: the result {gold} is one letter again and again")
        if gold in start:
            raise InvalidProblem(f"trivial: the result {gold} stands in {start}")
        text = _canonical(start, rules)
        return Problem(self.name, level, text, signature=text, gold=gold)

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if the answer is the final string."""
        return grade_response(_KIND, problem.gold, response)

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """The string after each step, with the number of the rule before it or without.

        2abaa;1baa or abaa;baa.
        """
        start, rules = _read(problem.text)
        worked = list(_steps(start, rules))
        if rng.random() < 0.5:
            before = [start, *worked]
            numbers = [_applicable(string, rules) for string in before[:-1]]
            worked = [
                f"{number + 1}{after}"
                for number, after in zip(numbers, worked, strict=True)
                if number is not None
            ]
        return f"{';'.join(Pace.draw(rng).skim(worked))}{ANSWER_OPEN}{problem.gold}"

    def estimate(self, problem: Problem) -> float:
        """Letters of all strings on the way, each looked at once for each rule."""
        start, rules = _read(problem.text)
        return float(sum(map(len, _steps(start, rules))) * len(rules))

    def mutate(self, problem: Problem, rng: random.Random) -> Problem:
        """One letter replaced by another."""
        return nearby(self, problem, rng, _replace_letter)


def _read(text: str) -> tuple[str, list[Rule]]:
    """The string and the rules, their letters named in order."""
    if len(text) > _MAX_LENGTH or not _TEXT.match(text):
        raise InvalidProblem(f"malformed: {text[:40]!r} is not like 'abbab:ab>ba,bb>a'")
    names: dict[str, str] = {}
    for letter in filter(str.isalpha, text):
        names.setdefault(letter, ascii_lowercase[len(names)])
    if len(names) > MOST_LETTERS:
        raise InvalidProblem(f"beyond the top level: {len(names)} different letters")
    start, _, rules = text.translate(str.maketrans(names)).partition(":")
    return start, [(left, right) for left, _, right in (x.partition(">") for x in rules.split(","))]


def _canonical(start: str, rules: Sequence[Rule]) -> str:
    return f"{start}:{','.join(f'{left}>{right}' for left, right in rules)}"


def _useless(rule: Rule, before: Sequence[Rule]) -> str | None:
    """Why a rule is none, if so."""
    left, right = rule
    if left in right:
        return f"{left}>{right} can be applied for ever"
    earlier = next((other for other, _ in before if other in left), None)
    return earlier and f"the rule for {left} never comes after that for {earlier}"


def _applicable(string: str, rules: Sequence[Rule]) -> int | None:
    """The index of the first rule whose left side occurs."""
    return next((index for index, (left, _) in enumerate(rules) if left in string), None)


def _steps(start: str, rules: Sequence[Rule]) -> Iterator[str]:
    """The string after each step; may go on for ever."""
    string = start
    while (index := _applicable(string, rules)) is not None:
        string = string.replace(*rules[index], 1)
        yield string


def _draft_rules(start: str, letters: str, count: int, rng: random.Random) -> list[Rule]:
    rules: list[Rule] = []
    for _ in range(3 * count):  # all left sides of one letter: there may be no more rules
        rule = _draft_rule(start, letters, rng)
        if len(rules) < count and not _useless(rule, rules):
            rules.append(rule)
    return rules


def _draft_rule(start: str, letters: str, rng: random.Random) -> Rule:
    """A rule for a piece of the string, or for random letters; mostly not longer on the right."""
    size = rng.choice((1, 2, 2, 2, 3))
    place = rng.randrange(len(start) - size + 1)
    left = start[place : place + size]
    if rng.random() < RANDOM_SHARE:
        left = "".join(rng.choices(letters, k=size))
    right = "".join(rng.choices(letters, k=max(1, size + rng.choice((-1, 0, 0, 0, 1)))))
    return left, right


def _replace_letter(text: str, rng: random.Random) -> str:
    place = rng.choice([index for index, x in enumerate(text) if x.isalpha()])
    letters = sorted(set(filter(str.isalpha, text)))
    return f"{text[:place]}{rng.choice(letters)}{text[place + 1 :]}"
