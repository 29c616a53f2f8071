"""Equations and inequalities as answers: equal if one is a constant multiple of the other.

Fed by declare. `y = 2x + 1`, `2x - y + 1 = 0` and `2y = 4x + 2` are one line; an inequality keeps
its direction under positive factors only. A gold that is solved for its one unknown (`x = 2 or
x = -3`, `x > 3`) stands for its solution set, and the answer must be solved too: see realsets.py.
What this does not do: multiply by expressions (y = x^2 and y/x = x differ), solve, systems.
"""

import hashlib
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, ClassVar

from selfplay.grading.answers import AnswerError
from selfplay.grading.kinds.kind import Reader, plain
from selfplay.grading.kinds.layout import relations, split
from selfplay.grading.kinds.realsets import RealSet
from selfplay.grading.mathematics import equality, numeric
from selfplay.grading.mathematics.notation import read
from selfplay.grading.mathematics.trees import (
    Negate,
    Number,
    Product,
    Sum,
    Tree,
    substituted,
    variables,
)
from selfplay.grading.mathematics.trial import Trial
from selfplay.problem import Outcome

_TURNED = {">": "<", ">=": "<=", "<": "<", "<=": "<=", "=": "=", "!=": "!="}


@dataclass(frozen=True)
class Relation:
    """`difference` stands in the relation to 0."""

    relation: str
    """One of = != < <=."""
    difference: Tree
    """The greater side minus the smaller one."""


@dataclass(frozen=True)
class Equation(Reader):
    """One equation or inequality between expressions."""

    name: ClassVar[str] = "equation"

    variables: tuple[str, ...] | None = None
    """The unknowns that may occur; None: those of the gold."""
    solved: bool = False
    """Whether a gold with one unknown must be solved for it, as that of a solution set must."""

    def prepare(self, gold: str) -> tuple[Reader, Any]:
        """The set of solutions if the gold is solved for one unknown, else this kind.

        Raises:
            AnswerError: it is no relation, or it has no unknown.
        """
        alone = self.variables[0] if self.variables and len(self.variables) == 1 else None
        try:
            return RealSet(alone).prepare(gold)
        except AnswerError:
            relation = self.read(gold)
        names = variables(relation.difference)
        if not names or (self.solved and len(names) == 1):
            raise AnswerError("not an equation", f"{gold[:40]!r} has no unknown")
        return replace(self, variables=self.variables or tuple(sorted(names))), relation

    def read(self, text: str) -> Relation:
        """The relation, all on one side."""
        text = plain(text)
        if len(split(text, ",", ";", "or", "and")) > 1:
            raise AnswerError("several values", f"{text[:40]!r} is a list", Outcome.AMBIGUOUS)
        sides, found = relations(text)
        if len(found) > 1:
            raise AnswerError("several values", f"{text[:40]!r} is a chain", Outcome.AMBIGUOUS)
        if not found or found[0] not in _TURNED:
            raise AnswerError("not an equation", f"{text[:40]!r} has no = or < or >")
        names = None if self.variables is None else frozenset(self.variables)
        left, right = read(sides[0], names), read(sides[1], names)
        if found[0] in (">", ">="):
            left, right = right, left
        return Relation(_TURNED[found[0]], Sum((left, Negate(right))))

    def same(self, expected: Relation, given: Relation, trial: Trial) -> bool:
        """Whether one is a constant multiple of the other, by one more random point."""
        if expected.relation != given.relation:
            return False
        names = sorted(variables(expected.difference) | variables(given.difference))
        point = {name: Number(_coordinate(trial.seed, name)) for name in names}
        one, other = substituted(expected.difference, point), substituted(given.difference, point)
        zero = Number(0)
        if equality.equal(one, zero, trial) or equality.equal(other, zero, trial):
            return False
        if not equality.equal(
            Product((expected.difference, other), ()), Product((given.difference, one), ()), trial
        ):
            return False
        if expected.relation in ("=", "!="):
            return True
        return numeric.compare(one, zero, trial) == numeric.compare(other, zero, trial)


def _coordinate(seed: bytes, name: str) -> Fraction:
    """A number between 0 and 2."""
    block = hashlib.blake2b(seed + name.encode(), digest_size=6).digest()
    return Fraction(2 * int.from_bytes(block, "big") + 1, 2**48)
