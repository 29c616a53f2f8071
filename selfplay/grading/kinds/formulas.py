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
    signs,
    split,
)
from selfplay.grading.kinds.realsets import Interval
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
_CASES = re.compile(
    r"\\begin *\{cases\}(.*)\\end *\{cases\}"
    r"|\\\{ *\\begin *\{array\} *\{[lcr| ]{1,9}\}(.*)\\end *\{array\}",
    re.DOTALL,
)
_WHOLE = re.compile(
    r"(?:(?:any|every|all|each|some|an?) *)*(?:(positive|negative|odd|even) *)?integers?"
    r" *([A-Za-z])"
    r"|([A-Za-z]) *(?:is|are) *(?:(?:an?|any) *)?(?:(positive|negative|odd|even) *)?integers?"
)
_CONSTANT = re.compile(
    r"(?:(?:any|every|all|each|some|an?|the|arbitrary|real|fixed) *)*(?:constants?|parameters?)"
    r" *([A-Za-z])"
    r"|([A-Za-z]) *(?:is|are)? *(?:(?:an?|any|arbitrary|real|fixed) *)*(?:constants?|parameters?)"
    r"|([A-Za-z]) *\\in *(?:\\mathbb *\{? *R *\}?|R)"
)
_MEMBER = re.compile(r"([A-Za-z]) *\\in *(.+)")
_SET_NAME = re.compile(r"\\mathbb *\{? *([A-Z]) *\}?")
_NAMES = re.compile(
    r"(?:m? *\\(?:angle|triangle|overline|vec) *)?\{? *[A-Z]{1,4} *\}?(?: *\^ *\{? *(?:-1|T) *\}?)?"
    r"(?:_\{? *(?:\\triangle *)?[A-Za-z0-9]{1,8} *\}?)?"
    r"|[A-Za-z]'{0,2} *\( *-?[0-9]{1,6} *\)|\|? *[A-Z]{2} *\|?|\\overline *\{ *[A-Z]{2} *\}"
)
_QUANTITY = re.compile(r"[a-wA-W](?: *[+*-]? *[a-wA-W]){1,5}")
_MEASURED = re.compile(
    r"\\(?:sin|cos|tan|cot|sec|csc) *(?:\^ *\{? *[2-9] *\}? *)?[2-9]? *"
    r"(?:[A-Za-z]|\\[a-z]{2,7}|\( *[^()=,]{1,20} *\)|\\angle *[A-Z]{1,3})"
    r"|\|[^|=,]{1,40}\|"
    r"|\\frac *\{ *[A-Za-z][A-Za-z_0-9 ]{0,8}\} *\{ *[A-Za-z][A-Za-z_0-9 ]{0,8}\}"
    r"|(?:\\(?:vec|overrightarrow) *\{? *[A-Za-z]{1,2} *\}? *(?:\* *)?){1,2}"
)
"""What a number is said to be the value of: a sine, a modulus, a ratio, a product of vectors."""
_CONSTANTS = frozenset("abcdkABCDK")
"""Letters that stand for any number in the formula of a function."""
_TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "!=": "!="}


class Case(NamedTuple):
    """A value, and when it is that."""

    value: tuple[Tree, ...]
    """One number, or the elements of a tuple or the ends of an interval."""
    brackets: str
    """Around several; empty for one."""
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
        named = sign and _bare_name(symbols(plain(left))) == _bare_name(self.left)
        assert isinstance(self.inner, Reader)
        return self.inner.read(right.strip() if named else text)

    def same(self, expected: Any, given: Any, trial: Trial) -> bool:
        """Whether the values are the same."""
        assert isinstance(self.inner, Reader)
        return self.inner.same(expected, given, trial)


def _bare_name(name: Iterable[str]) -> list[str]:
    r"""AB for \overline{AB} and |AB|: the length is meant where it has a value."""
    return [symbol for symbol in name if symbol not in ("\\overline", "|", "{", "}")]


def without_dollars(gold: str) -> str:
    """A gold without the one pair of $ around it."""
    gold = gold.strip()
    one_pair = gold.count("$") == 2 and gold.startswith("$") and gold.endswith("$")
    return gold[1:-1] if one_pair else gold


def is_name(text: str) -> bool:
    r"""Whether a text names a quantity: AB, \angle ABC, S_{ABC}, D, a + b."""
    text = text.strip()
    return any(form.fullmatch(text) is not None for form in (_NAMES, _QUANTITY, _MEASURED))


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
    forms = (_QUANTITY, _MEASURED)
    return not names and any(form.fullmatch(left.strip()) is not None for form in forms)


def is_qualified(text: str) -> bool:
    """Whether a normalised text says where a formula holds, or gives it by cases."""
    return _parted(text)[0] != text or _CASES.search(text) is not None


def _read(text: str) -> Statement:
    body, conditions, constants = _parted(text)
    bodies = split(body, "or") if conditions else [body]  # x = a + 2k pi or x = b + 2k pi, k in Z
    several = len(bodies) > 1 or (conditions and has_sign(body))
    if len(split(body, ",", ";", "and")) > 1 or (not several and has_sign(body)):
        raise AnswerError("several values", f"{body[:40]!r} is a list", Outcome.AMBIGUOUS)
    sides, found = relations(bodies[0])
    if len(found) > 1 or (found and found != ["="]):
        raise AnswerError("several values", f"{body[:40]!r} is a chain", Outcome.AMBIGUOUS)
    left = tuple(symbols(sides[0])) if found else ()
    if found and not defines(sides[0], signs(sides[1])[0]):
        raise AnswerError("not a formula", f"{sides[0][:40]!r} is no name")
    arguments = _arguments(sides[0]) if found and is_function(sides[0]) else ()
    constants = constants.difference(arguments)
    rights = [sides[-1]] + [_right_of(other, sides[0], bool(found)) for other in bodies[1:]]
    cases = tuple(case for right in rights for one in signs(right) for case in _cases(one))
    return Statement(left, arguments, cases, conditions, constants)


def _right_of(body: str, left: str, named: bool) -> str:
    """The value in another part of `x = a or x = b`, where it is one of the same unknown."""
    sides, found = relations(body)
    if found and (found != ["="] or not named or sides[0] != left):
        raise AnswerError("several values", f"{body[:40]!r} is another", Outcome.AMBIGUOUS)
    return sides[-1]


def _parted(text: str) -> tuple[str, frozenset[tuple[str, ...]], frozenset[str]]:
    """The formula, its conditions, and the letters that are said to be constants."""
    if _CASES.search(text) is not None:
        return text, frozenset(), frozenset()
    if text.startswith("\\{") and (group := enclosed(text, "{")) is not None:
        text = _built(group[1]) or text
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


def _built(inside: str) -> str | None:
    r"""`a + 2k\pi, k \in Z` for that with a bar in place of the comma, or `x | x = ` before it."""
    value, bar, condition = inside.partition("|")
    if not bar:
        value, bar, condition = inside.partition(":")
    value, condition = value.strip(), condition.strip()
    if not bar or "\\in" not in condition:
        return None
    sides, found = relations(split(condition, ",")[0])
    if is_unknown(value) and found == ["="] and sides[0] == value:
        return f"{sides[1]}{condition[len(split(condition, ',')[0]) :]}"
    return f"{value}, {condition}"


def _is_condition(part: str) -> bool:
    sides, found = relations(part)
    related = bool(found) and any(map(is_unknown, sides))
    return related or any(form.fullmatch(part) is not None for form in (_CONSTANT, _WHOLE))


def _constants(part: str) -> list[str]:
    """The letters that a condition makes constants: any constant c, k in Z."""
    if (constant := _CONSTANT.fullmatch(part)) is not None:
        return [constant[1] or constant[2] or constant[3]]
    if (whole := _WHOLE.fullmatch(part)) is not None:
        return [whole[2] or whole[3]]
    member = _MEMBER.fullmatch(part)
    return [member[1]] if member is not None else []


def _condition(part: str) -> tuple[str, ...]:
    r"""The symbols of a condition: an unknown and the set it is in, or as it is written.

    x > 0 and x \in (0, \infty) are the same.
    """
    if (whole := _WHOLE.fullmatch(part)) is not None:
        return (whole[2] or whole[3], "\\in", whole[1] or whole[4] or "Z")
    try:
        kind, pieces = Interval().prepare(part)
        if isinstance(kind, Interval) and kind.variable is not None:
            return (kind.variable, *map(repr, pieces))
    except AnswerError:
        pass
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
        return (Case(*_value(right), ()),)
    lines = [line for line in (by_cases[1] or by_cases[2]).split("\\\\") if line.strip()]
    if not 0 < len(lines) <= MAX_CASES:
        raise AnswerError("not a formula", f"{len(lines)} cases; {MAX_CASES} are read")
    found = []
    for line in lines:
        value, _, when = line.partition("&")
        when = _CONNECTOR.sub(" ", when).strip(" ,;.")
        found.append(Case(*_value(value.strip(" ,;")), _condition(when) if when else ()))
    return tuple(found)


def _value(text: str) -> tuple[tuple[Tree, ...], str]:
    """A number, or several in brackets."""
    group = enclosed(text.strip(), "([")
    parts = [] if group is None else split(group[1], ",")
    if group is None or len(parts) < 2:
        return (read(text),), ""
    return tuple(map(read, parts)), group[0] + group[2]


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
    values = (value for case in statement.cases for value in case.value)
    return frozenset().union(*map(variables, values))


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
            Case(
                tuple(substituted(value, trees) for value in case.value),
                case.brackets,
                words(case.when),
            )
            for case in statement.cases
        ),
        conditions=frozenset(map(words, statement.conditions)),
    )


def _same(expected: Statement, given: Statement, trial: Trial) -> bool:
    if expected.conditions != given.conditions:
        return False
    left = list(given.cases)
    for case in expected.cases:
        same = next((other for other in left if _same_case(case, other, trial)), None)
        if same is None:
            return False
        left.remove(same)
    return not left


def _same_case(one: Case, other: Case, trial: Trial) -> bool:
    shapes = [(case.when, case.brackets, len(case.value)) for case in (one, other)]
    return shapes[0] == shapes[1] and all(
        equality.equal(*pair, trial) for pair in zip(one.value, other.value, strict=True)
    )
