r"""Kinds with one number: integer, rational, decimal; and what they share with expressions.

Made by declarations.py; symbolic.py extends it. A number must be written out: `3+4` is no answer to
7, and 6/2 no integer, or a solver would earn its reward by repeating the question. Spellings that
are accepted: -7, +7, 007, 7.0, 1,234,567 (also 1{,}234), 15/4, 30/8, \frac{15}{4}, 3\frac{3}{4},
3 3/4, 3.75, 0.\overline{3}, 1e-5, 1.2\times10^{3}, x = 7. Units and percent signs are refused
unless declared.
What this does not do: round. A decimal agrees within the declared tolerance or not at all.
"""

import re
import unicodedata
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import ClassVar, Literal, Self

from selfplay.grading.answers import AnswerError
from selfplay.grading.kinds.congruences import without_modulus
from selfplay.grading.kinds.kind import Reader, plain
from selfplay.grading.kinds.layout import enclosed, one_value
from selfplay.grading.kinds.units import without_unit
from selfplay.grading.mathematics import equality, numeric
from selfplay.grading.mathematics.notation import read
from selfplay.grading.mathematics.trees import Product, Tree, is_literal, nodes
from selfplay.grading.mathematics.trial import Trial

Percent = Literal["refuse", "as_fraction", "same_number"]

_PLAIN_INTEGER = re.compile(r"[+-]?[0-9]{1,1000}")
_THOUSANDS = re.compile(r"(?<![0-9.,])[0-9]{1,3}(?:,[0-9]{3}){1,330}(?![0-9,])")
_SPACED_THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(?: [0-9]{3}){1,330}(?:\.[0-9]+)?")
_BRACKET = re.compile(r"[(\[{]")
_MIXED = re.compile(r"([+-]?[0-9]{1,400}) +([0-9]{1,400}) */ *([0-9]{1,400})")
_PERCENT = ("%", " percent")


@dataclass(frozen=True)
class Scalar(Reader):
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
        if text.startswith("\\{") and enclosed(text, "{") is not None:
            raise AnswerError("not a value", f"{text[:40]!r} is a set")
        if "," in text and not _BRACKET.search(text):
            text = _THOUSANDS.sub(lambda number: number[0].replace(",", ""), text)
        elif " " in text and _SPACED_THOUSANDS.fullmatch(text):
            text = text.replace(" ", "")
        value = one_value(without_modulus(text), names)
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
        if not is_literal(tree) or text.startswith("["):  # a list of one
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

    def prepare(self, gold: str) -> tuple[Reader, int | Fraction]:
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

    def prepare(self, gold: str) -> tuple[Reader, int | Fraction]:
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
class Measure(Decimal):
    r"""A number within a tolerance, of which gold and answer may be expressions such as 2\pi."""

    def read(self, text: str) -> int | Fraction:
        """The value of a number or an expression."""
        try:
            return super().read(text)
        except AnswerError:
            text, divisor = self.bare(text)
            return numeric.approximation(read(text)) / divisor


def magnitude(value: int | Fraction) -> int:
    """The exponent of the first digit of a number that is not 0: 2 for 314, -1 for 0.5."""
    size = abs(Fraction(value))
    exponent = len(str(size.numerator)) - len(str(size.denominator))
    return exponent if size >= Fraction(10) ** exponent else exponent - 1
