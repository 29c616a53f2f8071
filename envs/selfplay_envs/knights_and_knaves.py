"""Knights and knaves: in a:b=C,b:A|c,c:b each of a, b, c makes one statement; who lies?

Knights say the truth and knaves do not. A letter in a statement says that its person is a knight,
in upper case a knave. b=C says that both or neither hold; & and | join two or three letters. The
answer has a K for each knight and an N for each knave, in alphabetical order. Exactly one answer
must be possible. Statements about the same letters in another order are read as the canonical one.
"""

import random
import re
from collections.abc import Mapping
from functools import lru_cache
from string import ascii_lowercase
from typing import NamedTuple

from selfplay.grading import declare, grade_response
from selfplay.problem import ANSWER_OPEN, Environment, InvalidProblem, Knob, Problem, Verdict
from selfplay_envs.formulas import Search, first_letters, models, prime_clauses, search, truths
from selfplay_envs.nearby import flip_letter, nearby
from selfplay_envs.pace import Pace

SELF_SHARE = 0.15
"""Share of drafted compound statements in which the speaker may stand."""

_KIND = declare({"kind": "text"})
_MAX_LENGTH = 100
_STATEMENT = re.compile(r"([a-j]):([a-jA-J](?:=[a-jA-J]|(?:&[a-jA-J]){0,2}|(?:\|[a-jA-J]){0,2}))\Z")


class Statement(NamedTuple):
    """What one person says."""

    speaker: str
    joined: str
    """Either = or & or |, empty for a single letter."""
    literals: str
    """In alphabetical order, lower case for a knight."""

    def __str__(self) -> str:
        """In canonical notation."""
        return f"{self.speaker}:{self.joined.join(self.literals)}"


class KnightsAndKnaves(Environment):
    """Find out who lies."""

    name = "knights_and_knaves"
    summary = "a:b=C,b:A|c,c:b: who of a, b, c is a knight, who a knave, from what each says"
    instruction = (
        "Every person is a knight, whose statement is true, or a knave, whose statement is false. "
        "a:B is person a saying that b is a knave, a:b that b is a knight; & means and, | means or "
        "(or both), and b=C that b is a knight exactly if c is a knave. The answer has a letter "
        "for each person in alphabetical order, K for a knight and N for a knave, such as KNN."
    )
    verifier = "text"
    guess_bound = 0.2
    crowded = 1
    knobs = {
        "people": Knob((3, 4, 4, 5, 5, 6, 7, 8, 10), "people", "more people"),
        "compound": Knob((2, 2, 4, 3, 5, 4, 7, 8, 10), "statements", "more compound statements"),
        "width": Knob((2, 2, 2, 2, 2, 2, 3, 3, 3), "letters", "wider statements"),
        "dead_ends": Knob((1, 2, 2, 3, 3, 4, 5, 7, 12), "dead ends", "suppositions that fail"),
    }

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """Random statements; about one text in three has exactly one solution."""
        people = ascii_lowercase[: knobs["people"]]
        compound = set(rng.sample(people, min(knobs["compound"], len(people))))
        said = [
            _compound(speaker, people, knobs["width"], rng)
            if speaker in compound
            else Statement(speaker, "", _signed(rng.choice(people.replace(speaker, "")), rng))
            for speaker in people
        ]
        return ",".join(map(str, said))

    def parse(self, text: str) -> Problem:
        """Read what everybody says; the gold is the only assignment that fits."""
        statements = _read(text)
        demands = {
            "people": len(statements),
            "compound": sum(statement.joined != "" for statement in statements),
            "width": max(len(statement.literals) for statement in statements),
        }
        self.easiest(**demands, dead_ends=0)
        fitting = models((), len(statements))
        for statement in statements:
            fitting &= _fitting(statement, len(statements))
        if fitting == 0:
            raise InvalidProblem("no solution: the statements cannot all fit their speakers")
        if fitting & (fitting - 1):
            raise InvalidProblem(f"not unique: {fitting.bit_count()} assignments fit")
        found, other = (_search(statements, upper_first) for upper_first in (False, True))
        level = self.easiest(**demands, dead_ends=max(found.dead_ends, other.dead_ends))
        text = ",".join(map(str, statements))
        return Problem(self.name, level, text, signature=text, gold=_answer(found.solution))

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if it is the only assignment that fits."""
        return grade_response(_KIND, problem.gold, response)

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """What follows, with suppositions: a?b!ABc says that a as a knight fails, so A, B, c.

        Supposes knights first, or knaves.
        """
        found = _search(_read(problem.text), rng.random() < 0.5)
        worked = {Pace.CAREFUL: found.worked, Pace.BRISK: found.kept, Pace.AT_A_GLANCE: ""}
        return f"{worked[Pace.draw(rng)]}{ANSWER_OPEN}{problem.gold}"

    def mutate(self, problem: Problem, rng: random.Random) -> Problem:
        """One letter of a statement negated."""
        return nearby(self, problem, rng, flip_letter)


def _read(text: str) -> list[Statement]:
    """The statements in canonical form, in order of their speakers."""
    statements: list[Statement] = []
    for part in text.split(",") if len(text) <= _MAX_LENGTH else [text]:
        found = _STATEMENT.match(part)
        if found is None:
            raise InvalidProblem(f"malformed: {text[:40]!r} is not like 'a:b=C,b:A|c,c:b'")
        joined = found[2][1:2]
        literals = "".join(
            sorted(found[2].replace(joined, "") if joined else found[2], key=str.lower)
        )
        if joined == "=" and literals[0].isupper():  # B=c says the same as b=C
            literals = literals.swapcase()
        if len(set(literals.lower())) < len(literals):
            raise InvalidProblem(f"malformed: a letter twice in the statement {part[:40]}")
        if literals.lower() == found[1]:
            raise InvalidProblem(f"trivial: {found[1]} speaks of nobody else")
        statements.append(Statement(found[1], joined, literals))
    letters = first_letters(text)
    if letters is None or [statement.speaker for statement in statements] != list(letters):
        raise InvalidProblem("not canonical: each of a, b, c... speaks once, in that order")
    if len(statements) < 2:
        raise InvalidProblem("trivial: one person")
    return statements


@lru_cache(maxsize=16_384)
def _fitting(statement: Statement, people: int) -> int:
    """The set of assignments in which the speaker is a knight exactly if the statement is true."""
    holds = truths(people)
    first, *rest = (holds[literal] for literal in statement.literals)
    for other in rest:
        match statement.joined:
            case "&":
                first &= other
            case "|":
                first |= other
            case _:
                first = models((), people) ^ first ^ other
    return models((), people) ^ first ^ holds[statement.speaker]


@lru_cache(maxsize=16_384)
def _clauses(statement: Statement) -> tuple[str, ...]:
    """What the statement and its speaker tell, as clauses."""
    people = max(statement.speaker + statement.literals.lower())
    letters = "".join(sorted({statement.speaker, *statement.literals.lower()}))
    return prime_clauses(_fitting(statement, ord(people) - ord("a") + 1), letters)


def _search(statements: list[Statement], upper_first: bool) -> Search:
    clauses = [clause for statement in statements for clause in _clauses(statement)]
    letters = "".join(statement.speaker for statement in statements)
    patience = KnightsAndKnaves.knobs["dead_ends"].values[-1]
    return search(clauses, letters, patience, upper_first=upper_first)


def _compound(speaker: str, people: str, width: int, rng: random.Random) -> Statement:
    """A random statement about two or more."""
    about = people if rng.random() < SELF_SHARE else people.replace(speaker, "")
    size = rng.randint(2, min(width, len(about)))
    chosen = "".join(_signed(person, rng) for person in sorted(rng.sample(about, size)))
    return Statement(speaker, rng.choice("=&|" if size == 2 else "&|"), chosen)


def _signed(person: str, rng: random.Random) -> str:
    return rng.choice((person, person.upper()))


def _answer(solution: str) -> str:
    return "".join("K" if literal.islower() else "N" for literal in solution)
