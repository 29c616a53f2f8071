r"""Kinds with one value: integer, rational, decimal, expression, polynomial.

An integer, a rational and a decimal must be written out as one number: `3+4` is no answer to 7,
and 6/2 no integer, or a solver would earn its reward by repeating the question. Spellings that are
accepted: -7, +7, 007, 7.0, 1,234,567 (also 1{,}234), 15/4, 30/8, \frac{15}{4}, 3\frac{3}{4},
3 3/4, 3.75, 0.\overline{3}, 1e-5, 1.2\times10^{3}, x = 7. Units and percent signs are refused
unless declared.
What this does not do: round. A decimal agrees within the declared tolerance or not at all.
"""

import re
import unicodedata
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import ClassVar, Literal, Self

from selfplay.grading.answers import AnswerError
from selfplay.grading.kinds.kind import Kind, plain
from selfplay.grading.kinds.layout import is_unknown, one_value
from selfplay.grading.mathematics import equality, numeric, proof
from selfplay.grading.mathematics.notation import read
from selfplay.grading.mathematics.symbols import normalise
from selfplay.grading.mathematics.trees import (
    Constant,
    Negate,
    Number,
    Power,
    Product,
    Sum,
    Tree,
    Variable,
    children,
    functions,
    is_literal,
    nodes,
    variables,
)
from selfplay.grading.mathematics.trial import Trial

Percent = Literal["refuse", "as_fraction", "same_number"]

_PLAIN_INTEGER = re.compile(r"[+-]?[0-9]{1,1000}")
_THOUSANDS = re.compile(r"(?<![0-9.,])[0-9]{1,3}(?:,[0-9]{3}){1,330}(?![0-9,])")
_SPACED_THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(?: [0-9]{3}){1,330}(?:\.[0-9]+)?")
_BRACKET = re.compile(r"[(\[{]")
_MIXED = re.compile(r"([+-]?[0-9]{1,400}) +([0-9]{1,400}) */ *([0-9]{1,400})")
_CURRENCY = re.compile(r"([+-]?) *\\?")
_PERCENT = ("%", " percent")
_NO_SPACING = str.maketrans("", "", " {}~")
_ANGLE = re.compile(r"(.+?)(?:°|\^ *(?:\\circ|\{ *\\circ *\}))", re.DOTALL)
_ANGLE_INSIDE = re.compile(r"°|\\circ|sin|cos|tan|cot|sec|csc|=|,|\\in(?![a-z])")
_DEGREES = re.compile(r"\^ *(?:\\circ|\{ *\\circ *\})")


@dataclass(frozen=True)
class Scalar(Kind):
    """What the kinds with one value have in common: the marks around a number."""

    unit: tuple[str, ...] = ()
    """Spellings of the unit that may follow the number (or precede it: `$`); none may otherwise."""
    percent: Percent = "refuse"
    """What % means: refused, a hundredth (9% is 0.09), or nothing (9% is 9)."""
    assignment: bool = True
    """Whether `x = 5` stands for 5."""

    def part(self) -> Self:
        """This kind without `x = 5`: in a tuple, y = 1 must not count as the first element."""
        return replace(self, assignment=False)

    def bare(self, text: str, names: frozenset[str] = frozenset()) -> tuple[str, int]:
        """The text of the value, and what it is to be divided by.

        Raises:
            AnswerError: several values, a relation, a percent sign that was not declared.
        """
        text = self._legible(text)
        if "," in text and not _BRACKET.search(text):
            text = _THOUSANDS.sub(lambda number: number[0].replace(",", ""), text)
        elif " " in text and _SPACED_THOUSANDS.fullmatch(text):
            text = text.replace(" ", "")
        value = one_value(text, names)
        if value != text and not self.assignment:
            raise AnswerError("not a value", f"{text[:40]!r} is an equation")
        return self._without_marks(value)

    def _legible(self, text: str) -> str:
        """The normalised text; of characters in no table, only those of the unit are taken off."""
        if not text.isascii():
            for spelling in self.unit:
                if unicodedata.category(spelling[0]) == "Sc":
                    text = text.strip().removeprefix(spelling).removesuffix(spelling)
        return plain(text).replace("{,}", ",")

    def _without_marks(self, text: str) -> tuple[str, int]:
        text = without_unit(text, self.unit)
        divisor = 1
        if self.percent != "refuse" and text.endswith(_PERCENT):
            text = text.removesuffix("%").removesuffix("percent").rstrip()
            divisor = 100 if self.percent == "as_fraction" else 1
        return _MIXED.sub(r"\1\\frac{\2}{\3}", text) if _MIXED.fullmatch(text) else text, divisor


def is_angle(text: str) -> bool:
    r"""Whether a text is a number of degrees, as 15^\circ is and \tan 15^\circ is not."""
    mark = _ANGLE.fullmatch(text.strip(" $."))
    return mark is not None and _ANGLE_INSIDE.search(mark[1]) is None


def without_unit(text: str, unit: tuple[str, ...]) -> str:
    """The text without one of the spellings of its unit, at the end or (currency) before."""
    for spelling in unit:
        if spelling in ("°", "degrees"):
            text = _DEGREES.sub("", text)
        shorter = text[: _before_unit(text, _compact_unit(spelling))]
        alone = not (shorter[-1:].isalpha() and spelling[0].isalpha())  # the m of cm is no metre
        if shorter != text and shorter.strip() and alone:
            return shorter.rstrip().removesuffix("\\").rstrip()
        if not spelling[0].isalnum() and (before := _CURRENCY.match(text)) is not None:
            if text.startswith(spelling, before.end()):
                return before[1] + text[before.end() + len(spelling) :].lstrip()
    return text


@lru_cache(maxsize=256)
def _compact_unit(spelling: str) -> str:
    """A unit without spaces and braces, as it reads in a normalised text."""
    try:
        spelling = normalise(spelling)
    except AnswerError:  # a currency sign
        pass
    return spelling.translate(_NO_SPACING)


def _before_unit(text: str, unit: str) -> int:
    """Where a unit begins that ends a text, whatever spaces and braces are in it; else the end."""
    position = len(text)
    for character in reversed(unit):
        while position and text[position - 1] in " {}~":
            position -= 1
        if not position or text[position - 1] != character:
            return len(text)
        position -= 1
    return position


@dataclass(frozen=True)
class Rational(Scalar):
    """A number, compared exactly: 0.33 is not 1/3."""

    name: ClassVar[str] = "rational"

    def read(self, text: str) -> int | Fraction:
        """The exact value of one number that is written out."""
        if _PLAIN_INTEGER.fullmatch(text):
            return int(text)
        text, divisor = self.bare(text)
        tree = read(text)
        if not is_literal(tree):
            raise AnswerError("not a number", f"{text[:40]!r} is not one number, written out")
        value = equality.constant(self.checked(tree))
        assert value is not None  # literals are rational
        return value if divisor == 1 else Fraction(value) / divisor

    def checked(self, literal: Tree) -> Tree:
        """The number as it was written, if this kind takes it in that form."""
        return literal

    def same(self, expected: int | Fraction, given: int | Fraction, trial: Trial) -> bool:
        """Whether the two numbers are equal."""
        del trial
        return expected == given


@dataclass(frozen=True)
class Integer(Rational):
    """A whole number; 7.0 is one, 14/2 is not yet one."""

    name: ClassVar[str] = "integer"

    def checked(self, literal: Tree) -> Tree:
        """The number, if it is not written as a fraction."""
        if any(type(node) is Product and node.divisors for node in nodes(literal)):
            raise AnswerError("not an integer", "a fraction, and not worked out")
        return literal

    def prepare(self, gold: str) -> tuple[Kind, int | Fraction]:
        """This kind and the whole number of the gold.

        Raises:
            AnswerError: it is not whole.
        """
        value = self.read(gold)
        if value.denominator != 1:
            raise AnswerError("not an integer", f"{gold[:40]!r} is not whole")
        return self, value


@dataclass(frozen=True)
class Decimal(Rational):
    """A number within a tolerance: |given - expected| <= max(absolute, relative * |expected|)."""

    name: ClassVar[str] = "decimal"

    absolute: Fraction = Fraction(0)
    """Largest allowed difference, in the unit of the answer."""
    relative: Fraction = Fraction(1, 10**9)
    """Largest allowed difference as a share of the expected value."""
    figures: int | None = None
    """Significant digits that must be right: half a unit of the last one may be missing."""

    def prepare(self, gold: str) -> tuple[Kind, int | Fraction]:
        r"""This kind and the number of the gold, which may be an expression such as 2\pi.

        Raises:
            AnswerError: the gold has no real value.
        """
        try:
            return self, self.read(gold)
        except AnswerError:
            text, divisor = self.bare(gold)
            return self, numeric.approximation(read(text)) / divisor

    def same(self, expected: int | Fraction, given: int | Fraction, trial: Trial) -> bool:
        """Whether the given number is within the tolerance."""
        del trial
        allowed = max(self.absolute, self.relative * abs(expected))
        if self.figures is not None and expected != 0:
            allowed = max(allowed, Fraction(10) ** (magnitude(expected) - self.figures + 1) / 2)
        return abs(given - expected) <= allowed


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
    prove: bool = False
    """Whether sympy has to prove what agrees at random points; without a proof, a timeout."""

    def prepare(self, gold: str) -> tuple[Kind, Tree]:
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
        return (self if self.variables is not None else self.with_unknowns(names)), tree

    def with_unknowns(self, names: frozenset[str]) -> Self:
        """This kind for the given unknowns; unchanged if there are none."""
        return replace(self, variables=tuple(sorted(names))) if names else self

    def read(self, text: str) -> Tree:
        """The tree of the expression, not yet known to have a value."""
        names = None if self.variables is None else frozenset(self.variables)
        text, divisor = self.bare(text, names or frozenset())
        tree = read(text, names)
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


def magnitude(value: int | Fraction) -> int:
    """The exponent of the first digit of a number that is not 0: 2 for 314, -1 for 0.5."""
    size = abs(Fraction(value))
    exponent = len(str(size.numerator)) - len(str(size.denominator))
    return exponent if size >= Fraction(10) ** exponent else exponent - 1


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
    return tree in (Constant("infinity"), Negate(Constant("infinity")))


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
    match tree:
        case Number() | Constant() | Variable():
            return True
        case Power(base, Number(int())):
            return _is_polynomial(base)
        case Sum() | Negate() | Product(_, ()):
            for operand in children(tree):
                if not _is_polynomial(operand):
                    return False
            return True
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


def is_variable_name(text: str) -> bool:
    """Whether a text can be declared as an unknown."""
    return is_unknown(text) or (text.isascii() and text.isalpha() and len(text) <= 20)
