"""Entailment: from a>B,c|b,a what is known of each letter? Here a is true, b is false, c is true.

A premise is a literal, a>B "if a then not b", ab>c "if a and b then c", a|b|C "a or b or not c",
or a=B "a exactly if not b"; a letter in upper case is negated. The answer has for each letter in
alphabetical order T where the premises force it to be true, F where they force it to be false, and
? where they leave it open. Premises in another order are read as the canonical ones.
"""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from string import ascii_lowercase
from typing import NamedTuple

from selfplay.grading import declare, grade_response
from selfplay.problem import ANSWER_OPEN, Environment, InvalidProblem, Knob, Problem, Verdict
from selfplay_envs.formulas import first_letters, models, propagate, truths
from selfplay_envs.nearby import flip_letter, nearby
from selfplay_envs.pace import Pace

FACTS = (1, 2)
"""Fewest and most premises that are drafted as single literals, where no case is needed."""
FIRE_SHARE = 0.75
"""Share of drafted rules whose conclusion is to be forced; the others may leave letters open."""

_KIND = declare({"kind": "text"})
_MAX_LENGTH = 120
_L = "[a-jA-J]"
_PREMISE = re.compile(rf"(?:({_L})|({_L}{{1,2}}>{_L})|({_L}(?:\|{_L}){{1,2}})|({_L}={_L}))\Z")


class Premise(NamedTuple):
    """A statement in canonical notation, and what it says as clauses."""

    text: str
    clauses: tuple[str, ...]


class Line(NamedTuple):
    """A step of a derivation."""

    shown: str
    """With the premise it comes from, or with the supposition that fails."""
    literal: str
    """What is known after it."""


class Entailment(Environment):
    """Say of each letter whether the premises force it."""

    name = "entailment"
    summary = "a>B,c|b,a: which letters do the premises make true, false, or leave open?"
    instruction = (
        "The premises are separated by commas. A letter says that it is true, in upper case that "
        "it is false; a>B means if a then not b, ab>c if a and b then c, a|b means a or b (or "
        "both), a=B means a exactly if not b. For each letter in alphabetical order answer T if it "
        "must be true, F if it must be false, ? if it can be either; for example TF?."
    )
    verifier = "text"
    guess_bound = 0.1
    crowded = 1
    knobs = {
        "letters": Knob((4, 4, 5, 5, 5, 6, 7, 8, 10), "letters", "more letters"),
        "premises": Knob((4, 5, 5, 6, 7, 8, 10, 12, 16), "premises", "more premises"),
        "width": Knob((2, 2, 2, 2, 3, 3, 3, 3, 3), "letters", "wider premises"),
        "cases": Knob((0, 0, 0, 1, 1, 1, 2, 3, 5), "cases", "letters forced by contradiction"),
    }

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """Facts, and rules that hold for random values."""
        letters = ascii_lowercase[: knobs["letters"]]
        secret = {x: rng.choice((x, x.upper())) for x in letters}
        most = knobs["premises"]
        facts = rng.randint(*FACTS) if knobs["cases"] == 0 else rng.randint(0, 1)
        known = rng.sample(letters, min(facts, len(letters)))
        premises = [secret[x] for x in known]
        waiting = [x for x in letters if x not in known]
        rng.shuffle(waiting)
        while len(premises) < most:
            if waiting and known and rng.random() < FIRE_SHARE:
                target = waiting.pop()
                width = min(rng.randint(2, knobs["width"]), len(known) + 1)
                causes = rng.sample(known, width - 1)
                premises.append(_rule([secret[x] for x in causes], secret[target], rng))
                known.append(target)
            else:
                width = rng.randint(2, knobs["width"])
                *causes, target = (secret[x] for x in rng.sample(letters, width))
                causes = [rng.choice((x, x.swapcase())) for x in causes]
                if any(cause not in secret.values() for cause in causes) and rng.random() < 0.5:
                    target = target.swapcase()
                premises.append(_rule(causes, target, rng))
        return ",".join(premises)

    def parse(self, text: str) -> Problem:
        """Read premises in any order; the gold is what all assignments that fit agree on."""
        premises = _read(text)
        letters = first_letters(text)
        if letters is None:
            raise InvalidProblem(f"not canonical: the letters of {text[:40]!r} are not a, b, c...")
        demands = {
            "letters": len(letters),
            "premises": len(premises),
            "width": max(sum(map(str.isalpha, premise.text)) for premise in premises),
        }
        self.easiest(**demands, cases=0)
        fitting = models([c for premise in premises for c in premise.clauses], len(letters))
        if fitting == 0:
            raise InvalidProblem("no solution: the premises contradict each other")
        holds = truths(len(letters))
        forced = {x for x in holds if not fitting & holds[x.swapcase()]}
        if all(literal in {premise.text for premise in premises} for literal in forced):
            raise InvalidProblem("trivial: nothing follows but the single letters themselves")
        lines = _derive(premises, letters)
        if len(lines) + sum(len(premise.text) == 1 for premise in premises) < len(forced):
            raise InvalidProblem("beyond the top level: a supposition within a supposition")
        level = self.easiest(**demands, cases=sum("!" in line.shown for line in lines))
        text = ",".join(premise.text for premise in premises)
        gold = "".join("T" if x in forced else "F" if x.upper() in forced else "?" for x in letters)
        return Problem(self.name, level, text, signature=text, gold=gold)

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if every letter is."""
        return grade_response(_KIND, problem.gold, response)

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """One letter after the other: a>B:B;c|b:c for a>B,c|b,a, or only B;c.

        A letter that is forced by contradiction is shown with what its opposite leads to, d?eF!D.
        Goes through the premises from either end.
        """
        premises = _read(problem.text)
        if rng.random() < 0.5:
            premises.reverse()
        lines = _derive(premises, ascii_lowercase[: len(problem.gold)])
        if rng.random() < 0.5:
            worked = [line.shown for line in lines]
        else:
            worked = [line.shown if "!" in line.shown else line.literal for line in lines]
        return f"{';'.join(Pace.draw(rng).skim(worked))}{ANSWER_OPEN}{problem.gold}"

    def mutate(self, problem: Problem, rng: random.Random) -> Problem:
        """One literal negated."""
        return nearby(self, problem, rng, flip_letter)


def _read(text: str) -> list[Premise]:
    """The premises, each once and in canonical order."""
    if len(text) > _MAX_LENGTH:
        raise InvalidProblem(f"malformed: more than {_MAX_LENGTH} characters")
    premises = {_premise(part) for part in text.split(",")}
    return sorted(premises, key=lambda premise: (premise.text.lower(), premise.text))


def _premise(text: str) -> Premise:
    found = _PREMISE.match(text)
    if found is None:
        raise InvalidProblem(f"malformed: {text[:40]!r} is no premise like a, a>B, ab>c, a|b, a=B")
    fact, rule, either, same = found.groups()
    literals = [character for character in text if character.isalpha()]
    if len({literal.lower() for literal in literals}) < len(literals):
        raise InvalidProblem(f"malformed: a letter twice in the premise {text}")
    if fact:
        return Premise(text, (text,))
    if rule:
        *causes, target = literals
        causes.sort(key=str.lower)
        clause = "".join((*causes, target.swapcase())).swapcase()
        return Premise(f"{''.join(causes)}>{target}", (clause,))
    literals.sort(key=str.lower)
    if either:
        return Premise("|".join(literals), ("".join(literals),))
    first, second = (x.swapcase() for x in literals) if literals[0].isupper() else literals
    return Premise(f"{first}={second}", (first.swapcase() + second, first + second.swapcase()))


def _derive(premises: Sequence[Premise], letters: str) -> list[Line]:
    """Everything that follows but the facts: clause by clause, then by a supposition that fails."""
    sources = [premise for premise in premises for _ in premise.clauses]
    clauses = [clause for premise in premises for clause in premise.clauses]
    lines: list[Line] = []
    known = {premise.text: None for premise in premises if len(premise.text) == 1}
    while True:
        derivation = propagate(clauses, known)
        for literal, index in zip(derivation.literals, derivation.clauses, strict=True):
            lines.append(Line(f"{sources[index].text}:{literal}", literal))
            known[literal] = None
        refuted = next(_refuted(clauses, known, letters), None)
        if refuted is None:
            return lines
        lines.append(refuted)
        known[refuted.literal] = None


def _refuted(clauses: Sequence[str], known: dict[str, None], letters: str) -> Iterator[Line]:
    """Suppositions that lead to a contradiction, in alphabetical order."""
    for letter in letters:
        if letter in known or letter.upper() in known:
            continue
        for literal in (letter, letter.upper()):
            derivation = propagate(clauses, known | {literal: None})
            if derivation.contradiction:
                opposite = literal.swapcase()
                yield Line(f"{literal}?{''.join(derivation.literals)}!{opposite}", opposite)


def _rule(causes: Sequence[str], target: str, rng: random.Random) -> str:
    """If all the causes hold then so does the target, in one of the ways to say it."""
    clause = [*(cause.swapcase() for cause in causes), target]
    rng.shuffle(clause)
    if rng.random() < 0.3:
        return "|".join(clause)
    if len(clause) == 2 and rng.random() < 0.2:
        return f"{causes[0]}={target}"
    *given, concluded = clause
    return f"{''.join(given).swapcase()}>{concluded}"
