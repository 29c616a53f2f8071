r"""Kinds with several values in fixed places, tuple and matrix, and what all containers share.

Made by declarations.py; sets.py has those without an order. A tuple is (1, 2), [1, 2], or 1, 2; a
matrix one of LaTeX or [[1, 2], [3, 4]]. Each has one kind for its elements: without a declared one,
numbers are wanted where all elements of the gold are numbers, else expressions, else text.
What this does not do: say which element was wrong.
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from selfplay.grading.answers import AnswerError
from selfplay.grading.kinds.kind import Kind, Reader, plain
from selfplay.grading.kinds.layout import (
    assigned,
    enclosed,
    is_unknown,
    latex_rows,
    relations,
    split,
    unquoted,
)
from selfplay.grading.kinds.scalars import Rational
from selfplay.grading.kinds.symbolic import Expression
from selfplay.grading.kinds.words import Text
from selfplay.grading.mathematics.trial import Trial
from selfplay.problem import Outcome

MAX_ELEMENTS = 200
"""Most elements of a tuple, a set or a matrix."""


@dataclass(frozen=True)
class Container(Reader):
    """What the kinds with several values have in common."""

    element: Kind | None = None
    """The kind of the elements; None: told by the gold."""
    bracket: str = ""
    """What must open an answer in brackets, one of ( [ {; empty: any that the kind knows."""

    def prepare(self, gold: str) -> tuple[Reader, Any]:
        """This kind with the kind of elements that all elements of the gold are read by."""
        texts = self.texts(gold)
        element = common_kind(texts) if self.element is None else shared(self.element, texts)
        prepared = replace(self, element=element.part())
        return prepared, prepared.read(gold)

    @abstractmethod
    def texts(self, text: str) -> list[str]:
        """The texts of all elements, in order.

        Raises:
            AnswerError: not a container of this kind.
        """

    @property
    def reader(self) -> Reader:
        """The kind that the elements are read by; of a gold without any, that of numbers."""
        return self.element if isinstance(self.element, Reader) else Rational()

    def check_bracket(self, text: str) -> None:
        """Refuse a list where a tuple is wanted, a tuple where a set is, and so on.

        Raises:
            AnswerError: wrong, for values in other brackets.
        """
        group = enclosed(text) if self.bracket else None
        if group is not None and group[0] != self.bracket:
            raise AnswerError("other brackets", f"{text[:40]!r}", Outcome.WRONG)

    def elements(self, texts: Sequence[str]) -> tuple[Any, ...]:
        """The values of the elements; `prepare` comes first.

        Raises:
            AnswerError: too many, or one that cannot be read.
        """
        if len(texts) > MAX_ELEMENTS:
            raise AnswerError("too many", f"{len(texts)} elements; {MAX_ELEMENTS} are read")
        reader = self.reader
        return tuple(reader.read(text) for text in texts)

    def equal_elements(self, one: Any, other: Any, trial: Trial) -> bool:
        """Whether two elements are the same value."""
        return self.reader.same(one, other, trial)


@dataclass(frozen=True)
class Tuple(Container):
    """Values in order; with names, `x = 1, y = 2` in any order stands for them."""

    name: ClassVar[str] = "tuple"

    names: tuple[str, ...] = ()
    """The unknowns that the elements are the values of, in order."""

    def texts(self, text: str) -> list[str]:
        """The elements between the brackets, or of a bare list."""
        text = plain(text)
        if not self.names:
            text = assigned(text)
        elif (paired := self._paired(text)) is not None:
            return paired
        self.check_bracket(text)
        if text.startswith("\\begin"):
            return _only_row(latex_rows(text))
        if len(split(text, "or")) > 1:
            raise AnswerError("several values", f"{text[:40]!r} is a choice", Outcome.AMBIGUOUS)
        group = enclosed(text, "([")
        if group is not None and (group[0], group[2]) in (("(", ")"), ("[", "]")):
            text = group[1]
        separator = ";" if group is not None and len(split(text, ",")) == 1 else ","
        parts = split(text, ",", "and") if self.names else split(text, separator)
        if self.names and "=" in text:
            return self._by_name(parts)
        if len(parts) == 1 and group is None:
            raise AnswerError("not a tuple", f"{text[:40]!r} is one value without brackets")
        return [] if parts == [""] else unquoted(parts)

    def read(self, text: str) -> tuple[Any, ...]:
        """The values in order."""
        return self.elements(self.texts(text))

    def same(self, expected: tuple[Any, ...], given: tuple[Any, ...], trial: Trial) -> bool:
        """Whether there are as many and each is the same."""
        return len(expected) == len(given) and all(
            self.equal_elements(one, other, trial)
            for one, other in zip(expected, given, strict=True)
        )

    def _paired(self, text: str) -> list[str] | None:
        """The values of (x, y) = (1, 2) in the declared order; None for another notation."""
        sides, found = relations(text)
        groups = [enclosed(side, "([") for side in sides]
        if found != ["="] or groups[0] is None or groups[1] is None:
            return None
        names, values = split(groups[0][1], ","), split(groups[1][1], ",")
        if sorted(names) != sorted(self.names) or len(values) != len(names):
            raise AnswerError("not a tuple", f"{', '.join(self.names)} are wanted, each once")
        return [values[names.index(name)] for name in self.names]

    def _by_name(self, parts: list[str]) -> list[str]:
        values = {}
        for part in parts:
            sides, found = relations(part)
            if found != ["="] or sides[0] in values:
                raise AnswerError("not a tuple", f"{part[:40]!r} does not give one unknown")
            values[sides[0]] = sides[1]
        if set(values) != set(self.names):
            raise AnswerError("not a tuple", f"{', '.join(self.names)} are wanted, each once")
        return [values[name] for name in self.names]


@dataclass(frozen=True)
class Matrix(Container):
    """Values in rows and columns."""

    name: ClassVar[str] = "matrix"

    def texts(self, text: str) -> list[str]:
        """The elements row by row."""
        return [cell for row in self._rows(text) for cell in row]

    def read(self, text: str) -> tuple[int, tuple[Any, ...]]:
        """The number of columns, and the values row by row."""
        rows = self._rows(text)
        if len({len(row) for row in rows}) != 1:
            raise AnswerError("not a matrix", "its rows differ in length")
        return len(rows[0]), self.elements([cell for row in rows for cell in row])

    def same(self, expected: Any, given: Any, trial: Trial) -> bool:
        """Whether the shapes and all values are the same."""
        (width, values), (given_width, given_values) = expected, given
        return (width, len(values)) == (given_width, len(given_values)) and all(
            self.equal_elements(*pair, trial) for pair in zip(values, given_values, strict=True)
        )

    def _rows(self, text: str) -> list[list[str]]:
        text = assigned(plain(text))
        if "\\begin" in text:
            return latex_rows(text)
        group = enclosed(text, "([")
        if group is not None and group[0] == "[" and group[2] == "]":
            rows = [enclosed(row, "[") for row in split(group[1], ",")]
            if all(row is not None and row[2] == "]" for row in rows):
                return [split(row[1], ",") for row in rows if row is not None]
        raise AnswerError("not a matrix", f"{text[:40]!r} is neither LaTeX nor [[...], ...]")


def names_of(text: str) -> tuple[str, ...]:
    """The unknowns of x = 1, y = 2 in order; none if it is not one equation for each of several."""
    parts = [relations(part) for part in split(text, ",", "and")]
    names = tuple(sides[0] for sides, found in parts if found == ["="] and is_unknown(sides[0]))
    return names if 1 < len(names) == len(parts) == len(set(names)) else ()


def common_kind(texts: Sequence[str]) -> Kind:
    """The strictest kind that reads all of the texts: numbers, expressions, tuples, or text."""
    for kind in (Rational(), Expression()):
        try:
            return shared(kind, texts)
        except AnswerError:
            continue
    try:
        inner = [one for text in texts for one in Tuple().texts(text)]
    except AnswerError:
        inner = list(texts)
    if max(map(len, inner), default=0) >= max(map(len, texts)):  # nothing was taken apart
        return Text(case="ignore", punctuation="ignore_final", latex=True)
    return Tuple(element=common_kind(inner).part())


def shared(kind: Kind, texts: Sequence[str]) -> Kind:
    """A kind with what was left open filled in from several golds.

    Raises:
        AnswerError: one of them is not of this kind.
    """
    prepared = [kind.prepare(text)[0] for text in texts]
    if isinstance(kind, Expression):
        names = [one.variables or () for one in prepared if isinstance(one, Expression)]
        return kind.with_unknowns(frozenset().union(*names))
    return prepared[0] if prepared else kind


def _only_row(rows: list[list[str]]) -> list[str]:
    if len(rows) > 1 and len(rows[0]) > 1:
        raise AnswerError("not a tuple", "a matrix with several rows and columns")
    return [cell for row in rows for cell in row]
