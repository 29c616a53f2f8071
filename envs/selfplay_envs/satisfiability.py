"""Satisfiability: aB,bc,AC asks for values with (a or not b), (b or c), (not a or not c); here 110.

A clause is a string of letters; in upper case a letter is meant to be false. The answer has a 1 or
a 0 for each letter in alphabetical order; any that satisfies every clause counts. Clauses that too
many assignments satisfy are refused, as a guess would do. In the canonical text the letters of a
clause ascend, and so do the clauses; other orders are read as that one.
"""

import random
import re
from collections.abc import Mapping
from string import ascii_lowercase

from selfplay.grading import AnswerError, final_answer, unreadable
from selfplay.problem import (
    ANSWER_OPEN,
    Environment,
    InvalidProblem,
    Knob,
    Outcome,
    Problem,
    Verdict,
)
from selfplay_envs.formulas import first_letters, models, search
from selfplay_envs.nearby import flip_letter, nearby
from selfplay_envs.pace import Pace

RAREST = 8
"""One assignment in so many, at most, may be a solution."""
CANDIDATES = 3
"""Random clauses of which a draft takes the one that leaves the fewest solutions."""
UNIT_SHARE = 0.3
"""Share of one-letter clauses among the candidates, where no supposition is to fail."""
WIDE_SHARE = 0.7
"""Share of clauses of the greatest width among the others."""

_MAX_LENGTH = 120
_CLAUSE = "[a-jA-J]{1,8}"
_TEXT = re.compile(rf"{_CLAUSE}(?:,{_CLAUSE})*\Z")
_ANSWER = re.compile(r"[01]{1,10}\Z")


class Satisfiability(Environment):
    """Find values of letters that satisfy every clause."""

    name = "satisfiability"
    summary = "aB,bc,AC: values of a, b, c that satisfy every clause; upper case means false"
    instruction = (
        "Give each letter a value so that every clause holds. Clauses are separated by commas; a "
        "clause holds if one of its lower-case letters is 1 or one of its upper-case letters is 0. "
        "The answer has the values of all letters in alphabetical order, such as 101 for a=1, b=0, "
        "c=1."
    )
    verifier = "certificate"
    unique = False
    guess_bound = 0.15
    crowded = 1
    knobs = {
        "letters": Knob((4, 5, 5, 5, 6, 6, 7, 8, 10), "letters", "more letters"),
        "clauses": Knob((5, 6, 7, 8, 9, 11, 14, 18, 26), "clauses", "more clauses"),
        "width": Knob((2, 2, 2, 3, 3, 3, 3, 3, 3), "letters", "wider clauses"),
        "dead_ends": Knob((0, 0, 1, 1, 2, 3, 4, 6, 12), "dead ends", "suppositions that fail"),
    }

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """Clauses that hold for random values, each chosen to leave few solutions."""
        letters, width = knobs["letters"], knobs["width"]
        secret = [rng.choice((x, x.upper())) for x in ascii_lowercase[:letters]]
        share = UNIT_SHARE if knobs["dead_ends"] == 0 else 0.0
        left = models((), letters)
        clauses: list[str] = []
        for _ in range(knobs["clauses"]):
            candidates = [_clause(secret, width, share, rng) for _ in range(CANDIDATES)]
            kept = [left & models((clause,), letters) for clause in candidates]
            best = min(range(CANDIDATES), key=lambda index: kept[index].bit_count())
            left = kept[best]
            clauses.append(candidates[best])
        return ",".join(clauses)

    def parse(self, text: str) -> Problem:
        """Read clauses in any order; the gold is the first solution of a search."""
        clauses = _read(text)
        letters = first_letters(text)
        if letters is None:
            raise InvalidProblem(f"not canonical: the letters of {text[:40]!r} are not a, b, c...")
        demands = {
            "letters": len(letters),
            "clauses": len(clauses),
            "width": max(map(len, clauses)),
        }
        self.easiest(**demands, dead_ends=0)  # bounds the search
        if demands["width"] == 1:
            raise InvalidProblem(f"trivial: {text[:40]!r} tells every value")
        solutions = models(clauses, len(letters)).bit_count()
        if solutions == 0:
            raise InvalidProblem(f"no solution: {text[:40]!r} contradicts itself")
        if solutions * RAREST > 1 << len(letters):
            raise InvalidProblem(
                f"trivial: {solutions} of {1 << len(letters)} assignments are solutions"
            )
        patience = self.knobs["dead_ends"].values[-1]
        found = search(clauses, letters, patience)
        other = search(clauses, letters, patience, upper_first=True)
        level = self.easiest(**demands, dead_ends=max(found.dead_ends, other.dead_ends))
        text = ",".join(clauses)
        return Problem(self.name, level, text, signature=text, gold=_digits(found.solution))

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if every clause holds."""
        try:
            clauses = _read(problem.text)
        except InvalidProblem:
            return Verdict(Outcome.ERROR, "unreadable problem")
        try:
            answer = final_answer(response)
        except AnswerError as error:
            return unreadable(error)
        if not _ANSWER.match(answer):
            return Verdict(Outcome.UNPARSABLE, "not digits 0 and 1")
        if len(answer) != len(problem.gold):
            return Verdict(Outcome.WRONG, "other number of letters")
        true = {
            x if value == "1" else x.upper()
            for x, value in zip(ascii_lowercase, answer, strict=False)
        }
        if all(true.intersection(clause) for clause in clauses):
            return Verdict(Outcome.CORRECT, "satisfied")
        return Verdict(Outcome.WRONG, "a clause fails")

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """What follows letter by letter, with suppositions: a?b!AbC says that a fails, so A, b, C.

        Supposes values 1 first, or values 0.
        """
        clauses = _read(problem.text)
        letters = ascii_lowercase[: len(problem.gold)]
        patience = self.knobs["dead_ends"].values[-1]
        found = search(clauses, letters, patience, upper_first=rng.random() < 0.5)
        worked = {Pace.CAREFUL: found.worked, Pace.BRISK: found.kept, Pace.AT_A_GLANCE: ""}
        return f"{worked[Pace.draw(rng)]}{ANSWER_OPEN}{_digits(found.solution)}"

    def mutate(self, problem: Problem, rng: random.Random) -> Problem:
        """One literal negated."""
        return nearby(self, problem, rng, flip_letter)


def _read(text: str) -> list[str]:
    """The clauses, each once and in canonical order."""
    if len(text) > _MAX_LENGTH or not _TEXT.match(text):
        raise InvalidProblem(f"malformed: {text[:40]!r} is not like 'aB,bc,AC'")
    clauses = {"".join(sorted(clause, key=str.lower)) for clause in text.split(",")}
    for clause in clauses:
        if len(set(clause.lower())) < len(clause):
            raise InvalidProblem(f"malformed: a letter twice in the clause {clause}")
    return sorted(clauses, key=lambda clause: (clause.lower(), clause))


def _clause(secret: list[str], width: int, unit_share: float, rng: random.Random) -> str:
    """A random clause, at least one literal of which is among the secret ones."""
    size = width if rng.random() < WIDE_SHARE else 2
    if rng.random() < unit_share:
        size = 1
    chosen = sorted(rng.sample(range(len(secret)), size))
    held = rng.choice(chosen)
    return "".join(
        secret[x] if x == held or rng.random() < 0.5 else secret[x].swapcase() for x in chosen
    )


def _digits(solution: str) -> str:
    return "".join("1" if literal.islower() else "0" for literal in solution)
