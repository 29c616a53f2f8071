r"""Kinds with several values in any order: set, multiset, a tuple declared to have no order.

Made by declarations.py; one kind for the elements, as in containers.py. A set is \{1, 2\}, {1, 2},
[1, 2] or a bare list, also `x = 1 or x = 2`.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

from selfplay.grading.answers import AnswerError
from selfplay.grading.kinds.containers import Container
from selfplay.grading.kinds.kind import plain
from selfplay.grading.kinds.layout import (
    assigned,
    enclosed,
    is_function,
    is_unknown,
    relations,
    signs,
    split,
    unquoted,
)
from selfplay.grading.kinds.scalars import Rational
from selfplay.grading.mathematics.trial import Trial

MAX_UNORDERED = 24
"""Most elements of a set whose elements are not plain numbers: all pairs are compared."""

_GAP = re.compile(r"\A[,;]|[,;]\s*[,;]|[,;]\Z")
_EMPTY = frozenset(["\\emptyset", "\\{\\}", "{}", "[]", "emptyset", "theemptyset"])


@dataclass(frozen=True)
class Multiset(Container):
    """Values in any order, each as often as it occurs."""

    name: ClassVar[str] = "multiset"

    def texts(self, text: str) -> list[str]:
        r"""The elements between \{ and \}, or of a bare list, also one joined by `and` or `or`."""
        text = plain(text)
        if text.replace(" ", "").lower() in _EMPTY:
            return []
        sides, found = relations(text)
        group = enclosed(sides[0], "(")  # (a, b) = (1, 2), (3, 4)
        if found == ["\\in"] and is_unknown(sides[0]) or found == ["="] and sides[1][:2] == "\\{":
            text = sides[1]
        elif found == ["="] and group is not None and all(map(is_unknown, split(group[1], ","))):
            text = sides[1]
        self.check_bracket(text)
        group = enclosed(text, "{[")
        if group is not None and (group[0], group[2]) in (("{", "}"), ("[", "]")):
            parts = split(group[1], ",", ";")
        else:
            if _GAP.search(text) is not None:
                raise AnswerError("not a set", "a separator with nothing beside it")
            parts = [part for part in split(text, ",", ";", "or", "and") if part]
            parts = _without_unknown(parts)
        return [one for part in unquoted(parts) for one in signs(part)]

    def read(self, text: str) -> tuple[Any, ...]:
        """The values in the order in which they were written."""
        values = self.elements(self.texts(text))
        if len(values) > MAX_UNORDERED and not _all_numbers(values):
            raise AnswerError("too many", f"{len(values)} elements; {MAX_UNORDERED} are compared")
        return values

    def same(self, expected: tuple[Any, ...], given: tuple[Any, ...], trial: Trial) -> bool:
        """Whether each value occurs as often in one as in the other."""
        if len(expected) != len(given):
            return False
        if type(self.element) is not Rational or not _all_numbers(expected + given):
            return _matched(expected, given, lambda a, b: self.equal_elements(a, b, trial))
        return Counter(expected) == Counter(given)


@dataclass(frozen=True)
class Unordered(Multiset):
    """A tuple whose order was declared not to matter: (2, 1) is (1, 2)."""

    name: ClassVar[str] = "tuple"

    def texts(self, text: str) -> list[str]:
        """The elements between the brackets, round ones among them, or of a bare list."""
        group = enclosed(assigned(plain(text)), "(")
        return super().texts(text if group is None or group[2] != ")" else f"\\{{{group[1]}\\}}")


@dataclass(frozen=True)
class Set(Multiset):
    """Values in any order; one that occurs twice counts once."""

    name: ClassVar[str] = "set"

    def same(self, expected: tuple[Any, ...], given: tuple[Any, ...], trial: Trial) -> bool:
        """Whether each value of one occurs in the other."""

        def equal(one: Any, other: Any) -> bool:
            return self.equal_elements(one, other, trial)

        return super().same(_distinct(expected, equal), _distinct(given, equal), trial)


def _without_unknown(parts: list[str]) -> list[str]:
    """The values of `x = 1, x = 2` or `x = 1, 2`, where it is one unknown throughout."""
    unknowns = set()
    values = []
    for part in parts:
        sides, found = relations(part)
        name = sides[0].rstrip("0123456789_{}")
        if found == ["="] and (is_unknown(name) or is_function(name)):
            unknowns.add(name)
            values.append(sides[1])
        else:
            values.append(part)
    if len(unknowns) > 1:
        raise AnswerError("not a set", "values of different unknowns")
    return values


def _all_numbers(values: tuple[Any, ...]) -> bool:
    return all(type(value) in (int, Fraction) for value in values)


def _distinct(values: tuple[Any, ...], equal: Callable[[Any, Any], bool]) -> tuple[Any, ...]:
    if _all_numbers(values):
        return tuple(dict.fromkeys(values))
    kept: list[Any] = []
    for value in values:
        if not any(equal(value, other) for other in kept):
            kept.append(value)
    return tuple(kept)


def _matched(
    expected: tuple[Any, ...], given: tuple[Any, ...], equal: Callable[[Any, Any], bool]
) -> bool:
    """Whether the values can be paired off; equality is taken to be transitive."""
    left = list(given)
    for value in expected:
        partner = next((i for i, other in enumerate(left) if equal(value, other)), None)
        if partner is None:
            return False
        del left[partner]
    return True
