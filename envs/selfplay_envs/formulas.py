"""Logic over letters, shared by the environments: a says that a is true, A that it is false.

A clause is a string of such literals, at least one of which holds: aB is "a or not b". Sets of
assignments are integers with a bit for each assignment, so that counting solutions is a few
operations on long integers: all problems have at most ten letters, so 1024 bits.
"""

from collections.abc import Collection, Sequence
from functools import cache
from itertools import combinations, product
from string import ascii_lowercase
from typing import NamedTuple


@cache
def truths(letters: int) -> dict[str, int]:
    """For each literal over the first so many letters, the set of assignments where it holds."""
    count = 1 << letters
    everything = (1 << count) - 1
    found: dict[str, int] = {}
    for index, letter in enumerate(ascii_lowercase[:letters]):
        found[letter] = sum(1 << bits for bits in range(count) if bits >> index & 1)
        found[letter.upper()] = everything ^ found[letter]
    return found


def models(clauses: Sequence[str], letters: int) -> int:
    """The set of assignments in which every clause has a literal that holds."""
    holds = truths(letters)
    found = (1 << (1 << letters)) - 1
    for clause in clauses:
        union = 0
        for literal in clause:
            union |= holds[literal]
        found &= union
    return found


def negated(literals: str) -> str:
    """The opposite of every literal."""
    return literals.swapcase()


def first_letters(text: str) -> str | None:
    """The letters of a text in alphabetical order; None where they are not the first ones."""
    letters = "".join(sorted(set(filter(str.isalpha, text.lower()))))
    return letters if letters == ascii_lowercase[: len(letters)] else None


class Derivation(NamedTuple):
    """What follows clause by clause."""

    literals: tuple[str, ...]
    """In the order in which they were found."""
    clauses: tuple[int, ...]
    """The index of the clause that each follows from."""
    contradiction: bool
    """Whether some clause ended up with no literal that can hold."""


def propagate(clauses: Sequence[str], known: Collection[str]) -> Derivation:
    """Unit propagation: a clause all of whose literals but one are false makes that one true.

    The clauses are gone through from left to right, again and again until nothing is new.
    """
    true = set(known)
    literals: list[str] = []
    reasons: list[int] = []
    news = True
    while news:
        news = False
        for index, clause in enumerate(clauses):
            left = ""
            for literal in clause:
                if literal in true:
                    break
                if literal.swapcase() not in true:
                    left += literal
            else:
                if not left:
                    return Derivation(tuple(literals), tuple(reasons), True)
                if len(left) == 1:
                    true.add(left)
                    literals.append(left)
                    reasons.append(index)
                    news = True
    return Derivation(tuple(literals), tuple(reasons), False)


class Search(NamedTuple):
    """How a search for a solution went."""

    solution: str
    """A literal for each letter, in alphabetical order; empty where none was found."""
    worked: str
    """Everything in order: `a?` supposes a, `!` is a contradiction, after it a is false: A."""
    kept: str
    """The same without what led to contradictions."""
    dead_ends: int
    """How many contradictions were met."""


def search(
    clauses: Sequence[str], letters: str, patience: int, *, upper_first: bool = False
) -> Search:
    """Find a solution by unit propagation and by supposing the first letter that is open.

    Args:
        clauses: to be satisfied.
        letters: all letters, in alphabetical order.
        patience: gives up after more dead ends than that, with the count that it had reached.
        upper_first: suppose that letters are false first.
    """
    worked: list[str] = []
    dead_ends = 0

    def extend(true: dict[str, None], kept: str) -> Search | None:
        nonlocal dead_ends
        derivation = propagate(clauses, true)
        worked.extend(derivation.literals)
        if derivation.contradiction:
            worked.append("!")
            dead_ends += 1
            return None
        true = true | dict.fromkeys(derivation.literals)
        kept += "".join(derivation.literals)
        open_ = next((x for x in letters if x not in true and x.upper() not in true), None)
        if open_ is None:
            solution = "".join(x if x in true else x.upper() for x in letters)
            return Search(solution, "".join(worked), kept, dead_ends)
        first = open_.upper() if upper_first else open_
        for literal, shown in ((first, f"{first}?"), (negated(first), negated(first))):
            if dead_ends > patience:
                break
            worked.append(shown)
            if (found := extend(true | {literal: None}, kept + shown)) is not None:
                return found
        return None

    return extend({}, "") or Search("", "", "", dead_ends)


def prime_clauses(fitting: int, letters: str) -> tuple[str, ...]:
    """The shortest clauses over a few letters that a set of assignments says, all of them.

    Args:
        fitting: assignments to the first letters of the alphabet, up to the last of `letters`.
        letters: those that the set depends on, in alphabetical order.
    """
    holds = truths(ord(letters[-1]) - ord("a") + 1)
    found: list[str] = []
    for width in range(1, len(letters) + 1):
        for chosen in combinations(letters, width):
            for clause in product(*((letter, letter.upper()) for letter in chosen)):
                excluded = fitting
                for literal in clause:
                    excluded &= holds[literal.swapcase()]
                if not excluded and not any(set(clause).issuperset(known) for known in found):
                    found.append("".join(clause))
    return tuple(found)
