r"""Which kind of answer a gold is: for data sets whose golds are LaTeX strings without a type.

Fed by declare. The rules, in order: a value of JSON by its type; a congruence, a numeral of another
base, a ratio; a matrix; true, false, yes, no; a letter A to J, an option; one number, with % or a
unit as units.py finds it;
\{...\}, a set; brackets with an infinity, brackets that differ or \cup, an interval, and so is
[a, b], but (a, b) a tuple; x = 1, y = 2, a tuple with names; a name before a value or a formula; a
relation, an equation or a solution set; a bare list, a multiset; an expression; a formula with
conditions or by cases; anything else is text, compared symbol by symbol. Tuples, lists and sets
keep to the brackets of the gold.
What this does not do: look at answers. A declared kind is stricter and should be preferred.
"""

import json
import math
import re
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

from selfplay.grading.answers import AnswerError, unboxed
from selfplay.grading.kinds.congruences import Congruence, is_congruence
from selfplay.grading.kinds.containers import Container, Matrix, Tuple, common_kind, names_of
from selfplay.grading.kinds.equations import Equation
from selfplay.grading.kinds.formulas import (
    Formula,
    Named,
    defines,
    is_name,
    is_qualified,
    without_dollars,
)
from selfplay.grading.kinds.kind import Kind, Reader, plain
from selfplay.grading.kinds.layout import (
    assigned,
    enclosed,
    has_sign,
    is_function,
    is_unknown,
    marks,
    relations,
    split,
)
from selfplay.grading.kinds.numerals import notated
from selfplay.grading.kinds.realsets import Interval, is_all_or_nothing
from selfplay.grading.kinds.scalars import Decimal, Integer, Measure, Rational
from selfplay.grading.kinds.schema import Json
from selfplay.grading.kinds.sets import Multiset, Set
from selfplay.grading.kinds.symbolic import Expression
from selfplay.grading.kinds.units import MONEY, is_angle, written_in
from selfplay.grading.kinds.words import Choice, Text, Truth
from selfplay.grading.mathematics.notation import read
from selfplay.grading.mathematics.trees import variables
from selfplay.grading.mathematics.trial import Trial

WORDS = Text(case="ignore", punctuation="ignore_final", latex=True)
"""Text as it is compared where no kind of mathematics fits."""
LETTERS = Choice(options=tuple((letter, "") for letter in "ABCDEFGHIJ"))
"""The options that a single letter as gold is one of."""

_CURRENCY = re.compile(r"\s*(?:\$?\s*\\\$|\$\s*[0-9][0-9.,]*\Z)")
_OPTION = re.compile(r"\([A-J]\)\s*[^\s,;(]")
_LETTERS = re.compile(r"[A-Za-z]{2,}")


@dataclass(frozen=True)
class Auto(Kind):
    """Whatever kind the gold is."""

    name: ClassVar[str] = "auto"

    numbers: Kind | None = None
    """The kind of those golds that it reads, where a tolerance or a unit was declared."""

    def of(self, gold: object) -> Kind:
        """The kind of a gold; of a worked solution, that of what follows ####."""
        gold = _concluded(gold)
        if self.numbers is None:
            return infer(gold)
        if not isinstance(gold, bool | list | dict) and _reads(self.numbers, str(gold)):
            return self.numbers
        kind = infer(gold)
        if isinstance(self.numbers, Decimal):
            written_out = {one.name: getattr(self.numbers, one.name) for one in fields(Decimal)}
            for numbers in (self.numbers, Measure(**written_out)):
                within = _within(kind, numbers)
                if within is not kind and _reads(within, gold_text(within, gold)):
                    return within
        return kind

    def prepare(self, gold: str) -> tuple[Reader, Any]:
        """The kind of the gold, and its value; of a worked solution, what follows ####."""
        return self.of(gold).prepare(str(_concluded(gold)))


def _within(kind: Kind, numbers: Decimal) -> Kind:
    """A kind with a tolerance for the numbers in it: with a unit, a name, or several of them."""
    if isinstance(kind, Named):
        return Named(_within(kind.inner, numbers))
    if isinstance(kind, Container):
        return replace(kind, element=numbers.part())
    if isinstance(kind, Rational | Expression):
        return replace(numbers, unit=numbers.unit + kind.unit, percent=kind.percent)
    return kind


def _concluded(gold: object) -> object:
    return gold.rpartition("####")[2].strip() if isinstance(gold, str) else gold


def infer(gold: object) -> Kind:
    """The kind that a gold is most sensibly graded as.

    Args:
        gold: a text, or a number, truth value, list or object of JSON.
    Returns:
        A kind that reads the gold; text where nothing else does.
    """
    if isinstance(gold, str):
        return _of_text(gold)
    if isinstance(gold, bool):
        return Truth()
    if isinstance(gold, int):
        return Integer()
    if isinstance(gold, float):
        return Decimal()
    if gold is None:
        raise ValueError("the gold is null: there is no right answer.")
    if isinstance(gold, list):
        nested = bool(gold) and all(isinstance(row, list) for row in gold)
        return Matrix() if nested and len({len(row) for row in gold}) == 1 else Tuple()
    return Json()


def gold_text(kind: Kind, gold: object) -> str:
    """The text that a gold stands for, as its kind reads it.

    Raises:
        ValueError: a number that is not finite.
    """
    if isinstance(gold, float) and not math.isfinite(gold):
        raise ValueError(f"the gold {gold!r} is not finite")
    if isinstance(kind, Json):
        return json.dumps(gold, sort_keys=True)
    if isinstance(gold, list) and isinstance(kind, Equation):
        if any(isinstance(one, str) and relations(one)[1] for one in gold):
            return " or ".join(map(str, gold))
        inner = (gold_text(Tuple() if isinstance(one, list) else kind, one) for one in gold)
        return f"\\{{{', '.join(inner)}\\}}"
    if isinstance(gold, list):
        inner = ", ".join(gold_text(kind, element) for element in gold)
        return f"({inner})" if type(kind) is Tuple else f"[{inner}]"
    if isinstance(gold, str):
        return gold
    return json.dumps(gold, sort_keys=True)


def _of_text(gold: str) -> Kind:
    try:
        gold = unboxed(gold.strip())
        text = plain(gold)
    except AnswerError:
        return WORDS
    for rule in (_notated, _word, _number, _structure, _scalar, _qualified):
        kind = rule(text, gold)
        if kind is not None and _reads(kind, gold):
            return kind
    return WORDS


def _reads(kind: Kind, gold: str) -> bool:
    """Whether a kind takes the gold and says that it is equal to itself."""
    try:
        prepared, expected = kind.prepare(gold)
        return prepared.same(expected, prepared.read(gold), Trial(b"gold"))
    except AnswerError:
        return False


def _notated(text: str, gold: str) -> Kind | None:
    del gold
    return Congruence() if is_congruence(text) else notated(text)


def _word(text: str, gold: str) -> Kind | None:
    if gold.startswith(('{"', '[{"')):
        return Json()
    if "\\begin" in text:
        return Matrix()
    if text.lower() in ("true", "false", "yes", "no"):
        return Truth()
    if _OPTION.match(text) is not None:
        return LETTERS
    bare = text.strip("() ")
    return LETTERS if len(bare) == 1 and bare in "ABCDEFGHIJ" else None


def _number(text: str, gold: str) -> Kind | None:
    if unit := written_in(gold, text):
        pass
    elif is_angle(text):
        unit = ("°", "degrees")
    elif _CURRENCY.match(gold):
        unit = MONEY
    percent = "as_fraction" if text.endswith(("%", " percent")) else "refuse"
    for kind in (Integer(unit or MONEY, percent), Rational(unit or MONEY, percent)):
        if _reads(kind, gold):
            return kind
    return Expression(unit, percent) if unit or percent != "refuse" else None


def _structure(text: str, gold: str) -> Kind | None:
    found = {mark[0] for mark in marks(text)}
    group = enclosed(text, "([{")
    if text.startswith("\\{") and group is not None:
        return Interval() if re.search("[|:<>]", text) else Set(bracket="{")
    if "\\cup" in found or "\\setminus" in text or is_all_or_nothing(text):
        return Interval()
    if group is not None and (kind := _bracketed(group)) is not None:
        return kind
    if "or" in found and all(is_function(relations(part)[0][0]) for part in split(text, "or")):
        return Multiset()
    if found & {"=", "==", "!=", "<", ">", "<=", ">=", "=<", "=>", "\\in"}:
        return _related(text, gold)
    if "," in found or "or" in found or has_sign(text):
        return Multiset()
    if "and" in found and not isinstance(common_kind(split(text, "and")), Text):
        return Multiset()
    return None


def _bracketed(group: tuple[str, str, str]) -> Kind | None:
    opening, inside, closing = group
    parts = split(inside, ",")
    if opening == "{" and len(parts) > 1:
        return Set(bracket="{")
    if len(parts) == 1 or opening == "{":
        return Matrix() if inside.startswith("[") and opening == "[" else None
    if opening + closing not in ("()", "[]") or (len(parts) == 2 and "infty" in inside):
        return Interval()
    if opening == "[" and inside.startswith("["):
        return Matrix()
    return Interval() if opening == "[" and len(parts) == 2 else Tuple(bracket=opening)


def _related(text: str, gold: str) -> Kind:
    right = assigned(text)
    if right != text and (group := enclosed(right, "([")) is not None:
        left = enclosed(relations(text)[0][0], "(")
        names = () if left is None else tuple(split(left[1], ","))
        ordered = len(names) == len(split(group[1], ",")) > 1
        return Tuple(bracket=group[0], names=names if ordered else ())
    if right != text and all(enclosed(part, "(") for part in split(right, ",", "or", "and")):
        return Multiset()
    if named := names_of(text):
        return Tuple(names=named)
    sides, found = relations(text)
    unknown = is_unknown(sides[0])
    named = is_name(sides[0]) and (not unknown or sides[1].startswith("\\{"))
    if found == ["="] and (named or (unknown and is_angle(sides[1]))):
        kind = _of_text(without_dollars(gold).partition("=")[2])
        if not isinstance(kind, Text | Expression | Formula | Equation):
            return Named(kind)
    solved = unknown and _is_number(sides[-1])
    defined = found == ["="] and not solved and defines(*sides)
    return Formula() if defined else Equation()


def _is_number(text: str) -> bool:
    try:
        return not variables(read(text))
    except AnswerError:
        return False


def _qualified(text: str, gold: str) -> Kind | None:
    del gold
    return Formula() if is_qualified(text) else None


def _scalar(text: str, gold: str) -> Kind | None:
    del gold
    prose = _LETTERS.fullmatch(text) and (len(text) > 2 or text.isupper())
    known = text in ("pi", "infinity", "oo", "inf")
    return None if prose and not known else Expression()
