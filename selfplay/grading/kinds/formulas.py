r"""Formulas as golds of data sets have them: with what they define, and where they hold.

Fed by inference.py alone. `S = \pi r^2`, `AB = 5`, `f(x) = cx for any constant c`,
`a_n = 2^n - 1, n \ge 1`, `x = \frac{\pi}{4} + k\pi, k \in \mathbb{Z}` and \begin{cases}. What is
defined may be left out of an answer; what is said about where it holds may not, unless it only
calls a letter a constant. Letters that stand for constants may have other names: f(x) = kx is
f(x) = cx, but a letter that both have means the same in both.
What this does not do: know that n \ge 1 and n \in \mathbb{N}^* are one condition, for whole n.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any, ClassVar, NamedTuple

from selfplay.grading.answers import AnswerError
from selfplay.grading.kinds.equations import Equation, Relation
from selfplay.grading.kinds.kind import Kind, Reader, plain
from selfplay.grading.kinds.layout import (
    enclosed,
    has_sign,
    is_function,
    is_term,
    is_unknown,
    relations,
    split,
)
from selfplay.grading.kinds.words import symbols
from selfplay.grading.mathematics import equality
from selfplay.grading.mathematics.notation import read
from selfplay.grading.mathematics.trees import Tree, Variable, substituted, variables
from selfplay.grading.mathematics.trial import Trial
from selfplay.problem import Outcome

MAX_RENAMED = 3
"""Most constants with another name."""
MAX_CASES = 12
"""Most lines of a formula by cases."""

_CONNECTOR = re.compile(r"[,;]?\s*\b(?:for|where|if|when|with|provided(?: that)?|as long as)\b\s*")
_IN_BRACKETS = re.compile(r"(.*\S)\s*\(([^()]*(?:\\in(?![a-z])|[<>]|!=)[^()]*)\)\s*", re.DOTALL)
_CASES = re.compile(r"\\begin *\{cases\}(.*)\\end *\{cases\}", re.DOTALL)
_CONSTANT = re.compile(
    r"(?:(?:any|every|all|each|some|an?|the|arbitrary|real|fixed) *)*(?:constants?|parameters?)"
    r" *([A-Za-z])"
    r"|([A-Za-z]) *(?:is|are)? *(?:(?:an?|any|arbitrary|real|fixed) *)*(?:constants?|parameters?)"
    r"|([A-Za-z]) *\\in *(?:\\mathbb *\{? *R *\}?|R)"
)
_MEMBER = re.compile(r"([A-Za-z]) *\\in *(.+)")
_SET_NAME = re.compile(r"\\mathbb *\{? *([A-Z]) *\}?")
_NAMES = re.compile(
    r"(?:m? *\\(?:angle|triangle|overline|vec) *)?\{? *[A-Z]{1,4} *\}?"
    r"(?:_\{? *(?:\\triangle *)?[A-Za-z0-9]{1,8} *\}?)?"
    r"|[A-Za-z]'{0,2} *\( *-?[0-9]{1,6} *\)|\|? *[A-Z]{2} *\|?|\\overline *\{ *[A-Z]{2} *\}"
)
_QUANTITY = re.compile(r"[a-wA-W](?: *[+*-]? *[a-wA-W]){1,5}")
_CONSTANTS = frozenset("abcdkABCDK")
"""Letters that stand for any number in the formula of a function."""
_TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "!=": "!="}


class Case(NamedTuple):
    """A value, and when it is that."""

    value: Tree
    when: tuple[str, ...]
    """Symbols of the condition; empty if it has none."""


class Statement(NamedTuple):
    """A formula that has been read."""

    left: tuple[str, ...]
    """Symbols of what is defined; empty if it is left out."""
    arguments: tuple[str, ...]
    """Of a function that is defined."""
    cases: tuple[Case, ...]
    """One, unless the formula is by cases."""
    conditions: frozenset[tuple[str, ...]]
    """Symbols of each condition."""
    constants: frozenset[str]
    """Letters that the text says stand for constants."""


@dataclass(frozen=True)
class Formula(Reader):
    """A formula with what it defines and where it holds."""

    name: ClassVar[str] = "formula"

    equation: tuple[Equation, Relation] | None = None
    """The gold as an equation, and the kind of it, which reads answers that are another form of
    it: 2x - y + 1 = 0 for y = 2x + 1."""
    left: tuple[str, ...] = ()
    """What the gold defines."""

    def prepare(self, gold: str) -> tuple[Reader, Any]:
        """This kind with what the gold defines, and the gold as it was read."""
        statement = _read(plain(gold))
        kind = replace(self, left=statement.left)
        if statement.arguments or not statement.left or statement.conditions:
            return kind, statement
        try:
            reader, relation = Equation().prepare(gold)
        except AnswerError:
            return kind, statement
        if isinstance(reader, Equation) and isinstance(relation, Relation):
            kind = replace(kind, equation=(reader, relation))
        return kind, statement

    def read(self, text: str) -> Statement | Relation:
        """What the text defines, or an equation where the gold is one and the text another.

        Raises:
            AnswerError: no formula, or several.
        """
        text = plain(text)
        sides, found = relations(_parted(text)[0])
        if found == ["="] and self.equation is not None and tuple(symbols(sides[0])) != self.left:
            return self.equation[0].read(text)
        return _read(text)

    def same(self, expected: Statement, given: Statement | Relation, trial: Trial) -> bool:
        """Whether one is the other, but for the names of constants and of arguments."""
        if isinstance(given, Relation):
            assert self.equation is not None
            return self.equation[0].same(self.equation[1], given, trial)
        if given.left and expected.left != given.left and not _renamed_left(expected, given):
            return False
        if len(expected.cases) != len(given.cases):
            return False
        arguments = dict(zip(given.arguments, expected.arguments, strict=False))
        return any(
            _same(expected, _renamed(given, arguments | names), trial)
            for names in _namings(expected, given, arguments)
        )


@dataclass(frozen=True)
class Named(Reader):
    """A value of any kind with its name before it, which an answer may leave out."""

    name: ClassVar[str] = "named"

    inner: Kind
    """Of the value."""
    left: tuple[str, ...] = ()
    """Symbols of the name."""

    def prepare(self, gold: str) -> tuple[Reader, Any]:
        """This kind with the name and what the gold tells of the value, and the value."""
        left, _, right = without_dollars(gold).partition("=")
        inner, value = self.inner.prepare(right.strip())
        return Named(inner.part(), tuple(symbols(plain(left)))), value

    def read(self, text: str) -> Any:
        """The value, behind the name or alone."""
        left, sign, right = without_dollars(text).partition("=")
        named = sign and tuple(symbols(plain(left))) == self.left
        assert isinstance(self.inner, Reader)
        return self.inner.read(right.strip() if named else text)

    def same(self, expected: Any, given: Any, trial: Trial) -> bool:
        """Whether the values are the same."""
        assert isinstance(self.inner, Reader)
        return self.inner.same(expected, given, trial)


def without_dollars(gold: str) -> str:
    """A gold without the one pair of $ around it."""
    gold = gold.strip()
    one_pair = gold.count("$") == 2 and gold.startswith("$") and gold.endswith("$")
    return gold[1:-1] if one_pair else gold


def is_name(text: str) -> bool:
    r"""Whether a text names a quantity: AB, \angle ABC, S_{ABC}, D, a + b."""
    text = text.strip()
    return any(form.fullmatch(text) is not None for form in (_NAMES, _QUANTITY))


def defines(left: str, right: str) -> bool:
    """Whether an equality gives the value of what is on its left: a name, or a + b = 7."""
    if is_function(left) or is_term(left) or _NAMES.fullmatch(left.strip()) is not None:
        return True
    try:
        names = variables(read(right))
    except AnswerError:
        return "\\begin" in right and is_unknown(left)
    if is_unknown(left):
        return left.lstrip("\\") not in names
    return not names and _QUANTITY.fullmatch(left.strip()) is not None


def is_qualified(text: str) -> bool:
    """Whether a normalised text says where a formula holds, or gives it by cases."""
    return _parted(text)[0] != text or _CASES.search(text) is not None


def _read(text: str) -> Statement:
    body, conditions, constants = _parted(text)
    if len(split(body, ",", ";", "or", "and")) > 1 or has_sign(body):
        raise AnswerError("several values", f"{body[:40]!r} is a list", Outcome.AMBIGUOUS)
    sides, found = relations(body)
    if len(found) > 1 or (found and found != ["="]):
        raise AnswerError("several values", f"{body[:40]!r} is a chain", Outcome.AMBIGUOUS)
    left = tuple(symbols(sides[0])) if found else ()
    if found and not defines(sides[0], sides[1]):
        raise AnswerError("not a formula", f"{sides[0][:40]!r} is no name")
    arguments = _arguments(sides[0]) if found and is_function(sides[0]) else ()
    constants = constants.difference(arguments)
    return Statement(left, arguments, _cases(sides[-1]), conditions, constants)


def _parted(text: str) -> tuple[str, frozenset[tuple[str, ...]], frozenset[str]]:
    """The formula, its conditions, and the letters that are said to be constants."""
    if _CASES.search(text) is not None:
        return text, frozenset(), frozenset()
    if (connector := _CONNECTOR.search(text)) is not None:
        body, rest = text[: connector.start()], [text[connector.end() :]]
        rest += split(body, ",", ";")[1:]
        body = split(body, ",", ";")[0]
    elif (bracketed := _IN_BRACKETS.fullmatch(text)) is not None:
        body, rest = bracketed[1], [bracketed[2]]
    else:
        body, *rest = split(text, ",", ";")
        if not all(map(_is_condition, rest)):
            return text, frozenset(), frozenset()
    parts = [one for part in rest for one in split(part, ",", ";", "and") if one]
    constants = {name for part in parts for name in _constants(part)}
    conditions = [_condition(part) for part in parts if not _CONSTANT.fullmatch(part)]
    return body.rstrip(" ,;"), frozenset(conditions), frozenset(constants)


def _is_condition(part: str) -> bool:
    sides, found = relations(part)
    return bool(found) and any(map(is_unknown, sides)) or _CONSTANT.fullmatch(part) is not None


def _constants(part: str) -> list[str]:
    """The letters that a condition makes constants: any constant c, k in Z."""
    if (constant := _CONSTANT.fullmatch(part)) is not None:
        return [constant[1] or constant[2] or constant[3]]
    member = _MEMBER.fullmatch(part)
    return [member[1]] if member is not None else []


def _condition(part: str) -> tuple[str, ...]:
    """The symbols of a condition, with the unknown on the left of a relation."""
    part = _SET_NAME.sub(r" \1 ", part)
    sides, found = relations(part)
    if (
        len(found) == 1
        and found[0] in _TURNED
        and is_unknown(sides[1])
        and not is_unknown(sides[0])
    ):
        part = f"{sides[1]} {_TURNED[found[0]]} {sides[0]}"
    return tuple(symbols(part))


def _cases(right: str) -> tuple[Case, ...]:
    by_cases = _CASES.fullmatch(right.strip())
    if by_cases is None:
        return (Case(read(right), ()),)
    lines = [line for line in by_cases[1].split("\\\\") if line.strip()]
    if not 0 < len(lines) <= MAX_CASES:
        raise AnswerError("not a formula", f"{len(lines)} cases; {MAX_CASES} are read")
    found = []
    for line in lines:
        value, _, when = line.partition("&")
        when = _CONNECTOR.sub(" ", when).strip(" ,;.")
        found.append(Case(read(value.strip(" ,;")), _condition(when) if when else ()))
    return tuple(found)


def _arguments(left: str) -> tuple[str, ...]:
    group = enclosed(left[left.index("(") :].strip(), "(")
    return tuple(split(group[1], ",")) if group is not None else ()


def _renamed_left(expected: Statement, given: Statement) -> bool:
    """Whether two left sides are one function with other names, or the given one a mere name."""
    if expected.arguments:
        if not given.arguments:
            return True
        same = _before_arguments(given.left) == _before_arguments(expected.left)
        return same and len(given.arguments) == len(expected.arguments)
    return len(given.left) == 1 and (not expected.left or "_" in expected.left)


def _before_arguments(left: tuple[str, ...]) -> tuple[str, ...]:
    return left[: left.index("(")]


def _unknowns(statement: Statement) -> frozenset[str]:
    return frozenset().union(*(variables(case.value) for case in statement.cases))


def _namings(
    expected: Statement, given: Statement, arguments: dict[str, str]
) -> Iterable[dict[str, str]]:
    """Each way to give the constants of an answer the names that the gold has for them."""
    free = _unknowns(given) | given.constants
    if any(new != old and new in free for old, new in arguments.items()):
        return []  # the name of the gold's argument is taken by something else
    theirs = {arguments.get(name, name) for name in free}
    ours = _unknowns(expected) | expected.constants
    usual = _CONSTANTS.difference(expected.arguments) if expected.arguments else frozenset[str]()
    new = sorted(theirs - ours)
    missing = sorted((ours - theirs) & (expected.constants | usual))
    if not new:
        return [{}]
    said = {symbol for condition in given.conditions for symbol in condition}
    if (
        len(new) != len(missing)
        or len(new) > MAX_RENAMED
        or not (given.constants | usual).issuperset(new)
        or said.intersection(missing)
    ):
        return []
    return [dict(zip(new, order, strict=True)) for order in permutations(missing)]


def _renamed(statement: Statement, names: dict[str, str]) -> Statement:
    trees: dict[str, Tree] = {old: Variable(new) for old, new in names.items()}

    def words(symbols: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(names.get(symbol, symbol) for symbol in symbols)

    return statement._replace(
        cases=tuple(
            Case(substituted(case.value, trees), words(case.when)) for case in statement.cases
        ),
        conditions=frozenset(map(words, statement.conditions)),
    )


def _same(expected: Statement, given: Statement, trial: Trial) -> bool:
    if expected.conditions != given.conditions:
        return False
    by_condition = {case.when: case.value for case in given.cases}
    return len(by_condition) == len(given.cases) and all(
        case.when in by_condition and equality.equal(case.value, by_condition[case.when], trial)
        for case in expected.cases
    )
