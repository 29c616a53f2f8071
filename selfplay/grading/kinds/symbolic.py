"""Kinds with one value that may hold unknowns: expression, polynomial.

Made by declarations.py; an extension of the numbers of scalars.py. What two expressions being equal
rests on is in mathematics/equality.py.
"""

import re
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from selfplay.grading.answers import AnswerError
from selfplay.grading.kinds.kind import Reader
from selfplay.grading.kinds.scalars import Scalar
from selfplay.grading.kinds.units import is_angle
from selfplay.grading.mathematics import equality, numeric, proof
from selfplay.grading.mathematics.notation import read
from selfplay.grading.mathematics.trees import (
    LEAVES,
    Constant,
    Negate,
    Number,
    Power,
    Product,
    Sum,
    Tree,
    functions,
    nodes,
    variables,
)
from selfplay.grading.mathematics.trial import Trial

_INFINITY, _IMAGINARY = Constant("infinity"), Constant("i")
_CAPITAL_I = re.compile(r"(?<![A-Za-z\\])I(?![A-Za-z])")


@dataclass(frozen=True)
class Expression(Scalar):
    """An expression, equal if it has the same value wherever the gold has one."""

    name: ClassVar[str] = "expression"

    variables: tuple[str, ...] | None = None
    """The unknowns that may occur; None: those of the gold, and any other makes it wrong."""
    domain: numeric.Domain = numeric.ANYWHERE
    """Where the unknowns are."""
    functions: tuple[str, ...] | None = None
    """The functions that may occur, sqrt among them; None: any. With () sin(pi/6) is refused."""
    capital_i: bool = False
    """Whether I is the imaginary unit, as sympy writes it: where the gold has i and no I."""
    prove: bool = False
    """Whether sympy has to prove what agrees at random points; without a proof, a timeout."""

    def prepare(self, gold: str) -> tuple[Reader, Tree]:
        """This kind with the unknowns of the gold, unless they were declared, and its tree.

        Raises:
            AnswerError: it has no value, or unknowns that were not declared.
        """
        if not self.unit and is_angle(gold):
            return replace(self, unit=("°", "degrees")).prepare(gold)
        tree = self.read(gold)
        names = variables(tree)
        if self.variables is not None and not names <= set(self.variables):
            raise AnswerError("undeclared", f"unknowns of {gold[:40]!r} that are not declared")
        if not has_value(tree, self.domain):
            raise AnswerError("undefined", f"{gold[:40]!r} has no value")
        kind = self if self.variables is not None else self.with_unknowns(names)
        imaginary = _IMAGINARY in nodes(tree) and "I" not in names
        return (replace(kind, capital_i=True) if imaginary else kind), tree

    def with_unknowns(self, names: frozenset[str]) -> Self:
        """This kind for the given unknowns; unchanged if there are none."""
        return replace(self, variables=tuple(sorted(names))) if names else self

    def read(self, text: str) -> Tree:
        """The tree of the expression, not yet known to have a value."""
        names = None if self.variables is None else frozenset(self.variables)
        text, divisor = self.bare(text, names or frozenset())
        tree = read(_CAPITAL_I.sub("i", text) if self.capital_i else text, names)
        if self.functions is not None and not functions(tree) <= set(self.functions):
            raise AnswerError("not allowed", f"a function in {text[:40]!r} that was not declared")
        return tree if divisor == 1 else Product((tree,), (Number(divisor),))

    def same(self, expected: Tree, given: Tree, trial: Trial) -> bool:
        """Whether the expressions agree; see equality.py for what that rests on."""
        if is_infinite(expected) or is_infinite(given):
            return expected == given
        same = equality.equal(expected, given, trial, self.domain)
        if same and self.prove:
            proof.prove(expected, given, self.domain)
        return same


@dataclass(frozen=True)
class Polynomial(Expression):
    """A polynomial: sums, products and whole powers of its unknowns and of numbers."""

    name: ClassVar[str] = "polynomial"

    expanded: bool = False
    """Whether it must be multiplied out: (x+1)^2 is refused then."""

    def read(self, text: str) -> Tree:
        """The tree of the polynomial.

        Raises:
            AnswerError: it is no polynomial as it is written.
        """
        tree = super().read(text)
        if not _is_polynomial(tree):
            raise AnswerError("not a polynomial", f"{text[:40]!r} divides by or applies a function")
        if self.expanded and not is_expanded(tree):
            raise AnswerError("not expanded", f"{text[:40]!r} is not multiplied out")
        return tree


def has_value(tree: Tree, domain: numeric.Domain) -> bool:
    """Whether an expression has a value somewhere; infinity alone counts as one."""
    if is_infinite(tree):
        return True
    try:
        values = equality.values_at((tree,), Trial(b"gold"))
    except AnswerError as error:
        return error.reason != "undefined"
    return values is not None or numeric.is_defined(tree, domain, Trial(b"gold"))


def is_infinite(tree: Tree) -> bool:
    """Whether an expression is infinity alone, with or without a sign."""
    return (tree.operand if type(tree) is Negate else tree) == _INFINITY


def is_expanded(tree: Tree) -> bool:
    """Whether no sum with an unknown stands inside a product or a power."""
    inner = [
        part
        for node in nodes(tree)
        if type(node) in (Product, Power)
        for part in nodes(node)
        if type(part) is Sum and variables(part)
    ]
    return not inner


def _is_polynomial(tree: Tree) -> bool:
    if type(tree) in LEAVES:
        return True
    if type(tree) is Power and type(tree.exponent) is Number and type(tree.exponent.value) is int:
        return _is_polynomial(tree.base)
    if type(tree) is Sum:
        return all(map(_is_polynomial, tree.terms))
    if type(tree) is Product and not tree.divisors:
        return all(map(_is_polynomial, tree.factors))
    if type(tree) is Negate:
        return _is_polynomial(tree.operand)
    return not variables(tree) or _is_divided(tree)


def _is_divided(tree: Tree) -> bool:
    """Whether a tree is a polynomial over numbers, or a whole power that is not plainly one."""
    match tree:
        case Product(factors, divisors):
            return all(map(_is_polynomial, factors)) and not any(map(variables, divisors))
        case Power(base, exponent) if not variables(exponent):
            value = equality.constant(exponent)
            whole = value is not None and value.denominator == 1 and value >= 0
            return whole and _is_polynomial(base)
    return False
